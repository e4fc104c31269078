"""The promises that a contract can make: one small class each. All pure: two sides in, an outcome out.

A promise is KEPT, BROKEN (something else happened), NOT_DONE (nothing happened), or it cannot be told. It explains the
changes that it promised, and no others.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import ClassVar

from kisaan_validate.changes import same_text
from kisaan_validate.contract.both import Both, CannotTell, Story
from kisaan_validate.contract.needs import Arrival, Names, Need, Removal, Replacement, names_id
from kisaan_validate.differences import ADDED, REMOVED, ROWS, SEQUENCE, VALUES, ChangeKey
from kisaan_validate.model import UNANSWERED, Family, Profile, Severity, Status
from kisaan_validate.sql.expressions import quote, text_literal, to_sql


class State(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    NOT_DONE = "promised but not done"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True)
class Outcome:
    """What became of one promise, in words, and the changes that it explains; ``contradicts`` are those that break it."""

    state: State
    message: str = ""
    explains: frozenset[ChangeKey] = frozenset()
    before: str = ""
    after: str = ""
    contradicts: frozenset[ChangeKey] = frozenset()


@dataclass(frozen=True)
class Promise(ABC):
    """One promise. ``id`` is unique in its contract; ``why`` is for people; ``origin`` is ``file: id``."""

    id: str
    why: str = ""
    severity: Severity = Severity.BLOCKING
    optional: bool = False
    kind: ClassVar[str] = ""

    @abstractmethod
    def claim(self) -> str:
        """What is promised, in words."""

    @abstractmethod
    def judge(self, both: Both) -> Outcome:
        """What became of it. Raises CannotTell."""

    def needs(self) -> tuple[Need, ...]:
        """What must be measured for it, on the side before, after, or both."""
        return ()

    def expressions(self) -> tuple[str, ...]:
        """The SQL expressions over one row that the author wrote."""
        return ()

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of what this kind of promise says beyond its id, reason and severity."""
        common = {f.name for f in fields(Promise)}
        return tuple(f.name for f in fields(self) if f.name not in common)


def _counted(rows: int) -> str:
    return f"{rows:,} row{'' if rows == 1 else 's'}"


# --- rows -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowsUnchanged(Promise):
    """No row comes or goes, but for arrivals that another rule allows."""

    table: str = ""
    kind: ClassVar[str] = "rows_unchanged"

    def claim(self) -> str:
        return f"{self.table} keeps its rows"

    def judge(self, both: Both) -> Outcome:
        name = both.table(self.table)
        story = both.story(name)
        unpromised = story.delta - story.promised
        before, after = (_counted(side.tables[name].rows or 0) for side in (both.before, both.after))
        if not unpromised:
            return Outcome(State.KEPT, "", frozenset(), before, after)
        more = f"{_counted(abs(unpromised))} {'more' if unpromised > 0 else 'fewer'} than promised"
        return Outcome(State.BROKEN, more, frozenset(), before, after)


@dataclass(frozen=True)
class RowsRemoved(Promise):
    """These rows go, and no others: the surplus of duplicates, of which the lowest key survives, or those WHERE."""

    table: str = ""
    surplus_of: str = ""
    duplicates: tuple[str, ...] = ()
    where: str = ""
    kind: ClassVar[str] = "rows_removed"

    def claim(self) -> str:
        over = ", ".join(self.duplicates)
        what = f"the surplus of {self.surplus_of or over}" if self.surplus_of or over else "the rows"
        return f"{self.table} loses {what}{f' where {self.where}' if self.where else ''}, and nothing else"

    def needs(self) -> tuple[Need, ...]:
        return (Removal(self.id, self.table, self.duplicates, self.surplus_of, self.where),)

    def expressions(self) -> tuple[str, ...]:
        return (self.where,) if self.where else ()

    def judge(self, both: Both) -> Outcome:
        name = both.table(self.table)
        digests = {side.checks[self.surplus_of].digest for side in (both.before, both.after) if self.surplus_of in side.checks}
        if len(digests) > 1:
            raise CannotTell(f"the check {self.surplus_of} means something else than when the baseline was taken")
        before, after = both.old_count(self.id, name), both.after.count(self.id, name)
        counts = (_counted(before), _counted(after))
        if after:
            state, rest = (State.NOT_DONE, "all") if after >= before else (State.BROKEN, f"{after:,} of {before:,}")
            return Outcome(state, f"{rest if before else _counted(after)} still there", frozenset(), *counts)
        if not before:
            return Outcome(State.KEPT, "there was nothing to remove", frozenset(), *counts)
        story = both.story(name)
        if not story.fits:
            wrong = f"{name} changed by {story.delta:+,} rows, promised are {story.promised:+,}"
            return Outcome(State.BROKEN, wrong, frozenset(), *counts)
        return _settled(both, story, counts)


@dataclass(frozen=True)
class RowsAdded(Promise):
    """The rows WHERE come, and no others; with ``rows``, exactly so many."""

    table: str = ""
    where: str = ""
    rows: int | None = None
    kind: ClassVar[str] = "rows_added"

    def claim(self) -> str:
        return f"{self.table} gains {_counted(self.rows) if self.rows is not None else 'rows'} where {self.where}, and nothing else"

    def needs(self) -> tuple[Need, ...]:
        return (Arrival(self.id, self.table, self.where),)

    def expressions(self) -> tuple[str, ...]:
        return (self.where,)

    def judge(self, both: Both) -> Outcome:
        name = both.table(self.table)
        before, after = both.old_count(self.id, name), both.after.count(self.id, name)
        counts, come = (_counted(before), _counted(after)), after - before
        if not come and self.rows != 0:
            return Outcome(State.NOT_DONE, "no such row came", frozenset(), *counts)
        if self.rows is not None and come != self.rows:
            return Outcome(State.BROKEN, f"{come:+,} rows, promised are {self.rows:+,}", frozenset(), *counts)
        return _arrived(both, name, counts)


@dataclass(frozen=True)
class RowsArrived(Promise):
    """Rows above the baseline's highest value of a column may come: business goes on. Nothing else may."""

    table: str = ""
    by: str = "id"
    kind: ClassVar[str] = "rows_arrived"

    def claim(self) -> str:
        return f"{self.table} may gain rows above the highest {self.by} of the baseline"

    def needs(self) -> tuple[Need, ...]:
        return (Arrival(self.id, self.table, by=self.by),)

    def judge(self, both: Both) -> Outcome:
        name = both.table(self.table)
        return _arrived(both, name, ("none", _counted(both.after.count(self.id, name))))


def _arrived(both: Both, table: str, counts: tuple[str, str]) -> Outcome:
    story = both.story(table)
    if not story.fits:
        wrong = f"{table} changed by {story.delta:+,} rows, promised are {story.promised:+,}"
        return Outcome(State.BROKEN, wrong, frozenset(), *counts)
    if not story.arrived:
        return Outcome(State.KEPT, "no row came", frozenset(), *counts)
    return _settled(both, story, counts)


def _settled(both: Both, story: Story, counts: tuple[str, str]) -> Outcome:
    """The rows changed as promised: which changes of figures follow from that, and which columns contradict it."""
    explained: set[ChangeKey] = {key for key in both.changes if key[:2] == (ROWS, story.table)}
    columns = [c.name for c in both.before.tables[story.table].columns if (story.table, c.name) in both.after.columns]
    for column in columns:
        if not story.contradiction(column):
            explained |= both.keys_of(story.table, column)
    return Outcome(State.KEPT, "", frozenset(explained), *counts)


# --- columns and their values ---------------------------------------------------------------------------------------


def _split(column: str) -> tuple[str, str]:
    table, _, name = column.rpartition(".")
    return table, name


@dataclass(frozen=True)
class SumPreserved(Promise):
    """The exact sum of a column stays what it was."""

    column: str = ""
    kind: ClassVar[str] = "sum_preserved"

    def claim(self) -> str:
        return f"the sum of {self.column} stays the same"

    def judge(self, both: Both) -> Outcome:
        table, name = _split(self.column)
        profiles = [_profile(both, side, table, name) for side in ("before", "after")]
        if any(p.personal for p in profiles):
            raise CannotTell("the column is personal: no figure of it is kept")
        a, b = profiles
        if a.family is not Family.NUMBER or b.family is not Family.NUMBER:
            raise CannotTell(f"{self.column} has no exact sum")
        kept = same_text(a.total, b.total, True)
        return Outcome(State.KEPT if kept else State.BROKEN, "" if kept else "the sum changed", frozenset(), a.total or "none", b.total or "none")


def _profile(both: Both, when: str, table: str, name: str) -> Profile:
    side = both.before if when == "before" else both.after
    facts = side.columns.get((both.table(table), name))
    if facts is None or facts.profile is None:
        raise CannotTell(f"the figures of {table}.{name} were not measured {when}")
    return facts.profile


@dataclass(frozen=True)
class Retyped(Promise):
    """A column gets another type. With ``using``, each value becomes that of an expression over its old row."""

    column: str = ""
    from_: tuple[str, ...] = ()
    to: str = ""
    using: str = ""
    kind: ClassVar[str] = "retyped"

    def claim(self) -> str:
        using = f", each value being {self.using.replace('{column}', _split(self.column)[1])}" if self.using else ""
        return f"{self.column} becomes {self.to}{using}"

    def needs(self) -> tuple[Need, ...]:
        table, name = _split(self.column)
        return (Replacement(self.id, table, name, self.using, self.to),) if self.using else ()

    def expressions(self) -> tuple[str, ...]:
        return (self.using,) if self.using else ()

    def judge(self, both: Both) -> Outcome:
        table, name = _split(self.column)
        table = both.table(table)
        sides = [side.columns.get((table, name)) for side in (both.before, both.after)]
        if sides[0] is None or sides[1] is None:
            return _no_such(f"column {self.column}", self.optional, [s is not None for s in sides])
        old, new = sides[0].type, sides[1].type
        if new != self.to:
            state = State.NOT_DONE if new == old else State.BROKEN
            return Outcome(state, f"it is {'still ' if new == old else ''}{new}", frozenset(), old, new)
        if self.from_ and old not in (*self.from_, self.to):
            return Outcome(State.BROKEN, f"it was {old}, not {' or '.join(self.from_)}", frozenset(), old, new)
        explains = frozenset({("column", table, name, "type")})
        if not self.using or old == new:
            return Outcome(State.KEPT, "it already was" if old == new else "", explains, old, new)
        if wrong := both.story(table).contradiction(name, self.id):
            message = f"the type is right, the values are not: {wrong}"
            return Outcome(State.BROKEN, message, explains, old, new, both.keys_of(table, name))
        return Outcome(State.KEPT, "", explains | both.keys_of(table, name), old, new)


def _no_such(what: str, optional: bool, exists: list[bool]) -> Outcome:
    if optional and not any(exists):
        return Outcome(State.KEPT, f"there is no {what} here")
    where = "before" if exists[1] else ("after" if exists[0] else "on either side")
    return Outcome(State.BROKEN, f"there is no {what} {where}")


@dataclass(frozen=True)
class Filled(Promise):
    """A column has no NULL any more. With ``with_``, each NULL became the value of an expression over its old row.

    Without ``with_`` only the NULLs are explained: which values took their place is not promised, so not explained.
    """

    column: str = ""
    with_: str = ""
    kind: ClassVar[str] = "filled"

    def claim(self) -> str:
        return f"{self.column} has no NULL any more{f'; each became {self.with_}' if self.with_ else ''}"

    def needs(self) -> tuple[Need, ...]:
        table, name = _split(self.column)
        return (Replacement(self.id, table, name, f"coalesce({{column}}, {self.with_})"),) if self.with_ else ()

    def expressions(self) -> tuple[str, ...]:
        return (self.with_,) if self.with_ else ()

    def judge(self, both: Both) -> Outcome:
        table, name = _split(self.column)
        table = both.table(table)
        exists = [(table, name) in side.columns for side in (both.before, both.after)]
        if not all(exists):
            return _no_such(f"column {self.column}", self.optional, exists)
        story = both.story(table)
        before, after = story.expected(name).nulls, story.actual(name).nulls
        if before is None or after is None:
            raise CannotTell("its NULLs were not counted on both sides")
        counts = (f"{before:,} NULL", f"{after:,} NULL")
        if after:
            state = State.NOT_DONE if after >= before else State.BROKEN
            return Outcome(state, f"{after:,} of {before:,} are NULL still" if before else f"{after:,} became NULL", frozenset(), *counts)
        nulls = frozenset({(VALUES, table, name, "nulls")})
        if self.with_ and (wrong := story.contradiction(name, self.id)):
            others = both.keys_of(table, name) - nulls
            return Outcome(State.BROKEN, f"filled, but not with {self.with_}: {wrong}", nulls, *counts, others)
        if self.with_:
            return Outcome(State.KEPT, "" if before else "there was none", both.keys_of(table, name), *counts)
        return Outcome(State.KEPT, "" if before else "there was none", nulls, *counts)


@dataclass(frozen=True)
class Becomes(Promise):
    """Each value of a column becomes that of an expression over its old row."""

    column: str = ""
    expression: str = ""
    kind: ClassVar[str] = "becomes"

    def claim(self) -> str:
        return f"every {self.column} becomes {self.expression}"

    def needs(self) -> tuple[Need, ...]:
        table, name = _split(self.column)
        return (Replacement(self.id, table, name, self.expression),)

    def expressions(self) -> tuple[str, ...]:
        return (self.expression,)

    def judge(self, both: Both) -> Outcome:
        table, name = _split(self.column)
        table = both.table(table)
        exists = [(table, name) in side.columns for side in (both.before, both.after)]
        if not all(exists):
            return _no_such(f"column {self.column}", self.optional, exists)
        story = both.story(table)
        if not (wrong := story.contradiction(name, self.id)):
            changed = both.keys_of(table, name)
            return Outcome(State.KEPT, "" if changed else "its figures are the same before and after", changed)
        if not story.contradiction(name):
            return Outcome(State.NOT_DONE, "its figures are as before")
        return Outcome(State.BROKEN, wrong, contradicts=both.keys_of(table, name))


@dataclass(frozen=True)
class Revised(Promise):
    """The values of a column may change in a way that no expression over one row can say, such as an UPDATE from a join.

    The weakest promise: it explains the change of figures because it was announced, and proves nothing about it.
    """

    column: str = ""
    kind: ClassVar[str] = "revised"

    def claim(self) -> str:
        return f"values of {self.column} are revised (announced, not proved)"

    def judge(self, both: Both) -> Outcome:
        table, name = _split(self.column)
        table = both.table(table)
        exists = [(table, name) in side.columns for side in (both.before, both.after)]
        if not all(exists):
            return _no_such(f"column {self.column}", self.optional, exists)
        changed = both.keys_of(table, name)
        message = f"announced, not proved: {', '.join(sorted(key[3] for key in changed))} changed" if changed else "its figures are as before"
        return Outcome(State.KEPT, message, changed)


# --- schema objects -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Added(Promise):
    """A column, constraint, index, … comes. ``facts`` are attributes that it must have, as the catalogue prints them."""

    object: str = ""
    table: str = ""
    name: str = ""
    facts: Mapping[str, str | tuple[str, ...]] | None = None
    kind: ClassVar[str] = "added"

    def claim(self) -> str:
        facts = ", ".join(f"{k} {' or '.join(_texts(v))}" for k, v in (self.facts or {}).items())
        return f"{_object(self.object, self.table, self.name)} is added{f' ({facts})' if facts else ''}"

    def judge(self, both: Both) -> Outcome:
        key = (self.object, both.table(self.table), self.name)
        old, new = both.before.objects.get(key), both.after.objects.get(key)
        _readable(both, key)
        if new is None:
            state = State.BROKEN if old is not None else State.NOT_DONE
            return Outcome(state, "it was removed" if old is not None else "it is not there")
        wrong = [
            f"{name} is {new.facts.get(name, 'not set')}, not {' or '.join(_texts(wanted))}"
            for name, wanted in (self.facts or {}).items()
            if new.facts.get(name, "") not in _texts(wanted)
        ]
        explains = frozenset({(*key, ADDED)})
        if wrong:
            return Outcome(State.BROKEN, "; ".join(wrong), explains)
        return Outcome(State.KEPT, "it was there before" if old is not None else "", explains)


def _texts(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _object(kind: str, table: str, name: str) -> str:
    return f"{kind} {name}{f' of {table}' if table else ''}"


def _readable(both: Both, key: tuple[str, str, str]) -> None:
    for when, side in (("before", both.before), ("after", both.after)):
        for hidden in (key[0], key[1]):
            if hidden and hidden in side.facts.unread:
                raise CannotTell(f"the catalogue could not be read {when}: {side.facts.unread[hidden]}")


@dataclass(frozen=True)
class Dropped(Promise):
    """A column, constraint, index, table, … goes."""

    object: str = ""
    table: str = ""
    name: str = ""
    kind: ClassVar[str] = "dropped"

    def claim(self) -> str:
        return f"{_object(self.object, self.table, self.name)} is dropped"

    def judge(self, both: Both) -> Outcome:
        key = (self.object, both.table(self.table), self.name)
        _readable(both, key)
        old, new = both.before.objects.get(key), both.after.objects.get(key)
        if new is None:
            return Outcome(State.KEPT, "" if old is not None else "it was not there before", frozenset({(*key, REMOVED)}))
        return Outcome(State.NOT_DONE if old is not None else State.BROKEN, "it is still there" if old is not None else "it was added")


@dataclass(frozen=True)
class Altered(Promise):
    """An attribute of an object becomes another; an empty text stands for "not set"."""

    object: str = ""
    table: str = ""
    name: str = ""
    attribute: str = ""
    from_: tuple[str, ...] = ()
    to: str = ""
    kind: ClassVar[str] = "altered"

    def claim(self) -> str:
        return f"{self.attribute} of {_object(self.object, self.table, self.name)} becomes {self.to or 'not set'}"

    def judge(self, both: Both) -> Outcome:
        key = (self.object, both.table(self.table), self.name)
        _readable(both, key)
        old, new = both.before.objects.get(key), both.after.objects.get(key)
        if old is None or new is None:
            return _no_such(_object(self.object, self.table, self.name), self.optional, [old is not None, new is not None])
        was, is_ = old.facts.get(self.attribute, ""), new.facts.get(self.attribute, "")
        texts = (was or "not set", is_ or "not set")
        if is_ != self.to:
            state = State.NOT_DONE if is_ == was else State.BROKEN
            return Outcome(state, f"it is {'still ' if is_ == was else ''}{texts[1]}", frozenset(), *texts)
        if self.from_ and was not in (*self.from_, self.to):
            return Outcome(State.BROKEN, f"it was {texts[0]}", frozenset(), *texts)
        return Outcome(State.KEPT, "it already was" if was == is_ else "", frozenset({(*key, self.attribute)}), *texts)


# --- ledgers, checks, sequences -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Recorded(Promise):
    """These names enter a ledger table, one row each, and nothing else does."""

    table: str = ""
    column: str = "name"
    names: tuple[str, ...] = ()
    kind: ClassVar[str] = "recorded"

    def claim(self) -> str:
        return f"{self.table} records {', '.join(self.names)}"

    def needs(self) -> tuple[Need, ...]:
        listed = ", ".join(to_sql(text_literal(name)) for name in self.names)
        where = f"{quote(self.column)}::text IN ({listed})"
        return (Names(self.id, self.table, self.column, self.names), Arrival(self.id, self.table, where))

    def judge(self, both: Both) -> Outcome:
        name = both.table(self.table)
        before, after = (set(m.names) for m in (both.old_measure(names_id(self.id)), both.after.measured(names_id(self.id))))
        counts = (f"{len(before):,} of {len(self.names):,}", f"{len(after):,} of {len(self.names):,}")
        if missing := [n for n in self.names if n not in after]:
            state = State.NOT_DONE if after == before else State.BROKEN
            return Outcome(state, f"not recorded: {', '.join(missing)}", frozenset(), *counts)
        story = both.story(name)
        if story.fits:
            return _settled(both, story, counts)
        wrong = f"{name} changed by {story.delta:+,} rows, promised are {story.promised:+,}"
        return Outcome(State.BROKEN, wrong, frozenset(), *counts)


@dataclass(frozen=True)
class Fixed(Promise):
    """A check that failed holds now."""

    check: str = ""
    kind: ClassVar[str] = "fixed"

    def claim(self) -> str:
        return f"the check {self.check} holds"

    def judge(self, both: Both) -> Outcome:
        old, new = both.before.checks.get(self.check), both.after.checks.get(self.check)
        if new is None or new.status in UNANSWERED or new.violations is None:
            raise CannotTell(f"the check {self.check} has no answer now")
        was = old.violations if old is not None and old.status not in UNANSWERED else None
        counts = ("not known" if was is None else f"{was:,} violations", f"{new.violations:,} violations")
        if new.status is not Status.FAIL:
            return Outcome(State.KEPT, "it held before" if was == 0 else "", frozenset(), *counts)
        state = State.NOT_DONE if was is None or new.violations >= was else State.BROKEN
        of = f" of {was:,}" if was is not None and was >= new.violations else ""
        return Outcome(state, f"{new.violations:,}{of} violations are left", frozenset(), *counts)


@dataclass(frozen=True)
class SequencesAdvance(Promise):
    """Sequences whose name matches may move in their own direction: numbers are handed out and never given back."""

    names: str = "*"
    kind: ClassVar[str] = "sequences_advance"

    def claim(self) -> str:
        return f"sequences {self.names} move in their own direction only"

    def judge(self, both: Both) -> Outcome:
        ascending = {s.name: s.ascending for s in both.after.facts.sequences}
        moved = [c for c in both.changes.values() if c.kind == SEQUENCE and fnmatchcase(c.name, self.names)]
        back = sorted(c.name for c in moved if ((c.delta or 0) > 0) is not ascending.get(c.name, True))
        explains = frozenset(c.key for c in moved if c.name not in back)
        if back:
            return Outcome(State.BROKEN, f"went back: {', '.join(back)}", explains)
        return Outcome(State.KEPT, f"{len(moved):,} moved" if moved else "none moved", explains)


KINDS: dict[str, type[Promise]] = {
    promise.kind: promise
    for promise in (
        RowsUnchanged, RowsRemoved, RowsAdded, RowsArrived, SumPreserved, Retyped, Filled, Becomes, Revised, Added, Dropped, Altered,
        Recorded, Fixed, SequencesAdvance,
    )
}  # fmt: skip
"""Every kind of promise, by the name under which a contract makes it."""
