"""A table under other names of its columns, so that its rows can be read as those of another side's table.
Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from kisaan_validate.facts.catalogue import Table


def called(table: Table, names: Mapping[str, str]) -> Table:
    """The table, its columns renamed: ``names`` maps their own names to others."""
    if not names:
        return table

    def name(own: str) -> str:
        return names.get(own, own)

    def indexed(own: str | None) -> str | None:
        return None if own is None else name(own)  # an expression has no name

    return replace(
        table,
        columns={name(own): replace(column, name=name(own)) for own, column in table.columns.items()},
        constraints=tuple(replace(c, columns=tuple(map(name, c.columns))) for c in table.constraints),
        indexes=tuple(replace(i, columns=tuple(map(indexed, i.columns))) for i in table.indexes),
        sequences={name(own): sequence for own, sequence in table.sequences.items()},
        names=tuple(map(name, table.columns)),
        own=tuple(table.columns),
    )
