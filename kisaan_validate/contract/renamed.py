"""The promise that something only gets another name: all that it holds is found again under the new one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar

from kisaan_validate.compare.renaming.follow import with_displaced, with_heirs
from kisaan_validate.compare.renaming.names import ColumnPlace, Relation, Renames, relation_of
from kisaan_validate.contract.both import WITH_ROWS, Both, CannotTell, Side
from kisaan_validate.contract.naming import Fate, Fates, Naming
from kisaan_validate.contract.needs import Need, Renaming
from kisaan_validate.contract.promise import Outcome, Promise, State, missing
from kisaan_validate.contract.travel import column_outcome, table_outcome
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import NAME
from kisaan_validate.facts.measure_key import by_key, digests_key, of_column, remainder_key
from kisaan_validate.facts.titles import split_column, split_name


@dataclass(frozen=True)
class Renamed(Promise):
    """It has another name and keeps its values row by row. ``to`` is the new name alone."""

    column: str = ""
    table: str = ""
    to: str = ""
    kind: ClassVar[str] = "renamed"

    @property
    def place(self) -> tuple[str, str]:
        """(table as written, column or "") before."""
        return split_column(self.column) if self.column else (self.table, "")

    @property
    def what(self) -> str:
        """What is renamed, in words, as it was called."""
        return f"column {self.column}" if self.column else f"table {self.table}"

    def claim(self) -> str:
        return (
            f"{self.what} is renamed to {self.to} and keeps its "
            f"{'values' if self.column else 'rows and values'}"
        )

    def needs(self) -> tuple[Need, ...]:
        return (Renaming(self.id, *self.place, self.optional),)

    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell."""
        # Settled for all names at once: whether one was done depends on the others.
        fate = both.fates.by_id[self.id]
        if fate.said is not None:
            return fate.said
        title, name = fate.after
        key = ("column", title, name, NAME) if name else ("table", title, title, NAME)
        try:
            outcome = column_outcome(both, title, name) if name else table_outcome(both, title)
        except CannotTell as reason:  # the name is new all the same
            outcome = Outcome(
                State.UNKNOWN, f"the name is new; whether it kept its contents is unknown: {reason}"
            )
        return replace(
            outcome,
            explains=outcome.explains | {key},
            before=fate.before[bool(name)],
            after=fate.after[bool(name)],
        )


def declared_fates(
    promises: Iterable[Promise], before: Mapping[str, Relation], naming: Naming
) -> tuple[dict[str, Fate], dict[str, Relation]]:
    """The names that a contract promises to change, found in what was there ``before``, relations by
    title; and those of new titles."""
    listed = [p for p in promises if isinstance(p, Renamed)]
    fates: dict[str, Fate] = {}
    relations: dict[str, Relation] = {}
    # Tables first: a column may be named under either name of its table.
    for promise in (p for p in listed if not p.column):
        old = _title(naming.titles(promise.table), before)
        relation = _relation(promise.to, before.get(old) or relation_of(old))
        new = relation[1] if relation[0] == "public" else ".".join(relation)
        relations[new] = relation
        fates[promise.id] = Fate((old, ""), (new, ""), optional=promise.optional)
    tables = {fate.after[0]: fate.before[0] for fate in fates.values()}
    for promise in (p for p in listed if p.column):
        written, name = promise.place
        titles = naming.titles(written)
        old = _title([*titles, *(tables[t] for t in titles if t in tables)], before)
        new = next((after for after, title in tables.items() if title == old), old)
        fates[promise.id] = Fate((old, name), (new, unquoted(promise.to)), optional=promise.optional)
    # In the order of the contract again.
    return {promise.id: fates[promise.id] for promise in listed}, relations


def _title(titles: list[str], before: Mapping[str, Relation]) -> str:
    return next((title for title in titles if title in before), titles[0] if titles else "")


def _relation(to: str, old: Relation) -> Relation:
    schema, name = split_name(to)
    return schema or old[0], name


def unquoted(name: str) -> str:
    """The new name of a column as it is written: one that holds a dot stands in double quotes."""
    if len(name) > 1 and name.startswith('"') and name.endswith('"'):
        return name[1:-1].replace('""', '"')
    return name


def fates_of(
    promises: Iterable[Promise], before: Side, after: Side, naming: Naming, added: Iterable[ColumnPlace] = ()
) -> Fates:
    """What happened to each name. ``added`` are (title, column or "") of after that other promises say to
    be added again.
    """
    fates, relations = declared_fates(promises, before.relations, naming)
    declared = renames_of(fates.values())
    anew = frozenset(added)
    tables = _settled({id: f for id, f in fates.items() if not f.before[1]}, _Tables(before, after, anew))
    # Only tables that really were renamed take their columns with them.
    moved = Renames({f.before[0]: f.after[0] for f in tables.values() if f.said is None})
    columns = {
        id: replace(f, after=(moved.title(f.before[0]), f.after[1])) for id, f in fates.items() if f.before[1]
    }
    settled = {**tables, **_settled(columns, _Columns(before, after, anew))}
    done = renames_of(f for f in settled.values() if f.said is None)
    known = with_displaced(done, before.relations.keys(), before.every_column)
    full = with_heirs(known, before.facts.objects, before.every_column, after.every_column)
    relations |= {new: _former(new, relations) for new in full.tables.values()}
    return Fates({id: settled[id] for id in fates}, declared, full, relations)


def _former(title: str, relations: Mapping[str, Relation]) -> Relation:
    return relations.get(title) or relation_of(title)


def renames_of(fates: Iterable[Fate]) -> Renames:
    """The names that change."""
    listed = list(fates)
    tables = {f.before[0]: f.after[0] for f in listed if not f.before[1]}
    return Renames(tables, {f.before: f.after[1] for f in listed if f.before[1]})


# --- was it done? -----------------------------------------------------------------------------------------


class _Looked(ABC):
    """What is looked at to tell whether names of one kind were changed."""

    def __init__(self, before: Side, after: Side, anew: frozenset[ColumnPlace]) -> None:
        self.before, self.after, self.anew = before, after, anew

    @abstractmethod
    def there(self, side: Side, place: ColumnPlace, like: ColumnPlace) -> bool:
        """Whether it is there, as what ``like`` was before. Raises CannotTell."""

    @abstractmethod
    def known(self, side: Side, place: ColumnPlace) -> Iterator[object]:
        """What is known, part by part; None or nothing where it is not."""

    def alike(self, old: ColumnPlace, new: ColumnPlace) -> bool:
        """Whether the old one could be the new one, as far as both are known."""
        # strict: both sides yield the same parts, known or not.
        pairs = zip(self.known(self.before, old), self.known(self.after, new), strict=True)
        return all(_equal(one, other) for one, other in pairs)

    def what(self, place: ColumnPlace) -> str:
        """It in words."""
        return f"column {'.'.join(place)}" if place[1] else f"table {place[0]}"

    def old_place(self, fate: Fate) -> ColumnPlace:
        """The old name, as it would be found after."""
        return (fate.after[0], fate.before[1]) if fate.before[1] else fate.before

    def new_place(self, fate: Fate) -> ColumnPlace:
        """The new name, as it would have been found before."""
        return (fate.before[0], fate.after[1]) if fate.before[1] else fate.after


class _Tables(_Looked):
    def there(self, side: Side, place: ColumnPlace, like: ColumnPlace) -> bool:
        # A view that has a table's old name, for programs that know no other, is not that table.
        views = [kind for kind in WITH_ROWS[1:] if self.before.has_object(kind, like[0], like[0])]
        if views:
            return any(side.has_object(kind, place[0], place[0]) for kind in views)
        facts = side.tables.get(place[0])
        return (facts is not None and facts.kind not in WITH_ROWS[1:]) or side.has_object(
            "table", place[0], place[0]
        )

    def known(self, side: Side, place: ColumnPlace) -> Iterator[object]:
        facts = side.tables.get(place[0])
        yield (facts.kind, facts.rows, facts.columns) if facts is not None else None
        found = side.objects.get(("table", place[0], place[0]))
        yield found.facts if found is not None else None
        yield _digests(side, place[0])


class _Columns(_Looked):
    def there(self, side: Side, place: ColumnPlace, like: ColumnPlace) -> bool:
        return side.has_column(*place)

    def known(self, side: Side, place: ColumnPlace) -> Iterator[object]:
        facts = side.columns.get(place)
        yield (facts.type, facts.profile) if facts is not None else None
        found = side.objects.get(("column", *place))
        # Where it stands among others changes with the others.
        yield (
            {fact: text for fact, text in found.facts.items() if fact != "position"}
            if found is not None
            else None
        )
        digest = _digests(side, place[0]).get(by_key(of_column(place[1])).text)
        yield _Digests(values=digest) if digest is not None else _Digests()


def _equal(one: object, other: object) -> bool:
    """Whether two parts agree; of digests by name, those that both sides have."""
    if isinstance(one, _Digests) and isinstance(other, _Digests):
        return all(one[name] == other[name] for name in one.keys() & other.keys())
    return one == other


class _Digests(dict[str, str]):
    """Digests by the name of their figure."""


def _digests(side: Side, table: str) -> _Digests:
    """The digests of each row's values in a table, as measured for a contract."""
    measured = [side.measures.get(key.text) for key in (remainder_key(table), digests_key(table))]
    figures = {name: profile for m in measured if m is not None for name, profile in m.columns.items()}
    return _Digests((name, profile.digest) for name, profile in figures.items() if profile.digest is not None)


def _settled(fates: dict[str, Fate], looked: _Looked) -> dict[str, Fate]:
    """Each fate with why it was not done. A name is free for another only if who had it was renamed: so
    until nothing changes.
    """
    # To a fixed point: each round refuses at least one, or ends.
    found = dict(fates)
    while True:
        done = [f for f in found.values() if f.said is None]
        taken, freed = {f.after for f in done}, {f.before for f in done}
        refused = {}
        for id, fate in found.items():
            if fate.said is None and (why := _why_not(fate, looked, taken, freed)) is not None:
                refused[id] = replace(fate, said=why)
        if not refused:
            return found
        found |= refused


def _why_not(fate: Fate, looked: _Looked, taken: set[ColumnPlace], freed: set[ColumnPlace]) -> Outcome | None:
    """What is said of a name that was not changed; None for one that was."""
    old, new = looked.old_place(fate), looked.new_place(fate)
    try:
        # `there` is given the old place too: a table's old or new name on a view is not that table.
        was, was_new = (looked.there(looked.before, place, fate.before) for place in (fate.before, new))
        stayed, came = (looked.there(looked.after, place, fate.before) for place in (old, fate.after))
    except CannotTell as reason:
        return Outcome(State.UNKNOWN, str(reason))
    what, into = looked.what(fate.before), looked.what(fate.after)
    if not was:
        return _never_was(what, into, fate.optional, was_new=was_new, came=came)
    if not came:
        if stayed:
            return Outcome(State.NOT_DONE, "it still has its old name")
        return Outcome(State.BROKEN, f"{what} was removed and {into} does not exist: its contents are lost")
    # An old name that is still there may belong to what was renamed into it, or to what is promised to come.
    if stayed and old not in taken and old not in looked.anew:
        said = (
            f"{into} existed before, and {what} still exists"
            if was_new
            else f"{into} was added and {what} still exists: it was copied"
        )
        return Outcome(State.NOT_DONE if was_new else State.BROKEN, said)
    still = new in freed or stayed
    # Where nothing tells one from the other, names that seem to have changed places are where they were.
    if was_new and looked.alike(new, fate.after) and (still or not looked.alike(fate.before, fate.after)):
        said = (
            "the names were not exchanged"
            if still
            else f"{what} was removed and {into} is unchanged: the contents of {what} are lost"
        )
        return Outcome(State.NOT_DONE if still else State.BROKEN, said)
    return None


def _never_was(what: str, into: str, optional: bool, *, was_new: bool, came: bool) -> Outcome:
    if came and not was_new:
        return Outcome(State.BROKEN, f"{into} was added, but {what} did not exist before")
    outcome = missing(what, optional, [False, False])
    if was_new:
        return replace(outcome, message=f"{outcome.message}; {into} existed before")
    return outcome
