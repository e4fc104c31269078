"""Scans of small tables that travel together: one statement, and one look at its plan, for many tables.

What a small table costs is the round trip. If anything goes wrong with a bundle, each of its scans is asked
by itself, as if there were no bundles.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kisaan_validate.plan.statements import Pass, Reads, figure_items

MOST_BLOCKS = 128
"""A table of at most so many blocks (1 MB of 8 kB) is small."""

FEWEST = 20
"""Fewer small tables than that are asked one by one: what is shared costs all, if one of them hangs."""

MOST_TOGETHER = 50
"""So many scans at most share a statement: a lock or a timeout costs all of them a second try."""

MOST_OUTPUTS = 1_000
"""So many outputs a bundle has at most."""


@dataclass(frozen=True)
class PassBundle:
    """Some passes, each over a table of its own, as one statement of one row."""

    passes: tuple[Pass, ...]

    @property
    def purpose(self) -> str:
        """What it is for, in words."""
        return f"rows of {len(self.passes)} small tables"

    @property
    def check_ids(self) -> tuple[str, ...]:
        """The checks that it answers."""
        return tuple(id for one in self.passes for id in one.check_ids)

    @property
    def reads(self) -> Reads:
        """By which ways it may read its tables: all of them as each by itself."""
        tables = tuple(key for one in self.passes for key in one.reads.tables)
        bare = tuple(key for one in self.passes for key in one.reads.bare)
        return Reads(tables, bare, believed=any(one.reads.believed for one in self.passes))

    def sql(self) -> str:
        """One row, and in it an array for each pass: its outputs as text, so that all are of one type."""
        return "SELECT " + ",\n".join(f"({one.as_texts()})" for one in self.passes)

    def rows(self, row: Sequence[object]) -> Iterator[tuple[Pass, list[int | str | None]]]:
        """Each pass with the row that its own statement would have returned."""
        for one, texts in zip(self.passes, row, strict=True):
            assert isinstance(texts, list)
            as_texts = len(one.found_items(one.slots)) + len(figure_items(one.figures))
            counts = texts[: len(texts) - as_texts]
            yield one, [*map(int, counts), *texts[len(counts) :]]


def bundles_of(passes: Iterable[Pass], blocks: Mapping[int, int]) -> list[PassBundle]:
    """The passes over small tables, in bundles; ``blocks`` are those of each table, by oid.

    A pass over a table whose size is not known, or that has a plan of its own to be looked at, is in none.
    """
    small = [one for one in passes if _is_plain(one) and is_small(blocks.get(one.table.oid))]
    if len(small) < FEWEST:
        return []
    found: list[list[Pass]] = []
    outputs = 0
    for one in small:
        outputs += one.width
        if not found or len(found[-1]) == MOST_TOGETHER or outputs > MOST_OUTPUTS:
            found.append([])
            outputs = one.width
        found[-1].append(one)
    # One alone shares nothing.
    return [PassBundle(tuple(part)) for part in found if len(part) > 1]


def is_small(blocks: int | None) -> bool:
    """Whether a table of so many blocks is small; one of unknown size is not."""
    return blocks is not None and blocks <= MOST_BLOCKS


def _is_plain(one: Pass) -> bool:
    """Whether a pass is an ordinary scan of a table, of not too many outputs."""
    return not one.alias and one.marking is None and one.table.kind == "r" and one.width <= MOST_OUTPUTS
