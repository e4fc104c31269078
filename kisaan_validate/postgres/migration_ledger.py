"""Reads all rows of a ledger of migrations, of whichever kind."""

from __future__ import annotations

from kisaan_validate.facts.ledger import LedgerSource
from kisaan_validate.facts.migrations import LedgerEntries
from kisaan_validate.postgres.session import Session


def read_entries(session: Session, source: LedgerSource) -> LedgerEntries:
    """The rows of the ledger, or why they are not known. The session must be in a transaction, which keeps
    no lock of this. Raises DatabaseError only if the session is lost.
    """
    raise NotImplementedError
