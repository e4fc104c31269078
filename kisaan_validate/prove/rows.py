"""Digests of every row: written beside a baseline, or compared with those that one kept."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.facts.run import Run
    from kisaan_validate.prove.comparison import ComparisonPlan
    from kisaan_validate.prove.context import RunContext


def with_rows(context: RunContext, compared: ComparisonPlan, made: Run) -> Run:
    """The run with its rows written or compared, where that was asked for. Raises DatabaseError for rows
    that could not be written: then there is no baseline.
    """
    options = context.request.options
    writer, before, digesting = options.keep.rows, compared.here.before, compared.digesting
    if context.request.stop.requested or digesting is None:
        # Half of the rows would pass for all of them later, so an interrupted baseline keeps none.
        options.keep.drop()
        return made
    from kisaan_validate.prove.kept_rows import BaselineRows, written_rows

    if writer is not None:
        context.request.say("writing rows")
        return written_rows(context, compared, digesting, writer, made)
    if options.before is None or options.before.rows is None or before is None:
        return made
    context.request.say("comparing rows")
    comparing = BaselineRows(context, compared, digesting, options.before.rows, before, made)
    return replace(made, rows=tuple(comparing.compared()))
