"""Which functions author-written SQL could call, as the server's own catalogue knows them, before any of
it runs.
"""

from __future__ import annotations

from collections.abc import Collection

from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.facts.catalogue import Catalogue
from kisaan_validate.facts.check import Form
from kisaan_validate.postgres.catalogue import WITHHELD, query
from kisaan_validate.postgres.session import Rows, Session
from kisaan_validate.sql.assertion import Calls, calls_of
from kisaan_validate.suite.load import Suite


def volatile_calls(session: Session, suite: Suite, catalogue: Catalogue) -> dict[str, set[str]]:
    """The volatile functions that each check's author-written SQL, or a view it reads, could call, by
    check id.

    A view whose definition is not understood counts as a volatile function named after the trouble: what
    cannot be looked into is not run. Raises DatabaseError.
    """
    found: dict[str, set[str]] = {}
    known: Known = {}
    session.execute("SAVEPOINT volatile")
    for check in suite.checks:
        if check.form is Form.CATALOGUE:
            continue  # reads no row, so runs no view
        sql = suite.authored(check)
        read = (catalogue.find(name) for name, _ in suite.needs(check))
        views = [t.oid for t in read if t is not None and t.kind == "v"]
        if not sql and not views:
            continue
        try:
            # One answer for the same set of names, because most checks call nothing or the same few.
            found[check.id] = volatile_names(session, calls_of(sql, check.origin), views, known)
        except SuiteError as error:
            # Named like a function, so that the check is refused with the reason as its name.
            found[check.id] = {f"(a view that cannot be parsed: {error.fact})"}
        except DatabaseError as error:
            if error.lost or error.sqlstate != WITHHELD:
                raise
            # The transaction goes on; what cannot be looked up is not run.
            session.execute("ROLLBACK TO SAVEPOINT volatile")
            found[check.id] = {f"(functions that it may not look up: {error.fact})"}
    session.execute("RELEASE SAVEPOINT volatile")
    return found


Known = dict[tuple[tuple[str, ...], tuple[str, ...]], Rows]
"""What the server said of names that were called, and of those after a dot: thousands of checks call the
same few.
"""


def volatile_names(
    session: Session, calls: Calls, views: Collection[int], known: Known | None = None
) -> set[str]:
    """What a text could call that PostgreSQL holds to be volatile, through the views it reads too."""
    definitions = (
        [text for _, text in session.execute(query("views"), {"oids": list(views)})] if views else []
    )
    # The text of a view ends with a semicolon, which stands in no subquery.
    parts = [calls, *(calls_of(text.rstrip().removesuffix(";"), "view") for text in definitions)]
    nothing: frozenset[str] = frozenset()
    called, dotted = nothing.union(*(p.called for p in parts)), nothing.union(*(p.dotted for p in parts))
    operators, words = nothing.union(*(p.operators for p in parts)), nothing.union(*(p.words for p in parts))
    asked, known = (tuple(sorted(called)), tuple(sorted(dotted))), {} if known is None else known
    if asked not in known:
        known[asked] = session.execute(
            query("volatile"), {"called": list(asked[0]), "dotted": list(asked[1])}
        )
    found = known[asked]
    # Operators and casts are asked for by the functions behind them: only those that the text uses count.
    names = {name for kind, name in found if kind == "function"}
    names |= {name for kind, name in found if kind == "operator" and name in operators}
    names |= {name for kind, name in found if kind == "cast" and name in words}
    return names | (called & _ASSIGNS_TRANSACTION_ID)


_ASSIGNS_TRANSACTION_ID = frozenset({"txid_current", "pg_current_xact_id"})
"""Stable functions that all the same write: they give the reader a transaction id of its own."""
