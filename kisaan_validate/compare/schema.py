"""The schema objects of two sides, compared: what came, what went, which facts differ, and what is unknown.
Pure.

Facts are texts. Most are compared as they are; those that a server prints from a tree by what they mean
(``printed``), and privileges by what both versions of the server know of them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import field, replace
from functools import partial

from kisaan_validate.compare.scope import BY_EARLIER_VERSIONS, COUNTED, DATABASE, is_earlier, not_compared
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import ADDED, REMOVED, Change, NotCompared, Unknown
from kisaan_validate.facts.table import SchemaObject
from kisaan_validate.facts.titles import split_grant, split_place, split_titles
from kisaan_validate.text.printed import TextLikeness, canonical, likeness

ObjectKey = tuple[str, str, str]

RELATIONS = ("table", "view", "materialized view", "sequence")
"""The kinds of objects that others belong to."""


@dataclass(frozen=True)
class Reading:
    """One side's reading of the catalogue. ``unread`` maps kinds and titles that could not be read to the
    reason; ``version`` is the server's ``server_version_num``."""

    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def major(self) -> int:
        """The major version of the server."""
        return self.version // 10_000


def reading_of(side: Baseline) -> Reading:
    """What a baseline, or a run as one, read of the catalogue."""
    return Reading(side.objects, side.unread, side.place.server_version_num)


@dataclass(frozen=True)
class SchemaDiff:
    """What differs of two readings, and which texts differ without telling whether what they say does.
    ``majors`` are the major versions of the servers that printed them."""

    changes: tuple[Change, ...] = ()
    unclear: tuple[Change, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    majors: tuple[int, int] = (0, 0)

    def of_tables(self, titles: Container[str]) -> SchemaDiff:
        """Only what belongs to these relations."""
        changes, unclear = (
            tuple(c for c in found if c.table in titles) for found in (self.changes, self.unclear)
        )
        rest = NotCompared("what belongs to no selected table", "the schema's other objects", "")
        return SchemaDiff(changes, unclear, (rest,), self.majors)

    @property
    def unknown(self) -> tuple[Unknown, ...]:
        """What is unknown, in words."""
        return tuple(_unknown(change, *self.majors) for change in self.unclear)


def compare_schemas(before: Reading, after: Reading, *, renamed: bool = False) -> SchemaDiff:
    """The schema objects that came, went or differ in a fact. What a partition only repeats of its
    parent is left out.

    ``renamed``: the sides' schemas have other names. Texts were made alike already; a digest of a text
    cannot be.
    """
    hidden = before.unread.keys() | after.unread.keys()
    beside = not_compared(before.objects, after.objects)
    # What an older version did not read would seem to have come.
    lacking = BY_EARLIER_VERSIONS if is_earlier(before.objects) or is_earlier(after.objects) else frozenset()
    old, new = (_readable(side.objects, hidden, lacking) for side in (before, after))
    gone, come = ({k: a[k] for k in a.keys() - b.keys()} for a, b in ((old, new), (new, old)))
    changes = [
        # What belongs to something that went is part of that difference.
        Change(*key, REMOVED, summary_of(item), None)
        for key, item in gone.items()
        if not _within(item, gone)
    ]
    changes += [
        Change(*key, ADDED, None, summary_of(item)) for key, item in come.items() if not _within(item, come)
    ]
    unclear = []
    for key in sorted(old.keys() & new.keys()):
        for change in _fact_changes(old[key], new[key]):
            verdict = _likeness(change, before, after, old)
            # A digest cannot be told what a schema's other name is.
            if renamed and verdict is TextLikeness.DIFFERENT and _is_printed_body(change):
                verdict = TextLikeness.UNCLEAR
            if verdict is TextLikeness.DIFFERENT:
                changes.append(change)
            elif verdict is TextLikeness.UNCLEAR:
                unclear.append(change)
    # Order apart from position, which moves whenever a column before it goes.
    changes += _order_changes(old, new)
    objects, majors = [*old.values(), *new.values()], (before.major, after.major)
    return SchemaDiff(
        tuple(_without_echoes(changes, objects)), tuple(_without_echoes(unclear, objects)), beside, majors
    )


def _readable(
    objects: Iterable[SchemaObject], hidden: Collection[str], lacking: Collection[tuple[str, str]]
) -> dict[ObjectKey, SchemaObject]:
    """The objects that both sides could read, without the facts that one of them does not know of
    (``lacking``).
    """
    unread = frozenset(hidden)
    found = {}
    for item in objects:
        told = item.kind in (COUNTED, DATABASE) or (
            lacking and item.kind == "grant" and " on type " in item.name
        )
        # A kind, a relation, or a table itself may be unread.
        if told or unread & {item.kind, item.table, item.name if item.kind == "table" else ""} - {""}:
            continue
        kept = {name: text for name, text in item.facts.items() if (item.kind, name) not in lacking}
        found[item.key] = replace(item, facts=kept)
    return found


def _fact_changes(old: SchemaObject, new: SchemaObject) -> list[Change]:
    """Every fact of an object whose text differs; but for a column's position, which moves where another
    goes.
    """
    a, b = old.facts, new.facts
    names = (a.keys() | b.keys()) - ({"position"} if old.kind == "column" else set())
    return [Change(*old.key, name, a.get(name), b.get(name)) for name in names if a.get(name) != b.get(name)]


def _place(side: Mapping[ObjectKey, SchemaObject], key: ObjectKey) -> tuple[int, ObjectKey]:
    return int(side[key].facts["position"]), key


def _order_changes(
    old: Mapping[ObjectKey, SchemaObject], new: Mapping[ObjectKey, SchemaObject]
) -> list[Change]:
    """The columns that both sides have, and that stand in another order among those."""
    shared: dict[str, list[ObjectKey]] = {}
    for key in old.keys() & new.keys():
        places = (side[key].facts.get("position", "") for side in (old, new))
        # An older baseline has no positions.
        if key[0] == "column" and all(place.isdigit() for place in places):
            shared.setdefault(key[1], []).append(key)
    changes = []
    for keys in shared.values():
        orders = [sorted(keys, key=partial(_place, side)) for side in (old, new)]
        for first, second in zip(*orders, strict=True):
            if first != second:
                before, after = (side[first].facts["position"] for side in (old, new))
                changes.append(Change("column", first[1], first[2], "position", before, after))
    return changes


def _within(item: SchemaObject, moved: Container[ObjectKey]) -> bool:
    """Whether an object came or went only as a part of another that did.

    It is part of its table, a constraint's index of the constraint, a grant of what it is on, a serial's
    sequence of the column.
    """
    kind, table, name = item.key
    # All that belongs to a relation comes and goes with it.
    if kind not in RELATIONS and table and any((relation, table, table) in moved for relation in RELATIONS):
        return True
    if kind == "sequence":
        owner, column = split_place(item.facts.get("owned by", ""))
        return ("table", owner, owner) in moved or ("column", owner, column) in moved
    if kind == "grant" and table:
        return ("column", table, split_grant(name)[1]) in moved
    if kind == "grant":
        return any(
            (on, table, name.partition(f" on {on} ")[2]) in moved for on in ("function", "schema")
        ) or any(
            (on, table, name.partition(" on type ")[2]) in moved
            for on in ("enum", "domain", "composite type", "range type")
        )
    # A constraint brings an index of its own name.
    return kind == "index" and ("constraint", table, name) in moved


_SUMMARIES = ("definition", "type", "labels", "kind", "base type", "version", "result", "privileges")


def summary_of(item: SchemaObject) -> str:
    """What an object is, in one line: its definition, type, labels, …"""
    return next((item.facts[name] for name in _SUMMARIES if name in item.facts), item.kind)


# --- facts that mean the same in other words --------------------------------------------------------------

PRINTED = frozenset(
    {
        ("view", "definition"),
        ("materialized view", "definition"),
        ("rule", "definition"),
        ("policy", "using"),
        ("policy", "with check"),
        ("column", "default"),
        ("column", "generated"),
        ("constraint", "definition"),
        ("index", "definition"),
        ("trigger", "definition"),
        ("statistics", "definition"),
        ("domain", "default"),
        ("domain", "checks"),
        ("table", "bound"),
        ("table", "partition key"),
        ("function", "arguments"),
    }
)
"""(kind, fact) of texts that the server prints from a tree."""

PRINTED_BODY = "printed, sha256 "
"""How the fact ``body`` of a function begins whose body is a tree (BEGIN ATOMIC, RETURN): the digest of
its canonical print.
"""


def printed_body(text: str) -> str:
    """The fact of a body that was printed so: the same for both ways to print one tree."""
    return (
        PRINTED_BODY + hashlib.sha256(" ".join(canonical(text)).encode("utf-8", "surrogatepass")).hexdigest()
    )


_SIGNATURES = frozenset(
    {
        "state function",
        "final function",
        "combine function",
        "moving state function",
        "sort operator",
        "canonical",
        "difference",
    }
)
"""Facts that name a function or an operator with the types of its arguments, which those of the server
itself have changed.
"""


def _likeness(
    change: Change, before: Reading, after: Reading, objects: Mapping[ObjectKey, SchemaObject]
) -> TextLikeness:
    """What two texts of one fact are to each other, given that they are not the same letters."""
    kind, aspect = change.kind, change.aspect
    one_version = before.major == after.major
    old, new = change.before, change.after
    # Something is there on one side only.
    if old is None or new is None:
        return TextLikeness.DIFFERENT
    if (kind, aspect) in PRINTED:
        return likeness(old, new, one_version=one_version)
    # The same version prints the same tree alike.
    if one_version:
        return TextLikeness.DIFFERENT
    if _is_printed_body(change):
        return TextLikeness.UNCLEAR
    # The server's own functions change their arguments between versions; user-made ones have a schema.
    if aspect in _SIGNATURES and "." not in old and old.partition("(")[0] == new.partition("(")[0]:
        return TextLikeness.UNCLEAR
    if kind in {"grant", "default privileges"}:
        owner = _owner(change, objects)
        texts = (_shared_privileges(text, side.major, owner) for text, side in ((old, before), (new, after)))
        return TextLikeness.SAME if len(set(texts)) == 1 else TextLikeness.DIFFERENT
    return TextLikeness.DIFFERENT


def _is_printed_body(change: Change) -> bool:
    bodies = (change.before, change.after)
    return change.aspect == "body" and all(
        body is not None and body.startswith(PRINTED_BODY) for body in bodies
    )


def _unknown(change: Change, before: int, after: int) -> Unknown:
    of = f" of {change.table}" if change.table and change.table != change.name else ""
    what = f"the {change.aspect} of {change.kind} {change.name}{of}"
    if before == after:
        return Unknown(
            what,
            "it names schemas, and they have other names on the two sides: it could not be compared; "
            "read both",
        )
    return Unknown(
        what, f"PostgreSQL {before} and {after} print it differently: it could not be compared; read both"
    )


_SEVEN = "SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
_EIGHT_AT_ONCE = re.compile(
    "DELETE(?P<option> WITH GRANT OPTION)?, "
    + "".join(
        f"{name}(?P=option)?, "
        for name in ("INSERT", "MAINTAIN", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE")
    )
    + "UPDATE(?P=option)?"
)


def _owner(change: Change, objects: Mapping[ObjectKey, SchemaObject]) -> bool:
    """Whether a grant is that of the owner of the relation."""
    found = (objects.get((kind, change.table, change.table)) for kind in RELATIONS)
    return any(item is not None and item.facts.get("owner") == change.name for item in found)


def _shared_privileges(text: str, version: int, owner: bool) -> str:
    """Privileges as servers before and from 17 on can both say them. MAINTAIN came with 17: before, ALL
    was all but it.

    Then, the owner might do what it allows without being granted anything: ALL was all of it, and a list
    said nothing of it.
    """
    if version >= 17 and owner:
        return text.replace(", MAINTAIN", "")
    if version >= 17 and text == _SEVEN:
        return "ALL"
    return _EIGHT_AT_ONCE.sub(
        lambda found: found[0].replace("MAINTAIN" + (found["option"] or "") + ", ", ""), text
    )


# --- partitions -------------------------------------------------------------------------------------------


def _without_echoes(changes: list[Change], objects: Iterable[SchemaObject]) -> list[Change]:
    """The changes without those of a partition (or a child by inheritance) that are the very change of its
    parent.
    """
    parents: dict[str, set[str]] = {}
    for item in objects:
        above = [
            title for name in ("partition of", "inherits") for title in split_titles(item.facts.get(name, ""))
        ]
        if item.kind == "table" and above:
            parents.setdefault(item.table, set()).update(above)
    # Said once of the parent, and a thousand times by its partitions.
    said = {(change.table, _gist(change)) for change in changes}
    moved = {change.table for change in changes if change.aspect in ("partition of", "inherits")}
    # It is attached again because its table is.
    changes = [c for c in changes if not (c.aspect == "attached to" and c.table in moved)]  # with their table
    return [c for c in changes if not any((parent, _gist(c)) in said for parent in parents.get(c.table, ()))]


_OWN_NAMES = re.compile(
    r'(?P<index> INDEX (?:"(?:[^"]|"")*"|[^\s"])+)?(?P<on> ON (?:ONLY )?(?:"(?:[^"]|"")*"|[^\s"])+)'
)


def _gist(change: Change) -> tuple[str | None, ...]:
    """What a change says, whatever the table; indexes and constraints of partitions have names of their
    own.
    """
    # A partition's index has a name of its own, so names are left out.
    name = "" if change.kind in {"index", "constraint"} else change.name
    printed = change.kind in {"index", "trigger"}
    texts = (
        _OWN_NAMES.sub("", text, count=1) if printed and text else text
        for text in (change.before, change.after)
    )
    return (change.kind, name, change.aspect, *texts)
