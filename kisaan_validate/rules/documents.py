"""Rules on JSON documents."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.rules.base import RowRule
from kisaan_validate.sql.expressions import View, text_literal, to_sql

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement


@dataclass(frozen=True)
class JsonPath(RowRule):
    """A SQL/JSON path finds something in each document. A column that is NULL has no document, and passes.

    ``nulls`` says what a JSON null at the path is: "present", or "absent" (then something else must be
    found). A path that cannot be followed (a strict one, where a key is missing) finds nothing.
    """

    path: str = "$"
    nulls: str = "present"
    kind: ClassVar[str] = "json_path"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"{columns[0]} has something{' other than null' if self.nulls == 'absent' else ''} at {self.path}"
        )

    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        column = view.table.columns[columns[0]]
        if column.base not in {"json", "jsonb"}:
            raise DatabaseError(
                f"{column.name} is {column.type}, not JSON", "name a column of type jsonb or json"
            )
        name = to_sql(view.column(column.name))
        document = name if column.base == "jsonb" else f"{name}::jsonb"
        path = f"{to_sql(text_literal(self.path))}::jsonpath"
        # ``true`` silences errors of a strict path; what cannot be followed finds nothing.
        missing = f"jsonb_path_exists({document}, {path}, '{{}}', true) IS NOT TRUE"
        if self.nulls == "absent":
            found = f"jsonb_path_query_array({document}, {path}, '{{}}', true)"
            # Strict, so that an array which was found is one item, and not its elements.
            missing = f"({missing} OR NOT jsonb_path_exists({found}, 'strict $[*] ? (@ != null)'))"
        # A column that is NULL holds no document, and passes.
        return sa.literal_column(f"{name} IS NOT NULL AND {missing}")


# ``$``, ``$.**`` and a method of the root find something in whatever document there is.
_ALWAYS_FOUND = re.compile(r"\$\s*(?:\.\s*\*\*\s*|\.\s*(?:type|size)\s*\(\s*\)\s*)?")
_STEPS = re.compile(r"\$(?:\s*(?:\.\s*(?:\w+|\*\*?|\")|\?))*\s*")


def check_path(path: str) -> None:
    """Raises SuiteError for what is no path to something inside a document.

    A path that is a comparison (``$.a == 1``) always finds its answer, true or false: such a check could
    never fail.
    """
    match = re.fullmatch(r"\s*(?:(?:strict|lax)\s+)?(\$.*)", path, re.S)
    if match is None or "\x00" in path:
        raise SuiteError(
            f"{path!r} is not a SQL/JSON path", 'write "$.key", "$.items[*].price", "strict $.key"'
        )
    if _ALWAYS_FOUND.fullmatch(match[1].strip()):
        raise SuiteError(f"{path!r} matches every document: it can never fail", "name what must exist")
    # A comparison or arithmetic always yields a value, even for a document without the key.
    if not _STEPS.fullmatch(_outside(match[1])):
        hint = "use a path; put a condition on what is found in ?(…)"
        raise SuiteError(f"{path!r} is not a plain path: it computes a value that always exists", hint)


def _outside(path: str) -> str:
    """A path without what stands in brackets, and with each quoted name as one quotation mark."""
    text, before = re.sub(r'"(?:[^"\\]|\\.)*"', '"', path), ""
    # From the inside out, until nothing is left: conditions may be nested.
    while text != before:
        text, before = re.sub(r"\([^()\[\]{}]*\)|\[[^()\[\]{}]*\]|\{[^()\[\]{}]*\}", "", text), text
    return text
