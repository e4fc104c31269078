"""What probes of an application found: an answer for each step, and what they created.

It holds no header, no body and no value of an answer but ids that a clean-up needs.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import verdict_of

PROBED_FORMAT = 1
"""Version of ``probe.json``. 1: first form."""


HEALTH = "health"
"""The name of the first step."""


class ProbeState(StrEnum):
    """What is known about one step."""

    PASS = "pass"
    FAIL = "fail"
    """The application did not answer as declared."""
    UNKNOWN = "unknown"
    """It was not sent, or its answer could not be judged."""


@dataclass(frozen=True)
class ProbeStep:
    """One step. ``path`` is as the file says it, its names not filled in.

    ``fact`` is a sentence, ``todo`` what to do ("" if nothing). ``status`` is None if nothing answered;
    ``seconds`` is what the last try took, None if nothing answered; ``tries`` is how often it was sent.
    ``perhaps``: a try that writes may have been carried out, though no answer said so.
    """

    name: str
    method: str
    path: str
    state: ProbeState
    fact: str
    todo: str = ""
    status: int | None = None
    seconds: float | None = None
    tries: int = 0
    writes: bool = False
    perhaps: bool = False


class ProbeRemoval(StrEnum):
    """Whether something that a step created was removed."""

    LEFT = "left there"
    REMOVED = "removed"
    NOT_REMOVED = "its removal was refused"
    UNKNOWN = "its removal was not answered"


@dataclass(frozen=True)
class ProbeCreated:
    """Something that a step created, or may have created (not ``certain``: no answer said so).

    ``request`` removes it, as "DELETE /users/7"; "" where the file declares none, or an id is missing.
    """

    step: str
    request: str
    certain: bool = True
    removal: ProbeRemoval = ProbeRemoval.LEFT
    note: str = ""


@dataclass(frozen=True)
class Probed:
    """One run of the probes of a file. ``digest`` is the SHA-256 of its text; ``target`` is scheme, host and
    port. ``prefix`` stands in what was created. ``ended`` is None in what was kept of a run that was cut off,
    ``interrupted`` says why one ended early ("" if it did not).

    ``created`` is in the order in which it is to be removed.
    """

    format_version: int
    name: str
    digest: str
    target: str
    production: bool
    writes_allowed: bool
    prefix: str
    started: datetime
    ended: datetime | None
    interrupted: str
    steps: tuple[ProbeStep, ...]
    created: tuple[ProbeCreated, ...] = ()

    def of(self, state: ProbeState) -> tuple[ProbeStep, ...]:
        """The steps that ended so."""
        return tuple(step for step in self.steps if step.state is state)


def judge_probes(found: Probed) -> Verdict:
    """FAIL if a step failed, or what was created could not be removed when that was asked for; INCONCLUSIVE
    if a step is not known, the run was cut off or there is no step; else PASS.
    """
    states = [step.state for step in found.steps]
    states += [_REMOVED[one.removal] for one in found.created if one.removal in _REMOVED]
    if not found.steps or found.ended is None or found.interrupted:
        states.append(ProbeState.UNKNOWN)
    return verdict_of(states)


_REMOVED = {ProbeRemoval.NOT_REMOVED: ProbeState.FAIL, ProbeRemoval.UNKNOWN: ProbeState.UNKNOWN}
"""What a removal that was asked for adds to the verdict, where it did not succeed."""
