"""Kinds of checks and output formats from a package of their own: found, used like our own, or refused by
name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, Server
from helpers import write_suite

from kisaan_validate.cli.exits import FAILED, INCONCLUSIVE, PASSED, USAGE
from kisaan_validate.facts.result import Status
from kisaan_validate.record.codec import run_from_json

EXAMPLE = ROOT / "tests" / "fixtures" / "plugin"
SUITE = """
    from kisaan_validate import declare

    declare.multiple_of("boxes", "eggs", 6, why="a box holds six", tolerance="1/10")
    declare.even_rows("boxes")
    declare.multiple_of("boxes", "eggs", 2)
    """


def wheel(folder: Path) -> Path:
    """The example as a wheel, made of its pyproject.toml by hand: building it would need a backend from
    the network.
    """
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in names.items())
        for group, names in project["entry-points"].items()
    )
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    made = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        archive.write(EXAMPLE / "kisaan_multiples.py", "kisaan_multiples.py")
        archive.writestr(
            f"{stem}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n",
        )
        archive.writestr(
            f"{stem}.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{stem}.dist-info/entry_points.txt", points)
        archive.writestr(f"{stem}.dist-info/RECORD", "")
    return made


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the example package."""
    folder = tmp_path_factory.mktemp("site")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run(
        [*pip, "--target", str(folder), str(wheel(tmp_path_factory.mktemp("wheel")))],
        check=True,
        capture_output=True,
    )
    return folder


def package(folder: Path, name: str, points: str, module: str = "") -> Path:
    """A package as an installer leaves it: a module and what its metadata says of entry points."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(textwrap.dedent(points))
    (folder / f"{name}.py").write_text(textwrap.dedent(module))
    return folder


def command(*words: str, site: Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which finds the packages of ``site``."""
    paths = os.pathsep.join([str(site), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths}
    line = [sys.executable, "-m", "kisaan_validate", *words]
    return subprocess.run(line, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)


@pytest.fixture
def boxes(server: Server, database: str) -> str:
    """Boxes of eggs: three of twelve hold no multiple of six, one of these no even number; returns the
    DSN.
    """
    server.sql("CREATE TABLE boxes (id int PRIMARY KEY, eggs int, broken boolean DEFAULT false)", database)
    server.sql(
        "INSERT INTO boxes SELECT n, CASE WHEN n = 1 THEN 5 WHEN n < 4 THEN 8 WHEN n = 4 THEN NULL ELSE "
        "12 END FROM generate_series(1, 12) AS n",
        database,
    )
    return server.dsn(database)


@pytest.mark.slow
def test_a_package_s_kinds_are_listed_explained_run_and_shown(
    boxes: str, installed: Path, tmp_path: Path
) -> None:
    """Its checks stand in list with their claims, in explain in the shared scan, and in the report with
    their failing keys.
    """
    write_suite(tmp_path, {"checks/boxes.py": SUITE.replace('"eggs", 2', '"eggs", 2, id="pairs"')})
    listed = command("list", site=installed, cwd=tmp_path)
    assert (listed.returncode, listed.stderr) == (PASSED, "")
    for words in (
        "boxes.eggs.multiple_of",
        "eggs is a multiple of 6",
        "boxes.even_rows",
        "rows of boxes is even",
    ):
        assert words in listed.stdout
    explained = command("explain", "--dsn", boxes, site=installed, cwd=tmp_path)
    assert "statement 1 of 2: rows of boxes" in explained.stdout
    done = command("run", "--dsn", boxes, site=installed, cwd=tmp_path)
    assert done.returncode == FAILED, done.stdout + done.stderr
    (record,) = (tmp_path / "reports").glob("*/run.json")
    run = run_from_json(record.read_text(encoding="utf-8"))
    assert {
        r.check_id: (r.status, r.violations, r.examined, [dict(row)["id"] for row in r.sample])
        for r in run.results
    } == {
        "boxes.eggs.multiple_of": (Status.FAIL, 3, 12, ["1", "2", "3"]),
        "boxes.even_rows": (Status.PASS, 0, 12, []),
        "pairs": (Status.FAIL, 1, 12, ["1"]),
    }
    assert run.by_id["pairs"].origin == "boxes.py:5"
    shown = command("report", str(record), "--format", "one-line", site=installed, cwd=tmp_path)
    assert "FAIL: 2 fail, 1 pass\n" in shown.stdout, shown.stderr
    page = (record.parent / "report.html").read_text(encoding="utf-8")
    assert "a box holds six" in page


@pytest.mark.slow
def test_a_package_s_kinds_heed_a_filter(boxes: str, installed: Path, tmp_path: Path) -> None:
    """A declared filter restricts them as it does our own."""
    write_suite(
        tmp_path,
        {
            "checks/boxes.py": SUITE.replace('"eggs", 2', '"eggs", 2, id="pairs"'),
            "checks/suite.toml": "[filters]\nboxes = 'id > 4'",
        },
    )
    done = command("run", "--dsn", boxes, site=installed, cwd=tmp_path)
    assert done.returncode == PASSED, done.stdout + done.stderr
    text = (next((tmp_path / "reports").glob("*/run.json"))).read_text()
    assert text.count('"examined":8') == 3


USES = """
    from kisaan_validate import declare

    declare.table("t")
    {call}
    """
REFUSED = {
    "a name twice": (
        'declare.multiple_of("t", "a", 2)\n    declare.multiple_of("t", "a", 3)',
        "boxes.py:5: check id 't.a.multiple_of' is already taken",
    ),
    "its own complaint": ('declare.multiple_of("t", "a", 1)', "boxes.py:4: every number is a multiple of 1"),
    "a wrong argument": (
        'declare.multiple_of("t", "a", 2, severty="info")',
        "boxes.py:4: unknown setting 'severty'",
    ),
    "a missing argument": ('declare.multiple_of("t", "a")', "boxes.py:4: TypeError"),
    "a slip of the pen": ('declare.multiple_off("t", "a", 2)', "did you mean 'multiple_of'?"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused_at_the_author_s_line(
    name: str, installed: Path, tmp_path: Path
) -> None:
    """The line of the suite is named, not the line of the package."""
    call, words = REFUSED[name]
    write_suite(tmp_path, {"checks/boxes.py": USES.format(call=call)})
    done = command("list", site=installed, cwd=tmp_path)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (USAGE, True, False), (
        done.stderr
    )


KIND = "[kisaan_validate.kinds]\n{name} = broken:{thing}\n"
RULE = """
    from dataclasses import dataclass
    from typing import ClassVar
    from kisaan_validate import declare
    from kisaan_validate.rules.base import RowRule

    {decorator}
    class Mine(RowRule):
        number: int = 1
        kind: ClassVar[str] = "{kind}"

        def claim(self, table, columns):
            {claim}

        def violation(self, view, columns):
            {violation}

    def mine(table, **meta):
        return declare.declaration("mine", table, (), {made}, meta)
    """
WORKS = {
    "decorator": "@dataclass(frozen=True)",
    "kind": "mine",
    "claim": "return 'x'",
    "violation": "return view.column('id') < 0",
    "made": "Mine()",
}

BROKEN = {
    "a failing import": (KIND.format(name="mine", thing="f"), "import nowhere_at_all", "nowhere_at_all"),
    "a syntax error": (KIND.format(name="mine", thing="f"), "def x(:", "SyntaxError"),
    "the end of the process": (KIND.format(name="mine", thing="f"), "raise SystemExit(0)", "SystemExit"),
    "no such function": (KIND.format(name="mine", thing="g"), "f = print", "AttributeError"),
    "not a function": (KIND.format(name="mine", thing="f"), "f = 5", "must be a function, not int"),
    "no name": (KIND.format(name="no-name", thing="f"), "f = print", "'no-name' is not a name"),
    "a keyword": (KIND.format(name="class", thing="f"), "f = print", "'class' is not a name"),
    "our own name": (KIND.format(name="unique", thing="f"), "f = print", "'unique'"),
    "a name of the module": (KIND.format(name="collector", thing="f"), "f = print", "'collector'"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_named_and_ends_the_command(name: str, tmp_path: Path) -> None:
    """Even if no check uses it: exit code 2, and the package's name in the error; nothing is measured
    without it.
    """
    points, module, words = BROKEN[name]
    site = package(tmp_path / "site", "broken", points, module)
    write_suite(tmp_path, {"checks/a.py": "from kisaan_validate import declare\ndeclare.table('t')\n"})
    done = command("list", site=site, cwd=tmp_path)
    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (USAGE, "", False), done.stderr
    assert words in done.stderr
    assert ("broken" in done.stderr) is (name not in {"our own name", "a name of the module"})


def test_two_packages_with_one_name_are_refused(installed: Path, tmp_path: Path) -> None:
    """Which of them would be meant cannot be told: both are named."""
    site = package(tmp_path / "site", "broken", KIND.format(name="multiple_of", thing="f"), "f = print")
    write_suite(tmp_path, {"checks/a.py": "from kisaan_validate import declare\ndeclare.table('t')\n"})
    done = subprocess.run(
        [sys.executable, "-m", "kisaan_validate", "list"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(installed), str(ROOT)])},
    )
    assert done.returncode == USAGE
    assert all(word in done.stderr for word in ("broken", "kisaan-multiples", "already taken"))


FAULTS = {
    "a claim that fails": (
        {"claim": "raise ValueError('no words')"},
        "a.py:2: the kind 'mine' of broken failed: ValueError: no words",
    ),
    "a kind of ours": ({"kind": "unique"}, "a.py:2: the kind 'unique' of Mine is already taken"),
    "no kind": ({"kind": ""}, "a.py:2: mine() returned"),
    "no rule": ({"made": "5"}, "a.py:2: mine() returned"),
    "not itself a dataclass": ({"decorator": ""}, "a.py:2: Mine is not itself a dataclass"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_rule_is_refused_where_it_is_used(name: str, tmp_path: Path) -> None:
    """A rule that cannot say what it claims, or cannot be told from others, is refused with file and line."""
    change, words = FAULTS[name]
    site = package(
        tmp_path / "site",
        "broken",
        KIND.format(name="mine", thing="mine"),
        RULE.format(**{**WORKS, **change}),
    )
    write_suite(tmp_path, {"checks/a.py": "from kisaan_validate import declare\ndeclare.mine('t')\n"})
    done = command("list", site=site, cwd=tmp_path)
    assert (done.returncode, words in done.stderr, "Traceback" in done.stderr) == (USAGE, True, False), (
        done.stderr
    )


@pytest.mark.slow
def test_a_rule_that_fails_on_this_database_is_its_own_error(boxes: str, tmp_path: Path) -> None:
    """A rule that raises when it is compiled costs the answer of its own check, named; the others are
    answered.
    """
    change = {**WORKS, "violation": "return view.table.columns['no such']"}
    site = package(tmp_path / "site", "broken", KIND.format(name="mine", thing="mine"), RULE.format(**change))
    write_suite(
        tmp_path,
        {
            "checks/a.py": "from kisaan_validate import "
            "declare\ndeclare.mine('boxes')\ndeclare.minimum_rows('boxes')\n"
        },
    )
    done = command("run", "--dsn", boxes, site=site, cwd=tmp_path)
    assert done.returncode == INCONCLUSIVE, done.stdout + done.stderr
    text = next((tmp_path / "reports").glob("*/run.json")).read_text()
    assert "the kind 'mine' of broken failed: KeyError: 'no such'" in text
    assert text.count('"status":"pass"') == 1
