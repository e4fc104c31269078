"""What is made of a personal column is personal: partitions, children, views, generated columns, copies by
a foreign key.

Pure: ``postgres.lineage`` reads the facts. Where it is unknown what something is made of, it is taken
for personal.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from fnmatch import translate
from typing import TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.personal.nodetree import NodePlace, Origins

Node = TypeVar("Node")


class How(IntEnum):
    """How a column is called personal: not at all, by a pattern, or by its full name, which nothing
    outweighs.
    """

    NOT = 0
    PATTERN = 1
    NAMED = 2


Asked = Callable[[str, str], How]
"""Whether a column (of a table, with its schema or without) is called personal."""


@dataclass(frozen=True)
class Attribute:
    """A column of a relation. ``key``: it is part of a primary or foreign key, and whole numbers or a
    uuid.
    """

    relation: int
    number: int
    name: str
    whole: bool = False
    key: bool = False
    row_of: int = 0
    """The relation, or composite type, whose rows it holds."""


@dataclass(frozen=True)
class Lineage:
    """What is made of what, by the relations' oids. ``names`` are (schema, name).

    ``reads`` says which relations a view (or a policy on a table) reads; ``outputs`` what the outputs of
    views are made of, as far as that was understood. ``parents`` are (child, parent); ``generated``
    (column, what it is made of); ``foreign`` pairs of columns with the same values. ``opaque`` are columns
    (number 0: relations) that call functions of somebody's own, ``functions`` all such functions by their
    oids, and ``called`` their names.
    """

    names: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    columns: tuple[Attribute, ...] = ()
    reads: tuple[tuple[int, int], ...] = ()
    views: frozenset[int] = frozenset()
    outputs: Mapping[int, Mapping[int, Origins] | None] = field(default_factory=dict)
    parents: tuple[tuple[int, int], ...] = ()
    generated: tuple[tuple[NodePlace, NodePlace], ...] = ()
    foreign: tuple[tuple[NodePlace, NodePlace], ...] = ()
    opaque: frozenset[NodePlace] = frozenset()
    functions: frozenset[int] = frozenset()
    called: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Followed:
    """The result, by the names of tables with their schema and without. ``columns`` are personal,
    whatever pattern says so or not; ``shown`` are not, although a pattern fits: they are keys.

    ``relations`` are those of which the server may quote a personal value when it fails at them.
    ``functions``: what these give is unknown, so it is personal. Names that stand in neither are
    told by the patterns alone.
    """

    columns: frozenset[tuple[str, str]] = frozenset()
    shown: frozenset[tuple[str, str]] = frozenset()
    relations: frozenset[str] = frozenset()
    functions: frozenset[str] = frozenset()

    def is_personal(self, table: str, column: str, asked: Asked) -> bool:
        """Whether values of a column must not be shown. ``asked`` decides of what was not there."""
        place = (table, column)
        # What the catalogue says outweighs any pattern: a copy of a personal column has another name.
        if place in self.columns:
            return True
        how = asked(table, column)
        # A full name outweighs the exception for keys; a pattern does not.
        return how is How.NAMED or (how is How.PATTERN and place not in self.shown)

    def both(self, other: Followed) -> Followed:
        """What is personal on either of two sides, by the names that tables have on their own side."""
        columns = self.columns | other.columns
        return Followed(
            columns,
            # What is personal on one side must not be shown on the other.
            (self.shown | other.shown) - columns,
            self.relations | other.relations,
            self.functions | other.functions,
        )

    def quoted_by(self, sql: str) -> bool:
        """Whether a message of the server about this statement could quote a personal value."""
        # Case folding, because a message may quote a name as it was typed.
        text = sql.casefold()
        names = (name.casefold().replace('"', '""') for name in (*self.relations, *self.functions))
        # ``in`` first: the expression is only built for the few names that occur.
        return any(name in text and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def asked_of(patterns: Iterable[str]) -> Asked:
    """Who is asked of shell patterns over ``table.column``. They ignore case: better to mask too much.

    A name that is spelled as it is means itself, too, whatever signs of a pattern stand in it.
    """
    known = [pattern.lower() for pattern in patterns]
    spelled = frozenset(known)
    # One expression for all: a database has a hundred thousand columns.
    full, wide = (
        re.compile("|".join(translate(p) for p in known if is_full(p) is whole) or r"(?!)")
        for whole in (True, False)
    )

    def asked(table: str, column: str) -> How:
        name = f"{table}.{column}".lower()
        # The spelled name too: a column may have a bracket in its name, which a pattern reads as a set.
        if name in spelled or full.match(name):
            return How.NAMED
        return How.PATTERN if wide.match(name) else How.NOT

    return asked


def is_full(pattern: str) -> bool:
    """Whether a pattern is one name: without a wildcard, but those that stand in brackets for themselves."""
    # A wildcard in brackets stands for itself, so the pattern is still one name.
    return not set("*?[") & set(re.sub(r"\[[*?[]\]", "", pattern))


Calls = Mapping[NodePlace, How]
"""How each column is called."""


def calls_of(lineage: Lineage, asked: Asked, aliases: Mapping[str, tuple[str, ...]]) -> Calls:
    """How each column that is there is called, by any name that a suite may use for its table."""
    titles = {relation: _titles(lineage, relation, aliases) for relation in lineage.names}
    return {
        (a.relation, a.number): max(asked(title, a.name) for title in titles[a.relation])
        for a in lineage.columns
    }


def touched(lineage: Lineage, calls: Calls) -> frozenset[int]:
    """The views that read, directly or through others, a relation with a personal column: their trees are
    worth reading.
    """
    known = {relation for (relation, _), how in calls.items() if how} | {
        relation for relation, _ in lineage.opaque
    }
    wider = [
        *lineage.reads,
        *_both_ways(lineage.parents),
        *((a.relation, a.row_of) for a in lineage.columns if a.row_of),
    ]
    # The referring column has the values of the key, so views over it matter as well.
    wider += [(to[0], of[0]) for to, of in _both_ways(lineage.foreign)]
    return frozenset(_closure(known, wider)) & lineage.views


def follow(lineage: Lineage, calls: Calls, aliases: Mapping[str, tuple[str, ...]]) -> Followed:
    """What is personal of all that is there."""
    edges = _edges(lineage)
    shown = _keys(lineage, calls, edges)
    seeds = {
        place
        for place, how in calls.items()
        if how is How.NAMED or (how is How.PATTERN and place not in shown)
    }
    # Without a personal column nothing is made of one.
    if not seeds:
        return Followed(shown=_named(lineage, shown, aliases))
    personal = _closure(seeds | _untold(lineage), [(to, of) for to, of, _ in edges])
    # Of a relation that calls an unknown function anything may be quoted.
    private = {relation for relation, _ in personal} | {relation for relation, _ in lineage.opaque}
    # Children and parents are read together, so the server may quote rows of either.
    private = _closure(private, [*lineage.reads, *_both_ways(lineage.parents)])
    hidden = _named(lineage, personal, aliases)
    return Followed(
        hidden,
        # A key that copies a personal column is no mere number any more.
        _named(lineage, shown - personal, aliases) - hidden,
        frozenset(lineage.names[relation][1] for relation in private if relation in lineage.names),
        lineage.called,
    )


def _titles(lineage: Lineage, relation: int, aliases: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The names by which a suite may mean a relation."""
    schema, name = lineage.names[relation]
    # Both spellings, because a suite may name a table with or without its schema.
    own = [name, f"{schema}.{name}"]
    if aliases:
        return own + [alias for alias, others in aliases.items() if set(others) & set(own)]
    return own


def _named(
    lineage: Lineage, places: Iterable[NodePlace], aliases: Mapping[str, tuple[str, ...]]
) -> frozenset[tuple[str, str]]:
    names = {(a.relation, a.number): a.name for a in lineage.columns}
    return frozenset(
        (title, names[place])
        for place in places
        if place in names
        for title in _titles(lineage, place[0], aliases)
    )


def _closure(known: Collection[Node], pairs: Iterable[tuple[Node, Node]]) -> set[Node]:
    """All that is reached from what is known, where of each pair the second leads to the first."""
    leads = defaultdict(list)
    for to, of in pairs:
        leads[of].append(to)
    found, waiting = set(known), list(known)
    while waiting:
        for to in leads[waiting.pop()]:
            if to not in found:
                found.add(to)
                waiting.append(to)
    return found


def _both_ways(pairs: Iterable[tuple[Node, Node]]) -> Iterator[tuple[Node, Node]]:
    for one, other in pairs:
        yield one, other
        yield other, one


def _keys(lineage: Lineage, how: Calls, edges: Iterable[tuple[NodePlace, NodePlace, bool]]) -> set[NodePlace]:
    """Keys that a pattern alone calls personal, and their copies in children and views: numbers that say
    nothing of anybody.
    """
    whole = {
        (a.relation, a.number)
        for a in lineage.columns
        if a.whole and how[a.relation, a.number] is How.PATTERN
    }
    keys = {(a.relation, a.number) for a in lineage.columns if a.key} & whole
    # Only copies: what is computed of a key may be something else.
    return _closure(keys, [(to, of) for to, of, copied in edges if copied and to in whole])


def _untold(lineage: Lineage) -> set[NodePlace]:
    """Columns whose sources are unknown: they call user-defined functions."""
    calling = {
        (view, number)
        for view, outputs in lineage.outputs.items()
        for number, origins in (outputs or {}).items()
        if origins.functions & lineage.functions
        or (
            # What a view with an unknown function could not be traced to may come from anywhere.
            (view, 0) in lineage.opaque
            and (not origins.traced or any(of not in lineage.names for of, _ in origins.places))
        )
    }
    unread = {
        view for view, outputs in lineage.outputs.items() if outputs is None and (view, 0) in lineage.opaque
    }
    return (
        calling
        | {p for p in lineage.opaque if p[1]}
        | {(a.relation, a.number) for a in lineage.columns if a.relation in unread}
    )


def _edges(lineage: Lineage) -> list[tuple[NodePlace, NodePlace, bool]]:
    """(what is made, of what, whether as a copy), column by column."""
    columns: dict[int, list[Attribute]] = defaultdict(list)
    for a in lineage.columns:
        columns[a.relation].append(a)
    found = [(to, of, False) for to, of in lineage.generated]
    found += [
        ((a.relation, a.number), (a.row_of, other.number), False)
        for a in lineage.columns
        if a.row_of
        for other in columns[a.row_of]
    ]
    for child, parent in lineage.parents:
        # By name: a child may have its columns in another order.
        numbers = {a.name: a.number for a in columns[parent]}
        same = [((child, a.number), (parent, numbers[a.name])) for a in columns[child] if a.name in numbers]
        # Both ways: rows of a child show in its parent, and the child inherits the parent's columns.
        found += [(one, other, True) for one, other in _both_ways(same)]
    whole = {(a.relation, a.number) for a in lineage.columns if a.whole}
    # Not into a whole number or uuid: such a key refers to somebody, and shows nothing of them.
    found += [(to, of, True) for to, of in _both_ways(lineage.foreign) if to not in whole]
    read = defaultdict(list)
    for reader, other in lineage.reads:
        read[reader].append(other)
    for view, outputs in lineage.outputs.items():  # of other views nothing that they read is personal
        found += _outputs(view, outputs, read[view], columns)
    return found


def _outputs(
    view: int,
    outputs: Mapping[int, Origins] | None,
    read: Iterable[int],
    columns: Mapping[int, list[Attribute]],
) -> Iterator[tuple[NodePlace, NodePlace, bool]]:
    # What cannot be traced may be made of any column that the view reads.
    everything = [(relation, a.number) for relation in read for a in columns[relation]]
    for output in columns[view]:
        origins = outputs.get(output.number) if outputs is not None else None
        if origins is None or not origins.traced:
            yield from (((view, output.number), place, False) for place in everything)
            continue
        for relation, number in origins.places:
            places = [(relation, number)] if number > 0 else [(relation, a.number) for a in columns[relation]]
            yield from (((view, output.number), place, origins.copied) for place in places)
