"""What every rule offers, by form."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import CataloguePart
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.engine import Capability

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.sql.elements import ColumnElement

    from kisaan_validate.facts.catalogue import Catalogue, Table
    from kisaan_validate.facts.check import Tolerance
    from kisaan_validate.sql.expressions import View


@dataclass(frozen=True)
class Rule(ABC):
    """How one invariant is proved. Subclasses add their parameters as dataclass fields."""

    form: ClassVar[Form]
    requires: ClassVar[frozenset[Capability]] = frozenset()
    """What the engine must offer, or the check has no answer."""
    kind: ClassVar[str]
    looks_at: ClassVar[frozenset[CataloguePart]] = frozenset()
    """The parts of the catalogue that it judges by, beside those without which nothing can be judged."""

    @abstractmethod
    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        """What must hold, in words that need no SQL."""

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The (table, column) pairs without which the rule cannot be asked; column "" means just the
        table.
        """
        return tuple((table, column) for column in columns) or ((table, ""),)

    def judges(self, table: str) -> tuple[str, ...]:
        """The tables whose rows it judges, counts or adds up: of these, a declared filter leaves out rows."""
        return ()

    def intolerable(self, tolerance: Tolerance) -> str:
        """Why this tolerance cannot be meant, or ""."""
        return ""

    def idle(self, table: Table, columns: tuple[str, ...]) -> str:
        """Why it says nothing of these columns, whatever their rows hold (it could never fail, or a bound
        is NaN), or "".
        """
        return ""

    def enforced_by(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """The validated, enforced constraint (or type) that makes a violation impossible, or ""."""
        return ""

    def proof(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> str:
        """What soundly proves the rule without reading rows, or "". Stricter than ``enforced_by``."""
        return ""

    def conditions(self) -> tuple[str, ...]:
        """Author-written SQL expressions: each must be one plain expression, and its functions are looked
        up.
        """
        return ()

    def functions_sql(self) -> str:
        """Author-written SQL whose functions must be looked up before it may run, or ""."""
        # The line break ends a ``--`` comment, which would otherwise swallow the parenthesis.
        return ", ".join(f"({text}\n)" for text in self.conditions())

    def volatile_allowed(self) -> frozenset[str]:
        """Names of volatile functions that the author allows by name."""
        return frozenset()

    def meaning(self) -> str:
        """A canonical text of the rule and its parameters: equal text, equal meaning.

        A parameter of a later version (:func:`later`) is left out while it says nothing: what was declared
        before it came means what it meant.
        """
        # What says nothing is left out, so that a new parameter does not change the digest of older checks.
        fields = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if not _says_nothing(self, f)
        }
        return json.dumps([self.form, self.kind, fields], sort_keys=True, default=_canonical)


def later(default: Any) -> Any:
    """A field of a rule that came with a later version, whose default means what rules meant before."""
    return field(default=default, metadata={"later": True})


def _says_nothing(rule: Rule, parameter: dataclasses.Field[Any]) -> bool:
    return bool(parameter.metadata.get("later")) and getattr(rule, parameter.name) == parameter.default


class RowRule(Rule):
    """A predicate on one row: NULL passes, as in a CHECK constraint."""

    form = Form.ROW

    def judges(self, table: str) -> tuple[str, ...]:
        """Its table's rows."""
        return (table,)

    @abstractmethod
    def violation(self, view: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """True exactly for the rows that violate the rule (NULL or false for all others)."""


@dataclass(frozen=True)
class Join:
    """The pass that join checks share: each row of a table with the row it refers to."""

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]


@dataclass(frozen=True)
class JoinRule(Rule):
    """A predicate on a row and the one row it refers to. It judges some rows, and of these some are wrong."""

    form = Form.JOIN
    requires = frozenset({Capability.UNIQUENESS})
    by_index: ClassVar[bool] = False
    """Whether an index may find the row that is referred to: where one that it does not find makes a row
    wrong.
    """
    join: Join

    def judges(self, table: str) -> tuple[str, ...]:
        """Its table's rows; the row that one of them refers to is found whatever a filter says."""
        return (table,)

    @abstractmethod
    def judged(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """True exactly for the child rows that the rule judges: those that count as examined."""

    @abstractmethod
    def wrong(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """True for the rows that violate the rule, among those that it judges; of all others it says
        nothing.
        """

    def violation(self, child: View, parent: View, columns: tuple[str, ...]) -> ColumnElement[bool]:
        """True exactly for the child rows that violate the rule: judged, and wrong."""
        # AND of both: whatever ``wrong`` says of rows that are not judged cannot count.
        return sa.and_(self.judged(child, parent, columns), self.wrong(child, parent, columns))

    def listed(self, child: View, parent: View) -> ColumnElement[bool] | None:
        """:meth:`wrong` in a statement that reads only the child's rows and lists the keys of the parent;
        None if the rule cannot be put that way.
        """
        return None

    def violation_listed(
        self, child: View, parent: View, columns: tuple[str, ...]
    ) -> ColumnElement[bool] | None:
        """:meth:`violation` in such a statement."""
        missing = self.listed(child, parent)
        return None if missing is None else sa.and_(self.judged(child, parent, columns), missing)

    def referring(self, child: View) -> tuple[tuple[View, str], ...]:
        """The columns by which a row refers to another, each beside its table."""
        return tuple((child, column) for column in self.join.columns)

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The child's columns, and the referenced ones."""
        own = tuple((table, column) for column in (*self.join.columns, *columns))
        return own + tuple((self.join.parent, column) for column in self.join.parent_columns)


@dataclass(frozen=True)
class Riding:
    """How a figure over a whole table is judged in the scan that the table's other checks share.

    Both are SQL over aggregates of the table's rows: ``held`` is true where the figure is as declared,
    ``judged`` is the number of rows that it is made of. ``found`` is the figure itself as a text, where it is
    judged later; "" where ``held`` judges it. ``shown`` are the outputs of the query that shows what was
    found, its keys first; none where only that query can say them.
    """

    held: str
    judged: str
    found: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Violations:
    """A query for violating rows: its SQL, the columns that identify a row, and how rows are counted.

    ``weight`` names an output column whose sum is the violating count; "" means one for each row.
    ``shown`` are output columns that may be shown beside the key; ``made_of`` says which columns an output
    is computed from, so that personal values are masked under another name too; ``safe`` are outputs that
    hold no value of any column (counts, words of the rule's own).

    ``counting`` is a statement of the rule's own that returns the violating count and the number of rows
    that were judged, in one row; "" where every row of the table is judged (or nobody can say which are).

    ``riding`` is given where the table's own scan can judge it: then ``sql`` is only run to show what was
    found. ``most`` limits the segments that are judged one by one: ``counting`` then returns their number
    too, and more of them are an error. ``found``: the figure, as a text, is the last output of ``counting``.
    """

    sql: str
    keys: tuple[str, ...]
    weight: str = ""
    shown: tuple[str, ...] = ()
    made_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    safe: frozenset[str] = frozenset()
    counting: str = ""
    riding: Riding | None = None
    most: int = 0
    found: bool = False


class QueryRule(Rule):
    """A query that returns the violating rows; no row means that the rule holds."""

    form = Form.QUERY

    def judges(self, table: str) -> tuple[str, ...]:
        """Its table's rows. The table that it is given has only those that its filter leaves: see
        ``source_sql``.
        """
        return (table,)

    @abstractmethod
    def violations(self, table: Table, columns: tuple[str, ...], catalogue: Catalogue) -> Violations:
        """The query, for the tables as they are in this catalogue."""


@dataclass(frozen=True)
class CatalogueAnswer:
    """What the catalogue says: how many facts were looked at, how many are wrong, which, and in words.
    ``inapplicable``: why there is nothing to look at.
    """

    examined: int
    violations: int
    message: str = ""
    sample: tuple[tuple[tuple[str, str | None], ...], ...] = ()
    inapplicable: str = ""


Answer = CatalogueAnswer
"""The name under which kinds in packages of their own know it."""


class CatalogRule(Rule):
    """A fact of the system catalogue."""

    form = Form.CATALOGUE
    requires = frozenset({Capability.CATALOGUE})
    # What a kind of another package looks at is not known.
    looks_at = frozenset(CataloguePart)

    @abstractmethod
    def judge(self, table: Table | None, columns: tuple[str, ...], catalogue: Catalogue) -> CatalogueAnswer:
        """Compare the declared fact with the catalogue. ``table`` is None where it does not exist."""


def when(where: str) -> str:
    """A condition as part of a claim; "" without one."""
    return f" (where {' '.join(where.split())})" if where else ""


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name for an output that is none of those already taken."""
    others = set(taken)
    while wanted in others:
        wanted += "_"
    return wanted


def meaning_digest(rule: Rule, table: str, columns: tuple[str, ...], *more: object) -> str:
    """SHA-256 (hex) of what a check means: its rule, place, and what else decides about it."""
    text = json.dumps([rule.meaning(), table, columns, [_canonical(m) for m in more]])
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> object:
    if isinstance(value, frozenset):
        # Sorted: the order of a set changes with each process.
        return sorted(f"{type(v).__name__}:{v}" for v in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, str(dataclasses.astuple(value))]
    # With its type: the text "5" and the number 5 are different bounds.
    return f"{type(value).__name__}:{value}"
