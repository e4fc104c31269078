"""What a run says, in words: pure functions from the Run and its Diff to sentences, orders and groups."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.differences import CheckMove, Origin, Transition
from kisaan_validate.facts.result import Evidence, FailOn, Result, Status, Verdict, vacuous
from kisaan_validate.facts.run import Run, nothing_checked
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import agreeing, counted
from kisaan_validate.verdict.waivers import Use

if TYPE_CHECKING:
    from kisaan_validate.verdict.judgement import Judgement

WORTH_SAYING = 10
"""Seconds for which a snapshot is held before the console says so."""


def held_words(run: Run) -> str:
    """How long the snapshot was held, and what that means for everybody else; "" where a record does not
    know.
    """
    if not run.held_seconds:
        return ""
    return (
        f"the snapshot was held for {run.held_seconds:,} s; in that time VACUUM could not remove rows "
        "deleted since"
    )


STATUS_ORDER = (Status.FAIL, Status.ERROR, Status.SKIP, Status.TOLERATED, Status.PASS, Status.NOT_APPLICABLE)
SEVERITY_ORDER = (Severity.BLOCKING, Severity.WARNING, Severity.INFO)

STATUS_WORDS = {
    Status.FAIL: "Failed",
    Status.ERROR: "Error",
    Status.SKIP: "Skipped",
    Status.TOLERATED: "Tolerated",
    Status.PASS: "Passed",
    Status.NOT_APPLICABLE: "Not applicable",
}
STATUS_MEANING = {
    Status.FAIL: "some rows break the rule",
    Status.ERROR: "the database gave no answer: nothing is known",
    Status.SKIP: "not run, because something it needs is missing: nothing is known",
    Status.TOLERATED: "some rows break the rule, within the agreed tolerance",
    Status.PASS: "no row breaks the rule",
    Status.NOT_APPLICABLE: "the rule does not concern this database",
}


@dataclass(frozen=True)
class Count:
    """How many checks have one status, in all and by severity."""

    status: Status
    total: int
    by_severity: tuple[int, ...]


Pairs = Sequence[tuple[Check, Result]]


def pairs_of(run: Run) -> list[tuple[Check, Result]]:
    """Every check with its result; a check without a result is given an ERROR, for nothing is known about
    it.
    """
    results = {result.check_id: result for result in run.results}
    lost = "no result was recorded for this check"
    # An ERROR, not a PASS: a lost worker or a cut record must not shorten the list.
    return [
        (check, results.get(check.id) or Result(check.id, Status.ERROR, message=lost)) for check in run.checks
    ]


def counts_of(pairs: Pairs) -> tuple[Count, ...]:
    """The number of checks of every status, in order of importance."""
    found = Counter((result.status, check.severity) for check, result in pairs)
    rows = []
    for status in STATUS_ORDER:
        numbers = tuple(found[status, severity] for severity in SEVERITY_ORDER)
        rows.append(Count(status, sum(numbers), numbers))
    return tuple(rows)


def in_order(pairs: Pairs, moves: Mapping[str, CheckMove]) -> list[tuple[Check, Result]]:
    """By status, then severity, then what is new since the baseline, then the order of the suite."""

    def rank(pair: tuple[Check, Result]) -> tuple[int, int, int]:
        check, result = pair
        move = moves.get(check.id)
        new = 0 if move is not None and move.transition is Transition.NEWLY_FAILING else 1
        return STATUS_ORDER.index(result.status), SEVERITY_ORDER.index(check.severity), new

    return sorted(pairs, key=rank)


def verdict_sentence(judged: Judgement) -> str:
    """Why the verdict is what it is. A known failure comes first; what has no answer is said beside it.

    With a baseline, it also says which of the failures are new: that is what the decision to go back rests
    on.
    """
    run, pairs = judged.run, pairs_of(judged.run)
    if judged.verdict is Verdict.PASS:
        return " ".join([_why_pass(pairs), *_excused(judged), *_promises(judged), *_listed(judged)])
    parts = _failures(pairs) + _since(judged) + _excused(judged) + _promises(judged) + _listed(judged)
    # Failures first, what is unknown after them: the verdict is about the failures.
    parts += _unanswered(pairs) + _untotalled(run) + _uncompared(judged)
    if run.halted:
        fast = run.halted.startswith("stopped at the first failing blocking check")
        said = "stopped at the first failing blocking check" if fast else f"ended early: {run.halted}"
        parts.append(f"The run {said}.")
    if run.interrupted:
        parts.append("The run was interrupted.")
    if nothing_checked(run):
        parts.append(
            "No check applies to this database: nothing was examined, so there is nothing to sign off."
        )
    # Not said where a blocking check fails and is excused: it would read as a contradiction.
    if judged.verdict is Verdict.INCONCLUSIVE and not _failed(pairs, Severity.BLOCKING):
        parts.append("No blocking check is known to fail, but not everything was proved.")
    return " ".join(parts)


def promise_words(judged: Judgement) -> str:
    """How many promises came to which state; "" without a contract."""
    if judged.contract is None:
        return ""
    states = Counter(outcome.state for _, outcome in judged.promises)
    total = len(judged.promises)
    if not total:
        return "The contract makes no promise."
    others = [
        f"{number(states[s])} {text}" for s, text in _STATES.items() if states[s] and s is not State.KEPT
    ]
    kept = f"Contract: {number(states[State.KEPT])} of {counted(total, 'promise')} kept"
    return f"{'; '.join(filter(None, (kept, ', '.join(others))))}."


def _promises(judged: Judgement) -> list[str]:
    """What happened to the contract, where there is one."""
    if judged.contract is None:
        return []
    said, wrong = promise_words(judged), len(judged.unexplained)
    changed = len(judged.diff.changes) if judged.diff is not None else 0
    if wrong:
        return [
            said,
            (f"No promise covers {number(wrong)} of {counted(changed, 'difference')}."),
        ]
    return [
        said,
        "Every difference found is covered by a promise." if changed else "No differences were found.",
    ]


def _listed(judged: Judgement) -> list[str]:
    """How much differs where no contract says what was meant."""
    if judged.diff is None or judged.contract is not None:
        return []
    found = len(judged.listed)
    said = (
        f"{counted(found, 'difference')} from the baseline {'was' if found == 1 else 'were'} found; no "
        f"contract judges {'it' if found == 1 else 'them'}."
    )
    return [said if found else "No differences from the baseline were found."]


def _untotalled(run: Run) -> list[str]:
    """How many control totals were not measured."""
    found = len(run.unanswered_totals)
    return [f"{counted(found, 'control total')} without an answer."] if found else []


def _uncompared(judged: Judgement) -> list[str]:
    """How much of the comparison with the baseline was not possible."""
    found = len(judged.untold)
    if found:
        return [
            f"{counted(found, 'comparison')} with the baseline {agreeing(found, 'was', 'were')} not possible."
        ]
    return []


_STATES = {
    State.KEPT: "kept",
    State.BROKEN: "broken",
    State.NOT_DONE: "not done",
    State.UNKNOWN: "unknown",
    State.NOT_APPLICABLE: "not applicable",
}


def _excused(judged: Judgement) -> list[str]:
    """What does not count as failed, though it fails."""
    held = sum(use.use is Use.HOLDS for use in judged.waived.values())
    broken = Counter(use.use for use in judged.waived.values())
    parts = [f"{counted(held, 'failure')} {'is' if held == 1 else 'are'} waived."] if held else []
    gone = broken[Use.EXPIRED] + broken[Use.EXCEEDED]
    parts += (
        [f"{counted(gone, 'waiver')} no longer {'covers' if gone == 1 else 'cover'} what fails."]
        if gone
        else []
    )
    if judged.run.fail_on is FailOn.NEW:
        what = "the last run" if judged.run.since_last else "the baseline"
        parts.append(f"Only failures since {what} count (--fail-on new).")
    return parts


def _failed(pairs: Pairs, *severities: Severity) -> int:
    return sum(result.status is Status.FAIL and check.severity in severities for check, result in pairs)


def _failures(pairs: Pairs) -> list[str]:
    """How many of how many checks failed, and how many of these are blocking."""
    blocking = _failed(pairs, Severity.BLOCKING)
    others = _failed(pairs, Severity.WARNING, Severity.INFO)
    # What does not apply could not fail: it is left out of "of how many".
    total = sum(result.status is not Status.NOT_APPLICABLE for _, result in pairs)
    if not blocking + others:
        return []
    if not others:
        return [f"{counted(blocking, 'blocking check')} of {number(total)} failed."]
    share = f"{number(blocking) if blocking else 'none'} of them blocking"
    return [f"{number(blocking + others)} of {counted(total, 'check')} failed, {share}."]


def _since(judged: Judgement) -> list[str]:
    """How many of the failures are new since the baseline."""
    # All failures, not only those that count: a waived failure may be new all the same.
    if judged.diff is None or not judged.run.failures:
        return []
    new, old, unknown = (len(judged.failed(o)) for o in (Origin.SINCE, Origin.BEFORE, Origin.UNKNOWN))
    words = [f"{number(new) if new else 'None'} new since the baseline"]
    words += [f"{number(old)} failed before"] if old else []
    words += [f"{number(unknown)} could not be compared"] if unknown else []
    return [f"{', '.join(words)}."]


def _unanswered(pairs: Pairs) -> list[str]:
    statuses = Counter(result.status for _, result in pairs)
    errors, skips = statuses[Status.ERROR], statuses[Status.SKIP]
    total = errors + skips
    if not total:
        return []
    kinds = [counted(errors, "error")] if errors else []
    kinds += [f"{number(skips)} skipped"] if skips else []
    has, them = ("has", "it") if total == 1 else ("have", "them")
    return [f"{counted(total, 'check')} {has} no answer ({', '.join(kinds)}): nothing is known about {them}."]


def _why_pass(pairs: Pairs) -> str:
    statuses = Counter(result.status for _, result in pairs)
    answered = counted(len(pairs) - statuses[Status.NOT_APPLICABLE], "check")
    tolerated, lesser = statuses[Status.TOLERATED], _failures(pairs)
    parts = [f"{answered} answered{_held(pairs, excused=bool(tolerated or lesser))}.", *lesser]
    if tolerated:
        parts.append(f"{counted(tolerated, 'check')} found violations within the agreed tolerance.")
    if believed := len(believing(pairs)):
        parts.append(
            f"{number(believed)} of them {'relies' if believed == 1 else 'rely'} on an index or "
            "constraint instead of reading all rows."
        )
    if empty := sum(vacuous(result) for _, result in pairs):
        parts.append(
            f"{number(empty)} of them {'holds' if empty == 1 else 'hold'} only because there "
            "were no rows to examine."
        )
    return " ".join(parts)


def _held(pairs: Pairs, *, excused: bool) -> str:
    """What a passing run says of all its checks together."""
    # Of failures that were known before, only those who judge them may say that they do not count.
    if any(c.severity is Severity.BLOCKING and r.status is Status.FAIL for c, r in pairs):
        return ""
    # "all hold" is kept for runs in which nothing was excused.
    return "; no blocking check failed" if excused else "; all hold"


def believing(pairs: Pairs) -> list[tuple[Check, Result]]:
    """The checks whose answer rests on an index, or on what is declared of rows, because the run was told
    to believe it.
    """
    return [(check, result) for check, result in pairs if result.trusted]


def figure(check: Check, result: Result) -> str:
    """The exact count of how many of how many, in words, and what was believed for it; never a percentage."""
    counted_words = _figure(check, result)
    return f"{counted_words}, by {result.trusted}" if result.trusted else counted_words


def _figure(check: Check, result: Result) -> str:
    found, examined = result.violations, result.examined
    if found is None:
        if result.status is Status.NOT_APPLICABLE:
            return "does not apply"
        return "no answer"
    if result.evidence is Evidence.PROVED:
        return "not scanned: proved by a constraint"
    # Before rows are spoken of: the examined things are objects of the catalogue.
    if check.form is Form.CATALOGUE:
        return _catalogue_figure(found, examined)
    if examined is None:
        return counted(found, "violation")
    # Groups, segments or Python's answers need not be rows: "in", not "of".
    if check.form in {Form.QUERY, Form.PYTHON}:
        return f"{counted(found, 'violation')} in {counted(examined, 'row')}"
    return f"{number(found)} of {counted(examined, 'row')}"


def _catalogue_figure(found: int, examined: int | None) -> str:
    # One object at most: "1 of 1 in the catalogue" would tell nobody anything.
    if examined is None or examined <= 1:
        return "not as declared" if found else "as declared"
    return f"{number(found)} of {number(examined)} in the catalogue"


def unenforced(pairs: Pairs) -> dict[str, list[Check]]:
    """What is true today though no constraint keeps it so, by table; only what was scanned, not vacuously
    true.
    """
    groups: dict[str, list[Check]] = defaultdict(list)
    for check, result in pairs:
        # Proved and trusted results rest on a constraint, so one enforces them.
        held = result.status is Status.PASS and result.evidence in {Evidence.SCANNED, Evidence.STREAMED}
        if held and not result.enforced_by and not vacuous(result):
            groups[check.table].append(check)
    return dict(sorted(groups.items()))


@dataclass(frozen=True)
class MovementCount:
    """How many checks moved alike since the baseline; ``filter`` is what the page calls them by."""

    words: str
    filter: str
    number: int


_MOVES = {
    Transition.NEWLY_FAILING: ("newly failing", "new"),
    Transition.STILL_FAILING: ("still failing", "known"),
    Transition.FIXED: ("fixed", "fixed"),
    Transition.UNKNOWN: ("not comparable", "open"),
    Transition.STILL_PASSING: ("still passing", ""),
}


def movement_counts(moves: Iterable[CheckMove]) -> tuple[MovementCount, ...]:
    """How the checks moved since the baseline, worst first; only what occurs."""
    found = Counter(move.transition for move in moves)
    return tuple(MovementCount(*said, found[which]) for which, said in _MOVES.items() if found[which])
