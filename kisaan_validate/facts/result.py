"""The outcome of one check. Counts are exact; a missing number is None with a reason, never 0."""

from __future__ import annotations

from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.volumes.model import VolumeFact

MASKED = "•••"
"""Shown instead of a personal value."""


class Status(StrEnum):
    """The outcome of one check. Only PASS and TOLERATED say that an invariant was examined and accepted."""

    PASS = "pass"
    TOLERATED = "tolerated"
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"
    NOT_APPLICABLE = "not_applicable"


class FailOn(StrEnum):
    """Which failures fail a run: any, or only new ones.

    Of blocking checks; new are those that a baseline did not have already.
    """

    ANY = "any"
    NEW = "new"


UNANSWERED = frozenset({Status.ERROR, Status.SKIP})
"""Outcomes that prove nothing: they make a run INCONCLUSIVE, never PASS."""


class Verdict(StrEnum):
    """The one word for a whole run."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


class Evidence(StrEnum):
    """What a result rests on."""

    SCANNED = "scanned"
    STREAMED = "streamed"
    CATALOGUE = "catalogue"
    PROVED = "proved by constraint"
    BY_INDEX = "by index"
    """Rows were found by an index, or a unique index was believed; ``trusted`` of the result names it."""
    BY_CONSTRAINT = "by constraint"
    """Rows were left out by what is declared of them; ``trusted`` of the result says which."""
    NONE = "none"


COUNTED = frozenset({Evidence.SCANNED, Evidence.BY_INDEX, Evidence.BY_CONSTRAINT})
"""Evidence of what a statement of the run counted."""


@dataclass(frozen=True)
class Settled:
    """A failure that was asked again after its settling time, in a second snapshot.

    ``first`` violations were found in the first look, ``second`` in the second, ``seconds`` later. ``healed``
    are those of the first that held in the second, ``fresh`` those that failed in the second alone: both
    were in flight. None where that is not known; then ``why`` says the reason, and all of ``first`` stay
    violations.
    """

    first: int
    second: int | None = None
    healed: int | None = None
    fresh: int | None = None
    seconds: int = 0
    why: str = ""


@dataclass(frozen=True)
class Result:
    """The measured outcome of one check.

    ``violations`` and ``examined`` are exact row counts (None where nothing was measured). ``sample`` holds
    at most the configured number of violating rows, each a tuple of (column, value as text or None for
    NULL), personal values already masked; ``key`` names the columns of it that identify a row, and
    ``sample_complete`` tells whether a sample shows all violating rows (False where none violates).
    ``key_digest`` covers all violating keys, not just the sample; it is a SHA-256 over their number and the
    sums of their SHA-256 halves, so it does not depend on row order. ``foreign`` are the tables among those
    it rests on whose rows another server holds. ``trusted`` is what stood for rows that were not read out of
    the heap, because the run was told to believe it ("" for nothing). ``settled`` says what a second look
    found, where there was to be one: then ``violations`` are the rows that failed in both, and ``examined``
    is of the first. ``volume`` is a figure that is judged by earlier nights, and those nights.
    """

    check_id: str
    status: Status
    violations: int | None = None
    examined: int | None = None
    evidence: Evidence = Evidence.NONE
    enforced_by: str = ""
    sample: tuple[tuple[tuple[str, str | None], ...], ...] = ()
    key: tuple[str, ...] = ()
    sample_complete: bool = False
    key_digest: str = ""
    message: str = ""
    hint: str = ""
    sqlstate: str = ""
    sql: str = ""
    milliseconds: float = 0.0
    foreign: tuple[str, ...] = ()
    trusted: str = ""
    settled: Settled | None = None
    volume: VolumeFact | None = None


def vacuous(result: Result) -> bool:
    """Whether a check holds only because there was nothing to examine."""
    # Only a reading of rows can find none: elsewhere the examined things are objects of the catalogue.
    read = result.evidence in {*COUNTED, Evidence.STREAMED}
    return read and result.examined == 0 and result.violations == 0 and result.status is Status.PASS


def message_of(result: Result) -> str:
    """What is said of a result: its message, or that it holds vacuously, which follows from its numbers."""
    if not result.message and vacuous(result):
        return "holds vacuously: there were no rows to examine"
    return result.message
