"""What happened to the rows of one table, as far as a contract speaks of it: which went, which came, what is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from kisaan_validate.changes import differing
from kisaan_validate.contract.both import Both, CannotTell, Side
from kisaan_validate.contract.needs import Arrival, names_id, part_id, remainder_id, replaced, same_as, settled_id
from kisaan_validate.differences import FIGURES
from kisaan_validate.model import Family, Measured, Profile


def story_of(both: Both, table: str) -> Story:
    """Which of the promised rows went and came. Raises CannotTell where that is not known."""
    done = frozenset(
        r.rule for r in both.removals.get(table, ())
        if both.old_count(r.rule, table) and not both.after.count(r.rule, table)
    )  # fmt: skip
    for arrival in both.arrivals.get(table, ()):
        both.after.count(arrival.rule, table)
        if isinstance(arrival, Arrival) and not arrival.by:
            both.old_count(arrival.rule, table)
        elif not isinstance(arrival, Arrival) and both.before.has_table(table):
            both.old_measure(names_id(arrival.rule))
    return Story(both, table, done)


@dataclass(frozen=True)
class Story:
    """The rows of a table on both sides, without those that were promised to go and went, and without those that came."""

    both: Both
    table: str
    done: frozenset[str]

    @cached_property
    def before(self) -> int:
        """The rows before; none of a table that is new. Raises CannotTell."""
        return self.both.before.rows(self.table) if self.both.before.has_table(self.table) else 0

    @cached_property
    def after(self) -> int:
        """The rows after. Raises CannotTell."""
        return self.both.after.rows(self.table)

    @cached_property
    def staying(self) -> int:
        """How many of the old rows should be there still. Raises CannotTell."""
        return _rows(self.both.old_measure(remainder_id(self.table, self.done))) if self.done else self.before

    @cached_property
    def settled(self) -> int:
        """How many of the new rows did not come as promised. Raises CannotTell."""
        return _rows(self.both.after.measured(settled_id(self.table))) if self.both.arrivals.get(self.table) else self.after

    @property
    def delta(self) -> int:
        """By how many rows the table changed. Raises CannotTell."""
        return self.after - self.before

    @property
    def promised(self) -> int:
        """By how many rows the table changed as promised. Raises CannotTell."""
        return self.staying - self.before + self.after - self.settled

    @property
    def arrived(self) -> int:
        """How many rows came as promised. Raises CannotTell."""
        return self.after - self.settled

    @property
    def misfit(self) -> str:
        """How the rows that were promised are not the whole difference, in words; "" if they are. Raises CannotTell."""
        if self.delta == self.promised:
            return ""
        return f"{self.table} changed by {self.delta:+,} rows, promised are {self.promised:+,}"

    def strangers(self) -> str:
        """How the key shows that other rows are left than should be, in words; "" if it does not. Raises CannotTell.

        Columns of whose values a promise speaks are left out: that promise is judged by them.
        """
        for column in self.both.primary_key(self.table):
            sides = [side.columns.get((self.table, column)) for side in self.both.sides]
            profiles = [facts.profile for facts in sides if facts is not None]
            kinds = {p.family for p in profiles if p is not None}
            if len(profiles) < 2 or None in profiles or len(kinds) > 1 or (self.table, column) in self.both.rewritten:
                continue
            if wrong := self.contradiction(column):
                return f"not the same rows: {column} {wrong}"
        return ""

    def expected(self, column: str, rule: str = "") -> Profile:
        """The figures that a column should have now: of the rows that stay, by a rule's expression. Raises CannotTell."""
        if not rule and not self.done:
            return self.both.before.profile(self.table, column)
        measured = self.both.old_measure(remainder_id(self.table, self.done))
        return _figures(self.both.before, measured, replaced(column, rule) if rule else column)

    def actual(self, column: str) -> Profile:
        """The figures that a column has now, without the rows that arrived. Raises CannotTell."""
        if not self.arrived:
            return self.both.after.profile(self.table, column)
        return _figures(self.both.after, self.both.after.measured(settled_id(self.table)), column)

    def contradiction(self, column: str, rule: str = "") -> str:
        """In which figures a column is not what it should be, in words; "" if it is. Raises CannotTell."""
        wanted, found = self.expected(column, rule), self.actual(column)
        wrong = differing(wanted, found)
        words = [f"{_WORDS.get(name, name)} is {_said(found, name)}, not {_said(wanted, name)}" for name in wrong]
        return "; ".join([*words, *_moved(wanted, found, wrong)])

    def to_change(self, column: str, rule: str) -> int | None:
        """How many rows did not yet have the value that a rule promises; None if that was not told. Raises CannotTell."""
        measured = self.both.old_measure(remainder_id(self.table, self.done))
        profile = measured.columns.get(same_as(column, rule))
        return None if profile is None or profile.nulls is None or measured.rows is None else measured.rows - profile.nulls

    def blind(self, column: str, rule: str = "") -> str:
        """Why only the NULLs of a column are compared, "" if there is more to compare. Raises CannotTell."""
        wanted, found = self.expected(column, rule), self.actual(column)
        if wanted.personal or found.personal:
            return "its values are personal: only NULLs are compared"
        compared = any(getattr(p, name) is not None for p in (wanted, found) for name in FIGURES if name != "nulls")
        values = self.settled - (found.nulls or 0)
        return "its values have no order and no sum: only NULLs are compared" if values and not compared else ""


def _rows(measured: Measured) -> int:
    if measured.rows is None:
        raise CannotTell(f"it was not counted ({measured.id})")
    return measured.rows


def _figures(side: Side, measured: Measured, name: str) -> Profile:
    if name not in measured.columns:
        side.measured(part_id(measured.id, name))  # says why it is not there
    return measured.columns[name]


_WORDS = {"nulls": "number of NULLs", "total": "sum"}


def _said(profile: Profile, figure: str) -> str:
    value = getattr(profile, figure)
    return "none" if value is None else str(value)


def _moved(wanted: Profile, found: Profile, wrong: Iterable[str]) -> list[str]:
    """A remark where both ends of a column of times moved by the same span."""
    if not {"minimum", "maximum"} <= set(wrong) or {wanted.family, found.family} - {Family.INSTANT}:
        return []
    spans = {_span(getattr(wanted, end), getattr(found, end)) for end in ("minimum", "maximum")}
    span = next(iter(spans))
    if len(spans) > 1 or not span:
        return []
    sign, size = ("later", span) if span > timedelta() else ("earlier", -span)
    return [f"both ends are {size} {sign}"]


def _span(before: str | None, after: str | None) -> timedelta | None:
    try:
        return datetime.fromisoformat(after or "") - datetime.fromisoformat(before or "")
    except (ValueError, TypeError):
        return None
