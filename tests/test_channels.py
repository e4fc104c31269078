"""Mail and webhooks against real receivers that behave in every way: what arrives, what is refused, what
errors say, and that no secret stands in any of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from conftest import slack
from hypothesis import given
from hypothesis import strategies as st
from receivers import (
    PASSWORD,
    USER,
    Certificate,
    Sink,
    certificate,
    free_port,
    mail_server,
    raw_server,
    web_server,
)

from kisaan_validate.facts.check import Severity
from kisaan_validate.notify.apprised import AppriseChannel
from kisaan_validate.notify.channel import (
    Authorities,
    CannotDeliver,
    PartlyDelivered,
    TimeLimit,
    receiver_key,
    said,
)
from kisaan_validate.notify.message import Message, message_id
from kisaan_validate.notify.smtp import Encryption, SmtpChannel, mail_of
from kisaan_validate.notify.webhook import WebhookChannel, signature

AT = datetime(2026, 11, 30, 2, 30, tzinfo=UTC)
MESSAGE = Message(
    "20261130T023000Z-ab12", AT, "[FAIL] shop: 1 new", "NEW: 3 rows\n", Severity.BLOCKING, {"rows": 3}
)
ENV = {"PASSWORD": PASSWORD, "WRONG": "hunter2-hunter2"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for localhost."""
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate for another host."""
    return certificate(tmp_path_factory.mktemp("tls"), "elsewhere.test")


@pytest.fixture
def plain() -> Iterator[Sink]:
    """A mail server without TLS."""
    with mail_server() as sink:
        yield sink


def _smtp(port: int, **more: object) -> SmtpChannel:
    made = SmtpChannel(
        "mail", "localhost", "validate@example.org", ("ops@example.org",), port, Encryption.NONE, seconds=5
    )
    return replace(made, **more)  # type: ignore[arg-type]


def _refused(channel: object, env: dict[str, str] = ENV, message: Message = MESSAGE) -> str:
    with pytest.raises(CannotDeliver) as error:
        channel.deliver(message, env)  # type: ignore[attr-defined]
    assert not any(value in str(error.value) for value in env.values())
    return str(error.value)


def test_a_mail_arrives_whole(plain: Sink) -> None:
    """Subject, body, sender, people; its id is the message's, and the receipt the server's own word."""
    receipt = _smtp(plain.port, to=("ops@example.org", "asha@example.org")).deliver(MESSAGE, {})
    assert receipt == "SMTP 250 2.0.0 Ok: queued as 4F1B2"
    (mail,) = plain.mails
    assert (mail["subject"], mail["from"]) == (MESSAGE.subject, "validate@example.org")
    assert mail.get_content() == MESSAGE.body.replace("\n", "\r\n")
    assert plain.to == [["ops@example.org", "asha@example.org"]]
    assert mail["message-id"] == f"<{MESSAGE.id}@example.org>"
    assert mail["date"] == "Mon, 30 Nov 2026 02:30:00 +0000"
    assert "X-Kisaan-Drill" not in mail


def test_mail_over_tls_with_a_password(own: Certificate) -> None:
    """By STARTTLS and from the beginning; a wrong password is said without being repeated."""
    more = {"trust": Authorities(own.pem), "user": USER, "password_env": "PASSWORD"}
    with mail_server(own, starttls=True, auth=True) as sink:
        channel = _smtp(sink.port, encryption=Encryption.STARTTLS, **more)
        assert channel.deliver(MESSAGE, ENV).startswith("SMTP 250")
        assert _refused(replace(channel, password_env="WRONG")).startswith(
            "the server refused the user or the password"
        )
        assert _refused(replace(channel, password_env="UNSET")) == "the environment variable UNSET is not set"
        assert len(sink.raw) == 1
    with mail_server(own) as sink:
        channel = _smtp(sink.port, encryption=Encryption.TLS, trust=Authorities(own.pem))
        assert channel.deliver(MESSAGE, {}).startswith("SMTP 250")


def test_mail_is_sent_to_nobody_else(own: Certificate, foreign: Certificate, plain: Sink) -> None:
    """Where TLS is not offered, not trusted, or of another host, nothing is sent."""
    assert _refused(_smtp(plain.port, encryption=Encryption.STARTTLS)) == "the server does not offer STARTTLS"
    with mail_server(own, starttls=True) as sink:
        assert "certificate is not trusted" in _refused(_smtp(sink.port, encryption=Encryption.STARTTLS))
    with mail_server(foreign) as other:
        channel = _smtp(other.port, encryption=Encryption.TLS, trust=Authorities(foreign.pem))
        assert "certificate is not trusted" in _refused(channel)
        assert _refused(replace(channel, trust=Authorities(Path("missing.pem")))).startswith(
            "the certificates in missing.pem"
        )
    assert plain.raw == sink.raw == other.raw == []


def test_recipients_that_are_refused_are_said(plain: Sink) -> None:
    """One of two: the mail goes, and that one alone is left. All: nothing goes."""
    plain.refuse = "gone@example.org"
    both = _smtp(plain.port, to=("gone@example.org", "ops@example.org"))
    with pytest.raises(PartlyDelivered, match=r"; it refused 1 of 2 recipients \(SMTP 550\)") as error:
        both.deliver(MESSAGE, {})
    assert plain.to == [["ops@example.org"]]
    assert error.value.left == (receiver_key("gone@example.org"),)
    assert "example.org" not in f"{error.value} {error.value.left}"
    plain.refuse = ""
    assert both.deliver(MESSAGE, {}, error.value.left).startswith("SMTP 250")
    assert plain.to == [["ops@example.org"], ["gone@example.org"]]
    assert both.deliver(MESSAGE, {}, (receiver_key("other@example.org"),)).startswith("nobody is left")
    assert len(plain.to) == 2
    plain.refuse = "gone@example.org"
    assert "refused all recipients: SMTP 550" in _refused(_smtp(plain.port, to=("gone@example.org",)))
    plain.answer = "452 4.3.1 insufficient system storage"
    assert (
        _refused(_smtp(plain.port))
        == "the server refused the mail: SMTP 452 4.3.1 insufficient system storage"
    )


def test_a_goodbye_that_fails_costs_no_second_mail() -> None:
    """The server took the mail and hung up: it is delivered."""

    def talk(wire: object) -> None:
        file = wire.makefile("rwb", buffering=0)  # type: ignore[attr-defined]
        file.write(b"220 hi\r\n")
        for line in iter(file.readline, b""):
            word = line[:4].upper()
            if word == b"QUIT":
                return
            if word == b"DATA":
                file.write(b"354 go\r\n")
                while file.readline() not in {b".\r\n", b""}:
                    pass
            file.write(b"250 ok\r\n")

    with raw_server(talk) as port:
        assert _smtp(port).deliver(MESSAGE, {}) == "SMTP 250 ok"


@pytest.mark.parametrize(
    ("talk", "said_then"),
    [
        (lambda wire: None, "closed the connection"),
        (lambda wire: wire.sendall(b"554 no\x1b[31m\r\n"), "did not greet: SMTP 554 no[U+001B][31m"),
        (lambda wire: wire.sendall(b"x" * 20_000 + b"\r\n"), ""),
    ],
)  # fmt: skip
def test_a_mail_server_that_misbehaves(talk: object, said_then: str) -> None:
    """It is said in one bounded line."""
    with raw_server(talk) as port:  # type: ignore[arg-type]
        words = _refused(_smtp(port))
    assert said_then in words
    assert len(words) < 400
    assert words.isprintable()


def test_who_only_keeps_us_waiting_is_left(own: Certificate) -> None:
    """A greeting, an answer or a handshake that comes byte by byte ends at the limit of the whole."""

    def drip(wire: object) -> None:
        for _ in range(300):
            wire.sendall(b"2")  # type: ignore[attr-defined]
            time.sleep(0.1)

    with (
        raw_server(drip) as port,
        raw_server(lambda wire: time.sleep(30)) as silent,
        web_server("drip") as hook,
    ):
        channels = (
            _smtp(port, seconds=0.5),
            _smtp(silent, seconds=0.5),
            _smtp(silent, seconds=0.5, encryption=Encryption.TLS),
            WebhookChannel("hook", hook.url, seconds=0.5),
            WebhookChannel("hook", f"https://localhost:{silent}/", seconds=0.5),
        )
        for channel in channels:
            begun = time.monotonic()
            assert _refused(channel) == "no answer within 0.5 s"
            assert time.monotonic() - begun < 1 + slack()


def test_a_timeout_of_the_socket_is_no_closed_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come just before the limit of the whole, and smtplib makes a closed connection of it."""
    monkeypatch.setattr(TimeLimit, "_cut", lambda limit: None)
    with raw_server(lambda wire: time.sleep(30)) as silent:
        assert _refused(_smtp(silent, seconds=0.3)) == "no answer within 0.3 s"


def test_nobody_is_there() -> None:
    """A closed port and an unknown host are said."""
    port = free_port()
    assert _refused(_smtp(port)) == "Connection refused"
    assert _refused(WebhookChannel("hook", f"http://localhost:{port}/")) == "Connection refused"
    assert _refused(WebhookChannel("hook", "http://nowhere.invalid/")) != ""


def test_a_webhook_gets_json_that_is_signed() -> None:
    """The whole message; the receipt names the receiver's id; its key proves who sent it."""
    env = {"TOKEN": "t0ken-t0ken", "KEY": "k3y-k3y-k3y"}
    with web_server() as hook:
        channel = WebhookChannel("hook", hook.url, token_env="TOKEN", hmac_env="KEY")
        assert channel.deliver(MESSAGE, env) == "HTTP 200 id evt-77"
    (body,), (headers,) = hook.bodies, hook.headers
    given_ = json.loads(body)
    assert (given_["id"], given_["text"], given_["facts"]) == (MESSAGE.id, MESSAGE.body, {"rows": 3})
    assert (given_["severity"], given_["drill"], given_["at"]) == (
        "blocking",
        False,
        "2026-11-30T02:30:00+00:00",
    )
    assert headers["X-Kisaan-Signature"] == signature(env["KEY"], body)
    assert (headers["Authorization"], headers["Idempotency-Key"]) == ("Bearer t0ken-t0ken", MESSAGE.id)
    # By a hand of its own, as a receiver would: openssl dgst -sha256 -hmac k3y-k3y-k3y
    assert signature("key", b"The quick brown fox jumps over the lazy dog").endswith(
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
    )


def test_a_webhook_that_misbehaves() -> None:
    """No redirect is followed, no endless answer read, no word of the receiver's trusted."""
    with web_server() as hook:
        channel = WebhookChannel("hook", hook.url, seconds=5)
        hook.how = "broken"
        assert _refused(channel) == "HTTP 500"
        hook.how = "redirect"
        assert _refused(channel).startswith("HTTP 302: it redirects")
        assert b"followed" not in hook.bodies
        hook.how = "closed"
        assert "closed" in _refused(channel) or "reset" in _refused(channel)
        hook.how = "hostile"
        assert channel.deliver(MESSAGE, {}) == "HTTP 200 id a[U+001B][31m Subject: x[U+202E]"
        hook.how = "endless"
        assert channel.deliver(MESSAGE, {}).startswith("HTTP 200 xxx")
        assert hook.sent < 64 << 20


def test_a_secret_address_is_never_said(own: Certificate) -> None:
    """Whatever goes wrong with it; also a user and a password in it."""
    env = {"URL": f"https://user:pa55word@localhost:{free_port()}/T0/B0/s3cr3t?key=val1234"}
    secrets = ("pa55word", "s3cr3t", "val1234")
    with web_server(tls=own) as hook:
        urls = [
            env["URL"],
            f"https://user:pa55word@localhost:{hook.port}/s3cr3t",
            "ftp://h/s3cr3t",
            "s3cr3t",
            "http://[s3cr3t/",
        ]
        for url in urls:
            words = _refused(WebhookChannel("hook", url_env="URL", seconds=5), {"URL": url})
            assert not any(secret in words for secret in secrets)
        trusting = WebhookChannel("hook", url_env="URL", trust=Authorities(own.pem))
        assert (
            trusting.deliver(MESSAGE, {"URL": f"https://localhost:{hook.port}/s3cr3t"})
            == "HTTP 200 id evt-77"
        )


def test_apprise_hands_it_on() -> None:
    """To a real receiver, by an address in a variable; one that it does not know, and one that refuses, are
    said without the address.
    """
    pytest.importorskip("apprise")
    with web_server() as hook:
        env = {"CHAT": f"json://localhost:{hook.port}/s3cr3t-path"}
        assert AppriseChannel("chat", "CHAT").deliver(MESSAGE, env) == "taken by Apprise"
        assert json.loads(hook.bodies[0])["title"] == MESSAGE.subject
        hook.how = "broken"
        assert _refused(AppriseChannel("chat", "CHAT"), env) == "Apprise could not deliver it"
    assert "does not know the address in CHAT" in _refused(
        AppriseChannel("chat", "CHAT"), {"CHAT": "nonsense-s3cr3t"}
    )


def test_without_apprise_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a traceback."""
    monkeypatch.setitem(__import__("sys").modules, "apprise", None)
    words = _refused(AppriseChannel("chat", "CHAT"), {"CHAT": "json://h-secret"})
    assert words == "Apprise is not installed: pip install 'kisaan-validate[apprise]'"


HOSTILE = st.text(st.characters(codec=None), max_size=300) | st.sampled_from(
    [
        "a\r\nBcc: all@example.org",
        "x\n\nbody",
        "\u202egnp.exe",
        "\x00\x1b[2J",
        "\ud800",
        "=?utf-8?q?x?=",
        "a" * 5_000,
        "\r",
        "\u2028",
    ]
)


@given(HOSTILE, HOSTILE)
def test_no_text_breaks_a_header_or_the_json(subject: str, body: str) -> None:
    """For any text in subject and body: one header of each name, no other recipient, and JSON that is read
    back.
    """
    message = Message("id-1", AT, subject, body, Severity.INFO, {"titles": [subject]})
    mail = mail_of(message, "a@example.org", ("b@example.org",))
    raw = mail.as_bytes()
    back = message_from_bytes(raw, policy=default)
    names = ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted"]
    assert list(back.keys())[:6] == names
    assert set(back.keys()) == {*names, "Content-Type", "Content-Transfer-Encoding", "MIME-Version"}
    assert (back["to"], back["from"]) == ("b@example.org", "a@example.org")
    assert json.loads(message.to_json())["subject"] == subject


@given(st.text(max_size=200))
def test_an_id_names_a_file_and_no_place(name: str) -> None:
    """Whatever the id of a run is: no path, no header, and the same each time."""
    made = message_id(name)
    assert made == message_id(name)
    assert made.isascii()
    assert "/" not in made
    assert not made.startswith(".")
    assert 0 < len(made) <= 100


def test_what_a_receiver_said_is_one_line_without_secrets() -> None:
    """Bounded, with hidden characters by name."""
    assert said("a\n b\x07 s3cret!", ("s3cret", "")) == "a b[U+0007] •••!"
    assert len(said("x" * 100_000)) == 301


def test_a_webhook_uses_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says: a message goes where kisaan.toml says, or nowhere."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://localhost:{free_port()}")
    with web_server() as hook:
        assert WebhookChannel("hook", hook.url).deliver(MESSAGE, {}) == "HTTP 200 id evt-77"
    assert len(hook.bodies) == 1
