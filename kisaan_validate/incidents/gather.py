"""The incidents of a night: what is news, grouped by cause. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import Status
from kisaan_validate.incidents.incident import PROBLEMS, Incident
from kisaan_validate.incidents.law import LastTold, is_due, news_of
from kisaan_validate.incidents.night import Key, NightToTell, check_key
from kisaan_validate.incidents.words import (
    and_more,
    reason_of,
    title_of_checks,
    title_of_groups,
    title_of_held,
    title_of_promise,
)
from kisaan_validate.notify.told import News, ToldSubject
from kisaan_validate.report.text import flat
from kisaan_validate.verdict.findings import SEVERITIES, Finding
from kisaan_validate.verdict.waivers import Use


def incidents_of(telling: NightToTell) -> tuple[Incident, ...]:
    """What is to be told of a night, the most urgent first; () if nothing is."""
    news = {key: news_of(standing, telling.nudge) for key, standing in telling.by_check.items()}
    found = [*_failing(telling, news), *_unanswered(telling, news), *_held(telling, news), *_gone(telling)]
    return tuple(sorted(found, key=_urgency))


def _urgency(one: Incident) -> tuple[int, int, int]:
    return PROBLEMS.index(one.news), SEVERITIES.index(one.severity), -(one.rows or 0)


NewsOf = dict[Key, News | None]


def _most_urgent(found: Iterable[News]) -> News:
    return min(found, key=PROBLEMS.index)


# --- what fails -------------------------------------------------------------------------------------------


def _failing(telling: NightToTell, news: NewsOf) -> Iterator[Incident]:
    """One incident for each finding that has news."""
    for finding in telling.findings:
        keys = [check_key(telling.checks[id]) for id in finding.checks if id in telling.checks]
        others = _others(finding)
        said = {key: one for key in keys if (one := news.get(key)) is not None}
        said |= {key: one for key in others if (one := _news_of_other(telling, key)) is not None}
        if said:
            yield _incident_of(telling, finding, [*keys, *others], said)


def _others(finding: Finding) -> list[Key]:
    """By what promises and differences are known, which no history follows."""
    changes = (change.key for group in finding.groups for change in group.changes)
    promises = [(f"promise {id}", "") for id in finding.promises]
    # By digest: of a difference of values the key may hold one.
    return [*promises, *((f"difference {_digest(repr(key))}", "") for key in changes)]


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _news_of_other(telling: NightToTell, key: Key) -> News | None:
    last = telling.last.get(key)
    if last is None or not last.open:
        return News.NEW
    return News.STILL if is_due(last, telling.at, telling.nudge) else None


def _incident_of(
    telling: NightToTell, finding: Finding, keys: Sequence[Key], said: dict[Key, News]
) -> Incident:
    ids = [id for id in finding.checks if id in telling.checks]
    checks = [telling.checks[id] for id in ids]
    news = _most_urgent(said.values())
    # First the check that is news: its rows are what changed.
    checks.sort(key=lambda check: said.get(check_key(check)) is not news)
    lead = telling.by_check[check_key(checks[0])] if checks else None
    incident = _digest(f"{telling.night.run} {keys[0]}")
    return Incident(
        news=news,
        title=_title(telling, finding, checks),
        severity=finding.severity,
        checks=tuple(check.id for check in checks),
        told=tuple(_told(telling, key, said, incident) for key in keys),
        rows=telling.results[checks[0].id].violations if checks else None,
        rows_before=lead.now.before.violations if lead is not None and lead.now.before is not None else None,
        since=lead.now.since if lead is not None else None,
        nights=lead.now.nights if lead is not None else 0,
        between=telling.between(check.table for check in checks) if news is not News.STILL else (),
        remarks=tuple(_waiver_remarks(telling, checks)),
        next_step=next((flat(check.hint) for check in checks if check.hint), ""),
        owners=_owners(telling, checks),
    )


def _title(telling: NightToTell, finding: Finding, checks: Sequence[Check]) -> str:
    if checks:
        pairs = [(check, telling.results[check.id]) for check in checks]
        return title_of_checks(pairs, telling.judged.run.suite.nouns)
    if finding.promises:
        promises = {promise.id: (promise, outcome) for promise, outcome in telling.judged.promises}
        return title_of_promise(*promises[finding.promises[0]])
    return title_of_groups(finding.groups)


def _told(telling: NightToTell, key: Key, said: dict[Key, News], incident: str) -> ToldSubject:
    """What the ledger keeps. A member that is no news by itself was mentioned: it keeps what was said of it,
    and its nudge waits from now.
    """
    last = telling.last.get(key)
    news = said.get(key) or (last.news if last is not None else News.STILL)
    return ToldSubject(*key, news, incident)


def _waiver_remarks(telling: NightToTell, checks: Iterable[Check]) -> Iterator[str]:
    for check in checks:
        used = telling.judged.waived.get(check.id)
        owner = flat(used.waiver.owner) if used is not None else ""
        if used is not None and used.use is Use.EXPIRED:
            yield f"the waiver of {owner} ended on {used.waiver.expires.isoformat()}"
        if used is not None and used.use is Use.EXCEEDED:
            yield f"it is more than the waiver of {owner} covers: {flat(used.waiver.scope)}"


def _owners(telling: NightToTell, checks: Iterable[Check]) -> tuple[str, ...]:
    """Those of the checks, else of their waivers."""
    checks = list(checks)
    owners = [check.owner for check in checks if check.owner]
    waivers = [used.waiver.owner for c in checks if (used := telling.judged.waived.get(c.id)) is not None]
    return tuple(dict.fromkeys(map(flat, owners or waivers)))


# --- what has no answer, and what is over -----------------------------------------------------------------


def _unanswered(telling: NightToTell, news: NewsOf) -> Iterator[Incident]:
    """One incident for each reason."""
    by_reason: dict[str, list[Check]] = {}
    for check in telling.checks.values():
        if news[check_key(check)] is News.NO_ANSWER:
            by_reason.setdefault(reason_of(telling.results[check.id]), []).append(check)
    for reason, checks in by_reason.items():
        title = f"no answer: {reason}{and_more(len(checks) - 1)}"
        step = (
            telling.results[checks[0].id].hint if telling.results[checks[0].id].status is Status.SKIP else ""
        )
        yield _of_checks(telling, News.NO_ANSWER, checks, title, flat(step))


def _held(telling: NightToTell, news: NewsOf) -> Iterator[Incident]:
    """What is fixed or no longer applies, together as it was told; and what flaps, and holds tonight."""
    together: dict[tuple[News, str], list[Check]] = {}
    for check in telling.checks.values():
        key, standing = check_key(check), telling.by_check[check_key(check)]
        said = news[key]
        failing = standing.now.outcome.status is Status.FAIL
        if said in {News.FIXED, News.GONE} or (said is News.FLAPPING and not failing):
            assert said is not None
            together.setdefault((said, _cause(standing.last, check, standing.now.since)), []).append(check)
    for (said, _), checks in together.items():
        title = f"{title_of_held(checks[0])}{and_more(len(checks) - 1)}"
        yield _of_checks(telling, said, checks, title)


def _cause(last: LastTold | None, check: Check, since: object) -> str:
    """What was told as one is fixed as one; without a telling, what began on one night in one table."""
    return last.incident if last is not None and last.incident else f"{check.table} {since}"


def _of_checks(
    telling: NightToTell, news: News, checks: Sequence[Check], title: str, step: str = ""
) -> Incident:
    lead = telling.by_check[check_key(checks[0])].now
    # A flapping check that holds tonight has no rows now; a fixed one had some.
    before = lead.before.violations if lead.before is not None else None
    incident = _digest(f"{telling.night.run} {news.value} {checks[0].id}")
    severity = min((check.severity for check in checks), key=SEVERITIES.index)
    return Incident(
        news=news,
        title=title,
        severity=Severity.INFO if news is News.FIXED else severity,
        checks=tuple(check.id for check in checks),
        told=tuple(ToldSubject(*check_key(check), news, incident) for check in checks),
        rows=lead.outcome.violations,
        rows_before=before,
        since=lead.since,
        nights=lead.nights,
        between=telling.between(check.table for check in checks),
        next_step=step,
        owners=_owners(telling, checks),
    )


def _gone(telling: NightToTell) -> Iterator[Incident]:
    """What is open and was not asked: its check went, or means something else now. Only a run of the whole
    suite can tell; a promise that is no longer broken is kept.
    """
    if not telling.night.whole:
        return
    present = {*telling.by_check, *(key for finding in telling.findings for key in _others(finding))}
    present |= {check_key(check) for check in telling.judged.run.checks}
    together: dict[tuple[News, str], list[Key]] = {}
    for key, last in telling.last.items():
        if last.open and key not in present:
            together.setdefault((_after(telling, key), last.incident), []).append(key)
    for (news, _), keys in together.items():
        yield _ended(telling, news, keys)


def _after(telling: NightToTell, key: Key) -> News:
    """Without a contract no promise was judged, and of a check that was not asked nothing is known."""
    judged = telling.judged.contract is not None and not key[0].startswith("check ")
    return News.FIXED if judged else News.GONE


def _ended(telling: NightToTell, news: News, keys: Sequence[Key]) -> Incident:
    ids = tuple(id for kind, _, id in (key[0].partition(" ") for key in keys) if kind == "check")
    incident = _digest(f"{telling.night.run} {keys[0]}")
    told = tuple(ToldSubject(*key, news, incident) for key in keys)
    title = f"{_what_ended(telling, keys[0])}{and_more(len(ids) - 1) if ids else ''}"
    return Incident(news, title, Severity.INFO, ids, told, between=telling.between(()))


def _what_ended(telling: NightToTell, key: Key) -> str:
    kind, _, id = key[0].partition(" ")
    if kind == "check":
        again = any(check.id == id for check in telling.judged.run.checks)
        why = "it means something else now" if again else "it is no longer part of the suite"
        return f"{flat(id)} was open, and {why}"
    what = "a difference" if kind == "difference" else f"the promise {flat(id)}"
    judged = telling.judged.contract is not None
    return f"{what} {'is no longer open' if judged else 'was open, and no contract was judged tonight'}"
