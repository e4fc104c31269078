"""Promises that are judged row by row: by digests of keys and values, never by figures alone."""

from __future__ import annotations

from typing import ClassVar

from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.needs import Lookup, Need, Untouched
from kisaan_validate.contract.promise import OfColumn, Outcome, State, counted, in_line, missing
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.measure_key import count_key, null_keys_key, of_column, replaced, untouched


@dataclass(frozen=True)
class ChangedWhereNull(OfColumn):
    """Only values that were NULL change, to any value. Other rows keep their values."""

    kind: ClassVar[str] = "changed_where_null"

    def claim(self) -> str:
        return f"{self.column} changes only where it was NULL"

    def needs(self) -> tuple[Need, ...]:
        return (Untouched(self.id, *self.place, self.optional),)

    def rewrites(self) -> tuple[str, str] | None:
        return self.place

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        story, changed = story_of(both, table), both.keys_of(table, name)
        # By the keys that were kept, not by a count: the rows that were NULL are left out of both digests.
        before, now = (
            len(both.old_measure(null_keys_key(self.id)).names),
            both.after.profile(table, name).nulls,
        )
        counts = (f"{before:,} NULL", "" if now is None else f"{now:,} NULL")
        figure = untouched(name, self.id)
        if not story.agree(figure, figure):
            # Rows that went or came make every digest differ, so the rows are blamed before the values.
            if story.blame:
                return Outcome(State.BROKEN, story.blame, frozenset(), *counts, story.moved)
            return Outcome(State.BROKEN, "a row that was not NULL changed", frozenset(), *counts, changed)
        return Outcome(State.KEPT, "" if before else "no row was NULL", changed, *counts)


@dataclass(frozen=True)
class LookedUp(OfColumn):
    """Each value is that of the row of ``from`` whose ``key`` equals ``by``; NULL where there is none.

    The column may be new.
    """

    from_: str = ""
    by: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    value: str = ""
    kind: ClassVar[str] = "looked_up"

    def claim(self) -> str:
        return (
            f"every {self.column} is {in_line(self.value)} of the {self.from_} row with the same "
            f"{', '.join(self.by)}"
        )

    def needs(self) -> tuple[Need, ...]:
        return (Lookup(self.id, *self.place, self.from_, self.by, self.value, self.key, self.optional),)

    def expressions(self) -> tuple[str, ...]:
        return (self.value,)

    def rewrites(self) -> tuple[str, str] | None:
        return self.place

    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell. The column need not have been there before."""
        title = both.table(self.place[0])
        name = both.column(title, self.place[1])
        # Only after: a lookup may fill a column that is new.
        exists = [side.has_column(title, name) for side in both.sides]
        if exists[1]:
            return self.of_values(both, title, name)
        return missing(f"column {self.column}", self.optional, exists)

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        changed = both.keys_of(table, name)
        wrong = both.after.count(self.id, table)
        first = "".join(f", first {found}" for found in both.after.measured(count_key(self.id, table)).names)
        said = (
            f"{counted(wrong)} {'differs' if wrong == 1 else 'differ'} from {self.from_}{first}"
            if wrong
            else ""
        )
        try:
            # By the rows of the source as they were: it may have changed since, and the migration is not to
            # blame for that.
            was_so = self._as_before(story_of(both, table), name)
        except CannotTell as reason:
            now = f"{said}" if wrong else "every row matches today"
            raise CannotTell(f"{now}; whether {self.from_} changed meanwhile is unknown: {reason}") from None
        if wrong and not was_so and self._not_done(both, table, name):
            return Outcome(State.NOT_DONE, said)
        # Kept before wrong: today's lookup is only a second witness.
        if was_so:
            late = f"matches the earlier lookup; {self.from_} changed later: {said}" if wrong else ""
            return Outcome(State.KEPT, late, changed)
        if wrong:
            return Outcome(State.BROKEN, said, contradicts=changed)
        if rows := story_of(both, table).blame:
            raise CannotTell(f"every row matches today; {rows}")
        raise CannotTell(
            f"every row matches today's lookup but not the earlier one: {self.from_} changed since"
        )

    def _not_done(self, both: Both, table: str, name: str) -> bool:
        """Whether the column is as it was, or has no value if it was not there."""
        if not both.before.has_column(table, name):
            # Of a new column: every row NULL means that nothing filled it.
            return both.after.profile(table, name).nulls == both.after.rows(table)
        try:
            column = of_column(name)
            return story_of(both, table).agree(column, column)
        except CannotTell:
            return False

    def _as_before(self, story: Story, name: str) -> bool:
        """Whether each row has the value that was looked up before. Raises CannotTell."""
        return story.agree(replaced(name, self.id), of_column(name))
