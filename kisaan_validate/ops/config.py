"""``kisaan.toml``: where the suite is, which database is expected, how long a run may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kisaan_validate.errors import UsageError
from kisaan_validate.text import authored
from kisaan_validate.text.nearest import did_you_mean

_INTEGERS = {
    "jobs": 1,
    "sample": 0,
    "lock_timeout_ms": 1,
    "statement_timeout_ms": 1,
    "temp_limit_mb": 0,
    "python_memory_mb": 1,
}

KNOWN: dict[str, tuple[str, ...]] = {
    "target": ("expect",),
    "suite": ("path", "waivers"),
    "run": (*_INTEGERS, "trust_constraints", "trust_indexes", "operator"),
    "limits": ("standby", "snapshot"),
    "report": ("folder",),
    "signoff": ("approvals", "allowed_signers", "revoked_signers", "tsa_ca"),
}
"""Every section and its keys."""

_EXPECT = ("host", "database", "role")


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


def load_config(path: Path | None) -> Config:
    """Read a configuration; ``None`` means ``kisaan.toml`` of the current folder, if there is one.

    Raises UsageError for a missing named file, unknown sections or keys, and values of the wrong kind.
    """
    file = path or Path("kisaan.toml")
    if not file.exists():
        if path is not None:
            raise UsageError(f"there is no configuration {path}", "check the path given with --config")
        return Config()
    try:
        text = authored.read_plain(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {authored.reason_of(error)}") from None
    try:
        given = authored.toml(text)
    except ValueError as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from None
    _refuse_unknown(given, file)
    run, base, waivers = given.get("run", {}), file.parent, given.get("suite", {}).get("waivers")
    return Config(
        suite=base / _text(given.get("suite", {}).get("path", "checks"), "suite.path", file),
        waivers=base / _text(waivers, "suite.waivers", file) if waivers is not None else None,
        reports=base / _text(given.get("report", {}).get("folder", "reports"), "report.folder", file),
        expect=_expect(given.get("target", {}).get("expect", {}), file),
        trust_constraints=_flag(run, "trust_constraints", file),
        trust_indexes=_flag(run, "trust_indexes", file),
        operator=_text(run["operator"], "run.operator", file, "a name") if "operator" in run else "",
        standby_seconds=_duration(given.get("limits", {}), "standby", file),
        snapshot_seconds=_duration(given.get("limits", {}), "snapshot", file),
        signoff=_signoff(given.get("signoff", {}), file),
        **{key: _whole(run, key, least, file) for key, least in _INTEGERS.items()},
    )


def _refuse_unknown(given: dict[str, Any], file: Path) -> None:
    for section, keys in given.items():
        if section not in KNOWN:
            elsewhere = (
                "success criteria belong to the suite: write [[criteria]] in its suite.toml"
                if section == "criteria"
                else ""
            )
            raise UsageError(
                f"{file}: unknown section [{section}]", elsewhere or did_you_mean(section, KNOWN)
            )
        if not isinstance(keys, dict):
            raise UsageError(f"{file}: {section} must be a section", f"write [{section}]")
        for key in keys:
            if key not in KNOWN[section]:
                raise UsageError(
                    f"{file}: unknown key {key!r} in [{section}]", did_you_mean(key, KNOWN[section])
                )


def _whole(run: dict[str, Any], key: str, least: int, file: Path) -> int:
    default: int = getattr(Config, key)
    value = run.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(f"{file}: run.{key} must be a whole number of at least {least}, not {value!r}")
    return value


_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86_400}


def _duration(limits: dict[str, Any], key: str, file: Path) -> float | None:
    """Seconds, written as a number and a unit: "90 s", "15 min", "2 h", "1 d"."""
    if key not in limits:
        return None
    value = limits[key]
    found = re.fullmatch(r"\s*(\d{1,9})\s*(s|min|h|d)\s*", value) if isinstance(value, str) else None
    if found is None:
        hint = 'write a whole number and its unit: "90 s", "15 min", "2 h", "1 d"'
        raise UsageError(f"{file}: limits.{key} must be a duration, not {value!r}", hint)
    return int(found[1]) * _UNITS[found[2]]


def _flag(run: Mapping[str, Any], key: str, file: Path) -> bool:
    value = run.get(key, False)
    if not isinstance(value, bool):
        raise UsageError(f"{file}: run.{key} must be true or false, not {value!r}")
    return value


def _text(value: Any, key: str, file: Path, what: str = "a path") -> str:
    if not isinstance(value, str) or not value.strip():
        raise UsageError(f"{file}: {key} must be {what}, not {value!r}")
    return value


def _signoff(given: Mapping[str, Any], file: Path) -> SignoffConfig:
    approvals = given.get("approvals", 1)
    if type(approvals) is not int or approvals < 1:
        raise UsageError(f"{file}: signoff.approvals must be a whole number of at least 1, not {approvals!r}")
    paths = {
        key: file.parent / _text(given[key], f"signoff.{key}", file)
        for key in ("allowed_signers", "revoked_signers", "tsa_ca")
        if key in given
    }
    return SignoffConfig(approvals, **paths)


def _expect(value: Any, file: Path) -> dict[str, str]:
    if not isinstance(value, dict):
        raise UsageError(f"{file}: target.expect must be a table", 'write expect = { database = "…" }')
    for key, wanted in value.items():
        if key not in _EXPECT:
            raise UsageError(f"{file}: unknown key {key!r} in target.expect", did_you_mean(key, _EXPECT))
        if not isinstance(wanted, str) or not wanted:
            raise UsageError(f"{file}: target.expect.{key} must be a name, not {wanted!r}")
    return dict(value)
