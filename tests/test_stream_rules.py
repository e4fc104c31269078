"""What a Python check is given, how its answer is read, and what is said where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import Server
from gates import by_id
from helpers import folder_results, prove, result, results, settings, write_suite

from kisaan_validate import declare as d
from kisaan_validate.facts.check import Form, Severity
from kisaan_validate.facts.result import Evidence, Result, Status, Verdict, vacuous
from kisaan_validate.plan import streams
from kisaan_validate.plan.streams import Piece, pieces_of
from kisaan_validate.prove.planning import suggestions
from kisaan_validate.prove.run import explain
from kisaan_validate.stream import piece
from kisaan_validate.suite.load import load_suite, suite_of

ROW_WISE = {"row_wise": True}


def rows(function: Callable[..., Any], name: str = "f", **more: Any) -> Any:
    """A row-wise check."""
    statistics = {**ROW_WISE, **{k: more.pop(k) for k in ("columns", "nulls") if k in more}}
    return pa.Check(function, name=name, statistics=statistics, **more)


def of_column(check: Any, column: str = "x") -> Any:
    """A schema of table t with checks of one column."""
    return pa.DataFrameSchema({column: pa.Column(None, check, nullable=True)}, name="t")


def of_frame(check: Any, *columns: str) -> Any:
    """A schema of table t with checks of the frame."""
    return pa.DataFrameSchema({c: pa.Column(None, nullable=True) for c in columns}, checks=check, name="t")


def ask(server: Server, database: str, schema: Any, **options: Any) -> Result:
    """The result of the one Python check of a schema."""
    found = results(server, database, schema, **options)
    (only,) = [r for id, r in found.items() if not id.endswith((".present", ".type"))]
    return only


def made(server: Server, database: str, columns: str, *values: str) -> None:
    """A table t with a key and these columns and rows."""
    server.sql(f"DROP TABLE IF EXISTS t CASCADE; CREATE TABLE t (id serial PRIMARY KEY, {columns})", database)
    if values:
        names = ", ".join(part.split()[0] for part in columns.split(", "))
        server.sql(f"INSERT INTO t ({names}) VALUES {', '.join(f'({v})' for v in values)}", database)


# NULL and NaN


def test_null_is_not_handed_over_and_nan_is(server: Server, database: str) -> None:
    """With ignore_na a NULL passes and is not seen; a NaN, which pandera takes for missing, is seen and
    violates.
    """
    for type_ in ("numeric", "double precision", "real"):
        made(server, database, f"x {type_}", "1", "NULL", "'NaN'", "-1")
        found = ask(server, database, of_column(rows(lambda s: s > 0)))
        assert (found.violations, found.examined, [dict(r)["x"] for r in found.sample]) == (
            2,
            4,
            ["NaN", "-1"],
        ), type_
    frame = pd.DataFrame({"x": [1.0, math.nan, -1.0]})
    with pytest.raises(pa.errors.SchemaErrors) as caught:
        of_column(rows(lambda s: s > 0)).validate(frame, lazy=True)
    assert caught.value.failure_cases["failure_case"].tolist() == [-1.0]


@pytest.mark.parametrize("type_", ["bigint", "text", "boolean"])
def test_unknown_is_not_wrong_unless_null_was_to_be_judged(server: Server, database: str, type_: str) -> None:
    """NA in an answer comes of NULL: with ignore_na=False it violates, in a check of the frame it passes,
    as in SQL.
    """
    value = {"bigint": "7", "text": "'7'", "boolean": "true"}[type_]
    made(server, database, f"x {type_}, y {type_}", f"{value}, {value}", f"{value}, NULL", "NULL, NULL")
    known = {"bigint": 7, "text": "7", "boolean": True}[type_]
    assert ask(server, database, of_column(rows(lambda s: s == known, ignore_na=False))).violations == 1
    assert (
        ask(
            server, database, of_frame(rows(lambda df: df.x == df.y, columns=["x", "y"]), "x", "y")
        ).violations
        == 0
    )
    assert (
        ask(server, database, of_frame(rows(lambda df: df.x == df.y, ignore_na=False), "x", "y")).violations
        == 2
    )


def test_a_frame_is_given_null_unless_it_says_otherwise(server: Server, database: str) -> None:
    """A check of the frame sees every row, as pandera's does; nulls="pass" leaves out those with a NULL in
    its columns.
    """
    made(server, database, "x numeric, y numeric, z int", "1, 2, NULL", "2, 1, 1", "NULL, 1, 1", "1, NULL, 1")

    def ordered(df: Any) -> Any:
        return df.x <= df.y

    found = ask(server, database, of_frame(rows(ordered, columns=["x", "y"]), "x", "y", "z"))
    assert (found.violations, found.examined) == (3, 4)  # to pandas nothing is less than None
    found = ask(server, database, of_frame(rows(ordered, columns=["x", "y"], nulls="pass"), "x", "y", "z"))
    assert (found.violations, found.examined) == (1, 2)
    assert [dict(row) for row in found.sample] == [{"id": "2", "x": "2", "y": "1"}]


# What comes back


def test_a_frame_of_answers_blames_rows(server: Server, database: str) -> None:
    """An answer for each cell: a row violates where one of its cells is false; a cell that is NULL passes."""
    made(server, database, "x int, y int", "1, 1", "-1, -1", "1, NULL", "NULL, -1")
    found = ask(server, database, of_frame(rows(lambda df: df > 0, columns=["x", "y"]), "x", "y"))
    assert [dict(row)["id"] for row in found.sample] == ["2", "4"]
    found = ask(
        server, database, of_frame(rows(lambda df: df > 0, columns=["x", "y"], ignore_na=False), "x", "y")
    )
    assert [dict(row)["id"] for row in found.sample] == ["2", "3", "4"]


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "nothing": (lambda s: None, "nothing (None)"),
    "a list": (lambda s: [True] * len(s), "a list"),
    "an array": (lambda s: (s > 0).to_numpy(), "a ndarray"),
    "a text": (lambda s: "True", "a str"),
    "a number": (lambda s: 1, "a int"),
    "not a number": (lambda s: math.nan, "a float"),
    "pandas' NA": (lambda s: pd.NA, "a NAType"),
    "fewer rows": (lambda s: (s > 0)[:-1], "2 answers of its own"),
    "other rows": (lambda s: (s > 0).iloc[::-1], "3 answers of its own"),
    "a new index": (lambda s: (s > 0).set_axis([5, 6, 7]), "3 answers of its own"),
    "numbers": (lambda s: s, "a Series of Int32"),
    "texts": (lambda s: s.astype(str), "a Series of str"),
    "NA without NULL": (lambda s: (s > 0).mask(s == 2), "returned NA for rows without NULL"),
    "NaN for an answer": (
        lambda s: (s > 0).astype(object).where(s != 2, math.nan),
        "returned NA for rows without NULL",
    ),
    "numbers beside truth": (lambda s: pd.Series([True, 1, True]), "a Series of object"),
    "a frame": (lambda s: s.to_frame() > 0, "a DataFrame"),
    "a function": (lambda s: lambda: True, "a function"),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_answer_that_is_none_is_an_error(server: Server, database: str, name: str) -> None:
    """What does not say of each row whether it is right is an ERROR of its check, row-wise or not, and
    never a PASS.
    """
    made(server, database, "x int", "1", "2", "3")
    function, word = WRONG[name]
    for check in (rows(function), pa.Check(function, name="f")):
        found = ask(server, database, of_column([check, rows(lambda s: s > 1, "neighbour")][:1]))
        assert (found.status, found.violations) == (Status.ERROR, None)
        assert word in found.message


@pytest.mark.parametrize(
    "function",
    [
        lambda s: bool(s.mean() > 0),
        lambda s: s > s.mean(),
        lambda s: s.diff().fillna(-1) > 0,
        lambda s: ~s.duplicated(keep=False),
    ],
    ids=["one answer", "the mean", "the row before", "other rows"],
)
def test_who_says_row_wise_and_is_not_gets_no_answer(
    server: Server, database: str, function: Callable[..., Any]
) -> None:
    """A function that judges rows differently when it is given fewer of them is no row-wise check: ERROR,
    not a guess.
    """
    made(server, database, "x int", "1", "2", "8", "9", "2")
    found = ask(server, database, of_column(rows(function)))
    assert found.status is Status.ERROR
    assert "row-wise" in found.message
    assert ask(server, database, of_column(pa.Check(function, name="f"))).status in {Status.PASS, Status.FAIL}


def test_a_whole_column_comes_in_key_order(server: Server, database: str) -> None:
    """A check of a whole column sees all rows at once, in the order of the key, whatever their order on
    disk.
    """
    server.sql(
        "CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t SELECT g, g FROM generate_series(100, "
        "1, -1) AS g",
        database,
    )
    assert (
        ask(server, database, of_column(pa.Check(lambda s: s.is_monotonic_increasing, name="f"))).status
        is Status.PASS
    )
    found = ask(server, database, of_column(pa.Check(lambda s: s >= s.mean(), name="f"), "x"))
    assert (found.violations, found.examined, dict(found.sample[0])["id"]) == (50, 100, "1")
    server.sql("UPDATE t SET x = 0 WHERE id = 50", database)
    found = ask(server, database, of_column(pa.Check(lambda s: s.is_monotonic_increasing, name="f"), "x"))
    assert (found.status, found.violations, found.sample, found.key_digest) == (Status.FAIL, 1, (), "")
    assert "no single row is to blame" in found.message


@pytest.mark.parametrize("column", ["x", "id"])
def test_key_order_is_that_of_values_where_a_key_travels_as_text(
    server: Server, database: str, column: str
) -> None:
    """9 before 10: the server must not order by the text that stands for the key in the answer."""
    server.sql(
        "CREATE TABLE t (id numeric(9,0) PRIMARY KEY, x int); INSERT INTO t SELECT g, g FROM "
        "generate_series(100, 1, -1) AS g",
        database,
    )
    assert (
        ask(
            server, database, of_column(pa.Check(lambda s: s.is_monotonic_increasing, name="f"), column)
        ).status
        is Status.PASS
    )


def test_what_is_judged_as_a_whole_is_not_tolerated_in_rows(server: Server, database: str) -> None:
    """A tolerance counts rows: it does not excuse a column that is wrong as a whole."""
    made(server, database, "x int", "1")
    column = pa.Column(
        None, pa.Check(lambda s: False, name="f"), metadata={"checks": {"f": {"tolerance": "5 rows"}}}
    )
    found = ask(server, database, pa.DataFrameSchema({"x": column}, name="t"), exclude=["t.x.not_null"])
    assert found.status is Status.FAIL
    column = pa.Column(None, rows(lambda s: s > 1), metadata={"checks": {"f": {"tolerance": "5 rows"}}})
    found = ask(server, database, pa.DataFrameSchema({"x": column}, name="t"), exclude=["t.x.not_null"])
    assert found.status is Status.TOLERATED


def test_groups(server: Server, database: str) -> None:
    """groupby hands over groups of the whole column, as pandera does: names, lists, functions, and chosen
    groups.
    """
    made(
        server,
        database,
        "x int, g text, h int",
        "1, 'a', 1",
        "2, 'a', 2",
        "3, 'b', 1",
        "NULL, 'b', 2",
        "9, NULL, 1",
    )
    seen: dict[str, Any] = {}

    def keep(groups: Any) -> bool:
        seen.update({str(k): v.tolist() for k, v in groups.items()})
        return True

    def schema(**how: Any) -> Any:
        columns = {"x": pa.Column(None, pa.Check(keep, name="f", **how), nullable=True)}
        return pa.DataFrameSchema({**columns, **{c: pa.Column(None, nullable=True) for c in "gh"}}, name="t")

    frame = pd.DataFrame(
        {
            "x": pd.Series([1, 2, 3, None, 9], dtype="Int32"),
            "g": ["a", "a", "b", "b", None],
            "h": [1, 2, 1, 2, 1],
        }
    )
    for how in (
        {"groupby": "g"},
        {"groupby": ["g", "h"]},
        {"groupby": lambda df: df.groupby("h")},
        {"groupby": "g", "groups": ["b"]},
    ):
        seen.clear()
        assert ask(server, database, schema(**how)).status is Status.PASS
        here = dict(seen)
        seen.clear()
        schema(**how).validate(frame)
        assert here == seen != {}
    answers = {
        "x": pa.Column(
            None,
            pa.Check(lambda g: pd.Series({k: v.sum() > 3 for k, v in g.items()}), groupby="g", name="f"),
            nullable=True,
        )
    }
    found = ask(
        server, database, pa.DataFrameSchema({**answers, "g": pa.Column(None, nullable=True)}, name="t")
    )
    assert (found.status, found.violations) == (Status.FAIL, 2)


def test_elements_are_pythons_own_values(server: Server, database: str) -> None:
    """element_wise is called with each value, exact beside NULL and beside columns of other types."""
    made(
        server,
        database,
        "x bigint, y double precision, z numeric, w text",
        f"{2**62 + 1}, 0.5, 1.50, 'a'",
        "NULL, NULL, NULL, NULL",
    )
    seen: list[Any] = []

    def keep(value: Any) -> bool:
        seen.append(
            value.copy() if isinstance(value, pd.Series) else value
        )  # pandas hands over one Series, filled again
        return True

    check = pa.Check(keep, element_wise=True, ignore_na=False, name="f")
    for column, wanted in {"x": (2**62 + 1, int), "z": (Decimal("1.50"), Decimal), "w": ("a", str)}.items():
        seen.clear()
        assert ask(server, database, of_column(check, column)).status is Status.PASS
        assert (seen[0], type(seen[0])) == wanted
        assert seen[1] is None or seen[1] is pd.NA
    seen.clear()
    assert ask(server, database, of_frame(check, "x", "y", "z")).status is Status.PASS
    row = seen[0]
    assert (row["x"], row["y"], str(row["z"]), type(row["x"])) == (2**62 + 1, 0.5, "1.50", int)


MUTATIONS: list[Callable[[Any], Any]] = [
    lambda s: s.__setitem__(slice(None), s.iloc[0]),
    lambda s: s.fillna(0, inplace=True),
    lambda s: s.sort_values(inplace=True, ascending=False),
    lambda s: s.array.__setitem__(0, s.iloc[1]),
    lambda s: np.asarray(s)[:1].__setitem__(0, np.asarray(s)[1]),
    lambda s: s.drop(s.index, inplace=True),
]


@pytest.mark.parametrize(
    "type_",
    [
        "numeric",
        "text",
        *(
            pytest.param(t, marks=pytest.mark.slow)
            for t in ("int", "timestamptz", "double precision", "boolean")
        ),
    ],
)
@pytest.mark.parametrize("mutate", range(len(MUTATIONS)))
def test_what_a_function_does_to_its_input_stays_with_it(
    server: Server, database: str, type_: str, mutate: int
) -> None:
    """A function that changes what it was given, in the Series or below it, changes nothing for the next
    one.
    """
    values = {
        "text": "'a' 'b' 'c'",
        "boolean": "true false true",
        "timestamptz": "'2024-01-01' '2024-01-02' '2024-01-03'",
    }
    made(server, database, f"x {type_}", *values.get(type_, "1 2 3").split())
    seen: list[Any] = []

    def spoil(s: Any) -> Any:
        with suppress(ValueError, TypeError):  # pandas may refuse it, which is as good
            MUTATIONS[mutate](s)
        return pd.Series(True, index=range(3))

    def keep(s: Any) -> Any:
        seen.append(s.tolist())
        return s.notna()

    for wrap in (rows, lambda f, name: pa.Check(f, name=name)):
        seen.clear()
        results(server, database, of_column([wrap(keep, "a"), wrap(spoil, "b"), wrap(keep, "c")]))
        assert all(s == seen[0] for s in seen if len(s) == 3)
        assert sum(len(s) == 3 for s in seen) == 2


# Errors


def test_an_exception_is_the_error_of_its_check_alone(server: Server, database: str, tmp_path: Path) -> None:
    """An exception says its kind and the file and line of the author's code; the other checks are
    answered.
    """
    made(server, database, "x int", "1", "2")
    source = """\
        import pandera.pandas as pa


        def helper(value):
            raise LookupError(f"no {value} here")


        class T(pa.DataFrameModel):
            x: int

            @pa.check("x", element_wise=True)
            def broken(cls, value):
                return helper(value)

            @pa.check("x", element_wise=True)
            def ends(cls, value):
                raise SystemExit(0)

            @pa.check("x", element_wise=True)
            def fine(cls, value):
                return value < 2

            class Config:
                name = "t"
    """
    found = folder_results(server, database, write_suite(tmp_path, {"a.py": source}))
    broken, ends, fine = (found[f"t.x.{name}"] for name in ("broken", "ends", "fine"))
    assert (broken.status, broken.message) == (Status.ERROR, "LookupError at a.py:5: no 1 here")
    assert (ends.status, ends.message) == (Status.ERROR, "SystemExit at a.py:17: 0")
    assert (fine.status, fine.violations, fine.examined) == (Status.FAIL, 1, 2)


def test_an_exception_does_not_quote_a_person(server: Server, database: str) -> None:
    """What an exception says may quote a value: where the function saw a personal column, only its kind is
    told.
    """
    made(server, database, "phone text, x int", "'0171234', 1")

    def quotes(value: Any) -> bool:
        raise ValueError(f"bad {value}")

    columns = {
        c: pa.Column(None, pa.Check(quotes, element_wise=True, name="f"), nullable=True)
        for c in ("phone", "x")
    }
    own = settings(personal=("t.phone",))
    run = prove(server, database, suite_of(pa.DataFrameSchema(columns, name="t"), settings=own))
    found = by_id(run)
    assert found["t.x.f"].message.endswith(": bad 1")
    assert found["t.phone.f"].status is Status.ERROR
    assert found["t.phone.f"].message.startswith("ValueError at test_stream_rules.py:")
    assert "0171234" not in run.to_json()


def test_personal_values_and_keys(server: Server, database: str) -> None:
    """Personal values are masked by the server; a personal key is in no sample, digest or recorded
    statement.
    """
    server.sql(
        "CREATE TABLE t (phone text PRIMARY KEY, x int, y int); INSERT INTO t VALUES ('tel-0171234', -1, "
        "5), ('tel-0175678', 1, 6)",
        database,
    )
    own = settings(personal=("t.phone", "t.y"))
    schema = pa.DataFrameSchema(
        {"x": pa.Column(None, rows(lambda s: s > 0)), "y": pa.Column(None, rows(lambda s: s > 5))}, name="t"
    )
    run = prove(server, database, suite_of(schema, settings=own))
    found = by_id(run)
    assert found["t.x.f"].sample == ((("phone", "•••"), ("x", "-1")),)
    assert found["t.y.f"].sample == ((("phone", "•••"), ("y", "•••")),)
    assert found["t.x.f"].key_digest == found["t.y.f"].key_digest == ""
    assert "tel-" not in run.to_json()


UNFIT = {
    "date": ["'infinity'", "'-infinity'", "'0044-03-15 BC'", "'10000-01-01'"],
    "timestamp": ["'infinity'", "'-infinity'", "'294276-12-31'"],
    "timestamptz": ["'infinity'", "'-infinity'", "'294276-12-31'"],
    "interval": ["'1 month'", "'2 years -1 day'", "'2000000000 days'"],
}


@pytest.mark.parametrize("type_", UNFIT)
def test_a_value_that_python_cannot_hold_is_an_error(server: Server, database: str, type_: str) -> None:
    """Infinite moments, years and intervals beyond Python's are no NaT and no NULL: ERROR of the checks
    that read them.
    """
    for value in UNFIT[type_]:
        made(server, database, f"x {type_}, y int", f"{value}, 1", "NULL, 2")
        schema = pa.DataFrameSchema(
            {c: pa.Column(None, rows(lambda s: s == s), nullable=True) for c in "xy"}, name="t"
        )
        found = results(server, database, schema)
        assert found["t.x.f"].status is Status.ERROR, value
        assert "no counterpart in Python: 1" in found["t.x.f"].message
        assert (found["t.y.f"].status, found["t.y.f"].examined) == (Status.PASS, 2)


@pytest.mark.parametrize(
    "value", ["4713-01-01 BC", "0001-01-01", "9999-12-31 23:59:59.999999", "294246-01-01"]
)
def test_far_moments_arrive(server: Server, database: str, value: str) -> None:
    """Moments that pandas' microseconds reach are compared like all others."""
    made(
        server, database, "x timestamp, y timestamptz", f"'{value}', '{value}'", "'2024-01-01', '2024-01-01'"
    )
    pivot = pd.Timestamp("2024-01-01")
    for column, bound in (("x", pivot), ("y", pivot.tz_localize("UTC"))):
        found = ask(server, database, of_column(rows(lambda s, bound=bound: s == bound), column))
        assert [dict(r)["id"] for r in found.sample] == ["1"]


class Mute(BaseException):
    """An exception that is no Exception, and cannot be printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_without_words(server: Server, database: str) -> None:
    """Whatever is raised, it is the ERROR of its check alone."""
    made(server, database, "x int", "1")

    def mute(s: Any) -> Any:
        raise Mute

    found = results(server, database, of_column([rows(mute, "mute"), rows(lambda s: s > 0, "fine")]))
    assert found["t.x.mute"].message.startswith("Mute at test_stream_rules.py:")
    assert found["t.x.fine"].status is Status.PASS


def test_a_frame_without_columns_has_rows(server: Server, database: str) -> None:
    """A check of the frame of a model that declares no column still sees how many rows there are."""
    made(server, database, "x int", "1", "2")
    found = ask(server, database, of_frame(pa.Check(lambda df: len(df) == 2, name="f")))
    assert (found.status, found.examined) == (Status.PASS, 2)


# Memory


def test_whole_columns_are_bounded(server: Server, database: str) -> None:
    """Whole columns beyond the bound are ERROR, with their size and what to do; what fits, and what is
    row-wise, is answered.
    """
    made(server, database, "x text, y smallint")
    server.sql("INSERT INTO t (x, y) SELECT repeat('x', 1000), 1 FROM generate_series(1, 5000)", database)
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column(
                None,
                [pa.Check(lambda s: s.is_unique, name="whole"), rows(lambda s: s.str.len() == 1000, "rows")],
            ),
            "y": pa.Column(None, pa.Check(lambda s: s.max() == 1, name="whole")),
        },
        name="t",
    )
    found = results(server, database, schema, python_memory=1024**2)
    assert found["t.x.whole"].status is Status.ERROR
    assert (
        found["t.x.whole"].message == "x of 5,000 rows takes 6 MiB, but 1 MiB are allowed for whole columns"
    )
    assert "python_memory_mb" in found["t.x.whole"].hint
    assert found["t.y.whole"].status is found["t.x.rows"].status is Status.PASS
    found = results(server, database, schema, python_memory=16 * 1024**2)
    assert found["t.x.whole"].status is Status.FAIL


def test_a_sort_that_would_write_too_much_costs_the_whole_columns_only(server: Server, database: str) -> None:
    """Where the order of whole columns needs more temporary files than a guest may write, row-wise checks
    go on unsorted.
    """
    server.sql(
        "CREATE TABLE t (x text, y int); INSERT INTO t SELECT repeat('x', 500), g FROM "
        "generate_series(1, 30000) AS g; ANALYZE t",
        database,
    )
    schema = pa.DataFrameSchema(
        {
            "x": pa.Column(
                None, [pa.Check(lambda s: True, name="whole"), rows(lambda s: s.str.len() == 500, "rows")]
            )
        },
        name="t",
    )
    from kisaan_validate.postgres.session import Limits

    found = results(server, database, schema, limits=Limits(temp_bytes=1024))
    assert found["t.x.whole"].status is Status.SKIP
    assert "temporary files" in found["t.x.whole"].message
    assert (found["t.x.rows"].status, found["t.x.rows"].examined) == (Status.PASS, 30_000)


def test_chunks_are_bounded_in_rows_and_bytes(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No chunk is longer than either bound, but for the one row that it must hold."""
    made(server, database, "x text")
    server.sql("INSERT INTO t (x) SELECT repeat('x', g) FROM generate_series(1, 200) AS g", database)
    sizes: list[tuple[int, int]] = []

    def keep(s: Any) -> Any:
        sizes.append((len(s), int(s.str.len().sum())))
        return s.notna()

    monkeypatch.setattr(piece, "CHUNK_ROWS", 30)
    monkeypatch.setattr(piece, "CHUNK_BYTES", 2000)
    monkeypatch.setattr(piece, "agrees_with_parts", lambda *_: None)
    found = ask(server, database, of_column(rows(keep)))
    assert found.examined == sum(n for n, _ in sizes) == 200
    assert all(n <= 30 and size <= 2000 + 230 for n, size in sizes)
    assert len(sizes) > 10


# Tables of every kind


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("which", ["server", "server15"])
def test_every_kind_of_relation_is_read_once(
    request: pytest.FixtureRequest, which: str, jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables, partitions, inheritance, views: in however many pieces, by processes, every row is judged
    once and named where it can be.
    """
    one: Server = request.getfixturevalue(which)
    database = one.create("""
        CREATE TABLE plain (id int PRIMARY KEY, x int);
        CREATE TABLE keyless (id int, x int);
        CREATE TABLE parts (id int, x int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
        CREATE TABLE parts_a PARTITION OF parts FOR VALUES FROM (0) TO (10000);
        CREATE TABLE parts_b PARTITION OF parts DEFAULT PARTITION BY HASH (id);
        CREATE TABLE parts_b0 PARTITION OF parts_b FOR VALUES WITH (MODULUS 2, REMAINDER 0);
        CREATE TABLE parts_b1 PARTITION OF parts_b FOR VALUES WITH (MODULUS 2, REMAINDER 1);
        CREATE TABLE heirless (id int, x int) PARTITION BY LIST (x);
        CREATE TABLE heirless_0 PARTITION OF heirless DEFAULT;
        CREATE TABLE parent (id int PRIMARY KEY, x int); CREATE TABLE child () INHERITS (parent);
        INSERT INTO plain SELECT g, g % 1000 FROM generate_series(1, 30000) AS g;
        INSERT INTO keyless TABLE plain; INSERT INTO parts TABLE plain; INSERT INTO heirless TABLE plain;
        INSERT INTO parent SELECT * FROM plain WHERE id % 2 = 0; INSERT INTO child SELECT * FROM plain WHERE id % 2 = 1;
        DELETE FROM plain WHERE x BETWEEN 500 AND 600; CREATE MATERIALIZED VIEW kept AS TABLE plain;
        CREATE VIEW seen AS TABLE plain; CREATE TABLE nothing (id int PRIMARY KEY, x int);
    """)
    monkeypatch.setattr(streams, "BLOCKS", 4)
    tables = ["plain", "keyless", "parts", "heirless", "parent", "kept", "seen", "nothing"]
    source = "import pandera.pandas as pa\nW = {'row_wise': True}\n" + "\n".join(
        f"{t} = pa.DataFrameSchema({{'x': pa.Column(None, pa.Check(lambda s: s > 0, name='f', "
        f"statistics=W), nullable=True)}}, name='{t}')"
        for t in tables
    )
    run = prove(one, database, load_suite(write_suite(tmp_path, {"a.py": source})), jobs=jobs)
    found = {t: by_id(run)[f"{t}.x.f"] for t in tables}
    pushed = by_id(prove(one, database, suite_of(*(d.holds(t, "x > 0", id=t) for t in tables))))
    for table in tables:
        for name in ("status", "violations", "examined"):
            assert getattr(found[table], name) == getattr(pushed[table], name), (table, found[table])
        if table not in {"seen", "heirless", "parent"}:  # a key of the parent may be one of its child too
            for name in ("sample", "key_digest", "key"):
                assert getattr(found[table], name) == getattr(pushed[table], name), table
    assert "no key" in found["seen"].message
    assert "no key" in found["parent"].message
    pieces = [s for s in run.statements if s.purpose == "stream of plain"]
    assert len({s.sql for s in pieces}) == len(pieces)
    assert len(pieces) == 1 if jobs == 1 else len(pieces) > 3
    one.drop(database)


@pytest.mark.parametrize("jobs", range(1, 9))
@pytest.mark.parametrize("blocks", [None, 0, 1, 4095, 4096, 8192, 100_000, 10**7])
def test_pieces_cover_every_block_once(blocks: int | None, jobs: int) -> None:
    """The pieces of a table follow each other without a gap or an overlap, from no lower to no upper
    bound.
    """
    stream = suite_stream()
    pieces = pieces_of(3, stream, blocks, jobs)
    assert (pieces[0].first, pieces[-1].end) == (None, None)
    for before, after in pairwise(pieces):
        assert before.end == after.first
        assert isinstance(before.end, int)
        assert (before.first or 0) < before.end
    assert len(pieces) <= max(1, 4 * jobs)
    assert {p.stream for p in pieces} == {3}
    assert pieces_of(0, suite_stream(whole=True), blocks, jobs) == [Piece(0)]


def suite_stream(whole: bool = False) -> Any:
    """A stream of one check."""
    from kisaan_validate.facts.catalogue import Column, Table

    check = pa.Check(lambda s: s > 0, name="f") if whole else rows(lambda s: s > 0)
    suite = suite_of(of_column(check))
    table = Table(1, "public", "t", "r", {"x": Column("x", "integer", "int4", False)})
    return streams.make_stream(table, [("t.x.f", suite.rules["t.x.f"], ("x",))], lambda t, c: False)  # type: ignore[list-item]


TYPES = {
    "uuid": ("'11111111-2222-3333-4444-555555555555'", "11111111-2222-3333-4444-555555555555"),
    "jsonb": ("'{\"a\": 1}'", '{"a": 1}'),
    "text[]": ("'{a,b}'", "{a,b}"),
    "money": ("1.5", None),
    "time": ("'12:00:00.5'", "12:00:00.5"),
    "inet": ("'10.0.0.1'", "10.0.0.1/32"),
    '"Odd type"': ("'odd'", "odd"),
    "whole": ("5", 5),
    "exact": ("1.50", Decimal("1.50")),
    "short": ("'ab'", "ab"),
    "moment": ("'2024-01-01 00:00:00.000001+00'", pd.Timestamp("2024-01-01 00:00:00.000001", tz="UTC")),
    "name": ("'n'", "n"),
    "oid": ("7", "7"),
    "timestamp(3) with time zone": ("'2024-01-01'", pd.Timestamp("2024-01-01", tz="UTC")),
    "interval day to second": ("'1 day'", pd.Timedelta("1 day")),
    "numeric(18,2)": ("1", Decimal("1.00")),
}


def test_types_of_every_kind(server: Server, database: str) -> None:
    """Domains arrive as what they are made of, types that pandas does not have as the server's text; names
    may be odd.
    """
    server.sql(
        """CREATE TYPE "Odd type" AS ENUM ('odd'); CREATE DOMAIN whole AS bigint CHECK (VALUE > 0);
                  CREATE DOMAIN exact AS numeric(10,2); CREATE DOMAIN short AS varchar(3); CREATE DOMAIN moment AS timestamptz""",
        database,
    )
    for type_, (value, wanted) in TYPES.items():
        server.sql(
            f"""DROP TABLE IF EXISTS "T 1"; CREATE TABLE "T 1" ("Id é" {type_}, "x""y" {type_});
                       INSERT INTO "T 1" VALUES ({value}, {value}), (NULL, NULL)""",
            database,
        )
        seen: list[Any] = []

        def keep(s: Any, seen: list[Any] = seen) -> bool:
            seen.append(s.iloc[0])
            return True

        column = pa.Column(None, pa.Check(keep, name="f"), nullable=True)
        found = results(server, database, pa.DataFrameSchema({'x"y': column}, name="T 1"))
        assert found['T 1.x"y.f'].status is Status.PASS, found
        assert wanted is None or (seen[0], str(seen[0])) == (wanted, str(wanted)), type_


def test_a_type_that_only_looks_like_one_of_postgresqls(server: Server, database: str) -> None:
    """A type of the user's by the name of a known one is not read as that one."""
    server.sql(
        "CREATE TYPE public.\"numeric\" AS ENUM ('x'); CREATE TABLE t (id int PRIMARY KEY, x "
        "public.\"numeric\"); INSERT INTO t VALUES (1, 'x')",
        database,
    )
    found = ask(server, database, of_column(rows(lambda s: s == "x")))
    assert found.status is Status.PASS


def test_the_snapshot_is_that_of_the_run(server: Server, database: str) -> None:
    """What others commit while rows are streamed, between chunks too, is not seen: the stream reads the
    run's snapshot.
    """
    made(server, database, "x int")
    server.sql("INSERT INTO t (x) SELECT 1 FROM generate_series(1, 100000)", database)
    changed: list[bool] = []

    def change(s: Any) -> Any:
        if not changed:
            changed.append(True)
            server.sql(
                "UPDATE t SET x = 0; DELETE FROM t WHERE id % 2 = 0; INSERT INTO t (x) SELECT 0 FROM "
                "generate_series(1, 1000)",
                database,
            )
        return s == 1

    found = ask(server, database, of_column(rows(change)))
    assert (found.status, found.examined) == (Status.PASS, 100_000)


def test_a_lost_row_is_an_error(server: Server, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that brings other rows than the table has in the same snapshot proves nothing."""
    made(server, database, "x int", "1", "2", "3")
    whole = piece.Chunk
    monkeypatch.setattr(piece, "Chunk", lambda given, fields: whole(given[:-1], fields))
    found = ask(server, database, of_column(rows(lambda s: s > 0)))
    assert (found.status, found.message) == (Status.ERROR, "2 rows were streamed, but there are 3")


@pytest.mark.parametrize("cut", ["trailer", "header", "a byte", "a field"])
def test_a_damaged_stream_is_an_error(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """A stream without its end, its beginning, or with other bytes than its type sends is not judged."""
    from kisaan_validate.postgres.session import Session

    made(server, database, "x int", "1", "2", "3")
    whole = Session.copy_out

    def copy_out(self: Session, sql: str, write: Callable[[bytes], object]) -> None:
        sent: list[bytes] = []
        whole(self, sql, sent.append)
        damaged = {
            "trailer": sent[:-1],
            "header": [sent[0][19:], *sent[1:]],
            "a byte": [*sent[:1], sent[1][:-1], *sent[2:]],
            "a field": [*sent[:1], sent[1][:1] + b"\x01" + sent[1][2:], *sent[2:]],
        }
        for row in damaged[cut]:
            write(row)

    monkeypatch.setattr(Session, "copy_out", copy_out)
    found = ask(server, database, of_column(rows(lambda s: s > 0)))
    assert found.status is Status.ERROR
    assert "ended early" in found.message or "cannot be decoded" in found.message


# As every other check


MODEL = """\
    import pandera.pandas as pa
    from decimal import Decimal
    from typing import Optional

    LEAST = Decimal("0.01")


    class Orders(pa.DataFrameModel):
        total: pa.Decimal = pa.Field(nullable=True, dtype_kwargs={"precision": 12, "scale": 2}, metadata={"checks": {"positive": {"row_wise": True, "tags": "money"}}})
        paid: pa.Decimal = pa.Field(nullable=True, dtype_kwargs={"precision": 12, "scale": 2})
        note: Optional[str] = pa.Field(nullable=True)

        @pa.check("total")
        def positive(cls, s):
            \"\"\"Every order is worth something.

            A free one is no order.\"\"\"
            return s >= LEAST

        @pa.check("note", element_wise=True, raise_warning=True, name="tidy note", title="notes have no blank ends")
        def tidy(cls, x):
            return x == x.strip()

        @pa.dataframe_check(statistics={"row_wise": True, "columns": ["total", "paid"], "nulls": "pass"}, n_failure_cases=1)
        def paid_in_full(cls, df):
            return df.paid >= df.total

        class Config:
            name = "orders"
            metadata = {"owner": "finance", "checks": {"paid_in_full": {"hint": "call them"}}}
"""


@pytest.fixture
def orders(server: Server, database: str, tmp_path: Path) -> Path:
    """A suite of three Python checks, and a table that violates two of them."""
    server.sql(
        """CREATE TABLE orders (id int PRIMARY KEY, total numeric(12,2), paid numeric(12,2), note text);
                  INSERT INTO orders VALUES (1, 1, 1, 'a'), (2, 5, 1, 'b'), (3, 5, 2, NULL), (4, 5, NULL, ' c')""",
        database,
    )
    return write_suite(tmp_path, {"a.py": MODEL})


def test_a_model_with_python_checks(server: Server, database: str, orders: Path) -> None:
    """Names, prose, severity, owner and tags come out of pandera's own words and of metadata, as for every
    check.
    """
    suite = load_suite(orders)
    checks = {c.id: c for c in suite.checks if c.form is Form.PYTHON}
    assert list(checks) == ["orders.total.positive", "orders.note.tidy_note", "orders.paid_in_full"]
    positive, tidy, paid = checks.values()
    assert (positive.claim, positive.tags, positive.origin) == (
        "Every order is worth something.",
        ("money",),
        "a.py:14",
    )
    assert (tidy.claim, tidy.severity, tidy.applies) == (
        "notes have no blank ends",
        Severity.WARNING,
        ("column orders.note",),
    )
    assert (paid.columns, paid.hint, {c.owner for c in checks.values()}) == (
        ("total", "paid"),
        "call them",
        {"finance"},
    )
    run = prove(server, database, suite)
    found = by_id(run)
    assert (found["orders.total.positive"].status, found["orders.total.positive"].evidence) == (
        Status.PASS,
        Evidence.STREAMED,
    )
    assert (found["orders.note.tidy_note"].violations, found["orders.note.tidy_note"].examined) == (1, 4)
    full = found["orders.paid_in_full"]
    assert (full.violations, full.examined, full.hint) == (2, 3, "call them")
    assert [dict(row) for row in full.sample] == [
        {"id": "2", "total": "5.00", "paid": "1.00"}
    ]  # n_failure_cases
    assert not full.sample_complete
    assert run.verdict is Verdict.FAIL
    (stream,) = [s for s in run.statements if s.purpose == "stream of orders"]
    assert stream.check_ids == tuple(checks)
    assert stream.sql.startswith("COPY (\nSELECT id, total, CASE WHEN pg_catalog.pg_column_size(note)")
    assert "ELSE note END, paid\nFROM public.orders\n" in stream.sql


def test_selection_and_conditions(server: Server, database: str, orders: Path) -> None:
    """select, exclude, applies and missing columns do for Python checks what they do for all."""
    suite = load_suite(orders)
    run = prove(server, database, suite, select=["money"])
    assert [r.check_id for r in run.results] == ["orders.total.positive"]
    assert "note" not in next(s.sql for s in run.statements if s.purpose == "stream of orders")
    server.sql("ALTER TABLE orders DROP note, DROP paid", database)
    found = by_id(prove(server, database, suite, trust_constraints=True))
    assert found["orders.note.tidy_note"].status is Status.NOT_APPLICABLE
    assert (found["orders.paid_in_full"].status, found["orders.paid_in_full"].sqlstate) == (
        Status.SKIP,
        "42703",
    )
    assert found["orders.total.positive"].evidence is Evidence.STREAMED


def test_a_filter_leaves_rows_out(server: Server, database: str) -> None:
    """Rows that a declared filter leaves out are not streamed, examined, shown or counted; a check may ask
    for all of them.
    """
    made(server, database, "x int, gone boolean", "1, false", "-1, true", "-2, NULL", "-3, false", "4, false")
    column = pa.Column(
        None,
        [
            rows(lambda s: s > 0, "some"),
            rows(lambda s: s > 0, "all"),
            pa.Check(lambda s: s.sum() == 2, name="whole"),
        ],
        nullable=True,
        metadata={"checks": {"all": {"filter": False}}},
    )
    suite = suite_of(
        pa.DataFrameSchema({"x": column}, name="t"), settings=settings(filters={"t": "NOT gone"})
    )
    for options in ({}, {"sample": 1}):
        run = prove(server, database, suite, **options)
        found = by_id(run)
        assert (found["t.x.some"].violations, found["t.x.some"].examined) == (1, 3)
        assert [dict(row) for row in found["t.x.some"].sample] == [{"id": "4", "x": "-3"}]
        assert (found["t.x.all"].violations, found["t.x.all"].examined) == (3, 5)
        assert found["t.x.whole"].status is Status.PASS
        assert "filter: NOT gone" in run.by_id["t.x.some"].claim
        pushed = result(
            server, database, d.holds("t", "x > 0"), settings=settings(filters={"t": "NOT gone"}), **options
        )
        assert (pushed.key_digest, pushed.sample) == (found["t.x.some"].key_digest, found["t.x.some"].sample)
        streams_ = [s.sql for s in run.statements if s.purpose == "stream of t"]
        assert sum("WHERE (NOT gone)" in sql for sql in streams_) == 1


def test_a_lost_row_of_a_filtered_table_is_an_error(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows that a filter leaves are counted for themselves, and all must come."""
    made(server, database, "x int", "1", "2", "3", "-1")
    whole = piece.Chunk
    monkeypatch.setattr(piece, "Chunk", lambda given, fields: whole(given[:-1], fields))
    found = ask(server, database, of_column(rows(lambda s: s > 0)), settings=settings(filters={"t": "x > 0"}))
    assert (found.status, found.message) == (Status.ERROR, "2 rows were streamed, but there are 3")


def test_explain_shows_the_stream(server: Server, database: str, orders: Path) -> None:
    """The plan names the COPY that will be sent, and nothing is sent."""
    (stream,) = explain(load_suite(orders), server.dsn(database)).streams
    assert (
        stream.sql()
        == "COPY (\nSELECT id, total, note, paid\nFROM public.orders\n) TO STDOUT (FORMAT binary)"
    )
    assert [j.check_id for j in stream.judges] == [
        "orders.total.positive",
        "orders.note.tidy_note",
        "orders.paid_in_full",
    ]


@pytest.mark.slow
def test_the_same_check_among_many_gives_the_same_answer(server: Server, database: str, orders: Path) -> None:
    """One stream for all checks, or one check alone: the answers are the same."""
    suite = load_suite(orders)
    whole = by_id(prove(server, database, suite))
    for id in ("orders.total.positive", "orders.note.tidy_note", "orders.paid_in_full"):
        (alone,) = prove(server, database, suite, select=[id]).results
        for name in ("status", "violations", "examined", "sample", "key_digest", "evidence", "message"):
            assert getattr(alone, name) == getattr(whole[id], name)


def test_an_empty_table_holds_vacuously(server: Server, database: str) -> None:
    """Without rows a row-wise function is not called; one of whole columns is, as pandera would."""
    made(server, database, "x int")
    found = ask(server, database, of_column(rows(lambda s: 1 / 0)))
    assert vacuous(found)
    assert (
        ask(server, database, of_column(pa.Check(lambda s: bool(s.mean() > 0), name="f"))).status
        is not Status.PASS
    )
    assert ask(server, database, of_column(pa.Check(lambda s: s > 0, name="f"))).status is Status.PASS


def test_a_registered_extension(server: Server, database: str) -> None:
    """A check method that was registered with pandera is a function like any other, its statistics a part
    of its meaning.
    """
    import pandera.extensions as extensions

    if not hasattr(pa.Check, "is_multiple_of"):

        @extensions.register_check_method(statistics=["of"])
        def is_multiple_of(s: Any, *, of: int) -> Any:
            return s % of == 0

    made(server, database, "x int", "2", "3", "4")
    digests = set()
    for of, wrong in ((2, 1), (3, 2)):
        schema = of_column(pa.Check.is_multiple_of(of=of))
        assert ask(server, database, schema).violations == wrong
        digests.add(next(c.digest for c in suite_of(schema).checks if c.form is Form.PYTHON))
    assert len(digests) == 2


# Which could be pushed down


class Pushable:
    """Functions and what the database could be asked instead; "" where nothing is proposed."""

    column: dict[str, str] = {  # noqa: RUF012
        "lambda s: s > 0": "x > 0",
        "lambda s: 0 < s": "0 < x",
        "lambda s: s <= -1.5": "x <= (-1.5)",
        "lambda s: s != 'it''s'": "x <> 'its'",
        "lambda s: s.isin([1, 2])": "x IN (1, 2)",
        "lambda s: ~s.isin(['a', \"b'\"])": "NOT (x IN ('a', 'b'''))",
        "lambda s: s.between(1, 5)": "x BETWEEN 1 AND 5",
        "lambda s: s.str.len() <= 3": "length(x) <= 3",
        "lambda s: s.str.startswith('ab')": "left(x, 2) = 'ab'",
        "lambda s: s >= Decimal('0.01')": "x >= 0.01",
        "lambda s: s > s.mean()": "",
        "lambda s: s + 1 > 0": "",
        "lambda s: f(s)": "",
        "lambda s: True": "",
        "lambda s: s": "",
        "lambda s: (s > 0) & (s < 5)": "",
        "lambda s: 1 > 0": "",
        "lambda s: s > None": "",
        "lambda s: s.isin(KNOWN)": "",
    }
    element: dict[str, str] = {  # noqa: RUF012
        "lambda v: 0 < v <= 5": "0 < x AND x <= 5",
        "lambda v: v in (1, 2)": "x IN (1, 2)",
        "lambda v: len(v) == 3": "length(x) = 3",
        "lambda v: not v.endswith('z')": "NOT (right(x, 1) = 'z')",
        "lambda v: v not in {'a'}": "x NOT IN ('a')",
    }
    frame: dict[str, str] = {  # noqa: RUF012
        "lambda df: df.x <= df.y": "x <= y",
        "lambda df: df['x'] == 3": "x = 3",
        "lambda df: df.x.str.len() > df.z": "",
        "lambda df: df > 0": "",
    }


def test_what_could_be_pushed_down_is_proposed(tmp_path: Path) -> None:
    """A function that is one comparison is named, with the SQL; anything less plain is left alone."""
    lines = ["import pandera.pandas as pa", "from decimal import Decimal", "KNOWN = []", "f = None"]
    wanted = {}
    for kind, cases in (
        ("column", Pushable.column),
        ("element", Pushable.element),
        ("frame", Pushable.frame),
    ):
        for n, (source, sql) in enumerate(cases.items()):
            check = f"pa.Check({source}, name='{kind}{n}', element_wise={kind == 'element'})"
            columns = (
                f"{{'x': pa.Column(None{', ' + check if kind != 'frame' else ''}), 'y': pa.Column(None)}}"
            )
            lines.append(
                f"T_{kind}{n} = pa.DataFrameSchema({columns}, "
                f"checks={check if kind == 'frame' else None}, name='t{kind}{n}')"
            )
            if sql:
                wanted[f"t{kind}{n}.{'' if kind == 'frame' else 'x.'}{kind}{n}"] = (
                    f"declare.holds('t{kind}{n}', {sql!r})"
                )
    assert suggestions(load_suite(write_suite(tmp_path, {"a.py": "\n".join(lines)}))) == wanted


def test_a_proposal_holds_where_the_function_does(server: Server, database: str) -> None:
    """On values without NULL and NaN, each proposed expression counts what the function counts; a notice
    proposes it.
    """
    made(server, database, "x int, y int", "-1, 0", "1, 1", "2, 1", "5, 9", "6, 6")
    checks = [
        rows(lambda s: s > 0, "a"),
        rows(lambda s: s.isin([1, 2]), "b"),
        rows(lambda s: s.between(1, 5), "c"),
        pa.Check(lambda v: 0 < v <= 5, element_wise=True, name="d"),
    ]
    schema = pa.DataFrameSchema(
        {"x": pa.Column(None, checks), "y": pa.Column(None)},
        checks=rows(lambda df: df.x <= df.y, "e"),
        name="t",
    )
    suite = suite_of(schema)
    run = prove(server, database, suite)
    (notice,) = [n for n in run.notices if n.code == "pushdown"]
    assert notice.message.startswith(
        "5 Python checks could run inside the database: t.x.a as declare.holds('t', 'x > 0')"
    )
    proposed = {id: eval(text, {"declare": d}) for id, text in suggestions(suite).items()}
    for id, declaration in proposed.items():
        there = result(server, database, declaration)
        assert (by_id(run)[id].violations, by_id(run)[id].key_digest) == (there.violations, there.key_digest)
