"""SodaCL checks (YAML): each line of each dataset as a check, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_shape import custom_query
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.reading import read_yaml
from kisaan_validate.author.importers.soda_schema import SodaSchema
from kisaan_validate.author.importers.thresholds import Threshold, read_threshold
from kisaan_validate.author.source import remark, sql_name
from kisaan_validate.errors import UsageError

_NAME = r'(?:"(?:[^"]|"")*"|[^\s\[\]"]+)'
_CHECKS = re.compile(rf"checks for (?P<table>{_NAME})(?:\s+\[(?P<filter>[^\]]+)\])?")
_FILTER = re.compile(rf"filter (?P<table>{_NAME})\s+\[(?P<filter>[^\]]+)\]")
_SETTINGS = re.compile(rf"configurations for (?P<table>{_NAME})")
_EACH = re.compile(r"for each (?:dataset|table)\s+(?P<alias>\S+)")
_METRIC = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<args>[^)]*)\))?\s*(?P<threshold>[=<>!bn].*)?", re.S)
_REFERENCE = re.compile(
    rf"values in\s+(?:\((?P<many>[^)]*)\)|(?P<one>{_NAME}))\s+must\s+(?P<negated>not\s+)?exist "
    rf"in\s+(?P<table>{_NAME})\s+"
    rf"(?:\((?P<ons>[^)]*)\)|(?P<on>{_NAME}))"
)
_SAME_ROWS = re.compile(rf"row_count same as (?P<table>{_NAME})(?P<more>.*)")
_AGE = re.compile(r"(?:\d+[dhms])+")

_NO_CHECK = {
    "automated monitoring": "it detects anomalies from history, and no row violates it; see "
    "`kisaan-validate baseline`",
    "profile columns": "it profiles but checks nothing; a baseline keeps figures of every column",
    "discover": "it lists datasets but checks nothing",
    "sample": "it copies rows out of the database but checks nothing",
    "variables": "variables are known only when a scan runs",
    "for each column": "which columns these are is known only when it runs",
}
_FIXED = {
    "group by": "not supported yet: a figure of each group",
    "group evolution": "it compares groups with those of an earlier scan",
    "attributes": "attributes are for Soda Cloud; they check nothing",
}


@dataclass(frozen=True)
class SodaScope:
    """Which rows of which table a check is about, and what is said of its columns for all checks."""

    table: str
    where: str = ""
    columns: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class SodaLine:
    """One check of a dataset: its text, its settings, and where it is about."""

    maker: Maker
    scope: SodaScope
    text: str
    settings: dict[str, Any]
    said: Said
    table_of: Callable[[str], str] = str

    @property
    def where(self) -> str:
        """The rows that are meant."""
        own = self.settings.get("filter")
        return sql.both(self.scope.where, sql.author_condition(own, "a filter") if own is not None else "")

    def id(self, *parts: str) -> str:
        """A check's id."""
        return ".".join((self.scope.table, *parts))

    def verdicts(self, inline: str | None) -> list[tuple[Threshold, bool, Said]]:
        """What is admitted, whether in per cent, and how bad it is otherwise: one for the line, or for
        fail and for warn.
        """
        if inline:
            threshold, percent = read_threshold(inline)
            return [(threshold, percent, self.said)]
        made = []
        for key, severity in (("fail", "blocking"), ("warn", "warning")):
            given = self.settings.get(key)
            if given is not None:
                text = sql.as_text(given, f"{key}: when …").strip()
                if not text.startswith("when "):
                    raise NoCounterpart(f"{key} needs 'when …', not {remark(text)}")
                threshold, percent = read_threshold(text.removeprefix("when "))
                made.append((threshold.inverse, percent, replace(self.said, severity=severity)))
        if not made:
            raise NoCounterpart("it has no threshold")
        return made


def import_files(files: Sequence[Path], maker: Maker, table_of: Callable[[str], str]) -> None:
    """Every check of SodaCL files. Filters and configurations count for their own file. Raises UsageError."""
    for path in files:
        document = read_yaml(path, version_1_2=True)
        if not isinstance(document, dict) or not document:
            raise UsageError(f"{path} is not a SodaCL file", "it needs sections such as 'checks for orders:'")
        _File(path.name, document, maker, table_of).read()


class _File:
    """One file: first what holds for all of it, then section by section."""

    def __init__(
        self, name: str, document: dict[Any, Any], maker: Maker, table_of: Callable[[str], str]
    ) -> None:
        self.name, self.maker, self.table_of = name, maker, table_of
        self.sections = [(str(key), value) for key, value in document.items()]
        self.filters: dict[tuple[str, str], Any] = {}
        self.columns: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self) -> None:
        """Every section; what is neither checks nor settings is said to be none."""
        for header, content in self.sections:
            if match := _FILTER.fullmatch(header):
                where = content.get("where") if isinstance(content, dict) else None
                self.filters[sql.folded(match["table"]), match["filter"].strip()] = where
            elif match := _SETTINGS.fullmatch(header):
                self._configure(header, match["table"], content)
        for header, content in self.sections:
            if match := _CHECKS.fullmatch(header):
                self._checks(header, content, partial(self._scope, match["table"], match["filter"]))
            elif _EACH.fullmatch(header):
                self._each(header, content)
            elif header == "checks":
                self._checks(header, content, _no_dataset)
            elif not _FILTER.fullmatch(header) and not _SETTINGS.fullmatch(header):
                reason = next(
                    (why for start, why in _NO_CHECK.items() if header.startswith(start)),
                    "the section is not known",
                )
                self.maker.none(self.name, header, header, reason)

    def _configure(self, header: str, table: str, content: Any) -> None:
        of_table = self.columns.setdefault(sql.folded(table), {})
        for key, value in content.items() if isinstance(content, dict) else ():
            setting, apart, column = str(key).partition(" for ")
            if apart and setting.strip() in _VALIDITY and sql.is_name(column):
                of_table.setdefault(sql.folded(column), {})[setting.strip()] = value
            else:
                self.maker.none(self.name, header, str(key), "the configuration is not known")

    def _scope(self, table: str, named: str | None) -> SodaScope:
        key = sql.folded(table)
        where = ""
        if named:
            if (key, named.strip()) not in self.filters:
                raise NoCounterpart(f"the filter [{remark(named)}] is not declared")
            where = sql.author_condition(self.filters[key, named.strip()], "a filter")
        return SodaScope(self.table_of(sql.folded_table(table)), where, self.columns.get(key, {}))

    def _each(self, header: str, content: Any) -> None:
        content = content if isinstance(content, dict) else {}
        names = content.get("datasets", content.get("tables"))
        names = [str(n) for n in names] if isinstance(names, list) else []
        plain = [n.removeprefix("include ").strip() for n in names if not n.startswith("exclude ")]
        out = {n.removeprefix("exclude ").strip() for n in names if n.startswith("exclude ")}
        if not plain or any("%" in n or "*" in n for n in (*plain, *out)):
            self._checks(header, content.get("checks"), _by_pattern)
            return
        for name in plain:
            if name not in out:
                self._checks(f"{header}: {name}", content.get("checks"), partial(self._scope, name, None))

    def _checks(self, header: str, content: Any, scope: Callable[[], SodaScope]) -> None:
        if not isinstance(content, list):
            self.maker.none(self.name, header, header, "a list of checks is expected")
            return
        for number, entry in enumerate(content):
            text, settings, odd = _entry(entry)
            place = f"{header}[{number}]"
            if odd:
                self.maker.none(self.name, place, text, odd)
            elif text == "schema":
                self._schema(place, settings, scope)
            else:
                self.maker.item(self.name, place, text, partial(self._one, scope, text, settings))

    def _schema(self, place: str, settings: dict[str, Any], scope: Callable[[], SodaScope]) -> None:
        """A schema check is one item for each thing that it says: each may have a counterpart or none."""
        found = 0
        for verdict, severity in (("fail", "blocking"), ("warn", "warning")):
            said = settings.get(verdict)
            for key, value in said.items() if isinstance(said, dict) else ():
                found += 1
                self.maker.item(
                    self.name,
                    f"{place}.{verdict}",
                    f"schema: {key}",
                    partial(self._one_of_schema, scope, str(key), value, settings, severity),
                )
        if not found:
            self.maker.none(self.name, place, "schema", "it states neither when to fail nor when to warn")

    def _one(self, scope: Callable[[], SodaScope], text: str, settings: dict[str, Any]) -> list[str]:
        return translate(replace(_line(self.maker, scope(), text, settings), table_of=self.table_of))

    def _one_of_schema(
        self, scope: Callable[[], SodaScope], key: str, value: Any, settings: dict[str, Any], severity: str
    ) -> list[str]:
        known = {"name", "fail", "warn", "attributes", "identity"}
        if unknown := [k for k in settings if k not in known]:
            raise NoCounterpart(f"the setting {remark(unknown[0])} cannot be parsed")
        line = _line(self.maker, scope(), "schema", settings, severity)
        return SodaSchema(line.maker, line.scope.table, line.said).checks(key, value)


def _no_dataset() -> SodaScope:
    raise NoCounterpart("a check without a dataset: write it as a SQL assertion")


def _by_pattern() -> SodaScope:
    raise NoCounterpart("datasets by pattern are known only when it runs: name each of them")


def _entry(entry: Any) -> tuple[str, dict[str, Any], str]:
    """A check's text and settings, or why it is none."""
    if isinstance(entry, str):
        return entry.strip(), {}, ""
    if not isinstance(entry, dict) or not entry:
        return remark(repr(entry)), {}, "it is not a check: neither a text nor a text with settings"
    text, settings = next(iter(entry.items()))
    if len(entry) > 1:
        return str(text), {}, "settings on the level of the check: Soda ignores them; indent them"
    if settings is not None and not isinstance(settings, dict):
        return str(text), {}, "" if str(text) in _FIXED else "its settings are not a mapping"
    return str(text).strip(), {str(k): v for k, v in (settings or {}).items()}, ""


def _line(
    maker: Maker, scope: SodaScope, text: str, settings: dict[str, Any], severity: str = "blocking"
) -> SodaLine:
    name = settings.get("name")
    attributes = settings.get("attributes")
    owner = attributes.get("owner") if isinstance(attributes, dict) else None
    said = Said(
        severity, why=name if isinstance(name, str) else "", owner=owner if isinstance(owner, str) else ""
    )
    return SodaLine(maker, scope, text, settings, said)


def translate(line: SodaLine) -> list[str]:
    """The ids of the checks that a line becomes. Raises NoCounterpart and SuiteError."""
    text = line.text
    for start, reason in _FIXED.items():
        if text == start or text.startswith(f"{start} "):
            raise NoCounterpart(reason)
    if text == "failed rows":
        return _failed_rows(line)
    if "${" in text or "{{" in text or text.startswith("$"):
        raise NoCounterpart("a variable or template that is known only when a scan runs")
    if re.match(r"anomaly|distribution_difference", text):
        raise NoCounterpart("it is statistical: it estimates from history, and no row violates it")
    if re.match(
        r"(same day last week )?(avg |min |max )?(last \d+ )?(percent )?change\b|change ", text
    ) or text.startswith("change"):
        raise NoCounterpart("it compares with earlier scans; see `kisaan-validate baseline`")
    if match := _SAME_ROWS.fullmatch(text):
        return _same_rows(line, match)
    if match := _REFERENCE.fullmatch(text):
        return _reference(line, match)
    if match := re.fullmatch(r"freshness using (?P<column>\S+)(?: with \S+)?\s*(?P<threshold><.*)?", text):
        return _fresh(line, match["column"], match["threshold"])
    if match := _METRIC.fullmatch(text):
        return _metric(line, match)
    raise NoCounterpart("the check cannot be parsed")


def _metric(line: SodaLine, match: re.Match[str]) -> list[str]:
    name, threshold = match["name"], match["threshold"]
    arguments = [a.strip() for a in (match["args"] or "").split(",") if a.strip()]
    if name == "freshness" and arguments:
        if len(arguments) > 1:
            raise NoCounterpart("freshness at a time other than now")
        return _fresh(line, arguments[0], threshold)
    own = {key: value for key, value in line.settings.items() if key.startswith(f"{name} ")}
    if own:
        return _own_metric(line, name, own, threshold)
    _refuse_settings(line)
    columns = [a if name == "percentile" and n else sql.column_name(a) for n, a in enumerate(arguments)]
    if name in _COUNTS:
        return _COUNTS[name](line, columns, threshold)
    if name in _AGGREGATES and columns:
        return _aggregate(line, name, columns, threshold)
    raise NoCounterpart(f"the metric {remark(name)} is not known")


_VALIDITY = (
    "valid values",
    "valid regex",
    "valid format",
    "valid min",
    "valid max",
    "valid length",
    "valid min length",
    "valid max length",
    "invalid values",
    "invalid regex",
    "invalid format",
    "missing values",
    "missing regex",
    "missing format",
    "include null",
)
_KNOWN = (
    *_VALIDITY,
    "name",
    "fail",
    "warn",
    "filter",
    "samples limit",
    "samples columns",
    "attributes",
    "identity",
)


def _refuse_settings(line: SodaLine) -> None:
    """A setting that cannot be parsed may change what a check means."""
    for key in line.settings:
        if key not in _KNOWN:
            raise NoCounterpart(f"the setting {remark(key)} cannot be parsed")


# --- counts of rows ---------------------------------------------------------------------------------------


def _row_count(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart("a number of rows is not a share")
        _refuse_idle(admitted)
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


def _refuse_idle(admitted: Threshold, percent: bool = False) -> None:
    if admitted.admits_all(100 if percent else None):
        raise NoCounterpart("it allows every number: it can never fail")


def _one(columns: list[str]) -> str:
    if len(columns) != 1:
        raise NoCounterpart("one column is expected")
    return columns[0]


def _settings_of(line: SodaLine, column: str) -> dict[str, Any]:
    """What counts as missing and as valid: the file's configuration for the column, then the check's own."""
    own = {key: value for key, value in line.settings.items() if key in _VALIDITY}
    return {**line.scope.columns.get(column, {}), **own}


def _missing_sql(column: str, settings: dict[str, Any]) -> str:
    """The condition that a value counts as missing, beside NULL; "" if nothing else does."""
    name, parts = sql_name(column), []
    if "missing values" in settings:
        parts.append(sql.in_list(name, settings["missing values"]))
    if "missing regex" in settings:
        parts.append(sql.matches(name, settings["missing regex"]))
    if "missing format" in settings:
        parts.append(_format(name, settings["missing format"]))
    return " OR ".join(parts)


def _valid_sql(column: str, settings: dict[str, Any]) -> str:
    """The condition that a value is valid. Raises NoCounterpart if nothing is said of that."""
    if settings.get("include null") is True:
        raise NoCounterpart("include null: use a separate check for NULL (missing_count)")
    name, size = sql_name(column), f"length({sql_name(column)}::text)"
    sql.refuse_empty(settings.get("valid min"), settings.get("valid max"))
    sql.refuse_empty(settings.get("valid min length"), settings.get("valid max length"))
    if empty := [key for key in settings if key.endswith(" values") and settings[key] == []]:
        raise NoCounterpart(f"{empty[0]} is empty, and Soda ignores it")
    made: dict[str, Callable[[Any], str]] = {
        "valid values": lambda v: sql.in_list(name, v),
        "valid regex": lambda v: sql.matches(name, v),
        "valid format": lambda v: _format(name, v),
        "valid min": lambda v: f"{name} >= {sql.bound_sql(v, 'valid min')}",
        "valid max": lambda v: f"{name} <= {sql.bound_sql(v, 'valid max')}",
        "valid length": lambda v: f"{size} = {sql.bound_sql(v, 'valid length')}",
        "valid min length": lambda v: f"{size} >= {sql.bound_sql(v, 'valid min length')}",
        "valid max length": lambda v: f"{size} <= {sql.bound_sql(v, 'valid max length')}",
        "invalid values": lambda v: f"NOT ({sql.in_list(name, v)})",
        "invalid regex": lambda v: f"NOT ({sql.matches(name, v)})",
        "invalid format": lambda v: f"NOT ({_format(name, v)})",
    }
    parts = [make(settings[key]) for key, make in made.items() if key in settings]
    if not parts:
        raise NoCounterpart("nothing defines what is valid: it can never fail")
    return " AND ".join(parts)


_FORMATS = {
    "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "integer": "^ *[-+]? *[0-9]+ *$",
    "positive integer": r"^ *\+? *[0-9]+ *$",
    "ip address": r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
    "ipv4 address": r"^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$",
}
"""Formats whose meaning leaves no choice; the others are Soda's own patterns."""


def _format(name: str, wanted: Any) -> str:
    pattern = _FORMATS.get(str(wanted))
    if pattern is None:
        raise NoCounterpart(
            f"what {remark(str(wanted))} looks like is Soda's own pattern: write it as a regex"
        )
    return sql.matches(name, pattern)


def _rows(
    line: SodaLine,
    expression: str,
    kind: str,
    columns: list[str],
    verdict: tuple[Threshold, bool, Said],
    *,
    allow_nan: bool = False,
) -> str:
    """A check of rows of which a threshold admits so many violations: with a tolerance where that says it,
    else as a figure.

    A NaN violates it, unless it is allowed; where violations are wanted, it makes the figure fail.
    """
    admitted, percent, said = verdict
    _refuse_idle(admitted, percent)
    place = (line.scope.table, expression, line.id("_".join(columns), kind))
    share = _most_share(admitted) if percent else None
    most = None if percent else admitted.most_rows
    if share is not None or most is not None:
        tolerance = (most or None) if share is None else sql.tolerance_of(share)
        tolerated = replace(said, tolerance=tolerance)
        return line.maker.row(*place, tolerated, where=line.where, columns=columns, allow_nan=allow_nan)
    values = [] if allow_nan else [sql_name(c) for c in columns]
    violating, of = f"({expression}) IS FALSE", values
    if admitted.admits(0):
        violating, of = " OR ".join([violating, *(sql.nan_sql(v) for v in values)]), []
    outputs = [("violating", f"count(*) FILTER (WHERE {violating})"), ("judged", "count(*)")]
    said = replace(
        said,
        title=f"the {'share' if percent else 'number'} of rows for which this is false is "
        f"allowed: {expression}",
    )
    condition = _percent(admitted, "m.violating", "m.judged") if percent else admitted.sql("m.violating")
    return line.maker.measure(line.scope.table, outputs, condition, place[2], said, where=line.where, of=of)


def _percent(admitted: Threshold, over: str, under: str) -> str:
    """A share of no rows is 0 %, as Soda has it."""
    said = admitted.sql(f"{over} * 100", under)
    if admitted.admits(0):
        return f"{under} = 0 OR ({said})"
    return f"{under} > 0 AND {said}"


def _most_share(admitted: Threshold) -> Fraction | None:
    """If it admits just the shares from 0 up to one, that one included; else None."""
    if admitted.outside:
        plain = (
            admitted.high is None
            and admitted.low is not None
            and not admitted.low_included
            and admitted.low >= 0
        )
        return admitted.low / 100 if plain and admitted.low is not None else None
    if admitted.high is None or not admitted.high_included or admitted.high < 0 or not admitted.admits(0):
        return None
    return admitted.high / 100


def _missing(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = _one(columns)
    more = _missing_sql(column, _settings_of(line, column))
    expression = f"{sql_name(column)} IS NOT NULL" + (f" AND NOT ({more})" if more else "")
    # Whether a value is there is asked, not what it is: a NaN is one.
    return [
        _rows(line, expression, "not_missing", columns, v, allow_nan=True)
        for v in _counted(line, threshold, "missing")
    ]


def _invalid(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = _one(columns)
    settings = _settings_of(line, column)
    valid, missing = _valid_sql(column, settings), _missing_sql(column, settings)
    expression = f"({missing}) OR ({valid})" if missing else valid
    return [_rows(line, expression, "valid", columns, v) for v in _counted(line, threshold, "invalid")]


def _counted(line: SodaLine, threshold: str | None, what: str) -> list[tuple[Threshold, bool, Said]]:
    """The verdicts; of a metric "…_percent" all in per cent, with or without the sign."""
    percent = line.text.startswith(f"{what}_percent")
    made = [
        (admitted, percent, said) for admitted, sign, said in line.verdicts(threshold) if percent or not sign
    ]
    if not made:
        raise NoCounterpart("a number of rows is not a share")
    return made


def _valid_count(line: SodaLine, columns: list[str], threshold: str | None) -> list[str]:
    column = _one(columns)
    settings = _settings_of(line, column)
    valid, missing = _valid_sql(column, settings), _missing_sql(column, settings)
    good = f"{sql_name(column)} IS NOT NULL AND {f'NOT ({missing}) AND ' if missing else ''}({valid})"
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart("a number of rows is not a share")
        _refuse_idle(admitted)
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
    if any(_settings_of(line, c) for c in columns):
        raise NoCounterpart("what is missing or valid together with duplicates")
    made = []
    for admitted, percent, said in _counted(line, threshold, "duplicate"):
        _refuse_idle(admitted, percent)
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
        table, filled = sql.table_ref(line.scope.table), sql.both(line.where, sql.none_null(columns))
        only = f" WHERE {line.where}" if line.where else ""
        source = (
            f"FROM (SELECT count(*) AS n FROM {table} WHERE {filled} GROUP BY {sql.listed(columns)}) AS g"
        )
        outputs = [
            ("repeated", "count(*) FILTER (WHERE g.n > 1)"),
            ("judged", f"(SELECT count(*) FROM {table}{only})"),
        ]
        condition = _percent(admitted, "m.repeated", "m.judged") if percent else admitted.sql("m.repeated")
        said = replace(
            said, title=f"the allowed number of values of {', '.join(columns)} occur more than once"
        )
        made.append(line.maker.measure(line.scope.table, outputs, condition, id, said, source=source))
    return made


_COUNTS: dict[str, Callable[[SodaLine, list[str], str | None], list[str]]] = {
    "row_count": _row_count,
    "missing_count": _missing,
    "missing_percent": _missing,
    "invalid_count": _invalid,
    "invalid_percent": _invalid,
    "valid_count": _valid_count,
    "duplicate_count": _duplicates,
    "duplicate_percent": _duplicates,
}

_AGGREGATES = {
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


def _aggregate(line: SodaLine, name: str, columns: list[str], threshold: str | None) -> list[str]:
    column, *rest = columns
    if _settings_of(line, column):
        raise NoCounterpart("what is missing or valid together with a figure")
    subject = sql_name(column)
    made = []
    for admitted, percent, said in line.verdicts(threshold):
        if percent:
            raise NoCounterpart(f"{name} is not a share")
        outputs, condition = (
            [("measured", _AGGREGATES[name].replace("{c}", subject))],
            admitted.sql("m.measured"),
        )
        if name in {"avg", "avg_length"}:
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


def _own_metric(line: SodaLine, name: str, own: dict[str, Any], threshold: str | None) -> list[str]:
    """A metric of the author's: an expression over the table, or a query that gives one number."""
    ((key, text),) = own.items() if len(own) == 1 else (("", None),)
    query = key == f"{name} query"
    others = [k for k in line.settings if k not in own and k not in _KNOWN]
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
            failed = f"({admitted.sql('m.measured')}) IS NOT TRUE OR {sql.nan_sql('m.measured')}"
            statement = f"SELECT m.measured\nFROM (\n{body}\n) AS m (measured)\nWHERE {failed}"
            made.append(line.maker.assertion(line.scope.table, statement, ["measured"], line.id(name), said))
        else:
            outputs = [("measured", f"({body})")]
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


def _failed_rows(line: SodaLine) -> list[str]:
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
    if line.scope.where:
        raise NoCounterpart("a query of failed rows together with a dataset's filter")
    query = sql.as_text(line.settings.get("fail query"), "a fail query")
    return [custom_query(line.maker, line.scope.table, query, line.id("failed_rows"), s) for s in tolerated]


def _names(listed: str | None, one: str | None) -> list[str]:
    return [
        sql.column_name(n) for n in (listed.split(",") if listed is not None else [one or ""]) if n.strip()
    ]


def _reference(line: SodaLine, match: re.Match[str]) -> list[str]:
    own, other = _names(match["many"], match["one"]), _names(match["ons"], match["on"])
    if len(own) != len(other) or not own:
        raise NoCounterpart("both sides need the same number of columns")
    table = line.table_of(sql.folded_table(match["table"]))
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
        f"WHERE {filled} AND ({word} (SELECT 1 FROM {sql.table_ref(table)} AS p WHERE {pairs})\n"
        f"  OR {' OR '.join(sql.nan_sql(f'c.{sql_name(a)}') for a in own)})"
    )
    kind = "not_in" if match["negated"] else "references"
    return [
        line.maker.assertion(line.scope.table, statement, ["row_number"], line.id("_".join(own), kind), said)
    ]


def _same_rows(line: SodaLine, match: re.Match[str]) -> list[str]:
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


def _fresh(line: SodaLine, column: str, threshold: str | None) -> list[str]:
    """The newest value is at most so old. A value without a zone is UTC, as Soda takes it."""
    given = [(threshold, line.said)] if threshold else []
    for key, severity in (("fail", "blocking"), ("warn", "warning")):
        if not threshold and (said := line.settings.get(key)) is not None:
            text = sql.as_text(said, f"{key}: when > …").strip()
            if not re.match(r"when\s*>=?\s", text):
                raise NoCounterpart(f"{key} needs 'when > an age', not {remark(text)}")
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
