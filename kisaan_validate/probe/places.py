"""Where a request goes: to the configured address, by a path that cannot leave it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

HOLE = re.compile(r"\$\{([^}]*)\}")
"""A name to be filled in."""

_ROUTE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9_.:-]{1,253}")


@dataclass(frozen=True)
class BaseAddress:
    """Scheme, host and port of an application, and the path below which it answers ("" or "/app")."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def target(self) -> str:
        """The address for people, without what could be secret in a path."""
        return f"{self.scheme}://{self._bracketed}:{self.port}"

    def url(self, route: str) -> str:
        """The whole address of a path that :func:`route_fault` found no fault with."""
        return f"{self.target}{self.prefix}{route}"

    @property
    def _bracketed(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host


def address_fault(text: str) -> str:
    """Why a text is not a base URL; "" if it is one, or names a variable of the environment."""
    if re.fullmatch(r"\$\{env:[A-Za-z_][A-Za-z0-9_]*\}", text):
        return ""
    return _address_fault(text)[0]


def read_address(text: str) -> BaseAddress:
    """The address that a base URL names. Raises UsageError, which repeats nothing of it."""
    fault, hint = _address_fault(text)
    if fault:
        raise UsageError(f"the base URL {fault}", hint)
    parts = urlsplit(text)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return BaseAddress(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/"))


def _address_fault(text: str) -> tuple[str, str]:
    """What is wrong with a base URL, and what to do; ("", "") where nothing is."""
    hint = "write scheme, host and port: http://127.0.0.1:3000"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    plain = _HOST.fullmatch(parts.hostname or "") and _ROUTE.fullmatch(text)
    if parts.scheme not in {"http", "https"} or not plain:
        return "is not an http:// or https:// URL", hint
    if parts.username is not None or parts.password is not None:
        return "holds a name or a password", "write them as a header: ${env:NAME} keeps them out"
    if parts.query or parts.fragment or "?" in text or "#" in text:
        return "has a query or a fragment", hint
    prefix = parts.path.rstrip("/")
    fault = route_fault(prefix) if prefix else ""
    return (fault, hint) if fault else ("", "")


def route_fault(text: str) -> str:
    """Why a path of the file could lead elsewhere; "" if it cannot."""
    if not text.startswith("/") or text.startswith("//"):
        return "is not a path that begins with one /"
    if _ROUTE.fullmatch(text) is None or len(text) > 2_000:
        return "has a blank, a control character or another character that a URL has only in its percent form"
    if "\\" in text or "#" in text:
        return "has a backslash or a #"
    # Placeholders count as ordinary segments; a server may decode a path twice.
    plain = unquote(unquote(HOLE.sub("x", text).partition("?")[0]))
    if any(part in {".", ".."} for part in re.split(r"[/\\]", plain)):
        return "has a . or .. as a part"
    if not plain.isprintable():
        return "has a control character in its percent form"
    return ""


def as_segment(value: str) -> str:
    """A value as one part of a path, or as a value of a query. Raises ValueError for what servers could read
    as several parts, whatever its form.
    """
    # Some servers undo the percent form of a slash before they look at the path.
    if not value.strip(".") or len(value) > 200 or not value.isprintable() or re.search(r"[/\\]", value):
        raise ValueError("it cannot be one part of a path")
    return quote(value, safe="")
