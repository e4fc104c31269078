"""The record of a rollout is a chain: what was cut, changed or lost is said, and never read as less that was
done."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from rollouts import PLAN, Events, chain, plan_of

from kisaan_validate.cli.rollout_shown import check_lines, what_now
from kisaan_validate.errors import AlreadyRunning, RecordError, UsageError
from kisaan_validate.facts.rollout import AttestOutcome, PlanAccepted, RolloutOpened, StepAttested
from kisaan_validate.facts.rollout_state import StepStanding
from kisaan_validate.record.rollout import rollout_from_json, rollout_to_json
from kisaan_validate.rollout import work
from kisaan_validate.rollout.book import RolloutBook, clock_notes, open_book, read_book
from kisaan_validate.rollout.deciding import accept_plan, attest, override
from kisaan_validate.rollout.evidence import criteria_of, digested
from kisaan_validate.rollout.night import night_of
from kisaan_validate.rollout.work import at_the_helm, at_work, busy

SAID = Events(plan_of())
ENTRIES = chain(
    [
        RolloutOpened("orders", plan_of().digest, "0.4.0"),
        SAID.attested("told"),
        SAID.started("look"),
        SAID.ended("look"),
    ]
)
TEXT = rollout_to_json(ENTRIES)


def test_cut_at_any_byte_it_is_refused() -> None:
    """Law: no beginning of the file is a record of an earlier state."""
    data = TEXT.encode()
    for length in range(len(data) - 1):
        with pytest.raises(RecordError):
            rollout_from_json(data[:length].decode("utf-8", "replace"))
    assert rollout_from_json(TEXT).entries == ENTRIES


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (
            '"text": "seen"',
            '"text": "not seen"',
            "entry 2 was changed: it is not the one that entry 3 follows",
        ),
        ('"outcome": "done"', '"outcome": "failed"', "entry 2 was changed"),
        ('"verdict": "pass"', '"verdict": "fail"', "entry 4 was changed, or entries after it were removed"),
        ('"number": 3', '"number": 5', "entry 5 stands where entry 3 belongs"),
        ('"host": "desk"', '"host": "elsewhere"', "entry 1 was changed"),
        ('"verdict": "pass"', '"verdict": "perhaps"', "is not valid"),
        ('"number": 3', '"number": 3.0', "was changed"),
        ('"kind": "rollout-record"', '"kind": "run"', "is not a rollout-record file"),
        ('"format_version": 1', '"format_version": 2', "has format 2"),
        ('"what": "attested"', '"what": "ended"', "is not valid"),
        ('"by": "Asha"', '"by": "Asha", "green": true', "was changed"),
    ],
)
def test_a_changed_record_is_refused_by_entry(before: str, after: str, said: str) -> None:
    """Law: an edit is seen, and the entry is named."""
    assert before in TEXT
    with pytest.raises(RecordError, match=said):
        rollout_from_json(TEXT.replace(before, after, 1))


@pytest.mark.parametrize("gone", [0, 1, 2, 3])
def test_an_entry_that_was_removed_is_missed(gone: int) -> None:
    """Also the last one, by the digest beside the entries."""
    plain: dict[str, Any] = json.loads(TEXT)
    del plain["entries"][gone]
    with pytest.raises(RecordError, match=r"entry|entries"):
        rollout_from_json(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def test_entries_that_changed_places_are_seen() -> None:
    """Order is part of what happened."""
    plain: dict[str, Any] = json.loads(TEXT)
    plain["entries"][1], plain["entries"][2] = plain["entries"][2], plain["entries"][1]
    with pytest.raises(RecordError, match="entry 3 stands where entry 2 belongs"):
        rollout_from_json(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


# --- a folder -----------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a rollout, with its plan."""
    place = tmp_path / "rollout"
    place.mkdir()
    (place / "rollout.toml").write_text(PLAN)
    return place


def _told(folder: Path, **more: Any) -> RolloutBook:
    with at_the_helm(folder) as holding:
        book = open_book(folder, holding, None, ["list"])
        given: dict[str, Any] = {"outcome": AttestOutcome.DONE, "by": "Asha", "text": "mailed", "file": None}
        attest(book, "told", **{**given, **more})
    return read_book(folder)


def _standing(folder: Path) -> StepStanding:
    return read_book(folder, whole=True).position.states[0].standing


def test_evidence_is_copied_and_looked_at_again(folder: Path, tmp_path: Path) -> None:
    """A file that is changed, cut, replaced by a link or gone proves nothing any more; put back, it does."""
    mail = tmp_path / "mail.txt"
    mail.write_text("we close at ten")
    book = _told(folder, file=mail)
    (event,) = (e.event for e in book.entries if isinstance(e.event, StepAttested))
    assert event.file is not None
    kept = folder / event.file.path
    mail.unlink()
    assert _standing(folder) is StepStanding.ATTESTED
    for damage in ("we close at two", "we close", ""):
        kept.write_text(damage)
        assert _standing(folder) is StepStanding.DAMAGED
    kept.unlink()
    assert _standing(folder) is StepStanding.DAMAGED
    assert "is missing" in night_of(read_book(folder)).notes[0]
    other = tmp_path / "other.txt"
    other.write_text("we close at ten")
    kept.symlink_to(other)
    assert _standing(folder) is StepStanding.DAMAGED
    kept.unlink()
    kept.write_text("we close at ten")
    assert _standing(folder) is StepStanding.ATTESTED


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"by": " "}, "--by needs a name"),
        ({"by": "A\x1b[2J"}, "--by needs a name"),
        ({"by": "a" * 121}, "--by needs a name"),
        ({"text": "a\x1b]0;x\x07"}, "--text has a control character"),
        ({"text": "a\u202eb"}, "--text has a control character"),
        ({"text": "a" * 2_001}, "--text has 2,001 characters"),
        ({"outcome": AttestOutcome.FAILED, "text": ""}, "failed needs a reason"),
        ({"outcome": AttestOutcome.NOT_DONE}, "told is not optional"),
        ({"file": Path("/nowhere")}, "/nowhere is not a file"),
        ({"file": Path("/dev")}, "/dev is not a file"),
    ],
)
def test_what_a_person_cannot_say_is_refused(folder: Path, given: dict[str, Any], said: str) -> None:
    """Law: before it is recorded."""
    with pytest.raises(UsageError, match=said):
        _told(folder, **given)
    assert len(read_book(folder).entries) == 1


def test_secrets_in_what_people_write_are_not_kept(folder: Path) -> None:
    """People paste connection strings."""
    _told(folder, text="ran psql postgresql://u:s3cretpw@h/db password=s3cretpw\nand it was good")
    text = (folder / "rollout.json").read_text()
    assert "s3cretpw" not in text
    assert "ran psql postgresql://u:•••@h/db password=••• and it was good" in text


def test_only_the_present_step_is_decided(folder: Path) -> None:
    """Nobody overrides ahead, or what has passed; a name and a reason are needed."""
    with at_the_helm(folder) as holding:
        book = open_book(folder, holding, None, ["list"])
        for step, by, reason, said in (
            ("migrate", "Asha", "x", "the rollout stands at told, not at migrate"),
            ("mgrate", "Asha", "x", "there is no step 'mgrate'"),
            ("told", "", "x", "--by needs a name"),
            ("told", "Asha", " \n", "an override needs a reason"),
            ("told", "Asha", "a\x00b", "--reason has a control character"),
        ):
            with pytest.raises(UsageError, match=said):
                override(book, step, by, reason)
        attest(book, "told", AttestOutcome.DONE, "Asha", "", None)
        with pytest.raises(UsageError, match="look is run by this program, not attested"):
            attest(book, "look", AttestOutcome.DONE, "Asha", "", None)
        assert len(book.entries) == 2


def test_a_step_that_waits_is_not_attested_before(folder: Path) -> None:
    """So many hours after the step before it, by the record."""
    late = '[[phase.step]]\nid = "day"\ntitle = "Watch"\nkind = "person"\nwait = "24 h"\n\n[[phase.step]]\nid = "look"'
    (folder / "rollout.toml").write_text(PLAN.replace('[[phase.step]]\nid = "look"', late))
    book = _told(folder)
    with pytest.raises(UsageError, match="day can be attested 1 d after the step before it: from 20"):
        attest(book, "day", AttestOutcome.DONE, "Asha", "quiet", None)
    # It may have gone wrong before.
    attest(book, "day", AttestOutcome.FAILED, "Asha", "errors", None)
    old = [replace(e, at=e.at - timedelta(hours=25)) for e in book.entries]
    book.entries = tuple(old)
    book.text = (folder / "rollout.json").read_text()
    attest(book, "day", AttestOutcome.DONE, "Asha", "quiet", None)


def test_a_changed_plan_is_refused_until_it_is_accepted(folder: Path) -> None:
    """By name of the file and both digests; what was done of a step that was changed is not done."""
    _told(folder)
    (folder / "rollout.toml").write_text(PLAN.replace("Tell everybody", "Tell nobody"))
    book = read_book(folder)
    with pytest.raises(
        UsageError, match=r"rollout\.toml was changed since the rollout began: its SHA-256 is"
    ):
        book.require_plan()
    with pytest.raises(UsageError, match="was changed"):
        override(book, "told", "Asha", "x")
    assert "was changed and not accepted" in night_of(book).notes[0]
    with pytest.raises(UsageError, match="needs a reason"):
        accept_plan(book, "Asha", "")
    accept_plan(book, "Asha", "a slip")
    book = read_book(folder)
    book.require_plan()
    assert isinstance(book.entries[-1].event, PlanAccepted)
    assert book.position.states[0].standing is StepStanding.OPEN
    assert any("The plan was changed, accepted by Asha: a slip." in one for one in night_of(book).reasons)
    with pytest.raises(UsageError, match="was not changed"):
        accept_plan(book, "Asha", "again")


def test_a_clock_that_went_back_is_said(folder: Path) -> None:
    """Between two machines, or on one."""
    entries = chain([SAID.attested("told"), SAID.started("look"), SAID.ended("look")], seconds=[100, 40, 41])
    (note,) = clock_notes(entries)
    assert note == "The clock went back by 60 s between entries 1 and 2 (desk, desk)."
    assert rollout_from_json(rollout_to_json(entries)).entries == entries


def test_what_was_written_meanwhile_is_not_overwritten(folder: Path) -> None:
    """A record that is another than the one that was read."""
    book = _told(folder)
    path = folder / "rollout.json"
    before = path.read_text()
    path.write_text(before.replace("mailed", "called"))
    with pytest.raises(AlreadyRunning, match="was changed meanwhile"):
        override(book, "look", "Asha", "x")
    assert "called" in path.read_text()


def test_an_older_record_that_was_put_back_is_said(folder: Path) -> None:
    """It is whole, so only what was begun since tells; check says that it is wrong."""
    older = _told(folder).text
    with at_the_helm(folder) as holding:
        book = open_book(folder, holding, None, ["list"])
        book.add(SAID.started("look"))
    (folder / "logs").mkdir()
    (folder / "logs" / "look-1.log").write_text("")
    assert read_book(folder).strays == ()
    (folder / "rollout.json").write_text(older)
    book = read_book(folder)
    assert check_lines(book)[0] == 1
    (note,) = night_of(book).notes
    assert note.startswith("logs/look-1.log is of an attempt that the record does not know")
    assert any("look-1.log" in line for line in what_now(book))


def test_what_a_run_says_of_criteria_is_kept_with_it(folder: Path) -> None:
    """Of a run that the suite recorded; of a file that was cut or is no run, nothing."""
    text = (ROOT / "reports" / "sample" / "run.json").read_text(encoding="utf-8")
    path = folder / "after" / "1" / "run.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    seen = {one.id: one.standing for one in criteria_of(folder, [digested(folder, path)])}
    assert seen["payment-dates"] == "proved"
    assert seen["commissions-once"] == "not met"
    assert seen["smoke-tests"] in {"to be attested", "attested"}
    for damaged in (text[:-100], text.replace('"kind":"run"', '"kind":"ran"', 1), "", "{}"):
        path.write_text(damaged)
        assert criteria_of(folder, [digested(folder, path)]) == ()


# --- who is at work -----------------------------------------------------------------------------------------


def _foreign(folder: Path, seconds: float, token: str = "t", host: str = "elsewhere") -> None:
    now = datetime.now(UTC)
    word = {"user": "binod", "host": host, "boot": "b", "pid": 4711, "doing": "backup", "token": token}
    word |= {"since": f"{now - timedelta(hours=1):%Y-%m-%d %H:%M:%S+00:00}"}
    word |= {"beat": f"{now - timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S+00:00}"}
    (folder / work.WORD).write_text(json.dumps(word))


def test_an_operator_elsewhere_is_believed_while_he_is_heard(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by user, host, process and time; silent, only a person may decide; heard again, nobody may."""
    monkeypatch.setattr(work, "BEAT_SECONDS", 0.2)
    _foreign(folder, 10)
    with pytest.raises(AlreadyRunning, match="binod on elsewhere, process 4711, since"), at_the_helm(folder):
        pass
    with pytest.raises(AlreadyRunning), at_the_helm(folder, take_over=True):
        pass
    found = busy(folder)
    assert found is not None
    assert (found.user, found.doing) == ("binod", "backup")
    _foreign(folder, 3_600)
    with pytest.raises(AlreadyRunning, match="last heard") as refused, at_the_helm(folder):
        pass
    assert "--take-over" in refused.value.hint
    threading.Timer(0.1, _foreign, [folder, 3_590]).start()
    with (
        pytest.raises(AlreadyRunning, match="is still at work"),
        at_the_helm(folder, take_over=True),
    ):
        pass
    time.sleep(0.2)
    with at_the_helm(folder, take_over=True) as holding:
        assert holding.taken_from.startswith("binod on elsewhere")
        book = open_book(folder, holding, None, ["list"], "Asha")
    assert any("Asha took over the lock of binod on elsewhere" in note for note in night_of(book).notes)
    assert at_work(folder) is None


def test_a_clock_ahead_elsewhere_is_not_taken_for_silence(folder: Path) -> None:
    """A word from the future was not said in the last minute by our clock: a person decides."""
    _foreign(folder, -600)
    with pytest.raises(AlreadyRunning, match="last heard"), at_the_helm(folder):
        pass


def test_who_lost_his_lock_records_nothing_more(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: after a take-over by another host the first operator is told, and writes nothing."""
    monkeypatch.setattr(work, "BEAT_SECONDS", 0.05)
    lost: list[str] = []
    with at_the_helm(folder, lost.append) as holding:
        book = open_book(folder, holding, None, ["list"])
        before = (folder / "rollout.json").read_text()
        _foreign(folder, 0)
        deadline = time.monotonic() + 30
        while not lost and time.monotonic() < deadline:
            time.sleep(0.02)
        assert lost[0].startswith("binod on elsewhere")
        with pytest.raises(AlreadyRunning, match="took over this rollout"):
            override(book, "told", "Asha", "x")
    assert (folder / "rollout.json").read_text() == before
    # His word is theirs now.
    assert at_work(folder) is not None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"user": "x"}', "null", '{"pid": "1"}', "\x00" * 100])
def test_a_damaged_word_is_not_taken_for_nobody(folder: Path, text: str) -> None:
    """Somebody may be at work."""
    (folder / work.WORD).write_text(text)
    with pytest.raises(RecordError, match="somebody may be at work"), at_the_helm(folder):
        pass


def test_a_word_left_by_a_dead_process_here_blocks_nobody(folder: Path) -> None:
    """The kernel's lock ended with it."""
    with at_the_helm(folder):
        word = (folder / work.WORD).read_text()
    (folder / work.WORD).write_text(word)
    assert busy(folder) is None
    with at_the_helm(folder) as holding:
        assert holding.taken_from == ""
