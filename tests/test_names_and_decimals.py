"""What a failing list of names says, decimal places in every numeric type, and failures of what did not
exist before.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import combinations

import pytest
from conftest import Server
from helpers import examples, prove, result, results, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.compare.changes import diff
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.differences import Origin
from kisaan_validate.facts.result import Result, Status
from kisaan_validate.suite.load import suite_of

LAW = hypothesis_settings(
    max_examples=examples(15),
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

# --- lists of names ----------------------------------------------------------------------------------------

NAMES = ["01_one.sql", "02_it's.sql", "03_%.sql", "04_four.sql"]


def test_a_list_of_names_says_which_are_missing_and_no_others(server: Server, database: str) -> None:
    """For every subset of the names in the ledger, the message names exactly the others."""
    server.sql("CREATE TABLE done (name text)", database)
    for size in range(len(NAMES) + 1):
        for there in combinations(NAMES, size):
            quoted = ", ".join("('" + name.replace("'", "''") + "')" for name in (*there, "another"))
            server.sql(f"TRUNCATE done; INSERT INTO done VALUES {quoted}", database)
            found = result(server, database, declare.ledger("done", "name", NAMES))
            said = found.message.removeprefix("missing: ").split(", ") if found.message else []
            assert sorted(said) == sorted(set(NAMES) - set(there))


def test_many_missing_names_are_counted(server: Server, database: str) -> None:
    """Ten are named; of the rest the message says how many, also where fewer keys were collected."""
    server.sql("CREATE TABLE done (name text)", database)
    made = declare.ledger("done", "name", [f"n{number:02}" for number in range(14)])
    assert (
        result(server, database, made).message
        == f"missing: {', '.join(f'n{n:02}' for n in range(10))}, and 4 more"
    )
    assert result(server, database, made, sample=2).message == "missing: n00, n01, and 12 more"
    assert "14 names from n00 to n13" in made.rule.claim("done", ("name",))


# --- decimal places ---------------------------------------------------------------------------------------

TYPES = ["numeric", "numeric(16,4)", "numeric(18,2)", "integer", "double precision", "real"]
SPECIAL = ["NaN", "Infinity", "-Infinity"]
ODD = [
    Decimal(text)
    for text in (
        "0",
        "0.1",
        "0.01",
        "0.001",
        "1.005",
        "-2.675",
        "99.999",
        "1234.5",
        "0.0001",
        "1e-7",
        "12.30",
    )
]


def places(text: str) -> int:
    """The decimal places of a printed number: none of an infinity, and of a NaN more than any limit."""
    number = Decimal(text)
    if number.is_nan():
        return 16_384
    return max(0, -int(number.normalize().as_tuple().exponent)) if number.is_finite() else 0


@LAW
@given(st.lists(st.sampled_from(ODD) | st.decimals(-9999, 9999, places=4), max_size=8), st.integers(0, 3))
def test_fractions_are_counted_in_every_numeric_type(
    server: Server, database: str, numbers: list[Decimal], allowed: int
) -> None:
    """A value has too many decimal places exactly if its printed text has; infinities have none; NULL
    passes; a NaN violates it.
    """
    server.sql(
        "DROP TABLE IF EXISTS t; CREATE TABLE t ("
        + ", ".join(f"c{n} {t}" for n, t in enumerate(TYPES))
        + ")",
        database,
    )
    filled = ["INSERT INTO t DEFAULT VALUES"]
    for n, type_ in enumerate(TYPES):
        special = SPECIAL if type_ in {"double precision", "real"} else ["NaN"] if "numeric" in type_ else []
        literals = [f"'{number}'::numeric::{type_}" for number in numbers] + [
            f"'{text}'::{type_}" for text in special
        ]
        filled += [f"INSERT INTO t (c{n}) VALUES ({literal})" for literal in literals]
    server.sql("; ".join(filled), database)
    found = results(
        server, database, *(declare.decimals("t", f"c{n}", allowed, id=f"c{n}") for n in range(len(TYPES)))
    )
    for n in range(len(TYPES)):
        stored = [
            text for (text,) in server.sql(f"SELECT c{n}::text FROM t WHERE c{n} IS NOT NULL", database)
        ]
        assert found[f"c{n}"].violations == sum(places(text) > allowed for text in stored), (TYPES[n], stored)


# --- what did not exist before ----------------------------------------------------------------------------

CONDITIONS = {
    "column t.a": ("ALTER TABLE t ADD a integer DEFAULT -1", Origin.SINCE),
    "table t2": ("ALTER TABLE t ADD a integer DEFAULT -1; CREATE TABLE t2 ()", Origin.SINCE),
    "type t.a integer": ("ALTER TABLE t ADD a integer DEFAULT -1", Origin.SINCE),
    "not column t.b": ("ALTER TABLE t ADD a integer DEFAULT -1, DROP b", Origin.UNKNOWN),
    "not table old": ("ALTER TABLE t ADD a integer DEFAULT -1; DROP TABLE old", Origin.UNKNOWN),
    "not column t.b; column t.a": ("ALTER TABLE t ADD a integer DEFAULT -1, DROP b", Origin.UNKNOWN),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_what_applies_to_nothing_before_and_fails_afterwards_came_since(
    condition: str, server: Server, database: str
) -> None:
    """A check that did not apply for want of a table or column, and fails now, fails since; for any other
    reason nobody knows.
    """
    server.sql(
        "CREATE TABLE old (); CREATE TABLE t (id integer PRIMARY KEY, b integer); INSERT INTO t VALUES (1, 1)",
        database,
    )
    suite = suite_of(declare.holds("t", "a > 0", id="x", applies=condition), settings=settings())
    before = baseline_of(prove(server, database, suite))
    assert before.checks[0].status is Status.NOT_APPLICABLE
    sql, origin = CONDITIONS[condition]
    server.sql(sql, database)
    after = baseline_of(prove(server, database, suite))
    assert (after.checks[0].status, after.checks[0].violations) == (Status.FAIL, 1)
    assert [move.origin for move in diff(before, after).moves] == [origin]


def test_only_a_list_of_names_is_told_as_one() -> None:
    """Evidence of other checks is never taken for missing names."""
    from kisaan_validate.prove.evidence import missing_words

    assert missing_words(Result("x", Status.FAIL, 1, 1, sample=((("id", "7"),),))) == ""
    assert missing_words(Result("x", Status.FAIL, 1, 1, sample=((("missing_name", "7"), ("id", "1")),))) == ""
    assert missing_words(Result("x", Status.FAIL, 1, 1)) == ""
