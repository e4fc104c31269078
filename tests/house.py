"""A house in which runs are signed: a shop with a contract, a waiver and a baseline, three people with
keys, two of whom count.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from conftest import Server
from shop import SUITE, TABLES

from kisaan_validate.cli.main import main

ASHA, BINOD, MALLORY = "asha@example.org", "binod@example.org", "mallory@example.org"
PEOPLE = {ASHA: "asha", BINOD: "binod", MALLORY: "mallory"}

SETTINGS = """
name = "house"
personal = ["orders.note"]

[[criteria]]
id = "told"
text = "Everybody was told"
manual = true

[[criteria]]
id = "money"
text = "No order is below zero"
checks = ["orders.total.*"]
"""

CONTRACT = """
format = 1
name = "one note, wider money"

[[promise]]
id = "money.wide"
kind = "retyped"
column = "orders.total"
from = "numeric(12,2)"
to = "numeric(18,2)"
"""
"""It is not kept: a run beside it is FAIL."""

WAIVERS = """
format = 1

[[waiver]]
check = "orders.note.unique"
reason = "two notes are known to be equal"
owner = "asha"
expires = 2999-12-31
rows = 2
"""

CONFIG = """
[run]
operator = "olga"

[signoff]
approvals = 2
allowed_signers = "allowed_signers"
"""


@dataclass
class Said:
    """What a command came to."""

    code: int
    out: str
    err: str


@dataclass
class House:
    """A folder with suite, configuration and keys, and a database."""

    server: Server
    folder: Path
    database: str

    def cli(self, *words: str, **env: str) -> Said:
        """Run a command in this process, in the folder."""
        out, err = StringIO(), StringIO()
        before, where = dict(os.environ), os.getcwd()
        os.environ.update({"KISAAN_DSN": self.server.dsn(self.database, f"reader_{self.database}"), **env})
        os.chdir(self.folder)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main(list(words))
        finally:
            os.chdir(where)
            os.environ.clear()
            os.environ.update(before)
        return Said(code, out.getvalue(), err.getvalue())

    def run(self, *words: str) -> Path:
        """Run the suite; returns the run's folder, which must be there."""
        known = {p.parent.name for p in (self.folder / "reports").glob("*/run.json")}
        said = self.cli("run", "-q", *words)
        assert said.code in (0, 1, 3), said
        (made,) = {p.parent for p in (self.folder / "reports").glob("*/run.json")} - {
            self.folder / "reports" / n for n in known
        }
        return made

    def key(self, name: str) -> str:
        """The path of a person's key."""
        return str(self.folder / "keys" / PEOPLE[name])

    def sign(self, run: Path, name: str, *words: str, decision: str = "approve", key: str = "") -> Said:
        """Sign a run as somebody."""
        return self.cli(
            "sign",
            str(run),
            "--as",
            name,
            "--decision",
            decision,
            "--reason",
            "looked at it",
            "--key",
            key or self.key(name),
            *words,
        )

    def attest(self, run: Path, name: str = ASHA, criterion: str = "told", *words: str) -> Said:
        """Attest a manual criterion as somebody."""
        return self.cli(
            "attest",
            str(run),
            "--criterion",
            criterion,
            "--as",
            name,
            "--reason",
            "mail of 20:30",
            "--key",
            self.key(name),
            *words,
        )

    def verify(self, path: Path, *words: str) -> Said:
        """Verify something with the house's own allowed signers."""
        return self.cli("verify", str(path), *words)

    def copied(self, run: Path, to: Path) -> Path:
        """A copy of a run's folder, with its name."""
        return Path(shutil.copytree(run, to / run.name))


def build(server: Server, folder: Path) -> House:
    """A house; the database is a copy of the shop's."""
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    checks = folder / "checks"
    checks.mkdir()
    (checks / "orders.py").write_text(SUITE)
    (checks / "suite.toml").write_text(SETTINGS)
    (checks / "waivers.toml").write_text(WAIVERS)
    (folder / "kisaan.toml").write_text(CONFIG)
    (folder / "keys").mkdir()
    for name, file in PEOPLE.items():
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / "keys" / file)],
            check=True,
        )
    (folder / "allowed_signers").write_text("".join(line_of(folder, name) for name in (ASHA, BINOD)))
    house = House(server, folder, database)
    (folder / "contract.toml").write_text(CONTRACT)
    taken = house.cli("baseline", "-q", "-o", "pre.json", "--contract", "contract.toml")
    assert taken.code == 0, taken
    server.sql("UPDATE orders SET note = 'a' WHERE id = 2", database)
    return house


def line_of(folder: Path, name: str, key: str = "") -> str:
    """A line of allowed signers."""
    kind, blob, *_ = (folder / "keys" / f"{key or PEOPLE[name]}.pub").read_text().split()
    return f'{name} namespaces="signoff@kisaan-validate" {kind} {blob}\n'


def git(folder: Path, *words: str) -> str:
    """Git in a folder, as somebody."""
    env: dict[str, Any] = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout
