"""What proving a backup costs beside restoring it: ``python benchmarks/backup.py [rows]``.

A table of ``rows`` rows (5,000,000), with text, money, times, an index and a foreign key, is dumped by
``backup take`` and proved by ``backup verify``, as people run them. Comparing is all that is not restoring.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

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
        proved = ours(["backup", "verify", "bench.dump"], folder, environment)
        certificate = json.loads((folder / "bench.dump.certificate.json").read_text())
        restored = certificate["evidence"]["restored"]["seconds"]
    print(f"{rows:,} rows: take {taken:.1f} s, verify {proved:.1f} s, of which restoring {restored:.1f} s")
    rest = proved - restored
    print(f"comparing and all else: {rest:.1f} s, {rest / restored:.0%} of restoring")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000)
