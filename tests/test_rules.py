"""Every kind of rule against an oracle that is not SQL, and every fact of the catalogue both ways, on a
real server.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pandas as pd
import pandera.pandas as pa
import psycopg2
import pytest
from conftest import Server
from helpers import counts, examples, insert, keys, result, results, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.facts.check import Tolerance
from kisaan_validate.facts.result import Evidence, Status, vacuous

LAW = hypothesis_settings(
    max_examples=examples(30),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# --- relations against Python ------------------------------------------------------------------------------

NAN = Decimal("NaN")
Value = Decimal | None

PAIR = """
CREATE TABLE parent (id integer PRIMARY KEY, v numeric, s text);
CREATE TABLE pair (a integer, b text, PRIMARY KEY (a, b));
CREATE TABLE child (id integer PRIMARY KEY, parent_id integer, a integer, b text, v numeric, s text);
"""


def order(value: Decimal) -> tuple[int, Decimal]:
    """PostgreSQL's order of numeric: NaN equals itself and is greater than every number."""
    return (1, Decimal(0)) if value.is_nan() else (0, value)


def compare(left: Value, sign: str, right: Value) -> bool | None:
    """A comparison as SQL has it: None where either side is NULL."""
    if left is None or right is None:
        return None
    a, b = order(left), order(right)
    return {"=": a == b, "<=": a <= b, ">=": a >= b, "<": a < b, ">": a > b}[sign]


def distinct(left: Value, right: Value) -> bool:
    """IS DISTINCT FROM."""
    return compare(left, "=", right) is False or (left is None) is not (right is None)


def nan(*values: Value) -> bool:
    """Whether one of them is a NaN: whatever is said of it does not hold."""
    return any(v is not None and v.is_nan() for v in values)


values = st.sampled_from(
    [None, Decimal(0), Decimal(1), Decimal("1.00"), Decimal("2.5"), Decimal(-1), NAN, Decimal("Infinity")]
)
texts = st.sampled_from([None, "", "a", "A", "a ", "\\", "%", "'", "é", "\n"])
small = st.sampled_from([None, 1, 2, 3, 4])
parents = st.lists(st.tuples(values, texts), max_size=4).map(
    lambda rows: [(n, *row) for n, row in enumerate(rows, 1)]
)
pairs = st.lists(st.tuples(st.integers(1, 2), st.sampled_from(["x", ""])), unique=True, max_size=3)
children = st.lists(
    st.tuples(small, st.sampled_from([None, 1, 2]), st.sampled_from([None, "x", ""]), values, texts),
    max_size=12,
).map(lambda rows: [(n, *row) for n, row in enumerate(rows, 1)])


@pytest.fixture(scope="module")
def family(server: Server) -> Iterator[str]:
    """A database with a parent and a child table."""
    name = server.create(PAIR)
    yield name
    server.drop(name)


RELATIONS: list[Declaration] = [
    declare.references("child", "parent_id", "parent", id="references"),
    declare.references("child", "parent_id", "parent", id="references_where", where="child.v > 0"),
    declare.references("child", ["a", "b"], "pair", ["a", "b"], id="references_pair"),
    declare.agrees("child", "v", with_="parent.v", via="parent_id", id="agrees"),
    declare.agrees("child", "v", with_="parent.v", via="parent_id", nulls="pass", id="agrees_pass"),
    declare.agrees(
        "child", "s", with_="parent.s", via="parent_id", where="parent.v IS NOT NULL", id="agrees_where"
    ),
    declare.agrees(
        "child",
        "v",
        with_="parent.v",
        via="parent_id",
        nulls="pass",
        where="child.v < 2",
        id="agrees_pass_where",
    ),
    declare.holds_with("child", "child.v <= parent.v", parent="parent", via="parent_id", id="holds_with"),
    declare.holds("child", "v > 0 OR s = 'a'", id="holds"),
]


@LAW
@given(parents, pairs, children)
def test_relations_are_what_python_says(
    server: Server, family: str, parent: list[Any], pair: list[Any], child: list[Any]
) -> None:
    """references, agrees, holds_with and holds judge and find exactly the rows that a plain loop does,
    NULL and NaN too.
    """
    server.sql("TRUNCATE parent, pair, child", family)
    for table, rows in (("parent", parent), ("pair", pair), ("child", child)):
        insert(server, family, table, rows)
    by_id = {row[0]: row for row in parent}
    wanted: dict[str, list[int]] = {d.meta.id: [] for d in RELATIONS}
    judged = dict.fromkeys(wanted, 0)

    def judge(name: str, id: int, applies: bool | None, bad: bool) -> None:
        judged[name] += bool(applies)
        wanted[name] += [id] if applies and bad else []

    for id, parent_id, a, b, v, s in child:
        found = by_id.get(parent_id)
        positive, is_a = compare(v, ">", Decimal(0)), None if s is None else s == "a"
        judge("references", id, parent_id is not None, found is None)
        judge("references_where", id, parent_id is not None and positive, found is None)
        judge("references_pair", id, a is not None and b is not None, (a, b) not in pair)
        if found is not None:
            differs = compare(v, "=", found[1]) is False or nan(v, found[1])
            both = v is not None and found[1] is not None
            judge("agrees", id, True, distinct(v, found[1]) or nan(v, found[1]))
            judge("agrees_pass", id, both, differs)
            judge("agrees_pass_where", id, both and compare(v, "<", Decimal(2)), differs)
            judge("agrees_where", id, found[1] is not None, s != found[2])
            judge("holds_with", id, True, compare(v, "<=", found[1]) is False or nan(v, found[1]))
        judge(
            "holds",
            id,
            True,
            nan(v) or (positive is not True and is_a is not True and None not in (positive, is_a)),
        )
    answers = results(server, family, *RELATIONS)
    assert {id: [int(k or 0) for (k,) in keys(r, "id")] for id, r in answers.items()} == wanted
    assert counts(answers) == {id: len(ids) for id, ids in wanted.items()}
    assert {id: r.examined for id, r in answers.items()} == judged


SUMS: dict[str, dict[str, Any]] = {
    "equal": {},
    "skip": {"missing": "skip"},
    "at_most": {"relation": "<="},
    "at_least": {"relation": ">="},
    "below": {"relation": "<"},
    "above": {"relation": ">"},
    "where": {"where": "parent.s = 'a'"},
    "detail_where": {"detail_where": "s = 'a' OR v > 1"},
    "both": {"where": "parent.v > 0", "detail_where": "v <> 1", "missing": "skip"},
}
SIGNS = {"at_most": "<=", "at_least": ">=", "below": "<", "above": ">"}


def total(found: list[Value]) -> Value:
    """PostgreSQL's sum: NULLs left out, None if nothing is left; NaN from NaN."""
    known = [v for v in found if v is not None]
    if any(v.is_nan() for v in known):
        return NAN
    return sum(known, Decimal(0)) if known else None


@pytest.mark.slow
@LAW
@given(parents, children)
def test_sums_are_what_python_says(server: Server, family: str, parent: list[Any], child: list[Any]) -> None:
    """reconciles compares the exact sum of the details with each recorded value that it judges, in each of
    its variants.
    """
    server.sql("TRUNCATE parent, child", family)
    insert(server, family, "parent", parent)
    insert(server, family, "child", child)

    def counted(name: str, v: Value, s: str | None) -> bool:
        large, other = compare(v, ">", Decimal(1)), compare(v, "=", Decimal(1)) is False
        return {"detail_where": s == "a" or bool(large), "both": other}.get(name, True)

    def judged(name: str, v: Value, s: str | None) -> bool:
        return {"where": s == "a", "both": bool(compare(v, ">", Decimal(0)))}.get(name, True)

    wanted: dict[str, list[int]] = {name: [] for name in SUMS}
    examined = dict.fromkeys(SUMS, 0)
    for name in SUMS:
        for id, v, s in parent:
            details = [row[4] for row in child if row[1] == id and counted(name, row[4], row[5])]
            if not judged(name, v, s) or (SUMS[name].get("missing") == "skip" and not details):
                continue
            examined[name] += 1
            computed = total(details)
            if (
                nan(computed, v)
                or compare(Decimal(0) if computed is None else computed, SIGNS.get(name, "="), v) is False
            ):
                wanted[name].append(id)
    made = [
        declare.reconciles(
            "parent", "v", details="child", detail_column="v", via="parent_id", id=name, **arguments
        )
        for name, arguments in SUMS.items()
    ]
    answers = results(server, family, *made)
    assert {id: [int(k or 0) for (k,) in keys(r, "id")] for id, r in answers.items()} == wanted
    assert {id: (r.violations, r.examined) for id, r in answers.items()} == {
        name: (len(wanted[name]), examined[name]) for name in SUMS
    }


@LAW
@given(children)
def test_duplicates_are_what_pandas_says(server: Server, family: str, child: list[Any]) -> None:
    """Surplus rows are pandas' ``duplicated()``; groups are the values that occur more than once."""
    server.sql("TRUNCATE child", family)
    insert(server, family, "child", child)
    found = results(
        server,
        family,
        declare.unique("child", ["b", "s"], id="surplus"),
        declare.unique("child", ["b", "s"], counts="groups", id="groups"),
        declare.unique("child", ["b", "s"], nulls_equal=False, id="nulls_differ"),
        declare.unique("child", ["b", "s"], where="parent_id = 1", id="where"),
        declare.unique(
            "child", ["b", "s"], where="parent_id = 1", nulls_equal=False, counts="groups", id="all_at_once"
        ),
        declare.unique("child", "v", id="numbers"),
    )
    frame = pd.DataFrame(child, columns=["id", "parent_id", "a", "b", "v", "s"], dtype=object)
    complete = frame[frame.b.notna() & frame.s.notna()]
    groups = Counter((row[3], row[5]) for row in child)
    some = Counter(
        (row[3], row[5]) for row in child if row[1] == 1 and row[3] is not None and row[5] is not None
    )
    numbers = Counter(None if row[4] is None else order(row[4]) for row in child)
    assert counts(found) == {
        "surplus": int(frame.duplicated(["b", "s"]).sum()),
        "groups": sum(n > 1 for n in groups.values()),
        "nulls_differ": int(complete.duplicated(["b", "s"]).sum()),
        "where": int(frame[frame.parent_id == 1].duplicated(["b", "s"]).sum()),
        "all_at_once": sum(n > 1 for n in some.values()),
        "numbers": sum(n - 1 for n in numbers.values()),
    }
    assert sorted(keys(found["groups"], "b", "s"), key=repr) == sorted(
        (k for k, n in groups.items() if n > 1), key=repr
    )
    assert {id: r.examined for id, r in found.items()} == {
        **dict.fromkeys(("surplus", "groups", "numbers"), len(child)),
        "nulls_differ": len(complete),
        "where": sum(row[1] == 1 for row in child),
        "all_at_once": some.total(),
    }


# --- keys and digests -------------------------------------------------------------------------------------


@LAW
@given(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=15), st.data())
def test_sampled_keys_are_exactly_the_violating_keys(
    server: Server, database: str, ids: list[int], data: Any
) -> None:
    """Below the limit the sample is the violating keys, in key order; above it, the first of them."""
    bad = set(data.draw(st.lists(st.sampled_from(ids), unique=True)))
    limit = data.draw(st.integers(1, 15))
    server.sql("CREATE TABLE IF NOT EXISTS t (id bigint PRIMARY KEY, ok boolean); TRUNCATE t", database)
    insert(server, database, "t", [(id, id not in bad) for id in ids])
    found = result(server, database, declare.holds("t", "ok"), sample=limit)
    assert found.violations == len(bad)
    assert [int(k or 0) for (k,) in keys(found, "id")] == sorted(bad)[:limit]
    assert bool(found.key_digest) is bool(bad)


key_parts = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3)
key_sets = st.sets(st.tuples(key_parts, key_parts), min_size=1, max_size=8)


@LAW
@given(key_sets, key_sets, st.randoms(use_true_random=False))
def test_a_digest_is_that_of_the_set(
    server: Server, database: str, first: set[tuple[str, str]], second: set[tuple[str, str]], random: Any
) -> None:
    """Two digests are equal exactly if the sets of keys are, whatever the physical order and the sample's
    size.
    """
    server.sql("CREATE TABLE IF NOT EXISTS k (a text, b text, PRIMARY KEY (a, b))", database)

    def digest(rows: set[tuple[str, str]], limit: int) -> str:
        shuffled = sorted(rows)
        random.shuffle(shuffled)
        server.sql("TRUNCATE k", database)
        insert(server, database, "k", shuffled)
        return result(server, database, declare.holds("k", "a IS NULL"), sample=limit).key_digest

    base = digest(first, 20)
    assert digest(first, 1) == base
    assert (digest(second, 20) == base) is (first == second)


def test_digests_tell_keys_apart(server: Server, database: str) -> None:
    """Neighbouring columns do not run together, NULL is not '', and two equal keys do not cancel each
    other.
    """
    sql = "CREATE TABLE k (a text, b text, n integer)"
    server.sql(sql, database)

    def digest(*rows: tuple[Any, Any]) -> str:
        server.sql("TRUNCATE k", database)
        insert(server, database, "k", [(*row, n) for row in rows for n in range(2)])
        return result(server, database, declare.unique("k", ["a", "b"], counts="groups")).key_digest

    sets: list[list[tuple[Any, Any]]] = [
        [("a", "bc")],
        [("ab", "c")],
        [("abc", "")],
        [("abc", None)],
        [(None, None)],
        [("", "")],
        [("NULL", "NULL")],
        [("a,b", "c")],
        [("a", "b,c")],
        [('"', "\\")],
        [("\\", '"')],
        [("a", "bc"), ("ab", "c")],
        [("{", "}")],
    ]
    digests = [digest(*rows) for rows in sets]
    assert len(set(digests)) == len(sets)
    assert all(digests)


def test_a_digest_can_be_computed_by_anyone(server: Server, database: str) -> None:
    """The digest is what the record's description says: SHA-256 over the number of keys and the sums of
    both halves.
    """
    server.sql(
        "CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 50)", database
    )
    found = result(server, database, declare.holds("t", "id > 50"))
    digests = [hashlib.sha256(f"{{{id}}}".encode()).digest() for id in range(1, 51)]
    high, low = (sum(int.from_bytes(d[at : at + 8], signed=True) for d in digests) for at in (0, 8))
    assert found.key_digest == hashlib.sha256(f"50|{high}|{low}".encode()).hexdigest()


def test_a_table_without_a_key_is_named_by_its_place(server: Server, database: str) -> None:
    """Where no primary key names a row, its physical place does."""
    server.sql("CREATE TABLE t (a integer); INSERT INTO t VALUES (1), (-1), (-2)", database)
    found = result(server, database, declare.holds("t", "a > 0"))
    assert keys(found, "ctid", "a") == [("(0,2)", "-1"), ("(0,3)", "-2")]


# --- single rules -----------------------------------------------------------------------------------------


@LAW
@given(
    st.lists(st.sampled_from([None, "a", "b", "c", ""]), max_size=6),
    st.sets(st.sampled_from(["a", "b", "c", ""]), min_size=1),
)
def test_the_set_of_values(
    server: Server, database: str, present: list[str | None], wanted: set[str]
) -> None:
    """``unique_values_eq``: one violation for each value too many and each that is missing; NULL is no
    value.
    """
    server.sql("CREATE TABLE IF NOT EXISTS t (s text); TRUNCATE t", database)
    insert(server, database, "t", [(v,) for v in present])
    schema = pa.DataFrameSchema(
        {"s": pa.Column(str, pa.Check.unique_values_eq(sorted(wanted)), nullable=True)}, name="t"
    )
    found = results(server, database, schema)["t.s.unique_values_eq"]
    actual = {v for v in present if v is not None}
    assert found.violations == len(actual ^ wanted)
    expected = [(v, "missing") for v in wanted - actual] + [(v, "not expected") for v in actual - wanted]
    assert set(keys(found, "value", "problem")) == set(expected)


SEQUENCES = {
    "fresh": ("serial", "", Status.PASS),
    "used": ("serial", "INSERT INTO t DEFAULT VALUES", Status.PASS),
    "behind": ("serial", "INSERT INTO t VALUES (5)", Status.FAIL),
    "just behind": ("serial", "INSERT INTO t VALUES (1)", Status.FAIL),
    "level": ("serial", "INSERT INTO t VALUES (5); SELECT setval('t_id_seq', 5)", Status.PASS),
    "level, not yet handed out": (
        "serial",
        "INSERT INTO t VALUES (5); SELECT setval('t_id_seq', 5, false)",
        Status.FAIL,
    ),
    "identity, behind": (
        "integer GENERATED BY DEFAULT AS IDENTITY",
        "INSERT INTO t (id) VALUES (2)",
        Status.FAIL,
    ),
    "default nextval": ("integer DEFAULT nextval('own')", "INSERT INTO t VALUES (7)", Status.FAIL),
    "descending": ("integer DEFAULT nextval('down')", "INSERT INTO t VALUES (-1)", Status.FAIL),
    "descending, ahead": ("integer DEFAULT nextval('down')", "INSERT INTO t DEFAULT VALUES", Status.PASS),
    "none": ("integer", "", Status.ERROR),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name: str, server: Server, database: str) -> None:
    """A sequence that would hand out a value already taken fails; a column without one cannot be asked."""
    type_, sql, status = SEQUENCES[name]
    server.sql(
        f"CREATE SEQUENCE own; CREATE SEQUENCE down INCREMENT -1; CREATE TABLE t (id {type_}); {sql}",
        database,
    )
    found = result(server, database, declare.sequence("t"))
    assert (found.status, found.violations or 0) == (status, int(status is Status.FAIL)), found


def test_a_ledger_names_what_is_missing(server: Server, database: str) -> None:
    """Each name that the ledger lacks is one violation, quotes and all."""
    server.sql(
        "CREATE TABLE done (name varchar(20)); INSERT INTO done VALUES ('one'), ('it''s'), (NULL)", database
    )
    found = result(server, database, declare.ledger("done", "name", ["one", "it's", "two", "ON\\E"]))
    assert (found.violations, keys(found, "missing_name")) == (2, [("ON\\E",), ("two",)])


@pytest.mark.parametrize(("rows", "minimum", "status"), [(0, 1, "fail"), (1, 1, "pass"), (2, 3, "fail")])
def test_minimum_rows(rows: int, minimum: int, status: str, server: Server, database: str) -> None:
    """A table with fewer rows than demanded fails, and the evidence says how many there are."""
    server.sql(f"CREATE TABLE t AS SELECT n FROM generate_series(1, {rows}) AS n", database)
    found = result(server, database, declare.minimum_rows("t", minimum))
    assert (found.status, keys(found, "rows_found")) == (status, [(str(rows),)] if status == "fail" else [])


def test_tolerance_is_exact(server: Server, database: str) -> None:
    """A tolerated failure is TOLERATED, never PASS; one row or one part in 10^20 beyond it is FAIL."""
    server.sql("CREATE TABLE t AS SELECT n, n > 3 AS ok FROM generate_series(1, 1000) AS n", database)
    tolerances = {
        "3": Status.TOLERATED,
        "2": Status.FAIL,
        "0": Status.FAIL,
        "0.3%": Status.TOLERATED,
        "3/1000": Status.TOLERATED,
        "0.29999999999999999999%": Status.FAIL,
        "0.30000000000000000001%": Status.TOLERATED,
        "0%": Status.FAIL,
    }
    made = [declare.holds("t", "ok", id=f"tolerance {t}", tolerance=t) for t in tolerances]
    found = results(server, database, *made)
    assert {id.removeprefix("tolerance "): r.status for id, r in found.items()} == tolerances
    assert {r.violations for r in found.values()} == {3}
    assert all("tolerated" in r.message for r in found.values())
    met = result(server, database, declare.holds("t", "n > 0", tolerance=5))
    assert met.status is Status.PASS


@given(st.integers(0, 10**30), st.integers(1, 10**30), st.integers(0, 10**30), st.integers(1, 10**30))
def test_tolerance_compares_fractions(
    violations: int, examined: int, numerator: int, denominator: int
) -> None:
    """The comparison is that of fractions, at any size; a share of nothing is never tolerated."""
    tolerance = Tolerance(numerator=numerator, denominator=denominator)
    assert tolerance.accepts(violations, examined) is (
        Fraction(violations, examined) <= Fraction(numerator, denominator)
    )
    assert not tolerance.accepts(violations, 0)
    assert not tolerance.accepts(violations, None)


def test_zero_rows_are_said(server: Server, database: str) -> None:
    """A check that holds because there is nothing to look at says so."""
    server.sql(
        "CREATE TABLE u (id integer PRIMARY KEY, v integer); CREATE TABLE t (id integer, a integer, u_id "
        "integer)",
        database,
    )
    found = results(
        server,
        database,
        declare.holds("t", "a > 0", id="row"),
        declare.references("t", "u_id", "u", id="join"),
        declare.unique("t", "a", id="query"),
    )
    assert {id for id, r in found.items() if vacuous(r)} == {"row", "join", "query"}
    server.sql("INSERT INTO t VALUES (1, 1, NULL)", database)
    again = results(
        server,
        database,
        declare.holds("t", "a > 0", id="row"),
        declare.references("t", "u_id", "u", id="join"),
    )
    assert {id for id, r in again.items() if vacuous(r)} == {"join"}


CONDITIONS = {
    "table t": True,
    "not table t": False,
    "table u": False,
    "not table u": True,
    "column t.a": True,
    "column t.b": False,
    "not column t.b": True,
    "column u.a": False,
    "not column u.a": True,
    "type t.a integer": True,
    "type t.a int4": True,
    "type t.a bigint": False,
    "not type t.a bigint": True,
    "type t.m numeric(18,2)": True,
    "type t.m decimal(18, 2)": True,
    "type t.m numeric(18,3)": False,
    "type u.a integer": False,
    "table t; column t.a": True,
    "table t; column t.b": False,
    "table elsewhere": True,
    "column elsewhere.a": True,
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_conditions(condition: str, server: Server, database: str) -> None:
    """A check whose condition is not met is NOT_APPLICABLE with the reason, never a pass; else it is
    asked.
    """
    server.sql("CREATE TABLE t (a integer, m numeric(18,2))", database)
    aliased = settings(aliases={"elsewhere": ("nowhere", "t")})
    found = result(server, database, declare.holds("t", "a > 0", applies=condition), settings=aliased)
    assert (found.status is Status.PASS) is CONDITIONS[condition]
    if not CONDITIONS[condition]:
        assert found.status is Status.NOT_APPLICABLE
        assert found.message.startswith("not applicable, because ")


def test_optional_columns(server: Server, database: str) -> None:
    """Checks of a column that need not exist do not apply where it is missing, and are asked where it is
    there.
    """
    server.sql("CREATE TABLE t (id integer); INSERT INTO t VALUES (1)", database)
    schema = pa.DataFrameSchema({"extra": pa.Column(int, pa.Check.gt(0), required=False)}, name="t")
    found = results(server, database, schema)
    assert {r.status for id, r in found.items() if id != "t.present"} == {Status.NOT_APPLICABLE}
    server.sql("ALTER TABLE t ADD extra bigint DEFAULT -1", database)
    assert results(server, database, schema)["t.extra.greater_than"].status is Status.FAIL


def test_what_is_missing_is_skipped(server: Server, database: str) -> None:
    """A missing table or column fails its presence check and leaves the others without an answer, with the
    reason.
    """
    server.sql("CREATE TABLE t (id integer)", database)
    schema = pa.DataFrameSchema({"a": pa.Column(int, pa.Check.gt(0), unique=True)}, name="t")
    found = results(server, database, schema, pa.DataFrameSchema({"a": pa.Column(int)}, name="u"))
    assert {id: r.status for id, r in found.items()} == {
        "t.present": Status.PASS,
        "t.a.present": Status.FAIL,
        "t.a.type": Status.SKIP,
        "t.a.not_null": Status.SKIP,
        "t.a.unique": Status.SKIP,
        "t.a.greater_than": Status.SKIP,
        "u.present": Status.FAIL,
        "u.a.present": Status.SKIP,
        "u.a.type": Status.SKIP,
        "u.a.not_null": Status.SKIP,
    }
    assert found["t.a.unique"].message == "skipped, because column t.a does not exist"
    assert found["u.a.type"].message == "skipped, because table u does not exist"


def test_aliases(server: Server, database: str) -> None:
    """An alias means the first of its names that exists, in the first schema that has it; quoted and
    dotted names too.
    """
    server.sql(
        'CREATE SCHEMA other; CREATE SCHEMA "odd.schema"; CREATE TABLE other.old (a integer); CREATE '
        "TABLE old (a integer);"
        'CREATE TABLE "odd.schema"."Odd.Table" (a integer); INSERT INTO old VALUES (-1);'
        'INSERT INTO other.old VALUES (-1), (-2); INSERT INTO "odd.schema"."Odd.Table" VALUES (-1), '
        "(-2), (-3)",
        database,
    )
    names = {
        "t": ("new", "old"),
        "second": ("other.old",),
        "odd": ('"odd.schema"."Odd.Table"', "old"),
        "none": ("x", "y"),
    }
    made = [declare.holds(name, "a > 0", id=name) for name in names]
    for schemas, expected in ((("public", "other", "odd.schema"), 1), (("other", "public", "odd.schema"), 2)):
        found = results(server, database, *made, settings=settings(aliases=names, schemas=schemas))
        assert {id: r.violations for id, r in found.items()} == {
            "t": expected,
            "second": 2,
            "odd": 3,
            "none": None,
        }
        assert found["none"].status is Status.SKIP


# --- the catalogue ----------------------------------------------------------------------------------------

BASE = (
    "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (id integer, a integer, b text, p_id integer);"
)
TRIGGER = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"

# name: (declaration, SQL under which it holds, {word of the message: SQL under which it does not})
FACTS: dict[str, tuple[Callable[[], Declaration], str, dict[str, str]]] = {
    "table": (lambda: declare.table("q"), "CREATE TABLE q ()", {"no such table": ""}),
    "column": (lambda: declare.column("t", "a"), "", {"has no column a": "ALTER TABLE t DROP a"}),
    "type": (
        lambda: declare.column("t", "a", type="int4"),
        "",
        {"a is bigint": "ALTER TABLE t ALTER a TYPE bigint"},
    ),
    "type with precision": (
        lambda: declare.column("t", "a", type=["numeric(18,2)", "numeric(20,2)"]),
        "ALTER TABLE t ALTER a TYPE decimal(20,2)",
        {"a is numeric(20,3)": "ALTER TABLE t ALTER a TYPE numeric(20,3)"},
    ),
    "not null": (
        lambda: declare.column("t", "a", nullable=False),
        "ALTER TABLE t ALTER a SET NOT NULL",
        {
            "is not declared NOT NULL": "",
            "is not  declared NOT NULL": "ALTER TABLE t ADD CONSTRAINT n NOT NULL a NOT VALID",
        },
    ),
    "nullable": (
        lambda: declare.column("t", "a", nullable=True),
        "",
        {"is declared NOT NULL": "ALTER TABLE t ALTER a SET NOT NULL"},
    ),
    "default": (
        lambda: declare.column("t", "b", default="'x'"),
        "ALTER TABLE t ALTER b SET DEFAULT 'x'",
        {"its default is none": "", "its default is 'y'": "ALTER TABLE t ALTER b SET DEFAULT 'y'"},
    ),
    "no default": (
        lambda: declare.column("t", "b", default=None),
        "",
        {"its default is 'y'": "ALTER TABLE t ALTER b SET DEFAULT 'y'"},
    ),
    "default now": (
        lambda: declare.column("t", "b", default="now()"),
        "ALTER TABLE t ALTER b SET DEFAULT now()",
        {"its default is clock_timestamp()": "ALTER TABLE t ALTER b SET DEFAULT clock_timestamp()"},
    ),
    "primary key": (
        lambda: declare.constraint("t", "primary key", "id"),
        "ALTER TABLE t ADD PRIMARY KEY (id)",
        {"no such constraint": "", "no such  constraint": "ALTER TABLE t ADD PRIMARY KEY (id, a)"},
    ),
    "unique": (
        lambda: declare.constraint("t", "unique", ["a", "b"]),
        "ALTER TABLE t ADD UNIQUE (b, a)",
        {
            "no such constraint": "",
            "u is unique over (a, b), but only for rows where a > 0": "CREATE UNIQUE INDEX u ON t "
            "(a, b) WHERE a > 0",
            "no such   constraint": "CREATE UNIQUE INDEX u ON t (a, lower(b))",
            "no such    constraint": "CREATE INDEX u ON t (a, b)",
        },
    ),
    "unique by index": (
        lambda: declare.constraint("t", "unique", "a"),
        "CREATE UNIQUE INDEX u ON t (a) INCLUDE (b)",
        {"no such constraint": "CREATE UNIQUE INDEX u ON t (a, b)"},
    ),
    "unique, NULL equal": (
        lambda: declare.constraint("t", "unique", "a", nulls_not_distinct=True),
        "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a)",
        {
            "no such constraint": "CREATE UNIQUE INDEX ON t (a, b)",
            "u is unique over (a), but allows rows with NULL: a may be NULL": "ALTER TABLE t ADD "
            "CONSTRAINT u UNIQUE (a)",
            "u is unique over (a), but allows rows with  NULL: a may be NULL": "CREATE UNIQUE "
            "INDEX u ON t (a)",
            "u is unique over (a), but only for rows where a IS NOT NULL": "CREATE UNIQUE INDEX u ON "
            "t (a) WHERE a IS NOT NULL",
        },
    ),
    "unique over two, NULL equal": (
        lambda: declare.constraint("t", "unique", ["b", "a"], nulls_not_distinct=True),
        (
            "CREATE UNIQUE INDEX f ON t (a, b) WHERE a IS NOT NULL; CREATE UNIQUE INDEX e ON t (b) WHERE a "
            "IS NULL; ALTER TABLE t ALTER b SET NOT NULL"
        ),
        {
            "u is unique over (b, a), but allows rows with NULL: b, a may be NULL": "CREATE UNIQUE "
            "INDEX u ON t (a, b)",
            "but allows rows with NULL: a may be NULL": "CREATE UNIQUE INDEX u ON t (a, b); ALTER "
            "TABLE t ALTER b SET NOT NULL",
            "f is unique over (b, a), but only for rows where a IS NOT NULL": "CREATE UNIQUE INDEX f "
            "ON t (a, b) WHERE a IS NOT NULL",
        },
    ),
    "unique, no NULL": (
        lambda: declare.constraint("t", "unique", "a", nulls_not_distinct=True),
        "ALTER TABLE t ALTER a SET NOT NULL, ADD UNIQUE (a)",
        {"allows rows with NULL": "ALTER TABLE t ADD UNIQUE (a)"},
    ),
    "foreign key": (
        lambda: declare.constraint("t", "foreign key", "p_id", to="p"),
        "ALTER TABLE t ADD FOREIGN KEY (p_id) REFERENCES p",
        {
            "no such constraint": "",
            "fk is not validated": "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p NOT VALID",
            "fk is not enforced": "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p NOT "
            "ENFORCED",
            "no such  constraint": "CREATE TABLE p2 (id integer PRIMARY KEY);"
            "ALTER TABLE t ADD FOREIGN KEY (p_id) REFERENCES p2",
        },
    ),
    "check by name": (
        lambda: declare.constraint("t", "check", name="positive"),
        "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0)",
        {
            "no such constraint": "ALTER TABLE t ADD CONSTRAINT other CHECK (a > 0)",
            "positive is not validated": "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID",
            "positive is not enforced": "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT ENFORCED",
        },
    ),
    "check by columns": (
        lambda: declare.constraint("t", "check", ["a", "id"]),
        "ALTER TABLE t ADD CHECK (a > id)",
        {"no such constraint": "ALTER TABLE t ADD CHECK (a > 0)"},
    ),
    "index": (
        lambda: declare.index("t", ["a", "b"]),
        "CREATE INDEX ON t (a, b, id)",
        {
            "no such index": "CREATE INDEX ON t (b, a)",
            "no such  index": "CREATE INDEX ON t (a) INCLUDE (b)",
            "i only covers rows where id > 5": "CREATE INDEX i ON t (a, b) WHERE id > 5",
        },
    ),
    "index beside a partial one": (
        lambda: declare.index("t", "a"),
        "CREATE INDEX i ON t (a) WHERE id > 5; CREATE INDEX j ON t (a, b)",
        {
            "i only covers rows where id > 5; j only covers rows where id < 9": "CREATE INDEX i "
            "ON t (a) WHERE id > 5; "
            "CREATE INDEX j ON t (a) WHERE id < 9"
        },
    ),
    "unique index": (
        lambda: declare.index("t", "a", unique=True),
        "CREATE UNIQUE INDEX ON t (a)",
        {"no such index": "CREATE INDEX ON t (a)"},
    ),
    "index by name": (
        lambda: declare.index("t", name="mine"),
        "CREATE INDEX mine ON t (lower(b)) WHERE a > 0",
        {"no such index": "CREATE INDEX yours ON t (lower(b))"},
    ),
    "triggers": (
        lambda: declare.triggers("t", "guard"),
        TRIGGER + "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        {
            "guard is missing": "",
            "guard is disabled": TRIGGER
            + "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
            "ALTER TABLE t DISABLE TRIGGER guard",
            "other is disabled": TRIGGER
            + "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
            "CREATE TRIGGER other BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
            "ALTER TABLE t ENABLE REPLICA TRIGGER other",
        },
    ),
    "no column of a type": (
        lambda: declare.no_column_of_type("timestamp", except_=["p.seen"]),
        "ALTER TABLE p ADD seen timestamp; ALTER TABLE t ADD at timestamptz",
        {"t.at": "ALTER TABLE t ADD at timestamp", "p.late": "ALTER TABLE p ADD late timestamp(0)"},
    ),
    "no column of a type, some tables": (
        lambda: declare.no_column_of_type("double precision", tables="t*"),
        "ALTER TABLE p ADD x float8",
        {"1 column is double precision: t.x": "ALTER TABLE t ADD x float8"},
    ),
}


@pytest.mark.parametrize("name", FACTS)
def test_facts_of_the_catalogue(name: str, server: Server, database: str) -> None:
    """Each rule about the catalogue passes where the fact holds and fails, saying what is, where it does
    not.
    """
    made, holding, failing = FACTS[name]
    declaration = made()
    for words, sql in {"": holding, **failing}.items():
        server.sql(f"DROP SCHEMA public CASCADE; CREATE SCHEMA public; {BASE}{sql}", database)
        found = result(server, database, declaration)
        assert found.status is (Status.FAIL if words else Status.PASS), (sql, found)
        assert " ".join(words.split()) in found.message
        assert found.evidence is Evidence.CATALOGUE


def test_an_invalid_index_is_no_index(server: Server, database: str) -> None:
    """What a failed CREATE INDEX CONCURRENTLY leaves behind counts neither as an index nor as uniqueness."""
    server.sql("CREATE TABLE t (a integer NOT NULL); INSERT INTO t VALUES (1), (1)", database)
    connection = server.connect(database)
    with pytest.raises(psycopg2.Error, match="could not create unique index"), connection.cursor() as cursor:
        cursor.execute("CREATE UNIQUE INDEX CONCURRENTLY broken ON t (a)")
    connection.close()
    found = results(
        server,
        database,
        declare.index("t", "a"),
        declare.constraint("t", "unique", "a"),
        declare.unique("t", "a"),
        trust_constraints=True,
    )
    assert found["t.a.index"].status is Status.FAIL
    assert found["t.a.index"].message == "broken is not valid"
    assert found["t.a.constraint"].status is Status.FAIL
    assert (found["t.a.unique"].violations, found["t.a.unique"].evidence) == (1, Evidence.SCANNED)


def test_strict_names_the_undeclared(server: Server, database: str) -> None:
    """``strict`` names each column that the model does not know; ``unique`` of the model spans columns."""
    server.sql("CREATE TABLE t (a bigint, b bigint); INSERT INTO t VALUES (1, 1), (1, 1), (1, 2)", database)
    schema = pa.DataFrameSchema(
        {"a": pa.Column(int), "b": pa.Column(int)}, strict=True, unique=["a", "b"], name="t"
    )
    found = results(server, database, schema)
    assert (found["t.strict"].status, found["t.a_b.unique"].violations) == (Status.PASS, 1)
    server.sql("ALTER TABLE t ADD c integer, ADD d integer", database)
    strict = results(server, database, schema)["t.strict"]
    assert (strict.violations, strict.sample) == (2, ((("column", "c"),), (("column", "d"),)))


# --- what the database itself enforces --------------------------------------------------------------------

ENFORCED = {
    "check": ("CHECK (a > 0)", "a > 0", True),
    "check in other words": ("CHECK (0 < a)", "a > 0", False),
    "a stronger check": ("CHECK (a > 0 AND a < 10)", "a > 0", True),
    "a weaker check": ("CHECK (a > 0 OR a < 10)", "a > 0", False),
    "another bound": ("CHECK (a >= 0)", "a > 0", False),
    "two checks": ("CHECK (a > 0), CHECK (b <> '')", "a > 0 AND b <> ''", True),
    "one of two": ("CHECK (a > 0)", "a > 0 AND b <> ''", False),
    "not valid": ("", "a > 0", False),
    "a rounding cast": ("CHECK (a::numeric::integer > 0)", "a > 0", False),
    "a string": ("CHECK (b = 'x')", "b = 'x'", True),
    "another string": ("CHECK (b = 'X')", "b = 'x'", False),
    "parentheses that matter": ("CHECK (a * c + 1 > 0)", "a * (c + 1) > 0", False),
    "parentheses that do not": ("CHECK ((a * c) + 1 > 0)", "a * c + 1 > 0", True),
    "OR around AND": ("CHECK (a > 0 AND (c > 0 OR a < 9))", "(a > 0 AND c > 0) OR a < 9", False),
    "another column's capital": ('CHECK ("A" > 0)', "A > 0", False),
    "capitals that fold": ("CHECK (a > 0)", "A > 0", True),
    "a negated check": ("CHECK (NOT (a > 0))", "a > 0", False),
}


@pytest.mark.parametrize("name", ENFORCED)
def test_enforced_by(name: str, server: Server, database: str) -> None:
    """A result names a constraint only if that makes a violation impossible; it is scanned all the same."""
    constraint, expression, enforced = ENFORCED[name]
    server.sql(
        f'CREATE TABLE t (a integer, b text, c integer, "A" integer{", " + constraint if constraint else ""})',
        database,
    )
    if not constraint:
        server.sql(
            "INSERT INTO t VALUES (-1); ALTER TABLE t ADD CONSTRAINT late CHECK (a > 0) NOT VALID", database
        )
    found = result(server, database, declare.holds("t", expression))
    assert bool(found.enforced_by) is enforced
    assert found.evidence is Evidence.SCANNED
    assert found.violations == int(not constraint)


TRUST = {
    "not null": ("a bigint NOT NULL", "t.a.not_null", True),
    "no not null": ("a bigint", "t.a.not_null", False),
    "unique": ("a bigint UNIQUE NOT NULL", "t.a.unique", True),
    "unique, NULL allowed": ("a bigint UNIQUE", "t.a.unique", False),
    "unique, NULL equal": ("a bigint UNIQUE NULLS NOT DISTINCT", "t.a.unique", True),
    "deferred": ("a bigint NOT NULL UNIQUE DEFERRABLE INITIALLY DEFERRED", "t.a.unique", True),
}


@pytest.mark.parametrize("name", TRUST)
def test_trusted_constraints(name: str, server: Server, database: str) -> None:
    """With ``trust_constraints`` a sound proof takes the place of the scan and is named; without one, rows
    are read.
    """
    column, id, proved = TRUST[name]
    server.sql(f"CREATE TABLE t ({column}); INSERT INTO t VALUES (1)", database)
    schema = pa.DataFrameSchema({"a": pa.Column(int, unique=True)}, name="t")
    trusted = results(server, database, schema, trust_constraints=True)[id]
    assert (trusted.status, trusted.evidence) == (
        Status.PASS,
        Evidence.PROVED if proved else Evidence.SCANNED,
    )
    scanned = results(server, database, schema)[id]
    assert (scanned.status, scanned.evidence) == (Status.PASS, Evidence.SCANNED)


def test_a_join_needs_a_unique_partner(server: Server, database: str) -> None:
    """Without a unique index a row could match twice and be counted twice: an error, not a number."""
    server.sql(
        "CREATE TABLE p (id integer); CREATE TABLE t (p_id integer); INSERT INTO p VALUES (1), (1)", database
    )
    found = result(server, database, declare.references("t", "p_id", "p"))
    assert (found.status, found.violations) == (Status.ERROR, None)
    assert "no valid unique index" in found.message


ODD = ["a b", "select", "Käse", "%s", 'a"b', "it's", "x" * 63, ":y", "1", "k0", "v"]


def test_odd_names(server: Server, database: str) -> None:
    """Any name that PostgreSQL allows works in every form of check: spaces, quotes, percent signs,
    keywords.
    """
    columns = ", ".join('"{}" bigint'.format(n.replace('"', '""')) for n in ODD)
    server.sql(f'CREATE TABLE "Odd Table%" (id integer PRIMARY KEY, {columns})', database)
    insert(server, database, '"Odd Table%"', [(n, *([-1] * len(ODD))) for n in (1, 2)])
    schema = pa.DataFrameSchema(
        {n: pa.Column(int, pa.Check.gt(0), unique=True) for n in ODD}, name="Odd Table%"
    )
    found = results(server, database, schema)
    assert {found[f"Odd Table%.{n}.greater_than"].violations for n in ODD} == {2}
    assert {found[f"Odd Table%.{n}.unique"].violations for n in ODD} == {1}
    assert keys(found["Odd Table%.%s.greater_than"], "id", "%s") == [("1", "-1"), ("2", "-1")]
