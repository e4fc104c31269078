"""--lock: one run of a suite on a database at a time, on this host and on all others; whatever ends a run
ends its locks.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from conftest import ROOT, Server, wait_until
from gates import gate_in
from shop import Shop

from kisaan_validate.errors import AlreadyRunning, RecordError, TargetError
from kisaan_validate.postgres.lock import advisory_lock, lock_key
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.record.filelock import file_lock

GATED = """
from kisaan_validate import declare
declare.holds('other', "x IS NULL OR pg_advisory_xact_lock_shared(7)::text = ''", volatile='pg_advisory_xact_lock_shared', id='gate')
"""


def _target(shop: Shop) -> Target:
    return find_target(shop.server.dsn(shop.database, shop.role))


def _begun(shop: Shop, *words: str) -> subprocess.Popen[str]:
    """A command that runs beside the test."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": shop.server.dsn(shop.database, shop.role)}
    return subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", *words],
        cwd=shop.folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def gated(shop: Shop) -> Shop:
    """A shop of which one check waits for the test, and can wait for long."""
    (shop.folder / "checks" / "gate.py").write_text(GATED)
    (shop.folder / "kisaan.toml").write_text("[run]\nlock_timeout_ms = 60000\n")
    shop.sql("INSERT INTO other VALUES (1)")
    return shop


def _key(shop: Shop) -> int:
    return lock_key("checks", shop.database)


def _lock_file(shop: Shop) -> Path:
    return shop.folder / "reports" / f".lock-{_key(shop) & 0xFFFFFFFFFFFFFFFF:016x}"


def _pids(pid: int) -> list[int]:
    """A command and the process that does its work (``cli.supervise``)."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def test_the_second_run_ends_with_6_and_says_who_is_first(gated: Shop) -> None:
    """Run and baseline exclude each other, from another folder of reports too; without --lock nobody is
    refused; afterwards all is free.
    """
    with gate_in(gated.server, gated.database) as gate:
        first = _begun(gated, "run", "-q", "--lock")
        gate.reached()
        for words in (
            ("run", "--lock"),
            ("run", "--lock", "--reports", "elsewhere"),
            ("baseline", "--lock", "-o", "pre.json"),
        ):
            shown = gated.cli(*words)
            assert shown.returncode == 6, shown.stdout + shown.stderr
            assert f"suite 'checks' is already running against database '{gated.database}'" in shown.stderr
            assert any(
                f"pid {pid} on {socket.gethostname()}"[:40] in shown.stderr for pid in _pids(first.pid)
            )
            assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shown.stderr)
            assert "HINT: wait" in shown.stderr
            assert "Traceback" not in shown.stderr
        assert not (gated.folder / "elsewhere").exists()
        assert not (gated.folder / "pre.json").exists()
        gate.open()
        out, err = first.communicate(timeout=60)
        assert first.returncode == 0, out + err
        assert gated.cli("run", "-q", "--lock").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whatever_ends_a_run_ends_its_locks(gated: Shop, number: int) -> None:
    """Killed, terminated or interrupted: the file that stays blocks nobody, and the server lets go."""
    with gate_in(gated.server, gated.database) as gate:
        first = _begun(gated, "run", "-q", "--lock")
        gate.reached()
        first.send_signal(number)
        first.communicate(timeout=30)
        assert first.returncode == (3 if number != signal.SIGKILL else -9)
        assert _lock_file(gated).exists()
        with advisory_lock_when_free(gated), file_lock(_lock_file(gated), "the suite"):
            pass


def advisory_lock_when_free(shop: Shop) -> AbstractContextManager[object]:
    """The lock, once the server has seen that its holder is gone."""
    held = (
        f"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid::bigint = "
        f"{_key(shop) & 0xFFFFFFFF}"
    )
    wait_until(lambda: shop.server.sql(held, shop.database) == [(0,)], 10)
    return advisory_lock(_target(shop), Limits(), {}, "checks")


def test_two_processes_of_one_host_are_told_apart_by_a_file(shop: Shop) -> None:
    """With the server's lock out of reach (a standby and its primary know nothing of each other's), the
    file still excludes.
    """
    with file_lock(_lock_file(shop), "the suite"):
        shown = shop.cli("run", "--lock")
    assert shown.returncode == 6
    assert f"process {os.getpid()} on {socket.gethostname()}, since 20" in shown.stderr
    assert _lock_file(shop).stat().st_mode & 0o777 == 0o600


def test_the_lock_reads_only_and_holds_nothing_back(shop: Shop) -> None:
    """A role with SELECT alone may take it; while it is held there is no snapshot and no transaction id:
    VACUUM goes on.
    """
    with advisory_lock(_target(shop), Limits(), {}, "checks") as held:
        sql = "SELECT backend_xid, backend_xmin, state, application_name FROM pg_stat_activity WHERE pid = "
        ((xid, xmin, state, name),) = shop.server.sql(sql + str(held.session.backend_pid), shop.database)
        assert (xid, xmin, state) == (None, None, "idle in transaction")
        assert name.startswith(f"kisaan-validate --lock, pid {os.getpid()} on ")
        shop.sql("CREATE TABLE fresh (x int); DROP TABLE fresh")
        assert not held.lost


def test_other_suites_and_databases_are_not_in_the_way(shop: Shop) -> None:
    """The key is that of suite and database; the same lock in the same process is refused too; an error
    lets go of it.
    """
    other = shop.server.create()
    with advisory_lock(_target(shop), Limits(), {}, "checks"):
        with advisory_lock(_target(shop), Limits(), {}, "other suite"):
            pass
        with advisory_lock(find_target(shop.server.dsn(other)), Limits(), {}, "checks"):
            pass
        with pytest.raises(AlreadyRunning), advisory_lock(_target(shop), Limits(), {}, "checks"):
            pass
    with pytest.raises(ZeroDivisionError), advisory_lock_when_free(shop):
        raise ZeroDivisionError
    with advisory_lock_when_free(shop):
        pass
    shop.server.drop(other)


def test_what_a_role_may_not_know_is_said(shop: Shop) -> None:
    """Another role sees that it is held and by which program, and that it may not see since when."""
    shop.sql(f"CREATE ROLE curious_{shop.database} LOGIN")
    curious = find_target(shop.server.dsn(shop.database, f"curious_{shop.database}"))
    try:
        owner = find_target(shop.server.dsn(shop.database))
        with (
            advisory_lock(owner, Limits(), {}, "checks"),
            pytest.raises(AlreadyRunning) as caught,
            advisory_lock(curious, Limits(), {}, "checks"),
        ):
            pass
        assert f"kisaan-validate --lock, pid {os.getpid()}" in caught.value.fact
        assert "start time hidden from this role" in caught.value.fact
    finally:
        shop.sql(f"DROP ROLE curious_{shop.database}")


def test_the_key_is_the_documented_one(server: Server) -> None:
    """The first eight bytes of SHA-256 over program, suite and database, with zero bytes between, as
    PostgreSQL computes it too.
    """
    text = (
        r"convert_to('kisaan-validate', 'UTF8') || '\x00'::bytea || convert_to('Läden', 'UTF8') || "
        r"'\x00'::bytea || convert_to('prod', 'UTF8')"
    )
    sql = f"SELECT ('x' || substr(encode(sha256({text}), 'hex'), 1, 16))::bit(64)::bigint"
    assert server.sql(sql) == [(lock_key("Läden", "prod"),)]
    assert lock_key("a", "bc") != lock_key("ab", "c")


def test_an_unexpected_database_is_not_even_locked(shop: Shop) -> None:
    """[target] expect comes first."""
    with (
        pytest.raises(TargetError, match="expect says production"),
        advisory_lock(_target(shop), Limits(), {"database": "production"}, "checks"),
    ):
        pass


@pytest.mark.slow
def test_a_lock_that_was_lost_is_said(gated: Shop) -> None:
    """If the server ends the session of the lock, the run is still right, and says that another may have
    gone on beside it.
    """
    with gate_in(gated.server, gated.database) as gate:
        first = _begun(gated, "run", "-q", "--lock")
        gate.reached()
        ended = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE "
            "'kisaan-validate --lock%'"
        )
        assert gated.server.sql(ended, gated.database) == [(True,)]
        gate.open()
        _, err = first.communicate(timeout=60)
        assert first.returncode == 0, err
        assert "the session that held the lock was lost" in err


@pytest.mark.parametrize("trap", ["file", "folder", "link"])
def test_a_lock_file_that_cannot_be_had_is_said(tmp_path: Path, trap: str) -> None:
    """A file in place of the folder, a folder in its own place, a link that leads elsewhere: refused,
    and nothing is overwritten.
    """
    path = tmp_path / "reports" / ".lock"
    if trap == "file":
        (tmp_path / "reports").write_text("in place")
    elif trap == "folder":
        path.mkdir(parents=True)
    else:
        path.parent.mkdir()
        (tmp_path / "precious").write_text("precious")
        path.symlink_to(tmp_path / "precious")
    said = "is not a folder" if trap == "file" else "cannot lock"
    with pytest.raises(RecordError, match=said), file_lock(path, "x"):
        pass
    assert trap != "link" or (tmp_path / "precious").read_text() == "precious"


@pytest.mark.parametrize("left", [b"", b"\xff\x00\x1b[31mrubbish\n" * 100, b"process 1 on x, since 2001"])
def test_a_file_that_was_left_behind_blocks_nobody(tmp_path: Path, left: bytes) -> None:
    """Only the kernel's lock counts; what stands in the file is shown without control characters."""
    path = tmp_path / ".lock"
    path.write_bytes(left)
    with file_lock(path, "x"):
        path.write_bytes(left)
        with pytest.raises(AlreadyRunning) as caught, file_lock(path, "x"):
            pass
        assert caught.value.fact.isprintable()
    with file_lock(path, "x"):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
