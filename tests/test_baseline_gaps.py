"""Evidence that a baseline could not keep is named by the baseline itself, and not only after the
migration.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Server
from test_baseline_rows import Case, numbers

from kisaan_validate.cli.main import main
from kisaan_validate.record.codec import baseline_from_json

READER = "gap_reader"

FAULTS = {
    "none": "SELECT 1",
    "denied": f"REVOKE SELECT ON t FROM {READER}",
    "row security": "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
    "a type without a form": "ALTER TABLE t ADD where_ regclass; UPDATE t SET where_ = 'kept'",
    "such a type in arrays of composites": "CREATE TYPE pair AS (x int, y regclass); ALTER TABLE t ADD p "
    "pair[]",
    "a float sum that overflows": "ALTER TABLE t ADD f float8; UPDATE t SET f = 1e308",
    "a real sum that overflows": "ALTER TABLE t ADD f real; UPDATE t SET f = 3e38",
    "a numeric sum that overflows": "ALTER TABLE t ADD f numeric; UPDATE t SET f = 9e131071",
    "a value that cannot be digested": "ALTER TABLE t ADD j json; UPDATE t SET j = '\"\\u0000\"' WHERE "
    "id = 700",
    "a check without an answer": "ALTER TABLE kept RENAME a TO renamed; ALTER TABLE kept ADD a text "
    "DEFAULT 'x'",
}
NO_GAP = {"none"}


@pytest.fixture
def case(server: Server, tmp_path: Path) -> Iterator[Case]:
    """A table, another that has no fault, and a role that may read both."""
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'x' || n FROM "
        "generate_series(1, 1000) n; "
        "CREATE TABLE kept (id int PRIMARY KEY, a int); INSERT INTO kept VALUES (1, 1), (2, 2)"
    )
    server.sql(f"DROP ROLE IF EXISTS {READER}; CREATE ROLE {READER} LOGIN; SELECT 1")
    server.sql(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}; SELECT 1", database)
    made = Case(server, database, tmp_path)
    declared = 'from kisaan_validate import declare\n\ndeclare.holds("kept", "a + 0 > -1", id="kept.a")\n'
    (tmp_path / "checks" / "checks.py").write_text(declared)
    yield made
    server.drop(database)
    server.sql(f"DROP ROLE {READER}; SELECT 1")


def as_reader(case: Case) -> tuple[str, str]:
    """The option that connects as the role."""
    return ("--dsn", case.server.dsn(case.database, READER))


def file_says(file: Path) -> str:
    """What ``baseline show`` says of a file."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["baseline", "show", str(file)]) == 0
    return said.getvalue()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("words", [(), ("--rows",)], ids=["plain", "rows"])
def test_what_cannot_be_told_later_is_named_at_once(fault: str, words: tuple[str, ...], case: Case) -> None:
    """Law: whatever a run beside the baseline of an unchanged database cannot tell, the baseline itself
    named, with exit 3 and what to do, on the console and to whoever reads the file later; and with exit 0
    there is nothing of the kind."""
    case.sql(FAULTS[fault])
    code, said = case.command("baseline", "-o", str(case.file), *words, *as_reader(case))
    assert case.file.exists(), said
    asked = words or fault not in {
        "a type without a form",
        "such a type in arrays of composites",
        "a value that cannot be digested",
    }
    gap = fault not in NO_GAP and bool(asked)
    assert (code, "HINT: what is missing here" in said) == (3 if gap else 0, gap), said
    shown = file_says(case.file)
    _, document = case.compared(*as_reader(case))
    for item in document["judgement"]["untold"]:
        what = (
            item["what"].removeprefix("the rows of ").removeprefix("which rows of ").removesuffix(" changed")
        )
        assert what in said, (item, said)
        assert what in shown, (item, shown)
    assert gap or not document["judgement"]["untold"]


@pytest.mark.parametrize("fault", ["denied", "row security", "a value that cannot be digested"])
def test_one_table_that_cannot_be_read_costs_only_its_own_rows(fault: str, case: Case) -> None:
    """The baseline is written, the table is named, and the rows of the others are kept and compared."""
    case.sql(FAULTS[fault])
    code, said = case.command("baseline", "-o", str(case.file), "--rows", *as_reader(case))
    assert code == 3
    assert "the rows of t are not kept: " in said
    baseline = baseline_from_json(case.file.read_text(encoding="utf-8"))
    assert baseline.row_file is not None
    assert case.rows.stat().st_size == baseline.row_file.size
    case.sql("UPDATE kept SET a = 3 WHERE id = 2; UPDATE t SET v = 'y' WHERE id = 1")
    found, document = case.compared(*as_reader(case))
    assert numbers(found["kept"]) == (0, 0, 1, 0)
    assert any(
        item["what"] in {"which rows of t changed", "the rows of t"}
        for item in document["judgement"]["untold"]
    )


def test_a_table_that_another_has_locked_is_named(case: Case) -> None:
    """It is not waited for again; the others are kept."""
    holder = case.server.connect(case.database)
    try:
        holder.cursor().execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        code, said = case.command("baseline", "-o", str(case.file), "--rows", "--lock-timeout", "200")
        assert (code, "the rows of t are not kept: " in said, "not counted: t: " in said) == (
            3,
            True,
            True,
        ), said
    finally:
        holder.close()
    assert numbers(case.compared()[0]["kept"]) == (0, 0, 0, 0)


def test_a_sum_that_overflows_costs_no_other_figure(case: Case) -> None:
    """The ends and the digest of the column are kept: a change of one value is found all the same."""
    case.sql(FAULTS["a float sum that overflows"])
    code, said = case.command("baseline", "-o", str(case.file), "--digests")
    assert (code, "the sum of t.f: value out of range: overflow; its other figures are kept" in said) == (
        3,
        True,
    ), said
    case.sql("UPDATE t SET f = CASE id WHEN 3 THEN 9e307 ELSE f END")
    document = case.compared()[1]
    assert document["judgement"]["differences"] == 2  # the least value, and the digest
    assert not document["judgement"]["untold"]


@pytest.mark.slow
def test_tables_as_wide_as_can_be_are_kept_whole(case: Case) -> None:
    """1,600 columns, and 400 ranges: every column is digested, every row kept, and one changed value among
    them is found.
    """
    columns = ", ".join(f"c{n} int" for n in range(1599))
    ranges = ", ".join(f"r{n} int4range" for n in range(400))
    case.sql(
        f"CREATE TABLE wide (id int PRIMARY KEY, {columns}); INSERT INTO wide (id, c1598) SELECT n, n "
        f"FROM generate_series(1, 9) n"
    )
    case.sql(
        f"CREATE TABLE ranges (id int PRIMARY KEY, {ranges}); INSERT INTO ranges (id, r399) VALUES (1, "
        f"'[1,2)'), (2, NULL)"
    )
    code, said = case.command("baseline", "-o", str(case.file), "--rows")
    assert code == 0, said
    assert numbers(case.compared()[0]["wide"]) == (0, 0, 0, 0)
    case.sql("UPDATE wide SET c1598 = 0 WHERE id = 7; UPDATE ranges SET r399 = '[1,3)' WHERE id = 1")
    found, document = case.compared()
    assert (numbers(found["wide"]), numbers(found["ranges"])) == ((0, 0, 1, 0),) * 2
    assert not document["judgement"]["untold"]
