"""What proving a backup costs beside restoring it: ``python benchmarks/backup.py [rows]``.

A table of ``rows`` rows (5,000,000), with text, money, times, an index and a foreign key, is dumped by
``backup take`` and proved by ``backup verify``, whose steps are timed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.backup import keys, verifying  # noqa: E402
from kisaan_validate.cli.main import main as main_command  # noqa: E402
from kisaan_validate.scratch.server import scratch_server  # noqa: E402

SETUP = """
CREATE TABLE shops (id integer PRIMARY KEY, name text NOT NULL);
INSERT INTO shops SELECT g, 'shop ' || g FROM generate_series(1, 1000) AS g;
CREATE TABLE payments (id bigint PRIMARY KEY, shop_id integer NOT NULL REFERENCES shops,
  amount numeric(12,2) NOT NULL, status text NOT NULL, reference text NOT NULL,
  paid_at timestamptz, created_at timestamptz NOT NULL);
INSERT INTO payments SELECT g, 1 + g % 1000, (g % 100000) / 100.0,
  (ARRAY['PAID','PENDING','FAILED'])[1 + g % 3], md5(g::text),
  timestamptz '2025-01-01 00:00+00' + g * interval '3 seconds',
  timestamptz '2025-01-01 00:00+00' + g * interval '3 seconds' FROM generate_series(1, {rows}) AS g;
CREATE INDEX payments_shop_id ON payments (shop_id);
ANALYZE"""


def ours(words: list[str], folder: Path, environment: dict[str, str]) -> float:
    """Seconds of one of our commands, which must pass."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "kisaan_validate", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return time.perf_counter() - start


COMPARING = ("run", "check_keys")
"""The steps that compare: rows, figures, digests, schema and sequences; unique and foreign keys."""


def verified(dump: Path) -> dict[str, float]:
    """Seconds of the steps of ``backup verify``, which must pass, in this process."""
    spent: dict[str, float] = {}

    def timed(module: Any, name: str) -> None:
        work = getattr(module, name)

        def instead(*words: Any, **more: Any) -> Any:
            start = time.perf_counter()
            try:
                return work(*words, **more)
            finally:
                spent[name] = time.perf_counter() - start

        setattr(module, name, instead)

    for module, name in ((verifying, "read_dump"), (verifying, "restore"), (verifying, "run")):
        timed(module, name)
    for name in ("check_keys", "check_indexes"):
        timed(keys, name)
    if code := main_command(["backup", "verify", str(dump), "-q"]):
        raise SystemExit(code)
    return spent


def main(rows: int) -> None:
    """Print the seconds of taking, restoring and comparing."""
    with scratch_server(settings={"fsync": "off"}) as scratch, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scratch.create("bench")
        connection = scratch.connect("bench", scratch.owner)
        connection.cursor().execute(SETUP.format(rows=rows))
        connection.close()
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **scratch.environment("bench")}
        environment["KISAAN_DSN"] = environment["DATABASE_URL"]
        taken = ours(["backup", "take", "--dump", "bench.dump", "-o", "bench.json"], folder, environment)
        start = time.perf_counter()
        spent = verified(folder / "bench.dump")
        proved = time.perf_counter() - start
    restored = spent["restore"]
    compared = sum(spent[step] for step in COMPARING)
    steps = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in spent.items())
    print(f"{rows:,} rows: take {taken:.1f} s, verify {proved:.1f} s: {steps}")
    print(f"comparing rows, values, schema, keys: {compared:.1f} s, {compared / restored:.0%} of restoring")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
