"""Values out of a snapshot: written into a baseline's file, or merged with those that a file holds, in the
order of the key.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from hashlib import blake2b
from itertools import tee
from typing import Protocol

from kisaan_validate.compare.ordered import side_by_side
from kisaan_validate.compare.patterns.watch import Watch
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.recovery import give_back
from kisaan_validate.facts.differences import no_key
from kisaan_validate.facts.kept import ValueChange, ValuePattern, ValuesCompared
from kisaan_validate.facts.row_differences import Kind, PatternFound, RowChange
from kisaan_validate.live.merge import Layout, Pipe, merge
from kisaan_validate.plan.keptvalues import KeptForms, ValueStream
from kisaan_validate.postgres.session import Session
from kisaan_validate.text.pairs import window

SAMPLES = 20
"""So many changed values of each column are kept."""

LONGEST = 500
"""Characters of a value that a sample holds."""


class ValueSink(Protocol):
    """What takes the values of a baseline (see ``record.valuefile``)."""

    def table(self, title: str, forms: KeptForms) -> None:
        """A table begins."""

    def line(self, line: bytes) -> None:
        """One row."""


def write_values(session: Session, streams: Iterable[ValueStream], sink: ValueSink) -> None:
    """Write the values of these tables. Raises DatabaseError where one cannot be read: they were asked for
    by name.
    """
    for stream in streams:
        try:
            if why := refusal(session, stream.sql):
                raise why
            sink.table(stream.title, stream.forms)
            session.copy_out(f"COPY ({stream.sql}) TO STDOUT", sink.line)
            give_back(session)
        except DatabaseError as error:
            raise DatabaseError(
                f"the values of {stream.title} are not kept: {error.fact}",
                error.hint,
                error.sqlstate,
                error.lost,
            ) from None


@dataclass
class _ChangedValues:
    """What was seen of the changed values of each column; memory does not grow with their number."""

    stream: ValueStream
    watch: Watch = field(default_factory=Watch)
    changed: Counter[str] = field(default_factory=Counter)
    samples: dict[str, list[ValueChange]] = field(default_factory=dict)

    def see(self, change: RowChange) -> None:
        """One row that came, went or changed: what came and went is no changed value."""
        # A row that came or went has no other value to compare with.
        if change.kind is not Kind.CHANGED:
            return
        self.watch.see(change)
        key = tuple(zip(self.stream.forms.key, change.key, strict=True))
        for name in change.columns:
            self.changed[name] += 1
            kept = self.samples.setdefault(name, [])
            if len(kept) < SAMPLES:
                kept.append(ValueChange(key, *window(change.before[name], change.after[name], LONGEST)))


def compare_values(
    session: Session, stream: ValueStream, kept: Iterable[bytes], expected: tuple[int, int]
) -> list[ValuesCompared]:
    """One table's values beside those that were kept (lines of its COPY), for each column that can be
    compared.

    ``expected`` are the rows that were counted before and now: if others were read, nothing is known.
    Raises DatabaseError where either side breaks off; the session is then of no more use.
    """
    key = stream.forms.key
    names = [pair.name for pair in stream.pairs if pair.name not in key]
    if why := refusal(session, stream.sql):
        return [ValuesCompared(stream.title, name, message=why.fact) for name in names]
    proofs = tuple(name for name in names if name in stream.forms.proofs)
    # An integer key is its own place; other keys are placed by their bytes.
    layout = Layout(stream.title, 1 if stream.forms.by_number else 2, stream.pairs, proofs, key)
    seen = _ChangedValues(stream)
    seen.watch.begin(stream.title, stream.pairs, key)
    pipe = Pipe()
    threading.Thread(target=_read, args=(session, stream.sql, pipe), daemon=True).start()
    try:
        unlike = _Unlike(_narrowed(kept, stream, names), pipe, layout)
        # The merge's lines come from one walk over both sides, split for the two readers.
        old, new = tee(unlike)
        counted = merge(_placed(_side(old, 0), layout), _placed(_side(new, 1), layout), layout, seen.see)
    finally:
        # Also after a failure, or the reading thread would wait for room in the pipe for ever.
        pipe.closed = True
    # Lines alike, lines of one side, and lines that the merge saw: together all that was read.
    read = tuple(unlike.alike + lone + number for lone, number in zip(unlike.lone, counted.read, strict=True))
    message = no_key(key, unlike.shared) if unlike.shared else ""
    if read != expected:
        message = (
            f"{read[0]:,} rows before and {read[1]:,} after were read, but {expected[0]:,} and "
            f"{expected[1]:,} had been counted"
        )
    if message:
        return [ValuesCompared(stream.title, name, message=message) for name in names]
    give_back(session)
    found = seen.watch.end(stream.title)
    both = unlike.alike + counted.read[0] - counted.removed
    return [
        ValuesCompared(
            stream.title, n, seen.changed[n], both, tuple(seen.samples.get(n, ())), _patterns(found, n)
        )
        for n in names
    ]


def _read(session: Session, sql: str, pipe: Pipe) -> None:
    try:
        # Without the line feed: kept lines have none.
        session.copy_out(f"COPY ({sql}) TO STDOUT", lambda line: pipe.write(line[:-1]))
        pipe.end()
    except DatabaseError as error:
        pipe.end(error)


class _Unlike:
    """The lines of both sides whose key is one and whose text is not, in the order of their keys: (before,
    after).

    Most lines are alike, and need nothing but to be counted; so do those that only one side has
    (``lone``): however many follow each other, nothing waits for the other side. ``shared``: keys that
    several lines of a side have, unless all of them are alike on both sides; such lines stand beside each
    other, since all come in the order of their keys.
    """

    def __init__(self, before: Iterable[bytes], after: Iterable[bytes], layout: Layout) -> None:
        self.before, self.after, self.layout = before, after, layout
        self.alike = self.shared = 0
        self.lone = [0, 0]
        self._unlike: bytes | None = None  # the key of the last line, if its sides were not alike
        self._counted: bytes | None = None
        self._alike = b""  # the last line that both sides have: most lines need not be taken to pieces

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        place = _number_of if self.layout.place == 1 else _key_of
        for old, new in side_by_side(self.before, self.after, place, _DISORDER, self._see_alike):
            if old is not None and new is not None:
                self._see(old)
                yield old, new
            elif old is not None:
                self._alone(0, old)
            elif new is not None:
                self._alone(1, new)

    def _see_alike(self, first: bytes, last: bytes, many: int) -> None:
        """A run of lines that both sides have."""
        self.alike += many
        if self._unlike is not None:
            # The next line may repeat the key of a pair that was not alike.
            self._share(_key_of(first), self._unlike)
            self._unlike = None
        self._alike = last

    def _alone(self, side: int, line: bytes) -> None:
        self.lone[side] += 1
        self._see(line)

    def _see(self, line: bytes) -> None:
        """A line whose sides are not alike: whether the line before it has its key."""
        key, before = _key_of(line), self._unlike
        # Most keys differ from the one before, so one comparison settles it.
        self._share(key, before if before is not None else _key_of(self._alike))
        self._unlike = key

    def _share(self, key: bytes, before: bytes) -> None:
        # Each key once, however many lines share it.
        if key == before and key != self._counted:
            self.shared += 1
            self._counted = key


_DISORDER = "the rows did not arrive in key order"


def _key_of(line: bytes) -> bytes:
    """The key of a line as it was written, which is the same for the same key."""
    return line.partition(b"\t")[0]


def _number_of(line: bytes) -> int:
    """The key of a line whose key is an integer."""
    return int(line.partition(b"\t")[0])


def _side(pairs: Iterable[tuple[bytes, bytes]], number: int) -> Iterator[bytes]:
    return (pair[number] for pair in pairs)


def _placed(lines: Iterable[bytes], layout: Layout) -> Iterator[bytes]:
    """Lines as ``merge`` reads them: their place is the key, their digest one of all texts and proofs."""
    framed = b"%b\t%b\t0\t%b\n" if layout.place == 1 else b"0\t%b\t%b\t0\t%b\n"
    for line in lines:
        key, _, rest = line.partition(b"\t")
        # A digest of the texts is enough: both sides wrote them by the same forms.
        yield framed % (key, blake2b(rest, digest_size=16).hexdigest().encode(), rest)


def _narrowed(lines: Iterable[bytes], stream: ValueStream, names: Sequence[str]) -> Iterator[bytes]:
    """The kept lines without the columns that are not compared."""
    forms = stream.forms
    if tuple(names) == forms.columns:
        yield from lines
        return
    fields = [*forms.key, *forms.columns]
    wanted = [0, *(1 + n for n, name in enumerate(fields) if name in forms.key or name in names)]
    wanted += [1 + len(fields) + n for n, name in enumerate(forms.proofs) if name in names]
    for line in lines:
        texts = line.split(b"\t")
        yield b"\t".join(texts[n] for n in wanted)


def _patterns(found: Iterable[PatternFound], column: str) -> tuple[ValuePattern, ...]:
    """What is said of this column, alone or with others, which are then named."""
    return tuple(
        ValuePattern(
            p.name,
            p.columns,
            p.rows,
            p.words if len(p.columns) == 1 else f"{' and '.join(p.columns)} {p.words}",
            p.facts,
        )
        for p in found
        if column in p.columns
    )
