"""Control totals by group, on a real server: exact, bounded, nothing personal, and no group that differs is
passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from conftest import Server
from helpers import measuring, write_suite

from kisaan_validate import declare
from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.totals import ControlTotal
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_from_json, run_to_json
from kisaan_validate.record.consistency import run_contradictions
from kisaan_validate.report.console import print_run
from kisaan_validate.report.formats import find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

TABLE = """
CREATE TABLE pay (id int PRIMARY KEY, shop int, amount numeric(12,2), paid timestamptz, phone text, f float8);
INSERT INTO pay VALUES
 (1, 1, 10.10, '2025-09-30 23:00+00', 'a', 1), (2, 1, 20.20, '2025-10-01 00:00+00', 'b', 1),
 (3, NULL, 5.00, '2025-10-02 00:00+00', 'c', 1), (4, 2, NULL, NULL, 'd', 1), (5, 2, 0.01, 'infinity', 'e', 1);
"""
BY_SHOP = 'declare.control_total("pay", "amount", by=["shop"])'
BY_MONTH = 'declare.control_total("pay", "amount", by=["shop", declare.month("paid"{zone})])'
PROMISE = 'format = 1\n[[promise]]\nid = "p"\nkind = "{kind}"\n{more}\n'


class Case:
    """A database, and a suite that declares control totals."""

    def __init__(self, server: Server, folder: Path, *lines: str) -> None:
        self.server, self.folder, self.database = server, folder, server.create(TABLE)
        self.declares(*lines)

    def declares(self, *lines: str) -> None:
        """Other totals from now on."""
        always = 'declare.no_column_of_type("pg_lsn", id="always")'
        text = "\n".join(["from kisaan_validate import declare", always, *lines])
        name = f"checks{len(list(self.folder.iterdir()))}"
        place = self.folder / name
        write_suite(place, {"c.py": text, "suite.toml": 'name = "c"\npersonal = ["*.phone"]\n'})
        self.suite: Suite = load_suite(place)

    def sql(self, text: str) -> None:
        """Change something."""
        self.server.sql(f"{text}; SELECT 1", self.database)

    def measured(self, options: Options | None = None) -> Run:
        """One run, through its file."""
        made = run(self.suite, self.server.dsn(self.database), options=options)
        return run_from_json(run_to_json(made))

    def baseline(self, contract: Contract | None = None, *, digests: bool = False) -> Baseline:
        """A baseline, through its file."""
        options = measuring(count_all=True, sample=0, jobs=1, contract=contract, digests=digests)
        made = run(self.suite, self.server.dsn(self.database), options=options)
        return baseline_from_json(baseline_to_json(baseline_of(made)))

    def judged(self, baseline: Baseline, contract: Contract | None = None) -> Judgement:
        """The database as it is beside the baseline."""
        options = measuring(count_all=True, jobs=1, baseline=baseline, contract=contract)
        return judge(self.measured(options), baseline, contract)


def groups(total: ControlTotal) -> dict[tuple[str | None, ...], tuple[int, str | None]]:
    """Rows and sums by group."""
    return {group.values: (group.rows, group.total) for group in total.groups}


def changes(judged: Judgement) -> dict[str, tuple[str | None, str | None]]:
    """The groups that differ."""
    assert judged.diff is not None
    return {c.aspect: (c.before, c.after) for c in judged.diff.of_kind("control total")}


def test_groups_are_counted_and_summed_exactly(server: Server, tmp_path: Path) -> None:
    """NULL is a group, a sum of no value is none, infinity is a month of its own; the zone decides in which
    month a time lies, and is said.
    """
    case = Case(server, tmp_path, BY_SHOP, BY_MONTH.format(zone=""), BY_MONTH.format(zone=', "Asia/Kolkata"'))
    by_shop, utc, india = case.measured().totals
    assert groups(by_shop) == {("1",): (2, "30.30"), ("2",): (2, "0.01"), (None,): (1, "5.00")}
    assert by_shop.groups[-1].values == (None,)
    assert groups(utc) == {
        ("1", "2025-09-01"): (1, "10.10"),
        ("1", "2025-10-01"): (1, "20.20"),
        ("2", "infinity"): (1, "0.01"),
        ("2", None): (1, None),
        (None, "2025-10-01"): (1, "5.00"),
    }
    assert groups(india)["1", "2025-10-01"] == (2, "30.30")
    assert [total.name for total in (utc, india)] == [
        "amount by shop, month of paid (UTC)",
        "amount by shop, month of paid (Asia/Kolkata)",
    ]


def test_without_a_baseline_they_are_shown_and_judge_nothing(server: Server, tmp_path: Path) -> None:
    """On the page, with no verdict."""
    judged = judge(Case(server, tmp_path, BY_SHOP).measured())
    assert judged.verdict is Verdict.PASS
    page = render_html(judged)
    assert "they carry no verdict" in page
    assert "30.30" in page[page.index('id="totals"') :]


def test_every_group_that_differs_is_a_difference(server: Server, tmp_path: Path) -> None:
    """Money that moves from one shop to another leaves the sum as it was: the groups tell. It fails with a
    contract that does not explain it, and is listed without one.
    """
    case = Case(server, tmp_path, BY_SHOP)
    contract = read_contract(PROMISE.format(kind="sum_preserved", more='column = "pay.amount"'), "c.toml")
    baseline, alone = case.baseline(contract), case.baseline()
    assert changes(case.judged(alone)) == {}
    assert case.judged(baseline, contract).verdict is Verdict.PASS
    case.sql(
        "UPDATE pay SET amount = amount - 1 WHERE id = 1; UPDATE pay SET amount = amount + 1 WHERE id = 3"
    )
    case.sql("UPDATE pay SET shop = 9 WHERE id = 5")
    wanted = {
        "rows where shop = '2'": ("2", "1"),
        "rows where shop = '9'": (None, "1"),
        "sum where shop = '1'": ("30.30", "29.30"),
        "sum where shop = '2'": ("0.01", None),
        "sum where shop = '9'": (None, "0.01"),
        "sum where shop = NULL": ("5.00", "6.00"),
    }
    judged = case.judged(baseline, contract)
    assert changes(judged) == wanted
    assert judged.verdict is Verdict.FAIL
    assert {c.aspect for c in judged.unexplained if c.kind == "control total"} == wanted.keys()
    assert sum(c.kind == "control total" for g in judged.groups for c in g.changes) == len(wanted)
    page = render_html(judged)
    assert "4 groups differ, of 4" in page
    listed = case.judged(alone)
    assert changes(listed) == wanted
    assert listed.verdict is not Verdict.FAIL


@pytest.mark.parametrize(
    "also", ["", "UPDATE pay SET amount = amount + 1 WHERE id = 1"], ids=["promised", "more"]
)
def test_only_rows_that_went_as_promised_explain_them(server: Server, tmp_path: Path, also: str) -> None:
    """With digests of every column it is proved that nothing else moved: then the removal explains its
    group; not if one other value changed.
    """
    case = Case(server, tmp_path, BY_SHOP)
    contract = read_contract(
        PROMISE.format(kind="rows_removed", more='table = "pay"\nwhere = "id = 2"'), "c.toml"
    )
    baseline = case.baseline(contract, digests=True)
    case.sql(f"DELETE FROM pay WHERE id = 2; {also}")
    judged = case.judged(baseline, contract)
    assert set(changes(judged)) == {"rows where shop = '1'", "sum where shop = '1'"}
    explained = {key[3] for key in judged.explained if key[0] == "control total"}
    assert explained == (set() if also else set(changes(judged)))


REFUSED = [
    ('declare.control_total("pay", "amount", by=["phone"])', "personal"),
    ('declare.control_total("pay", "f", by=["shop"])', "it has no exact sum"),
    ('declare.control_total("pay", "amount", by=["f"])', "equal values may print differently"),
    ('declare.control_total("pay", "amount", by=[declare.day("shop")])', "it has no day"),
    ('declare.control_total("pay", "nope", by=["shop"])', "does not exist"),
    ('declare.control_total("nope", "amount", by=["shop"])', "does not exist"),
    ('declare.control_total("pay", "amount", by=["id"], most=4)', "more than 4 groups"),
]


@pytest.mark.parametrize(
    ("line", "why"), REFUSED, ids=[why for _, why in REFUSED[:-2]] + ["no table", "bound"]
)
def test_no_answer_is_said_and_never_cut(
    server: Server, tmp_path: Path, line: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Personal, inexact, not there, or more groups than the bound: no group at all, a reason, and no green
    verdict, beside a baseline and without one.
    """
    case = Case(server, tmp_path, line)
    baseline = case.baseline()
    judged = case.judged(baseline)
    (total,) = judged.run.totals
    assert total.groups == ()
    assert why in total.message
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert any("control total" in unknown.what for unknown in judged.untold)
    assert "Control totals without an answer" in render_html(judged)
    alone = judge(judged.run)
    assert alone.verdict is alone.run.verdict is Verdict.INCONCLUSIVE
    print_run(alone, None, quiet=True, verbose=False)
    assert f"no answer to the control total {total.table}: " in capsys.readouterr().out
    for name in ("markdown", "junit", "github"):
        assert why in unescape(find_format(name).render(alone)), name


def test_a_bound_that_is_just_reached_is_an_answer(server: Server, tmp_path: Path) -> None:
    """Five groups, at most five."""
    case = Case(server, tmp_path, 'declare.control_total("pay", "amount", by=["id"], most=5)')
    assert len(case.measured().totals[0].groups) == 5


def test_a_nan_on_both_sides_proves_nothing(server: Server, tmp_path: Path) -> None:
    """Its group is unknown, the others are compared."""
    case = Case(server, tmp_path, BY_SHOP)
    case.sql("ALTER TABLE pay ALTER amount TYPE numeric; UPDATE pay SET amount = 'NaN' WHERE id = 1")
    judged = case.judged(case.baseline())
    assert judged.verdict is Verdict.INCONCLUSIVE
    (reason,) = [u.reason for u in judged.untold if "control total" in u.what]
    assert reason == "the sum where shop = '1' is NaN on both sides"


def test_what_was_not_declared_before_is_unknown(server: Server, tmp_path: Path) -> None:
    """Another zone is another total: neither is compared with the other."""
    case = Case(server, tmp_path, BY_MONTH.format(zone=""))
    baseline = case.baseline()
    case.declares(BY_MONTH.format(zone=', "Asia/Kolkata"'))
    judged = case.judged(baseline)
    reasons = [u.reason for u in judged.untold if "control total" in u.what]
    assert sorted(reasons) == ["after: it was not declared", "before: it was not declared"]


def test_a_renamed_table_and_column_are_followed(server: Server, tmp_path: Path) -> None:
    """The same groups under promised names: no difference, and nothing unknown."""
    case = Case(server, tmp_path, BY_SHOP)
    more = 'table = "pay"\nto = "payments"\n[[promise]]\nid = "q"\nkind = "renamed"\ncolumn = "pay.shop"\nto = "store"'
    contract = read_contract(PROMISE.format(kind="renamed", more=more), "c.toml")
    baseline = case.baseline(contract, digests=True)
    case.sql("ALTER TABLE pay RENAME TO payments; ALTER TABLE payments RENAME shop TO store")
    case.declares('declare.control_total("payments", "amount", by=["store"])')
    judged = case.judged(baseline, contract)
    assert changes(judged) == {}
    assert not [u for u in judged.untold if "control total" in u.what]


def test_records_that_contradict_themselves_are_refused(server: Server, tmp_path: Path) -> None:
    """Groups that do not add up to the table, occur twice, or stand beside a reason for having none."""
    options = measuring(count_all=True)
    made = Case(server, tmp_path, BY_SHOP).measured(options)
    (total,) = made.totals
    spoilt: Sequence[ControlTotal] = (
        replace(total, groups=total.groups[1:]),
        replace(total, groups=(*total.groups[:1], *total.groups)),
        replace(total, message="timeout"),
    )
    assert not list(run_contradictions(made))
    for one in spoilt:
        assert list(run_contradictions(replace(made, totals=(one,)))), one


@pytest.mark.parametrize(
    "arguments",
    [
        {"by": []},
        {"by": [3]},
        {"by": "shop", "most": 0},
        {"by": "shop", "most": True},
        {"by": "shop", "most": 10_001},
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(arguments: dict[str, object]) -> None:
    """At the line where it stands."""
    with pytest.raises(SuiteError):
        declare.control_total("t", "amount", **arguments)  # type: ignore[arg-type]
    with pytest.raises(SuiteError):
        declare.month("paid", "IST")
