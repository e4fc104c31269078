"""What a comparison of two databases reads, what it only counts, and what it leaves aside: one table for code, docs and tests.

``tests/test_schema_compared.py`` holds it against the catalogues of real servers: a catalogue or a column that a new version
brings makes it red. What is only counted is named beside every verdict, so that no "same" says more than was compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kisaan_validate.differences import NotCompared
from kisaan_validate.model import SchemaObject

COUNTED, DATABASE = "counted", "database"
"""Kinds of the facts in a reading that are no objects: how many there are of what is not read, what the database is like."""

WHAT_ELSE = "what else there is"
"""How a reading names it where the uncompared could not be counted."""


@dataclass(frozen=True)
class Counted:
    """A kind of things that no comparison reads. ``catalogues`` are where the server keeps them. ``content``: a dump of the
    database carries them, so another number is a difference of what the databases hold."""

    name: str
    catalogues: tuple[str, ...]
    content: bool = True


NOT_READ = (
    Counted("publications", ("pg_publication", "pg_publication_rel", "pg_publication_namespace")),
    Counted("subscriptions", ("pg_subscription", "pg_subscription_rel")),
    Counted("large objects", ("pg_largeobject", "pg_largeobject_metadata")),
    Counted("casts", ("pg_cast",)),
    Counted("languages", ("pg_language",)),
    Counted("transforms", ("pg_transform",)),
    Counted("access methods", ("pg_am",)),
    Counted("foreign data wrappers", ("pg_foreign_data_wrapper",)),
    Counted("foreign servers", ("pg_foreign_server",)),
    Counted("user mappings", ("pg_user_mapping",)),
    Counted("operators", ("pg_operator",)),
    Counted("operator classes", ("pg_opclass",)),
    Counted("operator families", ("pg_opfamily", "pg_amop", "pg_amproc")),
    Counted("collations", ("pg_collation",)),
    Counted("conversions", ("pg_conversion",)),
    Counted("text search configurations", ("pg_ts_config", "pg_ts_config_map")),
    Counted("text search dictionaries", ("pg_ts_dict",)),
    Counted("text search parsers", ("pg_ts_parser",)),
    Counted("text search templates", ("pg_ts_template",)),
    Counted("base types", ()),
    Counted("security labels", ("pg_seclabel", "pg_shseclabel")),
    Counted("privileges changed on what the server or an extension brought", ("pg_init_privs",)),
    Counted("materialized views, their rows", (), content=False),
    Counted("names of NOT NULL constraints", (), content=False),
    Counted("settings by ALTER DATABASE or ALTER ROLE", ("pg_db_role_setting",), content=False),
    Counted("grants on the database", (), content=False),
    Counted("comments on the database", ("pg_shdescription",), content=False),
    Counted("other schemas", (), content=False),
)
"""Every kind that is not read, in the order in which it is told."""

OF_DATABASE = (
    "encoding", "locale provider", "collation", "character classes", "locale", "ICU rules", "collation version",
)  # fmt: skip
"""What the database as a whole is like, by which the same query can answer otherwise."""

BY_EARLIER_VERSIONS = frozenset({
    ("column", "storage"), ("column", "compression"), ("column", "statistics"), ("column", "planner options"),
    ("table", "access method"), ("table", "tablespace"), ("table", "toast options"), ("materialized view", "access method"),
    ("materialized view", "tablespace"), ("materialized view", "toast options"), ("index", "tablespace"),
    ("index", "statistics"), ("index", "attached to"), ("function", "support"), ("function", "transforms"),
    ("function", "inverse function"), ("function", "moving final function"), ("function", "serial function"),
    ("function", "deserial function"), ("function", "moving state type"), ("function", "moving initial value"),
    ("function", "aggregate options"),
})  # fmt: skip
"""(kind, fact) that baselines of earlier versions do not hold."""

_EARLIER = NotCompared(
    "storage, compression, statistics targets and order of columns, tablespaces, access methods, grants on types, and all that is "
    "only counted", "not recorded: the baseline is of an earlier version", "",
)  # fmt: skip


def is_earlier(objects: Iterable[SchemaObject]) -> bool:
    """Whether a reading of the catalogue was made by a version that did not read all that this one does."""
    columns = [item for item in objects if item.kind == "column"]
    return bool(columns) and not any("position" in item.facts for item in columns)


def not_compared(before: Iterable[SchemaObject], after: Iterable[SchemaObject]) -> tuple[NotCompared, ...]:
    """What there is on either side that was counted and not compared, and in what the databases as a whole are not alike."""
    old, new = list(before), list(after)
    if is_earlier(old) or is_earlier(new):
        return (_EARLIER,)
    left, right = _told(old), _told(new)
    if not left or not right:  # what hid it is told as unknown, or nobody asked
        return ()
    found = [_counted(kind, left.get(kind.name, ""), right.get(kind.name, "")) for kind in NOT_READ]
    found += [_of_database(name, left.get(name, ""), right.get(name, "")) for name in OF_DATABASE]
    return tuple(item for item in found if item is not None)


def _told(objects: Iterable[SchemaObject]) -> Mapping[str, str]:
    """What a side says of each: a number, names with a number, or a text."""
    return {o.name: o.facts.get("which") or o.facts["is"] for o in objects if o.kind in {COUNTED, DATABASE}}


def _of_database(name: str, before: str, after: str) -> NotCompared | None:
    """None if both databases are alike. A collation version that one side does not record (before 15) says nothing."""
    if before == after or (name == "collation version" and "none" in (before, after)):
        return None
    return NotCompared(f"{name} of the database", before, after, judged=True)


def _counted(kind: Counted, before: str, after: str) -> NotCompared | None:
    """None if there is nothing of the kind on either side."""
    if before in ("", "0") and after in ("", "0"):
        return None
    return NotCompared(kind.name, before or "0", after or "0", judged=kind.content and before != after)
