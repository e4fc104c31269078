"""Profiles of columns: against an oracle that is not SQL, on real servers; what they cost, and what they must
not say.
"""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from conftest import Server
from helpers import examples, insert, prove, settings
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.errors import RecordError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.distribution import Distribution, Frequent, Histogram
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.facts.run import Run
from kisaan_validate.facts.table import ColumnFacts
from kisaan_validate.plan import profiles
from kisaan_validate.plan.histogram import MOST_BUCKETS, edges_of
from kisaan_validate.plan.profiles import ProfileStatement
from kisaan_validate.postgres.session import Limits
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.request import Progress
from kisaan_validate.prove.run import run as prove_run
from kisaan_validate.record.codec import baseline_to_json, run_from_json, run_to_json
from kisaan_validate.report.profile_gaps import profile_gaps
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import judge

LAW = hypothesis_settings(
    max_examples=examples(25),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

THINGS = """
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE things (
    id integer, number numeric, whole bigint, rate float8, note text COLLATE "en_US", flag boolean, mood mood,
    day date, at timestamp, raw bytea, doc json, size numeric(6,2), small float4
);
"""
COLUMNS = (
    "id",
    "number",
    "whole",
    "rate",
    "note",
    "flag",
    "mood",
    "day",
    "at",
    "raw",
    "doc",
    "size",
    "small",
)


@pytest.fixture(scope="module", params=["server", "server15"])
def things(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A database with a table of many types, on the embedded PostgreSQL 18 and on the system's 15."""
    server: Server = request.getfixturevalue(request.param)
    name = server.create(THINGS.replace(' COLLATE "en_US"', ""))
    yield server, name
    server.drop(name)


def suite(table: str = "things", **more: Any) -> Suite:
    """One check that holds, of one table."""
    return suite_of(declare.row_count(table, high=10**9), settings=settings(**more))


def columns_of(run: Run, table: str) -> dict[str, ColumnFacts]:
    """The columns of a table by name."""
    (facts,) = (t for t in run.tables if t.name == table)
    return {column.name: column for column in facts.columns}


def told_of(run: Run, table: str) -> dict[str, Distribution]:
    """What was measured of each column of a table that was profiled."""
    return {name: c.distribution for name, c in columns_of(run, table).items() if c.distribution is not None}


# --- the oracle -------------------------------------------------------------------------------------------

NUMBERS = (
    "0",
    "1",
    "1.0",
    "1.00",
    "1.5",
    "-3",
    "0.1",
    "NaN",
    "Infinity",
    "-Infinity",
    "1e30",
    "123456789.25",
)
FLOATS = ("0", "-0", "1.5", "-2.25", "1e+300", "NaN", "Infinity", "-Infinity", "0.1")
NOTES = ("", "a", "B", "b", " ", "é", "NULL", "x" * 250 + "1", "x" * 250 + "2", "'; --", "Z")
LABELS = ("sad", "ok", "happy")


def often(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value or NULL."""
    return st.none() | values


ROWS = st.lists(
    st.tuples(
        st.integers(1, 40),
        often(st.sampled_from(NUMBERS)),
        often(st.sampled_from([0, 1, 7, -(2**63), 2**63 - 1]) | st.integers(-50, 50)),
        often(st.sampled_from(FLOATS)),
        often(st.sampled_from(NOTES)),
        often(st.booleans()),
        often(st.sampled_from(LABELS)),
        often(
            st.dates(date(1999, 1, 1), date(2030, 1, 1)) | st.sampled_from([date(1, 1, 1), date(9999, 1, 1)])
        ),
        often(
            st.datetimes(datetime(2024, 1, 1), datetime(2024, 1, 3)).map(lambda at: at.replace(microsecond=0))
        ),
        often(st.binary(max_size=2)),
        often(st.just("{}")),
        often(st.integers(-500, 500).map(lambda n: Decimal(n) / 100)),
        often(st.sampled_from(["0.1", "-0", "0", "2.5", "NaN", "Infinity"])),
    ),
    max_size=14,
)


def number(text: str | Decimal | int) -> tuple[int, Fraction]:
    """PostgreSQL's order of numbers: NaN equals itself and is the greatest."""
    value = Decimal(text)
    if value.is_nan():
        return (2, Fraction(0))
    if value.is_infinite():
        return (1 if value > 0 else -1, Fraction(0))
    return (0, Fraction(value))


def plain(text: str) -> str:
    """A numeric as trim_scale prints it."""
    value = Decimal(text)
    if not value.is_finite():
        return text
    digits = f"{value:f}"
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) or "0"


def floated(text: str) -> tuple[int, Fraction]:
    """The same order of doubles."""
    value = float(text)
    return number(text) if not math.isfinite(value) else (0, Fraction(value))


KEYS: dict[str, Any] = {
    # column: (what decides equality and order, how the server prints it)
    "id": (int, str),
    "number": (number, plain),
    "whole": (int, str),
    "rate": (floated, lambda text: "0" if text == "-0" else text),
    "note": (str, str),
    "flag": (bool, lambda value: str(value).lower()),
    "mood": (str, str),
    "day": (lambda day: day, lambda day: day.isoformat()),
    "at": (lambda at: at, lambda at: at.isoformat(sep=" ")),
    "raw": (bytes, lambda raw: f"\\x{raw.hex()}"),
    "size": (number, lambda value: f"{value:.2f}"),
    "small": (floated, lambda text: "0" if text == "-0" else text),
}
SCALED = frozenset({"id", "number", "whole", "rate", "day", "at", "size", "small"})
QUANTILES = SCALED | {"note"}


def expected(column: str, values: list[Any]) -> Distribution:
    """What a plain loop finds, without a histogram, whose edges are a choice."""
    key, printed = KEYS[column]
    there = [value for value in values if value is not None]
    texts = {key(value): printed(value) for value in there}
    counts = Counter(key(value) for value in there)
    most = sorted(counts, key=lambda k: (-counts[k], texts[k]))[:5]
    ordered = sorted(map(key, there))
    places = {"0.25": Fraction(1, 4), "0.5": Fraction(1, 2), "0.75": Fraction(3, 4)}
    quantiles = tuple(
        profiles.QuantileValue(share, texts[ordered[max(math.ceil(part * len(ordered)), 1) - 1]][:200])
        for share, part in places.items()
        if ordered and column in QUANTILES
    )
    frequent = tuple(Frequent(texts[k][:200], counts[k], len(texts[k])) for k in most)
    return Distribution(len(values) - len(there), len(counts), quantiles, frequent)


def on_axis(column: str, value: Any) -> Any:
    """A value, or an edge, as something that compares; None for what lies on no axis."""
    if column in {"day", "at"}:
        return datetime.fromisoformat(value) if isinstance(value, str) else _midnight(value)
    place, fraction = (floated if column in {"rate", "small"} else number)(value)
    return fraction if place == 0 else None


def _midnight(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def recounted(column: str, drawn: Histogram, values: list[Any]) -> Histogram:
    """The same histogram, counted by a loop."""
    edges = [on_axis(column, edge) for edge in drawn.edges]
    places = [on_axis(column, value) for value in values if value is not None]
    known = [place for place in places if place is not None]
    rows = tuple(sum(low <= place < high for place in known) for low, high in pairwise(edges))
    below, above = sum(p < edges[0] for p in known), sum(p >= edges[-1] for p in known)
    return Histogram(drawn.edges, rows, below, above, len(places) - len(known))


@pytest.mark.slow
@LAW
@given(ROWS)
def test_a_profile_is_what_python_counts(things: tuple[Server, str], rows: list[tuple[Any, ...]]) -> None:
    """NULLs, distinct values, quantiles, frequent values and buckets, of every type; json is named instead."""
    server, database = things
    server.sql("TRUNCATE things", database)
    insert(server, database, "things", rows)
    run = prove(server, database, suite(), profile=True)
    found = told_of(run, "things")
    assert set(found) == set(COLUMNS)
    assert found.pop("doc") == Distribution(
        sum(row[10] is None for row in rows), message="type json has no equality to count by"
    )
    for column, told in found.items():
        values = [row[COLUMNS.index(column)] for row in rows]
        assert replace(told, histogram=None, unmeasured={}) == expected(column, values), column
        finite = column in SCALED and any(v is not None and on_axis(column, v) is not None for v in values)
        # Only a calendar, or a float, may have no round edges, and then says so.
        assert (told.histogram is not None) is (finite and not told.unmeasured), column
        assert not told.unmeasured or (set(told.unmeasured) == {"histogram"} and column == "day")
        if told.histogram is not None:
            assert told.histogram == recounted(column, told.histogram, values), column
            assert (told.histogram.below, told.histogram.above) == (0, 0), column
    assert run_from_json(run_to_json(run)) == run


@given(st.decimals(allow_nan=False, allow_infinity=False), st.decimals(allow_nan=False, allow_infinity=False))
def test_edges_hold_the_ends_between_them(one: Decimal, other: Decimal) -> None:
    """Ascending, at most MOST_BUCKETS buckets, none of whole numbers narrower than 1, for any two numbers."""
    assume(all(abs(d.adjusted()) < 60 and len(d.as_tuple().digits) < 60 for d in (one, other)))
    low, high = sorted((one, other))
    for axis, whole in (("numeric", False), ("numeric", True), ("float8", False)):
        ends = (low, high) if not whole else (low.to_integral_value(), high.to_integral_value())
        edges = [Fraction(edge) for edge in edges_of(f"{ends[0]}", f"{ends[1]}", axis, whole=whole)]
        assert edges[0] <= Fraction(ends[0])
        assert Fraction(ends[1]) < edges[-1]
        assert 1 <= len(edges) - 1 <= MOST_BUCKETS
        assert len({high - low for low, high in pairwise(edges)}) == 1
        assert not whole or all(edge.denominator == 1 for edge in edges)


@given(st.datetimes(datetime(1, 1, 1), datetime(9000, 1, 1)), st.timedeltas(timedelta(0), timedelta(400_000)))
def test_edges_of_times_hold_them_too(low: datetime, span: timedelta) -> None:
    """The same of days and of times, which begin at whole days, months or years where they are long."""
    high = min(low + span, datetime(9000, 1, 1))
    for axis, cut in (("date", slice(10)), ("timestamp", slice(None))):
        texts = edges_of(low.isoformat(sep=" ")[cut], high.isoformat(sep=" ")[cut], axis)
        edges = [datetime.fromisoformat(text) for text in texts]
        assert edges == sorted(set(edges))
        assert edges[0] <= low
        assert high < edges[-1]
        assert 1 <= len(edges) - 1 <= MOST_BUCKETS


def test_no_edges_for_what_has_none() -> None:
    """Infinite ends, times before Christ, and floats beyond their range are not drawn."""
    for low, high, axis in (
        ("1", "Infinity", "numeric"),
        ("NaN", "NaN", "float8"),
        ("-1.7e+308", "1.7e+308", "float8"),
        ("0", "1e-45", "float4"),
        ("0044-03-15 BC", "2024-01-01", "date"),
    ):
        assert edges_of(low, high, axis) == ()


# --- how few statements -----------------------------------------------------------------------------------


def purposes(run: Run) -> list[str]:
    """What the statements of a run were for."""
    return [statement.purpose for statement in run.statements]


@pytest.mark.parametrize("which", ["server", "server15"])
def test_a_table_is_scanned_as_rarely_as_can_be(which: str, request: pytest.FixtureRequest) -> None:
    """A small table is scanned once for all columns; of a large one only columns of many values have a scan of
    their own; NaN costs one more.
    """
    server: Server = request.getfixturevalue(which)
    database = server.create(
        "CREATE TABLE small AS SELECT g AS a, g::text AS b, g % 3 AS c, g::float8 AS d FROM generate_series(1, 100) g;"
        "CREATE TABLE large AS SELECT g AS id, g % 7 AS kind, 'x' || g % 9 AS name, g * 2 AS twice "
        "FROM generate_series(1, 12000) g; ANALYZE large"
    )
    run = prove(server, database, suite("small"), profile=True)
    assert sorted(purposes(run)) == [
        "profile of large: id",
        "profile of large: kind, name",
        "profile of large: twice",
        "profile of small: a, b, c, d",
        "rows of large",
        "rows of small",
    ]
    assert all(s.sql.count("public.small") <= 1 for s in run.statements)
    server.sql("INSERT INTO small (d) VALUES ('NaN')", database)
    again = prove(server, database, suite("small"), profile=True, select=["small"])
    assert purposes(again) == [
        "rows of small",
        "profile of small: finite ends",
        "profile of small: a, b, c, d",
    ]
    server.drop(database)


def test_a_run_without_it_asks_and_records_nothing_of_it(things: tuple[Server, str]) -> None:
    """No statement, no word in the record: its bytes are those of before."""
    server, database = things
    run = prove(server, database, suite(), count_all=True)
    assert purposes(run) == ["rows of things"]
    assert "distribution" not in run_to_json(run)
    assert "profile" not in run.settings


def test_more_values_than_are_sorted_have_no_quantiles(
    things: tuple[Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the stated number all but the quantiles is still exact, and why these are missing is said."""
    server, database = things
    server.sql("TRUNCATE things; INSERT INTO things (id) SELECT generate_series(1, 20)", database)
    monkeypatch.setattr(profiles, "MOST_ORDERED", 19)
    run = prove(server, database, suite(), profile=True)
    told = told_of(run, "things")["id"]
    assert (told.distinct, told.quantiles) == (20, ())
    assert told.unmeasured == {"quantiles": "20 distinct values, and at most 19 are put in order"}
    assert told.histogram is not None
    assert sum(told.histogram.rows) == 20
    assert profile_gaps(run.tables)[0] == (
        "1 column without quantiles: 20 distinct values, and at most 19 are put in order (things.id)"
    )


# --- before and after -------------------------------------------------------------------------------------


def test_beside_a_baseline_the_edges_are_its_own(things: tuple[Server, str]) -> None:
    """So that buckets compare; what is beyond them is counted beside them, whatever happened to the type."""
    server, database = things
    server.sql(
        "TRUNCATE things; INSERT INTO things (id, size) SELECT g, g / 4.0 FROM generate_series(1, 9) g",
        database,
    )
    before = baseline_of(prove(server, database, suite(), profile=True, count_all=True))
    server.sql(
        "INSERT INTO things (id, size) VALUES (-5, 3), (700, 4); UPDATE things SET id = NULL WHERE id = 3",
        database,
    )
    old = {c.name: c.distribution for c in before.tables[0].columns}["id"]
    after = prove(server, database, suite(), profile=True, baseline=before)
    new = told_of(after, "things")["id"].histogram
    assert old is not None
    assert old.histogram is not None
    assert new is not None
    assert new.edges == old.histogram.edges
    assert (new.below, new.above, sum(new.rows)) == (1, 1, 8)
    # The old edges have decimals, and the new type has none.
    server.sql("ALTER TABLE things ALTER size TYPE bigint", database)
    whole = told_of(prove(server, database, suite(), profile=True, baseline=before), "things")["size"]
    assert whole.message == ""
    server.sql("ALTER TABLE things ALTER size TYPE numeric(6,2)", database)


def test_a_profile_changes_no_verdict_and_no_difference(things: tuple[Server, str]) -> None:
    """The same results, verdict and differences with it on both sides, on one, and on none."""
    server, database = things
    server.sql("TRUNCATE things; INSERT INTO things (id, note) VALUES (1, 'a'), (2, 'b')", database)
    baselines = [
        baseline_of(prove(server, database, suite(), count_all=True, profile=profile))
        for profile in (False, True)
    ]
    server.sql("UPDATE things SET note = 'c' WHERE id = 1", database)
    seen = set()
    for before in baselines:
        for profile in (False, True):
            judged = judge(prove(server, database, suite(), baseline=before, profile=profile), before)
            assert judged.diff is not None
            seen.add((judged.verdict, judged.diff.changes, judged.untold, judged.run.results[0].status))
    assert len(seen) == 1


# --- what must not leave ----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["server", "server15"])
def test_of_personal_columns_only_counts_leave(which: str, request: pytest.FixtureRequest) -> None:
    """No value, no end and no text of it, in no file, log line or page, nor of what is made of it."""
    server: Server = request.getfixturevalue(which)
    database = server.create(
        "CREATE TABLE people (id int PRIMARY KEY, email text, born date, pay numeric, copy text GENERATED ALWAYS AS "
        "(lower(email)) STORED, born_year int GENERATED ALWAYS AS (date_part('year', born)::int) STORED);"
        "INSERT INTO people (id, email, born, pay) SELECT g, 'Planted' || g % 5 || '@x.in', date '1987-06-05' + g % 3, "
        "77345 + g % 4 FROM generate_series(1, 40) g; INSERT INTO people (id) VALUES (99)"
    )
    personal = suite("people", personal=("people.email", "people.born", "people.pay"))
    run = prove(server, database, personal, profile=True, count_all=True)
    before = baseline_of(run)
    told = told_of(run, "people")
    counts = {name: (d.nulls, d.distinct) for name, d in told.items()}
    assert counts == {
        "id": (0, 41),
        "email": (1, 5),
        "born": (1, 3),
        "pay": (1, 4),
        "copy": (1, 5),
        "born_year": (1, 1),
    }
    for name in set(told) - {"id"}:
        assert told[name] == Distribution(*counts[name]), name
        figures = columns_of(run, "people")[name].profile
        assert figures is not None
        assert (figures.minimum, figures.maximum) == (None, None)
    files = run_to_json(run) + baseline_to_json(before) + run.to_html(before) + run.to_html()
    for planted in ("lanted", "1987", "7734"):
        assert planted not in files
    server.drop(database)


def test_what_was_personal_on_one_side_is_shown_of_neither(things: tuple[Server, str]) -> None:
    """A column that is personal now was none when the baseline was taken: its old values are not shown."""
    server, database = things
    server.sql(
        "TRUNCATE things; INSERT INTO things (id, note) VALUES (1, 'planted'), (2, 'planted')", database
    )
    before = baseline_of(prove(server, database, suite(), profile=True, count_all=True))
    run = prove(server, database, suite(personal=("things.note",)), profile=True, baseline=before)
    assert "planted" in baseline_to_json(before)
    page = run.to_html(before)
    assert "planted" not in page[page.index('<section id="profiles">') :]
    assert "personal: only counted" in page


# --- what cannot be measured ------------------------------------------------------------------------------


def test_a_locked_table_is_named_and_the_others_are_profiled(server: Server) -> None:
    """Its columns say why; nothing else loses an answer by it."""
    database = server.create("CREATE TABLE free AS SELECT 1 AS a; CREATE TABLE held AS SELECT 1 AS b")
    with server.connect(database) as holder:
        holder.autocommit = False
        holder.cursor().execute("LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
        run = prove(server, database, suite("free"), profile=True, limits=Limits(lock_timeout=200))
        holder.rollback()
    assert run.verdict is Verdict.PASS
    assert told_of(run, "free")["a"].distinct == 1
    told = told_of(run, "held")["b"]
    assert "lock" in told.message
    assert profile_gaps(run.tables) == [f"1 column not profiled: {told.message} (held.b)"]
    assert "1 column not profiled" in run.to_html()
    server.drop(database)


def slow(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    """Let the statement of a profile that has this column take long."""
    written = ProfileStatement.sql

    def sql(statement: ProfileStatement) -> str:
        named = any(c.name == column for c in statement.columns)
        return written(statement) + (" FROM pg_catalog.pg_sleep(60)" if named else "")

    monkeypatch.setattr(ProfileStatement, "sql", sql)


def test_a_timeout_costs_its_columns_and_no_check(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The columns of the statement that took too long are named; checks, rows and other tables are there."""
    database = server.create(
        "CREATE TABLE quick AS SELECT 1 AS a; CREATE TABLE tough AS SELECT 1 AS b, 2 AS c"
    )
    slow(monkeypatch, "b")
    limits = Limits(statement_timeout=1_500)
    run = prove(server, database, suite("quick"), profile=True, limits=limits)
    assert (run.verdict, run.interrupted) == (Verdict.PASS, "")
    assert told_of(run, "quick")["a"].distinct == 1
    assert {t.name: t.rows for t in run.tables} == {"quick": 1, "tough": 1}
    assert profile_gaps(run.tables) == ["2 columns not profiled: statement timeout (tough.b, tough.c)"]
    assert [s.sqlstate for s in run.statements if "tough: b" in s.purpose] == ["57014"]
    server.drop(database)


def test_an_interrupted_profile_keeps_what_the_checks_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stop ends it soon; every check is answered, and each column says why it is not profiled."""
    database = server.create("CREATE TABLE quick AS SELECT 1 AS a; CREATE TABLE tough AS SELECT 1 AS b")
    slow(monkeypatch, "b")
    stop = Stop()

    def observer(event: object) -> None:
        if isinstance(event, Progress) and event.phase == "profiling":
            threading.Timer(0.5, lambda: stop.request("interrupted by a test")).start()

    run = prove_run(
        suite("tough"),
        server.dsn(database),
        options=Options(jobs=1, profile=True),
        observer=observer,
        stop=stop,
    )
    assert run.interrupted == "interrupted by a test"
    assert [r.status for r in run.results] == [Status.PASS]
    told = told_of(run, "tough")["b"]
    assert told.distinct is None
    assert told.message
    assert run_from_json(run_to_json(run)) == run
    server.drop(database)


def test_a_value_that_fails_costs_its_column_only(things: tuple[Server, str]) -> None:
    """An interval that cannot be written in months fails the statement that it shares; the others are asked
    again by themselves.
    """
    server, database = things
    server.sql(
        "CREATE TABLE spans (a int, span interval, b text); INSERT INTO spans VALUES "
        "(1, make_interval(months => 2147483647) + make_interval(days => 2147483647), 'x')",
        database,
    )
    run = prove(server, database, suite("spans"), profile=True, select=["spans"])
    told = told_of(run, "spans")
    assert told["span"].message == "interval out of range"
    assert (told["a"].distinct, told["b"].frequent) == (1, (Frequent("x", 1, 1),))
    assert run.verdict is Verdict.PASS
    server.sql("DROP TABLE spans", database)


def test_types_that_are_not_postgresqls_own_are_only_named(things: tuple[Server, str]) -> None:
    """Somebody's own type, a composite, and arrays of these; domains and arrays of built-ins are measured."""
    server, database = things
    server.sql(
        "CREATE TYPE pair AS (x int, y int); CREATE DOMAIN positive AS int CHECK (value > 0);"
        "CREATE TABLE odd (p pair, ps pair[], d positive, xs numeric[], spot point);"
        "INSERT INTO odd VALUES ((1, 2), ARRAY[(1, 2)::pair], 3, '{1.0}', '(1,2)'), (NULL, NULL, 3, '{1.00}', NULL)",
        database,
    )
    told = told_of(prove(server, database, suite("odd"), profile=True, select=["odd"]), "odd")
    assert {name: d.message for name, d in told.items() if d.message} == {
        "p": "type pair is not PostgreSQL's own",
        "ps": "type pair[] is not PostgreSQL's own",
        "spot": "type point has no equality to count by",
    }
    assert (told["d"].distinct, told["d"].frequent) == (1, (Frequent("3", 2, 1),))
    # Equal, and written in two ways: the least text stands for both.
    assert (told["xs"].distinct, told["xs"].frequent) == (1, (Frequent("{1.00}", 2, 6),))
    server.sql("DROP TABLE odd; DROP DOMAIN positive; DROP TYPE pair", database)


# --- the record -------------------------------------------------------------------------------------------


def test_a_profile_that_cannot_be_is_refused(things: tuple[Server, str]) -> None:
    """More distinct values than rows, buckets that do not add up, values of a personal column."""
    server, database = things
    server.sql("TRUNCATE things; INSERT INTO things (id) VALUES (1), (1), (2)", database)
    run = prove(server, database, suite(), profile=True)
    text = run_to_json(run)
    assert [(t.name, t.columns[0].name) for t in run.tables] == [("things", "id")]

    def refused(**changes: Any) -> str:
        record = json.loads(text)
        column = record["tables"][0]["columns"][0]
        column["distribution"] |= {k: v for k, v in changes.items() if k != "personal"}
        if "personal" in changes:
            column["profile"]["personal"] = True
            for name in ("minimum", "maximum", "total"):
                column["profile"].pop(name, None)
        with pytest.raises(RecordError) as caught:
            run_from_json(json.dumps(record))
        return caught.value.fact

    assert "4 distinct values in 3 rows" in refused(distinct=4)
    assert "NULLs" in refused(nulls=9)
    edges = {"edges": ["1", "2", "3"], "rows": [2, 2]}
    assert "counts 4 of 3 rows" in refused(histogram=edges)
    assert "has values in its profile" in refused(personal=True)
    assert "says why not" in refused(message="a timeout")


def test_the_commands_have_it(shop: Any) -> None:
    """``baseline --profile`` keeps it, ``run --profile`` shows it and names what is missing; -q is quiet."""
    shop.sql("ALTER TABLE other ADD doc json")
    taken = shop.cli("baseline", "--profile", "-o", "pre.json")
    assert taken.returncode == 0, taken.stderr
    assert "profile 1 column not profiled: type json has no equality to count by (other.doc)" in taken.stdout
    shop.sql("INSERT INTO orders VALUES (4, 20, 'b')")
    run = shop.cli("run", "--profile", "--baseline", "pre.json")
    assert "profile 1 column not profiled: type json has no equality to count by (other.doc)" in run.stdout
    (folder,) = (shop.folder / "reports").glob("2*")
    page = (folder / "report.html").read_text()
    assert '<section id="profiles">' in page
    assert '"distribution"' in (folder / "run.json").read_text()
    plain = shop.cli("run")
    assert "profile" not in plain.stdout
