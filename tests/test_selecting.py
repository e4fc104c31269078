"""Which checks somebody means: expressions, names as the output prints them, the nearest name of a slip."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from night_cases import night, record_night
from shop import Shop

from kisaan_validate import declare
from kisaan_validate.cli.recorded import recorded_runs
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.suite.load import Suite, SuiteSettings, suite_of
from kisaan_validate.text.keyword import KeywordError, keyword_test

WORDS = ("orders", "total", "note", "unique")
NAMES = ("orders.total.unique", "orders.note", "other.total", "Orders.Note.unique", "x")
EXPRESSIONS = st.recursive(
    st.sampled_from(WORDS),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.sampled_from(NAMES))
def test_an_expression_means_what_python_means_by_it(expression: str, name: str) -> None:
    """Precedence of or, and, not and parentheses is Python's; a word is a substring whatever its case."""
    python = eval(expression, {}, {word: word in name.lower() for word in WORDS})
    assert keyword_test(expression)(name) is bool(python)


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "ends at column 1"),
        ("a and", "ends at column 6"),
        ("and a", "at column 1 'and' stands"),
        ("a b", "at column 3 'b' stands"),
        ("(a", "ends at column 3, where a closing parenthesis"),
        ("a)", "at column 2 ')' stands"),
        ("not", "ends at column 4"),
        ("a or 'b", "quote at column 6"),
        ("(" * 900 + "a", "more than 50"),
        ("not " * 900 + "a", "more than 50"),
    ],
)
def test_a_bad_expression_says_where(expression: str, said: str) -> None:
    """It never means something by chance, nor ends in a traceback."""
    with pytest.raises(KeywordError) as caught:
        keyword_test(expression)
    assert said in str(caught.value)


def test_quotes_hold_what_would_part_words() -> None:
    """An id may hold blanks, parentheses and the words of operators."""
    assert keyword_test("'order (old)' and not \"and\"")("order (old).n")
    assert not keyword_test("'and'")("order")


@pytest.fixture(scope="module")
def suite() -> Suite:
    """Tables with and without a schema, an alias, and a name that looks like a pattern."""
    settings = SuiteSettings(name="s", schemas=("public", "app"), aliases={"money": ("payments",)})
    return suite_of(
        declare.unique("orders", "total"),
        declare.unique("public.users", "name"),
        declare.unique("app.shops", "name"),
        declare.unique("money", "amount"),
        declare.unique("odd[1]", "x"),
        settings=settings,
    )


@pytest.mark.parametrize(
    ("pattern", "tables"),
    [
        ("orders", {"orders"}),
        ("public.orders*", {"orders"}),
        ("public.orders.total.*", {"orders"}),
        ("users", {"public.users"}),
        ("users.name*", {"public.users"}),
        ("public.users", {"public.users"}),
        ("app.shops.name*", {"app.shops"}),
        ("payments.amount*", {"money"}),
        ("odd[1]", {"odd[1]"}),
    ],
)
def test_names_are_taken_as_the_output_prints_them(suite: Suite, pattern: str, tables: set[str]) -> None:
    """With and without schema, under an alias, and a name with a bracket means itself."""
    assert {check.table for check in suite.narrowed([pattern]).checks} == tables
    left = suite.narrowed(exclude=[pattern])
    assert {check.table for check in left.checks} == {c.table for c in suite.checks} - tables


@pytest.mark.parametrize(
    ("slip", "near"),
    [("ordres", "'orders'"), ("app.shpos*", "'app.shops*'"), ("orders.totl*", "'orders.total*'")],
)
def test_a_slip_gets_the_nearest_name(suite: Suite, slip: str, near: str) -> None:
    """Of a pattern the nearest start of a name."""
    with pytest.raises(SuiteError) as caught:
        suite.narrowed([slip])
    assert caught.value.hint == f"did you mean {near}?"


def test_a_suite_knows_which_part_it_is(suite: Suite) -> None:
    """Selections add up, and are partial exactly if a check is missing."""
    part = suite.narrowed(["orders", "users"]).narrowed(exclude=["users"], keyword="total")
    assert [c.table for c in part.checks] == ["orders"]
    assert part.selection.select == ("orders", "users")
    assert part.selection.words == "selected: orders, users; left out: users; by keyword: total"
    assert part.selection.partial
    assert not suite.narrowed(["*"]).selection.partial
    for keyword, kind in (("nowhere", SuiteError), ("a and", UsageError)):
        with pytest.raises(kind):
            suite.narrowed(keyword=keyword)


def _results(shop: Shop) -> dict[str, dict[str, str]]:
    newest = shop.newest_run / "run.json"
    return {r["check_id"]: r for r in json.loads(newest.read_text())["results"]}


def test_run_takes_ids_and_keywords_and_is_partial(shop: Shop) -> None:
    """The checks that are named are run, no others; the run says so in words and in its record."""
    named = shop.cli("run", "orders.total.*")
    assert named.returncode == 0, named.stderr
    assert "PARTIAL" in named.stdout
    assert {id.split(".")[1] for id in _results(shop)} == {"total"}
    keyed = shop.cli("run", "-k", "orders and not (total or id or present)")
    assert keyed.returncode == 0, keyed.stderr
    assert "PARTIAL" in keyed.stdout
    assert {id.split(".")[1] for id in _results(shop)} == {"note"}
    for words, said in (
        (["ordres"], "did you mean 'orders'?"),
        (["-k", "a and"], "cannot be understood: it ends at column 6"),
        (["-k", "zzz"], "matches none of"),
    ):
        shown = shop.cli("run", *words)
        assert shown.returncode == 2
        assert said in shown.stderr


def test_last_failed_asks_again_what_failed_and_is_never_empty(shop: Shop) -> None:
    """Without a run, and without a failure in the newest one, it is an error and nothing is run."""
    none = shop.cli("run", "--last-failed")
    assert none.returncode == 2
    assert "holds no run of suite" in none.stderr
    assert shop.cli("run").returncode == 0
    clean = shop.cli("run", "--last-failed")
    assert clean.returncode == 2
    assert "no check failed" in clean.stderr
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    assert shop.cli("run").returncode == 1
    before = {id for id, r in _results(shop).items() if r["status"] == "fail"}
    again = shop.cli("run", "--last-failed")
    assert again.returncode == 1
    assert "PARTIAL" in again.stdout
    assert set(_results(shop)) == before
    shop.sql("UPDATE orders SET total = 1 WHERE id = 2")
    fixed = shop.cli("run", "--last-failed")
    assert fixed.returncode == 0
    assert "PARTIAL" in fixed.stdout
    other = shop.server.create()
    shop.server.sql("CREATE TABLE orders (id int)", other)
    elsewhere = shop.cli("run", "--last-failed", KISAAN_DSN=shop.server.dsn(other))
    assert elsewhere.returncode == 2
    assert "holds no run" in elsewhere.stderr, "a run on another database says nothing of this one"
    shop.server.drop(other)


FIRST_FAILS = """
from kisaan_validate import declare
declare.holds("orders", "total >= 0", id="positive")
declare.holds("other", "x > 0", tolerance="50%")
declare.unique("other", "x")
declare.unique("orders", "total")
"""


def test_fail_fast_begins_no_statement_after_a_failure(shop: Shop) -> None:
    """With one session: what came before has its answer, what comes after is named and has none; never
    PASS, and exit 1. Without the option everything is answered.
    """
    (shop.folder / "checks" / "orders.py").write_text(FIRST_FAILS)
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2; INSERT INTO other VALUES (1), (2)")
    assert shop.cli("run", "--jobs", "1").returncode == 1
    assert not [r for r in _results(shop).values() if r["status"] == "error"]
    shown = shop.cli("run", "-x", "--jobs", "1")
    assert shown.returncode == 1
    results = _results(shop)
    unasked = [id for id, r in results.items() if r["status"] == "error"]
    assert results["positive"]["status"] == "fail"
    assert results["positive"]["sample"], "the keys of what failed are shown all the same"
    assert unasked
    assert all("not run: stopped at the first failing" in results[id]["message"] for id in unasked)
    assert "stopped at the first failing blocking check, positive (--fail-fast)" in shown.stdout
    assert all(id in shown.stdout for id in unasked)


def test_fail_fast_does_not_stop_for_what_fails_nothing(shop: Shop) -> None:
    """Neither a warning, nor a check with a waiver, nor with --fail-on new what failed before."""
    shop.sql("UPDATE orders SET note = 'a', total = -1")
    (shop.folder / "waivers.toml").write_text(
        'format = 1\n[[waiver]]\ncheck = "orders.total.greater_than_or_equal_to"\nreason = "known"\nowner = "me"\n'
        "expires = 2999-01-01\nwhole_check = true\n"
    )
    waived = shop.cli("run", "-x", "--waivers", "waivers.toml", "--jobs", "1")
    assert waived.returncode == 0, waived.stdout
    assert "stopped" not in waived.stdout
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    known = shop.cli("run", "-x", "--jobs", "1", "--baseline", "pre.json", "--fail-on", "new")
    assert known.returncode == 0, known.stdout
    assert "stopped" not in known.stdout


@pytest.mark.parametrize("python", [False, True])
def test_fail_fast_stops_comparing_too(shop: Shop, python: bool) -> None:
    """Beside a baseline with digests: what was not compared is unknown, never the same; the page says why.
    Checks in Python are not begun.
    """
    if python:
        (shop.folder / "checks" / "more.py").write_text(
            "import pandera.pandas as pa\n\nclass Other(pa.DataFrameModel):\n"
            "    x: int = pa.Field(nullable=True)\n\n"
            "    @pa.check('x')\n    def small(cls, s):\n        return s < 9\n\n"
            "    class Config:\n        name = 'other'\n"
        )
    shop.sql("ALTER TABLE other ALTER x TYPE bigint")
    assert shop.cli("baseline", "-o", "pre.json", "--digests").returncode == 0
    shop.sql("UPDATE orders SET total = -1 WHERE id = 2")
    shown = shop.cli("run", "-x", "--jobs", "1", "--baseline", "pre.json")
    assert shown.returncode == 1, shown.stdout + shown.stderr
    assert "cannot tell" in shown.stdout
    page = next((shop.folder / "reports").glob("2*/report.html")).read_text()
    assert "Not all was run:" in page
    assert "--fail-fast" in page
    results = _results(shop)
    assert not python or results["other.x.small"]["status"] == "error"
    assert shop.cli("report", str(shop.run_folder)).returncode == 0, "the record can be read and judged again"
    index = (shop.folder / "reports" / "index.html").read_text()
    assert "partial" in index
    assert shop.cli("run", "--last-failed").returncode == 1


def test_an_empty_or_missing_folder_is_told_init(shop: Shop) -> None:
    """The command that fills it stands in the hint; exit 2."""
    (shop.folder / "empty").mkdir()
    for folder in ("empty", "nowhere"):
        shown = shop.cli("run", "--suite", folder)
        assert shown.returncode == 2
        assert "kisaan-validate init" in shown.stderr


def test_of_runs_of_one_second_the_later_one_is_the_newest(tmp_path: Path) -> None:
    """Law: whatever their names end with, runs are listed by when they began, to the microsecond."""
    one = night(3)
    for order in permutations("0af"):
        reports = tmp_path / "".join(order)
        for n, letter in enumerate(order):
            id = f"{one.id.partition('-')[0]}-{letter * 6}"
            run = replace(one, id=id, started_at=one.started_at + timedelta(microseconds=n))
            record_night(reports, run)
        listed = [run.started_at.microsecond for run in recorded_runs(reports, run.suite.name)]
        assert listed == [2, 1, 0]
