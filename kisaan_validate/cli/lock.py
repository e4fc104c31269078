"""``--lock``: neither two processes nor two hosts prove one suite on one database at a time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from kisaan_validate.cli.options import the_limits

if TYPE_CHECKING:
    from kisaan_validate.ops.config import Config
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.suite.load import Suite


@contextmanager
def only_one(config: Config, suite: Suite, target: Target, stop: Stop, *, wanted: bool) -> Iterator[None]:
    """Hold both locks, the server's and that of the folder of reports, until the end. Does nothing if not
    ``wanted``.

    Raises AlreadyRunning, TargetError, DatabaseError and RecordError.
    """
    if not wanted:
        yield
        return
    from kisaan_validate.cli.job import attended
    from kisaan_validate.postgres.lock import advisory_lock, lock_key
    from kisaan_validate.record.filelock import file_lock

    name = suite.settings.name
    with ExitStack() as stack:
        # The server's lock first: it holds between hosts, and its session tells the database's real name.
        lock = advisory_lock(target, the_limits(config), config.expect, name, stop)
        held = attended(lambda _: stack.enter_context(lock), stop)
        # The key is a signed bigint; as a file's name it needs no sign.
        file = config.reports / f".lock-{lock_key(name, held.database) & 0xFFFFFFFFFFFFFFFF:016x}"
        with file_lock(file, f"suite {name!r} on database {held.database!r}"):
            yield
        # After a stop the session was ended on purpose.
        if not stop.requested and attended(lambda _: held.lost, stop):
            print(
                "note    the session that held the lock was lost: another run may have run at the same time",
                file=sys.stderr,
            )
