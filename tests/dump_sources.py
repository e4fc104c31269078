"""A database with a bit of everything that pg_dump writes, and dumps of it in every form."""

from __future__ import annotations

import subprocess
from pathlib import Path

from conftest import SYSTEM_BIN, Server
from dumps import _embedded

EVERYTHING = r"""
CREATE SCHEMA s;
CREATE EXTENSION citext;
CREATE TYPE s.mood AS ENUM ('a', 'b');
CREATE DOMAIN s.pos AS int CHECK (value > 0);
CREATE TABLE customers(id serial PRIMARY KEY, name text, c citext, b bytea, n numeric, f float8, bits bit(3),
    ok bool, m s.mood);
INSERT INTO customers(name, c, b, n, f, bits, ok, m) VALUES
    ('it''s', 'X', '\x00ff', 1.5, 1e-7, b'101', true, 'a'),
    (E'back\\slash\nnew\ttab', NULL, NULL, 'NaN', 'Infinity', NULL, false, 'b'),
    ('\! touch /tmp/never', 'q', '', -1, -2, NULL, NULL, NULL);
CREATE TABLE s.events(id bigint, at timestamptz, t text) PARTITION BY RANGE (at);
CREATE TABLE s.e1 PARTITION OF s.events FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE s.e2 PARTITION OF s.events FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO s.events SELECT g, '2020-06-01'::timestamptz + g * interval '5 days', 'row ' || g
    FROM generate_series(1, 100) g;
CREATE TABLE no_columns(); INSERT INTO no_columns DEFAULT VALUES;
CREATE TABLE no_rows(a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS (1) STORED);
CREATE TABLE parent(a int); CREATE TABLE child(b int) INHERITS (parent);
INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3);
CREATE FUNCTION f(i int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN
/*
\! touch /tmp/never
*/
RETURN i; -- ; $x$
END $f$;
CREATE FUNCTION g(i int) RETURNS int LANGUAGE sql
    BEGIN ATOMIC SELECT CASE WHEN i > 1 THEN 2 ELSE 3 END; SELECT 4; END;
CREATE PROCEDURE p() LANGUAGE plpgsql AS 'begin null; end';
CREATE VIEW v AS SELECT id, name || '\' AS x, 'a;b' AS "semi;colon" FROM customers;
CREATE MATERIALIZED VIEW mv AS SELECT count(*) FROM customers;
CREATE RULE r AS ON INSERT TO v DO INSTEAD (INSERT INTO parent VALUES (1); INSERT INTO parent VALUES (2));
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';
CREATE TRIGGER tr BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION tf();
CREATE CONSTRAINT TRIGGER ct AFTER INSERT ON parent DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tf();
ALTER TABLE customers ENABLE ROW LEVEL SECURITY; CREATE POLICY pol ON customers TO {0}_a USING (true);
GRANT SELECT ON customers TO {0}_a, {0}_b WITH GRANT OPTION; ALTER TABLE s.e1 OWNER TO {0}_b;
ALTER DEFAULT PRIVILEGES FOR ROLE {0}_a GRANT SELECT ON TABLES TO {0}_b;
COMMENT ON TABLE customers IS E'a comment; with \nnewline';
CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'begin end';
CREATE EVENT TRIGGER et ON ddl_command_start EXECUTE FUNCTION ev();
CREATE PUBLICATION pub FOR TABLE customers;
CREATE FOREIGN DATA WRAPPER fw; CREATE SERVER srv FOREIGN DATA WRAPPER fw;
CREATE USER MAPPING FOR {0}_a SERVER srv OPTIONS (password 'hunter2'); CREATE FOREIGN TABLE ft(a int) SERVER srv;
CREATE VIEW over_ft AS SELECT * FROM ft;
CREATE STATISTICS st ON id, name FROM customers;
CREATE INDEX ix ON customers (lower(name));
CREATE AGGREGATE agg(int) (SFUNC = int4pl, STYPE = int);
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE CAST (text AS s.mood) WITH INOUT;
CREATE COLLATION col FROM "C";
CREATE TEXT SEARCH CONFIGURATION tsc (COPY = simple);
CREATE FUNCTION untrusted(cstring) RETURNS int LANGUAGE internal STRICT AS 'int4in';
ALTER TABLE customers ADD CONSTRAINT uq UNIQUE (name);
SELECT lo_from_bytea(4242, '\x0102'), lo_from_bytea(4243, 'hello world');
CREATE TABLE "we;ird""name
\! x"("a;b" int); INSERT INTO "we;ird""name
\! x" VALUES (5);
"""

ROWS = 107
"""In all tables of it."""

LEFT_OUT = {
    ("event trigger", "et"),
    ("publication", "pub"),
    ("foreign data wrapper", "fw"),
    ("server", "srv"),
    ("user mapping", "{0}_a"),
    ("foreign table", "public.ft"),
    ("view", "public.over_ft"),
    ("function", "public.untrusted"),
}
"""What a restore leaves out of it."""

SMALL = """
CREATE TABLE t(id int PRIMARY KEY, name text); INSERT INTO t VALUES (1, 'one'), (2, 'two');
CREATE TABLE u(id int); SELECT lo_from_bytea(77, 'large');
"""


def program(server_name: str, name: str) -> str:
    """pg_dump and others of a server by the name of its fixture."""
    return str((_embedded().parent if server_name == "server" else SYSTEM_BIN) / name)


def everything(server: Server) -> str:
    """A database with everything; its roles begin with its name."""
    name = server.create()
    server.sql(f"CREATE ROLE {name}_a; CREATE ROLE {name}_b")
    server.sql(EVERYTHING.replace("{0}", name), name)
    return name


def dump(server: Server, server_name: str, database: str, out: Path, *options: str) -> Path:
    """A dump by the pg_dump of the same version."""
    words = [program(server_name, "pg_dump"), *options, "-f", str(out), server.dsn(database)]
    subprocess.run(words, check=True, capture_output=True)
    return out
