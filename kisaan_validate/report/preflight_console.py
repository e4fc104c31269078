"""A preflight in lines for a terminal: first what is a no-go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kisaan_validate.facts.preflight import PreflightItem, PreflightPlace, PreflightRecord
from kisaan_validate.facts.states import StandingState
from kisaan_validate.report.preflight_words import STATE_WORDS, VERDICT_WORDS, verdict_sentence
from kisaan_validate.report.text import aligned
from kisaan_validate.text.numbers import counted

SHOWN = 8
"""How many answers of a kind are printed; the page has all."""


def preflight_lines(found: PreflightRecord, *, quiet: bool, verbose: bool = False) -> Iterator[str]:
    """The lines. ``quiet``: the verdict alone; ``verbose``: every answer."""
    if not quiet:
        yield _line("target", _where(found.place))
        for state in STATE_WORDS:
            yield from _of(state, found.of(state), verbose=verbose)
        for words in found.not_proved if verbose else ():
            yield _line("not proved", words)
        for left in found.left_out:
            yield _line("left out", f"{left.name}: {left.why}")
    words = f"{found.verdict.value} ({VERDICT_WORDS[found.verdict].lower()}): {verdict_sentence(found)}"
    yield _line("verdict", words)


def _where(place: PreflightPlace) -> str:
    address = f"{place.host}:{place.port}"
    if not place.database:
        return f"{address}, which did not say what it is"
    return f"{place.role}@{address}/{place.database} {place.server}"


def _of(state: StandingState, items: Sequence[PreflightItem], *, verbose: bool) -> Iterator[str]:
    if state is StandingState.PASS and not verbose:
        if items:
            yield _line("go", f"{counted(len(items), 'answer')}; --verbose prints them")
        return
    most = len(items) if verbose else SHOWN
    for item in items[:most]:
        yield _line(STATE_WORDS[state], f"{item.topic}: {item.fact}")
        if item.todo:
            yield _line("", f"do: {item.todo}")
    if len(items) > most:
        yield _line(STATE_WORDS[state], f"and {len(items) - most:,} more: see the page, or --verbose")


def _line(word: str, words: str) -> str:
    return aligned(word, words, 12)
