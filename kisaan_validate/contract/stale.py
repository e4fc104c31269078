"""Which figures of a baseline were measured for another version of the contract, and cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.measure_key import MeasureKey


@dataclass(frozen=True)
class StaleMeasures:
    """Which figures of a baseline cannot be used for a contract, because it was taken with another version.

    ``reason`` says so in words, "" where the versions are one. ``tables`` are names without schemas; None
    stands for every table. ``rules`` maps the promises to the names of the tables that they speak of.
    """

    reason: str = ""
    tables: frozenset[str] | None = frozenset()
    rules: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.reason) and (self.tables is None or bool(self.tables))

    def of(self, titles: Iterable[str], rules: Iterable[str] = ()) -> str:
        """Why the figures of a table, under any of these titles, or for these promises, cannot be used; ""
        if they can.
        """
        if not self:
            return ""
        asked = [name for title in titles for name in _ends(title)]
        known = all(rule in self.rules for rule in rules)
        asked += [name for rule in rules for name in self.rules.get(rule, ())]
        if known and self.tables is not None and self.tables.isdisjoint(asked):
            return ""
        return self.reason

    def of_key(self, key: MeasureKey, titles: Iterable[str]) -> str:
        """The same of a measure; ``titles`` are those that its table has had."""
        return self.of(titles if key.table else (), key.rules)

    @property
    def words(self) -> str:
        """What is not known for it, in words."""
        if self.tables is None or not self.reason:
            return self.reason
        if not self.tables:
            # A promise that is made when the outcome is known is no promise, though it can be judged.
            return f"{self.reason}: its promises are judged, but it proves nothing by itself"
        named = ", ".join(sorted(self.tables)[:_NAMED]) + (", …" if len(self.tables) > _NAMED else "")
        return f"{self.reason}, which asked something else of {named}; what it asks of other tables is judged"


_NAMED = 5


def _ends(title: str) -> Iterator[str]:
    """A title, and what stands behind each of its dots: one of these is the table's own name."""
    yield title
    while "." in title:
        title = title.partition(".")[2]
        yield title
