"""Which reader reads which tool's files, and for which table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kisaan_validate.author.importers import dbt, great_expectations, soda
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.tables import Tables, read_tables

__all__ = ["Tables", "import_files", "read_tables"]


def import_files(tool: str, files: Sequence[Path], tables: Tables) -> Maker:
    """Read every file of a tool's. Raises UsageError for a file of another kind."""
    maker = Maker(tool)
    if tool == "great-expectations":
        for path in files:
            great_expectations.import_suite(path, maker, tables)
    elif tool == "soda":
        soda.import_files(files, maker, tables.of)
    else:
        dbt.import_files(files, maker, tables)
    return maker
