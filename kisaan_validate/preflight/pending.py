"""Which migrations still have to run, by folder and ledger."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.migrations import MigrationFinding, Oddity
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.compare import migrations_standing
from kisaan_validate.migrations.folder import read_migration_folder
from kisaan_validate.postgres.migration_ledger import read_entries
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.text.numbers import counted, some_of

SAY = Answers(PreflightTopic.MIGRATIONS)

LOOK = "look closer: kisaan-validate migrations"
MOST_NAMED = 3


def migrations_pending(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """What has to run, and what is odd about folder or ledger. Keeps the standing for later questions."""
    asked = inquiry.asked
    if inquiry.left_out("migrations"):
        return
    if not asked.rules.migrations:
        yield SAY.unknown("pending", "no folder of migrations was named", "name it with --migrations")
        return
    source = asked.ledger
    personal = asked.suite.settings.is_personal if asked.suite is not None else lambda *_: False
    folder = read_migration_folder(source.kind, asked.rules.migrations)
    with inquiry.looking() as session:
        ledger = read_entries(session, source, personal)
    inquiry.standing = standing = migrations_standing(folder, ledger, accept=(*source.accept, *asked.accept))
    inquiry.not_proved += [f"Migrations: {words}." for words in standing.untold]
    yield from _odd(standing.findings)
    if not standing.known:
        return
    pending = standing.pending
    if pending:
        rows = tuple(
            (("file", item.name), ("sha256", item.sha256)) for item in standing.items if item.name in pending
        )
        yield SAY.work(
            "pending", f"{counted(len(pending), 'migration')} to run: {some_of(pending, MOST_NAMED)}", rows
        )
    else:
        fact = f"nothing is to run: all {counted(len(standing.items), 'migration')} are in {standing.table}"
        yield SAY.unknown("pending", fact, "make sure that the folder is the new release's")


def _odd(findings: tuple[MigrationFinding, ...]) -> Iterator[PreflightItem]:
    for finding in findings:
        name = f"{finding.name}: " if finding.name else ""
        line = f" (line {finding.line:,})" if finding.line is not None else ""
        fact = f"{name}{finding.fact}{line}"
        if finding.state is StandingState.FAIL:
            yield SAY.no_go(finding.oddity, fact, finding.todo or LOOK)
        elif finding.state is StandingState.UNKNOWN:
            yield SAY.unknown(finding.oddity, fact, finding.todo or LOOK)
        elif finding.accepted and finding.oddity is not Oddity.PENDING:
            yield SAY.go(finding.oddity, f"{fact}; accepted by name")
