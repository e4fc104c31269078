"""Profiles as the page shows them: figures before and after, a histogram, the most frequent values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.distribution import Distribution, Frequent
from kisaan_validate.facts.table import ColumnFacts, Profile, TableFacts
from kisaan_validate.plan.figures import TEXT_LIMIT, base_of
from kisaan_validate.plan.histogram import AXES
from kisaan_validate.plan.profiles import FREQUENT, SHARES
from kisaan_validate.report.deltas import delta
from kisaan_validate.report.histograms import HistogramView, histogram_views, value_bar
from kisaan_validate.report.marks import shown_alone
from kisaan_validate.report.text import number, signed
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement

LONGEST = 60
"""Characters of a value that the page shows; the record has up to 200."""

_SHARE_WORDS = {"0.25": "first quartile", "0.5": "median", "0.75": "third quartile"}

Pair = tuple[str | None, str | None]


@dataclass(frozen=True)
class FigurePair:
    """One figure on both sides, and how far they are apart ("" where that is not to be said)."""

    name: str
    before: Markup | None
    after: Markup | None
    difference: str
    differs: bool


@dataclass(frozen=True)
class FrequentLine:
    """One frequent value: its rows on both sides in words, and a bar for the side that is drawn."""

    value: Markup
    bar: Markup
    before: str
    after: str
    difference: str


@dataclass(frozen=True)
class ColumnView:
    """One column; ``remarks`` say what is not shown, and why."""

    name: str
    type: str
    compared: bool
    figures: tuple[FigurePair, ...]
    histograms: tuple[HistogramView, ...]
    frequent: tuple[FrequentLine, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class ProfileView:
    """One table; ``words`` say how many columns were profiled, and how many differ."""

    table: str
    words: str
    compared: bool
    columns: tuple[ColumnView, ...]


def profile_views(judged: Judgement) -> tuple[ProfileView, ...]:
    """Every table that was profiled on either side, in order of name; () where nobody asked for it."""
    before = {t.title: t for t in judged.before.tables} if judged.before is not None else {}
    tables = baseline_of(judged.run).tables
    now = {t.title: t for t in tables}
    found = ((title, before.get(title), now.get(title)) for title in sorted({*before, *now}))
    return tuple(_table(*sides) for sides in found if _profiled(sides[1]) or _profiled(sides[2]))


def _profiled(table: TableFacts | None) -> bool:
    return table is not None and any(c.distribution is not None for c in table.columns)


def _table(title: str, old: TableFacts | None, new: TableFacts | None) -> ProfileView:
    left, right = _by_name(old), _by_name(new)
    columns = tuple(_column(left.get(name), right.get(name)) for name in dict.fromkeys((*right, *left)))
    both = [c for c in columns if c.compared]
    differ = sum(any(line.differs for line in c.figures) for c in both)
    words = counted(len(columns), "column")
    words += f", figures differ in {number(differ)}" if both else ""
    return ProfileView(title, words, bool(both), columns)


def _by_name(table: TableFacts | None) -> dict[str, ColumnFacts]:
    return {c.name: c for c in table.columns} if table is not None else {}


def _column(old: ColumnFacts | None, new: ColumnFacts | None) -> ColumnView:
    shown = new or old
    assert shown is not None  # a name comes from one of the sides
    private = _personal(old) or _personal(new)
    if private:  # what is personal on one side is not shown of the other
        old, new = _counted_only(old), _counted_only(new)
    sides = (_told(old), _told(new))
    compared = old is not None and new is not None and sides[0] is not None and sides[1] is not None
    return ColumnView(
        shown.name,
        shown.type,
        compared,
        tuple(_figures(old, new)),
        histogram_views(*(told.histogram if told is not None else None for told in sides)),
        tuple(_frequent(*sides, old is None or new is None or old.type == new.type)),
        ("personal: only counted",) * private + tuple(_remarks(old, new)),
    )


def _personal(column: ColumnFacts | None) -> bool:
    return column is not None and column.profile is not None and column.profile.personal


def _counted_only(column: ColumnFacts | None) -> ColumnFacts | None:
    """The same column without its values."""
    if column is None:
        return None
    profile, told = column.profile, column.distribution
    bare = replace(profile, minimum=None, maximum=None, total=None) if profile is not None else None
    less = replace(told, quantiles=(), frequent=(), histogram=None) if told is not None else None
    return replace(column, profile=bare, distribution=less)


def _told(column: ColumnFacts | None) -> Distribution | None:
    """What was measured of a column; None where nothing was."""
    told = column.distribution if column is not None else None
    return None if told is None or told.message else told


# --- figures ----------------------------------------------------------------------------------------------


def _figures(old: ColumnFacts | None, new: ColumnFacts | None) -> Iterator[FigurePair]:
    left, right = _counts(old), _counts(new)
    for name in ("NULLs", "distinct"):
        before, after = left.get(name), right.get(name)
        if before is not None or after is not None:
            yield _count_line(name, before, after)
    forms = {_form(column) for column in (old, new) if column is not None}
    form = forms.pop() if len(forms) == 1 else ""
    texts = _texts(old), _texts(new)
    for name in ("least", *_SHARE_WORDS.values(), "greatest"):
        pair = texts[0].get(name), texts[1].get(name)
        if pair != (None, None):
            yield _text_line(name, pair, form)


def _counts(column: ColumnFacts | None) -> dict[str, int | None]:
    if column is None:
        return {}
    told = column.distribution
    nulls = column.profile.nulls if column.profile is not None else None
    if told is not None and told.nulls is not None:
        nulls = told.nulls
    return {"NULLs": nulls, "distinct": told.distinct if told is not None else None}


def _count_line(name: str, before: int | None, after: int | None) -> FigurePair:
    known = before is not None and after is not None
    apart = after - before if before is not None and after is not None else 0
    texts = [None if n is None else Markup("{}").format(number(n)) for n in (before, after)]
    return FigurePair(name, texts[0], texts[1], signed(apart) if known and apart else "", apart != 0)


def _texts(column: ColumnFacts | None) -> dict[str, str | None]:
    """Ends and quantiles by what they are called."""
    if column is None:
        return {}
    told, profile = column.distribution, column.profile
    quantiles = {_SHARE_WORDS[q.share]: q.value for q in told.quantiles} if told is not None else {}
    return {**_ends(profile), **quantiles}


def _ends(profile: Profile | None) -> dict[str, str | None]:
    return {} if profile is None else {"least": profile.minimum, "greatest": profile.maximum}


def _text_line(name: str, pair: Pair, form: str) -> FigurePair:
    before, after = (None if text is None else shown_alone(text, LONGEST) for text in pair)
    if None in pair or pair[0] == pair[1]:
        return FigurePair(name, before, after, "", False)
    apart = delta(*pair, form)
    # 1.50 and 1.5000 are one number in two types.
    same = apart != "" and not any(digit in apart for digit in "123456789")
    return FigurePair(name, before, after, "" if same else apart, not same)


def _form(column: ColumnFacts) -> str:
    """In which form :func:`delta` subtracts values of the column's type."""
    axis = AXES.get(base_of(column.type) or "", "")
    if axis in {"numeric", "float4", "float8"}:
        return "numeric" if axis == "numeric" else ""
    return "timestamp" if axis else ""


# --- frequent values --------------------------------------------------------------------------------------


def _frequent(old: Distribution | None, new: Distribution | None, alike: bool) -> Iterator[FrequentLine]:
    """``alike``: the column is of one type on both sides, so that equal values have equal texts."""
    left, right = _listed(old, "before", alike), _listed(new, "after", alike)
    # Those of after first, in their order.
    both = {**right, **left} | right
    most = max((frequent.rows for frequent in both.values()), default=0)
    # Where every value occurs once, five of them are no finding.
    if all(told is None or _each_once(told) for told in (old, new)):
        return
    for key, frequent in both.items():
        before, after = _rows(old, left.get(key), key), _rows(new, right.get(key), key)
        apart = after - before if before is not None and after is not None else 0
        drawn = before if new is None else after
        difference = signed(apart) if apart else ""
        yield FrequentLine(
            _value(frequent), value_bar(drawn, most), _said(old, before), _said(new, after), difference
        )


Key = tuple[str, str]
"""A value's text, and the side that it is on if it matches none of the other."""


def _listed(told: Distribution | None, side: str, alike: bool) -> dict[Key, Frequent]:
    """The listed values, under keys by which both sides are matched: one that was cut matches no other."""
    frequent = told.frequent if told is not None else ()
    apart = (not alike or f.characters > TEXT_LIMIT for f in frequent)
    return {
        (f.value, f"{side} {n}" if a else ""): f for n, (f, a) in enumerate(zip(frequent, apart, strict=True))
    }


def _each_once(told: Distribution) -> bool:
    return (told.distinct or 0) > FREQUENT and all(frequent.rows == 1 for frequent in told.frequent)


def _rows(told: Distribution | None, listed: Frequent | None, key: Key) -> int | None:
    """The rows that hold a value; None where it is not among the listed ones and others are not listed."""
    if listed is not None:
        return listed.rows
    complete = told is not None and len(told.frequent) == told.distinct and not key[1]
    return 0 if complete else None


def _said(told: Distribution | None, rows: int | None) -> str:
    if told is None:
        return ""
    return "not listed" if rows is None else number(rows)


def _value(frequent: Frequent) -> Markup:
    drawn = shown_alone(frequent.value, LONGEST)
    if frequent.characters <= TEXT_LIMIT:
        return drawn
    return drawn + Markup(" <small>of {} characters</small>").format(number(frequent.characters))


# --- what is not shown ------------------------------------------------------------------------------------


def _remarks(old: ColumnFacts | None, new: ColumnFacts | None) -> Iterator[str]:
    for word, column in (("before", old), ("now", new)):
        told = column.distribution if column is not None else None
        if told is not None:
            yield from _missing(told, word)
    yield from _once((_told(old), _told(new)))
    if old is None or old.distribution is None:
        return
    if new is None or new.distribution is None:
        yield "not profiled now"


def _missing(told: Distribution, when: str) -> Iterator[str]:
    if told.message:
        yield f"not measured {when}: {told.message}"
    for figure, why in told.unmeasured.items():
        yield f"no {figure} {when}: {why}"


def _once(sides: Sequence[Distribution | None]) -> Iterator[str]:
    told = [side for side in sides if side is not None and side.frequent]
    if told and all(map(_each_once, told)):
        yield "no value occurs twice"


assert {share for share, *_ in SHARES} == set(_SHARE_WORDS)  # each quantile has its word
