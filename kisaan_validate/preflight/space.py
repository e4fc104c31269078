"""How much disk the migration needs: a rewritten table stands twice until its transaction ends, with its
indexes and TOAST, and about as much goes into the WAL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.preflight import EvidenceRow, PreflightItem, PreflightTopic
from kisaan_validate.facts.receipt import RehearsalReceipt
from kisaan_validate.facts.rehearsed import Rehearsed
from kisaan_validate.facts.titles import split_name
from kisaan_validate.preflight.asked import Answers, Inquiry
from kisaan_validate.preflight.tables import types_seen
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.numbers import counted

SAY = Answers(PreflightTopic.DISK)

_SIZE = qualified("""
SELECT coalesce((SELECT sum(pg_total_relation_size(p.relid)) FROM pg_partition_tree(c.oid) AS p),
                pg_total_relation_size(c.oid))::bigint,
       coalesce((SELECT s.spcname::text FROM pg_tablespace AS s WHERE s.oid = c.reltablespace), '')
FROM pg_class AS c WHERE c.oid = %(oid)s""")

FROM_TAPE, FROM_CONTRACT = "the rehearsal rewrote", "the contract changes types of"


@dataclass(frozen=True)
class Rewrites:
    """The tables that get a new file, by title, and how that is known. ``wal`` is what the rehearsal wrote
    into the WAL in bytes, None where that is not known. ``grown`` are bytes by which tables grew in it that
    were not rewritten.
    """

    tables: tuple[str, ...]
    known_by: str
    wal: int | None = None
    grown: int = 0


def disk_enough(inquiry: Inquiry) -> Iterator[PreflightItem]:
    """What is needed and, where a path on the host was given, whether that much is free."""
    if inquiry.left_out("disk"):
        return
    rewrites = _rewrites(inquiry)
    if rewrites is None:
        hint = "rehearse it (--receipt), or name a --contract"
        yield SAY.unknown("rewrites", "which tables the migration rewrites is not known", hint)
        return
    inquiry.rewritten = rewrites.tables
    sized = list(_sizes(inquiry, rewrites))
    for one in sized:
        if one.size is None:
            todo = "ask again when the table is free; leave it out with --without disk"
            yield SAY.unknown("size", f"the size of {one.table} is not known: {one.why}", todo)
    if any(one.size is None for one in sized):
        return
    yield from _needed(inquiry, rewrites, sized)


@dataclass(frozen=True)
class SizedTable:
    """A table and its bytes with indexes and TOAST; None with the reason. ``space``: its tablespace, "" for
    the database's own.
    """

    table: str
    size: int | None
    space: str = ""
    why: str = ""


def _rewrites(inquiry: Inquiry) -> Rewrites | None:
    given = inquiry.asked.given
    receipt = given.receipt.record if given.receipt is not None else None
    rehearsed = given.rehearsed.record if given.rehearsed is not None else None
    if receipt is not None and rehearsed is not None and _belong(receipt, rehearsed):
        return _of_tape(rehearsed)
    if inquiry.asked.contract is None or inquiry.catalogue is None:
        return None
    seen = [one for one in types_seen(inquiry) if one.column is not None and not one.done]
    named = (inquiry.catalogue.find(one.promise.place[0]) for one in seen)
    titles = dict.fromkeys(table.title for table in named if table is not None)
    return Rewrites(tuple(titles), FROM_CONTRACT)


def _belong(receipt: RehearsalReceipt, rehearsed: Rehearsed) -> bool:
    """Whether the facts beside a receipt are those of its rehearsal, and whole."""
    same = receipt.at == rehearsed.at and receipt.dump.sha256 == rehearsed.dump.sha256
    return same and rehearsed.rehearsal.alone.migration.succeeded and not rehearsed.rehearsal.alone.tape.gaps


def _of_tape(rehearsed: Rehearsed) -> Rewrites:
    statements = rehearsed.rehearsal.alone.tape.statements
    # Files that the migration itself created replace nothing.
    new = [one for statement in statements for one in statement.rewrites if not one.ours]
    tables = dict.fromkeys(_title(one.relation) for one in new)
    grown = sum(
        max(0, change.after - change.before)
        for statement in statements
        for change in statement.sizes
        if change.before is not None and change.after is not None and _title(change.relation) not in tables
    )
    # A statement within another one is counted in the outer one's figure.
    wal = [statement.wal_bytes for statement in statements if not statement.within]
    known = [bytes_ for bytes_ in wal if bytes_ is not None]
    return Rewrites(tuple(tables), FROM_TAPE, sum(known) if known and len(known) == len(wal) else None, grown)


def _title(relation: str) -> str:
    schema, name = split_name(relation)
    return name if schema in {"", "public"} else f"{schema}.{name}"


def _sizes(inquiry: Inquiry, rewrites: Rewrites) -> Iterator[SizedTable]:
    if not rewrites.tables:
        return
    catalogue = inquiry.catalogue
    with inquiry.looking():
        for title in rewrites.tables:
            table = catalogue.find(title) if catalogue is not None else None
            # An index that is rewritten by itself is counted with its table.
            if table is None:
                yield SizedTable(title, None, "", "it is not among the tables of the suite's schemas")
                continue
            yield _size(inquiry, title, table.oid)


def _size(inquiry: Inquiry, title: str, oid: int) -> SizedTable:
    try:
        rows = inquiry.session.execute_within(_SIZE, {"oid": oid})
    except DatabaseError as error:
        if error.lost:
            raise
        return SizedTable(title, None, "", error.fact)
    if not rows or rows[0][0] is None:
        return SizedTable(title, None, "", "it was dropped meanwhile")
    return SizedTable(title, int(rows[0][0]), rows[0][1])


def _needed(inquiry: Inquiry, rewrites: Rewrites, sized: list[SizedTable]) -> Iterator[PreflightItem]:
    files = sum(one.size or 0 for one in sized)
    need = 2 * files + rewrites.grown + max(0, (rewrites.wal or 0) - files)
    rows: tuple[EvidenceRow, ...] = tuple(
        (("table", one.table), ("bytes", f"{one.size or 0:,}"), ("tablespace", one.space)) for one in sized
    )
    fact = f"{rewrites.known_by} {counted(len(sized), 'table')}"
    if sized:
        fact += f" of {files:,} bytes with indexes and TOAST: up to {need:,} bytes for new files and WAL"
    elif need:
        fact += f", and it wrote {need:,} bytes into tables and WAL"
    path = inquiry.asked.rules.disk
    if path is None:
        yield SAY.unknown(
            "free space",
            f"{fact}; the free space is not known",
            "on the server's host give --disk FOLDER, or look there and leave it out: --without disk",
            rows,
        )
        return
    yield from _free(inquiry, fact, need, rows)
    other = [one.table for one in sized if one.space]
    if other:
        yield SAY.unknown(
            "tablespaces",
            f"{', '.join(other[:3])} {'lies' if len(other) == 1 else 'lie'} in another tablespace: "
            "whether there is room was not asked",
            "look at that disk, then leave it out: --without disk",
        )


def _free(inquiry: Inquiry, fact: str, need: int, rows: tuple[EvidenceRow, ...]) -> Iterator[PreflightItem]:
    path = inquiry.asked.rules.disk
    try:
        found = os.statvfs(str(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        yield SAY.unknown(
            "free space", f"{fact}; the disk of --disk cannot be read: {reason}", "check the path"
        )
        return
    free = found.f_bavail * found.f_frsize
    if free < need:
        yield SAY.no_go(
            "free space", f"{fact}; {free:,} bytes are free", "make room, or migrate in steps", rows
        )
    else:
        yield SAY.go("free space", f"{fact}; {free:,} bytes are free", rows)
