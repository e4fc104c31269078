"""Indexes that do not work, and collations whose order may have changed under them."""

from __future__ import annotations

from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.server import BrokenIndex, CollationState, ServerFacts
from kisaan_validate.rules.base import CatalogueAnswer
from kisaan_validate.rules.server.base import ServerRule, Wrong, answer, known
from kisaan_validate.text.numbers import counted


@dataclass(frozen=True)
class NoInvalidIndex(ServerRule):
    """Every index is valid and ready, but for those that a session is building."""

    kind: ClassVar[str] = "invalid_indexes"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return "every index is valid and ready, or being built"

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those that no session is building."""
        states = known(server.indexes)
        wrong = [_broken(index) for index in states.broken if index.built is False]
        unknown = [
            f"index {index.name} may be broken or being built"
            for index in states.broken
            if index.built is None
        ]
        hint = "grant pg_read_all_stats to the role, or run again when no index is built"
        building = sum(index.built is True for index in states.broken)
        fine = f"{counted(building, 'index', 'indexes')} being built" if building else ""
        return answer(states.total, wrong, fine, unknown, hint)


def _broken(index: BrokenIndex) -> Wrong:
    return Wrong(
        f"index {index.name} on {index.table}: {index.state}",
        {"index": index.name, "table": index.table, "problem": index.state},
    )


@dataclass(frozen=True)
class CollationVersions(ServerRule):
    """The library sorts as it did when indexes were built: each collation in use has the version that was
    recorded of it.
    """

    kind: ClassVar[str] = "collations"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return "every collation in use has the version that was recorded of it"

    def judged(self, server: ServerFacts) -> CatalogueAnswer:
        """Those that moved."""
        every = known(server.collations)
        known_now = [c for c in every if c.actual is not None]
        unknown = [
            f"{c.name} is {c.recorded}, and its library says no version" for c in every if not c.actual
        ]
        wrong = [_drifted(c) for c in known_now if c.actual != c.recorded]
        fine = "" if every else "no collation in use has a recorded version"
        return answer(len(known_now), wrong, fine, unknown, "ask who installs the server's libraries")


def _drifted(c: CollationState) -> Wrong:
    row = {
        "collation": c.name,
        "recorded": c.recorded,
        "actual": str(c.actual),
        "indexes": "unknown" if c.indexes is None else str(c.indexes),
    }
    used = "" if c.indexes is None else f"; {counted(c.indexes, 'index uses', 'indexes use')} it"
    return Wrong(f"{c.name} was {c.recorded} and is {c.actual}{used}", row)
