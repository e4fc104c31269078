"""Pictures drawn by hand: small, without colour alone, legible in grey."""

from __future__ import annotations

from markupsafe import Markup

from kisaan_validate.report.text import number, signed

WIDTH, HEIGHT = 160, 14
"""Of a bar, in its own units; the page scales it."""

SLIVER = 3
"""A difference is never drawn thinner: 1 row of 300,000 must be seen."""


def row_bar(before: int | None, after: int | None) -> Markup:
    """One table's rows: a frame as long as the larger count, filled as far as both agree, hatched where they differ.

    The scale is the table's own; the numbers beside it are what counts.
    """
    if before is None or after is None:
        return _drawing("rows not known", _rect(0, WIDTH, "unk"))
    title = f"before {number(before)}, now {number(after)}, {signed(after - before)}"
    most = max(before, after)
    if most == 0:
        return _drawing(title, _rect(0, WIDTH, "frame"))
    common = _length(min(before, after), most)
    parts = _rect(0, common, "same") if common else Markup("")
    if common < WIDTH:
        parts += _rect(common, WIDTH - common, "gain" if after > before else "loss")
    return _drawing(title, parts)


def _length(part: int, whole: int) -> int:
    """``part`` of ``whole`` in units of the bar, never 0 for something, never full for less than the whole."""
    if part in {0, whole}:
        return 0 if part == 0 else WIDTH
    return max(SLIVER, min(WIDTH - SLIVER, part * WIDTH // whole))


def _rect(x: int, width: int, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{}" y="1" width="{}" height="{}"/>').format(kind, x, width, HEIGHT - 2)


def _drawing(title: str, parts: Markup) -> Markup:
    return Markup(
        '<svg class="bar" role="img" viewBox="-1 0 {} {}" preserveAspectRatio="none"><title>{}</title>{}</svg>'
    ).format(WIDTH + 2, HEIGHT, title, parts)


ICON_PATHS = {
    "pass": "M3 8.5l3.2 3.2L13 5",
    "tolerated": "M2.5 9.5c1.8-3 3.7-3 5.5-1.5s3.7 1.5 5.5-1.5",
    "fail": "M4 4l8 8M12 4l-8 8",
    "error": "M8 3v6.5M8 12v1",
    "skip": "M3.5 8h9",
    "not_applicable": "M8 7.8v.4",
}
"""One stroke drawing a status, on a 16 by 16 ground."""
