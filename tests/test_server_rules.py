"""Laws of the checks about a server, whatever a catalogue says: pure functions of what was read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from helpers import examples
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.server import (
    ChecksumState,
    CollationState,
    Counters,
    FilledColumn,
    FrozenAge,
    FrozenAges,
    IndexStates,
    SequenceState,
    ServerFacts,
    SlotState,
    SlotStates,
    Withheld,
)
from kisaan_validate.rules.server.ages import LIMIT, WraparoundAge
from kisaan_validate.rules.server.base import ServerRule
from kisaan_validate.rules.server.objects import CollationVersions, NoInvalidIndex
from kisaan_validate.rules.server.rates import SHORTEST, rate_of
from kisaan_validate.rules.server.sequences import (
    HIGHEST,
    SequenceHeadroom,
    SequenceTypes,
    end_of,
    values_left,
)
from kisaan_validate.rules.server.storage import ChecksumFailures, SlotsHoldWal

NOW = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)
RULES: tuple[ServerRule, ...] = (
    WraparoundAge(), SequenceHeadroom(), SequenceTypes(), NoInvalidIndex(), CollationVersions(), ChecksumFailures(), SlotsHoldWal(),
)  # fmt: skip


def server(**sections: Any) -> ServerFacts:
    """A server of which all is withheld but these sections."""
    no = Withheld("permission denied")
    given: dict[str, Any] = dict.fromkeys(
        ("ages", "sequences", "indexes", "collations", "checksums", "slots"), no
    )
    return ServerFacts(**{"counters": Counters(NOW, {}), **given, **sections})


def sequence(base: str = "int4", last: int | None = None, step: int = 1, **more: Any) -> SequenceState:
    """A sequence with the bounds that its type gives it."""
    down = step < 0
    bounds = {"minimum": -HIGHEST[base] - 1 if down else 1, "maximum": -1 if down else HIGHEST[base]}
    return SequenceState(
        "public.s", base, **{**bounds, "increment": step, "cycles": False, "last": last, **more}
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
def test_what_was_withheld_is_never_green(rule: ServerRule) -> None:
    """Law: a section that could not be read is no answer."""
    with pytest.raises(DatabaseError, match="cannot tell: permission denied"):
        rule.judged(server())


# --- sequences --------------------------------------------------------------------------------------------

steps = st.integers(-7, 7).filter(bool)


@given(
    st.sampled_from(["int2", "int4", "int8"]),
    st.sampled_from([None, "int2", "int4", "int8"]),
    steps,
    st.data(),
)
@profile(max_examples=examples(200))
def test_what_is_left_is_what_can_still_be_handed_out(
    base: str, column: str | None, step: int, data: st.DataObject
) -> None:
    """Law: after the last value that is left comes one that does not fit; before it all do."""
    s = sequence(base, step=step, fills=(FilledColumn("public.t.id", column),) if column else ())
    span = (s.minimum, s.maximum)
    s = replace(s, last=data.draw(st.integers(*span)))
    assert s.last is not None
    left, _ = values_left(s)

    def fits(value: int) -> bool:
        return span[0] <= value <= span[1] and (column is None or abs(value) <= HIGHEST[column] + (value < 0))

    assert left == 0 or fits(s.last + left * step)
    assert not fits(s.last + (left + 1) * step)
    assert left < 1 or abs(end_of(s)) >= abs(s.last + left * step)


def test_exactly_at_a_share_is_enough() -> None:
    """10 of 100 left at 10 %: enough; one fewer is not."""
    at = lambda last: SequenceHeadroom().judged(server(sequences=(sequence(maximum=100, last=last),)))  # noqa: E731
    assert (at(90).violations, at(91).violations) == (0, 1)
    assert at(90).message == "nearest to its end is public.s: 10 values left of 100"


def test_a_sequence_that_begins_again_is_neither_judged_nor_missed() -> None:
    """It has no end; and if nobody may read it, nothing is unknown."""
    ring = sequence("int2", last=HIGHEST["int2"], cycles=True)
    for one in (ring, replace(ring, last=None, unread="this role may not read it")):
        assert SequenceHeadroom().judged(server(sequences=(one,))).violations == 0


# --- rates ------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 2**40),
    st.integers(1, 2**40),
    st.integers(0, 2**40),
    st.timedeltas(SHORTEST, timedelta(days=400)),
)
@profile(max_examples=examples(200))
def test_days_are_rounded_down_and_exact(before: int, used: int, left: int, ago: timedelta) -> None:
    """Law: it lasts that many days and not one more."""
    rate = rate_of(server(earlier=(Counters(NOW - ago, {"n": before}),)), "n", before + used)
    assert rate is not None
    days = rate.days(left)
    per_day = Fraction(used) / (rate.seconds / 86_400)
    assert days * per_day <= left < (days + 1) * per_day


@pytest.mark.parametrize(
    ("ago", "before"),
    [
        (SHORTEST - timedelta(microseconds=1), 1),  # a burst
        (timedelta(days=-1), 1),  # the clock was set back
        (timedelta(days=1), 5),  # it stands still
        (timedelta(days=1), 9),  # restored, or begun again
    ],
)
def test_what_tells_no_rate_makes_none_up(ago: timedelta, before: int) -> None:
    """Too soon, later than now, standing still, moved back."""
    assert rate_of(server(earlier=(Counters(NOW - ago, {"n": before}),)), "n", 5) is None


def test_the_newest_look_that_is_long_enough_ago_decides() -> None:
    """Of a baseline of last year and last night, last night."""
    looks = tuple(Counters(NOW - timedelta(days=d), {"n": 100 - d}) for d in (365, 1, 0))
    rate = rate_of(server(earlier=looks), "n", 100)
    assert rate is not None
    assert (rate.used, rate.since) == (1, NOW - timedelta(days=1))


def test_multixacts_begin_again_at_two_to_the_32() -> None:
    """As the server counts them."""
    earlier = (Counters(NOW - timedelta(days=1), {"multixacts": 2**32 - 1_000_000_000}),)
    facts = server(
        counters=Counters(NOW, {"multixacts": 50_000_000}),
        earlier=earlier,
        ages=FrozenAges(2 * 10**9, 2 * 10**9, (FrozenAge("database", "prod", 5, 900_000_000),)),
    )
    found = WraparoundAge().judged(facts)
    # 1,050 million a day, and 1,244,483,647 left.
    assert dict(found.sample[0]) == {
        "kind": "database", "name": "prod", "counted": "multixacts", "age": "900000000",
        "left": str(LIMIT - 900_000_000), "autovacuum_freezes_at": "2000000000", "days_left": "1",
    }  # fmt: skip


# --- ages -------------------------------------------------------------------------------------------------


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(10**5, 2 * 10**9))
@profile(max_examples=examples(200))
def test_an_age_is_wrong_from_its_bounds_on(xids: int, multixacts: int, freeze: int) -> None:
    """Law: half of the way, or twice autovacuum's own limit, whichever comes first; of either counter."""
    ages = FrozenAges(freeze, freeze, (FrozenAge("table", "t", xids, multixacts),))
    found = WraparoundAge().judged(server(ages=ages))
    oldest = max(xids, multixacts)
    assert found.violations == (2 * oldest >= LIMIT or oldest >= 2 * freeze)
    assert (found.examined, len(found.sample)) == (1, found.violations)
    assert f"{oldest:,}" in found.message


def test_the_oldest_is_named_first() -> None:
    """It is what stops the server."""
    ages = FrozenAges(
        2 * 10**8, 4 * 10**8, tuple(FrozenAge("table", f"t{n}", n * 10**8, 0) for n in range(1, 21))
    )
    found = WraparoundAge().judged(server(ages=ages))
    assert found.violations == 17
    assert found.message.startswith(
        "table t20 is 2,000,000,000 transactions old, 144,483,647 left; table t19"
    )
    assert found.message.endswith("; and 14 more")


# --- slots, checksums, collations, indexes ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("slot", "keep", "wrong"),
    [
        (SlotState("a", "physical", False, "reserved", 10), None, False),
        (SlotState("a", "physical", False, "reserved", 11), None, True),
        (SlotState("a", "physical", True, "extended", 8), 10, True),
        (SlotState("a", "physical", True, "extended", 7), 10, False),
        (SlotState("a", "logical", False, "lost", None), None, True),
        (SlotState("a", "logical", True, "unreserved", 1), None, True),
        (SlotState("a", "logical", False, "", None), 0, False),
    ],
)
def test_a_slot_is_wrong_past_its_bounds_or_once_it_lost_what_it_needs(
    slot: SlotState, keep: int | None, wrong: bool
) -> None:
    """Bytes, four fifths of the server's own limit, the status that the server gives."""
    assert SlotsHoldWal(10).judged(server(slots=SlotStates(keep, (slot,)))).violations == wrong


def test_checksums_are_counted_by_database_or_do_not_apply() -> None:
    """Off is said, and a missing count is no 0."""
    judged = lambda *state: ChecksumFailures().judged(server(checksums=ChecksumState(*state)))  # noqa: E731
    assert judged(False, (("a", None),)).inapplicable == "data checksums are off on this server"
    found = judged(True, (("", 2), ("a", 0), ("b", None)))
    assert found.message == "shared tables: 2 failed; cannot tell of 1 other: b has no count"
    assert judged(True, (("", 0), ("a", 0))).violations == 0
    with pytest.raises(DatabaseError, match="b has no count"):
        judged(True, (("b", None),))


def test_a_library_that_says_no_version_is_no_answer() -> None:
    """Beside one that moved it is said."""
    mute, moved = CollationState("c", "1", None, 2), CollationState("d", "1", "2", 3)
    with pytest.raises(DatabaseError, match="c is 1, and its library says no version"):
        CollationVersions().judged(server(collations=(mute,)))
    found = CollationVersions().judged(server(collations=(mute, moved)))
    assert (found.violations, found.examined) == (1, 1)
    assert found.message.startswith("d was 1 and is 2; 3 indexes use it; cannot tell of 1 other: c")


def test_no_index_at_all_is_none_that_is_wrong() -> None:
    """An empty list is an answer: the catalogue was read."""
    assert NoInvalidIndex().judged(server(indexes=IndexStates(0, ()))).violations == 0
