"""What an import accepts, the checks that it writes can carry: names, patterns, expressions, conditions;
and no NaN passes them.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Server
from helpers import examples
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_import import gx, imported, suite_of

from kisaan_validate.author.importers import expressions, great_expectations, soda_schema
from kisaan_validate.author.importers.dbt_expectations import _OWN, _SAME
from kisaan_validate.author.importers.dbt_tests import GENERIC
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run

LAW = hypothesis_settings(
    max_examples=examples(60),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NAMES = [
    "plain",
    "CamelCase",
    "UPPER",
    "select",
    "order",
    "user",
    "with space",
    'a"b',
    "it's",
    "a.b",
    "per%cent",
    "dollar$",
    "naïve",
    "ÄRGER",
    "имя",
    "a-b",
    "1st",
    "x" * 63,
    "a,b",
    "a)b",
    "nan",
    "NaN",
]
"""Names of columns as the catalogue may have them."""


def quoted(name: str) -> str:
    """A name in the quotation marks of SQL."""
    return '"' + name.replace('"', '""') + '"'


TABLE = f"""
CREATE DOMAIN amount AS numeric;
CREATE TABLE t (id int PRIMARY KEY, {", ".join(f"{quoted(n)} int DEFAULT 1" for n in NAMES)});
INSERT INTO t (id) VALUES (1);
CREATE TABLE m (id int PRIMARY KEY, f8 float8, f4 real, n numeric, d amount, i int, s text, f8_copy float8, f4_copy real, n_copy numeric, d_copy amount, at timestamptz DEFAULT now());
CREATE TABLE listed (f8 float8, f4 real, n numeric, d amount, i int);
"""
NUMBERS = ("f8", "f4", "n", "d")


@pytest.fixture(scope="module")
def base(server: Server) -> Iterator[tuple[Server, str]]:
    """The database that the imported suites here are about."""
    name = server.create(TABLE)
    yield server, name
    server.drop(name)


def answers(base: tuple[Server, str], maker: Maker, tool: str) -> dict[str, Result]:
    """The results of an import, by check id."""
    server, database = base
    done = run(suite_of(maker, tool), server.dsn(database), options=Options(jobs=1, sample=1))
    return {result.check_id: result for result in done.results}


def gx_suite(folder: Path, table: str, *expectations: Any) -> Path:
    """A suite of Great Expectations about a table."""
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": table, "expectations": list(expectations), "meta": {}}))
    return path


def soda_suite(folder: Path, table: str, *checks: Any) -> Path:
    """Checks of SodaCL for a table."""
    path = folder / "checks.yml"
    path.write_text(
        yaml.safe_dump({f"checks for {table}": list(checks)}, allow_unicode=True, sort_keys=False)
    )
    return path


def dbt_project(folder: Path, model: str, *tests: Any, **more: Any) -> Path:
    """Tests of a model."""
    path = folder / "schema.yml"
    path.write_text(
        yaml.safe_dump(
            {"models": [{"name": model, "data_tests": list(tests), **more}]},
            allow_unicode=True,
            sort_keys=False,
        )
    )
    return path


# --- names ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["great-expectations", "soda", "dbt"])
def test_every_name_is_carried(tool: str, base: tuple[Server, str], tmp_path: Path) -> None:
    """A column of whatever name is found by the check that the import writes: no name is folded, cut or
    taken for something else.
    """
    if tool == "great-expectations":
        items = [gx("expect_column_to_exist", column=n) for n in NAMES] + [
            gx("expect_column_values_to_be_between", column=n, min_value=1, max_value=1) for n in NAMES
        ]
        items += [gx("expect_column_max_to_be_between", column=n, min_value=1) for n in NAMES]
        items += [
            gx(
                "expect_column_values_to_be_in_set",
                column="id",
                value_set=[1],
                row_condition={"type": "nullity", "column": {"name": n}, "is_null": False},
            )
            for n in NAMES
        ]
        path = gx_suite(tmp_path, "t", *items)
    elif tool == "soda":
        items = [
            {"schema": {"fail": {"when required column missing": NAMES}}},
            {"schema": {"fail": {"when wrong column type": dict.fromkeys(NAMES, "integer")}}},
        ]
        items += [
            {"schema": {"fail": {"when wrong column index": {n: place for place, n in enumerate(NAMES, 1)}}}}
        ]
        items += [f"missing_count({quoted(n)}) = 0" for n in NAMES if not re.search(r"[,)]", n)] + [
            f"max({quoted(n)}) = 1" for n in NAMES if not re.search(r"[,)]", n)
        ]
        path = soda_suite(tmp_path, "t", *items)
    else:
        columns = [
            {
                "name": n,
                "quote": True,
                "data_tests": [
                    "not_null",
                    {"accepted_values": {"values": [1], "quote": False}},
                    "dbt_utils.at_least_one",
                ],
            }
            for n in NAMES
        ]
        items = [
            {
                "dbt_utils.unique_combination_of_columns": {
                    "combination_of_columns": NAMES,
                    "quote_columns": True,
                }
            }
        ]
        path = dbt_project(tmp_path, "t", *items, columns=columns)
    maker = imported(tool, path)
    assert [o.reason for o in maker.outcomes if not o.imported] == []
    wrong = {
        id: (r.status, r.message)
        for id, r in answers(base, maker, tool).items()
        if r.status is not Status.PASS
    }
    assert wrong == {}


def test_names_are_compared_as_their_tool_compares_them(base: tuple[Server, str], tmp_path: Path) -> None:
    """In SodaCL's metrics and in dbt names are SQL and folded; in its schema checks they are as written;
    in dbt_expectations of any case.
    """
    soda = imported(
        "soda",
        soda_suite(
            tmp_path,
            "t",
            "missing_count(PLAIN) = 0",
            {"schema": {"fail": {"when required column missing": ["PLAIN"]}}},
        ),
    )
    found = answers(base, soda, "soda")
    assert [r.status for r in found.values()] == [Status.PASS, Status.FAIL]
    tests = [
        {"dbt_expectations.expect_column_to_exist": {"column_name": n}}
        for n in ("PLAIN", "camelcase", "gone")
    ]
    tests += [
        {"dbt_expectations.expect_table_columns_to_contain_set": {"column_list": ["Upper", "PLAIN"]}},
        {"not_null": {"column_name": "PLAIN"}},
    ]
    dbt = answers(base, imported("dbt", dbt_project(tmp_path, "t", *tests)), "dbt")
    assert {id: r.status for id, r in dbt.items() if r.status is not Status.PASS} == {
        "t.gone.present": Status.FAIL
    }
    assert len(dbt) == len(tests)


@pytest.mark.parametrize(
    "text", ["a || b", "lower(s)", "a.b", "1", '"a" "b"', "a b", '"a', "a::text", "'x'", "(a)"]
)
def test_an_expression_is_no_name(text: str, tmp_path: Path) -> None:
    """Where a column's name is expected, an expression is said to be one: it never becomes a column of
    that name.
    """
    assert not expressions.is_name(text)
    checks = [
        f"{metric}({text}) > 1"
        for metric in ("missing_count", "max", "avg", "duplicate_count", "valid_count", "min_length")
    ]
    checks += [
        f"values in ({text}) must exist in u (k)",
        f"values in (k) must exist in u ({text})",
        f"freshness({text}) < 1d",
    ]
    maker = imported("soda", soda_suite(tmp_path, "t", *checks))
    assert [o.text for o in maker.outcomes if o.imported] == []


# --- expressions ------------------------------------------------------------------------------------------

EXPRESSIONS = [
    "id + 1",
    "coalesce(i, 0)",
    "(id || '-' || s)",
    "nullif(i, 5)",
    "i::numeric / 2",
    "CASE WHEN i > 1 THEN 1 ELSE 2 END",
    "lower(s)",
    "-i",
    "i is null",
]


def of_expression(text: str) -> list[Any]:
    """Every argument of a test of dbt's, dbt_utils' or dbt_expectations' that dbt writes into its SQL as
    it stands.
    """
    column = {"column_name": text}
    to = {"to": "ref('m')"}
    return [
        {"not_null": column},
        {"unique": column},
        {"accepted_values": {**column, "values": ["1"]}},
        {"accepted_values": {"column_name": "id", "values": [text], "quote": False}},
        {"relationships": {**column, **to, "field": "id"}},
        {"relationships": {"column_name": "id", **to, "field": text}},
        {"relationships": {**column, **to, "field": text}},
        {
            "dbt_utils.relationships_where": {
                **column,
                **to,
                "field": text,
                "from_condition": "i > 0",
                "to_condition": "i > 0",
            }
        },
        {"dbt_utils.unique_combination_of_columns": {"combination_of_columns": ["id", text]}},
        {"dbt_utils.not_accepted_values": {**column, "values": ["1"]}},
        {"dbt_utils.accepted_range": {**column, "min_value": 0}},
        {"dbt_utils.accepted_range": {"column_name": "id", "max_value": text}},
        {"dbt_utils.expression_is_true": {**column, "expression": "IS NOT NULL"}},
        {"dbt_utils.expression_is_true": {"expression": f"{text} IS NOT NULL"}},
        {"dbt_utils.not_empty_string": column},
        {"dbt_utils.not_null_proportion": {**column, "at_least": 0.1}},
        {"dbt_utils.at_least_one": column},
        {"dbt_utils.not_constant": column},
        {"dbt_utils.recency": {"field": text, "datepart": "day", "interval": 1}},
        {"dbt_expectations.expect_column_pair_values_to_be_equal": {"column_A": text, "column_B": "id"}},
        {
            "dbt_expectations.expect_column_pair_values_A_to_be_greater_than_B": {
                "column_A": "id",
                "column_B": text,
            }
        },
        {
            "dbt_expectations.expect_column_pair_values_to_be_in_set": {
                "column_A": "id",
                "column_B": text,
                "value_pairs_set": [[1, 2]],
            }
        },
        {
            "dbt_expectations.expect_column_pair_values_to_be_in_set": {
                "column_A": "s",
                "column_B": "id",
                "value_pairs_set": [["'x'", text]],
            }
        },
        {
            "dbt_expectations.expect_select_column_values_to_be_unique_within_record": {
                "column_list": ["id", text]
            }
        },
        {"dbt_expectations.expect_multicolumn_sum_to_equal": {"column_list": ["id", text], "sum_total": 3}},
        {"dbt_expectations.expect_multicolumn_sum_to_equal": {"column_list": ["id"], "sum_total": text}},
        {"dbt_expectations.expect_compound_columns_to_be_unique": {"column_list": ["id", text]}},
        *(
            {f"dbt_expectations.{kind}": {**column, **more}}
            for kind, more in {
                "expect_column_values_to_be_between": {"min_value": 0},
                "expect_column_values_to_be_in_set": {"value_set": ["1"]},
                "expect_column_max_to_be_between": {"min_value": 0},
                "expect_column_values_to_match_regex": {"regex": "^x"},
                "expect_column_values_to_be_unique": {},
                "expect_column_to_exist": {},
                "expect_column_values_to_be_of_type": {"column_type": "integer"},
                "expect_column_value_lengths_to_equal": {"value": 1},
                "expect_column_values_to_not_be_null": {},
            }.items()
        ),
        {"dbt_expectations.expect_column_values_to_be_between": {"column_name": "id", "max_value": text}},
        {"dbt_expectations.expect_column_sum_to_be_between": {"column_name": "id", "min_value": text}},
        {
            "dbt_expectations.expect_column_values_to_not_be_null": {
                "column_name": "id",
                "row_condition": f"({text}) IS NOT NULL",
            }
        },
    ]


@pytest.mark.slow
def test_every_expression_is_carried_or_refused(base: tuple[Server, str], tmp_path: Path) -> None:
    """What dbt writes into its SQL becomes a check of just that, or has no counterpart; never a column
    that does not exist.

    A type that does not fit is the expression's own fault, with PostgreSQL's words for it.
    """
    server, database = base
    server.sql("TRUNCATE m; INSERT INTO m (id, f8, i, s) VALUES (1, 1, 1, 'x'), (2, 2, NULL, 'y')", database)
    maker = imported(
        "dbt", dbt_project(tmp_path, "m", *(test for text in EXPRESSIONS for test in of_expression(text)))
    )
    found = answers(base, maker, "dbt")
    assert all(o.imported or o.reason for o in maker.outcomes)
    assert sum(o.imported for o in maker.outcomes) > len(EXPRESSIONS) * 22
    skipped = {id: r.message for id, r in found.items() if r.status is Status.SKIP}
    assert skipped == {}
    codes = {r.sqlstate for r in found.values() if r.status is Status.ERROR}
    wrong = [(r.check_id, r.message, r.sql) for r in found.values() if r.sqlstate == "42703"]
    assert wrong == []
    assert codes <= {"42883", "42804", "22P02", "42846", "42601"}, (
        codes
    )  # of an operator, a type, a text that is no number
    assert {r.status for id, r in found.items() if id.endswith((".not_null", ".unique", ".not_null_2"))} <= {
        Status.PASS,
        Status.FAIL,
    }


def test_expressions_as_columns(base: tuple[Server, str], tmp_path: Path) -> None:
    """unique and not_null of an expression judge the expression: counted as dbt counts them, NULL left
    out.
    """
    server, database = base
    rows = "(1, 'IN', 1), (2, 'IN', 1), (3, 'IN', 1), (4, NULL, 1), (5, NULL, 1), (6, 'X', 2), (7, 'X', 2)"
    server.sql(f"TRUNCATE m; INSERT INTO m (id, s, i) VALUES {rows}", database)
    tests = [
        {"unique": {"column_name": "(s || '-' || i)"}},
        {"not_null": {"column_name": "(s || i)"}},
        {"unique": {"column_name": "(s || id)"}},
    ]
    found = list(answers(base, imported("dbt", dbt_project(tmp_path, "m", *tests)), "dbt").values())
    assert [(r.status, r.violations) for r in found] == [(Status.FAIL, 2), (Status.FAIL, 2), (Status.PASS, 0)]


def test_blanks_of_every_kind_are_empty(base: tuple[Server, str], tmp_path: Path) -> None:
    """dbt_utils' not_empty_string trims blanks, newer versions tabs and line ends as well: a text of
    nothing else is empty.
    """
    server, database = base
    server.sql(
        r"TRUNCATE m; INSERT INTO m (id, s) VALUES (1, ' '), (2, E'\t'), (3, E' \r\n'), (4, ''), (5, "
        r"E'\tx'), (6, NULL)",
        database,
    )
    tests = [
        {"dbt_utils.not_empty_string": {"column_name": "s"}},
        {"dbt_utils.not_empty_string": {"column_name": "s", "trim_whitespace": False}},
    ]
    found = list(answers(base, imported("dbt", dbt_project(tmp_path, "m", *tests)), "dbt").values())
    assert [(r.status, r.violations) for r in found] == [(Status.FAIL, 4), (Status.FAIL, 1)]


# --- patterns ---------------------------------------------------------------------------------------------

letters = st.sampled_from("ab_%*.?+[]()^$\\|- AbÄ1'\"{}")


@LAW
@given(
    st.text(letters, min_size=1, max_size=6),
    st.lists(st.text(st.sampled_from("ab_%.*- AbÄ1'c"), min_size=1, max_size=6), min_size=1, max_size=8),
)
def test_a_forbidden_pattern_forbids_what_soda_forbids(
    base: tuple[Server, str], pattern: str, names: list[str]
) -> None:
    """Exactly the names that soda-core's own rule finds (a match from the start; % and * are anything), or
    no counterpart.
    """
    server, database = base
    try:
        condition = soda_schema.forbidden_sql(pattern)
    except NoCounterpart:
        assert re.search(r"[?+\[\](){}|^$\\]", pattern)
        return
    rule = re.compile(pattern.replace("%", ".*").replace("*", ".*"))
    listed = ", ".join(f"({expressions.value_sql(name)})" for name in names)
    found = server.sql(f"SELECT c.name FROM (VALUES {listed}) AS c (name) WHERE {condition}", database)
    assert sorted(name for (name,) in found) == sorted(name for name in names if rule.match(name))


def test_every_short_pattern_forbids_what_soda_forbids(base: tuple[Server, str]) -> None:
    """The same for every pattern of up to three signs, and every name of up to three letters: nothing is
    left to chance.
    """
    server, database = base
    signs, letters = ["a", "_", "%", "*", "."], ["a", "_", "b"]
    patterns, names = (
        [w for n in (1, 2, 3) for w in map("".join, itertools.product(of, repeat=n))]
        for of in (signs, letters)
    )
    listed = ", ".join(f"({expressions.value_sql(name)})" for name in names)
    each = ", ".join(
        f"array_agg(c.name) FILTER (WHERE {soda_schema.forbidden_sql(pattern)})" for pattern in patterns
    )
    (found,) = server.sql(f"SELECT {each} FROM (VALUES {listed}) AS c (name)", database)
    for pattern, forbidden in zip(patterns, found, strict=True):
        rule = re.compile(pattern.replace("%", ".*").replace("*", ".*"))
        assert sorted(forbidden or []) == sorted(name for name in names if rule.match(name)), pattern


@pytest.mark.parametrize(
    ("forbidden", "columns", "fails"),
    [
        (["%secret", "%card%"], "my_secret text, credit_card_no text", True),
        (["user_*"], "userid int", False),
        (["pii"], "pii_name text", True),
        (["*"], "a int", True),
        (["%secret"], "secret_s text", False),
        (["*secret"], "secret_s text", True),
        (["PII"], "pii_name text", False),
        (["a%b"], "a_b int", True),
        (["tmp"], "a_tmp int", False),
    ],
)
def test_forbidden_columns_of_a_table(
    forbidden: list[str], columns: str, fails: bool, base: tuple[Server, str], tmp_path: Path
) -> None:
    """The names of the table's own columns are compared, as they are written."""
    server, database = base
    server.sql(f"DROP TABLE IF EXISTS f; CREATE TABLE f ({columns})", database)
    maker = imported(
        "soda", soda_suite(tmp_path, "f", {"schema": {"fail": {"when forbidden column present": forbidden}}})
    )
    (found,) = answers(base, maker, "soda").values()
    assert (found.status is Status.FAIL) is fails


@pytest.mark.parametrize(
    ("said", "types"),
    [
        ("varchar", ["character varying"]),
        ("text", ["character varying", "text"]),
        ("numeric", ["double precision", "numeric"]),
        ("decimal", ["double precision"]),
        ("Double Precision", ["double precision", "numeric"]),
        ("timestamp", ["timestamp without time zone"]),
        ("timestamptz", ["timestamp with time zone"]),
        ("integer", ["integer"]),
    ],
)
def test_types_are_those_that_soda_takes_for_the_same(said: str, types: list[str], tmp_path: Path) -> None:
    """soda-core's own table of types, either way; a name that information_schema never says has no
    counterpart.
    """
    assert soda_schema._types(said) == types
    for unknown in ("int", "varchar(12)", "string", "numeric(12,2)", "_text", "serial"):
        with pytest.raises(NoCounterpart):
            soda_schema._types(unknown)


# --- NaN --------------------------------------------------------------------------------------------------

GX_OF_VALUES: dict[str, Callable[[str], dict[str, Any]]] = {
    "expect_column_values_to_be_in_set": lambda c: {"column": c, "value_set": [1, 2, 3]},
    "expect_column_distinct_values_to_be_in_set": lambda c: {"column": c, "value_set": [1, 2, 3]},
    "expect_column_distinct_values_to_equal_set": lambda c: {"column": c, "value_set": [1, 2]},
    "expect_column_values_to_not_be_in_set": lambda c: {"column": c, "value_set": [9]},
    "expect_column_values_to_be_between": lambda c: {"column": c, "min_value": 0},
    "expect_column_value_lengths_to_be_between": lambda c: {"column": c, "min_value": 1},
    "expect_column_value_lengths_to_equal": lambda c: {"column": c, "value": 1},
    "expect_column_pair_values_to_be_equal": lambda c: {"column_A": c, "column_B": f"{c}_copy"},
    "expect_column_pair_values_a_to_be_greater_than_b": lambda c: {
        "column_A": c,
        "column_B": f"{c}_copy",
        "or_equal": True,
    },
    "expect_column_pair_values_to_be_in_set": lambda c: {
        "column_A": c,
        "column_B": f"{c}_copy",
        "value_pairs_set": [[1, 1], [2, 2]],
    },
    "expect_select_column_values_to_be_unique_within_record": lambda c: {"column_list": [c, "at_number"]},
    "expect_multicolumn_values_to_be_equal": lambda c: {"column_list": [c, f"{c}_copy"]},
    "expect_multicolumn_sum_to_equal": lambda c: {"column_list": [c, "minus"], "sum_total": 0},
    **{
        f"expect_column_{f}_to_be_between": (lambda c: {"column": c, "min_value": 0})
        for f in ("min", "max", "sum", "mean", "median", "stdev")
    },
    "expect_column_quantile_values_to_be_between": lambda c: {
        "column": c,
        "quantile_ranges": {"quantiles": [0.1, 0.9], "value_ranges": [[0, None], [None, 9]]},
    },
    "expect_column_most_common_value_to_be_in_set": lambda c: {
        "column": c,
        "value_set": [1, 2],
        "ties_okay": True,
    },
}
GX_OTHERS = {
    "expect_column_values_to_not_be_null": "presence",
    "expect_column_values_to_be_null": "presence",
    "expect_column_distinct_values_to_contain_set": "presence",
    "expect_column_values_to_be_unique": "counts",
    "expect_compound_columns_to_be_unique": "counts",
    "expect_column_unique_value_count_to_be_between": "counts",
    "expect_column_proportion_of_unique_values_to_be_between": "counts",
    "expect_column_proportion_of_non_null_values_to_be_between": "counts",
    **{
        f"expect_column_values_to_{n}match_{p}{many}": "an error: patterns are for texts"
        for n in ("", "not_")
        for p in ("like_pattern", "regex")
        for many in ("", "_list")
    },
    **dict.fromkeys(
        (
            "expect_column_to_exist",
            "expect_column_values_to_be_of_type",
            "expect_column_type_to_be",
            "expect_column_values_to_be_in_type_list",
        ),
        "the catalogue",
    ),
    **dict.fromkeys(
        (
            "expect_table_row_count_to_be_between",
            "expect_table_row_count_to_equal",
            "expect_table_row_count_to_equal_other_table",
        ),
        "counts",
    ),
    **dict.fromkeys(
        (
            "expect_table_column_count_to_equal",
            "expect_table_column_count_to_be_between",
            "expect_table_columns_to_match_set",
            "expect_table_columns_to_match_ordered_list",
        ),
        "the catalogue",
    ),
    "unexpected_rows_expectation": "the author's SQL",
}
"""The expectations that say nothing of values, and why."""

SODA_OF_VALUES: list[Any] = [
    *(
        f"{metric}({{c}}) >= 0"
        for metric in (
            "min",
            "max",
            "sum",
            "avg",
            "stddev",
            "stddev_pop",
            "stddev_samp",
            "variance",
            "var_pop",
            "var_samp",
        )
    ),
    "percentile({c}, 0.1) >= 0",
    "max({c}) != 77",
    "sum({c}) not between 100 and 200",
    {"max({c})": {"fail": "when < 0"}},
    {"invalid_count({c}) = 0": {"valid min": 0}},
    {"invalid_count({c}) = 0": {"invalid values": [9]}},
    {"invalid_count({c}) < 1": {"valid max": 9}},
    {"invalid_percent({c}) < 1 %": {"valid min": 0}},
    {"invalid_percent({c}) <= 1 %": {"valid min": 0}},
    {"valid_count({c}) >= 1": {"valid min": 0}},
    {"invalid_count({c}) = 0": {"valid values": [1, 2, 3]}},
    "values in ({c}) must exist in listed ({c})",
    "values in ({c}, i) must exist in listed ({c}, i)",
    "values in ({c}) must not exist in listed (i)",
    {"own >= 0": {"own expression": "sum({c})"}},
    {"own >= 0": {"own query": "SELECT max({c}) FROM m"}},
    {"failed rows": {"fail condition": "{c} < 0"}},
    {"invalid_count({c}) = 0": {"valid min length": 1}},
]


def dbt_of_values(c: str) -> list[Any]:
    """Every test of dbt's, dbt_utils' and dbt_expectations' that says something of values."""
    column, between = {"column_name": c}, {"column_name": c, "min_value": 0}
    return [
        {"accepted_values": {**column, "values": [1, 2, 3], "quote": False}},
        {"relationships": {**column, "to": "ref('listed')", "field": c}},
        {"relationships": {"column_name": f"{c} + 0", "to": "ref('listed')", "field": c}},
        {"dbt_utils.relationships_where": {**column, "to": "ref('listed')", "field": c}},
        {"dbt_utils.accepted_range": between},
        {"dbt_utils.not_accepted_values": {**column, "values": [9], "quote": False}},
        {"dbt_utils.expression_is_true": {**column, "expression": ">= 0"}},
        {"dbt_utils.expression_is_true": {"expression": f"{c} = {c}_copy"}},
        *(
            {f"dbt_expectations.expect_column_{f}_to_be_between": between}
            for f in ("min", "max", "sum", "mean", "median", "stdev")
        ),
        {"dbt_expectations.expect_column_values_to_be_between": between},
        {
            "dbt_expectations.expect_column_values_to_be_in_set": {
                **column,
                "value_set": [1, 2, 3],
                "quote_values": False,
            }
        },
        {
            "dbt_expectations.expect_column_values_to_not_be_in_set": {
                **column,
                "value_set": [9],
                "quote_values": False,
            }
        },
        {"dbt_expectations.expect_column_pair_values_to_be_equal": {"column_A": c, "column_B": f"{c}_copy"}},
        {
            "dbt_expectations.expect_column_pair_values_A_to_be_greater_than_B": {
                "column_A": c,
                "column_B": f"{c}_copy",
                "or_equal": True,
            }
        },
        {
            "dbt_expectations.expect_column_pair_values_to_be_in_set": {
                "column_A": c,
                "column_B": f"{c}_copy",
                "value_pairs_set": [[1, 1], [2, 2]],
            }
        },
        {
            "dbt_expectations.expect_select_column_values_to_be_unique_within_record": {
                "column_list": [c, "at_number"]
            }
        },
        {"dbt_expectations.expect_multicolumn_sum_to_equal": {"column_list": [c], "sum_total": f"{c}_copy"}},
    ]


def written(item: Any, column: str) -> Any:
    """An item of SodaCL with the column's name in its place."""
    return json.loads(json.dumps(item).replace("{c}", column))


def of_values(tool: str, folder: Path) -> Path:
    """A suite of everything that says something of values, about each type of number."""
    if tool == "great-expectations":
        return gx_suite(
            folder, "m", *(gx(kind, **make(c)) for c in NUMBERS for kind, make in GX_OF_VALUES.items())
        )
    if tool == "soda":
        return soda_suite(folder, "m", *(written(item, c) for c in NUMBERS for item in SODA_OF_VALUES))
    return dbt_project(folder, "m", *(test for c in NUMBERS for test in dbt_of_values(c)))


def test_every_kind_is_in_the_law_or_said_to_be_none_of_it() -> None:
    """No expectation and no test is left out of the law about NaN in silence."""
    assert GX_OF_VALUES.keys() | GX_OTHERS.keys() == great_expectations.TRANSLATED.keys()
    tried = {name.rpartition(".")[2].lower() for test in dbt_of_values("x") for name in test}
    counts = {
        "not_null",
        "unique",
        "unique_combination_of_columns",
        "not_empty_string",
        "not_null_proportion",
        "at_least_one",
        "not_constant",
        "equal_rowcount",
        "fewer_rows_than",
        "recency",
    }
    assert tried & GENERIC.keys() | counts == GENERIC.keys()
    same = {
        kind
        for kind in _SAME | _OWN.keys()
        if re.search(
            r"null|unique(?!_within)|exist|table_|type|recent|count|regex|like|length|distinct", kind
        )
    }
    assert tried - GENERIC.keys() | same == _SAME | _OWN.keys()


@pytest.mark.slow
@pytest.mark.parametrize("tool", ["great-expectations", "soda", "dbt"])
def test_no_nan_passes_what_is_imported(tool: str, base: tuple[Server, str], tmp_path: Path) -> None:
    """Whatever an import says of values fails where one of them is NaN, for numeric, real, double
    precision and a domain alike.
    """
    server, database = base
    server.sql(
        "ALTER TABLE m ADD IF NOT EXISTS at_number int DEFAULT 9, ADD IF NOT EXISTS minus int", database
    )
    maker = imported(tool, of_values(tool, tmp_path))
    assert [o.reason for o in maker.outcomes if not o.imported] == []
    found = {}
    for value in ("2", "'NaN'"):
        rows = ", ".join(
            f"({id}, {', '.join([v] * 8)}, 50, {'-1' if id == 1 else '-2'})"
            for id, v in ((1, "1"), (2, value))
        )
        listed = (
            f"INSERT INTO listed SELECT {', '.join(NUMBERS)}, i FROM m; INSERT INTO listed VALUES "
            f"(7, 7, 7, 7, 7)"
        )
        columns = ", ".join([*NUMBERS, *(f"{c}_copy" for c in NUMBERS)])
        server.sql(
            f"TRUNCATE m, listed; INSERT INTO m (id, {columns}, i, minus) VALUES {rows}; {listed}", database
        )
        if value != "2":  # what must not be listed is not; NaN = NaN is true where it must be
            server.sql("DELETE FROM listed WHERE i = 7", database)
        found[value] = answers(base, maker, tool)
    sound = {id for id, r in found["2"].items() if r.status in {Status.PASS, Status.TOLERATED}}
    for outcome in maker.outcomes:
        before, after = ([found[value][id] for id in outcome.ids] for value in ("2", "'NaN'"))
        assert set(outcome.ids) <= sound, (
            outcome.text,
            [(r.check_id, r.status, r.message, r.sql) for r in before],
        )
        assert Status.FAIL in {r.status for r in after}, (
            outcome.text,
            [(r.check_id, r.status, r.sql) for r in after],
        )


def test_infinities_make_no_figure(base: tuple[Server, str], tmp_path: Path) -> None:
    """Of infinities of both signs the sum, the mean and the median are NaN, though no value is one: each
    fails.
    """
    server, database = base
    server.sql(
        "TRUNCATE m; INSERT INTO m (id, f8, n) VALUES (1, 'Infinity', 'Infinity'), (2, '-Infinity', "
        "'-Infinity')",
        database,
    )
    items = [
        gx(f"expect_column_{f}_to_be_between", column=c, min_value=0)
        for f in ("sum", "mean", "median", "stdev")
        for c in ("f8", "n")
    ]
    gx_found = answers(
        base, imported("great-expectations", gx_suite(tmp_path, "m", *items)), "great-expectations"
    )
    soda_found = answers(
        base,
        imported(
            "soda",
            soda_suite(
                tmp_path,
                "m",
                "sum(f8) >= 0",
                "avg(n) >= 0",
                "stddev(f8) >= 0",
                {"own > 0": {"own expression": "sum(f8) - 1"}},
            ),
        ),
        "soda",
    )
    assert {r.status for r in (*gx_found.values(), *soda_found.values())} == {Status.FAIL}


def test_the_word_nan_is_no_number(base: tuple[Server, str], tmp_path: Path) -> None:
    """A text 'NaN' is a text: what is said of texts passes it."""
    server, database = base
    server.sql("TRUNCATE m; INSERT INTO m (id, s) VALUES (1, 'NaN'), (2, 'Naples')", database)
    items = [
        gx("expect_column_values_to_be_between", column="s", min_value="A", max_value="Z"),
        gx("expect_column_max_to_be_between", column="s", min_value="A"),
        gx("expect_column_values_to_not_be_in_set", column="s", value_set=["x"]),
        gx(
            "expect_column_most_common_value_to_be_in_set",
            column="s",
            value_set=["NaN", "Naples"],
            ties_okay=True,
        ),
        gx("expect_column_values_to_match_regex", column="s", regex="^Na"),
    ]
    found = answers(
        base, imported("great-expectations", gx_suite(tmp_path, "m", *items)), "great-expectations"
    )
    assert {r.status for r in found.values()} == {Status.PASS}


# --- bounds -----------------------------------------------------------------------------------------------

NO_BOUNDS = ["NaN", "nan", " NaN ", "Infinity", "-inf", "+Infinity", ".nan", "-.inf"]


@pytest.mark.parametrize("value", NO_BOUNDS)
def test_nan_and_infinity_are_no_bounds(value: str, tmp_path: Path) -> None:
    """Such a bound admits everything, or nothing, or only a NaN: it is refused, with the item, in each of
    the three.
    """
    items = [
        gx(kind, column="a", **{key: value})
        for key in ("min_value", "max_value")
        for kind in great_expectations.TRANSLATED
        if kind.endswith("_be_between") and "quantile" not in kind
    ]
    items += [
        gx(
            "expect_column_quantile_values_to_be_between",
            column="a",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [pair]},
        )
        for pair in ([value, None], [None, value], [1, value])
    ]
    maker = imported("great-expectations", gx_suite(tmp_path, "t", *items))
    assert [o.text for o in maker.outcomes if o.imported] == []
    checks = [
        {"invalid_count(a) = 0": {key: value}}
        for key in ("valid min", "valid max", "valid min length", "valid max length", "valid length")
    ]
    checks += [f"max(a) < {value}", f"max(a) between {value} and 5", {"max(a)": {"fail": f"when > {value}"}}]
    assert [o.text for o in imported("soda", soda_suite(tmp_path, "t", *checks)).outcomes if o.imported] == []
    tests = [
        {"dbt_utils.accepted_range": {"column_name": "a", key: v}}
        for key in ("min_value", "max_value")
        for v in (value, f"'{value}'", f"'{value}'::float8")
    ]
    tests += [{"dbt_utils.not_null_proportion": {"column_name": "a", "at_least": value}}]
    imported_ = [
        (o.text, o.ids) for o in imported("dbt", dbt_project(tmp_path, "t", *tests)).outcomes if o.imported
    ]
    # As SQL, nan and Infinity are names of columns: a missing one is said when it runs.
    assert imported_ == []


EMPTY: dict[str, list[Any]] = {
    "great-expectations": [
        *(
            gx(kind, column="a", min_value=5, max_value=1)
            for kind in great_expectations.TRANSLATED
            if kind.endswith("_be_between") and "quantile" not in kind
        ),
        gx("expect_column_values_to_be_between", column="a", min_value=1, max_value=1, strict_min=True),
        gx("expect_column_max_to_be_between", column="a", min_value=1, max_value=1, strict_max=True),
        gx("expect_column_values_to_be_between", column="a", min_value="2024-02-01", max_value="2024-01-31"),
        gx("expect_column_values_to_be_between", column="a", min_value="5", max_value=1),
        gx(
            "expect_column_quantile_values_to_be_between",
            column="a",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [[2, 1]]},
        ),
        gx("expect_table_row_count_to_be_between", min_value=0),
        gx("expect_column_value_lengths_to_be_between", column="a", min_value=0),
        gx("expect_column_unique_value_count_to_be_between", column="a", min_value=0),
        gx("expect_column_proportion_of_unique_values_to_be_between", column="a", min_value=0, max_value=1),
        gx("expect_column_values_to_not_be_in_set", column="a", value_set=[]),
        gx("expect_column_values_to_be_between", column="a", min_value=0, parse_strings_as_datetimes=True),
    ],
    "soda": [
        "max(a) between 5 and 1",
        "max(a) between (1 and 1)",
        "max(a) not between (1 and 1)",
        "row_count >= 0",
        "missing_count(a) >= 0",
        "missing_percent(a) <= 100 %",
        "missing_percent(a) between 0 and 100",
        "duplicate_count(a) > -1",
        "row_count != -1",
        {"invalid_count(a) = 0": {"valid min": 5, "valid max": 1}},
        {"invalid_count(a) = 0": {"valid min length": 5, "valid max length": 1}},
        {"invalid_count(a) = 0": {"valid values": []}},
        {"row_count": {"fail": "when < 0"}},
    ],
    "dbt": [
        {"dbt_utils.accepted_range": {"column_name": "a", "min_value": 5, "max_value": 1}},
        {
            "dbt_utils.accepted_range": {
                "column_name": "a",
                "min_value": 1,
                "max_value": "1",
                "inclusive": False,
            }
        },
        {"dbt_utils.not_null_proportion": {"column_name": "a", "at_least": 0.9, "at_most": 0.1}},
        {"dbt_utils.not_null_proportion": {"column_name": "a", "at_least": 0}},
        {
            "dbt_expectations.expect_column_values_to_be_between": {
                "column_name": "a",
                "min_value": 5,
                "max_value": 1,
            }
        },
        {
            "dbt_expectations.expect_column_max_to_be_between": {
                "column_name": "a",
                "min_value": 5,
                "max_value": 1,
            }
        },
    ],
}


@pytest.mark.parametrize("tool", EMPTY)
def test_bounds_that_admit_nothing_or_all_are_refused(tool: str, tmp_path: Path) -> None:
    """An interval in which nothing lies, a bound that every number keeps, an argument that may mean
    something else: none is imported.
    """
    make = {"great-expectations": gx_suite, "soda": soda_suite, "dbt": dbt_project}[tool]
    maker = imported(tool, make(tmp_path, "t", *EMPTY[tool]))
    assert [(o.text, o.ids) for o in maker.outcomes if o.imported] == []
    assert len(maker.outcomes) == len(EMPTY[tool])


def test_a_number_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    """1e999999999 is eleven characters, and a gigabyte when it is written out."""
    path = tmp_path / "t.json"
    path.write_text(
        '{"name": "t", "expectations": [{"type": "expect_column_max_to_be_between", "kwargs": {"column": '
        '"a", "max_value": 1e999999999}}]}'
    )
    with pytest.raises(UsageError, match="more than 1,000 digits"):
        imported("great-expectations", path)
    yml = tmp_path / "x.yml"
    yml.write_text("checks for t:\n  - invalid_count(a) = 0:\n      valid max: 1.0e+999999999\n")
    with pytest.raises(UsageError, match="more than 1,000 digits"):
        imported("soda", yml)


# --- the table of a suite ---------------------------------------------------------------------------------

TABLES: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "its name": ({"name": "orders"}, (), "orders"),
    "its name and a level": ({"expectation_suite_name": "orders.warning"}, (), "orders"),
    "a schema, a table, a level": ({"name": "app.order.error"}, (), "app.order"),
    "as meta says": (
        {"name": "app.order.error", "meta": {"schema": "app", "table": "order"}},
        (),
        "app.order",
    ),
    "meta, whatever the name": (
        {"name": "nightly", "meta": {"schema_name": "app", "table_name": "order"}},
        (),
        "app.order",
    ),
    "only the schema in meta": ({"name": "order.error", "meta": {"schema": "app"}}, (), "app.order"),
    "batch kwargs": (
        {
            "name": "x.warning",
            "meta": {
                "citations": [{"batch_kwargs": {"table": "order", "schema": "app", "datasource": "pg"}}]
            },
        },
        (),
        "app.order",
    ),
    "a batch request": (
        {
            "name": "x",
            "meta": {
                "citations": [
                    {"batch_request": {"data_asset_name": "app.order"}},
                    {"batch_request": {"data_asset_name": "app.order"}},
                ]
            },
        },
        (),
        "app.order",
    ),
    "a dotted name": ({"name": "x", "meta": {"table": "my.table", "schema": "app"}}, (), 'app."my.table"'),
    "a level of any case": ({"name": "Orders.WARNING"}, (), "Orders"),
    "--table": ({"name": "app.order.error", "meta": {"table": "order"}}, ("sales",), "sales"),
    "--table of the suite": ({"name": "a.b.c", "meta": {}}, ("a.b.c=sales",), "sales"),
    "--table of the table": (
        {"name": "x", "meta": {"schema": "app", "table": "order"}},
        ("app.order=sales",),
        "sales",
    ),
}


@pytest.mark.parametrize("case", TABLES)
def test_the_table_is_the_one_that_the_file_names(case: str, tmp_path: Path) -> None:
    """``--table``, then what the file says, then its name as far as it can mean one table only."""
    suite, options, wanted = TABLES[case]
    path = tmp_path / "suite.json"
    path.write_text(json.dumps({"expectations": [gx("expect_column_to_exist", column="a")], **suite}))
    assert [
        c.table
        for c in suite_of(imported("great-expectations", path, tables=options), "great-expectations").checks
    ] == [wanted]


@pytest.mark.parametrize(
    "suite",
    [
        {"name": "app.orders"},
        {"name": "a.b.c"},
        {"name": "a.b.c.warning"},
        {"name": "x", "meta": {"batches": [{"table": "a"}, {"table": "b"}]}},
        {"name": "x", "meta": {"batch_kwargs": {"query": "SELECT 1"}}},
        {"name": "orders", "meta": {"a": {"schema": "x"}, "b": {"schema": "y"}}},
        {"name": ".warning"},
    ],
)
def test_a_table_is_never_guessed(suite: Any, tmp_path: Path) -> None:
    """A name that may be a schema and a table, several tables, a query: it says so, and what to say."""
    path = tmp_path / "suite.json"
    path.write_text(json.dumps({"expectations": [gx("expect_column_to_exist", column="a")], **suite}))
    with pytest.raises(UsageError) as caught:
        imported("great-expectations", path)
    assert "--table" in caught.value.hint


def test_a_schema_that_dbt_makes_up_is_not_guessed(tmp_path: Path) -> None:
    """dbt joins a model's schema to that of its target when it runs: without --table such a model has no
    table here.
    """
    path = dbt_project(tmp_path, "orders", {"not_null": {"column_name": "id"}}, config={"schema": "marts"})
    (outcome,) = imported("dbt", path).outcomes
    assert "--table orders=SCHEMA.TABLE" in outcome.reason
    assert [
        c.table for c in suite_of(imported("dbt", path, tables=("orders=dev_marts.orders",)), "dbt").checks
    ] == ["dev_marts.orders"]
