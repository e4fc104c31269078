"""Row digests out of a snapshot: written into a baseline's file, or merged with those that a file holds."""

from __future__ import annotations

import queue
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import field
from operator import itemgetter
from typing import Protocol

from kisaan_validate.compare.ordered import groups_side_by_side
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import refusal
from kisaan_validate.execute.recovery import SAVEPOINT, give_back, recover
from kisaan_validate.facts.differences import no_key
from kisaan_validate.facts.kept import RowsCompared
from kisaan_validate.facts.place import Notice
from kisaan_validate.personal.masking import mask_values
from kisaan_validate.plan.measure.rows import MARK, MARK_LENGTH, RowStream
from kisaan_validate.postgres.session import Session

KEYS_KEPT = 20
"""So many keys of each kind are kept."""

KINDS = ("changed", "removed", "added", "late")

Row = tuple[int, int, int, str, bool]
"""Place, both lanes, the key as text, and whether the row is not above all keys of the baseline."""


_PLACE, _DISORDER = itemgetter(0), "rows did not arrive in the expected order"


class RowSink(Protocol):
    """What takes the rows of a baseline (see ``record.rowfile``)."""

    def begin(self, title: str, key: tuple[str, ...], forms: dict[str, str]) -> None:
        """A table begins."""

    def row(self, place: int, high: int, low: int, key: bytes) -> None:
        """One row."""

    def undo(self) -> None:
        """What was begun last is taken back."""


def write_rows(session: Session, streams: Iterable[RowStream], sink: RowSink) -> dict[str, str]:
    """Write the rows of these tables. Returns why some have none, by title. Raises DatabaseError where the
    session is lost.
    """
    refused = {}
    # One savepoint for all tables: a table that fails is rolled back to it, the snapshot stays.
    session.execute(f"SAVEPOINT {SAVEPOINT}")
    for stream in streams:
        if stream.message:
            refused[stream.title] = stream.message
            continue
        try:
            if why := refusal(session, stream.sql):
                refused[stream.title] = told(why)
                continue
            _write(session, stream, sink)
        except DatabaseError as error:
            recover(session)
            if error.lost or session.lost:
                raise
            # COPY writes values out, so an error may quote one of a personal column.
            refused[stream.title] = mask_values(told(error), stream.known) if stream.private else told(error)
        else:
            give_back(session)
    return refused


def told(error: DatabaseError) -> str:
    """A failure and what to do about it, in one line."""
    return f"{error.fact}; {error.hint}" if error.hint else error.fact


def _write(session: Session, stream: RowStream, sink: RowSink) -> None:
    """One table's rows, all of them or none. Raises DatabaseError."""
    # A key that is not unique tells no rows apart, so none is kept as such.
    sink.begin(stream.title, stream.key if stream.unique else (), dict(stream.forms))

    def take(line: bytes) -> None:
        # Tabs part the fields and cannot occur in them: COPY's text format escapes those of a value.
        place, high, low, key, _ = line.rstrip(b"\n").split(b"\t")
        sink.row(int(place), int(high), int(low), key)

    try:
        session.copy_out(f"COPY ({stream.sql}) TO STDOUT", take)
    except DatabaseError:
        sink.undo()
        raise


_NOT_KEPT = "the rows of {} are not kept: "


def not_kept(title: str, why: str) -> Notice:
    """What a baseline says of a table whose rows it was asked to keep and did not."""
    return Notice("rows", f"{_NOT_KEPT.format(title)}{why}")


def why_not_kept(notices: Iterable[Notice], title: str) -> str:
    """Why a baseline did not keep the rows of a table; "" where it does not say."""
    start = _NOT_KEPT.format(title)
    return next(
        (n.message.removeprefix(start) for n in notices if n.code == "rows" and n.message.startswith(start)),
        "",
    )


def _streamed(session: Session, sql: str) -> Iterator[Row]:
    """The rows of a statement as they come, read in a thread. Raises DatabaseError."""
    # Eight batches: the reader waits for the merge, and a large table does not pile up in memory.
    lines: queue.Queue[list[bytes] | DatabaseError | None] = queue.Queue(8)
    batch: list[bytes] = []

    def take(line: bytes) -> None:
        # Batches, because a queue costs more for each item than a row does.
        batch.append(line)
        if len(batch) >= 1000:
            lines.put(batch.copy())
            batch.clear()

    def read() -> None:
        try:
            session.copy_out(f"COPY ({sql}) TO STDOUT", take)
            lines.put(batch)
            # None ends the stream; an error takes its place, so the merge never mistakes a cut for an end.
            lines.put(None)
        except DatabaseError as error:
            lines.put(error)

    threading.Thread(target=read, daemon=True).start()
    while (taken := lines.get()) is not None:
        if isinstance(taken, DatabaseError):
            raise taken
        for line in taken:
            place, high, low, key, settled = line.rstrip(b"\n").split(b"\t")
            # A database in SQL_ASCII may hold any bytes; they survive the way there and back.
            yield int(place), int(high), int(low), key.decode("utf-8", "surrogateescape"), settled == b"t"


@dataclass
class _Counted:
    """What a merge counted, and the first keys of each kind. ``shared``: keys that several rows of one
    side have.
    """

    numbers: Counter[str] = field(default_factory=Counter)
    keys: dict[str, list[str]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    shared: int = 0

    def see(self, kind: str, key: str) -> None:
        self.numbers[kind] += 1
        # A row without a text of its key is counted, but cannot be named.
        if key and len(self.keys[kind]) < KEYS_KEPT:
            self.keys[kind].append(key)


def compare_rows(
    session: Session, stream: RowStream, kept: Iterable[Row], expected: tuple[int, int] | None = None
) -> RowsCompared:
    """One table's rows beside those of the file, both in the order of their place. Raises DatabaseError.

    ``expected`` are the rows that the table had then and has now: where what was found does not make up
    the difference, nothing is known. Nor is it where several rows have one key, as under a unique index
    that is damaged.
    """
    if stream.message:
        return RowsCompared(stream.title, stream.key, message=stream.message)
    if why := refusal(session, stream.sql):
        return RowsCompared(stream.title, stream.key, message=why.fact)
    counted = _Counted()
    identity = _marked if stream.marked else _whole
    now = _streamed(session, stream.sql)
    for old, new in groups_side_by_side(kept, now, _PLACE, _DISORDER):
        if stream.unique:
            _keyed(old, new, counted, identity)
        # The digest behind the key decides in the merge; people are shown the text.
        else:
            _bare(old, new, counted)
    if stream.marked:
        counted.keys = {kind: [key[:-MARK_LENGTH] for key in found] for kind, found in counted.keys.items()}
    numbers = counted.numbers
    added = numbers["added"] + numbers["late"]
    give_back(session)
    if doubt := _doubt(stream, counted, added, expected):
        return RowsCompared(stream.title, stream.key, message=doubt)
    keys = {kind: tuple(found) for kind, found in counted.keys.items() if found}
    # Without a key a changed row is one row gone and one row come.
    changed = numbers["changed"] if stream.unique else None
    return RowsCompared(
        stream.title,
        stream.key if stream.unique else (),
        added,
        numbers["removed"],
        changed,
        numbers["late"],
        keys,
    )


def _doubt(stream: RowStream, counted: _Counted, added: int, expected: tuple[int, int] | None) -> str:
    """What speaks against the figures, or ""."""
    if counted.shared:
        return no_key(stream.key, counted.shared)
    # Every row is in old, removed and added at most once, so the counts must add up exactly.
    if expected is not None and expected[0] - counted.numbers["removed"] + added != expected[1]:
        return "rows added and removed do not add up to the difference of the counts"
    return ""


def _whole(key: str) -> str:
    return key


def _marked(key: str) -> str:
    """What a key is, where its text alone does not say it. Raises DatabaseError for one that was kept
    without that.
    """
    if key[-MARK_LENGTH : -MARK_LENGTH + 1] != MARK:
        raise DatabaseError(
            "an earlier version, which compared keys as text, wrote the baseline: take a new one"
        )
    return key[-MARK_LENGTH:]


def _keyed(old: list[Row], new: list[Row], counted: _Counted, identity: Callable[[str], str]) -> None:
    before, after = _by_key(old, identity), _by_key(new, identity)
    for key in before.keys() | after.keys():
        gone, come = before.get(key, []), after.get(key, [])
        if len(gone) > 1 or len(come) > 1:
            # Repeated keys that are the same on both sides changed nothing, and do no harm.
            counted.shared += Counter(row[1:3] for row in gone) != Counter(row[1:3] for row in come)
        elif not come:
            counted.see("removed", gone[0][3])
        elif not gone:
            # Not above all keys of the baseline, so it was missing then; above them it may just be new.
            counted.see("added" if come[0][4] else "late", come[0][3])
        elif gone[0][1:3] != come[0][1:3]:
            counted.see("changed", come[0][3])


def _by_key(rows: Iterable[Row], identity: Callable[[str], str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[identity(row[3])].append(row)
    return found


def _bare(old: list[Row], new: list[Row], counted: _Counted) -> None:
    before, after = (Counter(row[1:3] for row in side) for side in (old, new))
    # As multisets: equal rows cannot be distinguished, so only their number can differ.
    counted.numbers["removed"] += (before - after).total()
    counted.numbers["added"] += (after - before).total()
