"""``[preflight]`` of ``kisaan.toml`` as it is written: what is required before a migration, and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.toml.durations import Duration, SomeTime
from kisaan_validate.toml.model import Field, FilePath, TomlTable

_Required = Annotated[tuple[Literal["backup", "rehearsal", "baseline"], ...], Field(strict=False)]


class PreflightTable(TomlTable):
    """What `preflight` asks for before a migration. Paths are relative to this file's folder."""

    require: _Required = Field(("backup", "rehearsal", "baseline"), description="evidence that a go needs")
    backup_age: SomeTime = Field(86_400, description='oldest dump; by default "1 d"')
    rehearsal_age: SomeTime = Field(7 * 86_400, description='oldest rehearsal; by default "7 d"')
    baseline_age: SomeTime = Field(86_400, description='oldest baseline; by default "1 d"')
    run_age: SomeTime = Field(86_400, description='oldest counts of rows to fix; by default "1 d"')
    transaction: Duration = Field(60, description='longest open transaction of others; by default "1 min"')
    idle_in_transaction: Duration = Field(
        10, description='longest time idle in a transaction; by default "10 s"'
    )
    lock_wait: Duration = Field(1, description='longest wait for a lock; by default "1 s"')
    replication_lag: Duration = Field(10, description='most that a standby may lag; by default "10 s"')
    clock_skew: SomeTime = Field(5, description='most that the server\'s clock may be off; by default "5 s"')
    certificate: FilePath | None = Field(None, description="the certificate of the backup")
    dump: FilePath | None = Field(None, description="the dump, if it is not beside its certificate")
    receipt: FilePath | None = Field(None, description="the receipt of the rehearsal")
    baseline: FilePath | None = Field(None, description="the baseline")
    contract: FilePath | None = Field(None, description="the contract of the migration")
    migrations: FilePath | None = Field(None, description="the folder of migrations")
    disk: FilePath | None = Field(None, description="a folder on the data's disk, on the server's host")

    def rules(self, base: Path) -> PreflightRules:
        """The rules; paths are relative to ``base``."""
        files = ("certificate", "dump", "receipt", "baseline", "contract", "disk")
        said = self.model_dump(exclude={*files, "migrations"})
        paths = {name: base / path for name in files if (path := getattr(self, name)) is not None}
        folders = (base / self.migrations,) if self.migrations is not None else ()
        return PreflightRules(**said, **paths, migrations=folders)
