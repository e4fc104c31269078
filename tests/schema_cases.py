"""DDL of every kind and what of the catalogue must differ after it, and nothing else: the cases of
test_schema_objects.
"""

from __future__ import annotations

from dataclasses import dataclass

Change = tuple[str, ...]
"""("+" | "-", kind, table, name) for an object that came or went, ("~", kind, table, name, attribute) for
one that changed.
"""


@dataclass(frozen=True)
class Case:
    """``undo`` must lead back to exactly what was before. ``since`` is the first server version that knows
    the DDL.
    """

    setup: str
    ddl: str
    undo: str
    expected: frozenset[Change]
    since: int = 13


def came(kind: str, table: str, name: str) -> Change:
    """An object that is only there afterwards."""
    return ("+", kind, table, name)


def went(kind: str, table: str, name: str) -> Change:
    """An object that was only there before."""
    return ("-", kind, table, name)


def turned(kind: str, table: str, name: str, *attributes: str) -> frozenset[Change]:
    """An object some attributes of which changed."""
    return frozenset(("~", kind, table, name, attribute) for attribute in attributes)


def mirror(changes: frozenset[Change]) -> frozenset[Change]:
    """The same changes, seen from the other side."""
    return frozenset(({"+": "-", "-": "+"}.get(c[0], c[0]), *c[1:]) for c in changes)


def case(setup: str, ddl: str, undo: str, *expected: Change | frozenset[Change], since: int = 13) -> Case:
    """A case from changes and sets of changes."""
    changes: set[Change] = set()
    for item in expected:
        changes |= item if isinstance(item, frozenset) else {item}
    return Case(setup, ddl, undo, frozenset(changes), since)


RICH = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN price AS numeric(10,2) DEFAULT 0 NOT NULL CONSTRAINT positive CHECK (VALUE >= 0);
CREATE TYPE pair AS (x int, y text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE TABLE shop.p (id int PRIMARY KEY, parent int REFERENCES shop.p);
CREATE TABLE t (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n serial, a int DEFAULT 1 CONSTRAINT t_a CHECK (a > 0),
    b text COLLATE "C" NOT NULL UNIQUE, m mood DEFAULT 'ok', c price, d int GENERATED ALWAYS AS (a * 2) STORED,
    p int CONSTRAINT t_p REFERENCES shop.p, w pair, h shop.p);
CREATE INDEX t_some ON t (a, lower(b)) WHERE a > 5;
CREATE SEQUENCE s;
CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1';
CREATE FUNCTION shop.g(m public.mood DEFAULT 'ok') RETURNS TABLE (a int) LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = shop AS 'BEGIN RETURN; END';
CREATE PROCEDURE pr(x int) LANGUAGE sql AS 'SELECT 1';
CREATE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0');
CREATE VIEW v AS SELECT t.a, t.b, f(t.a) AS f, p.id FROM t JOIN shop.p ON p.id = t.p;
CREATE VIEW shop.v WITH (security_barrier) AS SELECT v.a FROM public.v;
CREATE MATERIALIZED VIEW mv AS SELECT a FROM t;
CREATE INDEX mv_a ON mv (a);
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW WHEN (OLD.a < NEW.a) EXECUTE FUNCTION tf();
CREATE CONSTRAINT TRIGGER ctr AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tf();
CREATE RULE r AS ON DELETE TO t WHERE OLD.a > 7 DO INSTEAD NOTHING;
CREATE POLICY pol ON t FOR SELECT TO schema_reader USING (a IN (SELECT id FROM shop.p));
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE STATISTICS st ON a, b FROM t;
CREATE TABLE base (k int, e int CHECK (e > 0));
CREATE TABLE child (extra int) INHERITS (base);
CREATE TABLE part (k int PRIMARY KEY, c price) PARTITION BY RANGE (k);
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (0) TO (10);
CREATE TABLE partx PARTITION OF part DEFAULT;
CREATE TABLE fan (k int REFERENCES part, e text) PARTITION BY LIST (lower(e));
CREATE TABLE shop.fan1 PARTITION OF fan FOR VALUES IN ('x', 'y');
CREATE TRIGGER tr AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION tf();
CREATE FOREIGN DATA WRAPPER nothing;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing;
CREATE FOREIGN TABLE ft (a int OPTIONS (x 'y')) SERVER nowhere OPTIONS (z '1');
CREATE FUNCTION etf() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER et ON ddl_command_start WHEN TAG IN ('DROP AGGREGATE') EXECUTE FUNCTION etf();
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO schema_reader;
GRANT SELECT ON t TO schema_reader; GRANT UPDATE (a, b) ON t TO schema_owner WITH GRANT OPTION;
REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC;
COMMENT ON TABLE t IS 'a table'; COMMENT ON COLUMN t.a IS 'a column';
"""
"""One object of every kind at least, in two schemas. Needs the roles schema_reader and schema_owner."""

T = "CREATE TABLE t (a int, b text); "
INT_SUM = "(sfunc = int4pl, stype = int, initcond = '0')"
TF = "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; "
TRIGGER = T + TF + "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf(); "
F = "CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x'; "
PART = (
    "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM "
    "(0) TO (9); "
)
KEYED = "CREATE TABLE k (id int PRIMARY KEY); CREATE TABLE t (a int CONSTRAINT fk REFERENCES k); "
POLICY = T + "CREATE POLICY p ON t USING (a > 0); "
RULE = T + "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING; "
VIEW = T + "CREATE VIEW v AS SELECT a FROM t; "
SEQUENCE = "CREATE SEQUENCE s; "
GRANTED = T + "GRANT SELECT ON t TO schema_reader; "


def function_came(name: str) -> frozenset[Change]:
    """A new function, which everybody may call."""
    rights = {came("grant", "", f"{grantee} on function {name}") for grantee in ("PUBLIC", "postgres")}
    return frozenset({came("function", "", name), *rights})


def type_came(kind: str, name: str) -> frozenset[Change]:
    """A new type, which everybody may use."""
    rights = {came("grant", "", f"{grantee} on type {name}") for grantee in ("PUBLIC", "postgres")}
    return frozenset({came(kind, "", name), *rights})


def relation_came(kind: str, name: str, *columns: str) -> frozenset[Change]:
    """A new relation with its columns and its owner's rights."""
    cells = {came("column", name, column) for column in columns}
    return frozenset({came(kind, name, name), came("grant", name, "postgres"), *cells})


def owned(kind: str, title: str) -> frozenset[Change]:
    """A relation of postgres that became schema_owner's."""
    grants = {went("grant", title, "postgres"), came("grant", title, "schema_owner")}
    return turned(kind, title, title, "owner") | grants


COLUMNS = {
    "a column": case(T, "ALTER TABLE t ADD c int", "ALTER TABLE t DROP c", came("column", "t", "c")),
    "a dropped column": case(T, "ALTER TABLE t DROP b", "ALTER TABLE t ADD b text", went("column", "t", "b")),
    "a renamed column": case(
        T,
        "ALTER TABLE t RENAME b TO c",
        "ALTER TABLE t RENAME c TO b",
        went("column", "t", "b"),
        came("column", "t", "c"),
    ),
    "a column's type": case(
        T,
        "ALTER TABLE t ALTER a TYPE bigint",
        "ALTER TABLE t ALTER a TYPE int",
        turned("column", "t", "a", "type"),
    ),
    "only a scale": case(
        "CREATE TABLE t (a numeric(12,2))",
        "ALTER TABLE t ALTER a TYPE numeric(12,4)",
        "ALTER TABLE t ALTER a TYPE numeric(12,2)",
        turned("column", "t", "a", "type"),
    ),
    "only a length": case(
        "CREATE TABLE t (a varchar(30))",
        "ALTER TABLE t ALTER a TYPE varchar(60)",
        "ALTER TABLE t ALTER a TYPE varchar(30)",
        turned("column", "t", "a", "type"),
    ),
    "a time zone": case(
        "CREATE TABLE t (a timestamp)",
        "ALTER TABLE t ALTER a TYPE timestamptz",
        "ALTER TABLE t ALTER a TYPE timestamp",
        turned("column", "t", "a", "type"),
    ),
    "an array": case(
        "CREATE TABLE t (a int[])",
        "ALTER TABLE t ALTER a TYPE bigint[]",
        "ALTER TABLE t ALTER a TYPE int[]",
        turned("column", "t", "a", "type"),
    ),
    "a collation": case(
        T,
        'ALTER TABLE t ALTER b TYPE text COLLATE "C"',
        "ALTER TABLE t ALTER b TYPE text",
        turned("column", "t", "b", "collation"),
    ),
    "a default": case(
        T,
        "ALTER TABLE t ALTER a SET DEFAULT 7",
        "ALTER TABLE t ALTER a DROP DEFAULT",
        turned("column", "t", "a", "default"),
    ),
    "another default": case(
        "CREATE TABLE t (a int DEFAULT 1)",
        "ALTER TABLE t ALTER a SET DEFAULT 2",
        "ALTER TABLE t ALTER a SET DEFAULT 1",
        turned("column", "t", "a", "default"),
    ),
    "a view's default": case(
        VIEW,
        "ALTER VIEW v ALTER a SET DEFAULT 1",
        "ALTER VIEW v ALTER a DROP DEFAULT",
        turned("column", "v", "a", "default"),
    ),
    "another identity": case(
        "CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY)",
        "ALTER TABLE t ALTER a SET GENERATED BY DEFAULT",
        "ALTER TABLE t ALTER a SET GENERATED ALWAYS",
        turned("column", "t", "a", "identity"),
    ),
    "an identity": case(
        "CREATE TABLE t (a int NOT NULL)",
        "ALTER TABLE t ALTER a ADD GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE t ALTER a DROP IDENTITY",
        turned("column", "t", "a", "identity"),
        came("sequence", "t_a_seq", "t_a_seq"),
        came("grant", "t_a_seq", "postgres"),
    ),
    "no longer generated": case(
        "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED)",
        "ALTER TABLE t ALTER g DROP EXPRESSION",
        "ALTER TABLE t DROP g, ADD g int GENERATED ALWAYS AS (a + 1) STORED",
        turned("column", "t", "g", "generated"),
    ),
    "another generated expression": case(
        "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED)",
        "ALTER TABLE t ALTER g SET EXPRESSION AS (a + 2)",
        "ALTER TABLE t ALTER g SET EXPRESSION AS (a + 1)",
        turned("column", "t", "g", "generated"),
        since=17,
    ),
    "virtual for stored": case(
        "CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a + 1) STORED)",
        "ALTER TABLE t DROP g, ADD g int GENERATED ALWAYS AS (a + 1) VIRTUAL",
        "ALTER TABLE t DROP g, ADD g int GENERATED ALWAYS AS (a + 1) STORED",
        turned("column", "t", "g", "generated"),
        since=18,
    ),
    "not null": case(
        T,
        "ALTER TABLE t ALTER a SET NOT NULL",
        "ALTER TABLE t ALTER a DROP NOT NULL",
        turned("column", "t", "a", "not null"),
    ),
    "null again": case(
        "CREATE TABLE t (a int NOT NULL)",
        "ALTER TABLE t ALTER a DROP NOT NULL",
        "ALTER TABLE t ALTER a SET NOT NULL",
        turned("column", "t", "a", "not null"),
    ),
    "not null, not validated": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID",
        "ALTER TABLE t DROP CONSTRAINT n",
        turned("column", "t", "a", "not null"),
        since=18,
    ),
    "not null, validated": case(
        T + "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT n",
        "ALTER TABLE t DROP CONSTRAINT n, ADD CONSTRAINT n NOT NULL a NOT VALID",
        turned("column", "t", "a", "not null"),
        since=18,
    ),
    "not null, for this table only": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NO INHERIT",
        "ALTER TABLE t DROP CONSTRAINT n",
        turned("column", "t", "a", "not null"),
        since=18,
    ),
    "a renamed not null constraint": case(
        "CREATE TABLE t (a int CONSTRAINT n NOT NULL)",
        "ALTER TABLE t RENAME CONSTRAINT n TO m",
        "ALTER TABLE t RENAME CONSTRAINT m TO n",
        since=18,
    ),
}

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

CONSTRAINTS = {
    "a check": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE t DROP CONSTRAINT c",
        came("constraint", "t", "c"),
    ),
    "a check that is not validated": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE t DROP CONSTRAINT c",
        came("constraint", "t", "c"),
    ),
    "a dropped check": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
        went("constraint", "t", "c"),
    ),
    "another check": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 1)",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
        turned("constraint", "t", "c", "definition"),
    ),
    "a check, validated": case(
        T + "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT c",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        turned("constraint", "t", "c", "validated"),
    ),
    "a foreign key, validated": case(
        KEYED + "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k NOT VALID",
        "ALTER TABLE t VALIDATE CONSTRAINT fk",
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k NOT VALID",
        turned("constraint", "t", "fk", "validated"),
    ),
    "a check, not enforced": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE t DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (a > 0)",
        turned("constraint", "t", "c", "validated", "enforced"),
        since=18,
    ),
    "a foreign key, not enforced": case(
        KEYED,
        "ALTER TABLE t ALTER CONSTRAINT fk NOT ENFORCED",
        "ALTER TABLE t ALTER CONSTRAINT fk ENFORCED",
        turned("constraint", "t", "fk", "validated", "enforced"),
        since=18,
    ),
    "a foreign key": case(
        "CREATE TABLE k (id int PRIMARY KEY); " + T,
        "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k",
        "ALTER TABLE t DROP CONSTRAINT fk",
        came("constraint", "t", "fk"),
    ),
    "what a foreign key does": case(
        KEYED,
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k ON DELETE CASCADE",
        "ALTER TABLE t DROP CONSTRAINT fk, ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES k",
        turned("constraint", "t", "fk", "definition"),
    ),
    "a deferrable foreign key": case(
        KEYED,
        "ALTER TABLE t ALTER CONSTRAINT fk DEFERRABLE",
        "ALTER TABLE t ALTER CONSTRAINT fk NOT DEFERRABLE",
        turned("constraint", "t", "fk", "definition"),
    ),
    "a foreign key whose triggers sleep": case(
        KEYED,
        "ALTER TABLE t DISABLE TRIGGER ALL",
        "ALTER TABLE t ENABLE TRIGGER ALL",
        turned("constraint", "t", "fk", "triggers"),
    ),
    "another partition of what is referred to": case(
        "CREATE TABLE k (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE k1 PARTITION OF k FOR "
        "VALUES IN (1); "
        "CREATE TABLE t (a int CONSTRAINT fk REFERENCES k)",
        "CREATE TABLE k2 PARTITION OF k FOR VALUES IN (2)",
        "ALTER TABLE k DETACH PARTITION k2; DROP TABLE k2",
        relation_came("table", "k2", "id"),
        came("constraint", "k2", "k2_pkey"),
        came("index", "k2", "k2_pkey"),
    ),
    "a unique constraint": case(
        T,
        "ALTER TABLE t ADD CONSTRAINT u UNIQUE (a)",
        "ALTER TABLE t DROP CONSTRAINT u",
        came("constraint", "t", "u"),
        came("index", "t", "u"),
    ),
    "a unique constraint that knows NULL": case(
        "CREATE TABLE t (a int CONSTRAINT u UNIQUE)",
        "ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a)",
        "ALTER TABLE t DROP CONSTRAINT u, ADD CONSTRAINT u UNIQUE (a)",
        turned("constraint", "t", "u", "definition"),
        turned("index", "t", "u", "definition"),
        since=15,
    ),
    "a primary key": case(
        "CREATE TABLE t (a int NOT NULL)",
        "ALTER TABLE t ADD CONSTRAINT k PRIMARY KEY (a)",
        "ALTER TABLE t DROP CONSTRAINT k",
        came("constraint", "t", "k"),
        came("index", "t", "k"),
    ),
    "an exclusion": case(
        "CREATE TABLE t (r int4range)",
        "ALTER TABLE t ADD CONSTRAINT x EXCLUDE USING gist (r WITH &&)",
        "ALTER TABLE t DROP CONSTRAINT x",
        came("constraint", "t", "x"),
        came("index", "t", "x"),
    ),
    "a renamed constraint": case(
        "CREATE TABLE t (a int CONSTRAINT c CHECK (a > 0))",
        "ALTER TABLE t RENAME CONSTRAINT c TO d",
        "ALTER TABLE t RENAME CONSTRAINT d TO c",
        went("constraint", "t", "c"),
        came("constraint", "t", "d"),
    ),
}

INDEXES = {
    "an index": case(T, "CREATE INDEX i ON t (a)", "DROP INDEX i", came("index", "t", "i")),
    "a dropped index": case(
        T + "CREATE INDEX i ON t (a)", "DROP INDEX i", "CREATE INDEX i ON t (a)", went("index", "t", "i")
    ),
    "another predicate": case(
        T + "CREATE INDEX i ON t (a) WHERE a > 0",
        "DROP INDEX i; CREATE INDEX i ON t (a) WHERE a > 1",
        "DROP INDEX i; CREATE INDEX i ON t (a) WHERE a > 0",
        turned("index", "t", "i", "definition"),
    ),
    "another expression": case(
        T + "CREATE INDEX i ON t (lower(b))",
        "DROP INDEX i; CREATE INDEX i ON t (upper(b))",
        "DROP INDEX i; CREATE INDEX i ON t (lower(b))",
        turned("index", "t", "i", "definition"),
    ),
    "no longer unique": case(
        T + "CREATE UNIQUE INDEX i ON t (a)",
        "DROP INDEX i; CREATE INDEX i ON t (a)",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)",
        turned("index", "t", "i", "definition"),
    ),
    "an index that knows NULL": case(
        T + "CREATE UNIQUE INDEX i ON t (a)",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT",
        "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)",
        turned("index", "t", "i", "definition"),
        since=15,
    ),
    "an index that becomes valid": case(
        PART + "CREATE INDEX i1 ON t1 (a); CREATE INDEX i ON ONLY t (a)",
        "ALTER INDEX i ATTACH PARTITION i1",
        "DROP INDEX i; CREATE INDEX i1 ON t1 (a); CREATE INDEX i ON ONLY t (a)",
        turned("index", "t", "i", "valid"),
        turned("index", "t1", "i1", "attached to"),
    ),
    "a replica identity": case(
        "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX i ON t (a)",
        "ALTER TABLE t REPLICA IDENTITY USING INDEX i",
        "ALTER TABLE t REPLICA IDENTITY DEFAULT",
        turned("index", "t", "i", "replica identity"),
        turned("table", "t", "t", "replica identity"),
    ),
    "a clustered table": case(
        T + "CREATE INDEX i ON t (a)",
        "ALTER TABLE t CLUSTER ON i",
        "ALTER TABLE t SET WITHOUT CLUSTER",
        turned("index", "t", "i", "clustered"),
    ),
    "a renamed index": case(
        T + "CREATE INDEX i ON t (a)",
        "ALTER INDEX i RENAME TO j",
        "ALTER INDEX j RENAME TO i",
        went("index", "t", "i"),
        came("index", "t", "j"),
    ),
    "statistics": case(
        T, "CREATE STATISTICS st ON a, b FROM t", "DROP STATISTICS st", came("statistics", "t", "st")
    ),
    "a statistics target": case(
        T + "CREATE STATISTICS st ON a, b FROM t",
        "ALTER STATISTICS st SET STATISTICS 500",
        "ALTER STATISTICS st SET STATISTICS -1",
        turned("statistics", "t", "st", "target"),
    ),
}

SEQUENCES = {
    "a sequence": case(
        "", "CREATE SEQUENCE s", "DROP SEQUENCE s", came("sequence", "s", "s"), came("grant", "s", "postgres")
    ),
    "an increment": case(
        SEQUENCE,
        "ALTER SEQUENCE s INCREMENT 2",
        "ALTER SEQUENCE s INCREMENT 1",
        turned("sequence", "s", "s", "increment"),
    ),
    "a maximum": case(
        SEQUENCE,
        "ALTER SEQUENCE s MAXVALUE 1000",
        "ALTER SEQUENCE s NO MAXVALUE",
        turned("sequence", "s", "s", "max"),
    ),
    "a minimum": case(
        SEQUENCE,
        "ALTER SEQUENCE s MINVALUE -5",
        "ALTER SEQUENCE s MINVALUE 1",
        turned("sequence", "s", "s", "min"),
    ),
    "a start": case(
        SEQUENCE,
        "ALTER SEQUENCE s START 5",
        "ALTER SEQUENCE s START 1",
        turned("sequence", "s", "s", "start"),
    ),
    "a cycle": case(
        SEQUENCE, "ALTER SEQUENCE s CYCLE", "ALTER SEQUENCE s NO CYCLE", turned("sequence", "s", "s", "cycle")
    ),
    "a cache": case(
        SEQUENCE,
        "ALTER SEQUENCE s CACHE 9",
        "ALTER SEQUENCE s CACHE 1",
        turned("sequence", "s", "s", "cache"),
    ),
    "a sequence's type": case(
        SEQUENCE,
        "ALTER SEQUENCE s AS int",
        "ALTER SEQUENCE s AS bigint",
        turned("sequence", "s", "s", "type", "max"),
    ),
    "owned by a column": case(
        T + SEQUENCE,
        "ALTER SEQUENCE s OWNED BY t.a",
        "ALTER SEQUENCE s OWNED BY NONE",
        turned("sequence", "s", "s", "owned by"),
    ),
    "where it stands": case(SEQUENCE, "SELECT setval('s', 77)", "SELECT setval('s', 1, false)"),
    "an unlogged sequence": case(
        SEQUENCE,
        "ALTER SEQUENCE s SET UNLOGGED",
        "ALTER SEQUENCE s SET LOGGED",
        turned("sequence", "s", "s", "persistence"),
        since=15,
    ),
}

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


def altered_function(clause: str, back: str, attribute: str) -> Case:
    """A case of ALTER FUNCTION."""
    return case(
        F,
        f"ALTER FUNCTION f {clause}",
        f"ALTER FUNCTION f {back}",
        turned("function", "", "f(integer)", attribute),
    )


ATOMIC = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT {}; END; "
RETURNS = "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql RETURN {}; "
PROCEDURE = "CREATE OR REPLACE PROCEDURE p(x int) LANGUAGE sql AS 'SELECT {}'; "

FUNCTIONS = {
    "a function": case("", F, "DROP FUNCTION f", function_came("f(integer)")),
    "a dropped function": case(F, "DROP FUNCTION f", F, mirror(function_came("f(integer)"))),
    "an overloaded function": case(
        F,
        "CREATE FUNCTION f(x text) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP FUNCTION f(text)",
        function_came("f(text)"),
    ),
    "a body": case(
        F,
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x + 1'",
        "CREATE OR REPLACE FUNCTION f(x int) RETURNS int LANGUAGE sql AS 'SELECT x'",
        turned("function", "", "f(integer)", "body"),
    ),
    "an atomic body": case(
        ATOMIC.format(1), ATOMIC.format(2), ATOMIC.format(1), turned("function", "", "f()", "body"), since=14
    ),
    "a returned body": case(
        RETURNS.format(1),
        RETURNS.format(2),
        RETURNS.format(1),
        turned("function", "", "f()", "body"),
        since=14,
    ),
    "an atomic function's volatility": case(
        ATOMIC.format(1),
        "ALTER FUNCTION f STABLE",
        "ALTER FUNCTION f VOLATILE",
        turned("function", "", "f()", "volatility"),
        since=14,
    ),
    "a volatility": altered_function("STABLE", "VOLATILE", "volatility"),
    "security definer": altered_function("SECURITY DEFINER", "SECURITY INVOKER", "security definer"),
    "strict": altered_function("STRICT", "CALLED ON NULL INPUT", "strict"),
    "leakproof": altered_function("LEAKPROOF", "NOT LEAKPROOF", "leakproof"),
    "parallel": altered_function("PARALLEL SAFE", "PARALLEL UNSAFE", "parallel"),
    "a cost": altered_function("COST 7", "COST 100", "cost"),
    "a setting": altered_function("SET search_path = public", "RESET search_path", "config"),
    "another default argument": case(
        "CREATE FUNCTION f(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT x'",
        "CREATE OR REPLACE FUNCTION f(x int DEFAULT 2) RETURNS int LANGUAGE sql AS 'SELECT x'",
        "CREATE OR REPLACE FUNCTION f(x int DEFAULT 1) RETURNS int LANGUAGE sql AS 'SELECT x'",
        turned("function", "", "f(integer)", "arguments"),
    ),
    "another result": case(
        F,
        "DROP FUNCTION f; CREATE FUNCTION f(x int) RETURNS bigint LANGUAGE sql AS 'SELECT x'",
        "DROP FUNCTION f; " + F,
        turned("function", "", "f(integer)", "result"),
    ),
    "another language": case(
        "SET check_function_bodies = off; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'BEGIN RETURN "
        "1; END'",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
        "SET check_function_bodies = off; CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS "
        "'BEGIN RETURN 1; END'",
        turned("function", "", "f()", "language"),
    ),
    "a procedure": case("", PROCEDURE.format(1), "DROP PROCEDURE p", function_came("p(integer)")),
    "a procedure's body": case(
        PROCEDURE.format(1),
        PROCEDURE.format(2),
        PROCEDURE.format(1),
        turned("function", "", "p(integer)", "body"),
    ),
    "an aggregate": case(
        "",
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "DROP AGGREGATE total(int)",
        function_came("total(integer)"),
    ),
    "what an aggregate starts from": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '5')",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "initial value"),
    ),
    "what an aggregate does": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4larger, stype = int, initcond = '0')",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "state function"),
    ),
    "how an aggregate ends": case(
        f"CREATE AGGREGATE total(int) {INT_SUM}",
        "CREATE OR REPLACE AGGREGATE total(int) (sfunc = int4pl, stype = int, initcond = '0', finalfunc "
        "= int4abs,"
        " combinefunc = int4larger)",
        f"CREATE OR REPLACE AGGREGATE total(int) {INT_SUM}",
        turned("function", "", "total(integer)", "final function", "combine function"),
    ),
    "how many rows to expect": case(
        RICH,
        "ALTER FUNCTION shop.g ROWS 7",
        "ALTER FUNCTION shop.g ROWS 1000",
        turned("function", "", "shop.g(public.mood)", "rows"),
    ),
    "a function's owner": case(
        F,
        "ALTER FUNCTION f OWNER TO schema_owner",
        "ALTER FUNCTION f OWNER TO postgres",
        turned("function", "", "f(integer)", "owner"),
        went("grant", "", "postgres on function f(integer)"),
        came("grant", "", "schema_owner on function f(integer)"),
    ),
}

TRIGGERS = {
    "a trigger": case(
        T + TF,
        "CREATE TRIGGER tr AFTER INSERT ON t EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
    ),
    "a dropped trigger": case(
        TRIGGER,
        "DROP TRIGGER tr ON t",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        went("trigger", "t", "tr"),
    ),
    "another event": case(
        TRIGGER,
        "DROP TRIGGER tr ON t; CREATE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t; CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        turned("trigger", "t", "tr", "definition"),
    ),
    "a disabled trigger": case(
        TRIGGER,
        "ALTER TABLE t DISABLE TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a trigger for replicas": case(
        TRIGGER,
        "ALTER TABLE t ENABLE REPLICA TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a trigger for all": case(
        TRIGGER,
        "ALTER TABLE t ENABLE ALWAYS TRIGGER tr",
        "ALTER TABLE t ENABLE TRIGGER tr",
        turned("trigger", "t", "tr", "enabled"),
    ),
    "a constraint trigger": case(
        T + TF,
        "CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON t DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
    ),
    "a trigger of a partitioned table": case(
        PART + TF,
        "CREATE TRIGGER tr AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf()",
        "DROP TRIGGER tr ON t",
        came("trigger", "t", "tr"),
        came("trigger", "t1", "tr"),
    ),
    "a disabled event trigger": case(
        RICH,
        "ALTER EVENT TRIGGER et DISABLE",
        "ALTER EVENT TRIGGER et ENABLE",
        turned("event trigger", "", "et", "enabled"),
    ),
    "a dropped event trigger": case(
        RICH,
        "DROP EVENT TRIGGER et",
        "CREATE EVENT TRIGGER et ON ddl_command_start WHEN TAG IN ('DROP AGGREGATE') EXECUTE FUNCTION etf()",
        went("event trigger", "", "et"),
    ),
    "a rule": case(
        T, "CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING", "DROP RULE r ON t", came("rule", "t", "r")
    ),
    "another rule": case(
        RULE,
        "CREATE OR REPLACE RULE r AS ON DELETE TO t DO ALSO NOTHING",
        "CREATE OR REPLACE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
        turned("rule", "t", "r", "definition"),
    ),
    "a disabled rule": case(
        RULE,
        "ALTER TABLE t DISABLE RULE r",
        "ALTER TABLE t ENABLE RULE r",
        turned("rule", "t", "r", "enabled"),
    ),
}

ENUM = "CREATE TYPE mood AS ENUM ('sad', 'ok'); "
DOMAIN = "CREATE DOMAIN price AS numeric(10,2) CONSTRAINT positive CHECK (VALUE >= 0); "
COMPOSITE = "CREATE TYPE pair AS (x int, y text); "

TYPES = {
    "an enum": case("", ENUM, "DROP TYPE mood", type_came("enum", "mood")),
    "a label": case(
        ENUM,
        "ALTER TYPE mood ADD VALUE 'so' BEFORE 'ok'",
        "DROP TYPE mood; " + ENUM,
        turned("enum", "", "mood", "labels"),
    ),
    "a renamed label": case(
        ENUM,
        "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'",
        "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'",
        turned("enum", "", "mood", "labels"),
    ),
    "the order of labels": case(
        ENUM,
        "DROP TYPE mood; CREATE TYPE mood AS ENUM ('ok', 'sad')",
        "DROP TYPE mood; " + ENUM,
        turned("enum", "", "mood", "labels"),
    ),
    "a renamed enum": case(
        ENUM + "CREATE TABLE t (m mood)",
        "ALTER TYPE mood RENAME TO humour",
        "ALTER TYPE humour RENAME TO mood",
        mirror(type_came("enum", "mood")),
        type_came("enum", "humour"),
        turned("column", "t", "m", "type"),
    ),
    "a domain": case("", DOMAIN, "DROP DOMAIN price", type_came("domain", "price")),
    "a domain's check": case(
        DOMAIN,
        "ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE < 9)",
        "ALTER DOMAIN price DROP CONSTRAINT small",
        turned("domain", "", "price", "checks"),
    ),
    "a domain's check, validated": case(
        DOMAIN + "ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE < 9) NOT VALID",
        "ALTER DOMAIN price VALIDATE CONSTRAINT small",
        "ALTER DOMAIN price DROP CONSTRAINT small; ALTER DOMAIN price ADD CONSTRAINT small CHECK (VALUE "
        "< 9) NOT VALID",
        turned("domain", "", "price", "checks"),
    ),
    "a domain's default": case(
        DOMAIN,
        "ALTER DOMAIN price SET DEFAULT 3",
        "ALTER DOMAIN price DROP DEFAULT",
        turned("domain", "", "price", "default"),
    ),
    "a domain's not null": case(
        DOMAIN,
        "ALTER DOMAIN price SET NOT NULL",
        "ALTER DOMAIN price DROP NOT NULL",
        turned("domain", "", "price", "not null"),
    ),
    "a domain's base": case(
        DOMAIN,
        "DROP DOMAIN price; CREATE DOMAIN price AS numeric(12,2) CONSTRAINT positive CHECK (VALUE >= 0)",
        "DROP DOMAIN price; " + DOMAIN,
        turned("domain", "", "price", "type"),
    ),
    "a domain's collation": case(
        "CREATE DOMAIN word AS text",
        'DROP DOMAIN word; CREATE DOMAIN word AS text COLLATE "C"',
        "DROP DOMAIN word; CREATE DOMAIN word AS text",
        turned("domain", "", "word", "collation"),
    ),
    "a composite type": case("", COMPOSITE, "DROP TYPE pair", type_came("composite type", "pair")),
    "an attribute": case(
        COMPOSITE,
        "ALTER TYPE pair ADD ATTRIBUTE z int",
        "ALTER TYPE pair DROP ATTRIBUTE z",
        turned("composite type", "", "pair", "attributes"),
    ),
    "an attribute's type": case(
        COMPOSITE,
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE bigint",
        "ALTER TYPE pair ALTER ATTRIBUTE x TYPE int",
        turned("composite type", "", "pair", "attributes"),
    ),
    "a range type": case(
        "", "CREATE TYPE span AS RANGE (subtype = float8)", "DROP TYPE span", type_came("range type", "span")
    ),
    "what a range type is of": case(
        "CREATE TYPE span AS RANGE (subtype = float8)",
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float4)",
        "DROP TYPE span; CREATE TYPE span AS RANGE (subtype = float8)",
        turned("range type", "", "span", "subtype", "operator class"),
    ),
    "an extension": case(
        "", "CREATE EXTENSION hstore", "DROP EXTENSION hstore", came("extension", "", "hstore")
    ),
    "an extension's version": case(
        "CREATE EXTENSION hstore VERSION '1.6'",
        "ALTER EXTENSION hstore UPDATE TO '1.7'",
        "DROP EXTENSION hstore; CREATE EXTENSION hstore VERSION '1.6'",
        turned("extension", "", "hstore", "version"),
    ),
    "an extension's schema": case(
        "CREATE SCHEMA aside; CREATE EXTENSION hstore",
        "ALTER EXTENSION hstore SET SCHEMA aside",
        "ALTER EXTENSION hstore SET SCHEMA public",
        turned("extension", "", "hstore", "schema"),
    ),
    "a member of an extension": case(
        "CREATE EXTENSION hstore; " + F,
        "ALTER EXTENSION hstore ADD FUNCTION f(int)",
        "ALTER EXTENSION hstore DROP FUNCTION f(int)",
        mirror(function_came("f(integer)")),
    ),
    "a schema": case(
        "",
        "CREATE SCHEMA shop",
        "DROP SCHEMA shop",
        came("schema", "", "shop"),
        came("grant", "", "postgres on schema shop"),
    ),
    "another schema": case(
        T, "CREATE SCHEMA aside; CREATE TABLE aside.x (a int)", "DROP SCHEMA aside CASCADE"
    ),
}

POLICIES = {
    "a policy": case(T, "CREATE POLICY p ON t USING (a > 0)", "DROP POLICY p ON t", came("policy", "t", "p")),
    "a dropped policy": case(
        POLICY, "DROP POLICY p ON t", "CREATE POLICY p ON t USING (a > 0)", went("policy", "t", "p")
    ),
    "whom a policy lets see": case(
        POLICY,
        "ALTER POLICY p ON t USING (a > 1)",
        "ALTER POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "using"),
    ),
    "what a policy lets write": case(
        POLICY,
        "ALTER POLICY p ON t WITH CHECK (a > 1)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "with check"),
    ),
    "a policy's roles": case(
        POLICY,
        "ALTER POLICY p ON t TO schema_reader, schema_owner",
        "ALTER POLICY p ON t TO PUBLIC",
        turned("policy", "t", "p", "roles"),
    ),
    "a policy's command": case(
        POLICY,
        "DROP POLICY p ON t; CREATE POLICY p ON t FOR UPDATE USING (a > 0)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "command"),
    ),
    "a restrictive policy": case(
        POLICY,
        "DROP POLICY p ON t; CREATE POLICY p ON t AS RESTRICTIVE USING (a > 0)",
        "DROP POLICY p ON t; CREATE POLICY p ON t USING (a > 0)",
        turned("policy", "t", "p", "permissive"),
    ),
}

GRANTS = {
    "a grant": case(
        T,
        "GRANT SELECT ON t TO schema_reader",
        "REVOKE SELECT ON t FROM schema_reader",
        came("grant", "t", "schema_reader"),
    ),
    "a revoked grant": case(
        GRANTED,
        "REVOKE SELECT ON t FROM schema_reader",
        "GRANT SELECT ON t TO schema_reader",
        went("grant", "t", "schema_reader"),
    ),
    "more than before": case(
        GRANTED,
        "GRANT INSERT, DELETE ON t TO schema_reader",
        "REVOKE INSERT, DELETE ON t FROM schema_reader",
        turned("grant", "t", "schema_reader", "privileges"),
    ),
    "all there is": case(
        GRANTED,
        "GRANT ALL ON t TO schema_reader",
        "REVOKE ALL ON t FROM schema_reader; GRANT SELECT ON t TO schema_reader",
        turned("grant", "t", "schema_reader", "privileges"),
    ),
    "everybody": case(
        T, "GRANT SELECT ON t TO PUBLIC", "REVOKE SELECT ON t FROM PUBLIC", came("grant", "t", "PUBLIC")
    ),
    "a grant option": case(
        GRANTED,
        "GRANT SELECT ON t TO schema_reader WITH GRANT OPTION",
        "REVOKE GRANT OPTION FOR SELECT ON t FROM schema_reader",
        turned("grant", "t", "schema_reader", "with grant option"),
    ),
    "a default written out": case(
        T, "GRANT SELECT ON t TO schema_reader; REVOKE SELECT ON t FROM schema_reader", "SELECT"
    ),
    "taken from the owner": case(
        T,
        "REVOKE DELETE ON t FROM postgres",
        "GRANT DELETE ON t TO postgres",
        turned("grant", "t", "postgres", "privileges"),
    ),
    "a grant on a column": case(
        T,
        "GRANT SELECT (a) ON t TO schema_reader",
        "REVOKE SELECT (a) ON t FROM schema_reader",
        came("grant", "t", "schema_reader on column a"),
    ),
    "more on a column": case(
        T + "GRANT SELECT (a) ON t TO schema_reader",
        "GRANT UPDATE (a) ON t TO schema_reader",
        "REVOKE UPDATE (a) ON t FROM schema_reader",
        turned("grant", "t", "schema_reader on column a", "privileges"),
    ),
    "a grant on a view": case(
        VIEW,
        "GRANT SELECT ON v TO schema_reader",
        "REVOKE SELECT ON v FROM schema_reader",
        came("grant", "v", "schema_reader"),
    ),
    "a grant on a sequence": case(
        SEQUENCE,
        "GRANT USAGE ON SEQUENCE s TO schema_reader",
        "REVOKE USAGE ON SEQUENCE s FROM schema_reader",
        came("grant", "s", "schema_reader"),
    ),
    "a grant on a function": case(
        F,
        "GRANT EXECUTE ON FUNCTION f TO schema_reader",
        "REVOKE EXECUTE ON FUNCTION f FROM schema_reader",
        came("grant", "", "schema_reader on function f(integer)"),
    ),
    "taken from everybody": case(
        F,
        "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC",
        "GRANT EXECUTE ON FUNCTION f TO PUBLIC",
        went("grant", "", "PUBLIC on function f(integer)"),
    ),
    "a grant on a schema": case(
        "CREATE SCHEMA shop",
        "GRANT USAGE ON SCHEMA shop TO schema_reader",
        "REVOKE USAGE ON SCHEMA shop FROM schema_reader",
        came("grant", "", "schema_reader on schema shop"),
    ),
    "more on a schema": case(
        "CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO schema_reader",
        "GRANT CREATE ON SCHEMA shop TO schema_reader",
        "REVOKE CREATE ON SCHEMA shop FROM schema_reader",
        turned("grant", "", "schema_reader on schema shop", "privileges"),
    ),
    "rights of what is to come": case(
        "CREATE SCHEMA shop",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT ON TABLES TO schema_reader",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE SELECT ON TABLES FROM schema_reader",
        came("default privileges", "", "tables of postgres in schema shop"),
    ),
    "no rights for what is to come": case(
        "",
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
        came("default privileges", "", "functions of postgres"),
    ),
    "more rights of what is to come": case(
        RICH,
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT INSERT ON TABLES TO schema_owner WITH GRANT OPTION",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA shop REVOKE INSERT ON TABLES FROM schema_owner",
        turned("default privileges", "", "tables of postgres in schema shop", "grants"),
    ),
    "a table's owner": case(
        T, "ALTER TABLE t OWNER TO schema_owner", "ALTER TABLE t OWNER TO postgres", owned("table", "t")
    ),
    "a view's owner": case(
        VIEW, "ALTER VIEW v OWNER TO schema_owner", "ALTER VIEW v OWNER TO postgres", owned("view", "v")
    ),
    "a materialized view's owner": case(
        T + "CREATE MATERIALIZED VIEW v AS SELECT a FROM t",
        "ALTER MATERIALIZED VIEW v OWNER TO schema_owner",
        "ALTER MATERIALIZED VIEW v OWNER TO postgres",
        owned("materialized view", "v"),
    ),
    "a sequence's owner": case(
        SEQUENCE,
        "ALTER SEQUENCE s OWNER TO schema_owner",
        "ALTER SEQUENCE s OWNER TO postgres",
        owned("sequence", "s"),
    ),
    "a schema's owner": case(
        "CREATE SCHEMA shop",
        "ALTER SCHEMA shop OWNER TO schema_owner",
        "ALTER SCHEMA shop OWNER TO postgres",
        turned("schema", "", "shop", "owner"),
        went("grant", "", "postgres on schema shop"),
        came("grant", "", "schema_owner on schema shop"),
    ),
}

_OWNED_TYPES = {
    "enum mood": ("TYPE mood", "enum", "mood"),
    "domain price": ("DOMAIN price", "domain", "price"),
    "composite type pair": ("TYPE pair", "composite type", "pair"),
    "range type span": ("TYPE span", "range type", "span"),
}

OWNERS = {
    f"the owner of {what}": case(
        RICH,
        f"ALTER {sql} OWNER TO schema_owner",
        f"ALTER {sql} OWNER TO postgres",
        turned(kind, "", name, "owner"),
        went("grant", "", f"postgres on type {name}"),
        came("grant", "", f"schema_owner on type {name}"),
    )
    for what, (sql, kind, name) in _OWNED_TYPES.items()
} | {
    "the owner of statistics": case(
        RICH,
        "ALTER STATISTICS st OWNER TO schema_owner",
        "ALTER STATISTICS st OWNER TO postgres",
        turned("statistics", "t", "st", "owner"),
    ),
    "the owner of an event trigger": case(
        RICH + "ALTER ROLE schema_super SUPERUSER",
        "ALTER EVENT TRIGGER et OWNER TO schema_super",
        "ALTER EVENT TRIGGER et OWNER TO postgres",
        turned("event trigger", "", "et", "owner"),
    ),
}

_COMMENTED = {
    "SCHEMA shop": ("schema", "", "shop"),
    "EXTENSION plpgsql": ("extension", "", "plpgsql"),
    "TABLE shop.p": ("table", "shop.p", "shop.p"),
    "FOREIGN TABLE ft": ("table", "ft", "ft"),
    "COLUMN t.b": ("column", "t", "b"),
    "COLUMN v.a": ("column", "v", "a"),
    "CONSTRAINT t_a ON t": ("constraint", "t", "t_a"),
    "INDEX t_some": ("index", "t", "t_some"),
    "TRIGGER tr ON t": ("trigger", "t", "tr"),
    "RULE r ON t": ("rule", "t", "r"),
    "POLICY pol ON t": ("policy", "t", "pol"),
    "STATISTICS st": ("statistics", "t", "st"),
    "SEQUENCE s": ("sequence", "s", "s"),
    "VIEW v": ("view", "v", "v"),
    "MATERIALIZED VIEW mv": ("materialized view", "mv", "mv"),
    "FUNCTION f(int)": ("function", "", "f(integer)"),
    "PROCEDURE pr(int)": ("function", "", "pr(integer)"),
    "AGGREGATE total(int)": ("function", "", "total(integer)"),
    "TYPE mood": ("enum", "", "mood"),
    "DOMAIN price": ("domain", "", "price"),
    "TYPE pair": ("composite type", "", "pair"),
    "TYPE span": ("range type", "", "span"),
    "EVENT TRIGGER et": ("event trigger", "", "et"),
}

COMMENTS = {
    f"a comment on {what}": case(
        RICH + f"COMMENT ON {what} IS 'old'",
        f"COMMENT ON {what} IS 'new'",
        f"COMMENT ON {what} IS 'old'",
        turned(*key, "comment"),
    )
    for what, key in _COMMENTED.items()
} | {
    "a comment taken away": case(
        RICH,
        "COMMENT ON TABLE t IS NULL",
        "COMMENT ON TABLE t IS 'a table'",
        turned("table", "t", "t", "comment"),
    )
}

CASES: dict[str, Case] = {
    **COLUMNS,
    **FACTS,
    **CONSTRAINTS,
    **INDEXES,
    **SEQUENCES,
    **TABLES,
    **VIEWS,
    **FUNCTIONS,
    **TRIGGERS,
    **TYPES,
    **POLICIES,
    **GRANTS,
    **OWNERS,
    **COMMENTS,
}
"""Read with the schemas public and shop."""
