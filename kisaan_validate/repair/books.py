"""What a person lists for the books after a repair: keys and declared columns, read from the copies."""

from __future__ import annotations

from collections.abc import Iterator

from kisaan_validate.facts.repair import StepAction
from kisaan_validate.repair.kit_script import KitScript
from kisaan_validate.repair.script import remark
from kisaan_validate.repair.steps import PlannedStep
from kisaan_validate.sql.expressions import quote


def books_sql(kit: KitScript) -> str:
    """One SELECT for each step, without its header."""
    return "\n".join(line for step in kit.steps for line in _listed(step)) + "\n"


def _listed(step: PlannedStep) -> Iterator[str]:
    keys = [f"b.{quote(k)}" for k in step.key]
    books = [f"b.{quote(c)}" for c in step.books if c not in {*step.key, *step.columns}]
    done = {StepAction.UPDATE: "changed", StepAction.DELETE: "deleted", StepAction.MOVE: "moved"}
    yield f"\n{remark(f'{step.table.title}: rows that were {done[step.action]}')}"
    order = ", ".join(keys)
    if step.action is StepAction.DELETE:
        kept = [f"r.{quote(k)}" for k in step.kept]
        yield f"SELECT {', '.join([*keys, *kept, *books])}\nFROM {step.copy('before')} AS b"
        joined, other = step.copy("rows"), "r"
    else:
        changes = [
            f"b.{quote(c)} AS {quote(f'{c} before')}, a.{quote(c)} AS {quote(f'{c} after')}"
            for c in step.columns
        ]
        yield f"SELECT {', '.join([*keys, *changes, *books])}\nFROM {step.copy('before')} AS b"
        joined, other = step.copy("after"), "a"
    yield f"JOIN {joined} AS {other} ON {step.matches(other, 'b')}\nORDER BY {order};"
