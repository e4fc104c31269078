"""How a contract writes names: as they are in the catalogue, a part with a dot in it quoted as in SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kisaan_validate.catalogue import split_name

_LAST = re.compile(r'(?P<table>.*)\.(?P<column>"(?:[^"]|"")*"|[^."]*)', re.S)


def split_column(text: str) -> tuple[str, str]:
    """``table.column`` or ``schema.table.column`` as (table as written, column's own name); ("", name) without a table."""
    match = _LAST.fullmatch(text)
    table, column = (match["table"], match["column"]) if match else ("", text)
    if len(column) > 1 and column.startswith('"') and column.endswith('"'):
        column = column[1:-1].replace('""', '"')
    return table, column


def titles_of(name: str, schemas: Iterable[str]) -> tuple[str, ...]:
    """The titles that a declared ``table`` or ``schema.table`` may mean, in the order in which they are tried."""
    schema, bare = split_name(name)
    return tuple(bare if s == "public" else f"{s}.{bare}" for s in ([schema] if schema else schemas))
