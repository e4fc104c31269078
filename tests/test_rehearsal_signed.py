"""A rehearsal's folder is signed and verified as a run's is: its receipt, facts, page and dump by their digests."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import warm
from conftest import ROOT, needs
from rehearsal_cases import clean, everything

from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.record.rehearsed import receipt_to_json, rehearsed_from_json, rehearsed_to_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.receipt import receipt_of
from kisaan_validate.report.rehearsal_page import render_rehearsal
from kisaan_validate.version import VERSION


def cli(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in the folder."""
    known = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "KISAAN", "DATABASE"))}
    known |= {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    return warm.run("kisaan_validate", words, folder, known, 120, False)


def kept(folder: Path, found: Rehearsed) -> Path:
    """A rehearsal as the command writes it."""
    found = replace(found, version=VERSION)
    judged = judge_rehearsal(found)
    made = folder / "rehearsal"
    made.mkdir()
    (made / "rehearsal.json").write_text(rehearsed_to_json(found))
    (made / "rehearsal.html").write_text(render_rehearsal(found, judged))
    (made / "receipt.json").write_text(receipt_to_json(receipt_of(found, judged, None)))
    return made


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Keys of two people, whose names are allowed."""
    lines = []
    for name in ("asha", "ravi"):
        words = [needs("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / name)]
        subprocess.run(words, check=True, capture_output=True)
        lines.append(f"{name} {(tmp_path / f'{name}.pub').read_text()}")
    (tmp_path / "allowed").write_text("".join(lines))
    return tmp_path


def signed(
    desk: Path, *more: str, name: str = "asha", decision: str = "approve"
) -> subprocess.CompletedProcess[str]:
    """A signature on the rehearsal."""
    words = ("--as", name, "--key", name, "--decision", decision, "--reason", "as planned")
    return cli(desk, "sign", "rehearsal", *words, *more)


def verified(desk: Path, *more: str) -> tuple[int, str]:
    """The exit code and the words of a verification."""
    done = cli(desk, "verify", "rehearsal", "--allowed-signers", "allowed", *more)
    assert done.stderr == "" or done.returncode == 2, done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_rehearsal_is_read_as_it_was_written() -> None:
    """All of its facts; what was edited is refused."""
    for found in (clean(), everything()):
        text = rehearsed_to_json(found)
        assert rehearsed_to_json(rehearsed_from_json(text)) == text


def test_signed_and_verified(desk: Path) -> None:
    """Unsigned it is not proved; approved it is; by two where two are asked for; rejected it is wrong, until the
    same person says otherwise.
    """
    kept(desk, clean())
    code, said = verified(desk)
    assert (code, "approval: 0 of 1 approval" in said) == (3, True), said
    done = signed(desk)
    assert done.returncode == 0, done.stderr
    assert "signed  rehearsal/receipt.json.signoff-0001.json" in done.stdout
    assert verified(desk)[0] == 0
    code, said = verified(desk, "--approvals", "2")
    assert (code, "approval: 1 of 2 approvals" in said) == (3, True), said
    assert signed(desk, name="asha").returncode == 0
    assert verified(desk, "--approvals", "2")[0] == 3
    assert signed(desk, name="ravi").returncode == 0
    assert verified(desk, "--approvals", "2")[0] == 0
    assert signed(desk, name="ravi", decision="reject").returncode == 0
    code, said = verified(desk)
    assert (code, "rejected by ravi" in said) == (1, True), said
    assert signed(desk, name="ravi").returncode == 0
    assert verified(desk)[0] == 0
    assert cli(desk, "verify", "rehearsal").returncode == 3
    assert cli(desk, "verify", "rehearsal/receipt.json", "--allowed-signers", "allowed").returncode == 0


def test_what_did_not_pass_is_approved_by_name_only(desk: Path) -> None:
    """And what is of runs is refused; nothing is signed then."""
    kept(desk, everything())
    refused = signed(desk)
    assert refused.returncode == 2
    assert "the rehearsal's verdict is FAIL" in refused.stderr
    for option in ("--accept-partial", "--accept-uncommitted", "--timestamp=http://127.0.0.1:1/"):
        done = signed(desk, option)
        assert (done.returncode, "is of runs" in done.stderr) == (2, True), done.stderr
    assert signed(desk, "--reason", " ").returncode == 2
    assert list((desk / "rehearsal").glob("*signoff*")) == []
    assert signed(desk, decision="reject").returncode == 0
    assert signed(desk, "--accept-verdict").returncode == 0
    statement = json.loads((desk / "rehearsal" / "receipt.json.signoff-0002.json").read_text())
    assert statement["accepted"] == ["verdict"]
    assert set(statement["covers"]) == {"receipt.json", "rehearsal.json", "rehearsal.html", *_dump(desk)}
    assert verified(desk)[0] == 0


def _dump(desk: Path) -> list[str]:
    return [json.loads((desk / "rehearsal" / "receipt.json").read_text())["dump"]["name"]]


def _edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text, name
        (folder / name).write_text(text.replace(old, new, 1))

    return change


TAMPERED: dict[str, Callable[[Path], None]] = {
    "the page": _edited("rehearsal.html", "<title>", "<title>good "),
    "the receipt's verdict": _edited("receipt.json", '"INCONCLUSIVE"', '"PASS"'),
    "the receipt's time": _edited("receipt.json", '"at": "2', '"at": "1'),
    "a fact": _edited("rehearsal.json", '"healthy": true', '"healthy": false'),
    "no page": lambda folder: (folder / "rehearsal.html").unlink(),
    "no facts": lambda folder: (folder / "rehearsal.json").unlink(),
    "a statement": _edited("receipt.json.signoff-0001.json", "as planned", "as plannet"),
    "a signature": lambda folder: (folder / "receipt.json.signoff-0001.json.sig").unlink(),
    "an earlier statement": lambda folder: (
        [  # type: ignore[func-returns-value]
            (folder / f"receipt.json.signoff-0001.json{end}").unlink() for end in ("", ".sig")
        ]
        and None
    ),
    "a statement under another number": lambda folder: (
        [  # type: ignore[func-returns-value]
            (folder / f"receipt.json.signoff-0002.json{end}").rename(
                folder / f"receipt.json.signoff-0009.json{end}"
            )
            for end in ("", ".sig")
        ]
        and None
    ),
}


QUICK = ("the page", "a fact", "an earlier statement")


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=[] if c in QUICK else pytest.mark.slow) for c in TAMPERED]
)
def test_what_was_changed_shows(desk: Path, case: str) -> None:
    """Whatever it was, and whoever had signed before: never exit 0, and it is said."""
    folder = kept(desk, replace(clean(), interrupted_by="SIGINT"))
    assert signed(desk, "--accept-verdict").returncode == 0
    assert signed(desk, "--accept-verdict", name="ravi").returncode == 0
    assert verified(desk)[0] == 0
    TAMPERED[case](folder)
    code, said = verified(desk)
    assert code in {1, 2}, said
    assert "WRONG" in said or "error: " in said, said
    if not case.startswith(("a s", "an e")):
        # Nor is it signed again.
        assert signed(desk, "--accept-verdict").returncode == 2
