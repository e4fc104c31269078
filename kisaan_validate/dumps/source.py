"""A dump's SQL as a stream: a plain file unpacked, or an archive as pg_restore writes it out.

pg_restore is given no server: it only writes SQL, as an account without rights, into a pipe in the scratch
server's folder. A folder is copied first where that account could not read it.
"""

from __future__ import annotations

import os
import secrets
import select
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from kisaan_validate.dumps.messages import tool_said
from kisaan_validate.dumps.opening import HEAD, member, names_in_folder, regular
from kisaan_validate.dumps.unpacking import PIECE, method_of, pieces_of, unpacked
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.client import Finished
from kisaan_validate.scratch.installation import Installation
from kisaan_validate.scratch.server import Scratch

_LOOK = 0.05


def plain_sql(path: Path, read: Callable[[int], None]) -> Iterator[bytes]:
    """The SQL of a plain dump; ``read`` is told how many bytes of the file were read."""
    file, _ = regular(path)
    with file:
        head = file.read(HEAD)
        file.seek(0)

        def told() -> Iterator[bytes]:
            done = 0
            for piece in pieces_of(file):
                done += len(piece)
                read(done)
                yield piece

        yield from unpacked(method_of(head), told())


def archive_sql(
    path: Path, facts: DumpFacts, scratch: Scratch, client: Installation, stop: Stop | None
) -> Iterator[bytes]:
    """The SQL of an archive, as pg_restore writes it. Raises RecordError if it cannot."""
    name = secrets.token_hex(8)
    pipe, copy = scratch.folder / "work" / f"{name}.sql", scratch.folder / "work" / name
    os.mkfifo(pipe, 0o600)
    scratch.give(pipe)
    words = ["-f", str(pipe)]
    source: Path | None = path
    try:
        if facts.format is DumpFormat.DIRECTORY:
            words += ["-Fd", str(_readable(path, copy, scratch))]
            source = None
        finished: list[Finished | BaseException] = []
        thread = threading.Thread(
            target=_run, args=(finished, scratch, words, source, client, stop), daemon=True
        )
        thread.start()
        yield from _piped(pipe, thread)
        thread.join()
        _look_at(finished[0])
    finally:
        with suppress(OSError):
            pipe.unlink()
        shutil.rmtree(copy, ignore_errors=True)


def _readable(path: Path, copy: Path, scratch: Scratch) -> Path:
    """The folder itself, or as root a copy for the account without rights."""
    if os.geteuid() != 0:
        return path.absolute()
    copy.mkdir(0o700)
    for name in names_in_folder(path):
        file, _ = member(path, name)
        with file, (copy / name).open("wb") as sink:
            shutil.copyfileobj(file, sink, PIECE)
        scratch.give(copy / name)
    scratch.give(copy)
    return copy


def _run(
    finished: list[Finished | BaseException],
    scratch: Scratch,
    words: list[str],
    source: Path | None,
    client: Installation,
    stop: Stop | None,
) -> None:
    try:
        finished.append(
            scratch.client("pg_restore", words, database="postgres", stdin=source, stop=stop, options=client)
        )
    except BaseException as error:
        finished.append(error)


def _piped(pipe: Path, writer: threading.Thread) -> Iterator[bytes]:
    """What a program writes into a pipe, until it has ended. If nobody reads on, the program ends."""
    number = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while True:
            alive = writer.is_alive()
            select.select([number], [], [], _LOOK)
            try:
                piece = os.read(number, PIECE)
            except BlockingIOError:
                continue
            if piece:
                yield piece
            elif not alive:
                return
            else:
                # Not opened yet, or closed and about to end.
                time.sleep(_LOOK / 10)
    finally:
        os.close(number)


def _look_at(result: Finished | BaseException) -> None:
    if isinstance(result, BaseException):
        raise result
    if not result.ok:
        said = result.cut or tool_said(result.err_tail) or f"it ended with exit code {result.code}"
        raise RecordError(
            f"pg_restore could not read the archive: {said}", "take the dump again, or an older one"
        )
