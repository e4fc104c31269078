"""``kisaan.toml``: where the suite is, which database is expected, how long a run may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.history.retention import Retention
from kisaan_validate.ops.scans import ScanProfile, scan_profile
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.text import authored
from kisaan_validate.toml.reader import read

if TYPE_CHECKING:
    from kisaan_validate.guard.rules import GuardRules
    from kisaan_validate.ops.config_model import ConfigFile
    from kisaan_validate.ops.notify_model import NotifyTable


@dataclass(frozen=True)
class SignoffConfig:
    """How many people must approve, and the files that say whose keys count, no longer count, and who may
    stamp times.
    """

    approvals: int = 1
    allowed_signers: Path | None = None
    revoked_signers: Path | None = None
    tsa_ca: Path | None = None


@dataclass(frozen=True)
class PingConfig:
    """Which environment variable holds the ping URL ("": none), and whether findings are pinged as failed."""

    url_env: str = ""
    findings_are_down: bool = True


@dataclass(frozen=True)
class NotifyConfig:
    """Who is told of a run, as written; paths in it are relative to ``base``."""

    table: NotifyTable
    base: Path


@dataclass(frozen=True)
class Config:
    """What a configuration says, with the defaults for what it does not. Paths are relative to the file's
    folder.
    """

    suite: Path = Path("checks")
    reports: Path = Path("reports")
    expect: Mapping[str, str] = field(default_factory=dict)
    jobs: int = 2
    sample: int = 20
    lock_timeout_ms: int = 2_000
    statement_timeout_ms: int = 15 * 60 * 1_000
    temp_limit_mb: int = 2_048
    python_memory_mb: int = 512
    trust_constraints: bool = False
    trust_indexes: bool = False
    waivers: Path | None = None
    operator: str = ""
    standby_seconds: float | None = None
    snapshot_seconds: float | None = None
    signoff: SignoffConfig = field(default_factory=SignoffConfig)
    pings: PingConfig = field(default_factory=PingConfig)
    history: str = ""
    renamed: Mapping[str, str] = field(default_factory=dict)
    scans: Mapping[str, ScanProfile] = field(default_factory=dict)
    notify: NotifyConfig | None = None
    retention: Retention = field(default_factory=Retention)
    every_seconds: int = 0
    guard: GuardRules | None = None
    """None where the file has no ``[guard]``."""
    preflight: PreflightRules = field(default_factory=PreflightRules)


def load_config(path: Path | None) -> Config:
    """Read a configuration; ``None`` means ``kisaan.toml`` of the current folder, if there is one.

    Raises UsageError for a missing named file, unknown sections or keys, and values of the wrong kind.
    """
    file = path or Path("kisaan.toml")
    # A missing default is no error: everything has a default.
    if not file.exists():
        if path is not None:
            raise UsageError(f"no such configuration file: {path}", "check the path given with --config")
        return Config()
    # Imported here: without a file nothing needs pydantic.
    from kisaan_validate.ops.config_model import ConfigFile

    try:
        text = authored.read_plain(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {authored.reason_of(error)}") from None
    return _config(read(text, str(file), ConfigFile), file.parent)


def _config(given: ConfigFile, base: Path) -> Config:
    """The settings of a file in the folder ``base``."""
    run, signoff = given.run, given.signoff
    return Config(
        suite=base / given.suite.path,
        waivers=_beside(base, given.suite.waivers),
        reports=base / given.report.folder,
        # Only what was written: a run cannot be compared with a host that is None.
        expect=given.target.expect.model_dump(exclude_unset=True),
        operator=run.operator or "",
        standby_seconds=given.limits.standby,
        snapshot_seconds=given.limits.snapshot,
        signoff=SignoffConfig(
            signoff.approvals,
            _beside(base, signoff.allowed_signers),
            _beside(base, signoff.revoked_signers),
            _beside(base, signoff.tsa_ca),
        ),
        pings=PingConfig(given.pings.url_env or "", given.pings.findings == "down"),
        history=given.history.url or "",
        renamed=given.history.renamed,
        scans={name: scan_profile(name, table, base) for name, table in given.scan.items()},
        notify=NotifyConfig(given.notify, base) if given.notify.model_fields_set else None,
        retention=Retention(
            given.history.keep_days,
            given.history.keep_runs,
            given.history.keep_weeks,
            given.history.forget_keys,
        ),
        every_seconds=given.history.every or 0,
        # What is not written is no guard, and not one without rules.
        guard=given.guard.rules(base) if "guard" in given.model_fields_set else None,
        preflight=given.preflight.rules(base),
        **run.model_dump(exclude={"operator"}),
    )


def _beside(base: Path, path: str | None) -> Path | None:
    return base / path if path is not None else None
