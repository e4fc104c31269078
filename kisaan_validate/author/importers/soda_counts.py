"""SodaCL metrics: counts, shares and aggregates."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.soda_line import (
    KNOWN,
    SodaLine,
    most_share,
    one_of,
    percent_of,
    refuse_idle,
    settings_of,
)
from kisaan_validate.author.importers.soda_values import missing_sql, valid_sql
from kisaan_validate.author.importers.thresholds import Threshold
from kisaan_validate.author.source import remark, sql_name


def _row_count(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart("a number of rows is not a share")
        refuse_idle(admitted)
        said = replace(said, title=f"row_count {remark(threshold or 'as said')}")
        made.append(
            line.maker.measure(
                line.scope.table,
                [("rows_found", "count(*)")],
                admitted.sql("m.rows_found"),
                line.id("row_count"),
                said,
                where=line.where,
            )
        )
    return made


def _rows(
    line: SodaLine,
    expression: str,
    kind: str,
    columns: list[str],
    verdict: tuple[Threshold, bool, Said],
    *,
    allow_nan: bool = False,
) -> str:
    """A check of rows with the number of violations that a threshold admits: as a tolerance where that says
    it, else as a figure.

    A NaN violates it, unless it is allowed; where violations are wanted, it makes the figure fail.
    """
    admitted, percent, said = verdict
    refuse_idle(admitted, percent)
    place = (line.scope.table, expression, line.id("_".join(columns), kind))
    share = most_share(admitted) if percent else None
    most = None if percent else admitted.most_rows
    # A tolerance says it where 0 up to some number is admitted; else the number itself is a figure.
    if share is not None or most is not None:
        tolerance = (most or None) if share is None else sql.tolerance_of(share)
        tolerated = replace(said, tolerance=tolerance)
        return line.maker.row(*place, tolerated, where=line.where, columns=columns, allow_nan=allow_nan)
    values = [] if allow_nan else [sql_name(c) for c in columns]
    violating, of = f"({expression}) IS FALSE", values
    # Where violations are wanted, a NaN must not pass as one of the wanted.
    if admitted.admits(0):
        violating, of = " OR ".join([violating, *(sql.nan_sql(v) for v in values)]), []
    outputs = [("violating", f"count(*) FILTER (WHERE {violating})"), ("judged", "count(*)")]
    said = replace(
        said,
        title=f"the {'share' if percent else 'number'} of rows for which this is false is "
        f"allowed: {expression}",
    )
    condition = percent_of(admitted, "m.violating", "m.judged") if percent else admitted.sql("m.violating")
    return line.maker.measure(line.scope.table, outputs, condition, place[2], said, where=line.where, of=of)


def _missing(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = one_of(columns)
    more = missing_sql(column, settings_of(line, column))
    expression = f"{sql_name(column)} IS NOT NULL" + (f" AND NOT ({more})" if more else "")
    # Whether a value is there is asked, not what it is: a NaN is one.
    return [
        _rows(line, expression, "not_missing", columns, v, allow_nan=True)
        for v in _counted(line, threshold, "missing")
    ]


def _invalid(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = one_of(columns)
    settings = settings_of(line, column)
    valid, missing = valid_sql(column, settings), missing_sql(column, settings)
    expression = f"({missing}) OR ({valid})" if missing else valid
    return [_rows(line, expression, "valid", columns, v) for v in _counted(line, threshold, "invalid")]


def _counted(line: SodaLine, threshold: str | None, what: str) -> list[tuple[Threshold, bool, Said]]:
    """The verdicts; of a metric "…percent_of" all in per cent, with or without the sign."""
    percent = line.text.startswith(f"{what}_percent")
    made = [
        # A percent sign on a count is a slip of the author's, or another metric.
        (admitted, percent, said)
        for admitted, sign, said in line.verdicts(threshold)
        if percent or not sign
    ]
    if not made:
        raise NoCounterpart("a number of rows is not a share")
    return made


def _valid_count(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = one_of(columns)
    settings = settings_of(line, column)
    valid, missing = valid_sql(column, settings), missing_sql(column, settings)
    good = f"{sql_name(column)} IS NOT NULL AND {f'NOT ({missing}) AND ' if missing else ''}({valid})"
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart("a number of rows is not a share")
        refuse_idle(admitted)
        said = replace(said, title=f"the number of valid values of {column} is allowed")
        outputs, id = [("valid_rows", f"count(*) FILTER (WHERE {good})")], line.id(column, "valid_count")
        condition, of = admitted.sql("m.valid_rows"), [sql_name(column)]
        made.append(
            line.maker.measure(line.scope.table, outputs, condition, id, said, where=line.where, of=of)
        )
    return made


def _duplicates(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    if not columns or len(set(columns)) < len(columns):
        raise NoCounterpart("different columns are expected")
    if any(settings_of(line, c) for c in columns):
        raise NoCounterpart("what is missing or valid together with duplicates")
    made = []
    for admitted, percent, said in _counted(line, threshold, "duplicate"):
        refuse_idle(admitted, percent)
        most = admitted.most_rows
        id = line.id("_".join(columns), "unique")
        if not percent and most is not None:
            arguments: list[Any] = [columns[0] if len(columns) == 1 else columns]
            made.append(
                line.maker.declare(
                    "unique",
                    line.scope.table,
                    arguments,
                    id,
                    replace(said, tolerance=most or None),
                    columns,
                    nulls_equal=False,
                    counts="groups",
                    where=line.where,
                )
            )
            continue
        # Soda leaves out NULL among the values, and not among the rows that a share is of.
        table, filled = sql.table_ref(line.scope.table), sql.both(line.where, sql.none_null(columns))
        only = f" WHERE {line.where}" if line.where else ""
        source = (
            f"FROM (SELECT count(*) AS n FROM {table} WHERE {filled} GROUP BY {sql.listed(columns)}) AS g"
        )
        outputs = [
            ("repeated", "count(*) FILTER (WHERE g.n > 1)"),
            ("judged", f"(SELECT count(*) FROM {table}{only})"),
        ]
        condition = percent_of(admitted, "m.repeated", "m.judged") if percent else admitted.sql("m.repeated")
        said = replace(
            said, title=f"the allowed number of values of {', '.join(columns)} occur more than once"
        )
        made.append(line.maker.measure(line.scope.table, outputs, condition, id, said, source=source))
    return made


COUNTS: dict[str, Callable[[SodaLine, list[str], str | None], list[str]]] = {
    "row_count": _row_count,
    "missing_count": _missing,
    "missing_percent": _missing,
    "invalid_count": _invalid,
    "invalid_percent": _invalid,
    "valid_count": _valid_count,
    "duplicate_count": _duplicates,
    "duplicate_percent": _duplicates,
}

AGGREGATES = {
    "min": "min({c})",
    "max": "max({c})",
    "sum": "sum({c})",
    "stddev": "stddev({c})",
    "stddev_pop": "stddev_pop({c})",
    "stddev_samp": "stddev_samp({c})",
    "variance": "variance({c})",
    "var_pop": "var_pop({c})",
    "var_samp": "var_samp({c})",
    "min_length": "min(length({c}::text))",
    "max_length": "max(length({c}::text))",
    "avg": "",
    "avg_length": "",
    "percentile": "",
}


def aggregate(line: SodaLine, name: str, columns: list[str], threshold: str | None) -> list[str]:
    """A metric over the values of a column, with its threshold."""
    column, *rest = columns
    if settings_of(line, column):
        raise NoCounterpart("what is missing or valid together with a figure")
    subject = sql_name(column)
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart(f"{name} is not a share")
        outputs, condition = (
            [("measured", AGGREGATES[name].replace("{c}", subject))],
            admitted.sql("m.measured"),
        )
        if name in {"avg", "avg_length"}:
            # Counts and sums stay exact; avg() of integers is a numeric with cut digits.
            # The mean, compared without dividing.
            over = subject if name == "avg" else f"length({subject}::text)"
            outputs, condition = (
                [("measured", f"sum({over})"), ("judged", f"count({subject})")],
                admitted.sql("m.measured", "m.judged"),
            )
            condition = f"m.judged > 0 AND {condition}"
        elif name == "percentile":
            if len(rest) != 1 or not re.fullmatch(r"0?\.\d+|0|1(?:\.0+)?", rest[0]):
                raise NoCounterpart("a percentile is a column and a share between 0 and 1")
            outputs = [("measured", f"percentile_disc({rest[0]}) WITHIN GROUP (ORDER BY {subject})")]
        elif rest:
            raise NoCounterpart("one column is expected")
        said = replace(said, title=f"{remark(line.text)}")
        of = [] if name.endswith("_length") else [subject]
        made.append(
            line.maker.measure(
                line.scope.table, outputs, condition, line.id(column, name), said, where=line.where, of=of
            )
        )
    return made


def own_metric(line: SodaLine, name: str, own: dict[str, Any], threshold: str | None) -> list[str]:
    """A metric of the author's: an expression over the table, or a query that gives one number."""
    ((key, text),) = own.items() if len(own) == 1 else (("", None),)
    query = key == f"{name} query"
    others = [k for k in line.settings if k not in own and k not in KNOWN]
    if others or (query and "filter" in line.settings):
        raise NoCounterpart(
            f"the setting {remark((*others, 'filter')[0])} together with a user-defined metric"
        )
    if not query and key != f"{name} expression":
        raise NoCounterpart(f"the setting {remark(', '.join(own))} cannot be parsed")
    body = sql.as_text(text, "SQL").strip().rstrip(";").strip()
    sql._refuse_templates(body)
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart("a metric of the author's is not a share")
        said = replace(said, title=remark(line.text))
        if query:
            # A NaN is no number that a threshold could admit.
            failed = f"({admitted.sql('m.measured')}) IS NOT TRUE OR {sql.nan_sql('m.measured')}"
            statement = f"SELECT m.measured\nFROM (\n{body}\n) AS m (measured)\nWHERE {failed}"
            made.append(line.maker.assertion(line.scope.table, statement, ["measured"], line.id(name), said))
        else:
            outputs = [("measured", sql.enclosed(body))]
            made.append(
                line.maker.measure(
                    line.scope.table,
                    outputs,
                    admitted.sql("m.measured"),
                    line.id(name),
                    said,
                    where=line.where,
                )
            )
    return made


# --- rows, references, ages -------------------------------------------------------------------------------
