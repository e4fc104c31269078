"""A preflight as one self-contained page: no script, no request, printable."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from kisaan_validate.facts.migrations import StandingState
from kisaan_validate.facts.preflight import PreflightItem, PreflightRecord, PreflightTopic
from kisaan_validate.report import text
from kisaan_validate.report.preflight_words import STATE_WORDS, headline, verdict_sentence
from kisaan_validate.report.shell import VERDICT_ICONS, css_text, environment, favicon, policy, source
from kisaan_validate.report.svg import ICON_PATHS
from kisaan_validate.version import VERSION

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
    style = source("diff.css") + source("preflight.css") + _foot(found)
    sign = VERDICT_ICONS[found.verdict]
    return (
        _templates()
        .get_template("preflight.html.j2")
        .render(
            generator=Markup('{}{}">').format(Markup(GENERATOR), VERSION),
            style=Markup(style),
            policy=policy(style),
            icon=favicon(sign),
            sign=sign,
            path=ICON_PATHS[sign],
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
            version=VERSION,
        )
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


@cache
def _templates() -> Environment:
    return environment({})


def _foot(found: PreflightRecord) -> str:
    """Names verdict, database and time on every printed sheet, for sheets get separated."""
    words = f"{headline(found)}; {found.place.database}; asked {text.utc(found.at)}"
    words = text.shortened(text.flat(words), 150)
    title = '@top-left{content:"Preflight of a migration"}'
    return f'@page{{{title}@bottom-left{{content:"{css_text(words)}"}}}}\n'
