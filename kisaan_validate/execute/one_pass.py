"""Asks one pass, and finds out by halving it whose fault it is when it fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import Profile
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.marks import Marks
from kisaan_validate.plan.samples import figure_rows
from kisaan_validate.plan.statements import Pass, Slot, figure_items, read_figures
from kisaan_validate.postgres.session import Session, milliseconds_since

ISOLATION_SECONDS = 120.0
"""How long the search for the culprits of one statement may take."""


# 08 connection, 25 transaction state, 40 rollback, 53 resources, 55 object state, 57 operator, 58 system,
# XX internal: halving a statement would only repeat them.
_NOBODYS_FAULT = ("08", "25", "40", "53", "55", "57", "58", "XX")
"""SQLSTATE classes that say something about the server or the session, not about one expression."""


@dataclass
class StatementAnswer:
    """What a statement answered: violating and judged rows by check id, rows read, errors by check id.

    ``rows`` are those of a pass; a query that does not count what it judged is missing in ``examined``.
    ``judged`` is how many rows the filter of a join leaves, where it has one; ``given`` how many rows
    each join of the table is given, by its condition. ``rests`` is what stands for rows that were not read,
    in words. ``unmeasured`` says by column why not all its figures are known. ``marks`` says by check id
    where the violating rows lie, as far as that was marked; ``listed`` are, by check id, the rows that list
    what was counted (``plan.samples``), so that no other statement has to.
    ``found`` are figures, as texts, that are judged later. ``resumed`` is what else there is to say of a
    table that is read over several nights (``prove.resuming``).
    """

    violations: dict[str, int] = field(default_factory=dict)
    examined: dict[str, int] = field(default_factory=dict)
    rows: int | None = None
    judged: int | None = None
    given: dict[str, int] = field(default_factory=dict)
    rests: tuple[str, ...] = ()
    errors: dict[str, DatabaseError] = field(default_factory=dict)
    figures: dict[str, Profile] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Marks] = field(default_factory=dict)
    listed: dict[str, Sequence[tuple[object, ...]]] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    resumed: object = None
    failure: DatabaseError | None = None
    milliseconds: float = 0.0
    log: list[StatementFacts] = field(default_factory=list)


def ask_pass(
    session: Session, statement: Pass, clock: Callable[[], float] = time.monotonic
) -> StatementAnswer:
    """Run a pass; a broken expression costs one error, not its neighbours.

    The culprit is isolated by halving, at most 2·log₂ n further statements for one culprit, within
    ``ISOLATION_SECONDS``; what is not answered by then becomes an error that says so. Raises nothing: a lost
    session, a timeout or a missing right becomes the error of every check that was not answered.
    """
    counted = StatementAnswer()
    started = clock()
    try:
        _count(session, statement, statement.slots, counted, statement.figures)
    except DatabaseError as error:
        recover(session)
        counted.failure = error
        # Figures fail for other reasons than conditions (a sum
        # overflows), so they are parted before any halving.
        if statement.figures and is_one_expressions_fault(error):
            return _ask_apart(session, statement, counted, clock)
        _isolate(
            session, statement, statement.slots, error, counted, lambda: clock() - started > ISOLATION_SECONDS
        )
        # The baseline and other checks need the table's count, even if no condition could be computed.
        if counted.rows is None and not session.lost and is_one_expressions_fault(error):
            _count_rows_alone(session, statement, counted)
    return counted


def _ask_apart(
    session: Session, statement: Pass, counted: StatementAnswer, clock: Callable[[], float]
) -> StatementAnswer:
    """The checks without the figures, then the figures without the checks: neither may cost the other's
    answers.
    """
    answered = ask_pass(session, replace(statement, figures=()), clock)
    answered.log = counted.log + answered.log
    answered.milliseconds += counted.milliseconds
    # A stack, halved depth first: the parts that succeed come in the order of the columns.
    pending = [statement.figures]
    while pending and not session.lost:
        part = pending.pop()
        try:
            _count(session, statement, (), answered, part)
        except DatabaseError as error:
            recover(session)
            middle = len(part) // 2
            if middle and is_one_expressions_fault(error):
                # Left on top, because ``pop`` takes the last one.
                pending += [part[middle:], part[:middle]]
                continue
            for figure in part:
                _ask_less(session, statement, figure, error, answered)
    return answered


def _ask_less(
    session: Session, statement: Pass, figure: Figure, error: DatabaseError, answered: StatementAnswer
) -> None:
    """A column keeps its other figures if one cannot be computed, such as a sum that overflows; why is
    remembered.
    """
    answered.unmeasured[figure.name] = error.fact
    # The sum goes first, the ends next: counting NULLs alone hardly ever fails.
    for lesser in figure.lesser():
        if session.lost or not is_one_expressions_fault(error):
            return
        try:
            _count(session, statement, (), answered, (lesser,))
            return
        except DatabaseError:
            recover(session)


def _count(
    session: Session,
    statement: Pass,
    slots: Sequence[Slot],
    counted: StatementAnswer,
    figures: Sequence[Figure] = (),
) -> None:
    sql = statement.sql(slots, figures)
    ids = tuple(slot.check_id for slot in slots)
    session.between()
    start = time.perf_counter()
    try:
        (row,), taken = session.timed(sql)
    except DatabaseError as error:
        taken = milliseconds_since(start)
        counted.milliseconds += taken
        # Without a SQLSTATE the line broke before the server could say anything.
        counted.log.append(StatementFacts(statement.purpose, sql, ids, taken, error.sqlstate or "lost"))
        raise
    counted.milliseconds += taken
    counted.log.append(StatementFacts(statement.purpose, sql, ids, taken))
    take(statement, row, slots, figures, counted)


def take(
    statement: Pass,
    row: Sequence[Any],
    slots: Sequence[Slot],
    figures: Sequence[Figure],
    counted: StatementAnswer,
) -> None:
    """What the one row of a pass says."""
    # Figures were written last, so they are cut from the end of the row.
    size = len(figure_items(figures))
    row, measured = row[: len(row) - size], row[len(row) - size :]
    showing = [slot.check_id for slot in statement.showing(slots)]
    row, shown = row[: len(row) - len(showing)], row[len(row) - len(showing) :]
    counted.listed.update((id, figure_rows(one)) for id, one in zip(showing, shown, strict=True))
    finding = [slot.check_id for slot in slots if slot.found]
    row, found = row[: len(row) - len(finding)], row[len(row) - len(finding) :]
    counted.found.update((id, str(value)) for id, value in zip(finding, found, strict=True))
    counted.rows, counts = statement.read(row, slots)
    counted.judged = row[1] if statement.counts_judged else None
    counted.given = statement.given_in(row)
    ids = [slot.check_id for slot in slots]
    if statement.marking is not None and statement.marks(slots) and (bits := statement.map_of(row)):
        made = statement.marking
        counted.marks.update((id, Marks(made.width, bits, made.stripes)) for id in ids)
    counted.figures.update(read_figures(figures, counted.rows, measured))
    for id, (violations, judged) in zip(ids, counts, strict=True):
        counted.violations[id], counted.examined[id] = violations, judged


def _isolate(
    session: Session,
    statement: Pass,
    slots: Sequence[Slot],
    error: DatabaseError,
    counted: StatementAnswer,
    late: Callable[[], bool],
) -> None:
    """``slots`` together gave ``error``: find out which of them do, asking as little as possible."""
    # Whether the fault was only concluded to lie in what is left, and not seen there.
    deduced = False
    while len(slots) > 1 and _may_be_one_expressions(session, statement, error, counted):
        if late():
            fact = f"not isolated within {ISOLATION_SECONDS:.0f} s: {error.fact}"
            error = DatabaseError(fact, error.hint, error.sqlstate)
            # The first error stays in the words, because it is what is known.
            break
        middle = len(slots) // 2
        left, right = slots[:middle], slots[middle:]
        try:
            _count(session, statement, left, counted)
            slots, deduced = right, True  # the fault lies there: no need to ask it as a whole
            continue
        except DatabaseError as left_error:
            recover(session)
            if not _may_be_one_expressions(session, statement, left_error, counted):
                error = left_error
                break
            # Both halves may hold a culprit: the left one is
            # searched on its own, then the right one is asked.
            _isolate(session, statement, left, left_error, counted, late)
        if session.lost:
            break
        try:
            _count(session, statement, right, counted)
            return
        except DatabaseError as right_error:
            recover(session)
            slots, error, deduced = right, right_error, False
    if deduced and len(slots) == 1 and not session.lost:
        error = _own_error(session, statement, slots, counted) or error
    for slot in slots:
        if slot.check_id not in counted.violations:
            # ``setdefault``: a culprit found deeper down keeps its own error.
            counted.errors.setdefault(slot.check_id, error)


def _own_error(
    session: Session, statement: Pass, slots: Sequence[Slot], counted: StatementAnswer
) -> DatabaseError | None:
    """The last one left is asked too: a statement can be too long or too deep as a whole, and fine in all
    its parts.
    """
    try:
        _count(session, statement, slots, counted)
    except DatabaseError as error:
        recover(session)
        return error
    return None


def _count_rows_alone(session: Session, statement: Pass, counted: StatementAnswer) -> None:
    try:
        _count(session, statement, (), counted)
    except DatabaseError:
        recover(session)


def _may_be_one_expressions(
    session: Session, statement: Pass, error: DatabaseError, counted: StatementAnswer
) -> bool:
    """Whether one expression may be at fault. A missing right is, where the rows alone can be counted."""
    if error.lost or session.lost:
        return False
    # One check may call a function that this role may not run, while the table is readable.
    if error.sqlstate == "42501":
        if counted.rows is None:
            _count_rows_alone(session, statement, counted)
        return counted.rows is not None
    return is_one_expressions_fault(error)


def is_one_expressions_fault(error: DatabaseError) -> bool:
    """Whether the SQLSTATE speaks of one expression, and not of the server, the session, or a right."""
    # 42P01, undefined table: the table is gone for all its checks, so there is no culprit to find.
    if error.lost or error.sqlstate in {"", "42501", "42P01"}:
        return False
    return not error.sqlstate.startswith(_NOBODYS_FAULT)
