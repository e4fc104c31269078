"""Rules of migrations: each is documented by a bad and a good migration, which are run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import make_rule_docs
import pytest
from rehearsing import CASES, VERSIONS, Stage, as_psql, case, staged

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape
from kisaan_validate.rehearse.rules import RULES, RuleGround, rule_findings

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


def test_statements_of_one_millisecond_are_seen(stage: Stage) -> None:
    """The log counts milliseconds: what begins in the one in which the transaction ends was still under its
    locks.
    """
    tape, _ = found(stage, case("second-statement-under-lock", "bad"))
    (update,) = (s for s in tape.statements if s.tag == "UPDATE")
    end = update.committed
    assert end is not None
    statements = [replace(s, start=end, end=end) if s.number >= update.number else s for s in tape.statements]
    quick = rule_findings(replace(tape, statements=tuple(statements)))
    assert [f.rule for f in quick] == ["second-statement-under-lock"]


@pytest.mark.slow
@pytest.mark.parametrize("rule", NAMES)
def test_the_good_migration_breaks_none(stage: Stage, rule: str) -> None:
    """It does the same work, and all of it is done."""
    tape, findings = found(stage, case(rule, "good"))
    assert [f.fact for f in findings] == []
    assert {s.outcome.value for s in tape.statements} == {"committed"}


def test_the_page_of_the_rules_is_what_they_say() -> None:
    """With the migrations that are run here; made again by ``python tests/make_rule_docs.py``."""
    assert make_rule_docs.PAGE.read_text(encoding="utf-8") == make_rule_docs.page()


def test_ledgers_of_tools_and_new_tables_break_no_rule(stage: Stage) -> None:
    """A tool notes its migration in the same transaction; what a transaction makes, nobody else uses yet."""
    sql = """SET lock_timeout = '2s';
CREATE TABLE knex_migrations (name text);
BEGIN;
ALTER TABLE books ADD COLUMN genre text;
INSERT INTO knex_migrations VALUES ('1');
COMMIT;
BEGIN;
CREATE TABLE copies (id integer, book_id integer);
INSERT INTO copies SELECT id, id FROM books;
ALTER TABLE copies ALTER COLUMN id SET NOT NULL;
CREATE INDEX ON copies (book_id);
ALTER TABLE copies ALTER COLUMN id TYPE bigint;
ALTER TABLE copies ADD CHECK (id > 0);
COMMIT"""
    assert [f.fact for f in found(stage, sql)[1]] == []


def test_rules_see_what_a_do_block_does(stage: Stage) -> None:
    """And what VACUUM FULL, a primary key and a column of serial numbers do."""
    sql = """SET lock_timeout = '2s';
DO $$ BEGIN ALTER TABLE books ALTER COLUMN pages TYPE bigint; UPDATE authors SET name = 'x'; END $$;
VACUUM FULL authors;
ALTER TABLE books ADD COLUMN number serial;
ALTER TABLE authors ADD UNIQUE (id)"""
    rules = [(f.rule, f.relations[0]) for f in found(stage, sql)[1]]
    assert rules == [
        ("rewrite-under-lock", "public.books"),
        ("rewrite-under-lock", "public.authors"),
        ("volatile-default", "public.books"),
        ("index-not-concurrent", "public.authors"),
    ]


def test_a_lock_timeout_is_known_where_no_trigger_sees_it(stage: Stage) -> None:
    """LOCK TABLE fires none: what the session set last counts, else what it began with."""
    lock = "BEGIN; LOCK TABLE books; SELECT pg_sleep(0.1); COMMIT"
    for sql, expected in ((lock, ["no-lock-timeout"]), (f"SET lock_timeout TO 500; {lock}", [])):
        tape, findings = found(stage, sql)
        assert [f.rule for f in findings if f.rule == "no-lock-timeout"] == expected
        known = rule_findings(tape, RuleGround(lock_timeout=2.0))
        assert "no-lock-timeout" not in [f.rule for f in known]
