"""Rows of another server: not judged unless the suite names them, and then said to be foreign everywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from conftest import Server
from gates import by_id
from helpers import measuring, settings

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Evidence, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.run import run
from kisaan_validate.report.formats import find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import suite_of
from kisaan_validate.verdict.judgement import judge

REMOTE = """
    CREATE TABLE inv (id int PRIMARY KEY, amount int, tenant text);
    INSERT INTO inv SELECT g, CASE WHEN g % 10 = 0 THEN -1 ELSE g END, CASE WHEN g % 10 = 0 THEN 'b' ELSE 'a' END
    FROM generate_series(1, 1000) AS g;
    ALTER TABLE inv ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON inv USING (tenant = 'a');
    GRANT SELECT ON inv TO app; CREATE SEQUENCE sq; GRANT USAGE ON SEQUENCE sq TO app;
    CREATE VIEW inv_s AS SELECT id, amount, nextval('public.sq') AS s FROM inv; GRANT SELECT ON inv_s TO app;
"""
LOCAL = """
    CREATE EXTENSION postgres_fdw;
    CREATE SERVER r FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '{host}', port '{port}', dbname '{remote}');
    CREATE USER MAPPING FOR PUBLIC SERVER r OPTIONS (user 'app', password_required 'false');
    CREATE FOREIGN TABLE inv (id int, amount int, tenant text) SERVER r;
    CREATE FOREIGN TABLE inv_s (id int, amount int, s bigint) SERVER r;
    CREATE TABLE parts (id int, amount int, tenant text) PARTITION BY RANGE (id);
    CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (2000) TO (3000);
    CREATE FOREIGN TABLE parts_2 PARTITION OF parts FOR VALUES FROM (1) TO (2000) SERVER r OPTIONS (table_name 'inv');
    CREATE TABLE mother (id int, amount int, tenant text);
    CREATE FOREIGN TABLE child () INHERITS (mother) SERVER r OPTIONS (table_name 'inv');
    CREATE VIEW seen AS SELECT * FROM inv; CREATE VIEW seen_twice AS SELECT * FROM seen WHERE id > 5;
    CREATE VIEW seen_part AS SELECT count(*) AS n FROM parts;
    CREATE MATERIALIZED VIEW stored AS SELECT id, amount FROM inv;
    CREATE TABLE own (id int PRIMARY KEY, amount int); INSERT INTO own VALUES (1, 1); CREATE VIEW seen_own AS TABLE own;
"""
FOREIGN = ("inv", "inv_s", "parts", "parts_2", "mother", "child", "seen", "seen_twice", "seen_part")
LOCAL_ROWS = ("own", "seen_own", "stored", "parts_1")


@pytest.fixture(scope="module")
def near(server: Server) -> Iterator[tuple[Server, str]]:
    """A database with foreign tables in all their forms, whose rows lie in another one."""
    server.sql("CREATE ROLE app LOGIN")
    remote = server.create(REMOTE)
    name = server.create(LOCAL.format(host=server.host, port=server.port, remote=remote))
    yield server, name
    server.drop(name)
    server.drop(remote)
    server.sql("DROP ROLE app")


def asked(near: tuple[Server, str], *names: str, foreign: tuple[str, ...] = (), **options: object) -> Run:
    """A run with a check of every form on each of these relations."""
    checks = [
        check
        for name in names
        for check in (
            d.row_count(name, high=5000, id=f"{name}.rows"),
            d.unique(name, "n" if name == "seen_part" else "id", id=f"{name}.unique"),
        )
    ]
    suite = suite_of(*checks, settings=settings(foreign=foreign))
    return run(suite, near[0].dsn(near[1]), options=measuring(**options))  # type: ignore[arg-type]


def test_what_is_foreign_is_not_judged(near: tuple[Server, str]) -> None:
    """A foreign table, what inherits or is partitioned into one, and every view over these: an error that
    says why.

    Nothing runs there: the remote view's sequence stands where it stood. What only lies beside it is judged.
    """
    result = asked(near, *FOREIGN, *LOCAL_ROWS)
    for name in FOREIGN:
        for id in (f"{name}.rows", f"{name}.unique"):
            found = by_id(result)[id]
            assert found.status is Status.ERROR, id
            assert f"{name} holds rows of a foreign server" in found.message
            assert f'foreign = ["{name}"]' in found.message
    assert all(by_id(result)[f"{name}.rows"].status is Status.PASS for name in LOCAL_ROWS)
    assert result.verdict is Verdict.INCONCLUSIVE
    assert near[0].sql("SELECT count(*) FROM inv_s WHERE s = 1", near[1]) == [(1,)]


def test_what_is_allowed_by_name_is_marked_in_every_output(near: tuple[Server, str]) -> None:
    """Record, page, console formats: each says foreign of these checks, and of no other."""
    result = asked(near, "inv", "own", "seen", foreign=("inv",))
    found = by_id(result)
    assert (found["inv.rows"].status, found["inv.rows"].examined, found["inv.rows"].foreign) == (
        Status.PASS,
        900,
        ("inv",),
    )
    assert found["inv.rows"].evidence is Evidence.SCANNED
    assert found["own.rows"].foreign == ()
    assert found["seen.rows"].status is Status.ERROR, "a view over it is another name"
    assert [n.code for n in result.notices if n.code == "foreign"] == ["foreign"]
    judged = judge(result, None, None, None)
    said = "foreign: rows of another server (inv)"
    assert said in render_html(judged)
    assert said in find_format("json").render(judged)
    assert said in find_format("csv").render(judged)
    for format in ("markdown", "junit"):
        assert "foreign" in find_format(format).render(judged)
    (plain,) = [
        r
        for r in json.loads(find_format("json").render(judged))["run"]["results"]
        if r["check_id"] == "inv.rows"
    ]
    assert plain["foreign"] == ["inv"]


def test_foreign_rows_are_neither_counted_digested_nor_compared(near: tuple[Server, str]) -> None:
    """A baseline names the table that it did not count; a comparison of two sides cannot tell."""
    result = asked(near, "own", count_all=True, digests=True)
    tables = {t.title: t for t in result.tables}
    assert tables["own"].rows == 1
    assert tables["own"].digests is not None
    assert tables["parts"].rows is None
    assert tables["parts"].digests is None
    assert "foreign server" in tables["parts"].reason
    copy = near[0].create("CREATE TABLE own (id int PRIMARY KEY, amount int); INSERT INTO own VALUES (1, 1)")
    sides = find_target(near[0].dsn(near[1])), find_target(near[0].dsn(copy))
    found = diff_rows(*sides, DiffOptions(schema=False))
    near[0].drop(copy)
    assert not found.known
    (parts,) = [t for t in found.tables if t.table == "parts"]
    assert "foreign server" in " ".join(unknown.reason for unknown in parts.unknown)
