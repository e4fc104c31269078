"""Which database is meant, where that was said, and how to reach it. Passwords never leave this module."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import parse_qsl, urlsplit

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import TargetError
from kisaan_validate.sql.qualify import qualified

SOURCES = ("--dsn", "KISAAN_DSN", "DATABASE_URL", "libpq environment")
"""Where the target may be named, the first one wins."""

# SQLAlchemy writes its driver behind a plus sign, which libpq does not know.
_SCHEME = re.compile(r"^(postgres|postgresql)(\+\w+)?://")

_FOREIGN = {
    "schema": "Prisma's; name the schemas in suite.toml",
    "pgbouncer": "Prisma's; connect to PostgreSQL itself, not to the pooler",
    "connection_limit": "Prisma's",
    "pool_timeout": "Prisma's",
    "ssl": "node-postgres's; write sslmode=require, or sslmode=verify-full with sslrootcert=…",
    "uselibpqcompat": "node-postgres's",
}
"""Parameters of other ecosystems' URLs that libpq refuses, and what to do about them."""


@dataclass(frozen=True)
class Target:
    """libpq connection parameters and where they came from. ``repr`` shows no secret."""

    parameters: Mapping[str, str] = field(repr=False)
    source: str = ""

    def hide(self, text: str) -> str:
        """``text`` without this target's password, should an error message repeat it."""
        # PGPASSWORD too: libpq may quote the password that it used, wherever it came from.
        for secret in (self.parameters.get("password", ""), os.environ.get("PGPASSWORD", "")):
            if secret:
                text = text.replace(secret, "•••")
        return text


def find_target(dsn: str | None = None, environ: Mapping[str, str] | None = None) -> Target:
    """The target from ``dsn``, else KISAAN_DSN, else DATABASE_URL, else libpq's own environment.

    Raises TargetError for a URL that libpq would refuse; the message never repeats the URL.
    """
    env = os.environ if environ is None else environ
    if dsn is not None and not dsn.strip():
        raise TargetError("--dsn is empty", "name the database, or omit the option to use the environment")
    if dsn:
        return Target(_parameters(dsn, "--dsn"), "--dsn")
    for name in ("KISAAN_DSN", "DATABASE_URL"):
        if env.get(name):
            return Target(_parameters(env[name], name), name)
    return Target({}, "libpq environment")


def _parameters(dsn: str, source: str) -> dict[str, str]:
    # Imported here: commands that read only files need no driver.
    import psycopg2
    from psycopg2.extensions import parse_dsn

    text = dsn.strip()
    if "://" in text:
        text = _plain_url(text, source)
    try:
        return {key: str(value) for key, value in parse_dsn(text).items()}
    # ``from None``: the parser's message repeats the string, with its password.
    except (psycopg2.ProgrammingError, ValueError):
        hint = (
            "write postgresql://user@host:5432/database, or host=… dbname=… user=…; keep the "
            "password in .pgpass"
        )
        raise TargetError(f"the connection string from {source} cannot be parsed", hint) from None


def _plain_url(url: str, source: str) -> str:
    match = _SCHEME.match(url)
    if match is None:
        raise TargetError(f"the URL from {source} is not a PostgreSQL URL", "begin it with postgresql://")
    # Before any library sees it: each of them quotes what it does not understand.
    _require_plain(url[match.end() :], source)
    try:
        parts = urlsplit("postgresql://" + url[match.end() :])
        given = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise TargetError(
            f"the URL from {source} cannot be parsed", "percent-encode special characters"
        ) from None
    for key, value in given:
        if key in _FOREIGN:
            raise TargetError(
                f"the URL from {source} has the parameter {key!r}, which libpq does not know", _FOREIGN[key]
            )
        if key == "sslmode" and value == "no-verify":
            hint = "libpq's name for it is sslmode=require (encrypted, certificate not verified)"
            raise TargetError(f"the URL from {source} has sslmode=no-verify, which is node-postgres's", hint)
    return "postgresql://" + url[match.end() :]


_USER = re.compile(r"(?:[^@/?#\[\]%\s]|%[0-9A-Fa-f]{2})*")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]*\]|[^:@/?#\[\],\s]*)(?::(\d*))?")


def _require_plain(rest: str, source: str) -> None:
    """Refuse a URL, without its ``postgresql://``, that libpq might read differently.
    Raises TargetError.

    libpq quotes what it takes for a host, a port or a parameter, which may be a part of the password where
    ``@``, ``/``, ``?`` or ``#`` stand in it unescaped. So everything before the last ``@`` must be a user
    and a password, and ports numbers.
    """
    # The last @ ends the user's part in a URL that libpq reads as it is written.
    user, _, place = rest.rpartition("@")
    hosts = re.split(r"[/?#]", place, maxsplit=1)[0].split(",")
    if _USER.fullmatch(user) and all(_HOST.fullmatch(host) for host in hosts):
        return
    hint = (
        "percent-encode @ as %40, / as %2F, : as %3A, # as %23, ? as %3F, % as %25; or put the "
        "password in ~/.pgpass"
    )
    raise TargetError(
        f"the URL from {source} cannot be parsed: user, password, host or port has unescaped characters",
        hint,
    )


_WHO = qualified("SELECT current_database(), current_user::text, coalesce(host(inet_server_addr()), '')")
