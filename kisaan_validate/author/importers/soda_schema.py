"""What a schema check of SodaCL says of a table's columns. Their names are compared as they are written,
letter for letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.source import remark
from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class SodaSchema:
    """The table that a schema check is about, and what is said of the check."""

    maker: Maker
    table: str
    said: Said

    def checks(self, key: str, value: Any) -> list[str]:
        """The ids of the checks that one thing becomes which it says. Raises NoCounterpart and SuiteError."""
        if key == "when required column missing":
            return [self._present(name) for name in _names(value)]
        if key == "when forbidden column present":
            wrong = " OR ".join(forbidden_sql(name) for name in _names(value))
            return [self._columns_sql(wrong, "forbidden_columns")]
        if key == "when wrong column type":
            wanted = _mapping(value)
            return [
                id for name, type_ in wanted.items() for id in (self._present(name), self._typed(name, type_))
            ]
        if key == "when wrong column index":
            places = {name: _place(place) for name, place in _mapping(value).items()}
            wrong = " OR ".join(
                f"(c.name = {sql.value_sql(name)} AND c.position <> {place + 1})"
                for name, place in places.items()
            )
            return [*(self._present(name) for name in places), self._columns_sql(wrong, "column_index")]
        if key == "when schema changes":
            raise NoCounterpart(
                "it compares with an earlier scan: a baseline and a contract do that, object by object"
            )
        raise NoCounterpart(f"{remark(key)}: not supported yet")

    def _id(self, *parts: str) -> str:
        return ".".join((self.table, *parts))

    def _present(self, name: str) -> str:
        return self.maker.declare("column", self.table, [name], self._id(name, "present"), self.said, [name])

    def _typed(self, name: str, wanted: Any) -> str:
        types = _types(wanted)
        return self.maker.declare(
            "column", self.table, [name], self._id(name, "type"), self.said, [name], type=types
        )

    def _columns_sql(self, wrong: str, kind: str) -> str:
        statement = (
            "SELECT c.name, c.position\nFROM (\n"
            "  SELECT a.attname::text AS name, row_number() OVER (ORDER BY a.attnum) AS position\n"
            f"  FROM pg_catalog.pg_attribute AS a\n  WHERE a.attrelid = "
            f"{sql.value_sql(sql.table_ref(self.table))}::regclass\n"
            f"    AND a.attnum > 0 AND NOT a.attisdropped\n) AS c\nWHERE {wrong}"
        )
        return self.maker.assertion(
            self.table,
            statement,
            ["name"],
            self._id(kind),
            replace(self.said, title="the columns are as expected"),
        )


def _names(value: Any) -> list[str]:
    names = [sql.as_text(c, "a column") for c in sql.as_list(value, "a list of columns")]
    if not names:
        raise NoCounterpart("an empty list of columns")
    return names


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not value:
        raise NoCounterpart("columns with their expected values are expected")
    return {sql.as_text(k, "a column"): v for k, v in value.items()}


def _place(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise NoCounterpart(f"the place of a column is a whole number from 0 on, not {remark(repr(value))}")
    return value


_READ_AS_REGEX = frozenset("?+[](){}|^$\\")


def forbidden_sql(pattern: str) -> str:
    """SQL that is true where the name of a column ``c`` is one that a pattern forbids. Raises NoCounterpart.

    Soda takes ``*`` for whatever may come and ``%`` for at least one letter of it (it replaces ``%`` by
    ``.*``, then the ``*`` of that again), and matches from the start of a name, not to its end: ``pii``
    forbids ``pii_name``. What else is special to a regular expression of Python's it leaves as it is; of
    that only ``.`` is taken here.
    """
    # Python and PostgreSQL may read it differently, so it is refused rather than guessed.
    if found := next((c for c in pattern if c in _READ_AS_REGEX), ""):
        raise NoCounterpart(
            f"Soda reads {remark(found)} in {remark(pattern)} as part of a regular expression: "
            "write the full names"
        )
    anything, one = r"[^\n]*", r"[^\n]"
    # Python's dot does not match a line feed and PostgreSQL's does, so classes are written instead.
    meant = {"*": anything, "%": one + anything, ".": one}
    parts = [meant.get(c, c) for c in pattern]
    return f"c.name ~ {sql.value_sql('^' + ''.join(parts))}"


_ALSO = {
    "character varying": ("varchar", "text"),
    "double precision": ("decimal", "numeric"),
    "timestamp without time zone": ("timestamp",),
    "timestamp with time zone": ("timestamptz",),
}
"""What Soda takes for the same, either way (soda-core 3.5)."""

_TYPES = frozenset(
    {
        "bigint",
        "bigserial",
        "bit",
        "bit varying",
        "boolean",
        "box",
        "bytea",
        "character",
        "character varying",
        "cidr",
        "circle",
        "date",
        "double precision",
        "inet",
        "integer",
        "interval",
        "json",
        "jsonb",
        "line",
        "lseg",
        "macaddr",
        "macaddr8",
        "money",
        "name",
        "numeric",
        "oid",
        "path",
        "pg_lsn",
        "point",
        "polygon",
        "real",
        "smallint",
        "text",
        "time with time zone",
        "time without time zone",
        "timestamp with time zone",
        "timestamp without time zone",
        "tsquery",
        "tsvector",
        "uuid",
        "xml",
    }
) - {"bigserial"}
"""The names that information_schema has for types; it has none with a length, and none for arrays and
enums.
"""


def _types(wanted: Any) -> list[str]:
    """The types that Soda accepts for a name of a type. Raises NoCounterpart for a name that no column's
    type has there.
    """
    said = sql.as_text(wanted, "the name of a type").strip().lower()
    # Soda compares names of types both ways.
    accepted = {said, *_ALSO.get(said, ()), *(actual for actual, names in _ALSO.items() if said in names)}
    if not (found := sorted(accepted & _TYPES)):
        hint = "Soda compares with the names of information_schema"
        raise NoCounterpart(
            f"no column has the type {remark(said)}: {hint}, such as 'integer' and 'character varying'"
        )
    return found
