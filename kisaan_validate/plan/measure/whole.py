"""Digests of whole tables: of every column, of the rows, and of buckets of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kisaan_validate.compare.digests import BUCKETS
from kisaan_validate.contract.needs import Removal
from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.rows import buckets_sql, row_digest
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.measure_key import WHICH_ROWS, buckets_key, by_key, of_column, whole_key
from kisaan_validate.facts.table import Family, Measured, Profile
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.fingerprints import Digested, Digesting, SqlPart, elements_of
from kisaan_validate.plan.measure.figured import digests_apart, figures
from kisaan_validate.plan.measure.past import Past
from kisaan_validate.plan.measure.side import IsPersonal, TableSide, Telling
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.renames import came
from kisaan_validate.sql.expressions import table_sql


def whole_measures(
    tables: Iterable[Table],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    before: Baseline | None,
    digesting: Digesting,
    since: Mapping[TableKey, str],
) -> list[Measure]:
    """The statements that digest whole tables; beside a baseline only those that it has digests of.

    ``since`` names columns above whose highest value in the baseline a row came later; elsewhere the key
    tells.
    """
    sides = [TableSide(table, catalogue, is_personal, digesting) for table in tables]
    if before is None:
        return [_first(side) for side in sides]
    again = (_again(Past(side, before, since.get(side.table.key, ""))) for side in sides)
    return [measure for measure in again if measure is not None]


def _first(side: TableSide) -> Measure:
    """The digests of all columns and of buckets, in a key of its own choice."""
    return _whole(side, side.chosen_key(), "", list(side.table.columns))


def _again(past: Past) -> Measure | None:
    """The same as a baseline has, of the rows that are not late; None where it has none.

    If the buckets are those of the baseline, so is everything else.
    """
    side, digests, old = past.side, past.digests, past.table
    if digests is None or old is None:
        return None
    telling = past.telling(digests)
    if why := past.unlike(digests, telling):
        return side.measure(whole_key(side.title), message=why, key=telling.key)
    # A column that is gone is no reason to compare nothing: the others still tell.
    gone = set(telling.forms) - set(side.table.columns)
    settled = past.not_late(telling.key)
    there = [name for name in telling.forms if name not in gone]
    # A column that came may be a lost one under a new name, so its digest is taken as well.
    made = _whole(side, telling, settled, there, came(side.table, old) if gone else ())
    # With a column gone the buckets differ in any case, and prove nothing.
    if made.first is None or gone:
        return made
    columns = {
        # Figures of a digest have no ends; OTHER keeps anybody from looking for them.
        by_key(of_column(c.name)).text: replace(c.profile, family=Family.OTHER)
        for c in old.columns
        if c.profile and c.profile.digest
    }
    columns |= {by_key(WHICH_ROWS).text: Profile(Family.OTHER, 0, digest=digests.which_rows)}
    proved = Measured(made.id.text, side.title, None, columns, digests.key)
    # Where rows came or went, digests of whole columns say nothing of those that stayed.
    brief = figures(side, made.id, settled, telling, digests=[Digested(WHICH_ROWS, None)], every=False)
    return replace(made, brief=brief, proof=digests.buckets, proved=proved)


def _whole(
    side: TableSide, telling: Telling, stays: str, columns: Sequence[str], more: Sequence[str] = ()
) -> Measure:
    """Digests of the rows, of these columns, and of ``more`` that are no part of a row: one may be a lost
    one, renamed.
    """
    parts = side.parts(columns, telling.forms)
    further = side.parts(more, telling.forms)
    digests = [Digested(of_column(name), part) for name, part in {**parts, **further}.items()]
    made = digests_apart(side, whole_key(side.title), stays, telling, [Digested(WHICH_ROWS, None), *digests])
    first = side.measure(
        buckets_key(side.title), _buckets(side, telling, stays, parts), named="", key=telling.key
    )
    return replace(made, first=first)


def _buckets(side: TableSide, telling: Telling, stays: str, parts: Mapping[str, SqlPart]) -> str:
    """SQL of the list of buckets, each as number:rows:lane:lane."""
    # In the order of the key, then of the columns, as ``rows`` digests them.
    others = [part for name, part in parts.items() if name not in telling.key]
    key = side.key_parts(telling)
    # Without columns that could be digested only the number of rows is known.
    elements = elements_of([*key, *others], side.digesting.server_encoding) or ("0",)
    row = row_digest(side.digesting.encoding, elements)
    told_by = key or others
    # Without a key all columns place a row, so equal rows lie in one bucket.
    bucket = f"({side.place(told_by)} & {BUCKETS - 1})::int4" if told_by else "0"
    sql = buckets_sql(table_sql(side.table), row, bucket, condition=stays)
    line = "concat_ws(':', number, counted, high, low)"
    return f"SELECT array_agg({line} ORDER BY number)\nFROM ({sql}) AS q (number, counted, high, low)"


@dataclass(frozen=True)
class DigestKey:
    """By which parts digests of a whole table tell its rows apart, and which rows count (SQL, "" for all);
    else ``reason``.

    ``stays`` is SQL that is true for the rows that a contract does not remove, "" where it removes none.
    """

    parts: tuple[SqlPart, ...] = ()
    condition: str = ""
    stays: str = ""
    reason: str = ""


def digest_key(
    table: Table,
    catalogue: Catalogue,
    is_personal: IsPersonal,
    before: Baseline | None,
    digesting: Digesting,
    since: str = "",
    removals: Sequence[Removal] = (),
) -> DigestKey:
    """The key of the digests of a whole table: of its own choice, or beside a baseline the baseline's."""
    side = TableSide(table, catalogue, is_personal, digesting)
    if before is None:
        # A row that any removal takes does not stay, whichever of them is done.
        gone = " OR ".join(side.goes(removal) for removal in removals)
        return DigestKey(tuple(side.key_parts(side.chosen_key())), stays=f"NOT ({gone})" if gone else "")
    past = Past(side, before, since)
    if past.digests is None:
        return DigestKey(reason="the baseline has no digests of its table")
    telling = replace(
        past.telling(past.digests), forms={}
    )  # columns that became personal are compared under this key
    if why := past.unlike(past.digests, telling):
        return DigestKey(reason=why)
    return DigestKey(tuple(side.key_parts(telling)), past.not_late(telling.key))
