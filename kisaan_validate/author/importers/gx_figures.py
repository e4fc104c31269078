"""Expectations about figures over all rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.gx_expected import Expected, whole
from kisaan_validate.author.importers.gx_values import in_set
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import sql_name


def aggregate(output: str, word: str) -> Callable[[Expected], list[str]]:
    """A figure of one column within bounds; ``{c}`` in ``output`` is the column."""

    def make(e: Expected) -> list[str]:
        column, counted = e.column(), output.startswith("count(")
        outputs = [("measured", output.replace("{c}", sql_name(column)))]
        condition = e.counts("m.measured") if counted else e.bounds_of("m.measured")
        return _within(e, outputs, condition, word, [] if counted else [sql_name(column)])

    return make


def _within(
    e: Expected, outputs: list[tuple[str, str]], condition: str, word: str, of: list[str]
) -> list[str]:
    """A figure of one column that meets its condition; ``of`` names what a NaN must not hide in."""
    column = e.column()
    title = f"the {word} of {column} is within bounds"
    return e.figure(outputs, condition, word.replace(" ", "_"), title, column, of=of)


def ratio(over: str, under: str, word: str) -> Callable[[Expected], list[str]]:
    """A quotient within bounds, compared without dividing."""

    def make(e: Expected) -> list[str]:
        column, low, high = e.column(), e.number("min_value"), e.number("max_value")
        sql.refuse_empty(
            e.kwargs.get("min_value"),
            e.kwargs.get("max_value"),
            strict=e.strict("strict_min") or e.strict("strict_max"),
        )
        counted, parts = over.startswith("count("), []
        # A share lies between 0 and 1 whatever the data is.
        if (
            counted
            and not e.strict("strict_min")
            and not e.strict("strict_max")
            and (low or 0) <= 0
            and (high is None or high >= 1)
        ):
            raise NoCounterpart("a share is always between 0 and 1: it can never fail")
        for bound, sign in (
            (low, ">" if e.strict("strict_min") else ">="),
            (high, "<" if e.strict("strict_max") else "<="),
        ):
            if bound is not None:
                # Both sides times the denominators: exact, and no division by zero.
                parts.append(f"m.measured * {bound.denominator} {sign} ({bound.numerator}) * m.judged")
        if not parts:
            raise NoCounterpart("it has no bounds: it can never fail")
        outputs = [
            ("measured", over.replace("{c}", sql_name(column))),
            ("judged", under.replace("{c}", sql_name(column))),
        ]
        # Over no rows there is no mean, and so no pass.
        condition = " AND ".join(["m.judged > 0", *parts])
        return _within(e, outputs, condition, word, [] if counted else [sql_name(column)])

    return make


def quantiles(e: Expected) -> list[str]:
    """Quantiles of a column lie within bounds."""
    column, ranges = e.column(), e.kwargs.get("quantile_ranges")
    if not isinstance(ranges, dict) or e.kwargs.get("allow_relative_error"):
        raise NoCounterpart("exact quantiles with their ranges are expected")
    shares = [sql.share_of(q) for q in sql.as_list(ranges.get("quantiles"), "quantiles")]
    bounds = sql.as_list(ranges.get("value_ranges"), "ranges of values")
    if len(shares) != len(bounds) or not shares:
        raise NoCounterpart("each quantile needs its range")
    made: list[str] = []
    for given, pair in zip(ranges["quantiles"], bounds, strict=True):
        low, high = (
            sql.as_list(pair, "a range") if isinstance(pair, list) and len(pair) == 2 else (None, None)
        )
        sql.refuse_empty(low, high)
        least, most = (sql.bound_sql(b, "the end of a range") if b is not None else None for b in (low, high))
        condition = sql.bounded("m.measured", least, most)
        # percentile_disc gives one of the values; percentile_cont would make floats of numerics.
        output = f"percentile_disc({sql.value_sql(given)}) WITHIN GROUP (ORDER BY {sql_name(column)})"
        title = f"the {given}-quantile of {column} is within bounds"
        made += e.figure([("measured", output)], condition, "quantile", title, column, of=[sql_name(column)])
    return made


def median(e: Expected) -> list[str]:
    """The median of a column lies within bounds."""
    # The mean of the two in the middle, without dividing: percentile_cont would make a float of it.
    column, name = e.column(), sql_name(e.column())
    # Called for what they raise: a median needs numbers as bounds.
    e.number("min_value"), e.number("max_value")
    e.bounds_of("")
    low, high = (
        f"2 * ({bound})" if (bound := e.value(key)) is not None else None
        for key in ("min_value", "max_value")
    )
    twice = sql.bounded("m.lower + m.upper", low, high, e.strict("strict_min"), e.strict("strict_max"))
    twice += f" AND NOT {sql.nan_sql('m.lower + m.upper')}"  # of infinities of both signs there is no mean
    outputs = [
        ("lower", f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {name})"),
        ("upper", f"percentile_disc(0.5) WITHIN GROUP (ORDER BY {name} DESC)"),
    ]
    return e.figure(outputs, twice, "median", f"the median of {column} is within bounds", column, of=[name])


def contains_set(e: Expected) -> list[str]:
    """Each listed value occurs in the column."""
    column = e.column()
    values = [
        v for v in sql.as_list(e.kwargs.get("value_set"), "a set of values as value_set") if v is not None
    ]
    if not values:
        raise NoCounterpart("a set without values: it can never fail")
    if e.mostly != 1:
        raise NoCounterpart("mostly means nothing for a set that must occur")
    # Texts are compared as texts, so that an enum or uuid column can be.
    texts = all(isinstance(v, str) for v in values)
    wanted = "\n  UNION ALL ".join(
        f"SELECT {sql.value_sql(v)}{'::text' if texts else ''} AS value" for v in values
    )
    subject = f"t.{sql_name(column)}{'::text' if texts else ''}"
    if e.where:
        raise NoCounterpart("a row condition together with a set that must occur")
    statement = (
        f"SELECT w.value\nFROM (\n  {wanted}\n) AS w\nWHERE NOT EXISTS (\n"
        f"  SELECT 1 FROM {sql.table_ref(e.table)} AS t WHERE {subject} = w.value\n)"
    )
    said = replace(e.said, title=f"each of the {len(values)} values occurs in {column}")
    return [e.maker.assertion(e.table, statement, ["value"], e.id(column, "contains_set"), said)]


def most_common(e: Expected) -> list[str]:
    """The most frequent value is one of a list."""
    column, inside = e.column(), sql.in_list("r.value", e.kwargs.get("value_set"))
    name = sql_name(column)
    # NULL is no value there, so it cannot be the most common one.
    filled = sql.both(e.where, f"{name} IS NOT NULL")
    # rank() gives equal counts one place: more than one first is a tie.
    alone = "" if e.kwargs.get("ties_okay") is True else "count(*) FILTER (WHERE r.place = 1) <> 1 OR "
    statement = (
        "SELECT count(*) FILTER (WHERE r.place = 1) AS most_common\nFROM (\n"
        "  SELECT v.value, rank() OVER (ORDER BY v.n DESC) AS place\n"
        f"  FROM (SELECT {name} AS value, count(*) AS n FROM {sql.table_ref(e.table)} WHERE {filled} "
        f"GROUP BY {name}) AS v\n) AS r\n"
        f"HAVING {alone}(bool_or({inside}) FILTER (WHERE r.place = 1)) IS NOT TRUE\n  OR "
        f"bool_or({sql.nan_sql('r.value')})"
    )
    said = replace(e.said, title=f"the most common value of {column} is one of those expected")
    return [e.maker.assertion(e.table, statement, ["most_common"], e.id(column, "most_common"), said)]


def equals_set(e: Expected) -> list[str]:
    """The distinct values are exactly the listed ones."""
    return [*contains_set(e), *in_set(e)]


def rows_between(e: Expected) -> list[str]:
    """The number of rows lies within bounds."""
    return e.figure(
        [("rows_found", "count(*)")],
        e.counts("m.rows_found"),
        "row_count",
        "the number of rows is within bounds",
    )


def rows_equal(e: Expected) -> list[str]:
    """The table has a given number of rows."""
    condition = f"m.rows_found = {whole(e, 'value')}"
    return e.figure([("rows_found", "count(*)")], condition, "row_count", "the number of rows is as expected")


def rows_as_other(e: Expected) -> list[str]:
    """The table has as many rows as another."""
    other = sql.as_text(e.kwargs.get("other_table_name"), "another table's name")
    counted = f"(SELECT count(*) FROM {sql.table_ref(other)})"
    outputs = [("rows_found", "count(*)"), ("rows_there", counted)]
    return e.figure(
        outputs, "m.rows_found = m.rows_there", "row_count_as_other", f"it has as many rows as {other}"
    )


# --- the columns of the table -----------------------------------------------------------------------------
