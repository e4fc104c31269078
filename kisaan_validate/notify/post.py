"""Sending what waits in the spool: each channel by itself, so that one that fails keeps no other waiting."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import RecordError
from kisaan_validate.notify.channel import CannotDeliver, Channel, Environment, PartlyDelivered
from kisaan_validate.notify.spool import Spool, Spooled, tried


@dataclass(frozen=True)
class Sending:
    """The result of sending a message to a channel: ``said`` is the receipt, or why there is none.
    ``left`` are the receivers that did not take it, where others did.
    """

    message: str
    channel: str
    delivered: bool
    said: str
    left: tuple[str, ...] = ()


def send_waiting(
    spool: Spool,
    waiting: Sequence[Spooled],
    channels: Sequence[Channel],
    env: Environment,
    now: datetime,
    *,
    forced: bool = False,
) -> list[Sending]:
    """Send these messages to the channels that did not take them yet and are due (``forced``: to all).

    A channel that fails is not tried with the next message. A message whose state cannot be written may be
    sent again later.
    """
    done: list[Sending] = []
    for one in waiting:
        failed = {sent.channel for sent in done if not sent.delivered}
        for channel in channels:
            if channel.name in failed or not _is_due(one, channel.name, now, forced):
                continue
            sent = _sent(one, channel, env)
            done.append(sent)
            one = tried(one, channel.name, now, "" if sent.delivered else sent.said, sent.left)
            _keep(spool, one)
        _keep(spool, _of_channels(one, {channel.name for channel in channels}))
    return done


def _is_due(one: Spooled, channel: str, now: datetime, forced: bool) -> bool:
    if channel not in one.waiting:
        return False
    return forced or (one.waiting[channel].due(now) and not one.given_up(channel, now))


def _sent(one: Spooled, channel: Channel, env: Environment) -> Sending:
    left = one.waiting[channel.name].left
    try:
        return Sending(one.message.id, channel.name, True, channel.deliver(one.message, env, left))
    except PartlyDelivered as error:
        return Sending(one.message.id, channel.name, False, str(error), error.left)
    except CannotDeliver as error:
        return Sending(one.message.id, channel.name, False, str(error), left)


def _of_channels(one: Spooled, names: Collection[str]) -> Spooled:
    """Without channels that the configuration no longer has: nobody can take it there."""
    return Spooled(one.message, one.told, {n: w for n, w in one.waiting.items() if n in names})


def _keep(spool: Spool, one: Spooled) -> None:
    try:
        spool.put(one)
    except RecordError:
        # The disk is full: what was sent is sent, and the file that says otherwise sends it again.
        return
