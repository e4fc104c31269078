"""How a dump goes into a copy: properly, and as the runbook's rollback does, which goes on after errors.

Both go through the one door of ``dumps``, so that nothing in a dump runs that pg_dump would not write.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kisaan_validate.dumps.clients import choose_clients
from kisaan_validate.dumps.door import Door
from kisaan_validate.dumps.ground import read_ground
from kisaan_validate.dumps.restore import restore
from kisaan_validate.dumps.source import archive_sql, plain_sql
from kisaan_validate.dumps.statements import Rulings
from kisaan_validate.errors import DatabaseError, RecordError
from kisaan_validate.facts.dump import DumpFacts, DumpFormat, Restored
from kisaan_validate.facts.rehearsed import RehearsedDump
from kisaan_validate.process.stopping import Stop
from kisaan_validate.rehearse.rehearsal import RollbackDoors
from kisaan_validate.rehearse.rollback import commands_of, errors_said

if TYPE_CHECKING:
    from kisaan_validate.scratch.client import Finished
    from kisaan_validate.scratch.server import Scratch


class DumpDoors:
    """One dump, and its ways into databases of a scratch server."""

    def __init__(self, dump: Path, facts: DumpFacts, scratch: Scratch, stop: Stop) -> None:
        self.dump, self.facts, self.scratch, self.stop = dump, facts, scratch, stop

    def make(self, database: str, observer: Any = None) -> Restored:
        """A new database from the dump. Raises KisaanError, also where the restore has errors."""
        self.scratch.create(database, encoding=self.facts.encoding or "UTF8")
        made = restore(
            self.dump, self.facts, self.scratch, database, observer=observer, stop=self.stop, jobs=2
        )
        if not made.whole:
            hint = f"the log is {made.log}" if made.log else ""
            raise RecordError(f"the dump could not be restored: {made.errors[0]}", hint)
        return made

    def proper(self, database: str) -> tuple[str, ...]:
        """The same for a rollback: the errors, () if there were none."""
        self.scratch.create(database, encoding=self.facts.encoding or "UTF8")
        return restore(self.dump, self.facts, self.scratch, database, stop=self.stop, jobs=2).errors

    def literal(self, database: str) -> Finished:
        """The dump into a database as it is, whatever fails: ``psql database < dump``.

        Raises RecordError where the door leaves out what matters here: then it would not be the command.
        """
        client = choose_clients(self.facts, self.scratch)
        rulings = Rulings(read_ground(self.scratch, database))
        plain = self.facts.format is DumpFormat.PLAIN
        pieces = (
            plain_sql(self.dump, lambda _: None)
            if plain
            else archive_sql(self.dump, self.facts, self.scratch, client, self.stop)
        )
        key = secrets.token_hex(24)
        door: Any = Door(pieces, rulings, preamble=f"\\restrict {key}\n", ending=f"\\unrestrict {key}\n")
        words = ["-q", "-A", "-t", "-v", "VERBOSITY=terse", "-f", "-"]
        try:
            finished = self.scratch.client(
                "psql", words, database=database, stdin=door, stop=self.stop, options=client
            )
        finally:
            pieces.close()  # type: ignore[attr-defined]
        if self.scratch.full:
            raise DatabaseError(f"the scratch server may have failed of it: {self.scratch.full}")
        if rulings.skipped["DROP"]:
            fact = "the dump first drops what is there (--clean), which is left out here"
            raise RecordError(fact, "rehearse the rollback with a dump without --clean")
        # pg_restore goes on after errors as psql does, and then ends with 1.
        failed = not plain and bool(errors_said(finished.err_tail)) and finished.ok
        return replace(finished, code=1) if failed else finished

    def rollback(self, database: str) -> RollbackDoors:
        """Both rollbacks of a production database of this name."""
        archive = self.facts.format is not DumpFormat.PLAIN
        return RollbackDoors(commands_of(self.dump.name, archive, database), self.literal, self.proper)


def rehearsed_dump(facts: DumpFacts, made: Restored) -> RehearsedDump:
    """A dump that was restored, as the page shows it."""
    left = (f"{one.kind} {one.name}: {one.why}" for one in made.left_out)
    packed = f", {facts.compression}" if facts.compression not in {"", "none"} else ""
    return RehearsedDump(
        facts.name,
        facts.sha256,
        facts.size,
        f"{facts.format}{packed}",
        facts.server_version,
        facts.taken_at,
        made.seconds,
        tuple(left),
        (*made.notes, f"restored by {made.client}"),
    )
