"""Foreign tables: rows of another server, under other rights, in another snapshot, and perhaps made by
code that runs there.

Nothing that a run promises of one instant holds for them. They are read only where the suite names them,
and then said so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import Result
from kisaan_validate.facts.titles import TableKey

_WHAT = "holds rows of a foreign server, read with other rights and outside this snapshot"
_HINT = "to read it anyway, name it in suite.toml: foreign = [{name}]"


WITHHELD = "0A000"
"""The SQLSTATE of what is not read because it is foreign: feature not supported."""


def refused(catalogue: Catalogue, allowed: Iterable[str]) -> dict[TableKey, tuple[str, str]]:
    """The relations that are not read because their rows are foreign, each with (SQLSTATE, why).

    ``allowed`` are names as checks declare them.
    """
    named = {table.key for name in allowed if (table := catalogue.find(name)) is not None}
    return {
        table.key: (WITHHELD, f"not read: {table.title} {_WHAT}; {_HINT.format(name=_quoted(table))}")
        for table in catalogue.tables.values()
        if table.foreign and table.key not in named
    }


def _quoted(table: Table) -> str:
    # As TOML writes a string: the hint is meant to be copied.
    return '"' + table.title.replace("\\", "\\\\").replace('"', '\\"') + '"'


def marked(
    results: Mapping[str, Result], checks: Iterable[tuple[Check, Iterable[str]]], catalogue: Catalogue
) -> dict[str, Result]:
    """The results, those that rest on foreign rows marked. ``checks`` come with the names of the tables
    that they read.
    """
    found = dict(results)
    for check, names in checks:
        read = {
            table.title for name in names if (table := catalogue.find(name)) is not None and table.foreign
        }
        result = found.get(check.id)
        # What could not be asked read no foreign row.
        if result is None or not read or (result.examined is None and result.violations is None):
            continue
        listed = ", ".join(sorted(read))
        said = f"foreign: rows of another server ({listed}), outside this snapshot"
        message = f"{result.message}; {said}" if result.message else said
        found[check.id] = replace(result, foreign=tuple(sorted(read)), message=message)
    return found


def notice(results: Iterable[Result]) -> list[Notice]:
    """What a reader of the run must know of foreign rows, if any check rests on them."""
    tables = sorted({title for result in results for title in result.foreign})
    if not tables:
        return []
    message = f"foreign: {', '.join(tables)} {'holds' if len(tables) == 1 else 'hold'} rows of other servers"
    return [
        Notice(
            "foreign", message, "they were read with other rights and outside the snapshot of the other rows"
        )
    ]
