"""A database full of ways to reach a volatile function, and one assertion asked of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from conftest import Server
from helpers import assertion, folder_results, write_suite

from kisaan_validate.facts.result import Result

EVIL = """
CREATE FUNCTION evil(integer DEFAULT 1) RETURNS integer LANGUAGE plpgsql VOLATILE AS
  $$ BEGIN RAISE EXCEPTION 'evil ran' USING ERRCODE = 'KV001'; END $$;
"""


SCHEMA = f"""
CREATE TABLE t (id integer PRIMARY KEY, a integer, s text, j jsonb, at timestamptz);
INSERT INTO t VALUES (1, 1, 'x', '{{}}', now()), (2, NULL, NULL, NULL, NULL);
CREATE TABLE kid (id integer PRIMARY KEY, t_id integer, n integer);
INSERT INTO kid VALUES (1, 1, 1);
CREATE SEQUENCE numbers;
{EVIL}
CREATE FUNCTION "Évil Name"(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE FUNCTION shrewd(a integer, b integer DEFAULT evil(2)) RETURNS integer LANGUAGE sql STABLE AS 'SELECT $1';
CREATE FUNCTION {"e" * 63}(integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE FUNCTION row_evil(t) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE FUNCTION any_evil(anyelement, integer DEFAULT 0) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE FUNCTION step(integer, integer) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil($1)';
CREATE AGGREGATE evil_sum(integer) (SFUNC = step, STYPE = integer, INITCOND = '0');
CREATE OPERATOR <+> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = step);
CREATE OPERATOR #> (LEFTARG = integer, RIGHTARG = integer, FUNCTION = step);
CREATE TYPE coin AS (n integer);
CREATE FUNCTION melt(coin) RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT evil(1)';
CREATE CAST (coin AS integer) WITH FUNCTION melt(coin);
CREATE FUNCTION mint(integer) RETURNS coin LANGUAGE sql VOLATILE AS 'SELECT ROW(evil(1))::coin';
CREATE CAST (integer AS coin) WITH FUNCTION mint(integer);
CREATE DOMAIN guarded AS integer CHECK (evil(VALUE) > 0);
CREATE TYPE purse AS (inside guarded);
CREATE VIEW peep AS SELECT id, evil(a) AS a FROM t;
CREATE VIEW peep_again AS SELECT * FROM peep;
CREATE VIEW fine AS SELECT id, upper(s) AS s FROM t WHERE at < now();
CREATE VIEW "Odd.View" AS SELECT id, evil(a) AS a FROM t;
"""


def trapped(server: Server) -> Iterator[str]:
    """The database of traps, dropped afterwards: for a fixture of a module."""
    name = server.create(SCHEMA)
    yield name
    server.drop(name)


def asked(server: Server, database: str, folder: Path, sql: str, **header: str) -> Result:
    """The result of one assertion file."""
    write_suite(folder, {"sql/a.sql": assertion(sql, **header)})
    return folder_results(server, database, folder)["t.assertion"]


def asked_together(
    server: Server, database: str, folder: Path, assertions: Mapping[str, str]
) -> dict[str, Result]:
    """The results of many assertions by their names, from one run of one suite."""
    files = {f"sql/{n}.sql": assertion(sql, id=f"t.n{n}") for n, sql in enumerate(assertions.values())}
    found = folder_results(server, database, write_suite(folder, files))
    return {name: found[f"t.n{n}"] for n, name in enumerate(assertions)}
