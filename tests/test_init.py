"""`init`: a draft says what the catalogue declares and what the data was seen to be, loads, runs, and
passes where it came from.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import draft_cases as cases
import pandera.pandas as pa
import pytest
from conftest import ROOT, Server, wait_until
from helpers import sessions_ended, write_suite
from shop import Shop

from kisaan_validate.author.draft import columns, look, observe
from kisaan_validate.author.draft.facts import Facts
from kisaan_validate.author.draft.look import Ask
from kisaan_validate.author.draft.propose import check_expression, propose
from kisaan_validate.author.draft.prove import Proved, prove
from kisaan_validate.author.source import Plain, python_value
from kisaan_validate.facts.check import Severity
from kisaan_validate.facts.result import Status, Verdict
from kisaan_validate.postgres.session import Limits
from kisaan_validate.postgres.target import find_target
from kisaan_validate.process.stopping import Stop
from kisaan_validate.prove.options import Options
from kisaan_validate.prove.run import run

CASES: dict[str, tuple[str, tuple[str, ...]]] = {
    "demo": ((ROOT / "demo" / "schema.sql").read_text(encoding="utf-8"), ("public",)),
    "odd": (cases.ODD, ("public", "Other Schema")),
    "odd, other order": (cases.ODD, ("Other Schema", "public")),
    "exotic": (cases.EXOTIC, ("public",)),
    "trees": (cases.TREES, ("public",)),
    "parts": (cases.PARTS, ("public",)),
    "hostile": (cases.hostile(), ("public",)),
    "information_schema": ("", ("information_schema",)),
}


def facts_of(
    server: Server, database: str, schemas: tuple[str, ...] = ("public",), role: str = "postgres", **more: Any
) -> Facts:
    """What a look at a database tells."""
    return look.look(Ask(find_target(server.dsn(database, role)), schemas, **more), lambda _: None, Stop())


def draft(
    server: Server, database: str, schemas: tuple[str, ...] = ("public",), role: str = "postgres", **more: Any
) -> Proved:
    """A draft, proved."""
    facts = facts_of(server, database, schemas, role, **more)
    options = Options(jobs=1, sample=0, limits=more.get("limits", Limits()))
    return prove(
        facts,
        propose(facts),
        "test",
        lambda _: True,
        lambda suite: run(suite, server.dsn(database, role), options=options),
    )


@pytest.fixture(scope="module")
def parts(server: Server) -> Iterator[str]:
    """A database with a bit of everything that a catalogue declares."""
    name = server.create(cases.PARTS)
    yield name
    server.drop(name)


@pytest.mark.parametrize("name", CASES)
def test_a_draft_passes_on_the_database_that_it_came_from(name: str, server: Server, tmp_path: Path) -> None:
    """Whatever things are called and made of: the draft loads, runs, passes, is plain code, and ruff has
    nothing to say.
    """
    sql, schemas = CASES[name]
    database = server.create(sql)
    made = draft(server, database, schemas)
    server.drop(database)
    assert made.run.verdict is Verdict.PASS
    assert {r.status for r in made.run.results} == {Status.PASS}
    assert len(made.run.results) == made.suite.total > 0
    for path, text in made.files.items():
        assert_plain(path, text)
    write_suite(tmp_path, {})
    for path, text in made.files.items():
        (tmp_path / path).write_text(text, encoding="utf-8")
    ours = ["--config", str(ROOT / "pyproject.toml"), "--extend-ignore", "E501"]  # names may be long
    for options in (["--isolated"], ours):
        found = subprocess.run(
            [sys.executable, "-m", "ruff", "check", *options, str(tmp_path)], capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout


def assert_plain(path: str, text: str) -> None:
    """A file of Python holds a docstring, imports, OBSERVED, models and declarations of literals: nothing
    that does anything else.
    """
    seen = text.replace("\t", "") if path.endswith(".sql") else text
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", seen), path
    if not path.endswith(".py"):
        return
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom):
            assert node.module in {"__future__", "typing", "kisaan_validate"}
        elif isinstance(node, ast.Import):
            assert {a.name for a in node.names} <= {"pandas", "pandera.pandas"}
        elif isinstance(node, ast.ClassDef):
            _assert_model(node)
        elif isinstance(node, ast.AnnAssign):
            assert isinstance(node.target, ast.Name)
            assert node.target.id == "OBSERVED"
            ast.literal_eval(node.value)  # type: ignore[arg-type]
        else:
            assert isinstance(node, ast.Expr), ast.dump(node)
            assert isinstance(node.value, ast.Constant) or _declares(node.value), ast.unparse(node)


def _declares(node: ast.expr) -> bool:
    assert isinstance(node, ast.Call)
    assert ast.unparse(node.func).startswith("declare.")
    for argument in (*node.args, *(k.value for k in node.keywords if k.arg)):
        ast.literal_eval(argument)
    return all(k.arg or ast.unparse(k.value) == "OBSERVED" for k in node.keywords)


def _assert_model(node: ast.ClassDef) -> None:
    assert [ast.unparse(b) for b in node.bases] == ["pa.DataFrameModel"]
    for inner in node.body:
        if isinstance(inner, ast.AnnAssign):
            assert isinstance(inner.value, ast.Call)
            assert ast.unparse(inner.value.func) == "pa.Field"
            assert re.fullmatch(
                r"(str|object|float|p[ad]\.\w+|Annotated\[pd\.\w+, 'us', 'UTC'\])",
                ast.unparse(inner.annotation),
            )
            for keyword in inner.value.keywords:
                assert keyword.arg
                ast.literal_eval(keyword.value)
        else:
            assert isinstance(inner, ast.ClassDef)
            assert inner.name == "Config"
            for setting in inner.body:
                assert isinstance(setting, (ast.Assign, ast.AnnAssign))
                assert (
                    ast.unparse(setting.annotation) == "ClassVar[dict[str, str]]"
                    if isinstance(setting, ast.AnnAssign)
                    else True
                )
                ast.literal_eval(setting.value)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["odd", "exotic", "trees", "parts", "information_schema"])
def test_a_draft_passes_on_an_older_server(name: str, server15: Server) -> None:
    """The same on the system's PostgreSQL."""
    sql, schemas = CASES[name]
    database = server15.create(sql)
    made = draft(server15, database, schemas)
    server15.drop(database)
    assert made.run.verdict is Verdict.PASS


def test_what_the_catalogue_declares_is_drafted(server: Server, parts: str) -> None:
    """Every column, type, NOT NULL, key, reference, check, unique index, sequence and comment has its
    blocking check.
    """
    made = draft(server, parts)
    checks = made.run.by_id
    for id in (
        "users.present",
        "users.balance.present",
        "users.phone.type",
        "users.phone.not_null",
        "users.users_pkey",
        "users.id.unique",
        "users.users_email_key",
        "users.email.unique",
        "users.positive",
        "users.positive.rows",
        "users.odd_one.rows",
        "users.id.sequence",
        "users.users_code_live",
        "users.code.unique",
        "users.users_lower_email",
        "orders.orders_user_id_fkey",
        "orders.user_id.references",
        "orders.user_id_position.unique",
        "orders.orders_total_check.rows",
        "totals.total.type",
        "frozen.state.type",
    ):
        assert checks[id].severity is Severity.BLOCKING, id
        assert "observed" not in checks[id].tags
    assert checks["users.present"].why == "people who may log in"
    assert checks["users.balance.type"].why == "what we owe them, in rupees"
    assert checks["users.positive.rows"].why == checks["users.positive"].why == "nobody owes us"
    assert checks["users.email.unique"].claim.endswith("(NULLs count as different)")
    users = made.files["users.py"]
    assert "the catalogue declares it: PRIMARY KEY users_pkey" in users
    assert "rows not checked against UNIQUE INDEX users_lower_email: it is on an expression" in users


def test_each_declared_kind_fails_when_the_catalogue_no_longer_says_it(server: Server) -> None:
    """A draft is no photograph of nothing: undo each thing that it declares, and the check that stands for
    it fails.
    """
    database = server.create(cases.PARTS)
    made = draft(server, database)
    server.sql(
        "DROP MATERIALIZED VIEW frozen; DROP VIEW totals; ALTER TABLE orders DROP CONSTRAINT "
        "orders_user_id_fkey; "
        "ALTER TABLE orders DROP CONSTRAINT orders_pkey; ALTER TABLE orders ALTER total TYPE numeric(14,2); "
        "ALTER TABLE users ALTER phone DROP NOT NULL; ALTER TABLE users DROP CONSTRAINT positive; DROP "
        "INDEX users_code_live; "
        "INSERT INTO orders VALUES (11, 9999, 1, 'open', 99); UPDATE users SET phone = NULL, balance = "
        "-1 WHERE id = 1; "
        "UPDATE users SET code = 'twice', status = 'live' WHERE id IN (2, 3); SELECT "
        "setval('users_id_seq', 5)",
        database,
    )
    after = run(made.suite, server.dsn(database), options=Options(jobs=1))
    failed = {r.check_id for r in after.failures}
    assert failed >= {
        "totals.present",
        "frozen.present",
        "orders.orders_user_id_fkey",
        "orders.user_id.references",
        "orders.orders_pkey",
        "orders.id.unique",
        "orders.total.type",
        "users.phone.not_null",
        "users.positive",
        "users.positive.rows",
        "users.users_code_live",
        "users.code.unique",
        "users.id.sequence",
    }
    server.drop(database)


def test_what_was_observed_is_marked_and_nobodys_promise(server: Server, parts: str) -> None:
    """Never NULL, always unique, few values, two decimals: a warning, tagged, counted over all rows, and dated."""
    made = draft(server, parts)
    observed = {c.id: c for c in made.suite.checks if "observed" in c.tags}
    assert set(observed) == {
        "orders.minimum_rows",
        "orders.user_id.unique",
        "orders.position.never_null",
        "users.minimum_rows",
        "users.email.never_null",
        "users.phone.unique",
        "users.api_token.never_null",
        "users.api_token.unique",
        "users.status.never_null",
        "users.status.values",
        "users.role_code.never_null",
        "users.balance.decimals",
        "users.fee.never_null",
        "users.fee.decimals",
        "users.code.never_null",
        "users.code.unique_2",
        "users.country.never_null",
        "users.country.values",
    }
    assert {c.severity for c in observed.values()} == {Severity.WARNING}
    assert all(c.why.startswith("observed, not agreed") for c in observed.values())
    assert observed["users.status.values"].claim == "status IN ('gone', 'live', 'new')"
    text = made.files["users.py"]
    assert re.search(
        r"observed, not agreed: never NULL in 200 rows on \d{4}-\d\d-\d\d; confirm or delete", text
    )
    assert text.count("**OBSERVED)") == 15


def test_no_personal_value_is_in_a_draft(server: Server, parts: str) -> None:
    """Columns whose names suggest it are only counted, and the guess is written down as one."""
    made = draft(server, parts)
    everything = "".join(made.files.values())
    for value in ("secret.example", "98450", "c4ca4238a0b923820dcc509a6f75849b"):
        assert value not in everything
    assert '"*.*phone*",  # users.phone' in made.files["suite.toml"]
    assert "A guess, by names and by the look of few values" in made.files["suite.toml"]
    assert made.suite.settings.is_personal("users", "EMAIL_address")


def test_personal_columns_of_few_values_show_none(server: Server, database: str) -> None:
    """A telephone number shared by all rows would be a set of one: it is not collected, in a small table
    or a large one.
    """
    server.sql(
        "CREATE TABLE t (phone text, city text, status text); INSERT INTO t SELECT '555', 'x', 'y' FROM "
        "generate_series(1, 100); ANALYZE t",
        database,
    )
    for small in (observe.SMALL_TABLE, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(observe, "SMALL_TABLE", small)
            found = facts_of(server, database, personal=("t.city",)).observed["public", "t"].values
        assert found == {"status": ("y",)}


def test_large_tables_are_seen_without_sorting_them(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ANALYZE's estimate only suggests the values: those that no row has are not said, one that it missed
    spoils the set.
    """
    monkeypatch.setattr(observe, "SMALL_TABLE", 0)
    server.sql(
        "CREATE TABLE t (status text, kind text, uid uuid); INSERT INTO t SELECT 's' || g % 4, 'k' || g "
        "% 2, gen_random_uuid() "
        "FROM generate_series(1, 400) AS g; ANALYZE t; DELETE FROM t WHERE status = 's3'; UPDATE t SET "
        "kind = 'new' WHERE ctid = "
        "(SELECT min(ctid) FROM t)",
        database,
    )
    seen = facts_of(server, database).observed["public", "t"]
    assert seen.values == {"status": ("s0", "s1", "s2")}
    assert seen.unique == {"uid"}
    asked = observe.probes(facts_of(server, database).catalogue.tables["public", "t"], 1, {}, (), 2**31)
    assert [p.kind for p in asked] == ["nulls"] * 3


def test_sorting_stays_below_the_limit_of_temporary_files(server: Server, database: str) -> None:
    """What would write more than a guest may is not asked."""
    server.sql(
        "CREATE TABLE t (code text); INSERT INTO t SELECT 'c' || g FROM generate_series(1, 1000) AS g; "
        "ANALYZE t",
        database,
    )
    assert facts_of(server, database).observed["public", "t"].unique == {"code"}
    none = facts_of(server, database, limits=Limits(temp_bytes=1000)).observed["public", "t"]
    assert (none.rows, none.unique) == (1000, frozenset())


def test_one_scan_a_table(server: Server, database: str) -> None:
    """Whatever is observed of a table, its rows are read once; once more where codes might be drafted, to
    see that none is rare.
    """
    server.sql(cases.PARTS, database)
    sessions_ended(server, database)
    before = _scans(server, database)
    facts_of(server, database)
    wait_until(lambda: all(n > before[name] for name, n in _scans(server, database).items()))
    after = _scans(server, database)
    assert {name: after[name] - before[name] for name in after} == {"users": 2, "orders": 1}


def _scans(server: Server, database: str) -> dict[str, int]:
    return dict(
        server.sql(
            "SELECT relname::text, seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname IN "
            "('users', 'orders')",
            database,
        )
    )


def test_a_large_table_is_scanned_once_and_sorted_apart(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sets of codes are counted in the one scan. Each sort is a statement of its own: one that has no room
    costs what it would have shown, and nothing else.
    """
    monkeypatch.setattr(observe, "SMALL_TABLE", 0)
    server.sql(
        "CREATE TABLE users (status text, code text, n int); "
        "INSERT INTO users SELECT 's' || g % 4, repeat(g::text, 9), g FROM generate_series(1, 60000) AS g; "
        "ANALYZE users; UPDATE users SET n = 1 WHERE n = 2",
        database,
    )
    sessions_ended(server, database)
    before = _scans(server, database)["users"]
    seen = facts_of(server, database).observed["public", "users"]
    wait_until(lambda: _scans(server, database)["users"] >= before + 3)
    assert _scans(server, database)["users"] == before + 3
    assert seen.unique == seen.sorted_once == {"code"}
    server.sql(f"ALTER DATABASE {database} SET work_mem = '1MB'", database)
    server.sql(f"ALTER DATABASE {database} SET temp_file_limit = '1MB'", database)
    short = facts_of(server, database).observed["public", "users"]
    assert (short.rows, short.values, short.unique) == (
        60_000,
        {"status": ("s0", "s1", "s2", "s3")},
        frozenset(),
    )
    assert dict(short.nulls) == {"status": 0, "code": 0, "n": 0}


def test_what_does_not_pass_is_commented_out_with_its_reason(server: Server, parts: str) -> None:
    """Never left red, never dropped: the line stands there, behind number signs, below why it is not
    drafted.
    """
    made = draft(server, parts)
    text = made.files["orders.py"]
    assert "orders.later" not in made.run.by_id
    assert re.search(
        r"# not drafted: on \S+ later is not validated\n# declare\.constraint\(\"orders\", \"check\", "
        r"name=\"later\"",
        text,
    )
    assert re.search(
        r"# not drafted: 10 of 200 rows violated it on \S+\n# declare\.holds\(\"orders\", \"id > 10\"", text
    )
    assert set(made.refused.lines) == {"orders.later", "orders.later.rows"}


def test_a_column_whose_check_does_not_pass_says_so(server: Server, database: str) -> None:
    """A type whose name no check can say, and NOT NULL that some rows break: the field stands, without
    what was refused.
    """
    server.sql(
        'CREATE TYPE "two  spaces" AS (a int); CREATE TABLE t (a "two  spaces", b int); INSERT INTO t '
        "VALUES (NULL, NULL);"
        "ALTER TABLE t ADD CONSTRAINT b_filled NOT NULL b NOT VALID",
        database,
    )
    made = draft(server, database)
    assert made.run.verdict is Verdict.PASS
    text = made.files["t.py"]
    assert re.search(r"    # not drafted: its type: .*\n    a: object = pa.Field\(nullable=True\)", text)
    assert re.search(
        r"    # not drafted: NOT NULL: 1 of 1 rows violated it on \S+\n    b: pd.Int32Dtype = "
        r"pa.Field\(nullable=True\)",
        text,
    )


def test_what_cannot_be_read_is_drafted_from_the_catalogue_alone(server: Server, database: str) -> None:
    """No right, row security, somebody's lock, a timeout: the table is drafted all the same, and says what
    was wrong.
    """
    server.sql(
        f"CREATE ROLE reader_{database} LOGIN; CREATE TABLE closed (id int PRIMARY KEY, v text NOT "
        f"NULL); CREATE TABLE secured (id int PRIMARY KEY);"
        "ALTER TABLE secured ENABLE ROW LEVEL SECURITY; CREATE TABLE open (id int PRIMARY KEY, c int "
        "REFERENCES closed);"
        f"GRANT SELECT ON secured, open TO reader_{database}",
        database,
    )
    made = draft(server, database, role=f"reader_{database}")
    assert made.run.verdict is Verdict.PASS
    assert (
        "# drafted from the catalogue only: permission denied for table closed (42501)"
        in made.files["closed.py"]
    )
    assert (
        "# drafted from the catalogue only: query would be affected by row-level security"
        in made.files["secured.py"]
    )
    assert {"closed.v.nullability", "secured.id.nullability", "closed.v.type", "open.id.unique"} <= set(
        made.run.by_id
    )
    assert "closed.id.unique" not in made.run.by_id
    assert "# not drafted: on " in made.files["open.py"]  # the reference into a table that cannot be read
    server.sql(f"DROP OWNED BY reader_{database}", database)
    server.sql(f"DROP ROLE reader_{database}")


def test_a_lock_and_a_timeout_cost_one_table(server: Server, database: str) -> None:
    """An exclusive lock on one table, an endless expression in another: the rest is drafted as ever."""
    server.sql(
        "CREATE TABLE held (id int PRIMARY KEY); CREATE TABLE free (id int PRIMARY KEY); CREATE TABLE "
        "slow (id int); "
        "INSERT INTO slow SELECT generate_series(1, 3000000)",
        database,
    )
    locker = server.connect(database)
    locker.cursor().execute("BEGIN; LOCK TABLE held")
    made = draft(server, database, limits=Limits(lock_timeout=100, statement_timeout=60))
    locker.close()
    assert "drafted from the catalogue only: " in made.files["held.py"]
    assert "canceling statement due to statement timeout (57014)" in made.files["slow.py"]
    assert "free: table, 0 rows" in made.files["free.py"]
    assert made.run.verdict is Verdict.PASS


def test_an_expression_that_fails_costs_only_what_needs_it(server: Server, database: str) -> None:
    """A column that cannot be compared leaves the counts of NULLs standing."""
    server.sql(
        "CREATE FUNCTION bad(citext_like text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT "
        "1 / 0 = 1$$;"
        "CREATE TABLE t (total numeric, v text); INSERT INTO t SELECT 'NaN', 'x' FROM generate_series(1, 30)",
        database,
    )
    table = facts_of(server, database).catalogue.tables["public", "t"]
    failing = [
        *observe.probes(table, 0, {}, (), 2**31),
        observe.Probe("decimals", "total", "count(*) FILTER (WHERE 1 / (total - total) > 0 AND 1 / 0 > 1)"),
    ]
    from kisaan_validate.postgres.session import Session

    session = Session(find_target(server.dsn(database)), Limits(), ("public",))
    session.begin()
    session.execute("SAVEPOINT kisaan")
    seen = observe.scanner(table, failing)(session)
    session.close()
    assert (seen.rows, dict(seen.nulls), seen.reason) == (30, {"total": 0, "v": 0}, "")


def test_virtual_columns_are_not_computed(server: Server, database: str) -> None:
    """A virtual generated column is declared, and its expression is not run over the rows."""
    server.sql(
        "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (10 / a) VIRTUAL); INSERT INTO t (a) SELECT g "
        "- 1 FROM generate_series(1, 30) AS g",
        database,
    )
    made = draft(server, database)
    assert made.run.verdict is Verdict.PASS
    assert "generated always as (10 / a)" in made.files["t.py"]


def test_every_name_of_a_model_is_reserved() -> None:
    """No column can take the place of something that every DataFrameModel has."""
    assert {n for n in dir(pa.DataFrameModel) if not n.startswith("_")} <= columns._RESERVED


def test_checks_are_read_out_of_their_definitions() -> None:
    """What pg_get_constraintdef prints, without what stands around the expression."""
    assert check_expression("CHECK ((a > 0))") == "a > 0"
    assert check_expression("CHECK (((a > 0) OR (b > 0))) NO INHERIT NOT VALID") == "(a > 0) OR (b > 0)"
    assert check_expression("CHECK ((a = ')('::text)) NOT ENFORCED") == "a = ')('::text"
    assert check_expression("CHECK (((a) > 0) AND ((b) > 0))") == "((a) > 0) AND ((b) > 0)"
    assert check_expression("NOT NULL a") == ""


@pytest.mark.slow
def test_300_tables_are_grouped_by_what_they_are_about(server: Server, database: str) -> None:
    """Files that can be read in one sitting, named after the family of tables in them; one statement a
    table was enough.
    """
    server.sql(cases.many(300), database)
    made = draft(server, database)
    assert made.run.verdict is Verdict.PASS
    names = {path for path in made.files if path.endswith(".py")}
    assert names == {
        f"{f}{n}.py" for f in ("order", "payment", "shop", "user", "report", "audit") for n in ("", "_2")
    }
    assert max(text.count("(pa.DataFrameModel)") for text in made.files.values()) <= 25


# --- the command ------------------------------------------------------------------------------------------


def test_the_command_writes_a_suite_that_run_passes(shop: Shop) -> None:
    """init, then run: exit 0 both times; the counts add up, the next steps are said."""
    done = shop.cli("init", "-o", "drafted")
    assert done.returncode == 0, done.stderr
    said = re.search(
        r"drafted (\d+) tables: (\d+) checks, (\d+) from the catalogue \(blocking\), (\d+) "
        r"observed",
        done.stdout,
    )
    assert said is not None
    assert int(said[2]) == int(said[3]) + int(said[4])
    verdict = re.search(
        r"verdict PASS: (\d+) checks pass on this database\n {8}(\d+) more are taken as declared", done.stdout
    )
    assert verdict is not None
    assert int(verdict[1]) + int(verdict[2]) == int(said[2])
    assert done.stdout.count("target  ") == 1
    assert done.stdout.rstrip().splitlines()[-3].startswith("next    ")
    again = shop.cli("run", "--suite", "drafted")
    assert again.returncode == 0, again.stdout
    assert oct((shop.folder / "drafted" / "orders.py").stat().st_mode)[-3:] == "600"


@pytest.mark.slow
def test_the_command_overwrites_nothing(shop: Shop) -> None:
    """A folder that holds files is refused; with --force only files that do not exist are written, if all
    load together.
    """
    before = {p: p.read_bytes() for p in (shop.folder / "checks").iterdir()}
    refused = shop.cli("init")
    assert (refused.returncode, "is not empty" in refused.stderr) == (2, True)
    clash = shop.cli("init", "--force")
    assert clash.returncode == 0, clash.stderr  # orders.py stands already: only the rest is written
    assert {p: p.read_bytes() for p in before} == before
    assert sorted(p.name for p in (shop.folder / "checks").glob("*")) == [
        "orders.py",
        "other.py",
        "suite.toml",
    ]
    assert shop.cli("run").returncode == 0
    none_left = shop.cli("init", "--force")
    assert (none_left.returncode, "nothing to write" in none_left.stderr) == (2, True)


def test_the_command_writes_nothing_that_does_not_load_beside_what_stands(shop: Shop) -> None:
    """Two files that claim one check: the draft stays unwritten, and says whose fault it is."""
    (shop.folder / "checks" / "orders.py").rename(shop.folder / "checks" / "mine.py")
    with (shop.folder / "checks" / "mine.py").open("a") as file:
        file.write('declare.constraint("orders", "primary key", "id", id="orders.orders_pkey")\n')
    done = shop.cli("init", "--force")
    assert (done.returncode, "do not load together with those" in done.stderr) == (2, True)
    assert sorted(p.name for p in (shop.folder / "checks").glob("*.*")) == ["mine.py"]


def test_the_command_keeps_to_the_settings_that_stand(shop: Shop) -> None:
    """A suite.toml that stands already says which schemas are meant, and is not replaced."""
    (shop.folder / "checks" / "suite.toml").write_text('name = "mine"\nschemas = ["other"]\n')
    shop.sql("CREATE SCHEMA other; CREATE TABLE other.thing (id int)")
    assert "names other schemas: other" in shop.cli("init", "--force", "--schema", "public").stderr
    done = shop.cli("init", "--force")
    assert done.returncode == 0, done.stderr
    assert (shop.folder / "checks" / "thing.py").exists()
    assert "mine" in (shop.folder / "checks" / "suite.toml").read_text()


def test_the_command_says_what_is_wrong(shop: Shop) -> None:
    """A schema without tables, a file in the place of the folder, an unexpected database."""
    nowhere = shop.cli("init", "-o", "new", "--schema", "nowhere")
    assert (nowhere.returncode, "there is no schema 'nowhere'" in nowhere.stderr) == (2, True)
    (shop.folder / "file").write_text("")
    assert "is a file" in shop.cli("init", "-o", "file").stderr
    (shop.folder / "kisaan.toml").write_text('[target]\nexpect = { database = "another" }\n')
    assert "expect says another" in shop.cli("init", "-o", "new").stderr
    assert not (shop.folder / "new").exists()


def test_the_command_reads_no_row_if_it_is_told_so(shop: Shop) -> None:
    """--catalogue-only: nothing is observed; what the catalogue declares is still drafted and proved."""
    done = shop.cli("init", "-o", "new", "--catalogue-only")
    assert (done.returncode, " 0 observed in the data" in done.stdout) == (0, True)
    assert "primary key" in (shop.folder / "new" / "orders.py").read_text()


def test_every_plain_value_has_a_literal() -> None:
    """What the type of plain values admits can be written into a suite, and reads back as it was."""
    values = {str: "it's \n", int: -12, bool: True, type(None): None}
    assert set(get_args(Plain)) == set(values)
    for value in values.values():
        assert ast.literal_eval(python_value(value)) == value
