"""Why a request has no answer, in our own words: nothing that a server sent is repeated."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class Silence:
    """Why there is no answer. ``known``: it is the application that does not answer, as opposed to something
    on our side that kept us from asking. ``reached``: the request may have reached it.
    """

    words: str
    known: bool
    reached: bool = False
    todo: str = ""


_EXPIRED, _OTHER_NAME, _NOT_YET = 10, 62, 9
"""OpenSSL's codes for faults that a certificate has for everybody."""


def silence_of(error: BaseException | None, timeout: float, *, connected: bool) -> Silence:
    """What an error of the client means. ``connected``: whether there was a connection."""
    import httpx

    behind = list(_chain(error))
    for one in behind:
        if isinstance(one, ssl.SSLCertVerificationError):
            return _certificate(one)
        if isinstance(one, ssl.SSLError):
            return Silence("TLS could not be negotiated: does the port speak TLS?", True)
        if isinstance(one, socket.gaierror):
            return Silence(
                "its name could not be resolved", False, todo="check the host in base_url, and DNS"
            )
        if isinstance(one, ConnectionRefusedError):
            return Silence("nothing listens there: the connection was refused", True)
    if any(isinstance(one, (httpx.TimeoutException, TimeoutError)) for one in behind):
        what = "no answer" if connected else "no connection"
        return Silence(f"{what} within {timeout:g} s", True, connected)
    if isinstance(error, httpx.ConnectError):
        return Silence("no connection could be made: the host or its network is out of reach", True)
    if isinstance(error, httpx.LocalProtocolError):
        return Silence("the request cannot be sent in HTTP", False, todo="check its headers")
    return Silence(_broken(error), True, connected)


def _broken(error: BaseException | None) -> str:
    import httpx

    said = str(error)
    if not isinstance(error, httpx.RemoteProtocolError):
        return "the connection was cut"
    if "too long" in said or "too many" in said.lower():
        return "its headers are longer than are read"
    # The words of httpcore and h11, whose own texts may repeat what the server sent.
    if "closed connection" in said or "disconnected" in said:
        return "it closed the connection before the end of its answer"
    return "what it answered is not HTTP"


def _certificate(error: ssl.SSLCertVerificationError) -> Silence:
    code = error.verify_code
    if code == _EXPIRED:
        return Silence("its certificate has expired", True, todo="renew the certificate")
    if code == _NOT_YET:
        return Silence("its certificate is not valid yet", True, todo="check the clocks, and the certificate")
    if code == _OTHER_NAME or "match" in str(error.verify_message):
        return Silence("its certificate is for another name", True, todo="check the host in base_url")
    todo = "name the authority's file: ca in the file, or --ca FILE"
    return Silence("no authority that is trusted here signed its certificate", False, todo=todo)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and those behind it."""
    for _ in range(20):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
