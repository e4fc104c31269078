"""Several counting statements that travel as one. If that one fails, each is asked by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.plan.statements import Pass, Query, Reads


@dataclass(frozen=True)
class FusedStatement(ABC):
    """Some statements, as one of one row. ``lists``: it lists the keys of tables in subqueries, which must be
    read once and not for each row.
    """

    lists: ClassVar[bool] = False

    members: tuple[Pass | Query, ...]

    @property
    @abstractmethod
    def purpose(self) -> str:
        """What it is for, in words."""

    @abstractmethod
    def sql(self) -> str:
        """The statement."""

    @abstractmethod
    def rows(self, row: Sequence[object]) -> Iterator[tuple[Pass | Query, list[object]]]:
        """Each member with the row that its own statement would have returned, from the one row of this."""

    @property
    def check_ids(self) -> tuple[str, ...]:
        """The checks that it answers."""
        return tuple(id for one in self.members for id in one.check_ids)

    @property
    def reads(self) -> Reads:
        """How it may read its tables: out of the heap, each as by itself."""
        tables = dict.fromkeys(key for one in self.members for key in one.reads.tables)
        bare = dict.fromkeys(key for one in self.members for key in one.reads.bare)
        return Reads(tuple(tables), tuple(bare), believed=any(one.reads.believed for one in self.members))
