"""One statement of figures for a contract or a baseline, and how its row is read. Made by ``side``; asked
by ``execute.measure``.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.measure_key import MeasureKey
from kisaan_validate.facts.table import Measured
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.statements import read_figures


@dataclass(frozen=True)
class Measure:
    """One statement. Its row holds the row counts that ``counts`` names, the figures, and the names.

    Without ``sql`` it is not asked, and ``message`` says why. ``parts`` are asked instead where it fails
    for the fault of one expression: each gives a part of the figures. ``private``: the server's messages
    may quote personal values; ``known`` are names that they may contain. ``key`` are the columns by which
    its digests tell rows apart. ``first`` is asked before it: where that answers with the names ``proof``,
    the answer is known to be ``proved``, and it is not asked. ``brief`` is asked instead where those
    names, which are of buckets, hold another number of rows than ``proof``. ``found`` are tables whose
    rows an index may find, because they are only looked up.
    """

    id: MeasureKey
    title: str
    sql: str = ""
    counts: tuple[MeasureKey, ...] = ()
    figures: tuple[Figure, ...] = ()
    named: str | None = None
    message: str = ""
    parts: tuple[Measure, ...] = ()
    private: bool = False
    known: frozenset[str] = frozenset()
    key: tuple[str, ...] = ()
    first: Measure | None = None
    proof: tuple[str, ...] = ()
    proved: Measured | None = None
    brief: Measure | None = None
    found: tuple[TableKey, ...] = ()

    def after(self, buckets: Sequence[str]) -> Measure:
        """What is still to be asked once ``first`` answered with these buckets, which are not those of
        ``proof``.
        """
        # As many rows in other buckets: rows changed. Another
        # number: rows came or went, and columns tell less.
        same = rows_in(buckets) == rows_in(self.proof)
        return self if same or self.brief is None else self.brief

    @property
    def ids(self) -> tuple[MeasureKey, ...]:
        """The keys of all that it measures."""
        return self.counts or (self.id,)

    def read(self, row: Sequence[object]) -> list[Measured]:
        """What the statement's one row says: the measure itself, and the counts that came along with it."""
        counts = [int(str(value)) for value in row[: len(self.counts)]]
        # The names come last in the row, whatever else it holds.
        end = len(row) if self.named is None else len(row) - 1
        profiles = read_figures(self.figures, counts[0], row[len(self.counts) : end]) if counts else {}
        names = self.key if self.named is None else self._listed(row[-1])
        extra = [
            Measured(key.text, self.title, rows, sql=self.sql)
            for key, rows in zip(self.counts[1:], counts[1:], strict=True)
        ]
        rows = counts[0] if counts else None
        return [Measured(self.id.text, self.title, rows, profiles, names, self.sql), *extra]

    def _listed(self, value: object) -> tuple[str, ...]:
        """Each name of a list, or the one name that there is, behind what ``named`` says it is."""
        listed = value if isinstance(value, list) else [] if value is None else [value]
        return tuple(f"{self.named}{name}" for name in listed)


def rows_in(buckets: Sequence[str]) -> int:
    """The number of rows in buckets, each written as number:rows:lane:lane."""
    return sum(int(bucket.split(":")[1]) for bucket in buckets)
