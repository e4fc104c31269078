"""Measuring child processes, and saying what was measured."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Child:
    """One process that ended: wall time, the most memory it ever held (MB of 10^6 bytes), its exit code,
    its processor time.

    The kernel counts what the parent held when it started the child as the child's: a benchmark must stay
    smaller than what it measures, so it imports neither pandas nor the engine.
    """

    seconds: float
    peak_mb: float
    code: int
    processor: float = 0.0


def child(
    words: Sequence[str],
    env: dict[str, str],
    folder: Path,
    expect: Sequence[int] = (0,),
    interpreter: Path = Path(sys.executable),
) -> Child:
    """Run Python with ``words`` in ``folder``. Raises RuntimeError with its output if its exit code is not
    expected.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen([str(interpreter), *words], env=env, cwd=folder, stdout=said, stderr=said)
        try:
            # wait4, because it returns this child's own figures; getrusage would add up all children.
            _, status, usage = os.wait4(process.pid, 0)
        # The child must not outlive a benchmark that is interrupted.
        except BaseException:
            process.terminate()
            process.wait()
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in expect:
            said.seek(0)
            # The end of the output, where a failure is named.
            text = said.read().decode(errors="replace")[-2_000:]
            raise RuntimeError(f"{' '.join(words)}: exit code {process.returncode}\n{text}")
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes here
    processor = usage.ru_utime + usage.ru_stime
    return Child(seconds, usage.ru_maxrss * unit / 1e6, process.returncode, processor)


@dataclass(frozen=True)
class Spread:
    """Several measurements of one thing."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """The one in the middle."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(min(self.values))} to {_short(max(self.values))})"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:#.3g}"
