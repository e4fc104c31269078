"""What a comparison needs beside rows and checks: schema objects, sequences, and the statements that
measure for a contract and for digests.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.compare.renaming.bodies import bodies_in_question, bodies_told
from kisaan_validate.contract.here import NamesHere, here
from kisaan_validate.contract.load import Contract, bound_to
from kisaan_validate.contract.through import measured_bodies
from kisaan_validate.errors import UsageError
from kisaan_validate.execute.keyed import KeyedJob, keyed_jobs_again, keyed_jobs_before
from kisaan_validate.execute.measure import read_digesting
from kisaan_validate.plan.measure.of_contract import measures_of
from kisaan_validate.plan.measure.rows import undigested
from kisaan_validate.plan.measure.whole import whole_measures
from kisaan_validate.plan.renames import named_here, suspected
from kisaan_validate.postgres.catalogue import blocked_relations
from kisaan_validate.postgres.schema import read_beside, read_bodies, read_objects, read_sequences
from kisaan_validate.postgres.standins import read_lookalikes, shadowed
from kisaan_validate.postgres.volatility import volatile_names
from kisaan_validate.prove.comparison import ComparisonPlan, SchemaFacts
from kisaan_validate.sql.assertion import calls_of
from kisaan_validate.text.nearest import nearest

if TYPE_CHECKING:
    from kisaan_validate.contract.needs import Need
    from kisaan_validate.execute.snapshot import Snapshot
    from kisaan_validate.facts.baseline import Baseline
    from kisaan_validate.facts.table import Measured
    from kisaan_validate.facts.titles import TableKey
    from kisaan_validate.plan.measure.statement import Measure
    from kisaan_validate.postgres.session import Session
    from kisaan_validate.prove.context import RunContext
    from kisaan_validate.prove.options import Comparing


def prepare(context: RunContext, comparing: Comparing) -> ComparisonPlan:
    """What is to be measured for a comparison. Raises DatabaseError, and UsageError for a column that is
    not there.
    """
    context.request.say("reading the schema")
    schema = _read_schema(context)
    whole = _digests_wanted(comparing, context.request.options.baseline)
    if comparing.contract is None and not whole:
        return ComparisonPlan(schema, NamesHere(before=context.request.options.baseline))
    return _Preparing(context, comparing, schema, whole).prepared()


def _read_schema(context: RunContext) -> SchemaFacts:
    holder, schemas = context.holder, context.suite.settings.schemas
    # Relations under somebody's exclusive lock are left out: printing their definitions would wait for it.
    objects, unread = read_objects(holder, schemas, blocked_relations(holder))
    uncompared, why = read_beside(holder, schemas)
    sequences, hidden = read_sequences(holder, schemas)
    values = {f"the value of sequence {name}": reason for name, reason in hidden.items()}
    return SchemaFacts((*objects, *uncompared), unread | why | values, sequences)


def _digests_wanted(comparing: Comparing, before: Baseline | None) -> bool:
    """Whether whole tables are digested: for a baseline if that was asked for, afterwards if it has such
    digests.
    """
    # Beside a baseline its own choice decides: digests that it does not have could be compared with nothing.
    whole = comparing.digests if before is None else any(t.digests is not None for t in before.tables)
    if comparing.added_since and not whole:
        raise UsageError(
            "--added-since needs digests of rows, and this baseline has none",
            "take one with --digests or --rows",
        )
    return whole


class _Preparing:
    """The statements of one comparison, for a contract, for digests of whole tables, or both."""

    def __init__(self, context: RunContext, comparing: Comparing, schema: SchemaFacts, whole: bool) -> None:
        self.context, self.comparing, self.schema, self.whole = context, comparing, schema, whole
        self.digesting = read_digesting(context.holder, context.snapshot.place.encoding)
        self.here = here(
            comparing.contract,
            context.request.options.baseline,
            context.catalogue,
            schema.objects,
            schema.unread,
        )
        self.since = _since(context, comparing.added_since) if whole else {}
        # A new baseline draws its own key, so that digests
        # of two baselines cannot be matched with each other.
        self.secret = secrets.token_hex(16) if whole and self.here.before is None else ""

    def prepared(self) -> ComparisonPlan:
        """All of it."""
        refused, needs = self._needs()
        return ComparisonPlan(
            self.schema,
            self.here,
            self.since,
            self.digesting,
            (*self._for_contract(needs), *self._for_tables()),
            refused,
            # First, because ``ComparisonPlan.check`` looks for it there.
            (self.digesting.measured, *self._bodies()),
            undigested(self.context.readable, self.context.is_personal) if self.whole else {},
            self._keyed(needs) if self.whole else (),
            self.secret,
        )

    def _needs(self) -> tuple[dict[str, str], list[Need]]:
        """What the promises need to have measured; those whose SQL is not run, and why."""
        contract = self.comparing.contract
        if contract is None:
            return {}, []
        refused = refused_expressions(self.context.holder, contract, self.context.suite.settings.schemas)
        # What could write or mean something else is never sent, not even as part of a larger statement.
        needs = [need for need in bound_to(contract, self.context.suite) if need.rule not in refused]
        return refused, list(named_here(needs, self.here.naming, self.context.catalogue, self.here.places))

    def _for_contract(self, needs: Sequence[Need]) -> list[Measure]:
        if self.comparing.contract is None:
            return []
        context = self.context
        beside = (context.catalogue, context.is_personal, self.here.before, self.digesting)
        return withheld(measures_of(needs, *beside, every=self.whole), context.snapshot)

    def _for_tables(self) -> list[Measure]:
        """The digests of whole tables; also of those that look like a table of the baseline, renamed."""
        if not self.whole:
            return []
        context, before = self.context, self.here.before
        tables, beside = context.readable, (context.catalogue, context.is_personal)
        found = whole_measures(tables, *beside, before, self.digesting, self.since)
        if before is not None:
            # What looks like a renamed table is digested too: whether it has the old rows is asked later.
            for table, seen in suspected(before, tables, context.catalogue):
                found += whole_measures([table], *beside, seen, self.digesting, {})
        return found

    def _bodies(self) -> tuple[Measured, ...]:
        """What happened to the bodies of functions, of which the baseline keeps digests alone, by what was
        renamed.
        """
        done, objects = self.here.done, self.schema.objects
        before = self.here.before.objects if self.here.before is not None and done else ()
        names = bodies_in_question(before, objects, done)
        bodies = read_bodies(self.context.holder, self.context.suite.settings.schemas, names)
        return measured_bodies(bodies_told(bodies, before, objects, done, self.here.relations))

    def _keyed(self, needs: Sequence[Need]) -> tuple[KeyedJob, ...]:
        """What is asked of personal columns: their digests for a baseline, or whether they are those of
        one.
        """
        context, before = self.context, self.here.before
        tables = {t.title: t for t in context.readable}
        beside = (tables, context.catalogue, context.is_personal, self.digesting)
        sealed = context.request.options.keep.sealed
        if before is None:
            return keyed_jobs_before(*beside, self.secret, needs, sealed)
        return keyed_jobs_again(*beside, before, self.since, sealed)


def _since(context: RunContext, columns: Sequence[tuple[str, str]]) -> dict[TableKey, str]:
    found = {}
    for name, column in columns:
        table = context.catalogue.find(name)
        if table is None or column not in table.columns:
            names = context.catalogue.names if table is None else table.columns
            hint = nearest(name if table is None else column, names, "write TABLE.COLUMN")
            raise UsageError(f"--added-since {name}.{column}: no such column", hint)
        found[table.key] = column
    return found


def refused_expressions(session: Session, contract: Contract, schemas: Sequence[str]) -> dict[str, str]:
    """Which promises hold SQL that could call something volatile, or not what it names, and what. Raises
    DatabaseError.
    """
    refused, lookalikes = {}, read_lookalikes(session, schemas)
    for promise in contract.promises:
        # The line break ends a ``--`` comment of the author's;
        # ``{column}`` becomes a name, so that the text parses.
        sql = ", ".join(f"({text}\n)" for text in promise.expressions()).replace("{column}", '"column"')
        if sql and (names := volatile_names(session, calls_of(sql, promise.id), ())):
            refused[promise.id] = f"not run: it calls the volatile {', '.join(sorted(names))}"
        elif why := shadowed(sql, promise.id, lookalikes):
            refused[promise.id] = f"not run: {why}"
    return refused


def withheld(measures: Sequence[Measure], snapshot: Snapshot) -> list[Measure]:
    """The measures, without a statement where the table is withheld: why stands in its place."""
    reasons = {snapshot.catalogue.tables[key].title: why for key, why in snapshot.withheld.items()}
    return [
        # ``first`` reads the same table, so it must go too.
        replace(m, sql="", first=None, message=reasons[m.title]) if m.title in reasons else m
        for m in measures
    ]
