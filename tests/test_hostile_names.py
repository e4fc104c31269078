"""Names that hold what parts names elsewhere (dots, commas, quotes, " on ", =, line ends) mean themselves
in every option and comparison.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Server
from draft_cases import HOSTILE
from helpers import examples, settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from kisaan_validate.cli.main import main
from kisaan_validate.cli.places import column_of, names_of, parted
from kisaan_validate.facts.titles import (
    column_place,
    joined_titles,
    split_grant,
    split_place,
    split_titles,
    within,
)

LAW = hypothesis_settings(max_examples=examples(200), derandomize=True, deadline=None)
NAMES = [
    *HOSTILE,
    "x, y",
    "x",
    "y",
    "a on b",
    "p on column q",
    "p on schema public",
    "a=b",
    "se;mi",
    "😀",
    "ä" * 31 + "n",
    "p: q",
    "t.x.y",
    ".",
    "..",
    "a,b=c.d",
    "=",
    ",",
]


def quoted(name: str) -> str:
    """A name in the quotation marks of SQL."""
    return '"' + name.replace('"', '""') + '"'


names_ = st.text(st.sampled_from('ab.,=";: \'\n"'), min_size=1, max_size=8)


@LAW
@given(names_, names_, st.lists(names_, min_size=1, max_size=3))
def test_what_is_quoted_parts_nothing(table: str, column: str, columns: list[str]) -> None:
    """Whatever tables and columns are called, an option that quotes them names them, and nothing else."""
    place, value = f"{quoted(table)}.{quoted(column)}", f"{column}={table}"
    assert parted(f"{place}={value}", "=") == (place, "=", value)
    assert column_of(place, "--values") == (quoted(table), column)
    assert names_of(",".join(quoted(name) for name in columns)) == tuple(columns)


@LAW
@given(names_, names_)
def test_what_may_be_personal_is_masked(table: str, column: str) -> None:
    """A pattern that names a column touches its table, wherever the dots are."""
    assert settings(personal=(f"{table}.{column}",)).may_be_quoted({table})


FEW = ["a.b", "x, y", "x", "a=b", "new\nline", '"quoted"', "p on column q"]


def objects(name: str) -> str:
    """A table, and objects that belong to it, all of one name."""
    n = quoted(name)
    return (
        f"CREATE TABLE {n} ({n} int, kept int, CONSTRAINT {n} CHECK (kept > 0)); INSERT INTO {n} SELECT "
        f"g, g FROM generate_series(1, 3) AS g; "
        f"CREATE TRIGGER {n} BEFORE INSERT ON {n} EXECUTE FUNCTION public.idle(); CREATE POLICY {n} ON "
        f"{n} USING (kept > 0); GRANT SELECT ({n}) ON {n} TO PUBLIC; "
        f"CREATE TABLE {quoted('c' + name[:20])} () INHERITS ({n}); "
    )


def changes(name: str) -> str:
    """A change of each of them."""
    n = quoted(name)
    return (
        f"ALTER TABLE {n} DROP CONSTRAINT {n}, ADD CONSTRAINT {n} CHECK (kept > -1), ALTER {n} SET "
        f"DEFAULT 7; DROP TRIGGER {n} ON {n}; "
        f"CREATE TRIGGER {n} AFTER INSERT ON {n} EXECUTE FUNCTION public.idle(); ALTER POLICY {n} ON {n} "
        f"USING (kept > 1); GRANT INSERT ({n}) ON {n} TO PUBLIC; "
    )


IDLE = "CREATE FUNCTION public.idle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"


def diff(server: Server, sides: tuple[str, str], folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """The exit code of the command, and its JSON."""
    file = folder / "diff.json"
    code = main(
        [
            "diff",
            "--before",
            server.dsn(sides[0]),
            "--after",
            server.dsn(sides[1]),
            "--format",
            "json",
            "-o",
            str(file),
            *more,
        ]
    )
    return code, json.loads(file.read_text())


@pytest.mark.parametrize("names", [FEW, pytest.param(NAMES, marks=pytest.mark.slow)], ids=["few", "all"])
def test_options_name_every_table_and_column(names: list[str], server: Server, tmp_path: Path) -> None:
    """One comparison, with a key, a cast, a column that is left out and a limit of what came later for
    each table.
    """
    before = "".join(
        f"CREATE TABLE {quoted(n)} ({quoted(n)} int, kept int); INSERT INTO {quoted(n)} SELECT g, g FROM "
        f"generate_series(1, 3) AS g;"
        for n in names
    )
    sides = server.create(before), server.create(before)
    server.sql(
        "".join(
            f"UPDATE {quoted(n)} SET kept = 9 WHERE kept = 1; INSERT INTO {quoted(n)} VALUES (4, 4);"
            for n in names
        ),
        sides[1],
    )
    given = [("--key", "{n}={n}"), ("--cast", "{n}.{n}=numeric"), ("--added-since", "{n}.{n}=4")]
    asked = [
        part for n in names for option, text in given for part in (option, text.replace("{n}", quoted(n)))
    ]
    code, told = diff(server, sides, tmp_path, "--rows-only", *asked)
    tables = {t["table"]: (t["keyed_by"], t["changed"], t["late"], t["added"]) for t in told["tables"]}
    assert (code, tables) == (1, {n: ([n], 1, 1, 0) for n in names})
    assert not [
        c for t in told["tables"] for c in t["compared"] if c["name"] != "kept" and c["form"] == "integer"
    ]  # each was cast
    ignored = [part for n in names for part in ("--ignore", f"{quoted(n)}.kept")]
    code, told = diff(server, sides, tmp_path, "--rows-only", *asked, *ignored)
    assert (code, {t["table"]: t["changed"] for t in told["tables"]}) == (0, dict.fromkeys(names, 0))


@pytest.mark.parametrize("names", [FEW, pytest.param(NAMES, marks=pytest.mark.slow)], ids=["few", "all"])
def test_changes_name_their_objects(names: list[str], server: Server, tmp_path: Path) -> None:
    """What changed is said of the object that changed, whatever it and its neighbours are called; and of
    children only what is theirs.
    """
    before = IDLE + "".join(map(objects, names))
    sides = server.create(before), server.create(before)
    server.sql("".join(map(changes, names)), sides[1])
    _, told = diff(server, sides, tmp_path)
    kinds = (
        ("column", "default"),
        ("constraint", "definition"),
        ("trigger", "definition"),
        ("policy", "using"),
        ("grant", "privileges"),
    )
    on = {n: f"PUBLIC on column {within(n, ' on ')}" for n in names}
    wanted = {(kind, n, on[n] if kind == "grant" else n, aspect) for n in names for kind, aspect in kinds}
    assert {(c["kind"], c["table"], c["name"], c["aspect"]) for c in told["schema"]} == wanted


@pytest.mark.parametrize("names", [FEW, pytest.param(NAMES, marks=pytest.mark.slow)], ids=["few", "all"])
def test_what_follows_from_a_rename_is_no_change(names: list[str], server: Server, tmp_path: Path) -> None:
    """A column of each that is renamed takes its grants, constraints, triggers and children with it:
    nothing else differs.
    """
    before = IDLE + "".join(map(objects, names))
    sides = server.create(before), server.create(before)
    server.sql(
        "".join(f"ALTER TABLE {quoted(n)} RENAME {quoted(n)} TO {quoted('new ' + n[:20])};" for n in names),
        sides[1],
    )
    said = [
        part
        for n in names
        for table in (n, "c" + n[:20])
        for part in ("--renamed", f"{quoted(table)}.{quoted(n)}={quoted('new ' + n[:20])}")
    ]
    _, told = diff(server, sides, tmp_path, *said)
    assert [c for c in told["schema"] if c["aspect"] != "name"] == []


def test_a_name_writes_no_line_of_its_own(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names with line ends and commands to the terminal stay within their line, and are shown by their
    names.
    """
    name = "a\nSAME IN WHAT WAS COMPARED\x1b[31m"
    sides = (
        server.create(f"CREATE TABLE {quoted(name)} (a int)"),
        server.create(f"CREATE TABLE {quoted(name + '2')} (a int)"),
    )
    main(["diff", "--before", server.dsn(sides[0]), "--after", server.dsn(sides[1])])
    said = capsys.readouterr().out
    assert f"note    {name}".replace("\n", "[U+000A]").replace("\x1b", "[U+001B]") in said
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.startswith("SAME")]


@LAW
@given(st.lists(names_, min_size=1, max_size=4), names_, names_)
def test_lists_and_places_are_parted_as_they_were_made(titles: list[str], title: str, column: str) -> None:
    """What one text carries of several names gives these names again."""
    assert split_titles(joined_titles(titles)) == titles
    assert split_place(column_place(title, column)) == (title, column)
    assert split_grant(f"{title} on column {within(column, ' on ')}")[1] == column
