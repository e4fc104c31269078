"""What one answer means, and what many of them come to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from kisaan_validate.facts.result import Verdict


class StandingState(StrEnum):
    """What a finding means: WORK is what a migration has still to do, UNKNOWN has no answer."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    WORK = "work"


def verdict_of(states: Iterable[StrEnum]) -> Verdict:
    """FAIL if anything failed; INCONCLUSIVE if anything has no answer, or nothing was asked; else PASS. Work
    decides nothing. Takes every enumeration whose values are among those of StandingState.
    """
    found = {StandingState(state.value) for state in states}
    if StandingState.FAIL in found:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if StandingState.UNKNOWN in found or not found else Verdict.PASS
