"""``waivers.toml`` as it is written."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from kisaan_validate.toml.model import (
    Field,
    Filled,
    LookBefore,
    TomlTable,
    model_validator,
    tables,
    version,
    wrong,
)

WAIVERS_FORMAT = 1
"""Version of a file of waivers. 1: first form."""


def _day(value: Any) -> Any:
    # A TOML date-time is a date to isinstance, and would bring an hour and a zone that nothing looks at.
    if type(value) is not date:
        raise wrong("must be a day", "write expires = 2026-12-31")
    return value


def _key(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    # A boolean is an int to isinstance.
    if not values or not all(type(v) in {int, str} for v in values):
        raise wrong("is not a key", 'write a key as the report shows it: [17], or ["a", 2]')
    return [str(v) for v in values]


_KEY = {"type": ["array", "integer", "string"], "items": {"type": ["integer", "string"]}, "minItems": 1}

WaivedKey = Annotated[tuple[str, ...], Field(strict=False), LookBefore(_key, _KEY)]


class WaiverTable(TomlTable):
    """A known failure, accepted by name for a time."""

    check: Filled = Field(description="the check's id", examples=["orders.total.not_null"])
    reason: Filled = Field(description="why it is accepted")
    owner: Filled = Field(description="who answers for it", examples=["finance"])
    expires: Annotated[date, LookBefore(_day, {})] = Field(
        description="its last day, in UTC", examples=[date(2026, 12, 31)]
    )
    rows: int | None = Field(None, ge=1, description="accept at most so many")
    keys: Annotated[tuple[WaivedKey, ...], Field(strict=False)] = Field(
        (), description="keys of failing rows, as the report shows them"
    )
    whole_check: bool = Field(False, description="true: accept any number")

    @model_validator(mode="after")
    def _one_scope(self) -> WaiverTable:
        # Whether rows was written, not its value; an empty list of keys waives nothing, so it is no scope.
        if sum(("rows" in self.model_fields_set, bool(self.keys), self.whole_check)) != 1:
            hint = "write rows = 3, keys = [[17], [18]] or whole_check = true"
            raise wrong("a waiver covers one of rows, keys, whole_check", hint)
        return self


class WaiversFile(TomlTable):
    """Known failures that are accepted for a time."""

    format: Annotated[int, version(WAIVERS_FORMAT)] = Field(
        description="the version of this format", examples=[WAIVERS_FORMAT]
    )
    waiver: Annotated[tuple[WaiverTable, ...], Field(strict=False), tables("waiver")] = Field(
        (), description="the waivers, one per check"
    )
