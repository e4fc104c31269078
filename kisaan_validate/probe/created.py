"""What the steps of a run created, and the requests that remove it, the last one first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.probe import ProbeCreated, ProbeRemoval, ProbeState, ProbeStep
from kisaan_validate.probe.sending import Sender, SendingRequest
from kisaan_validate.probe.values import CannotFill, ProbeNames, names_in

if TYPE_CHECKING:
    from kisaan_validate.probe.model import ProbeStepTable

_NOTE_HIDDEN = "an id of it is not shown, since it may be personal"


@dataclass
class CreatedThings:
    """What may exist because of this run. ``prefix`` is the run's."""

    prefix: str
    _made: list[tuple[ProbeCreated, ProbeStepTable, ProbeNames]] = field(default_factory=list)

    def expect(self, step: ProbeStepTable, names: ProbeNames) -> None:
        """A step that writes is about to be sent: from now on, something that it creates may exist."""
        if step.method == "DELETE" and step.cleanup is None:
            return
        note = "no answer is known; look for the prefix"
        self._made.append((ProbeCreated(step.name, "", certain=False, note=note), step, names))

    def settle(self, step: ProbeStepTable, names: ProbeNames, done: ProbeStep) -> None:
        """The step ended: nothing was created, something was, or that is not known."""
        if not self._made or self._made[-1][1] is not step:
            return
        self._made.pop()
        if (made := _created(step, names, done)) is not None:
            self._made.append((made, step, names))

    def listed(self) -> tuple[ProbeCreated, ...]:
        """In the order in which they are to be removed."""
        return tuple(one for one, _, _ in reversed(self._made))

    def remove(self, sender: Sender, keep: Callable[[], None]) -> None:
        """Send the requests that remove what was created, the last one first."""
        for place in reversed(range(len(self._made))):
            made, step, names = self._made[place]
            # A stop is heard between two of them; what is left stays listed.
            if step.cleanup is None or not made.request or sender.stop.requested:
                continue
            request = SendingRequest.of(step.cleanup, step.name, step.cleanup.method)
            done, _ = sender.send(request, names)
            self._made[place] = replace(made, removal=_removal(done), note=_note(made, done)), step, names
            keep()


def _removal(done: ProbeStep) -> ProbeRemoval:
    if done.state is ProbeState.PASS:
        return ProbeRemoval.REMOVED
    return ProbeRemoval.NOT_REMOVED if done.status is not None else ProbeRemoval.UNKNOWN


def _note(made: ProbeCreated, done: ProbeStep) -> str:
    return made.note if done.state is ProbeState.PASS else done.fact


def _created(step: ProbeStepTable, names: ProbeNames, done: ProbeStep) -> ProbeCreated | None:
    """What a step that was sent may have left; None if nothing."""
    certain = done.status is not None and 200 <= done.status < 300
    # A redirect of a request that writes: some applications answer that way when they are done.
    moved = done.status is not None and 300 <= done.status < 400
    if not (certain or moved or done.perhaps):
        return None
    if step.cleanup is None:
        return ProbeCreated(step.name, "", certain, note="the file declares no request that removes it")
    lacking = [
        name for name in names_in(step.cleanup.path) if name in step.capture and name not in names.captured
    ]
    if lacking:
        return ProbeCreated(step.name, "", certain, note="its id is not known; look for the prefix")
    try:
        route, shown = names.shown_route(step.cleanup.path)
    except CannotFill:
        return ProbeCreated(step.name, "", certain, note="its id cannot be part of a path")
    note = "" if shown else _NOTE_HIDDEN
    return ProbeCreated(step.name, f"{step.cleanup.method} {route}", certain, note=note)
