"""What counts beside the checks: promises, unexplained differences, and how the run itself went; one line each."""

from __future__ import annotations

from dataclasses import dataclass

from kisaan_validate.contract.rules import Outcome, Promise, State
from kisaan_validate.judgement import JUDGED, Judgement
from kisaan_validate.model import Severity, nothing_checked
from kisaan_validate.pairs import pair
from kisaan_validate.report.changed import words_of
from kisaan_validate.report.standing import Standing
from kisaan_validate.report.text import counted, flat, number, plain


@dataclass(frozen=True)
class Finding:
    """Something beside the checks that counts: a promise, a difference, or how the run itself went.

    ``standing`` is FAILED, UNANSWERED, LESSER or HOLDS.
    """

    name: str
    said: str
    standing: Standing
    severity: Severity = Severity.BLOCKING


def promise_findings(judged: Judgement) -> list[Finding]:
    """The promises of the contract, in its order."""
    return [_promised(promise, outcome) for promise, outcome in judged.promises]


def _promised(promise: Promise, outcome: Outcome) -> Finding:
    words = f"{outcome.state.value}: {flat(promise.claim())}"
    counts = f" ({' → '.join(pair(outcome.before, outcome.after, quoted=False))})" if outcome.before or outcome.after else ""
    said = f"{words}{counts}{f'; {flat(outcome.message)}' if outcome.message else ''}"
    standing = Standing.UNANSWERED if outcome.state is State.UNKNOWN else Standing.HOLDS
    if outcome.state in JUDGED:
        standing = Standing.FAILED if promise.severity is Severity.BLOCKING else Standing.LESSER
    return Finding(plain(promise.id), said, standing, promise.severity)


def difference_findings(judged: Judgement) -> list[Finding]:
    """The differences that no promise explains, and what cannot be told of; none without a contract, for then nobody judges."""
    if judged.contract is None:
        return []
    found = []
    for change in judged.unexplained:
        name = f"{change.table}: {words_of(change)}" if change.table else words_of(change)
        sides = " → ".join(pair(change.before, change.after, none="none", quoted=False))
        found.append(Finding(flat(name), f"explained by no promise: {sides}", Standing.FAILED))
    return found + [Finding(flat(u.what), f"cannot tell: {flat(u.reason)}", Standing.UNANSWERED) for u in judged.untold]


def run_findings(judged: Judgement) -> list[Finding]:
    """Whether the run came to its end, and whether it checked anything: without these its other findings prove nothing."""
    run = judged.run
    cut = f"interrupted: {flat(run.interrupted)}" if run.interrupted else ""
    empty = "no check applied, so nothing was proved" if nothing_checked(run) else ""
    return [
        Finding("the run came to its end", cut or "every statement was asked", Standing.UNANSWERED if cut else Standing.HOLDS),
        Finding("something was checked", empty or counted(len(run.checks), "check"), Standing.UNANSWERED if empty else Standing.HOLDS),
    ]  # fmt: skip


def where(judged: Judgement) -> str:
    """Which database was looked at, and by which run."""
    run, place = judged.run, judged.run.place
    part = f", PARTIAL: {number(len(run.checks))} of {counted(run.suite.total_checks, 'check')}" if run.selection.partial else ""
    return flat(f"{place.role}@{place.host}:{place.port}/{place.database}, PostgreSQL {place.server_version}, run {run.id}{part}")
