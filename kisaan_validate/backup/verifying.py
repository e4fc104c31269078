"""Verifies a dump: read, restored into a scratch server, measured, compared; its evidence is certified."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from kisaan_validate.backup.finding import (
    CERTIFICATE,
    FoundBaseline,
    changed_since,
    complaints,
    earlier_backups,
    find_baseline,
    record_of,
)
from kisaan_validate.backup.judge import judge_backup
from kisaan_validate.backup.keys import integrity_of
from kisaan_validate.backup.limits import not_proved
from kisaan_validate.backup.sealing import shown_of, unsealed
from kisaan_validate.backup.taking import beside, operating_user, whole_suite
from kisaan_validate.compare.tables import row_counts
from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.dumps.restore import restore
from kisaan_validate.errors import DatabaseError, Interrupted, RecordError, UsageError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.certificate import (
    BackupAsked,
    BackupEvidence,
    BackupTaken,
    Certificate,
    NewestValue,
)
from kisaan_validate.facts.dump import DumpFacts, Restored
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import SequenceValue
from kisaan_validate.facts.titles import split_name
from kisaan_validate.plan.keyed import SealedDigests
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Before, Comparing, Keeping, Options
from kisaan_validate.prove.request import Observer, Progress
from kisaan_validate.prove.run import run
from kisaan_validate.scratch.installation import choose
from kisaan_validate.scratch.server import Scratch, scratch_server
from kisaan_validate.suite.load import Suite
from kisaan_validate.verdict.judgement import judge
from kisaan_validate.version import VERSION

DATABASE = "restored"
"""The database into which a dump is restored."""

GROWTH = {"": 3, "none": 3}
"""How many times its size a dump needs on disk: rows, their indexes, WAL. Compressed ones take more."""

COMPRESSED = 15


@dataclass(frozen=True)
class ScratchWish:
    """Where a dump is restored: the folder of a PostgreSQL's programs, the folder for its data, or an adopted
    server. The log of a restore that failed is kept in ``logs``, else beside the dump.
    """

    pg_bin: Path | None = None
    folder: Path | None = None
    dsn: str | None = None
    logs: Path | None = None


@dataclass(frozen=True)
class VerifyWish:
    """What is to be verified, against what. ``baseline`` None: the one of the record, or the newest beside
    the dump. ``newest`` are time columns (table, column) whose newest value is named.
    """

    dump: Path
    asked: BackupAsked
    baseline: Path | None = None
    same_snapshot: bool = False
    log: Path | None = None
    newest: tuple[tuple[str, str], ...] = ()
    jobs: int = 2
    scratch: ScratchWish = ScratchWish()
    output: Path | None = None

    @property
    def certificate(self) -> Path:
        """Where the certificate goes."""
        return self.output or beside(self.dump, CERTIFICATE)


def verify(
    wish: VerifyWish, suite: Suite | None, options: Options, observer: Observer, stop: Stop
) -> Certificate:
    """The certificate of a dump, good or not. Raises UsageError if there is no such file, RecordError
    for a baseline or record that cannot be read, and Interrupted.
    """
    began = time.monotonic()
    evidence = _Verifying(wish, suite, options, observer, stop).evidence()
    if stop.requested:
        raise Interrupted(stop.reason, "no certificate was written")
    return certified(evidence, time.monotonic() - began)


def certified(evidence: BackupEvidence, seconds: float) -> Certificate:
    """The certificate that this evidence makes, dated by its own beginning."""
    verdict, reasons = judge_backup(evidence)
    at = evidence.asked.at
    log = evidence.restored.log if evidence.restored is not None else None
    return Certificate(
        id=f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}",
        made_at=at,
        made_by=operating_user(),
        verdict=verdict,
        reasons=reasons,
        evidence=evidence,
        not_proved=not_proved(evidence),
        seconds=seconds,
        log=str(log or ""),
        tool_version=VERSION,
    )


@contextmanager
def restored_dump(
    dump: Path,
    facts: DumpFacts,
    wish: ScratchWish,
    jobs: int,
    observer: Observer,
    stop: Stop,
    locale: str = "",
) -> Iterator[tuple[Scratch, Restored]]:
    """A scratch server with the dump restored and analysed, gone at the end. ``locale`` is that of the
    database that was dumped, where it is known. Raises UsageError for what this machine lacks (a version, a
    program, room), and DatabaseError.
    """
    observer(Progress("starting a scratch server"))
    # An adopted server has its own version, which the restore looks at.
    installation = choose(facts.server_major, wish.pg_bin) if wish.dsn is None else None
    with scratch_server(
        installation,
        dsn=wish.dsn,
        need_bytes=disk_needed(facts),
        parent=wish.folder,
        # Of somebody else's disk nobody here can tell; whoever lends a server knows.
        unknown_space=wish.dsn is not None,
    ) as scratch:
        _create(scratch, facts.encoding or "UTF8", locale)
        done = restore(
            dump,
            facts,
            scratch,
            DATABASE,
            observer=lambda seen: observer(Progress("restoring", seen.done, seen.size)),
            stop=stop,
            jobs=jobs,
            log_folder=wish.logs or dump.resolve().parent,
        )
        if not stop.requested:
            observer(Progress("analysing"))
            scratch.execute("ANALYZE", DATABASE)
        yield scratch, done


def _create(scratch: Scratch, encoding: str, locale: str) -> None:
    """The empty database. In the locale of the dumped one, by which partitions of texts are found."""
    try:
        scratch.create(DATABASE, encoding=encoding, locale=locale or None)
    except DatabaseError:
        # This machine may not have it; the certificate names the difference.
        if not locale:
            raise
        scratch.create(DATABASE, encoding=encoding)


def disk_needed(facts: DumpFacts) -> int:
    """Bytes that restoring will take, estimated from the size of the dump."""
    return facts.size * GROWTH.get(facts.compression, COMPRESSED)


class _Verifying:
    """The steps of one verification, in their order."""

    def __init__(
        self, wish: VerifyWish, suite: Suite | None, options: Options, observer: Observer, stop: Stop
    ) -> None:
        self.wish, self.suite, self.options, self.observer, self.stop = wish, suite, options, observer, stop
        self.taken: BackupTaken | None = None

    def evidence(self) -> BackupEvidence:
        """All that was found before something ended the verification."""
        wish = self.wish
        if not wish.dump.exists():
            raise UsageError(f"there is no dump {wish.dump}", "check the path")
        self.taken = record_of(wish.dump)
        taken = shown_of(self.taken)
        made = BackupEvidence(wish.asked, None, taken=taken, complaints=complaints(taken, wish.log))
        made = replace(made, earlier=earlier_backups(wish.dump.parent, wish.certificate.name))
        self.observer(Progress("reading the dump"))
        try:
            facts = read_dump(wish.dump)
        except RecordError as error:
            return replace(made, unread=error.fact.replace(str(wish.dump), wish.dump.name))
        made = replace(made, dump=facts, changed=changed_since(taken, facts))
        found, missing = find_baseline(wish.dump, facts, taken, wish.baseline, same=wish.same_snapshot)
        made = replace(made, against=found.compared if found is not None else None, not_compared=missing)
        if why := _hopeless(facts):
            return replace(made, not_restored=why)
        try:
            return self._restored(made, facts, found)
        # What this machine lacks says nothing of the backup: the certificate names it.
        except (UsageError, DatabaseError) as error:
            # A server that somebody named and that may not be used is a mistake of the command line.
            if isinstance(error, UsageError) and wish.scratch.dsn is not None:
                raise
            return replace(made, not_restored=error.fact)

    def _restored(
        self, made: BackupEvidence, facts: DumpFacts, found: FoundBaseline | None
    ) -> BackupEvidence:
        wish = self.wish
        locale = found.baseline.place.collation if found is not None else ""
        opened = restored_dump(wish.dump, facts, wish.scratch, wish.jobs, self.observer, self.stop, locale)
        with opened as (scratch, done):
            made = replace(made, restored=done)
            if self.stop.requested or done.errors:
                return made
            try:
                made = self._measured(made, scratch, found)
            except DatabaseError as error:
                return replace(made, not_compared=error.fact)
            self.observer(Progress("checking keys"))
            integrity = integrity_of(scratch, DATABASE, self.stop, self._keys)
            return replace(made, integrity=integrity)

    def _keys(self, done: int, total: int) -> None:
        self.observer(Progress("checking keys", done, total))

    def _measured(
        self, made: BackupEvidence, scratch: Scratch, found: FoundBaseline | None
    ) -> BackupEvidence:
        """With the figures of the restored database, compared where there is a baseline."""
        suite = without_checks(whole_suite(self.suite, schemas_of(scratch)))
        since = tuple((t, c) for t, c in made.asked.added_since if _holds(made.dump, t))
        compare = Comparing(keys=0, digests=True, added_since=since)
        sealed = self._unsealed(made, found)
        if found is not None:
            if sealed is not None:
                found = replace(found, baseline=sealed.put_into(found.baseline))
            before = Before(found.baseline, found.compared.digest, other_database=True)
            compare = replace(compare, before=before)
            if not found.compared.digests:
                compare = replace(compare, added_since=())
        measured = run(
            suite,
            scratch.target(DATABASE),
            options=replace(self.options, compare=compare, keep=Keeping(sealed=sealed)),
            observer=self._told,
            stop=self.stop,
        )
        made = replace(made, newest=tuple(_newest(measured, self.wish.newest)))
        return _compared(made, measured, found.baseline) if found is not None else made

    def _unsealed(self, made: BackupEvidence, found: FoundBaseline | None) -> SealedDigests | None:
        """The digests whose key only this dump gives, where its record is of this dump and baseline."""
        taken = self.taken
        if taken is None or found is None or made.changed or found.compared.digest != taken.baseline_digest:
            return None
        return unsealed(taken, self.wish.dump)

    def _told(self, event: object) -> None:
        # The scratch server's address tells the reader nothing.
        if isinstance(event, Progress):
            self.observer(event)


def _hopeless(facts: DumpFacts) -> str:
    """Why a dump is not restored at all, "" if it is."""
    if facts.complete is False:
        return "it is damaged"
    if not facts.contents.schema:
        return "it defines no table"
    stops = next((one for one in facts.refused if one.stops), None)
    return f"{stops.kind} {stops.name}: {stops.why}" if stops is not None else ""


def without_checks(suite: Suite) -> Suite:
    """The same suite, which only measures: what checks find is no matter of the backup."""
    return replace(suite, checks=(), rules={}, filters={}, criteria=())


def schemas_of(scratch: Scratch) -> dict[str, int]:
    """The schemas of the restored database, as whoever asks for schemas has them."""
    from kisaan_validate.postgres.schemas import schemas_sql

    return {str(name): int(tables) for name, tables, *_ in scratch.execute(schemas_sql(), DATABASE)}


def _holds(dump: DumpFacts | None, table: str) -> bool:
    """Whether a declared table is in the dump at all; that it is missing is told by the comparison."""
    wanted = split_name(table)
    tables = dump.contents.tables if dump is not None else ()
    names = [split_name(t.name) for t in tables]
    return any(name[1] == wanted[1] and wanted[0] in {"", name[0]} for name in names)


def _compared(made: BackupEvidence, measured: Run, baseline: Baseline) -> BackupEvidence:
    after = baseline_of(measured)
    found = judge(measured, baseline).diff
    late = {t.title: t.digests.late for t in after.tables if t.digests is not None and t.digests.late}
    if measured.interrupted:
        return replace(made, not_compared=measured.interrupted)
    return replace(
        made,
        diff=found,
        counts=row_counts(baseline, after),
        late=late,
        ahead=sequences_ahead(baseline.sequences, after.sequences),
    )


def sequences_ahead(before: Sequence[SequenceValue], after: Sequence[SequenceValue]) -> tuple[str, ...]:
    """The sequences that stand further than before, in their own direction."""
    old = {one.name: one for one in before}
    return tuple(one.name for one in after if one.name in old and _further(old[one.name], one))


def _further(a: SequenceValue, b: SequenceValue) -> bool:
    if a.last_value == b.last_value:
        return b.is_called and not a.is_called
    return (b.last_value > a.last_value) == b.ascending


def _newest(measured: Run, columns: Sequence[tuple[str, str]]) -> Iterator[NewestValue]:
    """The newest value of each declared column, as the server wrote it."""
    for table, name in columns:
        schema, own = split_name(table)
        facts = next((t for t in measured.tables if t.name == own and schema in {"", t.schema}), None)
        column = next((c for c in facts.columns if c.name == name), None) if facts is not None else None
        profile = column.profile if column is not None else None
        if profile is None:
            why = "there is no such column" if column is None else column.unmeasured or "it was not measured"
            yield NewestValue(table, name, None, why)
        elif profile.maximum is None:
            yield NewestValue(table, name, None, "it is personal" if profile.personal else "it has no value")
        else:
            yield NewestValue(table, name, profile.maximum)
