"""Series of nights judged one after the other, and recorded runs that are moved into the past."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from kisaan_validate.volumes.judge import VolumeOutcome, VolumeState, outcome_of, training
from kisaan_validate.volumes.model import PastPoint, VolumeFact, VolumePoint, VolumeRule

FIRST = date(2026, 1, 1)
"""A Thursday."""


def judged(
    rule: VolumeRule, values: Iterable[int | str], first: date = FIRST
) -> list[tuple[date, VolumeOutcome]]:
    """What happens to each night, each judged by those before it that did not ring."""
    past: list[PastPoint] = []
    found = []
    for number, value in enumerate(values):
        day = first + timedelta(days=number)
        outcome = night(rule, day, str(value), past)
        past.append(PastPoint(VolumePoint(day, str(value)), outcome.state is not VolumeState.RINGS))
        found.append((day, outcome))
    return found


def night(rule: VolumeRule, day: date, value: str, past: Iterable[PastPoint]) -> VolumeOutcome:
    """One night."""
    return outcome_of(VolumeFact(rule, "", day, value, training(rule, day, past)), "t", ("c", "at"))


def moved_back(reports: Path, days: int) -> None:
    """All recorded runs of a folder as if they had been made so many days earlier."""
    for folder in _runs(reports):
        id = _move(folder, days)
        folder.rename(reports / id)


def repeated(reports: Path, times: int) -> None:
    """The only run of a folder as if it had also been made on so many days before, with the same result."""
    (folder,) = _runs(reports)
    for days in range(1, times + 1):
        copy = reports / f"copy-{days}"
        shutil.copytree(folder, copy)
        copy.rename(reports / _move(copy, days))


def _runs(reports: Path) -> list[Path]:
    """The oldest first: each then moves into a place that is free."""
    return sorted(path for path in reports.iterdir() if (path / "run.json").is_file())


def _move(folder: Path, days: int) -> str:
    """The id that the run has, so many days earlier."""
    run = json.loads((folder / "run.json").read_text())
    run["id"] = _moved_id(run["id"], days)
    for name in ("previous_run", "previous_digest"):
        run["provenance"].pop(name, None)
    (folder / "run.json").write_text(json.dumps(_moved(run, days), indent=1, ensure_ascii=False) + "\n")
    return str(run["id"])


def _moved_id(id: str, days: int) -> str:
    began, _, rest = id.partition("-")
    then = datetime.strptime(began, "%Y%m%dT%H%M%SZ") - timedelta(days=days)
    return f"{then:%Y%m%dT%H%M%SZ}-{rest}"


def _moved(plain: Any, days: int) -> Any:
    if isinstance(plain, dict):
        return {key: _moved(value, days) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_moved(value, days) for value in plain]
    if not isinstance(plain, str):
        return plain
    if re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", plain):
        then = datetime.fromisoformat(plain) - timedelta(days=days)
        return then.isoformat(timespec="microseconds").replace("+00:00", "Z")
    # Days stand in figures, and with their weekday in words.
    return re.sub(r"(?:[A-Z]\w+day, )?\d{4}-\d\d-\d\d(?![T\d])", lambda found: _day(found[0], days), plain)


def _day(text: str, days: int) -> str:
    then = date.fromisoformat(text[-10:]) - timedelta(days=days)
    return f"{then:%A}, {then}" if "," in text else str(then)
