"""Which psql and pg_restore restore a dump: chosen by the dump, and safe."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat
from kisaan_validate.scratch.installation import Installation, installations
from kisaan_validate.scratch.server import Scratch

RESTRICTED = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""The first minor releases whose psql knows ``\\restrict`` (August 2025). From 18 on all do."""

_PATIENCE = 30.0


def safe(one: Installation) -> bool:
    """Whether its psql can be kept from running commands that stand in a dump."""
    minor = one.version % 10_000
    return one.major >= 18 or minor >= RESTRICTED.get(one.major, 10_000)


def unpacks(one: Installation, method: str) -> bool:
    """Whether its pg_restore can unpack an archive's blocks. Which methods it knows is chosen when it is
    built, and its pg_dump says so before it connects to anything.
    """
    program = one.program("pg_dump")
    if method not in {"zstd", "lz4"} or program is None:
        return True
    done = subprocess.run(
        [str(program), f"--compress={method}", "--dbname=host=/dev/null connect_timeout=1"],
        capture_output=True,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        timeout=_PATIENCE,
        check=False,
    )
    # Before 16 the option takes a number only.
    return not any(
        words in done.stderr for words in ("does not support compression", "invalid", "unrecognized")
    )


def choose_clients(
    facts: DumpFacts, scratch: Scratch, among: Sequence[Installation] | None = None
) -> Installation:
    """The installation whose psql and pg_restore are used: the scratch server's own if they are new enough
    for the dump, can unpack it and are safe, else the nearest newer one. Raises UsageError with what is
    needed.
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
    archive = facts.format is not DumpFormat.PLAIN
    able = [one for one in new if not archive or unpacks(one, facts.compression)]
    if not able:
        raise UsageError(
            f"the archive is compressed by {facts.compression}, which pg_restore of {new[0].label} cannot "
            "unpack: name the folder of one that can",
            f"apt-get install postgresql-client-{need} (from apt.postgresql.org)",
        )
    new = able
    good: Installation | None = next((one for one in new if safe(one)), None)
    if good is None:
        minors = ", ".join(f"{major}.{minor}" for major, minor in RESTRICTED.items() if major >= need)
        raise UsageError(
            f"psql of {new[0].label} would run commands that stand in a dump: it has no \\restrict",
            f"update it: {minors + ' or ' if minors else ''}18 and newer have it",
        )
    return good
