"""The names of a preflight's states, on the console and on the page."""

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


def headline(found: PreflightRecord) -> str:
    """The verdict in a word or two. A go says that not everything was asked."""
    word, left = VERDICT_WORDS[found.verdict], len(found.left_out)
    return f"{word}, {left:,} left out" if left and found.verdict is Verdict.PASS else word


def verdict_sentence(found: PreflightRecord) -> str:
    """The verdict in a sentence: how many answers are a no-go, and what was left out."""
    fails, unknown = (len(found.of(state)) for state in (StandingState.FAIL, StandingState.UNKNOWN))
    without = ", ".join(one.name for one in found.left_out)
    parts = []
    if fails:
        parts.append(f"{counted(fails, 'answer')} {agreeing(fails, 'is', 'are')} a no-go")
    if unknown:
        parts.append(f"{counted(unknown, 'question')} could not be answered")
    words = ", ".join(parts) or f"no objection in {counted(len(found.items), 'answer')}"
    return f"{words}{f'; without {without}' if without else ''}"
