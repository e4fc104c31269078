"""Digests of values on real servers: equal exactly where the values are, whatever the type, the server and
its settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from conftest import Server
from helpers import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kisaan_validate.digest.columns import seeds, value_hash
from kisaan_validate.digest.forms import CanonicalForm, Context, common_form, own_form
from kisaan_validate.digest.parts import Part, table_digest
from kisaan_validate.digest.rows import HASH, SEEDS, SHA256, LiveDigest, staged
from kisaan_validate.digest.seeded import SeededDigest
from kisaan_validate.digest.selfcheck import self_check_sql
from kisaan_validate.facts.catalogue import TypeFacts

ZONE = "Asia/Kolkata"
PINS = (
    "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex'; SET IntervalStyle = "
    "'postgres'; "
)
LAWS = settings(
    max_examples=examples(20),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

SEEDED, SEED = "seeded", b"a seed of tests."
"""The third way, beside the two encodings: under a seed."""


def digest_of(way: str, parts: Sequence[Part], context: Context) -> LiveDigest:
    """The digest of a row of these parts, in two lanes."""
    if way == SEEDED:
        return SeededDigest(SEED, tuple(parts), context, 2)
    return table_digest(way, (), parts, context)


SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'ok', '');
CREATE DOMAIN positive AS numeric(12, 2) CHECK (VALUE > -1e9);
CREATE DOMAIN word AS text; CREATE DOMAIN small AS int4; CREATE DOMAIN day AS date;
CREATE TYPE pair AS (a int, b text);
"""
INT4, TEXT, NUMERIC, TS, TSTZ = (
    TypeFacts(n) for n in ("int4", "text", "numeric", "timestamp", "timestamptz")
)


@pytest.fixture(scope="module")
def servers(server: Server, server15: Server) -> Iterator[list[Any]]:
    """A cursor on PostgreSQL 18, and one on 15 where the enum's labels have other OIDs and the settings
    are hostile.
    """
    with ExitStack() as left:
        cursors = []
        for number, each in enumerate((server, server15)):
            name = each.create(("CREATE TYPE other AS ENUM ('x', 'y', 'z');" if number else "") + SETUP)
            left.callback(each.drop, name)
            connection = each.connect(name)
            left.callback(connection.close)
            cursors.append(connection.cursor())
            cursors[-1].execute(PINS)
        yield cursors


@dataclass(frozen=True)
class Case:
    """Types that share a form, literals of them, and what tells values apart: a function of the text
    ``shown`` gives.
    """

    types: dict[str, TypeFacts]
    literals: st.SearchStrategy[str]
    shown: str = "{v}::text"
    truth: Callable[[str], Any] = str
    form: str = ""


def among(*hostile: str, also: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[str]:
    """Hostile literals, and others."""
    return st.one_of(st.sampled_from(hostile), also) if also is not None else st.sampled_from(hostile)


def number_of(text: str) -> Any:
    """A numeric as a value: NaN is one, scale says nothing."""
    value = Decimal(text)
    if not value.is_finite():
        return text
    sign, digits, exponent = value.as_tuple()
    plain = "".join(map(str, digits)).lstrip("0")
    short = plain.rstrip("0")
    return (sign, short, int(exponent) + len(plain) - len(short)) if short else 0


INTEGERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-3, 3),
    st.integers(0, 62).map(lambda n: 2**n),
    st.integers(0, 62).map(lambda n: -(2**n) - 1),
    st.sampled_from([4294967295, 4294967296, 2147483648, -2147483648, -2147483649, 2**63 - 1, -(2**63)]),
).map(str)
DECIMALS = st.tuples(st.integers(-(10**6), 10**6), st.integers(-25, 25)).map(lambda p: f"{p[0]}e{p[1]}")
WORDS = st.text(st.sampled_from("ab '\\\",{}()éİ😀 \n\tN"), max_size=6)

CASES: dict[str, Case] = {
    "int8": Case({"int8": TypeFacts("int8")}, INTEGERS, truth=int),
    "int2, int4, int8": Case(
        {"int2": TypeFacts("int2"), "int4": INT4, "int8": TypeFacts("int8")},
        st.one_of(st.integers(-3, 3), st.integers(-32768, 32767)).map(str),
        truth=int,
    ),
    "oid, int8": Case(
        {"oid": TypeFacts("oid"), "int8": TypeFacts("int8")},
        among("0", "1", "4294967295", "2147483648"),
        truth=int,
    ),
    "numeric of every scale": Case(
        {"numeric": NUMERIC, "numeric(40,12)": NUMERIC, "positive": NUMERIC},
        among(
            "0",
            "-0.00",
            "500",
            "-500",
            "500.00",
            "1e4",
            "1e8",
            "10000.0000",
            "0.0001",
            "1e-8",
            "-1e-8",
            "12345678.10",
            "12345678.1",
        ),
        truth=number_of,
    ),
    "numeric": Case(
        {"numeric": NUMERIC},
        among("NaN", "0", "1e100", "-1e100", "1e-100", "9" * 60, "1e60", also=DECIMALS),
        truth=number_of,
    ),
    "int8 and numeric": Case(
        {"int8": TypeFacts("int8"), "numeric": NUMERIC}, INTEGERS, truth=number_of, form="numeric"
    ),
    "float4 and float8": Case(
        {"float8": TypeFacts("float8"), "float4": TypeFacts("float4")},
        among(
            "0",
            "-0",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.1",
            "0.10000000149011612",
            "1e-30",
            "16777217",
            "16777216",
            "1.5",
        ),
        shown="{v}::float8::text",
    ),
    "float8": Case({"float8": TypeFacts("float8")}, st.floats().map(repr)),
    "boolean": Case({"bool": TypeFacts("bool")}, among("true", "false")),
    "text, varchar, name": Case(
        {"text": TEXT, "varchar": TypeFacts("varchar"), "name": TypeFacts("name")},
        among("", "a", "a ", "A", "NULL", "é", also=WORDS),
    ),
    "char(n) and text": Case(
        {"char(4)": TypeFacts("bpchar"), "char(9)": TypeFacts("bpchar"), "text": TEXT},
        among("", "a", "ab", "a b", "abcd"),
    ),
    "enum and text": Case(
        {"mood": TypeFacts("mood", "e", builtin=False), "text": TEXT}, among("sad", "ok", "")
    ),
    "uuid and text": Case(
        {"uuid": TypeFacts("uuid"), "text": TEXT},
        st.uuids().map(str) | st.just("00000000-0000-0000-0000-000000000000"),
        form="text",
    ),
    "json and jsonb": Case(
        {"json": TypeFacts("json"), "jsonb": TypeFacts("jsonb")},
        among(
            "null",
            "[]",
            "{}",
            '{"a":1,"b":2}',
            '{"b": 2, "a": 1}',
            '{"a":1}',
            '"1"',
            "1",
            "1.0",
            "[1,[2]]",
            "[[1],2]",
            '{"a":null}',
            '""',
        ),
        shown="{v}::jsonb::text",
    ),
    "timestamp": Case(
        {"timestamp": TS},
        among(
            "infinity",
            "-infinity",
            "4713-01-01 00:00:00 BC",
            "294276-12-31 23:59:59.999999",
            "2000-01-01 00:00:00",
            "1999-12-31 23:59:59.999999",
            also=st.datetimes().map(str),
        ),
    ),
    "timestamp, date and timestamptz": Case(
        {"timestamp": TS, "timestamptz": TSTZ, "date": TypeFacts("date")},
        among(
            "2025-10-18", "2025-10-18 05:30:00", "2025-10-18 00:00:00", "infinity", "-infinity", "1890-01-01"
        ),
        shown="(CASE WHEN pg_typeof({v})::text = 'timestamp with time zone' THEN {v}::text ELSE "
        "({v}::text::timestamp AT TIME ZONE 'Asia/Kolkata')::text END)",
        form="timestamptz",
    ),
    "date": Case(
        {"date": TypeFacts("date")},
        among("infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", also=st.dates().map(str)),
    ),
    "time": Case(
        {"time": TypeFacts("time")}, among("00:00", "24:00", "23:59:59.999999", also=st.times().map(str))
    ),
    "timetz": Case(
        {"timetz": TypeFacts("timetz")},
        among("12:00+00", "13:00+01", "12:00-05:30", "12:00+05:30", "24:00+00"),
    ),
    "interval": Case(
        {"interval": TypeFacts("interval")},
        among(
            "1 mon",
            "30 days",
            "31 days",
            "720:00:00",
            "1 day",
            "24:00:00",
            "-1 mon +30 days",
            "12 mon",
            "1 year",
            "0",
            "-00:00:01",
        ),
        shown="(extract(year FROM {v}) * 12 + extract(month FROM {v}))::text || ' ' || extract(day FROM "
        "{v})::text || ' ' || "
        "(extract(hour FROM {v}) * 3600 + extract(minute FROM {v}) * 60 + extract(second FROM "
        "{v}))::numeric(30,6)::text",
    ),
    "uuid": Case({"uuid": TypeFacts("uuid")}, st.uuids().map(str)),
    "bytea": Case({"bytea": TypeFacts("bytea")}, st.binary(max_size=5).map(lambda b: "\\x" + b.hex())),
    "bit and varbit": Case(
        {"bit(8)": TypeFacts("bit"), "varbit": TypeFacts("varbit")},
        among("00000000", "10000000", "00000001", "11111111"),
    ),
    "varbit": Case({"varbit": TypeFacts("varbit")}, st.text("01", max_size=10)),
    "inet and cidr": Case(
        {"inet": TypeFacts("inet"), "cidr": TypeFacts("cidr")},
        among("10.0.0.0/8", "10.0.0.0/16", "::/0", "0.0.0.0/0", "10.0.0.1/32"),
        shown="{v}::inet::text",
    ),
    "money": Case({"money": TypeFacts("money")}, among("0", "1", "-1", "92233720368547758.07")),
    "xml, box, tsvector": Case({"tsvector": TypeFacts("tsvector")}, among("a b", "b a", "'a b'", "a:1", "")),
    "int arrays": Case(
        {
            "int4[]": TypeFacts("_int4", array=True, element=INT4),
            "int8[]": TypeFacts("_int8", array=True, element=TypeFacts("int8")),
        },
        among("{}", "{1}", "{NULL}", "{1,2}", "{{1,2}}", "{{1},{2}}", "[0:1]={1,2}", "[2:2]={1}", "{2,1}"),
    ),
    "text arrays": Case(
        {
            "text[]": TypeFacts("_text", array=True, element=TEXT),
            "varchar[]": TypeFacts("_varchar", array=True, element=TypeFacts("varchar")),
        },
        among("{}", '{""}', "{NULL}", '{"NULL"}', '{"a,b"}', "{a,b}", '{"a\\"b"}', "{A}", '{" "}'),
    ),
    "arrays of enums and of domains": Case(
        {
            "mood[]": TypeFacts(
                "_mood", array=True, builtin=False, element=TypeFacts("mood", "e", builtin=False)
            ),
            "word[]": TypeFacts("_word", array=True, builtin=False, element=TEXT),
        },
        among("{}", "{sad}", "{NULL}", '{""}', "{ok,sad}", "[0:0]={ok}"),
    ),
    "arrays of integer domains": Case(
        {
            "small[]": TypeFacts("_small", array=True, builtin=False, element=INT4),
            "int8[]": TypeFacts("_int8", array=True, element=TypeFacts("int8")),
        },
        among("{}", "{1}", "{NULL}", "{{1},{2}}", "{-1}"),
    ),
    "numeric arrays": Case(
        {
            "numeric[]": TypeFacts("_numeric", array=True, element=NUMERIC),
            "numeric(9,3)[]": TypeFacts("_numeric", array=True, element=NUMERIC),
        },
        among("{}", "{1}", "{1.0}", "{1.00,NULL}", "{1,NULL}", "{{1},{2}}", "{{1.0,2}}", "[0:0]={1}"),
        shown="CASE WHEN {v} IS NOT NULL THEN coalesce(array_dims({v}), '') END || ' ' || (SELECT "
        "coalesce(string_agg(coalesce(trim_scale(x)::text, 'NULL'), ',' ORDER BY n), '') FROM "
        "unnest({v}) WITH ORDINALITY AS u(x, n))",
    ),
    "json arrays": Case(
        {"jsonb[]": TypeFacts("_jsonb", array=True, element=TypeFacts("jsonb"))},
        among("{}", '{"1"}', '{"\\"1\\""}', "{NULL}", '{"null"}'),
    ),
    "clock arrays": Case(
        {"timestamp[]": TypeFacts("_timestamp", array=True, element=TS)},
        among("{}", "{2025-01-01}", "{NULL}", "{infinity}", '{"2025-01-01 00:00:01"}'),
    ),
    "numeric ranges": Case(
        {"numrange": TypeFacts("numrange", "r", element=NUMERIC)},
        among("empty", "(,)", "[1,2)", "[1.0,2.00)", "(1,2)", "[1,2]", "[1,)", "(,2)", "(1.5,]"),
        shown="CASE WHEN isempty({v}) THEN 'empty' ELSE concat_ws('|', "
        "coalesce(trim_scale(lower({v}))::text, '-'), coalesce(trim_scale(upper({v}))::text, '-'), "
        "lower_inc({v}), upper_inc({v})) END",
    ),
    "instant ranges": Case(
        {"tstzrange": TypeFacts("tstzrange", "r", element=TSTZ)},
        among(
            "empty",
            "(,)",
            "[2025-01-01,infinity]",
            "[2025-01-01,)",
            "[2025-01-01,2025-01-02)",
            "(2025-01-01,2025-01-02)",
        ),
    ),
    "int multiranges": Case(
        {
            "int4multirange": TypeFacts(
                "int4multirange", "m", element=TypeFacts("int4range", "r", element=INT4)
            )
        },
        among("{}", "{[1,2)}", "{[1,1]}", "{[1,2),[4,5)}", "{[1,5)}"),
    ),
    "composites": Case(
        {"pair": TypeFacts("pair", "c", builtin=False, fields=(("a", INT4), ("b", TEXT)))},
        among("(,)", '(,"")', "(1,)", "(1,a)", '(1,"a,b")', '("1",a)'),
    ),
    "domains over what is digested as it is": Case(
        {"day": TypeFacts("date"), "date": TypeFacts("date")},
        among("2025-10-18", "infinity", "4713-01-01 BC"),
    ),
    "domains": Case(
        {"positive": NUMERIC, "numeric(18,2)": NUMERIC}, among("1", "1.00", "1.5", "-1", "0"), truth=number_of
    ),
}


def form_of(case: Case) -> CanonicalForm:
    """The form that all types of a case share."""
    facts = list(case.types.values())
    form = own_form(facts[0])
    for other in facts[1:]:
        form = common_form(facts[0], other, True) if own_form(other) != form else form
    assert isinstance(form, CanonicalForm), form
    return CanonicalForm(case.form) if case.form else form


def answers(
    cursor: Any, case: Case, typed: Sequence[tuple[str, str]], encoding: str
) -> list[tuple[Any, tuple[int, int]]]:
    """(truth, digest) of each (type, literal), the NULL of each type last."""
    found: list[tuple[Any, tuple[int, int]]] = []
    for name, facts in case.types.items():
        literals = [literal for type_, literal in typed if type_ == name]
        rows = ", ".join(f"({n}, {quoted(literal)}::{name})" for n, literal in enumerate([*literals, None]))
        digest = digest_of(encoding, (Part("v", facts, form_of(case)),), Context(ZONE))
        inner = staged(
            f"(VALUES {rows}) AS given (n, v)", {"n": "n", "shown": case.shown.format(v="v"), **digest.items}
        )
        cursor.execute(f"SELECT shown, {', '.join(digest.lanes)} FROM {inner} ORDER BY n")
        for shown, high, low in cursor.fetchall():
            found.append((None if shown is None else case.truth(shown), (high, low)))
    return found


def quoted(literal: str | None) -> str:
    """A literal as SQL."""
    return "NULL" if literal is None else "'" + literal.replace("'", "''") + "'"


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@LAWS
def test_digests_are_equal_exactly_where_values_are(
    servers: list[Any], name: str, data: st.DataObject
) -> None:
    """Over all types of a form, hostile literals and NULL: one digest a value, one value a digest, the
    same on 15 and 18.
    """
    case = CASES[name]
    typed = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(case.types)), case.literals), min_size=8, max_size=24)
    )
    for encoding in (HASH, SHA256, SEEDED):
        on18, on15 = (answers(cursor, case, typed, encoding) for cursor in servers)
        assert on18 == on15
        for lane in (0, 1):
            by_value: dict[Any, set[int]] = {}
            for value, digest in on18:
                by_value.setdefault(value, set()).add(digest[lane])
            assert all(len(digests) == 1 for digests in by_value.values()), by_value
            assert len(set().union(*by_value.values())) == len(by_value), by_value


def hashes(
    cursor: Any, case: Case, typed: Sequence[tuple[str, str]], version: int, column: str
) -> list[tuple[Any, tuple[int, int]]]:
    """(truth, both hashes as a value of a column) of each (type, literal), the NULL of each type last."""
    found: list[tuple[Any, tuple[int, int]]] = []
    for name, facts in case.types.items():
        literals = [literal for type_, literal in typed if type_ == name]
        rows = ", ".join(f"({n}, {quoted(literal)}::{name})" for n, literal in enumerate([*literals, None]))
        hashed = value_hash(Part("v", facts, form_of(case), cast=column and name), Context(ZONE), version)
        inner = staged(
            f"(VALUES {rows}) AS given (n, v)",
            {"n": "n", "shown": case.shown.format(v="v"), "r": hashed.inner},
        )
        lanes = ", ".join(f"coalesce({hashed.of('r', str(seed))}, 0)" for seed in SEEDS)
        cursor.execute(f"SELECT shown, {lanes} FROM {inner} ORDER BY n")
        for shown, high, low in cursor.fetchall():
            found.append((None if shown is None else case.truth(shown), (high, low)))
    return found


@pytest.mark.parametrize("name", CASES)
@given(data=st.data())
@LAWS
def test_hashes_of_a_column_are_equal_exactly_where_values_are(
    servers: list[Any], name: str, data: st.DataObject
) -> None:
    """One hash a value, one value a hash, on 15 as on 18, whichever of the functions that give the same
    number is written.
    """
    case = CASES[name]
    typed = data.draw(
        st.lists(st.tuples(st.sampled_from(sorted(case.types)), case.literals), min_size=8, max_size=24)
    )
    on18, on15 = hashes(servers[0], case, typed, 180000, ""), hashes(servers[1], case, typed, 150000, "")
    assert (
        on18
        == on15
        == hashes(servers[0], case, typed, 150000, "")
        == hashes(servers[0], case, typed, 180000, "cast")
    )
    by_value: dict[Any, set[tuple[int, int]]] = {}
    for value, digest in on18:
        by_value.setdefault(value, set()).add(digest)
    assert all(len(digests) == 1 for digests in by_value.values()), by_value
    assert len(set().union(*by_value.values())) == len(by_value), by_value
    assert on18[-1][1] == (0, 0)


FOLDED = [
    *(0, -1, 1, 2**32 - 1, 2**32, 2**32 + 1, -(2**32)),
    *(2**63 - 1, -(2**63), 2**31, -(2**31) - 1, 7 * 2**32 + 7, 5 * 2**32 + 5),
]
"""Numbers some of whose halves fold to the same 32 bits."""


def test_integers_have_different_digests_where_their_hash_folds(servers: list[Any]) -> None:
    """Every pair whose halves fold to the same 32 bits, under one seed; and a column of int4 as one of
    int8.
    """
    hashed = value_hash(Part("v", TypeFacts("int8"), CanonicalForm("integer")), Context(), 0)
    listed = ", ".join(f"('{n}'::int8)" for n in FOLDED)
    inner = staged(f"(VALUES {listed}) AS given (v)", {"r": hashed.inner})
    servers[0].execute(f"SELECT DISTINCT {hashed.of('r', '42')} FROM {inner}")
    assert len(servers[0].fetchall()) == len(FOLDED)


@pytest.mark.parametrize("key", [("k",), ("k", "j"), ()])
def test_sums_over_a_column_notice_values_that_changed_places(
    servers: list[Any], key: tuple[str, ...]
) -> None:
    """Swapped between rows, moved from a value to a NULL, negated, scaled: each changes both sums."""
    parts = [Part(name, INT4, CanonicalForm("integer")) for name in key]
    first, second = seeds(parts, Context(), 180000)
    hashed = value_hash(Part("a", NUMERIC, CanonicalForm("numeric")), Context(), 180000)
    sides = [
        "(1,1,10),(2,1,30)",
        "(1,1,30),(2,1,10)",
        "(1,1,-10),(2,1,-30)",
        "(1,1,1000),(2,1,3000)",
        "(1,1,10),(2,1,NULL)",
        "(1,1,NULL),(2,1,10)",
        "(1,1,10),(2,2,30)",
        "(2,1,10),(1,1,30)",
    ]
    found = {}
    for side in sides:
        inner = staged(
            f"(VALUES {side}) AS given (k, j, a)", {"seed0": first, "seed1": second, "r": hashed.inner}
        )
        servers[0].execute(
            f"SELECT sum({hashed.of('r', 'seed0')}), sum({hashed.of('r', 'seed1')}) FROM {inner}"
        )
        found[side] = servers[0].fetchone()
    assert all(high != low for high, low in found.values()), "two lanes under one seed are one"
    same = {(): 4, ("k",): 6, ("k", "j"): 7}[
        key
    ]  # without a key rows are multisets; j is no part of the key k
    assert (
        len(set(found.values()))
        == len({high for high, _ in found.values()})
        == len({low for _, low in found.values()})
        == same
    )


CLOCKS = among(
    "2025-03-30 02:30:00",
    "2025-10-26 02:30:00",
    "2025-10-26 01:59:59.999999",
    "1941-10-01 00:00:00",
    "1883-11-18 12:03:57",
    "0001-01-01 00:00:00",
    "0044-03-15 00:00:00 BC",
    "infinity",
    "-infinity",
    "294200-12-31 00:00:00",
    also=st.datetimes().map(lambda moment: moment.isoformat(" ")),
)


@pytest.mark.parametrize(
    "zone",
    ["Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC"],
)
@pytest.mark.parametrize("way", [HASH, SEEDED])
@given(literals=st.lists(CLOCKS, min_size=1, max_size=12))
@LAWS
def test_a_clock_is_the_same_moment_in_a_session_of_its_zone(
    servers: list[Any], zone: str, way: str, literals: list[str]
) -> None:
    """AT TIME ZONE, and a cast in a session of that zone: one digest, in gaps, overlaps and at the ends,
    on 15 and 18.
    """
    listed = ", ".join(f"({n}, {quoted(literal)}::timestamp)" for n, literal in enumerate(literals))
    found = []
    for cursor in servers:
        for context in (Context(zone), Context(zone, in_zone=True)):
            digest = digest_of(way, (Part("v", TS, CanonicalForm("timestamptz")),), context)
            inner = staged(f"(VALUES {listed}) AS given (n, v)", {"n": "n", **digest.items})
            cursor.execute(f"SET TimeZone = '{zone if context.in_zone else 'UTC'}'")
            cursor.execute(f"SELECT n, {', '.join(digest.lanes)} FROM {inner} ORDER BY n")
            found.append(cursor.fetchall())
        cursor.execute(PINS)
    assert found[0] == found[1] == found[2] == found[3]


def test_servers_answer_the_self_check_alike(servers: list[Any]) -> None:
    """15 and 18 give the same digests of all hostile values, in every way, and different values differ."""
    for encoding, seed in ((HASH, b""), (SHA256, b""), (HASH, SEED)):
        found = []
        for cursor in servers:
            cursor.execute(self_check_sql(encoding, seed=seed))
            found.append(cursor.fetchall())
        assert found[0] == found[1]
        distinct = {(form, high) for form, _, _, high, _ in found[0]}
        assert len(distinct) == len(found[0]) - 1  # 500 and 500.00 are one number


@pytest.mark.parametrize("encoding", [HASH, SHA256, SEEDED])
@given(
    rows=st.lists(
        st.tuples(*[st.sampled_from([None, "", "a", "b", "ab", "bc", "abc", ",", "\\"])] * 3),
        min_size=2,
        max_size=30,
    )
)
@LAWS
def test_rows_are_framed(servers: list[Any], encoding: str, rows: list[tuple[str | None, ...]]) -> None:
    """'a', 'bc' is not 'ab', 'c'; NULL is not ''; a value in another column is another row."""
    parts = [Part(name, TEXT, CanonicalForm("text")) for name in "abc"]
    digest = digest_of(encoding, parts, Context())
    listed = ", ".join(f"({n}, {', '.join(f'{quoted(v)}::text' for v in row)})" for n, row in enumerate(rows))
    inner = staged(f"(VALUES {listed}) AS given (n, a, b, c)", {"n": "n", **digest.items})
    servers[0].execute(f"SELECT {', '.join(digest.lanes)} FROM {inner} ORDER BY n")
    digests = servers[0].fetchall()
    assert len(set(digests)) == len(set(rows))
    assert all((digests[i] == digests[0]) == (rows[i] == rows[0]) for i in range(len(rows)))


@pytest.mark.parametrize("encoding", [HASH, SHA256, SEEDED])
def test_sums_notice_values_that_changed_places(servers: list[Any], encoding: str) -> None:
    """Two values swapped between rows, two columns swapped in one row, an equal row twice: each changes a
    sum over rows.
    """
    parts = [
        Part("k", INT4, CanonicalForm("integer")),
        Part("a", NUMERIC, CanonicalForm("numeric")),
        Part("b", NUMERIC, CanonicalForm("numeric")),
    ]
    digest = digest_of(encoding, parts, Context())
    sides = [
        "(1,10,20),(2,30,40)",
        "(1,30,20),(2,10,40)",
        "(1,20,10),(2,30,40)",
        "(1,10,20),(2,30,40),(3,1,1),(3,1,1)",
        "(1,-10,-20),(2,30,40)",
        "(1,100000,200000),(2,300000,400000)",
        "(2,10,20),(1,30,40)",
    ]
    sums = []
    for values in sides:
        inner = staged(f"(VALUES {values}) AS given (k, a, b)", digest.items)
        servers[0].execute(f"SELECT {', '.join(f'sum({lane})' for lane in digest.lanes)} FROM {inner}")
        sums.append(servers[0].fetchone())
    assert len(set(sums)) == len(sides)
    assert len({high for high, _ in sums}) == len({low for _, low in sums}) == len(sides)


def test_every_pattern_of_bits_of_nan_is_one_value(servers: list[Any]) -> None:
    """What arithmetic made not a number, and what was written so."""
    for encoding in (HASH, SHA256, SEEDED):
        digest = digest_of(encoding, (Part("v", TypeFacts("float8"), CanonicalForm("float")),), Context())
        values = "(VALUES ('NaN'::float8), ('Infinity'::float8 - 'Infinity'::float8)) AS given (v)"
        inner = staged(values, {**digest.items, "bits": "float8send(v)"})
        servers[0].execute(f"SELECT {', '.join(digest.lanes)}, bits FROM {inner}")
        written, made = servers[0].fetchall()
        assert written[:2] == made[:2]


def test_what_has_no_form_is_said() -> None:
    """Types whose text depends on more than their value have no form; so have two that share none."""
    assert isinstance(own_form(TypeFacts("regclass")), str)
    assert isinstance(own_form(TypeFacts("strange", builtin=False)), str)
    assert isinstance(own_form(TypeFacts("_regclass", array=True, element=TypeFacts("regclass"))), str)
    assert isinstance(common_form(TypeFacts("bool"), INT4, True), str)
    assert isinstance(common_form(TS, TSTZ, False), str)
    assert common_form(TS, TSTZ, True) == CanonicalForm("timestamptz")
    # A type of somebody else's that has the name of PostgreSQL's own is none of these.
    assert isinstance(own_form(TypeFacts("int4", builtin=False)), str)
