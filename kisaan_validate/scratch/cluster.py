"""A cluster of our own: its folder, its data, the keeper that runs its server."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.scratch import account
from kisaan_validate.scratch.home import PATIENCE, Home, clean_environment, safe_parent
from kisaan_validate.scratch.installation import Installation
from kisaan_validate.scratch.programs import reachable
from kisaan_validate.scratch.reaching import plain_parameters
from kisaan_validate.scratch.space import WAL, little_room

SUPERUSER = "postgres"
LONGEST_SOCKET = 107
"""Bytes of a socket's path, on every system that we know; some take fewer than 108 with the final zero."""

_TAIL = 8_192

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": f"{WAL >> 20}MB",
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

_OURS = {
    *("port", "unix_socket_directories", "data_directory", "config_file", "hba_file", "ident_file"),
    *("external_pid_file", "unix_socket_group", "unix_socket_permissions"),
}

LOOPBACK = "127.0.0.1"

HBA = """local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
"""


class Cluster(Home):
    """The folder and the server in it. Nobody can connect without one of two random passwords, which are
    kept in memory only.
    """

    superuser = SUPERUSER

    def __init__(self, installation: Installation, parent: Path, settings: Mapping[str, str]) -> None:
        super().__init__(parent, installation.label)
        self._installation = installation
        self.password = secrets.token_hex(24)
        self.port = free_port()
        try:
            self.settings = {**_SETTINGS, **allowed(settings)}
            self.sockets = self._socket_folder()
            self._keep()
            self.programs = reachable(self._installation.folder, self.folder, self.account)
            self._initialize()
            for name in ("data", "work", "logs"):
                (self.folder / name).mkdir(mode=0o700, exist_ok=True)
            self.account.give(self.folder)
            self.account.give(self.sockets)
            self.start()
        except BaseException:
            self.close()
            raise

    @property
    def installation(self) -> Installation:
        """Whose programs run."""
        return self._installation

    def program(self, path: Path) -> Path:
        """The same program where the server's account can run it."""
        return self.programs / path.name if path.parent == self._installation.folder else path

    def parameters(self, database: str, role: str, password: str) -> dict[str, str]:
        """libpq's parameters: by the socket, or by the loopback address if it listens there."""
        host = LOOPBACK if self.settings["listen_addresses"] else str(self.sockets)
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
            self.settings["listen_addresses"] = LOOPBACK
            self.write_place()
            self.restart()

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    def start(self) -> None:
        """Start the server and wait until it answers. Raises DatabaseError with the log's end."""
        for _ in range(5):
            before = self._log_size()
            self._ended = self._pid = ""
            self._tell("start " + json.dumps([str(self.programs / "postgres"), "-D", str(self.data)]))
            if self._ready():
                return
            said = self.log_tail(since=before)
            # Another program may have taken the port since it was chosen.
            if "Address already in use" not in said or not self.settings["listen_addresses"]:
                break
            self.port = free_port()
            self.write_place()
        room = f"; {little}" if (little := little_room(self.folder)) else ""
        raise DatabaseError(
            f"the scratch server did not start: {_last(said)}{room}", f"its log: {said.strip()}"
        )

    def stop(self) -> None:
        """Stop the server in order. Raises DatabaseError if the keeper has ended."""
        self._ended = ""
        self._tell("stop")
        self._wait("stopped", PATIENCE)

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

    def _socket_folder(self) -> Path:
        longest = str(self.folder / f".s.PGSQL.{65535}.lock")
        if len(os.fsencode(longest)) <= LONGEST_SOCKET:
            return self.folder
        # The folder's name is too long for a socket: another one, near the root.
        for parent in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):
            if parent.is_dir() and len(os.fsencode(str(parent))) <= 60 and safe_parent(parent):
                sockets = Path(tempfile.mkdtemp(prefix="kisaan-socket-", dir=parent))
                self.marker.add(sockets)
                return sockets
        raise UsageError(
            f"{self.folder} is too long a path for a socket, and no short one can be made",
            "name a shorter folder with --scratch-dir or KISAAN_SCRATCH_DIR",
        )

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

    def _ready(self) -> bool:
        """Wait until the server accepts connections; whether it does."""
        deadline = time.monotonic() + PATIENCE
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


def allowed(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings with names in lower case. Raises UsageError for those that are ours to choose."""
    chosen = {name.lower(): value for name, value in settings.items()}
    ours = sorted(_OURS & chosen.keys())
    if ours:
        raise UsageError(f"the scratch server chooses {', '.join(ours)} itself", "leave the setting out")
    if chosen.get("listen_addresses", "") not in ("", LOOPBACK):
        raise UsageError("a scratch server listens on the loopback address only", f"write {LOOPBACK}")
    return chosen


def free_port() -> int:
    """A port of the loopback address that is free now."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        port: int = one.getsockname()[1]
        return port


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _last(text: str) -> str:
    """The line that says what was wrong."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (telling or lines or ["it said nothing"])[-1].strip()
