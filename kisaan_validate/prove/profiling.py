"""What ``--profile`` asks of each table in scope: which columns, in which statements, by which edges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.pool import Pool
from kisaan_validate.execute.profiles import Ends, take_ends, take_profiles
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Column, Table
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import ColumnFacts, Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.figures import base_of
from kisaan_validate.plan.histogram import AXES, ODD, edges_of
from kisaan_validate.plan.plan import tables_of
from kisaan_validate.plan.profiles import ProfileStatement, Valued, profile_statements, valued
from kisaan_validate.postgres.statistics import EstimateWanted, read_statistics
from kisaan_validate.prove.context import RunContext

Figures = Mapping[TableKey, Mapping[str, Profile]]
Distributions = dict[TableKey, dict[str, Distribution]]
Expected = Mapping[tuple[TableKey, str], float]


@dataclass(frozen=True)
class ProfilePlan:
    """What is to be profiled. ``expected`` are the planner's estimates of distinct values, negative for a
    share of the rows; ``before`` the baseline whose histograms decide the edges.
    """

    tables: tuple[Table, ...] = ()
    expected: Expected = field(default_factory=dict)
    before: Baseline | None = None


def plan_profile(context: RunContext, before: Baseline | None) -> ProfilePlan:
    """What is to be profiled: the tables of a selection, else all in scope; nothing where nobody asked.

    Estimates that cannot be read are left out. Raises DatabaseError if the session is lost.
    """
    if not context.request.options.profile:
        return ProfilePlan()
    part = context.request.suite.selection
    chosen = tables_of(context.suite, context.catalogue) if part.select or part.partial else None
    tables = tuple(t for t in context.scope if chosen is None or t.key in chosen)
    return ProfilePlan(tables, _expected(context, tables), before)


def _expected(context: RunContext, tables: tuple[Table, ...]) -> Expected:
    wanted = [EstimateWanted(t.key, c, shown=False) for t in tables for c in t.columns]
    context.holder.execute("SAVEPOINT estimates")
    try:
        found = read_statistics(context.holder, wanted)
    except DatabaseError as error:
        if error.lost:
            raise
        found = {}
    context.holder.execute("ROLLBACK TO SAVEPOINT estimates; RELEASE SAVEPOINT estimates")
    return {place: estimate.distinct for place, estimate in found.items()}


def take(
    context: RunContext,
    planned: ProfilePlan,
    figures: Figures,
    rows: Mapping[TableKey, int],
    pool: Pool,
    log: list[StatementFacts],
) -> Distributions:
    """The distributions of all columns that are to be profiled. Raises nothing: one that could not be
    measured says why.
    """
    jobs = [
        _Job(context, planned, table, figures.get(table.key, {}), rows[table.key])
        for table in planned.tables
        if table.key in rows
    ]
    stop, say = context.request.stop, context.request.counting("profiling")
    ends = take_ends(pool, {j.table.key: (j.table, j.endless) for j in jobs if j.endless}, stop)
    log += [facts for told in ends.values() for facts in told.log]
    statements = [s for job in jobs for s in job.statements(ends.get(job.table.key, Ends()))]
    told, more = take_profiles(pool, statements, stop, say)
    log += more
    # A table that was not counted stays empty: the count of its rows says why.
    found: Distributions = {table.key: {} for table in planned.tables}
    return found | {job.table.key: {**job.refused, **told.get(job.table.key, {})} for job in jobs}


class _Job:
    """One table: its columns as they are profiled, and those that are not."""

    def __init__(
        self,
        context: RunContext,
        planned: ProfilePlan,
        table: Table,
        figures: Mapping[str, Profile],
        rows: int,
    ) -> None:
        self.table, self.figures, self.rows, self.expected = table, figures, rows, planned.expected
        self.old = _columns_before(planned.before, table)
        self.refused: dict[str, Distribution] = {}
        self.columns: list[Valued] = []
        for column in table.columns.values():
            personal = context.is_personal(table.name, column.name)
            made = valued(column, personal=personal, version=context.holder.version)
            if isinstance(made, str):
                known = figures.get(column.name)
                self.refused[column.name] = Distribution(known.nulls if known else None, message=made)
            else:
                self.columns.append(made)

    @property
    def endless(self) -> list[Valued]:
        """The columns whose finite ends must be asked for."""
        return [c for c in self.columns if c.axis and not self._kept_edges(c) and self._is_odd(c)]

    def _is_odd(self, column: Valued) -> bool:
        figures = self.figures.get(column.name)
        return figures is not None and not {figures.minimum, figures.maximum}.isdisjoint(ODD)

    def _kept_edges(self, column: Valued) -> tuple[str, ...]:
        """The edges of the baseline, where it has some of the same axis."""
        old = self.old.get(column.name)
        if old is None or old.distribution is None or old.distribution.histogram is None:
            return ()
        same = AXES.get(base_of(old.type) or "") == column.axis
        return old.distribution.histogram.edges if same else ()

    def statements(self, ends: Ends) -> list[ProfileStatement]:
        """Its statements; ``ends`` are the finite ones that were asked for."""
        ready = [self._with_edges(column, ends) for column in self.columns]
        return profile_statements(self.table, ready, dict(self._estimates()))

    def _with_edges(self, column: Valued, ends: Ends) -> Valued:
        if not column.axis:
            return column
        column = replace(column, odd=self._is_odd(column))
        if kept := self._kept_edges(column):
            return replace(column, edges=kept)
        figures = self.figures.get(column.name)
        low, high = (figures.minimum, figures.maximum) if figures is not None else (None, None)
        if column.odd:
            low, high = ends.found.get(column.name, (None, None))
        # Only where there are finite values can edges be missed.
        if low is None or high is None:
            why = ends.message if column.odd else "its ends were not measured" * (figures is None)
            return replace(column, unmeasured={"histogram": why} if why else {})
        edges = edges_of(low, high, column.axis, whole=self._is_whole(self.table.columns[column.name]))
        beyond = {} if edges else {"histogram": f"no round edges hold {low} and {high} between them"}
        return replace(column, edges=edges, unmeasured=beyond)

    @staticmethod
    def _is_whole(column: Column) -> bool:
        return column.base in {"int2", "int4", "int8"} or column.scale == 0

    def _estimates(self) -> Iterator[tuple[str, int]]:
        """By column how many distinct values are expected; without statistics as many as there are rows."""
        for column in self.table.columns.values():
            told = self.expected.get((self.table.key, column.name), 0.0)
            share = -told if told < 0 else 1.0
            most = self.rows if told <= 0 else int(told)
            limit = 2 if column.base == "bool" else len(column.labels) or most
            yield column.name, min(self.rows, int(most * share), limit)


def _columns_before(before: Baseline | None, table: Table) -> dict[str, ColumnFacts]:
    tables = before.tables if before is not None else ()
    return {c.name: c for t in tables if t.title == table.title for c in t.columns}
