"""Proves a suite on a live PostgreSQL: one snapshot, a few statements, a Run of measured facts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from kisaan_validate.compare.digests import ALL_PERSONAL, differing_buckets
from kisaan_validate.compare.renaming.bodies import bodies_in_question, bodies_told
from kisaan_validate.contract.here import Here, here, with_personal
from kisaan_validate.contract.load import Contract, bound_to, spoken_columns
from kisaan_validate.contract.needs import Need
from kisaan_validate.contract.through import measured_bodies
from kisaan_validate.contract.whole import attached, is_whole
from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.execute.apart import Refused, written_apart
from kisaan_validate.execute.ask import SAVEPOINT, Counted, ask, give_back, recover, refuse
from kisaan_validate.execute.fence import REWRITTEN, moved
from kisaan_validate.execute.ground import Ground, read_ground
from kisaan_validate.execute.heap import HEAP
from kisaan_validate.execute.held import Held
from kisaan_validate.execute.keyed import KeyedJob, keyed_jobs_again, keyed_jobs_before, take_keyed
from kisaan_validate.execute.measure import read_digesting, take_measures
from kisaan_validate.execute.pool import Pool, Task
from kisaan_validate.execute.rowcompare import compare_rows, not_kept, why_not_kept, write_rows
from kisaan_validate.execute.snapshot import Snapshot, take_snapshot
from kisaan_validate.facts.asked import Selection
from kisaan_validate.facts.baseline import Baseline, require_same_database
from kisaan_validate.facts.catalogue import KIND_WORDS, Catalogue, Table
from kisaan_validate.facts.check import Check
from kisaan_validate.facts.differences import VALUES_GONE
from kisaan_validate.facts.kept import RowFile, RowsCompared, ValuesCompared
from kisaan_validate.facts.measure_key import SELF_CHECK, refused_key
from kisaan_validate.facts.place import Notice
from kisaan_validate.facts.result import COUNTED, Evidence, FailOn, Result, Status
from kisaan_validate.facts.run import Run, StatementFacts
from kisaan_validate.facts.table import (
    ColumnFacts,
    KeyedDigest,
    Measured,
    Profile,
    SchemaObject,
    SequenceValue,
    TableFacts,
)
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.live.kept import compare_values, write_values
from kisaan_validate.personal.lineage import asked_of
from kisaan_validate.plan.fingerprints import Digesting
from kisaan_validate.plan.keptvalues import ValueStream, stream_again, value_streams
from kisaan_validate.plan.measure.of_contract import measures_of
from kisaan_validate.plan.measure.rows import row_streams, row_streams_again, undigested
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.measure.whole import whole_measures
from kisaan_validate.plan.plan import Plan, Trust, make_plan, tables_of
from kisaan_validate.plan.renames import column_here, named_here, suspected
from kisaan_validate.plan.statements import Pass, Query
from kisaan_validate.postgres.catalogue import blocked_relations, count_scope, read_blocks, read_catalogue
from kisaan_validate.postgres.expected import check_expectation, require_expected
from kisaan_validate.postgres.lineage import discretion_of, followed_in, read_followed, read_lineage
from kisaan_validate.postgres.schema import read_beside, read_bodies, read_objects, read_sequences
from kisaan_validate.postgres.session import Discretion, Limits, Session
from kisaan_validate.postgres.standby import too_old
from kisaan_validate.postgres.standins import read_lookalikes, read_standins, shadowed, shadowed_checks
from kisaan_validate.postgres.target import Target, find_target
from kisaan_validate.postgres.volatility import volatile_calls, volatile_names
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.evidence import collect_keys, count_streamed, show_streamed
from kisaan_validate.prove.outcome import (
    Answers,
    failures_of,
    figures_of,
    results_of,
    rows_of,
    streamed_results,
    unmeasured_of,
)
from kisaan_validate.record.rowfile import KeptRows, RowWriter
from kisaan_validate.record.valuefile import KeptValues, ValueWriter
from kisaan_validate.rules.python import PythonRule
from kisaan_validate.sql.assertion import calls_of
from kisaan_validate.sql.expressions import knows_zone_sql
from kisaan_validate.suite import foreign
from kisaan_validate.suite.load import Suite
from kisaan_validate.suite.personal import looks_asked
from kisaan_validate.verdict.coverage import coverage_of
from kisaan_validate.verdict.waivers import Waivers, keys_needed
from kisaan_validate.version import VERSION

if TYPE_CHECKING:
    from kisaan_validate.stream.conduct import Streams


Streaming = TypeVar("Streaming")


COPIES = 8
"""So many times a single value may lie in the memory of whoever hands it to a function: as the driver's
buffers, bytes, text.
"""


@dataclass(frozen=True)
class Options:
    """How a run is done.

    ``sample`` failing keys are shown for each check. ``count_all`` also measures what a comparison needs:
    rows and column figures of every table of the schemas, schema objects, sequences, ``keys`` failing keys
    for each check, and what ``contract`` needs; with ``digests`` also digests of all columns, and beside a
    baseline those that it has; with ``row_writer`` also those of every row, and with ``row_file`` those
    are compared. The values of the columns ``keep_values`` (table, column) are written to ``values_path``,
    also where they look personal if ``public`` patterns admit them; those of ``value_file`` are compared;
    ``zone`` is where the clocks ran of kept columns that were timestamp and are timestamptz now, or the
    other way round. ``added_since`` are columns (table, column) above whose highest value in a baseline
    with digests a row came later. ``trust_constraints`` and ``trust_indexes`` say what may stand for rows
    that are not read. ``python_memory`` is how many bytes the whole columns of a table may take that
    Python checks ask for. ``while_held`` is called with the finished run while the snapshot is still open;
    the function that it gets tells whether it still is.
    """

    jobs: int = 2
    sample: int = 20
    limits: Limits = field(default_factory=Limits)
    trust_constraints: bool = False
    trust_indexes: bool = False
    count_all: bool = False
    expect: Mapping[str, str] = field(default_factory=dict)
    baseline: Baseline | None = None
    baseline_digest: str = ""
    other_database: bool = False
    contract: Contract | None = None
    waivers: Waivers | None = None
    fail_on: FailOn = FailOn.ANY
    keys: int = 500
    digests: bool = False
    row_writer: RowWriter | None = None
    row_file: KeptRows | None = None
    keep_values: tuple[tuple[str, str], ...] = ()
    values_path: Path | None = None
    public: tuple[str, ...] = ()
    value_file: KeptValues | None = None
    zone: str = ""
    added_since: tuple[tuple[str, str], ...] = ()
    python_memory: int = 512 * 1024**2
    while_held: Callable[[Run, Callable[[], bool]], None] | None = None


@dataclass(frozen=True)
class Progress:
    """What is being done, and how far it is; ``total`` 0 means unknown."""

    phase: str
    done: int = 0
    total: int = 0


@dataclass(frozen=True)
class Connected:
    """The database that was reached, before anything of it is read."""

    host: str
    port: str
    database: str
    role: str
    source: str


Observer = Callable[[Progress | Connected], None]


def connected(session: Session, target: Target) -> Connected:
    """What a session has reached: the host that answered, of all that were asked."""
    (host, port), p = session.address, session.parameters
    return Connected(host or "local socket", port, p.get("dbname", ""), p.get("user", ""), target.source)


def run(
    suite: Suite,
    dsn: str | Target | None = None,
    *,
    select: Iterable[str] = (),
    exclude: Iterable[str] = (),
    options: Options | None = None,
    observer: Observer = lambda _: None,
    stop: Stop | None = None,
) -> Run:
    """Prove ``suite`` on the database that ``dsn`` names (else KISAAN_DSN, DATABASE_URL, libpq's
    environment).

    Reads only, in one REPEATABLE READ READ ONLY snapshot. A check that could not be asked has status ERROR
    or SKIP in the returned Run; nothing that goes wrong on the server after the snapshot was taken raises.
    Raises TargetError (no connection, or not the expected database), SuiteError (a selection matches
    nothing) and DatabaseError (the server failed before the snapshot was taken).
    """
    target = dsn if isinstance(dsn, Target) else find_target(dsn)
    wanted = Selection(tuple(select), tuple(exclude))
    part = suite.narrowed(wanted.select, wanted.exclude)
    wanted = replace(wanted, partial=len(part.checks) < suite.total)
    runner = _Runner(part, target, wanted, options or Options(), observer, stop or Stop())
    return runner.run()


def explain(
    suite: Suite, dsn: str | Target | None = None, options: Options | None = None, stop: Stop | None = None
) -> Plan:
    """What :func:`run` would send to this database, without sending it: only the catalogue is read.

    Raises TargetError and DatabaseError.
    """
    target = dsn if isinstance(dsn, Target) else find_target(dsn)
    return _Runner(suite, target, Selection(), options or Options(), lambda _: None, stop or Stop()).explain()


class _Runner:
    def __init__(
        self,
        suite: Suite,
        target: Target,
        selection: Selection,
        options: Options,
        observer: Observer,
        stop: Stop,
    ) -> None:
        self.suite, self.target, self.selection = suite, target, selection
        self.options, self.observer, self.stop = options, observer, stop
        self.log: list[StatementFacts] = []
        self.held = Held(None, self.stop)
        self.secret = ""
        self.here = Here(before=options.baseline)
        self.started = datetime.now(UTC)
        self.trust = Trust(self.options.trust_constraints, self.options.trust_indexes)
        self.ground = Ground(self.trust)
        self.discretion: Discretion | None = None

    def run(self) -> Run:
        settings = self.suite.settings
        holder = self._connect()
        try:
            snapshot = self._snapshot(holder)
            self.held = Held(self.options.limits.snapshot_seconds, self.stop)
            if stale := too_old(snapshot.place.standby, self.options.limits.standby_seconds):
                self.stop.forgo(stale)
            require_expected(snapshot.place, self.options.expect, self.target)
            if self.options.baseline is not None and not self.options.other_database:
                require_same_database(self.options.baseline, snapshot.place)
            self._follow(holder, snapshot.catalogue)
            excluded = [t.name for t in snapshot.catalogue.tables.values() if settings.is_excluded(t.name)]
            scope = count_scope(snapshot.catalogue, excluded) if self.options.count_all else []
            kept = self._chosen(holder, snapshot, [t for t in scope if t.key not in snapshot.withheld])
            volatile = volatile_calls(holder, self.suite, snapshot.catalogue)
            shadows, seen = (
                shadowed_checks(holder, self.suite, settings.schemas),
                self.trust.believing(snapshot.catalogue),
            )
            plan = make_plan(
                self.suite,
                snapshot.catalogue,
                counted=scope,
                profiled=self.options.count_all,
                unavailable=snapshot.unavailable,
                volatile=volatile,
                trust=self.trust,
                written=written_apart(
                    holder, self.suite, seen, Refused(volatile, shadows), snapshot.unavailable
                ),
                shadowed=shadows,
            )
            self.ground = read_ground(holder, plan, snapshot.catalogue, self.trust)
            readable = [t for t in scope if t.key not in snapshot.withheld]
            compared = self._compared(holder, snapshot, readable) if self.options.count_all else Compared()
            blocks = read_blocks(holder, [stream.table for stream in plan.streams]) if plan.streams else {}
            _heaps_only(holder)
            made = self._assemble(
                snapshot, plan, self._execute(plan, snapshot, compared, blocks), compared, excluded
            )
            made = self._rows(holder, snapshot, readable, made)
            made = self._values(holder, snapshot, readable, made, kept)
            made = replace(
                made,
                interrupted=self.stop.reason,
                held_seconds=self.held.seconds,
                finished_at=datetime.now(UTC),
            )
            if self.options.while_held is not None and not self.stop.requested:
                self.options.while_held(made, lambda: _alive(holder))
            return made
        finally:
            self.held.end()
            holder.close()

    def explain(self) -> Plan:
        holder = self._connect()
        try:
            holder.begin()
            catalogue = read_catalogue(holder, self.suite.settings.schemas, self.suite.settings.aliases)
            volatile = volatile_calls(holder, self.suite, catalogue)
            shadows = shadowed_checks(holder, self.suite, self.suite.settings.schemas)
            refused = read_standins(holder).refused(catalogue)
            written = written_apart(
                holder, self.suite, self.trust.believing(catalogue), Refused(volatile, shadows), refused
            )
        finally:
            holder.close()
        return make_plan(
            self.suite,
            catalogue,
            unavailable=refused,
            volatile=volatile,
            shadowed=shadows,
            trust=self.trust,
            written=written,
        )

    def _connect(self) -> Session:
        """The first session: cancelled with the run, and refused if it is not the expected database."""
        holder = self._open()
        self.observer(connected(holder, self.target))
        check_expectation(holder, self.options.expect, self.target)
        return holder

    def _open(self) -> Session:
        session = Session(self.target, self.options.limits, self.suite.settings.schemas, self.stop)
        session.discretion = self.discretion
        return session

    def _follow(self, holder: Session, catalogue: Catalogue) -> None:
        """From here on what is made of a personal column is personal, and no message of the server quotes
        a value of it.
        """
        settings, contract = self.suite.settings, self.options.contract
        if not settings.personal:
            return
        lineage = read_lineage(holder)

        def known() -> Suite:
            s = self.suite.settings
            return replace(
                self.suite, settings=replace(s, followed=followed_in(holder, lineage, s.asked, s.aliases))
            )

        self.suite = known()
        self.suite = with_personal(self.suite, contract, catalogue)
        if self.suite.settings.personal != settings.personal:
            self.suite = known()
        self.discretion = discretion_of(self.suite.settings.followed, catalogue)
        holder.discretion = self.discretion

    def _snapshot(self, holder: Session) -> Snapshot:
        self.observer(Progress("reading the catalogue"))
        settings = self.suite.settings
        holder.begin()
        first_look = read_catalogue(holder, settings.schemas, settings.aliases)
        holder.execute("ROLLBACK")
        tables = tables_of(self.suite, first_look)
        if self.options.count_all:
            tables |= {t.key: t for t in count_scope(first_look) if not settings.is_excluded(t.name)}
        self.observer(Progress("locking"))
        ordered = [tables[key] for key in sorted(tables)]
        return take_snapshot(
            holder,
            ordered,
            settings.schemas,
            settings.aliases,
            self.target.source,
            settings.foreign,
            readers=self.options.jobs * kinds_of_readers(self.suite),
            together=read_together(self.suite, first_look),
        )

    def _jobs(self, snapshot: Snapshot) -> int:
        """How many readers of each kind may work side by side."""
        return max(1, min(self.options.jobs, snapshot.locking.readers // kinds_of_readers(self.suite)))

    def _compared(self, holder: Session, snapshot: Snapshot, scope: Sequence[Table]) -> Compared:
        """What a comparison needs beside rows: schema objects, sequences, and the statements for a
        contract.
        """
        self.observer(Progress("reading the schema"))
        schemas = self.suite.settings.schemas
        objects, unread = read_objects(holder, schemas, blocked_relations(holder))
        uncompared, why = read_beside(holder, schemas)
        objects, unread = (*objects, *uncompared), unread | why
        sequences, hidden = read_sequences(holder, schemas)
        unread = unread | {f"the value of sequence {name}": reason for name, reason in hidden.items()}
        contract, before = self.options.contract, self.options.baseline
        whole = self.options.digests if before is None else any(t.digests is not None for t in before.tables)
        if self.options.added_since and not whole:
            raise UsageError(
                "--added-since tells rows apart, and this baseline has no digests of rows",
                "take one with --digests or --rows",
            )
        if contract is None and not whole:
            return Compared(objects, unread, sequences)
        digesting = read_digesting(holder, snapshot.place.encoding)
        self.here = here(contract, before, snapshot.catalogue, objects, unread)
        answered = (digesting.measured, *self._bodies(holder, objects))
        beside = (snapshot.catalogue, self.suite.settings.is_personal, self.here.before, digesting)
        digests = whole_measures(scope, *beside, self._since(snapshot.catalogue)) if whole else []
        if whole and self.here.before is not None:
            for table, seen in suspected(self.here.before, scope, snapshot.catalogue):
                digests += whole_measures([table], *beside[:2], seen, digesting, {})
        left_out = undigested(scope, self.suite.settings.is_personal) if whole else {}
        if contract is None:
            keyed = self._keyed(scope, snapshot.catalogue, digesting, ()) if whole else ()
            return Compared(objects, unread, sequences, tuple(digests), {}, answered, left_out, keyed)
        refused = refused_expressions(holder, contract, schemas)
        asked = [need for need in bound_to(contract, self.suite) if need.rule not in refused]
        needs = named_here(asked, self.here.naming, snapshot.catalogue, self.here.places)
        keyed = self._keyed(scope, snapshot.catalogue, digesting, needs) if whole else ()
        measures = withhold(measures_of(needs, *beside, every=whole), snapshot)
        return Compared(objects, unread, sequences, (*measures, *digests), refused, answered, left_out, keyed)

    def _bodies(self, holder: Session, objects: Sequence[SchemaObject]) -> tuple[Measured, ...]:
        """What became of the bodies of functions, of which the baseline keeps digests alone, by what was
        renamed.
        """
        before = self.here.before.objects if self.here.before is not None and self.here.done else ()
        bodies = read_bodies(
            holder, self.suite.settings.schemas, bodies_in_question(before, objects, self.here.done)
        )
        return measured_bodies(bodies_told(bodies, before, objects, self.here.done, self.here.relations))

    def _keyed(
        self, scope: Sequence[Table], catalogue: Catalogue, how: Digesting, needs: Sequence[Need]
    ) -> tuple[KeyedJob, ...]:
        """What is asked of personal columns: their digests for a baseline, or whether they are those of
        one.
        """
        personal, before, since = self.suite.settings.is_personal, self.here.before, self._since(catalogue)
        tables = {t.title: t for t in scope}
        if before is None:
            self.secret = secrets.token_hex(16)
            return keyed_jobs_before(tables, catalogue, personal, how, self.secret, needs)
        return keyed_jobs_again(tables, catalogue, personal, how, before, since)

    def _rows(self, holder: Session, snapshot: Snapshot, scope: Sequence[Table], made: Run) -> Run:
        """The run with its rows written beside a baseline, or compared with those of a baseline, where
        that was asked for.
        """
        options, check = self.options, next((m.names for m in made.measured if m.id == SELF_CHECK.text), ())
        if self.stop.requested or not check:
            if options.row_writer is not None:
                options.row_writer.drop()
            return made
        digesting = Digesting(
            check[0], snapshot.place.encoding or "UTF8", check[1], snapshot.place.server_version_num
        )
        catalogue, personal = snapshot.catalogue, self.suite.settings.is_personal
        if options.row_writer is not None:
            self.observer(Progress("writing rows"))
            named = spoken_columns(options.contract) if options.contract is not None else ()
            spoken = [column_here(self.here.naming, *place) for place in named]
            held = {t.title: snapshot.unavailable[t.key][1] for t in scope if t.key in snapshot.unavailable}
            streams = row_streams(
                [t for t in scope if t.title not in held], catalogue, personal, digesting, spoken
            )
            try:
                refused = {**held, **write_rows(holder, self._while_wanted(streams), options.row_writer)}
            except DatabaseError:
                options.row_writer.drop()
                raise
            file = RowFile(options.row_writer.path.name, 0, options.row_writer.finish())
            notices = tuple(not_kept(title, why) for title, why in refused.items())
            return replace(
                made, row_file=replace(file, size=options.row_writer.size), notices=(*made.notices, *notices)
            )
        if options.row_file is not None and options.baseline is not None:
            self.observer(Progress("comparing rows"))
            return replace(made, rows=self._rows_compared(holder, scope, made, digesting, catalogue))
        return made

    def _rows_compared(
        self, holder: Session, scope: Sequence[Table], made: Run, digesting: Digesting, catalogue: Catalogue
    ) -> tuple[RowsCompared, ...]:
        file, before = self.options.row_file, self.here.before
        assert file is not None
        assert before is not None
        titles = {t.title: t for t in made.tables}
        old = {t.title: t for t in before.tables}
        if lost := _unready(holder):
            return tuple(RowsCompared(title, message=lost) for title in sorted(file.sections))
        found: list[RowsCompared] = []
        for table in self._while_wanted(scope):
            title = table.title
            if title not in old:
                continue
            buckets = differing_buckets(
                old[title].digests, titles[title].digests if title in titles else None
            )
            former = self.here.table_before(title)
            if former not in file.sections:
                why = why_not_kept(before.notices, former)
                found += (
                    [RowsCompared(title, message=f"before: {why}")]
                    if buckets and why not in {"", ALL_PERSONAL}
                    else []
                )
                continue
            kept = file.sections[former].forms
            names = self.here.columns_here(former, kept)
            forms = {names[name]: form for name, form in kept.items()}
            personal, since = self.suite.settings.is_personal, self._since(catalogue)
            (stream,) = row_streams_again(
                [(table, forms, buckets)], catalogue, personal, digesting, before, since
            )
            try:
                counted = (old[title].rows, titles[title].rows if title in titles else None)
                expected = (
                    (counted[0], counted[1]) if counted[0] is not None and counted[1] is not None else None
                )
                found.append(compare_rows(holder, stream, file.rows(former, buckets), expected))
            except DatabaseError as error:
                found.append(RowsCompared(title, stream.key, message=error.fact))
                if not _goes_on(holder, error):
                    break
        left = file.sections.keys() - {self.here.table_before(f.table) for f in found}
        return (
            *found,
            *(
                RowsCompared(t, message="not compared: the table is not there, or the session was lost")
                for t in sorted(left)
            ),
        )

    def _while_wanted(self, streams: Iterable[Streaming]) -> Iterator[Streaming]:
        """One after the other, until somebody asks to stop."""
        return takewhile(lambda _: not self.stop.requested, streams)

    def _since(self, catalogue: Catalogue) -> dict[TableKey, str]:
        """The columns that tell which rows came later, by table. Raises UsageError for one that is not
        there.
        """
        found = {}
        for name, column in self.options.added_since:
            table = catalogue.find(name)
            if table is None or column not in table.columns:
                raise UsageError(
                    f"--added-since {name}.{column}: there is no such column", "write TABLE.COLUMN"
                )
            found[table.key] = column
        return found

    def _chosen(self, holder: Session, snapshot: Snapshot, scope: Sequence[Table]) -> list[ValueStream]:
        """What is read to keep values. Raises UsageError before anything is measured, where a column
        cannot be kept.
        """
        personal, encoding, zone = (
            self.suite.settings.is_personal,
            snapshot.place.encoding or "UTF8",
            self.options.zone,
        )
        if zone and holder.execute(knows_zone_sql(zone)) == [(0,)]:
            raise UsageError(
                f"--zone {zone} is no time zone that the server knows", "write its name: Asia/Kolkata, UTC"
            )
        looks = self._looks_personal(holder) if self.options.keep_values else personal
        return value_streams(self.options.keep_values, snapshot.catalogue, scope, personal, looks, encoding)

    def _looks_personal(self, holder: Session) -> Callable[[str, str], bool]:
        """Who is asked whether a column looks like somebody's data by its name, or is made of one that
        does.
        """
        looks, public = looks_asked(self.options.public), asked_of(self.options.public)
        found = read_followed(holder, looks, self.suite.settings.aliases)
        return lambda table, column: not public(table, column) and found.is_personal(table, column, looks)

    def _values(
        self,
        holder: Session,
        snapshot: Snapshot,
        scope: Sequence[Table],
        made: Run,
        streams: Sequence[ValueStream],
    ) -> Run:
        """The run with values written beside a baseline, or compared with those that a baseline kept."""
        options = self.options
        if self.stop.requested or not made.tables:
            return made
        if streams and options.values_path is not None:
            self.observer(Progress("writing values"))
            writer = ValueWriter(options.values_path)
            try:
                write_values(holder, self._while_wanted(streams), writer)
            except BaseException:
                writer.drop()
                raise
            digest = writer.finish()
            return replace(made, value_file=RowFile(options.values_path.name, writer.size, digest))
        if options.value_file is not None:
            self.observer(Progress("comparing values"))
            return replace(
                made,
                values=tuple(self._values_compared(holder, snapshot, scope, options.value_file, made.tables)),
            )
        return made

    def _values_compared(
        self,
        holder: Session,
        snapshot: Snapshot,
        scope: Sequence[Table],
        file: KeptValues,
        counted: Iterable[TableFacts],
    ) -> Iterator[ValuesCompared]:
        tables = {table.title: table for table in scope}
        assert self.here.before is not None
        lost = _unready(holder)
        old, new = (
            {t.title: t.rows for t in side if t.rows is not None}
            for side in (self.here.before.tables, counted)
        )
        for former, (kept, _) in file.tables.items():
            title, forms = (
                self.here.done.title(former),
                kept.called(self.here.columns_here(former, (*kept.key, *kept.columns))),
            )
            table = tables.get(title)
            if table is None or lost:
                there = any(known.title == title for known in snapshot.catalogue.tables.values())
                why = lost or ("the table is not among those that are compared now" if there else VALUES_GONE)
                yield from (ValuesCompared(title, name, message=why) for name in forms.columns)
                continue
            stream, reasons = stream_again(
                table,
                forms,
                self.suite.settings.is_personal,
                snapshot.place.encoding or "UTF8",
                self.options.zone,
            )
            yield from (ValuesCompared(title, name, message=why) for name, why in reasons.items())
            if stream is None:
                continue
            if title not in old or title not in new:
                yield from (
                    ValuesCompared(title, name, message="its rows were not counted")
                    for name in forms.columns
                    if name not in reasons
                )
                continue
            try:
                yield from compare_values(holder, stream, file.lines(former), (old[title], new[title]))
            except (DatabaseError, OSError) as error:
                why = (
                    error.fact
                    if isinstance(error, DatabaseError)
                    else f"the file of values could not be read: {error.strerror}"
                )
                yield from (
                    ValuesCompared(title, name, message=why) for name in forms.columns if name not in reasons
                )
                lost = "" if isinstance(error, DatabaseError) and _goes_on(holder, error) else why

    def _execute(
        self, plan: Plan, snapshot: Snapshot, compared: Compared, blocks: Mapping[int, int]
    ) -> Executed:
        pool = Pool(self._open, snapshot.shared, snapshot.kept, self._jobs(snapshot), snapshot.locking)
        settings = self.suite.settings
        streams = self._streams(plan, snapshot, blocks)
        try:
            answers = self._count(pool, plan)
            self.log += self.ground.log
            results, log = collect_keys(
                pool,
                plan,
                results_of(plan, answers, settings.may_be_quoted),
                self._keys(),
                settings,
                self.ground,
                self.stop,
                lambda done, total: self.observer(Progress("collecting evidence", done, total)),
            )
            self.log += log
            results |= self._stream(streams, pool, plan, answers)
            measured, log = take_measures(
                pool,
                compared.measures,
                self.stop,
                lambda done, total: self.observer(Progress("measuring", done, total)),
            )
            self.log += log
            keyed, log = take_keyed(
                pool,
                compared.keyed,
                self.stop,
                lambda done, total: self.observer(Progress("comparing personal columns", done, total)),
            )
            self.log += log
            return Executed(
                results,
                rows_of(answers),
                failures_of(answers),
                figures_of(answers),
                measured,
                moved(pool, snapshot, self.stop),
                unmeasured_of(answers),
                keyed,
                ()
                if self.stop.requested
                else tuple(filter(None, (pool.shortage, streams.shortage if streams is not None else ""))),
            )
        finally:
            if streams is not None:
                streams.close()
            pool.close()

    def _streams(self, plan: Plan, snapshot: Snapshot, blocks: Mapping[int, int]) -> Streams | None:
        """The readers of what Python checks need; without such checks neither pandas nor a process is
        asked for.
        """
        if not plan.streams:
            return None
        from kisaan_validate.stream.conduct import Streams
        from kisaan_validate.stream.work import Job

        suite, read = self.suite, {stream.table.key for stream in plan.streams}
        streams = tuple(replace(stream, most=self.options.python_memory // COPIES) for stream in plan.streams)
        personal = suite.settings.is_personal
        judges = [(stream.table.name, judge) for stream in plan.streams for judge in stream.judges]
        ids = {judge.check_id for _, judge in judges}
        hidden = frozenset(
            judge.check_id for table, judge in judges if any(personal(table, c) for c in judge.columns)
        )
        job = Job(
            self.target,
            self.options.limits,
            suite.settings.schemas,
            snapshot.shared,
            tuple(table for table in snapshot.kept if table.key in read),
            streams,
            suite.origin,
            suite.digest,
            {check.id: check.digest for check in plan.checks if check.id in ids},
            hidden,
            self._keys(),
            self.options.python_memory,
            snapshot.locking,
            self.discretion,
        )
        return Streams(job, suite, blocks, self._jobs(snapshot), self.stop)

    def _stream(self, streams: Streams | None, pool: Pool, plan: Plan, counted: Answers) -> dict[str, Result]:
        """The results of the checks that are judged in Python."""
        if streams is None:
            return {}
        settings = self.suite.settings
        answers = streams.results(lambda done, total: self.observer(Progress("streaming", done, total)))
        streamed = list(zip(plan.streams, answers, strict=True))
        for answer in answers:
            self.log += answer.log
        counts, log = count_streamed(pool, plan.streams, rows_of(counted), self.stop)
        self.log += log
        results = streamed_results(plan, streamed, counts, settings.may_be_quoted, failures_of(counted))
        results, log = show_streamed(pool, streamed, results, self._keys(), settings.is_personal, self.stop)
        self.log += log
        return results

    def _keys(self) -> int:
        """How many failing keys are collected: enough to show, to compare, and to tell waived rows from
        others.
        """
        options = self.options
        needed = keys_needed(options.waivers) if options.waivers is not None else {}
        return max(options.sample, options.keys if options.count_all else 0, *needed.values())

    def _count(self, pool: Pool, plan: Plan) -> Answers:
        # The largest tables first: the longest statement should not be the last to begin.
        statements = sorted(plan.counting, key=_size, reverse=True)
        tasks = [Task(_asker(s, self.ground), _refuser(s)) for s in statements]
        total = len(tasks)
        self.observer(Progress("checking", 0, total))
        answers = pool.run(tasks, self.stop, lambda done: self.observer(Progress("checking", done, total)))
        for answer in answers:
            self.log += answer.log
        return list(zip(statements, answers, strict=True))

    def _assemble(
        self, snapshot: Snapshot, plan: Plan, done: Executed, compared: Compared, excluded: Sequence[str]
    ) -> Run:
        options, results, measured = self.options, self._results(snapshot, plan, done), tuple(_standing(done))
        return Run(
            id=f"{self.started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}",
            started_at=self.started,
            finished_at=datetime.now(UTC),
            tool_version=VERSION,
            suite=self.suite.facts,
            place=snapshot.place,
            selection=self.selection,
            settings=self._settings(),
            tables=attached(
                _table_facts(snapshot.catalogue, plan, done, excluded),
                measured,
                compared.check,
                compared.left_out,
            ),
            checks=plan.checks,
            results=results,
            notices=(
                *self._notices(snapshot),
                *foreign.notice(results),
                *(_fewer(why) for why in done.shortages),
            ),
            statements=tuple(self.log),
            objects=compared.objects,
            unread=compared.unread,
            sequences=compared.sequences,
            measured=(*(m for m in measured if not is_whole(m)), *compared.answered, *compared.refusals),
            baseline_digest=options.baseline_digest,
            contract_digest=options.contract.digest if options.contract is not None else "",
            waivers_digest=options.waivers.digest if options.waivers is not None else "",
            fail_on=options.fail_on,
            criteria=self.suite.criteria,
            coverage=coverage_of(self.suite, snapshot.catalogue, results),
            interrupted=self.stop.reason,
            secret=self.secret,
            keyed=tuple(_standing_keyed(done)),
        )

    def _results(self, snapshot: Snapshot, plan: Plan, done: Executed) -> tuple[Result, ...]:
        results = dict(done.results)
        for check in plan.checks:
            result = results.get(check.id)
            if result is None:
                results[check.id] = Result(
                    check.id, Status.ERROR, message=f"not asked: {self.stop.reason or 'unknown'}"
                )
            elif done.moved and result.evidence in {*COUNTED, Evidence.STREAMED}:
                results[check.id] = self._fenced(check, result, snapshot.catalogue, done.moved)
        reading = (
            (check, {check.table, *(name for name, _ in self.suite.needs(check))}) for check in plan.checks
        )
        results = foreign.marked(results, reading, snapshot.catalogue)
        return tuple(results[c.id] for c in plan.checks)

    def _notices(self, snapshot: Snapshot) -> tuple[Notice, ...]:
        notices = list(snapshot.notices)
        notices += _pushable(self.suite)
        writable = sorted({t.name for t in tables_of(self.suite, snapshot.catalogue).values() if t.writable})
        if writable and not any(n.code == "superuser" for n in notices):
            message = f"the role {snapshot.place.role} could write to {', '.join(writable[:5])}"
            message += f" and {len(writable) - 5} more tables" if len(writable) > 5 else ""
            notices.append(Notice("writable", message, "validate with a role that has only SELECT"))
        return tuple(notices)

    def _fenced(
        self, check: Check, result: Result, catalogue: Catalogue, gone: Mapping[TableKey, str]
    ) -> Result:
        names = {check.table, *(name for name, _ in self.suite.needs(check))} - {""}
        touched = {t.key for name in names if (t := catalogue.find(name)) is not None} & gone.keys()
        if not touched:
            return result
        listed, why = ", ".join(sorted(name for _, name in touched)), gone[min(touched)]
        hint = (
            "run again when no migration is running"
            if why == REWRITTEN
            else "see the server's log, then run again"
        )
        return Result(check.id, Status.ERROR, message=f"{listed} {why}", hint=hint, sql=result.sql)

    def _settings(self) -> dict[str, str]:
        limits = self.options.limits
        return {
            "jobs": str(self.options.jobs),
            "sample": str(self.options.sample),
            "lock_timeout_ms": str(limits.lock_timeout),
            "statement_timeout_ms": str(limits.statement_timeout),
            "temp_limit_bytes": str(limits.temp_bytes),
            "python_memory_bytes": str(self.options.python_memory),
            "trust_constraints": str(self.options.trust_constraints).lower(),
            "trust_indexes": str(self.options.trust_indexes).lower(),
        }


def withhold(measures: Iterable[Measure], snapshot: Snapshot) -> list[Measure]:
    """The measures, without a statement where the table is withheld: why stands in its place."""
    reasons = {snapshot.catalogue.tables[key].title: why for key, why in snapshot.withheld.items()}
    return [
        replace(m, sql="", first=None, message=reasons[m.title]) if m.title in reasons else m
        for m in measures
    ]


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


def _pushable(suite: Suite) -> list[Notice]:
    found = suggestions(suite)
    listed = "; ".join(f"{id} as {text}" for id, text in list(found.items())[:5])
    more = f"; and {len(found) - 5} more, see kisaan-validate explain" if len(found) > 5 else ""
    what = "1 Python check" if len(found) == 1 else f"{len(found)} Python checks"
    hint = (
        "as one more count in the table's scan it costs no stream; NULL, NaN and text order follow "
        "PostgreSQL there"
    )
    return (
        [Notice("pushdown", f"{what} could be judged inside the database: {listed}{more}", hint)]
        if found
        else []
    )


def _fewer(why: str) -> Notice:
    return Notice("sessions", why, "lower --jobs, or give the server or the pooler more places")


def _asker(statement: Pass | Query, ground: Ground) -> Callable[[Session], Counted]:
    return lambda session: ask(session, statement, ground)


def _refuser(statement: Pass | Query) -> Callable[[DatabaseError], Counted]:
    return lambda error: refuse(statement, error)


def _size(statement: Pass | Query) -> int:
    if isinstance(statement, Query):
        return statement.table.estimated_rows if statement.table is not None else 0
    return statement.table.estimated_rows


@dataclass(frozen=True)
class Compared:
    """What a comparison needs beside rows and checks. ``refused`` maps promises to why their SQL is not
    run.
    """

    objects: tuple[SchemaObject, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    sequences: tuple[SequenceValue, ...] = ()
    measures: tuple[Measure, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    answered: tuple[Measured, ...] = ()
    left_out: Mapping[tuple[str, str], str] = field(default_factory=dict)
    keyed: tuple[KeyedJob, ...] = ()

    @property
    def check(self) -> tuple[str, ...]:
        """How digests were computed, and what the server's hash functions answered to fixed questions."""
        return self.answered[0].names if self.answered else ()

    @property
    def refusals(self) -> tuple[Measured, ...]:
        """What is recorded of the promises whose SQL is not run."""
        return tuple(
            Measured(refused_key(id).text, "", message=reason) for id, reason in self.refused.items()
        )


@dataclass(frozen=True)
class Executed:
    """What the workers brought back."""

    results: Mapping[str, Result]
    rows: Mapping[TableKey, int]
    failures: Mapping[TableKey, str]
    figures: Mapping[TableKey, Mapping[str, Profile]]
    measured: tuple[Measured, ...]
    moved: Mapping[TableKey, str]
    unmeasured: Mapping[TableKey, Mapping[str, str]] = field(default_factory=dict)
    keyed: tuple[KeyedDigest, ...] = ()
    shortages: tuple[str, ...] = ()


def _goes_on(session: Session, error: DatabaseError) -> bool:
    """Whether other tables can still be read after one could not: the server said why, and the session is
    as before.
    """
    if not error.sqlstate or error.lost or session.lost:
        return False
    recover(session)
    return not session.lost


def _unready(holder: Session) -> str:
    """Let a statement of the first session fail without the next ones; why that cannot be, or "" (what was
    measured stays).
    """
    try:
        holder.execute(f"SAVEPOINT {SAVEPOINT}")
    except DatabaseError as error:
        return error.fact
    return ""


def _heaps_only(holder: Session) -> None:
    """From here on the first session reads no catalogue, only rows. One that is lost says so to whoever
    asks it next.
    """
    with suppress(DatabaseError):
        give_back(holder)
        holder.tune(HEAP)
        if holder.frugal:
            holder.execute(f"SAVEPOINT {SAVEPOINT}")  # what it returns to: heaps only


def kinds_of_readers(suite: Suite) -> int:
    """How many kinds of readers a run has: sessions that ask, and those that stream for Python checks."""
    return 2 if any(isinstance(rule, PythonRule) for rule in suite.rules.values()) else 1


def read_together(suite: Suite, catalogue: Catalogue) -> Iterator[frozenset[TableKey]]:
    """The tables that one statement may read: those of all checks of a table, whose failing rows are
    listed together.
    """
    groups: dict[str, set[TableKey]] = {}
    for check in suite.checks:
        found = (
            catalogue.find(name) for name in (check.table, *(name for name, _ in suite.needs(check))) if name
        )
        groups.setdefault(check.table or check.id, set()).update(t.key for t in found if t is not None)
    yield from map(frozenset, groups.values())


def _alive(session: Session) -> bool:
    try:
        session.execute("SELECT 1")
        return True
    except DatabaseError:
        return False


def refused_expressions(session: Session, contract: Contract, schemas: Sequence[str]) -> dict[str, str]:
    """Which promises hold SQL that could call something volatile, or not what it names, and what. Raises
    DatabaseError.
    """
    refused, lookalikes = {}, read_lookalikes(session, schemas)
    for promise in contract.promises:
        sql = ", ".join(f"({text}\n)" for text in promise.expressions()).replace("{column}", '"column"')
        if sql and (names := volatile_names(session, calls_of(sql, promise.id), ())):
            refused[promise.id] = f"not run: it calls volatile {', '.join(sorted(names))}"
        elif why := shadowed(sql, promise.id, lookalikes):
            refused[promise.id] = f"not run: {why}"
    return refused


def _standing(done: Executed) -> Iterator[Measured]:
    """What was measured, without the figures of tables that did not stay as they were. A measure reads one
    table.
    """
    for measured in done.measured:
        why = next(
            (why for (schema, name), why in done.moved.items() if measured.table in _titles(schema, name)), ""
        )
        yield (
            Measured(measured.id, measured.table, sql=measured.sql, message=f"{measured.table} {why}")
            if why
            else measured
        )


def _titles(schema: str, name: str) -> tuple[str, ...]:
    return (name, f"{schema}.{name}") if schema == "public" else (f"{schema}.{name}",)


def _standing_keyed(done: Executed) -> Iterator[KeyedDigest]:
    """What is known of personal columns, without those of tables that did not stay as they were."""
    gone = {_titles(*key)[0]: why for key, why in done.moved.items()}
    for keyed in done.keyed:
        why = gone.get(keyed.table, "")
        yield KeyedDigest(keyed.table, keyed.column, message=f"{keyed.table} {why}") if why else keyed


def _table_facts(
    catalogue: Catalogue, plan: Plan, done: Executed, excluded: Sequence[str]
) -> tuple[TableFacts, ...]:
    wanted: dict[TableKey, Table] = {s.table.key: s.table for s in plan.passes if s.counts_table}
    wanted |= {key: catalogue.tables[key] for key in plan.uncounted}
    facts = []
    for key in sorted(wanted):
        table, figures = wanted[key], done.figures.get(key, {})
        moved = done.moved.get(key, "")
        count = None if moved else done.rows.get(key)
        reason = (
            ""
            if count is not None
            else plan.uncounted.get(key, moved.removeprefix("was ") or done.failures.get(key, "not counted"))
        )
        lost = done.unmeasured.get(key, {})
        columns = tuple(
            ColumnFacts(c.name, c.type, None if moved else figures.get(c.name), lost.get(c.name, ""))
            for c in table.columns.values()
        )
        facts.append(TableFacts(table.schema, table.name, KIND_WORDS[table.kind], count, reason, columns))
    return tuple(facts)
