"""Success criteria: what a runbook wants to see, and the checks by which each is proved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Check, Criterion
from kisaan_validate.text.nearest import did_you_mean

_KEYS = ("id", "text", "checks", "manual")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def read_criteria(given: list[Any], origin: str) -> tuple[Criterion, ...]:
    """The ``[[criteria]]`` of ``suite.toml``; ``checks`` are patterns still. Raises SuiteError."""
    made: dict[str, Criterion] = {}
    for entry in given:
        criterion = _criterion(entry, origin)
        if criterion.id in made:
            raise SuiteError(
                f"two criteria are called {criterion.id!r}", "give each an id of its own", origin
            )
        made[criterion.id] = criterion
    return tuple(made.values())


def _criterion(entry: Any, origin: str) -> Criterion:
    if not isinstance(entry, dict):
        raise SuiteError("'criteria' must be a list of tables", "write [[criteria]]", origin)
    for key in entry:
        if key not in _KEYS:
            raise SuiteError(f"unknown key {key!r} in [[criteria]]", did_you_mean(key, _KEYS), origin)
    id, text, checks, manual = (
        entry.get("id"),
        entry.get("text"),
        entry.get("checks", []),
        entry.get("manual", False),
    )
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise SuiteError(
            f"a criterion's id must be a word of letters, digits, '.', '_' and '-', not {id!r}", "", origin
        )
    if not isinstance(text, str) or not text.strip():
        raise SuiteError(f"criterion {id!r} says nothing", 'give it a text = "…"', origin)
    if (
        not isinstance(checks, list)
        or not all(isinstance(c, str) and c for c in checks)
        or not isinstance(manual, bool)
    ):
        raise SuiteError(f"criterion {id!r}: checks is a list of names, manual is true or false", "", origin)
    if bool(checks) == manual:
        hint = "name its checks = […], or say manual = true: then a person attests it"
        raise SuiteError(
            f"criterion {id!r} must be proved by checks or attested by a person, one of the two", hint, origin
        )
    return Criterion(id, " ".join(text.split()), tuple(checks), manual)


def resolved(
    criteria: Iterable[Criterion], checks: Iterable[Check], matches: Callable[[Check, str], bool], origin: str
) -> tuple[Criterion, ...]:
    """The criteria with the ids of the checks that their patterns (id, table or tag) mean, in the order of
    the suite.

    Raises SuiteError for a pattern that matches nothing: a criterion must not lose its proof by a typing
    slip.
    """
    every = tuple(checks)
    made = []
    for criterion in criteria:
        for pattern in criterion.checks:
            if not any(matches(check, pattern) for check in every):
                near = did_you_mean(pattern, [c.id for c in every])
                hint = near if near.startswith("did") else "see `kisaan-validate list`"
                raise SuiteError(f"criterion {criterion.id!r}: {pattern!r} matches no check", hint, origin)
        ids = tuple(c.id for c in every if any(matches(c, pattern) for pattern in criterion.checks))
        made.append(Criterion(criterion.id, criterion.text, ids, criterion.manual))
    return tuple(made)
