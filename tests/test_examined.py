"""What a check says that it examined is what it judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from helpers import assertion, prove, result, results, write_suite

from kisaan_validate import declare
from kisaan_validate.compile.statements import SLOT_LIMIT
from kisaan_validate.declare import Declaration
from kisaan_validate.model import Evidence, Status
from kisaan_validate.report.summary import vacuous
from kisaan_validate.rules import relations
from kisaan_validate.rules.base import JoinRule
from kisaan_validate.runner import Options, explain, run
from kisaan_validate.suite.load import load_suite, suite_of

FARMS = """
CREATE TABLE farms (id int PRIMARY KEY, area numeric, kind text);
CREATE TABLE crops (id int PRIMARY KEY, farm int, area numeric, code text);
INSERT INTO farms SELECT g, CASE WHEN g <= 40 THEN g END, 'k' || g % 4 FROM generate_series(1, 50) AS g;
INSERT INTO crops SELECT g, CASE WHEN g <= 90 THEN 1 + (g - 1) % 60 END, CASE WHEN g % 2 = 0 THEN 1 + (g - 1) % 60 END,
  CASE WHEN g <= 30 THEN 'c' || g END FROM generate_series(1, 100) AS g;
"""
# Of the 100 crops 90 name a farm: 80 one that exists (1 to 50), 10 one that does not (51 to 60).


@pytest.fixture(scope="module")
def farms(server: Server) -> Iterator[str]:
    """A database with farms and crops."""
    name = server.create(FARMS)
    yield name
    server.drop(name)


def reconciled(**more: Any) -> Declaration:
    """The crops' areas add up to no more than the farm's."""
    return declare.reconciles("farms", "area", details="crops", detail_column="area", via="farm", relation=">=", **more)


def agreed(**more: Any) -> Declaration:
    """A crop's area is its farm's."""
    return declare.agrees("crops", "area", with_="farms.area", via="farm", **more)


JUDGED: dict[str, tuple[Declaration, int]] = {
    "references": (declare.references("crops", "farm", "farms"), 90),
    "references where": (declare.references("crops", "farm", "farms", where="child.id <= 20"), 20),
    "agrees": (agreed(), 80),
    "agrees where": (agreed(where="child.id <= 20"), 20),
    "agrees, both have a value": (agreed(nulls="pass"), 35),
    "agrees, both have a value, where": (agreed(nulls="pass", where="child.id <= 20"), 10),
    "holds with": (declare.holds_with("crops", "child.area >= 0 OR parent.area < 0", parent="farms", via="farm"), 80),
    "unique": (declare.unique("crops", "code"), 100),
    "unique, NULLs differ": (declare.unique("crops", "code", nulls_equal=False), 30),
    "unique where": (declare.unique("crops", "code", where="id <= 40"), 40),
    "unique groups where": (declare.unique("crops", "code", counts="groups", nulls_equal=False, where="id > 20"), 10),
    "reconciles": (reconciled(), 50),
    "reconciles where": (reconciled(where="parent.id <= 7"), 7),
    "reconciles, skip": (reconciled(missing="skip", detail_where="id <= 7"), 7),
    "reconciles, skip, where": (reconciled(missing="skip", detail_where="id <= 7", where="parent.id > 3"), 4),
    "row": (declare.holds("crops", "area > 0"), 100),
}


@pytest.mark.parametrize("name", JUDGED)
def test_examined_is_what_was_judged(name: str, server: Server, farms: str) -> None:
    """Each kind of check counts as examined the rows that could have violated it, and no other."""
    declared, judged = JUDGED[name]
    found = result(server, farms, declared)
    assert (found.evidence, found.examined) == (Evidence.SCANNED, judged)
    assert found.violations is not None
    assert found.violations <= judged


NOTHING: dict[str, Declaration] = {
    "references": declare.references("crops", "farm", "farms", where="child.id > 1000"),
    "references, NULL": declare.references("crops", "farm", "farms", where="child.id > 90"),
    "agrees": agreed(where="parent.kind = 'none'"),
    "agrees, no parent": agreed(where="child.farm > 50"),
    "agrees, no values": agreed(nulls="pass", where="parent.id > 40"),
    "holds with": declare.holds_with("crops", "child.n < 0 OR parent.id > 0", parent="empty", via="farm"),
    "unique": declare.unique("crops", "farm", where="code = 'none'"),
    "unique, groups": declare.unique("crops", "farm", counts="groups", where="code = 'none'"),
    "unique, NULLs differ": declare.unique("crops", ["farm", "nothing"], nulls_equal=False),
    "reconciles": reconciled(where="parent.kind = 'none'"),
    "reconciles, skip": reconciled(missing="skip", detail_where="code = 'none'"),
}


@pytest.mark.parametrize("name", NOTHING)
def test_a_check_that_judges_no_row_says_so(name: str, server: Server, database: str) -> None:
    """Tables full of rows, none of which the check judges: it passes with the word "vacuously", on the page too."""
    more = "ALTER TABLE crops ADD nothing int, ADD n int; CREATE TABLE empty (id int PRIMARY KEY)"
    server.sql(f"{FARMS};{more}", database)
    done = prove(server, database, suite_of(NOTHING[name]))
    (found,) = done.results
    assert (found.status, found.violations, found.examined) == (Status.PASS, 0, 0)
    assert found.message == "holds vacuously: there are no rows to examine"
    assert vacuous(found)
    assert "vacuously" in done.to_html()


def test_every_join_rule_states_what_it_judges() -> None:
    """A violation is a judged row that is bad: no rule can state the one without the other."""
    made = JoinRule.__subclasses__()
    assert {relations.References, relations.Agrees, relations.HoldsWith} == set(made)
    assert [rule for rule in made if "violation" in vars(rule)] == []


def test_a_share_is_one_of_the_judged_rows(server: Server, farms: str) -> None:
    """A tolerated share is taken of the rows judged, not of those that the check leaves alone."""
    judged = agreed(nulls="pass", where="child.id IN (2, 62)", tolerance="49%", id="half")  # 62 is farm 2, area 2
    server.sql("UPDATE crops SET area = 7 WHERE id = 62", farms)
    found = result(server, farms, judged)
    server.sql("UPDATE crops SET area = 2 WHERE id = 62", farms)
    assert (found.status, found.violations, found.examined) == (Status.FAIL, 1, 2)


# --- one statement, each check its own number ------------------------------------------------------------------------


def shared(size: int, culprits: set[int]) -> list[Declaration]:
    """So many checks over one join; number n judges the crops up to n, and a culprit fails on one of them."""
    return [
        agreed(where=f"child.id <= {n} AND 1 / (child.id - 1) = 0" if n in culprits else f"child.id <= {n}", id=f"c{n}")
        for n in range(1, size + 1)
    ]


def test_checks_over_one_join_share_one_statement(server: Server, farms: str) -> None:
    """What each of them judges is counted beside its violations, in the one statement that they all share."""
    made = [
        agreed(id="all"), agreed(where="child.id <= 20", id="some"), agreed(nulls="pass", id="values"),
        declare.references("crops", "farm", "farms", id="references"),
        declare.holds_with("crops", "child.area > parent.area", parent="farms", via="farm", id="with"),
    ]  # fmt: skip
    done = prove(server, farms, suite_of(*made))
    assert {r.check_id: r.examined for r in done.results} == {
        "all": 80, "some": 20, "values": 35, "references": 90, "with": 80,
    }  # fmt: skip
    assert len([s for s in done.statements if "JOIN" in s.sql and not s.purpose.startswith("keys")]) == 1


def test_a_query_counts_both_in_one_statement(server: Server, farms: str) -> None:
    """What a query check judged comes with its violations: one statement, and one look at the data."""
    for declared, tables in ((declare.unique("crops", "farm", where="id < 50", id="q"), 1), (reconciled(id="q"), 2)):
        done = prove(server, farms, suite_of(declared))
        (counting,) = [s.sql for s in done.statements if s.purpose == "check q"]
        assert counting.count("public.") == tables
        assert done.results[0].examined == (49 if tables == 1 else 50)


@pytest.mark.parametrize("culprits", [{0}, {1}, {7}, {16}, {3, 12}, set(range(1, 17))])
def test_isolation_keeps_each_number(culprits: set[int], server: Server, farms: str) -> None:
    """A condition that cannot be computed is the error of its own check; the others' numbers are what they are alone."""
    found = results(server, farms, *shared(16, culprits))
    for n in range(1, 17):
        answer = found[f"c{n}"]
        if n in culprits:
            assert (answer.status, answer.sqlstate, answer.examined) == (Status.ERROR, "22012", None)
        else:
            assert (answer.examined, answer.violations) == (n, (n + 1) // 2)


@pytest.mark.parametrize("size", [SLOT_LIMIT // 2, SLOT_LIMIT // 2 + 1])
def test_more_outputs_than_a_target_list_holds(size: int, server: Server, farms: str) -> None:
    """Two outputs a check: 800 fit, 801 travel in arrays, still in one statement, and each number finds its check."""
    made = [agreed(where=f"child.id <= {1 + n % 40}", id=f"c{n}") for n in range(size)]
    (statement,) = [p for p in explain(suite_of(*made), server.dsn(farms)).passes if p.check_ids]
    assert ("ARRAY[" in statement.sql()) is (size > SLOT_LIMIT // 2)
    (row,) = server.sql(statement.sql(), farms)
    assert statement.read(row) == (100, [((2 + n % 40) // 2, 1 + n % 40) for n in range(size)])


def test_figures_beside_many_checks_are_one_statement(server: Server, database: str) -> None:
    """The figures of a table's columns are outputs too: with almost as many checks as fit, it is still read once."""
    columns = ", ".join(f"c{n} int DEFAULT {n}" for n in range(30))
    server.sql(f"CREATE TABLE t ({columns}); INSERT INTO t DEFAULT VALUES", database)
    made = [declare.holds("t", f"c{n % 30} >= -{n}", id=f"h{n}") for n in range(SLOT_LIMIT - 10)]
    done = prove(server, database, suite_of(*made), count_all=True)
    assert {(r.status, r.examined) for r in done.results} == {(Status.PASS, 1)}
    assert len([s for s in done.statements if s.purpose == "rows of t"]) == 1
    assert [c.profile.minimum for c in done.tables[0].columns if c.profile] == [str(n) for n in range(30)]


def test_what_is_explained_names_both_counts(server: Server, farms: str) -> None:
    """The SQL that ``explain`` shows gives both counts under names that say whose they are."""
    plan = explain(suite_of(agreed(id="a"), declare.references("crops", "farm", "farms", id="r")), server.dsn(farms))
    (statement,) = [s for s in plan.passes if s.check_ids]
    assert statement.check_ids == ("a", "r")
    connection = server.connect(farms)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql())
        (row,) = cursor.fetchall()
        answers = dict(zip([c.name for c in cursor.description], row, strict=True))
    connection.close()
    assert (answers["c1_judged"], answers["c2"], answers["c2_judged"]) == (80, 10, 90)
    assert statement.read(row) == (100, [(answers["c1"], 80), (10, 90)])


def test_a_missing_right_is_one_checks_error(server: Server, database: str) -> None:
    """Where a function of one condition may not be called, the other checks of the join keep their numbers."""
    role = f"{database}_reader"
    server.sql(
        f"{FARMS}; CREATE FUNCTION hush(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END';"
        f"REVOKE EXECUTE ON FUNCTION hush FROM PUBLIC; CREATE ROLE {role} LOGIN; GRANT SELECT ON crops, farms TO {role}",
        database,
    )
    made = [agreed(id="fine"), agreed(where="hush(child.id)", id="forbidden"), agreed(where="child.id <= 20", id="also")]
    done = run(suite_of(*made), server.dsn(database, role), options=Options(jobs=1))
    server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", database)
    found = {r.check_id: (r.examined, r.sqlstate) for r in done.results}
    assert found == {"fine": (80, ""), "forbidden": (None, "42501"), "also": (20, "")}


# --- a number that is not known --------------------------------------------------------------------------------------

UNCOUNTABLE = """
CREATE TABLE base (a int);
INSERT INTO base VALUES (1), (2), (2);
CREATE FUNCTION only_groups() RETURNS boolean LANGUAGE plpgsql STABLE AS $$
  BEGIN
    IF current_query() NOT LIKE '%GROUP BY%' THEN RAISE EXCEPTION 'not counted'; END IF;
    RETURN true;
  END $$;
CREATE VIEW v AS SELECT a FROM base WHERE only_groups();
"""
UNKNOWN = "it is not known how many rows were examined"


def test_an_unknown_number_is_said(server: Server, database: str) -> None:
    """Where the rows of the table could not be counted, a check that passes says so, and a share is not granted."""
    server.sql(UNCOUNTABLE, database)
    made = [
        declare.unique("v", "a", id="fails"), declare.unique("v", "a", tolerance=1, id="rows"),
        declare.unique("v", "a", tolerance="99%", id="share"), declare.unique("v", "a", where="a < 5", id="own count"),
    ]  # fmt: skip
    found = results(server, database, *made)
    assert {id: (r.status, r.violations, r.examined) for id, r in found.items()} == {
        "fails": (Status.FAIL, 1, None), "rows": (Status.TOLERATED, 1, None), "share": (Status.FAIL, 1, None),
        "own count": (Status.FAIL, 1, 3),
    }  # fmt: skip
    assert found["rows"].message == f"{UNKNOWN}; tolerated: up to 1 rows"
    assert found["share"].message == f"the tolerated 99/100 of the rows cannot be granted: {UNKNOWN}"
    server.sql("DELETE FROM base WHERE ctid = (SELECT max(ctid) FROM base)", database)
    passing = results(server, database, *made[:1], made[3])
    assert {id: (r.status, r.examined, r.message) for id, r in passing.items()} == {
        "fails": (Status.PASS, None, UNKNOWN), "own count": (Status.PASS, 2, ""),
    }  # fmt: skip


def test_an_assertion_over_no_declared_table_has_no_such_number(server: Server, farms: str, tmp_path: Path) -> None:
    """Nobody said which rows it examines: there is no number to miss."""
    files = {"sql/a.sql": assertion("SELECT id FROM crops WHERE id < 0")}
    (found,) = prove(server, farms, load_suite(write_suite(tmp_path, files))).results
    assert (found.status, found.examined, found.message) == (Status.PASS, None, "")
