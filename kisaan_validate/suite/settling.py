"""Which checks may have a settling time: those over several tables, which a writer fills one after the
other.
"""

from __future__ import annotations

from kisaan_validate.facts.check import Form
from kisaan_validate.rules.assertion import Assertion
from kisaan_validate.rules.base import Rule


def unsettling(rule: Rule, table: str, columns: tuple[str, ...]) -> str:
    """Why a failure of this rule is not asked again later; "" if it can be."""
    if rule.form not in {Form.JOIN, Form.QUERY}:
        return "it looks at one row, or at the catalogue"
    # What an author's SELECT compares only its author knows.
    tables = {name for name, _ in rule.needs(table, columns)}
    return "" if isinstance(rule, Assertion) or len(tables | {table}) > 1 else "it reads one table"
