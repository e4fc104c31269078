"""The digests of single rows, streamed in the order of their place: what a baseline keeps of them, and
what a run compares.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from kisaan_validate.compare.digests import ALL_PERSONAL, BUCKETS, LEFT_OUT
from kisaan_validate.dataclass import dataclass
from kisaan_validate.digest.forms import Context
from kisaan_validate.digest.parts import key_bytes_sql
from kisaan_validate.digest.rows import row_digest, staged
from kisaan_validate.facts.baseline import Baseline
from kisaan_validate.facts.catalogue import Catalogue, Table
from kisaan_validate.facts.titles import TableKey
from kisaan_validate.plan.fingerprints import Digesting, SqlPart, elements_of, why_not
from kisaan_validate.plan.measure.past import Past
from kisaan_validate.plan.measure.side import IsPersonal, TableSide, Telling
from kisaan_validate.sql.expressions import table_sql
from kisaan_validate.sql.qualify import qualified


@dataclass(frozen=True)
class RowStream:
    """The digests of the rows of one table, in the order of their place: a SELECT of place, both lanes,
    and the key as text.

    ``forms`` are those of the digested columns. Without ``sql``, ``message`` says why there is none.
    ``marked``: two texts of a key may mean one key, as of ranges of numbers, so behind ``MARK`` each text
    has a digest of the key itself. ``private``: the server's messages may quote personal values; ``known``
    are names that they may contain.
    """

    title: str
    key: tuple[str, ...]
    unique: bool
    forms: Mapping[str, str]
    sql: str = ""
    message: str = ""
    marked: bool = False
    private: bool = False
    known: frozenset[str] = frozenset()


# Looked for at a fixed place from the end, so a text that holds the character does no harm.
MARK = "\x1f"
"""What stands between the text of a key and the digest of what it is, 64 hexadecimal digits."""

MARK_LENGTH = 65
"""The characters of both."""


def row_streams(
    tables: Iterable[Table],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    digesting: Digesting,
    spoken: Collection[tuple[str, str]],
) -> list[RowStream]:
    """What is kept of each row of these tables; ``spoken`` are columns, by table and name, that take no
    part.
    """
    sides = (TableSide(table, catalogue, is_personal, digesting) for table in tables)
    return [
        _first(side, {column for table, column in spoken if table in {side.table.name, side.title}})
        for side in sides
    ]


def row_streams_again(
    kept: Iterable[tuple[Table, Mapping[str, str], Collection[int]]],
    catalogue: Catalogue,
    is_personal: IsPersonal,
    digesting: Digesting,
    before: Baseline,
    since: Mapping[TableKey, str],
) -> list[RowStream]:
    """The same of tables of which a baseline kept the rows: (table, the baseline's forms, the buckets that
    differ).
    """
    return [
        _again(
            Past(TableSide(table, catalogue, is_personal, digesting), before, since.get(table.key, "")),
            forms,
            buckets,
        )
        for table, forms, buckets in kept
    ]


def undigested(tables: Iterable[Table], is_personal: IsPersonal) -> dict[tuple[str, str], str]:
    """By title and column: why its digest does not leave the server."""
    found = {}
    for table in tables:
        for column in table.columns.values():
            why = LEFT_OUT if is_personal(table.name, column.name) else why_not(column)
            if why:
                found[table.title, column.name] = why
    return found


def _first(side: TableSide, spoken: Collection[str]) -> RowStream:
    """The digests of the rows: of all columns without a promise."""
    telling, primary = side.chosen_key(), side.table.primary_key
    parts = side.parts((c for c in side.table.columns if c not in spoken), {})
    # A key with a promise will change, so all columns together identify the rows instead.
    if set(telling.key) & set(spoken) or not telling.key:
        telling = Telling(primary if set(primary) <= set(parts) else tuple(parts))
    return _stream(side, telling, {name: str(part.form) for name, part in parts.items()}, parts, "", "")


def _again(past: Past, forms: Mapping[str, str], buckets: Collection[int]) -> RowStream:
    """The same of the rows of these buckets, as a baseline has them."""
    side, digests = past.side, past.digests
    if digests is None or not digests.key:
        return RowStream(side.title, (), False, forms, message="the baseline has no digests of it")
    telling = replace(past.telling(digests), forms=forms)
    parts = side.parts(forms, forms)
    if why := _missing(past, telling) or past.unlike(digests, telling) or _other_forms(parts, forms):
        return RowStream(side.title, telling.key, False, forms, message=why)
    # As one array literal: thousands of buckets as single literals would slow the parser down.
    listed = "'{" + ",".join(str(n) for n in sorted(buckets)) + "}'::int4[]"
    place = side.place(side.key_parts(telling))
    # The same bits that put the row into its bucket when the file was written.
    within = f"(({place}) & {BUCKETS - 1})::int4 = ANY ({listed})"
    return _stream(side, telling, forms, parts, within, past.not_late(telling.key))


def _missing(past: Past, telling: Telling) -> str:
    gone = [name for name in {*telling.forms, *telling.key} if name not in past.side.table.columns]
    return f"{', '.join(sorted(gone))} no longer exists" if gone else ""


def _other_forms(parts: Mapping[str, SqlPart], forms: Mapping[str, str]) -> str:
    different = [name for name, form in forms.items() if name not in parts or str(parts[name].form) != form]
    if different:
        return f"the values of {', '.join(different)} now have a different form"
    return ""


def _stream(
    side: TableSide,
    telling: Telling,
    forms: Mapping[str, str],
    parts: Mapping[str, SqlPart],
    condition: str,
    settled: str,
) -> RowStream:
    if not telling.key:
        why = (
            ALL_PERSONAL
            if side.personal == set(side.table.columns)
            else "none of its columns can be digested"
        )
        return RowStream(side.title, (), False, forms, message=why)
    # Without the primary key equal rows cannot be distinguished, so none has a key to show.
    unique = telling.key == side.table.primary_key
    encoding, keys = side.digesting.server_encoding, side.key_parts(telling)
    # The key's parts come first whatever the order of the columns: a column that moved changes nothing.
    others = [part for name, part in parts.items() if name not in telling.key]
    row = row_digest(side.digesting.encoding, elements_of([*keys, *others], encoding), "r")
    # A range or composite key can print alike for two values, so its digest decides.
    marked = unique and any(part.form.nested for part in keys)
    shown = _shown(keys, Context(encoding=encoding), marked) if unique else "''"
    extra = {
        "place": f"({side.place(keys)})",
        "shown": shown,
        # "true" where nothing tells late rows from others: then every new row counts as added.
        "settled": f"({settled})" if settled else "true",
    }
    inner = staged(table_sql(side.table), {**extra, row.name: row.inner}, condition)
    sql = (
        # By place, an integer, then by bytes: an order that the file and every server share.
        f'SELECT place, {", ".join(row.lanes)}, shown, settled FROM {inner} ORDER BY place, shown COLLATE "C"'
    )
    known = frozenset({side.table.name, *side.table.columns})
    return RowStream(
        side.title,
        telling.key,
        unique,
        forms,
        qualified(sql),
        marked=marked,
        private=bool(side.personal),
        known=known,
    )


def _shown(keys: Iterable[SqlPart], context: Context, marked: bool) -> str:
    """SQL of the key as text, and where that is not the key itself, of its digest behind ``MARK``."""
    parts = list(keys)
    text = f"ROW({', '.join(part.value(context) for part in parts)})::text"
    if marked:
        return f"{text} || E'\\x1f' || encode(sha256({key_bytes_sql(parts, context)}), 'hex')"
    return text
