"""Mail by SMTP, over TLS."""

from __future__ import annotations

import smtplib
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import field
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.notify.channel import (
    Authorities,
    CannotDeliver,
    Environment,
    PartlyDelivered,
    TimeLimit,
    receiver_key,
    said,
    secret,
)
from kisaan_validate.notify.message import Message

LONGEST_SUBJECT = 200
"""Characters of a subject; mail programs show no more."""


class Encryption(StrEnum):
    """How the connection is encrypted."""

    STARTTLS = "starttls"
    """It begins in the clear and must change to TLS before anything is said."""
    TLS = "tls"
    NONE = "none"
    """Not at all: for a relay on the same host. No password is sent."""


@dataclass(frozen=True)
class SmtpChannel:
    """A mail server that takes messages for some people. ``seconds`` bounds the whole conversation."""

    name: str
    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    encryption: Encryption = Encryption.STARTTLS
    user: str = ""
    password_env: str = ""
    trust: Authorities = field(default_factory=Authorities)
    seconds: float = 30.0

    def deliver(self, message: Message, env: Environment, only: Collection[str] = ()) -> str:
        """Send a mail; the server's own words to it, which name it in its queue. Raises CannotDeliver, and
        PartlyDelivered where the server refused some of the recipients.
        """
        password = secret(env, self.password_env)
        to = [address for address in self.to if not only or receiver_key(address) in only]
        if not to:
            return "nobody is left to take it: those who did not are no longer recipients"
        mail = mail_of(message, self.sender, self.to).as_bytes(policy=WIRE)
        with TimeLimit(self.seconds) as limit:
            try:
                return self._talk(limit, password, mail, to)
            except CannotDeliver:
                raise
            # smtplib raises errors of its own, of sockets, of TLS, and of texts that it cannot encode.
            except Exception as error:
                raise CannotDeliver(self._words(limit, error, password)) from None

    def _words(self, limit: TimeLimit, error: Exception, password: str) -> str:
        if isinstance(error, smtplib.SMTPAuthenticationError):
            # A server may repeat what it was given, in any encoding.
            return f"the server refused the user or the password (SMTP {error.smtp_code})"
        if isinstance(error, smtplib.SMTPServerDisconnected) and not limit.is_over(error):
            return "the server closed the connection"
        if isinstance(error, smtplib.SMTPResponseException):
            return said(f"SMTP {error.smtp_code} {_text(error.smtp_error)}", (password,))
        if isinstance(error, UnicodeError):
            return "the user or the password is not ASCII"
        return limit.words(error, (password,))

    def _talk(self, limit: TimeLimit, password: str, mail: bytes, to: Sequence[str]) -> str:
        server = _opened(self, limit)
        try:
            server.ehlo_or_helo_if_needed()
            if self.encryption is Encryption.STARTTLS:
                self._encrypt(server)
            if self.user:
                server.login(self.user, password)
            receipt, refused = self._send(server, mail, to)
            # The mail is taken: whatever happens to the goodbye, it must not be sent again for that.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            if refused:
                raise PartlyDelivered(receipt, [receiver_key(address) for address in refused])
            return receipt
        finally:
            server.close()

    def _encrypt(self, server: smtplib.SMTP) -> None:
        # Whoever sits between could leave it out of the answer: without it nothing is sent.
        if not server.has_extn("starttls"):
            raise CannotDeliver("the server does not offer STARTTLS")
        server.starttls(context=self.trust.context())
        server.ehlo_or_helo_if_needed()

    def _send(self, server: smtplib.SMTP, mail: bytes, to: Sequence[str]) -> tuple[str, list[str]]:
        """The server's words, and the recipients that it refused."""
        _expect(server.mail(self.sender), "refused the sender")
        answers = {address: server.rcpt(address) for address in to}
        refused = [address for address, (code, _) in answers.items() if code not in {250, 251}]
        if len(refused) == len(answers):
            _expect(answers[refused[0]], "refused all recipients")
        code, text = server.data(mail)
        _expect((code, text), "refused the mail")
        if not refused:
            return said(f"SMTP {code} {_text(text)}"), []
        why = f"SMTP {answers[refused[0]][0]}"
        part = f"it refused {len(refused)} of {len(answers)} recipients ({why}), who are tried again"
        return said(f"SMTP {code} {_text(text)}; {part}"), refused


def _opened(channel: SmtpChannel, limit: TimeLimit) -> smtplib.SMTP:
    """A connection that has said its greeting. Raises what sockets and smtplib raise, and CannotDeliver."""
    made = smtplib.SMTP(timeout=limit.seconds)
    connection = limit.connect(channel.host, channel.port)
    try:
        if channel.encryption is Encryption.TLS:
            connection = channel.trust.context().wrap_socket(connection, server_hostname=channel.host)
        made.sock = connection
        # By this name starttls checks the certificate; smtplib sets it only where it connects itself.
        made._host = channel.host  # type: ignore[attr-defined]
        _expect(made.getreply(), "did not greet")
    except BaseException:
        connection.close()
        raise
    return made


def _expect(answer: tuple[int, bytes], what: str) -> None:
    code, text = answer
    if not 200 <= code < 300:
        raise CannotDeliver(said(f"the server {what}: SMTP {code} {_text(text)}"))


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else words


def mail_of(message: Message, sender: str, to: Sequence[str]) -> EmailMessage:
    """The message as a mail. No text of it can begin a header of its own."""
    mail = EmailMessage(policy=WIRE)
    mail["Subject"] = said(_whole(message.subject))[:LONGEST_SUBJECT]
    mail["From"], mail["To"] = sender, ", ".join(to)
    mail["Date"] = format_datetime(message.at)
    # The same each time it is sent, so that a mail program shows one of two.
    mail["Message-ID"] = f"<{message.id}@{sender.rpartition('@')[2].rstrip('>')}>"
    mail["Auto-Submitted"] = "auto-generated"
    if message.drill:
        mail["X-Kisaan-Drill"] = "yes"
    mail.set_content(_whole(message.body), cte="quoted-printable")
    return mail


def _whole(text: str) -> str:
    """A text without half characters, which no mail can hold."""
    return text.encode("utf-8", "replace").decode()
