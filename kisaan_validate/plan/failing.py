"""Statements that list every violating row of a check by the digest of its key, so that two looks can be
compared row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.plan.samples import key_digest, shown_value
from kisaan_validate.plan.statements import Pass, Query, Slot
from kisaan_validate.sql.expressions import decided_by_rows, key_columns, quote
from kisaan_validate.sql.qualify import qualified

CTID = "ctid"


def incomparable(statement: Pass | Query, slot: Slot | None) -> str:
    """Why the violating rows of two looks cannot be compared; "" if they can."""
    if isinstance(statement, Query):
        keys, grouped = statement.violations.keys, bool(statement.violations.weight)
        figure = statement.violations.riding is not None
    else:
        keys, grouped = key_columns(statement.table), False
        figure = slot is None or slot.query is not None
    if figure or grouped:
        return "what it counts are no single rows"
    # A row that is rewritten gets another place, and another row gets its old one.
    return "its rows have no key" if not keys or CTID in keys else ""


def failing_sql(statement: Pass | Query, slot: Slot | None, most: int, masked: frozenset[str]) -> str:
    """At most ``most`` violating rows in key order: (SHA-256 of the key in hex, values as text[]).

    The digest is the one that the digest of all keys is made of (``plan.samples``).
    """
    if isinstance(statement, Query):
        # Inside FROM, so that PostgreSQL itself refuses a data-modifying WITH.
        source = f"(\n  SELECT * FROM (\n{statement.violations.sql}\n) AS q\n) AS v"
        keys = [quote(k) for k in statement.violations.keys]
        values = [shown_value(quote(c), c, masked) for c in statement.sample_columns()]
        return _listing(source, "true", keys, values, most)
    assert slot is not None
    prefix = f"{quote(statement.alias)}." if statement.alias else ""
    keys = [prefix + quote(k) for k in key_columns(statement.table)]
    values = [shown_value(prefix + quote(c), c, masked) for c in statement.sample_columns(slot)]
    return _listing(statement.source, decided_by_rows(slot.condition), keys, values, most)


def _listing(source: str, condition: str, keys: Sequence[str], values: Sequence[str], most: int) -> str:
    digest = key_digest(f"{k}::text" for k in keys)
    return qualified(
        f"SELECT {digest} AS key, ARRAY[{', '.join(values)}]::text[] AS shown\nFROM {source}\n"
        f"WHERE {condition}\nORDER BY {', '.join(keys)}\nLIMIT {most}"
    )
