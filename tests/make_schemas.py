"""Write docs/schemas from the nouns: ``python tests/make_schemas.py``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.facts.baseline import Baseline  # noqa: E402
from kisaan_validate.facts.run import Run  # noqa: E402
from kisaan_validate.record.codec import schema_of  # noqa: E402
from kisaan_validate.record.judged import judged_schema  # noqa: E402

for name, schema in (("run", schema_of(Run)), ("baseline", schema_of(Baseline)), ("judged", judged_schema())):
    path = ROOT / "docs" / "schemas" / f"{name}.schema.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(path.relative_to(ROOT))
