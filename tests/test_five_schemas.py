"""Five foreign databases go init → run → baseline → change → run → diff: what is planted in them is found,
and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from five import PATIENCE, WORDS, Trip, planted

SLOW = {"music"}
"""Schemas so large that they take a minute."""

OWN_WORD = "names of NOT NULL constraints"
"""What only servers from PostgreSQL 18 on have."""

Key = tuple[str, str, str, str]

NOTHING = {"added": 0, "removed": 0, "changed": 0}


def _versions() -> Iterator[Any]:
    for name in WORDS:
        yield _param(name, "server", name in SLOW)
        yield _param(name, "server15", True)


def _param(name: str, server: str, slow: bool) -> Any:
    # A whole trip is the setup of its first test.
    marks = [pytest.mark.slow, pytest.mark.timeout(7 * PATIENCE)] if slow else []
    return pytest.param((name, server, slow), id=f"{name}-{server}", marks=marks)


@pytest.fixture(scope="module", params=_versions())
def trip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trip]:
    """A database that went all the way. The slow ones are told to new interpreters, as people do."""
    name, server, slow = request.param
    made = Trip(name, request.getfixturevalue(server), tmp_path_factory.mktemp(name), fresh=slow)
    made.travel()
    yield made
    made.leave()


def test_the_draft_of_a_database_passes_on_it(trip: Trip) -> None:
    """``init`` and the run after it end with 0, and every check has an answer."""
    for step in ("init", "run", "baseline"):
        done = trip.done[step]
        assert done.returncode == 0, done.stdout + done.stderr
    assert "verdict PASS" in trip.done["init"].stdout
    results = trip.document("same")["run"]["results"]
    assert {r["status"] for r in results} == {"pass"}


def test_the_same_data_differ_in_nothing(trip: Trip) -> None:
    """Neither beside their own baseline nor beside a copy; nothing is unknown of them."""
    for step in ("same", "unchanged"):
        done = trip.done[step]
        assert done.returncode == 0, done.stdout + done.stderr
    judged = trip.document("same")["judgement"]
    assert (judged["changes"], judged["untold"]) == ([], [])
    assert {n["what"] for n in judged["not_compared"]} - {OWN_WORD} == set(planted(trip.name)["counted"])
    compared = trip.document("unchanged")
    assert [t["table"] for t in compared["tables"] if not t["known"]] == []
    assert (compared["schema"], compared["unknown"]) == ([], [])


def _keys(changes: list[dict[str, Any]]) -> set[Key]:
    return {(c["kind"], c["table"], c["name"], c["aspect"]) for c in changes}


def _definitions(trip: Trip) -> set[Key]:
    """The planted changes of the schema."""
    keys: set[Key] = {tuple(key) for key in planted(trip.name)["schema"]}  # type: ignore[misc]
    # Partitions have an identity of their own since PostgreSQL 17.
    return {key for key in keys if key[3] != "identity" or trip.version >= 17}


def test_two_sides_differ_in_exactly_the_planted_rows(trip: Trip) -> None:
    """Rows added, removed and changed, each column, each definition; what cannot be compared is named."""
    done, compared, known = trip.done["diff"], trip.document("diff"), planted(trip.name)
    assert done.returncode == 1, done.stdout + done.stderr
    rows = {t["table"]: _counts(t) for t in trip.differing()}
    unknown = [t["unknown"] for t in compared["tables"]] + [compared["unknown"]]
    assert rows == {title: {"columns": {}, **NOTHING, **table} for title, table in known["rows"].items()}
    assert [u["what"] for found in unknown for u in found] == known["unknown"]
    definitions = [t["schema"] for t in compared["tables"]] + [compared["schema"]]
    assert _keys([c for found in definitions for c in found]) == _definitions(trip)


def _counts(table: dict[str, Any]) -> dict[str, Any]:
    return {"columns": table["columns"], **{kind: table[kind] for kind in NOTHING}}


def test_a_run_beside_the_baseline_finds_all_of_it_and_nothing_else(trip: Trip) -> None:
    """The same definitions; tables of which rows came or went; of all others each changed column, and no
    other. Of tables whose rows are others it is said that the rest is unknown.
    """
    done = trip.done["after"]
    assert done.returncode == 1, done.stdout + done.stderr
    values = {(c["table"], c["name"]) for c in trip.changes if c["kind"] == "values"}
    others = {c["table"] for c in trip.changes if c["kind"] == "rows"}
    assert _keys([c for c in trip.changes if c["kind"] not in {"rows", "values"}]) == _definitions(trip)
    assert others == _moved(trip)
    assert {v for v in values if v[0] not in others} == _changed(trip)
    told = {u["what"] for u in trip.document("after")["judgement"]["untold"]}
    stayed = {t["table"] for t in trip.document("diff")["tables"] if t["rows_before"]} & others
    assert {f"which values of {title} changed in the remaining rows" for title in stayed} <= told


def _rows(trip: Trip) -> dict[str, dict[str, Any]]:
    """The planted rows of tables that are there on both sides."""
    gone = {key[1] for key in _definitions(trip) if key[0] == "table" and key[3] in {"added", "removed"}}
    return {title: table for title, table in planted(trip.name)["rows"].items() if title not in gone}


def _moved(trip: Trip) -> set[str]:
    return {title for title, table in _rows(trip).items() if {"added", "removed"} & table.keys()}


def _changed(trip: Trip) -> set[tuple[str, str]]:
    """The changed columns of tables whose rows all stayed, and those that have no form in common with what
    they were: a run can only say that they differ.
    """
    moved, found = _moved(trip), set()
    for title, table in _rows(trip).items():
        found |= {(title, column) for column in table.get("columns", {})}
    values = "the values of "
    named = [what[len(values) :] for what in planted(trip.name)["unknown"] if what.startswith(values)]
    found |= {(title, column) for title, _, column in (name.rpartition(".") for name in named)}
    return {(title, column) for title, column in found if title not in moved}


@pytest.mark.parametrize("step", ["init", "run", "baseline", "same", "after", "unchanged", "diff"])
def test_no_step_breaks(trip: Trip, step: str) -> None:
    """No traceback, and no fault of ours."""
    said = trip.done[step].stdout + trip.done[step].stderr
    assert "Traceback" not in said
    assert "internal error" not in said.lower()
