"""A dump and a baseline of one snapshot: both, and a record that binds them, or nothing that looks whole."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kisaan_validate.backup.dumping import DumpRun, find_pg_dump, remove, run_pg_dump, words_of
from kisaan_validate.backup.sealing import sealed_key
from kisaan_validate.dataclass import dataclass
from kisaan_validate.dumps.read import read_dump
from kisaan_validate.errors import RecordError, UsageError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.certificate import BackupTaken
from kisaan_validate.facts.run import Run
from kisaan_validate.plan.keyed import SealedDigests
from kisaan_validate.postgres.schemas import own_schemas
from kisaan_validate.postgres.target import Target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.request import Observer, Progress
from kisaan_validate.record.certificate import taken_to_json
from kisaan_validate.record.codec import baseline_to_json, digest_of
from kisaan_validate.record.files import sync_folder, write_files
from kisaan_validate.suite.load import Suite, SuiteSettings, suite_of
from kisaan_validate.version import VERSION

PARTIAL = ".partial"
"""What follows the name of a dump while it is written."""

RECORD = ".backup.json"


@dataclass(frozen=True)
class TakeWish:
    """Where dump and baseline go. ``format`` is pg_dump's word; ``pg_bin`` a folder with another pg_dump."""

    dump: Path
    baseline: Path
    format: str = "custom"
    jobs: int = 1
    wait_ms: int = 2_000
    pg_bin: Path | None = None
    force: bool = False

    @property
    def record(self) -> Path:
        """The record beside the dump."""
        return beside(self.dump, RECORD)

    @property
    def partial(self) -> Path:
        """Where the dump is written before it is known to be whole."""
        return beside(self.dump, PARTIAL)


def beside(dump: Path, ending: str) -> Path:
    """A file beside a dump, named after it."""
    return dump.with_name(f"{dump.name}{ending}")


def check_wish(wish: TakeWish) -> None:
    """Say before hours of reading what would keep the files from being written. Raises UsageError."""
    if not wish.dump.name or not wish.dump.parent.is_dir():
        raise UsageError(f"there is no folder {wish.dump.parent} for the dump", "create it, or name another")
    if wish.dump.resolve() == wish.baseline.resolve():
        raise UsageError("dump and baseline cannot be one file", "give --output another name")
    there = [path for path in (wish.dump, wish.baseline, wish.record) if path.exists() or path.is_symlink()]
    if there and not wish.force:
        raise UsageError(f"{there[0]} already exists", "choose another name, or pass --force to replace it")
    if any(path.is_dir() for path in (wish.baseline, wish.record)):
        raise UsageError(f"{wish.baseline} is a folder", "name a file")


class Taking:
    """Takes the dump while the snapshot of a baseline is held; to be given to a run as ``while_held``."""

    def __init__(self, wish: TakeWish, target: Target, observer: Observer, stop: Stop) -> None:
        self.wish, self.target, self.observer, self.stop = wish, target, observer, stop
        self.sealed = SealedDigests.fresh()
        self.dumped: DumpRun | None = None
        self.client = ""
        self.taken: BackupTaken | None = None
        self.unkept: RecordError | None = None
        self.lost = False
        self.ended = datetime.now(UTC)

    def __call__(self, measured: Run, alive: Callable[[], bool]) -> None:
        """Dump the snapshot of ``measured``; keep dump, baseline and record only if all of it is good."""
        if self.taken is not None or measured.interrupted:
            return
        began = datetime.now(UTC)
        wish, place = self.wish, measured.place
        found = find_pg_dump(place.server_version_num, wish.pg_bin)
        self.client = found.label
        program = found.program("pg_dump")
        assert program is not None
        words, secret = words_of(
            self.target, place, wish.partial, wish.format, jobs=wish.jobs, wait_ms=wish.wait_ms
        )
        remove(wish.partial)
        try:
            self.dumped = run_pg_dump(program, words, secret, self.target.hide, self.stop, self._tell)
            # A session that was lost before pg_dump had joined it shows in its errors; one lost later does
            # not matter to the dump.
            self.lost, self.ended = not alive(), datetime.now(UTC)
            if self.dumped.good:
                self._keep(measured, began)
        # It says nothing of the data, and the run that was measured has an end of its own.
        except RecordError as error:
            self.unkept = error
        finally:
            remove(wish.partial)

    def _tell(self) -> None:
        self.observer(Progress("dumping", size_of(self.wish.partial)))

    def _keep(self, measured: Run, began: datetime) -> None:
        """Give all three their names, the record last: it says that the others are whole."""
        assert self.dumped is not None
        wish, place = self.wish, measured.place
        facts = read_dump(wish.partial)
        if facts.complete is False:
            said = f"pg_dump reported no error, but the dump is not whole: {facts.damage}"
            self.dumped = replace(self.dumped, errors=(said,))
            return
        text = baseline_to_json(baseline_of(measured))
        sealed = tuple(self.sealed.known.values())
        key = sealed_key(self.sealed.secret, wish.partial) if sealed else ""
        taken = BackupTaken(
            dump=wish.dump.name,
            format=facts.format.value,
            size=facts.size,
            sha256=facts.sha256,
            snapshot=place.snapshot,
            baseline=os.path.relpath(wish.baseline, wish.dump.parent),
            baseline_digest=digest_of(text),
            database=place.database,
            host=place.host,
            port=place.port,
            system_identifier=place.system_identifier,
            server_version=place.server_version,
            client=self.client,
            started_at=place.at,
            finished_at=self.ended,
            dump_seconds=self.dumped.seconds,
            held_seconds=(self.ended - place.at).total_seconds(),
            exit_code=self.dumped.code,
            warnings=self.dumped.warnings,
            taken_by=operating_user(),
            tool_version=VERSION,
            sealed=tuple(sorted(sealed, key=lambda one: (one.table, one.column))),
            sealed_key=key,
        )
        # Both are whole on the disk before the dump gets its name.
        record = (wish.record, taken_to_json(taken))
        write_files([(wish.baseline, text), record], lambda: _into_place(wish))
        self.taken = taken


def _into_place(wish: TakeWish) -> None:
    """Rename the dump to its name; what had the name goes first, as a folder cannot be replaced. Raises
    RecordError.
    """
    try:
        # The old record goes before the old dump: it would speak of another file.
        with suppress(FileNotFoundError):
            wish.record.unlink()
        if wish.dump.is_dir() or wish.partial.is_dir():
            remove(wish.dump)
        wish.partial.rename(wish.dump)
        sync_folder(wish.dump.parent)
    except OSError as error:
        raise RecordError(
            f"cannot write {wish.dump}: {error.strerror}", "free some space or choose another folder"
        ) from None


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder; 0 while there is none."""
    try:
        if path.is_dir():
            return sum(entry.stat().st_size for entry in os.scandir(path))
        return path.stat().st_size
    except OSError:
        return 0


def operating_user() -> str:
    """The operating system's user, "" where it has no name."""
    try:
        return getpass.getuser()
    # In a container the user's number need not have a name.
    except (KeyError, OSError):
        return ""


def whole_suite(suite: Suite | None, schemas: Mapping[str, int]) -> Suite:
    """The suite, or one without checks, that looks at every table of these schemas: a backup holds them
    all.
    """
    made = suite if suite is not None else suite_of(settings=SuiteSettings(name="backup"))
    settings = made.settings
    more = [name for name in own_schemas(schemas) if name not in settings.schemas]
    there = [name for name in settings.schemas if name in schemas or suite is not None]
    return replace(
        made, settings=replace(settings, schemas=(*there, *more) or ("public",), exclude_tables=())
    )
