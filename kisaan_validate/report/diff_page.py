"""A comparison of two live sides as one self-contained page: no script, no request, printable."""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.row_differences import RowDiff, TableDiff
from kisaan_validate.report import text
from kisaan_validate.report.diff_tables import count, quiet_tables, schema_lines, sections
from kisaan_validate.report.page import PageFigure, PageKind, generator, printed_foot
from kisaan_validate.report.row_differences import verdict_of
from kisaan_validate.text.numbers import counted

PAGE = PageKind("diff.html.j2", ("diff.css",), {"count": count})

GENERATOR = '<meta name="generator" content="kisaan-validate diff '
"""The meta tag in the head of every such page."""

_WORDS = {
    "different": "Different",
    "cannot tell": "Could not be compared",
    "same": "The same",
    "same in what was compared": "The same in what was compared",
}
_SIGNS = {"different": "fail", "cannot tell": "error"}


@dataclass(frozen=True)
class SideFacts:
    """One side: its word, what was compared, where and when, as far as known."""

    word: str
    name: str
    place: Place | None

    @property
    def local(self) -> str:
        """The instant of its snapshot on its server's clock; "" where that is UTC."""
        return text.local(self.place.at, self.place.time_zone) if self.place is not None else ""


def render_diff(diff: RowDiff) -> str:
    """The page of a comparison. The same input gives the same bytes."""
    verdict = verdict_of(diff)
    return PAGE.render(
        _SIGNS.get(verdict, "pass"),
        _foot(diff, _WORDS[verdict]),
        generator=generator(GENERATOR),
        word=_WORDS[verdict],
        sentences=_sentences(diff),
        sides=_sides(diff),
        figures=_figures(diff),
        diff=diff,
        sections=(shown := sections(diff)),
        more=any(group.left for section in shown for group in section.groups),
        quiet=quiet_tables(diff),
        schema=schema_lines(diff.schema),
        unknown=(*diff.unknown, *(u for table in diff.tables for u in table.unknown)),
        late=any(table.late for table in diff.tables),
        masked=sum(len(table.masked) for table in diff.tables),
    )


def _sides(diff: RowDiff) -> tuple[SideFacts, SideFacts]:
    places: Sequence[Place | None] = diff.places or (None, None)
    return SideFacts("Before", diff.before, places[0]), SideFacts("After", diff.after, places[1])


def _sentences(diff: RowDiff) -> list[str]:
    """What differs, what could not be compared, what is the same: each with its exact number."""
    differing = [table for table in diff.tables if table.differs]
    part = [table for table in diff.tables if not table.known]
    same = [table for table in diff.tables if table.same]
    said = []
    if differing:
        said.append(f"Rows differ in {len(differing):,} of {counted(len(diff.tables), 'table')}.")
    if diff.schema:
        said.append(f"The schema has {counted(len(diff.schema), 'difference')}.")
    said += [f"Different: {item.words}." for item in diff.not_compared if item.judged]
    if part:
        said.append(f"{counted(len(part), 'table')} could not be compared completely.")
    if diff.unknown:
        said.append(f"{counted(len(diff.unknown), 'other comparison')} could not be made.")
    if same:
        rows = sum(table.rows_before or 0 for table in same)
        said.append(f"{_number_is(len(same))} the same row by row, {counted(rows, 'row')} in all.")
    return said or ["No table was compared."]


def _number_is(tables: int) -> str:
    return f"{counted(tables, 'table')} {'is' if tables == 1 else 'are'}"


def _figures(diff: RowDiff) -> tuple[PageFigure, ...]:
    return (
        _figure("Rows removed", diff.tables, [table.removed for table in diff.tables]),
        _figure("Rows changed", diff.tables, [table.changed for table in diff.tables]),
        _figure("Rows added", diff.tables, [table.added for table in diff.tables]),
        _schema_figure(diff),
    )


def _figure(title: str, tables: Sequence[TableDiff], found: Sequence[int | None]) -> PageFigure:
    known = [figure for figure in found if figure is not None]
    some = sum(figure > 0 for figure in known)
    words = [f"in {counted(some, 'table')}"] if some else []
    if open_ := len(found) - len(known):
        words.append(f"not known of {counted(open_, 'table')}")
    total = text.number(sum(known)) if known else count(None)
    return PageFigure(title, total, "; ".join(words) or "in no table", bool(some))


def _schema_figure(diff: RowDiff) -> PageFigure:
    left_out = any(item.what == "the schema" for item in diff.not_compared)
    if left_out:
        return PageFigure("Schema", "not compared", "left out", some=False)
    kinds, open_ = len({change.kind for change in diff.schema}), len(diff.unknown)
    words = [f"in {counted(kinds, 'kind')} of objects"] if kinds else []
    words += [f"{counted(open_, 'comparison')} not possible"] if open_ else []
    figure = count(None) if open_ and not kinds else text.number(len(diff.schema))
    return PageFigure("Schema", figure, "; ".join(words) or "no difference", bool(kinds))


def _foot(diff: RowDiff, word: str) -> str:
    sides = (f"{side.name}, {text.utc(side.place.at)}" if side.place else side.name for side in _sides(diff))
    return printed_foot("; ".join((word, *sides)))
