"""How closely the values of tables were compared with a baseline, in words."""

from __future__ import annotations

from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.depth import depth_of
from kisaan_validate.verdict.judgement import Judgement


def depth_words(judged: Judgement) -> str:
    """How many tables had their values compared, and by what; "" where there is no baseline, or no table on
    both sides.
    """
    depth = depth_of(judged)
    deep, flat = len(depth.digested), len(depth.figures)
    if not deep + flat:
        return ""
    parts = [f"{number(deep)} by a digest of every row"] if deep else []
    parts += [f"{number(flat)} only by NULL counts, extremes and exact sums"] if flat else []
    return f"values of {counted(deep + flat, 'table')}: {', '.join(parts)}"
