"""What a run means: verdict, what came after the baseline, which promises were kept. Pure functions of recorded facts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kisaan_validate.baseline import baseline_of
from kisaan_validate.changes import CHANGED, GONE, diff, with_rows, with_values
from kisaan_validate.contract.both import Both, CannotTell, side_of
from kisaan_validate.contract.load import Contract, spoken_columns
from kisaan_validate.contract.needs import Arrival, Names, Removal
from kisaan_validate.contract.promise import Outcome, Promise, State
from kisaan_validate.contract.story import story_of
from kisaan_validate.contract.whole import refined
from kisaan_validate.differences import Change, ChangeKey, Diff, Origin, Unknown
from kisaan_validate.model import Baseline, FailOn, Run, Severity, Verdict, incomplete
from kisaan_validate.waivers import Use, Waived, Waivers, waived

JUDGED = frozenset({State.BROKEN, State.NOT_DONE})
"""What becomes of a promise that was not kept."""


@dataclass(frozen=True)
class Judgement:
    """All that is said of a run beyond what was measured, with what it was judged beside.

    ``failing`` are the ids of the blocking checks that count as failed; ``explained`` maps a change to the ids of the
    promises that explain it. Without a baseline ``diff`` is None, without a contract ``promises`` is empty. ``sources`` is
    the folder below which the origins of checks are found from here ("" if not known): no part of what is judged.
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

    @property
    def unexplained(self) -> tuple[Change, ...]:
        """The changes that no promise explains; none where there is no contract that could."""
        if self.diff is None or self.contract is None:
            return ()
        return tuple(change for change in self.diff.changes if change.key not in self.explained)

    @property
    def untold(self) -> tuple[Unknown, ...]:
        """Of what a comparison cannot speak, with the reason: what was not read, measured, or asked in the same words."""
        if self.diff is None or self.baseline is None:
            return ()
        found = [Unknown("what was promised", stale)] if self.contract is not None and (stale := self.stale) else []
        lost = [m for m in self.diff.moves if m.reason == CHANGED or (m.reason == GONE and not self.run.selection.partial)]
        return (*found, *self.diff.unknown, *(Unknown(f"the check {move.check_id}", move.reason) for move in lost))

    @property
    def stale(self) -> str:
        """Why the baseline does not belong to the contract, or ""."""
        if self.baseline is None or self.contract is None:
            return ""
        return stale_reason(self.contract, self.baseline)

    def contradicted(self, key: ChangeKey) -> tuple[str, ...]:
        """The promises that a change breaks."""
        return tuple(promise.id for promise, outcome in self.promises if key in outcome.contradicts)

    def in_state(self, *states: State) -> tuple[tuple[Promise, Outcome], ...]:
        """The promises that came to one of these states."""
        return tuple((promise, outcome) for promise, outcome in self.promises if outcome.state in states)

    def failed(self, origin: Origin) -> tuple[str, ...]:
        """The checks, of any severity, that fail and whose failure has this origin."""
        return tuple(m.check_id for m in self.diff.moves if m.origin is origin) if self.diff is not None else ()

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict and what needs attention."""
        from kisaan_validate.report.notebook import notebook_html

        return notebook_html(self)


def judge(
    run: Run, baseline: Baseline | None = None, contract: Contract | None = None, waivers: Waivers | None = None
) -> Judgement:
    """What a run means, beside a baseline, a contract and waivers.

    FAIL if a blocking check fails that is not waived (with ``run.fail_on`` NEW: unless the same rows are known to have
    failed before), if a blocking promise was broken or not done, or if a difference is explained by no promise. Else
    INCONCLUSIVE if anything has no answer. Else PASS. A contract without a baseline is judged by nobody: ValueError.
    """
    if contract is not None and baseline is None:
        raise ValueError("a contract can be judged only beside a baseline")
    uses = waived(run, waivers) if waivers is not None else {}
    found = with_rows(diff(baseline, baseline_of(run)), run.rows) if baseline is not None else None
    failing = _failing(run, found, uses)
    promises: tuple[tuple[Promise, Outcome], ...] = ()
    if contract is not None and baseline is not None and found is not None:
        both = _both(contract, baseline, baseline_of(run), found, run.suite.aliases)
        found = refined(found, both)
        promises = outcomes(contract, baseline, baseline_of(run), found, run.suite.aliases)
        # After the promises: what kept values show of other columns is explained by none that speaks of rows alone.
        found = with_values(found, run.values, {(both.table(table), column) for table, column in spoken_columns(contract)})
    elif found is not None:
        found = with_values(found, run.values)
    made = Judgement(
        run, Verdict.PASS, baseline, contract, waivers, failing, uses, found, promises, _explained(promises)
    )  # fmt: skip
    return replace(made, verdict=_verdict(made))


def _failing(run: Run, found: Diff | None, uses: Mapping[str, Waived]) -> tuple[str, ...]:
    checks = run.by_id
    origins = {move.check_id: move.origin for move in found.moves} if found is not None else {}
    excused = {id for id, use in uses.items() if use.use is Use.HOLDS}
    if run.fail_on is FailOn.NEW:
        excused |= {id for id, origin in origins.items() if origin is Origin.BEFORE}
    blocking = (r.check_id for r in run.failures if checks[r.check_id].severity is Severity.BLOCKING)
    return tuple(id for id in blocking if id not in excused)


def _verdict(made: Judgement) -> Verdict:
    blocking = [o for p, o in made.in_state(*JUDGED) if p.severity is Severity.BLOCKING]
    if made.failing or blocking or made.unexplained:
        return Verdict.FAIL
    unknown = made.contract is not None and (made.in_state(State.UNKNOWN) or _open(made))
    return Verdict.INCONCLUSIVE if unknown or incomplete(made.run) else Verdict.PASS


def _open(made: Judgement) -> bool:
    """Whether a comparison leaves anything open. A check that was rewritten is said, but has an answer of its own now."""
    return any(item.reason != CHANGED for item in made.untold)


def _explained(promises: Iterable[tuple[Promise, Outcome]]) -> dict[ChangeKey, tuple[str, ...]]:
    found: dict[ChangeKey, tuple[str, ...]] = defaultdict(tuple)
    for promise, outcome in promises:
        for key in outcome.explains:
            found[key] += (promise.id,)
    return dict(found)


def outcomes(
    contract: Contract, before: Baseline, after: Baseline, found: Diff, aliases: Mapping[str, tuple[str, ...]]
) -> tuple[tuple[Promise, Outcome], ...]:
    """What became of each promise, in the order of the contract."""
    both = _both(contract, before, after, found, aliases)
    return tuple((promise, _outcome(promise, both)) for promise in contract.promises)


def _outcome(promise: Promise, both: Both) -> Outcome:
    for side in both.sides:
        refused = side.measures.get(f"promise {promise.id}")
        if refused is not None and refused.message:
            return Outcome(State.UNKNOWN, refused.message)
    try:
        outcome = promise.judge(both)
    except CannotTell as reason:
        return Outcome(State.UNKNOWN, str(reason))
    seen = both.changes.keys()
    return replace(outcome, explains=outcome.explains & seen, contradicts=outcome.contradicts & seen)


def expected_rows(made: Judgement) -> dict[str, int | None]:
    """How many rows each table of the old side should have now: those that were to stay, and those that came as promised.

    None where that cannot be told; empty without a contract, for then nobody said what to expect.
    """
    if made.contract is None or made.baseline is None or made.diff is None:
        return {}
    both = _both(made.contract, made.baseline, baseline_of(made.run), made.diff, made.run.suite.aliases)
    return {title: _expected(both, title) for title in both.before.tables if title in both.after.tables}


def _expected(both: Both, title: str) -> int | None:
    try:
        story = story_of(both, title)
        promised = frozenset(r.rule for r in both.removals.get(title, ()) if both.old_count(r.rule, title))
        return replace(story, done=promised).staying + story.arrived
    except CannotTell:
        return None


def stale_reason(contract: Contract, before: Baseline) -> str:
    """Why a baseline does not belong to a contract, so that what was promised cannot be told from what came about; or ""."""
    if contract.digest == before.contract_digest:
        return ""
    return f"the baseline was taken {'with another version of the' if before.contract_digest else 'without the'} contract"


def _both(
    contract: Contract, before: Baseline, after: Baseline, found: Diff, aliases: Mapping[str, tuple[str, ...]]
) -> Both:
    changes = {change.key: change for change in found.changes}
    sides = side_of(before, "before"), side_of(after, "after")
    bare = Both(*sides, changes, aliases=aliases, schemas=after.suite.schemas, stale=stale_reason(contract, before))
    removals: dict[str, tuple[Removal, ...]] = defaultdict(tuple)
    arrivals: dict[str, tuple[Arrival | Names, ...]] = defaultdict(tuple)
    for need in contract.needs:
        if isinstance(need, Removal):
            removals[bare.table(need.table)] += (need,)
        elif isinstance(need, (Arrival, Names)):
            arrivals[bare.table(need.table)] += (need,)
    spoken = (place for promise in contract.promises if (place := promise.rewrites()) is not None)
    rewritten = frozenset((bare.table(table), column) for table, column in spoken)
    return replace(bare, removals=dict(removals), arrivals=dict(arrivals), rewritten=rewritten)


@dataclass(frozen=True)
class Answer:
    """The answer to the first question of the night, in numbers: what came since the baseline, what was there, what is open.

    Checks are counted whatever their severity; promises and differences only where there is a contract.
    """

    since: tuple[str, ...]
    before: tuple[str, ...]
    unknown: tuple[str, ...]
    broken: int
    not_done: int
    unexplained: int
    untold: int


def answer_of(made: Judgement) -> Answer | None:
    """The answer; None without a baseline, for then it cannot be given."""
    if made.diff is None:
        return None
    states = Counter(outcome.state for _, outcome in made.promises)
    return Answer(
        made.failed(Origin.SINCE), made.failed(Origin.BEFORE), made.failed(Origin.UNKNOWN), states[State.BROKEN],
        states[State.NOT_DONE], len(made.unexplained),
        states[State.UNKNOWN] + len(made.untold),
    )  # fmt: skip
