"""``kisaan-validate diff`` as its users meet it, and the documented SQL as an auditor would run it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server
from helpers import measuring

from kisaan_validate.cli.main import main
from kisaan_validate.digest.forms import Context
from kisaan_validate.digest.rows import staged
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.plan import PairedTable, plan_pair
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.live.statements import Statements
from kisaan_validate.postgres.target import find_target
from kisaan_validate.prove.run import run
from kisaan_validate.suite.load import load_suite

BEFORE = """
CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(12,2), phone text, paid timestamp);
INSERT INTO payments SELECT g, g, '98' || g, '2025-01-01' FROM generate_series(1, 30) AS g;
CREATE TABLE notes (body text);
"""
AFTER = BEFORE.replace("(12,2)", "(18,2)")


@pytest.fixture
def sides(server: Server) -> Iterator[tuple[str, str]]:
    """The names of two databases."""
    names = server.create(BEFORE), server.create(AFTER)
    yield names
    for name in names:
        server.drop(name)


def diff(server: Server, sides: tuple[str, str], *more: str) -> int:
    """The exit code."""
    return main(["diff", "--before", server.dsn(sides[0]), "--after", server.dsn(sides[1]), *more])


def test_same_different_and_cannot_tell(
    server: Server, sides: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """0, 1 and 3; a known difference outranks what cannot be told; the lines say what, where and how many."""
    assert diff(server, sides) == 1  # the type of amount
    assert "amount type: numeric(12,2) → numeric(18,2)" in capsys.readouterr().out
    assert diff(server, sides, "--rows-only") == 0
    assert "SAME IN WHAT WAS COMPARED  2 tables compared row by row" in capsys.readouterr().out
    server.sql("ALTER TABLE payments ALTER paid TYPE timestamptz", sides[1])
    assert diff(server, sides, "--rows-only") == 3
    assert "its time zone was not declared" in capsys.readouterr().out
    server.sql(
        "UPDATE payments SET amount = -amount, phone = '97' WHERE id IN (3, 4); DELETE FROM payments "
        "WHERE id = 9",
        sides[1],
    )
    assert diff(server, sides, "--rows-only") == 1
    out = capsys.readouterr().out
    assert "amount 2, phone 2" in out
    assert "amount: '3.00' → '-3.00'; phone: '•••' → '•••'" in out
    assert "983" not in out
    assert diff(server, sides, "--select", "notes") == 0


def test_json_holds_all_of_it(
    server: Server, sides: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On standard output alone, or in a file; personal values are masked there too."""
    server.sql(
        "UPDATE payments SET amount = 1 WHERE id = 3; INSERT INTO payments VALUES (99, 1, '9899', NULL); "
        "INSERT INTO notes VALUES ('x'), ('x')",
        sides[1],
    )
    assert diff(server, sides, "--format", "json", "--added-since", "payments") == 1
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["verdict"] == "different"
    notes, payments = document["tables"]
    assert (payments["changed"], payments["added"], payments["late"], payments["columns"]) == (
        1,
        0,
        1,
        {"amount": 1},
    )
    assert payments["samples"][0] == {
        "kind": "changed",
        "key": {"id": "3"},
        "columns": {"amount": {"before": "3.00", "after": "1.00"}},
    }
    assert payments["samples"][1]["row"]["phone"] == "•••"
    assert (notes["keyed_by"], notes["added"], notes["samples"][0]["copies"]) == ([], 2, 2)
    assert "DIFFERENT" in captured.err
    assert diff(server, sides, "--format", "json", "-o", str(tmp_path / "d.json")) == 1
    assert json.loads((tmp_path / "d.json").read_text())["format"] == "kisaan-validate/rowdiff"
    assert (tmp_path / "d.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--select", "nothing"], "no table matches nothing"),
        (["--key", "payments"], "is not of the form table=column"),
        (["--key", "payments=wrong"], "--key: payments.wrong"),
        (["--cast", "payments.amount"], "is not of the form table.column=type"),
        (["--cast", "amount=text"], "is not of the form table.column"),
        (["--cast", "payments.amount=nothing"], "--cast"),
        (["--zone", "Nowhere/Else"], "zone"),
        (["--added-since", "notes"], "not a single integer"),
        (["--schema", "a", "--after-schema", "b"], "both sides"),
        (["--before-schema", "a", "--before-schema", "b"], "numbers of schemas before and after differ"),
        (["-o", "x.json"], "without --format"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    server: Server, sides: tuple[str, str], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what to do."""
    assert diff(server, sides, *words) == 2
    assert said in capsys.readouterr().err


def test_two_sides_are_needed(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing side, and one that cannot be reached."""
    assert main(["diff"]) == 2
    assert main(["diff", "--before", "host=/nowhere password=secret", "--after", server.dsn()]) == 2
    assert "secret" not in capsys.readouterr().err


def test_an_auditor_gets_the_same_digests(server: Server) -> None:
    """The SQL of docs/digest.md, as it stands and as the page changes it for the new side, gives what the
    comparison computes, also for wide integers.
    """
    page = (ROOT / "docs" / "digest.md").read_text(encoding="utf-8")
    _, first = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    assert "write\n`timestamptz_send(paid)` and `after_side`" in page
    second = first.replace("paid AT TIME ZONE 'Asia/Kolkata'", "paid").replace("before_side", "after_side")
    tables = """
    CREATE TABLE {0} (id bigint PRIMARY KEY, shop_id {1}, amount {2}, paid {3}, note {4});
    SET TimeZone = 'Asia/Kolkata'; INSERT INTO {0} VALUES (7, {5}, 1500.50, '2025-10-18 05:30', 'ok'), (8, NULL, NULL, NULL, NULL);
    """
    name = server.create(
        tables.format("before_side", "integer", "numeric(12,2)", "timestamp", "varchar(40)", -5)
        + tables.format("after_side", "bigint", "numeric(18,2)", "timestamptz", "text", -5)
    )
    try:
        computed = _computed(server, name)
        assert server.sql(first, name) == server.sql(second, name) == computed[0] == computed[1]
        server.sql(
            "ALTER TABLE before_side ALTER shop_id TYPE bigint; UPDATE before_side SET shop_id = "
            "4294967291 WHERE id = 7",
            name,
        )
        assert _computed(server, name)[0] != computed[0]
    finally:
        server.drop(name)


def test_an_auditor_gets_the_same_digest_of_a_column(server: Server, tmp_path: Path) -> None:
    """The SQL of docs/digest.md for a column gives what a baseline keeps of it, also where keys are beyond
    integer.
    """
    by_column = re.findall(
        r"```sql\n(.*?)```", (ROOT / "docs" / "digest.md").read_text(encoding="utf-8"), re.DOTALL
    )[0]
    name = server.create("""
        CREATE TABLE before_side (id bigint PRIMARY KEY, amount numeric(12,2));
        INSERT INTO before_side VALUES (7, 1500.50), (8, NULL), (2147483648, -1), (-2147483648, -1), (9000000000000000000, 0), (-1, 'NaN');
    """)
    try:
        (tmp_path / "checks.py").write_text(
            'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
        )
        made = run(load_suite(tmp_path), server.dsn(name), options=measuring(count_all=True, digests=True))
        (kept,) = [
            c.profile.digest
            for t in made.tables
            for c in t.columns
            if c.name == "amount" and c.profile is not None
        ]
        ((high, low),) = server.sql(by_column, name)
        assert kept == f"hash/numeric/integer:{high}:{low}"
    finally:
        server.drop(name)


def _computed(server: Server, name: str) -> list[list[tuple[Any, ...]]]:
    """The digests of row 7 as the comparison's own statements compute them."""
    live = LiveSide("before", find_target(server.dsn(name)), ("public",), DiffOptions().limits, {})
    live.open(())
    live.close()
    pair = [PairedTable(live.seen[t], Context("Asia/Kolkata")) for t in ("before_side", "after_side")]
    plan = plan_pair("t", pair[0], pair[1], DiffOptions(zone="Asia/Kolkata"), {})
    found = []
    for number in (0, 1):
        statements = Statements(plan, number, "hash")
        digest = statements.digest
        inner = staged(pair[number].table.name, {digest.name: digest.inner}, "id = 7")
        found.append(server.sql(f"SELECT {', '.join(digest.lanes)} FROM {inner}", name))
    return found
