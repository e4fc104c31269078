"""How severe the rules of migrations are: their own severity, or what ``suite.toml`` says instead."""

from __future__ import annotations

from collections.abc import Mapping

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Severity
from kisaan_validate.rehearse.rules import RULES
from kisaan_validate.rehearse.rules.again import AGAIN_RULES
from kisaan_validate.text.nearest import did_you_mean


def own_severities() -> dict[str, Severity]:
    """Every rule that can be found, by id."""
    own = {rule.id: rule.severity for rule in RULES}
    return own | {rule.id: rule.severity for rule in AGAIN_RULES.values()}


def severities(said: Mapping[str, str]) -> dict[str, Severity]:
    """The severity of every rule. ``said`` are those of ``suite.toml``. Raises SuiteError for a rule that
    does not exist.
    """
    own = own_severities()
    for id in said:
        if id not in own:
            raise SuiteError(f"no rule of migrations is called {id!r}", did_you_mean(id, own), "suite.toml")
    return {**own, **{id: Severity(word) for id, word in said.items()}}
