"""Asking a server to cancel a statement, without holding up anything of ours while it does not answer.

psycopg2's own ``cancel`` waits for the server while it holds the interpreter's lock: where the server, a
proxy or the network does not answer, no thread of the process moves any more. So libpq is called directly,
through ctypes, which gives the lock up meanwhile, in a thread that nobody waits for.
"""

from __future__ import annotations

import ctypes
import threading
from functools import cache
from typing import Any

import psycopg2

_ERROR_BYTES = 256
"""How long libpq's messages about a cancelling may be (its documentation's recommendation)."""


class Canceller:
    """What is needed to cancel the statements of one connection: taken when it is made, used from any
    thread.
    """

    def __init__(self, connection: Any) -> None:
        library, pointer = _libpq(), getattr(connection, "pgconn_ptr", None)
        self._library = library
        # Taken now: PQgetCancel reads the connection, which is not safe while another thread uses it.
        self._cancel = library.PQgetCancel(pointer) if library is not None and pointer else None
        self._lock, self._used = threading.Lock(), False

    def send(self) -> bool:
        """Ask for it, and return at once. False: this cannot be asked, for instance because libpq is not
        to be found.
        """
        # The lock keeps ``close`` from freeing what a thread is about to use.
        with self._lock:
            if not self._cancel:
                return False
            self._used = True
        threading.Thread(target=self._send, args=(self._cancel,), daemon=True).start()
        return True

    def _send(self, cancel: int) -> None:
        assert self._library is not None
        self._library.PQcancel(cancel, ctypes.create_string_buffer(_ERROR_BYTES), _ERROR_BYTES)

    def close(self) -> None:
        """Give its memory back, unless a thread may still be using it."""
        with self._lock:
            # Once used, its memory is left to the process: a thread may hang in PQcancel without an end.
            if self._cancel and not self._used and self._library is not None:
                self._library.PQfreeCancel(self._cancel)
            self._cancel = None


@cache
def _libpq() -> Any:
    """The libpq that psycopg2 has loaded, or None: a name is looked up in the module and in what it was
    linked with.
    """
    try:
        # By psycopg2's own file, so that its libpq is used and not another one of the system's.
        library = ctypes.CDLL(psycopg2._psycopg.__file__)
        # Types, because ctypes passes pointers as 32-bit integers without them.
        library.PQgetCancel.restype, library.PQgetCancel.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        library.PQcancel.restype, library.PQcancel.argtypes = (
            ctypes.c_int,
            [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int],
        )
        library.PQfreeCancel.restype, library.PQfreeCancel.argtypes = None, [ctypes.c_void_p]
    # A build of psycopg2 may hide libpq's symbols; a stop then cuts the line when its grace is over.
    except (AttributeError, OSError):
        return None
    return library
