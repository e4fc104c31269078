"""A baseline under the names of after: its tables, columns, figures, digests and objects. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.renaming.names import Relation, Renames, relation_of
from kisaan_validate.compare.renaming.objects import objects_through
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.table import KeyedDigest, SchemaObject, TableDigests, TableFacts
from kisaan_validate.facts.totals import ControlTotal


def facts_through(
    before: Baseline,
    renames: Renames,
    after: Iterable[SchemaObject] = (),
    places: Mapping[str, Relation] | None = None,
) -> Baseline:
    """The baseline as if it had been taken under the names of after, but for what was measured for a
    contract.
    """
    if not renames:
        return before
    known = {**{t.title: (t.schema, t.name) for t in before.tables}, **(places or {})}
    return replace(
        before,
        tables=tuple(_table(table, renames, known) for table in before.tables),
        objects=tuple(
            sorted(objects_through(before.objects, renames, after, known), key=lambda item: item.key)
        ),
        keyed=tuple(_keyed(keyed, renames) for keyed in before.keyed),
        totals=tuple(_total(total, renames) for total in before.totals),
        # A reason may be of a relation or of a kind; kinds have no other title.
        unread={renames.title(what): reason for what, reason in before.unread.items()},
    )


def _keyed(keyed: KeyedDigest, renames: Renames) -> KeyedDigest:
    title, name = renames.place(keyed.table, keyed.column)
    return replace(keyed, table=title, column=name)


def _total(total: ControlTotal, renames: Renames) -> ControlTotal:
    old = total.table
    by = tuple(replace(part, column=renames.column(old, part.column)) for part in total.by)
    return replace(total, table=renames.title(old), column=renames.column(old, total.column), by=by)


def _table(table: TableFacts, renames: Renames, places: Mapping[str, Relation]) -> TableFacts:
    old, new = table.title, renames.title(table.title)
    # Known places first, as a title's dot may be in a name.
    schema, name = (table.schema, table.name) if new == old else places.get(new) or relation_of(new)
    columns = tuple(replace(column, name=renames.column(old, column.name)) for column in table.columns)
    digests = _digests(table.digests, old, renames) if table.digests is not None else None
    return replace(table, schema=schema, name=name, columns=columns, digests=digests)


def _digests(digests: TableDigests, table: str, renames: Renames) -> TableDigests:
    key = tuple(renames.column(table, name) for name in digests.key)
    left_out = {renames.column(table, name): reason for name, reason in digests.left_out.items()}
    return replace(digests, key=key, left_out=left_out)
