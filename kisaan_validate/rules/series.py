"""Numbers (or days) that follow each other step by step: none is missing, none occurs twice."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.rules.base import QueryRule, Violations, free_name, when
from kisaan_validate.rules.bounds import compared, exact_text
from kisaan_validate.rules.intervals import Interval
from kisaan_validate.rules.nan import nan_of_any
from kisaan_validate.sql.expressions import kept_sql, key_columns, literal, quote, source_sql, to_sql

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Catalogue, Column, Table

_COUNTED = frozenset({"int2", "int4", "int8", "numeric"})


@dataclass(frozen=True)
class NoGaps(QueryRule):
    """Each value is one ``step`` after the one before it, in the order of ``order_by`` (else of the values
    themselves).

    ``by`` are columns that make a series of their own for each of their values. ``start`` is what each
    begins with. A row without a value (or without one to order by) has no place in the series, and is not
    judged. A violation is a place: a row that does not follow from the row before it. A NaN follows from
    nothing, and is one, first or not.
    """

    by: tuple[str, ...] = ()
    order_by: str = ""
    step: Fraction = Fraction(1)
    start: Any = None
    where: str = ""
    kind: ClassVar[str] = "no_gaps"

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        if self.start is not None:
            return Interval(self.start, self.start).idle(table.columns[columns[0]])
        return ""

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        order = f" in the order of {self.order_by}" if self.order_by else ""
        begin = f", starting with {self.start}" if self.start is not None else ""
        each = f", for each {', '.join(self.by)}" if self.by else ""
        return (
            f"{columns[0]} rises by {exact_text(self.step)} from row to "
            f"row{order}{begin}{each}{when(self.where)}"
        )

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        more = (*self.by, *([self.order_by] if self.order_by else []))
        return (*super().needs(table, columns), *((table, column) for column in more))

    def conditions(self) -> tuple[str, ...]:
        """What the author wrote."""
        return (self.where,) if self.where else ()

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        value, places = columns[0], (*self.by, columns[0])
        # The key identifies each row of one place, so that people can find it.
        beside = tuple(c for c in key_columns(table) if c not in places)
        ordered = tuple(dict.fromkeys([value, *([self.order_by] if self.order_by else [])]))
        outputs = (*places, *beside)
        # The outputs may be called like these, so free names are taken.
        previous, problem, first, nan = (
            free_name(name, outputs) for name in ("previous", "problem", "is_first", "is_nan")
        )
        nan_in = nan_of_any((table.columns[c], quote(c)) for c in ordered)
        step = _step(table.columns[value], quote(value), previous)
        source = self._source(
            table, value, outputs, previous, (f", {nan_in} AS {nan}" if nan_in else "", first)
        )
        held = f"CASE WHEN {first} THEN {self._begins(value)} ELSE {compared(step, '=', self.step)} END"
        # coalesce: a comparison with an infinity or a NULL is no step.
        broken = f"{nan} OR NOT coalesce({held}, false)" if nan_in else f"NOT coalesce({held}, false)"
        unnumbered = f"WHEN {nan} THEN 'not a number' " if nan_in else ""
        sql = (
            f"SELECT {', '.join(quote(c) for c in outputs)}, {previous},\n"
            f"  CASE {unnumbered}WHEN {first} THEN 'another beginning' WHEN {quote(value)} = {previous} "
            f"THEN 'duplicate' "
            f"WHEN {quote(value)} < {previous} THEN 'step back' WHEN {compared(step, '>', self.step)} "
            f"THEN 'gap' "
            f"ELSE 'short step' END AS {problem}\nFROM {source}\nWHERE {broken}"
        )
        counting = (
            f"SELECT count(*) FILTER (WHERE {broken}) AS violations, count(*) AS examined\nFROM {source}"
        )
        made_of = {previous: columns}
        safe = frozenset({problem, *(["ctid"] if "ctid" in beside else [])})
        return Violations(
            sql, places, shown=(previous, problem, *beside), made_of=made_of, safe=safe, counting=counting
        )

    def _begins(self, value: str) -> str:
        if self.start is None:
            return "true"
        return f"{quote(value)} = {to_sql(literal(self.start))}"

    def _source(
        self, table: Table, value: str, outputs: tuple[str, ...], previous: str, more: tuple[str, str]
    ) -> str:
        """The judged rows, each with the value before it. The key orders equal places, for a stable
        answer.

        ``more`` are the output that tells a NaN ("" where none can be), and the name of that which tells
        the first row.
        """
        nan, first = more
        ordered = dict.fromkeys((*([self.order_by] if self.order_by else []), value, *outputs))
        each = f"PARTITION BY {', '.join(quote(c) for c in self.by)} " if self.by else ""
        judged = [
            f"{quote(c)} IS NOT NULL"
            for c in dict.fromkeys([value, *([self.order_by] if self.order_by else [])])
        ]
        kept = kept_sql(table, *([self.where] if self.where else []), *judged)
        # By all outputs, so that rows of one place always come in the same order.
        order = ", ".join(quote(c) for c in ordered if c not in self.by)
        return (
            f"(\n  SELECT {', '.join(quote(c) for c in outputs)}, lag({quote(value)}) OVER w AS {previous}, "
            # row_number instead of "previous IS NULL": the first row is known whatever the values are.
            f"row_number() OVER w = 1 AS {first}{nan}\n  FROM {source_sql(table, matched=())}\n  WHERE "
            f"{kept}\n"
            f"  WINDOW w AS ({each}ORDER BY {order})\n) AS s"
        )


def _step(column: Column, value: str, previous: str) -> str:
    """SQL for the difference of two values; numeric, because the difference of two bigints may be none."""
    if column.base in _COUNTED:
        return f"({value}::numeric - {previous}::numeric)"
    if column.base == "date":
        return f"({value} - {previous})"
    raise DatabaseError(
        f"{column.name} is {column.type}, which has no steps",
        "name a column of whole numbers, numeric or dates",
    )
