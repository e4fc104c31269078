"""Row counts as the page shows them: one line a table, with a picture of before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from kisaan_validate.compare.tables import row_counts
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.differences import NO_TABLE, TableRowCounts
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.report.svg import row_bar
from kisaan_validate.report.text import number, signed

PICTURED = 5
"""So many tables are drawn on the first screen; the section below has them all."""


@dataclass(frozen=True)
class RowLine:
    """One table's rows. ``before`` and ``after`` are numbers or words that say why there is none."""

    table: str
    before: str
    after: str
    delta: str
    movement: str
    picture: Markup
    note: str = ""


def row_lines(run: Run, baseline: Baseline | None) -> tuple[RowLine, ...]:
    """Every table of either side, in order of name."""
    # Unlike a pair, one side has no movement; what is unknown is still said to be unknown.
    if baseline is None:
        return tuple(_alone(table) for table in sorted(run.tables, key=lambda t: t.title))
    return tuple(_compared(count) for count in row_counts(baseline, baseline_of(run)))


def pictured(lines: Sequence[RowLine]) -> tuple[RowLine, ...]:
    """The tables of the first screen: those that changed or are not known, then others, largest first."""
    # Unknown stands with the lost ones: it may be a loss.
    order = {"lost": 0, "unknown": 0, "gained": 1, "same": 2}
    ranked = sorted(lines, key=lambda line: (order[line.movement], -_size(line), line.table))
    return tuple(ranked[:PICTURED])


def movement_words(lines: Iterable[RowLine]) -> str:
    """How many tables lost rows, gained rows, stayed, or are not known; only what occurs."""
    words = {
        "lost": "with fewer rows",
        "gained": "with more rows",
        "unknown": "not known",
        "same": "with the same number of rows",
    }
    found = [line.movement for line in lines]
    return ", ".join(f"{number(found.count(key))} {text}" for key, text in words.items() if key in found)


def _size(line: RowLine) -> int:
    # Words such as "not counted" are no number.
    digits = line.after.replace(",", "")
    return int(digits) if digits.isdigit() else 0


def _alone(table: TableFacts) -> RowLine:
    known = table.rows is not None
    count = number(table.rows) if table.rows is not None else "not counted"
    picture = Markup("")
    return RowLine(
        table.title, "", count, "", "same" if known else "unknown", picture, "" if known else table.reason
    )


def _compared(count: TableRowCounts) -> RowLine:
    before, after = count.before, count.after
    notes = [
        f"before: {count.before_reason}" if before is None else "",
        f"after: {count.after_reason}" if after is None else "",
    ]
    return RowLine(
        table=count.table,
        before=number(before) if before is not None else _absent(count.before_reason),
        after=number(after) if after is not None else _absent(count.after_reason),
        delta=signed(count.delta) if count.delta is not None else "not known",
        movement=_movement(count.delta),
        picture=row_bar(before, after),
        note="; ".join(note for note in notes if note),
    )


def _absent(reason: str) -> str:
    return "no such table" if reason == NO_TABLE else "not counted"


def _movement(delta: int | None) -> str:
    if delta is None:
        return "unknown"
    if delta == 0:
        return "same"
    if delta > 0:
        return "gained"
    return "lost"
