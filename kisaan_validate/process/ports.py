"""Ports of this machine on which a program of somebody's is started."""

from __future__ import annotations

import socket

HERE = "127.0.0.1"


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now."""
    with socket.socket() as one:
        one.bind((HERE, 0))
        return int(one.getsockname()[1])


def listens(port: int, host: str = HERE) -> bool:
    """Whether somebody takes connections there; waits for one second at most."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True
