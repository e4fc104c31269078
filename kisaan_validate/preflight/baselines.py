"""Whether there is a recent, complete baseline of this database to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from kisaan_validate.compare.changes import lacking, rows_not_kept
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.baseline import Baseline, require_same_database
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.preflight.ages import age_judged
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.preflight.backups import refused
from kisaan_validate.preflight.rules import BASELINE
from kisaan_validate.text.numbers import counted

SAY = Answers(PreflightTopic.BASELINE)

AGAIN = "take it again: kisaan-validate baseline -o pre.json --contract CONTRACT --digests"


def baseline_fits(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """The baseline, compared with this database, suite and contract."""
    given = inquiry.asked.given.baseline
    if inquiry.left_out(BASELINE):
        return
    if given is None:
        yield SAY.unknown("baseline", "no baseline was named", "name it with --baseline")
        return
    if given.record is None:
        yield refused(SAY, "baseline", given)
        return
    baseline = given.record
    yield _whose(inquiry, baseline)
    yield _age(inquiry, baseline)
    if not inquiry.left_out("gaps"):
        yield _whole(baseline)
    yield from _digests(inquiry, baseline)


def _whose(inquiry: Inquiry, baseline: Baseline) -> PreflightItem:
    if inquiry.place is None:
        return SAY.unknown("database", "this database did not say which one it is", "ask again")
    try:
        require_same_database(baseline, inquiry.place)
    except RecordError as error:
        return SAY.no_go("database", error.fact, AGAIN)
    if baseline.place.system_identifier and inquiry.place.system_identifier:
        return SAY.go("database", f"the baseline is of database {inquiry.place.database!r} on this server")
    fact = "whether the baseline is of this server is not known: only host, port and name agree"
    return SAY.unknown("database", fact, "grant pg_monitor to the role, and take the baseline again")


def _age(inquiry: Inquiry, baseline: Baseline) -> PreflightItem:
    # By the server's clock, like its time; without an answer that is not known.
    now = inquiry.place.at if inquiry.place is not None else inquiry.asked.at
    state, words = age_judged(baseline.taken_at, now, inquiry.asked.rules.baseline_age)
    fact = f"the baseline of {baseline.taken_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC is {words}"
    return SAY.judged("age", state, fact, AGAIN)


def _whole(baseline: Baseline) -> PreflightItem:
    gaps = [f"{gap.what}: {gap.reason}" for gap in lacking(baseline)]
    gaps += [f"{one.id}: {one.message}" for one in baseline.measured if one.message]
    gaps += [notice.message for notice in rows_not_kept(baseline)]
    if not gaps:
        return SAY.go("whole", f"it has the rows of {counted(len(baseline.tables), 'table')}, and no gap")
    rows = tuple((("gap", words),) for words in dict.fromkeys(gaps))
    fact = f"{counted(len(rows), 'thing')} cannot be compared later, first {gaps[0]}"
    return SAY.unknown("whole", fact, "take it again; what stays out by design: --without gaps", rows)


def _digests(inquiry: Inquiry, baseline: Baseline) -> Iterator[PreflightItem]:
    suite, contract = inquiry.asked.suite, inquiry.asked.contract
    if contract is not None:
        if baseline.contract_digest != contract.digest:
            was = "another contract" if baseline.contract_digest else "no contract"
            fact = f"it was taken with {was}: what the present contract promises cannot be compared"
            yield SAY.no_go("contract", fact, AGAIN)
        else:
            yield SAY.go("contract", "it was taken with this contract")
    if suite is not None:
        if baseline.suite.digest != suite.digest:
            yield SAY.unknown("suite", "it was taken with another state of the suite", AGAIN)
        else:
            yield SAY.go("suite", "it was taken with this suite")
