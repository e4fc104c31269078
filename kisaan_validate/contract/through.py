"""A baseline under the names of after, with what was measured for a contract's sake. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from kisaan_validate.compare.renaming.bodies import Bodies, with_bodies
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.compare.renaming.through import facts_through
from kisaan_validate.contract.naming import Fates
from kisaan_validate.contract.needs import WHICH_ROWS, by_key, part_id, replaced, same_as, untouched
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.table import Measured

_FOLLOWING, _OTHERWISE = "bodies that follow from renames", "bodies whose words mean something else"


def measured_bodies(bodies: Bodies) -> tuple[Measured, ...]:
    """What the side after says of the bodies of its functions, as a run keeps it."""
    told = ((_FOLLOWING, bodies.following), (_OTHERWISE, bodies.otherwise))
    return tuple(Measured(id, "", names=names) for id, names in told if names)


def _bodies(after: Baseline | None) -> Bodies:
    told = {m.id: m.names for m in (after.measured if after is not None else ())}
    return Bodies(told.get(_FOLLOWING, ()), told.get(_OTHERWISE, ()))


def baseline_through(
    before: Baseline, fates: Fates, rules: Iterable[str], after: Baseline | None = None
) -> Baseline:
    """The baseline as if it had been taken under the names of ``after``. ``rules`` are the ids of the
    contract's promises.
    """
    if not fates.done:
        return before
    objects = after.objects if after is not None else ()
    seen = facts_through(before, fates.done, objects, fates.relations)
    return replace(
        seen,
        objects=with_bodies(seen.objects, objects, _bodies(after)),
        measured=_measures(before.measured, fates.done, tuple(rules)),
    )


def _measures(
    measured: tuple[Measured, ...], renames: Renames, rules: tuple[str, ...]
) -> tuple[Measured, ...]:
    """The measures, their names and figures called after what they are of; which rules they serve stays."""
    tables = {m.table for m in measured}
    figures = {table: dict(_figures(renames.names(table), rules)) for table in tables}
    parts = {table: dict(_parts(measured, table, figures[table])) for table in tables if figures[table]}
    return tuple(_measure(m, renames, figures[m.table], parts.get(m.table, {})) for m in measured)


def _figures(columns: Mapping[str, str], rules: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every name that a figure of a renamed column may have, and what it is then."""
    names = [(old, new) for old, new in columns.items()]
    for rule in rules:
        names += [
            (make(old, rule), make(new, rule))
            for make in (replaced, untouched, same_as)
            for old, new in columns.items()
        ]
    for old, new in names:
        yield old, new
        yield by_key(old), by_key(new)


def _parts(measured: Iterable[Measured], table: str, figures: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The names under which it is said why a figure of a renamed column is missing."""
    for id in {m.id for m in measured if m.table == table}:
        yield from ((part_id(id, old), part_id(id, new)) for old, new in figures.items())


def _measure(
    measured: Measured, renames: Renames, figures: Mapping[str, str], parts: Mapping[str, str]
) -> Measured:
    old, new = measured.table, renames.title(measured.table)
    id = parts.get(measured.id, measured.id)
    columns = {figures.get(name, name): profile for name, profile in measured.columns.items()}
    keyed = (
        by_key(WHICH_ROWS) in measured.columns
    )  # then its names are those of the columns by which rows are told apart
    names = tuple(renames.column(old, name) for name in measured.names) if keyed else measured.names
    return replace(
        measured,
        id=f"{new}: {id.removeprefix(f'{old}: ')}" if id.startswith(f"{old}: ") else id,
        table=new,
        columns=columns,
        names=names,
    )
