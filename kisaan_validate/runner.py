"""Proves a suite on a live PostgreSQL: one snapshot, a few statements, a Run of measured facts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kisaan_validate.baseline import require_same_database
from kisaan_validate.catalogue import KIND_WORDS, Catalogue, Table, TableKey
from kisaan_validate.compile.plan import Plan, make_plan, tables_of
from kisaan_validate.compile.statements import Pass, Query
from kisaan_validate.database.catalogue import count_scope, read_catalogue
from kisaan_validate.database.session import Limits, Session
from kisaan_validate.database.target import Target, check_expectation, find_target
from kisaan_validate.database.volatility import volatile_calls
from kisaan_validate.errors import DatabaseError
from kisaan_validate.evidence import collect_keys
from kisaan_validate.execute.ask import Counted, ask, refuse
from kisaan_validate.execute.pool import Pool, Stop, Task
from kisaan_validate.execute.snapshot import Snapshot, rewritten, take_snapshot
from kisaan_validate.model import (
    Baseline,
    Check,
    ColumnFacts,
    Evidence,
    Notice,
    Result,
    Run,
    Selection,
    StatementFacts,
    Status,
    TableFacts,
)
from kisaan_validate.outcome import Answers, results_of, rows_of
from kisaan_validate.suite.load import Suite
from kisaan_validate.version import VERSION


@dataclass(frozen=True)
class Options:
    """How a run is done. ``count_all`` counts every table of the schemas, not only those with checks."""

    jobs: int = 2
    sample: int = 20
    limits: Limits = field(default_factory=Limits)
    trust_constraints: bool = False
    count_all: bool = False
    expect: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    baseline_digest: str = ""
    other_database: bool = False


@dataclass(frozen=True)
class Progress:
    """What is being done, and how far it is; ``total`` 0 means unknown."""

    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Connected:
    """The database that was reached, before anything of it is read."""

    host: str
    port: str
    database: str
    role: str
    source: str


Observer = Callable[[Progress | Connected], None]


def run(
    suite: Suite,
    dsn: str | Target | None = None,
    *,
    select: Iterable[str] = (),
    exclude: Iterable[str] = (),
    options: Options | None = None,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
) -> Run:
    """Prove ``suite`` on the database that ``dsn`` names (else KISAAN_DSN, DATABASE_URL, libpq's environment).

    Reads only, in one REPEATABLE READ READ ONLY snapshot. A check that could not be asked has status ERROR or
    SKIP in the returned Run; nothing that goes wrong on the server after the snapshot was taken raises.
    Raises TargetError (no connection, or not the expected database), SuiteError (a selection matches nothing) and
    DatabaseError (the server failed before the snapshot was taken).
    """
    target = dsn if isinstance(dsn, Target) else find_target(dsn)
    wanted = Selection(tuple(select), tuple(exclude))
    part = suite.narrowed(wanted.select, wanted.exclude)
    wanted = replace(wanted, partial=len(part.checks) < suite.total)
    runner = _Runner(part, target, wanted, options or Options(), observer, stop or Stop())
    return runner.run()


def explain(suite: Suite, dsn: str | Target | None = None, options: Options | None = None) -> Plan:
    """What :func:`run` would send to this database, without sending it: only the catalogue is read.

    Raises TargetError and DatabaseError.
    """
    target = dsn if isinstance(dsn, Target) else find_target(dsn)
    return _Runner(suite, target, Selection(), options or Options(), lambda _: None, Stop()).explain()


class _Runner:
    def __init__(
        self, suite: Suite, target: Target, selection: Selection, options: Options, observer: Observer, stop: Stop
    ) -> None:
        self.suite, self.target, self.selection = suite, target, selection
        self.options, self.observer, self.stop = options, observer, stop
        self.log: list[StatementFacts] = []
        self.started = datetime.now(UTC)

    def run(self) -> Run:
        settings = self.suite.settings
        holder = self._connect()
        try:
            snapshot = self._snapshot(holder)
            if self.options.baseline is not None and not self.options.other_database:
                require_same_database(self.options.baseline, snapshot.place)
            excluded = [t.name for t in snapshot.catalogue.tables.values() if settings.is_excluded(t.name)]
            scope = count_scope(snapshot.catalogue, excluded) if self.options.count_all else []
            plan = make_plan(
                self.suite,
                snapshot.catalogue,
                counted=scope,
                unavailable=snapshot.unavailable,
                volatile=volatile_calls(holder, self.suite, snapshot.catalogue),
                trust_constraints=self.options.trust_constraints,
            )
            results, rows, moved = self._execute(plan, snapshot)
        finally:
            holder.close()
        return self._assemble(snapshot, plan, results, rows, moved, excluded)

    def explain(self) -> Plan:
        holder = self._connect()
        try:
            holder.begin()
            catalogue = read_catalogue(holder, self.suite.settings.schemas, self.suite.settings.aliases)
            volatile = volatile_calls(holder, self.suite, catalogue)
        finally:
            holder.close()
        trust = self.options.trust_constraints
        return make_plan(self.suite, catalogue, volatile=volatile, trust_constraints=trust)

    def _connect(self) -> Session:
        """The first session: cancelled with the run, and refused if it is not the expected database."""
        holder = self._open()
        self.stop.on_request(holder.cancel)
        p = holder.parameters
        host = p.get("host") or "local socket"
        self.observer(Connected(host, p.get("port", ""), p.get("dbname", ""), p.get("user", ""), self.target.source))
        check_expectation(holder, self.options.expect, self.target)
        return holder

    def _open(self) -> Session:
        return Session(self.target, self.options.limits, self.suite.settings.schemas)

    def _snapshot(self, holder: Session) -> Snapshot:
        self.observer(Progress("reading the catalogue"))
        settings = self.suite.settings
        holder.begin()
        first_look = read_catalogue(holder, settings.schemas, settings.aliases)
        holder.execute("ROLLBACK")
        tables = tables_of(self.suite, first_look)
        if self.options.count_all:
            tables |= {t.key: t for t in count_scope(first_look) if not settings.is_excluded(t.name)}
        self.observer(Progress("locking"))
        ordered = [tables[key] for key in sorted(tables)]
        return take_snapshot(holder, ordered, settings.schemas, settings.aliases, self.target.source)

    def _execute(self, plan: Plan, snapshot: Snapshot) -> tuple[dict[str, Result], dict[TableKey, int], set[TableKey]]:
        pool = Pool(self._open, snapshot.id, snapshot.locked, self.options.jobs)
        settings = self.suite.settings
        try:
            answers = self._count(pool, plan)
            results, log = collect_keys(
                pool, plan, results_of(plan, answers, settings.personal), self.options.sample, settings.is_personal,
                self.stop, lambda done, total: self.observer(Progress("collecting evidence", done, total)),
            )  # fmt: skip
            self.log += log
            return results, rows_of(answers), self._moved(pool, snapshot)
        finally:
            pool.close()

    def _count(self, pool: Pool, plan: Plan) -> Answers:
        # The largest tables first: the longest statement should not be the last to begin.
        statements = sorted(plan.counting, key=_size, reverse=True)
        tasks = [Task(_asker(s), _refuser(s)) for s in statements]
        total = len(tasks)
        self.observer(Progress("checking", 0, total))
        answers = pool.run(tasks, self.stop, lambda done: self.observer(Progress("checking", done, total)))
        for answer in answers:
            self.log += answer.log
        return list(zip(statements, answers, strict=True))

    def _moved(self, pool: Pool, snapshot: Snapshot) -> set[TableKey]:
        """Tables rewritten under the snapshot; all of them if nobody is left to look."""
        for session in pool.sessions:
            try:
                session.execute("ROLLBACK")
                return rewritten(session, snapshot)
            except DatabaseError:
                continue
        return {t.key for t in snapshot.locked} if not self.stop.requested else set()

    def _assemble(
        self, snapshot: Snapshot, plan: Plan, results: dict[str, Result], rows: Mapping[TableKey, int],
        moved: set[TableKey], excluded: Sequence[str],
    ) -> Run:  # fmt: skip
        catalogue = snapshot.catalogue
        for check in plan.checks:
            result = results.get(check.id)
            if result is None:
                results[check.id] = Result(check.id, Status.ERROR, message=f"not asked: {self.stop.reason or 'unknown'}")
            elif moved and result.evidence is Evidence.SCANNED:
                results[check.id] = self._fenced(check, result, catalogue, moved)
        tables = _table_facts(catalogue, plan, rows, moved, self.options.count_all, excluded)
        writable = sorted({t.name for t in tables_of(self.suite, catalogue).values() if t.writable})
        notices = list(snapshot.notices)
        if writable and not any(n.code == "superuser" for n in notices):
            message = f"the role {snapshot.place.role} could write to {', '.join(writable[:5])}"
            message += f" and {len(writable) - 5} more tables" if len(writable) > 5 else ""
            notices.append(Notice("writable", message, "validate with a role that has only SELECT"))
        finished = datetime.now(UTC)
        return Run(
            id=f"{self.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            started_at=self.started,
            finished_at=finished,
            tool_version=VERSION,
            suite=self.suite.facts,
            place=snapshot.place,
            selection=self.selection,
            settings=self._settings(),
            tables=tables,
            checks=plan.checks,
            results=tuple(results[c.id] for c in plan.checks),
            notices=tuple(notices),
            statements=tuple(self.log),
            baseline_digest=self.options.baseline_digest,
            interrupted=self.stop.reason,
        )

    def _fenced(self, check: Check, result: Result, catalogue: Catalogue, moved: set[TableKey]) -> Result:
        rule = self.suite.rules[check.id]
        names = {check.table, *(name for name, _ in rule.needs(check.table, check.columns))} - {""}
        touched = {t.key for name in names if (t := catalogue.find(name)) is not None} & moved
        if not touched:
            return result
        listed = ", ".join(sorted(name for _, name in touched))
        message = f"{listed} was truncated or rewritten while it was read (or could not be looked at again)"
        return Result(check.id, Status.ERROR, message=message, hint="run again when no migration is running", sql=result.sql)

    def _settings(self) -> dict[str, str]:
        limits = self.options.limits
        return {
            "jobs": str(self.options.jobs),
            "sample": str(self.options.sample),
            "lock_timeout_ms": str(limits.lock_timeout),
            "statement_timeout_ms": str(limits.statement_timeout),
            "temp_limit_bytes": str(limits.temp_bytes),
            "trust_constraints": str(self.options.trust_constraints).lower(),
        }


def _asker(statement: Pass | Query) -> Callable[[Session], Counted]:
    return lambda session: ask(session, statement)


def _refuser(statement: Pass | Query) -> Callable[[DatabaseError], Counted]:
    return lambda error: refuse(statement, error)


def _size(statement: Pass | Query) -> int:
    if isinstance(statement, Query):
        return statement.table.estimated_rows if statement.table is not None else 0
    return statement.table.estimated_rows


def _table_facts(
    catalogue: Catalogue, plan: Plan, rows: Mapping[TableKey, int], moved: set[TableKey], all_tables: bool,
    excluded: Sequence[str],
) -> tuple[TableFacts, ...]:  # fmt: skip
    wanted: dict[TableKey, Table] = {s.table.key: s.table for s in plan.passes if s.counts_table}
    wanted |= {key: catalogue.tables[key] for key in plan.uncounted}
    facts = []
    for key in sorted(wanted):
        table = wanted[key]
        count = None if key in moved else rows.get(key)
        reason = "" if count is not None else plan.uncounted.get(key, "rewritten while read" if key in moved else "not counted")
        columns = tuple(ColumnFacts(c.name, c.type, c.not_null, c.default) for c in table.columns.values())
        facts.append(TableFacts(table.schema, table.name, KIND_WORDS[table.kind], count, reason, columns))
    return tuple(facts)
