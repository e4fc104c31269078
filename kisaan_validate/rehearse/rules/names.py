"""The rule on names that the running application still uses."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.rehearsal import RuleFinding
from kisaan_validate.facts.tape import Tape
from kisaan_validate.rehearse.rules.base import MigrationRule, RuleGround, label


def _renamed(rule: MigrationRule, tape: Tape, ground: RuleGround) -> Iterator[RuleFinding]:
    for statement in tape.statements:
        for rename in statement.detail.renames:
            if not rename.ours:
                fact = f"{label(statement)} renamed {rename.before} to {rename.after}"
                yield rule.finding([statement.number], [rename.before], fact)
        for move in statement.detail.columns:
            if move.before and move.after and move.before.name != move.after.name and not move.ours:
                fact = f"{label(statement)} renamed {move.relation}.{move.before.name} to {move.after.name}"
                yield rule.finding([statement.number], [move.relation], fact)


RENAMED_IN_USE = MigrationRule(
    "renamed-in-use",
    "A table or column is renamed under a running application",
    "Add the new name beside the old one (a column kept equal by a trigger, or a view with the old name), "
    "move the application, then drop the old one.",
    _renamed,
)
