"""The command line as people use it: output, exit codes, files, bad input. Every command runs as its own
process.
"""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import redirect_stdout
from io import StringIO

import pytest
from conftest import ROOT, wait_until
from helpers import sessions_ended
from shop import Shop

from kisaan_validate.cli.main import COMMANDS, main


def test_help_lists_every_command_and_every_exit_code(shop: Shop) -> None:
    """--help is the contract: each command, each exit code with its meaning."""
    from kisaan_validate.cli.exits import MEANINGS

    shown = shop.cli("--help", dsn=False)
    assert shown.returncode == 0
    for word in (*COMMANDS, *(f"{code}  {meaning.split(':')[0]}" for code, meaning in MEANINGS.items())):
        assert word in shown.stdout
    assert "Usage:" in shop.cli("run", "--help", dsn=False).stdout
    for name in COMMANDS:
        with redirect_stdout(StringIO()) as said:
            assert main([name, "--help"]) == 0
        assert f"Usage: kisaan-validate {name}" in said.getvalue()


def test_a_slip_in_a_name_is_answered_with_the_name(shop: Shop) -> None:
    """A command that is not known is exit 2 and names the nearest; what is near nothing gets no guess."""
    slip, far = shop.cli("rum", dsn=False), shop.cli("xyz", dsn=False)
    assert (slip.returncode, far.returncode) == (2, 2)
    assert "No such command 'rum'. Did you mean 'run'?" in slip.stderr
    assert "Did you mean" not in far.stderr


def test_help_loads_nothing_heavy(shop: Shop) -> None:
    """--help must answer at once: it imports neither pandas, pandera, SQLAlchemy nor psycopg2."""
    code = (
        "import sys; from kisaan_validate.cli.main import main; main(['--help']);"
        "print(sorted(m for m in ('pandas','pandera','sqlalchemy','psycopg2','jinja2','rich','pydantic') "
        "if m in sys.modules))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert shown.stdout.strip().endswith("[]")


def test_a_pass_is_exit_0_names_its_target_first_and_writes_private_files(shop: Shop) -> None:
    """A passing run: target first, verdict, report; run.json and report.html exist, mode 0600."""
    shown = shop.cli("run", fresh=True)
    assert shown.returncode == 0, shown.stderr
    first = shown.stdout.splitlines()[0]
    assert first.startswith("target")
    assert f"/{shop.database}" in first
    assert shop.role in first
    assert "KISAAN_DSN" in first
    assert "PASS" in shown.stdout
    assert f"{shop.run_folder}/report.html".endswith(
        shown.stdout.strip().splitlines()[-1].split()[-1].removeprefix("/")
    )
    for name in ("run.json", "report.html"):
        assert stat.S_IMODE((shop.run_folder / name).stat().st_mode) == 0o600
    assert "\x1b[" not in shown.stdout + shown.stderr, "nothing is coloured or animated without a terminal"


def test_a_blocking_failure_is_exit_1_a_warning_is_not(shop: Shop) -> None:
    """Only blocking failures fail a run; the warning is still shown."""
    shop.sql("UPDATE orders SET note = 'a'")
    warned = shop.cli("run")
    assert warned.returncode == 0
    assert "orders.note.unique" in warned.stdout
    assert "2 in 3" in warned.stdout
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    failed = shop.cli("run")
    assert failed.returncode == 1
    assert "orders.total.greater_than_or_equal_to" in failed.stdout
    assert "1 of 3" in failed.stdout


def test_an_unanswered_check_is_exit_3_but_a_known_failure_outranks_it(shop: Shop) -> None:
    """A revoked right makes the run inconclusive, never a pass; a blocking failure elsewhere still fails
    it.
    """
    (shop.folder / "checks" / "other.py").write_text(
        "from kisaan_validate import declare\ndeclare.holds('other', 'x > 0')\n"
    )
    shop.sql(f"INSERT INTO other VALUES (1); REVOKE SELECT ON other FROM {shop.role}")
    shown = shop.cli("run")
    assert shown.returncode == 3
    assert "INCONCLUSIVE" in shown.stdout
    assert "42501" in (shop.run_folder / "run.json").read_text()
    shop.sql("UPDATE orders SET total = -1")
    assert shop.cli("run").returncode == 1


def test_nothing_checked_is_exit_5(shop: Shop) -> None:
    """A suite of which nothing applies proves nothing, and says so by its own exit code."""
    (shop.folder / "checks" / "orders.py").write_text(
        "from kisaan_validate import declare\ndeclare.holds('nope', 'x > 0', applies='table nope')\n"
    )
    shown = shop.cli("run")
    assert shown.returncode == 5
    assert "INCONCLUSIVE" in shown.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--suite", "nowhere"], "no folder 'nowhere'"),
        (["run", "--select", "orders.totl*"], "matches no check"),
        (["run", "--config", "nope.toml"], "no such configuration file: nope.toml"),
        (["run", "--baseline", "nope.json"], "cannot read nope.json"),
        (["run", "--jobs", "0"], "--jobs"),
        (["run", "--nope"], "No such option"),
        (["runn"], "No such command"),
        (["report", "nope"], "cannot read nope"),
        (["baseline"], "--output"),
    ],
)
def test_bad_usage_is_exit_2_with_a_clear_word(shop: Shop, words: list[str], said: str) -> None:
    """Bad input never looks like a result: exit 2, the fact on stderr, no traceback."""
    shown = shop.cli(*words)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("mysql://root:hunter2@h/d", "not a PostgreSQL URL"),
        ("postgresql://u:hunter2@h/d?schema=public", "'schema'"),
        ("postgresql://u:hunter2@h/d?sslmode=no-verify", "sslmode=require"),
        ("postgresql://u:hunter2@h/d?nonsense=1", "cannot be parsed"),
        ("hostt=x password=hunter2", "cannot be parsed"),
        ("postgresql://u:hunter2@127.0.0.1:1/d", "cannot connect"),
        ("postgres://u:hunter2@127.0.0.1:1/d", "cannot connect"),
    ],
)
def test_a_wrong_url_is_exit_2_and_never_repeats_its_password(shop: Shop, dsn: str, said: str) -> None:
    """Wrong URLs, foreign ecosystems' URLs and unreachable servers: said clearly, and the password is
    nowhere.
    """
    for shown in (
        shop.cli("run", "--dsn", dsn),
        shop.cli("doctor", "--dsn", dsn),
        shop.cli("run", KISAAN_DSN=dsn),
    ):
        assert shown.returncode == 2
        assert said in shown.stdout + shown.stderr
        assert "hunter2" not in shown.stdout + shown.stderr
        assert "Traceback" not in shown.stderr


@pytest.mark.slow
def test_the_target_is_found_in_the_documented_order(shop: Shop) -> None:
    """--dsn, then KISAAN_DSN, then DATABASE_URL, then libpq's own environment."""
    right, wrong = shop.server.dsn(shop.database, shop.role), "postgresql://127.0.0.1:1/wrong"
    pg = {
        "PGHOST": shop.server.host,
        "PGPORT": shop.server.port,
        "PGDATABASE": shop.database,
        "PGUSER": shop.role,
    }
    cases = [
        (["--dsn", right], {"KISAAN_DSN": wrong, "DATABASE_URL": wrong}, "--dsn"),
        ([], {"KISAAN_DSN": right, "DATABASE_URL": wrong}, "KISAAN_DSN"),
        ([], {"DATABASE_URL": right, "PGHOST": "127.0.0.1", "PGPORT": "1"}, "DATABASE_URL"),
        ([], pg, "libpq environment"),
    ]
    for words, env, source in cases:
        shown = shop.cli("run", "-q", *words, dsn=False, **env)
        assert shown.returncode == 0, shown.stderr
        assert f"(from {source})" in shown.stdout


def test_an_unexpected_database_is_exit_2_before_anything_is_read(shop: Shop) -> None:
    """[target] expect guards against the wrong database."""
    (shop.folder / "kisaan.toml").write_text('[target]\nexpect = { database = "production" }\n')
    shown = shop.cli("run")
    assert shown.returncode == 2
    assert f"this is database {shop.database}, but [target] expect says production" in shown.stderr
    assert not (shop.folder / "reports").exists()
    (shop.folder / "kisaan.toml").write_text(
        f'[target]\nexpect = {{ database = "{shop.database}", role = "{shop.role}", host = '
        f'"{shop.server.host}" }}\n'
    )
    assert shop.cli("run").returncode == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[targett]\nx = 1", "did you mean 'target'?"),
        ("[run]\njob = 1", "did you mean 'jobs'?"),
        ("[run]\njobs = 0", "[run].jobs: must be a whole number of at least 1, not 0"),
        ("[run]\njobs = 1.5", "[run].jobs: must be a whole number, not 1.5"),
        ("[target]\nexpect = { databse = 'x' }", "did you mean 'database'?"),
        ("[run\n", "not valid TOML"),
        ("suite = 'x'", "suite: must be a table"),
    ],
)
def test_a_wrong_configuration_is_exit_2_with_did_you_mean(shop: Shop, text: str, said: str) -> None:
    """Unknown keys are errors, and the nearest known one is named."""
    (shop.folder / "kisaan.toml").write_text(text)
    shown = shop.cli("list", dsn=False)
    assert shown.returncode == 2
    assert said in shown.stderr


def test_a_broken_check_file_names_its_line(shop: Shop) -> None:
    """A check file that cannot be understood is exit 2 with file and line."""
    (shop.folder / "checks" / "broken.py").write_text("import pandera.pandas as pa\n\nx = 1 / 0\n")
    shown = shop.cli("run")
    assert shown.returncode == 2
    assert "broken.py:3: ZeroDivisionError" in shown.stderr


def test_a_partial_run_says_so(shop: Shop) -> None:
    """--select and --exclude by id, table and tag; the output and the record say that the run is partial."""
    for words, count in (
        (["--select", "money"], 11),
        (["--select", "*.type"], 3),
        (["--exclude", "notes"], 11),
    ):
        shown = shop.cli("run", *words)
        assert shown.returncode == 0
        assert f"PARTIAL: {count} of 12 checks" in shown.stdout


def test_checks_without_an_answer_say_what_to_do(shop: Shop) -> None:
    """A table that may not be read, and one that is not there: exit 3, and each hint once with its checks."""
    more = "\nfrom kisaan_validate import declare\ndeclare.holds('gone', 'id > 0', id='of.gone')\n"
    with (shop.folder / "checks" / "orders.py").open("a") as source:
        source.write(more)
    shop.sql(f"REVOKE ALL ON orders FROM reader_{shop.database}, PUBLIC")
    shown = shop.cli("run")
    assert shown.returncode == 3, shown.stdout
    lines = [line for line in shown.stdout.splitlines() if line.startswith("to do ")]
    assert [line for line in lines if "grant SELECT" in line and " more)" in line], shown.stdout
    assert [line for line in lines if "correct the name" in line and "(of.gone)" in line], shown.stdout
    assert len(lines) == len({line.partition(" (")[0] for line in lines})


def test_baseline_and_run_show_every_table_and_each_move(shop: Shop) -> None:
    """before, after, delta of every table, with the checks' transitions; the record is bound to the
    baseline's digest.
    """
    shop.sql("UPDATE orders SET total = -1 WHERE id = 1")
    taken = shop.cli("baseline", "-o", "pre.json")
    assert taken.returncode == 0, taken.stderr
    assert stat.S_IMODE((shop.folder / "pre.json").stat().st_mode) == 0o600
    assert shop.cli("baseline", "-o", "pre.json").returncode == 2, "an existing baseline is not overwritten"
    shop.sql("UPDATE orders SET total = 1, note = 'a'; INSERT INTO other SELECT generate_series(1, 5)")
    shown = shop.cli("run", "--baseline", "pre.json")
    assert shown.returncode == 0
    assert "other" in shown.stdout
    assert "+5" in shown.stdout
    assert "1 table with the same number of rows, 1 with a different or unknown number" in shown.stdout
    assert re.search(r"^fail  warning   orders\.note\.unique +2 in 3  new$", shown.stdout, re.M), shown.stdout
    run = json.loads((shop.run_folder / "run.json").read_text())
    assert len(run["baseline_digest"]) == 64
    page = shop.run_folder / "report.html"
    first = page.read_bytes()
    page.unlink()
    again = shop.cli("report", str(shop.run_folder))
    assert again.returncode == 0
    assert page.read_bytes() == first, "a report is a pure function of its files"
    (shop.run_folder / "baseline.json").write_text(
        (shop.folder / "pre.json").read_text().replace("orders", "other2")
    )
    assert "is not the baseline of this run" in shop.cli("report", str(shop.run_folder)).stderr


def test_a_baseline_of_another_database_is_refused_unless_told(shop: Shop) -> None:
    """Comparing with the wrong before is worse than not comparing."""
    shop.cli("baseline", "-o", "pre.json")
    other = shop.server.create(template=shop.database)
    dsn = shop.server.dsn(other, shop.role)
    shown = shop.cli("run", "--baseline", "pre.json", "--dsn", dsn)
    assert shown.returncode == 2
    assert "the baseline is of database" in shown.stderr
    assert shop.cli("run", "--baseline", "pre.json", "--dsn", dsn, "--other-database").returncode == 0
    shop.server.drop(other)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["truncated", "edited", "newer", "another kind", "extra"])
def test_a_damaged_baseline_is_refused_by_name(shop: Shop, damage: str) -> None:
    """Truncated, edited, newer, foreign: exit 2, never a comparison."""
    shop.cli("baseline", "-o", "pre.json")
    text = (shop.folder / "pre.json").read_text()
    changed = {
        "truncated": text[: len(text) // 2],
        "edited": text.replace('"rows": 3', '"rows": "three"'),
        "newer": text.replace('"format_version": 2', '"format_version": 99'),
        "another kind": text.replace('"kind": "baseline"', '"kind": "run"'),
        "extra": text.replace('"kind": "baseline",', '"kind": "baseline", "signed": true,'),
    }[damage]
    assert changed != text
    (shop.folder / "pre.json").write_text(changed)
    shown = shop.cli("run", "--baseline", "pre.json")
    assert shown.returncode == 2
    assert "pre.json" in shown.stderr


def test_list_needs_no_database_and_explain_runs_nothing(shop: Shop) -> None:
    """list shows the declared checks; explain shows the SQL, and the server's statistics show no scan."""
    listed = shop.cli("list", dsn=False)
    assert listed.returncode == 0
    assert "orders.total.type" in listed.stdout
    assert "12 of 12 checks" in listed.stdout
    explained = shop.cli("explain")
    assert explained.returncode == 0, explained.stderr
    assert "FILTER (WHERE NOT ((total OPERATOR(pg_catalog.>=) 0" in explained.stdout
    scans = "SELECT coalesce(sum(seq_scan + coalesce(idx_scan, 0)), 0) FROM pg_stat_user_tables"
    sessions_ended(shop.server, shop.database)
    before = shop.server.sql(f"SELECT pg_stat_clear_snapshot(); {scans}", shop.database)
    shop.cli("explain")
    sessions_ended(shop.server, shop.database)
    assert shop.server.sql(f"SELECT pg_stat_clear_snapshot(); {scans}", shop.database) == before


def test_doctor_says_what_is_wrong_and_what_to_do(shop: Shop) -> None:
    """A healthy set-up is exit 0; a missing right, a writing role and a broken suite are each named with a
    hint.
    """
    healthy = shop.cli("doctor")
    assert healthy.returncode == 0, healthy.stdout
    assert "ready: no problem found" in healthy.stdout
    (shop.folder / "kisaan.toml").write_text(
        "[pings]\nurl_env = 'PING_URL'\n[[notify.webhook]]\nname = 'hook'\nurl_env = 'HOOK_URL'\n"
    )
    mute = shop.cli("doctor", PING_URL="http://127.0.0.1:1/s3cret")
    assert "channel 'hook': the environment variable HOOK_URL is not set here" in mute.stdout
    assert "PING_URL" not in mute.stdout
    assert "s3cret" not in mute.stdout
    (shop.folder / "kisaan.toml").unlink()
    shop.sql(f"REVOKE SELECT ON orders FROM {shop.role}; GRANT INSERT ON orders TO {shop.role}")
    ill = shop.cli("doctor")
    assert ill.returncode == 2
    assert "no SELECT on orders" in ill.stdout
    assert "GRANT SELECT" in ill.stdout
    assert "could write" in ill.stdout
    (shop.folder / "checks" / "orders.py").write_text("import nonsense_module\n")
    assert "orders.py:1: ModuleNotFoundError" in shop.cli("doctor").stdout


def test_no_secret_is_ever_written(shop: Shop) -> None:
    """A password given in a URL appears in no output and in no file."""
    password = "s3cr3t-Pass"
    shop.sql(f"ALTER ROLE {shop.role} PASSWORD '{password}'")
    dsn = f"postgresql://{shop.role}:{password}@/{shop.database}?host={shop.server.host}&port={shop.server.port}"
    shown = shop.cli("run", "-v", "--dsn", dsn)
    assert shown.returncode == 0, shown.stderr
    files = [p.read_text() for p in shop.run_folder.rglob("*") if p.is_file()]
    for text in (shown.stdout, shown.stderr, *files, shop.cli("doctor", "--dsn", dsn).stdout):
        assert password not in text


@pytest.mark.slow
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_server_s_work_keeps_what_is_known_and_exits_3(
    shop: Shop, signal_number: int
) -> None:
    """Ctrl-C and SIGTERM: exit 3, run.json written, the unanswered check an error, nobody left on the
    server.
    """
    (shop.folder / "checks" / "slow.py").write_text(
        "from kisaan_validate import declare\n"
        "declare.holds('other', 'x + 0 * length(pg_sleep(60)::text) > 0', id='slow', volatile='pg_sleep')\n"
    )
    shop.sql("INSERT INTO other VALUES (1)")
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": shop.server.dsn(shop.database, shop.role)}
    process = subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", "run"],
        cwd=shop.folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    asleep = (
        f"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{shop.database}'"
    )
    wait_until(lambda: shop.server.sql(asleep) == [(1,)], 30)
    process.send_signal(signal_number)
    ours = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{shop.database}' AND state = 'active'"
    wait_until(lambda: shop.server.sql(ours) == [(0,)], 2)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 3, err
    assert "interrupted by SIG" in out
    results = {r["check_id"]: r for r in json.loads((shop.run_folder / "run.json").read_text())["results"]}
    assert results["slow"]["status"] == "error"
    assert results["orders.total.type"]["status"] == "pass"
    assert (shop.run_folder / "report.html").exists()


def test_a_report_folder_that_cannot_be_written_is_not_a_pass(shop: Shop) -> None:
    """A pass that could not be recorded is exit 3, and the table is still shown."""
    (shop.folder / "reports").write_text("a file is in the way")
    shown = shop.cli("run")
    assert shown.returncode == 3
    assert "cannot write" in shown.stderr
    assert "PASS" in shown.stdout
