"""Which reader reads which tool's files, and for which table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kisaan_validate.errors import UsageError
from kisaan_validate.importers import dbt, great_expectations, soda
from kisaan_validate.importers.maker import Maker
from kisaan_validate.source import dotted


@dataclass(frozen=True)
class Tables:
    """How tables are called here: ``names`` maps a tool's name to ours; ``only`` is the table of a suite that names none."""

    names: Mapping[str, str] = field(default_factory=dict)
    only: str = ""

    def of(self, name: str) -> str:
        """The table for a name of the tool's."""
        return self.names.get(name, name)

    def of_suite(self, name: str) -> str:
        """The table for a whole suite: the only one, or what the suite's name begins with."""
        return self.names.get(name) or self.only or dotted("", name.partition(".")[0])


def read_tables(options: Sequence[str]) -> Tables:
    """``--table NAME`` and ``--table THEIRS=OURS``. Raises UsageError."""
    names = dict(option.split("=", 1) for option in options if "=" in option)
    bare = [option for option in options if "=" not in option]
    if len(bare) > 1 or any(not part.strip() for part in (*names, *names.values(), *bare)):
        raise UsageError("--table names one table, or says THEIRS=OURS for each of several")
    return Tables(names, bare[0] if bare else "")


def import_files(tool: str, files: Sequence[Path], tables: Tables) -> Maker:
    """Read every file of a tool's. Raises UsageError for a file that is none of its."""
    maker = Maker(tool)
    if tool == "great-expectations":
        for path in files:
            great_expectations.import_suite(path, maker, tables.of_suite)
    elif tool == "soda":
        soda.import_files(files, maker, tables.of)
    else:
        dbt.import_files(files, maker, tables.of)
    return maker
