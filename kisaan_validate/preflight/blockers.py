"""What would keep an ALTER waiting, and everybody behind it: judged from what was seen. Pure.

An ALTER TABLE waits for every transaction that has touched its table, and all who come later wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kisaan_validate.facts.preflight import (
    BlockersSeen,
    EvidenceRow,
    PreflightItem,
    PreflightTopic,
    RelationLock,
    SessionSeen,
)
from kisaan_validate.facts.tape import BLOCKS_WRITES
from kisaan_validate.preflight.ages import age_words
from kisaan_validate.preflight.asked import Answers
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.numbers import agreeing, counted, some_of

SAY = Answers(PreflightTopic.BLOCKERS)

FIRST_USER_OID = 16_384
"""Relations below it came with the server (PostgreSQL source, access/transam.h): its system catalogue."""

NAMED = 3
"""So many sessions a sentence names; the rows have all."""

RIGHTS = "grant pg_read_all_stats (or pg_monitor) to this role, then ask again"


@dataclass(frozen=True)
class Scene:
    """What was seen, by which bounds it is judged, and the names of relations by their oids."""

    seen: BlockersSeen
    rules: PreflightRules
    names: Mapping[int, str]
    queries: bool = False

    def relation(self, oid: int) -> str:
        """A relation as people call it."""
        return self.names.get(oid, f"relation {oid}")

    @property
    def sessions(self) -> tuple[SessionSeen, ...]:
        """Those of which it is known what they do."""
        return tuple(one for one in self.seen.sessions or () if not one.hidden)

    def who(self, one: SessionSeen) -> EvidenceRow:
        """A session as a row: who, since when, at what."""
        held = sorted(
            {
                self.relation(lock.relation)
                for lock in self.seen.locks or ()
                if lock.pid == one.pid and lock.granted and lock.relation in self.names
            }
        )
        row = [
            ("pid", str(one.pid)),
            ("user", one.user),
            ("application", one.application),
            ("client", one.client or ("hidden" if one.hidden else "local")),
            ("state", one.state or one.hidden),
            ("since", one.since or "not known"),
            ("open for", "not known" if one.open_seconds is None else age_words(one.open_seconds)),
            ("locks", ", ".join(held) or "none on tables of the suite"),
            ("maintenance", _command(self, one)),
        ]
        return (*row, *((("query", one.query),) if self.queries and one.query else ()))


def judged_blockers(scene: Scene) -> Iterator[PreflightItem]:
    """An item for each kind of blocker, whether there is one or not."""
    seen = scene.seen
    if seen.sessions is None:
        yield SAY.unknown("sessions", f"sessions could not be read: {seen.why('sessions')}", RIGHTS)
    else:
        yield from _of_sessions(scene)
    yield from _prepared(scene)
    if seen.locks is None:
        yield SAY.unknown("locks", f"locks could not be read: {seen.why('locks')}", "ask again in a moment")
        return
    yield _waits(scene)
    yield _strong(scene)


def _of_sessions(scene: Scene) -> Iterator[PreflightItem]:
    hidden = [one for one in scene.seen.sessions or () if one.hidden]
    if hidden:
        yield _hidden(scene, hidden)
    for name, find, said in _KINDS:
        found = [one for one in scene.sessions if find(scene.rules, one)]
        if found:
            yield _found(scene, name, found)
        # What is hidden may be of any kind: then nothing is said to be absent.
        elif not hidden:
            yield SAY.go(name, said(scene))


def _hidden(scene: Scene, hidden: Sequence[SessionSeen]) -> PreflightItem:
    silent = sum(one.hidden != hidden[0].hidden for one in hidden)
    why = f"{hidden[0].hidden}{' (or its role has track_activities off)' if silent else ''}"
    return SAY.unknown(
        "sessions",
        f"what {counted(len(hidden), 'session')} of {len(scene.seen.sessions or ()):,} "
        f"{agreeing(len(hidden), 'does', 'do')} is not known: {why}",
        RIGHTS,
        tuple(scene.who(one) for one in hidden),
    )


def _idle(rules: PreflightRules, one: SessionSeen) -> bool:
    still = one.still_seconds if one.still_seconds is not None else one.open_seconds
    return one.state.startswith("idle in transaction") and (still or 0) > rules.idle_in_transaction


def _maintenance(rules: PreflightRules, one: SessionSeen) -> bool:
    return bool(one.command) and one.kind != "autovacuum worker"


def _wraparound(rules: PreflightRules, one: SessionSeen) -> bool:
    return one.wraparound


def _long(rules: PreflightRules, one: SessionSeen) -> bool:
    told = _idle(rules, one) or _maintenance(rules, one) or one.kind == "autovacuum worker"
    return not told and (one.open_seconds or 0) > rules.transaction


_KINDS: tuple[tuple[str, Callable[[PreflightRules, SessionSeen], bool], Callable[[Scene], str]], ...] = (
    (
        "transactions",
        _long,
        lambda scene: (
            f"no transaction of {counted(len(scene.sessions), 'other session')} is open for over "
            f"{duration_words(scene.rules.transaction)}"
        ),
    ),
    (
        "idle in transaction",
        _idle,
        lambda scene: (
            f"no session is idle in a transaction for over {duration_words(scene.rules.idle_in_transaction)}"
        ),
    ),
    ("maintenance", _maintenance, lambda _: "no VACUUM, CREATE INDEX, CLUSTER or ANALYZE is running"),
    ("wraparound", _wraparound, lambda _: "no autovacuum to prevent wraparound is running"),
)

_WORDS = {
    "transactions": ("a transaction has been open for {age}", "transactions are open, the oldest for {age}"),
    "idle in transaction": (
        "a session sits idle in a transaction, open for {age}",
        "sessions sit idle in transactions, the oldest open for {age}",
    ),
    "maintenance": (
        "{command} has been running for {age}",
        "maintenance commands are running, the oldest for {age}",
    ),
    "wraparound": (
        "an autovacuum to prevent wraparound is running for {age}, and gives way to nobody",
        "autovacuums to prevent wraparound are running, the oldest for {age}, and give way to nobody",
    ),
}


def _found(scene: Scene, name: str, found: Sequence[SessionSeen]) -> PreflightItem:
    oldest = sorted(found, key=lambda one: -(one.open_seconds or 0))
    one, many = _WORDS[name]
    first = oldest[0]
    age = "an unknown time" if first.open_seconds is None else age_words(first.open_seconds)
    words = (one if len(found) == 1 else f"{len(found):,} {many}").format(
        age=age, command=_command(scene, first)
    )
    todo = _end(oldest) if name != "wraparound" else "wait for it; do not end it: it returns"
    if name == "maintenance":
        todo = f"wait until it is done, or end it: SELECT pg_cancel_backend({first.pid})"
    return SAY.no_go(name, f"{words}: {_named(oldest)}", todo, tuple(scene.who(one) for one in oldest))


def _end(sessions: Sequence[SessionSeen]) -> str:
    """What ends the sessions that are named."""
    pids = [str(one.pid) for one in sessions[:NAMED]]
    if len(pids) == 1:
        return f"ask its owner to end it, or end it: SELECT pg_terminate_backend({pids[0]})"
    listed = ", ".join(pids)
    return (
        "ask their owners to end them, or end them: "
        f"SELECT pg_terminate_backend(pid) FROM unnest(ARRAY[{listed}]) AS pid"
    )


def _command(scene: Scene, one: SessionSeen) -> str:
    on = f" on {scene.relation(one.relation)}" if one.relation else ""
    return f"{one.command}{on}"


def _named(sessions: Sequence[SessionSeen]) -> str:
    return some_of([_person(one) for one in sessions], NAMED)


def _person(one: SessionSeen) -> str:
    by = f" ({one.application})" if one.application else ""
    at = f" from {one.client}" if one.client else ""
    return f"pid {one.pid} of {one.user or 'the server'}{by}{at}"


def _prepared(scene: Scene) -> Iterator[PreflightItem]:
    prepared = scene.seen.prepared
    if prepared is None:
        why = scene.seen.why("prepared")
        yield SAY.unknown("prepared", f"prepared transactions could not be read: {why}", "ask again")
        return
    if not prepared:
        yield SAY.go("prepared", "no transaction is prepared")
        return
    oldest = prepared[0]
    rows = tuple(
        (("name", one.name), ("owner", one.owner), ("since", one.since), ("open for", age_words(one.seconds)))
        for one in prepared
    )
    yield SAY.no_go(
        "prepared",
        f"{counted(len(prepared), 'prepared transaction')} {agreeing(len(prepared), 'keeps', 'keep')} "
        f"locks until somebody ends {agreeing(len(prepared), 'it', 'them')}; the oldest, {oldest.name!r} of "
        f"{oldest.owner}, for {age_words(oldest.seconds)}",
        "ask its transaction manager, then COMMIT PREPARED or ROLLBACK PREPARED it by its name",
        rows,
    )


def _waits(scene: Scene) -> PreflightItem:
    most = scene.rules.lock_wait
    # A wait whose length is not known is one all the same.
    waits = [
        lock
        for lock in scene.seen.locks or ()
        if not lock.granted and (lock.waited is None or lock.waited > most)
    ]
    if not waits:
        return SAY.go("waits", f"no session has waited for a table's lock for over {duration_words(most)}")
    waits.sort(key=lambda lock: -(lock.waited or 0))
    first = waits[0]
    age = "an unknown time" if first.waited is None else age_words(first.waited)
    by = ", ".join(str(pid) for pid in first.blocked_by if pid) or "a prepared transaction"
    return SAY.no_go(
        "waits",
        f"{counted(len(waits), 'session')} {agreeing(len(waits), 'waits', 'wait')} for a table's lock, "
        f"longest pid {first.pid} for {first.mode} on {scene.relation(first.relation)}, {age}, behind {by}",
        "let the queue clear first: an ALTER would join its end",
        tuple(_lock_row(scene, lock) for lock in waits),
    )


def _lock_row(scene: Scene, lock: RelationLock) -> EvidenceRow:
    who = next((one for one in scene.seen.sessions or () if one.pid == lock.pid), None)
    return (
        ("pid", "prepared transaction" if lock.pid is None else str(lock.pid)),
        ("user", who.user if who is not None else ""),
        ("application", who.application if who is not None else ""),
        ("client", who.client if who is not None else ""),
        ("table", scene.relation(lock.relation)),
        ("lock", lock.mode),
        ("waited", "not known" if lock.waited is None else age_words(lock.waited)),
        ("behind", ", ".join(map(str, lock.blocked_by))),
    )


def _strong(scene: Scene) -> PreflightItem:
    """Locks under which nobody writes: somebody changes the schema, or locked a table by hand."""
    giving_way = {one.pid for one in scene.seen.sessions or () if one.kind == "autovacuum worker"}
    strong = [
        lock
        for lock in scene.seen.locks or ()
        if lock.granted
        and lock.mode in BLOCKS_WRITES
        and lock.pid not in giving_way
        # Others' temporary tables are nobody else's; where names are not known, each lock counts.
        and (not scene.names or lock.relation in scene.names or lock.relation < FIRST_USER_OID)
    ]
    if not strong:
        return SAY.go("locks", "nobody holds a lock under which a table cannot be written")
    first = strong[0]
    holder = "a prepared transaction" if first.pid is None else f"pid {first.pid}"
    names = {one.pid: one for one in scene.seen.sessions or ()}
    if first.pid in names:
        holder = _named([names[first.pid]])
    todo = (
        "end the prepared transaction"
        if first.pid is None
        else f"ask its owner to end it, or end it: SELECT pg_terminate_backend({first.pid})"
    )
    return SAY.no_go(
        "locks",
        f"{holder} holds {first.mode} on {scene.relation(first.relation)}"
        + (f", and {counted(len(strong) - 1, 'more such lock')} held" if len(strong) > 1 else ""),
        todo,
        tuple(_lock_row(scene, lock) for lock in strong),
    )
