"""What moved in the ledger of migrations between two nights. Pure.

By what the ledger held on either night, not by the times that stand in it: these are written by somebody.
"""

from __future__ import annotations

from collections import Counter

from kisaan_validate.facts.ledger import MOVES_KEPT, Ledger, LedgerMoves, LedgerRow


def ledger_moves(before: Ledger | None, now: Ledger | None) -> LedgerMoves | None:
    """What came and went between ``before``, the last ledger that could be read, and ``now``; None where the
    suite names no ledger.
    """
    if now is None:
        return None
    if now.message:
        return LedgerMoves(now.table, message=now.message)
    if before is None or before.table != now.table:
        return LedgerMoves(now.table, message="it was not read on an earlier night")
    old, new = Counter(before.rows), Counter(now.rows)
    # A row that stands there twice more came twice.
    came, went = _ordered(new - old), _ordered(old - new)
    return LedgerMoves(now.table, came[:MOVES_KEPT], went[:MOVES_KEPT], len(came), len(went))


def _ordered(rows: Counter[LedgerRow]) -> tuple[LedgerRow, ...]:
    return tuple(sorted(rows.elements(), key=lambda row: (row.at, row.name)))


NAMED = 10
"""So many rows are named; of more the number is told."""


def ledger_words(moves: LedgerMoves | None) -> tuple[str, ...]:
    """What moved, as people read it, one text for what came and one for what went; nothing if nothing did."""
    if moves is None:
        return ()
    if moves.message:
        return (f"what came into {moves.table} is not known: {moves.message}",)
    said = {"came into": (moves.came, moves.all_came), "went from": (moves.went, moves.all_went)}
    return tuple(f"{_listed(*rows)} {verb} {moves.table}" for verb, rows in said.items() if rows[1])


def _listed(rows: tuple[LedgerRow, ...], number: int) -> str:
    named = ", ".join(map(_named, rows[:NAMED]))
    return f"{named} and {number - NAMED:,} more" if number > NAMED else named


def _named(row: LedgerRow) -> str:
    return (row.name or "a row without a name") + (f" ({row.at})" if row.at else "")
