"""Reading a table by ranges of a key until the time ends, and then, if all of it was read, the last look.

Law: a range is read to its end or not at all; what was read of others stays read. No statement is begun once
the time has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import ask
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.execute.pieces import Pieces, ask_in_pieces, next_width
from kisaan_validate.execute.recovery import recover
from kisaan_validate.facts.resumed import RangeCount
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.plan.ranges import LastLook, bound_sql, by_index, range_of
from kisaan_validate.plan.statements import Pass
from kisaan_validate.plan.trust import Trust
from kisaan_validate.postgres.session import Session

FIRST_ROWS = 20_000
"""The first range is small, because the server's speed is not yet known."""

PIECE_SECONDS = 5.0
"""How long a range should take where the guard does not say."""


@dataclass(frozen=True)
class Ranges:
    """How a table is read: by ``key``, from ``first`` on (None: from its first row), while ``may_go_on`` says
    "" and not why it ended. ``tell`` gets the rows that were read, and about how many there are.
    """

    key: str
    first: str | None
    may_go_on: Callable[[], str]
    seconds: float = PIECE_SECONDS
    estimate: int = 0
    tell: Callable[[int, int], None] = lambda done, total: None


@dataclass
class RangesRead:
    """What was read in one night: from the start of :class:`Ranges` up to before ``following`` (None: to the
    end, if it is ``whole``). ``counts`` are of the checks that had an answer in all of it. ``failed`` are the
    ranges with violations, as (first, following, violations by check). ``why`` says what ended it too early,
    ``error`` what the server said to it.
    """

    following: str | None
    rows: int = 0
    counts: dict[str, RangeCount] = field(default_factory=dict)
    errors: dict[str, DatabaseError] = field(default_factory=dict)
    failed: list[tuple[str | None, str | None, dict[str, int]]] = field(default_factory=list)
    rests: tuple[str, ...] = ()
    whole: bool = False
    begun: bool = False
    why: str = ""
    error: DatabaseError | None = None
    milliseconds: float = 0.0
    log: list[StatementFacts] = field(default_factory=list)


def believing(ground: Ground) -> Ground:
    """The same ground, on which an index finds rows."""
    return Ground(Trust(indexes=True), ground.parts, ground.declared, ground.definitions)


def read_ranges(session: Session, statement: Pass, ground: Ground, ranges: Ranges) -> RangesRead:
    """Read range after range. Raises nothing: what goes wrong ends it, and is said."""
    read, width, ground = RangesRead(ranges.first), FIRST_ROWS, believing(ground)
    asked = statement
    ranges.tell(0, ranges.estimate)
    while not read.whole and not (why := ranges.may_go_on()):
        first = read.following
        try:
            following = _bound(session, statement, ground, ranges.key, first, width)
        except DatabaseError as error:
            recover(session)
            read.error = error
            break
        answer = ask(session, range_of(asked, ranges.key, first, following), ground)
        _keep_log(read, answer)
        if answer.rows is None:
            read.error = answer.failure or next(iter(answer.errors.values()), DatabaseError("not run"))
            break
        _add(read, statement, answer, first, following)
        ranges.tell(read.rows, max(ranges.estimate, read.rows))
        asked = replace(asked, slots=tuple(s for s in asked.slots if s.check_id not in read.errors))
        width = next_width(width, answer.milliseconds / 1000, ranges.seconds)
    else:
        read.why = "" if read.whole else why
    return read


def _bound(
    session: Session, statement: Pass, ground: Ground, key: str, first: str | None, width: int
) -> str | None:
    """The key at which the next range ends; None where it is the last. Raises DatabaseError."""
    session.between()
    # More rows than asked for may have one key; then the range needs more of them to get on.
    while True:
        sql = bound_sql(statement.table, key, first, width)
        with ground.under(session, by_index(statement.table), sql, statement.check_ids):
            rows, _ = session.timed(sql)
        if not rows:
            return None
        ((found,),) = rows
        if found != first:
            return str(found)
        width *= 2


def _add(
    read: RangesRead, statement: Pass, answer: StatementAnswer, first: str | None, last: str | None
) -> None:
    """Counts are added; a check that failed to answer in one range has no count of the night."""
    read.begun, read.following, read.whole = True, last, last is None
    read.rows += answer.rows or 0
    read.errors = {**answer.errors, **read.errors}
    for id, violations in answer.violations.items():
        before = read.counts.get(id, RangeCount(id, 0, 0))
        examined = before.examined + answer.examined.get(id, 0)
        read.counts[id] = RangeCount(id, before.violations + violations, examined)
    for id in read.errors:
        read.counts.pop(id, None)
    if wrong := {id: n for id, n in answer.violations.items() if n}:
        read.failed.append((first, last, wrong))
    read.rests = tuple(dict.fromkeys((*read.rests, *answer.rests)))


def _keep_log(read: RangesRead, answer: StatementAnswer) -> None:
    """The first statement, and what was refused: all others differ from it by their range only."""
    read.milliseconds += answer.milliseconds
    read.log += [s for s in answer.log if s.sqlstate or not read.log]


@dataclass
class Looked:
    """What the last look said: ``answer`` is that of the checks. ``changed`` rows were read again; ``stayed``
    are the others, by the number of their range; None and nothing if it did not end.
    """

    answer: StatementAnswer
    changed: int | None = None
    stayed: Mapping[int, int] = field(default_factory=dict)


def look_last(session: Session, look: LastLook, ground: Ground, pieces: Pieces | None) -> Looked:
    """Read the whole table once, in the present snapshot. Raises nothing."""
    if pieces is None:
        answer = ask(session, look.statement, ground)
    else:
        answer = ask_in_pieces(session, look.statement, ground, pieces)
    answer.log = [_without(s, look.own) for s in answer.log]
    changed = answer.violations.pop(look.changed, None)
    stayed = {n: answer.violations.pop(id, None) for n, id in look.stayed.items()}
    broken = [answer.errors.pop(id) for id in look.own if id in answer.errors]
    for id in look.own:
        answer.examined.pop(id, None)
    known = {n: count for n, count in stayed.items() if count is not None}
    if answer.rows is None or changed is None or len(known) < len(stayed):
        error = answer.failure or next(iter(broken), DatabaseError("not run"))
        return Looked(replace(answer, rows=None, violations={}, examined={}, marks={}, failure=error))
    return Looked(answer, changed, known)


def _without(statement: StatementFacts, own: frozenset[str]) -> StatementFacts:
    return replace(statement, check_ids=tuple(id for id in statement.check_ids if id not in own))
