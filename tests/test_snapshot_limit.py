"""No snapshot is held longer than it may be; how long it was is said, and what that means for everybody
else.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from conftest import Server, slack
from shop import Shop

from kisaan_validate import declare as d
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.ops.config import load_config
from kisaan_validate.postgres.session import Limits
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of

SLOW = "CREATE VIEW slow AS SELECT g AS v FROM generate_series(1, 2000000000) AS g"
"""Reading it takes longer than any test."""

LIMIT = 2
"""Seconds."""


def test_past_its_limit_a_run_stops_and_keeps_what_it_has(server: Server, database: str) -> None:
    """What was measured is there, what was not is named with the reason, and nothing is green."""
    server.sql(f"CREATE TABLE quick AS SELECT 1 AS v; {SLOW}", database)
    suite = suite_of(d.holds("quick", "v > 0", id="quick"), d.holds("slow", "v > 0", id="slow"))
    started = time.monotonic()
    done = run(suite, server.dsn(database), options=Options(jobs=2, limits=Limits(snapshot_seconds=LIMIT)))
    assert time.monotonic() - started < LIMIT + 10 + slack()
    found = {r.check_id: r.status for r in done.results}
    assert found == {"quick": Status.PASS, "slow": Status.ERROR}
    assert done.verdict is Verdict.INCONCLUSIVE
    assert done.interrupted == "the snapshot was held for 2 s, as long as [limits] snapshot allows"
    assert done.held_seconds >= LIMIT
    assert not server.sql(
        f"SELECT pid FROM pg_stat_activity WHERE datname = '{database}' AND state = 'active'"
    )


@pytest.mark.parametrize(
    "command", ["run", "diff", *(pytest.param(name, marks=pytest.mark.slow) for name in ("baseline", "init"))]
)
def test_every_command_keeps_to_the_limit(shop: Shop, command: str) -> None:
    """Each ends by itself, soon after the limit, with exit code 3 and the reason."""
    # The table is locked from when the snapshot is there: what reads it waits for longer than the limit.
    shop.sql("INSERT INTO orders SELECT g, g, repeat('x', 50) || g FROM generate_series(10, 400000) AS g")
    shop.sql(f"{SLOW}; GRANT SELECT ON slow TO {shop.role}")
    (shop.folder / "kisaan.toml").write_text('[limits]\nsnapshot = "1 s"\n')
    (shop.folder / "checks" / "slow.py").write_text(
        'from kisaan_validate import declare\ndeclare.holds("slow", "v > 0")\n'
    )
    if command in {"diff", "init"}:
        # A table of which each row takes a while, so that one statement lasts.
        shop.sql("CREATE TABLE long (id int PRIMARY KEY, v text)")
        shop.sql("INSERT INTO long SELECT g, repeat(md5(g::text), 4000) FROM generate_series(1, 6000) AS g")
        shop.sql(f"GRANT SELECT ON long TO {shop.role}")
    other = shop.server.create(template=shop.database) if command == "diff" else ""
    if other:
        shop.server.sql("UPDATE long SET v = v || 'x'; UPDATE orders SET note = note || 'y'", other)
    words = {
        "run": ["run"],
        "baseline": ["baseline", "-o", "b.json"],
        "init": ["init", "--output", "draft"],
        "diff": [
            "diff",
            "--before",
            shop.server.dsn(shop.database),
            "--after",
            shop.server.dsn(other or "postgres"),
        ],
    }[command]
    started = time.monotonic()
    ended = shop.cli(*words)
    said = ended.stdout + ended.stderr
    assert time.monotonic() - started < 60
    assert (ended.returncode, "the snapshot was held for 1 s" in said) == (3, True), said
    if command == "baseline":
        assert not (shop.folder / "b.json").exists()
    if other:
        shop.server.drop(other)


@pytest.mark.slow
def test_how_long_it_was_held_is_said(shop: Shop) -> None:
    """In the record, on the page, and by doctor what the limit is."""
    done = shop.cli("run")
    (folder,) = [path for path in (shop.folder / "reports").iterdir() if path.is_dir()]
    assert re.search(r'"held_seconds":[1-9]', (folder / "run.json").read_text())
    assert "VACUUM could not remove rows" in (folder / "report.html").read_text()
    assert done.returncode == 0
    assert "there is no limit" in shop.cli("doctor").stdout
    (shop.folder / "kisaan.toml").write_text('[limits]\nsnapshot = "2 h"\n')
    assert "released after 7,200 s" in shop.cli("doctor").stdout


def test_a_long_snapshot_is_said_on_the_console(
    server: Server, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it was held for more than some seconds."""
    from kisaan_validate.report.console import print_run
    from kisaan_validate.verdict.judgement import judge

    server.sql("CREATE TABLE quick AS SELECT 1 AS v", database)
    done = run(suite_of(d.holds("quick", "v > 0")), server.dsn(database))
    print_run(judge(replace(done, held_seconds=1_234)), None, quiet=False, verbose=False)
    assert "the snapshot was held for 1,234 s" in capsys.readouterr().out


@pytest.mark.parametrize("value", ['"soon"', "15", '"0.5 h"', '"-1 s"'])
def test_the_limit_is_a_duration(tmp_path: object, value: str) -> None:
    """Written as every other limit."""
    from pathlib import Path

    file = Path(str(tmp_path)) / "kisaan.toml"
    file.write_text(f"[limits]\nsnapshot = {value}\n")
    with pytest.raises(UsageError, match=r"\[limits\]\.snapshot: must be a duration"):
        load_config(file)
    file.write_text('[limits]\nsnapshot = "15 min"\n')
    assert load_config(file).snapshot_seconds == 900
