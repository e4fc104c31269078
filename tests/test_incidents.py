"""What of a night is news: each thing once, by cause, with what people need to act, and silence otherwise."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_cases import everything, hostile
from told_nights import FIRST, INFO, Nights, Said, check_of, incidents, news, series, waiver_of

from kisaan_validate.facts.result import Status
from kisaan_validate.facts.suite import Selection
from kisaan_validate.history.lines import follow
from kisaan_validate.history.marks import HistoryMark
from kisaan_validate.history.night import night_of
from kisaan_validate.incidents.gather import incidents_of
from kisaan_validate.incidents.law import SLACK, LastTold, Standing, flaps, news_of
from kisaan_validate.incidents.night import NUDGE, NightToTell
from kisaan_validate.incidents.tell import page_of, spooled_of
from kisaan_validate.notify.told import OVER, News, ToldNight, told_of
from kisaan_validate.verdict.waivers import Use, Waived

STILL, NEW, FIXED, WORSE = "still failing", "new", "fixed", "worse"
FLAPPING, OPEN = "flapping", "no answer"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (["ok"] * 9, [""] * 9),
        (["ok", 3, 3, 3, "ok", "ok"], ["", NEW, "", "", FIXED, ""]),
        # The same failure each night: one message, then one a week.
        ([3] * 16, [NEW, *[""] * 6, STILL, *[""] * 6, STILL, ""]),
        ([3, 5, 4, "4b", 4], [NEW, WORSE, "", WORSE, WORSE]),
        # Fails, passes, fails, passes: one incident, which is over when it rests.
        (
            [3, "ok", 3, "ok", 3, "ok", 3, *["ok"] * 10],
            [NEW, FIXED, NEW, FLAPPING, "", "", "", *[""] * 7, FIXED, "", ""],
        ),
        # One night without an answer is none; two are; then it answers.
        (["ok", "?", "ok", "?", "?", "?", "ok"], ["", "", "", "", OPEN, "", FIXED]),
        ([3, "?", 3], [NEW, "", ""]),
        ([3, "?", "?", 3], [NEW, "", OPEN, STILL]),
        # What is not there will not be there tomorrow.
        (["ok", "gone", "gone", "ok"], ["", OPEN, "", FIXED]),
        ([3, "-", "-", 3], [NEW, "no longer asked", "", STILL]),
        # The first night: what fails is new, whenever it began.
        ([3], [NEW]),
    ],
)  # fmt: skip
def test_what_is_told_night_by_night(said: list[Said], told: list[str]) -> None:
    """Of one check."""
    assert series(said) == told


def _fold(said: list[Said]) -> list[tuple[Standing, News | None]]:
    """The law over the nights of one check, each with what was told before."""
    nights = Nights()
    made = []
    for one in said:
        nights.nights.append(night_of(nights.judged({"c": one}), "f", ""))
        nights.at += timedelta(days=1)
    (line,) = follow(nights.nights).values()
    last = None
    for n in range(len(said)):
        standing = Standing(line[: n + 1], last, missing=said[n] == "gone")
        found = news_of(standing, NUDGE)
        made.append((standing, found))
        last = LastTold(found, standing.now.night.at) if found is not None else last
    return made


@given(st.lists(st.sampled_from(["ok", "ok", "ok", 1, 2, "2b", "?", "-", "gone"]), min_size=1, max_size=45))
def test_the_law_of_telling(said: list[Said]) -> None:
    """For any nights: after each of them the reader knows what is open and what is not; nothing begins
    twice, nothing ends that was not open; what stays is told again at most once in the nudge.
    """
    for standing, found in _fold(said):
        last, status = standing.last, standing.now.outcome.status
        after = found or (last.news if last is not None else News.FIXED)
        rests = not flaps(standing.line)
        if status is Status.FAIL:
            assert after not in OVER, "a failure is open and told"
            assert after is not News.NO_ANSWER
        if status is Status.PASS and rests:
            assert after in OVER, "what holds is over"
        if found in OVER:
            assert last is not None
            assert last.open, "it ends once"
        if found is News.NEW:
            begun = last is not None and last.open and last.news not in {News.FLAPPING, News.NO_ANSWER}
            assert not begun, "it begins once"
        if last is not None and found is last.news and found not in {News.NEW, News.WORSE}:
            assert standing.now.night.at - last.at >= NUDGE - SLACK, f"{found} again too early"
        if found is News.STILL:
            assert status is Status.FAIL


@given(st.lists(st.sampled_from(["ok", 1, 2, "?"]), min_size=1, max_size=30), st.integers(0, 29))
def test_a_lost_ledger_costs_no_news(said: list[Said], lost: int) -> None:
    """If what was told is forgotten on any night, what fails after it is told, as new or as still failing."""
    nights = Nights()
    for n, one in enumerate(said):
        if n == lost:
            nights.told.clear()
        nights.night({"c": one})
        known = {s.key: s.news for t in nights.told for s in t.subjects}
        if result_fails(one):
            assert known.get("check c", News.FIXED) not in OVER


def result_fails(said: Said) -> bool:
    """Whether a check fails so."""
    return said not in {"ok", "?", "-", "gone"}


# --- by cause ---------------------------------------------------------------------------------------------


def test_a_missing_table_is_one_incident() -> None:
    """Sixty checks of it: one message, one incident that names the cause, and one when it is back."""
    nights = Nights()
    sixty = [f"orders.c{n}.x" for n in range(60)]
    assert nights.night(dict.fromkeys(sixty, "ok")) is None
    gone = nights.night(dict.fromkeys(sixty, "gone"))
    assert incidents(gone) == [("no answer", 60)]
    assert gone is not None
    assert "no answer: table orders does not exist, and 59 more checks" in gone.message.body
    assert gone.message.body.count("table orders does not exist") == 1
    assert nights.night(dict.fromkeys(sixty, "gone")) is None
    assert incidents(nights.night(dict.fromkeys(sixty, "ok"))) == [("fixed", 60)]


def test_checks_of_one_cause_are_one_incident_and_others_are_not() -> None:
    """The same rows tie; other rows of the table do not. What was told as one is fixed as one."""
    nights = Nights()
    same = {"orders.a.x": "3", "orders.b.x": "3", "orders.c.x": 4}
    judged = nights.judged(same)
    results = tuple(
        replace(r, key_digest="same" if r.check_id != "orders.c.x" else "other") for r in judged.run.results
    )
    tied = replace(judged, run=replace(judged.run, results=results))
    made = spooled_of(nights.telling(tied), ["mail"], "p")
    assert incidents(made) == [("new", 1), ("new", 2)]
    assert made is not None
    assert made.told is not None
    nights.told.append(made.told)
    nights.at += timedelta(days=1)
    assert sorted(incidents(nights.night(dict.fromkeys(same, "ok")))) == [("fixed", 1), ("fixed", 2)]


def test_a_new_failure_beside_one_that_is_known() -> None:
    """The message is about the new one; the old one is counted, and nudged in its own week."""
    nights = Nights()
    for _ in range(40):
        nights.night({"old": 7, "young": "ok"})
    told = nights.night({"old": 7, "young": 2})
    assert news(told) == {"young": News.NEW}
    assert told is not None
    assert told.message.subject == "[FAIL] shop suite on shop: 1 new"
    assert "1 known failing check not repeated here." in told.message.body


def test_the_message_says_what_people_need() -> None:
    """What, how many, since when, what changed, what to do, who, where."""
    nights = Nights(checks={"orders.total": check_of("orders.total", owner="finance")})
    nights.night({"orders.total": "ok"})
    nights.marks.append(HistoryMark(nights.at - timedelta(hours=3), "release 1.4"))
    nights.marks.append(HistoryMark(nights.at - timedelta(days=9), "long ago"))
    told = nights.night({"orders.total": 3})
    assert told is not None
    assert told.message.body.splitlines() == [
        "FAIL: shop suite on shop (db.internal), 2026-01-06 02:30:00 UTC",
        "",
        "NEW (blocking): orders: 3 rows break “claim of orders.total”",
        "  check    orders.total",
        "  rows     3 (before: 0)",
        "  since    2026-01-06 02:30:00 UTC, on 1 night",
        "  between  release 1.4 (2026-01-05 23:30:00 UTC)",
        "  do       repair orders.total",
        "  owner    finance",
        "",
        "page   reports/x/report.html",
        "run    20260106T023000Z-abc123",
    ]
    fixed = nights.night({"orders.total": "ok"}, suite=replace(nights.judged({}).run.suite, digest="other"))
    assert fixed is not None
    assert "FIXED (info): orders: “claim of orders.total”" in fixed.message.body
    assert "failed since 2026-01-06 02:30:00 UTC, on 1 night" in fixed.message.body
    assert "the suite was changed" in fixed.message.body
    assert (told.message.severity, fixed.message.severity) == ("blocking", "info")
    assert page_of("https://h/r/", "reports", "a%20b") == "https://h/r/a%20b/report.html"
    assert page_of("", "reports", "a%20b") == "reports/a b/report.html"


def test_no_value_of_a_row_leaves() -> None:
    """Neither keys nor what a server quoted, nor of differences what they are; the suite's words do."""
    nights = Nights()
    nights.night({"a": 3, "b": "?"})
    told = nights.night({"a": 5, "b": "?"})
    assert told is not None
    whole = told.message.to_json().decode()
    assert "ROW" not in whole
    assert "the server refused the statement (SQLSTATE 22P02)" in whole
    judged = everything()
    made = spooled_of(NightToTell(judged, night_of(judged, "f", "")), ["mail"], "p")
    assert made is not None
    values = {v for r in judged.run.results for row in r.sample for _, v in row if v and len(v) > 2}
    values |= {"2025-10-18 05:30:00", "2025-10-18 00:00:00"}
    assert not [value for value in values if value in made.message.to_json().decode()]
    assert "that no promise explains" in made.message.body


def test_a_key_that_rows_refer_to_does_not_leave() -> None:
    """The finding's own title on the page names it; the message does not."""
    nights = Nights()
    check = check_of("orders.shop_id.references", kind="references", claim="refers to shops.id")
    nights.checks = {check.id: check}
    judged = nights.judged({check.id: 3})
    rows = tuple((("shop_id", "90017"),) for _ in range(3))
    results = (replace(judged.run.results[0], sample=rows, sample_complete=True),)
    tied = replace(judged, run=replace(judged.run, results=results))
    telling = nights.telling(tied)
    assert "90017" in telling.findings[0].title, "else this proves nothing"
    made = spooled_of(telling, ["mail"], "p")
    assert made is not None
    assert "90017" not in made.message.to_json().decode()


@pytest.mark.parametrize(
    "text", ["a\r\nBcc: x@y", "\x1b[2J\x00", "\u202eevil", "{count}", "x" * 3_000, "\ud800"]
)
def test_hostile_texts_stay_on_their_line(text: str) -> None:
    """In ids, claims, owners, hints, names: no text begins a line of its own or hides a sign."""
    judged = hostile(text)
    made = spooled_of(NightToTell(judged, night_of(judged, "f", "")), ["mail"], "p")
    assert made is not None
    for line in [made.message.subject, *made.message.body.splitlines()]:
        assert not any(c in line for c in "\r\x1b\x00\u202e")
    assert "\nBcc:" not in made.message.body
    assert len(made.message.body.splitlines()) < 40
    json.loads(made.message.to_json())


# --- waivers, promises, renames, parts of a suite ---------------------------------------------------------


def test_a_waiver_silences_until_it_ends() -> None:
    """With owner and day; then the failure is told again, once, and nudged as any other."""
    nights, until = Nights(), (FIRST + timedelta(days=4)).date()
    waiver = [waiver_of("c", until)]
    assert news(nights.night({"c": 3})) == {"c": News.NEW}
    told = [nights.night({"c": 3}, waiver) for _ in range(12)]
    assert [news(one).get("c", "") for one in told] == [*[""] * 4, "waiver ended", *[""] * 6, STILL]
    ended = told[4]
    assert ended is not None
    assert f"the waiver of finance ended on {until.isoformat()}" in ended.message.body
    assert "owner    finance" in ended.message.body
    # What grows beyond the waiver is worse, whatever the day.
    nights = Nights()
    nights.night({"c": 3}, [waiver_of("c", date(2030, 1, 1), rows=3)])
    more = nights.night({"c": 4}, [waiver_of("c", date(2030, 1, 1), rows=3)])
    assert news(more) == {"c": News.WORSE}
    assert more is not None
    assert "it is more than the waiver of finance covers: at most 3 violations" in more.message.body


def test_a_failure_that_was_always_waived_begins_and_ends_in_silence() -> None:
    """Nobody was told of it."""
    nights, waiver = Nights(), [waiver_of("c", date(2030, 1, 1))]
    assert [nights.night({"c": one}, waiver) for one in ("ok", 3, 3, "ok")] == [None] * 4
    # Nor is it told to flap, also not on a night on which it holds.
    assert [nights.night({"c": one}, waiver) for one in (3, "ok", 3, "ok", 3, "ok")] == [None] * 6


def test_what_was_told_of_later_nights_does_not_answer_for_an_earlier_one() -> None:
    """Who asks for the message of last week's run gets what was news then."""
    night = night_of(Nights().judged({"c": 3}), "f", "")
    told = [
        ToldNight(f"{days}", f"{days}", night.at + timedelta(days=days), night.suite, night.database,
                  night.host, night.port, night.server, ())
        for days in (-1, 0, 1)
    ]  # fmt: skip
    assert [one.message for one in told_of(told, night)] == ["-1", "0"]


def test_a_check_that_goes_or_changes_is_said() -> None:
    """Only by a run of the whole suite, once; a renamed check keeps what was told."""
    nights = Nights()
    nights.night({"c": 3, "d": "ok"})
    partial = Selection(("d",), partial=True)
    assert nights.night({"d": "ok"}, selection=partial) is None
    gone = nights.night({"d": "ok"})
    assert news(gone) == {"c": News.GONE}
    assert gone is not None
    assert "c was open, and it is no longer part of the suite" in gone.message.body
    assert nights.night({"d": "ok"}) is None
    nights = Nights()
    nights.night({"c": 3})
    nights.checks["c"] = check_of("c", digest="another meaning")
    changed = nights.night({"c": "ok"})
    assert incidents(changed) == [("no longer asked", 1)]
    assert changed is not None
    assert "c was open, and it means something else now" in changed.message.body
    nights = Nights()
    nights.night({"old": 3})
    nights.renamed = {"old": "new"}
    nights.checks["new"] = check_of("new", digest="m-old")
    assert nights.night({"new": 3}) is None
    assert news(nights.night({"new": "ok"})) == {"new": News.FIXED}


def test_promises_and_differences_are_told_once() -> None:
    """They have no history: what was told is all that is known of them. When they are gone, that is said."""
    judged, nights = everything(), Nights()
    night = night_of(judged, "f", "")
    first = NightToTell(judged, night)
    made = spooled_of(first, ["mail"], "p")
    assert made is not None
    assert made.told is not None
    kinds = {subject.key.partition(" ")[0] for subject in made.told.subjects}
    assert kinds == {"check", "promise", "difference"}
    nights.told.append(made.told)
    next_night = replace(night, run="next", at=night.at + timedelta(days=1))
    lines = list(follow([night, next_night]).values())
    again = NightToTell(judged, next_night, lines, told=nights.told)
    assert [one for one in incidents_of(again) if one.news is not News.NO_ANSWER] == []
    week = replace(again, night=replace(next_night, at=night.at + timedelta(days=7)), lines=())
    assert News.STILL in {one.news for one in incidents_of(week)}


def test_what_is_only_for_information_is_not_told() -> None:
    """But if asked for."""
    nights = Nights(checks={"c": check_of("c", severity=INFO)})
    judged = nights.judged({"c": 3})
    telling = nights.telling(judged)
    assert incidents_of(telling) == ()
    assert [one.news for one in incidents_of(replace(telling, least=INFO))] == [News.NEW]


def test_two_databases_in_one_folder_do_not_answer_for_each_other() -> None:
    """What was told of one is not told of the other; a server that moved is the same."""
    nights = Nights()
    nights.night({"c": 3})
    told = nights.told
    for changed, known in (
        ({"database": "other"}, False),
        ({"suite": "other"}, False),
        ({"host": "b", "server": "9"}, False),
        ({"host": "b"}, True),
        ({"server": "9"}, True),
    ):
        night = replace(nights.nights[0], run="x", at=nights.at, **changed)  # type: ignore[arg-type]
        telling = NightToTell(nights.judged({"c": 3}), night, told=told)
        assert bool(telling.last) == known, changed


def test_an_expired_waiver_of_a_new_failure_is_new() -> None:
    """What begins is new, whatever was excused once."""
    nights = Nights()
    nights.night({"c": "ok"})
    nights.nights.append(night_of(nights.judged({"c": 3}), "f", ""))
    (line,) = follow(nights.nights).values()
    waived = Waived(waiver_of("c", date(2020, 1, 1)), Use.EXPIRED, "")
    assert news_of(Standing(line, None, waived), NUDGE) is News.NEW
