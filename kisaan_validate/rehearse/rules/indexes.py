"""The rule on indexes that are built while nobody can write."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import SeenBy, Tape, TapeStatement
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround, blocked, label

BUILDING = frozenset({"CREATE INDEX", "ALTER TABLE", "REINDEX"})
"""Commands that build an index for its own sake; others do it for a new file of the table."""


def _index(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        rewritten = {rewrite.relation for rewrite in statement.rewrites}
        for scan in statement.scans:
            if scan.what != "building" or statement.tag not in BUILDING or scan.relation in rewritten:
                continue
            mode = blocked(tape, statement, scan.relation, reads=False)
            if mode or _unseen(statement):
                under = f"under {mode}" if mode else "(its locks were too short to be sampled)"
                fact = f"{label(statement)} built the index {scan.index} of {scan.relation} {under}"
                yield rule.finding([statement.number], [scan.relation], fact)


def _unseen(statement: TapeStatement) -> bool:
    """Whether it is a REINDEX that neither an event trigger nor a sample saw."""
    strong = any(lock.blocks_writes for lock in statement.locks)
    concurrent = "CONCURRENTLY" in statement.text.upper()
    return statement.tag == "REINDEX" and statement.seen_by is SeenBy.SAMPLES and not (strong or concurrent)


INDEX_NOT_CONCURRENT = MigrationRule(
    "index-not-concurrent",
    "An index is built while nobody can write to the table",
    "CREATE INDEX CONCURRENTLY (outside a transaction); for a UNIQUE or PRIMARY KEY constraint, build the "
    "index so first and add the constraint USING INDEX.",
    _index,
)
