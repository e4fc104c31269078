"""Which columns a contract wants digested: the keys, and those of whose values promises speak, as they
are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from kisaan_validate.contract.needs import Lookup, Need, Replacement
from kisaan_validate.facts.measure_key import WHICH_ROWS, FigureKey, of_column, replaced
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.plan.fingerprints import Digested
from kisaan_validate.plan.measure.side import TableSide
from kisaan_validate.plan.renames import travelling

OldForm = Callable[[FigureKey], str]
"""By the key of figures: the form of the digest that a baseline has of them; "" where it has none."""


def no_form(figure: FigureKey) -> str:
    """Before a migration nothing is to be compared with."""
    return ""


def digests_wanted(
    side: TableSide, needs: Sequence[Need], form: OldForm, old: TableFacts | None, *, every: bool
) -> list[Digested]:
    """The digests that promises need; with ``every``, those of all columns."""
    travel = travelling(side.table, needs, old)
    columns = dict.fromkeys([*(side.table.columns if every else ()), *travel], "")
    columns |= {need.column: need.rule for need in needs if isinstance(need, (Replacement, Lookup))}
    # A promised value has a digest of its own; without one the column's stands in.
    forms = {name: form(replaced(name, rule)) or form(of_column(name)) for name, rule in columns.items()}
    parts = side.parts(columns, forms)
    return [
        Digested(WHICH_ROWS, None),
        *(Digested(of_column(name), part) for name, part in parts.items()),
    ]
