"""How long little takes: ``--help``, and a run of 30 declared checks on five tables of a hundred rows, its
page and the index included; the same with a pandera model beside them.

python benchmarks/startup.py

Medians of processor and wall time of the whole process, and ratios to importing SQLAlchemy and sqlglot, pair
by pair; the most memory of one process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import embedded_server  # noqa: E402

ROUNDS = 9
BASE = "import sqlalchemy, sqlglot"
TABLE = """CREATE TABLE t{n} (id int PRIMARY KEY, parent int, email text, amount numeric(10,2), a date,
b date, status text);
INSERT INTO t{n} SELECT i, i, 'x' || i, i, '2020-01-01', '2020-01-02', 'new' FROM generate_series(1, 100) i;
"""
CHECKS = """declare.unique("t{n}", "email")
declare.references("t{n}", "parent", "t{m}")
declare.holds("t{n}", "amount >= 0", id="t{n}.amount")
declare.holds("t{n}", "a <= b", id="t{n}.dates")
declare.minimum_rows("t{n}", 1)
declare.column("t{n}", "status", type="text")
"""
MODEL = """import pandera.pandas as pa


class T0(pa.DataFrameModel):
    email: str = pa.Field(metadata={"type": "text"})

    class Config:
        name = "t0"
"""


@dataclass(frozen=True)
class Taken:
    """What one process took: seconds of the processor and of the wall, megabytes."""

    processor: float
    wall: float
    memory: float


def taken(words: list[str], env: dict[str, str], folder: Path) -> Taken:
    """Run one process; it must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *words], env=env, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    # wait4, because only it tells what this one process used, and what it forked off.
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return Taken(used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / 1024)


def suites(folder: Path) -> dict[str, Path]:
    """Folders to run in: declared checks only, and with a model."""
    made = {
        "run of 30 declared checks": folder / "declared",
        "the same with a pandera model": folder / "model",
    }
    for place in made.values():
        (place / "checks").mkdir(parents=True)
        (place / "checks" / "suite.toml").write_text('name = "small"\n')
        lines = "".join(CHECKS.format(n=n, m=(n + 1) % 5) for n in range(5))
        (place / "checks" / "all.py").write_text(f"from kisaan_validate import declare\n\n{lines}")
    (folder / "model" / "checks" / "model.py").write_text(MODEL)
    return made


def main() -> None:
    """Measure interleaved, print a line for each."""
    with embedded_server() as server, tempfile.TemporaryDirectory() as name:
        database = server.create("".join(TABLE.format(n=n) for n in range(5)) + "SELECT 1")
        env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": server.dsn(database)}
        # As an installed package has it: else each process would compile the sources again.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = ["-m", "kisaan_validate"]
        cases = {"import sqlalchemy, sqlglot": (["-c", BASE], Path(name))}
        cases["import pandera.pandas beside"] = (["-c", f"{BASE}, pandera.pandas"], Path(name))
        cases["--help"] = ([*command, "--help"], Path(name))
        cases |= {said: ([*command, "run"], place) for said, place in suites(Path(name)).items()}
        found: dict[str, list[Taken]] = {said: [] for said in cases}
        # Interleaved, so that a busy moment of the machine meets every case; the first round fills caches.
        for number in range(ROUNDS + 1):
            for said, (words, place) in cases.items():
                one = taken(words, env, place)
                found[said] += [one] if number else []
    base = next(iter(found.values()))
    for said, all_ in found.items():
        processor = statistics.median(one.processor for one in all_)
        ratio = statistics.median(o.processor / b.processor for o, b in zip(all_, base, strict=True))
        wall = statistics.median(one.wall for one in all_)
        walls = statistics.median(o.wall / b.wall for o, b in zip(all_, base, strict=True))
        print(
            f"{said:<30} CPU {processor:.2f} s × {ratio:.1f}   wall {wall:.2f} s × {walls:.1f}   "
            f"{max(one.memory for one in all_):.0f} MB"
        )


if __name__ == "__main__":
    main()
