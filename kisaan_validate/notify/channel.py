"""What a channel is: it takes a message and gives a receipt, or says why not."""

from __future__ import annotations

import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import MASKED
from kisaan_validate.notify.message import Message
from kisaan_validate.text.pairs import is_hidden

Environment = Mapping[str, str]

LONGEST_SAID = 300
"""Characters of what a receiver said that are kept."""


class CannotDeliver(Exception):
    """A channel did not take a message; the text says why, without a secret."""


class PartlyDelivered(CannotDeliver):
    """A channel took a message for some of its receivers. ``left`` are the others, each as ``receiver_key``
    names it: they alone are to be tried again.
    """

    def __init__(self, text: str, left: Collection[str]) -> None:
        super().__init__(text)
        self.left = tuple(left)


def receiver_key(address: str) -> str:
    """By what the spool knows a receiver: no address is written down."""
    return hashlib.sha256(address.encode("utf-8", "replace")).hexdigest()


class Channel(Protocol):
    """One way to people. ``name`` is what kisaan.toml calls it."""

    @property
    def name(self) -> str:
        """How the channel is called."""

    def deliver(self, message: Message, env: Environment, only: Collection[str] = ()) -> str:
        """Send the message; the receipt, as the receiver gave it. ``env`` holds the secrets; ``only`` are
        the receivers that it is for, where others took it already. Raises CannotDeliver.
        """


def secret(env: Environment, name: str) -> str:
    """The secret in a variable of the environment, "" if the channel names none. Raises CannotDeliver."""
    if name and not env.get(name):
        raise CannotDeliver(f"the environment variable {name} is not set")
    return env.get(name, "") if name else ""


def said(text: object, secrets: Collection[str] = ()) -> str:
    """What a receiver or an error said: one line, bounded, hidden characters by name, no secret in it."""
    line = str(text)
    for one in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(one, MASKED)
    line = " ".join(line[: 10 * LONGEST_SAID].split())
    line = "".join(f"[U+{ord(c):04X}]" if is_hidden(c) else c for c in line)
    return line if len(line) <= LONGEST_SAID else f"{line[:LONGEST_SAID]}…"


@dataclass(frozen=True)
class Authorities:
    """Whose certificates are trusted: the system's authorities, or those in a file."""

    ca: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the name and the certificate checked. Raises CannotDeliver."""
        try:
            made = ssl.create_default_context(cafile=str(self.ca) if self.ca is not None else None)
        except OSError as error:
            raise CannotDeliver(f"the certificates in {self.ca} cannot be read: {said(error)}") from None
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        return made


class TimeLimit:
    """A limit for a whole conversation: a receiver that sends a byte now and then keeps no timeout waiting,
    so at the end of the time the connection is shut, whatever it is at.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds, self.passed = seconds, False
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> TimeLimit:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        # Else it could shut a handle whose number is another file's by then.
        self._timer.join()
        for one in self._watched:
            one.close()

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection within the limit. Raises OSError."""
        made = socket.create_connection((host, port), timeout=self.seconds)
        # A handle of its own: TLS takes the other one over, and must not be pulled from under it.
        self._watched.append(socket.socket(fileno=os.dup(made.fileno())))
        # It may have passed while the connection was made, and then nothing would cut it.
        if self.passed:
            self._cut()
        return made

    def _cut(self) -> None:
        self.passed = True
        for one in self._watched:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def is_over(self, error: BaseException) -> bool:
        """Whether an error is that of the time, also where a library made another one of it: the socket's own
        timeout may come just before the limit.
        """
        causes = (error, error.__cause__, error.__context__)
        return self.passed or any(isinstance(one, TimeoutError) for one in causes)

    def words(self, error: BaseException, secrets: Collection[str]) -> str:
        """What went wrong, for people: out of time, a refused certificate, or what the error says."""
        if self.is_over(error):
            return f"no answer within {self.seconds:g} s"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {said(error.verify_message, secrets)}"
        text = error.strerror if isinstance(error, OSError) and error.strerror else error
        return said(text, secrets) or type(error).__name__
