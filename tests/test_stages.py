"""The disk is full, or the command is killed, at each of its stages by name: words, the right exit code, and no
server, no folder and no half of a certificate left. The stages are enumerated (tests/at_stage.py); a new one
must be named here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT, Server, needs, slack, wait_until
from processes import processes_of

from kisaan_validate.backup.reading import read_certificate
from kisaan_validate.facts.result import Verdict
from kisaan_validate.record.rehearsed import read_receipt

TABLES = """
CREATE TABLE orders (id int PRIMARY KEY, note text, total numeric(12,2) NOT NULL);
INSERT INTO orders SELECT g, 'n' || g, g FROM generate_series(1, 9000) g;
CREATE TABLE _migrations (name text PRIMARY KEY, executed_at timestamptz DEFAULT now());
"""
MIGRATION = "SET lock_timeout = '2s';\nALTER TABLE orders ADD COLUMN IF NOT EXISTS paid boolean;\n"
MADE = ("mark a folder", "start a keeper", "make a cluster", "start a server")
MEASURED = ("reading the catalogue", "locking", "reading the schema", "checking", "measuring")
STAGES = {
    "take": (
        *MEASURED,
        *("run pg_dump", "dumping", "write a.json", "write a.dump.backup.json"),
        *("put the dump into its place", "name the files"),
    ),
    "verify": (
        *("reading the dump", "starting a scratch server", *MADE, "create restored", "psql into restored"),
        *("pg_restore into postgres", "restoring", "analysing", *MEASURED, "checking keys"),
        *("pg_amcheck into restored", "put the server away", "write a.dump.certificate.json"),
        *("write a.dump.certificate.html", "name the files"),
    ),
    "rehearse": (
        *(*MADE, "create rehearsal_source", "psql into rehearsal_source", "pg_restore into postgres"),
        *("prepare the copy", "time this machine", "migrate under the tape", "clone rehearsal_alone"),
        *("migrate beside an open reader", "clone rehearsal_beside", "compare two migrations"),
        *("roll back by the dump into the migrated database", "clone rehearsal_literal"),
        *("psql into rehearsal_literal", "roll back by a new database from the dump"),
        *("create rehearsal_proper", "psql into rehearsal_proper", "drop rehearsal_literal"),
        *("drop rehearsal_proper", "interrupt it and run it again", "clone counted", "drop counted"),
        *("clone interrupted_2", "drop interrupted_2", "start it twice at once", "clone twice"),
        *("two at once", "drop twice", "put the server away", "write rehearsal.json"),
        *("write rehearsal.html", "write receipt.json", "name the files"),
    ),
}
WORDS = {
    "take": ("backup", "take", "--dump", "a.dump", "-o", "a.json", "--force"),
    "verify": ("backup", "verify", "a.dump"),
    "rehearse": (
        *("rehearse", "--dump", "a.dump", "--migrations", "migrations", "-o", "out"),
        *("--open-reader", "0.5", "--interruptions", "1"),
    ),
}
HOW = ("kill", "kill parent", "kill all")
"""The command, the process that watches it, or the command and the keeper of its server."""

WRITTEN = {"take": ("a.dump", "a.json", "a.dump.backup.json"), "verify": (), "rehearse": ()}


@dataclass
class Site:
    """Two small disks where they can be mounted: one for scratch servers, one for what is written."""

    server: Server
    database: str
    folder: Path
    mounted: bool

    @property
    def scratch(self) -> Path:
        """Where scratch servers are made."""
        return self.folder / "scratch"

    @property
    def work(self) -> Path:
        """The current folder of the commands, with the dump."""
        return self.folder / "work"

    def run(self, command: str, **wish: object) -> subprocess.CompletedProcess[str]:
        """A command of WORDS, to which something happens."""
        return self.do(WORDS[command], **wish)

    def do(self, words: Sequence[str], **wish: object) -> subprocess.CompletedProcess[str]:
        """A command line, to which something happens."""
        known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
        known |= {"PYTHONPATH": str(ROOT), "KISAAN_DSN": self.server.dsn(self.database)}
        known |= {"KISAAN_SCRATCH_DIR": str(self.scratch), "COLUMNS": "160"}
        known["KISAAN_STAGE"] = json.dumps({"log": str(self.folder / "stages"), **wish})
        (self.folder / "stages").unlink(missing_ok=True)
        return subprocess.run(
            [sys.executable, str(ROOT / "tests" / "at_stage.py"), *words],
            cwd=self.work,
            env=known,
            capture_output=True,
            text=True,
            timeout=120 + slack(),
            check=False,
        )

    def stages(self) -> set[str]:
        """Those that the last command came to."""
        return set((self.folder / "stages").read_text().splitlines())

    def tidy(self) -> None:
        """Only the dump, its baseline and its record are there."""
        for disk in (self.scratch, self.work):
            (disk / "ballast").unlink(missing_ok=True)
        for path in self.work.iterdir():
            if path.name not in {"a.dump", "a.json", "a.dump.backup.json", "migrations"}:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture(scope="module")
def site(server: Server) -> Iterator[Site]:
    """A database, a dump of it, and disks of their own."""
    folder = Path(tempfile.mkdtemp(prefix="kisaan-stages-"))
    folder.chmod(0o755)
    database = server.create(TABLES)
    with _disk(folder / "scratch", 400) as first, _disk(folder / "work", 60) as second:
        made = Site(server, database, folder, first and second)
        (made.work / "migrations").mkdir()
        (made.work / "migrations" / "1.sql").write_text(MIGRATION)
        assert made.run("take").returncode == 0
        yield made
    server.drop(database)
    shutil.rmtree(folder)


@contextmanager
def _disk(place: Path, megabytes: int) -> Iterator[bool]:
    """A file system of this size, or only a folder where none can be mounted; which of both."""
    place.mkdir(mode=0o755)
    asked = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(place)]
    mounted = not os.geteuid() and not subprocess.run(asked, capture_output=True, check=False).returncode
    yield mounted
    if mounted:
        subprocess.run([needs("umount"), place], check=True)


def require_disks(site: Site) -> None:
    """A full disk is tried by who may mount one."""
    if not site.mounted:
        pytest.skip("a small disk can be mounted by root only")


def certified(site: Site) -> Verdict | None:
    """The verdict of the certificate or receipt; None where there is none. One that is there is whole."""
    certificate, receipt = site.work / "a.dump.certificate.json", site.work / "out" / "receipt.json"
    if certificate.exists():
        return read_certificate(certificate).verdict
    return read_receipt(receipt).verdict if receipt.exists() else None


@dataclass(frozen=True)
class Ended:
    """How a command ended to which something happened: its exit code, the verdict that it left, and the laws that
    it broke, in words.
    """

    code: int
    verdict: Verdict | None
    broken: tuple[str, ...]


def ended(code: int, verdict: Verdict | None, where: str, laws: Mapping[str, bool]) -> Ended:
    """With those of the laws that do not hold, and what was said."""
    return Ended(code, verdict, tuple(f"{law}: {where}" for law, holds in laws.items() if not holds))


def full(site: Site, command: str, stage: str, disk: str) -> Ended:
    """A command whose disk is full from one of its stages on, by the laws of a full disk."""
    site.tidy()
    before = {name: (site.work / name).read_bytes() for name in WRITTEN[command]}
    disks = [str(site.scratch if disk == "scratch" else site.work)]
    done = site.run(command, at=stage, do="fill", disks=disks)
    said, code, verdict = done.stdout + done.stderr, done.returncode, certified(site)
    laws = {
        "it came to the stage": stage in site.stages(),
        "it says so in words": "Traceback" not in said
        and (
            code == 0
            or verdict is not None
            or any(w in done.stderr for w in ("No space left", "are free in"))
        ),
        "no server is left": [p.name for p in site.scratch.iterdir() if p.name != "ballast"] == [],
        "no half of a file is left": not [path for path in site.work.rglob(".*") if path.is_file()],
        "a full disk is no failure": code in {0, 2, 3} and verdict is not Verdict.FAIL,
        "a pass can be read": code != 0 or verdict is Verdict.PASS or command == "take",
        "2 is said only where nothing was measured": code != 2 or stage in MADE,
        # Of one moment: never a new dump beside an old record.
        "what was there is there": command != "take"
        or code == 0
        or {name: (site.work / name).read_bytes() for name in before} == before,
    }
    site.tidy()
    return ended(code, verdict, f"{command} at {stage}, {disk} full: {said}", laws)


def killed(site: Site, command: str, stage: str, how: str, **more: object) -> Ended:
    """A command that is killed at one of its stages, by the laws of SIGKILL. Waits until all is put away."""
    site.tidy()
    done = site.run(command, at=stage, do=how, **more)
    # Where nothing was made but an empty folder, nobody is there yet who erases it: the next command does.
    folders = [path for path in site.scratch.iterdir() if path.is_dir()] if stage == "start a keeper" else []
    empty = [list(path.iterdir()) for path in folders] in ([], [[]])
    clean = site.do(["scratch", "clean"]).returncode if how == "kill all" or stage == "start a keeper" else 0
    wait_until(lambda: not list(site.scratch.iterdir()), 60)
    wait_until(lambda: not processes_of(site.scratch), 30)
    alone, verdict = how == "kill parent", certified(site)
    laws = {
        "the code of a killed command": done.returncode == (-9 if alone else 3),
        "it is said": alone or "the command was ended by SIGKILL before it was done" in done.stderr,
        "only an empty folder is left": empty,
        "scratch clean puts it away": clean == 0,
        # One that is there is whole. Where only the watching process was killed, the command ends in order.
        "no certificate without its end": alone or stage == "name the files" or verdict is None,
        "no pass of nothing": stage not in MADE or verdict is not Verdict.PASS,
    }
    site.tidy()
    where = f"{command} at {stage}, {how}: {done.stdout + done.stderr}"
    return ended(done.returncode, verdict, where, laws)


@pytest.mark.slow
@pytest.mark.parametrize("command", STAGES)
def test_every_stage_is_named(site: Site, command: str) -> None:
    """Undisturbed, a command comes to just these stages: none is left out below."""
    done = site.run(command)
    # Of a rehearsal without a suite the contract stays open.
    assert done.returncode == (3 if command == "rehearse" else 0), done.stdout + done.stderr
    assert site.stages() == set(STAGES[command])
    site.tidy()


def test_a_full_disk_and_a_kill_in_the_middle(site: Site) -> None:
    """The quick case: while the cluster is made, and while the dump is restored."""
    if site.mounted:
        assert full(site, "verify", "make a cluster", "scratch") == Ended(3, Verdict.INCONCLUSIVE, ())
    assert killed(site, "verify", "psql into restored", "kill all") == Ended(3, None, ())


@pytest.mark.slow
@pytest.mark.parametrize(("command", "stage"), [(c, s) for c in ("verify", "rehearse") for s in STAGES[c]])
def test_a_full_scratch_disk_at_each_stage(site: Site, command: str, stage: str) -> None:
    """It says nothing of the dump or the migration: no verdict against them, and none for them that was not
    reached before.
    """
    require_disks(site)
    assert full(site, command, stage, "scratch").broken == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "stage"),
    [
        *(("take", stage) for stage in STAGES["take"]),
        *(
            (c, s)
            for c in ("verify", "rehearse")
            for s in STAGES[c]
            if s.startswith(("write", "name", "put"))
        ),
        ("verify", "restoring"),
        ("rehearse", "migrate under the tape"),
    ],
)
def test_a_full_disk_where_files_are_written(site: Site, command: str, stage: str) -> None:
    """All files or none, and then exit 3: a pass that nobody can read is none."""
    require_disks(site)
    assert full(site, command, stage, "work").broken == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "stage", "how"),
    [(c, s, HOW[n % 3]) for c in ("verify", "rehearse") for n, s in enumerate(STAGES[c])],
)
def test_killed_at_each_stage(site: Site, command: str, stage: str, how: str) -> None:
    """The command alone, the process that watches it, or command and keeper: by turns over the stages."""
    assert killed(site, command, stage, how).broken == ()


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("command", "stage"),
    [("verify", "psql into restored"), ("rehearse", "migrate under the tape"), ("rehearse", "two at once")],
)
def test_killed_within_a_stage(site: Site, command: str, stage: str, how: str) -> None:
    """Not at its beginning: while the dump is being restored, and while migrations run, two at once too."""
    migration = site.work / "migrations" / "1.sql"
    migration.write_text(f"{MIGRATION}SELECT pg_sleep(1);\n")
    try:
        done = killed(site, command, stage, how, after=0.1 if command == "verify" else 0.6)
    finally:
        migration.write_text(MIGRATION)
    assert done.broken == ()
