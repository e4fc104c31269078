"""``scan``: a profile of kisaan.toml run as a night, on a real server: its window, its budget, what goes first,
and what is said of each table.
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from conftest import wait_until
from gates import gate_in
from shop import Shop
from test_lock import GATED, _begun

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
    assert "The run ended early: the budget of 1 s ended." in " ".join(out.split())
    (run,) = _records(gated)
    assert (run["halted"], run["interrupted"]) == ("the budget of 1 s ended", "")
    missed = [r for r in run["results"] if r["message"] == "not reached: the budget of 1 s ended"]
    assert {(r["status"], r["hint"]) for r in missed} == {("error", "it goes first in the next scan")}
    assert {r["check_id"] for r in missed} >= {"orders.total.greater_than_or_equal_to", "orders.note.unique"}
    assert {"table": "orders", "at": None, "run": ""} in run["proved"]
    page = (gated.folder / "reports" / run["id"] / "report.html").read_text()
    assert "not reached: the budget of 1 s ended" in page


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
        ('window = "1:00-5:00"', "scan.nightly.window must be two different times of day"),
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
