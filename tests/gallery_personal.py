"""What a corruption of personal columns must show: that they changed, between two sides and since a
baseline; and no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from conftest import Server
from helpers import measuring, settings

from kisaan_validate import declare
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.row_differences import RowDiff
from kisaan_validate.personal.lineage import Asked, How
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json
from kisaan_validate.record.judged import judged_to_json
from kisaan_validate.report.row_differences import row_differences_to_json
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import judge


def rule(personal: Sequence[str]) -> Asked:
    """Who is asked whether a column is one of those that are named ``table.column``."""
    return lambda table, column: How.NAMED if f"{table}.{column}" in personal else How.NOT


def missed(
    server: Server, clean: str, copy: str, personal: Sequence[str], found: RowDiff, planted: set[str]
) -> Iterator[str]:
    """What is wrong, in words: a value that is shown, or a personal column of which a baseline tells
    something untrue.
    """
    baseline = _baseline(server, clean, personal)
    made = run(
        _suite(personal),
        server.dsn(copy),
        options=measuring(count_all=True, baseline=baseline, other_database=True),
    )
    judged = judge(made, baseline)
    assert judged.diff is not None
    differing = {f"{c.table}.{c.name}" for c in judged.diff.changes if c.aspect == "digest"} & set(personal)
    if differing != planted:
        yield f"since the baseline {sorted(differing)} differ, not {sorted(planted)}"
    written = row_differences_to_json(found) + judged_to_json(judged) + baseline_to_json(baseline)
    for column in personal:
        if shown := sum(value in written for value in _values(server, (clean, copy), column)):
            yield f"{shown} values of {column} are shown"


def _suite(personal: Sequence[str]) -> Suite:
    tables = sorted({name.split(".")[0] for name in personal})
    checks = [declare.row_count(table, low=1, id=f"{table} has rows") for table in tables]
    return suite_of(*checks, settings=settings(personal=tuple(personal)))


def _baseline(server: Server, clean: str, personal: Sequence[str]) -> Baseline:
    options = measuring(count_all=True, sample=0, digests=True)
    return baseline_of(run(_suite(personal), server.dsn(clean), options=options))


def _values(server: Server, databases: Sequence[str], column: str) -> set[str]:
    """The telling parts of all values: whatever an output does to quotes and letters beyond ASCII, they
    stay as they are.
    """
    table, name = column.split(".")
    sql = f"SELECT DISTINCT {name}::text FROM {table} WHERE {name} IS NOT NULL"
    values = (value for database in databases for (value,) in server.sql(sql, database))
    return {part for value in values for part in re.findall("[A-Za-z0-9]{6,}", value)}
