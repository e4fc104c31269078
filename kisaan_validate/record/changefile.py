"""The file of all rows that differ between two sides, written as they are met, in its place once whole."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.differences import ADDED, REMOVED
from kisaan_validate.facts.row_differences import ColumnPair, RowChange, RowDiff, TableDiff
from kisaan_validate.record.changelines import LATE, ChangeLines, FileEnd, cut_columns, kind_of
from kisaan_validate.record.files import cannot_write

_CHUNK = 1 << 18
"""Bytes that wait to be written."""

_UNEQUAL = "the rows that were read do not add up to its counts"


@dataclass(frozen=True)
class _Mark:
    """How far the file is: bytes, lines of rows, rows (equal ones of a table without a key have one line),
    values of which only the beginning was given.
    """

    size: int = 0
    lines: int = 0
    rows: int = 0
    cut: int = 0


class ChangeFile:
    """A ``ChangeSink`` that writes under a temporary name; :meth:`finish` puts it in its place, :meth:`drop`
    removes it. Its mode is 0600.

    Where it cannot be written (``failure``), the comparison goes on without it; ``finished`` says that it is
    in its place. Raises RecordError where it cannot be begun.
    """

    def __init__(self, path: Path, lines: ChangeLines) -> None:
        self.path, self.lines = path, lines
        self.failure: RecordError | None = None
        self.finished = False
        self._missed: dict[str, list[str]] = {}
        self._waiting = bytearray()
        self._key: Sequence[str] = ()
        self._seen: Counter[str] = Counter()
        self._here = self._settled = _Mark()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, self._temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        except OSError as error:
            raise cannot_write(path, error) from None
        self._file = os.fdopen(handle, "wb", buffering=0)
        self._write(lines.head, _Mark())
        self._settled = self._here

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self._here.rows

    @property
    def missed(self) -> int:
        """Of how many tables something is missing."""
        return len(self._missed)

    def begin(self, table: str, columns: Sequence[ColumnPair], key: Sequence[str]) -> None:
        """A table's rows follow; the result of an earlier attempt at it is void."""
        self._key = tuple(key)
        self._rewind()

    def see(self, change: RowChange) -> None:
        """Write one row."""
        here = self._here
        rows = here.rows + change.copies
        self._seen[kind_of(change)] += change.copies
        cut = here.cut + len(cut_columns(change))
        text = self.lines.row(here.lines + 1, change, self._key)
        self._write(text, _Mark(here.size, here.lines + 1, rows, cut))

    def miss(self, table: str, reason: str) -> None:
        """Rows or values of the table that cannot be given, and why."""
        self._missed.setdefault(table, []).append(reason)

    def settle(self, made: TableDiff) -> None:
        """A table is compared: its rows stay if they add up to its counts, all of which are known."""
        told = {"added": made.added, "removed": made.removed, "changed": made.changed, LATE: made.late}
        if None in told.values():
            self._rewind()
        elif {kind: count for kind, count in told.items() if count} != dict(self._seen):
            self._rewind()
            self._missed.setdefault(made.table, [_UNEQUAL])
        self._settled = self._here
        self._seen = Counter()

    def finish(self, diff: RowDiff, verdict: str) -> None:
        """Write the last lines, and put the file in its place. Raises RecordError."""
        for table in diff.tables:
            for reason in _lacking(table):
                self.miss(table.table, reason)
        here = self._here
        end = FileEnd(diff, verdict, here.lines, here.rows, here.cut, self._missed)
        self._write(self.lines.end(end), self._here)
        self._flush()
        if self.failure is None:
            try:
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self._temporary, self.path)
                self.finished = True
            except OSError as error:
                self._fail(error)
        if self.failure is not None:
            raise self.failure

    def drop(self) -> None:
        """Leave nothing behind, unless it was finished."""
        self._waiting.clear()
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            os.unlink(self._temporary)

    def _write(self, text: str, mark: _Mark) -> None:
        """``mark`` counts what is in the file with this text, but for its size."""
        # Bytes of a database without an encoding are no text: in CSV they are named, in JSON escaped.
        data = text.encode("utf-8")
        self._here = replace(mark, size=self._here.size + len(data))
        self._waiting += data
        if len(self._waiting) >= _CHUNK:
            self._flush()

    def _flush(self) -> None:
        try:
            while self._waiting and self.failure is None:
                written = self._file.write(self._waiting)
                del self._waiting[:written]
        except OSError as error:
            self._fail(error)
        self._waiting.clear()

    def _rewind(self) -> None:
        """Forget what came since the last table that was settled."""
        self._seen = Counter()
        if self._here == self._settled:
            return
        self._flush()
        self._here = self._settled
        try:
            if self.failure is None:
                self._file.seek(self._settled.size)
                self._file.truncate()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = cannot_write(self.path, error)
        self.drop()


def _lacking(table: TableDiff) -> Iterator[str]:
    """Why rows or values of a table are not in the file, by what the comparison says."""
    for unknown in table.unknown:
        yield f"{unknown.what}: {unknown.reason}"
    for change in table.schema:
        if change.aspect in {ADDED, REMOVED}:
            yield f"the values of {table.table}.{change.name}: the column is on one side only"
