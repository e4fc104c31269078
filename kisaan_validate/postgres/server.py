"""Reads the state of the server apart from its data, for the checks of ``declare.server_health()``.

Each section is asked for by itself: one that the role may not read costs itself alone. All is read under a
savepoint that is rolled back, so that no lock of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.server import (
    MULTIXACTS,
    TRANSACTIONS,
    BrokenIndex,
    ChecksumState,
    CollationState,
    Counters,
    FilledColumn,
    FrozenAge,
    FrozenAges,
    IndexStates,
    SequenceState,
    ServerFacts,
    SlotState,
    SlotStates,
    Withheld,
)
from kisaan_validate.facts.sqlstate import hint_for
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.sql.expressions import quote

Section = TypeVar("Section")

_SEQUENCES_AT_ONCE = 500
_MEGABYTE = 1024**2


def read_server(session: Session, earlier: Iterable[Counters] = ()) -> ServerFacts:
    """All sections. The session must be in a transaction, which is as before afterwards. Raises
    DatabaseError only if the session is lost.
    """

    def ask(read: Callable[[Session], Section]) -> Section | Withheld:
        return _asked(session, read)

    return ServerFacts(
        counters=ask(_counters),
        ages=ask(_ages),
        sequences=ask(_sequences),
        indexes=ask(_indexes),
        collations=ask(_collations),
        checksums=ask(_checksums),
        slots=ask(_slots),
        earlier=tuple(earlier),
    )


def _asked(session: Session, read: Callable[[Session], Section]) -> Section | Withheld:
    """What a reader finds, or why it found nothing."""
    session.execute("SAVEPOINT server_facts")
    found: Section | Withheld
    try:
        found = read(session)
    except DatabaseError as error:
        if error.lost:
            raise
        found = Withheld(f"{error.fact}; {hint}" if (hint := hint_for(error.sqlstate)) else error.fact)
    # Rolled back in either case: the locks of a subtransaction go with it.
    session.execute("ROLLBACK TO SAVEPOINT server_facts; RELEASE SAVEPOINT server_facts")
    return found


def _settings(session: Session) -> dict[str, str]:
    return dict(session.execute(query("server/settings")))


def _counters(session: Session) -> Counters:
    ((at, transactions, multixacts),) = session.execute(query("server/counters"))
    return Counters(at, {TRANSACTIONS: int(transactions), MULTIXACTS: int(multixacts)})


def _ages(session: Session) -> FrozenAges:
    set_to, rows = _settings(session), session.execute(query("server/ages"))
    return FrozenAges(
        int(set_to["autovacuum_freeze_max_age"]),
        int(set_to["autovacuum_multixact_freeze_max_age"]),
        tuple(FrozenAge(*row) for row in rows),
    )


def _sequences(session: Session) -> tuple[SequenceState, ...]:
    rows = session.execute(query("server/sequences", over="unread_sequences"))
    readable = [(schema, name) for schema, name, *_, unread in rows if not unread]
    last: dict[tuple[str, str], int | None] = {}
    for start in range(0, len(readable), _SEQUENCES_AT_ONCE):
        last |= _last_values(session, readable[start : start + _SEQUENCES_AT_ONCE])
    return tuple(
        SequenceState(
            f"{schema}.{name}",
            base,
            minimum,
            maximum,
            increment,
            cycles,
            last.get((schema, name)),
            unread or "",
            tuple(FilledColumn(*column) for column in zip(columns, bases, strict=True)),
        )
        for schema, name, base, minimum, maximum, increment, cycles, columns, bases, unread in rows
    )


def _last_values(session: Session, sequences: list[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """The last value that each has handed out; None for one that was never called."""
    # Read as relations: pg_sequence_last_value would keep a lock on each until the transaction ends.
    sql = "\nUNION ALL ".join(
        f"SELECT {number}, last_value, is_called FROM {quote(schema)}.{quote(name)}"
        for number, (schema, name) in enumerate(sequences)
    )
    return {sequences[n]: value if called else None for n, value, called in session.execute(sql)}


def _indexes(session: Session) -> IndexStates:
    rows = session.execute(query("server/indexes"))
    broken = (BrokenIndex(name, table, state, built) for _, name, table, state, built in rows if name)
    return IndexStates(rows[0][0], tuple(broken))


def _collations(session: Session) -> tuple[CollationState, ...]:
    rows: Rows = session.execute(query("server/collations"))
    if session.version >= 150000:
        rows += session.execute(query("server/collation_of_database"))
    return tuple(CollationState(*row) for row in rows)


def _checksums(session: Session) -> ChecksumState:
    enabled = _settings(session)["data_checksums"] == "on"
    return ChecksumState(enabled, tuple(session.execute(query("server/checksums"))))


def _slots(session: Session) -> SlotStates:
    keep = int(_settings(session)["max_slot_wal_keep_size"])
    slots = tuple(SlotState(*row) for row in session.execute(query("server/slots")))
    return SlotStates(keep * _MEGABYTE if keep >= 0 else None, slots)
