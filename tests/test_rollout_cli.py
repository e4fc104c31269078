"""``rollout`` as an operator meets it: real processes, killed, resumed, two at once, and hostile commands."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, wait_until
from rollouts import PLAN, ROLLOUT, SUITE, Desk, alive, gone

from kisaan_validate.facts.rollout import StepEnded, StepStarted
from kisaan_validate.record.rollout import rollout_from_json

SLOW_SUITE = SUITE + (
    "import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)\n"
)
SLOW = "#!/bin/sh\necho begun\necho $$ > pid\nsleep 60 &\nwait\necho ended > late\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with the plan of rollouts.py."""
    return Desk(tmp_path)


def _told(desk: Desk) -> None:
    desk.put("told")


def _looked(desk: Desk) -> None:
    desk.put("told", "look")


def test_a_night_from_start_to_end(desk: Desk) -> None:
    """One command at a time: what is to be done, why, how it went, what comes next; at the end a page."""
    first = desk.rollout("next")
    assert first.returncode == 7
    assert first.stdout.splitlines() == [
        "step    1 of 3: Tell everybody (Before)",
        "why     they must know",
        "then    kisaan-validate rollout attest told --by NAME --text '…'",
    ]
    told = desk.rollout("attest", "told", "--by", "Asha", "--text", "mailed")
    assert told.returncode == 0
    assert told.stdout.splitlines() == [
        "noted   told: done",
        "next    kisaan-validate rollout next (look: Look at the suite)",
    ]
    looked = desk.rollout("next")
    assert looked.returncode == 0
    lines = looked.stdout.splitlines()
    assert lines[:2] == ["step    2 of 3: Look at the suite (Before)", "runs    kisaan-validate list"]
    assert any(line.startswith("  | ") and "orders.total" in line for line in lines)
    assert re.fullmatch(r"go      look, [\d.]+ s", lines[-2])
    assert lines[-1] == "next    kisaan-validate rollout next (migrate: Migrate)"
    assert desk.rollout("status").returncode == 7
    done = desk.rollout("next")
    assert done.returncode == 0
    assert "  | migrated" in done.stdout
    assert "1 success criterion: 1 proved, 0 attested by people." in done.stdout
    page = (desk.folder / "rollout" / "rollout.html").read_text()
    for words in ("Done and proved", "It is migrated", "migrate passed", "Asha", "out/done.txt", "mailed"):
        assert words in page
    for word in ("status", "check"):
        assert desk.rollout(word).returncode == 0, word
    for path in (desk.folder / "rollout").rglob("*.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_no_go_stops_until_it_is_overridden_by_name(desk: Desk) -> None:
    """Law: it does not go on; an override needs name and reason, is never green, and stays on the page."""
    desk.program("migrate", "#!/bin/sh\necho cannot migrate\nexit 4\n")
    _looked(desk)
    failed = desk.rollout("next")
    assert failed.returncode == 1
    assert re.search(r"^no-go   migrate, [\d.]+ s: exit 4: cannot migrate$", failed.stdout, re.MULTILINE)
    again = desk.rollout("next")
    assert again.returncode == 1
    assert "override migrate" in again.stdout
    assert "next --rollback --to back" in again.stdout
    assert desk.rollout("status").returncode == 1
    assert len(rollout_from_json(desk.record.read_text()).entries) == 6
    assert desk.rollout("override", "migrate", "--by", "Binod").returncode == 2
    over = desk.rollout("override", "migrate", "--by", "Binod", "--reason", "the ledger was empty before")
    assert over.returncode == 3
    assert "unknown every step is settled" in over.stdout
    assert desk.rollout("page").returncode == 3
    page = (desk.folder / "rollout" / "rollout.html").read_text()
    assert "Done, not proved" in page
    assert "the ledger was empty before" in page
    # Done again, it passes: the attempts and the override are kept.
    desk.program("migrate", "#!/bin/sh\nmkdir -p $1/out && echo x > $1/out/x.txt\n")
    assert desk.rollout("next", "--again", "migrate").returncode == 0
    page = (desk.folder / "rollout" / "rollout.html").read_text()
    assert "Done and proved" in page
    assert "the ledger was empty before" in page
    assert "2 times" in page


def test_the_way_back(desk: Desk) -> None:
    """Taken by name, gone step by step; its end is no success."""
    desk.program("migrate", "#!/bin/sh\nexit 1\n")
    _looked(desk)
    assert desk.rollout("next").returncode == 1
    assert desk.rollout("next", "--rollback", "--to", "before", "--by", "Asha").returncode == 2
    back = desk.rollout("next", "--rollback", "--by", "Asha", "--reason", "it does not migrate")
    assert back.returncode == 7
    assert "Restore the backup" in back.stdout
    done = desk.rollout("attest", "restore", "--by", "Asha")
    assert done.returncode == 1
    page = (desk.folder / "rollout" / "rollout.html").read_text()
    assert "Rolled back" in page
    assert "it does not migrate" in page


# --- killed and resumed -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ours", "command"])
def test_killed_in_a_step_it_is_interrupted_and_never_done(desk: Desk, kind: str, tmp_path: Path) -> None:
    """Law: by SIGKILL, what was begun has no end, and what it started is gone too. Ours is begun again; what
    others' command did, a person looks at. On another machine it is the same.
    """
    _told(desk) if kind == "ours" else _looked(desk)
    if kind == "ours":
        (desk.folder / "checks" / "orders.py").write_text(SLOW_SUITE)
    else:
        desk.program("migrate", SLOW)
    running = desk.begin("next")
    pid = int(desk.wait_for("pid"))
    running.kill()
    running.communicate()
    gone(pid)
    assert not (desk.folder / "late").exists()
    step = "look" if kind == "ours" else "migrate"
    other = tmp_path / "copied"
    shutil.copytree(desk.folder / "rollout", other / "rollout")
    shutil.copytree(desk.folder / "checks", other / "checks")
    for cwd in (desk.folder, other):
        status = desk.rollout("status", cwd=cwd)
        assert status.returncode == 3
        assert "at work" not in status.stdout
    (desk.folder / "checks" / "orders.py").write_text(SUITE)
    desk.program("migrate", "#!/bin/sh\nmkdir -p $1/out && echo x > $1/out/x.txt\n")
    if kind == "command":
        stopped = desk.rollout("next")
        assert stopped.returncode == 3
        assert "unknown migrate: interrupted, attempt 1 began, and its end was not recorded" in stopped.stdout
        assert desk.rollout("next", "--again", step).returncode == 0
    else:
        assert desk.rollout("next").returncode == 0
    page = desk.rollout("page")
    assert page.returncode in {0, 7}
    assert (
        "How it ended was not recorded: attempt 1" in (desk.folder / "rollout" / "rollout.html").read_text()
    )


@pytest.mark.slow
def test_killed_at_any_moment_the_record_is_whole(desk: Desk) -> None:
    """Law: whenever it is killed, the record reads, and a step is done only if its end stands in it."""
    _looked(desk)
    for delay in (0.3, 0.5, 0.7, 0.9, 1.1):
        running = desk.begin("next", *(["--again", "migrate"] if delay > 0.3 else []))
        time.sleep(delay)
        running.kill()
        running.communicate()
        entries = rollout_from_json(desk.record.read_text()).entries
        status = desk.rollout("status")
        last = entries[-1].event
        # Killed before it began, it waits for the step.
        began = getattr(last, "step", "") == "migrate"
        assert status.returncode == ({"ended": 0, "started": 3}[last.what] if began else 7)


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGTERM, signal.SIGHUP))],
)
def test_a_signal_ends_the_step_and_is_recorded(desk: Desk, number: signal.Signals) -> None:
    """Its end is known then: cannot tell, by which signal."""
    desk.program("migrate", SLOW)
    _looked(desk)
    running = desk.begin("next")
    pid = int(desk.wait_for("pid"))
    running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    gone(pid)
    assert running.returncode == 3, said
    assert f"interrupted by {number.name}" in said
    assert desk.rollout("status").returncode == 3


def test_a_command_that_takes_too_long_is_ended(desk: Desk) -> None:
    """With all that it started: cannot tell."""
    plan = PLAN.replace("run = true", 'run = true\ntimeout = "1 s"')
    (desk.folder / "rollout.toml").write_text(plan)
    desk.program("migrate", SLOW)
    _looked(desk)
    late = desk.rollout("next")
    assert late.returncode == 3
    assert "it did not end within its time (1 s): begun" in late.stdout
    assert not alive(int((desk.folder / "pid").read_text()))


# --- two at once --------------------------------------------------------------------------------------------


def test_the_second_operator_is_told_who_is_at_work(desk: Desk) -> None:
    """By user, host, process and time; nothing is done meanwhile; a look is allowed."""
    desk.program("migrate", SLOW)
    _looked(desk)
    running = desk.begin("next")
    pid = int(desk.wait_for("pid"))
    try:
        before = desk.record.read_bytes()
        for words in (
            ["next"],
            ["attest", "migrate", "--by", "B"],
            ["override", "migrate", "--by", "B", "--reason", "x"],
            ["next", "--rollback", "--by", "B"],
            ["next", "--take-over", "--by", "B"],
        ):
            second = desk.rollout(*words)
            assert second.returncode == 6, words
            assert re.search(
                r"at migrate by \S+ is already running: process \d+ on \S+, since 20", second.stderr
            )
        status = desk.rollout("status")
        assert status.returncode == 6
        assert re.search(
            r"^at work .+ on .+, process \d+, since 20.+, at migrate$", status.stdout, re.MULTILINE
        )
        assert desk.rollout("check").returncode == 0
        assert desk.record.read_bytes() == before
    finally:
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    gone(pid)
    assert desk.rollout("next").returncode == 3


# --- commands that misbehave --------------------------------------------------------------------------------


def test_secrets_are_in_no_output_and_no_file(desk: Desk) -> None:
    """Law: not those of the environment, of argv, or printed by a command; and others' commands get none."""
    (desk.folder / "rollout.toml").write_text(
        PLAN.replace('"{folder}"]', '"{folder}", "postgresql://u:t0psecret@h/db", "--password", "hush-hush"]')
    )
    desk.program(
        "migrate",
        "#!/bin/sh\nmkdir -p $1/out; env > $1/out/env.txt\n"
        'echo "token=abc123def url postgres://a:$(echo s3same)@h/x $2 $4"\nenv\n',
    )
    secrets = {
        "KISAAN_DSN": "postgresql://r:dsnsecret@h/db",
        "PGPASSWORD": "pgsecret1",
        "MY_API_KEY": "keysecret1",
        "DATABASE_URL": "postgres://u:urlsecret@h/db",
    }
    _looked(desk)
    done = desk.rollout("next", HARMLESS="visible", **secrets)
    assert done.returncode == 0
    got = (desk.folder / "rollout" / "out" / "env.txt").read_text()
    assert "HARMLESS=visible" in got
    assert not re.search(r"dsnsecret|pgsecret1|keysecret1|urlsecret", got)
    assert "HARMLESS=visible" in done.stdout
    texts = [done.stdout, done.stderr]
    texts += [
        p.read_text() for p in (desk.folder / "rollout").rglob("*") if p.suffix in {".json", ".log", ".html"}
    ]
    assert len(texts) == 5
    for secret in (
        "t0psecret",
        "hush-hush",
        "abc123def",
        "s3same",
        *("dsnsecret", "pgsecret1", "keysecret1"),
    ):
        assert not [text for text in texts if secret in text], secret


def test_a_named_variable_reaches_the_command_and_no_output(desk: Desk) -> None:
    """The plan names it: the command has it, and what it prints of it is masked."""
    plan = PLAN.replace("run = true", 'run = true\nenvironment = ["DATABASE_URL"]')
    (desk.folder / "rollout.toml").write_text(plan)
    desk.program(
        "migrate",
        '#!/bin/sh\nmkdir -p $1/out; echo "$DATABASE_URL" | wc -c > $1/out/n.txt; echo "$DATABASE_URL"\n',
    )
    _looked(desk)
    done = desk.rollout("next", DATABASE_URL="postgres://u:urlsecret@h/db")
    assert done.returncode == 0
    assert (desk.folder / "rollout" / "out" / "n.txt").read_text().strip() == "28"
    assert "urlsecret" not in done.stdout
    assert "urlsecret" not in (desk.folder / "rollout" / "logs" / "migrate-1.log").read_text()


def test_words_of_a_plan_are_no_shell(desk: Desk) -> None:
    """Each is one argument, whatever stands in it."""
    (desk.folder / "rollout.toml").write_text(
        PLAN.replace('"{folder}"]', '"{folder}", "; touch hacked", "$(touch hacked)", "`touch hacked`", "*"]')
    )
    desk.program("migrate", '#!/bin/sh\nmkdir -p $1/out; shift; printf "%s\\n" "$@" > rollout/out/args.txt\n')
    _looked(desk)
    assert desk.rollout("next").returncode == 0
    args = (desk.folder / "rollout" / "out" / "args.txt").read_text().splitlines()
    assert args == ["; touch hacked", "$(touch hacked)", "`touch hacked`", "*"]
    assert not (desk.folder / "hacked").exists()


def test_an_endless_output_is_bounded(desk: Desk) -> None:
    """A log of a megabyte, and how much was left out; hidden characters are named on the screen."""
    desk.program(
        "migrate",
        f"#!{sys.executable}\nimport os, sys\nos.makedirs('rollout/out', exist_ok=True)\n"
        "open('rollout/out/x.txt', 'w').write('x')\nsys.stdout.write('\\x1b]0;title\\x07\\n')\n"
        "for _ in range(12000): print('y' * 99)\n",
    )
    _looked(desk)
    done = desk.rollout("next", "-q")
    assert done.returncode == 0
    log = desk.folder / "rollout" / "logs" / "migrate-1.log"
    assert 1_000_000 < log.stat().st_size < 1_100_000
    assert re.fullmatch(r"\(15\d,\d{3} more bytes were not kept\)", log.read_text().splitlines()[-1])
    assert "yyyy" not in done.stdout
    assert "\x1b" not in desk.rollout("next", "--again", "migrate").stdout


@pytest.mark.parametrize(
    ("program", "code", "said"),
    [
        ("#!/bin/sh\nexit 0\n", 3, "exit 0, but it wrote no out/*.txt"),
        (
            "#!/bin/sh\nmkdir -p $1/out; ln -s /etc/passwd $1/out/a.txt\n",
            3,
            "exit 0, but it wrote no out/*.txt",
        ),
        ("#!/bin/sh\nmkdir -p $1/out/a.txt\n", 3, "exit 0, but it wrote no out/*.txt"),
        (
            "#!/bin/sh\nmkdir elsewhere; echo x > elsewhere/a.txt; ln -s ../elsewhere $1/out\n",
            3,
            "it wrote no out",
        ),
        ("#!/nowhere/sh\n", 3, "exit 127: cannot start ./migrate: No such file or directory"),
        ("#!/bin/sh\nkill -9 $$\n", 3, "signal 9 ended it"),
        ("#!/bin/sh\nexit 3\n", 1, "exit 3"),
    ],
)
def test_no_end_but_a_whole_one_is_a_go(desk: Desk, program: str, code: int, said: str) -> None:
    """Law: exit 0 without its record is none; what never began, or was killed, did not fail: nobody knows."""
    desk.program("migrate", program)
    _looked(desk)
    ended = desk.rollout("next")
    assert ended.returncode == code
    assert said in ended.stdout


def test_a_step_finds_the_folders_of_its_records(desk: Desk) -> None:
    """As far as their names are known; what stands in the way is said."""
    text = PLAN.replace('["out/*.txt"]', '["a/b/x.txt", "a/*/c/y.txt"]')
    (desk.folder / "rollout.toml").write_text(text)
    desk.program("migrate", "#!/bin/sh\ncd $1/a && mkdir -p z/c && echo 1 > b/x.txt && echo 2 > z/c/y.txt\n")
    _looked(desk)
    assert desk.rollout("next").returncode == 0
    shutil.rmtree(desk.folder / "rollout" / "a")
    (desk.folder / "rollout" / "a").write_text("a file")
    blocked = desk.rollout("next", "--again", "migrate")
    assert blocked.returncode == 2
    assert "cannot make rollout/a/b: " in blocked.stderr


def test_each_attempt_may_have_a_place_of_its_own(desk: Desk) -> None:
    """By its number, as it is run, shown and recorded."""
    text = PLAN.replace('"{folder}"]', '"{folder}/n-{attempt}"]').replace("out/*.txt", "n-*/out/*.txt")
    (desk.folder / "rollout.toml").write_text(text)
    _looked(desk)
    first = desk.rollout("next")
    assert first.returncode == 0
    assert "runs    ./migrate rollout/n-1" in first.stdout
    assert "record  n-1/out/done.txt" in first.stdout
    again = desk.rollout("next", "--again", "migrate")
    assert again.returncode == 0
    assert "record  n-2/out/done.txt" in again.stdout
    assert "n-1/out" not in again.stdout
    assert '"rollout/n-2"' in desk.record.read_text()


def test_no_way_back_is_offered_before_there_is_something_to_take_back(desk: Desk) -> None:
    """A no-go before the migration must not end in a restore; one that is named may still be taken."""
    (desk.folder / "checks" / "orders.py").write_text("raise ValueError('broken')\n")
    _told(desk)
    stopped = desk.rollout("next")
    assert stopped.returncode == 3
    assert "override look" in stopped.stdout
    assert "--rollback" not in stopped.stdout
    back = desk.rollout("next", "--rollback", "--by", "Asha")
    assert back.returncode == 2
    assert "nothing was begun that the plan takes back" in back.stderr
    assert desk.rollout("next", "--rollback", "--to", "back", "--by", "Asha").returncode == 7


def test_an_old_record_is_no_evidence(desk: Desk) -> None:
    """Of an attempt before, or put there by hand: it was not written by this one."""
    _looked(desk)
    assert desk.rollout("next").returncode == 0
    desk.program("migrate", "#!/bin/sh\nexit 0\n")
    again = desk.rollout("next", "--again", "migrate")
    assert again.returncode == 3
    assert "it wrote no out/*.txt" in again.stdout


def test_changed_evidence_stops_the_night(desk: Desk) -> None:
    """A record that was changed after its step: named, and the step is open again."""
    _looked(desk)
    assert desk.rollout("next").returncode == 0
    (desk.folder / "rollout" / "out" / "done.txt").write_text("forged")
    for words, code in ((["next"], 3), (["status"], 3), (["check"], 1), (["page"], 3)):
        found = desk.rollout(*words)
        assert found.returncode == code, words
    assert "out/done.txt has 6 bytes, not" in desk.rollout("check").stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["status"], "there is no rollout in rollout"),
        (["check"], "there is no rollout in rollout"),
        (["next", "--plan", "nowhere.toml"], "there is no nowhere.toml"),
        (["next", "--folder", "migrate"], "migrate is not a folder"),
        (["next", "--again", "look", "--rollback"], "exclude each other"),
        (["attest", "told", "--by", "A", "--failed", "--not-done"], "exclude each other"),
        (["next", "--again", "nope"], "there is no step 'nope'"),
        (["next", "--again", "migrate"], "the rollout stands at told"),
        (["next", "--again", "told"], "told is done by a person"),
        (["next", "--take-over"], "--by needs a name"),
    ],
)
def test_what_cannot_be_is_said(desk: Desk, words: list[str], said: str) -> None:
    """Exit 2, a fact, and what to do; never a traceback."""
    found = desk.rollout(*words)
    assert found.returncode == 2
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_a_plan_is_kept_with_its_night(desk: Desk) -> None:
    """Another plan needs another folder; the file that it was begun with may go."""
    assert desk.rollout("next").returncode == 7
    (desk.folder / "other.toml").write_text(PLAN.replace("currency", "colour"))
    other = desk.rollout("next", "--plan", "other.toml")
    assert other.returncode == 2
    assert "rollout holds the rollout of another plan than other.toml" in other.stderr
    (desk.folder / "rollout.toml").unlink()
    assert desk.rollout("next").returncode == 7
    (desk.folder / "rollout" / "rollout.toml").unlink()
    assert desk.rollout("next").returncode == 2


@pytest.mark.parametrize(("blocks", "words"), [(0, "cannot lock"), (1, "cannot write")])
def test_nothing_is_recorded_where_the_disk_takes_nothing(desk: Desk, blocks: int, words: str) -> None:
    """Where the disk takes nothing, or only a lock, no step is begun: said, and the record is as it was; with
    room it goes on from there.
    """
    _told(desk)
    before = _kept(desk)
    # A limit that holds for root too; Python ignores its signal, so that each write fails as on a full disk.
    refused = desk.run("sh", "-c", 'ulimit -f $0; exec "$@"', str(blocks), *ROLLOUT, "next")
    assert refused.returncode == 2, refused.stdout
    assert f"error: {words} " in refused.stdout
    assert "HINT: free some space" in refused.stdout
    assert before
    assert _kept(desk) == before
    done = len(rollout_from_json(desk.record.read_text()).entries)
    assert desk.rollout("next").returncode == 0
    entries = rollout_from_json(desk.record.read_text()).entries[done:]
    assert [type(entry.event) for entry in entries] == [StepStarted, StepEnded]


def _kept(desk: Desk) -> dict[Path, bytes]:
    """All files of a rollout but its lock, which only says who holds it."""
    files = [path for path in (desk.folder / "rollout").rglob("*") if path.is_file()]
    return {path: path.read_bytes() for path in files if path.suffix != ".lock"}


# --- another runbook, on a real database --------------------------------------------------------------------

ENV = """
import os
from alembic import context
from sqlalchemy import create_engine

with create_engine(os.environ["DATABASE_URL"]).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
REVISION = """
from alembic import op

revision, down_revision = "0001", None


def upgrade():
    op.execute("ALTER TABLE loans ADD due date")
    {more}


def downgrade():
    op.execute("ALTER TABLE loans DROP due")
"""


def _library(tmp_path: Path, server: Server, more: str = "pass") -> tuple[Desk, dict[str, str], str]:
    """The library of tests/fixtures with Alembic, its runbook as it stands there, and its variables."""
    pytest.importorskip("alembic", reason="pip install alembic")
    source = Path(__file__).parent / "fixtures" / "library"
    database = server.create((source / "schema.sql").read_text())
    desk = Desk(tmp_path, (source / "rollout.toml").read_text())
    shutil.rmtree(desk.folder / "checks")
    shutil.copytree(source / "checks", desk.folder / "checks")
    versions = desk.folder / "alembic" / "versions"
    versions.mkdir(parents=True)
    (desk.folder / "alembic.ini").write_text("[alembic]\nscript_location = alembic\n")
    (desk.folder / "alembic" / "env.py").write_text(ENV)
    (desk.folder / "alembic" / "script.py.mako").write_text("")
    (versions / "0001_due.py").write_text(REVISION.format(more=more))
    url = f"postgresql+psycopg2://postgres@/{database}?host={server.host}&port={server.port}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return desk, {"KISAAN_DSN": server.dsn(database), "DATABASE_URL": url, "PATH": path}, database


def _words(desk: Desk, env: dict[str, str], *lines: tuple[list[str], int]) -> list[str]:
    said = []
    for words, code in lines:
        done = desk.rollout(*words, **env)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        said.append(done.stdout)
    return said


@pytest.mark.slow
def test_a_second_runbook_runs_unchanged(tmp_path: Path, server: Server) -> None:
    """An Alembic project: baseline, upgrade, validation, sign-off by the same engine, on a real database."""
    desk, env, database = _library(tmp_path, server)
    failing = "SELECT count(*) FROM loans l LEFT JOIN members m ON m.id = l.member_id WHERE m.id IS NULL"
    assert server.sql(failing, database)[0][0] == 1
    _words(
        desk, env, (["next"], 7), (["attest", "desk-told", "--by", "Ann"], 0), (["next"], 0), (["next"], 0)
    )
    assert server.sql("SELECT count(*) FROM alembic_version", database)[0][0] == 1
    said = _words(desk, env, (["next"], 0), (["next"], 0), (["attest", "desk-open", "--by", "Ann"], 0))
    assert "go      validate" in said[1]
    page = (desk.folder / "rollout" / "rollout.html").read_text()
    assert "Done and proved" in page
    record: dict[str, Any] = json.loads(desk.record.read_text())
    runs = [e["event"] for e in record["entries"] if e["event"].get("records")]
    assert [one["step"] for one in runs] == ["baseline", "validate"]
    server.drop(database)


@pytest.mark.slow
def test_a_second_runbook_turns_back(tmp_path: Path, server: Server) -> None:
    """The migration breaks a loan: a no-go by the suite, the way back by Alembic, and what it left is said."""
    more = """op.execute("UPDATE loans SET returned = lent - 1 WHERE id = 1")"""
    desk, env, database = _library(tmp_path, server, more)
    said = _words(
        desk,
        env,
        (["next"], 7),
        (["attest", "desk-told", "--by", "Ann"], 0),
        (["next"], 0),
        (["next"], 0),
        (["next"], 0),
        (["next"], 1),
        (["next", "--rollback", "--by", "Ann", "--reason", "a loan ends before it begins"], 0),
        (["next"], 1),
    )
    assert "loans.returned.holds" in said[5]
    # Alembic took the column back, and nobody the value: the way back did not lead back, and that is seen.
    assert "no-go   as-before" in said[7]
    assert desk.rollout("status", **env).returncode == 1
    server.drop(database)


def test_a_plan_of_another_tool_is_named(desk: Desk) -> None:
    """Not TOML, not UTF-8, endless: one line each."""
    for data in (b"[[phase", b"\xff\xfe", b"\x00" * 50, b"x = " + b"[" * 100_000, b"#" * (1 << 21)):
        (desk.folder / "rollout.toml").write_bytes(data)
        found = desk.rollout("next")
        assert found.returncode == 2
        assert "Traceback" not in found.stderr
        assert not desk.record.exists()


@pytest.mark.slow
def test_status_that_watches_ends_with_the_night(desk: Desk) -> None:
    """It shows each change, and ends with the rollout."""
    _looked(desk)
    watching = subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", "rollout", "status", "--watch"],
        cwd=desk.folder,
        env=desk.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(1)
    assert desk.rollout("next").returncode == 0
    wait_until(lambda: watching.poll() is not None)
    said = watching.communicate()[0]
    assert watching.returncode == 0
    assert "every step is settled" in said
