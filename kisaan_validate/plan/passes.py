"""Makes the passes over the rows of a table, and those that mark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from kisaan_validate.facts.catalogue import Table
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.marks import Marking
from kisaan_validate.plan.statements import SLOT_LIMIT, Pass, Reads, Slot, bare_of
from kisaan_validate.sql.expressions import table_sql


def row_pass(
    table: Table, slots: Iterable[Slot], figures: Iterable[Figure] = (), referring: Iterable[str] = ()
) -> Pass:
    """The single scan of a table that all its row checks share; also counts its rows and those for which
    each of these conditions holds, and measures its columns.
    """
    return Pass(
        f"rows of {table.name}",
        table,
        table_sql(table),
        tuple(slots),
        (table.key,),
        counts_table=True,
        figures=tuple(figures),
        reads=Reads((table.key,), bare_of(table)),
        counts_referring=tuple(referring),
    )


def marked(statement: Pass, marking: Marking) -> Pass:
    """The same pass that also marks where violating rows lie, unless it cannot."""
    figures = [slot for slot in statement.slots if slot.query is not None]
    riding = [slot.condition + slot.judged + slot.found + slot.shown for slot in figures]
    # Read from the subquery, a row as a whole would be another one, with the flags in it.
    named = re.compile(rf"(?<![\w$]){re.escape(statement.table.name)}(?![\w$])", re.IGNORECASE)
    as_a_whole = any(map(named.search, riding))
    outputs = len(statement.table.columns) + 2 * len(statement.slots) + len(statement.counts_referring)
    if as_a_whole or outputs > SLOT_LIMIT:
        return statement
    return replace(statement, marking=marking)
