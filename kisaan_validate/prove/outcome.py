"""What was counted becomes Results: pure functions, no database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import DECLARED
from kisaan_validate.execute.heap import TooLarge
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.table import Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.personal.masking import told_of_rows
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.plan.streams import Stream
from kisaan_validate.stream.tally import Streamed, Tally, Trouble

Answers = Sequence[tuple[Pass | Query, StatementAnswer]]


def rows_of(answers: Answers) -> dict[TableKey, int]:
    """The exact row count of every table that a pass counted."""
    return {
        statement.table.key: answer.rows
        for statement, answer in answers
        if isinstance(statement, Pass) and statement.counts_table and answer.rows is not None
    }


def _given_of(answers: Answers) -> dict[tuple[TableKey, str], int]:
    """How many rows the joins of each table are given, by the condition that these rows meet ("": all)."""
    return {
        (statement.table.key, condition): rows
        for statement, answer in answers
        if isinstance(statement, Pass) and statement.counts_table
        for condition, rows in answer.given.items()
    }


def figures_of(answers: Answers) -> dict[TableKey, dict[str, Profile]]:
    """The figures of every column that a pass measured, by table."""
    return {
        statement.table.key: answer.figures
        for statement, answer in answers
        if isinstance(statement, Pass) and statement.counts_table and answer.figures
    }


def unmeasured_of(answers: Answers) -> dict[TableKey, dict[str, str]]:
    """By table and column, why a figure could not be computed."""
    return {
        statement.table.key: answer.unmeasured
        for statement, answer in answers
        if isinstance(statement, Pass) and statement.counts_table and answer.unmeasured
    }


def failures_of(answers: Answers) -> dict[TableKey, str]:
    """Why the rows of a table were not counted, where a pass failed to."""
    return {
        statement.table.key: answer.failure.fact
        for statement, answer in answers
        if isinstance(statement, Pass)
        and statement.counts_table
        and answer.rows is None
        and answer.failure is not None
    }


MayBeQuoted = Callable[[Collection[str]], bool]
"""Whether the server, when it fails at a statement over tables of these names, could quote a personal
value.
"""


def results_of(plan: Plan, answers: Answers, may_be_quoted: MayBeQuoted) -> dict[str, Result]:
    """One Result for every check that the plan settled or a statement answered, by check id."""
    checks = {check.id: check for check in plan.checks}
    rows, given = rows_of(answers), _given_of(answers)
    results = {id: tolerated(settled, checks[id]) for id, settled in plan.settled.items()}
    for statement, answer in answers:
        for id, error in answer.errors.items():
            results[id] = _unanswered(checks[id], statement, error, may_be_quoted)
        # A join that multiplies rows would count some of them twice, so none of its counts can stand.
        if twice := _matched_twice(statement, answer, given):
            results |= {
                id: _unanswered(checks[id], statement, twice, may_be_quoted) for id in answer.violations
            }
            continue
        for id, violations in answer.violations.items():
            counted = _counted(id, statement, answer, violations, rows, plan.enforced)
            results[id] = _said(tolerated(counted, checks[id]), checks[id], statement)
    return results


def _matched_twice(
    statement: Pass | Query, answer: StatementAnswer, given: Mapping[tuple[TableKey, str], int]
) -> DatabaseError | None:
    """Why a join has no answer: a row found several rows that it refers to, whatever a unique index says
    of them.
    """
    # Only joins pair rows, and only a pass that has an answer can be compared with the count.
    if isinstance(statement, Query) or not statement.alias or answer.rows is None:
        return None
    expected = given.get((statement.table.key, statement.referring))
    # A join with a filter counts the rows that it is given by itself.
    expected = answer.judged if statement.counts_judged else expected
    if expected in {None, answer.rows}:
        return None
    parent = statement.tables[-1][1]
    # ``join_pass`` puts the table that is referred to last.
    fact = (
        f"{answer.rows:,} pairs were found for {expected:,} rows of {statement.table.name}: the "
        f"key they refer to is not unique in {parent}"
    )
    return DatabaseError(
        fact, f"the unique index of {parent} is damaged: remove the duplicates and REINDEX it"
    )


def _counted(
    id: str,
    statement: Pass | Query,
    answer: StatementAnswer,
    violations: int,
    rows: Mapping[TableKey, int],
    enforced: Mapping[str, str],
) -> Result:
    examined = answer.examined.get(id)
    # A row check judges every row of its table unless its slot says how many it judged.
    if examined is None and statement.table is not None:
        examined = rows.get(statement.table.key)
    # What rows break enforces nothing, whatever is declared: triggers were off, a function was replaced, an
    # index is damaged.
    declared = enforced.get(id, "")
    return Result(
        check_id=id,
        status=Status.FAIL if violations else Status.PASS,
        violations=violations,
        examined=examined,
        evidence=evidence_of(answer.rests),
        trusted="; ".join(answer.rests),
        message=f"{declared} is declared and was bypassed" if declared and violations else "",
        enforced_by="" if violations else declared,
        sql=rows_sql(statement, id),
        milliseconds=answer.milliseconds,
    )


def evidence_of(rests: Sequence[str]) -> Evidence:
    """What an answer is that rests on these, beside the heap."""
    if not rests:
        return Evidence.SCANNED
    # A scan that also relied on an index is no better than the index.
    if all(words.startswith(DECLARED) for words in rests):
        return Evidence.BY_CONSTRAINT
    return Evidence.BY_INDEX


def streamed_results(
    plan: Plan,
    streamed: Sequence[tuple[Stream, Streamed]],
    counts: Sequence[int | None],
    may_be_quoted: MayBeQuoted,
    uncounted: Mapping[TableKey, str],
) -> dict[str, Result]:
    """One Result for every check that reads a stream, by check id. ``counts`` are the rows that each
    should have given.

    ``uncounted`` says why rows were not counted: of a view that means that nobody knows what its plan
    leaves out.
    """
    checks, results = {check.id: check for check in plan.checks}, {}
    for (stream, answer), counted in zip(streamed, counts, strict=True):
        for id, tally in answer.tallies.items():
            trouble = tally.trouble
            # COPY and count read one snapshot, so a difference is a row lost on the way.
            if trouble is None and counted is not None and counted != answer.rows:
                fact = f"{answer.rows:,} rows were streamed, but there are {counted:,}"
                trouble = Trouble(fact, "please report this bug: rows must never be lost")
            # Nothing else looks at a view's plan; if its count
            # was refused, its stream could be short as well.
            if trouble is None and stream.table.kind == "v" and (why := uncounted.get(stream.table.key)):
                trouble = Trouble(f"the rows of {stream.table.name} could not be counted: {why}")
            if trouble is not None:
                results[id] = _troubled(checks[id], stream, trouble, may_be_quoted)
            else:
                results[id] = _judged(checks[id], stream, answer, tally)
    return results


def _judged(check: Check, stream: Stream, answer: Streamed, tally: Tally) -> Result:
    result = Result(
        check_id=check.id,
        status=Status.FAIL if tally.violations else Status.PASS,
        violations=tally.violations,
        examined=tally.judged,
        evidence=Evidence.STREAMED,
        sql=stream.sql(),
        milliseconds=answer.milliseconds,
    )
    nan = (
        (f"{tally.nan:,} of the rows contain NaN, which fails every check unless its column sets allow_nan")
        if tally.nan
        else ""
    )
    # One answer for all rows has no number of violations that a tolerance could be applied to.
    if tally.as_one and result.status is Status.FAIL:
        return replace(
            result, message=joined("judged as a whole: no single row is to blame", nan), hint=check.hint
        )
    result = tolerated(replace(result, message=nan), check)
    return result if result.status is Status.PASS else replace(result, hint=check.hint)


def _troubled(check: Check, stream: Stream, trouble: Trouble, may_be_quoted: MayBeQuoted) -> Result:
    fact = trouble.fact
    # Without a SQLSTATE this program wrote the message, and it quotes no row.
    if trouble.sqlstate and may_be_quoted({stream.table.name, check.table}):
        fact = told_of_rows(fact, trouble.sqlstate, {*check.columns, stream.table.name, check.table})
    status = Status.SKIP if trouble.refused else Status.ERROR
    return Result(
        check.id, status, message=fact, hint=trouble.hint, sqlstate=trouble.sqlstate, sql=stream.sql()
    )


def rows_sql(statement: Pass | Query, id: str) -> str:
    """The statement by which anyone lists the violating rows of a check."""
    if isinstance(statement, Query):
        return statement.rows_sql()
    return statement.rows_sql(next(slot for slot in statement.slots if slot.check_id == id))


def _said(result: Result, check: Check, statement: Pass | Query) -> Result:
    """The result with a note where the number of rows examined is not known, and with the check's hint."""
    if result.status is not Status.FAIL and result.examined is None and statement.table is not None:
        result = replace(result, message=joined(_UNKNOWN, result.message))
    return result if result.status is Status.PASS else replace(result, hint=check.hint)


_UNKNOWN = "the number of rows examined is not known"


def tolerated(result: Result, check: Check) -> Result:
    """A failure within the check's tolerance is TOLERATED, shown as such and never as a plain PASS."""
    # Another outcome than FAIL needs no tolerance; an ERROR must not become one.
    if result.status is not Status.FAIL or check.tolerance is None:
        return result
    if check.tolerance.accepts(result.violations or 0, result.examined):
        note, status = f"tolerated: up to {check.tolerance}", Status.TOLERATED
    # A share needs the rows examined; an absolute number does not.
    elif result.examined is None and check.tolerance.rows is None:
        note, status = f"the tolerated {check.tolerance} cannot be granted: {_UNKNOWN}", Status.FAIL
    else:
        note, status = f"more than the tolerated {check.tolerance}", Status.FAIL
    return replace(result, status=status, message=joined(result.message, note))


def joined(*parts: str) -> str:
    """Messages as one line."""
    return "; ".join(part for part in parts if part)


def _unanswered(
    check: Check, statement: Pass | Query, error: DatabaseError, may_be_quoted: MayBeQuoted
) -> Result:
    names = {key[1] for key in statement.tables} | {check.table}
    fact = error.fact
    if error.sqlstate and may_be_quoted(names):  # without one it is this program that says so
        fact = told_of_rows(fact, error.sqlstate, {*check.columns, *names})
    return Result(
        check_id=check.id,
        # Not run for its size is a choice of the settings, not a fault of the check.
        status=Status.SKIP if isinstance(error, TooLarge) else Status.ERROR,
        message=fact,
        hint=error.hint,
        sqlstate=error.sqlstate,
        sql=rows_sql(statement, check.id),
    )
