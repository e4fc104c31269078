"""Bodies of functions that are trees, under the old names: of these a baseline keeps digests alone.
Pure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace

from kisaan_validate.compare.renaming.definitions import parameters_of, tellings
from kisaan_validate.compare.renaming.follow import with_displaced
from kisaan_validate.compare.renaming.names import Relation, Renames
from kisaan_validate.compare.renaming.objects import scope_of
from kisaan_validate.compare.schema import PRINTED_BODY, printed_body
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.table import SchemaObject

_OTHERWISE = ", of what bore these names before"
"""Marks an old body whose words are those of the new one, and mean something else."""


@dataclass(frozen=True)
class Printed:
    """Bodies as a server prints them, by the functions' names, and the names that it puts in quotes as
    keywords.
    """

    bodies: Mapping[str, str] = field(default_factory=dict)
    keywords: Collection[str] = ()


@dataclass(frozen=True)
class Bodies:
    """Functions by their names after: those whose bodies follow from the renames, and those whose bodies use
    the same words for something else.
    """

    following: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()


def bodies_in_question(
    before: Iterable[SchemaObject], after: Iterable[SchemaObject], renames: Renames
) -> list[str]:
    """The functions of which both sides have a body, and whose digests do not tell what the renames did to
    it.

    ``before`` is under the names of after.
    """
    listed = tuple(after)
    was, now, reused = _printed(before), _printed(listed), _reused(listed, renames)
    # With names given away, even equal words may mean something else.
    return sorted(name for name in was.keys() & now.keys() if reused or was[name] != now[name])


def bodies_told(
    printed: Printed,
    before: Iterable[SchemaObject],
    after: Iterable[SchemaObject],
    renames: Renames,
    places: Mapping[str, Relation],
) -> Bodies:
    """What happened to the bodies in question. ``printed`` is of after, as far as it could be read."""
    standing, listed = tuple(before), tuple(after)
    asked, was, now = bodies_in_question(standing, listed, renames), _printed(standing), _printed(listed)
    titles, columns = _titles(listed), _columns(listed)
    arguments = {o.name: o.facts.get("arguments", "") for o in listed if o.kind == "function"}
    # Seen from after: what is printed there is written under the old names.
    scope = replace(
        scope_of(listed, with_displaced(renames.back, titles, columns), places), keywords=printed.keywords
    )

    def follows(name: str) -> bool:
        own = replace(scope, parameters=parameters_of(arguments.get(name, "")))
        # Digests can only be matched: every text that the body may have had is digested and compared.
        return name in printed.bodies and was[name] in map(printed_body, tellings(printed.bodies[name], own))

    following = tuple(filter(follows, asked))
    return Bodies(
        following, tuple(name for name in asked if name not in following and was[name] == now[name])
    )


def with_bodies(
    before: Iterable[SchemaObject], after: Iterable[SchemaObject], told: Bodies
) -> tuple[SchemaObject, ...]:
    """The objects before: bodies that follow are those of after, and no others are."""
    now = _printed(after)
    # Only functions have bodies of this kind.
    return tuple(_with_body(item, told, now) if item.kind == "function" else item for item in before)


def _with_body(item: SchemaObject, told: Bodies, now: Mapping[str, str]) -> SchemaObject:
    if item.name in told.following and item.name in now:
        return SchemaObject(item.kind, item.table, item.name, {**item.facts, "body": now[item.name]})
    if item.name in told.otherwise and "body" in item.facts:
        return SchemaObject(
            item.kind, item.table, item.name, {**item.facts, "body": item.facts["body"] + _OTHERWISE}
        )
    return item


def _printed(objects: Iterable[SchemaObject]) -> dict[str, str]:
    found = {o.name: o.facts.get("body", "") for o in objects if o.kind == "function"}
    return {name: body for name, body in found.items() if body.startswith(PRINTED_BODY)}


def _titles(objects: Iterable[SchemaObject]) -> Collection[str]:
    return {o.table for o in objects if o.table}


def _columns(objects: Iterable[SchemaObject]) -> Collection[tuple[str, str]]:
    return {(o.table, o.name) for o in objects if o.kind == "column"}


def _reused(after: tuple[SchemaObject, ...], renames: Renames) -> bool:
    """Whether something has a name after that was given away: then the same words may mean something
    else.
    """
    titles, columns = _titles(after), _columns(after)
    return any(old in titles for old in renames.tables) or any(
        (renames.title(t), old) in columns for t, old in renames.columns
    )
