"""Kinds of checks that other packages add, through their entry points.

    [project.entry-points."kisaan_validate.kinds"]
    even = "my_package:even"

The value is a function like those of ``declare``; a suite calls it ``declare.<name>``.

They are loaded with a suite. One that cannot be is an error that names it (exit code 2), whether or not
the suite uses it: what an author relies on must not be missing in silence. Output formats are found by
``report.formats``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from keyword import iskeyword
from typing import Any

from kisaan_validate.errors import UsageError

KINDS = "kisaan_validate.kinds"
"""The group of entry points."""


@cache
def kinds() -> Mapping[str, Callable[..., Any]]:
    """The functions that declare checks of other packages' kinds, by their names in ``declare``. Raises
    UsageError.
    """
    found: dict[str, Callable[..., Any]] = {}
    origins: dict[str, str] = {}
    # Sorted, so that two packages of one name are refused in the same words on every machine.
    for point in sorted(entry_points(group=KINDS), key=lambda p: (p.name, p.value)):
        who = _title(point)
        # The name becomes an attribute of ``declare``; no other spelling could be written in a suite.
        if not re.fullmatch(r"[a-z][a-z0-9_]*", point.name) or iskeyword(point.name):
            raise UsageError(f"{who}: {point.name!r} is not a name that a suite can use", _REMOVE)
        if point.name in found:
            raise UsageError(
                f"{who}: {point.name!r} is already taken by {origins[point.name]}", "uninstall one of them"
            )
        found[point.name], origins[point.name] = _load(point, who), who
    return found


def refuse_taken(own: Iterable[str]) -> None:
    """Raises UsageError for a kind under a name that this package has given away already."""
    taken = set(own)
    for name in kinds():
        if name in taken:
            raise UsageError(
                f"the plugin {name!r} of {KINDS} uses a name reserved by kisaan-validate", _REMOVE
            )


_REMOVE = "fix the package, or uninstall it"


def _load(point: EntryPoint, who: str) -> Callable[..., Any]:
    try:
        thing = point.load()
    # SystemExit too: a module that exits while it is imported must not end the run without a word.
    except (Exception, SystemExit) as error:  # whatever a foreign module does while it is imported
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{who} cannot be loaded: {said}", _REMOVE) from error
    if not callable(thing):
        raise UsageError(f"{who} must be a function, not {type(thing).__name__}", _REMOVE)
    function: Callable[..., Any] = thing
    return function


def _title(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return f"the plugin {point.name!r} of {package} ({point.group}: {point.value})"
