"""How each check moved: new, still failing, fixed."""

from __future__ import annotations

from kisaan_validate.facts.baseline import Baseline, CheckFacts
from kisaan_validate.facts.differences import (
    CheckMove,
    Key,
    Origin,
    Transition,
)
from kisaan_validate.facts.result import MASKED, UNANSWERED, Status

GONE = "it was not run after: the suite no longer has it, or it was not selected"
CHANGED = "the check's meaning changed since the baseline was taken"
"""Reasons why a check cannot be compared that lie in the suite, not in the database."""


_ACCEPTED = {Status.PASS, Status.TOLERATED}


def moves(before: Baseline, after: Baseline) -> tuple[CheckMove, ...]:
    """What happened to each check between the two sides."""
    known = {facts.id: facts for facts in before.checks}
    moves = [_move(facts, known.pop(facts.id, None)) for facts in after.checks]
    moves += [
        # What the suite no longer has is left in `known`.
        CheckMove(f.id, Transition.UNKNOWN, f.violations, None, f.severity, GONE)
        for f in known.values()
    ]
    return tuple(moves)


def _move(new: CheckFacts, old: CheckFacts | None) -> CheckMove:
    # Where its table or column did not exist, a check could not fail: its failure came with the migration.
    if old is not None and old.digest == new.digest and old.missing and new.status is Status.FAIL:
        reason = "it did not exist before"
        return CheckMove(
            new.id, Transition.NEWLY_FAILING, None, new.violations, new.severity, reason, Origin.SINCE
        )
    # Before the counts: of a check that means something else they say nothing.
    reason = _incomparable(new, old)
    if old is None or reason:
        origin = Origin.UNKNOWN if new.status is Status.FAIL else None
        count = old.violations if old else None
        return CheckMove(new.id, Transition.UNKNOWN, count, new.violations, new.severity, reason, origin)
    was, is_ = old.status in _ACCEPTED, new.status in _ACCEPTED
    if was or is_:
        transition = {(True, True): Transition.STILL_PASSING, (True, False): Transition.NEWLY_FAILING}.get(
            (was, is_), Transition.FIXED
        )
        origin = Origin.SINCE if transition is Transition.NEWLY_FAILING else None
        return CheckMove(new.id, transition, old.violations, new.violations, new.severity, "", origin)
    origin, reason, keys = _still(old, new)
    return CheckMove(
        new.id, Transition.STILL_FAILING, old.violations, new.violations, new.severity, reason, origin, keys
    )


def _still(old: CheckFacts, new: CheckFacts) -> tuple[Origin, str, tuple[Key, ...]]:
    """Of a check that failed before and fails now: whether the rows are those that failed before."""
    if old.violations is None or new.violations is None:
        return Origin.UNKNOWN, "its violations were not counted on both sides", ()
    fresh = _fresh_keys(old, new)
    if new.violations > old.violations:
        # More than before: some are new, whichever they are.
        return Origin.SINCE, f"at least {new.violations - old.violations} more than before", fresh or ()
    if fresh:
        return Origin.SINCE, f"{len(fresh)} of the rows did not fail before", fresh
    # Equal digests of all keys, or every key known and none new.
    if fresh is not None or (
        old.key_digest and (old.violations, old.key_digest) == (new.violations, new.key_digest)
    ):
        return Origin.BEFORE, "", ()
    # Equal counts of rows prove nothing; of one subject they do.
    if _countable(old, new):
        return Origin.BEFORE, "", ()
    return Origin.UNKNOWN, "whether these are the same rows is unknown: not all keys were kept", ()


def _countable(old: CheckFacts, new: CheckFacts) -> bool:
    """Whether the check has one subject that is or is not as declared, so that a count says all (no rows,
    no keys).
    """
    return (
        not old.keys
        and not new.keys
        and not old.key_digest
        and not new.key_digest
        and old.violations == new.violations == 1
    )


def _fresh_keys(old: CheckFacts, new: CheckFacts) -> tuple[Key, ...] | None:
    """The keys that fail now and did not before; None where keys are unknown or were not all
    collected.
    """
    for side in (old, new):
        # An incomplete list proves neither that a key is new nor that it is old.
        if not side.keys or not side.keys_complete or any(_faceless(key) for key in side.keys):
            return None
    return tuple(key for key in new.keys if key not in set(old.keys))


def _faceless(key: Key) -> bool:
    """Whether a key does not identify a row for good: it was masked, cut, or is a physical place."""
    return not key or any(
        name == "ctid" or value == MASKED or (value is not None and value.endswith("…"))
        for name, value in key
    )


def _incomparable(new: CheckFacts, old: CheckFacts | None) -> str:
    """Why before and after cannot be compared, or ""."""
    if old is None:
        return "the baseline does not have this check"
    if old.digest != new.digest:
        return CHANGED
    # Before first: what was not known then cannot be made up for.
    for status, when in ((old.status, "before"), (new.status, "after")):
        if status in UNANSWERED:
            return f"it had no answer {when}"
        if status is Status.NOT_APPLICABLE:
            return f"it did not apply {when}"
    return ""
