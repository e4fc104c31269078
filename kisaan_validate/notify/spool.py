"""Messages that wait until every channel took them. They survive a crash: each is written before it is
sent, and leaves when the last channel took it, so a message may come twice, and none is lost.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import field, fields, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.place import Notice
from kisaan_validate.notify.channel import said
from kisaan_validate.notify.message import Message, message_id
from kisaan_validate.notify.told import ToldNight, told_from_plain
from kisaan_validate.record.files import cannot_write, write_bytes
from kisaan_validate.text.numbers import counted

SPOOL_FOLDER = ".kisaan-spool"
SPOOL_FORMAT = 1

MOST_TRIES = 10
"""So often a channel is tried; then only ``notify --retry`` does."""
LONGEST_WAIT = timedelta(days=7)
"""So long after the run a message is still news."""
FIRST_PAUSE = timedelta(minutes=5)
"""Between the first two tries; it doubles with each, up to LONGEST_PAUSE."""
LONGEST_PAUSE = timedelta(hours=12)

LARGEST = 4 * 1024**2
"""Bytes of a file that is read; ours are far smaller."""


@dataclass(frozen=True)
class Waiting:
    """A channel that did not take the message yet: how often it was tried, when last, and what it said.
    ``left`` are the receivers that did not, where others of it did; none: all.
    """

    tries: int = 0
    tried: datetime | None = None
    said: str = ""
    left: tuple[str, ...] = ()

    def due(self, now: datetime) -> bool:
        """Whether it is time to try again; also after the clock went back."""
        if self.tried is None or now < self.tried:
            return True
        pause: timedelta = min(FIRST_PAUSE * 2 ** min(self.tries, 20), LONGEST_PAUSE)
        return now >= self.tried + pause


@dataclass(frozen=True)
class Spooled:
    """A message, what it tells (None for a drill), and the channels that did not take it yet, by name."""

    message: Message
    told: ToldNight | None
    waiting: Mapping[str, Waiting] = field(default_factory=dict)

    def given_up(self, channel: str, now: datetime) -> bool:
        """Whether a channel is no longer tried by itself."""
        return self.waiting[channel].tries >= MOST_TRIES or now - self.message.at > LONGEST_WAIT


class Spool:
    """The messages that wait in a folder of reports. Whoever writes holds the lock of the notifications."""

    def __init__(self, reports: Path) -> None:
        self.folder = reports / SPOOL_FOLDER

    def put(self, one: Spooled) -> None:
        """Keep a message as it now stands: gone once no channel waits. Raises RecordError."""
        path = self._path(one.message.id)
        if one.waiting:
            try:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise cannot_write(self.folder, error) from None
            write_bytes(path, json.dumps(_to_plain(one), ensure_ascii=True).encode("ascii"))
            return
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise RecordError(
                f"cannot remove {path}: {error.strerror}", "remove it, or it is sent again"
            ) from None

    def waiting(self) -> list[Spooled]:
        """All messages that wait and can be read, the oldest first."""
        found = [one for path in self._files() if (one := _read(path)) is not None]
        return sorted(found, key=lambda one: (one.message.at, one.message.id))

    def set_aside(self) -> list[str]:
        """Rename files that cannot be read, so that they stop nobody, and remove what a crash left half
        written; the names that they now have.
        """
        for left in self.folder.glob(".*.json.*"):
            with suppress(OSError):
                left.unlink()
        named = []
        for path in self._files():
            if _read(path) is None:
                with suppress(OSError):
                    os.replace(path, path.with_suffix(".poison"))
                    named.append(path.with_suffix(".poison").name)
        return named

    def poisoned(self) -> list[str]:
        """The files that were set aside."""
        return sorted(path.name for path in self.folder.glob("*.poison"))

    def _files(self) -> Iterator[Path]:
        yield from sorted(self.folder.glob("[!.]*.json"))

    def _path(self, id: str) -> Path:
        return self.folder / f"{message_id(id)}.json"


def undelivered(spool: Spool, now: datetime) -> tuple[Notice, ...]:
    """What the next run says of messages that did not arrive: a notice for each channel, and one for files
    that could not be read.
    """
    by_channel: dict[str, list[Spooled]] = {}
    for one in spool.waiting():
        for channel in one.waiting:
            by_channel.setdefault(channel, []).append(one)
    notices = [_notice(channel, found, now) for channel, found in sorted(by_channel.items())]
    if poisoned := spool.poisoned():
        words = (
            f"{counted(len(poisoned), 'message')} in {SPOOL_FOLDER} cannot be read: {', '.join(poisoned[:3])}"
        )
        notices.append(Notice("undelivered", words, "look at them, then remove them"))
    return tuple(notices)


def _notice(channel: str, found: Sequence[Spooled], now: datetime) -> Notice:
    since = f"{min(one.message.at for one in found):%Y-%m-%d %H:%M} UTC"
    why = found[-1].waiting[channel].said or "it was not tried yet"
    ended = any(one.given_up(channel, now) for one in found)
    words = f"{counted(len(found), 'message')} did not reach {channel!r}, since {since}: {why}"
    hint = "repair the channel, then run kisaan-validate notify --retry"
    return Notice("undelivered", f"{words}{'; given up' if ended else ''}", hint)


def tried(
    one: Spooled, channel: str, now: datetime, problem: str, receivers: tuple[str, ...] = ()
) -> Spooled:
    """The message after a channel was tried: it waits no longer, or ``problem`` says why it still does,
    and ``receivers`` for whom (none: for all).
    """
    left = {name: waiting for name, waiting in one.waiting.items() if name != channel}
    if problem:
        left[channel] = Waiting(one.waiting[channel].tries + 1, now, said(problem), receivers)
    return replace(one, waiting=left)


def _waiting_plain(waiting: Waiting) -> dict[str, Any]:
    tried = waiting.tried.isoformat() if waiting.tried is not None else None
    plain = {"tries": waiting.tries, "tried": tried, "said": waiting.said}
    return {**plain, "left": list(waiting.left)} if waiting.left else plain


def _to_plain(one: Spooled) -> dict[str, Any]:
    message = one.message
    waiting = {name: _waiting_plain(w) for name, w in one.waiting.items()}
    return {
        "kind": "kisaan-validate.spooled",
        "format": SPOOL_FORMAT,
        "message": {**vars(message), "at": message.at.isoformat(), "severity": message.severity.value},
        "told": one.told.to_plain() if one.told is not None else None,
        "waiting": waiting,
    }


def _read(path: Path) -> Spooled | None:
    """What a file holds; None if it is no message of ours."""
    try:
        if path.stat().st_size > LARGEST:
            return None
        return _from_plain(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _from_plain(given: dict[str, Any]) -> Spooled:
    """Raises ValueError, TypeError, KeyError, AttributeError."""
    if (given["kind"], given["format"]) != ("kisaan-validate.spooled", SPOOL_FORMAT):
        raise ValueError("another kind of file")
    said_of = dict(given["message"])
    if said_of.keys() != {one.name for one in fields(Message)} or not isinstance(said_of["drill"], bool):
        raise ValueError("not a message")
    said_of |= {"at": _time(said_of["at"]), "severity": Severity(said_of["severity"])}
    texts = [said_of[name] for name in ("id", "subject", "body")]
    waiting = {name: _waiting(one) for name, one in given["waiting"].items()}
    if not all(isinstance(text, str) for text in texts) or not isinstance(said_of["facts"], dict):
        raise ValueError("not a message")
    told = given["told"]
    return Spooled(Message(**said_of), told_from_plain(told) if told is not None else None, waiting)


def _waiting(given: dict[str, Any]) -> Waiting:
    tries, time = given["tries"], given["tried"]
    if type(tries) is not int or not 0 <= tries < 1_000_000:
        raise ValueError("not a number of tries")
    left = given.get("left", [])
    # A file that was edited must not make a message be for nobody.
    if not isinstance(left, list) or not all(isinstance(one, str) and len(one) == 64 for one in left):
        raise ValueError("not receivers")
    return Waiting(tries, _time(time) if time is not None else None, said(given["said"]), tuple(left))


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at
