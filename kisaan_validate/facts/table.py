"""What was measured of one table: rows, figures, digests, the objects of the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.measure_key import FigureKey


class Family(StrEnum):
    """How the texts of a column's figures are compared, whatever the exact type is called."""

    NUMBER = "number"
    """Exact: compared as decimals, so that 1.50 equals 1.5."""
    FLOAT = "float"
    """Inexact: a sum depends on the order of addition, so sums are shown and never compared."""
    TEXT = "text"
    INSTANT = "instant"
    LOCAL_TIME = "local time"
    OTHER = "other"


@dataclass(frozen=True)
class Profile:
    """Figures over one column, or over one expression, of the rows of a table. Texts are the server's own.

    ``minimum`` and ``maximum`` are by value, for texts by code point; ``total`` is the exact sum. None
    where the rows hold no value, where the type has no such figure, or where the column is personal
    (``personal`` is then True). ``digest`` says which row holds which value, for comparing with another of
    the same form and key; None where it was not computed (see
    :mod:`kisaan_validate.plan.fingerprints`).
    """

    family: Family
    nulls: int | None
    minimum: str | None = None
    maximum: str | None = None
    total: str | None = None
    personal: bool = False
    digest: str | None = None


@dataclass(frozen=True)
class ColumnFacts:
    """One column; ``type`` is PostgreSQL's ``format_type`` text. ``profile`` is None where it was not
    measured.

    ``unmeasured`` says why a figure of it (or all) could not be computed; such a figure is None in the
    profile. ``distribution`` is there where a profile was asked for (``--profile``).
    """

    name: str
    type: str
    profile: Profile | None = None
    unmeasured: str = ""
    distribution: Distribution | None = None


@dataclass(frozen=True)
class SchemaObject:
    """One object of the database as the catalogue describes it: a column, a constraint, a grant, …

    ``table`` is the title of the relation that it belongs to ("" for none). Two objects are the same one
    if kind, table and name agree; ``facts`` maps each attribute to its text and has no entry for what is
    not set.
    """

    kind: str
    table: str
    name: str
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """(kind, table, name)."""
        return (self.kind, self.table, self.name)


@dataclass(frozen=True)
class SequenceValue:
    """Where a sequence stood. Sequences take no part in a snapshot: it may be later than everything else
    here.
    """

    name: str
    last_value: int
    is_called: bool
    ascending: bool = True


@dataclass(frozen=True)
class Measured:
    """What was measured for a contract's sake, beside the checks. ``id`` says what of, in the same words
    on both sides.

    ``rows`` and ``columns`` are of the rows that were asked for; ``columns`` maps a column (or a rule's
    expression) to its figures. ``message`` says why there is no answer; then nothing else is.
    """

    id: str
    table: str
    rows: int | None = None
    columns: Mapping[str, Profile] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    sql: str = ""
    message: str = ""
    sqlstate: str = ""

    def figure(self, key: FigureKey) -> Profile | None:
        """One of its figures; None where there is none."""
        return self.columns.get(key.text)


@dataclass(frozen=True)
class TableDigests:
    """What tells which rows a table has and, with each column's ``Profile.digest``, which values
    (``docs/contracts.md``).

    The columns ``key`` identify a row; ``which_rows`` is the digest of these alone. ``buckets``
    holds, of every bucket of rows, "number:rows:sum:sum". ``left_out`` maps columns to why they are not
    digested. ``late`` is how many rows were set aside because their key is above all keys of the baseline.
    ``check`` is what the server's hash functions answer to fixed questions: digests can be compared only
    where it is the same. ``message`` says why there is no digest.
    """

    key: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    which_rows: str = ""
    buckets: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    late: int = 0
    message: str = ""


@dataclass(frozen=True)
class TableFacts:
    """One table at the snapshot. ``rows`` is exact, or None with the ``reason`` it could not be counted.

    ``digests`` are there where they were asked for.
    """

    schema: str
    name: str
    kind: str
    rows: int | None
    reason: str = ""
    columns: tuple[ColumnFacts, ...] = ()
    digests: TableDigests | None = None

    @property
    def title(self) -> str:
        """The name people use: without the schema where it is ``public``."""
        return self.name if self.schema == "public" else f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class KeyedDigest:
    """One personal column under a baseline's own random key (docs/digest.md): never two digests under one
    key.

    A baseline keeps ``digest`` (64 hex digits), ``stays``, the same without the rows that its contract
    removes, and the ``form`` of the values, or in ``message`` why it keeps none. A run beside it keeps
    ``outcome`` only, "same" (as either) or "differs", or in ``message`` why that is not known.
    """

    table: str
    column: str
    form: str = ""
    digest: str = ""
    stays: str = ""
    outcome: str = ""
    message: str = ""
