"""A contract: one TOML file, read strictly. Raises SuiteError, naming file and promise, for anything it does not know.

TOML, not Python: what a migration promises is reviewed by people who run no code, is read by auditors, and must mean
the same next year; the SQL expressions in it pass the same gate as those of checks.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kisaan_validate.contract.needs import Arrival, Need, Removal, Replacement
from kisaan_validate.contract.rules import KINDS, Added, Altered, Dropped, Fixed, Promise, Retyped, RowsRemoved
from kisaan_validate.errors import SuiteError
from kisaan_validate.model import Severity
from kisaan_validate.rules.catalog import canonical_type
from kisaan_validate.rules.relations import Unique
from kisaan_validate.sql.assertion import plain_expression
from kisaan_validate.sql.expressions import quote
from kisaan_validate.suite.load import Suite
from kisaan_validate.suite.meta import did_you_mean

CONTRACT_FORMAT = 1
"""Version of a contract file. 1: first form."""


@dataclass(frozen=True)
class Contract:
    """What a migration promises. ``digest`` is the SHA-256 of the file's text, which is kept whole."""

    name: str
    promises: tuple[Promise, ...]
    digest: str
    text: str
    why: str = ""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What must be measured for it."""
        return tuple(need for promise in self.promises for need in promise.needs())

    @property
    def needs_baseline(self) -> bool:
        """Whether it needs figures that only a baseline taken with it holds."""
        return any(not (isinstance(need, Arrival) and need.by) for need in self.needs)


def read_contract(text: str, origin: str) -> Contract:
    """The contract that a file's text states. Raises SuiteError; ``origin`` is the file's name for messages."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(f"not valid TOML: {error}", "", origin) from None
    known = ("format", "name", "why", "promise")
    for key in given:
        if key not in known:
            raise SuiteError(f"unknown key {key!r}", did_you_mean(key, known), origin)
    version = given.get("format")
    if version != CONTRACT_FORMAT:
        hint = "upgrade kisaan-validate" if isinstance(version, int) and version > CONTRACT_FORMAT else "write format = 1"
        raise SuiteError(f"format {version!r} is not one that this version reads ({CONTRACT_FORMAT})", hint, origin)
    listed = given.get("promise", [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        raise SuiteError("promises are tables", "write [[promise]]", origin)
    promises = tuple(p for number, item in enumerate(listed, 1) for p in _promises(item, number, origin))
    _refuse_conflicts(promises, origin)
    name = _text(given.get("name", ""), "name", origin)
    return Contract(name or origin, promises, hashlib.sha256(text.encode()).hexdigest(), text, _text(given.get("why", ""), "why", origin))


def _promises(item: Mapping[str, Any], number: int, origin: str) -> list[Promise]:
    place = f"{origin}: promise {item.get('id', number)}"
    kind = item.get("kind")
    if kind not in KINDS:
        raise SuiteError(f"unknown kind {kind!r}", did_you_mean(str(kind), KINDS), place)
    if not isinstance(item.get("id"), str) or not item["id"].strip():
        raise SuiteError("a promise needs an id", 'write id = "…"', place)
    made = KINDS[kind]
    return [_promise(made, one, place) for one in _expanded(made, dict(item), place)]


_PLURALS = {"columns": "column", "tables": "table", "checks": "check", "names": "name"}


def _expanded(kind: type[Promise], given: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """One for each of a list of columns, tables, checks or names, with an id of its own."""
    fields = kind.__dataclass_fields__
    objects = issubclass(kind, (Added, Dropped, Altered))
    for plural, singular in _PLURALS.items():
        if plural not in given or plural in fields:
            continue
        members = given.pop(plural)
        if not isinstance(members, list) or not members or not all(isinstance(m, str) and m for m in members):
            raise SuiteError(f"{plural!r} must be a list of names", "", place)
        many = [{**given, "id": f"{given['id']}/{member}"} for member in members]
        for one, member in zip(many, members, strict=True):
            if plural == "columns" and objects:
                table, _, name = member.rpartition(".")
                one |= {"object": given.get("object", "column"), "table": table, "name": name}
            else:
                one[singular] = member
        return many
    return [given]


_PYTHON = {"from": "from_", "with": "with_"}


def _promise(kind: type[Promise], given: dict[str, Any], place: str) -> Promise:
    fields = kind.__dataclass_fields__
    values: dict[str, Any] = {}
    for key, value in given.items():
        name = _PYTHON.get(key, key)
        if key == "kind":
            continue
        if name not in fields or key in _PYTHON.values():
            shown = [f.rstrip("_") for f in fields] + [p for p, s in _PLURALS.items() if s in fields]
            raise SuiteError(f"{kind.kind} has no {key!r}", did_you_mean(key, shown), place)
        values[name] = _value(name, value, str(fields[name].type), place)
    if issubclass(kind, Retyped):
        values |= {"from_": tuple(map(canonical_type, values.get("from_", ()))), "to": canonical_type(values.get("to", ""))}
    if values.get("object") in _RELATIONS:
        values.setdefault("table", values.get("name", ""))
    promise = kind(**values)
    _refuse_incomplete(promise, place)
    for expression in promise.expressions():
        plain_expression(expression.replace("{column}", '"column"'), place)
    return promise


def _value(name: str, value: Any, kind: str, place: str) -> Any:
    if name == "severity":
        try:
            return Severity(value)
        except ValueError:
            raise SuiteError(f"unknown severity {value!r}", did_you_mean(str(value), list(Severity)), place) from None
    if name == "facts":
        if not isinstance(value, dict):
            raise SuiteError("'facts' must be a table", 'write facts = { type = "bigint" }', place)
        return {key: _strings(v, f"facts.{key}", place) for key, v in value.items()}
    if kind == "bool" or name == "rows":
        wanted = bool if kind == "bool" else int
        if type(value) is not wanted or (wanted is int and value < 0):
            raise SuiteError(f"{name!r} must be {'true or false' if wanted is bool else 'a number of rows'}", "", place)
        return value
    return _strings(value, name, place) if kind.startswith("tuple") else _text(value, name, place)


def _strings(value: Any, name: str, place: str) -> tuple[str, ...]:
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(v, str) for v in listed):
        raise SuiteError(f"{name!r} must be a text or a list of texts", "", place)
    return tuple(listed)


def _text(value: Any, name: str, place: str) -> str:
    if not isinstance(value, str):
        raise SuiteError(f"{name!r} must be a text, not {value!r}", "", place)
    return " ".join(value.split())


_MAY_BE_EMPTY = frozenset({
    "why", "optional", "severity", "facts", "rows", "from_", "using", "with_", "where", "surplus_of", "duplicates",
})  # fmt: skip
_RELATIONS = frozenset({"table", "view", "materialized view", "sequence"})
"""Kinds of objects that are a relation themselves: the catalogue's facts name it as their table too."""
_OF_NO_TABLE = frozenset({
    "function", "enum", "domain", "composite type", "range type", "extension", "schema", "event trigger", "grant",
    "default privileges",
})  # fmt: skip


def _refuse_incomplete(promise: Promise, place: str) -> None:
    for name in promise.parameters:
        may = name in _MAY_BE_EMPTY or (name == "to" and isinstance(promise, Altered))
        may = may or (name == "table" and getattr(promise, "object", "") in _OF_NO_TABLE)
        if not may and getattr(promise, name) in ("", ()):
            raise SuiteError(f"{promise.kind} needs {name.rstrip('_')!r}", "", place)
    column = getattr(promise, "column", "")
    if column and "table" not in promise.parameters and "." not in column:
        raise SuiteError(f"{column!r} is not 'table.column'", "", place)
    if isinstance(promise, RowsRemoved):
        said = [bool(promise.surplus_of), bool(promise.duplicates)]
        if all(said) or not (any(said) or promise.where):
            raise SuiteError("say which rows go", "surplus_of = a check, or duplicates = columns, or where = SQL", place)
    if getattr(promise, "kind", "") == "rows_added" and not getattr(promise, "where", ""):
        raise SuiteError("rows_added needs 'where'", "say by which condition the new rows are known", place)


def _refuse_conflicts(promises: Iterable[Promise], origin: str) -> None:
    every = list(promises)
    for id, times in Counter(p.id for p in every).items():
        if times > 1:
            raise SuiteError(f"the id {id!r} is given {times} times", "every promise has an id of its own", origin)
    replaced = Counter((need.table, need.column) for p in every for need in p.needs() if isinstance(need, Replacement))
    for (table, column), times in replaced.items():
        if times > 1:
            raise SuiteError(f"{times} promises say what the values of {table}.{column} become", "say it in one", origin)


def bound_to(contract: Contract, suite: Suite) -> tuple[Need, ...]:
    """The contract's needs with the suite's checks filled in. Raises SuiteError for a check that cannot be meant."""
    for promise in contract.promises:
        if isinstance(promise, Fixed) and promise.check not in suite.rules:
            raise SuiteError(f"there is no check {promise.check!r}", did_you_mean(promise.check, suite.rules), promise.id)
    return tuple(_bound(need, suite) if isinstance(need, Removal) and need.check else need for need in contract.needs)


def _bound(need: Removal, suite: Suite) -> Removal:
    rule = suite.rules.get(need.check)
    if rule is None:
        raise SuiteError(f"there is no check {need.check!r}", did_you_mean(need.check, suite.rules), need.rule)
    if not isinstance(rule, Unique):
        raise SuiteError(f"{need.check!r} is no check of uniqueness: it has no surplus", "say which rows go with where", need.rule)
    check = next(c for c in suite.checks if c.id == need.check)
    nulls = [] if rule.nulls_equal else [f"{quote(c)} IS NOT NULL" for c in check.columns]
    where = " AND ".join(f"({text})" for text in (rule.where, need.where, *nulls) if text)
    return Removal(need.rule, need.table, check.columns, need.check, where)
