"""Both sides of a migration, as the rules of a contract look at them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kisaan_validate.changes import differing
from kisaan_validate.contract.needs import Arrival, Removal, count_id, remainder_id, replaced, settled_id
from kisaan_validate.differences import Change, ChangeKey
from kisaan_validate.model import (
    Baseline,
    CheckFacts,
    ColumnFacts,
    Family,
    Measured,
    Profile,
    SchemaObject,
    TableFacts,
)


class CannotTell(Exception):
    """Something that a rule must know was not measured. ``args[0]`` says what and why."""


@dataclass(frozen=True)
class Side:
    """One side, with its parts by name."""

    facts: Baseline
    tables: Mapping[str, TableFacts]
    columns: Mapping[tuple[str, str], ColumnFacts]
    objects: Mapping[tuple[str, str, str], SchemaObject]
    checks: Mapping[str, CheckFacts]
    measures: Mapping[str, Measured]

    def measured(self, id: str) -> Measured:
        """A measure by its name. Raises CannotTell where it was not, or could not be, taken."""
        found = self.measures.get(id)
        if found is None:
            raise CannotTell(f"it was not measured ({id})")
        if found.message:
            raise CannotTell(f"it could not be measured ({id}): {found.message}")
        return found

    def count(self, rule: str, table: str) -> int:
        """How many rows a rule speaks of. Raises CannotTell."""
        rows = self.measured(count_id(rule, table)).rows
        if rows is None:
            raise CannotTell(f"it was not counted ({count_id(rule, table)})")
        return rows


def side_of(facts: Baseline) -> Side:
    """A side with its parts by name."""
    return Side(
        facts,
        {t.title: t for t in facts.tables},
        {(t.title, c.name): c for t in facts.tables for c in t.columns},
        {o.key: o for o in facts.objects},
        {c.id: c for c in facts.checks},
        {m.id: m for m in facts.measured},
    )


@dataclass(frozen=True)
class Both:
    """Before and after, their changes by key, and what the contract asks of each table as a whole.

    ``stale`` says why figures of the old side that the contract needs cannot be trusted, or "".
    """

    before: Side
    after: Side
    changes: Mapping[ChangeKey, Change]
    removals: Mapping[str, tuple[Removal, ...]]
    arrivals: Mapping[str, tuple[Arrival, ...]]
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    stale: str = ""

    def table(self, name: str) -> str:
        """The title of the table that a rule means: an alias is the first of its names that exists on either side."""
        known = self.before.tables.keys() | self.after.tables.keys()
        return next((candidate for candidate in self.aliases.get(name, (name,)) if candidate in known), name)

    def old_measure(self, id: str) -> Measured:
        """A measure of the old side. Raises CannotTell."""
        if self.stale:
            raise CannotTell(self.stale)
        return self.before.measured(id)

    def old_count(self, rule: str, table: str) -> int:
        """How many rows of the old side a rule speaks of. Raises CannotTell."""
        if self.stale:
            raise CannotTell(self.stale)
        return self.before.count(rule, table)

    def story(self, table: str) -> Story:
        """Which of the promised rows went and came, and whether that is the whole difference. Raises CannotTell."""
        done = frozenset(
            r.rule for r in self.removals.get(table, ())
            if self.old_count(r.rule, table) and not self.after.count(r.rule, table)
        )  # fmt: skip
        gone = sum(self.old_count(rule, table) for rule in done)
        arrivals = self.arrivals.get(table, ())
        come = sum(self.after.count(a.rule, table) - (0 if a.by else self.old_count(a.rule, table)) for a in arrivals)
        return Story(self, table, done, come - gone, bool(come))

    def keys_of(self, table: str, column: str, kind: str = "values") -> frozenset[ChangeKey]:
        """The keys of the changes of a column's figures."""
        return frozenset(key for key in self.changes if key[:3] == (kind, table, column))


@dataclass(frozen=True)
class Story:
    """What happened to the rows of one table, as far as the contract speaks of it."""

    both: Both
    table: str
    done: frozenset[str]
    promised: int
    arrived: bool

    @property
    def delta(self) -> int:
        """By how many rows the table changed. Raises CannotTell."""
        a, b = (side.tables.get(self.table) for side in (self.both.before, self.both.after))
        if a is None or b is None or a.rows is None or b.rows is None:
            raise CannotTell(f"the rows of {self.table} were not counted on both sides")
        return b.rows - a.rows

    @property
    def fits(self) -> bool:
        """Whether the promised rows are the whole difference. Raises CannotTell."""
        return self.delta == self.promised

    def expected(self, column: str, rule: str = "") -> Profile:
        """The figures that a column should have now: of the rows that stay, by a rule's expression. Raises CannotTell."""
        if not rule and not self.done:
            return self._plain(self.both.before, column)
        measured = self.both.old_measure(remainder_id(self.table, self.done))
        name = replaced(column, rule) if rule else column
        if name not in measured.columns:
            raise CannotTell(f"it was not measured ({measured.id}: {name})")
        return measured.columns[name]

    def actual(self, column: str) -> Profile:
        """The figures that a column has now, without the rows that arrived. Raises CannotTell."""
        if not self.arrived:
            return self._plain(self.both.after, column)
        measured = self.both.after.measured(settled_id(self.table))
        if column not in measured.columns:
            raise CannotTell(f"it was not measured ({measured.id}: {column})")
        return measured.columns[column]

    def _plain(self, side: Side, column: str) -> Profile:
        facts = side.columns.get((self.table, column))
        if facts is None or facts.profile is None:
            raise CannotTell(f"the figures of {self.table}.{column} were not measured on both sides")
        return facts.profile

    def contradiction(self, column: str, rule: str = "") -> str:
        """In which figures a column is not what it should be, in words; "" if it is. Raises CannotTell."""
        wanted, found = self.expected(column, rule), self.actual(column)
        wrong = differing(wanted, found)
        words = [f"{name} is {_said(found, name)}, not {_said(wanted, name)}" for name in wrong]
        return "; ".join([*words, *_moved(wanted, found, wrong)])


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
