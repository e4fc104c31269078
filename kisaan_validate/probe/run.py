"""All steps of a file in order: health first, then what is allowed, then the clean-up."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.probe import HEALTH, PROBED_FORMAT, Probed, ProbeState, ProbeStep
from kisaan_validate.probe.asking import trusting
from kisaan_validate.probe.created import CreatedThings
from kisaan_validate.probe.load import BoundProbes
from kisaan_validate.probe.sending import READS, Sender, SendingRequest
from kisaan_validate.probe.values import ProbeNames, names_in
from kisaan_validate.process.stopping import Stop

if TYPE_CHECKING:
    from kisaan_validate.probe.model import ProbeStepTable


@dataclass(frozen=True)
class ProbeWish:
    """What a run may do. ``writes``: steps that write are sent; ``on_production``: also there. ``clean``:
    what was created is removed at the end.
    """

    writes: bool = False
    on_production: bool = False
    clean: bool = False


def new_prefix() -> str:
    """One prefix for all that a run creates: letters and digits that no other run has."""
    return f"kv{secrets.token_hex(5)}"


def run_probes(
    bound: BoundProbes,
    wish: ProbeWish,
    stop: Stop,
    *,
    prefix: str = "",
    keep: Callable[[Probed], None] = lambda found: None,
    say: Callable[[ProbeStep], None] = lambda step: None,
) -> Probed:
    """Send every step that may be sent; what each found. ``keep`` is given all that is known before each step
    that writes, and after each step, so that what was created is known whatever happens. Raises UsageError
    where the certificates cannot be read, before anything is sent.
    """
    return _ProbeRun(bound, wish, stop, prefix or new_prefix(), keep, say).run()


@dataclass
class _ProbeRun:
    bound: BoundProbes
    wish: ProbeWish
    stop: Stop
    prefix: str
    keep: Callable[[Probed], None]
    say: Callable[[ProbeStep], None]
    steps: list[ProbeStep] = field(default_factory=list)
    lacking: dict[str, str] = field(default_factory=dict)
    """Names that were not captured, and by which step."""

    def __post_init__(self) -> None:
        self.started = datetime.now(UTC)
        self.names = ProbeNames(self.prefix, {}, self.bound.env)
        file = self.bound.probes.file
        self.sender = Sender(self.bound.address, file.headers, trusting(self.bound.ca), self.stop)
        self.created = CreatedThings(self.prefix)

    def run(self) -> Probed:
        file = self.bound.probes.file
        health = SendingRequest.of(file.health, HEALTH, "GET")
        self._end(self.sender.send(health, self.names)[0])
        good = self.steps[0].state is ProbeState.PASS
        for step in file.step:
            self._end(self._step(step) if good else _not_sent(step, "the health step did not pass"))
        if self.wish.clean and not self.stop.requested:
            self.created.remove(self.sender, lambda: self.keep(self._found(None)))
        found = self._found(datetime.now(UTC))
        self.keep(found)
        return found

    def _step(self, step: ProbeStepTable) -> ProbeStep:
        if refused := self._refused(step):
            return refused
        request = SendingRequest.of(step, step.name, step.method)
        if request.writes:
            # Before it is sent: if we are killed now, the record says what may be there.
            self.created.expect(step, self.names)
            self._keep_with(_unknown(step, "it was sent, and nothing is known of its answer"))
        done, kept = self.sender.send(request, self.names)
        names = replace(self.names, captured={**self.names.captured, **kept})
        if request.writes:
            self.created.settle(step, names, done)
        if done.state is ProbeState.PASS:
            self.names = names
        else:
            self.lacking |= dict.fromkeys(step.capture, step.name)
        return done

    def _refused(self, step: ProbeStepTable) -> ProbeStep | None:
        """The step as not sent, if it may not be sent."""
        writes = step.method not in READS
        if self.stop.requested:
            return self._lacks(step, f"stopped: {self.stop.reason}")
        if writes and not self.wish.writes:
            return self._lacks(step, "it writes, which was not allowed", "give --allow-writes")
        if writes and self.bound.production and not self.wish.on_production:
            todo = "give --allow-writes-on-production too, if it may write there"
            return self._lacks(step, "it writes, and the target counts as production", todo)
        expected = [one.equals for one in step.expect]
        wanted = [*names_in([step.path, *step.headers.values(), step.body, expected])]
        if name := next((name for name in wanted if name in self.lacking), ""):
            return self._lacks(
                step, f"it needs ${{{name}}} of step {self.lacking[name]!r}, which did not pass"
            )
        return None

    def _lacks(self, step: ProbeStepTable, why: str, todo: str = "") -> ProbeStep:
        self.lacking |= dict.fromkeys(step.capture, step.name)
        return _not_sent(step, why, todo)

    def _end(self, step: ProbeStep) -> None:
        self.steps.append(step)
        self.say(step)
        # A step that was not sent cannot be lost, and after a stop there may be a thousand.
        if step.tries:
            self.keep(self._found(None))

    def _keep_with(self, step: ProbeStep) -> None:
        self.keep(replace(self._found(None), steps=(*self.steps, step)))

    def _found(self, ended: datetime | None) -> Probed:
        bound = self.bound
        return Probed(
            PROBED_FORMAT,
            bound.probes.file.name,
            bound.probes.digest,
            bound.address.target,
            bound.production,
            self.wish.writes and (self.wish.on_production or not bound.production),
            self.prefix,
            self.started,
            ended,
            self.stop.reason if self.stop.requested else "",
            tuple(self.steps),
            self.created.listed(),
        )


def _not_sent(step: ProbeStepTable, why: str, todo: str = "") -> ProbeStep:
    return _unknown(step, f"not sent: {why}", todo)


def _unknown(step: ProbeStepTable, fact: str, todo: str = "") -> ProbeStep:
    writes = step.method not in READS
    return ProbeStep(step.name, step.method, step.path, ProbeState.UNKNOWN, fact, todo, writes=writes)
