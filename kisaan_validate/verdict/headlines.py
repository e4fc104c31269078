"""The title of a finding: what is wrong, in the reader's words, composed from exact facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.result import COUNTED, Evidence, Result
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.ties import demand_of, missing_keys, subject_of

if TYPE_CHECKING:
    from kisaan_validate.compare.causes.base import ChangeGroup
    from kisaan_validate.contract.promise import Outcome, Promise
    from kisaan_validate.verdict.judgement import Judgement


@dataclass(frozen=True)
class Parts:
    """What one finding is made of, the most telling check first."""

    checks: tuple[tuple[Check, Result], ...]
    promises: tuple[tuple[Promise, Outcome], ...]
    groups: tuple[ChangeGroup, ...]


def headline(parts: Parts, judged: Judgement) -> str:
    """The title: the first that can be composed of what the suite declares, a pattern of values, a missing
    key, one demand on many columns, the leading check, the promise, the differences.
    """
    nouns = judged.run.suite.nouns
    return next(title for title in _titles(parts, judged, nouns) if title)


def _titles(parts: Parts, judged: Judgement, nouns: Mapping[str, str]) -> Iterator[str]:
    yield _declared(parts)
    yield _pattern(parts, nouns)
    yield _missing(parts, nouns)
    yield _columns(parts)
    yield _check(*parts.checks[0], nouns) if parts.checks else ""
    yield _promise(parts, judged)
    yield parts.groups[0].words if parts.groups else ""


def _declared(parts: Parts) -> str:
    """What the suite calls the leading check's failure, with the exact number in it."""
    if not parts.checks:
        return ""
    check, result = parts.checks[0]
    number = "an unknown number of" if result.violations is None else f"{result.violations:,}"
    return check.finding.replace("{count}", number)


def noun(table: str, nouns: Mapping[str, str]) -> str:
    """What readers call the rows of a table: as declared, else its name."""
    return nouns.get(table, table)


def _pattern(parts: Parts, nouns: Mapping[str, str]) -> str:
    """``created_at and updated_at of payments and sales shifted by -05:30``."""
    if not parts.groups:
        return ""
    from kisaan_validate.compare.causes.base import listed
    from kisaan_validate.compare.causes.values import EndsMoved

    moved = [group for group in parts.groups if isinstance(group.cause, EndsMoved)]
    if not moved:
        return ""
    columns = dict.fromkeys(change.name for group in moved for change in group.changes)
    tables = dict.fromkeys(noun(group.table, nouns) for group in moved)
    cause = moved[0].cause
    assert isinstance(cause, EndsMoved)
    said = cause.pattern.says(cause.parameter).rstrip(",")
    return f"{listed(list(columns))} of {listed(list(tables))}: {said}"


def _missing(parts: Parts, nouns: Mapping[str, str]) -> str:
    """``12 rows refer to product_id 900001, which does not exist``, where they all miss the same."""
    references = [(check, result) for check, result in parts.checks if check.kind == "references"]
    values = {value for pair in references for value in missing_keys(*pair)}
    rows = [result.violations for _, result in references]
    whole = all(result.sample_complete for _, result in references)
    if len(values) != 1 or not whole or None in rows:
        return ""
    from kisaan_validate.compare.causes.base import listed

    column, value = subject_of(references[0][0]), next(iter(values))
    who = listed(list(dict.fromkeys(noun(check.table, nouns) for check, _ in references)))
    number = sum(count or 0 for count in rows)
    verb = "refers" if number == 1 else "refer"
    return f"{counted(number, 'row')} of {who} {verb} to {column} {value}, which does not exist"


def _columns(parts: Parts) -> str:
    """``21 columns are not numeric(18,2)``: one demand on many columns of the catalogue."""
    of_columns = [check for check, _ in parts.checks if check.form is Form.CATALOGUE and subject_of(check)]
    demands = {demand_of(check) for check in of_columns}
    others = [check for check, _ in parts.checks if check.form is not Form.CATALOGUE]
    if len(demands) != 1 or len(of_columns) < 2 or others:
        return ""
    demand = next(iter(demands))
    said = f"not {demand.removeprefix('is ')}" if demand.startswith("is ") else f"not as declared: {demand}"
    return f"{counted(len(of_columns), 'column')} are {said}"


def _check(check: Check, result: Result, nouns: Mapping[str, str]) -> str:
    """The leading check: how many rows break what; what the catalogue holds instead."""
    where = noun(check.table, nouns)
    if check.kind == "constraint":
        return f"{where} has {check.claim.replace('the database enforces a', 'no', 1)}"
    if result.violations is None or check.form is Form.CATALOGUE:
        return f"{where}: {result.message or check.claim}" if where else result.message or check.claim
    if result.evidence not in {*COUNTED, Evidence.STREAMED} or check.form in {Form.QUERY, Form.PYTHON}:
        return f"{f'{where}: ' if where else ''}{counted(result.violations, 'violation')} of “{check.claim}”"
    whole = f" of {result.examined:,}" if result.examined is not None else ""
    verb = "breaks" if result.violations == 1 else "break"
    return f"{result.violations:,}{whole} {where} {verb} “{check.claim}”"


def _promise(parts: Parts, judged: Judgement) -> str:
    """``Not done for 21 of 25: t.balance becomes numeric(18,2)``."""
    if not parts.promises:
        return ""
    promise, outcome = parts.promises[0]
    family = promise.id.partition("/")[0]
    declared = sum(other.id.partition("/")[0] == family for other, _ in judged.promises)
    same = sum(other.id.partition("/")[0] == family for other, _ in parts.promises)
    how_many = f" for {same:,} of {declared:,}" if declared > 1 else ""
    word = outcome.state.value.capitalize()
    return f"{word}{how_many}: {promise.claim()}"
