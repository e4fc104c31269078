"""Every table as the page shows it: rows before, expected and now, what its checks came to, its columns,
what nothing looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kisaan_validate.compare.figures import differing
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import TableCoverage
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, TableFacts
from kisaan_validate.report.cards import Card
from kisaan_validate.report.marks import marked
from kisaan_validate.report.rows import RowLine, row_lines
from kisaan_validate.report.summary import STATUS_ORDER, STATUS_WORDS
from kisaan_validate.report.svg import status_bar
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement, expected_rows


@dataclass(frozen=True)
class ColumnCard:
    """One column: its type on both sides, its exact sum on both sides, and whether any check looked at it.

    ``equal`` is None where there is no exact sum on both sides to compare. ``moved`` says what became of
    the column: added, removed, retyped, or "".
    """

    name: str
    type_before: Markup
    type_now: Markup
    moved: str
    sum_before: Markup
    sum_now: Markup
    equal: bool | None
    looked: str


@dataclass(frozen=True)
class TableLine:
    """One table; ``rows`` has its counts. ``expected`` is "" where nothing said what to expect."""

    table: str
    rows: RowLine | None
    expected: str
    as_expected: bool
    picture: Markup
    statuses: str
    columns: tuple[ColumnCard, ...]
    moved: str
    coverage: TableCoverage | None
    uncovered: str


def table_lines(judged: Judgement, cards: Sequence[Card]) -> tuple[TableLine, ...]:
    """Every table that was counted on either side, or of which the coverage is known, in order of name."""
    run, baseline = judged.run, judged.before
    rows = {line.table: line for line in row_lines(run, baseline)}
    before = {t.title: t for t in baseline.tables} if baseline is not None else {}
    now = {t.title: t for t in (baseline_of(run).tables if baseline is not None else run.tables)}
    covered = {c.table: c for c in run.coverage}
    expected, found = expected_rows(judged), _statuses(cards)
    return tuple(
        _line(
            title,
            rows.get(title),
            (before.get(title), now.get(title)),
            expected,
            covered.get(title),
            found.get(title, Counter()),
        )
        # Tables without counts but with coverage too, so that none is missing from the page.
        for title in sorted({*rows, *covered})
    )


def _statuses(cards: Sequence[Card]) -> dict[str, Counter[Status]]:
    found: dict[str, Counter[Status]] = defaultdict(Counter)
    for card in cards:
        if card.check.table:
            # Titles leave out "public."; a check may have written it.
            found[card.check.table.removeprefix("public.")][card.result.status] += 1
    return found


def _line(
    title: str,
    rows: RowLine | None,
    sides: tuple[TableFacts | None, TableFacts | None],
    expected: Mapping[str, int | None],
    coverage: TableCoverage | None,
    statuses: Counter[Status],
) -> TableLine:
    columns = _columns(*sides, coverage)
    wanted = expected.get(title)
    # "" is no expectation, "cannot tell" is one that is unknown.
    said = "" if title not in expected else "cannot tell" if wanted is None else number(wanted)
    return TableLine(
        title,
        rows,
        said,
        # Both are formatted counts, and words such as "not counted" equal none.
        rows is not None and said == rows.after,
        status_bar(statuses),
        _words(statuses),
        columns,
        _moved(columns),
        coverage,
        _uncovered(coverage),
    )


def _moved(columns: Sequence[ColumnCard]) -> str:
    """How many columns were added, removed and retyped, in words."""
    found = Counter(column.moved for column in columns)
    return ", ".join(
        f"{number(found[word])} {word}" for word in ("added", "removed", "retyped") if found[word]
    )


def _words(statuses: Counter[Status]) -> str:
    parts = [f"{number(statuses[s])} {STATUS_WORDS[s].lower()}" for s in STATUS_ORDER if statuses[s]]
    return ", ".join(parts) or "no check of its own"


def _by_name(side: TableFacts | None) -> dict[str, ColumnFacts]:
    return {} if side is None else {c.name: c for c in side.columns}


def _columns(
    old: TableFacts | None, new: TableFacts | None, coverage: TableCoverage | None
) -> tuple[ColumnCard, ...]:
    left, right = _by_name(old), _by_name(new)
    known = (*coverage.judged, *coverage.described, *coverage.untouched) if coverage is not None else ()
    # The order of now, then what went, then columns that were not measured: names once each.
    names = dict.fromkeys((*right, *left, *known))
    return tuple(
        _column(name, left.get(name), right.get(name), old is not None, _looked(name, coverage))
        for name in names
    )


def _column(
    name: str, old: ColumnFacts | None, new: ColumnFacts | None, compared: bool, looked: str
) -> ColumnCard:
    types = (old.type if old is not None else None, new.type if new is not None else None)
    sums = _exact(old), _exact(new)
    equal = None
    if sums[0] is not None and sums[1] is not None:
        equal = "total" not in differing(sums[0], sums[1])
    # Alone there is nothing to mark: the type is drawn beside itself.
    both = marked(*types) if compared else (Markup(""), marked(types[1], types[1])[1])
    totals = [None if s is None else s.total or "none" for s in sums]
    drawn = (
        marked(totals[0], totals[1])
        # Equal sums may differ in trailing zeros, and a mark there would look like a finding.
        if equal is False
        else tuple(Markup("{}").format(t or "") for t in totals)
    )
    moved = _movement(*types) if compared else ""
    return ColumnCard(name, both[0], both[1], moved, drawn[0], drawn[1], equal, looked)


def _movement(before: str | None, now: str | None) -> str:
    """What became of a column, by its type on both sides (None: it is not there)."""
    if before == now:
        return ""
    if before is None:
        return "added"
    return "removed" if now is None else "retyped"


def _exact(column: ColumnFacts | None) -> Profile | None:
    profile = column.profile if column is not None else None
    if profile is not None and profile.family is Family.NUMBER and not profile.personal:
        return profile
    return None


def _looked(name: str, coverage: TableCoverage | None) -> str:
    if coverage is None:
        return "not known"
    if name in coverage.judged:
        return "values"
    return "type only" if name in coverage.described else "nothing"


def _uncovered(coverage: TableCoverage | None) -> str:
    """What no check touched of a table, in words; "" where nothing is left."""
    if coverage is None:
        return "what the checks read is not known"
    # A suite may leave a table out and check it in one assertion: then its coverage is told.
    if coverage.excluded and not coverage.checks:
        return "left out by the suite"
    if not coverage.judged and not coverage.described:
        if coverage.checks:
            return "no column read by any check"
        return "not read by any check"
    parts = [f"{counted(len(coverage.untouched), 'column')} unchecked"] if coverage.untouched else []
    parts += [f"{number(len(coverage.described))} only by type"] if coverage.described else []
    return ", ".join(parts)


@dataclass(frozen=True)
class Gaps:
    """What no check touched: tables without any check, and by table the columns untouched or known by
    their type only.

    ``untouched`` is the number of columns that no check touched, those of the tables among them.
    """

    tables: tuple[TableCoverage, ...]
    columns: tuple[TableCoverage, ...]
    words: str
    untouched: int


def coverage_gaps(coverage: Sequence[TableCoverage]) -> Gaps:
    """What is left over, and how much was looked at, in exact counts."""
    # A check of row counts reads no column and is a check.
    bare = tuple(c for c in coverage if not c.judged and not c.described and not c.checks)
    partly = tuple(c for c in coverage if c not in bare and (c.untouched or c.described))
    every = sum(len(c.judged) + len(c.described) + len(c.untouched) for c in coverage)
    read, typed = sum(len(c.judged) for c in coverage), sum(len(c.described) for c in coverage)
    words = (
        f"Checks read the values of {number(read)} of {counted(every, 'column')} in "
        f"{counted(len(coverage), 'table')}, only the type of {number(typed)} more, and nothing of "
        f"{number(every - read - typed)}."
    )
    return Gaps(bare, partly, words if coverage else "", every - read - typed)
