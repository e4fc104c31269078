"""The file of chosen columns' values beside a baseline. Written as rows stream in, refused unless it is as
it was written.

Its frame is that of ``rowfile`` with another first line. A table's header is JSON: title, key, the
canonical forms of the key's columns and of the kept ones, which of them have a proof, types, and the
database's encoding. Each row is ``R``, the length of its line (4 bytes) and the line, which is COPY's text
format: the key, by which rows are ordered (an integer, else bytes), the texts of the key's columns, those
of the kept ones, and the proofs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.kept import RowFile
from kisaan_validate.plan.keptvalues import KeptForms
from kisaan_validate.record.opened import OpenedFile
from kisaan_validate.record.rowfile import RowWriter, headers

MAGIC = b"kisaan-validate values 1\n"
"""The first line: what it is, and the version of its form."""

_LINE = struct.Struct(">cI")


class ValueWriter(RowWriter):
    """Writes such a file: mode 0600, under a temporary name until :meth:`finish`. Raises RecordError."""

    magic = MAGIC

    def table(self, title: str, forms: KeptForms) -> None:
        """A table begins."""
        self._header(title, {"table": title, **asdict(forms)})

    def line(self, line: bytes) -> None:
        """One row, as COPY wrote it."""
        # COPY's own line end; the length replaces it.
        text = line.rstrip(b"\n")
        self._write(_LINE.pack(b"R", len(text)) + text)


@dataclass(frozen=True)
class KeptValues:
    """An opened file of values, known to be as it was written: by title, what is kept of a table and where
    it begins.
    """

    file: OpenedFile
    tables: Mapping[str, tuple[KeptForms, int]]

    def lines(self, title: str) -> Iterator[bytes]:
        """The lines of one table, in the order in which they were written. Raises OSError."""
        self.file.unchanged()
        with self.file.reader(self.tables[title][1]) as read:
            while (head := read.read(_LINE.size))[:1] == b"R":
                yield read.read(_LINE.unpack(head)[1])
        self.file.unchanged()


def kept_values(folder: Path, file: RowFile) -> KeptValues:
    """The file that a baseline names, in the baseline's folder. Raises RecordError unless it is as it was
    written.
    """
    path = folder / Path(file.name).name
    opened, found = headers(path, file, MAGIC, "--values")
    try:
        tables = {title: (_forms(given), offset) for title, (given, offset) in found.items()}
    # The digest matched, so it was written so: by another version.
    except (KeyError, TypeError, AttributeError):
        raise RecordError(
            f"{path} is not a file of values that this version reads", "take the baseline again"
        ) from None
    return KeptValues(opened, tables)


def _forms(given: Mapping[str, object]) -> KeptForms:
    named = {name: value for name, value in given.items() if name != "table"}
    # JSON has no tuples.
    lists = {name: tuple(value) for name, value in named.items() if isinstance(value, list)}
    return KeptForms(**{**named, **lists})  # type: ignore[arg-type]
