"""What watched the server while a run was at work, and when the run paused for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class Pause:
    """A time in which a run asked nothing, or with ``slowed`` one statement at a time, and why.

    ``snapshot`` tells whether the run held its snapshot meanwhile.
    """

    started_at: datetime
    seconds: float
    reason: str
    slowed: bool = False
    snapshot: bool = True


CANNOT_TELL = "cannot tell: "
"""How the words of a reading begin that could not be taken."""


@dataclass(frozen=True)
class Guarded:
    """The rules of a guard in words, what it read first by the name of each rule, and why it gave up ("" if
    it did not).

    A reading that could not be taken, at the first look or at a later one, says so: "cannot tell: …".
    """

    rules: tuple[str, ...]
    readings: Mapping[str, str] = field(default_factory=dict)
    given_up: str = ""
