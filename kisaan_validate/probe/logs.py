"""Requests and errors in log files, counted in two periods; files may be rotated, packed or hostile."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import IO, TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.error_rate import ErrorWindow
from kisaan_validate.probe.pattern import PATIENCE, compiled
from kisaan_validate.probe.times import NoTime, NoZone, TwoWindows, read_time
from kisaan_validate.process.stopping import Stop
from kisaan_validate.text.numbers import agreeing, counted

if TYPE_CHECKING:
    import regex

LONGEST_LINE = 64 * 1024
"""Bytes of a line that are examined."""

_PACKED = b"\x1f\x8b"


@dataclass(frozen=True)
class LogPatterns:
    """``request`` finds a line that is a request, and its time in the group "time"; ``error`` finds those
    that failed. ``form`` is strptime's, "" for ISO 8601 and seconds since 1970.
    """

    request: regex.Pattern[str]
    error: regex.Pattern[str]
    form: str = ""
    zone: tzinfo | None = None


def log_patterns(request: str, error: str, form: str, zone: tzinfo | None) -> LogPatterns:
    """The patterns in two texts. Raises UsageError."""
    made, failed = compiled(request), compiled(error)
    for option, found in (("--pattern", made), ("--errors", failed)):
        if found is None:
            raise UsageError(f"{option} is not a regular expression", "check its brackets")
    assert made is not None
    assert failed is not None
    if "time" not in made.groupindex:
        raise UsageError("--pattern names no time", "put it into a group: (?P<time>[0-9T:.Z-]+)")
    return LogPatterns(made, failed, form, zone)


@dataclass
class LogCount:
    """What was counted. ``first`` and ``last`` are the times of the earliest and latest request."""

    windows: TwoWindows
    requests: list[int] = field(default_factory=lambda: [0, 0])
    errors: list[int] = field(default_factory=lambda: [0, 0])
    lines: int = 0
    matched: int = 0
    cut: int = 0
    untimed: int = 0
    ambiguous: int = 0
    unzoned: int = 0
    late: str = ""
    first: datetime | None = None
    last: datetime | None = None

    def sides(self) -> tuple[ErrorWindow, ErrorWindow]:
        """Both times with their counts."""
        made = [
            ErrorWindow(*window, requests, errors)
            for window, requests, errors in zip(
                (self.windows.before, self.windows.after), self.requests, self.errors, strict=True
            )
        ]
        return made[0], made[1]

    def gaps(self) -> tuple[str, ...]:
        """Why the counts may not be whole, the first reason first."""
        return tuple(filter(None, (self.late, self._unread(), self._short())))

    def _unread(self) -> str:
        if not self.matched:
            return f"none of {counted(self.lines, 'line')} fits --pattern"
        found = (
            (self.unzoned, "a time without a zone: give --zone"),
            (self.untimed, "a time that cannot be read: give --time-format"),
            (self.ambiguous, "a time that clocks in its zone showed twice or never"),
            (self.cut, f"more than {LONGEST_LINE // 1024} kB: its end was not read"),
        )
        said = (f"{counted(n, 'line')} {agreeing(n, 'has', 'have')} {what}" for n, what in found if n)
        return next(said, "")

    def _short(self) -> str:
        begins, ends = self.windows.before[0], self.windows.after[1]
        if self.first is not None and self.first > begins:
            return f"the log begins at {_clock(self.first)}, after the time before does: name older files too"
        # Of a quiet service the last request may come a little before the end.
        nearly = ends - (ends - self.windows.after[0]) / 10
        if self.last is not None and self.last < nearly:
            return f"the log ends at {_clock(self.last)}, before the time after does"
        return ""


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def count_logs(
    paths: Sequence[Path], patterns: LogPatterns, windows: TwoWindows, seconds: float, stop: Stop
) -> LogCount:
    """Count the requests of all files in both times. What takes longer than ``seconds`` is given up, which
    its gaps say. Raises UsageError where a file cannot be read or is named twice.
    """
    _refuse_twice(paths)
    found, until = LogCount(windows), time.monotonic() + seconds
    for path in paths:
        with _opened(path) as file:
            for line in _lines(file, found):
                if stop.requested or time.monotonic() > until:
                    found.late = f"stopped: {stop.reason}" if stop.requested else _late(seconds)
                    return found
                if line is not None and not _count(line, patterns, found):
                    found.late = f"a pattern took more than {PATIENCE:g} s over one line of {path.name}"
                    return found
    return found


def _late(seconds: float) -> str:
    return f"the files were not read within {seconds:g} s"


def _refuse_twice(paths: Sequence[Path]) -> None:
    seen: dict[tuple[int, int], Path] = {}
    for path in paths:
        try:
            status = path.stat()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "no such name"
            raise UsageError(f"{path} cannot be read: {reason}", "check the path") from None
        if not path.is_file():
            raise UsageError(f"{path} is not a file", "name the log file")
        if (known := (status.st_dev, status.st_ino)) in seen:
            raise UsageError(f"{path} is named twice: its requests would be counted twice", "name it once")
        seen[known] = path


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A file, unpacked if it is. Raises UsageError, also for what is damaged within."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == _PACKED
            plain.seek(0)
            if not packed:
                yield plain
                return
            with gzip.GzipFile(fileobj=plain) as file:
                yield file  # type: ignore[misc]
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise UsageError(f"{path} is damaged, or not packed to its end", "name a whole file") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", "check the path") from None


def _lines(file: IO[bytes], found: LogCount) -> Iterator[str | None]:
    """The lines, each up to its longest; for each part beyond that None, so that the time is looked at."""
    while line := file.readline(LONGEST_LINE):
        found.lines += 1
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            found.cut += 1
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                yield None
        yield line.decode("utf-8", "replace").rstrip("\r\n")


def _count(line: str, patterns: LogPatterns, found: LogCount) -> bool:
    """Count one line; returns whether its patterns ended in time."""
    try:
        match = patterns.request.search(line, timeout=PATIENCE)
        if match is None:
            return True
        found.matched += 1
        place = _placed(match["time"] or "", patterns, found)
        if place is None:
            return True
        failed = patterns.error.search(line, timeout=PATIENCE) is not None
    except (TimeoutError, MemoryError):
        return False
    found.requests[place] += 1
    found.errors[place] += failed
    return True


def _placed(text: str, patterns: LogPatterns, found: LogCount) -> int | None:
    """0 for a time in the period before, 1 for one in the period after, None for neither."""
    try:
        moment = read_time(text, patterns.form, patterns.zone)
    except NoTime as error:
        found.unzoned += isinstance(error, NoZone)
        found.ambiguous += error.ambiguous
        found.untimed += not isinstance(error, NoZone) and not error.ambiguous
        return None
    found.first = moment if found.first is None else min(found.first, moment)
    found.last = moment if found.last is None else max(found.last, moment)
    for place, (begins, ends) in enumerate((found.windows.before, found.windows.after)):
        if begins <= moment < ends:
            return place
    return None
