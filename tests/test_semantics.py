"""docs/semantics.md, sentence by sentence and line by line.

The list of exceptions is read from the document: each line has a test that shows what this package answers
on the table and what pandera answers on a DataFrame of the same rows. A line without a test, or a test
without a line, fails.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import psycopg2
import pytest
from conftest import ROOT, Server
from helpers import counts, insert, keys, pandera_counts, result, results

from kisaan_validate import declare
from kisaan_validate.facts.result import Result, Status, vacuous

DOCUMENT = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^- `([\w-]+)`: ", DOCUMENT.partition("## Exceptions")[2].partition("\n## ")[0], re.M)
EXCEPTIONS: dict[str, Callable[[Bench], None]] = {}


def exception(id: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    """Register the proof of one line of the list of exceptions."""

    def register(proof: Callable[[Bench], None]) -> Callable[[Bench], None]:
        assert id not in EXCEPTIONS
        EXCEPTIONS[id] = proof
        return proof

    return register


class Bench:
    """One column, asked here and by pandera."""

    def __init__(self, server: Server, database: str, other: Callable[[], Server] | None = None) -> None:
        self.server, self.database, self._other = server, database, other
        self.asked = 0
        """How often something was asked of either side."""

    def with_collations(self) -> Bench:
        """The same on a server that was built with ICU."""
        assert self._other is not None
        self.asked += 1
        server = self._other()
        return Bench(server, server.create())

    def table(self, type_: str, *values: Any) -> None:
        """A table with one column and these rows."""
        self.server.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id serial, x {type_})", self.database)
        if values:
            insert(self.server, self.database, "t (x)", [(v,) for v in values])

    def sql(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL."""
        self.asked += 1
        return self.server.sql(sql, self.database)

    def results(self, *checks: Any, **column: Any) -> dict[str, Result]:
        """The results of a column with these checks, by the name of the check."""
        made = {"nullable": True, "required": True, **column}
        dtype = made.pop("dtype", object)
        schema = pa.DataFrameSchema({"x": pa.Column(dtype, list(checks), **made)}, name="t")
        self.asked += 1
        found = results(self.server, self.database, schema)
        return {id.rpartition(".")[2]: r for id, r in found.items() if id.startswith("t.x.")}

    def here(self, *checks: Any, **column: Any) -> dict[str, int | None]:
        """The violating counts here, of the checks that are not met."""
        return {name: n for name, n in counts(self.results(*checks, **column)).items() if n}

    def there(self, series: Any, *checks: Any, **column: Any) -> dict[str, int]:
        """pandera's failure cases on this series, by the name of the check."""
        self.asked += 1
        made = {"nullable": True, **column}
        schema = pa.DataFrameSchema({"x": pa.Column(made.pop("dtype", None), list(checks), **made)})
        return {
            id.partition(".")[2]: n for id, n in pandera_counts(schema, pd.DataFrame({"x": series})).items()
        }


@pytest.fixture(scope="module")
def bench(server: Server, request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A database for one column at a time."""
    name = server.create("CREATE TYPE level AS ENUM ('low', 'high')")
    yield Bench(server, name, lambda: request.getfixturevalue("server15"))
    server.drop(name)


def test_every_exception_has_its_proof() -> None:
    """The list of exceptions and its proofs name the same ids, each once."""
    assert sorted(ROWS) == sorted(EXCEPTIONS)
    assert len(ROWS) >= 30


@pytest.mark.parametrize("id", ROWS)
def test_exception(id: str, bench: Bench) -> None:
    """Each line of the list of exceptions is true on both of its sides, as its proof found out by asking."""
    before = bench.asked
    EXCEPTIONS[id](bench)
    assert bench.asked > before, "a proof that asks nothing proves nothing"


C = pa.Check
RANGES = [
    C.gt(0),
    C.ge(0),
    C.lt(9),
    C.le(9),
    C.in_range(0, 9),
    C.in_range(0, 9, include_min=False, include_max=False),
]
RANGE_NAMES = [
    "greater_than",
    "greater_than_or_equal_to",
    "less_than",
    "less_than_or_equal_to",
    "in_range",
    "in_range_2",
]


@exception("nan-range")
def _(bench: Bench) -> None:
    for type_ in ("numeric", "numeric(18,2)", "real", "double precision"):
        bench.table(type_, "NaN", 5, None)
        assert bench.here(*RANGES) == dict.fromkeys(RANGE_NAMES, 1)
    assert bench.there(pd.Series([np.nan, 5, None]), *RANGES) == {}
    assert bench.there(pd.Series([Decimal("NaN"), Decimal(5), None]), *RANGES) == {}


@exception("nan-value")
def _(bench: Bench) -> None:
    checks = [C.eq(5), C.isin([5])]
    for type_ in ("numeric", "real", "double precision"):
        bench.table(type_, "NaN", 5)
        assert bench.here(*checks, C.ne(3), C.notin([3])) == {
            "equal_to": 1,
            "isin": 1,
            "not_equal_to": 1,
            "notin": 1,
        }
    assert bench.there(pd.Series([np.nan, 5]), *checks, C.ne(3), C.notin([3])) == {}


@exception("nan-null")
def _(bench: Bench) -> None:
    bench.table("double precision", "NaN", 1, None)
    assert bench.here(nullable=False) == {"not_null": 1}
    assert bench.there(pd.Series([np.nan, 1, None]), nullable=False) == {"not_nullable": 2}


@exception("nan-unique")
def _(bench: Bench) -> None:
    bench.table("numeric", "NaN", "NaN", None)
    assert bench.here(unique=True) == {"unique": 1}
    assert int(pd.Series([np.nan, np.nan, None]).duplicated().sum()) == 2
    assert bench.there(pd.Series([Decimal("NaN"), Decimal("NaN")], dtype=object), unique=True) == {}


@exception("numeric-float")
def _(bench: Bench) -> None:
    bench.table("numeric", "0.1")
    assert bench.here(C.ge(0.1), C.eq(0.1), C.isin([0.1])) == {}
    series = pd.Series([Decimal("0.1")])
    assert bench.there(series, C.ge(0.1), C.isin([0.1])) == {"greater_than_or_equal_to": 1, "isin": 1}


@exception("numeric-digits")
def _(bench: Bench) -> None:
    value = "0.10000000000000000000000000000000001"
    bench.table("numeric", value)
    assert bench.here(C.le(0.1)) == {"less_than_or_equal_to": 1}
    assert bench.there(pd.Series([float(value)]), C.le(0.1)) == {}
    bench.table("numeric", 10**40 + 1)
    assert bench.here(C.le(10**40), C.le(Decimal(10**40))) == {
        "less_than_or_equal_to": 1,
        "less_than_or_equal_to_2": 1,
    }


@exception("bigint-null")
def _(bench: Bench) -> None:
    bench.table("bigint", 2**53 + 1, None)
    assert bench.here(C.eq(2**53)) == {"equal_to": 1}
    assert bench.there(pd.Series([2**53 + 1, None]), C.eq(2**53)) == {}


@exception("rounding")
def _(bench: Bench) -> None:
    bench.table("numeric(18,2)", "0.125", "-0.125", "0.135")
    assert bench.here(C.isin([Decimal("0.13"), Decimal("-0.13"), Decimal("0.14")])) == {}
    even = bench.there(
        pd.Series([Decimal("0.125")]), C.eq(Decimal("0.12")), dtype=pa.Decimal(18, 2), coerce=True
    )
    assert even == {}


@exception("real-isin")
def _(bench: Bench) -> None:
    bench.table("real", 0.1)
    assert bench.here(C.isin([0.1]), C.eq(0.1), C.ge(0.1), C.in_range(0.1, 0.1)) == {}
    assert bench.sql("SELECT count(*) FROM t WHERE x = 0.1") == [(0,)]
    assert bench.there(pd.Series([0.1], dtype="float32"), C.isin([0.1])) == {"isin": 1}


@exception("duplicates")
def _(bench: Bench) -> None:
    bench.table("integer", 1, 1, 1, 2)
    assert bench.here(unique=True) == {"unique": 2}
    assert bench.there(pd.Series([1, 1, 1, 2]), unique=True) == {"field_uniqueness": 3}


@exception("duplicates-null")
def _(bench: Bench) -> None:
    bench.table("text", None, None, "a")
    assert bench.here(unique=True) == {"unique": 1}
    with pytest.raises(pa.errors.SchemaErrors) as caught:
        pa.DataFrameSchema({"x": pa.Column(nullable=True, unique=True)}).validate(
            pd.DataFrame({"x": pd.Series([None, None, "a"], dtype=object)}), lazy=True
        )
    assert len(caught.value.failure_cases) == 0


@exception("duplicates-frame")
def _(bench: Bench) -> None:
    bench.sql(
        "DROP TABLE IF EXISTS pair; CREATE TABLE pair AS SELECT * FROM (VALUES (1, 1), (1, 1), (1, 2)) "
        "AS v (a, b)"
    )
    schema = pa.DataFrameSchema({"a": pa.Column(), "b": pa.Column()}, unique=["a", "b"], name="pair")
    assert results(bench.server, bench.database, schema)["pair.a_b.unique"].violations == 1
    found = pandera_counts(schema, pd.DataFrame({"a": [1, 1, 1], "b": [1, 1, 2]}))
    assert found == {"a.multiple_fields_uniqueness": 2, "b.multiple_fields_uniqueness": 2}


@exception("dollar")
def _(bench: Bench) -> None:
    bench.table("text", "a\n", "a")
    assert bench.here(C.str_matches("a$"), C.str_contains("a$")) == {"str_matches": 1, "str_contains": 1}
    assert bench.there(pd.Series(["a\n", "a"]), C.str_matches("a$"), C.str_contains("a$")) == {}


@exception("dot")
def _(bench: Bench) -> None:
    bench.table("text", "a\nb")
    assert bench.here(C.str_matches("a.b")) == {}
    assert bench.there(pd.Series(["a\nb"]), C.str_matches("a.b")) == {"str_matches": 1}


@exception("digits")
def _(bench: Bench) -> None:
    bench.table("text", "٣", "3")
    assert bench.here(C.str_matches(r"\d")) == {"str_matches": 1}
    assert bench.there(pd.Series(["٣", "3"]), C.str_matches(r"\d")) == {}


@exception("word-boundary")
def _(bench: Bench) -> None:
    bench.table("text", "a word", "swords", "\bword\b")
    assert bench.here(C.str_contains(r"\bword\b")) == {"str_contains": 2}
    edges = declare.holds("t", r"x ~ '\yword\y'")
    assert keys(result(bench.server, bench.database, edges), "x") == [("swords",)]
    with pytest.raises(re.error):
        C.str_contains(r"\yword\y")
    assert bench.there(pd.Series(["a word", "swords", "\bword\b"]), C.str_contains(r"\bword\b")) == {
        "str_contains": 1
    }


@exception("regex-dialect")
def _(bench: Bench) -> None:
    bench.table("text", "a")
    found = bench.results(C.str_matches("(?P<letter>a)"), C.str_length(max_value=1))
    assert (found["str_matches"].status, found["str_matches"].sqlstate) == (Status.ERROR, "2201B")
    assert found["str_length"].status is Status.PASS
    assert bench.there(pd.Series(["a"]), C.str_matches("(?P<letter>a)")) == {}


@exception("text-order")
def _(bench: Bench) -> None:
    bench.table('text COLLATE "C"', "a", "B")
    assert bench.here(C.lt("B")) == {"less_than": 2}
    icu = bench.with_collations()
    icu.table('text COLLATE "en-x-icu"', "a", "B")
    assert icu.here(C.lt("B")) == {"less_than": 1}
    assert bench.there(pd.Series(["a", "B"]), C.lt("B")) == {"less_than": 2}


@exception("citext")
def _(bench: Bench) -> None:
    bench.sql("CREATE EXTENSION IF NOT EXISTS citext")
    bench.table("citext", "Paid")
    assert bench.here(C.isin(["paid"]), C.eq("PAID")) == {}
    assert bench.here(C.str_startswith("p"), C.str_matches("p")) == {"str_startswith": 1, "str_matches": 1}
    assert bench.there(pd.Series(["Paid"]), C.isin(["paid"])) == {"isin": 1}


@exception("char-padding")
def _(bench: Bench) -> None:
    bench.table("char(5)", "ab")
    checks = [C.str_length(max_value=2), C.eq("ab"), C.isin(["ab"]), C.str_endswith("b")]
    assert bench.here(*checks) == {}
    padded = pd.Series([row[0] for row in bench.sql("SELECT x FROM t")])
    assert bench.there(padded, *checks) == dict.fromkeys(
        ("str_length", "equal_to", "isin", "str_endswith"), 1
    )


@exception("enum-order")
def _(bench: Bench) -> None:
    bench.table("level", "high")
    assert bench.sql("SELECT x > 'low' FROM t") == [(True,)]
    assert bench.here(C.gt("low")) == {"greater_than": 1}
    assert bench.there(pd.Series(pd.Categorical(["high"], ["low", "high"], ordered=True)), C.gt("low")) == {}


@exception("ignore-na")
def _(bench: Bench) -> None:
    strict = [C.ne(5, ignore_na=False), C.notin([5], ignore_na=False)]
    bench.table("integer", 1, None)
    assert bench.here(*strict, C.gt(0, ignore_na=False)) == dict.fromkeys(
        ("not_equal_to", "notin", "greater_than"), 1
    )
    assert bench.there(pd.Series([1, None]), *strict, C.gt(0, ignore_na=False)) == {"greater_than": 1}


@exception("isin-none")
def _(bench: Bench) -> None:
    bench.table("integer", 1, None, 2)
    assert bench.here(C.isin([1, None]), C.notin([2, None])) == {"isin": 1, "notin": 1}
    assert bench.there(pd.Series([1, None, 2]), C.isin([1, None]), C.notin([2, None])) == {
        "isin": 1,
        "notin": 1,
    }
    assert bench.here(C.isin([1, None], ignore_na=False)) == {"isin": 2}
    assert bench.there(pd.Series([1, None, 2], dtype=object), C.isin([1, None], ignore_na=False)) == {
        "isin": 1
    }


@exception("unique-values")
def _(bench: Bench) -> None:
    bench.table("text", "a", "c", "d", None)
    assert bench.here(C.unique_values_eq(["a", "b"])) == {"unique_values_eq": 3}
    assert bench.there(pd.Series(["a", "c", "d", None]), C.unique_values_eq(["a", "b"])) == {
        "unique_values_eq": 1
    }


@exception("literal-type")
def _(bench: Bench) -> None:
    bench.table("integer", 5)
    assert bench.here(C.eq("5"), C.isin(["5"])) == {}
    assert bench.there(pd.Series([5]), C.eq("5"), C.isin(["5"])) == {"equal_to": 1, "isin": 1}


@exception("boolean-number")
def _(bench: Bench) -> None:
    bench.table("boolean", True)
    found = bench.results(C.eq(1))["equal_to"]
    assert (found.status, found.sqlstate) == (Status.ERROR, "42883")
    assert bench.there(pd.Series([True]), C.eq(1)) == {}


@exception("naive-time")
def _(bench: Bench) -> None:
    bench.table("timestamptz", "2024-01-01 00:00:00+00", "2023-12-31 23:59:59+00")
    bound = C.ge(pd.Timestamp("2024-01-01"))
    assert bench.here(bound) == {"greater_than_or_equal_to": 1}
    assert _type_error(pd.Series(pd.to_datetime(["2024-01-01"], utc=True)), bound)


@exception("date-time")
def _(bench: Bench) -> None:
    bench.table("date", "2024-01-01", "2024-01-02")
    bound = C.gt(pd.Timestamp("2024-01-01 12:00"))
    assert bench.here(bound) == {"greater_than": 1}
    assert _type_error(pd.Series([dt.date(2024, 1, 1)]), bound)


def _type_error(series: Any, check: Any) -> bool:
    with pytest.raises(pa.errors.SchemaErrors) as caught:
        pa.DataFrameSchema({"x": pa.Column(None, check)}).validate(pd.DataFrame({"x": series}), lazy=True)
    return "TypeError" in str(caught.value.failure_cases.failure_case.iloc[0])


@exception("infinite-time")
def _(bench: Bench) -> None:
    for type_ in ("timestamptz", "timestamp", "date"):
        bench.table(type_, "infinity", "-infinity")
        bound = dt.date(2024, 1, 1) if type_ == "date" else pd.Timestamp("2024-01-01")
        assert bench.here(C.gt(bound), C.lt(bound)) == {"greater_than": 1, "less_than": 1}
    with pytest.raises((ValueError, OverflowError)):
        pd.Timestamp("infinity")


@exception("far-dates")
def _(bench: Bench) -> None:
    bench.table("date", "5874897-12-31", "4713-01-01 BC")
    assert bench.here(C.gt(dt.date(1, 1, 1)), C.lt(dt.date(9999, 12, 31))) == {
        "greater_than": 1,
        "less_than": 1,
    }
    with pytest.raises(ValueError, match="year"):
        bench.sql("SELECT x FROM t")
    with pytest.raises(ValueError, match="5874897"):
        pd.Timestamp("5874897-12-31")


@exception("months")
def _(bench: Bench) -> None:
    bench.table("interval", "1 month", "30 days")
    assert bench.here(C.eq(pd.Timedelta(days=30))) == {}
    assert bench.here(unique=True) == {"unique": 1}
    with pytest.raises(ValueError, match="month"):
        pd.Timedelta("1 month")


@exception("coerce")
def _(bench: Bench) -> None:
    bench.table("text", "1")
    assert bench.here(dtype=int, coerce=True) == {"type": 1}
    assert bench.there(pd.Series(["1"]), C.gt(0), dtype=int, coerce=True) == {}


# --- the rules --------------------------------------------------------------------------------------------

EVERY_CHECK = [
    C.eq("a"),
    C.ne("b"),
    C.gt("A"),
    C.ge("A"),
    C.lt("z"),
    C.le("z"),
    C.in_range("A", "z"),
    C.isin(["a"]),
    C.notin(["b"]),
    C.str_matches("a"),
    C.str_contains("a"),
    C.str_startswith("a"),
    C.str_endswith("a"),
    C.str_length(1, 1),
    C.isin([]),
    C.notin([]),
    C.str_startswith(""),
]


def test_null_passes_every_check(bench: Bench) -> None:
    """Rule 1: NULL passes every check of a value; only ``not_null`` counts it."""
    bench.table("text", None, None)
    assert bench.here(*EVERY_CHECK, nullable=False) == {"not_null": 2}


def test_null_fails_where_it_is_not_ignored(bench: Bench) -> None:
    """Rule 1: with ``ignore_na=False`` NULL violates each check, a value only where it would anyway."""
    bench.table("text", None, "a")
    strict = [
        C.eq("a", ignore_na=False),
        C.ne("b", ignore_na=False),
        C.gt("A", ignore_na=False),
        C.isin(["a"], ignore_na=False),
        C.notin(["b"], ignore_na=False),
        C.in_range("A", "z", ignore_na=False),
        C.str_matches("a", ignore_na=False),
        C.str_contains("a", ignore_na=False),
        C.str_startswith("a", ignore_na=False),
        C.str_endswith("a", ignore_na=False),
        C.str_length(1, 1, ignore_na=False),
        C.notin([], ignore_na=False),
        C.isin([], ignore_na=False),
    ]
    found = bench.here(*strict)
    assert found.pop("isin_2") == 2
    assert list(found.values()) == [1] * (len(strict) - 1)


def test_the_empty_string_is_a_value(bench: Bench) -> None:
    """Rule 1: '' is not NULL: it is judged."""
    bench.table("text", "", None)
    assert bench.here(C.str_length(min_value=1), C.isin(["a"]), nullable=False) == {
        "not_null": 1,
        "str_length": 1,
        "isin": 1,
    }


def test_empty_sets(bench: Bench) -> None:
    """Nothing is one of no values, and everything is none of them; NULL passes both, as in pandera."""
    bench.table("text", "a", None, "")
    assert bench.here(C.isin([]), C.notin([])) == {"isin": 2}
    assert bench.there(pd.Series(["a", None, ""]), C.isin([]), C.notin([])) == {"isin": 2}


@pytest.mark.parametrize("type_", ["numeric", "real", "double precision"])
def test_nan_allowed_by_name(type_: str, bench: Bench) -> None:
    """Rule 2: ``allow_nan`` lets NaN pass every range; numbers outside it still fail."""
    bench.table(type_, "NaN", 10, -1, "Infinity", "-Infinity")
    allowed = bench.here(*RANGES, metadata={"allow_nan": True})
    refused = bench.here(*RANGES)
    assert allowed == dict(zip(RANGE_NAMES, (2, 2, 2, 2, 4, 4), strict=True))
    assert refused == {name: (n or 0) + 1 for name, n in allowed.items()}


def test_infinity_is_a_number(bench: Bench) -> None:
    """Rule 2: Infinity is larger than all numbers, and a possible bound."""
    for type_ in ("numeric", "real", "double precision"):
        bench.table(type_, "Infinity", "-Infinity", 0)
        assert bench.here(C.lt(float("inf")), C.ge(float("-inf")), C.eq(float("inf"))) == {
            "less_than": 1,
            "equal_to": 2,
        }
        assert bench.here(C.isin([float("inf"), float("-inf"), 0])) == {}


@pytest.mark.parametrize(
    "value", [10**30, -(10**30), Decimal("1E+20"), Decimal("1E-20"), Decimal("-0.00"), 2**63]
)
def test_bounds_are_exact(value: Any, bench: Bench) -> None:
    """Rule 3: a bound arrives with every digit: it equals itself, and nothing next to it."""
    step = Decimal("1E-25")
    bench.table("numeric", Decimal(value), "1e1")
    bench.sql(
        f"DELETE FROM t WHERE x = 10; INSERT INTO t (x) SELECT ({Decimal(value):f}) + s * {step:f} FROM "
        f"unnest('{{1,-1}}'::int[]) AS s"
    )
    assert bench.here(C.eq(value), C.gt(value), C.ge(value), C.isin([value])) == {
        "equal_to": 2,
        "greater_than": 2,
        "greater_than_or_equal_to": 1,
        "isin": 2,
    }


def test_real_columns_beyond_their_range(bench: Bench) -> None:
    """Rule 3: a bound that no ``real`` can hold is still a bound."""
    bench.table("real", 1, "Infinity")
    assert bench.here(C.lt(1e300), C.gt(-1e300), C.isin([1, 1e300])) == {"less_than": 1, "isin": 1}


def test_a_check_rounds_nothing(bench: Bench) -> None:
    """Rule 4: a stored value is compared as it is stored."""
    bench.table("numeric", "0.005", "0.0049")
    assert bench.here(C.ge(Decimal("0.005"))) == {"greater_than_or_equal_to": 1}


def test_uniqueness(bench: Bench) -> None:
    """Rule 5: NULLs are equal and surplus rows count, unless otherwise said."""
    bench.table("text", "a", "a", "a", None, None, None, None, "b")
    assert bench.here(unique=True) == {"unique": 5}
    assert bench.here(unique=True, metadata={"counts": "groups"}) == {"unique": 2}
    assert bench.here(unique=True, metadata={"nulls_equal": False}) == {"unique": 2}
    assert bench.here(unique=True, metadata={"nulls_equal": False, "counts": "groups"}) == {"unique": 1}


PATTERNS = {
    "start": ("b", {"str_matches": 1}),
    "options": ("(?i)A", {}),
    "alternatives": ("x|a", {}),
    "second": ("x|b", {"str_matches": 1}),
    "expanded": ("(?x) a b # a comment", {}),
    "backslash": (r"a\w\Z", {}),
    "quote": ("ab|'", {}),
    "colon": (":x|a", {}),
    "percent": ("%s|ab", {}),
    "end": ("ab$", {}),
    "anchor": ("^ab$", {}),
    "empty": ("", {}),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_regular_expressions(name: str, bench: Bench) -> None:
    """Rule 6: ``str_matches`` begins at the start of the text, ``str_contains`` anywhere, options first."""
    pattern, expected = PATTERNS[name]
    bench.table("text", "ab")
    assert bench.here(C.str_matches(pattern), C.str_contains(pattern)) == expected
    assert bench.there(pd.Series(["ab"]), C.str_matches(pattern), C.str_contains(pattern)) == expected


AFFIXES = ["%", "_", "\\", "'", "''", "a%", "A", "é", "\n", "😀", '"', "{}", ":x", "$1"]


@pytest.mark.parametrize("affix", AFFIXES)
def test_affixes_are_plain_text(affix: str, bench: Bench) -> None:
    """``str_startswith`` and ``str_endswith`` compare characters: nothing in them is a pattern."""
    values = [affix, affix + "x", "x" + affix, "a", "A", ""]
    bench.table("text", *values)
    checks = [
        C.str_startswith(affix),
        C.str_endswith(affix),
        C.eq(affix),
        C.isin([affix]),
        C.ne(affix),
        C.notin([affix]),
    ]
    assert bench.here(*checks) == bench.there(pd.Series(values), *checks)


def test_lengths_count_characters(bench: Bench) -> None:
    """Rule 8: a length is a number of characters, whatever their bytes; 0 is a bound like any other."""
    values = ["", "é", "😀", "ab", "abc", "👨‍👩‍👧"]
    bench.table("text", *values)
    for check in (
        C.str_length(1, 2),
        C.str_length(min_value=2),
        C.str_length(max_value=0),
        C.str_length(exact_value=1),
    ):
        assert bench.here(check) == bench.there(pd.Series(values), check)
    assert "at most 0" in declare_claim(C.str_length(max_value=0))


def declare_claim(check: Any) -> str:
    """The claim of a check in words."""
    from kisaan_validate.suite.load import suite_of

    schema = pa.DataFrameSchema({"x": pa.Column(str, check)}, name="t")
    return next(c.claim for c in suite_of(schema).checks if c.kind == "str_length")


def test_text_like_types(bench: Bench) -> None:
    """Rule 9: every text-like type takes every check of texts, an enum by its labels, even one it does not
    have.
    """
    checks = [
        C.isin(["low"]),
        C.eq("low"),
        C.str_startswith("lo"),
        C.str_length(3, 3),
        C.str_matches("l"),
        C.isin(["none"]),
    ]
    expected = {"isin": 1, "equal_to": 1, "str_startswith": 1, "str_length": 1, "str_matches": 1, "isin_2": 2}
    for type_ in ("text", "varchar", "varchar(9)", "char(9)", "name", "level"):
        bench.table(type_, "low", "high", None)
        assert bench.here(*checks) == expected, type_


def test_references_with_null(bench: Bench) -> None:
    """Rule 10: a reference with a NULL part is not judged, and not examined."""
    bench.sql(
        "DROP TABLE IF EXISTS child, parent; CREATE TABLE parent (a integer, b integer, PRIMARY KEY (a, b));"
        "CREATE TABLE child (id integer, a integer, b integer); INSERT INTO parent VALUES (1, 1);"
        "INSERT INTO child VALUES (1, 1, 1), (2, NULL, 5), (3, 5, NULL), (4, NULL, NULL), (5, 5, 5)"
    )
    found = result(
        bench.server, bench.database, declare.references("child", ["a", "b"], "parent", ["a", "b"])
    )
    assert (found.violations, found.examined, keys(found, "a", "b")) == (1, 2, [("5", "5")])


def test_sums(bench: Bench) -> None:
    """Rule 11: a sum of no rows is 0, NULLs are left out, and half a paisa is not lost among millions."""
    bench.sql(
        "DROP TABLE IF EXISTS detail, head; CREATE TABLE head (id integer PRIMARY KEY, total numeric);"
        "CREATE TABLE detail (head_id integer, amount numeric);"
        "INSERT INTO head VALUES (1, 0), (2, 1), (3, 5), (4, NULL), (5, 100000000000000000.03);"
        "INSERT INTO detail VALUES (3, 5), (3, NULL), (5, 100000000000000000), (5, 0.01), (5, 0.02), "
        "(NULL, 9)"
    )
    made = declare.reconciles("head", "total", details="detail", detail_column="amount", via="head_id")
    assert keys(result(bench.server, bench.database, made), "id") == [("2",)]
    bench.sql("UPDATE detail SET amount = 0.0200000001 WHERE amount = 0.02")
    assert keys(result(bench.server, bench.database, made), "id") == [("2",), ("5",)]


def test_vacuous(bench: Bench) -> None:
    """Rule 12: a check that judges no row passes and says so; ``minimum_rows`` fails."""
    bench.table("integer")
    found = results(
        bench.server, bench.database, declare.holds("t", "x > 0", id="a"), declare.minimum_rows("t", id="b")
    )
    assert found["a"].status is Status.PASS
    assert vacuous(found["a"])
    assert found["b"].status is Status.FAIL


def test_examined_is_judged(bench: Bench) -> None:
    """Rule 12: what ``where``, a missing partner, a missing value or missing details leave out is not
    examined.
    """
    bench.sql(
        "DROP TABLE IF EXISTS child, parent; CREATE TABLE parent (id integer PRIMARY KEY, n integer);"
        "CREATE TABLE child (id integer, p integer, n integer); INSERT INTO parent VALUES (1, 7), (2, NULL);"
        "INSERT INTO child VALUES (1, 1, 7), (2, 1, NULL), (3, 2, 7), (4, NULL, 7), (5, 5, 7)"
    )
    via: dict[str, Any] = {"with_": "parent.n", "via": "p"}
    sums: dict[str, Any] = {"details": "child", "detail_column": "n", "via": "p", "detail_where": "p > 1"}
    made = {
        4: declare.references("child", "p", "parent", id="references"),
        3: declare.agrees("child", "n", **via, id="partner"),
        1: declare.agrees("child", "n", **via, nulls="pass", id="values"),
        2: declare.reconciles("parent", "n", **sums, id="sums"),
    }
    for judged, declared in made.items():
        assert result(bench.server, bench.database, declared).examined == judged
    skipped = result(bench.server, bench.database, declare.reconciles("parent", "n", **sums, missing="skip"))
    differing = result(bench.server, bench.database, declare.unique("child", ["p", "n"], nulls_equal=False))
    none = result(bench.server, bench.database, declare.unique("child", "n", where="id > 5"))
    assert (skipped.examined, differing.examined, none.examined) == (1, 3, 0)
    assert vacuous(none)


def test_one_bad_row_is_one_error(bench: Bench) -> None:
    """Rule 13: an expression that fails on one row is the error of its own check only."""
    bench.table("integer", 1, 0, -1)
    made = [
        declare.holds("t", sql, id=sql)
        for sql in ("x > 0", "1 / x > 0", "x < 5", "x::text::date IS NULL", "x <> 0")
    ]
    found = results(bench.server, bench.database, *made)
    assert {id: (r.status, r.violations, r.sqlstate) for id, r in found.items()} == {
        "x > 0": (Status.FAIL, 2, ""),
        "1 / x > 0": (Status.ERROR, None, "22012"),
        "x < 5": (Status.PASS, 0, ""),
        "x::text::date IS NULL": (Status.ERROR, None, "22007"),
        "x <> 0": (Status.FAIL, 1, ""),
    }
    with pytest.raises(psycopg2.errors.DivisionByZero):
        bench.sql("SELECT count(*) FILTER (WHERE NOT 1 / x > 0) FROM t")
