"""Rows that came into the ledger of migrations: told beside a failure that began with them, and never the
reason for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from year_night import moved

from kisaan_validate.cli.history_index import the_history
from kisaan_validate.cli.job import record_after
from kisaan_validate.cli.last_run import remembering
from kisaan_validate.cli.runs_index import update_index
from kisaan_validate.cli.telling import message_for
from kisaan_validate.facts.ledger import LedgerRow
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.history.ledger import ledger_words
from kisaan_validate.history.marks import HistoryMark, add_mark
from kisaan_validate.ops.config import load_config
from kisaan_validate.postgres.session import Limits
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.record.consistency import run_contradictions
from kisaan_validate.report.console import verdict_line
from kisaan_validate.report.html import render_html
from kisaan_validate.report.nights import check_history, night_lines
from kisaan_validate.report.past import past_sentence, past_words
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

FIRST = datetime(2026, 1, 5, 2, 30, tzinfo=UTC)

TABLES = """
CREATE TABLE orders (id bigint PRIMARY KEY, total numeric(12,2) NOT NULL);
CREATE TABLE done (id serial PRIMARY KEY, name varchar(80), executed_at timestamptz NOT NULL);
INSERT INTO done (name, executed_at) VALUES ('001_first.sql', '2026-01-01T10:00Z');
CREATE ROLE ledger_{name} LOGIN;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO ledger_{name};
"""

SETTINGS = """name = "nightly"
{more}
[ledger]
table = "{table}"
name = "name"
at = "executed_at"
"""

CONFIG = '[[notify.webhook]]\nname = "on-call"\nurl_env = "HOOK_URL"\n'


@dataclass
class Nights:
    """A suite with a ledger on one database, night after night."""

    server: Server
    folder: Path
    database: str
    at: datetime = FIRST
    table: str = "done"
    more: str = ""
    limits: Limits = field(default_factory=Limits)

    def sql(self, text: str) -> None:
        """Change the database as its owner."""
        self.server.sql(text, self.database)

    def suite(self) -> Suite:
        """The suite of tonight."""
        checks = self.folder / "checks"
        checks.mkdir(exist_ok=True)
        (checks / "suite.toml").write_text(SETTINGS.format(table=self.table, more=self.more))
        (checks / "all.py").write_text(
            "from kisaan_validate import declare as d\nd.holds('orders', 'total >= 0', id='total')\n"
        )
        return load_suite(checks)

    def measured(self) -> Run:
        """The run of tonight."""
        dsn = self.server.dsn(self.database, f"ledger_{self.database}")
        return moved(run(self.suite(), dsn, options=Options(jobs=1, limits=self.limits)), self.at)

    def night(self) -> Judgement:
        """One night, recorded."""
        judged, _ = record_after(
            judge(self.measured()), self.reports, remembering(self.config, since_last=False)
        )
        self.at += timedelta(days=1)
        return judged

    @property
    def reports(self) -> Path:
        """Where runs are."""
        return self.folder / "reports"

    @property
    def config(self):  # type: ignore[no-untyped-def]
        """What kisaan.toml says."""
        file = self.folder / "kisaan.toml"
        file.write_text(CONFIG)
        return replace(load_config(file), reports=self.reports)


@pytest.fixture(params=["server", "server15"])
def nights(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nights]:
    """A database with orders and a ledger."""
    server: Server = request.getfixturevalue(request.param)
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    yield Nights(server, tmp_path, database)
    server.drop(database)
    server.sql(f"DROP ROLE ledger_{database}")


MIGRATION = "INSERT INTO done (name, executed_at) VALUES ('{name}', '{at}')"


def test_a_failure_names_the_migration_that_it_began_with(nights: Nights) -> None:
    """Between the last good night and the first failing one: on page, console, index, history and in the
    message; by what the ledger held, for one of the two migrations says that it ran a year before.
    """
    nights.night()
    nights.night()
    nights.sql(MIGRATION.format(name="002_totals.sql", at="2026-01-06T12:00Z"))
    nights.sql(MIGRATION.format(name="003_<b>late.sql", at="2025-01-06T12:00Z"))
    nights.sql("INSERT INTO orders VALUES (1, -1)")
    nights.reports.mkdir(exist_ok=True)
    add_mark(nights.reports, HistoryMark(FIRST + timedelta(days=1, hours=9), "release 7"))
    broken = nights.night()
    nights.sql(MIGRATION.format(name="004_later.sql", at="2026-01-08T12:00Z"))
    later = nights.night()
    came = "003_<b>late.sql (2025-01-06 12:00:00+00), 002_totals.sql (2026-01-06 12:00:00+00) came into done"
    happened = f"release 7 (2026-01-06 11:30:00 UTC); {came}"
    # Told on the night itself, and as long as it fails; what came afterwards did not make it fail.
    assert past_words(broken.run)["total"].endswith(f"first failing one: {happened}")
    assert past_words(later.run)["total"].endswith(f"first failing one: {happened}")
    assert past_sentence(broken.run).endswith(f"1 new, in between: {happened}")
    assert past_sentence(later.run).endswith(
        "in between: 004_later.sql (2026-01-08 12:00:00+00) came into done"
    )
    page = render_html(later)
    assert "003_<b>late" not in page
    assert page.count("002_totals.sql (2026-01-06 12:00:00+00) came into done") >= 3
    update_index(nights.reports)
    index = (nights.reports / "index.html").read_text()
    assert "Failing since 2026-01-07 02:30:00 UTC, on 2 nights." in index
    assert "first that failed: release 7 (2026-01-06 11:30:00 UTC); 003_&lt;b&gt;late.sql" in index
    assert "004_later" not in index
    with the_history(nights.config) as found:
        listed = list(night_lines(found.history.nights(), []))
        line = found.history.lines(found.history.nights()[0].night)[0]
    assert sum("came into done" in one for one in listed) == 2
    assert f"  2026-01-07 02:30:00 UTC  -- {came}" in list(check_history(line, []))
    for judged, said in ((broken, came), (later, None)):
        message = message_for(nights.config, judged)
        assert said is None or (message is not None and said in message.facts["incidents"][0]["between"])


def test_rows_that_go_are_told_and_an_unreadable_ledger_is_no_empty_one(nights: Nights) -> None:
    """A night that may not read the ledger says so; the next one that may tells what came since the last
    that could. No check has another answer for it.
    """
    first = nights.night()
    assert first.run.ledger_rows is not None
    assert first.run.ledger_rows.rows == (LedgerRow("001_first.sql", "2026-01-01 10:00:00+00"),)
    assert first.run.past is None
    role = f"ledger_{nights.database}"
    nights.sql(f"REVOKE SELECT ON done FROM {role}")
    nights.sql(MIGRATION.format(name="002.sql", at="2026-01-06T12:00Z"))
    for _ in range(2):
        closed = nights.night()
        (said,) = _words(closed)
        assert said.startswith("what came into done is not known: ")
        assert "permission denied" in said or "may not" in said
        assert closed.verdict is Verdict.PASS
    nights.sql(f"GRANT SELECT ON done TO {role}; DELETE FROM done WHERE name = '001_first.sql'")
    opened = nights.night()
    assert _words(opened) == (
        "002.sql (2026-01-06 12:00:00+00) came into done",
        "001_first.sql (2026-01-01 10:00:00+00) went from done",
    )
    assert _words(nights.night()) == ()
    assert verdict_line(opened)


def _words(judged: Judgement) -> tuple[str, ...]:
    assert judged.run.past is not None
    return ledger_words(judged.run.past.ledger_moves)


GAPS = {
    "it does not exist": {"table": "gone"},
    "it is not a table of this database": {"table": "seen"},
    "its column name is personal": {"more": 'personal = ["*.name"]'},
    "it has no column executed_at": {"table": "bare"},
    "the type of name is not one of PostgreSQL's own": {"table": "odd"},
    "it has more than 2,000 rows": {"table": "many"},
}


@pytest.mark.parametrize(("why", "given"), GAPS.items(), ids=GAPS)
def test_why_a_ledger_is_not_read(nights: Nights, why: str, given: dict[str, str]) -> None:
    """Each reason is named; the checks have their answers all the same."""
    nights.sql("""CREATE VIEW seen AS SELECT * FROM done; CREATE TABLE bare (name text);
        CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE odd (name mood, executed_at timestamptz);
        CREATE TABLE many (name text, executed_at timestamptz);
        INSERT INTO many SELECT n::text, now() FROM generate_series(1, 2001) AS n;
        GRANT SELECT ON ALL TABLES IN SCHEMA public TO PUBLIC""")
    for name, value in given.items():
        setattr(nights, name, value)
    made = nights.measured()
    assert made.ledger_rows is not None
    assert (made.ledger_rows.message, made.ledger_rows.rows) == (why, ())
    assert judge(made).verdict is Verdict.PASS


def test_a_ledger_that_is_being_migrated_keeps_nobody_waiting(nights: Nights) -> None:
    """Somebody holds it exclusively: it is not read, the checks are answered, and nothing is left locked."""
    nights.limits = Limits(lock_timeout=300)
    blocker = nights.server.connect(nights.database)
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE done IN ACCESS EXCLUSIVE MODE")
    made = nights.measured()
    blocker.close()
    assert made.ledger_rows is not None
    assert made.ledger_rows.message
    assert made.ledger_rows.rows == ()
    assert judge(made).verdict is Verdict.PASS


def test_the_record_keeps_the_ledger_and_its_past(nights: Nights) -> None:
    """Written and read it is the same; a suite without a ledger leaves no field; a row that came and is not
    there contradicts the record.
    """
    nights.night()
    nights.sql(MIGRATION.format(name="002.sql", at="2026-01-06T12:00Z"))
    made = nights.night().run
    assert run_from_json(run_to_json(made)) == made
    assert made.past is not None
    assert made.past.ledger_moves is not None
    lie = replace(made.past.ledger_moves, came=(LedgerRow("never.sql"),))
    forged = replace(made, past=replace(made.past, ledger_moves=lie))
    assert list(run_contradictions(forged)) == ["never.sql came into done and is not there"]
    bare = run_to_json(replace(made, ledger_rows=None, past=None))
    assert not any(name in bare for name in ('"ledger_rows"', '"ledger_moves"', '"ledger_before"'))
