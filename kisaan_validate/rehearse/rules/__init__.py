"""Rules of migrations, judged on the tape: on locks, rewrites and the catalogue, never on a wall time."""

from __future__ import annotations

from dataclasses import replace

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround
from kisaan_validate.rehearse.rules.constraints import (
    FOREIGN_KEY_SCAN,
    NOT_NULL_SCAN,
    SCAN_UNDER_LOCK,
    VALIDATED_AT_ONCE,
)
from kisaan_validate.rehearse.rules.indexes import INDEX_NOT_CONCURRENT
from kisaan_validate.rehearse.rules.locking import NO_LOCK_TIMEOUT, SECOND_STATEMENT
from kisaan_validate.rehearse.rules.names import RENAMED_IN_USE
from kisaan_validate.rehearse.rules.rewriting import REWRITE, VOLATILE_DEFAULT
from kisaan_validate.rehearse.rules.settings import SETTING_DEPENDENT

RULES: tuple[MigrationRule, ...] = (
    REWRITE,
    VOLATILE_DEFAULT,
    INDEX_NOT_CONCURRENT,
    NOT_NULL_SCAN,
    SCAN_UNDER_LOCK,
    FOREIGN_KEY_SCAN,
    VALIDATED_AT_ONCE,
    SECOND_STATEMENT,
    NO_LOCK_TIMEOUT,
    SETTING_DEPENDENT,
    RENAMED_IN_USE,
)
"""All rules, in the order in which their findings are read."""


def rule_findings(tape: Tape, ground: RuleGround | None = None) -> tuple[RuleFinding, ...]:
    """What the rules find on a tape, rule by rule, each in the order of the statements."""
    known = ground or RuleGround()
    return tuple(
        replace(finding, severity=known.severities.get(rule.id, rule.severity))
        for rule in RULES
        for finding in rule.find(rule, tape, known)
    )


__all__ = ["RULES", "MigrationRule", "RuleGround", "rule_findings"]
