"""pandera's custom checks: functions and lambdas become rules that are judged on streamed rows."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.meta import as_names
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.suite.functions import meaning_of, source_of
from kisaan_validate.suite.suggest import suggestion
from kisaan_validate.text.nearest import did_you_mean

PYTHON_KEYS = ("row_wise", "columns", "nulls", "allow_nan")
"""What a check written in Python says of itself, in ``statistics`` or in the metadata of its column or
model.
"""


@dataclass(frozen=True)
class CheckSubject:
    """What a custom check is about: a column of a table, or with ``column`` "" its rows. ``nan`` are the
    columns whose metadata says ``allow_nan``.
    """

    table: str
    declared: tuple[str, ...]
    column: str = ""
    nan: tuple[str, ...] = ()


def author_function(check: Any) -> Callable[..., Any]:
    """The function that the author wrote, out of what pandera wraps around the methods of a model."""
    function = check._check_fn
    # pandera wraps a model's method in a closure; its name is all that tells it.
    if getattr(function, "__qualname__", "").startswith("BaseCheckInfo.to_check."):
        return _plain(inspect.getclosurevars(function).nonlocals["self"].check_fn)
    return _plain(function)


def _plain(function: Any) -> Callable[..., Any]:
    # A bound method holds the model's class, which is no part of what the function does.
    made: Callable[..., Any] = getattr(function, "__func__", function)
    return made


def check_name(check: Any) -> str:
    """The name of a custom check as part of an id. A lambda without a name goes by what it says, not by
    where it stands.
    """
    name = str(check.name)
    if name == "<lambda>":
        # By what it says: a lambda that moves to another line keeps its id.
        return f"lambda_{hashlib.sha256(meaning_of(author_function(check)).encode()).hexdigest()[:8]}"
    return re.sub(r"\s+", "_", name.strip())


def own_settings(check: Any, origin: str) -> dict[str, Any]:
    """What a check says of itself in ``statistics``, which pandera does not hand to a function that is
    given them apart.

    Raises SuiteError for what looks misspelled.
    """
    # pandera fills ``statistics`` with the function's own arguments where nobody set them.
    if check.statistics is check._check_kwargs or not check.statistics:
        return {}
    for key in check.statistics:
        hint = did_you_mean(str(key), PYTHON_KEYS)
        if key not in PYTHON_KEYS and hint.startswith("did you mean"):
            raise SuiteError(f"unknown statistics {key!r}", hint, origin)
    return {k: v for k, v in check.statistics.items() if k in PYTHON_KEYS}


def function_origin(check: Any, path: str) -> str:
    """``file:line`` of the author's function, if it stands in the suite's file ``path``."""
    function = author_function(check)
    code = getattr(inspect.unwrap(function), "__code__", None)
    # Only where it stands in the suite's file; a function of a library has no line there.
    if code is None or not code.co_filename.replace("\\", "/").endswith(path):
        return ""
    said = source_of(function)
    return f"{path}:{said[1].lineno if said is not None else code.co_firstlineno}"


def python_rule(
    check: Any, subject: CheckSubject, said: Mapping[str, Any], optional: tuple[str, ...], origin: str
) -> PythonRule:
    """The rule of one custom check. ``said`` holds what it says of itself, ``optional`` names columns that
    may be missing.

    Raises SuiteError for what cannot be meant, and for hypothesis tests.
    """
    if type(check).__name__ == "Hypothesis":
        raise SuiteError(
            f"the hypothesis test {check.name!r} is not supported",
            "write it as a check of the whole column",
            origin,
        )
    row_wise = _row_wise(check, said, origin)
    reads, given = _columns(check, subject, said, optional, origin)
    nulls = said.get("nulls", "given")
    # A column's own NULLs are left out by ``ignore_na`` already.
    if nulls not in {"given", "pass"} or (nulls == "pass" and (subject.column or "columns" not in said)):
        hint = (
            '"pass" needs a check of the whole frame that names its columns: it skips rows '
            "with a NULL in one of them"
        )
        raise SuiteError(f"nulls={nulls!r} is not possible here", hint, origin)
    function = author_function(check)
    return PythonRule(
        check=check,
        meaning_text=_meaning(check, function),
        words=_words(check, function),
        row_wise=row_wise,
        frame=not subject.column,
        reads=reads,
        optional=given,
        nulls_pass=nulls == "pass",
        # A check that groups rows is no comparison of a row.
        suggestion=suggestion(function, subject.declared, subject.column) if check.groupby is None else "",
        nan=_may_be_nan(said, subject, (*reads, *given, subject.column), origin),
    )


def _may_be_nan(
    said: Mapping[str, Any], subject: CheckSubject, columns: tuple[str, ...], origin: str
) -> tuple[str, ...]:
    """The columns of these in which the author allows a NaN: by their own metadata, or "*" by the check's
    own word.
    """
    allowed = said.get("allow_nan", False)
    if not isinstance(allowed, bool):
        raise SuiteError(f"allow_nan={allowed!r} is neither True nor False", "", origin)
    # The check's own word covers whatever it reads.
    if allowed:
        return ("*",)
    return tuple(c for c in dict.fromkeys(columns) if c in subject.nan)


def _row_wise(check: Any, said: Mapping[str, Any], origin: str) -> bool:
    row_wise = said.get("row_wise", bool(check.element_wise))
    if not isinstance(row_wise, bool):
        raise SuiteError(f"row_wise={row_wise!r} is neither True nor False", "", origin)
    # An element-wise function gets one value, so it cannot be about whole columns.
    if check.element_wise and not row_wise:
        raise SuiteError(
            f"{check.name!r} is element_wise, so it is row-wise", "remove row_wise=False", origin
        )
    if check.groupby is not None and row_wise:
        raise SuiteError(f"{check.name!r} groups rows, so it is not row-wise", "remove row_wise=True", origin)
    return row_wise


def _columns(
    check: Any, subject: CheckSubject, said: Mapping[str, Any], optional: tuple[str, ...], origin: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that a check needs beside its own, and those that it is given where they exist."""
    grouped = tuple(map(str, check.groupby)) if isinstance(check.groupby, list) else ()
    if "columns" in said:
        named = as_names(said["columns"])
        for name in (*named, *grouped):
            if name not in subject.declared:
                hint = did_you_mean(name, subject.declared)
                raise SuiteError(
                    f"{check.name!r} reads {name!r}, which the model does not declare", hint, origin
                )
        if subject.column and check.groupby is None:
            raise SuiteError(
                f"{check.name!r} is a check of one column", "make it a dataframe_check to read others", origin
            )
        return tuple(dict.fromkeys((*named, *grouped))), ()
    # A function that groups as it likes may read any column.
    if subject.column and not callable(check.groupby):
        return grouped, ()
    # Nothing was said, so the function gets the whole frame, as in pandera.
    return tuple(c for c in subject.declared if c not in optional), optional


def _meaning(check: Any, function: Callable[..., Any]) -> str:
    """All that decides about what pandera makes of the function and its answers."""
    groupby = meaning_of(check.groupby) if callable(check.groupby) else check.groupby
    how = [bool(check.element_wise), bool(check.ignore_na), groupby, repr(check.groups)]
    # Arguments that the check binds are part of what it means.
    bound = check._check_fn if isinstance(check._check_fn, functools.partial) else function
    given = functools.partial(bound, **check._check_kwargs) if check._check_kwargs else bound
    return json.dumps([meaning_of(given), *how])


def _words(check: Any, function: Callable[..., Any]) -> str:
    """What must hold, as the author says it: in prose, or else in Python."""
    if check.title or check.error:
        return " ".join(str(check.title or check.error).split())
    said = source_of(function)
    # A lambda says itself what must hold; a named function has a docstring for it.
    if said is not None and str(check.name) == "<lambda>":
        return _cut(" ".join(said[0].split()))
    described = str(check.description or "").strip().partition("\n\n")[0]
    return _cut(" ".join(described.split())) if described else f"{check.name}()"


def _cut(text: str) -> str:
    # A claim is one line of a report.
    return text if len(text) <= 160 else text[:159] + "…"
