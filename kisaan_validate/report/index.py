"""All runs of a folder as pages: ``index.html`` with the newest, and one page a month with older ones.

Plain lists, and a script that only filters them.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC
from functools import cache
from itertools import groupby, islice, pairwise, takewhile
from urllib.parse import unquote_to_bytes

from jinja2 import Environment
from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.history.missed import missed
from kisaan_validate.record.index import Entry, RunsIndex, Unread
from kisaan_validate.record.typed import adapter
from kisaan_validate.report import text
from kisaan_validate.report.between import listed
from kisaan_validate.report.shell import environment, policy, source
from kisaan_validate.report.svg import ICON_PATHS
from kisaan_validate.report.trends import TrendLine, line_of, share_bar, verdict_strip
from kisaan_validate.text.numbers import counted
from kisaan_validate.version import VERSION

NEWEST = 200
"""So many runs stand on index.html; the months have all of those before."""

DRAWN = 60
"""So many runs of one database make a line."""

PICTURED = 12
"""So many databases are drawn, those with the newest runs; the others are listed."""

LISTED = 200
"""So many more databases, and so many folders that are no runs, are named; the page says how many are left
out.
"""

TABLES = 4
"""So many tables of a database are drawn."""

_WORST_FIRST = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)

ICONS = {"PASS": "pass", "FAIL": "fail", "INCONCLUSIVE": "error"}


@dataclass(frozen=True)
class DatabaseCard:
    """One database under one suite: its newest run, and lines over its runs."""

    newest: Entry
    total: int
    strip: Markup
    lines: tuple[TrendLine, ...]
    remarks: tuple[str, ...]
    missed: int = 0


@dataclass(frozen=True)
class Month:
    """The runs of one month of UTC: its page's name, how many came to which verdict."""

    name: str
    page: str
    entries: tuple[Entry, ...]

    @property
    def counts(self) -> dict[str, int]:
        """The number of runs of each verdict."""
        return _verdicts(self.entries)


def index_pages(index: RunsIndex) -> Iterator[tuple[str, str, str]]:
    """(name, what it is made of, text) of each page; the text is "" where ``index.pages`` says that it was
    made of the same.

    So the pages of months that did not change are not rendered. index.html comes last and always is.
    """
    older = older_months(index.entries)
    for month in older:
        made_of = _made_of(month)
        # An unchanged month is not rendered: a folder of ten thousand runs is indexed after each of them.
        yield month.page, made_of, "" if index.pages.get(month.page) == made_of else _month_page(month)
    yield "index.html", "", _front_page(index, older)


def older_months(entries: Sequence[Entry]) -> tuple[Month, ...]:
    """The months that have runs which do not stand on index.html, the newest first, with all their runs."""
    # A month that is split between index.html and older runs gets a page with all of its runs.
    older = {_month(entry) for entry in entries[NEWEST:]}
    return tuple(month for month in _months(entries) if month.name in older)


def _months(entries: Sequence[Entry]) -> tuple[Month, ...]:
    return tuple(
        # Entries come newest first, so each month's are adjacent, as groupby needs them.
        Month(name, f"index-{name}.html", tuple(found))
        for name, found in groupby(entries, key=_month)
    )


def _month(entry: Entry) -> str:
    # In UTC, as everywhere else: a run belongs to the same month on every machine.
    return f"{entry.at.astimezone(UTC):%Y-%m}"


def _made_of(month: Month) -> str:
    # Of the entries, not of the page: rendering it to see whether it changed would cost the same.
    plain = json.dumps(
        adapter(tuple[Entry, ...]).dump_python(month.entries, mode="json"), separators=(",", ":")
    )
    return hashlib.sha256(f"{_look()}{plain}".encode()).hexdigest()


@cache
def _look() -> str:
    """What all pages share: another version or style renders them again."""
    return VERSION + "".join(source(name) for name in ("index.html.j2", "index.css", "index.js"))


def _front_page(index: RunsIndex, older: tuple[Month, ...]) -> str:
    entries = index.entries
    targets, others = _targets(entries)
    return _render(
        title=_title(entries),
        month=None,
        # A cut month shows its newest runs here; its own page has them all.
        months=_months(entries[:NEWEST]),
        older=older,
        total=len(entries),
        shown=min(len(entries), NEWEST),
        counts=_verdicts(entries),
        targets=targets,
        others=others,
        unread=_named(index.unread),
        unread_total=len(index.unread),
        sentence=_sentence(entries),
    )


def _month_page(month: Month) -> str:
    return _render(
        title=f"Runs of {month.name}",
        month=month,
        months=(month,),
        older=(),
        total=len(month.entries),
        shown=len(month.entries),
        counts=month.counts,
        targets=(),
        others=(),
        unread=(),
        unread_total=0,
        sentence="",
    )


def _title(entries: Sequence[Entry]) -> str:
    if not entries:
        return "No runs"
    newest = entries[0]
    return (
        f"{newest.verdict.value}: {text.plain(newest.database)}, and "
        f"{counted(len(entries) - 1, 'earlier run')}"
    )


def _sentence(entries: Sequence[Entry]) -> str:
    """How many runs of what, since when, and how the newest of each database came out."""
    if not entries:
        return "No runs in this folder yet."
    # Reversed, so that the newest run of each target is the one that stays.
    newest = {entry.target: entry for entry in reversed(entries)}.values()
    states = Counter(entry.verdict for entry in newest)
    first, last = entries[-1].at.astimezone(UTC), entries[0].at.astimezone(UTC)
    words = {Verdict.FAIL: "failed", Verdict.INCONCLUSIVE: "inconclusive", Verdict.PASS: "passed"}
    said = ", ".join(f"{states[verdict]:,} {word}" for verdict, word in words.items() if states[verdict])
    times = f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
    runs = f"{counted(len(entries), 'run')} of {counted(len(newest), 'database')}, {times}."
    return f"{runs} Newest {'run' if len(newest) == 1 else 'run of each'}: {said}."


def _verdicts(entries: Sequence[Entry]) -> dict[str, int]:
    found = Counter(entry.verdict for entry in entries)
    return {verdict.value: found[verdict] for verdict in _WORST_FIRST}


def _named(unread: Sequence[Unread]) -> tuple[Unread, ...]:
    # Damaged folders first: a run that cannot be read may have been a failure.
    return tuple(sorted(unread, key=lambda found: (not found.damaged, found.folder))[:LISTED])


def _targets(entries: Sequence[Entry]) -> tuple[tuple[DatabaseCard, ...], tuple[Entry, ...]]:
    """The databases that are drawn, and the newest runs of the others; whichever ran last comes first, of
    the drawn the worst.
    """
    found: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.target].append(entry)
    # In order of their newest run, since entries are and a dict keeps the order of its keys.
    runs = list(found.values())
    drawn = sorted(runs[:PICTURED], key=lambda own: _WORST_FIRST.index(own[0].verdict))
    return tuple(_target(own) for own in drawn), tuple(own[0] for own in runs[PICTURED:])


def _target(own: Sequence[Entry]) -> DatabaseCard:
    """``own``: all runs of it, the newest first."""
    # Partial runs are left out: fewer failing checks of fewer checks would draw an improvement.
    whole = list(islice((entry for entry in own if entry.whole), DRAWN))[::-1]
    drawn = list(islice(own, DRAWN))[::-1]
    gaps = missed([entry.at for entry in drawn], own[0].every_seconds)
    verdicts = _with_missed(drawn, gaps)
    counts = ", ".join(f"{number:,} {word}" for word, number in _verdicts(whole).items() if number)
    counts += f", {sum(gaps):,} missed" if sum(gaps) else ""
    lines = []
    if whole:
        lines = [
            line_of("Failing checks", [entry.failed for entry in whole], "", from_zero=True),
            line_of("Time", [entry.milliseconds for entry in whole], "ms", from_zero=True),
            *_table_lines(whole),
        ]
    strip = verdict_strip(verdicts, f"{counted(len(whole), 'complete run')}, oldest first: {counts}")
    remarks = (*_missed_words(drawn, gaps), *_remarks(own, len(whole)))
    return DatabaseCard(own[0], len(own), strip, tuple(lines), remarks, sum(gaps))


def _with_missed(drawn: Sequence[Entry], gaps: Sequence[int]) -> list[Verdict | None]:
    """The verdicts of whole runs, the oldest first, with a None for each run that was missed."""
    marks: list[Verdict | None] = []
    for entry, gap in zip(drawn, gaps, strict=True):
        # A partial run says that it ran, and nothing of the suite: it stands for no verdict.
        marks += [*[None] * min(gap, 10), *([entry.verdict] if entry.whole else [])]
    return marks


def _missed_words(drawn: Sequence[Entry], gaps: Sequence[int]) -> Iterator[str]:
    """Where runs are missing, the newest gap first; of more than three gaps only their number."""
    found = [
        (before, after, gap) for before, after, gap in zip(drawn, drawn[1:], gaps[1:], strict=False) if gap
    ]
    for before, after, gap in found[:-4:-1]:
        yield f"Missed: {counted(gap, 'run')} between {text.utc(before.at)} and {text.utc(after.at)}."
    if len(found) > 3:
        yield f"Missed before that: {counted(sum(gap for *_, gap in found[:-3]), 'run')}."


def _table_lines(whole: Sequence[Entry]) -> Iterator[TrendLine]:
    """The largest tables of the newest run, each on a scale of its own."""
    # The newest run's choice holds for the whole line, so that one table is followed and not a mix.
    for name, _ in whole[-1].tables[:TABLES]:
        # Not from zero: a hundred rows lost of a million would be a flat line.
        yield line_of(
            f"Rows of {name}", [dict(entry.tables).get(name) for entry in whole], "", from_zero=False
        )


def _remarks(own: Sequence[Entry], drawn: int) -> Iterator[str]:
    if left := sum(not entry.whole for entry in own):
        yield f"{counted(left, 'partial or interrupted run')} {'is' if left == 1 else 'are'} not drawn."
    if more := sum(entry.whole for entry in own) - drawn:
        yield (
            f"The lines show the newest {drawn} runs; {counted(more, 'earlier run')} "
            f"{'is' if more == 1 else 'are'} not drawn."
        )
    for newer, older in pairwise(own):
        # The same host and name with another system identifier is another cluster: a restore, or a wrong
        # address.
        if newer.server != older.server:
            yield (
                f"A different server answers under this name since {text.utc(newer.at)}: the system "
                "identifier changed."
            )
            break
    if own[0].verdict is not Verdict.PASS:
        # A partial run that passed says nothing of the checks it left out.
        passed = next((entry for entry in own if entry.verdict is Verdict.PASS and entry.whole), None)
        yield (
            f"Last passed on {text.utc(passed.at)}."
            if passed is not None
            else "No complete run in this folder passed."
        )
        yield from _began(own)


def _began(own: Sequence[Entry]) -> Iterator[str]:
    """Since when the newest runs fail, and what happened between the last that passed and the first of
    them. ``own``: all runs of a database, the newest first.
    """
    whole = [entry for entry in own if entry.whole]
    since = list(takewhile(lambda entry: entry.verdict is not Verdict.PASS, whole))
    failed = [entry for entry in since if entry.verdict is Verdict.FAIL]
    if not failed:
        return
    yield f"Failing since {text.utc(failed[-1].at)}, on {counted(len(failed), 'night')}."
    # From the run behind the one that passed to the first that failed, whatever lies between.
    until = own.index(failed[-1])
    before = list(takewhile(lambda entry: not (entry.whole and entry.verdict is Verdict.PASS), own[until:]))
    happened = dict.fromkeys(said for entry in reversed(before) for said in entry.between)
    if happened and len(since) < len(whole):
        said = text.flat(listed(tuple(happened)))
        yield f"Between the last night that passed and the first that failed: {said}."


def _render(**facts: object) -> str:
    style, script = source("index.css"), source("index.js")
    template = _templates().get_template("index.html.j2")
    return template.render(
        style=Markup(style),
        script=Markup(script),
        policy=policy(style, script),
        icons=ICON_PATHS,
        icon_of=ICONS,
        version=VERSION,
        **facts,
    )


def _share(entry: Entry) -> Markup:
    """How much of a run failed, as a picture; the number stands beside it."""
    return share_bar(entry.failed, entry.unanswered, entry.checks)


def _compared(entry: Entry) -> str:
    """What the comparison with a baseline came to, in words; "" where there is nothing to say."""
    found = [
        f"{counted(entry.unkept, 'promise')} not kept" if entry.unkept else "",
        f"{counted(entry.unexplained, 'difference')} unexplained" if entry.unexplained else "",
        f"{counted(entry.listed, 'difference')}, judged by no contract" if entry.listed else "",
        f"{text.number(entry.untold)} could not be compared" if entry.untold else "",
        f"{counted(entry.inapplicable, 'promise')} not applicable" if entry.inapplicable else "",
    ]
    said = ", ".join(filter(None, found))
    return ": ".join(filter(None, (f"contract {entry.contract}" if entry.contract else "", said)))


def _folder(encoded: str) -> Markup:
    """The name of a folder as people see it; bytes that are no UTF-8 are shown as such."""
    # Names of folders are bytes on Linux; they travel percent-encoded in the index.
    return text.prose(text.shortened(unquote_to_bytes(encoded).decode("utf-8", "backslashreplace"), 120))


@cache
def _templates() -> Environment:
    return environment({"folder": _folder, "compared": _compared, "share": _share})
