"""What the migration has to do to rows: NULLs to fill, duplicates to remove. Work, never a failure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.rules import Filled, RowsRemoved
from kisaan_validate.errors import KisaanError
from kisaan_validate.facts.preflight import PreflightItem, PreflightTopic
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.states import StandingState
from kisaan_validate.preflight.ages import age_judged
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.preflight.counts import (
    CountsSource,
    changed,
    of_baseline,
    of_run,
    promised_checks,
    sources_of,
    unanswered,
)
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite
from kisaan_validate.text.numbers import counted

SAY = Answers(PreflightTopic.WORK)

LOOK = "ask now with --deep, or name a recent run with --run"


def work_to_do(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """How many rows each check finds that the contract promises to make true."""
    suite, contract = inquiry.asked.suite, inquiry.asked.contract
    # Without either it was said already.
    if suite is None or contract is None:
        return
    ids = promised_checks(contract, suite)
    yield from _uncounted(contract, suite, ids)
    if not ids:
        yield SAY.go("rows", "the contract promises for no check that the migration makes it pass")
        return
    source = _deep(inquiry, suite, ids) if inquiry.asked.deep else _recorded(inquiry)
    if isinstance(source, str):
        fact = f"how many rows {counted(len(ids), 'check')} find is not known: {source}"
        yield SAY.unknown("rows", fact, LOOK)
        return
    if not source.asked:
        yield from _age(inquiry, source)
    for id in ids:
        yield _of(source, suite, id)


def _uncounted(contract: Contract, suite: Suite, ids: tuple[str, ...]) -> Iterator[PreflightItem]:
    """Work on rows that no promised check counts."""
    checks = {(check.table, check.columns) for check in suite.checks if check.id in ids}
    for promise in contract.promises:
        if isinstance(promise, RowsRemoved):
            counted_ = bool(promise.surplus_of)
        elif isinstance(promise, Filled):
            table, column = promise.place
            counted_ = (table, (column,)) in checks
        else:
            continue
        if not counted_:
            yield SAY.work("not counted", f"{promise.claim()}: how many rows this affects was not counted")


def _deep(inquiry: Inquiry, suite: Suite, ids: tuple[str, ...]) -> CountsSource | str:
    """The current counts, or why there are none."""
    asked = inquiry.asked
    try:
        made = run(suite, asked.target, select=ids, options=asked.options, stop=inquiry.stop)
    except KisaanError as error:
        return error.fact
    return of_run(made, "counted now", asked=True)


def _recorded(inquiry: Inquiry) -> CountsSource | str:
    """The newest record of this database that was named, or why there is none."""
    given, place = inquiry.asked.given.baseline, inquiry.place
    record = given.record if given is not None else None
    name = given.path.name if given is not None else ""
    named = _named_run(inquiry)
    if isinstance(named, str):
        return named
    found = sources_of(
        iter(
            (
                of_run(named, f"the run {named.id}") if named is not None else None,
                of_baseline(record, name) if record is not None and _of_here(record, inquiry) else None,
            )
        )
    )
    if not found:
        return "no run and no baseline of this database was named" if place is not None else "nobody answered"
    return found[0]


def _named_run(inquiry: Inquiry) -> Run | str | None:
    """The run of --run; a text says why it cannot be used."""
    from kisaan_validate.record.codec import run_from_json
    from kisaan_validate.record.files import read_file

    path = inquiry.asked.run_file
    if path is None:
        return None
    file = path / "run.json" if path.is_dir() else path
    try:
        made = run_from_json(read_file(file), file.name)
    except KisaanError as error:
        return error.fact
    return made if _of_here(made, inquiry) else f"the run {made.id} is of another database"


def _of_here(record: object, inquiry: Inquiry) -> bool:
    """Whether a run or baseline is of this database, as far as either side says which one it is."""
    there, here = getattr(record, "place", None), inquiry.place
    if there is None or here is None or there.database != here.database:
        return False
    if there.system_identifier and here.system_identifier:
        return bool(there.system_identifier == here.system_identifier)
    return bool((there.host, there.port) == (here.host, here.port))


def _age(inquiry: Inquiry, source: CountsSource) -> Iterator[PreflightItem]:
    now = inquiry.place.at if inquiry.place is not None else inquiry.asked.at
    state, words = age_judged(source.at, now, inquiry.asked.rules.run_age)
    if state is StandingState.PASS:
        return
    # Old counts are no reason against a migration; they are just not current.
    fact = f"counts are of {source.words}, {source.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {words}"
    yield SAY.unknown("age", fact, LOOK)


def _of(source: CountsSource, suite: Suite, id: str) -> PreflightItem:
    count = source.counts.get(id)
    since = "" if source.asked else f" ({source.words})"
    if count is None:
        return SAY.unknown(id, f"{id}: {source.words} does not have it", LOOK)
    if changed(count, suite, id):
        return SAY.unknown(id, f"{id}: the check has changed since {source.words}", LOOK)
    if count.status is Status.NOT_APPLICABLE:
        return SAY.go(id, f"{id} does not apply here{since}")
    if unanswered(count) or count.violations is None:
        return SAY.unknown(id, f"{id}: it has no answer{since}", LOOK)
    if count.violations:
        return SAY.work(id, f"{id}: {counted(count.violations, 'row')} to fix{since}")
    return SAY.go(id, f"{id}: nothing to fix{since}")
