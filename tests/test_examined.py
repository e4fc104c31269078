"""What a check says that it examined is what it judged; and what could never fail is not declared at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandera.pandas as pa
import pytest
from conftest import Server
from helpers import assertion, prove, refusal, result, results, write_suite

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.result import Evidence, Status, message_of, vacuous
from kisaan_validate.plan.statements import SLOT_LIMIT
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import explain, run
from kisaan_validate.rules import relations
from kisaan_validate.rules.base import JoinRule
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
    return declare.reconciles(
        "farms", "area", details="crops", detail_column="area", via="farm", relation=">=", **more
    )


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
    "holds with": (
        declare.holds_with("crops", "child.area >= 0 OR parent.area < 0", parent="farms", via="farm"),
        80,
    ),
    "unique": (declare.unique("crops", "code"), 100),
    "unique, NULLs differ": (declare.unique("crops", "code", nulls_equal=False), 30),
    "unique where": (declare.unique("crops", "code", where="id <= 40"), 40),
    "unique groups where": (
        declare.unique("crops", "code", counts="groups", nulls_equal=False, where="id > 20"),
        10,
    ),
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
    """Tables full of rows, none of which the check judges: it passes with the word "vacuously", on the
    page too.
    """
    more = "ALTER TABLE crops ADD nothing int, ADD n int; CREATE TABLE empty (id int PRIMARY KEY)"
    server.sql(f"{FARMS};{more}", database)
    done = prove(server, database, suite_of(NOTHING[name]))
    (found,) = done.results
    assert (found.status, found.violations, found.examined) == (Status.PASS, 0, 0)
    assert vacuous(found)
    assert message_of(found) == "holds vacuously: there were no rows to examine"
    assert "vacuously" in done.to_html()


def test_every_join_rule_states_what_it_judges() -> None:
    """A violation is a judged row that is bad: no rule can state the one without the other."""
    made = JoinRule.__subclasses__()
    assert {relations.References, relations.Agrees, relations.HoldsWith} == set(made)
    assert [rule for rule in made if "violation" in vars(rule)] == []


def test_a_share_is_one_of_the_judged_rows(server: Server, farms: str) -> None:
    """A tolerated share is taken of the rows judged, not of those that the check leaves alone."""
    judged = agreed(
        nulls="pass", where="child.id IN (2, 62)", tolerance="49%", id="half"
    )  # 62 is farm 2, area 2
    server.sql("UPDATE crops SET area = 7 WHERE id = 62", farms)
    found = result(server, farms, judged)
    server.sql("UPDATE crops SET area = 2 WHERE id = 62", farms)
    assert (found.status, found.violations, found.examined) == (Status.FAIL, 1, 2)


# --- one statement, each check its own number -------------------------------------------------------------


def shared(size: int, culprits: set[int]) -> list[Declaration]:
    """So many checks over one join; number n judges the crops up to n, and a culprit fails on one of them."""
    return [
        agreed(
            where=f"child.id <= {n} AND 1 / (child.id - 1) = 0" if n in culprits else f"child.id <= {n}",
            id=f"c{n}",
        )
        for n in range(1, size + 1)
    ]


def test_checks_over_one_join_share_one_statement(server: Server, farms: str) -> None:
    """What each of them judges is counted beside its violations, in the one statement that they all share."""
    made = [
        agreed(id="all"),
        agreed(where="child.id <= 20", id="some"),
        agreed(nulls="pass", id="values"),
        declare.references("crops", "farm", "farms", id="references"),
        declare.holds_with("crops", "child.area > parent.area", parent="farms", via="farm", id="with"),
    ]
    done = prove(server, farms, suite_of(*made))
    assert {r.check_id: r.examined for r in done.results} == {
        "all": 80,
        "some": 20,
        "values": 35,
        "references": 90,
        "with": 80,
    }
    assert len([s for s in done.statements if "JOIN" in s.sql and not s.purpose.startswith("keys")]) == 1


def test_a_query_counts_both_in_one_statement(server: Server, farms: str) -> None:
    """What a query check judged comes with its violations: one statement, and one look at the data."""
    for declared, tables in (
        (declare.unique("crops", "farm", where="id < 50", id="q"), 1),
        (reconciled(id="q"), 2),
    ):
        done = prove(server, farms, suite_of(declared))
        (counting,) = [s.sql for s in done.statements if s.purpose == "check q"]
        assert counting.count("public.") == tables
        assert done.results[0].examined == (49 if tables == 1 else 50)


@pytest.mark.parametrize("culprits", [{0}, {1}, {7}, {16}, {3, 12}, set(range(1, 17))])
def test_isolation_keeps_each_number(culprits: set[int], server: Server, farms: str) -> None:
    """A condition that cannot be computed is the error of its own check; the others' numbers are what they
    are alone.
    """
    found = results(server, farms, *shared(16, culprits))
    for n in range(1, 17):
        answer = found[f"c{n}"]
        if n in culprits:
            assert (answer.status, answer.sqlstate, answer.examined) == (Status.ERROR, "22012", None)
        else:
            assert (answer.examined, answer.violations) == (n, (n + 1) // 2)


@pytest.mark.parametrize("size", [pytest.param(SLOT_LIMIT // 2, marks=pytest.mark.slow), SLOT_LIMIT // 2 + 1])
@pytest.mark.slow
def test_more_outputs_than_a_target_list_holds(size: int, server: Server, farms: str) -> None:
    """Two outputs a check: 800 fit, 801 travel in arrays, still in one statement, and each number finds
    its check.
    """
    made = [agreed(where=f"child.id <= {1 + n % 40}", id=f"c{n}") for n in range(size)]
    (statement,) = [p for p in explain(suite_of(*made), server.dsn(farms)).passes if p.check_ids]
    assert ("ARRAY[" in statement.sql()) is (size > SLOT_LIMIT // 2)
    (row,) = server.sql(statement.sql(), farms)
    assert statement.read(row) == (90, [((2 + n % 40) // 2, 1 + n % 40) for n in range(size)])


@pytest.mark.slow
def test_figures_beside_many_checks_are_one_statement(server: Server, database: str) -> None:
    """The figures of a table's columns are outputs too: with almost as many checks as fit, it is still
    read once.
    """
    columns = ", ".join(f"c{n} int DEFAULT {n}" for n in range(30))
    server.sql(f"CREATE TABLE t ({columns}); INSERT INTO t DEFAULT VALUES", database)
    made = [declare.holds("t", f"c{n % 30} >= -{n}", id=f"h{n}") for n in range(SLOT_LIMIT - 10)]
    done = prove(server, database, suite_of(*made), count_all=True)
    assert {(r.status, r.examined) for r in done.results} == {(Status.PASS, 1)}
    assert len([s for s in done.statements if s.purpose == "rows of t"]) == 1
    assert [c.profile.minimum for c in done.tables[0].columns if c.profile] == [str(n) for n in range(30)]


def test_what_is_explained_names_both_counts(server: Server, farms: str) -> None:
    """The SQL that ``explain`` shows gives both counts under names that say whose they are."""
    plan = explain(
        suite_of(agreed(id="a"), declare.references("crops", "farm", "farms", id="r")), server.dsn(farms)
    )
    (statement,) = [s for s in plan.passes if s.check_ids]
    (scan,) = [s for s in plan.passes if s.counts_table]
    assert statement.check_ids == ("a", "r")
    connection = server.connect(farms)
    with connection.cursor() as cursor:
        cursor.execute(statement.sql())
        (row,) = cursor.fetchall()
        answers = dict(zip([c.name for c in cursor.description], row, strict=True))
        # Ten of the hundred rows refer to nothing: they are not joined.
        cursor.execute(scan.sql())
        assert cursor.fetchall() == [(100, 90)]
        assert [c.name for c in cursor.description] == ["rows_read", "referring_1"]
    connection.close()
    assert (answers["c1_judged"], answers["c2"], answers["c2_judged"]) == (80, 10, 90)
    assert statement.read(row) == (90, [(answers["c1"], 80), (10, 90)])


def test_a_missing_right_is_one_checks_error(server: Server, database: str) -> None:
    """Where a function of one condition may not be called, the other checks of the join keep their
    numbers.
    """
    role = f"{database}_reader"
    server.sql(
        f"{FARMS}; CREATE FUNCTION hush(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN "
        f"true; END';"
        f"REVOKE EXECUTE ON FUNCTION hush FROM PUBLIC; CREATE ROLE {role} LOGIN; GRANT SELECT ON crops, "
        f"farms TO {role}",
        database,
    )
    made = [
        agreed(id="fine"),
        agreed(where="hush(child.id)", id="forbidden"),
        agreed(where="child.id <= 20", id="also"),
    ]
    done = run(suite_of(*made), server.dsn(database, role), options=Options(jobs=1))
    server.sql(f"DROP OWNED BY {role}; DROP ROLE {role}", database)
    found = {r.check_id: (r.examined, r.sqlstate) for r in done.results}
    assert found == {"fine": (80, ""), "forbidden": (None, "42501"), "also": (20, "")}


# --- a number that is not known ---------------------------------------------------------------------------

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
UNKNOWN = "the number of rows examined is not known"


def test_an_unknown_number_is_said(server: Server, database: str) -> None:
    """Where the rows of the table could not be counted, a check that passes says so, and a share is not
    granted.
    """
    server.sql(UNCOUNTABLE, database)
    made = [
        declare.unique("v", "a", id="fails"),
        declare.unique("v", "a", tolerance=1, id="rows"),
        declare.unique("v", "a", tolerance="99%", id="share"),
        declare.unique("v", "a", where="a < 5", id="own count"),
    ]
    found = results(server, database, *made)
    assert {id: (r.status, r.violations, r.examined) for id, r in found.items()} == {
        "fails": (Status.FAIL, 1, None),
        "rows": (Status.TOLERATED, 1, None),
        "share": (Status.FAIL, 1, None),
        "own count": (Status.FAIL, 1, 3),
    }
    assert found["rows"].message == f"{UNKNOWN}; tolerated: up to 1 rows"
    assert found["share"].message == f"the tolerated 99/100 of the rows cannot be granted: {UNKNOWN}"
    server.sql("DELETE FROM base WHERE ctid = (SELECT max(ctid) FROM base)", database)
    passing = results(server, database, *made[:1], made[3])
    assert {id: (r.status, r.examined, r.message) for id, r in passing.items()} == {
        "fails": (Status.PASS, None, UNKNOWN),
        "own count": (Status.PASS, 2, ""),
    }


def test_an_assertion_over_no_declared_table_has_no_such_number(
    server: Server, farms: str, tmp_path: Path
) -> None:
    """Nobody said which rows it examines: there is no number to miss."""
    files = {"sql/a.sql": assertion("SELECT id FROM crops WHERE id < 0")}
    (found,) = prove(server, farms, load_suite(write_suite(tmp_path, files))).results
    assert (found.status, found.examined, found.message) == (Status.PASS, None, "")


# --- what can never fail is refused -----------------------------------------------------------------------

NEVER = {
    "false": "SELECT id FROM t WHERE false",
    "a comparison of numbers": "SELECT id FROM t WHERE 1 = 0",
    "NULL": "SELECT id FROM t WHERE NULL",
    "a negation": "SELECT id FROM t WHERE NOT (true)",
    "texts": "SELECT id FROM t WHERE 'a' = 'b'",
    "a cast": "SELECT id FROM t WHERE 'f'::boolean",
    "a list": "SELECT id FROM t WHERE 1 IN (2, 3) OR 1 BETWEEN 5 AND 6",
    "a case": "SELECT id FROM t WHERE CASE WHEN 1 = 2 THEN true END",
    "true": "SELECT id FROM t WHERE true",
    "switched off": "SELECT id FROM t WHERE false AND a > 5",
    "switched off by texts": "SELECT id FROM t WHERE 'on-line' = 'on line' AND a > 5",
    "switched off at the end": "SELECT id FROM t WHERE (a > 5) AND (b > 5 AND 1 = 0)",
    "no group": "SELECT a AS id FROM t GROUP BY a HAVING false",
    "no row": "SELECT id FROM t WHERE a > 5 LIMIT 0",
    "no row in parentheses": "SELECT id FROM t LIMIT (0)",
    "no row as a text": "SELECT id FROM t LIMIT '0'",
    "no row to fetch": "SELECT id FROM t ORDER BY id FETCH FIRST 0 ROWS ONLY",
    "behind WITH": "WITH x AS (SELECT id FROM t WHERE a > 5) SELECT id FROM x WHERE 1 = 0",
    "in parentheses": "(SELECT id FROM t WHERE false)",
    "both halves": "SELECT id FROM t WHERE false UNION ALL SELECT id FROM u WHERE 1 = 0",
    "no row of a union": "SELECT id FROM t UNION SELECT id FROM u LIMIT 0",
    "the common rows": "SELECT id FROM t WHERE false INTERSECT SELECT id FROM u",
    "nothing minus something": "SELECT id FROM t WHERE false EXCEPT SELECT id FROM u",
}


@pytest.mark.parametrize("name", NEVER)
def test_an_assertion_that_cannot_fail_is_refused(name: str, tmp_path: Path) -> None:
    """A SELECT whose WHERE reads nothing, or that returns no row by its LIMIT, is refused with file and
    line.
    """
    error = refusal(tmp_path, {"sql/a.sql": assertion(NEVER[name])})
    assert error.origin == "sql/a.sql:3"
    assert any(word in error.fact for word in ("reads no column", "LIMIT 0"))


SOMETIMES = (
    "SELECT 1 AS id WHERE EXISTS (SELECT FROM t WHERE a > 5)",
    "SELECT 1 AS id WHERE (SELECT count(*) FROM t) = 0",
    "SELECT 1 AS id WHERE current_setting('server_version_num')::int < 150000",
    "SELECT 1 AS id WHERE CURRENT_DATE > DATE '2999-01-01'",
    "SELECT 1 AS id WHERE current_user = 'postgres'",
    "SELECT 1 AS id WHERE (1).somebodys_function > 5",
    "SELECT 1 AS id WHERE 1 OPERATOR(public.<+>) 2 = 3",
    "SELECT id FROM t WHERE 1 = 1 AND a > 5",
    "SELECT id FROM t WHERE true AND a > 5",
    "SELECT id FROM t WHERE a > 5 OR false",
    "SELECT id FROM t WHERE t IS NULL",
    "SELECT id FROM t",
    "SELECT id FROM t LIMIT 1",
    "SELECT id FROM t LIMIT ALL",
    "SELECT id FROM t LIMIT 'no number' OFFSET 3",
    "SELECT id FROM t FETCH FIRST ROW ONLY",
    "SELECT NULL::int AS id WHERE false UNION ALL SELECT id FROM t",
    "SELECT id FROM t EXCEPT SELECT id FROM t WHERE false",
    "SELECT id FROM t WHERE NOT EXISTS (SELECT FROM u WHERE false)",
    "SELECT count(*) AS id FROM t HAVING count(*) = 0",
)


@pytest.mark.parametrize("sql", SOMETIMES)
def test_an_assertion_that_can_fail_is_not(sql: str, tmp_path: Path) -> None:
    """A condition that reads a column, a subquery, the time or a setting can be true and false."""
    assert len(load_suite(write_suite(tmp_path, {"sql/a.sql": assertion(sql)})).checks) == 1


CONDITIONS = {
    "unique": "declare.unique('t', 'a', where={text!r})",
    "references": "declare.references('t', 'a', 'u', where={text!r})",
    "agrees": "declare.agrees('t', 'a', with_='u.a', via='b', where={text!r})",
    "holds": "declare.holds('t', {text!r})",
    "holds_with": "declare.holds_with('t', {text!r}, parent='u', via='b')",
    "reconciles": "declare.reconciles('t', 'a', details='u', detail_column='b', via='c', where={text!r})",
    "details": "declare.reconciles('t', 'a', details='u', detail_column='b', via='c', detail_where={text!r})",
}


@pytest.mark.parametrize("text", ["false", "1 = 0", "true", "now() > '2025-01-01'"])
@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_that_reads_no_column_is_refused(name: str, text: str, tmp_path: Path) -> None:
    """What does not depend on the row is no condition on it: refused at its line."""
    call = CONDITIONS[name].format(text=text)
    error = refusal(tmp_path, {"a.py": f"from kisaan_validate import declare\n\n{call}\n"})
    assert error.origin == "a.py:3"
    assert "reads no column" in error.fact


@pytest.mark.parametrize("where", ["parent.id > 0", "parent.kind IS NULL AND child.id > 0", "kind IS NULL"])
def test_a_reference_is_not_judged_by_the_row_it_may_lack(where: str, tmp_path: Path) -> None:
    """The rows that violate a reference have no parent: a condition on it would excuse them all, and is
    refused.
    """
    text = (
        f"from kisaan_validate import declare\n\ndeclare.references('crops', 'farm', 'farms', "
        f"where={where!r})\n"
    )
    error = refusal(tmp_path, {"a.py": text})
    assert (error.origin, "write child.column" in error.fact) == ("a.py:3", True)


@pytest.mark.parametrize("minimum", [0, -1])
def test_no_minimum_at_all_is_refused(minimum: int, tmp_path: Path) -> None:
    """Every table has at least no rows: refused as a declaration and as a model's metadata."""
    text = f"from kisaan_validate import declare\n\ndeclare.minimum_rows('t', {minimum})\n"
    error = refusal(tmp_path / "declared", {"a.py": text})
    assert (error.origin, "can never fail" in error.fact) == ("a.py:3", True)
    model = f"""\
        import pandera.pandas as pa

        T = pa.DataFrameSchema({{"a": pa.Column(int)}}, metadata={{"minimum_rows": {minimum}}}, name="t")
        """
    error = refusal(tmp_path / "model", {"a.py": model})
    assert (error.origin, "can never fail" in error.fact) == ("a.py:3", True)


@pytest.mark.parametrize("given", ["100%", "1/1", "100.0 %", "3/3", "150%", "7/3"])
def test_tolerating_every_row_is_refused(given: str, tmp_path: Path) -> None:
    """A share of all rows accepts whatever is found: refused in a declaration, a model and a header."""
    files = {
        "a.py": f"from kisaan_validate import declare\n\ndeclare.holds('t', 'a > 0', tolerance={given!r})\n",
        "sql/a.sql": assertion("SELECT id FROM t", tolerance=given),
    }
    for number, (name, text) in enumerate(files.items()):
        error = refusal(tmp_path / str(number), {name: text})
        assert error.origin == ("a.py:3" if name == "a.py" else "sql/a.sql:1")
        assert "can never fail" in error.fact
    schema = pa.DataFrameSchema({"a": pa.Column(int, metadata={"tolerance": given})}, name="t")
    with pytest.raises(SuiteError, match="can never fail"):
        suite_of(schema)
