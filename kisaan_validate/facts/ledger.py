"""The ledger of migrations: which rows it has on a night, and which came or went since the night before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from kisaan_validate.dataclass import dataclass

MOST_ROWS = 2_000
"""A ledger with more rows is not kept: each run would carry them all."""

MOVES_KEPT = 50
"""So many of the rows that came, and of those that went, are named; of more their number is kept."""

LONGEST_NAME = 200
"""Characters of a name that are kept."""


class LedgerKind(StrEnum):
    """Whose ledger it is; that decides its columns and the names of files."""

    NAMES = "names"
    """Files of SQL in the order of their names; the ledger has their names."""
    ALEMBIC = "alembic"
    DJANGO = "django"
    KNEX = "knex"
    SEQUELIZE = "sequelize"
    FLYWAY = "flyway"
    RAILS = "rails"


@dataclass(frozen=True)
class LedgerShape:
    """How a ledger of one kind looks: its usual table, and its columns, "" where it has none.

    ``number`` is in the order in which migrations ran. ``untested``: known from its documentation alone.
    """

    table: str
    name: str
    at: str = ""
    number: str = ""
    checksum: str = ""
    untested: bool = False


LEDGER_SHAPES = {
    LedgerKind.NAMES: LedgerShape("_migrations", "name", "executed_at"),
    LedgerKind.ALEMBIC: LedgerShape("alembic_version", "version_num"),
    LedgerKind.DJANGO: LedgerShape("django_migrations", "name", "applied", "id"),
    LedgerKind.KNEX: LedgerShape("knex_migrations", "name", "migration_time", "id"),
    LedgerKind.SEQUELIZE: LedgerShape("SequelizeMeta", "name"),
    LedgerKind.FLYWAY: LedgerShape(
        "flyway_schema_history", "script", "installed_on", "installed_rank", "checksum", untested=True
    ),
    LedgerKind.RAILS: LedgerShape("schema_migrations", "version", untested=True),
}


@dataclass(frozen=True)
class LedgerSource:
    """Where a suite says that its ledger is: the table, its column of names, and that of times ("" without
    one).

    ``folders`` hold the migrations' files, relative to the suite. ``accept`` says what is known and accepted
    of them, as "only reads: 007*". ``effects`` are patterns of ids of promises, by the migration that is to
    keep them.
    """

    table: str
    name: str
    at: str = ""
    kind: LedgerKind = LedgerKind.NAMES
    folders: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    effects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class LedgerRow:
    """One row: a migration's name, and when it ran as the server wrote it ("" where nothing says it)."""

    name: str
    at: str = ""


@dataclass(frozen=True)
class Ledger:
    """The rows of the ledger on one night, or in ``message`` why they are not known."""

    table: str
    rows: tuple[LedgerRow, ...] = ()
    message: str = ""


@dataclass(frozen=True)
class LedgerMoves:
    """The rows that came into the ledger since the night before, and those that went; or in ``message`` why
    that is not known. ``all_came`` and ``all_went`` are their numbers, those that are not named included.
    """

    table: str
    came: tuple[LedgerRow, ...] = ()
    went: tuple[LedgerRow, ...] = ()
    all_came: int = 0
    all_went: int = 0
    message: str = ""
