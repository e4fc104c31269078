"""How closely the values of tables were compared with a baseline, in words: equal counts do not mean equal
values.
"""

from __future__ import annotations

from kisaan_validate.compare.digests import why_undigested
from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import staying_values_of
from kisaan_validate.facts.table import TableFacts
from kisaan_validate.report.text import number
from kisaan_validate.text.numbers import counted
from kisaan_validate.verdict.judgement import Judgement


def depth_words(judged: Judgement) -> str:
    """How many tables had their values compared, and by what; "" where there is no baseline, or no table on
    both sides.
    """
    if judged.before is None or judged.diff is None:
        return ""
    old, new = tables_in_scope(judged.before), tables_in_scope(baseline_of(judged.run))
    pairs = [(old[title], new[title]) for title in old.keys() & new.keys()]
    # A table that was not counted was not read, so its values were compared by nothing.
    known = [pair for pair in pairs if pair[0].rows is not None and pair[1].rows is not None]
    if not known:
        return ""
    open_ = {item.what for item in judged.diff.unknown}
    # A digest over rows of which some went says nothing of those that stayed, until the contract's digests
    # do.
    deep = sum(_by_digest(*pair) and staying_values_of(pair[0].title) not in open_ for pair in known)
    parts = [f"{number(deep)} by a digest of every row"] if deep else []
    parts += (
        [f"{number(len(known) - deep)} only by NULL counts, extremes and exact sums"]
        if deep < len(known)
        else []
    )
    return f"values of {counted(len(known), 'table')}: {', '.join(parts)}"


def _by_digest(old: TableFacts, new: TableFacts) -> bool:
    return old.digests is not None and new.digests is not None and not why_undigested(old, new)
