"""Write reports/sample from the demonstration: ``make sample``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.cli.job import record  # noqa: E402
from kisaan_validate.demo import find_assets, play, playground  # noqa: E402

SCALE = 300_000

with playground(keep=False) as place:
    story = play(place, find_assets(), lambda _: None, scale=SCALE, clean=False)
    made = record(story.after, ROOT / "reports", story.before)
sample = ROOT / "reports" / "sample"
shutil.rmtree(sample, ignore_errors=True)
made.rename(sample)
for file in sample.iterdir():
    file.chmod(0o644)
print(sample.relative_to(ROOT))
