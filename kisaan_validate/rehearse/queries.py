"""Does the application still work? Its queries are planned on the copy before and after, and never executed.

EXPLAIN (GENERIC_PLAN) plans a text with $1 in it, from PostgreSQL 16 on. On older servers a prepared
statement would be planned for NULLs, which is another question, so there it is said that nothing is known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.rehearsed import PlannedQuery, QueryReview, QueryState
from kisaan_validate.rehearse.query_texts import HIDDEN, QueryTexts
from kisaan_validate.rehearse.words import masked_literals, server_words

if TYPE_CHECKING:
    from kisaan_validate.scratch.server import Scratch

FIRST_VERSION = 160000
"""server_version_num of the first server with EXPLAIN (GENERIC_PLAN)."""

DEARER = Decimal(10)
"""So many times the estimated cost is "much dearer"; less is within what estimates are off by."""

FLOOR = Decimal(1_000)
"""Below this cost no plan is dear: about a thousand pages, which are read in milliseconds."""

_SECONDS = 30

# OPEN refuses a text of several statements, which EXPLAIN before it would not: the second would be executed.
_PLAN = """
DO $kisaan$
DECLARE found refcursor; planned text;
BEGIN
  OPEN found NO SCROLL FOR EXECUTE
    'EXPLAIN (GENERIC_PLAN, FORMAT JSON) ' || pg_catalog.current_setting('kisaan.query');
  FETCH found INTO planned;
  CLOSE found;
  PERFORM pg_catalog.set_config('kisaan.plan', planned, false);
END $kisaan$
"""

_STATISTICS = """
SELECT CASE s.schemaname WHEN 'public' THEN '' ELSE s.schemaname || '.' END
  || s.tablename || '.' || s.attname
FROM pg_catalog.pg_stats s
WHERE s.schemaname NOT IN ('pg_catalog', 'information_schema')
"""


@dataclass(frozen=True)
class QueryCost:
    """What the planner says of one query: its cost, or its error."""

    cost: Decimal | None
    sqlstate: str = ""
    error: str = ""


@dataclass(frozen=True)
class QueryLook:
    """All queries planned at one moment, by text, and the columns that have statistics."""

    costs: Mapping[str, QueryCost]
    statistics: frozenset[str] = frozenset()


def cannot_plan(version: int) -> str:
    """Why a server of this server_version_num cannot plan texts with $1 in them; "" where it can."""
    if version >= FIRST_VERSION:
        return ""
    return (
        f"PostgreSQL {version // 10_000} has no EXPLAIN (GENERIC_PLAN), which came with 16: "
        "restore the dump into a newer server to plan them"
    )


def look_at_queries(scratch: Scratch, database: str, texts: QueryTexts) -> QueryLook:
    """Plan each query in a database of the scratch server, which executes none of them.

    Raises DatabaseError where the server is lost.
    """
    # As the role that restored: planning calls immutable functions, which somebody else wrote.
    connection = scratch.connect(database, scratch.owner)
    try:
        costs = {one.text: _cost(connection, one.text) for one in texts.texts if one.text != HIDDEN}
    finally:
        connection.close()
    return QueryLook(costs, frozenset(str(row[0]) for row in scratch.execute(_STATISTICS, database)))


def _cost(connection: Any, text: str) -> QueryCost:
    import psycopg2

    with connection.cursor() as cursor:
        try:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            cursor.execute(f"SET LOCAL statement_timeout = '{_SECONDS}s'")
            cursor.execute("SELECT pg_catalog.set_config('kisaan.query', %s, true)", (text,))
            cursor.execute(_PLAN)
            cursor.execute("SELECT pg_catalog.current_setting('kisaan.plan')")
            plan = json.loads(cursor.fetchone()[0], parse_float=Decimal, parse_int=Decimal)
            return QueryCost(plan[0]["Plan"]["Total Cost"])
        except psycopg2.Error as error:
            if connection.closed:
                raise
            return QueryCost(None, error.pgcode or "", server_words(error))
        finally:
            if not connection.closed:
                cursor.execute("ROLLBACK")


def review_queries(texts: QueryTexts, before: QueryLook, fresh: QueryLook, after: QueryLook) -> QueryReview:
    """What the migration does to the queries: planned before it, right after it (``fresh``), and once the
    copy was analysed.
    """
    plans = [_plan(one.text, one.calls, before, fresh, after) for one in texts.texts]
    order = list(QueryState)
    rank = {
        QueryState.BROKEN: -4,
        QueryState.DEARER: -3,
        QueryState.NEEDS_ANALYZE: -2,
        QueryState.UNKNOWN: -1,
    }
    plans.sort(key=lambda plan: rank.get(plan.state, order.index(plan.state)))
    lost = sorted((before.statistics & after.statistics) - fresh.statistics)
    return QueryReview(texts.source, tuple(plans), texts.reason, texts.no_queries, tuple(lost))


def _plan(text: str, calls: int | None, *looks: QueryLook) -> PlannedQuery:
    if text == HIDDEN:
        why = "pg_stat_statements shows its text only to a member of pg_read_all_stats"
        return PlannedQuery("", calls, QueryState.UNKNOWN, error=why)
    before, fresh, after = (look.costs[text] for look in looks)
    state = _state(before, fresh, after)
    said = before if before.error else fresh if fresh.error else after
    return PlannedQuery(
        masked_literals(text), calls, state, before.cost, fresh.cost, after.cost, said.sqlstate, said.error
    )


def _state(before: QueryCost, fresh: QueryCost, after: QueryCost) -> QueryState:
    # A text that never planned, as one with two meanings of $1, tells nothing about the migration.
    if before.cost is None:
        return QueryState.UNKNOWN
    if _ran_out(fresh) or _ran_out(after):
        return QueryState.UNKNOWN
    if fresh.cost is None or after.cost is None:
        return QueryState.BROKEN
    if is_much_dearer(before.cost, after.cost):
        return QueryState.DEARER
    return QueryState.NEEDS_ANALYZE if is_much_dearer(before.cost, fresh.cost) else QueryState.SAME


def _ran_out(cost: QueryCost) -> bool:
    """Whether planning took too long, or the server lacked room: that is no proof that it fails."""
    return cost.sqlstate in {"57014", "53100"}


def is_much_dearer(before: Decimal, after: Decimal) -> bool:
    """Whether a plan costs so much more that people will notice."""
    return after >= FLOOR and after >= before * DEARER
