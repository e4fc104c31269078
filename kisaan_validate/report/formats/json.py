"""``--format json``: the run as recorded, and beside it what was judged."""

from __future__ import annotations

from kisaan_validate.record.judged import judged_to_json
from kisaan_validate.verdict.judgement import Judgement


def render(judged: Judgement) -> str:
    """A JSON document that fits ``docs/schemas/judged.schema.json``."""
    return judged_to_json(judged)
