"""What a SQLSTATE means for its reader, and what to do."""

from __future__ import annotations

CANCELLED = "57014"
"""query_canceled: by the statement's timeout, or by somebody."""

NOT_TIMED_OUT = "it was cancelled, not timed out: run again"
"""What to do if it was somebody."""

_HINTS = {
    "42501": "grant SELECT to this role (and, for row security, BYPASSRLS), then run again",
    "55P03": "another session holds a conflicting lock; wait for it to finish, or raise lock_timeout",
    CANCELLED: "raise statement_timeout, narrow the check, or let indexes find its rows (--trust-indexes)",
    "08006": "the server closed the connection; see its log, then run again",
    "57P01": "the server closed the connection; see its log, then run again",
    "57P02": "a server process crashed; see the server's log, then run again",
    "40001": "on a standby, replay conflicted with the snapshot: run on the primary, or raise "
    "max_standby_streaming_delay",
    "53100": "the server's disk is full",
    "53300": "the server has no free connection; lower --jobs or raise max_connections",
}


def hint_for(sqlstate: str) -> str:
    """What to do about a SQLSTATE, where there is something to say."""
    return _HINTS.get(sqlstate, "")


# libpq hands on the words of a FATAL message alone, so they are all there is to go by.
_SAID = {
    "terminating connection due to administrator command": "57P01",
    "terminating connection because of crash": "57P02",
    "terminating connection due to conflict with recovery": "40001",
    "terminating connection due to idle-in-transaction timeout": "25P03",
    "terminating connection due to transaction timeout": "25P04",
    "the database system is": "57P03",
    "too many connections for": "53300",
    "too many clients already": "53300",
    "remaining connection slots are reserved": "53300",
}


def sqlstate_said(text: str) -> str:
    """The SQLSTATE of a FATAL message, which libpq hands on as text only; "" if unknown (or not in
    English).
    """
    # In English only: another language gives no SQLSTATE, and the message speaks for itself.
    return next((sqlstate for words, sqlstate in _SAID.items() if words in text), "")
