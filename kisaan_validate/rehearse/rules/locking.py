"""Rules on how long locks are held and awaited."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape, TapeStatement
from kisaan_validate.rehearse.rules.base import (
    CONTROL,
    MigrationRule,
    RuleGround,
    label,
    listed,
    strong_locks,
)
from kisaan_validate.rehearse.rules.constraints import validated_at_once
from kisaan_validate.rehearse.times import setting_seconds


def _second_statement(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    """A statement that begins while one before it in its transaction keeps others from a table."""
    told = {second.number for _, second, _ in validated_at_once(tape)}
    by_transaction: dict[int, list[TapeStatement]] = defaultdict(list)
    for statement in tape.statements:
        by_transaction[statement.transaction].append(statement)
    for statements in by_transaction.values():
        holders = [s for s in statements if strong_locks(s, ground)]
        for holder in holders[:1]:
            locks = strong_locks(holder, ground)
            free = [lock.until for lock in locks]
            later = [
                s
                for s in statements
                if _works(s, ground) and s.number not in told and _after(s, holder) and _before(s, free)
            ]
            if later:
                relations = [lock.table for lock in locks]
                modes = listed(f"{lock.mode} on {lock.table}" for lock in locks if lock.kind != "index")
                fact = (
                    f"{label(holder)} holds {modes or listed(relations)}"
                    f" while {listed(label(s) for s in later[:5])}{' and more' if later[5:] else ''} run"
                )
                yield rule.finding([later[0].number, holder.number], relations, _agreeing(fact, len(later)))


def _agreeing(fact: str, number: int) -> str:
    return f"{fact}s" if number == 1 else fact


def _works(statement: TapeStatement, ground: RuleGround) -> bool:
    """Whether a statement does work, other than noting a migration in a ledger."""
    if statement.tag in CONTROL or not statement.tag:
        return False
    rows = statement.tag in {"INSERT", "UPDATE", "DELETE", "SELECT"}
    words = {word.lower() for word in re.findall(r"\w+", statement.text)}
    return not (rows and words & ground.ledgers)


def _after(statement: TapeStatement, holder: TapeStatement) -> bool:
    return holder.end is not None and statement.number > holder.number and statement.start >= holder.end


def _before(statement: TapeStatement, ends: list[float | None]) -> bool:
    # The log counts milliseconds, and whole statements fit into one.
    return any(end is None or statement.start <= end for end in ends)


def _no_lock_timeout(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    """Statements that would wait for a lock without end, and everybody else behind them."""
    found: dict[str, list[TapeStatement]] = defaultdict(list)
    for statement in tape.statements:
        limit = lock_timeout_of(statement, tape, ground.lock_timeout)
        if not limit and strong_locks(statement, ground):
            found[statement.file].append(statement)
    for statements in found.values():
        relations = [lock.table for s in statements for lock in strong_locks(s, ground)]
        unknown = lock_timeout_of(statements[0], tape, ground.lock_timeout) is None
        limit_words = "an unknown lock_timeout" if unknown else "lock_timeout = 0"
        fact = f"{listed(label(s) for s in statements[:5])} locked {listed(relations)} with {limit_words}"
        yield rule.finding([s.number for s in statements], relations, fact)


_SET = re.compile(r"\bset\s+(?:session\s+|local\s+)?lock_timeout\s*(?:=|\bto\b)\s*'?(\w+)", re.IGNORECASE)


def lock_timeout_of(statement: TapeStatement, tape: Tape, default: float | None) -> float | None:
    """The lock_timeout in seconds with which a statement ran: as an event trigger saw it, else as its
    session set it last, else ``default``.
    """
    if statement.detail.lock_timeout is not None:
        return statement.detail.lock_timeout
    known = default
    for other in tape.statements:
        if other.session != statement.session or other.number >= statement.number:
            continue
        if other.detail.lock_timeout is not None:
            known = other.detail.lock_timeout
        elif other.tag == "SET" and (found := _SET.search(other.text)):
            known = setting_seconds(found[1])
    return known


SECOND_STATEMENT = MigrationRule(
    "second-statement-under-lock",
    "More statements run while a lock keeps others from a table",
    "End the transaction after the statement that locks, and do the rest in transactions of its own.",
    _second_statement,
)
NO_LOCK_TIMEOUT = MigrationRule(
    "no-lock-timeout",
    "A lock is awaited without a limit",
    "SET lock_timeout = '2s' before it, and try again when it fails: who waits for a lock stops all who "
    "come later.",
    _no_lock_timeout,
    # It harms only beside a long reader, and what people feel then is rehearsed and measured.
    Severity.WARNING,
)
