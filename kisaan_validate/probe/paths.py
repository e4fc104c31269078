"""JSON paths that no answer can make expensive: names, indexes, slices, ``*``, one ``..``; no filters.

An answer may be a megabyte that a stranger wrote, so what would take time beyond its size is refused
when the file is read.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonpath import JSONPath

LONGEST_PATH = 500
"""Characters of a path."""


class TooDeep(Exception):
    """An answer is nested more deeply than is followed."""


@cache
def _compiled(path: str) -> JSONPath:
    from jsonpath import JSONPath, JSONPathEnvironment

    # Strict: RFC 9535 alone, none of the library's additions.
    made = JSONPathEnvironment(strict=True).compile(path)
    assert isinstance(made, JSONPath)
    return made


def path_fault(path: str) -> str:
    """Why a path is not used; "" if it is."""
    from jsonpath.exceptions import JSONPathError

    if len(path) > LONGEST_PATH:
        return f"it has more than {LONGEST_PATH} characters"
    try:
        segments = _compiled(path).segments
    except (JSONPathError, RecursionError, ValueError):
        return "it is not of the form that RFC 9535 describes"
    if any(len(one.selectors) != 1 for one in segments):
        return "a bracket holds several selectors"
    if any(type(one.selectors[0]).__name__ not in _USED for one in segments):
        return "it has a filter"
    if sum(type(one).__name__ == "JSONPathRecursiveDescentSegment" for one in segments) > 1:
        return "it has more than one .."
    return ""


_USED = frozenset({"NameSelector", "IndexSelector", "SliceSelector", "WildcardSelector"})


def values_at(path: str, document: Any) -> list[Any]:
    """The values to which a path leads, in their order. Raises TooDeep."""
    from jsonpath.exceptions import JSONPathError

    # The library would parse a document that is only a text or a number once more.
    if not isinstance(document, (dict, list)):
        return [document] if not _compiled(path).segments else []
    try:
        return [match.obj for match in _compiled(path).finditer(document)]
    except (JSONPathError, RecursionError):
        raise TooDeep from None
