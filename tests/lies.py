"""Databases whose declarations lie, and their honest twins: the same rows, of which nothing is declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conftest import Server
from hypothesis import strategies as st

Row = tuple[int | None, ...]

SEDUCED = (
    "-c constraint_exclusion=on",
    "-c enable_seqscan=off",
    "-c enable_partitionwise_join=on -c enable_partitionwise_aggregate=on",
    "-c seq_page_cost=100000 -c cpu_tuple_cost=1000 -c random_page_cost=0.0001 -c cpu_index_tuple_cost=0",
    "-c enable_hashjoin=off -c enable_sort=off",
    "-c enable_mergejoin=off -c enable_hashagg=off",
    "-c enable_nestloop=off",
)
"""Settings of a role or a database by which a planner would rather believe than read."""


@dataclass(frozen=True)
class Heap:
    """Rows of a table: ``known`` to its unique index, some of them ``gone`` since, and ``more`` that it
    never met.
    """

    known: tuple[Row, ...]
    gone: tuple[int, ...]
    more: tuple[Row, ...]

    @property
    def rows(self) -> list[Row]:
        """What lies in the table."""
        return [row for n, row in enumerate(self.known) if n not in self.gone] + list(self.more)


@dataclass(frozen=True)
class World:
    """Rows of t (id, a, b, r), p (id, b) and d (t, x), and which declarations of them lie."""

    t: Heap
    p: Heap
    d: tuple[Row, ...]
    partitioned: bool
    check: bool
    not_null: bool
    partial: bool
    settings: tuple[str, ...]


_small = st.integers(0, 6)
_value = st.none() | _small


def _heaps(*values: st.SearchStrategy[Any]) -> st.SearchStrategy[Heap]:
    known = st.lists(st.tuples(st.integers(0, 9), *values), max_size=8, unique_by=lambda row: row[0])
    more = st.lists(st.tuples(st.integers(0, 9), *values), max_size=6)
    gone = st.lists(st.integers(0, 7), max_size=4)
    return st.builds(lambda k, g, m: Heap(tuple(k), tuple(g), tuple(m)), known, gone, more)


WORLDS = st.builds(
    World,
    t=_heaps(_value, _value, st.none() | st.integers(0, 9)),
    p=_heaps(_value),
    d=st.lists(st.tuples(st.integers(0, 9), _small), max_size=8).map(tuple),
    partitioned=st.booleans(),
    check=st.booleans(),
    not_null=st.booleans(),
    partial=st.booleans(),
    settings=st.lists(st.sampled_from(SEDUCED), unique=True, max_size=4).map(tuple),
)

_COLUMNS = {"t": "id int, a int, b int, r int", "p": "id int, b int", "d": "t int, x int"}
_VIEWS = """
CREATE VIEW joined AS SELECT t.id, t.a, t.b, p.b AS pb FROM t LEFT JOIN p ON p.id = t.r;
CREATE VIEW kept AS SELECT t.id, t.a FROM t WHERE a IS NULL;
CREATE VIEW grouped AS SELECT id, a, count(*) AS n FROM t GROUP BY id, a;
"""


def honest(server: Server, database: str, world: World) -> None:
    """The rows of a world in a database of which nothing is declared but a key of p, where it is one."""
    rows = {"t": world.t.rows, "p": world.p.rows, "d": list(world.d)}
    parts = ["DROP SCHEMA public CASCADE; CREATE SCHEMA public", _function("$1 < 3")]
    parts += [f"CREATE TABLE {name} ({columns})" for name, columns in _COLUMNS.items()]
    parts += [_insert(name, rows[name]) for name in _COLUMNS]
    ids = [row[0] for row in rows["p"]]
    parts += ["CREATE UNIQUE INDEX ON p (id)"] if len(set(ids)) == len(ids) else []
    server.sql("; ".join([*filter(None, parts), _VIEWS]), database)


def lying(server: Server, database: str, world: World) -> None:
    """The same rows where a replaced function, the catalogue and damaged indexes say what is not true of
    them.
    """
    server.sql(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {_function('true')}", database)
    names = ["t_low", "t_high"] if world.partitioned else ["t"]
    for name in (*names, "p", "d"):
        server.sql(f"CREATE TABLE {name} ({_COLUMNS[name.partition('_')[0]]})", database)
    server.sql(_insert("d", world.d) or "SELECT", database)
    for n, name in enumerate(names):
        _damaged(server, database, name, _share(world.t, n, len(names)), world)
    _damaged(server, database, "p", world.p, world)
    if world.partitioned:
        server.sql(_ATTACHED, database)
    server.sql(_VIEWS, database)
    server.sql(_function("$1 < 3").replace("CREATE", "CREATE OR REPLACE", 1), database)
    if world.not_null:
        server.sql(
            "UPDATE pg_attribute SET attnotnull = true WHERE attname = 'a' AND attrelid IN (SELECT oid "
            "FROM pg_class "
            "WHERE relname IN ('t', 't_low', 't_high') AND relkind IN ('r', 'p'))",
            database,
        )


_ATTACHED = """
CREATE TABLE t (id int, a int, b int, r int) PARTITION BY RANGE (id);
ALTER TABLE t_low ADD CONSTRAINT low CHECK (id IS NOT NULL AND id < 5) NOT VALID;
ALTER TABLE t_high ADD CONSTRAINT high CHECK (id IS NOT NULL AND id >= 5) NOT VALID;
UPDATE pg_constraint SET convalidated = true WHERE conname IN ('low', 'high');
ALTER TABLE t ATTACH PARTITION t_low FOR VALUES FROM (MINVALUE) TO (5);
ALTER TABLE t ATTACH PARTITION t_high FOR VALUES FROM (5) TO (MAXVALUE);
"""


def _share(heap: Heap, number: int, count: int) -> Heap:
    """The rows of one of several partitions, whatever their bounds."""
    gone = tuple(n // count for n in heap.gone if n % count == number)
    return Heap(heap.known[number::count], gone, heap.more[number::count])


def _damaged(server: Server, database: str, name: str, heap: Heap, world: World) -> None:
    """A table whose unique index lacks rows, and leads to some that are not there any more, or are others
    by now.
    """
    ready = made_ready(f"{name}_id", name)
    checks = (
        f"ALTER TABLE {name} ADD CONSTRAINT {name}_ok CHECK (ok(b) AND b IS NOT NULL OR b IS NULL)"
        if world.check
        else ""
    )
    partial = f"CREATE INDEX ON {name} (id) WHERE ok(b)" if world.partial else ""
    gone = [heap.known[n] for n in set(heap.gone) if n < len(heap.known)]
    parts = [
        _insert(name, heap.known),
        f"CREATE UNIQUE INDEX {name}_id ON {name} (id)",
        checks,
        partial,
        ready[0],
    ]
    server.sql("; ".join(filter(None, parts)), database)
    listed = ", ".join(str(row[0]) for row in gone)
    server.sql(f"DELETE FROM {name} WHERE id IN ({listed})" if listed else "SELECT", database)
    server.sql(f"VACUUM {name}", database)
    server.sql(_insert(name, heap.more) or "SELECT", database)  # where those lay that are gone
    server.sql(ready[1], database)
    server.sql(f"VACUUM ANALYZE {name}", database)


def made_ready(index: str, table: str) -> tuple[str, str]:
    """The SQL after which an index meets no row any more, and the SQL after which it is used again.

    VACUUM takes a table whose only index is not ready for one without indexes.
    """
    ready = "UPDATE pg_index SET indisready = {} WHERE indexrelid = '{}'::regclass"
    again = f"UPDATE pg_class SET relhasindex = true WHERE oid = '{table}'::regclass"
    return ready.format("false", index), f"{ready.format('true', index)}; {again}"


def _insert(name: str, rows: Any) -> str:
    listed = ", ".join("(" + ", ".join("NULL" if v is None else str(v) for v in row) + ")" for row in rows)
    return f"INSERT INTO {name} VALUES {listed}" if listed else ""


def _function(body: str) -> str:
    return f"CREATE FUNCTION ok(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN {body}; END'"
