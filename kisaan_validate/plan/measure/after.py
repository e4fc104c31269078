"""What is measured for a contract after the migration: which rows came, which should have gone, and
whether the rest is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from kisaan_validate.contract.needs import Arrival, Lookup, Names, Need, Removal, Untouched
from kisaan_validate.facts.measure_key import (
    WHICH_ROWS,
    by_key,
    count_key,
    digests_key,
    names_key,
    null_keys_key,
    settled_key,
    untouched,
)
from kisaan_validate.plan.fingerprints import Digested
from kisaan_validate.plan.measure.before import NULL_KEYS_LIMIT, names
from kisaan_validate.plan.measure.figured import digests_apart, figures
from kisaan_validate.plan.measure.past import Past
from kisaan_validate.plan.measure.side import Telling, Unknowable, held, texts, those
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.measure.value import looked_up
from kisaan_validate.plan.measure.wanted import digests_wanted
from kisaan_validate.sql.expressions import distinct_sql, quote


def measures_after(past: Past, needs: Sequence[Need], *, every: bool) -> list[Measure]:
    """The statements over one table. With ``every``, all its columns are digested, not only the promised
    ones.
    """
    side = past.side
    made = [names(side, n) for n in those(needs, Names)]
    # Rows of an arrival are set aside first: no earlier digest could hold them.
    came: list[str] = []
    arrivals = [n for n in needs if isinstance(n, (Names, Arrival))]
    for need in arrivals:
        try:
            condition = _arrives(past, need)
        except Unknowable as reason:
            made.append(side.measure(count_key(need.rule, side.title), message=str(reason)))
            continue
        made.append(side.count(need.rule, condition))
        came += [] if isinstance(need, Arrival) and _were_there(past, need) else [condition]
    new = f"({' OR '.join(came)})" if came else ""
    for removal in those(needs, Removal):
        # A row that came after the migration may meet the condition of a removal, and was never meant.
        goes = side.goes(removal)
        made.append(side.count(removal.rule, f"({goes} AND NOT {new})" if new else goes, side.example()))
    stays = f"NOT {new}" if new else ""
    # Without arrivals the table's own figures say the same.
    if arrivals:
        made.append(figures(side, settled_key(side.title), stays or "true", Telling()))
    return [*made, *_digests(past, needs, stays, every), *_lookups(past, those(needs, Lookup), stays)]


def _arrives(past: Past, need: Arrival | Names) -> str:
    """SQL that is true for the rows that came. Raises Unknowable."""
    if isinstance(need, Arrival):
        return past.above(need.by) if need.by else held(need.where)
    old = past.measured(names_key(need.rule))
    # Labels that were there before may have old rows, so only new labels tell that a row is new.
    new = [name for name in need.names if old is None or name not in old.names]
    if new:
        return f"({quote(need.column)}::text = ANY ({texts(new)}) IS TRUE)"
    return "false"


def _were_there(past: Past, arrival: Arrival) -> bool:
    """Whether WHERE admitted old rows: then it does not tell which are new, and none is set aside."""
    rows = past.measured(count_key(arrival.rule, past.side.title))
    return not arrival.by and rows is not None and bool(rows.rows)


def _digests(past: Past, needs: Sequence[Need], stays: str, every: bool) -> list[Measure]:
    """The digests of the rows that did not arrive, by the key by which the baseline's tell rows apart."""
    side, old = past.side, past.remainder
    whole = digests_key(side.title)
    # The baseline measured no digests here, perhaps because it was taken without this contract.
    if old is None or old.figure(by_key(WHICH_ROWS)) is None:
        return []
    telling = past.contract_telling()
    # The key itself may have become personal, or digests may be made differently now.
    if why := past.incomparable(telling.key):
        return [side.measure(whole, message=why, key=telling.key)]
    digests = digests_wanted(side, needs, past.form, past.table, every=every)
    made = []
    for need in those(needs, Untouched):
        kept = untouched(need.column, need.rule)
        part = side.part(need.column, past.form(kept))
        try:
            where = _were_not_null(past, telling, need)
        except Unknowable as reason:
            made.append(side.measure(whole.of_part(kept.text), message=str(reason), key=telling.key))
            continue
        digests += [Digested(kept, part, where)] if part is not None else []
    return [*made, digests_apart(side, whole, stays, telling, digests)]


def _were_not_null(past: Past, telling: Telling, need: Untouched) -> str:
    """SQL that is true for the rows where the column was not NULL. Raises Unknowable."""
    old, side = past.measured(null_keys_key(need.rule)), past.side
    if old is None or old.message:
        raise Unknowable(
            old.message if old is not None else "the baseline did not record which rows had no value"
        )
    # Past the limit the list is known to be cut, so a row that is not on it proves nothing.
    if len(old.names) > NULL_KEYS_LIMIT:
        raise Unknowable(f"more than {NULL_KEYS_LIMIT:,} rows had no value: which ones was not recorded")
    key = side.table.primary_key
    # The kept keys are texts of the old key's columns; another key makes other texts.
    if not key or key != telling.key or set(key) & side.personal:
        raise Unknowable(f"{side.title} no longer has the same primary key")
    if not old.names:
        return "true"
    # NOT IN over unnest of texts, never NULL: ``row_text`` writes a NULL as text.
    return f"({side.row_text(side.key_parts(telling))} NOT IN (SELECT unnest({texts(old.names)})))"


def _lookups(past: Past, needs: Sequence[Lookup], stays: str) -> list[Measure]:
    """How many rows do not have the value that is looked up on the new side, and one of them."""
    # A promised column may be missing; the promise says so elsewhere.
    side, made = past.side, []
    for need in (n for n in needs if n.column in side.table.columns):
        # The operator that the catalogue names: a type may have its own inequality in another schema.
        sign = side.table.columns[need.column].sign("<>")
        try:
            value = looked_up(side, need)
        except Unknowable as reason:
            made.append(side.measure(count_key(need.rule, side.title), message=str(reason)))
            continue
        wrong = f"({distinct_sql(quote(need.column), sign, value.sql)})"
        made.append(side.count(need.rule, f"({wrong} AND {stays})" if stays else wrong, side.example()))
    return made
