"""Which files of a folder a runner takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.migrations import FileRemark, Oddity
from kisaan_validate.migrations.content import shown_name
from kisaan_validate.text.numbers import counted

MOST_FILES = 100_000
"""A folder with more files is not a folder of migrations."""

_NAMED = 5
_PASSED_OVER = frozenset({"node_modules", "venv", "__pycache__", "site-packages"})
"""Folders in which no project keeps its own migrations. One that is named explicitly is searched."""


@dataclass(frozen=True)
class ListedFiles:
    """The files that are taken, sorted by name, and those that are not; in ``message`` why none are.
    ``links`` are folders that were not looked into, being links.
    """

    taken: tuple[Path, ...] = ()
    others: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    message: str = ""

    @property
    def remarks(self) -> tuple[tuple[str, FileRemark], ...]:
        """(link, that it was not followed)."""
        remark = FileRemark(Oddity.NOT_READ, "is a link to a folder, which was not looked into")
        return tuple((link, remark) for link in self.links)

    def told(self, what: str) -> tuple[str, ...]:
        """A sentence about the files that were not taken, if there are any."""
        if not self.others:
            return ()
        some = ", ".join(self.others[:_NAMED]) + (", …" if len(self.others) > _NAMED else "")
        return (f"{counted(len(self.others), 'file')} of the folder ignored, not {what}: {some}",)


def listed(folders: Sequence[Path], is_taken: Callable[[Path], bool], *, deep: bool = False) -> ListedFiles:
    """The files of these folders. ``deep``: those of folders within too."""
    taken: list[Path] = []
    others: list[str] = []
    links: list[str] = []
    for folder in folders:
        try:
            for path in _files(folder) if not deep else _deep(folder, links):
                if is_taken(path):
                    taken.append(path)
                else:
                    others.append(shown_name(path.name))
                if len(taken) + len(others) > MOST_FILES:
                    return ListedFiles(message=f"{folder} has more than {counted(MOST_FILES, 'file')}")
        except OSError as error:
            return ListedFiles(message=f"{folder} cannot be read: {error.strerror}")
    taken.sort(key=lambda path: (path.name, str(path)))
    return ListedFiles(tuple(taken), tuple(sorted(others)), tuple(sorted(links)))


def _files(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            # A link to a folder is not a file; reading shows what any other link is.
            if not entry.is_dir():
                yield folder / entry.name


def _deep(folder: Path, links: list[str]) -> Iterator[Path]:
    """The files of a folder and of those within; links to folders are noted, as they may lead anywhere."""

    def refused(error: OSError) -> None:
        raise error

    for place, inner, files in os.walk(folder, onerror=refused):
        links += [shown_name(name) for name in inner if (Path(place) / name).is_symlink()]
        inner[:] = sorted(name for name in inner if name not in _PASSED_OVER and not name.startswith("."))
        yield from (Path(place) / name for name in files)
