"""Statements: one SQL text that answers many checks, and how to ask it for any part of them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.table import Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.figures import Figure
from kisaan_validate.plan.marks import Marking
from kisaan_validate.rules.base import Violations
from kisaan_validate.sql.expressions import (
    APART,
    decided_by_rows,
    kept_sql,
    key_columns,
    named_columns,
    quote,
    source_sql,
)
from kisaan_validate.sql.qualify import qualified

SLOT_LIMIT = 1_600
"""PostgreSQL's target lists end at 1,664 entries; beyond this many, counts travel in arrays, still in one
scan.
"""


@dataclass(frozen=True)
class Reads:
    """How a statement may read its tables, so that the server's plan can be compared with it.

    Of ``bare`` tables (views among them) the planner sees what is declared; all others are read apart, or
    without any condition. ``found`` are those whose rows an index may find. ``believed``: it was compiled
    to go by what is declared. ``authored``: its SQL is the suite author's, who may name a table that no
    row is needed of.
    """

    tables: tuple[TableKey, ...] = ()
    bare: tuple[TableKey, ...] = ()
    found: tuple[TableKey, ...] = ()
    believed: bool = False
    authored: bool = False


def bare_of(*tables: Table) -> tuple[TableKey, ...]:
    """Those whose declarations the planner sees, however they are read."""
    # What a view reads cannot be set apart from outside; believed tables are shown to the planner on purpose.
    return tuple(table.key for table in tables if table.kind == "v" or table.believed)


@dataclass(frozen=True)
class Slot:
    """One check's place in a statement: the SQL condition that is true for its violating rows.

    ``judged`` is the SQL condition that is true for the rows that the check judges ("" where it judges
    every row). Of a check of a figure ``query`` is the statement that shows what was found; ``condition``
    and ``judged`` are then SQL over aggregates: whether the figure is as declared, and the number of rows
    that it is made of; ``found`` is the figure itself as a text, "" where nobody asks for it; ``shown`` is
    what ``query`` would show (``plan.samples.figure_sample``), "" where ``query`` is asked.
    """

    check_id: str
    condition: str
    columns: tuple[str, ...] = ()
    judged: str = ""
    query: Query | None = None
    found: str = ""
    shown: str = ""

    def counts(self) -> tuple[str, str]:
        """The aggregates that count its violations, and the rows that it judges ("" where these are all)."""
        if self.query is not None:
            # Written so that NULL counts as a violation: a figure without an answer is not as declared.
            return f"CASE WHEN {self.condition} THEN 0 ELSE 1 END", self.judged
        judged = f"count(*) FILTER (WHERE {self.judged})" if self.judged else ""
        return f"count(*) FILTER (WHERE {self.condition})", judged


@dataclass(frozen=True)
class ListedKeys:
    """The slots of a join, said of its table alone: each lists the keys of table ``oid``, about ``rows`` as
    far as its statistics are true.
    """

    slots: tuple[Slot, ...]
    rows: int
    oid: int


@dataclass(frozen=True)
class Pass:
    """One pass over a table, or over a table joined with the one it refers to, shared by many checks.

    ``figures`` are the columns whose figures the same scan gives; ``planner`` are settings, (name, value),
    under which the planner finds the better plan for this statement: they change no answer. ``joined`` is
    the JOIN by which a row, under its ``alias``, finds the row it refers to; ``looked`` is the same where
    the other row is looked up through its unique index. ``reads`` says how it may read its tables.
    ``marking`` says how the scan marks where violating rows lie, ``placed`` is then a source that gives
    their ctid. ``listed`` is the same for a scan of the table alone, where what it refers to can be listed
    (``plan.shared``). ``referring`` is the SQL condition that is true for the rows that a join is given
    ("" where it is given all); the pass over all rows of that table ``counts_referring`` of its joins.
    """

    purpose: str
    table: Table
    source: str
    slots: tuple[Slot, ...]
    tables: tuple[TableKey, ...]
    alias: str = ""
    counts_table: bool = False
    figures: tuple[Figure, ...] = ()
    planner: tuple[tuple[str, str], ...] = ()
    joined: str = ""
    looked: str = ""
    reads: Reads = Reads()
    marking: Marking | None = None
    placed: str = ""
    listed: ListedKeys | None = None
    referring: str = ""
    counts_referring: tuple[str, ...] = ()

    @property
    def check_ids(self) -> tuple[str, ...]:
        """The checks that the statement answers, in the order of its slots."""
        return tuple(slot.check_id for slot in self.slots)

    @property
    def counts_judged(self) -> bool:
        """Whether its second output is the number of rows that it joins, which no other statement counts."""
        # All rows of a table, and those that refer to another, are counted by its own pass.
        return bool(self.alias and self.table.only)

    def sql(self, slots: Sequence[Slot] | None = None, figures: Sequence[Figure] | None = None) -> str:
        """The counting statement for these slots and figures (without slots, for all of both).

        It returns the rows, those that each join is given, then of each slot its violating rows and, unless
        it judges all, its judged rows, then the figures. The server computes an aggregate once however
        often it is named: to judge alike costs one count.
        """
        asked = self.slots if slots is None else slots
        measured = figure_items(figures if figures is not None else (self.figures if slots is None else ()))
        told = [*self.found_items(asked), *(slot.shown for slot in self.showing(asked))]
        flags = Flags.of(self, asked, [*told, *measured]) if self.marks(asked) else None
        outputs = ",\n  ".join(self._outputs(asked, [*told, *measured], flags))
        return f"SELECT {outputs}\nFROM {qualified(self.source) if flags is None else flags.source}"

    def _outputs(self, asked: Sequence[Slot], rest: Sequence[str], flags: Flags | None) -> list[str]:
        """What the statement for these slots returns, with ``rest`` after their counts."""
        counts = self._counts(asked if flags is None else [flags.slot(slot) for slot in asked])
        # An array is one output, whatever its length.
        if len(self.counts_referring) + len(counts) + len(rest) > SLOT_LIMIT:
            every = list(counts.values())
            chunks = [every[i : i + 1000] for i in range(0, len(every), 1000)]
            named = {f"counts_{n}": f"ARRAY[{', '.join(chunk)}]" for n, chunk in enumerate(chunks, 1)}
        else:
            named = counts
        first = self._first(flags)
        if flags is not None and self.marks(asked):
            first["marked"] = flags.map_of(asked)
        items = [f"{output} AS {name}" for name, output in (first | named).items()]
        # Each by itself: the same item is asked again where a culprit is searched.
        return [qualified(item) for item in (*items, *rest)]

    def sql_with(self, others: Sequence[ListedKeys]) -> str:
        """The counting statement for all slots and figures, and for what else is counted of the table's rows:
        after what :meth:`sql` returns, the counts of each, with their map first if this pass marks.
        """
        rest = [*self.found_items(self.slots), *(slot.shown for slot in self.showing(self.slots))]
        rest += figure_items(self.figures)
        every = (*self.slots, *(slot for other in others for slot in other.slots))
        flags = Flags.of(self, every, rest) if self.marks(every) else None
        outputs = self._outputs(self.slots, rest, flags)
        for number, other in enumerate(others, 1):
            slots = other.slots if flags is None else [flags.slot(slot) for slot in other.slots]
            named = {} if flags is None else {"marked": flags.map_of(other.slots)}
            named |= self._counts(slots)
            outputs += [qualified(f"{output} AS {name}_of_{number}") for name, output in named.items()]
        items = ",\n  ".join(outputs)
        return f"SELECT {items}\nFROM {qualified(self.source) if flags is None else flags.source}"

    @staticmethod
    def _counts(slots: Sequence[Slot]) -> dict[str, str]:
        """The aggregates of these slots by the names that they have in the statement."""
        counts = {}
        for n, slot in enumerate(slots, 1):
            violating, judged = slot.counts()
            counts[f"c{n}"] = violating
            if judged:
                counts[f"c{n}_judged"] = judged
        return counts

    @staticmethod
    def found_items(slots: Sequence[Slot]) -> list[str]:
        """The outputs that give the figures of these slots which are judged later: after the counts, one for
        each slot that has one.
        """
        return [slot.found for slot in slots if slot.found]

    def showing(self, slots: Sequence[Slot]) -> list[Slot]:
        """Those of these slots whose figures an output shows: after those of :meth:`found_items`."""
        # A small table is read again if a figure fails.
        return [slot for slot in slots if slot.shown] if self.marking is not None else []

    def _first(self, flags: Flags | None = None) -> dict[str, str]:
        """The outputs before those of its slots and before its map, by name."""
        first = {"rows_read": "count(*)"}
        if self.counts_judged:
            # A subquery of its own, because a join that multiplies rows must be noticed.
            only = f" WHERE {kept_sql(self.table, self.referring)}" if self.referring else ""
            first["rows_judged"] = f"(SELECT count(*) FROM {source_sql(self.table, matched=())}{only})"
        for number, condition in enumerate(self.counts_referring, 1):
            flag = condition if flags is None else flags.names[condition]
            first[f"referring_{number}"] = f"count(*) FILTER (WHERE {flag})"
        return first

    @property
    def width(self) -> int:
        """How many numbers and texts its statement returns."""
        return len(self._first()) + len(self._counts(self.slots)) + self.texts_last

    @property
    def texts_last(self) -> int:
        """How many of its outputs are texts: the last ones."""
        return len(self.found_items(self.slots)) + sum(len(figure.outputs) for figure in self.figures)

    def as_texts(self) -> str:
        """A statement for all of its slots and figures that returns the same outputs, as one array of text.

        Of a pass that does not mark.
        """
        counts = [*self._first().values(), *self._counts(self.slots).values()]
        outputs = [*counts, *self.found_items(self.slots), *figure_items(self.figures)]
        listed = ", ".join(f"({qualified(output)})::text" for output in outputs)
        return f"SELECT ARRAY[{listed}]\nFROM {qualified(self.source)}"

    def marks(self, slots: Sequence[Slot]) -> bool:
        """Whether the statement for these slots also marks where their violating rows lie; the map is its
        output after the rows.
        """
        return self.marking is not None and any(slot.query is None for slot in slots)

    def read(
        self, row: Sequence[int | list[int]], slots: Sequence[Slot] | None = None
    ) -> tuple[int, list[tuple[int, int]]]:
        """(rows read, (violating rows, judged rows) of each slot) from the one row that :meth:`sql` of
        ``slots`` returns.
        """
        rows, *rest = row
        assert isinstance(rows, int)
        asked = self.slots if slots is None else slots
        rest = rest[self._counted_first + self.marks(asked) :]
        flat = iter([n for item in rest for n in (item if isinstance(item, list) else [item])])
        return rows, [(next(flat), next(flat) if slot.judged else rows) for slot in asked]

    def map_of(self, row: Sequence[object]) -> str:
        """The map in the row that a statement which :meth:`marks` returned; "" where no row violates."""
        return str(row[1 + self._counted_first] or "")

    def given_in(self, row: Sequence[Any]) -> dict[str, int]:
        """How many rows each join of the table is given, by its condition ("": all), in the row that
        :meth:`sql` returns.
        """
        first = (row[0], *row[1 + self.counts_judged :])
        return dict(zip(("", *self.counts_referring), first, strict=False))

    @property
    def _counted_first(self) -> int:
        """How many numbers stand between the rows and the map."""
        return self.counts_judged + len(self.counts_referring)

    def rows_sql(self, slot: Slot) -> str:
        """The statement by which anyone lists the violating rows of one check."""
        if slot.query is not None:
            return slot.query.rows_sql()
        prefix = f"{quote(self.alias)}." if self.alias else ""
        shown = [prefix + quote(c) for c in dict.fromkeys((*key_columns(self.table), *slot.columns))]
        return qualified(
            f"SELECT {', '.join(shown) or '*'}\nFROM {self.source}\nWHERE {decided_by_rows(slot.condition)}"
        )

    def sample_columns(self, slot: Slot) -> tuple[str, ...]:
        """The names of the values that a sample shows of a slot's violating rows: the key, and what the
        check reads.
        """
        # The key first: it names the row wherever samples of several checks are compared.
        keys = key_columns(self.table)
        return (*keys, *dict.fromkeys(c for c in slot.columns if c not in keys))


@dataclass(frozen=True)
class Flags:
    """The source of a pass that evaluates each condition once, as an output of its own: two aggregates,
    the count and the map, then read it.

    ``names`` are those outputs by condition, ``place`` is that of a row's ctid.
    """

    source: str
    marking: Marking
    place: str
    names: Mapping[str, str]

    @classmethod
    def of(cls, statement: Pass, slots: Sequence[Slot], measured: Sequence[str] = ()) -> Flags:
        """The flags of these slots of a pass that marks; those of a figure have none. ``measured`` are the
        outputs beside them.
        """
        assert statement.marking is not None
        rows = [slot for slot in slots if slot.query is None]
        judged = (c for slot in rows for c in (slot.condition, slot.judged) if c)
        conditions = dict.fromkeys((*judged, *statement.counts_referring))
        names = {c: free_name(f"is_{n}", statement.table) for n, c in enumerate(conditions, 1)}
        place = free_name("place", statement.table)
        joined = bool(statement.alias)
        riding = [slot.condition + slot.judged for slot in slots if slot.query is not None]
        # A figure reads the columns themselves; of a join nothing else is read. Each column costs each row.
        read = [] if joined else named_columns(statement.table, *riding, *measured)
        first = ", ".join([*map(quote, read), f"{quote(statement.alias)}.ctid" if joined else "ctid"])
        made = ",\n    ".join(f"({c}) AS {name}" for c, name in names.items())
        # Set apart, or the planner would write the conditions into both aggregates again.
        source = (
            f"(\n  SELECT {first} AS {place},\n    {made}\n  FROM {statement.placed or statement.source}"
            f"{APART}\n) AS {quote(statement.table.name)}"
        )
        return cls(qualified(source), statement.marking, place, names)

    def map_of(self, slots: Sequence[Slot]) -> str:
        """The aggregate that marks where the violating rows of these slots lie."""
        rows = (slot.condition for slot in slots if slot.query is None)
        return self.marking.output(self.place, list(dict.fromkeys(self.names[one] for one in rows)))

    def slot(self, slot: Slot) -> Slot:
        """The same slot over the outputs of ``source``."""
        if slot.query is not None:
            return slot
        return replace(slot, condition=self.names[slot.condition], judged=self.names.get(slot.judged, ""))


def free_name(wanted: str, table: Table) -> str:
    """A name that no column of the table has."""
    while wanted in table.columns:
        wanted += "_"
    return wanted


@dataclass(frozen=True)
class Query:
    """One query check's own statement. ``columns`` are all (table, column) pairs of the tables that it
    ``reads``.
    """

    purpose: str
    check_id: str
    violations: Violations
    table: Table | None
    tables: tuple[TableKey, ...]
    columns: frozenset[tuple[str, str]] = frozenset()
    reads: Reads = Reads()

    @property
    def check_ids(self) -> tuple[str, ...]:
        """The one check that the statement answers."""
        return (self.check_id,)

    def sql(self) -> str:
        """The counting statement: violations, and where the rule counts by itself, also the rows that it
        judged.

        An author's SELECT only ever runs inside these parentheses.
        """
        if self.violations.counting:
            return qualified(self.violations.counting)
        names = ("violations", "examined")
        outputs = ", ".join(f"{count} AS {name}" for count, name in zip(self.counts(), names, strict=False))
        return qualified(f"SELECT {outputs}\nFROM (\n{self.violations.sql}\n) AS v")

    @property
    def width(self) -> int:
        """How many numbers its statement returns."""
        return len(self.counts())

    def as_texts(self) -> str:
        """A statement that returns what :meth:`sql` does, as one array of text. Of one that
        :attr:`is_one_row`.
        """
        listed = ", ".join(f"({count})::text" for count in self.counts())
        return qualified(f"SELECT ARRAY[{listed}]\nFROM (\n{self.violations.sql}\n) AS v")

    @property
    def is_one_row(self) -> bool:
        """Whether its statement is nothing but aggregates over its violating rows."""
        return not self.violations.counting and not self.violations.most

    @property
    def is_listed(self) -> bool:
        """Whether one statement can count its rows and list them."""
        return not self.violations.counting and self.violations.riding is None

    def counts(self) -> list[str]:
        """The aggregates over its rows that count its violations and, where it says so, the judged rows."""
        weight = self.violations.weight
        # A sum of no rows is NULL, and no violation is 0.
        counts = [f"coalesce(sum({quote(weight)}), 0)::bigint" if weight else "count(*)"]
        # How many rows the whole table has does not say how many its filter leaves.
        if self.table is not None and self.table.only:
            counts.append(f"(SELECT count(*) FROM {source_sql(self.table, matched=())})")
        return counts

    def rows_sql(self) -> str:
        """The statement by which anyone lists the violating rows."""
        return qualified(self.violations.sql)

    def sample_columns(self) -> tuple[str, ...]:
        """The names of the values that a sample shows of a violating row."""
        return tuple(dict.fromkeys((*self.violations.keys, *self.violations.shown)))


FIGURE_LIMIT = 900
"""Beyond so many outputs the figures of a table travel in arrays of text, so that they and the slots fit
one statement.
"""


def figure_items(figures: Sequence[Figure]) -> list[str]:
    """The outputs of a statement that give these figures; :func:`read_figures` reads them."""
    outputs = [output for figure in figures for output in figure.outputs]
    if len(outputs) <= FIGURE_LIMIT:
        return outputs
    # Text, because the elements of an array must be of one type.
    texts = [f"({output})::text" for output in outputs]
    return [f"ARRAY[{', '.join(texts[i : i + 1000])}]" for i in range(0, len(texts), 1000)]


def read_figures(figures: Sequence[Figure], rows: int, items: Sequence[object]) -> dict[str, Profile]:
    """The profiles, by the figures' names, from what :func:`figure_items` returned for so many ``rows``."""
    values = [v for item in items for v in (item if isinstance(item, list) else [item])]
    texts = [None if value is None else str(value) for value in values]
    found, position = {}, 0
    for figure in figures:
        found[figure.name] = figure.read(rows, texts[position : position + len(figure.outputs)])
        position += len(figure.outputs)
    return found
