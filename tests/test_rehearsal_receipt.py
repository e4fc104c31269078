"""The receipt of a rehearsal: what makes it void, where production differed, and that nobody edits it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from rehearsal_cases import clean

from kisaan_validate.errors import OtherFormat, RecordError
from kisaan_validate.facts.differences import ROWS, Change, Diff
from kisaan_validate.facts.receipt import ReceiptChange, ReceiptFile, RehearsalReceipt
from kisaan_validate.record.rehearsed import receipt_from_json, receipt_schema, receipt_to_json
from kisaan_validate.rehearse.judge import judge_rehearsal
from kisaan_validate.rehearse.receipt import receipt_of, review_receipt

FILES = (ReceiptFile("01.sql", "aa"), ReceiptFile("02.sql", "bb"))


def receipt(**more: Any) -> RehearsalReceipt:
    """That of a clean rehearsal, with what was compared."""
    found = clean()
    made = receipt_of(found, judge_rehearsal(found), None)
    given: dict[str, Any] = {
        "migrations": FILES,
        "contract": "c1",
        "suite": "s1",
        "compared": True,
        "settings": (),
        "changes": (
            ReceiptChange("column", "orders", "note", "removed"),
            ReceiptChange(ROWS, "orders", "", "rows", -3),
        ),
    }
    return replace(made, **{**given, **more})


class _Run:
    """As much of a run as a review asks for."""

    contract_digest = "c1"

    class suite:
        digest = "s1"

    class place:
        server = "PostgreSQL 18.2"


class _Judged:
    """A judgement with these changes."""

    def __init__(self, *changes: Change, diff: bool = True, **run: Any) -> None:
        self.run = type("R", (_Run,), run)
        self.diff = Diff(changes=changes) if diff else None


def judged(*changes: Change, **more: Any) -> Any:
    """What the run in production came to."""
    return _Judged(*changes, **more)


GONE = Change("column", "orders", "note", "removed", "text", None)
ROW = Change(ROWS, "orders", "", "rows", "10", "7", -3)


def test_as_rehearsed() -> None:
    """The same files, suite, contract, server and changes: nothing is said."""
    assert review_receipt(receipt(), judged(GONE, ROW), FILES).as_rehearsed


@pytest.mark.parametrize(
    ("made", "production", "files", "words"),
    [
        (receipt(contract="c2"), judged(GONE, ROW), FILES, "the contract is not the one of the rehearsal"),
        (receipt(suite="s2"), judged(GONE, ROW), FILES, "the suite is not the one of the rehearsal"),
        (
            receipt(server_version="15.18"),
            judged(GONE, ROW),
            FILES,
            "rehearsed on PostgreSQL 15, production is 18",
        ),
        (receipt(), judged(GONE, ROW), (FILES[0],), "02.sql was rehearsed, but is no longer there"),
        (receipt(), judged(GONE, ROW), (*FILES, ReceiptFile("03.sql", "cc")), "03.sql was not rehearsed"),
        (
            receipt(),
            judged(GONE, ROW),
            (FILES[0], ReceiptFile("02.sql", "xx")),
            "02.sql was changed after the rehearsal",
        ),
    ],
)
def test_what_makes_it_void(made: RehearsalReceipt, production: Any, files: Any, words: str) -> None:
    """Each thing that is not as in production, by name, and it alone."""
    assert review_receipt(made, production, files).void == (words,)


def test_where_production_differed() -> None:
    """Changes of one side only, and other numbers of rows; values and sums are no matter."""
    other = replace(ROW, delta=-4)
    more = Change("index", "orders", "by_note", "removed", "x", None)
    found = review_receipt(receipt(), judged(other, more), FILES)
    assert found.other == (
        "index orders.by_note: removed: in production only",
        "column orders.note: removed: in the rehearsal only",
        "rows orders: rows: -4 rows in production, -3 rows in the rehearsal",
    )
    assert found.void == ()


@pytest.mark.parametrize(
    ("made", "production", "files", "words"),
    [
        (receipt(), judged(diff=False), FILES, "there is no baseline"),
        (receipt(compared=False, changes=()), judged(), FILES, "nothing was compared there"),
        (
            receipt(migrations=(), command="npm run migrate"),
            judged(GONE, ROW),
            FILES,
            "the command ran the same",
        ),
        (receipt(), judged(GONE, ROW), None, "name their folder (--migrations)"),
        (
            receipt(settings=clean().rehearsal.settings),
            judged(GONE, ROW),
            FILES,
            "TimeZone UTC, as rehearsed",
        ),
    ],
)
def test_what_cannot_be_compared(made: RehearsalReceipt, production: Any, files: Any, words: str) -> None:
    """It is said, and nothing is called as rehearsed."""
    found = review_receipt(made, production, files)
    assert any(words in one for one in found.unknown), found
    assert not found.as_rehearsed


def test_it_is_read_back_as_it_was_written() -> None:
    """And by its published schema."""
    import jsonschema

    text = receipt_to_json(receipt())
    assert receipt_from_json(text) == receipt()
    jsonschema.validate(json.loads(text), receipt_schema())


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"verdict": "fine"}, RecordError, "is not valid: verdict"),
        ({"more": 1}, RecordError, "was changed"),
        ({"dump": {"name": "x"}}, RecordError, "is not valid: dump"),
        ({"kind": "run"}, RecordError, "is not a receipt file"),
        ({"format_version": 99}, OtherFormat, "has format 99"),
        ({"format_version": True}, OtherFormat, "has format True"),
        ({"compared": 1}, RecordError, "is not valid: compared|was changed"),
    ],
)
def test_what_is_no_receipt_is_refused(change: dict[str, Any], error: type[Exception], said: str) -> None:
    """Edited, of another kind, of another format, or cut."""
    plain = {**json.loads(receipt_to_json(receipt())), **change}
    with pytest.raises(error, match=said):
        receipt_from_json(json.dumps(plain, indent=1, ensure_ascii=False) + "\n")
    with pytest.raises(RecordError, match="not complete JSON"):
        receipt_from_json(receipt_to_json(receipt())[:-20])


def test_no_value_of_a_row_is_in_it() -> None:
    """Changes stand without what was before and after."""
    assert {"before", "after"} & set(ReceiptChange.__dataclass_fields__) == set()
