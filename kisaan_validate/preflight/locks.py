"""Whether a session waits for a table's lock, or holds one that stops all writers. Pure."""

from __future__ import annotations

from kisaan_validate.facts.preflight import EvidenceRow, PreflightItem, RelationLock
from kisaan_validate.facts.tape import BLOCKS_WRITES
from kisaan_validate.preflight.ages import age_words
from kisaan_validate.preflight.scene import SAY, Scene, sessions_named
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.numbers import agreeing, counted

FIRST_USER_OID = 16_384
"""Relations below it came with the server (PostgreSQL source, access/transam.h): its system catalogue."""


def lock_waits(scene: Scene) -> PreflightItem:
    """Whether there is a queue for a table already."""
    most = scene.rules.lock_wait
    # A wait of unknown length is still a wait.
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


def strong_locks(scene: Scene) -> PreflightItem:
    """Locks that stop all writers: somebody changes the schema, or locked a table by hand."""
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
        return SAY.go("locks", "nobody holds a lock that stops writers")
    first = strong[0]
    holder = "a prepared transaction" if first.pid is None else f"pid {first.pid}"
    names = {one.pid: one for one in scene.seen.sessions or ()}
    if first.pid in names:
        holder = sessions_named([names[first.pid]])
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
