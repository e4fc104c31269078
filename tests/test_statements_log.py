"""What the server itself saw of a run: its log of every statement, its scan counters, its transaction ids."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from conftest import Server, embedded_server, wait_until
from helpers import measuring

from kisaan_validate import declare as d
from kisaan_validate.declare import Declaration
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.plan import bundles
from kisaan_validate.plan.samples import COUNTED
from kisaan_validate.postgres.connecting import APPLICATION_NAME
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import Suite, suite_of

TABLES = """
    CREATE TABLE farms (id int PRIMARY KEY, area numeric NOT NULL, owner int);
    CREATE TABLE crops (id int PRIMARY KEY, farm int, area numeric NOT NULL, kind text);
    INSERT INTO farms SELECT g, g * 10, g % 7 FROM generate_series(1, 200) AS g;
    INSERT INTO crops SELECT g, 1 + g % 200, g % 200, 'kind ' || g % 5 FROM generate_series(1, 2000) AS g;
    VACUUM (ANALYZE);
"""
_LINE = re.compile(
    r"^\S+ \S+ \S+ \[(?P<pid>\d+)\] (?P<application>\S*) (?P<xid>\d+) \| (?P<kind>\w+):  (?P<text>.*)$"
)


@dataclass
class Line:
    """One entry of the server's log, its continuation lines joined."""

    application: str
    xid: str
    kind: str
    text: str


@dataclass
class Watched:
    """A server that logs every statement."""

    server: Server
    database: str

    def run(self, suite: Suite, **options: object) -> tuple[Run, list[str]]:
        """A run, and every statement that the server saw of it."""
        start = len(self.server.log_text())
        result = run(suite, self.server.dsn(self.database), options=measuring(**options))  # type: ignore[arg-type]
        wait_until(lambda: not self._connected())
        lines = [
            line for line in _entries(self.server.log_text()[start:]) if line.application == APPLICATION_NAME
        ]
        assert lines, "the log shows nothing: the test proves nothing"
        assert {line.xid for line in lines} == {"0"}, "a transaction id was assigned: something was written"
        return result, [
            line.text.removeprefix("statement: ") for line in lines if line.text.startswith("statement: ")
        ]

    def _connected(self) -> bool:
        sql = f"SELECT pid FROM pg_stat_activity WHERE application_name = '{APPLICATION_NAME}'"
        return bool(self.server.sql(sql))


def _entries(text: str) -> list[Line]:
    found: list[Line] = []
    for raw in text.splitlines():
        if match := _LINE.match(raw):
            found.append(Line(match["application"], match["xid"], match["kind"], match["text"]))
        elif found:
            found[-1].text += "\n" + raw.removeprefix("\t")
    return found


@pytest.fixture(scope="module")
def watched() -> Iterator[Watched]:
    """A server of its own, so that its settings and counters belong to these tests."""
    with embedded_server() as server:
        for setting in ("log_statement = 'all'", "log_line_prefix = '%m [%p] %a %x | '"):
            server.sql(f"ALTER SYSTEM SET {setting}")
        server.sql("SELECT pg_reload_conf()")
        wait_until(lambda: server.sql("SHOW log_statement") == [("all",)])
        database = server.create()
        for statement in TABLES.split(";")[:-1]:
            server.sql(statement, database)
        yield Watched(server, database)


def asks(statements: list[str], *, keys: bool = False) -> list[str]:
    """The statements that read the user's rows: those that count, or with ``keys`` those that list
    violating keys.
    """
    reading = [
        s
        for s in statements
        if not s.startswith(("EXPLAIN", "LOCK")) and re.search(r"public\.(farms|crops)", s)
    ]
    # A query is counted and listed in one statement, in which one row says how many there are.
    return [s for s in reading if ("sha256" in s and f"SELECT {COUNTED}" not in s) is keys]


ROWS = [d.holds("crops", f"area >= {n}", id=f"area {n}") for n in range(-12, 0)]
JOIN = [
    d.references("crops", "farm", "farms", id="farm"),
    d.agrees("crops", "area", with_="farms.area", via="farm", where="child.id < 0", id="areas"),
    d.holds_with("crops", "child.area <= parent.area", parent="farms", via="farm", id="fits"),
]
QUERIES = [
    d.unique("crops", "id", id="unique"),
    d.reconciles(
        "farms", "area", details="crops", detail_column="area", via="farm", relation=">=", id="sums"
    ),
]
CATALOGUE = [d.table("crops", id="table"), d.column("crops", "area", type="numeric", id="type")]


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        (ROWS, 1),
        (JOIN, 2),
        ([*ROWS, *JOIN], 2),
        ([*ROWS, *JOIN, *QUERIES], 5),
        (QUERIES[:1], 2),
        (CATALOGUE, 0),
    ],
    ids=["row checks", "one join", "rows and join", "everything", "one query", "catalogue only"],
)
def test_checks_that_can_share_a_scan_do(watched: Watched, sources: list[Declaration], expected: int) -> None:
    """One counting statement a table, one a join, one a query; the server's log agrees with the run's
    record.
    """
    result, statements = watched.run(suite_of(*sources))
    assert not [r for r in result.results if r.status in {Status.ERROR, Status.SKIP}]
    assert len(asks(statements)) == expected
    assert sorted(asks(statements)) == sorted(
        s.sql for s in result.statements if not s.purpose.startswith("keys")
    )


def test_the_number_of_checks_does_not_change_the_number_of_scans(watched: Watched) -> None:
    """64 checks of a table read it as often as one does."""
    one, many = (
        suite_of(*(d.holds("crops", f"area >= -{n}", id=f"c{n}") for n in range(size))) for size in (1, 64)
    )
    assert len(asks(watched.run(one)[1])) == len(asks(watched.run(many)[1])) == 1


def test_the_servers_own_counters_agree(watched: Watched) -> None:
    """pg_stat_user_tables counts one sequential scan of a table for all its row checks."""

    def scans() -> int:
        sql = "SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'crops'"
        return int(watched.server.sql(sql, watched.database)[0][0])

    before = scans()
    watched.run(suite_of(*ROWS))
    wait_until(lambda: scans() > before)
    assert scans() == before + 1


def test_keys_cost_one_more_statement_for_all_failures_of_a_table(watched: Watched) -> None:
    """Any number of failing checks of a table: one statement more. None failing: none more."""
    failing = [d.holds("crops", f"area >= {n}", id=f"failing {n}") for n in range(1, 9)]
    result, statements = watched.run(suite_of(*ROWS, *failing))
    assert len(result.failures) == 8
    assert all(r.sample and r.key_digest for r in result.failures)
    assert (len(asks(statements)), len(asks(statements, keys=True))) == (1, 1)
    result, statements = watched.run(suite_of(*ROWS))
    assert not result.failures
    assert not asks(statements, keys=True)


@pytest.mark.parametrize(("most", "keys"), [(-1, 2), (bundles.MOST_BLOCKS, 3)], ids=["large", "small"])
def test_keys_cost_one_statement_a_table_and_none_a_large_failing_query(
    watched: Watched, most: int, keys: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many checks of a table fail, on its rows or in its joins: one statement more, and one for each
    join by a column that may be NULL; none for a failing query over a large table, which is listed where it
    is counted.
    """
    monkeypatch.setattr(bundles, "MOST_BLOCKS", most)
    suite = suite_of(
        d.holds("crops", "area > 0", id="row 1"),
        d.holds("crops", "area > 1", id="row 2"),
        d.holds_with("crops", "child.area < 100", parent="farms", via="farm", id="join 1"),
        d.holds_with("crops", "child.area < 101", parent="farms", via="farm", id="join 2"),
        d.unique("crops", "kind", id="query"),
    )
    result, statements = watched.run(suite)
    assert len(result.failures) == 5
    assert (len(asks(statements)), len(asks(statements, keys=True))) == (3, keys)


@pytest.mark.parametrize("culprits", [{0}, {37}, {63}, {5, 58}])
def test_a_culprit_costs_few_statements(watched: Watched, culprits: set[int]) -> None:
    """64 checks, k of them not computable: at most 2·k·log₂ 64 statements more, counted by the server."""
    suite = suite_of(
        *(
            d.holds("crops", "1 / (id - 7) IS NULL" if n in culprits else f"area >= -{n}", id=f"c{n}")
            for n in range(64)
        )
    )
    result, statements = watched.run(suite)
    assert {r.check_id for r in result.results if r.status is Status.ERROR} == {f"c{n}" for n in culprits}
    assert 0 < len(asks(statements)) - 1 <= 2 * len(culprits) * math.log2(64)


# Nothing is written

_ALLOWED = re.compile(
    r"""\A\s*(
        BEGIN\ ISOLATION\ LEVEL\ (REPEATABLE\ READ|READ\ COMMITTED)\ READ\ ONLY,\ NOT\ DEFERRABLE
        (;\ SET\ TRANSACTION\ SNAPSHOT\ '[0-9A-F-]+')?(;\ SET\ LOCAL\ [^;]+)+
      | SET\ LOCAL\ (search_path|parallel_tuple_cost|enable_\w+)\ =\ [^;]+(;\ SET\ LOCAL\ enable_\w+\ =\ [^;]+)*
      | (SAVEPOINT|RELEASE\ SAVEPOINT|ROLLBACK\ TO\ SAVEPOINT)\ \w+(;\ RELEASE\ SAVEPOINT\ \w+)?
      | LOCK\ TABLE\ .+\ IN\ ACCESS\ SHARE\ MODE
      | ROLLBACK
      | (EXPLAIN\ \(FORMAT\ JSON\)\ )?(--[^\n]*\n)*\s*(SELECT|WITH)\b.*
    )\Z""",
    re.DOTALL | re.VERBOSE,
)


def state_of(watched: Watched) -> tuple[object, ...]:
    """What any write would move: the next transaction id, the tables' counters, every object of the
    database.
    """
    (numbers,) = watched.server.sql(
        """SELECT pg_snapshot_xmax(pg_current_snapshot())::text,
                  (SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::text FROM pg_stat_user_tables),
                  (SELECT string_agg(oid || ' ' || relfilenode || ' ' || relname, ',' ORDER BY oid) FROM pg_class),
                  (SELECT count(*) FROM pg_proc), (SELECT count(*) FROM pg_prepared_xacts), pg_current_wal_insert_lsn()""",
        watched.database,
    )
    return numbers


def test_a_run_writes_nothing(watched: Watched) -> None:
    """No transaction id, no write-ahead log, no tuple, no object: the server is after a run as it was
    before.
    """
    failing = [d.holds("crops", "area > 50", id="failing"), d.holds("crops", "1 / (id - 7) > 0", id="broken")]
    suite = suite_of(*ROWS, *JOIN, *QUERIES, *CATALOGUE, *failing, d.unique("crops", "kind", id="doubles"))
    watched.run(suite, jobs=4)  # whatever a first reader tidies up (hint bits) is tidied up
    watched.server.sql("CHECKPOINT")
    changes = []
    for _ in range(
        3
    ):  # the server's own housekeeping may fall into one run; what the tool wrote would be in each
        wait_until(lambda: _quiet(lambda: state_of(watched)))
        before = state_of(watched)
        result, statements = watched.run(suite, jobs=4)
        if (after := state_of(watched)) == before:
            break
        changes.append((before, after))
    assert len(changes) < 3, changes
    assert {r.status for r in result.results} == {Status.PASS, Status.FAIL, Status.ERROR}
    assert not [s for s in statements if not _ALLOWED.match(s)]


def _quiet(look: Callable[[], object]) -> bool:
    """Whether two looks in a row see the same."""
    return look() == look()


def test_every_transaction_is_read_only_and_pinned(watched: Watched) -> None:
    """Each BEGIN says READ ONLY and brings the pinned settings in the same message; nothing is set for a
    session.
    """
    _, statements = watched.run(suite_of(*ROWS, *QUERIES), jobs=2)
    begun = [s for s in statements if s.startswith("BEGIN")]
    assert begun
    assert all("READ ONLY" in s for s in begun)
    for setting in ("search_path", "TimeZone", "row_security", "statement_timeout", "lock_timeout"):
        assert all(f"; SET LOCAL {setting} =" in s for s in begun)
    assert not [s for s in statements if s.startswith("SET ") and not s.startswith("SET LOCAL ")]
    assert not [s for s in statements if s.startswith(("COMMIT", "PREPARE", "DECLARE", "COPY", "CREATE"))]


def test_what_is_recorded_is_what_was_run(watched: Watched) -> None:
    """Every statement in the record stands in the server's log to the letter, and psql could run it again."""
    failing = d.holds("crops", "kind <> 'kind 3' AND kind <> 'o''clock %s \\ %% ü'", id="failing")
    result, statements = watched.run(suite_of(*ROWS, *JOIN, *QUERIES, failing))
    assert {s.sql for s in result.statements} <= set(statements)
    (shown,) = [r.sql for r in result.results if r.check_id == "failing"]
    assert len(watched.server.sql(shown, watched.database)) == violating(result)


def violating(result: Run) -> int:
    """How many rows violate the check named "failing"."""
    (found,) = [r.violations for r in result.results if r.check_id == "failing"]
    assert found
    return found
