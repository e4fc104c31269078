"""All that is known on a night before anything is told: the run, its lines, and what was told before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from functools import cached_property

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.history.ledger import ledger_words
from kisaan_validate.history.lines import LineNight, follow, now_called
from kisaan_validate.history.marks import HistoryMark
from kisaan_validate.history.night import Night
from kisaan_validate.incidents.law import MISSING, LastTold, Standing
from kisaan_validate.notify.told import ToldNight, told_of
from kisaan_validate.report.text import flat, number, utc
from kisaan_validate.verdict.findings import SEVERITIES, Finding, findings_of
from kisaan_validate.verdict.judgement import Judgement

NUDGE = timedelta(days=7)

Key = tuple[str, str]
"""``check ID`` and the digest of its meaning; ``promise ID`` or ``difference …`` and ""."""


def check_key(check: Check) -> Key:
    """By what a check is known in what was told."""
    return f"check {check.id}", check.digest


@dataclass(frozen=True)
class NightToTell:
    """What a message is made of.

    ``lines`` are the lines of all checks through the nights of this suite and database (later nights than
    the judged one are passed over); ``told`` all that was told before, of any suite. ``least`` is the
    severity from which on a check is told.
    """

    judged: Judgement
    night: Night
    lines: Sequence[Sequence[LineNight]] = ()
    marks: Sequence[HistoryMark] = ()
    told: Sequence[ToldNight] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    nudge: timedelta = NUDGE
    least: Severity = Severity.WARNING

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong, by cause."""
        return findings_of(self.judged)

    @cached_property
    def results(self) -> Mapping[str, Result]:
        """The result of each check that is told; an error where there is none."""
        found = {result.check_id: result for result in self.judged.run.results}
        return {id: found.get(id, Result(id, Status.ERROR)) for id in self.checks}

    @cached_property
    def checks(self) -> Mapping[str, Check]:
        """The checks that are told, by id."""
        told = SEVERITIES[: SEVERITIES.index(self.least) + 1]
        return {check.id: check for check in self.judged.run.checks if check.severity in told}

    @cached_property
    def last(self) -> Mapping[Key, LastTold]:
        """What was told last, by subject, of the nights up to this one."""
        found: dict[Key, LastTold] = {}
        for one in sorted(told_of(self.told, self.night), key=lambda one: one.at):
            for subject in one.subjects:
                key = self._key_now(subject.key), subject.meaning
                found[key] = LastTold(subject.news, one.at, subject.incident)
        return found

    def _key_now(self, key: str) -> str:
        kind, _, id = key.partition(" ")
        return f"check {now_called(id, self.renamed)}" if kind == "check" else key

    @cached_property
    def by_check(self) -> Mapping[Key, Standing]:
        """How each told check stands, by its key."""
        return {check_key(check): self._standing(check) for check in self.checks.values()}

    def _standing(self, check: Check) -> Standing:
        key, waived = check_key(check), self.judged.waived.get(check.id)
        missing = self.results[check.id].sqlstate in MISSING
        line = self._lines.get((check.id, check.digest)) or self._alone[check.id, check.digest]
        return Standing(line, self.last.get(key), waived, missing)

    @cached_property
    def _lines(self) -> Mapping[Key, Sequence[LineNight]]:
        """The lines up to the judged night, of the checks that are part of it."""
        found = {}
        for line in self.lines:
            until = [one for one in line if (one.night.at, one.night.run) <= (self.night.at, self.night.run)]
            if until and until[-1].night.run == self.night.run:
                found[now_called(until[-1].outcome.check, self.renamed), until[-1].outcome.meaning] = until
        return found

    @cached_property
    def _alone(self) -> Mapping[Key, Sequence[LineNight]]:
        """The lines of the judged night alone, where there is no history."""
        return follow([self.night])

    @cached_property
    def before(self) -> Night | None:
        """The night before the judged one."""
        nights = [one.night for line in self.lines for one in line]
        earlier = [n for n in nights if (n.at, n.run) < (self.night.at, self.night.run)]
        return max(earlier, key=lambda n: (n.at, n.run), default=None)

    def between(self, tables: Iterable[str]) -> tuple[str, ...]:
        """What happened since the night before: marks, migrations, another suite, rows that came or went."""
        if self.before is None:
            return ()
        since, until = self.before.at, self.night.at
        said = [f"{flat(m.text)} ({utc(m.at)})" for m in self.marks if since < m.at <= until]
        said += map(flat, ledger_words(self.night.ledger_moves))
        if self.before.suite_digest != self.night.suite_digest:
            said.append("the suite was changed")
        return (*said, *self._rows(self.before, set(tables)))

    def _rows(self, before: Night, tables: set[str]) -> list[str]:
        old = dict(before.rows)
        counted = [(title, rows) for title, rows in self.night.rows if title in old and _among(title, tables)]
        return [
            f"{flat(title)}: {number(old[title])} rows → {number(rows)}"
            for title, rows in counted
            if rows != old[title]
        ]

    @property
    def at(self) -> datetime:
        """When the run read its data."""
        return self.night.at


def _among(title: str, tables: set[str]) -> bool:
    """Whether a table is named, with or without its schema."""
    return title in tables or any(
        t.rpartition(".")[2] == title or title.rpartition(".")[2] == t for t in tables
    )
