"""Personal columns between a baseline and a run: same, differs, or cannot tell; and never two digests
under one key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from conftest import Server
from helpers import examples, measuring, settings
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate import declare
from kisaan_validate.compare.changes import diff
from kisaan_validate.contract.load import read_contract
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.table import KeyedDigest
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_from_json, run_to_json
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import Judgement, judge

PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, born int, name text, phone varchar(40), meta jsonb, few text, hidden text);
INSERT INTO people SELECT g, g % 50, 'Zoë Müller ' || g, '98' || g, jsonb_build_object('pan', g), 'f' || g % 999,
    CASE WHEN g <= 1000 THEN 'h' || g END FROM generate_series(1, 1500) AS g;
CREATE TABLE small (id int PRIMARY KEY, name text); INSERT INTO small VALUES (1, 'Asha'), (2, NULL);
"""
PERSONAL = ("people.name", "people.phone", "people.meta", "people.few", "people.hidden", "small.name")
KEPT = ("name", "phone", "meta", "hidden")


@pytest.fixture(scope="module")
def template(server: Server) -> Iterator[str]:
    """1,500 people; one column has 999 values, one 1,000 and NULLs."""
    name = server.create(PEOPLE)
    yield name
    server.drop(name)


@pytest.fixture
def people(server: Server, template: str) -> Iterator[str]:
    """A copy of its own."""
    name = server.create(template=template)
    yield name
    server.drop(name)


def the_suite() -> Suite:
    """One check that always holds, and what is personal."""
    return suite_of(declare.row_count("people", low=1, id="rows"), settings=settings(personal=PERSONAL))


def taken(server: Server, database: str) -> Baseline:
    """A baseline with digests, through its file."""
    options = measuring(count_all=True, sample=0, digests=True)
    return baseline_from_json(
        baseline_to_json(baseline_of(run(the_suite(), server.dsn(database), options=options)))
    )


def beside(server: Server, database: str, baseline: Baseline, **more: object) -> Judgement:
    """The database as it is, beside the baseline; the run has been through its file."""
    options = measuring(count_all=True, baseline=baseline, **more)  # type: ignore[arg-type]
    made = run(the_suite(), server.dsn(database), options=options)
    assert run_from_json(run_to_json(made)) == made
    return judge(made, baseline)


def outcomes(judged: Judgement) -> dict[str, str]:
    """What is known of each column of people that had a digest."""
    return {k.column: k.outcome for k in judged.run.keyed if k.table == "people" and k.column in KEPT}


def differing(judged: Judgement) -> set[str]:
    """The personal columns that are said to differ."""
    assert judged.diff is not None
    return {c.name for c in judged.diff.changes if c.table == "people" and c.aspect == "digest"}


def untold(judged: Judgement) -> dict[str, str]:
    """What could not be compared, and why."""
    assert judged.diff is not None
    return {item.what: item.reason for item in judged.diff.unknown}


FEW_SAID = {"the values of people.few", "the values of small.name"}

CHANGES = {
    "mojibake in every name": (
        "name",
        "UPDATE people SET name = convert_from(convert_to(name, 'UTF8'), 'LATIN1')",
    ),
    "one name truncated": ("name", "UPDATE people SET name = left(name, 5) WHERE id = 700"),
    "two telephone numbers exchanged": (
        "phone",
        "UPDATE people SET phone = CASE id WHEN 7 THEN '988' ELSE '987' END WHERE id IN (7, 8)",
    ),
    "one document changed": ("meta", 'UPDATE people SET meta = \'{"pan": "x"}\' WHERE id = 3'),
    "a value lost": ("hidden", "UPDATE people SET hidden = NULL WHERE id = 9"),
    "a value invented": ("hidden", "UPDATE people SET hidden = 'h9' WHERE id = 1400"),
}


def test_untouched_values_are_the_same(server: Server, people: str) -> None:
    """Same for each kept column, also where the type is wider; what is not kept is named, and the run is
    inconclusive.
    """
    baseline = taken(server, people)
    judged = beside(server, people, baseline)
    assert outcomes(judged) == dict.fromkeys(KEPT, "same")
    assert differing(judged) == set()
    assert set(untold(judged)) == FEW_SAID
    server.sql("ALTER TABLE people ALTER phone TYPE text, ALTER meta TYPE json", people)
    assert outcomes(beside(server, people, baseline)) == dict.fromkeys(KEPT, "same")


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_personal_column_differs(server: Server, people: str, change: str) -> None:
    """That column and no other, without a word of what stands in it."""
    column, sql = CHANGES[change]
    baseline = taken(server, people)
    server.sql(sql, people)
    judged = beside(server, people, baseline)
    assert outcomes(judged) == {**dict.fromkeys(KEPT, "same"), column: "differs"}
    assert differing(judged) == {column}
    assert "Müller" not in run_to_json(judged.run)


@hypothesis_settings(
    max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 1500),
            st.sampled_from(["name", "phone", "hidden"]),
            st.sampled_from(["'x'", "NULL", "same"]),
        )
    )
)
def test_differs_exactly_if_a_value_does(
    server: Server, people: str, edits: list[tuple[int, str, str]]
) -> None:
    """Against SQL over a copy of the table: for any edits, also those that change nothing."""
    server.sql("DROP TABLE IF EXISTS was; CREATE TABLE was AS TABLE people", people)
    baseline = taken(server, people)
    for id, column, value in edits:
        server.sql(
            f"UPDATE people SET {column} = {column if value == 'same' else value} WHERE id = {id}", people
        )
    truth = {
        column
        for column in KEPT
        if server.sql(
            f"SELECT 1 FROM people p JOIN was w USING (id) WHERE p.{column}::text IS DISTINCT FROM "
            f"w.{column}::text",
            people,
        )
    }
    judged = beside(server, people, baseline)
    assert differing(judged) == truth
    server.sql(
        "UPDATE people p SET name = w.name, phone = w.phone, hidden = w.hidden FROM was w WHERE w.id = p.id",
        people,
    )


def test_below_a_thousand_distinct_values_nothing_is_kept(server: Server, people: str) -> None:
    """999 are too few, 1,000 are enough, NULL counts for none; the reason stands in the baseline and
    beside the run.
    """
    baseline = taken(server, people)
    kept = {(k.table, k.column): k for k in baseline.keyed}
    assert {key for key, k in kept.items() if k.digest} == {("people", column) for column in KEPT}
    assert all(
        "fewer than 1,000 distinct values" in kept[key].message
        for key in (("people", "few"), ("small", "name"))
    )
    judged = beside(server, people, baseline)
    assert all("fewer than 1,000 distinct values" in untold(judged)[what] for what in FEW_SAID)
    assert judged.verdict is Verdict.INCONCLUSIVE


def test_no_run_records_a_digest_under_the_key(server: Server, people: str) -> None:
    """Not in its facts, its statements or anywhere in its file: neither the key, nor the sums, nor what
    they come to.
    """
    baseline = taken(server, people)
    digests = {k.digest for k in baseline.keyed if k.digest}
    assert len(digests) == len(KEPT)
    assert re.fullmatch("[0-9a-f]{32}", baseline.secret)
    server.sql("UPDATE people SET phone = '1' WHERE id = 5", people)
    made = beside(server, people, baseline).run
    text = run_to_json(made)
    assert not [k for k in made.keyed if k.digest]
    assert made.secret == ""
    assert baseline.secret not in text
    assert not any(digest in text for digest in digests)
    recorded = [k for k in json.loads(text)["keyed"] if k["table"] == "people" and k["column"] in KEPT]
    assert {k["outcome"] for k in recorded} == {"same", "differs"}
    again = beside(
        server,
        people,
        replace(
            baseline, keyed=tuple(replace(k, digest="0" * 64) if k.digest else k for k in baseline.keyed)
        ),
    )
    assert set(outcomes(again).values()) == {"differs"}, (
        "a digest that was forged in the baseline is not the column's"
    )
    own = run(the_suite(), server.dsn(people), options=measuring(count_all=True, digests=True))
    assert own.secret not in run_to_json(own), (
        "nor does the run that a baseline is made of, if somebody writes that"
    )


def test_each_baseline_has_a_key_of_its_own(server: Server, people: str) -> None:
    """Two baselines of the same rows share no digest, and are not compared by them; a baseline is the same
    as itself.
    """
    one, two = taken(server, people), taken(server, people)
    assert one.secret != two.secret
    assert not {k.digest for k in one.keyed if k.digest} & {k.digest for k in two.keyed if k.digest}
    assert (
        "its own secret key"
        in {u.what: u.reason for u in diff(one, two).unknown}["the values of people.name"]
    )
    assert not diff(one, one).changes
    assert {u.what for u in diff(one, one).unknown} == FEW_SAID


def test_where_rows_went_it_cannot_be_told(server: Server, people: str) -> None:
    """By name, and inconclusive; rows that came later than the baseline leave the others comparable."""
    baseline = taken(server, people)
    server.sql("INSERT INTO people VALUES (9000, 1, 'New', '1', '{}', 'f', 'h')", people)
    assert outcomes(beside(server, people, baseline)) == dict.fromkeys(KEPT, "same")
    server.sql("DELETE FROM people WHERE id = 10", people)
    judged = beside(server, people, baseline)
    assert all(
        "rows were added or removed" in untold(judged)[f"the values of people.{column}"] for column in KEPT
    )
    assert differing(judged) == set()


def test_what_cannot_be_asked_is_said(server: Server, people: str) -> None:
    """A column that is gone is the schema's change; a type of another form, and one without a digest, are
    named.
    """
    baseline = taken(server, people)
    server.sql("ALTER TABLE people DROP COLUMN name, ALTER phone TYPE numeric USING phone::numeric", people)
    judged = beside(server, people, baseline)
    assert "now have a different form, not text" in untold(judged)["the values of people.phone"]
    assert "the values of people.name" not in untold(judged)
    lost = replace(judged.run, keyed=tuple(k for k in judged.run.keyed if k.column != "meta"))
    assert untold(judge(lost, baseline))["the values of people.meta"] == "it was not digested"
    assert KeyedDigest("t", "c").outcome == ""


REMOVED = """format = 1
[[promise]]
id = "gone"
kind = "rows_removed"
table = "people"
where = "id = 10"
"""


@pytest.mark.parametrize("damage", ["", "UPDATE people SET name = 'x' WHERE id = 11"])
def test_beside_promised_removals_the_rows_that_stay_are_compared(
    server: Server, people: str, damage: str
) -> None:
    """Same if exactly the promised rows went and no other value changed; anything else could not be
    compared, by name.
    """
    contract = read_contract(REMOVED, "contract.toml")
    suite = the_suite()
    options = measuring(count_all=True, sample=0, digests=True, contract=contract)
    baseline = baseline_of(run(suite, server.dsn(people), options=options))
    server.sql(f"DELETE FROM people WHERE id = 10; {damage}", people)
    made = run(
        suite, server.dsn(people), options=measuring(count_all=True, baseline=baseline, contract=contract)
    )
    told = untold(judge(made, baseline, contract))
    assert ("the values of people.name" in told) is bool(damage)
    assert "the values of people.phone" not in told
    assert all(k.stays == "" for k in run_from_json(run_to_json(made)).keyed)
