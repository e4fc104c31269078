"""What people were told: one line for each message, from which the next one knows what is news."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.history.night import Night
from kisaan_validate.notify.jsonl import append_line, read_lines

TOLD_FILE = "told.jsonl"


class News(StrEnum):
    """What is said of a problem, the most urgent first."""

    NEW = "new"
    WORSE = "worse"
    WAIVER_ENDED = "waiver ended"
    FLAPPING = "flapping"
    NO_ANSWER = "no answer"
    STILL = "still failing"
    GONE = "no longer asked"
    FIXED = "fixed"


OVER = frozenset({News.FIXED, News.GONE})
"""After these nothing is open any more."""


@dataclass(frozen=True)
class ToldSubject:
    """What was said of one subject. ``key`` is ``check ID`` or ``promise ID`` or ``difference …``,
    ``meaning`` the digest of what a check means; what shares an ``incident`` was told as one.
    """

    key: str
    meaning: str
    news: News
    incident: str


@dataclass(frozen=True)
class ToldNight:
    """What one message said, of which run. ``at`` is when the run read its data, not when it was sent."""

    message: str
    run: str
    at: datetime
    suite: str
    database: str
    host: str
    port: str
    server: str
    subjects: tuple[ToldSubject, ...]

    def to_plain(self) -> dict[str, Any]:
        """The line as JSON values."""
        return {**vars(self), "at": self.at.isoformat(), "subjects": [vars(one) for one in self.subjects]}


def told_from_plain(given: Mapping[str, Any]) -> ToldNight:
    """The line that JSON values stand for. Raises ValueError, TypeError, KeyError."""
    subjects = tuple(
        ToldSubject(str(s["key"]), str(s["meaning"]), News(s["news"]), str(s["incident"]))
        for s in given["subjects"]
    )
    at = datetime.fromisoformat(given["at"])
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    names = ("message", "run", "suite", "database", "host", "port", "server")
    return ToldNight(**{name: str(given[name]) for name in names}, at=at, subjects=subjects)


def add_told(folder: Path, told: ToldNight) -> None:
    """Append what was told. Raises RecordError."""
    append_line(folder / TOLD_FILE, told.to_plain())


def read_told(folder: Path) -> tuple[list[ToldNight], int]:
    """What was told, in the order in which it was, and how many lines could not be read. Raises
    RecordError.
    """
    lines, unread = read_lines(folder / TOLD_FILE)
    found = []
    for line in lines:
        try:
            found.append(told_from_plain(line))
        except (ValueError, TypeError, KeyError):
            unread += 1
    return found, unread


def told_of(all_told: Iterable[ToldNight], night: Night) -> list[ToldNight]:
    """What was told of the suite and database of a night, up to its time."""
    return [one for one in all_told if one.at <= night.at and _same(one, night)]


def _same(told: ToldNight, night: Night) -> bool:
    """By name, and by the server's address or its identifier, as nights are linked."""
    if (told.suite, told.database) != (night.suite, night.database):
        return False
    address = bool(night.host) and (told.host, told.port) == (night.host, night.port)
    return address or (bool(night.server) and told.server == night.server) or told.run == night.run
