"""Backups as their users meet them: taken, verified, shown; what fails leaves nothing that looks whole."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dumps
import pytest
from conftest import ROOT, SYSTEM_BIN, Server, needs, wait_until
from shop import SUITE, TABLES, Shop

from kisaan_validate.backup.dumping import complaints_of, find_pg_dump, words_of
from kisaan_validate.backup.recognise import is_dump
from kisaan_validate.backup.taking import TakeWish, Taking, whole_suite
from kisaan_validate.cli.exits import backup_taken_exit_code
from kisaan_validate.errors import RecordError, TargetError, UsageError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.run import Run
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Comparing, Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.certificate import certificate_from_json, taken_from_json
from kisaan_validate.report.console_baseline import gap_lines
from kisaan_validate.report.console_certificate import print_taken

ADDED = "INSERT INTO orders SELECT n, n, 'late' FROM generate_series(4, 9) AS n"


def names(folder: Path) -> set[str]:
    """What lies in a folder, but for the suite and its reports."""
    return {path.name for path in folder.iterdir()} - {"checks", "reports"}


@pytest.fixture
def backup(shop: Shop, scratch: Path) -> Shop:
    """The shop, whose scratch servers live in a folder of their own."""
    assert scratch.is_dir()
    return shop


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for scratch servers, which another account may enter: pytest's own it may not."""
    with tempfile.TemporaryDirectory(prefix="kisaan-backup-") as name:
        Path(name).chmod(0o711)
        monkeypatch.setenv("KISAAN_SCRATCH_DIR", name)
        yield Path(name)


def cli(shop: Shop, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """A command, with the folder for scratch servers."""
    return shop.cli("backup", *words, KISAAN_SCRATCH_DIR=os.environ["KISAAN_SCRATCH_DIR"], **more)


def dumped(shop: Shop, name: str, *options: str) -> Path:
    """A dump by the real pg_dump."""
    path = shop.folder / name
    words = [dumps.pg_dump(shop.server), f"--file={path}", *options, "-d", shop.server.dsn(shop.database)]
    subprocess.run(words, check=True, capture_output=True)
    return path


def test_taken_verified_and_shown(backup: Shop, scratch: Path) -> None:
    """A dump and its baseline are one state, whoever writes meanwhile; the dump is proved good; nothing of the
    scratch server is left, and the database was only read.
    """
    stop = threading.Event()

    def write() -> None:
        connection = backup.server.connect(backup.database)
        with connection.cursor() as cursor:
            number = 100
            while not stop.is_set():
                cursor.execute("INSERT INTO orders VALUES (%s, 1, 'x')", (number,))
                number += 1
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        took = cli(backup, "take", "--dump", "shop.dump", "-o", "pre.json")
    finally:
        stop.set()
        writer.join()
    assert took.returncode == 0, took.stderr
    assert "ACCESS SHARE" in took.stdout
    assert names(backup.folder) == {"shop.dump", "pre.json", "shop.dump.backup.json"}
    assert all((backup.folder / name).stat().st_mode & 0o077 == 0 for name in names(backup.folder))
    record = taken_from_json((backup.folder / "shop.dump.backup.json").read_text())
    assert (record.baseline, record.warnings, record.exit_code) == ("pre.json", (), 0)

    done = cli(backup, "verify", "shop.dump", "--max-age", "1 h")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same snapshot (recorded by backup take)" in done.stdout
    assert list(scratch.iterdir()) == []
    made = certificate_from_json((backup.folder / "shop.dump.certificate.json").read_text())
    assert made.evidence.against is not None
    assert made.evidence.against.digests
    page = (backup.folder / "shop.dump.certificate.html").read_text()
    assert "Good backup" in page
    assert "<script" not in page
    shown = cli(backup, "show", "shop.dump.certificate.json", "-v")
    assert shown.returncode == 0
    assert "limit   Other databases of the server." in shown.stdout


def test_what_a_certificate_says_follows_from_its_evidence(backup: Shop) -> None:
    """A damaged dump is not good, and says why; a certificate that was made green is refused."""
    path = dumped(backup, "shop.sql")
    path.write_bytes(path.read_bytes()[:-200])
    done = cli(backup, "verify", "shop.sql")
    assert done.returncode == 1
    assert "FAIL  Not a good backup" in done.stdout
    file = backup.folder / "shop.sql.certificate.json"
    assert cli(backup, "show", file.name).returncode == 1
    made = json.loads(file.read_text())
    assert made["verdict"] == "FAIL"
    green = made | {"verdict": "PASS", "reasons": []}
    file.write_text(json.dumps(green, indent=1, ensure_ascii=False) + "\n")
    refused = cli(backup, "show", file.name)
    assert refused.returncode == 2
    assert "its verdict does not follow from its evidence" in refused.stderr
    file.write_text(json.dumps(made | {"more": 1}))
    assert cli(backup, "show", file.name).returncode == 2
    with pytest.raises(RecordError, match="was changed"):
        certificate_from_json(json.dumps(made))  # the same facts, reformatted


def test_usage(backup: Shop) -> None:
    """What cannot be begun: exit 2, and nothing is written."""
    for words, said in (
        (("verify", "none.dump"), "there is no dump none.dump"),
        (("verify", "none.dump", "--max-age", "soon"), "is not a duration"),
        (("take", "--dump", "nowhere/x", "-o", "pre.json"), "there is no folder"),
        (("take", "--dump", "x", "-o", "x"), "cannot be one file"),
    ):
        done = cli(backup, *words)
        assert done.returncode == 2, done.stdout
        assert said in done.stderr
    assert names(backup.folder) == set()
    (backup.folder / "there").write_text("x")
    assert "already exists" in cli(backup, "take", "--dump", "there", "-o", "pre.json").stderr


# --- taking: nothing that looks whole ------------------------------------------------------------------------


def test_a_dump_with_errors_is_not_kept(backup: Shop) -> None:
    """pg_dump may not read a table: exit 3, its words, and no file. It says nothing of the data."""
    backup.sql("CREATE TABLE secret (x int)")
    done = cli(backup, "take", "--dump", "shop.dump", "-o", "pre.json")
    assert done.returncode == 3, done.stdout
    assert "permission denied for table secret" in done.stderr
    assert names(backup.folder) == set()


@pytest.mark.slow
@pytest.mark.parametrize("form", ["custom", "plain", "directory"])
def test_a_full_disk_leaves_nothing(backup: Shop, form: str) -> None:
    """No file may grow beyond 16 kB: exit 3, and no file."""
    backup.sql(
        "INSERT INTO orders SELECT n, n, md5(n::text) || md5('a' || n) FROM generate_series(10, 20000) AS n"
    )
    words = [sys.executable, "-m", "kisaan_validate", "backup", "take", "--dump", "shop.dump"]
    done = subprocess.run(
        [*words, "-o", "pre.json", "--format", form],
        cwd=backup.folder,
        env={**os.environ, "KISAAN_DSN": backup.server.dsn(backup.database), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 14, 1 << 14)),
    )
    assert done.returncode == 3, done.stderr
    assert names(backup.folder) == set()


@pytest.mark.parametrize("quiet", [True, False])
def test_what_a_baseline_lacks_is_said(backup: Shop, quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody lets go of a table after the baseline gave it up and before pg_dump asks for it: both are kept,
    exit 3, and the table is named, with --quiet too.
    """
    wish = TakeWish(backup.folder / "shop.dump", backup.folder / "pre.json")
    target = find_target(backup.server.dsn(backup.database))
    taking = Taking(wish, target, lambda _: None, Stop())
    blocker = backup.server.connect(backup.database)

    def released(measured: Run, alive: Any) -> None:
        blocker.close()
        taking(measured, alive)

    with blocker.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE orders")
    options = Options(limits=Limits(lock_timeout=200), compare=Comparing(digests=True), while_held=released)
    measured = run(whole_suite(None, {"public": 2}), target, options=options)
    assert taking.taken is not None
    gaps = gap_lines(baseline_of(measured))
    print_taken(taking.taken, wish.dump, wish.baseline, gaps=gaps, quiet=quiet)
    said = capsys.readouterr().out
    assert "not counted: orders" in said
    assert "take both again" in said
    assert backup_taken_exit_code(measured, taken=True) == 3


def test_a_server_that_may_not_be_used_costs_no_certificate(backup: Shop) -> None:
    """The scratch server named is the database under validation: exit 2, and the certificate stays."""
    assert cli(backup, "take", "--dump", "shop.dump", "-o", "pre.json").returncode == 0
    file = backup.folder / "shop.dump.certificate.json"
    file.write_text("an earlier one")
    done = cli(backup, "verify", "shop.dump", "--scratch-dsn", backup.server.dsn(backup.database))
    assert done.returncode == 2, done.stdout
    assert "database under validation" in done.stderr
    assert file.read_text() == "an earlier one"


def test_a_lost_snapshot_leaves_nothing(backup: Shop) -> None:
    """The session that holds the snapshot is ended before pg_dump joins it: an error, and no file."""
    wish = TakeWish(backup.folder / "shop.dump", backup.folder / "pre.json")
    target = find_target(backup.server.dsn(backup.database))
    taking = Taking(wish, target, lambda _: None, Stop())

    def lost(measured: Run, alive: Any) -> None:
        backup.server.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE datname = '{backup.database}' AND application_name = 'kisaan-validate'"
        )
        wait_until(lambda: not alive())
        taking(measured, alive)

    suite = whole_suite(None, {"public": 2})
    run(suite, target, options=Options(compare=Comparing(digests=True), while_held=lost))
    assert taking.lost
    assert taking.taken is None
    assert taking.dumped is not None
    assert not taking.dumped.good
    assert names(backup.folder) == set()


LEASHED = """import sys
from pathlib import Path
from kisaan_validate.backup.dumping import run_pg_dump
from kisaan_validate.process.stopping import Stop
print("begun", flush=True)
print(run_pg_dump(Path(sys.argv[1]), sys.argv[2:], {}, str, Stop()))
"""


def test_a_killed_command_ends_its_pg_dump(tmp_path: Path) -> None:
    """By SIGKILL, which nothing can hear: pg_dump would go on reading production, and hold its locks. How it ends
    by itself is told as before.
    """
    mark = tmp_path / "mark"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", LEASHED, "/bin/sh", "-c"]
    process = subprocess.Popen([*words, f"sleep 300 & echo $! > {mark}; wait"], env=environment)
    wait_until(lambda: mark.exists() and mark.read_text().endswith("\n"), 60)
    running = Path("/proc") / mark.read_text().strip()
    assert running.exists()
    process.kill()
    process.wait()
    wait_until(lambda: not running.exists(), 30)
    for command, code in (("exit 3", 3), ("echo 'pg_dump: error: no' >&2; exit 1", 1), ("kill -9 $$", 137)):
        done = subprocess.run([*words, command], env=environment, capture_output=True, text=True, check=True)
        assert f"DumpRun(code={code}," in done.stdout, done.stdout
        assert ("errors=('no',)" in done.stdout) is (code == 1)


@pytest.mark.slow
def test_an_interrupted_dump_leaves_nothing(backup: Shop) -> None:
    """SIGINT while pg_dump writes: exit 3, pg_dump is gone, and no file."""
    words = [sys.executable, "-m", "kisaan_validate", "backup", "take", "--dump", "shop.dump"]
    # Little to store, much to write: 30 texts of 32 MB each, all of one letter.
    backup.sql("INSERT INTO orders SELECT n, n, repeat('x', 32000000) FROM generate_series(10, 39) AS n")
    process = subprocess.Popen(
        [*words, "-o", "pre.json", "--format", "plain"],
        cwd=backup.folder,
        env={**os.environ, "KISAAN_DSN": backup.server.dsn(backup.database), "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: (backup.folder / "shop.dump.partial").exists(), 120)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    assert "no dump and no baseline were written" in said
    assert names(backup.folder) == set()
    gone = (
        f"SELECT 1 FROM pg_stat_activity WHERE datname = '{backup.database}' AND application_name = 'pg_dump'"
    )
    wait_until(lambda: backup.server.sql(gone) == [])


def _place(**more: str) -> Place:
    from datetime import UTC, datetime

    given = {"host": "b", "port": "6432", **more}
    return Place(
        given["host"],
        given["port"],
        "shop",
        "r",
        "--dsn",
        "18.6",
        180006,
        "7",
        "UTC",
        in_recovery=False,
        snapshot="0-1",
        lsn="0/0",
        at=datetime.now(UTC),
    )


def test_no_secret_on_the_command_line(tmp_path: Path) -> None:
    """The password and options travel in the environment; the host is the one that answered; one that could
    only be given openly is refused.
    """
    target = Target(
        {
            "host": "a,b",
            "hostaddr": "10.0.0.1,10.0.0.2",
            "password": "s3cret",
            "options": "-c x=y",
            "dbname": "z",
        },
        "--dsn",
    )
    words, secret = words_of(target, _place(), tmp_path / "x", "custom", jobs=4, wait_ms=5)
    assert "s3cret" not in " ".join(words)
    assert secret == {"PGPASSWORD": "s3cret", "PGOPTIONS": "-c x=y"}
    assert "--dbname=host='b' dbname='shop' port='6432'" in words
    assert not any(word.startswith("--jobs") for word in words)
    assert "--jobs=4" in words_of(target, _place(), tmp_path / "x", "directory", jobs=4, wait_ms=5)[0]
    with pytest.raises(TargetError, match="in secret"):
        words_of(Target({"sslpassword": "x"}, "--dsn"), _place(), tmp_path / "x", "custom", jobs=1, wait_ms=5)


def test_pg_dump_is_chosen_by_version() -> None:
    """The nearest that is not older than the server; an older one, or a folder without any, is refused."""
    assert find_pg_dump(180001).major == 18
    assert find_pg_dump(130001).major == (15 if SYSTEM_BIN.exists() else 18)
    for server, named in ((190000, None), (180000, SYSTEM_BIN)):
        with pytest.raises(UsageError, match="no pg_dump of PostgreSQL"):
            find_pg_dump(server, named)


def test_complaints() -> None:
    """Errors and warnings of pg_dump and of servers, without details, which may hold values."""
    errors, warnings = complaints_of(
        "pg_dump: warning: there are circular foreign-key constraints\n"
        "pg_dump: error: Dumping the contents failed\npg_dump: detail: Error message: secret\n"
        "pg_dump: hint: x\nERROR:  permission denied\npg_restore: error: y\nall is well, no error: here\n"
    )
    assert errors == ("Dumping the contents failed", "permission denied", "y")
    assert warnings == ("there are circular foreign-key constraints",)


# --- verifying between two moments -------------------------------------------------------------------------------


@pytest.mark.slow
def test_rows_written_since_are_told_apart(backup: Shop) -> None:
    """Of a later dump: rows above the old maximum are explained; a value that changed cannot be told; a row
    that went fails, unless its table may shrink.
    """
    assert backup.cli("baseline", "-o", "pre.json", "--digests").returncode == 0
    backup.sql(ADDED)
    dumped(backup, "later.dump", "-Fc")
    words = ("--baseline", "pre.json", "--added-since", "orders.id")
    done = cli(backup, "verify", "later.dump", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "another snapshot" in done.stdout
    backup.sql("UPDATE orders SET note = 'changed' WHERE id = 1")
    dumped(backup, "changed.dump", "-Fc")
    done = cli(backup, "verify", "changed.dump", *words)
    assert done.returncode == 3
    assert "cannot tell whether written since" in done.stdout
    backup.sql("DELETE FROM orders WHERE id > 1")
    dumped(backup, "fewer.dump", "-Fc")
    done = cli(backup, "verify", "fewer.dump", *words)
    assert done.returncode == 1
    assert "orders has 2 rows fewer than the baseline" in done.stdout
    assert cli(backup, "verify", "fewer.dump", *words, "--may-shrink", "orders").returncode in {0, 3}


@contextmanager
def _on(server: Server, folder: Path) -> Iterator[Shop]:
    database = server.create()
    server.sql(TABLES.format(name=database), database)
    (folder / "checks").mkdir()
    (folder / "checks" / "orders.py").write_text(SUITE)
    try:
        yield Shop(server, folder, database)
    finally:
        server.drop(database)
        server.sql(f"DROP ROLE reader_{database}")


@pytest.mark.slow
@pytest.mark.parametrize("form", ["custom", "plain", "directory"])
def test_on_15(server15: Server, tmp_path: Path, form: str) -> None:
    """The whole way on PostgreSQL 15, in each format."""
    with _on(server15, tmp_path) as shop:
        took = cli(shop, "take", "--dump", "shop.dump", "-o", "pre.json", "--format", form)
        assert took.returncode == 0, took.stderr
        done = cli(shop, "verify", "shop.dump")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_size_and_age_beside_earlier_ones(backup: Shop) -> None:
    """A second dump names the first, its size, and that its certificate expired in time."""
    assert cli(backup, "take", "--dump", "a.dump", "-o", "a.json").returncode == 0
    assert cli(backup, "verify", "a.dump").returncode == 0
    backup.sql(ADDED)
    assert cli(backup, "take", "--dump", "b.dump", "-o", "b.json").returncode == 0
    done = cli(backup, "verify", "b.dump", "--newest", "orders.id", "--newest", "orders.none")
    assert done.returncode == 0, done.stdout
    assert "times the" in done.stdout
    assert "of a.dump" in done.stdout
    assert "newest row: orders.id 9" in done.stdout
    file = backup.folder / "a.dump.certificate.json"
    old = file.read_text().replace('"made_at": "20', '"made_at": "19')
    file.write_text(old)
    shown = cli(backup, "show", "a.dump.certificate.json")
    assert shown.returncode == 3
    assert "expired on 19" in shown.stdout


def test_signed(backup: Shop) -> None:
    """A certificate that is not good can only be rejected; a signature counts for its certificate alone, by a key
    that is allowed.
    """
    key = backup.folder / "key"
    words = [needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(words, check=True, capture_output=True)
    (backup.folder / "allowed").write_text(f"asha {(backup.folder / 'key.pub').read_text()}")
    (backup.folder / "shop.dump").write_bytes(b"")
    assert cli(backup, "verify", "shop.dump").returncode == 1
    file = "shop.dump.certificate.json"
    mine = ("sign", file, "--as", "asha", "--key", "key", "--reason", "drill")
    refused = cli(backup, *mine)
    assert refused.returncode == 2
    assert "was not proved to be good" in refused.stderr
    assert cli(backup, *mine, "--reject").returncode == 0
    shown = cli(backup, "show", file, "--allowed-signers", "allowed").stdout
    assert "rejected by asha" in shown
    assert "signature holds" in shown
    assert "no allowed signers file" in cli(backup, "show", file).stdout
    assert cli(backup, "verify", "shop.dump").returncode == 1
    again = cli(backup, "show", file, "--allowed-signers", "allowed").stdout
    assert "does not count: it is of another certificate" in again


# --- a dump in the place of a baseline ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_run_beside_a_dump(backup: Shop, scratch: Path) -> None:
    """The night when nobody took a baseline: exactly what changed is listed, and that it was a dump is said."""
    path = dumped(backup, "shop.sql")
    packed = backup.folder / "shop.sql.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    backup.sql("UPDATE orders SET note = NULL WHERE id = 1")
    done = backup.cli("run", "--baseline", packed.name, KISAAN_SCRATCH_DIR=str(scratch))
    assert "before is the dump shop.sql.gz" in done.stdout, done.stdout + done.stderr
    differs = [line for line in done.stdout.splitlines() if line.startswith("differs")]
    assert len(differs) == 1
    assert differs[0].startswith("differs      orders: values of note changed: digest differs;")
    assert list(scratch.iterdir()) == []
    assert backup.cli("verify", str(backup.run_folder)).returncode in {0, 3}
    packed.write_bytes(packed.read_bytes()[:-30])
    refused = backup.cli("run", "--baseline", packed.name, KISAAN_SCRATCH_DIR=str(scratch))
    assert refused.returncode == 2
    assert "is not whole" in refused.stderr


def test_a_dump_is_told_from_a_baseline(tmp_path: Path) -> None:
    """By its first bytes, never by its name; a baseline may hold any words."""
    cases = {
        b"PGDMP\x01": True,
        b"\x1f\x8b\x08": True,
        b"\x28\xb5\x2f\xfd": True,
        b"--\n-- PostgreSQL database dump\n--\n": True,
        b'{\n "kind": "baseline", "x": "PostgreSQL database dump"': False,
        b"": False,
        b"something else": False,
    }
    for data, expected in cases.items():
        (tmp_path / "file").write_bytes(data)
        assert is_dump(tmp_path / "file") is expected, data
    assert is_dump(tmp_path)
    assert not is_dump(tmp_path / "none")
