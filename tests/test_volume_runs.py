"""Volumes on a real server and over recorded runs: each figure, its day, what a run records, and what is made
of a record that somebody changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import prove, results, settings
from shop import Shop
from volume_nights import moved_back, repeated

from kisaan_validate import declare
from kisaan_validate.errors import RecordError, SuiteError
from kisaan_validate.facts.place import Place
from kisaan_validate.facts.result import Evidence, Result, Status
from kisaan_validate.prove.run import explain
from kisaan_validate.record.codec import run_from_json, run_to_json
from kisaan_validate.rules.volume import Volume
from kisaan_validate.rules.volume_reading import overridden
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.volumes.model import PastPoint, VolumePoint, VolumeRule

ZONE = "Asia/Kolkata"
TABLES = """
CREATE TABLE sales (id bigint PRIMARY KEY, shop text, amount numeric(20,2), at timestamptz, clock timestamp, day date);
CREATE INDEX ON sales (at);
"""


def _value(found: Result) -> str:
    assert found.volume is not None, found
    return found.volume.value


def _today(server: Server, database: str) -> date:
    return date.fromisoformat(
        server.sql(f"SELECT ((now() AT TIME ZONE '{ZONE}')::date)::text", database)[0][0]
    )


@pytest.fixture
def sales(server: Server, database: str) -> str:
    """Of each of the last four days in India one sale at its first moment and one at its last, and one of today;
    amounts are 1, 2, 4 and so on.
    """
    server.sql(TABLES, database)
    today = _today(server, database)
    rows = []
    for n in range(1, 5):
        day = today - timedelta(days=n)
        for moment in ("00:00:00", "23:59:59.999999"):
            number = len(rows)
            shop = "NULL" if number == 0 else f"'s{number % 3}'"
            rows.append(
                f"({number}, {shop}, {2**number}.50, timestamp '{day} {moment}' AT TIME ZONE '{ZONE}', '{day} {moment}', '{day}')"
            )
    rows.append(
        "(99, 'x', NULL, now() - interval '90 seconds', NULL, NULL), (100, 'x', 9, now() + interval '1 hour', NULL, NULL)"
    )
    server.sql(f"INSERT INTO sales VALUES {', '.join(rows)}", database)
    return database


def test_each_figure_of_a_table(server: Server, sales: str) -> None:
    """Rows, exact sum, counts of a share, distinct values, age; with a condition; what was judged of them."""
    made = [
        declare.volume("sales", id="rows"),
        declare.volume("sales", id="where", where="amount > 20"),
        declare.volume("sales", id="sum", sum="amount"),
        declare.volume("sales", id="nulls", nulls="amount"),
        declare.volume("sales", id="distinct", distinct="shop"),
        declare.volume("sales", id="age", freshness="at"),
        declare.volume("sales", id="none", freshness="at", where="id > 100"),
        declare.volume("sales", id="no share", nulls="amount", where="id > 100"),
    ]
    found = results(server, sales, *made)
    values = {id: _value(one) for id, one in found.items()}
    assert 90 <= int(values.pop("age")) < 3_600
    assert values == {
        "rows": "10", "where": "3", "sum": "268.00", "nulls": "1/10", "distinct": "4", "none": "", "no share": "",
    }  # fmt: skip
    assert {id: one.status for id, one in found.items() if one.status is not Status.SKIP} == {
        "none": Status.FAIL
    }
    assert (found["none"].violations, found["none"].examined) == (1, 0)
    # What has no answer claims nothing.
    assert {(r.violations, r.examined, r.evidence) for r in found.values() if r.status is Status.SKIP} == {
        (None, None, Evidence.NONE)
    }
    for id, one in found.items():
        (row,) = server.sql(one.sql, sales)
        if id != "age":
            assert str(row[1]) == (values[id] or ("" if id == "none" else "0/0"))


@pytest.mark.parametrize("column", ["at", "clock", "day"])
def test_a_day_in_its_zone(server: Server, sales: str, column: str) -> None:
    """From midnight to midnight where the shop is, its first moment in, the next day's out; so many days back."""
    made = [
        declare.volume("sales", id=f"{measure} {back}", arrivals=column, zone=ZONE, days_back=back, **more)
        for back in (1, 2, 4)
        for measure, more in (("rows", {}), ("sum", {"sum": "amount"}), ("distinct", {"distinct": "shop"}))
    ]
    found = results(server, sales, *made)
    assert {id: _value(one) for id, one in found.items()} == {
        "rows 1": "2", "sum 1": "4.00", "distinct 1": "1",
        "rows 2": "2", "sum 2": "13.00", "distinct 2": "2",
        "rows 4": "2", "sum 4": "193.00", "distinct 4": "2",
    }  # fmt: skip
    days = {id: one.volume.day for id, one in found.items() if one.volume is not None}
    assert days["rows 2"] == _today(server, sales) - timedelta(days=2)


def test_nights_of_23_and_25_hours(server: Server, database: str) -> None:
    """A row each half hour: 46 and 50 of them on the days when the clock changes, by the server's calendar."""
    server.sql(
        "CREATE TABLE ticks (at timestamptz);"
        "INSERT INTO ticks SELECT generate_series(timestamptz '2026-03-27 00:00+00', '2026-03-31 00:00+00', '30 min');"
        "INSERT INTO ticks SELECT generate_series(timestamptz '2026-10-23 00:00+00', '2026-10-27 00:00+00', '30 min')",
        database,
    )
    today = date.fromisoformat(
        server.sql("SELECT ((now() AT TIME ZONE 'Europe/Berlin')::date)::text", database)[0][0]
    )
    for day, rows in ((date(2026, 3, 29), "46"), (date(2026, 10, 25), "50"), (date(2026, 10, 24), "48")):
        back = (today - day).days
        if not 0 < back <= 366:
            continue
        one = declare.volume("ticks", arrivals="at", zone="Europe/Berlin", days_back=back)
        (found,) = results(server, database, one).values()
        assert _value(found) == rows, day


def test_they_ride_on_the_scan(server: Server, sales: str) -> None:
    """With the table's row checks one statement, which no index shortens; distinct values cost one of their
    own. Its answers are as those of each alone.
    """
    riding = [
        declare.volume("sales", id="rows"),
        declare.volume("sales", id="day", arrivals="at", zone=ZONE),
        declare.volume("sales", id="sum", sum="amount"),
        declare.volume("sales", id="broken", where="1 / (id - id) > 0"),
    ]
    made = [
        *riding,
        declare.holds("sales", "amount > 1", id="row"),
        declare.volume("sales", id="distinct", distinct="shop"),
    ]
    first, second = explain(suite_of(*made), server.dsn(sales)).counting
    assert set(first.check_ids) == {"rows", "day", "sum", "broken", "row"}
    assert second.check_ids == ("distinct",)
    found = results(server, sales, *made)
    assert {id: one.status for id, one in found.items()} == {
        **dict.fromkeys(("rows", "day", "sum", "distinct"), Status.SKIP), "broken": Status.ERROR, "row": Status.PASS,
    }  # fmt: skip
    assert [_value(found[id]) for id in ("rows", "day", "sum", "distinct")] == ["10", "2", "268.00", "4"]
    assert found["broken"].volume is None


def test_small_tables_travel_together(server: Server, database: str) -> None:
    """Figures come back out of a bundle of many tables as out of single scans."""
    tables = [f"t{n}" for n in range(30)]
    server.sql(
        "".join(f"CREATE TABLE {t} AS SELECT generate_series(1, {n}) AS a;" for n, t in enumerate(tables)),
        database,
    )
    made = [declare.volume(t, id=f"{t} rows") for t in tables] + [
        declare.volume(t, id=f"{t} sum", sum="a") for t in tables
    ]
    made += [declare.holds(t, "a > 0", id=f"{t} row") for t in tables]
    done = prove(server, database, suite_of(*made))
    assert any("small tables" in s.purpose for s in done.statements)
    found = {r.check_id: r.volume.value for r in done.results if r.volume is not None}
    assert found == {f"t{n} rows": str(n) for n in range(30)} | {
        f"t{n} sum": str(n * (n + 1) // 2) for n in range(30)
    }


def test_a_filter_of_the_suite_leaves_rows_out(server: Server, sales: str) -> None:
    """And what is measured is then another thing, with a past of its own."""
    one = declare.volume("sales", id="rows")
    (plain,) = results(server, sales, one).values()
    (part,) = results(server, sales, one, settings=settings(filters={"sales": "amount > 20"})).values()
    assert (_value(plain), _value(part)) == ("10", "3")
    assert plain.volume is not None
    assert part.volume is not None
    assert plain.volume.measured != part.volume.measured
    done = prove(server, sales, suite_of(one, settings=settings(filters={"sales": "amount > 20"})))
    assert run_from_json(run_to_json(done)) == done


def test_personal_values_are_not_shown(server: Server, sales: str) -> None:
    """The sum and the newest value of a personal column are one row's, maybe; counts are nobody's."""
    made = [
        declare.volume("sales", id="sum", sum="amount"),
        declare.volume("sales", id="age", freshness="at"),
        declare.volume("sales", id="nulls", nulls="amount"),
        declare.volume("sales", id="values", distinct="amount"),
    ]
    found = results(server, sales, *made, settings=settings(personal=("sales.amount", "sales.at")))
    assert {id: one.status for id, one in found.items()} == {
        "sum": Status.ERROR, "age": Status.ERROR, "nulls": Status.SKIP, "values": Status.SKIP,
    }  # fmt: skip
    assert found["sum"].volume is None
    # A time may end in these digits, as that of the statement.
    shown = str(replace(found["sum"], milliseconds=0.0))
    assert re.search(r"(?<![\d.])268(?!\d)", shown) is None


def test_what_has_no_such_figure(server: Server, database: str) -> None:
    """An error of the check, with what to do; NaN is no sum."""
    server.sql("CREATE TABLE t (a text, f float8, n numeric); INSERT INTO t VALUES ('x', 1, 'NaN')", database)
    made = [
        declare.volume("t", id="text", sum="a"),
        declare.volume("t", id="float", sum="f"),
        declare.volume("t", id="time", arrivals="a", zone="UTC"),
        declare.volume("t", id="age", freshness="n"),
        declare.volume("t", id="nan", sum="n"),
        declare.volume("gone", id="gone"),
        declare.volume("t", id="column", nulls="b"),
    ]
    found = results(server, database, *made)
    said = {id: (one.status.value, one.message) for id, one in found.items()}
    day = datetime.now(UTC).date()
    assert said.pop("nan")[0] == "fail"
    assert found["nan"].message.startswith("no sum of n of t on "), day
    assert {id: status for id, (status, _) in said.items()} == {
        "text": "error", "float": "error", "time": "error", "age": "error", "gone": "skip", "column": "skip",
    }  # fmt: skip
    assert said["float"][1] == "f is double precision, which has no exact sum"


# --- judged by a past -------------------------------------------------------------------------------------


def _past(suite: Suite, id: str, values: list[int]) -> Callable[[Place], Any]:
    rule = suite.rules[id]
    assert isinstance(rule, Volume)
    check = next(c for c in suite.checks if c.id == id)
    key = (id, rule.measured(check.table, check.columns))
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=n) for n in range(len(values), 0, -1)]
    points = tuple(PastPoint(VolumePoint(d, str(v)), True) for d, v in zip(days, values, strict=True))
    return lambda place: {key: points}


@pytest.mark.parametrize(
    ("values", "status"), [([10] * 9, Status.PASS), ([11] * 9, Status.FAIL), ([10] * 7, Status.SKIP)]
)
def test_a_run_judges_and_records(server: Server, sales: str, values: list[int], status: Status) -> None:
    """What came out, by which nights; the record is read back, and has what its judgement rests on."""
    suite = suite_of(declare.volume("sales", id="v", by="any"))
    done = prove(server, sales, suite, past=_past(suite, "v", values))
    (found,) = done.results
    assert (found.status, found.violations) == (status, {Status.PASS: 0, Status.FAIL: 1}.get(status))
    assert found.volume is not None
    assert [point.value for point in found.volume.points] == [str(v) for v in values]
    read = run_from_json(run_to_json(done))
    assert read == done
    if status is Status.FAIL:
        assert dict(found.sample[0])["figure"] == "10"
        assert found.message.endswith("; the last 9 nights: always 11")


@pytest.fixture
def recorded(server: Server, sales: str) -> dict[str, Any]:
    """A recorded run in which a volume failed by its past, as JSON."""
    suite = suite_of(declare.volume("sales", id="v", by="any", most=1_000))
    values = [5_000 + n % 5 for n in range(12)]
    done = prove(server, sales, suite, past=_past(suite, "v", values))
    assert done.results[0].status is Status.FAIL
    made: dict[str, Any] = json.loads(run_to_json(done))
    return made


def _forged(run: dict[str, Any], **changes: Any) -> str:
    (result,) = run["results"]
    for place, value in changes.items():
        *way, last = place.split("__")
        inner = result
        for step in way:
            inner = inner[int(step) if step.isdigit() else step]
        inner[last] = value
        if value is None:  # the default, which is not written
            del inner[last]
    return json.dumps(run, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"status": "pass", "violations": 0, "sample": None, "key": None, "sample_complete": None}, "by its figure and its nights it is"),
        ({"volume__value": "5001"}, "by its figure and its nights it is"),
        ({"volume__points__3__value": "10"}, "by its figure and its nights it is"),
        ({"volume__rule__share": "2"}, "another rule than it claims"),
        ({"volume__rule__nights": 20}, "another rule than it claims"),
        ({"volume__rule__least": "3"}, "another rule than it claims"),
        ({"volume__low": "1"}, "its nights accept something else"),
        ({"volume__day": "2020-01-01"}, "is not the day that the run judged"),
        ({"volume__rule__arrives": True, "volume__rule__days_back": 0}, "another rule than it claims"),
        ({"volume__day": "9999-12-31"}, "is not the day that the run judged"),
        ({"volume__rule__days_back": 10**12}, "impossible number"),
        ({"volume__value": "1e99999999"}, "is not a number"),
        ({"volume__points__0__value": "NaN"}, "is not a number"),
        ({"volume": None}, "it was judged without a figure"),
    ],
    ids=str,
)  # fmt: skip
def test_a_forged_record_is_refused(recorded: dict[str, Any], changes: dict[str, Any], said: str) -> None:
    """Figure, nights, rule, bounds, outcome: the judgement is made again from what is recorded."""
    if changes.get("volume", 0) is None:
        del recorded["results"][0]["volume"]
        changes = {}
        text = _forged(recorded)
    else:
        text = _forged(recorded, **changes)
    if not said and not changes:
        assert run_from_json(text).results[0].volume is not None
        return
    with pytest.raises(RecordError) as caught:
        run_from_json(text)
    assert said in str(caught.value)


def test_points_of_the_night_itself_are_refused(recorded: dict[str, Any]) -> None:
    """And two of one day, and one from before ``since``."""
    points = recorded["results"][0]["volume"]["points"]
    for days in ((recorded["results"][0]["volume"]["day"],), (points[0]["day"], points[1]["day"])):
        forged = json.loads(json.dumps(recorded))
        for point in forged["results"][0]["volume"]["points"][: len(days)]:
            point["day"] = days[-1]
        with pytest.raises(RecordError, match=r"not before it|two figures of one day"):
            run_from_json(_forged(forged))


# --- declarations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sum": "a", "nulls": "b"}, "sum= and nulls= are two figures"),
        ({"arrivals": "at"}, "whose days are meant"),
        ({"arrivals": "at", "zone": "IST"}, "not a time zone"),
        ({"arrivals": "at", "zone": "UTC", "freshness": "at"}, "do not go together"),
        ({"arrivals": "at", "zone": "UTC", "nulls": "at"}, "both what is measured"),
        ({"by": "week"}, "did you mean 'weekday'"),
        ({"side": "lower"}, "not one of"),
        ({"nights": 13}, "from 2 to 12"),
        ({"nights": True}, "from 2 to 12"),
        ({"share": 0.1}, "not an exact number"),
        ({"share": "ten"}, "cannot be parsed"),
        ({"score": -1}, "below 0"),
        ({"least": 5, "most": 4}, "nothing is both"),
        ({"nulls": "a", "most": "120%"}, "outside of 0 to 1"),
        ({"since": "march"}, "not a day"),
        ({"days_back": 0, "arrivals": "at", "zone": "UTC"}, "from 1 to"),
        ({"freshness": "at", "most": timedelta(milliseconds=1)}, "whole seconds"),
        ({"least": 10**500}, "digits"),
        ({"tolerance": "5%"}, "cannot be tolerated"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], said: str) -> None:
    """With the line of the author."""
    with pytest.raises(SuiteError) as caught:
        suite_of(declare.volume("t", **given))
    assert said in f"{caught.value}"
    assert "test_volume_runs.py" in f"{caught.value.origin}"


def test_another_rule_keeps_the_past_and_another_figure_does_not() -> None:
    """What is measured is known by table, columns, condition, zone and day; how it is judged may change."""

    def measured(**more: Any) -> str:
        one = declare.volume("t", **more)
        assert isinstance(one.rule, Volume)
        return one.rule.measured(one.table, one.columns)

    same = {measured(), measured(share="50%"), measured(by="any", least=5), measured(since="2026-01-01")}
    assert len(same) == 1
    others = [{"where": "a > 1"}, {"sum": "a"}, {"sum": "b"}, {"nulls": "a"}, {"zone": ZONE}]
    others += [{"arrivals": "at", "zone": "UTC"}, {"arrivals": "at", "zone": "UTC", "days_back": 2}]
    assert len({measured(**more) for more in others} - same) == len(others)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["shares=1%"], "did you mean 'share'"),
        (["share"], "not such a setting"),
        (["share=x"], "not an exact number"),
        (["share=1e9"], "not an exact number"),
        ([f"nights={'9' * 5000}"], "is not a whole number from 2 to"),
        (["nights=13"], "more than by=weekday looks at"),
        (["by=year"], "not one of"),
        (["since=soon"], "not a day"),
        (["least=5", "most=4"], "nothing is both"),
        ([f"least={'9' * 500}"], "not an exact number"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_setting_to_try_that_cannot_be_meant(settings: list[str], said: str) -> None:
    """Refused before any night is judged by it."""
    with pytest.raises(SuiteError) as caught:
        overridden(VolumeRule(), settings)
    assert said in str(caught.value)


def test_settings_to_try() -> None:
    """As a declaration would have them."""
    given = [
        "share=20%",
        "nights=6",
        "by=any",
        "score=5",
        "at_least_change=1/2",
        "side=low",
        "least=7",
        "since=2026-01-02",
    ]
    declared = declare.volume(
        "t",
        share="20%",
        nights=6,
        by="any",
        score=5,
        at_least_change=Fraction(1, 2),
        side="low",
        least=7,
        since="2026-01-02",
    ).rule
    assert isinstance(declared, Volume)
    assert overridden(VolumeRule(), given) == declared.rule


# --- whole processes --------------------------------------------------------------------------------------

DECLARED = """
declare.volume("orders", by="any", id="v.rows")
declare.volume("orders", by="any", sum="total", id="v.sum", least=10)
"""


def _with(shop: Shop, text: str) -> None:
    source = shop.folder / "checks" / "orders.py"
    source.write_text(source.read_text() + text)


def _statuses(shop: Shop) -> dict[str, str]:
    run = json.loads((shop.newest_run / "run.json").read_text())
    return {r["check_id"]: r["status"] for r in run["results"] if r["check_id"].startswith("v.")}


def _night(shop: Shop) -> int:
    """The runs so far are a night older; one more."""
    moved_back(shop.folder / "reports", 1)
    return shop.cli("run", "-q").returncode


@pytest.mark.slow
def test_ten_nights(shop: Shop) -> None:
    """Unknown until eight nights are there, then green; what changes a constant fails, and does so again; the
    history tries other rules, and proposes bounds; a suite that says since which day it is new starts over.
    """
    _with(shop, DECLARED)
    assert shop.cli("run", "-q").returncode == 3
    repeated(shop.folder / "reports", 6)
    assert [_night(shop) for _ in range(2)] == [3, 0]
    assert _statuses(shop) == {"v.rows": "pass", "v.sum": "pass"}
    shop.sql("INSERT INTO orders SELECT n, 5 FROM generate_series(10, 60) n")
    assert [_night(shop) for _ in range(2)] == [1, 1]
    assert _statuses(shop) == {"v.rows": "fail", "v.sum": "fail"}

    tried = shop.cli("history", "backtest", dsn=False)
    assert tried.returncode == 0, tried.stderr
    assert "v.rows: with this rule the last 11 nights would have failed 2 times\n" in tried.stdout
    assert tried.stdout.count("  fails     54 rows of orders on ") == 2
    assert "  unknown   on 8 nights the past knows too little\n" in tried.stdout
    assert "  proposed  least=2, most=4\n" in tried.stdout
    # Other rules are tried without being declared.
    one = shop.cli("history", "backtest", "v.rows", "--rule", "most=1000", "--rule", "nights=20", dsn=False)
    assert one.stdout.splitlines()[0] == "v.rows: with this rule the last 11 nights would have failed 0 times"
    slip = shop.cli("history", "backtest", "v.row", "--rule", "shares=1%", dsn=False)
    assert (slip.returncode, "did you mean 'v.rows'" in slip.stderr) == (2, True), slip.stderr
    slip = shop.cli("history", "backtest", "v.rows", "--rule", "shares=1%", dsn=False)
    assert (slip.returncode, "did you mean 'share'" in slip.stderr) == (2, True), slip.stderr

    today = datetime.now(UTC).date()
    source = shop.folder / "checks" / "orders.py"
    source.write_text(
        source.read_text().replace('by="any", ', f'by="any", since="{today - timedelta(days=1)}", ')
    )
    assert _night(shop) == 3
    assert _statuses(shop) == {"v.rows": "skip", "v.sum": "pass"}


@pytest.mark.slow
def test_a_waiver_lets_failed_nights_train(shop: Shop) -> None:
    """What somebody accepted is part of what is normal."""
    _with(shop, 'declare.volume("orders", by="any", id="v.rows")\n')
    shop.cli("run", "-q")
    repeated(shop.folder / "reports", 8)
    shop.sql("INSERT INTO orders SELECT n, 5 FROM generate_series(10, 12) n")
    expires = datetime.now(UTC).date() + timedelta(days=20)
    (shop.folder / "checks" / "waivers.toml").write_text(
        f'format = 1\n[[waiver]]\ncheck = "v.rows"\nreason = "three new ones"\nowner = "ops"\nexpires = {expires}\nwhole_check = true\n'
    )
    assert (_night(shop), _statuses(shop)) == (0, {"v.rows": "fail"})
    # 3 … 3, 6: no constant any more, and a change of 3 is below the floor.
    assert (_night(shop), _statuses(shop)) == (0, {"v.rows": "pass"})


def test_without_a_history_nothing_is_green(shop: Shop, tmp_path: Path) -> None:
    """An index that cannot be read is named; the volumes have no answer, and the run is recorded."""
    _with(shop, DECLARED)
    reports = shop.folder / "reports"
    shop.cli("run", "-q")
    repeated(reports, 8)
    (reports / ".kisaan-history.sqlite").write_bytes(b"x" * 5_000)
    moved_back(reports, 1)
    done = shop.cli("run")
    assert (done.returncode, "volumes are not judged by earlier nights" in done.stderr) == (3, True), (
        done.stderr
    )
    assert _statuses(shop) == {"v.rows": "skip", "v.sum": "pass"}
    assert shop.cli("history", "backtest", "--reports", str(tmp_path / "none"), dsn=False).returncode == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    said = shop.cli("history", "backtest", "--reports", str(empty), dsn=False)
    assert (said.returncode, "no recorded run has the figure" in said.stdout) == (0, True)


def test_other_databases_teach_nothing(server: Server, sales: str) -> None:
    """Figures are those of nights of this database, by the place that the snapshot saw."""
    suite = suite_of(declare.volume("sales", id="v", by="any"))
    asked: list[Place] = []
    give = _past(suite, "v", [10] * 9)

    def past(place: Place) -> Any:
        asked.append(place)
        return give(place) if place.database == "elsewhere" else {}

    done = prove(server, sales, suite, past=past)
    assert ([place.database for place in asked], done.results[0].status) == ([sales], Status.SKIP)
    assert replace(done.place) == asked[0]
