"""The figure of a volume in the index of all nights: one line of text, read back or passed over."""

from __future__ import annotations

from datetime import date

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.volumes.model import PastPoint, VolumePoint, exact_number

_NO, _YES = "rang", "trains"


@dataclass(frozen=True)
class NightFigure:
    """The figure of one night: of what (``measured``, a digest), and whether later nights may be judged by
    it.
    """

    measured: str
    past: PastPoint


def figure_text(result: Result, *, accepted: bool) -> str:
    """What is kept of a result's figure; "" where it has none. A figure that failed trains only if the
    failure was ``accepted``: waived by name, for a time.
    """
    fact = result.volume
    if fact is None or not fact.value:
        return ""
    trains = result.status is not Status.FAIL or accepted
    return f"{fact.measured} {fact.day} {fact.value} {_YES if trains else _NO}"


def read_figure(text: str) -> NightFigure | None:
    """The figure that a text is; None for any other text."""
    parts = text.split(" ")
    if len(parts) != 4 or parts[3] not in {_NO, _YES} or exact_number(parts[2]) is None:
        return None
    try:
        point = VolumePoint(date.fromisoformat(parts[1]), parts[2])
    except ValueError:
        return None
    return NightFigure(parts[0], PastPoint(point, parts[3] == _YES))
