"""What happened to the rows of one table, as far as a contract speaks of it: which went, which came, what
is left. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cached_property

from kisaan_validate.compare.figures import differing
from kisaan_validate.contract.both import Both, CannotTell, Side
from kisaan_validate.contract.needs import Arrival
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import FIGURES, ROWS, VALUES, ChangeKey
from kisaan_validate.facts.measure_key import (
    WHICH_ROWS,
    FigureKey,
    MeasureKey,
    by_key,
    digests_key,
    names_key,
    of_column,
    remainder_key,
    replaced,
    same_as,
    settled_key,
)
from kisaan_validate.facts.table import Family, Measured, Profile


def story_of(both: Both, table: str) -> Story:
    """Which of the promised rows went and came. Raises CannotTell where that is not known."""
    done = frozenset(
        # Done if there was something to remove and nothing is left.
        r.rule
        for r in both.removals.get(table, ())
        if both.old_count(r.rule, table) and not both.after.count(r.rule, table)
    )
    # Asked only for what they raise: a story with an uncounted arrival would be a wrong one.
    for arrival in both.arrivals.get(table, ()):
        both.after.count(arrival.rule, table)
        if isinstance(arrival, Arrival) and not arrival.by:
            both.old_count(arrival.rule, table)
        elif not isinstance(arrival, Arrival) and both.before.has_table(table):
            both.old_measure(names_key(arrival.rule))
    return Story(both, table, done)


@dataclass(frozen=True)
class Story:
    """The rows of a table on both sides, without those that were promised to go and went, and without
    those that came.
    """

    both: Both
    table: str
    done: frozenset[str]

    @cached_property
    def before(self) -> int:
        """The rows before; none of a table that is new. Raises CannotTell."""
        if self.both.before.has_table(self.table):
            return self.both.before.rows(self.table)
        return 0

    @cached_property
    def after(self) -> int:
        """The rows after. Raises CannotTell."""
        return self.both.after.rows(self.table)

    @cached_property
    def staying(self) -> int:
        """How many of the old rows should be there still. Raises CannotTell."""
        if self.done:
            return _rows(self.both.old_measure(remainder_key(self.table, self.done)))
        return self.before

    @cached_property
    def settled(self) -> int:
        """How many of the new rows did not come as promised. Raises CannotTell."""
        if self.both.arrivals.get(self.table):
            return _rows(self.both.after.measured(settled_key(self.table)))
        return self.after

    @property
    def delta(self) -> int:
        """By how many rows the table changed. Raises CannotTell."""
        return self.after - self.before

    @property
    def promised(self) -> int:
        """By how many rows the table changed as promised. Raises CannotTell."""
        # What went (negative) and what came.
        return self.staying - self.before + self.after - self.settled

    @property
    def arrived(self) -> int:
        """How many rows came as promised. Raises CannotTell."""
        return self.after - self.settled

    @property
    def misfit(self) -> str:
        """How the rows that were promised are not the whole difference, in words; "" if they are. Raises
        CannotTell.
        """
        if self.delta == self.promised:
            return ""
        return f"{self.table} changed by {self.delta:+,} rows, promised {self.promised:+,}"

    def strangers(self) -> str:
        """How the key shows that other rows are left than should be, in words; "" if it does not. Raises
        CannotTell.

        Columns of whose values a promise speaks are left out: that promise is judged by them.
        """
        for column in self.both.primary_key(self.table):
            # Figures of the key first, as they can say what is different; digests see the rest.
            sides = [side.columns.get((self.table, column)) for side in self.both.sides]
            profiles = [facts.profile for facts in sides if facts is not None]
            kinds = {p.family for p in profiles if p is not None}
            if (
                len(profiles) < 2
                or None in profiles
                or len(kinds) > 1
                or (self.table, column) in self.both.speakers
            ):
                continue
            if wrong := self.contradiction(column):
                return f"different rows: {column} {wrong}"
        # Of no rows there is no digest to compare.
        if not self.staying and not self.settled:
            return ""
        return "" if self.agree(WHICH_ROWS, WHICH_ROWS) else self._other_rows()

    @cached_property
    def blame(self) -> str:
        """The rows that nobody promised, because of which figures and digests of all rows say nothing of
        single values; "" if none.
        """
        try:
            wrong = self.misfit or self.strangers()
        # Not known whom to blame: what is known is said without it.
        except CannotTell:
            return ""
        if wrong:
            return f"{wrong}, so whether every expected row has the right value is unknown"
        return ""

    @property
    def moved(self) -> frozenset[ChangeKey]:
        """The differences of the table's rows themselves."""
        return frozenset(key for key in self.both.changes if key[:2] == (ROWS, self.table))

    @property
    def unique(self) -> bool:
        """Whether no two rows agree in the columns by which the digests tell them apart. Raises
        CannotTell.
        """
        apart = self.both.old_measure(remainder_key(self.table, self.done)).names
        return bool(apart) and set(apart) == set(self.both.primary_key(self.table))

    def _other_rows(self) -> str:
        """What it means that the rows differ although the figures of the key do not. Raises CannotTell."""
        if self.unique:
            return (
                f"different rows: the figures of {', '.join(self.both.primary_key(self.table))} "
                "are unchanged, but the keys are not"
            )
        if any(change[:2] == (VALUES, self.table) for change in self.both.changes):
            # Values that changed make rows without a key look like other rows.
            return ""  # it has no key, and its values changed: that is another matter
        # Of equal rows any may stay, so a digest of those that did proves nothing.
        if any(removal.columns or removal.check for removal in self.both.removals.get(self.table, ())):
            raise CannotTell(
                f"{self.table} has no key, so which of its equal rows should stay is not defined"
            )
        return "different rows: the figures are unchanged, but the rows are not"

    def digest(self, side: Side, figure: FigureKey) -> str:
        """A digest of the rows that stay, as they were, or of those that are left. Raises CannotTell."""
        old, wanted = side is self.both.before, by_key(figure)
        # Before, the promised removals are left out; after, they are gone.
        key = remainder_key(self.table, self.done) if old else digests_key(self.table)
        measured = self.both.old_measure(key) if old else side.measured(key)
        profile = _figures(side, key, measured, wanted)
        if profile.digest is None:
            raise CannotTell(f"it was not measured {side.when} ({key.of_part(wanted.text).text})")
        return profile.digest

    def agree(self, wanted: FigureKey, found: FigureKey) -> bool:
        """Whether each row has the value that it should have, or (WHICH_ROWS) is there. Raises CannotTell."""
        old, new = self.digest(self.both.before, wanted), self.digest(self.both.after, found)
        # Digests begin with their form; another form gives another digest of the same rows.
        forms = [text.partition(":")[0] for text in (old, new)]
        if forms[0] != forms[1]:
            raise CannotTell(
                f"rows cannot be compared: the form was {forms[0]} before and is {forms[1]} after"
            )
        return old == new

    def unproved(self, column: str, rule: str) -> str:
        """Why it is not known that each row has the promised value, "" if it is known. Raises CannotTell."""
        try:
            self.agree(replaced(column, rule), of_column(column))
        except CannotTell as reason:
            return f"the figures are as promised, but single rows were not compared: {reason}"
        together = sorted(name for table, name in self.both.speakers if table == self.table)
        # Column digests are bound to rows by the key; without one a swap of two columns' values would not
        # show.
        if len(together) > 1 and not self.unique:
            return f"{self.table} has no stable key, so which row has which {', '.join(together)} is unknown"
        return ""

    def expected(self, column: str, rule: str = "") -> Profile:
        """The figures that a column should have now: of the rows that stay, by a rule's expression. Raises
        CannotTell.
        """
        # Nothing went and nothing is replaced: the figures of all rows are those of the rows that stay.
        if not rule and not self.done:
            return self.both.before.profile(self.table, column)
        key = remainder_key(self.table, self.done)
        return _figures(self.both.before, key, self.both.old_measure(key), _wanted(column, rule))

    def actual(self, column: str) -> Profile:
        """The figures that a column has now, without the rows that arrived. Raises CannotTell."""
        if not self.arrived:
            return self.both.after.profile(self.table, column)
        key = settled_key(self.table)
        return _figures(self.both.after, key, self.both.after.measured(key), of_column(column))

    def contradiction(self, column: str, rule: str = "") -> str:
        """In which figures a column is not what it should be, in words; "" if it is. Raises CannotTell."""
        wanted, found = self.expected(column, rule), self.actual(column)
        wrong = differing(wanted, found)
        words = [
            f"{_WORDS.get(name, name)} is {_said(found, name)}, not {_said(wanted, name)}" for name in wrong
        ]
        # Figures do not see values that changed places.
        if not wrong and self._astray(column, rule):
            words = ["the figures match, but some rows have the wrong value"]
        return "; ".join([*words, *_moved(wanted, found, wrong)])

    def _astray(self, column: str, rule: str) -> bool:
        """Whether values are known to be in the wrong rows. Raises CannotTell where the baseline says
        nothing.
        """
        try:
            return not self.agree(_wanted(column, rule), of_column(column))
        except CannotTell:
            # A baseline of another contract proves nothing; otherwise that single rows were not compared is
            # said by blind().
            if self.both.stale_of(self.table):
                raise
            return False

    def to_change(self, column: str, rule: str) -> int | None:
        """How many rows did not yet have the value that a rule promises; None if that was not told. Raises
        CannotTell.
        """
        measured = self.both.old_measure(remainder_key(self.table, self.done))
        profile = measured.figure(same_as(column, rule))
        if profile is None or profile.nulls is None or measured.rows is None:
            return None
        return measured.rows - profile.nulls

    def blind(self, column: str, rule: str = "") -> str:
        """Why only the NULLs of a column are compared, "" if there is more to compare. Raises CannotTell."""
        wanted, found = self.expected(column, rule), self.actual(column)
        if wanted.personal or found.personal:
            return "personal: only the number of NULLs is compared"
        compared = any(
            getattr(p, name) is not None for p in (wanted, found) for name in FIGURES if name != "nulls"
        )
        # Where every row is NULL the number of NULLs says all.
        values = self.settled - (found.nulls or 0)
        if not values:
            return ""
        unproved = self.unproved(column, rule)
        if unproved and not compared:
            return "its values have no order and no sum: only the number of NULLs is compared"
        return unproved


def _rows(measured: Measured) -> int:
    if measured.rows is None:
        raise CannotTell(f"it was not counted ({measured.id})")
    return measured.rows


def _figures(side: Side, key: MeasureKey, measured: Measured, figure: FigureKey) -> Profile:
    """One figure of a measure. Raises CannotTell, saying why it is not there."""
    # Raises with the reason that is kept for this part.
    if measured.figure(figure) is None:
        side.measured(key.of_part(figure.text))
    return measured.columns[figure.text]


def _wanted(column: str, rule: str) -> FigureKey:
    """The figures that a column should have: as they were, or by a rule."""
    return replaced(column, rule) if rule else of_column(column)


_WORDS = {"nulls": "number of NULLs", "total": "sum"}


def _said(profile: Profile, figure: str) -> str:
    value = getattr(profile, figure)
    return "none" if value is None else str(value)


def _moved(wanted: Profile, found: Profile, wrong: Iterable[str]) -> list[str]:
    """A remark where both ends of a column of times moved by the same span."""
    # Only where both ends are wrong: one end may be one wrong row.
    if not {"minimum", "maximum"} <= set(wrong) or {wanted.family, found.family} - {Family.INSTANT}:
        return []
    spans = {_span(getattr(wanted, end), getattr(found, end)) for end in ("minimum", "maximum")}
    span = next(iter(spans))
    # The same span at both ends is how a wrong time zone looks.
    if len(spans) > 1 or not span:
        return []
    sign, size = ("later", span) if span > timedelta() else ("earlier", -span)
    return [f"minimum and maximum are {size} {sign}"]


def _span(before: str | None, after: str | None) -> timedelta | None:
    try:
        return datetime.fromisoformat(after or "") - datetime.fromisoformat(before or "")
    # infinity and years before Christ are no dates to Python.
    except (ValueError, TypeError):
        return None
