"""Conditions under which a check applies: facts of the catalogue, never of the data.

Grammar, one condition: ``[not] table NAME`` | ``[not] column TABLE.COLUMN`` | ``[not] type TABLE.COLUMN
TYPE``. A name with blanks, dots or quotes is quoted as in SQL, part by part: ``column "Odd
Table"."odd.column"``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_name
from kisaan_validate.rules.catalogue import canonical_type

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Table

_PART = r'(?:"(?:[^"]|"")*"|[^\s".][^\s.]*)'
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")
# Anything else is quoted when it is written into a condition.
_UNMISTAKABLE = re.compile(r'(?:"(?:[^"]|"")*"|[^\s".;]+)(?:\.(?:"(?:[^"]|"")*"|[^\s".;]+))*')
"""A declared name that may stand in a condition as it is."""

_FORM = re.compile(
    rf"(?P<negated>not\s+)?(?P<what>table|column|type)\s+(?P<name>{_NAME.pattern})(?:\s+(?P<type>.+))?",
    re.DOTALL,
)
# An even number of quotes behind it: the semicolon stands outside of all of them.
_BETWEEN = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A semicolon outside of quotes."""


@dataclass(frozen=True)
class Condition:
    """One parsed condition."""

    negated: bool
    what: str
    table: str
    column: str
    type: str

    def unmet(self, catalogue: Catalogue) -> str:
        """Why the condition is not met, in words; "" if it is met."""
        table = self._found(catalogue)
        if self.what == "table":
            held, fact = table is not None, f"table {self.table}"
        else:
            column = table.columns.get(self.column) if table is not None else None
            held, fact = column is not None, f"column {self.table}.{self.column}"
            if self.what == "type" and column is not None:
                held, fact = column.type == self.type, f"{fact} of type {self.type}"
        # ``negated`` turns the fact around: met if what is there differs from it.
        if held is not self.negated:
            return ""
        return f"{fact} {'exists' if self.negated else 'does not exist'} here"

    def lacks(self, catalogue: Catalogue) -> str:
        """PostgreSQL's SQLSTATE for what it asks for and is not there: 42P01 a table, 42703 a column; ""
        if it is another fact.
        """
        table = self._found(catalogue)
        # What must not be there cannot be lacking.
        if self.negated:
            return ""
        if table is None:
            return "42P01"
        if self.what != "table" and self.column not in table.columns:
            return "42703"
        return ""

    def _found(self, catalogue: Catalogue) -> Table | None:
        """The relation that is meant: an alias is known by the name that was declared, which is not
        quoted.
        """
        meant = split_name(self.table)
        # The declared name decides, because the condition was
        # written with it; the table may have been renamed.
        return catalogue.find(
            next((name for name in catalogue.aliases if split_name(name) == meant), self.table)
        )


def column_condition(table: str, column: str) -> str:
    """The condition that a column exists, whatever the declared table and the column are called."""
    schema, name = split_name(table)
    quoted = ".".join(_quoted(part) for part in ((schema, name) if schema else (name,)))
    plain = re.fullmatch(r'[^\s".;]+', column)
    return (
        f"column {table if _UNMISTAKABLE.fullmatch(table) else quoted}.{column if plain else _quoted(column)}"
    )


def split_conditions(text: str) -> tuple[str, ...]:
    """The conditions of a text that has several, with semicolons between them."""
    return tuple(part.strip() for part in _BETWEEN.split(text) if part.strip())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def parse_condition(text: str, origin: str = "") -> Condition:
    """Read one condition. Raises SuiteError if it does not fit the grammar."""
    match = _FORM.fullmatch(text.strip())
    hint = (
        'write "table t", "column t.c" or "type t.c numeric(18,2)", with or without "not" before '
        'it; quote a name with spaces or dots: column "Odd Table".c'
    )
    if match is None:
        raise SuiteError(f"condition {text!r} cannot be parsed", hint, origin)
    what, name, type_ = match["what"], match["name"], match["type"] or ""
    last = list(re.finditer(_PART, name))[-1] if what != "table" else None
    # The last part is the column, all before it the table; the dot between them belongs to neither.
    table, column = (name[: max(last.start() - 1, 0)], last[0]) if last is not None else (name, "")
    if not table or bool(type_) is not (what == "type"):
        raise SuiteError(f"condition {text!r} cannot be parsed", hint, origin)
    column = column[1:-1].replace('""', '"') if column.startswith('"') else column
    # As ``format_type`` writes it, so that "varchar(20)" and "character varying(20)" are one type.
    return Condition(bool(match["negated"]), what, table, column, canonical_type(type_) if type_ else "")
