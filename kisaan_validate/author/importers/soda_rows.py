"""SodaCL checks of rows: failed rows, references, other tables, freshness."""

from __future__ import annotations

import re
from dataclasses import replace

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_shape import custom_query
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.soda_line import NAME, SodaLine
from kisaan_validate.author.source import remark, sql_name

REFERENCE = re.compile(
    rf"values in\s+(?:\((?P<many>[^)]*)\)|(?P<one>{NAME}))\s+must\s+(?P<negated>not\s+)?exist "
    rf"in\s+(?P<table>{NAME})\s+"
    rf"(?:\((?P<ons>[^)]*)\)|(?P<on>{NAME}))"
)
SAME_ROWS = re.compile(rf"row_count same as (?P<table>{NAME})(?P<more>.*)")
_AGE = re.compile(r"(?:\d+[dhms])+")


def failed_rows(line: SodaLine) -> list[str]:
    """The author's own condition or SQL for failing rows."""
    known = {
        "name",
        "fail condition",
        "fail query",
        "samples limit",
        "samples columns",
        "attributes",
        "warn",
        "fail",
    }
    if unknown := [key for key in line.settings if key not in known]:
        raise NoCounterpart(f"the setting {remark(unknown[0])} cannot be parsed")
    tolerated: list[Said] = [line.said]
    if "fail" in line.settings or "warn" in line.settings:
        verdicts = line.verdicts(None)
        # Only "more than so many" is a tolerance.
        if any(percent or admitted.most_rows is None for admitted, percent, _ in verdicts):
            raise NoCounterpart("a threshold of failed rows that is not 'more than so many'")
        tolerated = [replace(said, tolerance=admitted.most_rows or None) for admitted, _, said in verdicts]
    if (condition := line.settings.get("fail condition")) is not None:
        fails = sql.author_condition(condition, "a fail condition")
        return [
            line.maker.row(
                line.scope.table, f"{fails} IS NOT TRUE", line.id("failed_rows"), s, where=line.scope.where
            )
            for s in tolerated
        ]
    # A query is taken as written: no condition can be put into it.
    if line.scope.where:
        raise NoCounterpart("a query of failed rows together with a dataset's filter")
    query = sql.as_text(line.settings.get("fail query"), "a fail query")
    return [custom_query(line.maker, line.scope.table, query, line.id("failed_rows"), s) for s in tolerated]


def _names(listed: str | None, one: str | None) -> list[str]:
    return [
        sql.column_name(n) for n in (listed.split(",") if listed is not None else [one or ""]) if n.strip()
    ]


def reference(line: SodaLine, match: re.Match[str]) -> list[str]:
    """Values must be in another table."""
    own, other = _names(match["many"], match["one"]), _names(match["ons"], match["on"])
    if len(own) != len(other) or not own:
        raise NoCounterpart("both sides need the same number of columns")
    table = line.table_of(sql.folded_table(match["table"]))
    # Where values_in says the same it is preferred: it needs no SQL in the suite.
    if len(own) == 1 and not match["negated"] and not line.scope.where:
        id = line.id("_".join(own), "references")
        return [
            line.maker.declare("values_in", line.scope.table, [own[0], table, other[0]], id, line.said, own)
        ]
    pairs = " AND ".join(f"p.{sql_name(b)} = c.{sql_name(a)}" for a, b in zip(own, other, strict=True))
    some = " OR ".join(f"c.{sql_name(a)} IS NOT NULL" for a in own)
    # As Soda asks: a row with some value is judged, and one that has NULL beside it finds nothing.
    filled = f"({some})" if len(own) > 1 else some
    if line.scope.where:
        raise NoCounterpart("a reference together with a dataset's filter: declare.references takes a where")
    word = "EXISTS" if match["negated"] else "NOT EXISTS"
    shown = ", ".join(f"c.{sql_name(a)}" for a in own)
    said = replace(line.said, title=remark(line.text))
    statement = (
        f"SELECT row_number() OVER () AS row_number, {shown}\nFROM {sql.table_ref(line.scope.table)} AS c\n"
        # A NaN is found nowhere, not even beside another NaN.
        f"WHERE {filled} AND ({word} (SELECT 1 FROM {sql.table_ref(table)} AS p WHERE {pairs})\n"
        f"  OR {' OR '.join(sql.nan_sql(f'c.{sql_name(a)}') for a in own)})"
    )
    kind = "not_in" if match["negated"] else "references"
    return [
        line.maker.assertion(line.scope.table, statement, ["row_number"], line.id("_".join(own), kind), said)
    ]


def same_rows(line: SodaLine, match: re.Match[str]) -> list[str]:
    """Two tables have the same number of rows."""
    # Behind the name stands another data source, or a partition.
    if match["more"].strip():
        raise NoCounterpart("rows of another data source or of a partition: a run sees one database")
    other = sql.table_ref(line.table_of(sql.folded_table(match["table"])))
    outputs = [("rows_found", "count(*)"), ("rows_there", f"(SELECT count(*) FROM {other})")]
    said = replace(line.said, title=remark(line.text))
    return [
        line.maker.measure(
            line.scope.table,
            outputs,
            "m.rows_found = m.rows_there",
            line.id("row_count_as_other"),
            said,
            where=line.where,
        )
    ]


def _age(text: str) -> str:
    """An age such as ``1d6h`` as an interval."""
    plain = "".join(text.split())
    if not _AGE.fullmatch(plain):
        raise NoCounterpart(f"the age {remark(text)} cannot be parsed")
    units = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    return "INTERVAL '" + " ".join(f"{n} {units[u]}" for n, u in re.findall(r"(\d+)([dhms])", plain)) + "'"


def fresh(line: SodaLine, column: str, threshold: str | None) -> list[str]:
    """The newest value is at most so old. A value without a zone is UTC, as Soda takes it."""
    given = [(threshold, line.said)] if threshold else []
    for key, severity in (("fail", "blocking"), ("warn", "warning")):
        if not threshold and (said := line.settings.get(key)) is not None:
            text = sql.as_text(said, f"{key}: when > …").strip()
            if not re.match(r"when\s*>=?\s", text):
                raise NoCounterpart(f"{key} needs 'when > an age', not {remark(text)}")
            # "fail when > 1d" says the opposite: the age must be < 1d.
            given.append((re.sub(r"^when\s*>=?", "<", text), replace(line.said, severity=severity)))
    if not given:
        raise NoCounterpart("it has no threshold")
    made, name = [], sql_name(sql.column_name(column))
    for text, said in given:
        match = re.fullmatch(r"<=?\s*(.+)", text or "")
        if match is None:
            raise NoCounterpart(f"the age {remark(text or '')} cannot be parsed")
        condition = f"m.newest >= now() - {_age(match[1])}"
        said = replace(said, title=remark(line.text))
        made.append(
            line.maker.measure(
                line.scope.table,
                [("newest", f"max({name})")],
                condition,
                line.id(sql.folded(column), "fresh"),
                said,
                where=line.where,
            )
        )
    return made
