"""The one ordered merge, against a model that is a dictionary."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate.compare.ordered import groups_side_by_side, side_by_side
from kisaan_validate.errors import DatabaseError

Row = tuple[int, str]

rows = st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab")), max_size=12)
in_order = rows.map(lambda listed: sorted(listed, key=lambda row: row[0]))


def _place(row: Row) -> int:
    return row[0]


def _by_place(listed: Iterable[Row]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for row in listed:
        found[row[0]].append(row)
    return found


@given(in_order, in_order)
def test_groups_are_those_of_a_dictionary(before: list[Row], after: list[Row]) -> None:
    """Every place once, in order, with all rows of both sides in the order in which they came."""
    old, new = _by_place(before), _by_place(after)
    wanted = [(old.get(n, []), new.get(n, [])) for n in sorted(old.keys() | new.keys())]
    assert list(groups_side_by_side(before, after, _place, "disorder")) == wanted


@given(in_order, in_order)
def test_items_of_one_place_stand_side_by_side_one_by_one(before: list[Row], after: list[Row]) -> None:
    """The n-th row of a place beside the n-th of the other side, and alone where there is none."""
    old, new = _by_place(before), _by_place(after)
    wanted = []
    for n in sorted(old.keys() | new.keys()):
        left, right = old.get(n, []), new.get(n, [])
        most = max(len(left), len(right))
        some = [[*side, *[None] * (most - len(side))] for side in (left, right)]
        wanted += list(zip(*some, strict=True))
    assert list(side_by_side(before, after, _place, "disorder")) == wanted


@given(in_order, in_order)
def test_identical_items_are_told_in_runs(before: list[Row], after: list[Row]) -> None:
    """Of the same pairs in the same order, those that are equal are told as (first, last, how many)."""
    told: list[object] = []

    def see(first: Row, last: Row, many: int) -> None:
        told.append((first, last, many))

    for pair in side_by_side(before, after, _place, "disorder", see):
        told.append(pair)
    wanted: list[object] = []
    pairs = side_by_side(before, after, _place, "disorder")
    for alike, run in groupby(pairs, lambda pair: pair[0] == pair[1]):
        listed = list(run)
        wanted += [(listed[0][0], listed[-1][0], len(listed))] if alike else listed
    assert told == wanted


@given(rows, in_order, st.booleans())
def test_a_side_that_goes_back_is_refused(listed: list[Row], other: list[Row], first: bool) -> None:
    """Whatever the other side is, and only then: a row behind one of a later place."""
    sides = (listed, other) if first else (other, listed)
    went_back = any(a[0] > b[0] for a, b in pairwise(listed))
    for merged in (side_by_side(*sides, _place, "disorder"), groups_side_by_side(*sides, _place, "disorder")):
        if went_back:
            with pytest.raises(DatabaseError, match="disorder"):
                list(merged)
        else:
            list(merged)


@pytest.mark.parametrize("grouped", [False, True])
def test_a_failure_of_a_side_comes_through(grouped: bool) -> None:
    def broken() -> Iterator[Row]:
        yield 1, "a"
        raise DatabaseError("the connection was lost")

    merge = groups_side_by_side if grouped else side_by_side
    with pytest.raises(DatabaseError, match="connection was lost"):
        list(merge([(0, "a"), (1, "b"), (2, "c")], broken(), _place, "disorder"))


def test_rows_of_one_place_may_be_refused() -> None:
    def add(group: list[Row], row: Row) -> None:
        if len(group) == 3:
            raise DatabaseError("too many")
        group.append(row)

    few, many = [(1, "a")] * 3, [(1, "a")] * 4
    assert list(groups_side_by_side(few, [], _place, "disorder", add)) == [(few, [])]
    with pytest.raises(DatabaseError, match="too many"):
        list(groups_side_by_side(few, many, _place, "disorder", add))


@pytest.mark.parametrize("grouped", [False, True])
def test_memory_does_not_grow_with_the_streams(grouped: bool) -> None:
    """However far one side is ahead: a hundred thousand rows of one side wait for none of the other."""
    merge = groups_side_by_side if grouped else side_by_side
    before = ((n, "x" * 200) for n in range(100_000))
    after = ((n, "y" * 200) for n in range(99_999, 200_000))
    tracemalloc.start()
    try:
        count = sum(1 for _ in merge(before, after, _place, "disorder"))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 200_000
    assert peak < 100_000
