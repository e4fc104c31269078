"""The file of row digests where the disk is full, or where it is none."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kisaan_validate.compare.digests import BUCKETS
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.kept import RowFile
from kisaan_validate.plan.keptvalues import KeptForms
from kisaan_validate.record.rowfile import RowWriter, kept_rows
from kisaan_validate.record.valuefile import ValueWriter, kept_values


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
    """It is refused, and nobody waits for a writer."""
    os.mkfifo(tmp_path / "pre.json.rows")
    with pytest.raises(RecordError, match="not a regular file"):
        kept_rows(tmp_path, RowFile("pre.json.rows", 0, ""))


def test_a_full_disk_leaves_no_part_of_a_file_of_values(tmp_path: Path) -> None:
    """The values beside a baseline are in clear: none may stay behind in a part of a file."""
    for rows in (0, 100_000):
        writer = ValueWriter(tmp_path / "pre.json.values")
        with no_room(), pytest.raises(RecordError, match=r"pre.json.values: File too large"):
            fill_values(writer, rows)
        assert not list(tmp_path.iterdir())


FORMS = KeptForms(("id",), ("v",), {"id": "integer", "v": "text"}, {"v": "text"}, (), "UTF8")


def written(path: Path, number: int) -> RowFile:
    """A file of one row (or value) of two tables, which tell by a number who wrote it."""
    writer = (ValueWriter if path.suffix == ".values" else RowWriter)(path)
    for title in ("a", "b"):
        if isinstance(writer, ValueWriter):
            writer.table(title, FORMS)
            writer.line(b"%d\n" % number)
        else:
            writer.begin(title, ("id",), {"id": "int"})
            writer.row(number, 1, 2, b"key")
    digest = writer.finish()
    return RowFile(path.name, writer.size, digest)


def read(folder: Path, file: RowFile) -> Callable[[str], list[int]]:
    """Opens a file; the returned function reads one of its tables."""
    if file.name.endswith(".values"):
        values = kept_values(folder, file)
        return lambda title: [int(line) for line in values.lines(title)]
    rows = kept_rows(folder, file)
    return lambda title: [place for place, *_ in rows.rows(title, range(BUCKETS))]


@pytest.mark.parametrize("name", ["pre.json.rows", "pre.json.values"])
def test_what_is_used_are_the_bytes_that_were_checked(name: str, tmp_path: Path) -> None:
    """Whether another file takes its place, or it goes: read is the one that was opened and checked."""
    file = written(tmp_path / name, 1)
    opened = read(tmp_path, file)
    written(tmp_path / name, 2)
    assert opened("a") == [1]
    (tmp_path / name).unlink()
    assert opened("b") == [1]
    assert opened("a") == [1]


@pytest.mark.parametrize("name", ["pre.json.rows", "pre.json.values"])
def test_what_is_written_into_an_opened_file_is_not_believed(name: str, tmp_path: Path) -> None:
    """Neither before a table is read, nor while it is."""
    file = written(tmp_path / name, 1)
    opened = read(tmp_path, file)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:-1] + b"x")
    with pytest.raises(OSError, match="it was changed while it was used"):
        opened("a")


def test_readers_of_one_file_do_not_move_each_other(tmp_path: Path) -> None:
    """Two tables of it are read at once, row by row in turn."""
    writer = RowWriter(tmp_path / "pre.json.rows")
    for title, first in (("a", 0), ("b", 10**6)):
        writer.begin(title, (), {})
        for number in range(50_000):
            writer.row(first + number, 1, 2, b"some key")
    digest = writer.finish()
    rows = kept_rows(tmp_path, RowFile("pre.json.rows", writer.size, digest))
    both = zip(rows.rows("a", range(BUCKETS)), rows.rows("b", range(BUCKETS)), strict=True)
    assert all(a[0] + 10**6 == b[0] for a, b in both)
