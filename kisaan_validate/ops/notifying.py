"""The channels that ``[notify]`` of kisaan.toml names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kisaan_validate.notify.apprised import AppriseChannel
from kisaan_validate.notify.channel import Authorities, Channel
from kisaan_validate.notify.smtp import Encryption, SmtpChannel
from kisaan_validate.notify.webhook import WebhookChannel

if TYPE_CHECKING:
    from kisaan_validate.ops.config import NotifyConfig
    from kisaan_validate.ops.notify_model import SmtpTable, WebhookTable

TIMEOUT = 30
"""Seconds, where the file says none."""

PORTS = {Encryption.STARTTLS: 587, Encryption.TLS: 465, Encryption.NONE: 25}
"""Where mail servers take mail from programs (RFC 6409, RFC 8314), and from hosts."""


def channels_of(config: NotifyConfig) -> tuple[Channel, ...]:
    """The channels, in the order in which they are tried."""
    table, base = config.table, config.base
    return (
        *(_smtp(one, base) for one in table.smtp),
        *(_webhook(one, base) for one in table.webhook),
        *(AppriseChannel(one.name, one.url_env) for one in table.apprise),
    )


def _smtp(given: SmtpTable, base: Path) -> SmtpChannel:
    encryption = Encryption(given.tls)
    return SmtpChannel(
        name=given.name,
        host=given.host,
        sender=given.from_,
        to=given.to,
        port=given.port or PORTS[encryption],
        encryption=encryption,
        user=given.user or "",
        password_env=given.password_env or "",
        trust=_authorities(given.ca, base),
        seconds=given.timeout or TIMEOUT,
    )


def _webhook(given: WebhookTable, base: Path) -> WebhookChannel:
    return WebhookChannel(
        name=given.name,
        url=given.url or "",
        url_env=given.url_env or "",
        token_env=given.token_env or "",
        hmac_env=given.hmac_env or "",
        trust=_authorities(given.ca, base),
        seconds=given.timeout or TIMEOUT,
    )


def _authorities(path: str | None, base: Path) -> Authorities:
    return Authorities(base / path if path is not None else None)
