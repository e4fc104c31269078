"""A table that somebody holds exclusively cannot even be printed by the catalogue: it costs its own
checks, no others.
"""

from __future__ import annotations

import pytest
from conftest import Server
from helpers import measuring

from kisaan_validate import declare
from kisaan_validate.facts.result import Status
from kisaan_validate.postgres.session import Limits
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of

TABLES = """CREATE TABLE held (id serial PRIMARY KEY, v int DEFAULT 1 CHECK (v > 0)); INSERT INTO held VALUES (1, 1);
CREATE INDEX partial ON held (v) WHERE v > 5; CREATE TABLE free (id int PRIMARY KEY, v int DEFAULT 2);
INSERT INTO free VALUES (1, 1)"""


@pytest.mark.parametrize("which", ["server", "server15"])
def test_an_exclusive_lock_costs_only_its_own_table(which: str, request: pytest.FixtureRequest) -> None:
    """Defaults, index predicates and constraints are printed under a lock: the others' checks are answered
    all the same.
    """
    server: Server = request.getfixturevalue(which)
    database = server.create(TABLES)
    blocker = server.connect(database)
    with blocker.cursor() as cursor:
        cursor.execute("BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE")
    suite = suite_of(
        declare.holds("held", "v > 0", id="held"),
        declare.column("held", "v", default="1", id="held.default"),
        declare.constraint("held", "check", "v", id="held.check"),
        declare.column("held", "v", type="integer", id="held.type"),
        declare.holds("free", "v > 0", id="free"),
        declare.column("free", "v", default="2", id="free.default"),
    )
    made = run(
        suite, server.dsn(database), options=measuring(count_all=True, limits=Limits(lock_timeout=300))
    )
    blocker.close()
    found = {r.check_id: (r.status, r.sqlstate) for r in made.results}
    assert found["free"] == found["free.default"] == found["held.type"] == (Status.PASS, "")
    assert found["held"] == found["held.default"] == found["held.check"] == (Status.ERROR, "55P03")
    assert {t.name: t.rows for t in made.tables} == {"free": 1, "held": None}
    server.drop(database)
