"""Unpacks gzip, zstd, lz4, bzip2 and xz as a stream, and tells a whole stream from one that ends early.

zstd needs the package ``zstandard`` or the program ``zstd``, lz4 the program ``lz4``; the rest is in Python.
Memory does not grow with what comes out. A file that grows beyond all measure is refused as a bomb: text of a
dump never repeats so much.
"""

from __future__ import annotations

import bz2
import lzma
import shutil
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from itertools import chain
from typing import IO, Protocol

from kisaan_validate.errors import UsageError

PIECE = 1 << 20
MAGICS = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
}
"""How packed files begin."""

BOMB_RATIO, BOMB_FROM = 500, 1 << 28
"""From so many bytes on, so many times the packed size is a bomb."""


class Cut(Exception):
    """A packed stream ends early or is damaged. ``args[0]`` says which, in words."""


class Bomb(Exception):
    """What comes out of a packed stream is out of all proportion to it."""


def method_of(head: bytes) -> str:
    """How a file that begins so is packed; "none" if it is not."""
    return next((name for magic, name in MAGICS.items() if head.startswith(magic)), "none")


def pieces_of(file: IO[bytes], first: bytes = b"") -> Iterator[bytes]:
    """A file's bytes, in pieces."""
    if first:
        yield first
    while piece := file.read(PIECE):
        yield piece


def unpacked(method: str, pieces: Iterable[bytes], *, may_be_empty: bool = False) -> Iterator[bytes]:
    """What comes out, in pieces of at most some MB. ``may_be_empty``: nothing may have been packed as
    nothing, as pg_dump does in blocks, but not in files. Raises Cut, Bomb, and UsageError where a program is
    missing.
    """
    if method == "none":
        yield from pieces
        return
    taken = given = 0

    def counted() -> Iterator[bytes]:
        nonlocal taken
        for piece in pieces:
            taken += len(piece)
            yield piece

    for out in _UNPACKERS[method](counted()):
        given += len(out)
        if given > BOMB_FROM and given > BOMB_RATIO * max(taken, 1):
            raise Bomb
        yield out
    if taken == 0 and not may_be_empty:
        raise Cut("it ends early: there is nothing in it")


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def _by_library(
    make: Callable[[], _Unpacker], errors: tuple[type[Exception], ...]
) -> Callable[..., Iterator[bytes]]:
    def unpack(pieces: Iterable[bytes]) -> Iterator[bytes]:
        """Several streams one after the other are one, as the programs have it."""
        unpacker, begun = make(), False
        try:
            for piece in pieces:
                rest = piece
                while rest:
                    if unpacker.eof:
                        unpacker, begun = make(), False
                    begun = True
                    yield from _limited(unpacker, rest)
                    rest = unpacker.unused_data if unpacker.eof else b""
        except errors as error:
            raise Cut("it is damaged: what is packed cannot be unpacked") from error
        if begun and not unpacker.eof:
            raise Cut("it ends early: what is packed is cut off")

    return unpack


def _limited(unpacker: _Unpacker, data: bytes) -> Iterator[bytes]:
    """All that a piece unpacks to, never much at once."""
    out = unpacker.decompress(data, 4 * PIECE)
    if out:
        yield out
    # zlib keeps what it did not use yet; the others do so themselves.
    while not unpacker.eof:
        left = getattr(unpacker, "unconsumed_tail", b"")
        out = unpacker.decompress(left, 4 * PIECE)
        if not out:
            break
        yield out


def _zlib() -> _Unpacker:
    # 32: with the header of gzip (files) or of zlib (blocks of archives).
    return zlib.decompressobj(wbits=32 + zlib.MAX_WBITS)


def _zstd(pieces: Iterable[bytes]) -> Iterator[bytes]:
    if find_spec("zstandard") is None:
        yield from _by_program("zstd", pieces)
        return
    import zstandard

    make = zstandard.ZstdDecompressor().decompressobj

    class WholeStream:
        """decompressobj with the arguments of the others."""

        def __init__(self) -> None:
            self._inner = make()

        @property
        def eof(self) -> bool:
            return bool(self._inner.eof)

        @property
        def unused_data(self) -> bytes:
            return bytes(self._inner.unused_data)

        def decompress(self, data: bytes, max_length: int = -1) -> bytes:
            return bytes(self._inner.decompress(data)) if data else b""

    yield from _by_library(WholeStream, (zstandard.ZstdError,))(_small(pieces))


def _small(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Smaller pieces: zstandard gives all that a piece unpacks to at once."""
    for piece in pieces:
        for start in range(0, len(piece), 1 << 14):
            yield piece[start : start + (1 << 14)]


def _lz4(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from _by_program("lz4", pieces)


def _by_program(name: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    program = shutil.which(name)
    if program is None:
        extra = " (or: pip install zstandard)" if name == "zstd" else ""
        raise UsageError(
            f"the program {name} is missing, by which this dump is packed", f"apt-get install {name}{extra}"
        )
    iterator = iter(pieces)
    first = next(iterator, None)
    if first is None:
        return
    process = subprocess.Popen(
        [program, "-d", "-c", "-q"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    failed: list[BaseException] = []
    feeder = threading.Thread(target=_feed, args=(process, chain([first], iterator), failed), daemon=True)
    feeder.start()
    assert process.stdout is not None
    try:
        yield from pieces_of(process.stdout)
        feeder.join()
        code = process.wait()
    finally:
        process.kill()
        process.wait()
        feeder.join()
        process.stdout.close()
    if failed:
        raise failed[0]
    if code != 0:
        raise Cut("it ends early or is damaged: what is packed cannot be unpacked")


def _feed(process: subprocess.Popen[bytes], pieces: Iterable[bytes], failed: list[BaseException]) -> None:
    assert process.stdin is not None
    try:
        for piece in pieces:
            process.stdin.write(piece)
    except BrokenPipeError:
        pass  # the program says so by its exit code
    except BaseException as error:
        failed.append(error)
    with suppress(OSError):
        process.stdin.close()


_UNPACKERS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "gzip": _by_library(_zlib, (zlib.error,)),
    "bzip2": _by_library(bz2.BZ2Decompressor, (OSError, EOFError)),
    "xz": _by_library(lzma.LZMADecompressor, (lzma.LZMAError, EOFError)),
    "zstd": _zstd,
    "lz4": _lz4,
}
