"""Conditions under which a check applies: facts of the catalogue, never of the data.

Grammar, one condition: ``[not] table NAME`` | ``[not] column TABLE.COLUMN`` | ``[not] type TABLE.COLUMN TYPE``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.catalog import canonical_type

if TYPE_CHECKING:
    from kisaan_validate.catalogue import Catalogue

_FORM = re.compile(r"(?P<negated>not\s+)?(?P<what>table|column|type)\s+(?P<name>\S+)(?:\s+(?P<type>.+))?")


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
        table = catalogue.find(self.table)
        if self.what == "table":
            held, fact = table is not None, f"table {self.table}"
        else:
            column = table.columns.get(self.column) if table is not None else None
            held, fact = column is not None, f"column {self.table}.{self.column}"
            if self.what == "type" and column is not None:
                held, fact = column.type == self.type, f"{fact} of type {self.type}"
        if held is not self.negated:
            return ""
        return f"{fact} {'exists' if self.negated else 'does not exist'} here"

    def lacks(self, catalogue: Catalogue) -> str:
        """PostgreSQL's SQLSTATE for what it asks for and is not there: 42P01 a table, 42703 a column; "" if it is another fact."""
        table = catalogue.find(self.table)
        if self.negated:
            return ""
        if table is None:
            return "42P01"
        return "42703" if self.what != "table" and self.column not in table.columns else ""


def parse_condition(text: str, origin: str = "") -> Condition:
    """Read one condition. Raises SuiteError if it does not fit the grammar."""
    match = _FORM.fullmatch(text.strip())
    hint = 'write "table t", "column t.c" or "type t.c numeric(18,2)", with or without "not" before it'
    if match is None:
        raise SuiteError(f"condition {text!r} is not understood", hint, origin)
    what, name, type_ = match["what"], match["name"], match["type"] or ""
    table, dot, column = (name, ".", "") if what == "table" else name.rpartition(".")
    if not dot or not table or (what != "table" and not column) or bool(type_) is not (what == "type"):
        raise SuiteError(f"condition {text!r} is not understood", hint, origin)
    return Condition(bool(match["negated"]), what, table, column, canonical_type(type_) if type_ else "")
