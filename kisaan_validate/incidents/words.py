"""What an incident is called, in the suite's own words and exact counts; no value of a row stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kisaan_validate.compare.causes.base import ChangeGroup
from kisaan_validate.contract.promise import Outcome, Promise
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.personal.masking import OPERATIONAL
from kisaan_validate.report.text import flat, number
from kisaan_validate.text.numbers import agreeing, counted

Pair = tuple[Check, Result]


def title_of_checks(pairs: Sequence[Pair], nouns: Mapping[str, str]) -> str:
    """What the leading check found, and how many others show the same.

    Not the finding's own title: that may name a key that rows refer to.
    """
    check, result = pairs[0]
    return f"{_found(check, result, nouns)}{and_more(len(pairs) - 1)}"


def _found(check: Check, result: Result, nouns: Mapping[str, str]) -> str:
    rows = "an unknown number of" if result.violations is None else number(result.violations)
    if check.finding:
        return flat(check.finding.replace("{count}", rows))
    where = nouns.get(check.table, check.table)
    head = f"{flat(where)}: " if where else ""
    if result.violations is None or check.form is Form.CATALOGUE:
        return f"{head}not so: “{flat(check.claim)}”"
    verb = agreeing(result.violations, "breaks", "break")
    return f"{head}{counted(result.violations, 'row')} {verb} “{flat(check.claim)}”"


def and_more(others: int) -> str:
    """``, and 4 more checks``."""
    return f", and {counted(others, 'more check')}" if others else ""


def title_of_held(check: Check) -> str:
    """What holds again, or is not asked any more."""
    return f"{flat(check.table)}: “{flat(check.claim)}”" if check.table else f"“{flat(check.claim)}”"


def title_of_promise(promise: Promise, outcome: Outcome) -> str:
    """What was promised, and whether it was kept."""
    return f"{flat(outcome.state.value).capitalize()}: {flat(promise.claim())}"


def title_of_groups(groups: Sequence[ChangeGroup]) -> str:
    """How many differences no promise explains, and of what. What they are stands on the page: it may be a
    value.
    """
    tables = ", ".join(dict.fromkeys(flat(group.table) or "the database" for group in groups))
    changes = sum(len(group.changes) for group in groups)
    return f"{tables}: {counted(changes, 'difference')} that no promise explains"


def reason_of(result: Result) -> str:
    """Why a check has no answer. A server may quote a row in what it says of one, so only of what is about
    no row its words are repeated.
    """
    if result.status is Status.SKIP:
        return flat(result.message.removeprefix("skipped, because ")) or "it was skipped"
    if result.sqlstate.startswith(OPERATIONAL):
        return flat(result.message)
    if result.sqlstate:
        return f"the server refused the statement (SQLSTATE {flat(result.sqlstate)})"
    return "no answer was recorded" if not result.message else "the page of the run says why"
