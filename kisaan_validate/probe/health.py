"""Does the service answer already? Its health endpoint is asked by one GET."""

from __future__ import annotations

from urllib.parse import urlsplit

from kisaan_validate.errors import UsageError
from kisaan_validate.probe.asking import HttpAnswer, Outgoing, ask, trusting
from kisaan_validate.process.stopping import Stop

_ONE_ANSWER = 5.0
"""Seconds until an answer is given up, however slowly it comes."""


def health_request(url: str) -> Outgoing:
    """The request of a health endpoint. Raises UsageError; the message never repeats the URL, whose path may
    hold a key.
    """
    hint = "write http://127.0.0.1:3000/api/health"
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise UsageError("--health is not a URL", hint) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError("--health is not an http or https URL", hint)
    if parts.username is not None:
        raise UsageError("--health has a user in its URL", "name an endpoint that answers without one")
    # Of the text: what splits a URL drops line breaks.
    if not url.isascii() or not url.isprintable() or " " in url:
        raise UsageError("--health has characters that must be percent-encoded", hint)
    return Outgoing("GET", parts._replace(fragment="").geturl(), {}, None, _ONE_ANSWER)


def ask_health(request: Outgoing, stop: Stop) -> int | None:
    """The HTTP status of one GET; None where nothing answered in time."""
    answer = ask(request, trusting(None), stop)
    return answer.status if isinstance(answer, HttpAnswer) else None
