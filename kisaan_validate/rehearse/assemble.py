"""Puts a tape together: what was heard, sampled and known becomes statements with their facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.tape import (
    DroppedObject,
    SeenBy,
    StatementOutcome,
    TableRewrite,
    TableScan,
    TapeDetail,
    TapeLock,
    TapeStatement,
)
from kisaan_validate.personal.masking import told_of_rows
from kisaan_validate.rehearse.heard import HeardStatement
from kisaan_validate.rehearse.known import KnownCatalogue, KnownTable, TableMoves, known_table, moves
from kisaan_validate.rehearse.locks import LockTeller, Taken, exact_locks, flattened
from kisaan_validate.rehearse.origins import FileOrigins, FilePlace, shown_text
from kisaan_validate.rehearse.sampler import SampledLock
from kisaan_validate.rehearse.times import setting_seconds
from kisaan_validate.rehearse.transactions import HeardTransaction, StatementFate, kind_of, savepoint_of
from kisaan_validate.sql.splitting import lexemes

REASONS = {1: "persistence", 2: "default value", 4: "column type", 8: "access method"}
"""Bits of pg_event_trigger_table_rewrite_reason()."""

_VERIFIED = re.compile(r'(verifying|rewriting) table "(.*)"\Z')
_VALIDATED = re.compile(r'validating foreign key constraint "(.*)"\Z')
_BUILT = re.compile(r'building index "(.*)" on table "(.*)" (?:serially|with)')


@dataclass(frozen=True)
class TapeGround:
    """What statements are put together from, beside what was heard. ``started`` in seconds since 1970.

    ``writers`` are the times in which other sessions had a transaction id. ``shared`` says why WAL cannot be
    told apart in any case, "" if nothing does.
    """

    catalogue: KnownCatalogue
    origins: FileOrigins
    teller: LockTeller
    writers: Sequence[SampledLock]
    started: float
    shared: str


class TapeAssembly:
    """Makes the statements of transactions, which must come in the order in which they ended."""

    def __init__(self, ground: TapeGround) -> None:
        self._ground = ground
        self._sessions: dict[str, int] = {}
        self._transactions = 0

    def statements(self, transaction: HeardTransaction) -> Iterator[tuple[HeardStatement, TapeStatement]]:
        """The statements of one transaction, which is then committed to the catalogue if it was."""
        self._transactions += 1
        catalogue = self._ground.catalogue
        for statement in flattened(transaction.statements):
            for note in statement.notes:
                catalogue.learn(note["locks"])
        taken = exact_locks(transaction.statements, catalogue)
        exact = {lock for locks in taken.values() for lock in locks}
        state: dict[int, KnownTable] = {}
        kept: dict[str, dict[int, KnownTable]] = {}
        for statement, fate in zip(transaction.statements, transaction.fates, strict=True):
            before = dict(state)
            for one in (statement, *statement.inner):
                yield (
                    one,
                    self._one(one, fate if one is statement else _inner(one, fate), taken, exact, state),
                )
            if kind_of(statement) == "savepoint":
                kept[savepoint_of(statement)] = before
            elif kind_of(statement) == "back":
                # What was taken back is not there for the next statements.
                state = dict(kept.get(savepoint_of(statement), {}))
            elif fate.outcome is StatementOutcome.FAILED:
                state = before
        if transaction.committed is not None:
            catalogue.tables.update(state)
            catalogue.committed |= {oid for oid, _ in exact} & catalogue.relations.keys()
            catalogue.committed |= state.keys()

    def _one(
        self,
        heard: HeardStatement,
        fate: StatementFate,
        taken: Taken,
        exact: set[tuple[int, str]],
        state: dict[int, KnownTable],
    ) -> TapeStatement:
        teller, inner = self._ground.teller, heard.outer is not None
        locks = [*teller.exact(heard, taken, fate), *teller.sampled(heard, exact, fate)]
        place = self._place(heard)
        wal, reason = self._wal(heard)
        moved = self._moves(heard, state)
        committed = fate.outcome is StatementOutcome.COMMITTED
        return TapeStatement(
            number=0,
            session=self._sessions.setdefault(heard.session, len(self._sessions) + 1),
            transaction=self._transactions,
            text=shown_text(heard.text, own=place is not None),
            file=place.file if place else "",
            line=place.line if place else None,
            tag=heard.tag,
            start=self._since(heard.start),
            end=None if heard.end is None else self._since(max(heard.end, heard.start)),
            committed=self._since(fate.released) if committed and fate.released else None,
            outcome=fate.outcome,
            seen_by=SeenBy.TRIGGER if heard.notes else SeenBy.SAMPLES,
            error=self._error(heard),
            sqlstate=heard.sqlstate,
            locks=tuple(locks),
            scans=tuple(self._scans(heard, locks)),
            rewrites=tuple(self._rewrites(heard)),
            dropped=tuple(_dropped(heard)),
            sizes=moved.sizes,
            temp_bytes=None if inner else heard.temp_bytes,
            wal_bytes=wal,
            wal_reason=reason,
            detail=_detail(heard, moved),
        )

    def _since(self, at: float) -> float:
        # Never before the tape: the log's clock is cut to milliseconds.
        return round(max(0.0, at - self._ground.started), 6)

    def _place(self, heard: HeardStatement) -> FilePlace | None:
        found = self._ground.origins.find(heard.text)
        if heard.outer is None or heard.outer.text == "" or heard.inner_line is None:
            return found
        outer = self._ground.origins.find_again(heard.outer.text)
        if outer is None:
            return found
        # Lines of a block's body begin at the line of its opening quotation mark.
        body = next((at for kind, _, at in lexemes(heard.outer.text) if kind in {"dollar", "string"}), 0)
        first = outer.line + heard.outer.text.count("\n", 0, body)
        return FilePlace(outer.file, first + heard.inner_line - 1)

    def _error(self, heard: HeardStatement) -> str:
        if not heard.sqlstate:
            return heard.error
        catalogue = self._ground.catalogue
        names = {part for known in catalogue.relations.values() for part in (known.name, _bare(known.name))}
        names |= {column.name for table in catalogue.tables.values() for column in table.columns.values()}
        names |= {word.strip('"') for kind, word, _ in lexemes(heard.text) if kind in {"word", "name"}}
        return told_of_rows(heard.error, heard.sqlstate, names, composed=heard.composed)

    def _wal(self, heard: HeardStatement) -> tuple[int | None, str]:
        """The WAL between the notes of a statement's start and end, if nobody else wrote meanwhile."""
        at = {note["event"]: note for note in heard.notes}
        if "ddl_command_start" not in at or "ddl_command_end" not in at:
            return None, "no event trigger saw its start and end"
        if self._ground.shared:
            return None, self._ground.shared
        start, end = at["ddl_command_start"], at["ddl_command_end"]
        for seen in self._ground.writers:
            if seen.key.pid != heard.pid and seen.first <= end["at"] and seen.last >= start["at"]:
                return None, "another session wrote meanwhile"
        return int(end["wal"]) - int(start["wal"]), ""

    def _moves(self, heard: HeardStatement, state: dict[int, KnownTable]) -> TableMoves:
        catalogue, made = self._ground.catalogue, TableMoves()
        for said in (table for note in heard.notes for table in note.get("tables", ())):
            oid, after = said["oid"], known_table(said)
            before = state.get(oid) or catalogue.tables.get(oid)
            one = moves(before, after, ours=oid not in catalogue.committed)
            made = TableMoves(
                made.columns + one.columns,
                made.constraints + one.constraints,
                made.renames + one.renames,
                made.sizes + one.sizes,
            )
            state[oid] = after
        return made

    def _rewrites(self, heard: HeardStatement) -> Iterator[TableRewrite]:
        for note in heard.notes:
            if note["event"] == "table_rewrite":
                reasons = tuple(words for bit, words in REASONS.items() if note["reason"] & bit)
                name = self._ground.catalogue.name(note["oid"]) or f"relation {note['oid']}"
                ours = note["oid"] not in self._ground.catalogue.committed
                yield TableRewrite(name, reasons, note["size"], ours=ours)

    def _scans(self, heard: HeardStatement, locks: list[TapeLock]) -> Iterator[TableScan]:
        for at, message in heard.scans:
            when = self._since(at)
            if found := _VERIFIED.match(message):
                yield TableScan(self._whole(found[2], heard), found[1], when)
            elif found := _BUILT.match(message):
                yield TableScan(self._whole(found[2], heard), "building", when, index=found[1])
            elif found := _VALIDATED.match(message):
                yield TableScan("", "validating", when, constraint=found[1])

    def _whole(self, name: str, heard: HeardStatement) -> str:
        """A table's name with its schema: that of a lock which the session holds."""
        held = [f"{lock[2]}.{lock[3]}" for note in heard.notes for lock in note["locks"] if lock[3] == name]
        known = [k.name for k in self._ground.catalogue.relations.values() if _bare(k.name) == name]
        return next(iter([*held, *known]), name)


def numbered(made: Sequence[tuple[HeardStatement, TapeStatement]]) -> tuple[TapeStatement, ...]:
    """The statements in order of their start, with numbers, and with those inside tied to theirs."""
    # Stable: a statement stands before what it runs inside, which begins no earlier.
    ordered = sorted(made, key=lambda pair: (pair[1].start, pair[0].outer is not None))
    numbers = {id(heard): number for number, (heard, _) in enumerate(ordered, 1)}
    return tuple(
        replace(s, number=numbers[id(heard)], within=numbers[id(heard.outer)] if heard.outer else 0)
        for heard, s in ordered
    )


def _bare(name: str) -> str:
    return name.partition(".")[2]


def _inner(heard: HeardStatement, outer: StatementFate) -> StatementFate:
    """How a statement inside another one ended: as that one did, unless it failed itself."""
    if heard.error:
        return StatementFate(StatementOutcome.FAILED, heard.end)
    return replace(outer, outcome=StatementOutcome.ROLLED_BACK) if _undone(outer) else outer


def _undone(fate: StatementFate) -> bool:
    return fate.outcome is StatementOutcome.FAILED


def _dropped(heard: HeardStatement) -> Iterator[DroppedObject]:
    for note in heard.notes:
        for kind, identity, normal, *_ in note.get("dropped", ()):
            yield DroppedObject(kind, identity, normal)


def _detail(heard: HeardStatement, moved: TableMoves) -> TapeDetail:
    starts: list[dict[str, Any]] = [n for n in heard.notes if n["event"] == "ddl_command_start"]
    if not starts:
        return TapeDetail()
    created = tuple(name for note in heard.notes for name in note.get("created", ()))
    return TapeDetail(
        lock_timeout=setting_seconds(starts[0]["limit"]),
        time_zone=starts[0]["zone"],
        created=created,
        columns=moved.columns,
        constraints=moved.constraints,
        renames=moved.renames,
    )
