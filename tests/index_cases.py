"""Runs for the tests and the bench of the pages over all runs: whole, quick to make, one like the other
but for its number.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kisaan_validate.facts.check import Check, Form, Severity
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.suite import Selection, SuiteFacts
from kisaan_validate.facts.table import TableFacts

DATABASES = ("shop", "shop_staging", "ledger")


def place_at(at: datetime, database: str = "shop", **more: object) -> Place:
    """Where a run was measured."""
    given: dict[str, object] = {
        "host": "db.internal",
        "port": "5432",
        "database": database,
        "role": "reader",
        "source": "--dsn",
        "server_version": "18.1",
        "server_version_num": 180001,
        "system_identifier": "7711518145521835979",
        "time_zone": "UTC",
        "in_recovery": False,
        "snapshot": "s-1",
        "lsn": "0/1AF",
        "at": at,
        "encoding": "UTF8",
        "collation": "C",
    }
    return Place(**{**given, **more})  # type: ignore[arg-type]


def run_number(
    number: int,
    at: datetime,
    *,
    checks: int = 4,
    failing: int | None = None,
    errors: int | None = None,
    **more: object,
) -> Run:
    """Run ``number``; every seventh fails some checks, every twentieth has one without an answer, unless
    it is said.
    """
    failing = (number % 3 + 1 if number % 7 == 3 else 0) if failing is None else failing
    errors = (1 if number % 20 == 19 else 0) if errors is None else errors
    declared, results = [], []
    for i in range(checks):
        id = f"orders.rule_{i:04}"
        declared.append(
            Check(
                id,
                "orders",
                ("total",),
                Form.ROW,
                "compare",
                f"total is as rule {i} says",
                Severity.BLOCKING,
                digest="d" * 64,
            )
        )
        if i < failing:
            results.append(
                Result(
                    id,
                    Status.FAIL,
                    7,
                    1_000_000 + 1_234 * number,
                    Evidence.SCANNED,
                    sql="SELECT id FROM orders",
                )
            )
        elif i < failing + errors:
            results.append(
                Result(
                    id, Status.ERROR, message="canceling statement due to statement timeout", sqlstate="57014"
                )
            )
        else:
            results.append(
                Result(
                    id,
                    Status.PASS,
                    0,
                    1_000_000 + 1_234 * number,
                    Evidence.SCANNED,
                    sql="SELECT id FROM orders",
                )
            )
    tables = (
        TableFacts("public", "orders", "table", 1_000_000 + 1_234 * number),
        TableFacts("public", "payments", "table", 700_000),
        TableFacts("public", "locked", "table", None, "canceling statement due to lock timeout"),
    )
    part = "selection" in more  # of a part of the suite, one check was not asked
    given: dict[str, object] = {
        "id": f"{at:%Y%m%dT%H%M%SZ}-{number:06x}",
        "started_at": at,
        "finished_at": at + timedelta(milliseconds=4_000 + 37 * (number % 50)),
        "tool_version": "0.1.0",
        "suite": SuiteFacts("shop suite", "ab" * 32, ("orders.py",), checks + part, ("public",)),
        "place": place_at(at, DATABASES[number % 3]),
        "selection": Selection(),
        "settings": {"jobs": "2"},
        "tables": tables,
        "checks": tuple(declared),
        "results": tuple(results),
    }
    return Run(**{**given, **more})  # type: ignore[arg-type]
