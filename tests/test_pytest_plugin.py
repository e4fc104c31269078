"""pytest --kisaan-suite: each check is a test, and no test is green that was not proved. pytest runs as
its own process.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tomllib
from xml.etree import ElementTree as ET

import pytest
import warm
from conftest import ROOT, wait_until
from shop import Shop

EVERY_STATUS = """
from kisaan_validate import declare
declare.holds('orders', 'total < 0', id='s.fails', why='it costs money', hint='fix it')
declare.holds('orders', 'total < 0', id='s.warns', severity='warning', tags=['grey'])
declare.holds('orders', 'total < 0', id='s.informs', severity='info')
declare.holds('orders', 'total < 0', id='s.waived')
declare.holds('orders', 'total > 10', id='s.tolerated', tolerance=1)
declare.holds('orders', 'total / 0 > 1', id='s.errs')
declare.holds('orders', 'nope > 1', id='s.skipped', severity='info')
declare.holds('nope', 'x > 1', id='s.elsewhere', applies='table nope')
declare.holds('orders', 'total > 0', id='s.holds <b> ü')
"""
WAIVERS = """
format = 1
[[waiver]]
check = "s.waived"
reason = "in dispute"
owner = "finance"
expires = 2999-12-31
whole_check = true
"""
COUNTING = """
import kisaan_validate.prove.run as proving
whole = proving.run
def run(*words, **more):
    print("RUN-BEGINS", len(words[0].checks))
    return whole(*words, **more)
proving.run = run
"""


OPTIONS = [
    *("-p", "kisaan_validate.pytest_plugin", "-p", "no:cacheprovider"),
    *("--rootdir", ".", "-c", os.devnull),
]


def _environment(shop: Shop, **more: str) -> dict[str, str]:
    known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE", "PYTEST"))}
    known |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "COLUMNS": "160"}
    return known | {"KISAAN_DSN": shop.server.dsn(shop.database, shop.role)} | more


def _pytest(shop: Shop, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return warm.run("pytest", [*OPTIONS, *words], shop.folder, _environment(shop, **env))


def _outcomes(shop: Shop) -> dict[str, str]:
    """Check id -> outcome, as pytest's own JUnit file says."""
    kinds = ("failure", "error", "skipped")
    found = {}
    for case in ET.parse(shop.folder / "out.xml").getroot().iter("testcase"):
        kind = next((k for k in kinds if case.find(k) is not None), "passed")
        mark = case.find(kind).get("type", "") if kind == "skipped" else ""  # type: ignore[union-attr]
        found[str(case.get("name"))] = mark.removeprefix("pytest.") if mark == "pytest.xfail" else kind
    return found


@pytest.fixture
def every_status(shop: Shop) -> Shop:
    """A shop whose suite has a check of every status."""
    (shop.folder / "checks" / "orders.py").write_text(EVERY_STATUS)
    (shop.folder / "checks" / "waivers.toml").write_text(WAIVERS)
    (shop.folder / "conftest.py").write_text(COUNTING)
    return shop


def test_each_status_has_its_outcome_and_the_suite_is_run_once(every_status: Shop) -> None:
    """Fails, errors, skips, expected failures and passes as documented; one run for all; no file is
    written but pytest's own.
    """
    shop = every_status
    shown = _pytest(shop, "--kisaan-suite", "checks", "--junitxml", "out.xml", "-s", "-v")
    assert shown.returncode == 1, shown.stdout
    assert _outcomes(shop) == {
        "s.fails": "failure",
        "s.warns": "xfail",
        "s.informs": "xfail",
        "s.waived": "xfail",
        "s.tolerated": "passed",
        "s.errs": "error",
        "s.skipped": "error",
        "s.elsewhere": "skipped",
        "s.holds <b> ü": "passed",
    }
    assert shown.stdout.count("RUN-BEGINS 9") == shown.stdout.count("RUN-BEGINS") == 1
    for said in (
        "checks::s.fails FAILED",
        "3 of 3 rows: total < 0",
        "why: it costs money",
        "hint: fix it",
        "id = '1'",
        "SQLSTATE 22012",
        "CheckWarning: s.warns: failed, lower severity: 3 of 3 rows",
        "s.waived: failed, waived",
        "finance: in dispute",
        f"{shop.role}@",
        f"/{shop.database}, PostgreSQL",
        "1 failed, 2 passed, 1 skipped, 3 xfailed, 3 warnings, 2 errors",
    ):
        assert said in shown.stdout, shown.stdout
    assert re.search(r"^FAIL  \d+ .*failed.* 1 failure is waived", shown.stdout, re.MULTILINE)
    assert "site-packages" not in shown.stdout, "a trace through packages says nothing about the data"
    assert {p.name for p in shop.folder.iterdir()} - {"__pycache__"} == {"checks", "conftest.py", "out.xml"}


@pytest.mark.slow
def test_k_chooses_by_id_table_and_tag_and_only_that_is_run(every_status: Shop) -> None:
    """The others are not even asked; a choice of which nothing applies is no green."""
    for words, ran, outcomes in (
        (["-k", "s.holds or s.tolerated"], "RUN-BEGINS 2", {"passed"}),
        (["-k", "grey"], "RUN-BEGINS 1", {"xfail"}),
        (["-k", "s.elsewhere"], "RUN-BEGINS 1", {"error"}),
        (["--deselect", "checks::s"], "", set()),
    ):
        shown = _pytest(every_status, "--kisaan-suite", "checks", "--junitxml", "out.xml", "-s", *words)
        assert ran in shown.stdout
        assert set(_outcomes(every_status).values()) == outcomes
        assert (shown.returncode == 0) is (outcomes in ({"passed"}, {"xfail"}))
    assert shown.returncode == 5, "nothing chosen is pytest's own exit code"


@pytest.mark.slow
def test_what_fails_lightly_is_never_silently_green(every_status: Shop) -> None:
    """--runxfail and -W error make an expected failure fail; a plain run counts it and warns."""
    for words in (["--runxfail"], ["-W", "error"]):
        shown = _pytest(every_status, "--kisaan-suite", "checks", "-k", "s.warns", *words)
        assert shown.returncode == 1, shown.stdout
        assert "3 of 3 rows: total < 0" in shown.stdout
    shown = _pytest(every_status, "--kisaan-suite", "checks", "-k", "s.warns", "-q")
    assert shown.returncode == 0
    assert "CheckWarning: s.warns" in shown.stdout
    assert "1 xfailed, 1 warning" in shown.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--kisaan-dsn", "postgresql://u:hunter2@h/d"], "--kisaan-dsn needs --kisaan-suite"),
        (["--kisaan-baseline", "x"], "--kisaan-baseline needs --kisaan-suite"),
        (["--kisaan-suite", "nowhere"], "no folder 'nowhere'"),
        (["--kisaan-suite", "checks", "--kisaan-baseline", "nope.json"], "cannot read nope.json"),
        (["--kisaan-suite", "checks", "--numprocesses", "2"], "all checks share one snapshot"),
    ],
)
def test_bad_usage_is_pytest_s_usage_error(shop: Shop, words: list[str], said: str) -> None:
    """Exit 4, one fact, nothing run."""
    (shop.folder / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--numprocesses')\n"
    )
    shown = _pytest(shop, *words)
    assert shown.returncode == 4, shown.stdout
    assert said in shown.stdout + shown.stderr
    assert "hunter2" not in shown.stdout + shown.stderr
    assert "Traceback" not in shown.stdout + shown.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [[], ["--tb=long", "--showlocals", "-vv"], ["--tb=native", "-l"]])
def test_a_database_that_cannot_be_reached_is_an_error_of_each_check_without_its_password(
    shop: Shop, words: list[str]
) -> None:
    """It is asked for once, and said for each; no option of pytest shows the connection string."""
    dsn = "postgresql://u:hunter2@127.0.0.1:1/d"
    shown = _pytest(shop, "--kisaan-suite", "checks", "--kisaan-dsn", dsn, *words)
    assert shown.returncode == 1
    assert "12 errors" in shown.stdout
    assert "cannot connect" in shown.stdout
    assert "hunter2" not in shown.stdout + shown.stderr


@pytest.mark.slow
def test_the_expected_database_the_baseline_and_other_tests(shop: Shop) -> None:
    """kisaan.toml is heeded; a failure says whether it is new; other tests run beside, and --collect-only
    asks nobody.
    """
    (shop.folder / "test_other.py").write_text("def test_ordinary():\n    pass\n")
    collected = _pytest(
        shop, "--kisaan-suite", "checks", "--collect-only", "-q", KISAAN_DSN="postgresql://127.0.0.1:1/d"
    )
    assert collected.returncode == 0, collected.stdout
    assert "checks::orders.total.greater_than_or_equal_to" in collected.stdout
    assert "13 tests collected" in collected.stdout
    assert shop.cli("baseline", "-q", "-o", "pre.json").returncode == 0
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    shown = _pytest(shop, "--kisaan-suite", "checks", "--kisaan-baseline", "pre.json")
    assert shown.returncode == 1
    assert "1 failed, 12 passed" in shown.stdout
    assert "since the baseline: newly failing: 0 → 1" in shown.stdout
    (shop.folder / "kisaan.toml").write_text('[target]\nexpect = { database = "production" }\n')
    shown = _pytest(shop, "--kisaan-suite", "checks")
    assert "12 errors" in shown.stdout
    assert "expect says production" in shown.stdout


@pytest.mark.slow
def test_an_interrupt_cancels_the_server_s_work_and_ends_pytest(shop: Shop) -> None:
    """Ctrl-C while the suite is run: nobody is left on the server, and pytest says that it was
    interrupted.
    """
    (shop.folder / "checks" / "slow.py").write_text(
        "from kisaan_validate import declare\n"
        "declare.holds('other', 'x + 0 * length(pg_sleep(60)::text) > 0', id='slow', volatile='pg_sleep')\n"
    )
    shop.sql("INSERT INTO other VALUES (1)")
    words = [sys.executable, "-m", "pytest", *OPTIONS, "--kisaan-suite", "checks"]
    process = subprocess.Popen(
        words,
        cwd=shop.folder,
        env=_environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    asleep = (
        f"SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = '{shop.database}'"
    )
    wait_until(lambda: shop.server.sql(asleep) == [(1,)], 30)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 2, out
    assert "interrupted by SIGINT" in out
    assert "passed" not in out
    wait_until(lambda: shop.server.sql(asleep) == [(0,)], 5)


def test_without_the_option_it_costs_nothing(shop: Shop) -> None:
    """Started as pytest starts it, from an entry point: only the plugin itself and the package's empty
    door are imported.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"kisaan_validate": "kisaan_validate.pytest_plugin"}
    info = shop.folder / "site" / "other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[pytest11]\nkisaan_validate = kisaan_validate.pytest_plugin\n")
    (shop.folder / "test_other.py").write_text(
        "import sys\n\ndef test_modules():\n"
        "    ours = {m for m in sys.modules if m.startswith('kisaan_validate')}\n"
        "    assert ours == {'kisaan_validate', 'kisaan_validate.version', 'kisaan_validate.pytest_plugin'}\n"
        "    heavy = {'pandas', 'pandera', 'sqlalchemy', 'psycopg2', 'jinja2', 'rich', 'pydantic', "
        "'click', 'sqlglot'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    env = _environment(shop, PYTHONPATH=f"{ROOT}:{shop.folder / 'site'}")
    del env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    words = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
        "--rootdir",
        ".",
        "test_other.py",
    ]
    words[3:3] = ["-p", "no:hypothesispytest", "-p", "no:typeguard"]
    shown = subprocess.run(words, cwd=shop.folder, env=env, capture_output=True, text=True, timeout=60)
    assert shown.returncode == 0, shown.stdout + shown.stderr
