"""The tables of a comparison as its page shows them: counts, columns with what happened, sample rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.differences import Change
from kisaan_validate.facts.row_differences import Kind, RowChange, RowDiff, TableDiff
from kisaan_validate.report.deltas import NUMBERS, TIMES, delta
from kisaan_validate.report.marks import shown_alone, shown_apart
from kisaan_validate.report.row_differences import ALIKE, printed_alike
from kisaan_validate.report.text import number, signed

LONGEST = 120
"""Characters of a value that a page shows."""

UNFOLDED = 5
"""So many sample rows of a kind are seen at once; the others are folded."""

NOT_KNOWN = "not known"


@dataclass(frozen=True)
class ValuePair:
    """A changed value of a column, and how far both sides are apart, or that they are printed alike."""

    name: str
    before: Markup
    after: Markup
    delta: str


@dataclass(frozen=True)
class ColumnLine:
    """One changed column: in how many rows, by which patterns, and its first sample, if there is one."""

    name: str
    rows: int
    words: tuple[str, ...]
    example: ValuePair | None


@dataclass(frozen=True)
class SampleRow:
    """A row by (column, value) pairs of its key. ``values`` are what changed, ``fields`` (column, value) of
    a row that came or went ``copies`` times.
    """

    key: tuple[tuple[str, Markup], ...]
    values: tuple[ValuePair, ...] = ()
    fields: tuple[tuple[str, Markup], ...] = ()
    copies: int = 1


@dataclass(frozen=True)
class SampleGroup:
    """The samples of one kind. ``total`` rows are of that kind, None if that is not known."""

    word: str
    total: int | None
    rows: tuple[SampleRow, ...]

    @property
    def seen(self) -> tuple[SampleRow, ...]:
        """Those that are seen at once."""
        return self.rows[:UNFOLDED]

    @property
    def folded(self) -> tuple[SampleRow, ...]:
        """Those that are folded."""
        return self.rows[UNFOLDED:]

    @property
    def left(self) -> int:
        """How many rows are not shown."""
        return max(0, (self.total or 0) - sum(row.copies for row in self.rows))


@dataclass(frozen=True)
class TableSection:
    """One table that differs, or could not be compared completely."""

    table: TableDiff
    columns: tuple[ColumnLine, ...]
    of_rows: tuple[str, ...]
    groups: tuple[SampleGroup, ...]

    @property
    def delta(self) -> str:
        """The difference of the row counts, in words where it is not known."""
        before, after = self.table.rows_before, self.table.rows_after
        return NOT_KNOWN if before is None or after is None else signed(after - before)


def sections(diff: RowDiff) -> tuple[TableSection, ...]:
    """The tables that are not the same, the worst first: most rows gone, changed, come; then what is not
    known.
    """
    open_ = [table for table in diff.tables if not table.same or table.late or table.schema]
    return tuple(_section(table) for table in sorted(open_, key=_rank))


def quiet_tables(diff: RowDiff) -> tuple[TableDiff, ...]:
    """The tables that are the same, in order of name."""
    quiet = [table for table in diff.tables if table.same and not table.late and not table.schema]
    return tuple(sorted(quiet, key=lambda table: table.table))


def count(figure: int | None) -> str:
    """A figure as a cell."""
    return NOT_KNOWN if figure is None else number(figure)


def _rank(table: TableDiff) -> tuple[object, ...]:
    gone, changed, come = (-(figure or 0) for figure in (table.removed, table.changed, table.added))
    return (gone, changed, come, table.known, table.table)


def _section(table: TableDiff) -> TableSection:
    of_rows = tuple(pattern.words for pattern in table.patterns if not pattern.columns)
    groups = (
        _group(table, "Removed", table.removed, [c for c in table.samples if c.kind is Kind.REMOVED]),
        _group(table, "Changed", table.changed, [c for c in table.samples if c.kind is Kind.CHANGED]),
        _group(table, "Added", table.added, [c for c in table.samples if _came(c) and not c.late]),
        _group(table, "Came later", table.late, [c for c in table.samples if _came(c) and c.late]),
    )
    shown = tuple(group for group in groups if group.rows)
    return TableSection(table, tuple(_columns(table)), of_rows, shown)


def _came(change: RowChange) -> bool:
    return change.kind is Kind.ADDED


def _columns(table: TableDiff) -> list[ColumnLine]:
    """Its changed columns, those with most changed values first."""
    ranked = sorted(table.columns.items(), key=lambda item: -item[1])
    return [_column(table, name, rows) for name, rows in ranked]


def _column(table: TableDiff, name: str, rows: int) -> ColumnLine:
    words = tuple(pattern.words for pattern in table.patterns if name in pattern.columns)
    first = next((change for change in table.samples if name in change.columns), None)
    if first is None:
        return ColumnLine(name, rows, words, None)
    return ColumnLine(name, rows, words, _pair(table, first, name))


def _pair(table: TableDiff, change: RowChange, name: str) -> ValuePair:
    form = next((column.form for column in table.compared if column.name == name), "")
    before, after = change.before[name], change.after[name]
    apart = ALIKE if printed_alike(before, after) else delta(before, after, form)
    return ValuePair(name, *shown_apart(before, after, LONGEST, ends=form in NUMBERS | TIMES), apart)


def _group(table: TableDiff, word: str, total: int | None, changes: Sequence[RowChange]) -> SampleGroup:
    return SampleGroup(word, total, tuple(_sample(change, table) for change in changes))


def _sample(change: RowChange, table: TableDiff) -> SampleRow:
    key = tuple((n, shown_alone(v, LONGEST)) for n, v in zip(table.keyed_by, change.key, strict=True))
    if change.kind is not Kind.CHANGED:
        return SampleRow(key, fields=_fields(change.before or change.after), copies=change.copies)
    return SampleRow(key, tuple(_pair(table, change, name) for name in change.columns))


def _fields(row: Mapping[str, str | None]) -> tuple[tuple[str, Markup], ...]:
    return tuple((name, shown_alone(value, LONGEST)) for name, value in row.items())


@dataclass(frozen=True)
class SchemaLine:
    """One difference of the schema: what differs, in which object, before and after ("" if absent)."""

    what: str
    aspect: str
    before: Markup
    after: Markup


def schema_lines(changes: Sequence[Change]) -> tuple[SchemaLine, ...]:
    """Differences of the schema, in their order."""
    return tuple(_schema_line(change) for change in changes)


def _schema_line(change: Change) -> SchemaLine:
    name = ".".join(dict.fromkeys(part for part in (change.table, change.name) if part))
    before, after = change.before, change.after
    if before is not None and after is not None:
        drawn = shown_apart(before, after, 4 * LONGEST)
    else:
        drawn = _there(before), _there(after)
    return SchemaLine(f"{change.kind} {name}", change.aspect, *drawn)


def _there(text: str | None) -> Markup:
    """The text of an object that is on one side only."""
    return Markup('<span class="quiet">not there</span>') if text is None else shown_alone(text, 4 * LONGEST)
