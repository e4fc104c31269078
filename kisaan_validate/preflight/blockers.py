"""What would keep an ALTER waiting, and everybody behind it: judged from what was seen. Pure.

An ALTER TABLE waits for every transaction that has touched its table, and all who come later wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from kisaan_validate.facts.preflight import PreflightItem, SessionSeen
from kisaan_validate.preflight.ages import age_words
from kisaan_validate.preflight.locks import lock_waits, strong_locks
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.preflight.scene import NAMED, SAY, Scene, sessions_named
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.numbers import agreeing, counted

RIGHTS = "grant pg_read_all_stats (or pg_monitor) to this role, then ask again"


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
    yield lock_waits(scene)
    yield strong_locks(scene)


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
        "an autovacuum to prevent wraparound has been running for {age}, and gives way to nobody",
        "autovacuums to prevent wraparound have been running, the oldest for {age}, and give way to nobody",
    ),
}


def _found(scene: Scene, name: str, found: Sequence[SessionSeen]) -> PreflightItem:
    oldest = sorted(found, key=lambda one: -(one.open_seconds or 0))
    one, many = _WORDS[name]
    first = oldest[0]
    age = "an unknown time" if first.open_seconds is None else age_words(first.open_seconds)
    words = (one if len(found) == 1 else f"{len(found):,} {many}").format(
        age=age, command=scene.command(first)
    )
    todo = _end(oldest) if name != "wraparound" else "wait for it; do not end it: it would start again"
    if name == "maintenance":
        todo = f"wait until it is done, or end it: SELECT pg_cancel_backend({first.pid})"
    return SAY.no_go(
        name, f"{words}: {sessions_named(oldest)}", todo, tuple(scene.who(one) for one in oldest)
    )


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
