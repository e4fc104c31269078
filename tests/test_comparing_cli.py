"""Before and after on the command line: baseline, contract, whose fault it is, a snapshot held for a dump."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time

import pytest
from conftest import ROOT, SYSTEM_BIN, Server, missing
from shop import Shop

CONTRACT = """
format = 1
name = "wider money"

[[promise]]
id = "wide"
kind = "retyped"
column = "orders.total"
to = "numeric(18,2)"

[[promise]]
id = "rows"
kind = "rows_unchanged"
tables = ["orders", "other"]
"""


def _prepared(shop: Shop, contract: str = CONTRACT) -> None:
    (shop.folder / "contract.toml").write_text(contract)
    taken = shop.cli("baseline", "-o", "pre.json", "--contract", "contract.toml")
    assert taken.returncode == 0, taken.stdout + taken.stderr


def _after(shop: Shop, *words: str) -> subprocess.CompletedProcess[str]:
    return shop.cli("run", "--baseline", "pre.json", "--contract", "contract.toml", *words)


def _lines(shown: subprocess.CompletedProcess[str]) -> list[str]:
    return shown.stdout.splitlines()


def test_the_answer_comes_first_a_kept_contract_passes(shop: Shop) -> None:
    """Directly below the target: since the baseline, there before, cannot tell. Kept and explained is exit
    0.
    """
    _prepared(shop)
    (shop.folder / "checks" / "orders.py").write_text(
        (shop.folder / "checks" / "orders.py").read_text().replace('"precision": 12', '"precision": 18')
    )
    shop.sql("ALTER TABLE orders ALTER total TYPE numeric(18,2)")
    shown = _after(shop)
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert _lines(shown)[1:3] == ["since the baseline: nothing", "already wrong before: nothing"]
    # The suite went along with the migration: a check that was rewritten is named, and judged as it is now.
    assert not [line for line in _lines(shown) if line.startswith("cannot tell  ")]
    assert [line for line in _lines(shown) if line.startswith("rewritten  ")] == [
        "rewritten  check orders.total.type changed since the baseline; judged as now written"
    ]
    assert "3 kept" in shown.stdout
    folder = shop.run_folder
    assert {p.name for p in folder.iterdir()} == {
        "run.json",
        "report.html",
        "baseline.json",
        "contract.toml",
        "suite",
    }
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.rglob("*") if p.is_file()} == {0o600}
    again = (folder / "report.html").read_text()
    assert shop.cli("report", str(folder), dsn=False).returncode == 0
    assert (folder / "report.html").read_text() == again
    (folder / "contract.toml").write_text(CONTRACT.replace("18,2", "19,2"))
    assert "is not the contract of this run" in shop.cli("report", str(folder), dsn=False).stderr


def test_a_migration_that_did_nothing_does_not_pass(shop: Shop) -> None:
    """Promised but not done is exit 1, however green the checks are."""
    _prepared(shop)
    shown = _after(shop)
    assert shown.returncode == 1
    assert _lines(shown)[1] == "since the baseline: 1 promised but not done"
    assert "it is still numeric(12,2)" in shown.stdout


def test_a_difference_that_nobody_promised_fails(shop: Shop) -> None:
    """A changed value, with every check green and every promise kept, is unexplained: exit 1, with before
    and after.
    """
    _prepared(shop, CONTRACT.replace("18,2", "12,2"))
    shop.sql("UPDATE orders SET total = 11 WHERE id = 1")
    shown = _after(shop)
    assert shown.returncode == 1
    assert _lines(shown)[1] == "since the baseline: 2 unexplained differences"
    assert [line for line in _lines(shown) if line.startswith("unexplained")] == [
        (
            "unexplained  orders: values of total changed: smallest: 10.00 → 11.00 (+1.00); "
            "sum: 60.00 → 61.00 (+1.00)"
        )
    ]


@pytest.mark.slow
def test_fail_on_new_separates_what_came_from_what_was_there(shop: Shop) -> None:
    """An old failure fails a run, but not one that asks for new ones; a new row among the failing ones
    does.
    """
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    assert shop.cli("run", "--baseline", "pre.json").returncode == 1
    old = shop.cli("run", "--baseline", "pre.json", "--fail-on", "new")
    assert old.returncode == 0, old.stdout
    assert _lines(old)[1:3] == ["since the baseline: nothing", "already wrong before: 1 check failing"]
    assert "only new failures count" in old.stdout
    # The same number of failing rows, but another row: new.
    shop.sql("UPDATE orders SET total = abs(total); UPDATE orders SET total = -1 WHERE id = 3")
    new = shop.cli("run", "--baseline", "pre.json", "--fail-on", "new")
    assert new.returncode == 1
    assert _lines(new)[1] == "since the baseline: 1 check failing; 2 differences, judged by no contract"
    assert "1 of the rows did not fail before" in " ".join(new.stdout.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--contract", "contract.toml"], "--contract needs --baseline"),
        (["run", "--fail-on", "new"], "--fail-on new needs --baseline"),
        (["run", "--fail-on", "old"], "Invalid value"),
        (["run", "--baseline", "pre.json", "--contract", "nope.toml"], "cannot read nope.toml"),
        (["baseline", "-o", "x.json", "--contract", "nope.toml"], "cannot read nope.toml"),
        (["baseline", "show", "nope.json"], "cannot read nope.json"),
        (["run", "--waivers", "nope.toml"], "cannot read nope.toml"),
    ],
)
def test_bad_words_are_exit_2(shop: Shop, words: list[str], said: str) -> None:
    """What cannot be judged is said before the database is asked."""
    _prepared(shop)
    shown = shop.cli(*words)
    assert shown.returncode == 2, shown.stdout
    assert said in shown.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("format = 1", "format = 2"), "contract.toml: format: must be 1"),
        (("[[promise]]", "[[promis]]"), "did you mean 'promise'"),
        (('kind = "retyped"', 'kind = "retype"'), "contract.toml: promise wide: unknown kind 'retype'"),
        (('to = "numeric(18,2)"', 'too = "numeric(18,2)"'), "retyped has no 'too'"),
        (('to = "numeric(18,2)"', ""), "retyped needs 'to'"),
        (
            ('to = "numeric(18,2)"', 'to = "numeric(18,2)"\nusing = "total; DROP TABLE orders"'),
            "contract.toml: promise wide",
        ),
        (
            ('to = "numeric(18,2)"', 'to = "numeric(18,2)"\nusing = "total + (SELECT 1)"'),
            "must not contain a subquery",
        ),
        (('id = "rows"', 'id = "wide"\ncheck = "x"'), "rows_unchanged has no 'check'"),
        (
            (
                'kind = "rows_unchanged"\ntables = ["orders", "other"]',
                'kind = "fixed"\ncheck = "orders.totl.type"',
            ),
            "there is no check",
        ),
        (('tables = ["orders", "other"]', "tables = []"), "promise rows: tables: must not be empty"),
        (("format = 1", "format ="), "not valid TOML"),
    ],
)
def test_a_broken_contract_is_refused_by_file_and_promise(
    shop: Shop, change: tuple[str, str], said: str
) -> None:
    """A slip in a contract must not look like a promise that was kept."""
    assert CONTRACT.replace(*change) != CONTRACT
    (shop.folder / "contract.toml").write_text(
        CONTRACT.replace(*change, 1) if change[0] == "[[promise]]" else CONTRACT.replace(*change)
    )
    shown = shop.cli("baseline", "-o", "pre.json", "--contract", "contract.toml")
    assert shown.returncode == 2, shown.stdout
    assert said in shown.stderr
    assert not (shop.folder / "pre.json").exists()


def test_baseline_show_reads_it_to_people(shop: Shop) -> None:
    """Of which database, when, every table with its rows; with -v every column's figures; no database is
    needed.
    """
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    _prepared(shop)
    shown = shop.cli("baseline", "show", "pre.json", dsn=False)
    assert shown.returncode == 0, shown.stderr
    for said in (shop.database, "orders", "other", "failing", "orders.total.greater_than_or_equal_to"):
        assert said in shown.stdout
    verbose = shop.cli("baseline", "show", "-v", "pre.json", dsn=False)
    assert "39.00" in verbose.stdout
    assert "numeric(12,2)" in verbose.stdout


@pytest.mark.slow
def test_a_held_snapshot_and_a_dump_are_of_one_instant(server: Server, shop: Shop) -> None:
    """baseline --hold names a snapshot; what is written meanwhile is neither in the baseline nor in
    pg_dump --snapshot.
    """
    program = shutil.which("pg_dump", path=f"{SYSTEM_BIN}:{os.environ['PATH']}")
    if program is None:
        missing("pg_dump is missing: apt-get install postgresql-client")
    process = _holding(shop)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(6)]
    (snapshot,) = {
        word.partition("=")[2] for line in lines for word in line.split() if word.startswith("--snapshot=")
    }
    shop.sql("INSERT INTO orders VALUES (4, 40, 'late')")
    exporting = (
        f"BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{snapshot}'; SELECT "
        f"count(*) FROM orders"
    )
    assert shop.server.sql(exporting, shop.database) == [(3,)]
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "the snapshot is released" in out
    rows = {t["name"]: t["rows"] for t in json.loads((shop.folder / "pre.json").read_text())["tables"]}
    assert rows["orders"] == 3


@pytest.mark.slow
def test_a_held_snapshot_that_is_lost_is_said(shop: Shop) -> None:
    """If the session that holds it dies, the command ends with exit 3 and says that a dump is of another
    instant.
    """
    process = _holding(shop)
    assert process.stdout is not None
    for _ in range(6):
        process.stdout.readline()
    time.sleep(0.3)
    shop.server.sql(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{shop.database}'"
    )
    _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert "was lost" in err


def _holding(shop: Shop) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "KISAAN_DSN": shop.server.dsn(shop.database, shop.role),
        "PYTHONUNBUFFERED": "1",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", "baseline", "-o", "pre.json", "--hold"],
        cwd=shop.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
