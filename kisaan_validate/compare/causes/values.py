"""Values that changed, and objects that were altered alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from kisaan_validate.compare.causes.base import GroupCause, columns_of, listed, sides_of
from kisaan_validate.compare.patterns.base import Parameter, Pattern, number_of
from kisaan_validate.compare.patterns.ends import ends_of, follows
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import ADDED, DIGEST, REMOVED, SEQUENCE, TOTALS, VALUES, Change
from kisaan_validate.facts.table import Profile
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair

ENDS = ("minimum", "maximum")


@dataclass(frozen=True)
class EndsMoved(GroupCause):
    """One pattern makes the ends, and the sum, of these columns what they are now: shifted by -05:30.

    It speaks of the figures; that every value followed the pattern is likely, and proved by kept values
    only.
    """

    kind: ClassVar[str] = "pattern of ends"
    table: str
    pattern: Pattern
    parameter: Parameter
    columns: Mapping[str, tuple[Profile, Profile, int | None]]

    @property
    def identity(self) -> tuple[str, Parameter]:
        """What two tables share that were changed in the same way."""
        return (self.pattern.name, self.parameter)

    def reproduces(self, change: Change) -> bool:
        """An end that the pattern makes of the old one; the sum; the digest, which must differ then."""
        if change.kind != VALUES or change.table != self.table or change.name not in self.columns:
            return False
        a, b, values = self.columns[change.name]
        ends = ends_of(self.pattern, a, b)
        if change.aspect in ENDS:
            return all(self.parameter in set(self.pattern.fits(pair)) for pair in ends)
        if change.aspect == "total":
            return follows(
                self.pattern, self.parameter, ends, (number_of(a.total), number_of(b.total)), values
            )
        return change.aspect == DIGEST

    def words(self, changes: Sequence[Change]) -> str:
        """The columns, and the pattern."""
        said = self.pattern.says(self.parameter).rstrip(",")
        return f"smallest and largest {columns_of(changes)} {said}"

    def states(self, change: Change) -> bool:
        """The ends."""
        return change.aspect in ENDS


@dataclass(frozen=True)
class ColumnValues(GroupCause):
    """Values of one column changed, in a way that its figures do not tell."""

    kind: ClassVar[str] = "values of a column"
    table: str
    column: str

    def reproduces(self, change: Change) -> bool:
        """Any figure or digest of the column."""
        return change.kind == VALUES and (change.table, change.name) == (self.table, self.column)

    def words(self, changes: Sequence[Change]) -> str:
        """Which column, and each figure from what to what."""
        figures = [
            sides_of(change).replace(f" of {self.column}", "").replace(f" {self.column}", "")
            for change in changes
        ]
        return f"values of {self.column} changed: {'; '.join(figures)}"

    def states(self, change: Change) -> bool:
        """All of them."""
        return True


@dataclass(frozen=True)
class AlteredAlike(GroupCause):
    """The same attribute of several objects changed from the same to the same: a type, a default."""

    kind: ClassVar[str] = "altered alike"
    table: str
    objects: str
    aspect: str
    before: str | None
    after: str | None

    def reproduces(self, change: Change) -> bool:
        """The same alteration of the same kind of object."""
        altered = (change.table, change.kind, change.aspect, change.before, change.after)
        return altered == (self.table, self.objects, self.aspect, self.before, self.after)

    def words(self, changes: Sequence[Change]) -> str:
        """The objects, and what happened to them."""
        before, after = pair(self.before, self.after, none="none", quoted=False)
        return f"{self.aspect} of {columns_of(changes)}: {before} → {after}"

    def states(self, change: Change) -> bool:
        """All of them."""
        return True


@dataclass(frozen=True)
class ObjectsMoved(GroupCause):
    """Several objects of one kind came, or went."""

    kind: ClassVar[str] = "objects"
    table: str
    objects: str
    aspect: str

    def reproduces(self, change: Change) -> bool:
        """An object of this kind that came, or went."""
        return (change.table, change.kind, change.aspect) == (self.table, self.objects, self.aspect)

    def words(self, changes: Sequence[Change]) -> str:
        """How many, and which first."""
        return f"{self.objects} {self.aspect}: {listed([change.name for change in changes])}"

    def states(self, change: Change) -> bool:
        """All of them."""
        return True


@dataclass(frozen=True)
class SequencesMoved(GroupCause):
    """Sequences stand elsewhere. They take no part in a snapshot, so each use moves them."""

    kind: ClassVar[str] = "sequences"

    def reproduces(self, change: Change) -> bool:
        """Any sequence's value."""
        return change.kind == SEQUENCE

    def words(self, changes: Sequence[Change]) -> str:
        """Which of them."""
        return f"last value differs: {listed([f'sequence {change.name}' for change in changes])}"

    def states(self, change: Change) -> bool:
        """All of them."""
        return True


@dataclass(frozen=True)
class GroupsDiffer(GroupCause):
    """Groups of one control total have another number of rows, or another sum."""

    kind: ClassVar[str] = "control total"
    table: str
    name: str

    def reproduces(self, change: Change) -> bool:
        """Any group of the total."""
        return (change.kind, change.table, change.name) == (TOTALS, self.table, self.name)

    def words(self, changes: Sequence[Change]) -> str:
        """In how many groups; each is a line of its own among the changes."""
        groups = {change.aspect.partition(" where ")[2] for change in changes}
        return f"control total {self.name} differs in {counted(len(groups), 'group')}"

    def states(self, change: Change) -> bool:
        """All of them."""
        return True


def alike(change: Change) -> GroupCause:
    """The cause that a change of the schema shares with others like it."""
    if change.aspect in {ADDED, REMOVED}:
        return ObjectsMoved(change.table, change.kind, change.aspect)
    return AlteredAlike(change.table, change.kind, change.aspect, change.before, change.after)
