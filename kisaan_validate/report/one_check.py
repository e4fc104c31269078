"""One check in full: what is declared, the SQL of its last run, and what that run found."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kisaan_validate.facts.check import Check
from kisaan_validate.facts.result import Result, message_of
from kisaan_validate.facts.run import Run
from kisaan_validate.report.found import found_words, more_keys
from kisaan_validate.report.shown import shown
from kisaan_validate.report.text import flat, number, shortened, utc

KEYS = 3
"""So many failing keys are shown; the report has more."""


def check_lines(check: Check, folder: Path, run: Run | None, reports: Path) -> Iterator[str]:
    """The lines of a check of the suite in ``folder``, and of its result in ``run``, the newest one that has
    one (None if no run in ``reports`` has).
    """
    said = {
        "check": check.id,
        "claim": check.claim,
        "severity": check.severity.value,
        "declared": str(folder / check.origin) if check.origin else "",
        "why": check.why,
        "hint": check.hint,
        "owner": check.owner,
        "tags": ", ".join(check.tags),
        "applies": "; ".join(check.applies),
        "tolerance": str(check.tolerance) if check.tolerance is not None else "",
    }
    yield from (_line(word, text) for word, text in said.items() if text)
    if run is None:
        yield _line("last", f"no run in {reports} has a result of this check")
        return
    yield from _last(check, run)


def _last(check: Check, run: Run) -> Iterator[str]:
    (result,) = (r for r in run.results if r.check_id == check.id)
    place = run.place
    yield _line("last", f"{result.status.value}{_numbers(result)}, {utc(place.at)}, run {run.id}")
    yield _line("database", f"{place.database} on {place.host}:{place.port}")
    if run.by_id[check.id].digest != check.digest:
        yield _line("note", "the check was changed since: result and SQL are those of the earlier version")
    found = found_words(result, check.claim)
    yield from (_line("found", text) for text in (found, message_of(result)) if text)
    if result.sample and not found:
        yield from (_line("key", _key(result, row)) for row in result.sample[:KEYS])
        if more := more_keys(result, len(result.sample[:KEYS])):
            yield _line("", f"and {more}")
    if result.sql:
        yield "sql"
        yield f"{shown(result.sql)};"
    else:
        yield _line("sql", "none was recorded: `kisaan-validate explain` shows what would be run")


def _numbers(result: Result) -> str:
    """How many rows are wrong, of how many; "" where nothing was counted."""
    if result.violations is None:
        return ""
    of = "" if result.examined is None else f" of {number(result.examined)}"
    return f" {number(result.violations)}{of}"


def _key(result: Result, row: tuple[tuple[str, str | None], ...]) -> str:
    """The columns that identify a row, or all that are known."""
    key = [(name, value) for name, value in row if name in result.key] or list(row)
    return ", ".join(f"{flat(n)}={'NULL' if v is None else shortened(flat(v), 60)}" for n, v in key)


def _line(word: str, text: str) -> str:
    return f"{word:<10}{flat(text)}"
