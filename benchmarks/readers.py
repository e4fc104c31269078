"""One way to read payments, in a process of its own: ``python benchmarks/readers.py WAY``; prints what it
did as JSON.

copy           COPY (FORMAT binary) of all twelve columns, thrown away
pandas         pandas.read_sql in chunks through a server-side cursor, decimals kept exact, and pandera's
               validation
streamed JOBS  the same checks by this package, in a run of its own
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

SUITE = Path(__file__).resolve().parent / "streamed"
CHUNK = 50_000


def copy(dsn: str) -> dict[str, Any]:
    """Rows, seconds."""
    import psycopg2

    class Sink:
        """Counts."""

        rows = 0

        def write(self, _: bytes) -> None:
            self.rows += 1

    sink = Sink()
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        start = time.perf_counter()
        cursor.copy_expert("COPY (SELECT * FROM payments) TO STDOUT (FORMAT binary)", sink)
        # The trailer of the format is a message too.
        return {"rows": sink.rows - 1, "seconds": time.perf_counter() - start}


def pandas(dsn: str) -> dict[str, Any]:
    """Rows, seconds, violations by check."""
    sys.path.insert(0, str(SUITE))
    import pandas as pd
    import pandera.pandas as pa
    import psycopg2
    import sqlalchemy as sa
    from payments import payments  # type: ignore[import-not-found]

    # The same driver as the package, so that only the way of reading differs.
    engine = sa.create_engine("postgresql+psycopg2://", creator=lambda: psycopg2.connect(dsn))
    rows, found = 0, 0
    start = time.perf_counter()
    with engine.connect().execution_options(stream_results=True, max_row_buffer=CHUNK) as connection:
        for chunk in pd.read_sql(
            sa.text("SELECT * FROM payments"), connection, chunksize=CHUNK, coerce_float=False
        ):
            rows += len(chunk)
            try:
                payments.validate(chunk, lazy=True)
            except pa.errors.SchemaErrors as errors:
                cases = errors.failure_cases
                # A row that a check of the frame calls wrong is a case for each of its columns.
                cases["column"] = cases["column"].where(cases["schema_context"] == "Column", "")
                found += len(cases.drop_duplicates(["column", "check", "index"]))
    return {"rows": rows, "seconds": time.perf_counter() - start, "violations": found}


def streamed(dsn: str, jobs: int) -> dict[str, Any]:
    """Rows, seconds of the streams alone (they wait for processes that are still starting), violations."""
    from kisaan_validate import Options, load_suite, run

    suite = load_suite(SUITE)
    suite = suite.narrowed([check.id for check in suite.checks if check.form.value == "python"])
    phases: dict[str, float] = {}

    def observe(event: object) -> None:
        phase = str(getattr(event, "phase", ""))
        phases.setdefault(phase, time.perf_counter())
        if phase == "streaming":
            phases["streamed"] = time.perf_counter()

    done = run(suite, dsn, options=Options(jobs=jobs), observer=observe)
    (rows,) = {result.examined for result in done.results}
    violations = sum(result.violations or 0 for result in done.results)
    return {"rows": rows, "seconds": phases["streamed"] - phases["streaming"], "violations": violations}


def main() -> None:
    """Do it, say what was done."""
    way, *rest = sys.argv[1:]
    start = time.perf_counter()
    done = {"copy": copy, "pandas": pandas, "streamed": streamed}[way](
        os.environ["KISAAN_DSN"], *(int(n) for n in rest)
    )  # type: ignore[operator]
    # The processes that read streams are children, so their time counts as well.
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(usage.ru_utime + usage.ru_stime for usage in used)
    print(json.dumps({**done, "with_imports": time.perf_counter() - start, "cpu": cpu}))


if __name__ == "__main__":
    main()
