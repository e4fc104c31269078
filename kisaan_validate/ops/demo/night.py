"""The night: the demonstration's plan, step by step, each step its own command, as in a real rollout.

The demonstration is the operator: it migrates, starts the service, and goes on after a no-go in its own name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.rollout import AttestOutcome, RolloutStep
from kisaan_validate.facts.rollout_state import RolloutAsk
from kisaan_validate.ops.demo.assets import FIELD, Assets, text_of
from kisaan_validate.ops.demo.place import (
    READER,
    Migrated,
    Playground,
    build,
    embedded_postgres,
    migrate,
)
from kisaan_validate.ops.demo.service import running_service
from kisaan_validate.ops.demo.story import DemoStory, expected_findings, story_of
from kisaan_validate.process.stopping import Stop
from kisaan_validate.record.codec import baseline_from_json, run_from_json
from kisaan_validate.record.files import read_file, write_file
from kisaan_validate.report.rollout_page import render_rollout
from kisaan_validate.rollout.book import RolloutBook, open_book
from kisaan_validate.rollout.conduct import run_step
from kisaan_validate.rollout.deciding import attest, override
from kisaan_validate.rollout.night import night_of
from kisaan_validate.rollout.work import at_the_helm
from kisaan_validate.scratch.reaching import variables
from kisaan_validate.verdict.judgement import judge

OPERATOR = "the demonstration"
_WENT_ON = "in the field it went on anyway"

Told = Callable[[str, str, float | None, str], None]
"""Gets a step's id, what it came to, its seconds and title; then, without these, lines that it printed."""

_TOLD: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "preflight": ("verdict", ("",)),
    "rehearsal": ("", ("felt ", "rollback: ")),
    "fix-proved": ("go", ("repair:", "the whole suite:", "equal to before:")),
}
"""The beginnings of the lines of a step that are shown, and the words from which they are."""


class DemoNight:
    """One night, played in a folder. ``commands`` are the names of this program's commands."""

    def __init__(
        self, place: Playground, assets: Assets, folder: Path, commands: Collection[str], say: Told
    ) -> None:
        self.place, self.assets, self.folder, self.say = place, assets, folder, say
        self.commands, self.stop = commands, Stop()
        self.migrated = Migrated(0)
        self.came_to: dict[str, str] = {}
        """The verdicts of the steps that were run."""
        self._around = ExitStack()

    def play(self, scale: int) -> DemoStory:
        """Build the market, go through the plan to its end, write the night's page. Raises KisaanError."""
        build(self.place, self.assets.demo, scale)
        # A role that only reads, and sees who else is at work.
        self.place.execute(f"GRANT pg_monitor TO {READER}")
        plan = self.folder / "rollout.toml"
        write_file(plan, _filled(text_of(self.assets.demo / "night.toml"), self._names()))
        with (
            self._around,
            _environment(self._reader()),
            at_the_helm(self.folder, self.stop.request) as holding,
        ):
            book = open_book(self.folder, holding, plan, self.commands)
            while self._one(book):
                pass
            write_file(self.page, render_rollout(night_of(book)))
            return self._story()

    @property
    def page(self) -> Path:
        """The page of the night."""
        return self.folder / "rollout.html"

    @property
    def report(self) -> Path:
        """The page of the validation after the migration."""
        return self._run().with_name("report.html")

    def _run(self) -> Path:
        """The record of the validation. Raises RecordError."""
        runs = sorted(self.folder.glob("after/*/run.json"))
        if not runs:
            raise RecordError("the night left no run of the suite", f"see {self.folder / 'logs'}")
        return runs[-1]

    def _names(self) -> Mapping[str, str]:
        """The values of the plan's words between @."""
        pg_dump = embedded_postgres().program("pg_dump")
        return {
            "checks": str(self.assets.checks),
            "contract": str(self.assets.contract(clean=False)),
            "migrations": str(self.assets.demo / FIELD),
            "probes": str(self.assets.demo / "probes.toml"),
            "pg_dump": str(pg_dump),
        }

    def _reader(self) -> Mapping[str, str]:
        """How the steps reach the database: by a role that only reads."""
        # KISAAN_DSN outranks whatever the environment names.
        return {**variables(self.place.parameters(READER)), "KISAAN_DSN": self.place.dsn(READER)}

    def _one(self, book: RolloutBook) -> bool:
        """Do the next step; returns whether there was one."""
        position = book.position
        if position.now is None:
            return False
        step = position.now.step
        if position.ask is RolloutAsk.RUN:
            self._run_step(book, step)
        elif position.ask is RolloutAsk.ATTEST:
            self._attest(book, step.id)
        else:
            override(book, step.id, OPERATOR, _WENT_ON)
            self.say("", "", None, f"overridden by {OPERATOR}: {_WENT_ON}")
        return True

    def _run_step(self, book: RolloutBook, step: RolloutStep) -> None:
        lines: list[str] = []
        event = run_step(book, step, lines.append, self.stop)
        self.came_to[step.id] = event.verdict.value
        self.say(step.id, event.verdict.value, event.seconds, step.title)
        for line in _told(step.id, lines):
            self.say("", "", None, line)

    def _attest(self, book: RolloutBook, step: str) -> None:
        """Do what a person does on a real night, and say so."""
        if step == "errors":
            attest(book, step, AttestOutcome.NOT_DONE, OPERATOR, "nobody uses this service", None)
            return
        words = {"migrate": self._migrate, "service": self._serve}[step]()
        attest(book, step, AttestOutcome.DONE, OPERATOR, words, None)
        self.say(step, "done", None, words)

    def _migrate(self) -> str:
        self.migrated = migrate(self.place, self.assets, FIELD)
        return f"{self.migrated.applied:,} files from a session in Asia/Kolkata"

    def _serve(self) -> str:
        address = self._around.enter_context(running_service(self.place, self.assets))
        # Until the end of the night, with the rest of its environment.
        os.environ.update({"KISAAN_API": address, "KISAAN_API_TOKEN": "none-is-asked-for"})
        return address

    def _story(self) -> DemoStory:
        """The night's records, compared with the manifest. Raises RecordError."""
        path, record = self.assets.contract(clean=False), self._run()
        before = baseline_from_json(read_file(self.folder / "before.json"))
        after = run_from_json(read_file(record), str(record))
        judged = judge(after, before, read_contract(text_of(path), path.name))
        faults = self.assets.manifest()["fault"]
        story = story_of(judged, self.migrated, faults, expected_findings(self.place, faults))
        return replace(story, unlike=self._unlike())

    def _unlike(self) -> dict[str, str]:
        """The steps that did not end as the manifest says, with how they ended."""
        expected = self.assets.manifest()["night"]
        every = {**dict.fromkeys(expected, "not run"), **self.came_to}
        return {step: came for step, came in every.items() if expected.get(step) != came}


def _told(step: str, lines: Iterable[str]) -> Iterator[str]:
    """The lines of a step's output that the demonstration shows, without their first word."""
    begins, parts = _TOLD.get(step, ("", ()))
    for line in lines:
        found = [line.index(part) for part in parts if part in line]
        if found and line.startswith(begins):
            yield line[max(found[0], len(begins)) :].strip()


def _filled(text: str, names: Mapping[str, str]) -> str:
    """A plan with its names filled in, as TOML strings."""
    for name, value in names.items():
        text = text.replace(f"@{name}@", value.replace("\\", "\\\\").replace('"', '\\"'))
    return text


@contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Variables of this process for a while: the steps inherit them."""
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
