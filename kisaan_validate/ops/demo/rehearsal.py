"""The night before: the demonstration's migration is rehearsed on a copy made from a dump of its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kisaan_validate.dumps.read import read_dump
from kisaan_validate.errors import DatabaseError
from kisaan_validate.ops.demo.assets import Assets
from kisaan_validate.ops.demo.place import DATABASE, Playground, embedded_postgres, zone_of
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.doors import DumpDoors, rehearsed_dump
from kisaan_validate.rehearse.migrate import read_sources
from kisaan_validate.rehearse.migrating import Migrating
from kisaan_validate.rehearse.rehearsal import SOURCE, RehearsalOutcome, RehearsalRequest, rehearse
from kisaan_validate.rehearse.run import REHEARSAL_SETTINGS
from kisaan_validate.scratch.server import Scratch, scratch_server
from kisaan_validate.suite.load import Suite

READER_SECONDS = 3.0
"""So long a reader is left open: enough to see the queue behind it, short enough for a demonstration."""


def rehearse_story(place: Playground, assets: Assets, folder: str, suite: Suite) -> RehearsalOutcome:
    """Dump the demo's database as it is, restore the dump into another server, run the migrations of
    ``folder`` there. Nothing of the copy is left. Raises KisaanError.

    The ``suite`` says what rows are called. It is not run on the copy, and nothing is interrupted: the story
    itself runs it, a minute later.
    """
    with _dumped(place) as dump, scratch_server(embedded_postgres(), settings=REHEARSAL_SETTINGS) as scratch:
        return rehearse(_request(dump, scratch, assets, folder, suite))


@contextmanager
def _dumped(place: Playground) -> Iterator[Path]:
    """A dump of the demo's database, beside its server, whose folder is erased with it."""
    # The demo started its server itself.
    assert place.scratch is not None
    dump = Path(place.scratch.folder) / "work" / "night-before.dump"
    words = ["-F", "c", "-Z", "0", "-f", str(dump)]
    done = place.scratch.client("pg_dump", words, database=DATABASE, role="postgres")
    if not done.ok:
        raise DatabaseError(f"pg_dump failed: {done.err_tail.strip() or done.cut}", "try again")
    try:
        yield dump
    finally:
        dump.unlink()


def _request(dump: Path, scratch: Scratch, assets: Assets, folder: str, suite: Suite) -> RehearsalRequest:
    stop = Stop()
    facts = read_dump(dump)
    doors = DumpDoors(dump, facts, scratch, stop)
    made = doors.make(SOURCE)
    return RehearsalRequest(
        scratch,
        Migrating(scratch, read_sources(assets.demo / folder), stop=stop),
        rehearsed_dump(facts, made),
        by=None,
        settings={"TimeZone": zone_of(folder)},
        rollback=doors.rollback(DATABASE),
        reader_seconds=READER_SECONDS,
        points=0,
        nouns=suite.settings.nouns,
        stop=stop,
    )
