"""Nights, lines and what they remember, as rows of the index."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import LedgerMoves, LedgerRow
from kisaan_validate.facts.past import PastAnswer, PastLine
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.history.index_tables import (
    OWN,
)
from kisaan_validate.history.lines import FAILING, Identity, LineState
from kisaan_validate.history.night import CheckNight, Night


@dataclass(frozen=True)
class NightLine:
    """A night in a list: the night without its outcomes, and how many checks are in each state."""

    night: Night
    counts: Mapping[LineState, int]

    @property
    def failing(self) -> int:
        """How many checks fail, whatever is known of them."""
        return sum(self.counts.get(state, 0) for state in FAILING)


@dataclass(frozen=True)
class SeriesMember:
    """What of a night tells to which series it belongs, and where in it; ``at`` is text that sorts as
    time.
    """

    run: str
    digest: str
    at: str
    suite: str
    database: str
    host: str
    port: str
    server: str


def memory_text(pasts: Mapping[Identity, PastLine]) -> str:
    """What lines remember, without their counts, which only pages show."""
    return json.dumps([_plain_line(past) for past in pasts.values()])


def _plain_line(past: PastLine) -> list[object]:
    answered, since = past.answered, past.since
    answer = [answered.status.value, answered.violations, answered.rows] if answered is not None else None
    at = time_text(since) if since is not None else None
    return [past.check, past.meaning, answer, at, past.nights, past.silent, list(past.failed)]


def memory_of(text: str) -> dict[Identity, PastLine]:
    """What lines remember, from its text."""
    found = {}
    for check, meaning, answer, at, nights, silent, failed in json.loads(text):
        answered = PastAnswer(Status(answer[0]), *answer[1:]) if answer is not None else None
        since = datetime.fromisoformat(at) if at is not None else None
        found[check, meaning] = PastLine(check, meaning, answered, since, nights, silent, tuple(failed))
    return found


def check_of(outcome: CheckNight) -> tuple[str, ...]:
    """What a check is in the index."""
    return (outcome.check, outcome.meaning, outcome.table, outcome.severity.value)


UNCOUNTED = ""
"""In the place of a night's counts before it is counted."""


def says_the_same(night: Night, before: NightLine | None) -> bool:
    """Whether a run that is read again says of its checks what it said before, of the same database."""
    if before is None:
        return False
    names = ("digest", "at", "suite", "host", "port", "database", "server")
    return all(getattr(night, name) == getattr(before.night, name) for name in names)


def counts_text(counts: Mapping[LineState, int]) -> str:
    """How many checks are in each state, as text."""
    return json.dumps(counts)


def counts_of(text: str) -> dict[LineState, int]:
    """How many checks are in each state, from its text."""
    if text == UNCOUNTED:
        return {}
    return {LineState(state): number for state, number in json.loads(text).items()}


def _night(row: sa.Row[tuple[object, ...]], outcomes: tuple[CheckNight, ...]) -> Night:
    given = {name: value for name, value in row._mapping.items() if name not in OWN}
    given |= {"at": datetime.fromisoformat(row.at), "verdict": Verdict(row.verdict)}
    given["rows"] = tuple((title, rows) for title, rows in json.loads(row.rows))
    given["ledger_moves"] = _moves(row.ledger_moves)
    return Night(**given, outcomes=outcomes)


def moves_text(moves: LedgerMoves | None) -> str:
    """What moved in the ledger, as text; "" where that is not known."""
    return json.dumps(asdict(moves)) if moves is not None else ""


def _moves(text: str) -> LedgerMoves | None:
    if not text:
        return None
    given = json.loads(text)
    rows = {name: tuple(LedgerRow(**row) for row in given[name]) for name in ("came", "went")}
    return LedgerMoves(**{**given, **rows})


def line_of(row: sa.Row[tuple[object, ...]]) -> NightLine:
    """A night of a list, from its row."""
    return NightLine(_night(row, ()), counts_of(row.counts))


def time_text(at: datetime) -> str:
    """A time as text that sorts as time does."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")
