"""Processes of their own that need not begin with a second of imports.

A warm interpreter imports the package and what it stands on, runs nothing, and forks for each command. A
forked process has its own standard streams, environment, folder, signals and exit code. It ends as every
interpreter ends, but does not take down what was loaded piece by piece, which takes ten times as long as a
small command. It shares two things with its siblings: loaded modules and the seed of hashes. A test about
one of these, or about how a process starts, starts a new interpreter: ``fresh=True``.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import random
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LENGTH = 8
"""Bytes in which the length of a message stands before it."""

AT_START = ("PYTHON", "LANG", "LC_", "MALLOC", "LD_", "OPENBLAS", "OMP_")
"""Prefixes of variables that are read when an interpreter starts. If they differ, a new one is needed."""


def run(
    module: str,
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    timeout: float = 120,
    fresh: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m module words`` and capture its text, as ``subprocess.run`` does.

    Raises subprocess.TimeoutExpired after ``timeout`` seconds.
    """
    command = [sys.executable, "-m", module, *words]
    if fresh or not _as_here(env):
        return subprocess.run(
            command, cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=timeout
        )
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        code = _warm().run(
            {"module": module, "words": list(words), "cwd": str(cwd), "env": dict(env)}, out, err, timeout
        )
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode().replace("\r\n", "\n").replace("\r", "\n"))
    return subprocess.CompletedProcess(command, code, *texts)


def _as_here(env: Mapping[str, str]) -> bool:
    """Whether an interpreter that is started with these variables reads what this one read."""
    known = [
        {k: v for k, v in variables.items() if k.startswith(AT_START) and k != "PYTHONPATH"}
        for variables in (env, os.environ)
    ]
    return known[0] == known[1]


@cache
def _warm() -> _Warm:
    return _Warm()


class _Warm:
    """The warm interpreter, one for each process that runs tests."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, str(Path(__file__)), str(theirs.fileno())]
        self._process = subprocess.Popen(
            command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd=ROOT
        )
        theirs.close()
        self._socket = ours
        atexit.register(ours.close)  # which ends it

    def run(self, command: dict[str, Any], out: Any, err: Any, timeout: float) -> int:
        """The exit code of a command, negative for a signal, as ``subprocess`` has it."""
        _send(self._socket, command, out.fileno(), err.fileno())
        child = _take(self._socket)
        self._socket.settimeout(timeout)
        try:
            return int(_take(self._socket))
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            self._socket.settimeout(None)
            _take(self._socket)
            raise subprocess.TimeoutExpired([command["module"], *command["words"]], timeout) from None
        finally:
            self._socket.settimeout(None)


def _send(to: socket.socket, message: Any, *files: int) -> None:
    """A message, with open files."""
    data = json.dumps(message).encode()
    data = len(data).to_bytes(LENGTH) + data
    sent = socket.send_fds(to, [data], files) if files else 0
    to.sendall(data[sent:])


def _take(by: socket.socket, files: list[int] | None = None) -> Any:
    """The next message; its open files are added to ``files``. Raises EOFError at the end."""
    data, got, _, _ = socket.recv_fds(by, LENGTH, 2)
    if files is not None:
        files += got
    while len(data) < LENGTH or len(data) < LENGTH + int.from_bytes(data[:LENGTH]):
        wanted = (
            LENGTH - len(data) if len(data) < LENGTH else LENGTH + int.from_bytes(data[:LENGTH]) - len(data)
        )
        more = by.recv(wanted)
        if not more:
            raise EOFError
        data += more
    return json.loads(data[LENGTH:])


# --- the warm interpreter itself ----------------------------------------------------------------------------


def _load() -> None:
    """Import the package and what it stands on, without the modules that are started or must be loaded by
    pytest.
    """
    import kisaan_validate

    for found in pkgutil.walk_packages(kisaan_validate.__path__, "kisaan_validate."):
        if not found.name.endswith((".__main__", ".pytest_plugin", ".child")):
            importlib.import_module(found.name)
    for name in ("pandera.pandas", "pandas", "psycopg2.extras", "rich.console", "pytest"):
        with suppress(ImportError):
            importlib.import_module(name)


def _serve(asked: socket.socket) -> dict[str, Any]:
    """Fork for each command and say how it ended; returns, in the forked process, the command."""
    while True:
        files: list[int] = []
        try:
            command = _take(asked, files)
        except EOFError:
            os._exit(0)
        child = os.fork()
        if child == 0:
            asked.close()
            for number, file in zip((1, 2), files, strict=True):
                os.dup2(file, number)
                os.close(file)
            return dict(command)
        for file in files:
            os.close(file)
        _send(asked, child)
        _, status = os.waitpid(child, 0)
        _send(asked, os.waitstatus_to_exitcode(status))


def _become(command: dict[str, Any]) -> None:
    """What ``python -m`` finds when it has started."""
    os.environ.clear()
    os.environ.update(command["env"])
    os.chdir(command["cwd"])
    time.tzset()
    random.seed()
    added = [path for path in command["env"].get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [command["cwd"], *added, *(path for path in _PATH if path not in added)]
    sys.argv[:] = ["-m", *command["words"]]
    try:
        runpy.run_module(command["module"], run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            _end(end.code or 0)
        raise


def _end(code: int) -> None:
    """Wait for threads, run what was registered for the end, flush, exit. Returns where a stream takes nothing:
    then the interpreter must say so in its own way.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(Exception):
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        os._exit(code & 0xFF)


if __name__ == "__main__":
    _PATH = [path for path in sys.path[1:] if path not in os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    sys.path[:] = [str(ROOT), *_PATH]
    _load()
    gc.freeze()
    _become(_serve(socket.socket(fileno=int(sys.argv[1]))))
