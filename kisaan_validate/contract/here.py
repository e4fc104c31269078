"""A contract on one side: what the names that it promises to change are there, and the baseline under
these names. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from kisaan_validate.contract.naming import Naming
from kisaan_validate.dataclass import dataclass

if TYPE_CHECKING:
    from kisaan_validate.compare.renaming.names import ColumnPlace, Relation, Renames
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.catalogue import Catalogue
    from kisaan_validate.facts.table import SchemaObject
    from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class NamesHere:
    """``naming`` understands the contract's names; ``places`` are the places of what it renames, by promise.
    ``before`` is the baseline, if there is one, under the names of this side. ``relations`` are those of
    titles of both sides.
    """

    naming: Naming = field(default_factory=Naming)
    places: Mapping[str, ColumnPlace] = field(default_factory=dict)
    before: Baseline | None = None
    relations: Mapping[str, Relation] = field(default_factory=dict)

    @property
    def done(self) -> Renames:
        """The renames that were done."""
        return self.naming.done

    def table_before(self, title: str) -> str:
        """What a table of this side was called when the baseline was taken."""
        return self.done.title_before(title)

    def columns_here(self, title: str, names: Iterable[str]) -> dict[str, str]:
        """Names of columns of a table, by its title when the baseline was taken: what they are called
        here.
        """
        return {name: self.done.column(title, name) for name in names}


def here(
    contract: Contract | None,
    baseline: Baseline | None,
    catalogue: Catalogue,
    objects: tuple[SchemaObject, ...],
    unread: Mapping[str, str],
) -> NamesHere:
    """The contract on the side that the catalogue and its objects are of: the one before if there is no
    baseline.
    """
    # Without a contract there is no other name.
    if contract is None:
        return NamesHere(before=baseline)
    from kisaan_validate.contract.beside import seen_by
    from kisaan_validate.contract.renamed import declared_fates, renames_of

    titles = {table.title: table.key for table in catalogue.tables.values()}
    naming = Naming(aliases=catalogue.aliases, schemas=catalogue.schemas, knows=titles.__contains__)
    # Without a baseline this is the side before, where nothing is done yet.
    if baseline is None:
        fates, _ = declared_fates(contract.promises, titles, naming)
        return NamesHere(
            replace(naming, declared=renames_of(fates.values())),
            {id: fate.before for id, fate in fates.items()},
        )
    # Only names are looked for, so the figures of this side are left out.
    now = replace(
        baseline,
        tables=(),
        objects=objects,
        unread=unread,
        measured=(),
        suite=replace(baseline.suite, aliases=catalogue.aliases, schemas=catalogue.schemas),
    )
    seen = seen_by(contract, baseline, now)
    # Objects too: a table that could not be counted has no facts of its own.
    known = {t.title for t in seen.before.tables} | {o.table for o in seen.before.objects if o.table}
    there, columns = (
        {(o.table, o.name) for o in listed if o.kind == "column"} for listed in (objects, seen.before.objects)
    )
    naming = replace(
        naming,
        declared=seen.fates.declared,
        done=seen.fates.done,
        came=lambda title: title in titles and title not in known,
        column_came=lambda title, name: (title, name) in there and (title, name) not in columns,
    )
    places = {
        # What was not renamed is here under its old name.
        id: fate.before if fate.said is not None else fate.after
        for id, fate in seen.fates.by_id.items()
    }
    # The later wins: today's names over the baseline's, and promised new names over both.
    relations = {**{t.title: (t.schema, t.name) for t in baseline.tables}, **titles, **seen.fates.relations}
    return NamesHere(naming, places, seen.before, relations)


def with_personal(suite: Suite, contract: Contract | None, catalogue: Catalogue) -> Suite:
    """The suite, for which what it calls personal is so under its other name as well: before or after a
    promised rename.
    """
    more = tuple(dict.fromkeys(_personal(suite, contract, catalogue))) if contract is not None else ()
    if more:
        return replace(suite, settings=replace(suite.settings, personal=(*suite.settings.personal, *more)))
    return suite


def _personal(suite: Suite, contract: Contract, catalogue: Catalogue) -> Iterator[str]:
    from kisaan_validate.contract.renamed import declared_fates

    titles = {table.title: table.key for table in catalogue.tables.values()}
    fates, relations = declared_fates(
        contract.promises, titles, Naming(aliases=catalogue.aliases, schemas=catalogue.schemas)
    )
    tables = {fate.after[0]: fate.before[0] for fate in fates.values()}
    columns = {fate.after: fate.before for fate in fates.values() if fate.before[1]}
    # A column is personal by either name of its table, and by either name of its own.
    for table in catalogue.tables.values():
        others = {other for pair in tables.items() if table.title in pair for other in pair} | {table.title}
        for name in table.columns:
            places = {(title, name) for title in others}
            places |= {place for pair in columns.items() if places & set(pair) for place in pair}
            bare = {
                (relations.get(title, titles.get(title, ("", title)))[1], column) for title, column in places
            }
            if any(suite.settings.is_personal(*place) for place in bare):
                yield f"{_literally(table.name)}.{_literally(name)}"


def _literally(name: str) -> str:
    # These signs act in patterns; in brackets they stand for themselves.
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)
