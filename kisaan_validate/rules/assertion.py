"""SQL of the author's that returns the violating rows."""

from __future__ import annotations

from typing import ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.rules.base import QueryRule, Violations
from kisaan_validate.sql.qualify import authored


@dataclass(frozen=True)
class Assertion(QueryRule):
    """One SELECT by the suite's author that returns the violating rows."""

    sql: str = ""
    keys: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    volatile: frozenset[str] = frozenset()
    title: str = ""
    kind: ClassVar[str] = "sql"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return self.title or "the query returns no row"

    def judges(self, table: str) -> tuple[str, ...]:
        """None that a filter may leave out: the SQL says itself which rows it reads."""
        # A filter could only wrap the SQL as a whole, and would then mean something else.
        return ()

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        return tuple((name, "") for name in dict.fromkeys((*([table] if table else []), *self.reads)))

    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        # Imported here: sqlglot takes time to load, and most rules are no assertions.
        from kisaan_validate.sql.reading import output_columns, resolve_names

        sql = resolve_names(self.sql, self.reads, catalogue)
        # Marked as the author's, so that nothing in it is qualified.
        return Violations(authored(sql), self.keys, shown=self.shows, made_of=output_columns(self.sql))

    def functions_sql(self) -> str:
        return self.sql

    def volatile_allowed(self) -> frozenset[str]:
        return self.volatile
