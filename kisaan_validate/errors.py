"""Everything this package raises on purpose.

KisaanError                 base; ``fact`` says what is, ``hint`` what to do
├── UsageError              the command or the configuration is wrong   (exit 2)
│   ├── SuiteError          a file of checks, SQL or TOML is wrong; names file and line
│   ├── TargetError         the database is not the expected one, or cannot be reached
│   └── RecordError         a run or baseline file is damaged, foreign or too new
│       └── OtherFormat     it is of a format that this version does not read
├── AlreadyRunning          another run holds the lock that --lock asks for         (exit 6)
├── OutsideWindow           a scan was started outside its window                   (exit 7)
├── Interrupted             a signal ended it before there was anything to keep     (exit 3)
└── DatabaseError           the server refused or lost a statement (carries the SQLSTATE)
    └── CatalogueWithheld   rights keep the system catalogue from being read, so nothing can be judged
"""

from __future__ import annotations


class KisaanError(Exception):
    """A failure reported without a traceback, as ``fact`` and ``hint``."""

    def __init__(self, fact: str, hint: str = "") -> None:
        super().__init__(fact)
        self.fact = fact
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.fact}\nHINT: {self.hint}" if self.hint else self.fact


class UsageError(KisaanError):
    """The command line or configuration asks for the impossible."""


class SuiteError(UsageError):
    """A file of checks, SQL or TOML is unusable. ``origin`` is ``file:line`` where known."""

    def __init__(self, fact: str, hint: str = "", origin: str = "") -> None:
        super().__init__(f"{origin}: {fact}" if origin else fact, hint)
        self.origin = origin
        self.said = fact
        """The fact without the origin."""


class TargetError(UsageError):
    """The database is unreachable, or not the expected one."""


class RecordError(UsageError):
    """A stored run or baseline is truncated, edited, foreign or too new."""


class OtherFormat(RecordError):
    """A record is of a format that this version does not read: nothing says that it is damaged."""


class AlreadyRunning(KisaanError):
    """Another run of the same suite on the same database is at work, here or on another host; nothing was
    done.
    """


class OutsideWindow(KisaanError):
    """A scan was started at a time at which its profile does not let it run; nothing was done."""


class Interrupted(KisaanError):
    """Somebody asked to stop, and there is nothing yet that could be kept. ``fact`` says by what."""


class DatabaseError(KisaanError):
    """A statement failed, or the server went away.

    ``sqlstate`` is PostgreSQL's five characters ("" if the client lost the connection without one);
    ``lost`` tells that the session is gone and nothing more can be asked on it. ``cancelled`` tells that
    the statement was cancelled by somebody, not by its timeout.
    """

    def __init__(
        self, fact: str, hint: str = "", sqlstate: str = "", lost: bool = False, *, cancelled: bool = False
    ) -> None:
        super().__init__(fact, hint)
        self.sqlstate = sqlstate
        self.lost = lost
        self.cancelled = cancelled


class CatalogueWithheld(DatabaseError):
    """The role may not read a part of the system catalogue without which no check can be judged."""
