"""Checks of the edited suite that still declare what is not so any more: left to do by hand."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.author.accept.changes import Place, SuiteChanges
from kisaan_validate.facts.check import Check
from kisaan_validate.rules.catalogue import NotNullDeclared, TypeIs
from kisaan_validate.suite.load import Suite


def left_in_suite(suite: Suite, changes: SuiteChanges) -> Iterator[str]:
    """The checks of the edited suite that contradict a change, or read what has another name now."""
    for check in suite.checks:
        for what in (*_old_names(suite, check, changes), *_old_facts(suite, check, changes)):
            yield f"{check.origin or check.id}: {check.id}: {what}"
    yield from _no_longer_personal(suite, changes)


def _no_longer_personal(suite: Suite, changes: SuiteChanges) -> Iterator[str]:
    """Columns that a pattern of suite.toml protects only under their old names."""
    personal = suite.settings.is_personal
    names = {
        place: (_now(place[0], changes), changes.columns.get(place, place[1]))
        for place in _known(suite, changes)
    }
    for old, new in sorted(names.items()):
        if personal(*old) and not personal(*new):
            place = ".".join(new)
            yield f"suite.toml: personal covers {'.'.join(old)}, but not {place}, as it is called now"


def _known(suite: Suite, changes: SuiteChanges) -> set[Place]:
    """The columns with another name now, and by their old tables those that checks read."""
    back = {_now(old, changes): old for old in changes.tables}
    read = ((changes.table(t), c) for check in suite.checks for t, c in suite.needs(check) if c)
    return {*changes.columns, *((back[t], c) for t, c in read if t in back)}


def _old_names(suite: Suite, check: Check, changes: SuiteChanges) -> Iterator[str]:
    read = {(changes.table(t), c) for t, c in suite.needs(check)} | {
        (changes.table(check.table), c) for c in check.columns
    }
    tables = {table for table, _ in read} | ({changes.table(check.table)} if check.table else set())
    for old in sorted(tables & set(changes.tables)):
        yield f"reads table {old}, which is {changes.tables[old]} now"
    for (table, column), new in sorted(changes.columns.items()):
        if {(table, column), (_now(table, changes), column)} & read:
            yield f"reads column {table}.{column}, which is {new} now"


def _now(table: str, changes: SuiteChanges) -> str:
    """The title of a table by now."""
    return changes.table(changes.tables[table]) if table in changes.tables else table


def _old_facts(suite: Suite, check: Check, changes: SuiteChanges) -> Iterator[str]:
    if len(check.columns) != 1:
        return
    rule, place = suite.rules[check.id], _before(changes.table(check.table), check.columns[0], changes)
    to, nullable = changes.types.get(place), changes.nullable.get(place)
    if to is not None and isinstance(rule, TypeIs) and not {to, to.partition("(")[0]} & set(rule.accepted):
        yield f"declares the type {' or '.join(rule.accepted)}, which is {to} now"
    if nullable is True and check.kind == "not_null":
        yield "declares that it is never NULL; NULL is allowed now"
    if nullable is not None and isinstance(rule, NotNullDeclared) and rule.nullable is not nullable:
        yield f"declares that NULL is {'forbidden' if nullable else 'allowed'}, which it is not any more"


def _before(table: str, column: str, changes: SuiteChanges) -> Place:
    """A column by its old names, wherever it is declared by either."""
    tables = [old for old in changes.tables if _now(old, changes) == table] or [table]
    names = [old for (t, old), new in changes.columns.items() if t == tables[0] and new == column]
    return tables[0], (names or [column])[0]
