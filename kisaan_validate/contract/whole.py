"""Digests of whole tables: put into a table's facts after they were measured, and compared where rows went
or came. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.digests import digest_change
from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.facts.differences import Change, Diff, staying_values_of
from kisaan_validate.facts.measure_key import WHICH_ROWS, buckets_key, by_key, of_column, whole_key
from kisaan_validate.facts.table import Measured, TableDigests, TableFacts


def attached(
    tables: Iterable[TableFacts],
    measured: Iterable[Measured],
    check: tuple[str, ...],
    is_left_out: Mapping[tuple[str, str], str],
) -> tuple[TableFacts, ...]:
    """The tables with what was measured of them. ``is_left_out`` says, by title and column, why it is not
    digested.
    """
    known = {m.id: m for m in measured}
    return tuple(_attached(table, known, check, is_left_out) for table in tables)


def _attached(
    table: TableFacts,
    known: Mapping[str, Measured],
    check: tuple[str, ...],
    reasons: Mapping[tuple[str, str], str],
) -> TableFacts:
    whole = known.get(whole_key(table.title).text)
    if whole is None or table.rows is None:
        return table
    if whole.message:
        # The reason is kept, so that the comparison can say why there is none.
        return replace(table, digests=TableDigests(message=whole.message))
    digests = {name: profile.digest for name, profile in whole.columns.items()}
    columns = tuple(
        replace(c, profile=replace(c.profile, digest=digests.get(by_key(of_column(c.name)).text)))
        if c.profile is not None
        else c
        for c in table.columns
    )
    left_out = {
        c.name: reasons[table.title, c.name] for c in table.columns if (table.title, c.name) in reasons
    }
    bucketed = known.get(buckets_key(table.title).text)
    buckets = bucketed.names if bucketed is not None else ()
    # Buckets end with their number of rows; what came after they were laid is late.
    late = table.rows - sum(int(bucket.split(":")[1]) for bucket in buckets)
    made = TableDigests(
        whole.names, check, digests.get(by_key(WHICH_ROWS).text) or "", buckets, left_out, late
    )
    return replace(table, columns=columns, digests=made)


def is_whole(measured: Measured) -> bool:
    """Whether a measure is kept in its table's facts, and not beside them."""
    return measured.id in {whole_key(measured.table).text, buckets_key(measured.table).text}


def refined(found: Diff, both: Both) -> Diff:
    """The differences, with what the contract's digests tell of tables whose rows went as promised.

    Where rows went, the digests of whole tables say nothing of the values of the others; those without the
    promised rows do.
    """
    changes, unknown = list(found.changes), []
    for item in found.unknown:
        tables = {**both.removals, **both.arrivals}
        table = next((t for t in tables if item.what == staying_values_of(t)), None)
        told = _told(both, table) if table is not None else None
        if told is None:
            unknown.append(item)
        else:
            changes += told
    # A set: figures and digests may have found the same change.
    return replace(found, changes=tuple(sorted(set(changes), key=lambda c: c.key)), unknown=tuple(unknown))


def _told(both: Both, table: str) -> list[Change] | None:
    """The columns that changed in the remaining rows; None where that is not known for each column."""
    try:
        story = story_of(both, table)
        # Other rows stayed than should: their values say nothing of the old ones.
        if not story.agree(WHICH_ROWS, WHICH_ROWS):
            return None
        columns = [c for c in both.before.tables[table].columns if c.profile is not None and c.profile.digest]
        return [change for c in columns if (change := _change(story, c.name)) is not None]
    except (CannotTell, KeyError):
        # A table that is new, or whose digests were not measured.
        return None


def _change(story: Story, column: str) -> Change | None:
    old, new = (story.digest(side, of_column(column)) for side in story.both.sides)
    return None if old == new else digest_change(story.table, column, old, new)
