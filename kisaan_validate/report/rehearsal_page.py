"""A rehearsed migration as one self-contained page for a change request: no script, no request, printable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from kisaan_validate.facts.rehearsal import Rehearsal
from kisaan_validate.facts.rehearsed import (
    PlannedQuery,
    QueryState,
    RehearsalJudgement,
    Rehearsed,
    RollbackTry,
)
from kisaan_validate.report import text
from kisaan_validate.report.page import PageKind, generator, printed_foot
from kisaan_validate.report.rehearsal_felt import felt_lines, felt_sentences, quiet_words
from kisaan_validate.report.rehearsal_statements import statement_lines
from kisaan_validate.report.rehearsal_words import bytes_words, clock, seconds_words
from kisaan_validate.report.shell import VERDICT_ICONS
from kisaan_validate.report.timeline import timeline
from kisaan_validate.text.numbers import counted

GENERATOR = '<meta name="generator" content="kisaan-validate rehearse '
"""The meta tag in the head of every such page."""

NOT_PROVED = (
    "Load: nobody but the canaries used the copy. Real transactions hold locks and wait for them too.",
    "The machine: times are of this one, its disk and its memory.",
    "The time since the dump: rows written later were not migrated here.",
    "What lies outside the database: the application's code, other services, replicas, poolers.",
)
"""What no rehearsal proves, in the same words each time."""

PLANS = 60
"""So many queries are listed; all are counted."""


def render_rehearsal(found: Rehearsed, judged: RehearsalJudgement) -> str:
    """The page of a rehearsal. The same input gives the same bytes."""
    nouns = dict(found.nouns)
    runs = [("Alone", found.rehearsal.alone)]
    if found.rehearsal.beside_reader is not None:
        runs.append(("Beside a reader that was left open", found.rehearsal.beside_reader))
    return PAGE.render(
        VERDICT_ICONS[judged.verdict],
        _foot(found, judged),
        generator=generator(GENERATOR),
        found=found,
        judged=judged,
        sentences=_sentences(found, judged),
        figures=_figures(found),
        felt=felt_lines(found.rehearsal, nouns),
        quiet=[(title, quiet_words(run)) for title, run in runs],
        timelines=[timeline(title, run, nouns) for title, run in runs],
        statements=statement_lines(found.rehearsal.alone.tape, nouns),
        calibration=_calibration(found.rehearsal),
        reader=found.rehearsal.beside_reader.reader if found.rehearsal.beside_reader else None,
        plans=_plans(found),
        plan_words=_plan_words(found),
        age=_age(found),
        literal_words=_restores,
        not_proved=NOT_PROVED,
    )


def _sentences(found: Rehearsed, judged: RehearsalJudgement) -> list[str]:
    """Three: why the verdict is so, what people would have felt, whether there is a way back."""
    return [_because(judged), _felt(found), _way_back(found)]


def _because(judged: RehearsalJudgement) -> str:
    reasons = judged.failures or judged.open
    if not reasons:
        return "The migration kept its contract, and nothing was left out."
    more = len(reasons) - 1
    rest = f" (and {counted(more, 'more reason')})" if more else ""
    words = text.flat(reasons[0].words)[:300]
    # A name keeps its small letter; only a word of ours begins the sentence.
    first = words.partition(" ")[0]
    begin = words[:1].upper() if first.isalpha() else words[:1]
    return f"{begin}{words[1:]}{rest}."


def _felt(found: Rehearsed) -> str:
    said = felt_sentences(found.rehearsal, dict(found.nouns), 2)
    if said:
        words = "; ".join(said)
        return f"{words[:1].upper()}{words[1:]}."
    watched = found.rehearsal.alone.canaries
    if not (watched.read or watched.written):
        return "What people would have felt is not known: no table was tried."
    return f"Nobody would have waited longer than {seconds_words(watched.every, up=True)} for a table."


def _way_back(found: Rehearsed) -> str:
    if not found.rollback:
        return "Rolling back was not tried."
    return " ".join(f"{_restores(rollback)}." for rollback in found.rollback)


def _restores(rollback: RollbackTry) -> str:
    """What a rollback comes to, in words."""
    if rollback.restores is None:
        return f"Whether a rollback by {rollback.way} restores everything is not known"
    took = f" in {seconds_words(rollback.seconds, up=True)}" if rollback.seconds is not None else ""
    if rollback.restores:
        return f"A rollback by {rollback.way} restores everything{took}"
    return f"A rollback by {rollback.way} does not restore the state before"


def _figures(found: Rehearsed) -> Iterator[tuple[str, str, str, bool]]:
    migration, tape = found.rehearsal.alone.migration, found.rehearsal.alone.tape
    yield (
        "Migration",
        seconds_words(migration.seconds, up=True),
        "ended well" if migration.succeeded else "failed",
        not migration.succeeded,
    )
    files = f"in {counted(len(migration.files), 'file')}" if migration.files else "by a command"
    yield "Statements", text.number(len(tape.statements)), files, bool(tape.statements)
    findings = found.rehearsal.findings
    failing = sum(f.fails for f in findings)
    waived = sum(bool(f.waived) for f in findings)
    warnings = len(findings) - failing - waived
    more = [
        *([counted(warnings, "warning")] if warnings else []),
        *([f"{waived:,} waived"] if waived else []),
    ]
    yield "Findings", text.number(failing), ", ".join(more) or "by rules of migrations", bool(failing)
    queries = found.queries
    if queries is None or not queries.plans:
        yield "Queries", "not known", "none was planned", False
        return
    broken = len(queries.of(QueryState.BROKEN))
    of = f"of {len(queries.plans):,} no longer {'plans' if broken == 1 else 'plan'}"
    yield "Queries", text.number(broken), of, bool(broken)


def _calibration(rehearsal: Rehearsal) -> str:
    one = rehearsal.calibration
    if one is None:
        return "Times are of this machine; how long production would take was not asked."
    here = (
        f"counting {one.relation} ({counted(one.rows, 'row')}) took {seconds_words(one.here, up=True)} here"
    )
    if one.factor is None or one.there is None:
        reason = f": {one.reason}" if one.reason else ""
        return f"Times are of this machine: {here}. How long production takes is not known{reason}."
    there = (
        f"{seconds_words(one.there, up=True)} in production, so production takes about {one.factor:.1f} times"
    )
    return f"Times are of this machine: {here} and {there} as long by the row."


def _plans(found: Rehearsed) -> tuple[PlannedQuery, ...]:
    """The queries that change, and those whose fate is unknown."""
    plans = found.queries.plans if found.queries is not None else ()
    return tuple(plan for plan in plans if plan.state is not QueryState.SAME)[:PLANS]


def _plan_words(found: Rehearsed) -> tuple[str, ...]:
    """How many queries came to each state."""
    if found.queries is None:
        return ()
    return tuple(
        f"{counted(len(plans), 'query', 'queries')}: {state}"
        for state in QueryState
        if (plans := found.queries.of(state))
    )


def _age(found: Rehearsed) -> str:
    """How old the dump was; "" where it does not say."""
    taken = found.dump.taken_at
    if taken is None:
        return ""
    at = taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)
    days = (found.at - at).total_seconds() / 86_400
    return f"{days:.1f} days before the rehearsal" if days >= 0 else "after the rehearsal, by its own clock"


def _took(seconds: float | None) -> str:
    return "not known" if seconds is None else seconds_words(seconds, up=True)


def _when(moment: datetime) -> str:
    # A dump's time may have no zone: then it is the local time of the machine that made it.
    return text.utc(moment) if moment.tzinfo is not None else f"{moment:%Y-%m-%d %H:%M:%S} (no zone)"


def _foot(found: Rehearsed, judged: RehearsalJudgement) -> str:
    words = f"{judged.verdict.value}; rehearsed {text.utc(found.at)}; dump {found.dump.name}"
    digest = f"SHA-256 of the dump {found.dump.sha256}"
    return printed_foot(words, most=150, title="Rehearsal of a migration", below=digest)


PAGE = PageKind(
    "rehearsal.html.j2",
    ("diff.css", "rehearsal.css"),
    {"took": _took, "clock": clock, "bytes": bytes_words, "code": text.code, "when": _when},
)
