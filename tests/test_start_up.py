"""What a command imports, and what was made ahead for it: nothing waits for what it does not use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT, Server
from make_templates import FOLDER, compiled

from kisaan_validate.cli.job import AT_WORK, attended
from kisaan_validate.cli.main import COMMANDS
from kisaan_validate.report import compiled as ahead
from kisaan_validate.report import html


def test_the_compiled_templates_are_those_of_the_templates() -> None:
    """Each template has a compiled form of just its text, and nothing else is there."""
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.txt")}
    assert there == compiled(), "run: python tests/make_templates.py"


def test_a_template_that_was_changed_is_compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compiled form of another text, or for another Jinja2, is never used."""
    source = (FOLDER.parent / "tables.html.j2").read_text(encoding="utf-8")
    assert ahead._ahead("tables.html.j2", source)
    assert not ahead._ahead("tables.html.j2", source + " ")
    assert not ahead._ahead("missing.html.j2", source)
    monkeypatch.setattr(ahead, "bc_version", ahead.bc_version + 1)
    assert not ahead._ahead("tables.html.j2", source)
    # And the page is the same either way.
    loader = ahead.CompiledLoader()
    template = loader.load(html._templates(), "unproved.html.j2")
    assert template.root_render_func is not None


HEAVY = ("pandera", "pandas", "numpy")
SUITE = """from kisaan_validate import declare

declare.table("orders")
declare.holds("orders", "total >= 0", id="orders.total")
"""
CONTRACT = """format = 1

[[promise]]
id = "id"
kind = "retyped"
column = "orders.id"
to = "bigint"
"""
MODEL = """import pandera.pandas as pa


class Orders(pa.DataFrameModel):
    id: int = pa.Field()

    class Config:
        name = "orders"
"""
WORDS = {
    "run": ("run",),
    "scan": ("scan",),
    "run, comparing": ("run", "--baseline", "pre.json", "--contract", "contract.toml"),
    "baseline": ("baseline", "--contract", "contract.toml", "-o", "pre.json"),
    "list": ("list",),
    "show": ("show", "orders.total"),
    "explain": ("explain",),
    "report": ("report", "{run}"),
    "index": ("index",),
    "history": ("history",),
    "last": ("last", "--within", "26 h"),
    "metrics": ("metrics",),
    "doctor": ("doctor",),
    "preflight": ("preflight", "--contract", "contract.toml", "--baseline", "pre.json"),
    "verify": ("verify", "{run}"),
}
"""Commands of a suite, in an order in which each finds what it needs."""
OTHERS = {
    # They write, or have, suites with models.
    *("init", "import", "accept", "demo", "backup", "rehearse", "fix-kit"),
    # They read no suite.
    *("diff", "sign", "attest", "stamp", "bundle", "schedule", "notify", "scratch", "migrations", "wait"),
    *("probe", "rollout"),
}

LOADED = """import sys
from kisaan_validate.cli.main import main
code = main(sys.argv[1:])
print("loaded", *sorted(sys.modules), file=sys.stderr)
sys.exit(code)
"""


def loaded(words: Sequence[str], folder: Path, dsn: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words],
        cwd=folder,
        env={**os.environ, "KISAAN_DSN": dsn, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1, 3}, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.slow
def test_a_suite_without_pandera_needs_none_of_it(server: Server, tmp_path: Path) -> None:
    """No command of a suite that only declares imports pandera, pandas or numpy; one with a model does."""
    assert {words[0] for words in WORDS.values()} | OTHERS == {*COMMANDS}, "where does the new one belong?"
    database = server.create("CREATE TABLE orders (id int PRIMARY KEY, total int); SELECT 1")
    dsn = server.dsn(database)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "orders.py").write_text(SUITE)
    (tmp_path / "contract.toml").write_text(CONTRACT)
    (tmp_path / "kisaan.toml").write_text("[scan.nightly]\n")
    found = {}
    for said in ("baseline", *(name for name in WORDS if name != "baseline")):
        run = next((str(path.parent) for path in sorted(tmp_path.glob("reports/*/run.json"))), "")
        words = [word.format(run=run) for word in WORDS[said]]
        found[said] = loaded(words, tmp_path, dsn)
    assert {said: names & {*HEAVY} for said, names in found.items() if names & {*HEAVY}} == {}
    (tmp_path / "checks" / "model.py").write_text(MODEL)
    assert {*HEAVY} <= loaded(["list"], tmp_path, dsn), "it would not be seen"


COMPARING = (
    *("compare.causes", "compare.changes", "compare.patterns.ends", "compare.renaming.bodies"),
    *("contract.load", "contract.rules", "contract.values", "verdict.compared", "execute.measure"),
    *("plan.measure", "plan.fingerprints", "plan.keyed", "plan.keptvalues", "digest", "execute.keyed"),
    *("prove.comparing", "prove.kept_rows", "execute.rowcompare", "record.rowfile", "record.valuefile"),
)
"""What only a run beside a baseline needs."""
REHEARSING = ("rehearse", "record.rehearsed", "facts.receipt", "facts.rehearsed", "facts.tape")
OTHERWISE = ("prove.resuming", "execute.ranges", "live", "facts.row_differences")
"""What only a run needs that reads a table over several nights, or keeps values."""


def among(names: set[str], parts: Sequence[str]) -> set[str]:
    """Those of ``parts`` of the package of which anything was imported."""
    whole = {part: f"kisaan_validate.{part}" for part in parts}
    return {p for p, w in whole.items() if any(name == w or name.startswith(f"{w}.") for name in names)}


@pytest.mark.slow
def test_a_run_imports_only_what_it_was_asked_for(server: Server, tmp_path: Path) -> None:
    """A run without a baseline, a rehearsal or a waiver imports nothing of them, failing checks or not; one
    beside a baseline and a contract imports all that compares.
    """
    database = server.create("CREATE TABLE orders (id int PRIMARY KEY, total int); SELECT 1")
    dsn = server.dsn(database)
    (tmp_path / "checks").mkdir()
    (tmp_path / "checks" / "orders.py").write_text(SUITE)
    (tmp_path / "contract.toml").write_text(CONTRACT)
    loaded(("baseline", "--digests", "--contract", "contract.toml", "-o", "pre.json"), tmp_path, dsn)
    server.sql("INSERT INTO orders VALUES (1, -1)", database)
    # The second reads the record of the first.
    plain = loaded(("run",), tmp_path, dsn) | loaded(("run",), tmp_path, dsn)
    assert "kisaan_validate.report.html" in plain, "it would show nothing"
    assert among(plain, (*COMPARING, *REHEARSING, *OTHERWISE)) == set()
    comparing = loaded(("run", "--baseline", "pre.json", "--contract", "contract.toml"), tmp_path, dsn)
    assert among(comparing, COMPARING) == {*COMPARING}, "it would not be seen"
    assert among(comparing, REHEARSING) == set()


def test_what_comes_after_is_prepared_while_servers_work() -> None:
    """Once, not by a short run; and what goes wrong there ends nothing."""
    prepared = []

    def get_ready() -> None:
        prepared.append(threading.current_thread())
        raise OSError("the package was replaced")

    assert attended(lambda stop: time.sleep(AT_WORK / 5) or 1, get_ready=get_ready) == 1
    assert prepared == []
    assert attended(lambda stop: time.sleep(2 * AT_WORK) or 2, get_ready=get_ready) == 2
    assert prepared == [threading.main_thread()]
