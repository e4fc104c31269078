"""``preflight`` as people type it: a go with everything there, its exit codes, and what it refuses."""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from backup_cases import against, dump, good, taken
from rehearsal_cases import clean
from shop import Shop

from kisaan_validate.backup.verifying import certified
from kisaan_validate.cli.preflight_command import LEAVABLE
from kisaan_validate.facts.preflight import PreflightRecord
from kisaan_validate.facts.receipt import ReceiptFile
from kisaan_validate.facts.rehearsal import SessionSetting
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.ops.config import load_config
from kisaan_validate.preflight import rules
from kisaan_validate.record.certificate import certificate_to_json
from kisaan_validate.record.preflight import read_preflight
from kisaan_validate.record.rehearsed import receipt_to_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.receipt import receipt_of
from kisaan_validate.suite.load import load_suite

CONTRACT = """format = 1
[[promise]]
id = "wide"
kind = "retyped"
columns = ["orders.total"]
to = "numeric(18,2)"
"""
MIGRATION = "ALTER TABLE orders ALTER COLUMN total TYPE numeric(18,2);\n"
CONFIG = """[target.expect]
database = "{database}"
[preflight]
idle_in_transaction = "1 s"
certificate = "orders.dump.certificate.json"
receipt = "receipt.json"
baseline = "pre.json"
contract = "contract.toml"
migrations = "migrations"
disk = "."
"""


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """A shop that may be migrated: everything is there, and fits."""
    folder = shop.folder
    shop.sql(
        f"GRANT pg_monitor TO {shop.role}; CREATE TABLE _migrations (name text, executed_at timestamptz)"
    )
    shop.sql(f"GRANT SELECT ON _migrations TO {shop.role}")
    (folder / "migrations").mkdir()
    (folder / "migrations" / "01.sql").write_text(MIGRATION)
    (folder / "contract.toml").write_text(CONTRACT)
    (folder / "kisaan.toml").write_text(CONFIG.format(database=shop.database))
    done = shop.cli("baseline", "-o", "pre.json", "--contract", "contract.toml")
    assert done.returncode == 0, done.stderr
    ((system,),) = shop.server.sql("SELECT system_identifier::text FROM pg_control_system()")
    now = datetime.now(UTC) - timedelta(minutes=5)
    (folder / "orders.dump").write_bytes(b"dump")
    facts = dump(
        name="orders.dump",
        size=4,
        sha256=digest(folder / "orders.dump"),
        database=shop.database,
        taken_at=now,
    )
    record = taken(database=shop.database, system_identifier=system, started_at=now, sha256=facts.sha256)
    evidence = good(dump=facts, taken=record, against=against(database=shop.database))
    evidence = replace(evidence, asked=replace(evidence.asked, at=now))
    certificate = certified(evidence, 1.0)
    assert certificate.verdict is Verdict.PASS
    (folder / "orders.dump.certificate.json").write_text(certificate_to_json(certificate))
    receipt = replace(
        receipt_of(clean(), judge_rehearsal(clean()), None),
        at=now,
        migrations=(ReceiptFile("01.sql", digest(folder / "migrations" / "01.sql")),),
        dump=ReceiptFile("orders.dump", facts.sha256),
        contract=digest(folder / "contract.toml"),
        suite=load_suite(folder / "checks").digest,
        settings=(SessionSetting("TimeZone", shop.server.sql("SHOW TimeZone")[0][0], "default"),),
    )
    (folder / "receipt.json").write_text(receipt_to_json(receipt))
    return shop


def found(shop: Shop) -> PreflightRecord:
    """The record that the command wrote."""
    assert (shop.folder / "preflight" / "preflight.html").stat().st_size > 1_000
    return read_preflight(shop.folder / "preflight" / "preflight.json")


def test_go_no_go_and_cannot_tell(ready: Shop) -> None:
    """With everything there it is a go; then one thing after another is a no-go."""
    done = ready.cli("preflight")
    record = found(ready)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (record.verdict, record.left_out) == (Verdict.PASS, ())
    assert [item.fact for item in record.of(StandingState.WORK)] == [
        "1 column to change: orders.total numeric(12,2) to numeric(18,2)",
        "1 migration to run: 01.sql",
    ]
    assert {one.what for one in record.evidence} == {"certificate", "receipt", "baseline"}
    with closing(ready.server.connect(ready.database)) as other:
        other.cursor().execute("BEGIN; SELECT 1; SELECT pg_sleep(1.1)")
        other.cursor().execute("SELECT 1")
        done = ready.cli("preflight", "--baseline-age", "1 s", "-q")
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("verdict      FAIL (no-go): ")
    assert len(done.stdout.splitlines()) == 2
    # A file that was changed after the rehearsal.
    (ready.folder / "migrations" / "01.sql").write_text(MIGRATION + "-- later\n")
    done = ready.cli("preflight")
    assert done.returncode == 1
    assert "rehearsal: 01.sql was changed after the rehearsal" in done.stdout
    done = ready.cli("preflight", "--without", "rehearsal")
    assert done.returncode == 0, done.stdout
    assert "left out     rehearsal: left out by --without" in done.stdout
    assert "without rehearsal" in done.stdout.splitlines()[-2]


def test_evidence_that_is_not_named_is_said(ready: Shop) -> None:
    """Required and not there: cannot tell. Not required and not there: left out, by whom."""
    (ready.folder / "kisaan.toml").write_text("[preflight]\nrequire = []\n")
    done = ready.cli("preflight", "--expect", f"database={ready.database}", "--without", "disk")
    record = found(ready)
    assert done.returncode == 3, done.stdout
    left = {one.name: one.why for one in record.left_out}
    assert set(left) == {"disk", "backup", "rehearsal", "baseline"}
    assert "kisaan.toml" in left["backup"]
    assert {str(item.topic) for item in record.of(StandingState.UNKNOWN)} == {"tables", "migrations"}
    (ready.folder / "kisaan.toml").write_text('[preflight]\nrequire = ["backup"]\n')
    done = ready.cli("preflight", "--without", "disk")
    assert done.returncode == 3, done.stdout
    assert "cannot tell  backup: no certificate of a backup was named" in done.stdout
    assert "left out     baseline: not required by [preflight]" in done.stdout
    # What is there is looked at, whether it is required or not.
    done = ready.cli("preflight", "--baseline", "gone.json")
    assert done.returncode == 1
    assert "baseline: cannot read gone.json" in done.stdout


REFUSED = {
    "another database": ("--expect", "database=prod"),
    "a word that is none": ("--expect", "prod"),
    "a name that is none": ("--without", "blockers"),
    "a contract that is not there": ("--contract", "gone.toml"),
    "a suite that is not there": ("--suite", "gone"),
    "a configuration that is not there": ("--config", "gone.toml"),
    "a URL of another kind": ("--dsn", "mysql://x"),
    "a server that is not there": ("--dsn", "host=127.0.0.1 port=1"),
    "a file in the place of the folder": ("-o", "contract.toml"),
    "no duration": ("--backup-age", "soon"),
}


def test_nothing_was_measured(shop: Shop) -> None:
    """Exit 2, what is wrong and what to do, and no record that could be taken for one."""
    (shop.folder / "contract.toml").write_text(CONTRACT)
    for why, words in REFUSED.items():
        done = shop.cli("preflight", *words)
        assert done.returncode == 2, (why, done.stdout, done.stderr)
        assert "rror" in done.stderr, why
        assert "Traceback" not in done.stderr, why
        assert not (shop.folder / "preflight" / "preflight.json").exists(), why


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('requires = ["backup"]', "requires"),
        ('require = ["backups"]', "require"),
        ('backup_age = "0 s"', "backup_age"),
        ("backup_age = 3600", "backup_age"),
        ('certificate = ""', "certificate"),
    ],
)
def test_the_configuration_is_read_strictly(tmp_path: Path, line: str, said: str) -> None:
    """A slip is named, and nothing falls back to a default."""
    from kisaan_validate.errors import SuiteError

    (tmp_path / "kisaan.toml").write_text(f"[preflight]\n{line}\n")
    with pytest.raises(SuiteError, match=said):
        load_config(tmp_path / "kisaan.toml")


def test_the_configuration_says_what_is_asked(tmp_path: Path) -> None:
    """Paths are relative to its folder; what it does not say has the defaults that the help shows."""
    (tmp_path / "kisaan.toml").write_text(
        '[preflight]\nrequire = ["baseline"]\nbackup_age = "2 h"\nmigrations = "m"\nreceipt = "r.json"\n'
    )
    made = load_config(tmp_path / "kisaan.toml").preflight
    assert made == replace(
        rules.PreflightRules(),
        require=("baseline",),
        backup_age=7_200,
        migrations=(tmp_path / "m",),
        receipt=tmp_path / "r.json",
    )
    assert load_config(None).preflight == rules.PreflightRules()
    (tmp_path / "empty.toml").write_text("")
    assert load_config(tmp_path / "empty.toml").preflight == rules.PreflightRules()


def test_the_command_knows_what_may_be_left_out() -> None:
    """The help must not import the room, so it has its own list."""
    assert LEAVABLE == rules.LEAVABLE
