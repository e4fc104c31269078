"""What a run may rely on without reading it. Pure."""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue


@dataclass(frozen=True)
class Trust:
    """What may stand for rows that are not read: sound constraints and the bounds of partitions; indexes."""

    constraints: bool = False
    indexes: bool = False

    def believing(self, catalogue: Catalogue) -> Catalogue:
        """The same relations; those whose declarations are trusted are marked."""
        if not self.constraints and not self.indexes:
            return catalogue
        # An index can find rows of any table; trusted constraints only concern bounds of partitions here.
        tables = {k: replace(t, believed=self.indexes or t.kind == "p") for k, t in catalogue.tables.items()}
        return replace(catalogue, tables=tables)


NO_TRUST = Trust()
