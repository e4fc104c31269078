"""Statements of figures and digests over the rows of a table that stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kisaan_validate.facts.measure_key import MeasureKey, count_key
from kisaan_validate.plan.figures import Figure, column_figure
from kisaan_validate.plan.fingerprints import Digested, Digesting, SqlPart, seed_items
from kisaan_validate.plan.measure.side import TableSide, Telling
from kisaan_validate.plan.measure.statement import Measure
from kisaan_validate.plan.measure.value import Value
from kisaan_validate.plan.statements import figure_items
from kisaan_validate.sql.expressions import distinct_sql, quote, table_sql

# A digest takes up to four outputs, and PostgreSQL's target lists end at 1,664.
DIGESTS_AT_ONCE = 400
"""Where a table has so many columns that one statement cannot digest them all, so many are digested by
one.
"""

Items = tuple[list[str], list[Figure]]
"""What is computed for each row (SQL AS name), and the figures over it."""


def at_once(digests: Sequence[Digested]) -> list[Sequence[Digested]]:
    """Digests by so many as one statement can hold."""
    # One empty group where there are no digests: the rows are counted all the same.
    return [digests[n : n + DIGESTS_AT_ONCE] for n in range(0, len(digests), DIGESTS_AT_ONCE)] or [()]


def figures(
    side: TableSide,
    id: MeasureKey,
    stays: str,
    telling: Telling,
    *,
    counted: Sequence[tuple[str, str]] = (),
    values: Sequence[Value] = (),
    digests: Sequence[Digested] = (),
    every: bool = True,
) -> Measure:
    """One statement: the rows that stay (SQL; "" for all), the figures of promised values, and digests.

    With ``every``, also those of every column, where some rows do not stay. ``counted`` are (rule, SQL) of
    rows that do not: how many these are is read in the same pass.
    """
    kept = "stays" if stays else ""
    # Where all rows stay, the table's own pass measures its columns already.
    columns = _of_columns(side, kept) if stays and every else ([], [])
    key = side.key_parts(telling) if digests else []
    made = [columns, _of_values(side, values, kept), _of_digests(side.digesting, digests, key, kept)]
    inner = [*([f"{stays} AS stays"] if stays else []), *(item for items, _ in made for item in items)]
    found = [figure for _, some in made for figure in some]
    rows = ["count(*) FILTER (WHERE stays)" if stays else "count(*)"]
    rows += ["count(*) FILTER (WHERE NOT stays)" for _ in counted]
    outputs = ",\n  ".join([*rows, *figure_items(found)])
    # Keeps the inner SELECT apart, so that what it computes is computed once per row; see
    # ``digest.rows.staged``.
    once = "\n  OFFSET '0'" if digests else ""
    sql = (
        f"SELECT {outputs}\nFROM (\n  SELECT {', '.join(inner)}\n  FROM {table_sql(side.table)}{once}\n) AS q"
    )
    counts = (id, *(count_key(rule, side.title) for rule, _ in counted))
    # Only what is looked up may come by an index; see ``execute.measure``.
    sources = tuple({key for value in values for key in value.found})
    return replace(side.measure(id, sql, counts, tuple(found), key=telling.key), found=sources)


def digests_apart(
    side: TableSide, id: MeasureKey, stays: str, telling: Telling, digests: Sequence[Digested]
) -> Measure:
    """Digests in one statement, or where these are too many for one, in several."""
    whole = figures(side, id, stays, telling, digests=digests, every=False)
    groups = at_once(digests)
    if len(groups) == 1:
        return whole
    parts = (figures(side, id, stays, telling, digests=group, every=False) for group in groups)
    return replace(whole, parts=tuple(parts))


def _of_columns(side: TableSide, kept: str) -> Items:
    columns = list(side.table.columns.values())
    inner = [f"{quote(column.name)} AS v{n}" for n, column in enumerate(columns)]
    found = [
        column_figure(c, personal=c.name in side.personal, expression=f"v{n}", where=kept)
        for n, c in enumerate(columns)
    ]
    return inner, found


def _of_values(side: TableSide, values: Sequence[Value], kept: str) -> Items:
    inner, found = [], []
    for n, value in enumerate(values):
        inner.append(f"{value.sql} AS e{n}")
        found.append(value.figure(f"e{n}", kept))
        if value.old:
            sign = side.table.columns[value.column].sign("<>")
            inner.append(f"{distinct_sql(value.old, sign, value.sql)} AS d{n}")
            found.append(value.same_rows(f"d{n}", kept))
    return inner, found


def _of_digests(
    digesting: Digesting, digests: Sequence[Digested], key: Sequence[SqlPart], kept: str
) -> Items:
    inner = seed_items(digesting, key) if digests else []
    found = []
    for n, digested in enumerate(digests):
        items, lanes = digested.items(digesting, key, str(n))
        inner += items
        form = digested.form(digesting.encoding, key)
        found.append(digested.figure(form, lanes, str(n), kept))
    return inner, found
