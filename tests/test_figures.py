"""Checks of one figure of a table, or of each of its segments: against an oracle that is not SQL, on real servers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from conftest import Server
from helpers import examples, insert, keys, results
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.declare import Declaration

LAW = hypothesis_settings(
    max_examples=examples(20), derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

NAN, INFINITY = Decimal("NaN"), Decimal("Infinity")
Value = Decimal | None

SALES = "CREATE TABLE sales (id integer PRIMARY KEY, shop text, amount numeric); CREATE TABLE archive (id integer, shop text)"


@pytest.fixture(scope="module", params=["server", "server15"])
def sales(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A database with sales, on the embedded PostgreSQL 18 and on the system's 15."""
    server: Server = request.getfixturevalue(request.param)
    name = server.create(SALES)
    yield server, name
    server.drop(name)


def order(value: Decimal) -> tuple[int, Decimal]:
    """PostgreSQL's order of numeric: NaN equals itself and is greater than every number."""
    return (1, Decimal(0)) if value.is_nan() else (0, value)


# --- the oracle ------------------------------------------------------------------------------------------------------

values = st.sampled_from([None, None, Decimal(0), Decimal(1), Decimal("1.5"), Decimal(-3), Decimal("0.1"), NAN, INFINITY])
shops = st.sampled_from([None, "a", "b", ""])
tables = st.lists(st.tuples(shops, values), max_size=9).map(lambda rows: [(n, *row) for n, row in enumerate(rows, 1)])
others = st.lists(shops, max_size=6).map(lambda rows: list(enumerate(rows, 1)))
ends = st.sampled_from([None, 0, 1, 2, Fraction(1, 3), Decimal("1.5"), Decimal("0.1"), 5, -3])

Row = tuple[int, str | None, Value]


def total_of(rows: list[Row]) -> Decimal:
    """PostgreSQL's sum, 0 for no values."""
    found = [v for *_, v in rows if v is not None]
    return NAN if any(v.is_nan() for v in found) else sum(found, Decimal(0))


def within(number: Any, low: Any, high: Any) -> bool:
    """Whether an exact number (or infinity) lies within bounds; NaN never does."""
    if isinstance(number, Decimal) and not number.is_finite():
        return not number.is_nan() and (high is None if number > 0 else low is None)
    return (low is None or Fraction(number) >= low) and (high is None or Fraction(number) <= high)


def quantile_of(rows: list[Row], share: Fraction) -> Value:
    """The value in the place share·n, rounded up; None for no values."""
    found = sorted((v for *_, v in rows if v is not None), key=order)
    return found[max(math.ceil(share * len(found)), 1) - 1] if found else None


def with_value(rows: list[Row]) -> int:
    """How many rows have an amount."""
    return sum(v is not None for *_, v in rows)


@LAW
@given(tables, others, st.tuples(ends, ends), st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(7, 100), Fraction(1)]))
def test_figures_are_what_python_says(
    sales: tuple[Server, str], rows: list[Row], archive: list[Any], bounds: tuple[Any, Any], share: Fraction
) -> None:
    """Each kind finds its figure within its bounds, or not, exactly where a plain loop does: whole, and by segment."""
    server, database = sales
    server.sql("TRUNCATE sales, archive", database)
    insert(server, database, "sales", rows)
    insert(server, database, "archive", archive)
    low, high = sorted(bounds) if None not in bounds else bounds
    if low is None and high is None:
        low = 0
    counts = (1, None) if high is None else (None, math.ceil(abs(high)))
    decimals = tuple(None if end is None else Decimal("0.33") if isinstance(end, Fraction) else end for end in (low, high))

    def distinct(some: list[Row]) -> int:
        return len({order(v) for *_, v in some if v is not None})

    def quantile_held(some: list[Row]) -> bool:
        found = quantile_of(some, share)
        return found is None or within(found, *(None if e is None else Fraction(e) for e in decimals))

    # name: (declaration, whether it holds of some rows and some of the archive, how many rows it judges)
    kinds: dict[str, tuple[Callable[..., Declaration], Callable[[list[Row], int], bool], Callable[[list[Row], int], int]]] = {
        "rows": (
            lambda **more: declare.row_count("sales", low=counts[0], high=counts[1], **more),
            lambda some, _: within(len(some), *counts), lambda some, _: len(some),
        ),
        "nulls": (
            lambda **more: declare.null_share("sales", "amount", high="1/3", **more),
            lambda some, _: not some or Fraction(len(some) - with_value(some), len(some)) <= Fraction(1, 3),
            lambda some, _: len(some),
        ),
        "total": (
            lambda **more: declare.total("sales", "amount", low=low, high=high, **more),
            lambda some, _: within(total_of(some), low, high), lambda some, _: with_value(some),
        ),
        "distinct": (
            lambda **more: declare.distinct_count("sales", "amount", low=counts[0], high=counts[1], **more),
            lambda some, _: within(distinct(some), *counts), lambda some, _: with_value(some),
        ),
        "quantile": (
            lambda **more: declare.quantile("sales", "amount", share, low=decimals[0], high=decimals[1], **more),
            lambda some, _: quantile_held(some), lambda some, _: with_value(some),
        ),
        "equal": (
            lambda **more: declare.row_count_against("sales", "archive", **more),
            lambda some, other: len(some) == other, lambda some, other: len(some) + other,
        ),
        "ratio": (
            lambda **more: declare.row_count_against("sales", "archive", relation="<", factor="2/3", **more),
            lambda some, other: len(some) < Fraction(2, 3) * other, lambda some, other: len(some) + other,
        ),
    }  # fmt: skip
    made = [make(id=name) for name, (make, *_) in kinds.items()]
    made += [make(id=f"{name} where", where="id > 2") for name, (make, *_) in kinds.items()]
    made += [make(id=f"{name} by", segment_by="shop") for name, (make, *_) in kinds.items()]
    found = results(server, database, *made)
    some = [row for row in rows if row[0] > 2]
    by_shop: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_shop[row[1]].append(row)
    for name, (_, held, judged) in kinds.items():
        others_too = name in {"equal", "ratio"}
        for id, part in ((name, rows), (f"{name} where", some)):
            assert (found[id].violations, found[id].examined) == (
                int(not held(part, len(archive))), judged(part, len(archive))
            ), (id, found[id])  # fmt: skip
        segments = set(by_shop) | ({shop for _, shop in archive} if others_too else set())
        sizes = {shop: sum(s == shop for _, s in archive) for shop in segments}
        wrong = {shop for shop in segments if not held(by_shop[shop], sizes[shop])}
        if not segments and not held([], 0):
            wrong = {None}  # nothing at all: the empty table is judged as a whole
        answer = found[f"{name} by"]
        assert (answer.violations, {key for (key,) in keys(answer, "shop")}) == (len(wrong), wrong), (name, answer)
        assert answer.examined == sum(judged(by_shop[shop], sizes[shop]) for shop in segments)
