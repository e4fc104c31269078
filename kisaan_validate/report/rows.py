"""Row counts as the page shows them: one line a table, with a picture of before and after."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kisaan_validate.model import Baseline, Change, Diff, Run, TableFacts
from kisaan_validate.report.svg import row_bar
from kisaan_validate.report.text import number, signed

PICTURED = 8
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


def row_lines(run: Run, baseline: Baseline | None, changes: Diff | None) -> tuple[RowLine, ...]:
    """Every table of either side, in order of name."""
    if baseline is None or changes is None:
        return tuple(_alone(table) for table in sorted(run.tables, key=lambda t: t.title))
    old, new = _reasons(baseline.tables), _reasons(run.tables)
    return tuple(_compared(change, old, new) for change in changes.rows)


def pictured(lines: Sequence[RowLine]) -> tuple[RowLine, ...]:
    """The tables of the first screen: those that changed or are not known, then others, largest first."""
    order = {"lost": 0, "unknown": 0, "gained": 1, "same": 2}
    ranked = sorted(lines, key=lambda line: (order[line.movement], -_size(line), line.table))
    return tuple(ranked[:PICTURED])


def movement_words(lines: Iterable[RowLine]) -> str:
    """How many tables lost rows, gained rows, stayed, or are not known; only what occurs."""
    words = {"lost": "with fewer rows", "gained": "with more rows", "unknown": "not known", "same": "unchanged"}
    found = [line.movement for line in lines]
    return ", ".join(f"{number(found.count(key))} {text}" for key, text in words.items() if key in found)


def _size(line: RowLine) -> int:
    digits = line.after.replace(",", "")
    return int(digits) if digits.isdigit() else 0


def _reasons(tables: Iterable[TableFacts]) -> dict[str, str]:
    return {table.title: table.reason or "not counted" for table in tables}


def _alone(table: TableFacts) -> RowLine:
    known = table.rows is not None
    count = number(table.rows) if table.rows is not None else "not counted"
    picture = Markup("")
    return RowLine(table.title, "", count, "", "same" if known else "unknown", picture, "" if known else table.reason)


def _compared(change: Change, old: dict[str, str], new: dict[str, str]) -> RowLine:
    name = change.table
    before = None if change.before is None else int(change.before)
    after = None if change.after is None else int(change.after)
    notes = [_missing("before", name, before, old), _missing("now", name, after, new)]
    return RowLine(
        table=name,
        before=number(before) if before is not None else _absent(name, old),
        after=number(after) if after is not None else _absent(name, new),
        delta=signed(change.delta) if change.delta is not None else "not known",
        movement=_movement(change.delta),
        picture=row_bar(before, after),
        note="; ".join(note for note in notes if note),
    )


def _absent(name: str, side: dict[str, str]) -> str:
    return "not counted" if name in side else "no such table"


def _missing(when: str, name: str, count: int | None, side: dict[str, str]) -> str:
    if count is not None:
        return ""
    return f"{when}: {side[name]}" if name in side else f"{when}: no such table, or it was not looked at"


def _movement(delta: int | None) -> str:
    if delta is None:
        return "unknown"
    return "same" if delta == 0 else ("gained" if delta > 0 else "lost")
