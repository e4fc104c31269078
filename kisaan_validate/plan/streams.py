"""Streams: one COPY out of a table, for all checks that are functions on its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Column, Table
from kisaan_validate.plan.samples import shown_value
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.sql.expressions import (
    kept_sql,
    key_columns,
    quote,
    source_sql,
    table_sql,
    text_literal,
    to_sql,
)
from kisaan_validate.sql.qualify import qualified

_NATIVE = {
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "numeric": "numeric",
    "text": "text",
    "varchar": "character varying",
    "date": "date",
    "timestamp": "timestamp",
    "timestamptz": "timestamp",
    "interval": "interval",
    "bytea": "bytea",
}
"""The types whose binary form is decoded, and how ``format_type`` begins to name them."""

_CASTS = {"timestamp": "timestamp", "timestamptz": "timestamptz", "varchar": "text"}
_KEYS = frozenset({"int2", "int4", "int8", "text", "varchar"})
"""The types of key columns whose text follows from their binary form; of all others the server makes the
text.
"""


# There is no SQL function that raises an error, so a division by zero has to do it.
TOO_LONG = "22012"
"""The SQLSTATE (a division by zero) with which a stream fails that would send too long a value."""


@dataclass(frozen=True)
class Read:
    """One output of a stream: the column that it is of, its SQL, and how its bytes are read ("int8",
    "text", "tid", …).
    """

    name: str
    sql: str
    kind: str


@dataclass(frozen=True)
class Judge:
    """One check that reads a stream: the outputs that it is given, and whether it may be given them piece
    by piece.
    """

    check_id: str
    columns: tuple[str, ...]
    row_wise: bool
    sample_limit: int | None = None


@dataclass(frozen=True)
class Stream:
    """All that is streamed of one table (of the rows that its filter leaves), whatever the number of checks.

    ``reads`` are the columns that checks are given, ``locator`` what finds a row again: its key, or where
    that is personal or there is none, its ``ctid``; () if nothing does. ``keyed`` tells that the locator
    is the key, so that a digest may be kept. A stream with a check of whole columns is ``ordered``, and is
    not split. Values of more than ``most`` bytes are not sent: the statement fails with ``TOO_LONG`` (0:
    whatever their size).
    """

    table: Table
    reads: tuple[Read, ...]
    locator: tuple[Read, ...]
    keyed: bool
    judges: tuple[Judge, ...]
    most: int = 0

    @property
    def purpose(self) -> str:
        """What it is for, in the words of the log."""
        return f"stream of {self.table.name}"

    @property
    def check_ids(self) -> tuple[str, ...]:
        """The checks that it answers."""
        return tuple(judge.check_id for judge in self.judges)

    @property
    def ordered(self) -> bool:
        """Whether rows come in the order of their key, for the sake of checks that see whole columns."""
        # A function that looks at neighbours must find the same ones in every run.
        return any(not judge.row_wise for judge in self.judges)

    @property
    def outputs(self) -> tuple[Read, ...]:
        """The outputs of the statement in order; never none, so that a row is at least one field."""
        # COPY would send rows without fields, which could not be counted.
        return tuple(dict.fromkeys((*self.locator, *self.reads))) or (Read("", "true", "bool"),)

    def only(self, wanted: Callable[[Judge], bool]) -> Stream:
        """The stream for some of its checks: with what they read, and nothing else."""
        kept = tuple(judge for judge in self.judges if wanted(judge))
        needed = {name for judge in kept for name in judge.columns}
        return replace(self, judges=kept, reads=tuple(read for read in self.reads if read.name in needed))

    def select(self, first: int | None = None, end: int | None = None, *, estimated: bool = False) -> str:
        """The rows that lie in the blocks from ``first`` up to but not including ``end``; None is no bound.

        ``estimated``: with the values as they are stored, whose width the planner knows.
        """
        listed = ", ".join(read.sql if estimated else self._bounded(read) for read in self.outputs)
        # A range of ctid reads just these blocks since PostgreSQL 14 (Tid Range Scan).
        bounds = [f"ctid >= '({first},0)'"] if first is not None else []
        bounds += [f"ctid < '({end},0)'"] if end is not None else []
        bounds += [kept_sql(self.table, self.table.only)] if self.table.only else []
        where = f"\nWHERE {' AND '.join(bounds)}" if bounds else ""
        # With the table's name: ORDER BY takes an output's name before a column's, and a key may go out as
        # its text.
        keys = (
            [f"{table_sql(self.table)}.{quote(name)}" for name in key_columns(self.table)]
            if self.ordered
            else []
        )
        order = f"\nORDER BY {', '.join(keys)}" if keys else ""
        return qualified(f"SELECT {listed}\nFROM {table_sql(self.table)}{where}{order}")

    def _bounded(self, read: Read) -> str:
        """The value, or for one that is too long an error, before the client has to take it in.

        Of what is stored in a few bytes the size need not be asked: no compression makes less than a 300th
        of a value.
        """
        # A locator is short, and must never be replaced by an error.
        if not self.most or read.kind not in {"text", "bytea"} or read in self.locator:
            return read.sql
        size = f"octet_length({read.sql})"
        # The stored size is in the tuple header; octet_length would have to unpack the value.
        long = f"pg_column_size({quote(read.name)}) > {self.most // 300} AND {size} > {self.most}"
        # Not ``1 / 0``: the planner would fold the constant, and fail before any row is read.
        failed = f"(1 / ({size} - {size}))::text" + ("::bytea" if read.kind == "bytea" else "")
        return f"CASE WHEN {long} THEN {failed} ELSE {read.sql} END"

    def count_sql(self) -> str:
        """The statement that counts the rows that must arrive."""
        return qualified(f"SELECT count(*)\nFROM {source_sql(self.table, matched=())}")

    def sql(self, first: int | None = None, end: int | None = None) -> str:
        """The statement that is sent."""
        return f"COPY (\n{self.select(first, end)}\n) TO STDOUT (FORMAT binary)"


def make_stream(
    table: Table,
    checks: Iterable[tuple[str, PythonRule, tuple[str, ...]]],
    is_personal: Callable[[str, str], bool],
) -> Stream:
    """The stream of a table for these checks (id, rule, declared columns)."""
    judges = tuple(
        Judge(id, rule.given(table, columns), rule.row_wise, rule.sample_limit)
        for id, rule, columns in checks
    )
    names = dict.fromkeys(name for judge in judges for name in judge.columns)
    locator, keyed = _locator(table, is_personal)
    return Stream(table, tuple(_read(table.columns[name]) for name in names), locator, keyed, judges)


def _locator(table: Table, is_personal: Callable[[str, str], bool]) -> tuple[tuple[Read, ...], bool]:
    """What finds a row again. A personal key must not be written into a statement that is recorded.

    Nothing does where rows of other tables are read along: neither key nor ``ctid`` is theirs alone.
    """
    if table.unbound:
        return (), False
    key = table.primary_key
    if key and not any(is_personal(table.name, name) for name in key):
        return tuple(_key(table.columns[name]) for name in key), True
    # A partitioned table has a ctid for each partition, so it names no row; nor does one of a view.
    if table.kind in {"r", "m"}:
        return (Read("ctid", "ctid", "tid"),), not key
    return (), False


def _key(column: Column) -> Read:
    read = _read(column)
    if read.kind in _KEYS:
        return read
    return Read(column.name, f"{quote(column.name)}::text", "text")


def _read(column: Column) -> Read:
    """How a column is sent: in its own binary form where that is decoded, else as the server's text."""
    name = quote(column.name)
    plain = _NATIVE.get(column.base)
    # Labels are compared as texts, wherever they stand in the order of the enum.
    if plain is None or column.is_enum:
        return Read(column.name, f"{name}::text", "text")
    kind = "text" if column.base == "varchar" else column.base
    # ``format_type`` begins with the type's own name, or the column is of a domain, whose name is shown.
    if column.type.startswith(plain):
        return Read(column.name, name, kind)
    return Read(column.name, f"{name}::{_CASTS.get(column.base, plain)}", kind)  # a domain


@dataclass(frozen=True)
class Piece:
    """A part of a stream: the rows of some blocks, or all. No row is in two pieces, and none is in none."""

    stream: int
    first: int | None = None
    end: int | None = None


BLOCKS = 4_096
"""A piece has at least so many blocks (32 MiB): what costs a statement of its own must be worth it."""


def pieces_of(number: int, stream: Stream, blocks: int | None, jobs: int) -> list[Piece]:
    """Split a stream for ``jobs`` readers. ``blocks`` is the size of the table, None if it cannot be read
    by blocks.

    The first piece has no lower bound and the last no upper one: whatever the size was taken for, nothing
    is left out.
    """
    if blocks is None or stream.ordered or jobs < 2:
        return [Piece(number)]
    # More pieces than readers: the last ones to work then have little left.
    count = max(1, min(blocks // BLOCKS, 4 * jobs))
    # Integer arithmetic: the cuts meet exactly, so no block is read twice or left out.
    cuts = [blocks * n // count for n in range(1, count)]
    return [Piece(number, first, end) for first, end in zip([None, *cuts], [*cuts, None], strict=True)]


def sample_columns(stream: Stream, judge: Judge) -> tuple[str, ...]:
    """What is shown of a violating row: its key, and what the check was given."""
    return tuple(dict.fromkeys((*key_columns(stream.table), *judge.columns)))


def sample_sql(
    stream: Stream, judge: Judge, found: Sequence[tuple[str, ...]], masked: frozenset[str], limit: int
) -> str:
    """The statement that shows the rows with these locators, in key order, at most ``limit`` of them."""
    values = ", ".join(shown_value(quote(name), name, masked) for name in sample_columns(stream, judge))
    columns = [stream.table.columns.get(read.name) for read in stream.locator]
    places = [
        # With the operator of the column's type: one in another schema could answer differently.
        f"{quote(r.name)} {c.sign('=') if c else '='} "
        for r, c in zip(stream.locator, columns, strict=True)
    ]
    rows = [
        [f"{place}{to_sql(text_literal(text))}" for place, text in zip(places, row, strict=True)]
        for row in found
    ]
    # One condition for each row: a row value comparison would need one operator for all columns.
    chosen = " OR ".join(f"({' AND '.join(row)})" for row in rows)
    order = ", ".join(f"{table_sql(stream.table)}.{quote(name)}" for name in key_columns(stream.table))
    return (
        f"SELECT ARRAY[{values}]::text[]\nFROM {table_sql(stream.table)}\nWHERE {chosen}\n"
        f"ORDER BY {order}\nLIMIT {limit}"
    )
