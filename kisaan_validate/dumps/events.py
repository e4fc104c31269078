"""What a dump's SQL is split into, and why splitting ends."""

from __future__ import annotations

from kisaan_validate.dataclass import dataclass


class BrokenOff(Exception):
    """The text ends within a statement, a quote or rows. ``args[0]`` says within what, in words."""


class Smuggled(Exception):
    """Text that pg_dump does not write and that might be read in two ways, or a command of psql."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line}: {what}")
        self.what, self.line = what, line


@dataclass(frozen=True)
class DumpComment:
    """A comment between statements, without its line end."""

    text: bytes
    line: int


@dataclass(frozen=True)
class Command:
    """A backslash command on a line of its own, between statements."""

    text: bytes
    line: int


@dataclass(frozen=True)
class Sentence:
    """One statement with its semicolon. ``tokens``: words, quoted names, constants and marks, in order,
    without comments; of an INSERT only those before its values. ``rows``: how many rows an INSERT has.
    """

    text: bytes
    tokens: tuple[bytes, ...]
    line: int
    lines: int
    rows: int = 0
    plain_values: bool = True
    """Of an INSERT: whether its values are constants alone."""


@dataclass(frozen=True)
class RowPiece:
    """A piece of the rows of COPY, with the number of line ends in it. The last piece ends with ``\\.``."""

    data: bytes
    lines: int
    last: bool = False


Event = DumpComment | Command | Sentence | RowPiece
