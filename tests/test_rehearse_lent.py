"""``rehearse --scratch-dsn``: a server that was lent is asked whether a tape can be made before anything is
restored, and is given back as it was.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from shop import Shop
from test_rehearse_cli import GOOD, place, rehearse, write

from kisaan_validate.scratch.adopted import adopt
from kisaan_validate.scratch.installation import choose
from kisaan_validate.scratch.server import Scratch, scratch_server

__all__ = ["place"]

MADE = "SELECT (SELECT count(*) FROM pg_database), (SELECT count(*) FROM pg_roles WHERE oid >= 16384)"
OVERALL = (
    "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' ORDER BY 1"
)
LENT = {"listen_addresses": "127.0.0.1", "wal_level": "replica"}


@contextmanager
def lender(**settings: str) -> Iterator[tuple[Scratch, str]]:
    """A server that was adopted, and how it is reached."""
    with scratch_server(choose(), settings={**LENT, **settings}) as lent:
        for (role,) in lent.execute("SELECT rolname::text FROM pg_roles WHERE oid >= 16384"):
            lent.execute(f"DROP ROLE {role}")
        dsn = lent.dsn("postgres", "postgres")
        adopt(dsn)
        yield lent, dsn


def lent_rehearsal(place: Shop, dsn: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A short rehearsal on that server."""
    write(place, GOOD)
    base = ("--migrations", "migrations", "--interruptions", "1", "--open-reader", "0", "-o", "out")
    return rehearse(place, *base, "--scratch-dsn", dsn, *words)


def test_a_lent_server_without_a_readable_log_is_refused_first(place: Shop) -> None:
    """Exit 2 before the dump is restored, with what is needed; nothing is made or set there, and no password
    is said.
    """
    with lender() as (lent, dsn):
        before = lent.execute(MADE)
        done = lent_rehearsal(place, dsn)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "error: the scratch server writes no log as CSV" in done.stderr
        assert "HINT: start it with logging_collector = on, log_destination = csvlog" in done.stderr
        assert "restore the dump" not in done.stdout
        assert (lent.execute(MADE), lent.execute(OVERALL)) == (before, [])
        assert dsn.partition("password=")[2].strip("'") not in done.stdout + done.stderr
    assert not (place.folder / "out").exists()


@pytest.mark.slow
def test_a_lent_server_keeps_its_own_settings(place: Shop) -> None:
    """It logs as its owner wants by ALTER SYSTEM: the rehearsal works, and at the end that still stands."""
    with lender() as (lent, dsn):
        lent.restart(logging_collector="on", log_destination="csvlog")
        before: Any = (lent.execute(MADE), lent.execute(OVERALL))
        assert {name for name, _ in before[1]} == {"logging_collector", "log_destination"}
        done = lent_rehearsal(place, dsn)
        assert done.returncode == 3, done.stdout + done.stderr
        assert "step     migrate under the tape" in done.stdout
        assert "fails " not in done.stdout
        assert (lent.execute(MADE), lent.execute(OVERALL)) == before
