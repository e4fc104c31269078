"""What the scripts of one kit are made for, and what both of them say first and last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.repair import FIX_SCHEMA, FixTarget, Repair
from kisaan_validate.repair.failing import FailingSql
from kisaan_validate.repair.ground import shape_sql
from kisaan_validate.repair.script import (
    LOG,
    WRONG_PLACE,
    block,
    heading,
    locked,
    opening,
    refuse_if,
    right_place,
    text,
)
from kisaan_validate.repair.steps import PlannedStep
from kisaan_validate.sql.expressions import quote


@dataclass(frozen=True)
class KitScript:
    """All that the scripts of one kit say. ``shapes`` are the columns of each table that is changed, by its
    name as SQL; ``reads`` are tables that are only read, ``writes`` those that triggers may write into, as
    SQL; ``digest`` is that of the failing keys.
    """

    kit: str
    run: str
    target: FixTarget
    repair: Repair
    schemas: tuple[str, ...]
    failing: FailingSql
    violations: int
    digest: str
    steps: tuple[PlannedStep, ...]
    shapes: tuple[tuple[str, str], ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]

    @property
    def changed(self) -> tuple[str, ...]:
        """The tables whose rows are changed, as SQL, each once, sorted: all lock in one order."""
        return tuple(sorted({step.name for step in self.steps}))

    def own(self, what: str) -> str:
        """A table of the kit's own as SQL."""
        return f"{FIX_SCHEMA}.{quote(f'{self.kit}_{what}')}"


def beginning(kit: KitScript, reads: Sequence[str]) -> Iterator[str]:
    """How both scripts of a kit begin: the right database, locks, the columns as they were when it was
    written. ``reads`` are tables that are locked too, and only read.
    """
    yield from opening()
    yield heading("1. The right database, and a transaction of its own.")
    yield right_place(kit.target)
    yield heading("2. Until the end others can read these tables, but not write to them.")
    yield from locked(kit.changed, reads)
    yield _same_shapes(kit.shapes)


def _same_shapes(shapes: Sequence[tuple[str, str]]) -> str:
    """Refuses tables whose columns are not those for which the kit was written."""
    hint = "the table was altered since the kit was written: write a new kit"
    checks = [
        refuse_if(
            f"{shape_sql(table)} IS DISTINCT FROM {text(shape)}",
            WRONG_PLACE,
            text(f"the columns of {table} are not those for which this kit was written"),
            hint,
        )
        for table, shape in shapes
    ]
    return block("\n".join(checks))


def shown(kit: str) -> str:
    """A query of what was done, as the last result."""
    is_it = f"k.kit OPERATOR(pg_catalog.=) {text(kit)}"
    return (
        "SELECT k.kit, k.check_id, k.run, k.rows, k.applied_at, k.applied_by, k.undone_at, k.undone_by\n"
        f"FROM {LOG} AS k WHERE {is_it};"
    )
