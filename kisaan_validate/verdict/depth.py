"""How closely the values of each table were compared with a baseline: equal counts do not mean equal values.
Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kisaan_validate.compare.digests import why_undigested
from kisaan_validate.compare.tables import tables_in_scope
from kisaan_validate.dataclass import dataclass
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import staying_values_of

if TYPE_CHECKING:
    from kisaan_validate.facts.table import TableFacts
    from kisaan_validate.verdict.judgement import Judgement


@dataclass(frozen=True)
class Depth:
    """The tables counted on both sides, by title: compared by a digest of every row, or by figures only."""

    digested: tuple[str, ...] = ()
    figures: tuple[str, ...] = ()


def depth_of(judged: Judgement) -> Depth:
    """How closely each table was compared; of no table without a baseline."""
    if judged.before is None or judged.diff is None:
        return Depth()
    old, new = tables_in_scope(judged.before), tables_in_scope(baseline_of(judged.run))
    open_ = {item.what for item in judged.diff.unknown}
    # A table that was not counted was not read, so its values were compared by nothing.
    known = [
        title
        for title in sorted(old.keys() & new.keys())
        if old[title].rows is not None and new[title].rows is not None
    ]
    # If rows went, the digest over all of them says nothing of those that stayed; the contract's digests do.
    deep = {t for t in known if _by_digest(old[t], new[t]) and staying_values_of(t) not in open_}
    return Depth(tuple(t for t in known if t in deep), tuple(t for t in known if t not in deep))


def _by_digest(old: TableFacts, new: TableFacts) -> bool:
    return old.digests is not None and new.digests is not None and not why_undigested(old, new)
