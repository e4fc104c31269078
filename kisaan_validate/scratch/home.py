"""The folder of a scratch server, its marker, and the keeper that erases both when we end."""

from __future__ import annotations

import json
import os
import secrets
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.scratch import account, keeper
from kisaan_validate.scratch.leftovers import end_programs
from kisaan_validate.scratch.marker import PREFIX, SUFFIX, HeldMarker, new_marker

PATIENCE = 120.0
"""Seconds in which a server starts or stops."""

CHOOSE = "name another folder with --scratch-dir or KISAAN_SCRATCH_DIR"


class Home:
    """A folder 0700 that is erased when this process ends, however it ends. ``work`` in it is for copies."""

    def __init__(self, parent: Path, label: str) -> None:
        self.account = account.running()
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._ended = self._pid = ""
        self._keeper: subprocess.Popen[bytes] | None = None
        self.folder, self.marker = _folder(parent, label)

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.folder / "log"

    def ended(self) -> str:
        """How the server ended by itself, in words; "" while it runs."""
        with suppress(Empty):
            while line := self._lines.get_nowait():
                self._heard(line)
        return self._ended

    def release(self, *, keep: bool, notice: Callable[[str], None]) -> None:
        """The end: everything is erased, or kept on purpose, and what remains is named to ``notice``."""
        if keep:
            self.keep()
            notice(f"kept {self.folder}; `kisaan-validate scratch clean` stops and erases it")
        elif not self.close():
            notice(f"{self.folder} could not be erased: run `kisaan-validate scratch clean`")

    def keep(self) -> None:
        """Leave server and folder when this process ends."""
        self.marker.keep()
        self._tell("keep")
        if self._keeper is not None:
            self._keeper.wait(PATIENCE)
            self._keeper = None
        self.marker.close()

    def close(self) -> bool:
        """Stop at once and erase everything; whether nothing is left."""
        if self._keeper is not None and self._keeper.stdin is not None:
            with suppress(OSError):
                self._keeper.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._keeper.wait(PATIENCE)
        # The keeper itself was killed, or never started: then by ourselves.
        if self.marker.path.exists():
            end_programs(self.marker.marker)
            if not keeper.erased(self.marker.marker.folders):
                self.marker.path.unlink(missing_ok=True)
        self.marker.close()
        return not self.marker.path.exists()

    def _keep(self) -> None:
        """Start the keeper, before there is anything to erase but an empty folder."""
        plan = {
            "folder": str(self.folder),
            "log": str(self.log),
            "uid": self.account.uid,
            "gid": self.account.gid,
            "environment": clean_environment(self.folder),
            "erase": self.marker.marker.folders,
            "marker": str(self.marker.path),
        }
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", keeper.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # The lock is the keeper's too: what it erases nobody else erases at the same time.
            pass_fds=[self.marker.fd],
            start_new_session=True,
            env={"PATH": os.defpath},
        )
        threading.Thread(target=self._listen, args=[self._keeper], daemon=True).start()
        self._tell(json.dumps(plan))

    def _listen(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line.decode("utf-8", "replace").strip())
        self._lines.put("gone")

    def _tell(self, line: str) -> None:
        process = self._keeper
        if process is None or process.stdin is None:
            raise DatabaseError("the scratch server was stopped", "run the command again")
        try:
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
        except OSError:
            raise DatabaseError(
                "the process that keeps the scratch server was killed", "run the command again", lost=True
            ) from None

    def _wait(self, word: str, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise DatabaseError(f"the scratch server was not {word} in {seconds:.0f} s") from None
            self._heard(line)
            if line.split(" ")[0] == word:
                return
            if line == "gone":
                raise DatabaseError(
                    "the process that keeps the scratch server was killed", "run the command again"
                )

    def _heard(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "started":
            self._pid = rest
        elif word == "ended":
            code = int(rest)
            self._ended = f"signal {-code} killed it" if code < 0 else f"it ended with exit code {code}"
        elif word in ("failed", "gone"):
            self._ended = rest or "the process that kept it was killed"


def _folder(parent: Path, label: str) -> tuple[Path, HeldMarker]:
    """A new folder 0700 and its marker, which is written first: so nothing is ever without one."""
    folder = parent / (PREFIX + secrets.token_hex(4))
    try:
        marker = HeldMarker(folder.with_name(folder.name + SUFFIX), new_marker(label))
    except OSError as error:
        raise UsageError(f"no scratch server can be made in {parent}: {error.strerror}", CHOOSE) from None
    made = False
    try:
        folder.mkdir(mode=0o700)
        made = True
        marker.add(folder)
    except OSError as error:
        if made:
            folder.rmdir()
        marker.path.unlink(missing_ok=True)
        marker.close()
        raise UsageError(f"no scratch server can be made in {parent}: {error.strerror}", CHOOSE) from None
    return folder, marker


def scratch_parent(parent: Path | None = None) -> Path:
    """Where scratch servers are made: ``parent``, else KISAAN_SCRATCH_DIR, else the temporary folder.
    Raises UsageError if others could put something in a folder's place.
    """
    where = parent or Path(os.environ.get("KISAAN_SCRATCH_DIR") or tempfile.gettempdir())
    if not where.is_dir():
        raise UsageError(f"{where} is no folder", CHOOSE)
    where = where.resolve()
    if not safe_parent(where):
        raise UsageError(f"others can move what is made in {where}", CHOOSE)
    return where


def refuse_closed(where: Path) -> None:
    """Raises UsageError where root would make a server's folder that the server's account cannot reach."""
    if os.geteuid() != 0:
        return
    for folder in (*reversed(where.parents), where):
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise UsageError(
                f"the server's account, which is not root, may not enter {folder}",
                f"{CHOOSE}, or run as another user than root",
            )


def safe_parent(parent: Path) -> bool:
    """Whether nobody else can put another folder in the place of one that is made here."""
    there = parent.stat()
    others = there.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return there.st_uid in (0, os.geteuid()) and (not others or bool(there.st_mode & stat.S_ISVTX))


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the user's: no PG*, no start-up file, no language."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}
