"""Two streams of rows in the order of their key, merged into the rows that differ. Never more than a few
batches in memory.
"""

from __future__ import annotations

import queue
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field
from decimal import Decimal, InvalidOperation
from operator import attrgetter

from kisaan_validate.compare.ordered import groups_side_by_side
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.row_differences import ColumnPair, Kind, RowChange
from kisaan_validate.text.cutting import same
from kisaan_validate.text.pairs import as_real

BATCH, BATCH_BYTES, DEPTH = 1_000, 1 << 20, 4
"""Rows or bytes a batch, whichever comes first, and batches that may wait on either side."""

MOST_OF_ONE_KEY, MOST_BYTES_OF_ONE_KEY = 10_000, 32 << 20
"""Rows, and bytes of them, that may share one value of a key that is not unique."""

LATE = ""
"""The name, which no column has, of the field that says whether a row came late."""

RowPlace = tuple[int, bytes]


class Pipe:
    """What one side's session writes and the merge reads: lines of COPY's text format, a failure, or the end.

    Once ``closed``, nobody reads any more, and what is written is dropped.
    """

    def __init__(self) -> None:
        # A few batches: the faster side waits, and memory does not grow with the table.
        self._queue: queue.Queue[list[bytes] | DatabaseError | None] = queue.Queue(DEPTH)
        self._batch: list[bytes] = []
        self._size = 0
        self.closed = False

    def write(self, line: bytes) -> None:
        """Take one row."""
        self._batch.append(line)
        self._size += len(line)
        if len(self._batch) >= BATCH or self._size >= BATCH_BYTES:
            self._put(self._batch)
            self._batch, self._size = [], 0

    def end(self, failure: DatabaseError | None = None) -> None:
        """No more rows follow, because of ``failure`` if one is given."""
        # A failed side's last rows are of no use.
        if failure is None and self._batch:
            self._put(self._batch)
        self._put(failure)

    def _put(self, item: list[bytes] | DatabaseError | None) -> None:
        while not self.closed:
            # With a timeout, because a reader that is gone empties the queue no more.
            try:
                self._queue.put(item, timeout=0.2)
                return
            except queue.Full:
                continue

    def __iter__(self) -> Iterator[bytes]:
        while (batch := self._queue.get()) is not None:
            if isinstance(batch, DatabaseError):
                raise batch
            yield from batch


@dataclass(frozen=True)
class Layout:
    """What the fields of a streamed line are: ``place`` fields of the key's place, two lanes, ``columns``,
    proofs of some.

    ``place`` is 0 where rows have no key (their lanes are their place), 1 for an integer, 2 for an integer
    and bytes. ``late``: the last field says whether the row arrived after the before-state. ``summed``:
    the lanes are added up.
    """

    table: str
    place: int
    columns: tuple[ColumnPair, ...]
    proofs: tuple[str, ...]
    key: tuple[str, ...]
    late: bool = False
    summed: bool = False


@dataclass(slots=True)
class StreamedRow:
    """One streamed row: its place in the order, its digest, the rest of the fields unread; ``copies``
    equal rows without a key.
    """

    place: RowPlace
    digest: bytes
    rest: bytes
    copies: int = 1


def _lines(raw: Iterable[bytes], layout: Layout) -> Iterator[StreamedRow]:
    cuts = layout.place + 2
    for line in raw:
        # Only the place and the lanes are cut off; most rows are equal and never read further.
        fields = line[:-1].split(b"\t", cuts)
        rest = fields[cuts] if len(fields) > cuts else b""
        # One row may be larger than all that is allowed for a batch.
        if len(rest) > MOST_BYTES_OF_ONE_KEY:
            raise DatabaseError(f"one row has more than {MOST_BYTES_OF_ONE_KEY:,} bytes")
        if layout.place == 1:
            yield StreamedRow((int(fields[0]), b""), fields[1] + b"," + fields[2], rest)
        elif layout.place == 2:
            yield StreamedRow((int(fields[0]), fields[1]), fields[2] + b"," + fields[3], rest)
        else:
            yield StreamedRow(
                # Twenty digits and an offset: text that sorts as signed numbers do.
                (int(fields[0]), b"%020d" % (int(fields[1]) + 2**63)),
                fields[0] + b"," + fields[1],
                rest,
            )


_PLACE, _DISORDER = attrgetter("place"), "the server did not send the rows in the requested order"


def _of_one_key() -> Callable[[list[StreamedRow], StreamedRow], None]:
    """What takes rows of one key together. Raises DatabaseError if they are too many.

    One of it serves both sides, because the rows of a place are taken together before those of another.
    """
    size = 0

    def add(group: list[StreamedRow], line: StreamedRow) -> None:
        nonlocal size
        # Started again for each group, whose first line was taken before.
        if len(group) == 1:
            size = len(group[0].rest)
        group.append(line)
        size += len(line.rest)
        if len(group) > MOST_OF_ONE_KEY or size > MOST_BYTES_OF_ONE_KEY:
            hint = "declare a key that identifies rows: --key table=column,column"
            raise DatabaseError(f"more than {len(group) - 1:,} rows share one key", hint)

    return add


def _one_more(group: list[StreamedRow], _: StreamedRow) -> None:
    """Rows without a key: those of one place are equal, and one line counts for all."""
    group[0].copies += 1


@dataclass
class Merged:
    """What the merge counted. ``read``: rows of each side. ``shared``: keys that several rows of one side
    have.

    ``sums``: of each side's rows both lanes added up, where that was asked for.
    """

    read: list[int] = field(default_factory=lambda: [0, 0])
    sums: list[list[int]] = field(default_factory=lambda: [[0, 0], [0, 0]])
    added: int = 0
    removed: int = 0
    changed: int = 0
    late: int = 0
    columns: Counter[str] = field(default_factory=Counter)
    shared: int = 0
    contradicted: int = 0


def merge(
    before: Iterable[bytes], after: Iterable[bytes], layout: Layout, see: Callable[[RowChange], None]
) -> Merged:
    """Show every row that differs to ``see``, and count. Raises DatabaseError where a side failed."""
    counted = Merged()
    reader = _RowReader(layout)
    olds, news = _lines(before, layout), _lines(after, layout)
    if layout.summed:
        olds, news = _added(olds, counted.sums[0]), _added(news, counted.sums[1])
    # Without a key equal rows are only counted, so a million of them take no memory.
    add = _of_one_key() if layout.place else _one_more
    for old, new in groups_side_by_side(olds, news, _PLACE, _DISORDER, add):
        counted.read[0] += _rows(old)
        counted.read[1] += _rows(new)
        if len(old) == len(new) == 1 and old[0].digest == new[0].digest and old[0].copies == new[0].copies:
            continue
        if layout.place and (len(old) > 1 or len(new) > 1):
            counted.shared += 1
        for change in _changes(old, new, reader, layout):
            _count(change, counted, see)
    return counted


def _rows(group: list[StreamedRow]) -> int:
    """The rows of a group: without a key one line counts for all, with a key each line is one."""
    return group[0].copies if len(group) == 1 else len(group)


def _added(lines: Iterable[StreamedRow], sums: list[int]) -> Iterator[StreamedRow]:
    """The same lines, their lanes added to ``sums``."""
    for line in lines:
        high, _, low = line.digest.partition(b",")
        sums[0] += int(high)
        sums[1] += int(low)
        yield line


def _count(change: RowChange, counted: Merged, see: Callable[[RowChange], None]) -> None:
    if change.kind is Kind.REMOVED:
        counted.removed += change.copies
    elif change.late:
        counted.late += change.copies
    elif change.kind is Kind.ADDED:
        counted.added += change.copies
    # Equal columns under different digests: one of them is wrong, and nothing is said of the row.
    elif not change.columns:
        counted.contradicted += 1
        return
    else:
        counted.changed += 1
        counted.columns.update(change.columns)
    see(change)


def _changes(
    old: list[StreamedRow], new: list[StreamedRow], reader: _RowReader, layout: Layout
) -> Iterator[RowChange]:
    """The rows of one place that differ. Where several have the key, equal ones are matched first."""
    if not layout.place:
        # Rows of one place are equal, so only their number can differ.
        surplus = sum(line.copies for line in new) - sum(line.copies for line in old)
        if surplus:
            yield reader.whole(
                (new if surplus > 0 else old)[0], Kind.ADDED if surplus > 0 else Kind.REMOVED, abs(surplus)
            )
        return
    left, right = _unmatched(old, new), _unmatched(new, old)
    # In order, because nothing says which of several changed rows became which.
    for a, b in zip(left, right, strict=False):
        yield reader.changed(a, b)
    matched = min(len(left), len(right))
    for line in left[matched:]:
        yield reader.whole(line, Kind.REMOVED)
    for line in right[matched:]:
        yield reader.whole(line, Kind.ADDED)


def _unmatched(lines: list[StreamedRow], others: list[StreamedRow]) -> list[StreamedRow]:
    """The lines that are left when every one is struck out against an equal one of the others."""
    available = Counter(line.digest for line in others)
    left = []
    for line in lines:
        if available[line.digest] > 0:
            available[line.digest] -= 1
        else:
            left.append(line)
    return left


class _RowReader:
    """Makes changes of lines."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.names = [pair.name for pair in layout.columns]
        # numeric compares by value: 1.50 is 1.5, though it prints differently.
        self.numbers = {pair.name for pair in layout.columns if pair.form == "numeric"}
        # A real is compared as the double that it is; people see it with the digits of its own type, where
        # both sides have it.
        self.reals = {
            p.name for p in layout.columns if p.form == "float" and p.before_type == p.after_type == "real"
        }
        self.key = [self.names.index(name) for name in layout.key]

    def whole(self, line: StreamedRow, kind: Kind, copies: int = 1) -> RowChange:
        """A row that is on one side only."""
        values, proofs = self._fields(line)
        row = self._shown(values)
        before, after = (row, {}) if kind is Kind.REMOVED else ({}, row)
        late = kind is Kind.ADDED and proofs.get(LATE) == "t"
        return RowChange(self.layout.table, self._key(values), kind, before, after, (), copies, late)

    def changed(self, a: StreamedRow, b: StreamedRow) -> RowChange:
        """A row whose key is on both sides and whose digests differ."""
        (old, old_proofs), (new, new_proofs) = self._fields(a), self._fields(b)
        columns = tuple(
            name
            for name, x, y in zip(self.names, old, new, strict=True)
            if not (
                same(old_proofs[name], new_proofs[name]) if name in old_proofs else self._same(name, x, y)
            )
        )
        return RowChange(
            self.layout.table, self._key(new), Kind.CHANGED, self._shown(old), self._shown(new), columns
        )

    def _shown(self, values: Sequence[str | None]) -> dict[str, str | None]:
        row = dict(zip(self.names, values, strict=True))
        if self.reals:
            return {**row, **{name: as_real(row[name]) for name in self.reals}}
        return row

    # Text first: most equal numbers print alike.
    def _same(self, name: str, x: str | None, y: str | None) -> bool:
        if x == y or x is None or y is None or name not in self.numbers:
            return same(x, y)
        try:
            return Decimal(x) == Decimal(y)
        # A text that is no number cannot be compared as one, so it differs.
        except InvalidOperation:
            return False

    def _key(self, values: Sequence[str | None]) -> tuple[str | None, ...]:
        return tuple(values[n] for n in self.key)

    def _fields(self, line: StreamedRow) -> tuple[list[str | None], dict[str, str | None]]:
        """The texts of the columns, and the proofs of those that have one."""
        fields = [decoded(text) for text in line.rest.split(b"\t")] if line.rest or self.names else []
        shown, proofs = fields[: len(self.names)], fields[len(self.names) :]
        names = (*self.layout.proofs, LATE) if self.layout.late else self.layout.proofs
        return shown, dict(zip(names, proofs, strict=True))


_ESCAPES = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}


def decoded(text: bytes) -> str | None:
    """A field of COPY's text format; None for NULL."""
    if text == b"\\N":
        return None
    if b"\\" in text:
        # Doubled backslashes are marked first, so that "\\n" in a value is not read as a line feed.
        first, *pieces = text.replace(b"\\\\", b"\\\0").split(b"\\")
        text = first + b"".join(
            b"\\" + p[1:] if p[:1] == b"\0" else _ESCAPES.get(p[:1], p[:1]) + p[1:] for p in pieces
        )
    # Bytes of a database without an encoding survive the way to the page and back.
    return text.decode("utf-8", "surrogateescape")
