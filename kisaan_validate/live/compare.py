"""The comparison of one table on two live sides: buckets first, then only the rows of buckets that differ."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import field, replace
from typing import TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.one_pass import is_one_expressions_fault
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.differences import Unknown, no_key, rows_of
from kisaan_validate.facts.row_differences import (
    ChangeSink,
    Observer,
    PatternFound,
    RowChange,
    TableDiff,
)
from kisaan_validate.live.merge import Layout, Merged, Pipe, merge
from kisaan_validate.live.options import DiffOptions, digest_name
from kisaan_validate.live.plan import PairPlan
from kisaan_validate.live.repeats import Arrivals, duplicated
from kisaan_validate.live.samples import Allowance, Samples, hiding
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.live.statements import (
    HASHED,
    ROWS_A_BUCKET,
    SPAN,
    Buckets,
    Statements,
    choose_buckets,
    integer_key,
)
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.sql.expressions import quote, text_literal, to_sql

Answer = TypeVar("Answer")

FEW = 1_000_000
"""Up to so many rows of opened buckets are sorted without asking the planner, who takes a span of keys for
half a percent.
"""

Sums = Mapping[int, tuple[int, *tuple[str, ...]]]
"""By bucket: its rows, and the sums of its lanes, one or two, as the server printed them."""


def both(work: Callable[[int], Answer]) -> tuple[Answer, Answer]:
    """``work`` for side 0 and side 1 at once. Raises what the first failing side raises, after both have
    ended.
    """
    with ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(work, number) for number in (0, 1)]
    # Side 0 first: its error is raised even if side 1 failed too, so that the words do not depend on timing.
    return futures[0].result(), futures[1].result()


def _differing(old: Sums, new: Sums) -> set[int]:
    # Compared as the server printed them: equal numbers have equal texts.
    return {number for number in old.keys() | new.keys() if old.get(number) != new.get(number)}


def _sums(side: Sums, numbers: Iterable[int]) -> list[int]:
    """The sums of the lanes over all rows of these buckets."""
    found = [[int(lane) for lane in side[n][1:]] for n in numbers if n in side]
    return [sum(lanes) for lanes in zip(*found, strict=True)]


def _agree(read: Sequence[int], scanned: Sequence[int]) -> bool:
    """Whether the sums of rows that were read are those of the scan, which may have fewer lanes, and has none
    of no rows.
    """
    return list(read[: len(scanned)]) == list(scanned) and (bool(scanned) or not any(read))


def _skewed(old: Sums, new: Sums, differing: Collection[int]) -> bool:
    """Whether a few spans of the key hold most rows, as where one key is far from all others: then a hash
    spreads better.
    """
    opened = sum(side[n][0] for n in differing for side in (old, new) if n in side)
    return opened > 100_000 and opened > 20 * 2 * ROWS_A_BUCKET * len(differing)


@dataclass
class Comparison:
    """One table on two sides. ``observer`` sees every row that differs; so does ``sink``, without personal
    values.
    """

    sides: tuple[LiveSide, LiveSide]
    plan: PairPlan
    encoding: str
    options: DiffOptions
    observer: Observer | None = None
    allowance: Allowance = field(default_factory=Allowance)
    sink: ChangeSink | None = None
    seed: bytes = b""
    """The seed of the digests, another for each comparison; "" for those that do not depend on one."""
    by_index: bool = True
    """Whether an index may find the rows of buckets that differ."""
    contradicted: int = 0
    """After ``run``: rows whose digests differ although no column does."""
    misled: bool = False
    """After ``run``: an index found other rows than those that were digested."""

    def run(self) -> TableDiff:
        """The table's differences. Raises DatabaseError where the table as a whole cannot be compared."""
        # Only an integer key can be cut into spans; its ends are a hint, so an index may give them.
        ends = both(self._ends) if integer_key(self.plan) else None
        known = [value for end in ends for value in end if value is not None] if ends is not None else []
        estimate = self._estimate()
        how = choose_buckets(self.plan, estimate, (min(known), max(known)) if known else None)
        old, new = self._bucketed(how)
        differing = _differing(old, new)
        # Once only: a hash spreads any key, so there is nothing better to try.
        if how.kind == SPAN and _skewed(old, new, differing):
            how = choose_buckets(self.plan, estimate, None)
            old, new = self._bucketed(how)
            differing = _differing(old, new)
        rows = tuple(sum(counted[0] for counted in side.values()) for side in (old, new))
        made = self._result(rows[0], rows[1], how)
        if not differing:
            return replace(made, added=0, removed=0, changed=0)
        sizes = tuple(sum(side[n][0] for n in differing if n in side) for side in (old, new))
        # If most rows lie in opened buckets, one plain read of all is cheaper than picking them.
        opened = None if sum(sizes) * 2 > sum(rows) else differing
        late = self._late()
        # Small and known, so the planner's guess of temporary space is not asked.
        merged, samples, patterns = self._opened(
            how, opened, late, few=max(sizes) <= FEW and opened is not None
        )
        # What must be read is known from the digests, so a row that is missed is noticed.
        expected = rows if opened is None else sizes
        self.contradicted = merged.contradicted
        # The index is trusted only as far as its rows give the same sums as the scan did.
        self.misled = any(
            indexed and not _agree(merged.sums[number], _sums(side, differing))
            for number, (indexed, side) in enumerate(zip(self._indexed(how, opened), (old, new), strict=True))
        )
        found = replace(
            made,
            added=merged.added,
            removed=merged.removed,
            changed=merged.changed,
            late=merged.late,
            columns={p.name: merged.columns[p.name] for p in self.plan.pairs if merged.columns[p.name]},
            samples=samples,
            patterns=patterns,
            how=f"{made.how}; {len(differing):,} of them differ",
        )
        return replace(found, unknown=(*found.unknown, *self._doubts(found, merged, expected)))

    def _ends(self, number: int) -> tuple[int | None, int | None]:
        ((low, high),) = self.sides[number].hint(self._statements(number).ends())
        return low, high

    def _estimate(self) -> int:
        """About how many rows the larger side has; counted where neither catalogue knows."""
        tables = (self.plan.before.table, self.plan.after.table)
        known = max(table.estimated_rows for table in tables)
        if known:
            return known
        # Only a guess of the size; rows are counted by the digests themselves.
        return max(both(lambda number: int(self.sides[number].hint(self._statements(number).rows())[0][0])))

    def _statements(self, number: int) -> Statements:
        return Statements(self.plan, number, self.encoding, self.by_index, self.seed)

    def _indexed(self, how: Buckets, opened: set[int] | None) -> tuple[bool, ...]:
        """On which sides an index finds the rows of these buckets."""
        return tuple(self._statements(number).through_index(how, opened) for number in (0, 1))

    def _bucketed(self, how: Buckets) -> tuple[Sums, Sums]:
        def ask(number: int) -> Sums:
            statements = self._statements(number)
            rows = self.sides[number].ask(statements.buckets(how), statements.zone)
            return {bucket: (int(count), *sums) for bucket, count, *sums in rows}

        return both(ask)

    def alike(self, how: Buckets) -> bool:
        """Whether the digests of all rows are the same on both sides. Raises DatabaseError."""
        old, new = self._bucketed(how)
        return not _differing(old, new)

    def _late(self) -> str:
        """The condition, over a row of the side after, that it arrived after the before-state; "" if none
        was declared.
        """
        declared = self.options.since.get(self.plan.title)
        if declared is None:
            return ""
        column, value = declared
        if value is not None:
            return f"{quote(column)} >= {to_sql(text_literal(value))}"
        (part,) = self.plan.parts_of(1, self.plan.key)
        # By a scan, because which rows count as late depends on it.
        ((_, highest),) = self.sides[0].ask(
            self._statements(0).ends()
        )  # an answer rests on it: no hint of an index
        # Without any row before, every current row came later.
        return f"{part.sql}::int8 > {highest if highest is not None else -(2**63)}"

    def _opened(
        self, how: Buckets, opened: set[int] | None, late: str, *, few: bool
    ) -> tuple[Merged, tuple[RowChange, ...], tuple[PatternFound, ...]]:
        """Read the rows of the opened buckets from both sides at once, and merge them. Raises
        DatabaseError.
        """
        hide = hiding(self.plan)
        samples, arrivals = Samples(self.options.samples, self.allowance, hide), Arrivals()
        if self.observer is not None:
            self.observer.begin(self.plan.title, self.plan.pairs, self.plan.key)
        if self.sink is not None:
            self.sink.begin(self.plan.title, self.plan.pairs, self.plan.key)

        def see(change: RowChange) -> None:
            samples.see(change)
            if self.sink is not None:
                self.sink.see(hide(change))
            if self.observer is not None:
                arrivals.see(change)
                self.observer.see(change)

        pipes, indexed = (Pipe(), Pipe()), self._indexed(how, opened)
        threads = [
            threading.Thread(
                target=self.sides[number].stream,
                args=(
                    # The side before has no late rows, but both sides must send the same fields.
                    self._statements(number).stream(how, opened, late if number else late and "false"),
                    pipes[number],
                ),
                kwargs={"few": few, "indexed": indexed[number]},
                # Daemons: a side that never answers must not keep the process from ending.
                daemon=True,
            )
            for number in (0, 1)
        ]
        for thread in threads:
            thread.start()
        try:
            # Lanes are summed only where an index found the rows, to compare them with the buckets.
            merged = merge(
                pipes[0], pipes[1], replace(layout_of(self.plan, how, late), summed=any(indexed)), see
            )
        finally:
            let_go(self.sides, pipes, threads)
        if self.observer is None:
            return merged, samples.all(), ()
        # Asked while the snapshots are still open, and only now, when all added rows are known.
        twice = duplicated(self.sides[1], self.plan, self.encoding, arrivals)
        return merged, samples.all(), (*self.observer.end(self.plan.title), *twice)

    def _result(self, before: int, after: int, how: Buckets) -> TableDiff:
        plan = self.plan
        by = {SPAN: "spans of the key", HASHED: "a hash of the key"}.get(
            how.kind, "the row's digest (no key: multisets)"
        )
        masked = tuple(pair.name for pair in plan.pairs if pair.personal)
        name = digest_name(self.encoding, self.seed)
        return TableDiff(
            plan.title,
            plan.key,
            before,
            after,
            compared=plan.pairs,
            schema=plan.schema,
            unknown=plan.unknown,
            how=f"{64 if self.seed else 128}-bit digests ({name}) in buckets by {by}",
            masked=masked,
        )

    def _doubts(self, found: TableDiff, merged: Merged, expected: Sequence[int]) -> list[Unknown]:
        """What speaks against the figures: they are then said to be unknown, not corrected."""
        doubts = []
        assert found.rows_before is not None
        assert found.rows_after is not None
        # Counts are not corrected to fit: what does not add up is unknown.
        if tuple(merged.read) != tuple(expected):
            doubts.append(f"{merged.read} rows were read, but {list(expected)} had been counted")
        if merged.contradicted:
            doubts.append(f"{merged.contradicted:,} rows have different digests but no different column")
        elif found.rows_before - merged.removed + merged.added + merged.late != found.rows_after:
            doubts.append("rows added and removed do not add up to the difference of the counts")
        if merged.shared:
            doubts.append(no_key(self.plan.key, merged.shared))
        return [Unknown(rows_of(found.table), doubt) for doubt in doubts]


def layout_of(plan: PairPlan, how: Buckets, late: str = "") -> Layout:
    """What the fields of the plan's streamed lines are. ``late``: the condition that is streamed last."""
    context = plan.before.context
    proofs = tuple(part.column for part in plan.parts_of(0) if part.proof(context))
    place = {SPAN: 1, HASHED: 2}.get(how.kind, 0)
    return Layout(plan.title, place, plan.pairs, proofs, plan.key, bool(late))


def let_go(sides: Sequence[LiveSide], pipes: Sequence[Pipe], threads: Sequence[threading.Thread]) -> None:
    """After a failure the other side may still be sending: what it sends is dropped, and its statement
    cancelled.
    """
    for pipe in pipes:
        pipe.closed = True
    for side, thread in zip(sides, threads, strict=True):
        thread.join(0.1)
        if thread.is_alive():
            side.session.cancel()
        thread.join(10)
        if thread.is_alive():
            side.session.abandon()
            thread.join()


def compare_table(comparison: Comparison) -> TableDiff:
    """One table's differences; a column whose values cannot be digested is left out and said. Raises
    nothing.
    """
    # Each round leaves something out, so the loop ends: the index, declared scales, or one column.
    while True:
        try:
            made = comparison.run()
            if comparison.misled:
                comparison = replace(comparison, by_index=False, misled=False, contradicted=0)
                continue
            # A declared scale can be wrong where the catalogue was
            # written to by hand; then every number is trimmed.
            if not (comparison.contradicted and comparison.plan.scaled):
                return made
            comparison = replace(comparison, plan=comparison.plan.unscaled(), contradicted=0)
        except DatabaseError as error:
            culprit = _culprit(comparison) if is_one_expressions_fault(error) else None
            if culprit is None:
                return unanswered(comparison.plan, told(error, comparison.plan))
            column, reason = culprit
            # Without its key the table cannot be compared row by row.
            if column in comparison.plan.key:
                return unanswered(comparison.plan, f"its key {column}: {reason}")
            comparison = replace(comparison, plan=comparison.plan.without(column, reason))


def _culprit(comparison: Comparison) -> tuple[str, str] | None:
    """The first column that fails on its own, and why."""
    for number, side in enumerate(comparison.sides):
        # Column by column, over all rows: which one failed the whole digest did not say.
        statements = Statements(comparison.plan, number, comparison.encoding, seed=comparison.seed)
        for part in statements.parts:
            try:
                side.ask(statements.attempt(part))
            except DatabaseError as error:
                if is_one_expressions_fault(error):
                    return (part.column, told(error, comparison.plan))
                return None
    return None


def told(error: DatabaseError, plan: PairPlan) -> str:
    """What a failure says and what to do, without what the server may quote of a personal value."""
    personal = any(pair.personal for pair in plan.pairs)
    names = {
        plan.title,
        plan.before.table.name,
        plan.after.table.name,
        *plan.before.table.columns,
        *plan.after.table.columns,
    }
    # The side's name in front of the message is ours, and no value.
    when, colon, said = error.fact.partition(": ")
    fact = f"{when}{colon}{mask_values(said, names)}" if personal and not error.lost else error.fact
    return f"{fact}; {error.hint}" if error.hint else fact


def unanswered(plan: PairPlan, reason: str) -> TableDiff:
    """A table about which nothing is known, and why."""
    return TableDiff(
        plan.title,
        plan.key,
        None,
        None,
        compared=plan.pairs,
        schema=plan.schema,
        unknown=(*plan.unknown, Unknown(rows_of(plan.title), reason)),
    )


def unread(title: str, table: Table | None, reason: str) -> TableDiff:
    """A table that could not be looked at on one side."""
    key = table.primary_key if table is not None else ()
    return TableDiff(title, key, None, None, unknown=(Unknown(rows_of(title), reason),))
