"""What the migration did to the data of the copy: a baseline before it, a run with the contract after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kisaan_validate.contract.promise import State
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.rehearsed import ContractReview
from kisaan_validate.facts.result import UNANSWERED
from kisaan_validate.plan.keyed import SealedDigests
from kisaan_validate.prove.options import Before, Comparing, Keeping, Options
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json, digest_of
from kisaan_validate.rehearse.sameness import change_words
from kisaan_validate.verdict.judgement import Judgement, judge

if TYPE_CHECKING:
    from kisaan_validate.contract.load import Contract
    from kisaan_validate.process.stopping import Stop
    from kisaan_validate.scratch.server import Scratch
    from kisaan_validate.suite.load import Suite
    from kisaan_validate.verdict.waivers import Waivers


@dataclass(frozen=True)
class ProvedBy:
    """What the data is proved by: the suite, the migration's contract if there is one, and waivers."""

    suite: Suite
    contract: Contract | None = None
    waivers: Waivers | None = None


def copy_baseline(
    scratch: Scratch, database: str, by: ProvedBy, sealed: SealedDigests, stop: Stop
) -> Baseline:
    """The baseline of a copy, with digests. ``sealed`` gets those of columns with few values, under a key
    that ends with this process. Raises KisaanError.
    """
    options = Options(
        sample=0, compare=Comparing(contract=by.contract, digests=True), keep=Keeping(sealed=sealed)
    )
    measured = run(by.suite, scratch.target(database, "postgres"), options=options, stop=stop)
    return sealed.put_into(baseline_of(measured))


def prove_copy(
    scratch: Scratch, database: str, by: ProvedBy, before: Baseline, sealed: SealedDigests, stop: Stop
) -> Judgement:
    """The run of the suite on the migrated copy, judged by the contract. Raises KisaanError."""
    digest = digest_of(baseline_to_json(before))
    # Another database only by name: it is a clone of the one that the baseline is of.
    compare = Comparing(Before(before, digest, other_database=True), by.contract)
    options = Options(compare=compare, waivers=by.waivers, keep=Keeping(sealed=sealed))
    made = run(by.suite, scratch.target(database, "postgres"), options=options, stop=stop)
    return judge(made, before, by.contract, by.waivers)


def review_contract(judged: Judgement, record: str = "") -> ContractReview:
    """A judgement as the rehearsal tells it."""
    broken = judged.in_state(State.BROKEN, State.NOT_DONE)
    results = {result.check_id: result for result in judged.run.results}
    failing = [_failing(check, results[check].violations) for check in judged.failing]
    return ContractReview(
        judged.verdict,
        judged.contract.name if judged.contract is not None else "",
        judged.run.suite.name,
        len(judged.run.results),
        len(judged.promises),
        len(judged.in_state(State.KEPT)),
        tuple(f"{promise.id}: {outcome.state.value}: {outcome.message}" for promise, outcome in broken),
        tuple(failing),
        tuple(change_words(change) for change in judged.unexplained),
        (*_unanswered(judged), *(f"{u.what}: {u.reason}" for u in judged.untold)),
        record,
    )


def _failing(check: str, violations: int | None) -> str:
    return f"{check}: {'violations' if violations is None else f'{violations:,} violations'}"


def _unanswered(judged: Judgement) -> tuple[str, ...]:

    checks = [
        f"{r.check_id}: {r.message or r.status.value}" for r in judged.run.results if r.status in UNANSWERED
    ]
    return (*checks, *(f"{promise.id}: {outcome.message}" for promise, outcome in judged.open_promises))


def with_record(review: ContractReview, record: str) -> ContractReview:
    """The same, naming the folder of the run's record."""
    return replace(review, record=record)
