"""What scratch servers left behind: listed, and erased when their owner has ended."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.scratch.keeper import erased
from kisaan_validate.scratch.marker import PREFIX, SUFFIX, FoundMarker, Marker, dead, markers

_FRESH = 60.0
_PATIENCE = 15.0
_SERVER = ("postgres", "postmaster")


@dataclass(frozen=True)
class Leftover:
    """What lies in a folder of scratch servers. ``state``: "in use", "kept", "left over", "unreadable".
    ``size`` in bytes; ``age`` in seconds.
    """

    path: Path
    state: str
    size: int
    age: float
    label: str
    pid: int | None


def leftovers(parents: Sequence[Path]) -> tuple[Leftover, ...]:
    """Everything of ours that lies in these folders, the live ones too."""
    return tuple(_told(found) for found in markers(tuple(parents)))


def sweep(parents: Sequence[Path], notice: Callable[[str], None], *, kept: bool = False) -> int:
    """Stop and erase what belongs to no living process; ``kept``: also what was kept on purpose.

    Returns how many could not be erased. Each is named to ``notice``.
    """
    failed = 0
    for found in markers(tuple(parents)):
        if not found.live:
            failed += _swept(found, notice, kept)
    return failed


def _swept(found: FoundMarker, notice: Callable[[str], None], kept: bool) -> int:
    folder = found.path.with_suffix("")
    # Locked while it is erased: two that sweep at once do not meet.
    with dead(found.path) as marker:
        if marker is None:
            return _unreadable(found, notice)
        if marker.kept and not kept:
            return 0
        end_programs(marker)
        left = erased(marker.folders)
        if left:
            notice(f"cannot erase {', '.join(left)}, which a scratch server left: erase it yourself")
            return 1
        with suppress(FileNotFoundError):
            found.path.unlink()
    notice(f"erased {folder}, which {_whose(marker)}")
    return 0


def _unreadable(found: FoundMarker, notice: Callable[[str], None]) -> int:
    """A marker that says nothing: of a process that was killed while it wrote it, before any folder was."""
    if found.live or found.marker is not None:
        return 0
    try:
        fresh = time.time() - found.path.stat().st_mtime < _FRESH
        folder = found.path.with_suffix("")
        if fresh or os.path.lexists(folder):
            if not fresh:
                notice(f"{found.path} cannot be read, so {folder} was left: look at it and erase both")
            return int(not fresh)
        found.path.unlink()
    except FileNotFoundError:
        return 0
    return 0


def _whose(marker: Marker) -> str:
    return "was kept on purpose" if marker.kept else f"process {marker.pid} had left when it was killed"


def end_programs(marker: Marker) -> None:
    """End the server that still runs in its folders, with its sessions."""
    data = _data_folders(marker)
    deadline = time.monotonic() + _PATIENCE
    asked: set[int] = set()
    while running := _programs(data):
        late = time.monotonic() > deadline
        for pid in running:
            # A server is told once to quit at once, and is killed after the time.
            if late or pid not in asked:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if late else signal.SIGQUIT)
        asked.update(running)
        if time.monotonic() > deadline + _PATIENCE:
            return
        time.sleep(0.05)


def _data_folders(marker: Marker) -> set[tuple[int, int]]:
    """Device and inode of the data folders, in which the programs of a server run."""
    found = set()
    for path in marker.folders:
        with suppress(OSError):
            there = os.lstat(os.path.join(path, "data"))
            found.add((there.st_dev, there.st_ino))
    return found


def _programs(data: set[tuple[int, int]]) -> list[int]:
    """PostgreSQL's programs that run in one of these. A number in postmaster.pid would prove nothing; and
    somebody's shell that stands there is left alone.
    """
    running = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            there = os.stat(process / "cwd")
            inside = (there.st_dev, there.st_ino) in data
            if inside and (process / "comm").read_text().strip() in _SERVER:
                running.append(int(process.name))
    return running


def _told(found: FoundMarker) -> Leftover:
    folder, marker = found.path.with_suffix(""), found.marker
    state = "unreadable" if marker is None else "kept" if marker.kept else "left over"
    made = marker.made if marker is not None else found.path.stat().st_mtime
    folders = [Path(path) for path in marker.folders] if marker is not None else [folder]
    return Leftover(
        folder,
        "in use" if found.live else state,
        sum(_size(path) for path in folders),
        max(0.0, time.time() - made),
        marker.label if marker is not None else "",
        marker.pid if marker is not None else None,
    )


def _size(folder: Path) -> int:
    """Bytes on the disk of all files in a folder, without following links."""
    total = 0
    for where, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(where, name)).st_blocks * 512
    return total


def strays(parents: Iterable[Path]) -> tuple[Path, ...]:
    """Folders named like ours that no marker names."""
    return tuple(
        path
        for parent in parents
        for path in sorted(parent.glob(f"{PREFIX}*"))
        if path.suffix != SUFFIX and path.is_dir() and not path.with_name(path.name + SUFFIX).exists()
    )
