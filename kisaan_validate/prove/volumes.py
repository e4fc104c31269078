"""Figures that were measured become results, judged by the nights before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.outcome import Answers
from kisaan_validate.record.volumes import STATUS
from kisaan_validate.rules.volume import Volume
from kisaan_validate.volumes.judge import outcome_of, training, with_bounds
from kisaan_validate.volumes.model import PastPoint, VolumeFact, VolumeMeasure, exact_number
from kisaan_validate.volumes.words import accepted_text

_SHOWING = frozenset({VolumeMeasure.SUM, VolumeMeasure.FRESHNESS})
"""What these measure may be one row's value."""


def volume_results(context: RunContext, results: Mapping[str, Result], answers: Answers) -> dict[str, Result]:
    """The results of the checks whose figures were measured, by check id."""
    found = {id: text for _, answer in answers for id, text in answer.found.items()}
    asked = {id for id in results if isinstance(context.suite.rules.get(id), Volume)}
    if not asked:
        return {}
    past = context.request.options.past
    nights = past(context.snapshot.place) if past is not None else {}
    checks = {check.id: check for check in context.suite.checks}
    measured = {id: (checks[id], results[id], text) for id, text in found.items() if id in results}
    judged = {
        id: _judged(context, check, result, text, nights)
        for id, (check, result, text) in measured.items()
        # What could not be counted after all has its error already.
        if result.status is Status.PASS
    }
    # No way of asking may lose a figure, and its check pass for it.
    lost = (results[id] for id in asked - found.keys() if results[id].status is Status.PASS)
    return judged | {one.check_id: _unanswered(one, "its figure was not measured") for one in lost}


def _judged(
    context: RunContext,
    check: Check,
    result: Result,
    text: str,
    nights: Mapping[tuple[str, str], tuple[PastPoint, ...]],
) -> Result:
    rule = context.suite.rules[check.id]
    assert isinstance(rule, Volume)
    private = [c for c in check.columns[:1] if context.is_personal(check.table, c)]
    if private and rule.rule.measure in _SHOWING:
        why = f"{check.table}.{private[0]} is personal: its {rule.rule.measure.value} is not shown"
        return replace(_unanswered(result, why), status=Status.ERROR, hint="measure rows, nulls or distinct")
    filters = context.suite.filters.get(check.id, {})
    day, _, value = text.partition(" ")
    if value and exact_number(value) is None:
        # NaN, infinity: no number, whatever the nights say.
        value = ""
    measured = rule.measured(
        check.table, check.columns, *(f"{n} {f.sql}" for n, f in sorted(filters.items()))
    )
    judged_day = date.fromisoformat(day)
    points = training(rule.rule, judged_day, nights.get((check.id, measured), ()))
    fact = with_bounds(VolumeFact(rule.rule, measured, judged_day, value, points))
    outcome = outcome_of(fact, check.table, check.columns)
    status = STATUS[outcome.state]
    if status is Status.SKIP:
        return replace(_unanswered(result, outcome.message), volume=fact)
    result = replace(result, status=status, message=outcome.message, volume=fact)
    if status is Status.PASS:
        return result
    result = replace(result, violations=1, hint=check.hint)
    # Asked for no keys, a run shows none.
    if not context.request.options.failing_keys:
        return result
    shown = (("day", day), ("figure", value or None), ("accepted", accepted_text(fact)))
    return replace(result, sample=(shown,), key=("day",), sample_complete=True)


def _unanswered(result: Result, why: str) -> Result:
    return replace(
        result, status=Status.SKIP, violations=None, examined=None, evidence=Evidence.NONE, trusted="",
        enforced_by="", message=why,
    )  # fmt: skip
