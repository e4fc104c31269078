"""Series of nights that people were falsely woken by, or not woken by, each with the right answer for each
night; and the laws of the judgement.
"""

from __future__ import annotations

import calendar
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from volume_nights import FIRST, judged, night

from kisaan_validate.volumes.backtest import proposed, tried
from kisaan_validate.volumes.expect import Accepted, expected
from kisaan_validate.volumes.judge import VolumeState, outcome_of, training, with_bounds
from kisaan_validate.volumes.model import (
    PastPoint,
    Season,
    VolumeFact,
    VolumeMeasure,
    VolumePoint,
    VolumeRule,
    VolumeSide,
)
from kisaan_validate.volumes.robust import FEW, deviation, growth, median, root_of, steady
from kisaan_validate.volumes.season import OLDEST, comparable
from kisaan_validate.volumes.words import accepted_words

HOLDS, RINGS, UNKNOWN = VolumeState.HOLDS, VolumeState.RINGS, VolumeState.TOO_LITTLE
ANY = VolumeRule(by=Season.ANY)
MONTHLY = VolumeRule(by=Season.DAY_OF_MONTH, nights=3)


def _days(number: int, value: Callable[[date], int]) -> list[int]:
    return [value(FIRST + timedelta(days=n)) for n in range(number)]


def _wobbling(level: int) -> Callable[[date], int]:
    """About so many each day, a hundredth more or less, the same each time."""
    return lambda day: level + level * (day.toordinal() * 7 % 5 - 2) // 200


def _weekly(day: date) -> int:
    return _wobbling(100 if day.weekday() > 4 else 1_000)(day)


def _month_end(day: date) -> bool:
    return day.day == calendar.monthrange(day.year, day.month)[1]


def _states(rule: VolumeRule, values: list[int]) -> list[VolumeState]:
    return [outcome.state for _, outcome in judged(rule, values)]


def _rung(rule: VolumeRule, values: list[int]) -> list[date]:
    return [day for day, outcome in judged(rule, values) if outcome.state is RINGS]


def test_1_a_constant_series_jumps() -> None:
    """30 nights of 1,000, then 1,001: any change of a constant rings, and rings on as long as it stays."""
    for rule in (VolumeRule(), ANY):
        assert _states(rule, [1_000] * 30 + [1_001] * 3 + [1_000]) == [UNKNOWN] * 8 + [HOLDS] * 22 + [
            RINGS
        ] * 3 + [HOLDS]


def test_2_six_nights_know_too_little() -> None:
    """No alarm by statistics, and no PASS; a declared bound rings all the same, and holds where it holds."""
    values = [1_000, 1_010, 990, 1_020, 1_000, 980, 5]
    assert set(_states(VolumeRule(), values)) == {UNKNOWN}
    assert _states(ANY, values) == [UNKNOWN] * 7
    assert _states(replace(VolumeRule(), least="100"), values) == [HOLDS] * 6 + [RINGS]
    (_, last) = judged(VolumeRule(), values)[-1]
    assert last.message == "knows too little: 0 of 8 Wednesdays; 5 rows of t on Wednesday, 2026-01-07"


@pytest.mark.parametrize(("rule", "nights"), [(ANY, 8), (ANY, 20), (VolumeRule(), 60)])
def test_3_the_night_is_no_part_of_what_it_is_judged_by(rule: VolumeRule, nights: int) -> None:
    """Ten times the usual rings, however few nights there are."""
    values = _days(nights, _wobbling(1_000))
    assert _states(rule, [*values, 10_000])[-1] is RINGS
    assert RINGS not in _states(rule, values)


def test_4_a_failed_night_trains_no_other() -> None:
    """An empty night rings, and the normal one after it does not."""
    values = _days(80, _weekly)
    values[70] = 0
    assert _rung(VolumeRule(), values) == [FIRST + timedelta(days=70)]


def test_5_a_failed_week_trains_no_other() -> None:
    """A week of no rows rings seven times; half the volume in the week after rings too."""
    values = _days(98, _weekly)
    values[77:84] = [0] * 7
    values[84:91] = [value // 2 for value in values[84:91]]
    assert _rung(VolumeRule(), values) == [FIRST + timedelta(days=n) for n in range(77, 91)]


def test_6_weekends_at_a_tenth() -> None:
    """No Saturday rings; a Tuesday without a row does, and so does a Tuesday like a Saturday."""
    values = _days(130, _weekly)
    assert _rung(VolumeRule(), values) == []
    tuesday = next(n for n in range(100, 130) if (FIRST + timedelta(days=n)).weekday() == 1)
    for value in (0, 100):
        values[tuesday] = value
        assert _rung(VolumeRule(), values) == [FIRST + timedelta(days=tuesday)]


def test_7_ends_of_months_at_five_times() -> None:
    """By day of the month no end rings; from the fourth on it is judged, and holds. February's end is one."""
    values = _days(365, lambda day: _wobbling(5_000 if _month_end(day) else 1_000)(day))
    found = judged(MONTHLY, values)
    ends = [outcome.state for day, outcome in found if _month_end(day)]
    assert ends == [UNKNOWN] * 3 + [HOLDS] * 9
    assert RINGS not in [outcome.state for _, outcome in found]
    day, last = next((day, outcome) for day, outcome in found if day.day == 30 and day.month == 4)
    assert "; the last 3 month ends: " in last.message, (day, last)
    # Also if all other nights are equal.
    equal = [5_000 if _month_end(day) else 1_000 for day, _ in found]
    assert _rung(MONTHLY, equal) == []
    values[364] = 1_000
    assert _rung(MONTHLY, values) == [FIRST + timedelta(days=364)]


def test_8_three_rows_then_six() -> None:
    """+100 %, and below the absolute floor of 10 rows."""
    values = [3 + n % 2 for n in range(30)] + [6, 0]
    assert RINGS not in _states(ANY, values)
    # By the floor alone it holds.
    assert _states(replace(ANY, change="2", score="0"), values)[-2] is RINGS


def test_9_a_tiny_spread() -> None:
    """10,000,000 then 10,080,000, of nights that lie within 40: less than a tenth more rings nowhere."""
    values = [10_000_000 + n % 5 * 10 for n in range(90)] + [10_080_000]
    assert RINGS not in _states(VolumeRule(), values)
    assert _states(replace(VolumeRule(), share="1/200"), values)[-1] is RINGS


def test_10_no_bound_below_nothing() -> None:
    """Nights so far apart that a lower bound would be negative: an empty one rings, one row does not."""
    rough = random.Random(1)
    values = [rough.randint(20, 2_000) for _ in range(28)]
    empty = judged(ANY, [*values, 0])[-1][1]
    assert (empty.state, empty.low) == (RINGS, 1)
    assert judged(ANY, [*values, 1])[-1][1].state is HOLDS
    money = replace(ANY, measure=VolumeMeasure.SUM)
    assert "above 0, up to" in judged(money, [*values, 0])[-1][1].message
    assert [judged(money, [*values, v])[-1][1].state for v in (0, "0.01", "-5")] == [RINGS, HOLDS, RINGS]


@pytest.mark.slow
def test_11_growth() -> None:
    """2 % a day for a year rings on no night; that it stopped rings within the week."""
    grown = [round(Fraction(102, 100) ** n * 1_000) for n in range(365)]
    assert _rung(VolumeRule(), grown) == []
    stopped = _rung(VolumeRule(), [*grown, *[grown[-1]] * 7])
    assert stopped == [FIRST + timedelta(days=n) for n in (370, 371)]
    # And so it is for a quarter of it, where the weekdays differ.
    slow = [round(_weekly(FIRST + timedelta(days=n)) * Fraction(1005, 1000) ** n) for n in range(365)]
    assert _rung(VolumeRule(), slow) == []


def test_18_few_points_are_said() -> None:
    """How many nights a judgement rests on stands in its words."""
    for number in (2, 4, 7):
        assert f"{number} of 8 nights" in judged(ANY, [5] * number + [5])[-1][1].message
    assert "the last 9 nights" in judged(ANY, [5] * 10)[-1][1].message


def test_21_nights_of_23_and_25_hours() -> None:
    """Rows come evenly: an hour less, or more, rings nowhere."""
    values = _days(120, lambda day: _wobbling(2_400)(day))
    values[88], values[110] = 2_300, 2_500
    assert _rung(VolumeRule(), values) == []


def test_22_more_than_32_bits() -> None:
    """5,000,000,000 rows are counted, judged and said to the last one."""
    values = _days(90, _wobbling(5_000_000_000))
    assert _rung(VolumeRule(), values) == []
    (_, last) = judged(VolumeRule(), [5_000_000_000] * 30 + [5_000_000_001])[-1]
    assert (last.state, last.message) == (
        RINGS,
        "5,000,000,001 rows of t on Saturday, 2026-01-31; the last 30 nights: always 5,000,000,000",
    )


def test_23_a_day_is_judged_once() -> None:
    """Of two figures of a day the later counts, and neither judges its own day: a second run of one night
    finds the nights that the first found.
    """
    past = [PastPoint(VolumePoint(FIRST + timedelta(days=n), str(1_000 + n % 3)), True) for n in range(20)]
    day = FIRST + timedelta(days=20)
    incomplete = PastPoint(VolumePoint(day, "400"), False)
    assert training(ANY, day, [*past, incomplete]) == training(ANY, day, past)
    complete = [*past, incomplete, PastPoint(VolumePoint(day, "1001"), True)]
    later = training(ANY, day + timedelta(days=1), complete)
    assert [point.value for point in later if point.day == day] == ["1001"]
    again = training(
        ANY, day + timedelta(days=1), [*past, PastPoint(VolumePoint(day, "1001"), True), incomplete]
    )
    assert all(point.day != day for point in again)


# --- a level that stays -----------------------------------------------------------------------------------


def test_a_new_level_rings_until_it_is_accepted() -> None:
    """Half the volume for good rings each night; ``since`` says that it is new: earlier nights count for
    nothing, later ones count although they rang.
    """
    values = _days(80, _wobbling(1_000)) + [value // 2 for value in _days(40, _wobbling(1_000))]
    assert len(_rung(ANY, values)) == 40
    past = [
        PastPoint(VolumePoint(day, str(value)), outcome.state is not RINGS)
        for (day, outcome), value in zip(judged(ANY, values), values, strict=True)
    ]
    day, since = FIRST + timedelta(days=120), FIRST + timedelta(days=80)
    assert night(ANY, day, "500", past).state is RINGS
    accepted = replace(ANY, since=since)
    assert night(accepted, day, "500", past).state is HOLDS
    assert night(accepted, day, "1000", past).state is RINGS
    assert night(accepted, since + timedelta(days=5), "500", past[:85]).state is UNKNOWN


def test_waived_nights_train() -> None:
    """A night that somebody accepted counts: once most of the nights looked at were accepted, it is normal."""
    values = [*_days(80, _wobbling(1_000)), *[500, 505] * 10]
    past = [PastPoint(VolumePoint(FIRST + timedelta(days=n), str(v)), True) for n, v in enumerate(values)]
    assert night(ANY, FIRST + timedelta(days=100), "500", past).state is HOLDS


# --- other measures ---------------------------------------------------------------------------------------


def test_shares_of_nulls() -> None:
    """In hundredths of all rows, from the counts: two in a hundred more ring, and a first NULL ever does."""
    rule = replace(ANY, measure=VolumeMeasure.NULLS, change="1/100")
    values = [f"{20 + n % 3}/1000" for n in range(20)]
    for value, state in (("28/1000", HOLDS), ("45/1000", RINGS), ("0/1000", RINGS), ("45000/1000000", RINGS)):
        assert judged(rule, [*values, value])[-1][1].state is state, value
    (_, first) = judged(rule, ["0/1000", "0/900"] * 10 + ["1/1000"])[-1]
    assert (first.state, first.message) == (
        RINGS, "1 of 1,000 c of t are NULL on Wednesday, 2026-01-21; the last 20 nights: always 0 %",
    )  # fmt: skip
    (_, nothing) = judged(rule, [*values, ""])[-1]
    assert (nothing.state, nothing.message) == (VolumeState.NOTHING, "no rows of t on Wednesday, 2026-01-21")


def test_freshness_rings_when_it_is_old() -> None:
    """An hour and more older than usual; younger never; without any value it is not fresh."""
    rule = replace(ANY, measure=VolumeMeasure.FRESHNESS, change="3600", side=VolumeSide.HIGH)
    values = [7_200 + n % 7 * 60 for n in range(20)]
    for value, state in ((0, HOLDS), (10_000, HOLDS), (90_000, RINGS), ("", RINGS)):
        assert judged(rule, [*values, value])[-1][1].state is state, value
    assert "1 d 1 h old" in judged(rule, [*values, 90_000])[-1][1].message


def test_declared_bounds_hold_whatever_the_past_says() -> None:
    """Both ends, exactly at the bound and one beyond it, with and without a past."""
    rule = replace(ANY, least="900", most="1100", change="500")
    values = _days(20, _wobbling(1_000))
    for past in ([], values):
        states = [judged(rule, [*past, v])[-1][1].state for v in (899, 900, 1_100, 1_101)]
        assert states == [RINGS, HOLDS, HOLDS, RINGS]
    assert judged(rule, [1_000])[0][1].message == (
        "1,000 rows of t on Thursday, 2026-01-01; declared: at least 900 and at most 1,100; "
        "the past knows too little: 0 of 8 nights"
    )


def test_one_side() -> None:
    """``low`` says nothing of more, ``high`` nothing of less."""
    values = _days(20, _wobbling(1_000))
    for side, few, many in ((VolumeSide.LOW, RINGS, HOLDS), (VolumeSide.HIGH, HOLDS, RINGS)):
        rule = replace(ANY, side=side)
        assert [judged(rule, [*values, v])[-1][1].state for v in (100, 10_000)] == [few, many]
    constant = replace(ANY, side=VolumeSide.HIGH)
    assert [judged(constant, [5] * 20 + [v])[-1][1].state for v in (4, 6)] == [HOLDS, RINGS]
    # Of sums that lie far apart the lower end is above 0, and no end at all where only the upper one counts.
    wild = [VolumePoint(FIRST + timedelta(days=n), str(100 + n % 7 * 900)) for n in range(28)]
    for side, said in ((VolumeSide.BOTH, ": above 0, up to "), (VolumeSide.HIGH, ": at most ")):
        rule = replace(ANY, measure=VolumeMeasure.SUM, side=side)
        found = expected(rule, FIRST + timedelta(days=28), wild)
        assert isinstance(found, Accepted)
        assert said in accepted_words(rule.measure, rule.by, found)


# --- laws -------------------------------------------------------------------------------------------------

_VALUES = st.lists(st.integers(0, 10**12), min_size=8, max_size=28)


def _at(values: list[int]) -> list[PastPoint]:
    return [PastPoint(VolumePoint(FIRST + timedelta(days=n), str(v)), True) for n, v in enumerate(values)]


@given(_VALUES, st.integers(0, 10**12), st.integers(2, 10**20))
def test_scaling_all_changes_no_answer(values: list[int], value: int, factor: int) -> None:
    """Figures, floor and bounds in another unit: the same state, without rounding, beyond any machine word."""
    rule, day = replace(ANY, measure=VolumeMeasure.SUM), FIRST + timedelta(days=len(values))
    plain = night(rule, day, str(value), _at(values))
    scaled = replace(rule, change=str(10 * factor))
    again = night(scaled, day, str(value * factor), _at([v * factor for v in values]))
    # Bounds are whole hundredths, so what lies between a bound and its hundredth may be told apart.
    edge = {plain.low, plain.high} & {Fraction(value), Fraction(value) + Fraction(1, 100)}
    assert plain.state is again.state or edge


@given(_VALUES, st.integers(0, 10**12), st.randoms(use_true_random=False))
def test_the_order_of_the_nights_does_not_matter(values: list[int], value: int, rough: random.Random) -> None:
    """Days decide, not the order in which points come."""
    day = FIRST + timedelta(days=len(values))
    points = [found.point for found in _at(values)]
    mixed = list(points)
    rough.shuffle(mixed)
    facts = [VolumeFact(ANY, "", day, str(value), tuple(some)) for some in (points, mixed)]
    assert outcome_of(facts[0], "t", ()) == outcome_of(facts[1], "t", ())


@given(_VALUES, st.integers(0, 10**12), st.integers(0, 10**12), st.integers(0, 400))
def test_the_night_and_later_ones_judge_nothing(
    values: list[int], value: int, other: int, after: int
) -> None:
    """Points of the day itself, or of days to come, change nothing."""
    day = FIRST + timedelta(days=len(values))
    later = PastPoint(VolumePoint(day + timedelta(days=after), str(other)), True)
    assert night(ANY, day, str(value), [*_at(values), later]) == night(ANY, day, str(value), _at(values))


@given(st.sampled_from([ANY, VolumeRule(), MONTHLY]), _VALUES, st.integers(0, 10**12))
def test_the_points_of_a_record_suffice(rule: VolumeRule, values: list[int], value: int) -> None:
    """Judged again by the points that it recorded alone, a figure comes to the same."""
    many = values * 13
    day = FIRST + timedelta(days=len(many))
    points = training(rule, day, _at(many))
    fact = with_bounds(VolumeFact(rule, "", day, str(value), points))
    every = replace(fact, points=tuple(found.point for found in _at(many)))
    assert outcome_of(fact, "t", ()) == outcome_of(every, "t", ())
    assert with_bounds(fact) == fact


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.integers(-(10**6), 10**6))
def test_deviation_moves_with_nothing_but_the_spread(values: list[int], by: int) -> None:
    """Moving all values leaves it, doubling them doubles it; equal values have none."""
    exact = [Fraction(v) for v in values]
    assert deviation([v + by for v in exact]) == deviation(exact)
    assert deviation([2 * v for v in exact]) == 2 * deviation(exact)
    assert (deviation(exact) == 0) is (len(set(values)) == 1)
    assert min(exact) <= median(exact) <= max(exact)


def test_deviation_by_hand() -> None:
    """Of nine values, of twelve, and where more than half are equal, against figures computed by hand."""
    nine = [Fraction(v) for v in (1, 2, 3, 4, 5, 6, 7, 8, 100)]
    assert deviation(nine) == Fraction(2) * Fraction(FEW[9]) / Fraction("0.6745")
    twelve = [Fraction(v) for v in (*range(1, 12), 100)]
    assert deviation(twelve) == Fraction(3) * Fraction(120, 112) / Fraction("0.6745")
    equal = [Fraction(v) for v in (5, 5, 5, 5, 9)]
    assert deviation(equal) == Fraction(4, 5) * Fraction("1.253314")


@given(st.integers(0, 10**30), st.integers(1, 10**6), st.integers(1, 60))
def test_roots_are_rounded_down(top: int, bottom: int, degree: int) -> None:
    """The millionths of a root are the largest whose power is not above the value."""
    value = Fraction(top, bottom)
    found = root_of(value, degree)
    assert found**degree <= value < (found + Fraction(1, 10**6)) ** degree


def test_growth_with_gaps_and_a_wild_night() -> None:
    """Nights that are missing, and one that is ten times too high, leave the factor."""
    points = [(n, Fraction(11, 10) ** n) for n in (0, 1, 2, 5, 6, 7, 9)]
    assert growth(points) in {Fraction("1.099999"), Fraction("1.1")}
    wild = [*points[:3], (5, points[3][1] * 10), *points[4:]]
    assert abs(growth(wild) - Fraction("1.1")) < Fraction(1, 100)
    assert steady([v for _, v in points])
    assert not steady([Fraction(v) for v in (1, 2, 1, 2, 1, 2)])


@pytest.mark.parametrize(
    ("measure", "value", "state"),
    [
        (VolumeMeasure.NULLS, "", VolumeState.NOTHING),
        (VolumeMeasure.SUM, "NaN", RINGS),
        (VolumeMeasure.FRESHNESS, "", RINGS),
    ],
)
def test_what_has_no_figure_is_nothing_only_as_a_share(
    measure: VolumeMeasure, value: str, state: VolumeState
) -> None:
    """No row has a share of NULLs; a sum that is no number, and a table without a newest value, are wrong."""
    fact = VolumeFact(VolumeRule(measure=measure), "c", FIRST, value, ())
    assert outcome_of(fact, "t", ("c",)).state is state


@pytest.mark.parametrize("by", Season)
def test_what_is_too_old_is_compared_with_nothing(by: Season) -> None:
    """The last day that counts is said by OLDEST, and not one more."""
    points = [VolumePoint(FIRST - timedelta(days=n), "5") for n in range(1, OLDEST[by] + 30)]
    found = comparable(by, FIRST, points[-35:])
    assert all((FIRST - point.day).days <= OLDEST[by] for point in found)
    assert comparable(Season.ANY, FIRST, [VolumePoint(FIRST - timedelta(days=OLDEST[Season.ANY]), "5")])


@pytest.mark.parametrize(("nights", "grows"), [(5, False), (6, True)])
def test_no_growth_is_read_from_few_nights(nights: int, grows: bool) -> None:
    """Of three nights that happen to rise, one decides: they are compared as they are."""
    points = [VolumePoint(FIRST + timedelta(days=n), str(1_000 + 20 * n)) for n in range(nights)]
    found = expected(VolumeRule(by=Season.ANY, nights=3), FIRST + timedelta(days=nights), points)
    assert isinstance(found, Accepted)
    assert (found.growth is not None) is grows


@pytest.mark.parametrize(("nights", "said"), [(7, ""), (8, "least=4, most=6")])
def test_bounds_are_proposed_of_no_fewer_nights_than_the_rule_asks_for(nights: int, said: str) -> None:
    """What one night was is no bound for the next."""
    rule = VolumeRule(by=Season.ANY)
    points = [PastPoint(VolumePoint(FIRST + timedelta(days=n), "5"), True) for n in range(nights)]
    assert proposed(rule, tried(rule, points, "t", ())) == said


@pytest.mark.slow
def test_false_alarms_are_few() -> None:
    """Random nights, normal about their weekday by up to a fifth: of fifty judged nights less than one
    rings. A tenth of the volume rings nearly always.
    """
    for spread in (0.05, 0.1, 0.2):
        rang = known = missed = 0
        for seed in range(3):
            rough = random.Random(seed)
            values = [
                max(1, round(10 * _weekly(FIRST + timedelta(days=n)) * rough.gauss(1, spread)))
                for n in range(180)
            ]
            states = [outcome.state for _, outcome in judged(VolumeRule(), values)]
            rang += states.count(RINGS)
            known += len(states) - states.count(UNKNOWN)
            missed += _states(VolumeRule(), [*values[:-1], values[-1] // 10])[-1] is not RINGS
        assert (known > 300, rang * 50 < known) == (True, True), (spread, rang, known)
        assert spread > 0.1 or missed == 0
