"""The laws of naming patterns: what was done to values is named with its exact number, and nothing else
is.
"""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from conftest import ROOT
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from kisaan_validate.compare.patterns.watch import (
    EXCHANGED,
    FURTHER,
    LIBRARY,
    RENUMBERED,
    REPEATED,
    UNEXPLAINED,
    Watch,
)
from kisaan_validate.facts.row_differences import ColumnPair, Kind, PatternFound, RowChange

Value = str | None


def watch(type: str, pairs: Iterable[tuple[Value, Value]], personal: bool = False) -> dict[str, PatternFound]:
    """The patterns of one column, by name; of several with one name the last."""
    found = watch_all(type, pairs, personal)
    return {p.name: p for p in found}


def watch_all(
    type: str, pairs: Iterable[tuple[Value, Value]], personal: bool = False
) -> tuple[PatternFound, ...]:
    """All patterns of one column ``v`` of type ``type`` whose changed values are ``pairs``."""
    seen = Watch()
    seen.begin("t", [ColumnPair("v", type, type, "", personal)])
    for n, (before, after) in enumerate(pairs):
        seen.see(RowChange("t", (str(n),), Kind.CHANGED, {"v": before}, {"v": after}, ("v",)))
    return seen.end("t")


def text_of(moment: datetime) -> str:
    """As PostgreSQL writes a timestamptz in UTC."""
    return moment.isoformat(" ").replace("+00:00", "+00")


NUMBERS = st.decimals(min_value=Decimal("1"), max_value=Decimal("99999999"), places=4)
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
WORDS = st.text(st.characters(codec="utf-8", categories=("L", "Nd", "Zs", "Po")), min_size=1, max_size=30)


def changed(pairs: Iterable[tuple[Value, Value]]) -> list[tuple[Value, Value]]:
    """Only those that differ: an unchanged value is never shown to an observer."""
    return [(before, after) for before, after in pairs if before != after]


def claims(found: dict[str, PatternFound]) -> dict[str, int]:
    """How many changed values each pattern is claimed for."""
    return {name: pattern.rows for name, pattern in found.items()}


def all_by(name: str, pairs: Sequence[object]) -> dict[str, int]:
    """One pattern for every changed value, and nothing left."""
    return {name: len(pairs)} if pairs else {}


def rounded(value: Decimal, places: int) -> Decimal:
    """As PostgreSQL rounds numerics: half away from zero."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


NUMERIC: dict[str, tuple[str, Callable[[Decimal], Decimal]]] = {
    "sign flipped": ("sign flipped", lambda v: -v),
    "×100": ("power of ten", lambda v: v * 100),
    "÷100": ("power of ten", lambda v: v / 100),
    "÷1000": ("power of ten", lambda v: v / 1000),
    "rounded": ("scale lost", lambda v: rounded(v, 2)),
    "cut": ("scale lost", lambda v: v.quantize(Decimal("0.1"), ROUND_DOWN)),
    "whole": ("scale lost", lambda v: rounded(v, 0)),
}


@pytest.mark.parametrize("way", NUMERIC)
@settings(max_examples=examples(60), deadline=None)
@given(values=st.lists(NUMBERS, min_size=1, max_size=30, unique=True))
def test_what_was_done_to_numbers_is_named(way: str, values: list[Decimal]) -> None:
    """Each arithmetic pattern, applied to any numbers, is claimed for exactly the values that it changed."""
    name, made = NUMERIC[way]
    pairs = [(str(v), f"{made(v):f}") for v in values if made(v) != v]
    assert claims(watch("numeric(18,4)", pairs)) == all_by(name, pairs)


def test_rounding_is_told_from_cutting_and_from_rounding_half_to_even() -> None:
    """One value that only one way makes decides for all that both would make."""
    values = [Decimal(n) / 1000 for n in range(10_001, 10_400, 7)]
    pairs = changed((str(v), str(rounded(v, 2))) for v in values)
    (found,) = watch_all("numeric(18,3)", pairs)
    assert found.words == f"rounded to 2 decimals in {len(pairs)} of {len(pairs)} changed rows"
    pairs = changed((str(v), str(v.quantize(Decimal("0.01"), ROUND_DOWN))) for v in values)
    assert watch_all("numeric(18,3)", pairs)[0].facts == {"rounding": "cut off", "decimals": "2"}
    pairs = changed(
        (str(v), str(round(v, 2))) for v in [*values, Decimal("10.125"), Decimal("10.375"), Decimal("10.145")]
    )
    assert watch_all("numeric(18,3)", pairs)[0].facts["rounding"] == "rounded half to even"


def test_dividing_what_no_longer_fits_is_named_with_its_rounding() -> None:
    """12.34 / 100 kept in two decimals."""
    values = [Decimal(n) / 100 for n in range(1_234, 99_999, 1_111)]
    pairs = [(str(v), str(rounded(v / 100, 2))) for v in values]
    (found,) = watch_all("numeric(12,2)", pairs)
    assert (found.name, found.rows, found.facts) == (
        "power of ten, rounded",
        len(values),
        {"factor": "0.01", "decimals": "2"},
    )


def test_floats_leave_their_noise() -> None:
    """A four-byte float, an eight-byte float and arithmetic in floats are told apart."""
    import struct

    def single(value: float) -> float:
        return float(struct.unpack("<f", struct.pack("<f", value))[0])

    values = [n / 100 for n in range(1_001, 9_999, 97)]
    four = watch("double precision", changed((repr(v), repr(single(v))) for v in values))
    assert set(four) == {"binary fraction"}
    assert four["binary fraction"].facts == {"float": "4"}
    long = [Decimal("1234567890123456.78") * 7**n for n in range(20)]
    eight = watch("numeric", [(str(v), f"{float(v):.15g}") for v in long])
    assert eight["binary fraction"].facts == {"float": "8"}
    noise = watch("double precision", [("0.3", repr(0.1 + 0.2)), ("0.7", repr(0.1 * 7))])
    assert noise["binary fraction"].facts == {"float": "noise"}
    assert noise["binary fraction"].rows == 2


@pytest.mark.parametrize("shift", ["+05:30", "-05:30", "+01:00", "+1 day", "+00:17:03.25"])
@settings(max_examples=examples(40), deadline=None)
@given(moments=st.lists(MOMENTS, min_size=3, max_size=30, unique=True))
def test_a_constant_shift_is_named(shift: str, moments: list[datetime]) -> None:
    """Exactly, with its words; a shift that is no zone's takes three rows."""
    by = {
        "+05:30": timedelta(hours=5.5),
        "-05:30": timedelta(hours=-5.5),
        "+01:00": timedelta(hours=1),
        "+1 day": timedelta(days=1),
        "+00:17:03.25": timedelta(minutes=17, seconds=3.25),
    }[shift]
    pairs = [(text_of(m), text_of(m + by)) for m in moments]
    found = watch("timestamp with time zone", pairs)
    if "summer time shift" in found:  # all of them happen to lie in somebody's summer
        assert shift == "+01:00"
        return
    assert claims(found) == all_by("time shift", pairs)
    assert found["time shift"].facts == {"shift": shift}
    assert found["time shift"].words.startswith(f"shifted by {shift}")


@settings(max_examples=examples(40), deadline=None)
@given(
    days=st.lists(st.integers(0, 3_000), min_size=40, max_size=80, unique=True),
    way=st.sampled_from(["read as", "shown as"]),
)
def test_a_zone_with_summer_time_is_named(days: list[int], way: str) -> None:
    """UTC read as Berlin's time, or Berlin's time where UTC stood: two shifts, one pattern."""
    zone = ZoneInfo("Europe/Berlin")
    moments = [datetime(2018, 1, 1, 12, tzinfo=UTC) + timedelta(days=n) for n in days]
    moments += [datetime(2024, 1, 15, tzinfo=UTC), datetime(2024, 7, 15, tzinfo=UTC)]
    if way == "read as":
        pairs = [(text_of(m), text_of(m.replace(tzinfo=zone).astimezone(UTC))) for m in moments]
    else:
        pairs = [(text_of(m), text_of(m.astimezone(zone).replace(tzinfo=UTC))) for m in moments]
    found = watch("timestamp with time zone", pairs)
    assert claims(found) == all_by("zone shift", pairs)
    assert found["zone shift"].facts == {"way": way, "zone": "Europe/Berlin"}


def test_a_shift_in_summer_only_is_named() -> None:
    """Only the rows within Berlin's summer time moved, in more than one year."""
    zone = ZoneInfo("Europe/Berlin")
    moments = [datetime(2020, 1, 1, 12, tzinfo=UTC) + timedelta(days=9 * n) for n in range(200)]
    pairs = [(text_of(m), text_of(m - timedelta(hours=1))) for m in moments if m.astimezone(zone).dst()]
    (found,) = watch_all("timestamp", pairs)
    assert (found.name, found.rows, found.facts) == (
        "summer time shift",
        len(pairs),
        {"shift": "-01:00", "zone": "Europe/Berlin"},
    )


TIMED: dict[str, tuple[str, Callable[[datetime], str]]] = {
    "day": ("time precision lost", lambda m: text_of(m.replace(hour=0, minute=0, second=0, microsecond=0))),
    "second": ("time precision lost", lambda m: text_of(m.replace(microsecond=0))),
    "century": ("calendar shift", lambda m: text_of(m.replace(year=m.year - 2000)).replace("+00:00", "+00")),
    "seconds": ("epoch", lambda m: str(int(m.timestamp()))),
    "milliseconds": (
        "epoch",
        lambda m: str((m - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)),
    ),
    "mistaken": (
        "epoch",
        lambda m: text_of(
            datetime(1970, 1, 1, tzinfo=UTC)
            + (m - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1000) * timedelta(seconds=1)
        ),
    ),
}


@pytest.mark.parametrize("way", TIMED)
@settings(max_examples=examples(40), deadline=None)
@given(
    moments=st.lists(
        MOMENTS.filter(lambda m: m.microsecond and m.second and 1 < m.day < 29),
        min_size=2,
        max_size=20,
        unique=True,
    )
)
def test_what_was_done_to_times_is_named(way: str, moments: list[datetime]) -> None:
    """Lost precision, a lost century, epochs."""
    name, made = TIMED[way]
    pairs = [(text_of(m), made(m)) for m in moments]
    assert claims(watch("timestamp with time zone", pairs)) == all_by(name, pairs)


def test_day_and_month_exchanged_are_named() -> None:
    """Where both readings are dates; the 5th of May does not change."""
    days = [datetime(2024, month, day) for month in range(1, 13) for day in range(1, 13) if day != month]
    pairs = [(f"{d:%Y-%m-%d}", f"{d:%Y-%d-%m}") for d in days]
    assert claims(watch("date", pairs)) == all_by("day and month exchanged", pairs)


def double(text: str) -> str:
    """UTF-8 read as latin-1."""
    return text.encode().decode("latin-1")


TEXTUAL: dict[str, tuple[str, Callable[[str], Value]]] = {
    "truncated": ("truncated", lambda t: t[:7]),
    "upper": ("letter case", str.upper),
    "trimmed": ("trimmed", str.strip),
    "padded": ("trimmed", lambda t: t.strip() + "  "),
    "mojibake": ("double-encoded UTF-8", double),
    "mojibake twice": ("double-encoded UTF-8", lambda t: double(double(t))),
    "html": ("escaped", lambda t: t.replace("&", "&amp;")),
    "sql": ("escaped", lambda t: t.replace("'", "''")),
    "gone": ("became NULL", lambda t: None),
}


@pytest.mark.parametrize("way", TEXTUAL)
@settings(max_examples=examples(60), deadline=None)
@given(values=st.lists(WORDS, min_size=1, max_size=20, unique=True))
def test_what_was_done_to_texts_is_named(way: str, values: list[str]) -> None:
    """Each textual pattern, applied to any texts, accounts for every value that it changed, and claims no
    more.
    """
    name, made = TEXTUAL[way]
    pairs = changed(
        (v, made(v))
        for v in values
        if v.strip() and made(v) != "" and (made(v) or "").casefold() != v.casefold()
    )
    pairs = [
        (v, w)
        for v, w in pairs
        if w is not None or v.lower() not in ("null", "none", "nil", "nan", "undefined", "nat", "n/a", "#n/a")
    ]
    if way == "upper":
        pairs = changed((v, v.upper()) for v in values if v.upper().casefold() == v.casefold())
    found = watch("text", pairs)
    assert sum(p.rows for p in found.values()) == len(pairs)
    assert UNEXPLAINED not in found
    if (
        len(found) > 1
    ):  # trimming some texts is cutting others short: a value of blanks, or that ends in blanks
        assert name in found
        assert set(found) <= {name, "trimmed", "truncated", "escaped", "characters lost"}
    else:
        assert not pairs or set(found) <= {name, "trimmed", "characters lost"}


def test_lost_zeros_lost_characters_and_normal_forms_are_named() -> None:
    """Codes taken for numbers; encodings that lack a letter; the same text in other code points."""
    assert watch("text", [("00421", "421"), ("007", "7")])["leading zeros lost"].rows == 2
    assert watch("text", [("421", "00421")])["leading zeros lost"].facts == {"zeros": "gained"}
    assert watch("text", [("José", "Jos?"), ("Ángel", "?ngel")])["characters lost"].rows == 2
    assert watch("text", [("José", "Jose")])["characters lost"].facts["how"] == "lost their accents"
    assert watch("text", [("Jose\u0301", "José")])["Unicode normalisation"].facts == {"form": "NFC"}
    assert watch("text", [("José", "Jose\u0301")])["Unicode normalisation"].facts == {"form": "NFD"}


def test_null_and_what_stands_for_it() -> None:
    """'' for NULL, 'null' for NULL, and the other way."""
    found = watch_all("text", [(None, ""), ("", None), (None, ""), (None, "null"), ("None", None)])
    assert {(p.name, p.rows, p.words.split(" in ")[0]) for p in found} == {
        ("NULL and empty", 2, "NULL became the empty text"),
        ("NULL and empty", 1, "the empty text became NULL"),
        ("NULL as text", 1, "NULL became the text 'null'"),
        ("NULL as text", 1, "the text 'None' became NULL"),
    }


def test_booleans_and_labels() -> None:
    """Inverted truth; a label that became another; a constant for all."""
    assert watch("boolean", [("t", "f"), ("f", "t"), ("true", "false")])["boolean inverted"].rows == 3
    (found,) = watch_all("status", [("open", "pending")] * 4)
    assert (found.name, found.words) == ("value replaced", "'open' became 'pending' in 4 of 4 changed rows")
    (found,) = watch_all("status", [("open", "x"), ("closed", "x"), ("new", "x")])
    assert (found.name, found.words) == ("constant", "set to the constant 'x' in 3 of 3 changed rows")


def test_the_migrations_own_now_is_called_what_it_is() -> None:
    """One moment in all rows that had none."""
    (found,) = watch_all("timestamp with time zone", [(None, "2025-10-18 02:00:00.123456+00")] * 1_204)
    assert found.name == "constant backfilled"
    assert found.words == (
        "NULL filled with the constant '2025-10-18 02:00:00.123456+00', a single time such as one transaction's "
        "now(), "
        "in 1,204 of 1,204 changed rows"
    )


def test_documents() -> None:
    """One key that changed; a document encoded once too often."""
    found = watch("jsonb", [('{"a": 1, "source": "mobile"}', '{"a": 1}'), ('{"source": "web"}', "{}")])
    assert found["document key"].facts == {"what": "removed", "key": "source"}
    assert watch("jsonb", [('{"a": 1}', '{"a": 1, "b": 2}')])["document key"].facts == {
        "what": "added",
        "key": "b",
    }
    assert watch("jsonb", [('{"a": 1}', '{"a": true}')])["document key"].facts == {
        "what": "changed",
        "key": "a",
    }
    assert watch("jsonb", [('{"a": 1}', '"{\\"a\\": 1}"')])["document as string"].facts == {"way": "encoded"}
    assert set(watch("jsonb", [('{"a": 1, "b": 2}', '{"a": 2, "b": 3}')])) == {UNEXPLAINED}


def rows(
    columns: dict[str, str], changes: Iterable[RowChange], keyed_by: Sequence[str] = ()
) -> tuple[PatternFound, ...]:
    """The patterns of a table with columns of these types."""
    seen = Watch()
    seen.begin("t", [ColumnPair(name, type, type, "") for name, type in columns.items()], keyed_by)
    for change in changes:
        seen.see(change)
    return seen.end("t")


def row(n: int, before: dict[str, Value], after: dict[str, Value]) -> RowChange:
    """A changed row."""
    return RowChange(
        "t", (str(n),), Kind.CHANGED, before, after, tuple(c for c in before if before[c] != after[c])
    )


@settings(max_examples=examples(60), deadline=None)
@given(
    values=st.lists(
        st.tuples(NUMBERS, NUMBERS).filter(lambda v: abs(v[0]) != abs(v[1])), min_size=1, max_size=20
    )
)
def test_swapped_columns_are_named_once(values: list[tuple[Decimal, Decimal]]) -> None:
    """Both columns together, whatever the scale they are written with."""
    changes = [
        row(n, {"a": str(a), "b": str(b)}, {"a": f"{b:.6f}", "b": str(a)}) for n, (a, b) in enumerate(values)
    ]
    found = rows({"a": "numeric(18,6)", "b": "numeric(18,4)"}, changes)
    assert [(p.columns, p.name, p.rows) for p in found] == [(("a", "b"), "columns swapped", len(values))]


def test_a_column_that_took_anothers_value_is_named() -> None:
    """updated_at := created_at."""
    changes = [
        row(
            n,
            {"a": f"2024-01-{n:02d}", "b": f"2023-07-{n * 3 % 29 + 1:02d}"},
            {"a": f"2023-07-{n * 3 % 29 + 1:02d}", "b": f"2023-07-{n * 3 % 29 + 1:02d}"},
        )
        for n in range(1, 20)
    ]
    (found,) = rows({"a": "date", "b": "date"}, changes)
    assert (found.name, found.rows, found.facts) == ("copied from a column", 19, {"from": "b"})


def test_values_exchanged_between_rows_are_named() -> None:
    """Two amounts that changed places, or a whole column shuffled: the same values, in other rows."""
    (found,) = watch_all("numeric(12,2)", [("10.17", "94.2"), ("94.20", "10.17")])
    assert (found.name, found.rows) == (EXCHANGED, 2)
    values = [str(n * n + 7) for n in range(500)]
    shuffled = values[1:] + values[:1]
    found = watch("text", zip(values, random.Random(1).sample(values, 500), strict=True))[EXCHANGED]
    assert found.rows == 500
    assert EXCHANGED not in watch("text", [*zip(values[:9], shuffled[:9], strict=True)])


def test_equal_sums_do_not_look_like_an_exchange() -> None:
    """One paisa from here to there."""
    assert set(watch("numeric(12,2)", [("10.17", "10.18"), ("94.20", "94.19")])) == {UNEXPLAINED}


@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(10**6, 10**12), st.integers(10**6, 10**12)).filter(lambda v: v[0] != v[1]),
        max_size=40,
        unique_by=(lambda v: v[0], lambda v: v[1]),
    )
)
def test_other_changes_of_numbers_are_not_claimed(pairs: list[tuple[int, int]]) -> None:
    """What no pattern makes is unexplained, with its number."""
    pairs = [
        (a, b) for a, b in pairs if abs(a - b) not in {1, 2} and str(a).rstrip("0") != str(b).rstrip("0")
    ]
    pairs = [
        (a, b)
        for a, b in pairs
        if b % 10 and b >= 2**32 and len({d for x, y in pairs if (d := y - x) == b - a}) == 1
    ]
    found = watch("bigint", [(str(a), str(b)) for a, b in pairs])
    assert sum(p.rows for p in found.values()) == len(pairs)
    assert set(found) <= {UNEXPLAINED, EXCHANGED, "bits lost"}


@settings(max_examples=examples(60), deadline=None)
@given(st.integers())
def test_other_changes_of_texts_and_times_are_not_claimed(seed: int) -> None:
    """Random texts, random times."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnop", k=12)) for _ in range(60)]
    assert set(watch("text", changed(zip(words[:30], words[30:], strict=True)))) == {UNEXPLAINED}
    moments = [
        datetime(2000, 1, 1, tzinfo=UTC) + timedelta(microseconds=chance.randrange(10**15)) for _ in range(60)
    ]
    texts = [text_of(m) for m in moments]
    assert set(watch("timestamp with time zone", zip(texts[:30], texts[30:], strict=True))) == {UNEXPLAINED}


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.sampled_from(["flip", "hundred", "fill", "odd"]), min_size=8, max_size=60))
def test_mixed_changes_are_counted_apart(kinds: list[str]) -> None:
    """Each value goes to the pattern that made it; the parts add up to the whole."""
    made = {"flip": lambda v: -v, "hundred": lambda v: v * 100, "odd": lambda v: v * 7 + 3}
    pairs: list[tuple[Value, Value]] = []
    for n, kind in enumerate(kinds):
        value = Decimal(1_000_003 + n * n * 17) / 100
        pairs.append((None, "0.5") if kind == "fill" else (str(value), str(made[kind](value))))
    found = watch("numeric", pairs)
    expected = {
        "sign flipped": kinds.count("flip"),
        "power of ten": kinds.count("hundred"),
        "constant backfilled": kinds.count("fill"),
    }
    if expected["constant backfilled"] < 3:
        expected["constant backfilled"] = 0
    expected[UNEXPLAINED] = len(kinds) - sum(expected.values())
    assert {name: p.rows for name, p in found.items()} == {name: n for name, n in expected.items() if n}


def test_what_two_patterns_make_goes_to_the_one_that_makes_more() -> None:
    """'Onion ' to 'Onion' is trimmed, or cut after five: the other rows tell."""
    (found,) = watch_all("text", [("Onion ", "Onion"), ("Potato", "Potat"), ("Tomato", "Tomat")])
    assert (found.name, found.rows, found.facts) == ("truncated", 3, {"characters": "5"})
    (found,) = watch_all("text", [("Onion ", "Onion"), (" Potato", "Potato")])
    assert (found.name, found.rows) == ("trimmed", 2)


def test_order_does_not_matter() -> None:
    """The same changes in another order give the same patterns."""
    pairs = [
        (str(Decimal(n) / 1000), str(rounded(Decimal(n) / 1000, n % 3))) for n in range(1_001, 3_000, 13)
    ]
    pairs = [(a, b) for a, b in pairs if Decimal(a) != Decimal(b)]
    told = watch_all("numeric", pairs)
    for seed in range(3):
        assert watch_all("numeric", random.Random(seed).sample(pairs, len(pairs))) == told


def test_personal_values_are_never_quoted() -> None:
    """Neither in words nor in facts."""
    for type, pairs in (
        ("text", [(None, "9876543210")] * 5),
        ("text", [("x", "9876543210")] * 5),
        ("text", [(str(n), "9876543210") for n in range(5)]),
        ("jsonb", [('{"9876543210": 1}', '{"9876543210": 2}')]),
    ):
        found = watch_all(type, pairs, personal=True)
        assert found
        assert all("9876543210" not in p.words and "9876543210" not in str(p.facts) for p in found)
        assert any("9876543210" in p.words for p in watch_all(type, pairs))


@pytest.mark.slow
def test_memory_does_not_grow_and_numbers_stay_true() -> None:
    """Many different random changes beside one shift: the shift's number is exact, the memory bounded."""

    def pairs(n: int) -> Iterable[tuple[Value, Value]]:
        chance = random.Random(3)
        for k in range(n):
            moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=k)
            shift = timedelta(hours=5.5) if k % 4 == 0 else timedelta(microseconds=chance.randrange(10**15))
            yield text_of(moment), text_of(moment + shift)

    def used(n: int) -> int:
        tracemalloc.start()
        found = watch("timestamp with time zone", pairs(n))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found["time shift"].rows == n // 4
        assert found[UNEXPLAINED].rows == n - n // 4
        return peak

    used(1_000)  # what is loaded once
    assert used(6_000) < 1.3 * used(3_000) < 8_000_000


def test_a_constant_met_late_is_a_lower_bound() -> None:
    """What was forgotten and came back is not called exact."""
    pairs: list[tuple[Value, Value]] = [(f"{n}:{n * 7919 % 104729}", f"x{n}") for n in range(3_000)]
    found = watch("text", [*pairs, *((str(n), "late") for n in range(3_000))])["constant"]
    assert found.rows == 3_000
    assert "in at least 3,000 of 6,000 changed rows" in found.words


def test_rows_that_came_back_and_rows_that_came_twice() -> None:
    """Under another key; twice in one load; each exactly."""

    def moved(n: int, kind: Kind) -> RowChange:
        values = {"id": str(n), "v": f"value {n % 1_000}"}
        return RowChange(
            "t", (str(n),), kind, values if kind is Kind.REMOVED else {}, values if kind is Kind.ADDED else {}
        )

    types = {"id": "integer", "v": "text"}
    gone = [moved(n, Kind.REMOVED) for n in range(40)]
    (found,) = rows(types, [*gone, *(moved(n, Kind.ADDED) for n in range(1_010, 1_050))], ("id",))
    assert (found.name, found.rows, found.facts) == (
        RENUMBERED,
        30,
        {"key": "id: changed by +1000 in 30 of 30 changed rows"},
    )
    assert found.words.startswith(
        "30 of 40 removed rows equal an added row except for the key (id: changed by +1000"
    )
    (found,) = rows(types, [moved(n, Kind.ADDED) for n in (1, 2, 3, 1_001, 2_001)], ("id",))
    assert (found.name, found.rows) == (REPEATED, 2)


def test_rows_that_are_all_key_are_not_said_to_come_back() -> None:
    """Where there is nothing beside the key, all rows are alike but for it, and that says nothing."""
    made = [RowChange("t", (n,), Kind.REMOVED, {"id": n}) for n in "abc"] + [
        RowChange("t", (n,), Kind.ADDED, {}, {"id": n}) for n in "xyz"
    ]
    assert rows({"id": "text"}, made, ("id",)) == ()


def test_every_pattern_says_itself() -> None:
    """Names are unique, and each pattern is met by a test of this file or of the gallery."""
    names = [pattern.name for pattern in LIBRARY]
    assert len(set(names)) == len(names)
    assert all(type(p).__doc__ for p in LIBRARY)


def _mixture(n: int) -> list[tuple[Value, Value]]:
    """Six in ten shifted, three in ten without their time of day, one in ten random; in no order."""
    chance, pairs = random.Random(5), []
    for k in range(n):
        moment = datetime(2020, 1, 1, 3, 4, 5, tzinfo=UTC) + timedelta(seconds=97 * k)
        changed = [moment + timedelta(hours=5.5)] * 6 + [moment.replace(hour=0, minute=0, second=0)] * 3
        changed.append(moment + timedelta(days=5, microseconds=chance.randrange(10**14)))
        pairs.append((text_of(moment), text_of(changed[k % 10])))
    return chance.sample(pairs, n)


def test_leaders_do_not_change_the_numbers() -> None:
    """Beyond the first two thousand values the patterns that lead are asked first: the numbers stay exact."""
    found = watch("timestamp with time zone", _mixture(9_000))
    assert {name: p.rows for name, p in found.items()} == {
        "time shift": 5_400,
        "time precision lost": 2_700,
        UNEXPLAINED: 900,
    }
    assert not any("at least" in p.words for p in found.values())


def test_what_is_no_longer_searched_is_not_called_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the searched values only the leaders count on; the others' numbers are lower bounds, the rest
    unexplained.
    """
    monkeypatch.setattr("kisaan_validate.compare.patterns.tally.ENOUGH", 2_500)
    late: list[tuple[Value, Value]] = [
        (text_of(m := datetime(2021, 5, 6, 7, n % 60, tzinfo=UTC)), text_of(m.replace(year=2022)))
        for n in range(3_000)
    ]
    found = watch("timestamp with time zone", [*_mixture(9_000), *late])
    assert found["time shift"].rows == 5_400
    assert "at least" not in found["time shift"].words
    assert sum(p.rows for p in found.values()) == 12_000
    assert found[UNEXPLAINED].rows > 900
    assert all(
        "at least" in p.words
        for name, p in found.items()
        if name not in {"time shift", "time precision lost", UNEXPLAINED}
    )


def test_every_pattern_is_documented() -> None:
    """docs/patterns.md lists each name, in the order of preference, and each fact."""
    page = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    places = [page.index(f"- `{pattern.name}`") for pattern in LIBRARY]
    assert places == sorted(places)
    assert all(f"- `{name}`" in page for name in (UNEXPLAINED, EXCHANGED, FURTHER, RENUMBERED, REPEATED))


HOSTILE = st.one_of(
    st.none(),
    st.text(st.characters(codec=None), max_size=12),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.floats().map(repr),
    st.integers().map(str),
    st.integers(-(10**40), 10**40).map(lambda n: f"{n}e{n % 400}"),
    st.datetimes().map(lambda m: m.isoformat(" ")),
    st.sampled_from(
        [
            "0001-01-01 00:00:00+00",
            "9999-12-31 23:59:59.999999+00",
            "9999-12-31 18:30:00+00",
            "0001-01-01",
            "infinity",
            "-infinity",
            "4713-01-01 BC",
            "294276-12-31 23:59:59+00",
            "2024-02-29",
            "2024-02-30",
            "0",
            "-0",
            "-0.0",
            "NaN",
            "1e-320",
            "3.4e38",
            "1e39",
            "9" * 3_000,
            "",
            " ",
            '"',
            "{}",
            "[" * 5_000,
            '{"a": NaN}',
            '"\\ud800"',
            "\x00",
            "Ã",
            "\udcff",
            "t",
            "f",
            "null",
            "0x10",
            "1_000",
            "١٢",
            "00",
            "000",
        ]
    ),
)
TYPES = (
    "numeric",
    "bigint",
    "double precision",
    "timestamp with time zone",
    "timestamp(0) without time zone",
    "date",
    "text",
    "jsonb",
    "boolean",
    "character varying(10)",
    "bytea",
    "integer[]",
    "mood",
)


@pytest.mark.slow
@pytest.mark.parametrize("type", TYPES)
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.tuples(HOSTILE, HOSTILE).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=12))
def test_no_value_breaks_it(type: str, pairs: list[tuple[Value, Value]]) -> None:
    """Whatever the server sends: nothing is raised, and the parts add up to the changed rows."""
    assert sum(p.rows for p in watch_all(type, pairs)) == len(pairs)
    same = [row(n, {"a": a, "b": b}, {"a": b, "b": a}) for n, (a, b) in enumerate(pairs)]
    assert sum(p.rows for p in rows({"a": type, "b": "text"}, same) if p.columns[:1] == ("a",)) == len(pairs)


def test_the_ends_of_time_and_of_numbers_break_nothing() -> None:
    """Each with each: where an offset, a power of ten or a float would leave what can be held."""
    moments = (
        "0001-01-01 00:00:00+00",
        "0001-01-01 05:30:00",
        "0001-01-01 00:00:00-14",
        "0001-01-01 00:00:00+05:30",
        "0001-01-01 14:00:00+00",
        "0001-01-02",
        "9999-12-31 23:59:59.999999+00",
        "9999-12-31 23:59:59.6+00",
        "9999-12-31 09:00:00+00",
        "9999-12-31 00:00:00+14",
        "9999-12-31 23:59:59-05",
        "9999-12-30",
    )
    numbers = (
        "1e131000",
        "-1e131000",
        "1e-16000",
        "9" * 1_999,
        "0." + "0" * 1_900 + "1",
        "1e308",
        "1e309",
        "-0",
        "0",
        "1e39",
        "3.5e38",
        "NaN",
    )
    for types, values in (
        (("timestamp with time zone", "date"), moments),
        (("numeric", "double precision"), numbers),
    ):
        for type in types:
            for pair in itertools.permutations(values, 2):
                assert sum(p.rows for p in watch_all(type, [pair])) == 1


def test_a_domain_is_what_it_is_made_of() -> None:
    """The name of a domain says nothing; the class under which its values are compared does."""
    seen = Watch()
    seen.begin("t", [ColumnPair("v", "price", "price", "numeric")])
    for n in range(3):
        seen.see(RowChange("t", (str(n),), Kind.CHANGED, {"v": f"{n + 1}.5"}, {"v": f"-{n + 1}.50"}, ("v",)))
    assert [p.name for p in seen.end("t")] == ["sign flipped"]
