"""One rehearsal from start to end: a dump restored once, then a clone for each question.

The steps are named here, in their order; each is a function of a module beside this one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsal import (
    Calibration,
    Rehearsal,
    RehearsedRun,
    RuleFinding,
    SessionSetting,
)
from kisaan_validate.facts.rehearsed import (
    ContractReview,
    InterruptedReview,
    NewAppProbed,
    OldAppAnswer,
    QueryReview,
    Rehearsed,
    RehearsedDump,
    RollbackTry,
    RollbackWay,
    TwiceReview,
)
from kisaan_validate.plan.keyed import SealedDigests
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.calibrating import calibrate
from kisaan_validate.rehearse.exposure import filled
from kisaan_validate.rehearse.interrupted import POINTS, AgainGround, interrupted, twice_at_once
from kisaan_validate.rehearse.ledger_promise import with_ledger
from kisaan_validate.rehearse.migrate import give_settings, read_settings
from kisaan_validate.rehearse.migrating import Migrating, migration_error
from kisaan_validate.rehearse.newapp import NewAppAsked, probe_new_app
from kisaan_validate.rehearse.oldapp import ask_old_app
from kisaan_validate.rehearse.proving import ProvedBy, copy_baseline, prove_copy, review_contract
from kisaan_validate.rehearse.queries import QueryLook, cannot_plan, look_at_queries, review_queries
from kisaan_validate.rehearse.query_texts import QueryTexts
from kisaan_validate.rehearse.rollback import RollbackCommands, literal_rollback, proper_rollback
from kisaan_validate.rehearse.rules import RuleGround, rule_findings
from kisaan_validate.rehearse.rules.base import LEDGERS
from kisaan_validate.rehearse.run import READER_SECONDS, RehearsalPlace, rehearsed_run
from kisaan_validate.rehearse.sameness import Comparer
from kisaan_validate.rehearse.steps import Steps
from kisaan_validate.rehearse.times import setting_seconds
from kisaan_validate.rehearse.trouble import put_away, require_server, require_server_under_tape
from kisaan_validate.rehearse.waiving import waive, weigh
from kisaan_validate.version import VERSION

if TYPE_CHECKING:
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.scratch.client import Finished
    from kisaan_validate.scratch.server import Scratch
    from kisaan_validate.verdict.judgement import Judgement
    from kisaan_validate.verdict.waivers import Waiver

SOURCE, ALONE, BESIDE = "rehearsal_source", "rehearsal_alone", "rehearsal_beside"
"""The databases of the scratch server: as restored; migrated alone; migrated beside an open reader."""


@dataclass(frozen=True)
class RollbackDoors:
    """How to roll back: ``literal`` passes the dump into a database and goes on after errors; ``proper``
    makes a new database of a name and returns the errors. ``commands`` are what a person would type.
    """

    commands: RollbackCommands
    literal: Callable[[str], Finished]
    proper: Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class OldAppAsked:
    """The previous build: its command, its health path, and how long it may take, in seconds."""

    command: str
    health: str
    timeout: float


@dataclass(frozen=True)
class RehearsalRequest:
    """What is rehearsed. The dump is restored into SOURCE already, where nobody works.

    ``settings`` are those of the migrating session. ``reader_seconds`` 0: no reader is left open. ``points``:
    how often the migration is interrupted. ``queries`` None: nobody named any. ``production`` is only read.
    ``waivers`` and ``severities`` are those of rules, by id. ``say`` is told each step.
    """

    scratch: Scratch
    migrating: Migrating
    dump: RehearsedDump
    by: ProvedBy | None
    settings: Mapping[str, str] = field(default_factory=dict)
    queries: QueryTexts | None = None
    old_app: OldAppAsked | None = None
    new_app: NewAppAsked | None = None
    rollback: RollbackDoors | None = None
    production: Target | None = None
    reader_seconds: float = READER_SECONDS
    points: int = POINTS
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    severities: Mapping[str, Severity] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)
    stop: Stop = field(default_factory=Stop)
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class RehearsalOutcome:
    """What a rehearsal found, and the run that proved the data after it (None: there was none). ``contract``
    is the digest of the contract as it was given, "" if none was.
    """

    found: Rehearsed
    proved: Judgement | None
    contract: str = ""


def rehearse(request: RehearsalRequest) -> RehearsalOutcome:
    """The steps. Raises KisaanError where the migration could not be started at all; afterwards what fails is
    told in the answer.
    """
    return _Rehearsing(request).run()


class _Rehearsing:
    def __init__(self, request: RehearsalRequest) -> None:
        self.request, self.scratch, self.by = request, request.scratch, request.by
        self.steps = Steps(request.stop, request.say)
        self.comparer = Comparer(request.scratch, stop=request.stop)
        self.sealed = SealedDigests.fresh()
        self.version = int(self.scratch.execute("SHOW server_version_num")[0][0])
        self.server = str(self.scratch.execute("SHOW server_version")[0][0]).split()[0]

    def run(self) -> RehearsalOutcome:
        request, steps = self.request, self.steps
        settings = steps.must("prepare the copy", self.prepare)
        calibration = steps.do("time this machine", self.calibrated)
        before = steps.do("plan the queries before", lambda: self.look(SOURCE)) if self.planned else None
        if request.by:
            steps.do("read the ledger", self.promise_ledger)
        baseline = steps.do("take the baseline", self.baseline) if request.by else None
        alone = steps.must("migrate under the tape", lambda: self.migrated(ALONE, None))
        queries = self.queries(before)
        proved = self.proved(baseline)
        beside = self.beside()
        undisturbed = self.undisturbed(alone, beside)
        rollback, app, new_app = self.rollbacks(), self.app(), self.new_app()
        again, twice = self.again(alone, undisturbed)
        rehearsal = Rehearsal(
            self.server,
            settings,
            calibration,
            alone,
            beside,
            self.reader_reason(beside),
            self.findings(alone, settings),
        )
        found = Rehearsed(
            at=datetime.now(UTC).replace(microsecond=0),
            version=VERSION,
            dump=request.dump,
            rehearsal=rehearsal,
            contract=self.contract(proved),
            rollback=rollback,
            interrupted=again,
            twice=twice,
            queries=queries,
            old_app=app,
            new_app=new_app,
            unsteady=self.comparer.unsteady.words,
            steps=tuple(steps.done),
            nouns=tuple(sorted(request.nouns.items())),
            interrupted_by=request.stop.reason if request.stop.requested else "",
        )
        given = request.by.contract if request.by is not None else None
        return RehearsalOutcome(found, proved, given.digest if given is not None else "")

    # --- before --------------------------------------------------------------------------------------

    def prepare(self) -> tuple[SessionSetting, ...]:
        """Settings of the migrating session, statistics; the settings as such a session has them."""
        scratch = self.scratch
        connection = scratch.connect(SOURCE)
        try:
            with connection.cursor() as cursor:
                give_settings(cursor, scratch.owner, SOURCE, self.request.settings)
                cursor.execute("ANALYZE")
        finally:
            connection.close()
        session = scratch.connect(SOURCE, scratch.owner)
        try:
            with session.cursor() as cursor:
                return read_settings(cursor)
        finally:
            session.close()

    def calibrated(self) -> Calibration | None:
        return calibrate(self.scratch, SOURCE, self.request.production, self.request.stop)

    @property
    def planned(self) -> QueryTexts | None:
        """The queries, where this server can plan them."""
        texts = self.request.queries
        return texts if texts is not None and texts.texts and not cannot_plan(self.version) else None

    def look(self, database: str) -> QueryLook:
        assert self.planned is not None
        return look_at_queries(self.scratch, database, self.planned)

    def promise_ledger(self) -> bool:
        """What the runner itself will write is promised."""
        if self.by is not None and self.by.contract is not None:
            settings, migrating = self.by.suite.settings, self.request.migrating
            made = with_ledger(self.by.contract, settings, migrating, self.scratch, SOURCE)
            self.by = replace(self.by, contract=made)
        return True

    def baseline(self) -> Baseline:
        assert self.by is not None
        return copy_baseline(self.scratch, SOURCE, self.by, self.sealed, self.request.stop)

    # --- the migration -------------------------------------------------------------------------------

    def migrated(self, database: str, reader: float | None) -> RehearsedRun:
        """The migration on a new clone under tape and canaries, perhaps beside an open reader."""
        scratch, migrating = self.scratch, self.request.migrating
        scratch.clone(SOURCE, database)
        place = RehearsalPlace(
            lambda: scratch.connect(database), scratch.dsn(database, "postgres"), migrating.files
        )
        done = rehearsed_run(place, lambda: migrating.run(database), reader_seconds=reader)
        require_server_under_tape(done, scratch)
        return done

    def beside(self) -> RehearsedRun | None:
        name, seconds = "migrate beside an open reader", self.request.reader_seconds
        if not seconds:
            self.steps.leave_out(name, "no reader was asked for")
            return None
        return self.steps.do(name, lambda: self.migrated(BESIDE, seconds))

    def reader_reason(self, beside: RehearsedRun | None) -> str:
        return "" if beside is not None else self.steps.why("migrate beside an open reader")

    def findings(self, alone: RehearsedRun, settings: tuple[SessionSetting, ...]) -> tuple[RuleFinding, ...]:
        """What the rules find on the tape, with the waivers for it."""
        timeout = next((s.value for s in settings if s.name == "lock_timeout"), "")
        ledger = self.request.migrating.ledger.table.rpartition(".")[2].lower()
        limit = setting_seconds(timeout) if timeout else None
        ground = RuleGround(LEDGERS | {ledger}, limit, self.request.severities)
        found = rule_findings(alone.tape, ground)
        return waive(found, self.request.waivers, datetime.now(UTC))

    # --- after it ------------------------------------------------------------------------------------

    def queries(self, before: QueryLook | None) -> QueryReview | None:
        texts = self.request.queries
        if texts is None:
            return None
        if why := cannot_plan(self.version):
            return QueryReview(texts.source, reason=why, no_queries=texts.no_queries)
        if not texts.texts or before is None:
            reason = texts.reason or self.steps.why("plan the queries before") or "there are none"
            return QueryReview(texts.source, reason=reason, no_queries=texts.no_queries)
        fresh = self.steps.do("plan the queries after", lambda: self.look(ALONE))
        after = self.steps.do("plan them after ANALYZE", self.analysed)
        if fresh is None or after is None:
            return QueryReview(texts.source, reason="they were not planned after the migration")
        return review_queries(texts, before, fresh, after)

    def analysed(self) -> QueryLook:
        self.scratch.execute("ANALYZE", ALONE)
        return self.look(ALONE)

    def proved(self, baseline: Baseline | None) -> Judgement | None:
        by = self.by
        if by is None or baseline is None:
            return None
        return self.steps.do(
            "run the suite after it",
            lambda: prove_copy(self.scratch, ALONE, by, baseline, self.sealed, self.request.stop),
        )

    def contract(self, proved: Judgement | None) -> ContractReview:
        if proved is not None:
            return review_contract(proved)
        reason = self.steps.why("run the suite after it") or self.steps.why("take the baseline")
        return ContractReview(None, reason=reason or "no suite was named")

    def undisturbed(self, alone: RehearsedRun, beside: RehearsedRun | None) -> bool:
        """Whether two undisturbed migrations were compared, so that what differs by itself is known."""
        if not alone.migration.succeeded:
            return False
        other = BESIDE
        if beside is None or not beside.migration.succeeded:
            other = "rehearsal_again"
            made = self.steps.do("migrate once more, undisturbed", lambda: self.once_more(other))
            if made is None:
                return False
        compared = self.steps.do(
            "compare two migrations", lambda: self.comparer.unsteady_between(ALONE, other)
        )
        if compared is None or not compared.known:
            return False
        self.comparer = replace(self.comparer, unsteady=compared)
        return True

    def once_more(self, database: str) -> bool:
        self.scratch.clone(SOURCE, database)
        done = self.request.migrating.run(database)
        require_server(done, self.scratch)
        return done.succeeded

    def rollbacks(self) -> tuple[RollbackTry, ...]:
        """The runbook's rollback on a clone of the migrated copy, and the proper one."""
        doors = self.request.rollback
        if doors is None:
            return ()
        # What the migration writes by now() is no matter here: all must be as before.
        plain = Comparer(self.scratch, stop=self.request.stop)

        def literal() -> RollbackTry:
            self.scratch.clone(ALONE, "rehearsal_literal")
            command = doors.commands.literal
            return literal_rollback(
                plain, SOURCE, "rehearsal_literal", command, lambda: doors.literal("rehearsal_literal")
            )

        def proper() -> RollbackTry:
            command = doors.commands.proper
            return proper_rollback(
                plain, SOURCE, "rehearsal_proper", command, lambda: doors.proper("rehearsal_proper")
            )

        names = {RollbackWay.LITERAL: literal, RollbackWay.PROPER: proper}
        tried = [self.steps.do(f"roll back by {way}", work) for way, work in names.items()]
        for database in ("rehearsal_literal", "rehearsal_proper"):
            put_away(self.scratch, database)
        return tuple(one for one in tried if one is not None)

    def app(self) -> OldAppAnswer | None:
        """The previous build on a clone of the migrated copy, in which it may write."""
        asked = self.request.old_app
        if asked is None:
            return None

        def work() -> OldAppAnswer:
            return ask_old_app(
                asked.command,
                asked.health,
                self.app_environment("rehearsal_app"),
                Path(self.scratch.folder) / "work",
                timeout=asked.timeout,
                stop=self.request.stop,
            )

        name = "start the previous build"
        found = self.steps.do(name, work)
        put_away(self.scratch, "rehearsal_app")
        return found or OldAppAnswer(asked.command, asked.health, None, reason=self.steps.why(name))

    def new_app(self) -> NewAppProbed | None:
        """The new build on another clone of the migrated copy, in which its probes write."""
        asked = self.request.new_app
        if asked is None:
            return None
        name, folder = "probe the new build", Path(self.scratch.folder) / "work"
        found = self.steps.do(
            name,
            lambda: probe_new_app(
                asked, self.app_environment("rehearsal_new_app"), folder, self.request.stop
            ),
        )
        put_away(self.scratch, "rehearsal_new_app")
        return found or NewAppProbed(asked.command, None, reason=self.steps.why(name))

    def app_environment(self, database: str) -> dict[str, str]:
        """A new clone of the migrated copy, as a command is told of it."""
        self.scratch.clone(ALONE, database)
        copy = self.scratch.environment(database)
        return {**copy, **filled(self.request.migrating.environment, copy)}

    def again(self, alone: RehearsedRun, undisturbed: bool) -> tuple[InterruptedReview, TwiceReview]:
        """Interrupted, and twice at once: only where two undisturbed migrations end well."""
        why = ""
        if not alone.migration.succeeded:
            why = f"the migration fails by itself: {migration_error(alone.migration)}"
        elif not undisturbed:
            why = "two undisturbed migrations could not be compared"
        if why:
            return InterruptedReview(reason=why), TwiceReview(reason=why)
        ground = AgainGround(self.request.migrating, self.comparer, SOURCE, ALONE, self.request.say)
        points = self.request.points
        first: Any = None
        if points:
            first = self.steps.do("interrupt it and run it again", lambda: interrupted(ground, points))
        reason = self.steps.why("interrupt it and run it again") or "no interruption was asked for"
        second = self.steps.do("start it twice at once", lambda: twice_at_once(ground))
        request = self.request
        return (
            weigh(first, request.severities, request.waivers, datetime.now(UTC))
            if first
            else InterruptedReview(reason=reason),
            second or TwiceReview(reason=self.steps.why("start it twice at once")),
        )
