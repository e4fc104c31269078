"""What the probes of the new build mean for the verdict of a rehearsal: pure functions."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.probe import ProbeState
from kisaan_validate.facts.rehearsed import NewAppProbed, ReasonKind, VerdictReason


def new_app_failures(found: NewAppProbed | None) -> Iterator[VerdictReason]:
    """Each probe that failed, and a build that never listened."""
    if found is None:
        return
    # A command that ended well may have left a service behind, which was slow.
    if found.probed is None and found.ended:
        words = f"the new build does not start on the migrated database: {found.reason}"
        yield VerdictReason(ReasonKind.NEW_APP, words)
    for step in found.probed.of(ProbeState.FAIL) if found.probed is not None else ():
        yield VerdictReason(ReasonKind.NEW_APP, f"probe {step.name!r} failed: {step.fact}")


def new_app_open(found: NewAppProbed | None) -> Iterator[VerdictReason]:
    """Each probe that has no answer, and a build of which nothing is known."""
    if found is None:
        return
    if found.probed is None:
        if not found.ended:
            words = f"the new build was not probed: {found.reason or 'no reason is known'}"
            yield VerdictReason(ReasonKind.NEW_APP, words)
        return
    for step in found.probed.of(ProbeState.UNKNOWN):
        yield VerdictReason(ReasonKind.NEW_APP, f"probe {step.name!r} has no answer: {step.fact}")
    if found.probed.ended is None or found.probed.interrupted or not found.probed.steps:
        reason = found.probed.interrupted or "they did not come to their end"
        yield VerdictReason(ReasonKind.NEW_APP, f"the probes of the new build were stopped: {reason}")
