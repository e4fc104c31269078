"""Before and after: pure functions from two Baselines to what differs. ``diff(b, a)`` mirrors ``diff(a,
b)``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase

from kisaan_validate.differences import (
    CHANGED_ROWS,
    DIGEST,
    FIGURES,
    NO_TABLE,
    ROWS,
    SEQUENCE,
    VALUES,
    VALUES_GONE,
    Change,
    CheckMove,
    Diff,
    Key,
    NotCompared,
    Origin,
    RowCount,
    Transition,
    Unknown,
)
from kisaan_validate.model import (
    MASKED,
    UNANSWERED,
    Baseline,
    CheckFacts,
    ColumnFacts,
    Family,
    KeyedDigest,
    Notice,
    Profile,
    RowsCompared,
    SequenceValue,
    Status,
    TableDigests,
    TableFacts,
    ValuesCompared,
)
from kisaan_validate.schemadiff import compare_schemas, reading_of


def diff(before: Baseline, after: Baseline) -> Diff:
    """Every difference of schema objects, row counts, column figures and sequences, and each check's move.

    What belongs to a table that came or went is part of that one change. What could not be read on one
    side is listed as unknown, and never taken for absent.
    """
    schema = compare_schemas(reading_of(before), reading_of(after))
    keyed, uncompared = keyed_differences(before, after)
    changes = [*schema.changes, *_table_changes(before, after), *_sequence_changes(before, after), *keyed]
    unknown = (
        *_unknown(before, after),
        *schema.unknown,
        *_counted_only(schema.not_compared),
        *uncompared,
    )
    return Diff(
        tuple(sorted(changes, key=lambda c: c.key)), _moves(before, after), unknown, schema.not_compared
    )


def _counted_only(items: Iterable[NotCompared]) -> list[Unknown]:
    """What is not read and whose number differs: nobody can say what changed. Large objects that came are
    like rows that came.
    """
    odd = (i for i in items if i.judged and not (i.what == "large objects" and int(i.after) > int(i.before)))
    return [
        Unknown(item.what, f"{item.before} before, {item.after} after; no comparison reads more of it")
        for item in odd
    ]


def row_counts(before: Baseline, after: Baseline) -> tuple[RowCount, ...]:
    """Every table of either side, changed or not, in order of name."""
    old, new = _by_name(before.tables), _by_name(after.tables)
    return tuple(_row_count(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys()))


def _row_count(name: str, old: TableFacts | None, new: TableFacts | None) -> RowCount:
    counts = (old.rows if old is not None else None, new.rows if new is not None else None)
    return RowCount(name, *counts, _reason(old), _reason(new))


def _reason(table: TableFacts | None) -> str:
    if table is None:
        return NO_TABLE
    return table.reason or "not counted" if table.rows is None else ""


def _by_name(tables: Iterable[TableFacts]) -> dict[str, TableFacts]:
    return {table.title: table for table in tables}


# --- rows and figures -------------------------------------------------------------------------------------


def tables_in_scope(side: Baseline) -> dict[str, TableFacts]:
    """The tables whose rows are compared. A partition is counted within its parent; views and what the
    suite excludes are looked at by checks only."""
    partitions = {o.table for o in side.objects if o.kind == "table" and "partition of" in o.facts}
    left_out = side.suite.excluded_tables
    return {
        t.title: t
        for t in side.tables
        if t.kind in {"table", "partitioned table"}
        and t.title not in partitions
        and not any(fnmatchcase(t.name, pattern) for pattern in left_out)
    }


def _table_changes(before: Baseline, after: Baseline) -> list[Change]:
    old, new = tables_in_scope(before), tables_in_scope(after)
    changes = []
    for name in sorted(old.keys() & new.keys()):
        a, b = old[name], new[name]
        if a.rows is not None and b.rows is not None and a.rows != b.rows:
            changes.append(Change(ROWS, name, "", "count", str(a.rows), str(b.rows), b.rows - a.rows))
        left, right = ({c.name: c for c in table.columns} for table in (a, b))
        for column in sorted(left.keys() & right.keys()):
            changes += _figure_changes(name, left[column], right[column])
        changes += _digest_changes(a, b)
    return changes


def _digest_changes(before: TableFacts, after: TableFacts) -> list[Change]:
    """What the digests of a table tell that its figures do not: that other rows are there, or in which
    columns values changed.
    """
    a, b = before.digests, after.digests
    if a is None or b is None or why_undigested(before, after):
        return []
    name = before.title
    if a.which_rows != b.which_rows:
        same = (
            before.rows is not None and after.rows is not None and before.rows - a.late == after.rows - b.late
        )
        return [digest_change(name, "", a.which_rows, b.which_rows)] if same else []
    left, right = (_column_digests(table) for table in (before, after))
    return [
        digest_change(name, c, left[c], right[c])
        for c in sorted(left.keys() & right.keys())
        if left[c] != right[c]
    ]


def _column_digests(table: TableFacts) -> dict[str, str]:
    return {c.name: c.profile.digest for c in table.columns if c.profile is not None and c.profile.digest}


def digest_change(table: str, column: str, before: str, after: str) -> Change:
    """That values of a column changed in some row, or (column "") that other rows are there. Digests are
    shown in short.
    """
    old, new = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (before, after))
    return Change(VALUES if column else ROWS, table, column, DIGEST, old, new)


def digests_untold(table: str) -> str:
    """What is unknown of a table of which rows came or went: digests of whole columns say nothing of those
    that stayed.
    """
    return f"which values of {table} changed in the rows that stayed"


def why_undigested(before: TableFacts, after: TableFacts) -> str:
    """Why the digests of a table cannot be compared, or ""; they are there on at least one side."""
    for when, table in (("before", before), ("after", after)):
        if table.digests is None:
            return f"no digests were taken {when}"
        if table.digests.message:
            return f"{when}: {table.digests.message}"
    assert before.digests is not None
    assert after.digests is not None
    if (before.digests.key, before.digests.check) != (after.digests.key, after.digests.check):
        return "the digests tell rows apart by another key, or are of another encoding"
    return ""


def _digests_unknown(before: TableFacts, after: TableFacts) -> dict[str, list[str]]:
    """Of what digests were taken and do not tell."""
    a, b = before.digests, after.digests
    if a is None and b is None:
        return {}
    if reason := why_undigested(before, after):
        return {f"which rows of {before.title} changed": [reason]}
    assert a is not None
    assert b is not None
    left_out = {**a.left_out, **b.left_out}
    both = {c.name for c in before.columns} & {c.name for c in after.columns}
    found = {
        f"the values of {before.title}.{c}": [reason]
        for c, reason in left_out.items()
        if c in both and reason != LEFT_OUT
    }
    if a.which_rows != b.which_rows:
        many = sum(x != y for x, y in _bucketed(a, b).values())
        found[digests_untold(before.title)] = [
            f"rows came or went, in at most {many:,} of {BUCKETS:,} buckets; a baseline with --rows tells"
        ]
    elif _between_rows_of_one_key(before, after):
        found[f"which rows of {before.title} changed"] = [
            f"({', '.join(a.key)}) is no key: values changed places between rows that share one"
        ]
    return found


def _between_rows_of_one_key(before: TableFacts, after: TableFacts) -> bool:
    """Whether rows differ and no column does: values changed places between rows of one key, which is none
    then.
    """
    left, right = (_column_digests(table) for table in (before, after))
    a, b = before.digests, after.digests
    if a is None or b is None or a.late or b.late or left != right:
        return False
    if any(c.name not in left and c.name not in a.left_out for t in (before, after) for c in t.columns):
        return False  # a column is missing in the digests of columns, and may be the one that differs
    return any(x != y for x, y in _bucketed(a, b).values())


def differing_buckets(before: TableDigests | None, after: TableDigests | None) -> frozenset[int]:
    """The numbers of the buckets whose rows differ: all of them where that is not known, or where rows
    came late.
    """
    if before is None or after is None or before.message or after.message or after.late:
        return frozenset(range(BUCKETS))
    return frozenset(int(number) for number, (a, b) in _bucketed(before, after).items() if a != b)


def keyed_differences(before: Baseline, after: Baseline) -> tuple[list[Change], list[Unknown]]:
    """What is known of the personal columns of both sides: those whose values differ, and those that could
    not be compared.

    Where other rows are there, a digest of a whole column says nothing of the rows that stayed.
    """
    now = {(k.table, k.column): k for k in after.keyed}
    old, new = tables_in_scope(before), tables_in_scope(after)
    changes, unknown = [], []
    for keyed in before.keyed:
        title, column = keyed.table, keyed.column
        if title not in old or title not in new or column not in {c.name for c in new[title].columns}:
            continue  # the schema's own change says so
        found = now.get((title, column))
        outcome, reason = _keyed_outcome(keyed, found, before.secret == after.secret)
        if outcome == "same":
            continue
        if not reason and not _same_rows(old[title], new[title]):
            reason = "rows came or went, and a digest of a personal column says nothing of those that stayed"
        if reason:
            unknown.append(Unknown(f"the values of {title}.{column}", reason))
        else:
            changes.append(Change(VALUES, title, column, DIGEST, "(personal)", "(personal)"))
    return changes, unknown


def _keyed_outcome(old: KeyedDigest, new: KeyedDigest | None, one_key: bool) -> tuple[str, str]:
    """("same" or "differs", "") or ("", why it is not known). Two baselines can be compared only under one
    key.
    """
    if new is None or old.message or new.message:
        return "", old.message or (new.message if new is not None else "it was not digested")
    if new.outcome:
        return new.outcome, ""
    if not one_key:
        return "", "each of two baselines has a key of its own"
    return ("same" if old.digest == new.digest else "differs"), ""


def _same_rows(before: TableFacts, after: TableFacts) -> bool:
    a, b = before.digests, after.digests
    return (
        a is not None and b is not None and not why_undigested(before, after) and a.which_rows == b.which_rows
    )


def with_rows(found: Diff, compared: Iterable[RowsCompared]) -> Diff:
    """The differences with those of rows that a baseline's file told; what it told is no longer unknown."""
    changes, unknown = list(found.changes), list(found.unknown)
    for table in compared:
        if table.message:
            what = f"which rows of {table.table} changed"
            unknown = [*(item for item in unknown if item.what != what), Unknown(what, table.message)]
            continue
        unknown = [item for item in unknown if item.what != digests_untold(table.table)]
        for kind, number in (("changed", table.changed), ("removed", table.removed), ("added", table.added)):
            if number:
                keys = ", ".join(
                    table.keys.get(kind, ())[:3] + (table.keys.get("late", ())[:3] if kind == "added" else ())
                )
                late = (
                    f", {table.late:,} of them above all keys of the baseline"
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
        if column.message and column.message != VALUES_GONE:
            unknown.append(Unknown(f"which values of {column.table}.{column.column} changed", column.message))
        if column.changed:
            now = f"{column.changed:,} of {column.compared:,}"
            changes.append(
                Change(VALUES, column.table, column.column, CHANGED_ROWS, None, now, column.changed)
            )
    return replace(found, changes=tuple(sorted(changes, key=lambda c: c.key)), unknown=tuple(unknown))


def _bucketed(a: TableDigests, b: TableDigests) -> dict[str, tuple[str, str]]:
    """Both sides' sums of each bucket."""
    left, right = (dict(bucket.split(":", 1) for bucket in side.buckets) for side in (a, b))
    return {number: (left.get(number, ""), right.get(number, "")) for number in left.keys() | right.keys()}


BUCKETS = 1024
"""So many buckets of rows are digested at most."""

ALL_PERSONAL = "all its columns are personal"
"""Why nothing is kept of a table whose values no digest may hold."""

LEFT_OUT = "it is personal"
"""Why a column takes no part in digests without anything being unknown for it that was known without them."""


def _figure_changes(table: str, old: ColumnFacts, new: ColumnFacts) -> list[Change]:
    if old.profile is None or new.profile is None:
        return []
    a, b = old.profile, new.profile
    names = [name for name in differing(a, b) if not _lost(old, name) and not _lost(new, name)]
    return [
        Change(VALUES, table, old.name, figure, _figure(a, figure), _figure(b, figure)) for figure in names
    ]


def _lost(column: ColumnFacts, figure: str) -> bool:
    """Whether a figure is missing because it could not be computed, and not for want of values."""
    return bool(column.unmeasured) and column.profile is not None and _figure(column.profile, figure) is None


def _figure(profile: Profile, name: str) -> str | None:
    value = getattr(profile, name)
    return None if value is None else str(value)


def differing(a: Profile, b: Profile) -> tuple[str, ...]:
    """The figures in which two profiles differ: numbers compared by value, everything else as text.

    Sums of inexact numbers are left out: they depend on the order of addition. Where one side is personal
    only the NULLs can be compared.
    """
    if a.personal or b.personal:
        return ("nulls",) if a.nulls != b.nulls else ()
    number = {a.family, b.family} <= {Family.NUMBER, Family.FLOAT}
    inexact = Family.FLOAT in {a.family, b.family}
    names = [name for name in FIGURES if not (name == "total" and inexact)]
    return tuple(n for n in names if not same_text(_figure(a, n), _figure(b, n), number or n == "nulls"))


def same_text(a: str | None, b: str | None, number: bool) -> bool:
    """Whether two figures are equal; ``number`` compares 1.50 with 1.5 by value, exactly."""
    if a == b or a is None or b is None or not number:
        return a == b
    try:
        return Decimal(a) == Decimal(b)
    except InvalidOperation:
        return False


def _sequence_changes(before: Baseline, after: Baseline) -> list[Change]:
    return changes_of_sequences(before.sequences, after.sequences)


def changes_of_sequences(before: Iterable[SequenceValue], after: Iterable[SequenceValue]) -> list[Change]:
    """The sequences of both sides that stand elsewhere."""
    old, new = ({s.name: s for s in side} for side in (before, after))
    return [
        Change(SEQUENCE, "", name, "last value", _stand(a), _stand(b), b.last_value - a.last_value)
        for name in old.keys() & new.keys()
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
        what: [reason.removeprefix("before: ") for reason in reasons if not reason.startswith("after: ")]
        for what, reasons in found.items()
    }
    inexact = ((t, c) for t in baseline.tables for c in t.columns if c.unmeasured and _is_inexact_sum(c))
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
            found.setdefault(f"what the catalogue says of {what}", []).append(f"{when}: {reason}")
    old, new = tables_in_scope(before), tables_in_scope(after)
    for name in sorted(old.keys() & new.keys()):
        for when, table in (("before", old[name]), ("after", new[name])):
            if table.rows is None:
                found.setdefault(f"the rows of {name}", []).append(f"{when}: {table.reason or 'not counted'}")
        if old[name].rows is not None and new[name].rows is not None:
            found |= _unmeasured(old[name], new[name])
            found |= _digests_unknown(old[name], new[name])
    for when, side, counted, others in (("before", before, old, new), ("after", after, new, old)):
        there = {o.table for o in side.objects if o.kind == "table" and "partition of" not in o.facts}
        for name in (others.keys() - counted.keys()) & there:
            found.setdefault(f"the rows of {name}", []).append(f"{when}: the suite left it out")
    return found


def _unmeasured(old: TableFacts, new: TableFacts) -> dict[str, list[str]]:
    left, right = ({c.name: c for c in table.columns} for table in (old, new))
    both = sorted(left.keys() & right.keys())
    reasons = {c: _untold(left[c], right[c]) for c in both}
    return {f"the values of {old.title}.{c}": found for c, found in reasons.items() if found}


def _untold(old: ColumnFacts, new: ColumnFacts) -> list[str]:
    """Why figures of a column cannot be compared; the sum of inexact numbers never is."""
    sides = (("before", old), ("after", new))
    found = [
        f"{when}: {side.unmeasured}" for when, side in sides if side.unmeasured and not _is_inexact_sum(side)
    ]
    if found:
        return found
    if old.profile is None or new.profile is None:
        return ["its figures were not measured on both sides"]
    return ["it is personal on one side only"] if old.profile.personal is not new.profile.personal else []


def _is_inexact_sum(column: ColumnFacts) -> bool:
    """Whether all its figures but a sum of inexact numbers are known."""
    p = column.profile
    return p is not None and p.family is Family.FLOAT and p.total is None and p.minimum is not None


# --- checks -----------------------------------------------------------------------------------------------


GONE = "it was not asked after: the suite no longer has it, or it was not selected"
CHANGED = "the check means something else than when the baseline was taken"
"""Reasons why a check cannot be compared that lie in the suite, not in the database."""


def _moves(before: Baseline, after: Baseline) -> tuple[CheckMove, ...]:
    known = {facts.id: facts for facts in before.checks}
    moves = [_move(facts, known.pop(facts.id, None)) for facts in after.checks]
    moves += [
        CheckMove(f.id, Transition.UNKNOWN, f.violations, None, f.severity, GONE) for f in known.values()
    ]
    return tuple(moves)


_ACCEPTED = {Status.PASS, Status.TOLERATED}


def _move(new: CheckFacts, old: CheckFacts | None) -> CheckMove:
    if old is not None and old.digest == new.digest and old.missing and new.status is Status.FAIL:
        reason = "what it is about did not exist before"
        return CheckMove(
            new.id, Transition.NEWLY_FAILING, None, new.violations, new.severity, reason, Origin.SINCE
        )
    reason = _incomparable(new, old)
    if old is None or reason:
        origin = Origin.UNKNOWN if new.status is Status.FAIL else None
        count = old.violations if old else None
        return CheckMove(new.id, Transition.UNKNOWN, count, new.violations, new.severity, reason, origin)
    was, is_ = old.status in _ACCEPTED, new.status in _ACCEPTED
    if was or is_:
        transition = {(True, True): Transition.STILL_PASSING, (True, False): Transition.NEWLY_FAILING}.get(
            (was, is_), Transition.FIXED
        )
        origin = Origin.SINCE if transition is Transition.NEWLY_FAILING else None
        return CheckMove(new.id, transition, old.violations, new.violations, new.severity, "", origin)
    origin, reason, keys = _still(old, new)
    return CheckMove(
        new.id, Transition.STILL_FAILING, old.violations, new.violations, new.severity, reason, origin, keys
    )


def _still(old: CheckFacts, new: CheckFacts) -> tuple[Origin, str, tuple[Key, ...]]:
    """Of a check that failed before and fails now: whether the rows are those that failed before."""
    if old.violations is None or new.violations is None:
        return Origin.UNKNOWN, "its violations were not counted on both sides", ()
    fresh = _fresh_keys(old, new)
    if new.violations > old.violations:
        return Origin.SINCE, f"at least {new.violations - old.violations} more than before", fresh or ()
    if fresh:
        return Origin.SINCE, f"{len(fresh)} of the rows did not fail before", fresh
    if fresh is not None or (
        old.key_digest and (old.violations, old.key_digest) == (new.violations, new.key_digest)
    ):
        return Origin.BEFORE, "", ()
    if _countable(old, new):
        return Origin.BEFORE, "", ()
    return Origin.UNKNOWN, "cannot tell whether these are the same rows: their keys were not all kept", ()


def _countable(old: CheckFacts, new: CheckFacts) -> bool:
    """Whether the check has one subject that is or is not as declared, so that a count says all (no rows,
    no keys).
    """
    return (
        not old.keys
        and not new.keys
        and not old.key_digest
        and not new.key_digest
        and old.violations == new.violations == 1
    )


def _fresh_keys(old: CheckFacts, new: CheckFacts) -> tuple[Key, ...] | None:
    """The keys that fail now and did not before; None where they cannot be told apart or were not all
    collected.
    """
    for side in (old, new):
        if not side.keys or not side.keys_complete or any(_faceless(key) for key in side.keys):
            return None
    return tuple(key for key in new.keys if key not in set(old.keys))


def _faceless(key: Key) -> bool:
    """Whether a key does not identify a row for good: it was masked, cut, or is a physical place."""
    return not key or any(
        name == "ctid" or value == MASKED or (value is not None and value.endswith("…"))
        for name, value in key
    )


def _incomparable(new: CheckFacts, old: CheckFacts | None) -> str:
    """Why before and after cannot be compared, or ""."""
    if old is None:
        return "the baseline does not know this check"
    if old.digest != new.digest:
        return CHANGED
    for status, when in ((old.status, "before"), (new.status, "after")):
        if status in UNANSWERED:
            return f"it had no answer {when}"
        if status is Status.NOT_APPLICABLE:
            return f"it did not apply {when}"
    return ""


def changes_by_table(changes: Iterable[Change]) -> Mapping[str, list[Change]]:
    """Changes by the table that they belong to ("" for those of none), in order of name."""
    found: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda c: c.key[1:] + c.key[:1]):
        found.setdefault(change.table, []).append(change)
    return found
