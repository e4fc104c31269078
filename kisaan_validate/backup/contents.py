"""What the differences between a baseline and a restored dump mean for the backup. Pure.

Of one snapshot every difference is wrong. Of two moments rows may have been written in between: what declared
columns prove to be later is explained; fewer rows are wrong unless declared; the rest cannot be told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence

from kisaan_validate.backup.excused import excused
from kisaan_validate.facts.certificate import BackupEvidence, BackupReason
from kisaan_validate.facts.differences import (
    ADDED,
    DIGEST,
    REMOVED,
    ROWS,
    SEQUENCE,
    TOTALS,
    VALUES,
    Change,
    Diff,
    staying_values_of,
    which_rows_of,
)
from kisaan_validate.facts.titles import split_name
from kisaan_validate.text.numbers import agreeing, counted

OF_THE_DATABASE = " of the database"
"""What the names of encoding, collation and the like end with."""

SHOWN = 3
"""So many differences of one table are named; the page has all."""


def contents_reasons(e: BackupEvidence) -> Iterator[BackupReason]:
    """Why the contents are not proved to be the baseline's; nothing where they are."""
    assert e.against is not None
    assert e.diff is not None
    known = excused(e.diff.changes)
    told = [c for c in e.diff.changes if _told_by_the_dump(e, c)]
    changes = [c for c in e.diff.changes if c not in known and c not in told]
    judge = _of_one_snapshot if e.against.same_snapshot else _of_two_moments
    # What of a table stays unknown because its rows differ follows from a reason that is given.
    tables = {change.table for change in told}
    for table, reason in judge(e, changes):
        tables.add(table)
        yield reason
    yield from _untold(e, e.diff, tables - {""})


Found = tuple[str, BackupReason]
"""A reason, and the table whose rows it is about ("" for none)."""


def _told_by_the_dump(e: BackupEvidence, change: Change) -> bool:
    """Whether the difference follows from what the dump leaves out, which is a reason of its own."""
    assert e.dump is not None
    tables = e.dump.contents.tables
    if change.kind not in {ROWS, VALUES, TOTALS, SEQUENCE}:
        return False
    if not any(table.data for table in tables):
        return True
    if change.kind == SEQUENCE:
        return False
    return change.table in {title_of(name) for name in e.dump.contents.without_data}


def title_of(name: str) -> str:
    """The title of a table of which a dump says ``public.orders``."""
    schema, table = split_name(name)
    return table if schema in {"", "public"} else f"{schema}.{table}"


def common_tables(e: BackupEvidence) -> list[str]:
    """The tables that both sides have."""
    return [c.table for c in e.counts if c.before is not None and c.after is not None]


# --- of one snapshot ---------------------------------------------------------------------------------------


def _of_one_snapshot(e: BackupEvidence, changes: Sequence[Change]) -> Iterator[Found]:
    """Everything must be equal, but sequences that went on: they take no part in a snapshot."""
    gone = [c for c in changes if c.kind == "table" and c.aspect == REMOVED]
    for change in gone:
        words = f"The table {change.name} is not in the dump."
        yield "", BackupReason("table-left-out", True, words)
    rows: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind in {ROWS, VALUES, TOTALS}:
            rows[change.table].append(change)
        elif change.kind == SEQUENCE:
            yield from _sequence(e, change)
        elif change not in gone:
            yield from _schema(e, change, wrong=True)
    for table, found in sorted(rows.items()):
        yield table, _table(e, table, found)


def _sequence(e: BackupEvidence, change: Change) -> Iterator[Found]:
    # A baseline is read before the dump: what was drawn in between lies ahead, and is no loss.
    if change.name not in e.ahead:
        words = f"The sequence {change.name} stands at {change.after}; in the baseline at {change.before}."
        yield "", BackupReason("sequences", True, words)


def _table(e: BackupEvidence, table: str, found: Sequence[Change]) -> BackupReason:
    """What differs in the rows of one table."""
    counts = next((c for c in e.counts if c.table == table), None)
    count = next((c for c in found if c.kind == ROWS and c.delta), None)
    if count is not None:
        assert count.delta is not None
        word = "fewer" if count.delta < 0 else "more"
        number = f"{int(count.before or 0):,}"
        words = f"{table} has {counted(abs(count.delta), 'row')} {word} than the {number} of the baseline"
        return BackupReason("rows", True, f"{words}.")
    # Of one snapshot no row can be later, so one above every old key is another one.
    if any(c.kind == ROWS for c in found) or e.late.get(table):
        return BackupReason("rows", True, f"{table} has as many rows as the baseline, and not the same ones.")
    said = ", ".join(dict.fromkeys(_aspect(c) for c in found[:SHOWN]))
    of = f" in its {counted(counts.after, 'row')}" if counts is not None and counts.after is not None else ""
    return BackupReason("values", True, f"{table} has other values than the baseline{of}: {said}.")


def _aspect(change: Change) -> str:
    return change.name or change.aspect


def _schema(e: BackupEvidence, change: Change, *, wrong: bool) -> Iterator[Found]:
    """A difference of a schema object, unless it follows from what was left out by name."""
    if follows_from_left_out(e, change):
        return
    where = f"{change.kind} {change.name}" + (f" of {change.table}" if change.table else "")
    what = {REMOVED: "is not in the dump", ADDED: "is not in the baseline"}.get(
        change.aspect, f"differs in its {change.aspect}"
    )
    words = f"The {where} {what}"
    yield "", BackupReason("schema", wrong, f"{words}." if wrong else f"{words}; {SINCE}.")


def follows_from_left_out(e: BackupEvidence, change: Change) -> bool:
    """Whether the object that differs is one that the restore left out by name, which is said of its own."""
    if e.restored is None:
        return False
    left = {(one.kind, title_of(one.name)) for one in e.restored.left_out}
    return (change.kind, change.name) in left or (
        change.kind,
        title_of(f"{change.table}.{change.name}"),
    ) in left


# --- of two moments ----------------------------------------------------------------------------------------

SINCE = "it cannot be told whether that was changed since the baseline"


def _of_two_moments(e: BackupEvidence, changes: Sequence[Change]) -> Iterator[Found]:
    """Rows that declared columns prove to be later are explained; the rest is open, but rows that are
    gone.
    """
    assert e.against is not None
    tables: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        if change.kind in {ROWS, VALUES, TOTALS}:
            tables[change.table].append(change)
        elif change.kind == "table" and change.aspect == REMOVED:
            yield "", _gone(e, change)
        elif change.kind != SEQUENCE or change.name not in e.ahead:
            yield from _schema(e, change, wrong=False)
    for table, found in sorted(tables.items()):
        for reason in _since(e, table, found):
            yield table, reason


def _gone(e: BackupEvidence, change: Change) -> BackupReason:
    assert e.against is not None
    words = f"The table {change.name} of the baseline is not in the dump"
    if e.against.younger:
        return BackupReason("table-left-out", False, f"{words}; the baseline is younger than the dump.")
    return BackupReason("table-left-out", True, f"{words}.")


def _since(e: BackupEvidence, table: str, found: Sequence[Change]) -> Iterator[BackupReason]:
    assert e.against is not None
    count = next((c for c in found if c.kind == ROWS and c.aspect == "count"), None)
    late, delta = e.late.get(table, 0), count.delta if count is not None and count.delta is not None else 0
    if delta < 0:
        yield from _fewer(e, table, -delta)
        return
    digests = [c for c in found if c.aspect == DIGEST]
    # Figures are of all rows: where only later rows came, those of every column may differ.
    if late and late == delta and not digests and _digested(e, table):
        return
    more = f"{counted(delta, 'row')} more than the baseline" if delta else "other values than the baseline"
    yield BackupReason("since", False, f"{table} has {more}: differs; cannot tell whether written since.")


def _fewer(e: BackupEvidence, table: str, missing: int) -> Iterator[BackupReason]:
    assert e.against is not None
    if table in e.asked.may_shrink:
        return
    words = f"{table} has {counted(missing, 'row')} fewer than the baseline"
    if e.against.younger:
        yield BackupReason("since", False, f"{words}, which is younger than the dump.")
    else:
        yield BackupReason("rows", True, f"{words}.")


def _digested(e: BackupEvidence, table: str) -> bool:
    """Whether nothing of the older rows of a table stayed unknown."""
    assert e.diff is not None
    return not any(item.what.endswith(f" {table}") or f" {table}." in item.what for item in e.diff.unknown)


# --- what the comparison itself leaves open -------------------------------------------------------------


def _untold(e: BackupEvidence, found: Diff, told: Collection[str]) -> Iterator[BackupReason]:
    assert e.against is not None
    # What the database as a whole is like is no content: the certificate names it as not proved.
    whole = {item.what for item in found.not_compared if item.what.endswith(OF_THE_DATABASE)}
    whole |= {name(table) for table in told for name in (staying_values_of, which_rows_of)}
    for item in (one for one in found.unknown if one.what not in whole):
        yield BackupReason("unknown", False, f"{item.what} could not be compared: {item.reason}.")
    if not e.against.digests:
        words = "The baseline has no digests: which row holds which value was not compared."
        yield BackupReason("no-digests", False, words)
    covered = {count.table for count in e.counts}
    assert e.dump is not None
    left = sorted({title_of(t.name) for t in e.dump.contents.tables} - covered)
    if left:
        names = ", ".join(left[:SHOWN]) + (f" and {len(left) - SHOWN:,} more" if len(left) > SHOWN else "")
        number = f"{counted(len(left), 'table')} of the dump {agreeing(len(left), 'is', 'are')}"
        yield BackupReason("not-covered", False, f"{number} outside the comparison: {names}.")
