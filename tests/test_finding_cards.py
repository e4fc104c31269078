"""Findings as the page shows them, and the three sentences at its head: every number in them is exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from test_headlines import BEFORE, SINCE, counting, made
from test_report_page import earlier, every_status
from test_ties import BY_ID, HERE, alone, failing, moved, open_, told, wide

from kisaan_validate.contract.promise import Outcome, State
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.differences import VALUES, Change, Diff, Unknown
from kisaan_validate.facts.kept import ValueChange, ValuesCompared
from kisaan_validate.facts.result import Result, Verdict
from kisaan_validate.facts.totals import ControlTotal, GroupPart
from kisaan_validate.report.cards import cards_of
from kisaan_validate.report.finding_cards import FindingCard, HeadedFindings, headed_findings, story
from kisaan_validate.report.summary import pairs_of
from kisaan_validate.verdict.findings import Heading
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Use, Waived, Waiver


def headed(judged: Judgement, shown: int = 10) -> tuple[HeadedFindings, ...]:
    """The findings of a run under their headings."""
    return headed_findings(judged, cards_of(pairs_of(judged.run), {}, {}, shown))


def only(*checks: tuple[Check, Result], **more: Any) -> FindingCard:
    """The card of the only finding."""
    ((card,),) = (part.cards for part in headed(made(*checks, **more)))
    return card


def sampled(id: str, rows: int, of: int, **more: Any) -> tuple[Check, Result]:
    """A check that fails in so many rows, of which some were recorded."""
    return counting(failing(id, **more), of, sample=tuple((("id", str(n)),) for n in range(rows)))


@pytest.mark.parametrize(
    ("recorded", "of", "shown", "caption", "more"),
    [
        (1, 1, 1, "The only row", ""),
        (3, 3, 3, "All rows", ""),
        (4, 4, 3, "The first rows", "and 1 more"),
        (10, 1234, 3, "The first rows", "and 1,231 more"),
        (2, 9, 2, "The first rows", "and 7 more"),
    ],
)
def test_the_first_three_rows_are_shown_and_the_rest_is_counted(
    recorded: int, of: int, shown: int, caption: str, more: str
) -> None:
    """Exactly those that are not shown; what is said above them is true of them."""
    card = only(sampled("t.a.x", recorded, of))
    assert card.keys is not None
    assert card.keys.rows == tuple((str(n),) for n in range(shown))
    assert (card.keys.caption, card.more) == (caption, more)


def test_rows_are_those_of_the_first_check_that_has_any() -> None:
    """And the number of the rest is that check's."""
    lead, other = counting(failing("t.a.x", **BY_ID), 99), sampled("t.b.y", 5, 50, **BY_ID)
    card = only(lead, other)
    assert [check.check.id for check in card.checks] == ["t.a.x", "t.b.y"]
    assert card.keys is not None
    assert (len(card.keys.rows), card.more) == (3, "and 47 more")
    none = only(lead)
    assert (none.keys, none.more) == (None, "")


def test_kept_values_are_shown_before_and_after() -> None:
    """In this order, of a column that changed; of another one the rows of the check."""
    samples = tuple(ValueChange((("id", str(n)),), f"old {n}", f"new {n}") for n in range(5))
    values = (ValuesCompared("t", "b", 5, 9, samples), ValuesCompared("t", "a", 5, 9, samples))
    judged = made(sampled("t.a.x", 4, 4), groups=alone(HERE), moves=moved("t.a.x", SINCE))
    ((card,),) = (p.cards for p in headed(replace(judged, run=replace(judged.run, values=values))))
    assert card.keys is not None
    assert card.keys.columns == ("id", "a before", "a after")
    assert card.keys.rows == tuple((str(n), f"old {n}", f"new {n}") for n in range(3))
    assert card.more == ""
    without = replace(judged, run=replace(judged.run, values=values[:1]))
    ((card,),) = (part.cards for part in headed(without))
    assert card.keys is not None
    assert card.keys.columns == ("id",)


def test_what_shows_a_finding_is_counted_by_its_kind() -> None:
    """Checks, promises, and differences one by one, also those of one cause; each is behind it in words."""
    both = (HERE, Change(VALUES, "t", "a", "total", "1", "2"))
    group = replace(alone(HERE)[0], changes=both)
    broken = open_(wide("p", "t.z"), State.BROKEN, HERE)
    kept = (wide("q", "t.z"), Outcome(State.KEPT))
    card = only(failing("t.a.x"), promises=[broken, kept], groups=[group], moves=moved("t.a.x", SINCE))
    assert card.shown_by == "1 check, 1 promise, 2 differences"
    assert [(one.word, one.text) for one in card.behind] == [
        ("Promise broken", broken[0].claim()),
        ("Covered by no promise", group.words),
    ]
    undone = only(promises=[open_(wide("p", "t.a"))])
    assert (undone.shown_by, undone.behind[0].word) == ("1 promise", "Promised, not done")


def test_counts_are_of_the_first_two_checks_that_have_rows() -> None:
    """In the words of the suite; a check of the catalogue counts none."""
    ids = [sampled(f"t.a.{name}", 1, rows, **BY_ID) for name, rows in (("x", 7), ("y", 1234), ("z", 3))]
    assert only(*ids, nouns={"t": "payments"}).counts == "payments: 1,234 of 9 rows and 7 of 9 rows"
    assert only(told("t.a.type")).counts == ""


def test_the_sign_is_that_of_a_failure_only_where_it_blocks() -> None:
    """A warning fails no run."""
    check, result = failing("t.a.x")
    assert only((check, result)).sign == "fail"
    assert only((replace(check, severity=Severity.WARNING), result)).sign == "tolerated"


def test_what_was_wrong_before_is_folded_and_so_are_all_but_the_first_twelve() -> None:
    """The reader's question is what this change did. Numbers run through all headings."""
    checks = [failing(f"t{n:02}.a.x") for n in range(15)]
    old = {check.id: moved(check.id, BEFORE)[check.id] for check, _ in checks[:2]}
    parts = headed(made(*checks, moves=old))
    assert [part.heading for part in parts] == [Heading.FAILED, Heading.KNOWN]
    assert [card.number for part in parts for card in part.cards] == list(range(1, 16))
    assert [card.unfold for part in parts for card in part.cards] == [True] * 12 + [False] * 3
    few = headed(made(*checks[:3], moves=old))
    assert [card.unfold for part in few for card in part.cards] == [True, False, False]


# --- the three sentences ----------------------------------------------------------------------------------


def told_of(judged: Judgement) -> Sequence[str]:
    """The three sentences."""
    return story(judged, headed(judged))


def damage(*ids: str, moves: Iterable[str] = (), before: Iterable[str] = (), **more: Any) -> str:
    """The first sentence, of checks of these ids."""
    found = {id: moved(id, SINCE)[id] for id in moves} | {id: moved(id, BEFORE)[id] for id in before}
    return told_of(made(*(failing(id) for id in ids), moves=found, **more))[0]


def test_the_damage_is_what_is_new_else_what_failed_else_what_was_there() -> None:
    """The first two by name, the rest as a number."""
    ids = [f"t{n}.a.x" for n in range(4)]
    said = [f"2 of 9 t{n} break “claim of t{n}.a.x”" for n in range(4)]
    assert damage(*ids[:1], moves=ids) == f"1 finding new since the baseline: {said[0]}."
    assert damage(*ids, moves=ids) == (
        f"4 findings new since the baseline: {said[0]}; {said[1]}; and 2 more."
    )
    assert damage(*ids[:2]) == f"2 findings: {said[0]}; {said[1]}."
    assert damage(*ids[:2], before=ids) == (
        "Nothing is known to have become wrong since the baseline; 2 findings from before."
    )
    assert damage() == "Nothing is known to have become wrong since the baseline."


def test_what_failed_beside_what_is_new_is_not_passed_over() -> None:
    """Failures of which nothing says when they began are damage too."""
    assert damage("t.a.x", "u.a.x", moves=["t.a.x"]) == (
        "1 finding new since the baseline: 2 of 9 t break “claim of t.a.x”. "
        "1 finding may be new: 2 of 9 u break “claim of u.a.x”."
    )


def test_without_a_baseline_nothing_is_said_of_it() -> None:
    """Nor that nothing failed where nothing was examined, or where a failure is waived."""
    run = every_status()
    good = replace(run, checks=run.checks[2:3], results=run.results[2:3])
    assert told_of(judge(good))[0] == "Nothing that was examined failed."
    none = replace(run, checks=(), results=())
    assert told_of(judge(none))[0] == "Nothing was examined."
    waiver = Waiver("t.a.x", "known", "finance", date(2026, 1, 1), rows=2)
    excused = made(failing("t.a.x"), waived={"t.a.x": Waived(waiver, Use.HOLDS, "")})
    assert told_of(excused)[0] == (
        "Nothing is known to have become wrong since the baseline; 1 waived failure."
    )
    assert told_of(replace(excused, diff=None, contract=None))[0] == (
        "Nothing but what is waived failed; 1 waived failure."
    )


def test_what_is_unfinished_is_counted() -> None:
    """Promises not done, checks, totals and comparisons without an answer, an end before its time."""
    run = every_status()
    assert told_of(judge(run))[1] == "Unfinished: 2 checks without an answer."
    lost = replace(run, results=run.results[:-1], interrupted="SIGTERM")
    assert told_of(judge(lost))[1] == "Unfinished: 3 checks without an answer, the run was interrupted."
    good = replace(run, checks=run.checks[2:3], results=run.results[2:3])
    assert told_of(judge(good))[1] == "Every check has an answer."
    promises = [open_(wide("p/t.a", "t.a")), open_(wide("q", "t.b"), State.UNKNOWN)]
    assert told_of(made(promises=promises))[1] == (
        "Unfinished: 1 of 2 promises not done, 1 comparison not possible."
    )
    kept = [(wide("p", "t.a"), Outcome(State.KEPT))]
    assert told_of(made(promises=kept))[1] == "Every check has an answer, and all that was promised was done."


def test_what_is_proved_is_counted() -> None:
    """Checks that hold, promises that were kept, tables that have as many rows as before."""
    run = every_status()
    assert told_of(judge(run))[2] == "Proved: 3 of 7 checks hold."
    assert told_of(judge(run, earlier(run)))[2] == (
        "Proved: 3 of 7 checks hold, 0 tables of 2 with as many rows as before."
    )
    kept = [(wide("p", "t.a"), Outcome(State.KEPT)), open_(wide("q", "t.b"))]
    judged = made(promises=kept)
    assert told_of(judged)[2] == "Proved: 0 of 0 checks hold, 1 of 2 promises kept."
    assert told_of(replace(judged, verdict=Verdict.INCONCLUSIVE))[2].startswith("Proved so far: ")


def test_a_control_total_without_an_answer_is_unfinished() -> None:
    """It keeps a run from passing, so the sentence says it."""
    run = every_status()
    good = replace(run, checks=run.checks[2:3], results=run.results[2:3])
    lost = replace(good, totals=(ControlTotal("orders", "total", (GroupPart("shop"),), message="canceled"),))
    assert told_of(judge(lost))[1] == "Unfinished: 1 control total without an answer."


def test_what_cannot_be_compared_is_unfinished() -> None:
    """Each thing of it."""
    judged = made()
    unknown = Diff(unknown=(Unknown("the rows of t", "locked"), Unknown("the rows of u", "locked")))
    compared = replace(judged, baseline=earlier(every_status()), contract=None, diff=unknown)
    assert told_of(compared)[1] == "Unfinished: 2 comparisons not possible."


def test_a_table_that_was_not_counted_has_not_as_many_rows_as_before() -> None:
    """No count on either side is not the same count."""
    run = every_status()
    same = replace(earlier(run), tables=run.tables)
    assert told_of(judge(run, same))[2].endswith("1 table of 2 with as many rows as before.")
