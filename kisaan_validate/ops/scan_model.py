"""``[scan.NAME]`` of ``kisaan.toml`` as it is written: a profile of the nightly scan."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from kisaan_validate.ops.guard_model import GuardTable
from kisaan_validate.ops.window import ZONE_HINT, read_times, read_zone
from kisaan_validate.toml.durations import Duration
from kisaan_validate.toml.model import (
    Field,
    FilePath,
    LookBefore,
    Name,
    Names,
    TomlTable,
    model_validator,
    wrong,
)

_TIMES = r"^\s*([01]\d|2[0-3]):[0-5]\d\s*-\s*([01]\d|2[0-3]):[0-5]\d\s*$"


def _profiles(value: Any) -> Any:
    # The name itself is not repeated: it may be a secret in the wrong place.
    if isinstance(value, dict) and not all(
        re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) for name in value
    ):
        raise wrong("has a profile whose name is not of letters, digits, '_' and '-'", "write [scan.nightly]")
    return value


named_profiles = LookBefore(_profiles, {})
"""What profiles may be called."""


def _window(value: Any) -> Any:
    if not isinstance(value, str) or read_times(value) is None:
        raise wrong("must be two different times of day", 'write "01:00-05:00"')
    return value


def _zone(value: Any) -> Any:
    if not isinstance(value, str) or read_zone(value) is None:
        raise wrong("must be a time zone", ZONE_HINT)
    return value


class ScanTable(TomlTable):
    """A profile of the nightly scan: which checks, when, and for how long."""

    select: Names = Field((), description="only checks of these ids, tables or tags")
    exclude: Names = Field((), description="not checks of these ids, tables or tags")
    window: Annotated[str, LookBefore(_window, {"pattern": _TIMES})] | None = Field(
        None, description="times of day between which it may run; outside it is refused, at the end it stops"
    )
    zone: Annotated[str, LookBefore(_zone, {})] | None = Field(
        None, description="time zone of the window; by default UTC"
    )
    budget: Duration | None = Field(
        None, description="no statement is begun later than so long after the start"
    )
    grace: Duration = Field(
        60, description="how long a statement may go on after the budget or the window ended"
    )
    jobs: int | None = Field(None, ge=1, description="as [run] jobs")
    sample: int | None = Field(None, ge=0, description="as [run] sample")
    fail_on: Literal["any", "new"] = Field(
        "any", description='"new": failures that the last run on this database knew do not fail the scan'
    )
    metrics: FilePath | None = Field(None, description="a Prometheus textfile, written after each scan")
    guard: GuardTable | None = Field(None, description="rules of its own instead of those of [guard]")
    profile: bool = Field(False, description="also show how the values of columns are distributed")

    resume: dict[Name, Name] = Field(
        {},
        description="tables that are read over several nights, each with the key by whose ranges; its index "
        "is trusted to find the rows",
    )

    @model_validator(mode="after")
    def _meant(self) -> ScanTable:
        if self.zone is not None and self.window is None:
            raise wrong("has a zone but no window", "write window, or leave the zone out")
        if self.resume and self.profile:
            raise wrong("has resume and profile", "leave one of them out")
        if self.budget == 0:
            raise wrong("has a budget of nothing", 'write "40 min", or leave the budget out')
        return self
