"""Two texts side by side, with the characters marked in which they differ."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import accumulate

from markupsafe import Markup

from kisaan_validate.report.text import spelled, value

_LONGEST = 400
"""Beyond this many characters only the common beginning and end are looked for: the time of a full
comparison is quadratic.
"""

_ALIKE = 0.4
"""Texts that have less in common are marked as a whole: single letters found equal by chance would only
mislead.
"""

Piece = tuple[str, bool]


def marked(before: str | None, after: str | None) -> tuple[Markup, Markup]:
    """Both texts as values (blanks and signs visible), what only one of them has in ``<del>`` and
    ``<ins>``. None is "none".
    """
    if before is None or after is None:
        return _whole(before), _whole(after)
    left, right = pieces(before, after)
    return _drawn(left, "del"), _drawn(right, "ins")


def _whole(text: str | None) -> Markup:
    return Markup("<i>none</i>") if text is None else value(text)


def _drawn(parts: list[Piece], tag: str) -> Markup:
    text = "".join(part for part, _ in parts)
    if not text:
        return value("")
    # Ends rather than pieces: whether a blank is drawn depends on the whole text, so the cuts come after.
    ends = accumulate(len(part) for part, _ in parts)
    shown = (
        Markup("<{0}>{1}</{0}>").format(tag, drawn) if differs else drawn
        for (_, differs), drawn in zip(parts, spelled(text, ends), strict=True)
    )
    return Markup("<bdi>{}</bdi>").format(Markup("").join(shown))


def pieces(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Each text as (part, whether it differs from the other); the parts of a text joined are the text."""
    if before == after:
        return [(before, False)], [(after, False)]
    blocks = _blocks(before, after)
    # Doubled, as a block counts in both texts: Ratcliff and Obershelp's ratio, as difflib defines it.
    if 2 * sum(size for _, _, size in blocks) < _ALIKE * (len(before) + len(after)):
        return [(before, True)], [(after, True)]
    left: list[Piece] = []
    right: list[Piece] = []
    i = j = 0
    # A last empty block, so that what follows the last common one is taken too.
    for a, b, size in [*blocks, (len(before), len(after), 0)]:
        left += [(before[i:a], True), (before[a : a + size], False)]
        right += [(after[j:b], True), (after[b : b + size], False)]
        i, j = a + size, b + size
    # An empty piece would be an empty <del> or <ins>.
    return [p for p in left if p[0]], [p for p in right if p[0]]


def _blocks(before: str, after: str) -> list[tuple[int, int, int]]:
    if max(len(before), len(after)) <= _LONGEST:
        # autojunk would take frequent characters of texts over 200 for noise and find no match in them.
        found = SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks()
        return [(m.a, m.b, m.size) for m in found if m.size]
    start = next(
        (n for n, (x, y) in enumerate(zip(before, after, strict=False)) if x != y),
        min(len(before), len(after)),
    )
    # The common end may not overlap the common beginning: "aa" and "aaa" share two characters, not four.
    most = min(len(before), len(after)) - start
    end = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    ends = [(len(before) - end, len(after) - end, end)] if end else []
    return ([(0, 0, start)] if start else []) + ends
