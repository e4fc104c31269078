"""Which programs run."""

from __future__ import annotations

from pathlib import Path


def processes_of(folder: Path) -> list[str]:
    """The command lines of programs whose command names the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
        # It has ended meanwhile.
        except OSError:
            continue
    return [words for words in found if str(folder) in words]
