"""Pictures drawn by hand: small, without colour alone, legible in grey."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from markupsafe import Markup

from kisaan_validate.facts.result import Status
from kisaan_validate.report.summary import STATUS_ORDER
from kisaan_validate.report.text import number, signed

WIDTH, HEIGHT = 160, 14
"""Of a bar, in its own units; the page scales it."""

SLIVER = 3
"""A difference is never drawn thinner: 1 row of 300,000 must be seen."""


def row_bar(before: int | None, after: int | None) -> Markup:
    """One table's rows: a frame as long as the larger count, filled as far as both agree, hatched where
    they differ.

    The scale is the table's own; the numbers beside it are what counts.
    """
    if before is None or after is None:
        # Hatched over its full length, so that it is not taken for no difference or for an empty table.
        return _drawing("rows not known", _rect(0, WIDTH, "unk"))
    title = f"before {number(before)}, after {number(after)}, {signed(after - before)}"
    most = max(before, after)
    # Both are 0: there is nothing to scale by.
    if most == 0:
        return _drawing(title, _rect(0, WIDTH, "frame"))
    common = _length(min(before, after), most)
    parts = _rect(0, common, "same") if common else Markup("")
    if common < WIDTH:
        parts += _rect(common, WIDTH - common, "gain" if after > before else "loss")
    return _drawing(title, parts)


def _length(part: int, whole: int) -> int:
    """``part`` of ``whole`` in units of the bar, never 0 for something, never full for less than the
    whole.
    """
    # Exact ends first: the clamp below would draw a full bar with a sliver missing.
    if part in {0, whole}:
        return 0 if part == 0 else WIDTH
    return max(SLIVER, min(WIDTH - SLIVER, part * WIDTH // whole))


def _rect(x: int, width: int, kind: str) -> Markup:
    return Markup('<rect class="{}" x="{}" y="1" width="{}" height="{}"/>').format(kind, x, width, HEIGHT - 2)


def _drawing(title: str, parts: Markup) -> Markup:
    """A bar; without a title it is decoration, for the figure stands beside it."""
    # A picture with a title is read aloud; one beside its figure is passed over.
    head = Markup(' role="img"') if title else Markup(' aria-hidden="true"')
    inner = Markup("<title>{}</title>").format(title) + parts if title else parts
    return Markup('<svg class="bar"{} viewBox="-1 0 {} {}" preserveAspectRatio="none">{}</svg>').format(
        head, WIDTH + 2, HEIGHT, inner
    )


def sign_url(name: str) -> str:
    """A status's sign as a ``data:`` address, for a mask of the style sheet."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16' fill='none' stroke='#000' "
        "stroke-width='2' "
        f"stroke-linecap='round'><path d='{ICON_PATHS[name]}'/></svg>"
    )
    # Double quotes and # stay escaped, as the address stands in url("…") of a style sheet.
    return "data:image/svg+xml," + quote(drawing, safe="/:='()., ")


ICON_PATHS = {
    "pass": "M3 8.5l3.2 3.2L13 5",
    "tolerated": "M2.5 9.5c1.8-3 3.7-3 5.5-1.5s3.7 1.5 5.5-1.5",
    "fail": "M4 4l8 8M12 4l-8 8",
    "error": "M8 3v6.5M8 12v1",
    "skip": "M3.5 8h9",
    "not_applicable": "M8 7.8v.4",
}
"""One stroke drawing a status, on a 16 by 16 ground."""


def status_bar(counts: Mapping[Status, int]) -> Markup:
    """What the checks of one table came to: a bar split in the order of importance, each part as long as
    its share.

    No part that exists is thinner than SLIVER; parts differ in pattern too. The words beside it say the
    same exactly.
    """
    parts = [(status, counts.get(status, 0)) for status in STATUS_ORDER if counts.get(status, 0)]
    total = sum(n for _, n in parts)
    if not total:
        return _drawing("", _rect(0, WIDTH, "frame"))
    widths = [max(SLIVER, n * WIDTH // total) for _, n in parts]
    # The rounding goes to the widest part, where it is seen least.
    widths[widths.index(max(widths))] += WIDTH - sum(widths)
    drawn, at = Markup(""), 0
    for (status, _), width in zip(parts, widths, strict=True):
        drawn += _rect(at, width, f"b-{status.value}")
        at += width
    return _drawing("", drawn)


def time_bar(milliseconds: float, longest: float) -> Markup:
    """One duration against the longest of its kind."""
    # Every duration may be 0.
    width = max(1, round(WIDTH * milliseconds / longest)) if longest > 0 else 1
    return _drawing("", _rect(0, min(width, WIDTH), "same"))
