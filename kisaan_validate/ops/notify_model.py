"""``[notify]`` of kisaan.toml: who is told of a run, and how. Secrets stand in the environment; here are only
the names of the variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from kisaan_validate.toml.durations import Duration
from kisaan_validate.toml.model import (
    AfterValidator,
    Field,
    FilePath,
    LookBefore,
    Name,
    TomlTable,
    model_validator,
    shaped,
    tables,
    wrong,
)

DAY = 86_400

_ADDRESS = r"^[^\s\x00-\x1f\x7f<>@,;]+@[^\s\x00-\x1f\x7f<>@,;]+$(?!\n)"
_VARIABLE = r"^[A-Z][A-Z0-9_]*$(?!\n)"


def _web_address(value: Any) -> Any:
    # Nothing of it is repeated: it may hold a secret.
    if not isinstance(value, str) or not re.fullmatch(r"https?://[\x21-\x7e]+", value):
        raise wrong("must be an http:// or https:// address")
    if "@" in urlsplit(value).netloc:
        raise wrong(
            "must hold no user and no password",
            "put the whole address into a variable, and name it in url_env",
        )
    return value


_Url = Annotated[str, LookBefore(_web_address, {"pattern": "^https?://"})]
_Address = Annotated[str, shaped(_ADDRESS, "a mail address, as ops@example.org")]
_Variable = Annotated[
    str,
    shaped(_VARIABLE, "the name of an environment variable", "write the name alone, as KISAAN_SMTP_PASSWORD"),
]
_ChannelName = Annotated[
    str, shaped(r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}$(?!\n)", "a short name of ASCII letters")
]
_Host = Annotated[str, shaped(r"^[A-Za-z0-9.:_-]+$(?!\n)", "a host's name")]


def _within(low: int, high: int, must: str) -> AfterValidator:
    """A number of seconds between two bounds, which ``must`` says as people write them."""

    def look(seconds: int) -> int:
        if not low <= seconds <= high:
            raise wrong(f"must be {must}")
        return seconds

    return AfterValidator(look)


_Timeout = Annotated[Duration, _within(1, 600, "1 s to 10 min")]
_Nudge = Annotated[Duration, _within(DAY, 400 * DAY, "1 d to 400 d")]


class SmtpTable(TomlTable):
    """A mail server."""

    name: _ChannelName = Field(description="how messages call it", examples=["ops mail"])
    host: _Host = Field(description="the mail server", examples=["mail.example.org"])
    port: int | None = Field(None, ge=1, le=65_535, description="587, for tls 465, for none 25")
    tls: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls, tls or none; without it no password is sent"
    )
    from_: _Address = Field(alias="from", description="the sender", examples=["validate@example.org"])
    to: Annotated[tuple[_Address, ...], Field(strict=False, min_length=1)] = Field(
        description="who gets it", examples=['["ops@example.org"]']
    )
    user: Name | None = Field(None, description="the login")
    password_env: _Variable | None = Field(None, description="the variable that holds its password")
    ca: FilePath | None = Field(None, description="certificates to trust; by default the system's")
    timeout: _Timeout | None = Field(None, description="for the whole conversation; by default 30 s")

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> SmtpTable:
        if (self.user is None) != (self.password_env is None):
            raise wrong("needs both user and password_env, or neither")
        if self.user is not None and self.tls == "none":
            raise wrong("would send the password in the clear", 'write tls = "starttls" or tls = "tls"')
        return self


class WebhookTable(TomlTable):
    """A web address that takes JSON."""

    name: _ChannelName = Field(description="how messages call it", examples=["on-call hook"])
    url: _Url | None = Field(None, description="the address")
    url_env: _Variable | None = Field(None, description="the variable that holds it, if it is secret")
    token_env: _Variable | None = Field(None, description="the variable that holds a bearer token")
    hmac_env: _Variable | None = Field(
        None, description="the variable that holds the key that signs the body"
    )
    ca: FilePath | None = Field(None, description="certificates to trust; by default the system's")
    timeout: _Timeout | None = Field(None, description="for the whole conversation; by default 30 s")

    @model_validator(mode="after")
    def _one_address(self) -> WebhookTable:
        if (self.url is None) == (self.url_env is None):
            raise wrong("needs one of url and url_env")
        if self.token_env is not None and self.url is not None and self.url.startswith("http://"):
            raise wrong("would send the token in the clear", "write an https:// address")
        return self


class AppriseTable(TomlTable):
    """An address of Apprise: Slack, Teams and many others."""

    name: _ChannelName = Field(description="how messages call it", examples=["team chat"])
    url_env: _Variable = Field(
        description="the variable that holds the address", examples=["KISAAN_CHAT_URL"]
    )


class NotifyTable(TomlTable):
    """Who is told of a run, and how."""

    base_url: _Url | None = Field(None, description="where the folder of reports is published")
    nudge: _Nudge | None = Field(
        None, description="how long after which an open failure is reported again; by default 7 d"
    )
    least: Literal["blocking", "warning", "info"] = Field(
        "warning", description="checks of a lower severity are not told"
    )
    smtp: Annotated[tuple[SmtpTable, ...], Field(strict=False), tables("notify.smtp")] = Field(
        (), description="mail servers"
    )
    webhook: Annotated[tuple[WebhookTable, ...], Field(strict=False), tables("notify.webhook")] = Field(
        (), description="web addresses"
    )
    apprise: Annotated[tuple[AppriseTable, ...], Field(strict=False), tables("notify.apprise")] = Field(
        (), description="addresses of Apprise"
    )

    @model_validator(mode="after")
    def _channels(self) -> NotifyTable:
        names = [
            *(s.name for s in self.smtp),
            *(w.name for w in self.webhook),
            *(a.name for a in self.apprise),
        ]
        # Where nothing is written, nobody is to be told; half of it is a slip.
        if not names and self.model_fields_set:
            raise wrong("has no channel", "add [[notify.smtp]], [[notify.webhook]] or [[notify.apprise]]")
        if twice := _twice(names):
            raise wrong(f"has two channels named {twice!r}", "give each a name of its own")
        return self


def _twice(names: Iterable[str]) -> str:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return ""
