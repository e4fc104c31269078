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
from kisaan_validate.facts.table import ColumnFacts, Family, Measured, Profile, TableDigests, TableFacts
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


# --- what the columns and lines of a statement are ---------------------------------------------------------

KEPT = Profile(Family.NUMBER, 0, "1", "2", "3")
TWO = [Row(1, Decimal(1)), Row(2, Decimal(2))]
SAME = RowsCompared("t", ("id",), 0, 0, 0)


def of_columns(
    before: Sequence[ColumnFacts], after: Sequence[ColumnFacts], contract: str = ""
) -> Reconciliation:
    """The statement of a table of these columns, of which no row came or went."""
    baseline, made = sides(TWO, TWO)
    old, new = (
        (replace(side.tables[0], columns=tuple(columns)),)
        for side, columns in ((baseline, before), (made, after))
    )
    promised = read_contract(contract, "contract.toml") if contract else None
    digest = promised.digest if promised is not None else ""
    baseline = replace(baseline, tables=old, contract_digest=digest)
    made = replace(made, tables=new, rows=(SAME,), contract_digest=digest)
    return only(judge(made, baseline, promised))


PAID = ColumnFacts("a", "numeric", KEPT)
NO_SUM = [
    (ColumnFacts("a", "numeric"), "not measured {}"),
    (replace(PAID, unmeasured="overflow"), "not measured {}: overflow"),
    (replace(PAID, profile=replace(KEPT, personal=True)), "personal: its sum is not kept"),
    (ColumnFacts("a", "float8", replace(KEPT, family=Family.FLOAT)), "float8 {}: its sum is not exact"),
]


@pytest.mark.parametrize(("column", "reason"), NO_SUM, ids=[reason for _, reason in NO_SUM])
def test_money_without_an_exact_sum_is_named_and_not_reconciled(column: ColumnFacts, reason: str) -> None:
    """On either side: no sum stands in the statement, and why is said; also among what was not proved."""
    for when, pair in (("before", ([column], [PAID])), ("after", ([PAID], [column]))):
        one = of_columns(*pair)
        assert (one.columns, one.left_out) == ((), (("a", reason.format(when)),))
        assert one.reconciles is True, "of rows"
        parts = unproved_of(judge(*reversed(sides(TWO, TWO))), [one])
        (found,) = [part for part in parts if part.name == "Not reconciled"]
        assert [(item.names, item.reason) for item in found.items] == [
            (("the sum of t.a",), reason.format(when))
        ]


def test_sums_are_of_columns_that_both_sides_have() -> None:
    """And that hold amounts: whole numbers only where a promise names their sum, texts never."""
    whole, text = (
        ColumnFacts("n", "bigint", KEPT),
        ColumnFacts("x", "text", Profile(Family.TEXT, 0, "1", "2")),
    )
    assert of_columns([PAID, whole, text], [PAID, whole, text]).columns == ("a",)
    assert of_columns([PAID], [replace(PAID, name="b")]).columns == ()
    named = 'format = 1\n[[promise]]\nid = "s"\nkind = "sum_preserved"\ncolumn = "t.n"\n'
    assert of_columns([whole, text], [whole, text], named).columns == ("n",)
    retyped = replace(whole, type="numeric(12,2)")
    assert of_columns([whole], [retyped]).columns == ("n",)


def test_values_without_a_sum_have_no_sum_of_nothing() -> None:
    """A sum that was not measured is not known; one of no values is 0."""
    lost, none = replace(PAID, profile=replace(KEPT, total=None)), Profile(Family.NUMBER, 2)
    one = of_columns([lost], [PAID])
    assert amounts(one, LineKind.BEFORE) == [2, None]
    assert one.unknown == ("the sum of these values was not measured",)
    assert one.reconciles is None
    empty = replace(PAID, profile=none)
    assert amounts(of_columns([empty], [empty]), LineKind.DIFFERENCE) == [0, 0]


def test_a_statement_without_differences_claims_nothing() -> None:
    """Nor does it say that all is well."""
    assert Reconciliation("t", (), ()).reconciles is None


def test_rows_that_could_not_be_compared_are_not_known() -> None:
    """Whatever numbers stand beside the reason."""
    baseline, made = sides(TWO, TWO)
    one = only(judge(replace(made, rows=(replace(SAME, message="locked"),)), baseline))
    assert amounts(one, LineKind.CAME_OTHERWISE) == [None, None]
    assert one.reconciles is None


@pytest.mark.parametrize(
    ("digest", "late", "rows", "known"),
    [("x", 0, 2, True), ("y", 0, 2, False), ("x", 1, 2, False), ("x", 0, 3, False)],
)
def test_only_equal_digests_of_all_rows_prove_that_none_came(
    digest: str, late: int, rows: int, known: bool
) -> None:
    """Not those of which some were set aside, nor beside another number of rows."""
    baseline, made = sides(TWO, TWO)
    old = replace(baseline.tables[0], digests=TableDigests(("id",), ("c",), "x"))
    new = replace(made.tables[0], rows=rows, digests=TableDigests(("id",), ("c",), digest, late=late))
    one = only(judge(replace(made, tables=(new,)), replace(baseline, tables=(old,))))
    assert amounts(one, LineKind.WENT_OTHERWISE)[0] == (0 if known else None)
    assert one.reconciles is (True if known else None)


def test_the_contract_s_digests_prove_it_only_of_as_many_rows() -> None:
    """Digests that agree beside another count are a contradiction, and prove nothing."""
    text = 'format = 1\n[[promise]]\nid = "s"\nkind = "sum_preserved"\ncolumn = "t.amount"\n'
    contract = read_contract(text, "contract.toml")
    for rows, known in ((2, True), (3, False)):
        baseline, made = sides(TWO, TWO)
        baseline = replace(
            baseline, measured=(measured(remainder_key("t"), TWO),), contract_digest=contract.digest
        )
        made = replace(
            made,
            tables=(replace(made.tables[0], rows=rows),),
            measured=(measured(digests_key("t"), TWO),),
            contract_digest=contract.digest,
        )
        one = only(judge(made, baseline, contract))
        assert amounts(one, LineKind.CAME_OTHERWISE)[0] == (0 if known else None)


def test_with_a_contract_tables_that_it_names_or_that_changed_have_a_statement() -> None:
    """No other; without one all have."""
    contract = read_contract(CONTRACT, "contract.toml")
    baseline, made = sides(TWO, TWO)

    def titled(judged: Judgement) -> list[str]:
        return [one.table for one in reconciliations(judged)]

    def tables(**rows: int) -> tuple[TableFacts, ...]:
        return tuple(replace(facts(TWO), name=name, rows=count) for name, count in rows.items())

    before = replace(baseline, tables=tables(t=2, u=2, v=2), contract_digest=contract.digest)
    after = replace(made, tables=tables(t=2, u=3, v=2), contract_digest=contract.digest)
    assert titled(judge(after, before, contract)) == ["t", "u"]
    summed = (before.tables[0], before.tables[1], with_total(before.tables[2], "9")[0])
    assert titled(judge(replace(after, tables=summed), before, contract)) == ["t", "v"]
    assert titled(judge(after, before)) == ["t", "u", "v"]
    assert titled(judge(after)) == []


def test_each_side_is_named_by_where_it_is_from() -> None:
    """The baseline before, the run after."""
    baseline, made = sides(TWO, TWO)
    one = only(judge(made, baseline))
    lines = [one.line(LineKind.BEFORE), one.line(LineKind.COUNTED)]
    assert [line and line.source for line in lines] == ["baseline b", f"run {made.id}"]


def test_a_difference_is_not_quiet() -> None:
    """Nor is what came or went; equal counts and sums are."""
    baseline, made = sides(TWO, TWO)
    assert only(judge(made, baseline)).quiet
    more = replace(made, tables=(replace(made.tables[0], rows=3),))
    assert not only(judge(more, baseline)).quiet
    assert not only(judge(replace(made, rows=(replace(SAME, added=1, removed=1),)), baseline)).quiet


def test_rows_that_came_as_promised_did_not_come_otherwise() -> None:
    """Of two rows that came one was promised; of two that went one."""
    before = [Row(1, Decimal(1), doomed=True), Row(2, Decimal(2)), Row(3, Decimal(3))]
    after = [Row(3, Decimal(3)), Row(4, Decimal(4), new=True), Row(5, Decimal(5))]
    judged = promised(before, after)
    assert judged.baseline is not None
    run = replace(judged.run, rows=(compared(before, after),))
    one = only(judge(run, judged.baseline, judged.contract))
    kinds = (LineKind.CAME, LineKind.CAME_OTHERWISE, LineKind.WENT, LineKind.WENT_OTHERWISE)
    assert [amounts(one, kind)[0] for kind in kinds] == [1, 1, -1, -1]
    assert amounts(one, LineKind.DIFFERENCE) == [0, None]


MIGRATION = """
DELETE FROM sales WHERE id = 2;
DELETE FROM sales WHERE shop IS NULL;
INSERT INTO sales VALUES (10, 1, 5.25), (11, 1, 0.10);
UPDATE sales SET amount = amount + 0.01 WHERE id = 3;
"""


def _migrated(server: Server, folder: Path, steps: str, more: str = "") -> Judgement:
    """A table before and after, on a real server, with a contract that removes shops of none and lets rows
    come; ``more`` are promises beside.
    """
    suite, text = (
        folder / "checks",
        (
            'format = 1\n[[promise]]\nid = "go"\nkind = "rows_removed"\ntable = "sales"\nwhere = "shop IS NULL"\n'
            '[[promise]]\nid = "come"\nkind = "rows_arrived"\ntable = "sales"\n' + more
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


def test_what_a_promise_makes_of_values_is_a_line_of_its_own(server: Server, tmp_path: Path) -> None:
    """Each amount of those that stay is doubled: the sum moves by what they were, and reconciles."""
    more = (
        '[[promise]]\nid = "double"\nkind = "becomes"\ncolumn = "sales.amount"\nexpression = "{column} * 2"\n'
    )
    steps = "DELETE FROM sales WHERE shop IS NULL; UPDATE sales SET amount = amount * 2;"
    one = only(_migrated(server, tmp_path, steps, more))
    assert amounts(one, LineKind.REWRITTEN) == [0, Decimal("60.50")]
    assert amounts(one, LineKind.COMPUTED) == amounts(one, LineKind.COUNTED) == [3, Decimal("121.00")]
    assert one.reconciles is True
    line = one.line(LineKind.REWRITTEN)
    assert line is not None
    assert line.source == "contract, double"
