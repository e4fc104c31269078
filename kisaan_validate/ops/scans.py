"""The profiles of ``kisaan.toml`` for the nightly scan."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.ops.window import Window, read_times, read_zone
from kisaan_validate.text.durations import duration_words
from kisaan_validate.text.nearest import did_you_mean

if TYPE_CHECKING:
    from kisaan_validate.guard.rules import GuardRules
    from kisaan_validate.ops.scan_model import ScanTable


@dataclass(frozen=True)
class ScanProfile:
    """One ``[scan.NAME]``. ``budget`` and ``grace`` are seconds; None: no limit, or as ``[run]`` and
    ``[guard]`` say. ``resume`` are tables that are read over several nights, with their keys.
    """

    name: str
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    window: Window | None = None
    budget: int | None = None
    grace: int = 60
    jobs: int | None = None
    sample: int | None = None
    profile: bool = False
    fail_on: str = "any"
    metrics: Path | None = None
    guard: GuardRules | None = None
    resume: Mapping[str, str] = field(default_factory=dict)

    def recorded(self) -> dict[str, str]:
        """What a run records of it beyond the settings of every run, as text."""
        limits = {"window": self.window, "budget_seconds": self.budget}
        said = {key: str(value) for key, value in limits.items() if value is not None}
        grace = {"grace_seconds": str(self.grace)} if said else {}
        listed = ", ".join(f"{table} by {key}" for table, key in sorted(self.resume.items()))
        return {"scan": self.name, **said, **grace, **({"resume": listed} if listed else {})}


def scan_profile(name: str, given: ScanTable, base: Path) -> ScanProfile:
    """The profile that a table of the file describes; its paths are relative to ``base``."""
    times, zone = read_times(given.window or ""), read_zone(given.zone or "UTC")
    return ScanProfile(
        name,
        given.select,
        given.exclude,
        Window(*times, zone) if times is not None and zone is not None else None,
        given.budget,
        given.grace,
        given.jobs,
        given.sample,
        given.profile,
        given.fail_on,
        base / given.metrics if given.metrics is not None else None,
        given.guard.rules(base) if given.guard is not None else None,
        dict(given.resume),
    )


def resumed_tables(profile: ScanProfile, tables: Collection[str]) -> Mapping[str, str]:
    """The tables that a profile reads over several nights, with their keys; ``tables`` are those that its
    checks are about. Raises UsageError for one that is none of these.
    """
    for name in profile.resume:
        if name not in tables:
            raise UsageError(
                f"[scan.{profile.name}] resume names {name!r}, but no check of it is about such a table",
                did_you_mean(name, sorted(tables)) or "name it as its checks do",
            )
    return profile.resume


def chosen(profiles: Mapping[str, ScanProfile], name: str | None) -> ScanProfile:
    """The profile of a name, or the only one. Raises UsageError."""
    if not profiles:
        raise UsageError("the configuration has no profile of a scan", "write [scan.nightly] in kisaan.toml")
    if name is None and len(profiles) > 1:
        raise UsageError(f"there are {len(profiles)} profiles", f"name one: {', '.join(sorted(profiles))}")
    if name is not None and name not in profiles:
        raise UsageError(f"there is no profile [scan.{name}]", did_you_mean(name, sorted(profiles)))
    return profiles[name] if name is not None else next(iter(profiles.values()))


@dataclass(frozen=True)
class ScanEnd:
    """When a scan begins nothing more: ``seconds`` after its start, for this ``reason``."""

    seconds: float
    reason: str


def end_of(profile: ScanProfile, started: datetime, closes: datetime | None) -> ScanEnd | None:
    """Whichever comes first, the end of the budget or of the window, which ``closes`` then; None without
    either.
    """
    ends = []
    if profile.budget is not None:
        ends.append(ScanEnd(profile.budget, f"the budget of {duration_words(profile.budget)} ended"))
    if closes is not None and profile.window is not None:
        at = closes.astimezone(profile.window.zone)
        left = (closes - started.astimezone(UTC)).total_seconds()
        ends.append(ScanEnd(left, f"the window {profile.window} ended at {at:%H:%M}"))
    return min(ends, key=lambda end: end.seconds, default=None)
