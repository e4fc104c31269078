"""Findings by the facts that they are made of: heading, severity, order, and a title with the exact numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from test_report_page import earlier, every_status, make_run
from test_ties import BY_ID, HERE, alone, change, failing, missing, moved, open_, shifted, told, wide

from kisaan_validate.compare.causes.base import ChangeGroup
from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.contract.rules import Fixed
from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.differences import CheckMove, Diff, Origin
from kisaan_validate.facts.result import Evidence, Result, Verdict
from kisaan_validate.verdict.findings import Finding, Heading, findings_of
from kisaan_validate.verdict.judgement import Judgement, judge
from kisaan_validate.verdict.waivers import Use, Waived, Waiver

WARNING, INFO, BLOCKING = Severity.WARNING, Severity.INFO, Severity.BLOCKING
CONTRACT = Contract("c", (), "0" * 64, "")


def made(
    *checks: tuple[Check, Result],
    promises: Iterable[tuple[Promise, Outcome]] = (),
    groups: Iterable[ChangeGroup] = (),
    moves: Mapping[str, CheckMove] | None = None,
    **more: Any,
) -> Judgement:
    """A run that was judged so; ``nouns`` are the suite's."""
    nouns = more.pop("nouns", {})
    run = make_run([check for check, _ in checks], [result for _, result in checks])
    run = replace(run, suite=replace(run.suite, nouns=nouns))
    parts = {"contract": CONTRACT, "promises": tuple(promises), "groups": tuple(groups), **more}
    return Judgement(run, Verdict.FAIL, diff=Diff(moves=tuple((moves or {}).values())), **parts)


def only(*checks: tuple[Check, Result], **more: Any) -> Finding:
    """The only finding."""
    (found,) = findings_of(made(*checks, **more))
    return found


def titles(*checks: tuple[Check, Result], **more: Any) -> list[str]:
    """What the findings are called, in their order."""
    return [finding.title for finding in findings_of(made(*checks, **more))]


def graded(pair: tuple[Check, Result], severity: Severity) -> tuple[Check, Result]:
    """The same check of another severity."""
    return replace(pair[0], severity=severity), pair[1]


def counting(pair: tuple[Check, Result], violations: int | None, **more: Any) -> tuple[Check, Result]:
    """The same check with another number of rows."""
    return pair[0], replace(pair[1], violations=violations, **more)


SINCE, BEFORE, UNKNOWN = Origin.SINCE, Origin.BEFORE, Origin.UNKNOWN


# --- what is a problem ------------------------------------------------------------------------------------


def test_only_a_waiver_that_holds_takes_a_failure_out() -> None:
    """One that expired, or covers less than what fails, excuses nothing."""
    waiver = Waiver("t.a.x", "known", "finance", date(2026, 1, 1), rows=2)
    for use in Use:
        found = findings_of(made(failing("t.a.x"), waived={"t.a.x": Waived(waiver, use, "")}))
        assert len(found) == (use is not Use.HOLDS), use


@pytest.mark.parametrize("state", State)
def test_a_promise_is_a_problem_where_it_was_not_kept(state: State) -> None:
    """Not where it was kept, nor where that is unknown."""
    found = findings_of(made(promises=[open_(wide("p", "t.a"), state)]))
    assert len(found) == (state in {State.BROKEN, State.NOT_DONE})


def test_a_difference_is_a_problem_where_a_contract_does_not_explain_it() -> None:
    """Not where a promise explains it, nor where there is no contract."""
    assert only(groups=alone(HERE)).groups == alone(HERE)
    assert not findings_of(made(groups=alone(HERE), contract=None))
    assert not findings_of(made(groups=[replace(alone(HERE)[0], explained_by=("p",))]))


# --- under which heading, how grave, in which order -------------------------------------------------------

NOT_DONE, BROKEN = open_(wide("p", "t.a")), open_(wide("p", "t.a"), State.BROKEN)
FIXED = open_(Fixed("p", check="t.a.x"))


@pytest.mark.parametrize(
    ("parts", "heading"),
    [
        ({"moves": moved("t.a.x", SINCE)}, Heading.NEW),
        ({"moves": moved("t.a.x", BEFORE)}, Heading.KNOWN),
        ({"moves": moved("t.a.x", UNKNOWN)}, Heading.FAILED),
        ({"moves": moved("t.a.x", None)}, Heading.FAILED),
        ({}, Heading.FAILED),
        ({"moves": moved("t.a.x", BEFORE), "promises": [FIXED]}, Heading.NOT_DONE),
        ({"moves": moved("t.a.x", SINCE), "promises": [FIXED]}, Heading.NEW),
        ({"promises": [(FIXED[0], Outcome(State.BROKEN))]}, Heading.NEW),
    ],
)
def test_a_finding_stands_under_what_is_known_of_its_beginning(
    parts: dict[str, Any], heading: Heading
) -> None:
    """New where anything of it came since; known where all of it was there; else nothing says."""
    assert only(failing("t.a.x"), **parts).heading is heading


def test_what_is_old_in_part_only_is_not_called_old() -> None:
    """Two checks of the same rows, of which one cannot be compared."""
    two = failing("t.a.x", **BY_ID), failing("t.b.y", **BY_ID)
    assert only(*two, moves=moved("t.a.x", BEFORE)).heading is Heading.FAILED
    assert only(*two, moves={**moved("t.a.x", BEFORE), **moved("t.b.y", SINCE)}).heading is Heading.NEW


def test_promises_and_differences_alone_have_their_headings() -> None:
    """What was broken, and what nothing explains, is new; what was not done is not."""
    assert only(promises=[BROKEN]).heading is Heading.NEW
    assert only(promises=[NOT_DONE]).heading is Heading.NOT_DONE
    assert only(groups=alone(HERE)).heading is Heading.NEW


def test_a_finding_is_as_grave_as_the_gravest_of_it() -> None:
    """Also where that is a promise, or a difference that nothing explains."""
    rows = [failing(f"t.a.{name}", **BY_ID) for name in "xyz"]
    graded_ = [graded(row, severity) for row, severity in zip(rows, (INFO, BLOCKING, WARNING), strict=True)]
    assert only(*graded_).severity is BLOCKING
    assert only(graded_[0]).severity is INFO
    assert only(graded_[0], graded_[2]).severity is WARNING
    promise = open_(replace(wide("p", "t.a"), severity=WARNING))
    assert only(promises=[promise]).severity is WARNING
    assert only(graded(told("t.a.type"), INFO), promises=[promise]).severity is WARNING
    moves = moved("t.a.x", SINCE)
    assert only(graded(rows[0], INFO), groups=alone(HERE), moves=moves).severity is BLOCKING


def test_the_order_is_heading_severity_rows_then_size_then_title() -> None:
    """One problem more each: the new before the old, the blocking first, rows before the catalogue, the
    larger first; alike ones by their titles.
    """
    names = ["new_info", "old_large", "old_small", "old_alike", "old_none", "old_type", "warns", "informs"]
    order = [failing(f"t_{name}.a.x", f"claim {n}") for n, name in enumerate(names)]
    order[0] = graded(order[0], INFO)
    order[1] = counting(order[1], 9)
    order[4] = counting(order[4], None)
    order[5] = told("t_old_type.a.type", "claim", violations=99)
    order[6] = graded(counting(order[6], 1000), WARNING)
    order[7] = graded(counting(order[7], 9000), INFO)
    moves = {check.id: moved(check.id, BEFORE)[check.id] for check, _ in order[1:]}
    moves |= moved(order[0][0].id, SINCE)
    found = [finding.lead for finding in findings_of(made(*reversed(order), moves=moves))]
    wanted = [check.id for check, _ in order]
    # Of equal size: "2 of 9 t_old_alike …" stands before "2 of 9 t_old_small …".
    wanted[2], wanted[3] = wanted[3], wanted[2]
    assert found == wanted


def test_the_leading_check_tells_most() -> None:
    """The gravest; then rows before the catalogue; then what is new; then the larger."""

    def lead(*checks: tuple[Check, Result], new: str = "") -> str:
        return only(*checks, moves=moved(new, SINCE) if new else {}).lead

    one, two = failing("t.a.x", **BY_ID), failing("t.b.y", **BY_ID)
    assert lead(graded(one, WARNING), graded(counting(two, 1), BLOCKING)) == "t.b.y"
    assert lead(one, two, new="t.b.y") == "t.b.y"
    assert lead(counting(one, 9), two, new="t.b.y") == "t.b.y", "what is new, before what is more"
    assert lead(one, counting(two, 3)) == "t.b.y"
    catalogue = told("t.p.fk", "the database enforces a foreign key", kind="constraint", violations=99)
    moves = moved("t.p.fk", SINCE)
    assert only(catalogue, missing("t.p.references"), moves=moves).lead == "t.p.references"
    assert only(promises=[NOT_DONE]).lead == ""


def test_owners_and_the_next_step_are_those_of_its_checks() -> None:
    """Each owner once; the first hint, that of the measured result before the suite's own."""
    one, two, three = (failing(f"t.a.{name}", **BY_ID) for name in "xyz")
    one = replace(one[0], owner="finance"), one[1]
    two = replace(two[0], owner="finance", hint="ask"), two[1]
    three = replace(three[0], owner="ops", hint="later"), replace(three[1], hint="now")
    found = only(one, two, three)
    assert (found.owners, found.next_step) == (("finance", "ops"), "ask")
    assert only(three).next_step == "now"
    assert (only(one).owners, only(one).next_step) == (("finance",), "")
    assert only(failing("t.a.x")).owners == ()


# --- titles -----------------------------------------------------------------------------------------------


def test_what_the_suite_calls_it_comes_first_with_the_exact_number() -> None:
    """An unknown number is none."""
    check, result = failing("t.paid.x")
    declared = replace(check, finding="{count} payments are late"), result
    assert titles(counting(declared, 1234)) == ["1,234 payments are late"]
    assert titles(counting(declared, None)) == ["an unknown number of payments are late"]
    assert titles(declared, groups=[shifted("t", 330)], moves=moved("t.paid.x", SINCE)) == [
        "2 payments are late"
    ]


def test_a_pattern_names_all_its_columns_and_tables() -> None:
    """In the words of the suite."""
    groups = [shifted("t", 330), shifted("u", 330)]
    assert titles(groups=groups, nouns={"t": "payments"}) == [
        "paid of payments and u: shifted by +05:30 (the offset of Asia/Kolkata)"
    ]
    checked = failing("t.paid.x", "is so")
    assert titles(checked, groups=groups[:1], moves=moved("t.paid.x", SINCE)) == [
        "paid of t: shifted by +05:30 (the offset of Asia/Kolkata)"
    ]


def lacking(id: str, rows: int | None, *values: str, complete: bool = True) -> tuple[Check, Result]:
    """A reference whose violating rows lack these values."""
    return counting(missing(id, *((("p", value),) for value in values)), rows, sample_complete=complete)


def test_a_missing_key_is_named_where_all_rows_lack_the_same() -> None:
    """Else the title claims nothing of the rows that were not sampled: it is that of the leading check."""
    two = lacking("t.p.references", 5, "9"), lacking("u.p.references", 7, "9")
    assert titles(*two, nouns={"u": "sales"}) == ["12 rows of sales and t refer to p 9, which does not exist"]
    assert titles(lacking("t.p.references", 1, "9")) == ["1 row of t refers to p 9, which does not exist"]
    claim = "break “refers to p”"
    assert titles(lacking("t.p.references", 5, "9", "8")) == [f"5 of 9 t {claim}"]
    assert titles(lacking("t.p.references", 5, "9", complete=False)) == [f"5 of 9 t {claim}"]
    assert titles(lacking("t.p.references", None, "9")) == ["t: refers to p"]


def typed(column: str, claim: str = "is bigint") -> tuple[Check, Result]:
    """A column that has another type than declared."""
    return told(f"{column}.type", f"{column.partition('.')[2]} {claim}", violations=1, message="integer")


def test_one_demand_on_many_columns_is_one_number() -> None:
    """Of two or more, and where rows are not concerned."""
    assert titles(typed("t.a"), typed("u.b")) == ["2 columns are not bigint"]
    assert titles(typed("t.a"), typed("t.b"), typed("u.b")) == ["3 columns are not bigint"]
    assert titles(typed("t.a", "has a default"), typed("u.b", "has a default")) == [
        "2 columns are not as declared: has a default"
    ]
    assert titles(typed("t.a")) == ["t: integer"]
    moves = moved("t.a.x", SINCE)
    promise = open_(Fixed("p", check="t.a.x"))
    also = open_(Fixed("p", check="t.a.type"))
    family = [(replace(promise[0], id="p/1"), promise[1]), (replace(also[0], id="p/2"), also[1])]
    assert titles(failing("t.a.x"), typed("t.a"), typed("u.b"), promises=family, moves=moves) == [
        "2 of 9 t break “claim of t.a.x”"
    ]
    different = told("t.a.type", "a is bigint", message="m"), told("t.a.null", "a may be NULL", message="n")
    promised = [open_(wide("p", "t.a"))]
    assert titles(*different, promises=promised) == ["t: m"]


@pytest.mark.parametrize(
    ("check", "title"),
    [
        (failing("t.a.x", "a > 0"), "2 of 9 payments break “a > 0”"),
        (counting(failing("t.a.x", "a > 0"), 1), "1 of 9 payments breaks “a > 0”"),
        (counting(failing("t.a.x", "a > 0"), 1234, examined=None), "1,234 payments break “a > 0”"),
        (failing("t.a.x", "a > 0", evidence=Evidence.STREAMED), "2 of 9 payments break “a > 0”"),
        (failing("t.a.x", "a > 0", evidence=Evidence.NONE), "payments: 2 violations of “a > 0”"),
        (failing("t.a.x", "a > 0", form=Form.QUERY), "payments: 2 violations of “a > 0”"),
        (counting(failing("t.a.x", "ok", form=Form.PYTHON), 1), "payments: 1 violation of “ok”"),
        (failing("x", "ok", form=Form.QUERY, table=""), "2 violations of “ok”"),
        (counting(failing("t.a.x", "a > 0"), None, message="lost"), "payments: lost"),
        (counting(failing("t.a.x", "a > 0"), None), "payments: a > 0"),
        (told("t.a.x", "a is text", message="a is int"), "payments: a is int"),
        (told("x", "all well", table=""), "all well"),
        (
            told("t.a.fk", "the database enforces a foreign key", kind="constraint", message="m"),
            "payments has no foreign key",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_check_says_how_many_rows_break_what(check: tuple[Check, Result], title: str) -> None:
    """Rows where rows were counted, violations where they may be groups, else what is there instead."""
    assert titles(check, nouns={"t": "payments"}) == [title]


def test_a_promise_says_for_how_many_of_those_declared_as_one() -> None:
    """None where it was declared for one thing only; never those of other promises."""
    promises = [open_(wide(f"wide/t.{column}", f"t.{column}")) for column in "abc"]
    said = promises[0][0].claim()
    kept = (promises[2][0], Outcome(State.KEPT))
    other = open_(wide("other", "t.z"), State.BROKEN)
    found = titles(promises=[*promises[:2], kept, other])
    assert found == [f"Broken: {other[0].claim()}", f"Promised but not done for 2 of 3: {said}"]
    pair = titles(promises=[promises[0], (promises[1][0], Outcome(State.KEPT))])
    assert pair == [f"Promised but not done for 1 of 2: {said}"]


def test_only_promises_of_its_own_are_counted_in_a_title() -> None:
    """Two promises broken by one difference are one problem, and two families."""
    broken = [open_(wide(f"{name}/t.{name}", f"t.{name}"), State.BROKEN, HERE) for name in "pq"]
    more = (wide("p/t.x", "t.x"), Outcome(State.KEPT))
    assert titles(promises=[*broken, more], groups=alone(HERE)) == [
        f"Broken for 1 of 2: {broken[0][0].claim()}"
    ]


def test_a_difference_alone_says_itself() -> None:
    """Where nothing else can be said."""
    group = alone(change("a"))
    assert titles(groups=group) == [group[0].words]


def test_the_run_of_the_formats_has_no_finding_without_a_baseline_but_its_failures() -> None:
    """The whole way, from a run to its findings."""
    run = every_status()
    assert [finding.heading for finding in findings_of(judge(run))] == [Heading.FAILED]
    assert [f.heading for f in findings_of(judge(run, earlier(run)))] == [Heading.KNOWN]
