"""What an answer rests on: the heap of every table that is judged, or what the run was told to believe.

A statement is compiled so that the planner does not see what is declared of the rows it reads. Where that
cannot be (inside a view, in SQL that needs the table's key), what the planner may conclude from a
declaration is proved first, by a scan.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import TYPE_CHECKING

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.execute.heap import (
    ANYHOW,
    LOOKUPS,
    NotRead,
    beside_heap,
    explained,
    not_read,
    refusal,
    too_large,
    undo,
)
from kisaan_validate.execute.plans import QueryPlan, Scan
from kisaan_validate.facts.catalogue import Catalogue, Declared, UniqueIndex
from kisaan_validate.facts.run import StatementFacts
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.statements import Reads
from kisaan_validate.plan.trust import Trust
from kisaan_validate.postgres.declared import Parts, read_declared, read_parts
from kisaan_validate.postgres.session import Session, Setting
from kisaan_validate.sql.apart import filters_plainly, groups_rows, speaks_of_null
from kisaan_validate.sql.expressions import APART, quote
from kisaan_validate.sql.qualify import authored, qualified

if TYPE_CHECKING:
    # It brings the reader of suites along, which a comparison of two live sides needs not.
    from kisaan_validate.plan.plan import Plan as Prepared

# Since PostgreSQL 17 ``IS NULL`` on a NOT NULL column is folded to false without reading a row.
FOLDS_NULL = 170_000
"""From this version on the planner takes NOT NULL for the answer of a test for NULL."""

DECLARED = ("the bounds of", "NOT NULL of")
"""How what stands for rows is called where it is no index."""

_COMPARED = re.compile(r"(parent|looked)(_\d+)?")
"""The alias of rows that others refer to (``plan.joins.join_pass``, ``plan.measure.value``),
and of its partitions.
"""

_NAME = re.compile(r'"(?:[^"]|"")*"|[^\W\d][\w$]*')
"""A name in SQL, or another word of it."""

# A function of the author's that is given a whole row may test any column of it.
_AS_A_WHOLE = re.compile(r'(?<!\bAS )(?<![\w$"])"?(child|parent)"?(?![\w$"])(?!\s*\.)', re.IGNORECASE)

# Only with trusted constraints: pruning leaves partitions unread on the word of their bounds.
_PRUNING: tuple[Setting, ...] = (("enable_partition_pruning", "on"),)


@dataclass(frozen=True)
class DeclaredClaim:
    """Something declared of a relation that a scan can prove: ``sql`` counts what speaks against it."""

    what: str
    sql: str


@dataclass
class Ground:
    """What is believed in a run, and what was proved of the rest; shared by its workers.

    ``parts`` are the tables of which others are made. ``declared`` says what the planner goes by where it
    is shown a table bare; ``definitions`` is the text of the views among these. ``log`` has the statements
    that proved something.
    """

    trust: Trust = field(default_factory=Trust)
    parts: Parts = field(default_factory=dict)
    declared: Mapping[TableKey, Sequence[Declared]] = field(default_factory=dict)
    definitions: str = ""
    log: list[StatementFacts] = field(default_factory=list)
    _known: dict[DeclaredClaim, str] = field(default_factory=dict)
    _locks: dict[DeclaredClaim, threading.Lock] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def under(
        self, session: Session, reads: Reads, sql: str, ids: tuple[str, ...] = (), *, bounded: bool = False
    ) -> Iterator[tuple[str, ...]]:
        """In the block, ``sql`` can be run in this session, which otherwise reads heaps only; it gets what
        stands for rows that are not read out of the heap, in words.

        ``bounded``: what it writes is known to be little, whatever the planner takes it for. Raises
        TooLarge and NotRead for what is not run, and DatabaseError for what the server says to it.
        """
        # Claims are proved before the statement is planned: what follows from an untrue one must not run.
        for claim in self._unproved(session, reads, sql):
            self._prove(session, claim, ids)
        settings, plan, beside = self._way(session, reads, sql)
        if not bounded and (large := too_large(session, plan)):
            raise large
        self._refuse(reads, plan, beside)
        yield (*self._shown(reads, plan, beside), *self._unseen(session, reads, sql))
        # Not in a ``finally``: after an error the transaction is
        # aborted, and the caller's rollback undoes SET LOCAL.
        undo(session, settings)

    # --- the plan ------------------------------------------------------------------------------------------

    def _way(
        self, session: Session, reads: Reads, sql: str
    ) -> tuple[tuple[Setting, ...], QueryPlan, tuple[Scan, ...]]:
        """The settings under which it is run, and now stands, its plan, and the scans that do not read the
        heap of what is judged.
        """
        # Only VERBOSE names schemas: without them another table may have a partition's name.
        verbose = any(self.parts.get(key) for key in reads.tables)
        for settings in self._settings(reads):
            plan = explained(session, sql, settings, verbose=verbose)
            beside = beside_heap(session, sql, plan, lambda scan: self._is_found(scan, reads))
            # Believed plans stand as they are; ``_refuse`` holds them against what is trusted.
            if reads.believed or not beside:
                return settings, plan, beside
            undo(session, settings)
        # No way was acceptable, so it is planned once more with heaps only, and judged as it is then.
        plan = explained(session, sql, verbose=verbose)
        return (), plan, beside_heap(session, sql, plan)

    def _settings(self, reads: Reads) -> Iterable[tuple[Setting, ...]]:
        """What is tried before all indexes are left out."""
        if reads.believed:
            yield (*(ANYHOW if self.trust.indexes else ()), *(_PRUNING if self.trust.constraints else ()))
        elif reads.found or not reads.tables:
            yield LOOKUPS  # what reads no table of the database's own reads the server's catalogue

    def _is_found(self, scan: Scan, reads: Reads) -> bool:
        """Whether an index may find these rows: those of a table that rows are only compared with, under
        its alias there.
        """
        # A plan names partitions, not the partitioned table.
        tables = {part for key in reads.found for part in self.parts.get(key, (key,))}
        # The alias tells a looked-up table from the same table where it is judged (a self-reference).
        return (scan.schema, scan.relation) in tables and _COMPARED.fullmatch(scan.alias) is not None

    def _refuse(self, reads: Reads, plan: QueryPlan, beside: tuple[Scan, ...]) -> None:
        if (error := not_read(beside)) and not (reads.believed and self.trust.indexes):
            raise error
        # Pruning can also happen for a condition that contradicts
        # the bounds; a missing partition is an unread row.
        if (left := self._left_out(reads, plan)) and not (reads.believed and self.trust.constraints):
            raise NotRead(
                f"not run: {left} would not be read",
                "run with --trust-constraints if you know that its bounds hold",
            )
        # Of bare tables it was proved that what is declared is true: what follows from it is, too.
        if not plan.scans and not reads.bare and any(self.parts.get(key, (key,)) for key in reads.tables):
            raise NotRead(
                "not run: a condition is false for every row, so no row would be read",
                "correct the condition",
            )

    def _left_out(self, reads: Reads, plan: QueryPlan) -> str:
        """The partitions (or children) of a table that its plan does not read; "" if it reads all of them,
        or none.
        """
        seen = {(scan.schema, scan.relation) for scan in plan.scans}
        for key in reads.tables:
            parts = self.parts.get(key, ())
            # An author's SELECT may rightly need no row of a table, as below ``WHERE false`` of one branch.
            if reads.authored and seen.isdisjoint(parts):
                continue  # no row of it is needed
            if missing := [name for schema, name in parts if (schema, name) not in seen]:
                more = f" and {len(missing) - 1} more parts" if len(missing) > 1 else ""
                return f"{missing[0]}{more} of {key[1]}"
        return ""

    # --- what is believed, and what is proved --------------------------------------------------------------

    def _shown(self, reads: Reads, plan: QueryPlan, beside: Iterable[Scan]) -> Iterator[str]:
        """What the plan itself shows to stand for rows."""
        yield from dict.fromkeys(scan.words for scan in beside)
        if reads.believed and (left := self._left_out(reads, plan)):
            yield f"the bounds of partitions, which exclude {left}"

    def _unseen(self, session: Session, reads: Reads, sql: str) -> Iterator[str]:
        """What may stand for rows without being seen in the plan, because it is believed."""
        if self.trust.constraints and (names := self._tested_for_null(session, reads, sql)):
            yield f"NOT NULL of {', '.join(d.name for d in names)}"
        # A unique index lets the planner drop a join or grouped columns without showing up in the plan.
        if (self.trust.constraints or self.trust.indexes) and (keys := self._matched(reads, sql)):
            yield f"index {', '.join(index.name for _, index in keys)}"

    def _unproved(self, session: Session, reads: Reads, sql: str) -> Iterator[DeclaredClaim]:
        """What the planner may conclude something from that is not believed."""
        if not self.trust.constraints:
            tested = self._tested_for_null(session, reads, sql, proving=True)
            yield from map(_never_null, self._narrowed(tested, reads, sql))
        if not (self.trust.constraints or self.trust.indexes):
            yield from (_no_two(declared, index) for declared, index in self._matched(reads, sql))

    def _bare(self, reads: Reads) -> list[Declared]:
        return list(dict.fromkeys(declared for key in reads.bare for declared in self.declared.get(key, ())))

    def _text(self, reads: Reads, sql: str) -> str:
        """What could test bare columns: of SQL that the engine wrote only what stands in views."""
        if reads.authored or reads.believed:
            return f"{sql}\n;\n{self.definitions}"
        return self.definitions

    def _tested_for_null(
        self, session: Session, reads: Reads, sql: str, *, proving: bool = False
    ) -> list[Declared]:
        """The relations whose NOT NULL may answer a test; ``proving``: in case of doubt all."""
        declared = [declared for declared in self._bare(reads) if declared.not_null]
        if not declared or session.version < FOLDS_NULL:
            return []
        tested = speaks_of_null(self._text(reads, sql)) or (proving and self._may_test(reads))
        return declared if tested else []

    def _narrowed(self, tested: Iterable[Declared], reads: Reads, sql: str) -> Iterator[Declared]:
        """Of SQL that the engine wrote over tables: their columns that it names, for no other is tested."""
        told = reads.authored or self.definitions or _AS_A_WHOLE.search(sql)
        words = set() if told else _names_in(sql)
        for one in tested:
            named = tuple(name for name in one.not_null if told or name in words)
            if named:
                yield replace(one, not_null=named)

    def _may_test(self, reads: Reads) -> bool:
        """Whether a test for NULL may come from what others wrote, though it names none: of the body of a
        function, or of two columns of a view that are one column of its table.
        """
        return reads.authored or not filters_plainly(self.definitions)

    def _matched(self, reads: Reads, sql: str) -> list[tuple[Declared, UniqueIndex]]:
        """The unique indexes by which the planner may stop at the first of several rows, or group by fewer
        columns.
        """
        bare = self._bare(reads)
        # Two relations may be joined, one may be grouped: only then does uniqueness decide anything.
        apart = len(set(reads.tables) - set(reads.bare))
        matched = len(bare) + apart > 1 or groups_rows(self._text(reads, sql))
        if matched:
            return [(declared, index) for declared in bare for index in declared.unique]
        return []

    def _prove(self, session: Session, claim: DeclaredClaim, ids: tuple[str, ...]) -> None:
        """Raises DatabaseError where a claim is not true, or cannot be proved."""
        # Two locks: the outer one only hands out the lock of
        # a claim, so proofs of different claims run at once.
        with self._lock:
            lock = self._locks.setdefault(claim, threading.Lock())
        with lock:  # the other workers wait for the one that scans
            if claim not in self._known:
                self._known[claim] = self._against(session, claim, ids)
        # The answer is kept, also a refusal: a scan of a large table is not repeated for each check.
        if why := self._known[claim]:
            raise NotRead(
                f"not run: PostgreSQL would rely on {claim.what}, and {why}",
                "fix that, or read the tables themselves in the check",
            )

    def _against(self, session: Session, claim: DeclaredClaim, ids: tuple[str, ...]) -> str:
        """What speaks against a claim, "" for nothing. Raises DatabaseError if the session is lost."""
        try:
            # The proof itself must read the heap, or it would lean on the very index it is about.
            if why := refusal(session, claim.sql):
                return f"that cannot be proved: {why.fact}"
            ((count,),), taken = session.timed(claim.sql)
        except DatabaseError as error:
            if error.lost:
                raise
            return f"that cannot be proved: {error.fact}"
        self.log.append(StatementFacts(f"proof: {claim.what}", claim.sql, ids, taken))
        return f"{count:,} rows contradict it" if count else ""


def read_ground(session: Session, plan: Prepared, catalogue: Catalogue, trust: Trust) -> Ground:
    """The ground for the statements of a plan: what their tables are made of, and what is declared of bare
    ones.

    Raises DatabaseError.
    """
    read = [statement.reads for statement in plan.counting]
    read += [
        slot.query.reads for statement in plan.passes for slot in statement.slots if slot.query is not None
    ]
    tables, bare = ({key for reads in read for key in getattr(reads, name)} for name in ("tables", "bare"))
    parts = read_parts(session, [catalogue.tables[key] for key in sorted(tables)])
    declared, definitions = read_declared(session, [catalogue.tables[key] for key in sorted(bare)])
    return Ground(trust, parts, declared, definitions)


def _names_in(sql: str) -> set[str]:
    """All that may be a column's name in SQL, quoted or not."""
    found = _NAME.findall(sql)
    return {word[1:-1].replace('""', '"') for word in found if word.startswith('"')} | {
        form for word in found for form in (word, word.lower())
    }


def _never_null(declared: Declared) -> DeclaredClaim:
    columns, table = (
        ", ".join(map(quote, declared.not_null)),
        f"{quote(declared.schema)}.{quote(declared.name)}",
    )
    # NOT NULL and unique indexes of a parent say nothing
    # of its children; a partitioned table has no own rows.
    only = "" if declared.partitioned else "ONLY "
    # A function, because a test for NULL is what the planner would answer by the declaration.
    sql = f"SELECT count(*) FILTER (WHERE num_nulls({columns}) > 0)\nFROM {only}{table}"
    return DeclaredClaim(f"NOT NULL of {declared.name}", qualified(sql))


def _no_two(declared: Declared, index: UniqueIndex) -> DeclaredClaim:
    names = [f"k{n}" for n in range(len(index.keys))]
    keys, listed = (
        ", ".join(f"{authored(key)} AS {name}" for key, name in zip(index.keys, names, strict=True)),
        ", ".join(names),
    )
    table = f"{'' if declared.partitioned else 'ONLY '}{quote(declared.schema)}.{quote(declared.name)}"
    # A partial index speaks only of the rows that its predicate admits.
    where = f" WHERE ({authored(index.where)}) IS TRUE" if index.where else ""
    # Where NULLs are distinct, rows with a NULL may repeat.
    filled = f"\nWHERE num_nulls({listed}) = 0" if index.nulls else ""
    # Set apart, because the grouping would otherwise be answered by the index that is in doubt.
    inner = f"SELECT {keys} FROM {table}{where}{APART}"
    groups = f"SELECT count(*) AS n FROM ({inner}) AS q{filled}\nGROUP BY {listed}\nHAVING count(*) > 1"
    counted = qualified(f"SELECT coalesce(sum(n), 0)::bigint FROM (\n{groups}\n) AS d")
    return DeclaredClaim(f"the unique index {index.name} of {declared.name}", counted)
