"""A contract: one TOML file, read strictly. Raises SuiteError, naming file and promise, for anything it
does not know.

TOML, not Python: what a migration promises is reviewed by people who run no code, is read by auditors, and
must mean the same next year; the SQL expressions in it pass the same gate as those of checks.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kisaan_validate.contract.exact import LookedUp
from kisaan_validate.contract.needs import Arrival, Lookup, Names, Need, Removal, Renaming, Replacement
from kisaan_validate.contract.objects import ATTRIBUTES, OF_NO_TABLE, THEIR_OWN_TABLE, OfObject
from kisaan_validate.contract.renamed import Renamed, unquoted
from kisaan_validate.contract.rules import (
    KINDS,
    Added,
    Altered,
    Dropped,
    Fixed,
    Promise,
    Retyped,
    RowsAdded,
    RowsRemoved,
)
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_column, split_name
from kisaan_validate.rules.catalogue import canonical_type
from kisaan_validate.rules.unique import Unique
from kisaan_validate.sql.assertion import plain_expression
from kisaan_validate.sql.expressions import quote, raw, to_sql
from kisaan_validate.sql.qualify import unmarked
from kisaan_validate.sql.reading import columns_of
from kisaan_validate.suite.load import Suite
from kisaan_validate.text.nearest import did_you_mean
from kisaan_validate.toml.reader import fitted, read


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
        """What must be measured for it. A replaced value is of the type that another promise gives its
        column.
        """
        # So that an expression is measured in the type in which its value will be stored.
        types = {p.place: p.to for p in self.promises if isinstance(p, Retyped)}
        return tuple(_typed(need, types) for promise in self.promises for need in promise.needs())


def _typed(need: Need, types: Mapping[tuple[str, str], str]) -> Need:
    if not isinstance(need, Replacement) or need.type:
        return need
    return replace(need, type=types.get((need.table, need.column), ""))


def read_contract(text: str, origin: str) -> Contract:
    """The contract that a text states. Raises SuiteError; ``origin`` is the file's name for
    messages.
    """
    from kisaan_validate.contract.model import ContractFile

    given = read(text, origin, ContractFile)
    promises = tuple(
        p for number, item in enumerate(given.promise, 1) for p in _promises(item, number, origin)
    )
    _refuse_conflicts(promises, origin)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Contract(given.name or origin, promises, digest, text, given.why)


def _promises(item: dict[str, Any], number: int, origin: str) -> list[Promise]:
    from kisaan_validate.contract.model import promise_model

    id, kind = item.get("id"), item.get("kind")
    # Read by hand: the place must name the promise before its model is known.
    place = f"{origin}: promise {id if isinstance(id, str) and id.strip() else number}"
    if not isinstance(kind, str):
        raise SuiteError("a promise needs a kind, a text", did_you_mean("", KINDS), place)
    if kind not in KINDS:
        raise SuiteError(f"unknown kind {kind!r}", did_you_mean(kind, KINDS), place)
    table = fitted(item, place, promise_model(KINDS[kind]))
    # What was not written keeps the default of the class, not that of the model.
    said = {name: getattr(table, name) for name in table.model_fields_set - {"kind"}}
    return [_promise(KINDS[kind], one, place) for one in _expanded(KINDS[kind], said, place)]


def _expanded(kind: type[Promise], said: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """One for each of a list of columns, tables, checks or names, with an id of its own."""
    lists = [name for name in said if name not in kind.__dataclass_fields__]
    if len(lists) > 1:
        raise SuiteError(f"say one of {' and '.join(sorted(lists))}", "a list is one promise each", place)
    if not lists:
        return [said]
    members = said.pop(lists[0])
    return [
        {**said, "id": f"{said['id']}/{member}", **_one(kind, lists[0], member, said)} for member in members
    ]


def _one(kind: type[Promise], plural: str, member: str, said: Mapping[str, Any]) -> dict[str, Any]:
    from kisaan_validate.contract.model import PLURALS

    if plural != "columns" or not issubclass(kind, OfObject):
        return {PLURALS[plural]: member.strip()}
    # "table.column", parted as everywhere else; objects other than columns name their table beside.
    table, name = split_column(member)
    return {"object": said.get("object", "column"), "table": table.strip(), "name": name.strip()}


def _promise(kind: type[Promise], values: dict[str, Any], place: str) -> Promise:
    values["id"] = values["id"].strip()
    if issubclass(kind, Retyped):
        # Both texts in the form in which the server prints types.
        from_, to = values.get("from_", ()), _type(values.get("to", ""), place)
        values |= {"from_": tuple(map(canonical_type, from_)), "to": to}
    promise = kind(**values)
    _refuse_incomplete(promise, place)
    if isinstance(promise, OfObject):
        _refuse_unknown(promise, place)
    for expression in promise.expressions():
        _refuse_unsafe(expression, place)
    return promise


_NAME = r'(?:[A-Za-z_][\w$]*|"(?:[^"]|"")+")'
_TYPE = re.compile(
    rf"(?:double precision|(?:character|bit) varying(?:\(\d+\))?|(?:timestamp|time)(?:\(\d\))? "
    rf"with(?:out)? time zone"
    rf"|{_NAME}(?:\.{_NAME})?(?:\(\d+(?:,-?\d+)?\))?)(?:\[\])*"
)


def _type(given: str, place: str) -> str:
    """The name of a type, and nothing else: it is written into a cast."""
    name = canonical_type(given)
    # Only "" is no type; anything else stands in a cast, where it could be more than a name.
    if given and _TYPE.fullmatch(name) is None:
        raise SuiteError(
            f"{given!r} is not a type name",
            'write it as numeric(18,2), timestamptz, or "Odd name"',
            place,
        )
    return name


COLUMN = "{column}"
"""Stands in an expression for the column that a promise is about."""


def _refuse_unsafe(expression: str, place: str) -> None:
    """Refuse what is not one plain expression, whatever the column is called that ``{column}`` stands for."""
    # With a blank, so that it is a column only where its quotes make it one.
    stand_in = "kisaan column"
    columns = columns_of(plain_expression(expression.replace(COLUMN, f'"{stand_in}"'), place))
    # Inside a string or a comment the real name would not be a name, and could end it.
    if columns.count(stand_in) != expression.count(COLUMN):
        raise SuiteError(
            "{column} is in a place where a column cannot be", "write it outside strings and comments", place
        )


_MAY_BE_EMPTY = frozenset(
    {
        "why",
        "optional",
        "severity",
        "facts",
        "rows",
        "from_",
        "using",
        "with_",
        "where",
        "surplus_of",
        "duplicates",
        "key",
    }
)


def may_be_empty(kind: type[Promise], name: str) -> bool:
    """Whether a promise of this kind may leave out a parameter, whatever else it says."""
    if issubclass(kind, Renamed):
        return name in {"column", "table"}
    # Elsewhere it is what was there before; of a lookup it is the table that is looked up in.
    if issubclass(kind, LookedUp) and name == "from_":
        return False
    return name in _MAY_BE_EMPTY or (name == "to" and issubclass(kind, Altered))


def _refuse_incomplete(promise: Promise, place: str) -> None:
    object = getattr(promise, "object", "")
    for name in promise.parameters:
        # These have no table, or are their own.
        may = name == "table" and object in OF_NO_TABLE | THEIR_OWN_TABLE
        if not may and not may_be_empty(type(promise), name) and getattr(promise, name) in ("", ()):
            raise SuiteError(f"{promise.kind} needs {name.rstrip('_')!r}", "", place)
    column = getattr(promise, "column", "")
    if (
        column
        and ("table" not in promise.parameters or isinstance(promise, Renamed))
        and "" in split_column(column)
    ):
        raise SuiteError(f"{column!r} is not 'table.column'", "", place)
    if isinstance(promise, Renamed):
        _refuse_wrong_name(promise, place)
    if isinstance(promise, RowsRemoved):
        said = [bool(promise.surplus_of), bool(promise.duplicates)]
        if all(said) or not (any(said) or promise.where):
            raise SuiteError(
                "state which rows are removed",
                "surplus_of = a check, or duplicates = columns, or where = SQL",
                place,
            )
    if isinstance(promise, RowsAdded) and not promise.where:
        raise SuiteError("rows_added needs 'where'", "state a condition that identifies the new rows", place)


def _refuse_wrong_name(promise: Renamed, place: str) -> None:
    """A rename is of one thing, to a name of its own."""
    # Neither and both are wrong.
    if bool(promise.column) is bool(promise.table):
        raise SuiteError(
            "state what is renamed",
            'column = "table.column", or table = "table", and to = its new name',
            place,
        )
    old = split_column(promise.column)[1] if promise.column else split_name(promise.table)[1]
    new = unquoted(promise.to) if promise.column else split_name(promise.to)[1]
    # Unquoted it stayed as it was, so the dot stands outside of quotes.
    if promise.column and "." in promise.to and new == promise.to:
        raise SuiteError(
            f"{promise.to!r} contains a dot",
            "to is only the new name; quote a name that contains a dot: to = '\"a.b\"'",
            place,
        )
    # A table may keep its name and move to another schema.
    if not new or (new == old and (promise.column or "." not in promise.to)):
        raise SuiteError(f"{promise.to!r} is not a new name", "to is only the new name", place)


def _refuse_unknown(promise: OfObject, place: str) -> None:
    """A slip in the name of a kind or an attribute would find nothing, and nothing could look kept."""
    known = ATTRIBUTES[promise.object]
    named = [promise.attribute] if isinstance(promise, Altered) else []
    named += list(promise.facts or {}) if isinstance(promise, Added) else []
    if wrong := next((name for name in named if name not in known), None):
        raise SuiteError(f"a {promise.object} has no {wrong!r}", did_you_mean(wrong, known), place)


def _refuse_conflicts(promises: Iterable[Promise], origin: str) -> None:
    every = list(promises)
    for id, times in Counter(p.id for p in every).items():
        if times > 1:
            raise SuiteError(f"the id {id!r} is used {times} times", "give each promise its own id", origin)
    # These two say every value; promises of NULLs or types may stand beside them.
    replaced = Counter(
        (need.table, need.column)
        for p in every
        for need in p.needs()
        if isinstance(need, (Replacement, Lookup))
    )
    for (table, column), times in replaced.items():
        if times > 1:
            raise SuiteError(
                f"{times} promises cover the values of {table}.{column}", "combine them into one", origin
            )
    _refuse_two_names(every, origin)


def _refuse_two_names(promises: Iterable[Promise], origin: str) -> None:
    """One thing gets one name, and a name is one thing's; what is renamed neither goes nor comes."""
    renamed = [p for p in promises if isinstance(p, Renamed)]
    old = Counter(p.place for p in renamed)
    new = Counter((p.place[0], unquoted(p.to)) if p.column else (p.to, "") for p in renamed)
    for found, said in ((old, "is renamed"), (new, "is the new name")):
        for (table, column), times in found.items():
            if times > 1:
                raise SuiteError(
                    f"{table}{f'.{column}' if column else ''} {said} in {times} promises",
                    "combine them into one",
                    origin,
                )
    for promise in promises:
        object = getattr(promise, "object", "")
        # A dropped thing has its old name, an added one its new.
        if isinstance(promise, (Added, Dropped)) and object in {"table", "column"}:
            at = (promise.name, "") if object == "table" else (promise.table, promise.name)
            if at in (old if isinstance(promise, Dropped) else new):
                said = f"{promise.what} is promised to be renamed, so it is not {promise.kind}"
                raise SuiteError(said, "keep one of the two promises", f"{origin}: promise {promise.id}")


def bound_to(contract: Contract, suite: Suite) -> tuple[Need, ...]:
    """The contract's needs with the suite's checks filled in. Raises SuiteError for a check that cannot be
    meant.

    What needs a check that is not among those selected is left out: it is not measured.
    """
    for promise in contract.promises:
        # rules has the whole suite, also what a selection left out.
        if isinstance(promise, Fixed) and promise.check not in suite.rules:
            raise SuiteError(
                f"there is no check {promise.check!r}", did_you_mean(promise.check, suite.rules), promise.id
            )
    bound = (
        _bound(need, suite) if isinstance(need, Removal) and need.check else need for need in contract.needs
    )
    return tuple(need for need in bound if need is not None)


def spoken_columns(contract: Contract) -> frozenset[tuple[str, str]]:
    """The columns, by table as written and name, of whose values promises speak."""
    return frozenset(
        # Rows and names are no values of a column.
        (n.table, n.column)
        for n in contract.needs
        if not isinstance(n, (Removal, Arrival, Names, Renaming)) and n.column
    )


def _bound(need: Removal, suite: Suite) -> Removal | None:
    rule = suite.rules.get(need.check)
    if rule is None:
        raise SuiteError(
            f"there is no check {need.check!r}", did_you_mean(need.check, suite.rules), need.rule
        )
    if not isinstance(rule, Unique):
        raise SuiteError(
            f"{need.check!r} is not a uniqueness check, so it has no surplus",
            "state with where which rows are removed",
            need.rule,
        )
    # Known but not selected: without the run of its check it is not measured.
    check = next((c for c in suite.checks if c.id == need.check), None)
    if check is None:
        return None
    aliases = suite.settings.aliases
    # Either may be written by an alias; one common name is enough.
    if not set(aliases.get(need.table, (need.table,))) & set(aliases.get(check.table, (check.table,))):
        raise SuiteError(
            f"{need.check!r} is about {check.table}, not about {need.table}",
            "use the check's table",
            need.rule,
        )
    # Where NULLs are not equal, a row with one has no duplicate and so no surplus.
    nulls = [] if rule.nulls_equal else [f"{quote(c)} IS NOT NULL" for c in check.columns]
    where = unmarked(" AND ".join(to_sql(raw(text)) for text in (rule.where, need.where, *nulls) if text))
    return replace(need, columns=check.columns, where=where)
