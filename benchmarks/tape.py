"""How much a tape slows a migration: ``python benchmarks/tape.py [rows] [times]``. The best of several times,
with and without the tape in turn, of a rewrite, an index and an update, and of a hundred small changes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.rehearse.ours import OurSessions  # noqa: E402
from kisaan_validate.rehearse.run import REHEARSAL_SETTINGS  # noqa: E402
from kisaan_validate.rehearse.tape import TapeRecorder  # noqa: E402
from kisaan_validate.scratch.server import Scratch, scratch_server  # noqa: E402

SETUP = """CREATE TABLE notes (id integer PRIMARY KEY, body text, n integer);
INSERT INTO notes SELECT g, md5(g::text), g FROM generate_series(1, {rows}) AS g"""
LARGE = """ALTER TABLE notes ALTER COLUMN n TYPE bigint;
CREATE INDEX notes_body ON notes (body);
UPDATE notes SET body = body || '.' WHERE id % 4 = 0"""
SMALL = ";\n".join(f"ALTER TABLE notes ADD COLUMN c{n} integer" for n in range(100))


def migrated(scratch: Scratch, sql: str) -> float:
    """Seconds that the migration takes on a new copy of the database."""
    connection = scratch.connect("copy", scratch.owner)
    start = time.perf_counter()
    connection.cursor().execute(sql)
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def once(scratch: Scratch, sql: str, taped: bool) -> float:
    """The same, with a tape or without."""
    scratch.clone("base", "copy")
    try:
        if not taped:
            return migrated(scratch, sql)
        with TapeRecorder(OurSessions(lambda: scratch.connect("copy")), {"m.sql": sql}):
            return migrated(scratch, sql)
    finally:
        scratch.drop("copy")


def main(rows: int, times: int) -> None:
    """Print the best times and what the tape adds."""
    with scratch_server(settings=REHEARSAL_SETTINGS) as scratch:
        scratch.create("base")
        connection = scratch.connect("base", scratch.owner)
        connection.cursor().execute(SETUP.format(rows=rows))
        connection.close()
        for name, sql in (("large changes", LARGE), ("100 small changes", SMALL)):
            pairs = [(once(scratch, sql, False), once(scratch, sql, True)) for _ in range(times)]
            plain, taped = (min(pair[n] for pair in pairs) for n in (0, 1))
            print(f"{name}: {plain:.3f} s without, {taped:.3f} s with a tape: {taped / plain - 1:+.1%}")


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*(given or [500_000, 5]))
