"""The story's service: the stand-in for its backend, started on the migrated database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from kisaan_validate.ops.demo.assets import Assets
from kisaan_validate.ops.demo.place import Playground
from kisaan_validate.process.ports import HERE, free_port
from kisaan_validate.scratch.reaching import variables


@contextmanager
def running_service(place: Playground, assets: Assets) -> Iterator[str]:
    """The address of the running service, which ends with the block. It may not answer at once."""
    port = free_port()
    environment = {**os.environ, **variables(place.parameters("postgres")), "PORT": str(port)}
    service = subprocess.Popen([sys.executable, str(assets.demo / "service.py")], env=environment)
    try:
        yield f"http://{HERE}:{port}"
    finally:
        service.kill()
        service.wait()
