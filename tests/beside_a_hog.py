"""Look for flakes: ``python tests/beside_a_hog.py [--times 3] [PYTEST ARGUMENT ...]``.

Every test of ``make test``, several times, each time in another random order, beside processes that keep all cores
busy. Ends with 1 at the first failure, and says with which order it comes again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _spin() -> None:
    while True:
        pass


@contextmanager
def hogs() -> Iterator[None]:
    """One process for each core that does nothing but use it."""
    running = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for one in running:
        one.start()
    try:
        yield
    finally:
        for one in running:
            one.kill()


def tested(order: str, arguments: list[str]) -> int:
    """Run the tests once in this order; pytest's exit code."""
    words = ["-q", "-n", str(os.cpu_count() or 1), "--dist", "loadfile", "-m", "not slow", *arguments]
    environment = {**os.environ, "KISAAN_ORDER": order}
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, env=environment).returncode


def main() -> int:
    """Run them so often; 1 if any run failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=3)
    given, arguments = parser.parse_known_args()
    with hogs():
        for number in range(given.times):
            order = secrets.token_hex(4)
            print(f"run {number + 1} of {given.times}, KISAAN_ORDER={order}", flush=True)
            if tested(order, arguments):
                print(f"failed; again: KISAAN_ORDER={order} python -m pytest -n 2 --dist loadfile")
                return 1
    print(f"{given.times} runs, none failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
