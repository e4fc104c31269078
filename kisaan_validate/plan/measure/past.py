"""What a baseline knows of a table: its digests and their forms, and above which value a row came later."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.measure_key import (
    SELF_CHECK,
    WHICH_ROWS,
    FigureKey,
    MeasureKey,
    by_key,
    remainder_key,
)
from kisaan_validate.facts.table import Family, Measured, Profile, TableDigests, TableFacts
from kisaan_validate.plan.figures import TEXT_LIMIT, column_figure
from kisaan_validate.plan.measure.side import TableSide, Telling, Unknowable
from kisaan_validate.sql.expressions import quote, text_literal, to_sql

OTHERWISE = (
    "digests are computed differently here than in the baseline (another kind of server or "
    "version of kisaan-validate): take a new baseline"
)
"""Why digests that are there cannot be compared."""

# Texts and floats have an order too, but nobody gives out keys in it.
_ORDERED = frozenset({Family.NUMBER, Family.INSTANT, Family.LOCAL_TIME})
"""Kinds of values in whose order keys are given out."""


@dataclass(frozen=True)
class Past:
    """A current table beside a baseline. ``since`` is the column declared to tell which rows came later; ""
    for the key.
    """

    side: TableSide
    baseline: Baseline
    since: str = ""

    # --- what was measured ---------------------------------------------------------------------------------

    def measured(self, key: MeasureKey) -> Measured | None:
        """What the baseline measured under this key."""
        return next((m for m in self.baseline.measured if m.id == key.text), None)

    @cached_property
    def table(self) -> TableFacts | None:
        """The table as it was."""
        return next((t for t in self.baseline.tables if t.title == self.side.title), None)

    @property
    def digests(self) -> TableDigests | None:
        """The digests of the whole table, if there are any."""
        found = self.table.digests if self.table is not None else None
        return found if found is not None and not found.message else None

    @cached_property
    def remainder(self) -> Measured | None:
        """What a contract had measured of all rows."""
        return self.measured(remainder_key(self.side.title))

    def form(self, figure: FigureKey, place: int = 1) -> str:
        """The form of a digest made for a contract (place 2: the forms of its key); "" where there is
        none.
        """
        profile = self.remainder.figure(by_key(figure)) if self.remainder is not None else None
        if profile is not None and profile.digest:
            return form_in(profile.digest, place)
        return ""

    def contract_telling(self) -> Telling:
        """By what a contract's digests tell rows apart."""
        assert self.remainder is not None
        return Telling(self.remainder.names, tuple(self.form(WHICH_ROWS, 2).split(",")))

    def telling(self, digests: TableDigests) -> Telling:
        """By what the digests of the whole table tell rows apart, and their forms."""
        key_forms = tuple(form_in(digests.which_rows, 2).split(","))
        return Telling(digests.key, key_forms, self._forms())

    def _forms(self) -> Mapping[str, str]:
        columns = self.table.columns if self.table is not None else ()
        # Only what has a digest has a form; a column without one was personal or has no canonical form.
        return {c.name: form_in(c.profile.digest, 1) for c in columns if c.profile and c.profile.digest}

    # --- whether it can be compared ------------------------------------------------------------------------

    def incomparable(self, key: tuple[str, ...]) -> str:
        """Why no digest of a contract can be compared with the baseline's, or ""."""
        # The missing column is the better reason where both are true.
        if personal := [c for c in key if c in self.side.personal]:
            return self._lost(key) or f"the key column {', '.join(personal)} is personal now"
        check = self.measured(SELF_CHECK)
        return self._lost(key) or self._otherwise(check.names if check is not None else None)

    def unlike(self, digests: TableDigests, telling: Telling) -> str:
        """Why no digest of the whole table can be compared with the baseline's, or ""."""
        if personal := [c for c in telling.forms if c in self.side.personal]:
            return self._lost(telling.key) or f"{', '.join(personal)} became personal"
        return self._lost(telling.key) or self._otherwise(digests.check) or self._not_told_by_since()

    def _lost(self, key: tuple[str, ...]) -> str:
        missing = [c for c in key if c not in self.side.table.columns]
        if missing:
            return f"the key column {', '.join(missing)} no longer exists"
        return ""

    def _otherwise(self, check: tuple[str, ...] | None) -> str:
        digesting = self.side.digesting
        # Equality of encoding and self-check: hash functions of another server may answer differently.
        return "" if check == (digesting.encoding, digesting.check) else OTHERWISE

    # --- which rows came later -----------------------------------------------------------------------------

    def above(self, by: str) -> str:
        """SQL that is true for rows above the highest value that there was. Raises Unknowable."""
        profile = self.profile(by)
        if profile.maximum is None:
            # The table had no value in this column, so every current value came later.
            return f"({quote(by)} IS NOT NULL)"
        highest = to_sql(text_literal(profile.maximum))
        if profile.family is not Family.TEXT:
            # IS TRUE: a NULL is not above anything, and a NULL condition would lose the row from both sides.
            return f"(({quote(by)} > {highest}) IS TRUE)"
        # Cut, the text may be less than values that were there already.
        if len(profile.maximum) >= TEXT_LIMIT:
            raise Unknowable(f"the baseline's highest {by} was too long to be kept")
        # As the baseline compared it: by code point, not by the column's collation.
        return f'((({quote(by)})::text COLLATE "C" > {highest}) IS TRUE)'

    def profile(self, column: str) -> Profile:
        """The figures of a column, which have its highest value. Raises Unknowable."""
        table, title = self.table, self.side.title
        profile = (
            next((c.profile for c in table.columns if c.name == column), None) if table is not None else None
        )
        if table is None or profile is None or table.rows is None:
            raise Unknowable(f"the baseline has no figures of {title}.{column}")
        if profile.personal:
            raise Unknowable(f"{title}.{column} is personal, so the baseline keeps no highest value of it")
        # Rows with values but no maximum: the type has no order, so "no maximum" does not mean "no value".
        if profile.maximum is None and table.rows > (profile.nulls or 0):
            raise Unknowable(f"{title}.{column} has a type without a highest value")
        return profile

    def not_late(self, key: tuple[str, ...]) -> str:
        """SQL that is true for the rows whose key, or the column declared for that, is not above all of
        the baseline.

        "" where a key has no order to tell.
        """
        if self.since:
            return f"NOT {self.above(self.since)}"
        # Of several key columns no single one is above all
        # others; another key than the primary one need not grow.
        if len(key) != 1 or self.side.table.primary_key != key:
            return ""
        try:
            if self.profile(key[0]).family in _ORDERED:
                return f"NOT {self.above(key[0])}"
            return ""
        except Unknowable:
            return ""

    def _not_told_by_since(self) -> str:
        """Why the declared column does not tell which rows came later, or ""."""
        if not self.since:
            return ""
        try:
            profile = self.profile(self.since)
            self.above(self.since)
        except Unknowable as why:
            return f"which rows came later is unknown: {why.args[0]}"
        # A type that changed its kind (a number that is a text now) orders its values differently.
        now = column_figure(self.side.table.columns[self.since], personal=False).family
        column = f"{self.side.title}.{self.since}"
        if now is profile.family:
            return ""
        return f"which rows came later is unknown: {column} now has values of a different kind"


def form_in(digest: str, place: int) -> str:
    """The form of the value (place 1), or the forms of the key (2), in which a digest was made."""
    return digest.partition(":")[0].split("/")[place]
