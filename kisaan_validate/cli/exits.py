"""The exit code. Decided here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from kisaan_validate.errors import AlreadyRunning, DatabaseError, Interrupted, KisaanError, OutsideWindow

if TYPE_CHECKING:
    from kisaan_validate.facts.repair import FixKit
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.facts.rollout_state import RolloutPosition
    from kisaan_validate.facts.row_differences import RowDiff
    from kisaan_validate.facts.run import Run
    from kisaan_validate.signoff.findings import Verified

PASSED, FAILED, USAGE, INCONCLUSIVE, NOTHING, BUSY, NOT_RUN = 0, 1, 2, 3, 5, 6, 7

MEANINGS = {
    PASSED: "pass: every check was answered and no blocking check failed",
    FAILED: "failed: a blocking check found violations, a promise was not kept, or a difference is "
    "covered by no promise",
    USAGE: "error in usage, configuration, suite or connection: nothing was measured",
    INCONCLUSIVE: "inconclusive: a check, a promise or a comparison has no answer, or the run was "
    "interrupted",
    NOTHING: "nothing checked: no check applies, so nothing was proved",
    BUSY: "already running: another run of this suite on this database holds the lock (--lock); "
    "nothing was done",
    NOT_RUN: "did not run: a scan outside its window, or no whole run as young as last --within asks; "
    "a rollout that waits for its next step",
}
"""What each exit code says; printed by ``--help``."""


def exit_code(run: Run, verdict: Verdict, *, recorded: bool = True) -> int:
    """The exit code for a run that was judged so. ``recorded``: whether its files could be written; a pass
    nobody can read does not count."""
    from kisaan_validate.facts.result import Verdict
    from kisaan_validate.facts.run import nothing_checked

    # First: an interrupted run may hold failures, but its exit code must not say that it is complete.
    if run.interrupted:
        return INCONCLUSIVE
    if verdict is Verdict.FAIL:
        return FAILED
    # Before a pass: a run in which nothing applied has no failure either.
    if nothing_checked(run):
        return NOTHING
    return PASSED if verdict is Verdict.PASS and recorded else INCONCLUSIVE


def baseline_exit_code(measured: Run, *, lost: bool) -> int:
    """The exit code for a baseline that was written. ``lost``: whether its snapshot was, before it was let
    go.
    """
    from kisaan_validate.compare.changes import lacking, rows_not_kept
    from kisaan_validate.facts.baseline import baseline_of

    kept = baseline_of(measured)
    uncounted = any(table.rows is None for table in kept.tables)
    # What was not measured now cannot be measured later, when the old values are gone.
    gaps = any(m.message for m in kept.measured) or lacking(kept) or rows_not_kept(kept)
    return INCONCLUSIVE if lost or uncounted or gaps else PASSED


def backup_taken_exit_code(measured: Run, *, taken: bool) -> int:
    """The exit code of a dump and a baseline. ``taken``: whether both were kept; else pg_dump reported
    errors, which says nothing of the data.
    """
    return baseline_exit_code(measured, lost=False) if taken else INCONCLUSIVE


def backup_exit_code(verdict: Verdict, *, expired: bool = False, kept: bool = True) -> int:
    """The exit code of a certificate; one that expired proves nothing any more, and one that could not be
    written (``kept``) nothing at all.
    """
    return _judged(verdict, kept=kept and not expired)


def _judged(verdict: Verdict, *, kept: bool = True) -> int:
    """The exit code of a verdict; a pass that could not be kept for anybody to read does not count."""
    from kisaan_validate.facts.result import Verdict

    if verdict is Verdict.FAIL:
        return FAILED
    return PASSED if verdict is Verdict.PASS and kept else INCONCLUSIVE


def import_exit_code(left: int) -> int:
    """The exit code for an import that was written. ``left``: how many items have no counterpart."""
    return INCONCLUSIVE if left else PASSED


def accept_exit_code(left: int) -> int:
    """The exit code for a contract that was written into a suite. ``left``: how much must be done by hand,
    or was not kept.
    """
    return INCONCLUSIVE if left else PASSED


def verify_exit_code(found: Sequence[Verified]) -> int:
    """The exit code of a verification: what is wrong outranks what is not proved, and either keeps it from
    being green.
    """
    from kisaan_validate.signoff.findings import Mark

    if any(one.of(Mark.WRONG) for one in found):
        return FAILED
    return INCONCLUSIVE if any(one.of(Mark.OPEN) for one in found) else PASSED


def index_exit_code(damaged: int) -> int:
    """The exit code for an index that was written. ``damaged``: how many runs could not be read."""
    return INCONCLUSIVE if damaged else PASSED


def history_exit_code(unread: int) -> int:
    """The exit code of a history that was shown. ``unread``: how many runs could not be read."""
    return INCONCLUSIVE if unread else PASSED


def last_exit_code(ran: bool) -> int:
    """The exit code of a look at the last run. ``ran``: whether each series has one that is young enough."""
    return PASSED if ran else NOT_RUN


def notify_exit_code(undelivered: int) -> int:
    """The exit code of telling people. ``undelivered``: how many messages some channel did not take."""
    return INCONCLUSIVE if undelivered else PASSED


def diff_exit_code(found: RowDiff, *, interrupted: bool = False, recorded: bool = True) -> int:
    """The exit code for a comparison of two live sides. What is known to differ outranks what is unknown.

    ``interrupted``: somebody stopped it before its end, which is said as of a run. ``recorded``: whether
    every file that was asked for could be written; sides that are the same are not green without it.
    """
    if interrupted:
        return INCONCLUSIVE
    if found.differs:
        return FAILED
    if not (found.known and recorded):
        return INCONCLUSIVE
    return PASSED if found.tables else NOTHING


def rehearse_exit_code(verdict: Verdict, *, interrupted: bool = False, kept: bool = True) -> int:
    """The exit code of a rehearsal that was judged so. ``interrupted``: somebody stopped it. ``kept``:
    whether its files could be written.
    """
    return INCONCLUSIVE if interrupted else _judged(verdict, kept=kept)


def preflight_exit_code(verdict: Verdict, *, recorded: bool) -> int:
    """The exit code of a preflight: 0 go, 1 no-go, 3 cannot tell. ``recorded``: whether record and page could
    be written; a go that nobody can read does not count.
    """
    return _judged(verdict, kept=recorded)


def migrations_exit_code(verdict: Verdict) -> int:
    """The exit code of a folder of migrations compared with its ledger, or of waiting until it is applied."""
    return _judged(verdict)


def fix_kit_exit_code(made: FixKit | None) -> int:
    """The exit code of writing kits; None: no check failed, so there was nothing to fix."""
    from kisaan_validate.facts.repair import judge_fix_kit
    from kisaan_validate.facts.result import Verdict

    if made is None:
        return NOTHING
    return PASSED if judge_fix_kit(made) is Verdict.PASS else INCONCLUSIVE


def probe_exit_code(verdict: Verdict, *, interrupted: bool = False, recorded: bool = True) -> int:
    """The exit code of probes that were judged so. ``interrupted``: somebody stopped them; ``recorded``:
    whether their record could be written.
    """
    return INCONCLUSIVE if interrupted else _judged(verdict, kept=recorded)


def scratch_exit_code(left: int) -> int:
    """The exit code of cleaning up, or looking at, scratch servers. ``left``: how much could not be erased,
    or not be read: it may hold somebody's data.
    """
    return INCONCLUSIVE if left else PASSED


def demo_exit_code(wrong: bool) -> int:
    """The exit code of the demonstration. ``wrong``: a planted fault was missed, or one was invented."""
    return FAILED if wrong else PASSED


def doctor_exit_code(problems: int) -> int:
    """The exit code of the doctor. ``problems``: how many things would keep a run from passing."""
    return USAGE if problems else PASSED


def formats_exit_code(delivered: bool) -> int:
    """The exit code of a report in formats. ``delivered``: whether all of them could be written."""
    return PASSED if delivered else USAGE


def exit_code_of(error: BaseException) -> int:
    """The exit code of a command that was ended by ``error`` before there was a run to judge.

    A fault of ours is no verdict on the data: Python itself would exit with 1.
    """
    if isinstance(error, AlreadyRunning):
        return BUSY
    if isinstance(error, OutsideWindow):
        return NOT_RUN
    # A source of a suite may call sys.exit: its 1 must not pass for a finding in the data.
    if isinstance(error, SystemExit) and isinstance(error.code, int) and error.code != FAILED:
        return error.code
    # An unreachable or failing server may answer tomorrow; what is wrong in usage or a suite stays so.
    ours = isinstance(error, KisaanError) and not isinstance(error, (DatabaseError, Interrupted))
    return USAGE if ours or isinstance(error, click.ClickException) else INCONCLUSIVE


def command_exit_code(returned: object) -> int:
    """The exit code of a command that came to its end. ``returned``: an exit code of this module, or None
    from a command that proves nothing and did what it was asked.
    """
    return returned if isinstance(returned, int) else PASSED


def written_exit_code(code: int, *, lost: bool, closed: bool) -> int:
    """The exit code when the last of the output was written: a pass that nobody can read does not count.

    ``lost``: the output could not be written; then not even a finding is known to be read. ``closed``:
    something was, but a part of it went where nobody reads.
    """
    if lost:
        return INCONCLUSIVE
    return code or (INCONCLUSIVE if closed else PASSED)


NEVER_ENDED = (USAGE, INCONCLUSIVE)
"""The exit codes of a command that ended without saying how: while it executed a source of the suite, which
must not end it, and at any other time (see ``supervise``)."""


def rollout_exit_code(position: RolloutPosition, verdict: Verdict) -> int:
    """The exit code of where a rollout stands: green only at its end, with everything proved or attested."""
    from kisaan_validate.facts.rollout_state import RolloutAsk, StepStanding

    if position.ask in {RolloutAsk.COMPLETE, RolloutAsk.ROLLED_BACK}:
        return _judged(verdict)
    if position.ask is RolloutAsk.STOPPED:
        now = position.now
        return FAILED if now is not None and now.standing is StepStanding.FAILED else INCONCLUSIVE
    # A step that is to be done, or to be done again because its end is not known.
    again = position.now is not None and position.now.standing is StepStanding.INTERRUPTED
    return INCONCLUSIVE if again else NOT_RUN


def rollout_step_exit_code(position: RolloutPosition, verdict: Verdict) -> int:
    """The exit code of a command that did something in a rollout: 0 where its next step may begin."""
    code = rollout_exit_code(position, verdict)
    return PASSED if code == NOT_RUN else code


def rollout_status_exit_code(position: RolloutPosition, verdict: Verdict, *, busy: bool) -> int:
    """The exit code of a look at a rollout. ``busy``: somebody is at work on it just now."""
    return BUSY if busy else rollout_exit_code(position, verdict)


def rollout_check_exit_code(wrong: int) -> int:
    """The exit code of a check of a rollout's record. ``wrong``: how much does not hold."""
    return FAILED if wrong else PASSED
