"""What the database offers beyond SELECT, by name. A check that needs what is not offered has no answer.

There is one engine, PostgreSQL. Another needs a room like ``postgres``, a catalogue, a snapshot that sessions
share, SQL, digests, and a bulk export for streams and live sides.
"""

from __future__ import annotations

from enum import StrEnum

from kisaan_validate.dataclass import dataclass


class Capability(StrEnum):
    """What some checks need of an engine. The value is how people read it."""

    CATALOGUE = "a catalogue of types, constraints and indexes"
    UNIQUENESS = "declared uniqueness that binds every row"
    STREAM = "whole tables as one stream (COPY)"


@dataclass(frozen=True)
class Engine:
    """A database system, and what can be relied on in it."""

    name: str
    capabilities: frozenset[Capability]

    def lacks(self, needed: frozenset[Capability]) -> str:
        """What is needed and not offered, in words; "" if nothing."""
        return ", ".join(sorted(needed - self.capabilities))


POSTGRESQL = Engine("PostgreSQL", frozenset(Capability))
"""It offers everything."""
