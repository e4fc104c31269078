"""What a contract must have measured becomes statements: one row of figures each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar

from kisaan_validate.catalogue import KIND_WORDS, Catalogue, Table
from kisaan_validate.compile.figures import TEXT_LIMIT, Figure, base_of, column_figure, figure_of
from kisaan_validate.compile.statements import figure_items, read_figures
from kisaan_validate.contract.needs import (
    Arrival,
    Names,
    Need,
    Removal,
    Replacement,
    count_id,
    names_id,
    part_id,
    remainder_id,
    replaced,
    same_as,
    settled_id,
)
from kisaan_validate.model import Baseline, Family, Measured, Profile
from kisaan_validate.sql.assertion import columns_of, plain_expression
from kisaan_validate.sql.expressions import quote, raw, table_sql, text_literal, to_sql

IsPersonal = Callable[[str, str], bool]


@dataclass(frozen=True)
class Measure:
    """One statement for a contract. Its row holds the row counts that ``counts`` names, the figures, and the names.

    Without ``sql`` it is not asked, and ``message`` says why. ``parts`` are asked instead where it fails for the fault of
    one expression: each gives a part of the figures. ``private``: the server's messages may quote personal values;
    ``known`` are names that they may contain.
    """

    id: str
    title: str
    sql: str = ""
    counts: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    named: str | None = None
    message: str = ""
    parts: tuple[Measure, ...] = ()
    private: bool = False
    known: frozenset[str] = frozenset()

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of all that it measures."""
        return self.counts or (self.id,)

    def read(self, row: Sequence[object]) -> list[Measured]:
        """What the statement's one row says: the measure itself, and the counts that came along with it."""
        counts = [int(str(value)) for value in row[: len(self.counts)]]
        end = len(row) if self.named is None else len(row) - 1
        profiles = read_figures(self.figures, counts[0], row[len(self.counts) : end]) if counts else {}
        listed = row[-1] if isinstance(row[-1], list) else [v for v in (row[-1],) if v is not None]
        names = tuple(f"{self.named}{name}" for name in listed) if self.named is not None else ()
        extra = [Measured(id, self.title, rows, sql=self.sql) for id, rows in zip(self.counts[1:], counts[1:], strict=True)]
        return [Measured(self.id, self.title, counts[0] if counts else None, profiles, names, self.sql), *extra]


def measures_of(
    needs: Iterable[Need], catalogue: Catalogue, is_personal: IsPersonal, before: Baseline | None
) -> list[Measure]:
    """The statements for one side: the one before a migration if ``before`` is None, else the one after it."""
    grouped: dict[tuple[str, str], list[Need]] = defaultdict(list)
    found: list[Measure] = []
    for need in needs:
        table = catalogue.find(need.table)
        if table is not None and not table.countable:
            message = f"{need.table} is a {KIND_WORDS[table.kind]}: only the rows of tables are measured"
            found.append(Measure(f"{need.table}: for {need.rule}", need.table, message=message))
        elif table is not None:
            grouped[table.key].append(need)
        elif isinstance(need, (Removal, Replacement)) and not need.optional:
            found.append(Measure(f"{need.table}: for {need.rule}", need.table, message=f"table {need.table} does not exist"))
    for key, members in grouped.items():
        maker = _Maker(catalogue.tables[key], catalogue, is_personal, before)
        found += maker.before(members) if before is None else maker.after(members)
    return found


class _Unknowable(Exception):
    """What is asked for cannot be said in SQL. ``args[0]`` says why."""


class _Maker:
    def __init__(self, table: Table, catalogue: Catalogue, is_personal: IsPersonal, baseline: Baseline | None) -> None:
        self.table, self.catalogue, self.baseline = table, catalogue, baseline
        self.title = table.name if table.schema == "public" else f"{table.schema}.{table.name}"
        self.personal = frozenset(c for c in table.columns if is_personal(table.name, c))
        self.known = frozenset({table.name, *table.columns})

    def before(self, needs: Sequence[Need]) -> list[Measure]:
        made = [self._count(n.rule, _held(n.where)) for n in _those(needs, Arrival) if not n.by]
        made += [self._names(n) for n in _those(needs, Names)]
        removals = _those(needs, Removal)
        replacements = [n for n in _those(needs, Replacement) if not n.optional or n.column in self.table.columns]
        # Which rules are done is known only afterwards: each alone, all together, and all but one.
        sizes = sorted({1, len(removals) - 1, len(removals)} - {0, -1}) if removals else []
        subsets = [subset for size in sizes for subset in combinations(removals, size)]
        if replacements:
            subsets.insert(0, ())
        return made + [measure for subset in subsets for measure in self._remainder(subset, replacements)]

    def after(self, needs: Sequence[Need]) -> list[Measure]:
        made = [self._names(n) for n in _those(needs, Names)]
        known: list[str] = []
        for need in (n for n in needs if isinstance(n, (Names, Arrival))):
            try:
                condition = self._arrives(need)
            except _Unknowable as reason:
                made.append(self._measure(count_id(need.rule, self.title), message=str(reason)))
                continue
            made.append(self._count(need.rule, condition))
            known += [] if isinstance(need, Arrival) and self._were_there(need) else [condition]
        came = f"({' OR '.join(known)})" if known else ""
        for removal in _those(needs, Removal):
            goes = self._goes(removal)
            made.append(self._count(removal.rule, f"({goes} AND NOT {came})" if came else goes, self._example()))
        if any(isinstance(need, (Names, Arrival)) for need in needs):
            made.append(self._figures(settled_id(self.title), f"NOT {came}" if came else "true", [], []))
        return made

    def _measure(
        self, id: str, sql: str = "", counts: tuple[str, ...] = (), figures: tuple[Figure, ...] = (), *,
        named: str | None = None, message: str = "",
    ) -> Measure:  # fmt: skip
        private = bool(self.personal)
        return Measure(id, self.title, sql, counts, figures, named, message, private=private, known=self.known)

    # --- which rows -------------------------------------------------------------------------------------------------

    def _were_there(self, arrival: Arrival) -> bool:
        """Whether WHERE admitted rows of before: then it does not tell which are new, and none is set aside."""
        rows = self._old(count_id(arrival.rule, self.title))
        return not arrival.by and rows is not None and bool(rows.rows)

    def _old(self, id: str) -> Measured | None:
        assert self.baseline is not None
        return next((m for m in self.baseline.measured if m.id == id), None)

    def _arrives(self, need: Arrival | Names) -> str:
        """SQL that is true for the rows that came. Raises _Unknowable."""
        if isinstance(need, Names):
            old = self._old(names_id(need.rule))
            new = [name for name in need.names if old is None or name not in old.names]
            return f"({quote(need.column)}::text IN ({_listed(new)}) IS TRUE)" if new else "false"
        return self._above(need.by) if need.by else _held(need.where)

    def _above(self, by: str) -> str:
        profile = self._old_profile(by)
        if profile.maximum is None:
            return f"({quote(by)} IS NOT NULL)"
        highest = to_sql(text_literal(profile.maximum))
        if profile.family is not Family.TEXT:
            return f"(({quote(by)} > {highest}) IS TRUE)"
        if len(profile.maximum) >= TEXT_LIMIT:
            raise _Unknowable(f"the highest {by} of the baseline was too long to be kept")
        return f'((({quote(by)})::text COLLATE "C" > {highest}) IS TRUE)'

    def _old_profile(self, column: str) -> Profile:
        assert self.baseline is not None
        table = next((t for t in self.baseline.tables if t.title == self.title), None)
        profile = next((c.profile for c in table.columns if c.name == column), None) if table is not None else None
        if table is None or profile is None or table.rows is None:
            raise _Unknowable(f"the baseline has no figures of {self.title}.{column}")
        if profile.personal:
            raise _Unknowable(f"{self.title}.{column} is personal: the baseline keeps no highest value of it")
        if profile.maximum is None and table.rows > (profile.nulls or 0):
            raise _Unknowable(f"{self.title}.{column} is of a type that has no highest value")
        return profile

    def _goes(self, removal: Removal) -> str:
        """SQL that is true for the rows of a removal. Among duplicates the one with the lowest key stays."""
        where = _held(removal.where) if removal.where else ""
        if not removal.columns:
            return where
        keys = ", ".join(quote(k) for k in self.table.primary_key) or "tableoid, ctid"
        groups = ", ".join([*([where] if where else []), *(quote(c) for c in removal.columns)])
        surplus = f"row_number() OVER (PARTITION BY {groups} ORDER BY {keys}) > 1"
        return f"({where} AND {surplus})" if where else f"({surplus})"

    def _example(self) -> Figure | None:
        """The figures of the column by which one row may be named: a key that is no person's."""
        key = self.table.primary_key
        column = self.table.columns[key[0]] if len(key) == 1 and key[0] not in self.personal else None
        figure = column_figure(column, personal=False, expression="named", where="hit") if column is not None else None
        return figure if figure is not None and figure.ends else None

    # --- statements -------------------------------------------------------------------------------------------------

    def _remainder(self, removals: Sequence[Removal], replacements: Sequence[Replacement]) -> list[Measure]:
        gone = [(r.rule, self._goes(r)) for r in removals]
        stays = f"NOT ({' OR '.join(sql for _, sql in gone)})" if gone else ""
        id = remainder_id(self.title, frozenset(r.rule for r in removals))
        counted, unknown = gone if len(gone) == 1 else [], [n for n in replacements if self._type(n) is None]
        made = [
            self._measure(part_id(id, replaced(n.column, n.rule)), message=f"values of type {n.type} are not known before it exists")
            for n in unknown
        ]
        known = [n for n in replacements if n not in unknown]
        parts = [self._figures(id, stays, counted, []), *(self._figures(id, stays, [], [n]) for n in known)] if known else []
        return [replace(self._figures(id, stays, counted, known), parts=tuple(parts)), *made]

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
                figures.append(column_figure(column, personal=column.name in self.personal, expression=f"v{n}", where=kept))
        for n, need in enumerate(replacements):
            inner.append(f"{self._replacement(need)} AS e{n}")
            figures.append(self._promised(need, f"e{n}", kept))
            if self._comparable(need):
                inner.append(f"{self._replacement(need)} IS DISTINCT FROM {quote(need.column)} AS d{n}")
                figures.append(same_rows(need.column, need.rule, f"d{n}", kept))
        rows = ["count(*) FILTER (WHERE stays)" if stays else "count(*)", *("count(*) FILTER (WHERE NOT stays)" for _ in counted)]
        outputs = ",\n  ".join([*rows, *figure_items(figures)])
        sql = f"SELECT {outputs}\nFROM (\n  SELECT {', '.join(inner)}\n  FROM {table_sql(self.table)}\n) AS q"
        counts = (id, *(count_id(rule, self.title) for rule, _ in counted))
        return self._measure(id, sql, counts, tuple(figures))

    def _replacement(self, need: Replacement) -> str:
        """The promised value, as an assignment to the column would store it."""
        text = to_sql(raw(need.expression.replace("{column}", quote(need.column))))
        column = self.table.columns.get(need.column)
        type = need.type or (column.type if column is not None else "")
        return f"{text}::{type}" if type else text

    def _comparable(self, need: Replacement) -> bool:
        """Whether the promised value can be compared with the old one: of the same type, which has an order."""
        column = self.table.columns.get(need.column)
        same = column is not None and need.type in ("", column.type)
        return same and self._promised(need, "", "").family is not Family.OTHER

    def _type(self, need: Replacement) -> tuple[str, bool] | None:
        """(``typname`` below any domain, whether it is an enum) of the promised value; None if the type is not known."""
        column = self.table.columns.get(need.column)
        if not need.type:
            return (column.base, column.is_enum) if column is not None else ("", False)
        if base := base_of(need.type):
            return base, False
        every = (c for t in self.catalogue.tables.values() for c in t.columns.values())
        return next(((c.base, c.is_enum) for c in every if c.type == need.type), None)

    def _promised(self, need: Replacement, expression: str, kept: str) -> Figure:
        base, enum = self._type(need) or ("", False)
        tree = plain_expression(need.expression.replace("{column}", quote(need.column)), need.rule)
        personal = bool({need.column, *columns_of(tree)} & self.personal)
        return figure_of(replaced(need.column, need.rule), expression, base, enum=enum, personal=personal, where=kept)

    def _count(self, rule: str, condition: str, example: Figure | None = None) -> Measure:
        # A window function may stand in no FILTER, so it is computed one level below.
        id, inner, outer = count_id(rule, self.title), f"{condition} AS hit", "count(*) FILTER (WHERE hit)"
        if example is not None:
            inner += f", {quote(example.name)} AS named"
            outer += f", {example.outputs[1]}"
        sql = f"SELECT {outer}\nFROM (\n  SELECT {inner}\n  FROM {table_sql(self.table)}\n) AS q"
        return self._measure(id, sql, (id,), named=f"{example.name} " if example is not None else None)

    def _names(self, need: Names) -> Measure:
        column = quote(need.column)
        sql = (
            f'SELECT array_agg(DISTINCT {column}::text COLLATE "C")\n'
            f"FROM {table_sql(self.table)}\nWHERE {column}::text IN ({_listed(need.names)})"
        )
        return self._measure(names_id(need.rule), sql, named="")


def same_rows(column: str, rule: str, differs: str, kept: str) -> Figure:
    """How many rows already have the promised value: read as if the rows that differ were those that have one."""
    condition = f"{differs} AND {kept}" if kept else differs
    return Figure(same_as(column, rule), Family.OTHER, (f"count(*) FILTER (WHERE {condition})",), False, False)


N = TypeVar("N")


def _those(needs: Iterable[Need], kind: type[N]) -> list[N]:
    return [need for need in needs if isinstance(need, kind)]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(to_sql(text_literal(name)) for name in names)


def _held(where: str) -> str:
    return f"(({where}\n) IS TRUE)" if "--" in where else f"(({where}) IS TRUE)"
