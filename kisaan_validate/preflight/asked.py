"""What a preflight is given, and how one question is asked so that it cannot hide the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.ledger import LEDGER_SHAPES, LedgerKind, LedgerSource
from kisaan_validate.facts.preflight import EvidenceRow, PreflightItem, PreflightTopic
from kisaan_validate.facts.states import StandingState
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.preflight.rules import PreflightRules

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.facts.catalogue import Catalogue
    from kisaan_validate.facts.migrations import MigrationsStanding
    from kisaan_validate.facts.place import Place
    from kisaan_validate.facts.server import ServerFacts
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.preflight.evidence import Given
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Options
    from kisaan_validate.suite.load import Suite

BRIEF = Limits(lock_timeout=500, statement_timeout=5_000, connect_timeout_seconds=5)
"""A preflight waits for nobody, and holds nobody up."""

_SHAPE = LEDGER_SHAPES[LedgerKind.NAMES]
_USUAL = LedgerSource(_SHAPE.table, _SHAPE.name, _SHAPE.at)

GO, NO_GO, CANNOT_TELL, WORK = (
    StandingState.PASS,
    StandingState.FAIL,
    StandingState.UNKNOWN,
    StandingState.WORK,
)


@dataclass(frozen=True)
class PreflightAsked:
    """What was asked for. ``given`` are the files of evidence as they were read; ``without`` says by name
    who left something out; ``accept`` are oddities of migrations that are known. ``options`` are those of
    scans (``deep``). ``at`` is this machine's time (UTC).
    """

    target: Target
    expect: Mapping[str, str]
    rules: PreflightRules
    suite: Suite | None
    contract: Contract | None
    given: Given
    without: Mapping[str, str]
    at: datetime
    options: Options | None = None
    deep: bool = False
    show_queries: bool = False
    run_file: Path | None = None
    ledger: LedgerSource = _USUAL
    accept: tuple[str, ...] = ()


@dataclass
class Inquiry:
    """A preflight at work: the session, and what earlier questions learned, None where they could not."""

    asked: PreflightAsked
    session: Session
    stop: Stop
    place: Place | None = None
    catalogue: Catalogue | None = None
    server: ServerFacts | None = None
    standing: MigrationsStanding | None = None
    relations: Mapping[int, str] = field(default_factory=dict)
    rewritten: tuple[str, ...] = ()
    not_proved: list[str] = field(default_factory=list)

    def left_out(self, name: str) -> bool:
        """Whether somebody left this question out."""
        return name in self.asked.without

    @contextmanager
    def looking(self) -> Iterator[Session]:
        """The session in a transaction of its own, which is given back at once. Raises DatabaseError."""
        self.session.begin(isolation="READ COMMITTED")
        try:
            yield self.session
        finally:
            if not self.session.lost:
                self.session.execute("ROLLBACK")


@dataclass(frozen=True)
class Question:
    """A question by name, and what answers it. ``ask`` may raise DatabaseError: then it cannot be told."""

    topic: PreflightTopic
    name: str
    ask: Callable[[Inquiry], Iterator[PreflightItem]]

    def answers(self, inquiry: Inquiry) -> tuple[PreflightItem, ...]:
        """All items, or one that says why there are none. Raises nothing that belongs to a server."""
        found: list[PreflightItem] = []
        try:
            found.extend(self.ask(inquiry))
        except DatabaseError as error:
            # What was found before the failure stays found.
            found.append(untold(self.topic, self.name, error))
        return tuple(found)


def untold(topic: PreflightTopic, name: str, error: DatabaseError) -> PreflightItem:
    """The item of a question that the server did not answer."""
    return PreflightItem(topic, name, CANNOT_TELL, error.fact, error.hint)


@dataclass(frozen=True)
class Answers:
    """Makes the items of one topic."""

    topic: PreflightTopic

    def judged(self, name: str, state: StandingState, fact: str, todo: str) -> PreflightItem:
        """It stands so; ``todo`` is said unless nothing stands against it."""
        return PreflightItem(self.topic, name, state, fact, "" if state is GO else todo)

    def go(self, name: str, fact: str, rows: tuple[EvidenceRow, ...] = ()) -> PreflightItem:
        """This is a go."""
        return PreflightItem(self.topic, name, GO, fact, "", rows)

    def no_go(self, name: str, fact: str, todo: str, rows: tuple[EvidenceRow, ...] = ()) -> PreflightItem:
        """This is a no-go."""
        return PreflightItem(self.topic, name, NO_GO, fact, todo, rows)

    def unknown(self, name: str, fact: str, todo: str, rows: tuple[EvidenceRow, ...] = ()) -> PreflightItem:
        """This is not known."""
        return PreflightItem(self.topic, name, CANNOT_TELL, fact, todo, rows)

    def work(self, name: str, fact: str, rows: tuple[EvidenceRow, ...] = ()) -> PreflightItem:
        """The migration is there to do this."""
        return PreflightItem(self.topic, name, WORK, fact, "", rows)
