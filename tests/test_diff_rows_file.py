"""``diff --rows-to``: every row that differs, in a file that is whole or not there."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Server, wait_until
from helpers import examples
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_value_memory import measured

from kisaan_validate.cli.main import main
from kisaan_validate.facts.differences import NotCompared, Unknown
from kisaan_validate.facts.row_differences import Kind, RowChange, RowDiff, TableDiff
from kisaan_validate.record.changefile import ChangeFile
from kisaan_validate.record.changelines import CsvLines, FileEnd, JsonLines, value_of

MAKE = """
CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(12,2), phone text, note text);
INSERT INTO payments SELECT g, g, '98' || g, 'n' || g FROM generate_series(1, 300) AS g;
CREATE TABLE pairs (a int, b text, v text, PRIMARY KEY (a, b));
INSERT INTO pairs VALUES (1, 'x', NULL), (2, 'y', '');
CREATE TABLE bag (word text);
"""
OLD = "CREATE TABLE gone (id int PRIMARY KEY, name text, phone text); INSERT INTO gone VALUES (7, 'x', '97')"
CHANGE = r"""
UPDATE payments SET amount = -amount, phone = '97' WHERE id <= 100;
UPDATE payments SET note = '=1+1' WHERE id = 150;
UPDATE payments SET note = E'a\nb\u202e' WHERE id = 151;
DELETE FROM payments WHERE id IN (200, 201);
INSERT INTO payments VALUES (901, -5, '96', NULL), (902, 1, NULL, 'NULL');
UPDATE pairs SET v = CASE a WHEN 1 THEN '' END;
INSERT INTO bag VALUES ('w'), ('w'), ('w');
"""


@pytest.fixture
def sides(server: Server) -> Iterator[tuple[str, str]]:
    """The names of two databases that differ in rows of four tables."""
    names = server.create(MAKE + OLD), server.create(MAKE + CHANGE)
    yield names
    for name in names:
        server.drop(name)


def diff(server: Server, sides: tuple[str, str], *more: str | Path) -> int:
    """The exit code, beside a suite that declares nothing."""
    words = [
        "diff",
        "--before",
        server.dsn(sides[0]),
        "--after",
        server.dsn(sides[1]),
        "--rows-only",
        "--suite",
        "/nowhere",
    ]
    return main([*words, *map(str, more)])


def jsonl(path: Path) -> list[dict[str, Any]]:
    """The lines of a file, the first and the last among them."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def cells(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file by the names of its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_is_there(server: Server, sides: tuple[str, str], tmp_path: Path) -> None:
    """JSONL: as many rows of each kind as are told, each with its key and values, and a last line that says
    so; personal values are masked, those of a table on one side too.
    """
    path = tmp_path / "new" / "changes.jsonl"
    told = tmp_path / "diff.json"
    assert diff(server, sides, "--rows-to", path, "--format", "json", "-o", told) == 1
    head, *rows, end = jsonl(path)
    assert (head["format"], head["format_version"]) == ("kisaan-validate/changes", 1)
    assert (end["complete"], end["verdict"], end["lines"]) == (True, "different", len(rows))
    assert end["rows"] == sum(row.get("copies", 1) for row in rows) == len(rows) + 2
    listed = Counter[tuple[str, str]]()
    for row in rows:
        listed[row["table"], row["kind"]] += row.get("copies", 1)
    for table in json.loads(told.read_text())["tables"]:
        for kind in ("added", "removed", "changed"):
            assert listed[table["table"], kind] == table[kind], (table["table"], kind)
    assert listed["payments", "changed"] == 102
    assert {
        "table": "payments",
        "kind": "changed",
        "key": {"id": "3"},
        "columns": {
            "amount": {"before": "3.00", "after": "-3.00"},
            "phone": {"before": "•••", "after": "•••"},
        },
    } in rows
    assert [r["columns"]["v"] for r in rows if r["table"] == "pairs"] == [
        {"before": None, "after": ""},
        {"before": "", "after": None},
    ]
    (gone,) = (r for r in rows if r["table"] == "gone")
    assert gone["row"] == {"id": "7", "name": "x", "phone": "•••"}
    (bag,) = (r for r in rows if r["table"] == "bag")
    assert (bag["key"], bag["copies"]) == ({}, 3)
    text = path.read_text(encoding="utf-8")
    assert "\u202e" not in text
    assert r"a\nb\u202e" in text
    assert not re.search(r'"9[678]\d*"', text.replace('"id": "9', ""))
    assert path.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["changes.jsonl"]


def test_a_spreadsheet_gets_numbers_and_no_formula(
    server: Server, sides: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """CSV: a line a value, read back to the letter; numbers are numbers, NULL is not the empty text."""
    path = tmp_path / "changes.csv"
    assert diff(server, sides, "--rows-to", path) == 1
    *lines, end = cells(path)
    assert f"rows    {path} ({end['copies']} rows)" in capsys.readouterr().out
    assert (end["kind"], end["note"]) == ("end", "complete")
    assert end["row"] == str(len({line["row"] for line in lines}))
    by = {(c["table"], c["key"], c["column"]): c for c in lines}
    one = by["payments", "3", "amount"]
    assert (one["kind"], one["key_columns"], one["before"], one["after"]) == (
        "changed",
        "id",
        "3.00",
        "-3.00",
    )
    assert by["payments", "150", "note"]["after"] == "'=1+1"
    assert by["payments", "151", "note"]["after"] == "a[U+000A]b[U+202E]"
    assert by["payments", "901", "note"]["after"] == "NULL"
    assert by["payments", "902", "note"]["after"] == "'NULL"
    pair = by["pairs", '["1", "x"]', "v"]
    assert (pair["key_columns"], pair["before"], pair["after"]) == ('["a", "b"]', "NULL", "")
    assert by["bag", "", "word"]["copies"] == "3"
    assert by["payments", "200", "phone"]["before"] == "•••"


def test_a_column_that_is_named_is_shown(server: Server, sides: tuple[str, str], tmp_path: Path) -> None:
    """--public shows what only looks personal."""
    path = tmp_path / "changes.jsonl"
    assert diff(server, sides, "--rows-to", path, "--public", "payments.phone") == 1
    rows = [r for r in jsonl(path) if r.get("table") == "payments" and "columns" in r]
    assert rows[2]["columns"]["phone"] == {"before": "983", "after": "97"}


def test_what_was_not_compared_is_said_at_the_end(
    server: Server, sides: tuple[str, str], tmp_path: Path
) -> None:
    """A column without a common form, or on one side only, also of a table on one side: the table is not
    complete, in both forms of the file.
    """
    server.sql(
        "ALTER TABLE payments ALTER note TYPE bytea USING note::bytea; ALTER TABLE pairs ADD w int", sides[1]
    )
    server.sql("ALTER TABLE gone ADD acl aclitem", sides[0])
    for name in ("changes.jsonl", "changes.csv"):
        assert diff(server, sides, "--rows-to", tmp_path / name) == 1
    end = jsonl(tmp_path / "changes.jsonl")[-1]
    assert end["complete"] is False
    (reason,) = next(t["not_complete"] for t in end["tables"] if t["table"] == "payments")
    assert "payments.note" in reason
    *lines, last = cells(tmp_path / "changes.csv")
    assert (last["kind"], last["note"]) == ("end", "not complete")
    missing = {line["table"]: line["note"] for line in lines if line["kind"] == "not complete"}
    assert missing.keys() == {"payments", "pairs", "gone"}
    assert "payments.note" in missing["payments"]
    assert "pairs.w: the column is on one side only" in missing["pairs"]
    assert "gone.acl" in missing["gone"]


def test_late_rows_have_a_kind_of_their_own(server: Server, sides: tuple[str, str], tmp_path: Path) -> None:
    """They are no difference, and not counted among the added ones."""
    path = tmp_path / "changes.jsonl"
    assert diff(server, sides, "--rows-to", path, "--added-since", "payments") == 1
    kinds = Counter(r["kind"] for r in jsonl(path) if r.get("table") == "payments" and "kind" in r)
    assert kinds == {"changed": 102, "removed": 2, "late": 2}


TEXTS = st.text(st.sampled_from("=+-@'\";, \t\n[]U+0ANUL\u202e\u200b\udcffe1.é＝"), max_size=12)


@given(TEXTS)
@example("[U+000A]")
@example("';=1")
@example("''NULL")
@example("-1e5")
@example("-1+1")
@settings(max_examples=examples(500), deadline=None)
def test_a_cell_is_read_back_and_runs_nothing(text: str) -> None:
    """Law: the value comes back to the letter; no part of a line, at whatever sign it is cut, is a formula."""
    change = RowChange("t", ("1",), Kind.CHANGED, {"v": text}, {"v": None}, ("v",))
    line = CsvLines().row(1, change, ("id",))
    line.encode("utf-8")
    assert line.count("\n") == 1
    assert line.removesuffix("\r\n").isprintable() or "\u3000" in line
    (row,) = csv.reader([line], strict=True)
    assert value_of(row[6]) == text
    assert value_of(row[7]) is None
    for part in (row[6], *row[6].split(";")):
        start = part.lstrip(" \t'\"")
        if start[:1] in tuple("=+-@＝"):
            assert part.lstrip(' "')[:1] == "'" or re.fullmatch(r"-?[\d.]+(e[+-]?\d+)?", part), part


FORMULA = "=cmd|' /C calc'!A0"


def read(text: str) -> list[list[str]]:
    """The cells of lines of CSV."""
    return list(csv.reader(text.splitlines(), strict=True))


@pytest.mark.parametrize("key", [("k",), ("a", "b")], ids=["one", "several"])
def test_no_cell_of_a_line_is_a_formula(key: tuple[str, ...]) -> None:
    """Whatever is named so: a table, a column, the key, a value, or a reason; also behind a semicolon."""
    for text in (FORMULA, f"x;{FORMULA}", "@SUM(A1)", "+1+1", "-1+1", "\uff1d1"):
        names = tuple(text + name for name in key)
        row = RowChange(text, tuple(text for _ in key), Kind.CHANGED, {text: text}, {text: None}, (text,))
        end = FileEnd(RowDiff("a", "b"), "different", 1, 1, 0, {text: [text]})
        lines = read(CsvLines().row(1, row, names)) + read(CsvLines().end(end))
        for cell in (cell for line in lines for cell in line):
            for part in (cell, *cell.split(";")):
                assert not part.lstrip(' "').startswith(tuple("=+-@\uff1d")), cell


def test_a_number_stays_a_number_and_null_is_no_text() -> None:
    """A spreadsheet counts with them."""
    values = {"a": "-5", "b": "-1.5e-7", "c": "12", "d": None, "e": "NULL", "f": "'NULL", "g": ""}
    row = RowChange("t", (None,), Kind.ADDED, {}, values)
    lines = read(CsvLines().row(7, row, ("id",)))
    assert [line[7] for line in lines] == ["-5", "-1.5e-7", "12", "NULL", "'NULL", "''NULL", ""]
    assert {tuple(line[:5]) for line in lines} == {("7", "t", "added", "id", "NULL")}
    gone = replace(row, kind=Kind.REMOVED, before=values, after={}, copies=3)
    lines = read(CsvLines().row(8, gone, ("id",)))
    assert [line[6:9] for line in lines][:2] == [["-5", "", "3"], ["-1.5e-7", "", "3"]]
    assert len(lines) == len(values)


CUT = f"abc ... (cut: 9000 bytes, SHA-256 {'0' * 64})"


@pytest.mark.parametrize(
    "sides", [({"v": CUT}, {"v": "x"}), ({"v": "x"}, {"v": CUT}), ({"v": CUT}, {}), ({}, {"v": CUT})]
)
def test_a_value_that_was_cut_says_so(
    tmp_path: Path, sides: tuple[dict[str, str | None], dict[str, str | None]]
) -> None:
    """On whichever side; and the last line counts them, for such a row cannot be read back."""
    before, after = sides
    kind = Kind.CHANGED if before and after else Kind.REMOVED if before else Kind.ADDED
    columns = ("v",) if kind is Kind.CHANGED else ()
    row = RowChange("t", ("1",), kind, before, after, columns)
    (line,) = read(CsvLines().row(1, row, ("id",)))
    assert line[-1] == "cut"
    assert json.loads(JsonLines().row(1, row, ("id",)))["cut"] == ["v"]
    whole = replace(row, before=dict.fromkeys(before, "y"), after=dict.fromkeys(after, "z"))
    assert read(CsvLines().row(1, whole, ("id",)))[0][-1] == ""
    assert "cut" not in json.loads(JsonLines().row(1, whole, ("id",)))
    counts = {"changed": int(kind is Kind.CHANGED), "added": int(kind is Kind.ADDED)}
    made = _table(**counts, removed=int(kind is Kind.REMOVED))
    for name, lines in (("c.csv", CsvLines()), ("c.jsonl", JsonLines())):
        file = ChangeFile(tmp_path / name, lines)
        file.begin("t", (), ("id",))
        file.see(row)
        file.settle(made)
        file.finish(RowDiff("a", "b", (made,)), "different")
    assert cells(tmp_path / "c.csv")[-1]["note"] == "complete; 1 values are cut"
    assert jsonl(tmp_path / "c.jsonl")[-1]["cut_values"] == 1


def test_the_last_line_claims_nothing_that_was_not_compared() -> None:
    """What is unknown or was not compared is in it; a comparison of no table is not complete."""
    unknown = (Unknown("catalogue entries of policy", "locked"),)
    diff = RowDiff("a", "b", (_table(),), unknown=unknown, not_compared=(NotCompared("casts", "2", "0"),))
    told = json.loads(JsonLines().end(FileEnd(diff, "same", 0, 0, 0, {})))
    assert told["complete"] is True
    assert told["unknown"] == [{"what": "catalogue entries of policy", "reason": "locked"}]
    assert told["not_compared"] == ["casts (2 before, 0 after)"]
    for end in (
        FileEnd(RowDiff("a", "b"), "nothing", 0, 0, 0, {}),
        FileEnd(diff, "same", 0, 0, 0, {"t": ["locked"]}),
    ):
        assert json.loads(JsonLines().end(end))["complete"] is False
        assert read(CsvLines().end(end))[-1][-1] == "not complete"


@given(TEXTS)
@settings(max_examples=examples(200), deadline=None)
def test_json_keeps_every_character(text: str) -> None:
    """Law: one printable line, from which the value comes back."""
    line = JsonLines().row(1, RowChange("t", (text,), Kind.REMOVED, {"v": text}), ("id",))
    assert line[:-1].isprintable()
    assert json.loads(line)["row"] == {"v": text}


def _table(**counts: int | None) -> TableDiff:
    return TableDiff("t", ("id",), 1, 1, **{"added": 0, "removed": 0, "changed": 0, **counts})  # type: ignore[arg-type]


def _changed(number: int) -> RowChange:
    return RowChange("t", (str(number),), Kind.CHANGED, {"v": "a"}, {"v": "b"}, ("v",))


def test_an_earlier_attempt_leaves_no_row(tmp_path: Path) -> None:
    """A table that is begun again, one whose counts are not known, and one whose rows do not add up to them,
    leave none of those rows; what was settled before stays.
    """
    file = ChangeFile(tmp_path / "c.jsonl", JsonLines())
    file.begin("t", (), ("id",))
    file.see(_changed(1))
    file.begin("t", (), ("id",))
    file.see(_changed(2))
    file.settle(_table(changed=1))
    for made in (_table(changed=None), _table(changed=5)):
        file.begin("t", (), ("id",))
        file.see(_changed(3))
        file.settle(made)
    file.finish(RowDiff("a", "b", (_table(changed=1),)), "different")
    _, *rows, end = jsonl(tmp_path / "c.jsonl")
    assert [row["key"] for row in rows] == [{"id": "2"}]
    assert (end["rows"], end["complete"]) == (1, False)


MANY = """
CREATE TABLE many (id bigint PRIMARY KEY, v text, w numeric);
INSERT INTO many SELECT g, md5(g::text), g FROM generate_series(1, {0}) AS g
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(server: Server, tmp_path: Path) -> None:
    """200,000 rows of which each differs, and each has a value of its own: a file with all of them, and
    memory as for 2,000.
    """
    peaks = {}
    for rows in (2_000, 200_000):
        old, new = (server.create(MANY.format(rows)) for _ in range(2))
        server.sql("UPDATE many SET v = md5(v), w = w + 1", new)
        path = tmp_path / f"{rows}.csv"
        words = ("diff", "--before", server.dsn(old), "--rows-to", str(path), "--no-patterns", "-q")
        code, peaks[rows], said = measured(tmp_path, server.dsn(new), *words)
        assert code == 1, said
        with path.open(encoding="utf-8") as file:
            lines = sum(1 for _ in file)
        assert lines == 2 * rows + 2
        for name in (old, new):
            server.drop(name)
    assert peaks[200_000] < peaks[2_000] + 25, peaks


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Within, no file of this process can grow beyond so many bytes: as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 300_000])
def test_a_full_disk_costs_the_file_and_not_the_answer(
    server: Server, tmp_path: Path, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """At the first byte or in the middle: an error that says what to do, no part of a file, and the
    comparison on the console; the older file is as it was.
    """
    old, new = (server.create(MANY.format(20_000)) for _ in range(2))
    server.sql("UPDATE many SET v = md5(v)", new)
    path = tmp_path / "changes.jsonl"
    path.write_text(JsonLines.head)
    with room_for(size):
        assert diff(server, (old, new), "--rows-to", path) == 1
    captured = capsys.readouterr()
    assert f"cannot write {path}: File too large\nHINT: free some space" in captured.err
    assert "20,000" in captured.out
    assert "DIFFERENT" in captured.out
    assert path.read_text() == JsonLines.head
    assert [p.name for p in tmp_path.iterdir()] == ["changes.jsonl"]
    with room_for(0):
        assert diff(server, (old, old), "--rows-to", path, "--after-schema", "public") == 2  # the same side
    for name in (old, new):
        server.drop(name)


def test_sides_that_are_the_same_are_not_green_without_the_file(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 3: nobody can read what was asked for."""
    names = [server.create(MAKE) for _ in range(2)]
    for words in (("--rows-to", tmp_path / "c.csv"), ("--html", tmp_path / "c.html")):
        with room_for(0):
            assert diff(server, (names[0], names[1]), *words) == 3
        assert f"cannot write {words[1]}" in capsys.readouterr().err
    assert diff(server, (names[0], names[1]), "--rows-to", tmp_path / "c.csv") == 0
    assert [line["kind"] for line in cells(tmp_path / "c.csv")] == ["end"]
    for name in names:
        server.drop(name)


def test_a_server_that_dies_leaves_whole_tables_only(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of the second table: the first one's rows stay, the second has none, and the last line
    says that it is not complete.
    """
    make = (
        MANY.format(60_000)
        + "; CREATE TABLE early (id int PRIMARY KEY, v int); INSERT INTO early VALUES (1, 1)"
    )
    old, new = (server.create(make) for _ in range(2))
    server.sql("UPDATE many SET v = md5(v); UPDATE early SET v = 2", new)
    see = ChangeFile.see

    def kill(file: ChangeFile, change: RowChange) -> None:
        see(file, change)
        if file.rows == 1_000:
            server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{new}'")

    monkeypatch.setattr(ChangeFile, "see", kill)
    path = tmp_path / "changes.jsonl"
    assert diff(server, (old, new), "--rows-to", path) == 1
    _, *rows, end = jsonl(path)
    assert [row["table"] for row in rows] == ["early"]
    assert (end["complete"], end["rows"]) == (False, 1)
    many = next(t for t in end["tables"] if t["table"] == "many")
    assert (many["changed"], many["complete"]) == (None, False)
    assert "cannot tell  the rows of many" in capsys.readouterr().out
    for name in (old, new):
        server.drop(name)


def test_an_interrupted_comparison_leaves_no_file(
    server: Server, sides: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it ends with an error there is none, and an older one is said to be older."""
    path = tmp_path / "changes.csv"
    assert diff(server, sides, "--rows-to", path, "--key", "payments=wrong") == 2
    assert not list(tmp_path.iterdir())
    assert diff(server, sides, "--rows-to", path) == 1
    whole = path.read_bytes()
    capsys.readouterr()
    assert diff(server, sides, "--rows-to", path, "--key", "payments=wrong") == 2
    assert "is of an earlier comparison" in capsys.readouterr().err
    assert path.read_bytes() == whole


def test_places_that_cannot_be_meant_are_refused(
    server: Server, sides: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is compared, with what to do: exit code 2."""
    foreign, page = tmp_path / "mine.csv", tmp_path / "d.jsonl"
    foreign.write_text("id,name\n1,x\n")
    (tmp_path / "d.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    for words, said in (
        (("--rows-to", tmp_path / "changes.txt"), "write --rows-to changes.csv"),
        (("--rows-to", "-"), "write --rows-to changes.csv"),
        (("--html", "-"), "names no file"),
        (("--rows-to", foreign), "pass --force"),
        (("--rows-to", foreign / "x.csv"), "cannot write"),
        (("--rows-to", tmp_path / "pipe.csv"), "not a regular file"),
        (("--rows-to", tmp_path / "d.csv"), "it is a folder"),
        (("--rows-to", "/proc/nowhere/x.csv"), "cannot write"),
        (("--rows-to", page, "--format", "json", "-o", page), "two outputs would be written to one file"),
    ):
        assert diff(server, sides, *words) == 2, words
        assert said in capsys.readouterr().err
    assert foreign.read_text().startswith("id,name")
    assert diff(server, sides, "--rows-to", foreign, "--force") == 1
    assert cells(foreign)[-1]["note"] == "complete"


def test_a_table_on_one_side_that_cannot_be_read_to_its_end(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows were counted, and none of them is in the file, which says so."""
    old, new = server.create(MANY.format(60_000)), server.create("CREATE TABLE other (id int PRIMARY KEY)")
    see = ChangeFile.see

    def kill(file: ChangeFile, change: RowChange) -> None:
        see(file, change)
        if file.rows == 1_000:
            server.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{old}'")

    monkeypatch.setattr(ChangeFile, "see", kill)
    path = tmp_path / "changes.jsonl"
    assert diff(server, (old, new), "--rows-to", path) == 1
    _, end = jsonl(path)
    many = next(t for t in end["tables"] if t["table"] == "many")
    assert (many["removed"], many["complete"], end["complete"], end["rows"]) == (60_000, False, False, 0)
    assert "its rows could not be read" in many["not_complete"][0]
    for name in (old, new):
        server.drop(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_an_end_in_the_middle_leaves_nothing_that_looks_complete(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    """A signal while rows are written: the file says that it is not complete, its exit code is 3; a process
    that is killed leaves none under that name.
    """
    old, new = (server.create(MANY.format(150_000)) for _ in range(2))
    server.sql("UPDATE many SET v = md5(v), w = -w", new)
    path = tmp_path / "changes.jsonl"
    words = ["diff", "--before", server.dsn(old), "--after", server.dsn(new), "--rows-to", str(path)]
    running = subprocess.Popen(
        [sys.executable, "-m", "kisaan_validate", *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_until(lambda: any(p.stat().st_size for p in tmp_path.glob(".changes.jsonl.*")) or running.poll())
    assert running.poll() is None
    os.killpg(running.pid, number)
    said = running.communicate(timeout=60)
    if number is signal.SIGKILL:
        assert not path.exists()
    elif "was killed" in said[1]:
        # On a machine that is too busy it does not end in time: then that is what it is like.
        assert (running.returncode, path.exists()) == (3, False)
    else:
        assert running.returncode == 3
        *_, end = jsonl(path)
        assert (end["complete"], end["verdict"], end["rows"]) == (False, "cannot tell", 0)
        assert not list(tmp_path.glob(".changes.jsonl.*"))
    for name in (old, new):
        server.drop(name)
