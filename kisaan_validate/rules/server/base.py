"""What all rules about the server share: they read :class:`ServerFacts`, and say what they cannot tell."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.server import ServerFacts, Withheld
from kisaan_validate.rules.base import CatalogRule, CatalogueAnswer
from kisaan_validate.text.numbers import counted

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Table
    from kisaan_validate.facts.check import Tolerance

Section = TypeVar("Section")

MOST_NAMED = 3
"""So many objects a message names; the evidence has all."""


@dataclass(frozen=True)
class ServerRule(CatalogRule):
    """A fact of the server or of the whole database, judged by what was read of it."""

    looks_at = frozenset()

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """No table."""
        return ()

    def intolerable(self, tolerance: Tolerance) -> str:
        """Always: each finding is one object that will fail."""
        return "a check of the server tolerates nothing; give it a bound instead"

    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        """What is wrong. Raises DatabaseError where that cannot be told."""
        if catalogue.server is None:
            raise DatabaseError("cannot tell: this engine does not describe its server")
        return self.judged(catalogue.server)

    @abstractmethod
    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """The same, of what was read. Raises DatabaseError where that cannot be told."""


@dataclass(frozen=True)
class Wrong:
    """One object that is not as it should be: in words, and as evidence."""

    words: str
    row: Mapping[str, str]


def known(section: Section | Withheld) -> Section:
    """A section that was read. Raises DatabaseError with the reason if it was not."""
    if isinstance(section, Withheld):
        raise DatabaseError(
            f"cannot tell: {section.reason}", "grant pg_monitor to the role, or leave this check out"
        )
    return section


def answer(
    examined: int, wrong: Sequence[Wrong], fine: str, unknown: Sequence[str] = (), hint: str = ""
) -> CatalogueAnswer:
    """What is wrong outranks what is not known (``unknown``, in words), and that outranks ``fine``.

    Raises DatabaseError with ``hint`` where something is not known and nothing is wrong.
    """
    if unknown and not wrong:
        raise DatabaseError(f"cannot tell: {listed(unknown)}", hint, "42501")
    if not wrong:
        return CatalogueAnswer(examined, 0, fine)
    said = listed([one.words for one in wrong])
    if unknown:
        said += f"; cannot tell of {counted(len(unknown), 'other')}: {listed(unknown)}"
    return CatalogueAnswer(examined, len(wrong), said, tuple(tuple(one.row.items()) for one in wrong))


def listed(parts: Iterable[str]) -> str:
    """The first of them, and how many more there are."""
    every = list(parts)
    more = f"; and {len(every) - MOST_NAMED:,} more" if len(every) > MOST_NAMED else ""
    return "; ".join(every[:MOST_NAMED]) + more
