"""One live side: a session inside its own snapshot, tables locked, that answers this comparison's
statements.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from fnmatch import fnmatchcase
from typing import TypeVar

from kisaan_validate.compare.renaming.bodies import Printed
from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError, UsageError
from kisaan_validate.execute.heap import TooLarge, by_index, heap_only, refusal
from kisaan_validate.execute.recovery import SAVEPOINT, give_back, recover
from kisaan_validate.execute.snapshot import Snapshot, rewritten, take_snapshot
from kisaan_validate.facts.catalogue import Table, TypeFacts
from kisaan_validate.facts.table import SchemaObject, SequenceValue
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.live.merge import Pipe
from kisaan_validate.live.renamed import Pairs, RenamedTables, moved_tables
from kisaan_validate.postgres.catalogue import blocked_relations, count_scope, read_catalogue
from kisaan_validate.postgres.locktable import await_room
from kisaan_validate.postgres.schema import read_beside, read_bodies, read_objects, read_sequences
from kisaan_validate.postgres.session import Limits, Rows, Session
from kisaan_validate.postgres.standby import require_young
from kisaan_validate.postgres.target import Target
from kisaan_validate.postgres.types import read_type
from kisaan_validate.process.stopping import Stop
from kisaan_validate.sql.expressions import text_literal, to_sql

Answer = TypeVar("Answer")

# Buckets are many small groups; hashed in memory they need one pass.
_TUNED = (("work_mem", "'64MB'"), ("max_parallel_workers_per_gather", "4"), ("enable_hashagg", "on"))
"""For one session of ours: buckets are hashed in memory, by several workers where the server has them."""


@dataclass
class LiveSide:
    """One side. ``when`` is "before" or "after"; ``schemas`` in the order in which the other side's
    correspond.
    """

    when: str
    target: Target
    schemas: tuple[str, ...]
    limits: Limits
    titles: Mapping[str, str]
    foreign: tuple[str, ...] = ()
    renamed: Pairs = ()
    stop: Stop = field(default_factory=Stop)
    named: RenamedTables = field(init=False, default_factory=RenamedTables)
    session: Session = field(init=False)
    snapshot: Snapshot = field(init=False)
    seen: dict[str, Table] = field(init=False, default_factory=dict)
    twofold: frozenset[str] = field(init=False, default=frozenset())

    def open(self, select: Sequence[str]) -> None:
        """Connect, look, lock what is selected, fix the snapshot. Raises KisaanError."""
        self.session = Session(self.target, self.limits, self.schemas, self.stop)
        self.session.begin()
        first = read_catalogue(self.session, self.schemas, {})
        # Its snapshot must not be the comparison's: it was taken before the locks.
        self.session.execute("ROLLBACK")
        self.named = self._moved(count_scope(first))
        # Selected tables alone: a comparison of one table must not lock a whole database.
        wanted = [t for t in count_scope(first) if is_selected(self.title(t.key), t.name, select)]
        self.snapshot = take_snapshot(
            self.session, wanted, self.schemas, {}, self.target.source, self.foreign, share=2
        )
        tables = count_scope(self.snapshot.catalogue)
        self.seen = {title: t for t in tables if is_selected(title := self.title(t.key), t.name, select)}
        shown = Counter(self.title(t.key) for t in tables)
        # The title does not say which of two tables is meant, so neither is compared.
        self.twofold = frozenset(title for title, tables_of in shown.items() if tables_of > 1)
        self.session.tune(_TUNED)
        # What a failed statement returns to; locks and snapshot lie before it.
        self.session.execute(f"SAVEPOINT {SAVEPOINT}")
        self.guarded(lambda: require_young(self.snapshot.place.standby, self.limits.standby_seconds))

    def title(self, key: TableKey) -> str:
        """What a table is called in the comparison, on both sides alike: as after."""
        title = self._own_title(key)
        return self.named.titles.get(title, title)

    def _own_title(self, key: TableKey) -> str:
        schema = self.titles.get(key[0], key[0])
        return key[1] if schema == "public" else f"{schema}.{key[1]}"

    @property
    def bare_names(self) -> dict[str, str]:
        """The own names of the tables that are compared, by title."""
        return {title: table.name for title, table in self.seen.items()}

    @property
    def places(self) -> dict[str, TableKey]:
        """(schema as after, name) of every relation, by the title that it has on its own side."""
        return {
            self._own_title(key): (self.titles.get(key[0], key[0]), key[1])
            for key in self.snapshot.catalogue.tables
        }

    def _moved(self, tables: Sequence[Table]) -> RenamedTables:
        """The tables that are declared to be renamed. Raises UsageError."""
        titles = {self._own_title(table.key) for table in tables}
        return moved_tables(
            self.renamed, titles, {(self._own_title(t.key), name) for t in tables for name in t.columns}
        )

    @property
    def outside(self) -> list[str]:
        """The tables that are compared although another server holds their rows."""
        return sorted(title for title, t in self.seen.items() if t.foreign and not self.unavailable(t))

    def is_partition(self, title: str) -> bool:
        """Whether a partition is called so: it is there, though its rows are compared within its parent."""
        return any(
            t.partition and self.title(t.key) == title for t in self.snapshot.catalogue.tables.values()
        )

    def unavailable(self, table: Table) -> str:
        """Why a table cannot be read, or ""."""
        if (title := self.title(table.key)) in self.twofold:
            return (
                f"several tables are named {title} (one of them has a dot in its name): compare "
                "their schemas one at a time"
            )
        return self.snapshot.unavailable.get(table.key, ("", ""))[1]

    def objects(self) -> tuple[tuple[SchemaObject, ...], dict[str, str]]:
        """What the schema consists of, and what could not be read. Raises DatabaseError."""

        def work() -> tuple[tuple[SchemaObject, ...], dict[str, str]]:
            objects, unread = read_objects(self.session, self.schemas, blocked_relations(self.session))
            beside, why = read_beside(self.session, self.schemas)
            return (*objects, *beside), unread | why

        return self.guarded(work)

    def bodies(self, names: Collection[str]) -> Printed:
        """The printed bodies of these functions, as far as they can be read. Raises DatabaseError."""
        return self.guarded(lambda: read_bodies(self.session, self.schemas, names))

    def sequences(self) -> tuple[tuple[SequenceValue, ...], dict[str, str]]:
        """Where the sequences stand, outside the snapshot, and which could not be read. Raises
        DatabaseError.
        """
        return self.guarded(lambda: read_sequences(self.session, self.schemas))

    def type_named(self, name: str) -> TypeFacts | None:
        """The type that a declared cast names. Raises DatabaseError."""
        return self.guarded(lambda: read_type(self.session, name))

    def ask(self, sql: str, zone: str = "") -> Rows:
        """The rows of a statement, which is not run if it would write too much. Raises DatabaseError; can
        be asked again.

        ``zone``: the session runs in this time zone meanwhile ("": in UTC, as always).
        """

        def work() -> Rows:
            self._enter()
            # A statement that reads rows must not find them by an index; one that only guesses may.
            with heap_only(self.session):
                if why := refusal(self.session, sql):
                    raise why
                if not zone:
                    return self.session.execute(sql)
                # In the zone a cast says the same as AT TIME ZONE, which costs five times as much.
                self.session.tune([("TimeZone", to_sql(text_literal(zone)))])
                rows = self.session.execute(sql)
                self.session.tune([("TimeZone", "'UTC'")])
                return rows

        return self.guarded(work)

    def _enter(self) -> None:
        """Where locks are taken and given back with each statement: wait for room. Raises DatabaseError."""
        if self.session.frugal:
            await_room(self.session, self.snapshot.locking.need)

    def hint(self, sql: str) -> Rows:
        """The rows of a statement whose answer only decides how something is asked: an index may give it.
        Raises DatabaseError.
        """
        return self.guarded(lambda: self.session.execute(sql))

    def guarded(self, work: Callable[[], Answer]) -> Answer:
        """``work``, and after a failure the session as it was before. Raises DatabaseError."""
        try:
            answer = work()
            give_back(self.session)
            return answer
        except DatabaseError as error:
            recover(self.session)
            raise DatabaseError(
                f"{self.when}: {error.fact}", error.hint, error.sqlstate, error.lost
            ) from None

    def stream(self, sql: str, pipe: Pipe, *, few: bool = False, indexed: bool = False) -> None:
        """Write the rows of a statement into a pipe, then its end or its failure. Raises nothing.

        ``few``: their number is known and small, whatever the planner takes a span of keys to hold.
        ``indexed``: an index may find them, because the caller knows what their digests must add up to.
        """
        try:
            self._enter()
            with heap_only(self.session):
                if indexed:
                    with by_index(self.session):
                        self.session.copy_out(f"COPY ({sql}) TO STDOUT", pipe.write)
                else:
                    why = refusal(self.session, sql)
                    if why is not None and not (few and isinstance(why, TooLarge)):
                        raise why
                    self.session.copy_out(f"COPY ({sql}) TO STDOUT", pipe.write)
            give_back(self.session)
        except DatabaseError as error:
            recover(self.session)
            pipe.end(DatabaseError(f"{self.when}: {error.fact}", error.hint, error.sqlstate, error.lost))
        except Exception as error:  # a thread that ended without a word would let the merge wait for ever
            # The merge would wait for a row that never comes.
            self.session.abandon()
            pipe.end(
                DatabaseError(
                    f"{self.when}: reading its rows ended with {type(error).__name__}",
                    "free some memory, and run again",
                    lost=True,
                )
            )
        else:
            pipe.end()

    def moved(self) -> set[str]:
        """The tables that were rewritten while they were compared. Raises KisaanError."""
        # Outside the snapshot, which would show the old files.
        watcher = Session(self.target, self.limits, self.schemas, self.stop)
        try:
            return {self.title(key) for key in rewritten(watcher, self.snapshot)}
        finally:
            watcher.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        # ``open`` may have failed before the session existed.
        if hasattr(self, "session"):
            self.session.close()


def is_selected(title: str, name: str, patterns: Iterable[str]) -> bool:
    """Whether a table was asked for, by its title or its own name: no pattern asks for all."""
    listed = list(patterns)
    return not listed or any(fnmatchcase(said, pattern) for pattern in listed for said in (title, name))


def paired_schemas(before: Sequence[str], after: Sequence[str]) -> Mapping[str, str]:
    """Which schema after corresponds to which before, in their order. Raises UsageError."""
    if len(before) != len(after):
        raise UsageError(
            "the numbers of schemas before and after differ",
            "give one --after-schema for each --before-schema",
        )
    return dict(zip(before, after, strict=True))
