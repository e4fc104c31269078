"""How many rows the migration has to fix: counts of checks, from a recent record or asked now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from kisaan_validate.contract.load import Contract
from kisaan_validate.contract.needs import Removal
from kisaan_validate.contract.rules import Fixed
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.result import UNANSWERED, Status
from kisaan_validate.facts.run import Run
from kisaan_validate.suite.load import Suite


@dataclass(frozen=True)
class CheckCount:
    """What a record says of a check: its violations, None where it had no answer. ``digest`` is the check's
    meaning then.
    """

    violations: int | None
    status: Status
    digest: str


@dataclass(frozen=True)
class CountsSource:
    """Counts of checks at one time. ``words`` say where they are from; ``asked``: they were just measured."""

    words: str
    at: datetime
    counts: Mapping[str, CheckCount]
    asked: bool = False


def promised_checks(contract: Contract, suite: Suite) -> tuple[str, ...]:
    """The checks that the contract promises to make true, or whose surplus it removes, in its order."""
    found = [promise.check for promise in contract.promises if isinstance(promise, Fixed)]
    found += [need.check for need in contract.needs if isinstance(need, Removal) and need.check]
    known = {check.id for check in suite.checks}
    return tuple(dict.fromkeys(id for id in found if id in known))


def of_baseline(baseline: Baseline, name: str) -> CountsSource:
    """The counts that a baseline keeps."""
    counts = {one.id: CheckCount(one.violations, one.status, one.digest) for one in baseline.checks}
    return CountsSource(f"the baseline {name}", baseline.taken_at, counts)


def of_run(run: Run, name: str, *, asked: bool = False) -> CountsSource:
    """The counts of a run."""
    digests = {check.id: check.digest for check in run.checks}
    counts = {
        result.check_id: CheckCount(result.violations, result.status, digests.get(result.check_id, ""))
        for result in run.results
    }
    return CountsSource(name, run.place.at, counts, asked)


def unanswered(count: CheckCount) -> bool:
    """Whether a record has no number for a check."""
    return count.status in UNANSWERED or (
        count.violations is None and count.status is not Status.NOT_APPLICABLE
    )


def changed(count: CheckCount, suite: Suite, id: str) -> bool:
    """Whether the check has another meaning now than in the record."""
    return any(check.id == id and check.digest != count.digest for check in suite.checks)


def sources_of(found: Iterator[CountsSource | None]) -> tuple[CountsSource, ...]:
    """The records that there are, the newest first."""
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.at, reverse=True))
