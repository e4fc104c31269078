"""The story: build, take the baseline, migrate, validate; the findings must equal the manifest exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kisaan_validate.contract.load import read_contract
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.ops.demo.assets import CLEAN, FIELD, Assets, text_of
from kisaan_validate.ops.demo.place import READER, Migrated, Playground, build, migrate
from kisaan_validate.postgres.target import Target
from kisaan_validate.prove.options import Before, Comparing, Options
from kisaan_validate.prove.request import Observer
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_to_json, digest_of
from kisaan_validate.rehearse.rehearsal import RehearsalOutcome
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

DEFAULT_SCALE, PUBLIC_SCALE = 300_000, 20_000


def measure(place: Playground, suite: Suite, observer: Observer, options: Options) -> Run:
    """One run of the suite as the reading role."""
    target = Target(place.parameters(READER), "the demo")
    return run(suite, target, options=options, observer=observer)


@dataclass(frozen=True)
class DemoStory:
    """What the demo came to. ``missed`` and ``invented`` are check ids with counts; both must be
    empty.

    ``faults`` are the manifest's entries. ``rehearsal`` is None where none was asked for.
    """

    judged: Judgement
    migrated: Migrated
    faults: tuple[Mapping[str, Any], ...]
    missed: dict[str, int]
    invented: dict[str, int]
    rehearsal: RehearsalOutcome | None = None

    @property
    def before(self) -> Baseline:
        """What was frozen before the migrations."""
        # play() always judges beside a baseline.
        assert self.judged.baseline is not None
        return self.judged.baseline

    @property
    def after(self) -> Run:
        """What was measured after them."""
        return self.judged.run


def play(
    place: Playground,
    assets: Assets,
    observer: Observer,
    *,
    scale: int,
    clean: bool = False,
    public: bool = False,
    rehearsed: Callable[[str, Suite], RehearsalOutcome] | None = None,
) -> DemoStory:
    """Build, take the baseline, rehearse, migrate, validate, and compare the findings with the manifest.

    ``public``: an installation made from the public schema, on which the runner stops at the first file.
    ``rehearsed`` rehearses a folder of migrations on a copy, before they run.
    """
    suite = load_suite(assets.checks)
    path = assets.contract(clean)
    contract = read_contract(text_of(path), path.name)
    faults = assets.manifest(public)["fault"]
    build(place, assets.database(public), scale)
    before = baseline_of(
        # Keys and rows are not needed: the baseline is compared by figures and promises.
        measure(place, suite, lambda _: None, Options(sample=0, compare=Comparing(contract=contract)))
    )
    migrations = CLEAN if clean else FIELD
    rehearsal = rehearsed(migrations, suite) if rehearsed else None
    migrated = migrate(place, assets, migrations)
    # Of the text that would be written, as a file has it.
    digest = digest_of(baseline_to_json(before))
    after = measure(place, suite, observer, Options(compare=Comparing(Before(before, digest), contract)))
    expected = {} if clean else expected_findings(place, faults)
    found = findings(after)
    expected_before = cured(faults)
    # Faults that the migration fixes can only be seen before it.
    seen_before = {check.id: check.violations for check in before.checks}
    unseen = {f"{id} (before)": n for id, n in expected_before.items() if seen_before.get(id) != n}
    return DemoStory(
        judge(after, before, contract),
        migrated,
        tuple(faults),
        # Exact counts: one row more or fewer is a miss and an invention.
        missed=unseen | {id: n for id, n in expected.items() if found.get(id) != n},
        invented={id: n for id, n in found.items() if expected.get(id) != n},
        rehearsal=rehearsal,
    )


def cured(faults: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the baseline must show of the faults that the migration fixes, by check id."""
    expected: Counter[str] = Counter()
    fixed = {id for fault in faults if fault["after_migration"] == "fixed" for id in fault["checks"]}
    for fault in faults:
        for id in fixed.intersection(fault["checks"]):
            expected[id] += fault["rows_before"]
    return dict(expected)


def findings(measured: Run) -> dict[str, int]:
    """Every check that is not simply proved, with its violating rows (-1 where it has no answer)."""
    quiet = {Status.PASS, Status.NOT_APPLICABLE}
    # -1, so that a check without an answer never equals an expected count.
    return {
        r.check_id: -1 if r.violations is None else r.violations
        for r in measured.results
        if r.status not in quiet
    }


def expected_findings(place: Playground, faults: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What the manifest promises that a validation after the field migration finds, by check id.

    A count that depends on the scale is SQL there, and is asked of the database. Where several faults are
    found by one check, their counts add up.
    """
    expected: Counter[str] = Counter()
    for fault in faults:
        rows = fault["rows_after"]
        count = int(place.execute(rows)[0][0]) if isinstance(rows, str) else int(rows)
        expected.update(dict.fromkeys(fault["checks"], count))
    # A fault that the migration removed must not be found any more.
    return {id: count for id, count in expected.items() if count}
