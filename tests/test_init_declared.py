"""``init`` takes what sound constraints declare as declared, says of how many checks, and leaves the proof
from the rows to ``run``. Nothing else is taken on trust.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from conftest import ROOT, Server
from shop import Shop
from test_init import facts_of

from kisaan_validate import declare
from kisaan_validate.author.draft import observe
from kisaan_validate.author.draft.propose import propose
from kisaan_validate.author.draft.prove import Proved, is_taken, prove, told
from kisaan_validate.author.draft.prove import _rest as rest
from kisaan_validate.facts.result import Evidence, Result, Status, Verdict
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite, suite_of

TRUSTING = Options(jobs=1, sample=0, trust_constraints=True)


def drafted(server: Server, database: str) -> tuple[Proved, list[Suite]]:
    """A draft as the command makes it, and each suite that was asked of the rows on the way."""
    asked: list[Suite] = []

    def proving(suite: Suite) -> object:
        asked.append(suite)
        return run(suite, server.dsn(database), options=TRUSTING)

    facts = facts_of(server, database)
    return prove(facts, propose(facts), "test", lambda _: True, proving), asked  # type: ignore[arg-type]


def evidence(made: Proved) -> dict[str, Evidence]:
    """What each check of a draft rests on; all of them passed."""
    assert {r.status for r in made.run.results} == {Status.PASS}
    return {r.check_id: r.evidence for r in made.run.results}


def test_valid_constraints_are_taken_as_declared_and_run_proves_them(shop: Shop) -> None:
    """The number is said and none of them counts as passed; the same suite, run, reads the rows for each."""
    done = shop.cli("init", "-o", "drafted")
    assert done.returncode == 0, done.stderr
    assert (
        "verdict PASS: 11 checks pass on this database\n"
        "        3 more are taken as declared by valid constraints and unique indexes: `run` proves them from "
        "the rows\n"
    ) in done.stdout
    assert shop.cli("run", "--suite", "drafted").returncode == 0
    results = json.loads((shop.run_folder / "run.json").read_text())["results"]
    found = {r["check_id"]: (r["status"], r["evidence"]) for r in results}
    assert {id: found[id] for id in ("orders.id.not_null", "orders.total.not_null", "orders.id.unique")} == (
        dict.fromkeys(
            ("orders.id.not_null", "orders.total.not_null", "orders.id.unique"), ("pass", "scanned")
        )
    )
    assert "proved by constraint" not in {e for _, e in found.values()}


def test_a_draft_without_constraints_claims_nothing_of_them(shop: Shop) -> None:
    """Where nothing is declared nothing is said to be taken: every check passed."""
    shop.sql("DROP TABLE orders")
    done = shop.cli("init", "-o", "drafted")
    drafted = re.search(r"^drafted .*: (\d+) checks, ", done.stdout, re.MULTILINE)
    said = re.search(r"^verdict PASS: (\d+) checks pass on this database\nnext ", done.stdout, re.MULTILINE)
    assert drafted is not None
    assert said is not None
    assert drafted[1] == said[1]


def test_only_keys_and_not_null_are_taken(server: Server, database: str) -> None:
    """By their evidence: a foreign key and a CHECK, though valid, are proved from the rows."""
    server.sql(
        "CREATE TABLE p (id int PRIMARY KEY, code text UNIQUE, a int NOT NULL CHECK (a > 0)); "
        "CREATE TABLE c (p_id int REFERENCES p); INSERT INTO p VALUES (1, 'x', 1); INSERT INTO c VALUES (1)",
        database,
    )
    made, _ = drafted(server, database)
    found = evidence(made)
    taken = {id for id, rests_on in found.items() if rests_on is Evidence.PROVED}
    assert taken == {"p.id.not_null", "p.id.unique", "p.code.unique", "p.a.not_null"}
    assert found["p.p_a_check.rows"] is found["c.p_id.references"] is Evidence.SCANNED
    assert told(made)["taken"] == 4
    assert told(made)["passed"] == len(found) - 4 == told(made)["checks"] - 4


NOT_SOUND = {
    "a NOT NULL that is not valid": (
        "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL); ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID",
        "INSERT INTO t VALUES (1)",
        ("t.a.not_null",),
        "NOT NULL: 1 of 1 rows violated it",
    ),
    "a CHECK that is not enforced": (
        "CREATE TABLE t (a int, CONSTRAINT k CHECK (a > 0) NOT ENFORCED); INSERT INTO t VALUES (-1)",
        "INSERT INTO t VALUES (1)",
        ("t.k.rows",),
        "1 of 1 rows violated it",
    ),
    "a foreign key that is not valid": (
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int); INSERT INTO t VALUES (7); "
            "ALTER TABLE t ADD CONSTRAINT r FOREIGN KEY (a) REFERENCES p NOT VALID"
        ),
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        ("t.a.references",),
        "1 of 1 rows violated it",
    ),
    "a foreign key that is not enforced": (
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p NOT ENFORCED); "
            "INSERT INTO t VALUES (7)"
        ),
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        ("t.a.references",),
        "1 of 1 rows violated it",
    ),
    # pg_constraint calls this one valid and enforced all the same.
    "a foreign key whose triggers were disabled": (
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p); "
            "ALTER TABLE t DISABLE TRIGGER ALL; INSERT INTO t VALUES (7)"
        ),
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        ("t.a.references",),
        "1 of 1 rows violated it",
    ),
    "a foreign key whose triggers fire again": (
        (
            "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p); "
            "ALTER TABLE t DISABLE TRIGGER ALL; INSERT INTO t VALUES (7); ALTER TABLE t ENABLE TRIGGER ALL"
        ),
        "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)",
        ("t.a.references",),
        "1 of 1 rows violated it",
    ),
}
"""What is declared and does not bind the old rows: how it comes about with one bad row, a good row, the
checks, and what is said of the bad one."""


@pytest.mark.parametrize("name", NOT_SOUND)
def test_what_is_not_sound_is_proved_from_the_rows(name: str, server: Server, database: str) -> None:
    """A row that breaks it keeps the check out of the draft, with the number; without it the rows are read,
    and pass.
    """
    broken, good, ids, said = NOT_SOUND[name]
    server.sql(broken, database)
    made, _ = drafted(server, database)
    assert not set(ids) & set(made.run.by_id)
    assert set(ids) <= set(made.refused.lines)
    assert said in "".join(made.files.values())
    server.sql(f"DELETE FROM t; {good}", database)
    held, _ = drafted(server, database)
    assert {evidence(held)[id] for id in ids} == {Evidence.SCANNED}


def test_a_line_that_is_commented_out_costs_no_second_proof(server: Server, database: str) -> None:
    """What is left was proved in the same snapshot: the rows are asked once, and the line is gone."""
    server.sql(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, -1); "
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
        database,
    )
    made, asked = drafted(server, database)
    assert len(asked) == 1
    assert {"t.k", "t.k.rows"} == set(made.refused.lines)
    assert {c.id for c in asked[0].checks} - set(made.refused.lines) == set(evidence(made))
    assert made.run.verdict is Verdict.PASS
    assert made.suite.checks == made.run.checks
    assert len(made.run.results) == made.suite.total


def test_a_correction_that_asks_something_new_is_proved(server: Server, database: str) -> None:
    """Another condition under the same id, or a check that did not pass, is not known from the last proof."""
    server.sql("CREATE TABLE t (a int); INSERT INTO t VALUES (5)", database)
    held = declare.holds("t", "a > 0", id="held", why="x")
    before = suite_of(held, declare.holds("t", "a > 9", id="failed"))
    done = run(before, server.dsn(database), options=TRUSTING)
    kept = rest(before, done, suite_of(held))
    assert kept is not None
    assert [(r.check_id, r.status) for r in kept.results] == [("held", Status.PASS)]
    assert kept.verdict is Verdict.PASS
    for other in (
        declare.holds("t", "a > 6", id="held", why="x"),
        declare.holds("t", "a > 0", id="another", why="x"),
        declare.holds("t", "a > 0", id="held", why="x", severity="warning"),
        declare.holds("t", "a > 9", id="failed"),
    ):
        assert rest(before, done, suite_of(other)) is None


def test_a_large_table_is_sorted_once(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """That no value occurs twice was counted by the look over every row: such a check is not asked again,
    and counts neither as passed nor as taken. Of a small table it is asked again.
    """
    server.sql(
        "CREATE TABLE t (code text, n int); INSERT INTO t SELECT 'c' || g, g FROM generate_series(1, 200) g; "
        "UPDATE t SET n = 1 WHERE n = 2; ANALYZE t",
        database,
    )
    small, _ = drafted(server, database)
    assert small.counted == frozenset()
    assert evidence(small)["t.code.unique"] is Evidence.SCANNED
    monkeypatch.setattr(observe, "SMALL_TABLE", 0)
    large, asked = drafted(server, database)
    assert large.counted == {"t.code.unique"}
    assert "t.code.unique" not in {c.id for c in asked[0].checks} | set(evidence(large))
    assert 'declare.unique("t", "code", **OBSERVED)' in large.files["t.py"]
    said = told(large)
    assert said["counted"] == 1
    assert said["passed"] + said["taken"] + said["counted"] == said["checks"] == len(small.run.results)
    again = run(large.suite, server.dsn(database), options=Options(jobs=1))
    assert (again.verdict, len(again.results)) == (Verdict.PASS, said["checks"])


def test_what_is_taken_is_told_by_its_evidence() -> None:
    """Also rows that the bounds of partitions left out; what failed is never taken."""
    scanned = Result("x", Status.PASS, 0, 9, Evidence.SCANNED)
    assert not is_taken(scanned)
    assert is_taken(replace(scanned, evidence=Evidence.PROVED))
    assert is_taken(replace(scanned, evidence=Evidence.BY_CONSTRAINT, trusted="the bounds of partitions"))
    assert not is_taken(
        replace(scanned, status=Status.FAIL, evidence=Evidence.BY_CONSTRAINT, trusted="bounds")
    )


def test_what_cannot_be_imported_is_said_once_where_it_is_needed(shop: Shop) -> None:
    """The draft's imports begin while rows are read; what is wrong there is no second error from nowhere."""
    (shop.folder / "broken").mkdir()
    (shop.folder / "broken" / "pandera").mkdir()
    (shop.folder / "broken" / "pandera" / "__init__.py").write_text("raise ImportError('it is broken')\n")
    path = f"{shop.folder / 'broken'}:{ROOT}"
    done = shop.cli("init", "-o", "drafted", fresh=True, PYTHONPATH=path)
    assert done.returncode != 0
    assert done.stderr.count("it is broken") == 1, done.stderr
    assert "Exception in thread" not in done.stderr
    assert not (shop.folder / "drafted").exists()
