"""What a draft is made of: the catalogue, its comments, and what one scan of each table saw. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from fnmatch import fnmatchcase

from kisaan_validate.author.draft.codes import is_shape
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.postgres.statistics import Comments


@dataclass(frozen=True)
class Observed:
    """What one scan saw of a table: exact, of one snapshot, and not promised.

    ``rows`` is None where the table was not read, with the ``reason``. ``nulls`` counts them by column, as
    far as that was asked; ``unique`` are columns without two equal values, ``two_decimals`` those whose
    values never had more places, and ``values`` all the values of columns that have few and that are
    plainly codes. ``withheld`` says why those of other columns with few values are written nowhere.
    ``sorted_once`` are those of ``unique`` whose table is too large to be sorted again.
    """

    rows: int | None = None
    reason: str = ""
    nulls: Mapping[str, int] = field(default_factory=dict)
    unique: frozenset[str] = frozenset()
    two_decimals: frozenset[str] = frozenset()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    withheld: Mapping[str, str] = field(default_factory=dict)
    sorted_once: frozenset[str] = frozenset()


NOT_READ = Observed(reason="its rows were not read")


@dataclass(frozen=True)
class Facts:
    """Everything that a draft says. ``personal`` are patterns over ``table.column`` whose values appear
    nowhere.
    """

    catalogue: Catalogue
    place: Place
    on: date
    comments: Comments
    observed: Mapping[TableKey, Observed]
    personal: tuple[str, ...] = ()

    def of(self, table: Table) -> Observed:
        """What was seen of a table."""
        return self.observed.get(table.key, NOT_READ)


def names_of(catalogue: Catalogue) -> list[str]:
    """Every column as ``table.column``."""
    return [f"{t.name}.{c}" for t in catalogue.tables.values() for c in t.columns]


def seen_personal(facts: Facts) -> dict[str, tuple[str, ...]]:
    """Columns that are personal by what their values look like, as full names for ``personal`` in
    suite.toml.
    """
    found: dict[str, tuple[str, ...]] = {}
    for key, observed in facts.observed.items():
        for column, reason in observed.withheld.items():
            if is_shape(reason):
                name = f"{key[1]}.{column}"
                # fnmatch's signs in a name stand for themselves in brackets.
                found["".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)] = (
                    f"{name}: {reason}",
                )
    return found


def is_personal(patterns: tuple[str, ...], table: str, column: str) -> bool:
    """Whether a column is one of those whose values appear nowhere (as ``SuiteSettings.is_personal``)."""
    name = f"{table}.{column}".lower()
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
