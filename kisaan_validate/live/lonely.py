"""The rows of a table that is on one side only: each is added or removed, and read where it is asked for."""

from __future__ import annotations

import threading

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.row_differences import ChangeSink
from kisaan_validate.live.compare import layout_of, let_go, told
from kisaan_validate.live.merge import Pipe, merge
from kisaan_validate.live.plan import PairPlan
from kisaan_validate.live.samples import hiding
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.live.statements import SPAN, Buckets, Statements, choose_buckets, integer_key


def list_rows(side: LiveSide, number: int, plan: PairPlan, encoding: str, sink: ChangeSink) -> None:
    """Give every row of the table to ``sink``. ``number`` is 0 where the table is before, 1 where it is
    after; ``plan`` compares it with itself. Raises nothing: what cannot be read is missed.
    """
    for unknown in plan.unknown:
        sink.miss(plan.title, f"{unknown.what}: {unknown.reason}")
    sink.begin(plan.title, plan.pairs, plan.key)
    try:
        _stream(side, number, plan, encoding, sink)
    except DatabaseError as error:
        sink.miss(plan.title, f"its rows could not be read: {told(error, plan)}")


def _stream(side: LiveSide, number: int, plan: PairPlan, encoding: str, sink: ChangeSink) -> None:
    how = Buckets(SPAN) if integer_key(plan) else choose_buckets(plan, 0, None)
    sql, hide = Statements(plan, number, encoding).stream(how, None), hiding(plan)
    pipes = (Pipe(), Pipe())
    nothing = threading.Thread(target=pipes[1 - number].end, daemon=True)
    rows = threading.Thread(target=side.stream, args=(sql, pipes[number]), daemon=True)
    for thread in (nothing, rows):
        thread.start()
    try:
        merge(*pipes, layout_of(plan, how), lambda change: sink.see(hide(change)))
    finally:
        let_go((side,), pipes, (rows,))
