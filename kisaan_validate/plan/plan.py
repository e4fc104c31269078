"""A suite and a catalogue become a plan: what is run, and what already has its answer without running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, KisaanError
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.sqlstate import hint_for
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.figures import Figure, column_figure
from kisaan_validate.plan.joins import JoinedCheck, join_pass, joined_check
from kisaan_validate.plan.passes import row_pass
from kisaan_validate.plan.statements import Pass, Query, Reads, Slot, bare_of
from kisaan_validate.plan.streams import Stream, make_stream
from kisaan_validate.plan.trust import NO_TRUST, Trust
from kisaan_validate.rules.applies import parse_condition
from kisaan_validate.rules.assertion import Assertion
from kisaan_validate.rules.base import CatalogRule, Join, JoinRule, QueryRule, RowRule, Rule, Violations
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.sql.expressions import View, condition_sql, to_sql
from kisaan_validate.sql.qualify import authored, qualified
from kisaan_validate.suite.load import Suite
from kisaan_validate.text.nearest import nearest


@dataclass(frozen=True)
class Plan:
    """Everything that a run will ask, in the suite's order.

    ``settled`` holds results that need no statement (catalogue checks, not applicable, skipped, refused);
    ``uncounted`` the tables whose rows cannot be counted, with the reason.
    """

    passes: tuple[Pass, ...]
    queries: tuple[Query, ...]
    settled: Mapping[str, Result]
    enforced: Mapping[str, str]
    checks: tuple[Check, ...]
    uncounted: Mapping[TableKey, str] = field(default_factory=dict)
    streams: tuple[Stream, ...] = ()

    @property
    def counting(self) -> list[Pass | Query]:
        """The counting statements, in the order of the suite."""
        return [*self.passes, *self.queries]

    @property
    def statements(self) -> int:
        """How many counting statements will be sent."""
        return len(self.passes) + len(self.queries)


@dataclass(frozen=True)
class Written:
    """An author's SELECT as it is run, its tables read apart; of ``bare`` ones the planner sees what is
    declared.
    """

    sql: str
    bare: tuple[TableKey, ...] = ()


def tables_of(suite: Suite, catalogue: Catalogue) -> dict[TableKey, Table]:
    """The relations that the suite's checks read, as far as they exist."""
    found: dict[TableKey, Table] = {}
    for check in suite.checks:
        # A check without a table (an assertion over several) has only what it needs.
        names = {name for name, _ in suite.needs(check)} | ({check.table} - {""})
        for table in (catalogue.find(name) for name in names):
            if table is not None:
                found[table.key] = table
    return found


def make_plan(
    suite: Suite,
    catalogue: Catalogue,
    *,
    counted: Iterable[Table] = (),
    profiled: bool = False,
    unavailable: Mapping[TableKey, tuple[str, str]] | None = None,
    volatile: Mapping[str, set[str]] | None = None,
    shadowed: Mapping[str, str] | None = None,
    trust: Trust = NO_TRUST,
    written: Mapping[str, Written] | None = None,
) -> Plan:
    """Compile a suite.

    ``counted`` are tables to count beyond those with row checks; ``profiled`` asks for the figures of
    their columns; ``unavailable`` maps tables that could not be locked to (SQLSTATE, message);
    ``volatile`` maps check ids to the volatile functions their SQL could call; ``shadowed`` to what would
    answer their SQL in place of PostgreSQL's own operators and functions; ``written`` those of SQL
    assertions to the SQL that is run for them.
    """
    maker = _Maker(suite, catalogue, unavailable or {}, volatile or {}, shadowed or {}, trust, written or {})
    return maker.plan(counted, profiled)


class _Maker:
    def __init__(
        self,
        suite: Suite,
        catalogue: Catalogue,
        unavailable: Mapping[TableKey, tuple[str, str]],
        volatile: Mapping[str, set[str]],
        shadowed: Mapping[str, str],
        trust: Trust,
        written: Mapping[str, Written],
    ) -> None:
        self.suite, self.catalogue, self.unavailable = suite, catalogue, unavailable
        self.volatile, self.shadowed, self.trust, self.written = volatile, shadowed, trust, written
        self.believing = trust.believing(catalogue)
        self.settled: dict[str, Result] = {}
        self.nearest: dict[str, str] = {}
        self.enforced: dict[str, str] = {}
        self.rows: dict[TableKey, list[Slot]] = defaultdict(list)
        # Grouped by what the statement reads: checks of one join under one filter share a single pass.
        self.joins: dict[tuple[TableKey, str, TableKey, Join], list[JoinedCheck]] = defaultdict(list)
        self.queries: list[Query] = []
        self.streamed: dict[tuple[TableKey, str], list[tuple[str, PythonRule, tuple[str, ...]]]] = (
            defaultdict(list)
        )

    def plan(self, counted: Iterable[Table], profiled: bool) -> Plan:
        # Every check first: which tables are counted depends on which checks are settled.
        for check in self.suite.checks:
            result = self._settle(check, self.suite.rules[check.id])
            if result is not None:
                self.settled[check.id] = result
        measured = {t.key for t in counted} if profiled else set()
        wanted = {t.key: t for t in counted} | {t.key: t for t in self._examined_tables()}
        uncounted = {key: reason for key, (_, reason) in self.unavailable.items() if key in wanted}
        joins = [*self._joined()]
        referring: dict[TableKey, dict[str, None]] = defaultdict(dict)
        for one in joins:
            # A join with a filter counts the rows that it is given by itself.
            if one.referring and not one.counts_judged:
                referring[one.table.key][one.referring] = None
        passes = [
            row_pass(t, self.rows[key], self._figures(t) if key in measured else (), referring[key])
            for key, t in wanted.items()
            # A table that could not be locked must not be counted
            # either: its rows may be rewritten meanwhile.
            if key not in uncounted
        ]
        return Plan(
            (*passes, *joins),
            tuple(self.queries),
            self.settled,
            self.enforced,
            self.suite.checks,
            uncounted,
            self._streams(),
        )

    def _joined(self) -> Iterable[Pass]:
        """The passes over tables and those that they refer to."""
        tables = self.believing.tables
        for (child, only, parent, join), checks in self.joins.items():
            yield join_pass(replace(tables[child], only=only), tables[parent], join, checks)

    def _streams(self) -> tuple[Stream, ...]:
        """One stream a table (and filter), however many checks read it."""
        personal, tables = self.suite.settings.is_personal, self.catalogue.tables
        found = ((replace(tables[key], only=only), checks) for (key, only), checks in self.streamed.items())
        return tuple(make_stream(table, checks, personal) for table, checks in found)

    def _settle(self, check: Check, rule: Rule) -> Result | None:
        """The result of a check that needs no statement; None if it has found its place in one."""
        try:
            result = self._without_asking(check, rule)
            return result if result is not None else self._compile(check, rule)
        # A kind of another package may raise anything; that must cost its own check, not the run.
        except Exception as error:
            if _is_ours(rule):
                raise
            fact = (
                f"the kind {rule.kind!r} of {type(rule).__module__} failed: {type(error).__name__}: {error}"
            )
            return Result(
                check.id, Status.ERROR, message=fact, hint="it comes from another package: fix it there"
            )

    def _figures(self, table: Table) -> list[Figure]:
        personal = self.suite.settings.is_personal
        return [column_figure(c, personal=personal(table.name, c.name)) for c in table.columns.values()]

    def _examined_tables(self) -> Iterable[Table]:
        """The tables of the checks: their rows are facts of the run, and what a check of every row
        examined.
        """
        # A settled check examines no rows, so its table need not be read for it.
        waiting = [c for c in self.suite.checks if c.id not in self.settled and c.table]
        found = (self.catalogue.find(c.table) for c in waiting)
        return {t.key: t for t in found if t is not None}.values()

    def _missing_table(self, name: str) -> str:
        """What to do about a table that is not there; many checks may name it."""
        if name not in self.nearest:
            self.nearest[name] = nearest(name, self.catalogue.names, _MISSING)
        return self.nearest[name]

    def _without_asking(self, check: Check, rule: Rule) -> Result | None:
        """The result of a check that does not apply, cannot be asked, or is refused; None if it can be
        asked.
        """
        # Before anything is missed: a check that does not apply may well name what is not there.
        for text in check.applies:
            condition = parse_condition(text, check.origin)
            if unmet := condition.unmet(self.catalogue):
                message, lacks = f"not applicable, because {unmet}", condition.lacks(self.catalogue)
                return Result(check.id, Status.NOT_APPLICABLE, message=message, sqlstate=lacks)
        if missing := self.catalogue.engine.lacks(rule.requires):
            return _skip(check, f"{self.catalogue.engine.name} does not offer {missing}", "0A000")
        if withheld := [p for p in self.catalogue.withheld if p in rule.looks_at]:
            message = f"{withheld[0].value}: {self.catalogue.withheld[withheld[0]]}"
            return Result(check.id, Status.ERROR, message=message, hint=_WITHHELD, sqlstate="42501")
        for name, column in self.suite.needs(check):
            table = self.catalogue.find(name)
            if table is None:
                return _skip(check, f"table {name} does not exist", "42P01", self._missing_table(name))
            if column and column not in table.columns:
                hint = nearest(column, table.columns, _MISSING)
                return _skip(check, f"column {name}.{column} does not exist", "42703", hint)
            # The catalogue was read although the table could not be locked; printed expressions were not.
            answerable = isinstance(rule, CatalogRule) and rule.kind not in _PRINTED
            if table.key in self.unavailable and not answerable:
                sqlstate, message = self.unavailable[table.key]
                hint = hint_for(sqlstate)
                return Result(check.id, Status.ERROR, message=message, sqlstate=sqlstate, hint=hint)
        # What the author allowed by name only reads, on the author's word.
        if refused := sorted(self.volatile.get(check.id, set()) - rule.volatile_allowed()):
            hint = f"if it only reads, allow it by name in the check (volatile: {', '.join(refused)})"
            return Result(
                check.id, Status.ERROR, message=f"calls the volatile {', '.join(refused)}", hint=hint
            )
        if why := self.shadowed.get(check.id):
            hint = "name the schema of what you mean: pg_catalog.length(x), a OPERATOR(pg_catalog.=) b"
            return Result(check.id, Status.ERROR, message=why, hint=hint, sqlstate="42725")
        return None

    def _compile(self, check: Check, rule: Rule) -> Result | None:
        seen = self._seen(check)
        table = seen.find(check.table) if check.table else None
        # Catalogue rules are judged by all of the catalogue, whatever a filter leaves of the rows.
        if isinstance(rule, CatalogRule):
            return self._judge(check, rule, table)
        # A check that no row could fail would be green without having proved anything.
        if table is not None and (idle := rule.idle(table, check.columns)):
            return Result(check.id, Status.ERROR, message=idle, hint="fix the bound, or omit it")
        if table is not None:
            # What no row can violate, no row that a filter leaves can violate either.
            self.enforced[check.id] = rule.enforced_by(table, check.columns, seen)
            # Without trust the rows are read, whatever is declared of them.
            proof = rule.proof(table, check.columns, seen) if self.trust.constraints else ""
            if proof:
                return Result(
                    check.id,
                    Status.PASS,
                    0,
                    None,
                    Evidence.PROVED,
                    proof,
                    message=f"not scanned: {proof} proves it",
                )
        try:
            return self._statement(check, rule, table, seen)
        # What cannot be compiled is an error of this check alone.
        except KisaanError as error:
            return Result(check.id, Status.ERROR, message=error.fact, hint=error.hint)

    def _seen(self, check: Check) -> Catalogue:
        """The catalogue as a check sees it: of the tables whose rows it judges only those that their
        filters leave.
        """
        filters = self.suite.filters.get(check.id, {})
        if filters:
            return self.believing.restricted({name: f.sql for name, f in filters.items()})
        return self.believing

    def _judge(self, check: Check, rule: CatalogRule, table: Table | None) -> Result:
        try:
            answer = rule.judge(table, check.columns, self.catalogue)
        # What the catalogue cannot tell is an error of this check alone.
        except DatabaseError as error:
            return Result(
                check.id, Status.ERROR, message=error.fact, hint=error.hint, sqlstate=error.sqlstate
            )
        if answer.inapplicable:
            message = f"not applicable, because {answer.inapplicable}"
            return Result(check.id, Status.NOT_APPLICABLE, message=message)
        status = Status.FAIL if answer.violations else Status.PASS
        result = Result(
            check.id,
            status,
            answer.violations,
            answer.examined,
            Evidence.CATALOGUE,
            message=answer.message,
            sample=answer.sample,
            key=tuple(dict.fromkeys(n for row in answer.sample for n, _ in row)),
            # A catalogue check lists all that it found, so the sample is complete where the numbers agree.
            sample_complete=0 < answer.violations == len(answer.sample),
        )
        return replace(result, hint=check.hint if status is Status.FAIL else "")

    def _statement(self, check: Check, rule: Rule, table: Table | None, seen: Catalogue) -> Result | None:
        if isinstance(rule, RowRule) and table is not None:
            condition, judged = to_sql(rule.violation(View(table), check.columns)), condition_sql(table.only)
            # The scan is shared with checks of all rows, and counts these: what a filter leaves is a
            # condition in it.
            # AND of a condition that is never NULL: a row that the filter leaves out violates nothing.
            condition = f"{judged} AND ({condition})" if judged else condition
            qualified(
                condition
            )  # of a kind of another package this may not be possible: an error of this check alone
            self.rows[table.key].append(Slot(check.id, condition, check.columns, judged))
        elif isinstance(rule, JoinRule) and table is not None:
            return self._join(check, rule, table)
        elif isinstance(rule, PythonRule) and table is not None:
            self.streamed[table.key, table.only].append((check.id, rule, check.columns))
        elif isinstance(rule, QueryRule):
            self._query(check, rule, table, seen)
        else:
            return Result(check.id, Status.ERROR, message=f"form {check.form} needs a table")
        return None

    def _join(self, check: Check, rule: JoinRule, table: Table) -> Result | None:
        parent = self.catalogue.find(rule.join.parent)
        assert parent is not None  # needs() named it
        # Two matching rows would be counted twice, and the counts of all checks of the join be wrong.
        if parent.unique_over(frozenset(rule.join.parent_columns)) is None:
            on = ", ".join(rule.join.parent_columns)
            message = f"{parent.name} ({on}) has no valid unique index, so a row could match twice"
            hint = "restore the primary key or unique index"
            if parent.unbound:
                message = (
                    f"reading {parent.name} also reads rows of other tables, which its unique "
                    "index does not cover: a row could match twice"
                )
                hint = "refer to a table without children or foreign partitions, or write the check in SQL"
            return Result(check.id, Status.ERROR, message=message, hint=hint)
        joined = joined_check(check, rule, table, parent, ours=_is_ours(rule))
        self.joins[table.key, table.only, parent.key, rule.join].append(joined)
        return None

    def _query(self, check: Check, rule: QueryRule, table: Table | None, seen: Catalogue) -> None:
        subject = table or next(
            (t for name, _ in rule.needs(check.table, check.columns) if (t := self.catalogue.find(name))),
            None,
        )
        # A rule without a table of its own (an assertion over several) is asked all the same.
        violations = rule.violations(subject or _NOWHERE, check.columns, seen)
        for f in self.suite.filters.get(check.id, {}).values():
            # A kind that ignores the filter would judge rows that are to be left out.
            if condition_sql(f.sql) not in violations.sql:
                raise DatabaseError(
                    f"a check of kind {rule.kind} does not support the filter {f.sql}",
                    "write filter=False, or fix the kind",
                )
        found = [seen.find(name) for name, _ in rule.needs(check.table, check.columns)]
        read = {t.key: t for t in found if t is not None}
        columns = frozenset((t.name, column) for t in read.values() for column in t.columns)
        violations, reads = self._read(check, rule, violations, read)
        # All columns of all tables read, because masking must
        # know every name that an output could be made of.
        query = Query(f"check {check.id}", check.id, violations, table, tuple(read), columns, reads)
        query.sql(), query.rows_sql()  # refused here, as an error of this check, if they cannot be qualified
        # A figure is counted in its table's scan; the query only shows what was found.
        if violations.riding is not None and table is not None:
            riding = violations.riding
            slot = Slot(check.id, riding.held, judged=riding.judged, query=query, found=riding.found)
            self.rows[table.key].append(slot)
        else:
            self.queries.append(query)

    def _read(
        self, check: Check, rule: QueryRule, violations: Violations, read: Mapping[TableKey, Table]
    ) -> tuple[Violations, Reads]:
        """The query as it is run, and how it may read its tables."""
        bare, believed = bare_of(*read.values()), any(t.believed for t in read.values())
        # Its tables may all be seen bare, so everything declared of them is proved first.
        if not _is_ours(rule):  # how it writes its conditions is not known
            return violations, Reads(tuple(read), tuple(read), believed=believed, authored=True)
        if not isinstance(rule, Assertion):
            return violations, Reads(tuple(read), bare, believed=believed)
        named = tuple(
            dict.fromkeys(t.key for name in rule.reads if (t := self.catalogue.find(name)) is not None)
        )
        written = self.written.get(check.id)
        if written is None:
            return violations, Reads(named, named, believed=believed, authored=True)
        # Views stay bare: what they read cannot be set apart from outside.
        bare = tuple(dict.fromkeys((*(key for key in bare if key in named), *written.bare)))
        return replace(violations, sql=authored(written.sql)), Reads(
            named, bare, believed=believed, authored=True
        )


def _is_ours(rule: Rule) -> bool:
    """Whether a kind of check is the engine's own, and comes from no other package."""
    return type(rule).__module__.startswith("kisaan_validate.")


_PRINTED = frozenset({"default", "constraint", "index"})
"""Kinds of catalogue rules that compare printed expressions, which cannot be read of a table that cannot be
locked.
"""

_NOWHERE = Table(0, "", "", "r", {})


_WITHHELD = "grant this role SELECT on that catalogue, then run again"

_MISSING = "create it or correct the name; if it is optional, add an applies condition to the check"


def _skip(check: Check, reason: str, sqlstate: str, hint: str = "") -> Result:
    """The result of a check whose subject is missing, with the SQLSTATE that PostgreSQL has for that."""
    return Result(check.id, Status.SKIP, message=f"skipped, because {reason}", sqlstate=sqlstate, hint=hint)
