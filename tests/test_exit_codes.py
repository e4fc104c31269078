"""One module decides what a command exits with, and no error is known by its words."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from conftest import ROOT

from kisaan_validate.cli import exits
from kisaan_validate.errors import (
    AlreadyRunning,
    DatabaseError,
    Interrupted,
    KisaanError,
    OtherFormat,
    RecordError,
    SuiteError,
    TargetError,
    UsageError,
)
from kisaan_validate.facts.run import OLDEST_RUN_FORMAT, RUN_FORMAT
from kisaan_validate.process.stopping import Cause, Stop
from kisaan_validate.signoff.chain import read_link, walk
from kisaan_validate.signoff.evidence import Files
from kisaan_validate.signoff.findings import Mark, Verified
from kisaan_validate.signoff.verify_evidence import run_of

PACKAGE = ROOT / "kisaan_validate"
CODES = {name for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)}
ELSEWHERE = {
    "exits.py": "it decides",
    "signals.py": "a second signal ends the process at once, in a handler that can import nothing",
    "supervise.py": "it passes on what the watched process ended with",
}
MODULES = sorted(path for path in (PACKAGE / "cli").glob("*.py") if path.name not in ELSEWHERE)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_command_decides_its_exit_code(path: Path) -> None:
    """Neither returned nor passed to an exit: no number, and no name of a code."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert [ast.unparse(node) for node in ast.walk(tree) if _names_a_code(node)] == []


def test_codes_that_are_named_are_found() -> None:
    """The test above sees what it is there for."""
    wrong = (
        "return 0",
        "return 1 if x else 0",
        "return code or INCONCLUSIVE",
        "return exits.USAGE",
        "sys.exit(3)",
        "os._exit(1)",
        "ctx.exit(FAILED)",
        "raise SystemExit(2)",
    )
    right = ("return None", "return exit_code(run, verdict)", "return f(0)", "return True", "sys.exit(code)")
    for text in wrong:
        assert any(map(_names_a_code, ast.walk(ast.parse(text)))), text
    for text in right:
        assert not any(map(_names_a_code, ast.walk(ast.parse(text)))), text


def _names_a_code(node: ast.AST) -> bool:
    if isinstance(node, ast.Return) and node.value is not None:
        return any(map(_is_code, _values(node.value)))
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in EXITS:
        return any(_is_code(value) for argument in node.args for value in _values(argument))
    return False


EXITS = {"exit", "_exit", "SystemExit"}


def _values(node: ast.expr) -> Iterator[ast.expr]:
    """What an expression may come to, as far as it is written there: not what it hands to a function."""
    if isinstance(node, ast.IfExp):
        yield from (value for part in (node.body, node.orelse) for value in _values(part))
    elif isinstance(node, ast.BoolOp):
        yield from (value for part in node.values for value in _values(part))
    else:
        yield node


def _is_code(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    return isinstance(node, (ast.Name, ast.Attribute)) and ast.unparse(node).rpartition(".")[2] in CODES


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError(""), exits.USAGE),
        (SuiteError(""), exits.USAGE),
        (TargetError(""), exits.USAGE),
        (RecordError(""), exits.USAGE),
        (OtherFormat(""), exits.USAGE),
        (KisaanError(""), exits.USAGE),
        (click.UsageError(""), exits.USAGE),
        (AlreadyRunning(""), exits.BUSY),
        (DatabaseError(""), exits.INCONCLUSIVE),
        (Interrupted(""), exits.INCONCLUSIVE),
        (click.Abort(), exits.INCONCLUSIVE),
        (KeyboardInterrupt(), exits.INCONCLUSIVE),
        (BrokenPipeError(), exits.INCONCLUSIVE),
        (OSError(), exits.INCONCLUSIVE),
        (ZeroDivisionError(), exits.INCONCLUSIVE),
        (SystemExit(0), exits.PASSED),
        (SystemExit(2), exits.USAGE),
        (SystemExit(1), exits.INCONCLUSIVE),
        (SystemExit(None), exits.INCONCLUSIVE),
    ],
    ids=repr,
)
def test_every_error_has_its_exit_code(error: BaseException, code: int) -> None:
    """Only what is known to be asked wrongly is a usage error; nothing that ended a command is a verdict."""
    assert exits.exit_code_of(error) == code


def test_a_pass_that_nobody_can_read_is_none() -> None:
    read = {
        (code, lost, closed): exits.written_exit_code(code, lost=lost, closed=closed)
        for code in (exits.PASSED, exits.FAILED, exits.BUSY)
        for lost in (False, True)
        for closed in (False, True)
    }
    for (code, lost, closed), left in read.items():
        inconclusive = lost or (closed and code == exits.PASSED)
        assert left == (exits.INCONCLUSIVE if inconclusive else code)


ALLOWED = {
    "live/compare.py: error.fact.partition(': ')": "masks what stands behind the name of the side",
    "sql/scrubbing.py: 'Required keyword' in str(error)": "sqlglot's error, which has no codes",
}


def test_no_error_is_known_by_its_words() -> None:
    """The words of our own errors are for people: what a program must know of them is a class or a field."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if _looks_at_words(node):
                found.append(f"{path.relative_to(PACKAGE)}: {ast.unparse(node)}")
    assert found == list(ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "'x' in error.fact",
        "'x' in str(error)",
        "'x' in link.error",
        "error.fact.startswith('x')",
        "str(error).endswith('x')",
        "stop.reason.startswith('x')",
        "run.interrupted.startswith('x')",
        "error.fact.removeprefix('x')",
    ],
)
def test_words_that_are_looked_at_are_found(text: str) -> None:
    """The test above sees what it is there for."""
    assert any(map(_looks_at_words, ast.walk(ast.parse(text))))


WORDS = {"fact", "hint", "error", "interrupted", "stamp"}
LOOKS = {"startswith", "endswith", "removeprefix", "removesuffix", "find", "index", "partition"}


def _looks_at_words(node: ast.AST) -> bool:
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        return isinstance(node.left, ast.Constant) and _is_words(node.comparators[0])
    called = node.func if isinstance(node, ast.Call) else None
    return isinstance(called, ast.Attribute) and called.attr in LOOKS and _is_words(called.value)


def _is_words(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return ast.unparse(node) in {"str(error)", "str(e)", "str(exc)"}
    of_stop = isinstance(node, ast.Attribute) and ast.unparse(node).endswith("stop.reason")
    return of_stop or (isinstance(node, ast.Attribute) and node.attr in WORDS)


def test_why_a_run_was_stopped_is_known_by_its_cause() -> None:
    """The first cause stands, with the first reason."""
    stop = Stop()
    assert stop.cause is Cause.ASKED
    stop.forgo("a standby", Cause.STANDBY_TOO_OLD)
    stop.request("SIGINT")
    assert (stop.reason, stop.cause) == ("a standby", Cause.STANDBY_TOO_OLD)


@pytest.mark.parametrize("version", [OLDEST_RUN_FORMAT - 1, RUN_FORMAT + 1])
def test_a_record_of_another_format_is_not_called_damaged(version: int, tmp_path: Path) -> None:
    """Neither is it proved: it is open, and no fault of the chain. A damaged one is wrong, whatever it says."""
    text = (ROOT / "tests" / "fixtures" / "records" / "run-0.1.0.json").read_text(encoding="utf-8")
    other = text.replace('"format_version": 3', f'"format_version": {version}')
    damaged = text.replace('"kind": "run"', '"kind": " has format "')
    assert len({text, other, damaged}) == 3
    for data, mark in ((other, Mark.OPEN), (damaged, Mark.WRONG)):
        folder = tmp_path / mark.name
        folder.mkdir()
        (folder / "run.json").write_text(data, encoding="utf-8")
        found = Verified("here")
        assert run_of(Files("here", {"run.json": data.encode()}), found) is None
        assert [finding.mark for finding in found.findings] == [mark]
        link = read_link(folder / "run.json")
        assert link.error
        assert link.other_format is (mark is Mark.OPEN)
        assert bool(walk([link]).broken) is (mark is Mark.WRONG)
