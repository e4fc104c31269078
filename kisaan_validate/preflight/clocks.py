"""Whether this machine's clock and the server's agree: ages and windows depend on both."""

from __future__ import annotations

import time
from collections.abc import Iterator
from math import ceil

from kisaan_validate.facts.migrations import MigrationsStanding
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.durations import duration_words

SAY = Answers(PreflightTopic.CLOCKS)

_NOW = qualified("SELECT extract(epoch FROM clock_timestamp())::float8")
_LATER = qualified(
    "SELECT count(*) FROM unnest(%(times)s::text[]) AS t(at) WHERE t.at::timestamptz > clock_timestamp()"
)


def clocks_agree(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """How far the server's clock is from ours at least and at most, as an answer takes time."""
    with inquiry.looking() as session:
        before = time.time()
        ((server,),) = session.execute(_NOW)
        after = time.time()
    yield clock_judged(server - after, server - before, inquiry.asked.rules.clock_skew)
    if inquiry.standing is not None:
        yield from _of_ledger(inquiry, inquiry.standing)


def clock_judged(least: float, most: float, limit: int) -> PreflightItem:
    """Whether a server's clock, which is between ``least`` and ``most`` seconds ahead of ours, is within
    ``limit`` of it.
    """
    if max(abs(least), abs(most)) <= limit:
        within = ceil(max(abs(least), abs(most)) * 1_000)
        return SAY.go("server", f"the server's clock and this machine's agree within {within:,} ms")
    if least > limit or most < -limit:
        apart = min(abs(least), abs(most))
        way = "ahead of" if least > 0 else "behind"
        fact = f"the server's clock is at least {apart:,.3f} s {way} this machine's"
        most_words = duration_words(limit)
        return SAY.no_go(
            "server", f"{fact}, over {most_words}", "set both by NTP: ages and windows depend on them"
        )
    fact = f"the answer took {most - least:,.3f} s: whether the clocks agree is not known"
    return SAY.unknown("server", fact, "ask again when the network is faster")


def _of_ledger(inquiry: Inquiry, standing: MigrationsStanding) -> Iterator[PreflightItem]:
    """Whether migrations were recorded in the future. Times without a zone do not say."""
    times = [item.at for item in standing.items if item.at and _zoned(item.at)]
    if not times:
        return
    with inquiry.looking() as session:
        ((later,),) = session.execute(_LATER, {"times": times})
    if later:
        fact = f"{later:,} of {len(times):,} migrations have a recorded time in the future"
        yield SAY.no_go(
            "ledger", fact, "a clock was wrong: find out which, as order is judged by these times"
        )
    else:
        yield SAY.go("ledger", f"none of {len(times):,} recorded times is in the future")


def _zoned(at: str) -> bool:
    """Whether a time as the server wrote it has a zone: ``2025-10-18 01:02:03+00``."""
    return len(at) > 10 and ("+" in at[10:] or "-" in at[10:])
