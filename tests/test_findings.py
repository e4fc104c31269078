"""Findings: every problem of a run in exactly one, joined only by facts that two problems share."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from conftest import ROOT
from hypothesis import given
from judged_cases import everything
from sides import contracts
from test_comparison_laws import EMPTY, LAW, judged, pairs

from kisaan_validate.contract.load import Contract, read_contract
from kisaan_validate.facts.run import Run
from kisaan_validate.record.codec import baseline_from_json, run_from_json
from kisaan_validate.verdict.findings import Finding, Heading, findings_of, problems_of
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.ties import Problems, joined, nodes_of

SAMPLE = ROOT / "reports" / "sample"


@pytest.fixture(scope="module")
def demo() -> Judgement:
    """The committed sample: the demonstration's run beside its baseline and contract."""
    text = {name: (SAMPLE / name).read_text(encoding="utf-8") for name in ("run.json", "baseline.json")}
    contract = read_contract((SAMPLE / "contract.toml").read_text(encoding="utf-8"), "contract.toml")
    return judge(run_from_json(text["run.json"]), baseline_from_json(text["baseline.json"]), contract)


def faults(made: Judgement) -> list[str]:
    """What breaks the law: each failing check, promise not kept and open group is in exactly one finding,
    nothing else is, and each has a title.
    """
    problems, findings = problems_of(made), findings_of(made)
    sides = {
        "checks": ([id for f in findings for id in f.checks], [c.id for c, _ in problems.checks]),
        "promises": ([id for f in findings for id in f.promises], [p.id for p, _ in problems.promises]),
        "groups": ([g.words for f in findings for g in f.groups], [g.words for g in problems.groups]),
    }
    untitled = [f"{finding} has no title" for finding in findings if not finding.title]
    return untitled + [name for name, (found, wanted) in sides.items() if sorted(found) != sorted(wanted)]


@given(pairs(), contracts())
@LAW
def test_each_problem_is_in_exactly_one_finding(sides: tuple[Run, Run], contract: Contract) -> None:
    """On any two sides, with any contract, and without one."""
    for made in (judged(*sides, contract), judged(*sides, EMPTY), judge(sides[1])):
        assert faults(made) == []


@given(pairs(), contracts())
@LAW
def test_what_fails_a_run_is_a_finding(sides: tuple[Run, Run], contract: Contract) -> None:
    """A run that fails has a finding that blocks; without a finding no check fails and no promise broke."""
    made = judged(*sides, contract)
    blocking = [f for f in findings_of(made) if f.severity.value == "blocking"]
    assert bool(blocking) or made.verdict.value != "FAIL"
    assert not made.failing or any(set(f.checks) & set(made.failing) for f in blocking)


def test_everything_that_can_occur_is_in_a_finding() -> None:
    """The judged run of the formats, in which every state occurs."""
    assert faults(everything()) == []


def test_the_order_of_problems_joins_nothing_else(demo: Judgement) -> None:
    """Which problems are one does not depend on their order."""
    problems = problems_of(demo)
    wanted = {frozenset(nodes) for nodes in joined(problems)}
    for seed in range(5):
        checks = list(problems.checks)
        random.Random(seed).shuffle(checks)
        mixed = replace(problems, checks=tuple(checks))
        assert {frozenset(nodes) for nodes in joined(mixed)} == wanted


def by_check(findings: tuple[Finding, ...], id: str) -> Finding:
    """The finding that a check is part of."""
    return next(finding for finding in findings if id in finding.checks)


def test_the_findings_of_the_demonstration(demo: Judgement) -> None:
    """What a reader sees: problems under their headings, the worst first, each with its exact counts."""
    assert faults(demo) == []
    findings = findings_of(demo)
    assert len(nodes_of(problems_of(demo))) == 93
    headings = [finding.heading for finding in findings]
    assert headings == sorted(headings, key=list(Heading).index)
    new = [finding.title for finding in findings if finding.heading is Heading.NEW]
    assert new == [
        "created_at and updated_at of payments and sales: shifted by -05:30 (the offset of Asia/Kolkata)",
        "137 payments carry the migration's own time as their date",
        "12 rows of payments and sales refer to product_id 900001, which does not exist",
        "4 column defaults drop the time zone",
        "2 columns are not bigint",
    ]
    shifted = by_check(findings, "kisaan_payments.created_at.not_shifted")
    assert (len(shifted.checks), len(shifted.promises), len(shifted.groups)) == (2, 4, 2)
    wide = by_check(findings, "kisaan_plans.price.type")
    assert (len(wide.checks), len(wide.promises), wide.heading) == (25, 21, Heading.NOT_DONE)
    assert by_check(findings, "kisaan_payments.product_id.foreign_key").lead == (
        "kisaan_payments.product_id.references"
    )


def test_unlike_problems_stay_apart(demo: Judgement) -> None:
    """Two checks of one table that fail in other rows are two findings, also if equally many fail."""
    findings = findings_of(demo)
    for one, other in (
        ("kisaan_payments.amount.greater_than", "kisaan_payments.payment_date.greater_than_or_equal_to"),
        ("kisaan_payments.product_id.references", "kisaan_payments.counterparty_id.references"),
        ("kisaan_payments.created_at.not_shifted", "kisaan_payments.payment_date.invented"),
    ):
        assert by_check(findings, one) is not by_check(findings, other)


def test_no_rule_joins_without_facts() -> None:
    """Nothing is wrong: there is nothing to join."""
    assert joined(Problems((), {}, (), ())) == ()
