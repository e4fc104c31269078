"""The typed Python API, as the package's docstring shows it."""

from __future__ import annotations

from conftest import ROOT, Server

import kisaan_validate
from kisaan_validate import (
    Before,
    Comparing,
    Options,
    Status,
    Verdict,
    baseline_of,
    judge,
    load_suite,
    read_contract,
    run,
    suite_of,
)


def test_every_public_name_resolves_and_is_documented() -> None:
    """__all__ is the public API: each name exists and says what it is."""
    for name in kisaan_validate.__all__:
        thing = getattr(kisaan_validate, name)
        assert name == "__version__" or thing.__doc__, name


def test_run_gives_verdict_failures_json_and_html(server: Server) -> None:
    """run(suite, dsn) -> Run with .verdict, .failures, .to_json(), .to_html()."""
    from kisaan_validate import declare

    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, -1)"
    )
    outcome = run(
        suite_of(declare.holds("t", "v > 0", id="positive")), server.dsn(database), options=Options(jobs=1)
    )
    assert outcome.verdict is Verdict.FAIL
    assert [(r.check_id, r.status, r.violations, r.examined) for r in outcome.failures] == [
        ("positive", Status.FAIL, 1, 2)
    ]
    assert '"check_id":"positive"' in outcome.to_json()
    assert "positive" in outcome.to_html()
    server.drop(database)


def test_a_suite_of_a_folder_has_unique_ids_and_a_digest_of_its_sources() -> None:
    """Loading twice gives the same suite, digest included."""
    first, second = load_suite(ROOT / "checks"), load_suite(ROOT / "checks")
    assert first.digest == second.digest
    assert [c.digest for c in first.checks] == [c.digest for c in second.checks]
    assert len({c.id for c in first.checks}) == len(first.checks)


def test_before_and_after_by_hand(server: Server) -> None:
    """Baseline, contract, run and judgement without the command line, as the package's docstring shows it."""
    text = 'format = 1\n[[promise]]\nid = "wide"\nkind = "retyped"\ncolumn = "t.v"\nto = "bigint"\n'
    contract = read_contract(text, "contract.toml")
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1), (2, 2)"
    )
    from kisaan_validate import declare

    suite, dsn = suite_of(declare.holds("t", "v > 0", id="positive")), server.dsn(database)
    before = baseline_of(run(suite, dsn, options=Options(compare=Comparing(contract=contract))))
    server.sql("ALTER TABLE t ALTER v TYPE bigint", database)
    after = run(suite, dsn, options=Options(compare=Comparing(Before(before), contract)))
    assert judge(after, before, contract).verdict is Verdict.PASS
    assert judge(after, before, read_contract("format = 1", "empty.toml")).verdict is Verdict.FAIL
    server.drop(database)
