"""What a run knows of its comparison, and asks for it; empty where nothing is compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from kisaan_validate.contract.here import NamesHere
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.measure_key import refused_key
from kisaan_validate.facts.table import Measured

if TYPE_CHECKING:
    from kisaan_validate.execute.keyed import KeyedJob
    from kisaan_validate.facts.table import SchemaObject, SequenceValue
    from kisaan_validate.facts.titles import TableKey
    from kisaan_validate.plan.fingerprints import Digesting
    from kisaan_validate.plan.measure.statement import Measure


@dataclass(frozen=True)
class SchemaFacts:
    """The schemas' objects, the sequences' values, and why some could not be read."""

    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[SequenceValue, ...] = ()


@dataclass(frozen=True)
class ComparisonPlan:
    """What a comparison knows and asks before rows are read.

    ``here`` is the contract on this side; ``since`` are the columns that tell which rows came later.
    ``measures`` and ``keyed`` are still to be asked; ``answered`` was asked already; ``refused`` maps
    promises to why their SQL is not run. ``digesting`` is None where nothing is digested. ``secret`` is
    the key of digests of personal columns, in hex.
    """

    schema: SchemaFacts = field(default_factory=SchemaFacts)
    here: NamesHere = field(default_factory=NamesHere)
    since: Mapping[TableKey, str] = field(default_factory=dict)
    digesting: Digesting | None = None
    measures: tuple[Measure, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    answered: tuple[Measured, ...] = ()
    left_out: Mapping[tuple[str, str], str] = field(default_factory=dict)
    keyed: tuple[KeyedJob, ...] = ()
    secret: str = ""

    @property
    def check(self) -> tuple[str, ...]:
        """How digests were computed, and what the server's hash functions answered to fixed questions."""
        return self.answered[0].names if self.answered else ()

    @property
    def refusals(self) -> tuple[Measured, ...]:
        """What is recorded of the promises whose SQL is not run."""
        return tuple(
            Measured(refused_key(id).text, "", message=reason) for id, reason in self.refused.items()
        )
