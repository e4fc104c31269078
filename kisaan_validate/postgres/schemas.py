"""Which schemas there are, for people who must name one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kisaan_validate.errors import UsageError
from kisaan_validate.postgres.catalogue import query
from kisaan_validate.text.nearest import nearest
from kisaan_validate.text.numbers import counted

MOST = 20
"""So many schemas are named in a hint."""


def schemas_sql() -> str:
    """The statement whose rows are schemas with their number of tables (a partitioned one is one)."""
    return query("schemas")


def own_schemas(schemas: Mapping[str, int]) -> dict[str, int]:
    """Those that are not PostgreSQL's own: those with tables first."""
    ours = (n for n in schemas if not n.startswith("pg_") and n != "information_schema")
    return {name: schemas[name] for name in sorted(ours, key=lambda n: (not schemas[n], n))}


def schemas_said(schemas: Mapping[str, int]) -> str:
    """``app (1 table), public (12 tables)``."""
    ours = [f"{name} ({counted(tables, 'table')})" for name, tables in own_schemas(schemas).items()]
    more = f" and {len(ours) - MOST:,} more" if len(ours) > MOST else ""
    return f"{', '.join(ours[:MOST])}{more}"


def require_schemas(named: Iterable[str], schemas: Mapping[str, int], where: str = "") -> None:
    """Raises UsageError for a schema that is not there; its hint names the nearest, and those that are."""
    for name in named:
        if name not in schemas:
            near = nearest(name, own_schemas(schemas), "")
            hint = f"its schemas: {schemas_said(schemas)}"
            raise UsageError(f"there is no schema {name!r}{where}", f"{near} {hint}".strip())
