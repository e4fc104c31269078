"""Declared filters: which rows of a table its checks judge, for instance those that are not marked as
deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.titles import split_name
from kisaan_validate.sql.reading import expression_columns
from kisaan_validate.text.nearest import did_you_mean


@dataclass(frozen=True)
class Filter:
    """A SQL condition on a row, and the columns that it reads: a row for which it is not true is not
    judged.
    """

    sql: str
    columns: tuple[str, ...]


def read_filter(sql: str, origin: str) -> Filter:
    """A filter from its text. Raises SuiteError for anything but a condition on one row."""
    return Filter(sql.strip(), expression_columns(sql, origin))


class Filters:
    """The filters of a suite, given to its declarations one by one; remembers which found a check."""

    def __init__(
        self,
        filters: Mapping[str, str],
        schemas: tuple[str, ...],
        aliases: Mapping[str, tuple[str, ...]],
        origins: Mapping[str, str],
    ) -> None:
        """``filters`` are conditions by declared table name. Raises SuiteError where one is not."""
        self._schemas, self._aliases, self._origins = schemas, aliases, origins
        self._filters = {name: read_filter(sql, self._origin(name)) for name, sql in filters.items()}
        self._used: set[str] = set()
        self._seen: set[str] = set()

    def of(self, d: Declaration) -> dict[str, Filter]:
        """The filters of a declaration, by the name under which its rule knows the table.

        Raises SuiteError for a ``filter=`` that cannot be meant: there is none to leave out, or there are
        no rows.
        """
        own, judged = d.meta.filter, d.rule.judges(d.table)
        self._seen.update(judged)
        found = {table: f for table in judged if (f := self._for(table, d.origin)) is not None}
        # Without judged rows there is nothing that a filter could leave out.
        if own is None or not judged:
            return found
        if own:
            return {**found, d.table: read_filter(own, d.origin)}
        # ``filter=False`` where there is no filter is most likely a slip in the table's name.
        if not found:
            hint = f"remove filter=False, or declare [filters] {d.table} = … in suite.toml"
            raise SuiteError(
                f"no filter is declared for {' or '.join(dict.fromkeys(judged))}", hint, d.origin
            )
        return {}

    def _for(self, table: str, origin: str) -> Filter | None:
        # By places, because a filter may name a table by an alias or with its schema.
        names = [name for name in self._filters if self._places(name) & self._places(table)]
        # Two filters of one table could mean AND as well as OR.
        if len(names) > 1:
            raise SuiteError(f"{table} has several filters: {', '.join(names)}", "keep one of them", origin)
        self._used.update(names)
        return self._filters[names[0]] if names else None

    def _places(self, name: str) -> frozenset[tuple[str, str]]:
        """Every place where a table of this declared name may be found."""
        found = set()
        for candidate in self._aliases.get(name, (name,)):
            schema, bare = split_name(candidate)
            found |= {(schema, bare)} if schema else {(s, bare) for s in self._schemas}
        return frozenset(found)

    def require_use(self) -> None:
        """Raises SuiteError for a filter of a table that no check judges: a misspelled name would leave it
        off.
        """
        for name in self._filters:
            if name not in self._used:
                hint = did_you_mean(name, sorted(self._seen - {""}))
                raise SuiteError(
                    f"a filter for {name!r}, but no check reads its rows", hint, self._origin(name)
                )

    def _origin(self, name: str) -> str:
        return self._origins.get(name, "suite.toml")
