"""What lies about in a folder of reports must neither stop a verification, nor be destroyed by the next
who signs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Server, needs
from house import ASHA, BINOD, House, build, line_of

from kisaan_validate.record.codec import run_from_json
from kisaan_validate.signoff.chain import links_of, walk
from kisaan_validate.signoff.check import SignoffTrust, signoffs_of
from kisaan_validate.signoff.evidence import read_folder
from kisaan_validate.signoff.keys import Signers
from kisaan_validate.signoff.standing import SignoffState, standing_of


@pytest.fixture(scope="module")
def house(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house."""
    needs("ssh-keygen")
    made = build(server, tmp_path_factory.mktemp("house"))
    yield made
    server.drop(made.database)
    server.sql(f"DROP ROLE reader_{made.database}")


@pytest.fixture(scope="module")
def passed(house: House) -> Path:
    """A run that nobody signed. Not to be changed."""
    return house.run()


@pytest.fixture
def run(house: House, passed: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change and sign."""
    return house.copied(passed, tmp_path)


def test_a_pipe_or_a_link_in_the_folder_of_reports_stops_nobody(house: House, run: Path) -> None:
    """They are named as what they are, and not opened: a pipe has no end, and a link may lead anywhere."""
    (run.parent / "pipe").mkdir()
    os.mkfifo(run.parent / "pipe" / "run.json")
    (run.parent / "link").mkdir()
    (run.parent / "link" / "run.json").symlink_to("/dev/zero")
    broken = " ".join(walk(links_of(run.parent)).broken)
    assert "pipe: run.json is not a regular file" in broken
    assert "link: run.json is not a regular file" in broken
    assert house.verify(run.parent).code == 1


def test_a_damaged_sign_off_is_not_written_over(house: House, run: Path) -> None:
    """It is evidence of what was done to it; the next sign-off takes the next number."""
    assert house.sign(run, ASHA, decision="reject").code == 0
    (first,) = run.glob("signoffs/*reject*.json")
    first.write_text("{")
    assert house.sign(run, ASHA, decision="reject").code == 0
    assert first.read_text() == "{"
    assert len([*run.glob("signoffs/*reject*.json")]) == 2
    said = house.verify(run)
    assert said.code == 1
    assert f"signoffs/{first.name}" in said.out


def test_a_name_that_is_no_utf8_is_said(house: House, run: Path) -> None:
    """In words that a terminal can show; a bundle of the rest can be made."""
    assert house.sign(run, ASHA, decision="reject").code == 0
    Path(os.fsdecode(os.fsencode(str(run / "signoffs")) + b"/\xff.json")).write_text("{}")
    said = house.verify(run)
    assert said.code == 1
    assert r"signoffs/\xff.json: it is not named in UTF-8" in said.out
    made = house.cli("bundle", str(run))
    assert "Traceback" not in made.err
    assert made.code == 0, made


def test_whoever_ran_it_is_not_another_person_under_another_name(
    house: House, run: Path, tmp_path: Path
) -> None:
    """The operator's key that is also listed under a role's name does not approve alone; with one more
    person it is approved.
    """
    olga = line_of(house.folder, ASHA).replace(ASHA, "olga@example.org")
    signers = tmp_path / "signers"
    signers.write_text(
        line_of(house.folder, ASHA) + line_of(house.folder, BINOD) + olga
    )  # olga's key is the one of asha
    trusted = SignoffTrust(Signers(signers.read_bytes()), "signers", 1)
    made = replace(run_from_json((run / "run.json").read_text()), criteria=())
    made = replace(made, provenance=replace(made.provenance, approvals=1))
    assert house.sign(run, ASHA, "--accept-unattested").code == 0
    alone = standing_of(made, signoffs_of(read_folder(run), made, None, trusted), 1)
    assert alone.approvals[0].ran_it
    assert alone.state is SignoffState.WAITING
    assert "olga ran it and cannot be the only approver" in alone.sentence
    assert house.sign(run, BINOD, "--accept-unattested").code == 0
    assert (
        standing_of(made, signoffs_of(read_folder(run), made, None, trusted), 1).state
        is SignoffState.APPROVED
    )
