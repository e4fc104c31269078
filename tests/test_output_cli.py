"""--format and --output as people use them: standard output holds the format and nothing else, and a pass
nobody can read is none.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from conftest import ROOT
from shop import Shop

from kisaan_validate.record.codec import digest_of


def _environment(shop: Shop, **more: str) -> dict[str, str]:
    known = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("PG", "KISAAN", "DATABASE", "PYTHONUNBUFFERED"))
    }
    return known | {"PYTHONPATH": str(ROOT), "KISAAN_DSN": shop.server.dsn(shop.database, shop.role), **more}


def _shell(shop: Shop, script: str, **more: str) -> subprocess.CompletedProcess[str]:
    """A line of bash in the shop's folder; ``kv`` is the command."""
    words = [
        "bash",
        "-c",
        f"set -o pipefail; kv() {{ '{sys.executable}' -m kisaan_validate \"$@\"; }}; {script}",
    ]
    return subprocess.run(
        words, cwd=shop.folder, env=_environment(shop, **more), capture_output=True, text=True, timeout=120
    )


def test_standard_output_holds_the_format_and_nothing_else(shop: Shop) -> None:
    """Target, table and verdict go to stderr, and so does what a suite's own file prints; the exit code is
    that of the run.
    """
    with (shop.folder / "checks" / "orders.py").open("a") as file:
        file.write("\nprint('hello from the suite')\n")
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    shown = shop.cli("run", "--format", "json")
    assert shown.returncode == 1
    document = json.loads(shown.stdout)
    assert document["judgement"]["failing"] == ["orders.total.greater_than_or_equal_to"]
    assert document["run_sha256"] == digest_of((shop.run_folder / "run.json").read_text())
    for said in ("target", "hello from the suite", "FAIL", "report.html"):
        assert said in shown.stderr
    again = shop.cli("report", str(shop.run_folder), "--format", "json", dsn=False)
    assert (again.returncode, again.stdout) == (0, shown.stdout), (
        "a format is a pure function of the run's folder"
    )


def test_several_formats_of_one_run(shop: Shop) -> None:
    """Each to its file, one of them to standard output; origins are found from here; no password in any of
    them.
    """
    password = "s3cr3t-Pass"
    shop.sql(f"ALTER ROLE {shop.role} PASSWORD '{password}'; UPDATE orders SET note = 'a', total = -1")
    dsn = f"postgresql://{shop.role}:{password}@/{shop.database}?host={shop.server.host}&port={shop.server.port}"
    files = {"junit": "out/junit.xml", "markdown": "summary.md", "csv": "checks.csv", "json": "run.json"}
    words = [word for name, file in files.items() for word in ("--format", f"{name}={file}")]
    shown = shop.cli("run", *words, "--format", "github", "--dsn", dsn)
    assert shown.returncode == 1, shown.stderr
    assert all(line.startswith("::") for line in shown.stdout.splitlines())
    assert "file=checks/orders.py,line=10,title=orders.total.greater" in shown.stdout
    texts = {name: (shop.folder / file).read_text() for name, file in files.items()}
    (case,) = [
        c for c in ET.fromstring(texts["junit"]).iter("testcase") if c.get("name") == "orders.note.unique"
    ]
    assert case.find("skipped") is not None
    assert "❌ FAIL" in texts["markdown"]
    assert len(list(csv.DictReader(texts["csv"].splitlines()))) == 12
    assert not any(password in text for text in (*texts.values(), shown.stdout, shown.stderr))


def test_formats_to_files_leave_standard_output_to_people(shop: Shop) -> None:
    """--output names the file of the one format; report writes there as well, and makes the page as before
    without --format.
    """
    shown = shop.cli("run", "-q", "--format", "junit", "--output", "junit.xml")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("target")
    first = (shop.folder / "junit.xml").read_text()
    shown = shop.cli(
        "report", str(shop.run_folder / "run.json"), "--format", "junit", "-o", "again.xml", dsn=False
    )
    assert shown.returncode == 0, shown.stderr
    assert (shop.folder / "again.xml").read_text() == first
    assert shop.cli("report", str(shop.run_folder), "-o", "page.html", dsn=False).stdout.split() == [
        "report",
        "page.html",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "jnuit"], "did you mean 'junit'?"),
        (["--format", ""], "there is no format ''"),
        (["--format", "../json"], "there is no format"),
        (["--format", "json", "--format", "csv"], "two formats would be written to standard output"),
        (["--format", "json=a", "--format", "csv=a"], "two formats would be written to a"),
        (["--format", "json", "--format", "csv", "-o", "a"], "two formats would be written to a"),
        (["--format", "json="], "has no file name after ="),
        (["--format", "json=checks"], "checks is a folder, not a file"),
        (["--output", "a.xml"], "is given, but no --format"),
        (["--format", "json=a", "-o", "b"], "is given, but no --format"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_measured(
    shop: Shop, words: list[str], said: str
) -> None:
    """Exit 2, one fact and one hint on stderr, no run."""
    shown = shop.cli("run", *words)
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not (shop.folder / "reports").exists()


@pytest.mark.slow
def test_a_pass_that_cannot_be_delivered_is_no_pass_and_a_failure_stays_one(shop: Shop) -> None:
    """A file that cannot be written, a full disk, a reader that is gone: 3 for what would pass, 1 for what
    fails; never 0.
    """
    (shop.folder / "file").write_text("in place")
    for script, said in (
        ("kv run -q --format csv=file/x.csv", "cannot write file/x.csv"),
        ("kv run -q --format csv > /dev/full", "cannot write to standard output"),
        ("kv run -q --format csv | true", "cannot write to standard output"),
    ):
        shown = _shell(shop, script)
        assert shown.returncode == 3, (script, shown.stderr)
        assert said in shown.stderr
        assert "PASS" in shown.stderr + shown.stdout
        assert "Traceback" not in shown.stderr
        assert "Exception ignored" not in shown.stderr
    assert len(list((shop.folder / "reports").glob("*/run.json"))) == 3, "the run itself is recorded"
    shop.sql("UPDATE orders SET total = -1")
    assert _shell(shop, "kv run -q --format csv=file/x.csv").returncode == 1


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_verdict(shop: Shop) -> None:
    """`| head` must not look like a finding (exit 1): 3 where nothing was proved, the verdict where the
    report is there.
    """
    for command in ("--help", "list", "doctor", "explain"):
        shown = _shell(shop, f"kv {command} | true")
        assert shown.returncode in {0, 3}, (command, shown.stderr)
        assert "Traceback" not in shown.stderr
        assert "Exception ignored" not in shown.stderr
    shown = _shell(shop, "kv run -v | (read line; echo $line; exec <&-)")
    assert shown.returncode == 0, shown.stderr
    assert (shop.run_folder / "report.html").exists()


def test_a_device_or_a_pipe_is_written_to_and_not_replaced(shop: Shop) -> None:
    """--output /dev/null must not put a file there; a named pipe gets the text."""
    pipe, heard = shop.folder / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    shown = shop.cli("run", "-q", "--format", "csv=pipe", "--format", "json=/dev/null")
    reader.join(30)
    assert shown.returncode == 0, shown.stderr
    assert heard[0].startswith("check,")
    assert pipe.is_fifo()
    assert Path("/dev/null").is_char_device()


@pytest.mark.slow
def test_a_format_is_utf_8_whatever_the_locale(shop: Shop) -> None:
    """The words for people may not be writable in ASCII; the format is."""
    shop.sql("UPDATE orders SET note = '₹ दस'")
    shown = _shell(shop, "kv run -q --format junit", LC_ALL="C", PYTHONIOENCODING="ascii:backslashreplace")
    assert shown.returncode == 0, shown.stderr
    assert "note = '₹ दस'" in shown.stdout


@pytest.mark.slow
def test_a_format_of_an_installed_package(shop: Shop) -> None:
    """It is found by name on the command line; if it fails after the run, the run is recorded and is no
    pass.
    """
    info = shop.folder / "site" / "foreign-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[kisaan_validate.formats]\nword = foreign:word\nbad = foreign:bad\nlost = nowhere:f\n"
    )
    source = (
        "def word(judged):\n    return judged.verdict.value\n\ndef bad(judged):\n    raise SystemExit(0)\n"
    )
    (shop.folder / "site" / "foreign.py").write_text(source)
    path = f"{ROOT}:{shop.folder / 'site'}"
    assert shop.cli("run", "--format", "word", PYTHONPATH=path).stdout == "PASS"
    failed = shop.cli("run", "--format", "bad", PYTHONPATH=path)
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "format 'bad' of foreign 1.0 (foreign:bad) failed: SystemExit" in failed.stderr
    assert len(list((shop.folder / "reports").glob("*/run.json"))) == 2
    assert shop.cli("run", "--format", "lost", PYTHONPATH=path).returncode == 2
