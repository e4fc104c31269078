"""What a run costs its host: the latency of a load of pgbench alone, beside runs, and beside guarded runs.

    python benchmarks/guest.py [--scale 30] [--rate 150] [--clients 8] [--seconds 20] [--rounds 3]

The load is pgbench's TPC-B-like script at a fixed rate, so that a slower server shows as latency and not as
fewer transactions. Its 95th percentile is taken from the log of all transactions; what one waits behind
others counts. Rounds are interleaved on one server; ratios are of one round, the median counts. The runs
beside it follow one another without a pause, which no night does.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from server import SYSTEM, Server, serving

ROOT = Path(__file__).resolve().parent.parent
ALONE, UNGUARDED, GUARDED = "alone", "beside runs", "beside guarded runs"

SUITE = """
from kisaan_validate import declare

for n in range(12):
    declare.holds("pgbench_accounts", f"abalance > {-10**9 - n}", id=f"balance {n}")
declare.holds("pgbench_accounts", "bid > 0 AND length(filler) = 84", id="filler")
declare.references("pgbench_accounts", "bid", "pgbench_branches", "bid", id="branch")
"""

CONFIGURATION = """
[run]
jobs = 2

[guard]
active_sessions = {active}
every = "1 s"
give_up_after = "1 h"
piece = "1 s"
then = {{ active_sessions = "{then}" }}
"""

LOOP = "while :; do {python} -m kisaan_validate run --quiet {more} --reports reports; echo done >> runs; done"


@contextmanager
def guest(server: Server, folder: Path, *more: str) -> Iterator[None]:
    """Runs that follow one another, until the block ends."""
    script = LOOP.format(python=sys.executable, more=" ".join(more))
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KISAAN_DSN": server.dsn("load")}
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        ["sh", "-c", script], cwd=folder, env=env, stdout=quiet, stderr=quiet, start_new_session=True
    )
    try:
        _await_session(server)
        yield
    finally:
        # Its own session: the loop and the run in it.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _await_session(server: Server) -> None:
    """Until the guest is there: what it takes to start is no load for the server."""
    sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'kisaan-validate'"
    until = time.monotonic() + 60
    while server.sql(sql) == [(0,)]:
        if time.monotonic() > until:
            raise SystemExit("error: the guest never came")
        time.sleep(0.1)


def pgbench(server: Server, *words: str) -> None:
    """Raises CalledProcessError."""
    connection = ["-h", server.host, "-p", server.port, "-U", "postgres"]
    subprocess.run([f"{SYSTEM}/pgbench", *connection, *words, "load"], check=True, capture_output=True)


def latencies(server: Server, options: argparse.Namespace) -> list[float]:
    """The milliseconds of every transaction of one load, sorted."""
    with tempfile.TemporaryDirectory() as folder:
        load = [
            "-n",
            "-c",
            str(options.clients),
            "-j",
            "1",
            "-T",
            str(options.seconds),
            "-R",
            str(options.rate),
        ]
        pgbench(server, *load, "-l", f"--log-prefix={folder}/log")
        lines = [line.split() for log in Path(folder).iterdir() for line in log.read_text().splitlines()]
    # client, transaction, microseconds since it was due, script, time (pgbench, "Per-Transaction Logging").
    return sorted(int(words[2]) / 1_000 for words in lines)


def p95(sorted_values: list[float]) -> float:
    """The value that 95 % do not exceed."""
    return sorted_values[-(-len(sorted_values) * 95 // 100) - 1]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=int, default=30, help="pgbench's: 100,000 accounts each (default 30)")
    parser.add_argument("--rate", type=int, default=150, help="transactions a second (default %(default)s)")
    parser.add_argument("--clients", type=int, default=8, help="default %(default)s")
    parser.add_argument("--seconds", type=int, default=20, help="of each load (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="default %(default)s")
    parser.add_argument("--active", type=int, default=1, help="active sessions that the guard lets be")
    parser.add_argument("--then", default="wait", help="what it does beyond: wait, slow or stop")
    options = parser.parse_args()
    if SYSTEM is None:
        raise SystemExit("error: there is no pgbench: apt-get install postgresql")
    with serving(version="system") as server, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "checks").mkdir()
        (folder / "checks" / "accounts.py").write_text(SUITE)
        (folder / "kisaan.toml").write_text(CONFIGURATION.format(active=options.active, then=options.then))
        server.sql("CREATE DATABASE load")
        pgbench(server, "-i", "-q", "-s", str(options.scale))
        print(f"{server.version}, {options.scale * 100_000:,} accounts, {options.rate} transactions a second")
        return _rounds(server, folder, options)


def _rounds(server: Server, folder: Path, options: argparse.Namespace) -> int:
    found: dict[str, list[list[float]]] = {ALONE: [], UNGUARDED: [], GUARDED: []}
    runs = {UNGUARDED: 0, GUARDED: 0}
    for _ in range(options.rounds):
        found[ALONE].append(latencies(server, options))
        for case, more in ((UNGUARDED, ()), (GUARDED, ("--guard",))):
            (folder / "runs").write_text("")
            with guest(server, folder, *more):
                found[case].append(latencies(server, options))
            runs[case] += len((folder / "runs").read_text().splitlines())
    for case, loads in found.items():
        tails = [p95(values) for values in loads]
        ratios = [tail / p95(alone) for tail, alone in zip(tails, found[ALONE], strict=True)]
        median, ended = statistics.median(tails), f"{runs[case]:>4} runs ended" if case in runs else ""
        spread = f"{min(tails):.1f} to {max(tails):.1f}"
        print(f"{case:<20} p95 {median:>8.1f} ms ({spread})  × {statistics.median(ratios):.2f}  {ended}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
