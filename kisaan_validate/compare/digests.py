"""What digests of rows and columns say, and what they cannot say."""

from __future__ import annotations

import hashlib

from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.differences import (
    DIGEST,
    ROWS,
    VALUES,
    Change,
    Unknown,
    staying_values_of,
    which_rows_of,
)
from kisaan_validate.facts.table import (
    KeyedDigest,
    TableDigests,
    TableFacts,
)

BUCKETS = 1024
"""So many buckets of rows are digested at most."""

ALL_PERSONAL = "all its columns are personal"
"""Why nothing is kept of a table whose values no digest may hold."""

LEFT_OUT = "it is personal"
"""Why a column takes no part in digests without anything being unknown for it that was known without them."""


def digest_changes(before: TableFacts, after: TableFacts) -> list[Change]:
    """What the digests of a table tell that its figures do not: that other rows are there, or in which
    columns values changed.
    """
    a, b = before.digests, after.digests
    if a is None or b is None or why_undigested(before, after):
        return []
    name = before.title
    # Other rows make every column's digest differ; only with equal counts are they news beside the counts.
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
    # Digests of digests: what is shown is short, and cannot be taken for the kept one.
    old, new = (hashlib.sha256(text.encode()).hexdigest()[:16] for text in (before, after))
    return Change(VALUES if column else ROWS, table, column, DIGEST, old, new)


def why_undigested(before: TableFacts, after: TableFacts) -> str:
    """Why the digests of a table cannot be compared, or ""; they are there on at least one side."""
    for when, table in (("before", before), ("after", after)):
        if table.digests is None:
            return f"no digests were taken {when}"
        if table.digests.message:
            return f"{when}: {table.digests.message}"
    # For the type checker: a side without digests was returned above.
    assert before.digests is not None
    assert after.digests is not None
    if (before.digests.key, before.digests.check) != (after.digests.key, after.digests.check):
        return "the two sides' digests use different keys or encodings"
    return ""


def digests_unknown(before: TableFacts, after: TableFacts) -> dict[str, list[str]]:
    """What stays unknown although digests were taken."""
    a, b = before.digests, after.digests
    if a is None and b is None:
        return {}
    if reason := why_undigested(before, after):
        return {which_rows_of(before.title): [reason]}
    assert a is not None
    assert b is not None
    left_out = {**a.left_out, **b.left_out}
    both = {c.name for c in before.columns} & {c.name for c in after.columns}
    found = {
        f"the values of {before.title}.{c}": [reason]
        for c, reason in left_out.items()
        # A personal column was not compared before either; only what digests alone could tell is missed.
        if c in both and reason != LEFT_OUT
    }
    if a.which_rows != b.which_rows:
        many = sum(x != y for x, y in _bucketed(a, b).values())
        found[staying_values_of(before.title)] = [
            (
                f"rows were added or removed, in at most {many:,} of {BUCKETS:,} buckets; a baseline "
                "with --rows can tell which"
            )
        ]
    # The digest by rows differs although no column does: a key that is not unique.
    elif _between_rows_of_one_key(before, after):
        found[which_rows_of(before.title)] = [
            f"({', '.join(a.key)}) is not unique: values moved between rows with the same key"
        ]
    return found


def _between_rows_of_one_key(before: TableFacts, after: TableFacts) -> bool:
    """Whether rows differ and no column does: values changed places between rows of one key, which is none
    then.
    """
    left, right = (_column_digests(table) for table in (before, after))
    a, b = before.digests, after.digests
    # Late rows are in the sums of rows on one side only.
    if a is None or b is None or a.late or b.late or left != right:
        return False
    if any(c.name not in left and c.name not in a.left_out for t in (before, after) for c in t.columns):
        return False  # a column is missing in the digests of columns, and may be the one that differs
    return any(x != y for x, y in _bucketed(a, b).values())


def differing_buckets(before: TableDigests | None, after: TableDigests | None) -> frozenset[int]:
    """The numbers of the buckets whose rows differ: all of them where that is not known, or where rows
    came late.
    """
    # Late rows may lie in any bucket.
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
        # A column or table that went is a difference of its own.
        if title not in old or title not in new or column not in {c.name for c in new[title].columns}:
            continue  # the schema's own change says so
        found = now.get((title, column))
        outcome, reason = _keyed_outcome(keyed, found, before.secret == after.secret)
        if outcome == "same":
            continue
        # Sums over all rows say nothing of the rows that stayed.
        if not reason and not _same_rows(old[title], new[title]):
            reason = (
                "rows were added or removed, so the digest of a personal column says nothing about "
                "the remaining rows"
            )
        if reason:
            unknown.append(Unknown(f"the values of {title}.{column}", reason))
        else:
            # Not even the digest: under a key that leaks it would be a dictionary of values.
            changes.append(Change(VALUES, title, column, DIGEST, "(personal)", "(personal)"))
    return changes, unknown


def _keyed_outcome(old: KeyedDigest, new: KeyedDigest | None, one_key: bool) -> tuple[str, str]:
    """("same" or "differs", "") or ("", why it is not known). Two baselines can be compared only under one
    key.
    """
    if new is None or old.message or new.message:
        return "", old.message or (new.message if new is not None else "it was not digested")
    # Set where the run digested under the baseline's own key.
    if new.outcome:
        return new.outcome, ""
    if not one_key:
        return "", "each baseline digests with its own secret key"
    return ("same" if old.digest == new.digest else "differs"), ""


def _same_rows(before: TableFacts, after: TableFacts) -> bool:
    a, b = before.digests, after.digests
    return (
        a is not None and b is not None and not why_undigested(before, after) and a.which_rows == b.which_rows
    )


def _bucketed(a: TableDigests, b: TableDigests) -> dict[str, tuple[str, str]]:
    """Both sides' sums of each bucket."""
    # Split at the first colon: what follows holds others.
    left, right = (dict(bucket.split(":", 1) for bucket in side.buckets) for side in (a, b))
    return {number: (left.get(number, ""), right.get(number, "")) for number in left.keys() | right.keys()}
