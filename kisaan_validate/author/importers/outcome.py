"""What happens to each item of a source: checks of ours, or the reason why there is none. Nothing else,
and nothing lost.
"""

from __future__ import annotations

from kisaan_validate.dataclass import dataclass


class NoCounterpart(Exception):
    """An item that no check of ours says; the text is the reason, for people."""


@dataclass(frozen=True)
class ImportOutcome:
    """One item of a source. Either ``ids`` names the checks that it became, or ``reason`` says why there
    is none.

    ``place`` is where it stands in its file, ``text`` what it is, in its tool's words.
    """

    file: str
    place: str
    text: str
    ids: tuple[str, ...] = ()
    reason: str = ""

    @property
    def imported(self) -> bool:
        """Whether it became a check."""
        return bool(self.ids)


@dataclass(frozen=True)
class Made:
    """One check in the making: its source, and for a SQL assertion the path of its file."""

    id: str
    table: str
    source: str
    path: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class Said:
    """What an item says of itself, for the check that it becomes. ``tolerance`` is as declarations take
    it.
    """

    severity: str = "blocking"
    tolerance: str | int | None = None
    why: str = ""
    owner: str = ""
    title: str = ""
