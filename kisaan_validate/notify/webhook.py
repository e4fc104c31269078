"""A message as JSON to a web address of the team's own."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
from collections.abc import Collection
from dataclasses import field
from urllib.parse import urlsplit

from kisaan_validate.dataclass import dataclass
from kisaan_validate.notify.channel import Authorities, CannotDeliver, Environment, TimeLimit, said, secret
from kisaan_validate.notify.message import Message
from kisaan_validate.version import VERSION

LONGEST_BODY = 64 * 1024
"""Bytes of an answer that are read; the rest is left on the wire."""

SIGNATURE = "X-Kisaan-Signature"


@dataclass(frozen=True)
class WebhookChannel:
    """A web address that takes a POST of JSON. ``url`` or the variable ``url_env`` says which;
    ``token_env`` names a bearer token, ``hmac_env`` a key that signs the body. ``seconds`` bounds it all.
    """

    name: str
    url: str = ""
    url_env: str = ""
    token_env: str = ""
    hmac_env: str = ""
    trust: Authorities = field(default_factory=Authorities)
    seconds: float = 30.0

    def deliver(self, message: Message, env: Environment, only: Collection[str] = ()) -> str:
        """Post the message; status and what names it in the answer. No redirect is followed. Raises
        CannotDeliver.
        """
        hidden = secret(env, self.url_env)
        token, key = secret(env, self.token_env), secret(env, self.hmac_env)
        address = _address(hidden or self.url, self.url_env)
        secrets = (hidden, token, key, *_parts_of(hidden))
        body = message.to_json()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"kisaan-validate/{VERSION}",
            # The same each time it is sent, so that a receiver can drop what it has.
            "Idempotency-Key": message.id,
        }
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {SIGNATURE: signature(key, body)} if key else {}
        with TimeLimit(self.seconds) as limit:
            try:
                return self._post(limit, address, body, headers, secrets)
            except CannotDeliver:
                raise
            # http.client raises errors of its own, of sockets, of TLS, and of headers that it cannot encode.
            except Exception as error:
                raise CannotDeliver(limit.words(error, secrets)) from None

    def _post(
        self,
        limit: TimeLimit,
        address: _Address,
        body: bytes,
        headers: dict[str, str],
        secrets: tuple[str, ...],
    ) -> str:
        wire = limit.connect(address.host, address.port)
        try:
            if address.encrypted:
                wire = self.trust.context().wrap_socket(wire, server_hostname=address.host)
            connection = http.client.HTTPConnection(address.named, timeout=limit.seconds)
            connection.sock = wire
            connection.request("POST", address.path, body, headers)
            answer = connection.getresponse()
            status, read = answer.status, answer.read(LONGEST_BODY)
        finally:
            wire.close()
        if limit.passed:
            raise TimeoutError
        if 300 <= status < 400:
            raise CannotDeliver(f"HTTP {status}: it redirects; write the address that it redirects to")
        if not 200 <= status < 300:
            raise CannotDeliver(f"HTTP {status}")
        return said(f"HTTP {status} {_named(read)}".rstrip(), secrets)


@dataclass(frozen=True)
class _Address:
    """Where a POST goes. ``named`` is what its Host header says."""

    host: str
    port: int
    named: str
    path: str
    encrypted: bool


def _address(url: str, env_name: str) -> _Address:
    """The parts of an address. Raises CannotDeliver, which repeats nothing of it."""
    what = f"the address in {env_name}" if env_name else "its address"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise CannotDeliver(f"{what} is no URL") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CannotDeliver(f"{what} is not an http:// or https:// URL")
    encrypted = parts.scheme == "https"
    named = parts.netloc.rpartition("@")[2]
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Address(parts.hostname, port or (443 if encrypted else 80), named, path, encrypted)


def _parts_of(url: str) -> tuple[str, ...]:
    """The parts of a secret address that an error could repeat alone."""
    parts = urlsplit(url) if url else None
    # A path of a sign or two is no secret, and would mask half of every message.
    return (
        tuple(p for p in (parts.path, parts.query, parts.netloc) if len(p) > 3) if parts is not None else ()
    )


def signature(key: str, body: bytes) -> str:
    """HMAC-SHA256 of a body, as receivers compute it: ``sha256=`` and 64 hex digits."""
    return f"sha256={hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}"


def _named(body: bytes) -> str:
    """What names the message at the receiver: ``id`` of a JSON answer, else the beginning of a text."""
    text = body[:4096].decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text[:80]
    id = found.get("id") if isinstance(found, dict) else None
    return f"id {id}" if isinstance(id, (str, int)) else ""
