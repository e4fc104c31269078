"""What a preflight may see, made by hand: sessions, locks, records; and what it is asked with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kisaan_validate.facts.place import Place
from kisaan_validate.facts.preflight import (
    BlockersSeen,
    PreflightEvidence,
    PreflightItem,
    PreflightLeftOut,
    PreflightPlace,
    PreflightRecord,
    PreflightTopic,
    SessionSeen,
)
from kisaan_validate.facts.states import StandingState
from kisaan_validate.postgres.target import Target
from kisaan_validate.preflight.asked import Inquiry, PreflightAsked
from kisaan_validate.preflight.evidence import Given
from kisaan_validate.preflight.judge import judge_preflight
from kisaan_validate.preflight.rules import PreflightRules
from kisaan_validate.process.stopping import Stop

AT = datetime(2026, 11, 30, 2, 0, tzinfo=UTC)


def session(**changed: Any) -> SessionSeen:
    """A session that does nothing."""
    made = SessionSeen(4711, "app", "shopd", "10.0.0.3", "client backend", "idle", "", None, 1.0)
    return replace(made, **changed)


def seen(*sessions: SessionSeen, **changed: Any) -> BlockersSeen:
    """These sessions, and nothing else."""
    return replace(BlockersSeen(sessions, (), ()), **changed)


def place(**changed: Any) -> Place:
    """The database ``shop`` of server 7."""
    made = Place(
        "db.example",
        "5432",
        "shop",
        "reader",
        "--dsn",
        "18.6",
        180006,
        "7",
        "UTC",
        in_recovery=False,
        snapshot="",
        lsn="",
        at=AT,
    )
    return replace(made, **changed)


def inquiry(given: Given | None = None, here: Place | None = None, **changed: Any) -> Inquiry:
    """A preflight at this hour with these files, without a server behind it."""
    asked = PreflightAsked(Target({}), {}, PreflightRules(), None, None, given or Given(), {}, AT)
    return Inquiry(replace(asked, **changed), None, Stop(), here or place())  # type: ignore[arg-type]


def item(state: StandingState, fact: str = "a fact", **changed: Any) -> PreflightItem:
    """An answer of a state."""
    return replace(PreflightItem(PreflightTopic.BLOCKERS, "sessions", state, fact, "do something"), **changed)


def record(*items: PreflightItem, **changed: Any) -> PreflightRecord:
    """What was found, with these answers."""
    made = PreflightRecord(
        AT,
        "0.5.0",
        judge_preflight(items),
        PreflightPlace("--dsn", "db.example", "5432", "shop", "reader", "PostgreSQL 18.6", "7", False),
        items,
        (PreflightLeftOut("disk", "left out by --without"),),
        (PreflightEvidence("receipt", "receipt.json", "ab" * 32),),
        1.5,
        False,
        ("Health, checksums: sums are off.",),
    )
    return replace(made, **changed)
