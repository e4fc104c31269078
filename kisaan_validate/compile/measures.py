"""What a contract must have measured becomes statements: one row of figures each. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar

from kisaan_validate.catalogue import KIND_WORDS, Catalogue, Column, Table, TableKey, TypeFacts
from kisaan_validate.changes import ALL_PERSONAL, BUCKETS, LEFT_OUT
from kisaan_validate.compile.figures import TEXT_LIMIT, Figure, base_of, column_figure, figure_of
from kisaan_validate.compile.fingerprints import (
    SELF_CHECK,
    Digested,
    Digesting,
    Part,
    elements_of,
    facts_of,
    facts_of_column,
    part_of,
    seed_items,
    why_not,
)
from kisaan_validate.compile.renames import came, travelling
from kisaan_validate.compile.renames import undigested as undigested_renames
from kisaan_validate.compile.statements import figure_items, read_figures
from kisaan_validate.contract.needs import (
    WHICH_ROWS,
    Arrival,
    Lookup,
    Names,
    Need,
    Removal,
    Renaming,
    Replacement,
    Untouched,
    buckets_id,
    by_key,
    count_id,
    digests_id,
    names_id,
    null_keys_id,
    part_id,
    remainder_id,
    replaced,
    same_as,
    settled_id,
    untouched,
    whole_id,
)
from kisaan_validate.digest.forms import Context
from kisaan_validate.digest.parts import key_bytes_sql, key_hash_sql
from kisaan_validate.digest.rows import buckets_sql, row_digest, staged
from kisaan_validate.model import Baseline, Family, Measured, Profile, TableDigests, TableFacts
from kisaan_validate.sql.assertion import columns_named
from kisaan_validate.sql.expressions import distinct_sql, quote, raw, table_sql, text_literal, to_sql, wholly
from kisaan_validate.sql.qualify import qualified

IsPersonal = Callable[[str, str], bool]

OTHERWISE = (
    "digests are made otherwise here, by another kind of server or another version of kisaan-validate, than when the baseline "
    "was taken: take a new one"
)
"""Why digests that are there cannot be compared."""


@dataclass(frozen=True)
class Measure:
    """One statement for a contract. Its row holds the row counts that ``counts`` names, the figures, and the names.

    Without ``sql`` it is not asked, and ``message`` says why. ``parts`` are asked instead where it fails for the fault of
    one expression: each gives a part of the figures. ``private``: the server's messages may quote personal values;
    ``known`` are names that they may contain. ``key`` are the columns by which its digests tell rows apart. ``first`` is
    asked before it: where that answers with the names ``proof``, the answer is known to be ``proved``, and it is not asked.
    ``brief`` is asked instead where those names, which are of buckets, hold another number of rows than ``proof``. ``found``
    are tables whose rows an index may find, because they are only looked up.
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
    key: tuple[str, ...] = ()
    first: Measure | None = None
    proof: tuple[str, ...] = ()
    proved: Measured | None = None
    brief: Measure | None = None
    found: tuple[TableKey, ...] = ()

    def after(self, buckets: Sequence[str]) -> Measure:
        """What is still to be asked once ``first`` answered with these buckets, which are not those of ``proof``."""
        same = rows_in(buckets) == rows_in(self.proof)
        return self if same or self.brief is None else self.brief

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
        names = tuple(f"{self.named}{name}" for name in listed) if self.named is not None else self.key
        extra = [Measured(id, self.title, rows, sql=self.sql) for id, rows in zip(self.counts[1:], counts[1:], strict=True)]
        return [Measured(self.id, self.title, counts[0] if counts else None, profiles, names, self.sql), *extra]


def measures_of(
    needs: Iterable[Need], catalogue: Catalogue, is_personal: IsPersonal, before: Baseline | None, digesting: Digesting,
    *, every: bool = False,
) -> list[Measure]:  # fmt: skip
    """The statements for one side: the one before a migration if ``before`` is None, else the one after it.

    With ``every``, all columns of the tables that promises speak of are digested, not only the promised ones.
    """
    grouped: dict[tuple[str, str], list[Need]] = defaultdict(list)
    found: list[Measure] = []
    for need in needs:
        table = catalogue.find(need.table)
        if table is not None and not table.countable:
            message = f"{need.table} is a {KIND_WORDS[table.kind]}: only the rows of tables are measured"
            found.append(Measure(f"{need.table}: for {need.rule}", need.table, message=message))
        elif table is not None:
            grouped[table.key].append(need)
        elif isinstance(need, (Removal, Replacement, Untouched, Lookup, Renaming)) and not need.optional:
            found.append(Measure(f"{need.table}: for {need.rule}", need.table, message=f"table {need.table} does not exist"))
    for key, members in grouped.items():
        maker = _Maker(catalogue.tables[key], catalogue, is_personal, before, digesting, every)
        found += maker.before(members) if before is None else maker.after(members)
    return found


def whole_measures(
    tables: Iterable[Table], catalogue: Catalogue, is_personal: IsPersonal, before: Baseline | None, digesting: Digesting,
    since: Mapping[TableKey, str],
) -> list[Measure]:  # fmt: skip
    """The statements that digest whole tables; beside a baseline only those that it has digests of.

    ``since`` names columns above whose highest value in the baseline a row came later; elsewhere the key tells.
    """
    found = []
    for table in tables:
        maker = _Maker(table, catalogue, is_personal, before, digesting, since=since.get(table.key, ""))
        made = maker.whole() if before is None else maker.whole_again()
        found += [made] if made is not None else []
    return found


@dataclass(frozen=True)
class RowStream:
    """The digests of the rows of one table, in the order of their place: a SELECT of place, both lanes, and the key as text.

    ``forms`` are those of the digested columns. Without ``sql``, ``message`` says why there is none. ``marked``: two texts
    of a key may mean one key, as of ranges of numbers, so behind ``MARK`` each text has a digest of the key itself.
    ``private``: the server's messages may quote personal values; ``known`` are names that they may contain.
    """

    title: str
    key: tuple[str, ...]
    unique: bool
    forms: Mapping[str, str]
    sql: str = ""
    message: str = ""
    marked: bool = False
    private: bool = False
    known: frozenset[str] = frozenset()


MARK = "\x1f"
"""What stands between the text of a key and the digest of what it is, 64 hexadecimal digits."""

MARK_LENGTH = 65
"""The characters of both."""


def row_streams(
    tables: Iterable[Table], catalogue: Catalogue, is_personal: IsPersonal, digesting: Digesting, spoken: Collection[tuple[str, str]]
) -> list[RowStream]:
    """What is kept of each row of these tables; ``spoken`` are columns, by table and name, that take no part."""
    makers = (_Maker(table, catalogue, is_personal, None, digesting) for table in tables)
    return [maker.rows({column for table, column in spoken if table in {maker.table.name, maker.title}}) for maker in makers]


def row_streams_again(
    kept: Iterable[tuple[Table, Mapping[str, str], Collection[int]]], catalogue: Catalogue, is_personal: IsPersonal,
    digesting: Digesting, before: Baseline, since: Mapping[TableKey, str],
) -> list[RowStream]:  # fmt: skip
    """The same of tables of which a baseline kept the rows: (table, the forms of then, the buckets that differ)."""
    return [
        _Maker(table, catalogue, is_personal, before, digesting, since=since.get(table.key, "")).rows_again(forms, buckets)
        for table, forms, buckets in kept
    ]


def undigested(tables: Iterable[Table], is_personal: IsPersonal) -> dict[tuple[str, str], str]:
    """By title and column: why no digest of it leaves the server."""
    found = {}
    for table in tables:
        title = table.title
        for column in table.columns.values():
            if is_personal(table.name, column.name):
                found[title, column.name] = LEFT_OUT
            elif why := why_not(column):
                found[title, column.name] = why
    return found


@dataclass(frozen=True)
class DigestKey:
    """By which parts digests of a whole table tell its rows apart, and which rows count (SQL, "" for all); else ``reason``.

    ``stays`` is SQL that is true for the rows that a contract does not remove, "" where it removes none.
    """

    parts: tuple[Part, ...] = ()
    condition: str = ""
    stays: str = ""
    reason: str = ""


def digest_key(
    table: Table,
    catalogue: Catalogue,
    is_personal: IsPersonal,
    before: Baseline | None,
    digesting: Digesting,
    since: str = "",
    removals: Sequence[Removal] = (),
) -> DigestKey:
    """The key of the digests of a whole table: of its own choice, or beside a baseline the one of then."""
    return _Maker(table, catalogue, is_personal, before, digesting, since=since).digest_key(removals)


class _Unknowable(Exception):
    """What is asked for cannot be said in SQL. ``args[0]`` says why."""


@dataclass(frozen=True)
class _Value:
    """What a promise says that the values of a column become: SQL over the old row, and its type.

    ``old`` is the column to compare it with where it can be, as SQL ("" where not). ``found`` are the tables of which an
    index may find the row that the value comes from.
    """

    rule: str
    column: str
    sql: str
    base: str
    enum: bool = False
    personal: bool = False
    old: str = ""
    facts: TypeFacts | None = None
    found: tuple[TableKey, ...] = ()

    @property
    def name(self) -> str:
        return replaced(self.column, self.rule)

    def figure(self, expression: str, kept: str) -> Figure:
        return figure_of(self.name, expression, self.base, enum=self.enum, personal=self.personal, where=kept)


DIGESTS_AT_ONCE = 400
"""Where a table has so many columns that one statement cannot digest them all, so many are digested by one."""


def _at_once(digests: Sequence[Digested]) -> list[Sequence[Digested]]:
    """Digests by so many as one statement can hold."""
    return [digests[n : n + DIGESTS_AT_ONCE] for n in range(0, len(digests), DIGESTS_AT_ONCE)] or [()]


NULL_KEYS_LIMIT = 50_000
"""So many keys of rows without a value are kept at most where a promise says that only these may change."""


class _Maker:
    def __init__(
        self, table: Table, catalogue: Catalogue, is_personal: IsPersonal, baseline: Baseline | None, digesting: Digesting,
        every: bool = False, since: str = "",
    ) -> None:  # fmt: skip
        self.since = since
        self.table, self.catalogue, self.baseline, self.is_personal = table, catalogue, baseline, is_personal
        self.title = table.title
        self.personal = frozenset(c for c in table.columns if is_personal(table.name, c))
        self.known = frozenset({table.name, *table.columns})
        self.key: tuple[str, ...] = ()
        self.digesting, self.every = digesting, every
        self.forms: dict[str, str] = {}
        self.key_forms: list[str] = []

    def before(self, needs: Sequence[Need]) -> list[Measure]:
        made = [self._count(n.rule, _held(n.where)) for n in _those(needs, Arrival) if not n.by]
        made += [self._names(n) for n in _those(needs, Names)]
        made += [self._null_keys(n) for n in _those(needs, Untouched) if n.column in self.table.columns]
        removals = _those(needs, Removal)
        values, unknown = self._values(needs)
        unknown |= {by_key(name): why for name, why in self._untold_renames(needs).items()}
        self.key = self._chosen_key(needs)
        digests = self._digests(needs)
        digests += [
            Digested(untouched(n.column, n.rule), part, f"{quote(n.column)} IS DISTINCT FROM NULL")
            for n in _those(needs, Untouched) if (part := self._column_part(n.column)) is not None
        ]  # fmt: skip
        # Which rules are done is known only afterwards: none, each alone, all together, and all but one.
        sizes = sorted({1, len(removals) - 1, len(removals)} - {0, -1}) if removals else []
        subsets = [(), *(subset for size in sizes for subset in combinations(removals, size))]
        for subset in subsets:
            made += self._remainder(subset, values, digests, unknown)
        return made

    def _untold_renames(self, needs: Sequence[Need]) -> dict[str, str]:
        parts = {name: self._column_part(name) for name in self.table.columns}
        told = self.personal if self.every else frozenset[str]()  # digests under a key of their own tell of personal columns
        return undigested_renames(self.table, needs, {**parts, **dict.fromkeys(told, "")}, self.personal)

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
        stays = f"NOT {came}" if came else ""
        if any(isinstance(need, (Names, Arrival)) for need in needs):
            made.append(self._figures(settled_id(self.title), stays or "true", [], []))
        return made + self._digests_after(needs, stays) + self._lookups(_those(needs, Lookup), stays)

    def _digests_after(self, needs: Sequence[Need], stays: str) -> list[Measure]:
        """The digests of the rows that did not arrive, by the key by which the baseline's tell rows apart."""
        id, old = digests_id(self.title), self._old(remainder_id(self.title, frozenset()))
        if old is None or by_key(WHICH_ROWS) not in old.columns:
            return []
        self.key = old.names
        if why := self._incomparable(old):
            return [self._measure(id, message=why)]
        digests = self._digests(needs)
        made = []
        for need in _those(needs, Untouched):
            name = untouched(need.column, need.rule)
            part = self._column_part(need.column, name)
            try:
                kept = self._were_not_null(need)
            except _Unknowable as reason:
                made.append(self._measure(part_id(id, name), message=str(reason)))
                continue
            digests += [Digested(name, part, kept)] if part is not None else []
        return [*made, self._digested_apart(id, stays, digests)]

    def _digested_apart(self, id: str, stays: str, digests: Sequence[Digested]) -> Measure:
        """Digests in one statement, or where these are too many for one, in several."""
        made = self._figures(id, stays, [], [], digests, every=False)
        groups = _at_once(digests)
        if len(groups) == 1:
            return made
        return replace(made, parts=tuple(self._figures(id, stays, [], [], group, every=False) for group in groups))

    def _lookups(self, needs: Sequence[Lookup], stays: str) -> list[Measure]:
        """How many rows do not have the value that is looked up on the new side, and one of them."""
        made = []
        for need in needs:
            id = count_id(need.rule, self.title)
            if need.column not in self.table.columns:
                continue
            try:
                sign = self.table.columns[need.column].sign("<>")
                wrong = f"({distinct_sql(quote(need.column), sign, self._looked_up(need).sql)})"
            except _Unknowable as reason:
                made.append(self._measure(id, message=str(reason)))
                continue
            made.append(self._count(need.rule, f"({wrong} AND {stays})" if stays else wrong, self._example()))
        return made

    def _measure(
        self, id: str, sql: str = "", counts: tuple[str, ...] = (), figures: tuple[Figure, ...] = (), *,
        named: str | None = None, message: str = "",
    ) -> Measure:  # fmt: skip
        private = bool(self.personal)
        return Measure(id, self.title, qualified(sql), counts, figures, named, message, private=private, known=self.known, key=self.key)

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
            return f"({quote(need.column)}::text = ANY ({_texts(new)}) IS TRUE)" if new else "false"
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
        table = self._old_table()
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

    def _remainder(
        self, removals: Sequence[Removal], values: Sequence[_Value], digests: Sequence[Digested], unknown: Mapping[str, str]
    ) -> list[Measure]:  # fmt: skip
        gone = [(r.rule, self._goes(r)) for r in removals]
        stays = f"NOT ({' OR '.join(sql for _, sql in gone)})" if gone else ""
        id = remainder_id(self.title, frozenset(r.rule for r in removals))
        counted = gone if len(gone) == 1 else []
        made = [self._measure(part_id(id, name), message=reason) for name, reason in unknown.items()]
        of_values = {v.name: [d for d in [self._digested(v)] if d is not None] for v in values}
        every = [*digests, *(d for listed in of_values.values() for d in listed)]
        first, *others = _at_once(digests)
        parts = [self._figures(id, stays, counted, [], first)]
        parts += [self._figures(id, stays, [], [], group, every=False) for group in others]
        parts += [self._figures(id, stays, [], [v], of_values[v.name]) for v in values]
        whole = self._figures(id, stays, counted, values, every)
        return [replace(whole, parts=tuple(parts) if len(parts) > 1 else ()), *made]

    def _figures(
        self, id: str, stays: str, counted: Sequence[tuple[str, str]], values: Sequence[_Value],
        digests: Sequence[Digested] = (), *, every: bool = True,
    ) -> Measure:  # fmt: skip
        """The figures of the rows that stay: of every column if some do not, and of the promised values; the digests."""
        inner: list[str] = []
        figures: list[Figure] = []
        kept = "stays" if stays else ""
        if stays:
            inner.append(f"{stays} AS stays")
        for n, column in enumerate(self.table.columns.values() if stays and every else ()):
            inner.append(f"{quote(column.name)} AS v{n}")
            figures.append(column_figure(column, personal=column.name in self.personal, expression=f"v{n}", where=kept))
        for n, value in enumerate(values):
            inner.append(f"{value.sql} AS e{n}")
            figures.append(value.figure(f"e{n}", kept))
            if value.old:
                inner.append(f"{distinct_sql(value.old, self.table.columns[value.column].sign('<>'), value.sql)} AS d{n}")
                figures.append(same_rows(value.column, value.rule, f"d{n}", kept))
        key = self._key_parts() if digests else []
        inner += seed_items(self.digesting, key) if digests else []
        for n, digested in enumerate(digests):
            items, lanes = digested.items(self.digesting, key, str(n))
            inner += items
            form = digested.form(self.digesting.encoding, key)
            figures.append(digested.figure(by_key(digested.name), form, lanes, str(n), kept))
        rows = ["count(*) FILTER (WHERE stays)" if stays else "count(*)", *("count(*) FILTER (WHERE NOT stays)" for _ in counted)]
        outputs = ",\n  ".join([*rows, *figure_items(figures)])
        # Keeps the inner SELECT apart, so that what it computes is computed once a row; see ``digest.rows.staged``.
        once = "\n  OFFSET '0'" if digests else ""
        sql = f"SELECT {outputs}\nFROM (\n  SELECT {', '.join(inner)}\n  FROM {table_sql(self.table)}{once}\n) AS q"
        counts = (id, *(count_id(rule, self.title) for rule, _ in counted))
        return replace(self._measure(id, sql, counts, tuple(figures)), found=tuple({key for value in values for key in value.found}))

    # --- whole tables -----------------------------------------------------------------------------------------------

    def whole(self) -> Measure:
        """The digests of all columns and of buckets, in a key of its own choice."""
        self.key = self._chosen_key(())
        return self._whole("", [column for column in self.table.columns if self._column_part(column) is not None])

    def whole_again(self) -> Measure | None:
        """The same as a baseline has, of the rows that are not late; None where it has none.

        If the buckets are those of the baseline, so is everything else.
        """
        old = self._old_table()
        if old is None or old.digests is None or old.digests.message:
            return None
        digests, self.forms = old.digests, {c.name: _form_in(c.profile.digest, 1) for c in old.columns if c.profile and c.profile.digest}
        self.key, self.key_forms = digests.key, _form_in(digests.which_rows, 2).split(",")
        if why := self._unlike(digests) or self._not_told_by_since():
            return self._measure(whole_id(self.title), message=why)
        gone = set(self.forms) - set(self.table.columns)
        made = self._whole(self._not_late(), [n for n in self.forms if n not in gone], came(self.table, old) if gone else ())
        if made.first is None or gone:
            return made
        columns = {by_key(c.name): replace(c.profile, family=Family.OTHER) for c in old.columns if c.profile and c.profile.digest}
        which = Profile(Family.OTHER, 0, digest=digests.which_rows)
        # Where rows came or went, digests of whole columns say nothing of those that stayed.
        brief = self._figures(made.id, self._not_late(), [], [], [Digested(WHICH_ROWS, None)], every=False)
        return replace(made, brief=brief, proof=digests.buckets, proved=Measured(made.id, self.title, None, {**columns, by_key(WHICH_ROWS): which}, digests.key))

    def digest_key(self, removals: Sequence[Removal]) -> DigestKey:
        """By what rows are told apart, and which of them are not late."""
        if self.baseline is None:
            self.key = self._chosen_key(())
            gone = " OR ".join(self._goes(removal) for removal in removals)
            return DigestKey(tuple(self._key_parts()), stays=f"NOT ({gone})" if gone else "")
        old = self._old_table()
        if old is None or old.digests is None or old.digests.message:
            return DigestKey(reason="the baseline has no digests of its table")
        self.key, self.key_forms = old.digests.key, _form_in(old.digests.which_rows, 2).split(",")
        if why := self._unlike(old.digests) or self._not_told_by_since():
            return DigestKey(reason=why)
        return DigestKey(tuple(self._key_parts()), self._not_late())

    def _unlike(self, digests: TableDigests) -> str:
        if missing := [c for c in self.key if c not in self.table.columns]:
            return f"rows are told apart by {', '.join(missing)}, which is not there any more"
        if personal := [c for c in self.forms if c in self.personal]:
            return f"{', '.join(personal)} became personal"
        same = digests.check == (self.digesting.encoding, self.digesting.check)
        return "" if same else OTHERWISE

    def _not_told_by_since(self) -> str:
        """Why the declared column does not tell which rows came later, or ""."""
        if not self.since:
            return ""
        try:
            profile = self._old_profile(self.since)
            self._above(self.since)
        except _Unknowable as why:
            return f"what came later cannot be told: {why.args[0]}"
        now = column_figure(self.table.columns[self.since], personal=False).family
        return "" if now is profile.family else f"what came later cannot be told: {self.title}.{self.since} has values of another kind now"

    def _not_late(self) -> str:
        """SQL that is true for rows whose key, or the column declared for that, is not above all of the baseline; "" where a key
        has no order to tell."""
        if self.since:
            return f"NOT {self._above(self.since)}"
        if len(self.key) != 1 or self.table.primary_key != self.key:
            return ""
        try:
            ordered = self._old_profile(self.key[0]).family in {Family.NUMBER, Family.INSTANT, Family.LOCAL_TIME}
            return f"NOT {self._above(self.key[0])}" if ordered else ""
        except _Unknowable:
            return ""

    def _whole(self, stays: str, columns: Sequence[str], more: Sequence[str] = ()) -> Measure:
        """Digests of the rows, of these columns, and of ``more`` that are no part of a row: one may be a lost one, renamed."""
        parts = {name: part for name in columns if (part := self._column_part(name)) is not None}
        further = {name: part for name in more if (part := self._column_part(name)) is not None}
        digests = [Digested(WHICH_ROWS, None), *(Digested(name, part) for name, part in {**parts, **further}.items())]
        made = self._digested_apart(whole_id(self.title), stays, digests)
        others = [part for name, part in parts.items() if name not in self.key]
        row = row_digest(self.digesting.encoding, elements_of([*self._key_parts(), *others], self.digesting.server_encoding) or ("0",))
        key = [*self._key_parts()] or others
        context = Context(encoding=self.digesting.server_encoding)
        bucket = f"({key_hash_sql(self.digesting.encoding, key, context)} & {BUCKETS - 1})::int4" if key else "0"
        sql = buckets_sql(table_sql(self.table), row, bucket, condition=stays)
        line = "concat_ws(':', number, counted, high, low)"
        listed = f"SELECT array_agg({line} ORDER BY number)\nFROM ({sql}) AS q (number, counted, high, low)"
        return replace(made, first=self._measure(buckets_id(self.title), listed, named=""))

    def rows(self, spoken: Collection[str]) -> RowStream:
        """The digests of the rows: of all columns but those of which a promise speaks."""
        self.key = self._chosen_key(())
        parts = {c: p for c in self.table.columns if c not in spoken and (p := self._column_part(c)) is not None}
        if set(self.key) & set(spoken) or not self.key:
            self.key = tuple(parts) if not set(self.table.primary_key) <= set(parts) else self.table.primary_key
        forms = {name: str(part.form) for name, part in parts.items()}
        return self._rows(forms, "")

    def rows_again(self, forms: Mapping[str, str], buckets: Collection[int]) -> RowStream:
        """The same of the rows of these buckets, as a baseline has them."""
        old, self.forms = self._old_table(), dict(forms)
        title = self.title
        if old is None or old.digests is None or not old.digests.key:
            return RowStream(title, (), False, forms, message="the baseline has no digests of it")
        self.key, self.key_forms = old.digests.key, _form_in(old.digests.which_rows, 2).split(",")
        gone = [name for name in {*forms, *self.key} if name not in self.table.columns]
        if why := (f"{', '.join(sorted(gone))} is not there any more" if gone else self._unlike(old.digests) or self._not_told_by_since()):
            return RowStream(title, self.key, False, forms, message=why)
        different = [name for name, form in forms.items() if (p := self._column_part(name)) is None or str(p.form) != form]
        if different:
            return RowStream(title, self.key, False, forms, message=f"the values of {', '.join(different)} are of another form now")
        listed = "'{" + ",".join(str(n) for n in sorted(buckets)) + "}'::int4[]"
        return self._rows(forms, f"({self._place()} & {BUCKETS - 1})::int4 = ANY ({listed})", self._not_late())

    def _place(self) -> str:
        context = Context(encoding=self.digesting.server_encoding)
        return f"({key_hash_sql(self.digesting.encoding, self._key_parts(), context)})"

    def _rows(self, forms: Mapping[str, str], condition: str, settled: str = "") -> RowStream:
        unique = bool(self.key) and self.key == self.table.primary_key
        if not self.key:
            why = ALL_PERSONAL if self.personal == set(self.table.columns) else "no column of it can be digested"
            return RowStream(self.title, (), False, forms, message=why)
        others = [part for name in forms if name not in self.key and (part := self._column_part(name)) is not None]
        keys, context = self._key_parts(), Context(encoding=self.digesting.server_encoding)
        row = row_digest(self.digesting.encoding, elements_of([*keys, *others], self.digesting.server_encoding), "r")
        shown = f"ROW({', '.join(part.value(context) for part in keys)})::text" if unique else "''"
        marked = unique and any(part.form.nested for part in keys)
        if marked:
            shown = f"{shown} || E'\\x1f' || encode(sha256({key_bytes_sql(keys, context)}), 'hex')"
        extra = {"place": self._place(), "shown": shown, "settled": f"({settled})" if settled else "true"}
        inner = staged(table_sql(self.table), {**extra, row.name: row.inner}, condition)
        sql = f"SELECT place, {', '.join(row.lanes)}, shown, settled FROM {inner} ORDER BY place, shown COLLATE \"C\""
        return RowStream(
            self.title, self.key, unique, forms, qualified(sql), marked=marked, private=bool(self.personal), known=self.known
        )  # fmt: skip

    def _old_table(self) -> TableFacts | None:
        assert self.baseline is not None
        return next((t for t in self.baseline.tables if t.title == self.title), None)

    # --- which row has which value ----------------------------------------------------------------------------------

    def _chosen_key(self, needs: Iterable[Need]) -> tuple[str, ...]:
        """By which columns rows are told apart: the primary key if it keeps its values and is no person's.

        Else by every column of whose values no promise speaks: equal rows are then told apart by nothing, and need not be.
        """
        spoken = {getattr(need, "column", "") for need in needs if not isinstance(need, (Names, Renaming))} | self.personal
        usable = [c.name for c in self.table.columns.values() if c.name not in spoken and not why_not(c)]
        primary = self.table.primary_key
        return primary if primary and set(primary) <= set(usable) else tuple(usable)

    def _column_part(self, name: str, *figures: str) -> Part | None:
        """A column as a part of a digest; None for one that is personal, missing, or of a type without canonical form.

        Where the baseline has digests of these figures, it is of their form if it can be.
        """
        column = self.table.columns.get(name)
        if column is None or name in self.personal:
            return None
        wanted = self.forms.get(name) or next((form for figure in figures if (form := self._old_form(figure))), "")
        return self._part(column, wanted)

    def _part(self, column: Column, wanted: str) -> Part | None:
        facts = facts_of_column(column)
        own = part_of(quote(column.name), facts, column=column.name)
        return part_of(quote(column.name), facts, wanted=wanted, column=column.name) or own

    def _old_form(self, figure: str, place: int = 1) -> str:
        """The form of a digest of the baseline (place 2: those of its key); "" where there is none."""
        old = self._old(remainder_id(self.title, frozenset())) if self.baseline is not None else None
        profile = old.columns.get(by_key(figure)) if old is not None else None
        return _form_in(profile.digest, place) if profile is not None and profile.digest else ""

    def _key_parts(self) -> list[Part]:
        columns = [self.table.columns[name] for name in self.key]
        wanted = self.key_forms or (self._old_form(WHICH_ROWS, 2).split(",") if self.baseline is not None else [])
        pairs = zip(columns, wanted if len(wanted) == len(columns) else [""] * len(columns), strict=True)
        return [part for column, form in pairs if (part := self._part(column, form)) is not None]

    def _incomparable(self, old: Measured) -> str:
        """Why no digest of this side can be compared with the baseline's, or ""."""
        if missing := [c for c in self.key if c not in self.table.columns]:
            return f"rows are told apart by {', '.join(missing)}, which is not there any more"
        if personal := [c for c in self.key if c in self.personal]:
            return f"rows are told apart by {', '.join(personal)}, which is personal by now"
        check = self._old(SELF_CHECK)
        same = check is not None and check.names == (self.digesting.encoding, self.digesting.check)
        return "" if same else OTHERWISE

    def _digests(self, needs: Sequence[Need]) -> list[Digested]:
        """The digests of the keys, and of the columns of whose values promises speak, as they are."""
        columns = {need.column: need.rule for need in needs if isinstance(need, (Replacement, Lookup))}
        old = self._old_table() if self.baseline is not None else None
        columns = {**dict.fromkeys([*(self.table.columns if self.every else ()), *travelling(self.table, needs, old)], ""), **columns}
        parts = ((name, self._column_part(name, replaced(name, rule), name)) for name, rule in columns.items())
        return [Digested(WHICH_ROWS, None), *(Digested(name, part) for name, part in parts if part is not None)]

    def _digested(self, value: _Value) -> Digested | None:
        facts = value.facts or facts_of(value.base, enum=value.enum)
        part = part_of(value.sql, facts) if not value.personal else None
        return Digested(value.name, part) if part is not None else None

    def _row_text(self, parts: Sequence[Part | None]) -> str:
        """SQL of a text that tells the row with these values from all others."""
        elements = elements_of([part for part in parts if part is not None], self.digesting.server_encoding)
        return f"ROW({', '.join(elements)})::text"

    def _null_keys(self, need: Untouched) -> Measure:
        """The keys of the rows where the column is NULL, one more than may be kept if there are more."""
        id, key = null_keys_id(need.rule), self.table.primary_key
        parts = [self._column_part(name) for name in key]
        if not key or None in parts or need.column in key:
            why = f"{self.title} has no primary key by which the rows without a value could be remembered (or it is personal)"
            return self._measure(id, message=why)
        text = self._row_text(parts)
        inner = f"SELECT {text} AS k FROM {table_sql(self.table)} WHERE {wholly(f'{quote(need.column)} IS NOT DISTINCT FROM NULL')} LIMIT {NULL_KEYS_LIMIT + 1}"
        return self._measure(id, f'SELECT array_agg(k ORDER BY k COLLATE "C")\nFROM ({inner}) AS q', named="")

    def _were_not_null(self, need: Untouched) -> str:
        """SQL that is true for the rows where the column was not NULL. Raises _Unknowable."""
        old = self._old(null_keys_id(need.rule))
        if old is None or old.message:
            raise _Unknowable(old.message if old is not None else "the baseline did not keep which rows had no value")
        if len(old.names) > NULL_KEYS_LIMIT:
            raise _Unknowable(f"more than {NULL_KEYS_LIMIT:,} rows had no value: which ones was not kept")
        key = self.table.primary_key
        if not key or key != self.key or set(key) & self.personal:
            raise _Unknowable(f"{self.title} is not told apart by the same primary key any more")
        if not old.names:
            return "true"
        text = self._row_text(self._key_parts())
        return f"({text} NOT IN (SELECT unnest({_texts(old.names)})))"

    # --- promised values --------------------------------------------------------------------------------------------

    def _values(self, needs: Sequence[Need]) -> tuple[list[_Value], dict[str, str]]:
        """The promised values, and of those that cannot be said in SQL, by the name of their figures, why not."""
        values: list[_Value] = []
        unknown: dict[str, str] = {}
        promised: list[Replacement | Lookup] = [*_those(needs, Replacement), *_those(needs, Lookup)]
        for need in promised:
            if need.optional and need.column not in self.table.columns and isinstance(need, Replacement):
                continue
            try:
                values.append(self._value(need) if isinstance(need, Replacement) else self._looked_up(need))
            except _Unknowable as reason:
                unknown[replaced(need.column, need.rule)] = str(reason)
        return values, unknown

    def _value(self, need: Replacement) -> _Value:
        """The promised value, as an assignment to the column would store it. Raises _Unknowable."""
        kind = self._type(need)
        if kind is None:
            raise _Unknowable(f"values of type {need.type} are not known before it exists")
        text = to_sql(raw(need.expression.replace("{column}", quote(need.column))))
        column = self.table.columns.get(need.column)
        type = need.type or (column.type if column is not None else "")
        written = need.expression.replace("{column}", quote(need.column))
        personal = bool({need.column, *columns_named(f"SELECT ({written}\n)")} & self.personal)
        base, enum, facts = kind
        made = _Value(need.rule, need.column, f"{text}::{type}" if type else text, base, enum, personal, facts=facts)
        # It can be compared with the old value where that is of the same type, which has an order.
        same = column is not None and need.type in ("", column.type)
        comparable = same and made.figure("", "").family is not Family.OTHER
        return replace(made, old=quote(need.column)) if comparable else made

    def _type(self, need: Replacement) -> tuple[str, bool, TypeFacts | None] | None:
        """(``typname`` below any domain, whether it is an enum, what it is made of) of the promised value; None if the type is not
        known."""
        column = self.table.columns.get(need.column)
        if not need.type:
            return (column.base, column.is_enum, column.made) if column is not None else ("", False, None)
        if base := base_of(need.type):
            return base, False, None
        every = (c for t in self.catalogue.tables.values() for c in t.columns.values())
        return next(((c.base, c.is_enum, c.made) for c in every if c.type == need.type), None)

    def _looked_up(self, need: Lookup) -> _Value:
        """The value of the one row of another table that belongs to a row. Raises _Unknowable."""
        source = self.catalogue.find(need.source)
        if source is None:
            raise _Unknowable(f"table {need.source} does not exist")
        key = need.key or source.primary_key
        if missing := [c for c in key if c not in source.columns] + [c for c in need.by if c not in self.table.columns]:
            raise _Unknowable(f"column {', '.join(missing)} does not exist")
        if len(key) != len(need.by):
            raise _Unknowable(f"{len(need.by)} columns do not name one row of {need.source}, whose key is {', '.join(key) or 'missing'}")
        if source.unique_over(frozenset(key)) is None:
            raise _Unknowable(f"{', '.join(key)} is not unique in {need.source}: which row is meant is not known")
        pairs = [(k, source.columns[k].sign("=", self.table.columns[b]), b) for k, b in zip(key, need.by, strict=True)]
        on = " AND ".join(f"looked.{quote(k)} {sign} {table_sql(self.table)}.{quote(b)}" for k, sign, b in pairs)
        value = to_sql(raw(need.value))
        columns = columns_named(f"SELECT ({need.value}\n)")
        own = self.table.columns.get(need.column)
        found = next((c for c in source.columns.values() if need.value.strip() in (c.name, quote(c.name))), None)
        meant = own or found
        if meant is None:
            raise _Unknowable(f"the type of {need.value} is not known before {need.column} exists")
        personal = {need.column} & self.personal or any(self.is_personal(source.name, c) for c in columns)
        # The values themselves say once more which row it is: an index may lead to another one.
        sql = f"(SELECT CASE WHEN {on} THEN {value} END::{meant.type} FROM {table_sql(source)} AS looked WHERE {on})"
        return _Value(need.rule, need.column, sql, meant.base, meant.is_enum, bool(personal), found=(source.key,), facts=meant.made)

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
            f"FROM {table_sql(self.table)}\nWHERE {column}::text = ANY ({_texts(need.names)})"
        )
        return self._measure(names_id(need.rule), sql, named="")


def _form_in(digest: str, place: int) -> str:
    """The form of the value (place 1), or the forms of the key (2), in which a digest was made."""
    return digest.partition(":")[0].split("/")[place]


def rows_in(buckets: Sequence[str]) -> int:
    """The number of rows in buckets, each written as number:rows:lane:lane."""
    return sum(int(bucket.split(":")[1]) for bucket in buckets)


def same_rows(column: str, rule: str, differs: str, kept: str) -> Figure:
    """How many rows already have the promised value: read as if the rows that differ were those that have one."""
    condition = f"{differs} AND {kept}" if kept else differs
    return Figure(same_as(column, rule), Family.OTHER, (f"count(*) FILTER (WHERE {condition})",), False, False)


N = TypeVar("N")


def _those(needs: Iterable[Need], kind: type[N]) -> list[N]:
    return [need for need in needs if isinstance(need, kind)]


def _texts(names: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(to_sql(text_literal(name)) for name in names)}]::text[]"


def _held(where: str) -> str:
    return f"({to_sql(raw(where))} IS TRUE)"
