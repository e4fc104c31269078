"""The tables of the index of nights."""

from __future__ import annotations

import sqlalchemy as sa

from kisaan_validate.errors import RecordError

FORMAT = 3
"""Version of the tables. An earlier one is made again from the runs; a later one is refused."""


_META = sa.MetaData()


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


_FORMAT = sa.Table("validate_history", _META, sa.Column("format", sa.Integer, primary_key=True))


NIGHTS = sa.Table(
    "validate_nights",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("run", sa.Text, nullable=False, unique=True),
    # Text in UTC sorts as time does, and is the same in both engines.
    sa.Column("at", sa.Text, nullable=False, index=True),
    *_texts("digest", "folder", "suite", "suite_digest", "host", "port", "database", "server", "verdict"),
    sa.Column("whole", sa.Boolean, nullable=False),
    sa.Column("milliseconds", sa.BigInteger, nullable=False),
    sa.Column("keys", sa.Boolean, nullable=False),
    sa.Column("ended", sa.Boolean, nullable=False),
    *_texts("pruned", "rows", "ledger_moves", "scan", "counts", "looks"),
)


OWN = {"id", "counts", "looks"}
"""Columns that are no part of a night."""


IDENTITY = ("name", "meaning", "of_table", "severity")
"""What one check is in the index."""


CHECKS = sa.Table(
    "validate_checks",
    _META,
    sa.Column("id", sa.Integer, primary_key=True),
    *_texts(*IDENTITY),
    sa.UniqueConstraint(*IDENTITY),
)


OUTCOMES = sa.Table(
    "validate_outcomes",
    _META,
    sa.Column("night", sa.Integer, sa.ForeignKey(NIGHTS.c.id), primary_key=True),
    sa.Column("check", sa.Integer, sa.ForeignKey(CHECKS.c.id), primary_key=True, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("violations", sa.BigInteger),
    sa.Column("rows", sa.Text),
    sa.Column("figure", sa.Text),
)


SAID = ("status", "violations", "rows", "figure")


SERIES = sa.Table(
    "validate_series",
    _META,
    # What the lines remember after the last night of a series, by that night: one more night needs no other.
    sa.Column("last", sa.Text, primary_key=True),
    *_texts("made_of", "memory"),
)


def prepare(connection: sa.Connection) -> None:
    """Make the tables, if they are not there or of an earlier format. Raises RecordError for a later one."""
    _FORMAT.create(connection, checkfirst=True)
    versions = [row.format for row in connection.execute(sa.select(_FORMAT))]
    if versions and max(versions) > FORMAT:
        raise RecordError(
            f"the history is of format {max(versions)}, and this version writes {FORMAT}",
            "upgrade kisaan-validate, or make it again with `kisaan-validate history rebuild`",
        )
    # An earlier one holds nothing that the runs do not: it is filled again from them.
    if versions != [FORMAT]:
        _META.drop_all(connection)
        _META.create_all(connection)
        connection.execute(sa.insert(_FORMAT).values(format=FORMAT))
