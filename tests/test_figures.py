"""Checks of one figure of a table, or of each of its segments: against an oracle that is not SQL, on real
servers.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import examples, insert, keys, prove, refusal, result, results, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.execute.plans import temp_bytes
from kisaan_validate.facts.check import Form
from kisaan_validate.facts.result import Evidence, Status, vacuous
from kisaan_validate.postgres.session import Limits
from kisaan_validate.prove.run import explain
from kisaan_validate.rules.bounds import Bounds, exact_text
from kisaan_validate.suite.load import suite_of

LAW = hypothesis_settings(
    max_examples=examples(20),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NAN, INFINITY = Decimal("NaN"), Decimal("Infinity")
Value = Decimal | None

SALES = (
    "CREATE TABLE sales (id integer PRIMARY KEY, shop text, amount numeric); CREATE TABLE archive "
    "(id integer, shop text)"
)


@pytest.fixture(scope="module", params=["server", "server15"])
def sales(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A database with sales, on the embedded PostgreSQL 18 and on the system's 15."""
    server: Server = request.getfixturevalue(request.param)
    name = server.create(SALES)
    yield server, name
    server.drop(name)


def order(value: Decimal) -> tuple[int, Decimal]:
    """PostgreSQL's order of numeric: NaN equals itself and is greater than every number."""
    return (1, Decimal(0)) if value.is_nan() else (0, value)


# --- the oracle -------------------------------------------------------------------------------------------

values = st.sampled_from(
    [None, None, Decimal(0), Decimal(1), Decimal("1.5"), Decimal(-3), Decimal("0.1"), NAN, INFINITY]
)
shops = st.sampled_from([None, "a", "b", ""])
tables = st.lists(st.tuples(shops, values), max_size=9).map(
    lambda rows: [(n, *row) for n, row in enumerate(rows, 1)]
)
others = st.lists(shops, max_size=6).map(lambda rows: list(enumerate(rows, 1)))
ends = st.sampled_from([None, 0, 1, 2, Fraction(1, 3), Decimal("1.5"), Decimal("0.1"), 5, -3])

Row = tuple[int, str | None, Value]


def total_of(rows: list[Row]) -> Decimal:
    """PostgreSQL's sum, 0 for no values."""
    found = [v for *_, v in rows if v is not None]
    return NAN if any(v.is_nan() for v in found) else sum(found, Decimal(0))


def within(number: Any, low: Any, high: Any) -> bool:
    """Whether an exact number (or infinity) lies within bounds; NaN never does."""
    if isinstance(number, Decimal) and not number.is_finite():
        return not number.is_nan() and (high is None if number > 0 else low is None)
    return (low is None or Fraction(number) >= low) and (high is None or Fraction(number) <= high)


def quantile_of(rows: list[Row], share: Fraction) -> Value:
    """The value in the place share·n, rounded up; None for no values."""
    found = sorted((v for *_, v in rows if v is not None), key=order)
    return found[max(math.ceil(share * len(found)), 1) - 1] if found else None


def with_value(rows: list[Row]) -> int:
    """How many rows have an amount."""
    return sum(v is not None for *_, v in rows)


@pytest.mark.slow
@LAW
@given(
    tables,
    others,
    st.tuples(ends, ends),
    st.sampled_from([Fraction(1, 2), Fraction(1, 3), Fraction(7, 100), Fraction(1)]),
)
def test_figures_are_what_python_says(
    sales: tuple[Server, str], rows: list[Row], archive: list[Any], bounds: tuple[Any, Any], share: Fraction
) -> None:
    """Each kind finds its figure within its bounds, or not, exactly where a plain loop does: whole, and by
    segment.
    """
    server, database = sales
    server.sql("TRUNCATE sales, archive", database)
    insert(server, database, "sales", rows)
    insert(server, database, "archive", archive)
    low, high = sorted(bounds) if None not in bounds else bounds
    if low is None and high is None:
        low = 0
    counts = (1, None) if high is None else (None, math.ceil(abs(high)))
    decimals = tuple(
        None if end is None else Decimal("0.33") if isinstance(end, Fraction) else end for end in (low, high)
    )

    def distinct(some: list[Row]) -> int:
        return len({order(v) for *_, v in some if v is not None})

    def quantile_held(some: list[Row]) -> bool:
        if any(v is not None and v.is_nan() for *_, v in some):
            return False  # wherever it stands
        found = quantile_of(some, share)
        return found is None or within(found, *(None if e is None else Fraction(e) for e in decimals))

    # name: (declaration, whether it holds of some rows and some of the archive, how many rows it judges)
    kinds: dict[
        str,
        tuple[Callable[..., Declaration], Callable[[list[Row], int], bool], Callable[[list[Row], int], int]],
    ] = {
        "rows": (
            lambda **more: declare.row_count("sales", low=counts[0], high=counts[1], **more),
            lambda some, _: within(len(some), *counts),
            lambda some, _: len(some),
        ),
        "nulls": (
            lambda **more: declare.null_share("sales", "amount", high="1/3", **more),
            lambda some, _: not some or Fraction(len(some) - with_value(some), len(some)) <= Fraction(1, 3),
            lambda some, _: len(some),
        ),
        "total": (
            lambda **more: declare.total("sales", "amount", low=low, high=high, **more),
            lambda some, _: within(total_of(some), low, high),
            lambda some, _: with_value(some),
        ),
        "distinct": (
            lambda **more: declare.distinct_count("sales", "amount", low=counts[0], high=counts[1], **more),
            lambda some, _: within(distinct(some), *counts),
            lambda some, _: with_value(some),
        ),
        "quantile": (
            lambda **more: declare.quantile(
                "sales", "amount", share, low=decimals[0], high=decimals[1], **more
            ),
            lambda some, _: quantile_held(some),
            lambda some, _: with_value(some),
        ),
        "equal": (
            lambda **more: declare.row_count_against("sales", "archive", **more),
            lambda some, other: len(some) == other,
            lambda some, other: len(some) + other,
        ),
        "ratio": (
            lambda **more: declare.row_count_against("sales", "archive", relation="<", factor="2/3", **more),
            lambda some, other: len(some) < Fraction(2, 3) * other,
            lambda some, other: len(some) + other,
        ),
    }
    made = [make(id=name) for name, (make, *_) in kinds.items()]
    made += [make(id=f"{name} where", where="id > 2") for name, (make, *_) in kinds.items()]
    made += [make(id=f"{name} by", segment_by="shop") for name, (make, *_) in kinds.items()]
    found = results(server, database, *made)
    some = [row for row in rows if row[0] > 2]
    by_shop: dict[str | None, list[Row]] = defaultdict(list)
    for row in rows:
        by_shop[row[1]].append(row)
    for name, (_, held, judged) in kinds.items():
        others_too = name in {"equal", "ratio"}
        for id, part in ((name, rows), (f"{name} where", some)):
            assert (found[id].violations, found[id].examined) == (
                int(not held(part, len(archive))),
                judged(part, len(archive)),
            ), (id, found[id])
        segments = set(by_shop) | ({shop for _, shop in archive} if others_too else set())
        sizes = {shop: sum(s == shop for _, s in archive) for shop in segments}
        wrong = {shop for shop in segments if not held(by_shop[shop], sizes[shop])}
        if not segments and not held([], 0):
            wrong = {None}  # nothing at all: the empty table is judged as a whole
        answer = found[f"{name} by"]
        assert (answer.violations, {key for (key,) in keys(answer, "shop")}) == (len(wrong), wrong), (
            name,
            answer,
        )
        assert answer.examined == sum(judged(by_shop[shop], sizes[shop]) for shop in segments)


# --- where they are measured ------------------------------------------------------------------------------


def several() -> list[Declaration]:
    """A figure of every kind that rides on the scan, each of which fails on these sales."""
    return [
        declare.row_count("sales", high=2, id="rows"),
        declare.null_share("sales", "amount", high="10%", id="nulls"),
        declare.total("sales", "amount", high=10, id="total"),
        declare.quantile("sales", "amount", "50%", low=Decimal("2.5"), high=3, id="median"),
        declare.minimum_rows("sales", 9, id="minimum"),
    ]


@pytest.fixture
def few(server: Server, database: str) -> str:
    """Four sales: 1, 2, NULL, 10."""
    server.sql(SALES, database)
    insert(
        server,
        database,
        "sales",
        [(1, "a", Decimal(1)), (2, "a", Decimal(2)), (3, "b", None), (4, None, Decimal(10))],
    )
    return database


def test_figures_ride_on_the_scan(server: Server, few: str) -> None:
    """With the table's row checks they are one statement; only a figure that fails is asked once more, to
    be shown.
    """
    made = [
        *several(),
        declare.holds("sales", "amount > 0", id="row"),
        declare.total("sales", "amount", low=1, id="fine"),
    ]
    (statement,) = explain(suite_of(*made), server.dsn(few)).counting
    assert set(statement.check_ids) == {*(d.meta.id for d in several()), "row", "fine"}
    assert statement.sql().count("FROM") == 1
    done = prove(server, few, suite_of(*made))
    purposes = [s.purpose for s in done.statements]
    assert sorted(purposes) == sorted(["rows of sales", *(f"keys: check {d.meta.id}" for d in several())])
    assert {r.check_id for r in done.results if r.status is Status.FAIL} == {d.meta.id for d in several()}
    assert {c.form for c in done.checks if c.id != "row"} == {Form.QUERY}
    assert all(r.evidence is Evidence.SCANNED for r in done.results)


def test_what_was_found_stands_beside_what_was_wanted(server: Server, few: str) -> None:
    """One violation, however far off; its evidence shows the figure, what it is made of, and the bounds."""
    found = results(server, few, *several())
    shown = {id: [dict(row) for row in r.sample] for id, r in found.items()}
    assert {r.violations for r in found.values()} == {1}
    assert shown == {
        "rows": [{"rows_found": "4", "wanted": "at most 2"}],
        "nulls": [{"nulls": "1", "rows_found": "4", "wanted": "at most 0.1"}],
        "total": [{"total": "13", "wanted": "at most 10"}],
        "median": [
            {"quantile": "2", "values_found": "3", "nan_found": "0", "wanted": "at least 2.5 and at most 3"}
        ],
        "minimum": [{"rows_found": "4"}],
    }
    assert {id: r.examined for id, r in found.items()} == {
        "rows": 4,
        "nulls": 4,
        "total": 3,
        "median": 3,
        "minimum": 4,
    }
    for result_ in found.values():
        (row,) = server.sql(result_.sql, few)
        assert [str(value) for value in row] == [value for _, value in result_.sample[0]]


def test_one_figure_that_cannot_be_computed_costs_only_itself(server: Server, database: str) -> None:
    """A figure whose where fails is an error of its own; those beside it, and the row checks, keep their
    numbers.
    """
    server.sql("CREATE TABLE t (id int); INSERT INTO t VALUES (0), (1)", database)
    made = [
        declare.row_count("t", high=5, where="1 / id > 0", id="broken"),
        declare.row_count("t", high=5, id="fine"),
        declare.holds("t", "id > 0", id="row"),
    ]
    found = results(server, database, *made)
    assert {id: (r.status, r.sqlstate, r.examined) for id, r in found.items()} == {
        "broken": (Status.ERROR, "22012", None),
        "fine": (Status.PASS, "", 2),
        "row": (Status.FAIL, "", 2),
    }


def test_another_figure_is_another_failure(server: Server, few: str) -> None:
    """The key of a failure is what was found: it is the same while the figure is the same, whatever the
    rows.
    """
    made = declare.row_count("sales", high=2)
    before = result(server, few, made)
    server.sql("UPDATE sales SET amount = 7", few)
    assert (before.key, result(server, few, made).key_digest) == (("rows_found",), before.key_digest)
    server.sql("DELETE FROM sales WHERE id = 1", few)
    assert result(server, few, made).key_digest != before.key_digest
    by_shop = declare.row_count("sales", low=2, segment_by="shop")
    assert result(server, few, by_shop).key == ("shop",)


# --- nothing, NULL, NaN, infinity -------------------------------------------------------------------------

EMPTY: dict[str, tuple[Declaration, Status]] = {
    "rows, at most": (declare.row_count("sales", high=5), Status.PASS),
    "rows, at least": (declare.row_count("sales", low=1), Status.FAIL),
    "nulls": (declare.null_share("sales", "amount", high="1%"), Status.PASS),
    "nulls, at least": (declare.null_share("sales", "amount", low="1%"), Status.PASS),
    "total": (declare.total("sales", "amount", low=-1, high=1), Status.PASS),
    "total, at least": (declare.total("sales", "amount", low=1), Status.FAIL),
    "distinct": (declare.distinct_count("sales", "shop", high=3), Status.PASS),
    "distinct, at least": (declare.distinct_count("sales", "shop", low=1), Status.FAIL),
    "quantile": (declare.quantile("sales", "amount", "50%", low=1, high=2), Status.PASS),
    "against": (declare.row_count_against("sales", "archive"), Status.PASS),
    "less than": (declare.row_count_against("sales", "archive", relation="<"), Status.FAIL),
    "fresh": (declare.fresh("sales", "at", timedelta(days=1)), Status.FAIL),
    "values": (declare.values_in("sales", "shop", "archive", "shop"), Status.PASS),
    "series": (declare.no_gaps("sales", "amount"), Status.PASS),
}


@pytest.mark.parametrize("segments", [(), ("shop",)], ids=["whole", "by shop"])
@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_table(name: str, segments: tuple[str, ...], server: Server, database: str) -> None:
    """What holds of nothing says that it holds vacuously; a table that must have something fails, by
    segments too.
    """
    declared, status = EMPTY[name]
    server.sql(f"{SALES}; ALTER TABLE sales ADD at timestamptz", database)
    if segments and hasattr(declared.rule, "segment_by"):
        declared = replace(declared, rule=replace(declared.rule, segment_by=segments))
    found = result(server, database, declared)
    assert (found.status, found.examined, found.violations) == (status, 0, int(status is Status.FAIL))
    if status is Status.PASS:
        assert vacuous(found)


@pytest.mark.parametrize("version", ["server", "server15"])
def test_special_numbers(version: str, request: pytest.FixtureRequest) -> None:
    """A NaN is outside of any bounds of a sum or a quantile, infinity is larger than all; each counts as
    one value.
    """
    server: Server = request.getfixturevalue(version)
    name = server.create("CREATE TABLE t (n numeric, f float8, r real)")
    made = {
        "sum low": declare.total("t", "n", low=0),
        "sum high": declare.total("t", "n", high=10),
        "max low": declare.quantile("t", "f", 1, low=0),
        "max high": declare.quantile("t", "f", 1, high=10),
        "median": declare.quantile("t", "n", "50%", high=10),
        "distinct": declare.distinct_count("t", ["n"], high=2),
        "real": declare.quantile("t", "r", 1, low=Decimal("0.1"), high=Decimal("0.1")),
    }
    declared = [replace(d, meta=replace(d.meta, id=id)) for id, d in made.items()]
    server.sql("INSERT INTO t VALUES (1, 1, 0.1), ('NaN', 'NaN', 0.1), ('NaN', NULL, NULL)", name)
    assert {id for id, r in results(server, name, *declared).items() if r.violations} == {
        "sum low",
        "sum high",
        "max low",
        "max high",
        "median",
    }
    server.sql("TRUNCATE t; INSERT INTO t VALUES (1, 1, 0.1), ('Infinity', 'Infinity', 0.1)", name)
    assert {id for id, r in results(server, name, *declared).items() if r.violations} == {
        "sum high",
        "max high",
    }
    server.sql("TRUNCATE t; INSERT INTO t VALUES ('Infinity', 0), ('-Infinity', 0)", name)
    assert {id for id, r in results(server, name, *declared).items() if r.violations} == {
        "sum low",
        "sum high",
    }
    server.drop(name)


def test_only_exact_sums_are_compared(server: Server, database: str) -> None:
    """A sum of floats depends on the order of addition: it is an error that says what to do, and never a
    number.
    """
    server.sql(
        "CREATE TABLE t (f float8, r real, s text, n bigint); INSERT INTO t SELECT 1, 1, 'x', "
        "9223372036854775807 FROM generate_series(1, 3)",
        database,
    )
    for column in ("f", "r", "s"):
        found = result(server, database, declare.total("t", column, high=5))
        assert (found.status, "no exact sum" in found.message, bool(found.hint)) == (Status.ERROR, True, True)
    exact = 3 * 9223372036854775807
    made = [
        declare.total("t", "n", low=exact, high=exact, id="equal"),
        declare.total("t", "n", high=exact - 1, id="less"),
    ]
    found_ = results(server, database, *made)
    assert {id: r.status for id, r in found_.items()} == {"equal": Status.PASS, "less": Status.FAIL}
    thirds = declare.total("t", "n", low=Fraction(exact * 3 + 1, 3), id="a third more")
    assert result(server, database, thirds).status is Status.FAIL


def test_a_share_is_never_rounded(server: Server, database: str) -> None:
    """One row, or one part in 10^20, on either side of the bound decides."""
    server.sql(
        "CREATE TABLE t AS SELECT CASE WHEN n > 3 THEN n END AS v FROM generate_series(1, 1000) AS n",
        database,
    )
    bounds: dict[Any, Status] = {
        "0.3%": Status.PASS,
        "3/1000": Status.PASS,
        Decimal("0.003"): Status.PASS,
        Fraction(3, 1000): Status.PASS,
        "0.29999999999999999999%": Status.FAIL,
        "0.30000000000000000001%": Status.PASS,
        0: Status.FAIL,
    }
    made = [declare.null_share("t", "v", high=bound, id=str(n)) for n, bound in enumerate(bounds)]
    assert [r.status for r in results(server, database, *made).values()] == list(bounds.values())


@pytest.mark.parametrize(
    "share", ["7%", "14%", "28%", "29%", "55%", "56%", "57%", "58%", "1%", "99%", "100%"]
)
def test_a_quantile_is_the_value_in_its_place(share: str, server: Server, database: str) -> None:
    """Of 1 to 100 the 7 % quantile is 7, where a product of floats (7.000000000000001) would take the
    eighth.
    """
    server.sql("CREATE TABLE IF NOT EXISTS t AS SELECT n FROM generate_series(1, 100) AS n", database)
    place = int(share[:-1])
    exactly = declare.quantile("t", "n", share, low=place, high=place, id="exactly")
    below = declare.quantile("t", "n", share, high=place - 1, id="below")
    above = declare.quantile("t", "n", share, low=place + 1, id="above")
    found = results(server, database, exactly, below, above)
    assert {id: r.violations for id, r in found.items()} == {"exactly": 0, "below": 1, "above": 1}
    assert keys(found["below"], "quantile") == keys(found["above"], "quantile") == [(str(place),)]


def test_quantiles_of_other_types(server: Server, database: str) -> None:
    """Days, instants, lengths of time and texts have quantiles too: values that occur, in the server's
    order.
    """
    server.sql(
        "CREATE TABLE t (d date, at timestamptz, i interval, s text); INSERT INTO t VALUES "
        "('2024-01-01', '2024-01-01 00:00+00', '1 day', 'a'), ('infinity', 'infinity', '3 days', 'c'), "
        "('2024-01-03', '2024-01-02', '2 days', 'b')",
        database,
    )
    made = [
        declare.quantile("t", "d", "1/2", low=date(2024, 1, 3), high=date(2024, 1, 3), id="d"),
        declare.quantile("t", "at", "1/2", high=datetime(2024, 1, 2, tzinfo=UTC), id="at"),
        declare.quantile("t", "i", "1/2", low=timedelta(hours=48), id="i"),
        declare.quantile("t", "s", "1/2", high="b", id="s"),
        declare.quantile("t", "d", 1, high=date(2024, 1, 3), id="fails"),
    ]
    found = results(server, database, *made)
    assert {id for id, r in found.items() if r.violations} == {"fails"}
    assert keys(found["fails"], "quantile", "wanted") == [("infinity", "at most 2024-01-03")]


# --- freshness --------------------------------------------------------------------------------------------

DAY = timedelta(days=1)
FRESH: dict[str, tuple[str, str, bool]] = {
    # name: (type, the newest values relative to now, whether they are fresh within a day)
    "an hour ago": ("timestamptz", "now() - interval '1 hour'", True),
    "two days ago": ("timestamptz", "now() - interval '2 days'", False),
    "only in the future": ("timestamptz", "now() + interval '1 hour'", False),
    "in the future and long ago": (
        "timestamptz",
        "now() + interval '1 year', now() - interval '2 days'",
        False,
    ),
    "in the future and just now": (
        "timestamptz",
        "now() + interval '1 year', now() - interval '2 hours'",
        True,
    ),
    "never": ("timestamptz", "'-infinity'", False),
    "for ever": ("timestamptz", "'infinity'", False),
    "NULL": ("timestamptz", "NULL", False),
    "NULL and an hour ago": ("timestamptz", "NULL, now() - interval '1 hour'", True),
    "local, an hour ago": ("timestamp", "now() AT TIME ZONE 'Asia/Kolkata' - interval '1 hour'", True),
    "local, two days ago": ("timestamp", "now() AT TIME ZONE 'Asia/Kolkata' - interval '2 days'", False),
    "another zone's hour ago": ("timestamp", "now() AT TIME ZONE 'UTC' - interval '20 hours'", False),
    "today": ("date", "(now() AT TIME ZONE 'Asia/Kolkata')::date", True),
    "yesterday": ("date", "(now() AT TIME ZONE 'Asia/Kolkata')::date - 1", True),
    "the day before": ("date", "(now() AT TIME ZONE 'Asia/Kolkata')::date - 2", False),
    "tomorrow": ("date", "(now() AT TIME ZONE 'Asia/Kolkata')::date + 1", False),
    "a day at infinity": ("date", "'infinity', '-infinity'", False),
}


@pytest.mark.parametrize("version", ["server", "server15"])
def test_freshness(version: str, request: pytest.FixtureRequest) -> None:
    """The newest value up to now decides, for instants, local times and days; what lies ahead hides
    nothing.
    """
    server: Server = request.getfixturevalue(version)
    name = server.create()
    made = []
    for n, (case, (type_, newest, _)) in enumerate(FRESH.items()):
        server.sql(
            f"CREATE TABLE t{n} (at {type_}); INSERT INTO t{n} SELECT unnest(ARRAY[{newest}]::{type_}[])",
            name,
        )
        made.append(declare.fresh(f"t{n}", "at", DAY, zone="Asia/Kolkata", id=case))
    found = results(server, name, *made)
    assert {case: not r.violations for case, r in found.items()} == {
        case: fresh for case, (*_, fresh) in FRESH.items()
    }
    shown = dict(found["in the future and long ago"].sample[0])
    assert (shown["later"], shown["wanted"]) == ("1", "at most 1 day old")
    assert (
        datetime.fromisoformat(str(shown["newest"]))
        < datetime.now(UTC) - DAY
        < datetime.fromisoformat(str(shown["now"]))
    )
    assert found["NULL"].examined == 0
    server.drop(name)


def test_now_is_the_time_of_the_snapshot(server: Server, database: str) -> None:
    """The SQL names one moment, not before the snapshot, the same for all checks: whoever runs it again
    gets the same answer.
    """
    server.sql(
        "CREATE TABLE t (at timestamptz DEFAULT clock_timestamp()); INSERT INTO t DEFAULT VALUES; CREATE "
        "TABLE u AS TABLE t",
        database,
    )
    made = [declare.fresh(table, "at", timedelta(microseconds=1), id=table) for table in ("t", "u")]
    before = datetime.now(UTC)
    done = prove(server, database, suite_of(*made), jobs=2)
    moments = {dict(r.sample[0])["now"] for r in done.results}
    assert len(moments) == 1
    assert before <= datetime.fromisoformat(str(moments.pop())) <= done.finished_at
    for found in done.results:
        assert len(server.sql(found.sql, database)) == 1


def test_a_time_of_which_the_zone_is_not_known_is_no_answer(server: Server, database: str) -> None:
    """Local times and dates need a zone, dates whole days, and a number is no time: errors that say what
    to do.
    """
    server.sql("CREATE TABLE t (l timestamp, d date, n int, z timestamptz)", database)
    cases = {
        "l": (declare.fresh("t", "l", DAY), "time zone is unknown"),
        "d": (declare.fresh("t", "d", DAY), "time zone is unknown"),
        "hours": (declare.fresh("t", "d", timedelta(hours=36), zone="UTC"), "36 hours"),
        "n": (declare.fresh("t", "n", DAY), "not a time"),
    }
    for declared, words in cases.values():
        found = result(server, database, declared)
        assert (found.status, words in found.message, bool(found.hint)) == (Status.ERROR, True, True), found


# --- segments ---------------------------------------------------------------------------------------------


def test_segments_beyond_the_cap_are_an_error(server: Server, database: str) -> None:
    """Up to the cap each segment is judged, NULL too; one more, and none is: nothing is left out in
    silence.
    """
    server.sql(
        "CREATE TABLE t (shop int, n int); INSERT INTO t SELECT n, n FROM generate_series(1, 4) AS n; "
        "INSERT INTO t VALUES (NULL, 9)",
        database,
    )
    made = [
        declare.row_count("t", high=1, segment_by="shop", segments=5, id="all"),
        declare.total("t", "n", low=0, segment_by="shop", segments=4, id="too many"),
        declare.distinct_count("t", "n", low=2, segment_by="shop", segments=4, id="too many, all failing"),
    ]
    found = results(server, database, *made)
    assert (found["all"].status, found["all"].examined) == (Status.PASS, 5)
    for id in ("too many", "too many, all failing"):
        assert (found[id].status, found[id].violations) == (Status.ERROR, None)
        assert found[id].message == "it has 5 segments, but at most 4 are judged one by one"


def test_segments_are_one_statement(server: Server, few: str) -> None:
    """All segments of a check are judged in one statement, one look at the data; those that fail are its
    sample.
    """
    made = declare.total("sales", "amount", low=3, high=9, segment_by="shop", id="x")
    done = prove(server, few, suite_of(made))
    (counting,) = [s for s in done.statements if s.purpose == "check x"]
    assert counting.sql.count("public.sales") == 1
    (found,) = done.results
    assert (found.violations, found.examined) == (2, 3)
    assert [dict(row) for row in found.sample] == [
        {"shop": "b", "total": "0", "wanted": "at least 3 and at most 9"},
        {"shop": None, "total": "10", "wanted": "at least 3 and at most 9"},
    ]


def test_segments_of_several_columns_and_odd_names(server: Server, database: str) -> None:
    """Combinations are segments too; columns that are called like our own outputs do not get in the way."""
    columns = ("wanted", "rows_found", "own", "total", "v", "place", "n", "nulls", "quantile", "held", "s")
    listed = ", ".join(f"{c} int DEFAULT 1" for c in columns)
    server.sql(
        f"CREATE TABLE t (x int, {listed}); CREATE TABLE u AS TABLE t; INSERT INTO t VALUES (1), (2), (NULL)",
        database,
    )
    for segments in [
        ("wanted", "rows_found"),
        ("own", "total"),
        ("v", "place", "n"),
        ("nulls", "quantile"),
        ("held", "s"),
    ]:
        more: dict[str, Any] = {"segment_by": list(segments)}
        made = [
            declare.row_count("t", high=2, **more),
            declare.row_count_against("t", "u", **more),
            declare.null_share("t", "x", high=0, **more),
            declare.total("t", "x", high=2, **more),
            declare.distinct_count("t", "x", high=1, **more),
            declare.quantile("t", "x", 1, high=1, **more),
        ]
        found = results(server, database, *made)
        assert {(r.violations, keys(r, *segments)[0]) for r in found.values()} == {
            (1, ("1",) * len(segments))
        }


def test_a_tolerated_number_of_segments(server: Server, few: str) -> None:
    """Some segments may fail where that was agreed; it is said, as of rows."""
    made = [declare.row_count("sales", low=2, segment_by="shop", tolerance=n, id=str(n)) for n in (1, 2)]
    found = results(server, few, *made)
    assert {id: (r.status, r.violations) for id, r in found.items()} == {
        "1": (Status.FAIL, 2),
        "2": (Status.TOLERATED, 2),
    }


# --- personal values --------------------------------------------------------------------------------------


def test_no_figure_shows_a_personal_value(server: Server, database: str) -> None:
    """What is made of a personal column's values is masked, as a segment too; how many there are is not."""
    server.sql(
        "CREATE TABLE t (id int PRIMARY KEY, born date, pay numeric, phone text); INSERT INTO t VALUES "
        "(1, '1987-06-05', 7654321, '9100000042')",
        database,
    )
    private = settings(personal=("t.born", "t.pay", "t.phone"))
    made = [
        declare.fresh("t", "born", DAY, zone="UTC", id="newest"),
        declare.total("t", "pay", high=1, id="total"),
        declare.quantile("t", "pay", 1, high=1, id="quantile"),
        declare.row_count("t", low=2, segment_by="phone", id="by phone"),
        declare.distinct_count("t", "phone", low=2, id="distinct"),
        declare.null_share("t", "phone", low="50%", id="nulls"),
        declare.values_in("t", "phone", "t", "born", where="id > 5", id="none"),
        declare.no_gaps("t", "pay", start=1, id="series"),
    ]
    done = prove(server, database, suite_of(*made, settings=private))
    text = done.to_json() + done.to_html()
    for secret in ("1987-06-05", "7654321", "9100000042"):
        assert secret not in text
    shown = {r.check_id: dict(r.sample[0]) for r in done.results if r.sample}
    assert shown["distinct"] == {"values_found": "1", "wanted": "at least 2"}
    assert shown["nulls"]["nulls"] == "0"
    assert shown["by phone"]["rows_found"] == "1"
    digests = {r.check_id: bool(r.key_digest) for r in done.results if r.violations}
    assert digests == {
        "newest": False,
        "total": False,
        "quantile": False,
        "by phone": False,
        "distinct": True,
        "nulls": True,
        "series": False,
    }


# --- bounds, and what cannot be meant ---------------------------------------------------------------------


@given(st.fractions(), st.fractions(), st.integers(-(10**20), 10**20), st.integers(0, 10**20))
def test_bounds_are_written_as_they_are(low: Fraction, high: Fraction, figure: int, of: int) -> None:
    """Multiplied out, the SQL compares whole numbers, and says what the comparison of fractions says."""
    bounds = Bounds(min(low, high), max(low, high))

    def value(sql: str) -> bool:
        text = (
            sql.replace("::numeric", "")
            .replace(" AND ", " and ")
            .replace("of", str(of))
            .replace("figure", str(figure))
        )
        return bool(eval(text))

    low, high = bounds.low or Fraction(0), bounds.high or Fraction(0)
    assert value(bounds.held("figure")) is (low <= figure <= high)
    assert value(bounds.held("figure", "of")) is (low * of <= figure <= high * of)


@given(st.one_of(st.fractions(), st.decimals(allow_nan=False, allow_infinity=False, places=6).map(Fraction)))
def test_a_number_in_words_is_that_number(number: Fraction) -> None:
    """No digit is lost on the way into a claim."""
    assert Fraction(exact_text(number)) == number


REFUSED = {
    "no bounds": ("declare.row_count('t')", "can never fail"),
    "at least nothing": ("declare.row_count('t', low=0)", "can never fail"),
    "less than nothing": ("declare.row_count('t', high=-1)", "not a number of rows"),
    "half a row": ("declare.row_count('t', low=Fraction(1, 2))", "not a number of rows"),
    "a float of rows": ("declare.row_count('t', low=1.0)", "not an exact number"),
    "yes": ("declare.row_count('t', low=True)", "not an exact number"),
    "a text of rows": ("declare.row_count('t', low='5')", "not an exact number"),
    "upside down": ("declare.row_count('t', low=5, high=4)", "nothing is at least 5"),
    "a condition on nothing": ("declare.row_count('t', high=1, where='1 = 1')", "no column"),
    "a misspelt argument": ("declare.row_count('t', low=1, hgih=1)", "hgih"),
    "all tolerated": ("declare.row_count('t', high=1, tolerance=1)", "widen its bounds"),
    "a share tolerated": ("declare.row_count('t', high=1, tolerance='1%')", "widen its bounds"),
    "a share of segments": ("declare.row_count('t', high=1, segment_by='s', tolerance='1%')", "not a share"),
    "no segments": ("declare.row_count('t', high=1, segment_by='s', segments=0)", "segments=0"),
    "half a segment": ("declare.row_count('t', high=1, segment_by='s', segments=1.5)", "segments=1.5"),
    "a cap on nothing": ("declare.row_count('t', high=1, segments=5)", "no segment_by"),
    "a segment twice": ("declare.row_count('t', high=1, segment_by=['s', 's'])", "'s'"),
    "segments of itself": ("declare.null_share('t', 'a', high=0, segment_by='a')", "'a'"),
    "any share": ("declare.null_share('t', 'a', high='100%')", "can never fail"),
    "any share from below": ("declare.null_share('t', 'a', low=0)", "can never fail"),
    "more than all": ("declare.null_share('t', 'a', high='101%')", "not a share"),
    "five times": ("declare.null_share('t', 'a', high=5)", "not a share"),
    "a rounded share": ("declare.null_share('t', 'a', high=0.05)", "not an exact number"),
    "a share in words": ("declare.null_share('t', 'a', high='few')", "cannot be parsed"),
    "a rounded sum": ("declare.total('t', 'a', high=0.1)", "not an exact number"),
    "no number": ("declare.total('t', 'a', high=Decimal('NaN'))", "not a bound"),
    "no end": ("declare.total('t', 'a', high=Decimal('Infinity'))", "not a bound"),
    "no columns": ("declare.distinct_count('t', [], low=1)", "needs columns"),
    "no quantile": ("declare.quantile('t', 'a', 0, high=1)", "not a share of the values"),
    "too much of a quantile": ("declare.quantile('t', 'a', '101%', high=1)", "not a share of the values"),
    "a rounded quantile": ("declare.quantile('t', 'a', 0.5, high=1)", "not an exact number"),
    "any quantile": ("declare.quantile('t', 'a', '50%')", "can never fail"),
    "a rounded bound": ("declare.quantile('t', 'a', '50%', high=0.1)", "not exact"),
    "a bound of no type": ("declare.quantile('t', 'a', '50%', high=[1])", "list"),
    "bounds of two types": (
        "declare.quantile('t', 'a', '50%', low=1, high=date(2024, 1, 1))",
        "cannot be compared",
    ),
    "an upside down quantile": ("declare.quantile('t', 'a', '50%', low=2, high=1)", "nothing is at least 2"),
    "a number of days": ("declare.fresh('t', 'a', 2)", "not an age"),
    "no age": ("declare.fresh('t', 'a', timedelta(0))", "not an age"),
    "a zone's abbreviation": ("declare.fresh('t', 'a', timedelta(1), zone='IST')", "not a time zone"),
    "an offset": ("declare.fresh('t', 'a', timedelta(1), zone='+05:30')", "not a time zone"),
    "a misspelt zone": ("declare.fresh('t', 'a', timedelta(1), zone='Asia/Kolkatta')", "not a time zone"),
    "an unknown relation": ("declare.row_count_against('t', 'u', relation='<>')", "relation"),
    "no factor": ("declare.row_count_against('t', 'u', factor=0)", "above 0"),
    "a rounded factor": ("declare.row_count_against('t', 'u', factor=0.8)", "not an exact number"),
    "with itself": ("declare.row_count_against('t', 't')", "itself"),
    "columns without partners": ("declare.values_in('t', ['a', 'b'], 'u', 'a')", "pairs"),
    "no step": ("declare.no_gaps('t', 'a', step=0)", "is not above 0"),
    "a rounded step": ("declare.no_gaps('t', 'a', step=0.1)", "not an exact number"),
    "ordered by itself": ("declare.no_gaps('t', 'a', order_by='a')", "different columns"),
    "a series of its own": ("declare.no_gaps('t', 'a', by='a')", "different columns"),
    "no path": ("declare.json_path('t', 'a', 'a.b')", "not a SQL/JSON path"),
    "the whole document": ("declare.json_path('t', 'a', '$')", "can never fail"),
    "the whole document, strictly": ("declare.json_path('t', 'a', ' strict $ ')", "can never fail"),
    "everything below": ("declare.json_path('t', 'a', '$.**')", "can never fail"),
    "its type": ("declare.json_path('t', 'a', '$.type()')", "can never fail"),
    "a comparison": ("declare.json_path('t', 'a', '$.a == 1')", "always exists"),
    "a comparison with a text": ("declare.json_path('t', 'a', '$.a == \"$.b\"')", "always exists"),
    "a sum": ("declare.json_path('t', 'a', '$.a + 1')", "always exists"),
    "a question": ("declare.json_path('t', 'a', '$.a like_regex \"x\"')", "always exists"),
    "existence": ("declare.json_path('t', 'a', 'exists($.a)')", "not a SQL/JSON path"),
    "another null": ("declare.json_path('t', 'a', '$.a', nulls='missing')", "nulls"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_meant_is_refused(name: str, tmp_path: Path) -> None:
    """Bounds that are not exact or admit everything, and all else that cannot be meant: with file and
    line.
    """
    call, word = REFUSED[name]
    head = (
        "from datetime import date, timedelta\nfrom decimal import Decimal\nfrom fractions import "
        "Fraction\nfrom kisaan_validate import declare\n\n"
    )
    error = refusal(tmp_path, {"a.py": f"{head}{call}\n"})
    assert (error.origin, word in error.fact) == ("a.py:6", True), error


@pytest.mark.parametrize("kind", ["segments", "distinct", "quantile", "series", "set"])
def test_what_would_spill_is_not_run(kind: str, server: Server, database: str) -> None:
    """Figures that sort or group keep to the ceiling of temporary files: beyond it the check has no
    answer, and says so.
    """
    server.sql(
        "CREATE TABLE t AS SELECT n AS shop, n * 7 % 20011 AS v FROM generate_series(1, 20000) AS n; "
        "ANALYZE t; CREATE TABLE u AS TABLE t; ANALYZE u;"
        f"ALTER DATABASE {database} SET work_mem = '64kB'; ALTER DATABASE {database} SET "
        f"hash_mem_multiplier = 1",
        database,
    )
    made = {
        "segments": declare.row_count("t", high=1, segment_by="shop", segments=50_000),
        "distinct": declare.distinct_count("t", "v", high=1),
        "quantile": declare.quantile("t", "v", "50%", high=1),
        "series": declare.no_gaps("t", "v"),
        "set": declare.values_in("t", "v", "u", "shop"),
    }[kind]
    asked = result(server, database, made)
    limited = result(server, database, made, limits=Limits(temp_bytes=0))
    assert asked.status in {Status.PASS, Status.FAIL}
    if kind == "quantile":  # its verdict needs no sorting: only what was found cannot be shown
        assert (limited.status, limited.sample) == (Status.FAIL, ())
        assert "its keys could not be read: not run: it would write" in limited.message
        assert asked.sample
    else:
        assert (limited.status, limited.violations) == (Status.SKIP, None)
        assert "temporary files" in limited.message


@pytest.mark.parametrize(
    ("strategy", "spills"), [("Hashed", True), ("Mixed", True), ("Sorted", False), ("Plain", False)]
)
def test_hashed_segments_count_as_hashes(strategy: str, spills: bool) -> None:
    """Grouping beside all rows ("Mixed") hashes too: what does not fit its memory would be written out."""
    node = {"Node Type": "Aggregate", "Strategy": strategy, "Plan Rows": 1000, "Plan Width": 100}
    assert (temp_bytes(node, 1000, 1.0) > 0) is spills
