"""Digests in a baseline: what no figure shows is found, what arrived is told apart, what cannot be told is
said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import measuring

from kisaan_validate.contract.load import read_contract
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

TABLE = """
CREATE TABLE t (id int PRIMARY KEY, a int, b numeric(12,2), c text, at timestamptz, j jsonb, phone text);
INSERT INTO t SELECT n, n % 7, n * 1.5, 'x' || n % 3, timestamptz '2024-01-01 00:00+00' + n * interval '1 hour',
    jsonb_build_object('n', n), '9' || n FROM generate_series(1, 3000) AS n;
CREATE TABLE other (id uuid PRIMARY KEY, v int); INSERT INTO other SELECT md5(n::text)::uuid, n FROM generate_series(1, 50) AS n;
CREATE TABLE bare (a int, b text); INSERT INTO bare VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE empty (id int PRIMARY KEY);
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """One check that always holds; telephone numbers are personal."""
    (tmp_path / "checks.py").write_text(
        'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
    )
    (tmp_path / "suite.toml").write_text('name = "case"\npersonal = ["*.phone"]\n')
    return load_suite(tmp_path)


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The tables, in a database of their own."""
    name = server.create(TABLE)
    yield name
    server.drop(name)


def taken(server: Server, database: str, suite: Suite, **more: Any) -> Baseline:
    """A baseline with digests, through its file."""
    options = measuring(count_all=True, sample=0, digests=True, **more)
    return baseline_from_json(
        baseline_to_json(baseline_of(run(suite, server.dsn(database), options=options)))
    )


def beside(server: Server, database: str, suite: Suite, baseline: Baseline, **more: Any) -> Judgement:
    """The database as it is, beside the baseline; the run has been through its file."""
    options = measuring(count_all=True, baseline=baseline, **more)
    made = run(suite, server.dsn(database), options=options)
    assert run_from_json(run_to_json(made)) == made
    return judge(made, baseline, options.contract)


def found(judged: Judgement) -> set[str]:
    """The changes, as kind|table|name|aspect."""
    assert judged.diff is not None
    return {"|".join(change.key) for change in judged.diff.changes}


def untold(judged: Judgement) -> dict[str, str]:
    """What is unknown, and why."""
    assert judged.diff is not None
    return {item.what: item.reason for item in judged.diff.unknown}


def test_an_untouched_database_is_the_same(server: Server, database: str, suite: Suite) -> None:
    """Nothing differs, nothing is unknown, and the buckets alone prove it: no column is digested again."""
    baseline = taken(server, database, suite)
    judged = beside(server, database, suite, baseline)
    assert (found(judged), untold(judged)) == (set(), {})
    assert not [s for s in judged.run.statements if s.purpose.endswith("digests of all")]
    assert len([s for s in judged.run.statements if s.purpose.endswith("buckets")]) == 4


SWAPS = {
    "two amounts exchanged": (
        "UPDATE t SET b = CASE id WHEN 10 THEN 16.5 ELSE 15.0 END WHERE id IN (10, 11)",
        {"values|t|b|digest"},
    ),
    "two texts exchanged": (
        "UPDATE t SET c = CASE id WHEN 1 THEN 'x2' ELSE 'x1' END WHERE id IN (1, 2)",
        {"values|t|c|digest"},
    ),
    "a document changed": ("UPDATE t SET j = '{\"n\": 0}' WHERE id = 77", {"values|t|j|digest"}),
    "two columns exchanged in one row": (
        "UPDATE t SET a = a + 1 WHERE id = 8; UPDATE t SET a = a - 1 WHERE id = 15",
        {"values|t|a|digest"},
    ),
    "another row, the same count": (
        "UPDATE other SET id = md5('new')::uuid WHERE v = 3",
        {"rows|other||digest"},
    ),
    "a row of a table without a key": (
        (
            "UPDATE bare SET b = 'x' WHERE a IS NULL; UPDATE bare SET b = NULL WHERE ctid = (SELECT "
            "min(ctid) FROM bare WHERE a = 1)"
        ),
        {"rows|bare||digest"},
    ),
    "sum and ends kept": (
        "UPDATE t SET b = b + 0.01 WHERE id = 100; UPDATE t SET b = b - 0.01 WHERE id = 200",
        {"values|t|b|digest"},
    ),
}


def test_a_baseline_of_15_tells_on_18_which_columns_changed(
    server: Server, server15: Server, database: str, suite: Suite
) -> None:
    """Column by column: below 18 bytes are hashed as a row of one column, from 18 on as what they are, to
    the same numbers.
    """
    old = server15.create(TABLE)
    try:
        baseline = taken(server15, old, suite)
        assert (
            found(beside(server, database, suite, baseline, other_database=True)),
            baseline.tables != (),
        ) == (set(), True)
        server.sql(
            "UPDATE t SET a = -a, at = at + interval '1 s' WHERE id = 8; UPDATE t SET b = b + 0.01 WHERE "
            "id = 9",
            database,
        )
        made = found(beside(server, database, suite, baseline, other_database=True))
        assert {line for line in made if line.endswith("|digest")} == {
            f"values|t|{column}|digest" for column in ("a", "at", "b")
        }
    finally:
        server15.drop(old)


def test_columns_are_not_digested_where_that_would_tell_nothing(
    server: Server, database: str, suite: Suite
) -> None:
    """A row went: of the whole table only its keys are digested beside the buckets."""
    baseline = taken(server, database, suite)
    server.sql("DELETE FROM t WHERE id = 5", database)
    judged = beside(server, database, suite, baseline)
    (sql,) = [s.sql for s in judged.run.statements if s.purpose == "contract: t: digests of all"]
    assert ("seed0" in sql, "hashbyteaextended" in sql) == (True, False)
    assert any("which values of t changed" in what for what in untold(judged))


@pytest.mark.parametrize("name", SWAPS)
def test_what_no_figure_shows_is_found(name: str, server: Server, database: str, suite: Suite) -> None:
    """The table and the column are named exactly; without digests nothing would be seen."""
    sql, expected = SWAPS[name]
    baseline, plain = taken(server, database, suite), measuring(count_all=True, sample=0)
    blind = baseline_of(run(suite, server.dsn(database), options=plain))
    server.sql(f"{sql}; SELECT 1", database)
    assert found(beside(server, database, suite, baseline)) == expected
    assert found(beside(server, database, suite, blind)) == set()


def test_wider_types_are_no_change(server: Server, database: str, suite: Suite) -> None:
    """Values are compared under their canonical form: int and bigint, numeric of any scale, varchar and
    text, enum by label.
    """
    baseline = taken(server, database, suite)
    server.sql(
        "CREATE TYPE mood AS ENUM ('x2', 'x1', 'x0'); ALTER TABLE t ALTER id TYPE bigint, ALTER a TYPE "
        "numeric(10,3), "
        "ALTER b TYPE numeric(18,4), ALTER c TYPE mood USING c::mood; SELECT 1",
        database,
    )
    changes = found(beside(server, database, suite, baseline))
    assert {c for c in changes if c.endswith("|digest")} == set()
    server.sql(
        "UPDATE t SET a = a + 0.001 WHERE id = 8; UPDATE t SET a = a - 0.001 WHERE id = 15; SELECT 1",
        database,
    )
    changes = found(beside(server, database, suite, baseline))
    assert {c for c in changes if c.endswith("|digest")} == {"values|t|a|digest"}


def test_rows_that_arrived_are_told_apart(server: Server, database: str, suite: Suite) -> None:
    """Rows above the highest key are set aside and counted; a swap among the old ones is still found."""
    baseline = taken(server, database, suite)
    server.sql("INSERT INTO t (id, a) VALUES (3001, 1), (3007, 2); SELECT 1", database)
    judged = beside(server, database, suite, baseline)
    assert {c for c in found(judged) if c.endswith("|digest")} == set()
    assert untold(judged) == {}
    (table,) = (t for t in judged.run.tables if t.title == "t")
    assert table.digests is not None
    assert table.digests.late == 2
    server.sql(
        "UPDATE t SET b = CASE id WHEN 10 THEN 16.5 ELSE 15.0 END WHERE id IN (10, 11); SELECT 1", database
    )
    assert {c for c in found(beside(server, database, suite, baseline)) if c.endswith("|digest")} == {
        "values|t|b|digest"
    }


def test_rows_that_a_declared_column_says_came_later(server: Server, suite: Suite) -> None:
    """Where the key says nothing of time: what came later is apart from what changed, and what cannot be
    told is said.
    """
    database = server.create(
        "CREATE TABLE u (id uuid PRIMARY KEY, at timestamptz, a int); CREATE TABLE phone (phone text);"
        "INSERT INTO u SELECT md5(n::text)::uuid, timestamptz '2025-01-01 00:00+00' + n * interval '1 "
        "min', n FROM generate_series(1, 500) AS n"
    )
    try:
        baseline = taken(server, database, suite)
        server.sql(
            "INSERT INTO u VALUES (md5('x')::uuid, '2025-10-18 00:00+00', 7), (md5('y')::uuid, "
            "'2025-10-18 00:00+00', 7)",
            database,
        )
        server.sql("UPDATE u SET a = 501 - a WHERE a IN (3, 498)", database)
        since = {"added_since": (("u", "at"),)}
        assert any(
            "which values of u changed" in what for what in untold(beside(server, database, suite, baseline))
        )
        judged = beside(server, database, suite, baseline, **since)
        assert "values|u|a|digest" in found(judged)
        assert set(untold(judged)) == {"the values of phone.phone"}, "personal, of few values"
        server.sql("INSERT INTO u VALUES (md5('z')::uuid, '2025-01-01 00:00+00', 7)", database)
        assert any(
            "which values of u changed" in what
            for what in untold(beside(server, database, suite, baseline, **since))
        )
        server.sql("ALTER TABLE u ALTER at TYPE timestamp", database)
        assert any(
            "now has values of a different kind" in why
            for why in untold(beside(server, database, suite, baseline, **since)).values()
        )
        with pytest.raises(UsageError, match="no such column"):
            beside(server, database, suite, baseline, added_since=(("u", "nope"),))
        with pytest.raises(UsageError, match="this baseline has none"):
            beside(
                server,
                database,
                suite,
                baseline_of(run(suite, server.dsn(database), options=measuring(count_all=True))),
                **since,
            )
    finally:
        server.drop(database)


def test_which_values_changed_is_not_guessed_where_rows_went(
    server: Server, database: str, suite: Suite
) -> None:
    """Where a row went, whole-column digests say nothing of the rows that stayed: that is said, and no
    column is named.
    """
    baseline = taken(server, database, suite)
    server.sql("DELETE FROM t WHERE id = 5; SELECT 1", database)
    judged = beside(server, database, suite, baseline)
    assert {c for c in found(judged) if c.endswith("|digest")} == set()
    assert list(untold(judged)) == [
        "which values of t changed in the remaining rows",
        "the values of t.phone",
    ]
    assert "at most 1 of 1,024 buckets" in next(iter(untold(judged).values()))


GONE = """format = 1
[[promise]]
id = "gone"
kind = "rows_removed"
table = "t"
where = "id = 5"
[[promise]]
id = "twice"
kind = "becomes"
column = "t.a"
expression = "a * 2"
"""


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ("", Verdict.PASS),
        ("UPDATE t SET b = CASE id WHEN 10 THEN 16.5 ELSE 15.0 END WHERE id IN (10, 11)", Verdict.FAIL),
    ],
)
def test_a_contract_explains_what_it_promises_and_nothing_else(
    more: str, verdict: Verdict, server: Server, database: str, suite: Suite
) -> None:
    """Beside removed rows a promised column is explained row by row; a swap in another column is not."""
    contract = read_contract(GONE, "contract.toml")
    baseline = taken(server, database, suite, contract=contract)
    server.sql(f"DELETE FROM t WHERE id = 5; UPDATE t SET a = a * 2; {more}; SELECT 1", database)
    judged = beside(server, database, suite, baseline, contract=contract)
    assert untold(judged) == {}
    assert {"|".join(c.key) for c in judged.unexplained} == (
        {"values|t|b|digest", "values|t|b|total"} if more else set()
    )
    assert judged.verdict is verdict
    assert judged.explained["values", "t", "a", "digest"] == ("twice",)


def test_personal_columns_leave_no_digest(server: Server, database: str, suite: Suite) -> None:
    """The digest of one telephone number could be guessed: none is kept, and the file says which columns
    are left out.
    """
    baseline = taken(server, database, suite)
    (table,) = (t for t in baseline.tables if t.title == "t")
    assert table.digests is not None
    assert table.digests.left_out == {"phone": "it is personal"}
    digests = {c.name: c.profile.digest for c in table.columns if c.profile is not None}
    assert digests["phone"] is None
    assert all(digests[name] for name in digests if name != "phone")


def test_another_hash_function_is_no_change_and_no_proof(server: Server, database: str, suite: Suite) -> None:
    """A server whose self-check answers differently computes other digests: that is unknown, never different
    or the same.
    """
    baseline = taken(server, database, suite)
    tables = tuple(
        replace(t, digests=replace(t.digests, check=("hash", "0" * 64))) if t.digests is not None else t
        for t in baseline.tables
    )
    judged = beside(server, database, suite, replace(baseline, tables=tables))
    assert found(judged) == set()
    assert len(untold(judged)) == 5, "four tables, and the personal column of one"
    assert all("computed differently" in reason for reason in untold(judged).values())


def test_a_type_without_canonical_form_is_said(server: Server, suite: Suite) -> None:
    """Values that cannot be digested are unknown, not the same; what of a composite has no form is named."""
    make = (
        "CREATE TYPE pair AS (x int, y regclass); CREATE TABLE t (id int PRIMARY KEY, p pair[], q regclass)"
    )
    database = server.create(f"{make}; INSERT INTO t VALUES (1, '{{\"(1,t)\"}}', 't')")
    baseline = taken(server, database, suite)
    judged = beside(server, database, suite, baseline)
    assert untold(judged) == {
        "the values of t.p": "values of type pair[] have no canonical form: the type regclass has no "
        "canonical form (field y of pair)",
        "the values of t.q": "values of type regclass have no canonical form",
    }
    server.drop(database)
