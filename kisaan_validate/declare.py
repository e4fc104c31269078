"""Invariants that a DataFrame schema cannot say: relations, sums, uniqueness, catalogue state.

Each function returns a :class:`Declaration` (:func:`control_total` a TotalSpec, :func:`month` and
:func:`day` a part of its ``by``) and, while a suite is being loaded, adds it to that suite, so a file in
``checks/`` just calls them. All take the same closing keyword arguments: ``id``, ``severity``
("blocking", "warning", "info"), ``why``, ``hint``, ``owner``, ``tags``, ``tolerance``, ``applies``
(conditions such as ``"column orders.total"``, ``"not table old_orders"``), ``filter`` (False: the table's
filter from ``suite.toml`` does not apply; or a SQL condition that takes its place). Table names may be
aliases from ``suite.toml``.

Every function raises SuiteError, with file and line, for arguments that cannot be meant.

Kinds of other packages (see ``plugins``) are found here too, by the names of their entry points;
:func:`declaration` is what their functions call.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from types import FrameType
from typing import Any, TypedDict, TypeVar, Unpack
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_column
from kisaan_validate.facts.totals import GroupPart, TotalSpec
from kisaan_validate.rules import (
    bounds,
    catalogue,
    documents,
    intervals,
    plugins,
    rows,
    series,
    sets,
)
from kisaan_validate.rules.base import Join, Rule
from kisaan_validate.rules.counts import DistinctCount, NullShare, RowCount, RowCountAgainst
from kisaan_validate.rules.fresh import Fresh
from kisaan_validate.rules.meta import Meta, exact_share, read_meta
from kisaan_validate.rules.present import MinimumRows, NamesPresent, SequenceAhead
from kisaan_validate.rules.quantile import Quantile
from kisaan_validate.rules.reconciles import SUM_OPERATORS, Reconciles
from kisaan_validate.rules.relations import Agrees, HoldsWith, References
from kisaan_validate.rules.server import health
from kisaan_validate.rules.server.base import ServerRule
from kisaan_validate.rules.totals import Total
from kisaan_validate.rules.unique import Unique
from kisaan_validate.text.nearest import did_you_mean

__all__ = [
    "Declaration",
    "agrees",
    "column",
    "constraint",
    "control_total",
    "day",
    "decimals",
    "declaration",
    "distinct_count",
    "fresh",
    "holds",
    "holds_with",
    "index",
    "json_path",
    "ledger",
    "minimum_rows",
    "month",
    "no_column_of_type",
    "no_gaps",
    "null_share",
    "quantile",
    "reconciles",
    "references",
    "row_count",
    "row_count_against",
    "sequence",
    "server_health",
    "table",
    "total",
    "triggers",
    "unique",
    "values_in",
]


class MetaArguments(TypedDict, total=False):
    """The keyword arguments that every declaration takes."""

    id: str
    severity: str
    tolerance: Any
    why: str
    hint: str
    finding: str
    owner: str
    tags: Any
    applies: Any
    filter: Any


class FigureArguments(MetaArguments, total=False):
    """The keyword arguments that every declaration of a figure takes beside these.

    ``where`` is SQL over a row: the figure is one of the rows for which it is true. ``segment_by`` names
    columns: the figure of each of their values is judged by itself, and each that fails is a violation;
    more than ``segments`` of them are an error, never left out. Rows with NULL there are a segment too.
    """

    where: str
    segment_by: str | list[str] | tuple[str, ...]
    segments: int


@dataclass(frozen=True)
class Declaration:
    """One declared check before it belongs to a suite. ``foreign``: by another package's function."""

    name: str
    table: str
    columns: tuple[str, ...]
    rule: Rule
    meta: Meta
    origin: str
    foreign: bool = False


collector: ContextVar[list[Declaration | TotalSpec] | None] = ContextVar("collector", default=None)
"""Where declarations go while a suite is being loaded."""

source: ContextVar[str] = ContextVar("source", default="")
"""The file of a suite that is being loaded: the line in it that calls is the origin of a declaration.
"""


def _caller() -> str:
    frame = sys._getframe(1)
    outer: FrameType | None = frame
    while outer is not None and outer.f_code.co_filename != source.get():
        outer = outer.f_back
    if outer is not None:
        return f"{source.get()}:{outer.f_lineno}"
    while frame.f_back is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _columns(columns: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _declare(
    name: str, table: str, columns: tuple[str, ...], rule: Rule, meta: MetaArguments, foreign: bool = False
) -> Declaration:
    origin = _caller()
    if not table and not isinstance(rule, (catalogue.NoColumnOfType, ServerRule)):
        raise SuiteError(f"{name}() needs a table", origin=origin)
    made = Declaration(name, table, columns, rule, read_meta(dict(meta), origin), origin, foreign)
    if made.meta.filter is not None and not rule.judges(table):
        raise SuiteError(
            f"{name}() does not judge rows, so a filter has no effect", "remove filter=…", origin
        )
    gathered = collector.get()
    if gathered is not None:
        gathered.append(made)
    return made


MOST_GROUPS = 10_000
"""So many groups a control total may ask for at most: all of them are recorded."""


def month(column: str, zone: str = "UTC") -> GroupPart:
    """For ``by`` of a control total: the month of a date or time, named by its first day. ``zone`` is for a
    timestamptz; other columns are taken as they are stored.
    """
    _check_zone(zone)
    return GroupPart(column, "month", zone)


def day(column: str, zone: str = "UTC") -> GroupPart:
    """For ``by`` of a control total: the day of a date or time. ``zone`` is as for :func:`month`."""
    _check_zone(zone)
    return GroupPart(column, "day", zone)


def control_total(
    table: str, column: str, *, by: str | GroupPart | list[str | GroupPart], most: int = 1_000
) -> TotalSpec:
    """Each run and baseline records each group's rows and exact sum, for comparison.

    ``by`` names columns, or :func:`month` and :func:`day` of one; NULL is a group too. More than ``most``
    groups are no answer. It is no check: without a baseline it is shown only. Personal columns are refused.
    """
    origin = _caller()
    given = by if isinstance(by, list) else [by]
    parts = tuple(GroupPart(part) if isinstance(part, str) else part for part in given)
    if not table or not column or not parts or not all(isinstance(p, GroupPart) for p in parts):
        raise SuiteError("control_total() needs a table, a column, and by=[…]", origin=origin)
    if type(most) is not int or not 1 <= most <= MOST_GROUPS:
        raise SuiteError(f"most={most!r} is not a number of groups", f"write 1 to {MOST_GROUPS:,}", origin)
    made = TotalSpec(table, column, parts, most, origin)
    gathered = collector.get()
    if gathered is not None:
        gathered.append(made)
    return made


def declaration(
    name: str, table: str, columns: str | list[str] | tuple[str, ...], rule: Rule, meta: MetaArguments
) -> Declaration:
    """What a function of another package returns: its check, whose id ends in ``name``, proved by ``rule``.

    ``meta`` are the closing keyword arguments, handed on as they came. Raises SuiteError for a rule that
    cannot be told from others: of a kind that is taken, or a class that is no frozen dataclass, whose
    parameters would not be part of what the check means.
    """
    made_by = type(rule)
    if not isinstance(rule, Rule) or not isinstance(getattr(rule, "kind", None), str) or not rule.kind:
        raise SuiteError(
            f"{name}() returned {rule!r}, not a rule",
            "derive its class from one in kisaan_validate.rules.base",
            _caller(),
        )
    if not _own(made_by) and "__dataclass_params__" not in vars(made_by):
        raise SuiteError(
            f"{made_by.__name__} is not itself a dataclass",
            "write @dataclass(frozen=True) above it",
            _caller(),
        )
    if not _own(made_by) and any(other.kind == rule.kind and other is not made_by for other in _kinds(Rule)):
        raise SuiteError(
            f"the kind {rule.kind!r} of {made_by.__name__} is already taken",
            "give it a different name",
            _caller(),
        )
    return _declare(name, table, _columns(columns), rule, meta, foreign=True)


def _own(rule: type[Rule]) -> bool:
    return rule.__module__.startswith("kisaan_validate.")


def _kinds(rule: Any) -> Iterator[type[Rule]]:
    """All classes below a rule that have a kind."""
    for below in rule.__subclasses__():
        if "kind" in vars(below):
            yield below
        yield from _kinds(below)


def __getattr__(name: str) -> Any:
    """The functions of other packages' kinds."""
    found = {} if name.startswith("_") else plugins.kinds()
    if name not in found:
        hint = did_you_mean(name, [*__all__, *found])
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}" + (f"; {hint}" if hint.startswith("did") else "")
        )
    return found[name]


def _yes(allow_nan: Any) -> bool:
    if not isinstance(allow_nan, bool):
        raise SuiteError(f"allow_nan={allow_nan!r} is neither True nor False", origin=_caller())
    return allow_nan


def _choice(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise SuiteError(f"{name}={value!r} is not one of {', '.join(known)}", origin=_caller())
    return value


def _join(columns: str | list[str], to: str, on: str | list[str]) -> Join:
    own, other = _columns(columns), _columns(on)
    if len(own) != len(other) or not own:
        raise SuiteError(f"{own} and {other} are not pairs of columns", origin=_caller())
    return Join(own, to, other)


Read = TypeVar("Read")


def _read(read: Callable[..., Read], *given: Any) -> Read:
    """What a reader makes of arguments, its complaint placed at the author's line."""
    try:
        return read(*given)
    except SuiteError as error:
        raise SuiteError(error.fact, error.hint, _caller()) from None


def _figure(given: FigureArguments, columns: tuple[str, ...] = ()) -> tuple[dict[str, Any], MetaArguments]:
    """The rule's fields of a figure's keyword arguments, and the others, which every declaration takes."""
    segment_by = _columns(given.get("segment_by", ()))
    segments = given.get("segments", 100)
    if isinstance(segments, bool) or not isinstance(segments, int) or segments < 1:
        raise SuiteError(
            f"segments={segments!r} is not a number of segments", "write a whole number, 1 or more", _caller()
        )
    if "segments" in given and not segment_by:
        raise SuiteError(
            "segments=… limits the number of segments, but there is no segment_by=…", "", _caller()
        )
    if twice := [c for c in segment_by if segment_by.count(c) > 1 or c in columns or not c]:
        raise SuiteError(
            f"{twice[0]!r} cannot be used for segments here", "name other columns, each once", _caller()
        )
    fields = {"where": given.get("where", ""), "segment_by": segment_by, "segments": segments}
    meta: Any = {key: value for key, value in given.items() if key not in fields}
    return fields, meta


def _share(value: Any, what: str) -> Any:
    """A share as an exact number; None stays None."""
    read = exact_share(value) if isinstance(value, str) else value
    if isinstance(value, str) and read is None:
        raise SuiteError(f"{what}={value!r} cannot be parsed", 'write "5%" or "1/20"', _caller())
    return read


def row_count(
    table: str, *, low: int | None = None, high: int | None = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The number of rows."""
    fields, meta = _figure(more)
    rule = RowCount(bounds=_read(bounds.read_count_bounds, low, high), **fields)
    return _declare("row_count", table, (), rule, meta)


def row_count_against(
    table: str,
    other: str,
    *,
    relation: str = "=",
    factor: Any = 1,
    other_where: str = "",
    **more: Unpack[FigureArguments],
) -> Declaration:
    """The number of rows is ``relation`` (= <= >= < >) ``factor`` times that of ``other``.

    ``factor`` is an exact number above 0 (a whole number, Decimal, Fraction or "80%"). ``other_where`` is
    SQL over a row of ``other``. With ``segment_by`` both tables need its columns.
    """
    _choice("relation", relation, SUM_OPERATORS)
    fields, meta = _figure(more)
    exact = _read(bounds.read_exact, _share(factor, "factor"), "factor")
    if exact <= 0 or not other:
        raise SuiteError("row_count_against() needs another table, and a factor above 0", origin=_caller())
    if other == table and fields["where"] == other_where:
        raise SuiteError(
            "it compares a table with itself", "name another table, or restrict one side", _caller()
        )
    rule = RowCountAgainst(other=other, relation=relation, factor=exact, other_where=other_where, **fields)
    return _declare("row_count_against", table, (), rule, meta)


def null_share(
    table: str, column: str, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The share of NULLs.

    A bound is exact: "5%", "1/20", Fraction(1, 20), Decimal("0.05"), 0 or 1. It is compared without dividing.
    """
    fields, meta = _figure(more, (column,))
    found = _read(bounds.read_bounds, _share(low, "low"), _share(high, "high"))
    rule = NullShare(bounds=_read(bounds.check_share_bounds, found), **fields)
    return _declare("null_share", table, (column,), rule, meta)


def total(
    table: str, column: str, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The exact sum of integers or numeric; 0 of no values.

    A bound is a whole number, Decimal or Fraction.
    """
    fields, meta = _figure(more, (column,))
    rule = Total(bounds=_read(bounds.read_bounds, low, high), **fields)
    return _declare("total", table, (column,), rule, meta)


def distinct_count(
    table: str,
    columns: str | list[str],
    *,
    low: int | None = None,
    high: int | None = None,
    **more: Unpack[FigureArguments],
) -> Declaration:
    """The number of different values or combinations; NULL is none."""
    fields, meta = _figure(more, _columns(columns))
    if not _columns(columns):
        raise SuiteError("distinct_count() needs columns", origin=_caller())
    rule = DistinctCount(bounds=_read(bounds.read_count_bounds, low, high), **fields)
    return _declare("distinct_count", table, _columns(columns), rule, meta)


def quantile(
    table: str, column: str, share: Any, *, low: Any = None, high: Any = None, **more: Unpack[FigureArguments]
) -> Declaration:
    """The ``share``-quantile ("95%"), as ``percentile_disc`` gives it.

    ``share`` is exact: "95%", "1/2", Fraction, Decimal, or 1 for the greatest value. A bound is a value that
    compares with the column's: a whole number, Decimal, date, datetime, timedelta or text.
    """
    fields, meta = _figure(more, (column,))
    exact = _read(bounds.read_exact, _share(share, "share"), "share")
    if not 0 < exact <= 1:
        raise SuiteError(
            f"share={share!r} is not a share of the values",
            'write "50%"; for the smallest value use a row check',
            _caller(),
        )
    _read(_value_bounds, low, high)
    rule = Quantile(share=exact, low=low, high=high, **fields)
    return _declare("quantile", table, (column,), rule, meta)


def _value_bounds(low: Any, high: Any) -> None:
    """Raises SuiteError for bounds that cannot be written exactly, or leave nothing, or all."""
    from kisaan_validate.sql.expressions import literal

    for what, value in (("low", low), ("high", high)):
        intervals.refuse_no_value(value, what)
        if isinstance(value, (bool, float)):
            raise SuiteError(
                f"{what}={value!r} is not exact", 'write 5, Decimal("0.1"), a date, a datetime or a text'
            )
        try:
            literal(value) if value is not None else None
        except (TypeError, ValueError) as error:
            raise SuiteError(f"{what}={value!r}: {error}") from None
    if low is None and high is None:
        raise SuiteError("without low and high it can never fail", "write low=…, high=…, or both")
    intervals.Interval(low, high).refuse_void()


def fresh(
    table: str, column: str, within: timedelta, *, zone: str = "", **more: Unpack[FigureArguments]
) -> Declaration:
    """The newest value up to now is at most ``within`` (a timedelta) old; ``zone``: of values without one.

    A table without any value is not fresh.

    Now is the time of the run's snapshot; what is dated later does not count. ``zone`` ("Asia/Kolkata") is
    the time zone of values that have none: a ``timestamp``, or a ``date``, whose age is counted in whole
    days of its calendar.
    """
    if not isinstance(within, timedelta) or within <= timedelta(0) or getattr(within, "nanoseconds", 0) != 0:
        raise SuiteError(f"within={within!r} is not an age", "write timedelta(days=2)", _caller())
    _check_zone(zone)
    fields, meta = _figure(more, (column,))
    return _declare("fresh", table, (column,), Fresh(within=within, zone=zone, **fields), meta)


def _check_zone(zone: str) -> None:
    """Only names of the time zone database: an abbreviation means one zone here and another there."""
    try:
        known = not zone or bool(re.fullmatch(r"UTC|\w+(/[\w+-]+)+", zone, re.A) and ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        known = not available_timezones()  # a machine without the database knows none; the server will
    if not known:
        hint = did_you_mean(zone, available_timezones())
        raise SuiteError(
            f"zone={zone!r} is not a time zone",
            hint if hint.startswith("did") else 'write "Asia/Kolkata" or "UTC"',
            _caller(),
        )


def values_in(
    table: str,
    columns: str | list[str],
    reference: str,
    on: str | list[str],
    *,
    where: str = "",
    reference_where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Every value but NULL occurs in ``on`` of ``reference``, unique or not.

    ``where`` is SQL over a row of ``table``, ``reference_where`` over a row of ``reference``.
    """
    join = _join(columns, reference, on)
    rule = sets.ValuesIn(reference, join.parent_columns, where, reference_where)
    listed = f"{reference}.{', '.join(join.parent_columns)}"
    meta.setdefault("hint", f"fix the value in {table}, or add it to {listed}")
    return _declare("values_in", table, join.columns, rule, meta)


def json_path(
    table: str, column: str, path: str, *, nulls: str = "present", **meta: Unpack[MetaArguments]
) -> Declaration:
    """A SQL/JSON path ("$.customer.id") finds something in each document; JSON null is "present" or "absent".

    ``nulls``: a JSON null that it finds counts if "present", and does not if "absent". A column (json or
    jsonb) that is NULL passes.
    """
    _choice("nulls", nulls, ("present", "absent"))
    _read(documents.check_path, path)
    return _declare("json_path", table, (column,), documents.JsonPath(path=path, nulls=nulls), meta)


def no_gaps(
    table: str,
    column: str,
    *,
    by: str | list[str] | tuple[str, ...] = (),
    order_by: str = "",
    step: Any = 1,
    start: Any = None,
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Each value is one ``step`` after the previous, per series of ``by``.

    None is missing, none occurs twice. In the order of the values, or of ``order_by``; ``by`` are columns
    for each of whose values there is a series of its own; ``start`` is what each begins with. For
    integers, numeric and dates (steps of days). NULL has no place in it.
    """
    exact = _read(bounds.read_exact, step, "step")
    if exact <= 0:
        raise SuiteError(f"step={step!r} is not above 0", "write a number above 0", _caller())
    if column in _columns(by) or order_by in _columns(by) or order_by == column:
        raise SuiteError("column, by and order_by must be different columns", origin=_caller())
    _read(_value_bounds, 0 if start is None else start, None)
    rule = series.NoGaps(_columns(by), order_by, exact, start, where)
    return _declare("no_gaps", table, (column,), rule, meta)


def holds(
    table: str, expression: str, *, volatile: Any = (), allow_nan: bool = False, **meta: Unpack[MetaArguments]
) -> Declaration:
    """A SQL expression over one row is not false; NULL passes.

    A row violates it too where a column that it reads is NaN, which PostgreSQL takes for greater than
    every number and equal to itself; not where the expression speaks of NaN itself (``amount > 0 OR amount
    = 'NaN'``), or ``allow_nan``.
    """
    from kisaan_validate.sql.reading import expression_columns

    read = expression_columns(expression, _caller())
    rule = rows.Holds(
        expression=expression, volatile=frozenset(_columns(volatile)), allow_nan=_yes(allow_nan)
    )
    return _declare("holds", table, read, rule, meta)


def decimals(
    table: str, column: str, places: int = 2, *, allow_nan: bool = False, **meta: Unpack[MetaArguments]
) -> Declaration:
    """No value has more decimal places; a float's shortest text counts, a NaN violates."""
    rule = _read(lambda: rows.Decimals(places=places, allow_nan=_yes(allow_nan)))
    return _declare("decimals", table, (column,), rule, meta)


def unique(
    table: str,
    columns: str | list[str],
    *,
    nulls_equal: bool = True,
    counts: str = "surplus",
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """No two rows agree; violations are "surplus" rows, or values that repeat ("groups").

    ``nulls_equal``: NULL equals NULL (else a row with a NULL is never a duplicate). ``counts``: "surplus"
    counts the rows to be removed, "groups" the values that occur more than once. ``where`` restricts the
    rows.
    """
    _choice("counts", counts, ("surplus", "groups"))
    if not _columns(columns):
        raise SuiteError("unique() needs columns", origin=_caller())
    return _declare("unique", table, _columns(columns), Unique(nulls_equal, counts, where), meta)


def references(
    table: str,
    columns: str | list[str],
    to: str,
    on: str | list[str] = "id",
    *,
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """Every reference that is not NULL finds its row.

    ``where`` is SQL over ``child``; it restricts the rows that are judged (of those that fail there is no
    ``parent``).
    """
    if where:
        from kisaan_validate.sql.reading import qualified_columns

        qualified_columns(where, ("child",), _caller())
    return _declare("references", table, (), References(_join(columns, to, on), where), meta)


def agrees(
    table: str,
    column: str,
    *,
    with_: str,
    via: str | list[str],
    on: str | list[str] = "id",
    nulls: str = "distinct",
    where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A column repeats ``with_`` ("other.column") of the row it refers to; NULLs are "distinct" or
    "pass".

    The row is found by ``via`` = ``on``. ``nulls``: "distinct" makes NULL against a value a violation,
    "pass" judges only where both have a value. ``where`` is SQL over ``child`` and ``parent``.
    """
    _choice("nulls", nulls, ("distinct", "pass"))
    other, other_column = split_column(with_)
    if not other or not other_column:
        raise SuiteError(f"with_={with_!r} is not 'table.column'", origin=_caller())
    rule = Agrees(_join(via, other, on), other_column, nulls, where)
    return _declare("agrees", table, (column,), rule, meta)


def holds_with(
    table: str,
    expression: str,
    *,
    parent: str,
    via: str | list[str],
    on: str | list[str] = "id",
    volatile: Any = (),
    allow_nan: bool = False,
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """A SQL expression over ``child`` and the ``parent`` it refers to is not false.

    A NaN violates it as it violates :func:`holds`.
    """
    from kisaan_validate.sql.reading import qualified_columns

    origin = _caller()
    read = qualified_columns(expression, ("child", "parent"), origin)
    rule = HoldsWith(
        _join(via, parent, on),
        expression,
        tuple(read["parent"]),
        frozenset(_columns(volatile)),
        _yes(allow_nan),
    )
    return _declare("holds_with", table, tuple(read["child"]), rule, meta)


def reconciles(
    table: str,
    column: str,
    *,
    details: str,
    detail_column: str,
    via: str,
    on: str = "id",
    relation: str = "=",
    missing: str = "zero",
    where: str = "",
    detail_where: str = "",
    **meta: Unpack[MetaArguments],
) -> Declaration:
    """The sum of a row's details is ``relation`` (= <= >= < >) its column; without any it is "zero", or the
    row is left out ("skip").

    The details are the rows whose ``via`` equals ``on``. ``missing``: a row without details counts as
    "zero", or is left out ("skip"). ``where`` is SQL over ``parent`` (a row of ``table``);
    ``detail_where`` over a row of ``details``.
    """
    _choice("relation", relation, SUM_OPERATORS)
    _choice("missing", missing, ("zero", "skip"))
    rule = Reconciles(details, detail_column, via, on, relation, missing, where, detail_where)
    return _declare("reconciles", table, (column,), rule, meta)


def sequence(table: str, column: str = "id", **meta: Unpack[MetaArguments]) -> Declaration:
    """The sequence is not behind the column."""
    return _declare("sequence", table, (column,), SequenceAhead(), meta)


def ledger(table: str, column: str, names: list[str], **meta: Unpack[MetaArguments]) -> Declaration:
    """Each name, such as a migration's, is in the ledger."""
    if not names:
        raise SuiteError("ledger() needs names", origin=_caller())
    return _declare("ledger", table, (column,), NamesPresent(tuple(names)), meta)


def minimum_rows(table: str, minimum: int = 1, **meta: Unpack[MetaArguments]) -> Declaration:
    """At least so many rows."""
    return _declare("minimum_rows", table, (), _read(MinimumRows, minimum), meta)


def table(name: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """The table exists."""
    return _declare("present", name, (), catalogue.Present(), meta)


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
            "column() takes one fact per call", "call it once for each of type, nullable, default", _caller()
        )
    if type:
        rule: Rule = catalogue.TypeIs(tuple(catalogue.canonical_type(t) for t in _columns(type)))
        return _declare("type", table, (name,), rule, meta)
    if nullable is not None:
        return _declare("nullability", table, (name,), catalogue.NotNullDeclared(nullable), meta)
    if default is not _UNSAID:
        return _declare("default", table, (name,), catalogue.DefaultIs(default), meta)
    return _declare("present", table, (name,), catalogue.Present(), meta)


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
    _choice("kind", kind, tuple(catalogue._CONSTRAINT_KINDS))
    rule = catalogue.HasConstraint(kind, name, to, nulls_not_distinct)
    if not columns and not name:
        raise SuiteError("constraint() needs columns or a name", origin=_caller())
    return _declare("constraint", table, _columns(columns), rule, meta)


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
        raise SuiteError("index() needs columns or a name", origin=_caller())
    return _declare("index", table, _columns(columns), catalogue.HasIndex(name, unique), meta)


def triggers(table: str, *names: str, **meta: Unpack[MetaArguments]) -> Declaration:
    """Every trigger is enabled, and those named exist."""
    return _declare("triggers", table, (), catalogue.TriggersEnabled(names), meta)


def no_column_of_type(
    type: str, *, tables: str = "*", except_: list[str] | tuple[str, ...] = (), **meta: Unpack[MetaArguments]
) -> Declaration:
    """No column has this type, except "table.column" in ``except_``."""
    rule = catalogue.NoColumnOfType(catalogue.canonical_type(type), tables, tuple(except_))
    return _declare("no_column_of_type", "", (), rule, meta)


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
    bounds = _read(health.HealthBounds, wraparound, overdue, values_left, days, wal_bytes)
    prefix, wanted = meta.get("id", ""), _columns(only) or tuple(health.CHECKS)
    for name in wanted:
        _choice("only", name, tuple(health.CHECKS))
    made = []
    for name in dict.fromkeys(wanted):
        said: Any = {"why": health.WHY[name], "hint": health.HINTS[name], **meta}
        said["id"] = f"{prefix}.{name}" if prefix else ""
        made.append(_declare(name, "", (), health.CHECKS[name](bounds), said))
    return made
