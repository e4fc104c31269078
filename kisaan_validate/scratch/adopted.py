"""A server that somebody lent us: marked by `scratch adopt` while it was empty, and left empty."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.errors import DatabaseError, TargetError, UsageError
from kisaan_validate.postgres.connecting import connect
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.emptiness import MARK_DATABASE, in_database, on_server
from kisaan_validate.scratch.home import Home
from kisaan_validate.scratch.identity import identity_of
from kisaan_validate.scratch.production import named_productions, refuse_named
from kisaan_validate.scratch.reaching import identifier

SOURCE = "--scratch-dsn"
_LOCK = 7_305_802_146_630_391_876
_SECONDS = 15
_OLDEST = 130000

_TABLES = """
CREATE TABLE public.adopted (id text NOT NULL, system_identifier text NOT NULL, at timestamptz NOT NULL);
CREATE TABLE public.made (name text PRIMARY KEY);
CREATE TABLE public.busy (at timestamptz NOT NULL)
"""


class Line:
    """How an adopted server is reached: as its superuser, at one address."""

    def __init__(self, dsn: str) -> None:
        try:
            given = dict(find_target(dsn, {}).parameters)
        except TargetError as error:
            raise TargetError(error.fact.replace("--dsn", SOURCE), error.hint) from None
        if any("," in given.get(name, "") for name in ("host", "hostaddr", "port")):
            raise TargetError(f"{SOURCE} names several servers", "name one server")
        self.given = given
        self.started = ""

    def open(self, database: str) -> Any:
        """A connection in autocommit to one of its databases. Raises TargetError, DatabaseError."""
        connection = connect(Target({**self.given, "dbname": database}, SOURCE), _SECONDS, Stop())
        started = identity_of(connection).started
        if not started or started != (self.started or started):
            connection.close()
            raise DatabaseError(f"{SOURCE} is another server than before, or was restarted", "run it again")
        if not self.started:
            self._resolve(connection)
        self.started = started
        return connection

    def _resolve(self, connection: Any) -> None:
        """A service, the environment and a password file may have said where it is: clients of ours have
        none of them.
        """
        said = connection.get_dsn_parameters()
        self.given = {
            name: value
            for name, value in {**self.given, **said}.items()
            if name not in ("service", "options")
        }
        if connection.info.password:
            self.given["password"] = connection.info.password

    def ask(self, database: str, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a statement. Raises DatabaseError."""
        connection = self.open(database)
        try:
            return asked(connection, sql)
        finally:
            connection.close()


def asked(connection: Any, sql: str, params: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
    """The rows of a statement. Raises DatabaseError."""
    import psycopg2

    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []
    except psycopg2.Error as error:
        said = " ".join(str(error).split())
        raise DatabaseError(
            f"{SOURCE} refused: {said}", "", error.pgcode or "", bool(connection.closed)
        ) from None


def adopt(dsn: str) -> str:
    """Mark an empty server as ours; its mark. Raises UsageError with what stands on it, TargetError if it
    may be the database under validation.
    """
    line = Line(dsn)
    for target in named_productions():
        if dict(target.parameters) == line.given:
            raise TargetError(
                f"this is {target.source}, the database under validation", "name another server"
            )
    connection = line.open("postgres")
    try:
        refuse_named(connection)
        _require_version(connection)
        there = _databases(connection)
        if MARK_DATABASE in there and (marked := _mark(line, identity_of(connection).system)):
            return marked
        _require_empty(line, connection, there)
        return _marked(line, connection, there)
    finally:
        connection.close()


def _require_version(connection: Any) -> None:
    if connection.server_version < _OLDEST:
        raise UsageError(f"{SOURCE} is older than PostgreSQL 13", "name a newer server")


def _databases(connection: Any) -> set[str]:
    return {name for (name,) in asked(connection, "SELECT datname::text FROM pg_catalog.pg_database")}


def _require_empty(line: Line, connection: Any, there: set[str]) -> None:
    found = on_server(lambda sql: asked(connection, sql), {MARK_DATABASE})
    # A database of our name without a mark: an earlier adoption was killed before it had written any.
    for database in ("postgres", "template1", MARK_DATABASE):
        if database in there and not found:
            found += in_database(partial(line.ask, database), database)
    if found:
        raise UsageError(
            f"{SOURCE} is not empty: {'; '.join(found)}", "adopt a new server, on which nothing and nobody is"
        )


def _marked(line: Line, connection: Any, there: set[str]) -> str:
    system = identity_of(connection).system
    if not system:
        raise UsageError(f"the system identifier of {SOURCE} cannot be read", "adopt a server of your own")
    if MARK_DATABASE not in there:
        asked(connection, f"CREATE DATABASE {identifier(MARK_DATABASE)} TEMPLATE template0")
    id = secrets.token_hex(16)
    inside = line.open(MARK_DATABASE)
    try:
        # In one statement, so in one transaction: there is a whole mark, or none.
        asked(
            inside,
            f"{_TABLES}; INSERT INTO public.adopted VALUES (%s, %s, pg_catalog.now())",
            (id, system),
        )
    finally:
        inside.close()
    return id


def _mark(line: Line, system: str) -> str:
    """The mark of a server that was adopted; "" if there is none, or it is of the server that this one was
    copied from.
    """
    with suppress(DatabaseError):
        for id, of in line.ask(MARK_DATABASE, "SELECT id, system_identifier FROM public.adopted"):
            if system and of == system:
                return str(id)
    return ""


class Adopted(Home):
    """An adopted server in use. Nobody else uses it meanwhile, and it is empty again at the end."""

    installation = None

    def __init__(self, dsn: str, parent: Path, productions: Iterable[Target]) -> None:
        super().__init__(parent, "an adopted server")
        self.settings: dict[str, str] = {}
        self._roles: set[str] = set()
        self._holder: Any = None
        try:
            self._line = Line(dsn)
            self.superuser = ""
            self._enter(tuple(productions))
            self.password = self._line.given.get("password", "")
            self._keep()
            (self.folder / "work").mkdir(mode=0o700)
            self.account.give(self.folder)
        except BaseException:
            self._leave()
            self.close()
            raise

    def _enter(self, productions: tuple[Target, ...]) -> None:
        connection = self._line.open("postgres")
        try:
            # All that is read comes before the first thing that is written.
            refuse_named(connection, productions)
            if MARK_DATABASE not in _databases(connection) or not _mark(
                self._line, identity_of(connection).system
            ):
                raise UsageError(f"{SOURCE} was not adopted", "kisaan-validate scratch adopt DSN")
            self._lock()
            ours = {name for (name,) in asked(self._holder, "SELECT name FROM public.made")}
            # Whoever used it before us was killed: the roles of a dump are not known by name.
            killed = bool(asked(self._holder, "SELECT 1 FROM public.busy"))
            roles = self._new_roles() if killed else []
            found = on_server(lambda sql: asked(connection, sql), {MARK_DATABASE, *ours, *roles})
            for database in () if found else ("postgres", "template1"):
                found += in_database(partial(self._line.ask, database), database)
            if found:
                raise UsageError(
                    f"{SOURCE} is not empty: {'; '.join(found)}", "remove it, or adopt another server"
                )
            ((self.superuser,),) = asked(connection, "SELECT current_user::text")
        finally:
            connection.close()
        self._empty()
        asked(self._holder, "INSERT INTO public.busy VALUES (pg_catalog.now())")

    def _lock(self) -> None:
        """Hold the server against other commands of ours, until our session ends."""
        self._holder = self._line.open(MARK_DATABASE)
        deadline = time.monotonic() + 2
        while not asked(self._holder, f"SELECT pg_catalog.pg_try_advisory_lock({_LOCK})")[0][0]:
            if time.monotonic() > deadline:
                raise UsageError(
                    f"{SOURCE} is in use by another command", "wait for it, or name another server"
                )
            time.sleep(0.2)

    def _new_roles(self) -> list[str]:
        rows = asked(self._holder, "SELECT rolname::text FROM pg_catalog.pg_roles WHERE oid >= 16384")
        return [name for (name,) in rows]

    def _empty(self) -> None:
        """Drop what we made."""
        for (name,) in asked(self._holder, "SELECT name FROM public.made"):
            asked(self._holder, f"DROP DATABASE IF EXISTS {identifier(name)} WITH (FORCE)")
            asked(self._holder, "DELETE FROM public.made WHERE name = %s", (name,))
        for role in self._new_roles():
            asked(self._holder, f"DROP ROLE {identifier(role)}")
        asked(self._holder, "DELETE FROM public.busy")

    def _leave(self) -> None:
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def parameters(self, database: str, role: str, password: str) -> dict[str, str]:
        """libpq's parameters: as they were given, with another database and role."""
        given = {
            name: value for name, value in self._line.given.items() if name not in ("password", "passfile")
        }
        return {**given, "dbname": database, "user": role, **({"password": password} if password else {})}

    def made(self, database: str) -> None:
        """Note a database before it is made: it is dropped at the end, or by the next command."""
        asked(self._holder, "INSERT INTO public.made VALUES (%s) ON CONFLICT DO NOTHING", (database,))

    def program(self, path: Path) -> Path:
        """The same: nothing of ours was copied."""
        return path

    def restart(self) -> None:
        """Raises UsageError: it is not ours to restart."""
        raise UsageError("an adopted server cannot be restarted", "leave --scratch-dsn out")

    def listen(self) -> None:
        """It listens as it did."""

    def log_tail(self, since: int = 0) -> str:
        """Its log is not ours to read."""
        return ""

    def ended(self) -> str:
        """Nobody tells us."""
        return ""

    def release(self, *, keep: bool, notice: Callable[[str], None]) -> None:
        """Drop what we made, and erase the folder. ``keep`` keeps the databases until the next command."""
        try:
            for name in self.settings:
                asked(self._holder, f"ALTER SYSTEM RESET {name}")
            if not keep:
                self._empty()
        except DatabaseError as error:
            notice(f"what was made on {SOURCE} could not be dropped: {error.fact}; the next command does it")
        finally:
            self._leave()
            super().release(keep=False, notice=notice)
