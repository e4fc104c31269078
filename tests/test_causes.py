"""Differences grouped by cause: each in exactly one group, and no cause claims what it cannot have made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sides import PLACE, contracts
from test_comparison_laws import EMPTY, LAW, judged, pairs

from kisaan_validate.compare.causes.base import ChangeGroup, Proof
from kisaan_validate.compare.causes.grouping import grouped
from kisaan_validate.compare.causes.rows import CountMoved
from kisaan_validate.compare.changes import diff, with_rows, with_values
from kisaan_validate.contract.load import Contract
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import Change
from kisaan_validate.facts.kept import RowsCompared, ValuesCompared
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, TableDigests, TableFacts

SUITE = SuiteFacts("s", "0" * 64, (), 0, ("public",))


@dataclass(frozen=True)
class Row:
    """One payment."""

    id: int
    amount: Decimal | None
    paid: datetime | None
    note: str | None


def profile(values: Sequence[Any], family: Family) -> Profile:
    """The figures of a column, computed by hand; texts by code point."""
    there = [v for v in values if v is not None]
    nulls = len(values) - len(there)
    if not there:
        return Profile(family, nulls)
    total = str(sum(there, Decimal(0))) if family is Family.NUMBER else None
    return Profile(family, nulls, str(min(there)), str(max(there)), total)


def side(rows: Sequence[Row], name: str = "payments") -> Baseline:
    """A baseline of one table that holds these rows."""
    columns = (
        ColumnFacts("id", "bigint", profile([Decimal(r.id) for r in rows], Family.NUMBER)),
        ColumnFacts("amount", "numeric(12,2)", profile([r.amount for r in rows], Family.NUMBER)),
        ColumnFacts("paid", "timestamp", profile([r.paid for r in rows], Family.LOCAL_TIME)),
        ColumnFacts("note", "text", profile([r.note for r in rows], Family.TEXT)),
    )
    table = TableFacts("public", name, "table", len(rows), "", columns)
    return Baseline("b", PLACE.at, "0", SUITE, PLACE, Selection(), (table,), ())


def compared(before: Sequence[Row], after: Sequence[Row]) -> RowsCompared:
    """What comparing the rows one by one would tell."""
    old, new = ({r.id: r for r in rows} for rows in (before, after))
    changed = sum(old[id] != new[id] for id in old.keys() & new.keys())
    return RowsCompared(
        "payments", ("id",), len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed
    )


def groups_of(
    before: Sequence[Row], after: Sequence[Row], rows: tuple[RowsCompared, ...] = ()
) -> tuple[ChangeGroup, ...]:
    """The differences of two sides, grouped."""
    a, b = side(before), side(after)
    return grouped(with_rows(diff(a, b), rows).changes, a, b, rows)


amounts = st.none() | st.integers(-5000, 5000).map(lambda n: Decimal(n).scaleb(-2))
times = st.none() | st.integers(0, 10**7).map(lambda s: datetime(2025, 1, 1) + timedelta(seconds=s))
notes = st.none() | st.sampled_from(["", "a", "é", "Z", "\U0001f600", "aa"])
tables = st.lists(st.tuples(amounts, times, notes), max_size=12).map(
    lambda found: [Row(n, *values) for n, values in enumerate(found, 1)]
)


def faults(groups: Sequence[ChangeGroup], changes: Sequence[Change]) -> list[object]:
    """What breaks the law: each difference in exactly one group, of its own table, and made by the group's
    cause.
    """
    members = sorted(change.key for group in groups for change in group.changes)
    found: list[object] = [] if members == sorted(c.key for c in changes) else [members]
    for group in groups:
        strange = [c for c in group.changes if c.table != group.table or not group.cause.reproduces(c)]
        found += strange if group.changes else [group]
    return found


@given(tables, tables, st.booleans(), st.sets(st.sampled_from(["id", "amount", "paid", "note"])))
@LAW
def test_each_difference_is_in_one_group_whose_cause_makes_it(
    before: list[Row], after: list[Row], one_by_one: bool, kept: set[str]
) -> None:
    """Whatever differs, with and without rows compared one by one, and values that were kept."""
    rows = (compared(before, after),) if one_by_one else ()
    a, b = side(before), side(after)
    values = [ValuesCompared("payments", column, 1, len(before) + 1) for column in sorted(kept)]
    changes = with_values(with_rows(diff(a, b), rows), values).changes
    assert faults(grouped(changes, a, b, rows), changes) == []


@given(pairs(), contracts())
@LAW
def test_a_judgement_groups_all_its_differences_and_mixes_no_explained_with_others(
    sides: tuple[Run, Run], contract: Contract
) -> None:
    """On any sides, with any contract; what is open is what no promise explains."""
    for promised in (contract, EMPTY):
        made = judged(*sides, promised)
        assert made.diff is not None
        assert faults(made.groups, made.diff.changes) == []
        open_ = {c.key for group in made.open_groups for c in group.changes}
        assert open_ == {c.key for c in made.unexplained}


@given(tables, st.data())
@LAW
def test_all_that_follows_from_rows_that_went_is_in_one_group(rows: list[Row], data: Any) -> None:
    """Where nothing happened but that rows went (or came), their number is a cause that allows every
    figure.
    """
    kept = [row for row in rows if data.draw(st.booleans())]
    for before, after in ((rows, kept), (kept, rows)):
        found = [g for g in groups_of(before, after) if isinstance(g.cause, CountMoved)]
        ends = [g for g in groups_of(before, after) if g.cause.kind == "pattern of ends"]
        # Both ends may move alike by chance; that is another true thing to say of them.
        if len(before) != len(after) and not ends:
            assert len(groups_of(before, after)) == 1
            assert len(found) == 1 or len(groups_of(before, after)[0].changes) == 1


@given(tables, tables)
@LAW
def test_rows_compared_one_by_one_explain_every_figure(before: list[Row], after: list[Row]) -> None:
    """Then it is known, and not merely possible."""
    told = compared(before, after)
    groups = groups_of(before, after, (told,))
    assert len(groups) == (before != after)
    assert all(group.cause.proof is Proof.FOLLOWS for group in groups)


PAID = datetime(2025, 1, 1)
THREE = [Row(n, Decimal(n * 100), PAID + timedelta(days=n), "x") for n in (1, 2, 3)]


def words(before: Sequence[Row], after: Sequence[Row], *rows: RowsCompared) -> list[str]:
    """What is said of each group."""
    return [group.words for group in groups_of(before, after, rows)]


def test_what_is_said() -> None:
    """One line a cause: what happened, what follows, and whether that is known or only possible."""
    two = THREE[:2]
    assert words(THREE, two) == [
        "payments: 1 fewer row (largest amount, sum of amount, largest id and 2 more can follow from it)"
    ]
    assert words(THREE, two, compared(THREE, two)) == [
        "payments: 1 row removed (largest amount, sum of amount, largest id and 2 more follow from it)"
    ]
    later = [replace(row, paid=row.paid and row.paid + timedelta(hours=5, minutes=30)) for row in THREE]
    assert words(THREE, later) == [
        "payments: smallest and largest paid shifted by +05:30 (the offset of Asia/Kolkata)"
    ]
    dearer = [replace(THREE[0], amount=Decimal("100.50")), *THREE[1:]]
    assert words(THREE, dearer) == [
        "payments: values of amount changed: smallest: 100 → 100.50 (+0.50); sum: 600 → 600.50 (+0.50)"
    ]
    assert words(THREE, [*THREE[:2], replace(THREE[2], note=None)]) == ["payments: NULLs of note: 0 → 1 (+1)"]


@pytest.mark.parametrize(
    ("after", "outside"),
    [
        # More went from the sum than one row can hold.
        ([replace(THREE[0], amount=Decimal(-900)), THREE[1]], {"minimum", "total"}),
        # An end widened though rows only went.
        ([THREE[0], replace(THREE[1], amount=Decimal(1000))], {"maximum", "total"}),
        # More NULLs than before.
        ([replace(THREE[0], amount=None), THREE[1]], {"nulls", "minimum", "maximum", "total"}),
    ],
)
def test_a_count_claims_no_figure_that_it_cannot_have_made(after: list[Row], outside: set[str]) -> None:
    """One row went, and another was changed on the way: the group of the count leaves that out."""
    groups = groups_of(THREE, after)
    claimed = {c.aspect for g in groups if g.cause.kind == "count" for c in g.changes if c.name == "amount"}
    assert not claimed & outside


def test_columns_that_a_digest_left_out_are_not_claimed_by_rows() -> None:
    """The digest of a row did not see them: what changed there follows from nothing that is known."""
    a, b = side(THREE), side([*THREE[:2], replace(THREE[2], note=None)])
    left_out = TableDigests(("id",), left_out={"note": "it is json"})
    a, b = (replace(s, tables=(replace(s.tables[0], digests=left_out),)) for s in (a, b))
    rows = (RowsCompared("payments", ("id",), 0, 0, 1),)
    groups = grouped(with_rows(diff(a, b), rows).changes, a, b, rows)
    assert {c.name for g in groups if g.cause.kind == "rows differ" for c in g.changes} == {""}


def test_money_comes_first_and_sequences_last() -> None:
    """Money, other values, numbers of rows, the schema."""
    changed = [
        replace(THREE[0], amount=Decimal("100.50"), note="y"),
        *THREE[1:],
    ]
    kinds = [group.changes[0].name for group in groups_of(THREE, changed)]
    assert kinds == ["amount", "note"]
