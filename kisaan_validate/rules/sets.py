"""A column whose values are those that another table lists, whether or not these are unique there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.base import QueryRule, Violations, free_name, when
from kisaan_validate.rules.nan import nan_of_any
from kisaan_validate.sql.expressions import View, kept_sql, key_columns, quote, source_sql, to_sql

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Table


@dataclass(frozen=True)
class ValuesIn(QueryRule):
    """Every value (or combination) occurs in the columns ``on`` of ``reference``, in a row that
    ``reference_where`` leaves.

    A row with a NULL in one of the columns is not judged. Unlike ``References`` it needs no unique index:
    the values are made distinct before they are looked up, so none is found twice. A NaN is listed
    nowhere, whatever the list says.
    """

    reference: str = ""
    on: tuple[str, ...] = ()
    where: str = ""
    reference_where: str = ""
    kind: ClassVar[str] = "values_in"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        listed = f"{self.reference}.{', '.join(self.on)}{when(self.reference_where)}"
        return f"every {', '.join(columns)} is one of {listed}{when(self.where)}"

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return (*super().needs(table, columns), *((self.reference, column) for column in self.on))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return tuple(text for text in (self.where, self.reference_where) if text)

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        # Without a key the values themselves name the row.
        keys = key_columns(table) or columns
        outputs = list(dict.fromkeys((*keys, *columns)))
        source, missing = self._source(table, columns, outputs, catalogue)
        listed = ", ".join(f"child.{quote(c)}" for c in outputs)
        return Violations(
            f"SELECT {listed}\nFROM {source}\nWHERE {missing}",
            keys,
            shown=tuple(c for c in columns if c not in keys),
            made_of={c: (c,) for c in columns},
            safe=frozenset({"ctid"} if keys == ("ctid",) else ()),
            counting=f"SELECT count(*) FILTER (WHERE {missing}) AS violations, count(*) AS "
            f"examined\nFROM {source}",
        )

    def _source(
        self, table: Table, columns: tuple[str, ...], outputs: list[str], catalogue: Catalogue
    ) -> tuple[str, str]:
        """Each judged row beside the listed value that it finds; and SQL that is true where it finds none."""
        reference = catalogue.find(self.reference)
        if reference is None:
            raise DatabaseError(f"table {self.reference} does not exist")
        reference = replace(
            reference, only=""
        )  # what is listed is listed, whatever rows a filter would judge
        own, other = View(table), View(reference)
        names = [free_name(f"value_{n}", outputs) for n in range(len(columns))]
        compared = ", ".join(f"{to_sql(own.value(c))} AS {n}" for c, n in zip(columns, names, strict=True))
        # A NULL is not judged, so it never reaches the join.
        kept = kept_sql(table, self.where, *(f"{quote(c)} IS NOT NULL" for c in columns))
        values = ", ".join(f"{to_sql(other.value(c))} AS {n}" for c, n in zip(self.on, names, strict=True))
        only = f"\n  WHERE {kept_sql(reference, self.reference_where)}" if self.reference_where else ""
        signs = [
            # The listed column's operator, because that type decides when two values are equal.
            reference.columns[b].sign("=", table.columns[a])
            for a, b in zip(columns, self.on, strict=True)
        ]
        found = " AND ".join(f"listed.{n} {sign} child.{n}" for n, sign in zip(names, signs, strict=True))
        child = (
            f"SELECT {', '.join(quote(c) for c in outputs)}, {compared}\n  FROM "
            f"{source_sql(table, matched=columns)}\n  WHERE {kept}"
        )
        # DISTINCT before the join: a value that is listed twice must not count a row twice.
        listed = f"SELECT DISTINCT {values}\n  FROM {source_sql(reference, matched=self.on)}{only}"
        missing, nan = (
            f"listed.{names[0]} IS NULL",
            nan_of_any((table.columns[c], f"child.{quote(c)}") for c in columns),
        )
        # NaN equals NaN in the join, but is listed nowhere by our rules.
        missing = f"({missing} OR {nan})" if nan else missing
        return f"(\n  {child}\n) AS child\nLEFT JOIN (\n  {listed}\n) AS listed ON {found}", missing
