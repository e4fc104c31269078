"""How much faster or slower production is: one count of its largest table, timed here and there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.rehearsal import Calibration
from kisaan_validate.facts.titles import split_name
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.sql.expressions import quote
from kisaan_validate.sql.qualify import qualified

if TYPE_CHECKING:
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.scratch.server import Scratch

_LARGEST = """
SELECT CASE n.nspname WHEN 'public' THEN c.relname::text ELSE n.nspname || '.' || c.relname END,
  quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
ORDER BY pg_catalog.pg_relation_size(c.oid) DESC, 1 LIMIT 1
"""
TIMES = 3
"""The best of so many counts is taken: the first fills caches."""


def calibrate(scratch: Scratch, database: str, production: Target | None, stop: Stop) -> Calibration | None:
    """The same count timed on the copy and, if it was named, in production, which is only read.

    None where the copy has no table. Raises DatabaseError where the copy cannot be counted.
    """
    largest = scratch.execute(_LARGEST, database)
    if not largest:
        return None
    relation, name = str(largest[0][0]), str(largest[0][1])
    best, rows = float("inf"), 0
    for _ in range(TIMES):
        start = time.monotonic()
        ((rows,),) = scratch.execute(f"SELECT count(*) FROM {name}", database)
        best = min(best, time.monotonic() - start)
    if production is None:
        return Calibration(relation, int(rows), best, None, reason="production was not named")
    there, counted, why = _there(relation, production, stop)
    return Calibration(relation, int(rows), best, there, counted, why)


def _there(relation: str, production: Target, stop: Stop) -> tuple[float | None, int | None, str]:
    schema, name = split_name(relation)
    sql = qualified(f"SELECT count(*) FROM {quote(schema or 'public')}.{quote(name)}")
    session: Session | None = None
    try:
        session = Session(production, Limits(), ("public",), stop)
        session.begin()
        timed = [session.timed(sql) for _ in range(TIMES)]
    except KisaanError as error:
        return None, None, f"production did not answer: {error.fact}"
    finally:
        if session is not None:
            session.close()
    return min(ms for _, ms in timed) / 1_000, int(str(timed[-1][0][0][0])), ""
