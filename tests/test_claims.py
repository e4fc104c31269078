"""Each cause of differences claims what it makes, and not one difference more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from test_causes import PAID, THREE, Row, compared, side

from kisaan_validate.compare.causes.base import ChangeGroup, GroupCause, Proof, Single, listed, sides_of
from kisaan_validate.compare.causes.grouping import grouped
from kisaan_validate.compare.causes.rows import CountMoved, count_moved, rows_differ
from kisaan_validate.compare.causes.values import (
    AlteredAlike,
    ColumnValues,
    EndsMoved,
    GroupsDiffer,
    ObjectsMoved,
    SequencesMoved,
)
from kisaan_validate.compare.changes import diff, with_rows
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import (
    ADDED,
    CHANGED_ROWS,
    DIGEST,
    REMOVED,
    ROWS,
    SEQUENCE,
    TOTALS,
    VALUES,
    Change,
)
from kisaan_validate.facts.kept import RowsCompared
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, TableDigests, TableFacts

T = "payments"


def value(name: str, aspect: str, table: str = T) -> Change:
    """A figure that differs."""
    return Change(VALUES, table, name, aspect, "1", "2")


def number(aspect: str, delta: int | None, table: str = T) -> Change:
    """A number of rows that differs."""
    return Change(ROWS, table, "", aspect, "1", "2", delta)


def claims(cause: GroupCause, *changes: Change) -> list[bool]:
    """Which of these it says it makes."""
    return [cause.reproduces(change) for change in changes]


# --- rows compared one by one -----------------------------------------------------------------------------

FACTS = TableFacts(
    "public",
    T,
    "table",
    3,
    columns=(
        ColumnFacts("amount", "numeric", Profile(Family.NUMBER, 0)),
        ColumnFacts("note", "json", Profile(Family.OTHER, 0)),
        ColumnFacts("phone", "text", Profile(Family.TEXT, 0, personal=True)),
        ColumnFacts("bare", "text"),
    ),
    digests=TableDigests(("id",), left_out={"note": "it is json"}),
)
COUNTS = (
    number("count", 1),
    number("count", -1),
    number("added", 3),
    number("removed", 2),
    number("changed", 4),
    number("added", 4),
    number(DIGEST, None),
)


def by_rows(added: int, removed: int, changed: int | None, **more: TableFacts) -> GroupCause:
    """The cause that rows compared one by one make known."""
    told = RowsCompared(T, ("id",), added, removed, changed)
    cause = rows_differ(told, more.get("before", FACTS), more.get("after", FACTS))
    assert cause is not None
    return cause


def test_rows_make_their_own_numbers() -> None:
    """The difference of the counts, as many rows of each kind as there are, and, where rows came or went, the
    digest of the keys.
    """
    assert claims(by_rows(3, 2, 4), *COUNTS) == [True, False, True, True, True, False, True]
    assert claims(by_rows(2, 3, 4), *COUNTS) == [False, True, False, False, True, False, True]
    assert claims(by_rows(0, 0, 4), *COUNTS) == [False, False, False, False, True, False, False]
    assert claims(by_rows(3, 0, 0), *COUNTS)[-1]
    assert claims(by_rows(0, 2, 0), *COUNTS)[-1]
    assert not by_rows(3, 2, 4).reproduces(number("added", 3, "other"))
    assert not by_rows(3, 2, 4).reproduces(number("changed", None))


def test_rows_make_figures_of_the_columns_that_their_digest_covers() -> None:
    """On both sides; not of one that it left out, of a personal one, nor of one without figures."""
    columns = ("amount", "note", "phone", "bare", "nothing")
    for told in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        found = claims(by_rows(*told), *(value(name, "total") for name in columns))
        assert found == [True, False, False, False, False]
    without = replace(FACTS, columns=FACTS.columns[1:])
    for sides in ({"before": without}, {"after": without}):
        assert not by_rows(1, 0, 0, **sides).reproduces(value("amount", "total"))
    assert not by_rows(1, 0, 0).reproduces(value("amount", "total", "other"))


def test_rows_that_were_not_compared_or_agree_are_no_cause() -> None:
    """Nor is an unknown number."""
    told = RowsCompared(T, ("id",), 1, 1, 1)
    for nothing in (
        replace(told, message="locked"),
        replace(told, added=None),
        replace(told, removed=None),
        RowsCompared(T, ("id",), 0, 0, 0),
        RowsCompared(T, ("id",), 0, 0, None),
    ):
        assert rows_differ(nothing, FACTS, FACTS) is None
    assert by_rows(1, 0, None).words([]) == "1 row added"
    assert by_rows(1, 2, 3).words([]) == "2 rows removed, 1 row added, 3 rows changed"


# --- only a number of rows --------------------------------------------------------------------------------

WIDE = Profile(Family.NUMBER, 2, "1", "10", "100")


def count(delta: int, narrow: Profile, wide: Profile = WIDE) -> CountMoved:
    """So many rows more or fewer, beside the figures of the side with more and of that with fewer."""
    more, less = ({"amount": profile} for profile in (wide, narrow))
    return CountMoved(T, delta, more, less)


FEWER_NULLS = {
    # of the nulls, the figure may differ where so many rows went
    (2, 2): True,
    (2, 1): True,
    (2, 0): True,
    (1, 1): True,
    (1, 0): False,
    (2, 3): False,
}


@pytest.mark.parametrize(("rows", "left"), FEWER_NULLS)
def test_rows_that_went_took_as_many_nulls_as_they_are_at_most(rows: int, left: int) -> None:
    """And none came of it. More rows are the same with the sides exchanged."""
    for delta in (-rows, rows):
        cause = count(delta, replace(WIDE, nulls=left))
        assert cause.reproduces(value("amount", "nulls")) is FEWER_NULLS[rows, left]
    unknown = count(-rows, replace(WIDE, nulls=None))
    assert not unknown.reproduces(value("amount", "nulls"))


@pytest.mark.parametrize(
    ("left", "follows"), [("98", True), ("80", True), ("90", True), ("98.01", False), ("79.99", False)]
)
def test_so_many_values_took_from_the_sum_what_they_can(left: str, follows: bool) -> None:
    """Two values between the ends: at least two of the smallest, at most two of the largest."""
    cause = count(-2, replace(WIDE, total=left))
    assert cause.reproduces(value("amount", "total")) is follows


def test_rows_without_a_value_changed_no_figure_of_values() -> None:
    """Both rows that went held NULL."""
    cause = count(-2, replace(WIDE, nulls=0, minimum="2", maximum="9", total="98"))
    assert claims(cause, *(value("amount", a) for a in ("nulls", "minimum", "maximum", "total"))) == [
        True,
        False,
        False,
        False,
    ]


def test_ends_only_draw_in() -> None:
    """The side with fewer rows has no end further out."""
    inside = count(-1, replace(WIDE, minimum="2", maximum="9"))
    outside = count(-1, replace(WIDE, minimum="0", maximum="11"))
    ends = value("amount", "minimum"), value("amount", "maximum")
    assert claims(inside, *ends) == [True, True]
    assert claims(outside, *ends) == [False, False]
    half = count(-1, replace(WIDE, minimum="2", maximum="11"))
    assert claims(half, *ends) == [True, False]


def test_where_no_value_is_left_the_whole_sum_went() -> None:
    """And both ends; where nothing was before, nothing can have gone."""
    none = Profile(Family.NUMBER, 2)
    all_ = [value("amount", a) for a in ("minimum", "maximum", "total")]
    assert claims(count(-10, none), *all_) == [True, True, True]
    assert claims(count(-9, none), *all_) == [True, True, False]
    assert claims(count(-10, none, replace(none, nulls=2)), *all_) == [False, False, False]


def test_a_count_makes_itself_and_digests_and_nothing_else() -> None:
    """Not another number of rows, another table's, rows that hold another value, a column on one side."""
    cause = count(-2, replace(WIDE, total="90"))
    changes = (
        (number("count", -2), True),
        (number("count", 2), False),
        (number("removed", -2), False),
        (number("count", -2, "other"), False),
        (value("amount", DIGEST), True),
        (value("amount", CHANGED_ROWS), False),
        (value("amount", "total", "other"), False),
        (value("gone", DIGEST), False),
        (Change("column", T, "amount", "type", "1", "2"), False),
    )
    assert claims(cause, *(change for change, _ in changes)) == [wanted for _, wanted in changes]
    assert cause.proof is Proof.POSSIBLE
    assert (cause.words([]), count(1, WIDE).words([])) == ("2 fewer rows", "1 more row")


def test_which_side_has_more_rows_follows_from_the_count() -> None:
    """Both ways the same figures are the wide ones."""
    two, three = (side(rows).tables[0] for rows in (THREE[:2], THREE))
    went, came = count_moved(number("count", -1), three, two), count_moved(number("count", 1), two, three)
    for cause in (went, came):
        assert (cause.more["amount"].total, cause.less["amount"].total) == ("600", "300")


# --- values -----------------------------------------------------------------------------------------------


def shifted(rows: Sequence[Row]) -> list[Row]:
    """Half an hour later, and dearer by one."""
    return [
        replace(r, paid=r.paid and r.paid + timedelta(minutes=30), amount=(r.amount or 0) + Decimal(1))
        for r in rows
    ]


def groups(before: Sequence[Row], after: Sequence[Row]) -> tuple[ChangeGroup, ...]:
    """The differences of two sides, grouped."""
    a, b = side(before), side(after)
    return grouped(diff(a, b).changes, a, b)


def moved_ends() -> EndsMoved:
    """The pattern of the times."""
    found = [g.cause for g in groups(THREE, shifted(THREE)) if isinstance(g.cause, EndsMoved)]
    return next(cause for cause in found if "paid" in cause.columns)


def test_a_pattern_makes_ends_sum_and_digest_of_its_columns() -> None:
    """Not the number of NULLs, another column or another table."""
    cause = moved_ends()
    assert claims(
        cause, *(value("paid", a) for a in ("minimum", "maximum", DIGEST, "nulls", CHANGED_ROWS))
    ) == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert claims(cause, value("amount", "minimum"), value("paid", "minimum", "other")) == [False, False]
    assert not cause.reproduces(Change("column", T, "paid", "minimum", "1", "2"))
    a, b, values = cause.columns["paid"]
    half = replace(cause, columns={"paid": (a, replace(b, maximum=a.maximum), values)})
    assert claims(half, value("paid", "minimum"), value("paid", "maximum")) == [False, False]


def test_a_pattern_makes_the_sum_only_if_it_gives_it() -> None:
    """Three values, each dearer by one: three more, not four."""
    dearer = [replace(r, amount=(r.amount or 0) + Decimal(1)) for r in THREE]
    (group,) = groups(THREE, dearer)
    cause = group.cause
    assert isinstance(cause, EndsMoved)
    assert cause.reproduces(value("amount", "total"))
    a, b, values = cause.columns["amount"]
    four = replace(cause, columns={"amount": (a, replace(b, total="604"), values)})
    assert not four.reproduces(value("amount", "total"))


def test_a_pattern_makes_no_sum_of_another_number_of_values() -> None:
    """Each dearer by one, and a row more: that three more would do is chance, and not known."""
    amounts = (-100, 200, 300)
    before = [replace(r, amount=Decimal(n)) for r, n in zip(THREE, amounts, strict=True)]
    after = [replace(r, amount=Decimal(n + 1)) for r, n in zip(THREE, amounts, strict=True)]
    after.append(Row(4, Decimal(0), PAID + timedelta(days=2), "x"))
    claimed = [
        change.aspect
        for group in groups(before, after)
        for change in group.changes
        if isinstance(group.cause, EndsMoved) and change.name == "amount"
    ]
    assert "total" not in claimed


def test_a_pattern_is_said_only_where_both_ends_moved() -> None:
    """The smallest is 0 still: that it is ten times what it was says nothing."""
    rows = [replace(r, amount=Decimal(n)) for r, n in zip(THREE, (0, 20, 30), strict=True)]
    tenfold = [replace(r, amount=(r.amount or 0) * Decimal(10)) for r in rows]
    assert not [g for g in groups(rows, tenfold) if isinstance(g.cause, EndsMoved)]


def test_columns_of_one_pattern_are_one_group() -> None:
    """A column of which one end moved is none of them."""
    later = [replace(r, paid=r.paid and r.paid + timedelta(minutes=30)) for r in THREE]
    a, b = side(THREE), side(later)

    def twice(one: Baseline) -> Baseline:
        (table,) = one.tables
        paid = next(c for c in table.columns if c.name == "paid")
        return replace(one, tables=(replace(table, columns=(*table.columns, replace(paid, name="again"))),))

    a, b = twice(a), twice(b)
    (group,) = grouped(diff(a, b).changes, a, b)
    assert {change.name for change in group.changes} == {"paid", "again"}
    assert group.words == f"{T}: smallest and largest again and paid shifted by +00:30"
    last = [*THREE[:2], replace(THREE[2], paid=PAID + timedelta(days=9))]
    assert not [g for g in groups(THREE, last) if isinstance(g.cause, EndsMoved)]


@pytest.mark.parametrize(
    ("cause", "own", "others"),
    [
        (
            ColumnValues(T, "note"),
            [value("note", a) for a in ("nulls", "minimum", "total", DIGEST, CHANGED_ROWS)],
            [
                value("paid", "nulls"),
                value("note", "nulls", "u"),
                Change("column", T, "note", "type", "a", "b"),
            ],
        ),
        (
            AlteredAlike(T, "column", "type", "int", "bigint"),
            [Change("column", T, name, "type", "int", "bigint") for name in "ab"],
            [
                Change("column", T, "a", "default", "int", "bigint"),
                Change("column", T, "a", "type", "text", "bigint"),
                Change("column", T, "a", "type", "int", "text"),
                Change("index", T, "a", "type", "int", "bigint"),
                Change("column", "u", "a", "type", "int", "bigint"),
            ],
        ),
        (
            ObjectsMoved(T, "index", ADDED),
            [Change("index", T, name, ADDED, None, name) for name in "ab"],
            [
                Change("index", T, "a", REMOVED, "a", None),
                Change("column", T, "a", ADDED, None, "a"),
                Change("index", "u", "a", ADDED, None, "a"),
            ],
        ),
        (
            SequencesMoved(),
            [Change(SEQUENCE, table, table, "last value", "1", "2") for table in ("", "s")],
            [value("note", "nulls"), Change("sequence", "", "s", "type", "1", "2")],
        ),
        (
            GroupsDiffer(T, "amount by shop"),
            [Change(TOTALS, T, "amount by shop", f"{a} where shop = '1'", "1", "2") for a in ("rows", "sum")],
            [
                Change(TOTALS, T, "amount by month", "rows", "1", "2"),
                Change(TOTALS, "u", "amount by shop", "rows", "1", "2"),
                value("amount by shop", "rows"),
            ],
        ),
        (
            Single(value("note", "nulls")),
            [value("note", "nulls")],
            [value("note", "minimum"), value("paid", "nulls")],
        ),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_cause_claims_its_own_and_no_other(
    cause: GroupCause, own: list[Change], others: list[Change]
) -> None:
    """One condition less, and it would claim one of the others."""
    assert claims(cause, *own) == [True] * len(own)
    assert claims(cause, *others) == [False] * len(others)


# --- groups -----------------------------------------------------------------------------------------------


def test_a_column_is_named_only_for_what_the_number_of_rows_does_not_tell() -> None:
    """What a cause has taken no later one gets; the order is that of how much they know."""
    two = [THREE[0], replace(THREE[1], amount=Decimal(1000))]
    assert [g.cause.kind for g in groups(THREE, two)] == ["values of a column", "count"]
    told = compared(THREE, two)
    a, b = side(THREE), side(two)
    found = grouped(with_rows(diff(a, b), [told]).changes, a, b, [told])
    assert [g.cause.kind for g in found] == ["rows differ"]
    assert found[0].words.startswith(f"{T}: 1 row removed, 1 row changed (")


def test_one_row_that_changed_is_told_as_such() -> None:
    """Also where it makes a single difference."""
    one = RowsCompared(T, ("id",), 0, 0, 1)
    a = side(THREE)
    found = grouped(with_rows(diff(a, a), [one]).changes, a, a, [one])
    assert [(g.cause.kind, g.words) for g in found] == [("rows differ", f"{T}: 1 row changed")]


def test_a_shift_of_every_value_is_not_claimed_by_a_number_of_rows() -> None:
    """A pattern knows more than a number: it is asked first."""
    two = shifted(THREE)[:2]
    kinds = {
        g.cause.kind
        for g in groups(THREE, [*two, replace(THREE[2], paid=PAID + timedelta(days=3, minutes=30))])
    }
    assert "pattern of ends" in kinds
    later = [replace(r, paid=r.paid and r.paid + timedelta(minutes=30)) for r in THREE]
    more = [*later, Row(4, None, PAID + timedelta(days=2), "x")]
    assert [g.cause.kind for g in groups(THREE, more) if any(c.name == "paid" for c in g.changes)] == [
        "pattern of ends"
    ]


def test_explained_and_unexplained_differences_share_no_group() -> None:
    """Differences explained by one promise of many columns do; a group holds the ids of all."""
    changes = [Change("column", T, name, "type", "int", "bigint") for name in "abcd"]
    empty = side([])
    by = {changes[0].key: ("wide/a",), changes[1].key: ("wide/b",), changes[2].key: ("long",)}
    found = {tuple(c.name for c in g.changes): g.explained_by for g in grouped(changes, empty, empty, (), by)}
    assert found == {("a", "b"): ("wide/a", "wide/b"), ("c",): ("long",), ("d",): ()}
    other = replace(changes[1], table="other")
    assert len(grouped([changes[0], other], empty, empty)) == 2


def test_groups_come_in_the_order_in_which_they_are_read() -> None:
    """Money and control totals, other values, numbers of rows, the schema, sequences."""
    a, b = side(THREE), side(THREE)
    changes = [
        Change(SEQUENCE, "", "s", "last value", "1", "2"),
        Change("index", T, "i", ADDED, None, "x"),
        number(DIGEST, None),
        value("note", "nulls"),
        Change(TOTALS, T, "sum by shop", "rows where shop = '1'", "1", "2"),
        value("amount", "nulls"),
        Change(SEQUENCE, "", "r", "last value", "5", "9"),
    ]
    found = [tuple(c.name for c in g.changes) for g in grouped(changes, a, b)]
    assert found == [("sum by shop",), ("amount",), ("note",), ("",), ("i",), ("r", "s")]


def test_a_control_total_counts_its_groups_and_not_its_figures() -> None:
    """Rows and sum of one group are one."""
    changes = [
        Change(TOTALS, T, "amount by shop", f"{what} where shop = '{shop}'", "1", "2")
        for what in ("rows", "sum")
        for shop in (1, 2)
    ]
    assert (
        GroupsDiffer(T, "amount by shop").words(changes) == "control total amount by shop differs in 2 groups"
    )


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("a", "a"),
        ("ab", "a and b"),
        ("abc", "a, b and c"),
        ("abcd", "a, b, c and 1 more"),
        ("abcdefg", "a, b, c and 4 more"),
    ],
)
def test_three_are_named_and_the_rest_counted(names: str, said: str) -> None:
    """Exactly."""
    assert listed(list(names)) == said


def test_by_how_much_is_after_less_before() -> None:
    """Of numbers, times and rows."""
    assert sides_of(Change(VALUES, T, "a", "total", "1.50", "1.25")) == "sum of a: 1.50 → 1.25 (-0.25)"
    times = Change(VALUES, T, "a", "minimum", "2025-01-01 00:00:00", "2025-01-01 05:30:00")
    assert sides_of(times).endswith("(+05:30)")
    assert sides_of(replace(number("count", -2), before="3", after="1")) == "count: 3 → 1 (-2)"


def test_a_group_names_what_its_sentence_does_not_say() -> None:
    """One follows, several follow; what is only possible can follow."""
    cause = by_rows(0, 1, 0)
    changes = (number("removed", 1), number("count", -1), value("amount", "total"))
    assert ChangeGroup(T, cause, changes).words == f"{T}: 1 row removed (sum of amount follows from it)"
    both = (*changes, number(DIGEST, None))
    assert ChangeGroup(T, cause, both).words == (
        f"{T}: 1 row removed (sum of amount and digest of the keys follow from it)"
    )
    possible = ChangeGroup(T, count(-1, WIDE), (number("count", -1), value("amount", DIGEST)))
    assert possible.words == f"{T}: 1 fewer row (digest of amount can follow from it)"
