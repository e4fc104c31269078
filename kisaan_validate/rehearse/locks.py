"""Which statement took which lock: from the notes of event triggers exactly, else from samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kisaan_validate.facts.tape import TapeLock
from kisaan_validate.rehearse.heard import HeardStatement
from kisaan_validate.rehearse.known import KnownCatalogue
from kisaan_validate.rehearse.sampler import SampledLock
from kisaan_validate.rehearse.transactions import StatementFate

Taken = dict[int, list[tuple[int, str]]]
"""Relation and mode of the locks that each statement took, by ``id()`` of the statement."""


def flattened(statements: Sequence[HeardStatement]) -> Iterator[HeardStatement]:
    """Statements and what ran inside them, in order of their start."""
    for statement in statements:
        yield statement
        yield from statement.inner


def exact_locks(statements: Sequence[HeardStatement], catalogue: KnownCatalogue) -> Taken:
    """The locks of one transaction's statements as event triggers saw them.

    A lock that is there when a statement begins was taken before, by one that no trigger saw: by the first
    of those whose text has the relation's name, else by the first.
    """
    taken: Taken = {id(s): [] for s in flattened(statements)}
    held: set[tuple[int, str]] = set()
    unseen: list[HeardStatement] = []
    for statement in flattened(statements):
        if not statement.notes:
            unseen.append(statement)
        for note in statement.notes:
            now = {(lock[0], lock[1]) for lock in note["locks"]}
            for oid, mode in sorted(now - held):
                earlier = unseen if note["event"] == "ddl_command_start" else []
                taken[id(_taker(oid, earlier, catalogue) or statement)].append((oid, mode))
            held = now
        if statement.notes:
            unseen = [statement.outer] if statement.outer is not None else []
    return taken


def _taker(oid: int, unseen: list[HeardStatement], catalogue: KnownCatalogue) -> HeardStatement | None:
    name = catalogue.name(oid)
    bare = (name or "").rpartition(".")[2].lower()
    named = [s for s in unseen if bare and bare in s.text.lower()]
    return next(iter(named or unseen), None)


class LockTeller:
    """Makes the locks of a statement. ``started`` is the tape's start in seconds since 1970, ``gap`` the
    longest time between two samples, ``sampled`` what was sampled by process.
    """

    def __init__(
        self,
        catalogue: KnownCatalogue,
        sampled: Mapping[int, Sequence[SampledLock]],
        started: float,
        gap: float,
    ) -> None:
        self._catalogue = catalogue
        self._sampled = sampled
        self._started = started
        self._gap = gap
        self._assigned: dict[int, list[SampledLock]] = {}

    def exact(self, statement: HeardStatement, taken: Taken, fate: StatementFate) -> list[TapeLock]:
        """The locks that event triggers saw it take."""
        made = []
        for oid, mode in taken[id(statement)]:
            since, waited = self._waited(statement, oid, mode)
            until = fate.released
            lock = self._lock(oid, mode, since, until, waited, sampled=False)
            made += [lock] if lock is not None else []
        return made

    def sampled(
        self, statement: HeardStatement, exact: set[tuple[int, str]], fate: StatementFate
    ) -> list[TapeLock]:
        """The locks that samples show it take, and event triggers do not."""
        made: dict[tuple[int, str], TapeLock] = {}
        for seen in self._assigned.get(id(statement), ()):
            oid, mode = seen.key.relation or 0, seen.key.mode
            if (oid, mode) in exact or (oid, mode) in made:
                continue
            since, waited = self._waited(statement, oid, mode)
            # It was let go between the last look that saw it and the next one.
            until = min(seen.last + self._gap, fate.released or float("inf"))
            lock = self._lock(oid, mode, since, until, waited, sampled=True)
            if lock is not None:
                made[oid, mode] = lock
        return list(made.values())

    def assign(self, statements: Sequence[HeardStatement]) -> None:
        """Find the statement of one session that took each sampled lock."""
        flat = list(flattened(statements))
        for seen in self._sampled.get(flat[0].pid, ()) if flat else ():
            if seen.key.relation is not None and seen.key.granted:
                taker = self._taker(seen, flat)
                if taker is not None:
                    self._assigned.setdefault(id(taker), []).append(seen)

    def _taker(self, seen: SampledLock, flat: list[HeardStatement]) -> HeardStatement | None:
        """It was taken between the look before the one that saw it first and that one. Of the statements
        that ran then: one that names the relation, else the one that ran when it was seen.
        """
        ran = [s for s in flat if s.start <= seen.first and _end(s) >= seen.first - self._gap]
        # Statements such as VACUUM have several transactions, and the log names only the first.
        ran = [s for s in ran if s.transaction == seen.key.transaction] or ran
        able = [s for s in ran if not _knows(s) or seen.last <= _end(s) + self._gap]
        bare = (self._catalogue.name(seen.key.relation or 0) or "").rpartition(".")[2].lower()
        named = [s for s in able if bare and bare in s.text.lower()]
        running = [s for s in able if _end(s) >= seen.first]
        return next(reversed(named or running or able), None)

    def _waited(self, statement: HeardStatement, oid: int, mode: str) -> tuple[float, float]:
        """Since when a lock was held, at the earliest, and how long it was awaited."""
        for relation, awaited, at, seconds in statement.waits:
            if (relation, awaited) == (oid, mode):
                return at, seconds
        for seen in self._sampled.get(statement.pid, ()):
            same = (seen.key.relation, seen.key.mode, seen.key.granted) == (oid, mode, False)
            if same and statement.start - self._gap <= seen.first <= _end(statement):
                return seen.last, seen.last - seen.first
        return statement.start, 0.0

    def _lock(
        self, oid: int, mode: str, since: float, until: float | None, waited: float, *, sampled: bool
    ) -> TapeLock | None:
        known = self._catalogue.relations.get(oid)
        # Without a name it was made and dropped within the transaction, as the new file of a rewrite.
        if known is None:
            return None
        return TapeLock(
            relation=known.name,
            kind=known.kind,
            table=self._catalogue.table_name(oid),
            mode=mode,
            since=round(since - self._started, 6),
            until=None if until is None else round(until - self._started, 6),
            waited=round(waited, 6),
            sampled=sampled,
            ours=oid not in self._catalogue.committed,
        )


def _end(statement: HeardStatement) -> float:
    return statement.end if statement.end is not None else float("inf")


def _knows(statement: HeardStatement) -> bool:
    """Whether an event trigger saw all the locks that it held at its end."""
    return any(note["event"] == "ddl_command_end" for note in statement.notes)
