"""What a database calls its tables and says in its messages is text: to the terminal, and in SQL that is
piped into psql.
"""

from __future__ import annotations

import shlex
import subprocess
from datetime import UTC, datetime

import pytest
from index_cases import place_at, run_number
from rich.console import Console
from shop import Shop

from kisaan_validate.cli.baseline_command import _Held
from kisaan_validate.process.stopping import Stop
from kisaan_validate.report.shown import Shown, shown

EVIL = "evil\x1b]0;owned\x07\x1b[31m\u202e\nDROP TABLE orders; --"
TRICKS = ("\x1b", "\x07", "\u202e", "\x9b", "\x00")


def test_a_terminal_is_told_nothing() -> None:
    """Neither by a text nor by a part that is put behind one: what could be a command is written by its
    name.
    """
    console = Console(record=True, width=200, force_terminal=False)
    console.print(Shown("a\x1b[31mb\x9b2J\u202e\x00"))
    console.print(Shown.assemble(("x\x1b", "red"), "y\x07"))
    text = console.export_text()
    assert not any(trick in text for trick in TRICKS)
    assert "a[U+001B][31mb[U+009B]2J[U+202E][U+0000]" in text
    assert "x[U+001B]y[U+0007]" in text
    assert shown("क्‍ष\tline\nline") == "क्‍ष\tline\nline"


@pytest.fixture
def evil(shop: Shop) -> Shop:
    """The shop, with a table of an evil name and a comment, of which a baseline was taken and which has
    changed since.
    """
    shop.sql(
        f'CREATE TABLE "{EVIL}" (id int PRIMARY KEY, "c{EVIL[4:]}" text); GRANT SELECT ON ALL TABLES IN '
        f"SCHEMA public TO {shop.role}"
    )
    declarations = (
        f"from kisaan_validate import declare\ndeclare.holds({EVIL!r}, 'id > "
        f"5')\ndeclare.unique({EVIL!r}, {'c' + EVIL[4:]!r})\n"
    )
    (shop.folder / "checks" / "evil.py").write_text(
        declarations + f"declare.holds({EVIL!r}, 'id / (id - 7) > 0', id='divides')\n"
    )
    assert shop.cli("baseline", "-o", "pre.json").returncode == 0
    shop.sql(f"INSERT INTO \"{EVIL}\" VALUES (1, E'\\x1b[2J'), (2, E'\\x1b[2J'), (7, NULL)")
    return shop


@pytest.mark.slow
def test_no_command_lets_a_name_act(evil: Shop) -> None:
    """Run beside a baseline, list, doctor, explain, baseline show, errors: no escape sequence and no
    turned text reaches the screen.
    """
    for words in (
        ("run", "-v", "--baseline", "pre.json"),
        ("list",),
        ("doctor",),
        ("baseline", "show", "-v", "pre.json"),
        ("run", "--suite", EVIL.replace("\x00", "")),
        ("list", "--select", EVIL),
    ):
        done = evil.cli(*words)
        for trick in TRICKS:
            assert trick not in done.stdout + done.stderr, (words, trick)
    assert "[U+001B]]0;owned[U+0007]" in evil.cli("list").stdout


def test_sql_that_is_explained_runs_as_it_is_run(evil: Shop) -> None:
    """In psql it gives answers and drops nothing: a name that stands in a remark stays in its line."""
    sql = evil.cli("explain").stdout
    assert "DROP TABLE orders; --" in sql
    remarks = [line for line in sql.splitlines() if "DROP TABLE" in line and line.startswith("--")]
    assert all("[U+000A]DROP" in line for line in remarks)
    assert remarks
    evil.sql(f'DELETE FROM "{EVIL}" WHERE id = 7')  # by which one check divides
    evil.server.sql(sql, evil.database)
    assert evil.server.sql("SELECT count(*) FROM orders", evil.database) == [(3,)]


def test_a_line_for_the_shell_has_one_command(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed to be copied names the database as one word, whatever it is called."""
    run = run_number(
        0,
        datetime(2025, 6, 1, tzinfo=UTC),
        place=place_at(datetime(2025, 6, 1, tzinfo=UTC), "a'b; rm -rf $HOME `id`"),
    )
    stop = Stop()
    stop.request("a test")
    _Held().wait(run, stop, lambda: True)
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "pg_dump" in line]
    assert shlex.split(line)[-1] == "a'b; rm -rf $HOME `id`"


def test_the_pipe_gets_the_names_themselves(evil: Shop) -> None:
    """Where it is no terminal, SQL is not rewritten: it must find the table."""
    done = subprocess.run(
        ["grep", "-c", "\x1b"], input=evil.cli("explain").stdout, capture_output=True, text=True
    )
    assert int(done.stdout) > 0
