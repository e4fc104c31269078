"""Whether the expected tables are there, with the types that the migration starts from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kisaan_validate.contract.objects import Added, Dropped
from kisaan_validate.contract.rules import Retyped
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Catalogue, Column
from kisaan_validate.facts.preflight import EvidenceRow, PreflightItem, PreflightTopic
from kisaan_validate.facts.result import Status
from kisaan_validate.plan.plan import make_plan, tables_of
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.rules.catalogue import canonical_type
from kisaan_validate.text.numbers import counted, some_of

if TYPE_CHECKING:
    from kisaan_validate.suite.load import Suite

SAY = Answers(PreflightTopic.TABLES)

MOST_NAMED = 3
MISSING = frozenset({"42P01", "42703"})
"""The SQLSTATEs of a table and of a column that is not there."""


def tables_there(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Whether every table that the suite's checks need is there."""
    suite, catalogue = inquiry.asked.suite, inquiry.catalogue
    if inquiry.left_out("tables"):
        return
    if suite is None:
        yield SAY.unknown("tables", "no suite says which tables must exist", "name --suite")
        return
    if catalogue is None:
        yield SAY.unknown("tables", "the catalogue could not be read", "see above, then ask again")
        return
    settled = make_plan(suite, catalogue).settled.values()
    gone = [
        result
        for result in settled
        if result.status in {Status.SKIP, Status.FAIL}
        and result.sqlstate in MISSING
        and not _to_come(inquiry, suite, result.check_id)
    ]
    there = len(tables_of(suite, catalogue))
    if gone:
        rows: tuple[EvidenceRow, ...] = tuple((("check", r.check_id), ("missing", r.message)) for r in gone)
        yield SAY.no_go(
            "tables",
            f"{counted(len(gone), 'check')} cannot run, because what they read is missing; first "
            f"{gone[0].check_id}: {gone[0].message}",
            "check the target; if this installation has no such table, let the check say where it applies",
            rows,
        )
    else:
        yield SAY.go("tables", f"all {there:,} tables that the suite reads are there")


def _to_come(inquiry: Inquiry, suite: Suite, id: str) -> bool:
    """Whether a check lacks only what the migration adds, by the contract."""
    contract, catalogue = inquiry.asked.contract, inquiry.catalogue
    check = next(check for check in suite.checks if check.id == id)
    if contract is None or catalogue is None:
        return False
    lacking = [(table, column) for table, column in suite.needs(check) if not _has(catalogue, table, column)]
    added = [promise for promise in contract.promises if isinstance(promise, Added)]
    columns = {(promise.table, promise.name) for promise in added if promise.object == "column"}
    tables = {promise.name for promise in added if promise.object == "table"}
    return bool(lacking) and all(
        table in tables or (catalogue.find(table) is not None and (table, column) in columns)
        for table, column in lacking
    )


def _has(catalogue: Catalogue, table: str, column: str) -> bool:
    found = catalogue.find(table)
    return found is not None and (not column or column in found.columns)


@dataclass(frozen=True)
class TypeSeen:
    """A promised change of type, and the column as it is now; None where it is not there."""

    promise: Retyped
    column: Column | None

    @property
    def place(self) -> str:
        """The column's name as it was promised."""
        return self.promise.column

    @property
    def done(self) -> bool:
        """Whether it has the promised type already."""
        return self.column is not None and canonical_type(self.promise.to) == self.column.type

    @property
    def other(self) -> bool:
        """Whether it has neither the old type of the promise nor the promised one."""
        begins = {canonical_type(name) for name in self.promise.from_}
        return self.column is not None and bool(begins) and not self.done and self.column.type not in begins


def types_seen(inquiry: Inquiry) -> tuple[TypeSeen, ...]:
    """Every promised change of type that concerns this installation."""
    contract, catalogue = inquiry.asked.contract, inquiry.catalogue
    if contract is None or catalogue is None:
        return ()
    found = [
        TypeSeen(promise, _column(catalogue, promise))
        for promise in contract.promises
        if isinstance(promise, Retyped)
    ]
    return tuple(one for one in found if one.column is not None or not one.promise.optional)


def _column(catalogue: Catalogue, promise: Retyped) -> Column | None:
    table, name = promise.place
    found = catalogue.find(table)
    return found.columns.get(name) if found is not None else None


def types_fit(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Whether columns have the types from which the contract says they come."""
    contract = inquiry.asked.contract
    if contract is None:
        if not inquiry.left_out("contract"):
            yield SAY.unknown(
                "contract", "no contract says what the migration changes", "name it with --contract"
            )
        return
    if inquiry.catalogue is None:
        yield SAY.unknown("types", "the catalogue could not be read", "see above, then ask again")
        return
    seen = types_seen(inquiry)
    yield from _wrong(seen)
    left = [one for one in seen if one.column is not None and not one.done and not one.other]
    done = [one for one in seen if one.done]
    if left:
        rows = tuple(
            (("column", one.place), ("type", one.column.type), ("becomes", canonical_type(one.promise.to)))
            for one in left
            if one.column is not None
        )
        yield SAY.work("types", f"{counted(len(left), 'column')} to change: {_listed(left)}", rows)
    if done:
        words = f"{counted(len(done), 'column')} already of the promised type"
        yield SAY.go("types done", words, tuple((("column", one.place),) for one in done))
    yield from _objects(inquiry)


def _wrong(seen: tuple[TypeSeen, ...]) -> Iterator[PreflightItem]:
    gone = [one.place for one in seen if one.column is None]
    if gone:
        yield SAY.no_go(
            "types",
            f"{counted(len(gone), 'column')} that the contract changes {'is' if len(gone) == 1 else 'are'} "
            f"not there: {some_of(gone, MOST_NAMED)}",
            "check the target, or set optional = true where an installation may lack it",
            tuple((("column", name),) for name in gone),
        )
    for one in seen:
        if one.other and one.column is not None:
            yield SAY.no_go(
                "types",
                f"{one.place} is {one.column.type}; the contract expects {' or '.join(one.promise.from_)}",
                "find out who changed it: the migration was not made for this type",
            )


def _listed(left: list[TypeSeen]) -> str:
    words = [
        f"{one.place} {one.column.type} to {canonical_type(one.promise.to)}"
        for one in left
        if one.column is not None
    ]
    return some_of(words, MOST_NAMED)


def _objects(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """Columns and tables that will be added or removed, as far as the catalogue shows."""
    contract, catalogue = inquiry.asked.contract, inquiry.catalogue
    if contract is None or catalogue is None:
        return
    for promise in contract.promises:
        if not isinstance(promise, (Added, Dropped)) or promise.object not in {"column", "table"}:
            continue
        there = _there(catalogue, promise)
        if isinstance(promise, Added) and there:
            yield SAY.unknown(
                "added",
                f"{promise.what} is there already: the migration ran before, or will fail on it",
                "find out who made it; compare the folder with the ledger: kisaan-validate migrations",
            )
        elif isinstance(promise, Added):
            yield SAY.work("added", f"{promise.what} will be added")
        elif there:
            yield SAY.work("dropped", f"{promise.what} will be removed")
        elif not promise.optional:
            yield SAY.no_go(
                "dropped", f"{promise.what} should be removed, but is not there", "check the target"
            )


def _there(catalogue: Catalogue, promise: Added | Dropped) -> bool:
    if promise.object == "table":
        return catalogue.find(promise.name) is not None
    table = catalogue.find(promise.table)
    return table is not None and promise.name in table.columns
