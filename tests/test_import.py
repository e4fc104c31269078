"""`import`: each item of another tool's suite becomes checks that mean the same, or is listed with the
reason; nothing is lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlglot
import yaml
from conftest import ROOT, Server
from draft_cases import HOSTILE
from import_shop import SHOP
from shop import Shop
from test_init import assert_plain

from kisaan_validate.author.importers import expressions, great_expectations, reading
from kisaan_validate.author.importers.conditions import row_condition_sql
from kisaan_validate.author.importers.load import import_files, read_tables
from kisaan_validate.author.importers.maker import Maker
from kisaan_validate.author.importers.outcome import NoCounterpart
from kisaan_validate.author.importers.thresholds import read_threshold
from kisaan_validate.author.importers.writing import counted, render
from kisaan_validate.errors import UsageError
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run
from kisaan_validate.sql.assertion import plain_expression
from kisaan_validate.suite.files import load_files
from kisaan_validate.suite.load import Suite

FOLDER = ROOT / "tests" / "imports"
REAL: dict[str, tuple[str, list[Path]]] = {
    "gx_1": ("great-expectations", [FOLDER / "gx_1.json"]),
    "gx_0": ("great-expectations", [FOLDER / "gx_0.json"]),
    "gx_names": ("great-expectations", [FOLDER / "gx_names.json"]),
    "soda_names": ("soda", [FOLDER / "soda_names.yml"]),
    "soda": ("soda", [FOLDER / "soda.yml"]),
    "dbt": (
        "dbt",
        sorted((FOLDER / "dbt" / "models").glob("*.yml")) + sorted((FOLDER / "dbt" / "tests").glob("*.sql")),
    ),
}
ITEMS = {
    "gx_1": (52, 4),
    "gx_0": (11, 5),
    "gx_names": (82, 0),
    "soda": (57, 8),
    "soda_names": (54, 0),
    "dbt": (68, 7),
}
"""How many items each suite has, and how many of them have no counterpart."""


def imported(tool: str, *files: Path, tables: tuple[str, ...] = ()) -> Maker:
    """What an import makes."""
    return import_files(tool, files, read_tables(tables))


def suite_of(maker: Maker, tool: str) -> Suite:
    """The suite that an import writes."""
    return load_files(render(maker, tool, "test", ("public",)))


@pytest.fixture(scope="module")
def market(server: Server) -> Iterator[str]:
    """The database that the suites are about."""
    name = server.create(SHOP)
    yield name
    server.drop(name)


@pytest.mark.parametrize("name", REAL)
def test_every_item_of_a_real_suite_is_accounted_for(name: str) -> None:
    """imported + not imported = all items; each is in the report once, with its checks or its reason; ids
    are the suite's.
    """
    tool, files = REAL[name]
    maker = imported(tool, *files)
    total, done, left = counted(maker.outcomes)
    assert (total, left) == ITEMS[name]
    assert done + left == total
    suite = suite_of(maker, tool)
    assert {c.id for c in suite.checks} == {id for o in maker.outcomes for id in o.ids}
    assert sum(len(o.ids) for o in maker.outcomes) == len(suite.checks)
    assert all(bool(o.ids) is not bool(o.reason) for o in maker.outcomes)
    report = render(maker, tool, "test", ("public",))["import.md"]
    assert f"{total} items: {done} imported, {left} not imported." in report
    rows = [
        line
        for line in report.splitlines()
        if line.startswith("| ") and "---" not in line and "| where |" not in line
    ]
    assert len(rows) == total


@pytest.mark.parametrize("name", [name for name in REAL if not name.endswith("_names")])
def test_a_real_suite_runs_without_an_unanswered_check(name: str, server: Server, market: str) -> None:
    """All that was imported can be asked of PostgreSQL, and is true of a database of which the suites say
    the truth.
    """
    tool, files = REAL[name]
    suite = suite_of(imported(tool, *files), tool)
    done = run(suite, server.dsn(market), options=Options(jobs=1, sample=2))
    said = {
        r.check_id: (r.status, r.message)
        for r in done.results
        if r.status not in {Status.PASS, Status.TOLERATED}
    }
    # Great Expectations 1.24, Soda 3.5 and dbt's own rules say so too: half of the notes repeat, the mean
    # share is 45; to dbt_expectations a NULL matches no regular expression.
    expected = {
        "gx_1": {"orders.note.unique", "orders.status.most_common"},
        "gx_0": set(),
        "soda": {"orders.average_share"},
        "dbt": {"orders.status.accepted_values_3", "orders.note.unique_2", "orders.note.matches", *READINGS},
    }
    assert {id for id, (status, _) in said.items() if status is Status.FAIL} == expected[name] == set(said)


READINGS = {
    f"meter_readings.{id}"
    for id in (
        "id_1.relationships",
        "f8.accepted_values",
        "id_7.unique",
        "id_3.accepted_values",
        "nullif_f8_3.not_null",
        "select.unique",
    )
}
"""What dbt says of them too: twenty numbers are more than seven remainders, and their successors are not
among them.
"""


@pytest.mark.slow
def test_the_files_are_plain_code(tmp_path: Path) -> None:
    """What an import writes are declarations of literals, and SQL files that load."""
    for tool, files in REAL.values():
        for path, text in render(imported(tool, *files), tool, "test", ("public",)).items():
            assert_plain(path, text)


# --- one item after the other: true rows pass, wrong rows fail --------------------------------------------

TABLE = (
    "CREATE TABLE t (id int, a numeric, b numeric, s text, d timestamptz); CREATE TABLE u (id int, k text);"
)


def gx(kind: str, **kwargs: Any) -> dict[str, Any]:
    """An expectation."""
    more = {k.removeprefix("_"): kwargs.pop(k) for k in list(kwargs) if k in {"_severity", "_meta"}}
    return {"type": kind, "kwargs": kwargs, "meta": {}, **more}


def gx_file(folder: Path, *expectations: Any) -> Path:
    """A suite of Great Expectations about table t."""
    path = folder / "t.json"
    path.write_text(json.dumps({"name": "t", "expectations": list(expectations), "meta": {}}))
    return path


def soda_file(folder: Path, *lines: str, head: str = "") -> Path:
    """Checks of SodaCL for table t."""
    path = folder / "checks.yml"
    path.write_text(
        head + "checks for t:\n" + "".join("  " + line.replace("\n", "\n  ") + "\n" for line in lines)
    )
    return path


def dbt_file(folder: Path, *tests: Any, column: str = "a", **model: Any) -> Path:
    """Tests of a column of model t."""
    path = folder / "schema.yml"
    entry = {"name": "t", "columns": [{"name": column, "data_tests": list(tests)}], **model}
    path.write_text(yaml.safe_dump({"models": [entry]}))
    return path


def asked(server: Server, maker: Maker, tool: str, rows: str) -> list[Result]:
    """The results of an import over these rows of t (an INSERT's VALUES, or more SQL after a semicolon)."""
    assert all(o.imported for o in maker.outcomes), [o.reason for o in maker.outcomes]
    database = server.create(TABLE + (f"INSERT INTO t (id, a, b, s) VALUES {rows}" if rows else ""))
    try:
        return list(
            run(suite_of(maker, tool), server.dsn(database), options=Options(jobs=1, sample=1)).results
        )
    finally:
        server.drop(database)


GX: dict[str, tuple[dict[str, Any], str, str]] = {
    "not null": (
        gx("expect_column_values_to_not_be_null", column="a"),
        "(1, 1, 1, 'x')",
        "(1, NULL, 1, 'x')",
    ),
    "not null mostly": (
        gx("expect_column_values_to_not_be_null", column="a", mostly=0.5),
        "(1, 1, 1, ''), (2, NULL, 1, '')",
        "(1, NULL, 1, ''), (2, NULL, 1, ''), (3, 1, 1, '')",
    ),
    "in set": (
        gx("expect_column_values_to_be_in_set", column="s", value_set=["x", "it's"]),
        "(1, 1, 1, 'it''s'), (2, 1, 1, NULL)",
        "(1, 1, 1, 'y')",
    ),
    "mostly is a share of the rows that have a value": (
        gx("expect_column_values_to_be_in_set", column="s", value_set=["x"], mostly=0.5),
        "(1, 1, 1, 'x'), (2, 1, 1, 'y')",
        "(1, 1, 1, 'x'), (2, 1, 1, 'y'), (3, 1, 1, 'y'), (4, 1, 1, NULL)",
    ),
    "between, strict": (
        gx("expect_column_values_to_be_between", column="a", min_value=0, max_value=0.3, strict_max=True),
        "(1, 0.29, 1, '')",
        "(1, 0.3, 1, '')",
    ),
    "row condition": (
        gx(
            "expect_column_values_to_not_be_null",
            column="a",
            row_condition='col("s") == "x"',
            condition_parser="great_expectations",
        ),
        "(1, NULL, 1, 'y')",
        "(1, NULL, 1, 'x')",
    ),
    "regex": (
        gx("expect_column_values_to_match_regex", column="s", regex="^a+$"),
        "(1, 1, 1, 'aa')",
        "(1, 1, 1, 'ab')",
    ),
    "not regex": (
        gx("expect_column_values_to_not_match_regex", column="s", regex="b"),
        "(1, 1, 1, 'aa')",
        "(1, 1, 1, 'ab')",
    ),
    "all regexes": (
        gx("expect_column_values_to_match_regex_list", column="s", regex_list=["a", "b"], match_on="all"),
        "(1, 1, 1, 'ab')",
        "(1, 1, 1, 'a')",
    ),
    "like": (
        gx("expect_column_values_to_match_like_pattern", column="s", like_pattern="a%"),
        "(1, 1, 1, 'ab')",
        "(1, 1, 1, 'ba')",
    ),
    "length": (
        gx("expect_column_value_lengths_to_equal", column="s", value=2),
        "(1, 1, 1, 'ab')",
        "(1, 1, 1, 'a')",
    ),
    "unique": (
        gx("expect_column_values_to_be_unique", column="a"),
        "(1, 1, 1, ''), (2, NULL, 1, ''), (3, NULL, 1, '')",
        "(1, 1, 1, ''), (2, 1, 1, '')",
    ),
    "compound": (
        gx("expect_compound_columns_to_be_unique", column_list=["a", "s"]),
        "(1, 1, 1, 'x'), (2, NULL, 1, NULL), (3, NULL, 1, NULL)",
        "(1, NULL, 1, 'x'), (2, NULL, 1, 'x')",
    ),
    "within a record": (
        gx("expect_select_column_values_to_be_unique_within_record", column_list=["a", "b"]),
        "(1, 1, 2, '')",
        "(1, 1, 1, '')",
    ),
    "sum of columns": (
        gx("expect_multicolumn_sum_to_equal", column_list=["a", "b"], sum_total=3),
        "(1, 1, 2, '')",
        "(1, 1, 1, '')",
    ),
    "greater": (
        gx("expect_column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b"),
        "(1, 2, 1, '')",
        "(1, 1, 1, '')",
    ),
    "greater, one of them NULL": (
        gx("expect_column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b"),
        "(1, NULL, 1, ''), (2, 1, NULL, '')",
        "(1, 1, 1, '')",
    ),
    "equal": (
        gx("expect_column_pair_values_to_be_equal", column_A="a", column_B="b"),
        "(1, 1, 1, ''), (2, NULL, NULL, '')",
        "(1, NULL, 1, '')",
    ),
    "equal, the other NULL": (
        gx("expect_column_pair_values_to_be_equal", column_A="a", column_B="b"),
        "(1, 1, 1, '')",
        "(1, 1, NULL, '')",
    ),
    "equal, nothing left alone": (
        gx("expect_column_pair_values_to_be_equal", column_A="a", column_B="b", ignore_row_if="neither"),
        "(1, 1, 1, '')",
        "(1, NULL, NULL, '')",
    ),
    "equal, NULL left alone": (
        gx(
            "expect_column_pair_values_to_be_equal",
            column_A="a",
            column_B="b",
            ignore_row_if="either_value_is_missing",
        ),
        "(1, NULL, 1, '')",
        "(1, 2, 1, '')",
    ),
    "columns equal": (
        gx("expect_multicolumn_values_to_be_equal", column_list=["id", "a", "b"]),
        "(1, 1, 1, ''), (NULL, NULL, NULL, '')",
        "(1, 1, NULL, '')",
    ),
    "columns equal, nothing left alone": (
        gx("expect_multicolumn_values_to_be_equal", column_list=["a", "b"], ignore_row_if="never"),
        "(1, NULL, NULL, '')",
        "(1, NULL, 1, '')",
    ),
    "within a record, two NULLs": (
        gx("expect_select_column_values_to_be_unique_within_record", column_list=["id", "a", "b"]),
        "(1, NULL, 2, '')",
        "(1, NULL, NULL, '')",
    ),
    "type": (gx("expect_column_values_to_be_of_type", column="a", type_="NUMERIC"), "(1, 2, 1, '')", ""),
    "mean": (
        gx("expect_column_mean_to_be_between", column="a", min_value=1.5, max_value=1.5),
        "(1, 1, 1, ''), (2, 2, 1, '')",
        "(1, 1, 1, ''), (2, 1, 1, '')",
    ),
    "median": (
        gx("expect_column_median_to_be_between", column="a", min_value=2.5, max_value=2.5),
        "(1, 2, 1, ''), (2, 3, 1, ''), (3, 1, 1, ''), (4, 9, 1, '')",
        "(1, 2, 1, '')",
    ),
    "quantile": (
        gx(
            "expect_column_quantile_values_to_be_between",
            column="a",
            quantile_ranges={"quantiles": [0.5], "value_ranges": [[1, None]]},
        ),
        "(1, 1, 1, '')",
        "(1, 0, 1, '')",
    ),
    "sum": (
        gx("expect_column_sum_to_be_between", column="a", max_value=3),
        "(1, 1, 1, ''), (2, 2, 1, '')",
        "(1, 4, 1, '')",
    ),
    "distinct": (
        gx("expect_column_unique_value_count_to_be_between", column="s", max_value=1),
        "(1, 1, 1, 'x'), (2, 1, 1, 'x')",
        "(1, 1, 1, 'x'), (2, 1, 1, 'y')",
    ),
    "share distinct": (
        gx("expect_column_proportion_of_unique_values_to_be_between", column="s", min_value=1),
        "(1, 1, 1, 'x')",
        "(1, 1, 1, 'x'), (2, 1, 1, 'x')",
    ),
    "contains": (
        gx("expect_column_distinct_values_to_contain_set", column="s", value_set=["x"]),
        "(1, 1, 1, 'x'), (2, 1, 1, 'z')",
        "(1, 1, 1, 'z')",
    ),
    "most common": (
        gx("expect_column_most_common_value_to_be_in_set", column="s", value_set=["x"]),
        "(1, 1, 1, 'x'), (2, 1, 1, 'x'), (3, 1, 1, 'y')",
        "(1, 1, 1, 'x'), (2, 1, 1, 'y')",
    ),
    "rows": (gx("expect_table_row_count_to_equal", value=1), "(1, 1, 1, '')", "(1, 1, 1, ''), (2, 1, 1, '')"),
    "rows as other": (
        gx("expect_table_row_count_to_equal_other_table", other_table_name="u"),
        "(1, 1, 1, ''); INSERT INTO u VALUES (1)",
        "(1, 1, 1, '')",
    ),
    "columns": (
        gx("expect_table_columns_to_match_set", column_set=["id", "a", "b", "s", "d"]),
        "(1, 1, 1, '')",
        "(1, 1, 1, ''); ALTER TABLE t ADD extra int",
    ),
    "column order": (
        gx("expect_table_columns_to_match_ordered_list", column_list=["id", "a", "b", "s", "d"]),
        "(1, 1, 1, '')",
        "(1, 1, 1, ''); ALTER TABLE t DROP a; ALTER TABLE t ADD a numeric",
    ),
    "column count": (
        gx("expect_table_column_count_to_equal", value=5),
        "(1, 1, 1, '')",
        "(1, 1, 1, ''); ALTER TABLE t ADD extra int",
    ),
    "query": (
        gx("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE a < 0"),
        "(1, 1, 1, '')",
        "(1, -1, 1, '')",
    ),
}


@pytest.mark.parametrize("name", GX)
def test_an_expectation_means_the_same_here(name: str, server: Server, tmp_path: Path) -> None:
    """Rows that the expectation accepts pass its checks, rows that it does not accept fail one of them."""
    expectation, good, bad = GX[name]
    maker = imported("great-expectations", gx_file(tmp_path, expectation))
    accepted = asked(server, maker, "great-expectations", good)
    assert {r.status for r in accepted} <= {Status.PASS, Status.TOLERATED}, accepted
    if bad:
        assert Status.FAIL in {r.status for r in asked(server, maker, "great-expectations", bad)}


def test_every_expectation_of_the_tool_is_known() -> None:
    """Each is translated or has its reason, and none has both."""
    listed = {e["type"] for e in json.loads((FOLDER / "gx_1.json").read_text())["expectations"]}
    assert listed <= great_expectations.TRANSLATED.keys() | great_expectations.STATISTICAL.keys()
    assert not great_expectations.TRANSLATED.keys() & great_expectations.STATISTICAL.keys()


SODA: dict[str, tuple[str, str, str]] = {
    "rows": ("- row_count = 1", "(1, 1, 1, '')", "(1, 1, 1, ''), (2, 1, 1, '')"),
    "missing": (
        "- missing_count(s) < 2:\n    missing values: [n/a]",
        "(1, 1, 1, 'n/a'), (2, 1, 1, 'x')",
        "(1, 1, 1, 'n/a'), (2, 1, 1, NULL)",
    ),
    "missing percent": (
        "- missing_percent(s) < 50%",
        "(1, 1, 1, 'n/a'), (2, 1, 1, 'x'), (3, 1, 1, NULL)",
        "(1, 1, 1, 'n/a'), (2, 1, 1, NULL)",
    ),
    "missing percent, included": (
        "- missing_percent(s) <= 50%",
        "(1, 1, 1, 'n/a'), (2, 1, 1, NULL)",
        "(1, 1, 1, NULL), (2, 1, 1, NULL), (3, 1, 1, '')",
    ),
    "invalid, missing beside": (
        "- invalid_count(s) = 0:\n    valid values: [x]\n    missing values: [n/a]",
        "(1, 1, 1, 'n/a'), (2, 1, 1, NULL)",
        "(1, 1, 1, 'y')",
    ),
    "invalid of all rows": (
        "- invalid_percent(s) <= 50 %:\n    valid values: [x]",
        "(1, 1, 1, NULL), (2, 1, 1, 'y')",
        "(1, 1, 1, 'z'), (2, 1, 1, 'y'), (3, 1, 1, 'x')",
    ),
    "duplicates": (
        "- duplicate_count(s, a) < 2",
        "(1, 1, 1, 'x'), (2, 1, 1, 'x'), (3, 1, 1, 'x'), (4, NULL, 1, 'x'), (5, NULL, 1, 'x')",
        "(1, 1, 1, 'x'), (2, 1, 1, 'x'), (3, 1, 1, 'y'), (4, 1, 1, 'y')",
    ),
    "more than": ("- missing_count(s) > 0", "(1, 1, 1, NULL)", "(1, 1, 1, 'x')"),
    "mean": ("- avg(a) between 1.5 and 1.5", "(1, 1, 1, ''), (2, 2, 1, '')", "(1, 1, 1, '')"),
    "excluded": ("- max(a) between (0 and 2)", "(1, 1, 1, '')", "(1, 2, 1, '')"),
    "not between": ("- min(a) not between 0 and 2", "(1, 3, 1, '')", "(1, 2, 1, '')"),
    "reference": (
        "- values in (s) must exist in u (k)",
        "(1, 1, 1, 'x'), (2, 1, 1, NULL); INSERT INTO u VALUES (1, 'x'), (2, 'x')",
        "(1, 1, 1, 'x')",
    ),
    "no reference": (
        "- values in (s) must not exist in u (k)",
        "(1, 1, 1, 'x')",
        "(1, 1, 1, 'x'); INSERT INTO u VALUES (1, 'x')",
    ),
    "fresh": (
        "- freshness(d) < 1h",
        "(1, 1, 1, ''); UPDATE t SET d = now()",
        "(1, 1, 1, ''); UPDATE t SET d = now() - interval '61 minutes'",
    ),
    "not fresh without any": (
        "- freshness(d) < 1h",
        "(1, 1, 1, ''); UPDATE t SET d = now()",
        "(1, 1, 1, '')",
    ),
    "schema": (
        (
            "- schema:\n    fail:\n      when required column missing: [a]\n      when forbidden column "
            "present: [pass*]\n      when wrong column type: {a: numeric}\n      when wrong column index: {id: 0}"
        ),
        "(1, 1, 1, '')",
        "(1, 1, 1, ''); ALTER TABLE t ADD passwd int",
    ),
    "failed rows": (
        "- failed rows:\n    fail condition: a > b",
        "(1, 1, 1, ''), (2, NULL, 1, '')",
        "(1, 2, 1, '')",
    ),
    "failed query": (
        "- failed rows:\n    fail query: SELECT * FROM t WHERE a > b\n    fail: when > 1",
        "(1, 2, 1, '')",
        "(1, 2, 1, ''), (2, 2, 1, '')",
    ),
    "metric": ("- ratio < 2:\n    ratio expression: sum(a) / sum(b)", "(1, 1, 1, '')", "(1, 2, 1, '')"),
    "metric with a comment": (
        "- mean < 2:\n    mean expression: avg(a) -- mean",
        "(1, 1, 1, '')",
        "(1, 2, 1, '')",
    ),
    "metric of a query": (
        "- gaps = 0:\n    gaps query: |\n      SELECT count(*) FROM t WHERE a IS NULL",
        "(1, 1, 1, '')",
        "(1, NULL, 1, '')",
    ),
    "filter": ("- missing_count(a) = 0:\n    filter: s = 'x'", "(1, NULL, 1, 'y')", "(1, NULL, 1, 'x')"),
    "alerts": ("- row_count:\n    fail: when > 1", "(1, 1, 1, '')", "(1, 1, 1, ''), (2, 1, 1, '')"),
}


@pytest.mark.parametrize("name", SODA)
def test_a_check_of_soda_means_the_same_here(name: str, server: Server, tmp_path: Path) -> None:
    """Rows with which it passes there pass here, rows with which it fails fail."""
    line, good, bad = SODA[name]
    maker = imported("soda", soda_file(tmp_path, line))
    assert {r.status for r in asked(server, maker, "soda", good)} <= {Status.PASS, Status.TOLERATED}
    assert Status.FAIL in {r.status for r in asked(server, maker, "soda", bad)}


DBT: dict[str, tuple[Any, str, str]] = {
    "not null": ("not_null", "(1, 1, 1, '')", "(1, NULL, 1, '')"),
    "not null where": (
        {"not_null": {"config": {"where": "s = 'x'"}}},
        "(1, NULL, 1, '')",
        "(1, NULL, 1, 'x')",
    ),
    "unique": ("unique", "(1, 1, 1, ''), (2, NULL, 1, ''), (3, NULL, 1, '')", "(1, 1, 1, ''), (2, 1, 1, '')"),
    "accepted": (
        {"accepted_values": {"values": [1, "2"]}},
        "(1, 1, 1, ''), (2, 2, 1, ''), (3, NULL, 1, '')",
        "(1, 3, 1, '')",
    ),
    "error_if": (
        {"not_null": {"error_if": ">1", "warn_if": ">1"}},
        "(1, NULL, 1, '')",
        "(1, NULL, 1, ''), (2, NULL, 1, '')",
    ),
    "counts values": (
        {"accepted_values": {"values": [1], "config": {"error_if": ">1", "warn_if": ">1"}}},
        "(1, 2, 1, ''), (2, 2, 1, '')",
        "(1, 2, 1, ''), (2, 3, 1, '')",
    ),
    "relationships": (
        {"relationships": {"to": "ref('u')", "field": "id"}},
        "(1, 1, 1, ''), (2, NULL, 1, ''); INSERT INTO u VALUES (1), (1)",
        "(1, 1, 1, '')",
    ),
    "range": (
        {"dbt_utils.accepted_range": {"min_value": 0, "max_value": "10 * 2", "inclusive": False}},
        "(1, 19, 1, '')",
        "(1, 20, 1, '')",
    ),
    "expression": (
        {"dbt_utils.expression_is_true": {"expression": ">= b"}},
        "(1, 1, 1, '')",
        "(1, 0, 1, '')",
    ),
    "proportion": (
        {"dbt_utils.not_null_proportion": {"at_least": 0.5}},
        "(1, 1, 1, ''), (2, NULL, 1, '')",
        "(1, 1, 1, ''), (2, NULL, 1, ''), (3, NULL, 1, '')",
    ),
    "constant": ("dbt_utils.not_constant", "(1, 1, 1, ''), (2, 2, 1, '')", "(1, 1, 1, ''), (2, 1, 1, '')"),
    "expectations": (
        {"dbt_expectations.expect_column_values_to_be_between": {"min_value": 0, "strictly": True}},
        "(1, 1, 1, '')",
        "(1, 0, 1, '')",
    ),
    "relationships where": (
        {
            "dbt_utils.relationships_where": {
                "to": "ref('u')",
                "field": "id",
                "from_condition": "s = 'x'",
                "to_condition": "k = 'y'",
            }
        },
        "(1, 1, 1, 'x'), (2, 2, 1, ''); INSERT INTO u VALUES (1, 'y')",
        "(1, 1, 1, 'x'); INSERT INTO u VALUES (1, 'n')",
    ),
}


@pytest.mark.parametrize("name", DBT)
def test_a_test_of_dbt_means_the_same_here(name: str, server: Server, tmp_path: Path) -> None:
    """Rows with which it passes there pass here, rows with which it fails fail."""
    test, good, bad = DBT[name]
    maker = imported("dbt", dbt_file(tmp_path, test))
    assert {r.status for r in asked(server, maker, "dbt", good)} <= {Status.PASS, Status.TOLERATED}
    assert Status.FAIL in {r.status for r in asked(server, maker, "dbt", bad)}


# --- exactness --------------------------------------------------------------------------------------------


def test_mostly_is_exact(tmp_path: Path) -> None:
    """1 - mostly is computed of the text of the file: 0.999 leaves one in a thousand, not what a float
    makes of it.
    """
    path = tmp_path / "t.json"
    path.write_text(
        '{"name": "t", "expectations": [{"type": "expect_column_values_to_not_be_null", "kwargs": '
        '{"column": "a", "mostly": 0.999}}]}'
    )
    (check,) = suite_of(imported("great-expectations", path), "great-expectations").checks
    assert check.tolerance is not None
    assert Fraction(check.tolerance.numerator or 0, check.tolerance.denominator or 1) == Fraction(1, 1000)
    path.write_text(path.read_text().replace("0.999", "0.1000000000000000055511151231257827"))
    (check,) = suite_of(imported("great-expectations", path), "great-expectations").checks
    assert check.tolerance is not None
    assert Fraction(check.tolerance.numerator or 0, check.tolerance.denominator or 1) == 1 - Fraction(
        "0.1000000000000000055511151231257827"
    )


def test_severities_are_kept(tmp_path: Path) -> None:
    """critical and error block, warning and warn warn, info informs; of two thresholds two checks are
    made.
    """
    null = "expect_column_values_to_not_be_null"
    maker = imported(
        "great-expectations",
        gx_file(tmp_path, *(gx(null, column="a", _severity=s) for s in ("critical", "warning", "info"))),
    )
    assert [c.severity for c in suite_of(maker, "great-expectations").checks] == [
        Severity.BLOCKING,
        Severity.WARNING,
        Severity.INFO,
    ]
    soda = imported(
        "soda", soda_file(tmp_path, "- missing_count(a):\n    fail: when > 5\n    warn: when > 0")
    )
    assert [(c.severity.value, str(c.tolerance)) for c in suite_of(soda, "soda").checks] == [
        ("blocking", "5 rows"),
        ("warning", "None"),
    ]
    dbt = imported(
        "dbt",
        dbt_file(
            tmp_path,
            {"not_null": {"config": {"severity": "warn"}}},
            {"not_null": {"config": {"error_if": ">= 10"}}},
        ),
    )
    assert [(c.severity.value, str(c.tolerance)) for c in suite_of(dbt, "dbt").checks] == [
        ("warning", "None"),
        ("blocking", "9 rows"),
        ("warning", "None"),
    ]


@pytest.mark.parametrize(
    ("text", "admitted", "refused", "most"),
    [
        ("= 0", [0], [1], 0),
        ("< 5", [0, 4], [5], 4),
        ("<= 5", [5], [6], 5),
        ("> 5", [6], [5], None),
        (">= 5", [5], [4], None),
        ("!= 0", [1], [0], None),
        ("between 1 and 5", [1, 5], [0, 6], None),
        ("between 0 and 5", [0, 5], [6], 5),
        ("between (1 and 5)", [2], [1, 5], None),
        ("not between 1 and 5", [0, 6], [1], None),
        ("< 0.5", [0], [1], 0),
        ("<> 3", [2], [3], None),
        ("< 0", [-1], [0], None),
    ],
)
def test_thresholds_admit_what_they_say(
    text: str, admitted: list[int], refused: list[int], most: int | None
) -> None:
    """Which figures are within a threshold, which not, and whether it is a number of rows that may be
    wrong.
    """
    threshold, percent = read_threshold(text)
    assert not percent
    assert all(threshold.admits(n) for n in admitted)
    assert not any(threshold.admits(n) for n in refused)
    assert all(threshold.inverse.admits(n) for n in refused)
    assert threshold.most_rows == most
    if most is not None:
        assert threshold.admits(most)
        assert not threshold.admits(most + 1)
        assert threshold.inverse.inverse.most_rows == most


def test_an_inverse_of_more_than_is_at_most() -> None:
    """``when > 5`` fails: five are admitted; ``when >= 5`` fails: four are."""
    assert [read_threshold(t)[0].inverse.most_rows for t in ("> 5", ">= 5", "> 0", "!= 0", "< 5")] == [
        5,
        4,
        0,
        0,
        None,
    ]


NAN = "'NaN'::numeric"
ROW_CONDITIONS: dict[tuple[str, str], str] = {
    ("great_expectations", 'col("a") > 5'): "a > 5",
    ("great_expectations__experimental__", 'col("S x").notNull()'): '"S x" IS NOT NULL',
    ("great_expectations", "col('a') == 'it > 1'"): "a = 'it > 1'",
    ("great_expectations", 'col("d") >= date("2020-01-01")'): "d >= '2020-01-01'",
    ("great_expectations", 'col("a") != -1.50'): "a <> (-1.50)",
    ("pandas", "a < 0.1 and s == 'x'"): "(a < 0.1 AND s = 'x')",
    ("pandas", "a > 0.1"): f"(a > 0.1 AND a < {NAN})",
    ("pandas", "  5 >= a"): "a <= 5",
    ("pandas", "not a == 1"): "(a = 1) IS NOT TRUE",
    ("pandas", "~(a == 1)"): "(a = 1) IS NOT TRUE",
    ("pandas", "s in ['x', 'y']"): "s IN ('x', 'y')",
    ("pandas", "s not in ('x',)"): "(s IN ('x')) IS NOT TRUE",
    ("pandas", "(a < 1) | (s == 'x & y')"): "(a < 1 OR s = 'x & y')",
    ("pandas", "s != 'x'"): "s IS DISTINCT FROM 'x'",
    ("pandas", "`S x` == 'a | b'"): "\"S x\" = 'a | b'",
    ("pandas", "a == 0.10000000000000000555"): "a = 0.10000000000000000555",
    ("spark", "country=='IN' and id > 0"): "(country = 'IN' AND id > 0)",
    ("spark", '`S x` = "it\'s" OR NOT a <> 1.5'): "(\"S x\" = 'it''s' OR NOT (a <> 1.5))",
    ("spark", "a IS NOT NULL AND s IN ('x', 'y')"): "(NOT (a IS NULL) AND s IN ('x', 'y'))",
    ("spark", "a BETWEEN 1 AND 2"): "a BETWEEN 1 AND 2",
    ("spark", "a <=> b"): "a IS NOT DISTINCT FROM b",
    ("spark", "s LIKE 'x%'"): "s LIKE 'x%'",
}


@pytest.mark.parametrize(("parser", "text"), ROW_CONDITIONS)
def test_row_conditions_become_sql(parser: str, text: str) -> None:
    """Each notation is read as its own parser reads it, and written with quoted names and exact literals."""
    assert row_condition_sql(text, parser) == ROW_CONDITIONS[parser, text]
    assert (
        row_condition_sql({"type": "pass_through", "pass_through_filter": text}, parser)
        == ROW_CONDITIONS[parser, text]
    )


OTHER_CONDITIONS = [
    "__import__('os').system('x')",
    "a.str.len() > 2",
    "a > b",
    "a >",
    "1; DROP",
    "lambda: 1",
    "(" * 5000,
    "a > @x",
    "a == None",
    "a == 1 # why",
    "a\n> 1",
    "a < b < c",
    "~a == 1",
    "a > 1e999999999",
    "a == 1j",
    "a == float('nan')",
    "`a",
    "s == f'{a}'",
    "a > nan",
]
OTHERS_OF_SPARK = [
    "a > 1; DROP TABLE t",
    "length(s) > 1",
    "a + 1 > 2",
    "s RLIKE 'x'",
    "a IN (SELECT 1)",
    "t.a = 1",
    "a = 1 -- why",
    "CAST(a AS INT) = 1",
    "a = 1L",
    "exists(SELECT 1)",
    "",
    "a =",
    "s LIKE 'x\\\\%'",
    "(" * 500,
    "a = date_sub(now(), 1)",
    "a = TIMESTAMP '2020-01-01 00:00:00'",
]


@pytest.mark.parametrize(
    ("parser", "text"),
    [
        *(("pandas", text) for text in OTHER_CONDITIONS),
        *(("spark", text) for text in OTHERS_OF_SPARK),
        *(
            ("great_expectations", text)
            for text in ['col("a") > 5 and col("b") < 1', "a > 5", 'col("a") > col("b")', 'col("a") in (1)']
        ),
        ("horses", "a > 1"),
        (None, "a > 1"),
    ],
)
def test_other_row_conditions_have_no_counterpart(parser: str | None, text: str) -> None:
    """Nothing is evaluated: what is no comparison of a column with a value is refused, as is what the tool
    would leave out.
    """
    with pytest.raises(NoCounterpart):
        row_condition_sql(text or " ", parser)


# --- what has no counterpart ------------------------------------------------------------------------------

REASONS: dict[str, tuple[str, Any, str]] = {
    "statistical": (
        "great-expectations",
        gx("expect_column_kl_divergence_to_be_less_than", column="a"),
        "statistical",
    ),
    "order": (
        "great-expectations",
        gx("expect_column_values_to_be_increasing", column="a"),
        "no order of rows",
    ),
    "own": (
        "great-expectations",
        gx("expect_horses", column="a"),
        "not one of Great Expectations' own expectations",
    ),
    "no bounds": (
        "great-expectations",
        gx("expect_column_values_to_be_between", column="a"),
        "it can never fail",
    ),
    "mostly 0": (
        "great-expectations",
        gx("expect_column_values_to_not_be_null", column="a", mostly=0),
        "it accepts everything",
    ),
    "mostly 2": (
        "great-expectations",
        gx("expect_column_values_to_not_be_null", column="a", mostly=2),
        "not a share between 0 and 1",
    ),
    "no column": (
        "great-expectations",
        gx("expect_column_values_to_not_be_null"),
        "a column's name as column is expected",
    ),
    "no kwargs": (
        "great-expectations",
        {"type": "expect_column_to_exist", "kwargs": [1]},
        "an object with a type and kwargs is expected",
    ),
    "no object": ("great-expectations", 7, "not an expectation"),
    "python's regex": (
        "great-expectations",
        gx("expect_column_values_to_match_regex", column="s", regex=r"(?P<x>a)"),
        r"(?P differently",
    ),
    "word edges": (
        "great-expectations",
        gx("expect_column_values_to_match_regex", column="s", regex=r"\bfoo"),
        r"\b differently",
    ),
    "query that writes": (
        "great-expectations",
        gx("unexpected_rows_expectation", unexpected_rows_query="DELETE FROM t"),
        "only SELECT",
    ),
    "two statements": (
        "great-expectations",
        gx("unexpected_rows_expectation", unexpected_rows_query="SELECT 1 FROM t; DROP TABLE t"),
        "only one statement is allowed",
    ),
    "variable": ("soda", "- row_count > ${x}", "variable or template"),
    "history": ("soda", "- change avg last 7 for row_count < 5", "earlier scans"),
    "anomaly": ("soda", "- anomaly score for row_count < default", "statistical"),
    "unknown metric": ("soda", "- horses(a) = 0", "metric horses is not known"),
    "no threshold": ("soda", "- missing_count(a)", "no threshold"),
    "nothing valid": ("soda", "- invalid_count(a) = 0", "it can never fail"),
    "unknown setting": ("soda", "- missing_count(a) = 0:\n    horses: 1", "setting horses cannot be parsed"),
    "undeclared filter": ("soda", "", ""),
    "not a check": ("soda", "- [1, 2]", "it is not a check"),
    "beside": ("soda", "- missing_count(a) = 0:\n  name: x", "indent them"),
    "format": ("soda", "- invalid_count(s) = 0:\n    valid format: email", "write it as a regex"),
    "project's test": ("dbt", "even", "a test of the project"),
    "package's test": ("dbt", {"dbt_utils.sequential_values": {}}, "not supported yet"),
    "disabled": ("dbt", {"not_null": {"config": {"enabled": False}}}, "disabled"),
    "jinja": ("dbt", {"not_null": {"config": {"where": "{{ var('x') }} > 1"}}}, "only known when it runs"),
    "odd threshold": (
        "dbt",
        {"not_null": {"config": {"error_if": "between 2 and 5"}}},
        "not 'more than so many'",
    ),
    "unknown argument": ("dbt", {"unique": {"horses": 1}}, "argument horses is unknown"),
    "no ref": ("dbt", {"relationships": {"to": "t", "field": "id"}}, "neither ref"),
    "fail_calc": ("dbt", {"not_null": {"config": {"fail_calc": "sum(n)"}}}, "fail_calc"),
}


@pytest.mark.parametrize("name", [n for n in REASONS if REASONS[n][1] != ""])
def test_what_has_no_counterpart_is_listed_with_the_reason(name: str, tmp_path: Path) -> None:
    """The item stays in the report, says why, and leaves no half-made check behind."""
    tool, item, reason = REASONS[name]
    files = {"great-expectations": gx_file, "soda": soda_file, "dbt": dbt_file}
    maker = imported(tool, files[tool](tmp_path, item))  # type: ignore[operator]
    (outcome,) = maker.outcomes
    assert not outcome.imported
    assert reason in outcome.reason
    assert maker.made == []
    assert list(render(maker, tool, "x", ("public",))) == ["import.md"]


def test_half_an_item_is_none(tmp_path: Path) -> None:
    """If one of several checks of an item cannot be made, none of them is: the item is not imported."""
    item = gx(
        "expect_column_quantile_values_to_be_between",
        column="a",
        quantile_ranges={"quantiles": [0.5, 0.9], "value_ranges": [[1, 2], [None, None]]},
    )
    maker = imported("great-expectations", gx_file(tmp_path, item, gx("expect_column_to_exist", column="a")))
    assert [o.imported for o in maker.outcomes] == [False, True]
    assert [m.id for m in maker.made] == ["t.a.present"]


def test_filters_that_are_not_declared_and_settings_of_columns(tmp_path: Path) -> None:
    """A named filter must exist; a column's configuration counts for each of its checks."""
    path = tmp_path / "x.yml"
    path.write_text(
        "configurations for t:\n  valid values for s: [x]\n  horses for s: 1\nchecks for t [daily]:\n  - "
        "row_count > 0\nchecks for t:\n  - invalid_count(s) = 0\n"
    )
    maker = imported("soda", path)
    said = {o.text: o.reason for o in maker.outcomes}
    assert said["row_count > 0"] == "the filter [daily] is not declared"
    assert said["horses for s"] == "the configuration is not known"
    (check,) = suite_of(maker, "soda").checks
    assert check.claim == "s IN ('x')"


# --- names and files --------------------------------------------------------------------------------------


def test_names_are_those_of_postgresql(tmp_path: Path) -> None:
    """Unquoted names of SQL are folded, quoted ones and those of Great Expectations are not; --table says
    how tables are called.
    """
    soda = imported(
        "soda",
        soda_file(tmp_path, "- missing_count(Total) = 0", '- missing_count("Total") = 0'),
        tables=("t=Other.orders",),
    )
    assert [(c.table, c.columns) for c in suite_of(soda, "soda").checks] == [
        ("Other.orders", ("total",)),
        ("Other.orders", ("Total",)),
    ]
    assert suite_of(soda, "soda").settings.schemas == ("public", "Other")
    expected = imported(
        "great-expectations",
        gx_file(tmp_path, gx("expect_column_to_exist", column="Total")),
        tables=("sales",),
    )
    assert [(c.table, c.columns) for c in suite_of(expected, "great-expectations").checks] == [
        ("sales", ("Total",))
    ]
    dbt = imported("dbt", dbt_file(tmp_path, "not_null", column="Total", config={"alias": "sales_2024"}))
    assert [(c.table, c.columns) for c in suite_of(dbt, "dbt").checks] == [("sales_2024", ("total",))]


@pytest.mark.parametrize("tool", ["great-expectations", "soda", "dbt"])
def test_hostile_names_never_become_code(tool: str, tmp_path: Path) -> None:
    """Tables, columns, values, notes and ids of every hostile name: what is imported loads, and holds
    declarations of literals only.
    """
    for number, name in enumerate(HOSTILE):
        folder = tmp_path / str(number)
        folder.mkdir()
        if tool == "great-expectations":
            kinds = [
                gx("expect_column_values_to_be_in_set", column=name, value_set=[name]),
                gx("expect_column_values_to_match_regex", column=name, regex=name),
                gx("expect_column_max_to_be_between", column=name, max_value=name),
                gx("expect_column_values_to_not_be_null", column="a", _meta={"notes": name}),
            ]
            path = gx_file(folder, *kinds)
            path.write_text(path.read_text().replace('"name": "t"', f'"name": {json.dumps(name)}'))
            tables: tuple[str, ...] = ("=".join((name, name)),) if "=" not in name else ()
        else:
            path, tables = folder / "x.yml", ()
            quoted = '"' + name.replace('"', '""') + '"'
            checks = [
                {f"invalid_count({quoted}) = 0": {"valid values": [name], "name": name}},
                {"failed rows": {"name": name, "fail condition": f"{quoted} = 1"}},
            ]
            columns = [
                {
                    "name": name,
                    "quote": True,
                    "data_tests": [
                        "not_null",
                        {"accepted_values": {"values": [name], "config": {"description": name}}},
                    ],
                }
            ]
            document = (
                {f"checks for {quoted}": checks}
                if tool == "soda"
                else {"models": [{"name": name, "columns": columns}]}
            )
            path.write_text(yaml.safe_dump(document, allow_unicode=True))
        maker = imported(tool, path, tables=tables)
        files = render(maker, tool, name, ("public", name))
        for written, text in files.items():
            assert_plain(written, text)
            assert re.fullmatch(r"[a-z0-9_/.]+", written)
        if maker.made:
            load_files(files)
        assert sum(counted(maker.outcomes)[1:]) == len(maker.outcomes) > 0


@pytest.mark.parametrize(
    ("tool", "text"),
    [
        ("great-expectations", "{"),
        ("great-expectations", "[]"),
        ("great-expectations", '{"expectations": {}}'),
        ("great-expectations", '{"a": NaN}'),
        ("great-expectations", '{"expectations": [], "expectations": []}'),
        ("great-expectations", "[" * 100_000),
        ("great-expectations", "\ud800"),
        ("soda", ":"),
        ("soda", "- 1"),
        ("soda", "checks for t:\n  - row_count > 0\nchecks for t:\n  - row_count > 1"),
        ("soda", "a: !!python/object/apply:os.system [x]"),
        ("soda", "a: &x [1]\nb: [*x, *x]\n<<: 1"),
        ("soda", "a: &a [*a]"),
        ("soda", "{" * 5000),
        ("dbt", "x: {a: 1, a: 2}"),
        ("dbt", "- 1"),
        ("dbt", "? [1, 2]\n: 3"),
        (
            "soda",
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{n}: &{n} [{','.join([f'*{m}'] * 10)}]\n" for m, n in pairwise("abcdefg")),
        ),
    ],
)
def test_files_that_are_none_are_refused(tool: str, text: str, tmp_path: Path) -> None:
    """Broken, of the wrong shape, with a key twice, with tags, in circles, or standing for billions of
    values: two lines, no traceback.
    """
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError) as caught:
        imported(tool, path)
    assert str(path) in caught.value.fact


def test_huge_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file larger than any suite that people wrote is not read."""
    monkeypatch.setattr(reading, "YAML_BYTES", 10)
    with pytest.raises(UsageError, match="is larger than"):
        imported("soda", soda_file(tmp_path, "- row_count > 0"))
    with pytest.raises(UsageError, match="cannot read"):
        imported("soda", tmp_path / "nothing.yml")


def test_yaml_is_read_as_each_tool_reads_it(tmp_path: Path) -> None:
    """Numbers keep their digits, dates stay texts; ``no`` is a word in SodaCL (YAML 1.2) and a truth value
    in dbt (YAML 1.1).
    """
    path = tmp_path / "x.yml"
    path.write_text("a: 0.1\nb: 2024-01-01\nc: no\nd: 1_000.50\ne: true\nf: .inf\n")
    assert reading.read_yaml(path, version_1_2=True) == {
        "a": Decimal("0.1"),
        "b": "2024-01-01",
        "c": "no",
        "d": Decimal("1000.50"),
        "e": True,
        "f": ".inf",
    }
    assert reading.read_yaml(path)["c"] is False


def test_an_author_s_condition_cannot_reach_beyond_itself() -> None:
    """SQL out of other suites is looked at piece by piece before it is put between other pieces."""
    assert expressions.author_condition("a > 1") == "(a > 1)"
    assert expressions.author_condition("a > 1 -- why") == "(a > 1 -- why\n)"
    for text in (
        "a > 1) OR (b > 1",
        "1 = 1",
        "a > 1; DROP TABLE t",
        "a IN (SELECT 1)",
        "a > {{ x }}",
        "a > ${x}",
        "",
        "\x00a = 1",
        "a = $$x$$",
    ):
        with pytest.raises(NoCounterpart):
            expressions.author_condition(text)


def test_errors_are_the_program_s_own(tmp_path: Path) -> None:
    """Whatever a suite holds in the place of anything, an import ends with outcomes or with a UsageError."""
    values: list[Any] = [
        None,
        True,
        7,
        "x",
        [],
        {},
        [None],
        {"a": None},
        [[]],
        "\x00",
        -1,
        {"conditions": [1], "type": "and"},
    ]
    keys = (
        "column",
        "value_set",
        "min_value",
        "mostly",
        "row_condition",
        "column_list",
        "quantile_ranges",
        "regex",
        "regex_list",
        "type_",
        "sum_total",
        "value",
    )
    for kind in great_expectations.TRANSLATED:
        items = [
            gx(kind, **{"column": "a", "column_A": "a", "column_B": "b", key: value})
            for key in keys
            for value in values
        ]
        maker = imported("great-expectations", gx_file(tmp_path, *items))
        assert len(maker.outcomes) == len(items)
    tests = [
        {name: value}
        for name in (
            "not_null",
            "accepted_values",
            "relationships",
            "dbt_utils.accepted_range",
            "dbt_expectations.expect_column_to_exist",
        )
        for value in values
    ]
    tests += [
        {"not_null": {"config": {key: value}}}
        for key in ("severity", "where", "error_if", "warn_if", "limit", "enabled")
        for value in values
    ]
    maker = imported("dbt", dbt_file(tmp_path, *tests, *values))
    assert len(maker.outcomes) == len(tests) + len(values)
    for value in values:
        for where in (
            "checks for t",
            "for each dataset D",
            "configurations for t",
            "filter t [x]",
            "checks",
            "horses",
        ):
            path = tmp_path / "x.yml"
            path.write_text(
                yaml.safe_dump(
                    {
                        where: value,
                        "checks for u": [
                            {"row_count > 0": value},
                            {"schema": value},
                            {"failed rows": value},
                            {"missing_count(a)": value},
                        ],
                    }
                )
            )
            with suppress(UsageError):
                imported("soda", path)


# --- the command ------------------------------------------------------------------------------------------


def test_the_command_translates_and_accounts_for_every_item(shop: Shop) -> None:
    """Each item in one line, the counts, the files; exit 0 only if nothing was left out; no database is
    needed.
    """
    done = shop.cli(
        "import", "--from", "great-expectations", str(FOLDER / "gx_0.json"), "-o", "new", dsn=False
    )
    assert done.returncode == 3, done.stderr
    assert "11 items: 6 imported as 6 checks, 5 not imported" in done.stdout
    assert "no counterpart: it is statistical" in done.stdout
    assert len(re.findall(r"^(ok|none) ", done.stdout, re.M)) == 11
    assert shop.cli("list", "--suite", "new", dsn=False).returncode == 0
    path = gx_file(shop.folder, gx("expect_column_values_to_not_be_null", column="id"))
    whole = shop.cli(
        "import", "--from", "great-expectations", str(path), "-o", "whole", "--table", "orders", dsn=False
    )
    assert whole.returncode == 0, whole.stderr
    assert shop.cli("run", "--suite", "whole").returncode == 0


def test_the_command_overwrites_nothing(shop: Shop) -> None:
    """A folder that holds files is refused; forced, whatever would be overwritten or does not load beside
    the rest is refused too.
    """
    path = gx_file(shop.folder, gx("expect_column_values_to_not_be_null", column="id"))
    words = ("import", "--from", "great-expectations", str(path), "-o", "checks")
    assert "is not empty" in shop.cli(*words, dsn=False).stderr
    assert shop.cli(*words, "--force", dsn=False).returncode == 0
    again = shop.cli(*words, "--force", dsn=False)
    assert (again.returncode, "nothing was written: checks already contains" in again.stderr) == (2, True)
    assert (
        "nothing of"
        in shop.cli("import", "--from", "dbt", str(_empty(shop.folder)), "-o", "none", dsn=False).stderr
    )


def _empty(folder: Path) -> Path:
    path = folder / "empty.yml"
    path.write_text("models: []\n")
    return path


PARTS = ("a", "a OR b", "(a) OR (b)", "(a OR b)", "NOT (a OR b)", "((a) or b)", "(a AND b) oR\n(c)", "c = ' OR '",
         "(a) OR (b) -- why", "c -- (", "(a -- )\n)", '"OR" OR b', "(c = ')') OR (a)", "CASE WHEN a OR b THEN c ELSE a END")  # fmt: skip


@pytest.mark.parametrize("one", PARTS)
def test_conditions_that_must_all_hold_are_joined_as_such(one: str) -> None:
    """Whatever a condition is made of, all of it stands on its side of AND."""

    def tree(text: str) -> str:
        return plain_expression(text, "").sql(dialect="postgres", normalize=True)

    for other in PARTS:
        joined = sqlglot.parse_one(tree(expressions.both(one, other)), dialect="postgres").unnest()
        assert isinstance(joined, sqlglot.exp.And), joined
        sides = [side.unnest().sql(dialect="postgres") for side in (joined.left, joined.right)]
        assert sides == [
            sqlglot.parse_one(tree(part), dialect="postgres").unnest().sql(dialect="postgres")
            for part in (one, other)
        ]
