"""pg_dump, found by its version and run beside a held snapshot; no password on its command line."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import TargetError, UsageError
from kisaan_validate.facts.place import Place
from kisaan_validate.postgres.target import Target
from kisaan_validate.process import leash
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.installation import Installation, installations

FORMATS = ("custom", "plain", "directory")

LISTED = 50
"""So many lines of pg_dump are kept."""

_WIDE = 300
_GRACE = 10.0
_LOOK = 0.1
_SECRET = {"password": "PGPASSWORD", "options": "PGOPTIONS"}
"""Parameters that may hold a secret: they travel in the environment, which other users cannot read."""


@dataclass(frozen=True)
class DumpRun:
    """How pg_dump ended. ``cut`` says why we ended it, "" if it ended by itself. ``errors`` and
    ``warnings`` are what it printed, a line each.
    """

    code: int
    seconds: float
    errors: tuple[str, ...]
    warnings: tuple[str, ...]
    cut: str = ""

    @property
    def good(self) -> bool:
        """Whether it ended by itself and complained of no error."""
        return self.code == 0 and not self.errors and not self.cut


def find_pg_dump(server: int, named: Path | None = None) -> Installation:
    """The installation whose pg_dump can read a server of this ``server_version_num``: the nearest that is
    not older. Raises UsageError with the command that installs one.
    """
    major = server // 10_000
    every = [one for one in installations(named) if one.program("pg_dump")]
    fit = sorted((one for one in every if one.major >= major), key=lambda one: one.major)
    # Who names a folder means the pg_dump in it.
    mine = [
        one for one in fit if named is not None and one.folder in {named.absolute(), named.absolute() / "bin"}
    ]
    if mine or (fit and named is None):
        return (mine or fit)[0]
    have = ", ".join(one.label for one in every) or "none"
    raise UsageError(
        f"no pg_dump of PostgreSQL {major} or newer is here (found: {have})",
        f"apt-get install postgresql-client-{major}, or name its folder with --pg-bin",
    )


def words_of(
    target: Target, place: Place, output: Path, format: str, *, jobs: int, wait_ms: int
) -> tuple[list[str], dict[str, str]]:
    """The words for pg_dump and what they need in its environment: the server that holds the snapshot, of all
    that the target names. Raises TargetError for a parameter that it cannot be given in secret.
    """
    said = {k: v for k, v in target.parameters.items() if k not in _SECRET and v}
    if "sslpassword" in said:
        fact = "pg_dump cannot be given the password of a TLS key in secret"
        raise TargetError(fact, "use a key without a password, or ssl_passphrase_command on the host")
    if place.host:
        if said.get("host", place.host) != place.host:
            # One of several hosts answered; the addresses were those of the others too.
            said.pop("hostaddr", None)
        said |= {"host": place.host, "port": place.port}
    said["dbname"] = place.database
    secret = {_SECRET[k]: v for k, v in target.parameters.items() if k in _SECRET and v}
    words = [
        f"--dbname={_conninfo(said)}",
        f"--snapshot={place.snapshot}",
        f"--format={format}",
        f"--file={output}",
        f"--lock-wait-timeout={wait_ms}",
        "--no-password",
    ]
    return [*words, f"--jobs={jobs}"] if format == "directory" and jobs > 1 else words, secret


def _conninfo(parameters: Mapping[str, str]) -> str:
    escaped = {k: v.replace("\\", "\\\\").replace("'", "\\'") for k, v in parameters.items()}
    return " ".join(f"{k}='{v}'" for k, v in escaped.items())


def run_pg_dump(
    program: Path,
    words: Sequence[str],
    secret: Mapping[str, str],
    hide: Callable[[str], str],
    stop: Stop,
    each: Callable[[], None] = lambda: None,
) -> DumpRun:
    """Run it to its end, or until somebody asks to stop. ``each`` is called ten times a second meanwhile.

    Its messages are in English, whatever the locale is; ``hide`` takes secrets out of them.
    """
    began = time.monotonic()
    # DATABASE_URL and the like are none of its business, and may hold a password.
    ours = {k: v for k, v in os.environ.items() if k not in {"KISAAN_DSN", "DATABASE_URL"}}
    environment = {**ours, "LC_ALL": "C", "LC_MESSAGES": "C", **secret}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            # On a leash: if we are killed, it must not go on holding its locks.
            leash.leashed(None, [str(program), *words]),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            env=environment,
            umask=0o077,  # a dump is readable by its owner only
            start_new_session=True,
        )
        cut = ""
        try:
            while process.poll() is None and not cut:
                cut = stop.reason if stop.wait(_LOOK) else ""
                each()
        finally:
            _end(process)
        said.seek(0)
        errors, warnings = complaints_of(hide(said.read().decode("utf-8", "replace")))
    if process.returncode and not errors and not cut:
        errors = (f"pg_dump ended with exit code {process.returncode}",)
    return DumpRun(process.returncode, time.monotonic() - began, errors, warnings, cut)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with all that it started: the end of its input is what its leash waits for."""
    assert process.stdin is not None
    process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(leash.GRACE + _GRACE)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


_LINE = re.compile(
    r"(?:pg_dump(?:all)?|pg_restore)(?::[^:]*?)?: (error|fatal|warning): (.*)|(ERROR|FATAL|PANIC): +(.*)"
)


def complaints_of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(errors, warnings) in what pg_dump, or a server through it, printed; details may hold values and are
    left out.
    """
    errors: list[str] = []
    warnings: list[str] = []
    for line in text.splitlines():
        found = _LINE.search(line)
        if found is None:
            continue
        kind, words = (found[1] or found[3]).lower(), found[2] or found[4]
        (warnings if kind == "warning" else errors).append(" ".join(words.split())[:_WIDE])
    return tuple(errors[:LISTED]), tuple(warnings[:LISTED])


def remove(path: Path) -> None:
    """Remove a dump, file or folder; it is no error that there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(FileNotFoundError):
            path.unlink()
