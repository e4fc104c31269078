"""Whether the facts of a record agree with each other. Pure: what no execution can have measured is named,
one line each.

A file can be edited by hand, or written by a fault of ours. What contradicts itself is refused by every
reader; a record that does not may still be another run than the one measured, which only a signature could
show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kisaan_validate.facts.baseline import Baseline, CheckFacts
from kisaan_validate.facts.check import Check, Criterion, Form
from kisaan_validate.facts.result import UNANSWERED, Evidence, Result, Status
from kisaan_validate.facts.run import Run, TableCoverage
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.record.control import total_contradictions
from kisaan_validate.record.past_consistency import past_contradictions
from kisaan_validate.record.resumed import resumed_contradictions
from kisaan_validate.record.settling import proved_contradictions, settling_contradictions
from kisaan_validate.record.table_consistency import (
    comparisons_contradictions,
    sequences_contradictions,
    tables_contradictions,
    twice,
)
from kisaan_validate.record.volumes import volume_contradictions

_FIGURES = frozenset(
    {
        "row_count",
        "null_share",
        "total",
        "distinct_count",
        "quantile",
        "fresh",
        "row_count_against",
        "minimum_rows",
        "sequence",
        "volume",
    }
)
"""Kinds of which one figure is judged: it is as declared, or it is one violation, of however many rows it
is made.
"""

_AMONG_EXAMINED = frozenset({"unique", "values_in", "no_gaps", "reconciles"})
"""Kinds of queries whose violations are rows that they examined, as those of rows and joins are."""

_MAY_NOT_APPLY = frozenset({"checksums"})
"""Kinds of checks that find out by themselves that there is nothing to look at."""
_UNANSWERED = UNANSWERED | {Status.NOT_APPLICABLE}
_HEX = re.compile(r"[0-9a-f]{64}")


def run_contradictions(run: Run) -> Iterator[str]:
    """What in a run cannot be, in words; nothing if its facts agree."""
    if run.held_seconds < 0:
        yield "the snapshot was held for a negative time"
    if any(not 0 <= pause.seconds < float("inf") for pause in run.pauses):
        yield "a pause has a negative or endless time"
    if run.finished_at < run.started_at:
        yield "it ended before it began"
    yield from _digests(run)
    yield from _checks(run)
    yield from _results(run)
    yield from tables_contradictions(run.tables)
    yield from sequences_contradictions(run.sequences)
    yield from twice("the object", (" ".join(filter(None, o.key)) for o in run.objects))
    yield from _criteria(run)
    yield from _coverage(run)
    yield from _statements(run)
    yield from comparisons_contradictions(run)
    yield from total_contradictions(run.totals, run.tables)
    yield from twice("the table proved", (one.table for one in run.proved))
    yield from proved_contradictions(run)
    yield from twice("the table read by ranges", (one.table for one in run.resumed))
    yield from resumed_contradictions(run)
    yield from past_contradictions(run)


def baseline_contradictions(baseline: Baseline) -> Iterator[str]:
    """What in a baseline cannot be, in words; nothing if its facts agree."""
    yield from twice("the check", (check.id for check in baseline.checks))
    for check in baseline.checks:
        yield from _counted(check.id, check.status, check.violations)
        yield from _kept_keys(check)
    yield from tables_contradictions(baseline.tables)
    yield from sequences_contradictions(baseline.sequences)
    yield from twice("the object", (" ".join(filter(None, o.key)) for o in baseline.objects))
    yield from total_contradictions(baseline.totals, baseline.tables)


# --- the run as a whole -----------------------------------------------------------------------------------


def _digests(run: Run) -> Iterator[str]:
    named = {
        "suite": run.suite.digest,
        "baseline": run.baseline_digest,
        "contract": run.contract_digest,
        "waivers": run.waivers_digest,
        "run before it": run.provenance.previous_digest,
    }
    for what, digest in named.items():
        if digest and not _HEX.fullmatch(digest):
            yield f"its digest of its {what} is not a SHA-256"
    if bool(run.provenance.previous_digest) is not bool(run.provenance.previous_run):
        yield "it has the id or the digest of the previous run, but not both"
    if run.provenance.approvals < 1:
        yield f"it requires {run.provenance.approvals} approvals"


def _checks(run: Run) -> Iterator[str]:
    yield from twice("the check", (check.id for check in run.checks))
    part = len(run.checks) < run.suite.total_checks
    # Both ways: a partial run that claims to be whole, and the reverse.
    if len(run.checks) > run.suite.total_checks or run.selection.partial is not part:
        whole = "a part" if run.selection.partial else "all"
        yield (
            f"it contains {len(run.checks)} checks but claims to have run {whole} of {run.suite.total_checks}"
        )
    for check in run.checks:
        if check.tolerance is not None and not _exact(check):
            yield f"{check.id}: its tolerance is neither a number of rows nor a share of them"


def _exact(check: Check) -> bool:
    tolerance = check.tolerance
    if tolerance is None or tolerance.rows is not None:
        return (
            tolerance is not None
            and (tolerance.rows or 0) >= 0
            and tolerance.numerator is tolerance.denominator is None
        )
    # A tolerance of all rows can never fail, and is refused at load.
    return (
        tolerance.numerator is not None
        and tolerance.denominator is not None
        and 0 <= tolerance.numerator < tolerance.denominator
    )


def _results(run: Run) -> Iterator[str]:
    checks, rows = run.by_id, _rows_by_name(run)
    yield from twice("the result of", (result.check_id for result in run.results))
    answered = {result.check_id for result in run.results}
    # A check without a result would be left out of every count.
    yield from (f"{id}: a check without a result" for id in checks if id not in answered)
    for result in run.results:
        check = checks.get(result.check_id)
        if check is None:
            yield f"{result.check_id}: a result of a missing check"
            continue
        yield from (
            *_counted(check.id, result.status, result.violations),
            *_one_result(run, check, result, rows),
        )


def _counted(id: str, status: Status, violations: int | None) -> Iterator[str]:
    """What a status says beside the number of violations."""
    said = "without a number of violations" if violations is None else f"beside {violations:,} violations"
    if violations is not None and violations < 0:
        yield f"{id}: {violations:,} violations"
    # PASS beside None: not counted is not zero.
    elif status is Status.PASS and violations != 0:
        yield f"{id}: it passed {said}"
    elif status in {Status.FAIL, Status.TOLERATED} and not violations:
        yield f"{id}: it {'failed' if status is Status.FAIL else 'was tolerated'} {said}"
    elif status in _UNANSWERED and violations is not None:
        yield f"{id}: it has no answer ({status.value}) {said}"


# --- one result -------------------------------------------------------------------------------------------


def _one_result(run: Run, check: Check, result: Result, rows: dict[str, int]) -> Iterator[str]:
    # NaN is unequal to itself.
    if result.milliseconds < 0 or result.milliseconds != result.milliseconds:
        yield f"{check.id}: it took {result.milliseconds} ms"
    yield from volume_contradictions(run, check, result)
    if result.status in _UNANSWERED:
        # What has no answer is not looked at further: its other facts are empty by the rule above.
        yield from _silent(check, result)
        return
    yield from _evidence(run, check, result)
    yield from _examined(check, result, rows)
    yield from _sample(check, result)
    yield from _tolerated(check, result)
    yield from settling_contradictions(check, result)


def _silent(check: Check, result: Result) -> Iterator[str]:
    """What has no answer shows nothing, and says why."""
    if (
        result.examined is not None
        or result.evidence is not Evidence.NONE
        or result.sample
        or result.key_digest
    ):
        yield f"{check.id}: it has no answer ({result.status.value}) beside what it examined"
    if not result.message:
        yield f"{check.id}: it has no answer ({result.status.value}) and no reason"
    if result.status is Status.NOT_APPLICABLE:
        if not check.applies and check.kind not in _MAY_NOT_APPLY:
            yield f"{check.id}: it does not apply, but has no condition"
        elif not result.message.startswith("not applicable"):
            yield f"{check.id}: it does not apply, but says: {result.message[:80]}"


def _evidence(run: Run, check: Check, result: Result) -> Iterator[str]:
    if result.evidence is Evidence.NONE:
        yield f"{check.id}: it has an answer ({result.status.value}) without evidence"
    # "is not" compares two truths: either both hold or neither.
    if (check.form is Form.CATALOGUE) is not (result.evidence is Evidence.CATALOGUE):
        yield f"{check.id}: a check of form {check.form.value} cannot be answered by: {result.evidence.value}"
    if (check.form is Form.PYTHON) is not (result.evidence is Evidence.STREAMED):
        yield f"{check.id}: a check of form {check.form.value} cannot be answered by: {result.evidence.value}"
    if result.evidence is Evidence.PROVED:
        # A record without the setting is from before there was one, when constraints were trusted.
        trusted = run.settings.get("trust_constraints", "true") == "true"
        if (
            not trusted
            or not result.enforced_by
            or result.status is not Status.PASS
            or result.examined is not None
        ):
            yield f"{check.id}: it was proved by a constraint, but other facts contradict that"


def _examined(check: Check, result: Result, rows: dict[str, int]) -> Iterator[str]:
    violations, examined = result.violations or 0, result.examined
    # With segments each may violate it, and the claim says so.
    if check.kind in _FIGURES and ", for each " not in check.claim and violations > 1:
        yield f"{check.id}: {violations:,} violations of one figure"
    if examined is None:
        return
    if examined < 0:
        yield f"{check.id}: {examined:,} rows examined"
    if _among_examined(check, result) and violations > examined:
        yield f"{check.id}: {violations:,} violations among {examined:,} examined"
    known = rows.get(check.table)
    if known is None or check.form not in {Form.ROW, Form.JOIN} or check.kind in _FIGURES:
        return
    # Without a filter every row of the table is examined.
    whole = check.form is Form.ROW and "(filter" not in check.claim
    if examined > known or (whole and examined != known):
        yield f"{check.id}: {examined:,} rows examined of a table of {known:,}"


def _among_examined(check: Check, result: Result) -> bool:
    """Whether each violation is one of what was examined."""
    # Judged as a whole there is one violation of however many rows.
    if check.form is Form.PYTHON:
        return not result.message.startswith("judged as a whole")
    return check.form is not Form.QUERY or check.kind in _AMONG_EXAMINED


def _sample(check: Check, result: Result) -> Iterator[str]:
    violations = result.violations or 0
    if len(result.sample) > violations:
        yield f"{check.id}: {len(result.sample):,} failing keys beside {violations:,} violations"
    if result.key_digest and (not violations or not _HEX.fullmatch(result.key_digest)):
        yield f"{check.id}: a digest of failing keys that is not a digest, or of no failure"
    shown = [{name for name, _ in row} for row in result.sample]
    # Keys and columns of a sample come from one statement.
    if any(names != shown[0] for names in shown) or (shown and not shown[0].issuperset(result.key)):
        yield f"{check.id}: its failing rows do not have the same columns, or lack their key"
    one_a_row = check.form in {Form.ROW, Form.JOIN, Form.CATALOGUE}
    # One row is one violation in these forms, so the numbers decide.
    if one_a_row and result.sample and result.sample_complete is not (len(result.sample) == violations):
        all_or = "all" if result.sample_complete else "not all"
        yield (
            f"{check.id}: {len(result.sample):,} failing keys are claimed to be {all_or} of {violations:,}"
        )
    # Python checks may find violating rows without a key to show.
    if violations and result.sample_complete and not result.sample and check.form is not Form.PYTHON:
        yield f"{check.id}: no failing keys are claimed to be all of {violations:,}"


def _tolerated(check: Check, result: Result) -> Iterator[str]:
    if result.status is Status.TOLERATED:
        granted = check.tolerance is not None and check.tolerance.accepts(
            result.violations or 0, result.examined
        )
        # The message repeats the tolerance: an edit of one alone shows.
        if not granted or f"tolerated: up to {check.tolerance}" not in result.message:
            yield (
                f"{check.id}: {result.violations or 0:,} violations were tolerated, but its "
                f"tolerance is {check.tolerance or 'none'}"
            )
    elif result.status is Status.FAIL and "tolerated: up to" in result.message:
        yield f"{check.id}: it failed, but says: {result.message[:80]}"
    elif result.status is Status.FAIL and _within(check, result):
        yield f"{check.id}: it failed within its tolerance of {check.tolerance}"


def _within(check: Check, result: Result) -> bool:
    """Whether a failure is one that its check's tolerance accepts; a check in Python may be judged as a
    whole, without any.
    """
    if check.tolerance is None or check.form is Form.PYTHON:
        return False
    return check.tolerance.accepts(result.violations or 0, result.examined)


def _rows_by_name(run: Run) -> dict[str, int]:
    """The counted rows of the tables that checks name, by the name that they use, where that can mean one
    table only.
    """
    titles: dict[str, list[TableFacts]] = {}
    for table in run.tables:
        for name in {table.name, f"{table.schema}.{table.name}"}:
            titles.setdefault(name, []).append(table)
    found: dict[str, int] = {}
    for name in {check.table for check in run.checks}:
        # An alias may mean several tables; whose rows these are is then unknown.
        places = run.suite.aliases.get(name, (name,))
        tables = titles.get(places[0], []) if len(places) == 1 else []
        if len(tables) == 1 and tables[0].rows is not None:
            found[name] = tables[0].rows
    return found


# --- what a run says beside its results -------------------------------------------------------------------


def _criteria(run: Run) -> Iterator[str]:
    yield from twice("the criterion", (c.id for c in run.criteria))
    known = run.by_id
    for criterion in run.criteria:
        yield from _criterion(criterion)
        # A selection may leave out checks that a criterion names.
        if not run.selection.partial:
            yield from (
                f"criterion {criterion.id}: {id} is not a check of this run"
                for id in criterion.checks
                if id not in known
            )


def _criterion(criterion: Criterion) -> Iterator[str]:
    if criterion.manual is bool(criterion.checks):
        yield f"criterion {criterion.id}: it must be proved by checks or attested by a person, one of the two"
    yield from twice(f"criterion {criterion.id}: the check", criterion.checks)


def _coverage(run: Run) -> Iterator[str]:
    yield from twice("the coverage of", (entry.table for entry in run.coverage))
    # Checks of the catalogue read no rows, so they are not counted in coverage.
    asked = {check.id for check in run.checks if check.form is not Form.CATALOGUE}
    answered = sum(r.check_id in asked and r.status not in _UNANSWERED for r in run.results)
    for entry in run.coverage:
        yield from _covered(entry, answered)


def _covered(entry: TableCoverage, answered: int) -> Iterator[str]:
    yield from twice(
        f"the coverage of {entry.table}: the column", (*entry.judged, *entry.described, *entry.untouched)
    )
    if not 0 <= entry.checks <= answered:
        yield f"{entry.table}: {entry.checks:,} checks read its rows, but only {answered:,} read any"
    if entry.judged and not entry.checks:
        yield f"{entry.table}: its columns were judged by no check"


def _statements(run: Run) -> Iterator[str]:
    known = run.by_id
    asked: set[str] = set()
    for statement in run.statements:
        asked.update(statement.check_ids)
        if statement.milliseconds < 0 or statement.milliseconds != statement.milliseconds:
            yield f"the statement {statement.purpose!r} took {statement.milliseconds} ms"
        yield from (
            f"the statement {statement.purpose!r} answers {id}, which is not a check of this run"
            for id in statement.check_ids
            if id not in known
        )
    if not run.statements:
        return  # of a run that kept none, nothing is said
    for result in run.results:
        if result.evidence in {Evidence.SCANNED, Evidence.STREAMED} and result.check_id not in asked:
            yield f"{result.check_id}: {result.evidence.value}, but no statement ran it"


def _kept_keys(check: CheckFacts) -> Iterator[str]:
    violations = check.violations or 0
    if len(check.keys) > violations or (check.key_digest and not violations):
        yield f"{check.id}: {len(check.keys):,} failing keys beside {violations:,} violations"
