"""Write reports/sample from the demo: ``make sample``."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.cli.job import record  # noqa: E402
from kisaan_validate.facts.run import Provenance  # noqa: E402
from kisaan_validate.ops.demo.assets import find_assets  # noqa: E402
from kisaan_validate.ops.demo.place import playground  # noqa: E402
from kisaan_validate.ops.demo.story import play  # noqa: E402
from kisaan_validate.record.codec import baseline_to_json, digest_of  # noqa: E402
from kisaan_validate.verdict.judgement import judge  # noqa: E402

SCALE = 300_000

with playground(keep=False) as place:
    story = play(place, find_assets(), lambda _: None, scale=SCALE, clean=False)
    # The folder of a server that is gone by now says nothing to anybody.
    before = replace(story.before, place=replace(story.before.place, host="local socket"))
    digest = digest_of(baseline_to_json(before))
    origin = Provenance("demo", "the demo", unversioned="not asked")
    after = replace(
        story.after,
        place=replace(story.after.place, host="local socket"),
        baseline_digest=digest,
        provenance=origin,
    )
    made = record(judge(after, before, story.judged.contract), ROOT / "reports")
sample = ROOT / "reports" / "sample"
shutil.rmtree(sample, ignore_errors=True)
made.rename(sample)
for file in sample.iterdir():
    file.chmod(0o644)
print(sample.relative_to(ROOT))
