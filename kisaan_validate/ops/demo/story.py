"""The story: build, take the baseline, migrate, validate; the findings must equal the manifest exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from kisaan_validate.contract.load import read_contract
from kisaan_validate.dataclass import dataclass
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
from kisaan_validate.suite.load import Suite, load_suite
from kisaan_validate.verdict.judgement import Judgement, judge

NIGHT_SCALE, CLEAN_SCALE, PUBLIC_SCALE = 20_000, 300_000, 20_000
"""Payments of the night, which migrates several copies; of corrected migrations; of the public schema."""


def measure(place: Playground, suite: Suite, observer: Observer, options: Options) -> Run:
    """One run of the suite as the reading role."""
    target = Target(place.parameters(READER), "the demo")
    return run(suite, target, options=options, observer=observer)


@dataclass(frozen=True)
class DemoStory:
    """The result of the demo. ``missed`` and ``invented`` are check ids with counts; both must be
    empty.

    ``faults`` are the manifest's entries. ``unlike`` has the steps of a night that did not come to what the
    manifest says, with what they came to; it must be empty too.
    """

    judged: Judgement
    migrated: Migrated
    faults: tuple[Mapping[str, Any], ...]
    missed: dict[str, int]
    invented: dict[str, int]
    unlike: dict[str, str] = field(default_factory=dict)

    @property
    def proved(self) -> bool:
        """Whether everything came out as the manifest says."""
        return not (self.missed or self.invented or self.unlike)

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
) -> DemoStory:
    """Build, take the baseline, migrate, validate, and compare the findings with the manifest.

    ``public``: an installation made from the public schema, on which the runner stops at the first file.
    """
    suite = load_suite(assets.checks)
    path = assets.contract(clean)
    contract = read_contract(text_of(path), path.name)
    build(place, assets.database(public), scale)
    before = baseline_of(
        # Keys and rows are not needed: the baseline is compared by figures and promises.
        measure(place, suite, lambda _: None, Options(sample=0, compare=Comparing(contract=contract)))
    )
    migrated = migrate(place, assets, CLEAN if clean else FIELD)
    # The digest of the text that would be written, as for a file.
    digest = digest_of(baseline_to_json(before))
    after = measure(place, suite, observer, Options(compare=Comparing(Before(before, digest), contract)))
    faults = assets.manifest(public)["fault"]
    return story_of(
        judge(after, before, contract), migrated, faults, {} if clean else expected_findings(place, faults)
    )


def story_of(
    judged: Judgement, migrated: Migrated, faults: Sequence[Mapping[str, Any]], expected: Mapping[str, int]
) -> DemoStory:
    """The judged facts, compared with the manifest's ``faults`` and the ``expected`` counts after the
    migration, by check id. ``judged`` has a baseline.
    """
    assert judged.baseline is not None
    found = findings(judged.run)
    # Faults that the migration fixes can only be seen before it.
    seen_before = {check.id: check.violations for check in judged.baseline.checks}
    unseen = {f"{id} (before)": n for id, n in cured(faults).items() if seen_before.get(id) != n}
    return DemoStory(
        judged,
        migrated,
        tuple(faults),
        # Exact counts: one row more or fewer is a miss and an invention.
        missed=unseen | {id: n for id, n in expected.items() if found.get(id) != n},
        invented={id: n for id, n in found.items() if expected.get(id) != n},
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
