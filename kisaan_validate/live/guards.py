"""What two sides must be so that their comparison says something: schemas that exist, two databases, names
that tell apart.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.errors import UsageError
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.postgres.schemas import require_schemas, schemas_sql
from kisaan_validate.sql.qualify import qualified

_WHERE = qualified(
    # Start of the server and oid of the database: a name could stand for two servers, an address for one.
    "SELECT pg_postmaster_start_time()::text, oid::int8 FROM pg_catalog.pg_database WHERE datname = "
    "current_database()"
)


def check_sides(sides: Sequence[LiveSide]) -> None:
    """Raises UsageError where a named schema is not there, or where both sides are the very same tables.

    Without this a slip in a name would read as "every table was added", and a database compared with
    itself as "same".
    """
    for side in sides:
        require_schemas(side.schemas, dict(side.ask(schemas_sql())), f" {side.when}")
    before, after = sides
    shared = set(before.schemas) & set(after.schemas)
    # Two schemas of one database may be compared; only the same schema twice is a slip.
    if shared and before.ask(_WHERE) == after.ask(_WHERE):
        for old, new in zip(before.schemas, after.schemas, strict=True):
            if old == new:
                raise UsageError(
                    f"both sides are the same: schema {old} of database {before.snapshot.place.database}",
                    "check --before and --after",
                )
