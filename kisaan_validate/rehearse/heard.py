"""What the log says of one session, as statements: when each began and ended, what event triggers noted.

A client may send a whole file as one message. Then the server's line on the analysis of each statement
(``log_parser_stats``) tells where one ends and the next begins; what functions run inside has a context.
"""

from __future__ import annotations

import json
import re
from dataclasses import field
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.rehearse.logfile import LogLine
from kisaan_validate.sql.splitting import SqlPiece, split_statements

TAPE_SETTINGS = {
    "log_statement": "all",
    "log_duration": "on",
    "log_parser_stats": "on",
    "log_lock_waits": "on",
    "log_temp_files": "0",
    "log_min_messages": "debug1",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_duration_statement": "-1",
    "deadlock_timeout": "100ms",
}
"""What sessions that migrate have set, so that their log can be read here. Values of parameters stay out of
the log; waits for locks are in it from ``deadlock_timeout`` on.
"""


@dataclass
class HeardStatement:
    """One statement as the log tells it; times are in seconds since 1970 by the log's clock.

    ``notes`` are those of event triggers, ``waits`` the end and length of each wait for a lock by relation
    and mode. ``batch`` numbers the messages of the session. ``inner_line`` is the line of a DO block's body.
    """

    text: str
    tag: str
    start: float
    transaction: str
    batch: int
    pid: int
    session: str
    extended: bool = False
    end: float | None = None
    sqlstate: str = ""
    error: str = ""
    composed: bool = False
    closed_at: float | None = None
    """When its message was answered, if it was the last of it: its transaction was committed by then."""
    notes: list[dict[str, Any]] = field(default_factory=list)
    scans: list[tuple[float, str]] = field(default_factory=list)
    waits: list[tuple[int, str, float, float]] = field(default_factory=list)
    temp_bytes: int = 0
    inner: list[HeardStatement] = field(default_factory=list)
    inner_line: int | None = None
    outer: HeardStatement | None = None

    @property
    def opened(self) -> bool:
        """Whether an event trigger noted its start and none its end."""
        events = [note["event"] for note in self.notes]
        return events.count("ddl_command_start") > events.count("ddl_command_end")

    @property
    def innermost(self) -> HeardStatement:
        """Itself, or the last statement inside it that has not ended."""
        return self.inner[-1].innermost if self.inner and self.inner[-1].end is None else self


_SENT = re.compile(r"(statement|execute (?:fetch from )?[^:]*): (.*)", re.DOTALL)
_DURATION = re.compile(r"duration: [\d.]+ ms\Z")
_TEMP = re.compile(r'temporary file: path ".*", size (\d+)')
_WAITED = re.compile(r"process \d+ acquired (\w+) on relation (\d+) of database \d+ after ([\d.]+) ms")
_SCAN = re.compile(r'(verifying table|rewriting table|validating foreign key constraint|building index) "')
_SQL_FRAME = re.compile(r'SQL statement "(.*?)"(?=\n(?:PL/|SQL )|\Z)', re.DOTALL)
_DO_FRAME = re.compile(r"PL/pgSQL function inline_code_block line (\d+) at ")
_ANALYSED = "PARSE ANALYSIS STATISTICS"


class SessionEar:
    """Hears the lines of one session, in their order, and gathers its statements."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.statements: list[HeardStatement] = []
        self.gaps: list[str] = []
        self._pieces: list[SqlPiece] = []
        self._next = 0
        self._batch = 0
        self._message = False
        self._extra = 0

    @property
    def _current(self) -> HeardStatement | None:
        """The statement that runs; None between messages and before the first statement of one."""
        waiting = bool(self._pieces) and self._next == 0
        return self.statements[-1] if self._message and not waiting else None

    def hear(self, line: LogLine) -> None:
        """Take one line in."""
        if line.severity in {"ERROR", "FATAL", "PANIC"}:
            self._refused(line)
        elif line.severity == "DEBUG":
            self._scanned(line)
        elif line.message.startswith(self._token):
            self._noted(line)
        elif line.message == _ANALYSED:
            self._analysed(line)
        elif line.context:
            # A function may RAISE LOG what looks like a line of the server's own, which have no context.
            self._counted(line)
        elif _DURATION.match(line.message):
            self._answered(line)
        elif sent := _SENT.match(line.message):
            self._sent(line, sent[2], sent[1] != "statement")
        else:
            self._counted(line)

    def _sent(self, line: LogLine, text: str, extended: bool) -> None:
        self._end(line.at)
        self._batch += 1
        self._message, self._next, self._extra = True, 0, 0
        self._pieces = [] if extended else list(split_statements(text))
        if len(self._pieces) < 2:
            self._pieces = []
            self._begin(line, text, extended)

    def _begin(self, line: LogLine, text: str, extended: bool = False) -> None:
        self.statements.append(
            HeardStatement(
                text=text,
                tag="" if line.shown.startswith("idle") else line.shown,
                start=line.at,
                transaction=line.transaction,
                batch=self._batch,
                pid=line.pid,
                session=line.session,
                extended=extended,
            )
        )

    def _analysed(self, line: LogLine) -> None:
        current = self._current
        if current is not None and not current.tag:
            current.tag = _tag(line.shown)
        # Within functions, and within the statement that an event trigger is about, others are analysed too.
        if not self._pieces or line.context or self._inside():
            return
        if self._extra:
            self._extra -= 1
            return
        if self._next >= len(self._pieces):
            self.gaps.append("a message had more statements than it seems to have")
            return
        self._end(line.at)
        piece = self._pieces[self._next]
        self._next += 1
        self._begin(line, piece.text)
        self.statements[-1].tag = _tag(line.shown)
        words = piece.first_words
        # These two analyse a second statement, which they hold, without a context.
        self._extra = int(words[:1] == ("PREPARE",) or words[:2] == ("COPY", "("))

    def _inside(self) -> bool:
        return self._current is not None and self._current.opened

    def _noted(self, line: LogLine) -> None:
        note = json.loads(line.message[len(self._token) :])
        current = self._current
        if current is None:
            self.gaps.append(f"a {note['tag']} was noted outside any statement")
            return
        frames = line.context.partition("\n")[2]
        about = self._about(current, note, frames, line)
        about.notes.append(note)
        about.tag = note["tag"]
        if note["event"] == "ddl_command_end" and about is not current:
            about.end = float(note["at"])

    def _about(
        self, current: HeardStatement, note: dict[str, Any], frames: str, line: LogLine
    ) -> HeardStatement:
        """The statement that a note is about: the one that was sent, or one that it runs inside."""
        if not frames:
            return current
        if note["event"] != "ddl_command_start":
            return current.innermost
        if current.inner and current.inner[-1].end is None:
            # A new one begins beside it: its failure was caught by the function that ran it.
            current.inner[-1].end, current.inner[-1].error = float(note["at"]), "its failure was caught"
        found, do = _SQL_FRAME.match(frames), _DO_FRAME.search(frames)
        inner = HeardStatement(
            text=found[1] if found else "",
            tag=note["tag"],
            start=float(note["at"]),
            transaction=line.transaction,
            batch=current.batch,
            pid=line.pid,
            session=line.session,
            inner_line=int(do[1]) if do and _tag(line.shown) == "DO" else None,
            outer=current,
        )
        current.inner.append(inner)
        return inner

    def _scanned(self, line: LogLine) -> None:
        if self._current is not None and _SCAN.match(line.message) and '"pg_toast' not in line.message:
            self._current.innermost.scans.append((line.at, line.message))

    def _counted(self, line: LogLine) -> None:
        if not self.statements:
            return
        # After its statement too: a temporary file is counted when it is removed.
        current = self.statements[-1]
        if temp := _TEMP.match(line.message):
            current.temp_bytes += int(temp[1])
        elif waited := _WAITED.match(line.message):
            current.innermost.waits.append((int(waited[2]), waited[1], line.at, float(waited[3]) / 1000))

    def _refused(self, line: LogLine) -> None:
        failed = self._failed(line)
        # Its words may hold values, which are told apart where the tape is put together.
        failed.error, failed.sqlstate, failed.end = line.message, line.sqlstate, line.at
        failed.composed = "at RAISE" in line.context
        for inner in failed.inner[-1:]:
            if inner.end is None:
                inner.end, inner.error, inner.sqlstate = line.at, line.message, line.sqlstate
        self._message, self._pieces = False, []

    def _failed(self, line: LogLine) -> HeardStatement:
        current = self._current
        if not self._message:
            # It was refused while it was parsed: the log has no line on what was sent.
            self._batch += 1
            self._begin(line, "")
            return self.statements[-1]
        if self._pieces and self._next < len(self._pieces) and self._before_next(current, line):
            self._end(line.at)
            self._begin(line, self._pieces[self._next].text)
            self._next += 1
        return self.statements[-1]

    def _before_next(self, current: HeardStatement | None, line: LogLine) -> bool:
        """Whether an error is about the next statement of a message, which was never analysed."""
        if current is None:
            return True
        word = self._pieces[self._next].first_words[0]
        if line.context or not (word == "WITH" or _tag(line.shown).startswith(word)):
            return False
        done = any(note["event"] == "ddl_command_end" for note in current.notes)
        return not current.opened and (done or line.sqlstate.startswith("42"))

    def _answered(self, line: LogLine) -> None:
        if self._current is None:
            return
        self._end(line.at)
        self.statements[-1].closed_at = line.at
        if not self.statements[-1].tag:
            self.statements[-1].tag = _tag(line.shown)
        if self._pieces and self._next != len(self._pieces):
            self.gaps.append("a message had fewer statements than it seems to have")
        self._message, self._pieces = False, []

    def _end(self, at: float) -> None:
        if self._current is not None and self._current.end is None:
            self._current.end = at


def _tag(shown: str) -> str:
    """The command's name of what a process calls itself, as ``UPDATE waiting``."""
    return shown.removesuffix(" waiting")
