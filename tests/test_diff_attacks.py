"""Ways to fool ``kisaan-validate diff``, each of which once worked: slips that read as "same", and values
that leaked.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Server

from kisaan_validate.cli.main import main
from kisaan_validate.postgres.session import Session


@pytest.fixture(scope="module")
def pair(server: Server) -> Iterator[tuple[str, str]]:
    """The names of two databases."""
    names = server.create(), server.create()
    yield names
    for name in names:
        server.drop(name)


def diff(server: Server, pair: tuple[str, str], before: str, after: str, *more: str) -> int:
    """The exit code, after both sides were emptied and filled."""
    for name, sql in zip(pair, (before, after), strict=True):
        server.sql(
            f"DROP SCHEMA IF EXISTS s CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public; {sql}", name
        )
    return main(["diff", "--before", server.dsn(pair[0]), "--after", server.dsn(pair[1]), *more])


def test_tables_of_one_title_are_not_taken_for_one(
    server: Server, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The table "s.t" of public and the table t of s: neither hides the other, whichever differs."""
    make = (
        'CREATE TABLE "s.t" (id int PRIMARY KEY, v int); CREATE SCHEMA s; CREATE TABLE s.t (id int '
        "PRIMARY KEY, v int);"
    )
    both = ("--schema", "public", "--schema", "s", "--rows-only")
    for change in ('INSERT INTO "s.t" VALUES (1, 1)', "INSERT INTO s.t VALUES (1, 1)"):
        assert diff(server, pair, make, make + change, *both) == 3
        assert "several tables are named s.t" in capsys.readouterr().out
    assert diff(server, pair, make, make + change, "--schema", "s", "--rows-only") == 1


def test_what_the_server_quotes_of_a_person_is_masked(
    server: Server, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A failing cast's message quotes the value; so does that of a key. Of columns that are nobody's, the
    message stands.
    """
    make = "CREATE TABLE c ({0} text{1}, note text); INSERT INTO c VALUES ('98SECRET', 'x')"
    for key in ("", " PRIMARY KEY"):
        assert (
            diff(
                server,
                pair,
                make.format("phone", key),
                make.format("phone", key),
                "--cast",
                "c.phone=integer",
                "--format",
                "json",
            )
            == 3
        )
        captured = capsys.readouterr()
        assert "98SECRET" not in captured.out + captured.err
        assert "invalid input syntax for type integer" in captured.out
    assert (
        diff(server, pair, make.format("code", ""), make.format("code", ""), "--cast", "c.code=integer") == 3
    )
    assert "98SECRET" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--before-schema", "publc", "--after-schema", "public"], "there is no schema 'publc' before"),
        (["--before-schema", "public", "--after-schema", "publc"], "there is no schema 'publc' after"),
        (["--schema", "publc"], "there is no schema 'publc'"),
        (["--added-since", "t.nope=1"], "--added-since: t.nope"),
    ],
)
def test_slips_of_the_pen_are_refused(
    server: Server, pair: tuple[str, str], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not there is neither "added" nor "same"."""
    make = "CREATE TABLE t (id int PRIMARY KEY)"
    assert diff(server, pair, make, make, *words) == 2
    assert said in capsys.readouterr().err


def test_a_database_is_not_compared_with_itself(
    server: Server, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By whatever names both sides are given; two schemas of one database are two sides."""
    make = "CREATE TABLE t (id int PRIMARY KEY); CREATE SCHEMA s; CREATE TABLE s.t (id int PRIMARY KEY)"
    assert diff(server, (pair[0], pair[0]), make, make) == 2
    assert "both sides are the same" in capsys.readouterr().err
    assert (
        diff(
            server,
            (pair[0], pair[0]),
            make,
            make,
            "--before-schema",
            "s",
            "--after-schema",
            "public",
            "--rows-only",
        )
        == 0
    )


def test_fields_of_a_composite_type_that_changed_places(
    server: Server, pair: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """(1,2) is printed alike whatever its fields are called: that is no proof of sameness, in a column or
    in an array.
    """
    make = "CREATE TYPE p AS ({0}); CREATE TABLE t (id int PRIMARY KEY, v {1}); INSERT INTO t VALUES (1, {2})"
    for column, value in (("p", "ROW(1, 2)"), ("p[]", "ARRAY[ROW(1, 2)::p]")):
        sides = [
            make.format(fields, column, value)
            for fields in ("a int, b int", "b int, a int", "a int, b bigint")
        ]
        assert diff(server, pair, sides[0], sides[1], "--rows-only") == 3
        assert "no form in common" in capsys.readouterr().out
        assert diff(server, pair, sides[0], sides[0], "--rows-only") == 0
        assert diff(server, pair, sides[0], sides[2], "--rows-only") == 0


def test_a_reader_that_ends_unexpectedly_keeps_nobody_waiting(
    server: Server, pair: tuple[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of memory in the thread that reads one side: that cannot be told, and is said."""

    def out_of_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Session, "copy_out", out_of_memory)
    make = "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, {0})"
    assert diff(server, pair, make.format(1), make.format(2), "--rows-only") == 3
    assert "ended with MemoryError" in capsys.readouterr().out
