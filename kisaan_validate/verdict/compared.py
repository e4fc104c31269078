"""What a run came to beside its baseline: differences, promises, causes. Pure functions of recorded facts.

Apart from the judgement, since a run without a baseline needs nothing that compares.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.compare.causes.grouping import grouped
from kisaan_validate.compare.changes import diff, with_rows, with_values
from kisaan_validate.contract.beside import both_of, seen_by
from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.load import Contract, spoken_columns
from kisaan_validate.contract.meaning import stale_measures
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.contract.suspects import remarks_on
from kisaan_validate.contract.whole import refined
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.measure_key import refused_key

if TYPE_CHECKING:
    from kisaan_validate.facts.differences import ChangeKey
    from kisaan_validate.verdict.judgement import Judgement


def compared_with(made: Judgement, baseline: Baseline) -> Judgement:
    """The same, compared with the baseline, its differences grouped by what they follow from; with a
    contract, its promises judged.
    """
    return _grouped(_compared(made, baseline))


def _compared(made: Judgement, baseline: Baseline) -> Judgement:
    """The same, compared with the baseline; with a contract, its promises judged."""
    run, after, contract = made.run, baseline_of(made.run), made.contract
    seen = seen_by(contract, baseline, after)
    found = with_rows(diff(seen.before, after), run.rows)
    # What was not brought under the new names joins late; pages and records list changes by key.
    found = replace(found, changes=tuple(sorted([*found.changes, *seen.changes], key=lambda c: c.key)))
    if contract is None:
        remarks = remarks_on(found.changes, seen.before, after, None)
        return replace(made, diff=with_values(found, run.values), before=seen.before, remarks=remarks)
    stale = stale_measures(contract, baseline, run)
    # What refines the diff needs both sides, and both sides hold the changes: so they are built again from
    # them.
    found = refined(found, both_of(contract, seen, run, after, found, stale))
    both = both_of(contract, seen, run, after, found, stale)
    both = replace(both, remarks=remarks_on(found.changes, seen.before, after, both))
    promises = outcomes(contract, both)
    # After the promises: what kept values show of other columns is explained by none that speaks of rows
    # alone.
    spoken = {
        (title := both.table(table), both.column(title, column)) for table, column in spoken_columns(contract)
    }
    return replace(
        made,
        diff=with_values(found, run.values, spoken),
        promises=promises,
        explained=_explained(promises),
        before=seen.before,
        both=both,
        remarks=both.remarks,
    )


def _grouped(made: Judgement) -> Judgement:
    """The same, its differences grouped by what they follow from."""
    if made.diff is None or made.before is None:
        return made
    after = baseline_of(made.run)
    found = grouped(made.diff.changes, made.before, after, made.run.rows, made.explained)
    return replace(made, groups=found)


def _explained(promises: Iterable[tuple[Promise, Outcome]]) -> dict[ChangeKey, tuple[str, ...]]:
    found: dict[ChangeKey, tuple[str, ...]] = defaultdict(tuple)
    for promise, outcome in promises:
        for key in outcome.explains:
            found[key] += (promise.id,)
    return dict(found)


def outcomes(contract: Contract, both: Both) -> tuple[tuple[Promise, Outcome], ...]:
    """What happened to each promise, in the order of the contract."""
    return tuple((promise, _outcome(promise, both)) for promise in contract.promises)


def _outcome(promise: Promise, both: Both) -> Outcome:
    # Asked first: the refusal of a need says more than the missing figure that judging would run into.
    for side in both.sides:
        refused = side.measures.get(refused_key(promise.id).text)
        if refused is not None and refused.message:
            return Outcome(State.UNKNOWN, refused.message)
    try:
        outcome = promise.judge(both)
    except CannotTell as reason:
        return Outcome(State.UNKNOWN, str(reason))
    # A rule names every change it would explain; one that did not happen must not look explained.
    seen = both.changes.keys()
    return replace(outcome, explains=outcome.explains & seen, contradicts=outcome.contradicts & seen)
