"""SodaCL checks (YAML): each line of each dataset as a check, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.reading import read_yaml
from kisaan_validate.author.importers.soda_counts import AGGREGATES, COUNTS, aggregate, own_metric
from kisaan_validate.author.importers.soda_line import NAME, VALIDITY, SodaLine, SodaScope, refuse_settings
from kisaan_validate.author.importers.soda_rows import (
    REFERENCE,
    SAME_ROWS,
    failed_rows,
    fresh,
    reference,
    same_rows,
)
from kisaan_validate.author.importers.soda_schema import SodaSchema
from kisaan_validate.author.source import remark
from kisaan_validate.errors import UsageError

_CHECKS = re.compile(rf"checks for (?P<table>{NAME})(?:\s+\[(?P<filter>[^\]]+)\])?")
_FILTER = re.compile(rf"filter (?P<table>{NAME})\s+\[(?P<filter>[^\]]+)\]")
_SETTINGS = re.compile(rf"configurations for (?P<table>{NAME})")
_EACH = re.compile(r"for each (?:dataset|table)\s+(?P<alias>\S+)")
_METRIC = re.compile(r"(?P<name>[A-Za-z_]\w*)\s*(?:\((?P<args>[^)]*)\))?\s*(?P<threshold>[=<>!bn].*)?", re.S)
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


def import_files(files: Sequence[Path], maker: Maker, table_of: Callable[[str], str]) -> None:
    """Every check of SodaCL files. Filters and configurations count for their own file. Raises UsageError."""
    for path in files:
        # Soda reads YAML 1.2, where "no" and "on" are words.
        document = read_yaml(path, version_1_2=True)
        if not isinstance(document, dict) or not document:
            raise UsageError(f"{path} is not a SodaCL file", "it needs sections such as 'checks for orders:'")
        _File(path.name, document, maker, table_of).read()


class _File:
    """One file: first what holds for the whole file, then section by section."""

    def __init__(
        self, name: str, document: dict[Any, Any], maker: Maker, table_of: Callable[[str], str]
    ) -> None:
        self.name, self.maker, self.table_of = name, maker, table_of
        self.sections = [(str(key), value) for key, value in document.items()]
        self.filters: dict[tuple[str, str], Any] = {}
        self.columns: dict[str, dict[str, dict[str, Any]]] = {}

    def read(self) -> None:
        """Every section; what is neither checks nor settings is said to be none."""
        # Settings first, wherever they stand in the file: they hold for all its checks.
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
            if apart and setting.strip() in VALIDITY and sql.is_name(column):
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
        # A wildcard stands for tables that only a scan knows.
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
    """A check's text and settings, or why it becomes no check."""
    if isinstance(entry, str):
        return entry.strip(), {}, ""
    if not isinstance(entry, dict) or not entry:
        return remark(repr(entry)), {}, "it is not a check: neither a text nor a text with settings"
    text, settings = next(iter(entry.items()))
    # Soda ignores what is indented too little; the author surely meant it.
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
        return failed_rows(line)
    # Refused before parsing, as a template may stand anywhere.
    if "${" in text or "{{" in text or text.startswith("$"):
        raise NoCounterpart("a variable or template that is known only when a scan runs")
    if re.match(r"anomaly|distribution_difference", text):
        raise NoCounterpart("it is statistical: it estimates from history, and no row violates it")
    # Before metrics: these begin with words that metrics have too.
    if re.match(
        r"(same day last week )?(avg |min |max )?(last \d+ )?(percent )?change\b|change ", text
    ) or text.startswith("change"):
        raise NoCounterpart("it compares with earlier scans; see `kisaan-validate baseline`")
    if match := SAME_ROWS.fullmatch(text):
        return same_rows(line, match)
    if match := REFERENCE.fullmatch(text):
        return reference(line, match)
    if match := re.fullmatch(r"freshness using (?P<column>\S+)(?: with \S+)?\s*(?P<threshold><.*)?", text):
        return fresh(line, match["column"], match["threshold"])
    if match := _METRIC.fullmatch(text):
        return _metric(line, match)
    raise NoCounterpart("the check cannot be parsed")


def _metric(line: SodaLine, match: re.Match[str]) -> list[str]:
    name, threshold = match["name"], match["threshold"]
    arguments = [a.strip() for a in (match["args"] or "").split(",") if a.strip()]
    if name == "freshness" and arguments:
        if len(arguments) > 1:
            raise NoCounterpart("freshness at a time other than now")
        return fresh(line, arguments[0], threshold)
    # A metric that is defined beside its name hides the built-in one.
    own = {key: value for key, value in line.settings.items() if key.startswith(f"{name} ")}
    if own:
        return own_metric(line, name, own, threshold)
    refuse_settings(line)
    columns = [a if name == "percentile" and n else sql.column_name(a) for n, a in enumerate(arguments)]
    if name in COUNTS:
        return COUNTS[name](line, columns, threshold)
    if name in AGGREGATES and columns:
        return aggregate(line, name, columns, threshold)
    raise NoCounterpart(f"the metric {remark(name)} is not known")
