"""Asking nothing more after the first blocking check that fails: ``--fail-fast``.

Law: a statement that runs is waited for; none is begun afterwards. What was not asked has no answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace

from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.ask import refuse
from kisaan_validate.execute.one_pass import StatementAnswer
from kisaan_validate.facts.check import Check, Severity
from kisaan_validate.facts.result import FailOn, Result, Status
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.postgres.session import Session
from kisaan_validate.process.stopping import Cause, Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.outcome import Answers, MayBeQuoted, results_of

Asker = Callable[[Session], StatementAnswer]


class FailFast:
    """Looks at each answer as it comes, in any thread, until a check fails that counts."""

    def __init__(self, plan: Plan, options: Options, may_be_quoted: MayBeQuoted) -> None:
        self._plan, self._may_be_quoted = replace(plan, settled={}), may_be_quoted
        self._counting = _counting(plan.checks, options) if options.fail_fast else {}
        self._lock, self._counted = threading.Lock(), list[tuple[Pass | Query, StatementAnswer]]()
        self.failed = ""
        """The check that failed first; "" while none has."""
        self.see(results_of(plan, (), may_be_quoted).values())

    @property
    def reason(self) -> str:
        """Why nothing more is asked."""
        return f"stopped at the first failing blocking check, {self.failed} (--fail-fast)"

    def see(self, results: Iterable[Result]) -> None:
        """Look whether one of these failed."""
        for result in results:
            if not self.failed and self._fails(result):
                self.failed = result.check_id

    def unless_failed(self, statement: Pass | Query, asker: Asker) -> Asker:
        """The same asker, which asks only while nothing has failed, and whose answer is looked at."""

        def ask(session: Session) -> StatementAnswer:
            if self.failed:
                return refuse(statement, DatabaseError(f"not run: {self.reason}", "run without --fail-fast"))
            answer = asker(session)
            with self._lock:
                self.see(self._results(statement, answer))
            return answer

        return ask if self._counting else asker

    def end(self, stop: Stop) -> None:
        """Ask for nothing more, if something failed."""
        if self.failed:
            stop.forgo(self.reason, Cause.FAILED_FAST)

    def _results(self, statement: Pass | Query, answer: StatementAnswer) -> Iterable[Result]:
        """The results of one answer, beside the counts of tables that are known by now."""
        answers: Answers = [*self._counted, (statement, answer)]
        self._counted.append((statement, StatementAnswer(rows=answer.rows)))
        return results_of(self._plan, answers, self._may_be_quoted).values()

    def _fails(self, result: Result) -> bool:
        check = self._counting.get(result.check_id)
        if check is None or result.status is not Status.FAIL:
            return False
        shared = check.tolerance is not None and check.tolerance.rows is None
        return not (shared and result.examined is None)  # a share of rows that are not counted yet


def _counting(checks: Iterable[Check], options: Options) -> dict[str, Check]:
    """The checks whose failure counts for sure: blocking, without a waiver, and with ``--fail-on new`` not
    failing before.
    """
    excused = {w.check for w in options.waivers.waivers} if options.waivers is not None else set()
    if options.fail_on is FailOn.NEW and options.baseline is not None:
        excused |= {c.id for c in options.baseline.checks if c.status is Status.FAIL}
    blocking = (c for c in checks if c.severity is Severity.BLOCKING)
    return {c.id: c for c in blocking if c.id not in excused}
