"""DDL whose texts servers print from trees, for test_printed: one of every way to write a view, a check, a
default, …
"""

from __future__ import annotations

TABLES = """
CREATE SCHEMA shop;
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE t (
    id int PRIMARY KEY, name text, status varchar(20), amount numeric(12,2), at timestamptz, d date, j jsonb, arr int[],
    tags text[], m mood, p pair, flag boolean, "Order" int, c char(5), f float8, r int4range, iv interval, vs varchar(9)[]);
CREATE TABLE shop.u (id int PRIMARY KEY, t_id int, v numeric, name text, at timestamptz);
CREATE TABLE w (id int, t_id int, k text);
CREATE TABLE new (a int, b text);
CREATE FUNCTION plus(a int, b int DEFAULT 5) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b';
CREATE FUNCTION rows_of(n int) RETURNS TABLE (a int, b text) LANGUAGE sql STABLE AS $$SELECT 1, 'x'::text$$;
CREATE FUNCTION many(VARIADIC a int[]) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);
CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
"""

VIEWS = (
    "SELECT name, count(*) FROM t GROUP BY name",
    "SELECT id, name FROM t WHERE amount > 5 AND status IN ('a', 'b')",
    "SELECT t.id, u.v FROM t JOIN shop.u ON u.t_id = t.id",
    "SELECT * FROM t",
    "SELECT id AS a, name AS b FROM t q ORDER BY q.name DESC NULLS LAST LIMIT 5 OFFSET 2",
    (
        "SELECT a.id, (SELECT max(v) FROM shop.u WHERE u.t_id = a.id) FROM t a WHERE EXISTS (SELECT FROM w "
        "WHERE w.id = a.id)"
    ),
    "WITH s AS (SELECT id, sum(amount) AS am FROM t GROUP BY id) SELECT id, am FROM s WHERE am > 3",
    "SELECT id FROM t UNION SELECT id FROM shop.u",
    "SELECT id FROM t UNION ALL SELECT id FROM shop.u ORDER BY 1",
    "SELECT id FROM t INTERSECT (SELECT id FROM shop.u EXCEPT SELECT id FROM w ORDER BY id LIMIT 1)",
    (
        "SELECT id, row_number() OVER (PARTITION BY status ORDER BY at DESC), sum(amount) OVER w FROM t "
        "WINDOW w AS (ORDER BY id)"
    ),
    "SELECT extract(year FROM at), at AT TIME ZONE 'UTC' AS z, d + 1 AS d1, at - interval '1 day' AS y FROM t",
    (
        "SELECT coalesce(name, 'x'), nullif(status, 'a'), greatest(id, 3), CASE WHEN flag THEN 1 ELSE 2 "
        "END AS w, "
        "CASE status WHEN 'a' THEN 'A' END AS cc FROM t"
    ),
    "SELECT j->'a'->>'b' AS jb, j @> '{\"a\":1}' AS h, j ? 'k' AS k, j #>> '{a,b}' AS p FROM t",
    "SELECT arr[1], arr[1:2] AS sl, 3 = ANY (arr) AS an, unnest(tags) FROM t",
    "SELECT (p).x, (p).y, p FROM t",
    "SELECT t FROM t",
    "SELECT row_to_json(t), to_jsonb(t.*) FROM t",
    'SELECT "Order", "Order" + 1 AS "Next One" FROM t WHERE "Order" IS NOT NULL',
    "SELECT DISTINCT status FROM t",
    "SELECT DISTINCT ON (status) status, id FROM t ORDER BY status, id DESC",
    (
        "SELECT status, count(*) FILTER (WHERE flag), string_agg(name, ',' ORDER BY name) FROM t GROUP "
        "BY status "
        "HAVING count(*) > 1"
    ),
    "SELECT status, m, sum(amount), grouping(m) FROM t GROUP BY GROUPING SETS ((status, m), (status), ())",
    "SELECT status, m, sum(amount) FROM t GROUP BY ROLLUP (status, m)",
    "SELECT s.id FROM (SELECT id, name FROM t WHERE flag) s WHERE s.name = 'x'",
    "SELECT t.id, l.v FROM t, LATERAL (SELECT v FROM shop.u WHERE u.t_id = t.id LIMIT 1) l",
    "SELECT t.id, u.v FROM t LEFT JOIN shop.u USING (id)",
    "SELECT id, v FROM t NATURAL JOIN (SELECT id, v FROM shop.u) z",
    "SELECT id, x FROM (VALUES (1, 'a'), (2, 'b')) AS z(id, x)",
    "VALUES (1, 'a'), (2, 'b')",
    "SELECT g FROM generate_series(1, 10) g",
    "SELECT a, b FROM rows_of(3)",
    "SELECT s.a, s.ordinality FROM rows_of(3) WITH ORDINALITY s",
    "SELECT * FROM ROWS FROM (generate_series(1, 3), rows_of(1)) AS z(a, b, c)",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 10) SELECT n FROM r",
    (
        "WITH RECURSIVE r AS (SELECT id, t_id FROM w UNION ALL SELECT w.id, w.t_id FROM w JOIN r ON "
        "w.t_id = r.id) "
        "CYCLE id SET cyc USING path SELECT id, cyc FROM r"
    ),
    "SELECT id FROM t TABLESAMPLE BERNOULLI (10) REPEATABLE (3)",
    "SELECT id FROM ONLY t FOR UPDATE SKIP LOCKED",
    "SELECT id FROM t ORDER BY id FETCH FIRST 5 ROWS WITH TIES",
    (
        "SELECT overlay(name PLACING 'x' FROM 2 FOR 1), substring(name FROM 1 FOR 2), position('a' IN name), "
        "trim(name) FROM t"
    ),
    (
        "SELECT substring(name SIMILAR 'a#\"b#\"c' ESCAPE '#'), normalize(name), name IS NORMALIZED, "
        "collation for (name) FROM t"
    ),
    "SELECT current_date, current_timestamp(3), current_user, id FROM t",
    (
        "SELECT id === 3 AS e, -id AS neg, @ id AS ab, NOT flag AS nf, flag IS NOT TRUE AS nt, name IS "
        "DISTINCT FROM 'x' AS i FROM t"
    ),
    'SELECT name COLLATE "C" AS nc FROM t ORDER BY name COLLATE "C"',
    "SELECT plus(id), plus(a => id, b => 3) AS q, many(1, 2, id), many(VARIADIC arr) AS r FROM t",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY f), mode() WITHIN GROUP (ORDER BY status) FROM t",
    (
        "SELECT id IN (SELECT t_id FROM shop.u), (id, name) IN (SELECT t_id, name FROM shop.u) AS b, "
        "ARRAY(SELECT v FROM shop.u) FROM t"
    ),
    (
        "SELECT ROW(id, name)::pair, (id, name) > (1, 'a') AS q, ARRAY[ARRAY[1], ARRAY[id]] AS r, "
        "ARRAY[]::int[] AS s FROM t"
    ),
    (
        "SELECT 1::numeric(10,2) a, 1.50 c, -5 d, 'a''b' f, E'a\\\\b\\n' g, B'101' h, NULL::int n, "
        "'{1,2}'::int[] r, 'ok'::mood m"
    ),
    "SELECT a.id FROM t a JOIN (shop.u b JOIN w c ON c.t_id = b.id) ON b.t_id = a.id CROSS JOIN w f",
    (
        "SELECT id FROM t WHERE id IN (1,2) AND status NOT IN ('p','q') AND m IN ('sad') AND c IN ('q','r') "
        "AND amount IN (1,2.5)"
    ),
    "SELECT max(id) OVER (ORDER BY id RANGE BETWEEN 2 PRECEDING AND 3 FOLLOWING EXCLUDE TIES) FROM t",
    "SELECT id, (SELECT count(*) FROM t) AS n FROM t",
    "SELECT id AS name, name AS id FROM t ORDER BY t.name, t.id",
    "SELECT upper(name) AS un, count(*) FROM t GROUP BY upper(name) ORDER BY upper(name)",
    (
        "SELECT a.status FROM t a GROUP BY a.status HAVING sum(a.amount) > (SELECT avg(amount) FROM t b "
        "WHERE b.status = a.status)"
    ),
    "SELECT upper(name) FROM t AS upper",
    "SELECT m = 'ok'::mood AS ok FROM t shop WHERE plus(shop.id) = 3",
    "SELECT x.id FROM (SELECT id FROM t UNION ALL SELECT id FROM w) x",
    "SELECT id, name FROM t GROUP BY id",
    "SELECT id FROM t WHERE (at, at) OVERLAPS (now(), now()) AND tags && ARRAY['x','y'] AND iv < '1 day'",
    "WITH a AS MATERIALIZED (SELECT id FROM t), b AS (SELECT a.id FROM a) SELECT a.id, b.id AS bid FROM a, b",
    "SELECT a FROM new WHERE b IS NOT NULL",
    "SELECT new.a FROM new, t WHERE new.a = t.id",
    "TABLE w",
    "SELECT status = ANY (ARRAY['a'::varchar, name]) AS s, status IN (upper(name), 'b') AS i FROM t",
    "SELECT status IN ('a', name || 'b', tags[1]) AS s, ARRAY['a', 'b']::varchar(3)[] AS v FROM t",
    "SELECT tags @> ARRAY[ARRAY['a', 'b'], ARRAY['c', name]] AS n, status = ANY (vs) AS o FROM t",
)
"""Queries of views. Where 15 and 18 print one in two ways, ``printed`` must know both."""

OTHERS = """
ALTER TABLE t ADD CONSTRAINT c1 CHECK (status IN ('a', 'b', 'c')), ADD CONSTRAINT c2 CHECK (status <> ALL (ARRAY['x', 'y'])),
    ADD CONSTRAINT c3 CHECK (name ~ '^[a-z]+$' AND name NOT LIKE 'a%' AND name ILIKE '%b' OR amount IS NULL),
    ADD COLUMN g int GENERATED ALWAYS AS (id * 2 + CASE WHEN status IN ('a', 'b') THEN 1 ELSE 0 END) STORED;
CREATE TABLE x (r int4range, k text, EXCLUDE USING gist (r WITH &&) WHERE (k IN ('a', 'b')));
CREATE MATERIALIZED VIEW mv AS SELECT status, sum(amount) FROM t WHERE status IN ('a', 'b') GROUP BY status;
CREATE VIEW guarded WITH (security_barrier, check_option = local) AS SELECT id, name FROM t WHERE id > 3;
CREATE RULE r1 AS ON INSERT TO guarded DO INSTEAD INSERT INTO t (id, name) VALUES (NEW.id, NEW.name);
CREATE RULE r2 AS ON UPDATE TO guarded WHERE NEW.id > 3 DO ALSO
    (UPDATE t SET name = NEW.name WHERE id = OLD.id; DELETE FROM w WHERE w.id = OLD.id);
CREATE RULE r3 AS ON DELETE TO w DO ALSO INSERT INTO shop.u SELECT id, id FROM t WHERE id = OLD.id;
CREATE POLICY p1 ON t USING (status IN ('a', 'b') AND id IN (SELECT t_id FROM shop.u WHERE v > 3))
    WITH CHECK (EXISTS (SELECT FROM shop.u WHERE u.t_id = t.id));
CREATE POLICY p2 ON w USING (k = current_user AND id = (SELECT max(id) FROM t));
CREATE INDEX i1 ON t (lower(name), (id + 1), status text_pattern_ops DESC NULLS LAST) INCLUDE (amount)
    WHERE status IN ('a', 'b') AND flag;
CREATE INDEX i2 ON t USING gin (tags) WITH (fastupdate = off);
CREATE INDEX i3 ON t ((j->>'a')) WHERE (j->>'b')::int = 3;
CREATE STATISTICS st ON name, status, (lower(name)), (id % 3) FROM t;
CREATE TRIGGER tr BEFORE UPDATE OF name ON t FOR EACH ROW WHEN (OLD.status IN ('a', 'b') AND NEW.name IS DISTINCT FROM OLD.name)
    EXECUTE FUNCTION tf('x', 1);
CREATE TABLE part (k int, s text) PARTITION BY RANGE (k, lower(s));
CREATE TABLE part1 PARTITION OF part FOR VALUES FROM (1, 'a') TO (9, MAXVALUE);
CREATE TABLE listed (s varchar(3)) PARTITION BY LIST (s);
CREATE TABLE listed1 PARTITION OF listed FOR VALUES IN ('a', NULL);
CREATE TABLE timed (k timestamptz) PARTITION BY RANGE (k);
CREATE TABLE timed1 PARTITION OF timed FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE DOMAIN word AS varchar(9) DEFAULT 'abc' CHECK (VALUE IN ('abc', 'def')) CHECK (length(VALUE) > 1);
CREATE FUNCTION atomic(n int, s varchar DEFAULT 'q') RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM t WHERE id > n AND status IN ('a', 'b'); END;
CREATE FUNCTION wide(n int) RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC
    UPDATE w SET k = 'x' WHERE id = n; SELECT * FROM t WHERE name = (SELECT k FROM w LIMIT 1); END;
CREATE FUNCTION returns_it(a int, b varchar = 'q') RETURNS boolean LANGUAGE sql
    RETURN a > 3 AND b IN ('x', 'y') AND EXISTS (SELECT FROM t WHERE id = a);
CREATE TABLE defaults (a text DEFAULT 'x'::varchar(5), b int DEFAULT (1 + 2) * 3, c timestamptz DEFAULT now() + interval '1 day',
    d text[] DEFAULT ARRAY['a', 'b']::varchar[], f numeric DEFAULT -1.5, h text DEFAULT (current_user || '@' || 'x'),
    i boolean DEFAULT ('a'::varchar IN ('a', 'b')), k text DEFAULT concat('a', 'b'::char(3)));
"""
"""Everything else that is printed from a tree."""

GRANTS = """
GRANT ALL ON t TO schema_reader; GRANT ALL ON shop.u TO schema_reader WITH GRANT OPTION; GRANT SELECT, INSERT ON w TO PUBLIC;
GRANT ALL (id) ON t TO schema_owner; GRANT ALL ON SCHEMA shop TO schema_owner; REVOKE DELETE ON new FROM postgres;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO schema_reader;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT ALL ON TABLES TO schema_owner WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA shop GRANT SELECT, INSERT ON TABLES TO PUBLIC;
"""

EVERYTHING = (
    TABLES
    + "".join(f"CREATE VIEW v{number} AS {query};\n" for number, query in enumerate(VIEWS))
    + OTHERS
    + GRANTS
)

_ATOMIC = (
    "CREATE OR REPLACE FUNCTION atomic(n int, s varchar DEFAULT '{}') RETURNS bigint LANGUAGE sql "
    "BEGIN ATOMIC SELECT count(*) FROM t WHERE id {} n AND status IN ('a', 'b'); END"
)
_INDEX = (
    "DROP INDEX i1; CREATE INDEX i1 ON t (lower(name), (id + 1), status text_pattern_ops DESC NULLS "
    "LAST) INCLUDE (amount)"
)
_RULE = "DROP RULE r3 ON w; CREATE RULE r3 AS ON DELETE TO w DO ALSO INSERT INTO shop.u SELECT id, id FROM t"

CHANGES = {
    "CREATE OR REPLACE VIEW v1 AS SELECT id, name FROM t WHERE amount > 50 AND status IN ('a', 'b')": (
        "view",
        "v1",
        "v1",
    ),
    "CREATE OR REPLACE VIEW v1 AS SELECT id, name FROM t WHERE amount > 5 OR status IN ('a', 'b')": (
        "view",
        "v1",
        "v1",
    ),
    "CREATE OR REPLACE VIEW v53 AS SELECT id AS name, name AS id FROM t ORDER BY t.id, t.name": (
        "view",
        "v53",
        "v53",
    ),
    "ALTER TABLE t DROP CONSTRAINT c1, ADD CONSTRAINT c1 CHECK (status IN ('a', 'b', 'd'))": (
        "constraint",
        "t",
        "c1",
    ),
    "ALTER TABLE t DROP CONSTRAINT c1, ADD CONSTRAINT c1 CHECK (status NOT IN ('a', 'b', 'c'))": (
        "constraint",
        "t",
        "c1",
    ),
    _INDEX + " WHERE status IN ('a', 'b') AND NOT flag": ("index", "t", "i1"),
    "ALTER POLICY p2 ON w USING (k = current_user AND id = (SELECT min(id) FROM t))": ("policy", "w", "p2"),
    "ALTER TABLE defaults ALTER f SET DEFAULT 1.5": ("column", "defaults", "f"),
    _ATOMIC.format("q", ">="): ("function", "", "atomic(integer, character varying)"),
    _ATOMIC.format("r", ">"): ("function", "", "atomic(integer, character varying)"),
    _RULE + " WHERE id = OLD.t_id": ("rule", "w", "r3"),
}
"""What is altered after EVERYTHING was dumped and restored, and the only object that then differs."""
