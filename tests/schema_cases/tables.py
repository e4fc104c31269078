"""Tables, their partitions and views."""

from __future__ import annotations

from schema_cases.parts import PART, RICH, VIEW, T, came, case, mirror, relation_came, turned, went

TABLES = {
    "a table": case(
        "", "CREATE TABLE n (a int, b int)", "DROP TABLE n", relation_came("table", "n", "a", "b")
    ),
    "a table of another schema": case(
        "CREATE SCHEMA shop",
        "CREATE TABLE shop.n (a int)",
        "DROP TABLE shop.n",
        relation_came("table", "shop.n", "a"),
    ),
    "a dropped table": case(T, "DROP TABLE t", T, mirror(relation_came("table", "t", "a", "b"))),
    "a renamed table": case(
        "CREATE TABLE t (a int)",
        "ALTER TABLE t RENAME TO n",
        "ALTER TABLE n RENAME TO t",
        relation_came("table", "n", "a"),
        mirror(relation_came("table", "t", "a")),
    ),
    "unlogged": case(
        T, "ALTER TABLE t SET UNLOGGED", "ALTER TABLE t SET LOGGED", turned("table", "t", "t", "persistence")
    ),
    "logged": case(
        "CREATE UNLOGGED TABLE t (a int)",
        "ALTER TABLE t SET LOGGED",
        "ALTER TABLE t SET UNLOGGED",
        turned("table", "t", "t", "persistence"),
    ),
    "options": case(
        T,
        "ALTER TABLE t SET (fillfactor = 50, autovacuum_enabled = off)",
        "ALTER TABLE t RESET (fillfactor, autovacuum_enabled)",
        turned("table", "t", "t", "options"),
    ),
    "the order of options": case(
        T + "ALTER TABLE t SET (fillfactor = 50, autovacuum_enabled = off)",
        "ALTER TABLE t RESET (fillfactor); ALTER TABLE t SET (fillfactor = 50)",
        "SELECT",
    ),
    "row security": case(
        T,
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
        turned("table", "t", "t", "row security"),
    ),
    "row security forced": case(
        T,
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "ALTER TABLE t NO FORCE ROW LEVEL SECURITY",
        turned("table", "t", "t", "row security forced"),
    ),
    "a child": case(
        T + "CREATE TABLE n (a int, b text)",
        "ALTER TABLE n INHERIT t",
        "ALTER TABLE n NO INHERIT t",
        turned("table", "n", "n", "inherits"),
    ),
    "no longer a child": case(
        T + "CREATE TABLE n () INHERITS (t)",
        "ALTER TABLE n NO INHERIT t",
        "ALTER TABLE n INHERIT t",
        turned("table", "n", "n", "inherits"),
    ),
    "of a type": case(
        "CREATE TYPE pair AS (x int); CREATE TABLE t (x int)",
        "ALTER TABLE t OF pair",
        "ALTER TABLE t NOT OF",
        turned("table", "t", "t", "of type"),
    ),
    "a partition": case(
        PART + "CREATE TABLE t2 (a int)",
        "ALTER TABLE t ATTACH PARTITION t2 FOR VALUES FROM (9) TO (20)",
        "ALTER TABLE t DETACH PARTITION t2",
        turned("table", "t2", "t2", "partition of", "bound"),
    ),
    "a detached partition": case(
        PART,
        "ALTER TABLE t DETACH PARTITION t1",
        "ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (9)",
        turned("table", "t1", "t1", "partition of", "bound"),
    ),
    "another bound": case(
        PART,
        "ALTER TABLE t DETACH PARTITION t1; ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (10)",
        "ALTER TABLE t DETACH PARTITION t1; ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (9)",
        turned("table", "t1", "t1", "bound"),
    ),
    "partitioned for plain": case(
        T,
        "DROP TABLE t; CREATE TABLE t (a int, b text) PARTITION BY HASH (a)",
        "DROP TABLE t; " + T,
        turned("table", "t", "t", "kind", "partition key"),
    ),
    "another partition key": case(
        "CREATE TABLE t (a int, b text) PARTITION BY LIST (b)",
        "DROP TABLE t; CREATE TABLE t (a int, b text) PARTITION BY LIST (lower(b))",
        "DROP TABLE t; CREATE TABLE t (a int, b text) PARTITION BY LIST (b)",
        turned("table", "t", "t", "partition key"),
    ),
    "a foreign table's options": case(
        RICH,
        "ALTER FOREIGN TABLE ft OPTIONS (SET z '2')",
        "ALTER FOREIGN TABLE ft OPTIONS (SET z '1')",
        turned("table", "ft", "ft", "options"),
    ),
    "a foreign column's options": case(
        RICH,
        "ALTER FOREIGN TABLE ft ALTER a OPTIONS (SET x 'z')",
        "ALTER FOREIGN TABLE ft ALTER a OPTIONS (SET x 'y')",
        turned("column", "ft", "a", "options"),
    ),
}

VIEWS = {
    "a view": case(T, "CREATE VIEW v AS SELECT a FROM t", "DROP VIEW v", relation_came("view", "v", "a")),
    "a dropped view": case(
        VIEW, "DROP VIEW v", "CREATE VIEW v AS SELECT a FROM t", mirror(relation_came("view", "v", "a"))
    ),
    "a view's body": case(
        VIEW,
        "CREATE OR REPLACE VIEW v AS SELECT a FROM t WHERE a > 0",
        "CREATE OR REPLACE VIEW v AS SELECT a FROM t",
        turned("view", "v", "v", "definition"),
    ),
    "a view's column": case(
        VIEW,
        "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t",
        "DROP VIEW v; CREATE VIEW v AS SELECT a FROM t",
        turned("view", "v", "v", "definition"),
        came("column", "v", "b"),
    ),
    "a view with the rights of who asks": case(
        VIEW,
        "ALTER VIEW v SET (security_invoker = on)",
        "ALTER VIEW v RESET (security_invoker)",
        turned("view", "v", "v", "options"),
        since=15,
    ),
    "a view that bars": case(
        VIEW,
        "ALTER VIEW v SET (security_barrier)",
        "ALTER VIEW v RESET (security_barrier)",
        turned("view", "v", "v", "options"),
    ),
    "a view for a table": case(
        "CREATE TABLE x (a int); CREATE TABLE t (a int)",
        "DROP TABLE x; CREATE VIEW x AS SELECT a FROM t",
        "DROP VIEW x; CREATE TABLE x (a int)",
        went("table", "x", "x"),
        came("view", "x", "x"),
    ),
    "a materialized view": case(
        T,
        "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        "DROP MATERIALIZED VIEW v",
        relation_came("materialized view", "v", "a"),
    ),
    "a materialized view's body": case(
        T + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        "DROP MATERIALIZED VIEW v; CREATE MATERIALIZED VIEW v AS SELECT a + 1 AS a FROM t",
        "DROP MATERIALIZED VIEW v; CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        turned("materialized view", "v", "v", "definition"),
    ),
    "an emptied materialized view": case(
        T + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        "REFRESH MATERIALIZED VIEW v WITH NO DATA",
        "REFRESH MATERIALIZED VIEW v",
        turned("materialized view", "v", "v", "populated"),
    ),
}
