"""Which tables are read over several nights, from where they go on, and what cannot be asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, replace

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.catalogue import Table
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.facts.resumed import ResumeFrom, TableResumed
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.plan import Plan
from kisaan_validate.plan.ranges import called_by, key_refused, meaning_of, readable, slots_that_last
from kisaan_validate.plan.statements import Pass, Query, Slot
from kisaan_validate.postgres.continuity import Moment, functions_text, read_functions, read_shapes, try_read
from kisaan_validate.prove.context import RunContext

ALONE = "give it a profile of its own, without resume"


@dataclass(frozen=True)
class ResumedTable:
    """A table that is read by ranges of ``key``. ``state`` is where it goes on, None: from the start, and
    ``anew`` says why what was read before does not count ("" if there was nothing). ``blank`` is the state of
    a table of which nothing was read.
    """

    table: Table
    statement: Pass
    moment: Moment
    blank: TableResumed
    state: TableResumed | None = None
    anew: str = ""

    @property
    def key(self) -> str:
        """The column by whose ranges it is read."""
        return self.blank.key


@dataclass(frozen=True)
class Resumption:
    """The tables that are read so, by key; all others are read as ever."""

    tables: Mapping[TableKey, ResumedTable] = field(default_factory=dict)

    def of(self, statement: Pass | Query) -> ResumedTable | None:
        """The table whose rows a statement counts by ranges, if it is one of these."""
        found = self.tables.get(statement.table.key) if isinstance(statement, Pass) else None
        return found if found is not None and statement is found.statement else None


def resumption_of(context: RunContext, plan: Plan) -> tuple[Plan, Resumption]:
    """The plan, in which nothing is asked of such tables but what ranges can answer; and these tables.
    Raises DatabaseError.
    """
    wanted = context.request.options.resume
    if not wanted:
        return plan, Resumption()
    moment = try_read(context.holder, context.snapshot.place.system_identifier)
    found: dict[TableKey, ResumedTable] = {}
    for name, given in wanted.items():
        table = context.catalogue.find(name)
        if table is None or table.key in context.snapshot.unavailable:
            continue  # its checks say so themselves
        plan, resumed = _one(context, plan, name, table, given, moment)
        found |= {table.key: resumed} if resumed is not None else {}
    return plan, Resumption(found)


def _one(
    context: RunContext, plan: Plan, name: str, table: Table, given: ResumeFrom, moment: Moment | str
) -> tuple[Plan, ResumedTable | None]:
    statement = next((s for s in plan.passes if s.table.key == table.key and not s.alias), None)
    why = key_refused(table, given.key)
    if not why and context.is_personal(table.name, given.key):
        why = f"{given.key} is personal, and a range names values of it"
    if not why and isinstance(moment, str):
        why = f"where the server stands cannot be told: {moment}"
    shape = read_shapes(context.holder, [table.oid]).get(table.oid, "")
    why = why or ("" if shape else "it is not kept as a heap, whose row versions never change")
    slots: tuple[Slot, ...] = ()
    refused: dict[str, str] = {}
    functions: dict[str, str] = {}
    if statement is not None and not why:
        refused, functions = _refused(context, statement)
        slots = tuple(s for s in statement.slots if s.check_id not in refused)
    kept = None
    if statement and slots:
        kept = replace(statement, slots=slots, figures=(), marking=None, counts_referring=())
    plan = _without(plan, table, kept, why, given.key, refused)
    if kept is None or isinstance(moment, str):
        return plan, None
    digests = {check.id: check.digest for check in plan.checks}
    meanings = tuple(
        (
            slot.check_id,
            meaning_of(slot, digests[slot.check_id], functions_text(functions, called_by([slot]))),
        )
        for slot in slots
    )
    blank = TableResumed(name, given.key, moment.server, shape, meanings, ())
    resumed = ResumedTable(table, kept, moment, blank)
    if given.state is None or given.state.ended:
        return plan, resumed
    anew = gone(given.state, resumed)
    return plan, replace(resumed, anew=anew) if anew else replace(resumed, state=given.state)


def gone(state: TableResumed, now: ResumedTable) -> str:
    """Why what was read before does not count any more; "" if it does."""
    if state.void:
        return state.void
    if state.server != now.blank.server:
        return "the server was started again since then, or is another one"
    if state.shape != now.blank.shape:
        return "the table was rewritten or altered since then"
    if state.key != now.key:
        return "it was read by another key"
    if state.meanings != now.blank.meanings:
        return "its checks are others than then, or mean something else"
    # What was seen then cannot be younger than what is seen now, or the server was set back.
    if any(not 0 < one.horizon <= now.moment.horizon for one in state.ranges):
        return "the server is in an older state than then"
    return "" if readable(state, now.table) else "what is recorded of it makes no sense"


def _refused(context: RunContext, statement: Pass) -> tuple[dict[str, str], dict[str, str]]:
    """The checks of a scan that ranges cannot answer, and why; and what functions are that others call."""
    refused = slots_that_last(statement.table, statement.slots)
    rules = context.suite.rules
    lasting = [slot for slot in statement.slots if slot.check_id not in refused]
    for slot in lasting:
        if allowed := sorted(rules[slot.check_id].volatile_allowed()):
            refused[slot.check_id] = f"it calls the volatile {', '.join(allowed)}"
    immutable, digests = read_functions(context.holder, called_by(lasting))
    for slot in lasting:
        changing = sorted(name for name in called_by([slot]) if not immutable.get(name, True))
        if changing and slot.check_id not in refused:
            refused[slot.check_id] = f"it may call {', '.join(changing)}, which is not declared IMMUTABLE"
    return refused, digests


def _without(
    plan: Plan, table: Table, kept: Pass | None, why: str, key: str, refused: Mapping[str, str]
) -> Plan:
    """The plan without what is not asked of a table: all but ``kept``."""
    said = f"not asked: {table.title} is read over several nights by ranges of {key}"
    reasons = {id: f"{said}, and {text}" for id, text in refused.items()}
    rest = f"not asked: {table.title} cannot be read by ranges of {key}: {why}" if why else ""
    for id in _others(plan, table):
        # What reads all rows at once would never end, and would keep the ranges from being read.
        reasons.setdefault(id, rest or f"{said}, and this check is not about single rows of it")
    settled = {
        id: Result(id, Status.ERROR, message=text, hint="name another key in resume" if rest else ALONE)
        for id, text in reasons.items()
        if kept is None or id not in kept.check_ids
    }
    scan = next((s for s in plan.passes if s.table.key == table.key and not s.alias), None)
    passes = [kept if kept is not None and s is scan else s for s in plan.passes]
    passes = [s for s in passes if s is kept or s.table.key != table.key]
    # Whose rows were to be counted, and are not, must say why.
    uncounted = {table.key: rest or f"{said}, and no check of it can be asked so"}
    return replace(
        plan,
        passes=tuple(passes),
        queries=tuple(q for q in plan.queries if q.check_id not in settled),
        streams=tuple(s for s in plan.streams if s.table.key != table.key),
        settled={**plan.settled, **settled},
        uncounted={**plan.uncounted, **(uncounted if scan is not None and kept is None else {})},
    )


def _others(plan: Plan, table: Table) -> Iterator[str]:
    """The checks that read the rows of a table, whether ranges can answer them or not."""
    reading: Iterable[tuple[str, ...]] = (
        *(s.check_ids for s in plan.passes if s.table.key == table.key),
        *(q.check_ids for q in plan.queries if table.key in {*q.tables, *q.reads.tables}),
        *(s.check_ids for s in plan.streams if s.table.key == table.key),
    )
    for ids in reading:
        yield from ids
