"""Reading one piece of a stream: chunks are decoded, judged and forgotten; whole columns are kept up to a
bound.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import TooLarge, refusal
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.streams import TOO_LONG, Judge, Piece, Stream
from kisaan_validate.postgres.session import Session
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.stream.decode import (
    SIGNATURE,
    TRAILER,
    Chunk,
    DecodeError,
    Ints,
    Unfit,
    Values,
    key_texts,
)
from kisaan_validate.stream.frames import joined
from kisaan_validate.stream.judge import StreamAnswer, agrees_with_parts, describe, judge
from kisaan_validate.stream.tally import Streamed, Tally, Trouble, trouble_of

CHUNK_ROWS = 65_536
CHUNK_BYTES = 8 * 1024**2
"""A chunk ends with whichever of the two comes first, so it never holds more than that and one row."""


@dataclass(frozen=True)
class Judged:
    """A check as its reader needs it: declaration, rule, and whether what it says may quote a personal
    value.
    """

    check: Check
    rule: PythonRule
    hidden: bool

    @property
    def column(self) -> str:
        """The column that it is about; "" for a check of the frame."""
        return "" if self.rule.frame else self.check.columns[0]


At = Callable[[str], None]
"""Called with the id of the check whose function is called next, and with "" when it has returned."""


class PieceReader:
    """Reads one piece in a session inside the snapshot. Raises nothing: trouble is a part of what it returns.

    ``tried`` are the checks that were found to be row-wise where that was said; each reader finds out once.
    """

    def __init__(
        self,
        session: Session,
        stream: Stream,
        judged: Mapping[str, Judged],
        keep: int,
        memory: int,
        at: At,
        tried: set[str],
    ) -> None:
        self._session, self._stream, self._judged, self._at = session, stream, judged, at
        self._result = Streamed(tallies={id: Tally(_keep(stream, keep)) for id in stream.check_ids})
        self._rows: list[bytes] = []
        self._begun = self._ended = False
        self._whole = Whole(stream, memory)
        self._tried = tried

    def read(self, piece: Piece) -> Streamed:
        """Stream the rows of a piece and judge them."""
        sql = self._stream.sql(piece.first, piece.end)
        start = time.perf_counter()
        trouble, sqlstate = self._copy(sql, piece)
        if trouble is None:
            trouble = self._finish()
        self._result.milliseconds = (time.perf_counter() - start) * 1000
        # A statement that was refused was not sent.
        if sqlstate or trouble is None or not trouble.refused:
            facts = StatementFacts(
                self._stream.purpose, sql, self._stream.check_ids, self._result.milliseconds, sqlstate
            )
            self._result.log.append(facts)
        # A stream with trouble proves nothing for any of its checks, also for what was judged before.
        if trouble is not None:
            for tally in self._result.tallies.values():
                tally.trouble = trouble
        return self._result

    def _copy(self, sql: str, piece: Piece) -> tuple[Trouble | None, str]:
        try:
            # ``estimated``: the planner knows the width of stored values, not that of the sent expressions.
            why = refusal(self._session, self._stream.select(piece.first, piece.end, estimated=True))
            large = isinstance(why, TooLarge)
            # Without ORDER BY nothing is written to disk, whatever the planner expects of its size.
            if why is not None and (self._stream.ordered or not large):
                return Trouble(why.fact, why.hint, refused=large), ""
            self._session.copy_out(sql, self._writer())
        except DatabaseError as error:
            recover(self._session)
            return self._trouble(error), error.sqlstate or "lost"
        except DecodeError as error:
            # What was read so far is in doubt, and the COPY is still running: only closing ends it.
            self._session.close()
            return _not_understood(error), ""
        except Exception as error:  # of this program: no row may be lost in silence
            self._session.close()
            return Trouble(f"{type(error).__name__} while the stream was read", "please report this bug"), ""
        return None, ""

    def _trouble(self, error: DatabaseError) -> Trouble:
        # The division by zero may also be the author's own filter's.
        if error.sqlstate != TOO_LONG or not self._stream.most:
            return trouble_of(error)
        fact = (
            f"a value takes more than {self._stream.most // 1024**2:,} MiB, the limit for one "
            "value under run.python_memory_mb"
        )
        if self._stream.table.only:
            fact += ", or its filter divides by zero"
        return Trouble(fact, "raise run.python_memory_mb, or write the check as SQL", error.sqlstate)

    def _writer(self) -> Callable[[bytes], None]:
        """What takes in a row. It is called for each: names of its own are faster than attributes."""
        rows, size, most_rows, most_bytes = self._rows, 0, CHUNK_ROWS, CHUNK_BYTES

        def write(row: bytes) -> None:
            nonlocal size
            rows.append(row)
            size += len(row)
            if size >= most_bytes or len(rows) >= most_rows:
                size = 0
                self._flush()

        return write

    def _flush(self) -> None:
        # A copy, because ``write`` keeps appending to the same list.
        rows = self._rows[:]
        self._rows.clear()
        if rows and not self._begun:
            # The header stands before the first row, in the same message.
            rows[0] = _without_header(rows[0])
            self._begun = True
            if not rows[0]:
                del rows[0]
        # The trailer is a message of its own; without it the stream was cut.
        if rows and rows[-1] == TRAILER:
            self._ended = True
            del rows[-1]
        if rows:
            self._judge_chunk(Chunk(rows, len(self._stream.outputs)))

    def _finish(self) -> Trouble | None:
        try:
            self._flush()
        except DecodeError as error:
            return _not_understood(error)
        if not self._ended:
            return Trouble("the stream ended early", "see the server's log, then run again")
        for judge_ in self._stream.judges:
            if not judge_.row_wise:
                self._judge_whole(judge_)
        return None

    def _judge_chunk(self, chunk: Chunk) -> None:
        self._result.rows += chunk.rows
        decoded: dict[str, Values | Unfit] = {}
        for judge_ in self._stream.judges:
            tally = self._result.tallies[judge_.check_id]
            if tally.trouble is None:
                self._decode(chunk, judge_, decoded, tally)
            if tally.trouble is None and judge_.row_wise:
                columns = {name: v for name in judge_.columns if isinstance(v := decoded[name], Values)}
                self._ask(judge_, columns, chunk.rows, tally, lambda found: self._texts(chunk, found))
        waiting = [
            # Whole columns are kept only for checks that can still be asked.
            j
            for j in self._stream.judges
            if not j.row_wise and self._result.tallies[j.check_id].trouble is None
        ]
        if waiting:
            self._whole.add(
                {n: v for j in waiting for n in j.columns if isinstance(v := decoded[n], Values)}, chunk
            )

    def _decode(self, chunk: Chunk, judge_: Judge, decoded: dict[str, Values | Unfit], tally: Tally) -> None:
        """Decode what a check needs, unless another one needed it already."""
        for name in judge_.columns:
            if name not in decoded:
                read = next(r for r in self._stream.reads if r.name == name)
                try:
                    decoded[name] = chunk.decode(self._stream.outputs.index(read), read.kind)
                except Unfit as error:
                    decoded[name] = error
            if isinstance(unfit := decoded[name], Unfit):
                tally.trouble = Trouble(
                    f"{name}: {unfit}", "write it as declare.holds(…), which runs inside PostgreSQL"
                )
                return

    def _judge_whole(self, judge_: Judge) -> None:
        tally = self._result.tallies[judge_.check_id]
        if tally.trouble is None:
            tally.trouble = self._whole.refusal(judge_.columns)
        if tally.trouble is None:
            self._ask(
                judge_, self._whole.columns(judge_.columns), self._result.rows, tally, self._whole.texts
            )

    def _ask(
        self,
        judge_: Judge,
        columns: Mapping[str, Values],
        rows: int,
        tally: Tally,
        texts: Callable[[Ints], list[list[str]]],
    ) -> None:
        """Call one function; whatever it does, only its own check suffers."""
        judged = self._judged[judge_.check_id]
        self._at(judge_.check_id)
        try:
            answer = judge(judged.rule, judged.column, columns, rows)
            # Once for each reader: asking every chunk three times would triple the time.
            if judge_.row_wise and judge_.check_id not in self._tried:
                self._tried.add(judge_.check_id)
                agrees_with_parts(judged.rule, judged.column, columns, rows, answer)
        except (
            BaseException
        ) as error:  # SystemExit and its like are no more than a function that does not answer
            fact = describe(error, judged.rule, judged.check.origin, judged.hidden)
            tally.trouble = Trouble(fact, "a function without an answer proves nothing; fix it and run again")
            return
        finally:
            # Also after an error: a loss after this must not be blamed on this function.
            self._at("")
        self._count(answer, tally, texts)

    def _count(self, answer: StreamAnswer, tally: Tally, texts: Callable[[Ints], list[list[str]]]) -> None:
        tally.violations += answer.violations
        tally.judged += answer.judged
        tally.nan += answer.nan
        tally.as_one = tally.as_one or answer.as_one
        # Without a locator rows are counted, but none can be named.
        if len(answer.rows) and self._stream.locator:
            found = texts(answer.rows)
            orders = [
                _order(read.kind, column) for read, column in zip(self._stream.locator, found, strict=True)
            ]
            tally.add_keys(
                list(zip(*found, strict=True)), list(zip(*orders, strict=True)), self._stream.keyed
            )

    def _texts(self, chunk: Chunk, rows: Ints) -> list[list[str]]:
        outputs = self._stream.outputs
        return [chunk.texts(outputs.index(read), read.kind, rows) for read in self._stream.locator]


def _not_understood(error: DecodeError) -> Trouble:
    return Trouble(
        f"the stream cannot be decoded: {error}",
        "please report this bug, with the types of the table's columns",
    )


def _order(kind: str, texts: list[str]) -> list[int] | list[bytes]:
    """What rows are ordered by: numbers as numbers, all else by its bytes."""
    if kind == "tid":
        return [
            (int(block) << 16) | int(offset) for block, _, offset in (t[1:-1].partition(",") for t in texts)
        ]
    if kind == "text":
        return [t.encode() for t in texts]
    return [int(t) for t in texts]


def _keep(stream: Stream, limit: int) -> int:
    """How many violating rows are kept, so that the server can name the first ``limit`` of them in its own
    order.
    """
    # Numbers sort here as on the server, so the first ``limit`` are the right ones.
    if all(read.kind != "text" for read in stream.locator):
        return limit
    # Texts sort by collation there and by bytes here, so more are kept than will be shown.
    return max(2 * limit, 1_000)


def _without_header(first: bytes) -> bytes:
    """What follows the header of the format. Raises DecodeError if there is none."""
    # Signature, flags, and the length of an extension that must be skipped.
    if not first.startswith(SIGNATURE) or len(first) < 19:
        raise DecodeError("it does not start like a COPY stream")
    return first[19 + int.from_bytes(first[15:19], "big") :]


class Whole:
    """The columns of checks that see all rows at once, as long as they fit into ``memory`` bytes together.

    Where they do not, the largest is given up first, and goes on being measured, so that its size can be
    said.
    """

    def __init__(self, stream: Stream, memory: int) -> None:
        self._stream, self._memory = stream, memory
        self._parts: dict[str, list[Values]] = defaultdict(list)
        self._keys: list[list[Values]] = []
        self._sizes: dict[str, int] = defaultdict(int)
        self._given_up: set[str] = set()
        self._key_size = self._rows = 0

    def add(self, columns: Mapping[str, Values], chunk: Chunk) -> None:
        """Keep a chunk."""
        outputs = self._stream.outputs
        self._rows += chunk.rows
        for name, values in columns.items():
            self._sizes[name] += values.size
            if name not in self._given_up:
                self._parts[name].append(values)
        keys = [chunk.decode(outputs.index(read), read.kind) for read in self._stream.locator]
        self._key_size += sum(values.size for values in keys)
        self._keys.append(keys)
        # All columns of one stream share the bound, together with the keys of its rows.
        while self._parts and self._key_size + sum(self._sizes[name] for name in self._parts) > self._memory:
            largest = max(self._parts, key=lambda name: self._sizes[name])
            self._given_up.add(largest)
            del self._parts[largest]

    def refusal(self, names: tuple[str, ...]) -> Trouble | None:
        """Why a check of these columns cannot be asked, if it cannot."""
        lost = [name for name in names if name in self._given_up]
        if not lost:
            return None
        # Rounded up: "0 MiB" would explain nothing.
        size, allowed = sum(self._sizes[name] for name in lost), self._memory // 1024**2
        fact = (
            f"{', '.join(lost)} of {self._rows:,} rows takes {-(-size // 1024**2):,} MiB, but "
            f"{allowed:,} MiB are allowed for whole columns"
        )
        return Trouble(
            fact, "declare the check row_wise if it is, write it as SQL, or raise run.python_memory_mb"
        )

    def columns(self, names: tuple[str, ...]) -> dict[str, Values]:
        """The whole columns."""
        for name in names:
            # Joined once, though several checks ask; without rows
            # an empty column has the right type all the same.
            self._parts[name] = [joined(self._parts[name])] if self._parts[name] else [self._empty(name)]
        return {name: self._parts[name][0] for name in names}

    def _empty(self, name: str) -> Values:
        read = next(r for r in self._stream.reads if r.name == name)
        return Chunk([], len(self._stream.outputs)).decode(self._stream.outputs.index(read), read.kind)

    def texts(self, rows: Ints) -> list[list[str]]:
        """The keys of some rows, by position, as the server writes them."""
        found = []
        for number, _ in enumerate(self._stream.locator):
            column = joined([keys[number] for keys in self._keys])
            found.append(key_texts(column.kind, column.values[rows]))
        return found
