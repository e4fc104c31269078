"""What the tests of rollouts share: plans, entries, and an operator's desk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import warm
from conftest import ROOT, slack, wait_until

from kisaan_validate.cli.main import COMMANDS
from kisaan_validate.facts.rollout import (
    AttestOutcome,
    RolloutEntry,
    RolloutEvent,
    RolloutOperator,
    RolloutPlan,
    StepAttested,
    StepEnded,
    StepOverridden,
    StepStarted,
    StepVerdict,
)
from kisaan_validate.record.rollout import entry_digest
from kisaan_validate.rollout.book import open_book
from kisaan_validate.rollout.plan import read_plan
from kisaan_validate.rollout.work import at_the_helm

ROLLOUT = (sys.executable, "-m", "kisaan_validate", "rollout")
"""How rollout is started in an interpreter of its own."""

START = datetime(2026, 11, 30, 22, 0, tzinfo=UTC)
PLAN = """
format = 1
name = "orders get a currency"

[[phase]]
id = "before"
title = "Before"

[[phase.step]]
id = "told"
title = "Tell everybody"
kind = "person"
why = "they must know"

[[phase.step]]
id = "look"
title = "Look at the suite"
kind = "ours"
argv = ["list"]

[[phase]]
id = "migration"
title = "Migration"

[[phase.step]]
id = "migrate"
title = "Migrate"
kind = "command"
argv = ["./migrate", "{folder}"]
run = true
records = ["out/*.txt"]
needs = ["look"]
on_failure = "back"

[[phase]]
id = "back"
title = "Way back"
rollback = true

[[phase.step]]
id = "restore"
title = "Restore the backup"
kind = "person"

[[criteria]]
id = "migrated"
text = "It is migrated"
steps = ["migrate"]
"""
SUITE = """
from kisaan_validate import declare

declare.table("orders")
declare.holds("orders", "total >= 0", id="orders.total")
"""
MIGRATE = '#!/bin/sh\nmkdir -p "$1/out" && date +%s%N > "$1/out/done.txt" && echo migrated\n'


def plan_of(text: str = PLAN) -> RolloutPlan:
    """The plan that a text states."""
    return read_plan(text, "rollout.toml")


def chain(events: Iterable[RolloutEvent], seconds: Sequence[int] = ()) -> tuple[RolloutEntry, ...]:
    """Entries of these events, a minute apart or at these seconds."""
    made: list[RolloutEntry] = []
    for number, event in enumerate(events, 1):
        at = START + timedelta(seconds=seconds[number - 1] if seconds else 60 * number)
        before = entry_digest(made[-1]) if made else ""
        made.append(RolloutEntry(number, at, RolloutOperator("asha", "desk", 7), before, event))
    return tuple(made)


@dataclass(frozen=True)
class Events:
    """Events of the steps of one plan."""

    plan: RolloutPlan

    def started(self, step: str, attempt: int = 1) -> StepStarted:
        """An attempt began."""
        return StepStarted(step, self._definition(step), attempt, ("list",), f"logs/{step}-{attempt}.log")

    def ended(self, step: str, verdict: str = "pass", attempt: int = 1) -> StepEnded:
        """An attempt ended so."""
        code = {"pass": 0, "fail": 1, "unknown": 3}[verdict]
        found = StepVerdict(verdict)
        return StepEnded(step, self._definition(step), attempt, found, code, 1.5, f"it came to {verdict}")

    def attested(self, step: str, outcome: str = "done") -> StepAttested:
        """A person said so."""
        return StepAttested(step, self._definition(step), AttestOutcome(outcome), "Asha", "title", "seen")

    def overridden(self, step: str) -> StepOverridden:
        """A person went on."""
        return StepOverridden(step, self._definition(step), "Binod", "it is known", "no-go")

    def _definition(self, step: str) -> str:
        return self.plan.every[step].definition


class Desk:
    """An operator's folder with a plan, a suite and a program."""

    def __init__(self, folder: Path, plan: str = PLAN) -> None:
        self.folder = folder
        (folder / "checks").mkdir(exist_ok=True)
        (folder / "checks" / "orders.py").write_text(SUITE)
        (folder / "rollout.toml").write_text(plan)
        self.program("migrate", MIGRATE)

    def program(self, name: str, text: str) -> None:
        """A program of others."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """What its commands get."""
        known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
        return known | {"PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}

    def rollout(self, *words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a word of rollout."""
        return warm.run("kisaan_validate", ["rollout", *words], cwd or self.folder, self.environment(**env))

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a word of rollout in an interpreter of its own, and return at once."""
        return subprocess.Popen(
            [*ROLLOUT, *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run any command line in its folder, both outputs as one."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60 + slack(),
            check=False,
        )

    def put(self, *steps: str) -> None:
        """Begin the rollout, with these steps attested or passed, as the commands record it."""
        place = self.folder / "rollout"
        with at_the_helm(place) as holding:
            book = open_book(place, holding, self.folder / "rollout.toml", COMMANDS)
            events = Events(book.plan)
            for step in steps:
                runs = book.plan.every[step].runs
                for event in (events.started(step), events.ended(step)) if runs else (events.attested(step),):
                    book.add(event)

    @property
    def record(self) -> Path:
        """The record of the rollout."""
        return self.folder / "rollout" / "rollout.json"

    def wait_for(self, name: str) -> str:
        """Wait until a file is there, and is not empty; its text."""
        path = self.folder / name
        wait_until(lambda: path.exists() and path.stat().st_size > 0)
        return path.read_text()


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def gone(pid: int) -> None:
    """Wait until a process is gone."""
    end = time.monotonic() + 30
    while alive(pid):
        assert time.monotonic() < end, f"process {pid} is still there"
        time.sleep(0.05)
