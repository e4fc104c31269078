"""Rows and values that were kept beside a baseline, and the result of comparing with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class RowFile:
    """A file of row digests, or of values, beside a baseline: its name in the same folder, its bytes,
    their SHA-256.
    """

    name: str
    size: int
    sha256: str


@dataclass(frozen=True)
class RowsCompared:
    """One table's rows beside those of a baseline's file: exact numbers, and the first keys of each kind,
    as text.

    ``late`` are the added rows whose key is above all keys of the baseline. Rows of a table without a key
    are ``added`` and ``removed`` only: which of them are changed ones is not known, and ``changed`` is
    None. ``message`` says why nothing is known.
    """

    table: str
    keyed_by: tuple[str, ...] = ()
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    late: int = 0
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    message: str = ""


@dataclass(frozen=True)
class ValueChange:
    """One value that changed: its row's key as (column, text), and the server's texts, before and now,
    None for NULL.
    """

    key: tuple[tuple[str, str | None], ...]
    before: str | None
    after: str | None


@dataclass(frozen=True)
class ValuePattern:
    """What happened to ``rows`` changed values of a column, exactly (as ``row_differences.PatternFound``)."""

    name: str
    columns: tuple[str, ...]
    rows: int
    words: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ValuesCompared:
    """The values of one column beside those that a baseline's file kept, row by row.

    ``compared`` rows are there on both sides, and in ``changed`` of these the value is another. None:
    ``message`` says why that is not known. A long text in a sample is cut, and says so.
    """

    table: str
    column: str
    changed: int | None = None
    compared: int | None = None
    samples: tuple[ValueChange, ...] = ()
    patterns: tuple[ValuePattern, ...] = ()
    message: str = ""

    @property
    def unexplained(self) -> int:
        """In how many rows no pattern makes the new value of the old one."""
        return sum(pattern.rows for pattern in self.patterns if pattern.name == "unexplained")
