"""Declarations of what the catalogue and the server say: tables, columns, sequences, health."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Unpack

from kisaan_validate.declare.arguments import choice
from kisaan_validate.declare.making import Declaration, MetaArguments, caller, checked, columns_of, declared
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules import catalogue
from kisaan_validate.rules.base import Rule
from kisaan_validate.rules.present import NamesPresent, SequenceAhead
from kisaan_validate.rules.server import health


def sequence(table: str, column: str = "id", **meta: Unpack[MetaArguments]) -> Declaration:
    """The sequence is not behind the column."""
    return declared("sequence", table, (column,), SequenceAhead(), meta)


def ledger(table: str, column: str, names: list[str], **meta: Unpack[MetaArguments]) -> Declaration:
    """Each name, such as a migration's, is in the ledger."""
    if not names:
        raise SuiteError("ledger() needs names", origin=caller())
    return declared("ledger", table, (column,), NamesPresent(tuple(names)), meta)


def table(name: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """The table exists."""
    return declared("present", name, (), catalogue.Present(), meta)


_UNSAID = "\0unsaid"


def column(
    table: str,
    name: str,
    *,
    type: str | list[str] = "",
    nullable: bool | None = None,
    default: str | None = _UNSAID,
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """One fact per call: the column exists, its type, whether NULL is allowed, its default (None: none).

    Each is a check of its own. ``default=None`` means that there must be no default.
    """
    said = [bool(type), nullable is not None, default is not _UNSAID]
    if sum(said) > 1:
        raise SuiteError(
            "column() takes one fact per call", "call it once for each of type, nullable, default", caller()
        )
    if type:
        rule: Rule = catalogue.TypeIs(tuple(catalogue.canonical_type(t) for t in columns_of(type)))
        return declared("type", table, (name,), rule, meta)
    if nullable is not None:
        return declared("nullability", table, (name,), catalogue.NotNullDeclared(nullable), meta)
    if default is not _UNSAID:
        return declared("default", table, (name,), catalogue.DefaultIs(default), meta)
    return declared("present", table, (name,), catalogue.Present(), meta)


def constraint(
    table: str,
    kind: str,
    columns: str | list[str] | tuple[str, ...] = (),
    *,
    name: str = "",
    to: str = "",
    nulls_not_distinct: bool = False,
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A valid "primary key", "unique", "foreign key", "check" or "exclusion" constraint.

    Found by its columns or its ``name``; it must be validated and enforced. ``to`` is a foreign key's table.
    ``nulls_not_distinct``: for "unique", NULL must count as equal to NULL.
    """
    choice("kind", kind, tuple(catalogue._CONSTRAINT_KINDS))
    rule = catalogue.HasConstraint(kind, name, to, nulls_not_distinct)
    if not columns and not name:
        raise SuiteError("constraint() needs columns or a name", origin=caller())
    return declared("constraint", table, columns_of(columns), rule, meta)


def index(
    table: str,
    columns: str | list[str] | tuple[str, ...] = (),
    *,
    name: str = "",
    unique: bool = False,
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A valid index of this name, or beginning with these columns."""
    if not columns and not name:
        raise SuiteError("index() needs columns or a name", origin=caller())
    return declared("index", table, columns_of(columns), catalogue.HasIndex(name, unique), meta)


def triggers(table: str, *names: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """Every trigger is enabled, and those named exist."""
    return declared("triggers", table, (), catalogue.TriggersEnabled(names), meta)


def no_column_of_type(
    type: str, *, tables: str = "*", except_: list[str] | tuple[str, ...] = (), **meta: Unpack[MetaArguments]
) -> Declaration:
    """No column has this type, except "table.column" in ``except_``."""
    rule = catalogue.NoColumnOfType(catalogue.canonical_type(type), tables, tuple(except_))
    return declared("no_column_of_type", "", (), rule, meta)


def server_health(
    *,
    only: str | list[str] | tuple[str, ...] = (),
    wraparound: str | Fraction = "50%",
    overdue: int = 2,
    values_left: str | Fraction = "10%",
    days: int = 30,
    wal_bytes: int = 10 * 1024**3,
    **meta: Unpack[MetaArguments],
) -> list[Declaration]:
    """Seven checks of the server, or ``only`` some: wraparound, sequence_headroom, sequence_types,
    invalid_indexes, collations, checksums, replication_slots.

    ``wraparound`` is the share of the way there at which an age fails, ``overdue`` how many times
    autovacuum's own limit; ``values_left`` the share that a sequence keeps; ``days`` how long transactions
    and sequences must last at the present rate; ``wal_bytes`` what a slot may hold. ``id`` is a prefix.
    """
    bounds = checked(health.HealthBounds, wraparound, overdue, values_left, days, wal_bytes)
    prefix, wanted = meta.get("id", ""), columns_of(only) or tuple(health.CHECKS)
    for name in wanted:
        choice("only", name, tuple(health.CHECKS))
    made = []
    for name in dict.fromkeys(wanted):
        said: Any = {"why": health.WHY[name], "hint": health.HINTS[name], **meta}
        said["id"] = f"{prefix}.{name}" if prefix else ""
        made.append(declared(name, "", (), health.CHECKS[name](bounds), said))
    return made
