"""What a rule of migrations is, and the questions about a tape that several rules ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape, TapeLock, TapeStatement

LEDGERS = frozenset(
    {
        "_migrations",
        "_prisma_migrations",
        "_sqlx_migrations",
        "alembic_version",
        "ar_internal_metadata",
        "databasechangelog",
        "databasechangeloglock",
        "django_migrations",
        "flyway_schema_history",
        "goose_db_version",
        "knex_migrations",
        "knex_migrations_lock",
        "migrations",
        "schema_migrations",
        "sequelizemeta",
    }
)
"""Tables in which tools note which migrations they applied, in lower case."""

CONTROL = frozenset(
    {
        "BEGIN",
        "COMMIT",
        "COMMENT",
        "DEALLOCATE",
        "DISCARD",
        "LISTEN",
        "NOTIFY",
        "PREPARE",
        "RELEASE",
        "RESET",
        "ROLLBACK",
        "SAVEPOINT",
        "SET",
        "SHOW",
        "START TRANSACTION",
    }
)
"""Statements that do no work on a table."""


@dataclass(frozen=True)
class RuleGround:
    """What rules know beside the tape: the ledgers, and with which ``lock_timeout`` (seconds, None: not
    known) the migrating session begins. ``severities``: those that are not a rule's own, by its id.
    """

    ledgers: frozenset[str] = LEDGERS
    lock_timeout: float | None = 0.0
    severities: Mapping[str, Severity] = field(default_factory=dict)

    def is_ledger(self, relation: str) -> bool:
        """Whether a relation is a tool's ledger."""
        return relation.rpartition(".")[2].lower() in self.ledgers


Finder = Callable[["MigrationRule", Tape, RuleGround], Iterable[RuleFinding]]


@dataclass(frozen=True)
class MigrationRule:
    """``id`` names it in waivers and documents; ``title`` says what is wrong, ``advice`` what to do.
    ``severity`` is its own, which ``suite.toml`` may change.
    """

    id: str
    title: str
    advice: str
    find: Finder
    severity: Severity = Severity.BLOCKING

    def finding(self, statements: Iterable[int], relations: Iterable[str], fact: str) -> RuleFinding:
        """A finding of this rule."""
        return RuleFinding(
            self.id,
            self.title,
            tuple(statements),
            tuple(dict.fromkeys(relations)),
            fact,
            self.advice,
            severity=self.severity,
        )


def label(statement: TapeStatement) -> str:
    """A statement as findings name it: number, command, and place if it has one."""
    place = f" ({statement.file}:{statement.line})" if statement.file else ""
    return f"statement {statement.number}, {statement.tag}{place}"


def strong_locks(statement: TapeStatement, ground: RuleGround) -> list[TapeLock]:
    """The locks that a statement took and that keep others from writing to a table that was there before."""
    return [lock for lock in statement.locks if lock.blocks_writes and not ground.is_ledger(lock.table)]


def held_at(tape: Tape, statement: TapeStatement) -> Iterator[TapeLock]:
    """The locks of a statement's transaction while it ran: its own, and those of statements before it."""
    for other in tape.statements:
        if other.transaction == statement.transaction and other.number <= statement.number:
            yield from (lock for lock in other.locks if _still(lock, statement))


def _still(lock: TapeLock, statement: TapeStatement) -> bool:
    return lock.until is None or lock.until >= statement.start


def blocked(tape: Tape, statement: TapeStatement, relation: str, *, reads: bool) -> str:
    """The strongest lock mode on a table of before by which others were kept from it while a statement ran;
    "" if none was.
    """
    modes = [
        lock.mode
        for lock in held_at(tape, statement)
        if relation in {lock.table, lock.relation} and (lock.blocks_reads if reads else lock.blocks_writes)
    ]
    return "AccessExclusiveLock" if "AccessExclusiveLock" in modes else next(iter(modes), "")


def listed(names: Iterable[str]) -> str:
    """Names once each, as a list in a sentence."""
    unique = list(dict.fromkeys(names))
    return unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}" if unique else ""
