"""Where a check is declared, as those who read a format find it."""

from __future__ import annotations

import re
from pathlib import PurePath


def place_of(origin: str, sources: str) -> tuple[str, int | None]:
    """(file, line) of an origin ``file:line``, below the folder ``sources``; ("", None) for one that is no
    file.
    """
    # "<string>" and the like are no files; a path may hold colons, so the line number is only at the end.
    match = re.fullmatch(r"(?P<file>[^<>]+?)(?::(?P<line>[1-9]\d*))?", origin, re.DOTALL)
    if match is None:
        return "", None
    file = PurePath(sources, match["file"]).as_posix()
    return file, int(match["line"]) if match["line"] else None
