"""Declared steps resolved for one database: its tables, columns, and the references that move along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.repair import FIX_SCHEMA, KitStep, Repair, RepairStep, StepAction
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.repair.ground import RepairGround, qualified_name, referring
from kisaan_validate.sql.expressions import quote
from kisaan_validate.text.nearest import did_you_mean


@dataclass(frozen=True)
class PlannedStep:
    """One step with its table as it is. ``rows_sql`` is the author's SELECT; a move has none, but ``doomed``:
    the step whose rows are referred to. ``copies`` is what its tables in the schema of kits begin with.
    """

    number: int
    copies: str
    action: StepAction
    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    books: tuple[str, ...] = ()
    rows_sql: str = ""
    as_failing: bool = False
    reads: tuple[TableKey, ...] = ()
    doomed: PlannedStep | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The table as SQL."""
        return qualified_name(self.table.key)

    @property
    def indexed(self) -> bool:
        """Whether an index finds rows by one of the columns that change."""
        usable = [index for index in self.table.indexes if index.valid and not index.predicate]
        return any(index.columns[0] in self.columns for index in usable if index.columns)

    @property
    def firing(self) -> tuple[str, ...]:
        """The table's own triggers that fire."""
        return tuple(t.name for t in self.table.triggers if t.enabled in {"O", "A"})

    def copy(self, what: str) -> str:
        """One of its own tables as SQL: ``rows``, ``before`` or ``after``."""
        return f"{FIX_SCHEMA}.{quote(f'{self.copies}_{what}')}"

    def matches(self, one: str, other: str) -> str:
        """SQL for "one row is the other, by their keys"."""
        pairs = [f"{one}.{quote(k)} {same_sign(self.table, k)} {other}.{quote(k)}" for k in self.key]
        return " AND ".join(pairs)

    def facts(self, violations: int) -> KitStep:
        """What a record says of it."""
        rows = violations if self.as_failing else None
        return KitStep(self.number, self.action, self.table.title, self.key, self.columns, rows, self.firing)


def planned_steps(ground: RepairGround, repair: Repair, kit: str) -> tuple[PlannedStep, ...]:
    """The steps in the order in which they are done: references move before their rows are deleted. Raises
    SuiteError and UsageError for what cannot be repaired so.
    """
    made: list[PlannedStep] = []
    for step in repair.steps:
        made += _planned(ground, repair, step, kit, len(made))
    return tuple(made)


def _planned(
    ground: RepairGround, repair: Repair, step: RepairStep, kit: str, before: int
) -> list[PlannedStep]:
    table = ground.table(step.table, repair.origin)
    _refuse(table, step, repair.origin)
    moved = referring(ground, table, step, repair.origin) if step.kept else ()
    number = before + len(moved) + 1
    own = PlannedStep(
        number,
        f"{kit}_{number}",
        step.action,
        table,
        step.key,
        step.columns,
        step.kept,
        step.also,
        step.books,
        ground.rows_sql(step),
        step.as_failing,
        ground.read_by(step, repair.origin),
    )
    moves = [
        PlannedStep(
            before + n,
            f"{kit}_{before + n}",
            StepAction.MOVE,
            one.table,
            one.table.primary_key,
            one.columns,
            doomed=own,
        )
        for n, one in enumerate(moved, 1)
    ]
    for move in moves:
        _refuse_key(move)
    return [*moves, own]


def _refuse_key(move: PlannedStep) -> None:
    if set(move.columns) & set(move.key):
        fact = f"{move.table.title} refers to the rows by a column of its own primary key"
        raise UsageError(fact, "repair it by hand")


def _refuse(table: Table, step: RepairStep, origin: str) -> None:
    """Raises SuiteError for a step that does not fit its table."""
    if set(step.key) != set(table.primary_key):
        known = ", ".join(table.primary_key) or "it has none"
        raise SuiteError(
            f"the key of {table.title} is not ({', '.join(step.key)})", f"its primary key: {known}", origin
        )
    named: Sequence[str] = (*step.columns, *step.also, *step.books)
    for name in named:
        if name not in table.columns:
            hint = did_you_mean(name, table.columns)
            raise SuiteError(f"{table.title} has no column {name!r}", hint, origin)
    for name in step.columns:
        column = table.columns[name]
        if column.generated or column.identity == "a":
            raise SuiteError(f"{table.title}.{name} is written by PostgreSQL itself", "", origin)


def same_sign(table: Table, column: str) -> str:
    """The operator by which two values of a column are equal, as SQL, whatever the search path."""
    sign = table.columns[column].sign("=")
    return "OPERATOR(pg_catalog.=)" if sign == "=" else sign


def writable(table: Table) -> list[str]:
    """The columns that an INSERT may name."""
    return [name for name, column in table.columns.items() if not column.generated]
