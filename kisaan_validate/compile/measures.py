"""What a contract must have measured becomes statements: one row of figures each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kisaan_validate.catalogue import Catalogue, Table
from kisaan_validate.compile.figures import Figure, base_of, column_figure, figure_of
from kisaan_validate.compile.statements import figure_items, read_figures
from kisaan_validate.contract.needs import (
    Arrival,
    Names,
    Need,
    Removal,
    Replacement,
    count_id,
    names_id,
    remainder_id,
    replaced,
    settled_id,
)
from kisaan_validate.model import Baseline, Measured
from kisaan_validate.sql.expressions import quote, raw, table_sql, text_literal, to_sql

IsPersonal = Callable[[str, str], bool]


@dataclass(frozen=True)
class Measure:
    """One statement for a contract. ``counts`` names, in order, the row counts that it returns before the figures.

    ``table`` is None where it does not exist; then there is no SQL, and ``missing`` says so.
    """

    id: str
    title: str
    table: Table | None
    sql: str = ""
    counts: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    names: bool = False
    missing: str = ""

    def read(self, row: Sequence[object]) -> list[Measured]:
        """What the statement's one row says: the measure itself, and the counts that came along with it."""
        if self.names:
            found = row[0] if isinstance(row[0], list) else []
            return [Measured(self.id, self.title, names=tuple(str(name) for name in found), sql=self.sql)]
        counted = [int(str(value)) for value in row[: len(self.counts)]]
        profiles = read_figures(self.figures, counted[0], row[len(self.counts) :])
        extra = [Measured(id, self.title, rows, sql=self.sql) for id, rows in zip(self.counts[1:], counted[1:], strict=True)]
        return [Measured(self.id, self.title, counted[0], profiles, sql=self.sql), *extra]


def measures_of(
    needs: Iterable[Need], catalogue: Catalogue, is_personal: IsPersonal, before: Baseline | None
) -> list[Measure]:
    """The statements for one side: the one before a migration if ``before`` is None, else the one after it."""
    grouped: dict[str, list[Need]] = defaultdict(list)
    for need in needs:
        grouped[need.table].append(need)
    found: list[Measure] = []
    for name, members in grouped.items():
        table = catalogue.find(name)
        if table is None:
            found.append(Measure(f"{name}: everything", name, None, missing=f"table {name} does not exist"))
            continue
        maker = _Maker(table, is_personal, before)
        found += maker.before(members) if before is None else maker.after(members)
    return found


class _Maker:
    def __init__(self, table: Table, is_personal: IsPersonal, baseline: Baseline | None) -> None:
        self.table, self.is_personal, self.baseline = table, is_personal, baseline
        self.title = table.name if table.schema == "public" else f"{table.schema}.{table.name}"

    def before(self, needs: Sequence[Need]) -> list[Measure]:
        removals = [n for n in needs if isinstance(n, Removal)]
        replacements = [n for n in needs if isinstance(n, Replacement)]
        made = [self._count(a.rule, _held(a.where)) for a in needs if isinstance(a, Arrival) and not a.by]
        made += [self._names(n) for n in needs if isinstance(n, Names)]
        if replacements:
            made.append(self._remainder((), replacements))
        # Each rule alone and all together: which of them are done is known only afterwards.
        subsets = [(r,) for r in removals] + ([tuple(removals)] if len(removals) > 1 else [])
        return made + [self._remainder(subset, replacements) for subset in subsets]

    def after(self, needs: Sequence[Need]) -> list[Measure]:
        made = [self._count(r.rule, self._goes(r)) for r in needs if isinstance(r, Removal)]
        made += [self._names(n) for n in needs if isinstance(n, Names)]
        arrivals = [(a, self._arrives(a)) for a in needs if isinstance(a, Arrival)]
        made += [self._count(a.rule, where) for a, where in arrivals]
        if arrivals:
            stays = f"NOT ({' OR '.join(where for _, where in arrivals)})"
            made.append(self._figures(settled_id(self.title), stays, [], []))
        return made

    def _arrives(self, arrival: Arrival) -> str:
        if not arrival.by:
            return _held(arrival.where)
        assert self.baseline is not None
        columns = {(t.title, c.name): c.profile for t in self.baseline.tables for c in t.columns}
        profile = columns.get((self.title, arrival.by))
        if profile is None or profile.maximum is None:
            return "true" if profile is not None and not profile.personal else "NULL::boolean"
        return f"(({quote(arrival.by)} > {to_sql(text_literal(profile.maximum))}) IS TRUE)"

    def _goes(self, removal: Removal) -> str:
        """SQL that is true for the rows of a removal. Among duplicates the one with the lowest key stays."""
        where = _held(removal.where) if removal.where else ""
        if not removal.columns:
            return where
        keys = ", ".join(quote(k) for k in self.table.primary_key) or "ctid"
        groups = ", ".join([*([where] if where else []), *(quote(c) for c in removal.columns)])
        surplus = f"row_number() OVER (PARTITION BY {groups} ORDER BY {keys}) > 1"
        return f"({where} AND {surplus})" if where else f"({surplus})"

    def _remainder(self, removals: Sequence[Removal], replacements: Sequence[Replacement]) -> Measure:
        gone = [(r.rule, self._goes(r)) for r in removals]
        stays = f"NOT ({' OR '.join(sql for _, sql in gone)})" if gone else ""
        id = remainder_id(self.title, frozenset(r.rule for r in removals))
        return self._figures(id, stays, gone if len(gone) == 1 else [], replacements)

    def _figures(
        self, id: str, stays: str, counted: Sequence[tuple[str, str]], replacements: Sequence[Replacement]
    ) -> Measure:
        """The figures of the rows that stay: of every column if some do not, and of the promised expressions."""
        inner: list[str] = []
        figures: list[Figure] = []
        kept = "stays" if stays else ""
        if stays:
            inner.append(f"{stays} AS stays")
            for n, column in enumerate(self.table.columns.values()):
                inner.append(f"{quote(column.name)} AS v{n}")
                personal = self.is_personal(self.table.name, column.name)
                figures.append(column_figure(column, personal=personal, expression=f"v{n}", where=kept))
        for n, need in enumerate(replacements):
            inner.append(f"{self._replacement(need)} AS e{n}")
            figures.append(self._promised(need, f"e{n}", kept))
        rows = ["count(*) FILTER (WHERE stays)" if stays else "count(*)", *("count(*) FILTER (WHERE NOT stays)" for _ in counted)]
        outputs = ",\n  ".join([*rows, *figure_items(figures)])
        sql = f"SELECT {outputs}\nFROM (\n  SELECT {', '.join(inner)}\n  FROM {table_sql(self.table)}\n) AS q"
        counts = (id, *(count_id(rule, self.title) for rule, _ in counted))
        return Measure(id, self.title, self.table, sql, counts, tuple(figures))

    def _replacement(self, need: Replacement) -> str:
        text = to_sql(raw(need.expression.replace("{column}", quote(need.column))))
        return f"{text}::{need.type}" if need.type else text

    def _promised(self, need: Replacement, expression: str, kept: str) -> Figure:
        column = self.table.columns.get(need.column)
        base = base_of(need.type) if need.type else (column.base if column is not None else "")
        personal = self.is_personal(self.table.name, need.column)
        enum = column is not None and column.is_enum
        return figure_of(replaced(need.column, need.rule), expression, base, enum=enum, personal=personal, where=kept)

    def _count(self, rule: str, condition: str) -> Measure:
        # A window function may stand in no FILTER, so it is computed one level below.
        id = count_id(rule, self.title)
        sql = f"SELECT count(*) FILTER (WHERE hit)\nFROM (\n  SELECT {condition} AS hit\n  FROM {table_sql(self.table)}\n) AS q"
        return Measure(id, self.title, self.table, sql, (id,))

    def _names(self, need: Names) -> Measure:
        column = quote(need.column)
        listed = ", ".join(to_sql(text_literal(name)) for name in need.names)
        sql = (
            f'SELECT array_agg(DISTINCT {column}::text COLLATE "C")\n'
            f"FROM {table_sql(self.table)}\nWHERE {column}::text IN ({listed})"
        )
        return Measure(names_id(need.rule), self.title, self.table, sql, names=True)


def _held(where: str) -> str:
    return f"(({where}\n) IS TRUE)" if "--" in where else f"(({where}) IS TRUE)"
