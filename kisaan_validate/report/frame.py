"""A Run as a pandas DataFrame: exact types, no float anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kisaan_validate.facts.run import Run
from kisaan_validate.report.columns import COLUMNS
from kisaan_validate.report.summary import pairs_of

if TYPE_CHECKING:
    from pandas import DataFrame as DataFrame  # the nouns name it too, and may not know pandas


def frame_of(run: Run) -> DataFrame:
    """One row a check, in the order of the suite. Counts are Int64 (NA where not known), everything else
    is ``string``.
    """
    # Imported here: pandas takes a second to load, and only this needs it.
    import pandas as pd

    pairs = pairs_of(run)
    types = {True: pd.Int64Dtype(), False: pd.StringDtype()}
    made = {
        # With a given type: pandas would make floats of counts beside None, and object of an empty column.
        c.name: pd.Series([c.value(check, result) for check, result in pairs], dtype=types[c.count])
        for c in COLUMNS
    }
    return pd.DataFrame(made)
