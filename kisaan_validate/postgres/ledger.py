"""Reads the ledger of migrations, whose rows say what happened to a database between two nights."""

from __future__ import annotations

from collections.abc import Callable

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.ledger import LONGEST_NAME, MOST_ROWS, Ledger, LedgerRow, LedgerSource
from kisaan_validate.facts.sqlstate import hint_for
from kisaan_validate.postgres.session import Session
from kisaan_validate.sql.expressions import quote, table_sql
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted


def ledger_sql(table: Table, source: LedgerSource) -> str:
    """The statement that reads a ledger: (name, time) as text, at most one row more than is kept."""
    name, at = f"{quote(source.name)}::text", f"{quote(source.at)}::text" if source.at else "''"
    return qualified(
        f"SELECT left({name}, {LONGEST_NAME}), {at} FROM {table_sql(table)} LIMIT {MOST_ROWS + 1}"
    )


def unreadable(
    source: LedgerSource, catalogue: Catalogue, is_personal: Callable[[str, str], bool]
) -> Table | str:
    """The table of a ledger, or why it cannot be read."""
    table = catalogue.find(source.table)
    if table is None:
        return "it does not exist"
    if not table.countable or table.foreign:
        # A view or a foreign table may run anything, and its rows may come from anywhere.
        return "it is not a table of this database"
    columns = [column for column in (source.name, source.at) if column]
    for column in columns:
        known = table.columns.get(column)
        if known is None:
            return f"it has no column {column}"
        if known.made is not None and not known.made.builtin:
            return f"the type of {column} is not one of PostgreSQL's own"
        # By both names: a pattern may mean the one that checks use.
        if is_personal(table.name, column) or is_personal(source.table, column):
            return f"its column {column} is personal"
    return table


def read_ledger(session: Session, table: Table, source: LedgerSource) -> Ledger:
    """The rows of a ledger, the oldest first, or why they are not known. The session must be in a
    transaction, which keeps no lock of this. Raises DatabaseError only if the session is lost.
    """
    session.execute("SAVEPOINT ledger_rows")
    try:
        found = _ledger(session.execute(ledger_sql(table, source)), source.table)
    except DatabaseError as error:
        if error.lost:
            raise
        hint = hint_for(error.sqlstate)
        found = Ledger(source.table, message=f"{error.fact}; {hint}" if hint else error.fact)
    # Rolled back in either case: a lock of a subtransaction goes with it.
    session.execute("ROLLBACK TO SAVEPOINT ledger_rows; RELEASE SAVEPOINT ledger_rows")
    return found


def _ledger(rows: list[tuple[str | None, str | None]], title: str) -> Ledger:
    if len(rows) > MOST_ROWS:
        return Ledger(title, message=f"it has more than {counted(MOST_ROWS, 'row')}")
    # Sorted here: the server would sort by a collation.
    ordered = sorted((at or "", name or "") for name, at in rows)
    return Ledger(title, tuple(LedgerRow(name, at) for at, name in ordered))
