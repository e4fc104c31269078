"""Author-written SQL whose tables are read apart: the planner can take nothing that is declared of their
rows for the rows.

Each table becomes ``(SELECT * FROM table OFFSET '0')``, which is not merged with what is around it
(PostgreSQL source, prepjointree.c, is_simple_subquery). So no CHECK, NOT NULL, unique index or partition
bound decides about a condition or a join.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from functools import lru_cache
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.sql.expressions import APART, quote
from kisaan_validate.sql.reading import folded, is_own, table_name
from kisaan_validate.sql.scrubbing import scrubbed

_OF_THE_SYSTEM = frozenset({"ctid", "tableoid", "xmin", "xmax", "cmin", "cmax"})
"""Columns that a table has and a subquery over it has not."""


@dataclass(frozen=True)
class TableMention:
    """Where a SELECT names a table: ``name`` as the suite knows it, the text from ``start`` to ``end``.

    ``alias`` is the one that the table needs there ("" where it has one). ``fit`` tells whether it may be
    read apart: not where the text uses more of it than columns (what the server adds to each row, the row
    as a whole, its schema before a column). There a subquery would be an error at best, and at worst would
    mean something else.
    """

    name: str
    start: int
    end: int
    alias: str
    fit: bool


def places_of(sql: str) -> tuple[TableMention, ...]:
    """The tables that a SELECT names, except its own WITH names, in the order of the text."""
    # Positions in the scrubbed text are those of the text itself, so the edits below fit.
    tree: Any = sqlglot.parse_one(scrubbed(sql, ""), dialect="postgres")
    columns = list(tree.find_all(exp.Column))
    # A subquery has no ctid: one mention anywhere could mean any of the tables.
    plain = not any(c.name.lower() in _OF_THE_SYSTEM for c in columns)
    # A table's name as a value means the whole row, whose type a subquery would change.
    whole = _whole_rows(columns)
    named = [t for t in tree.find_all(exp.Table) if isinstance(t.this, exp.Identifier) and not is_own(t)]
    return tuple(sorted((_place(t, plain and _fit(t, whole)) for t in named), key=lambda place: place.start))


def _whole_rows(columns: Collection[exp.Column]) -> set[str]:
    """The names by which whole rows, or columns behind a schema, are spoken of."""
    found = {c.name.lower() for c in columns if not c.table}
    found |= {
        c.table.lower()
        for c in columns
        if c.args.get("db") or (c.is_star and not isinstance(c.parent, exp.Select))
    }
    return found


def _fit(table: exp.Table, whole: Collection[str]) -> bool:
    more = any(
        table.args.get(key)
        # A subquery cannot replace these: ONLY, TABLESAMPLE and so on belong to a table.
        for key in ("only", "sample", "pivots", "hints", "system_time", "version", "when", "ordinality")
    )
    return not more and (table.alias or table.name).lower() not in whole


def _place(table: exp.Table, fit: bool) -> TableMention:
    parts = [part for part in table.parts if isinstance(part, exp.Identifier)]
    # A subquery needs a name; it keeps the one by which the rest of the text knows the table.
    alias = "" if table.alias else folded(parts[-1]).strip('"')
    return TableMention(table_name(table), parts[0].meta["start"], parts[-1].meta["end"] + 1, alias, fit)


def stand_apart(sql: str, places: Collection[TableMention]) -> str:
    """The same SELECT with the tables at these places read apart; everything else to the letter."""
    # From the end, so that earlier positions stay what they are.
    for place in sorted(places, key=lambda place: place.start, reverse=True):
        named = f" AS {quote(place.alias)}" if place.alias else ""
        apart = f"(SELECT * FROM {sql[place.start : place.end]}{APART}){named}"
        sql = sql[: place.start] + apart + sql[place.end :]
    return sql


_GROUPED = re.compile(r"(?i)\bgroup\b|\bdistinct\b")
_ABOUT_NULL = re.compile(r"(?i)\bnull\b|\bisnull\b|\bnotnull\b|\bunknown\b")
_COMPARING = (exp.Predicate, exp.Operator, exp.NullSafeEQ, exp.NullSafeNEQ)

# What a SELECT of one table may be made of, with nothing in it that could test a column for NULL.
_PLAIN = (
    *(
        exp.Select,
        exp.From,
        exp.Where,
        exp.Table,
        exp.TableAlias,
        exp.Identifier,
        exp.Alias,
        exp.Column,
        exp.Star,
    ),
    *(exp.Literal, exp.Boolean, exp.Paren, exp.And, exp.Or, exp.Not, exp.Neg),
    *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.In, exp.Between, exp.Any, exp.Array),
    *(exp.Add, exp.Sub, exp.Mul, exp.Cast, exp.DataType, exp.DataTypeParam),
)


@lru_cache(maxsize=256)
def speaks_of_null(sql: str) -> bool:
    """Whether a SELECT tests a column for NULL, as ``x = x`` does too, however it is written; true where it
    is not understood.
    """
    if _ABOUT_NULL.search(sql):
        return True
    trees = _parsed(sql)
    return trees is None or any(_with_itself(node) for tree in trees for node in tree.find_all(*_COMPARING))


@lru_cache(maxsize=256)
def filters_plainly(sql: str) -> bool:
    """Whether each of these queries shows one table's columns, under conditions that compare a column with
    constants.

    Of these PostgreSQL can make no test for NULL, as it does of ``x = y`` where both are one column of a
    view, of a function's body, and of a table that is joined with itself.
    """
    trees = None if _ABOUT_NULL.search(sql) else _parsed(sql)
    return trees is not None and all(_is_plain(tree) for tree in trees)


def _parsed(sql: str) -> list[Any] | None:
    """The trees of some queries, None where they are not understood."""
    try:
        return [tree for tree in sqlglot.parse(scrubbed(sql, ""), dialect="postgres") if tree is not None]
    # A deep text is one that is not understood.
    except (SuiteError, SqlglotError, RecursionError):
        return None


def _is_plain(tree: exp.Expr) -> bool:
    nodes = list(tree.walk())
    # By name, because of some types of nodes there are kinds that mean more.
    plain = all(type(node) in _PLAIN for node in nodes) and len(list(tree.find_all(exp.Table))) == 1
    return plain and not any(sum(map(bool, _sides(node))) > 1 for node in tree.find_all(*_COMPARING))


def _sides(node: exp.Expr) -> list[set[tuple[str, str]]]:
    """The columns in each part of a comparison, as (qualifier, name)."""
    return [
        {(c.table.lower(), c.name.lower()) for c in part.find_all(exp.Column)}
        for part in node.iter_expressions()
    ]


def _with_itself(node: exp.Expr) -> bool:
    """Whether a comparison has one column on both of its sides, with or without its table."""
    listed = [column for side in _sides(node) for column in side]
    names = Counter(listed)
    bare = Counter(name for _, name in listed)
    return any(names[table, name] > 1 or (not table and bare[name] > 1) for table, name in names)


def groups_rows(sql: str) -> bool:
    """Whether a text may group rows by their values."""
    return _GROUPED.search(sql) is not None
