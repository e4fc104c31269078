"""Rules on tables that are rewritten under a lock."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import TableRewrite, Tape
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround, label

DEFAULT = ("default value",)


def _rewrite(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    yield from _found(rule, tape, default=False)


def _volatile_default(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    yield from _found(rule, tape, default=True)


def _found(rule: MigrationRule, tape: Tape, *, default: bool) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        for rewrite in statement.rewrites:
            if not rewrite.ours and (rewrite.reasons == DEFAULT) is default:
                yield rule.finding(
                    [statement.number],
                    [rewrite.relation],
                    f"{label(statement)} rewrote all of {rewrite.relation}{_size(rewrite)}"
                    f" under AccessExclusiveLock, because of {' and '.join(rewrite.reasons)}",
                )


def _size(rewrite: TableRewrite) -> str:
    return "" if rewrite.bytes_before is None else f", {rewrite.bytes_before:,} bytes with its indexes,"


REWRITE = MigrationRule(
    "rewrite-under-lock",
    "A table is rewritten while nobody can read it",
    "Add a new column, fill it in batches, and switch over; instead of VACUUM FULL or CLUSTER use a tool "
    "that works beside readers and writers.",
    _rewrite,
)
VOLATILE_DEFAULT = MigrationRule(
    "volatile-default",
    "A column is added with a default that differs from row to row",
    "Add the column without the default, SET DEFAULT for new rows, then fill the old rows in batches.",
    _volatile_default,
)
