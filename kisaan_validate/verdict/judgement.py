"""What a run means: verdict, what came after the baseline, which promises were kept. Pure functions of
recorded facts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING

from kisaan_validate.compare.moves import CHANGED, GONE
from kisaan_validate.contract.both import Both, CannotTell
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.contract.story import Story, story_of
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.differences import Change, ChangeKey, Diff, Origin, Unknown
from kisaan_validate.facts.forward import forward
from kisaan_validate.facts.result import FailOn, Verdict
from kisaan_validate.facts.run import Run, incomplete
from kisaan_validate.verdict.waivers import Use, Waived, Waivers, waived

if TYPE_CHECKING:
    from kisaan_validate.compare.causes.base import ChangeGroup
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.facts.baseline import Baseline

JUDGED = frozenset({State.BROKEN, State.NOT_DONE})
"""What happens to a promise that was not kept."""


@dataclass(frozen=True)
class Judgement:
    """What a run means: verdict, reasons, comparisons.

    ``failing`` are the ids of the blocking checks that count as failed; ``explained`` maps a change to the
    ids of the promises that explain it. Without a baseline ``diff`` is None, without a contract ``promises``
    is empty. ``sources`` is the folder that contains the origins of checks, as seen from here ("" if
    unknown); it is not judged. ``before`` is the baseline under the names of after, for what a promise
    renamed; ``both`` what the promises were judged by. ``remarks`` say whether something that went is found
    under a name that came. ``groups`` hold each difference once, with others of one cause.
    """

    run: Run
    verdict: Verdict
    baseline: Baseline | None = None
    contract: Contract | None = None
    waivers: Waivers | None = None
    failing: tuple[str, ...] = ()
    waived: Mapping[str, Waived] = field(default_factory=dict)
    diff: Diff | None = None
    promises: tuple[tuple[Promise, Outcome], ...] = ()
    explained: Mapping[ChangeKey, tuple[str, ...]] = field(default_factory=dict)
    sources: str = ""
    before: Baseline | None = None
    both: Both | None = field(default=None, repr=False)
    remarks: Mapping[ChangeKey, str] = field(default_factory=dict)
    groups: tuple[ChangeGroup, ...] = ()

    @property
    def open_groups(self) -> tuple[ChangeGroup, ...]:
        """The groups of differences that no promise explains; without a contract, all."""
        return tuple(group for group in self.groups if not group.explained_by)

    @property
    def unexplained(self) -> tuple[Change, ...]:
        """The changes that no promise explains; none where there is no contract that could."""
        if self.diff is None or self.contract is None:
            return ()
        return tuple(change for change in self.diff.changes if change.key not in self.explained)

    @property
    def untold(self) -> tuple[Unknown, ...]:
        """What a comparison cannot tell, with the reason: what was not read, measured, or asked."""
        if self.diff is None or self.baseline is None:
            return ()
        found = (
            [Unknown("the contract", stale)] if self.contract is not None and (stale := self.stale) else []
        )
        # A partial run leaves checks out on purpose; only a full run can show that one is gone.
        lost = [m for m in self.diff.moves if m.reason == GONE and not self.run.selection.partial]
        return (
            *found,
            *self.diff.unknown,
            *(Unknown(f"the check {move.check_id}", move.reason) for move in lost),
        )

    @property
    def rewritten(self) -> tuple[str, ...]:
        """The checks whose meaning changed after the baseline was taken: they are judged as now written."""
        if self.diff is not None:
            return tuple(m.check_id for m in self.diff.moves if m.reason == CHANGED)
        return ()

    @property
    def listed(self) -> tuple[Change, ...]:
        """The differences that no contract judges, as there is none: they are shown and fail nothing."""
        if self.diff is not None and self.contract is None:
            return self.diff.changes
        return ()

    @property
    def stale(self) -> str:
        """Why the contract proves nothing with this baseline, or what was not measured; or ""."""
        if self.baseline is None or self.contract is None:
            return ""
        from kisaan_validate.contract.meaning import stale_measures

        return stale_measures(self.contract, self.baseline, self.run).words

    def contradicted(self, key: ChangeKey) -> tuple[str, ...]:
        """The promises that a change breaks."""
        return tuple(promise.id for promise, outcome in self.promises if key in outcome.contradicts)

    def in_state(self, *states: State) -> tuple[tuple[Promise, Outcome], ...]:
        """The promises that came to one of these states."""
        return tuple((promise, outcome) for promise, outcome in self.promises if outcome.state in states)

    @property
    def open_promises(self) -> tuple[tuple[Promise, Outcome], ...]:
        """The promises that keep a run from passing: it is unknown whether they were kept, or what they name
        is on neither side.
        """
        absent = self.in_state(State.NOT_APPLICABLE)
        return (*self.in_state(State.UNKNOWN), *((p, o) for p, o in absent if not p.may_be_missing))

    def failed(self, origin: Origin) -> tuple[str, ...]:
        """The checks, of any severity, that fail and whose failure has this origin."""
        if self.diff is not None:
            return tuple(m.check_id for m in self.diff.moves if m.origin is origin)
        return ()

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict and what needs attention."""
        return str(forward("notebook", self))


def judge(
    run: Run,
    baseline: Baseline | None = None,
    contract: Contract | None = None,
    waivers: Waivers | None = None,
) -> Judgement:
    """Judge a run by baseline, contract and waivers.

    FAIL if a blocking check fails that is not waived (with ``run.fail_on`` NEW: unless the same rows are
    known to have failed before, by the baseline or, with ``since_last``, by the last run), if a blocking
    promise was broken or not done, or if a difference is
    explained by no promise. Else INCONCLUSIVE if anything has no answer: a check, a promise, or something
    that the baseline should tell. Else PASS. Without a contract differences fail nothing, but what is unknown
    stays open. Raises ValueError for a contract without a baseline.
    """
    if contract is not None and baseline is None:
        raise ValueError("a contract can be judged only together with a baseline")
    uses = waived(run, waivers) if waivers is not None else {}
    made = Judgement(run, Verdict.PASS, baseline, contract, waivers, (), uses)
    if baseline is not None:
        from kisaan_validate.verdict.compared import compared_with

        made = compared_with(made, baseline)
    made = replace(made, failing=_failing(run, made.diff, uses))
    return replace(made, verdict=_verdict(made))


def _failing(run: Run, found: Diff | None, uses: Mapping[str, Waived]) -> tuple[str, ...]:
    checks = run.by_id
    origins = {move.check_id: move.origin for move in found.moves} if found is not None else {}
    # An expired or exceeded waiver excuses nothing.
    excused = {id for id, use in uses.items() if use.use is Use.HOLDS}
    if run.fail_on is FailOn.NEW:
        # UNKNOWN is not excused: only the same rows, proved to have failed before, count as old.
        excused |= {id for id, origin in origins.items() if origin is Origin.BEFORE}
        excused |= known_since_last(run)
    blocking = (r.check_id for r in run.failures if checks[r.check_id].severity is Severity.BLOCKING)
    return tuple(id for id in blocking if id not in excused)


def known_since_last(run: Run) -> set[str]:
    """The failing checks whose rows are proved to have failed in the last run, if the run is to be compared
    with it.
    """
    if run.past is None or not run.since_last:
        return set()
    return {failure.check for failure in run.past.failures if failure.known}


def _verdict(made: Judgement) -> Verdict:
    blocking = [o for p, o in made.in_state(*JUDGED) if p.severity is Severity.BLOCKING]
    if made.failing or blocking or made.unexplained:
        return Verdict.FAIL
    unknown = made.open_promises or made.untold
    return Verdict.INCONCLUSIVE if unknown or incomplete(made.run) else Verdict.PASS


def expected_rows(made: Judgement) -> dict[str, int | None]:
    """How many rows each table of the old side should have now: those that were to stay, and those that
    came as promised.

    None where that is unknown; empty without a contract, for then nobody said what to expect.
    """
    if made.both is None:
        return {}
    both = made.both
    return {title: _expected(both, title) for title in both.before.tables if title in both.after.tables}


def _expected(both: Both, title: str) -> int | None:
    try:
        # The table is counted as though every promised removal were done, so that one not done shows as a
        # surplus.
        story = promised_story(both, title)
        return story.staying + story.arrived
    except CannotTell:
        return None


def promised_story(both: Both, title: str) -> Story:
    """What would have happened to a table's rows, were every promised removal done. Raises CannotTell."""
    promised = frozenset(r.rule for r in both.removals.get(title, ()) if both.old_count(r.rule, title))
    return replace(story_of(both, title), done=promised)


@dataclass(frozen=True)
class Answer:
    """The answer to the first question of the night, in numbers: what came since the baseline, what was
    there, what is open.

    Checks are counted whatever their severity; promises, and differences as unexplained, only where there
    is a contract. ``listed`` differences are those that no contract judges. ``rewritten`` are checks that
    mean something else by now. ``not_applicable`` are promises about what is on neither side; those that
    are open are among ``untold``, too.
    """

    since: tuple[str, ...]
    before: tuple[str, ...]
    unknown: tuple[str, ...]
    broken: int
    not_done: int
    unexplained: int
    untold: int
    listed: int = 0
    rewritten: tuple[str, ...] = ()
    not_applicable: int = 0


def answer_of(made: Judgement) -> Answer | None:
    """The answer; None without a baseline, for then it cannot be given."""
    # Before the counts: without a baseline there are no promises, and zeros would read as a clean answer.
    if made.diff is None:
        return None
    states = Counter(outcome.state for _, outcome in made.promises)
    return Answer(
        made.failed(Origin.SINCE),
        made.failed(Origin.BEFORE),
        made.failed(Origin.UNKNOWN),
        states[State.BROKEN],
        states[State.NOT_DONE],
        len(made.unexplained),
        len(made.open_promises) + len(made.untold),
        len(made.listed),
        made.rewritten,
        states[State.NOT_APPLICABLE],
    )
