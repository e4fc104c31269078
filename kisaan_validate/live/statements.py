"""The statements of one table's comparison, for either side. Pure: the same plan gives the same SQL text."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.cut import proof_cut_sql
from kisaan_validate.digest.form_sql import ZONELESS
from kisaan_validate.digest.forms import Context
from kisaan_validate.digest.parts import Part, key_bytes_sql, key_hash_sql, table_digest
from kisaan_validate.digest.rows import LiveDigest, buckets_sql, lane_bucket, staged
from kisaan_validate.digest.seeded import SeededDigest
from kisaan_validate.live.plan import PairedTable, PairPlan
from kisaan_validate.sql.expressions import quote, table_sql
from kisaan_validate.sql.qualify import qualified

SPAN, HASHED, WHOLE = "span", "hashed", "whole"
"""How rows are put into buckets: spans of an integer key; a hash of the key; the row's own digest where
there is no key.
"""

ROWS_A_BUCKET = 128
MOST_BUCKETS = 32_768
LEAST_BUCKETS = 256

SPANS_BY_INDEX = 4_000
"""Up to so many spans of the key are read through its index; beyond, the table is read as a whole."""


@dataclass(frozen=True)
class Buckets:
    """How both sides place a row in a bucket. ``low`` and ``width`` are of spans, ``mask`` of the others."""

    kind: str
    low: int = 0
    width: int = 1
    mask: int = 0

    def span(self, number: int) -> tuple[int, int]:
        """The first and the last key of a bucket of spans."""
        first = self.low + number * self.width
        return first, min(first + self.width - 1, 2**63 - 1)


def integer_key(plan: PairPlan) -> bool:
    """Whether the key is one integer that is never NULL, so that its order is that of its values."""
    # Not unique, or nullable, it has no order that both sides share.
    if len(plan.key) != 1 or not plan.unique:
        return False
    return all(part.form.name == "integer" for side in (0, 1) for part in plan.parts_of(side, plan.key))


def choose_buckets(plan: PairPlan, rows: int, ends: tuple[int, int] | None) -> Buckets:
    """Buckets for about ``rows`` rows; ``ends`` are the lowest and highest integer key of both sides, None
    if unknown.
    """
    wanted = min(max(rows // ROWS_A_BUCKET, LEAST_BUCKETS), MOST_BUCKETS)
    if not plan.key:
        return Buckets(WHOLE, mask=_mask(wanted))
    # Spans must not overflow an int8 when they are counted.
    if integer_key(plan) and ends is not None and ends[1] - ends[0] < 2**62:
        # Rounded up, so that the last span reaches the highest key.
        return Buckets(SPAN, ends[0], max(1, -(-(ends[1] - ends[0] + 1) // wanted)))
    return Buckets(HASHED, mask=_mask(wanted))


def _mask(wanted: int) -> int:
    # A power of two less one: the mask takes the low bits of a hash.
    return int(2 ** (wanted - 1).bit_length()) - 1


@dataclass(frozen=True)
class Statements:
    """The statements for one side of a plan (``number`` 0 before, 1 after) under one encoding.

    ``by_index``: an index of the key may find the rows of opened buckets. ``seed``: rows are digested under
    it, buckets in one lane, the rows of opened ones in two ("": as ``encoding`` says).
    """

    plan: PairPlan
    number: int
    encoding: str
    by_index: bool = True
    seed: bytes = b""

    @property
    def side(self) -> PairedTable:
        """The side."""
        return (self.plan.before, self.plan.after)[self.number]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The compared columns."""
        return self.plan.parts_of(self.number)

    @property
    def key(self) -> tuple[Part, ...]:
        """The key's columns."""
        return self.plan.parts_of(self.number, self.plan.key)

    @property
    def digest(self) -> LiveDigest:
        """The digest of a row in two lanes: the key's columns first, then the others."""
        return self._digest(self.side.context, 2)

    def _digest(self, context: Context, lanes: int) -> LiveDigest:
        others = [part for part in self.parts if part.column not in self.plan.key]
        if self.seed:
            return SeededDigest(self.seed, (*self.key, *others), context, lanes)
        return table_digest(self.encoding, self.key, others, context)

    @property
    def zone(self) -> str:
        """The zone in which the session should run for ``buckets``; "" to leave it as it is.

        Only where nothing that is digested depends on it. Names with a slash are never abbreviations, of
        which AT TIME ZONE thinks first.
        """
        # A cast of a clock follows the session's zone, and costs less than AT TIME ZONE.
        zone = self.side.context.zone
        clocks = any(
            part.form.name == "timestamptz" and part.facts.name != "timestamptz" for part in self.parts
        )
        free = all(part.form.name in ZONELESS and not part.cast for part in self.parts)
        return zone if clocks and free and ("/" in zone or zone == "UTC") else ""

    def ends(self) -> str:
        """The lowest and the highest value of an integer key."""
        (part,) = self.key
        return qualified(
            f"SELECT min({part.sql})::int8, max({part.sql})::int8 FROM {table_sql(self.side.table)}"
        )

    def rows(self) -> str:
        """The number of rows."""
        return qualified(f"SELECT count(*) FROM {table_sql(self.side.table)}")

    def buckets(self, how: Buckets) -> str:
        """(bucket, rows, sum of the first lane, that of the second if there are two) of every bucket that
        has rows; to be asked in ``zone``.
        """
        digest = self._digest(replace(self.side.context, in_zone=bool(self.zone)), 1)
        return qualified(buckets_sql(table_sql(self.side.table), digest, self._bucket(how), how.mask))

    def _bucket(self, how: Buckets) -> str:
        if how.kind == SPAN:
            # Integer division, so that both sides cut the same spans.
            return f"(({self.key[0].sql}::int8 - ({how.low})::int8) / {how.width})::int4"
        return f"({self._key_hash()} & {how.mask})::int4" if how.kind == HASHED else ""

    def _key_hash(self) -> str:
        return f"({key_hash_sql(self.encoding, self.key, self.side.context)})"

    def attempt(self, part: Part) -> str:
        """Evaluates one column's elements over all rows: where the whole digest failed, this finds the
        column at fault.
        """
        digest: LiveDigest = table_digest(self.encoding, (), (part,), self.side.context)
        if self.seed:
            digest = SeededDigest(self.seed, (part,), self.side.context)
        counts = ", ".join(f"count({name})" for name in (*digest.items, *digest.lanes))
        return qualified(f"SELECT {counts} FROM {staged(table_sql(self.side.table), digest.items)}")

    def stream(self, how: Buckets, opened: Collection[int] | None, late: str = "") -> str:
        """The rows of the opened buckets (None: all rows), in the order of the key.

        Columns: the place (an integer; for hashed keys an integer and bytes), the two lanes, each compared
        column's text for people (a long one is cut), the proofs of those that have one, and the condition
        ``late`` if one is given.
        """
        digest, context = self.digest, self.side.context
        source, condition = self._opened(how, opened)
        place = {SPAN: {"k": f"{self.key[0].sql}::int8" if self.key else ""}, WHOLE: {}}.get(
            # The hash orders rows on both sides alike; the key's bytes decide where two keys share one.
            how.kind,
            {"k": self._key_hash() if self.key else "", "kb": key_bytes_sql(self.key, context)},
        )
        shown = {f"c{n}": self._staged(part) for n, part in enumerate(self.parts)}
        proofs = {f"p{n}": proof for n, part in enumerate(self.parts) if (proof := part.proof(context))}
        if late:
            # IS TRUE: a NULL says nothing of when a row came.
            proofs["late"] = f"({late}) IS TRUE"
        inner = staged(source, {**place, **digest.items, **shown, **proofs}, condition)
        high, low = digest.lanes
        cut = [f"{self._cut(part, name)} AS {name}" for part, name in zip(self.parts, shown, strict=True)]
        cut += [name if name == "late" else f"{proof_cut_sql(name)} AS {name}" for name in proofs]
        listed = ", ".join((*place, f"{high} AS high", f"{low} AS low", *cut))
        order = ", ".join(place) or "high, low"
        return qualified(f"SELECT {listed} FROM {inner} ORDER BY {order}")

    def _staged(self, part: Part) -> str:
        """A key is shown whole, and may stand in a later statement; other values are cut where they are
        long.
        """
        if part.column in self.plan.key:
            return part.shown(self.side.context)
        return part.staged(self.side.context)

    def _cut(self, part: Part, name: str) -> str:
        return name if part.column in self.plan.key else part.cut(name)

    def through_index(self, how: Buckets, opened: Collection[int] | None) -> bool:
        """Whether the rows of these buckets are found by an index of the key: it may lack some, or find
        others.
        """
        return opened is not None and bool(self._spans(how, opened))

    def _spans(self, how: Buckets, opened: Collection[int]) -> list[tuple[int, int]]:
        """The spans of the key in which the rows of these buckets lie, where its index is to find them;
        else none.
        """
        if how.kind != SPAN or not self.by_index or not self._indexed():
            return []  # only a key of one integer has spans
        spans = _joined(how, sorted(opened))
        return spans if len(spans) <= SPANS_BY_INDEX else []

    def _opened(self, how: Buckets, opened: Collection[int] | None) -> tuple[str, str]:
        """The FROM item and the condition that give the rows of these buckets."""
        table = table_sql(self.side.table)
        if opened is None:
            return table, ""
        if spans := self._spans(how, opened):
            return self._through_index(spans), ""
        # As one array literal, which the parser takes better than thousands of literals.
        listed = "'{" + ",".join(str(n) for n in sorted(opened)) + "}'::int4[]"
        bucket = self._bucket(how) or lane_bucket(self.digest.first_lane, how.mask)
        return table, f"{bucket} = ANY ({listed})"

    def _indexed(self) -> bool:
        """Whether an ordered index begins with the key, so that a span of it can be read alone."""
        if len(self.key) != 1:
            return False
        (part,) = self.key
        if part.cast or part.facts.name not in {"int2", "int4", "int8"}:
            return False
        return any(
            i.ordered and i.valid and not i.predicate and i.columns[:1] == self.plan.key
            for i in self.side.table.indexes
        )

    def _through_index(self, spans: Sequence[tuple[int, int]]) -> str:
        low, high = (f"'{{{','.join(str(span[n]) for span in spans)}}}'::int8[]" for n in (0, 1))
        name = quote(self.plan.key[0])
        within = (
            f"SELECT * FROM {table_sql(self.side.table)} WHERE {name} BETWEEN span_of_keys.l AND "
            # OFFSET keeps PostgreSQL from pulling the subquery up and reading the table for each span.
            f"span_of_keys.h OFFSET '0'"
        )
        return (
            f"(SELECT rows_of_span.* FROM unnest({low}, {high}) AS span_of_keys (l, h), LATERAL "
            f"({within}) AS rows_of_span) AS opened"
        )


def _joined(how: Buckets, numbers: Sequence[int]) -> list[tuple[int, int]]:
    """The spans of these buckets, neighbours joined."""
    spans: list[tuple[int, int]] = []
    for first, last in map(how.span, numbers):
        if spans and spans[-1][1] + 1 == first:
            # Neighbouring spans are one range, so the index is entered fewer times.
            spans[-1] = (spans[-1][0], last)
        else:
            spans.append((first, last))
    return spans
