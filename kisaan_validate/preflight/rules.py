"""What a preflight requires, and its bounds: ``[preflight]`` of ``kisaan.toml``."""

from __future__ import annotations

from pathlib import Path

from kisaan_validate.dataclass import dataclass

BACKUP, REHEARSAL, BASELINE = "backup", "rehearsal", "baseline"
REQUIRABLE = (BACKUP, REHEARSAL, BASELINE)
"""Evidence that a go needs, unless somebody leaves it out by name."""

LEAVABLE = (
    *REQUIRABLE,
    "target",
    "tables",
    "contract",
    "migrations",
    "dump",
    "settings",
    "gaps",
    "disk",
)
"""What may be left out by name. Blockers, health, lag and clocks may not: not looking gains nothing."""


@dataclass(frozen=True)
class PreflightRules:
    """Ages and bounds in seconds; the files to look at, None where none is named."""

    require: tuple[str, ...] = REQUIRABLE
    backup_age: int = 86_400
    rehearsal_age: int = 7 * 86_400
    baseline_age: int = 86_400
    run_age: int = 86_400
    transaction: int = 60
    idle_in_transaction: int = 10
    lock_wait: int = 1
    replication_lag: int = 10
    clock_skew: int = 5
    certificate: Path | None = None
    dump: Path | None = None
    receipt: Path | None = None
    baseline: Path | None = None
    contract: Path | None = None
    migrations: tuple[Path, ...] = ()
    disk: Path | None = None
