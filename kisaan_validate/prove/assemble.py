"""What was measured becomes a Run."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.contract.whole import attached, is_whole
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.fence import REWRITTEN
from kisaan_validate.facts.catalogue import KIND_WORDS, Catalogue, Table
from kisaan_validate.facts.distribution import Distribution
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import COUNTED, Evidence, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import ColumnFacts, KeyedDigest, Measured, TableFacts
from kisaan_validate.plan.plan import Plan, tables_of
from kisaan_validate.process.stopping import Cause
from kisaan_validate.prove.budget import NEXT, not_reached
from kisaan_validate.prove.guarding import promotion
from kisaan_validate.prove.planning import Planned, pushable
from kisaan_validate.prove.resumed import kept_states
from kisaan_validate.suite import foreign
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.coverage import coverage_of
from kisaan_validate.version import VERSION

if TYPE_CHECKING:
    from kisaan_validate.facts.check import Check
    from kisaan_validate.facts.titles import TableKey
    from kisaan_validate.facts.totals import ControlTotal
    from kisaan_validate.prove.asking import Measurements
    from kisaan_validate.prove.comparison import ComparisonPlan
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.prove.request import RunRequest
    from kisaan_validate.suite.load import Suite


def assemble(context: RunContext, planned: Planned, compared: ComparisonPlan, told: Measurements) -> Run:
    """The run, as far as it is known now; rows and values beside a baseline come later."""
    request, options, suite, plan = context.request, context.request.options, context.suite, planned.plan
    before, contract, waivers = options.before, options.contract, options.waivers
    results, measured = _results(context, plan, told), tuple(_standing(told))
    # Two runs may begin in one second, and their folders must not share a name.
    id = f"{request.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    resumed, said = kept_states(context, told.resumed, told.moved, id)
    tables = _table_facts(context.catalogue, plan, told)
    return Run(
        id=id,
        # Both times are the client's: their difference is a duration whatever happens to a clock.
        started_at=request.started,
        finished_at=request.now(),
        tool_version=VERSION,
        suite=suite.facts,
        place=context.snapshot.place,
        selection=suite.selection,
        settings=options.recorded(),
        tables=attached(tables, measured, compared.check, compared.left_out),
        checks=plan.checks,
        results=results,
        notices=(
            *_notices(context),
            *foreign.notice(results),
            *map(_fewer, told.shortages),
            *promotion(context.holder, request, context.snapshot.place),
            *_halted(request, results),
            *said,
        ),
        statements=told.log,
        objects=compared.schema.objects,
        unread=compared.schema.unread,
        sequences=compared.schema.sequences,
        measured=(*(m for m in measured if not is_whole(m)), *compared.answered, *compared.refusals),
        baseline_digest=before.digest if before is not None else "",
        contract_digest=contract.digest if contract is not None else "",
        waivers_digest=waivers.digest if waivers is not None else "",
        fail_on=options.fail_on,
        meanings=_meanings(request),
        criteria=suite.criteria,
        coverage=coverage_of(suite, context.catalogue, results),
        interrupted=request.interrupted,
        halted=request.halted,
        secret=compared.secret,
        keyed=tuple(_standing_keyed(told)),
        totals=tuple(_standing_totals(told)),
        resumed=resumed,
        counters=context.catalogue.server.recorded if context.catalogue.server is not None else (),
    )


def _meanings(request: RunRequest) -> dict[str, str]:
    """What the contract asks to be measured of each table; nothing without one."""
    if request.options.contract is None:
        return {}
    from kisaan_validate.contract.meaning import meanings_of

    return meanings_of(request.options.contract, request.suite)


def _results(context: RunContext, plan: Plan, told: Measurements) -> tuple[Result, ...]:
    """One for each check: what was never asked is an error, and so is what rests on a table that moved."""
    results = dict(told.results)
    not_asked = _not_asked(context.request)
    for check in plan.checks:
        result = results.get(check.id)
        if result is None:
            results[check.id] = Result(check.id, Status.ERROR, message=not_asked.fact, hint=not_asked.hint)
        # What the catalogue settled does not rest on rows, so a table that moved does not touch it.
        elif told.moved and (result.evidence in {*COUNTED, Evidence.STREAMED} or result.volume is not None):
            results[check.id] = _fenced(context, check, result, told.moved)
    reading = ((check, _read_by(context.suite, check)) for check in plan.checks)
    marked = foreign.marked(results, reading, context.catalogue)
    # In the order of the suite, not in that of the answers: the same facts must give the same bytes.
    return tuple(marked[check.id] for check in plan.checks)


def _not_asked(request: RunRequest) -> DatabaseError:
    """Why a check was never asked."""
    if request.stop.cause is Cause.OUT_OF_TIME:
        return not_reached(request.stop.reason)
    return DatabaseError(f"not run: {request.stop.reason or 'unknown'}")


def _read_by(suite: Suite, check: Check) -> set[str]:
    return {check.table, *(name for name, _ in suite.needs(check))}


def _fenced(context: RunContext, check: Check, result: Result, gone: Mapping[TableKey, str]) -> Result:
    """The result, or an error if a table that it rests on did not stay as it was."""
    found = (context.catalogue.find(name) for name in _read_by(context.suite, check) - {""})
    touched = {table.key for table in found if table is not None} & gone.keys()
    # An assertion may read several tables; one that moved is enough to void its answer.
    if not touched:
        return result
    listed, why = ", ".join(sorted(name for _, name in touched)), gone[min(touched)]
    # Migrations explain a rewritten file; anything else only the server's log can explain.
    calm, log = "run again when no migration is running", "see the server's log, then run again"
    hint = calm if why == REWRITTEN else log
    return Result(check.id, Status.ERROR, message=f"{listed} {why}", hint=hint, sql=result.sql)


def _notices(context: RunContext) -> tuple[Notice, ...]:
    notices = [*context.snapshot.notices, *pushable(context.suite)]
    tables = tables_of(context.suite, context.catalogue).values()
    writable = sorted({t.name for t in tables if t.writable})
    # A superuser can write everywhere, and its own notice says so already.
    if writable and not any(n.code == "superuser" for n in notices):
        message = f"the role {context.snapshot.place.role} could write to {', '.join(writable[:5])}"
        message += f" and {len(writable) - 5} more tables" if len(writable) > 5 else ""
        notices.append(Notice("writable", message, "validate with a role that has only SELECT"))
    return tuple(notices)


def _fewer(why: str) -> Notice:
    return Notice("sessions", why, "lower --jobs, or allow more connections on the server or pooler")


def _halted(request: RunRequest, results: Sequence[Result]) -> Iterator[Notice]:
    if request.halted:
        left = sum(r.status is Status.ERROR for r in results)
        more = f": {counted(left, 'check')} without an answer" if left else ""
        if request.stop.cause is Cause.OUT_OF_TIME:
            yield Notice("budget", request.halted + more, NEXT)
        else:
            yield Notice("fail_fast", request.halted + more, "run without --fail-fast")


def _standing(told: Measurements) -> Iterator[Measured]:
    """What was measured, without the figures of tables that did not stay as they were. A measure reads one
    table.
    """
    # A measure names its table as the contract does, with or without ``public``.
    gone = {title: why for key, why in told.moved.items() for title in _titles(*key)}
    for measured in told.measured:
        if why := gone.get(measured.table, ""):
            message = f"{measured.table} {why}"
            yield Measured(measured.id, measured.table, sql=measured.sql, message=message)
        else:
            yield measured


def _titles(schema: str, name: str) -> tuple[str, ...]:
    return (name, f"{schema}.{name}") if schema == "public" else (f"{schema}.{name}",)


def _standing_keyed(told: Measurements) -> Iterator[KeyedDigest]:
    """What is known of personal columns, without those of tables that did not stay as they were."""
    gone = {_titles(*key)[0]: why for key, why in told.moved.items()}
    for keyed in told.keyed:
        why = gone.get(keyed.table, "")
        yield KeyedDigest(keyed.table, keyed.column, message=f"{keyed.table} {why}") if why else keyed


def _standing_totals(told: Measurements) -> Iterator[ControlTotal]:
    """The control totals, without those of tables that did not stay as they were."""
    gone = {_titles(*key)[0]: why for key, why in told.moved.items()}
    for total in told.totals:
        why = gone.get(total.table, "")
        yield replace(total, groups=(), message=f"{total.table} {why}") if why else total


def _table_facts(catalogue: Catalogue, plan: Plan, told: Measurements) -> tuple[TableFacts, ...]:
    wanted: dict[TableKey, Table] = {s.table.key: s.table for s in plan.passes if s.counts_table}
    wanted |= {key: catalogue.tables[key] for key in plan.uncounted}
    return tuple(_facts(wanted[key], plan, told) for key in sorted(wanted))


def _facts(table: Table, plan: Plan, told: Measurements) -> TableFacts:
    key, moved = table.key, told.moved.get(table.key, "")
    count = None if moved else told.rows.get(key)
    figures = {} if moved else told.figures.get(key, {})
    lost = told.unmeasured.get(key, {})
    # A number that is not known must have a reason, and is never 0.
    reason = "" if count is not None else _uncounted(key, plan, told)
    columns = (
        ColumnFacts(
            c.name,
            c.type,
            figures.get(c.name),
            lost.get(c.name, ""),
            _distribution(key, c.name, reason, told),
        )
        for c in table.columns.values()
    )
    return TableFacts(table.schema, table.name, KIND_WORDS[table.kind], count, reason, tuple(columns))


def _distribution(key: TableKey, column: str, uncounted: str, told: Measurements) -> Distribution | None:
    """How a column's values are distributed, or why that is not known; None where nobody asked."""
    asked = told.distributions.get(key)
    if asked is None:
        return None
    return Distribution(message=uncounted) if uncounted else asked[column]


def _uncounted(key: TableKey, plan: Plan, told: Measurements) -> str:
    """Why the rows of a table are not known."""
    if key in plan.uncounted:
        return plan.uncounted[key]
    # The plan's own reason comes first: such a table was never asked.
    return told.moved.get(key, "").removeprefix("was ") or told.failures.get(key, "not counted")
