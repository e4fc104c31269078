"""The keys that tie what was measured before a migration to what is measured after it, and their only text.

A record keeps a key as text (``Measured.id``, and the names in ``Measured.columns``), in the same words on
both sides. The text is as old as the records: baselines of earlier versions are found by it, so it never
changes. Names stand in it as they are, so a text alone does not always say where a name ends;
:meth:`MeasureKey.from_text` therefore asks for the names that may stand in it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from enum import Enum

from kisaan_validate.dataclass import dataclass

# These words stand in records, so they can never change.
_BY_KEY = " by key"
_PART = ": "
_AND = ", "
_EVERY_ROW = "every row"


class FigureKind(Enum):
    """What a figure within a measure is of; the value is what stands between its column and its rule."""

    COLUMN = ""
    """A column as it is."""
    WHICH_ROWS = "which rows"
    """The keys of the rows alone."""
    REPLACED = " by "
    """The values that a column is promised to have."""
    UNTOUCHED = " kept by "
    """A column over the rows where it was not NULL."""
    SAME_AS = " as by "
    """How many rows (as NULLs) already have the promised value."""


# The longest first: " as by r" and " kept by r" end in " by r" as well.
_OF_RULES = (FigureKind.SAME_AS, FigureKind.UNTOUCHED, FigureKind.REPLACED)


@dataclass(frozen=True)
class FigureKey:
    """One figure within a measure. ``by_key``: not the figure itself, but its digest under the rows' keys."""

    kind: FigureKind
    column: str = ""
    rule: str = ""
    by_key: bool = False

    @property
    def text(self) -> str:
        """The name in ``Measured.columns``."""
        plain = self.kind.value if self.kind is FigureKind.WHICH_ROWS else self.column
        of_rule = f"{self.kind.value}{self.rule}" if self.kind in _OF_RULES else ""
        return f"{plain}{of_rule}{_BY_KEY if self.by_key else ''}"

    def renamed(self, names: Mapping[str, str]) -> FigureKey:
        """The same figure after columns were renamed (old name to new)."""
        return replace(self, column=names.get(self.column, self.column))

    @classmethod
    def from_text(cls, text: str, columns: Collection[str], rules: Iterable[str]) -> FigureKey:
        """The figure that has this name, where these columns and rules are known.

        What they do not explain is taken as the name of a column. Where two figures have one name (a column
        called ``total by r`` beside the rule ``r``), it is one of them: ``text`` gives the name back.
        """
        return cls.readings(text, columns, rules)[0]

    @classmethod
    def readings(cls, text: str, columns: Collection[str], rules: Iterable[str]) -> list[FigureKey]:
        """Every figure that has this name; at least one."""
        # Read more than once, so a generator would be empty the second time.
        rules = tuple(rules)
        found = [*cls._plain_readings(text, columns, rules)]
        if text.endswith(_BY_KEY):
            found += map(by_key, cls._plain_readings(text.removesuffix(_BY_KEY), columns, rules))
        # Names that nobody knows are taken as they stand, so the text comes back unchanged.
        return found or [of_column(text)]

    @classmethod
    def _plain_readings(
        cls, text: str, columns: Collection[str], rules: Iterable[str]
    ) -> Iterator[FigureKey]:
        for rule in rules:
            for kind in _OF_RULES:
                end = f"{kind.value}{rule}"
                # A column may itself end in "by r", so only a known column is cut off.
                column = text.removesuffix(end)
                if text.endswith(end) and column in columns:
                    yield cls(kind, column, rule)
        if text == FigureKind.WHICH_ROWS.value:
            yield cls(FigureKind.WHICH_ROWS)
        if text in columns:
            yield of_column(text)


WHICH_ROWS = FigureKey(FigureKind.WHICH_ROWS)
"""The keys of the rows alone."""


def of_column(column: str) -> FigureKey:
    """A column as it is."""
    return FigureKey(FigureKind.COLUMN, column)


def untouched(column: str, rule: str) -> FigureKey:
    """A column over the rows where it was not NULL."""
    return FigureKey(FigureKind.UNTOUCHED, column, rule)


def replaced(column: str, rule: str) -> FigureKey:
    """The figures that a column is promised to have."""
    return FigureKey(FigureKind.REPLACED, column, rule)


def same_as(column: str, rule: str) -> FigureKey:
    """The number (as NULLs) of rows that already have the promised value."""
    return FigureKey(FigureKind.SAME_AS, column, rule)


def by_key(figure: FigureKey) -> FigureKey:
    """The digest of a figure under the rows' keys."""
    return replace(figure, by_key=True)


class MeasureKind(Enum):
    """What is measured; the value is how its text begins, or what follows its table."""

    COUNT = "rows of "
    """How many rows of a table a rule speaks of."""
    UNASKED = "for "
    """Why nothing is measured of a table for a rule."""
    REMAINDER = "without "
    """The figures of a table without the rows that rules remove."""
    SETTLED = "without arrivals"
    """The figures of a table without the rows that arrived."""
    DIGESTS = "digests"
    """The digests of a table without the rows that arrived."""
    WHOLE = "digests of all"
    """The digests of every column of a table."""
    BUCKETS = "buckets"
    """The digests of rows by bucket."""
    NAMES = "names of "
    """The names that a ledger contains."""
    NULL_KEYS = "rows without a value of "
    """The keys of the rows that had no value in the column that a rule speaks of."""
    REFUSED = "promise "
    """Why the SQL of a promise is not run."""
    SELF_CHECK = "self-check of digests"
    """What the server's hash functions answer to fixed questions."""
    FOLLOWING = "bodies that follow from renames"
    """Functions whose bodies differ only by what was renamed."""
    OTHERWISE = "bodies whose words mean something else"
    """Functions whose bodies have the same words and another meaning."""


_OF_TABLE_AND_RULE = (MeasureKind.COUNT, MeasureKind.UNASKED)
_OF_TABLE = (MeasureKind.SETTLED, MeasureKind.DIGESTS, MeasureKind.WHOLE, MeasureKind.BUCKETS)
_OF_RULE = (MeasureKind.NAMES, MeasureKind.NULL_KEYS, MeasureKind.REFUSED)
_OF_NOTHING = (MeasureKind.SELF_CHECK, MeasureKind.FOLLOWING, MeasureKind.OTHERWISE)


@dataclass(frozen=True)
class MeasureKey:
    """One measure. ``table`` is a title ("" where its text names none), ``rules`` are ids of promises.

    ``part`` is the name of one of its figures (``FigureKey.text``): the key under which it is said why that
    figure is missing; "" for the measure itself.
    """

    kind: MeasureKind
    table: str = ""
    rules: tuple[str, ...] = ()
    part: str = ""

    @property
    def text(self) -> str:
        """The text in ``Measured.id``."""
        # "without " and no rule would be an empty sentence.
        every = self.kind is MeasureKind.REMAINDER and not self.rules
        plain = _EVERY_ROW if every else f"{self.kind.value}{_AND.join(self.rules)}"
        table = f"{self.table}{_PART}" if self.kind not in (*_OF_RULE, *_OF_NOTHING) else ""
        return f"{table}{plain}{f'{_PART}{self.part}' if self.part else ''}"

    def of_part(self, figure: str) -> MeasureKey:
        """The key under which it is said why one figure is missing."""
        return replace(self, part=figure)

    def renamed(self, table: str, part: str) -> MeasureKey:
        """The same measure after its table and the figure of its part were renamed."""
        return replace(self, table=table if self.table else "", part=part)

    @classmethod
    def from_text(cls, text: str, table: str, rules: Collection[str]) -> MeasureKey | None:
        """The measure that has this text, where it is of this table (``Measured.table``) and these rules are
        known; None for a text that this version does not write.

        Where the known rules do not explain it, what stands for rules is taken as one. Where two measures
        have one text (two rules of which one is called ``a, b``), it is one of them: ``text`` gives the text
        back.
        """
        return next(iter(cls.readings(text, table, rules)), None)

    @classmethod
    def readings(cls, text: str, table: str, rules: Collection[str]) -> list[MeasureKey]:
        """Every measure that has this text: of these rules, or if there is none, of any."""
        found = [*cls._readings(text, table, rules)]
        known = frozenset(rules)
        # Readings of known rules win; only if there is none may a rule be unknown.
        return [key for key in found if known.issuperset(key.rules)] or found

    @classmethod
    def _readings(cls, text: str, table: str, rules: Collection[str]) -> Iterator[MeasureKey]:
        yield from (cls(kind) for kind in _OF_NOTHING if text == kind.value)
        yield from (
            cls(kind, "", (text.removeprefix(kind.value),))
            for kind in _OF_RULE
            if text.startswith(kind.value)
        )
        if text.startswith(f"{table}{_PART}"):
            yield from cls._of_table(text.removeprefix(f"{table}{_PART}"), table, rules)

    @classmethod
    def _of_table(cls, rest: str, table: str, rules: Collection[str]) -> Iterator[MeasureKey]:
        named = ((kind, kind.value) for kind in _OF_TABLE)
        for kind, words in (*named, (MeasureKind.REMAINDER, _EVERY_ROW)):
            if rest == words:
                yield cls(kind, table)
            elif rest.startswith(f"{words}{_PART}"):
                yield cls(kind, table, part=rest.removeprefix(f"{words}{_PART}"))
        for kind in _OF_TABLE_AND_RULE:
            if rest.startswith(kind.value):
                yield cls(kind, table, (rest.removeprefix(kind.value),))
        start = MeasureKind.REMAINDER.value
        if rest.startswith(start):
            listed = rest.removeprefix(start)
            # A rule's id may hold a comma, so every way to read the list is tried.
            for found, part in _listed(listed, tuple(rules)):
                yield cls(MeasureKind.REMAINDER, table, found, part)
            # As one rule, for records whose rules this version does not know.
            yield cls(MeasureKind.REMAINDER, table, (listed,))


def _listed(text: str, rules: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The known rules that a text lists, in order and each once, and the name of the part behind them."""
    for rule in rules:
        if text == rule:
            yield (rule,), ""
        elif text.startswith(f"{rule}{_PART}"):
            yield (rule,), text.removeprefix(f"{rule}{_PART}")
        if text.startswith(f"{rule}{_AND}"):
            # In their order and each once, as ``text`` writes them: other orders were never written.
            later = tuple(other for other in rules if other > rule)
            for found, part in _listed(text.removeprefix(f"{rule}{_AND}"), later):
                yield (rule, *found), part


SELF_CHECK = MeasureKey(MeasureKind.SELF_CHECK)
"""What the server's hash functions answer to fixed questions."""

FOLLOWING = MeasureKey(MeasureKind.FOLLOWING)
"""Functions whose bodies differ only by what was renamed."""

OTHERWISE = MeasureKey(MeasureKind.OTHERWISE)
"""Functions whose bodies have the same words and another meaning."""


def count_key(rule: str, table: str) -> MeasureKey:
    """How many rows of a table a rule speaks of."""
    return MeasureKey(MeasureKind.COUNT, table, (rule,))


def unasked_key(rule: str, table: str) -> MeasureKey:
    """Why nothing is measured of a table for a rule."""
    return MeasureKey(MeasureKind.UNASKED, table, (rule,))


def remainder_key(table: str, removed: Iterable[str] = ()) -> MeasureKey:
    """The figures of a table without the rows that these rules remove."""
    # Sorted, so that the same removals have one key in whatever order the contract lists them.
    return MeasureKey(MeasureKind.REMAINDER, table, tuple(sorted(set(removed))))


def settled_key(table: str) -> MeasureKey:
    """The figures of a table without the rows that arrived."""
    return MeasureKey(MeasureKind.SETTLED, table)


def digests_key(table: str) -> MeasureKey:
    """The digests of a table without the rows that arrived."""
    return MeasureKey(MeasureKind.DIGESTS, table)


def whole_key(table: str) -> MeasureKey:
    """The digests of every column of a table."""
    return MeasureKey(MeasureKind.WHOLE, table)


def buckets_key(table: str) -> MeasureKey:
    """The digests of rows by bucket."""
    return MeasureKey(MeasureKind.BUCKETS, table)


def names_key(rule: str) -> MeasureKey:
    """The names that a ledger contains."""
    return MeasureKey(MeasureKind.NAMES, rules=(rule,))


def null_keys_key(rule: str) -> MeasureKey:
    """The keys of the rows that had no value in the column that a rule speaks of."""
    return MeasureKey(MeasureKind.NULL_KEYS, rules=(rule,))


def refused_key(rule: str) -> MeasureKey:
    """Why the SQL of a promise is not run."""
    return MeasureKey(MeasureKind.REFUSED, rules=(rule,))
