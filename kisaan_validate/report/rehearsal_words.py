"""Times of a rehearsal as people read them: ranges that are never rounded to less than they are."""

from __future__ import annotations

import math
from collections.abc import Mapping

from kisaan_validate.facts.rehearsal import CanaryAccess, SecondsRange
from kisaan_validate.facts.tape import BLOCKS_READS

DONE_TO = {CanaryAccess.READ: "read", CanaryAccess.WRITE: "written"}
"""What a table could not be."""


def seconds_words(seconds: float, *, up: bool = False) -> str:
    """A time in the unit that people use, rounded down, or ``up``."""
    if seconds < 1:
        return f"{_rounded(seconds * 1_000, up)} ms"
    if seconds < 60:
        return f"{_rounded(seconds * 10, up) / 10:.1f} s"
    whole = _rounded(seconds, up)
    return f"{whole // 60:,} min {whole % 60} s"


def _rounded(value: float, up: bool) -> int:
    # A float such as 6.1 * 10 is a hair beside its number; that hair must not become a tenth.
    near = round(value)
    if abs(value - near) < 1e-6:
        return near
    return math.ceil(value) if up else math.floor(value)


def range_words(given: SecondsRange) -> str:
    """ "6.0 to 6.1 s": least rounded down, most rounded up; one number where both are the same."""
    least, most = seconds_words(given.least), seconds_words(given.most, up=True)
    if given.least <= 0:
        return f"up to {most}"
    if least == most:
        return most
    number, _, unit = least.partition(" ")
    # The unit once, where both have the same one; "1 min 3 s" has no single number.
    shared = unit == most.partition(" ")[2] and " " not in unit
    return f"{number} to {most}" if shared else f"{least} to {most}"


def clock(seconds: float) -> str:
    """A time after the start: within the first minute as a duration, later as on a stop-watch."""
    return seconds_words(max(0.0, seconds)) if seconds < 60 else _stop_watch(seconds)


def _stop_watch(seconds: float) -> str:
    """Hours, minutes and seconds."""
    whole = max(0, math.floor(seconds))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def clock_exact(seconds: float) -> str:
    """A time after the start as on a stop-watch, with thousandths."""
    thousandths = max(0, math.floor(seconds * 1_000 + 1e-6))
    return f"{_stop_watch(thousandths // 1_000)}.{thousandths % 1_000:03}"


def bytes_words(size: int) -> str:
    """A size in the unit that people use; bytes as they are."""
    value, unit = float(size), "bytes"
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if value < 1024 or unit == "TB":
            break
        value /= 1024
    return f"{size:,} bytes" if unit == "bytes" else f"{value:,.1f} {unit}"


def lock_words(mode: str) -> str:
    """What a lock keeps others from, in words, and its name."""
    return f"no reads, no writes ({mode})" if mode in BLOCKS_READS else f"no writes ({mode})"


def called(relation: str, nouns: Mapping[str, str]) -> str:
    """What people call a table; its name where nothing is said, without the schema public."""
    bare = relation.removeprefix("public.")
    return nouns.get(relation) or nouns.get(bare) or bare
