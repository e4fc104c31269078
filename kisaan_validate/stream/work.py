"""What a reader of streams must know, and what it does: the same in a process of its own and in a thread
of this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field

import pandas as pd

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, SuiteError
from kisaan_validate.execute.locking import Locking
from kisaan_validate.execute.recovery import give_back
from kisaan_validate.execute.snapshot import enter_snapshot
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.plan.streams import Piece, Stream
from kisaan_validate.postgres.locktable import await_room
from kisaan_validate.postgres.same_server import Shared
from kisaan_validate.postgres.session import Discretion, Limits, Session
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.stream.piece import At, Judged, PieceReader
from kisaan_validate.stream.tally import Streamed, Tally, trouble_of
from kisaan_validate.suite.load import Suite, load_suite


@dataclass(frozen=True)
class StreamJob:
    """What travels to a process: where the snapshot is, what is streamed, and which suite holds the
    functions.

    Functions do not travel: the suite is read again, and must be the same (``digest``, and that of each
    check). ``hidden`` are the checks whose functions see personal values.
    """

    target: Target
    limits: Limits
    schemas: tuple[str, ...]
    snapshot: Shared
    tables: tuple[Table, ...]
    streams: tuple[Stream, ...]
    folder: str
    digest: str
    digests: Mapping[str, str]
    hidden: frozenset[str]
    keep: int
    memory: int
    locking: Locking = field(default_factory=Locking)
    discretion: Discretion | None = None


def open_session(job: StreamJob, stop: Stop) -> Session:
    """A session inside the snapshot, with its locks taken at the start (see execute.pool). Raises
    KisaanError.
    """
    session = Session(job.target, job.limits, job.schemas, stop)
    session.discretion = job.discretion
    try:
        enter_snapshot(session, job.snapshot, job.tables, keep=job.locking.kept)
    # Also for an interrupt: an open session would keep its locks.
    except BaseException:
        session.close()
        raise
    return session


def read_again(job: StreamJob) -> Suite:
    """The suite, as this process finds it. Raises SuiteError if it is not the one that is being run."""
    suite = load_suite(job.folder)
    known = {check.id: check.digest for check in suite.checks}
    # Functions are named by check, so another suite could answer under the same ids.
    if suite.digest != job.digest or any(known.get(id) != digest for id, digest in job.digests.items()):
        raise SuiteError("the suite changed during the run", "run again")
    return suite


def judged_of(suite: Suite, job: StreamJob) -> dict[str, Judged]:
    """The checks that read streams, with their functions, by id."""
    checks = {check.id: check for check in suite.checks}
    found = {}
    for id in (id for stream in job.streams for id in stream.check_ids):
        rule = suite.rules[id]
        assert isinstance(rule, PythonRule)
        rule.check.get_backend(pd.Series())  # what pandera imports for its first check, it imports now
        found[id] = Judged(checks[id], rule, id in job.hidden)
    return found


class Work:
    """What a reader does with the pieces that it gets, one after the other, in one session."""

    def __init__(self, job: StreamJob, session: Session, suite: Suite, at: At) -> None:
        self._job, self._session, self._at = job, session, at
        self._judged = judged_of(suite, job)
        self._tried: set[str] = set()

    def read(self, piece: Piece, left_out: Collection[str]) -> Streamed:
        """Read one piece for all checks of its stream but those ``left_out``. Raises nothing."""
        job = self._job
        stream = job.streams[piece.stream].only(lambda judge: judge.check_id not in left_out)
        try:
            # Before the piece, because a full lock table makes everybody's next statement fail.
            if self._session.frugal:
                await_room(self._session, job.locking.need)
        except DatabaseError as error:
            return Streamed(tallies={id: Tally(0, trouble=trouble_of(error)) for id in stream.check_ids})
        found = PieceReader(
            self._session, stream, self._judged, job.keep, job.memory, self._at, self._tried
        ).read(piece)
        # After the piece, where locks cannot be kept.
        give_back(self._session)
        return found
