"""Added rows that equal, except for the key, a row that was there already: a batch that was loaded twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from kisaan_validate.digest.parts import Part, table_digest
from kisaan_validate.digest.rows import RowDigest, staged
from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.row_differences import Kind, PatternFound, RowChange
from kisaan_validate.live.plan import PairPlan
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.live.statements import integer_key
from kisaan_validate.sql.expressions import quote, table_sql, text_literal, to_sql
from kisaan_validate.sql.qualify import qualified
from kisaan_validate.text.cutting import is_cut

DUPLICATED = "duplicated batch"
"""The name of the pattern."""

# The values stand in the statement, which must stay of a size that the server parses quickly.
MOST, MOST_BYTES = 10_000, 16 << 20
"""So many added rows, and characters of them, are looked for; where more were added, nothing is said."""

_CHEAP = {
    "int2": "int8",
    "int4": "int8",
    "int8": "int8",
    "numeric": "numeric",
    "uuid": "uuid",
    "text": "text",
    "varchar": "text",
}
"""Types whose values are quickly compared with a list, and the type of that list."""


class Arrivals:
    """The rows that were added, as long as they are not too many."""

    def __init__(self) -> None:
        self.rows: list[RowChange] | None = []
        self._size = 0

    def see(self, change: RowChange) -> None:
        """One row that differs."""
        if change.kind is Kind.ADDED and not change.late and self.rows is not None:
            self.rows.append(change)
            self._size += sum(map(len, filter(None, change.after.values())))
            if len(self.rows) > MOST or self._size > MOST_BYTES:
                self.rows = None


def duplicated(side: LiveSide, plan: PairPlan, encoding: str, arrivals: Arrivals) -> tuple[PatternFound, ...]:
    """What is said of the added rows: how many equal a row of ``side`` that is not one of them, all but
    the key.

    Nothing where there is no key, or no column beside it; where the key is somebody's and must not be
    written into a statement; where nothing was added, or too much; where the server gave no answer.
    """
    others = _others(plan)
    hidden = {pair.name for pair in plan.pairs if pair.personal}
    # A personal key would have to be written into the statement.
    if not plan.key or not others or not arrivals.rows or hidden.intersection(plan.key):
        return ()
    try:
        twice = _count(side, plan, encoding, arrivals.rows)
    # It is a remark, not a result: without an answer nothing is said.
    except (DatabaseError, UnicodeEncodeError):  # a database without an encoding holds bytes that are no text
        return ()
    if not twice:
        return ()
    words = f"{twice:,} of {len(arrivals.rows):,} added rows equal an existing row except for the key"
    return (PatternFound((), DUPLICATED, twice, words),)


def _others(plan: PairPlan) -> list[Part]:
    return [part for part in plan.parts_of(1) if part.column not in plan.key]


def _count(side: LiveSide, plan: PairPlan, encoding: str, rows: Sequence[RowChange]) -> int:
    """What the added rows hold, and how often the whole table holds that: two questions, so that both are
    the server's digests.
    """
    digest = table_digest(encoding, (), _others(plan), plan.after.context)
    high, low = digest.lanes
    item = {digest.name: digest.inner}
    source = table_sql(plan.after.table)
    added = _found(side, plan, digest, rows)
    if added is None:
        mine = staged(source, item, _is_one_of(plan, rows))
        asked = qualified(f"SELECT {high}, {low}, count(*) FROM {mine} GROUP BY 1, 2")
        added = {(h, lo): n for h, lo, n in side.ask(asked)}
    if not added:
        return 0
    # By one lane, which one array can list; the other lane is compared here.
    condition = f"{high} = ANY ('{{{','.join(str(h) for h, _ in added)}}}'::int8[])"
    all = staged(source, item, _may_equal(plan, rows))
    held = side.ask(qualified(f"SELECT {high}, {low}, count(*) FROM {all} WHERE {condition} GROUP BY 1, 2"))
    # More rows of these values than were added: the others were there before.
    return sum(added[h, lo] for h, lo, n in held if n > added.get((h, lo), n))


def _found(
    side: LiveSide, plan: PairPlan, digest: RowDigest, rows: Sequence[RowChange]
) -> Mapping[tuple[int, int], int] | None:
    """How often the added rows hold what, asked in a way that an index may answer: only if that gives each of
    their keys once, as the heap holds it; else None.
    """
    key = _listed_key(plan)
    if key is None:
        return None
    part, values = key[0], [row.key[0] for row in rows]
    # Not by ``staged``, whose IS TRUE no index can answer.
    source = (
        f"(SELECT * FROM {table_sql(plan.after.table)} WHERE {_is_one_of(plan, rows)} OFFSET '0') AS added"
    )
    mine = staged(source, {"k": part.sql, digest.name: digest.inner})
    found = side.hint(qualified(f"SELECT k::text, {', '.join(digest.lanes)} FROM {mine}"))
    if sorted(k for k, _, _ in found) != sorted(str(value) for value in values):
        return None
    return Counter((high, low) for _, high, low in found)


def _listed_key(plan: PairPlan) -> tuple[Part, str] | None:
    """A key of one column whose values a list can hold as they are shown, and the list's type."""
    if integer_key(plan):
        return plan.parts_of(1, plan.key)[0], "int8"
    if len(plan.key) != 1 or not plan.unique:
        return None
    (part,) = plan.parts_of(1, plan.key)
    return (part, "uuid") if part.facts.builtin and part.facts.name == "uuid" and not part.cast else None


def _is_one_of(plan: PairPlan, rows: Sequence[RowChange]) -> str:
    """The condition, over a row of the side after, that its key is among those of ``rows``."""
    key = plan.parts_of(1, plan.key)
    if (listed := _listed_key(plan)) is not None:
        part, kind = listed
        return f"{part.sql} = ANY ('{{{','.join(str(row.key[0]) for row in rows)}}}'::{kind}[])"
    texts = [part.shown(plan.after.context) for part in key]
    # With their lengths, so that ("a", "bc") and ("ab", "c") make different texts.
    framed = " || ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts)
    return f"{framed} = ANY ({_texts(framed_key(row.key) for row in rows)})"


def framed_key(key: Iterable[str | None]) -> str:
    """A key as one text, as the statement frames it: no two keys run together."""
    return "".join("-" if value is None else f"{len(value)}:{value}" for value in key)


def _may_equal(plan: PairPlan, rows: Sequence[RowChange]) -> str:
    """A condition that every row equal to one of ``rows`` fulfils and that costs less than its digest; ""
    if there is none.

    That is one column's value being among theirs: the column in which they differ most.
    """
    hidden = {pair.name for pair in plan.pairs if pair.personal}
    known = [
        (p, {row.after[p.column] for row in rows})
        for p in _others(plan)
        if _is_cheap(p) and p.column not in hidden
    ]
    # A cut value equals no stored one, and a NULL would need its own condition.
    usable = [(part, values) for part, values in known if None not in values and not any(map(is_cut, values))]
    if not usable:
        return ""
    # The column with most different values leaves out the most rows.
    part, values = max(usable, key=lambda usable: len(usable[1]))
    # Through one cheap type, so that int2 and int8 columns compare with the same list.
    kind = _CHEAP[part.facts.name]
    return f"{quote(part.column)}::{kind} = ANY ({_texts(sorted(str(v) for v in values))}::{kind}[])"


def _is_cheap(part: Part) -> bool:
    return not part.cast and part.facts.builtin and part.facts.name in _CHEAP


def _texts(texts: Iterable[str]) -> str:
    return f"ARRAY[{', '.join(to_sql(text_literal(text)) for text in texts)}]::text[]"
