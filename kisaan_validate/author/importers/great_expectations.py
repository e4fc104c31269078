"""Suites of Great Expectations (JSON of 0.x and of 1.x): each expectation as checks, or why there is none.

Where an answer depends on where Great Expectations runs, it is taken as on PostgreSQL: NULL is no
unexpected value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from kisaan_validate.author.importers import expressions as sql
from kisaan_validate.author.importers.conditions import row_condition_sql
from kisaan_validate.author.importers.gx_expected import KNOWN, Expected, said_of, title_of, type_of
from kisaan_validate.author.importers.gx_figures import (
    aggregate,
    contains_set,
    equals_set,
    median,
    most_common,
    quantiles,
    ratio,
    rows_as_other,
    rows_between,
    rows_equal,
)
from kisaan_validate.author.importers.gx_rows import (
    columns_equal,
    compound,
    pair_in_set,
    pair_of,
    sum_equal,
    unique_in_record,
)
from kisaan_validate.author.importers.gx_shape import (
    column_count,
    column_order,
    column_set,
    query,
)
from kisaan_validate.author.importers.gx_tables import table_of_suite
from kisaan_validate.author.importers.gx_values import (
    between,
    exists,
    in_set,
    length_between,
    length_equal,
    not_in_set,
    not_null,
    null_of,
    of_type,
    pattern,
    unique,
)
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart, Said
from kisaan_validate.author.importers.reading import read_json
from kisaan_validate.author.importers.tables import Tables
from kisaan_validate.author.source import remark
from kisaan_validate.errors import UsageError


def import_suite(path: Path, maker: Maker, tables: Tables) -> None:
    """Every expectation of one suite. Raises UsageError if it is no suite, or its table is not known."""
    suite = read_json(path)
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list):
        raise UsageError(
            f"{path} is not a Great Expectations suite",
            "it needs a list of expectations; a checkpoint is not a suite",
        )
    table = table_of_suite(suite, path, tables)
    for number, expectation in enumerate(suite["expectations"]):
        place = f"expectations[{number}]"
        maker.item(path.name, place, title_of(expectation), partial(translate, expectation, table, maker))


def translate(
    expectation: Any,
    table: str,
    maker: Maker,
    *,
    condition: str | None = None,
    values_are_sql: bool = False,
    said: Said | None = None,
) -> Iterable[str]:
    """The ids of the checks that an expectation becomes. Raises NoCounterpart and SuiteError.

    dbt_expectations speaks the same language: there ``condition`` is the row condition as SQL, and bounds
    that are texts are SQL (``values_are_sql``).
    """
    if not isinstance(expectation, dict) or not isinstance(expectation.get("kwargs", {}), dict):
        raise NoCounterpart("it is not an expectation: an object with a type and kwargs is expected")
    kind, kwargs = type_of(expectation), dict(expectation.get("kwargs") or {})
    if kind in STATISTICAL:
        raise NoCounterpart(STATISTICAL[kind])
    if kind not in TRANSLATED:
        raise NoCounterpart("it is not one of Great Expectations' own expectations")
    # Anywhere in the arguments, also within a list.
    if "$PARAMETER" in str(kwargs):
        raise NoCounterpart("it has a parameter that is only known when it runs ($PARAMETER)")
    # None and false say nothing, whatever the argument means.
    if unknown := [key for key, value in kwargs.items() if key not in KNOWN and value not in (None, False)]:
        raise NoCounterpart(f"the argument {remark(unknown[0])} is unknown")
    if condition is None:
        condition = row_condition_sql(kwargs.get("row_condition"), kwargs.get("condition_parser"))
    mostly = kwargs.get("mostly")
    share = Fraction(1) if mostly is None else sql.share_of(mostly)
    expected = Expected(maker, table, kwargs, condition, share, said or said_of(expectation), values_are_sql)
    return TRANSLATED[kind](expected)


_STATISTICAL = "it is statistical: it estimates, and no row violates it"
_ORDER = "a table has no order of rows"
STATISTICAL: dict[str, str] = {
    **dict.fromkeys(
        (
            "expect_column_kl_divergence_to_be_less_than",
            "expect_column_chisquare_test_p_value_to_be_greater_than",
            "expect_column_bootstrapped_ks_test_p_value_to_be_greater_than",
            "expect_column_pair_cramers_phi_value_to_be_less_than",
            "expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than",
            "expect_column_value_z_scores_to_be_less_than",
            "expect_column_values_to_not_be_outliers",
            "expect_column_values_to_be_within_n_stdevs",
            "expect_column_values_to_be_within_n_moving_stdevs",
        ),
        _STATISTICAL,
    ),
    **dict.fromkeys(
        ("expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"), _ORDER
    ),
    "expect_column_values_to_be_dateutil_parseable": "dateutil guesses what a date is; store "
    "dates in a date column",
    "expect_column_values_to_match_strftime_format": "PostgreSQL does not read strftime formats; "
    "store dates in a date column",
    "expect_column_values_to_be_json_parseable": "only PostgreSQL 16 and later can check whether "
    "a text is JSON; store it in a jsonb column",
    "expect_column_values_to_match_json_schema": "PostgreSQL has no JSON Schema validation",
    "expect_query_results_to_match_comparison": "it compares with another data source: a run sees one "
    "database",
    "expect_multicolumn_values_to_be_unique": "Great Expectations has withdrawn it; see unique "
    "within a record",
}
"""Expectations without a counterpart, and why."""

TRANSLATED: dict[str, Callable[[Expected], list[str]]] = {
    "expect_column_values_to_not_be_null": not_null,
    "expect_column_values_to_be_null": null_of,
    "expect_column_values_to_be_in_set": in_set,
    "expect_column_distinct_values_to_be_in_set": in_set,
    "expect_column_distinct_values_to_contain_set": contains_set,
    "expect_column_distinct_values_to_equal_set": equals_set,
    "expect_column_values_to_not_be_in_set": not_in_set,
    "expect_column_values_to_be_between": between,
    "expect_column_value_lengths_to_be_between": length_between,
    "expect_column_value_lengths_to_equal": length_equal,
    "expect_column_values_to_match_regex": pattern(sql.matches, "regex", False),
    "expect_column_values_to_not_match_regex": pattern(sql.matches, "regex", True),
    "expect_column_values_to_match_regex_list": pattern(sql.matches, "regex_list", False),
    "expect_column_values_to_not_match_regex_list": pattern(sql.matches, "regex_list", True),
    "expect_column_values_to_match_like_pattern": pattern(sql.like, "like_pattern", False),
    "expect_column_values_to_not_match_like_pattern": pattern(sql.like, "like_pattern", True),
    "expect_column_values_to_match_like_pattern_list": pattern(sql.like, "like_pattern_list", False),
    "expect_column_values_to_not_match_like_pattern_list": pattern(sql.like, "like_pattern_list", True),
    "expect_column_values_to_be_unique": unique,
    "expect_column_to_exist": exists,
    "expect_column_values_to_be_of_type": of_type,
    "expect_column_type_to_be": of_type,
    "expect_column_values_to_be_in_type_list": of_type,
    "expect_column_pair_values_to_be_equal": pair_of("="),
    "expect_column_pair_values_a_to_be_greater_than_b": pair_of(">"),
    "expect_column_pair_values_to_be_in_set": pair_in_set,
    "expect_compound_columns_to_be_unique": compound,
    "expect_select_column_values_to_be_unique_within_record": unique_in_record,
    "expect_multicolumn_values_to_be_equal": columns_equal,
    "expect_multicolumn_sum_to_equal": sum_equal,
    "expect_column_min_to_be_between": aggregate("min({c})", "least value"),
    "expect_column_max_to_be_between": aggregate("max({c})", "greatest value"),
    "expect_column_sum_to_be_between": aggregate("sum({c})", "sum"),
    "expect_column_stdev_to_be_between": aggregate("stddev_samp({c})", "standard deviation"),
    "expect_column_unique_value_count_to_be_between": aggregate(
        "count(DISTINCT {c})", "number of different values"
    ),
    "expect_column_mean_to_be_between": ratio("sum({c})", "count({c})", "mean"),
    "expect_column_proportion_of_unique_values_to_be_between": ratio(
        "count(DISTINCT {c})", "count({c})", "share of different values"
    ),
    "expect_column_proportion_of_non_null_values_to_be_between": ratio(
        "count({c})", "count(*)", "share of values"
    ),
    "expect_column_quantile_values_to_be_between": quantiles,
    "expect_column_median_to_be_between": median,
    "expect_column_most_common_value_to_be_in_set": most_common,
    "expect_table_row_count_to_be_between": rows_between,
    "expect_table_row_count_to_equal": rows_equal,
    "expect_table_row_count_to_equal_other_table": rows_as_other,
    "expect_table_column_count_to_equal": column_count,
    "expect_table_column_count_to_be_between": column_count,
    "expect_table_columns_to_match_set": column_set,
    "expect_table_columns_to_match_ordered_list": column_order,
    "unexpected_rows_expectation": query,
}
"""Every expectation that has a counterpart."""
