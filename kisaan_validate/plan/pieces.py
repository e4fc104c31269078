"""A scan in pieces, each over a range of blocks: together they are the scan, inside one snapshot only.

Within a snapshot every row version that is seen has one place for as long as the snapshot is held, so that
ranges of ctid that do not overlap and leave nothing out meet each row once. In another snapshot an updated
row lies elsewhere, maybe where nobody looks any more.
"""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.plan.marks import SINCE
from kisaan_validate.plan.statements import Pass
from kisaan_validate.sql.expressions import table_sql

FEWEST_BLOCKS = 4_096
"""A smaller table (32 MB of 8 kB) is read at once: that takes a fraction of a second."""


def divisible(statement: Pass, blocks: int | None, version: int) -> bool:
    """Whether the scan can be cut: one large heap, of which only rows are counted.

    Sums of counts are counts. Figures, a join, and a table with a filter are read at once.
    """
    table = statement.table
    one_heap = table.kind in {"r", "m"} and not table.unbound and statement.source == table_sql(table)
    counted = not statement.figures and all(s.query is None and not s.found for s in statement.slots)
    large = blocks is not None and blocks > FEWEST_BLOCKS and version >= SINCE
    return large and one_heap and counted and not statement.alias


def piece_of(statement: Pass, first: int, following: int | None) -> Pass:
    """The same scan of the blocks from ``first`` up to before ``following``; None: to the end, however
    large the table has become.
    """
    end = "" if following is None else f" AND ctid < '({following},0)'::tid"
    return replace(statement, source=f"{statement.source}\nWHERE ctid >= '({first},0)'::tid{end}")
