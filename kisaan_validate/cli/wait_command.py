"""``kisaan-validate wait``: until every migration is in the ledger, however the service answers meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from kisaan_validate.cli.migrations_inputs import (
    keep_record,
    ledger_inputs,
    ledger_options,
    record_of,
)
from kisaan_validate.cli.watched import Span

if TYPE_CHECKING:
    from kisaan_validate.cli.migrations_inputs import LedgerInputs
    from kisaan_validate.facts.migrations import MigrationsRecord, MigrationsStanding, Waited
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.migrations.look import LedgerLook
    from kisaan_validate.migrations.waiting import WaitAsked
    from kisaan_validate.process.stopping import Stop

_LOOK_MS = 10_000
"""The limit for a statement of one look, which reads one small table."""
_SHOWN = 8
LONGEST = timedelta(days=30)
"""Nobody waits that long for a migration: a longer time is a slip."""


@click.command("wait", short_help="Wait until every migration is applied.")
@ledger_options
@click.option("--until-migrated", is_flag=True, help="Until every file of the folder is in the ledger.")
@click.option(
    "--timeout",
    type=Span(),
    default="10 min",
    show_default=True,
    metavar="SPAN",
    help="How long to wait at most.",
)
@click.option("--health", metavar="URL", help="Ask the service's health endpoint too, and print its answer.")
def command(**given: Any) -> int:
    """Wait until every file of the folder is in the ledger, for servers that migrate at start-up while their
    health endpoint already answers. The ledger is read in short transactions of their own, every second at
    first and every five later; nothing is held between, and a server that restarts is connected to again.

    Exit 0: all are applied; 1: some are missing at the end, or one is recorded as failed; 3: the server or
    the ledger could not be read at the end.
    """
    from kisaan_validate.cli.exits import migrations_exit_code
    from kisaan_validate.cli.job import attended
    from kisaan_validate.cli.output import say
    from kisaan_validate.errors import UsageError
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.migrations.waiting import judge_waited, wait_until_applied
    from kisaan_validate.report.migrations_console import line

    if not given["until_migrated"]:
        raise UsageError("no condition to wait for was given", "write wait --until-migrated")
    if given["timeout"] > LONGEST:
        raise UsageError("--timeout is longer than 30 d", "wait for less, and begin again")
    inputs = ledger_inputs(given)
    if inputs.folder.message:
        say(line("unknown", f"the folder was not read: {inputs.folder.message}"))
        return migrations_exit_code(Verdict.INCONCLUSIVE)
    seen: list[LedgerLook] = []
    asked = _asked(inputs, given, seen)
    waited, standing = attended(lambda stop: wait_until_applied(asked, stop))
    verdict = judge_waited(waited, standing)
    for word, words in _lines(waited, standing, verdict):
        say(line(word, words))
    # Also if nothing was seen: the record of an earlier wait must not pass for this one's.
    keep_record(_record(inputs, seen, standing, waited), given["output"])
    return migrations_exit_code(verdict)


def _asked(inputs: LedgerInputs, given: dict[str, Any], seen: list[LedgerLook]) -> WaitAsked:
    """What is asked at each look, and how changes are reported."""
    from kisaan_validate.cli.output import say
    from kisaan_validate.migrations.compare import migrations_standing
    from kisaan_validate.migrations.look import look_at_ledger
    from kisaan_validate.migrations.waiting import WaitAsked
    from kisaan_validate.probe.health import ask_health, health_request
    from kisaan_validate.report.migrations_console import line

    request = health_request(given["health"]) if given["health"] is not None else None
    limits, most = inputs.question.limits, min(inputs.question.limits.statement_timeout, _LOOK_MS)
    short = replace(limits, statement_timeout=most, connect_timeout_seconds=5)
    question = replace(inputs.question, limits=short)

    def ask(stop: Stop) -> MigrationsStanding:
        look = look_at_ledger(question, stop)
        seen[:] = [look]
        return migrations_standing(inputs.folder, look.ledger, accept=inputs.accept)

    def tell(words: str) -> None:
        if not given["quiet"]:
            say(line(f"{datetime.now(UTC):%H:%M:%S}", words))

    span: timedelta = given["timeout"]
    health = (lambda stop: ask_health(request, stop)) if request is not None else None
    return WaitAsked(ask, span.total_seconds(), health, tell)


def _lines(
    waited: Waited, standing: MigrationsStanding | None, verdict: Verdict
) -> Iterator[tuple[str, str]]:
    """How it ended: what is missing since when, what the service said, what else is odd."""
    from kisaan_validate.migrations.waiting import all_applied
    from kisaan_validate.report.text import duration

    took = duration(waited.seconds * 1000)
    if waited.unreachable:
        yield "unknown", f"the server could not be asked at the end: {waited.unreachable}"
    if standing is not None:
        yield from _missing(waited, standing, took)
    yield from _of_service(waited)
    if standing is not None and all_applied(standing):
        odd = sum(not finding.accepted for finding in standing.findings)
        more = "; other things are odd: see kisaan-validate migrations" if odd else ""
        yield "applied", f"all {sum(item.in_folder for item in standing.items):,} after {took}{more}"
    yield "verdict", f"{verdict.value} ({waited.end})"


def _missing(waited: Waited, standing: MigrationsStanding, took: str) -> Iterator[tuple[str, str]]:
    from kisaan_validate.facts.migrations import Oddity
    from kisaan_validate.report.text import utc

    missing = standing.pending
    if missing and waited.changed is not None:
        changed = f"the last change was seen {utc(waited.changed)}"
        yield "missing", f"{len(missing):,} after {took}, since {utc(waited.begun)}; {changed}"
        for name in missing[:_SHOWN]:
            yield "missing", name
        if len(missing) > _SHOWN:
            yield "missing", f"and {len(missing) - _SHOWN:,} more"
    for finding in standing.findings:
        if finding.oddity in {Oddity.FAILED, Oddity.LOCKED} or (not finding.name and not standing.known):
            yield "wrong", f"{finding.name} {finding.fact}".strip()


def _of_service(waited: Waited) -> Iterator[tuple[str, str]]:
    from kisaan_validate.migrations.waiting import service_words
    from kisaan_validate.report.text import utc

    if waited.service is not None:
        yield "service", f"at {utc(waited.service.at)}: {service_words(waited.service)}"


def _record(
    inputs: LedgerInputs, seen: list[LedgerLook], standing: MigrationsStanding | None, waited: Waited
) -> MigrationsRecord:
    """What is written down: what the last look saw, or why there was none."""
    from kisaan_validate.facts.migrations import LedgerEntries
    from kisaan_validate.migrations.compare import migrations_standing
    from kisaan_validate.migrations.look import LedgerLook
    from kisaan_validate.migrations.waiting import judge_waited

    source, why = inputs.question.source, waited.unreachable or "nobody could ask for it"
    look = seen[-1] if seen else LedgerLook(LedgerEntries(source.kind, source.table, message=why), "", "", "")
    shown = standing if standing is not None else migrations_standing(inputs.folder, look.ledger)
    return replace(record_of(look, shown), waited=waited, verdict=judge_waited(waited, standing))
