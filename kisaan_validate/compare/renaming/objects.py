"""The objects of a schema before, under the names of after, so that what only follows from a rename is no
difference. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kisaan_validate.compare.renaming.definitions import NameScope, follows, retold
from kisaan_validate.compare.renaming.names import Relation, Renames, relation_of
from kisaan_validate.compare.renaming.tokens import tokens_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.table import SchemaObject
from kisaan_validate.facts.titles import column_place, joined_titles, split_grant, split_titles, within

_RELATIONS = frozenset({"table", "view", "materialized view", "sequence"})

_TEXTS: Mapping[str, tuple[str, ...]] = {
    "column": ("default", "generated", "type"),
    "constraint": ("definition",),
    "index": ("definition",),
    "trigger": ("definition",),
    "rule": ("definition",),
    "policy": ("using", "with check"),
    "statistics": ("definition",),
    "view": ("definition",),
    "materialized view": ("definition",),
    "table": ("partition key", "of type"),
    "composite type": ("attributes",),
    "function": (
        "arguments",
        "result",
        "state type",
        "moving state type",
        "state function",
        "final function",
        "combine function",
        "moving state function",
        "inverse function",
        "moving final function",
        "serial function",
        "deserial function",
    ),
    "domain": ("type", "default", "checks"),
}
"""The facts that are SQL which may name tables and columns, by kind of object."""

_OF_NO_RELATION = frozenset({"view", "materialized view", "function", "composite type", "domain"})
"""Kinds in whose texts a bare column belongs to no relation that is known from outside."""


@dataclass(frozen=True)
class _Names:
    """How names become others: titles, relations, and (title, column) written as one text, as a sequence's
    owner is.
    """

    renames: Renames
    relations: Mapping[Relation, Relation]
    columns: Mapping[Relation, Mapping[str, str]]
    places: Mapping[str, Relation]
    owners: Mapping[str, str]
    fields: frozenset[str] = frozenset()

    def scope(self, item: SchemaObject) -> NameScope:
        # In a view a bare column belongs to its FROM.
        own = None if item.kind in _OF_NO_RELATION else self.places.get(item.table)
        return NameScope(self.relations, self.columns, own, self.fields)


def objects_through(
    before: Iterable[SchemaObject],
    renames: Renames,
    after: Iterable[SchemaObject] = (),
    places: Mapping[str, Relation] | None = None,
) -> tuple[SchemaObject, ...]:
    """The objects as they would be called after. A text that follows from the renames reads as that of
    ``after`` does.

    ``places`` are the relations of titles, of before and after, where these are known better than by their
    dots.
    """
    listed, there = tuple(before), {item.key: item for item in after}
    names = _names(listed, renames, places or {})
    return tuple(_through(item, names, there) for item in listed)


def scope_of(objects: Iterable[SchemaObject], renames: Renames, places: Mapping[str, Relation]) -> NameScope:
    """What names in a text of no relation of its own mean, given the objects of its side."""
    names = _names(tuple(objects), renames, places)
    return NameScope(names.relations, names.columns, fields=names.fields)


def _names(objects: tuple[SchemaObject, ...], renames: Renames, places: Mapping[str, Relation]) -> _Names:
    titles = {item.table for item in objects if item.kind in _RELATIONS and item.table} | set(renames.tables)
    known = {title: places.get(title) or relation_of(title) for title in titles}

    def after(title: str) -> Relation:
        new = renames.title(title)
        # Where the name is the same its relation is known already.
        return known[title] if new == title else places.get(new) or relation_of(new)

    columns = [item for item in objects if item.kind == "column"]
    owners = {column_place(c.table, c.name): column_place(*renames.place(c.table, c.name)) for c in columns}
    return _Names(
        renames,
        {known[t]: after(t) for t in titles},
        {known[t]: renames.names(t) for t in titles},
        known,
        owners,
        frozenset(
            token.name
            for o in objects
            if o.kind == "composite type"
            for token in tokens_of(o.facts.get("attributes", ""))
        ),
    )


def _through(
    item: SchemaObject, names: _Names, after: Mapping[tuple[str, str, str], SchemaObject]
) -> SchemaObject:
    renames = names.renames
    table = renames.title(item.table) if item.table else ""
    renamed = SchemaObject(item.kind, table, _name(item, names), item.facts)
    there = after.get(renamed.key)
    # The primary key tells rows apart, so it is followed even where the object has gone.
    if after and there is None and not item.facts.get("definition", "").startswith("PRIMARY KEY"):
        return SchemaObject(
            renamed.kind, renamed.table, renamed.name, item.facts
        )  # it went: it is shown as it was
    facts = {fact: _fact(item, fact, text, names, there) for fact, text in item.facts.items()}
    return SchemaObject(renamed.kind, renamed.table, renamed.name, facts)


def _name(item: SchemaObject, names: _Names) -> str:
    renames = names.renames
    if item.kind in _RELATIONS and item.name == item.table:
        return renames.title(item.table)
    if item.kind == "column":
        return renames.column(item.table, item.name)
    if item.kind == "grant":
        who, column = split_grant(item.name) if item.table else ("", "")
        if who:
            return f"{who} on column {within(renames.column(item.table, column), ' on ')}"
        return _signature(item.name, names)
    return _signature(item.name, names) if item.kind == "function" else item.name


def _signature(name: str, names: _Names) -> str:
    """The name of a function, or of a grant on it, which names the types of its arguments."""
    called, paren, types = name.partition("(")
    return called + retold(paren + types, NameScope(names.relations, {}))


def _fact(item: SchemaObject, fact: str, text: str, names: _Names, there: SchemaObject | None) -> str:
    if (item.kind, fact) == ("sequence", "owned by"):
        return names.owners.get(text, text)
    if item.kind == "table" and fact in {"inherits", "partition of"}:
        return joined_titles(names.renames.title(title) for title in split_titles(text))
    if fact not in _TEXTS.get(item.kind, ()):
        return text
    now, scope = there.facts.get(fact) if there is not None else None, names.scope(item)
    # Either the very text of after, or as near as can be told: never a guess that they are the same.
    return now if now is not None and follows(text, now, scope) else retold(text, scope)
