"""How old the rows of a standby are, and whether it still replays."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.place import Standby
from kisaan_validate.postgres.session import Session


def read_standby(session: Session, sql: str) -> Standby:
    """What a standby says of its own age, for the snapshot that ``session`` holds. Raises DatabaseError if
    it is lost.

    ``sql`` is the text of ``sql/standby.sql``. What this role may not ask is not known: an unknown age is
    no young one.
    """
    # A savepoint, because the functions about replay may be revoked.
    session.execute("SAVEPOINT standby")
    try:
        ((behind, heard, paused, replayed_at),) = session.execute(sql)
        session.execute("RELEASE SAVEPOINT standby")
    except DatabaseError as error:
        if error.lost:
            raise
        session.execute("ROLLBACK TO SAVEPOINT standby; RELEASE SAVEPOINT standby")
        return Standby(None, None, None)
    # While replay is paused, what was received is not shown yet: it says nothing of the rows.
    return Standby(_youngest((behind, None if paused else heard)), paused, _utc(replayed_at))


def require_young(standby: Standby | None, most_seconds: float | None) -> None:
    """Refuse a standby whose rows are too old. Raises DatabaseError."""
    if stale := too_old(standby, most_seconds):
        raise DatabaseError(stale, "use the primary, or wait until the standby has caught up")


def _youngest(ages: Iterable[float | None]) -> float | None:
    """The least of the known ages, each of which is an upper bound; a clock that runs behind makes none
    negative.
    """
    # The standby's clock may be behind the primary's.
    known = [max(0.0, age) for age in ages if age is not None]
    return min(known, default=None)


def _utc(moment: Any) -> datetime | None:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else None


def too_old(standby: Standby | None, most_seconds: float | None) -> str:
    """Why a standby's rows are too old to be judged, or "". An age that is not known is too old for any
    limit.
    """
    if standby is None or most_seconds is None:
        return ""
    # None is no age of 0: what is not known must not pass for fresh.
    if standby.behind_seconds is not None and standby.behind_seconds <= most_seconds:
        return ""
    return f"not run: {standby.words}, and [limits] standby allows {most_seconds:,g} s"
