"""Whether the server itself is healthy: sequences, indexes, collations, checksums, slots, ages."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.preflight import EvidenceRow, PreflightItem, PreflightTopic
from kisaan_validate.facts.server import Counters, ServerFacts
from kisaan_validate.postgres.server import read_server
from kisaan_validate.preflight.asked import Answers, Inquiry, untold
from kisaan_validate.rules.server.health import CHECKS, HINTS, WHY, HealthBounds

SAY = Answers(PreflightTopic.HEALTH)

BOUNDS = HealthBounds("50%", 2, "10%", 30, 10 * 1024**3)
"""As ``declare.server_health()`` has them."""

ASKED = (
    "wraparound",
    "sequence_headroom",
    "invalid_indexes",
    "collations",
    "checksums",
    "replication_slots",
)
"""Not sequence_types: a migration may be there to change them."""


def server_read(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The server's state, for the questions after this one. Has no item of its own."""
    with inquiry.looking() as session:
        inquiry.server = read_server(session, _earlier(inquiry))
    yield from ()


def _earlier(inquiry: Inquiry) -> tuple[Counters, ...]:
    """Counters of the baseline, by which rates are known."""
    given = inquiry.asked.given.baseline
    baseline = given.record if given is not None else None
    if baseline is None or not baseline.counters or inquiry.place is None:
        return ()
    if baseline.place.system_identifier != inquiry.place.system_identifier:
        return ()
    return (Counters(baseline.taken_at, {one.name: one.value for one in baseline.counters}),)


def server_well(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """An item for each question about the server."""
    if inquiry.server is None:
        yield SAY.unknown("server", "the server's state could not be read", "see above, then ask again")
        return
    for name in ASKED:
        if (item := _asked(name, inquiry, inquiry.server)) is not None:
            yield item
    yield from _unread_slots(inquiry.server)


def _asked(name: str, inquiry: Inquiry, server: ServerFacts) -> PreflightItem | None:
    """None for what does not apply to this server."""
    shown = name.replace("_", " ")
    try:
        answer = CHECKS[name](BOUNDS).judged(server)
    except DatabaseError as error:
        return untold(SAY.topic, shown, error)
    if answer.inapplicable:
        inquiry.not_proved.append(f"Health, {shown}: {answer.inapplicable}.")
        return None
    rows: tuple[EvidenceRow, ...] = tuple(
        tuple((key, value or "") for key, value in row) for row in answer.sample
    )
    if answer.violations:
        return SAY.no_go(shown, f"{answer.message}: {WHY[name]}", HINTS[name], rows)
    return SAY.go(shown, answer.message or f"{shown}: nothing is wrong")


def _unread_slots(server: ServerFacts) -> Iterator[PreflightItem]:
    """Slots that nobody reads: all WAL that the migration writes is kept for each."""
    slots = getattr(server.slots, "slots", ())
    idle = [slot for slot in slots if not slot.active and slot.held is not None]
    if not idle:
        return
    first = max(idle, key=lambda slot: slot.held or 0)
    rows = tuple(
        (("slot", slot.name), ("kind", slot.kind), ("bytes kept", f"{slot.held or 0:,}")) for slot in idle
    )
    yield SAY.no_go(
        "unread slots",
        f"nobody reads slot {first.name}, which keeps {first.held or 0:,} bytes of WAL and all that the "
        f"migration writes" + (f"; {len(idle) - 1:,} more slots are the same" if len(idle) > 1 else ""),
        "restart what reads it, or drop it: SELECT pg_drop_replication_slot('…')",
        rows,
    )
