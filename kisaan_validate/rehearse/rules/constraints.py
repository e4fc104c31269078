"""Rules on constraints that read a whole table while others are kept from it."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import ConstraintMove, Tape, TapeStatement
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround, blocked, label, listed


def validated_at_once(tape: Tape) -> Iterator[tuple[TapeStatement, TapeStatement, ConstraintMove]]:
    """Statements that add a constraint NOT VALID, with those that validate it in the same transaction."""
    added: dict[tuple[int, str, str], TapeStatement] = {}
    for statement in tape.statements:
        for move in statement.detail.constraints:
            key = (statement.transaction, move.relation, move.name)
            if move.was_validated is None and not move.validated:
                added[key] = statement
            elif move.validated and move.was_validated is False and key in added and not move.ours:
                yield added[key], statement, move


def _validated(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for first, second, move in validated_at_once(tape):
        mode = blocked(tape, second, move.relation, reads=False)
        if mode:
            fact = (
                f"{label(second)} validated {move.name} of {move.relation} under {mode}, which"
                f" {label(first)} took in the same transaction"
            )
            yield rule.finding([second.number, first.number], [move.relation], fact)


def _scanned(tape: Tape, statement: TapeStatement) -> list[str]:
    """The earlier tables that a statement read as a whole while nobody else could read them."""
    rewritten = {rewrite.relation for rewrite in statement.rewrites}
    tables = [scan.relation for scan in statement.scans if scan.what == "verifying"]
    return [
        t for t in dict.fromkeys(tables) if t not in rewritten and blocked(tape, statement, t, reads=True)
    ]


def _became_not_null(statement: TapeStatement, table: str) -> list[str]:
    return [
        move.after.name
        for move in statement.detail.columns
        if move.before and move.after and move.relation == table
        if move.after.not_null and not move.before.not_null
    ]


def _not_null(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        for table in _scanned(tape, statement):
            columns = _became_not_null(statement, table)
            if columns:
                fact = (
                    f"{label(statement)} read all of {table} under AccessExclusiveLock"
                    f" to see that {listed(columns)} is never NULL"
                )
                yield rule.finding([statement.number], [table], fact)


def _scan(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    told = {second.number for _, second, _ in validated_at_once(tape)}
    for statement in tape.statements:
        for table in _scanned(tape, statement):
            checks = [
                move.name
                for move in statement.detail.constraints
                if move.relation == table
                and move.kind == "c"
                and move.was_validated is None
                and move.validated
            ]
            other = not checks and not _became_not_null(statement, table) and statement.number not in told
            if checks or other:
                why = f" for {listed(checks)}" if checks else ""
                fact = f"{label(statement)} read all of {table} under AccessExclusiveLock{why}"
                yield rule.finding([statement.number], [table], fact)


def _foreign_key(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        validated = {scan.constraint for scan in statement.scans if scan.what == "validating"}
        for move in statement.detail.constraints:
            new = move.kind == "f" and move.was_validated is None and move.validated and not move.ours
            mode = blocked(tape, statement, move.relation, reads=False)
            if new and mode and move.name in validated:
                locked = [lock.table for lock in statement.locks if lock.blocks_writes]
                fact = (
                    f"{label(statement)} compared all rows of {move.relation} for {move.name}"
                    f" under {mode} on {listed(locked or [move.relation])}"
                )
                yield rule.finding([statement.number], [move.relation, *locked], fact)


VALIDATED_AT_ONCE = MigrationRule(
    "validated-in-same-transaction",
    "A constraint is validated in the transaction that added it",
    "COMMIT after ADD CONSTRAINT … NOT VALID; VALIDATE CONSTRAINT in a transaction of its own lets others "
    "write meanwhile.",
    _validated,
)
NOT_NULL_SCAN = MigrationRule(
    "not-null-scan",
    "SET NOT NULL reads the whole table while nobody can read it",
    "ADD CONSTRAINT … CHECK (column IS NOT NULL) NOT VALID, COMMIT, VALIDATE CONSTRAINT, then SET NOT NULL, "
    "which then reads nothing; from 18 on ADD CONSTRAINT … NOT NULL column NOT VALID does too.",
    _not_null,
)
SCAN_UNDER_LOCK = MigrationRule(
    "scan-under-lock",
    "A whole table is read while nobody else can read it",
    "ADD CONSTRAINT … NOT VALID, COMMIT, then VALIDATE CONSTRAINT.",
    _scan,
)
FOREIGN_KEY_SCAN = MigrationRule(
    "foreign-key-scan",
    "A foreign key is added while nobody can write to either table",
    "ADD FOREIGN KEY … NOT VALID, COMMIT, then VALIDATE CONSTRAINT.",
    _foreign_key,
)
