"""Which psql and pg_restore restore a dump: chosen by the dump, and safe."""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.dump import DumpFacts
from kisaan_validate.scratch.installation import Installation, installations
from kisaan_validate.scratch.server import Scratch

RESTRICTED = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""The first minor releases whose psql knows ``\\restrict`` (August 2025). From 18 on all do."""


def safe(one: Installation) -> bool:
    """Whether its psql can be kept from running commands that stand in a dump."""
    minor = one.version % 10_000
    return one.major >= 18 or minor >= RESTRICTED.get(one.major, 10_000)


def choose_clients(
    facts: DumpFacts, scratch: Scratch, among: Sequence[Installation] | None = None
) -> Installation:
    """The installation whose psql and pg_restore are used: the scratch server's own if they are new enough
    for the dump and safe, else the nearest newer one. Raises UsageError with what is needed.
    """
    need = max(facts.client_major or 0, 13)
    own = () if scratch.installation is None else (scratch.installation,)
    there: list[Installation] = [
        *own,
        *sorted(installations() if among is None else among, key=lambda one: one.version),
    ]
    complete = [one for one in there if one.program("psql") and one.program("pg_restore")]
    new = [one for one in complete if one.major >= need]
    if not new:
        newest = max((one.version for one in complete), default=0) // 10_000
        has = f"the newest here are {newest}" if newest else "there are none here"
        raise UsageError(
            f"the dump was written by pg_dump {facts.client_version or need}:"
            f" clients of PostgreSQL {need} or newer are needed, {has}",
            f"apt-get install postgresql-client-{need} (from apt.postgresql.org)",
        )
    good: Installation | None = next((one for one in new if safe(one)), None)
    if good is None:
        minors = ", ".join(f"{major}.{minor}" for major, minor in RESTRICTED.items() if major >= need)
        raise UsageError(
            f"psql of {new[0].label} would run commands that stand in a dump: it has no \\restrict",
            f"update it: {minors + ' or ' if minors else ''}18 and newer have it",
        )
    return good
