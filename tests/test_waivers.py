"""Waivers: a known failure is accepted by name, never hidden, and never more of it than was accepted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from shop import Shop
from test_report_page import make_run

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.result import MASKED, Evidence, Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.verdict.judgement import judge
from kisaan_validate.verdict.waivers import Use, Waiver, Waivers, read_waivers, waived

DAY = date(2025, 10, 18)  # the day of the runs that make_run makes, in UTC
ID = "orders.total.check"


def _run(
    violations: int = 2,
    status: Status = Status.FAIL,
    complete: bool = True,
    key: tuple[str, ...] = ("17", "18"),
) -> Run:
    check = Check(ID, "orders", ("total",), Form.ROW, "compare", "total >= 0", digest="d" * 64)
    sample = tuple((("id", value), ("total", "-1")) for value in key)
    result = Result(
        ID, status, violations, 9, Evidence.SCANNED, sample=sample, key=("id",), sample_complete=complete
    )
    return make_run([check], [result])


def _waivers(**scope: object) -> Waivers:
    return Waivers((replace(Waiver(ID, "agreed", "finance", DAY), **scope),), "d", "")  # type: ignore[arg-type]


def _use(run: Run, **scope: object) -> Use:
    return waived(run, _waivers(**scope))[ID].use


def test_a_waived_failure_passes_and_stays_a_failure() -> None:
    """The verdict is PASS, the result is still FAIL, and the page and its sentence say that it is waived,
    why and by whom.
    """
    judged = judge(_run(), waivers=_waivers(rows=2))
    assert judged.verdict is Verdict.PASS
    assert [r.status for r in judged.run.results] == [Status.FAIL]
    assert judge(_run()).verdict is Verdict.FAIL
    from kisaan_validate.report.html import render_html

    page = render_html(judged)
    for said in ("1 failure is waived", "agreed", "finance", "until 2025-10-18", "Failed"):
        assert said in page


@pytest.mark.parametrize(
    ("scope", "run", "use"),
    [
        ({"rows": 2}, _run(2), Use.HOLDS),
        ({"rows": 2}, _run(3), Use.EXCEEDED),
        ({"whole_check": True}, _run(9_999_999), Use.HOLDS),
        ({"keys": (("17",), ("18",))}, _run(2), Use.HOLDS),
        ({"keys": (("17",), ("18",), ("19",))}, _run(2), Use.HOLDS),
        ({"keys": (("17",),)}, _run(2), Use.EXCEEDED),
        ({"keys": (("17",), ("18",))}, _run(3, complete=False), Use.EXCEEDED),
        ({"keys": ((MASKED,), ("18",))}, _run(2, key=(MASKED, "18")), Use.EXCEEDED),
        ({"rows": 2}, _run(0, Status.PASS), Use.UNNEEDED),
        ({"rows": 2}, _run(2, Status.ERROR), Use.UNANSWERED),
        ({"rows": 2}, _run(2, Status.SKIP), Use.UNANSWERED),
    ],
)
def test_a_waiver_covers_what_it_says_and_no_more(scope: dict[str, object], run: Run, use: Use) -> None:
    """Count, keys or the whole check; one row more, another row, or an unknown row, and the failure counts
    again.
    """
    assert _use(run, **scope) is use
    verdict = judge(run, waivers=_waivers(**scope)).verdict
    expected = {
        Use.HOLDS: Verdict.PASS,
        Use.UNNEEDED: Verdict.PASS,
        Use.UNANSWERED: Verdict.INCONCLUSIVE,
    }.get(use, Verdict.FAIL)
    assert verdict is expected


def test_the_last_day_counts_and_the_next_does_not() -> None:
    """A waiver holds to the end of its last day in UTC, whatever the clock of the reader says."""
    for moment, use in (
        (datetime(2025, 10, 18, 23, 59, 59, tzinfo=UTC), Use.HOLDS),
        (datetime(2025, 10, 19, tzinfo=UTC), Use.EXPIRED),
    ):
        run = _run()
        assert _use(replace(run, place=replace(run.place, at=moment)), rows=2) is use


def test_a_waiver_of_a_warning_changes_no_verdict() -> None:
    """What does not fail the run needs no waiver; with one it still does not."""
    run = _run()
    warned = replace(run, checks=(replace(run.checks[0], severity=Severity.WARNING),))
    assert judge(warned, waivers=_waivers(rows=1)).verdict is Verdict.PASS


GOOD = (
    f'format = 1\n[[waiver]]\ncheck = "{ID}"\nreason = "agreed"\nowner = "finance"\nexpires = '
    f"2025-12-31\nrows = 2\n"
)


def test_a_file_is_read_as_it_is_meant() -> None:
    """All three scopes; keys as numbers or texts."""
    (one,) = read_waivers(GOOD, "waivers.toml", [ID]).waivers
    assert (one.rows, one.expires, one.owner) == (2, date(2025, 12, 31), "finance")
    (keyed,) = read_waivers(
        GOOD.replace("rows = 2", 'keys = [[17], ["a", 2], 3]'), "waivers.toml", [ID]
    ).waivers
    assert keyed.keys == (("17",), ("a", "2"), ("3",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("format = 1", "format = 2"), "format: must be 1; this version reads no other"),
        (("format = 1", ""), "needs 'format'"),
        (("[[waiver]]", "[[waver]]"), "did you mean 'waiver'"),
        ((f'check = "{ID}"', 'check = "orders.total.chek"'), "did you mean 'orders.total.check'"),
        (('reason = "agreed"', 'reason = " "'), "waiver 1: reason: must be a text that is not blank"),
        (('owner = "finance"', ""), "needs 'owner'"),
        (("expires = 2025-12-31", ""), "needs 'expires'"),
        (("expires = 2025-12-31", "expires = 2025-12-31T10:00:00"), "expires: must be a day"),
        (("rows = 2", ""), "one of rows, keys, whole_check"),
        (("rows = 2", "rows = 2\nwhole_check = true"), "one of rows, keys, whole_check"),
        (("rows = 2", "rows = 0"), "waiver 1: rows: must be a whole number of at least 1, not 0"),
        (("rows = 2", "rows = 1.5"), "rows: must be a whole number, not 1.5"),
        (("rows = 2", "keys = [[1.5]]"), "item 1 of keys: is not a key"),
        (("rows = 2", "row = 2"), "did you mean 'rows'"),
        (("rows = 2", "rows = "), "not valid TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_file_s_name(change: tuple[str, str], said: str) -> None:
    """A slip in a waiver must not waive anything, nor be passed over."""
    with pytest.raises(SuiteError, match=r"^waivers.toml") as caught:
        read_waivers(GOOD.replace(*change), "waivers.toml", [ID])
    assert said in str(caught.value)


def test_two_waivers_for_one_check_are_refused() -> None:
    """Else it would depend on their order what is accepted."""
    with pytest.raises(SuiteError, match="waived twice"):
        read_waivers(GOOD + GOOD.removeprefix("format = 1\n"), "waivers.toml", [ID])


@pytest.mark.slow
def test_the_command_line_reads_the_file_beside_the_suite(shop: Shop) -> None:
    """waivers.toml of the suite is used, named in the run by digest, kept beside it, and can be left out."""
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    check = "orders.total.greater_than_or_equal_to"
    file = shop.folder / "checks" / "waivers.toml"
    file.write_text(
        f'format = 1\n[[waiver]]\ncheck = "{check}"\nreason = "old slip"\nowner = "ops"\nexpires = '
        f"2999-01-01\nkeys = [[2]]\n"
    )
    shown = shop.cli("run")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "waived" in shown.stdout
    folder = shop.run_folder
    assert (folder / "waivers.toml").read_text() == file.read_text()
    assert shop.cli("report", str(folder), dsn=False).returncode == 0
    (folder / "waivers.toml").write_text(file.read_text().replace("2]]", "3]]"))
    edited = shop.cli("report", str(folder), dsn=False)
    assert edited.returncode == 2
    assert "is not the file of waivers of this run" in edited.stderr
    assert shop.cli("run", "--no-waivers").returncode == 1
    shop.sql("UPDATE orders SET total = -1 WHERE id = 3")
    more = shop.cli("run")
    assert more.returncode == 1
    assert "more than waived: 1 other row fails, first 3" in " ".join(more.stdout.split())


def test_a_waiver_by_key_needs_all_failing_keys(shop: Shop, tmp_path: Path) -> None:
    """Even where no key is shown (--sample 0), as many are collected as it takes to tell."""
    shop.sql("UPDATE orders SET total = -1")
    check = "orders.total.greater_than_or_equal_to"
    file = tmp_path / "w.toml"
    file.write_text(
        f'format = 1\n[[waiver]]\ncheck = "{check}"\nreason = "r"\nowner = "o"\nexpires = '
        f"2999-01-01\nkeys = [[1], [2], [3]]\n"
    )
    assert shop.cli("run", "--waivers", str(file), "--sample", "0").returncode == 0
