"""What a case is, what changes it speaks of, and the DDL that many cases begin with."""

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
