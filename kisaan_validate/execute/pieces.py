"""Reading a large table piece by piece, so that no statement runs for long and a pause takes effect soon.

Law: the counts are those of the whole table, or there is no answer. A piece that failed makes the table one
that was seen only in part.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import ask
from kisaan_validate.execute.ground import Ground
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.plan.marks import union
from kisaan_validate.plan.pieces import piece_of
from kisaan_validate.plan.statements import Pass
from kisaan_validate.postgres.session import Session

FIRST_BLOCKS = 1_024
"""The first piece (8 MB of 8 kB): small, because nobody knows yet how fast the server reads."""

MOST_STEP = 4
"""By so much at most a piece is larger, or smaller, than the one before it."""


@dataclass(frozen=True)
class Pieces:
    """How a table of so many ``blocks`` is cut: pieces should take ``seconds``. ``tell`` gets the blocks that
    are read, and all; ``cut`` makes the statement of a piece.
    """

    blocks: int
    seconds: float
    tell: Callable[[int, int], None] = lambda done, total: None
    cut: Callable[[Pass, int, int | None], Pass] = piece_of


def ask_in_pieces(session: Session, statement: Pass, ground: Ground, pieces: Pieces) -> StatementAnswer:
    """Run a scan piece by piece. Raises nothing: an expression that fails costs its own check, a piece that
    fails costs all.
    """
    whole = StatementAnswer(rows=0)
    asked, first, width, number = statement, 0, FIRST_BLOCKS, 0
    pieces.tell(0, pieces.blocks)
    while True:
        number += 1
        following = first + width
        # The last one is open: the table may have grown between the snapshot and the look at its size.
        last = following >= pieces.blocks
        answer = ask(session, pieces.cut(asked, first, None if last else following), ground)
        _keep_log(whole, answer)
        if answer.rows is None:
            return _not_whole(statement, whole, answer, f"blocks from {first:,} of {pieces.blocks:,}")
        _add(whole, answer)
        pieces.tell(min(following, pieces.blocks), pieces.blocks)
        if last:
            return _ended(statement, whole, number)
        asked = replace(asked, slots=tuple(s for s in asked.slots if s.check_id not in whole.errors))
        first, width = following, next_width(width, answer.milliseconds / 1000, pieces.seconds)


def next_width(width: int, took: float, wanted: float) -> int:
    """How many blocks the next piece has, so that it takes about ``wanted`` seconds."""
    factor = wanted / took if took > 0 else MOST_STEP
    return max(1, int(width * min(MOST_STEP, max(1 / MOST_STEP, factor))))


def _add(whole: StatementAnswer, answer: StatementAnswer) -> None:
    """Counts are added; a check that failed in one piece has failed."""
    whole.rows = (whole.rows or 0) + (answer.rows or 0)
    for condition, rows in answer.given.items():
        whole.given[condition] = whole.given.get(condition, 0) + rows
    whole.errors = {**answer.errors, **whole.errors}
    for id, violations in answer.violations.items():
        whole.violations[id] = whole.violations.get(id, 0) + violations
        whole.examined[id] = whole.examined.get(id, 0) + answer.examined[id]
    for id, marks in answer.marks.items():
        both = union([whole.marks.get(id, marks), marks])
        if both is not None:
            whole.marks[id] = both
    whole.rests = tuple(dict.fromkeys((*whole.rests, *answer.rests)))


def _keep_log(whole: StatementAnswer, answer: StatementAnswer) -> None:
    """The first statement, and what was refused: all others differ from it by the blocks only."""
    whole.milliseconds += answer.milliseconds
    whole.log += [s for s in answer.log if s.sqlstate or not whole.log]


def _ended(statement: Pass, whole: StatementAnswer, number: int) -> StatementAnswer:
    for id in whole.errors:
        whole.violations.pop(id, None)
        whole.examined.pop(id, None)
    if whole.log and number > 1:
        purpose = f"{statement.purpose}, in {number:,} pieces; this is the first"
        whole.log[0] = replace(whole.log[0], purpose=purpose, milliseconds=whole.milliseconds)
    return whole


def _not_whole(
    statement: Pass, whole: StatementAnswer, answer: StatementAnswer, where: str
) -> StatementAnswer:
    """No check has an answer: what was not read could hold anything."""
    error = answer.failure or next(iter(answer.errors.values()), DatabaseError("not run"))
    fact = f"read only in part, {where}: {error.fact}"
    error = DatabaseError(fact, error.hint, error.sqlstate, error.lost)
    return StatementAnswer(
        errors=dict.fromkeys(statement.check_ids, error),
        failure=error,
        milliseconds=whole.milliseconds,
        log=whole.log,
    )
