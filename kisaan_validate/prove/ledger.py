"""The rows of the ledger of migrations, read beside the checks where the suite names one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.ledger import Ledger, LedgerSource
from kisaan_validate.facts.run import Run, StatementFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.ledger import ledger_sql, read_ledger, unreadable
from kisaan_validate.postgres.session import milliseconds_since
from kisaan_validate.prove.context import RunContext


def with_ledger(context: RunContext, moved: Mapping[TableKey, str], made: Run) -> Run:
    """The run with the rows of the suite's ledger, or with why they are not known. ``moved`` are the tables
    that did not stay as they were. What goes wrong here changes no answer of a check.
    """
    source = context.suite.settings.ledger
    if source is None:
        return made
    for one in context.request.while_wanted([source]):
        return _read(context, moved, made, one)
    why = context.request.stop.reason or "the run was stopped"
    return replace(made, ledger_rows=Ledger(source.table, message=f"not read: {why}"))


def _read(context: RunContext, moved: Mapping[TableKey, str], made: Run, source: LedgerSource) -> Run:
    table = unreadable(source, context.catalogue, context.is_personal)
    if isinstance(table, str):
        return replace(made, ledger_rows=Ledger(source.table, message=table))
    if why := context.snapshot.withheld.get(table.key) or moved.get(table.key, ""):
        return replace(made, ledger_rows=Ledger(source.table, message=f"not read: {why}"))
    began = time.perf_counter()
    try:
        found = read_ledger(context.holder, table, source)
    except DatabaseError as error:
        # The session is lost, and everything that was measured before it is not.
        found = Ledger(source.table, message=error.fact)
    took = milliseconds_since(began)
    asked = StatementFacts("rows of the ledger of migrations", ledger_sql(table, source), (), took)
    return replace(made, ledger_rows=found, statements=(*made.statements, asked))
