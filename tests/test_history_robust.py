"""The index of all nights when things go wrong: no earlier run is lost, none turns green."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from conftest import ROOT
from night_cases import START, night, record_night

from kisaan_validate.cli import history_index
from kisaan_validate.cli.main import main
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.record.filelock import file_lock
from kisaan_validate.signoff.chain import links_of, walk

WORDS = ("history", "--last", "99", "--reports")


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """Six nights, of which the last three fail."""
    made = tmp_path / "reports"
    for n in range(6):
        record_night(made, night(n, failing=int(n >= 3)))
    return made


def listed(reports: Path, capsys: pytest.CaptureFixture[str], code: int = 0) -> list[str]:
    """What ``history`` lists."""
    capsys.readouterr()
    assert main([*WORDS, str(reports)]) == code
    return capsys.readouterr().out.splitlines()


KILLED = """
import os, signal, sys
import sqlalchemy as sa
from kisaan_validate.cli.main import main

left = int(sys.argv[2])

@sa.event.listens_for(sa.engine.Engine, "after_cursor_execute")
def after(connection, cursor, statement, *_):
    global left
    left -= statement.split()[0] in {"INSERT", "UPDATE", "DELETE", "CREATE"}
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

sys.exit(main(["history", "--last", "99", "--reports", sys.argv[1]]))
"""


@pytest.mark.slow
def test_killed_between_any_two_writes(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it is killed, the next listing is complete, whether the index was new or had nights already."""
    copy = tmp_path / "copy"
    shutil.copytree(reports, copy)
    expected = listed(copy, capsys)
    for begun in (False, True):
        killed = 0
        for step in (1, 3, 6, 9, 12, 16, 99) if not begun else range(1, 100):
            here = tmp_path / f"{begun}{step}"
            shutil.copytree(reports, here)
            if begun:
                later = here / "later"
                shutil.move(max(here.glob("2*")), later)
                assert len(listed(here, capsys)) == 6
                shutil.move(later, here / night(5).id)
            words = [sys.executable, "-c", KILLED, str(here), str(step)]
            done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
            assert listed(here, capsys) == expected
            if done.returncode == 0:
                break
            assert done.returncode == -9, done.stderr
            killed += 1
        # The index that has nights already is brought up by four writes.
        assert killed >= 4, "it was killed at too few places"


def test_a_full_disk(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No room for the index: exit 2 says so, and once there is room all nights are listed."""
    text = (
        "import resource, signal, sys; from kisaan_validate.cli.main import main\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))\n"
        f"sys.exit(main([*{WORDS}, sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(reports)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(listed(reports, capsys)) == 6


def test_a_run_is_recorded_whatever_becomes_of_its_past(
    reports: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last record is damaged, or a folder, or not to be read: the next run is recorded, compares with
    nothing, and says so.
    """
    for n, harm in enumerate((b"{}", b"[" * 100_000, b"\xff\xfe")):
        newest = max(reports.glob("2*/run.json"), key=lambda path: path.parent.name)
        newest.write_bytes(harm)
        judged = record_night(reports, night(10 + n, failing=1), since_last=True)
        assert judged.run.past is None
        assert judged.failing
        assert (reports / judged.run.id / "run.json").exists()
    assert "cannot be read" in capsys.readouterr().err


def test_the_clock_steps_back(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run whose time lies before that of others stands where its time says; all are there, and it follows
    what was recorded before it.
    """
    early = record_night(reports, night(6, failing=1, at=START + timedelta(days=2, hours=1)))
    assert early.run.past is not None
    assert early.run.past.run == night(5).id
    late = record_night(reports, night(7, failing=1))
    assert late.run.past is not None
    assert [known.run for known in late.run.past.nights[-2:]] == [night(5).id, early.run.id]
    found = listed(reports, capsys)
    assert [line.split()[3] for line in found] == ["FAIL"] * 5 + ["PASS"] * 3
    assert found == sorted(found, reverse=True)
    assert not walk(links_of(reports)).broken


def test_the_index_is_locked(
    reports: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another process of ours: exit 6. By somebody in the file itself: exit 2, and nothing is lost."""
    expected = listed(reports, capsys)
    monkeypatch.setattr(history_index, "LOCK_WAIT", 0.1)
    with file_lock(reports / history_index.LOCK_FILE, "a test"):
        assert listed(reports, capsys, code=6) == []
    with sqlite3.connect(reports / history_index.HISTORY_FILE) as other:
        other.execute("BEGIN EXCLUSIVE")
        record_night(reports, night(6))
        assert listed(reports, capsys, code=2) == []
        other.rollback()
    assert listed(reports, capsys)[1:] == expected


def test_an_older_index_is_made_again(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its tables are other ones: they are filled again from the runs, without a word."""
    expected = listed(reports, capsys)
    with sqlite3.connect(reports / history_index.HISTORY_FILE) as index:
        index.executescript(
            "UPDATE validate_history SET format = 1; DROP TABLE validate_series;"
            "ALTER TABLE validate_nights DROP COLUMN keys; ALTER TABLE validate_nights DROP COLUMN pruned"
        )
    assert listed(reports, capsys) == expected


def test_two_at_once(reports: Path) -> None:
    """Both list all nights."""
    words = [sys.executable, "-m", "kisaan_validate", *WORDS, str(reports)]
    both = [subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    found = [one.communicate(timeout=120)[0].splitlines() for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert found[0] == found[1]
    assert len(found[0]) == 6


def test_a_copied_run_is_counted_once(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under whatever name; the folder of its own name is the run."""
    expected = listed(reports, capsys)
    for name in ("0-copy", "z-copy"):
        shutil.copytree(reports / night(4).id, reports / name)
        assert listed(reports, capsys) == expected
    (reports / history_index.HISTORY_FILE).unlink()
    assert listed(reports, capsys) == expected


def test_what_a_run_was_compared_with_may_not_change(reports: Path) -> None:
    """Also if another database's run lies between the two: the chain names it."""
    other = night(6)
    record_night(reports, replace(other, suite=replace(other.suite, name="another")))
    compared = record_night(reports, night(7, failing=1), since_last=True)
    assert compared.run.past is not None
    assert compared.run.past.run == night(5).id
    assert not walk(links_of(reports)).broken
    path = reports / night(5).id / "run.json"
    path.write_text(run_to_json(replace(run_from_json(path.read_text()), held_seconds=1)))
    assert any("with which it was compared" in fault for fault in walk(links_of(reports)).broken)


def test_nothing_is_written_beside_the_index(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Listing leaves the runs as they are, to the byte and to the time."""
    before = {path: os.stat(path).st_mtime_ns for path in reports.glob("2*/**/*")}
    listed(reports, capsys)
    assert {path: os.stat(path).st_mtime_ns for path in reports.glob("2*/**/*")} == before
