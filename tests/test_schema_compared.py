"""What ``diff`` and ``run --baseline`` say of two schemas, in words that claim no more than was compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from conftest import Server
from dumps import restored
from test_report_page import earlier, every_status

from kisaan_validate.cli.main import main
from kisaan_validate.judgement import judge
from kisaan_validate.model import ColumnFacts
from kisaan_validate.report.html import render_html

Sides = tuple[tuple[Server, str], tuple[Server, str]]


@contextmanager
def made(server: Server, before: str, after: str) -> Iterator[Sides]:
    """Two databases of one server."""
    names = server.create(before), server.create(after)
    yield (server, names[0]), (server, names[1])
    for name in names:
        server.drop(name)


def diff(sides: Sides, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    """The exit code of ``diff`` and what it printed."""
    (first, before), (second, after) = sides
    code = main(["diff", "--before", first.dsn(before), "--after", second.dsn(after), *more])
    return code, capsys.readouterr().out


def document(sides: Sides, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    """What ``diff --format json`` prints."""
    found: dict[str, Any] = json.loads(diff(sides, capsys, "--format", "json", *more)[1])
    return found


def schema_of(found: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """(kind, table, name, aspect) of every difference of the schema."""
    return {(c["kind"], c["table"], c["name"], c["aspect"]) for c in found["schema"]}


PARTITIONED = """
CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (9);
INSERT INTO p SELECT generate_series(1, 5);
"""


def test_a_detached_partition_was_there_before(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """It is called neither added nor, seen the other way, removed: its rows left the parent, and nothing else is claimed."""
    with made(server, PARTITIONED, PARTITIONED + "ALTER TABLE p DETACH PARTITION p1") as sides:
        for pair, number in ((sides, 0), ((sides[1], sides[0]), 1)):
            found = document(pair, capsys)
            assert schema_of(found) == {("table", "p1", "p1", "partition of"), ("table", "p1", "p1", "bound")}
            tables = {t["table"]: t for t in found["tables"]}
            assert (tables["p"]["removed"], tables["p"]["added"]) == ((5, 0) if number == 0 else (0, 5))
            assert (tables["p1"]["rows_before"], tables["p1"]["added"], tables["p1"]["known"]) == (None, None, False)
            assert "it is a partition, whose rows are compared within its parent" in tables["p1"]["unknown"][0]["reason"]
        assert schema_of(document(sides, capsys, "--select", "p1")) == {("table", "p1", "p1", "partition of"), ("table", "p1", "p1", "bound")}
        assert diff(sides, capsys, "--rows-only", "--select", "p1")[0] == 3


def test_an_added_column_is_not_retyped() -> None:
    """The page calls a column retyped only if both sides have it; what came is added, what went is removed."""
    run = every_status()
    before = earlier(run)
    (table,) = [t for t in run.tables if t.name == "orders"]
    more = replace(table, columns=(*table.columns, ColumnFacts("note", "text"), ColumnFacts("at", "date")))
    after = replace(run, tables=tuple(more if t is table else t for t in run.tables))
    page = render_html(judge(after, before))
    assert "4, 2 added, 1 retyped" in page
    back = render_html(judge(replace(run, tables=before.tables), replace(before, tables=after.tables)))
    assert "4, 2 removed, 1 retyped" in back


VIEW = "CREATE TABLE t (id int PRIMARY KEY, name text); CREATE VIEW v AS SELECT name, count(*) FROM t GROUP BY name;"


def test_a_view_dumped_by_15_and_restored_by_18_is_the_same(
    server: Server, server15: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    """``diff`` says so, and of one that was altered since it does not."""
    before = server15.create(VIEW)
    sides = ((server15, before), (server, restored(server15, before, server)))
    found = document(sides, capsys)
    assert (found["schema"], found["unknown"]) == ([], [])
    server.sql("CREATE OR REPLACE VIEW v AS SELECT name, count(*) FROM t WHERE id > 3 GROUP BY name", sides[1][1])
    assert schema_of(document(sides, capsys)) == {("view", "v", "v", "definition")}
    server.sql("CREATE OR REPLACE VIEW v AS SELECT name, count(t) AS count FROM t GROUP BY name", sides[1][1])
    code, said = diff(sides, capsys)
    assert code == 3
    assert "cannot tell  the definition of view v: PostgreSQL 15 and 18 print it differently: it could not be compared" in said
    for each, name in sides:
        each.drop(name)
