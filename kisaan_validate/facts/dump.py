"""What a dump file is and holds, as it was read without a server. Standard library only.

Names of objects are written as the dump writes them: ``public.orders``, quoted where PostgreSQL quotes.
No value of a row stands in any of these.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime
from enum import StrEnum

from kisaan_validate.dataclass import dataclass


class DumpFormat(StrEnum):
    """The form in which pg_dump wrote it."""

    PLAIN = "plain"
    CUSTOM = "custom"
    DIRECTORY = "directory"
    TAR = "tar"
    CLUSTER = "cluster"
    """Plain SQL of all databases and roles, by pg_dumpall."""


@dataclass(frozen=True)
class LeftOut:
    """Something in a dump that is not restored. ``kind`` and ``name`` say what ("event trigger", "audit"),
    ``why`` in words. ``stops``: the dump is not restored at all because of it. ``line`` counts from 1 in a
    plain dump (or in what pg_restore writes of an archive), 0 where it is not known.
    """

    kind: str
    name: str
    why: str
    stops: bool = False
    line: int = 0


@dataclass(frozen=True)
class DumpedTable:
    """A table in a dump. ``defined``: its CREATE TABLE is there; ``data``: its rows are, even if none.

    ``rows`` are those written for this name, None where there is no data or they were not counted; of
    a partitioned table None, as the rows stand with its partitions (or all with the root, if so dumped).
    """

    name: str
    defined: bool
    data: bool
    rows: int | None = None
    partitioned: bool = False


@dataclass(frozen=True)
class DumpContents:
    """What stands in a dump: tables by name, sequences that are set, large objects, and the names that it
    needs from elsewhere: roles, extensions, tablespaces, languages of functions.
    """

    tables: tuple[DumpedTable, ...] = ()
    sequences: tuple[str, ...] = ()
    large_objects: int = 0
    roles: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    tablespaces: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    schema: bool = False
    """Whether objects are defined in it."""

    @property
    def holds(self) -> str:
        """In words: schema and data, schema only, data only, or nothing."""
        data = any(t.data for t in self.tables) or self.large_objects > 0
        if self.schema:
            return "schema and data" if data else "schema only"
        return "data only" if data else "nothing"

    @property
    def rows(self) -> int | None:
        """All rows; None where some were not counted."""
        counts = [t.rows for t in self.tables if t.data]
        return None if None in counts else sum(c for c in counts if c is not None)

    @property
    def without_data(self) -> tuple[str, ...]:
        """Tables that are defined and have no data section: left out of the dump, or the schema alone."""
        return tuple(t.name for t in self.tables if t.defined and not t.data and not t.partitioned)


@dataclass(frozen=True)
class DumpFacts:
    """A dump as read.

    ``complete`` is True only if everything that pg_dump writes at the end and every block of data was
    read to its end; False: it ends early or is damaged; None: that cannot be told. ``damage`` says in words
    what is missing or why it cannot be told, "" if complete. Versions are as the dump says them ("18.6"), ""
    if it does not. ``taken_at`` is when pg_dump began; without a zone it is the local time of the machine
    that ran pg_dump, whose zone is not recorded. ``size`` in bytes as stored; ``sha256`` in hex, of a
    directory that of the lines ``sha256sum`` prints for its files in the order of their names.
    """

    name: str
    format: DumpFormat
    compression: str
    size: int
    sha256: str
    server_version: str
    client_version: str
    database: str
    taken_at: datetime | None
    encoding: str
    complete: bool | None
    damage: str
    contents: DumpContents
    refused: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def server_major(self) -> int | None:
        """The major version of the server that was dumped, None if the dump does not say."""
        return _major(self.server_version)

    @property
    def client_major(self) -> int | None:
        """The major version of the pg_dump that wrote it, None if the dump does not say."""
        return _major(self.client_version)


def _major(version: str) -> int | None:
    digits = version.partition(".")[0]
    leading = "".join(c for c in digits[:3] if c.isdigit())
    return int(leading) if leading else None


@dataclass(frozen=True)
class Restored:
    """A dump that was restored: ``seconds`` from the first byte to the last count, which client did it, what
    was left out, what else was done, errors (which say what is wrong without values), the kept log, and the
    rows of each table that the dump holds and the server counted afterwards.
    """

    seconds: float
    client: str
    server: str
    left_out: tuple[LeftOut, ...]
    errors: tuple[str, ...]
    notes: tuple[str, ...]
    counted: tuple[tuple[str, int], ...]
    exit_code: int
    log: str | None = None

    @property
    def whole(self) -> bool:
        """Whether everything that the dump holds, and was not left out by name, is there."""
        return not self.errors and self.exit_code == 0
