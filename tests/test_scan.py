"""``scan``: a profile of kisaan.toml run as a night, on a real server: its window, its budget, what goes first,
and what is said of each table.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pandera.pandas as pa
import pytest
from conftest import Server, slack, wait_until
from gates import GATE_TABLE, PATIENT, answers, by_id, gate_in
from helpers import prove, settings
from shop import Shop
from test_lock import GATED, _begun, _pids, _target, advisory_lock_when_free

from kisaan_validate import declare as d
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.result import Status
from kisaan_validate.ops.window import Window, read_times, read_zone
from kisaan_validate.postgres.lock import advisory_lock
from kisaan_validate.postgres.session import Limits
from kisaan_validate.process.deadline import Deadline
from kisaan_validate.suite.load import suite_of

PROFILE = "[run]\nlock_timeout_ms = 60000\n[scan.nightly]\n"


def _config(shop: Shop, text: str = PROFILE) -> None:
    (shop.folder / "kisaan.toml").write_text(text)


def _records(shop: Shop) -> list[dict[str, Any]]:
    """The records of all runs, the oldest first."""
    found = [json.loads(path.read_text()) for path in (shop.folder / "reports").glob("*/run.json")]
    return sorted(found, key=lambda run: str(run["place"]["at"]))


def test_a_scan_records_as_a_run_does(shop: Shop) -> None:
    """Verdict and exit code of a run, the profile in its settings, and every table was proved now."""
    _config(shop, PROFILE + 'exclude = ["notes"]\nbudget = "40 min"\njobs = 1\n')
    done = shop.cli("scan")
    assert done.returncode == 0, done.stderr
    (run,) = _records(shop)
    said = {key: run["settings"][key] for key in ("scan", "budget_seconds", "grace_seconds", "jobs")}
    assert said == {"scan": "nightly", "budget_seconds": "2400", "grace_seconds": "60", "jobs": "1"}
    assert run["proved"] == [{"table": "orders", "at": run["place"]["at"], "run": run["id"]}]
    assert run["selection"]["exclude"] == ["notes"]
    shop.sql("INSERT INTO orders VALUES (9, -1)")
    assert shop.cli("scan", "nightly").returncode == 1
    assert (shop.folder / "reports" / "index.html").is_file()


@pytest.fixture
def gated(shop: Shop) -> Shop:
    """A shop of which one check waits for the test. Its table is the largest, and comes first by its size."""
    (shop.folder / "checks" / "gate.py").write_text(GATED)
    shop.sql("INSERT INTO other SELECT 1 FROM generate_series(1, 20000); ANALYZE")
    _config(shop, PROFILE + "jobs = 1\n")
    return shop


def test_what_the_budget_did_not_reach_has_no_answer(gated: Shop) -> None:
    """What runs is waited for within the grace, nothing is begun; the run is inconclusive, says why, and when
    each table was proved last.
    """
    _config(gated, PROFILE + 'jobs = 1\nbudget = "1 s"\ngrace = "1 h"\n')
    with gate_in(gated.server, gated.database) as gate:
        scan = _begun(gated, "scan")
        # On a slow machine the budget ends before anything is asked; then this too is not reached.
        wait_until(lambda: gate._waiting() or scan.poll() is not None)
        time.sleep(1.2)
        gate.open()
        out, err = scan.communicate(timeout=60)
    assert scan.returncode == 3, out + err
    assert re.search(r"note +the budget of 1 s ended: \d+ checks without an answer", out)
    assert "last proved: orders (never, as far as runs are kept)" in out
    (run,) = _records(gated)
    assert (run["halted"], run.get("interrupted")) == ("the budget of 1 s ended", None)
    missed = [r for r in run["results"] if r.get("message") == "not reached: the budget of 1 s ended"]
    assert {(r["status"], r["hint"]) for r in missed} == {("error", "it goes first in the next scan")}
    assert {r["check_id"] for r in missed} >= {"orders.total.greater_than_or_equal_to", "orders.note.unique"}
    assert {"table": "orders"} in run["proved"]
    page = (gated.folder / "reports" / run["id"] / "report.html").read_text()
    assert "not reached: the budget of 1 s ended" in page
    assert "Last proved: orders (never, as far as runs are kept)" in page
    # The night after: what was proved before is said with its time.
    _config(gated, PROFILE + 'exclude = ["other"]\n')
    assert gated.cli("scan").returncode == 0
    before = _records(gated)[-1]
    _config(gated, PROFILE + 'jobs = 1\nbudget = "1 s"\ngrace = "1 h"\n')
    with gate_in(gated.server, gated.database) as gate:
        scan = _begun(gated, "scan", "-q")
        time.sleep(1.2)
        gate.open()
        assert scan.wait(60) in {0, 3}
    scan.communicate()
    for one in _records(gated)[-1]["proved"]:
        answered = one.get("run") == _records(gated)[-1]["id"]
        assert answered or one["table"] == "other" or one.get("run") == before["id"]


def test_what_had_no_answer_for_longest_goes_first(gated: Shop) -> None:
    """Whatever the size of its table; afterwards the order is that of the answers again, by the history."""
    first = 'select = ["other"]\n[scan.all]\njobs = 1\n'
    _config(gated, PROFILE + first)
    assert gated.cli("scan", "nightly").returncode == 0
    assert gated.cli("scan", "all").returncode == 0
    other, every = _records(gated)
    assert _asked(every)[-1] == "other"
    assert other["proved"] == [{"table": "other", "at": other["place"]["at"], "run": other["id"]}]
    # Now all had their answers in the same night: by size again.
    assert gated.cli("scan", "all").returncode == 0
    assert _asked(_records(gated)[-1])[0] == "other"


def _asked(run: dict[str, Any]) -> list[str]:
    """The tables whose rows were counted, in the order of the statements."""
    return [
        s["purpose"].removeprefix("rows of ") for s in run["statements"] if s["purpose"].startswith("rows")
    ]


def test_a_window_is_kept(shop: Shop) -> None:
    """Outside it nothing is done, which is exit 7 and no record; --now runs it; a window that ends is the end
    of the budget.
    """
    now = datetime.now(UTC)
    closed = f"{now + timedelta(hours=2):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    _config(shop, PROFILE + f'window = "{closed}"\n')
    refused = shop.cli("scan")
    assert refused.returncode == 7, refused.stderr
    assert re.search(
        rf"it is \d\d:\d\d, and \[scan.nightly\] may run {closed} UTC; nothing was checked", refused.stderr
    )
    assert "HINT: start it within its window, or now: scan --now" in refused.stderr
    assert not (shop.folder / "reports").exists()
    assert shop.cli("scan", "--now").returncode == 0
    open_now = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}"
    _config(shop, PROFILE + f'window = "{open_now}"\n')
    assert shop.cli("scan").returncode == 0
    assert _records(shop)[-1]["settings"]["window"] == f"{open_now} UTC"


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ('window = "1:00-5:00"', "[scan.nightly].window: must be two different times of day"),
        ('window = "01:00-01:00"', "two different times"),
        ('window = "01:00-05:00"\nzone = "IST"', "must be a time zone"),
        ('zone = "Asia/Kolkata"', "has a zone but no window"),
        ("budget = 40", "must be a duration"),
        ('budget = "0 s"', "has a budget of nothing"),
        ('bugdet = "40 min"', "did you mean 'budget'?"),
        ('select = ["odrers"]', "did you mean"),
        ("jobs = 0", "jobs"),
    ],
)
def test_a_profile_that_means_nothing_is_refused(shop: Shop, profile: str, said: str) -> None:
    """With exit 2, the place and what to write, before anything is measured."""
    _config(shop, PROFILE + profile + "\n")
    done = shop.cli("scan")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_which_profile(shop: Shop) -> None:
    """The only one needs no name; of several one is named; without any the reader learns what to write."""
    assert "write [scan.nightly] in kisaan.toml" in _refused(shop)
    _config(shop, PROFILE + "[scan.weekly]\n")
    assert "name one: nightly, weekly" in _refused(shop)
    assert "did you mean 'nightly'?" in _refused(shop, "nigtly")
    _config(shop, '[scan."a b"]\n')
    assert "letters, digits" in _refused(shop)


def _refused(shop: Shop, *words: str) -> str:
    done = shop.cli("scan", *words)
    assert done.returncode == 2, done.stderr
    return done.stderr


def test_two_scans_at_once(gated: Shop) -> None:
    """The second, of whatever profile, is refused with exit 6, leaves nothing, and the first is not disturbed."""
    with gate_in(gated.server, gated.database) as gate:
        first = _begun(gated, "scan", "-q")
        gate.reached()
        second = gated.cli("scan", "--reports", "elsewhere")
        assert second.returncode == 6, second.stderr
        assert not (gated.folder / "elsewhere").exists()
        gate.open()
        out, err = first.communicate(timeout=60)
    assert first.returncode == 0, out + err
    assert len(_records(gated)) == 1


def test_a_history_that_cannot_be_read_keeps_no_scan_from_running(shop: Shop) -> None:
    """It is said, nothing goes first, and nothing is claimed of when tables were proved."""
    _config(shop)
    assert shop.cli("scan").returncode == 0
    (shop.folder / "reports" / ".kisaan-history.sqlite").write_bytes(b"x" * 5_000)
    done = shop.cli("scan")
    assert done.returncode == 0
    assert "what was not reached last time does not go first" in done.stderr
    assert "proved" not in _records(shop)[-1]


def test_history_says_when_tables_were_proved(gated: Shop) -> None:
    """The one that is longest ago first; a partial run leaves the others as they were."""
    _config(gated, PROFILE + "[scan.one]\nselect = ['other']\n")
    assert gated.cli("scan", "one").returncode == 0
    assert gated.cli("scan", "nightly").returncode == 0
    gated.sql("REVOKE SELECT ON orders FROM PUBLIC; REVOKE SELECT ON orders FROM " + gated.role)
    assert gated.cli("scan", "nightly").returncode == 3
    second, third = _records(gated)[1:]
    shown = gated.cli("history", "proved", dsn=False)
    assert shown.returncode == 0, shown.stderr
    lines = [line.split("  ")[-2:] for line in shown.stdout.splitlines()]
    assert lines == [["orders", second["id"]], ["other", third["id"]]]


@pytest.mark.parametrize("phase", ["at its start", "while it asks", "while it records"])
def test_a_scan_that_is_killed_costs_no_other(gated: Shop, phase: str) -> None:
    """SIGKILL in each phase: earlier runs stay, the next scan runs, nothing that is half written counts."""
    _config(gated, PROFILE + "exclude = ['other']\n[scan.all]\n")
    assert gated.cli("scan", "nightly").returncode == 0
    before = {path: path.read_bytes() for path in (gated.folder / "reports").glob("*/run.json")}
    with gate_in(gated.server, gated.database) as gate:
        if phase == "at its start":
            with advisory_lock(_target(gated), Limits(), {}, "checks"):
                scan = _begun(gated, "scan", "all")
                _kill(scan)
        elif phase == "while it asks":
            scan = _begun(gated, "scan", "all")
            gate.reached()
            _kill(scan)
        else:
            # As soon as its folder is there: its files are still to come, or just came.
            scan = _begun(gated, "scan", "all")
            gate.reached()
            known = set((gated.folder / "reports").iterdir())
            gate.open()
            wait_until(lambda: set((gated.folder / "reports").iterdir()) - known or scan.poll() is not None)
            _kill(scan)
    with advisory_lock_when_free(gated):
        pass
    after = gated.cli("scan", "all")
    assert after.returncode == 0, after.stderr
    assert {path: path.read_bytes() for path in before} == before
    listed = gated.cli("history", dsn=False)
    assert listed.returncode == 0, listed.stderr
    assert "INCONCLUSIVE" not in listed.stdout
    assert gated.cli("verify", "reports", "--chain", dsn=False).returncode in {0, 3}


def _kill(scan: subprocess.Popen[str]) -> None:
    """End the command and the process that does its work."""
    for pid in _pids(scan.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    scan.communicate(timeout=30)


def test_what_is_streamed_is_read_first_if_it_is_due(server: Server, database: str) -> None:
    """Then only the rows that are streamed are counted before; else it comes last, as ever. A budget that
    ends before has it not reached.
    """
    server.sql("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE u (n int);"
               "INSERT INTO t SELECT n, n FROM generate_series(1, 9) n", database)  # fmt: skip

    class Streamed(pa.DataFrameModel):
        n: int = pa.Field()

        class Config:
            name = "t"

        @pa.check("n", element_wise=True)
        def odd(cls, n: int) -> bool:
            return n < 9

    suite = suite_of(Streamed, d.holds("u", "n > 0", id="u"), settings=settings())
    (id,) = (check.id for check in suite.checks if check.form is Form.PYTHON)
    due = {check.id: 2 for check in suite.checks} | {id: 1}
    usual, first = (prove(server, database, suite, first=turns) for turns in ({id: 3}, due))
    order = [
        [s.purpose for s in run.statements if s.purpose.split()[0] in {"rows", "stream"}]
        for run in (usual, first)
    ]
    assert order[0][-1].startswith("stream"), order
    assert order[1].index("rows of u") > next(n for n, p in enumerate(order[1]) if p.startswith("stream")), (
        order
    )
    assert answers(usual) == answers(first)
    late = prove(server, database, suite, until=Deadline(time.monotonic(), "the budget of 1 s ended"))
    streamed = by_id(late)[id]
    assert (streamed.status, streamed.message) == (Status.ERROR, "not reached: the budget of 1 s ended")
    assert late.halted == "the budget of 1 s ended"


def test_what_runs_beyond_the_grace_is_cancelled(server: Server, database: str) -> None:
    """The statement ends soon after the grace, its check has no answer, and the run is halted, not
    interrupted.
    """
    server.sql(GATE_TABLE, database)
    with gate_in(server, database) as gate:
        suite = suite_of(gate.check(), settings=settings())
        until = Deadline(time.monotonic() + 2, "the budget of 2 s ended", grace=0.5)
        run = prove(server, database, suite, limits=PATIENT, until=until)
        assert time.monotonic() < until.at + 5 + slack()
    assert by_id(run)["gate"].status is Status.ERROR
    assert (run.halted, run.interrupted) == ("the budget of 2 s ended", "")


@pytest.mark.parametrize(
    ("window", "zone", "now", "ends"),
    [
        ("01:00-05:00", "UTC", "2026-03-01T01:00", "2026-03-01T05:00"),
        ("01:00-05:00", "UTC", "2026-03-01T05:00", None),
        ("01:00-05:00", "UTC", "2026-03-01T00:59:59", None),
        ("22:00-04:00", "UTC", "2026-03-01T23:00", "2026-03-02T04:00"),
        ("22:00-04:00", "UTC", "2026-03-02T03:59", "2026-03-02T04:00"),
        ("22:00-04:00", "UTC", "2026-03-02T12:00", None),
        ("01:00-05:00", "Asia/Kolkata", "2026-03-01T20:00", "2026-03-01T23:30"),
        # A night of 23 hours, one of 25, and one whose window the clock skips.
        ("01:00-05:00", "Europe/Berlin", "2026-03-29T00:30", "2026-03-29T03:00"),
        ("01:00-05:00", "Europe/Berlin", "2026-10-25T00:30", "2026-10-25T04:00"),
        ("02:00-03:00", "Europe/Berlin", "2026-03-29T01:00", None),
    ],
)
def test_windows_by_the_clock_of_their_zone(window: str, zone: str, now: str, ends: str | None) -> None:
    """The first minute is in, the last is not; times are UTC here."""
    (times, known) = (read_times(window), read_zone(zone))
    assert times is not None
    assert known is not None
    found = Window(*times, known).until(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == (datetime.fromisoformat(ends).replace(tzinfo=UTC) if ends else None)
