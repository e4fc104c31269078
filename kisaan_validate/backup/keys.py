"""Keys of a restored database, proved by reading its rows: what an index says of itself proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.certificate import IndexCheck, Integrity, KeyCheck
from kisaan_validate.process.stopping import Stop
from kisaan_validate.scratch.reaching import identifier
from kisaan_validate.scratch.server import Scratch

# Each key is a group of its own, for which a hash table spills: sorting takes a third of its time.
_PRELUDE = """
SET search_path = pg_catalog, pg_temp;
SET default_transaction_read_only = on;
SET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off;
SET enable_hashagg = off;
"""

_UNIQUE = """
SELECT CASE WHEN i.indisprimary THEN 'primary key' ELSE 'unique' END,
       n.nspname, t.relname, x.relname, t.relkind,
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, true)
             FROM generate_series(1, i.indnkeyatts) AS k ORDER BY k),
       coalesce(pg_get_expr(i.indpred, i.indrelid, true), ''),
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), i.indisexclusion
FROM pg_index AS i
JOIN pg_class AS x ON x.oid = i.indexrelid
JOIN pg_class AS t ON t.oid = i.indrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
WHERE (i.indisunique OR i.indisprimary) AND t.relkind IN ('r', 'p') AND NOT x.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
ORDER BY n.nspname, t.relname, x.relname
"""

_FOREIGN = """
SELECT n.nspname, t.relname, t.relkind, rn.nspname, r.relname, r.relkind,
       c.conname, c.convalidated, c.confmatchtype,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY AS k(no, at)
             JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.no ORDER BY k.at),
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY AS k(no, at)
             JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = k.no ORDER BY k.at),
       ARRAY(SELECT format('OPERATOR(%I.%s)', o.nspname, p.oprname)
             FROM unnest(c.conpfeqop) WITH ORDINALITY AS k(no, at)
             JOIN pg_operator AS p ON p.oid = k.no
             JOIN pg_namespace AS o ON o.oid = p.oprnamespace ORDER BY k.at),
       coalesce((to_jsonb(c) ->> 'conperiod')::boolean, false)
FROM pg_constraint AS c
JOIN pg_class AS t ON t.oid = c.conrelid
JOIN pg_namespace AS n ON n.oid = t.relnamespace
JOIN pg_class AS r ON r.oid = c.confrelid
JOIN pg_namespace AS rn ON rn.oid = r.relnamespace
WHERE c.contype = 'f' AND c.conparentid = 0
ORDER BY n.nspname, t.relname, c.conname
"""

TEMPORAL = "it is temporal (PERIOD, WITHOUT OVERLAPS), which is not asked"


@dataclass(frozen=True)
class _Asked:
    """A key and the SQL that counts what breaks it; "" where it is not asked."""

    key: KeyCheck
    sql: str


def check_keys(
    scratch: Scratch, database: str, stop: Stop, tell: Callable[[int, int], None]
) -> tuple[KeyCheck, ...]:
    """Every unique and foreign key of the database, by heap scans of the role that owns it. ``tell`` is
    called with how many are done of how many. Raises DatabaseError if the catalogue cannot be read.
    """
    connection = scratch.connect(database, role=scratch.owner)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_PRELUDE)
            cursor.execute(_UNIQUE)
            asked = [_unique(row) for row in cursor.fetchall()]
            cursor.execute(_FOREIGN)
            asked += [_foreign(row) for row in cursor.fetchall()]
            return tuple(_answered(cursor, asked, stop, tell))
    finally:
        connection.close()


def _answered(
    cursor: Any, asked: Sequence[_Asked], stop: Stop, tell: Callable[[int, int], None]
) -> Iterator[KeyCheck]:
    for number, one in enumerate(asked):
        tell(number, len(asked))
        if stop.requested:
            yield replace(one.key, message=stop.reason)
        elif not one.sql:
            yield one.key
        else:
            yield _count(cursor, one)


def _count(cursor: Any, one: _Asked) -> KeyCheck:
    try:
        cursor.execute(one.sql)
        ((found,),) = cursor.fetchall()
    # Whatever the driver raises: the class is named without importing the driver here.
    except Exception as error:
        state = getattr(error, "pgcode", None)
        if state is None:
            raise
        # Only the first line: details of an error repeat values.
        return replace(one.key, message=f"{str(error).splitlines()[0]} ({state})")
    return replace(one.key, violations=int(found))


def _title(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


def _relation(schema: str, name: str, kind: str) -> str:
    # A table's own rows alone: what inherits from it has keys of its own. A partitioned one has none itself.
    only = "" if kind == "p" else "ONLY "
    return f"{only}{identifier(schema)}.{identifier(name)}"


def _unique(row: Sequence[Any]) -> _Asked:
    kind, schema, table, name, relkind, columns, condition, nulls_equal, temporal = row
    key = KeyCheck(kind, _title(schema, table), name, tuple(columns), None)
    if temporal:
        return _Asked(KeyCheck(*_head(key), None, message=TEMPORAL), "")
    where = [f"({condition})"] if condition else []
    if not nulls_equal:
        where += [f"({column}) IS NOT NULL" for column in columns]
    listed = ", ".join(f"({column})" for column in columns)
    rows = f"SELECT count(*) AS many FROM {_relation(schema, table, relkind)}"
    rows += f" WHERE {' AND '.join(where)}" if where else ""
    return _Asked(
        key, f"SELECT coalesce(sum(many - 1), 0) FROM ({rows} GROUP BY {listed} HAVING count(*) > 1) AS k"
    )


def _head(key: KeyCheck) -> tuple[str, str, str, tuple[str, ...]]:
    return key.kind, key.table, key.name, key.columns


def _foreign(row: Sequence[Any]) -> _Asked:
    (
        schema,
        table,
        kind,
        to_schema,
        to_table,
        to_kind,
        name,
        validated,
        match,
        columns,
        to,
        operators,
        temporal,
    ) = row
    key = KeyCheck("foreign key", _title(schema, table), name, tuple(columns), None, validated)
    if temporal:
        return _Asked(KeyCheck(*_head(key), None, validated, TEMPORAL), "")
    own = [f"f.{identifier(column)}" for column in columns]
    pairs = zip(to, operators, own, strict=True)
    joined = " AND ".join(f"p.{identifier(a)} {sign} {b}" for a, sign, b in pairs)
    filled = " AND ".join(f"{column} IS NOT NULL" for column in own)
    there = f"SELECT FROM {_relation(to_schema, to_table, to_kind)} AS p WHERE {joined}"
    lonely = f"({filled} AND NOT EXISTS ({there}))"
    if match == "f" and len(own) > 1:
        # MATCH FULL: all of them or none.
        lonely += f" OR num_nulls({', '.join(own)}) BETWEEN 1 AND {len(own) - 1}"
    return _Asked(key, f"SELECT count(*) FROM {_relation(schema, table, kind)} AS f WHERE {lonely}")


def check_indexes(scratch: Scratch, database: str, stop: Stop) -> IndexCheck:
    """``pg_amcheck --heapallindexed`` where the program and its extension are there; it installs the
    extension, so it comes last.
    """
    installation = scratch.installation
    if installation is None or installation.program("pg_amcheck") is None:
        where = installation.label if installation is not None else "the adopted server's host"
        return IndexCheck(None, f"{where} has no pg_amcheck")
    if not scratch.execute(
        "SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck'", database
    ):
        return IndexCheck(None, f"{installation.label} has no extension amcheck")
    scratch.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog", database)
    words = ["--heapallindexed", "--no-dependent-toast", "--jobs", "2", "--database", database]
    done = scratch.client("pg_amcheck", words, database=database, role="postgres", stop=stop)
    if done.cut:
        return IndexCheck(None, done.cut)
    found = [line for line in done.out_tail.splitlines() if line and not line.startswith((" ", "\t"))]
    if done.ok:
        return IndexCheck(0)
    # 2: it found something; anything else: it could not look.
    if done.code == 2 and found:
        return IndexCheck(len(found), found[0])
    return IndexCheck(None, f"pg_amcheck ended with {done.code}: {' '.join(done.err_tail.split())[:200]}")


def integrity_of(scratch: Scratch, database: str, stop: Stop, tell: Callable[[int, int], None]) -> Integrity:
    """Both. What could not be looked at says why."""
    try:
        keys = check_keys(scratch, database, stop, tell)
    except KisaanError as error:
        return Integrity(message=error.fact)
    try:
        return Integrity(keys, check_indexes(scratch, database, stop))
    except KisaanError as error:
        return Integrity(keys, IndexCheck(None, error.fact))
