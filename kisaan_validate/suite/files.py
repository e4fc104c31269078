"""A suite that is not in its folder yet: texts of files, read as any suite is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.suite.sources import source_files


def load_files(files: Mapping[str, str]) -> Suite:
    """The suite of these files: path within the folder to text. Raises SuiteError."""
    folder = Path(tempfile.mkdtemp(prefix="kisaan-suite-"))
    try:
        for path, text in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # Line feeds only, so that a draft has the same digest on every system.
            target.write_text(text, encoding="utf-8", newline="\n")
        return load_suite(folder)
    finally:
        # Left-over files are harmless; failing to remove them must not hide an error of the suite.
        shutil.rmtree(folder, ignore_errors=True)


def suite_files(folder: Path) -> list[Path]:
    """The files that make the suite of a folder, as far as they exist."""
    return [path for path in (*source_files(folder), folder / "suite.toml") if path.exists()]
