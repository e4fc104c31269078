"""Records what a migration does: installs event triggers, samples locks, and reads the server's log back."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.tape import StatementOutcome, Tape, TapeStatement
from kisaan_validate.rehearse.assemble import TapeAssembly, TapeGround, numbered
from kisaan_validate.rehearse.heard import TAPE_SETTINGS, HeardStatement, SessionEar
from kisaan_validate.rehearse.known import KnownCatalogue, read_catalogue, read_relations
from kisaan_validate.rehearse.locks import LockTeller
from kisaan_validate.rehearse.logfile import LogLine, LogPlace, log_place, missing_lines, read_log
from kisaan_validate.rehearse.origins import FileOrigins
from kisaan_validate.rehearse.ours import OurSessions
from kisaan_validate.rehearse.sampler import LockSampler, by_session
from kisaan_validate.rehearse.transactions import HeardTransaction, transactions_of
from kisaan_validate.rehearse.triggers import install, uninstall
from kisaan_validate.rehearse.unseen import with_new_files
from kisaan_validate.text.numbers import agreeing, counted

_BEGINNING = ("authentication", "startup", "initializing")
"""What a process calls itself before anybody can send it a statement."""

END_SECONDS = 20.0
"""How long the end of the log is waited for: the server writes it through a process of its own."""

LEAVING_SECONDS = 1.0
"""How long sessions may take to end when the migration is over."""

_OTHERS = """
    SELECT pid FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> ALL (%s) AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class _HeardTape:
    """All lines of a tape, and how far the log's clock is from seconds since 1970."""

    lines: list[LogLine]
    gaps: list[str]


class TapeRecorder:
    """Within, everything that others do in the database of ``ours`` is recorded; ``tape`` has it afterwards.

    ``files`` are the migration's files as texts by name. ``shared`` says why WAL cannot be told apart, where
    sessions of ours write too. Sessions must begin after the tape: they get their settings then. The server
    needs LOG_SETTINGS. Raises UsageError at the start if it has them not.
    """

    def __init__(self, ours: OurSessions, files: Mapping[str, str], *, shared: str = "") -> None:
        self._ours = ours
        self._files = files
        self._shared = shared
        self._token = secrets.token_hex(8)
        self._sampler = LockSampler(ours)
        self._kept: dict[str, str] = {}
        self._early: set[int] = set()
        self.started = 0.0
        """The tape's start in seconds since 1970 by the server's clock."""
        self.tape: Tape | None = None

    def __enter__(self) -> TapeRecorder:
        self._connection = self._ours.open()
        cursor = self._connection.cursor()
        try:
            self._place: LogPlace = log_place(cursor)
            install(cursor, self._token)
            self._settle(cursor)
            self._catalogue: KnownCatalogue = read_catalogue(cursor, self._token)
            self._early = self._others(cursor)
            self.started = _mark(cursor, self._token, "start")
        except BaseException:
            self._remove(cursor)
            raise
        self._sampler.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sampler.__exit__()
        cursor = self._connection.cursor()
        try:
            if kind is None:
                self.tape = self._recorded(cursor)
        finally:
            self._remove(cursor)

    def locked(self) -> frozenset[int]:
        """The earlier tables that somebody keeps others from just now, or waits to, as last seen."""
        known = self._catalogue.relations
        return frozenset(known[oid].table or oid for oid in self._sampler.locked if oid in known)

    def _remove(self, cursor: Any) -> None:
        """Nothing of ours stays in the database."""
        try:
            uninstall(cursor, self._token)
            self._unsettle(cursor)
        finally:
            self._connection.close()

    def _settle(self, cursor: Any) -> None:
        cursor.execute(
            "SELECT coalesce(setconfig, '{}') FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase ="
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        rows = cursor.fetchall()
        before = dict(setting.split("=", 1) for setting in (rows[0][0] if rows else ()))
        cursor.execute("SELECT quote_ident(current_database())")
        ((self._database,),) = cursor.fetchall()
        for name, value in TAPE_SETTINGS.items():
            self._kept[name] = before.get(name, "")
            cursor.execute(f"ALTER DATABASE {self._database} SET {name} = %s", (value,))

    def _unsettle(self, cursor: Any) -> None:
        for name, value in self._kept.items():
            if value:
                cursor.execute(f"ALTER DATABASE {self._database} SET {name} = %s", (value,))
            else:
                cursor.execute(f"ALTER DATABASE {self._database} RESET {name}")
        self._kept = {}

    def _others(self, cursor: Any) -> set[int]:
        cursor.execute(_OTHERS, (list(self._ours.pids),))
        return {pid for (pid,) in cursor.fetchall()}

    def _ended_others(self, cursor: Any) -> set[int]:
        """Sessions of others that do not end; a server needs a moment to see that a client has gone."""
        deadline = time.monotonic() + LEAVING_SECONDS
        while (left := self._others(cursor) - self._early) and time.monotonic() < deadline:
            time.sleep(0.02)
        return left

    def _recorded(self, cursor: Any) -> Tape:
        connected = self._ended_others(cursor)
        ended = _mark(cursor, self._token, "end")
        heard = self._heard(cursor)
        gap = self._sampler.widest or 0.0
        sampled = by_session(self._sampler.seen)
        teller = LockTeller(self._catalogue, sampled, self.started, gap)
        ears = _ears(heard.lines, self._token)
        for ear in ears.values():
            teller.assign(ear.statements)
        transactions = [
            found
            for ear in ears.values()
            for found in transactions_of(ear.statements, bool(ear.statements[-1:]) and _there(ear, connected))
        ]
        gaps = [*heard.gaps, *(gap for ear in ears.values() for gap in ear.gaps), *self._gaps()]
        statements, unexplained = with_new_files(
            self._assembled(transactions, teller), self._new_files(cursor), self._catalogue
        )
        lost = sum(s.outcome is StatementOutcome.UNKNOWN for s in statements)
        if lost:
            many, whose = counted(lost, "statement"), agreeing(lost, "its session", "their sessions")
            gaps.append(f"how {many} ended is not known: {whose} had not ended")
        return Tape(
            started_at=datetime.fromtimestamp(self.started, UTC).isoformat(),
            seconds=round(ended - self.started, 6),
            statements=statements,
            sample_seconds=self._sampler.widest,
            gaps=tuple(dict.fromkeys([*gaps, *unexplained])),
        )

    def _gaps(self) -> Iterable[str]:
        if self._sampler.failure:
            yield f"locks were not sampled to the end: {self._sampler.failure}"
        elif self._sampler.widest is None:
            yield "locks were not sampled"
        if self._early:
            yield f"{len(self._early)} session(s) began before the tape and are not on it"

    def _assembled(
        self, transactions: list[HeardTransaction], teller: LockTeller
    ) -> tuple[TapeStatement, ...]:
        # Two transactions that alter one table cannot overlap, so that their ends give their order.
        ordered = sorted(transactions, key=lambda t: t.statements[-1].end or float("inf"))
        writers = [lock for lock in self._sampler.seen if lock.key.relation is None]
        origins = FileOrigins(self._files)
        assembly = TapeAssembly(
            TapeGround(self._catalogue, origins, teller, writers, self.started, self._shared)
        )
        made: list[tuple[HeardStatement, TapeStatement]] = []
        for transaction in ordered:
            made += assembly.statements(transaction)
        return numbered(made)

    def _new_files(self, cursor: Any) -> set[int]:
        """The earlier tables that have another file now."""
        now = {row[0]: row[5] for row in read_relations(cursor)}
        before = self._catalogue.files
        return {oid for oid, file in now.items() if oid in before and before[oid] != file}

    def _heard(self, cursor: Any) -> _HeardTape:
        """The log until our own last line in it."""
        deadline = time.monotonic() + END_SECONDS
        while True:
            lines = read_log(cursor, self._place)
            ends = [n for n, line in enumerate(lines) if line.message.startswith(f"{self._token} end ")]
            if ends or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        starts = [n for n, line in enumerate(lines) if line.message.startswith(f"{self._token} start ")]
        if not starts:
            raise UsageError(
                "the scratch server's log does not have the start of the tape",
                "see that its disk is not full, and that nobody else removes its log",
            )
        first = lines[starts[0]]
        # The zone of the log, in whole quarters of an hour.
        shift = round((float(first.message.split()[2]) - first.at) / 900) * 900
        theirs = [
            replace(line, at=line.at + shift)
            for line in lines[starts[0] : ends[0] if ends else None]
            if line.database == first.database and line.pid not in self._ours.pids and not _not_begun(line)
        ]
        gaps = [] if ends else [f"the log did not come to its end within {END_SECONDS:.0f} s"]
        if missing := missing_lines(theirs):
            gaps.append(f"{missing} line(s) of the log are missing")
        return _HeardTape(theirs, gaps)


def _not_begun(line: LogLine) -> bool:
    """Whether a client left before its session began, as a canary that is closed does: it did nothing."""
    return line.shown in _BEGINNING and line.sqlstate.startswith("08")


def _mark(cursor: Any, token: str, word: str) -> float:
    """Write a line of ours into the log; the server's time then, in seconds since 1970."""
    cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
    ((now,),) = cursor.fetchall()
    cursor.execute(
        f"SET log_min_messages = log; DO $$ BEGIN RAISE LOG '{token} {word} {now}'; END $$;"
        " SET log_min_messages = panic"
    )
    return float(now)


def _ears(lines: list[LogLine], token: str) -> dict[str, SessionEar]:
    """An ear for each session that migrated, which has heard all of it."""
    ears: dict[str, SessionEar] = {}
    sessions: dict[int, str] = {}
    for line in lines:
        if line.backend == "parallel worker":
            # What a worker says counts for the session that it works for.
            session = sessions.get(line.leader or 0, "")
            if session and line.severity == "LOG":
                ears[session].hear(replace(line, context="parallel worker"))
            continue
        sessions[line.pid] = line.session
        ears.setdefault(line.session, SessionEar(token)).hear(line)
    return ears


def _there(ear: SessionEar, connected: set[int]) -> bool:
    return ear.statements[-1].pid in connected
