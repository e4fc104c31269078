"""The SQLAlchemy expressions that rules are built of, and their one way to become SQL text.

Every value is written into the SQL as a literal, so that what is shown is what was run, and psql
re-performs it.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ColumnElement

from kisaan_validate.dataclass import dataclass
from kisaan_validate.sql.qualify import authored, qualified

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Table

Value = (
    bool | int | float | Decimal | str | bytes | dt.date | dt.datetime | dt.time | dt.timedelta | uuid.UUID
)
"""The Python values that a check may compare with."""

# "named" leaves percent signs alone; backslashes are plain because sessions pin standard_conforming_strings.
_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_DIALECT._backslash_escapes = False
# Words that PostgreSQL does not take for a column's name everywhere; SQLAlchemy does not know them.
_DIALECT.identifier_preparer.reserved_words = _DIALECT.identifier_preparer.reserved_words | {
    "collation",
    "concurrently",
    "lateral",
    "system_user",
    "tablesample",
    "values",
}


def to_sql(element: Any) -> str:
    """The SQL text of a SQLAlchemy element, all values as literals; not yet qualified (see
    ``sql.qualify``).
    """
    return str(element.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))


def quote(name: str) -> str:
    """An identifier as SQL text, quoted where it must be."""
    return str(_DIALECT.identifier_preparer.quote(name))


def raw(sql: str) -> ColumnElement[Any]:
    """Author-written SQL as an expression, in parentheses, so that it cannot reach beyond itself.

    It keeps its schemas: ``qualify.qualified``, through which every statement goes, leaves it as it is.
    """
    # Only with a comment inside: elsewhere the text stays on its line.
    return sa.literal_column(f"({authored(sql)}\n)" if "--" in sql else f"({authored(sql)})")


def text_literal(value: str) -> ColumnElement[str]:
    """A string as a quoted literal of unknown type, as a person would write it."""
    # Of unknown type, so that the server reads it as the type that it is compared with.
    return sa.literal(value, sa.String())


def literal(value: Value) -> ColumnElement[Any]:
    """A Python value as an exact SQL literal.

    Integers of any size and Decimals keep every digit. Raises TypeError for a type that has no exact
    counterpart and ValueError for a value PostgreSQL cannot hold (a NUL character, a time finer than
    microseconds).
    """
    # Before int: bool is one to Python.
    if isinstance(value, bool):
        return sa.true() if value else sa.false()
    if isinstance(value, int):
        # In parentheses: -1::type would cast first, and ``- -1`` begin a comment.
        return sa.literal_column(str(value) if value >= 0 else f"({value})")
    if isinstance(value, Decimal):
        return _decimal(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("a NUL character cannot be stored by PostgreSQL")
        return text_literal(value)
    if isinstance(value, bytes):
        return sa.literal_column(f"'\\x{value.hex()}'::bytea")
    if isinstance(value, uuid.UUID):
        return sa.literal_column(f"'{value}'::uuid")
    if isinstance(value, dt.timedelta):
        return _interval(value)
    # Before date: a datetime is one.
    if isinstance(value, dt.datetime):
        return _timestamp(value)
    if isinstance(value, dt.date):
        return sa.literal_column(f"DATE '{value.isoformat()}'")
    if isinstance(value, dt.time):
        return sa.literal_column(f"{'TIMETZ' if value.tzinfo else 'TIME'} '{value.isoformat()}'")
    raise TypeError(f"a {type(value).__name__} has no exact SQL literal")


MOST_DIGITS = 1_000
"""A number of more digits, written out, does not belong in a suite: 1e999999999 is a gigabyte of zeros."""


def exact_decimal(text: str) -> Decimal:
    """A number with every digit of its text. Raises ValueError for what is not a number, or is too long to be
    written out.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:40]} is not a number") from None
    # Before it is written out: format() of 1e999999999 would need a gigabyte.
    if value.is_finite() and (
        abs(value.adjusted()) > MOST_DIGITS or len(value.as_tuple().digits) > MOST_DIGITS
    ):
        raise ValueError(f"a number of more than {MOST_DIGITS:,} digits: {text[:40]}")
    return value


def _decimal(value: Decimal) -> ColumnElement[Any]:
    if value.is_nan():
        return sa.literal_column("'NaN'::numeric")
    if value.is_infinite():
        return sa.literal_column(f"'{'-' if value < 0 else ''}Infinity'::numeric")
    # "f" writes no exponent, which PostgreSQL would read as a number of its own scale.
    text = format(value, "f")
    # -0 is not less than 0, but written with its sign.
    return sa.literal_column(text if value >= 0 and not text.startswith("-") else f"({text})")


def _float(value: float) -> ColumnElement[Any]:
    if value != value or value in (float("inf"), float("-inf")):
        # By text: numeric has no infinity before PostgreSQL 14, and float8 has both.
        return sa.literal_column(f"'{value}'::float8")
    # repr is the shortest text that reads back as the same float: what people typed.
    return _decimal(Decimal(repr(float(value))))


def _interval(value: dt.timedelta) -> ColumnElement[Any]:
    # pandas has nanoseconds, which would be dropped without a word.
    if getattr(value, "nanoseconds", 0):
        raise ValueError("an interval finer than microseconds cannot be stored by PostgreSQL")
    # In microseconds: a timedelta has no months, whose length is not fixed.
    micros = value.days * 86_400_000_000 + value.seconds * 1_000_000 + value.microseconds
    return sa.literal_column(f"INTERVAL '{micros} microseconds'")


def _timestamp(value: dt.datetime) -> ColumnElement[Any]:
    if getattr(value, "nanosecond", 0):
        raise ValueError("a timestamp finer than microseconds cannot be stored by PostgreSQL")
    if value.tzinfo is None:
        # ``dt.datetime.isoformat``: a subclass such as pandas' Timestamp writes nine digits.
        return sa.literal_column(f"TIMESTAMP '{dt.datetime.isoformat(value, sep=' ')}'")
    utc = value.astimezone(dt.UTC)
    return sa.literal_column(f"TIMESTAMPTZ '{dt.datetime.isoformat(utc, sep=' ')}'")


@dataclass(frozen=True)
class View:
    """A table inside one statement: gives its columns as expressions, under an alias where there are two
    tables.
    """

    table: Table
    alias: str = ""

    def column(self, name: str) -> ColumnElement[Any]:
        """The column itself, qualified by the alias if the statement has several tables."""
        column: ColumnElement[Any] = sa.column(name)
        if self.alias:
            return sa.literal_column(f"{quote(self.alias)}.{quote(name)}")
        return column

    def value(self, name: str) -> ColumnElement[Any]:
        """The column as comparable to literals: enums by label (their order and their input rules are not
        text's).
        """
        column = self.column(name)
        return sa.cast(column, sa.Text) if self.table.columns[name].is_enum else column

    def source(
        self, matched: Iterable[str] | None = None, *, placed: bool = False, read: Iterable[str] = ()
    ) -> str:
        """The FROM item (see :func:`source_sql`)."""
        return source_sql(self.table, self.alias, matched, placed=placed, read=read)


def knows_zone_sql(zone: str) -> str:
    """Whether the server knows a time zone by this very name: a SELECT of 1 or 0.

    An offset such as +05:30 is not a name: it would mean its opposite, as POSIX has it.
    """
    return qualified(f"SELECT count(*) FROM pg_timezone_names WHERE name = {to_sql(text_literal(zone))}")


def table_sql(table: Table) -> str:
    """The qualified, quoted name of a relation; with the names of its columns, as a FROM item, where these
    are not their own.
    """
    name = f"{quote(table.schema)}.{quote(table.name)}"
    # A renamed column keeps its old name for the author's SQL.
    if table.names:
        return f"{name} AS {quote(table.name)} ({', '.join(map(quote, table.names))})"
    return name


def distinct_sql(first: str, sign: str, second: str) -> str:
    """SQL for IS DISTINCT FROM by an operator that is known: ``sign`` is the one for "differs" (see
    ``Column.sign``).
    """
    # num_nulls counts rows whose fields are all NULL as values, as IS DISTINCT FROM does.
    return f"coalesce(({first}) {sign} ({second}), num_nulls(({first}), ({second})) = 1)"


APART = " OFFSET '0'"
"""Ends a subquery that the planner must not merge with what is around it: what it knows of the table stays
inside.
"""


def named_columns(table: Table, *texts: str) -> list[str]:
    """The columns of a table that SQL may name, by their names in its text: perhaps some too many, never one
    too few.
    """
    text = "\n".join(texts).lower()
    return [name for name in table.columns if name.lower() in text or quote(name).lower() in text]


def source_sql(
    table: Table,
    alias: str = "",
    matched: Iterable[str] | None = None,
    *,
    placed: bool = False,
    read: Iterable[str] = (),
) -> str:
    """The FROM item that gives the rows of a relation: all of them, or those that its filter leaves.

    ``matched`` are the columns by which these rows are grouped or joined; None says that anything may be
    done with them. Where a unique index says that no two rows agree in them, they are read apart: else the
    planner would take that for true, and stop at the first row, or group by fewer columns. ``placed``: it
    has the rows' ctid. ``read`` are the columns that are read of it, if that is known: what stands apart
    costs each row for each column that it names.
    """
    names = None if matched is None else list(matched)
    # Believed tables are shown to the planner on purpose.
    apart = not table.believed and (names is None or table.may_be_matched(names))
    if not table.only and not apart:
        return f"{table_sql(table)} AS {quote(alias)}" if alias else table_sql(table)
    # ``*`` does not include ctid, which names the row where there is no key.
    place = "ctid, " if placed or key_columns(table) == ("ctid",) else ""
    kept = f" WHERE {kept_sql(table, table.only)}" if table.only else ""
    return (
        f"(SELECT {place}{', '.join(map(quote, read)) or '*'} FROM {table_sql(table)}{kept}"
        f"{APART if apart else ''}) AS "
        f"{quote(alias or table.name)}"
    )


def kept_sql(table: Table, *conditions: str) -> str:
    """SQL, for a WHERE, of conditions on rows of a table that are read out of its heap; "" where none says
    anything.

    IS TRUE hides them from the planner, which would take a CHECK, the bounds of a partition or NOT NULL
    for the rows.
    """
    text = condition_sql(*conditions)
    if table.believed or not text:
        return text
    # AND binds looser than IS, so several conditions need the parentheses.
    return decided_by_rows(text) if sum(map(bool, conditions)) > 1 else f"{text} IS TRUE"


def decided_by_rows(condition: str) -> str:
    """A condition that only rows decide: no declaration proves it, or refutes it, before they are read."""
    return f"({condition}) IS TRUE"


def condition_sql(*conditions: str) -> str:
    """Author-written conditions on a row, joined by AND, each in parentheses; "" where none says anything."""
    return " AND ".join(to_sql(raw(text)) for text in conditions if text)


def key_columns(table: Table) -> tuple[str, ...]:
    """The columns that identify a row: the primary key, or the physical ``ctid`` where there is none."""
    # Only an ordinary table and a materialized view have one ctid for each row.
    return table.primary_key or (("ctid",) if table.kind in {"r", "m"} else ())
