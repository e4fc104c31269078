"""What a promise must have measured, and under which name it is found again on the other side."""

from __future__ import annotations

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class Removal:
    """Rows of a table that are promised to go: the surplus of duplicates (the lowest key survives), or
    those WHERE.

    ``check`` names a uniqueness check of the suite whose surplus is meant; else ``columns`` say what makes
    a duplicate; without either, every row that ``where`` admits goes.
    """

    rule: str
    table: str
    columns: tuple[str, ...] = ()
    check: str = ""
    where: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Arrival:
    """Rows of a table that are promised, or free, to come: those WHERE. They are set aside when the rest
    is compared.

    With ``by``, these are the rows above the baseline's highest value of that column. WHERE must admit no row
    of before: otherwise nobody could tell which rows are new.
    """

    rule: str
    table: str
    where: str = ""
    by: str = ""


@dataclass(frozen=True)
class Names:
    """Which of these names a column of a ledger contains. The rows of those that it did not contain before
    are arrivals.
    """

    rule: str
    table: str
    column: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Replacement:
    """A column whose every value is promised to become that of an expression over its old row, of this type.

    ``{column}`` in the expression stands for the column itself. Without ``type`` it is the type that the
    column has.
    """

    rule: str
    table: str
    column: str
    expression: str
    type: str = ""
    optional: bool = False


@dataclass(frozen=True)
class Identity:
    """Which rows a table has must be known, whatever their values. A ``column`` is no part of what tells
    them apart:

    its values are promised to change, or it ``goes``; then it is named as it was called before.
    """

    rule: str
    table: str
    column: str = ""
    goes: bool = False


@dataclass(frozen=True)
class Untouched:
    """The values of a column where it is not NULL, and the keys of the rows where it is."""

    rule: str
    table: str
    column: str
    optional: bool = False


@dataclass(frozen=True)
class Lookup:
    """A column whose every value is promised to be ``value``, an expression over the one row of ``source``
    that belongs to

    its row: where ``key`` of that row (its primary key if not said) equals ``by`` of this one. NULL where
    there is none.
    """

    rule: str
    table: str
    column: str
    source: str
    by: tuple[str, ...]
    value: str
    key: tuple[str, ...] = ()
    optional: bool = False


@dataclass(frozen=True)
class Renaming:
    """What a column holds, or (column "") every column of a table, by row: it must be found again under
    another name.
    """

    rule: str
    table: str
    column: str = ""
    optional: bool = False


Need = Removal | Arrival | Replacement | Names | Identity | Untouched | Lookup | Renaming
