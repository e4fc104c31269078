"""The story's service: the stand-in for its backend, started on the migrated database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kisaan_validate.ops.demo.assets import Assets
from kisaan_validate.ops.demo.place import Playground


@contextmanager
def running_service(place: Playground, assets: Assets) -> Iterator[str]:
    """The address of the running service, which ends with the block. It may not answer at once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    owner = place.parameters("postgres")
    named = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
    said = {variable: str(owner[key]) for key, variable in named.items()}
    environment = {**os.environ, **said, "PGPASSWORD": str(owner.get("password", ""))}
    # libpq's variables say all of it.
    environment |= {"DATABASE_URL": "", "PORT": str(port)}
    service = subprocess.Popen([sys.executable, str(assets.demo / "service.py")], env=environment)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        service.kill()
        service.wait()
