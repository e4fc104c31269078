"""Reconciliation statements: before + came − went = after holds in them if and only if it holds in the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import Server
from helpers import measuring
from hypothesis import given
from hypothesis import strategies as st
from test_causes import SUITE, profile
from test_comparison_laws import LAW
from test_report_page import AT, PLACE, make_run

from kisaan_validate.contract.load import read_contract
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.kept import RowsCompared
from kisaan_validate.facts.measure_key import (
    WHICH_ROWS,
    MeasureKey,
    by_key,
    count_key,
    digests_key,
    remainder_key,
    settled_key,
)
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection
from kisaan_validate.facts.table import ColumnFacts, Family, Measured, Profile, TableFacts
from kisaan_validate.prove.run import run
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import load_suite
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.reconciliation import LineKind, Reconciliation, reconciliations
from kisaan_validate.verdict.unproved import unproved_of


@dataclass(frozen=True)
class Row:
    """One booking. ``doomed``: the contract removes it; ``new``: the contract adds it."""

    id: int
    amount: Decimal | None
    doomed: bool = False
    new: bool = False


Rows = Sequence[Row]


def total(rows: Iterable[Row]) -> Decimal:
    """The sum, computed by hand."""
    return sum((r.amount for r in rows if r.amount is not None), Decimal())


def facts(rows: Rows) -> TableFacts:
    """What is measured of these rows."""
    columns = (
        ColumnFacts("id", "bigint", profile([Decimal(r.id) for r in rows], Family.NUMBER)),
        ColumnFacts("amount", "numeric(12,2)", profile([r.amount for r in rows], Family.NUMBER)),
    )
    return TableFacts("public", "t", "table", len(rows), "", columns)


def compared(before: Rows, after: Rows) -> RowsCompared:
    """What comparing the rows one by one tells."""
    old, new = ({r.id: r for r in rows} for rows in (before, after))
    changed = sum(old[id] != new[id] for id in old.keys() & new.keys())
    return RowsCompared("t", ("id",), len(new.keys() - old.keys()), len(old.keys() - new.keys()), changed)


def sides(before: Rows, after: Rows) -> tuple[Baseline, Run]:
    """A baseline and a run of one table each."""
    baseline = Baseline("b", AT, "0", SUITE, PLACE, Selection(), (facts(before),), ())
    return baseline, make_run([], [], (facts(after),))


def only(judged: Judgement) -> Reconciliation:
    """The statement of the only table."""
    (found,) = reconciliations(judged)
    return found


def amounts(one: Reconciliation, kind: LineKind) -> list[Decimal | None]:
    """The amounts of a line."""
    line = one.line(kind)
    assert line is not None
    return [amount.value for amount in line.amounts]


money = st.none() | st.integers(-5000, 5000).map(lambda n: Decimal(n).scaleb(-2))
tables = st.dictionaries(st.integers(1, 12), money, max_size=10).map(
    lambda found: [Row(id, amount) for id, amount in found.items()]
)


@given(tables, tables)
@LAW
def test_with_rows_compared_it_balances_as_the_facts_do(before: list[Row], after: list[Row]) -> None:
    """Rows always: what came and went makes the difference of the counts. Sums: where no row came or went,
    the difference is by how much values changed; else the sums of rows that nobody kept are not known, and
    the statement claims nothing.
    """
    baseline, run = sides(before, after)
    rows = compared(before, after)
    one = only(judge(replace(run, rows=(rows,)), baseline))
    assert amounts(one, LineKind.CAME_OTHERWISE)[0] == rows.added
    assert amounts(one, LineKind.WENT_OTHERWISE)[0] == -(rows.removed or 0)
    difference = amounts(one, LineKind.DIFFERENCE)
    assert difference[0] == 0
    if rows.added or rows.removed:
        assert difference[1] is None
        assert one.reconciles is None
        assert one.unknown == ("the values of these rows were not kept",)
    else:
        assert difference[1] == total(after) - total(before)
        assert one.reconciles is (total(after) == total(before))


@given(
    tables, tables, st.integers(-3, 3).filter(bool), st.sampled_from(["before", "after", "added", "removed"])
)
@LAW
def test_a_wrong_figure_is_a_difference_that_is_shown(
    before: list[Row], after: list[Row], by: int, which: str
) -> None:
    """One count or number of rows is not what it was: the difference is exactly that, and on the page."""
    baseline, run = sides(before, after)
    rows = compared(before, after)
    assert rows.added is not None
    assert rows.removed is not None
    off = {"before": -by, "after": by, "added": -by, "removed": by}[which]
    (old,), (new,) = baseline.tables, run.tables
    assert old.rows is not None
    assert new.rows is not None
    if which == "before":
        baseline = replace(baseline, tables=(replace(old, rows=old.rows + by),))
    elif which == "after":
        run = replace(run, tables=(replace(new, rows=new.rows + by),))
    elif which == "added":
        rows = replace(rows, added=rows.added + by)
    else:
        rows = replace(rows, removed=rows.removed + by)
    made = judge(replace(run, rows=(rows,)), baseline)
    one = only(made)
    assert amounts(one, LineKind.DIFFERENCE)[0] == off
    assert one.reconciles is False
    words = f"does not reconcile: rows {'+' if off > 0 else '−'}{abs(off)}"
    assert words in render_html(made)


CONTRACT = """
format = 1
[[promise]]
id = "go"
kind = "rows_removed"
table = "t"
where = "doomed"
[[promise]]
id = "come"
kind = "rows_added"
table = "t"
where = "new"
[[promise]]
id = "sum"
kind = "sum_preserved"
column = "t.amount"
"""


def measured(key: MeasureKey, rows: Rows) -> Measured:
    """The figures of some rows, and the digest of their keys."""
    keys = Profile(Family.OTHER, 0, digest=f"form:{sorted(r.id for r in rows)}")
    figures = {"amount": facts(rows).columns[1].profile, "id": facts(rows).columns[0].profile}
    known = {name: p for name, p in figures.items() if p is not None}
    return Measured(key.text, "t", len(rows), {**known, by_key(WHICH_ROWS).text: keys})


def promised(before: Rows, after: Rows) -> Judgement:
    """A migration as its contract measures it: no row was compared one by one."""
    contract = read_contract(CONTRACT, "contract.toml")
    baseline, made = sides(before, after)
    doomed = [r for r in before if r.doomed]
    stays = [r for r in before if not r.doomed]
    old = (
        measured(remainder_key("t"), before),
        measured(remainder_key("t", ["go"]), stays),
        Measured(count_key("go", "t").text, "t", len(doomed)),
        Measured(count_key("come", "t").text, "t", 0),
    )
    settled = [r for r in after if not r.new]
    new = (
        measured(settled_key("t"), settled),
        measured(digests_key("t"), settled),
        Measured(count_key("go", "t").text, "t", sum(r.doomed for r in settled)),
        Measured(count_key("come", "t").text, "t", sum(r.new for r in after)),
    )
    baseline = replace(baseline, measured=old, contract_digest=contract.digest)
    return judge(replace(made, measured=new, contract_digest=contract.digest), baseline, contract)


@given(tables, st.data())
@LAW
def test_with_a_contract_it_balances_if_and_only_if_the_facts_do(
    rows: list[Row], data: st.DataObject
) -> None:
    """Any rows may go, come or change, promised or not. Whenever the statement says that it reconciles, the
    rows that did not come as promised are those that were to stay, and their sum is theirs; and whenever that
    is so, it says it. It shows what went and came as promised, to the paisa.
    """
    marks = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    before = [replace(r, doomed=doomed) for r, doomed in zip(rows, marks, strict=True)]
    stays = [r for r in before if data.draw(st.booleans() if r.doomed else st.integers(0, 9).map(bool))]
    stays = [replace(r, amount=data.draw(money)) if not data.draw(st.integers(0, 9)) else r for r in stays]
    arrived = data.draw(st.lists(st.tuples(money, st.integers(0, 4)), max_size=3))
    came = [Row(100 + n, amount, new=bool(kind)) for n, (amount, kind) in enumerate(arrived)]
    after = [*stays, *came]
    one = only(promised(before, after))
    settled = [r for r in after if not r.new]
    done = any(r.doomed for r in before) and not any(r.doomed for r in settled)
    wanted = [r for r in before if not (done and r.doomed)]
    same = sorted(r.id for r in settled) == sorted(r.id for r in wanted)
    balances = same and total(settled) == total(wanted)
    assert (one.reconciles is True) is balances
    assert amounts(one, LineKind.CAME) == [len(after) - len(settled), total(after) - total(settled)]
    assert amounts(one, LineKind.WENT) == [len(wanted) - len(before), total(wanted) - total(before)]
    if same:
        assert amounts(one, LineKind.DIFFERENCE) == [0, total(settled) - total(wanted)]


def test_what_is_still_to_go_stands_below_the_line() -> None:
    """Nothing of a promised removal was done: the statement reconciles, and says what is expected in the
    end.
    """
    before = [Row(1, Decimal("1.50")), Row(2, Decimal("2.25"), doomed=True)]
    one = only(promised(before, before))
    assert one.reconciles is True
    assert amounts(one, LineKind.TO_GO) == [-1, Decimal("-2.25")]
    assert amounts(one, LineKind.EXPECTED) == [1, Decimal("1.50")]


def with_total(table: TableFacts, text: str) -> tuple[TableFacts, ...]:
    """The table with another sum of its amounts."""
    id, column = table.columns
    assert column.profile is not None
    return (replace(table, columns=(id, replace(column, profile=replace(column.profile, total=text)))),)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_sum_that_swallows_every_value_reconciles_nothing(text: str) -> None:
    """Both sums are NaN, or both infinite: equal, and no proof."""
    baseline, made = sides([Row(1, Decimal(1))], [Row(1, Decimal(1))])

    baseline = replace(baseline, tables=with_total(baseline.tables[0], text))
    made = replace(made, tables=with_total(made.tables[0], text), rows=(RowsCompared("t", ("id",), 0, 0, 0),))
    one = only(judge(made, baseline))
    assert one.reconciles is None
    assert "NaN or Infinity" in " ".join(one.unknown)


def test_long_sums_are_exact() -> None:
    """Forty digits: a float or Python's 28 digits would lose the last paisa."""
    long = "123456789012345678901234567890123456789"
    baseline, made = sides([Row(1, Decimal(1))], [Row(1, Decimal(1))])
    baseline = replace(baseline, tables=with_total(baseline.tables[0], f"{long}.01"))
    rows = (RowsCompared("t", ("id",), 0, 0, 1),)
    judged = judge(replace(made, tables=with_total(made.tables[0], f"{long}.02"), rows=rows), baseline)
    assert amounts(only(judged), LineKind.DIFFERENCE)[1] == Decimal("0.01")
    assert "123,456,789,012,345,678,901,234,567,890,123,456,789.02</td>" in render_html(judged)


def test_without_rows_or_promises_nothing_is_claimed() -> None:
    """Equal counts and sums, and still not known which rows came and went: the page says so."""
    baseline, made = sides([Row(1, Decimal(1))], [Row(2, Decimal(1))])
    judged = judge(made, baseline)
    one = only(judged)
    assert one.reconciles is None
    assert one.quiet
    parts = {part.name: part for part in unproved_of(judged, [one])}
    assert parts["Not reconciled"].items[0].names == ("t",)
    page = render_html(judged)
    assert "1 cannot be told" in page
    assert "not known" in page[page.index('id="reconciliation"') :]


MIGRATION = """
DELETE FROM sales WHERE id = 2;
DELETE FROM sales WHERE shop IS NULL;
INSERT INTO sales VALUES (10, 1, 5.25), (11, 1, 0.10);
UPDATE sales SET amount = amount + 0.01 WHERE id = 3;
"""


def _migrated(server: Server, folder: Path, steps: str) -> Judgement:
    """A table before and after, on a real server, with a contract that removes shops of none and lets rows
    come.
    """
    suite, text = (
        folder / "checks",
        (
            'format = 1\n[[promise]]\nid = "go"\nkind = "rows_removed"\ntable = "sales"\nwhere = "shop IS NULL"\n'
            '[[promise]]\nid = "come"\nkind = "rows_arrived"\ntable = "sales"\n'
        ),
    )
    suite.mkdir()
    (suite / "checks.py").write_text(
        'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
    )
    (suite / "suite.toml").write_text('name = "case"\n')
    contract = read_contract(text, "contract.toml")
    database = server.create(
        "CREATE TABLE sales (id int PRIMARY KEY, shop int, amount numeric(12,2));"
        "INSERT INTO sales VALUES (1, 1, 10.00), (2, 1, 20.50), (3, 2, 30.00), (4, NULL, 7.77), (5, NULL, NULL)"
    )
    loaded, dsn = load_suite(suite), server.dsn(database)
    first = measuring(count_all=True, sample=0, jobs=1, contract=contract)
    baseline = baseline_of(run(loaded, dsn, options=first))
    server.sql(f"{steps} SELECT 1", database)
    second = measuring(count_all=True, jobs=1, baseline=baseline, contract=contract)
    return judge(run(loaded, dsn, options=second), baseline, contract)


@pytest.mark.parametrize(
    ("steps", "reconciles", "difference"),
    [
        (lambda s: [s[1], s[2]], True, [0, Decimal("0.00")]),
        (lambda s: [s[1], s[2], s[3]], False, [0, Decimal("0.01")]),
        (lambda s: s, None, [None, None]),
    ],
    ids=["as promised", "a value changed", "a row lost"],
)
def test_a_migration_on_a_server(
    server: Server,
    tmp_path: Path,
    steps: Callable[[list[str]], list[str]],
    reconciles: bool | None,
    difference: list[Decimal | None],
) -> None:
    """Two rows go and two come as promised; then a value changes by a paisa; then a row is lost too."""
    lines = [f"{step};" for step in MIGRATION.split(";") if step.strip()]
    one = only(_migrated(server, tmp_path, "".join(steps(lines))))
    assert amounts(one, LineKind.BEFORE) == [5, Decimal("68.27")]
    assert amounts(one, LineKind.CAME) == [2, Decimal("5.35")]
    assert amounts(one, LineKind.WENT) == [-2, Decimal("-7.77")]
    assert one.reconciles is reconciles
    assert amounts(one, LineKind.DIFFERENCE) == difference
