"""Values kept beside a baseline: exactly which changed, from what to what, and by which pattern; nothing
personal is kept.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from itertools import tee
from pathlib import Path
from typing import Any

import pytest
from conftest import Server, wait_until
from helpers import examples, measuring
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_baseline_rows import CONTRACT, Case

from kisaan_validate.errors import DatabaseError
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.live import kept
from kisaan_validate.live.kept import _Unlike
from kisaan_validate.live.merge import Layout
from kisaan_validate.postgres.session import Session
from kisaan_validate.prove.run import run
from kisaan_validate.record.codec import baseline_from_json
from kisaan_validate.record.valuefile import kept_values
from kisaan_validate.suite.load import Suite, load_suite

ROOT = Path(__file__).parent.parent

TABLE = """
CREATE TYPE mood AS ENUM ('low', 'high');
CREATE TABLE t (id int PRIMARY KEY, at timestamp, a int, b int, c text, tags text[], m mood, u uuid, phone text);
INSERT INTO t SELECT n, timestamp '2024-01-01 10:00' + n * interval '1 min', n, -n, E'x\\t\\\\' || n, ARRAY['p', n::text], 'low',
  md5(n::text)::uuid, '9' || n FROM generate_series(1, 2000) AS n;
CREATE TABLE pair (k text, n numeric(6,2), v numeric(12,2), PRIMARY KEY (k, n));
INSERT INTO pair SELECT E'a\\tb' || n % 10, n, CASE WHEN n % 9 > 0 THEN n END FROM generate_series(1, 200) AS n;
CREATE TABLE bare (a int, b text);
CREATE TABLE person (phone text PRIMARY KEY, a int);
"""

KEPT = ("t.at", "t.a", "t.b", "t.c", "t.tags", "t.m", "t.u", "pair.v")


class Values(Case):
    """A case whose baseline keeps values."""

    @property
    def values(self) -> Path:
        """The file of values."""
        return self.folder / "pre.json.values"

    def keep(self, *columns: str, words: tuple[str, ...] = ()) -> tuple[int, str]:
        """Take a baseline that keeps these columns."""
        chosen = [word for column in columns for word in ("--values", column)]
        return self.command("baseline", "-o", str(self.file), *chosen, *words)

    def found(self, *words: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any], str]:
        """(what is said of each kept column, the judged document, what the console said)."""
        output = self.folder / "judged.json"
        code, said = self.command(
            "run",
            "--baseline",
            str(self.file),
            "--reports",
            str(self.folder / "reports"),
            "--format",
            "json",
            "-o",
            str(output),
            *words,
        )
        assert code in (0, 1, 3), said
        assert output.exists(), said
        document = json.loads(output.read_text(encoding="utf-8"))
        return {f"{c['table']}.{c['column']}": c for c in document["run"]["values"]}, document, said

    def page(self) -> str:
        """The newest report."""
        return max((self.folder / "reports").rglob("report.html"), key=lambda p: p.stat().st_mtime).read_text(
            encoding="utf-8"
        )


@pytest.fixture
def case(server: Server, tmp_path: Path) -> Iterator[Values]:
    """The tables in a database of their own."""
    database = server.create(TABLE)
    yield Values(server, database, tmp_path)
    server.drop(database)


def told(found: dict[str, dict[str, Any]]) -> dict[str, int | None]:
    """The changed rows of each column that is not the same throughout."""
    return {name: column["changed"] for name, column in found.items() if column["changed"] != 0}


def test_an_untouched_database_has_the_same_values(case: Values) -> None:
    """No value changed, of any type; the file is its owner's alone and the baseline names its digest.
    Wider types change nothing.
    """
    code, said = case.keep(*KEPT)
    assert code == 0, said
    assert f"and     pre.json.values, {case.values.stat().st_size:,} bytes" in said
    assert stat.S_IMODE(case.values.stat().st_mode) == 0o600
    file = baseline_from_json(case.file.read_text(encoding="utf-8")).value_file
    assert file is not None
    assert (file.name, file.size) == ("pre.json.values", case.values.stat().st_size)
    found, document, _ = case.found()
    assert {name: (c["changed"], c["compared"], c["message"]) for name, c in found.items()} == {
        name: (0, 200 if name == "pair.v" else 2000, "") for name in KEPT
    }
    assert document["judgement"]["differences"] == 0
    case.sql(
        "ALTER TABLE t ALTER id TYPE bigint, ALTER a TYPE numeric(20,4), ALTER b TYPE bigint, ALTER u "
        "TYPE text; ALTER TABLE pair ALTER v TYPE numeric(20,6)"
    )
    case.sql("DELETE FROM t WHERE id = 7; INSERT INTO t (id) VALUES (9999)")
    found, _, _ = case.found()
    assert told(found) == {}
    assert found["t.a"]["compared"] == 1999


def test_changed_values_are_told_exactly_with_their_pattern(case: Values) -> None:
    """Each changed value by row, before and after, and what happened to it, on the console, on the page
    and in JSON.
    """
    case.keep(*KEPT)
    case.sql(
        "UPDATE t SET at = at - interval '5 h 30 min' WHERE id <= 1204; UPDATE t SET a = b, b = a WHERE "
        "id IN (3, 4, 5)"
    )
    case.sql(
        "UPDATE t SET c = NULL WHERE id = 8; UPDATE t SET tags = ARRAY['p,9'] WHERE id = 9; UPDATE t SET "
        "m = 'high' WHERE id = 10"
    )
    case.sql("UPDATE pair SET v = v * 100 WHERE n <= 20; DELETE FROM pair WHERE n = 1")
    found, document, said = case.found()
    assert told(found) == {"t.at": 1204, "t.a": 3, "t.b": 3, "t.c": 1, "t.tags": 1, "t.m": 1, "pair.v": 17}
    shift = found["t.at"]["patterns"]
    assert [(p["rows"], p["words"]) for p in shift] == [
        (1204, "shifted by -05:30 (the offset of Asia/Kolkata) in 1,204 of 1,204 changed rows")
    ]
    for column in ("t.a", "t.b"):
        assert [p["words"] for p in found[column]["patterns"]] == [
            "a and b swapped with each other in 3 of 3 changed rows"
        ]
    assert found["t.c"]["samples"] == [{"key": [["id", "8"]], "before": "x\t\\8", "after": None}]
    assert found["t.m"]["samples"] == [{"key": [["id", "10"]], "before": "low", "after": "high"}]
    assert len(found["t.at"]["samples"]) == 20
    assert (
        "values  t.at: changed in 1,204 of 2,000 rows that are on both sides; shifted by -05:30 (the offset of "
        "Asia/Kolkata) in 1,204 of 1,204 changed rows; 0 unexplained" in said
    )
    assert "shifted by -05:30 (the offset of Asia/Kolkata) in 1,204 of 1,204 changed rows" in case.page()
    assert "differences, judged by no contract" in said
    assert document["judgement"]["differences"] >= 7


def test_clocks_that_became_moments(case: Values) -> None:
    """Not comparable without a word about where they ran; with it a shift is found, and a right conversion
    is no change.
    """
    case.keep("t.at")
    case.sql("ALTER TABLE t ALTER at TYPE timestamptz USING at AT TIME ZONE 'Asia/Kolkata'")
    assert case.found()[0]["t.at"]["message"].endswith("not compared; give their time zone with --zone")
    assert told(case.found("--zone", "Asia/Kolkata")[0]) == {}
    found, _, _ = case.found("--zone", "UTC")
    assert [p["words"] for p in found["t.at"]["patterns"]] == [
        "shifted by -05:30 (the offset of Asia/Kolkata) in 2,000 of 2,000 changed rows"
    ]
    code, said = case.command("run", "--baseline", str(case.file), "--zone", "Mars/Olympus")
    assert (code, "not a time zone" in said) == (2, True)
    assert case.command("run", "--zone", "UTC")[0] == 2


def test_what_is_not_comparable_is_said(case: Values) -> None:
    """Values of another form, a key that became another, a column that became personal: not known, never
    the same.
    """
    (case.folder / "contract.toml").write_text("format = 1\n")
    contract = ("--contract", str(case.folder / "contract.toml"))
    case.keep("t.at", "t.a", "t.c", "pair.v", words=contract)
    case.sql(
        "ALTER TABLE t ALTER at TYPE date, DROP a; ALTER TABLE pair DROP CONSTRAINT pair_pkey, ADD "
        "PRIMARY KEY (n, k)"
    )
    (case.folder / "checks" / "suite.toml").write_text('name = "case"\npersonal = ["*.phone", "t.c"]\n')
    found, document, _ = case.found(*contract)
    assert [found[name]["changed"] for name in ("t.at", "t.a", "t.c", "pair.v")] == [None] * 4
    assert "not compared" in found["t.at"]["message"]
    assert found["t.a"]["message"] == "it is not there any more"
    assert "personal" in found["t.c"]["message"]
    assert found["pair.v"]["message"] == "the primary key was k, n and is n, k now"
    untold = {item["what"] for item in document["judgement"]["untold"]}
    assert {f"which values of {name} changed" for name in ("t.at", "t.c", "pair.v")} <= untold


def test_what_looks_personal_is_kept_only_if_it_is_said_to_be_nobodys(case: Values) -> None:
    """A name is enough to refuse, of the column and of the key; --public admits what it names."""
    case.sql(
        "CREATE TABLE shop (id int PRIMARY KEY, email text, v int); CREATE TABLE mail (email text "
        "PRIMARY KEY, v int); INSERT INTO shop VALUES (1, 'a@b')"
    )
    code, said = case.keep("shop.email")
    assert (code, "looks personal by its name" in said, "--public shop.email" in said) == (2, True, True)
    code, said = case.keep("mail.v")
    assert (code, "mail.email looks personal" in said) == (2, True)
    assert not list(case.folder.glob("*pre.json*"))
    assert case.keep("shop.email", words=("--public", "shop.email"))[0] == 0
    case.sql("UPDATE shop SET email = 'c@d'")
    assert told(case.found()[0]) == {"shop.email": 1}


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ("t.phone", "personal"),
        ("person.a", "personal"),
        ("bare.b", "no primary key"),
        ("t.id", "primary key"),
        ("t.nope", "no such column"),
        ("nope.a", "no table nope"),
        ("a", "is not of the form table.column"),
    ],
)
def test_what_cannot_be_kept_is_refused(column: str, why: str, case: Values) -> None:
    """Nothing is written where a column that was named cannot be kept, and above all where it is
    somebody's.
    """
    code, said = case.keep("t.a", column)
    assert code == 2, said
    assert why in said
    assert not list(case.folder.glob("*pre.json*"))


@pytest.mark.slow
def test_promises_judge_what_they_speak_of(case: Values) -> None:
    """A promised change is explained as before; a value of which no promise speaks is an unexplained
    change, though all figures stay the same."""
    (case.folder / "contract.toml").write_text(CONTRACT)
    contract = ("--contract", str(case.folder / "contract.toml"))
    case.keep("t.a", "t.b", words=contract)
    case.sql("UPDATE t SET a = a * 2")
    found, document, _ = case.found(*contract)
    assert told(found) == {"t.a": 2000}
    assert document["judgement"]["verdict"] == "PASS", document["judgement"]
    case.sql("UPDATE t SET b = CASE id WHEN 30 THEN -31 ELSE -30 END WHERE id IN (30, 31)")
    found, document, _ = case.found(*contract)
    assert told(found) == {"t.a": 2000, "t.b": 2}
    assert document["judgement"]["verdict"] == "FAIL"
    assert [(c["name"], c["aspect"]) for c in document["judgement"]["unexplained"]] == [("b", "changed rows")]


def test_a_table_that_may_not_be_read_keeps_nothing(case: Values) -> None:
    """The table is named, no baseline and no part of a file stays behind, and the exit code is that of a
    run that broke.
    """
    role = f"reader_{case.database}"
    case.sql(f"CREATE ROLE {role} LOGIN; GRANT SELECT ON pair TO {role}")
    try:
        code, said = case.keep("pair.v", "t.a", words=("--dsn", case.server.dsn(case.database, role)))
        assert (code, "the values of t are not kept: permission denied" in said, "grant SELECT" in said) == (
            3,
            True,
            True,
        )
        assert not list(case.folder.glob("*pre.json*"))
    finally:
        case.sql(f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.mark.parametrize("damage", ["truncated", "edited", "swapped", "gone"])
def test_a_damaged_file_is_refused(damage: str, case: Values) -> None:
    """Whatever is not byte for byte what was written with this baseline is refused by name before a value
    of it is used.
    """
    case.keep("pair.v")
    data = bytearray(case.values.read_bytes())
    if damage == "swapped":
        case.sql("UPDATE pair SET v = 1 WHERE n = 3")
        code, said = case.command("baseline", "-o", str(case.folder / "other.json"), "--values", "pair.v")
        assert code == 0, said
        data = bytearray((case.folder / "other.json.values").read_bytes())
    data[len(data) // 2] ^= damage == "edited"
    if damage == "gone":
        case.values.unlink()
    else:
        case.values.write_bytes(data[:-10] if damage == "truncated" else data)
    code, said = case.command("run", "--baseline", str(case.file), "--reports", str(case.folder / "reports"))
    assert code == 2
    assert "pre.json.values" in said


HOSTILE = st.text(st.sampled_from("aAbBäÄzß\t\n\\NÉ,é😀\x01 "), max_size=4)
ROWS = st.dictionaries(st.tuples(HOSTILE, st.integers(-3, 3)), st.one_of(st.none(), HOSTILE), max_size=12)


@pytest.mark.slow
@given(old=ROWS, new=ROWS)
@settings(
    max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_values_under_any_keys_are_told(server15: Server, words_of: Words, old: Kept, new: Kept) -> None:
    """Keys whose language orders them differently from their bytes, values that COPY must escape: exactly
    the changed ones.
    """
    suite, database, path = words_of
    put(server15, database, old)
    made = run(
        suite,
        server15.dsn(database),
        options=measuring(count_all=True, keep_values=(("words", "v"),), values_path=path),
    )
    baseline = baseline_of(made)
    assert baseline.value_file is not None
    put(server15, database, new)
    options = measuring(
        count_all=True, baseline=baseline, value_file=kept_values(path.parent, baseline.value_file)
    )
    (column,) = run(suite, server15.dsn(database), options=options).values
    changed = {key for key in old.keys() & new.keys() if old[key] != new[key]}
    assert (column.changed, column.compared, column.message) == (
        len(changed),
        len(old.keys() & new.keys()),
        "",
    )
    told_of = {(dict(s.key)["k"], int(dict(s.key)["n"] or "")): (s.before, s.after) for s in column.samples}
    assert told_of == {key: (old[key], new[key]) for key in changed}


Kept = dict[tuple[str, int], str | None]
Words = tuple[Suite, str, Path]


@pytest.fixture
def words_of(server15: Server, tmp_path: Path) -> Iterator[Words]:
    """A suite, and a table whose key a language orders."""
    (tmp_path / "checks.py").write_text(
        'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
    )
    database = server15.create(
        'CREATE TABLE words (k text COLLATE "und-x-icu", n int, v text, PRIMARY KEY (k, n))'
    )
    yield load_suite(tmp_path), database, tmp_path / "words.values"
    server15.drop(database)


def put(server: Server, database: str, rows: Kept) -> None:
    """Make these the rows of the table."""
    connection = server.connect(database)
    try:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE words")
            for (k, n), v in rows.items():
                cursor.execute("INSERT INTO words VALUES (%s, %s, %s)", (k, n, v))
        connection.commit()
    finally:
        connection.close()


def test_values_of_15_are_compared_on_18(
    server: Server, server15: Server, case: Values, tmp_path: Path
) -> None:
    """A baseline of another server, of another version: nothing changed, then one value did."""
    database = server15.create(TABLE)
    try:
        (tmp_path / "old").mkdir()
        old = Values(server15, database, tmp_path / "old")
        code, said = old.keep(*KEPT)
        assert code == 0, said
        for path in (old.file, old.values):
            path.rename(case.folder / path.name)
        assert told(case.found("--other-database")[0]) == {}
        case.sql("UPDATE pair SET v = v + 0.01 WHERE n = 5")
        assert told(case.found("--other-database")[0]) == {"pair.v": 1}
    finally:
        server15.drop(database)


def test_a_file_that_is_cut_meanwhile_tells_nothing(case: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was as written when the run began, and is not when it is read."""
    case.keep("t.a")
    monkeypatch.setattr(kept, "refusal", lambda session, sql: os.truncate(case.values, 100))
    found, document, _ = case.found()
    assert (found["t.a"]["changed"], "could not be read" in found["t.a"]["message"]) == (None, True)
    assert [item["what"] for item in document["judgement"]["untold"]] == ["which values of t.a changed"]


def test_a_backend_that_is_killed_tells_nothing(case: Values, monkeypatch: pytest.MonkeyPatch) -> None:
    """The values that could not be read are not known, and the run says so."""
    case.keep("t.a", "pair.v")

    def killed(session: Session, sql: str) -> None:
        case.server.sql(f"SELECT pg_terminate_backend({session.backend_pid})")
        wait_until(
            lambda: (
                case.server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE pid = {session.backend_pid}")
                == [(0,)]
            )
        )

    monkeypatch.setattr(kept, "refusal", killed)
    found, document, said = case.found()
    assert [column["changed"] for column in found.values()] == [None, None]
    assert all("connection" in column["message"] for column in found.values())
    assert len(document["judgement"]["untold"]) == 2
    assert "cannot tell  which values of t.a changed" in said


@pytest.mark.parametrize("name", ["k", "v0", "v1", "p0"])
def test_a_key_may_be_called_as_the_statement_calls_its_own(name: str, case: Values) -> None:
    """Rows come in the order of the key whatever it is called, and not in that of its text or of a value."""
    case.sql(
        f"CREATE TABLE named ({name} int PRIMARY KEY, x numeric(12,2)); INSERT INTO named SELECT n, -n "
        f"FROM generate_series(1, 300) AS n"
    )
    code, said = case.keep("named.x")
    assert code == 0, said
    case.sql(
        f"DELETE FROM named WHERE {name} = 100; INSERT INTO named VALUES (1000, 7); UPDATE named SET x = "
        f"0 WHERE {name} IN (9, 30)"
    )
    found = case.found()[0]["named.x"]
    assert (found["changed"], found["compared"], found["message"]) == (2, 299, "")


MEASURED = (
    "import resource, subprocess, sys; print(subprocess.call(sys.argv[1:]), "
    "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)"
)
"""Runs a command out of a small process: one started by the tests themselves would begin with their peak
as its own.
"""


def peak(case: Values, *words: str) -> tuple[int, int]:
    """(exit code, the most memory it held in MB) of one command in a process of its own."""
    command = [
        sys.executable,
        "-m",
        "kisaan_validate",
        words[0],
        "--suite",
        str(case.folder / "checks"),
        "--dsn",
        case.server.dsn(case.database),
    ]
    said = subprocess.run(
        [sys.executable, "-c", MEASURED, *command, *words[1:]],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    code, most = said.splitlines()[-1].split()
    return int(code), int(most)


@pytest.mark.slow
def test_a_million_values_need_no_more_memory(case: Values) -> None:
    """Both sides are merged as they come, every value of one column having changed."""
    case.sql(
        "CREATE TABLE big (id bigint PRIMARY KEY, x numeric(12,2)); INSERT INTO big SELECT n, n / 7.0 "
        "FROM generate_series(1, 1000000) AS n"
    )
    code, taking = peak(case, "baseline", "-o", str(case.file), "--values", "big.x")
    assert code == 0
    case.sql("UPDATE big SET x = -x")
    output = case.folder / "judged.json"
    words = ("--reports", str(case.folder / "reports"), "--format", "json", "-o", str(output))
    code, comparing = peak(case, "run", "--baseline", str(case.file), *words)
    (column,) = json.loads(output.read_text(encoding="utf-8"))["run"]["values"]
    assert (column["changed"], column["compared"]) == (1_000_000, 1_000_000)
    print(f"taking {taking} MB, comparing {comparing} MB")
    assert max(taking, comparing) < 150, (taking, comparing)


def test_a_long_run_of_rows_that_one_side_lacks_waits_for_nothing() -> None:
    """Any number of rows gone or come in one stretch is counted as it passes: none is held until the other
    side goes on.
    """
    layout = Layout("t", 1, (), (), ())
    for side in (0, 1):
        many, one = (b"%d\tx" % n for n in range(100_000)), iter([b"-1\ta"])
        unlike = _Unlike(*((many, one) if side == 0 else (one, many)), layout)
        tracemalloc.start()
        left, right = tee(unlike)
        assert (next(left, None), next(right, None)) == (None, None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert unlike.lone[side] == 100_000
        assert most < 1_000_000, most


def test_rows_out_of_order_are_refused() -> None:
    """Lines that go back on one side would pass for rows that went and came."""
    layout = Layout("t", 1, (), (), ("id",))
    with pytest.raises(DatabaseError, match="did not arrive in key order"):
        list(kept._Unlike([b"1\t1\ta", b"3\t3\ta", b"2\t2\ta"], [b"1\t1\ta", b"4\t4\ta"], layout))
