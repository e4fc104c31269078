"""What a kit must know about its database, read from the catalogue alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.repair import Repair, RepairStep
from kisaan_validate.facts.titles import TableKey, split_column
from kisaan_validate.plan.plan import Plan
from kisaan_validate.postgres.catalogue import read_catalogue, read_place
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.run import explain
from kisaan_validate.sql.assertion import parse_select
from kisaan_validate.sql.expressions import quote, text_literal, to_sql
from kisaan_validate.sql.reading import resolve_names, tables_read
from kisaan_validate.suite.repairs import FAILING

if TYPE_CHECKING:
    from kisaan_validate.postgres.target import Target
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Options
    from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class RepairGround:
    """The catalogue and the place, the plan of the checks, and each table's ``shapes`` (``shape_sql``)."""

    suite: Suite
    plan: Plan
    catalogue: Catalogue
    place: Place
    shapes: Mapping[TableKey, str]

    def table(self, name: str, origin: str) -> Table:
        """A declared table whose rows can be repaired. Raises SuiteError."""
        found = self.catalogue.find(name)
        if found is None:
            raise SuiteError(f"there is no table {name!r} in the database", "", origin)
        if not found.countable or found.children or found.foreign:
            raise SuiteError(
                f"{name} is not a table of its own", "repair the table that holds the rows", origin
            )
        return found

    def rows_sql(self, step: RepairStep) -> str:
        """The SELECT of a step, with the names that tables have here."""
        reads = tables_read(parse_select(step.rows, ""))
        return resolve_names(step.rows, reads, self.catalogue)

    def read_by(self, step: RepairStep, origin: str) -> tuple[TableKey, ...]:
        """The relations that the SELECT of a step reads. Raises SuiteError for one that is not there."""
        names = [name for name in tables_read(parse_select(step.rows, "")) if name != FAILING]
        found = {name: self.catalogue.find(name) for name in names}
        if lost := [name for name, table in found.items() if table is None]:
            raise SuiteError(f"there is no table {lost[0]!r} in the database", "", origin)
        return tuple(table.key for table in found.values() if table is not None)


def shape_sql(table: str) -> str:
    """SQL for the columns of a relation with their types, as one text: equal text, equal definition."""
    named = to_sql(text_literal(table))
    return (
        "(SELECT pg_catalog.string_agg(pg_catalog.format('%s %s(%s)%s%s', a.attname, t.typname, a.atttypmod, "
        "a.attgenerated, a.attidentity), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a "
        "JOIN pg_catalog.pg_type AS t ON t.oid OPERATOR(pg_catalog.=) a.atttypid "
        f"WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({named}) "
        "AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped)"
    )


def read_ground(
    suite: Suite, target: Target, options: Options, repairs: Mapping[str, Repair], stop: Stop
) -> RepairGround:
    """Read all that the kits of these repairs need: the catalogue, in a read-only transaction. Raises
    TargetError, DatabaseError, SuiteError.
    """
    chosen = suite.narrowed(sorted(repairs))
    plan = explain(chosen, target, options, stop)
    session = Session(target, options.limits, suite.settings.schemas, stop)
    try:
        session.begin()
        catalogue = read_catalogue(session, suite.settings.schemas, suite.settings.aliases)
        place = read_place(session, target.source, "")[0]
        shapes = {}
        for key in sorted(_touched(repairs, catalogue)):
            ((shape,),) = session.execute(f"SELECT {shape_sql(qualified_name(key))}")
            shapes[key] = str(shape)
        return RepairGround(suite, plan, catalogue, place, shapes)
    finally:
        session.close()


def qualified_name(key: TableKey) -> str:
    """A relation with its schema, as SQL."""
    return f"{quote(key[0])}.{quote(key[1])}"


def _touched(repairs: Mapping[str, Repair], catalogue: Catalogue) -> set[TableKey]:
    """The tables of all steps, and all that may refer to one of them."""
    steps = [step for repair in repairs.values() for step in repair.steps]
    own = {table.key for step in steps if (table := catalogue.find(step.table)) is not None}
    # Whatever refers to them may have to move along.
    by_key = {t.key for t in catalogue.tables.values() if any(c.target in own for c in t.constraints)}
    places = [split_column(place)[0] for step in steps for place in step.references]
    named = {table.key for place in places if (table := catalogue.find(place)) is not None}
    return own | by_key | named


def referring(ground: RepairGround, table: Table, step: RepairStep, origin: str) -> tuple[Reference, ...]:
    """All columns that refer to the rows of a step's table: by foreign keys, then those that are declared.

    Raises UsageError for a foreign key that cannot be moved.
    """
    found: dict[tuple[TableKey, tuple[str, ...]], Reference] = {}
    for other in ground.catalogue.tables.values():
        # The rows of a partition are moved through their parent.
        for constraint in other.constraints if not other.partition else ():
            if constraint.kind != "f" or constraint.target != table.key:
                continue
            pairs = dict(zip(constraint.target_columns, constraint.columns, strict=True))
            if set(pairs) != set(step.key):
                fact = f"{other.title} refers to {table.title} by other columns than its key"
                raise UsageError(f"{fact}: {constraint.name}", "repair it by hand")
            columns = tuple(pairs[name] for name in step.key)
            found[other.key, columns] = Reference(other, columns)
    for place in step.references:
        name, column = split_column(place)
        other = ground.table(name, origin)
        if column not in other.columns or len(step.key) != 1:
            raise SuiteError(f"{place} cannot refer to the key of {table.title}", "", origin)
        found.setdefault((other.key, (column,)), Reference(other, (column,)))
    if lost := [one.table.title for one in found.values() if not one.table.primary_key]:
        raise UsageError(f"{lost[0]} refers to {table.title}, and has no primary key", "repair it by hand")
    return tuple(found.values())


@dataclass(frozen=True)
class Reference:
    """Columns of a table that hold the key of a row of another."""

    table: Table
    columns: tuple[str, ...]
