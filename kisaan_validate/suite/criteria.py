"""Success criteria: what a runbook wants to see, and the checks by which each is proved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.check import Check, Criterion
from kisaan_validate.text.nearest import did_you_mean


def distinct(criteria: Iterable[Criterion], origin: str) -> tuple[Criterion, ...]:
    """The same criteria. Raises SuiteError where two have one id; ``origin`` is the file's name."""
    made: dict[str, Criterion] = {}
    for criterion in criteria:
        if criterion.id in made:
            raise SuiteError(f"two criteria have the id {criterion.id!r}", "give each its own id", origin)
        made[criterion.id] = criterion
    return tuple(made.values())


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
            # Each pattern by itself: one that matches makes up for none that does not.
            if not any(matches(check, pattern) for check in every):
                near = did_you_mean(pattern, [c.id for c in every])
                hint = near if near.startswith("did") else "see `kisaan-validate list`"
                raise SuiteError(f"criterion {criterion.id!r}: {pattern!r} matches no check", hint, origin)
        # Resolved to ids now, so that a record says which checks proved it, whatever is added later.
        ids = tuple(c.id for c in every if any(matches(c, pattern) for pattern in criterion.checks))
        made.append(Criterion(criterion.id, criterion.text, ids, criterion.manual))
    return tuple(made)
