"""Python checks on streamed rows give what pandera gives in memory, and what PostgreSQL gives where it can
judge itself.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import examples, insert, pandera_counts, results
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_equivalence import KINDS, LABELS, TEXTS, Kind, big, decimals

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Evidence, Status
from kisaan_validate.stream import piece

LAW = hypothesis_settings(
    max_examples=examples(30),
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

ROW_WISE = {"row_wise": True}
STRINGS = {"text", "varchar", "enum"}


def series(kind: str, values: list[Any]) -> Any:
    """The column that a function is promised, made by pandas out of the values themselves."""
    if kind in STRINGS:
        return pd.Series(values, dtype=pd.StringDtype("python"))
    return KINDS[kind].series(values)


@pytest.fixture(scope="module")
def arena(server: Server) -> Iterator[str]:
    """A database for tables t of random types."""
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in LABELS)
    name = server.create(f"CREATE TYPE level AS ENUM ({labels})")
    yield name
    server.drop(name)


@pytest.fixture(
    params=[
        pytest.param(3, id="chunks of three rows"),
        pytest.param(piece.CHUNK_ROWS, id="one chunk", marks=pytest.mark.slow),
    ]
)
def chunks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that end in the middle of everything, and the ordinary ones."""
    monkeypatch.setattr(piece, "CHUNK_ROWS", request.param)


def fill(
    server: Server,
    arena: str,
    types: list[str],
    rows: list[tuple[Any, ...]],
    key: str = "id serial PRIMARY KEY",
) -> None:
    """A table t with columns c0, c1, … of these types."""
    columns = ", ".join([key, *(f"c{n} {type_}" for n, type_ in enumerate(types))])
    server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({columns})", arena)
    insert(server, arena, f"t ({', '.join(f'c{n}' for n in range(len(types)))})", rows)


# Three ways to one number


@st.composite
def twins(draw: st.DrawFn, kind: Kind) -> dict[str, tuple[Any, Callable[..., Any]]]:
    """Built-in checks, and functions that say the same."""
    bound = draw(kind.bounds)
    chosen = draw(st.lists(kind.bounds, max_size=3, unique_by=repr))
    C = pa.Check
    known: dict[str, tuple[Any, Callable[..., Any]]] = {
        "eq": (C.eq(bound), lambda s: s == bound),
        "ne": (C.ne(bound), lambda s: s != bound),
        "isin": (C.isin(chosen), lambda s: s.isin(chosen)),
    }
    if kind.ordered:
        known |= {
            "gt": (C.gt(bound), lambda s: s > bound),
            "le": (C.le(bound), lambda s: s <= bound),
            "lt": (C.lt(bound), lambda s: s < bound),
            "ge": (C.ge(bound), lambda s: bound <= s),
        }
        # What no value is above, or below, is refused at load.
        known = {name: known[name] for name in known if (name, bound) not in {("gt", INF), ("lt", -INF)}}
    if kind.text:
        start = draw(st.sampled_from(TEXTS))
        known |= {
            "starts": (C.str_startswith(start), lambda s: s.str.startswith(start)),
            "length": (C.str_length(max_value=2), lambda s: s.str.len() <= 2),
        }
    return known


def by_hand(kind: str, column: Any, function: Callable[..., Any], element_wise: bool, whole: bool) -> Any:
    """pandera's Check of a function."""
    return pa.Check(
        function, element_wise=element_wise, statistics=None if element_wise or whole else ROW_WISE
    )


@pytest.mark.slow
@LAW
@given(st.data())
def test_streamed_is_in_memory_is_pushed_down(server: Server, arena: str, chunks: None, data: Any) -> None:
    """A function counts on streamed rows what pandera counts in memory and PostgreSQL by the built-in
    check of that meaning.
    """
    kinds = data.draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=3), label="kinds")
    size = data.draw(st.integers(0, 10))
    columns = [data.draw(st.lists(st.none() | KINDS[k].values, min_size=size, max_size=size)) for k in kinds]
    fill(server, arena, [KINDS[k].sql for k in kinds], list(zip(*columns, strict=True)))
    frame = pd.DataFrame({f"c{n}": series(k, columns[n]) for n, k in enumerate(kinds)})
    built, made = {}, {}
    for n, kind in enumerate(kinds):
        pairs = data.draw(twins(KINDS[kind]))
        built[f"c{n}"] = pa.Column(None, [builtin for builtin, _ in pairs.values()], nullable=True)
        named = []
        for name, (_, function) in pairs.items():
            # Elements of an enum, a date, … are compared one by one where the Series itself cannot be.
            way = "element" if kind == "date" else data.draw(st.sampled_from(["rows", "whole", "element"]))
            if way == "element" and name in {"isin", "starts", "length"}:
                way = "rows"
            statistics = ROW_WISE if way == "rows" else None
            named.append(
                pa.Check(function, name=f"my_{name}", element_wise=way == "element", statistics=statistics)
            )
        made[f"c{n}"] = pa.Column(None, named, nullable=True)
    found = results(server, arena, pa.DataFrameSchema(made, name="t"))
    streamed = {id: r for id, r in found.items() if r.evidence is not Evidence.CATALOGUE}
    assert {r.evidence for r in streamed.values()} == {Evidence.STREAMED}, streamed
    counts = {id.removeprefix("t."): r.violations for id, r in streamed.items() if r.violations}
    event("all hold" if not counts else "some fail")
    assert counts == pandera_counts(pa.DataFrameSchema(made), frame)
    pushed = [
        r
        for r in results(server, arena, pa.DataFrameSchema(built, name="t")).values()
        if r.evidence is Evidence.SCANNED
    ]
    for here, there in zip(streamed.values(), pushed, strict=True):
        assert (here.violations, here.examined) == (there.violations, there.examined), (here, there)
        assert (here.key_digest, [row[0] for row in here.sample]) == (
            there.key_digest,
            [row[0] for row in there.sample],
        )
        assert here.sample == there.sample


NAN, INF = Decimal("NaN"), Decimal("Infinity")
far = st.decimals(
    allow_nan=False, allow_infinity=False, min_value=Decimal("-1E+60"), max_value=Decimal("1E+60")
)
EXACT: dict[str, tuple[str, Any, Callable[[list[Any]], Any]]] = {
    "numeric": (
        "numeric",
        decimals | far | st.sampled_from([NAN, INF, -INF]),
        lambda v: pd.Series(v, dtype=object),
    ),
    "bigint": ("bigint", big, lambda v: pd.Series(v, dtype="Int64")),
    "smallint": ("smallint", st.integers(-(2**15), 2**15 - 1), lambda v: pd.Series(v, dtype="Int16")),
    "boolean": ("boolean", st.booleans(), lambda v: pd.Series(v, dtype="boolean")),
    "float8": (
        "double precision",
        st.floats(),
        lambda v: pd.Series([math.nan if x is None else x for x in v], dtype="float64"),
    ),
    "real": (
        "real",
        st.floats(width=32),
        lambda v: pd.Series([math.nan if x is None else x for x in v], dtype="float32"),
    ),
    "text": (
        "text",
        st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
        | st.sampled_from(TEXTS),
        lambda v: pd.Series(v, dtype=pd.StringDtype("python")),
    ),
    "char": (
        "char(4)",
        st.sampled_from(["", "a", "ab", "abcd", "é"]),
        lambda v: pd.Series(v, dtype=pd.StringDtype("python")),
    ),
    "date": ("date", st.dates(), lambda v: pd.Series(v, dtype=object)),
    "timestamptz": (
        "timestamptz",
        st.datetimes(timezones=st.just(dt.UTC)),
        lambda v: pd.Series(v, dtype="datetime64[us, UTC]"),
    ),
    "timestamp": ("timestamp", st.datetimes(), lambda v: pd.Series(v, dtype="datetime64[us]")),
    "interval": (
        "interval",
        st.timedeltas(dt.timedelta(-9999), dt.timedelta(9999)),
        lambda v: pd.Series(v, dtype="timedelta64[us]"),
    ),
    "bytea": ("bytea", st.binary(max_size=9), lambda v: pd.Series(v, dtype=object)),
}


@pytest.mark.slow
@hypothesis_settings(LAW, max_examples=examples(60))
@given(st.sampled_from(sorted(EXACT)), st.data())
def test_what_a_function_is_given_is_exact(
    server: Server, arena: str, chunks: None, name: str, data: Any
) -> None:
    """Every value of every type arrives as the one that was stored: no digit, place, microsecond or byte
    less.
    """
    sql, values, expected = EXACT[name]
    rows = data.draw(st.lists(st.none() | values, max_size=8))
    # As text: a bare -0.0 in SQL is a numeric, which has no sign of zero.
    fill(server, arena, [sql], [(repr(v) if isinstance(v, float) else v,) for v in rows])
    seen = []

    def keep(s: Any) -> bool:
        seen.append(s.copy())
        return True

    column = pa.Column(None, pa.Check(keep, ignore_na=False), nullable=True, metadata={"allow_nan": True})
    schema = pa.DataFrameSchema({"c0": column}, name="t")
    assert results(server, arena, schema)["t.c0.keep"].status is Status.PASS
    (given_,) = seen
    wanted = expected(rows).rename("c0")
    pd.testing.assert_series_equal(given_, wanted)
    if name == "numeric":  # equal decimals may have other digits: 1.5 and 1.50, NaN and anything
        stored = server.sql("SELECT c0::text FROM t ORDER BY id", arena)
        assert [None if v is None else str(v) for v in given_] == [v and str(Decimal(v)) for (v,) in stored]
    if name == "float8":
        assert np.array_equal(np.signbit(given_.fillna(1)), np.signbit(wanted.fillna(1)))


@pytest.mark.parametrize("key", ["id serial PRIMARY KEY", "id serial"], ids=["key", "ctid"])
def test_many_short_texts_are_told_apart(server: Server, arena: str, key: str) -> None:
    """Texts of up to 15 bytes that repeat are decoded once each, and none is taken for another, nor for
    NULL.
    """
    texts = ["", "a", "b", "aa", "12345678", "123456789", "123456789012345", "é" * 7, "\x01", None]
    fill(server, arena, ["text"], [(texts[n % 10],) for n in range(600)], key)
    seen = []

    def keep(s: Any) -> bool:
        seen.append(s.copy())
        return True

    schema = pa.DataFrameSchema(
        {"c0": pa.Column(None, pa.Check(keep, ignore_na=False), nullable=True)}, name="t"
    )
    results(server, arena, schema)
    assert seen[0].tolist() == [texts[n % 10] if n % 10 < 9 else pd.NA for n in range(600)]


KEYS = {
    "integers": "a int, b int, PRIMARY KEY (b, a)",
    "texts": 'a text COLLATE "C", b int, PRIMARY KEY (a)',
    "uuids": "a uuid, b int, PRIMARY KEY (a, b)",
    "decimals": "a numeric, b int, PRIMARY KEY (a)",
    "instants": "a timestamptz, b int, PRIMARY KEY (a)",
    "none": "a text, b int",
}
KEY_VALUES = {
    "integers": st.integers(-(2**31), 2**31 - 1),
    "texts": st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=4)
    | st.sampled_from([*TEXTS, "NULL", "null", '{"', "a,b", " "]),
    "uuids": st.uuids().map(str),
    "decimals": st.decimals(
        allow_infinity=False, allow_nan=False, places=3, min_value=-(10**9), max_value=10**9
    ),
    "instants": st.datetimes(dt.datetime(1000, 1, 1), timezones=st.just(dt.UTC)),
    "none": st.sampled_from(["x", "y"]),
}


@pytest.mark.slow
@hypothesis_settings(LAW, max_examples=examples(60))
@given(st.sampled_from(sorted(KEYS)), st.data())
def test_keys_are_those_of_a_pushed_down_check(
    server: Server, arena: str, chunks: None, kind: str, data: Any
) -> None:
    """Sample, its order, and the digest of all violating keys are what PostgreSQL says of the same rows,
    whatever the key.
    """
    values = data.draw(st.lists(KEY_VALUES[kind], max_size=12, unique=kind != "none"))
    server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({KEYS[kind]}, x int)", arena)
    insert(
        server,
        arena,
        "t (a, b, x)",
        [(str(v) if kind == "uuids" else v, n % 3 + n, n % 2) for n, v in enumerate(values)],
    )
    limit = data.draw(st.integers(1, 4))
    pushed = results(server, arena, d.holds("t", "x = 0", id="pushed"), sample=limit)["pushed"]
    schema = pa.DataFrameSchema(
        {"x": pa.Column(None, pa.Check(lambda s: s == 0, name="zero", statistics=ROW_WISE))}, name="t"
    )
    streamed = results(server, arena, schema, sample=limit)["t.x.zero"]
    for name in ("status", "violations", "examined", "sample", "key", "key_digest", "sample_complete"):
        assert getattr(streamed, name) == getattr(pushed, name), name
