"""Personal values never leave the server: not under another name, not through a whole row, not in an error
message.
"""

from __future__ import annotations

import pytest
from conftest import Server
from helpers import settings

from kisaan_validate import declare
from kisaan_validate.facts.result import Status
from kisaan_validate.personal.masking import mask_values, told_of_rows
from kisaan_validate.prove.run import run
from kisaan_validate.suite.building import build_suite
from kisaan_validate.suite.load import suite_of
from kisaan_validate.suite.sql_source import read_assertion

SECRET = "9100000042"
PEOPLE = f"""CREATE TABLE people (id int PRIMARY KEY, contact text, city text);
INSERT INTO people VALUES (1, '{SECRET}', 'Pune');
CREATE TABLE shops (id int PRIMARY KEY, owner_id int); INSERT INTO shops VALUES (1, 1)"""

LEAKS = [
    "SELECT id, contact AS x FROM people",
    "WITH w(id, x) AS (SELECT id, contact FROM people) SELECT id, x FROM w",
    "WITH w AS (SELECT to_jsonb(u)->>'contact' AS x, id FROM people u) SELECT id, x FROM w",
    "SELECT s.id, x FROM shops s JOIN (SELECT id AS o, contact AS x FROM people) q ON q.o = s.owner_id",
    "SELECT u.id, u AS x FROM people u",
    "SELECT u.id, u.to_jsonb AS x FROM people u",
    "SELECT u.id, to_jsonb(u) AS x FROM people u",
    "SELECT id, x FROM (SELECT id, to_jsonb(u) AS x FROM people u) q",
    "SELECT id, x FROM people AS u(id, x)",
    "SELECT u.id, x FROM people u, LATERAL (VALUES (u.contact)) v(x)",
    "SELECT u.id, x FROM people u, unnest(ARRAY[u.contact]) AS x",
    "SELECT u.id, x FROM people u, regexp_split_to_table(u.contact, 'zz') x",
    "SELECT u.id, value AS x FROM people u, jsonb_each_text(to_jsonb(u)) WHERE key = 'contact'",
    "SELECT id, (SELECT contact FROM people LIMIT 1) AS x FROM shops",
    "SELECT id, contact AS x FROM people UNION SELECT id, contact FROM people",
]


@pytest.mark.parametrize("sql", LEAKS, ids=range(len(LEAKS)))
def test_no_assertion_shows_a_personal_value(sql: str, server: Server, database: str) -> None:
    """Whatever the way from the column to the output: the failure is counted, its value is masked."""
    server.sql(PEOPLE, database)
    declared = read_assertion(f"-- id: leak\n-- table: people\n-- key: id\n-- shows: x\n{sql}\n", "leak.sql")
    suite = build_suite([declared], settings(personal=("people.contact",)), "0" * 64, (), "")
    made = run(suite, server.dsn(database))
    (result,) = made.results
    assert result.status is Status.FAIL, result.message
    assert SECRET not in made.to_json()
    assert SECRET not in made.to_html()


def test_what_is_traced_to_an_ordinary_column_is_shown(server: Server, database: str) -> None:
    """Masking too much would leave no evidence: plain columns of the same table stay readable."""
    server.sql(PEOPLE, database)
    text = (
        "-- id: shown\n-- table: people\n-- key: id\n-- shows: town\nSELECT u.id, u.city AS town FROM "
        "people u\n"
    )
    suite = build_suite(
        [read_assertion(text, "s.sql")], settings(personal=("people.contact",)), "0" * 64, (), ""
    )
    (result,) = run(suite, server.dsn(database)).results
    assert result.sample == ((("id", "1"), ("town", "Pune")),)


@pytest.mark.parametrize(
    "expression",
    [
        "contact::int > 0",
        "make_date(right(contact, 9)::int, 99, 1) = '2020-01-01'",
        "chr(substr(contact, 2, 9)::int) <> 'a'",
        "('a\" ' || contact || ' \"b')::int = 1",
    ],
)
def test_no_error_message_quotes_a_personal_value(expression: str, server: Server, database: str) -> None:
    """The server's message is cut where it may begin to quote data; the SQLSTATE says what went wrong."""
    server.sql(PEOPLE, database)
    suite = suite_of(declare.holds("people", expression, id="x"), settings=settings(personal=("*.contact",)))
    made = run(suite, server.dsn(database))
    assert [r.status for r in made.results] == [Status.ERROR]
    assert made.results[0].sqlstate
    for part in (SECRET, SECRET[1:], SECRET[-9:]):
        assert part not in "".join(r.message for r in made.results)


def test_known_names_stay_in_a_masked_message() -> None:
    """The author needs the name of the column; whatever else is quoted goes."""
    assert mask_values('column reference "id" is ambiguous', {"id"}) == 'column reference "id" is ambiguous'
    assert (
        mask_values('invalid input syntax for type integer: "91"', {"id"})
        == "invalid input syntax for type integer •••"
    )
    assert (
        mask_values("ungültige Eingabesyntax »id« für »Meyer«", {"id"})
        == "ungültige Eingabesyntax »id« für •••"
    )
    assert mask_values("неверный ввод: Иванов", {"id"}) == "неверный ввод •••"
    assert mask_values("division by zero", set()) == "division by zero"


def test_what_a_function_says_is_not_passed_on() -> None:
    """Whoever wrote a function wrote its message in any form; what concerns sessions and limits says
    nothing of a row.
    """
    assert told_of_rows("Meyer is wrong", "P0001", set()) == "a function refused a row •••"
    assert told_of_rows("Meyer is wrong", "22P02", set(), composed=True) == "a function refused a row •••"
    assert (
        told_of_rows("canceling statement due to lock timeout: 2 s", "55P03", set())
        == "canceling statement due to lock timeout: 2 s"
    )
