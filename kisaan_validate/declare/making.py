"""How a declaration is made: what all functions of this room share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any, TypedDict, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.rules import catalogue
from kisaan_validate.rules.base import Rule
from kisaan_validate.rules.meta import Meta, read_meta
from kisaan_validate.rules.server.base import ServerRule


class MetaArguments(TypedDict, total=False):
    """The keyword arguments that every declaration takes."""

    id: str
    severity: str
    tolerance: Any
    why: str
    hint: str
    finding: str
    owner: str
    tags: Any
    applies: Any
    filter: Any
    settling: Any


class FigureArguments(MetaArguments, total=False):
    """The keyword arguments that every declaration of a figure takes beside these.

    ``where`` is SQL over a row: the figure is one of the rows for which it is true. ``segment_by`` names
    columns: the figure of each of their values is judged by itself, and each that fails is a violation;
    more than ``segments`` of them are an error, never left out. Rows with NULL there are a segment too.
    """

    where: str
    segment_by: str | list[str] | tuple[str, ...]
    segments: int


@dataclass(frozen=True)
class Declaration:
    """One declared check before it belongs to a suite. ``foreign``: by another package's function."""

    name: str
    table: str
    columns: tuple[str, ...]
    rule: Rule
    meta: Meta
    origin: str
    foreign: bool = False


collector: ContextVar[list[Declaration | TotalSpec] | None] = ContextVar("collector", default=None)
"""Where declarations go while a suite is being loaded."""


source: ContextVar[str] = ContextVar("source", default="")
"""The file of a suite that is being loaded: the line in it that calls is the origin of a declaration.
"""


_HERE = os.path.dirname(__file__)


def caller() -> str:
    """Where the author stands: ``file:line`` of the call into this room."""
    frame = sys._getframe(1)
    outer: FrameType | None = frame
    while outer is not None and outer.f_code.co_filename != source.get():
        outer = outer.f_back
    if outer is not None:
        return f"{source.get()}:{outer.f_lineno}"
    while frame.f_back is not None and os.path.dirname(frame.f_code.co_filename) == _HERE:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def columns_of(columns: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    return (columns,) if isinstance(columns, str) else tuple(columns)


def declared(
    name: str, table: str, columns: tuple[str, ...], rule: Rule, meta: MetaArguments, foreign: bool = False
) -> Declaration:
    """The declaration, added to the suite that is being loaded."""
    origin = caller()
    if not table and not isinstance(rule, (catalogue.NoColumnOfType, ServerRule)):
        raise SuiteError(f"{name}() needs a table", origin=origin)
    made = Declaration(name, table, columns, rule, read_meta(dict(meta), origin), origin, foreign)
    if made.meta.filter is not None and not rule.judges(table):
        raise SuiteError(
            f"{name}() does not judge rows, so a filter has no effect", "remove filter=…", origin
        )
    gathered = collector.get()
    if gathered is not None:
        gathered.append(made)
    return made


def declaration(
    name: str, table: str, columns: str | list[str] | tuple[str, ...], rule: Rule, meta: MetaArguments
) -> Declaration:
    """What a function of another package returns: its check, whose id ends in ``name``, proved by ``rule``.

    ``meta`` are the closing keyword arguments, as they were given. Raises SuiteError for a rule that
    cannot be told from others: of a kind that is taken, or a class that is no frozen dataclass, whose
    parameters would not be part of what the check means.
    """
    made_by = type(rule)
    if not isinstance(rule, Rule) or not isinstance(getattr(rule, "kind", None), str) or not rule.kind:
        raise SuiteError(
            f"{name}() returned {rule!r}, not a rule",
            "derive its class from one in kisaan_validate.rules.base",
            caller(),
        )
    if not _own(made_by) and "__dataclass_params__" not in vars(made_by):
        raise SuiteError(
            f"{made_by.__name__} is not itself a dataclass",
            "write @dataclass(frozen=True) above it",
            caller(),
        )
    if not _own(made_by) and any(other.kind == rule.kind and other is not made_by for other in _kinds(Rule)):
        raise SuiteError(
            f"the kind {rule.kind!r} of {made_by.__name__} is already taken",
            "give it a different name",
            caller(),
        )
    return declared(name, table, columns_of(columns), rule, meta, foreign=True)


def _own(rule: type[Rule]) -> bool:
    return rule.__module__.startswith("kisaan_validate.")


def _kinds(rule: Any) -> Iterator[type[Rule]]:
    """All classes below a rule that have a kind."""
    for below in rule.__subclasses__():
        if "kind" in vars(below):
            yield below
        yield from _kinds(below)


Read = TypeVar("Read")


def checked(read: Callable[..., Read], *given: Any) -> Read:
    """What a reader makes of arguments, its complaint placed at the author's line."""
    try:
        return read(*given)
    except SuiteError as error:
        raise SuiteError(error.fact, error.hint, caller()) from None
