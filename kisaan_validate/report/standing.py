"""What each check's result means for the run, in one word and one line: what every format but the page is
made of.
"""

from __future__ import annotations

from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.differences import CheckMove
from kisaan_validate.facts.result import UNANSWERED, Result, Status, message_of
from kisaan_validate.report.cards import movement
from kisaan_validate.report.found import more_keys
from kisaan_validate.report.summary import figure, in_order, pairs_of
from kisaan_validate.report.text import flat, plain
from kisaan_validate.verdict.judgement import Judgement
from kisaan_validate.verdict.waivers import Use, Waived


class ResultStanding(StrEnum):
    """What a result means for the run. Only FAILED and UNANSWERED keep it from passing; only HOLDS and
    TOLERATED are green.

    LISTED and NOTED are of differences only.
    """

    # Notebooks sort by this order.
    FAILED = "failed"
    UNANSWERED = "no answer"
    LESSER = "failed, lower severity"
    WAIVED = "failed, waived"
    OLD = "failed before too"
    TOLERATED = "tolerated"
    HOLDS = "holds"
    INAPPLICABLE = "not applicable"
    LISTED = "differs, judged by no contract"
    NOTED = "covered, but see the remark"


@dataclass(frozen=True)
class ResultLine:
    """One check, its result, and what it means for the run."""

    check: Check
    result: Result
    standing: ResultStanding
    waiver: Waived | None = None
    move: CheckMove | None = None

    @property
    def said(self) -> str:
        """It in one line without markup: exact counts, and what was claimed."""
        parts = [self._outcome(), self._remarks()]
        return "; ".join(part for part in parts if part)

    def _outcome(self) -> str:
        result, message = self.result, flat(message_of(self.result))
        if self.standing is ResultStanding.UNANSWERED:
            code = f" (SQLSTATE {flat(result.sqlstate)})" if result.sqlstate else ""
            return f"no answer, {result.status.value}: {message or 'no reason was recorded'}{code}"
        if self.standing is ResultStanding.INAPPLICABLE:
            return message or "not applicable"
        words = f"{figure(self.check, result)}: {flat(self.check.claim)}"
        return f"{words}; {message}" if message else words

    def _remarks(self) -> str:
        remarks = []
        if self.standing is ResultStanding.TOLERATED:
            remarks.append(f"tolerated, up to {self.check.tolerance}")
        if self.waiver is not None:
            w = self.waiver
            remarks.append(
                f"{w.use.value}, {flat(w.remark)}; {flat(w.waiver.owner)}: {flat(w.waiver.reason)}"
            )
        if moved := movement(self.move):
            remarks.append(f"since the baseline: {flat(moved)}")
        return "; ".join(remarks)


def lines_of(judged: Judgement) -> list[ResultLine]:
    """Every check of the run, in the order of the suite; one without a result has no answer."""
    moves = {move.check_id: move for move in judged.diff.moves} if judged.diff is not None else {}
    return [
        ResultLine(
            check, result, _standing(check, result, judged), judged.waived.get(check.id), moves.get(check.id)
        )
        for check, result in pairs_of(judged.run)
    ]


def lines_in_order(judged: Judgement) -> list[ResultLine]:
    """The same lines, worst first: by status, severity, and what is new since the baseline."""
    lines = {line.check.id: line for line in lines_of(judged)}
    moves = {id: line.move for id, line in lines.items() if line.move is not None}
    return [lines[check.id] for check, _ in in_order(pairs_of(judged.run), moves)]


def _standing(check: Check, result: Result, judged: Judgement) -> ResultStanding:
    if result.status in UNANSWERED:
        return ResultStanding.UNANSWERED
    if result.status is not Status.FAIL:
        return _ACCEPTED[result.status]
    # The judgement decides, not severity: it has seen waivers, the baseline and --fail-on.
    if check.id in judged.failing:
        return ResultStanding.FAILED
    use = judged.waived.get(check.id)
    if use is not None and use.use is Use.HOLDS:
        return ResultStanding.WAIVED
    if check.severity is not Severity.BLOCKING:
        return ResultStanding.LESSER
    # A blocking failure that does not count and is not waived is one that failed before.
    return ResultStanding.OLD


_ACCEPTED = {
    Status.PASS: ResultStanding.HOLDS,
    Status.TOLERATED: ResultStanding.TOLERATED,
    Status.NOT_APPLICABLE: ResultStanding.INAPPLICABLE,
}


def keys_told(result: Result, most: int) -> list[str]:
    """The first recorded keys, one per line, and how many more there are."""
    shown = [", ".join(_told(*pair) for pair in row) for row in result.sample[:most]]
    left = more_keys(result, len(shown))
    # Without a sample there is nothing to continue.
    return shown + ([f"… and {left}"] if shown and left else [])


def _told(name: str, value: str | None) -> str:
    return f"{plain(name)} = {'NULL' if value is None else repr_of(value)}"


def repr_of(value: str) -> str:
    """A value of the database in single quotes, so that blanks at its ends, '' and 'NULL' are seen."""
    return f"'{plain(value)}'"


def details(line: ResultLine, keys: int) -> list[str]:
    """What a reader of a failure needs beside ``said``, one thing a line; SQL keeps its line breaks."""
    check, result = line.check, line.result
    named = [
        ("why", flat(check.why)),
        ("hint", flat(result.hint or check.hint)),
        ("owner", flat(check.owner)),
        ("severity", check.severity.value),
        ("declared at", flat(check.origin)),
        ("digest of all keys", result.key_digest),
    ]
    lines = [f"{name}: {text}" for name, text in named if text]
    if told := keys_told(result, keys):
        lines += ["violating rows:", *(f"  {row}" for row in told)]
    # SQL comes last and uncut: it is what a reader copies.
    return lines + ([plain(result.sql, keep="\n\t")] if result.sql else [])
