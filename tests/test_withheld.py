"""What rights withhold in the system catalogue is a gap with a name: no run fails for it, and no check has
another answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT, Server
from helpers import assertion, measuring, write_suite

from kisaan_validate.errors import CatalogueWithheld
from kisaan_validate.facts.result import Result, Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.report.html import render_html
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import judge

TABLES = """
CREATE TABLE farms (id serial PRIMARY KEY, code text, name text DEFAULT 'x');
CREATE TABLE crops (id bigint PRIMARY KEY, farm bigint, amount numeric(12,2));
CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER noted BEFORE INSERT ON farms FOR EACH ROW EXECUTE FUNCTION noted();
CREATE VIEW seen AS SELECT id, name FROM farms;
INSERT INTO farms (code) SELECT 'f' || n FROM generate_series(1, 20) AS n;
INSERT INTO crops SELECT n, n % 22 + 1, n - 3 FROM generate_series(1, 50) AS n;
CREATE ROLE withheld_{name} LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO withheld_{name};
GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO withheld_{name};
ANALYZE
"""

SUITE = {
    "suite.toml": 'name = "withheld"\npersonal = ["farms.name"]\n',
    "all.py": """from kisaan_validate import declare as d
d.holds("crops", "amount >= 0", id="amount")
d.references("crops", "farm", "farms", id="farm")
d.unique("farms", "code", id="code")
d.sequence("farms", "id", id="ahead")
d.triggers("farms", "noted", id="noted")
d.column("farms", "name", default="'x'::text", id="default")
d.constraint("farms", "primary key", "id", id="key")
d.column("crops", "amount", type="numeric(12,2)", id="type")
""",
    "sql/own.sql": assertion("SELECT id FROM crops WHERE abs(amount) <> amount", id="own"),
}

NARROW = {
    "pg_sequence": {"ahead"},
    "pg_trigger": {"noted"},
    # Which functions the author's SQL calls: what the engine writes calls PostgreSQL's own.
    "pg_aggregate": {"amount", "own"},
    "pg_amproc": {"amount", "own"},
    "pg_stats": set[str](),
    "pg_roles": set[str](),
}
"""What a run does without, and the checks that then have no answer; without any other catalogue that is read
before the checks are asked, none has one.
"""

CORE = {"pg_class", "pg_proc", "pg_constraint", "pg_locks", "pg_database", "pg_settings"}
"""Some of those."""


def read_by_us(server: Server, database: str) -> list[str]:
    """The catalogues that everybody may read and that statements of ours name."""
    texts = [
        path.read_text() for path in (ROOT / "kisaan_validate").rglob("*") if path.suffix in {".sql", ".py"}
    ]
    named = set(re.findall(r"\bpg_[a-z_0-9]+", "".join(texts)))
    rows = server.sql(
        "SELECT relname FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v')"
        f" AND has_table_privilege('withheld_{database}', oid, 'SELECT') ORDER BY relname",
        database,
    )
    return [name for (name,) in rows if name in named]


@pytest.fixture(params=["server", pytest.param("server15", marks=pytest.mark.slow)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, str, Suite]]:
    """A database, a role that may read its rows, and a suite."""
    server: Server = request.getfixturevalue(request.param)
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    yield server, database, load_suite(write_suite(tmp_path, SUITE))
    server.drop(database)
    server.sql(f"DROP ROLE withheld_{database}")


def measured(place: tuple[Server, str, Suite], without: str = "", options: Options | None = None) -> Run:
    """A run of the role, with a catalogue that nobody may read."""
    server, database, suite = place
    if without:
        server.sql(f"REVOKE SELECT ON pg_catalog.{without} FROM PUBLIC", database)
    dsn = server.dsn(database, f"withheld_{database}")
    try:
        return run(suite, dsn, options=options or Options(jobs=1))
    finally:
        if without:
            server.sql(f"GRANT SELECT ON pg_catalog.{without} TO PUBLIC", database)


def said(made: Run) -> dict[str, Result]:
    """The results by check."""
    return {result.check_id: result for result in made.results}


def without_each(place: tuple[Server, str, Suite], catalogues: list[str]) -> set[str]:
    """Hold the law for each of these catalogues; those without which no check has an answer."""
    usual = said(measured(place))
    assert {id for id, one in usual.items() if one.status is Status.FAIL} == {"amount", "farm", "own"}
    assert {one.status for one in usual.values()} == {Status.PASS, Status.FAIL}
    nothing = set()
    for catalogue in catalogues:
        made = measured(place, catalogue)
        open_ = {id: one for id, one in said(made).items() if one.status is Status.ERROR}
        for id, one in said(made).items():
            facts = [(r.status, r.violations, r.key_digest) for r in (one, usual[id])]
            assert facts[0] == facts[1] or (id in open_ and catalogue in one.message), (catalogue, one)
        assert not open_ or judge(made).verdict is not Verdict.PASS
        if open_.keys() == usual.keys():
            nothing.add(catalogue)
            assert judge(made).verdict is Verdict.INCONCLUSIVE
            assert any(catalogue in notice.message for notice in made.notices)
            assert run_from_json(run_to_json(made)) == made
            assert "may not read the catalogue: permission denied for" in render_html(judge(made))
        else:
            assert open_.keys() == NARROW.get(catalogue, set()), catalogue
    return nothing


def test_a_catalogue_that_is_withheld_fails_no_run_and_changes_no_answer(
    place: tuple[Server, str, Suite],
) -> None:
    """Each is revoked in turn: every check has the answer that it had, or none, and says which catalogue it
    lacks. A run with a gap is never green.
    """
    assert without_each(place, [*NARROW, *CORE]) == CORE


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_so_does_each_other(place: tuple[Server, str, Suite]) -> None:
    """The same of every catalogue that a statement of ours names."""
    every = read_by_us(*place[:2])
    assert len(every) > 60
    assert without_each(place, every) >= CORE


def test_a_comparison_without_the_catalogue_is_none(place: tuple[Server, str, Suite]) -> None:
    """Beside a baseline a run that knows no table would say that all are gone: there is no run then, and the
    error names what was withheld.
    """
    with pytest.raises(CatalogueWithheld, match="pg_class"):
        measured(place, "pg_class", measuring(count_all=True))
