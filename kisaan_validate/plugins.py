"""Kinds of checks and output formats that other packages add, through their entry points.

    [project.entry-points."kisaan_validate.kinds"]      a function as those of ``declare``: called ``declare.<name>``
    even = "my_package:even"

    [project.entry-points."kisaan_validate.formats"]    a function from a Judgement to the text of a report
    one_line = "my_package:one_line"

A plugin that cannot be loaded is an error that names it (exit code 2), whether or not the suite uses it: what an author
relies on must not be missing in silence. Kinds are loaded with a suite, formats when one is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from keyword import iskeyword
from typing import Any

from kisaan_validate.errors import UsageError

KINDS, FORMATS = "kisaan_validate.kinds", "kisaan_validate.formats"
"""The groups of entry points."""


@cache
def kinds() -> Mapping[str, Callable[..., Any]]:
    """The functions that declare checks of other packages' kinds, by their names in ``declare``. Raises UsageError."""
    return _loaded(KINDS)


@cache
def formats() -> Mapping[str, Callable[..., str]]:
    """The output formats of other packages, by name: functions from a Judgement to text. Raises UsageError."""
    return _loaded(FORMATS)


def refuse_taken(group: str, found: Iterable[str], own: Iterable[str]) -> None:
    """Raises UsageError for a plugin under a name that this package has given away already."""
    taken = set(own)
    for name in found:
        if name in taken:
            raise UsageError(f"the plugin {name!r} of {group} bears a name that kisaan-validate itself uses", _REMOVE)


_REMOVE = "correct the package, or uninstall it"


def _loaded(group: str) -> dict[str, Callable[..., Any]]:
    found: dict[str, Callable[..., Any]] = {}
    origins: dict[str, str] = {}
    for point in sorted(entry_points(group=group), key=lambda p: (p.name, p.value)):
        who = _title(point)
        if not _NAMES[group].fullmatch(point.name) or iskeyword(point.name):
            raise UsageError(f"{who}: {point.name!r} is no name that could be written", _REMOVE)
        if point.name in found:
            raise UsageError(f"{who}: {point.name!r} is already taken by {origins[point.name]}", "uninstall one of them")
        found[point.name], origins[point.name] = _load(point, who), who
    return found


_NAMES = {KINDS: re.compile(r"[a-z][a-z0-9_]*"), FORMATS: re.compile(r"[a-z][a-z0-9_-]*")}


def _load(point: EntryPoint, who: str) -> Callable[..., Any]:
    try:
        thing = point.load()
    except (Exception, SystemExit) as error:  # whatever a foreign module does while it is imported
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{who} cannot be loaded: {said}", _REMOVE) from error
    if not callable(thing):
        raise UsageError(f"{who} is no function, but a {type(thing).__name__}", _REMOVE)
    function: Callable[..., Any] = thing
    return function


def _title(point: EntryPoint) -> str:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return f"the plugin {point.name!r} of {package} ({point.group}: {point.value})"
