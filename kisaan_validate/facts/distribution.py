"""How one column's values are distributed: what ``--profile`` measures, and why some figures are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass


@dataclass(frozen=True)
class QuantileValue:
    """The first value, in ascending order, up to which at least ``share`` of the values lie: PostgreSQL's
    ``percentile_disc``. ``share`` is a decimal as text, ``value`` the server's text, at most 200 characters.
    """

    share: str
    value: str


@dataclass(frozen=True)
class Frequent:
    """One value and the exact number of rows that hold it. Of ``characters`` at most 200 are in ``value``."""

    value: str
    rows: int
    characters: int


@dataclass(frozen=True)
class Histogram:
    """Exact counts of rows by the value: ``rows[i]`` of those from ``edges[i]`` up to but not ``edges[i+1]``.

    ``below`` and ``above`` are outside all edges, ``other`` are NaN and infinities. Edges of floats are the
    doubles nearest to them. Beside a baseline the edges are the baseline's, so that both sides compare.
    """

    edges: tuple[str, ...]
    rows: tuple[int, ...]
    below: int = 0
    above: int = 0
    other: int = 0


@dataclass(frozen=True)
class Distribution:
    """What was measured of one column. Every figure is exact; one that is not known is None or empty.

    ``distinct`` leaves NULL out, as ``count(DISTINCT …)`` does; texts are compared by code points.
    ``frequent`` are the values of most rows, ties in the order of their text. Of a personal column there
    are only counts. ``unmeasured`` says by the figure's name why it is missing although the type has it,
    ``message`` why nothing was measured.
    """

    nulls: int | None = None
    distinct: int | None = None
    quantiles: tuple[QuantileValue, ...] = ()
    frequent: tuple[Frequent, ...] = ()
    histogram: Histogram | None = None
    unmeasured: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def gaps(self) -> tuple[str, ...]:
        """Why something that was asked for is not there; a reason once."""
        return tuple(dict.fromkeys(filter(None, (self.message, *self.unmeasured.values()))))
