"""Histograms drawn by hand: bars of both sides beside each other, with the same counts as text."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.distribution import Histogram
from kisaan_validate.report.text import number, signed

WIDTH, HEIGHT = 240, 48
"""Of a histogram, in its own units; the page scales it."""

LEAST = 2
"""No bar of something is lower: 1 row of a million must be seen."""

BAR = 100
"""The width of the longest bar of a frequent value."""


@dataclass(frozen=True)
class BucketLine:
    """One bucket in words, and its exact counts; "" for a side that is not there."""

    label: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True)
class HistogramView:
    """One picture, what it is of ("" for both sides or the only one), its first and last edge, its counts."""

    side: str
    compared: bool
    ends: tuple[str, str]
    picture: Markup
    lines: tuple[BucketLine, ...]


def histogram_views(old: Histogram | None, new: Histogram | None) -> tuple[HistogramView, ...]:
    """One picture of both sides where they have the same edges, else one of each that there is."""
    if old is not None and new is not None and old.edges == new.edges:
        return (_view("", old, new),)
    both = old is not None and new is not None
    sides = (("before", old), ("after", new))
    return tuple(_view(word if both else "", None, found) for word, found in sides if found is not None)


def _view(side: str, old: Histogram | None, new: Histogram) -> HistogramView:
    edges = new.edges
    buckets = list(_buckets(old, new))
    lines = tuple(_line(*bucket) for bucket in buckets)
    words = f"Histogram of {len(lines)} buckets from {edges[0]} to {edges[-1]}"
    words += ": before and after" if old is not None else ""
    picture = _picture([(before, after) for _, before, after in buckets], words)
    return HistogramView(side, old is not None, (edges[0], edges[-1]), picture, lines)


def _buckets(old: Histogram | None, new: Histogram) -> Iterator[tuple[str, int | None, int]]:
    """Every bucket: its words, its rows on both sides. Those beside the edges only for what lies in them."""
    edges = new.edges
    for n, after in enumerate(new.rows):
        before = None if old is None else old.rows[n]
        if n == 0:
            yield from _beside(f"less than {edges[0]}", None if old is None else old.below, new.below)
        yield f"{edges[n]} to below {edges[n + 1]}", before, after
    yield from _beside(f"{edges[-1]} and more", None if old is None else old.above, new.above)
    yield from _beside("NaN, or infinite", None if old is None else old.other, new.other)


def _beside(label: str, before: int | None, after: int) -> Iterator[tuple[str, int | None, int]]:
    if before or after:
        yield label, before, after


def _line(label: str, before: int | None, after: int) -> BucketLine:
    apart = 0 if before is None else after - before
    said = "" if before is None else number(before)
    return BucketLine(label, said, number(after), signed(apart) if apart else "")


def _picture(buckets: list[tuple[int | None, int]], words: str) -> Markup:
    """A bar for each count, those of one bucket beside each other."""
    most = max(n or 0 for pair in buckets for n in pair) or 1
    step, parts = WIDTH / len(buckets), Markup("")
    for place, (before, after) in enumerate(buckets):
        drawn = [("now", after)] if before is None else [("was", before), ("now", after)]
        wide = (step - 2) / len(drawn)
        for n, (kind, rows) in enumerate(drawn):
            parts += _bar(kind, place * step + 1 + n * wide, wide, rows, most)
    return Markup(
        '<svg class="hist" role="img" viewBox="0 0 {} {}" preserveAspectRatio="none"><title>{}</title>{}'
        '<path class="base" d="M0 {}H{}"/></svg>'
    ).format(WIDTH, HEIGHT + 1, words, parts, HEIGHT + 0.5, WIDTH)


def _bar(kind: str, x: float, width: float, rows: int, most: int) -> Markup:
    if not rows:
        return Markup("")
    # Integers until the last step, because counts may be beyond what a float holds exactly.
    height = max(LEAST, rows * HEIGHT * 10 // most / 10)
    return Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
        kind, x, HEIGHT - height, width, height
    )


def value_bar(rows: int | None, most: int) -> Markup:
    """The rows of one value against those of the most frequent one; decoration, for the count stands by."""
    length = 0 if not rows else max(LEAST, rows * BAR // most)
    return Markup(
        '<svg class="vbar" aria-hidden="true" viewBox="0 0 {} 8" preserveAspectRatio="none">'
        '<rect class="now" y="1" width="{}" height="6"/></svg>'
    ).format(BAR, length)
