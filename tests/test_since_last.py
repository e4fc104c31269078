"""``run --since last``: what the last run knew does not count, and anything else does; all of it is recorded."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from shop import Shop

from kisaan_validate.cli.report_command import judged_again
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.history.lines import LineState
from kisaan_validate.history.past import tonight
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.verdict.judgement import judge

GREATER = "orders.total.greater_than_or_equal_to"
NEW_ONLY = ("run", "-q", "--fail-on", "new", "--since", "last")


def newest(shop: Shop) -> Path:
    """The folder of the run that was recorded last."""
    head = json.loads((shop.folder / "reports" / ".chain").read_text())
    return shop.folder / "reports" / str(head["id"])


def recorded(shop: Shop) -> Run:
    """That run."""
    return run_from_json((newest(shop) / "run.json").read_text())


def rows(shop: Shop, *ids: int) -> None:
    """Make these the failing rows."""
    shop.sql(
        "DELETE FROM orders WHERE id >= 10;" + "".join(f"INSERT INTO orders VALUES ({i}, -{i});" for i in ids)
    )


@pytest.fixture
def failing(shop: Shop) -> Shop:
    """A shop whose last run knew rows 10 and 11 to fail."""
    rows(shop, 10, 11)
    assert shop.cli("run", "-q").returncode == 1
    return shop


@pytest.mark.slow
def test_what_the_last_run_knew_does_not_count(failing: Shop) -> None:
    """The same rows pass and fewer of them, more or others fail; so does what was fixed in between. The
    record alone gives the same verdict again.
    """
    told = []
    for ids in ((10, 11), (10,), (10, 12), (12, 13), (), (12, 13)):
        rows(failing, *ids)
        code = failing.cli(*NEW_ONLY).returncode
        run = recorded(failing)
        state = next(t.step.state for t in tonight(run) if t.outcome.check == GREATER)
        told.append((code, state))
        again = judged_again(newest(failing) / "run.json")
        assert (again.verdict is Verdict.FAIL) == (code == 1)
        assert failing.cli("verify", str(newest(failing)), dsn=False).returncode != 1
        # One that was known is a blocking check that failed all the same.
        page = (newest(failing) / "report.html").read_text(encoding="utf-8")
        assert not (ids and "no blocking check failed" in page)
    S = LineState
    assert told == [
        (0, S.KNOWN), (0, S.SHRUNK), (1, S.GROWN), (1, S.OTHER_ROWS), (0, S.FIXED), (1, S.NEW)
    ]  # fmt: skip
    # What the page remembers is what the history counts.
    listed = failing.cli("history", dsn=False).stdout
    assert [re.findall(r"\d+ (new|known|grown|shrunk|fixed|flapping|other rows)", n)[0] for n in
            reversed(listed.splitlines())] == ["new", *(state.value for _, state in told)]  # fmt: skip
    chain = failing.cli("verify", "--chain", "reports", dsn=False)
    assert chain.returncode == 0, chain.stdout


def test_without_a_last_run_all_is_new(shop: Shop) -> None:
    """No run, one on another database, one that cannot be read: every failure counts, and that is said."""
    rows(shop, 10)
    first = shop.cli(*NEW_ONLY)
    assert (first.returncode, "every failure is new" in first.stderr) == (1, True)
    assert shop.cli(*NEW_ONLY).returncode == 0
    (newest(shop) / "run.json").write_text("{}")
    damaged = shop.cli(*NEW_ONLY)
    assert (damaged.returncode, "cannot be read" in damaged.stderr) == (1, True)
    assert recorded(shop).past is None


def test_no_answer_forgets_nothing(failing: Shop) -> None:
    """A night without an answer neither fixes a failure nor makes it new; a partial run neither."""
    failing.sql("REVOKE SELECT ON orders FROM PUBLIC; REVOKE SELECT ON orders FROM " + failing.role)
    assert failing.cli("run", "-q").returncode == 3
    failing.sql("GRANT SELECT ON orders TO " + failing.role)
    assert failing.cli("run", "-q", "orders.id.*").returncode in {0, 1}
    assert failing.cli(*NEW_ONLY).returncode == 0
    rows(failing, 10, 12)
    failing.sql("REVOKE SELECT ON orders FROM " + failing.role)
    assert failing.cli(*NEW_ONLY).returncode == 3
    failing.sql("GRANT SELECT ON orders TO " + failing.role)
    # Two rows as before, and others: no list of keys stands beside them, so the digest decides.
    assert failing.cli(*NEW_ONLY).returncode == 1


def test_what_was_recorded_last_counts_whatever_the_clock_said(failing: Shop) -> None:
    """The chain knows the order: a run whose folder has a later name was recorded before it."""
    rows(failing)
    assert failing.cli("run", "-q").returncode == 0
    fixed = recorded(failing)
    later = replace(fixed, id="20991231T000000Z-abcdef")
    # As though the clock had been set back after this one: it failed with the rows that fail tonight.
    first = failing.folder / "reports" / str(fixed.provenance.previous_run)
    known = run_from_json((first / "run.json").read_text())
    shutil.copytree(first, failing.folder / "reports" / later.id)
    (failing.folder / "reports" / later.id / "run.json").write_text(run_to_json(replace(known, id=later.id)))
    rows(failing, 10, 11)
    assert failing.cli(*NEW_ONLY).returncode == 1
    assert recorded(failing).past.run == fixed.id  # type: ignore[union-attr]


def test_options_that_contradict(shop: Shop) -> None:
    """--fail-fast ends before it is known what is new; without --since a baseline is needed, and both are
    named.
    """
    fast = shop.cli("run", "-x", "--since", "last")
    assert (fast.returncode, "--since last" in fast.stderr) == (2, True)
    alone = shop.cli("run", "--fail-on", "new")
    assert (alone.returncode, "--since last" in alone.stderr, "--baseline" in alone.stderr) == (2, True, True)
    # To mark alone: all failures count.
    rows(shop, 10)
    assert [shop.cli("run", "-q", "--since", "last").returncode for _ in range(2)] == [1, 1]


def test_a_record_that_excuses_itself_is_refused(failing: Shop) -> None:
    """Known is only what the past beside it knew: by the same meaning, failing, with as many rows."""
    assert failing.cli(*NEW_ONLY).returncode == 0
    run = recorded(failing)
    past = run.past
    assert past is not None
    assert judge(run).verdict is Verdict.PASS
    grown = replace(
        run, results=tuple(replace(r, violations=r.violations and r.violations + 1) for r in run.results)
    )
    unknown = replace(past, lines=())
    moved = replace(past, lines=tuple(replace(line, meaning="0" * 64) for line in past.lines))
    other = replace(past, failures=past.failures[:1] * 2)
    for wrong in (
        grown,
        *(replace(run, past=one) for one in (unknown, moved, other, replace(past, digest="x"))),
    ):
        with pytest.raises(RecordError, match="contradicts itself"):
            run_from_json(run_to_json(wrong))
