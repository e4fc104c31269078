"""The nearest of the names that would have been understood."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known word, or lists them all."""
    names = list(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"


def nearest(word: str, known: Iterable[str], otherwise: str) -> str:
    """A hint with the nearest known name; ``otherwise`` where none is near."""
    hint = did_you_mean(word, known)
    return hint if hint.startswith("did") else otherwise


def nearest_pattern(pattern: str, known: Iterable[str], otherwise: str) -> str:
    """As ``nearest``; for a pattern that ends in ``*`` the nearest start of a name, up to one of its dots."""
    stem = pattern.rstrip("*")
    if stem == pattern or not _MAGIC.isdisjoint(stem):
        return nearest(pattern, known, otherwise)
    starts = dict.fromkeys(start for name in known for start in _starts(name))
    near = difflib.get_close_matches(stem, starts, n=1, cutoff=0.6)
    return f"did you mean {near[0] + '*'!r}?" if near else otherwise


_MAGIC = frozenset("*?[")


def _starts(name: str) -> Iterator[str]:
    """A name and what stands before each of its dots."""
    parts = name.split(".")
    yield from (".".join(parts[:n]) for n in range(1, len(parts) + 1))
