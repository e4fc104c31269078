"""What a run came to, as a file for the textfile collector of Prometheus' node exporter.

Source of the format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text-based format).
Labels are bounded: suites, databases, criteria and ``MOST_CHECKS`` checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.report.criteria import CriterionStanding, criterion_lines
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.verdict.judgement import Judgement
from kisaan_validate.watch.last import WatchedSeries

PREFIX = "kisaan_validate_"

_MILLISECOND = timedelta(milliseconds=1)

MOST_CHECKS = 50
"""So many failing checks have a series of their own; the rest are one sum."""

_HELP = {
    "written_timestamp_seconds": "When this file was written.",
    "last_run_timestamp_seconds": "The newest run that asked all and came to its end.",
    "last_success_timestamp_seconds": "The newest such run that passed; absent if none did.",
    "run_duration_seconds": "How long the newest whole run took.",
    "run_verdict": "1 for the verdict of the newest whole run, 0 for the others.",
    "unproved_runs": "How many of the newest runs proved nothing: inconclusive, partial, interrupted.",
    "unreadable_runs": "How many recorded runs cannot be read.",
    "checks": "Checks of the newest whole run by status and severity.",
    "check_violations": (
        f"Violations of failing checks: of the {MOST_CHECKS} with most of them, and those that --check names."
    ),
    "check_violations_rest": "Violations of all other failing checks, summed.",
    "criterion_met": "1 if a success criterion is proved, 0 if it is not met; absent if it is not proved.",
    "criterion_unproved": "1 if a success criterion is neither proved nor shown not to be met, else 0.",
}

_GREEN = {CriterionStanding.PROVED, CriterionStanding.ATTESTED}
_RED = {CriterionStanding.NOT_MET, CriterionStanding.DENIED}

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WatchedRun:
    """A series, and its last whole run as it was judged (None if there is none)."""

    series: WatchedSeries
    judged: Judgement | None


@dataclass(frozen=True)
class _Sample:
    name: str
    labels: Labels
    value: str


@dataclass
class _Families:
    """Samples by metric, in the order of ``_HELP``: the format wants those of a metric together."""

    found: dict[str, list[_Sample]] = field(default_factory=lambda: {name: [] for name in _HELP})

    def add(self, name: str, labels: Labels, value: int | str) -> None:
        self.found[name].append(_Sample(name, labels, str(value)))


def metrics_text(
    runs: Sequence[WatchedRun], now: datetime, *, unreadable: int = 0, always: Sequence[str] = ()
) -> str:
    """The text of the file. ``always`` are patterns of ids of checks that have a series even where they
    hold, so that a rule can name them.
    """
    families = _Families()
    families.add("written_timestamp_seconds", (), _seconds(now))
    families.add("unreadable_runs", (), unreadable)
    for watched in runs:
        _series(families, watched, always)
    return "".join(_family(name, samples) for name, samples in families.found.items() if samples)


def _series(families: _Families, watched: WatchedRun, always: Sequence[str]) -> None:
    series, last = watched.series, watched.series.last_run
    labels = _labels(series)
    families.add("unproved_runs", labels, series.unproved)
    if last is not None:
        families.add("last_run_timestamp_seconds", labels, _seconds(last.at))
        families.add("run_duration_seconds", labels, _thousandths(last.milliseconds))
        for verdict in Verdict:
            families.add("run_verdict", (*labels, ("verdict", verdict.value)), int(last.verdict is verdict))
    if (success := series.last_success) is not None:
        families.add("last_success_timestamp_seconds", labels, _seconds(success.at))
    if watched.judged is not None:
        _checks(families, labels, watched.judged)
        _violations(families, labels, watched.judged, always)
        _criteria(families, labels, watched.judged)


def _labels(series: WatchedSeries) -> Labels:
    night = series.newest
    host = f"{night.host}:{night.port}" if night.port else night.host
    scan = (("scan", series.scan),) if series.scan else ()
    return (("suite", night.suite), ("database", night.database), ("host", host), *scan)


def _checks(families: _Families, labels: Labels, judged: Judgement) -> None:
    counts = Counter((result.status, check.severity) for check, result in pairs_of(judged.run))
    # All of them, 0 too: a series that comes and goes is no line on a graph, and no rule fires on it.
    for status in Status:
        for severity in Severity:
            more = (("status", status.value), ("severity", severity.value))
            families.add("checks", (*labels, *more), counts[status, severity])


def _violations(families: _Families, labels: Labels, judged: Judgement, always: Sequence[str]) -> None:
    pairs = {check.id: (check.severity, result) for check, result in pairs_of(judged.run)}
    named = [id for id in pairs if any(fnmatchcase(id, pattern) for pattern in always)]
    failing = [id for id, (_, result) in pairs.items() if result.status is Status.FAIL]
    largest = sorted(failing, key=lambda id: (-_count(pairs[id][1]), id))[:MOST_CHECKS]
    shown = dict.fromkeys([*named, *largest])
    for id in shown:
        severity, result = pairs[id]
        # No number is no 0: what has no answer has no series, and the rule for unproved checks rings.
        if result.violations is not None:
            more = (("check", id), ("severity", severity.value))
            families.add("check_violations", (*labels, *more), result.violations)
    rest = sum(_count(pairs[id][1]) for id in failing if id not in shown)
    families.add("check_violations_rest", labels, rest)


def _count(result: Result) -> int:
    return result.violations or 0


def _criteria(families: _Families, labels: Labels, judged: Judgement) -> None:
    for line in criterion_lines(judged.run):
        # What a person must attest is known to no run.
        if line.criterion.manual:
            continue
        more = (*labels, ("criterion", line.criterion.id))
        known = line.standing in _GREEN | _RED
        families.add("criterion_unproved", more, int(not known))
        if known:
            families.add("criterion_met", more, int(line.standing in _GREEN))


def _family(name: str, samples: Sequence[_Sample]) -> str:
    full = PREFIX + name
    # Sorted: the same facts give the same bytes, whatever the order of the folder.
    lines = sorted(f"{full}{_shown(s.labels)} {s.value}" for s in samples)
    return "\n".join([f"# HELP {full} {_escaped_help(_HELP[name])}", f"# TYPE {full} gauge", *lines]) + "\n"


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels) + "}"


_ESCAPES: Mapping[int, str] = {ord("\\"): "\\\\", ord('"'): '\\"', ord("\n"): "\\n"}


def escaped(value: str) -> str:
    """A label's value as the format writes it: backslash, quote and line feed escaped; half a character
    replaced.
    """
    return value.encode("utf-8", "replace").decode("utf-8").translate(_ESCAPES)


def _escaped_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _seconds(at: datetime) -> str:
    """Unix time with milliseconds, exact."""
    return _thousandths((at - datetime(1970, 1, 1, tzinfo=UTC)) // _MILLISECOND)


def _thousandths(milliseconds: int) -> str:
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}"
