"""A process that reads streams: ``python -m kisaan_validate.stream.child FD``, started by ``conduct`` and
by nobody else.

It gets its Job and its pieces over the inherited connection FD and answers there. It ends when its
standard input does, that is when its parent closes it or is gone: then it cancels what it has the server
do. What the author's functions print is lost.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection

from kisaan_validate.errors import KisaanError
from kisaan_validate.process.stopping import Stop
from kisaan_validate.stream.tally import Trouble
from kisaan_validate.stream.work import StreamJob, Work, open_session, read_again

LINGER_SECONDS = 0.5
"""How long the server has to cancel a statement before the process that waits for it ends."""


def main() -> None:
    """Serve one parent until it has no more pieces."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    stop = Stop()
    # A thread of its own, because the author's function may never give control back.
    threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    connection = Connection(int(sys.argv[1]))
    job: StreamJob = connection.recv()
    try:
        session = open_session(job, stop)
        work = Work(job, session, read_again(job), connection.send)
    # Refused in words: the parent puts them into the result instead of "the process ended".
    except KisaanError as error:
        connection.send(Trouble(error.fact, error.hint, getattr(error, "sqlstate", "")))
        return
    connection.send(None)
    # A lost session can read no further piece, and says so with the answer.
    while not session.lost and (order := connection.recv()) is not None:
        piece, left_out = order
        connection.send((work.read(piece, left_out), not session.lost))


def _end_with_parent(stop: Stop) -> None:
    # The end of standard input is the only sign of a parent that was killed.
    while os.read(0, 1):
        pass
    stop.request("no longer wanted")
    time.sleep(LINGER_SECONDS)
    # Not sys.exit: the main thread may be inside a function that never returns.
    os._exit(0)


if __name__ == "__main__":
    main()
