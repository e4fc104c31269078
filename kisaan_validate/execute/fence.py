"""Whether what was read is what the snapshot saw: asked once, when everything has been read."""

from __future__ import annotations

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.pool import Pool
from kisaan_validate.execute.snapshot import Snapshot, rewritten
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.process.stopping import Stop

REWRITTEN = "was truncated or rewritten while it was read"
UNSEEN = "could not be checked again after it was read"


def moved(pool: Pool, snapshot: Snapshot, stop: Stop) -> dict[TableKey, str]:
    """The tables whose rows stand for nothing, and why, as what follows their name. Raises nothing.

    Where no session is left to look, that is all of them; but after a stop the locks of the snapshot are
    trusted, where they are kept.
    """
    why = pool.loss
    # Any live session will do. It leaves the snapshot first, because inside it the files look as they were.
    for session in pool.sessions:
        try:
            session.execute("ROLLBACK")
            return dict.fromkeys(rewritten(session, snapshot), REWRITTEN)
        except DatabaseError as error:
            why = error.fact
    # A stop cut the sessions, not the locks: while these were held nobody could rewrite a table.
    if stop.requested and snapshot.locking.kept:
        return {}
    # What could not be looked at is treated as moved: nothing is green that was not proved.
    return {t.key: f"{UNSEEN}: {why}" for t in snapshot.locked}
