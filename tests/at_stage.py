"""A command of ours to which something happens at one of its stages: the disk is full, or it is killed.

``python at_stage.py command words …`` with KISAAN_STAGE, JSON: ``log``, a file that names the stages as they
come; ``at``, a stage, and ``do``: "fill" the file systems in ``disks``, or "kill" the command itself, or "kill
all", its keeper first; ``after``, so many seconds from the stage's beginning.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

WISH = json.loads(os.environ["KISAAN_STAGE"])
_seen: set[str] = set()
_keepers: list[int] = []


def stage(name: str) -> None:
    """It begins; the first time counts."""
    if name in _seen:
        return
    _seen.add(name)
    with Path(WISH["log"]).open("a") as log:
        log.write(name + "\n")
    if name == WISH.get("at"):
        if WISH.get("after"):
            threading.Timer(WISH["after"], happen).start()
        else:
            happen()


def happen() -> None:
    """What was asked for."""
    if WISH["do"] == "fill":
        for disk in WISH["disks"]:
            fill(Path(disk))
        return
    if WISH["do"] == "kill all":
        for keeper in _keepers:
            # It has ended where the server is away already.
            with contextlib.suppress(ProcessLookupError):
                os.kill(keeper, signal.SIGKILL)
    os.kill(os.getppid() if WISH["do"] == "kill parent" else os.getpid(), signal.SIGKILL)


def fill(disk: Path) -> None:
    """Leave no byte free, until the file is removed."""
    with (disk / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * (64 << 10))
    with (disk / "ballast").open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x")


def before(owner: Any, name: str, words: Callable[..., str]) -> None:
    """Calls of ``owner.name`` are stages."""
    real = getattr(owner, name)

    def called(*given: Any, **more: Any) -> Any:
        stage(words(*given, **more))
        return real(*given, **more)

    setattr(owner, name, called)


def watch() -> None:
    """Name the stages of commands that restore."""
    import kisaan_validate.backup.taking as taking
    from kisaan_validate.cli import job
    from kisaan_validate.prove.request import Progress
    from kisaan_validate.record import files
    from kisaan_validate.rehearse import interrupted
    from kisaan_validate.rehearse.steps import Steps
    from kisaan_validate.scratch import home
    from kisaan_validate.scratch.cluster import Cluster
    from kisaan_validate.scratch.server import Scratch

    before(home, "new_marker", lambda *_: "mark a folder")
    before(Cluster, "_initialize", lambda *_: "make a cluster")
    before(Cluster, "start", lambda *_: "start a server")
    before(Cluster, "release", lambda *_, **__: "put the server away")
    before(Scratch, "create", lambda _, name, **__: f"create {name}")
    before(Scratch, "clone", lambda _, source, name: f"clone {name}")
    before(Scratch, "drop", lambda _, name: f"drop {name}")
    before(Scratch, "client", lambda _, program, *__, **more: f"{program} into {more['database']}")
    before(Steps, "do", lambda _, name, *__: name)
    before(Steps, "must", lambda _, name, *__: name)
    before(interrupted, "_both", lambda *_: "two at once")
    before(taking, "run_pg_dump", lambda *_, **__: "run pg_dump")
    before(taking, "_into_place", lambda *_: "put the dump into its place")
    before(files, "_fill", lambda name, *_: f"write {Path(name).name.rpartition('.')[0].lstrip('.')}")
    before(files, "sync_folder", lambda *_: "name the files")
    real = home.Home._keep

    def keep(self: Any) -> None:
        stage("start a keeper")
        real(self)
        _keepers.append(self._keeper.pid)

    home.Home._keep = keep  # type: ignore[method-assign]
    observed = job.progress_observer

    @contextlib.contextmanager
    def observer(quiet: bool) -> Iterator[Callable[[Any], None]]:
        with observed(quiet) as observe:

            def told(event: Any) -> None:
                if isinstance(event, Progress):
                    stage(event.phase)
                observe(event)

            yield told

    job.progress_observer = observer


if __name__ == "__main__":
    watch()
    from kisaan_validate.cli.main import entry

    entry()
