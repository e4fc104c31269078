"""What a run knew of the runs before it, of the same suite and database, when it was recorded.

Kept in the record, so that its page and its verdict are functions of the record alone.
"""

from __future__ import annotations

from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.ledger import Ledger, LedgerMoves
from kisaan_validate.facts.result import Status, Verdict

NIGHTS_KEPT = 30
"""So many nights before it a run remembers."""


@dataclass(frozen=True)
class PastAnswer:
    """The last outcome of a check that was an answer; ``rows`` is the digest of all violating keys, ""
    where it is not known.
    """

    status: Status
    violations: int | None
    rows: str


@dataclass(frozen=True)
class PastLine:
    """What is remembered of a check with one meaning.

    ``since`` is the first night of the failure that is open, ``nights`` are those on which it failed since
    then. ``silent``: the last night gave no answer. ``failed`` tells of the last answers, the oldest first,
    whether they were failures. ``counts`` are the violations of the last nights, None where there is no
    answer; the last belongs to the last night.
    """

    check: str = ""
    meaning: str = ""
    answered: PastAnswer | None = None
    since: datetime | None = None
    nights: int = 0
    silent: bool = False
    failed: tuple[bool, ...] = ()
    counts: tuple[int | None, ...] = ()


@dataclass(frozen=True)
class PastNight:
    """One earlier run. ``rows`` are the largest tables and their rows, ``suite_digest`` changes with the
    suite's sources. ``whole``: all of the suite was asked, and it came to its end. ``ledger_moves``: what
    came into the ledger of migrations, or went, since the night before it.
    """

    run: str
    at: datetime
    verdict: Verdict
    whole: bool
    milliseconds: int
    failing: int
    unanswered: int
    suite_digest: str
    rows: tuple[tuple[str, int], ...] = ()
    ledger_moves: LedgerMoves | None = None


@dataclass(frozen=True)
class PastMark:
    """What somebody wrote down as having happened at a time."""

    at: datetime
    text: str


@dataclass(frozen=True)
class SinceLast:
    """Of a check that fails: whether these rows failed on the last night that answered as well.

    ``known`` is True if that is proved, False if there are others or more, None if nothing tells.
    """

    check: str
    known: bool | None
    reason: str = ""


@dataclass(frozen=True)
class Remembered:
    """The runs before a run, as far as it remembers them.

    ``run`` is the last of them and ``digest`` the SHA-256 of its run.json. ``begins`` is the first night
    that was followed: a failure that is open since then may be older. ``lines`` are of checks of which there
    is more to say than that they held. ``every_seconds`` is how often the suite is to run, 0 if nobody said.
    ``ledger_moves``: what came into the ledger of migrations, or went, since the last run; ``ledger_before``
    is the last ledger that was read, where this run could not read it.
    """

    run: str
    digest: str
    begins: datetime
    nights: tuple[PastNight, ...]
    lines: tuple[PastLine, ...] = ()
    failures: tuple[SinceLast, ...] = ()
    marks: tuple[PastMark, ...] = ()
    every_seconds: int = 0
    ledger_moves: LedgerMoves | None = None
    ledger_before: Ledger | None = None
