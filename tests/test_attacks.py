"""What attackers, and people in a hurry, tried: each stays refused, masked, or not green."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT, Server
from helpers import assertion, measuring, settings, write_suite
from shop import Shop

from kisaan_validate import declare as d
from kisaan_validate.contract.load import read_contract
from kisaan_validate.contract.promise import State
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite, load_suite, suite_of
from kisaan_validate.verdict.judgement import Judgement, judge

TABLE = """
CREATE TABLE t (id int PRIMARY KEY, a text, n int, phone text, alias text);
INSERT INTO t SELECT g, 'a' || g, g, '+4917000000' || g, 'x' FROM generate_series(1, 9) AS g;
"""


def _promise(**said: str) -> str:
    lines = [f"{key.rstrip('_')} = '''{value}'''" for key, value in {"id": "p", **said}.items()]
    return "format = 1\n[[promise]]\n" + "\n".join(lines) + "\n"


def _suite(**more: object) -> Suite:
    return suite_of(
        d.holds("t", "id > 0", id="positive"), d.holds("t", "n > 0", id="n"), settings=settings(**more)
    )


def _judged(
    server: Server, database: str, contract: str, sql: str = "", after: str = "", later: Suite | None = None
) -> Judgement:
    suite, dsn = _suite(personal=("t.phone",)), server.dsn(database)
    promised = read_contract(contract, "c.toml")
    before = baseline_of(run(suite, dsn, options=measuring(jobs=1, count_all=True, contract=promised)))
    if sql:
        server.sql(sql, database)
    said = read_contract(after or contract, "c.toml")
    measured = run(
        later or suite, dsn, options=measuring(jobs=1, count_all=True, baseline=before, contract=said)
    )
    return judge(measured, before, said)


@pytest.mark.parametrize(
    "type",
    [
        (
            "numeric as e0 from t) as q; commit; create table pwned(x int); commit; begin; select 1 from "
            "(select 1"
        ),
        "numeric, pg_sleep(1)",
        "text || (SELECT 'x')",
        "int FROM t",
        "int)",
        "int -- x",
        'int"',
        "int; x",
        "a.b.c",
        "int[][",
    ],
)
def test_a_type_is_a_name_and_nothing_else(type: str) -> None:
    """What a column becomes is written into a cast: anything but the name of a type is refused at load."""
    with pytest.raises(SuiteError, match=r"c\.toml: promise p"):
        read_contract(_promise(kind="retyped", column="t.n", using="n", to=type), "c.toml")


@pytest.mark.parametrize(
    "type",
    [
        "numeric(18,2)",
        "timestamptz",
        "timestamp(3) with time zone",
        "varchar(20)",
        "int8",
        "text[]",
        "double precision",
        '"Odd"',
        "app.mood",
    ],
)
def test_every_type_can_be_named(type: str) -> None:
    """The names that PostgreSQL has are accepted."""
    assert read_contract(_promise(kind="retyped", column="t.n", using="n", to=type), "c.toml").promises


@pytest.mark.parametrize(
    "expression", ["'{column}'", "n -- {column}", "'x' || '{column}' || {column}", "n /* {column} */"]
)
def test_the_column_stands_only_where_a_column_can(expression: str) -> None:
    """In a string or a comment a column's name could end it."""
    with pytest.raises(SuiteError, match=r"where a column cannot be|cannot be parsed|reads no column"):
        read_contract(
            _promise(kind="becomes", column="t.x'||pg_sleep(1)::text||'", expression=expression), "c.toml"
        )


def test_a_contract_runs_no_view(server: Server) -> None:
    """A view may call what it likes: a promise about its rows cannot be told, and nothing of it was run."""
    database = server.create(TABLE + "CREATE VIEW v AS SELECT id, pg_sleep(2)::text AS s FROM t")
    judged = _judged(server, database, _promise(kind="rows_removed", table="v", where="id > 0"))
    assert [outcome.state for _, outcome in judged.promises] != [State.KEPT]
    assert judged.verdict is not Verdict.PASS
    assert not any("public.v" in s.sql for s in judged.run.statements)
    server.drop(database)


def test_a_domain_s_check_is_looked_into(server: Server) -> None:
    """A type whose CHECK calls something volatile is not cast to."""
    database = server.create(TABLE + "CREATE DOMAIN slow AS int CHECK (pg_sleep(0.1) IS NOT NULL)")
    judged = _judged(server, database, _promise(kind="retyped", column="t.n", using="n", to="slow"))
    ((_, outcome),) = judged.promises
    assert outcome.state is State.UNKNOWN
    assert "volatile" in outcome.message
    server.drop(database)


@pytest.mark.parametrize(
    "promise",
    [
        {"kind": "becomes", "column": "t.n", "expression": "phone::integer"},
        {"kind": "becomes", "column": "t.alias", "expression": "phone"},
        {"kind": "rows_removed", "table": "t", "where": "phone::date < current_date"},
        {"kind": "filled", "column": "t.alias", "with_": "phone"},
    ],
)
def test_no_promise_carries_a_personal_value_out(server: Server, promise: dict[str, str]) -> None:
    """Neither in figures nor in an error's words, in the run, the baseline or the page."""
    from kisaan_validate.report.html import render_html

    database = server.create(TABLE)
    judged = _judged(server, database, _promise(**promise), "UPDATE t SET alias = phone WHERE id = 3")
    assert judged.baseline is not None
    for text in (
        judged.run.to_json().replace("\\u002b", "+"),
        repr(judged.baseline.measured),
        render_html(judged),
    ):
        # The migration itself copied one number into an open column, which is the suite's to declare.
        assert "4917000" not in text.replace("+49170000003", "")
    server.drop(database)


def test_the_words_of_a_failed_sample_are_masked(server: Server, tmp_path: Path) -> None:
    """An assertion that counts well and fails when it is listed must not quote the person."""
    database = server.create(TABLE)
    folder = write_suite(
        tmp_path,
        {
            "suite.toml": 'personal = ["t.phone"]',
            "sql/a.sql": assertion("SELECT id, phone::integer AS n FROM t", shows="n"),
        },
    )
    measured = run(load_suite(folder), server.dsn(database), options=Options(jobs=1))
    assert "4917" not in measured.to_json()
    assert "could not be read" in measured.results[0].message
    server.drop(database)


@pytest.mark.parametrize(
    ("change", "sql", "said"),
    [
        ({"exclude_tables": ("t",)}, "UPDATE t SET n = 0", "the rows of t"),
        ({"personal": ("t.*",)}, "UPDATE t SET n = n + 1", "the values of t.n"),
    ],
)
def test_a_suite_that_looks_away_is_not_green(
    server: Server, change: dict[str, tuple[str, ...]], sql: str, said: str
) -> None:
    """What the suite leaves out or hides after the baseline cannot be told, and is said by name."""
    database = server.create(TABLE)
    later = suite_of(
        d.holds("t", "id > 0", id="positive"),
        d.holds("t", "n >= 0", id="n"),
        settings=settings(**{"personal": ("t.phone",), **change}),
    )
    judged = _judged(server, database, "format = 1", sql, later=later)
    assert judged.verdict is not Verdict.PASS
    assert said in [item.what for item in judged.untold]
    server.drop(database)


def test_a_check_that_vanished_is_not_green_and_one_that_was_rewritten_is_named(server: Server) -> None:
    """Between baseline and run nobody may quietly ask less: what is gone is open, what was rewritten has
    an answer of its own.
    """
    database = server.create(TABLE)
    base = settings(personal=("t.phone",))
    gone = suite_of(d.holds("t", "id > 0", id="positive"), settings=base)
    weak = suite_of(d.holds("t", "id > 0", id="positive"), d.holds("t", "n > -5", id="n"), settings=base)
    for later, verdict in ((gone, Verdict.INCONCLUSIVE), (weak, Verdict.PASS)):
        judged = _judged(server, database, "format = 1", later=later)
        assert judged.verdict is verdict
        assert ("the check n" in [item.what for item in judged.untold]) is (later is gone)
        assert judged.rewritten == (("n",) if later is weak else ())
    server.drop(database)


def test_a_contract_written_afterwards_proves_nothing(server: Server) -> None:
    """A promise that is made when the outcome is known is no promise."""
    database = server.create(TABLE)
    late = _promise(kind="added", object="column", table="t", name="extra")
    judged = _judged(server, database, "format = 1", "ALTER TABLE t ADD extra int", after=late)
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "the contract" in [item.what for item in judged.untold]
    server.drop(database)


def test_rows_without_a_key_of_their_own_are_never_old_ones(server: Server) -> None:
    """Of a table without a primary key it cannot be told that the same rows fail."""
    database = server.create("CREATE TABLE k (v int); INSERT INTO k VALUES (-1), (5)")
    suite, dsn = suite_of(d.holds("k", "v > 0", id="v")), server.dsn(database)
    before = baseline_of(run(suite, dsn, options=measuring(jobs=1, count_all=True)))
    server.sql("UPDATE k SET v = -v", database)
    after = run(suite, dsn, options=measuring(jobs=1, count_all=True, baseline=before))
    (move,) = (m for m in judge(after, before).diff.moves if m.check_id == "v")  # type: ignore[union-attr]
    assert move.origin is not None
    assert move.origin.name != "BEFORE"
    server.drop(database)


def test_waivers_by_key_cover_rows_not_groups_nor_places() -> None:
    """A key under which more violations hide than keys are shown, or a physical place, waives nothing."""
    from test_waivers import ID, _run, _waivers

    from kisaan_validate.verdict.waivers import Use, waived

    grown = _run(30, key=("17",))
    assert waived(grown, _waivers(keys=(("17",),)))[ID].use is Use.EXCEEDED
    here = _run(1, key=("(0,5)",))
    placed = replace(here, results=(replace(here.results[0], key=("ctid",), sample=((("ctid", "(0,5)"),),)),))
    assert waived(placed, _waivers(keys=(("(0,5)",),)))[ID].use is Use.EXCEEDED


def _pipe(shop: Shop, command: str, **env: str) -> subprocess.CompletedProcess[str]:
    known = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "KISAAN_DSN": shop.server.dsn(shop.database, shop.role),
        **env,
    }
    return subprocess.run(
        ["bash", "-c", command], cwd=shop.folder, env=known, capture_output=True, text=True, timeout=120
    )


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_finding(shop: Shop) -> None:
    """`run | head -1` must not exit as if the data were wrong."""
    shown = _pipe(shop, f"{sys.executable} -m kisaan_validate run -v | true; exit ${{PIPESTATUS[0]}}")
    assert shown.returncode in {0, 3}, shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.slow
def test_a_terminal_without_unicode_is_no_fault(shop: Shop) -> None:
    """Signs that the output cannot show are replaced; the exit code is that of the data."""
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    shown = _pipe(shop, f"{sys.executable} -m kisaan_validate run", PYTHONIOENCODING="ascii")
    assert shown.returncode == 1, shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_full_output_is_said(shop: Shop) -> None:
    """No traceback where the output cannot be written."""
    shown = _pipe(shop, f"{sys.executable} -m kisaan_validate run -v > /dev/full")
    assert shown.returncode == 3
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    "text",
    [
        'format = 1\n[[promise]]\nid = "p"\nkind = ["a"]',
        'format = 1\n[[promise]]\nid = "p"\nkind = {}',
        "format = true",
        "format = 1.0",
        "format = " + "9" * 5_000,
        "a = " + "[" * 20_000,
    ],
)
def test_hostile_contracts_are_refused_in_words(text: str) -> None:
    """Wrong types, numbers of 5,000 digits, deep nesting: a SuiteError that names the file."""
    with pytest.raises(SuiteError, match=r"c\.toml"):
        read_contract(text, "c.toml")
