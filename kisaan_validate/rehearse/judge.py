"""The verdict of a rehearsal: a pure function of what it found.

FAIL for what would harm in production, as far as it is proved; INCONCLUSIVE where something was not done or
is not known; PASS only where neither is so.
"""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import CanaryAccess, RehearsedRun
from kisaan_validate.facts.rehearsed import (
    AgainState,
    InterruptedPoint,
    QueryState,
    ReasonKind,
    RehearsalJudgement,
    Rehearsed,
    RollbackTry,
    RollbackWay,
    StepState,
    VerdictReason,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.rehearse.newapp_judge import new_app_failures, new_app_open
from kisaan_validate.text.numbers import counted

LOCK_NOT_AVAILABLE = "55P03"
"""The SQLSTATE by which a lock_timeout ends a statement."""


def judge_rehearsal(found: Rehearsed, *, kept: bool = True) -> RehearsalJudgement:
    """What a rehearsal means. ``kept``: whether page and receipt could be written."""
    failures, open_ = tuple(_failures(found)), tuple(_open(found))
    if not kept:
        open_ += (VerdictReason(ReasonKind.REHEARSAL, "page and receipt could not be written"),)
    verdict = Verdict.FAIL if failures else Verdict.INCONCLUSIVE if open_ else Verdict.PASS
    return RehearsalJudgement(verdict, failures, open_, tuple(_warnings(found)))


def _failures(found: Rehearsed) -> Iterator[VerdictReason]:
    for where, run in _runs(found):
        if not run.migration.succeeded and not (where and gave_up_waiting(run)):
            yield VerdictReason(ReasonKind.MIGRATION, f"the migration failed{where}: {_why(run)}")
    yield from _contract_failures(found)
    for finding in found.rehearsal.findings:
        if finding.fails:
            yield VerdictReason(ReasonKind.RULE, f"{finding.title}: {finding.fact}")
    for point in found.interrupted.points:
        if point.fails:
            yield VerdictReason(ReasonKind.INTERRUPTED, _point(point))
    if found.queries is not None:
        for plan in found.queries.of(QueryState.BROKEN):
            yield VerdictReason(ReasonKind.QUERY, f"a query no longer plans: {plan.error}")
    yield from new_app_failures(found.new_app)
    for rollback in found.rollback:
        if rollback.way is RollbackWay.PROPER and rollback.restores is False:
            words = f"a new database from the dump does not equal the one before: {_differing(rollback)}"
            yield VerdictReason(ReasonKind.ROLLBACK, words)


def _contract_failures(found: Rehearsed) -> Iterator[VerdictReason]:
    contract = found.contract
    if contract.verdict is not Verdict.FAIL:
        return
    broken, failing, unexplained = contract.broken, contract.failing, contract.unexplained
    if broken:
        many = counted(len(broken), "promise was", "promises were")
        yield VerdictReason(ReasonKind.CONTRACT, f"{many} not kept: {broken[0]}")
    if failing:
        many = counted(len(failing), "blocking check fails", "blocking checks fail")
        yield VerdictReason(ReasonKind.CONTRACT, f"{many}: {failing[0]}")
    if unexplained:
        many = counted(len(unexplained), "difference")
        yield VerdictReason(ReasonKind.CONTRACT, f"no promise covers {many}: {unexplained[0]}")
    # The run's verdict stands, even where none of these lists says why.
    if not (broken or failing or unexplained):
        yield VerdictReason(ReasonKind.CONTRACT, "the run after the migration failed")


def _open(found: Rehearsed) -> Iterator[VerdictReason]:
    if found.interrupted_by:
        yield VerdictReason(ReasonKind.REHEARSAL, f"the rehearsal was stopped: {found.interrupted_by}")
    for step in found.steps:
        if step.state is not StepState.DONE:
            reason = f": {step.reason}" if step.reason else ""
            yield VerdictReason(ReasonKind.REHEARSAL, f"{step.name}: {step.state}{reason}")
    yield from _contract_open(found)
    for where, run in _runs(found):
        yield from (VerdictReason(ReasonKind.TAPE, f"the tape{where}: {gap}") for gap in run.tape.gaps)
        yield from _canaries_open(run, where)
    if found.rehearsal.beside_reader is None:
        reason = found.rehearsal.reader_reason or "no reason is known"
        yield VerdictReason(ReasonKind.OUTAGE, f"not run beside an open reader: {reason}")
    yield from (VerdictReason(ReasonKind.REHEARSAL, words) for words in found.rehearsal.not_proved)
    yield from (
        VerdictReason(ReasonKind.REHEARSAL, f"left out of the copy: {w}") for w in found.dump.left_out
    )
    yield from _queries_open(found)
    yield from _rollback_open(found)
    yield from _again_open(found)
    yield from new_app_open(found.new_app)
    if found.old_app is not None and found.old_app.healthy is None:
        yield VerdictReason(ReasonKind.OLD_APP, f"the previous build was not tried: {found.old_app.reason}")


def _contract_open(found: Rehearsed) -> Iterator[VerdictReason]:
    contract = found.contract
    if contract.verdict is None:
        yield VerdictReason(ReasonKind.CONTRACT, f"nothing was proved after the migration: {contract.reason}")
    elif not contract.contract:
        yield VerdictReason(ReasonKind.CONTRACT, "no contract: nothing says what the migration may change")
    yield from (VerdictReason(ReasonKind.CONTRACT, f"no answer: {words}") for words in contract.open)
    if contract.verdict is Verdict.INCONCLUSIVE and not contract.open:
        yield VerdictReason(ReasonKind.CONTRACT, "the run after the migration is inconclusive")


def _canaries_open(run: RehearsedRun, where: str) -> Iterator[VerdictReason]:
    watch = run.canaries
    for gap in watch.gaps:
        yield VerdictReason(ReasonKind.CANARIES, f"the canaries{where}: {gap}")
    tried = {CanaryAccess.READ: watch.read, CanaryAccess.WRITE: watch.written}
    for one in watch.not_tried:
        # Of an empty table a writer's lock was tried, which is what a writer waits for.
        if one.relation in tried[one.access] or one.reason.endswith("nobody writes to it"):
            continue
        words = f"whether people could {one.access} {one.relation}{where} is not known: {one.reason}"
        yield VerdictReason(ReasonKind.CANARIES, words)


def _queries_open(found: Rehearsed) -> Iterator[VerdictReason]:
    review = found.queries
    if review is None:
        words = "no queries of the application were planned: name --dsn or --queries"
        yield VerdictReason(ReasonKind.QUERY, words)
        return
    if review.reason:
        which = "not all queries were planned" if review.plans else "the queries were not planned"
        yield VerdictReason(ReasonKind.QUERY, f"{which}: {review.reason}")
    elif not review.plans:
        yield VerdictReason(ReasonKind.QUERY, f"{review.source} has no query that could be planned")
    if unknown := review.of(QueryState.UNKNOWN):
        first = unknown[0].error or "its text is not known"
        many = counted(len(unknown), "query", "queries")
        yield VerdictReason(ReasonKind.QUERY, f"{many}: whether they still plan is not known: {first}")


def _rollback_open(found: Rehearsed) -> Iterator[VerdictReason]:
    done = {rollback.way for rollback in found.rollback}
    for way in RollbackWay:
        if way not in done:
            yield VerdictReason(ReasonKind.ROLLBACK, f"not rolled back by {way}")
    for rollback in found.rollback:
        if rollback.restores is None:
            reason = rollback.reason or "; ".join(rollback.same.unknown if rollback.same else ())
            words = f"whether {rollback.way} restores everything is not known: {reason}"
            yield VerdictReason(ReasonKind.ROLLBACK, words)


def _again_open(found: Rehearsed) -> Iterator[VerdictReason]:
    interrupted, twice = found.interrupted, found.twice
    if interrupted.reason:
        yield VerdictReason(ReasonKind.INTERRUPTED, f"not interrupted: {interrupted.reason}")
    elif not interrupted.points:
        yield VerdictReason(ReasonKind.INTERRUPTED, "no change before which it could be interrupted")
    for point in interrupted.points:
        if point.state is AgainState.UNKNOWN:
            words = f"what an interruption before change {point.at} leaves is not known: {point.error}"
            yield VerdictReason(ReasonKind.INTERRUPTED, words)
    if twice.reason:
        yield VerdictReason(ReasonKind.TWICE, f"not started twice at once: {twice.reason}")
    elif twice.same is not None and twice.same.equal is None:
        words = f"what two at once leave is not known: {'; '.join(twice.same.unknown)}"
        yield VerdictReason(ReasonKind.TWICE, words)
    elif twice.same is None and all(end.succeeded for end in twice.ends):
        yield VerdictReason(ReasonKind.TWICE, "what two at once leave was not compared")


def _warnings(found: Rehearsed) -> Iterator[VerdictReason]:
    beside = found.rehearsal.beside_reader
    if beside is not None and not beside.migration.succeeded and gave_up_waiting(beside):
        words = "beside an open reader it gives up by its lock_timeout, and must be run again"
        yield VerdictReason(ReasonKind.OUTAGE, words)
    for rollback in found.rollback:
        if rollback.way is RollbackWay.LITERAL and rollback.restores is False:
            words = f"{rollback.command} does not roll back: {_differing(rollback)}"
            yield VerdictReason(ReasonKind.ROLLBACK, words)
    for point in found.interrupted.points:
        if point.hurts and not point.fails:
            yield VerdictReason(ReasonKind.INTERRUPTED, _point(point))
    for finding in found.rehearsal.findings:
        if not finding.waived and not finding.fails:
            yield VerdictReason(ReasonKind.RULE, f"{finding.title}: {finding.fact}")
    yield from _twice_warnings(found)
    if found.old_app is not None and found.old_app.healthy is False:
        words = "the previous build does not work with the migrated database"
        yield VerdictReason(ReasonKind.OLD_APP, f"{words}: rolling back the code alone is no rollback")
    if found.queries is not None:
        for state in (QueryState.DEARER, QueryState.NEEDS_ANALYZE):
            for plan in found.queries.of(state):
                yield VerdictReason(
                    ReasonKind.QUERY,
                    f"a query gets {state}: {_cost(plan.before)} to "
                    f"{_cost(plan.after if state is QueryState.DEARER else plan.fresh)}",
                )
    for words in found.unsteady:
        yield VerdictReason(ReasonKind.REHEARSAL, f"two migrations of one copy differ: {words}")


def _point(point: InterruptedPoint) -> str:
    waived = f" (waived: {point.waived})" if point.waived else ""
    return f"interrupted before change {point.at} and run again, it {point.state}: {point.error}{waived}"


def _twice_warnings(found: Rehearsed) -> Iterator[VerdictReason]:
    twice = found.twice
    failed = [end for end in twice.ends if not end.succeeded]
    if failed:
        words = f"started twice at once, {len(failed)} of {len(twice.ends)} fail"
        yield VerdictReason(ReasonKind.TWICE, words)
    if twice.duplicates:
        words = f"started twice at once, the ledger has {twice.duplicates[0]} more than once"
        yield VerdictReason(ReasonKind.TWICE, words)
    if twice.same is not None and twice.same.equal is False:
        words = f"started twice at once, the result differs: {twice.same.differing[0]}"
        yield VerdictReason(ReasonKind.TWICE, words)


def _runs(found: Rehearsed) -> Iterator[tuple[str, RehearsedRun]]:
    yield "", found.rehearsal.alone
    if found.rehearsal.beside_reader is not None:
        yield " beside an open reader", found.rehearsal.beside_reader


def gave_up_waiting(run: RehearsedRun) -> bool:
    """Whether a lock_timeout of its own ended the migration, as it should beside a long reader."""
    failed = [file for file in run.migration.files if file.sqlstate]
    if failed:
        return failed[0].sqlstate == LOCK_NOT_AVAILABLE
    # A command's error is known only by what the server logged.
    return any(statement.sqlstate == LOCK_NOT_AVAILABLE for statement in run.tape.statements)


def _why(run: RehearsedRun) -> str:
    migration = run.migration
    failed = next((file for file in migration.files if file.error), None)
    if failed is not None:
        return f"{failed.name}: {failed.error}"
    if migration.stopped:
        return migration.stopped
    return f"exit code {migration.exit_code}" if migration.exit_code is not None else "no reason is known"


def _differing(rollback: RollbackTry) -> str:
    return "; ".join(rollback.same.differing[:3]) if rollback.same is not None else ""


def _cost(cost: object) -> str:
    return "unknown cost" if cost is None else f"cost {cost}"
