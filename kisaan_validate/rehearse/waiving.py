"""Findings of a rehearsal that are accepted for a time: waivers of ``rehearsal.RULE`` in ``waivers.toml``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.rehearsed import InterruptedReview
from kisaan_validate.rehearse.rules.again import AGAIN_RULES
from kisaan_validate.rehearse.severities import own_severities
from kisaan_validate.verdict.waivers import Waiver, Waivers

PREFIX = "rehearsal."
"""What stands before a rule's id where a waiver names it."""


def rule_names() -> tuple[str, ...]:
    """What waivers may name beside the checks of a suite."""
    return tuple(f"{PREFIX}{id}" for id in own_severities())


def rule_waivers(waivers: Waivers | None) -> dict[str, Waiver]:
    """The waivers of rules, by the rule's id."""
    given = waivers.waivers if waivers is not None else ()
    return {w.check.removeprefix(PREFIX): w for w in given if w.check.startswith(PREFIX)}


def waive(
    findings: Sequence[RuleFinding], waivers: Mapping[str, Waiver], now: datetime
) -> tuple[RuleFinding, ...]:
    """The findings, those marked that a waiver covers today: all of a rule's, or none of them.

    One that waives rows covers so many findings; one by key none, as findings have no key.
    """
    many = Counter(finding.rule for finding in findings)
    made = []
    for finding in findings:
        waiver = waivers.get(finding.rule)
        if waiver is not None and _covers(waiver, many[finding.rule], now):
            finding = replace(finding, waived=_words(waiver))
        made.append(finding)
    return tuple(made)


def weigh(
    review: InterruptedReview,
    severities: Mapping[str, Severity],
    waivers: Mapping[str, Waiver],
    now: datetime,
) -> InterruptedReview:
    """Interruptions with the severity of what each left, and the waiver that covers it."""
    many = Counter(point.state for point in review.points)
    made = []
    for point in review.points:
        rule = AGAIN_RULES.get(point.state)
        if rule is not None:
            waiver = waivers.get(rule.id)
            covered = waiver is not None and _covers(waiver, many[point.state], now)
            point = replace(
                point,
                severity=severities.get(rule.id, rule.severity),
                waived=_words(waiver) if waiver is not None and covered else "",
            )
        made.append(point)
    return replace(review, points=tuple(made))


def _words(waiver: Waiver) -> str:
    return f"{waiver.reason} ({waiver.owner}, until {waiver.expires.isoformat()})"


def _covers(waiver: Waiver, findings: int, now: datetime) -> bool:
    if now.astimezone(UTC).date() > waiver.expires or waiver.keys:
        return False
    return waiver.whole_check or findings <= (waiver.rows or 0)
