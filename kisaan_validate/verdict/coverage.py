"""What the checks of a run touched, and so what none did. Pure.

A check without an answer covers nothing. The catalogue's facts about a column (its type, that it is there)
are kept apart from its values: a column of the right type can hold any nonsense.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.check import Check, Form
from kisaan_validate.facts.result import UNANSWERED, Result, Status
from kisaan_validate.facts.run import TableCoverage
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.rules.assertion import Assertion
from kisaan_validate.sql.reading import columns_named
from kisaan_validate.suite.load import Suite

# A check that does not apply read nothing either.
_SILENT = UNANSWERED | {Status.NOT_APPLICABLE}


def coverage_of(suite: Suite, catalogue: Catalogue, results: Iterable[Result]) -> tuple[TableCoverage, ...]:
    """One entry for each table (not view, not partition) of the suite's schemas, in order of name.

    Of a SQL assertion, a column counts as judged if the SQL names it, whichever of its tables is meant.
    """
    answered = {result.check_id for result in results if result.status not in _SILENT}
    judged: dict[TableKey, set[str]] = defaultdict(set)
    described: dict[TableKey, set[str]] = defaultdict(set)
    checks: dict[TableKey, int] = defaultdict(int)
    for check in suite.checks:
        if check.id not in answered:
            continue
        for table, columns in _touched(suite, check, catalogue).items():
            # A check of the catalogue looks at no value, so it counts neither as a check of rows nor as
            # judging a column.
            rows = check.form is not Form.CATALOGUE
            (judged if rows else described)[table] |= columns
            checks[table] += rows
    wanted = (
        t
        for t in catalogue.tables.values()
        if t.countable and not t.partition and t.schema in suite.settings.schemas
    )
    return tuple(
        _entry(
            table,
            checks[table.key],
            judged[table.key],
            described[table.key],
            suite.settings.is_excluded(table.name),
        )
        for table in sorted(wanted, key=lambda t: t.key)
    )


def _touched(suite: Suite, check: Check, catalogue: Catalogue) -> dict[TableKey, set[str]]:
    rule = suite.rules[check.id]
    named = set(columns_named(rule.sql)) if isinstance(rule, Assertion) else set()
    found: dict[TableKey, set[str]] = defaultdict(set)
    for name, column in (*suite.needs(check), *((check.table, column) for column in check.columns)):
        table = catalogue.find(name) if name else None
        if table is not None:
            # A need of the table as a whole has "" for its column.
            found[table.key] |= {column, *named} - {""}
    return found


def _entry(table: Table, checks: int, judged: set[str], described: set[str], excluded: bool) -> TableCoverage:
    names = tuple(table.columns)
    return TableCoverage(
        table.title,
        checks,
        judged=tuple(n for n in names if n in judged),
        described=tuple(n for n in names if n in described - judged),
        untouched=tuple(n for n in names if n not in judged | described),
        excluded=excluded,
    )
