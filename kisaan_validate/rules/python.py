"""Checks that are functions: judged in Python, on rows streamed out of the snapshot."""

from __future__ import annotations

import json
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.engine import Capability
from kisaan_validate.rules.base import Rule

if TYPE_CHECKING:
    from kisaan_validate.facts.catalogue import Table


@dataclass(frozen=True)
class PythonRule(Rule):
    """A function that says of rows, or of whole columns, whether they are right.

    ``check`` is pandera's own Check, which no record holds and no process sends to another:
    ``meaning_text`` stands for it (the function's source and what it refers to). ``frame`` tells a check
    of the frame from one of a column; ``reads`` are the columns that it needs beside the check's own,
    ``optional`` those that it is given where they exist. ``nan`` are the columns that may hold a NaN ("*"
    for all): any other NaN is a violation, whatever the function says.
    """

    # Not compared: two loads of a suite make two functions of one text.
    check: Any = field(compare=False, repr=False)
    meaning_text: str
    words: str
    row_wise: bool
    frame: bool = False
    reads: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    nulls_pass: bool = False
    suggestion: str = ""
    nan: tuple[str, ...] = ()
    form: ClassVar[Form] = Form.PYTHON
    requires: ClassVar[frozenset[Capability]] = frozenset({Capability.STREAM})
    kind: ClassVar[str] = "python"

    def claim(self, table: str, columns: tuple[str, ...]) -> str:
        return self.words

    def needs(self, table: str, columns: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """The columns without which the function cannot be called."""
        # A check of a whole table without columns needs the table at least.
        return tuple((table, c) for c in dict.fromkeys((*columns, *self.reads))) or ((table, ""),)

    def judges(self, table: str) -> tuple[str, ...]:
        """The rows that it is given."""
        return (table,)

    def given(self, table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
        """The columns that the function is given of this table, in the order of their declaration."""
        wanted = dict.fromkeys((*columns, *self.reads, *(c for c in self.optional if c in table.columns)))
        return tuple(wanted)

    def admits_nan(self, column: str) -> bool:
        """Whether a NaN in this column is left to the function."""
        return column in self.nan or "*" in self.nan

    @property
    def sample_limit(self) -> int | None:
        """How many violating rows are shown at most (pandera's ``n_failure_cases``)."""
        if self.check.n_failure_cases is None:
            return None
        return int(self.check.n_failure_cases)

    def meaning(self) -> str:
        """What decides about the answer: the function, what it is given, and how its answer is read."""
        how = [self.row_wise, self.frame, self.reads, self.optional, self.nulls_pass]
        # ``nan`` only where it says something: checks of before it existed keep their digest.
        return json.dumps([self.form, self.kind, self.meaning_text, *how, *([self.nan] if self.nan else [])])
