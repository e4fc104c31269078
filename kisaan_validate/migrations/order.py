"""Whether migrations ran in the intended order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from kisaan_validate.facts.migrations import (
    LedgerEntry,
    MigrationFile,
    MigrationFinding,
    Oddity,
)
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.recorded import RecordedFiles

_Ran = tuple[int, str]
"""When a migration ran, among the others of its ledger."""


def order_findings(
    files: Sequence[MigrationFile], found: RecordedFiles, *, graph: bool
) -> Iterator[MigrationFinding]:
    """Files that ran out of order, and pending ones that come before one that ran. ``graph``: what they
    follow says the order, not their names.
    """
    when = ran_order(found.rows)
    if graph:
        yield from _in_graph(files, found, when)
    else:
        yield from _in_line(files, found, when)


def ran_order(rows: Mapping[str, LedgerEntry]) -> dict[str, _Ran]:
    """The order in which the rows ran, by what they say; empty where they do not say."""
    if rows and all(row.number is not None for row in rows.values()):
        return {name: (row.number or 0, "") for name, row in rows.items()}
    # All of one column, in UTC or all without a zone: such texts sort as their times do.
    return {name: (0, row.at) for name, row in rows.items() if _sorts(row.at)}


def _sorts(at: str) -> bool:
    # Not infinity, not years before Christ or of five digits.
    return at[:4].isdigit() and at[4:5] == "-" and not at.endswith("BC")


def _in_line(
    files: Sequence[MigrationFile], found: RecordedFiles, when: Mapping[str, _Ran]
) -> Iterator[MigrationFinding]:
    last, passed = next((f.name for f in reversed(files) if f.name in found.rows), ""), False
    earliest: tuple[_Ran, str] | None = None
    late: list[MigrationFinding] = []
    for file in reversed(files):
        passed = passed or file.name == last
        if passed and found.has(file.name) is False and file.name not in found.rows:
            late.append(_odd(file.name, f"comes before {last}, which is applied"))
        ran = when.get(file.name)
        if ran is None:
            continue
        if earliest is not None and earliest[0] < ran:
            late.append(_odd(file.name, f"ran after {earliest[1]}, which comes later in order"))
        if earliest is None or ran < earliest[0]:
            earliest = ran, file.name
    yield from reversed(late)


def _in_graph(
    files: Sequence[MigrationFile], found: RecordedFiles, when: Mapping[str, _Ran]
) -> Iterator[MigrationFinding]:
    known = {file.name for file in files}
    for file in files:
        for parent in known.intersection(file.parents):
            if found.has(file.name) and found.has(parent) is False:
                yield _odd(parent, f"comes before {file.name}, which is applied")
            elif when.get(file.name, (0, "")) < when.get(parent, (0, "")) and file.name in when:
                yield _odd(parent, f"ran after {file.name}, which follows it")


def _odd(name: str, fact: str) -> MigrationFinding:
    todo = "see whether it still does what it was written for, then accept it by name"
    return MigrationFinding(Oddity.OUT_OF_ORDER, StandingState.FAIL, name, fact, todo)
