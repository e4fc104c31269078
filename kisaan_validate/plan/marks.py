"""Where in a table violating rows lie, so that only those blocks are read again for their keys.

The scan that counts also sets one bit of a map for each violating row: that of its stripe, which is a run
of ``width`` blocks. Stripe ``s`` shares bit ``s % BITS`` with others, so a table that grew since its size
was read costs more reading, and never a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from kisaan_validate.facts.catalogue import Table
from kisaan_validate.sql.expressions import APART, quote, table_sql

BITS = 8_192
"""The bits of a map: so many parts of a table are distinguished. With more, each violating row would
cost more to mark; with fewer, some hundred rows that lie all over a table would mark too much.
"""

FEWEST_BLOCKS = 256
"""A smaller table is read again as a whole: that is a matter of milliseconds."""

MOST_SHARE = Fraction(1, 4)
"""If more of the stripes are marked, the whole table is read: a range of ctid is not read in parallel."""

MOST_LISTED = 1_000
"""So many marked stripes stand in a statement by their numbers."""

SINCE = 140_000
"""From this version on PostgreSQL reads a range of ctid without the rest of the table."""


@dataclass(frozen=True)
class Marking:
    """How a scan marks: by stripes of ``width`` blocks, of which the table had ``stripes``."""

    width: int
    stripes: int

    def output(self, place: str, flags: Sequence[str]) -> str:
        """The aggregate that makes the map, as bit(BITS), of the rows for which any flag is true; NULL if
        there is none. ``place`` is the ctid of a row.
        """
        # The text of a ctid, "(block,item)", is that of a point; float8 holds every block number exactly.
        stripe = f"({place}::text::point)[0]::bigint / {self.width}"
        one = f"set_bit(B'0'::bit({BITS}), ({stripe} % {BITS})::int, 1)"
        return f"bit_or({one}) FILTER (WHERE {' OR '.join(flags)})"


def marking_of(table: Table, blocks: int | None, version: int) -> Marking | None:
    """How the scan of a table of so many blocks marks; None if it should not, or cannot.

    Rows of partitions, children, views and foreign tables have no ctid of this table.
    """
    one_heap = table.kind in {"r", "m"} and not table.unbound
    if version < SINCE or not one_heap or blocks is None or blocks < FEWEST_BLOCKS:
        return None
    width = -(-blocks // BITS)
    return Marking(width, -(-blocks // width))


@dataclass(frozen=True)
class Marks:
    """A map that was made: "0" and "1", one for each bit."""

    width: int
    bits: str
    stripes: int

    @property
    def share(self) -> Fraction:
        """How much of the table is marked, from 0 to 1."""
        return Fraction(self.bits.count("1"), min(self.stripes, BITS))

    def _marked(self, stripe: str) -> str:
        """Whether the bit of a stripe is set: by a list of those that are, or by all bits where that is
        shorter.
        """
        numbers = [n for n, bit in enumerate(self.bits) if bit == "1"]
        if len(numbers) <= MOST_LISTED:
            return f"{stripe} % {BITS} = ANY (ARRAY[{', '.join(map(str, numbers))}]::bigint[])"
        return f"get_bit(X'{int(self.bits, 2):0{BITS // 4}x}', ({stripe} % {BITS})::int) = 1"

    def source(self, table: Table, *, placed: bool = False) -> str:
        """The FROM item that gives the rows of the marked stripes; ``placed``: with their ctid."""
        name = f"{quote(table.schema)}.{quote(table.name)}"
        blocks = f"pg_relation_size('{_in_literal(name)}') / current_setting('block_size')::int"
        # What was appended after the snapshot is not seen in it, so the size now is large enough.
        stripes = (
            f"SELECT {_start('s', self.width)} AS first, {_start('(s + 1)', self.width)} AS next\n"
            f"  FROM generate_series(0, {blocks} / {self.width}) AS s\n"
            f"  WHERE {self._marked('s')}"
        )
        # Set apart, so that each stripe is read by a range of ctid, and not joined with the whole table.
        rows = (
            f"SELECT {'ctid, ' if placed else ''}* FROM {table_sql(table)}\n"
            f"  WHERE ctid >= stripe.first AND ctid < stripe.next{APART}"
        )
        found = f"SELECT found.* FROM (\n  {stripes}\n  ) AS stripe, LATERAL (\n  {rows}\n  ) AS found"
        return f"({found}) AS {quote(table.name)}"


def union(marks: Iterable[Marks | None]) -> Marks | None:
    """The stripes that any of these marks; None if one of them is missing."""
    found = list(marks)
    known = [one for one in found if one is not None]
    if not known or len(known) < len(found) or len({one.width for one in known}) > 1:
        return None
    bits = 0
    for one in known:
        bits |= int(one.bits, 2)
    return replace(known[0], bits=f"{bits:0{len(known[0].bits)}b}")


def _start(stripe: str, width: int) -> str:
    # No table has a block of the highest number (PostgreSQL source, storage/block.h, InvalidBlockNumber).
    return f"format('(%s,0)', least({stripe} * {width}, 4294967295))::tid"


def _in_literal(text: str) -> str:
    return text.replace("'", "''")
