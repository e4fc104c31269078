"""Keys that are none, under a unique index that is damaged: exact numbers, or "cannot tell" by name, from
every comparison.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Server
from helpers import examples, measuring
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kisaan_validate.compare.changes import diff, with_rows, with_values
from kisaan_validate.facts.baseline import baseline_of
from kisaan_validate.facts.run import Run
from kisaan_validate.live.kept import _Unlike
from kisaan_validate.live.merge import Layout
from kisaan_validate.prove.run import run
from kisaan_validate.record.rowfile import RowWriter, kept_rows
from kisaan_validate.record.valuefile import kept_values
from kisaan_validate.suite.load import Suite, load_suite

Rows = list[tuple[int, str]]
ROWS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from("abc")), max_size=6)
KEYS = {"int": "int", "text": "text", "numrange": "numrange"}
"""By type of the key: read in its own order, in that of its bytes, and one whose text is not its value."""


@dataclass
class Damaged:
    """A table whose unique index does not keep duplicates out."""

    server: Server
    database: str
    suite: Suite
    folder: Path
    key: str

    def put(self, rows: Rows, decimals: int = 0) -> None:
        """Make these the rows."""
        ranges = f"numrange({{0}}::numeric(9,{decimals}), NULL)"
        keys = ranges if self.key == "numrange" else f"({{0}})::{self.key}"
        listed = ", ".join(f"({keys.format(k)}, '{v}')" for k, v in rows)
        flag = "UPDATE pg_index SET indisunique = {0} WHERE indexrelid = 't_pkey'::regclass"
        insert = f"INSERT INTO t VALUES {listed}" if rows else "SELECT 1"
        for sql in ("TRUNCATE t", flag.format("false"), insert, flag.format("true")):
            self.server.sql(sql, self.database)

    def run(self, **options: object) -> Run:
        """A run of the suite."""
        return run(
            self.suite, self.server.dsn(self.database), options=measuring(jobs=1, count_all=True, **options)
        )  # type: ignore[arg-type]


@pytest.fixture(params=KEYS)
def damaged(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Iterator[Damaged]:
    """The table, with a key of each kind."""
    (tmp_path / "checks.py").write_text(
        'from kisaan_validate import declare\n\ndeclare.no_column_of_type("pg_lsn", id="always")\n'
    )
    database = server.create(f"CREATE TABLE t (id {KEYS[request.param]} PRIMARY KEY, v text)")
    yield Damaged(server, database, load_suite(tmp_path), tmp_path, request.param)
    server.drop(database)


def differing(old: Rows, new: Rows) -> dict[int, tuple[Counter[str], Counter[str]]]:
    """By key, what it holds on both sides, where that differs."""
    keys = {k for k, _ in (*old, *new)}
    sides = {
        key: (Counter(v for k, v in old if k == key), Counter(v for k, v in new if k == key)) for key in keys
    }
    return {key: (a, b) for key, (a, b) in sides.items() if a != b}


def expected(old: Rows, new: Rows) -> tuple[int, int, int] | None:
    """(added, removed, changed), None where several rows of one side share a key that differs."""
    pairs = differing(old, new).values()
    if any(a.total() > 1 or b.total() > 1 for a, b in pairs):
        return None
    return sum(not a for a, _ in pairs), sum(not b for _, b in pairs), sum(bool(a and b) for a, b in pairs)


def repeats(rows: Rows) -> bool:
    """Whether several rows share a key."""
    return len({k for k, _ in rows}) < len(rows)


def taken(damaged: Damaged) -> tuple[Run, Path, Path]:
    """A baseline with rows and values."""
    rows, values = damaged.folder / "pre.rows", damaged.folder / "pre.values"
    made = damaged.run(
        digests=True, row_writer=RowWriter(rows), keep_values=(("t", "v"),), values_path=values
    )
    return made, rows, values


def assert_told(damaged: Damaged, old: Rows, new: Rows) -> None:
    """Exact numbers, or "cannot tell" by name, and never that nothing is unknown beside numbers that are
    wrong.
    """
    damaged.put(old)
    made, rows, values = taken(damaged)
    before = baseline_of(made)
    assert before.row_file is not None
    assert before.value_file is not None
    damaged.put(new, decimals=2)
    files = {
        "row_file": kept_rows(rows.parent, before.row_file),
        "value_file": kept_values(values.parent, before.value_file),
    }
    after = damaged.run(baseline=before, **files)
    (told,), (column,), wanted = after.rows, after.values, expected(old, new)
    found = with_values(with_rows(diff(before, baseline_of(after)), after.rows), after.values)
    unknown = {item.what: item.reason for item in found.unknown}
    if wanted is None:
        assert (told.added, told.removed, told.changed, column.changed, column.compared) == (None,) * 5
        assert "(id) is not a key" in unknown["which rows of t changed"]
        assert "(id) is not a key" in unknown["which values of t.v changed"]
    else:
        assert ((told.added, told.removed, told.changed), told.message) == (wanted, "")
        told_so = (column.changed, column.message) == (wanted[2], "")
        assert told_so or (
            (repeats(old) or repeats(new)) and "(id) is not a key" in unknown["which values of t.v changed"]
        )
        assert (
            repeats(old)
            or repeats(new)
            or not any(what.startswith(("which rows", "which values of t.v")) for what in unknown)
        )
    assert bool(differing(old, new)) <= bool(found.changes or unknown)


@given(old=ROWS, new=ROWS)
@settings(
    max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_multisets_are_told_exactly_or_not_at_all(damaged: Damaged, old: Rows, new: Rows) -> None:
    """Law: of any rows on either side, ``--rows`` and ``--values`` give exact numbers, or say "cannot
    tell" and why.
    """
    assert_told(damaged, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            [(1, "a"), (2, "b"), (3, "c")],
            [(1, "a"), (2, "b"), (2, "b"), (3, "c"), (3, "d")],
        ),  # as it was met in the field
        ([(1, "a"), (2, "b")], [(1, "a"), (2, "b"), (2, "b")]),
        ([(1, "a"), (1, "a"), (2, "b")], [(1, "a"), (2, "b")]),
        ([(1, "a"), (1, "b")], [(1, "a"), (1, "c")]),
        ([(1, "a"), (1, "a")], [(1, "a"), (1, "a")]),
    ],
)
def test_duplicates_on_one_side_or_both(damaged: Damaged, old: Rows, new: Rows) -> None:
    """On the new side only, on the old one only, on both; and the same on both, which is no difference."""
    assert_told(damaged, old, new)


def lines(rows: Iterable[tuple[int, str]]) -> list[bytes]:
    """Rows as COPY writes them, in the order of their key; of one key in the order given."""
    return [b"%d\t%s" % (k, v.encode()) for k, v in sorted(rows, key=lambda row: row[0])]


@given(old=ROWS, new=ROWS)
@settings(max_examples=examples(300), deadline=None)
def test_lines_that_share_a_key_are_always_noticed(old: Rows, new: Rows) -> None:
    """Law: whatever order the lines of one key come in, a key that differs and that several lines of a
    side have is counted.
    """
    unlike = _Unlike(lines(old), lines(new), Layout("t", 1, (), (), ("id",)))
    pairs = list(unlike)
    shared = sum(a.total() > 1 or b.total() > 1 for a, b in differing(old, new).values())
    assert unlike.shared >= shared
    assert not unlike.shared or repeats(old) or repeats(new)
    if not unlike.shared:
        assert (unlike.lone[1], unlike.lone[0], len(pairs)) == expected(old, new)
