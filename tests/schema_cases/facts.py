"""Lesser facts of an object: storage, statistics, costs, options, the use of a type."""

from __future__ import annotations

from schema_cases.parts import INT_SUM, PART, F, T, case, turned, went

FACTS = {
    "storage": case(
        T,
        "ALTER TABLE t ALTER b SET STORAGE EXTERNAL",
        "ALTER TABLE t ALTER b SET STORAGE EXTENDED",
        turned("column", "t", "b", "storage"),
    ),
    "a compression": case(
        T,
        "ALTER TABLE t ALTER b SET COMPRESSION pglz",
        "ALTER TABLE t ALTER b SET COMPRESSION DEFAULT",
        turned("column", "t", "b", "compression"),
        since=14,
    ),
    "a column's statistics": case(
        T,
        "ALTER TABLE t ALTER b SET STATISTICS 900",
        "ALTER TABLE t ALTER b SET STATISTICS -1",
        turned("column", "t", "b", "statistics"),
    ),
    "a column's options": case(
        T,
        "ALTER TABLE t ALTER b SET (n_distinct = 5)",
        "ALTER TABLE t ALTER b RESET (n_distinct)",
        turned("column", "t", "b", "planner options"),
    ),
    "the order of columns": case(
        T,
        "ALTER TABLE t DROP a; ALTER TABLE t ADD a int",
        "DROP TABLE t; " + T,
        turned("column", "t", "a", "position"),
        turned("column", "t", "b", "position"),
    ),
    "TOAST options": case(
        T,
        "ALTER TABLE t SET (toast.autovacuum_enabled = off)",
        "ALTER TABLE t RESET (toast.autovacuum_enabled)",
        turned("table", "t", "t", "toast options"),
    ),
    "an attached index": case(
        PART + "CREATE INDEX i1 ON t1 (a); CREATE INDEX j ON ONLY t (a); CREATE INDEX i ON ONLY t (a)",
        "ALTER INDEX i ATTACH PARTITION i1",
        "DROP INDEX i; CREATE INDEX i1 ON t1 (a); CREATE INDEX i ON ONLY t (a)",
        turned("index", "t", "i", "valid"),
        turned("index", "t1", "i1", "attached to"),
    ),
    "an index's statistics": case(
        T + "CREATE INDEX i ON t ((a + 1))",
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 50",
        "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS -1",
        turned("index", "t", "i", "statistics"),
    ),
    "a support function": case(
        F,
        "ALTER FUNCTION f SUPPORT pg_catalog.textlike_support",
        "DROP FUNCTION f; " + F,
        turned("function", "", "f(integer)", "support"),
    ),
    "an aggregate's options": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, "
        "initcond = '0', sspace = 64, finalfunc_modify = read_write)",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "aggregate options"),
    ),
    "the use of a type": case(
        "CREATE TYPE mood AS ENUM ('a')",
        "REVOKE USAGE ON TYPE mood FROM PUBLIC",
        "GRANT USAGE ON TYPE mood TO PUBLIC",
        went("grant", "", "PUBLIC on type mood"),
    ),
}
