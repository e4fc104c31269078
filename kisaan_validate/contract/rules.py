"""Every kind of promise that a contract can make. Those about checks and sequences are here, the others
beside.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import ClassVar

from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.exact import ChangedWhereNull, LookedUp
from kisaan_validate.contract.objects import Added, Altered, Dropped, OfObject
from kisaan_validate.contract.promise import Outcome, Promise, State, are, missing
from kisaan_validate.contract.renamed import Renamed
from kisaan_validate.contract.rows import Recorded, RowsAdded, RowsArrived, RowsRemoved, RowsUnchanged
from kisaan_validate.contract.values import Becomes, Filled, Retyped, Revised, SumPreserved
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import CheckFacts
from kisaan_validate.facts.differences import SEQUENCE
from kisaan_validate.facts.result import UNANSWERED, Status
from kisaan_validate.text.numbers import counted

__all__ = [
    "KINDS",
    "Added",
    "Altered",
    "Becomes",
    "ChangedWhereNull",
    "Dropped",
    "Filled",
    "Fixed",
    "LookedUp",
    "OfObject",
    "Outcome",
    "Promise",
    "Recorded",
    "Renamed",
    "Retyped",
    "Revised",
    "RowsAdded",
    "RowsArrived",
    "RowsRemoved",
    "RowsUnchanged",
    "SequencesAdvance",
    "State",
    "SumPreserved",
]

KEYS_SHOWN = 3
"""So many violating keys are named where a check is not fixed."""


@dataclass(frozen=True)
class Fixed(Promise):
    """A check that failed holds."""

    check: str = ""
    kind: ClassVar[str] = "fixed"

    def claim(self) -> str:
        return f"the check {self.check} holds"

    @property
    def may_be_missing(self) -> bool:
        """Whether it leaves nothing open: the suite itself says where a check does not apply."""
        return True

    def judge(self, both: Both) -> Outcome:
        old, new = both.before.checks.get(self.check), both.after.checks.get(self.check)
        if (
            # By digest too: a check that changed its meaning may not have applied for another reason.
            old is not None
            and new is not None
            and {old.status, new.status} == {Status.NOT_APPLICABLE}
            and old.digest == new.digest
        ):
            return Outcome(State.NOT_APPLICABLE, f"check {self.check} applies to neither side")
        if new is None or new.status in UNANSWERED or new.violations is None:
            why = (
                "does not apply"
                if new is not None and new.status is Status.NOT_APPLICABLE
                else "has no answer"
            )
            raise CannotTell(f"the check {self.check} {why} now")
        # Its counts would be of another rule.
        if old is not None and old.digest != new.digest:
            raise CannotTell(f"the check {self.check} has changed its meaning since the baseline was taken")
        was = old.violations if old is not None and old.status not in UNANSWERED else None
        counts = ("not known" if was is None else _violations(was), _violations(new.violations))
        # Tolerated violations are no failure: the check holds by its own words.
        if new.status is not Status.FAIL:
            tolerated = f"{counts[1]} {are(new.violations)} tolerated" if new.violations else ""
            return Outcome(State.KEPT, tolerated or _before(old, was), frozenset(), *counts)
        # Without an earlier count, "nothing was done" is the milder and safer word.
        state = State.NOT_DONE if was is None or 0 < was <= new.violations else State.BROKEN
        return Outcome(state, _left(was, new.violations) + _first(new), frozenset(), *counts)


def _before(old: CheckFacts | None, was: int | None) -> str:
    if old is None:
        return "the baseline does not have it"
    return {None: "it had no answer before", 0: "it held before"}.get(was, "")


def _left(was: int | None, now: int) -> str:
    if was == 0:
        return f"it held before; now {_violations(now)}"
    if was is None or was < now:
        return f"{_violations(now)}{'' if was is None else f', {was:,} before'}"
    return f"{now:,} of {_violations(was)} {are(now)} left"


def _violations(number: int) -> str:
    return counted(number, "violation")


def _named(name: str, value: str | None) -> str:
    return f"{name} {'NULL' if value is None else value}"


def _first(facts: CheckFacts) -> str:
    shown = [" ".join(_named(*pair) for pair in key) for key in facts.keys[:KEYS_SHOWN]]
    return f", first {', '.join(shown)}" if shown else ""


@dataclass(frozen=True)
class SequencesAdvance(Promise):
    """Sequences of this name or pattern (all by default) never move backwards."""

    names: str = "*"
    kind: ClassVar[str] = "sequences_advance"

    def claim(self) -> str:
        return f"sequences {self.names} never move backwards"

    @property
    def may_be_missing(self) -> bool:
        """Whether it leaves nothing open where no sequence matches: a pattern may match none."""
        # A pattern may match none; a plain name that matches nothing is a slip.
        return self.optional or any(sign in self.names for sign in "*?[")

    def judge(self, both: Both) -> Outcome:
        known = {s.name for side in both.sides for s in side.facts.sequences}
        if not any(fnmatchcase(name, self.names) for name in known):
            return self._none(both)
        # A descending sequence advances downwards.
        signs = {s.name: 1 if s.ascending else -1 for s in both.after.facts.sequences}
        places = [
            # is_called as well: the first nextval() leaves last_value as it is.
            {s.name: (signs.get(s.name, 1) * s.last_value, s.is_called) for s in side.facts.sequences}
            for side in both.sides
        ]
        moved = [c for c in both.changes.values() if c.kind == SEQUENCE and fnmatchcase(c.name, self.names)]
        back = sorted((c for c in moved if places[1][c.name] < places[0][c.name]), key=lambda c: c.name)
        explains = frozenset(c.key for c in moved if c not in back)
        if back:
            steps = ", ".join(f"{c.name} from {c.before} to {c.after}" for c in back)
            return Outcome(
                State.BROKEN,
                f"moved backwards: {steps}",
                explains,
                contradicts=frozenset(c.key for c in back),
            )
        return Outcome(State.KEPT, f"{len(moved):,} moved" if moved else "none moved", explains)

    def _none(self, both: Both) -> Outcome:
        """What is said where no sequence of this name could be read. Raises CannotTell where one may have
        been hidden.
        """
        for side in both.sides:
            for what, reason in side.facts.unread.items():
                if what == "sequence" or what.startswith("the value of sequence "):
                    raise CannotTell(f"{what} could not be read {side.when}: {reason}")
        return missing(
            "sequence" if self.names == "*" else f"sequence {self.names}", self.may_be_missing, [False, False]
        )


KINDS: dict[str, type[Promise]] = {
    promise.kind: promise
    for promise in (
        RowsUnchanged,
        RowsRemoved,
        RowsAdded,
        RowsArrived,
        SumPreserved,
        Retyped,
        Filled,
        Becomes,
        ChangedWhereNull,
        LookedUp,
        Revised,
        Renamed,
        Added,
        Dropped,
        Altered,
        Recorded,
        Fixed,
        SequencesAdvance,
    )
}
"""Every kind of promise, by the name under which a contract makes it."""
