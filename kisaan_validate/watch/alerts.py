"""Alert rules for Prometheus over the metrics of :mod:`kisaan_validate.watch.textfile`.

Source of the format: https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/
Texts are written as JSON strings, which YAML 1.2 reads as they are.
"""

from __future__ import annotations

import json
from datetime import timedelta

from kisaan_validate.dataclass import dataclass
from kisaan_validate.watch.textfile import PREFIX

STALE = timedelta(hours=2)
"""A file that is written every quarter of an hour is stale after this."""

_ONE = "{{ $labels.suite }} on {{ $labels.database }}{{ if $labels.scan }}, scan {{ $labels.scan }}{{ end }}"


@dataclass(frozen=True)
class AlertRule:
    """One rule: it rings after the expression was true for ``lasting``."""

    alert: str
    expr: str
    severity: str
    summary: str
    lasting: str = "0m"


_RUN = f"{PREFIX}last_run_timestamp_seconds"
_SUCCESS = f"{PREFIX}last_success_timestamp_seconds"
_UNPROVED = f"{PREFIX}unproved_runs"
_WRITTEN = f"{PREFIX}written_timestamp_seconds"
# A series of a whole suite has no label "scan", which counts as an empty one.
_BY = "(suite, database, host, instance, scan)"
_SAME = f"on {_BY}"


def alert_rules(within: timedelta) -> tuple[AlertRule, ...]:
    """The rules; ``within`` is how old the last run, or the last success, may be."""
    return (*_of_time(int(within.total_seconds())), *_OF_THE_LAST_RUN, *_OF_THE_FILE)


def _of_time(seconds: int) -> tuple[AlertRule, ...]:
    """The rules on how long ago something happened."""
    return (
        AlertRule(
            "ValidationHasNotRun",
            # A series without a whole run has no time of one: its count of unproved runs is there.
            f"time() - {_RUN} > {seconds} or {_UNPROVED} unless {_SAME} {_RUN}",
            "page",
            f"No whole run of {_ONE} in time.",
        ),
        AlertRule(
            "ValidationNoSuccess",
            f"time() - {_SUCCESS} > {2 * seconds} or {_RUN} unless {_SAME} {_SUCCESS}",
            "ticket",
            f"No run of {_ONE} has passed for a long time.",
        ),
        AlertRule(
            "ValidationClockIsWrong",
            f"{_RUN} - time() > 300",
            "page",
            f"The last run of {_ONE} is dated in the future: nothing says how old it is.",
        ),
    )


_OF_THE_LAST_RUN = (
    AlertRule(
        "ValidationFails",
        # The verdict, not the checks: it knows what is waived.
        f'{PREFIX}run_verdict{{verdict="FAIL"}} == 1',
        "page",
        f"The last run of {_ONE} failed.",
    ),
    AlertRule(
        "ValidationHasNoAnswer",
        f'max by {_BY} ({PREFIX}run_verdict{{verdict="INCONCLUSIVE"}}) == 1 or '
        f'sum by {_BY} ({PREFIX}checks{{status=~"error|skip"}}) > 0',
        "ticket",
        f"The last run of {_ONE} left checks without an answer.",
    ),
    AlertRule(
        "ValidationUnprovedAgain",
        f"{_UNPROVED} >= 2",
        "page",
        f"{{{{ $value }}}} runs of {_ONE} in a row proved nothing.",
    ),
    AlertRule(
        "ValidationCriterionNotMet",
        f"{PREFIX}criterion_met == 0",
        "page",
        f"{{{{ $labels.criterion }}}} of {_ONE} is not met.",
    ),
)

_OF_THE_FILE = (
    AlertRule(
        "ValidationMetricsStale",
        f"time() - {_WRITTEN} > {int(STALE.total_seconds())}",
        "page",
        "The metrics are not written any more: nothing else here can be trusted.",
    ),
    AlertRule(
        "ValidationMetricsMissing",
        f"absent({_WRITTEN})",
        "page",
        "There are no metrics: nothing is watched.",
        lasting="15m",
    ),
)


def rules_text(within: timedelta) -> str:
    """A file of rules in YAML."""
    lines = [
        "# Alert rules for Prometheus, written by: kisaan-validate metrics --rules",
        "# Check them: promtool check rules FILE",
        "groups:",
        '  - name: "validation"',
        "    rules:",
    ]
    for rule in alert_rules(within):
        lines += [
            f"      - alert: {_text(rule.alert)}",
            f"        expr: {_text(rule.expr)}",
            f"        for: {_text(rule.lasting)}",
            f"        labels: {{severity: {_text(rule.severity)}}}",
            f"        annotations: {{summary: {_text(rule.summary)}}}",
        ]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
