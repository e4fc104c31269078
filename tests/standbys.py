"""A streaming standby for the tests: a base backup of a primary, so it has its system identifier."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import SYSTEM_BIN, Server

PRIMARY_PORT, STANDBY_PORT = 6416, 6417


def _as_postgres(*words: str) -> None:
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run(
        [*prefix, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/", timeout=60
    )


@contextmanager
def standby_of(primary: Server) -> Iterator[Server]:
    """A streaming standby of PostgreSQL 15, taken with pg_basebackup; conflicts with replay cancel at
    once.
    """
    folder = Path(tempfile.mkdtemp(prefix="kisaan-standby-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    data, log = str(folder / "data"), folder / "log"
    source = ["-h", primary.host, "-p", primary.port, "-U", "postgres"]
    _as_postgres(str(SYSTEM_BIN / "pg_basebackup"), *source, "-D", data, "-R", "-X", "stream", "-c", "fast")
    options = (
        f"-k {folder} -h '' -p {STANDBY_PORT} -c max_standby_streaming_delay=0 -c hot_standby_feedback=off"
    )
    control = [str(SYSTEM_BIN / "pg_ctl"), "-D", data]
    _as_postgres(*control, "-w", "-l", str(log), "-o", options, "start")
    try:
        yield Server(str(folder), log, str(STANDBY_PORT))
    finally:
        _as_postgres(*control, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
