"""The figures of earlier nights that a run judges its volumes by."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kisaan_validate.facts.place import Place
    from kisaan_validate.ops.config import Config
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.volumes.model import PastPoint

LOOKED_BACK = timedelta(days=420)
"""No rule looks at older nights."""


def past_figures(
    config: Config, suite: Suite, *, now: datetime | None = None
) -> Callable[[Place], Mapping[tuple[str, str], tuple[PastPoint, ...]]] | None:
    """What gives the figures of earlier nights on a database; None where the suite has no volume, or no run
    is recorded. Without a history that can be read the volumes have no answer, and standard error says why.
    """
    volumes = {check.id for check in suite.checks if check.kind == "volume"}
    if not volumes or not config.reports.is_dir():
        return None
    from kisaan_validate.cli.history_index import the_history
    from kisaan_validate.errors import KisaanError
    from kisaan_validate.history.earlier import figures_of_place
    from kisaan_validate.history.lines import now_called
    from kisaan_validate.report.text import flat

    renamed = config.renamed
    names = [*volumes, *(old for old in renamed if now_called(old, renamed) in volumes)]
    try:
        with the_history(config) as found:
            since = (now or datetime.now(UTC)) - LOOKED_BACK
            nights = found.history.of_suite(suite.settings.name, names, since)
    except KisaanError as error:
        print(f"note    {flat(error.fact)}; volumes are not judged by earlier nights", file=sys.stderr)
        return None
    return lambda place: figures_of_place(nights, place, renamed)
