"""What states of a preflight are called, on the console and on the page."""

from __future__ import annotations

from kisaan_validate.facts.preflight import PreflightRecord
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.text.numbers import agreeing, counted

STATE_WORDS = {
    StandingState.FAIL: "no-go",
    StandingState.UNKNOWN: "cannot tell",
    StandingState.WORK: "work to do",
    StandingState.PASS: "go",
}
"""Each state in words, the worst first."""

VERDICT_WORDS = {Verdict.PASS: "Go", Verdict.FAIL: "No-go", Verdict.INCONCLUSIVE: "Cannot tell"}
"""Each verdict in words."""


def verdict_sentence(found: PreflightRecord) -> str:
    """The verdict in a sentence: how many answers stand against it, and what was left out."""
    fails, unknown = (len(found.of(state)) for state in (StandingState.FAIL, StandingState.UNKNOWN))
    without = ", ".join(one.name for one in found.left_out)
    parts = []
    if fails:
        parts.append(f"{counted(fails, 'answer')} {agreeing(fails, 'stands', 'stand')} against it")
    if unknown:
        parts.append(f"{counted(unknown, 'answer')} cannot be told")
    words = ", ".join(parts) or f"nothing stands against it in {counted(len(found.items), 'answer')}"
    return f"{words}{f'; without {without}' if without else ''}"
