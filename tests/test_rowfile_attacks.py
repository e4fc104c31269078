"""The file of row digests where the disk is full, or where it is none."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kisaan_validate.errors import RecordError
from kisaan_validate.record.rowfile import RowWriter, sections
from kisaan_validate.record.valuefile import ValueWriter


@contextmanager
def no_room() -> Iterator[None]:
    """Within, no file of this process can grow: as on a full disk, but on every system and for any user."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(writer: RowWriter, rows: int) -> None:
    """Write so many rows, and the end."""
    for number in range(rows):
        writer.row(number, 1, 2, b"a key of some length")
    writer.finish()


def fill_values(writer: ValueWriter, rows: int) -> None:
    """Write so many values, and the end."""
    for _ in range(rows):
        writer.line(b"1\t1\tthe value of a column\n")
    writer.finish()


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    """Whenever the disk fills up: one sentence that names the file, and no part of it stays behind."""
    for rows in (0, 100_000):
        writer = RowWriter(tmp_path / "pre.json.rows")
        with no_room(), pytest.raises(RecordError, match=r"pre.json.rows: File too large"):
            fill(writer, rows)
        assert not list(tmp_path.iterdir())


def test_a_pipe_is_no_file_of_rows(tmp_path: Path) -> None:
    """It is refused before it is opened."""
    os.mkfifo(tmp_path / "pre.json.rows")
    with pytest.raises(RecordError, match="not a regular file"):
        sections(tmp_path / "pre.json.rows", 0, "")


def test_a_full_disk_leaves_no_part_of_a_file_of_values(tmp_path: Path) -> None:
    """The values beside a baseline are in clear: none may stay behind in a part of a file."""
    for rows in (0, 100_000):
        writer = ValueWriter(tmp_path / "pre.json.values")
        with no_room(), pytest.raises(RecordError, match=r"pre.json.values: File too large"):
            fill_values(writer, rows)
        assert not list(tmp_path.iterdir())
