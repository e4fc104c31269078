"""The statements of a run: what can be asked, how, and what is settled without asking."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.execute.apart import SqlRefused, written_apart
from kisaan_validate.execute.ground import Ground, read_ground
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.bundles import bundles_of, small_tables
from kisaan_validate.plan.fused import FusedStatement
from kisaan_validate.plan.marks import marking_of
from kisaan_validate.plan.passes import marked
from kisaan_validate.plan.plan import Plan, make_plan
from kisaan_validate.plan.samples import figure_sample
from kisaan_validate.plan.shared import shared_scans
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.plan.trust import Trust
from kisaan_validate.postgres.catalogue import read_blocks, read_catalogue
from kisaan_validate.postgres.session import Session
from kisaan_validate.postgres.standins import read_standins, shadowed_checks
from kisaan_validate.postgres.volatility import volatile_calls
from kisaan_validate.prove.context import RunContext
from kisaan_validate.prove.hidden import masked_outputs
from kisaan_validate.prove.lock import connect
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import RunRequest
from kisaan_validate.prove.resumption import Resumption, resumption_of
from kisaan_validate.prove.server import with_server
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.suite.load import Suite, SuiteSettings


@dataclass(frozen=True)
class Planned:
    """The plan, what its answers may rest on, and how many blocks the tables of its streams have.

    ``small`` are the tables that are known to be small, ``fused`` what over those, or over a large one and
    its references, is asked as one statement. ``sizes`` are the blocks of the tables that are scanned, by
    oid, where they are known. ``resumption`` are the tables that are read over several nights.
    """

    plan: Plan
    ground: Ground
    blocks: Mapping[int, int]
    small: frozenset[TableKey] = frozenset()
    fused: tuple[FusedStatement, ...] = ()
    sizes: Mapping[int, int] = field(default_factory=dict)
    resumption: Resumption = field(default_factory=Resumption)


def plan(context: RunContext) -> Planned:
    """Compile the suite for what is there. Raises DatabaseError."""
    holder, catalogue, trust = context.holder, context.catalogue, context.request.options.trust
    profiled = context.request.options.every_table
    unavailable = context.snapshot.unavailable
    made = _compiled(holder, context.suite, catalogue, unavailable, trust, context.scope, profiled)
    ground = read_ground(holder, made, catalogue, trust)
    streamed = read_blocks(holder, [stream.table for stream in made.streams]) if made.streams else {}
    made, resumption = resumption_of(context, made)
    # Without locks, reading the size of a table would wait for a session that alters it.
    if holder.frugal:
        return Planned(made, ground, streamed, resumption=resumption)
    tables = [catalogue.tables[key] for key in sorted({key for s in made.counting for key in s.tables})]
    blocks = read_blocks(holder, tables)
    options = context.request.options
    if options.failing_keys:
        passes = _marking(made.passes, blocks, holder.version, resumption, context.suite.settings)
        made = replace(made, passes=passes)
    small = small_tables(tables, blocks)
    at_once = [s for s in made.counting if resumption.of(s) is None]
    fused = _fused(at_once, small, blocks, options)
    return Planned(made, ground, streamed, small, fused, blocks, resumption)


def _fused(
    statements: Iterable[Pass | Query],
    small: Collection[TableKey],
    blocks: Mapping[int, int],
    options: Options,
) -> tuple[FusedStatement, ...]:
    """Those of these statements that are asked as one."""
    # With --fail-fast what comes first is waited for, and nothing else.
    if options.fail_fast:
        return ()
    statements = list(statements)
    bundles = bundles_of(statements, small)
    # A guard may cut or cancel what is long, and the end of a night ends it: together it would never be
    # answered.
    if options.guard is not None or options.until is not None:
        return tuple(bundles)
    bundled = {id(one) for bundle in bundles for one in bundle.members}
    single = [one for one in statements if isinstance(one, Pass) and id(one) not in bundled]
    return (*bundles, *shared_scans(single, blocks))


def _marking(
    passes: Iterable[Pass],
    blocks: Mapping[int, int],
    version: int,
    resumption: Resumption,
    settings: SuiteSettings,
) -> tuple[Pass, ...]:
    """The passes, those over large tables marking where violating rows lie, and showing their figures."""
    made = []
    for one in passes:
        marking = None if resumption.of(one) else marking_of(one.table, blocks.get(one.table.oid), version)
        made.append(marked(_showing(one, settings), marking) if marking is not None else one)
    return tuple(made)


def _showing(statement: Pass, settings: SuiteSettings) -> Pass:
    """The same pass, which knows how to show its figures, unless they show personal values."""

    def shown(query: Query) -> str:
        return "" if masked_outputs(query, settings) else figure_sample(query)

    slots = (replace(s, shown=shown(s.query)) if s.query is not None else s for s in statement.slots)
    return replace(statement, slots=tuple(slots))


def explained(request: RunRequest) -> Plan:
    """The plan of a run that is not done: only the catalogue is read. Raises TargetError, DatabaseError."""
    holder = connect(request)
    try:
        holder.begin()
        settings = request.suite.settings
        catalogue = read_catalogue(holder, settings.schemas, settings.aliases)
        unavailable = read_standins(holder).refused(catalogue)
        catalogue = with_server(holder, request.suite, request.options, catalogue)
        return _compiled(holder, request.suite, catalogue, unavailable, request.options.trust)
    # ``explain`` takes no locks and exports nothing, so closing the session is all there is to undo.
    finally:
        holder.close()


def _compiled(
    holder: Session,
    suite: Suite,
    catalogue: Catalogue,
    unavailable: Mapping[TableKey, tuple[str, str]],
    trust: Trust,
    counted: Iterable[Table] = (),
    profiled: bool = False,
) -> Plan:
    volatile = volatile_calls(holder, suite, catalogue)
    shadowed = shadowed_checks(holder, suite, suite.settings.schemas)
    # Believed declarations are visible to the planner, so such tables need not be read apart.
    seen = trust.believing(catalogue)
    return make_plan(
        suite,
        catalogue,
        counted=counted,
        profiled=profiled,
        unavailable=unavailable,
        volatile=volatile,
        shadowed=shadowed,
        trust=trust,
        written=written_apart(holder, suite, seen, SqlRefused(volatile, shadowed), unavailable),
    )


def suggestions(suite: Suite) -> dict[str, str]:
    """For each check in Python that says no more than one comparison: how the database could make it, by
    check id.
    """
    found = ((check, suite.rules[check.id]) for check in suite.checks)
    return {
        check.id: f"declare.holds({check.table!r}, {rule.suggestion!r})"
        for check, rule in found
        if isinstance(rule, PythonRule) and rule.suggestion
    }


def pushable(suite: Suite) -> list[Notice]:
    """What the run reports of checks that the database could make."""
    found = suggestions(suite)
    if not found:
        return []
    listed = "; ".join(f"{id} as {text}" for id, text in list(found.items())[:5])
    more = f"; and {len(found) - 5} more, see kisaan-validate explain" if len(found) > 5 else ""
    what = "1 Python check" if len(found) == 1 else f"{len(found)} Python checks"
    hint = (
        "there it is one more count in the table's scan and needs no stream; NULL, NaN and text "
        "order follow PostgreSQL"
    )
    return [Notice("pushdown", f"{what} could run inside the database: {listed}{more}", hint)]
