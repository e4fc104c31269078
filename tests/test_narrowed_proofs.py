"""Where indexes are trusted, what is declared is proved only of the columns that a statement can test."""

from __future__ import annotations

import pytest
from conftest import Server
from helpers import prove

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Status
from kisaan_validate.suite.load import suite_of

TABLES = """
CREATE TABLE p (id int PRIMARY KEY, b int, "Odd ""name" int);
CREATE TABLE t (id int PRIMARY KEY, a int, r int, "Odd ""name" int);
INSERT INTO p VALUES (1, 1, 1), (2, 2, 2);
INSERT INTO t VALUES (1, NULL, 1, NULL), (2, NULL, 2, NULL), (3, 1, 1, 1);
UPDATE pg_attribute SET attnotnull = true
WHERE attrelid = 't'::regclass AND attname IN ('a', 'Odd "name');
"""

TESTS = {
    "by name": "child.a IS NOT NULL",
    "in other letters": "child.A IS NOT NULL",
    "in quotes": 'child."Odd ""name" IS NOT NULL',
    "by itself": "child.a = child.a",
}
"""Tests for NULL of columns that hold one although they are declared NOT NULL."""


@pytest.mark.parametrize("name", TESTS)
def test_a_column_that_may_be_tested_is_proved(name: str, server: Server) -> None:
    """However a condition names it: NOT NULL that rows break is found out, and the check has no answer."""
    database = server.create(TABLES)
    declared = d.holds_with("t", TESTS[name], parent="p", via="r", id="c", allow_nan=True)
    run = prove(server, database, suite_of(declared), trust_indexes=True)
    assert run.results[0].status is Status.ERROR
    assert "NOT NULL of t, and 2 rows contradict it" in run.results[0].message
    server.drop(database)


def test_whole_rows_leave_every_column_open() -> None:
    """A function that is given a whole row may test any column of it; what names a table does not."""
    from kisaan_validate.execute.ground import _AS_A_WHOLE

    source = "FROM public.t AS child\nLEFT JOIN public.p AS parent ON child.r = parent.id"
    assert not _AS_A_WHOLE.search(source)
    for whole in ("f(child)", "f( PARENT )", 'f("child")', "(child) IS NOT NULL", "f(1, parent)"):
        assert _AS_A_WHOLE.search(f"SELECT {whole} {source}"), whole


def test_a_column_that_is_not_named_costs_no_proof(server: Server) -> None:
    """No row of t is read for a declaration that nothing asks for; the check has its answer."""
    database = server.create(TABLES)
    declared = d.holds_with("t", "child.r = parent.b", parent="p", via="r", id="c")
    run = prove(server, database, suite_of(declared), trust_indexes=True)
    proofs = [s.sql for s in run.statements if s.purpose.startswith("proof")]
    assert not any('"Odd' in sql for sql in proofs)
    assert (run.results[0].status, run.results[0].examined) == (Status.PASS, 3)
    server.drop(database)
