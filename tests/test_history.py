"""What many nights say together: which failure is new, known, fixed, and since when; and the index that
remembers it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Server
from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate.errors import RecordError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.history.lines import FAILING, LineNight, LineState, follow, now_called
from kisaan_validate.history.night import CheckNight, Night, same_database
from kisaan_validate.history.store import opened

FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)
S = LineState


def _outcome(said: str | int, check: str = "c", meaning: str = "m") -> CheckNight:
    """``3`` fails with three rows, ``"3b"`` with three others; ``"ok"``, ``"?"``, ``"-"``."""
    status = {"ok": Status.PASS, "?": Status.ERROR, "-": Status.NOT_APPLICABLE}.get(str(said), Status.FAIL)
    count = int(str(said).rstrip("ab")) if status is Status.FAIL else 0 if said == "ok" else None
    rows = str(said) if status is Status.FAIL else ""
    return CheckNight(check, meaning, "t", Severity.BLOCKING, status, count, rows)


def _night(number: int, *outcomes: CheckNight, **more: object) -> Night:
    night = Night(
        f"r{number:04}", f"d{number}", f"f{number}", FIRST + timedelta(days=number), "suite", "s", "host", "5432",
        "db", "system", Verdict.PASS, True, 10, (("t", 5_000_000_000 + number),), outcomes,
    )  # fmt: skip
    return replace(night, **more)


def _nights(said: Sequence[str | int]) -> list[Night]:
    return [_night(n, _outcome(one)) for n, one in enumerate(said)]


def _line(said: Sequence[str | int]) -> list[LineNight]:
    (line,) = follow(_nights(said)).values()
    return line


@pytest.mark.parametrize(
    ("said", "states"),
    [
        ([3], [S.NEW]),
        (["ok", 3], [S.HOLDS, S.NEW]),
        ([3, 3, 5, 4, 4], [S.NEW, S.KNOWN, S.GROWN, S.SHRUNK, S.KNOWN]),
        (["3a", "3b", "3b"], [S.NEW, S.OTHER_ROWS, S.KNOWN]),
        ([3, "ok", "ok"], [S.NEW, S.FIXED, S.HOLDS]),
        # No answer neither fixes a failure nor makes the next one new.
        ([3, "?", 3], [S.NEW, S.NO_ANSWER, S.KNOWN]),
        ([3, "?", "?", "ok"], [S.NEW, S.NO_ANSWER, S.NO_ANSWER_AGAIN, S.FIXED]),
        (["?", 3], [S.NO_ANSWER, S.NEW]),
        (["ok", "-", 3], [S.HOLDS, S.NOT_APPLICABLE, S.NEW]),
        # Flapping from the third change on, and no longer once it rests for ten nights.
        ([3, "ok", 3, "ok", 3], [S.NEW, S.FIXED, S.NEW, S.FLAPPING, S.FLAPPING]),
        ([3, "ok", 3, "ok", *["ok"] * 3], [S.NEW, S.FIXED, S.NEW, S.FLAPPING, S.HOLDS, S.HOLDS, S.HOLDS]),
    ],
)
def test_states(said: list[str | int], states: list[LineState]) -> None:
    """What each night is called, by what was before it."""
    assert [one.state for one in _line(said)] == states


def test_a_flapping_check_that_rests_is_a_plain_failure_again() -> None:
    """Ten answered nights later nothing of the flapping counts."""
    said = [3, "ok", 3, "ok", *[3] * 12]
    assert [one.state for one in _line(said)][-1] is S.KNOWN


@given(st.lists(st.sampled_from(["ok", 1, 2, "2b", "?", "-"]), min_size=1, max_size=14))
def test_a_state_says_no_more_than_the_nights_do(said: list[str | int]) -> None:
    """For any nights: a check fails where its state says so, and only there; it is open since the first
    failing night after the last that held; no answer changes nothing of that.
    """
    line = _line(said)
    for n, one in enumerate(line):
        outcome = _outcome(said[n])
        answered = [s for s in said[:n] if s not in {"?", "-"}]
        assert (one.state in {S.NO_ANSWER, S.NO_ANSWER_AGAIN}) == (outcome.status is Status.ERROR)
        assert (one.state is S.NOT_APPLICABLE) == (outcome.status is Status.NOT_APPLICABLE)
        if one.state in FAILING:
            assert outcome.status is Status.FAIL
        if outcome.status is Status.FAIL:
            assert one.state in {*FAILING, S.FLAPPING}
            held = max((k for k in range(n) if said[k] == "ok"), default=-1)
            fails = [k for k in range(held + 1, n + 1) if _outcome(said[k]).status is Status.FAIL]
            assert (one.since, one.nights) == (FIRST + timedelta(days=fails[0]), len(fails))
            if one.state is S.NEW:
                assert not answered or answered[-1] == "ok"
        if one.state is S.FIXED:
            assert (said[n], answered[-1] == "ok") == ("ok", False)


def test_a_changed_meaning_begins_a_new_line_and_a_rename_does_not() -> None:
    """An identity is the name that a check has now, and what it means."""
    nights = [
        _night(0, _outcome(3, "old")),
        _night(1, _outcome(3, "new")),
        _night(2, _outcome(3, "new", "other")),
    ]
    lines = follow(nights, {"older": "old", "old": "new"})
    assert [one.state for one in lines["new", "m"]] == [S.NEW, S.KNOWN]
    assert [one.state for one in lines["new", "other"]] == [S.NEW]
    assert now_called("older", {"older": "old", "old": "new"}) == "new"
    assert now_called("a", {"a": "b", "b": "a"}) in {"a", "b"}


def test_the_same_database_is_known_by_its_address_or_its_identifier() -> None:
    """A server that moved, and then was upgraded, is one; another database on it, and another server, are
    not. A socket has no address.
    """
    nights = [
        _night(0, host="a", server="1"), _night(1, host="b", server="1"), _night(2, host="b", server="2"),
        _night(3, host="c", server="3"), _night(4, host="b", server="2", database="other"),
        _night(5, host="b", server="2", suite="another"), _night(6, host="", server=""),
    ]  # fmt: skip
    assert [n.run for n in same_database(nights, nights[0])] == ["r0000", "r0001", "r0002"]
    assert [n.run for n in same_database(nights, nights[6])] == ["r0006"]


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path, server: Server) -> Path | str:
    """A place for the index: a file, and a database."""
    if request.param == "sqlite":
        return tmp_path / "history.sqlite"
    return f"postgresql+psycopg2://postgres@:{server.port}/{server.create()}?host={server.host}"


def test_the_index_says_what_the_nights_say(place: Path | str) -> None:
    """In whatever order they are added: the same lines and counts; numbers beyond 32 bits."""
    said = ["ok", 3, "?", 5_000_000_000, "ok"]
    nights = _nights(said)
    for order in itertools.permutations(range(5), 5):
        if order[0] > 1:
            continue
        with opened(place) as history:
            history.forget([night.run for night in nights])
            for n in order:
                history.add([nights[n]])
            found = history.nights()
            assert [line.night.run for line in found] == [night.run for night in reversed(nights)]
            (line,) = history.lines(nights[0])
            assert line == _line(said)
            states = [next(iter(one.counts)) for one in reversed(found)]
            assert states == [one.state for one in line]
            assert found[-1].night.rows == (("t", 5_000_000_000),)
    with opened(place) as history:
        assert set(history.known()) == {night.run for night in nights}
        assert history.lines(nights[0], ["nothing"]) == []


def test_a_night_that_goes_changes_what_later_ones_say(tmp_path: Path) -> None:
    """Whatever nights are left out, the index says what one that never had them says."""
    nights = _nights([3, 5, "ok", "4a", "4b"])
    # The third links two servers; without it there are two databases.
    for n, (host, system) in enumerate([("a", "1"), ("a", "1"), ("b", "1"), ("b", "2"), ("b", "2")]):
        nights[n] = replace(nights[n], host=host, server=system)
    for size in range(1, 5):
        for left in itertools.combinations(nights, size):
            fresh, pruned = (tmp_path / f"{name}{hash(left)}" for name in ("fresh", "pruned"))
            with opened(fresh) as history:
                history.add(left)
                expected = history.nights()
            with opened(pruned) as history:
                history.add(nights)
                history.forget([night.run for night in nights if night not in left])
                assert history.nights() == expected


def test_what_fails_half_way_leaves_the_index_as_it_was(place: Path | str) -> None:
    """All that is done while it is open is kept, or nothing."""
    nights = _nights(["ok", 3])
    with opened(place) as history:
        history.add(nights[:1])

    def crash() -> None:
        with opened(place) as history:
            history.add(nights[1:])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        crash()
    with opened(place) as history:
        assert list(history.known()) == ["r0000"]


@pytest.mark.parametrize("content", [b"", b"not a database" * 200, b"SQLite format 3\0" + bytes(900)])
def test_a_damaged_index_is_said(tmp_path: Path, content: bytes) -> None:
    """An empty file is a new index; anything else is an error that says how to make it again."""
    path = tmp_path / "history.sqlite"
    path.write_bytes(content)
    if not content:
        with opened(path) as history:
            assert history.nights() == []
        return
    with pytest.raises(RecordError, match="cannot be used") as error, opened(path):
        pass
    assert "history rebuild" in error.value.hint


def test_an_index_of_another_format_is_not_written(tmp_path: Path) -> None:
    """Its tables may mean something else."""
    import sqlite3

    path = tmp_path / "history.sqlite"
    with opened(path):
        pass
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE validate_history SET format = 99")
    with pytest.raises(RecordError, match="format 99"), opened(path):
        pass
