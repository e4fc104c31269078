"""What may stand in for a scan, and what only looks as if it might: each case on the real server, with the
rows to show it.
"""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Server
from helpers import result

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.result import Evidence, Status

UNIQUE = declare.unique("t", ["a", "b"], id="u")
PAIR = (
    "CREATE UNIQUE INDEX filled ON t (a, b) WHERE a IS NOT NULL; CREATE UNIQUE INDEX empty ON t (b) "
    "WHERE a IS NULL;"
)
CASES: dict[str, tuple[str, Declaration, bool]] = {
    "scale at most": (
        "CREATE TABLE t (a numeric(18,2))",
        declare.decimals("t", "a", 2, allow_nan=True),
        True,
    ),
    "scale too large": ("CREATE TABLE t (a numeric(16,4))", declare.decimals("t", "a", 2), False),
    "negative scale": (
        "CREATE TABLE t (a numeric(5,-2))",
        declare.decimals("t", "a", 2, allow_nan=True),
        True,
    ),
    "a scale, and perhaps a NaN": ("CREATE TABLE t (a numeric(18,2))", declare.decimals("t", "a", 2), False),
    "no scale": ("CREATE TABLE t (a numeric)", declare.decimals("t", "a", 2), False),
    "a domain's scale": (
        "CREATE DOMAIN m AS numeric(9,2); CREATE TABLE t (a m)",
        declare.decimals("t", "a", 2, allow_nan=True),
        True,
    ),
    "a pair of partial indexes": (f"CREATE TABLE t (a int, b int NOT NULL); {PAIR}", UNIQUE, True),
    "a pair beside a NULL": (f"CREATE TABLE t (a int, b int); {PAIR}", UNIQUE, False),
    "half a pair": (f"CREATE TABLE t (a int, b int NOT NULL); {PAIR} DROP INDEX empty", UNIQUE, False),
    "a partial index": (
        "CREATE TABLE t (a int NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX ON t (a, b) WHERE a > 0",
        UNIQUE,
        False,
    ),
    "an index over an expression": (
        "CREATE TABLE t (a int NOT NULL, b int NOT NULL); CREATE UNIQUE INDEX ON t (a, abs(b))",
        UNIQUE,
        False,
    ),
    "a foreign key": (
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES p (id))",
        declare.references("t", "a", "p"),
        False,
    ),
    "a check constraint": ("CREATE TABLE t (a int CHECK (a > 0))", declare.holds("t", "a > 0"), False),
}


@pytest.mark.parametrize("name", CASES)
def test_only_a_sound_proof_stands_in_for_a_scan(name: str, server: Server, database: str) -> None:
    """Proved where docs/semantics.md says why it is sound, scanned where it does not."""
    ddl, declared, proved = CASES[name]
    server.sql(ddl, database)
    found = result(server, database, declared, trust_constraints=True)
    assert (found.status, found.evidence) == (Status.PASS, Evidence.PROVED if proved else Evidence.SCANNED)
    assert bool(found.enforced_by) or not proved


def test_a_not_valid_not_null_constraint_proves_nothing(server: Server, database: str) -> None:
    """PostgreSQL 18 sets attnotnull for a NOT NULL constraint that is NOT VALID: the rows are read all the
    same.
    """
    import pandera.pandas as pa

    server.sql(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (NULL); ALTER TABLE t ADD CONSTRAINT n NOT NULL a "
        "NOT VALID",
        database,
    )
    schema = pa.DataFrameSchema({"a": pa.Column("int32")}, name="t")
    from helpers import results

    found = results(server, database, schema, trust_constraints=True)["t.a.not_null"]
    assert (found.status, found.violations, found.enforced_by) == (Status.FAIL, 1, "")


TREE = """
CREATE TABLE countries (id int PRIMARY KEY); INSERT INTO countries VALUES (1);
CREATE TABLE cities (name text PRIMARY KEY, country int NOT NULL REFERENCES countries, mayor text NOT NULL,
                     people int CHECK (people > 0) NO INHERIT, area int CHECK (area > 0));
CREATE TABLE capitals (state text) INHERITS (cities);
INSERT INTO cities VALUES ('a', 1, 'm', 1, 1), ('b', 1, 'm', 1, 1);
INSERT INTO capitals VALUES ('a', 2, 'm', -5, 1);
"""


@pytest.mark.parametrize("version", [18, 15])
def test_what_a_parent_says_binds_no_rows_of_its_children(
    version: int, request: pytest.FixtureRequest
) -> None:
    """Rows of tables that inherit are read with their parent: its keys, NOT NULL and NO INHERIT checks
    prove nothing of them.
    """
    import pandera.pandas as pa
    from helpers import results

    server: Server = request.getfixturevalue({18: "server", 15: "server15"}[version])
    database = server.create(TREE)
    if version < 18:  # from there on a child cannot drop NOT NULL
        server.sql(
            "ALTER TABLE capitals ALTER mayor DROP NOT NULL; INSERT INTO capitals VALUES ('d', 1, NULL, 1, 1)",
            database,
        )
    declared = [
        declare.unique("cities", "name", id="u", counts="groups"),
        declare.references("cities", "country", "countries", id="r"),
        declare.holds("cities", "people > 0", id="h"),
        pa.DataFrameSchema({"mayor": pa.Column()}, name="cities"),
        declare.constraint("cities", "primary key", "name", id="p"),
        declare.constraint("cities", "unique", "name", id="pu"),
        declare.constraint("cities", "check", "people", id="c"),
        declare.constraint("cities", "check", "area", id="inherited"),
        declare.constraint("cities", "foreign key", "country", to="countries", id="f"),
    ]
    wrong = {
        "u": 1,
        "r": 1,
        "h": 1,
        "cities.mayor.not_null": int(version < 18),
        "p": 1,
        "pu": 1,
        "c": 1,
        "inherited": 0,
        "f": 1,
    }
    for trust in (False, True):
        found = results(server, database, *declared, trust_constraints=trust)
        assert {id: found[id].violations for id in wrong} == wrong
        assert all(found[id].status is (Status.FAIL if n else Status.PASS) for id, n in wrong.items())
        assert not any(found[id].enforced_by for id in ("u", "r", "h", "cities.mayor.not_null"))


def test_a_join_to_a_table_with_children_is_refused(server: Server, database: str) -> None:
    """Its unique index does not bind them, so that a row could match twice: an error that says so, not a
    number.
    """
    server.sql(
        "CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE d () INHERITS (c); INSERT INTO c VALUES (1); "
        "INSERT INTO d VALUES (1)",
        database,
    )
    server.sql("CREATE TABLE t (c int); INSERT INTO t VALUES (1)", database)
    found = result(server, database, declare.references("t", "c", "c"))
    assert (found.status, found.violations) == (Status.ERROR, None)
    assert "reading c also reads rows of other tables" in found.message


def test_a_partitioned_table_is_bound_by_its_keys(server: Server, database: str) -> None:
    """Partitions cannot leave their parent's constraints: its proofs hold."""
    server.sql(
        "CREATE TABLE t (a int, b int, PRIMARY KEY (a, b)) PARTITION BY LIST (a); CREATE TABLE t1 "
        "PARTITION OF t FOR VALUES IN (1)",
        database,
    )
    found = result(server, database, UNIQUE, trust_constraints=True)
    assert (found.status, found.evidence, found.enforced_by) == (Status.PASS, Evidence.PROVED, "t_pkey")


def test_no_constraint_of_a_foreign_table_is_believed(server: Server, database: str) -> None:
    """PostgreSQL takes what a foreign table declares on trust, alone or as a partition; a proof may not."""
    from helpers import results, settings

    server.sql(
        "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; CREATE TABLE t (a int "
        "NOT NULL, b int) PARTITION BY LIST (b); "
        "CREATE FOREIGN TABLE f PARTITION OF t FOR VALUES IN (1) SERVER s OPTIONS (program 'echo ,1', "
        "format 'csv')",
        database,
    )
    import pandera.pandas as pa

    schema = pa.DataFrameSchema({"a": pa.Column("int32")}, name="t")
    found = results(server, database, schema, settings=settings(foreign=("t",)), trust_constraints=True)[
        "t.a.not_null"
    ]
    assert (found.status, found.violations, found.enforced_by) == (Status.FAIL, 1, "")


@pytest.mark.parametrize(
    ("value", "violates"),
    [
        ("0.10", 0),
        ("0.100", 0),
        ("0.125", 1),
        ("-7.001", 1),
        ("'NaN'", 1),
        ("'Infinity'", 0),
        ("NULL", 0),
        ("10", 0),
    ],
)
def test_decimals_counts_what_has_more_places(
    server: Server, database: str, value: Any, violates: int
) -> None:
    """Places that are all zero do not count; infinities and NULL have none; a NaN is no number that could
    have any.
    """
    server.sql(f"CREATE TABLE t (a numeric); INSERT INTO t VALUES ({value})", database)
    assert result(server, database, declare.decimals("t", "a", 2)).violations == violates


def test_a_view_that_calls_a_volatile_function_is_not_read_by_any_check(
    server: Server, database: str
) -> None:
    """Not only author-written SQL: a rule over a view would run what the view calls, so it is refused by
    name.
    """
    server.sql("CREATE VIEW v AS SELECT 1 AS a, pg_sleep(0)::text AS b", database)
    found = result(server, database, declare.unique("v", "a"))
    assert (found.status, found.violations) == (Status.ERROR, None)
    assert "pg_sleep" in found.message


def test_uniqueness_of_nothing_is_refused() -> None:
    """An empty list of columns is a slip of the pen."""
    with pytest.raises(SuiteError, match="needs columns"):
        declare.unique("t", [])
