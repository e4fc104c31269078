"""What a contract calls tables and columns, and what they are called on a side: names of before and of
after are both understood.

The names in a promise are those of after, except for what goes or is renamed (``dropped``, ``renamed``) and
for SQL over old rows, which name what is there before. An old name is understood elsewhere too, unless
something else has it after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from kisaan_validate.compare.renaming.names import ColumnPlace, Relation, Renames
from kisaan_validate.contract.names import titles_of
from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.contract.promise import Outcome


@dataclass(frozen=True)
class Fate:
    """What happened to one name: (title, column or "") before and after. ``said``: why it was not changed,
    None where it was.
    """

    before: ColumnPlace
    after: ColumnPlace
    said: Outcome | None = None
    optional: bool = False


@dataclass(frozen=True)
class Fates:
    """What happened to all names that a contract changes. ``relations`` are those of new titles."""

    by_id: Mapping[str, Fate] = field(default_factory=dict)
    declared: Renames = field(default_factory=Renames)
    done: Renames = field(default_factory=Renames)
    relations: Mapping[str, Relation] = field(default_factory=dict)


NO_FATES = Fates()
"""Nothing is promised to change its name."""


def _nothing(title: str) -> bool:
    return False


def _no_column(title: str, name: str) -> bool:
    return False


@dataclass(frozen=True)
class Naming:
    """How names are understood. ``declared`` are the renames that a contract promises, ``done`` those that
    were done.

    What is meant is said under the name that it has on the side after: with ``done`` empty, on the side
    before. ``knows`` tells whether a title is there; ``came`` and ``column_came`` whether it is there
    after and was not before, under whatever name.
    """

    declared: Renames = field(default_factory=Renames)
    done: Renames = field(default_factory=Renames)
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schemas: tuple[str, ...] = ("public",)
    knows: Callable[[str], bool] = _nothing
    came: Callable[[str], bool] = _nothing
    column_came: Callable[[str, str], bool] = _no_column

    def titles(self, name: str) -> list[str]:
        """The titles that a name may mean as it is written, in the order in which they are tried."""
        # An alias stands for its names and no longer for itself.
        return [
            title for given in self.aliases.get(name, (name,)) for title in titles_of(given, self.schemas)
        ]

    def table(self, name: str) -> str:
        """The title of the relation that a name means: the first that is there, else as it is written."""
        written = self.titles(name)
        meant = [self._meant(title) for title in written]
        return next((title for title in meant if self.knows(title)), meant[0] if meant else name)

    def _meant(self, title: str) -> str:
        # A promised new name is that of the old thing, even where the rename was not done.
        if title in self.declared.tables.values():
            return self.done.title(self.declared.title_before(title))
        # An old name that something new has after means the new thing.
        return title if self.came(title) else self.done.title(title)

    def column(self, title: str, name: str) -> str:
        """What a column is called, by the title of its table as :meth:`table` gives it."""
        # Renames of columns are kept by the old title.
        before = self.done.title_before(title)
        if name in self.declared.names(before).values():
            return self.done.column(before, self.declared.column_before(before, name))
        return name if self.column_came(title, name) else self.done.column(before, name)

    def gone(self, name: str, knows: Callable[[str], bool]) -> str:
        """The title of a relation that is named as it was called before. ``knows``: whether a title was
        there before, as it is called after."""
        written = self.titles(name)
        known = (after for title in written if knows(after := self.done.title(title)))
        return next(known, self.done.title(written[0]) if written else name)
