"""One function on one chunk (or on whole columns): what it is given, and what its answer means. Here
pandera calls it.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pandas as pd

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import NUMBERS_WITH_NAN
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.stream.decode import Ints, Mask, Values
from kisaan_validate.stream.frames import frame_of, series_of
from kisaan_validate.suite.python_source import author_function

Columns = Mapping[str, Values]


class NoAnswer(Exception):
    """The function did not answer, or not in a way that says which rows are right. The message holds no
    value.
    """


@dataclass(frozen=True)
class StreamAnswer:
    """Which of the given rows are wrong, by position, and how many were judged.

    ``as_one`` tells that the function said one thing of all the rows together, or one of each group: then
    ``wrong`` is how many of these things are false, and no row is to blame. ``nan`` is the number of rows
    that are wrong for holding a NaN.
    """

    judged: int
    rows: Ints
    as_one: bool = False
    wrong: int = 0
    nan: int = 0

    @property
    def violations(self) -> int:
        """How many violations the answer states."""
        return self.wrong if self.as_one else len(self.rows)


_NO_ROWS: Ints = np.empty(0, dtype=np.int64)


def judge(rule: PythonRule, column: str, columns: Columns, size: int) -> StreamAnswer:
    """What a rule says of ``size`` rows, of which it is given these columns; ``column`` is "" for a check
    of the frame.

    A row with a NaN is wrong whatever the function says of it, unless its column says that NaN is allowed.
    Raises NoAnswer for an answer that says nothing, and whatever the author's function raises.
    """
    # What is NULL is decided here by the database's own mask, before pandera could drop a NaN with it.
    kept = _judged_rows(rule, column, columns)
    return _refusing_nan(_asked(rule, column, columns, size, kept), rule, columns, kept)


def _refusing_nan(
    answer: StreamAnswer, rule: PythonRule, columns: Columns, kept: Mask | None
) -> StreamAnswer:
    """The answer, and beside it the rows that hold a NaN: of all rows together, one of them makes it
    wrong.
    """
    nan: Mask | None = None
    for name, values in columns.items():
        if values.kind in NUMBERS_WITH_NAN and not rule.admits_nan(name):
            # A NaN differs from itself; NULLs are NaN in a float column too, so the mask is asked as well.
            found: Mask = np.asarray((values.values != values.values) & ~values.nulls, dtype=np.bool_)
            nan = found if nan is None else nan | found
    if nan is None or not (nan if kept is None else nan & kept).any():
        return answer
    rows = np.flatnonzero(nan if kept is None else nan & kept)
    # One answer for all rows: a NaN among them makes it wrong, once.
    if answer.as_one:
        return replace(answer, wrong=max(answer.wrong, 1), nan=len(rows))
    # A union, because the function may have called the same row wrong.
    return replace(answer, rows=np.union1d(answer.rows, rows), nan=len(rows))


def _asked(rule: PythonRule, column: str, columns: Columns, size: int, kept: Mask | None) -> StreamAnswer:
    """What the author's function says of the rows that are kept (None for all)."""
    places = np.arange(size) if kept is None else np.flatnonzero(kept)
    # An empty chunk is not asked: many functions fail on an empty Series, and nothing is wrong in it.
    if rule.row_wise and not len(places):
        return StreamAnswer(0 if rule.nulls_pass else size, _NO_ROWS)
    if rule.frame or rule.check.groupby is not None:
        given: Any = frame_of(columns, size, kept)
    else:
        given = series_of(columns[column], column, kept)
    # pandera's own backend, so that groupby, groups and element_wise mean what pandera says.
    backend = rule.check.get_backend(given)(rule.check)
    if rule.check.groupby is not None:
        given = backend.preprocess(given, column or None)
    said = backend.apply(_for_elements(given) if rule.check.element_wise else given)
    judged = len(places) if rule.nulls_pass else size
    # A dict of groups has no rows that could be blamed.
    if isinstance(given, dict):
        return _of_groups(said, judged)
    if _is_truth(said):
        return _of_all(rule, said, judged)
    # By column, because an answer may be a frame with one verdict for each cell.
    nulls = {name: c.nulls if kept is None else c.nulls[kept] for name, c in columns.items()}
    return StreamAnswer(judged, places[np.flatnonzero(_wrong(rule, given, said, nulls))])


def _judged_rows(rule: PythonRule, column: str, columns: Columns) -> Mask | None:
    """The rows that are handed over; None for all of them.

    What is missing is what the database calls NULL: a NaN is a value, which pandera's own ``dropna`` would
    drop.
    """
    if rule.nulls_pass:
        some: Mask = np.logical_or.reduce([c.nulls for c in columns.values()])
        return ~some
    if column and rule.check.ignore_na and rule.check.groupby is None and columns[column].nulls.any():
        return ~columns[column].nulls
    return None


def _for_elements(given: Any) -> Any:
    """Values as Python's own, so that neither ``map`` nor a row of mixed columns passes an integer through
    a float.
    """
    if isinstance(given, pd.DataFrame) or given.dtype.kind in "iub":
        return given.astype(object)
    return given


def _is_truth(said: Any) -> bool:
    return isinstance(said, (bool, np.bool_))


def _of_all(rule: PythonRule, said: Any, judged: int) -> StreamAnswer:
    # One answer for a chunk would be another one for other chunks.
    if rule.row_wise:
        raise NoAnswer("it returns one answer for all rows, although it is declared row-wise")
    return StreamAnswer(judged, _NO_ROWS, as_one=True, wrong=int(not said))


def _of_groups(said: Any, judged: int) -> StreamAnswer:
    if isinstance(said, pd.Series):
        return StreamAnswer(judged, _NO_ROWS, as_one=True, wrong=int((~_truths(said)).sum()))
    if _is_truth(said):
        return StreamAnswer(judged, _NO_ROWS, as_one=True, wrong=int(not said))
    raise NoAnswer(f"it returned {_kind_of(said)} for groups, not a truth value")


def _kind_of(said: Any) -> str:
    if isinstance(said, pd.Series):
        return f"a Series of {said.dtype}"
    return "nothing (None)" if said is None else f"a {type(said).__name__}"


def _wrong(rule: PythonRule, given: Any, said: Any, nulls: Mapping[str, Mask]) -> Mask:
    """Which of the given rows the answer calls wrong. ``nulls`` tells for each column in which of them it
    is NULL.
    """
    if not isinstance(said, pd.DataFrame) or not isinstance(given, pd.DataFrame):
        return _wrong_rows(
            rule, given, said, np.logical_or.reduce([np.zeros(len(given), dtype=np.bool_), *nulls.values()])
        )
    # Another shape says nothing of the cells that were given.
    if not (said.index.equals(given.index) and said.columns.equals(given.columns)):
        raise NoAnswer("it returned a DataFrame whose shape differs from its input")
    wrong = np.zeros(len(given), dtype=np.bool_)
    for name, empty in nulls.items():  # a row is wrong where one of its cells is
        wrong |= _wrong_rows(rule, given, said[name], empty) & ~(empty & bool(rule.check.ignore_na))
    return wrong


def _wrong_rows(rule: PythonRule, given: Any, said: Any, some_null: Mask) -> Mask:
    if not isinstance(said, pd.Series):
        raise NoAnswer(f"it returned {_kind_of(said)}, not a Series of truth values")
    # A function that filters or sorts loses which row an answer belongs to.
    if not said.index.equals(given.index):
        raise NoAnswer(
            f"it returned {len(said)} answers of its own, not one for each of the {len(given)} given rows"
        )
    missing = said.isna().to_numpy(dtype=np.bool_)
    # NULL explains NA; without one the function has no answer for this row.
    if (missing & ~some_null).any():
        raise NoAnswer("it returned NA for rows without NULL")
    # As in SQL: unknown is not wrong, unless NULL was to be judged too.
    wrong: Mask = ~_truths(said.mask(missing, bool(rule.check.ignore_na)) if missing.any() else said)
    return wrong


def _truths(said: pd.Series[Any]) -> Mask:
    """Truth values as numpy's. Numbers are no truth values: 2 would pass for true, and NaN with it."""
    # pandas makes objects of booleans that were mixed with None.
    if said.dtype == object and said.map(_is_truth).all():
        said = said.astype(bool)
    if said.dtype.kind != "b" or said.isna().any():
        raise NoAnswer(f"it returned {_kind_of(said)}, not of truth values")
    return said.to_numpy(dtype=np.bool_)


def agrees_with_parts(
    rule: PythonRule, column: str, columns: Columns, size: int, whole: StreamAnswer
) -> None:
    """Judge the rows again in two halves. Raises NoAnswer if a function that is said to be row-wise says
    something else.
    """
    middle = size // 2
    # An element-wise function cannot see other rows; one row has no halves.
    if rule.check.element_wise or not middle:
        return
    found = []
    for start, end in ((0, middle), (middle, size)):
        part = {name: _part(values, start, end) for name, values in columns.items()}
        found.append(judge(rule, column, part, end - start).rows + start)
    # Compared as sets of rows: the author's "row_wise" is a claim, and this is its test.
    if not np.array_equal(np.concatenate(found), whole.rows):
        raise NoAnswer(
            "it is declared row-wise, but judges the same rows differently when given fewer of them"
        )


def _part(values: Values, start: int, end: int) -> Values:
    return Values(values.kind, values.values[start:end], values.nulls[start:end], values.size)


def describe(error: BaseException, rule: PythonRule, origin: str, hidden: bool) -> str:
    """What went wrong in a function, and where: ``file:line`` of the author's code.

    ``hidden`` leaves out what the exception says, which may quote a personal value.
    """
    # Words of this program hold no value.
    if isinstance(error, NoAnswer):
        return f"{error} ({origin})"
    # str() of the author's exception runs the author's code.
    try:
        said = "" if hidden else " ".join(str(error).split())
    except Exception:  # an exception of the author's may not even be able to say what it is
        said = ""
    text = f": {said[:200]}" if said else ""
    return f"{type(error).__name__} at {_place(error.__traceback__, rule, origin)}{text}"


def _place(trace: TracebackType | None, rule: PythonRule, origin: str) -> str:
    """The innermost line of the file in which the function stands."""
    code = getattr(inspect.unwrap(author_function(rule.check)), "__code__", None)
    line = None
    while trace is not None and code is not None:
        if trace.tb_frame.f_code.co_filename == code.co_filename:
            line = trace.tb_lineno
        trace = trace.tb_next
    path = origin.rpartition(":")[0]
    if line is None or code is None:
        return origin
    return f"{path if path and code.co_filename.endswith(path) else Path(code.co_filename).name}:{line}"
