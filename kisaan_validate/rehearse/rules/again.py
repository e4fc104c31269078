"""What an interruption may leave, as rules with a severity: judged on the migration that was run again."""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.rehearsed import AgainState


@dataclass(frozen=True)
class AgainRule:
    """``id`` names it in waivers and settings; ``title`` says what is wrong, ``advice`` what to do."""

    id: str
    title: str
    advice: str
    severity: Severity = Severity.BLOCKING


AGAIN_RULES: Mapping[AgainState, AgainRule] = {
    AgainState.WEDGED: AgainRule(
        "wedges-after-interruption",
        "Interrupted and run again, the migration fails",
        "Make each file one transaction together with its row of the ledger, or write its statements so that "
        "they can be repeated (IF NOT EXISTS); else somebody must repair the database by hand.",
    ),
    AgainState.DIFFERS: AgainRule(
        "differs-after-interruption",
        "Interrupted and run again, the migration ends well with another result",
        "The same; and let an UPDATE find only the rows that it has not changed yet.",
    ),
}
"""By the state of an interruption that did not heal."""
