"""One scan of a large table for its row checks and its references to small ones, whose keys each process of
the scan holds in memory (a hashed subplan).

A join for each reference would read the large table once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.plan.fused import FusedStatement
from kisaan_validate.plan.statements import ListedKeys, Pass, Query

MOST_OUTPUTS = 1_000
"""So many outputs a shared scan has at most."""

MOST_KEYS = 60_000
"""So many keys at most are listed in a shared scan: some megabytes in each of its processes. One list of
short keys stays below what a hash may take by default (PostgreSQL documentation, work_mem and
hash_mem_multiplier).
"""

MOST_BLOCKS = 1_024
"""The tables listed in a shared scan have at most so many blocks together (8 MB of 8 kB): a list never spills
to disk, and statistics may tell far less than there is.
"""


@dataclass(frozen=True)
class SharedScan(FusedStatement):
    """The pass over a table's rows, and after it those over its references that ride along."""

    lists: ClassVar[bool] = True

    members: tuple[Pass, ...]

    @property
    def purpose(self) -> str:
        """The scan, and what it refers to."""
        parents = dict.fromkeys(one.tables[-1][1] for one in self.members[1:])
        return f"{self.members[0].purpose}, references to {', '.join(parents)}"

    def sql(self) -> str:
        """The scan of the rows, which lists the keys that they may refer to."""
        scan, *referring = self.members
        return scan.sql_with([_listed(one) for one in referring])

    def rows(self, row: Sequence[object]) -> Iterator[tuple[Pass | Query, list[object]]]:
        """Those of the scan come first."""
        scan, *referring = self.members
        start = len(row) - sum(map(_outputs, referring))
        yield scan, list(row[:start])
        given = scan.given_in(row)
        for one in referring:
            end = start + _outputs(one)
            # No row finds two others here: as many are read as there are to be joined.
            yield one, [given[one.referring], *row[start:end]]
            start = end


def shared_scans(passes: Iterable[Pass], blocks: Mapping[int, int]) -> list[SharedScan]:
    """The scans of these that references to small tables can share; ``blocks`` are those of each table, by
    oid.
    """
    listed = list(passes)
    made = []
    for scan in listed:
        found = _riding(scan, listed, blocks) if scan.counts_table else []
        if found and scan.width + sum(map(_outputs, found)) <= MOST_OUTPUTS:
            made.append(SharedScan((scan, *found)))
    return made


def _riding(scan: Pass, passes: Iterable[Pass], blocks: Mapping[int, int]) -> list[Pass]:
    """The references that ride in a scan: the shorter lists first, as far as there is room for them."""
    # A scan that does not mark could not say where the violating rows of one that does lie.
    fit = [one for one in passes if one.table.key == scan.table.key and one.marking == scan.marking]
    keys, read, found = 0, 0, []
    for one in sorted((one for one in fit if one.listed is not None), key=lambda one: _listed(one).rows):
        listed = _listed(one)
        # Without marks each slot has a list of its own.
        more = len(listed.slots) * listed.rows
        size = len(listed.slots) * blocks.get(listed.oid, MOST_BLOCKS + 1)
        if keys + more <= MOST_KEYS and read + size <= MOST_BLOCKS:
            keys, read = keys + more, read + size
            found.append(one)
    return found


def _listed(one: Pass) -> ListedKeys:
    assert one.listed is not None
    return one.listed


def _outputs(one: Pass) -> int:
    """How many outputs a pass over references adds: its map, if it marks, and two counts a check."""
    slots = _listed(one).slots
    return one.marks(slots) + sum(2 if slot.judged else 1 for slot in slots)
