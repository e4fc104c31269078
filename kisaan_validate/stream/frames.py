"""Decoded columns as the Series and DataFrames that docs/correspondence.md promises to a function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kisaan_validate.stream.decode import Array, Mask, Values


def series_of(column: Values, name: str, rows: Mask | None = None) -> Any:
    """A column, or some rows of it, as a Series of its own: what is done to it touches nothing else.

    Integers and booleans are pandas' nullable ones whether or not there is a NULL, texts are "string",
    instants "datetime64[us, UTC]"; decimals, dates and bytes are objects, with None for NULL; floats have
    NaN for NULL.
    """
    # Copied: a function may change what it is given, and the next one must not see that.
    values = column.values.copy() if rows is None else column.values[rows]
    nulls = column.nulls.copy() if rows is None else column.nulls[rows]
    made = _array(column.kind, values, nulls)
    return pd.Series(made, name=name, dtype=made.dtype, copy=False)


def _array(kind: str, values: Array, nulls: Mask) -> Any:
    if kind in {"int2", "int4", "int8"}:
        # Also without NULLs: a type that depended on the data would make functions fail on some days only.
        return pd.arrays.IntegerArray(values, nulls)
    if kind == "bool":
        return pd.arrays.BooleanArray(values, nulls)
    if kind == "text":
        values[nulls] = pd.NA
        # "python", because pyarrow is not a dependency.
        return pd.array(values, dtype=pd.StringDtype("python"))
    if kind == "timestamptz":
        return pd.DatetimeIndex(values).tz_localize("UTC").array
    return values


def frame_of(columns: Mapping[str, Values], size: int, rows: Mask | None = None) -> pd.DataFrame:
    """Columns side by side; of ``size`` rows if there are no columns."""
    if not columns:
        # A frame without columns still has rows, which its index tells.
        return pd.DataFrame(index=pd.RangeIndex(size))
    return pd.DataFrame({name: series_of(values, name, rows) for name, values in columns.items()})


def joined(parts: Sequence[Values]) -> Values:
    """The chunks of a column as one."""
    values, nulls = np.concatenate([p.values for p in parts]), np.concatenate([p.nulls for p in parts])
    return Values(parts[0].kind, values, nulls, sum(p.size for p in parts))
