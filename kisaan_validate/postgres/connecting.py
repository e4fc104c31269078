"""Connecting, within a limit, whatever the name server, the network, a pooler or the server do."""

from __future__ import annotations

from typing import Any

import psycopg2

from kisaan_validate.errors import TargetError
from kisaan_validate.postgres.target import Target
from kisaan_validate.postgres.watchdog import within
from kisaan_validate.process.stopping import Stop

APPLICATION_NAME = "kisaan-validate"

_OWN = {
    "application_name": APPLICATION_NAME,
    "keepalives": "1",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
"""What we ask of libpq, unless the target's own settings differ: a dead network is noticed within a minute.
"""

UNLIMITED_SECONDS = 900.0
"""How long connecting may take where the target says ``connect_timeout=0``, which is libpq's word for "for
ever".
"""


def connect(target: Target, seconds: int, stop: Stop) -> Any:
    """A psycopg2 connection in autocommit. ``seconds``: for each host, unless the target says so. Raises
    TargetError.
    """
    given: dict[str, Any] = {
        # Ours first, so that the target may say otherwise; the
        # encoding last, because all texts are decoded as UTF-8.
        **_OWN,
        "connect_timeout": str(seconds),
        **target.parameters,
        "client_encoding": "UTF8",
    }
    limit = _limit(target, seconds)
    try:
        # In a thread: looking up a name and connecting cannot be interrupted, not even by a signal.
        connection = within(limit, stop, lambda: psycopg2.connect(**given), lambda late: late.close())
    except psycopg2.Error as error:
        # libpq quotes parts of the connection string in its messages.
        raise _refused(target, target.hide(_one_line(str(error))) or "the connection failed") from None
    except TimeoutError:
        raise _refused(
            target, stop.reason if stop.at is not None else f"no answer within {limit:,.0f} s"
        ) from None
    connection.autocommit = True  # transactions are begun and ended in SQL, nothing implicit
    return connection


def _one_line(text: str) -> str:
    """libpq's message, which may have a line for each host that it tried, and a question below each."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "; ".join(line for line in lines if line)


def _refused(target: Target, why: str) -> TargetError:
    return TargetError(
        f"cannot connect: {why}",
        f"the target came from {target.source}; `kisaan-validate doctor` tells more",
    )


def joining_seconds(target: Target, seconds: int) -> float:
    """How long a pooler may take to find a place for us, which is a part of connecting: as long as one
    host may take.
    """
    try:
        each = int(target.parameters.get("connect_timeout", seconds))
    except ValueError:
        return UNLIMITED_SECONDS  # which libpq refuses, in its own words
    # libpq raises a limit of one second to two.
    return float(max(each, 2)) if each > 0 else UNLIMITED_SECONDS  # as libpq takes it


def _limit(target: Target, seconds: int) -> float:
    """How long all may take: libpq limits each address, and not the lookup of a name."""
    # Each host is tried in turn, with the whole limit for each.
    hosts = max(target.parameters.get(name, "").count(",") + 1 for name in ("host", "hostaddr"))
    each = joining_seconds(target, seconds)
    # One more than there are hosts, for looking up their names.
    return each * (hosts + 1) if each < UNLIMITED_SECONDS else each
