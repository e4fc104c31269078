"""Fix kits proved on a copy: the failing rows are there, the repair, the whole suite again, the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError, RecordError
from kisaan_validate.facts.rehearsed import Sameness
from kisaan_validate.facts.repair import (
    COPY_SETTING,
    FIX_SCHEMA,
    PROVED_STEPS,
    REFUSED,
    RUN_BEFORE,
    TRIGGERS_SETTING,
    FixKit,
    FixStep,
    ItemState,
    KitFacts,
    KitProof,
)
from kisaan_validate.facts.result import UNANSWERED, Result, Status
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import digest_of
from kisaan_validate.record.files import read_file
from kisaan_validate.rehearse.sameness import Comparer
from kisaan_validate.rehearse.trouble import is_of_server, put_away
from kisaan_validate.rehearse.words import server_words
from kisaan_validate.scratch.reaching import text
from kisaan_validate.scratch.space import server_failure
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.rehearse.proving import ProvedBy
    from kisaan_validate.scratch.server import Scratch

SEEN, REPAIRED, SUITE, TWICE, BACK, EQUAL = PROVED_STEPS
SHOWN = 6
"""So many checks are named in a sentence."""


@dataclass(frozen=True)
class FixRequest:
    """What is proved: the kits in ``folder``, on clones of the database ``source``, in which nobody works."""

    scratch: Scratch
    source: str
    kit: FixKit
    folder: Path
    by: ProvedBy
    stop: Stop
    say: Callable[[str], None] = field(default=lambda _: None)


def refuse_changed(kit: FixKit, folder: Path) -> None:
    """Raises RecordError where a file of a kit is missing, or not the one that was recorded."""
    for one in kit.kits:
        for file in one.files:
            # Only a name: a record that was made to do harm must not lead elsewhere.
            if Path(file.name).name != file.name:
                raise RecordError(f"{file.name!r} is no name of a file", "write the kit again with fix-kit")
            if digest_of(read_file(folder / file.name)) != file.sha256:
                fact = f"{folder / file.name} is not the file that was written"
                raise RecordError(fact, "change the declared repair and write the kit again")


def prove_kits(request: FixRequest) -> tuple[KitProof, ...]:
    """Each kit on a clone of its own. Raises KisaanError where the suite cannot be run on the copy at all."""
    request.say("run the suite on the copy")
    before = _results(request, request.source)
    return tuple(_KitTrial(request, one, before, f"fix_{n}").run() for n, one in enumerate(request.kit.kits))


def _results(request: FixRequest, database: str) -> dict[str, Result]:
    target = request.scratch.target(database, "postgres")
    made = run(request.by.suite, target, options=Options(), stop=request.stop)
    return {result.check_id: result for result in made.results}


@dataclass
class _KitTrial:
    """One kit on one clone. A step that cannot be done leaves those behind it untried."""

    request: FixRequest
    kit: KitFacts
    before: Mapping[str, Result]
    database: str
    steps: list[FixStep] = field(default_factory=list)
    changed: tuple[str, ...] = ()

    def run(self) -> KitProof:
        scratch, source = self.request.scratch, self.request.source
        works = (self.seen, self.repaired, self.suite, self.twice, self.back, self.equal)
        try:
            scratch.clone(source, self.database)
            for name, work in zip(PROVED_STEPS, works, strict=True):
                if not self.tried(name, work):
                    break
        except KisaanError as error:
            # No room for another clone: what the kits before it came to is not lost.
            self.steps.append(FixStep(SEEN, ItemState.UNKNOWN, error.fact))
        finally:
            put_away(scratch, self.database)
        for name in PROVED_STEPS[len(self.steps) :]:
            self.steps.append(FixStep(name, ItemState.UNKNOWN, "not tried, for the reason above"))
        return KitProof(self.kit.check, self.kit.name, tuple(self.steps), self.changed)

    def tried(self, name: str, work: Callable[[], tuple[ItemState, str]]) -> bool:
        """Whether the next step makes sense."""
        if self.request.stop.requested:
            self.steps.append(FixStep(name, ItemState.UNKNOWN, f"stopped: {self.request.stop.reason}"))
            return False
        self.request.say(f"{self.kit.check}: {name}")
        try:
            state, fact = work()
        except KisaanError as error:
            state, fact = ItemState.UNKNOWN, error.fact
        self.steps.append(FixStep(name, state, fact))
        # What the suite finds after the repair says nothing about the way back.
        return state is ItemState.PASS or name in {SUITE, TWICE}

    # --- the steps -----------------------------------------------------------------------------------

    def seen(self) -> tuple[ItemState, str]:
        found = self.before.get(self.kit.check)
        if found is None or found.violations is None:
            return ItemState.UNKNOWN, "the suite has no answer for this check on the copy"
        words = counted(found.violations, "violation")
        if found.violations != self.kit.count:
            return ItemState.UNKNOWN, f"the copy has {words}, not {self.kit.count:,}: it is of another time"
        if found.key_digest != self.kit.key_digest:
            return ItemState.UNKNOWN, f"the copy has {words}, but of other rows: it is of another time"
        return ItemState.PASS, f"{words}, the same keys"

    def repaired(self) -> tuple[ItemState, str]:
        state, said = self.execute(".repair.sql")
        if state:
            return ItemState.FAIL, said
        same = self.compared(sequences=False)
        self.changed = same.differing
        return ItemState.PASS, "; ".join(same.differing) or "it changed nothing that can be seen"

    def suite(self) -> tuple[ItemState, str]:
        after = _results(self.request, self.database)
        own = after.get(self.kit.check)
        if own is None or own.violations is None:
            return ItemState.UNKNOWN, "the suite has no answer for this check after the repair"
        if own.violations != self.kit.leaves:
            return ItemState.FAIL, f"{counted(own.violations, 'violation')} left, not {self.kit.leaves:,}"
        if worse := list(_worse(self.before, after)):
            return ItemState.FAIL, f"worse after the repair: {_some(worse)}"
        if lost := [id for id, result in after.items() if result.status in UNANSWERED]:
            return ItemState.UNKNOWN, f"without an answer on the copy: {_some(lost)}"
        return ItemState.PASS, f"{counted(len(after), 'check')}, none worse than before"

    def twice(self) -> tuple[ItemState, str]:
        state, said = self.execute(".repair.sql")
        if state == RUN_BEFORE:
            return ItemState.PASS, "refused"
        return ItemState.FAIL, said or "it ran a second time"

    def back(self) -> tuple[ItemState, str]:
        state, said = self.execute(".way-back.sql")
        if not state:
            return ItemState.PASS, "done"
        # The tables' own triggers may keep the rows from becoming what they were.
        again, other = self.execute(".way-back.sql", f"SET {TRIGGERS_SETTING} = 'off'")
        if not again:
            return ItemState.PASS, f"only with SET {TRIGGERS_SETTING} = 'off'; without it: {said}"
        return ItemState.FAIL, other

    def equal(self) -> tuple[ItemState, str]:
        same = self.compared(sequences=True)
        if same.equal is None:
            return ItemState.UNKNOWN, f"cannot be told: {_some(list(same.unknown))}"
        if not same.equal:
            return ItemState.FAIL, f"not as before: {_some(list(same.differing))}"
        return ItemState.PASS, "every row, the schema and the sequences"

    # --- the ground ----------------------------------------------------------------------------------

    def compared(self, *, sequences: bool) -> Sameness:
        # Where kits keep their copies is no part of what is compared.
        comparer = Comparer(self.request.scratch, (FIX_SCHEMA,), self.request.stop)
        return comparer.same(self.request.source, self.database, sequences=sequences)

    def execute(self, ending: str, before: str = "") -> tuple[str, str]:
        """Run a file as the role that owns the copy, in one message: the SQLSTATE and the words with which it
        was refused, "" if it was not. Raises DatabaseError where it was the server that failed.
        """
        scratch = self.request.scratch
        sql = read_file(self.request.folder / self.kit.file(ending))
        connection = scratch.connect(self.database, scratch.owner)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SET {COPY_SETTING} = {text(self.request.kit.target.database)}; {before}")
                cursor.execute(sql)
            return "", ""
        except psycopg2.Error as error:
            state = error.pgcode or "08006"
            words = server_words(error)
            if is_of_server(state):
                raise server_failure("the kit ran", words, state, scratch.full, "kit") from None
            # A kit's own words name tables and numbers, and say what to do.
            hint = error.diag.message_hint if state.startswith(REFUSED) else ""
            return state, f"{words}{f': {hint}' if hint else f' (SQLSTATE {state})'}"
        finally:
            connection.close()


def _worse(before: Mapping[str, Result], after: Mapping[str, Result]) -> Iterator[str]:
    """Checks that hold less after a repair than before it."""
    good = {Status.PASS, Status.TOLERATED, Status.NOT_APPLICABLE}
    for id, now in after.items():
        then = before.get(id)
        if then is None:
            continue
        grown = (now.violations or 0) > (then.violations or 0)
        lost = now.status in UNANSWERED and then.status not in UNANSWERED
        if grown or lost or (now.status is Status.FAIL and then.status in good):
            yield id


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return "; ".join(names[:SHOWN]) + (f"; and {more:,} more" if more > 0 else "")
