"""Columns of the catalogue as fields of a model: the pandera dtype that says most, and the exact type
where it does not.
"""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.author.draft.codes import certainly
from kisaan_validate.author.draft.lines import DraftColumn
from kisaan_validate.author.source import identifier
from kisaan_validate.facts.catalogue import Column, Table

_RESERVED = frozenset(
    {
        "Config",
        "build_schema_",
        "empty",
        "example",
        "from_json",
        "from_yaml",
        "get_metadata",
        "pydantic_validate",
        "strategy",
        "to_json",
        "to_json_schema",
        "to_schema",
        "to_yaml",
        "validate",
        "Annotated",
        "ClassVar",
        "pa",
        "pd",
        "object",
        "str",
        "float",
        "declare",
    }
)

_EXACT = {
    "bigint": "pd.Int64Dtype",
    "integer": "pd.Int32Dtype",
    "smallint": "pd.Int16Dtype",
    "boolean": "pd.BooleanDtype",
    "real": "pa.Float32",
    "double precision": "float",
    "date": "pa.Date",
    "interval": "pd.Timedelta",
    "timestamp without time zone": "pd.Timestamp",
    "timestamp with time zone": 'Annotated[pd.DatetimeTZDtype, "us", "UTC"]',
}
"""Types (as ``format_type`` writes them) that a dtype says exactly."""

_DIGITS = 28
"""The largest precision that pandera's Decimal takes."""


def column_lines(
    table: Table, name: str, comments: Mapping[str, str], stored: bool
) -> tuple[DraftColumn, ...]:
    """The fields of a table's model. ``stored``: whether NOT NULL is proved on its rows (not of views, nor
    of foreign tables).
    """
    taken = set(_RESERVED)
    lines = []
    for column in table.columns.values():
        attribute = identifier(column.name, taken, "column")
        taken.add(attribute)
        dtype, arguments, type_ = _dtype(column)
        lines.append(
            DraftColumn(
                name,
                column.name,
                attribute,
                dtype,
                arguments,
                type_,
                stored and column.not_null,
                _why(table, column, stored),
                comments.get(column.name, ""),
            )
        )
    return tuple(lines)


def _dtype(column: Column) -> tuple[str, dict[str, object], str]:
    """The annotation, its arguments, and the type's name where these do not say it."""
    if column.is_enum and "[]" not in column.type:
        return "pa.Category", {"categories": list(column.labels), "ordered": False}, ""
    if column.type in _EXACT:
        return _EXACT[column.type], {}, ""
    scale = column.scale
    # PostgreSQL packs precision and scale into typmod, above a header of four bytes.
    precision = (column.typmod - 4) >> 16 & 0xFFFF if column.typmod >= 4 else 0
    # Only if the type is printed just so: domains and negative scales say more than a dtype can.
    if (
        column.type == f"numeric({precision},{scale})"
        and scale is not None
        and 0 <= scale <= precision <= _DIGITS
    ):
        return "pa.Decimal", {"precision": precision, "scale": scale}, ""
    plain = column.base in {"text", "varchar", "bpchar", "name", "citext"}
    return ("str" if plain else "object"), {}, column.type


def _why(table: Table, column: Column, stored: bool) -> str:
    said = [f"catalogue: {column.type}{' (enum)' if column.is_enum else ''}"]
    if column.not_null:
        # PostgreSQL 18 has NOT NULL that is NOT VALID.
        unproved = (
            "" if table.proves_not_null(column.name) else " (not by a validated constraint of the column)"
        )
        said[0] += f" NOT NULL{unproved}" if stored else " NOT NULL (rows not checked)"
    if column.generated:
        # An expression may hold an example of somebody's data.
        said.append(f"generated always as {(not certainly(column.default or '') and column.default) or '?'}")
    if column.identity:
        said.append("identity")
    return ", ".join(said)
