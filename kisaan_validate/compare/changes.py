"""Before and after: pure functions from two Baselines to what differs. ``diff(b, a)`` mirrors ``diff(a,
b)``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.digests import (
    ALL_PERSONAL,
    digest_changes,
    digests_unknown,
    keyed_differences,
)
from kisaan_validate.compare.figures import figure_changes, is_inexact_sum, unmeasured
from kisaan_validate.compare.moves import moves
from kisaan_validate.compare.schema import compare_schemas, reading_of
from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.compare.totals import total_changes, totals_unknown
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import (
    CHANGED_ROWS,
    ROWS,
    SEQUENCE,
    VALUES,
    VALUES_GONE,
    Change,
    Diff,
    NotCompared,
    Unknown,
    catalogue_of,
    rows_of,
    staying_values_of,
    which_rows_of,
)
from kisaan_validate.facts.kept import RowsCompared, ValuesCompared
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.table import (
    SequenceValue,
)


def diff(before: Baseline, after: Baseline) -> Diff:
    """Every difference of two baselines, and each check's move.

    Of schema objects, row counts, column figures and sequences.

    What belongs to a table that came or went is part of that one change. What could not be read on one
    side is listed as unknown, and never taken for absent.
    """
    schema = compare_schemas(reading_of(before), reading_of(after))
    keyed, uncompared = keyed_differences(before, after)
    changes = [*schema.changes, *_table_changes(before, after), *_sequence_changes(before, after), *keyed]
    changes += total_changes(before, after)
    unknown = (
        *_unknown(before, after),
        *schema.unknown,
        *_counted_only(schema.not_compared),
        *uncompared,
    )
    return Diff(
        tuple(sorted(changes, key=lambda c: c.key)), moves(before, after), unknown, schema.not_compared
    )


def _counted_only(items: Iterable[NotCompared]) -> list[Unknown]:
    """What is not read and whose number differs: nobody can say what changed. Large objects that came are
    like rows that came.
    """
    # Large objects that came were made by programs, as rows are; fewer of them may be a loss.
    odd = (i for i in items if i.judged and not (i.what == "large objects" and int(i.after) > int(i.before)))
    return [
        Unknown(item.what, f"{item.before} before, {item.after} after; only their number is compared")
        for item in odd
    ]


def _table_changes(before: Baseline, after: Baseline) -> list[Change]:
    old, new = tables_in_scope(before), tables_in_scope(after)
    changes = []
    for name in sorted(old.keys() & new.keys()):
        a, b = old[name], new[name]
        # A number that is not known is reported as unknown, not as changed.
        if a.rows is not None and b.rows is not None and a.rows != b.rows:
            changes.append(Change(ROWS, name, "", "count", str(a.rows), str(b.rows), b.rows - a.rows))
        left, right = ({c.name: c for c in table.columns} for table in (a, b))
        for column in sorted(left.keys() & right.keys()):
            changes += figure_changes(name, left[column], right[column])
        changes += digest_changes(a, b)
    return changes


def with_rows(found: Diff, compared: Iterable[RowsCompared]) -> Diff:
    """The differences with those of rows that a baseline's file told; what it told is no longer unknown."""
    changes, unknown = list(found.changes), list(found.unknown)
    for table in compared:
        # The reason replaces what was said without the file.
        if table.message:
            what = which_rows_of(table.table)
            unknown = [*(item for item in unknown if item.what != what), Unknown(what, table.message)]
            continue
        # The file tells which of the rows that stayed changed, so that is not unknown any more.
        unknown = [item for item in unknown if item.what != staying_values_of(table.table)]
        for kind, number in (("changed", table.changed), ("removed", table.removed), ("added", table.added)):
            if number:
                keys = ", ".join(
                    table.keys.get(kind, ())[:3] + (table.keys.get("late", ())[:3] if kind == "added" else ())
                )
                late = (
                    f", {table.late:,} of them above every key of the baseline"
                    if kind == "added" and table.late
                    else ""
                )
                changes.append(
                    Change(
                        ROWS,
                        table.table,
                        "",
                        kind,
                        None,
                        f"{number:,}{late}{f': {keys}' if keys else ''}",
                        number,
                    )
                )
    return replace(found, changes=tuple(sorted(changes, key=lambda c: c.key)), unknown=tuple(unknown))


def with_values(
    found: Diff, compared: Iterable[ValuesCompared], spoken: Collection[tuple[str, str]] = ()
) -> Diff:
    """The differences with those of values that a baseline's file told, but for the ``spoken`` columns
    (title, name): promises speak of their values and judge them by figures and digests."""
    changes, unknown = list(found.changes), list(found.unknown)
    for column in compared:
        if (column.table, column.column) in spoken:
            continue
        # That the whole column is gone is a difference of its own.
        if column.message and column.message != VALUES_GONE:
            unknown.append(Unknown(f"which values of {column.table}.{column.column} changed", column.message))
        if column.changed:
            now = f"{column.changed:,} of {column.compared:,}"
            changes.append(
                Change(VALUES, column.table, column.column, CHANGED_ROWS, None, now, column.changed)
            )
    return replace(found, changes=tuple(sorted(changes, key=lambda c: c.key)), unknown=tuple(unknown))


def _sequence_changes(before: Baseline, after: Baseline) -> list[Change]:
    return changes_of_sequences(before.sequences, after.sequences)


def changes_of_sequences(before: Iterable[SequenceValue], after: Iterable[SequenceValue]) -> list[Change]:
    """The sequences of both sides that stand elsewhere."""
    old, new = ({s.name: s for s in side} for side in (before, after))
    return [
        Change(SEQUENCE, "", name, "last value", _stand(a), _stand(b), b.last_value - a.last_value)
        for name in old.keys() & new.keys()
        # is_called too: the first nextval() leaves last_value as it is.
        if _stand(a := old[name]) != _stand(b := new[name])
    ]


def _stand(sequence: SequenceValue) -> str:
    return f"{sequence.last_value}{'' if sequence.is_called else ' (not yet used)'}"


def lacking(baseline: Baseline) -> tuple[Unknown, ...]:
    """What no later run will be able to tell because this baseline lacks it: what it cannot tell compared
    with itself.
    """
    found = _reasons(baseline, baseline)
    plain = {
        # Compared with itself a baseline gives each reason twice.
        what: [reason.removeprefix("before: ") for reason in reasons if not reason.startswith("after: ")]
        for what, reasons in found.items()
    }
    # A sum of floats is never compared, so it is lacking without anything becoming unknown.
    inexact = ((t, c) for t in baseline.tables for c in t.columns if c.unmeasured and is_inexact_sum(c))
    sums = {
        f"the sum of {t.title}.{c.name}": f"{c.unmeasured}; its other figures are kept" for t, c in inexact
    }
    answers = {f"the check {c.id}": "it had no answer" for c in baseline.checks if c.status is Status.ERROR}
    said = {**{what: "; ".join(reasons) for what, reasons in plain.items()}, **sums, **answers}
    return tuple(Unknown(what, reason) for what, reason in said.items())


def rows_not_kept(baseline: Baseline) -> tuple[Notice, ...]:
    """The tables whose rows were to be kept and were not; where no value may be kept, none was asked for."""
    return tuple(n for n in baseline.notices if n.code == "rows" and not n.message.endswith(ALL_PERSONAL))


def _unknown(before: Baseline, after: Baseline) -> list[Unknown]:
    return [Unknown(what, "; ".join(reasons)) for what, reasons in _reasons(before, after).items()]


def _reasons(before: Baseline, after: Baseline) -> dict[str, list[str]]:
    """What is not known, and why."""
    found: dict[str, list[str]] = {}
    for when, side in (("before", before), ("after", after)):
        for what, reason in side.unread.items():
            found.setdefault(catalogue_of(what), []).append(f"{when}: {reason}")
    old, new = tables_in_scope(before), tables_in_scope(after)
    for name in sorted(old.keys() & new.keys()):
        for when, table in (("before", old[name]), ("after", new[name])):
            if table.rows is None:
                found.setdefault(rows_of(name), []).append(f"{when}: {table.reason or 'not counted'}")
        if old[name].rows is not None and new[name].rows is not None:
            found |= unmeasured(old[name], new[name])
            found |= digests_unknown(old[name], new[name])
    found |= totals_unknown(before, after)
    # A table that the suite leaves out on one side is there, so it neither came nor went.
    for when, side, counted, others in (("before", before, old, new), ("after", after, new, old)):
        there = {o.table for o in side.objects if o.kind == "table" and "partition of" not in o.facts}
        for name in (others.keys() - counted.keys()) & there:
            found.setdefault(rows_of(name), []).append(f"{when}: the suite left it out")
    return found


def changes_by_table(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    """Changes by the table that they belong to ("" for those of none), in order of name."""
    found: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda c: c.key[1:] + c.key[:1]):
        found.setdefault(change.table, []).append(change)
    return found
