"""Where in a table violating rows lie, so that only those blocks are read again for their keys.

The scan that counts also sets bits of a map for each violating row: that of its stripe, which is a run of
``width`` blocks, and where a stripe has several blocks, one by the rest of its block's number. A block is
read if both are set, which of rows that lie all over a table leaves few blocks beside their own. Bits are
shared, so a table that grew since its size was read costs more reading, and never a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.sql.expressions import APART, quote, table_sql

BITS = 8_192
"""The bits of a map. With more, each violating row would cost more to mark; with fewer, some hundred rows
that lie all over a table would mark too much of it.
"""

FEWEST_BLOCKS = 256
"""A smaller table is read again as a whole: that is a matter of milliseconds."""

MOST_SHARE = Fraction(1, 4)
"""If more of the stripes are marked, the whole table is read: a range of ctid is not read in parallel."""

MOST_LISTED = 1_000
"""So many marked bits stand in a statement by their numbers."""

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
        block = f"({place}::text::point)[0]::bigint"
        first, rests = _parts(self.width)
        one = f"set_bit(B'0'::bit({BITS}), (({block} / {self.width}) % {first})::int, 1)"
        if rests:
            one = f"set_bit({one}, ({first} + {block} % {rests})::int, 1)"
        return f"bit_or({one}) FILTER (WHERE {' OR '.join(flags)})"


def _parts(width: int) -> tuple[int, int]:
    """How many bits of a map stand for stripes, and how many for rests of block numbers."""
    # Stripes of one block say all that there is to say.
    return (BITS, 0) if width == 1 else (BITS // 2, BITS - BITS // 2)


def marking_of(table: Table, blocks: int | None, version: int) -> Marking | None:
    """How the scan of a table of so many blocks marks; None if it should not, or cannot.

    Rows of partitions, children, views and foreign tables have no ctid of this table.
    """
    one_heap = table.kind in {"r", "m"} and not table.unbound
    if version < SINCE or not one_heap or blocks is None or blocks < FEWEST_BLOCKS:
        return None
    width = 1 if blocks <= BITS else -(-blocks // _parts(2)[0])
    return Marking(width, -(-blocks // width))


@dataclass(frozen=True)
class Marks:
    """A map that was made: "0" and "1", one for each bit."""

    width: int
    bits: str
    stripes: int

    @property
    def share(self) -> Fraction:
        """About how much of the table is read, from 0 to 1."""
        first, rests = _parts(self.width)
        share = Fraction(self.bits[:first].count("1"), min(self.stripes, first))
        return share * Fraction(self.bits[first:].count("1"), rests) if rests else share

    def source(self, table: Table, *, placed: bool = False) -> str:
        """The FROM item that gives the rows of the marked blocks; ``placed``: with their ctid."""
        name = f"{quote(table.schema)}.{quote(table.name)}"
        blocks = f"pg_relation_size('{_in_literal(name)}') / current_setting('block_size')::int"
        first, rests = _parts(self.width)
        # What was appended after the snapshot is not seen in it, so the size now is large enough.
        stripes = (
            f"SELECT s FROM generate_series(0, {blocks} / {self.width}) AS s\n"
            f"  WHERE {_is_set(self.bits[:first], f's % {first}')}"
        )
        found = f"SELECT {_start('s')} AS first, {_start('s + 1')} AS next FROM ({stripes}) AS stripe"
        if rests:
            of_stripe = f"generate_series(s * {self.width}, (s + 1) * {self.width} - 1) AS b"
            found = (
                f"SELECT {_start('b')} AS first, {_start('b + 1')} AS next\n"
                f"  FROM ({stripes}) AS stripe, LATERAL {of_stripe}\n"
                f"  WHERE {_is_set(self.bits[first:], f'b % {rests}')}"
            )
        # Set apart, so that each block is read by a range of ctid, and not joined with the whole table.
        rows = (
            f"SELECT {'ctid, ' if placed else ''}* FROM {table_sql(table)}\n"
            f"  WHERE ctid >= block.first AND ctid < block.next{APART}"
        )
        every = f"SELECT found.* FROM (\n  {found}\n  ) AS block, LATERAL (\n  {rows}\n  ) AS found"
        return f"({every}) AS {quote(table.name)}"


def _is_set(bits: str, number: str) -> str:
    """Whether the bit of this number is set: by a list of those that are, or by all bits where that is
    shorter.
    """
    numbers = [n for n, bit in enumerate(bits) if bit == "1"]
    if len(numbers) <= MOST_LISTED:
        return f"{number} = ANY (ARRAY[{', '.join(map(str, numbers))}]::bigint[])"
    return f"get_bit(X'{int(bits, 2):0{len(bits) // 4}x}', ({number})::int) = 1"


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


def _start(block: str) -> str:
    # No table has a block of the highest number (PostgreSQL source, storage/block.h, InvalidBlockNumber).
    return f"format('(%s,0)', least({block}, 4294967295))::tid"


def _in_literal(text: str) -> str:
    return text.replace("'", "''")
