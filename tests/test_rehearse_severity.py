"""Rules of migrations are blocking or warnings; a suite may change that, and waivers accept them for a time.
What the runner notes itself is no unexplained difference.
"""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import make_rule_docs
import pytest
from rehearsal_cases import everything
from shop import Shop
from test_rehearse_cli import ALONE, CONTRACT, GOOD, place, rehearse, write

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.rehearsed import AgainState, InterruptedPoint, InterruptedReview
from kisaan_validate.record.rehearsed import read_receipt
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.rules import RULES
from kisaan_validate.rehearse.rules.again import AGAIN_RULES
from kisaan_validate.rehearse.severities import own_severities, severities
from kisaan_validate.rehearse.waiving import rule_names, waive, weigh
from kisaan_validate.report.rehearsal_page import render_rehearsal
from kisaan_validate.scratch.installation import choose
from kisaan_validate.suite.settings import read_settings
from kisaan_validate.verdict.waivers import Waiver

__all__ = ["place"]

NOW = datetime(2026, 12, 1, 2, 0, tzinfo=UTC)
FINDING = RuleFinding("rewrite-under-lock", "A table is rewritten", (1,), ("orders",), "orders is", "do not")


def waiver(check: str, **scope: Any) -> Waiver:
    """One that holds until tomorrow."""
    return Waiver(check, "agreed", "operations", date(2026, 12, 2), **scope)


def points(*states: AgainState) -> InterruptedReview:
    """Interruptions that came to these."""
    return InterruptedReview(tuple(InterruptedPoint(n, "x", s, "why") for n, s in enumerate(states, 1)), 9)


def test_each_rule_has_a_severity_that_is_documented() -> None:
    """Blocking or warning, with its words beside its id on the page; both occur."""
    text = make_rule_docs.PAGE.read_text(encoding="utf-8")
    own = own_severities()
    assert set(own) == {rule.id for rule in RULES} | {rule.id for rule in AGAIN_RULES.values()}
    assert set(own.values()) == {Severity.BLOCKING, Severity.WARNING}
    for id, severity in own.items():
        words = {"blocking": "blocking", "warning": "a warning"}[severity.value]
        assert f"\n`{id}`, {words}\n" in text, id
    assert set(rule_names()) == {f"rehearsal.{id}" for id in own}


def test_a_suite_may_say_otherwise(tmp_path: Path) -> None:
    """Of a rule that exists, by one of the two words; what is misspelt is refused with what is near."""
    file = tmp_path / "suite.toml"
    file.write_text(
        '[rehearsal.severity]\nno-lock-timeout = "blocking"\nwedges-after-interruption = "warning"\n'
    )
    said = severities(read_settings(file).severities)
    assert said["no-lock-timeout"] is Severity.BLOCKING
    assert said["wedges-after-interruption"] is Severity.WARNING
    others = own_severities().keys() - {"no-lock-timeout", "wedges-after-interruption"}
    assert {id: said[id] for id in others} == {id: own_severities()[id] for id in others}
    with pytest.raises(SuiteError, match="no rule of migrations is called 'no-lock-timeouts'") as refused:
        severities({"no-lock-timeouts": "warning"})
    assert "no-lock-timeout" in refused.value.hint
    for word in ('"info"', '"Blocking"', "3"):
        file.write_text(f"[rehearsal.severity]\nno-lock-timeout = {word}\n")
        with pytest.raises(SuiteError, match=r"rehearsal\.severity"):
            read_settings(file)


def test_what_a_waiver_covers() -> None:
    """All findings of its rule, or so many; for its time, and of its rule alone."""
    by = {"rewrite-under-lock": waiver("rehearsal.rewrite-under-lock", rows=1)}
    (one,) = waive((FINDING,), by, NOW)
    assert (one.waived, one.fails) == ("agreed (operations, until 2026-12-02)", False)
    assert [f.fails for f in waive((FINDING, FINDING), by, NOW)] == [True, True]
    assert waive((FINDING,), by, NOW.replace(day=3))[0].fails
    assert waive((replace(FINDING, rule="not-null-scan"),), by, NOW)[0].fails


def test_what_an_interruption_left_is_weighed_by_its_state() -> None:
    """A wedge by its rule, another result by its own; what healed, or is not known, by none."""
    review = points(*AgainState)
    states = {p.state: p for p in weigh(review, own_severities(), {}, NOW).points}
    assert {s for s, p in states.items() if p.fails} == {AgainState.WEDGED, AgainState.DIFFERS}
    by = {"wedges-after-interruption": waiver("rehearsal.wedges-after-interruption", whole_check=True)}
    states = {p.state: p for p in weigh(review, own_severities(), by, NOW).points}
    assert [s for s, p in states.items() if p.fails] == [AgainState.DIFFERS]
    assert [s for s, p in states.items() if p.waived] == [AgainState.WEDGED]
    lax = severities({"differs-after-interruption": "warning"})
    states = {p.state: p for p in weigh(review, lax, {}, NOW).points}
    assert [s for s, p in states.items() if p.fails] == [AgainState.WEDGED]
    few = {"wedges-after-interruption": waiver("rehearsal.wedges-after-interruption", rows=1)}
    both = points(AgainState.WEDGED, AgainState.WEDGED)
    assert [p.fails for p in weigh(both, own_severities(), few, NOW).points] == [True, True]


def test_the_page_tells_a_warning_from_a_failure() -> None:
    """And what of an interruption was waived, and why."""
    found = everything()
    (first, *_) = found.rehearsal.findings
    warned = replace(first, severity=Severity.WARNING, waived="")
    rehearsal = replace(found.rehearsal, findings=(warned,))
    wedged = InterruptedPoint(1, "x", AgainState.WEDGED, "why", waived="agreed until 2027")
    found = replace(found, rehearsal=rehearsal, interrupted=InterruptedReview((wedged,), 1))
    page = render_rehearsal(found, judge_rehearsal(found))
    assert f"{warned.rule}, a warning</span>" in page
    assert "<b>Waived:</b> agreed until 2027" in page
    assert "1 warning" in page


WAIVERS = """format = 1

[[waiver]]
check = "rehearsal.rewrite-under-lock"
reason = "nobody works that night"
owner = "operations"
expires = 2999-12-31
whole_check = true

[[waiver]]
check = "rehearsal.wedges-after-interruption"
reason = "the on-call knows the repair"
owner = "operations"
expires = 2999-12-31
whole_check = true
"""
WEDGING = {
    "01_wide.sql": "SET lock_timeout = '2s';\nALTER TABLE orders ALTER COLUMN id TYPE bigint, ADD COLUMN paid boolean;\n"
}
WIDE = """format = 1
name = "wide"

[[promise]]
id = "wide"
kind = "retyped"
column = "orders.id"
to = "bigint"

[[promise]]
id = "paid"
kind = "added"
object = "column"
table = "orders"
name = "paid"
"""


@pytest.mark.slow
def test_a_file_of_waivers_accepts_findings_and_a_wedge(place: Shop) -> None:
    """Without it both fail; with it they are shown and fail nothing; ``--no-waivers`` ignores it. The row that the
    runner notes in its ledger is promised, so no difference is unexplained; a row more is.
    """
    write(place, WEDGING)
    (place.folder / "contract.toml").write_text(WIDE)
    base = (*ALONE, "--interruptions", "9", "--contract", "contract.toml")
    done = rehearse(place, *base, "-o", "plain")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "fails    rule: A table is rewritten while nobody can read it" in done.stdout
    assert "fails    interrupted: interrupted before change" in done.stdout
    assert "fails    contract" not in done.stdout, done.stdout
    (place.folder / "waivers.toml").write_text(WAIVERS)
    done = rehearse(place, *base, "--waivers", "waivers.toml", "-o", "waived")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "fails " not in done.stdout
    assert "it wedges" in done.stdout
    assert "(waived: the on-call knows the repair (operations, until 2999-12-31))" in done.stdout
    page = (place.folder / "waived" / "rehearsal.html").read_text()
    assert "nobody works that night (operations, until 2999-12-31)" in page
    (place.folder / "checks" / "waivers.toml").write_text(WAIVERS)
    assert rehearse(place, *base, "--no-waivers", "-o", "none").returncode == 1


def dump_again(place: Shop) -> None:
    """The dump of what the database is by now."""
    words = [str(choose().program("pg_dump")), "-d", place.server.dsn(place.database)]
    subprocess.run([*words, "-f", str(place.folder / "backup.sql")], check=True)


@pytest.mark.slow
def test_only_what_the_runner_notes_is_explained(place: Shop) -> None:
    """A migration that writes into the ledger itself, or takes a row from it, is a difference as before. The
    receipt names the contract as it was given.
    """
    place.server.sql("INSERT INTO _migrations VALUES ('00_old.sql', '2026-01-01')", place.database)
    dump_again(place)
    contract = CONTRACT.split("[[")[0] + "\n".join(WIDE.split("\n\n")[2:])
    (place.folder / "contract.toml").write_text(contract)
    base = (*ALONE, "--contract", "contract.toml")
    for number, (more, fails) in enumerate(
        (
            ("", False),
            ("INSERT INTO _migrations VALUES ('09_forged.sql');", True),
            ("DELETE FROM _migrations WHERE name = '00_old.sql';", True),
        )
    ):
        write(place, {"01_index.sql": GOOD["01_index.sql"] + more})
        done = rehearse(place, *base, "-o", f"out{number}")
        assert ("fails    contract" in done.stdout) is fails, done.stdout
    receipt = read_receipt(place.folder / "out0" / "receipt.json")
    assert receipt.contract == hashlib.sha256(contract.encode()).hexdigest()
    assert ("rows", "_migrations", 1) in {(c.kind, c.table, c.delta) for c in receipt.changes}


@pytest.mark.slow
def test_a_ledger_that_the_runner_creates_is_explained(place: Shop) -> None:
    """With its row for each file, and no others; a table more is a difference."""
    place.server.sql("DROP TABLE _migrations", place.database)
    dump_again(place)
    contract = CONTRACT.split("[[")[0] + "\n".join(WIDE.split("\n\n")[2:])
    (place.folder / "contract.toml").write_text(contract)
    for number, (more, fails) in enumerate(
        (
            ("", ""),
            (
                "INSERT INTO _migrations VALUES ('09_forged.sql');",
                "1 promise was not kept: rehearsal.ledger: ",
            ),
            ("CREATE TABLE more (n int);", "no promise covers 1 difference: "),
            ("CREATE TABLE more (n int); CREATE TABLE last (n int);", "no promise covers 2 differences: "),
        )
    ):
        write(place, {"01_index.sql": GOOD["01_index.sql"] + more})
        done = rehearse(place, *ALONE, "--contract", "contract.toml", "-o", f"out{number}")
        said = [line.strip() for line in done.stdout.splitlines() if line.startswith("fails    contract: ")]
        assert len(said) == bool(fails), done.stdout
        assert not fails or fails in said[0], said


@pytest.mark.slow
def test_a_rule_that_is_misspelt_is_refused_first(place: Shop) -> None:
    """Before anything is restored: exit 2, and what is near."""
    write(place, GOOD)
    settings = place.folder / "checks" / "suite.toml"
    settings.write_text(settings.read_text() + '[rehearsal.severity]\nno-locktimeout = "blocking"\n')
    done = rehearse(place, "--migrations", "migrations", "-o", "out")
    assert done.returncode == 2
    assert "no rule of migrations is called 'no-locktimeout'" in done.stderr
    assert "no-lock-timeout" in done.stderr.partition("HINT")[2]
