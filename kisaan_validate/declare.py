"""Invariants that a DataFrame schema cannot say: relations, sums, uniqueness, catalogue state.

Each function returns a :class:`Declaration` and, while a suite is being loaded, adds it to that suite, so a file
in ``checks/`` just calls them. All take the same closing keyword arguments: ``id``, ``severity`` ("blocking",
"warning", "info"), ``why``, ``hint``, ``owner``, ``tags``, ``tolerance``, ``applies`` (conditions such as
``"column orders.total"``, ``"not table old_orders"``). Table names may be aliases from ``suite.toml``.

Every function raises SuiteError, with file and line, for arguments that cannot be meant.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import catalog, relations, rows
from kisaan_validate.rules.base import Join, Rule
from kisaan_validate.suite.meta import Meta, read_meta

__all__ = [
    "Declaration", "agrees", "column", "constraint", "decimals", "holds", "holds_with", "index", "ledger", "minimum_rows",
    "no_column_of_type", "reconciles", "references", "sequence", "table", "triggers", "unique",
]  # fmt: skip


class MetaArguments(TypedDict, total=False):
    """The keyword arguments that every declaration takes."""

    id: str
    severity: str
    tolerance: Any
    why: str
    hint: str
    owner: str
    tags: Any
    applies: Any


@dataclass(frozen=True)
class Declaration:
    """One declared check before it belongs to a suite."""

    name: str
    table: str
    columns: tuple[str, ...]
    rule: Rule
    meta: Meta
    origin: str


collector: ContextVar[list[Declaration] | None] = ContextVar("collector", default=None)
"""Where declarations go while a suite is being loaded."""


def _caller() -> str:
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _columns(columns: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _declare(name: str, table: str, columns: tuple[str, ...], rule: Rule, meta: MetaArguments) -> Declaration:
    origin = _caller()
    if not table and not isinstance(rule, catalog.NoColumnOfType):
        raise SuiteError(f"{name}() needs a table", origin=origin)
    made = Declaration(name, table, columns, rule, read_meta(dict(meta), origin), origin)
    gathered = collector.get()
    if gathered is not None:
        gathered.append(made)
    return made


def _choice(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise SuiteError(f"{name}={value!r} is not one of {', '.join(known)}", origin=_caller())
    return value


def _join(columns: str | list[str], to: str, on: str | list[str]) -> Join:
    own, other = _columns(columns), _columns(on)
    if len(own) != len(other) or not own:
        raise SuiteError(f"{own} and {other} are not pairs of columns", origin=_caller())
    return Join(own, to, other)


def holds(table: str, expression: str, *, volatile: Any = (), **meta: Unpack[MetaArguments]) -> Declaration:
    """A SQL expression over one row of ``table`` that must not be false (NULL passes, as in a CHECK)."""
    from kisaan_validate.sql.assertion import expression_columns

    read = expression_columns(expression, _caller())
    rule = rows.Holds(expression=expression, volatile=frozenset(_columns(volatile)))
    return _declare("holds", table, read, rule, meta)


def decimals(table: str, column: str, places: int = 2, **meta: Unpack[MetaArguments]) -> Declaration:
    """Every value of a numeric column has at most ``places`` decimal places."""
    return _declare("decimals", table, (column,), rows.Decimals(places=places), meta)


def unique(
    table: str, columns: str | list[str], *, nulls_equal: bool = True, counts: str = "surplus", where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """No two rows of ``table`` agree in all ``columns``.

    ``nulls_equal``: NULL equals NULL (else a row with a NULL is never a duplicate). ``counts``: "surplus" counts
    the rows to be removed, "groups" the values that occur more than once. ``where`` restricts the rows.
    """
    _choice("counts", counts, ("surplus", "groups"))
    if not _columns(columns):
        raise SuiteError("unique() needs columns", origin=_caller())
    return _declare("unique", table, _columns(columns), relations.Unique(nulls_equal, counts, where), meta)


def references(
    table: str, columns: str | list[str], to: str, on: str | list[str] = "id", *, where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """Every row of ``table`` whose ``columns`` are not NULL finds a row of ``to`` with equal ``on``.

    ``where`` is SQL over ``child``; it restricts the rows that are judged (of those that fail there is no ``parent``).
    """
    if where:
        from kisaan_validate.sql.assertion import qualified_columns

        qualified_columns(where, ("child",), _caller())
    return _declare("references", table, (), relations.References(_join(columns, to, on), where), meta)


def agrees(
    table: str, column: str, *, with_: str, via: str | list[str], on: str | list[str] = "id", nulls: str = "distinct",
    where: str = "", **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """``table.column`` repeats ``with_`` ("other_table.column") of the row found by ``via`` = ``on``.

    ``nulls``: "distinct" makes NULL against a value a violation, "pass" judges only where both have a value.
    ``where`` is SQL over ``child`` and ``parent``.
    """
    _choice("nulls", nulls, ("distinct", "pass"))
    other, dot, other_column = with_.rpartition(".")
    if not dot:
        raise SuiteError(f"with_={with_!r} is not 'table.column'", origin=_caller())
    rule = relations.Agrees(_join(via, other, on), other_column, nulls, where)
    return _declare("agrees", table, (column,), rule, meta)


def holds_with(
    table: str, expression: str, *, parent: str, via: str | list[str], on: str | list[str] = "id", volatile: Any = (),
    **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """A SQL expression over ``child`` (a row of ``table``) and ``parent`` (the row it refers to), not to be false."""
    from kisaan_validate.sql.assertion import qualified_columns

    origin = _caller()
    read = qualified_columns(expression, ("child", "parent"), origin)
    rule = relations.HoldsWith(
        _join(via, parent, on), expression, tuple(read["parent"]), frozenset(_columns(volatile))
    )
    return _declare("holds_with", table, tuple(read["child"]), rule, meta)


def reconciles(
    table: str, column: str, *, details: str, detail_column: str, via: str, on: str = "id", relation: str = "=",
    missing: str = "zero", where: str = "", detail_where: str = "", **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """Σ ``details.detail_column`` over the rows whose ``via`` equals ``table.on``, RELATION ``table.column``.

    ``relation`` is one of = <= >= < >. ``missing``: a row without details counts as "zero", or is left out ("skip").
    ``where`` is SQL over ``parent`` (a row of ``table``); ``detail_where`` over a row of ``details``.
    """
    _choice("relation", relation, relations._SUM_OPERATORS)
    _choice("missing", missing, ("zero", "skip"))
    rule = relations.Reconciles(details, detail_column, via, on, relation, missing, where, detail_where)
    return _declare("reconciles", table, (column,), rule, meta)


def sequence(table: str, column: str = "id", **meta: Unpack[MetaArguments]) -> Declaration:
    """The sequence that fills ``column`` is not behind the values already there (typical after a restore)."""
    return _declare("sequence", table, (column,), relations.SequenceAhead(), meta)


def ledger(table: str, column: str, names: list[str], **meta: Unpack[MetaArguments]) -> Declaration:
    """``table.column`` contains each of ``names``, for instance the migrations that must have been applied."""
    if not names:
        raise SuiteError("ledger() needs names", origin=_caller())
    return _declare("ledger", table, (column,), relations.NamesPresent(tuple(names)), meta)


def minimum_rows(table: str, minimum: int = 1, **meta: Unpack[MetaArguments]) -> Declaration:
    """``table`` has at least ``minimum`` rows."""
    return _declare("minimum_rows", table, (), relations.MinimumRows(minimum), meta)


def table(name: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """The table exists (under one of its aliases)."""
    return _declare("present", name, (), catalog.Present(), meta)


_UNSAID = "\0unsaid"


def column(
    table: str, name: str, *, type: str | list[str] = "", nullable: bool | None = None, default: str | None = _UNSAID,
    **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """One fact of a column: it exists; or its ``type``; or whether the catalogue allows NULL; or its ``default``.

    State one fact a call (each is a check of its own). ``default=None`` means that there must be no default.
    """
    said = [bool(type), nullable is not None, default is not _UNSAID]
    if sum(said) > 1:
        raise SuiteError("column() states one fact a call", "call it once for each of type, nullable, default", _caller())
    if type:
        rule: Rule = catalog.TypeIs(tuple(catalog.canonical_type(t) for t in _columns(type)))
        return _declare("type", table, (name,), rule, meta)
    if nullable is not None:
        return _declare("nullability", table, (name,), catalog.NotNullDeclared(nullable), meta)
    if default is not _UNSAID:
        return _declare("default", table, (name,), catalog.DefaultIs(default), meta)
    return _declare("present", table, (name,), catalog.Present(), meta)


def constraint(
    table: str, kind: str, columns: str | list[str] | tuple[str, ...] = (), *, name: str = "", to: str = "",
    nulls_not_distinct: bool = False, **meta: Unpack[MetaArguments],
) -> Declaration:  # fmt: skip
    """The database enforces a constraint: "primary key", "unique", "foreign key", "check" or "exclusion".

    Found by its columns or its ``name``; it must be validated and enforced. ``to`` is a foreign key's table.
    ``nulls_not_distinct``: for "unique", NULL must count as equal to NULL.
    """
    _choice("kind", kind, tuple(catalog._CONSTRAINT_KINDS))
    rule = catalog.HasConstraint(kind, name, to, nulls_not_distinct)
    if not columns and not name:
        raise SuiteError("constraint() needs columns or a name", origin=_caller())
    return _declare("constraint", table, _columns(columns), rule, meta)


def index(
    table: str, columns: str | list[str] | tuple[str, ...] = (), *, name: str = "", unique: bool = False, **meta: Unpack[MetaArguments]
) -> Declaration:
    """A valid index is present: of this ``name``, or beginning with these ``columns``."""
    if not columns and not name:
        raise SuiteError("index() needs columns or a name", origin=_caller())
    return _declare("index", table, _columns(columns), catalog.HasIndex(name, unique), meta)


def triggers(table: str, *names: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """Every trigger of ``table`` is enabled, and those named exist."""
    return _declare("triggers", table, (), catalog.TriggersEnabled(names), meta)


def no_column_of_type(
    type: str, *, tables: str = "*", except_: list[str] | tuple[str, ...] = (), **meta: Unpack[MetaArguments]
) -> Declaration:
    """No column of the tables whose name matches the pattern has this type, save "table.column" in ``except_``."""
    rule = catalog.NoColumnOfType(catalog.canonical_type(type), tables, tuple(except_))
    return _declare("no_column_of_type", "", (), rule, meta)
