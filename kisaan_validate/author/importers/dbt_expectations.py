"""dbt_expectations' tests as checks: many are the expectations that they are named after; the others are
decided here.

Names of columns are compared without regard to case there, texts are SQL, and regular expressions are
PostgreSQL's own. A NULL is in no set, and matches no pattern.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers import great_expectations
from kisaan_validate.author.importers.dbt_tests import DbtSubject, Test, recent
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.source import remark

_RENAMED = {"column_type": "type_", "column_type_list": "type_list", "compare_model": "other_table_name"}
_KNOWN = frozenset(
    {
        "value_set",
        "min_value",
        "max_value",
        "regex",
        "regex_list",
        "like_pattern",
        "like_pattern_list",
        "match_on",
        "value",
        "column_list",
        "ignore_row_if",
        "row_condition",
        "quote_values",
        "strictly",
        "column_type",
        "column_type_list",
        "compare_model",
        "column_name",
        "quote_columns",
    }
)
_SAME = frozenset(
    {
        "expect_column_values_to_be_null",
        "expect_column_values_to_not_be_null",
        "expect_column_values_to_be_unique",
        "expect_column_values_to_be_between",
        "expect_column_values_to_not_be_in_set",
        "expect_column_distinct_values_to_contain_set",
        "expect_column_value_lengths_to_be_between",
        "expect_column_value_lengths_to_equal",
        "expect_column_values_to_match_like_pattern",
        "expect_column_values_to_not_match_like_pattern",
        "expect_column_values_to_match_like_pattern_list",
        "expect_column_values_to_not_match_like_pattern_list",
        "expect_column_values_to_be_of_type",
        "expect_column_values_to_be_in_type_list",
        "expect_compound_columns_to_be_unique",
        "expect_column_min_to_be_between",
        "expect_column_max_to_be_between",
        "expect_column_sum_to_be_between",
        "expect_column_mean_to_be_between",
        "expect_column_median_to_be_between",
        "expect_column_stdev_to_be_between",
        "expect_column_unique_value_count_to_be_between",
        "expect_column_proportion_of_unique_values_to_be_between",
        "expect_table_row_count_to_be_between",
        "expect_table_row_count_to_equal",
        "expect_table_row_count_to_equal_other_table",
        "expect_table_column_count_to_equal",
        "expect_table_column_count_to_be_between",
    }
)
"""Those that mean what the expectation of the same name means."""


def expectation(name: str, test: Test) -> Iterable[str]:
    """The checks of one test of dbt_expectations. Raises NoCounterpart and SuiteError."""
    kind = name.lower()
    if kind in great_expectations.STATISTICAL:
        raise NoCounterpart(great_expectations.STATISTICAL[kind])
    if test.said.tolerance:
        raise NoCounterpart("a threshold on a test of dbt_expectations")
    # First those that mean something of their own here, though the name is Great Expectations'.
    if (make := _OWN.get(kind)) is not None:
        return make(replace(test, where=_condition(test)))
    if kind not in _SAME:
        raise NoCounterpart(f"not supported yet: {remark(name)}")
    # An argument that is not understood may change what the test means.
    if unknown := [key for key in test.arguments if key not in _KNOWN]:
        raise NoCounterpart(f"the argument {remark(unknown[0])} is unknown")
    return great_expectations.translate(
        {"type": kind, "kwargs": _kwargs(test)},
        test.table,
        test.maker,
        condition=_condition(test),
        values_are_sql=True,
        said=test.said,
    )


def _kwargs(test: Test) -> dict[str, Any]:
    """The arguments as the expectation has them: names as the catalogue has them, values as texts where
    they are quoted.
    """
    left = {"row_condition", "quote_values", "quote_columns", "strictly", "column_name"}
    kwargs = {_RENAMED.get(key, key): value for key, value in test.arguments.items() if key not in left}
    if test.parts():
        # SQL names there, so they are folded as the server folds them.
        kwargs["column"] = test.subject.name or sql.column_name(test.subject.text)
    if "other_table_name" in kwargs:
        kwargs["other_table_name"] = test.relation(kwargs["other_table_name"])
    if "column_list" in kwargs:
        kwargs["column_list"] = [s.name or sql.column_name(s.text) for s in _subjects(test, "column_list")]
    if "value_set" in kwargs:
        kwargs["value_set"] = _value_set(test)
    kwargs["strict_min"] = kwargs["strict_max"] = test.arguments.get("strictly", False) is True
    return kwargs


def _value_set(test: Test) -> list[Any]:
    """The values of a set: each is written in quotation marks, unless it is said that they are SQL."""
    values = sql.as_list(test.arguments["value_set"], "a set of values as value_set")
    # By default dbt_expectations writes every value in quotation marks, numbers too.
    quoted = test.arguments.get("quote_values", True) is not False
    if not quoted and any(isinstance(v, str) for v in values):
        raise NoCounterpart("a set of SQL expressions (quote_values: false)")
    if any(isinstance(v, (bool, dict, list)) or v is None for v in values):
        raise NoCounterpart("a set of texts and numbers is expected")
    return [str(v) for v in values] if quoted else values


def _condition(test: Test) -> str:
    own = test.arguments.get("row_condition")
    if own is None or own == "":
        return test.where
    return sql.both(
        test.where,
        sql.author_condition(test.resolved(sql.as_text(own, "a row condition")), "a row condition"),
    )


def _subjects(test: Test, key: str) -> list[DbtSubject]:
    """A list of different columns or expressions."""
    quoted = test.arguments.get("quote_columns") is True
    listed = [
        DbtSubject(sql.as_text(c, "a column's name"), quoted)
        for c in sql.as_list(test.arguments.get(key), "a list of columns")
    ]
    # By the folded name: "Id" and id are two, ID and id are one.
    if not listed or len({s.name or s.text for s in listed}) < len(listed):
        raise NoCounterpart("a list of different columns is expected")
    return listed


def _in_set(test: Test) -> list[str]:
    values = _value_set(test.only("value_set", "quote_values", "row_condition"))
    if not values:
        raise NoCounterpart("a set without values")
    return test.row(f"({sql.in_list(test.name(), values)}) IS TRUE", "in_set")


def _equal_set(test: Test) -> list[str]:
    inside = _in_set(test)
    kwargs = {
        "column": test.subject.name or sql.column_name(test.subject.text),
        "value_set": _value_set(test),
    }
    contained = {"type": "expect_column_distinct_values_to_contain_set", "kwargs": kwargs}
    return [
        *inside,
        *great_expectations.translate(
            contained, test.table, test.maker, condition=test.where, said=test.said
        ),
    ]


def _matches(test: Test, *, key: str, negated: bool) -> list[str]:
    """One regular expression, or a list of which any (or all) must match; negated, what matches is wrong,
    and NULL is not.
    """
    given = test.only(key, "match_on", "row_condition").arguments.get(key)
    patterns = sql.as_list(given, "patterns") if key.endswith("_list") else [given]
    if not patterns:
        raise NoCounterpart("an empty list of patterns")
    parts = [
        # IS TRUE, since a NULL matches nothing there and so fails the test.
        f"({test.name()} ~ {sql.value_sql(sql.as_text(p, 'a regular expression'))}) IS "
        f"{'NOT ' if negated else ''}TRUE"
        for p in patterns
    ]
    joined = " AND " if test.arguments.get("match_on") == "all" else " OR "
    return test.row(joined.join(parts), "not_matches" if negated else "matches")


def _pair(test: Test) -> tuple[str, str]:
    """The two columns or expressions that are compared, as SQL."""
    a, b = (
        DbtSubject(sql.as_text(test.arguments.get(key), f"a column as {key}")).sql
        for key in ("column_A", "column_B")
    )
    return a, b


def _equal(test: Test) -> list[str]:
    a, b = _pair(test.only("column_A", "column_B", "row_condition"))
    return test.row(f"{a} = {b}", "pair_equal")


def _greater(test: Test) -> list[str]:
    a, b = _pair(test.only("column_A", "column_B", "or_equal", "row_condition"))
    return test.row(f"{a} {'>=' if test.arguments.get('or_equal') is True else '>'} {b}", "pair_greater")


def _pairs_in_set(test: Test) -> list[str]:
    a, b = _pair(test.only("column_A", "column_B", "value_pairs_set", "row_condition"))
    said = []
    for pair in sql.as_list(test.arguments.get("value_pairs_set"), "pairs of values"):
        # A comparison with NULL would never be true.
        if not isinstance(pair, list) or len(pair) != 2 or None in pair:
            raise NoCounterpart("pairs of two values are expected, none of them null")
        left, right = (
            sql.author_value(v, "a value") if isinstance(v, str) else sql.value_sql(v) for v in pair
        )
        said.append(f"({a} = {left} AND {b} = {right})")
    if not said:
        raise NoCounterpart("an empty set of pairs")
    return test.row(" OR ".join(said), "pair_in_set")


def _unique_in_record(test: Test) -> list[str]:
    subjects = _subjects(
        test.only("column_list", "quote_columns", "ignore_row_if", "row_condition"), "column_list"
    )
    values, rule = [s.sql for s in subjects], test.arguments.get("ignore_row_if", "all_values_are_missing")
    ends = {"all_values_are_missing": " AND ", "any_value_is_missing": " OR ", "never": None}
    if rule not in ends or len(values) < 2:
        raise NoCounterpart("several columns and a known ignore_row_if are expected")
    missing = (ends[rule] or "").join(f"{v} IS NULL" for v in values) if ends[rule] else ""
    # It counts different values, and NULL does not count.
    pairs = [f"{a} <> {b}" for n, a in enumerate(values) for b in values[n + 1 :]]
    said = " AND ".join([*(f"{v} IS NOT NULL" for v in values), *pairs])
    where = sql.both(test.where, f"NOT ({missing})" if missing else "")
    return replace(test, where=where).row(said, "unique_in_record")


def _sums_equal(test: Test) -> list[str]:
    """The sums of columns over all rows: not, as the expectation of the same name, the sum within each
    row.
    """
    subjects = _subjects(test.only("column_list", "sum_total", "row_condition"), "column_list")
    total = test.arguments.get("sum_total")
    wanted = (
        f"sum({sql.author_value(total, 'sum_total')})" if isinstance(total, str) else sql.value_sql(total)
    )
    outputs = [("found", " + ".join(f"sum({s.sql})" for s in subjects)), ("wanted", wanted)]
    of = [
        *(s.sql for s in subjects),
        *([sql.author_value(total, "sum_total")] if isinstance(total, str) else []),
    ]
    return test.figure(
        outputs, "m.found = m.wanted", "sums", "the sums of its columns over all rows are as expected", of
    )


def _recent_data(test: Test) -> list[str]:
    """What is dated later than now does not count, as there."""
    test.only("datepart", "interval", "row_condition")
    return recent(test, test.subject.sql, f" FILTER (WHERE {test.subject.sql} <= now())")


def _exists(test: Test) -> list[str]:
    test.only("column_name")
    return _columns(test, [sql.column_name(test.subject.text)], "present")


def _columns(test: Test, names: list[str], kind: str, wrong: str = "") -> list[str]:
    """Each of these names is a column's, whatever its case; ``wrong`` is SQL for columns ``c`` (name,
    position) that are wrong.
    """
    # dbt applies a row condition to rows; a list of columns has none.
    if test.where:
        raise NoCounterpart("a condition on rows, which does not apply to a table's columns")
    table = sql.value_sql(sql.table_ref(test.table))
    columns = (
        # Positions without gaps: attnum keeps the places of dropped columns.
        "SELECT lower(a.attname) AS name, row_number() OVER (ORDER BY a.attnum) AS position\n  FROM "
        "pg_catalog.pg_attribute AS a\n"
        f"  WHERE a.attrelid = {table}::regclass AND a.attnum > 0 AND NOT a.attisdropped"
    )
    listed = ", ".join(f"({sql.value_sql(name.lower())})" for name in names)
    statement = (
        f"SELECT w.name AS column_name, 'missing' AS problem\nFROM (VALUES {listed}) AS w (name)\n"
        f"WHERE NOT EXISTS (SELECT 1 FROM (\n  {columns}\n) AS c WHERE c.name = w.name)"
    )
    if wrong:
        statement += (
            f"\nUNION ALL\nSELECT c.name, 'not expected, or in another place'\nFROM (\n  "
            f"{columns}\n) AS c\nWHERE {wrong}"
        )
    return test.select(
        statement, ["column_name"], kind, "the columns are as expected, ignoring the case of their names"
    )


def _listed(test: Test) -> list[str]:
    return [
        sql.column_name(c)
        for c in sql.as_list(test.only("column_list").arguments.get("column_list"), "a list of columns")
    ]


def _column_set(test: Test, *, others: bool) -> list[str]:
    names = _listed(test)
    known = ", ".join(sql.value_sql(name.lower()) for name in names)
    # Names are compared in lower case on both sides, as the package does.
    return _columns(test, names, "columns", "" if others else f"c.name NOT IN ({known})")


def _column_order(test: Test) -> list[str]:
    names = _listed(test)
    places = " OR ".join(
        f"(c.position = {n} AND c.name = {sql.value_sql(name.lower())})" for n, name in enumerate(names, 1)
    )
    return _columns(test, names, "column_order", f"NOT ({places})")


_OWN: dict[str, Callable[[Test], list[str]]] = {
    "expect_column_pair_values_to_be_equal": _equal,
    "expect_column_pair_values_a_to_be_greater_than_b": _greater,
    "expect_column_pair_values_to_be_in_set": _pairs_in_set,
    "expect_column_values_to_be_in_set": _in_set,
    "expect_column_distinct_values_to_be_in_set": _in_set,
    "expect_column_distinct_values_to_equal_set": _equal_set,
    "expect_column_values_to_match_regex": partial(_matches, key="regex", negated=False),
    "expect_column_values_to_not_match_regex": partial(_matches, key="regex", negated=True),
    "expect_column_values_to_match_regex_list": partial(_matches, key="regex_list", negated=False),
    "expect_column_values_to_not_match_regex_list": partial(_matches, key="regex_list", negated=True),
    "expect_select_column_values_to_be_unique_within_record": _unique_in_record,
    "expect_multicolumn_sum_to_equal": _sums_equal,
    "expect_row_values_to_have_recent_data": _recent_data,
    "expect_column_to_exist": _exists,
    "expect_table_columns_to_match_set": partial(_column_set, others=False),
    "expect_table_columns_to_contain_set": partial(_column_set, others=True),
    "expect_table_columns_to_match_ordered_list": _column_order,
}
"""Those that mean something of their own."""
