"""What is said of a column from its figures alone: nothing that they do not prove, and never "is" for "may
be".
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from shop import Shop

from kisaan_validate.compare.patterns.ends import of_column
from kisaan_validate.facts.table import Family, Profile

MONEY = st.lists(
    st.decimals(Decimal("-9999"), Decimal("9999"), places=2), min_size=2, max_size=30, unique=True
)


def profile(values: Sequence[object], family: Family = Family.NUMBER) -> Profile:
    """The figures that a baseline keeps of these values; None is NULL."""
    there = [v for v in values if v is not None]
    total = str(sum(there)) if family is Family.NUMBER and there else None  # type: ignore[call-overload]
    ends = (str(min(there)), str(max(there))) if there else (None, None)  # type: ignore[type-var]
    return Profile(family, len(values) - len(there), *ends, total)


def said(
    before: Sequence[object], after: Sequence[object], family: Family = Family.NUMBER
) -> list[tuple[str, bool]]:
    """What is said of a column that held these values and holds those."""
    return list(of_column(profile(before, family), profile(after, family), len(before), len(after)))


@settings(max_examples=examples(60), deadline=None)
@given(MONEY)
def test_every_sign_turned(values: list[Decimal]) -> None:
    """Sum and ends follow, and that is called consistent, not proved."""
    if sum(values) and max(values) != -min(values) and 0 not in (min(values), max(values)):
        ((words, proved),) = said(values, [-v for v in values])
        assert words == "minimum, maximum and sum are consistent with: sign flipped, in every row"
        assert not proved


@settings(max_examples=examples(60), deadline=None)
@given(MONEY)
def test_a_hundredfold_and_a_constant_difference(values: list[Decimal]) -> None:
    """Factors and differences that the sum confirms."""
    if 0 not in (min(values), max(values)):
        assert any("multiplied by 100" in words for words, _ in said(values, [v * 100 for v in values]))
    (found,) = said(values, [v + Decimal("10000.01") for v in values])
    assert "changed by +10000.01" in found[0]


def test_a_sum_that_does_not_follow_is_no_pattern() -> None:
    """Both ends a hundredfold, the sum not: something else happened in between."""
    assert said([1, 5, 9], [100, 5, 900]) == []
    assert said([1, 5, 9], [100, 500, 900]) != []


def test_an_end_that_did_not_move_is_no_pattern() -> None:
    """One changed end says nothing of the others."""
    assert said([1, 5, 9], [1, 5, 10]) == []


def test_the_negative_of_a_sum_is_a_fact() -> None:
    """Even where the ends do not follow."""
    ((words, proved),) = said([1, 2, 6], [-4, -4, -1])
    assert words.startswith("the sum is exactly the negative")
    assert proved


def test_rounding_stays_within_its_half() -> None:
    """Ends that are rounded, and a sum no further away than rounding can make it."""
    values = [Decimal("1.25"), Decimal("2.35"), Decimal("9.99")]
    ((words, _),) = said(values, [v.quantize(Decimal("0.1"), ROUND_HALF_UP) for v in values])
    assert "rounded to 1 decimal" in words


def test_times() -> None:
    """A constant shift, two offsets of one zone, a lost time of day."""
    moments = [
        datetime(2024, 1, 5, 7, 30, tzinfo=UTC),
        datetime(2024, 4, 5, tzinfo=UTC),
        datetime(2024, 7, 5, 9, 30, tzinfo=UTC),
    ]
    shifted = [m + timedelta(hours=5.5) for m in moments]
    ((words, proved),) = said(moments, shifted, Family.INSTANT)
    assert (
        words
        == "minimum and maximum are consistent with: shifted by +05:30 (the offset of Asia/Kolkata), in every row"
    )
    assert not proved
    local = [m.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(UTC) for m in moments]
    ((words, _),) = said(moments, local, Family.INSTANT)
    assert "the offset of Europe/Berlin" in words
    ((words, _),) = said(moments, [m.replace(hour=0, minute=0) for m in moments], Family.INSTANT)
    assert "time of the day lost" in words


def test_the_same_moments_in_another_type_are_no_shift() -> None:
    """A timestamp became a timestamptz under UTC: other texts, the same times."""
    a = Profile(Family.LOCAL_TIME, 0, "2024-01-05 07:30:00", "2024-07-05 09:30:00")
    b = Profile(Family.INSTANT, 0, "2024-01-05 07:30:00+00", "2024-07-05 09:30:00+00")
    assert list(of_column(a, b, 5, 5)) == []


def test_one_value_for_all_is_proved() -> None:
    """The smallest is the largest."""
    assert said([1, 5, 9], [7, 7, 7]) == [("all values are now '7'", True)]
    assert said([1, 5, 9, None], [7, 7, 7, None]) == [("all values that are not NULL are now '7'", True)]


def test_nulls_are_counted_as_far_as_they_go() -> None:
    """A net number is the least that happened; rows that came or went make it say nothing."""
    assert said([1, None, None], [1, 1, None])[0] == (
        "if no rows were added or removed, at least 1 NULL was filled; which rows is unknown",
        True,
    )
    assert said([1, 2, 3], [1, None, None])[0] == (
        "if no rows were added or removed, at least 2 values became NULL; which rows is unknown",
        True,
    )
    assert said([1, None], [1, 1, 1]) == []


@pytest.mark.parametrize("family", [Family.NUMBER, Family.FLOAT, Family.TEXT, Family.OTHER])
def test_what_did_not_change_is_not_spoken_of(family: Family) -> None:
    """Equal figures, no words."""
    assert said([1, 5, None], [1, 5, None], family) == []


def test_the_figures_speak_on_console_and_page(shop: Shop) -> None:
    """A shift that no contract promised is named beside its figures; what is personal is not spoken of."""
    shop.sql(
        "ALTER TABLE orders ADD COLUMN seen timestamptz; UPDATE orders SET seen = timestamptz "
        "'2024-01-01 08:00+00' + id * interval '7 hours'"
    )
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    shop.sql("UPDATE orders SET seen = seen - interval '5:30'")
    shown = shop.cli("run", "--baseline", "pre.json", "--reports", "out")
    assert "orders: smallest and largest seen shifted by -05:30 (the offset of Asia/Kolkata)" in shown.stdout
    pages = list((shop.folder / "out").rglob("report.html"))
    assert pages
    assert all("shifted by -05:30 (the offset of Asia/Kolkata)" in page.read_text("utf-8") for page in pages)
    shop.sql("UPDATE orders SET seen = seen + interval '5:30'")
    assert "figures  " not in shop.cli("run", "--baseline", "pre.json", "--reports", "out2").stdout
