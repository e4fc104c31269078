"""Which statements were one transaction, and how each ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from itertools import groupby

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.tape import StatementOutcome
from kisaan_validate.rehearse.heard import HeardStatement
from kisaan_validate.sql.splitting import SqlPiece


@dataclass(frozen=True)
class StatementFate:
    """How a statement ended, and when its locks were let go at the latest (None: unknown)."""

    outcome: StatementOutcome
    released: float | None


@dataclass
class HeardTransaction:
    """Statements of one transaction in their order, with the fate of each. ``committed`` None: it was not."""

    statements: list[HeardStatement]
    committed: float | None = None
    fates: list[StatementFate] = field(default_factory=list)


UNKNOWN = StatementFate(StatementOutcome.UNKNOWN, None)


def transactions_of(heard: Sequence[HeardStatement], connected: bool) -> list[HeardTransaction]:
    """The transactions of one session. ``connected``: the session had not ended when the tape did."""
    found: list[HeardTransaction] = []
    for _, group in groupby(heard, key=lambda s: s.transaction):
        members: list[HeardStatement] = []
        for statement in group:
            members.append(statement)
            # Where a transaction failed before, each statement has the id 0 and stands alone.
            if _ends(statement) or statement.transaction.endswith("/0"):
                found.append(_settled(members, connected))
                members = []
        if members:
            found.append(_settled(members, connected))
    return found


def kind_of(statement: HeardStatement) -> str:
    """``begin``, ``commit``, ``rollback``, ``savepoint``, ``back`` (to a savepoint), ``release`` or ""."""
    words = SqlPiece(statement.text, 0, 1).first_words or ("",)
    if words[0] in {"ROLLBACK", "ABORT"}:
        prepared = words[1:2] == ("PREPARED",)
        return "" if prepared else "back" if "TO" in words[:3] else "rollback"
    if words[0] in {"COMMIT", "END"}:
        return "" if words[1:2] == ("PREPARED",) else "commit"
    if words[0] == "BEGIN" or words[:2] == ("START", "TRANSACTION"):
        return "begin"
    return {"SAVEPOINT": "savepoint", "RELEASE": "release"}.get(words[0], "")


def savepoint_of(statement: HeardStatement) -> str:
    """The savepoint that a statement names, as it is written."""
    words = statement.text.split("--")[0].rstrip("; \n").split()
    return words[-1].strip('"').lower() if words else ""


def _ends(statement: HeardStatement) -> bool:
    return kind_of(statement) in {"commit", "rollback"} and not statement.sqlstate


def _settled(members: list[HeardStatement], connected: bool) -> HeardTransaction:
    """The fates of a transaction's statements, by its own rules of savepoints."""
    made = HeardTransaction(members, fates=[UNKNOWN] * len(members))
    savepoints: list[tuple[str, int]] = []
    for index, statement in enumerate(members):
        kind = kind_of(statement)
        if statement.sqlstate:
            since = savepoints[-1][1] + 1 if savepoints else 0
            _undo(made, since, index, statement.end)
            made.fates[index] = StatementFate(StatementOutcome.FAILED, statement.end)
            if not savepoints:
                return made
        elif kind == "savepoint":
            savepoints.append((savepoint_of(statement), index))
        elif kind == "back":
            while savepoints and savepoints[-1][0] != savepoint_of(statement):
                savepoints.pop()
            _undo(made, savepoints[-1][1] + 1 if savepoints else 0, index, statement.end)
        elif kind == "release" and savepoints:
            savepoints.pop()
    _end(made, members, connected)
    return made


def _end(made: HeardTransaction, members: list[HeardStatement], connected: bool) -> None:
    """How a transaction ended in which no statement ended it by failing."""
    last, kind = members[-1], kind_of(members[-1])
    closed = [m.closed_at for m in members if m.closed_at is not None]
    explicit = any(kind_of(m) == "begin" for m in members)
    aborted = last.transaction.endswith("/0")
    if kind == "rollback" or aborted:
        _undo(made, 0, len(members), last.end)
    elif kind == "commit" or (not explicit and closed and last.end is not None):
        made.committed = (last.closed_at or last.end) if kind == "commit" else max(closed)
        _decide(made, 0, len(members), StatementFate(StatementOutcome.COMMITTED, made.committed))
    elif explicit and not connected:
        _undo(made, 0, len(members), None)


def _undo(made: HeardTransaction, start: int, end: int, at: float | None) -> None:
    _decide(made, start, end, StatementFate(StatementOutcome.ROLLED_BACK, at))


def _decide(made: HeardTransaction, start: int, end: int, fate: StatementFate) -> None:
    for index in range(start, end):
        if made.fates[index] == UNKNOWN:
            made.fates[index] = fate
