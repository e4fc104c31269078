"""Two texts side by side, with the characters marked in which they differ."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from itertools import accumulate

from markupsafe import Markup

from kisaan_validate.report.text import spelled, value
from kisaan_validate.text.cutting import is_cut
from kisaan_validate.text.pairs import alone, is_hidden, pair, told_apart, window

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


def shown_apart(
    before: str | None, after: str | None, longest: int, *, ends: bool = False
) -> tuple[Markup, Markup]:
    """Both values as a page shows them beside each other: of long ones the part around the first
    difference, what only one of them has marked, NULL by its sign. ``ends``: from the first part between
    blanks and points that differs all is marked, as of numbers and times, of which a digit says little.

    Law: two different values differ in their text alone, without markup and colour.
    """
    if before is None or after is None:
        drawn = shown_alone(before, longest), shown_alone(after, longest)
    else:
        one, other = window(before, after, longest)
        drawn = _ends_marked(one or "", other or "") if ends else marked(one, other)
    if before == after or told_apart(drawn[0].striptags(), drawn[1].striptags()):
        return drawn
    one, other = pair(before, after, longest=longest)
    return Markup("<bdi>{}</bdi>").format(one), Markup("<bdi>{}</bdi>").format(other)


def _ends_marked(before: str, after: str) -> tuple[Markup, Markup]:
    if before == after:
        return marked(before, after)
    start = len(re.sub(r"[^ .]*\Z", "", before[: _alike(before, after)]))
    both = ([(text[:start], False), (text[start:], True)] for text in (before, after))
    left, right = ([piece for piece in parts if piece[0]] for parts in both)
    return _drawn(left, "del"), _drawn(right, "ins")


_DRAWN = "\t\n\r"
"""Hidden characters that have a sign on a page."""

_SIGNS = re.compile("[·⇥↵␍⍽]|^'|^NULL$|^empty$")
"""What a page draws for a character, or writes for no value, and so must not stand for itself."""


def shown_alone(text: str | None, longest: int) -> Markup:
    """One value as a page shows it; of a long one the beginning, its length and its digest.

    Law: two different values differ in their text alone, without markup and colour.
    """
    if text is None or not (len(text) > longest or _ambiguous(text)):
        return value(text)
    return Markup("<bdi>{}</bdi>").format(alone(text, longest))


def _ambiguous(text: str) -> bool:
    """Whether the drawing of a text could be that of another one."""
    hidden = any(is_hidden(character) and character not in _DRAWN for character in text)
    return hidden or is_cut(text) or _SIGNS.search(text) is not None


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
    start = _alike(before, after)
    # The common end may not overlap the common beginning: "aa" and "aaa" share two characters, not four.
    most = min(len(before), len(after)) - start
    end = next((n for n in range(most) if before[-1 - n] != after[-1 - n]), most)
    ends = [(len(before) - end, len(after) - end, end)] if end else []
    return ([(0, 0, start)] if start else []) + ends


def _alike(before: str, after: str) -> int:
    """How many characters both begin with."""
    both = enumerate(zip(before, after, strict=False))
    return next((n for n, (x, y) in both if x != y), min(len(before), len(after)))
