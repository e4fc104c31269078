"""Values as text, two side by side or one alone, so that a reader sees where they differ. Standard library
only.

Law: the forms of two different values are never equal; of two side by side also where blanks run together, as
in HTML.
"""

from __future__ import annotations

import hashlib
import struct
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from itertools import takewhile

from kisaan_validate.text.cutting import parts

CONTEXT = 20
"""So many characters are shown before the first that differs, where the beginning is left out."""

# Control, format, surrogate, private use, and the two separators of lines and paragraphs.
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

_LIKE = str.maketrans(
    "АВЕКМНОРСТХІЈЅаеорсухіјѕһΑΒΕΖΗΙΚΜΝΟΡΤΥΧονі",
    "ABEKMHOPCTXIJSaeopcyxijshABEZHIKMNOPTYXovi",
)
"""Letters of other scripts that look like Latin ones."""


def pair(
    before: str | None, after: str | None, *, longest: int = 60, none: str = "NULL", quoted: bool = True
) -> tuple[str, str]:
    """Both values as they are shown beside each other: of long ones the part around the first difference.

    ``none`` stands for None; texts are ``quoted``, or are where they could be taken for it. Characters
    that cannot be seen are written by their names, and where that is not enough to tell the two apart, so
    are blanks, signs and foreign letters.
    """
    if before is None or after is None or before == after:
        return _alone(before, longest, none, quoted), _alone(after, longest, none, quoted)
    # From the least to the most that is written out: a plain pair stays readable.
    for spell in (_hidden_named, _blanks_named, _signs_named):
        forms = _window(before, after, longest, spell)
        if told_apart(*forms):
            break
    # Nothing told them apart, so their digests do.
    else:
        forms = _with_digest(forms[0], before), _with_digest(forms[1], after)
    if quoted:
        return f"'{forms[0]}'", f"'{forms[1]}'"
    return _bare(forms[0], none), _bare(forms[1], none)


def alone(value: str | None, longest: int = 60) -> str:
    """One value in quotes, None as NULL; of a long one the beginning, its length and its digest.

    Characters that cannot be seen are written by their names, and so is a bracket that could begin a name.
    """
    if value is None:
        return "NULL"
    text, whole = parts(value)
    form = _named(text[:longest].replace("[U+", "[U+005B]U+"), is_hidden)
    if whole:
        form = f"{form}… {whole}"
    elif len(text) > longest:
        form = f"{form}… ({len(text) - longest:,} more characters, SHA-256 {_digest(text)})"
    return f"'{form}'"


def window(before: str | None, after: str | None, longest: int) -> tuple[str | None, str | None]:
    """Both values as they are kept: of long ones the part around the first difference, every character as
    it is.

    Bytes that are no text are written as escapes.
    """
    if before is None or after is None:
        return _kept(before, longest), _kept(after, longest)
    forms = _window(before, after, longest, _escaped)
    # Cut alike, two long values may show the same part.
    if forms[0] == forms[1] and before != after:
        forms = _with_digest(forms[0], before), _with_digest(forms[1], after)
    return forms


def _kept(text: str | None, longest: int) -> str | None:
    return None if text is None else _cut(text, 0, longest, _escaped)


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _alone(text: str | None, longest: int, none: str, quoted: bool) -> str:
    if text is None:
        return none
    form = _cut(text, 0, longest, _hidden_named)
    return f"'{form}'" if quoted else _bare(form, none)


def _bare(form: str, none: str) -> str:
    """A form without quotes, but for what could be taken for nothing at all."""
    # A value of blanks, or the word that stands for nothing, would be taken for nothing.
    return f"'{form}'" if form.strip() in {"", none} else form


def _window(before: str, after: str, longest: int, spell: Callable[[str], str]) -> tuple[str, str]:
    alike = sum(1 for _ in takewhile(lambda both: both[0] == both[1], zip(before, after, strict=False)))
    # Short values are shown whole, wherever they differ.
    short = max(len(before), len(after)) <= longest
    first = 0 if short else max(0, alike - CONTEXT)
    return _cut(before, first, longest, spell), _cut(after, first, longest, spell)


def _cut(text: str, first: int, longest: int, spell: Callable[[str], str]) -> str:
    """The characters from ``first`` on, at most ``longest``, and how many are left out on either side."""
    text, whole = parts(text)
    if whole:
        return f"{spell(text[:longest])}… {whole}"
    left = len(text) - first - longest
    start = f"({first:,} characters alike) …" if first else ""
    return (
        f"{start}{spell(text[first : first + longest])}{f'… ({left:,} more characters)' if left > 0 else ''}"
    )


def told_apart(one: str, other: str) -> bool:
    """Whether a reader can tell two forms apart, on a page that runs blanks together, in a font that knows
    few shapes.
    """
    return _seen(one) != _seen(other)


def _seen(form: str) -> str:
    # NFKC folds compatible signs, and a page runs blanks together.
    return unicodedata.normalize("NFKC", " ".join(form.split())).translate(_LIKE)


def is_hidden(character: str) -> bool:
    """Whether a character leaves no mark of its own, or moves others."""
    # The last two code points of each plane are no characters.
    return unicodedata.category(character) in _HIDDEN or (ord(character) & 0xFFFE) == 0xFFFE


def _named(text: str, is_named: Callable[[str], bool]) -> str:
    return "".join(f"[U+{ord(c):04X}]" if is_named(c) else c for c in text)


def _hidden_named(text: str) -> str:
    if text.isprintable():
        return text
    return _named(text, is_hidden)


def _blanks_named(text: str) -> str:
    """A bracket too: without that, what is written by its name and a text that looks so would be one."""
    return _named(text, lambda c: c.isspace() or c == "[" or is_hidden(c) or not c.isascii())


def _signs_named(text: str) -> str:
    return _named(text, lambda c: not (c.isascii() and c.isalnum()))


def _with_digest(form: str, text: str) -> str:
    return f"{form} (SHA-256 {_digest(text)})"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def as_real(text: str | None) -> str | None:
    """A value of type real as that type prints it, given as the same value of type double precision."""
    if text is None:
        return None
    value = float(text)
    if value != value or value in {float("inf"), float("-inf")}:
        return text
    # A real has six to nine significant digits; the fewest that give it back are how it prints.
    for digits in range(6, 10):
        short = f"{value:.{digits}g}"
        with suppress(OverflowError):  # rounded up, it may be beyond the greatest real
            if struct.unpack("f", struct.pack("f", float(short)))[0] == value:
                return short
    return text
