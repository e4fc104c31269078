"""A rename is kept if every value is found under the new name, and never where that is not proved: on real
servers, at random.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from conftest import Server
from helpers import examples, insert, measuring, settings
from hypothesis import HealthCheck, Phase, event, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from test_renaming import ODD

from kisaan_validate import declare
from kisaan_validate.author.source import toml_text
from kisaan_validate.cli.exits import baseline_exit_code, diff_exit_code
from kisaan_validate.cli.main import cli
from kisaan_validate.contract.load import read_contract
from kisaan_validate.contract.promise import State
from kisaan_validate.errors import SuiteError, UsageError
from kisaan_validate.facts.baseline import Baseline, baseline_of
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.row_differences import RowDiff
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json, baseline_to_json, run_to_json
from kisaan_validate.record.judged import judged_to_json
from kisaan_validate.record.rowfile import RowWriter, kept_rows
from kisaan_validate.record.valuefile import kept_values
from kisaan_validate.report.console import print_run
from kisaan_validate.report.formats import find_format
from kisaan_validate.report.html import render_html
from kisaan_validate.report.row_differences import row_differences_to_json
from kisaan_validate.sql.expressions import quote
from kisaan_validate.suite.load import Suite, suite_of
from kisaan_validate.verdict.judgement import Judgement, judge

NOTHING = suite_of(declare.no_column_of_type("pg_lsn", id="always"))


def written(*names: str) -> str:
    """A name as a contract and an option write it: a part that contains a dot or more stands in quotes."""
    return ".".join('"' + n.replace('"', '""') + '"' if set(n) & set('."= ') else n for n in names)


def renamed(what: str, old: str, new: str, id: str = "r", **more: Any) -> str:
    """One promise."""
    return (
        f'[[promise]]\nid = {toml_text(id)}\nkind = "renamed"\n{what} = {toml_text(old)}\nto = '
        f"{toml_text(new)}\n"
    )


def taken(
    server: Server, database: str, contract: str | None, suite: Suite = NOTHING, **more: Any
) -> Baseline:
    """A baseline, through its file."""
    promised = read_contract(f"format = 1\n{contract}", "c.toml") if contract is not None else None
    options = measuring(count_all=True, sample=0, jobs=1, contract=promised, **more)
    return baseline_from_json(
        baseline_to_json(baseline_of(run(suite, server.dsn(database), options=options)))
    )


def beside(
    server: Server,
    database: str,
    baseline: Baseline,
    contract: str | None,
    suite: Suite = NOTHING,
    **more: Any,
) -> Judgement:
    """The database as it is, judged beside a baseline."""
    promised = read_contract(f"format = 1\n{contract}", "c.toml") if contract is not None else None
    options = measuring(count_all=True, jobs=1, baseline=baseline, contract=promised, **more)
    return judge(run(suite, server.dsn(database), options=options), baseline, promised)


def said(judged: Judgement) -> dict[str, tuple[State, str]]:
    """What happened to each promise."""
    return {p.id: (o.state, o.message) for p, o in judged.promises}


# --- at random --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Move:
    """A migration of one table: what its columns and itself are called after, and what is done to values
    and rows.

    ``harmed`` are the columns (as before) whose values did not all travel; "" stands for rows.
    """

    rows: tuple[tuple[Any, ...], ...]
    keyed: bool
    names: dict[str, str]
    table: str
    damage: tuple[str, str] = ("", "")
    harmed: frozenset[str] = field(default=frozenset())

    @property
    def promises(self) -> str:
        """The contract that promises the names, and nothing else."""
        listed = [
            renamed("column", written("t", old), written(new) if "." in new else new, id=f"c {old}")
            for old, new in self.names.items()
        ]
        return "".join(listed) + (
            renamed("table", "t", written(self.table), id="table") if self.table != "t" else ""
        )

    @property
    def options(self) -> tuple[tuple[str, str], ...]:
        """The same as options of ``diff``."""
        listed = [(written("t", old), written(new)) for old, new in self.names.items()]
        return (*listed, ("t", written(self.table))) if self.table != "t" else tuple(listed)

    def sql(self) -> str:
        """The statements of the migration: names by way of names that nobody has, then the damage."""
        steps = [f"ALTER TABLE t RENAME {quote(old)} TO tmp_{n}" for n, old in enumerate(self.names)]
        steps += [
            f"ALTER TABLE t RENAME tmp_{n} TO {quote(new)}" for n, new in enumerate(self.names.values())
        ]
        steps += [f"ALTER TABLE t RENAME TO {quote(self.table)}"] if self.table != "t" else []
        kind, column = self.damage
        t, c, k = quote(self.table), quote(self.names.get(column, column)), quote(self.names.get("k", "k"))
        harms = {
            "": "SELECT 1",
            "another value": f"UPDATE {t} SET {c} = '77' WHERE {k} = 1",
            "a value lost": f"UPDATE {t} SET {c} = NULL WHERE {k} = 1",
            "two values exchanged": f"UPDATE {t} AS x SET {c} = y.{c} FROM {t} AS y WHERE (x.{k}, y.{k}) "
            f"IN ((1, 2), (2, 1))",
            "all values lost": f"ALTER TABLE {t} DROP {c}; ALTER TABLE {t} ADD {c} "
            f"{'text' if column == 's' else 'int'}",
            "a row lost": f"DELETE FROM {t} WHERE {k} = 1",
            "a row too many": f"INSERT INTO {t} SELECT * FROM {t} AS x WHERE {k} = 2",
            "widened": f"ALTER TABLE {t} ALTER {c} TYPE {'varchar' if column == 's' else 'bigint'}",
        }
        return "; ".join([*steps, harms[kind], "SELECT 1"])


HARMS = (
    "another value",
    "a value lost",
    "two values exchanged",
    "all values lost",
    "a row lost",
    "a row too many",
    "widened",
)


@st.composite
def migrations(draw: Any) -> Move:
    """Rows with a column of names k, a, s; new names for some, swaps and chains among them; perhaps one
    damage.
    """
    values = draw(
        st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["x", "y", "", "1"])), min_size=2, max_size=6)
    )
    rows = tuple((n, a, s) for n, (a, s) in enumerate(values, 1))
    own = draw(st.lists(st.sampled_from(("k", "a", "s")), min_size=1, max_size=3, unique=True))
    pool = draw(
        st.permutations(
            [
                *own,
                *draw(
                    st.lists(
                        st.sampled_from([n for n in ODD if n not in {"a", "t"}]), max_size=3, unique=True
                    )
                ),
            ]
        )
    )
    names = {old: new for old, new in zip(own, pool, strict=False) if old != new}
    table = draw(st.sampled_from(("t", "u", "Odd one", "a.b"))) if names else "u"
    keyed = draw(st.booleans())
    damage = ("", "")
    if draw(st.booleans()):
        kind = draw(st.sampled_from([h for h in HARMS if h != "a row too many" or not keyed]))
        damage = (kind, draw(st.sampled_from(("a", "s"))))
    return Move(rows, keyed, names, table, damage, _harmed(rows, *damage))


def _harmed(rows: tuple[tuple[Any, ...], ...], kind: str, column: str) -> frozenset[str]:
    """What did not travel, worked out from the rows: nothing where a value is exchanged for its like."""
    at = {"a": 1, "s": 2}.get(column, 0)
    first, second = rows[0][at], rows[1][at]
    if kind in {"a row lost", "a row too many"}:
        return frozenset({"", "k", "a", "s"})
    if kind in {"", "widened"} or (kind == "two values exchanged" and first == second):
        return frozenset()
    return frozenset({column})


@pytest.fixture(scope="module")
def places(server: Server) -> Iterator[tuple[str, str]]:
    """Two databases for every example to fill: one before, one after."""
    databases = (server.create(), server.create())
    yield databases
    for database in databases:
        server.drop(database)


def fill(server: Server, database: str, move: Move) -> None:
    """The table as it was before."""
    server.sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public; SELECT 1", database)
    server.sql(
        f"CREATE TABLE t (k int{' PRIMARY KEY' if move.keyed else ''}, a int, s text); SELECT 1", database
    )
    insert(server, database, "t", [list(row) for row in move.rows])


LAW = hypothesis_settings(
    max_examples=examples(6),
    derandomize=True,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


def broken(server: Server, places: tuple[str, str], move: Move) -> list[str]:
    """What breaks the law for one migration, by a contract and between two live sides."""
    before, after = places
    for database in places:
        fill(server, database, move)
    baseline = taken(server, after, move.promises)
    server.sql(move.sql(), after)
    judged = beside(server, after, baseline, move.promises)
    event(
        f"{move.damage[0] or 'no damage'}, {len(move.names)} "
        f"columns{', table' if move.table != 't' else ''}{'' if move.keyed else ', no key'}"
    )
    states, whole = said(judged), not move.harmed
    kept = {id for id, (state, _) in states.items() if state is State.KEPT}
    passed, widened = judged.verdict is Verdict.PASS, move.damage[0] == "widened"
    found = compared(server, before, after, move)
    rows = not any(table.differs or not table.known for table in found.tables)
    wanted = {
        "no harmed column is kept": not any(f"c {old}" in kept for old in move.names if old in move.harmed),
        "the table is kept if nothing is harmed": move.table == "t" or ("table" in kept) == whole,
        "all is kept if nothing is harmed": not whole or kept == states.keys(),
        "it passes if nothing is harmed": not whole or passed or widened,
        "it passes only then": whole or not passed or not (move.names or move.table != "t"),
        "two live sides have the same rows exactly then": rows == whole,
        "diff ends with 0 exactly then": (diff_exit_code(found) == 0) == (whole and not widened),
    }
    return [f"{name}: {states}, {found}" for name, holds in wanted.items() if not holds]


def compared(server: Server, before: str, after: str, move: Move) -> RowDiff:
    """Both sides, live."""
    sides = (find_target(server.dsn(before)), find_target(server.dsn(after)))
    return diff_rows(*sides, DiffOptions(renamed=move.options))


@pytest.mark.slow
@given(migrations())
@LAW
def test_a_rename_is_kept_exactly_if_every_value_travelled(
    server: Server, places: tuple[str, str], move: Move
) -> None:
    """Whatever is renamed, swapped or moved along a chain: a promise is kept only if all its values are
    found under the new name; all are if nothing was damaged. Two live sides are the same under the
    declared names exactly then."""
    assert broken(server, places, move) == []


@pytest.mark.slow
@given(migrations())
@hypothesis_settings(LAW, max_examples=examples(60))
def test_a_rename_is_kept_exactly_if_every_value_travelled_many_times(
    server: Server, places: tuple[str, str], move: Move
) -> None:
    """The same, more often."""
    assert broken(server, places, move) == []


# --- files beside a baseline ------------------------------------------------------------------------------


def test_kept_rows_and_values_are_compared_across_a_rename_exactly(server: Server, tmp_path: Path) -> None:
    """--rows and --values find their table and columns under the new names, and say in which rows what is
    another.
    """
    database = server.create(
        "CREATE TABLE s (id int PRIMARY KEY, a int, b text); INSERT INTO s SELECT n, n, 'x' FROM "
        "generate_series(1, 50) AS n"
    )
    contract = (
        renamed("table", "s", "u", id="table")
        + renamed("column", "s.a", "z", id="column")
        + renamed("column", "s.id", "key", id="key")
    )
    writer = RowWriter(tmp_path / "pre.json.rows")
    kept = (("s", "a"), ("s", "b"))
    baseline = taken(
        server,
        database,
        contract,
        digests=True,
        row_writer=writer,
        keep_values=kept,
        values_path=tmp_path / "pre.json.values",
    )
    assert baseline.row_file is not None
    assert baseline.value_file is not None
    files = {
        "row_file": kept_rows(tmp_path, baseline.row_file),
        "value_file": kept_values(tmp_path, baseline.value_file),
    }
    move = "ALTER TABLE s RENAME a TO z; ALTER TABLE s RENAME id TO key; ALTER TABLE s RENAME TO u; SELECT 1"
    server.sql(move, database)
    faithful = beside(server, database, baseline, contract, **files)
    assert faithful.verdict is Verdict.PASS, (said(faithful), faithful.unexplained, faithful.untold)
    assert [(v.table, v.column, v.changed, v.compared) for v in faithful.run.values] == [
        ("u", "z", 0, 50),
        ("u", "b", 0, 50),
    ]
    server.sql("UPDATE u SET z = -z WHERE key IN (7, 30, 41); SELECT 1", database)
    harmed = beside(server, database, baseline, contract, **files)
    assert harmed.verdict is Verdict.FAIL
    states = said(harmed)
    assert states["key"] == (State.KEPT, "")
    assert states["column"][0] is states["table"][0] is State.BROKEN
    assert "changed in 3 rows of 50, first key 7, key 30, key 41" in states["column"][1]
    assert {"|".join(c.key) for c in harmed.unexplained} >= {"rows|u||changed", "values|u|z|changed rows"}
    (rows,) = harmed.run.rows
    assert (rows.table, rows.changed, rows.added, rows.removed) == ("u", 3, 0, 0)
    server.drop(database)


# --- nothing promised -------------------------------------------------------------------------------------

DROPPED = """
[[promise]]
id = "gone"
kind = "dropped"
columns = ["s.a"]

[[promise]]
id = "come"
kind = "added"
columns = ["s.z"]
"""
WAYS = {
    "renamed": (
        "ALTER TABLE s RENAME a TO z",
        "its values are in the new s.z: if it was renamed, promise `renamed`",
    ),
    "all lost": (
        "ALTER TABLE s DROP a; ALTER TABLE s ADD z int",
        "the new s.z does not hold the 9 values of a unchanged: what it lacks is lost",
    ),
    "one lost": (
        "ALTER TABLE s RENAME a TO z; UPDATE s SET z = NULL WHERE id = 3",
        "the new s.z does not hold the 9 values of a unchanged",
    ),
    "exchanged": (
        "ALTER TABLE s RENAME a TO z; UPDATE s SET z = 10 - z",
        "the new s.z does not hold the 9 values of a unchanged",
    ),
    "of another kind": ("ALTER TABLE s DROP a; ALTER TABLE s ADD z text", "its 9 values are lost"),
}


@pytest.mark.parametrize("how", ["dropped and added", "empty contract", "no contract"])
@pytest.mark.parametrize("way", WAYS)
def test_what_went_is_looked_for_under_the_name_that_came(server: Server, way: str, how: str) -> None:
    """Dropped and added is kept, for the loss was accepted; but whether values are lost or under the new
    name is said, on every output. Digests tell it of each row: those of the contract, or of --digests."""
    database = server.create(
        "CREATE TABLE s (id int PRIMARY KEY, a int); INSERT INTO s SELECT n, n FROM generate_series(1, "
        "9) AS n"
    )
    contract = {"dropped and added": DROPPED, "empty contract": "", "no contract": None}[how]
    baseline = taken(server, database, contract, digests=how != "dropped and added")
    sql, words = WAYS[way]
    server.sql(f"{sql}; SELECT 1", database)
    judged = beside(server, database, baseline, contract)
    assert judged.verdict is (Verdict.FAIL if how == "empty contract" else Verdict.PASS)
    (remark,) = judged.remarks.values()
    assert words in remark
    if how == "dropped and added":
        assert said(judged)["gone/s.a"] == (State.KEPT, remark)
    assert f"removed s.a: {remark}" in shown(judged)
    assert remark in render_html(judged)
    (change,) = [
        c for c in json.loads(judged_to_json(judged))["judgement"]["changes"] if c["aspect"] == "removed"
    ]
    assert change["remark"] == remark
    for format in ("markdown", "junit", "github", "csv"):
        assert "s.z" in find_format(format).render(judged) or way == "of another kind", format
    server.drop(database)


def shown(judged: Judgement) -> str:
    """The console's lines."""
    with redirect_stdout(io.StringIO()) as out:
        print_run(judged, None, quiet=False, verbose=False)
    return out.getvalue()


def test_a_table_that_went_is_looked_for_too(server: Server) -> None:
    """With --digests each row and value is; the figures alone only say that it may be so."""
    for digests, sql, words in (
        (
            True,
            "ALTER TABLE s RENAME TO u",
            "its rows are in the new u: if it was renamed, promise `renamed`",
        ),
        (
            True,
            "ALTER TABLE s RENAME TO u; UPDATE u SET a = 10 - a",
            "the new u does not hold the 9 rows of s unchanged",
        ),
        (
            True,  # two keys are others, and every figure stays
            "ALTER TABLE s RENAME TO u; UPDATE u SET id = id + 5 - a WHERE a IN (4, 6)",
            "the new u does not hold the 9 rows of s unchanged",
        ),
        (False, "ALTER TABLE s RENAME TO u; UPDATE u SET a = 10 - a", "the new u has the same figures"),
        (False, "DROP TABLE s", "its 9 rows are lost"),
    ):
        database = server.create(
            "CREATE TABLE s (id int PRIMARY KEY, a int); INSERT INTO s SELECT n * 10, n FROM "
            "generate_series(1, 9) AS n"
        )
        baseline = taken(server, database, None, digests=digests)
        server.sql(f"{sql}; SELECT 1", database)
        (remark,) = beside(server, database, baseline, None).remarks.values()
        assert remark.startswith(words), (sql, remark)
        server.drop(database)


def test_two_live_sides_propose_a_rename_only_where_every_value_agrees(server: Server) -> None:
    """What one side lacks and the other has under another name is said, and never taken for the same
    without being declared.
    """
    made = (
        "CREATE TABLE s (id int PRIMARY KEY, a int); INSERT INTO s SELECT n, n FROM "
        "generate_series(1, 9) AS n;"
    )
    before = server.create(made)
    for sql, words in (
        (
            "ALTER TABLE s RENAME a TO z",
            "s.a was removed and s.z added with the same values: if it was renamed, use --renamed s.a=z",
        ),
        (
            "ALTER TABLE s RENAME a TO z; UPDATE s SET z = 0 WHERE id = 2",
            "s.a was removed and s.z added with different contents: what s.z lacks is lost",
        ),
        (
            "ALTER TABLE s RENAME TO u",
            "s was removed and u added with the same rows and values: if it was renamed, use --renamed s=u",
        ),
    ):
        after = server.create(f"{made} {sql}")
        found = diff_rows(find_target(server.dsn(before)), find_target(server.dsn(after)), DiffOptions())
        assert diff_exit_code(found) == 1
        assert words in found.notes
        assert words in json.loads(row_differences_to_json(found))["notes"]
        server.drop(after)
    server.drop(before)


# --- what is refused, and what is said at once ------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        (renamed("column", "s.a", "a"), "'a' is not a new name"),
        (renamed("column", "a", "b"), "is not 'table.column'"),
        (renamed("column", "s.a", "b.c"), "'b.c' contains a dot"),
        (renamed("table", "s", "s"), "'s' is not a new name"),
        (renamed("column", "s.a", ""), "renamed needs 'to'"),
        ('[[promise]]\nid = "r"\nkind = "renamed"\nto = "b"\n', "state what is renamed"),
        (renamed("column", "s.a", "b") + 'table = "s"\n', "state what is renamed"),
        (
            renamed("column", "s.a", "b") + renamed("column", "s.a", "c", id="q"),
            "s.a is renamed in 2 promises",
        ),
        (
            renamed("column", "s.a", "c") + renamed("column", "s.b", "c", id="q"),
            "s.c is the new name in 2 promises",
        ),
        (
            renamed("column", "s.a", "b") + '[[promise]]\nid = "d"\nkind = "dropped"\ncolumns = ["s.a"]\n',
            "promised to be renamed, so it is not dropped",
        ),
        (
            renamed("column", "s.a", "b") + '[[promise]]\nid = "d"\nkind = "added"\ncolumns = ["s.b"]\n',
            "promised to be renamed, so it is not added",
        ),
        (
            renamed("table", "s", "u")
            + '[[promise]]\nid = "d"\nkind = "dropped"\nobject = "table"\nname = "s"\n',
            "promised to be renamed, so it is not dropped",
        ),
    ],
)
def test_what_no_rename_can_be_is_refused(text: str, fact: str) -> None:
    """Before anything is measured, with the file and the promise."""
    with pytest.raises(SuiteError) as caught:
        read_contract(f"format = 1\n{text}", "c.toml")
    assert fact in str(caught.value)


@pytest.mark.parametrize(
    ("renamed", "fact"),
    [
        ((("s.q", "z"),), "there is no column q of s before"),
        ((("s.a", "z"),), "there is no column z of s after"),
        ((("q", "z"),), "names no table.column before"),
        ((("s", "u"),), "there is no table u after"),
        ((("s.a", "b"), ("s.c", "b")), "two objects would be named"),
    ],
)
def test_a_declared_rename_of_what_is_not_there_is_refused(
    server: Server, renamed: tuple[tuple[str, str], ...], fact: str
) -> None:
    """A slip must not compare something else."""
    made = "CREATE TABLE s (id int PRIMARY KEY, a int, b int, c int)"
    sides = [server.create(made), server.create(made)]
    with pytest.raises(UsageError) as caught:
        diff_rows(*(find_target(server.dsn(d)) for d in sides), DiffOptions(renamed=renamed))
    assert fact in caught.value.fact
    for side in sides:
        server.drop(side)


def test_what_can_never_be_proved_is_said_when_the_baseline_is_taken(server: Server) -> None:
    """A column that is not there, that is personal, or without a canonical form: exit 3 before the
    migration, with the reason.
    """
    database = server.create(
        "CREATE TABLE s (id int PRIMARY KEY, phone text); INSERT INTO s VALUES (1, '98450')"
    )
    for column, why in (("s.nope", "s has no column nope"), ("s.phone", "it is personal")):
        contract = read_contract(f"format = 1\n{renamed('column', column, 'z')}", "c.toml")
        options = measuring(count_all=True, sample=0, jobs=1, contract=contract)
        made = run(
            suite_of(
                declare.no_column_of_type("pg_lsn", id="always"), settings=settings(personal=("s.phone",))
            ),
            server.dsn(database),
            options=options,
        )
        assert baseline_exit_code(made, lost=False) == 3
        assert [m.message for m in made.measured if m.message] == [why]
    server.drop(database)


def test_a_personal_column_is_personal_under_its_new_name(server: Server) -> None:
    """No value of it reaches a file because a pattern no longer matches; with --digests it is told whether
    it travelled.
    """
    suite = suite_of(
        declare.no_column_of_type("pg_lsn", id="always"), settings=settings(personal=("s.phone",))
    )
    for contract, sql in (
        (renamed("column", "s.phone", "contact"), "ALTER TABLE s RENAME phone TO contact"),
        (renamed("table", "s", "people"), "ALTER TABLE s RENAME TO people"),
    ):
        for harm, state in (("", State.KEPT), ("; UPDATE {} SET {} = '98450 x' WHERE id = 5", State.BROKEN)):
            database = server.create(
                "CREATE TABLE s (id int PRIMARY KEY, phone text); INSERT INTO s SELECT n, '98450 ' || n "
                "FROM generate_series(1, 1200) AS n"
            )
            baseline = taken(server, database, contract, suite, digests=True)
            names = ("s", "contact") if "contact" in contract else ("people", "phone")
            server.sql(f"{sql}{harm.format(*names)}; SELECT 1", database)
            judged = beside(server, database, baseline, contract, suite)
            assert said(judged)["r"][0] is state, said(judged)
            assert "98450" not in run_to_json(judged.run) + baseline_to_json(baseline)
            server.drop(database)


@pytest.mark.slow
def test_a_table_of_very_many_columns_is_proved_too(server: Server) -> None:
    """One statement cannot digest them all: several do, and one exchanged value is seen."""
    columns = ", ".join(f"c{n} int" for n in range(600))
    for harm, state in (("", State.KEPT), ("; UPDATE u SET c555 = 3 - c555", State.BROKEN)):
        database = server.create(
            f"CREATE TABLE s (id int PRIMARY KEY, {columns}); INSERT INTO s (id, c555) VALUES (1, 1), (2, 2)"
        )
        baseline = taken(server, database, renamed("table", "s", "u"))
        server.sql(f"ALTER TABLE s RENAME TO u{harm}; SELECT 1", database)
        assert said(beside(server, database, baseline, renamed("table", "s", "u")))["r"][0] is state
        server.drop(database)


def test_two_live_sides_read_bodies_under_their_names(server: Server) -> None:
    """What PostgreSQL parsed follows a declared rename; words that mean something else afterwards do not."""
    made = (
        "CREATE TABLE s (id int PRIMARY KEY, a int, b int); CREATE FUNCTION f() RETURNS bigint "
        "LANGUAGE sql BEGIN ATOMIC SELECT sum(a) FROM s; END;"
    )
    swap = "ALTER TABLE s RENAME a TO x; ALTER TABLE s RENAME b TO a; ALTER TABLE s RENAME x TO b;"
    anew = (
        "CREATE OR REPLACE FUNCTION f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT sum(a) AS sum "
        "FROM s; END"
    )
    before = server.create(made)
    for sql, names in ((swap, []), (swap + anew, ["f()"])):
        after = server.create(f"{made} {sql}")
        found = diff_rows(
            *(find_target(server.dsn(d)) for d in (before, after)),
            DiffOptions(renamed=(("s.a", "b"), ("s.b", "a"))),
        )
        assert [change.name for change in found.schema] == names
        server.drop(after)
    server.drop(before)


def test_a_declared_rename_on_the_command_line(server: Server, tmp_path: Path) -> None:
    """`diff --renamed` parts its two names at the = outside of quotes, and ends with 0 where everything
    else is the same.
    """
    made = 'CREATE TABLE s (id int PRIMARY KEY, "a=b" int); INSERT INTO s VALUES (1, 2);'
    before, after = (
        server.create(made),
        server.create(f'{made} ALTER TABLE s RENAME "a=b" TO z; ALTER TABLE s RENAME TO u'),
    )
    words = [
        "diff",
        "--before",
        server.dsn(before),
        "--after",
        server.dsn(after),
        "--format",
        "json",
        "-o",
        str(tmp_path / "d.json"),
    ]
    runner = CliRunner()
    assert (
        runner.invoke(
            cli, [*words, "--renamed", 's."a=b"=z', "--renamed", "s=u"], standalone_mode=False
        ).return_value
        == 0
    )
    document = json.loads((tmp_path / "d.json").read_text())
    assert document["verdict"].startswith("same")
    assert [(c["before_name"], c["name"]) for c in document["tables"][0]["compared"]] == [
        ("id", "id"),
        ("a=b", "z"),
    ]
    assert 'declared: s."a=b" is renamed to z' in document["notes"]
    refused = runner.invoke(cli, [*words, "--renamed", "s.a"], standalone_mode=False)
    assert isinstance(refused.exception, UsageError)
    for database in (before, after):
        server.drop(database)
