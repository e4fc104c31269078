"""Proves a suite on a live PostgreSQL: one snapshot, a few statements, a Run of measured facts."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from kisaan_validate.catalogue import KIND_WORDS, Catalogue, Table, TableKey
from kisaan_validate.compile.plan import Plan, author_sql, make_plan, tables_of
from kisaan_validate.compile.statements import Pass, Query, Slot
from kisaan_validate.database.catalogue import count_scope, read_catalogue, volatile_names
from kisaan_validate.database.session import Limits, Session
from kisaan_validate.database.target import Target, find_target
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import Counted, TooLarge, ask_pass, ask_query, too_large
from kisaan_validate.execute.pool import Pool, Stop, Task
from kisaan_validate.execute.snapshot import Snapshot, rewritten, take_snapshot
from kisaan_validate.model import (
    MASKED,
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
    baseline_digest: str = ""


@dataclass(frozen=True)
class Progress:
    """What is being done, and how far it is; ``total`` 0 means unknown."""

    phase: str
    done: int = 0
    total: int = 0


Observer = Callable[[Progress], None]


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
        holder = self._open()
        try:
            check_expectation(holder, self.options.expect, self.target)
            snapshot = self._snapshot(holder)
            excluded = [t.name for t in snapshot.catalogue.tables.values() if settings.is_excluded(t.name)]
            scope = count_scope(snapshot.catalogue, excluded) if self.options.count_all else []
            plan = make_plan(
                self.suite,
                snapshot.catalogue,
                counted=scope,
                unavailable=snapshot.unavailable,
                volatile=self._volatile(holder, snapshot.catalogue),
                trust_constraints=self.options.trust_constraints,
            )
            results, rows, moved = self._execute(plan, snapshot)
        finally:
            holder.close()
        return self._assemble(snapshot, plan, results, rows, moved, excluded)

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

    def _volatile(self, holder: Session, catalogue: Catalogue) -> dict[str, set[str]]:
        """The volatile functions that author-written SQL could call, by check id; a failure to look is a refusal."""
        found: dict[str, set[str]] = {}
        for id, calls in author_sql(self.suite).items():
            rule, check = self.suite.rules[id], next(c for c in self.suite.checks if c.id == id)
            read = (catalogue.find(name) for name, _ in rule.needs(check.table, check.columns))
            names = volatile_names(holder, calls, [t.oid for t in read if t is not None and t.kind == "v"])
            found[id] = names
        return found

    def _execute(self, plan: Plan, snapshot: Snapshot) -> tuple[dict[str, Result], dict[TableKey, int], set[TableKey]]:
        pool = Pool(self._open, snapshot.id, snapshot.locked, self.options.jobs)
        try:
            counted = self._count(pool, plan)
            rows = _rows_of(plan, counted)
            results = self._results(plan, counted, rows)
            self._sample(pool, plan, results)
            return results, rows, self._moved(pool, snapshot)
        finally:
            pool.close()

    def _count(self, pool: Pool, plan: Plan) -> list[tuple[Pass | Query, Counted]]:
        statements: list[Pass | Query] = sorted([*plan.passes, *plan.queries], key=_size, reverse=True)
        tasks = [Task(_asker(s), _refuser(s)) for s in statements]
        total = len(tasks)
        self.observer(Progress("checking", 0, total))
        answers = pool.run(tasks, self.stop, lambda done: self.observer(Progress("checking", done, total)))
        for answer in answers:
            self.log += answer.log
        return list(zip(statements, answers, strict=True))

    def _results(
        self, plan: Plan, counted: Sequence[tuple[Pass | Query, Counted]], rows: Mapping[TableKey, int]
    ) -> dict[str, Result]:
        checks = {c.id: c for c in plan.checks}
        results: dict[str, Result] = {}
        for id, settled in plan.settled.items():
            results[id] = _tolerated(settled, checks[id])
        for statement, answer in counted:
            for id, error in answer.errors.items():
                results[id] = self._error(checks[id], statement, error)
            for id, violations in answer.violations.items():
                examined = answer.examined
                if isinstance(statement, Query):
                    examined = rows.get(statement.table.key) if statement.table is not None else None
                slot_sql = _rows_sql(statement, id)
                result = Result(
                    id, Status.FAIL if violations else Status.PASS, violations, examined, Evidence.SCANNED,
                    plan.enforced.get(id, ""), sql=slot_sql, milliseconds=answer.milliseconds,
                )  # fmt: skip
                results[id] = _tolerated(_said(result, checks[id]), checks[id])
        return results

    def _error(self, check: Check, statement: Pass | Query, error: DatabaseError) -> Result:
        message = error.fact
        tables = {key[1] for key in statement.tables} | {check.table}
        if any(p for p in self.suite.settings.personal if _touches(p, tables)):
            message = re.sub(r'"[^"]*"', lambda m: m[0] if m[0][1:-1] in self._known_names(check, tables) else f'"{MASKED}"', message)
        status = Status.SKIP if isinstance(error, TooLarge) else Status.ERROR
        return Result(
            check.id, status, message=message, hint=error.hint, sqlstate=error.sqlstate, sql=_rows_sql(statement, check.id)
        )

    def _known_names(self, check: Check, tables: set[str]) -> set[str]:
        return {*check.columns, *tables}

    def _sample(self, pool: Pool, plan: Plan, results: dict[str, Result]) -> None:
        """Keys of the failing checks: one more statement a pass, one a failing query, none if nothing failed."""
        work: list[tuple[Pass | Query, list[Slot]]] = []
        wanted = {id for id, r in results.items() if r.violations and r.evidence is Evidence.SCANNED}
        for statement in [*plan.passes, *plan.queries]:
            if isinstance(statement, Query):
                if statement.check_id in wanted:
                    work.append((statement, []))
            elif failing := [slot for slot in statement.slots if slot.check_id in wanted]:
                work.append((statement, failing))
        if not work or self.stop.requested:
            return
        self.observer(Progress("collecting evidence", 0, len(work)))
        tasks = [Task(self._sampler(s, slots, results), lambda error: error) for s, slots in work]
        done = lambda n: self.observer(Progress("collecting evidence", n, len(work)))  # noqa: E731
        for (statement, slots), answer in zip(work, pool.run(tasks, self.stop, done), strict=True):
            ids = [slot.check_id for slot in slots] if isinstance(statement, Pass) else [statement.check_id]
            if isinstance(answer, DatabaseError):
                for id in ids:
                    note = f"its keys could not be read: {answer.fact}"
                    results[id] = replace(results[id], message=_joined(results[id].message, note))
                continue
            for id, (sample, digest) in answer.items():
                results[id] = replace(results[id], sample=sample, key_digest=digest)

    def _sampler(self, statement: Pass | Query, slots: list[Slot], results: Mapping[str, Result]) -> Callable[[Session], _Samples | DatabaseError]:
        limit, settings = self.options.sample, self.suite.settings

        def ask(session: Session) -> _Samples | DatabaseError:
            masked = _masked(statement, slots, settings.is_personal)
            if isinstance(statement, Query):
                sql, ids, names = statement.sample_sql(limit, masked), [statement.check_id], [statement.sample_columns()]
            else:
                failing = [(slot, results[slot.check_id].violations or 0) for slot in slots]
                sql = statement.sample_sql(failing, limit, masked)
                ids, names = [s.check_id for s in slots], [statement.sample_columns(s) for s in slots]
            try:
                if refusal := too_large(session, sql):
                    return refusal
                answer, taken = session.timed(sql)
            except DatabaseError as error:
                from kisaan_validate.execute.ask import _recover

                _recover(session)
                return error
            self.log.append(StatementFacts(f"keys: {statement.purpose}", sql, tuple(ids), taken))
            keyed = _keys_are_personal(statement, masked)
            return {id: _read_sample(answer, n, names[n], results[id], keyed) for n, id in enumerate(ids)}

        return ask

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


_Sample = tuple[tuple[tuple[str, str | None], ...], ...]
_Samples = dict[str, tuple[_Sample, str]]


def check_expectation(session: Session, expect: Mapping[str, str], target: Target) -> None:
    """Refuse a database that is not the expected one. Raises TargetError, before anything is read."""
    from kisaan_validate.errors import TargetError

    if not expect:
        return
    session.begin()
    ((database, role, host),) = session.execute(
        "SELECT current_database(), current_user::text, coalesce(host(inet_server_addr()), '')"
    )
    session.execute("ROLLBACK")
    actual = {"database": database, "role": role, "host": session.parameters.get("host", host)}
    for key, wanted in expect.items():
        if key == "host" and wanted in {actual["host"], host}:
            continue
        if actual.get(key) != wanted:
            fact = f"this is {key} {actual.get(key)!r}, but [target] expect says {wanted!r}"
            raise TargetError(fact, f"the target came from {target.source}; nothing was read")


def _asker(statement: Pass | Query) -> Callable[[Session], Counted]:
    if isinstance(statement, Query):
        return lambda session: ask_query(session, statement)
    if statement.alias:  # a join may spill to disk: look at its plan first
        return lambda session: _ask_join(session, statement)
    return lambda session: ask_pass(session, statement)


def _ask_join(session: Session, statement: Pass) -> Counted:
    try:
        refusal = too_large(session, statement.sql())
    except DatabaseError:
        from kisaan_validate.execute.ask import _recover

        _recover(session)
        refusal = None  # the statement itself will say what is wrong, and with whom
    if refusal is not None:
        return _refuser(statement)(refusal)
    return ask_pass(session, statement)


def _refuser(statement: Pass | Query) -> Callable[[DatabaseError], Counted]:
    ids = [statement.check_id] if isinstance(statement, Query) else [s.check_id for s in statement.slots]
    return lambda error: Counted(errors={id: error for id in ids})


def _size(statement: Pass | Query) -> int:
    if isinstance(statement, Query):
        return statement.table.estimated_rows if statement.table is not None else 0
    return statement.table.estimated_rows


def _rows_of(plan: Plan, counted: Sequence[tuple[Pass | Query, Counted]]) -> dict[TableKey, int]:
    return {
        s.table.key: answer.examined
        for s, answer in counted
        if isinstance(s, Pass) and s.counts_table and answer.examined is not None
    }


def _rows_sql(statement: Pass | Query, id: str) -> str:
    if isinstance(statement, Query):
        return statement.rows_sql()
    return statement.rows_sql(next(slot for slot in statement.slots if slot.check_id == id))


def _said(result: Result, check: Check) -> Result:
    if result.status is Status.PASS and result.examined == 0:
        return replace(result, message="holds vacuously: there are no rows to examine")
    return replace(result, hint=check.hint) if result.status is Status.FAIL else result


def _tolerated(result: Result, check: Check) -> Result:
    if result.status is not Status.FAIL or check.tolerance is None:
        return result
    if not check.tolerance.accepts(result.violations or 0, result.examined):
        message = f"more than the tolerated {check.tolerance}"
        return replace(result, message=_joined(result.message, message))
    return replace(result, status=Status.TOLERATED, message=_joined(result.message, f"tolerated: up to {check.tolerance}"))


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)


def _touches(pattern: str, tables: set[str]) -> bool:
    from fnmatch import fnmatchcase

    table = pattern.rpartition(".")[0] or "*"
    return any(fnmatchcase(name.lower(), table.lower()) for name in tables)


def _masked(statement: Pass | Query, slots: Sequence[Slot], is_personal: Callable[[str, str], bool]) -> frozenset[str]:
    """The columns of a sample whose values must not leave the server."""
    if isinstance(statement, Pass):
        names = {c for slot in slots for c in slot.columns} | set(statement.table.primary_key)
        return frozenset(c for c in names if is_personal(statement.table.name, c))
    tables = {key[1] for key in statement.tables} or {""}
    return frozenset(c for c in statement.sample_columns() if any(is_personal(t, c) for t in tables))


def _keys_are_personal(statement: Pass | Query, masked: frozenset[str]) -> bool:
    keys = statement.violations.keys if isinstance(statement, Query) else statement.table.primary_key
    return any(k in masked for k in keys)


def _read_sample(
    answer: Sequence[tuple[int, list[str | None] | None, object, object]],
    number: int, names: Sequence[str], result: Result, personal: bool,
) -> tuple[_Sample, str]:  # fmt: skip
    """The sample of one slot, and the digest of all its keys ("" if the keys are personal: it could be guessed)."""
    from kisaan_validate.compile.statements import VALUE_LIMIT

    rows: list[tuple[tuple[str, str | None], ...]] = []
    digest = ""
    for slot, values, high, low in answer:
        if slot != number:
            continue
        if values is None:
            text = f"{result.violations}|{high}|{low}"
            digest = "" if personal else hashlib.sha256(text.encode()).hexdigest()
        else:
            cut = [v if v is None or len(v) <= VALUE_LIMIT else v[:VALUE_LIMIT] + "…" for v in values]
            rows.append(tuple(zip(names, cut, strict=True)))
    return tuple(rows), digest


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
