"""Success criteria of a runbook, and what no check touches: declared, recorded, and never proved by
silence.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from test_report_page import _check, make_run

from kisaan_validate import declare
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.catalogue import Catalogue, Column, Table
from kisaan_validate.facts.check import Criterion, Form, Severity, Tolerance
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.suite import Selection
from kisaan_validate.ops.config import load_config
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.report.console import print_run
from kisaan_validate.report.criteria import CriterionStanding, criteria_words, criterion_lines
from kisaan_validate.report.formats.markdown import render as markdown
from kisaan_validate.report.signatures import Attested
from kisaan_validate.suite.load import load_suite, suite_of
from kisaan_validate.verdict.coverage import coverage_of
from kisaan_validate.verdict.judgement import judge

AT = datetime(2025, 10, 19, 8, 0, tzinfo=UTC)


def _suite(tmp_path: Path, criteria: str) -> Path:
    (tmp_path / "orders.py").write_text(
        "from kisaan_validate import declare\n"
        "declare.holds('orders', 'total >= 0', id='orders.total', tags='money')\n"
        "declare.holds('orders', 'id > 0', id='orders.id')\n"
        "declare.unique('people', 'name', id='people.name', tags='money')\n"
    )
    (tmp_path / "suite.toml").write_text('name = "s"\n' + criteria)
    return tmp_path


def test_patterns_become_ids_and_stay_when_the_suite_is_narrowed(tmp_path: Path) -> None:
    """A criterion names its checks by id, table or tag; a partial run keeps those that it does not ask."""
    suite = load_suite(
        _suite(tmp_path, '[[criteria]]\nid = "a"\ntext = "all\\n is well"\nchecks = ["money", "orders.id"]\n')
    )
    assert suite.criteria == (Criterion("a", "all is well", ("orders.total", "orders.id", "people.name")),)
    assert suite.narrowed(["people"]).criteria == suite.criteria
    assert load_suite(_suite(tmp_path, "")).digest != suite.digest


@pytest.mark.parametrize(
    ("criteria", "said"),
    [
        (
            '[[criteria]]\nid = "a"\ntext = "x"\nchecks = ["orders.totl"]\n',
            "criterion 'a': 'orders.totl' matches no check",
        ),
        ('[[criteria]]\nid = "a"\ntext = "x"\n', "must be proved by checks or attested by a person"),
        ('[[criteria]]\nid = "a"\ntext = "x"\nchecks = ["money"]\nmanual = true\n', "one of the two"),
        (
            '[[criteria]]\nid = "a"\ntext = " "\nmanual = true\n',
            "criteria a: text: must be a text that is not blank",
        ),
        ('[[criteria]]\nid = "a b"\ntext = "x"\nmanual = true\n', "must be a word"),
        (
            '[[criteria]]\nid = "a"\ntext = "x"\nmanual = "yes"\n',
            "criteria a: manual: must be true or false, not a text",
        ),
        ('[[criteria]]\nid = "a"\ntext = "x"\nmanual = true\nwhy = "y"\n', "unknown key 'why'"),
        ('[[criteria]]\nid = "a"\ntext = "x"\nmanual = true\n' * 2, "two criteria have the id 'a'"),
        ("criteria = [1]\n", "must be a list of tables"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, criteria: str, said: str) -> None:
    """A criterion without proof, with two, or with a name that means nothing is no criterion."""
    with pytest.raises(SuiteError, match=r"suite\.toml") as caught:
        load_suite(_suite(tmp_path, criteria))
    assert said in str(caught.value)


def test_kisaan_toml_says_where_criteria_belong(tmp_path: Path) -> None:
    """They are part of what the suite's digest covers, so they stand in suite.toml."""
    (tmp_path / "kisaan.toml").write_text('[[criteria]]\nid = "a"\n')
    with pytest.raises(UsageError, match=r"suite\.toml"):
        load_config(tmp_path / "kisaan.toml")


PASS, FAIL = (
    Result("a", Status.PASS, 0, 9, Evidence.SCANNED),
    Result("a", Status.FAIL, 1, 9, Evidence.SCANNED),
)
EMPTY = Result("a", Status.PASS, 0, 0, Evidence.SCANNED)


@pytest.mark.parametrize(
    ("results", "standing", "said"),
    [
        ((PASS, PASS), CriterionStanding.PROVED, "by 2 checks"),
        ((PASS, FAIL), CriterionStanding.NOT_MET, "1 of 2 checks fails"),
        (
            (FAIL, Result("a", Status.ERROR, message="timeout")),
            CriterionStanding.NOT_MET,
            "1 of 2 checks fails; 1 check has no answer",
        ),
        (
            (PASS, Result("a", Status.ERROR, message="timeout")),
            CriterionStanding.NOT_PROVED,
            "1 check has no answer",
        ),
        (
            (PASS, Result("a", Status.SKIP, message="skipped, because it is gone")),
            CriterionStanding.NOT_PROVED,
            "1 check has no answer",
        ),
        ((PASS, None), CriterionStanding.NOT_PROVED, "1 check was not run"),
        (
            (PASS, Result("a", Status.TOLERATED, 1, 9, Evidence.SCANNED, message="tolerated: up to 5 rows")),
            CriterionStanding.PROVED,
            "by 2 checks; 1 check found violations within the tolerance",
        ),
        ((PASS, EMPTY), CriterionStanding.PROVED, "by 1 check; 1 check had no row to examine"),
        ((EMPTY, EMPTY), CriterionStanding.NOT_PROVED, "none of its checks had a row to examine"),
        (
            (Result("a", Status.NOT_APPLICABLE, message="not applicable, because it is gone"),) * 2,
            CriterionStanding.NOT_PROVED,
            "none of its checks applies to this database",
        ),
    ],
)
def test_a_criterion_is_proved_only_by_answers(
    results: tuple[Result | None, ...], standing: CriterionStanding, said: str
) -> None:
    """A failure outranks silence, silence outranks success; what was not asked or found nothing to examine
    proves nothing.
    """
    agreed = [Tolerance(rows=5) if r is not None and r.status is Status.TOLERATED else None for r in results]
    checks = [
        _check(f"c{n}", severity=Severity.INFO, applies=("table t",), tolerance=t)
        for n, t in enumerate(agreed)
    ]
    given = [replace(r, check_id=c.id) for c, r in zip(checks, results, strict=True) if r is not None]
    asked = [c for c, r in zip(checks, results, strict=True) if r is not None]
    run = make_run(asked, given, criteria=(Criterion("x", "all is well", tuple(c.id for c in checks)),))
    if len(asked) < len(checks):
        run = replace(
            run,
            suite=replace(run.suite, total_checks=len(checks)),
            selection=Selection(select=("c0",), partial=True),
        )
    line = criterion_lines(run)[0]
    assert (line.standing, line.said) == (standing, said)
    assert criteria_words([line]) == f"Of 1, 1 {standing.value}"
    assert run_from_json(run_to_json(run)) == run


def test_a_manual_criterion_is_never_green_by_itself() -> None:
    """It is to be attested; an attestation that does not hold changes nothing; a denial outranks an
    attestation.
    """
    run = make_run([], [], criteria=(Criterion("told", "people were told", manual=True),))
    met = Attested("told", "asha", True, "by telephone", AT)
    stale, denied, other = (
        replace(met, problem="of another run"),
        replace(met, met=False),
        replace(met, criterion="x"),
    )
    standings = {
        (): CriterionStanding.TO_ATTEST,
        (met,): CriterionStanding.ATTESTED,
        (stale,): CriterionStanding.TO_ATTEST,
        (met, denied): CriterionStanding.DENIED,
        (other,): CriterionStanding.TO_ATTEST,
    }
    for attested, standing in standings.items():
        assert criterion_lines(run, attested)[0].standing is standing


def test_coverage_tells_values_from_the_catalogue_and_counts_only_answers() -> None:
    """A column's type is not its values; a check without an answer covers nothing; a SQL assertion covers
    the columns it names.
    """
    columns = {name: Column(name, "integer", "int4", True) for name in ("id", "total", "note", "kind")}
    tables = {
        ("public", n): Table(i, "public", n, "r", columns)
        for i, n in enumerate(("orders", "people", "lonely", "part"), 1)
    }
    tables["public", "part"] = replace(tables["public", "part"], partition=True)
    suite = suite_of(
        declare.holds("orders", "total >= 0", id="a"),
        declare.holds("orders", "note = 1", id="b"),
        declare.column("people", "kind", type="integer", id="c"),
    )
    given = {"a": Status.FAIL, "b": Status.ERROR, "c": Status.PASS}
    results = [Result(id, status, 0, 1) for id, status in given.items()]
    found = {c.table: c for c in coverage_of(suite, Catalogue(("public",), tables, 180000), results)}
    assert set(found) == {"orders", "people", "lonely"}
    assert (found["orders"].judged, found["orders"].untouched, found["orders"].checks) == (
        ("total",),
        ("id", "note", "kind"),
        1,
    )
    assert (found["people"].described, found["people"].judged, found["people"].checks) == (("kind",), (), 0)
    assert found["lonely"].untouched == ("id", "total", "note", "kind")
    assert suite.checks[2].form is Form.CATALOGUE


def test_terminal_and_markdown_say_them_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Where people read the verdict they read how many criteria it proves; with none declared, nothing is
    said.
    """
    run = make_run(
        [_check("a")],
        [PASS],
        criteria=(Criterion("x", "all is well", ("a",)), Criterion("told", "people were told", manual=True)),
    )
    print_run(judge(run), None, quiet=False, verbose=False)
    assert "success criteria: of 2, 1 proved, 1 to be attested" in capsys.readouterr().out
    made = markdown(judge(run))
    assert "proved" in made
    assert "to be attested" in made
    bare = replace(run, criteria=())
    print_run(judge(bare), None, quiet=False, verbose=False)
    assert "criteria" not in capsys.readouterr().out + markdown(judge(bare))
