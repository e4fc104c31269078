"""The observer of a comparison that names patterns: one tally a column, one for the rows that came and
went.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from kisaan_validate.compare.patterns import numbers, texts, times, values
from kisaan_validate.compare.patterns.base import Off, Pair, Pattern, Sort, sort_of, sort_of_form
from kisaan_validate.compare.patterns.rows import Contents, Copied, Swapped, copies_of, plain, swaps_of
from kisaan_validate.compare.patterns.tally import ColumnTally, Findings, PatternClaim, Supposition
from kisaan_validate.facts.result import MASKED
from kisaan_validate.facts.row_differences import ColumnPair, Kind, PatternFound, RowChange
from kisaan_validate.text.cutting import is_cut

LIBRARY: tuple[Pattern, ...] = (
    Swapped(),
    *values.PATTERNS[:4],
    *numbers.PATTERNS,
    *times.PATTERNS,
    *texts.PATTERNS,
    *values.PATTERNS[4:],
    Copied(),
)
"""All patterns, the most specific first: where two of a group fit equally many rows, the earlier is
preferred.
"""

_SWAPPED, _COPIED = 0, len(LIBRARY) - 1
_MOST_SHOWN = 12
_MANY_COLUMNS = 40

UNEXPLAINED, FURTHER, EXCHANGED = "unexplained", "further patterns", "exchanged between rows"
"""Names of what is said of a column beside its patterns: the rest, what is not listed, values that changed
places.
"""

RENUMBERED, REPEATED = "key changed", "added twice"
"""Names of what is said of rows that came and went."""


def patterns_for(*sorts: Sort) -> tuple[Pattern, ...]:
    """The library with what cannot fit a column of these sorts switched off, each pattern in its place."""
    return tuple(p if p.sorts.intersection(sorts) else _OFF for p in LIBRARY)


_OFF = Off()


def _patterns_of(column: ColumnPair) -> tuple[Pattern, ...]:
    sorts = (
        sort_of(column.before_type),
        sort_of(column.after_type),
        sort_of_form(column.form, column.after_type),
    )
    return patterns_for(*sorts)


class _Table:
    """What was seen of one table."""

    def __init__(self, columns: Sequence[ColumnPair], keyed_by: Sequence[str]) -> None:
        self.key = tuple(keyed_by)
        self.columns = {c.name: c for c in columns}
        self.sorts = {c.name: sort_of_form(c.form, c.after_type) for c in columns}
        self.personal = {c.name: c.personal for c in columns}
        self.tallies = {c.name: ColumnTally(_patterns_of(c), self.sorts[c.name]) for c in columns}
        self.akin = {
            # Booleans are equal by accident half of the time.
            n: [o for o in self.sorts if o != n and self.sorts[o] is s is not Sort.TRUTH]
            for n, s in self.sorts.items()
        }
        self.contents = Contents()


class Watch:
    """An ``Observer`` of a comparison."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def begin(self, table: str, columns: Sequence[ColumnPair], key: Sequence[str] = ()) -> None:
        """Forget what was seen of the table; ``key`` are the key's columns."""
        self._tables[table] = _Table(columns, key)

    def see(self, change: RowChange) -> None:
        """One row that differs."""
        table = self._tables[change.table]
        if change.kind is Kind.CHANGED:
            _see_changed(table, change)
        # Late rows were not there to be moved.
        elif not change.late:
            came = change.kind is Kind.ADDED
            row = change.after if came else change.before
            content = [
                plain(row.get(name), sort) for name, sort in table.sorts.items() if name not in table.key
            ]
            # A table of key columns only has nothing to recognise a row by.
            if content:
                table.contents.see(change, content, came)

    def end(self, table: str) -> tuple[PatternFound, ...]:
        """The patterns of the table: of its columns in their order, then of its rows."""
        seen = self._tables.pop(table)
        findings = {name: tally.findings() for name, tally in seen.tallies.items() if tally.rows}
        columns = (
            _of_column(name, of, _without_repeats(name, of, findings), seen.personal[name])
            for name, of in findings.items()
        )
        return (*chain.from_iterable(columns), *_of_rows(seen))


def _see_changed(table: _Table, change: RowChange) -> None:
    pairs = {name: Pair(change.before[name], change.after[name]) for name in change.columns}
    for name in [
        name for name, pair in pairs.items() if pair.after and (is_cut(pair.before) or is_cut(pair.after))
    ]:
        table.tallies[name].add_unseen(pairs.pop(name))  # of a beginning nothing follows for the whole
    # What was cut takes no part in swaps and copies either.
    change = replace(change, columns=tuple(pairs))
    left = [name for name in change.columns if not table.tallies[name].is_led(pairs[name])]
    if not left:
        return
    swapped = _swapped(table, change)
    for name in left:
        others = (other for other in table.akin[name] if other not in pairs)
        copied = [(_COPIED, (other,)) for other in copies_of(name, others, change.after)]
        table.tallies[name].add(pairs[name], (*swapped.get(name, ()), *copied))


def _swapped(table: _Table, change: RowChange) -> dict[str, list[Supposition]]:
    """For each changed column those with which it changed places."""
    found: dict[str, list[Supposition]] = {}
    # Pairs grow with the square of the columns.
    if 1 < len(change.columns) <= _MANY_COLUMNS:
        before, after = (
            {n: plain(side[n], table.sorts[n]) for n in change.columns}
            for side in (change.before, change.after)
        )
        for one, other in swaps_of(change.columns, before, after):
            found.setdefault(one, []).append((_SWAPPED, (other,)))
            found.setdefault(other, []).append((_SWAPPED, (one,)))
    return found


def _without_repeats(name: str, of: Findings, all: Mapping[str, Findings]) -> list[PatternClaim]:
    """The claims of a column but for exchanges that are said at the earlier of the two columns."""
    order = list(all)
    kept = []
    for claim in of.claims:
        # An exchange is found at both columns and said once, at the earlier.
        if claim.pattern.name == Swapped.name and order.index(claim.parameter[0]) < order.index(name):
            twins = all[claim.parameter[0]].claims
            if any(
                t.pattern.name == Swapped.name and t.parameter == (name,) and t.rows == claim.rows
                for t in twins
            ):
                continue
        kept.append(claim)
    return kept


def _of_column(
    name: str, of: Findings, claims: Sequence[PatternClaim], personal: bool
) -> Iterator[PatternFound]:
    for claim in claims[:_MOST_SHOWN]:
        yield _found(name, claim, of.rows, personal)
    if others := claims[_MOST_SHOWN:]:
        rows = sum(claim.rows for claim in others)
        yield PatternFound(
            (name,), FURTHER, rows, f"{len(others):,} further patterns in {_share(rows, of.rows)}"
        )
    if of.exchanged:
        yield PatternFound(
            (name,),
            EXCHANGED,
            of.exchanged,
            f"the old values are in other rows in {_share(of.exchanged, of.rows)}",
        )
    if of.unexplained:
        yield PatternFound(
            (name,), UNEXPLAINED, of.unexplained, f"unexplained in {_share(of.unexplained, of.rows)}"
        )


def _found(name: str, claim: PatternClaim, changed: int, personal: bool) -> PatternFound:
    pattern, parameter = claim.pattern, claim.parameter
    # A pattern's parameter may be somebody's value.
    hidden = personal and pattern.quotes(parameter)
    says = f"{pattern.name}, {MASKED}," if hidden else pattern.says(parameter)
    words = f"{says} in {'at least ' if claim.at_least else ''}{_share(claim.rows, changed)}"
    columns = (name, *parameter) if pattern.name == Swapped.name else (name,)
    return PatternFound(
        columns, pattern.name, claim.rows, words, {} if hidden else dict(pattern.facts(parameter))
    )


def _share(rows: int, of: int) -> str:
    return f"{rows:,} of {of:,} changed row{'s' if of != 1 else ''}"


def _of_rows(table: _Table) -> Iterator[PatternFound]:
    contents = table.contents
    if moved := contents.renumbered:
        how = "; ".join(_of_keys(table))
        words = f"{moved:,} of {contents.removed:,} removed rows equal an added row except for the key"
        yield PatternFound(
            (), RENUMBERED, moved, f"{words} ({how})" if how else words, {"key": how} if how else {}
        )
    if twice := contents.repeated:
        words = (
            f"{twice:,} of {contents.added:,} added rows repeat another added "
            f"row{' except for the key' if table.key else ''}"
        )
        yield PatternFound((), REPEATED, twice, words)


def _of_keys(table: _Table) -> Iterator[str]:
    """What happened to the keys of the rows that came back, column by column."""
    pairs = list(table.contents.keys())
    for n, name in enumerate(table.key):
        column = table.columns[name]
        tally = ColumnTally(_patterns_of(column), table.sorts[name])
        for old, new in pairs:
            # A key of several columns may have changed in one of them.
            if plain(old[n], table.sorts[name]) != plain(new[n], table.sorts[name]):
                tally.add(Pair(old[n], new[n]))
        found = tally.findings()
        for claim in found.claims[:2]:
            yield f"{name}: {_found(name, claim, found.rows, column.personal).words}"
