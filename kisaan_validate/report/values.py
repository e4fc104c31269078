"""Kept values beside the current ones, as people read them: how many changed, by which pattern, and the first
of them.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.kept import ValueChange, ValuesCompared
from kisaan_validate.facts.run import Run
from kisaan_validate.report.shown import Shown
from kisaan_validate.report.text import number, plain, shortened
from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import pair

SHOWN = 3
"""So many changed values of a column the console shows, unless all are asked for."""

LONGEST = 60
"""Characters of a value that the console shows."""


@dataclass(frozen=True)
class SampleLine:
    """One changed value. ``before`` and ``after`` are its texts, quoted; NULL is not. ``both``: as a line
    shows them.
    """

    key: str
    before: str
    after: str
    both: tuple[str, str]


@dataclass(frozen=True)
class ValueLine:
    """One kept column: how many rows changed in it, what patterns say, and samples."""

    table: str
    name: str
    words: str
    patterns: tuple[str, ...]
    samples: tuple[SampleLine, ...]


def value_lines(run: Run) -> tuple[ValueLine, ...]:
    """Every column whose values a baseline kept, those that changed first."""
    # Then those that could not be compared; the unchanged ones last.
    ranked = sorted(run.values, key=lambda c: (not c.changed, not c.message, c.table, c.column))
    return tuple(_line(column) for column in ranked)


def _line(column: ValuesCompared) -> ValueLine:
    return ValueLine(
        column.table,
        f"{column.table}.{column.column}",
        words_of(column),
        pattern_words(column),
        tuple(map(_sample, column.samples)),
    )


def words_of(column: ValuesCompared) -> str:
    """How many of the rows that are there on both sides have another value; or why that is not known."""
    # None is no zero: the reason stands in its place.
    if column.changed is None or column.compared is None:
        return f"not known: {column.message}"
    if not column.changed:
        return f"unchanged in all {counted(column.compared, 'row')} that are on both sides"
    return f"changed in {number(column.changed)} of {counted(column.compared, 'row')} that are on both sides"


def pattern_words(column: ValuesCompared) -> tuple[str, ...]:
    """What patterns say of the changed values, the unexplained ones last and always with their number."""
    if not column.changed:
        return ()
    said = [pattern.words for pattern in column.patterns if pattern.name != "unexplained"]
    # Said even if it is 0: "all explained" must be seen to be counted.
    return (*said, f"{number(column.unexplained)} unexplained")


def _sample(change: ValueChange) -> SampleLine:
    key = ", ".join(f"{name}={_text(value)}" for name, value in change.key)
    both = pair(change.before, change.after, longest=LONGEST)
    return SampleLine(key, _text(change.before), _text(change.after), both)


def _text(value: str | None) -> str:
    return "NULL" if value is None else f"'{value}'"


def print_values(console: Console, columns: Iterable[ValuesCompared], *, verbose: bool) -> None:
    """One line a kept column, and the first changed values; what is unknown is printed elsewhere, with
    everything else that is.
    """
    for column in columns:
        # Unknown ones are among what cannot be told, which is printed for all reasons at once.
        if column.changed is None or (not column.changed and not verbose):
            continue
        line = _line(column)
        said = "; ".join((line.words, *line.patterns))
        console.print(Shown(f"values  {plain(line.name)}: {plain(said)}", style="bold"), soft_wrap=True)
        for sample in line.samples[: None if verbose else SHOWN]:
            key = shortened(plain(sample.key), LONGEST)
            console.print(Shown(f"        {key}: {sample.both[0]} → {sample.both[1]}"), soft_wrap=True)
