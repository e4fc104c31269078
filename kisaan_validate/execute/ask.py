"""Asking one statement, and when it fails, finding out whose fault it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.heap import NotRead, TooLarge
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.table import Profile
from kisaan_validate.plan.bundles import StatementBundle
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.marks import Marks
from kisaan_validate.plan.samples import COUNTED
from kisaan_validate.plan.statements import Pass, Query, Slot, figure_items, read_figures
from kisaan_validate.postgres.session import Session, usual

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
    ``judged`` is how many rows the filter of a join leaves, where it has one. ``rests`` is what stands for
    rows that were not read, in words. ``unmeasured`` says by column why not all its figures are known.
    ``marks`` says by check id where the violating rows lie, as far as that was marked; ``listed`` are the
    rows by which a query also listed what it counted (``plan.samples``). ``found`` are figures, as texts,
    that are judged later.
    """

    violations: dict[str, int] = field(default_factory=dict)
    examined: dict[str, int] = field(default_factory=dict)
    rows: int | None = None
    judged: int | None = None
    rests: tuple[str, ...] = ()
    errors: dict[str, DatabaseError] = field(default_factory=dict)
    figures: dict[str, Profile] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    marks: dict[str, Marks] = field(default_factory=dict)
    listed: Sequence[tuple[object, ...]] | None = None
    found: dict[str, str] = field(default_factory=dict)
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
        # The table's count is owed to the baseline and to
        # other checks even if no condition could be computed.
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
        taken = (time.perf_counter() - start) * 1000
        counted.milliseconds += taken
        # Without a SQLSTATE the line broke before the server could say anything.
        counted.log.append(StatementFacts(statement.purpose, sql, ids, taken, error.sqlstate or "lost"))
        raise
    counted.milliseconds += taken
    counted.log.append(StatementFacts(statement.purpose, sql, ids, taken))
    _take(statement, row, slots, figures, counted)


def _take(
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
    finding = [slot.check_id for slot in slots if slot.found]
    row, found = row[: len(row) - len(finding)], row[len(row) - len(finding) :]
    counted.found.update((id, str(value)) for id, value in zip(finding, found, strict=True))
    counted.rows, counts = statement.read(row, slots)
    counted.judged = row[1] if statement.counts_judged else None
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


def recover(session: Session) -> None:
    """Back to the savepoint that every worker sets once; rolling back to it keeps it."""
    if not session.lost:
        try:
            session.execute(f"ROLLBACK TO SAVEPOINT {SAVEPOINT}")
        except DatabaseError:
            # Without the savepoint every later statement would fail with 25P02 and hide the first error.
            session.close()


def give_back(session: Session) -> None:
    """After a statement: the locks that it took, where the server's lock table has no room to keep them."""
    # Rolling back to the savepoint gives back the locks taken since; the snapshot stays.
    if session.frugal:
        recover(session)


SAVEPOINT = "kisaan"


@contextmanager
def tuned(session: Session, settings: Sequence[tuple[str, str]]) -> Iterator[None]:
    """Settings of the planner for the statements in the block. They change no answer, so one that fails is
    done without.
    """
    try:
        session.tune(settings)
    except DatabaseError:
        recover(session)
    try:
        yield
    finally:
        if settings and not session.lost:
            try:
                # Not DEFAULT, which is the role's own where it has one.
                session.tune([(name, usual(name)) for name, _ in settings])
            except DatabaseError:
                recover(session)


def ask(
    session: Session, statement: Pass | Query, ground: Ground, listing: str | None = None
) -> StatementAnswer:
    """Run any counting statement, after its plan was looked at. Raises nothing. ``listing`` is the
    statement by which a query also lists what it counts.
    """
    if isinstance(statement, Query):
        listed = _ask_listing(session, statement, listing, ground) if listing else None
        return listed or ask_query(session, statement, ground)
    with tuned(session, statement.planner):
        return _ask_grounded(session, statement, ground)


def _ask_grounded(session: Session, statement: Pass, ground: Ground) -> StatementAnswer:
    """A pass whose plan reads what it should. An expression at fault fails already there: then the rows'
    plan alone is looked at.
    """
    failure = DatabaseError("not run")
    # First all of it. If an expression fails while planning, the bare scan at least shows how rows are read.
    for sql in (statement.sql(), statement.sql((), ())):
        try:
            with ground.under(session, statement.reads, sql, statement.check_ids) as rests:
                counted = ask_pass(session, statement)
            counted.rests = rests
            return counted
        except DatabaseError as error:
            recover(session)
            failure = error
        # A plan that is refused would be refused again: these
        # say something of the table, not of an expression.
        if session.lost or isinstance(failure, (NotRead, TooLarge)):
            break
    return refuse(statement, failure)


def ask_bundle(session: Session, bundle: StatementBundle, ground: Ground) -> list[StatementAnswer]:
    """Run a bundle; an answer for each of its members. Raises nothing: if one expression may be at fault, or
    one plan, each is asked by itself; else the error is that of all.
    """
    sql, start = bundle.sql(), time.perf_counter()
    try:
        with ground.under(session, bundle.reads, sql, bundle.check_ids) as rests:
            (row,), taken = session.timed(sql)
    except DatabaseError as error:
        recover(session)
        of_one = is_one_expressions_fault(error) or error.sqlstate in {"42501", "42P01"}
        if of_one or isinstance(error, (NotRead, TooLarge)):
            return [ask(session, one, ground) for one in bundle.members]
        taken = (time.perf_counter() - start) * 1000
        answers = [refuse(one, error) for one in bundle.members]
        code = error.sqlstate or "lost"
        answers[0].log.append(StatementFacts(bundle.purpose, sql, bundle.check_ids, taken, code))
        return answers
    answers = []
    for one, outputs in bundle.rows(row):
        answer = StatementAnswer(rests=rests, milliseconds=taken / len(bundle.members))
        if isinstance(one, Query):
            _take_counts(one, outputs, answer)
        else:
            _take(one, outputs, one.slots, one.figures, answer)
        answers.append(answer)
    answers[0].log.append(StatementFacts(bundle.purpose, sql, bundle.check_ids, taken))
    return answers


def refuse(statement: Pass | Query, error: DatabaseError) -> StatementAnswer:
    """The answer of a statement that could not be, or was not, run."""
    return StatementAnswer(errors=dict.fromkeys(statement.check_ids, error), failure=error)


FEW_ROWS = (("parallel_tuple_cost", "0"),)
"""Violating rows are few, but the planner takes them for many, and would not read them in parallel."""


def _ask_listing(session: Session, query: Query, sql: str, ground: Ground) -> StatementAnswer | None:
    """Count and list in one statement; None if it cannot be run, which says nothing of the count."""
    counted = StatementAnswer()
    start = time.perf_counter()
    try:
        with (
            ground.under(session, query.reads, sql, query.check_ids) as rests,
            tuned(session, FEW_ROWS),
        ):
            rows, counted.milliseconds = session.timed(sql)
    except DatabaseError as error:
        recover(session)
        # It sorts by keys, which a type may not allow, and keeps the rows, for which there may be no room
        # (class 53): then the count alone is asked.
        short = error.sqlstate.startswith("53")
        if is_one_expressions_fault(error) or short or isinstance(error, (NotRead, TooLarge)):
            return None
        taken = (time.perf_counter() - start) * 1000
        facts = StatementFacts(query.purpose, sql, query.check_ids, taken, error.sqlstate or "lost")
        return replace(refuse(query, error), milliseconds=taken, log=[facts])
    ((count, *judged),) = (values for slot, values, *_ in rows if slot == COUNTED)
    counted.rests, counted.listed = rests, rows
    counted.violations[query.check_id] = int(count)
    counted.examined.update((query.check_id, int(number)) for number in judged)
    counted.log.append(StatementFacts(query.purpose, sql, query.check_ids, counted.milliseconds))
    return counted


def ask_query(session: Session, query: Query, ground: Ground) -> StatementAnswer:
    """Run one query check. Raises nothing, as :func:`ask_pass`."""
    counted = StatementAnswer()
    start = time.perf_counter()
    sql = query.sql()
    try:
        with ground.under(session, query.reads, sql, query.check_ids) as rests:
            counted.rests = rests
            ((count, *judged),), counted.milliseconds = session.timed(sql)
        counted.log.append(StatementFacts(query.purpose, sql, query.check_ids, counted.milliseconds))
        most = query.violations.most
        # The number of segments is the last output of such a query; see ``rules.quantile``.
        if most and (segments := int(judged.pop())) > most:
            counted.errors[query.check_id] = _too_many(segments, most)
            return counted
        _take_counts(query, (count, *judged), counted)
    except DatabaseError as error:
        counted.milliseconds = (time.perf_counter() - start) * 1000
        recover(session)
        counted.errors[query.check_id] = error
        # What was refused was not sent, and the log holds only statements that were.
        if not isinstance(error, (NotRead, TooLarge)):
            facts = StatementFacts(
                query.purpose, sql, query.check_ids, counted.milliseconds, error.sqlstate or "lost"
            )
            counted.log.append(facts)
    return counted


def _take_counts(query: Query, row: Sequence[Any], counted: StatementAnswer) -> None:
    """What the one row of a query says: how many rows violate and, where it counts them, were judged; and a
    figure that is judged later.
    """
    count, *judged = row
    if query.violations.found:
        counted.found[query.check_id] = str(judged.pop())
    counted.violations[query.check_id] = int(count)
    counted.examined.update((query.check_id, int(number)) for number in judged)


def _too_many(segments: int, most: int) -> DatabaseError:
    hint = "raise segments=…, choose coarser segments, or restrict the rows with where=…"
    return DatabaseError(f"it has {segments:,} segments, but at most {most:,} are judged one by one", hint)
