"""A suite edited for kept promises: which files change, and what is left to do by hand."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path

from kisaan_validate.author.accept.changes import SuiteChanges
from kisaan_validate.author.accept.leftover import left_in_suite
from kisaan_validate.author.accept.mentions import left_in_lines, left_in_python
from kisaan_validate.author.accept.python_edit import edited
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError
from kisaan_validate.suite.files import load_files


@dataclass(frozen=True)
class EditedSuite:
    """The files of a suite before and after, by path within its folder; ``by_hand`` is what remains.

    ``refusal`` says why the edited suite does not load; then it must not be written.
    """

    before: Mapping[str, str]
    after: Mapping[str, str]
    by_hand: tuple[str, ...]
    refusal: str = ""

    @property
    def changed(self) -> dict[str, str]:
        """The files that change."""
        return {path: text for path, text in self.after.items() if text != self.before[path]}

    def diff(self, folder: Path) -> Iterator[str]:
        """The unified diff, as ``patch -p0`` takes it, line by line."""
        for path, text in self.changed.items():
            name = (folder / path).as_posix()
            old, new = (t.splitlines(keepends=True) for t in (self.before[path], text))
            for line in difflib.unified_diff(old, new, name, name):
                yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def edited_suite(files: Mapping[str, str], more: Mapping[str, str], changes: SuiteChanges) -> EditedSuite:
    """The suite of ``files`` with all changed that is understood. ``more`` are texts beside it that may
    mention names.
    """
    after = {path: edited(text, changes) if path.endswith(".py") else text for path, text in files.items()}
    by_hand: list[str] = []
    for path, text in sorted({**after, **more}.items()):
        look = left_in_python if path.endswith(".py") else left_in_lines
        by_hand += dict.fromkeys(look(path, text, changes))
    try:
        suite = load_files(after)
    except SuiteError as error:
        return EditedSuite(files, after, tuple(by_hand), str(error))
    return EditedSuite(files, after, (*dict.fromkeys(left_in_suite(suite, changes)), *by_hand))
