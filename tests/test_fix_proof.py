"""``rehearse --fix``: kits proved on a copy, with what must stop them planted one by one."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from conftest import ROOT, Server
from fixing import CHECKS, ONCE, PAID, TABLES, Fixing, fixing
from helpers import write_suite
from rehearsing import Stage, staged

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.repair import PROVED_STEPS, FixKit, ItemState, KitProof
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.files import write_file
from kisaan_validate.record.repair import fix_kit_to_json, read_fix_kit
from kisaan_validate.rehearse.fixing import FixRequest, prove_kits, refuse_changed
from kisaan_validate.rehearse.proving import ProvedBy
from kisaan_validate.repair.ground import read_ground
from kisaan_validate.repair.kits import make_fix_kit, wanted_kits
from kisaan_validate.scratch.installation import choose
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.suite.repairs import load_repairs

DEMO = ROOT / "demo"
SEEN, REPAIRED, SUITE, TWICE, BACK, EQUAL = PROVED_STEPS


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A scratch server."""
    with staged(18) as made:
        yield made


def kit_of(suite: Suite, target: Target, folder: Path) -> FixKit:
    """Kits for all that fails, written into a folder."""
    found = run(suite, target, options=Options(jobs=1))
    wanted = wanted_kits(found, (), load_repairs(suite))
    ground = read_ground(suite, target, Options(), wanted.repairs, Stop())
    record, files = make_fix_kit(found, "0" * 64, wanted, ground)
    for name, text in {**files, "fix-kit.json": fix_kit_to_json(record)}.items():
        write_file(folder / name, text)
    return record


def proved(
    stage: Stage,
    folder: Path,
    setup: str = "",
    since: str = "",
    checks: str = CHECKS,
    before: Callable[[str], None] = lambda _: None,
    **repairs: str,
) -> KitProof:
    """What a proof of one kit comes to: written for a database after ``setup``, proved after ``since`` and what
    ``before`` does with the database of this name.
    """
    files = {f"repairs/{name}.toml": text for name, text in repairs.items()}
    suite = load_suite(write_suite(folder / "checks", {"checks.py": checks, **files}))
    source = stage.database(TABLES + setup)
    kit = kit_of(suite, stage.scratch.target(source, "postgres"), folder / "kit")
    if since:
        stage.run(source, since)
    before(source)
    (proof,) = prove_kits(FixRequest(stage.scratch, source, kit, folder / "kit", ProvedBy(suite), Stop()))
    return proof


def states(proof: KitProof) -> dict[str, ItemState]:
    """How each step ended."""
    assert tuple(step.name for step in proof.steps) == PROVED_STEPS
    return {step.name: step.state for step in proof.steps}


def fact(proof: KitProof, name: str) -> str:
    """What is said of a step."""
    return next(step.fact for step in proof.steps if step.name == name)


GOOD = dict.fromkeys(PROVED_STEPS, ItemState.PASS)


def test_a_copy_of_another_time_proves_nothing(stage: Stage, tmp_path: Path) -> None:
    """The failing rows are not those of the run: every step is open, none is green."""
    for number, since in enumerate(
        ("INSERT INTO fees (shop, rate) VALUES (2, 5)", "UPDATE fees SET shop = 3 WHERE shop = 1")
    ):
        proof = proved(stage, tmp_path / str(number), since=since, once=ONCE)
        assert set(states(proof).values()) == {ItemState.UNKNOWN}
        assert "it is of another time" in fact(proof, SEEN)


@pytest.mark.parametrize("setup", ["", "UPDATE payments SET paid = '2025-12-31' WHERE id = 1"])
def test_a_repair_that_makes_another_check_worse_fails(stage: Stage, tmp_path: Path, setup: str) -> None:
    """One that held, and one that failed already, for fewer rows. The way back is tried all the same."""
    checks = (
        CHECKS + 'declare.holds("payments", "paid IS NULL OR paid >= \'2026-01-03\'", id="payments.late")\n'
    )
    proof = proved(stage, tmp_path, setup, checks=checks, paid=PAID)
    assert states(proof) == {**GOOD, SUITE: ItemState.FAIL}
    assert fact(proof, SUITE) == "worse after the repair: payments.late"
    assert proof.changed == ("payments: 5 rows changed (paid)",)


@pytest.mark.slow
def test_a_check_without_an_answer_leaves_the_proof_open(stage: Stage, tmp_path: Path) -> None:
    """What nobody could ask after the repair is not proved to hold."""
    checks = CHECKS + 'declare.holds("nowhere", "id > 0", id="nowhere.id")\n'
    proof = proved(stage, tmp_path, checks=checks, paid=PAID)
    assert states(proof) == {**GOOD, SUITE: ItemState.UNKNOWN}
    assert "nowhere.id" in fact(proof, SUITE)


def test_a_server_that_fails_says_nothing_of_the_kit(stage: Stage, tmp_path: Path) -> None:
    """A disk that is full while the repair runs, and a copy that cannot be cloned: open, and never against the kit."""
    full = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100', MESSAGE = 'could not extend file'; END $$;
    CREATE TRIGGER full_disk BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION full_disk();
    """
    proof = proved(stage, tmp_path / "one", full, paid=PAID)
    assert states(proof) == {**dict.fromkeys(PROVED_STEPS, ItemState.UNKNOWN), SEEN: ItemState.PASS}
    assert fact(proof, REPAIRED).startswith("the scratch server failed while the kit ran: ")
    with ExitStack() as busy:

        def hold(source: str) -> None:
            busy.enter_context(closing(stage.scratch.connect(source, stage.scratch.owner)))

        proof = proved(stage, tmp_path / "two", paid=PAID, before=hold)
    assert set(states(proof).values()) == {ItemState.UNKNOWN}
    assert "cannot be cloned: it is being accessed by validate_restore" in fact(proof, SEEN)


@pytest.mark.slow
def test_triggers_that_spoil_repair_or_way_back_are_told(stage: Stage, tmp_path: Path) -> None:
    """A repair that is refused fails; a way back that needs the triggers off says so, and passes."""
    stamp = """
    ALTER TABLE payments ADD changed timestamptz NOT NULL DEFAULT '2026-01-01';
    CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed := clock_timestamp(); RETURN NEW; END $$;
    CREATE TRIGGER stamp BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION stamp();
    """
    proof = proved(stage, tmp_path / "one", stamp, paid=PAID)
    left = dict.fromkeys((SUITE, TWICE, BACK, EQUAL), ItemState.UNKNOWN)
    assert states(proof) == {SEEN: ItemState.PASS, REPAIRED: ItemState.FAIL, **left}
    assert "columns of payments would change too: changed" in fact(proof, REPAIRED)
    told = PAID.replace('columns = ["paid"]', 'columns = ["paid"]\nalso = ["changed"]')
    proof = proved(stage, tmp_path / "two", stamp, paid=told)
    assert states(proof) == GOOD
    assert fact(proof, BACK).startswith("only with SET fix_kit.triggers = 'off'")


@pytest.mark.slow
def test_a_repair_that_does_not_heal_fails_and_no_value_is_told(stage: Stage, tmp_path: Path) -> None:
    """The kit's own check refuses; what the server quotes of a row is masked."""
    none = PAID.replace("p.made::timestamptz AS paid", "NULL::timestamptz AS paid")
    proof = proved(stage, tmp_path / "one", paid=none)
    assert states(proof)[REPAIRED] is ItemState.FAIL
    assert "after the repair there would be 5 violations, not 0" in fact(proof, REPAIRED)
    bad = PAID.replace("p.made::timestamptz AS paid", "('canary' || p.id)::timestamptz AS paid")
    proof = proved(stage, tmp_path / "two", paid=bad)
    assert states(proof)[REPAIRED] is ItemState.FAIL
    assert "canary" not in fact(proof, REPAIRED)
    assert "22007" in fact(proof, REPAIRED)


def test_a_file_that_is_not_the_one_that_was_written_is_refused(tmp_path: Path, server: Server) -> None:
    """A kit that was edited is another kit; nothing of it is run."""
    with fixing(server, tmp_path) as fix:
        record = fix.made()
        refuse_changed(read_fix_kit(fix.folder / "fix-kit.json"), fix.folder)
        path = fix.path("fees.once", ".way-back.sql")
        text = path.read_text()
        path.write_text(text + "\n")
        with pytest.raises(RecordError, match="is not the file that was written"):
            refuse_changed(record, fix.folder)
        path.unlink()
        with pytest.raises(RecordError, match="cannot read"):
            refuse_changed(record, fix.folder)
        path.write_text(text)
        shown = (fix.folder / "fix-kit.json").read_text()
        (fix.folder / "fix-kit.json").write_text(
            shown.replace('"leaves": 0', '"leaves": 1', 1).replace("\n", " \n", 1)
        )
        with pytest.raises(RecordError):
            read_fix_kit(fix.folder / "fix-kit.json")


@pytest.fixture
def dumped(server: Server, tmp_path: Path) -> Iterator[tuple[Fixing, str]]:
    """A shop with a kit and a dump of its database, and a folder for scratch servers."""
    scratch = Path(tempfile.mkdtemp(prefix="kisaan-fix-"))
    scratch.chmod(0o755)
    with fixing(server, tmp_path) as fix:
        fix.made()
        program = choose().program("pg_dump")
        subprocess.run([str(program), "-d", fix.dsn, "-f", str(tmp_path / "backup.sql")], check=True)
        yield fix, str(scratch)
    shutil.rmtree(scratch)


def test_rehearse_fix_proves_kits_on_a_dump(dumped: tuple[Fixing, str]) -> None:
    """Both kits, repair and way back, a record, exit 0; what does not go together is refused with 2."""
    fix, scratch = dumped
    words = ("rehearse", "--dump", "backup.sql", "--fix", "kit", "--scratch-dir", scratch)
    done = fix.shop.cli(*words, "-q", dsn=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "verdict  PASS"
    proof = json.loads((fix.shop.folder / "rehearsal" / "fix-proof.json").read_text())
    assert [one["changed"] for one in proof["proofs"]] == [
        ["payments: 5 rows changed (paid)"],
        ["fees: 3 rows gone", "notes: 1 row changed (fee)", "sales: 3 rows changed (fee)"],
    ]
    assert not list(Path(scratch).iterdir())
    assert fix.untouched
    (fix.shop.folder / "taken").write_text("")
    taken = fix.shop.cli(*words, "-q", "-o", "taken", dsn=False)
    assert (taken.returncode, taken.stdout) == (2, ""), taken.stdout
    for more in ((), ("--migrations", "x", "-o", "other")):
        assert fix.shop.cli(*words, *more, dsn=False).returncode == 2
    assert fix.shop.cli("rehearse", "--fix", "kit", "-o", "other").returncode == 2
    assert fix.shop.cli("rehearse", "--dump", "backup.sql", "--fix", "nowhere", "-o", "other").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("migrated", [False, True])
def test_kisaancenter_s_own_repairs_are_proved_on_its_demonstration(
    stage: Stage, tmp_path: Path, migrated: bool
) -> None:
    """The runbook's two. Before the migrations: all surplus commissions, the house's defaults too, and 137 payments
    without a date. After them: the defaults, which the migration's comparison by = never finds.
    """
    source = stage.database()
    for sql in ("SET demo.payments = 2000;\n" + _demo("schema.sql") + _demo("fill.sql"), _demo("faults.sql")):
        stage.run(source, sql)
    surplus = stage.scratch.execute(
        "SELECT count(*) - count(DISTINCT (shop_id, rate, type)) FROM kisaan_commissions", source
    )
    defaults = "SELECT count(*) - count(DISTINCT (rate, type)) FROM kisaan_commissions WHERE shop_id IS NULL"
    for path in sorted((DEMO / "migrations").glob("*.sql")) if migrated else ():
        stage.run(source, f"SET TimeZone = 'Asia/Kolkata';\n{path.read_text()}")
        stage.run(source, f"INSERT INTO _migrations (name) VALUES ('{path.name}')")
    suite = load_suite(ROOT / "checks")
    kit = kit_of(suite, stage.scratch.target(source, "postgres"), tmp_path)
    counts = {one.check: one.count for one in kit.kits}
    once, dates = "kisaan_commissions.shop_id_rate_type.unique", "kisaan_payments.payment_date.not_null"
    expected = stage.scratch.execute(defaults, source) if migrated else surplus
    assert counts == {once: expected[0][0]} | ({} if migrated else {dates: 137})
    assert counts[once] > 0
    for proof in prove_kits(FixRequest(stage.scratch, source, kit, tmp_path, ProvedBy(suite), Stop())):
        assert states(proof) == GOOD, proof.steps


def _demo(name: str) -> str:
    return (DEMO / name).read_text(encoding="utf-8")
