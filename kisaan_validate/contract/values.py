"""Promises about a column: its type, its NULLs, its values."""

from __future__ import annotations

from decimal import Decimal, localcontext
from typing import ClassVar

from kisaan_validate.contract.both import Both, CannotTell, Side
from kisaan_validate.contract.needs import Identity, Need, Replacement
from kisaan_validate.contract.promise import OfColumn, Outcome, State, are, in_line
from kisaan_validate.contract.story import story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import VALUES, ChangeKey
from kisaan_validate.facts.table import Family

_DIGITS = 150_000
"""More than any numeric has (PostgreSQL documentation, "Numeric Types": 131,072 before the point, 16,383
after it).
"""


@dataclass(frozen=True)
class SumPreserved(OfColumn):
    """The exact sum stays, without rows that other promises add; 0 of no values."""

    kind: ClassVar[str] = "sum_preserved"

    def claim(self) -> str:
        return f"the sum of {self.column} stays the same"

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        old = both.before.profile(table, name)
        # Rows that came as promised brought values of their own.
        new = (
            story_of(both, table).actual(name)
            if both.arrivals.get(table)
            else both.after.profile(table, name)
        )
        if old.personal or new.personal:
            raise CannotTell(f"{self.column} is personal, so its sum is not kept")
        # Sums of floats depend on the order of addition, others do not exist.
        if {old.family, new.family} != {Family.NUMBER}:
            raise CannotTell(f"{self.column} has no exact sum")
        texts = (old.total or "none", new.total or "none")
        was, is_ = Decimal(old.total or 0), Decimal(new.total or 0)
        # A NaN or Infinity swallows every other value, so equal sums prove nothing.
        if not was.is_finite() and texts[0] == texts[1]:
            raise CannotTell(
                f"the sum of {self.column} is {texts[0]} before and after, whatever its single values"
            )
        if was == is_:
            return Outcome(State.KEPT, "", frozenset(), *texts)
        rows, moved = _rows_to_blame(both, table)
        return Outcome(State.BROKEN, f"{_by_how_much(was, is_)}{rows}", frozenset(), *texts, moved)


def _rows_to_blame(both: Both, table: str) -> tuple[str, frozenset[ChangeKey]]:
    """Which rows nobody promised explain a sum, and the differences that these are; "" where none is
    known.
    """
    try:
        story = story_of(both, table)
        wrong = story.misfit or story.strangers()
        return (f": {wrong}", story.moved) if wrong else ("", frozenset())
    except CannotTell:
        return "", frozenset()


def _by_how_much(was: Decimal, is_: Decimal) -> str:
    if not (was.is_finite() and is_.is_finite()):
        return f"the sum was {was} before and is {is_} after"
    # Python's 28 digits would round the difference of two long sums.
    with localcontext(prec=_DIGITS):
        return f"the sum changed by {is_ - was:+,f}"


@dataclass(frozen=True)
class _Look:
    """What the figures of a column say beside those that were promised: what is wrong with them, or why that
    is unknown.

    ``nulls`` tells that at least the NULLs are as promised. ``rows`` says which rows are to blame where
    nobody promised them.
    """

    wrong: str
    untold: str
    nulls: bool = True
    rows: str = ""


def _look(both: Both, table: str, name: str, rule: str) -> _Look:
    try:
        story = story_of(both, table)
        wrong = story.contradiction(name, rule)
        return _Look(wrong, story.blind(name, rule), rows=story.blame if wrong else "")
    except CannotTell as reason:
        return _Look("", str(reason), False)


@dataclass(frozen=True)
class Retyped(OfColumn):
    """The type changes; each value becomes that of ``using``, if given."""

    from_: tuple[str, ...] = ()
    to: str = ""
    using: str = ""
    kind: ClassVar[str] = "retyped"

    def claim(self) -> str:
        using = in_line(self.using).replace("{column}", self.place[1])
        return f"{self.column} becomes {self.to}{f', each value {using}' if using else ''}"

    def needs(self) -> tuple[Need, ...]:
        if self.using:
            return (Replacement(self.id, *self.place, self.using, self.to, self.optional),)
        return ()

    def expressions(self) -> tuple[str, ...]:
        # With its cast: a domain's CHECK may call something too.
        return (f"({self.using}\n)::{self.to}",) if self.using else ()

    def rewrites(self) -> tuple[str, str] | None:
        return self.place if self.using else None

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        # A type has two names, short by the search path and in full; either may be written.
        was, is_ = (_type_names(side, table, name) for side in both.sides)
        texts, same = (was[0], is_[0]), was[0] == is_[0]
        if self.to not in is_:
            return Outcome(
                State.NOT_DONE if same else State.BROKEN,
                f"it is {'still ' if same else ''}{is_[0]}",
                frozenset(),
                *texts,
            )
        if self.from_ and not {*self.from_, self.to} & set(was):
            return Outcome(
                State.BROKEN, f"it was {was[0]}, not {' or '.join(self.from_)}", frozenset(), *texts
            )
        if same:
            return Outcome(State.KEPT, "it already was", frozenset(), *texts)
        explains = frozenset({("column", table, name, "type")})
        values = both.keys_of(table, name)
        look = _look(both, table, name, self.id) if self.using else None
        if look is None:
            return Outcome(State.KEPT, "", explains, *texts)
        # Before the values: rows that nobody promised make figures differ for another reason.
        if look.rows:
            return Outcome(
                State.BROKEN, f"the type is right; {look.rows}", explains, *texts, story_of(both, table).moved
            )
        if look.wrong:
            return Outcome(
                State.BROKEN,
                f"the type is right, but the values are not: {look.wrong}",
                explains,
                *texts,
                values,
            )
        if look.untold:
            return Outcome(
                State.UNKNOWN,
                f"the type is right; {look.untold}",
                # NULLs that were compared are explained even where single values were not.
                explains | (values if look.nulls else frozenset()),
                *texts,
            )
        return Outcome(State.KEPT, "", explains | values, *texts)


def _type_names(side: Side, table: str, name: str) -> tuple[str, ...]:
    """A column's type as the suite's search path names it, and as the catalogue prints it in full."""
    facts, item = side.columns.get((table, name)), side.objects.get(("column", table, name))
    names = [facts.type] if facts is not None else []
    names += [item.facts["type"]] if item is not None and "type" in item.facts else []
    if not names:
        raise CannotTell(f"the type of {table}.{name} was not read {side.when}")
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True)
class Filled(OfColumn):
    """No NULL is left, also in new rows; ``with`` says what each became.

    Without ``with_`` only the NULLs are explained: which values took their place is not promised, so not
    explained.
    """

    with_: str = ""
    kind: ClassVar[str] = "filled"

    @property
    def says_values(self) -> bool:
        """Whether it says what takes the place of NULLs."""
        return bool(self.with_)

    def claim(self) -> str:
        return (
            f"{self.column} has no NULLs left{f'; each became {in_line(self.with_)}' if self.with_ else ''}"
        )

    def needs(self) -> tuple[Need, ...]:
        # The line break ends a comment in which the author's SQL may end.
        expression = f"coalesce({{column}}, {self.with_}\n)"
        return (
            Replacement(self.id, *self.place, expression, "", self.optional)
            if self.with_
            else Identity(self.id, *self.place),
        )

    def expressions(self) -> tuple[str, ...]:
        return (self.with_,) if self.with_ else ()

    def rewrites(self) -> tuple[str, str] | None:
        return self.place

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        story = story_of(both, table)
        # The NULLs of added rows are counted separately: the migration did not see them.
        before, after, now = (
            p.nulls for p in (story.expected(name), story.actual(name), both.after.profile(table, name))
        )
        if before is None or after is None or now is None:
            raise CannotTell("its NULLs were not counted on both sides")
        counts = (f"{before:,} NULL", f"{now:,} NULL")
        if after:
            state = State.NOT_DONE if 0 < before <= after else State.BROKEN
            left = (
                f"{after:,} of {before:,} {are(after)} still NULL"
                if after <= before
                else f"{after - before:,} more {are(after - before)} NULL than before"
            )
            return Outcome(state, left, frozenset(), *counts)
        nulls = frozenset({(VALUES, table, name, "nulls")})
        if now:
            return Outcome(State.BROKEN, f"{now:,} of the rows added since {are(now)} NULL", nulls, *counts)
        if self.with_:
            # The NULLs are gone; the values may still be wrong ones.
            return self._filled(both, table, name, before, counts)
        return Outcome(State.KEPT, _none(before), nulls, *counts)

    def _filled(self, both: Both, table: str, name: str, before: int, counts: tuple[str, str]) -> Outcome:
        """Its outcome, given that no NULL is left: whether the values are the promised ones."""
        nulls, values = frozenset({(VALUES, table, name, "nulls")}), both.keys_of(table, name)
        look = _look(both, table, name, self.id)
        if look.rows:
            return Outcome(
                State.BROKEN, f"no NULL is left; {look.rows}", nulls, *counts, story_of(both, table).moved
            )
        if look.wrong:
            how = (
                f"filled, but not with {in_line(self.with_)}"
                if before
                else "there were no NULLs to fill, but values changed"
            )
            return Outcome(State.BROKEN, f"{how}: {look.wrong}", nulls, *counts, values - nulls)
        # Where there was nothing to fill, what was not compared leaves nothing open.
        if look.untold and (before or both.stale_of(table)):
            return Outcome(State.UNKNOWN, f"no NULL is left; {look.untold}", nulls, *counts)
        return Outcome(State.KEPT, _none(before), nulls if look.untold else values | nulls, *counts)


def _none(before: int) -> str:
    return "" if before else "there was none"


@dataclass(frozen=True)
class Becomes(OfColumn):
    """Each value becomes that of an expression."""

    expression: str = ""
    kind: ClassVar[str] = "becomes"

    def claim(self) -> str:
        return f"every {self.column} becomes {in_line(self.expression).replace('{column}', self.place[1])}"

    def needs(self) -> tuple[Need, ...]:
        return (Replacement(self.id, *self.place, self.expression, "", self.optional),)

    def expressions(self) -> tuple[str, ...]:
        return (self.expression,)

    def rewrites(self) -> tuple[str, str] | None:
        return self.place

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        story, changed = story_of(both, table), both.keys_of(table, name)
        wrong, blind = story.contradiction(name, self.id), story.blind(name, self.id)
        # Figures as they were mean that nothing was done, whatever else is wrong.
        if wrong and not story.contradiction(name):
            return Outcome(State.NOT_DONE, f"the figures are unchanged: {wrong}")
        # Unpromised rows make figures differ that no UPDATE touched.
        if wrong and story.blame:
            return Outcome(State.BROKEN, story.blame, contradicts=story.moved)
        if wrong:
            return Outcome(State.BROKEN, wrong, contradicts=changed)
        if blind:
            return Outcome(State.UNKNOWN, blind, changed)
        same = not changed and story.to_change(name, self.id) == 0
        return Outcome(State.KEPT, "no row had to change" if same else "", changed)


@dataclass(frozen=True)
class Revised(OfColumn):
    """Values change as no expression states: announced, not proved. An UPDATE from a join does.

    The weakest promise: it explains the change of figures because it was announced, and proves nothing
    about it.
    """

    kind: ClassVar[str] = "revised"

    def claim(self) -> str:
        return f"values of {self.column} change (announced, not proved)"

    def needs(self) -> tuple[Need, ...]:
        return (Identity(self.id, *self.place),)

    def rewrites(self) -> tuple[str, str] | None:
        return self.place

    def of_values(self, both: Both, table: str, name: str) -> Outcome:
        # Only so that a column without figures raises: nothing would be known of it.
        for side in both.sides:
            side.profile(table, name)
        changed = both.keys_of(table, name)
        figures = ", ".join(sorted(key[3] for key in changed))
        return Outcome(
            State.KEPT,
            f"announced, not proved: {figures} changed" if changed else "the figures are unchanged",
            changed,
        )
