"""Whether an application fails more often after a change: more, not more, or too little to tell."""

from __future__ import annotations

from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.error_rate import ErrorRates, ErrorWindow
from kisaan_validate.facts.probe import ProbeState
from kisaan_validate.facts.result import Verdict
from kisaan_validate.probe.chance import chance_of, first_noticed
from kisaan_validate.text.numbers import counted

_VERDICTS = {
    ProbeState.PASS: Verdict.PASS,
    ProbeState.FAIL: Verdict.FAIL,
    ProbeState.UNKNOWN: Verdict.INCONCLUSIVE,
}


@dataclass(frozen=True)
class ErrorVerdict:
    """What is known about the rate, in a sentence, and what to do ("" if nothing)."""

    state: ProbeState
    fact: str
    todo: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict that the exit code shows."""
        return _VERDICTS[self.state]


def judge_error_rates(found: ErrorRates) -> ErrorVerdict:
    """FAIL if the share of errors rose, and chance alone would hardly do that (Fisher's exact test,
    one-sided, below ``chance``). PASS if it did not, and an increase of more than ``tolerance`` would have
    been noticed. Else, and if the counts may not be whole, it cannot be told.
    """
    words = _words(found.before, found.after, found.estimated)
    if found.gaps:
        return ErrorVerdict(ProbeState.UNKNOWN, f"{found.gaps[0]}; counted: {words}")
    if empty := _empty(found):
        return ErrorVerdict(ProbeState.UNKNOWN, f"{empty}: {words}", "name a longer time with --for")
    before = found.before.requests, found.before.errors
    chance = chance_of(before, (found.after.requests, found.after.errors))
    rose = found.after.share > found.before.share
    if rose and chance < found.chance:
        return ErrorVerdict(
            ProbeState.FAIL, f"errors increased: {words}", "look into the log at these errors"
        )
    bearable = (found.before.share + Fraction(found.tolerance)) * found.after.requests
    most = min(found.after.requests, int(bearable))
    if chance_of(before, (found.after.requests, most)) >= found.chance:
        first = first_noticed(before, found.after.requests, found.chance)
        least = f"only {counted(first, 'error')} or more" if first is not None else "no number of errors"
        return ErrorVerdict(
            ProbeState.UNKNOWN,
            f"too few requests: {words}; {least} would have been noticed",
            "name a longer time with --for, or a larger --tolerance",
        )
    return ErrorVerdict(ProbeState.PASS, f"errors did not increase: {words}")


def _empty(found: ErrorRates) -> str:
    if not found.before.requests:
        return "there is no request before"
    return "" if found.after.requests else "there is no request after"


def _words(before: ErrorWindow, after: ErrorWindow, estimated: bool) -> str:
    about = "about " if estimated else ""
    return (
        f"{about}{before.errors:,} of {before.requests:,} before, "
        f"{about}{after.errors:,} of {after.requests:,} after"
    )
