"""How long nothing takes: ``--help``, and a run over an empty database. Medians, and ratios to a bare
interpreter.

python benchmarks/startup.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from conftest import embedded_server  # noqa: E402

ROUNDS = 7
SUITE = "from kisaan_validate import declare\ndeclare.no_column_of_type('money')\n"


def seconds(words: list[str], env: dict[str, str], folder: str) -> float:
    """The wall time of one process."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], env=env, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - start


def main() -> None:
    """Measure interleaved, print a line for each."""
    with embedded_server() as server, tempfile.TemporaryDirectory() as folder:
        checks = Path(folder) / "checks"
        checks.mkdir()
        (checks / "empty.py").write_text(SUITE)
        (checks / "suite.toml").write_text('name = "empty"\n')
        env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": server.dsn(server.create())}
        cases = {
            "bare interpreter": ["-c", "pass"],
            "--help": ["-m", "kisaan_validate", "--help"],
            "run over an empty database": ["-m", "kisaan_validate", "run"],
        }
        times: dict[str, list[float]] = {name: [] for name in cases}
        # Interleaved, so that a busy moment of the machine meets every case.
        for _ in range(ROUNDS):
            for name, words in cases.items():
                times[name].append(seconds(words, env, folder))
        bare = statistics.median(times["bare interpreter"])
        for name, taken in times.items():
            middle = statistics.median(taken)
            print(
                f"{name:<28} median {middle:.3f} s  (min {min(taken):.3f}, max {max(taken):.3f})  × bare "
                f"{middle / bare:.1f}"
            )


if __name__ == "__main__":
    main()
