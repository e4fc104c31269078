"""Declared invariants, proved on a live PostgreSQL, compared before and after, and reported.

    from kisaan_validate import Before, Comparing, Options, baseline_of, judge, load_suite, run

    outcome = run(load_suite("checks"), "postgresql://reader@db/prod")
    outcome.verdict, outcome.failures, outcome.to_json(), outcome.to_html()

    before = baseline_of(run(suite, dsn, options=Options(compare=Comparing(contract=contract))))
    after = run(suite, dsn, options=Options(compare=Comparing(Before(before), contract)))
    judge(after, before, contract).verdict

Everything is imported when it is first used, so that ``import kisaan_validate`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kisaan_validate.version import VERSION as __version__

if TYPE_CHECKING:
    from kisaan_validate.compare.changes import diff
    from kisaan_validate.contract.load import Contract, read_contract
    from kisaan_validate.errors import (
        DatabaseError,
        KisaanError,
        RecordError,
        SuiteError,
        TargetError,
        UsageError,
    )
    from kisaan_validate.facts.baseline import Baseline, baseline_of
    from kisaan_validate.facts.check import Check, Severity
    from kisaan_validate.facts.result import FailOn, Result, Status, Verdict
    from kisaan_validate.facts.run import Run
    from kisaan_validate.postgres.session import Limits
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.prove.options import Before, Comparing, Keeping, KeptColumns, Options
    from kisaan_validate.prove.run import run
    from kisaan_validate.suite.load import load_suite, suite_of
    from kisaan_validate.suite.settings import SuiteSettings
    from kisaan_validate.suite.suite import Suite
    from kisaan_validate.verdict.judgement import Judgement, judge
    from kisaan_validate.verdict.waivers import Waivers, read_waivers

_HOMES = {
    "diff": "compare.changes",
    "Contract": "contract.load",
    "read_contract": "contract.load",
    "DatabaseError": "errors",
    "KisaanError": "errors",
    "RecordError": "errors",
    "SuiteError": "errors",
    "TargetError": "errors",
    "UsageError": "errors",
    "Baseline": "facts.baseline",
    "baseline_of": "facts.baseline",
    "Check": "facts.check",
    "Severity": "facts.check",
    "FailOn": "facts.result",
    "Result": "facts.result",
    "Status": "facts.result",
    "Verdict": "facts.result",
    "Run": "facts.run",
    "Limits": "postgres.session",
    "Stop": "process.stopping",
    "Before": "prove.options",
    "Comparing": "prove.options",
    "Keeping": "prove.options",
    "KeptColumns": "prove.options",
    "Options": "prove.options",
    "run": "prove.run",
    "Suite": "suite.suite",
    "SuiteSettings": "suite.settings",
    "load_suite": "suite.load",
    "suite_of": "suite.load",
    "Judgement": "verdict.judgement",
    "judge": "verdict.judgement",
    "Waivers": "verdict.waivers",
    "read_waivers": "verdict.waivers",
}

__all__ = [
    "Baseline",
    "Before",
    "Check",
    "Comparing",
    "Contract",
    "DatabaseError",
    "FailOn",
    "Judgement",
    "Keeping",
    "KeptColumns",
    "KisaanError",
    "Limits",
    "Options",
    "RecordError",
    "Result",
    "Run",
    "Severity",
    "Status",
    "Stop",
    "Suite",
    "SuiteError",
    "SuiteSettings",
    "TargetError",
    "UsageError",
    "Verdict",
    "Waivers",
    "__version__",
    "baseline_of",
    "diff",
    "judge",
    "load_suite",
    "read_contract",
    "read_waivers",
    "run",
    "suite_of",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
