"""What is said beside the checks: promises, differences, and how the run itself went; one line each."""

from __future__ import annotations

from kisaan_validate.compare.causes.base import ChangeGroup
from kisaan_validate.compare.changes import changes_by_table
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import Change
from kisaan_validate.facts.run import nothing_checked
from kisaan_validate.report.changed import words_of
from kisaan_validate.report.standing import ResultStanding
from kisaan_validate.report.text import flat, number, plain
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair
from kisaan_validate.verdict.judgement import JUDGED, Judgement


@dataclass(frozen=True)
class ReportFinding:
    """Something beside the checks: a promise, a difference, or how the run itself went.

    ``standing`` is FAILED, UNANSWERED, LESSER, LISTED, NOTED, INAPPLICABLE or HOLDS.
    """

    name: str
    said: str
    standing: ResultStanding
    severity: Severity = Severity.BLOCKING


def promise_findings(judged: Judgement) -> list[ReportFinding]:
    """The promises of the contract, in its order."""
    return [_promised(promise, outcome) for promise, outcome in judged.promises]


def _promised(promise: Promise, outcome: Outcome) -> ReportFinding:
    words = f"{outcome.state.value}: {flat(promise.claim())}"
    counts = (
        f" ({' → '.join(pair(outcome.before, outcome.after, quoted=False))})"
        if outcome.before or outcome.after
        else ""
    )
    said = f"{words}{counts}{f'; {flat(outcome.message)}' if outcome.message else ''}"
    standing = ResultStanding.UNANSWERED if outcome.state is State.UNKNOWN else ResultStanding.HOLDS
    if outcome.state is State.NOT_APPLICABLE:
        # A promise about a thing on neither side is open, unless its author said that it may be missing.
        standing = ResultStanding.INAPPLICABLE if promise.may_be_missing else ResultStanding.UNANSWERED
    if outcome.state in JUDGED:
        standing = ResultStanding.FAILED if promise.severity is Severity.BLOCKING else ResultStanding.LESSER
    return ReportFinding(plain(promise.id), said, standing, promise.severity)


def difference_findings(judged: Judgement) -> list[ReportFinding]:
    """The differences that no promise explains, or, where no contract judges them, all, table by table;
    what is to be said of explained ones; then what is unknown."""
    listed = (change for changes in changes_by_table(judged.listed).values() for change in changes)
    found = [
        _differs(change, "covered by no promise: ", ResultStanding.FAILED, judged)
        for change in judged.unexplained
    ]
    found += [_differs(change, "", ResultStanding.LISTED, judged) for change in listed]
    return found + _beside_differences(judged)


def group_findings(judged: Judgement) -> list[ReportFinding]:
    """The same with one line for each cause instead of each difference: for people, where a list is cut."""
    standing = ResultStanding.LISTED if judged.contract is None else ResultStanding.FAILED
    severity = Severity.INFO if judged.contract is None else Severity.BLOCKING
    how = "" if judged.contract is None else "covered by no promise: "
    found = [
        ReportFinding(
            flat(group.table or "the database"),
            f"{how}{flat(group.words)}{_remarks_on(group, judged)}",
            standing,
            severity,
        )
        for group in judged.open_groups
    ]
    return found + _beside_differences(judged)


def _remarks_on(group: ChangeGroup, judged: Judgement) -> str:
    """What is said of those of its differences that took something away: values may be lost."""
    said = dict.fromkeys(judged.remarks[c.key] for c in group.changes if c.key in judged.remarks)
    return "".join(f"; {flat(remark)}" for remark in said)


def _beside_differences(judged: Judgement) -> list[ReportFinding]:
    """What is to be said of explained differences, and what is unknown."""
    found = [
        _differs(change, f"covered by {', '.join(by)}: ", ResultStanding.NOTED, judged)
        for change, by in _noted(judged)
    ]
    return found + [
        ReportFinding(flat(u.what), f"cannot tell: {flat(u.reason)}", ResultStanding.UNANSWERED)
        for u in judged.untold
    ]


def _noted(judged: Judgement) -> list[tuple[Change, tuple[str, ...]]]:
    """The differences that a promise explains and that have a remark: values may be lost."""
    changes = judged.diff.changes if judged.diff is not None else ()
    return [
        (c, judged.explained[c.key]) for c in changes if c.key in judged.explained and c.key in judged.remarks
    ]


def _differs(change: Change, how: str, standing: ResultStanding, judged: Judgement) -> ReportFinding:
    name = f"{change.table}: {words_of(change)}" if change.table else words_of(change)
    sides = " → ".join(pair(change.before, change.after, none="none", quoted=False))
    severity = Severity.BLOCKING if standing is ResultStanding.FAILED else Severity.INFO
    remark = judged.remarks.get(change.key, "")
    return ReportFinding(
        flat(name), f"{how}{sides}{f'; {flat(remark)}' if remark else ''}", standing, severity
    )


def run_findings(judged: Judgement) -> list[ReportFinding]:
    """Whether the run completed, and whether it checked anything: without these its other findings
    prove nothing.
    """
    run = judged.run
    # These two stand as findings even when they hold, so that a CI server sees them break by name.
    cut = f"interrupted: {flat(run.interrupted)}" if run.interrupted else flat(run.halted)
    empty = "no check applies, so nothing was proved" if nothing_checked(run) else ""
    return [
        ReportFinding(
            "the run completed",
            cut or "every statement was run",
            ResultStanding.UNANSWERED if cut else ResultStanding.HOLDS,
        ),
        ReportFinding(
            "something was checked",
            empty or counted(len(run.checks), "check"),
            ResultStanding.UNANSWERED if empty else ResultStanding.HOLDS,
        ),
        *_totals(judged),
    ]


def _totals(judged: Judgement) -> list[ReportFinding]:
    """The control totals without an answer; beside a baseline the comparison says them."""
    lost = judged.run.unanswered_totals if judged.diff is None else ()
    return [
        ReportFinding(
            flat(f"control total {total.table}: {total.name}"),
            f"no answer: {flat(total.message)}",
            ResultStanding.UNANSWERED,
        )
        for total in lost
    ]


def where(judged: Judgement) -> str:
    """Which database was looked at, and by which run."""
    run, place = judged.run, judged.run.place
    part = (
        f", PARTIAL: {number(len(run.checks))} of {counted(run.suite.total_checks, 'check')}"
        if run.selection.partial
        else ""
    )
    return flat(
        f"{place.role}@{place.host}:{place.port}/{place.database}, {place.server}, run {run.id}{part}"
    )
