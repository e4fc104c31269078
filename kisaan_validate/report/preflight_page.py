"""A preflight as one self-contained page: no script, no request, printable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from kisaan_validate.facts.preflight import PreflightItem, PreflightRecord, PreflightTopic
from kisaan_validate.facts.states import StandingState
from kisaan_validate.report import text
from kisaan_validate.report.page import PageKind, generator, printed_foot
from kisaan_validate.report.preflight_words import STATE_WORDS, headline, verdict_sentence
from kisaan_validate.report.shell import VERDICT_ICONS

PAGE = PageKind("preflight.html.j2", ("diff.css", "preflight.css"))

GENERATOR = '<meta name="generator" content="kisaan-validate preflight '
"""The meta tag in the head of every such page."""

TITLES = {
    StandingState.FAIL: "No-go",
    StandingState.UNKNOWN: "Cannot tell",
    StandingState.WORK: "Work to do",
}

NOT_PROVED = (
    "What happens after this moment: a transaction may begin, or a table be locked, a second later.",
    "That the role that migrates has the rights it needs: this was asked as another role, which only reads.",
    "That the restored backup, or the rehearsed copy, holds what was written since.",
    "What lies outside the database: the application, other services, poolers, people to inform.",
)
"""What no preflight proves, in the same words each time."""

FEW = 8
"""More objects than this are folded on a screen; on paper all are shown."""

FIRST = 3
"""How many reasons the first screen shows."""

ROWS = 50
"""How many objects behind an answer are shown; all are in the record."""


def render_preflight(found: PreflightRecord, record: str) -> str:
    """The page. ``record`` is the text of ``preflight.json``. The same input gives the same bytes."""
    return PAGE.render(
        VERDICT_ICONS[found.verdict],
        _foot(found),
        generator=generator(GENERATOR),
        word=headline(found),
        found=found,
        sentences=list(_sentences(found)),
        figures=[(STATE_WORDS[state], len(found.of(state))) for state in STATE_WORDS],
        parts=[(state.value, title, found.of(state)) for state, title in TITLES.items()],
        topics=list(_topics(found)),
        states=STATE_WORDS,
        most=ROWS,
        few=FEW,
        not_proved=NOT_PROVED,
        digest=hashlib.sha256(record.encode()).hexdigest(),
    )


def _sentences(found: PreflightRecord) -> Iterator[str]:
    words = verdict_sentence(found)
    yield f"{words[:1].upper()}{words[1:]}."
    against = found.of(StandingState.FAIL) or found.of(StandingState.UNKNOWN)
    for item in against[:FIRST]:
        yield text.shortened(f"{str(item.topic).capitalize()}: {item.fact}.", 300)


def _topics(found: PreflightRecord) -> Iterator[tuple[str, list[PreflightItem]]]:
    """All answers by topic."""
    for topic in PreflightTopic:
        items = [item for item in found.items if item.topic is topic]
        if items:
            yield topic.value.capitalize(), items


def _foot(found: PreflightRecord) -> str:
    words = f"{headline(found)}; {found.place.database}; asked {text.utc(found.at)}"
    return printed_foot(words, most=150, title="Preflight of a migration")
