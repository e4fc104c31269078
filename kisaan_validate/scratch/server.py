"""A scratch server: a running PostgreSQL that belongs to us, into which we may write."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.adopted import Adopted
from kisaan_validate.scratch.client import Finished, run_client
from kisaan_validate.scratch.cloning import clone
from kisaan_validate.scratch.cluster import Cluster, allowed
from kisaan_validate.scratch.home import CHOOSE, clean_environment, refuse_closed, scratch_parent
from kisaan_validate.scratch.installation import Installation, choose
from kisaan_validate.scratch.leftovers import sweep
from kisaan_validate.scratch.place import ScratchPlace
from kisaan_validate.scratch.reaching import (
    connected,
    identifier,
    key_values,
    text,
    variables,
)
from kisaan_validate.scratch.space import little_room, need_room

OWNER = "validate_restore"
SOURCE = "the scratch server"
_ROOT = "postgres"
_FULL = "53100"
_ROOM = "make room, or name another folder with --scratch-dir or KISAAN_SCRATCH_DIR"
_QUIET = "SET log_statement = 'none'; SET log_min_duration_statement = -1; SET log_duration = off;"


class Scratch:
    """A running server that belongs to us. The role ``owner`` restores and migrates: it can log in, and is
    no superuser. The superuser is called "postgres" here, whatever his name on an adopted server.
    """

    owner = OWNER

    def __init__(self, place: ScratchPlace) -> None:
        self._place = place
        self._passwords = {_ROOT: place.password, OWNER: secrets.token_hex(24)}
        self._enter()

    @property
    def installation(self) -> Installation | None:
        """Whose programs run; None for an adopted server."""
        return self._place.installation

    @property
    def folder(self) -> Path:
        """Its folder (0700): ``data``, ``log``, ``logs``, and ``work`` for copies of ours."""
        return self._place.folder

    @property
    def settings(self) -> Mapping[str, str]:
        """The settings that were chosen for it, the rest is PostgreSQL's own."""
        return dict(self._place.settings)

    @property
    def full(self) -> str:
        """What to say where so little room is left that the server may have failed of it; "" if there is
        some, or the disk is not ours to look at.
        """
        return little_room(self.folder) if self.installation is not None else ""

    def target(self, database: str, role: str = OWNER) -> Target:
        """Its address for the rest of the package."""
        return Target(self._parameters(database, role), SOURCE)

    def dsn(self, database: str, role: str = OWNER) -> str:
        """The same as libpq's text, with the password: it is shown to nobody."""
        return key_values(self._parameters(database, role))

    def environment(self, database: str, role: str = OWNER) -> dict[str, str]:
        """For foreign commands: PGHOST, PGPORT and so on, and DATABASE_URL; nothing else."""
        return variables(self._parameters(database, role))

    def connect(self, database: str, role: str = _ROOT) -> Any:
        """A psycopg2 connection in autocommit. Raises DatabaseError.

        The superuser's search path is ``public``, whatever the database says: a dump may say that functions
        of its own come before PostgreSQL's. Still, what it made must be named with its schema.
        """
        parameters = self._parameters(database, role)
        if role == _ROOT:
            parameters["options"] = "-c search_path=public"
        try:
            return connected(parameters, self._place.settings)
        except DatabaseError as error:
            raise self._explained(error) from None

    def execute(self, sql: str, database: str = _ROOT, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL as the superuser; the last statement's rows. Raises DatabaseError."""
        import psycopg2

        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, tuple(params) or None)
                return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            said = self._hidden(" ".join(str(error).split()))
            lost = bool(connection.closed)
            failure = DatabaseError(f"the scratch server refused: {said}", "", error.pgcode or "", lost)
            raise self._explained(failure) if lost or error.pgcode == _FULL else failure from None
        finally:
            connection.close()

    def create(self, name: str, *, encoding: str = "UTF8", locale: str | None = None, more: str = "") -> None:
        """An empty database of the owner's, from template0. ``locale`` is one of the operating system; the
        default is C. ``more``: further options, as SQL. Raises DatabaseError.
        """
        self._place.made(name)
        chosen = "" if locale is None else f" LOCALE {text(locale)}"
        self.execute(
            f"CREATE DATABASE {identifier(name)} OWNER {identifier(OWNER)} TEMPLATE template0"
            f" ENCODING {text(encoding)}{chosen} {more}"
        )

    def clone(self, source: str, name: str) -> None:
        """A copy of a database in which nobody works, its own settings included. Raises DatabaseError."""
        self._place.made(name)
        connection = self.connect(_ROOT)
        try:
            clone(connection, source, name, OWNER)
        except DatabaseError as error:
            raise self._explained(error) from None
        finally:
            connection.close()

    def drop(self, name: str) -> None:
        """Drop a database, whoever is connected. Raises DatabaseError."""
        self.execute(f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")

    def client(
        self,
        program: str,
        words: Sequence[str],
        *,
        database: str,
        role: str = OWNER,
        stdin: IO[bytes] | Path | None = None,
        stop: Stop | None = None,
        timeout: float | None = None,
        output: Path | None = None,
        options: Installation | None = None,
    ) -> Finished:
        """Run one of PostgreSQL's clients as an account without rights, in a clean environment.

        ``options``: the installation whose client it is; the server's own, unless given. ``timeout`` in
        seconds. Raises UsageError if it is not installed.
        """
        installation = options or self.installation or choose()
        path = installation.program(program)
        if path is None:
            raise UsageError(
                f"{installation.label} has no {program}",
                "install PostgreSQL's clients, or name another folder",
            )
        start = ["-X"] if program == "psql" else []
        return run_client(
            self._place.program(path),
            [*start, *words],
            self._client_environment(database, role),
            self._place.account,
            folder=self.folder / "work",
            stdin=stdin,
            output=output,
            stop=stop,
            timeout=timeout,
        )

    def _client_environment(self, database: str, role: str) -> dict[str, str]:
        mine = self.environment(database, role)
        del mine["DATABASE_URL"]
        nothing = dict.fromkeys(("PSQLRC", "PSQL_HISTORY"), "/dev/null")
        return {**clean_environment(self.folder / "work"), **mine, **nothing, "PGCLIENTENCODING": "UTF8"}

    def give(self, path: Path) -> None:
        """Let the clients' account read a file or folder in ``work``, which becomes its own."""
        self._place.account.give(path)

    def admit(self, role: str) -> None:
        """Let us in as this role, which is made if it is not there: it gets a password of ours. Raises
        DatabaseError.
        """
        self._passwords[role] = secrets.token_hex(24)
        there = self.execute("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = %s", params=(role,))
        verb = "ALTER" if there else "CREATE"
        self.execute(f"{_QUIET} {verb} ROLE {identifier(role)} LOGIN PASSWORD {text(self._passwords[role])}")

    @property
    def passfile(self) -> Path:
        """Where the passwords of a server that is kept are, for libpq's ``passfile``."""
        return self.folder / "pgpass"

    def write_passfile(self) -> None:
        """Write them, so that a kept server can be used: for us alone to read."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(self.passfile, flags, 0o600), "w") as file:
            for role, password in self._passwords.items():
                file.write(f"*:*:*:{role}:{password}\n")

    def restart(self, **settings: str) -> None:
        """Restart the server with these settings as well; sessions end, databases stay. Raises
        DatabaseError.
        """
        self._set(settings)
        self._place.restart()

    def reload(self, **settings: str) -> None:
        """Change settings that need no restart, such as ``autovacuum``. Raises DatabaseError."""
        self._set(settings)
        self.execute("SELECT pg_catalog.pg_reload_conf()")

    def listen(self) -> None:
        """Also listen on 127.0.0.1, for foreign commands that know no sockets; from now on ``environment``
        names that address. Restarts the server.
        """
        self._place.listen()

    def log_tail(self, since: int = 0) -> str:
        """The end of the server's log, from this byte on; "" for an adopted server."""
        return self._place.log_tail(since)

    def _set(self, settings: Mapping[str, str]) -> None:
        for name, value in allowed(settings).items():
            self.execute(f"ALTER SYSTEM SET {name} = {text(value)}")
            self._place.settings[name] = value

    def _parameters(self, database: str, role: str) -> dict[str, str]:
        name = self._place.superuser if role == _ROOT else role
        return self._place.parameters(database, name, self._passwords.get(role, ""))

    def _hidden(self, said: str) -> str:
        for secret in filter(None, self._passwords.values()):
            said = said.replace(secret, "•••")
        return said

    def _explained(self, error: DatabaseError) -> DatabaseError:
        """The same, and whether the server itself has ended, or may lack room."""
        if ended := self._place.ended():
            tail = self._place.log_tail().strip().splitlines()[-5:]
            return DatabaseError(
                f"the scratch server has ended: {ended}", "\n".join(tail), error.sqlstate, True
            )
        if self.full:
            return DatabaseError(f"{error.fact}; {self.full}", _ROOM, error.sqlstate, error.lost)
        return error

    def _enter(self) -> None:
        """The owner, with a password that only this process knows. Up to PostgreSQL 14 everybody may put
        functions where the superuser's sessions would find them.
        """
        self.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        self.execute(
            f"{_QUIET} CREATE ROLE {identifier(OWNER)} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"
            f" PASSWORD {text(self._passwords[OWNER])}"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def _place(
    where: Path,
    installation: Installation | None,
    dsn: str | None,
    need_bytes: int,
    settings: Mapping[str, str],
    unknown_space: bool,
    productions: Sequence[Target],
) -> ScratchPlace:
    if dsn is None:
        need_room(where, need_bytes, unknown_space=unknown_space)
        return Cluster(installation or choose(), where, settings)
    if need_bytes and not unknown_space:
        raise UsageError(
            "nobody can tell how much room is free on an adopted server", "leave --scratch-dsn out"
        )
    return Adopted(dsn, where, productions)


@contextmanager
def scratch_server(
    installation: Installation | None = None,
    *,
    dsn: str | None = None,
    need_bytes: int = 0,
    settings: Mapping[str, str] | None = None,
    keep: bool = False,
    parent: Path | None = None,
    notice: Callable[[str], None] = _say,
    unknown_space: bool = False,
    productions: Sequence[Target] = (),
) -> Iterator[Scratch]:
    """A running server of ours, erased at the end unless ``keep``. ``dsn``: an adopted one instead.

    ``need_bytes``: what will be restored, so that a full disk is foreseen; ``unknown_space``: go ahead where
    nobody can tell. ``productions``: databases that an adopted server must not be, beside those that the
    environment names. ``notice`` is told what earlier servers left. Raises UsageError, DatabaseError.
    """
    where = scratch_parent(parent)
    if dsn is None:
        refuse_closed(where)
    sweep([where], notice)
    try:
        place = _place(where, installation, dsn, need_bytes, settings or {}, unknown_space, productions)
    except OSError as error:
        why = error.strerror or str(error)
        raise UsageError(f"no scratch server can be made in {where}: {why}", CHOOSE) from None
    done = False
    try:
        scratch = Scratch(place)
        if dsn is not None and settings:
            scratch.reload(**settings)
        yield scratch
        if keep and dsn is None:
            scratch.write_passfile()
        done = True
    finally:
        # After an exception nothing is kept.
        place.release(keep=keep and done, notice=notice)
