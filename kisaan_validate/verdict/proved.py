"""When the tables of a scan were last proved, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from kisaan_validate.facts.run import Run
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.resumed import read_so_far

NEVER = "never, as far as runs are kept"


def proved_earlier(run: Run) -> Iterator[tuple[str, str]]:
    """The tables of which a check has no answer in this run, and when all of them last had one."""
    for one in run.proved:
        if one.run != run.id:
            at = (
                f"{one.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, run {one.run}" if one.at is not None else NEVER
            )
            yield one.table, at


def proved_words(run: Run) -> str:
    """When the tables were last proved, in a sentence or two; "" of a run that does not know."""
    if not run.proved:
        return ""
    earlier = list(proved_earlier(run))
    now = len(run.proved) - len(earlier)
    said = f"Proved in this run, all of their checks: {counted(now, 'table')}."
    listed = "; ".join(f"{table} ({at})" for table, at in earlier)
    if earlier:
        said += f" Last proved: {listed}."
    if so_far := "; ".join(read_so_far(run)):
        said += f" Read over several nights: {so_far}."
    return said
