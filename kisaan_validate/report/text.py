"""Values, numbers and times as a reader must see them: exact, and with nothing hidden in them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from kisaan_validate.text.numbers import counted
from kisaan_validate.text.pairs import is_hidden

_JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners: ordinary spelling in Indian scripts, so prose keeps them; in evidence they are
shown.
"""

_NAMES = {
    "\t": "tab",
    "\n": "line feed",
    "\r": "carriage return",
    "\u00a0": "no-break space",
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u200c": "zero-width non-joiner",
    "\u200d": "zero-width joiner",
    "\u200e": "left-to-right mark",
    "\u200f": "right-to-left mark",
    "\u202a": "left-to-right embedding",
    "\u202b": "right-to-left embedding",
    "\u202c": "pop directional formatting",
    "\u202d": "left-to-right override",
    "\u202e": "right-to-left override",
    "\u2066": "left-to-right isolate",
    "\u2067": "right-to-left isolate",
    "\u2068": "first strong isolate",
    "\u2069": "pop directional isolate",
    "\ufeff": "byte order mark",
}


def number(value: int) -> str:
    """An exact count with thousands separators."""
    return f"{value:,}"


def signed(value: int) -> str:
    """A difference with its sign: a true minus, and ±0 for no difference."""
    return "±0" if value == 0 else f"{'+' if value > 0 else '−'}{abs(value):,}"


def duration(milliseconds: float) -> str:
    """A measured time in the unit that people would use."""
    if milliseconds < 1_000:
        return f"{milliseconds:.1f} ms"
    seconds = milliseconds / 1_000
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def utc(moment: datetime) -> str:
    """An instant in UTC, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def local(moment: datetime, zone: str) -> str:
    """The same instant on the clock of ``zone`` ("" where it is UTC, or not a zone that this machine
    knows).
    """
    try:
        there = moment.astimezone(ZoneInfo(zone))
    # ValueError: a zone's name with "..", or an absolute path, is refused by zoneinfo.
    except (KeyError, ValueError, OSError):
        return ""
    # By offset, not by name: Etc/UCT and Africa/Abidjan are UTC as well.
    offset = f"{there:%z}"
    if offset == "+0000":
        return ""
    return f"{there:%Y-%m-%d %H:%M:%S} {zone} (UTC{offset[:3]}:{offset[3:5]})"


def anchor(prefix: str, name: str) -> str:
    """An HTML id for ``name``: two names never share one, and it needs no escaping in a link."""
    # ~ is no allowed character, so an escape cannot be mistaken for a name that looks like one.
    safe = re.sub(r"[^A-Za-z0-9._-]", lambda match: f"~{ord(match[0]):x}~", name)
    return f"{prefix}-{safe}"


def _mark(character: str) -> Markup:
    code = f"U+{ord(character):04X}"
    name = _NAMES.get(character)
    title = Markup(' title="{}"').format(name) if name else Markup("")
    return Markup('<span class="cc"{}>{}</span>').format(title, code)


_SEEN = {
    "\t": ("⇥", "tab"),
    "\n": ("↵", "line feed"),
    "\r": ("␍", "carriage return"),
    "\u00a0": ("⍽", "no-break space"),
}


def _space(run: str) -> Markup:
    return Markup('<span class="ws" title="{}">{}</span>').format(counted(len(run), "space"), "·" * len(run))


def _one(character: str, joiners: bool) -> Markup:
    if character in _SEEN:
        glyph, name = _SEEN[character]
        return Markup('<span class="ws" title="{}">{}</span>').format(name, glyph)
    # Joiners spell words in prose; in a value they make two equal looking texts differ.
    if not is_hidden(character) or (joiners and character in _JOINERS):
        return escape(character)
    return _mark(character)


# Latin and the Indian scripts, less hidden characters: nearly every text is passed in one match.
_PLAIN = re.compile(r"[\x20-\x7e\u00a1-\u00ac\u00ae-\u02ff\u0900-\u0dff]*")


def _characters(text: str, joiners: bool) -> Markup:
    if _PLAIN.fullmatch(text):
        return escape(text)
    return Markup("").join(_one(character, joiners) for character in text)


def prose(text: object) -> Markup:
    """Text by people or a server, escaped, isolated from its surroundings, its control characters made
    visible.
    """
    # Not \s, which would also collapse the no-break spaces and line separators that _one makes visible.
    flat = re.sub(r"[ \n\t\r]+", " ", str(text)).strip()
    if _PLAIN.fullmatch(flat):
        return escape(flat)  # written from left to right like the page: there is nothing to isolate
    return Markup("<bdi>{}</bdi>").format(_characters(flat, joiners=True))


_NARROW = 34
"""So many characters of a name fit on one line of a telephone."""


def named(name: str, room: int = _NARROW) -> Markup:
    """A name as ``prose`` shows it, which may break after ``.`` and ``/``, or ``_`` if its parts are long,
    and never within a word.
    """
    shown = prose(name)
    if len(name) <= room:
        return shown
    longest = max(map(len, re.split(r"[./]", name)))
    ends = r"([./_])" if longest > room else r"([./])"
    # Only where the name is without markup of its own.
    return Markup(re.sub(ends, r"\1<wbr>", str(shown))) if _SIMPLE.fullmatch(name) else shown


def sentence(words: str) -> Markup:
    """A sentence as ``prose`` shows it, in which names may break after ``.`` and ``_``."""
    # Only where nothing has to be marked up: a break must not fall into a tag. Titles quote claims.
    if _PLAIN.fullmatch(re.sub("[“”]", "", words)) is None:
        return prose(words)
    return Markup(re.sub(r"(?<=[A-Za-z0-9])([._])(?=[A-Za-z])", r"\1<wbr>", str(escape(words))))


_SIMPLE = re.compile(r"[A-Za-z0-9_./-]+")


def is_name(text: str) -> bool:
    """Whether a value reads as the name of a table or column: words joined by ``_`` and ``.``."""
    return re.fullmatch(r"[A-Za-z]+(?:[._][A-Za-z]+)+", text) is not None


def plain(text: str, keep: str = "") -> str:
    """Text where no markup can stand (a title): hidden characters are replaced by their names, but for
    those in ``keep``.
    """
    if text.isprintable():  # no character of the categories that are hidden: texts may be long
        return text
    return "".join(f"[U+{ord(c):04X}]" if is_hidden(c) and c not in keep else c for c in text)


def flat(text: object) -> str:
    """Text by people or a server as one line without markup: blanks collapsed, hidden characters replaced
    by their names.
    """
    # Joiners stay: a terminal shows them as part of their word.
    return plain(re.sub(r"[ \n\t\r]+", " ", str(text)).strip(), keep=_JOINERS)


def shortened(text: str, most: int) -> str:
    """The first ``most`` characters, and how many were left out."""
    if len(text) <= most:
        return text
    return f"{text[:most]}… ({number(len(text) - most)} more characters)"


def aligned(word: str, words: str, width: int) -> str:
    """A line for a terminal: a word in a column of this width, and what it is about, in 300 characters."""
    return f"{word:<{width}} {plain(shortened(flat(words), 300))}"


def value(text: str | None) -> Markup:
    """A value of the database: NULL, the empty text and 'NULL' look different; no space or sign stays
    hidden.
    """
    if text is None:
        return Markup('<b class="nul">NULL</b>')
    if text == "":
        return Markup('<b class="nul">empty</b>')
    return Markup("<bdi>{}</bdi>").format(Markup("").join(shown for shown in spelled(text, [len(text)])))


# At the ends, or several in a row: only there a blank is lost to the eye.
_BLANKS = re.compile(r"^ +| +$| {2,}")


def spelled(text: str, ends: Iterable[int]) -> Iterator[Markup]:
    """The parts of a value that end at ``ends``, each as it is shown: which blanks are drawn is decided by
    the whole text.
    """
    blank = [False] * len(text)
    for match in _BLANKS.finditer(text):
        blank[match.start() : match.end()] = [True] * (match.end() - match.start())
    start = 0
    for end in ends:
        runs = groupby(range(start, end), key=blank.__getitem__)
        parts = ((drawn, text[(run := list(indexes))[0] : run[-1] + 1]) for drawn, indexes in runs)
        yield Markup("").join(
            _space(part) if drawn else _characters(part, joiners=False) for drawn, part in parts
        )
        start = end


def code(text: str) -> Markup:
    """SQL to be copied: every character is kept as it is; hidden ones are fenced in and named beside
    themselves.
    """
    # A line feed is the one control character that SQL is full of.
    if _PLAIN.fullmatch(text.replace("\n", "")):
        return escape(text)
    return Markup("").join(_kept(character) for character in text)


def _kept(character: str) -> Markup:
    if character in "\n\t" or not (is_hidden(character) or character == "\u00a0"):
        return escape(character)
    # HTML has no form for these two: a browser would put another character in their place.
    if character == "\x00" or unicodedata.category(character) == "Cs":
        return _mark(character)
    # A raw carriage return in HTML is read as a line feed; the reference is kept.
    raw = Markup("&#13;") if character == "\r" else Markup(character)
    return Markup('<bdi class="cc" data-u="U+{}">{}</bdi>').format(f"{ord(character):04X}", raw)
