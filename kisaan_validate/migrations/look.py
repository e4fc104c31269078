"""One short look at a ledger: connect, read, go. No lock and no snapshot outlives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import TargetError
from kisaan_validate.facts.ledger import LedgerSource
from kisaan_validate.facts.migrations import LedgerEntries
from kisaan_validate.postgres.expected import check_expectation
from kisaan_validate.postgres.migration_ledger import read_entries
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.qualify import qualified


class OtherDatabase(TargetError):
    """The database that answered is not the expected one: waiting does not change that."""


_WHERE = qualified("SELECT current_database()::text, pg_is_in_recovery()")


@dataclass(frozen=True)
class LedgerQuestion:
    """Which ledger is read, where, and within which limits. ``expect`` is the database that is meant."""

    target: Target
    source: LedgerSource
    limits: Limits
    schemas: Sequence[str] = ("public",)
    expect: Mapping[str, str] = field(default_factory=dict)
    is_personal: Callable[[str, str], bool] = lambda *_: False


@dataclass(frozen=True)
class LedgerLook:
    """What one look saw, and where."""

    ledger: LedgerEntries
    host: str
    port: str
    database: str


def look_at_ledger(question: LedgerQuestion, stop: Stop) -> LedgerLook:
    """The ledger as it is now. What keeps it from being read is in the answer. Raises TargetError where the
    server cannot be reached or is another one, and DatabaseError where the session is lost.
    """
    session = Session(question.target, question.limits, question.schemas, stop)
    try:
        _require_expected(session, question)
        # Each statement has a snapshot of its own: nothing is held between two.
        session.begin(isolation="READ COMMITTED")
        ((database, standby),) = session.execute(_WHERE)
        ledger = read_entries(session, question.source, question.is_personal)
        if standby:
            ledger = replace(ledger, notes=(*ledger.notes, "read on a standby, which may lag behind"))
        host, port = session.address
        return LedgerLook(ledger, host, port, database)
    finally:
        session.close()


def _require_expected(session: Session, question: LedgerQuestion) -> None:
    try:
        check_expectation(session, question.expect, question.target)
    except TargetError as error:
        raise OtherDatabase(error.fact, error.hint) from None
