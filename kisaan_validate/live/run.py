"""The comparison of two live sides as a whole: both snapshots at once, the self-check, the schema, then
table by table.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import field, replace

from kisaan_validate.compare.renaming.names import Renames
from kisaan_validate.compare.renaming.tables import called
from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import RAW, Context
from kisaan_validate.digest.rows import HASH, HASH_SINCE, SHA256
from kisaan_validate.digest.selfcheck import self_check_sql
from kisaan_validate.errors import DatabaseError, KisaanError, UsageError
from kisaan_validate.execute.held import HoldLimit
from kisaan_validate.facts.catalogue import Table, TypeFacts
from kisaan_validate.facts.differences import NotCompared, Unknown, rows_of
from kisaan_validate.facts.row_differences import ChangeSink, Observer, RowDiff, TableDiff
from kisaan_validate.facts.titles import split_name
from kisaan_validate.live.compare import Comparison, both, compare_table, unread
from kisaan_validate.live.guards import check_sides
from kisaan_validate.live.lonely import list_rows
from kisaan_validate.live.options import AUTO, QUICK, WIDE, DiffOptions, digest_name
from kisaan_validate.live.plan import PairedTable, plan_pair
from kisaan_validate.live.renamed import declared_renames, followed, title_of
from kisaan_validate.live.samples import Allowance
from kisaan_validate.live.schema import Found, compare_live_schemas, with_tables
from kisaan_validate.live.sides import LiveSide, is_selected, paired_schemas
from kisaan_validate.live.statements import integer_key
from kisaan_validate.live.suspects import Suspects
from kisaan_validate.personal.lineage import Followed
from kisaan_validate.postgres.catalogue import count_scope
from kisaan_validate.postgres.lineage import discretion_of, read_followed
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.expressions import knows_zone_sql, quote
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.nearest import nearest, nearest_pattern

Progress = Callable[[str, int, int], None]
"""What is being done, how many tables are done, and of how many."""


def diff_rows(
    before: Target,
    after: Target,
    options: DiffOptions,
    observer: Observer | None = None,
    on_progress: Progress = lambda what, done, total: None,
    stop: Stop | None = None,
    sink: ChangeSink | None = None,
) -> RowDiff:
    """Compare two live databases, or two schemas, row by row. ``sink`` is given every row that differs.

    Raises UsageError for what cannot be meant, TargetError where a side cannot be reached, DatabaseError
    where one is lost before anything was compared. Afterwards what has no answer is said in the result.
    """
    schemas, stop = paired_schemas(options.before_schemas, options.after_schemas), stop or Stop()
    sides = (
        LiveSide(
            "before",
            before,
            options.before_schemas,
            options.limits,
            schemas,
            options.foreign,
            options.renamed,
            stop,
        ),
        LiveSide("after", after, options.after_schemas, options.limits, {}, options.foreign, stop=stop),
    )
    run, held = (
        _Run(sides, options, observer, on_progress, stop, sink),
        HoldLimit(options.limits.snapshot_seconds, stop),
    )
    # The clock starts before the first snapshot, and stops with the last session.
    try:
        return run.run(schemas)
    finally:
        held.end()
        for side in sides:
            side.close()


@dataclass
class _Run:
    sides: tuple[LiveSide, LiveSide]
    options: DiffOptions
    observer: Observer | None
    on_progress: Progress
    stop: Stop
    sink: ChangeSink | None = None
    allowance: Allowance = field(default_factory=Allowance)
    seed: bytes = b""
    """Of the digests of this comparison, once it is known that both servers compute them alike."""

    def run(self, schemas: Mapping[str, str]) -> RowDiff:
        self.on_progress("taking both snapshots", 0, 0)
        both(lambda number: self.sides[number].open(self.options.select))
        # Before anything is compared: a slip in a schema's name would read as "every table was added".
        check_sides(self.sides)
        self._require_selected()
        # Followed on both sides: a column may be personal on one of them by its view alone.
        self._follow()
        renames = self._renamed()
        # After renaming, because options name tables as they are called after.
        self.options = resolved(self.options, {**self.sides[0].bare_names, **self.sides[1].bare_names})
        self._check_zone()
        encoding, notes = self._encoding()
        standbys = [(side.when, side.snapshot.place.standby) for side in self.sides]
        notes += [
            f"{side.when}: {title} holds rows of a foreign server"
            for side in self.sides
            for title in side.outside
        ]
        notes += [f"{when}: {standby.words}" for when, standby in standbys if standby is not None]
        casts = self._cast_types()
        notes += [f"declared: {old} is renamed to {new}" for old, new in self.options.renamed]
        changes, unknown, left = self._schema(schemas, renames)
        # Sorted, so that two runs report in the same order.
        titles = sorted(self.sides[0].seen.keys() | self.sides[1].seen.keys())
        tables = []
        for done, title in enumerate(titles):
            self.on_progress(title, done, len(titles))
            tables.append(self._table(title, encoding, casts))
            if self.sink is not None:
                self.sink.settle(tables[-1])
        # At the end, for all tables at once: a table that was rewritten shows it only then.
        tables = self._fenced(tables)
        if self.options.schema and not self.stop.requested:
            context = Context(self.options.zone, self._text_encoding())
            notes += Suspects(self.sides, context, encoding, self.options, casts, self.seed).notes(tables)
        places = [f"{side.snapshot.place.database}.{', '.join(side.schemas)}" for side in self.sides]
        return RowDiff(
            places[0],
            places[1],
            tuple(tables),
            tuple(with_tables(self.sides, changes, tables) if self.options.schema else ()),
            tuple(unknown),
            digest_name(encoding, self.seed),
            tuple(notes),
            self._left_out(left),
            tuple(side.snapshot.place for side in self.sides),
        )

    def _renamed(self) -> Renames:
        """What is renamed; the tables before are seen under these names from now on. Raises
        UsageError.
        """
        if not self.options.renamed:
            return Renames()
        before, after = self.sides
        renames = declared_renames(before.named, before.seen, after.seen)
        former = {new: old for old, new in renames.tables.items()}
        before.seen = {
            title: called(table, renames.names(former.get(title, title)))
            for title, table in before.seen.items()
        }
        self.options = replace(
            self.options, asked=followed(self.options.is_personal, renames), followed=Followed()
        )
        return renames

    def _follow(self) -> None:
        """What is made of a personal column, on either side, is personal, and no message of a server
        quotes a value of it.
        """
        asked = self.options.asked
        found = both(
            lambda number: self.sides[number].guarded(
                lambda: read_followed(self.sides[number].session, asked, {})
            )
        )
        self.options = replace(self.options, followed=found[0].both(found[1]))
        discretion = discretion_of(self.options.followed, *(side.snapshot.catalogue for side in self.sides))
        for side in self.sides:
            side.session.discretion = discretion

    def _check_zone(self) -> None:
        """A zone is one that both servers know by name."""
        zone = self.options.zone
        answers = both(lambda number: self.sides[number].ask(knows_zone_sql(zone))) if zone else ()
        for side, answer in zip(self.sides, answers, strict=False):
            if answer == [(0,)]:
                raise UsageError(
                    f"--zone {zone} is not a time zone that the server {side.when} knows",
                    "write a name such as Asia/Kolkata or UTC",
                )

    def _encoding(self) -> tuple[str, list[str]]:
        """The encoding under which both servers compute the same digests. Raises DatabaseError if there is
        none.
        """
        wanted, notes = self.options.encoding, []
        old = [
            s.snapshot.place.server_version_num
            for s in self.sides
            if s.snapshot.place.server_version_num < HASH_SINCE
        ]
        # Chosen only now, so that no row can have been made for it.
        seed = secrets.token_bytes(16)
        candidates = {
            AUTO: [(HASH, seed), (SHA256, b"")],
            QUICK: [(HASH, seed)],
            WIDE: [(HASH, b"")],
        }.get(wanted, [(wanted, b"")])
        # One old server decides for both: digests must be computed alike.
        if old and candidates[0][0] == HASH:
            candidates = candidates[1:]
            notes.append("a server older than 14 has no hash of rows: digests are SHA-256")
        for encoding, chosen in candidates:
            answers = both(lambda number, e=encoding, s=chosen: self._self_check(number, e, s))  # type: ignore[misc]
            # A wish is tried alone; "auto" falls back to SHA-256.
            if answers[0] == answers[1]:
                self.seed = chosen
                return encoding, notes
            name = digest_name(encoding, chosen)
            notes.append(f"the servers do not compute the same digests ({name}): the self-check differs")
        raise DatabaseError(
            "; ".join(notes) or "no encoding can be used",
            "compare two servers of the same architecture, or use --digest sha256",
        )

    def _self_check(self, number: int, encoding: str, seed: bytes) -> list[tuple[object, ...]]:
        shared = self._text_encoding()
        return self.sides[number].ask(
            self_check_sql(encoding, shared, ascii_only=shared not in RAW, seed=seed)
        )

    def _text_encoding(self) -> str:
        """The encoding by which both sides' SQL is written: if one must convert its text to UTF-8, both
        do.
        """
        found = [side.snapshot.place.encoding for side in self.sides]
        # One database with another encoding makes both convert, or equal texts would differ.
        return next((encoding for encoding in found if encoding not in RAW), found[0])

    def _cast_types(self) -> dict[str, TypeFacts]:
        found = {}
        for cast in sorted(set(self.options.casts.values())):
            # The type stands in a statement unquoted, so nothing but a type's name may pass.
            if not re.fullmatch(
                r'[A-Za-z_"][\w ".]*(\(\s*\d+\s*(,\s*-?\d+\s*)?\))?( with(out)? time zone)?', cast
            ):
                raise UsageError(
                    f"--cast: {cast!r} is not a type",
                    "write it as in CREATE TABLE: numeric(18,2), text, timestamptz",
                )
            types = [side.type_named(cast) for side in self.sides]
            # Of one name, and made of the same parts: domains and enums may differ between servers.
            if types[0] is None or types[0] != types[1]:
                raise UsageError(f"--cast: the type {cast} differs between the sides or does not exist")
            found[cast] = types[0]
        return found

    def _require_selected(self) -> None:
        """Raises UsageError for a pattern that no table on either side fits: a slip must not compare less."""
        names = {**self.sides[0].bare_names, **self.sides[1].bare_names}
        for pattern in self.options.select:
            if not any(is_selected(title, own, [pattern]) for title, own in names.items()):
                there = dict.fromkeys(title for side in self.sides for title in side.places)
                raise UsageError(
                    f"no table matches {pattern}",
                    nearest_pattern(pattern, there, "* matches any characters"),
                )

    def _left_out(self, left: tuple[NotCompared, ...]) -> tuple[NotCompared, ...]:
        """What was not compared: beside what the catalogue says, what the options left out."""
        options, more = self.options, []
        if options.select:
            old, new = (
                str(len(count_scope(side.snapshot.catalogue)) - len(side.seen)) for side in self.sides
            )
            if (old, new) != ("0", "0"):
                more.append(NotCompared("tables that were not selected", old, new))
        if options.ignored:
            names = ", ".join(sorted(f"{table}.{column}" for table, column in options.ignored))
            more.append(NotCompared("columns left out with --ignore", names, ""))
        return (*left, *more)

    def _schema(self, schemas: Mapping[str, str], renames: Renames) -> Found:
        if not self.options.schema:
            return [], [], (NotCompared("the schema", "left out with --rows-only", ""),)
        self.on_progress("comparing the schemas", 0, 0)
        return compare_live_schemas(self.sides, schemas, renames, selected=bool(self.options.select))

    def _table(self, title: str, encoding: str, casts: Mapping[str, TypeFacts]) -> TableDiff:
        if self.stop.requested:
            return unread(title, None, f"not compared: {self.stop.reason}")
        tables = [side.seen.get(title) for side in self.sides]
        for side, table in zip(self.sides, tables, strict=True):
            if table is not None and (reason := side.unavailable(table)):
                return unread(title, table, f"{side.when}: {reason}")
        if tables[0] is None or tables[1] is None:
            return self._lonely(title, tables, encoding, casts)
        pair = [self._side(table) for table in tables if table is not None]
        plan = plan_pair(title, pair[0], pair[1], self.options, casts)
        if self.options.ignored:
            # A column that is ignored is not compared, so neither is its type.
            kept = tuple(c for c in plan.schema if (title, c.name) not in self.options.ignored)
            plan = replace(plan, schema=kept)
        if self.options.since.get(title, ("", ""))[1] is None and not integer_key(plan):
            raise UsageError(
                f"--added-since {title}: its key is not a single integer",
                f"name a column: --added-since {title}.COLUMN=VALUE",
            )
        made = compare_table(
            Comparison(
                self.sides,
                plan,
                encoding,
                self.options,
                self.observer,
                self.allowance,
                self.sink,
                self.seed,
            )
        )
        left = sorted(column for table, column in self.options.ignored if table == title)
        if left:
            return replace(made, how=f"{made.how}; left out as asked: {', '.join(left)}")
        return made

    def _side(self, table: Table) -> PairedTable:
        return PairedTable(table, Context(self.options.zone, self._text_encoding()))

    def _lonely(
        self, title: str, tables: list[Table | None], encoding: str, casts: Mapping[str, TypeFacts]
    ) -> TableDiff:
        """A table of one side: a difference of the schema, with its rows counted, and read for a sink."""
        number = 0 if tables[1] is None else 1
        table, other = tables[number], self.sides[1 - number]
        assert table is not None
        # Said as a partition, not as a missing table.
        if other.is_partition(title):
            why = f"{other.when} it is a partition, compared as part of its parent, so it has no counterpart"
            return unread(title, table, why)
        try:
            ((rows,),) = self.sides[number].ask(
                qualified(f"SELECT count(*) FROM {quote(table.schema)}.{quote(table.name)}")
            )
        except DatabaseError as error:
            return unread(title, table, error.fact)
        if self.sink is not None:
            alone = self._side(table)
            plan = plan_pair(title, alone, alone, self.options, casts)
            list_rows(self.sides[number], number, plan, encoding, self.sink)
        gone, come = (0, rows) if number else (rows, 0)
        return TableDiff(
            title,
            table.primary_key,
            gone,
            come,
            added=come,
            removed=gone,
            changed=0,
            how=f"the table exists only {self.sides[number].when}",
        )

    def _fenced(self, tables: list[TableDiff]) -> list[TableDiff]:
        """Tables that were truncated or rewritten meanwhile have no answer; nor have any, if that cannot
        be found out.
        """
        try:
            moved = set().union(*both(lambda number: self.sides[number].moved()))
        except KisaanError as error:
            why = f"whether tables were rewritten meanwhile could not be checked: {error.fact}"
            return [replace(t, unknown=(*t.unknown, Unknown(rows_of(t.table), why))) for t in tables]
        why = "it was truncated or rewritten during the comparison; run again"
        return [
            replace(t, unknown=(*t.unknown, Unknown(rows_of(t.table), why))) if t.table in moved else t
            for t in tables
        ]


def resolved(options: DiffOptions, known: Mapping[str, str]) -> DiffOptions:
    """The same options with tables by their full titles; ``known`` are their own names, by title.

    Raises UsageError: a misspelled name must not change what is compared.
    """

    def title(option: str, name: str) -> str:
        schema, bare = split_name(name)
        exact = [t for t in dict.fromkeys((name, title_of(name))) if t in known]
        # An exact title wins; otherwise the bare name, if it means one table.
        fit = exact[:1] or sorted(t for t, own in known.items() if not schema and own == bare)
        if len(fit) != 1:
            raise UsageError(
                f"{option}: "
                f"{'several tables are named' if fit else 'no selected table on either side is named'} "
                f"{name}",
                "write schema.table" if fit else nearest(name, [*known, *known.values()], ""),
            )
        return fit[0]

    return replace(
        options,
        keys={title("--key", table): columns for table, columns in options.keys.items()},
        casts={(title("--cast", table), column): cast for (table, column), cast in options.casts.items()},
        since={title("--added-since", table): since for table, since in options.since.items()},
        ignored=frozenset((title("--ignore", table), column) for table, column in options.ignored),
    )
