"""Rehearses each migration of the gallery and scores it: ``make gallery-migrations``.

A file of ``tests/gallery_migrations`` says in its first lines what must be found: the rules that it breaks,
whom its locks keep out of which table, and who waits beside a reader that is left open. Each must be found,
and nothing more.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent)]

import psycopg2  # noqa: E402
from rehearsing import Stage, as_psql, at_once, staged  # noqa: E402

from kisaan_validate.facts.rehearsal import CanaryAccess, MigrationDone, RehearsedRun  # noqa: E402
from kisaan_validate.rehearse.rules import rule_findings  # noqa: E402

FOLDER = Path(__file__).resolve().parent / "gallery_migrations"
FILES = tuple(sorted(path for path in FOLDER.glob("*.sql") if path.name != "setup.sql"))
READER_SECONDS = 1.0
"""As long the reader stays open: far longer than any of these migrations takes, so that waits are its own."""

WHO = {CanaryAccess.READ: "readers", CanaryAccess.WRITE: "writers"}


@dataclass(frozen=True)
class GalleryLooks:
    """What is expected of a migration, or was found: rules, and (table, who) kept out and made to wait."""

    finds: frozenset[str]
    keeps_out: frozenset[tuple[str, str]]
    waits: frozenset[tuple[str, str]]


@dataclass(frozen=True)
class GalleryMigration:
    """A migration of the gallery."""

    name: str
    what: str
    sql: str
    batch: bool
    expected: GalleryLooks

    @property
    def dangerous(self) -> bool:
        """Whether something is to be found."""
        return bool(self.expected.finds)


def read_migration(path: Path) -> GalleryMigration:
    """A migration with what its first lines say."""
    sql = path.read_text(encoding="utf-8")
    head = dict(re.findall(r"^-- (finds|keeps out|waits|sent): (.*)$", sql, re.MULTILINE))
    finds = frozenset() if head["finds"] == "nothing" else frozenset(head["finds"].split(", "))
    looks = GalleryLooks(finds, _people(head["keeps out"]), _people(head["waits"]))
    return GalleryMigration(path.stem, sql.splitlines()[0][3:], sql, "sent" in head, looks)


def _people(text: str) -> frozenset[tuple[str, str]]:
    if text == "nobody":
        return frozenset()
    parts = [part.split() for part in text.split("; ")]
    return frozenset((part[0], who) for part in parts for who in part[1:])


def look(stage: Stage, source: str, migration: GalleryMigration) -> tuple[GalleryLooks, list[str]]:
    """What a rehearsal finds, and what went wrong with the rehearsal itself."""
    alone = _run(stage, source, migration, None)
    beside = _run(stage, source, migration, READER_SECONDS)
    wrong = [f"{gap}" for run in (alone, beside) for gap in (*run.tape.gaps, *run.canaries.gaps)]
    wrong += [f"{s.tag}: {s.error}" for run in (alone, beside) for s in run.tape.statements if s.error]
    found = frozenset(finding.rule for finding in rule_findings(alone.tape))
    return GalleryLooks(found, _kept_out(alone), _waited(beside)), wrong


def _run(stage: Stage, source: str, migration: GalleryMigration, reader: float | None) -> RehearsedRun:
    name = f"{migration.name}_{'alone' if reader is None else 'beside'}"
    stage.scratch.clone(source, name)
    send: Any = at_once(migration.sql) if migration.batch else as_psql(migration.sql)

    def migrate() -> MigrationDone:
        connection = psycopg2.connect(stage.scratch.dsn(name))
        connection.autocommit = True
        try:
            send(connection.cursor())
        finally:
            connection.close()
        return MigrationDone(True, 0.0)

    try:
        return stage.rehearsed(name, {f"{migration.name}.sql": migration.sql}, migrate, reader_seconds=reader)
    finally:
        stage.scratch.drop(name)


def _kept_out(run: RehearsedRun) -> frozenset[tuple[str, str]]:
    kept = set()
    for lock in (lock for statement in run.tape.statements for lock in statement.locks):
        table = (lock.table or lock.relation).removeprefix("public.")
        kept |= {(table, "readers")} if lock.blocks_reads else set()
        kept |= {(table, "writers")} if lock.blocks_writes else set()
    return frozenset(kept)


def _waited(run: RehearsedRun) -> frozenset[tuple[str, str]]:
    """Who waited at least for half of the time for which the reader stayed: for it, not for a busy machine."""
    long = [outage for outage in run.canaries.outages if outage.longest.most >= READER_SECONDS / 2]
    return frozenset((outage.relation.removeprefix("public."), WHO[outage.access]) for outage in long)


def differences(expected: GalleryLooks, found: GalleryLooks) -> list[str]:
    """What was missed, and what was found beyond; [] if all is right."""
    said = []
    for field in ("finds", "keeps_out", "waits"):
        wanted, got = getattr(expected, field), getattr(found, field)
        said += [f"{field}: missed {one}" for one in sorted(wanted - got)]
        said += [f"{field}: invented {one}" for one in sorted(got - wanted)]
    return said


def main() -> int:
    """Print the score; 1 if any is wrong."""
    wrong = 0
    for version in (18, 15):
        right = 0
        with staged(version) as stage:
            source = stage.database((FOLDER / "setup.sql").read_text(encoding="utf-8"))
            for path in FILES:
                migration = read_migration(path)
                found, troubles = look(stage, source, migration)
                said = [*differences(migration.expected, found), *troubles]
                right += not said
                kind = "dangerous" if migration.dangerous else "harmless"
                print(f"{version}  {migration.name:<36} {kind:<9}  {'; '.join(said) or 'right'}", flush=True)
        print(f"{version}  {right} of {len(FILES)} right")
        wrong += len(FILES) - right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
