"""Every table as the page shows it: rows before, expected and now, what its checks came to, its columns,
what nothing looked at.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from kisaan_validate.compare.figures import differing
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import VALUES
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import TableCoverage
from kisaan_validate.facts.table import ColumnFacts, Family, Profile, TableFacts
from kisaan_validate.report.cards import Card
from kisaan_validate.report.marks import marked
from kisaan_validate.report.rows import RowLine, row_lines
from kisaan_validate.report.summary import STATUS_ORDER, STATUS_WORDS
from kisaan_validate.report.svg import status_bar
from kisaan_validate.report.text import number, prose
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement, expected_rows

QUIET = {Status.PASS, Status.NOT_APPLICABLE}
"""What a reader need not be shown of a table's checks."""


@dataclass(frozen=True)
class ColumnCard:
    """One column: its type, its exact sum where there is one on both sides, and whether any check read it.

    What is equal on both sides stands once. What differs is "changed" where the changes of its table show
    both sides (``told``), else both stand here. ``moved`` says what happened to the column: added, removed,
    retyped, or "".
    """

    name: str
    type: Markup
    moved: str
    sum: Markup
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
    """Every table that was counted on either side or whose coverage is known, by name."""
    run, baseline = judged.run, judged.before
    rows = {line.table: line for line in row_lines(run, baseline)}
    before = {t.title: t for t in baseline.tables} if baseline is not None else {}
    now = {t.title: t for t in (baseline_of(run).tables if baseline is not None else run.tables)}
    covered = {c.table: c for c in run.coverage}
    expected, found, told = expected_rows(judged), _statuses(cards), _told(judged)
    return tuple(
        _line(
            title,
            rows.get(title),
            (before.get(title), now.get(title)),
            expected,
            covered.get(title),
            found.get(title, Counter()),
            told.get(title, frozenset()),
        )
        # Tables without counts but with coverage too, so that none is missing from the page.
        for title in sorted({*rows, *covered})
    )


Told = frozenset[tuple[str, str]]
"""(column, "type" or "total"): what the changes of a table show before and after."""


def _told(judged: Judgement) -> dict[str, Told]:
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for change in judged.diff.changes if judged.diff is not None else ():
        if change.kind in {"column", VALUES}:
            found[change.table].add((change.name, change.aspect))
    return {table: frozenset(columns) for table, columns in found.items()}


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
    told: Told,
) -> TableLine:
    columns = _columns(*sides, coverage, told)
    wanted = expected.get(title)
    # "" is no expectation, "cannot tell" is one that is unknown.
    said = "" if title not in expected else "cannot tell" if wanted is None else number(wanted)
    return TableLine(
        title,
        rows,
        said,
        # Both are formatted counts, and words such as "not counted" equal none.
        rows is not None and said == rows.after,
        # Where all is in order there is nothing to see: the number says it.
        status_bar(statuses) if set(statuses) - QUIET else Markup(""),
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
    """What of its checks is not in order; the table's own part says the rest."""
    told = [s for s in STATUS_ORDER if statuses[s] and s not in QUIET]
    parts = [f"{number(statuses[s])} {STATUS_WORDS[s].lower()}" for s in told]
    total = sum(statuses.values())
    return ", ".join(parts) or (counted(total, "check") if total else "no check of its own")


def _by_name(side: TableFacts | None) -> dict[str, ColumnFacts]:
    return {} if side is None else {c.name: c for c in side.columns}


def _columns(
    old: TableFacts | None, new: TableFacts | None, coverage: TableCoverage | None, told: Told
) -> tuple[ColumnCard, ...]:
    left, right = _by_name(old), _by_name(new)
    known = (*coverage.judged, *coverage.described, *coverage.untouched) if coverage is not None else ()
    # The current order, then what went, then columns that were not measured: names once each.
    names = dict.fromkeys((*right, *left, *known))
    return tuple(
        _column(name, (left.get(name), right.get(name)), old is not None, _looked(name, coverage), told)
        for name in names
    )


def _column(
    name: str,
    sides: tuple[ColumnFacts | None, ColumnFacts | None],
    compared: bool,
    looked: str,
    told: Told,
) -> ColumnCard:
    before, now = (side.type if side is not None else None for side in sides)
    # Alone there is nothing to compare: the type stands as it is.
    drawn = _sides(before if compared else now, now, (name, "type") in told)
    moved = _movement(before, now) if compared else ""
    return ColumnCard(name, drawn, moved, _sum(name, sides, told), looked)


def _sum(name: str, sides: tuple[ColumnFacts | None, ColumnFacts | None], told: Told) -> Markup:
    """The exact sum of a column that has one on both sides; "" else."""
    old, new = (_exact(side) for side in sides)
    if old is None or new is None:
        return Markup("")
    totals = (old.total or "none", new.total or "none")
    # Equal sums may differ in trailing zeros, and that is no finding.
    same = "total" not in differing(old, new)
    return _sides(totals[1] if same else totals[0], totals[1], (name, "total") in told)


def _sides(before: str | None, now: str | None, told: bool) -> Markup:
    """One text where both are equal; where the changes tell them apart, that they do."""
    if before == now:
        return prose(now or "")
    if told:
        return Markup('<b class="st s-error">changed</b>')
    return Markup("{} → {}").format(*marked(before, now))


def _movement(before: str | None, now: str | None) -> str:
    """What happened to a column, by its type on both sides (None: it is not there)."""
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
    # A suite may leave a table out and check it in one assertion: then its coverage is shown.
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
