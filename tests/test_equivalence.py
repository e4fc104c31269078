"""Three ways to the same numbers: all checks fused by ``run``, each check alone, and pandera on a DataFrame.

Random tables of many types and random pandera schemas over them. The exceptions of docs/semantics.md are
left out one by one, each where it is named below, and nothing else is.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import counts, examples, insert, pandera_counts, prove, settings
from hypothesis import HealthCheck, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate.facts.result import Status
from kisaan_validate.plan.plan import make_plan
from kisaan_validate.postgres.catalogue import read_catalogue
from kisaan_validate.postgres.session import Limits, Session
from kisaan_validate.postgres.target import find_target
from kisaan_validate.suite.load import suite_of

LAW = hypothesis_settings(
    max_examples=examples(120),
    derandomize=True,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)

NAN = float("nan")
INF = float("inf")


@dataclass(frozen=True)
class Kind:
    """One type of column: its SQL, its values, the bounds it is compared with, and the Series of the same
    values.
    """

    sql: str
    values: st.SearchStrategy[Any]
    bounds: st.SearchStrategy[Any]
    series: Callable[[list[Any]], Any]
    text: bool = False
    ordered: bool = True


def objects(values: list[Any]) -> Any:
    """The values as they are, None for NULL."""
    return pd.Series(values, dtype=object)


def nullable(dtype: str) -> Callable[[list[Any]], Any]:
    """A Series of one of pandas' nullable dtypes, exact beside NULL (exception ``bigint-null``)."""
    return lambda values: pd.Series(values, dtype=dtype)


def floats(values: list[Any]) -> Any:
    """A float64 Series; NULL and NaN are the same there (exceptions ``nan-…``)."""
    return pd.Series([NAN if v is None else v for v in values], dtype="float64")


TEXTS = [
    "",
    "a",
    "A",
    "b",
    "ab",
    "aa",
    " ",
    "a ",
    "'",
    "''",
    '"',
    "\\",
    "\\\\",
    "%",
    "%s",
    "_",
    "é",
    "е",
    "😀",
    "\n",
    "a\n",
    "\t",
    "NULL",
    "nan",
    "0",
    ":x",
    "$1",
    "{}",
    "--",
    "/*",
    "ß",
    "\u200d",
    "\x01",
    "z" * 300,
]
texts = st.sampled_from(TEXTS) | st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)

decimals = st.decimals(
    allow_nan=False, allow_infinity=False, places=6, min_value=-(10**15), max_value=10**15
) | st.sampled_from(
    [
        Decimal(0),
        Decimal("-0.000001"),
        Decimal("1.0"),
        Decimal("1.00"),
        Decimal("1E+30"),
        Decimal("0.1"),
        Decimal("-1E-30"),
        Decimal("123456789012345678901234567890.123456789"),
    ]
)
reals = st.floats(allow_nan=False, allow_infinity=True, allow_subnormal=False) | st.sampled_from(
    [0.0, -0.0, 0.1, 1.0, -1.5, 1e308, 5e-300, INF, -INF, 2.0**53, 1 / 3]
)
big = st.sampled_from([0, 1, -1, 2**31, -(2**31), 2**53 + 1, 2**63 - 1, -(2**63)]) | st.integers(
    -(2**63), 2**63 - 1
)
# pandas keeps nanoseconds in 64 bits only where it must: microseconds reach over all of Python's years.
moments = st.datetimes(
    dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30), timezones=st.just(dt.UTC)
) | st.sampled_from(
    [dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2024, 2, 29, 23, 59, 59, 999999, tzinfo=dt.UTC)]
)
plain_moments = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
dates = st.dates(dt.date(1, 1, 1), dt.date(9999, 12, 31)) | st.sampled_from(
    [dt.date(1970, 1, 1), dt.date(2024, 2, 29)]
)

LABELS = ["low", "high", "mid dle", "it's", "é"]

KINDS = {
    "smallint": Kind(
        "smallint",
        st.integers(-3, 3) | st.sampled_from([-(2**15), 2**15 - 1]),
        st.integers(-4, 4),
        nullable("Int16"),
    ),
    "integer": Kind(
        "integer",
        st.integers(-(2**31), 2**31 - 1) | st.integers(-3, 3),
        st.integers(-(2**31), 2**31 - 1),
        nullable("Int32"),
    ),
    "bigint": Kind("bigint", big, big, nullable("Int64")),
    "numeric": Kind("numeric", decimals, decimals | st.integers(-5, 5), objects),
    "money": Kind(
        "numeric(18,2)",
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15),
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**3), max_value=10**3),
        objects,
    ),
    "float8": Kind("double precision", reals, reals, floats),
    "boolean": Kind("boolean", st.booleans(), st.booleans(), nullable("boolean"), ordered=False),
    "text": Kind('text COLLATE "C"', texts, texts, objects, text=True),
    "varchar": Kind('varchar(400) COLLATE "C"', texts, texts, objects, text=True),
    "enum": Kind(
        "level",
        st.sampled_from(LABELS),
        st.sampled_from([*LABELS, "none"]),
        objects,
        text=True,
        ordered=False,
    ),
    "timestamptz": Kind(
        "timestamptz", moments, moments.map(pd.Timestamp), lambda v: pd.Series(v, dtype="datetime64[us, UTC]")
    ),
    "timestamp": Kind(
        "timestamp",
        plain_moments,
        plain_moments.map(pd.Timestamp),
        lambda v: pd.Series(v, dtype="datetime64[us]"),
    ),
    "date": Kind("date", dates, dates, objects),
}

# Patterns on which the server's expressions and Python's agree (exceptions dollar, dot, digits,
# word-boundary, regex-dialect): no $, no ., no class escapes.
PATTERNS = [
    "a",
    "A|b",
    "[ab]+",
    "(?i)AB",
    "^a",
    "a{2}",
    "[^a]",
    "a?b",
    "(?:a|b)a",
    "%",
    "é",
    "'",
    '"',
    r"\\",
    "_",
    "^(?!a)",
    "x*",
]


@st.composite
def checks(draw: st.DrawFn, kind: Kind) -> list[Any]:
    """A few built-in checks that fit the type, each at most once, so that every count has one name."""
    bound, C = kind.bounds, pa.Check
    sets = st.lists(bound, max_size=4, unique_by=repr)
    known = {
        "eq": bound.map(C.eq),
        "ne": bound.map(C.ne),
        "isin": sets.map(C.isin),
        "notin": sets.map(C.notin),
    }
    if kind.ordered:
        # What no value is above, or below, is refused at load.
        low, high = (bound.filter(lambda b, end=end: b != float(end)) for end in ("inf", "-inf"))
        known |= {"gt": low.map(C.gt), "ge": bound.map(C.ge), "lt": high.map(C.lt), "le": bound.map(C.le)}
        pairs = st.tuples(bound, bound, st.booleans(), st.booleans()).filter(lambda p: p[0] <= p[1])
        known["in_range"] = pairs.filter(lambda p: p[0] < p[1] or (p[2] and p[3])).map(
            lambda p: C.in_range(*p)
        )
    if kind.text:
        sizes = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted)
        known |= {
            "str_startswith": texts.map(C.str_startswith),
            "str_endswith": texts.map(C.str_endswith),
            "str_length": sizes.map(lambda s: C.str_length(*s)),
            "str_matches": st.sampled_from(PATTERNS).map(C.str_matches),
            "str_contains": st.sampled_from(PATTERNS).map(C.str_contains),
        }
    names = draw(st.lists(st.sampled_from(sorted(known)), unique=True, min_size=1, max_size=5))
    return [draw(known[name]) for name in names]


@dataclass(frozen=True)
class Case:
    """A table and a schema over it."""

    kinds: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    schema: Any


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """One to four columns of any types, up to twelve rows with NULLs and repeated values."""
    kinds = tuple(draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4)))
    size = draw(st.integers(0, 12))
    columns, series = {}, []
    for number, name in enumerate(kinds):
        kind = KINDS[name]
        pool = draw(st.lists(kind.values, min_size=1, max_size=6))
        series.append(draw(st.lists(st.none() | st.sampled_from(pool), min_size=size, max_size=size)))
        made = draw(checks(kind))
        columns[f"c{number}"] = pa.Column(
            None, made, nullable=draw(st.booleans()), unique=draw(st.booleans())
        )
    together = draw(st.sampled_from([None, list(columns)])) if len(columns) > 1 else None
    schema = pa.DataFrameSchema(columns, name="t", unique=together)
    return Case(kinds, tuple(zip(*series, strict=True)), schema)


@pytest.fixture(scope="module")
def arena(server: Server) -> Iterator[str]:
    """A database with one table for each combination of types asked for so far."""
    labels = ", ".join("'" + label.replace("'", "''") + "'" for label in LABELS)
    name = server.create(f"CREATE TYPE level AS ENUM ({labels})")
    yield name
    server.drop(name)


def fill(server: Server, arena: str, case: Case) -> None:
    """The case's table, every value bound as a parameter."""
    columns = ", ".join(f"c{n} {KINDS[kind].sql}" for n, kind in enumerate(case.kinds))
    server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id serial PRIMARY KEY, {columns})", arena)
    names = ", ".join(f"c{n}" for n in range(len(case.kinds)))
    insert(server, arena, f"t ({names})", case.rows)


def frame_of(case: Case) -> pd.DataFrame:
    """The same rows as a DataFrame."""
    listed = list(zip(*case.rows, strict=True)) or [()] * len(case.kinds)
    return pd.DataFrame({f"c{n}": KINDS[k].series(list(listed[n])) for n, k in enumerate(case.kinds)})


RENAMED = {"not_nullable": "not_null"}


def by_pandera(case: Case, frame: pd.DataFrame) -> dict[str, int]:
    """pandera's failure counts under this package's names; uniqueness and sets are counted as documented
    here.
    """
    columns = {
        name: pa.Column(None, c.checks, nullable=c.nullable) for name, c in case.schema.columns.items()
    }
    found = pandera_counts(pa.DataFrameSchema(columns), frame)
    named = {
        f"t.{column}.{RENAMED.get(check, check)}": n
        for column, _, check, n in ((*id.partition("."), n) for id, n in found.items())
    }
    # Exceptions duplicates, duplicates-null, duplicates-frame: pandera's own verdict is the surplus by
    # duplicated().
    for name, column in case.schema.columns.items():
        if column.unique:
            named[f"t.{name}.unique"] = int(frame[name].duplicated().sum())
    if case.schema.unique:
        named[f"t.{'_'.join(case.schema.unique)}.unique"] = int(frame.duplicated(case.schema.unique).sum())
    return {id: n for id, n in named.items() if n}


def fused(server: Server, arena: str, case: Case) -> dict[str, int | None]:
    """The counts of all checks, from one run."""
    answers = prove(server, arena, suite_of(case.schema, settings=settings()), sample=1)
    return {id: n for id, n in counts({r.check_id: r for r in answers.results}).items() if n}


@LAW
@given(cases())
def test_fused_is_what_pandera_finds(server: Server, arena: str, case: Case) -> None:
    """Every check of a random schema counts on the table what pandera counts on a DataFrame of the same
    rows.
    """
    fill(server, arena, case)
    here = fused(server, arena, case)
    event("all hold" if not here else "some fail")
    assert here == by_pandera(case, frame_of(case))


@pytest.mark.slow
@hypothesis_settings(LAW, max_examples=examples(60))
@given(cases())
def test_fused_is_each_alone(server: Server, arena: str, case: Case) -> None:
    """A statement that answers many checks answers each as the statement that asks for it alone does."""
    fill(server, arena, case)
    suite = suite_of(case.schema, settings=settings())
    together = {r.check_id: r for r in prove(server, arena, suite).results}
    session = Session(find_target(server.dsn(arena)), Limits(), ("public",))
    try:
        session.begin()
        catalogue = read_catalogue(session, ("public",), {})
        for check in suite.checks:
            plan = make_plan(suite.narrowed([check.id]), catalogue)
            assert sum(len(p.slots) for p in plan.passes) + len(plan.queries) == (
                check.id not in plan.settled
            )
            for statement in plan.passes:  # a query check has one without slots, which counts the rows
                (row,) = session.execute(statement.sql())
                examined, alone_in_it = statement.read(row)
                assert examined == together[check.id].examined
                assert alone_in_it in ([], [(together[check.id].violations, examined)]), check
            for query in plan.queries:
                ((alone,),) = session.execute(query.sql())
                assert alone == together[check.id].violations, check
    finally:
        session.close()


@hypothesis_settings(LAW, max_examples=examples(25))
@given(cases(), st.data())
def test_a_selected_check_answers_as_in_the_whole(server: Server, arena: str, case: Case, data: Any) -> None:
    """``select`` changes which checks are asked, never an answer: count, keys, digest and status are the
    same.
    """
    fill(server, arena, case)
    suite = suite_of(case.schema, settings=settings())
    whole = {r.check_id: r for r in prove(server, arena, suite).results}
    chosen = data.draw(st.sampled_from(sorted(whole)))
    (alone,) = prove(server, arena, suite, select=[chosen], jobs=2).results
    for name in ("status", "violations", "sample", "key_digest", "evidence"):
        assert getattr(alone, name) == getattr(whole[chosen], name), name


SPECIAL = [None, "NaN", "Infinity", "-Infinity", "0", "1", "-1", "0.1", "1e30"]


def as_number(text: str | None) -> float | None:
    """PostgreSQL's order of numbers in Python: NaN above infinity."""
    return None if text is None else math.nan if text == "NaN" else float(text)


def holds(name: str, value: float, bound: float, allow_nan: bool) -> bool:
    """What rule 2 of docs/semantics.md says of a range."""
    if math.isnan(value):
        return allow_nan
    return {"gt": value > bound, "ge": value >= bound, "lt": value < bound, "le": value <= bound}[name]


@hypothesis_settings(LAW, max_examples=examples(40))
@given(
    st.sampled_from(["numeric", "real", "double precision"]),
    st.lists(st.sampled_from(SPECIAL), max_size=8),
    st.sampled_from([0, 1, -1, 0.5, 10**20]),
    st.booleans(),
)
def test_ranges_over_nan_and_infinity(
    server: Server, arena: str, type_: str, values: list[str | None], bound: Any, allow_nan: bool
) -> None:
    """Over NaN and ±Infinity, where pandera's answer differs by the exceptions, the rule in words is the
    oracle.
    """
    server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, x {type_})", arena)
    insert(server, arena, "t (x)", [(v,) for v in values])
    names = ("gt", "ge", "lt", "le")
    made = [getattr(pa.Check, name)(bound) for name in names] + [pa.Check.in_range(bound, bound)]
    column = pa.Column(object, made, nullable=True, metadata={"allow_nan": allow_nan})
    suite = suite_of(pa.DataFrameSchema({"x": column}, name="t"), settings=settings())
    found = [
        r for r in prove(server, arena, suite).results if r.check_id.rpartition(".")[2] not in {"present"}
    ]
    numbers = [n for v in values if (n := as_number(v)) is not None]
    expected = [sum(not holds(name, n, bound, allow_nan) for n in numbers) for name in names]
    between = [holds("ge", n, bound, allow_nan) and holds("le", n, bound, allow_nan) for n in numbers]
    found = [r for r in found if r.check_id != "t.present"]
    assert [r.violations for r in found] == [*expected, between.count(False)]
    # Where no NaN is involved, pandera says the same.
    frame = pd.DataFrame(
        {"x": pd.Series([NAN if v in (None, "NaN") else float(v) for v in values], dtype="float64")}
    )
    if "NaN" not in values and type_ == "double precision":
        plain = pa.DataFrameSchema({"x": pa.Column(None, made, nullable=True)})
        assert sum(pandera_counts(plain, frame).values()) == sum(r.violations or 0 for r in found)


@hypothesis_settings(LAW, max_examples=examples(40))
@given(
    st.lists(st.none() | st.floats(width=32, allow_nan=False), max_size=8),
    st.floats(width=32, allow_nan=False) | st.sampled_from([0.1, 1e300]),
)
def test_real_columns(server: Server, arena: str, values: list[float | None], bound: float) -> None:
    """A ``real`` column is compared in its own precision, as numpy compares float32 with a Python float."""
    server.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, x real)", arena)
    insert(server, arena, "t (x)", [(v,) for v in values])
    made = [pa.Check.eq(bound), pa.Check.gt(bound), pa.Check.le(bound), pa.Check.ne(bound)]
    suite = suite_of(
        pa.DataFrameSchema({"x": pa.Column(object, made, nullable=True)}, name="t"), settings=settings()
    )
    found = {r.check_id.rpartition(".")[2]: r.violations for r in prove(server, arena, suite).results}
    numbers = np.array([v for v in values if v is not None], dtype="float32").astype("float64")
    own = float(np.float32(bound)) if abs(bound) <= 3.4e38 or math.isinf(bound) else bound
    assert found["equal_to"] == int((numbers != own).sum())
    assert found["not_equal_to"] == int((numbers == own).sum())
    assert found["greater_than"] == int((numbers <= own).sum())
    assert found["less_than_or_equal_to"] == int((numbers > own).sum())


@hypothesis_settings(LAW, max_examples=examples(25))
@given(
    st.lists(
        st.sampled_from(["infinity", "-infinity", "4713-01-01 BC", "294276-12-31", "2024-01-01", None]),
        max_size=6,
    )
)
def test_extreme_moments(server: Server, arena: str, values: list[str | None]) -> None:
    """Moments beyond pandas' reach are compared as the server orders them."""
    ranks = {"-infinity": -2, "4713-01-01 BC": -1, "2024-01-01": 0, "294276-12-31": 1, "infinity": 2}
    for type_, bound in (
        ("timestamptz", pd.Timestamp("2024-01-01", tz="UTC")),
        ("timestamp", pd.Timestamp("2024-01-01")),
    ):
        server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, x {type_})", arena)
        insert(server, arena, "t (x)", [(v,) for v in values])
        made = [pa.Check.gt(bound), pa.Check.le(bound), pa.Check.eq(bound)]
        suite = suite_of(
            pa.DataFrameSchema({"x": pa.Column(object, made, nullable=True)}, name="t"), settings=settings()
        )
        found = {r.check_id.rpartition(".")[2]: r for r in prove(server, arena, suite).results}
        known = [ranks[v] for v in values if v is not None]
        assert found["greater_than"].violations == sum(r <= 0 for r in known)
        assert found["less_than_or_equal_to"].violations == sum(r > 0 for r in known)
        assert found["equal_to"].violations == sum(r != 0 for r in known)
        assert found["present"].status is Status.PASS
