"""Row digests beside a baseline: exactly which rows came, went and changed; a file that is not as it was
written is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Server

from kisaan_validate.cli.main import main
from kisaan_validate.errors import RecordError
from kisaan_validate.record.codec import baseline_from_json

TABLE = """
CREATE TABLE t (id int PRIMARY KEY, a int, c text, phone text);
INSERT INTO t SELECT n, n % 7, 'x' || n % 3, '9' || n FROM generate_series(1, 5000) AS n;
CREATE TABLE pair (k text, n int, v numeric(12,2), PRIMARY KEY (k, n));
INSERT INTO pair SELECT E'a\\tb' || n % 10, n, n FROM generate_series(1, 200) AS n;
CREATE TABLE bare (a int, b text); INSERT INTO bare VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
CREATE TABLE empty (id uuid PRIMARY KEY);
"""


class Case:
    """A database, a suite, and the files of a baseline, through the command line."""

    def __init__(self, server: Server, database: str, folder: Path) -> None:
        self.server, self.database, self.folder = server, database, folder
        (folder / "checks").mkdir()
        (folder / "checks" / "checks.py").write_text(
            'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
        )
        (folder / "checks" / "suite.toml").write_text('name = "case"\npersonal = ["*.phone"]\n')
        self.file = folder / "pre.json"
        self.rows = folder / "pre.json.rows"

    def command(self, *words: str) -> tuple[int, str]:
        """(exit code, what it said) of one command of the tool."""
        common = ["--suite", str(self.folder / "checks"), "--dsn", self.server.dsn(self.database)]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = main([words[0], *common, *words[1:]])
        return code, said.getvalue()

    def take(self, *words: str) -> None:
        """A baseline with the rows."""
        code, said = self.command("baseline", "-o", str(self.file), "--rows", *words)
        assert code == 0, said

    def sql(self, text: str) -> None:
        """Change something."""
        self.server.sql(f"{text}; SELECT 1", self.database)

    def compared(self, *words: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """(what is said of each table's rows, the judged document)."""
        output = self.folder / "judged.json"
        words = (
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
        code, said = self.command("run", *words)
        assert code in (0, 1, 3), said
        assert output.exists(), said
        document = json.loads(output.read_text(encoding="utf-8"))
        return {table["table"]: table for table in document["run"]["rows"]}, document


@pytest.fixture
def case(server: Server, tmp_path: Path) -> Iterator[Case]:
    """The tables in a database of their own."""
    database = server.create(TABLE)
    yield Case(server, database, tmp_path)
    server.drop(database)


def numbers(table: dict[str, Any]) -> tuple[Any, ...]:
    """Added, removed, changed, late."""
    return (table["added"], table["removed"], table["changed"], table["late"])


def test_an_untouched_database_has_the_same_rows(case: Case) -> None:
    """Nothing came, went or changed; the file is its owner's alone and the baseline names its digest."""
    case.take()
    assert stat.S_IMODE(case.rows.stat().st_mode) == 0o600
    baseline = baseline_from_json(case.file.read_text(encoding="utf-8"))
    assert baseline.row_file is not None
    assert (baseline.row_file.name, baseline.row_file.size) == ("pre.json.rows", case.rows.stat().st_size)
    found, document = case.compared()
    assert {name: numbers(table) for name, table in found.items()} == {
        "t": (0, 0, 0, 0),
        "pair": (0, 0, 0, 0),
        "bare": (0, 0, None, 0),
        "empty": (0, 0, 0, 0),
    }
    assert document["judgement"]["differences"] == 0


def test_rows_are_told_exactly(case: Case) -> None:
    """Added, removed, changed and late rows of any key, wider types notwithstanding, and each by its key."""
    case.take()
    case.sql("ALTER TABLE t ALTER id TYPE bigint, ALTER a TYPE bigint")
    case.sql(
        "UPDATE t SET c = CASE id WHEN 1 THEN 'x2' ELSE 'x1' END WHERE id IN (1, 2); DELETE FROM t WHERE "
        "id IN (7, 4999, 5000)"
    )
    case.sql("INSERT INTO t VALUES (-5, 1, 'new'), (6000, 1, 'late'), (6001, NULL, NULL)")
    case.sql(
        "UPDATE pair SET v = v + 0.01 WHERE n = 13; INSERT INTO pair VALUES (E'a\\tb3', 999, 0); DELETE "
        "FROM bare WHERE ctid = (SELECT min(ctid) FROM bare)"
    )
    found, _ = case.compared()
    assert numbers(found["t"]) == (3, 3, 2, 2)
    assert {kind: sorted(keys) for kind, keys in found["t"]["keys"].items()} == {
        "changed": ["(1)", "(2)"],
        "removed": ["(4999)", "(5000)", "(7)"],
        "added": ["(-5)"],
        "late": ["(6000)", "(6001)"],
    }
    assert numbers(found["pair"]) == (1, 0, 1, 0)
    assert len(found["pair"]["keys"]["changed"]) == 1
    assert "13" in found["pair"]["keys"]["changed"][0]
    assert numbers(found["bare"]) == (0, 1, None, 0)


def test_personal_values_are_no_part_of_it(case: Case) -> None:
    """A changed telephone number is not told, and no digest of one is kept."""
    case.take()
    case.sql("UPDATE t SET phone = '1' WHERE id = 5")
    found, _ = case.compared()
    assert numbers(found["t"]) == (0, 0, 0, 0)


CONTRACT = """format = 1
[[promise]]
id = "twice"
kind = "becomes"
column = "t.a"
expression = "a * 2"
"""


def test_what_is_promised_is_no_changed_row(case: Case) -> None:
    """With a contract the promised column is judged by its digest, and rows are told by all others."""
    (case.folder / "contract.toml").write_text(CONTRACT)
    contract = ("--contract", str(case.folder / "contract.toml"))
    case.take(*contract)
    case.sql("UPDATE t SET a = a * 2")
    found, document = case.compared(*contract)
    assert numbers(found["t"]) == (0, 0, 0, 0)
    assert document["judgement"]["verdict"] == "PASS", document["judgement"]
    case.sql("UPDATE t SET c = CASE id WHEN 1 THEN 'x2' ELSE 'x1' END WHERE id IN (1, 2)")
    found, document = case.compared(*contract)
    assert numbers(found["t"]) == (0, 0, 2, 0)
    assert document["judgement"]["verdict"] == "FAIL"


@pytest.mark.parametrize("damage", ["truncated", "edited", "gone"])
def test_a_damaged_file_is_refused(damage: str, case: Case) -> None:
    """Whatever is not byte for byte what was written is refused before a row of it is used."""
    case.take()
    data = bytearray(case.rows.read_bytes())
    data[len(data) // 2] ^= 1
    if damage == "gone":
        case.rows.unlink()
    else:
        case.rows.write_bytes(bytes(data) if damage == "edited" else bytes(data[:-100]))
    code, said = case.command("run", "--baseline", str(case.file), "--reports", str(case.folder / "reports"))
    assert code == 2
    assert "pre.json.rows" in said


def test_a_baseline_of_before_digests_still_loads(case: Case) -> None:
    """A file that does not know digests or rows is read as one that has none; an entry that is not known
    is still refused.
    """
    code, said = case.command("baseline", "-o", str(case.file))
    assert code == 0, said
    given = json.loads(case.file.read_text(encoding="utf-8"))
    del given["row_file"]
    for table in given["tables"]:
        del table["digests"]
        for column in table["columns"]:
            if column["profile"] is not None:
                del column["profile"]["digest"]
    older = baseline_from_json(_sealed(given))
    assert older == baseline_from_json(case.file.read_text(encoding="utf-8"))
    with pytest.raises(RecordError, match="more than"):
        baseline_from_json(_sealed({**given, "unheard": 1}))
    del given["notices"]
    with pytest.raises(RecordError):
        baseline_from_json(_sealed(given))


def _sealed(given: dict[str, Any]) -> str:
    plain = {key: value for key, value in given.items() if key != "seal"}
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return json.dumps({**plain, "seal": hashlib.sha256(canonical.encode()).hexdigest()})


def test_a_column_that_went_makes_rows_unknown(case: Case) -> None:
    """Rows that were digested with a column cannot be compared without it: that is said, not guessed."""
    case.take()
    case.sql("ALTER TABLE t DROP c")
    found, document = case.compared()
    assert found["t"]["message"] == "c no longer exists"
    assert numbers(found["t"]) == (None, None, None, 0)
    assert any(item["what"] == "which rows of t changed" for item in document["judgement"]["untold"])


@pytest.mark.parametrize(
    ("words", "code"),
    [(("--dsn", "host=127.0.0.1 port=1 dbname=x user=y"), 2), (("--select", "no.such.check"), 2)],
    ids=["refused", "nothing selected"],
)
def test_a_baseline_that_was_not_taken_leaves_nothing(case: Case, words: tuple[str, ...], code: int) -> None:
    """Whatever ends it before rows are written: no part of a file of rows stays behind."""
    before = sorted(case.folder.iterdir())
    assert case.command("baseline", "-o", str(case.file), "--rows", *words)[0] == code
    assert sorted(case.folder.iterdir()) == before


@pytest.mark.parametrize("kind", ["rows", "values"])
def test_no_file_beside_a_baseline_is_overwritten_unasked(kind: str, case: Case) -> None:
    """What was left beside a baseline that is gone stays as it is, unless --force says otherwise."""
    beside = case.file.with_name(f"{case.file.name}.{kind}")
    beside.write_text("of somebody")
    words = ["-o", str(case.file), *(["--rows"] if kind == "rows" else ["--values", "t.a"])]
    code, said = case.command("baseline", *words)
    assert (code, f"{beside} already exists" in said) == (2, True), said
    assert (beside.read_text(), case.file.exists()) == ("of somebody", False)
    code, said = case.command("baseline", *words, "--force")
    assert code == 0, said
    assert beside.read_bytes().startswith(b"kisaan-validate ")
