"""What happened between two nights that a run remembers: marks, another suite, rows of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kisaan_validate.facts.past import PastLine, PastMark, PastNight
from kisaan_validate.facts.run import Run
from kisaan_validate.history.ledger import ledger_words
from kisaan_validate.history.past import night_now, shown_counts
from kisaan_validate.report import text

TOLD = 4
"""So many things are told; of more the number."""


def between_words(nights: Sequence[PastNight], marks: Sequence[PastMark]) -> tuple[str, ...]:
    """What happened from the first of these nights to the last, as people read it."""
    said: list[str] = []
    for before, night in pairwise(nights):
        said += [f"{mark.text} ({text.utc(mark.at)})" for mark in marks if before.at < mark.at <= night.at]
        said += ledger_words(night.ledger_moves)
        if night.suite_digest != before.suite_digest:
            said.append("the suite changed")
    # Said on each of several nights, it is one thing to the reader.
    return tuple(dict.fromkeys(said))


def before_failing(nights: Sequence[PastNight], marks: Sequence[PastMark], line: PastLine) -> str:
    """What happened between the last night on which a check is known to have held and the first on which it
    failed: "; …", or "" where nothing did, or the nights are not remembered. Its line is the one before
    the last of the nights; where it did not fail yet, it fails on that one.
    """
    first = next((n for n, one in enumerate(nights) if one.at == line.since), None)
    first = len(nights) - 1 if line.since is None else first
    counts = shown_counts(line, nights[:-1])
    good = next((n for n in range((first or 0) - 1, -1, -1) if counts[n] is not None), None)
    # Whatever was counted before the failure began was counted by a check that held.
    if first is None or good is None:
        return ""
    return listed(between_words(nights[good : first + 1], marks))


def since_last_words(run: Run) -> tuple[str, ...]:
    """What happened between the last run of the same suite and database, and this one."""
    past = run.past
    return between_words((*past.nights[-1:], night_now(run)), past.marks) if past is not None else ()


def listed(said: Sequence[str]) -> str:
    """Some things that happened, as one text."""
    more = f" and {len(said) - TOLD:,} more" if len(said) > TOLD else ""
    return "; ".join(said[:TOLD]) + more
