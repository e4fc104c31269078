"""What is wrong, by cause: failing checks, broken promises and differences that are one problem are one
finding. Pure: a function of a Judgement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.differences import CheckMove, Origin
from kisaan_validate.verdict.headlines import Parts, headline
from kisaan_validate.verdict.judgement import JUDGED, Judgement, known_since_last
from kisaan_validate.verdict.ties import Problems, joined
from kisaan_validate.verdict.waivers import Use

if TYPE_CHECKING:
    from kisaan_validate.compare.causes.base import ChangeGroup
    from kisaan_validate.facts.result import Result


class Heading(StrEnum):
    """Under which heading a finding stands, in the order in which they are read."""

    NEW = "New since the baseline"
    NOT_DONE = "Promised, not done"
    FAILED = "Failed"
    """Nothing says whether it failed before: there is no baseline, or it cannot tell."""
    KNOWN = "Already wrong before"


SEVERITIES = (Severity.BLOCKING, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True)
class Finding:
    """One problem: what is wrong, all that shows it, and what to do.

    ``checks``, ``promises`` and ``groups`` are its members, the most telling first; each failing check,
    promise and open group of a Judgement is in exactly one finding. ``counts`` is exact: violating rows of
    the leading check. ``next_step`` is the suite's hint, "" where it gives none.
    """

    title: str
    heading: Heading
    severity: Severity
    checks: tuple[str, ...]
    promises: tuple[str, ...]
    groups: tuple[ChangeGroup, ...]
    owners: tuple[str, ...]
    next_step: str = ""

    @property
    def lead(self) -> str:
        """The check whose rows show the problem; "" if it has no check."""
        return self.checks[0] if self.checks else ""


def findings_of(judged: Judgement) -> tuple[Finding, ...]:
    """The findings of a run, in the order in which they are read: heading, severity, values before counts
    before the catalogue, then size.
    """
    problems = problems_of(judged)
    parts = [_parts(problems, nodes) for nodes in joined(problems)]
    made = [(_finding(part, judged), part) for part in parts]
    return tuple(finding for finding, part in sorted(made, key=lambda pair: _rank(*pair)))


def problems_of(judged: Judgement) -> Problems:
    """All that is wrong: checks that fail and are not waived, promises broken or not done, differences that
    nothing explains. Differences that no contract judges are shown, and are no problem.
    """
    checks, waived = judged.run.by_id, {id for id, use in judged.waived.items() if use.use is Use.HOLDS}
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    failing = tuple(
        (checks[result.check_id], result) for result in judged.run.failures if result.check_id not in waived
    )
    groups = judged.open_groups if judged.contract is not None else ()
    return Problems(failing, moves, judged.in_state(*JUDGED), groups)


def _parts(problems: Problems, nodes: list[tuple[str, str]]) -> Parts:
    members = set(nodes)
    checks = [pair for pair in problems.checks if ("check", pair[0].id) in members]
    return Parts(
        tuple(sorted(checks, key=lambda pair: _weight(problems, *pair))),
        tuple(pair for pair in problems.promises if ("promise", pair[0].id) in members),
        tuple(g for number, g in enumerate(problems.groups) if ("change", str(number)) in members),
    )


def _weight(problems: Problems, check: Check, result: Result) -> tuple[int, bool, bool, int]:
    """What tells most: severity, then rows before the catalogue, then what is new, then the larger."""
    move = problems.moves.get(check.id)
    new = move is not None and move.origin is Origin.SINCE
    rows = result.violations or 0
    return SEVERITIES.index(check.severity), check.form is Form.CATALOGUE, not new, -rows


def _finding(part: Parts, judged: Judgement) -> Finding:
    checks = tuple(check.id for check, _ in part.checks)
    promises = tuple(promise.id for promise, _ in part.promises)
    severities = [
        *(check.severity for check, _ in part.checks),
        *(promise.severity for promise, _ in part.promises),
        # A difference that nothing explains fails the run.
        *(Severity.BLOCKING for _ in part.groups),
    ]
    return Finding(
        headline(part, judged),
        _heading(part, judged),
        min(severities, key=SEVERITIES.index),
        checks,
        promises,
        part.groups,
        tuple(dict.fromkeys(check.owner for check, _ in part.checks if check.owner)),
        next(_hints(part), ""),
    )


def _hints(part: Parts) -> Iterator[str]:
    for check, result in part.checks:
        if hint := result.hint or check.hint:
            yield hint


def _heading(part: Parts, judged: Judgement) -> Heading:
    origins = _origins(part, judged)
    states = {outcome.state for _, outcome in part.promises}
    if Origin.SINCE in origins or State.BROKEN in states or part.groups:
        return Heading.NEW
    if State.NOT_DONE in states:
        return Heading.NOT_DONE
    return Heading.KNOWN if origins == {Origin.BEFORE} else Heading.FAILED


def _origins(part: Parts, judged: Judgement) -> set[Origin | None]:
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    known = known_since_last(judged.run)
    return {_origin(check.id, moves, known) for check, _ in part.checks}


def _origin(id: str, moves: Mapping[str, CheckMove], known: Collection[str]) -> Origin | None:
    if id in moves:
        return moves[id].origin
    return Origin.BEFORE if id in known else None


def _rank(finding: Finding, part: Parts) -> tuple[int, int, bool, int, str]:
    rows = max(
        (result.violations or 0 for check, result in part.checks if check.form is not Form.CATALOGUE),
        default=0,
    )
    return (
        list(Heading).index(finding.heading),
        SEVERITIES.index(finding.severity),
        rows == 0,
        -rows,
        finding.title,
    )
