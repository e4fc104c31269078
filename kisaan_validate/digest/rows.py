"""Digests of rows as SQL. 128 bits in two 64-bit lanes; summed over rows they do not depend on the rows'
order.

The elements of a row make one ``ROW(…)``, evaluated once in a subquery that is not pulled up (OFFSET '0';
it may still run in parallel). Two encodings make lanes of it:

``hash``    PostgreSQL's own 64-bit record hash under two seeds, each mixed once more. Without the last
            step a lane would be a sum over columns, and two values swapped between rows would leave a sum
            over rows as it was.
``sha256``  the first 128 bits of SHA-256 over the row in PostgreSQL's binary format: slower, and
            cryptographic.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kisaan_validate.dataclass import dataclass

HASH, SHA256 = "hash", "sha256"
"""The encodings."""

HASH_SINCE = 140000
"""The first server version that has hash_record_extended."""

SEEDS = (2611923443488327891, 4026589025525377642)
"""One for each lane: the first 64 bits, read as a positive number, of the fractions of pi and e, sign bits
cleared.
"""


@dataclass(frozen=True)
class RowDigest:
    """How a row's digest is written: ``inner`` for the inner SELECT, where the row's columns are;
    ``lanes`` outside of it.

    ``name`` is the inner expression's alias.
    """

    encoding: str
    inner: str
    name: str

    @property
    def items(self) -> Mapping[str, str]:
        """What the inner SELECT makes of a row: alias -> expression over its columns."""
        return {self.name: self.inner}

    @property
    def lanes(self) -> tuple[str, str]:
        """The two lanes, int8 expressions over the inner expression's alias."""
        return _lane(self.encoding, self.name, 0), _lane(self.encoding, self.name, 1)

    @property
    def first_lane(self) -> str:
        """The first lane as an expression over the row's columns, for a condition."""
        return _lane(self.encoding, self.inner, 0)


class LiveDigest(Protocol):
    """A digest of any kind: what an inner SELECT makes of a row, and lanes over that, one or more."""

    @property
    def items(self) -> Mapping[str, str]:
        """Alias -> expression over the row's columns."""

    @property
    def lanes(self) -> tuple[str, ...]:
        """int8 expressions over the aliases."""

    @property
    def first_lane(self) -> str:
        """The first lane as an expression over the row's columns, for a condition."""


def _lane(encoding: str, digested: str, number: int) -> str:
    if encoding == HASH:
        # The row's hash is hashed again: by itself it adds up the columns, so swapped values would cancel.
        return f"hashint4extended(1, hash_record_extended({digested}, {SEEDS[number]}))"
    # Signed 64 bits: sums are numeric, so the sign does not matter.
    return f"('x' || encode(substr({digested}, {1 + 8 * number}, 8), 'hex'))::bit(64)::int8"


MOST = 1_600
"""So many elements stand beside each other in one ROW, which may have 1,664; more are packed in groups."""

_GROUP = 800


def row_sql(elements: Sequence[str]) -> str:
    """``ROW(…)`` of these elements; of more than fit, of groups of them in PostgreSQL's binary format of
    rows.
    """
    if len(elements) <= MOST:
        return f"ROW({', '.join(elements)})"
    groups = (elements[n : n + _GROUP] for n in range(0, len(elements), _GROUP))
    return f"ROW({', '.join(f'record_send({row_sql(group)})' for group in groups)})"


def row_digest(encoding: str, elements: Sequence[str], name: str = "r") -> RowDigest:
    """The digest of a row of these elements (see ``forms.elements_sql``): those of the key, then those of
    the columns.
    """
    row = row_sql(elements)
    return RowDigest(encoding, row if encoding == HASH else f"sha256(record_send({row}))", name)


def staged(source: str, items: Mapping[str, str], condition: str = "", alias: str = "s") -> str:
    """A FROM item whose columns are these expressions over a source, each evaluated once per row.

    OFFSET keeps the subquery from being pulled up. '0' is a constant as it is read; a bare 0 is one only
    after a cast, and until then it looks to the planner like an offset, below which nothing may run in
    parallel. IS TRUE keeps the planner from answering the condition by what is declared of the rows.
    """
    # Aliases are the engine's own, so they need no quotes.
    listed = ", ".join(f"{sql} AS {name}" for name, sql in items.items())
    where = f" WHERE ({condition}) IS TRUE" if condition else ""
    return f"(SELECT {listed} FROM {source}{where} OFFSET '0') AS {alias}"


def per_row_sql(
    source: str, digest: RowDigest, extra: Mapping[str, str], condition: str = "", order: str = ""
) -> str:
    """One line a row: ``extra`` (alias -> expression over the source), then the two lanes."""
    inner = staged(source, {**extra, digest.name: digest.inner}, condition)
    columns = ", ".join((*extra, *digest.lanes))
    return f"SELECT {columns} FROM {inner}" + (f" ORDER BY {order}" if order else "")


def whole_sql(source: str, digests: Iterable[RowDigest], condition: str = "") -> str:
    """One line: the number of rows, and for each digest the sums of its two lanes (numeric, exact)."""
    listed = list(digests)
    if not listed:
        # Without digests no subquery is needed, and the planner may count in parallel.
        return f"SELECT count(*) FROM {source}" + (f" WHERE {condition}" if condition else "")
    inner = staged(source, {d.name: d.inner for d in listed}, condition)
    sums = ", ".join(f"sum({lane})" for d in listed for lane in d.lanes)
    return f"SELECT count(*), {sums} FROM {inner}"


def buckets_sql(
    source: str, digest: LiveDigest, bucket: str = "", lane_mask: int = 0, condition: str = ""
) -> str:
    """One line a bucket: its number, its rows, the sums of the lanes as text.

    ``bucket`` is an int4 expression over the source; "" takes the bits ``lane_mask`` of the first lane, so
    that equal rows share a bucket. The planner has no statistics of the subquery's expressions and expects
    few groups, so it hashes.
    """
    inner = staged(source, {**({"b": bucket} if bucket else {}), **digest.items}, condition)
    number = "b" if bucket else lane_bucket(digest.lanes[0], lane_mask)
    sums = ", ".join(f"sum({lane})::text" for lane in digest.lanes)
    # By position: the expression of the bucket may be long.
    return f"SELECT {number}, count(*), {sums} FROM {inner} GROUP BY 1"


def lane_bucket(lane: str, mask: int) -> str:
    """The bucket of a row by its own first lane, an int4 expression."""
    return f"({lane} & {mask})::int4"
