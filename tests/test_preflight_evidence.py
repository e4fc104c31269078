"""Certificate and receipt compared with a database and an hour: what is missing, old, foreign or damaged is
never taken for evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from backup_cases import dump, everything, good, taken
from preflight_cases import AT, inquiry, place
from rehearsal_cases import clean

from kisaan_validate.backup.verifying import certified
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import MigrationItem, MigrationsStanding
from kisaan_validate.facts.preflight import PreflightItem
from kisaan_validate.facts.receipt import ReceiptFile, RehearsalReceipt
from kisaan_validate.facts.rehearsal import SessionSetting
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.preflight.asked import Inquiry
from kisaan_validate.preflight.backups import backup_good
from kisaan_validate.preflight.evidence import Given, GivenRecord, read_given
from kisaan_validate.preflight.rehearsals import rehearsal_fits
from kisaan_validate.record.certificate import certificate_to_json
from kisaan_validate.record.rehearsed import receipt_to_json, rehearsed_from_json, rehearsed_to_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.receipt import receipt_of

PASS, FAIL, UNKNOWN = StandingState.PASS, StandingState.FAIL, StandingState.UNKNOWN


def states(found: Iterator[PreflightItem]) -> dict[str, StandingState]:
    """The states of answers, by question; each question has one."""
    items = list(found)
    made = {item.question: item.state for item in items}
    assert len(made) == len(items)
    assert all(item.todo for item in items if item.state in {FAIL, UNKNOWN})
    return made


def backed(folder: Path, evidence: Any = None, **changed: Any) -> Inquiry:
    """A preflight with a certificate, whose dump lies beside it."""
    evidence = evidence or good(taken=taken())
    (folder / "shop.dump").write_bytes(b"x" * 12_345)
    path = folder / "shop.dump.certificate.json"
    path.write_text(certificate_to_json(certified(evidence, 1.0)))
    return inquiry(read_given(path, None, None, None), **changed)


def test_a_good_backup_of_this_database(tmp_path: Path) -> None:
    """Certified, of this server and name, young, and its dump is there with its size."""
    found = states(backup_good(backed(tmp_path)))
    assert found == dict.fromkeys(("certificate", "database", "age", "dump"), PASS)


BACKUPS: dict[str, tuple[Any, str, StandingState]] = {
    "not good": ({"evidence": everything()}, "certificate", FAIL),
    "not proved": (
        {"evidence": good(taken=taken(), restored=None, not_restored="no client")},
        "certificate",
        UNKNOWN,
    ),
    "expired": ({"at": AT + timedelta(days=7, seconds=1)}, "certificate", FAIL),
    "valid to the last second": ({"at": AT + timedelta(days=7)}, "certificate", PASS),
    "another name": ({"here": place(database="shop2")}, "database", FAIL),
    "another server": ({"here": place(system_identifier="8")}, "database", FAIL),
    "a role that may not see": ({"here": place(system_identifier="")}, "database", UNKNOWN),
    "no record of its making": ({"evidence": good()}, "database", UNKNOWN),
    "nobody answered": ({"nobody": True}, "database", UNKNOWN),
    "old": ({"at": AT + timedelta(hours=20, seconds=1)}, "age", FAIL),
    "young to the second": ({"at": AT + timedelta(hours=20)}, "age", PASS),
    "of tomorrow": ({"at": AT - timedelta(hours=5)}, "age", UNKNOWN),
    "of no zone": ({"evidence": good(dump=dump(taken_at=datetime(2026, 11, 29, 22, 0)))}, "age", UNKNOWN),
}


@pytest.mark.parametrize(("given", "question", "state"), BACKUPS.values(), ids=BACKUPS)
def test_what_a_certificate_does_not_prove(
    tmp_path: Path, given: dict[str, Any], question: str, state: StandingState
) -> None:
    """Each question by itself, at its bound."""
    given = dict(given)
    nobody = given.pop("nobody", False)
    asked = backed(tmp_path, **given)
    if nobody:
        asked.place = None
    assert states(backup_good(asked))[question] is state


def test_the_dump_itself(tmp_path: Path) -> None:
    """There, whole, and with --deep byte for byte."""
    asked = backed(tmp_path)
    (tmp_path / "shop.dump").write_bytes(b"x" * 12_344)
    assert states(backup_good(asked))["dump"] is FAIL
    (tmp_path / "shop.dump").write_bytes(b"y" * 12_345)
    assert states(backup_good(asked))["dump"] is PASS
    asked.asked = replace(asked.asked, deep=True)
    assert states(backup_good(asked))["dump"] is FAIL
    (tmp_path / "shop.dump").unlink()
    assert states(backup_good(asked))["dump"] is UNKNOWN
    named = replace(asked.asked.given, dump=tmp_path / "elsewhere")
    asked.asked = replace(asked.asked, given=named)
    assert states(backup_good(asked))["dump"] is FAIL
    asked.asked = replace(asked.asked, without={"dump": "said"})
    assert "dump" not in states(backup_good(asked))


@pytest.mark.parametrize("text", [None, "", "{", '{"kind": "run"}', "edited", "\x00" * 9])
def test_a_certificate_that_cannot_be_read_is_none(tmp_path: Path, text: str | None) -> None:
    """Missing, cut off, of another kind, edited, blank: a no-go with the reason, and no exception."""
    asked = backed(tmp_path)
    path = tmp_path / "shop.dump.certificate.json"
    whole = path.read_text()
    path.unlink()
    if text is not None:
        path.write_text(
            whole.replace('"verdict": "PASS"', '"verdict":  "PASS"') if text == "edited" else text
        )
    asked = inquiry(read_given(path, None, None, None))
    (found,) = backup_good(asked)
    assert found.state is FAIL
    assert found.fact


def test_a_certificate_of_a_later_format_is_not_wrong(tmp_path: Path) -> None:
    """Nothing says that it is damaged: that cannot be told."""
    asked = backed(tmp_path)
    path = tmp_path / "shop.dump.certificate.json"
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 99'))
    assert "99" in path.read_text()
    asked = inquiry(read_given(path, None, None, None))
    (found,) = backup_good(asked)
    assert found.state is UNKNOWN


def test_what_is_not_named_is_not_green() -> None:
    """Nothing was named: that cannot be told; left out by name, it is not asked at all."""
    assert states(backup_good(inquiry())) == {"certificate": UNKNOWN}
    assert states(rehearsal_fits(inquiry())) == {"receipt": UNKNOWN}
    assert states(backup_good(inquiry(without={"backup": "said"}))) == {}
    assert states(rehearsal_fits(inquiry(without={"rehearsal": "said"}))) == {}


# --- the rehearsal ---------------------------------------------------------------------------------------

FILES = (ReceiptFile("01.sql", "aa"), ReceiptFile("02.sql", "bb"))


class _Digest:
    """As much of a suite or contract as is compared."""

    def __init__(self, digest: str) -> None:
        self.digest = digest


def receipt(**more: Any) -> RehearsalReceipt:
    """That of a clean rehearsal of the certified dump, five hours ago."""
    found = clean()
    given = {
        "at": AT - timedelta(hours=5),
        "migrations": FILES,
        "contract": "c1",
        "suite": "s1",
        "dump": ReceiptFile("shop.dump", "ab" * 32),
        "settings": (SessionSetting("TimeZone", "UTC", "default"),),
    }
    return replace(receipt_of(found, judge_rehearsal(found), None), **{**given, **more})


def standing(*files: ReceiptFile) -> MigrationsStanding:
    """A folder of these files, and a ledger of none."""
    items = tuple(MigrationItem(file.name, True, False, sha256=file.sha256) for file in files)
    return MigrationsStanding(LedgerKind.NAMES, "migrations", "_migrations", items, ())


def rehearsed(folder: Path, found: RehearsalReceipt, *files: ReceiptFile, **changed: Any) -> Inquiry:
    """A preflight with a receipt, a certificate, and a folder of these files."""
    path = folder / "receipt.json"
    path.write_text(receipt_to_json(found))
    certificate = folder / "shop.dump.certificate.json"
    certificate.write_text(certificate_to_json(certified(good(taken=taken()), 1.0)))
    made = inquiry(
        read_given(certificate, path, None, None),
        **{"without": {"settings": "said"}, "suite": _Digest("s1"), "contract": _Digest("c1"), **changed},
    )
    made.standing = standing(*(files or FILES))
    return made


def test_a_rehearsal_that_fits(tmp_path: Path) -> None:
    """Everything is as it was rehearsed."""
    found = states(rehearsal_fits(rehearsed(tmp_path, receipt())))
    questions = ("receipt", "age", "version", "files", "contract", "suite", "data", "data age")
    assert found == dict.fromkeys(questions, PASS)


REHEARSALS: dict[str, tuple[Any, Any, str, StandingState]] = {
    "failed": ({"verdict": Verdict.FAIL}, {}, "receipt", FAIL),
    "proved nothing": ({"verdict": Verdict.INCONCLUSIVE}, {}, "receipt", UNKNOWN),
    "old": ({"at": AT - timedelta(days=7, seconds=1)}, {}, "age", FAIL),
    "another version": ({"server_version": "15.9"}, {}, "version", FAIL),
    "by a command": ({"command": "npm run migrate", "migrations": ()}, {}, "files", UNKNOWN),
    "another contract": ({"contract": "c2"}, {}, "contract", FAIL),
    "without a contract": ({"contract": ""}, {}, "contract", UNKNOWN),
    "no contract now": ({}, {"contract": None}, "contract", UNKNOWN),
    "another suite": ({"suite": "s2"}, {}, "suite", FAIL),
    "no suite now": ({}, {"suite": None}, "suite", UNKNOWN),
    "a dump that nobody certified": ({"dump": ReceiptFile("x", "00" * 32)}, {}, "data", UNKNOWN),
    "of an old dump": (
        {"at": AT + timedelta(days=7)},
        {"at": AT + timedelta(days=8)},
        "data age",
        FAIL,
    ),
    "a dump of no zone that nobody certified": (
        {"dump": ReceiptFile("x", "00" * 32), "dump_taken_at": datetime(2026, 11, 29, 22, 0)},
        {},
        "data age",
        UNKNOWN,
    ),
    "data of another server": ({}, {"here": place(system_identifier="8")}, "data", FAIL),
    "data of whom": ({}, {"here": place(system_identifier="")}, "data", UNKNOWN),
}


@pytest.mark.parametrize(("said", "given", "question", "state"), REHEARSALS.values(), ids=REHEARSALS)
def test_what_a_receipt_does_not_prove(
    tmp_path: Path, said: Any, given: Any, question: str, state: StandingState
) -> None:
    """Each question by itself; the others keep their answers."""
    found = states(rehearsal_fits(rehearsed(tmp_path, receipt(**said), **given)))
    assert found[question] is state
    untold = {name for name, one in found.items() if one is not PASS} - {question}
    # Of a dump without a certificate two things are not known.
    assert untold <= ({"data"} if question == "data age" and state is UNKNOWN else set())


@pytest.mark.parametrize(
    "files",
    [
        FILES[:1],
        (*FILES, ReceiptFile("03.sql", "cc")),
        (FILES[0], ReceiptFile("02.sql", "b2")),
    ],
)
def test_other_files_than_rehearsed(tmp_path: Path, files: tuple[ReceiptFile, ...]) -> None:
    """One less, one more, one changed."""
    assert states(rehearsal_fits(rehearsed(tmp_path, receipt(), *files)))["files"] is FAIL


def test_a_folder_that_nobody_named(tmp_path: Path) -> None:
    """Then nobody knows whether the files are the same."""
    asked = rehearsed(tmp_path, receipt())
    asked.standing = None
    assert states(rehearsal_fits(asked))["files"] is UNKNOWN


def test_the_certificate_of_an_older_dump_tells_whose_data_was_rehearsed(tmp_path: Path) -> None:
    """A rehearsal on last week's dump, whose certificate lies beside that of tonight."""
    asked = rehearsed(tmp_path, receipt(dump=ReceiptFile("old.dump", "cd" * 32)))
    assert states(rehearsal_fits(asked))["data"] is UNKNOWN
    old = certified(good(taken=taken(dump="old.dump"), dump=dump(name="old.dump", sha256="cd" * 32)), 1.0)
    asked.asked = replace(asked.asked, given=replace(asked.asked.given, siblings=(old,)))
    assert states(rehearsal_fits(asked))["data"] is PASS


def test_a_rehearsal_reads_back_and_cannot_be_edited() -> None:
    """Its facts say which tables were rewritten: they must be those that were written."""
    text = rehearsed_to_json(clean())
    assert rehearsed_from_json(text) == clean()
    for wrong in (text.replace('"rehearsal"', '"run"', 1), text[:-9], text.replace("0.41", "0.410", 1)):
        assert wrong != text
        with pytest.raises(RecordError):
            rehearsed_from_json(wrong)


def test_evidence_is_named_by_digest(tmp_path: Path) -> None:
    """What an answer rests on can be found again; a file that is not there has none."""
    asked = rehearsed(tmp_path, receipt())
    assert [one.what for one in asked.asked.given.files] == ["certificate", "receipt"]
    assert all(len(one.sha256) == 64 for one in asked.asked.given.files)
    assert Given(GivenRecord(tmp_path / "gone", wrong="no such file")).files == ()
