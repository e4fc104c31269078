"""What a cause is, and a group of differences that follow from one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import StrEnum
from typing import ClassVar

from kisaan_validate.compare.patterns.base import EXACT, Pair
from kisaan_validate.compare.patterns.times import in_words
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import (
    ADDED,
    CHANGED_ROWS,
    DIGEST,
    REMOVED,
    ROWS,
    SEQUENCE,
    VALUES,
    Change,
)
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair

MOST_NAMED = 3
"""So many differences of a group are named in its sentence; the rest is a number."""


class Proof(StrEnum):
    """How sure it is that the differences of a group follow from its cause."""

    FOLLOWS = "follows"
    """The cause makes each of them: nothing else need have happened."""
    POSSIBLE = "possible"
    """Each of them can come from the cause; whether it did is unknown."""


@dataclass(frozen=True)
class GroupCause(ABC):
    """What happened to a table, in one phrase, from which differences follow.

    The law that ``reproduces`` keeps: the cause makes ``after`` of ``before``, exactly, or (``proof`` is
    POSSIBLE) exact arithmetic allows it to. It is asked of each difference by itself, so a group can be
    checked against its cause again.
    """

    kind: ClassVar[str]
    proof: ClassVar[Proof] = Proof.FOLLOWS

    @abstractmethod
    def reproduces(self, change: Change) -> bool:
        """Whether the difference comes from this cause."""

    @abstractmethod
    def words(self, changes: Sequence[Change]) -> str:
        """What happened, for a sentence that begins with the table."""

    def states(self, change: Change) -> bool:
        """Whether ``words`` say this difference already, so that it need not be named again."""
        return False


@dataclass(frozen=True)
class ChangeGroup:
    """Differences of one table ("" for the database) that follow from one cause.

    Each difference of a comparison is in exactly one group. ``explained_by`` holds the ids of the promises
    that explain all of them: explained and unexplained differences never share a group.
    """

    table: str
    cause: GroupCause
    changes: tuple[Change, ...]
    explained_by: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The group in one line: ``payments: 3 rows removed (count and sum of amount follow from it)``."""
        said = self.cause.words(self.changes)
        more = [name_of(change) for change in self.changes if not self.cause.states(change)]
        head = f"{self.table}: {said}" if self.table else said
        return f"{head}{_consequences(more, self.cause.proof)}"


def _consequences(names: Sequence[str], proof: Proof) -> str:
    if not names:
        return ""
    verb = {
        Proof.FOLLOWS: "follows from it" if len(names) == 1 else "follow from it",
        Proof.POSSIBLE: "can follow from it",
    }[proof]
    return f" ({listed(names)} {verb})"


def listed(names: Sequence[str]) -> str:
    """``a``; ``a and b``; ``a, b, c and 4 more``."""
    shown, left = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    if left > 0:
        return f"{', '.join(shown)} and {left:,} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


_FIGURES = {
    "nulls": "NULLs of",
    "minimum": "smallest",
    "maximum": "largest",
    "total": "sum of",
    DIGEST: "digest of",
    CHANGED_ROWS: "values of",
}


def name_of(change: Change) -> str:
    """One difference as a noun: ``sum of amount``, ``count``, ``type of id``."""
    if change.kind == VALUES:
        return f"{_FIGURES.get(change.aspect, change.aspect)} {change.name}"
    if change.kind == ROWS:
        return {"count": "count", DIGEST: "digest of the keys"}.get(change.aspect, f"rows {change.aspect}")
    if change.kind == SEQUENCE:
        return f"sequence {change.name}"
    return f"{change.aspect} of {change.kind} {change.name}".rstrip()


@dataclass(frozen=True)
class Single(GroupCause):
    """One difference that nothing else follows from: its own cause."""

    kind: ClassVar[str] = "single"
    change: Change

    def reproduces(self, change: Change) -> bool:
        """Only itself."""
        return change == self.change

    def words(self, changes: Sequence[Change]) -> str:
        """What differs, from what to what."""
        return sides_of(self.change)

    def states(self, change: Change) -> bool:
        """Itself."""
        return True


def sides_of(change: Change) -> str:
    """One difference in words: what it is of, from what to what, and by how much."""
    if change.aspect in {ADDED, REMOVED} and change.kind not in {ROWS, VALUES}:
        said = change.after if change.aspect == ADDED else change.before
        head = f"{change.kind} {change.name or change.table} {change.aspect}"
        return f"{head}: {_side(said)}" if said else head
    # Two digests tell nobody anything but that they differ.
    if change.aspect == DIGEST:
        return f"{name_of(change)} differs"
    if change.aspect == CHANGED_ROWS:
        return f"{change.name} has another value in {change.after} rows"
    # Two texts that differ only in a blank must not be shown alike.
    before, after = pair(change.before, change.after, none="none", quoted=False)
    return f"{name_of(change)}: {before} → {after}{_by_how_much(change)}"


def _side(text: str | None) -> str:
    return "none" if text is None else " ".join(text.split())


def _by_how_much(change: Change) -> str:
    """The difference of two numbers or times, exactly; "" where there is none to give."""
    pair = Pair(change.before, change.after)
    if change.kind == VALUES and pair.numbers is not None:
        return f" ({EXACT.subtract(pair.numbers[1], pair.numbers[0]):+,f})"
    if change.kind == VALUES and pair.times is not None:
        return f" ({in_words(pair.times[1] - pair.times[0])})"
    return f" ({change.delta:+,})" if change.delta is not None and change.before is not None else ""


def columns_of(changes: Sequence[Change]) -> str:
    """The columns, or objects, that differences are about, each once."""
    return listed(list(dict.fromkeys(change.name for change in changes)))


def rows_in_words(added: int, removed: int, changed: int) -> str:
    """``3 rows removed, 1 row changed``."""
    numbers = ((removed, "removed"), (added, "added"), (changed, "changed"))
    return ", ".join(f"{counted(number, 'row')} {word}" for number, word in numbers if number)
