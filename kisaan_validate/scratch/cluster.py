"""A cluster of our own: its folder, its data, the keeper that runs its server."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.scratch import account, keeper
from kisaan_validate.scratch.account import Account
from kisaan_validate.scratch.installation import Installation
from kisaan_validate.scratch.marker import PREFIX, SUFFIX, HeldMarker, new_marker
from kisaan_validate.scratch.reaching import plain_parameters

SUPERUSER = "postgres"
LONGEST_SOCKET = 107
"""Bytes of a socket's path, on every system that we know; some take fewer than 108 with the final zero."""

_PATIENCE = 120.0
_TAIL = 8_192

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "maintenance_work_mem": "256MB",
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "logging_collector": "off",
    "unix_socket_permissions": "0700",
}
"""Speed over durability, until ``settings`` say otherwise: a server of ours lives for one command."""

HBA = """local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class Cluster:
    """The folder and the server in it. Nobody can connect without one of two random passwords, which are
    kept in memory only.
    """

    def __init__(self, installation: Installation, parent: Path, settings: Mapping[str, str]) -> None:
        self._installation = installation
        self.account = account.running()
        self.password = secrets.token_hex(24)
        self.settings = {**_SETTINGS, **{name.lower(): value for name, value in settings.items()}}
        self.port = free_port()
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._ended = self._pid = ""
        self._keeper: subprocess.Popen[bytes] | None = None
        self.folder, self.marker = _folder(parent, installation.label)
        try:
            self.sockets = self._socket_folder()
            self._keep()
            self.programs = self._programs()
            self._initialize()
            for name in ("data", "work", "logs"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self.account.give(self.folder)
            self.account.give(self.sockets)
            self.start()
        except BaseException:
            self.close()
            raise

    superuser = SUPERUSER

    @property
    def installation(self) -> Installation:
        """Whose programs run."""
        return self._installation

    def program(self, path: Path) -> Path:
        """The same program where the server's account can run it."""
        return self.programs / path.name if path.parent == self._installation.folder else path

    def parameters(self, database: str, role: str, password: str) -> dict[str, str]:
        """libpq's parameters: by the socket, or by the loopback address if it listens there."""
        host = "127.0.0.1" if self.settings["listen_addresses"] else str(self.sockets)
        return plain_parameters(host, self.port, database, role, password)

    def made(self, database: str) -> None:
        """Nothing to note: all of it is erased."""

    def restart(self) -> None:
        """Stop it in order and start it again. Raises DatabaseError."""
        self.stop()
        self.start()

    def listen(self) -> None:
        """Also listen on the loopback address, after a restart. Raises DatabaseError."""
        if not self.settings["listen_addresses"]:
            self.settings["listen_addresses"] = "127.0.0.1"
            self.write_place()
            self.restart()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server writes to its standard error."""
        return self.folder / "log"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises DatabaseError with the log's end."""
        for _ in range(5):
            before = self._log_size()
            self._ended = self._pid = ""
            self._tell("start")
            if self._ready():
                return
            said = self.log_tail(since=before)
            # Another program may have taken the port since it was chosen.
            if "Address already in use" not in said or not self.settings["listen_addresses"]:
                break
            self.port = free_port()
            self.write_place()
        raise DatabaseError(f"the scratch server did not start: {_last(said)}", f"its log: {said.strip()}")

    def stop(self) -> None:
        """Stop the server in order. Raises DatabaseError if the keeper has ended."""
        self._ended = ""
        self._tell("stop")
        self._wait("stopped", _PATIENCE)

    def ended(self) -> str:
        """How the server ended by itself, in words; "" while it runs."""
        with suppress(Empty):
            while line := self._lines.get_nowait():
                self._heard(line)
        return self._ended

    def log_tail(self, since: int = 0) -> str:
        """The end of the server's log, from this byte on."""
        try:
            fd = os.open(self.log, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            return ""
        with os.fdopen(fd, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            file.seek(max(since, size - _TAIL))
            return file.read().decode("utf-8", "replace")

    def keep(self) -> None:
        """Leave server and folder when this process ends."""
        self.marker.keep()
        self._tell("keep")
        if self._keeper is not None:
            self._keeper.wait(_PATIENCE)
            self._keeper = None
        self.marker.close()

    def close(self) -> bool:
        """Stop at once and erase everything; whether nothing is left."""
        if self._keeper is not None and self._keeper.stdin is not None:
            with suppress(OSError):
                self._keeper.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._keeper.wait(_PATIENCE)
        # The keeper itself was killed, or never started: then by ourselves.
        if self.marker.path.exists() and not keeper.erased(self.marker.marker.folders):
            self.marker.path.unlink(missing_ok=True)
        self.marker.close()
        return not self.marker.path.exists()

    def _socket_folder(self) -> Path:
        longest = str(self.folder / f".s.PGSQL.{65535}.lock")
        if len(os.fsencode(longest)) <= LONGEST_SOCKET:
            return self.folder
        # The folder's name is too long for a socket: another one, near the root.
        for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
            if parent.is_dir() and len(os.fsencode(str(parent))) <= 60 and safe_parent(parent):
                sockets = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
                self.marker.add(sockets)
                return sockets
        raise UsageError(
            f"{self.folder} is too long a path for a socket, and no short one can be made",
            "name a shorter folder with --scratch-dir or KISAAN_SCRATCH_DIR",
        )

    def _programs(self) -> Path:
        """Where the server's programs are. Where its account cannot reach them, they are copied."""
        folder = self.installation.folder
        if self.account.uid is None or _runs(folder / "postgres", self.account):
            return folder
        # Beside the environment of root, which is closed to others: opening it is not ours to do.
        copy = self.folder / "programs"
        for name in ("bin", "lib", "share"):
            if (folder.parent / name).is_dir():
                shutil.copytree(folder.parent / name, copy / name, symlinks=True)
        self.account.give(copy)
        os.chown(self.folder, self.account.uid, self.account.gid or 0)
        if not _runs(copy / "bin" / "postgres", self.account):
            raise UsageError(
                f"{folder} cannot be read by the account that runs the scratch server",
                "install PostgreSQL where every account can read it",
            )
        return copy / "bin"

    def _initialize(self) -> None:
        who = account.initializing()
        secret = self.folder / "password"
        fd = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(self.password)
        who.give(self.folder)
        command = [
            *(str(self.programs / "initdb"), "-D", str(self.data), "-U", SUPERUSER, "-E", "UTF8"),
            *("--locale=C", "-A", "scram-sha-256", f"--pwfile={secret}", "--no-sync"),
        ]
        # A session of its own: Ctrl-C at a terminal is ours to hear, and then all is erased.
        done = subprocess.run(
            command,
            env=clean_environment(self.folder),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            umask=0o077,
            start_new_session=True,
            check=False,
            **who.popen,
        )
        secret.unlink(missing_ok=True)
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise DatabaseError(f"the scratch server could not be made: {_last(said)}", said)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n" + "".join(f"{name} = {_quoted(v)}\n" for name, v in self.settings.items()))
            file.write(f"include_if_exists = '{self.folder}/place.conf'\n")
        (self.data / "pg_hba.conf").write_text(HBA)
        self.write_place()

    def write_place(self) -> None:
        """Where the server listens, in a file that is read at its start."""
        place = self.folder / "place.conf"
        new = self.folder / f"place.{secrets.token_hex(4)}"
        logs = self.folder / "logs"
        with os.fdopen(
            os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "w"
        ) as file:
            file.write(f"port = {self.port}\nunix_socket_directories = {_quoted(str(self.sockets))}\n")
            file.write(f"listen_addresses = {_quoted(self.settings['listen_addresses'])}\n")
            if "log_directory" not in self.settings:
                file.write(f"log_directory = {_quoted(str(logs))}\n")
            if self.account.uid is not None:
                os.fchown(file.fileno(), self.account.uid, self.account.gid or 0)
        os.replace(new, place)

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
        if line == "start":
            line = "start " + json.dumps([str(self.programs / "postgres"), "-D", str(self.data)])
        try:
            process.stdin.write(f"{line}\n".encode())
            process.stdin.flush()
        except OSError:
            raise DatabaseError(
                "the process that keeps the scratch server was killed", "run the command again", lost=True
            ) from None

    def _wait(self, word: str, seconds: float) -> str:
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                raise DatabaseError(f"the scratch server did not say {word!r} in time", "") from None
            if line.split(" ")[0] in (word, "gone"):
                return line
            self._heard(line)

    def _heard(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "started":
            self._pid = rest
        elif word == "ended":
            code = int(rest)
            self._ended = f"signal {-code} killed it" if code < 0 else f"it ended with exit code {code}"
        elif word in ("failed", "gone"):
            self._ended = rest or "the process that kept it was killed"

    def _ready(self) -> bool:
        """Wait until the server accepts connections; whether it does."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if self.ended():
                return False
            with suppress(OSError, IndexError):
                # The eighth line of this file says "ready" as soon as a connection would be taken.
                said = (self.data / "postmaster.pid").read_text().split("\n")
                # A server that crashed leaves the file: so the number must be of the one just started.
                if said[0] == self._pid and said[7].strip() == "ready":
                    return True
            time.sleep(0.01)
        return False

    def _log_size(self) -> int:
        try:
            return os.lstat(self.log).st_size
        except OSError:
            return 0


def _folder(parent: Path, label: str) -> tuple[Path, HeldMarker]:
    """A new folder 0700 and its marker, which is written first: so nothing is ever without one."""
    name = PREFIX + secrets.token_hex(4)
    try:
        marker = HeldMarker(parent / (name + SUFFIX), new_marker(label))
        folder = parent / name
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise UsageError(
            f"no scratch server can be made in {parent}: {error.strerror}",
            "name another folder with --scratch-dir or KISAAN_SCRATCH_DIR",
        ) from None
    marker.add(folder)
    return folder, marker


def safe_parent(parent: Path) -> bool:
    """Whether nobody else can put another folder in the place of one that is made here."""
    there = parent.stat()
    others = there.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return there.st_uid in (0, os.geteuid()) and (not others or bool(there.st_mode & stat.S_ISVTX))


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the user's: no PG*, no start-up file, no language."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C", "TZ": "UTC"}


def _runs(program: Path, who: Account) -> bool:
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, cwd="/", check=False, timeout=30, **who.popen
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _last(text: str) -> str:
    """The line that says what was wrong."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1].strip()
