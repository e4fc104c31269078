"""What a record says of tables and comparisons must not contradict itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation

from kisaan_validate.facts.kept import RowsCompared, ValuesCompared
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import Family, Profile, SequenceValue, TableDigests, TableFacts
from kisaan_validate.record.profile_consistency import profile_contradictions


# Names are looked up by dictionary everywhere: of two, one would vanish.
def twice(what: str, names: Iterable[str]) -> Iterator[str]:
    """Which names occur more than once."""
    for name, times in Counter(names).items():
        if times > 1:
            yield f"{what} {name!r} occurs {times} times"


def tables_contradictions(tables: Iterable[TableFacts]) -> Iterator[str]:
    """What in facts of tables cannot be."""
    every = tuple(tables)
    yield from twice("the table", (f"{t.schema}.{t.name}" for t in every))
    for table in every:
        yield from twice(f"{table.title}: the column", (c.name for c in table.columns))
        if table.rows is not None and table.rows < 0:
            yield f"{table.title}: {table.rows:,} rows"
        # A number or a reason, never both and never neither.
        if (table.rows is None) is not bool(table.reason):
            neither, both = (
                "no number of rows and no reason",
                "a number of rows and also a reason for having none",
            )
            yield f"{table.title}: {neither if table.rows is None else both}"
        for column in table.columns:
            if column.profile is not None:
                yield from _figures(f"{table.title}.{column.name}", column.profile, table.rows)
            yield from profile_contradictions(f"{table.title}.{column.name}", column, table.rows)
        if table.digests is not None:
            yield from _buckets(table.title, table.digests, table.rows)


def _figures(what: str, profile: Profile, rows: int | None) -> Iterator[str]:
    nulls = profile.nulls
    if nulls is not None and (nulls < 0 or (rows is not None and nulls > rows)):
        yield f"{what}: {nulls:,} NULLs among {'an unknown number of' if rows is None else f'{rows:,}'} rows"
    ends = (profile.minimum, profile.maximum)
    if (ends[0] is None) is not (ends[1] is None):
        yield f"{what}: a minimum without a maximum, or the reverse"
    if profile.personal and ends != (None, None):
        yield f"{what}: minimum and maximum of a personal column"
    # Only NULLs: there is no value to be the smallest.
    if rows is not None and nulls == rows and ends != (None, None):
        yield f"{what}: minimum and maximum without a value"
    if profile.family is Family.NUMBER and _reversed(*ends):
        yield f"{what}: the minimum {ends[0]} is greater than the maximum {ends[1]}"


def _reversed(minimum: str | None, maximum: str | None) -> bool:
    try:
        low, high = Decimal(minimum or "x"), Decimal(maximum or "x")
    except InvalidOperation:
        return False  # no decimal: what its order is, only its type knows
    # NaN is greater than every number to PostgreSQL, and compares with nothing to Decimal.
    return not (low.is_nan() or high.is_nan()) and low > high


def _buckets(title: str, digests: TableDigests, rows: int | None) -> Iterator[str]:
    if digests.late < 0:
        yield f"{title}: {digests.late:,} rows came later"
    if digests.message and digests.buckets:
        yield f"{title}: digests of its rows and also a reason for having none"
    try:
        numbers = [bucket.split(":") for bucket in digests.buckets]
        counted = sum(int(number[1]) for number in numbers)
    except (IndexError, ValueError):
        yield f"{title}: buckets of rows that cannot be read"
        return
    yield from twice(f"{title}: the bucket", (number[0] for number in numbers))
    # Fewer than the table has is possible: late rows are in no bucket.
    if digests.buckets and rows is not None and counted > rows:
        yield f"{title}: digests of {counted:,} rows of {rows:,}"


def sequences_contradictions(sequences: Iterable[SequenceValue]) -> Iterator[str]:
    """What in values of sequences cannot be."""
    yield from twice("the sequence", (s.name for s in sequences))


def comparisons_contradictions(run: Run) -> Iterator[str]:
    """What in comparisons of rows and values cannot be."""
    yield from twice("the rows of", (r.table for r in run.rows))
    yield from twice("the values of", (f"{v.table}.{v.column}" for v in run.values))
    for rows in run.rows:
        yield from _rows_compared(rows)
    for values in run.values:
        yield from _values_compared(values)


def _rows_compared(found: RowsCompared) -> Iterator[str]:
    numbers = {"added": found.added, "removed": found.removed, "changed": found.changed, "late": found.late}
    if any(number is not None and number < 0 for number in numbers.values()) or found.late > (
        found.added or 0
    ):
        yield (
            f"{found.table}: impossible numbers of rows: {found.added} added, {found.late} of "
            f"them late, {found.removed} removed"
        )
    # A reason stands just where no number does.
    if bool(found.message) is not (found.added is None):
        yield f"{found.table}: its rows were compared and not compared"
    for kind, keys in found.keys.items():
        most = numbers.get(kind)
        if most is not None and len(keys) > most:
            yield f"{found.table}: {len(keys):,} keys of {most:,} rows {kind}"


def _values_compared(found: ValuesCompared) -> Iterator[str]:
    what = f"{found.table}.{found.column}"
    if bool(found.message) is not (found.changed is None):
        yield f"{what}: its values were compared and not compared"
    changed, compared = found.changed or 0, found.compared or 0
    explained = sum(pattern.rows for pattern in found.patterns)
    if (
        not 0 <= changed <= compared
        or len(found.samples) > changed
        # Patterns share out the changed values, the unexplained ones among them.
        or (found.patterns and explained != changed)
    ):
        yield (
            f"{what}: {changed:,} changed values among {compared:,} rows; {explained:,} of them have "
            f"a pattern and {len(found.samples):,} are shown"
        )
