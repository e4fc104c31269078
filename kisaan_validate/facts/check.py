"""What is declared. A check and its outcome are never one object."""

from __future__ import annotations

from enum import StrEnum
from fractions import Fraction

from kisaan_validate.dataclass import dataclass


class Form(StrEnum):
    """How a check is proved, and with which others it can share a statement."""

    ROW = "row"
    """A predicate on one row: one more slot in its table's single scan."""
    JOIN = "join"
    """A predicate on a row and the row it refers to: one more slot in that join's single pass."""
    QUERY = "query"
    """A query that returns the violating rows: a statement of its own."""
    CATALOGUE = "catalog"
    """A fact of the system catalogue: proved without reading any row."""
    PYTHON = "python"
    """A function of the author's, on rows streamed out of the snapshot: one more reader of its table's
    single stream.
    """


class Severity(StrEnum):
    """What a failure means. Only ``BLOCKING`` failures fail a run."""

    BLOCKING = "blocking"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Tolerance:
    """How many violating rows are accepted: a number of rows, or an exact fraction of the rows examined."""

    rows: int | None = None
    numerator: int | None = None
    denominator: int | None = None

    def accepts(self, violations: int, examined: int | None) -> bool:
        """Whether ``violations`` of ``examined`` rows are within the tolerance, in exact arithmetic."""
        if self.rows is not None:
            return violations <= self.rows
        # A share of no rows says nothing, so it accepts nothing.
        if self.numerator is None or self.denominator is None or not examined:
            return False
        # Fractions compare exactly: 0.1 % of 7 rows is no number of rows.
        return Fraction(violations, examined) <= Fraction(self.numerator, self.denominator)

    def __str__(self) -> str:
        if self.rows is not None:
            return f"{self.rows} rows"
        return f"{self.numerator}/{self.denominator} of the rows"


@dataclass(frozen=True)
class Check:
    """One declared invariant. The rule that proves it lives in the suite.

    ``table`` is the declared name ("" for the whole database); ``claim`` says in words what must hold;
    ``digest`` identifies the meaning (rule, table, columns, tolerance, conditions), not the prose.
    ``finding`` is the title of its failure in the reader's words; "{count}" in it is the exact number.
    ``settling`` is after how many seconds a failure is asked again, 0 for never.
    """

    id: str
    table: str
    columns: tuple[str, ...]
    form: Form
    kind: str
    claim: str
    severity: Severity = Severity.BLOCKING
    tolerance: Tolerance | None = None
    why: str = ""
    hint: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    applies: tuple[str, ...] = ()
    origin: str = ""
    digest: str = ""
    finding: str = ""
    settling: int = 0


@dataclass(frozen=True)
class Criterion:
    """One success criterion of a runbook: proved by checks (their ids), or ``manual``: attested by a
    person.
    """

    id: str
    text: str
    checks: tuple[str, ...] = ()
    manual: bool = False
