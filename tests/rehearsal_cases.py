"""Made-up rehearsals for pages, verdicts and records: one in which everything occurs, one without a fault."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from kisaan_validate.facts.rehearsal import (
    Calibration,
    CanaryAccess,
    CanaryOutage,
    CanaryWatch,
    FileState,
    MigratedFile,
    MigrationDone,
    NotTried,
    OpenReader,
    OutageInterval,
    Rehearsal,
    RehearsedRun,
    RuleFinding,
    SecondsRange,
    SessionSetting,
)
from kisaan_validate.facts.rehearsed import (
    AgainState,
    ContractReview,
    InterruptedPoint,
    InterruptedReview,
    OldAppAnswer,
    PlannedQuery,
    QueryReview,
    QueryState,
    RehearsalStep,
    Rehearsed,
    RehearsedDump,
    RollbackTry,
    RollbackWay,
    Sameness,
    StepState,
    TwiceReview,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.tape import (
    SeenBy,
    SizeChange,
    StatementOutcome,
    TableRewrite,
    TableScan,
    Tape,
    TapeDetail,
    TapeLock,
    TapeStatement,
)

AT = datetime(2026, 11, 30, 2, 3, 4, tzinfo=UTC)
HASH = "ab" * 32


def _lock(table: str, mode: str, since: float, until: float | None, **more: object) -> TapeLock:
    return TapeLock(table, "table", table, mode, since, until, **more)  # type: ignore[arg-type]


def _statement(number: int, text: str, start: float, end: float, **more: object) -> TapeStatement:
    given: dict[str, object] = {
        "session": 7,
        "transaction": 1,
        "file": "20251018_05_timestamp_consistency.sql",
        "line": number + 1,
        "tag": "ALTER TABLE",
        "committed": end,
        "outcome": StatementOutcome.COMMITTED,
        "seen_by": SeenBy.TRIGGER,
        "detail": TapeDetail(0.0, "Asia/Kolkata"),
    }
    return TapeStatement(number=number, text=text, start=start, end=end, **{**given, **more})  # type: ignore[arg-type]


def _outage(relation: str, access: CanaryAccess, start: float, end: float, **more: object) -> CanaryOutage:
    least = end - start - 0.05
    interval = OutageInterval(start, end, least, (1,), **more)  # type: ignore[arg-type]
    span = SecondsRange(least, end - start)
    return CanaryOutage(relation, access, (interval,), span, span)


READ, WRITE = CanaryAccess.READ, CanaryAccess.WRITE


def quiet_run() -> RehearsedRun:
    """A migration that nobody felt."""
    statement = _statement(1, "ALTER TABLE kisaan_payments ADD COLUMN product_id integer", 0.5, 0.51)
    lock = _lock("kisaan_payments", "AccessExclusiveLock", 0.5, 0.51)
    tape = Tape(AT.isoformat(), 1.2, (replace(statement, locks=(lock,)),), 0.005)
    tables = ("kisaan_payments", "kisaan_transactions")
    done = MigrationDone(True, 0.9, (MigratedFile("20251018_03.sql", HASH, FileState.APPLIED, 0.02),))
    return RehearsedRun(done, tape, CanaryWatch(tables, tables, (), (), 0.02, 0.05, 400))


def clean() -> Rehearsed:
    """Everything was done, everything is known, nothing is wrong."""
    run = quiet_run()
    settings = (SessionSetting("TimeZone", "UTC", "--settings"),)
    calibration = Calibration("kisaan_payments", 5_000_000, 0.41, 1.23, 5_000_000)
    reader = OpenReader(30.0, 1.2, 2, "migration")
    beside = replace(run, reader=reader)
    rehearsal = Rehearsal("18.6", settings, calibration, run, beside, "", ())
    same = Sameness(True)
    return Rehearsed(
        AT,
        "0.9",
        RehearsedDump(
            "backup_20261129.sql.gz",
            HASH,
            183_000_000,
            "plain",
            "15.18",
            datetime(2026, 11, 29, 22, 0, tzinfo=UTC),
            91.3,
        ),
        rehearsal,
        ContractReview(Verdict.PASS, "contract.toml", "kisaan", 113, 9, 9, record="run-1"),
        (
            RollbackTry(RollbackWay.LITERAL, "psql kisaan_prod < backup.sql", 0, 0, False, (), 90.0, same),
            RollbackTry(RollbackWay.PROPER, "dropdb …", 0, 0, False, (), 95.0, same),
        ),
        InterruptedReview((InterruptedPoint(1, "ALTER TABLE …", AgainState.HEALED, "", same),), 1),
        TwiceReview((run.migration, run.migration), same),
        QueryReview(
            "queries.sql",
            (PlannedQuery("SELECT $1", 3, QueryState.SAME, Decimal(1), Decimal(1), Decimal(1)),),
        ),
        OldAppAnswer("npm start", "/api/health", True, 200, 2.3),
        steps=(RehearsalStep("restore", StepState.DONE, 91.3),),
        nouns=(("kisaan_payments", "payments"), ("kisaan_transactions", "sales")),
    )


def _loud_run(shift: float = 0.0) -> RehearsedRun:
    rewrite = TableRewrite("kisaan_payments", ("a column's type was altered",), 650_000_000)
    first = replace(
        _statement(
            1,
            "ALTER TABLE kisaan_payments\n  ALTER COLUMN created_at TYPE timestamptz,\n  ALTER COLUMN updated_at TYPE timestamptz",
            7384.0,
            7390.1 + shift,
            committed=7391.0 + shift,
        ),
        locks=(
            _lock("kisaan_payments", "AccessExclusiveLock", 7384.0, 7391.0 + shift, waited=shift),
            _lock("kisaan_transactions", "ShareRowExclusiveLock", 7390.0, None, sampled=True),
        ),
        rewrites=(rewrite,),
        scans=(
            TableScan("kisaan_payments", "rewriting", 7384.1),
            TableScan("kisaan_payments", "building", 7385.0, index="payments_pkey"),
            TableScan("kisaan_payments", "building", 7386.0, index="payments_status"),
        ),
        sizes=(SizeChange("kisaan_payments", 650_000_000, 702_000_000),),
        wal_bytes=91_000_000,
    )
    second = _statement(
        2,
        "UPDATE kisaan_payments SET payment_date = now() WHERE payment_date IS NULL AND note <> 'a@example.org'",
        7390.1 + shift,
        7390.6 + shift,
        seen_by=SeenBy.SAMPLES,
        tag="UPDATE",
        within=1,
        temp_bytes=12_345_678,
    )
    third = _statement(
        3,
        "ALTER TABLE kisaan_commissions ADD UNIQUE (shop_id, rate, type)",
        7391.0 + shift,
        7391.4 + shift,
        committed=None,
        outcome=StatementOutcome.FAILED,
        sqlstate="23505",
        error="could not create unique index",
    )
    outages = (
        _outage("kisaan_payments", WRITE, 7384.0, 7390.1 + shift),
        _outage("kisaan_payments", READ, 7384.0, 7390.1 + shift),
        _outage("kisaan_transactions", READ, 7390.0, 7390.4 + shift, open=True),
    )
    watch = CanaryWatch(
        ("kisaan_payments", "kisaan_transactions", "kisaan_users"),
        ("kisaan_payments", "kisaan_transactions"),
        outages,
        (NotTried("kisaan_users", WRITE, "it has no row"),),
        0.05,
        0.05,
        5_000,
        ("the canaries paused for 0.4 s",),
    )
    files = (
        MigratedFile("20251018_05_timestamp_consistency.sql", HASH, FileState.APPLIED, 6.4),
        MigratedFile(
            "20251018_06.sql", HASH, FileState.FAILED, 0.4, "23505", "could not create unique index", 3
        ),
        MigratedFile("20251018_07.sql", HASH, FileState.NOT_REACHED),
    )
    tape = Tape(
        AT.isoformat(), 7400.0 + shift, (first, second, third), 0.005, ("12 lines of the log are missing",)
    )
    return RehearsedRun(MigrationDone(False, 7391.5 + shift, files), tape, watch)


def everything() -> Rehearsed:
    """Each kind of fact, most of them bad."""
    loud = _loud_run()
    differs = Sameness(
        False, ("kisaan_payments: 5,000,000 rows changed (created_at, updated_at)",), ("the rows of x: lost",)
    )
    finding = RuleFinding(
        "rewrite-under-lock",
        "A table is rewritten under a lock that keeps everybody out",
        (1,),
        ("kisaan_payments",),
        "kisaan_payments (619.9 MB) is rewritten under AccessExclusiveLock",
        "add a new column, fill it in batches, then swap the names",
    )
    return replace(
        clean(),
        rehearsal=replace(
            clean().rehearsal,
            settings=(
                SessionSetting("TimeZone", "Asia/Kolkata", "--settings"),
                SessionSetting("lock_timeout", "0", "default"),
            ),
            calibration=replace(clean().rehearsal.calibration, there=None, reason="no --dsn was given"),  # type: ignore[type-var]
            alone=loud,
            beside_reader=replace(_loud_run(24.0), reader=OpenReader(30.0, 30.0, 3, "time")),
            findings=(
                finding,
                replace(
                    finding,
                    rule="no-lock-timeout",
                    title="No lock_timeout is set",
                    waived="agreed with the owner until 2026-12-31",
                ),
            ),
            not_proved=("3 statements ran in sessions that were not followed",),
        ),
        contract=ContractReview(
            Verdict.FAIL,
            "contract.toml",
            "kisaan",
            113,
            9,
            7,
            ("payments.instants: 5,000,000 values moved by 5 h 30 min",),
            ("kisaan_payments.created_at.not_future: 12 violations",),
            ("column kisaan_payments.note: removed",),
            ("check x: it was not answered",),
            "run-20261130",
        ),
        rollback=(
            RollbackTry(
                RollbackWay.LITERAL,
                "psql kisaan_prod < backup.sql",
                0,
                12,
                False,
                ('relation "kisaan_payments" already exists', "duplicate key"),
                41.5,
                differs,
            ),
            RollbackTry(RollbackWay.PROPER, "dropdb kisaan_prod && …", reason="stopped"),
        ),
        interrupted=InterruptedReview(
            (
                InterruptedPoint(1, "ALTER TABLE kisaan_payments …", AgainState.HEALED, "", Sameness(True)),
                InterruptedPoint(
                    2, "UPDATE kisaan_payments …", AgainState.WEDGED, 'column "x" already exists'
                ),
                InterruptedPoint(9, "gone", AgainState.DIFFERS, "kisaan_payments: 3 rows changed", differs),
                InterruptedPoint(3, "ALTER", AgainState.UNKNOWN, "it ended before it could be killed"),
            ),
            40,
        ),
        twice=TwiceReview((quiet_run().migration, loud.migration), differs, ("20251018_05.sql",)),
        queries=QueryReview(
            "the pg_stat_statements of production",
            (
                PlannedQuery(
                    "SELECT note FROM kisaan_payments WHERE id = $1",
                    812_000,
                    QueryState.BROKEN,
                    Decimal("8.3"),
                    None,
                    None,
                    "42703",
                    'column "note" does not exist',
                ),
                PlannedQuery(
                    "SELECT * FROM kisaan_payments WHERE created_at > $1",
                    40,
                    QueryState.DEARER,
                    Decimal("8.3"),
                    Decimal(90_000),
                    Decimal(88_000),
                ),
                PlannedQuery(
                    "SELECT count(*) FROM kisaan_transactions WHERE shop_id = $1",
                    None,
                    QueryState.NEEDS_ANALYZE,
                    Decimal("8.3"),
                    Decimal(90_000),
                    Decimal("8.4"),
                ),
                PlannedQuery("", 2, QueryState.UNKNOWN, error="its text is hidden"),
                PlannedQuery("SELECT $1", 3, QueryState.SAME, Decimal(1), Decimal(1), Decimal(1)),
            ),
            no_queries=4,
            lost_statistics=("kisaan_payments.created_at",),
        ),
        old_app=OldAppAnswer(
            "npm start", "/api/health", False, 503, 60.0, 1, "Error: column payments.note does not exist"
        ),
        unsteady=("the values of _migrations.executed_at",),
        dump=replace(
            clean().dump,
            taken_at=None,
            left_out=("event trigger audit: it would run as superuser",),
            notes=("the role app was created",),
        ),
        steps=(
            RehearsalStep("restore the dump", StepState.DONE, 91.3),
            RehearsalStep("second reader", StepState.SKIPPED, 0.0, "stopped"),
        ),
    )


def hostile() -> Rehearsed:
    """Names and texts of somebody who wants the page to do something."""
    evil = "</td><script>alert(1)</script>\u202e{{ 7*7 }}"
    base = everything()
    alone = base.rehearsal.alone
    statements = tuple(replace(s, text=evil, file=evil, error=evil) for s in alone.tape.statements)
    outages = tuple(replace(o, relation=evil) for o in alone.canaries.outages)
    run = replace(
        alone,
        tape=replace(alone.tape, statements=statements),
        canaries=replace(alone.canaries, outages=outages),
    )
    finding = replace(
        base.rehearsal.findings[0], title=evil, fact=evil, advice=evil, relations=(evil,), rule=evil
    )
    return replace(
        base,
        rehearsal=replace(base.rehearsal, alone=run, findings=(finding,), not_proved=(evil,)),
        contract=replace(base.contract, broken=(evil,), failing=(evil,), unexplained=(evil,), open=(evil,)),
        dump=replace(base.dump, name=evil, notes=(evil,), left_out=(evil,)),
        old_app=replace(base.old_app, command=evil, tail=evil, path=evil),  # type: ignore[type-var]
        nouns=((evil, evil),),
        unsteady=(evil,),
    )
