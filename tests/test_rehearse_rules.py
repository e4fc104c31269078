"""Rules of migrations: each is documented by a bad and a good migration, which are run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rehearsing import CASES, VERSIONS, Stage, as_psql, case, staged

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape
from kisaan_validate.rehearse.rules import RULES, rule_findings

SETUP = (CASES / "setup.sql").read_text(encoding="utf-8")
NAMES = [rule.id for rule in RULES]


@pytest.fixture(scope="module", params=VERSIONS)
def stage(request: Any) -> Iterator[Stage]:
    """A scratch server of each version."""
    with staged(request.param) as made:
        yield made


def found(stage: Stage, sql: str) -> tuple[Tape, tuple[RuleFinding, ...]]:
    """The tape of a migration on the library of the examples, and what the rules find on it."""
    tape = stage.tape(stage.database(SETUP), {"migration.sql": sql}, as_psql(sql))
    assert tape.gaps == ()
    return tape, rule_findings(tape)


def test_each_rule_has_its_documented_migrations() -> None:
    """And no folder is there without a rule."""
    assert sorted(p.name for p in CASES.iterdir() if p.is_dir()) == sorted(NAMES)
    assert all(rule.title and rule.advice for rule in RULES)


@pytest.mark.parametrize("rule", NAMES)
def test_the_bad_migration_breaks_its_rule_alone(stage: Stage, rule: str) -> None:
    """The finding names the statement that is wrong, and its place in the file."""
    tape, findings = found(stage, case(rule, "bad"))
    assert [f.rule for f in findings] == [rule], [f.fact for f in findings]
    (finding,) = findings
    telling = tape.by_number[finding.statements[0]]
    assert telling.file == "migration.sql"
    assert f"statement {telling.number}" in finding.fact
    assert "public.books" in finding.relations


@pytest.mark.parametrize("rule", NAMES)
def test_the_good_migration_breaks_none(stage: Stage, rule: str) -> None:
    """It does the same work, and all of it is done."""
    tape, findings = found(stage, case(rule, "good"))
    assert [f.fact for f in findings] == []
    assert {s.outcome.value for s in tape.statements} == {"committed"}
