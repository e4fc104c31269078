"""One message for a night, or none if nothing is to say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import unquote

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Verdict
from kisaan_validate.incidents.gather import incidents_of
from kisaan_validate.incidents.incident import PROBLEMS, Incident
from kisaan_validate.incidents.night import NightToTell
from kisaan_validate.notify.message import Message, message_id
from kisaan_validate.notify.spool import Spooled, Waiting
from kisaan_validate.notify.told import News, ToldNight
from kisaan_validate.report.text import flat, number, utc
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.findings import SEVERITIES

MOST_TOLD = 20
"""So many incidents stand in a mail; the page has all."""
MOST_IDS = 5


def spooled_of(telling: NightToTell, channels: Sequence[str], page: str, note: str = "") -> Spooled | None:
    """The message of a night for these channels; None if nothing is to say.

    ``page`` is where the page of the run is; ``note`` what the reader must know of the message itself.
    """
    incidents = incidents_of(telling)
    if not incidents:
        return None
    night = telling.night
    message = Message(
        id=message_id(night.run),
        at=night.at,
        subject=_subject(telling, incidents),
        body="\n".join(_body(telling, incidents, page, note)) + "\n",
        severity=worst(incidents),
        facts=_facts(telling, incidents, page),
    )
    told = ToldNight(
        message.id,
        night.run,
        night.at,
        night.suite,
        night.database,
        night.host,
        night.port,
        night.server,
        tuple(subject for incident in incidents for subject in incident.told),
    )
    return Spooled(message, told, {channel: Waiting() for channel in channels})


def page_of(base_url: str, reports: str, folder: str) -> str:
    """Where the page of a run is: below the configured address, else as a path. ``folder`` is the run's,
    as an address writes it.
    """
    there = f"{base_url.rstrip('/')}/{folder}" if base_url else f"{reports}/{unquote(folder)}"
    return f"{there}/report.html"


def _subject(telling: NightToTell, incidents: Sequence[Incident]) -> str:
    night = telling.night
    words = _counts(incidents)
    return flat(f"[{night.verdict.value}] {night.suite} on {night.database}: {words}")


def _counts(incidents: Sequence[Incident]) -> str:
    found = Counter(incident.news for incident in incidents)
    return ", ".join(f"{number(found[news])} {news.value}" for news in PROBLEMS if found[news])


def _body(telling: NightToTell, incidents: Sequence[Incident], page: str, note: str) -> Iterator[str]:
    night = telling.night
    where = f"{flat(night.suite)} on {flat(night.database)}"
    host = f" ({flat(night.host)})" if night.host else ""
    yield f"{night.verdict.value}: {where}{host}, {utc(night.at)}"
    if night.verdict is Verdict.INCONCLUSIVE:
        yield "Not everything has an answer: what is not listed here is not proved."
    if note:
        yield f"Note: {flat(note)}"
    for incident in incidents[:MOST_TOLD]:
        yield ""
        yield from _lines(incident)
    yield ""
    if (left := len(incidents) - MOST_TOLD) > 0:
        yield f"And {counted(left, 'more incident')}: see the page."
    if quiet := _quiet(telling, incidents):
        yield f"{counted(quiet, 'known failing check')} not repeated here."
    yield f"page   {flat(page)}"
    yield f"run    {flat(night.run)}"


def _quiet(telling: NightToTell, incidents: Sequence[Incident]) -> int:
    """How many checks fail and are no news."""
    named = {id for incident in incidents for id in incident.checks}
    failing = {result.check_id for result in telling.judged.run.failures} & telling.checks.keys()
    return len(failing - named)


def _lines(incident: Incident) -> Iterator[str]:
    yield f"{incident.news.value.upper()} ({incident.severity.value}): {incident.title}"
    for word, text in _details(incident):
        if text:
            yield f"  {word:<8} {text}"


def _details(incident: Incident) -> Iterator[tuple[str, str]]:
    ids = [flat(id) for id in incident.checks]
    left = len(ids) - MOST_IDS
    more = f" and {number(left)} more" if left > 0 else ""
    yield "check" if len(ids) == 1 else "checks", ", ".join(ids[:MOST_IDS]) + more
    yield "rows", _rows(incident)
    yield "since", _since(incident)
    for text in incident.between:
        yield "between", text
    for text in incident.remarks:
        yield "waiver", text
    yield "do", incident.next_step
    yield "owner", ", ".join(incident.owners)


def _rows(incident: Incident) -> str:
    if incident.rows is None:
        return ""
    before = incident.rows_before
    known = before is not None and before != incident.rows
    return f"{number(incident.rows)} (before: {number(before or 0)})" if known else number(incident.rows)


def _since(incident: Incident) -> str:
    if incident.since is None:
        return ""
    nights = counted(incident.nights, "night")
    if incident.news is News.FIXED:
        return f"failed since {utc(incident.since)}, on {nights}"
    return f"{utc(incident.since)}, on {nights}"


def _facts(telling: NightToTell, incidents: Sequence[Incident], page: str) -> dict[str, Any]:
    """The same as JSON values."""
    night = telling.night
    return {
        "run": night.run,
        "suite": night.suite,
        "database": night.database,
        "host": night.host,
        "verdict": night.verdict.value,
        "page": page,
        "known_not_repeated": _quiet(telling, incidents),
        "incidents": [_incident(incident) for incident in incidents],
    }


def _incident(one: Incident) -> dict[str, Any]:
    return {
        "news": one.news.value,
        "severity": one.severity.value,
        "title": one.title,
        "checks": list(one.checks),
        "rows": one.rows,
        "rows_before": one.rows_before,
        "since": one.since.isoformat() if one.since is not None else None,
        "nights": one.nights,
        "between": list(one.between),
        "remarks": list(one.remarks),
        "next_step": one.next_step,
        "owners": list(one.owners),
    }


def worst(incidents: Sequence[Incident]) -> Severity:
    """The severity of a message of these incidents."""
    return min((incident.severity for incident in incidents), key=SEVERITIES.index)
