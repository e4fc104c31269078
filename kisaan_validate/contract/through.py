"""A baseline under the names of after, with what was measured for a contract. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kisaan_validate.compare.renaming.bodies import Bodies, with_bodies
from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.compare.renaming.through import facts_through
from kisaan_validate.contract.naming import Fates
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.measure_key import FOLLOWING, OTHERWISE, WHICH_ROWS, FigureKey, MeasureKey, by_key
from kisaan_validate.facts.table import Measured


def measured_bodies(bodies: Bodies) -> tuple[Measured, ...]:
    """What the side after says of the bodies of its functions, as a run keeps it."""
    told = ((FOLLOWING, bodies.following), (OTHERWISE, bodies.otherwise))
    return tuple(Measured(key.text, "", names=names) for key, names in told if names)


def _bodies(after: Baseline | None) -> Bodies:
    told = {m.id: m.names for m in (after.measured if after is not None else ())}
    return Bodies(told.get(FOLLOWING.text, ()), told.get(OTHERWISE.text, ()))


def baseline_through(
    before: Baseline, fates: Fates, rules: Iterable[str], after: Baseline | None = None
) -> Baseline:
    """The baseline as if it had been taken under the names of ``after``. ``rules`` are the ids of the
    contract's promises.
    """
    # Without a rename both sides have the same names already.
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
    return tuple(_measure(m, renames, rules) for m in measured)


def _measure(measured: Measured, renames: Renames, rules: tuple[str, ...]) -> Measured:
    old, new = measured.table, renames.title(measured.table)
    columns = renames.names(old)

    def figure(name: str) -> str:
        return FigureKey.from_text(name, columns, rules).renamed(columns).text

    key = MeasureKey.from_text(measured.id, old, rules)
    # The names of a keyed measure are those of the columns that identify its rows.
    keyed = measured.figure(by_key(WHICH_ROWS)) is not None
    return replace(
        measured,
        id=key.renamed(new, figure(key.part)).text if key is not None else measured.id,
        table=new,
        columns={figure(name): profile for name, profile in measured.columns.items()},
        names=tuple(renames.column(old, name) for name in measured.names) if keyed else measured.names,
    )
