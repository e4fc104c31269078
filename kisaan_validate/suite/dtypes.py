"""Which PostgreSQL types a pandera dtype stands for (the table in docs/correspondence.md is tested against
this).
"""

from __future__ import annotations

from typing import Any

from kisaan_validate.rules.catalogue import TypeIs, canonical_type

TEXT_TYPES = ("text", "character varying", "character", "citext", "name", "enum")

BY_NAME: dict[str, tuple[str, ...]] = {
    "int16": ("smallint",),
    "int32": ("integer",),
    "int64": ("bigint",),
    "float32": ("real",),
    "float64": ("double precision",),
    "bool": ("boolean",),
    "boolean": ("boolean",),
    "str": TEXT_TYPES,
    "string": TEXT_TYPES,
    "date": ("date",),
    "timedelta64": ("interval",),
    "object": (),
}
"""pandera's name of a dtype, without unit, storage and capital letters, to the types that satisfy it."""


def type_rule(dtype: Any, override: Any) -> TypeIs | None:
    """The rule for a column's type: ``override`` (names from metadata) wins over the dtype.

    None if any type will do (no dtype, or ``object``). Raises TypeError for a dtype without a counterpart.
    """
    # The author's own word wins: a dtype of pandas knows no citext and no domain.
    if override:
        names = (override,) if isinstance(override, str) else tuple(override)
        return TypeIs(tuple(canonical_type(name) for name in names))
    if dtype is None:
        return None
    # Imported here: pandera takes a second, and a suite of SQL files does not need it.
    from pandera.engines import pandas_engine

    if isinstance(dtype, pandas_engine.Decimal):
        return TypeIs((f"numeric({dtype.precision},{dtype.scale})",))
    if isinstance(dtype, pandas_engine.DateTime):
        return TypeIs((f"timestamp {'with' if dtype.tz else 'without'} time zone",))
    if isinstance(dtype, pandas_engine.Category):
        labels = tuple(str(c) for c in dtype.categories) if dtype.categories is not None else ()
        # Labels are the type's own only in an enum: a text column would hold anything (isin says that of
        # values).
        return TypeIs(("enum",), labels) if labels else TypeIs(TEXT_TYPES)
    accepted = BY_NAME.get(_plain(str(dtype)))
    if accepted is None:
        raise TypeError(f"dtype {dtype} has no PostgreSQL counterpart")
    return TypeIs(accepted) if accepted else None


def _plain(name: str) -> str:
    # "datetime64[ns, UTC]" and "string[python]" are named before their bracket.
    return name.lower().partition("[")[0]
