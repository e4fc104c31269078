"""Statements over small tables that travel together: one round trip, and one look at a plan, for many.

What a small table costs is the round trip.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.fused import FusedStatement
from kisaan_validate.plan.statements import Pass, Query

MOST_BLOCKS = 128
"""A table of at most so many blocks (1 MB of 8 kB) is small."""

FEWEST = 20
"""Fewer statements than that are asked one by one: what is shared costs all, if one of them hangs."""

MOST_TOGETHER = 50
"""So many at most share a statement: a lock or a timeout costs all of them a second try."""

MOST_OUTPUTS = 1_000
"""So many outputs a bundle has at most."""


@dataclass(frozen=True)
class StatementBundle(FusedStatement):
    """Some statements over small tables."""

    @property
    def purpose(self) -> str:
        """How many there are."""
        return f"{len(self.members)} statements over small tables"

    def sql(self) -> str:
        """One row, and in it an array for each member: its outputs as text, so that all are of one type."""
        return "SELECT " + ",\n".join(f"({one.as_texts()})" for one in self.members)

    def rows(self, row: Sequence[object]) -> Iterator[tuple[Pass | Query, list[object]]]:
        """Each member with the row that its own statement would have returned."""
        for one, texts in zip(self.members, row, strict=True):
            assert isinstance(texts, list)
            counts = texts[: len(texts) - (one.texts_last if isinstance(one, Pass) else 0)]
            yield one, [*map(int, counts), *texts[len(counts) :]]


def bundles_of(statements: Iterable[Pass | Query], small: Container[TableKey]) -> list[StatementBundle]:
    """The statements that read ``small`` tables alone, in bundles.

    One that has a plan of its own to be looked at, or that an author wrote, is in none.
    """
    plain = [one for one in statements if _is_plain(one) and all(key in small for key in one.tables)]
    if len(plain) < FEWEST:
        return []
    found: list[list[Pass | Query]] = []
    outputs = 0
    for one in plain:
        outputs += one.width
        if not found or len(found[-1]) == MOST_TOGETHER or outputs > MOST_OUTPUTS:
            found.append([])
            outputs = one.width
        found[-1].append(one)
    # One alone shares nothing.
    return [StatementBundle(tuple(part)) for part in found if len(part) > 1]


def small_tables(tables: Iterable[Table], blocks: Mapping[int, int]) -> frozenset[TableKey]:
    """Which of these tables are known to be small; ``blocks`` are those of each, by oid."""
    return frozenset(t.key for t in tables if t.kind == "r" and 0 <= blocks.get(t.oid, -1) <= MOST_BLOCKS)


def _is_plain(one: Pass | Query) -> bool:
    """Whether a statement is an ordinary scan or join of its tables, of not too many outputs."""
    if isinstance(one, Query):
        plain = one.tables != () and one.is_one_row and not one.violations.found
        return plain and not one.reads.authored and not one.reads.believed
    # What is believed of a row that is referred to is said of the checks of that join alone.
    trusting = bool(one.alias) and one.reads.believed
    return one.marking is None and not one.planner and not trusting and one.width <= MOST_OUTPUTS
