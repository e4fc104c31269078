"""Promises about rows: that they stay, go, or come."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.needs import Arrival, Identity, Names, Need, Removal
from kisaan_validate.contract.promise import OfTable, Outcome, State, counted, in_line
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import TOTALS, VALUES, ChangeKey
from kisaan_validate.facts.measure_key import WHICH_ROWS, count_key, names_key, of_column


@dataclass(frozen=True)
class RowsUnchanged(OfTable):
    """No row is added or removed, unless another promise says so."""

    kind: ClassVar[str] = "rows_unchanged"

    def claim(self) -> str:
        return f"{self.table} keeps its rows"

    def needs(self) -> tuple[Need, ...]:
        return (Identity(self.id, self.table),)

    def of_rows(self, both: Both, table: str) -> Outcome:
        story = story_of(both, table)
        counts = (counted(story.before), counted(story.after))
        # The number first: it says more to people than that keys differ.
        if unpromised := story.delta - story.promised:
            than = f"promised ({story.promised:+,})" if story.promised else "before"
            more = f"{counted(abs(unpromised))} {'more' if unpromised > 0 else 'fewer'} than {than}"
            return Outcome(State.BROKEN, more, frozenset(), *counts)
        if wrong := story.strangers():
            return Outcome(State.BROKEN, f"the same number of rows, but {wrong}", frozenset(), *counts)
        return Outcome(State.KEPT, "", frozenset(), *counts)


@dataclass(frozen=True)
class RowsRemoved(OfTable):
    """Exactly these go: duplicates by ``surplus_of`` or ``duplicates`` (the lowest key stays), and/or
    ``where``.
    """

    surplus_of: str = ""
    duplicates: tuple[str, ...] = ()
    where: str = ""
    kind: ClassVar[str] = "rows_removed"

    def claim(self) -> str:
        over = self.surplus_of or ", ".join(self.duplicates)
        where = f" where {in_line(self.where)}" if self.where else ""
        return (
            f"{self.table} loses {f'the surplus rows of {over}' if over else 'the rows'}{where}, "
            "and no others"
        )

    def needs(self) -> tuple[Need, ...]:
        return (Removal(self.id, self.table, self.duplicates, self.surplus_of, self.where, self.optional),)

    def expressions(self) -> tuple[str, ...]:
        return (self.where,) if self.where else ()

    def of_rows(self, both: Both, table: str) -> Outcome:
        # A check that means something else now would call other rows its surplus.
        digests = {
            side.checks[self.surplus_of].digest for side in both.sides if self.surplus_of in side.checks
        }
        if len(digests) > 1:
            raise CannotTell(
                f"the check {self.surplus_of} has changed its meaning since the baseline was taken"
            )
        before, after = both.old_count(self.id, table), both.after.count(self.id, table)
        counts = (counted(before), counted(after))
        if after:
            # Fewer than before but not none is no migration that was left out.
            state = State.NOT_DONE if 0 < before <= after else State.BROKEN
            first = "".join(
                f", first {name}" for name in both.after.measured(count_key(self.id, table)).names
            )
            return Outcome(state, _left(before, after) + first, frozenset(), *counts)
        if not before:
            return Outcome(State.KEPT, "there was nothing to remove", frozenset(), *counts)
        return _settled(story_of(both, table), counts)


def _left(before: int, after: int) -> str:
    if after > before:
        return f"{counted(after)} to remove; {before:,} before"
    if after == before:
        return f"all {before:,} still exist" if before > 1 else "it is still there"
    return f"{after:,} of {before:,} still {'exists' if after == 1 else 'exist'}"


@dataclass(frozen=True)
class RowsAdded(OfTable):
    """Exactly the rows that match ``where`` come, ``rows`` of them; no old row may match."""

    where: str = ""
    rows: int | None = None
    kind: ClassVar[str] = "rows_added"
    may_be_new: ClassVar[bool] = True

    def claim(self) -> str:
        many = counted(self.rows) if self.rows is not None else "rows"
        return f"{self.table} gains {many} where {in_line(self.where)}, and no others"

    def needs(self) -> tuple[Need, ...]:
        return (Arrival(self.id, self.table, self.where),)

    def expressions(self) -> tuple[str, ...]:
        return (self.where,)

    def of_rows(self, both: Both, table: str) -> Outcome:
        before, after = both.old_count(self.id, table), both.after.count(self.id, table)
        counts, come = (counted(before), counted(after)), after - before
        # rows = 0 promises that none comes.
        if not come and self.rows != 0:
            return Outcome(State.NOT_DONE, "no such row was added", frozenset(), *counts)
        if come < 0 or (self.rows is not None and come != self.rows):
            promised = "more" if self.rows is None else f"{self.rows:+,}"
            return Outcome(State.BROKEN, f"{come:+,} such rows, {promised} promised", frozenset(), *counts)
        # Which of the rows that fit are new cannot be told by the condition alone.
        if before and come:
            raise CannotTell(
                f"such rows existed before ({before:,}), so the condition does not identify the new ones"
            )
        return _settled(story_of(both, table), counts)


@dataclass(frozen=True)
class RowsArrived(OfTable):
    """Rows above the baseline's highest value of ``by`` may come. Nothing else may."""

    by: str = "id"
    kind: ClassVar[str] = "rows_arrived"

    def claim(self) -> str:
        return f"{self.table} may gain rows above the baseline's highest {self.by}"

    def needs(self) -> tuple[Need, ...]:
        return (Arrival(self.id, self.table, by=self.by),)

    def of_rows(self, both: Both, table: str) -> Outcome:
        come = both.after.count(self.id, table)
        outcome = _settled(story_of(both, table), ("none", counted(come)))
        nothing = outcome.state is State.KEPT and not come
        if nothing:
            # Nothing came, so it explains nothing; a change must find another promise.
            return replace(outcome, message="no row was added", explains=frozenset())
        return outcome


@dataclass(frozen=True)
class Recorded(OfTable):
    """Exactly these names enter a ledger, one row each."""

    column: str = "name"
    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "recorded"
    may_be_new: ClassVar[bool] = True

    def claim(self) -> str:
        return f"{self.table} records {', '.join(self.names)}"

    def needs(self) -> tuple[Need, ...]:
        return (Names(self.id, self.table, self.column, self.names),)

    def of_rows(self, both: Both, table: str) -> Outcome:
        before = set(both.old_measure(names_key(self.id)).names) if both.before.has_table(table) else set()
        after = set(both.after.measured(names_key(self.id)).names)
        counts = (f"{len(before):,} of {len(self.names):,}", f"{len(after):,} of {len(self.names):,}")
        if missing := [n for n in self.names if n not in after]:
            state = State.NOT_DONE if after == before else State.BROKEN
            return Outcome(state, f"not recorded: {', '.join(missing)}", frozenset(), *counts)
        rows, new = both.after.count(self.id, table), len(after - before)
        # The same name may be recorded twice.
        if rows > new:
            return Outcome(State.BROKEN, f"{counted(rows)} added for {new:,} names", frozenset(), *counts)
        outcome = _settled(story_of(both, table), counts)
        nothing = outcome.state is State.KEPT and not new
        if nothing:
            return replace(outcome, message="all were recorded before", explains=frozenset())
        return outcome


def _settled(story: Story, counts: tuple[str, str]) -> Outcome:
    """Whether the rows that are left are those that should be; which changes of figures follow from what
    went and came.
    """
    if story.misfit:
        return Outcome(State.BROKEN, story.misfit, frozenset(), *counts)
    both, table = story.both, story.table
    moved = story.moved
    if wrong := story.strangers():
        # The differences of rows are named as what breaks it.
        return Outcome(State.BROKEN, f"the promised number of rows, but {wrong}", frozenset(), *counts, moved)
    explained: set[ChangeKey] = set(moved)
    # Sums and ends move with the rows that went or came: only if they are what follows are they explained.
    for column in {key[2] for key in both.changes if key[:2] == (VALUES, table)}:
        explained |= both.keys_of(table, column) if _follows(story, column) else frozenset()
    explained |= _totals_following(story)
    return Outcome(State.KEPT, "", frozenset(explained), *counts)


def _totals_following(story: Story) -> set[ChangeKey]:
    """The changes of control totals that can only come from the rows that went or came as promised: all other
    rows are the same, with the same values in every column of the total.
    """
    names = {
        total.name: (total.column, *(part.column for part in total.by))
        for total in story.both.after.facts.totals
        if total.table == story.table
    }
    changes = [key for key in story.both.changes if key[:2] == (TOTALS, story.table)]
    same = {name for name in {key[2] for key in changes} if _same_values(story, names.get(name, ()))}
    return {key for key in changes if key[2] in same}


def _same_values(story: Story, columns: tuple[str, ...]) -> bool:
    try:
        # Only digests prove it: equal figures may hide values that changed places.
        figures = (WHICH_ROWS, *(of_column(column) for column in columns))
        return bool(columns) and all(story.agree(figure, figure) for figure in figures)
    except CannotTell:
        return False


def _follows(story: Story, column: str) -> bool:
    """Whether a column has the figures that it should have after what went and came."""
    try:
        return not story.contradiction(column)
    except CannotTell:
        # Not known is not explained; the difference stays open.
        return False
