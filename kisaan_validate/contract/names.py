"""How a contract writes names: as they are in the catalogue, a part with a dot in it quoted as in SQL."""

from __future__ import annotations

from collections.abc import Iterable

from kisaan_validate.facts.titles import split_name


def titles_of(name: str, schemas: Iterable[str]) -> tuple[str, ...]:
    """The titles that a declared ``table`` or ``schema.table`` may mean, in the order in which they are
    tried.
    """
    schema, bare = split_name(name)
    tried = (schema,) if schema else schemas
    # Titles leave out "public".
    return tuple(bare if s == "public" else f"{s}.{bare}" for s in tried)
