"""What a rehearsal found beside the tape: queries, previous build, rollbacks, interruptions, contract.

Nothing is true here because nothing was found: what was not done has a ``reason``, what is not known is None.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.probe import Probed
from kisaan_validate.facts.rehearsal import MigrationDone, Rehearsal
from kisaan_validate.facts.result import Verdict


class QueryState(StrEnum):
    """What the migration does to the plan of a query."""

    SAME = "plans as before"
    BROKEN = "no longer plans"
    DEARER = "much dearer"
    NEEDS_ANALYZE = "much dearer until ANALYZE"
    UNKNOWN = "cannot tell"
    """It did not plan before the migration either, or its text is not known."""


@dataclass(frozen=True)
class PlannedQuery:
    """A query's estimated cost before the migration, right after it, and after ANALYZE, as the planner says.

    ``calls`` is how often production ran it, None where that is not known. ``error`` is the server's.
    """

    text: str
    calls: int | None
    state: QueryState
    before: Decimal | None = None
    fresh: Decimal | None = None
    after: Decimal | None = None
    sqlstate: str = ""
    error: str = ""


@dataclass(frozen=True)
class QueryReview:
    """Whether the queries of an application still plan. ``source`` says where their texts are from.

    ``reason`` says why none was planned ("" if they were). ``no_queries`` counts texts that read and change
    no rows, such as SET. ``lost_statistics`` are columns (table.column) that have none until ANALYZE.
    """

    source: str
    plans: tuple[PlannedQuery, ...] = ()
    reason: str = ""
    no_queries: int = 0
    lost_statistics: tuple[str, ...] = ()

    def of(self, state: QueryState) -> tuple[PlannedQuery, ...]:
        """The queries to which this happens."""
        return tuple(plan for plan in self.plans if plan.state is state)


@dataclass(frozen=True)
class OldAppAnswer:
    """Whether the build before the migration works with the database after it.

    ``status`` is the last HTTP status of its health path, None if it never answered; ``healthy`` is None
    where it was not tried, and ``reason`` says why. ``seconds`` is until that answer, or until we gave up.
    ``ended`` is the exit code of a command that ended by itself.
    """

    command: str
    path: str
    healthy: bool | None
    status: int | None = None
    seconds: float = 0.0
    ended: int | None = None
    tail: str = ""
    reason: str = ""


@dataclass(frozen=True)
class NewAppProbed:
    """Whether the build after the migration passes its probes on the migrated copy.

    ``probed`` is None where none was sent, and ``reason`` says why. ``ended`` is the exit code of a command
    that ended by itself.
    """

    command: str
    probed: Probed | None
    ended: int | None = None
    tail: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Sameness:
    """Whether one database equals another, row by row and in its schema.

    ``equal`` is None where something could not be compared (``unknown``) and nothing else differs.
    ``left_out`` are columns that were not compared, with the reason.
    """

    equal: bool | None
    differing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


class RollbackWay(StrEnum):
    """How a rollback was done."""

    LITERAL = "the dump into the migrated database"
    PROPER = "a new database from the dump"


@dataclass(frozen=True)
class RollbackTry:
    """One rollback of the migrated copy. ``command`` is what a person would type.

    ``errors`` counts those that its client printed, or the last of them if ``at_least``; ``first_errors`` are
    without values. ``same`` compares with the state before the migration; None with a ``reason`` where it was
    not done.
    """

    way: RollbackWay
    command: str
    exit_code: int | None = None
    errors: int | None = None
    at_least: bool = False
    first_errors: tuple[str, ...] = ()
    seconds: float | None = None
    same: Sameness | None = None
    reason: str = ""

    @property
    def restores(self) -> bool | None:
        """Whether everything was as before; None: not known."""
        return None if self.same is None else self.same.equal


class AgainState(StrEnum):
    """How a migration ended that was run again after an interruption."""

    HEALED = "heals"
    """It ended well, and the database equals that of an undisturbed migration."""
    WEDGED = "wedges"
    """It fails when it is run again."""
    DIFFERS = "ends differently"
    """It ended well, but the database is not that of an undisturbed migration."""
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class InterruptedPoint:
    """The migration was killed before its change ``at`` (the first is 1), and run again on the same copy.

    ``text`` says what that change would have been. ``error`` is the second run's, or why it is not known.
    ``severity`` and ``waived`` are as of a finding, where it did not heal.
    """

    at: int
    text: str
    state: AgainState
    error: str = ""
    same: Sameness | None = None
    severity: Severity = Severity.BLOCKING
    waived: str = ""

    @property
    def hurts(self) -> bool:
        """Whether it needs manual work, or left a different database."""
        return self.state in {AgainState.WEDGED, AgainState.DIFFERS}

    @property
    def fails(self) -> bool:
        """Whether it fails the migration."""
        return self.hurts and not self.waived and self.severity is Severity.BLOCKING


@dataclass(frozen=True)
class InterruptedReview:
    """The migration killed before some of its ``changes``: statements that alter the schema or write rows.

    The points are evenly chosen where there are many.
    """

    points: tuple[InterruptedPoint, ...] = ()
    changes: int = 0
    reason: str = ""


@dataclass(frozen=True)
class TwiceReview:
    """The migration started twice at once on one copy. ``ends`` tells of each run how it ended.

    ``duplicates`` are entries of the ledger of migrations that are there more than once.
    """

    ends: tuple[MigrationDone, ...] = ()
    same: Sameness | None = None
    duplicates: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class ContractReview:
    """The run of the suite after the rehearsed migration, compared with the baseline before it.

    ``verdict`` None: it was not run, ``reason`` says why. ``broken`` are the promises that were not kept,
    ``failing`` the checks, ``unexplained`` the differences that no promise covers, ``open`` what has no
    answer: each in words. ``record`` names its folder beside the page.
    """

    verdict: Verdict | None
    contract: str = ""
    suite: str = ""
    checks: int = 0
    promises: int = 0
    kept: int = 0
    broken: tuple[str, ...] = ()
    failing: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    record: str = ""
    reason: str = ""


@dataclass(frozen=True)
class RehearsedDump:
    """The dump that was restored. ``left_out`` are its objects that were not, by name and with the reason.

    ``taken_at`` None: the dump does not say. ``encoding`` and so on are the server's words.
    """

    name: str
    sha256: str
    size: int
    format: str
    server_version: str
    taken_at: datetime | None
    restored_seconds: float
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class StepState(StrEnum):
    """Whether a step of the rehearsal was done."""

    DONE = "done"
    NOT_ASKED = "not asked for"
    SKIPPED = "not done"
    FAILED = "failed"


@dataclass(frozen=True)
class RehearsalStep:
    """One step, and how long it took. ``reason`` says why it was not done."""

    name: str
    state: StepState
    seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class Rehearsed:
    """A whole rehearsal, as the page shows it. ``zone`` is the migrating session's TimeZone. ``nouns`` are
    what people call the tables. ``queries`` and so on None: that was not asked for.
    """

    at: datetime
    version: str
    dump: RehearsedDump
    rehearsal: Rehearsal
    contract: ContractReview
    rollback: tuple[RollbackTry, ...] = ()
    interrupted: InterruptedReview = InterruptedReview(reason="not done")
    twice: TwiceReview = TwiceReview(reason="not done")
    queries: QueryReview | None = None
    old_app: OldAppAnswer | None = None
    new_app: NewAppProbed | None = None
    unsteady: tuple[str, ...] = ()
    """What differs between two undisturbed migrations of one copy, as values of now() do."""
    steps: tuple[RehearsalStep, ...] = ()
    nouns: tuple[tuple[str, str], ...] = ()
    interrupted_by: str = ""


class ReasonKind(StrEnum):
    """What a reason of a rehearsal's verdict is about."""

    MIGRATION = "migration"
    CONTRACT = "contract"
    RULE = "rule"
    QUERY = "query"
    OUTAGE = "outage"
    ROLLBACK = "rollback"
    INTERRUPTED = "interrupted"
    TWICE = "twice"
    OLD_APP = "previous build"
    NEW_APP = "new build"
    TAPE = "tape"
    CANARIES = "canaries"
    REHEARSAL = "rehearsal"


@dataclass(frozen=True)
class VerdictReason:
    """Why a rehearsal's verdict is what it is, or what it warns of."""

    kind: ReasonKind
    words: str


@dataclass(frozen=True)
class RehearsalJudgement:
    """The verdict: FAIL if anything is in ``failures``, else INCONCLUSIVE if anything is ``open``.

    ``warnings`` decide nothing: what people must know who are going to migrate.
    """

    verdict: Verdict
    failures: tuple[VerdictReason, ...] = ()
    open: tuple[VerdictReason, ...] = ()
    warnings: tuple[VerdictReason, ...] = ()
