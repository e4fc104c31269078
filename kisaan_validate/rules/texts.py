"""Rules on the characters of a text: a pattern, a beginning or an end, a length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.rules.base import later
from kisaan_validate.rules.intervals import Interval
from kisaan_validate.rules.nan import refusing_nan
from kisaan_validate.rules.rows import PredicateRule, in_words
from kisaan_validate.sql.expressions import View, text_literal

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table


@dataclass(frozen=True)
class Matches(PredicateRule):
    """The text matches a regular expression of the server's (POSIX advanced): anywhere, or from its start."""

    pattern: str = ""
    anchored: bool = False
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "matches"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return (
            f"{columns[0]} {'starts with a match of' if self.anchored else 'contains a match of'} "
            f"/{self.pattern}/"
        )

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        # Options such as (?i) count only at the very beginning of a pattern.
        # Anchored by hand, because PostgreSQL has no "match from the start".
        options = match[0] if (match := re.match(r"\(\?[a-z]+\)", self.pattern)) else ""
        # Under x a comment runs to the end of the line, and would swallow the parenthesis.
        end = "\n)" if "x" in options else ")"
        pattern = f"{options}^(?:{self.pattern[len(options) :]}{end}" if self.anchored else self.pattern
        held = _text(view, columns[0]).op("~", is_comparison=True)(text_literal(pattern))
        return held if self.allow_nan else refusing_nan(held, view, columns)


@dataclass(frozen=True)
class Affix(PredicateRule):
    """The text starts (or ends) with a string, compared character by character."""

    string: str = ""
    at_end: bool = False
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "affix"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return f"{columns[0]} {'ends' if self.at_end else 'starts'} with {in_words(self.string)}"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        value, size = _text(view, columns[0]), len(self.string)
        part = sa.func.right(value, size) if self.at_end else sa.func.left(value, size)
        # left() and right() instead of LIKE: no character of the string is a wildcard.
        held: ColumnElement[bool] = part == text_literal(self.string) if size else value == value
        return held if self.allow_nan else refusing_nan(held, view, columns)


@dataclass(frozen=True)
class Length(PredicateRule):
    """The number of characters lies within bounds, both included."""

    low: int | None = None
    high: int | None = None
    allow_nan: bool = later(False)
    kind: ClassVar[str] = "str_length"

    def __post_init__(self) -> None:
        for bound in (self.low, self.high):
            if bound is not None and (type(bound) is not int or bound < 0):
                raise SuiteError(
                    f"{bound!r} is not a number of characters", "write a whole number, 0 or more"
                )
        if self.high is None and not self.low:
            raise SuiteError("at least 0 characters can never fail", "write 1 or more, or omit it")
        Interval(self.low, self.high).refuse_void()

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        if self.low == self.high:
            return f"{columns[0]} has exactly {self.low} characters"
        bounds = [
            f"at least {self.low}" if self.low is not None else "",
            f"at most {self.high}" if self.high is not None else "",
        ]
        return f"{columns[0]} has {' and '.join(b for b in bounds if b)} characters"

    def holds(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        size = sa.func.length(_text(view, columns[0]))
        parts = [size >= self.low] if self.low is not None else []
        parts += [size <= self.high] if self.high is not None else []
        if self.allow_nan:
            return sa.and_(*parts)
        return refusing_nan(sa.and_(*parts), view, columns)

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        return self.proof(table, columns, catalogue) or super().enforced_by(table, columns, catalogue)

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        limit = table.columns[columns[0]].max_length
        # varchar(n) refuses longer texts, but says nothing of a lower bound.
        if (
            not self.low
            and not self.null_fails
            and limit is not None
            and self.high is not None
            and limit <= self.high
        ):
            return f"type {table.columns[columns[0]].type}"
        return ""


def _text(view: View, column: str) -> ColumnElement[Any]:
    base = view.table.columns[column].base
    if base in {"text", "varchar"}:
        return view.column(column)
    # As text: char(n) loses its padding, and citext its own comparison.
    return sa.cast(view.column(column), sa.Text)
