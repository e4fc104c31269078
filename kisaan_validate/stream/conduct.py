"""All streams of a run: pieces are dealt out to readers, and what happens to those that are lost."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.execute.gate import OPEN, Gate
from kisaan_validate.plan.streams import Piece, Stream, pieces_of
from kisaan_validate.process.stopping import Stop
from kisaan_validate.stream.helpers import SPARE_SECONDS, Helper, Lost, NotStarted, Process, ThreadHelper
from kisaan_validate.stream.tally import Streamed, Tally, Trouble
from kisaan_validate.stream.work import StreamJob
from kisaan_validate.suite.load import Suite

STOP_SECONDS = 2.0
"""How long after a stop readers are waited for."""

CUT_SECONDS = 0.5
"""How much longer than the grace of a stop: what was cut then needs a moment to come back."""


@dataclass
class _Task:
    """A piece, and its result."""

    piece: Piece
    answer: Streamed | None = None
    begun: float | None = None
    losses: int = 0
    culprits: dict[str, Trouble] = field(default_factory=dict)


class Streams:
    """Reads all streams of a plan, each once. Readers open their sessions and take their locks when this
    is made.

    Suites that are a folder are read by processes, at most ``jobs`` of them and no more than there are
    pieces; what has no folder by one thread of this process. A stream of a lower ``turn`` is read first.
    ``results`` blocks; ``close`` ends the readers, also when it was never called.
    """

    def __init__(
        self,
        job: StreamJob,
        suite: Suite,
        blocks: Mapping[int, int],
        jobs: int,
        stop: Stop,
        gate: Gate = OPEN,
        turn: Callable[[Stream], int] = lambda _: 0,
    ) -> None:
        self._job, self._suite, self._stop, self._gate = job, suite, stop, gate
        self._tasks = [
            _Task(p)
            # The longest first, so that no reader is left alone with it at the end.
            for n, s in _largest_first(job.streams)
            for p in pieces_of(n, s, blocks.get(s.table.oid), jobs)
        ]
        self._tasks.sort(key=lambda task: turn(job.streams[task.piece.stream]))
        self._waiting: queue.SimpleQueue[_Task] = queue.SimpleQueue()
        for task in self._tasks:
            self._waiting.put(task)
        self._go, self._closed = threading.Event(), threading.Event()
        self._done: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._here: ThreadHelper | None = None
        self._deadline, self._failure = float("inf"), ""
        # A suite without a folder exists only in this process, so one thread has to do.
        count = min(jobs, len(self._tasks)) if job.folder else min(1, len(self._tasks))
        self._lock, self._count, self._able = threading.Lock(), count, count
        self.shortage = ""
        """Why fewer readers than asked for did the work; "" if all did."""
        # Daemons: an author's function that never returns must not keep the process from ending.
        self._threads = [threading.Thread(target=self._drive, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def results(self, on_done: Callable[[int, int], None]) -> list[Streamed]:
        """What each stream says, in the order of the job. A check without an answer has a trouble; nothing
        raises.
        """
        # Begun only now, though the readers were started long
        # before: their locks are from the start of the run.
        self._go.set()
        total, done = len(self._tasks), 0
        on_done(0, total)
        while done < total and self._waited_for():
            try:
                self._done.get(timeout=0.1)
            except queue.Empty:
                continue
            done += 1
            on_done(done, total)
        # Its thread may be caught in a function; cutting the session is all that is left to do.
        if self._here is not None and done < total:
            self._here.abandon()
            self._threads = []
        return self._joined()

    def close(self) -> None:
        """End all readers."""
        self._closed.set()
        self._go.set()
        until = time.monotonic() + STOP_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _waited_for(self) -> bool:
        """Whether somebody may still answer. A thread that is caught in a function is not waited for."""
        if not any(thread.is_alive() for thread in self._threads):
            # Answers may still be queued when the last thread has ended.
            return not self._done.empty()
        now = time.monotonic()
        if self._stop.requested:
            # Only ever earlier: the deadline of a second stop must not extend the first one.
            self._deadline = min(self._deadline, now + STOP_SECONDS, self._stop.deadline + CUT_SECONDS)
            return now < self._deadline
        # A thread cannot be killed as a process can, so it is given up when it is silent too long.
        if self._here is not None:
            limit = self._job.limits.statement_timeout / 1000 + SPARE_SECONDS
            return not any(
                t.begun is not None and t.answer is None and now - t.begun > limit for t in self._tasks
            )
        return True

    def _joined(self) -> list[Streamed]:
        found = [Streamed() for _ in self._job.streams]
        for task in self._tasks:
            ids = self._job.streams[task.piece.stream].check_ids
            found[task.piece.stream].add(task.answer or _troubled(ids, self._unanswered(task)))
        return found

    def _unanswered(self, task: _Task) -> Trouble:
        if self._stop.requested:
            return Trouble(f"not run: {self._stop.reason}", "run again")
        if self._failure:
            return Trouble(self._failure, "please report this bug")
        at = self._here.at if self._here is not None and task.begun is not None else ""
        return Trouble(
            f"no answer in time{f', in the function of {at}' if at else ''}",
            "fix the function, or raise statement_timeout",
        )

    def _drive(self) -> None:
        """One reader: begins at once, reads when it may, until nothing is left."""
        reader = _HelperReader(self._start)
        try:
            reader.prepare()
            # Stepping aside leaves the pieces to the others; the
            # last reader stays, to say why there is no answer.
            if reader.refused is not None and self._steps_aside(reader.refused):
                return
            self._go.wait()
            while (
                not self._stop.requested and not self._closed.is_set() and (task := self._next()) is not None
            ):
                with self._gate.enter(None, self._stop):
                    if self._stop.requested:
                        break
                    task.begun = time.monotonic()
                    task.answer = reader.read(task, self._job.streams[task.piece.stream])
                self._done.put(None)
        except Exception as error:  # of this program: what it was to answer has no answer
            self._failure = f"{type(error).__name__} in a reader of streams"
        finally:
            reader.close()

    def _steps_aside(self, why: Trouble) -> bool:
        """Whether others may still do the work of a reader that could not be started. The last one says
        why nobody can.
        """
        with self._lock:
            # Under the lock, so that the last two cannot both step aside.
            if self._able == 1:
                return False
            self._able -= 1
            self.shortage = f"{self._able} of {self._count} readers of streams were started: {why.fact}"
            return True

    def _next(self) -> _Task | None:
        try:
            return self._waiting.get_nowait()
        except queue.Empty:
            return None

    def _start(self) -> Helper:
        if self._job.folder:
            return Process(self._job, self._stop)
        self._here = ThreadHelper(self._job, self._suite, self._stop)
        return self._here


class _HelperReader:
    """A helper, and another one when it is lost."""

    def __init__(self, start: Callable[[], Helper]) -> None:
        self._start = start
        self._helper: Helper | None = None
        self.refused: Trouble | None = None
        """Why no helper can be started."""

    def prepare(self) -> None:
        """Start the helper, unless there is one, or starting it failed; a helper that dies at its start is
        started again once.
        """
        # Twice: a process may die at its start for a reason of that moment, as for lack of memory.
        for attempt in (1, 2):
            if self.refused is not None or (self._helper is not None and self._helper.alive):
                return
            self.close()
            try:
                self._helper = self._start()
            except NotStarted as error:
                self.refused = None if error.lost and attempt == 1 else error.trouble

    def close(self) -> None:
        """End the helper."""
        if self._helper is not None:
            self._helper.close()
            self._helper = None

    def read(self, task: _Task, stream: Stream) -> Streamed:
        """The answers of a piece, whatever happens.

        A piece whose reader is lost is read again once. If it is lost again, the function that was running
        counts as the culprit, and the others are asked without it; if none was running, there is no
        answer.
        """
        while True:
            asked = [id for id in stream.check_ids if id not in task.culprits]
            self.prepare()
            if self._helper is None:
                answer = _troubled(asked, self.refused or Trouble("not run"))
            else:
                try:
                    answer = self._without_sorting(task, stream)
                except Lost as lost:
                    if self._again(task, lost):
                        continue
                    answer = _troubled(asked, Trouble(lost.fact, "run again"))
            # What was blamed keeps its trouble, whatever the rest of the checks answered.
            answer.add(Streamed(tallies={id: _lost(trouble) for id, trouble in task.culprits.items()}))
            return answer

    def _again(self, task: _Task, lost: Lost) -> bool:
        """Whether the piece is read again, without the function that the reader was lost in if it is the
        second time.
        """
        task.losses += 1
        # After a stop, or where the piece was too late already, another attempt would only take longer.
        if lost.final:
            return False
        if task.losses > 1 and lost.at:
            task.culprits[lost.at] = Trouble(
                f"{lost.fact} in this function", "fix the function, then run again"
            )
        # The first loss may be an accident; the second one in the same function is not.
        return task.losses == 1 or bool(lost.at)

    def _without_sorting(self, task: _Task, stream: Stream) -> Streamed:
        """Read a piece; if it may not be sorted for whole columns, then without these."""
        assert self._helper is not None
        answer = self._helper.read(task.piece, tuple(task.culprits))
        refused = [
            id for id, tally in answer.tallies.items() if tally.trouble is not None and tally.trouble.refused
        ]
        whole = {judge.check_id for judge in stream.judges if not judge.row_wise}
        # Only checks of whole columns need the sort, so the others are asked without it.
        if not refused or whole.issuperset(answer.tallies):
            return answer
        rest = self._helper.read(task.piece, (*task.culprits, *whole))
        rest.add(Streamed(tallies={id: answer.tallies[id] for id in whole.intersection(answer.tallies)}))
        return rest


def _largest_first(streams: Sequence[Stream]) -> list[tuple[int, Stream]]:
    return sorted(enumerate(streams), key=lambda item: -item[1].table.estimated_rows)


def _lost(trouble: Trouble) -> Tally:
    return Tally(0, trouble=trouble)


def _troubled(ids: Sequence[str], trouble: Trouble) -> Streamed:
    return Streamed(tallies={id: _lost(trouble) for id in ids})
