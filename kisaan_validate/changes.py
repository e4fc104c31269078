"""Before and after: pure functions from a Baseline and a Run to what differs."""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.model import (
    UNANSWERED,
    Baseline,
    Change,
    Check,
    CheckFacts,
    CheckMove,
    Diff,
    Result,
    Run,
    Status,
    TableFacts,
    Transition,
)


def diff(before: Baseline, after: Run) -> Diff:
    """Row counts of every table, schema changes, and each check's transition.

    ``rows`` holds every table of either side, changed or not, in order of name: a count that could not be taken
    is None, with delta None, and is never taken for zero.
    """
    old, new = _by_name(before.tables), _by_name(after.tables)
    names = sorted(old.keys() | new.keys())
    rows = tuple(_row_change(name, old.get(name), new.get(name)) for name in names)
    schema = tuple(c for name in names for c in _schema_changes(name, old.get(name), new.get(name)))
    known = {facts.id: facts for facts in before.checks}
    moves = tuple(_move(check, result, known.get(check.id)) for check, result in _pairs(after))
    return Diff(rows, schema, moves, sum(change.delta == 0 for change in rows))


def _by_name(tables: Iterable[TableFacts]) -> dict[str, TableFacts]:
    return {table.title: table for table in tables}


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def _row_change(name: str, old: TableFacts | None, new: TableFacts | None) -> Change:
    kind = "rows" if old and new else ("table added" if new else "table removed or not counted")
    a, b = (old.rows if old else None), (new.rows if new else None)
    delta = b - a if a is not None and b is not None else None
    return Change(name, "", kind, _text(a), _text(b), delta)


def _schema_changes(name: str, old: TableFacts | None, new: TableFacts | None) -> list[Change]:
    if old is None or new is None:
        return []
    a, b = ({c.name: c for c in table.columns} for table in (old, new))
    changes = [Change(name, c, "column removed", a[c].type, None) for c in sorted(a.keys() - b.keys())]
    changes += [Change(name, c, "column added", None, b[c].type) for c in sorted(b.keys() - a.keys())]
    for column in sorted(a.keys() & b.keys()):
        x, y = a[column], b[column]
        if x.type != y.type:
            changes.append(Change(name, column, "type", x.type, y.type))
        if x.not_null != y.not_null:
            words = {True: "NOT NULL", False: "NULL allowed"}
            changes.append(Change(name, column, "nullability", words[x.not_null], words[y.not_null]))
        if x.default != y.default:
            changes.append(Change(name, column, "default", x.default, y.default))
    return changes


def _pairs(run: Run) -> list[tuple[Check, Result]]:
    checks = run.by_id
    return [(checks[result.check_id], result) for result in run.results]


_ACCEPTED = {Status.PASS, Status.TOLERATED}


def _move(check: Check, result: Result, old: CheckFacts | None) -> CheckMove:
    reason = _incomparable(check, result, old)
    if old is None or reason:
        return CheckMove(check.id, Transition.UNKNOWN, old.violations if old else None, result.violations, reason)
    was, is_ = old.status in _ACCEPTED, result.status in _ACCEPTED
    transition = {
        (True, True): Transition.STILL_PASSING,
        (True, False): Transition.NEWLY_FAILING,
        (False, True): Transition.FIXED,
        (False, False): Transition.STILL_FAILING,
    }[was, is_]
    return CheckMove(check.id, transition, old.violations, result.violations)


def _incomparable(check: Check, result: Result, old: CheckFacts | None) -> str:
    """Why before and after cannot be compared, or ""."""
    if old is None:
        return "the baseline does not know this check"
    if old.digest != check.digest:
        return "the check means something else than when the baseline was taken"
    for status, when in ((old.status, "before"), (result.status, "after")):
        if status in UNANSWERED:
            return f"it had no answer {when}"
        if status is Status.NOT_APPLICABLE:
            return f"it did not apply {when}"
    return ""
