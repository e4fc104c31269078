"""The reconciliation statement of each table: before + came − went = after, in rows and in sums of money.
Pure: from recorded facts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from kisaan_validate.compare.digests import why_undigested
from kisaan_validate.compare.patterns.base import EXACT
from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.contract.both import Both, CannotTell, Side, side_of
from kisaan_validate.contract.promise import OfTable, Promise
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import ROWS, VALUES
from kisaan_validate.facts.measure_key import WHICH_ROWS
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, TableFacts
from kisaan_validate.verdict.judgement import Judgement, promised_story

if TYPE_CHECKING:
    from kisaan_validate.facts.kept import RowsCompared


class LineKind(StrEnum):
    """The lines of a statement, in their order; the value is what a reader sees."""

    BEFORE = "Before"
    CAME = "Came, as promised"
    CAME_OTHERWISE = "Came, not promised"
    WENT = "Went, as promised"
    WENT_OTHERWISE = "Went, not promised"
    REWRITTEN = "Values changed, as promised"
    COMPUTED = "After, computed"
    COUNTED = "After, counted"
    DIFFERENCE = "Difference"
    TO_GO = "Still to go"
    EXPECTED = "Expected in the end"


@dataclass(frozen=True)
class Amount:
    """A number of rows or a sum, exact; None where it is not known, with the reason."""

    value: Decimal | None
    reason: str = ""


@dataclass(frozen=True)
class StatementLine:
    """One line: an amount of rows, then one of each column; what went is negative. ``source`` says where
    the line is from.
    """

    kind: LineKind
    amounts: tuple[Amount, ...]
    source: str = ""


@dataclass(frozen=True)
class Reconciliation:
    """One table's statement. ``columns`` are those whose sums stand beside the rows; ``left_out`` are money
    columns without an exact sum, each with the reason.
    """

    table: str
    columns: tuple[str, ...]
    lines: tuple[StatementLine, ...]
    left_out: tuple[tuple[str, str], ...] = ()

    def line(self, kind: LineKind) -> StatementLine | None:
        """A line; None where the statement has none of the kind."""
        return next((line for line in self.lines if line.kind is kind), None)

    @property
    def differences(self) -> tuple[Amount, ...]:
        """Counted less computed: of rows, then of each column."""
        line = self.line(LineKind.DIFFERENCE)
        return line.amounts if line is not None else ()

    @property
    def reconciles(self) -> bool | None:
        """Whether every difference is known to be 0; False if one is known not to be; None if that is not
        known.
        """
        values = [amount.value for amount in self.differences]
        if any(values):
            return False
        return None if not values or None in values else True

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why amounts are not known, each reason once."""
        every = (amount for line in self.lines for amount in line.amounts)
        return tuple(dict.fromkeys(amount.reason for amount in every if amount.value is None))

    @property
    def quiet(self) -> bool:
        """Whether nothing is known to have moved, and nothing to differ."""
        sides = {LineKind.BEFORE, LineKind.COMPUTED, LineKind.COUNTED}
        known = [a.value for line in self.lines if line.kind not in sides for a in line.amounts]
        before, after = (self.line(kind) for kind in (LineKind.BEFORE, LineKind.COUNTED))
        return not any(known) and before is not None and after is not None and _same(before, after)


def _same(one: StatementLine, other: StatementLine) -> bool:
    return [a.value for a in one.amounts] == [a.value for a in other.amounts]


def reconciliations(judged: Judgement) -> tuple[Reconciliation, ...]:
    """The statements of a run, in order of table: of those whose rows or sums the contract names or that
    changed; of all compared tables where there is no contract. Empty without a baseline.
    """
    if judged.before is None:
        return ()
    after = baseline_of(judged.run)
    both = judged.both or Both(side_of(judged.before, "before"), side_of(after, "after"), {})
    rows = {compared.table: compared for compared in judged.run.rows}
    return tuple(
        _Books(title, both, judged, rows.get(title)).statement() for title in sorted(_titles(judged, both))
    )


def _titles(judged: Judgement, both: Both) -> set[str]:
    if judged.contract is None:
        return {title for side in both.sides for title in tables_in_scope(side.facts)}
    counted = {*both.before.tables, *both.after.tables}
    named = {*both.removals, *both.arrivals, *(table for table, _ in both.speakers)}
    named |= {both.table(name) for promise in judged.contract.promises if (name := _names(promise))}
    changes = judged.diff.changes if judged.diff is not None else ()
    moved = {c.table for c in changes if c.kind == ROWS or (c.kind == VALUES and c.aspect == "total")}
    return (named | moved) & counted


def _names(promise: Promise) -> str:
    """The table whose rows or sum a promise is about; "" if it is about neither."""
    from kisaan_validate.contract.values import SumPreserved

    if isinstance(promise, SumPreserved):
        return promise.place[0]
    return promise.table if isinstance(promise, OfTable) else ""


NOT_KEPT = "the values of these rows were not kept"
NOT_ONE_BY_ONE = "rows were not compared one by one (a baseline with --rows can tell)"
NOT_SUMMED = "the sum of these values was not measured"
NOT_FINITE = "the sum holds NaN or Infinity, which proves nothing"


@dataclass(frozen=True)
class _Books:
    """What is known of one table."""

    table: str
    both: Both
    judged: Judgement
    compared: RowsCompared | None

    def statement(self) -> Reconciliation:
        """The statement of the table."""
        columns, left_out = self._columns()
        lines = [self._side(LineKind.BEFORE, self.both.before, columns)]
        lines += self._moves(columns)
        computed = StatementLine(LineKind.COMPUTED, _summed(lines))
        counted = self._side(LineKind.COUNTED, self.both.after, columns)
        difference = StatementLine(LineKind.DIFFERENCE, _summed([counted], less=computed))
        to_go = self._to_go(columns)
        ends = [StatementLine(LineKind.EXPECTED, _summed([computed, *to_go]))] if to_go else []
        return Reconciliation(
            self.table, columns, (*lines, computed, counted, difference, *to_go, *ends), left_out
        )

    # --- which columns ------------------------------------------------------------------------------------

    def _columns(self) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        old, new = (
            {name: facts for (title, name), facts in side.columns.items() if title == self.table}
            for side in self.both.sides
        )
        pairs = {name: (old[name], new[name]) for name in old if name in new}
        reasons = {name: _why_no_sum(*pair) for name, pair in pairs.items()}
        money = [name for name, pair in pairs.items() if self._is_money(name, *pair)]
        return (
            tuple(name for name in money if not reasons[name]),
            tuple((name, reasons[name]) for name in money if reasons[name]),
        )

    def _is_money(self, name: str, old: ColumnFacts, new: ColumnFacts) -> bool:
        """Whether a column holds amounts: numbers with a fraction, or whole ones whose sum a promise
        names.
        """
        families = {facts.profile.family for facts in (old, new) if facts.profile is not None}
        if not families & {Family.NUMBER, Family.FLOAT}:
            return False
        return bool({old.type, new.type} - _WHOLE) or name in self._promised_sums

    @property
    def _promised_sums(self) -> set[str]:
        """The columns whose sum a promise speaks of."""
        if not self.judged.promises:
            return set()
        from kisaan_validate.contract.values import SumPreserved

        promises = [p for p, _ in self.judged.promises if isinstance(p, SumPreserved)]
        return {
            self.both.column(self.table, p.place[1])
            for p in promises
            if self.both.table(p.place[0]) == self.table
        }

    # --- lines --------------------------------------------------------------------------------------------

    def _side(self, kind: LineKind, side: Side, columns: Sequence[str]) -> StatementLine:
        sums = (_amount(partial(self._sum, side, column)) for column in columns)
        who = "baseline" if side is self.both.before else "run"
        return StatementLine(kind, (_rows(lambda: side.rows(self.table)), *sums), f"{who} {side.facts.id}")

    def _sum(self, side: Side, column: str) -> Decimal:
        return _total(side.profile(self.table, column))

    def _moves(self, columns: Sequence[str]) -> Iterator[StatementLine]:
        promised = list(self._promised(columns))
        yield from promised
        came, went, source = self._otherwise(promised)
        for kind, rows in ((LineKind.CAME_OTHERWISE, came), (LineKind.WENT_OTHERWISE, went)):
            yield StatementLine(kind, (rows, *(_of_no_rows(rows) for _ in columns)), source)
        yield from self._rewritten(columns)

    def _promised(self, columns: Sequence[str]) -> Iterator[StatementLine]:
        """What came and went as the contract says."""
        arrivals, removals = (
            [need.rule for need in of.get(self.table, ())] for of in (self.both.arrivals, self.both.removals)
        )
        if arrivals:
            sums = (_amount(partial(self._came, column)) for column in columns)
            rows = _rows(lambda: self._story().arrived)
            yield StatementLine(LineKind.CAME, (rows, *sums), _contract(arrivals))
        if removals:
            sums = (_amount(partial(self._went, column)) for column in columns)
            rows = _rows(lambda: self._story().staying - self._story().before)
            yield StatementLine(LineKind.WENT, (rows, *sums), _contract(removals))

    def _story(self) -> Story:
        return story_of(self.both, self.table)

    def _came(self, column: str) -> Decimal:
        settled = self._story().actual(column)
        return EXACT.subtract(_total(self.both.after.profile(self.table, column)), _total(settled))

    def _went(self, column: str) -> Decimal:
        stays = self._story().expected(column)
        return EXACT.subtract(_total(stays), _total(self.both.before.profile(self.table, column)))

    def _otherwise(self, promised: Sequence[StatementLine]) -> tuple[Amount, Amount, str]:
        """The rows that came and went without a promise, and where that is known from."""
        if self.compared is not None and self.compared.added is not None and not self.compared.message:
            came = _less(self.compared.added, promised, LineKind.CAME)
            went = _less(-(self.compared.removed or 0), promised, LineKind.WENT)
            return came, went, "rows compared one by one"
        if how := self._same_rows():
            return Amount(Decimal()), Amount(Decimal()), how
        unknown = Amount(None, NOT_ONE_BY_ONE)
        return unknown, unknown, "not known"

    def _same_rows(self) -> str:
        """How it is known that all other rows are the same ones; "" where it is not."""
        old, new = (side.tables.get(self.table) for side in self.both.sides)
        try:
            story = self._story()
            if not story.staying and not story.settled:
                return "no other row on either side"
            if self._by_table_digests(old, new, story):
                return "keys compared, by the tables' digests"
            # Only an equal digest proves it: that nothing speaks against it does not.
            same = story.staying == story.settled and story.agree(WHICH_ROWS, WHICH_ROWS)
            return "keys compared, by the contract's digests" if same else ""
        except CannotTell:
            return ""

    def _by_table_digests(self, old: TableFacts | None, new: TableFacts | None, story: Story) -> bool:
        if old is None or new is None or old.digests is None or new.digests is None:
            return False
        if story.arrived or story.done or why_undigested(old, new) or old.rows != new.rows:
            return False
        late = old.digests.late or new.digests.late
        return not late and old.digests.which_rows == new.digests.which_rows

    def _rewritten(self, columns: Sequence[str]) -> Iterator[StatementLine]:
        """What promises say of the values of these columns: by how much each sum should have moved."""
        speaking = {c: p for c in columns if (p := self.both.speakers.get((self.table, c))) is not None}
        if not speaking:
            return
        sums = (
            _amount(partial(self._moved_by, column, speaking[column])) if column in speaking else _NOTHING
            for column in columns
        )
        ids = sorted({promise.id for promise in speaking.values()})
        yield StatementLine(LineKind.REWRITTEN, (_NOTHING, *sums), _contract(ids))

    def _moved_by(self, column: str, promise: Promise) -> Decimal:
        story = self._story()
        return EXACT.subtract(_total(story.expected(column, promise.id)), _total(story.expected(column)))

    def _to_go(self, columns: Sequence[str]) -> list[StatementLine]:
        """What the contract removes and the migration did not."""
        try:
            done, all_ = self._story(), promised_story(self.both, self.table)
        except CannotTell:
            return []
        rules = sorted(all_.done - done.done)
        if not rules:
            return []

        def still(column: str) -> Decimal:
            return EXACT.subtract(_total(all_.expected(column)), _total(done.expected(column)))

        sums = (_amount(partial(still, column)) for column in columns)
        rows = _rows(lambda: all_.staying - done.staying)
        return [StatementLine(LineKind.TO_GO, (rows, *sums), _contract(rules))]


# --- amounts ----------------------------------------------------------------------------------------------

_WHOLE = frozenset({"smallint", "integer", "bigint", "oid"})
_NOTHING = Amount(Decimal())


def _why_no_sum(old: ColumnFacts, new: ColumnFacts) -> str:
    """Why a column has no sum that could be compared; ""."""
    for when, facts in (("before", old), ("after", new)):
        profile = facts.profile
        if profile is None or facts.unmeasured:
            return f"not measured {when}{f': {facts.unmeasured}' if facts.unmeasured else ''}"
        if profile.personal:
            return "personal: its sum is not kept"
        if profile.family is not Family.NUMBER:
            return f"{facts.type} {when}: its sum is not exact"
    return ""


def _total(profile: Profile) -> Decimal:
    """An exact sum; 0 where no row has a value. Raises CannotTell."""
    if profile.personal or profile.family is not Family.NUMBER:
        raise CannotTell("it has no exact sum")
    # Values without a sum: it was not measured, and is not 0.
    if profile.total is None and profile.minimum is not None:
        raise CannotTell(NOT_SUMMED)
    total = Decimal(profile.total or 0)
    if not total.is_finite():
        raise CannotTell(NOT_FINITE)
    return total


def _amount(ask: Callable[[], Decimal]) -> Amount:
    try:
        return Amount(ask())
    except CannotTell as reason:
        return Amount(None, str(reason))


def _rows(ask: Callable[[], int]) -> Amount:
    return _amount(lambda: Decimal(ask()))


def _of_no_rows(rows: Amount) -> Amount:
    """The sum over rows when only their number is known."""
    if rows.value is None:
        return rows
    return Amount(None, NOT_KEPT) if rows.value else _NOTHING


def _less(known: int, promised: Sequence[StatementLine], kind: LineKind) -> Amount:
    """A number of rows without those that were promised."""
    lines = [line for line in promised if line.kind is kind]
    return _added([Amount(Decimal(known)), *(_negated(line.amounts[0]) for line in lines)])


def _negated(amount: Amount) -> Amount:
    return amount if amount.value is None else Amount(EXACT.minus(amount.value))


def _added(amounts: Sequence[Amount]) -> Amount:
    total = Decimal()
    for amount in amounts:
        # One that is not known makes the whole unknown: nothing is taken for 0.
        if amount.value is None:
            return amount
        total = EXACT.add(total, amount.value)
    return Amount(total)


def _summed(lines: Sequence[StatementLine], less: StatementLine | None = None) -> tuple[Amount, ...]:
    """The lines added up, column by column, without another line."""
    taken = [tuple(map(_negated, less.amounts))] if less is not None else []
    return tuple(_added(column) for column in zip(*(line.amounts for line in lines), *taken, strict=True))


def _contract(rules: Sequence[str]) -> str:
    return f"contract, {', '.join(rules)}"
