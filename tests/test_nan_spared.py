"""An expression over several numbers asks fewer of them whether they are NaN, and finds the same rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

import pytest
from conftest import Server
from helpers import results

from kisaan_validate import declare
from kisaan_validate.sql.nan import settled_for_nan, spared_for_nan

EXPRESSIONS = {
    "a <= b": 1,
    "a < b": 1,
    "a >= b": 1,
    "b > a": 1,
    "a = b": 1,
    "a <> b": 0,
    "a = b + c": 2,
    "a - b = c": 2,
    "a = round(b * c)": 2,
    "(a) = (b - (c / 2))": 2,
    "a = b * n": 1,
    "a <= n": 0,
    "n >= a + b": 0,
    "a = b AND b = c": 1,
    "a <= b AND b <= c": 1,
    "a >= b AND b >= c": 1,
    "a + b <= c AND c <= d": 2,
    "a = b OR a = c": 0,
    "NOT (a = b)": 0,
    "a = b AND c > 0": 1,
    "a = b + c AND b <= c": 2,
    "a = coalesce(b, c)": 0,
    "a = greatest(b, c)": 0,
    "a = power(b, 0)": 0,
    "a = b + 'NaN'": 0,
    "a = -b": 0,
    "a = b AND (c > 0 OR a = 'NaN')": 0,
    "(a = b) IS NOT FALSE": 0,
    "a BETWEEN b AND c": 0,
    "a = b + b AND a = c": 2,
}
"""Expressions, and how many columns need no look of their own."""

VALUES = ("NULL", "'NaN'", "'Infinity'", "'-Infinity'", "0", "1")
FEWER = (("NULL", "'NaN'", "1"), ("NULL", "2"))
TYPES = (("numeric",) * 4, ("float8",) * 4, ("numeric", "float8", "real", "numeric"))


NAME, OTHERS = re.compile(r"(?<!\.)\b([abcdn])\b"), re.compile(r"\b([bcd])\b")
"""A column of the table, and one of the row that it refers to where there are two."""


def looked_at(expression: str) -> list[str]:
    """The numbers in an expression for which it does not say itself what a NaN means."""
    settled = {name for _, name in settled_for_nan(expression)}
    return sorted(set(NAME.findall(expression)) - settled - {"n"})


@pytest.fixture(scope="module", params=["server", "server15"])
def place(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """Every combination of values in each combination of types: in one table, and in two."""
    server: Server = request.getfixturevalue(request.param)
    rows = ", ".join(f"({', '.join(row)})" for row in product(*[VALUES] * 3, *FEWER))
    made = ""
    for number, types in enumerate(TYPES):
        columns = ", ".join(f"{name} {type_}" for name, type_ in zip("abcd", types, strict=True))
        made += (
            f"CREATE TABLE t{number} (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns}, n int);"
            f"INSERT INTO t{number} (a, b, c, d, n) VALUES {rows};"
            f"CREATE TABLE child{number} AS SELECT id AS own, a, n, id AS ref FROM t{number};"
            f"ALTER TABLE child{number} ADD PRIMARY KEY (own);"
            f"CREATE TABLE parent{number} AS SELECT id, b, c, d FROM t{number};"
            f"ALTER TABLE parent{number} ADD PRIMARY KEY (id);"
        )
    name = server.create(made + "ANALYZE")
    yield server, name
    server.drop(name)


def refused(server: Server, database: str, table: str, expression: str) -> list[int]:
    """The rows that an expression refuses, a NaN in any column that it reads among them."""
    guards = "".join(f" AND {column} <> 'NaN'" for column in looked_at(expression))
    sql = f"SELECT id FROM {table} WHERE NOT (({expression}){guards}) ORDER BY id"
    return [id for (id,) in server.sql(sql, database)]


@pytest.mark.parametrize("number", range(len(TYPES)))
def test_the_same_rows_are_found(number: int, place: tuple[Server, str]) -> None:
    """Whatever stands in the columns, NULL and NaN and infinity among it."""
    server, database = place
    listed = {f"e{n}": expression for n, expression in enumerate(EXPRESSIONS)}
    both = {id: NAME.sub(r"child.\1", OTHERS.sub(r"parent.\1", e)) for id, e in listed.items()}
    found = results(
        server,
        database,
        *(declare.holds(f"t{number}", expression, id=id) for id, expression in listed.items()),
        *(
            declare.holds_with(f"child{number}", e, parent=f"parent{number}", via="ref", id=f"{id}with")
            for id, e in both.items()
        ),
        sample=5_000,
    )
    for id, expression in listed.items():
        wanted = refused(server, database, f"t{number}", expression)
        for result in (found[id], found[f"{id}with"]):
            keys = sorted(int(dict(row).get("id") or dict(row)["own"] or 0) for row in result.sample)
            assert (keys, result.violations) == (wanted, len(wanted)), expression


@pytest.mark.parametrize(("expression", "fewer"), EXPRESSIONS.items())
def test_only_what_follows_is_spared(expression: str, fewer: int, place: tuple[Server, str]) -> None:
    """A column is spared only by a comparison that must hold, of numbers, with another that is looked at."""
    server, database = place
    (found,) = results(server, database, declare.holds("t0", expression, id="one")).values()
    spared = found.sql.count("IS NOT NULL")
    assert (spared > 0) is (fewer > 0), found.sql
    assert len(looked_at(expression)) >= fewer
    assert (len(spared_for_nan(expression)) > 0) or fewer == 0
