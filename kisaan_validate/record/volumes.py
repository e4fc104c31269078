"""Whether a recorded volume was judged as its rule and its nights say. Pure: the judgement is made again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.volumes.judge import (
    VolumeState,
    outcome_of,
    with_bounds,
)
from kisaan_validate.volumes.model import VolumeFact, exact_number
from kisaan_validate.volumes.words import rule_words

STATUS = {
    VolumeState.HOLDS: Status.PASS,
    VolumeState.RINGS: Status.FAIL,
    VolumeState.TOO_LITTLE: Status.SKIP,
    VolumeState.NOTHING: Status.SKIP,
}
"""What a check comes to by what is said of its figure."""


def volume_contradictions(run: Run, check: Check, result: Result) -> Iterator[str]:
    """What of a volume cannot be, in words."""
    fact = result.volume
    if fact is None:
        # An error has no figure; what was judged has one.
        if check.kind == "volume" and result.status in {Status.PASS, Status.FAIL}:
            yield f"{check.id}: it was judged without a figure"
        return
    if check.kind != "volume":
        yield f"{check.id}: a figure of a check of kind {check.kind}"
        return
    if unreadable := _unreadable(fact) or _misplaced(run, fact):
        yield f"{check.id}: {unreadable}"
        return
    words = rule_words(fact.rule)
    # Behind the rule a claim has only the filter that leaves out rows.
    if not check.claim.endswith(words) and f"{words} (filter" not in check.claim:
        yield f"{check.id}: it was judged by another rule than it claims"
        return
    outcome = outcome_of(fact, check.table, check.columns)
    if (result.status, result.message) != (STATUS[outcome.state], outcome.message):
        yield f"{check.id}: by its figure and its nights it is: {outcome.message}"
    elif with_bounds(fact) != fact:
        yield f"{check.id}: its nights accept something else"


def _unreadable(fact: VolumeFact) -> str:
    """Which number cannot be read, in words; "" if all can."""
    rule = fact.rule
    declared = [rule.share, rule.change, rule.score]
    declared += [end for end in (rule.least, rule.most) if end is not None]
    numbers = [*declared, *(point.value for point in fact.points), *filter(None, [fact.value])]
    found = next((text for text in numbers if exact_number(text) is None), None)
    if found is not None:
        return f"{found[:40]!r} is not a number"
    if not 2 <= rule.nights <= 28 or not 0 <= rule.days_back <= 366:
        return "its rule asks for an impossible number of nights or days"
    return ""


def _misplaced(run: Run, fact: VolumeFact) -> str:
    """Which day cannot be, in words; "" if all can."""
    back = fact.rule.days_back if fact.rule.arrives else 0
    # In no time zone is it a day more, or less, than the next one in UTC.
    if abs(run.place.at.astimezone(UTC).date().toordinal() - back - fact.day.toordinal()) > 1:
        return f"{fact.day} is not the day that the run judged"
    days = [point.day for point in fact.points]
    if len(set(days)) < len(days):
        return "two figures of one day"
    if any(day >= fact.day for day in days):
        return "it was judged by a night that was not before it"
    since = fact.rule.since
    if since is not None and min(days, default=since) < since:
        return "it was judged by a night that its rule leaves out"
    return ""
