"""What a piece of a stream says of its checks: counts, keys of what is wrong, troubles. Plain facts that
travel and add up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.run import StatementFacts

Found = tuple[tuple[int | bytes, ...], tuple[str, ...]]
"""One violating row: what it is ordered by, and the texts that find it again."""


@dataclass(frozen=True)
class Trouble:
    """Why there is no answer. ``refused`` tells that it was not tried, for the server's sake."""

    fact: str
    hint: str = ""
    sqlstate: str = ""
    refused: bool = False


def trouble_of(error: DatabaseError) -> Trouble:
    """What went wrong on the server, as a plain fact."""
    return Trouble(error.fact, error.hint, error.sqlstate)


@dataclass
class Tally:
    """What is known of one check so far.

    ``high`` and ``low`` are the sums of which a digest of keys is made (see
    plan.samples.digest_sums); ``found`` are the first violating rows, at most ``keep`` of them;
    ``as_one`` tells that no row is to blame. ``nan`` is the number of rows that violate it for holding a
    NaN.
    """

    keep: int
    violations: int = 0
    judged: int = 0
    high: int = 0
    low: int = 0
    found: list[Found] = field(default_factory=list)
    as_one: bool = False
    nan: int = 0
    trouble: Trouble | None = None

    def add_keys(
        self, keys: Iterable[tuple[str, ...]], orders: Iterable[tuple[int | bytes, ...]], digested: bool
    ) -> None:
        """Take in violating rows by their keys."""
        for key, order in zip(keys, orders, strict=True):
            if digested:
                # The same digest as in SQL (``plan.samples.digest_sums``),
                # so a check keeps it if it moves there.
                digest = hashlib.sha256(array_text(key).encode()).digest()
                self.high += int.from_bytes(digest[:8], "big", signed=True)
                self.low += int.from_bytes(digest[8:16], "big", signed=True)
            self.found.append((order, key))
        self._cut()

    def add(self, other: Tally) -> None:
        """Take in what another piece of the same stream says."""
        self.violations += other.violations
        self.judged += other.judged
        self.nan += other.nan
        self.high += other.high
        self.low += other.low
        self.found += other.found
        self.as_one = self.as_one or other.as_one
        # The first trouble is kept: a piece without an answer leaves the check without one.
        self.trouble = self.trouble or other.trouble
        self._cut()

    def _cut(self) -> None:
        # Sorted before it is cut, so that the same rows are kept in whatever order pieces arrive.
        if len(self.found) > self.keep:
            self.found = sorted(self.found)[: self.keep]

    @property
    def key_digest(self) -> str:
        """The digest of all violating keys, as the server would compute it."""
        return hashlib.sha256(f"{self.violations}|{self.high}|{self.low}".encode()).hexdigest()


_QUOTED = re.compile(r'[ \t\n\r\v\f{},"\\]')


def array_text(texts: Sequence[str]) -> str:
    """The text of a PostgreSQL text[] with these elements (array_out in the server's source,
    arrayfuncs.c).
    """
    return "{" + ",".join(_element(text) for text in texts) + "}"


def _element(text: str) -> str:
    # NULL as a text is quoted, or it would read as a missing element.
    plain = text and not _QUOTED.search(text) and not (len(text) == 4 and text.upper() == "NULL")
    return text if plain else '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass
class Streamed:
    """What was streamed of a piece (or of all pieces) of a table: rows, tallies by check id, statements."""

    rows: int = 0
    tallies: dict[str, Tally] = field(default_factory=dict)
    milliseconds: float = 0.0
    log: list[StatementFacts] = field(default_factory=list)

    def add(self, other: Streamed) -> None:
        """Take in another piece."""
        self.rows += other.rows
        self.milliseconds += other.milliseconds
        self.log += other.log
        for id, tally in other.tallies.items():
            if id in self.tallies:
                self.tallies[id].add(tally)
            else:
                self.tallies[id] = tally
