"""Keys that tie before to after: one text for each, as old as the records, and read back as what was written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from kisaan_validate.facts.measure_key import (
    FOLLOWING,
    OTHERWISE,
    SELF_CHECK,
    WHICH_ROWS,
    FigureKey,
    FigureKind,
    MeasureKey,
    MeasureKind,
    buckets_key,
    by_key,
    count_key,
    digests_key,
    names_key,
    null_keys_key,
    of_column,
    refused_key,
    remainder_key,
    replaced,
    same_as,
    settled_key,
    unasked_key,
    untouched,
    whole_key,
)

_ODD = [
    "",
    " ",
    ", ",
    ": ",
    '"',
    ".",
    "\n",
    "by ",
    " by key",
    "kept",
    "key",
    "digests",
    "rows of ",
    "arrivals",
]
names = st.lists(st.sampled_from([*_ODD, "a", "b", "t"]), min_size=1, max_size=4).map("".join).filter(bool)
vocabulary = st.lists(names, min_size=1, max_size=3, unique=True)


def test_the_texts_are_those_of_every_record_so_far() -> None:
    assert [
        count_key("r", "s.t").text,
        unasked_key("r", "s.t").text,
        remainder_key("s.t").text,
        remainder_key("s.t", {"b", "a"}).text,
        settled_key("s.t").text,
        digests_key("s.t").text,
        whole_key("s.t").text,
        buckets_key("s.t").text,
        names_key("r").text,
        null_keys_key("r").text,
        refused_key("r").text,
        SELF_CHECK.text,
        FOLLOWING.text,
        OTHERWISE.text,
        remainder_key("s.t", {"b", "a"}).of_part(by_key(of_column("c")).text).text,
    ] == [
        "s.t: rows of r",
        "s.t: for r",
        "s.t: every row",
        "s.t: without a, b",
        "s.t: without arrivals",
        "s.t: digests",
        "s.t: digests of all",
        "s.t: buckets",
        "names of r",
        "rows without a value of r",
        "promise r",
        "self-check of digests",
        "bodies that follow from renames",
        "bodies whose words mean something else",
        "s.t: without a, b: c by key",
    ]
    figures = (of_column("c"), untouched("c", "r"), replaced("c", "r"), same_as("c", "r"), WHICH_ROWS)
    assert [f.text for f in figures] == ["c", "c kept by r", "c by r", "c as by r", "which rows"]
    assert [by_key(f).text for f in figures[:2]] == ["c by key", "c kept by r by key"]


def test_every_key_in_a_record_of_an_earlier_version_is_read() -> None:
    records = sorted((Path(__file__).parent / "fixtures" / "records").glob("*.json"))
    found = [m for path in records for m in _measured(path)]
    assert found
    for measured in found:
        key = MeasureKey.from_text(measured["id"], measured["table"], ())
        assert key is not None, measured["id"]
        assert key.text == measured["id"]


def _measured(path: Path) -> list[dict[str, str]]:
    given: dict[str, list[dict[str, str]]] = json.loads(path.read_text())
    return given.get("measured", [])


@given(vocabulary, vocabulary)
def test_a_figure_is_read_back_from_its_text(columns: list[str], rules: list[str]) -> None:
    """Where two figures of these columns and rules have one text, as one of them; else as what it is."""
    by_text: dict[str, set[FigureKey]] = defaultdict(set)
    for key in _figures(columns, rules):
        by_text[key.text].add(key)
    for text, keys in by_text.items():
        assert set(FigureKey.readings(text, columns, rules)) == keys
        assert FigureKey.from_text(text, columns, rules) in keys


@given(vocabulary, vocabulary, st.text())
def test_a_figure_keeps_a_text_that_no_name_explains(columns: list[str], rules: list[str], text: str) -> None:
    assert all(key.text == text for key in FigureKey.readings(text, columns, rules))
    assert FigureKey.from_text(text, (), ()).text == text


@given(names, vocabulary, st.just("") | names)
def test_a_measure_is_read_back_from_its_text(table: str, rules: list[str], part: str) -> None:
    """Where two measures of this table and these rules have one text, as one of them; else as what it is."""
    by_text: dict[str, set[MeasureKey]] = defaultdict(set)
    for key in _measures(table, rules, part):
        by_text[key.text].add(key)
    for text, keys in by_text.items():
        readings = set(MeasureKey.readings(text, table, rules))
        assert {key for key in readings if key.part in ("", part)} == keys
        assert all(key.text == text for key in readings)
        assert MeasureKey.from_text(text, table, rules) in readings


@given(names, st.text())
def test_a_text_that_is_read_is_given_back(table: str, text: str) -> None:
    for written in (text, f"{table}: {text}", f"{table}: without {text}"):
        assert all(key.text == written for key in MeasureKey.readings(written, table, [text, "a"]))


@given(names, names, names, names)
def test_renaming_is_the_key_of_the_new_names(old: str, new: str, column: str, other: str) -> None:
    """A key of the old names becomes the key that the new names have; a key without a table stays."""
    part = by_key(of_column(column))
    assert part.renamed({column: other}) == by_key(of_column(other))
    assert digests_key(old).of_part(part.text).renamed(new, "x") == digests_key(new).of_part("x")
    assert names_key("r").renamed(new, "") == names_key("r")


def _figures(columns: Sequence[str], rules: Sequence[str]) -> Iterator[FigureKey]:
    for with_key in (False, True):
        yield FigureKey(FigureKind.WHICH_ROWS, by_key=with_key)
        for column in columns:
            yield FigureKey(FigureKind.COLUMN, column, by_key=with_key)
            for kind in (FigureKind.SAME_AS, FigureKind.UNTOUCHED, FigureKind.REPLACED):
                yield from (FigureKey(kind, column, rule, with_key) for rule in rules)


def _measures(table: str, rules: Sequence[str], part: str) -> Iterator[MeasureKey]:
    yield from (SELF_CHECK, FOLLOWING, OTHERWISE)
    for of_rule in (MeasureKind.NAMES, MeasureKind.NULL_KEYS, MeasureKind.REFUSED):
        yield from (MeasureKey(of_rule, rules=(rule,)) for rule in rules)
    for counted in (count_key, unasked_key):
        yield from (counted(rule, table) for rule in rules)
    whole = (settled_key, digests_key, whole_key, buckets_key)
    yield from (make(table).of_part(part) for make in whole)
    for size in range(len(rules) + 1):
        yield from (remainder_key(table, some).of_part(part) for some in combinations(rules, size))
