"""The statements that a contract needs, table by table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kisaan_validate.contract.needs import Lookup, Need, Removal, Renaming, Replacement, Untouched
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import KIND_WORDS, Catalogue
from kisaan_validate.facts.measure_key import unasked_key
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.fingerprints import Digesting
from kisaan_validate.plan.measure.after import measures_after
from kisaan_validate.plan.measure.before import measures_before
from kisaan_validate.plan.measure.past import Past
from kisaan_validate.plan.measure.side import IsPersonal, TableSide
from kisaan_validate.plan.measure.statement import Measure

_ASKED_OF_A_TABLE = (Removal, Replacement, Untouched, Lookup, Renaming)
"""What is unknown where the table is not there."""


def measures_of(
    needs: Iterable[Need],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    before: Baseline | None,
    digesting: Digesting,
    *,
    every: bool = False,
) -> list[Measure]:
    """The statements for one side: the one before a migration if ``before`` is None, else the one after it.

    With ``every``, all columns of the tables that promises speak of are digested, not only the promised ones.
    """
    grouped: dict[TableKey, list[Need]] = defaultdict(list)
    found: list[Measure] = []
    for need in needs:
        table = catalogue.find(need.table)
        if table is not None and table.countable:
            # A view has no rows of its own, and a foreign table those of another server: neither is measured.
            grouped[table.key].append(need)
        elif why := _not_asked(need, catalogue):
            found.append(Measure(unasked_key(need.rule, need.table), need.table, message=why))
    for key, members in grouped.items():
        side = TableSide(catalogue.tables[key], catalogue, is_personal, digesting)
        if before is None:
            found += measures_before(side, members, every=every)
        else:
            found += measures_after(Past(side, before), members, every=every)
    return found


def _not_asked(need: Need, catalogue: Catalogue) -> str:
    """Why nothing is measured for a need; "" where nothing has to be."""
    table = catalogue.find(need.table)
    if table is not None:
        return f"{need.table} is a {KIND_WORDS[table.kind]}: only the rows of tables are measured"
    # A promise that says "if it is there" is kept by an absent table.
    missing = isinstance(need, _ASKED_OF_A_TABLE) and not need.optional
    return f"table {need.table} does not exist" if missing else ""
