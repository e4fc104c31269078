"""How far standbys are behind: a migration writes a lot, and they fall further behind."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.guard.readings import Reader
from kisaan_validate.guard.rules import Bound, GuardRules
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.text.durations import duration_words

SAY = Answers(PreflightTopic.REPLICATION)


def replication_close(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The lag, as the guard of runs reads it."""
    most = inquiry.asked.rules.replication_lag
    rules = GuardRules(bounds={"replication_lag": Bound(most)})
    reader = Reader(inquiry.asked.target, rules, lambda: (inquiry.session.backend_pid,), inquiry.stop)
    try:
        reading = reader.read()["replication_lag"]
    finally:
        reader.close()
    if reading.value is None:
        yield SAY.unknown(
            "lag", f"how far standbys are behind is not known: {reading.why}", "grant pg_monitor"
        )
        return
    lag = ceil(float(reading.value))
    behind = "this standby" if reader.place is not None and reader.place[1] else "the slowest standby"
    if lag > most:
        fact = f"{behind} is {lag:,} s behind, over {duration_words(most)}"
        yield SAY.no_go("lag", fact, "let it catch up first: a migration writes more than usual")
    elif lag:
        yield SAY.go("lag", f"{behind} is {lag:,} s behind (at most {duration_words(most)})")
    else:
        yield SAY.go("lag", "no standby is known to be behind")
