"""What a suite calls personal is personal in all that is made of it: no value is in anything that the tool
says or writes.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server
from followed import MARK, Made, made, quoted
from helpers import measuring, settings

from kisaan_validate import declare
from kisaan_validate.cli.main import main
from kisaan_validate.personal.lineage import asked_of, is_full
from kisaan_validate.personal.nodetree import outputs_of
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import suite_of

COLUMNS = """SELECT n.nspname, c.relname, c.relkind::text, array_agg(a.attname::text ORDER BY a.attnum)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE n.nspname IN ('public', 'other') AND c.relkind IN ('r', 'p', 'v', 'm') GROUP BY 1, 2, 3 ORDER BY 1, 2"""


def relations(server: Server, database: str) -> list[tuple[str, str, list[str]]]:
    """(name as declarations write it, name as SQL, columns) of all relations."""
    return [
        (f"{quoted(s)}.{quoted(t)}", f"{quoted(s)}.{quoted(t)}", columns)
        for s, t, _, columns in server.sql(COLUMNS, database)
    ]


def suite_files(server: Server, database: str, schema: Made, *, few: bool) -> dict[str, str]:
    """A suite that fails, and errs, at every column of every relation; ``few``: in fewer ways."""
    lines = ["from kisaan_validate import declare as d"]
    files = {}
    for n, (name, sql, columns) in enumerate(relations(server, database)):
        for m, column in enumerate(columns):
            c, id = quoted(column), f"c{n}.{m}"
            lines.append(f"d.holds({name!r}, {c + ' IS NULL'!r}, id='{id}.shown')")
            lines.append(f"d.holds({name!r}, {c + '::text::date IS NULL'!r}, id='{id}.error')")
            if not few:
                lines.append(f"d.unique({name!r}, {column!r}, id='{id}.unique')")
                lines.append(f"d.row_count({name!r}, high=0, segment_by={column!r}, id='{id}.segments')")
            own = (
                ""
                if re.search(r'[".\\ ]', sql.split(".", 1)[1][1:-1])
                else f"-- table: {name.replace(chr(34), '')}\n"
            )
            for kind, text in (
                (
                    "plain",
                    f"SELECT {c} AS k, {c} AS x FROM {sql} AS q WHERE 1 <= (SELECT count({c}) FROM {sql})",
                ),
                ("error", f"SELECT {c}::text AS k, 1 AS x FROM {sql} AS q WHERE {c}::text::int > 0"),
            ):
                if few and kind == "error":
                    continue
                files[f"sql/s{n}_{m}_{kind}.sql"] = (
                    f"-- id: {id}.sql.{kind}\n{own}-- key: k\n-- shows: x\n{text}\n"
                )
    for n, text in enumerate(
        (
            "SELECT id AS k, peek(id) AS x FROM plainly WHERE id > 0",
            "SELECT q.id AS k, f.v AS x FROM plainly q, all_of() f WHERE f.k > 0",
            "SELECT id AS k, n AS x FROM plainly WHERE tells(id) > 0",
            "SELECT p.id AS k, s.most_common_vals::text AS x FROM plainly p, pg_stats s WHERE p.n > 0",
            "SELECT id AS k, n AS x FROM guarded WHERE id > 0",
            "SELECT id AS k, n AS x FROM plainly WHERE n > 0",
        )
    ):
        files[f"sql/f{n}.sql"] = f"-- id: f{n}\n-- table: plainly\n-- key: k\n-- shows: x\n{text}\n"
    files["suite.toml"] = (
        f"schemas = ['public', 'other']\npersonal = {json.dumps(list(schema.personal), ensure_ascii=False)}\n"
    )
    return {**files, "all.py": "\n".join(lines) + "\n"}


class Place:
    """A folder in which commands run; all that they say is kept."""

    def __init__(self, server: Server, folder: Path, database: str, role: str) -> None:
        self.server, self.folder, self.database, self.role, self.said = server, folder, database, role, ""

    def cli(self, *words: str) -> int:
        """The exit code of a command."""
        out, where, before = StringIO(), os.getcwd(), os.environ.get("KISAAN_DSN")
        os.chdir(self.folder)
        os.environ["KISAAN_DSN"] = self.server.dsn(self.database, self.role)
        try:
            with redirect_stdout(out), redirect_stderr(out):
                code = main(list(words))
        finally:
            os.chdir(where)
            os.environ.pop("KISAAN_DSN") if before is None else os.environ.update(KISAAN_DSN=before)
        self.said += out.getvalue()
        return code

    def leaks(self) -> list[str]:
        """Everything said or written that holds a part of a personal value."""
        written = {
            str(p.relative_to(self.folder)): p.read_bytes().decode("utf-8", "replace")
            for p in self.folder.rglob("*")
            if p.is_file()
        }
        found = []
        for name, text in {**written, "what was said": self.said}.items():
            found += [
                f"{name}: {text[max(0, m.start() - 300) : m.end() + 20]}"
                for m in re.finditer(f"{MARK}|{MARK.upper()}", text, re.IGNORECASE)
            ][:2]
        return found


def planted(server: Server, folder: Path, schema: Made, *, few: bool = False) -> tuple[Place, str]:
    """The schema on a server with a suite for it, and the role that reads it."""
    database = server.create(schema.sql)
    role = f"reader_{database}"
    server.sql(
        f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA other TO {role}; GRANT SELECT ON ALL TABLES IN "
        f"SCHEMA public, other TO {role}; ANALYZE",
        database,
    )
    for name, text in suite_files(server, database, schema, few=few).items():
        (folder / "checks" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "checks" / name).write_text(text, encoding="utf-8")
    return Place(server, folder, database, role), database


def leaked(server: Server, folder: Path, seed: int, *, few: bool) -> list[str]:
    """What every command over a schema said or wrote that is personal."""
    version = int(server.sql("SHOW server_version_num")[0][0])
    schema = made(seed, version)
    place, database = planted(server, folder, schema, few=few)
    other = server.create(template=database)
    try:
        code = place.cli("run", "--sample", "50")
        assert code in (1, 3), place.said[-2000:]
        assert place.leaks() == []
        (found,) = folder.glob("reports/*/run.json")
        results = json.loads(found.read_text())["results"]
        states = {r["check_id"]: r["status"] for r in results}
        assert sum(s == "fail" for s in states.values()) > len(states) / 4
        assert sum(s == "error" for s in states.values()) > len(states) / 8
        free = next(r for r in results if r["check_id"] == "f5")
        assert free["sample"][0] == [["k", "1"], ["x", "1"]], "masking all would leave no evidence"
        assert place.cli("baseline", "--digests", "--rows", "--output", "before.json") in (0, 3), place.said[
            -2000:
        ]
        t, c = quoted(schema.table), quoted(schema.column)
        server.sql(
            f"INSERT INTO {t} VALUES (5, 5, '{MARK} new', '{MARK} new2'); UPDATE ONLY {t} SET second = "
            f"'{MARK} changed' WHERE {c} = '{MARK} a2'",
            database,
        )
        assert place.cli("run", "--baseline", "before.json") in (1, 3), place.said[-2000:]
        sides = ("--before", server.dsn(other), "--after", server.dsn(database))
        assert place.cli("diff", *sides, "--format", "json", "--output", "diff.json", "--patterns") in (1, 3)
        assert "•••" in (folder / "diff.json").read_text()
        place.cli("init", "--output", "drafted")
        place.cli("doctor")
        place.cli("explain")
        return place.leaks()
    finally:
        for name in (database, other):
            server.drop(name)


@pytest.mark.slow
def test_no_personal_value_is_said_or_written(server: Server, tmp_path: Path) -> None:
    """A random little schema, a suite that fails and errs at each of its columns, and every command."""
    assert leaked(server, tmp_path, 1, few=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 8))
def test_no_personal_value_is_said_or_written_whatever_the_names(
    seed: int, server: Server, tmp_path: Path
) -> None:
    """More schemas, under other names."""
    assert leaked(server, tmp_path, seed, few=False) == []


@pytest.mark.slow
def test_no_personal_value_is_said_or_written_on_an_older_server(server15: Server, tmp_path: Path) -> None:
    """PostgreSQL 15 keeps other trees and dependencies."""
    assert leaked(server15, tmp_path, 1, few=False) == []


KEYS = """CREATE TABLE addresses (address_id uuid PRIMARY KEY, address_text text);
INSERT INTO addresses VALUES ('00000000-0000-0000-0000-000000000001', 'Hill Road');
CREATE DOMAIN number AS bigint;
CREATE TABLE homes (id number PRIMARY KEY, address_id uuid REFERENCES addresses, address_no int, old_address_id int);
INSERT INTO homes VALUES (1, '00000000-0000-0000-0000-000000000001', 12, 3);
CREATE TABLE named (address_code text PRIMARY KEY); INSERT INTO named VALUES ('Hill');
CREATE VIEW v_homes AS SELECT address_id, address_no FROM homes; CREATE TABLE moved (x int) INHERITS (homes);
CREATE VIEW v_made AS SELECT address_id::text AS address_id FROM homes"""

SHOWN = [("addresses", "address_id"), ("homes", "address_id"), ("v_homes", "address_id")]
HIDDEN = [
    ("addresses", "address_text"),
    ("homes", "address_no"),
    ("homes", "old_address_id"),
    ("named", "address_code"),
    ("v_homes", "address_no"),
    ("v_made", "address_id"),
]


@pytest.mark.parametrize(
    ("personal", "more"),
    [
        (("*.*address*",), []),
        (("*address*",), []),
        (("*.address_*", "*.*_address_*"), []),
        (("public.*.*address*",), []),
        (("*.*address*", "homes.address_id"), [("homes", "address_id"), ("v_homes", "address_id")]),
        (("*.*address*", "public.addresses.address_id"), [("addresses", "address_id")]),
        (("*.*address*", "Addresses.ADDRESS_ID"), [("addresses", "address_id")]),
    ],
)
def test_a_key_is_personal_only_by_its_full_name(
    personal: tuple[str, ...], more: list[tuple[str, str]], server: Server, database: str
) -> None:
    """Whole numbers and uuids of a primary or foreign key, and copies of these; no other column, and no
    key of text.
    """
    server.sql(KEYS, database)
    checks = [declare.holds(t, f"{c} IS NULL", id=f"{t}.{c}") for t, c in (*SHOWN, *HIDDEN)]
    found = run(
        suite_of(*checks, settings=settings(personal=personal)),
        server.dsn(database),
        options=measuring(count_all=True),
    )
    masked = {
        tuple(r.check_id.split("."))
        for r in found.results
        if dict(r.sample[0])[r.check_id.split(".")[1]] == "•••"
    }
    assert masked == {*HIDDEN, *more}


def test_a_pattern_with_or_without_a_schema_means_the_same(server: Server, database: str) -> None:
    """``public.t.c`` is ``t.c``; an alias of the suite is the table that it stands for; another schema's
    table is another.
    """
    server.sql(
        "CREATE SCHEMA app; CREATE TABLE app.t (id int PRIMARY KEY, c text); INSERT INTO app.t VALUES "
        "(1, 'Meyer'); CREATE TABLE t (id int PRIMARY KEY, c text); INSERT INTO t VALUES (1, 'free')",
        database,
    )

    def shown(personal: str, table: str, **more: Any) -> str | None:
        suite = suite_of(
            declare.holds(table, "c IS NULL", id="x"),
            settings=settings(schemas=("app", "public"), personal=(personal,), **more),
        )
        return dict(run(suite, server.dsn(database)).results[0].sample[0])["c"]

    assert (
        shown("app.t.c", "app.t")
        == shown("t.c", "app.t")
        == shown("app.*.c", "app.t")
        == shown("people.c", "people", aliases={"people": ("app.t",)})
        == "•••"
    )
    assert shown("other.t.c", "app.t") == "Meyer"


def test_full_names_and_patterns() -> None:
    """Brackets around a wildcard stand for the sign itself."""
    assert [is_full(p) for p in ("t.c", "a.t.c", "t.a[*]b", "t.[[]", "t.*", "t.a?", "t.[ab]")] == [
        True
    ] * 4 + [False] * 3
    asked = asked_of(["t.a[*]b", "T.X*"])
    assert [asked("t", c).name for c in ("a*b", "axb", "xyz", "b")] == ["NAMED", "NOT", "PATTERN", "NOT"]


@pytest.mark.parametrize("name", ["t.a[b]c", "t[1].*", "[t].c", "t.a?b", "t.]["])
def test_a_name_spelled_as_it_is_means_itself(name: str) -> None:
    """Whatever signs of a pattern stand in it, the column is named in full, and its table's messages are
    not quoted.
    """
    table, _, column = name.partition(".")
    assert asked_of([name])(table, column).name == "NAMED"
    assert settings(personal=(name,)).may_be_quoted([table])


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "(",
        "({QUERY",
        "({QUERY :targetList <>})",
        "(<>)",
        "({QUERY :a 1})",
        "(" * 100_000,
        "({QUERY :setOperations <> :targetList ({X})})",
    ],
)
def test_a_tree_that_is_not_understood_says_nothing(tree: str) -> None:
    """Then everything that a view reads is taken to be in each of its outputs."""
    assert outputs_of(tree) is None


def test_the_input_of_the_field(server: Server) -> None:
    """The small input by which this kind was found."""
    sql = (ROOT / "tests" / "fixtures" / "personal_followed.sql").read_text()
    database = server.create(sql)
    personal = (
        "users.phone",
        "users.born",
        "users.salary",
        "base.phone",
        "parent.phone",
        "gen.phone",
        "byphone.phone",
        "orders.user_phone",
    )
    checks = [
        declare.unique(t, [c], id=f"{t}.{c}")
        for t, c in (
            ("gen", "up"),
            ("m_users", "ph"),
            ("v_users", "ph"),
            ("base_1", "phone"),
            ("child", "phone"),
        )
    ]
    checks += [
        declare.holds("v_users", "ph::int > 0", id="error"),
        declare.holds("v_users", "sal::text = ''", id="sal"),
        declare.holds("users", "n < 0", id="n"),
    ]
    made = run(
        suite_of(*checks, settings=settings(personal=personal)),
        server.dsn(database),
        options=measuring(count_all=True),
    )
    text = made.to_json() + made.to_html()
    assert not re.findall(r"PHONE-\d|98765|1990-01", text)
    assert {r.check_id: r.status.value for r in made.results} == {
        **dict.fromkeys((c.id for c in made.checks), "fail"),
        "error": "error",
    }
    assert dict(next(r for r in made.results if r.check_id == "n").sample[0]) == {"id": "1", "n": "1"}
    server.drop(database)
