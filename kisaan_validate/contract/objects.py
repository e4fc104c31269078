"""Promises about objects of the schema: that they come, go, or get another attribute."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from kisaan_validate.compare.schema import PRINTED, RELATIONS
from kisaan_validate.contract.both import Both
from kisaan_validate.contract.needs import Identity, Need
from kisaan_validate.contract.promise import Outcome, Promise, State, missing
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import ADDED, REMOVED
from kisaan_validate.text.printed import TextLikeness, likeness

_PLACE = ("owner", "comment")
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "schema": _PLACE,
    "extension": ("version", "schema", *_PLACE),
    "table": (
        "kind",
        "persistence",
        "row security",
        "row security forced",
        "replica identity",
        "of type",
        "inherits",
        "partition of",
        "bound",
        "detach pending",
        "partition key",
        "server",
        "options",
        "access method",
        "tablespace",
        "toast options",
        *_PLACE,
    ),
    "column": (
        "type",
        "collation",
        "default",
        "generated",
        "identity",
        "not null",
        "options",
        "storage",
        "compression",
        "statistics",
        "planner options",
        "position",
        "comment",
    ),
    "constraint": ("definition", "validated", "enforced", "triggers", "comment"),
    "index": (
        "definition",
        "valid",
        "replica identity",
        "clustered",
        "tablespace",
        "statistics",
        "attached to",
        "comment",
    ),
    "trigger": ("definition", "enabled", "comment"),
    "rule": ("definition", "enabled", "comment"),
    "policy": ("command", "permissive", "roles", "using", "with check", "comment"),
    "statistics": ("definition", "target", *_PLACE),
    "sequence": (
        "type",
        "start",
        "increment",
        "min",
        "max",
        "cache",
        "cycle",
        "owned by",
        "persistence",
        *_PLACE,
    ),
    "view": ("definition", "options", *_PLACE),
    "materialized view": (
        "definition",
        "populated",
        "options",
        "access method",
        "tablespace",
        "toast options",
        *_PLACE,
    ),
    "function": (
        "kind",
        "arguments",
        "result",
        "language",
        "volatility",
        "security definer",
        "support",
        "transforms",
        "strict",
        "leakproof",
        "parallel",
        "cost",
        "rows",
        "config",
        "body",
        "state function",
        "state type",
        "final function",
        "combine function",
        "moving state function",
        "inverse function",
        "moving final function",
        "serial function",
        "deserial function",
        "moving state type",
        "moving initial value",
        "aggregate options",
        "sort operator",
        "initial value",
        *_PLACE,
    ),
    "enum": ("labels", *_PLACE),
    "domain": ("type", "collation", "default", "not null", "checks", *_PLACE),
    "composite type": ("attributes", *_PLACE),
    "range type": ("subtype", "operator class", "collation", "canonical", "difference", *_PLACE),
    "grant": ("privileges", "with grant option"),
    "default privileges": ("grants",),
    "event trigger": ("event", "tags", "function", "enabled", *_PLACE),
}
"""Every kind of object, with the attributes that ``postgres/sql/schema`` reads of it: a slip in a name
must not look kept.
"""

THEIR_OWN_TABLE = frozenset(RELATIONS)
"""Kinds of objects that are a relation themselves: the catalogue's facts name it as their table too."""
OF_NO_TABLE = frozenset(
    {
        "function",
        "enum",
        "domain",
        "composite type",
        "range type",
        "extension",
        "schema",
        "event trigger",
        "grant",
        "default privileges",
    }
)
"""Kinds of objects that may belong to no table."""


@dataclass(frozen=True)
class OfObject(Promise):
    """A promise about one object of the schema. ``table`` is the relation that it belongs to, if it
    belongs to one.
    """

    object: str = ""
    table: str = ""
    name: str = ""

    @property
    def what(self) -> str:
        """The object in words."""
        of = f" of {self.table}" if self.table and self.object not in THEIR_OWN_TABLE else ""
        return f"{self.object} {self.name}{of}"

    def place(self, both: Both) -> tuple[str, str, str]:
        """(kind, title of its relation, name) as the catalogue knows it."""
        if self.object in THEIR_OWN_TABLE:
            title = both.table(self.name)
            return (self.object, title, title)
        title = both.table(self.table) if self.table else ""
        return (self.object, title, both.column(title, self.name) if self.object == "column" else self.name)

    def judge(self, both: Both) -> Outcome:
        """Its outcome. Raises CannotTell."""
        key = self.place(both)
        return self.of_object(both, key, both.before.has_object(*key), both.after.has_object(*key))

    @abstractmethod
    def of_object(self, both: Both, key: tuple[str, str, str], was: bool, is_: bool) -> Outcome:
        """Its outcome, given whether the object is there. Raises CannotTell."""


def texts_of(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """One text, or those of several."""
    return (value,) if isinstance(value, str) else value


def _alike(kind: str, attribute: str, one: str, other: str) -> bool:
    """Whether two texts of an attribute mean the same, whichever version of the server printed either."""
    # Only what the server prints as SQL depends on its version.
    if (kind, attribute) not in PRINTED:
        return one == other
    return likeness(one, other, one_version=False) is TextLikeness.SAME


@dataclass(frozen=True)
class Added(OfObject):
    """It comes, with these facts. They are as the catalogue prints them."""

    facts: Mapping[str, str | tuple[str, ...]] | None = None
    kind: ClassVar[str] = "added"

    def claim(self) -> str:
        facts = ", ".join(f"{k} {' or '.join(texts_of(v))}" for k, v in (self.facts or {}).items())
        return f"{self.what} is added{f' ({facts})' if facts else ''}"

    def of_object(self, both: Both, key: tuple[str, str, str], was: bool, is_: bool) -> Outcome:
        # What would have come to a table that is on neither side cannot be blamed for not coming.
        if not (is_ or was) and self._table_is_missing(both, key[1]):
            return missing(f"table {self.table}", self.optional, [False, False])
        if not is_:
            if was:
                return Outcome(State.BROKEN, "it was removed")
            return Outcome(State.NOT_DONE, "it does not exist")
        found, change = both.after.objects[key].facts, frozenset({(*key, ADDED)})
        wrong = [
            f"{name} is {found.get(name, 'not set')}, not {' or '.join(texts_of(wanted))}"
            for name, wanted in (self.facts or {}).items()
            if not any(_alike(self.object, name, found.get(name, ""), text) for text in texts_of(wanted))
        ]
        if wrong:
            return Outcome(State.BROKEN, "; ".join(wrong), contradicts=change)
        # The promise is about the state after; a migration may be run twice.
        return Outcome(State.KEPT, "it existed before" if was else "", change)

    def _table_is_missing(self, both: Both, title: str) -> bool:
        """Whether its table is on neither side. Raises CannotTell."""
        if not title or self.object in THEIR_OWN_TABLE:
            return False
        return not any(side.has_table(title) for side in both.sides)


@dataclass(frozen=True)
class Dropped(OfObject):
    """It existed and goes."""

    kind: ClassVar[str] = "dropped"

    def place(self, both: Both) -> tuple[str, str, str]:
        """The same for something named as it was called before: another may have its name by now."""
        if self.object in THEIR_OWN_TABLE:
            title = both.gone(self.name)
            return (self.object, title, title)
        title = both.gone(self.table) if self.table else ""
        before = both.fates.done.title_before(title)
        return (
            self.object,
            title,
            both.fates.done.column(before, self.name) if self.object == "column" else self.name,
        )

    def needs(self) -> tuple[Need, ...]:
        if self.object == "column":
            # The other columns must identify the rows.
            return (Identity(self.id, self.table, self.name, goes=True),)
        return ()

    def claim(self) -> str:
        return f"{self.what} is dropped"

    def of_object(self, both: Both, key: tuple[str, str, str], was: bool, is_: bool) -> Outcome:
        if is_:
            if was:
                return Outcome(State.NOT_DONE, "it still exists")
            return Outcome(State.BROKEN, "it was added")
        if not was:  # a slip in the name must not look kept
            return missing(self.what, self.optional, [False, False])
        change = (*key, REMOVED)
        return Outcome(State.KEPT, both.remarks.get(change, ""), frozenset({change}))


@dataclass(frozen=True)
class Altered(OfObject):
    """An attribute becomes another; "" is not set."""

    attribute: str = ""
    from_: tuple[str, ...] = ()
    to: str = ""
    kind: ClassVar[str] = "altered"

    def claim(self) -> str:
        # The catalogue's yes and no read like a riddle in a report.
        if self.attribute == "not null" and self.to in {"yes", "no"}:
            return f"{self.what} becomes {'NOT NULL' if self.to == 'yes' else 'nullable'}"
        return f"{self.attribute} of {self.what} becomes {self.to or 'not set'}"

    def of_object(self, both: Both, key: tuple[str, str, str], was: bool, is_: bool) -> Outcome:
        # An attribute of something that came or went did not change.
        if not (was and is_):
            return missing(self.what, self.optional, [was, is_])
        old, new = (side.objects[key].facts.get(self.attribute, "") for side in both.sides)
        texts = (old or "not set", new or "not set")
        # By meaning: two versions of the server may print one definition differently.
        stayed = _alike(self.object, self.attribute, old, new)
        if not _alike(self.object, self.attribute, new, self.to):
            state = State.NOT_DONE if stayed else State.BROKEN
            return Outcome(state, f"it is {'still ' if stayed else ''}{texts[1]}", frozenset(), *texts)
        # Already being what is promised is no other start.
        if self.from_ and not any(
            _alike(self.object, self.attribute, old, text) for text in (*self.from_, self.to)
        ):
            return Outcome(
                State.BROKEN,
                f"it was {texts[0]}, not {' or '.join(f or 'not set' for f in self.from_)}",
                frozenset(),
                *texts,
            )
        change = frozenset({(*key, self.attribute)})
        return Outcome(State.KEPT, "it already was" if stayed else "", change, *texts)
