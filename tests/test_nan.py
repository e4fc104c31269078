"""A NaN makes whatever is said of its column fail, or is refused: for every kind of declaration, on every
type that has one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import examples, result, results, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.sql.nan import settled_for_nan

LAW = hypothesis_settings(
    max_examples=examples(4),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

NUMBERS = ("numeric", "numeric(12,2)", "real", "double precision", "amount", "net_amount")
INSIDE = {
    "numeric[]": "ARRAY[{}]::numeric[]",
    "float8[]": "ARRAY[[1, 1], [1, {}]]::float8[]",
    "amount[]": "ARRAY[1, {}]::amount[]",
    "numrange": "numrange({}, {}, '[]')",
    "price": "ROW('x', {})::price",
    "price[]": "ARRAY[ROW('NaN?', {})::price]",
    "basket": "ROW(1, ARRAY[ROW('x', {})::price])::basket",
    "reals": "reals({}, {}, '[]')",
    "nummultirange": "nummultirange(numrange({}, {}, '[]'))",
}
"""Types that hold numbers, and how a value is written with one of them."""

TYPES = """
CREATE DOMAIN amount AS numeric CHECK (VALUE <> 0.5); CREATE DOMAIN net_amount AS amount;
CREATE TYPE price AS (unit text, amount net_amount); CREATE TYPE basket AS (n int, prices price[]);
CREATE TYPE reals AS RANGE (SUBTYPE = float8);
"""


def tables(number: int, type_: str) -> str:
    """A table of values, each beside a copy; and one that lists what it refers to."""
    return (
        f"CREATE TABLE t{number} (id int PRIMARY KEY, shop text, v {type_}, w {type_}, n numeric "
        f"GENERATED ALWAYS AS (id) STORED);"
        f"CREATE TABLE p{number} (id int PRIMARY KEY, v {type_} UNIQUE, sum {type_});"
    )


@pytest.fixture(scope="module", params=["server", "server15"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """The types and their tables, on the embedded PostgreSQL 18 and on the system's 15."""
    server: Server = request.getfixturevalue(request.param)
    made = "".join(tables(n, type_) for n, type_ in enumerate((*NUMBERS, *INSIDE)))
    name = server.create(TYPES + made)
    yield server, name
    server.drop(name)


Kinds = dict[str, Callable[[str, str], Any]]


def checked(check: pa.Check, **metadata: Any) -> Callable[[str, str], Any]:
    """A model of one column with one check."""
    return lambda t, p: pa.DataFrameSchema(
        {"v": pa.Column(None, check, nullable=True, metadata=metadata)}, name=t
    )


OF_VALUES: Kinds = {
    "total": lambda t, p: declare.total(t, "v", low=-(10**9)),
    "total from above": lambda t, p: declare.total(t, "v", high=10**9),
    "total by": lambda t, p: declare.total(t, "v", low=-(10**9), segment_by="shop"),
    "quantile": lambda t, p: declare.quantile(t, "v", "1%", low=-(10**9)),
    "quantile within": lambda t, p: declare.quantile(t, "v", "1%", low=-(10**9), high=10**9),
    "quantile by": lambda t, p: declare.quantile(t, "v", "50%", high=10**9, segment_by="shop"),
    "holds": lambda t, p: declare.holds(t, "v > -1000000000"),
    "holds of two": lambda t, p: declare.holds(t, "v = w"),
    "holds not": lambda t, p: declare.holds(t, "v <> 123456 OR id < 0"),
    "decimals": lambda t, p: declare.decimals(t, "v", 9),
    "agrees": lambda t, p: declare.agrees(t, "v", with_=f"{p}.sum", via="id"),
    "agrees where both": lambda t, p: declare.agrees(t, "v", with_=f"{p}.sum", via="id", nulls="pass"),
    "holds_with": lambda t, p: declare.holds_with(t, "child.v = parent.sum", parent=p, via="id"),
    "holds_with parent": lambda t, p: declare.holds_with(
        t, "child.id <= 100 AND parent.sum >= -1000000000", parent=p, via="id"
    ),
    "references": lambda t, p: declare.references(t, "v", p, "v"),
    "values_in": lambda t, p: declare.values_in(t, "v", p, "v"),
    "reconciles": lambda t, p: declare.reconciles(p, "sum", details=t, detail_column="v", via="id"),
    "reconciles at most": lambda t, p: declare.reconciles(
        p, "sum", details=t, detail_column="v", via="id", relation="<="
    ),
    "reconciles at least": lambda t, p: declare.reconciles(
        p, "sum", details=t, detail_column="v", via="id", relation=">=", missing="skip"
    ),
    "reconciles a value": lambda t, p: declare.reconciles(
        p,
        "sum",
        details=t,
        detail_column="id",
        via="id",
        where="parent.id < 0 OR parent.sum = 'NaN'",
        relation="<",
    ),
    "no_gaps": lambda t, p: declare.no_gaps(t, "n", order_by="v"),
    "a series each": lambda t, p: declare.no_gaps(t, "v", by="id"),
    "equal_to": checked(pa.Check.eq(1)),
    "not_equal_to": checked(pa.Check.ne(123456)),
    "greater_than": checked(pa.Check.gt(-(10**9))),
    "greater_than_or_equal_to": checked(pa.Check.ge(-(10**9))),
    "less_than": checked(pa.Check.lt(10**9)),
    "less_than_or_equal_to": checked(pa.Check.le(10**9)),
    "in_range": checked(pa.Check.in_range(-(10**9), 10**9)),
    "isin": checked(pa.Check.isin([1, 2, 3])),
    "notin": checked(pa.Check.notin([123456])),
    "notin of nothing": checked(pa.Check.notin([])),
    "str_matches": checked(pa.Check.str_matches(".*")),
    "str_contains": checked(pa.Check.str_contains("")),
    "str_startswith": checked(pa.Check.str_startswith("")),
    "str_endswith": checked(pa.Check.str_endswith("")),
    "str_length": checked(pa.Check.str_length(1, 99)),
    "unique_values_eq": checked(pa.Check.unique_values_eq([1, 2, 3])),
}
"""Every kind that says something of values, such that no finite value between 1 and 3 makes one fail."""

OTHERS = {
    "Declaration": "it is no kind",
    "declaration": "it is no kind",
    "column": "the catalogue",
    "control_total": "it is no check; it sums integers and numeric, and says NaN",
    "day": "a part of a control total",
    "month": "a part of a control total",
    "constraint": "the catalogue",
    "index": "the catalogue",
    "no_column_of_type": "the catalogue",
    "table": "the catalogue",
    "triggers": "the catalogue",
    "row_count": "it counts rows",
    "row_count_against": "it counts rows",
    "minimum_rows": "it counts rows",
    "null_share": "it counts NULLs; a NaN is none",
    "distinct_count": "it counts values; NaN is one",
    "unique": "it counts values; NaN is one",
    "fresh": "no time is NaN",
    "json_path": "no number in JSON is NaN",
    "ledger": "it looks for names",
    "sequence": "a test of its own, below",
    "server_health": "reads no table of the suite",
    "volume": "a sum with NaN is none: test_volume_runs.py",
}
"""The kinds that say nothing of a column's values, and why."""


def test_every_kind_is_one_or_the_other() -> None:
    """No kind of declaration, and no check of pandera's, is left out of the law."""
    from kisaan_validate.suite.pandera_source import _BUILDERS

    judged = {
        made.name for make in OF_VALUES.values() if isinstance(made := make("t", "p"), declare.Declaration)
    }
    assert judged | OTHERS.keys() == set(declare.__all__)
    assert not judged & OTHERS.keys()
    assert _BUILDERS.keys() <= OF_VALUES.keys()


def of_values(number: int, kinds: Kinds) -> tuple[list[Any], dict[str, str]]:
    """The declarations of these kinds for a type's tables, and the name of each by its check's id."""
    made, names = [], {}
    for name, make in kinds.items():
        declared = make(f"t{number}", f"p{number}")
        if isinstance(declared, declare.Declaration):
            declared = replace(declared, meta=replace(declared.meta, id=f"{number} {name}"))
            names[f"{number} {name}"] = name
        else:
            names[f"t{number}.v.{name}"] = name
        made.append(declared)
    return made, names


def asked(place: tuple[Server, str], number: int, kinds: Kinds) -> dict[str, Result]:
    """The result of each kind on the tables of a type, by its name; pandera's kinds that share a check's
    name are asked apart.
    """
    server, database = place
    found: dict[str, Result] = {}
    plain = {name: make for name, make in kinds.items() if name != "notin of nothing"}
    for part in (plain, {name: make for name, make in kinds.items() if name == "notin of nothing"}):
        made, names = of_values(number, part)
        schemas = [m for m in made if not isinstance(m, declare.Declaration)]
        if schemas:
            checks = [check for schema in schemas for check in schema.columns["v"].checks]
            column = pa.Column(None, checks, nullable=True)
            made = [
                *(m for m in made if isinstance(m, declare.Declaration)),
                pa.DataFrameSchema({"v": column}, name=f"t{number}"),
            ]
        if part == plain or schemas:
            answers = results(server, database, *made, settings=settings(), sample=1)
            names |= {f"t{number}.v.notin": "notin of nothing"} if part != plain else {}
            found |= {names[id]: answer for id, answer in answers.items() if id in names}
    return found


def fill(place: tuple[Server, str], number: int, values: list[tuple[int, str, str]]) -> None:
    """Rows (id, shop, value as SQL) with a copy each; what they refer to is there, with the same values."""
    server, database = place
    listed = ", ".join(f"({id}, '{shop}', {value}, {value})" for id, shop, value in values)
    server.sql(
        f"TRUNCATE t{number}, p{number}; INSERT INTO t{number} (id, shop, v, w) VALUES {listed};"
        f"INSERT INTO p{number} (id, v, sum) SELECT -row_number() OVER (), v, NULL FROM (SELECT DISTINCT "
        f"v FROM t{number}) AS d;"
        f"INSERT INTO p{number} (id, v, sum) SELECT id, NULL, v FROM t{number}",
        database,
    )


whole = st.sampled_from(["1", "2", "3", "NULL"])
shops = st.sampled_from(["a", "b"])


@LAW
@given(
    st.lists(st.tuples(shops, whole), min_size=1, max_size=5),
    st.sets(st.integers(0, 5), min_size=1),
    st.sampled_from(range(len(NUMBERS))),
)
def test_a_nan_makes_every_check_of_its_column_fail(
    place: tuple[Server, str], rows: list[tuple[str, str]], wrong: set[int], number: int
) -> None:
    """Without a NaN each kind holds (or has no answer for the type); with one in any row it fails, or has
    none.
    """
    rows = [*rows, ("a", "1"), ("a", "2"), ("b", "3")]
    fill(place, number, [(n, shop, value) for n, (shop, value) in enumerate(rows)])
    before = asked(place, number, OF_VALUES)
    fill(
        place,
        number,
        [
            (n, shop, "'NaN'" if n in {w % len(rows) for w in wrong} else value)
            for n, (shop, value) in enumerate(rows)
        ],
    )
    after = asked(place, number, OF_VALUES)
    exact = NUMBERS[number] not in {"real", "double precision"}
    for name, answer in after.items():
        # Sums, decimals and series are asked of exact numbers only; three values are no single one, and no
        # series.
        sound = {Status.PASS} if exact or before[name].status is not Status.ERROR else {Status.ERROR}
        if name not in {"equal_to", "no_gaps"}:
            assert before[name].status in sound, (NUMBERS[number], name, before[name])
        assert answer.status in ({Status.FAIL} if Status.PASS in sound else {Status.ERROR}), (
            NUMBERS[number],
            name,
            answer,
        )


OF_WHAT_IS_INSIDE: Kinds = {
    "quantile": lambda t, p: declare.quantile(t, "v", "1%", low=LOWEST[t]),
    "holds": lambda t, p: declare.holds(t, f"v > '{LOWEST[t]}'"),
    "holds of two": OF_VALUES["holds of two"],
    "agrees": OF_VALUES["agrees"],
    "agrees where both": OF_VALUES["agrees where both"],
    "holds_with": OF_VALUES["holds_with"],
    "references": OF_VALUES["references"],
    "values_in": OF_VALUES["values_in"],
    "greater_than": lambda t, p: checked(pa.Check.gt(LOWEST[t]))(t, p),
    "notin": lambda t, p: checked(pa.Check.notin([LOWEST[t]]))(t, p),
}
LOWEST: dict[str, str] = {}
"""A value of the type of each table that is less than all that are tried."""


@pytest.mark.slow
@pytest.mark.parametrize("type_", INSIDE)
def test_a_nan_inside_a_value_fails(type_: str, place: tuple[Server, str]) -> None:
    """In an array of any depth, a range, a row, domains between: whatever compares the whole value fails."""
    server, database = place
    number = len(NUMBERS) + list(INSIDE).index(type_)
    ((LOWEST[f"t{number}"],),) = server.sql(f"SELECT ({INSIDE[type_].replace('{}', '0')})::text", database)

    # A row is compared with no literal: PostgreSQL has no answer to that, and so has nobody.
    no_answer = {"quantile", "holds", "greater_than", "notin"} if type_ in {"price", "basket"} else set()

    def statuses(*values: str) -> dict[str, Status]:
        fill(place, number, [(n, "a", value) for n, value in enumerate(values)])
        return {name: r.status for name, r in asked(place, number, OF_WHAT_IS_INSIDE).items()}

    def all_are(status: Status) -> dict[str, Status]:
        return {name: Status.ERROR if name in no_answer else status for name in OF_WHAT_IS_INSIDE}

    one, two, nan = (INSIDE[type_].replace("{}", value) for value in ("1", "2", "'NaN'"))
    assert statuses(one, two) == all_are(Status.PASS)
    assert statuses(one, nan) == all_are(Status.FAIL)
    assert statuses("NULL", one) == all_are(Status.PASS)


ABOVE = {
    "numeric[]": ("{1,NaN}", "{9}"),
    "float8[]": ("{{1,1},{1,NaN}}", "{{9,9},{9,9}}"),
    "amount[]": ("{1,NaN}", "{9}"),
    "numrange": ("[1,NaN]", "[9,10]"),
    "price": ("(a,NaN)", "(z,1)"),
    "price[]": ('{"(a,NaN)"}', '{"(z,1)"}'),
    "basket": ('(1,"{""(a,NaN)""}")', '(9,"{""(a,1)""}")'),
    "reals": ("[1,NaN]", "[9,10]"),
    "nummultirange": ("{[1,NaN]}", "{[9,10]}"),
}
"""Of each type a value with a NaN in it that PostgreSQL takes to be less than the other, which has none."""

BELOW = (
    "v <= {}",
    "v < {}",
    "{} >= (v)",
    "({}) > v",
    "v <= {} AND id > 0",
    "v BETWEEN v AND {}",
    "v BETWEEN SYMMETRIC {} AND v",
)
"""Conditions that a value below another fulfils."""


@pytest.mark.parametrize("cast", ["", "::type"])
@pytest.mark.parametrize("type_", INSIDE)
def test_no_bound_lets_a_nan_inside_a_value_pass(type_: str, cast: str, place: tuple[Server, str]) -> None:
    """However a value is bounded from above, by a text or a cast of one: one that holds a NaN never passes."""
    server, database = place
    number = len(NUMBERS) + list(INSIDE).index(type_)
    low, bound = (f"'{text}'{cast and '::' + type_}" for text in ABOVE[type_])
    fill(place, number, [(1, "a", low)])
    assert server.sql(f"SELECT v <= '{ABOVE[type_][1]}'::{type_} FROM t{number}", database) == [(True,)]
    made = [declare.holds(f"t{number}", condition.format(bound)) for condition in BELOW]
    found = {r.status for r in results(server, database, *_named(made)).values()}
    # A row is compared with a text of no type by nobody.
    assert found == {Status.ERROR if type_ in {"price", "basket"} and not cast else Status.FAIL}


SIGNS = ("", "+", "-", "+-", "+ ")
BLANKS = ("", " ", "\t\n\v\f\r", "\u00a0")
WORDS = (
    "nan",
    "NaN",
    "NAN",
    "nan()",
    "nan(7)",
    "NaN(a_Z0)",
    "nan( )",
    "nan(-)",
    "nan(",
    "nano",
    "snan",
    "n an",
)
FINITE = (
    "5",
    "-0.5",
    ".5",
    "5.",
    "1e3",
    "1E-3",
    "inf",
    "Infinity",
    "infinit",
    "1_0",
    "0x10",
    "{5}",
    "[5,6)",
    "",
)


def test_whatever_the_server_reads_as_nan_is_recognised(place: tuple[Server, str]) -> None:
    """A text names a NaN exactly if one of the server's types of numbers reads it as one; and no text is a
    plain number that one of them does not read as a number.
    """
    server, _ = place
    spelled = [f"{b}{s}{w}{e}" for b in BLANKS for s in SIGNS for w in (*WORDS, *FINITE) for e in BLANKS]
    read = _read_as(server, spelled)
    for text in spelled:
        literal = text.replace("'", "''")
        named = settled_for_nan(f"a <> '{literal}'") == {("", "a")}
        assert named == ("NaN" in read[text]), text
        if settled_for_nan(f"a <= '{literal}'") and not named:
            assert read[text], text


def _read_as(server: Server, texts: list[str]) -> dict[str, set[str]]:
    """What the server's types of numbers make of each text, without those that refuse it."""
    function = """
        CREATE FUNCTION pg_temp.reads(text, text) RETURNS text LANGUAGE plpgsql AS $$
        DECLARE result text;
        BEGIN EXECUTE format('SELECT %L::%s::text', $1, $2) INTO result; RETURN result;
        EXCEPTION WHEN others THEN RETURN NULL; END $$
    """
    read: dict[str, set[str]] = {text: set() for text in texts}
    connection = server.connect()
    with connection.cursor() as cursor:
        cursor.execute(function)
        cursor.execute(
            "SELECT s, pg_temp.reads(s, t) FROM unnest(%s) s, unnest('{numeric,float4,float8}'::text[]) t",
            (texts,),
        )
        for text, result in cursor.fetchall():
            if result is not None:
                read[text].add(result)
    connection.close()
    return read


def test_a_nan_that_is_allowed_by_name(server: Server, database: str) -> None:
    """``allow_nan``, a condition that names NaN, or one that leaves it out: then it does not count."""
    server.sql(
        "CREATE TABLE t (id int, v numeric, w float8); INSERT INTO t VALUES (1, 1, 1), (2, 'NaN', 'NaN')",
        database,
    )
    allowed = [
        declare.holds("t", "v > 0", allow_nan=True),
        declare.holds("t", "v > 0 OR v = 'NaN'"),
        declare.holds("t", "v > 0", filter="v <> 'nan'"),
        declare.holds("t", "w > 0 OR w IN ('NaN')"),
        declare.decimals("t", "v", allow_nan=True),
        declare.total("t", "v", low=0, where="v <> 'NaN'"),
        declare.quantile("t", "w", 1, low=0, where="w < 'NaN'"),
        declare.no_gaps("t", "v", where="v <> 'NaN'"),
        pa.DataFrameSchema(
            {
                "w": pa.Column(
                    None,
                    [pa.Check.ne(0), pa.Check.notin([0]), pa.Check.ge(0)],
                    nullable=True,
                    metadata={"allow_nan": True},
                )
            },
            name="t",
        ),
    ]
    assert {r.status for r in results(server, database, *_named(allowed)).values()} == {Status.PASS}
    one_of_two = [declare.holds("t", "v > 0 AND w <> 'NaN'"), declare.holds("t", "v = 'NaN' OR w > 0")]
    assert {r.status for r in results(server, database, *_named(one_of_two)).values()} == {Status.FAIL}


def _named(made: list[Any]) -> list[Any]:
    """The same declarations, each with an id of its own."""
    return [
        replace(d, meta=replace(d.meta, id=f"{n}")) if isinstance(d, declare.Declaration) else d
        for n, d in enumerate(made)
    ]


@pytest.mark.parametrize(
    ("expression", "settled"),
    [
        ("a > 0", ""),
        ("a < 1", "a"),
        ("1 >= a", "a"),
        ("a BETWEEN 0 AND 1", "a"),
        ("a IN (1, 2)", "a"),
        ("a NOT IN (1)", ""),
        ("a = 1 AND b > 0", "a"),
        ("a < 1 OR b < 1", ""),
        ("NOT (a < 1)", ""),
        ("a <> 'NaN'", "a"),
        ("a <> ' nan '::float8", "a"),
        ("a > 0 OR (b = 'NaN' AND a > 1)", "b"),
        ("a < 'NaN'", "a"),
        ("a < b", ""),
        ("a = b", ""),
        ("a <= sqrt(-b)", ""),
        ("a < -1", "a"),
        ("a = 'NaNo'", ""),
        ("a <= '100'", "a"),
        ("a <= ' -1.5e3 '", "a"),
        ("a <= '{100}'", ""),
        ("a < '[0,5)'", ""),
        ("a IN ('(1,2)', '3')", ""),
        ("a <> '-nan'", "a"),
        ("a <> ' +NaN '", "a"),
        ("a <= '5'\n'x'", ""),
        ("a BETWEEN SYMMETRIC b AND 0", ""),
        ("a BETWEEN SYMMETRIC 5 AND 0", "a"),
        ("coalesce(a, 'NaN') = b", "a"),
        ("(a <= 5) AND (b <= 5)", "ab"),
        ("a IS DISTINCT FROM 'NaN'", "a"),
        ("-- 'NaN'\na > 0", ""),
        ("a > 0 -- 'NaN'", ""),
        ('"NaN" > 0', ""),
        ("a IS NOT NULL", "a"),
        ("(a) IS NULL OR b > 0", "a"),
        ("a IS NULL OR a > 0", ""),
        ("(a > 0) IS NOT TRUE", ""),
        ("a IS DISTINCT FROM b", ""),
        ("b = (a IS NULL)", "a"),
    ],
)
def test_what_an_expression_says_of_nan(expression: str, settled: str) -> None:
    """It speaks of a column's NaN where it names NaN beside it, or where a NaN makes it false whatever
    else it says.
    """
    assert settled_for_nan(expression) == {("", name) for name in settled}


def test_a_type_that_rounds_stores_a_nan_all_the_same(server: Server, database: str) -> None:
    """numeric(12,2) proves no decimals, and a CHECK of a lower bound does not enforce it: both let a NaN
    in.
    """
    server.sql(
        "CREATE TABLE t (v numeric(12,2) CHECK (v > 0), w numeric(12,2) CHECK (w > 0 AND w <= 9)); "
        "INSERT INTO t VALUES ('NaN', 1)",
        database,
    )
    found = result(server, database, declare.decimals("t", "v"), trust_constraints=True)
    assert (found.status, found.violations, found.enforced_by) == (Status.FAIL, 1, "")
    assert (
        result(server, database, declare.decimals("t", "w", allow_nan=True)).enforced_by
        == "type numeric(12,2)"
    )
    assert result(server, database, declare.holds("t", "v > 0")).enforced_by == ""
    assert result(server, database, declare.holds("t", "w > 0 AND w <= 9")).enforced_by == "t_w_check"


def test_no_sequence_is_ahead_of_a_nan(server: Server, database: str) -> None:
    """Of a descending sequence the least number would hide it."""
    server.sql(
        "CREATE SEQUENCE down INCREMENT -1; CREATE TABLE t (v numeric DEFAULT nextval('down')); ALTER "
        "SEQUENCE down OWNED BY t.v;"
        "INSERT INTO t VALUES (DEFAULT); INSERT INTO t VALUES ('NaN')",
        database,
    )
    assert result(server, database, declare.sequence("t", "v")).status is Status.FAIL
    server.sql("DELETE FROM t WHERE v = 'NaN'", database)
    assert result(server, database, declare.sequence("t", "v")).status is Status.PASS


def test_sums_of_floats_are_reconciled_with_nothing(server: Server, database: str) -> None:
    """A sum that depends on the order of addition is an error that says what to do, as that of ``total``."""
    server.sql(
        "CREATE TABLE p (id int, s numeric); CREATE TABLE t (p int, v float8); INSERT INTO p VALUES (1, "
        "1); INSERT INTO t VALUES (1, 1)",
        database,
    )
    found = result(server, database, declare.reconciles("p", "s", details="t", detail_column="v", via="p"))
    assert (found.status, found.message) == (Status.ERROR, "t.v is double precision, which has no exact sum")
    assert found.hint


def test_what_a_quantile_found_names_the_nan(server: Server, database: str) -> None:
    """A median that lies within its bounds and fails for a NaN says how many there are."""
    server.sql("CREATE TABLE t (v float8); INSERT INTO t VALUES (1), (2), ('NaN'), (NULL)", database)
    found = result(server, database, declare.quantile("t", "v", "50%", low=1, high=Decimal(3)))
    assert (found.violations, found.examined) == (1, 3)
    assert dict(found.sample[0]) == {
        "quantile": "2",
        "values_found": "3",
        "nan_found": "1",
        "wanted": "at least 1 and at most 3",
    }


FUNCTIONS: dict[str, tuple[Any, dict[str, Any]]] = {
    "row by row": (lambda s: s.map(lambda v: True), {"statistics": {"row_wise": True}}),
    "each element": (lambda v: True, {"element_wise": True}),
    "not negative": (lambda s: ~(s.map(float) < 0), {}),
    "a mean without NaN": (lambda s: bool(s.map(float).mean() > 0), {}),
    "by group": (lambda groups: all(len(g) for g in groups.values()), {"groupby": "shop"}),
}


@pytest.mark.parametrize("type_", ["numeric", "real", "double precision"])
def test_no_function_makes_a_nan_right(type_: str, server: Server, database: str) -> None:
    """A check in Python whose function is content with a NaN fails for it, and says so; where NaN is
    allowed by name it passes.
    """
    server.sql(
        f"CREATE TABLE t (id int PRIMARY KEY, shop text, v {type_}, w {type_}); INSERT INTO t VALUES (1, "
        f"'a', 1, 1), (2, 'a', NULL, 1), (3, 'b', 2, 1)",
        database,
    )
    checks = [
        pa.Check(function, name=name.replace(" ", "_"), **more)
        for name, (function, more) in FUNCTIONS.items()
    ]
    frame = [
        pa.Check(lambda df: df["id"] > 0, name="frame"),
        pa.Check(lambda df: df["id"] > 0, name="others", statistics={"columns": ["id"], "row_wise": True}),
    ]

    def statuses(**metadata: Any) -> dict[str, tuple[Status, int | None]]:
        columns = {
            "v": pa.Column(None, checks, nullable=True, metadata=metadata),
            "shop": pa.Column(None, nullable=True),
            "id": pa.Column(None),
        }
        found = results(server, database, pa.DataFrameSchema(columns, frame, name="t"))
        names = {check.name for check in (*checks, *frame)}
        assert all("contain NaN" in r.message for r in found.values() if r.status is Status.FAIL)
        return {
            name: (r.status, r.violations)
            for id, r in found.items()
            if (name := id.rpartition(".")[2]) in names
        }

    fine = dict.fromkeys([*(check.name for check in checks), "frame", "others"], (Status.PASS, 0))
    assert statuses() == fine
    server.sql("UPDATE t SET v = 'NaN' WHERE id = 3", database)
    assert statuses() == {**dict.fromkeys(fine, (Status.FAIL, 1)), "others": (Status.PASS, 0)}
    assert statuses(allow_nan=True) == fine
    own = pa.Check(lambda s: s.map(lambda v: True), name="own", statistics={"allow_nan": True})
    assert (
        results(server, database, pa.DataFrameSchema({"v": pa.Column(None, own, nullable=True)}, name="t"))[
            "t.v.own"
        ].status
        is Status.PASS
    )
