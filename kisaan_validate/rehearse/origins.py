"""Where a statement stands in the files of a migration, and what of its text may be shown."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import MASKED
from kisaan_validate.sql.splitting import lexemes, split_statements, squeezed

LONGEST = 4000
"""Characters of a statement that are kept."""

_DATA = frozenset(
    {"INSERT", "UPDATE", "DELETE", "MERGE", "SELECT", "VALUES", "COPY", "WITH", "EXECUTE", "CALL"}
)


@dataclass(frozen=True)
class FilePlace:
    """A file and a line in it, from 1."""

    file: str
    line: int


class FileOrigins:
    """Finds the statements of given files, which are texts by name. The same text in two places is found in
    the order in which the files have it.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self._places: dict[str, list[FilePlace]] = defaultdict(list)
        self._used: dict[str, int] = defaultdict(int)
        for name in files:
            for piece in split_statements(files[name]):
                self._places[squeezed(piece.text)].append(FilePlace(name, piece.line))

    def find(self, text: str) -> FilePlace | None:
        """Where a statement stands that a client sent; None if in no file."""
        places = self._places.get(squeezed(text), [])
        if not places:
            return self._inside(text)
        index = self._used[squeezed(text)]
        self._used[squeezed(text)] += 1
        # Sent more often than it is written: in a loop, or run again.
        return places[min(index, len(places) - 1)]

    def find_again(self, text: str) -> FilePlace | None:
        """Where the statement stands that was found last with this text."""
        places = self._places.get(squeezed(text), [])
        return places[min(self._used[squeezed(text)], len(places)) - 1] if places else None

    def _inside(self, text: str) -> FilePlace | None:
        """Where a text stands within a longer statement of one file, such as a program's string."""
        wanted = text.strip().rstrip(";").strip()
        # A word or two may stand anywhere.
        if len(wanted.split()) < 3:
            return None
        found = [(name, self._files[name].find(wanted)) for name in self._files]
        hits = [FilePlace(name, self._files[name].count("\n", 0, at) + 1) for name, at in found if at >= 0]
        return hits[0] if len(hits) == 1 else None


def shown_text(text: str, *, own: bool) -> str:
    """A statement as it is kept. ``own``: it stands in a file of the migration.

    Literals of statements that handle rows may be personal data, those of statements that came from a
    program too; what follows PASSWORD is a secret.
    """
    first = [word.upper() for _, word, _ in _first(text, 4)]
    rows = first[:1] and first[0] in _DATA
    hidden = {"string", "dollar", "number"} if rows else {"string"}
    # Settings of the server are no data; those with a dot are an application's own.
    if (own and not rows) or (first[:1] == ["SET"] and "." not in first):
        hidden = set()
    return _cut(_masked(text, hidden))


def _first(text: str, number: int) -> list[tuple[str, str, int]]:
    found = []
    for lexeme in lexemes(text):
        found.append(lexeme)
        if len(found) == number:
            break
    return found


def _masked(text: str, hidden: set[str]) -> str:
    parts, at, before = [], 0, ""
    for kind, word, start in lexemes(text):
        secret = kind in {"string", "dollar"} and before == "PASSWORD"
        if secret or kind in hidden:
            parts += [text[at:start], f"'{MASKED}'" if kind != "number" else MASKED]
            at = start + len(word)
        before = word.upper() if kind == "word" else ""
    return "".join([*parts, text[at:]])


def _cut(text: str) -> str:
    text = re.sub(r"\s+\Z", "", text)
    return text if len(text) <= LONGEST else text[:LONGEST] + " …"
