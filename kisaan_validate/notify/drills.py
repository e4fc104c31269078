"""Alarm drills: which channel took the marked alarm, and when that was last tried."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.place import Notice
from kisaan_validate.notify.channel import CannotDeliver, Channel, Environment, said
from kisaan_validate.notify.jsonl import append_line, read_lines
from kisaan_validate.notify.message import Message

DRILLS_FILE = "drills.jsonl"

DRILL, DRILL_FAILED = "drill", "drill_failed"
"""Codes of the notice: the first is no reason to look up."""


@dataclass(frozen=True)
class DrillAnswer:
    """What one channel said to the drill: a receipt, or why it did not take it."""

    channel: str
    delivered: bool
    said: str


@dataclass(frozen=True)
class Drill:
    """One alarm drill."""

    at: datetime
    answers: tuple[DrillAnswer, ...]

    @property
    def failed(self) -> tuple[DrillAnswer, ...]:
        """The channels that did not take it."""
        return tuple(answer for answer in self.answers if not answer.delivered)


def drill_message(at: datetime, host: str) -> Message:
    """The marked alarm. ``host`` is where it comes from."""
    text = (
        f"This is a drill: nothing is wrong. It shows that an alarm of kisaan-validate on {host} reaches you."
    )
    subject = f"DRILL: alarm of kisaan-validate on {host}"
    id = f"drill-{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z"
    return Message(id, at, subject, f"{text}\n", Severity.INFO, {"host": host}, drill=True)


def hold_drill(channels: Iterable[Channel], message: Message, env: Environment) -> Drill:
    """Send the marked alarm through each channel; what each of them said."""
    answers = []
    for channel in channels:
        try:
            answers.append(DrillAnswer(channel.name, True, channel.deliver(message, env)))
        except CannotDeliver as error:
            answers.append(DrillAnswer(channel.name, False, str(error)))
    return Drill(message.at, tuple(answers))


def record_drill(folder: Path, drill: Drill) -> None:
    """Append a drill to the file of all drills. Raises RecordError."""
    plain = {"at": drill.at.isoformat(), "answers": [vars(answer) for answer in drill.answers]}
    append_line(folder / DRILLS_FILE, plain)


def last_drill(folder: Path) -> Drill | None:
    """The newest drill that can be read. Raises RecordError."""
    lines, _ = read_lines(folder / DRILLS_FILE)
    return next((drill for line in reversed(lines) if (drill := _read(line)) is not None), None)


def _read(line: dict[str, Any]) -> Drill | None:
    try:
        answers = tuple(
            DrillAnswer(str(a["channel"]), a["delivered"] is True, said(a["said"])) for a in line["answers"]
        )
        at = datetime.fromisoformat(line["at"])
        return Drill(at, answers) if at.tzinfo is not None else None
    except (ValueError, TypeError, KeyError):
        return None


def drill_notice(drill: Drill) -> Notice:
    """The last drill in one line, for the next run's page."""
    answers = "; ".join(
        f"{a.channel}: {a.said}" if a.delivered else f"{a.channel} FAILED: {a.said}" for a in drill.answers
    )
    code = DRILL_FAILED if drill.failed else DRILL
    hint = "repair the channel, then run kisaan-validate notify --drill" if drill.failed else ""
    when = f"{drill.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return Notice(code, f"last alarm drill, {when}: {answers}", hint)
