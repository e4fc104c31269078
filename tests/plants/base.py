"""What a plant is, and what planters must know of the clean database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """SQL for a copy of the clean database, after which a check has exactly so many violations.

    ``key`` are values (as text, None for NULL) that one row of the evidence must show; empty where the
    violation is a fact of the catalogue and no row.
    """

    sql: str
    violations: int
    key: Mapping[str, str | None]


@dataclass(frozen=True)
class Clean:
    """The clean database: the lowest primary key of each table, its highest id, and the sequences."""

    lowest: Mapping[str, Mapping[str, str]]
    highest_id: Mapping[str, int]


READ_CLEAN = """
SELECT format('%I', c.relname), array_agg(format('%I', a.attname) ORDER BY k.position)
FROM pg_constraint AS con
JOIN pg_class AS c ON c.oid = con.conrelid
JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = 'public'
CROSS JOIN unnest(con.conkey) WITH ORDINALITY AS k (number, position)
JOIN pg_attribute AS a ON a.attrelid = con.conrelid AND a.attnum = k.number
WHERE con.contype = 'p'
GROUP BY c.relname
"""
"""The tables with a primary key, and its columns; names as SQL."""
