"""``history prune``: what a rule removes, what it never does, and what is left of a run that went."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from night_cases import START, night, record_night

from kisaan_validate.cli.history_prune import prune
from kisaan_validate.cli.main import main
from kisaan_validate.cli.runs_index import update_index
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.result import Verdict
from kisaan_validate.history.night import Night, night_of
from kisaan_validate.history.retention import Retention, fates
from kisaan_validate.ops.config import Config
from kisaan_validate.record.codec import run_digest
from kisaan_validate.signoff.chain import links_of, walk
from kisaan_validate.signoff.tombstones import TOMBSTONE_FILE, read_tombstone
from kisaan_validate.verdict.judgement import judge

DAY = timedelta(days=1)


def nights(reports: Path, count: int, failing: Sequence[int] = ()) -> list[str]:
    """So many nights, on some of which a check fails; their ids."""
    runs = [night(n, failing=int(n in failing), keys=True) for n in range(count)]
    for run in runs:
        record_night(reports, run)
    return [run.id for run in runs]


def there(reports: Path) -> set[str]:
    """The runs whose record is there."""
    return {path.parent.name for path in reports.glob("*/run.json")}


def listed(reports: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What ``history`` says, without what it says of pruning."""
    capsys.readouterr()
    assert main(["history", "--reports", str(reports), "--last", "99"]) == 0
    return [line.partition("  (pruned")[0] for line in capsys.readouterr().out.splitlines()]


def after(reports: Path, rule: Retention, *, days: int = 0) -> set[str]:
    """Prune by a rule, so many days after the first night; the runs that are left."""
    prune(Config(reports=reports), rule, START + days * DAY, remove=True)
    return there(reports)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    """A folder of reports."""
    made = tmp_path / "reports"
    made.mkdir()
    return made


def test_a_rule_keeps_days_then_runs_then_weeks(reports: Path) -> None:
    """Of 30 nights: those of the last three days, the newest five, and the last of each of four weeks."""
    ids = nights(reports, 30)
    kept = after(reports, Retention(days=3, runs=5, weeks=3), days=400)
    # The last Sundays are nights 13, 20 and 27; night 6 is older than three weeks.
    assert kept == {ids[n] for n in (13, 20, 25, 26, 27, 28, 29)}
    assert after(reports, Retention(days=3, runs=5, weeks=3), days=400) == kept, "once more changes nothing"


def test_the_history_goes_on_through_tombstones(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same nights and lines as before, also when the index is rebuilt from what is left; verdicts and
    states stand in the list of runs, without a link to files that are gone.
    """
    ids = nights(reports, 12, failing=(3, 4, 5, 6, 7, 8, 9, 10, 11))
    before = listed(reports, capsys)
    main(["history", "show", "orders.rule_0000", "--reports", str(reports)])
    line = capsys.readouterr().out
    assert "failing since 2026-01-08" in line
    assert main(["history", "prune", "--keep-runs", "2", "--reports", str(reports)]) == 0
    said = capsys.readouterr().out
    assert "Nothing was removed. Remove 10 runs with --yes." in said
    assert there(reports) == set(ids)
    assert main(["history", "prune", "--keep-runs", "2", "--yes", "--reports", str(reports)]) == 0
    assert there(reports) == set(ids[-2:])
    assert listed(reports, capsys) == before
    assert main(["history", "rebuild", "--reports", str(reports)]) == 0
    assert listed(reports, capsys) == before
    main(["history", "show", "orders.rule_0000", "--reports", str(reports)])
    assert capsys.readouterr().out == line
    # The next night follows, and remembers.
    run = record_night(reports, night(12, failing=1, keys=True)).run
    assert (run.provenance.previous_run, run.past and len(run.past.nights)) == (ids[-1], 12)
    index = update_index(reports)
    assert [len(index.entries), len(index.unread)] == [13, 0]
    page = (reports / "index.html").read_text()
    assert f'href="{ids[0]}/' not in page
    assert f'href="{ids[-1]}/' in page
    assert "by the rule: keep the newest 2 runs" in page


def test_a_chain_holds_over_what_was_pruned(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the rule and the day, is not called broken, and is not called proved. A tombstone that is
    missing, damaged, or of another run breaks it.
    """
    ids = nights(reports, 6)
    after(reports, Retention(runs=2), days=9)
    capsys.readouterr()
    assert main(["verify", "--chain", str(reports)]) == 3
    said = capsys.readouterr().out
    assert "4 runs are tombstones" in said
    assert "pruned on 2026-01-14 by the rule: keep the newest 2 runs" in said
    assert "missing" not in said
    assert main(["verify", str(reports / ids[1])]) == 2
    assert "was pruned on 2026-01-14" in capsys.readouterr().err
    stone = reports / ids[3] / TOMBSTONE_FILE
    text = stone.read_text()
    for edited in ("", text.replace('"PASS"', '"FAIL"', 1), text[: len(text) // 2], text + " ", "[]"):
        stone.write_text(edited)
        assert walk(links_of(reports)).broken
        assert main(["verify", "--chain", str(reports)]) == 1
    stone.write_text((reports / ids[2] / TOMBSTONE_FILE).read_text())
    assert walk(links_of(reports)).broken
    stone.unlink()
    assert main(["verify", "--chain", str(reports)]) == 1


def test_what_is_never_removed(reports: Path) -> None:
    """Signed, attested, packed; the newest, the newest whole, the newest of each database; what the chain
    finds wrong; what cannot be read. Keys that stay for one of these reasons are named.
    """
    ids = nights(reports, 8)
    other = night(8)
    other = replace(other, place=replace(other.place, host="elsewhere", system_identifier="1"))
    record_night(reports, other)
    (reports / ids[0] / "signoffs").mkdir()
    (reports / ids[1]).with_suffix(".zip").write_bytes(b"PK")
    damaged = reports / ids[3] / "run.json"
    damaged.write_text(damaged.read_text()[:-99])
    with (reports / ids[4] / "run.json").open("a") as file:
        file.write(" ")
    found = prune(
        Config(reports=reports),
        Retention(runs=1, forget_seconds=1),
        datetime(2027, 1, 1, tzinfo=UTC),
        remove=True,
    )
    assert found.unread == 1
    # Night 2 too: of the damaged one nobody can tell what it follows.
    assert there(reports) == {*(ids[n] for n in (0, 1, 2, 3, 4, 7)), other.id}
    why = {fate.night.run: fate.why for fate in found.fates if not fate.goes}
    assert why[ids[0]].startswith("it is signed")
    assert why[ids[1]].startswith(f"{ids[1]}.zip holds its evidence")
    assert why[ids[4]].startswith("it was changed after the next run named it")


def test_keys_are_forgotten_in_time(reports: Path) -> None:
    """Whatever the rule keeps: a run with keys of rows goes, one without stays; no key is left in any file,
    but the number of violations and since when are.
    """
    for n in range(6):
        record_night(reports, night(n, failing=n % 2, keys=True))
    kept = after(reports, Retention(days=99, forget_seconds=2 * 86_400), days=5)
    assert len(kept) == 5
    assert len(there(reports)) == 5, "nights 0, 2 and 4 hold no key; 3 and 5 are young"
    (stone,) = reports.glob(f"*/{TOMBSTONE_FILE}")
    assert '"id"' not in stone.read_text()
    assert {path.name for path in stone.parent.iterdir()} == {TOMBSTONE_FILE}
    kept_one = read_tombstone(stone)
    assert [o.violations for o in kept_one.night.outcomes] == [7, 0, 0, 0]
    assert kept_one.rule == "forget keys after 2 days"


def test_files_of_others_stay(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What kisaan-validate did not write is left where it is, and named; links are not followed."""
    ids = nights(reports, 3)
    notes, outside = reports / ids[0] / "notes.txt", reports.parent / "outside"
    notes.write_text("ours")
    outside.mkdir()
    (outside / "precious").write_text("x")
    shutil.rmtree(reports / ids[1] / "suite")
    (reports / ids[1] / "suite").symlink_to(outside)
    assert main(["history", "prune", "--keep-runs", "1", "--yes", "--reports", str(reports)]) == 0
    assert "notes.txt" in capsys.readouterr().err
    assert notes.read_text() == "ours"
    assert (outside / "precious").exists()


def test_no_rule_removes_nothing(reports: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No rule, or one a week alone, is exit 2; the configuration's rule is taken, an option counts more."""
    ids = nights(reports, 3)
    for words in ([], ["--keep-weeks", "3"], ["--keep-days", "0"], ["--keep-days", "x"]):
        assert main(["history", "prune", *words, "--yes", "--reports", str(reports)]) == 2
    assert there(reports) == set(ids)
    config = tmp_path / "kisaan.toml"
    config.write_text('[history]\nkeep_runs = 1\nforget_keys = "90 d"\n')
    for word, left in (("--keep-runs=2", 2), ("--yes", 1)):
        words = ["history", "prune", word, "--yes", "--config", str(config), "--reports", str(reports)]
        assert main(words) == 0
        assert len(there(reports)) == left
    config.write_text("[history]\nkeep_day = 1\n")
    assert main(["history", "prune", "--config", str(config)]) == 2
    assert "did you mean 'keep_days'" in capsys.readouterr().err


LADDER = """
import os, signal, sys
from datetime import timedelta
from pathlib import Path
from night_cases import START
import kisaan_validate.record.files as files
from kisaan_validate.cli.history_prune import prune
from kisaan_validate.history.retention import Retention
from kisaan_validate.ops.config import Config

left = int(sys.argv[2])
def counting(function):
    def wrapped(*words, **named):
        global left
        done = function(*words, **named)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    return wrapped
for name in ("replace", "unlink", "fsync", "rmdir"):
    setattr(os, name, counting(getattr(os, name)))
Path.unlink = counting(Path.unlink)
prune(Config(reports=Path(sys.argv[1])), Retention(runs=1), START + timedelta(days=9), remove=True)
print("done", left)
"""


@pytest.mark.slow
def test_killed_between_any_two_writes(
    reports: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it is killed: each run is there or has its tombstone, the history says what it said, the chain
    is whole, and pruning again ends it.
    """
    ids = nights(reports, 3, failing=(0, 1))
    before = listed(reports, capsys)
    ends, step = 0, 1
    while not ends:
        copy = tmp_path / f"copy{step}"
        shutil.copytree(reports, copy)
        done = subprocess.run(
            [sys.executable, "-c", LADDER, str(copy), str(step)],
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        ends = done.returncode == 0
        assert ends or done.returncode == -9, done.stderr
        whole = {path.parent.name for path in copy.glob(f"*/{TOMBSTONE_FILE}")} | there(copy)
        assert whole == set(ids)
        assert not walk(links_of(copy)).broken
        assert listed(copy, capsys) == before
        assert after(copy, Retention(runs=1), days=9) == {ids[-1]}
        assert all(len(list((copy / id).iterdir())) == 1 for id in ids[:-1])
        assert listed(copy, capsys) == before
        # Every fifth place from the twelfth on: the files of a suite are removed one like the other.
        step += 1 if step < 12 else 5
    assert step > 12, "it was killed at too few places"


def test_a_full_disk_removes_nothing(reports: Path) -> None:
    """No room for a tombstone: the run stays, and the error says so."""
    ids = nights(reports, 4)
    text = (
        "import resource, sys; from pathlib import Path; from kisaan_validate.cli.main import main\n"
        "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "main(['history', '--reports', sys.argv[1]])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))\n"
        "sys.exit(main(['history', 'prune', '--keep-runs', '1', '--yes', '--reports', sys.argv[1]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(reports)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 2, done.stderr
    assert "cannot write" in done.stderr
    assert there(reports) == set(ids)


def test_two_at_once_and_while_a_run_is_recorded(reports: Path) -> None:
    """Both end; no run is lost, and nothing is removed twice."""
    ids = nights(reports, 12)
    words = [sys.executable, "-m", "kisaan_validate", "history", "prune", "--keep-runs", "2", "--yes"]
    both = [
        subprocess.Popen([*words, "--reports", str(reports)], cwd=ROOT, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    record_night(reports, night(12))
    assert [one.wait(120) for one in both] == [0, 0]
    stones = {path.parent.name for path in reports.glob(f"*/{TOMBSTONE_FILE}")}
    assert there(reports).isdisjoint(stones)
    assert there(reports) | stones == {*ids, night(12).id}
    assert ids[11] in there(reports)
    assert not walk(links_of(reports)).broken


def test_a_run_that_changes_meanwhile_is_not_removed(reports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the decision and its removal: changed, it stays with an error; signed, it stays with a note."""
    import kisaan_validate.signoff.tombstones as stones

    ids = nights(reports, 3)
    write = stones.write_tombstone

    def signed(folder: Path, stone: object) -> None:
        (folder / "signoffs").mkdir(exist_ok=True)
        write(folder, stone)  # type: ignore[arg-type]

    monkeypatch.setattr(stones, "write_tombstone", signed)
    found = prune(Config(reports=reports), Retention(runs=1), START + 9 * DAY, remove=True)
    assert len(found.left) == 2
    assert there(reports) == set(ids)
    assert not list(reports.glob(f"*/{TOMBSTONE_FILE}"))


MOMENTS = st.lists(st.integers(0, 400), min_size=1, max_size=25, unique=True)


@given(
    MOMENTS, st.none() | st.integers(1, 60), st.none() | st.integers(1, 9), st.none() | st.integers(1, 60),
    st.integers(-50, 1_000), st.sets(st.integers(0, 24)),
)  # fmt: skip
def test_a_rule_is_kept(
    days: list[int], keep_days: int | None, runs: int | None, weeks: int | None, now: int, held: set[int]
) -> None:
    """For any nights and rule: the newest stays, what is held stays, as many as are to be kept are, pruning
    again removes nothing more, and a clock that is ahead removes no more than one that is right.
    """
    rule = Retention(keep_days, runs, weeks)
    template = _template()
    series = [replace(template, run=f"r{d:04}", at=START + d * DAY) for d in sorted(days)]
    kept_back = {series[n].run: "held" for n in held if n < len(series)}
    at = START + now * DAY
    found = fates(series, rule, at, kept_back)
    left = [fate.night for fate in found if not fate.goes]
    assert left[-1] == series[-1]
    assert {n.run for n in left} >= kept_back.keys()
    assert len(left) >= min(runs or 0, len(series))
    assert not any(fate.goes for fate in fates(left, rule, at, kept_back))
    if not rule.by_age:
        assert left == series
    ahead = fates(series, rule, series[-1].at + 9_999 * DAY, kept_back)
    right = fates(series, rule, series[-1].at, kept_back)
    assert [fate.goes for fate in ahead] == [fate.goes for fate in right]


def _template() -> Night:
    run = night(0)
    made = night_of(judge(run), run.id, run_digest(run))
    assert made.verdict is Verdict.PASS
    return made


def test_a_damaged_tombstone_costs_no_other(reports: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is named, exit 3, and all other nights are listed."""
    ids = nights(reports, 5)
    after(reports, Retention(runs=2), days=9)
    (reports / ids[0] / TOMBSTONE_FILE).write_text("{}")
    capsys.readouterr()
    assert main(["history", "--reports", str(reports)]) == 3
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 4
    assert "no whole tombstone" in err
    with pytest.raises(RecordError):
        read_tombstone(reports / ids[0] / TOMBSTONE_FILE)
    assert json.loads((reports / ids[1] / TOMBSTONE_FILE).read_text())["kind"] == "tombstone"
