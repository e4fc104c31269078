"""Telling people of a recorded run, through the spool; and what the next run says of what did not arrive."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kisaan_validate.facts.place import Notice
    from kisaan_validate.history.lines import LineNight
    from kisaan_validate.history.marks import HistoryMark
    from kisaan_validate.history.night import Night
    from kisaan_validate.notify.channel import Channel
    from kisaan_validate.notify.drills import Drill
    from kisaan_validate.notify.message import Message
    from kisaan_validate.notify.post import Sending
    from kisaan_validate.notify.spool import Spool, Spooled
    from kisaan_validate.notify.told import ToldNight
    from kisaan_validate.ops.config import Config, NotifyConfig
    from kisaan_validate.verdict.judgement import Judgement

LOCK_FILE = ".lock-notify"

LOCK_WAIT = 60.0
"""Seconds that are waited for another process which sends messages of the same folder."""


@dataclass(frozen=True)
class TellingDone:
    """What telling came to. ``message`` is None where nothing was to say, or where it was said before
    (``again``). ``sent`` is the result of each try; ``undelivered`` is what the next run will say.
    """

    message: Message | None
    sent: tuple[Sending, ...] = ()
    undelivered: tuple[Notice, ...] = ()
    again: bool = False


def tell(
    config: Config,
    judged: Judgement,
    *,
    now: datetime | None = None,
    env: Mapping[str, str] = os.environ,
) -> TellingDone:
    """Tell people what is news in a run that is recorded in the folder of reports, and send what waits.

    Nothing that a channel does raises or changes a verdict: it is in the answer. Raises UsageError where
    nobody is to be told, AlreadyRunning where another process is at it for a minute.
    """
    from kisaan_validate.notify.post import send_waiting
    from kisaan_validate.notify.spool import Spool

    notify, now = the_notify(config), now or datetime.now(UTC)
    channels, spool = _channels(notify), Spool(config.reports)
    with _alone(config):
        told = _told_so_far(spool)
        again = any(one.run == judged.run.id for one in told)
        fresh = None if again else _to_send(config, notify, judged, told, channels)
        if fresh is not None:
            _keep(spool, fresh)
        older = [one for one in spool.waiting() if fresh is None or one.message.id != fresh.message.id]
        # What is news first: what waited can wait while a channel takes its time.
        waiting = [*([fresh] if fresh is not None else []), *older]
        sent = tuple(send_waiting(spool, waiting, channels, env, now))
        message = fresh.message if fresh is not None else None
        return TellingDone(message, sent, _left(spool, now), again)


def message_for(config: Config, judged: Judgement) -> Message | None:
    """The message of a run as :func:`tell` would send it, if nothing had been told of it; nothing is
    written. Raises UsageError.
    """
    from kisaan_validate.notify.spool import Spool
    from kisaan_validate.notify.told import read_told

    notify = the_notify(config)
    before = [one for one in read_told(Spool(config.reports).folder)[0] if one.run != judged.run.id]
    fresh = _to_send(config, notify, judged, before, _channels(notify))
    return fresh.message if fresh is not None else None


def send_again(
    config: Config, *, now: datetime | None = None, env: Mapping[str, str] = os.environ
) -> TellingDone:
    """Try everything that waits once more, also what was given up. Raises as :func:`tell`."""
    from kisaan_validate.notify.post import send_waiting
    from kisaan_validate.notify.spool import Spool

    notify, now = the_notify(config), now or datetime.now(UTC)
    spool = Spool(config.reports)
    with _alone(config):
        _told_so_far(spool)
        sent = tuple(send_waiting(spool, spool.waiting(), _channels(notify), env, now, forced=True))
        return TellingDone(None, sent, _left(spool, now))


def drill(config: Config, *, now: datetime | None = None, env: Mapping[str, str] = os.environ) -> Drill:
    """Send a marked alarm through every channel, and keep what came back for the next page. Raises
    UsageError, RecordError.
    """
    from socket import gethostname

    from kisaan_validate.notify.drills import drill_message, hold_drill, record_drill
    from kisaan_validate.notify.spool import Spool

    notify = the_notify(config)
    held = hold_drill(_channels(notify), drill_message(now or datetime.now(UTC), gethostname()), env)
    _written(partial(record_drill, Spool(config.reports).folder, held))
    return held


def standing_notices(config: Config, now: datetime | None = None) -> tuple[Notice, ...]:
    """What a run says of messages: those that did not arrive, and the last drill. Nothing is sent."""
    # A look at the folder first: without one nothing of this need be imported.
    if config.notify is None or not (config.reports / ".kisaan-spool").is_dir():
        return ()
    from kisaan_validate.errors import RecordError
    from kisaan_validate.notify.drills import drill_notice, last_drill
    from kisaan_validate.notify.spool import Spool, undelivered

    spool = Spool(config.reports)
    try:
        found = last_drill(spool.folder)
    except RecordError as error:
        _note(error.fact)
        found = None
    drilled = (drill_notice(found),) if found is not None else ()
    return (*undelivered(spool, now or datetime.now(UTC)), *drilled)


@contextmanager
def _alone(config: Config) -> Iterator[None]:
    """The only one that tells from this folder. Where there is no lock for want of room or rights, an
    alarm is worth more than the lock. Raises AlreadyRunning.
    """
    from kisaan_validate.errors import RecordError
    from kisaan_validate.record.filelock import file_lock

    # Only entering is excused: what goes wrong within must still reach the caller.
    with ExitStack() as stack:
        try:
            stack.enter_context(
                file_lock(config.reports / LOCK_FILE, f"telling of {config.reports}", wait=LOCK_WAIT)
            )
        except RecordError as error:
            _note(error.fact)
        yield


def the_notify(config: Config) -> NotifyConfig:
    """Who is to be told. Raises UsageError where nobody is."""
    from kisaan_validate.errors import UsageError

    if config.notify is None:
        raise UsageError(
            "kisaan.toml names nobody to tell",
            "add [[notify.smtp]], [[notify.webhook]] or [[notify.apprise]]: see docs/alarms.md",
        )
    return config.notify


def _channels(notify: NotifyConfig) -> tuple[Channel, ...]:
    from kisaan_validate.ops.notifying import channels_of

    return channels_of(notify)


def _told_so_far(spool: Spool) -> list[ToldNight]:
    """What was told; of a message that a crash left in the spool alone, it is written down now."""
    from kisaan_validate.errors import RecordError
    from kisaan_validate.notify.told import add_told, read_told
    from kisaan_validate.text.numbers import counted

    for name in spool.set_aside():
        _note(f"a message cannot be read and is set aside: {name}")
    try:
        told, unread = read_told(spool.folder)
    except RecordError as error:
        # Better twice than never: whoever may not have been told is told.
        _note(f"{error.fact}; what is known may be told again")
        return []
    if unread:
        _note(f"{counted(unread, 'line')} of what was told cannot be read; that may be told again")
    known = {one.message for one in told}
    for one in spool.waiting():
        if one.told is not None and one.told.message not in known:
            told.append(one.told)
            _written(partial(add_told, spool.folder, one.told))
    return told


def _to_send(
    config: Config,
    notify: NotifyConfig,
    judged: Judgement,
    told: Sequence[ToldNight],
    channels: Sequence[Channel],
) -> Spooled | None:
    from datetime import timedelta

    from kisaan_validate.facts.check import Severity
    from kisaan_validate.incidents.night import NUDGE, NightToTell
    from kisaan_validate.incidents.tell import page_of, spooled_of

    night, lines, note = _history(config, judged)
    table = notify.table
    telling = NightToTell(
        judged,
        night,
        lines,
        _marks(config),
        told,
        config.renamed,
        timedelta(seconds=table.nudge) if table.nudge is not None else NUDGE,
        Severity(table.least),
    )
    page = page_of(table.base_url or "", str(config.reports), night.folder)
    return spooled_of(telling, [channel.name for channel in channels], page, note)


def _history(config: Config, judged: Judgement) -> tuple[Night, Sequence[Sequence[LineNight]], str]:
    """The night of the run, the lines of its checks, and what must be said where these are missing:
    an alarm does not wait until an index is repaired.
    """
    from urllib.parse import quote

    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.history.night import night_of

    alone = night_of(judged, quote(judged.run.id, safe=""), "")
    try:
        with the_history(config) as found:
            nights = [line.night for line in found.history.nights()]
            night = next((night for night in nights if night.run == judged.run.id), alone)
            lines = found.history.lines(night)
    except (KisaanError, OSError) as error:
        why = error.fact if isinstance(error, KisaanError) else error.strerror
        note = f"the history could not be read ({why}), so what is known already may be called new"
        _note(note)
        return alone, (), note
    return replace(alone, folder=night.folder), lines, ""


def _marks(config: Config) -> list[HistoryMark]:
    from kisaan_validate.errors import RecordError
    from kisaan_validate.history.marks import read_marks

    try:
        return read_marks(config.reports)[0]
    except RecordError as error:
        _note(error.fact)
        return []


def _keep(spool: Spool, fresh: Spooled) -> None:
    """Write a message down before it is sent, and then what it tells. Where the disk is full it is sent all
    the same.
    """
    from kisaan_validate.notify.told import add_told

    _written(partial(spool.put, fresh))
    # After the message: of a told line without one nobody would have heard.
    if (told := fresh.told) is not None:
        _written(partial(add_told, spool.folder, told))


def _written(write: Callable[[], None]) -> None:
    from kisaan_validate.errors import RecordError

    try:
        write()
    except (RecordError, OSError) as error:
        _note(error.fact if isinstance(error, RecordError) else str(error.strerror))


def _left(spool: Spool, now: datetime) -> tuple[Notice, ...]:
    from kisaan_validate.notify.spool import undelivered

    return undelivered(spool, now)


def _note(text: str) -> None:
    from kisaan_validate.report.text import flat

    # The log may lie on the same full disk, and a note is no reason to tell nobody.
    with suppress(OSError):
        print(f"note    {flat(text)}", file=sys.stderr)
