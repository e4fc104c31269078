"""The figures of earlier nights, as a run needs them to judge its volumes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.facts.place import Place
from kisaan_validate.history.figures import read_figure
from kisaan_validate.history.lines import now_called
from kisaan_validate.history.night import Night, same_database
from kisaan_validate.volumes.model import PastPoint

Figures = Mapping[tuple[str, str], tuple[PastPoint, ...]]
"""The figures by check id and what is measured, the oldest night first."""


def figures_of_place(nights: Sequence[Night], place: Place, renamed: Mapping[str, str] = {}) -> Figures:
    """The figures of those nights, all of one suite, that are of this database."""
    if not nights:
        return {}
    return figures_of(same_database(nights, _at(place, nights[0])), renamed)


def figures_of(nights: Iterable[Night], renamed: Mapping[str, str] = {}) -> Figures:
    """The figures of these nights, which are of one database, the oldest first."""
    found: dict[tuple[str, str], list[PastPoint]] = {}
    for night in nights:
        for outcome in night.outcomes:
            figure = read_figure(outcome.figure)
            if figure is not None:
                key = (now_called(outcome.check, renamed), figure.measured)
                found.setdefault(key, []).append(figure.past)
    return {key: tuple(points) for key, points in found.items()}


def _at(place: Place, like: Night) -> Night:
    """A night of the same suite at a place, to find those of its database."""
    return replace(
        like, run="", at=place.at, host=place.host, port=place.port, database=place.database,
        server=place.system_identifier,
    )  # fmt: skip
