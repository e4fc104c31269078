"""Lines over many runs, drawn by hand: small, without colour alone, legible in grey. The numbers beside
them are what counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Verdict
from kisaan_validate.report import text
from kisaan_validate.text.numbers import counted

WIDTH, HEIGHT = 240, 40
"""Of a picture, in its own units; the page scales it."""

_EDGE = 4
_TALL = {Verdict.PASS: 5, Verdict.INCONCLUSIVE: 10, Verdict.FAIL: 16}


@dataclass(frozen=True)
class TrendLine:
    """One picture of points over time, with its numbers in words."""

    name: str
    picture: Markup
    words: str


def trend(points: Sequence[int | None], title: str, *, from_zero: bool) -> Markup:
    """A line over ``points``, the oldest first. What is not known (None) interrupts it; a lone point is a
    dot.

    ``from_zero``: the ground of the picture is 0; else its scale is from the least to the greatest point.
    """
    known = [point for point in points if point is not None]
    if not known:
        # With a title all the same, so that it says "not known".
        return _drawing("trend", title, Markup(""))
    low, high = (min(0, *known) if from_zero else min(known)), max(known)
    places = [
        None if p is None else (_across(i, len(points)), _up(p, low, high)) for i, p in enumerate(points)
    ]
    # Gaps stay gaps: a line across a run without a count would claim one.
    parts = Markup("").join(
        _stretch(list(run)) for there, run in groupby(places, key=lambda place: place is not None) if there
    )
    last = next(place for place in reversed(places) if place is not None)
    return _drawing(
        "trend", title, parts + Markup('<circle class="last" cx="{}" cy="{}" r="3"/>').format(*last)
    )


def line_of(name: str, points: Sequence[int | None], unit: str, *, from_zero: bool) -> TrendLine:
    """A picture of these points, the oldest first, and what it shows in words; None is not known."""
    known = [point for point in points if point is not None]
    if not known:
        return TrendLine(name, trend(points, f"{name}: not known", from_zero=from_zero), "not counted")
    now = "latest not counted" if points[-1] is None else f"latest {_amount(points[-1], unit)}"
    ends = (
        f"lowest {_amount(min(known), unit)}, highest {_amount(max(known), unit)}"
        if min(known) != max(known)
        else "unchanged"
    )
    gaps = len(points) - len(known)
    words = (f"{now}; {ends}" if len(points) > 1 else now) + (
        f"; not known in {counted(gaps, 'run')}" if gaps else ""
    )
    return TrendLine(name, trend(points, f"{text.plain(name)}: {words}", from_zero=from_zero), words)


def _amount(value: int, unit: str) -> str:
    return text.duration(value) if unit == "ms" else text.number(value)


def verdict_strip(verdicts: Sequence[Verdict | None], title: str) -> Markup:
    """One mark a run, the oldest first: low for PASS, tall for FAIL, hollow for INCONCLUSIVE; where a run was
    missed (None) a cross.
    """
    # At least 24 places: a few runs are narrow marks, not blocks.
    room = WIDTH / max(len(verdicts), 24)
    marks = [_mark(verdict, i * room + 0.5, room * 0.7) for i, verdict in enumerate(verdicts)]
    return _drawing("strip", title, Markup("").join(marks), height=19)


def _mark(verdict: Verdict | None, x: float, width: float) -> Markup:
    if verdict is None:
        path = Markup('<path class="m-missed" d="M{0:.1f} 13L{1:.1f} 18M{1:.1f} 13L{0:.1f} 18"/>')
        return path.format(x, x + min(width, 5))
    return Markup('<rect class="m-{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>').format(
        verdict.value.lower(), x, 18 - _TALL[verdict], width, _TALL[verdict]
    )


SHARE = 100
"""Of a bar, in its own units."""


def share_bar(failed: int, unanswered: int, checks: int) -> Markup:
    """How many of the checks failed, how many have no answer, each as long as its share; one of thousands is
    still seen.
    """
    parts = Markup('<rect class="sh-all" x="0" y="1" width="{}" height="6"/>').format(SHARE)
    at = 0
    for kind, number in (("fail", failed), ("inconclusive", unanswered)):
        width = min(SHARE - at, max(2, number * SHARE // max(checks, 1)) if number else 0)
        if width:
            parts += Markup('<rect class="sh-{}" x="{}" y="0" width="{}" height="8"/>').format(
                kind, at, width
            )
        at += width
    return Markup('<svg class="share" aria-hidden="true" viewBox="0 0 {} 8">{}</svg>').format(SHARE, parts)


def _across(index: int, count: int) -> float:
    if count == 1:
        # A single run stands at the right, where the newest always is.
        return WIDTH - _EDGE
    return _EDGE + index * (WIDTH - 2 * _EDGE) / (count - 1)


def _up(value: int, low: int, high: int) -> float:
    # A constant has no scale: zero lies on the ground, anything else in the middle.
    if low == high:
        return HEIGHT - _EDGE if value == 0 else HEIGHT / 2
    return HEIGHT - _EDGE - (value - low) * (HEIGHT - 2 * _EDGE) / (high - low)


def _stretch(places: Sequence[tuple[float, float] | None]) -> Markup:
    found = [place for place in places if place is not None]
    if len(found) == 1:
        return Markup('<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="1.5"/>').format(*found[0])
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in found)
    return Markup('<polyline class="line" points="{}"/>').format(points)


def _drawing(kind: str, title: str, parts: Markup, height: int = HEIGHT) -> Markup:
    return Markup('<svg class="{}" role="img" viewBox="0 0 {} {}"><title>{}</title>{}</svg>').format(
        kind, WIDTH, height, title, parts
    )
