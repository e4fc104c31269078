"""Added rows that repeat a row which was there anyhow: counted exactly, whatever the key."""

from __future__ import annotations

import random

import pytest
from conftest import Server

from kisaan_validate.compare.patterns.watch import Watch
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.repeats import DUPLICATED, framed_key
from kisaan_validate.live.run import diff_rows
from kisaan_validate.live.sides import LiveSide
from kisaan_validate.personal.lineage import How
from kisaan_validate.postgres.target import find_target

KEYS = {
    "an integer": ("id bigint PRIMARY KEY", lambda n: (str(n),)),
    "a text": ("id text PRIMARY KEY", lambda n: (f"it's {n % 7}:{n}",)),
    "a uuid": ("id uuid PRIMARY KEY", lambda n: (f"00000000-0000-0000-0000-{n:012d}",)),
    "a uuid and a day": (
        "id uuid, day date, PRIMARY KEY (id, day)",
        lambda n: (f"00000000-0000-0000-0000-{n:012d}", f"2024-01-{n % 28 + 1:02d}"),
    ),
}


def _insert(keys: list[tuple[str, ...]], contents: list[tuple[str | None, str | None]]) -> str:
    def literal(value: str | None) -> str:
        return "NULL" if value is None else "'" + value.replace("'", "''") + "'"

    rows = ", ".join(
        f"({', '.join(map(literal, (*key, *content)))})" for key, content in zip(keys, contents, strict=True)
    )
    return f"INSERT INTO t VALUES {rows};"


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("nulls", [False, True])
def test_repeated_rows_are_counted_exactly(server: Server, key: str, nulls: bool) -> None:
    """As many as a count by hand finds; NULLs equal NULLs; added rows that only repeat each other do not
    count.
    """
    chance = random.Random(f"{key} {nulls}")
    columns, key_of = KEYS[key]
    contents = [
        (None if nulls and n % 3 == 0 else str(chance.randrange(400)), chance.choice("abc"))
        for n in range(600)
    ]
    old, new = contents[:500], contents[500:]
    before = server.create(
        f"CREATE TABLE t ({columns}, a int, b text);" + _insert([key_of(n) for n in range(500)], old)
    )
    after = server.create(_insert([key_of(n) for n in range(500, 600)], new), template=before)
    found = diff_rows(find_target(server.dsn(before)), find_target(server.dsn(after)), DiffOptions(), Watch())
    (table,) = found.tables
    assert table.added == 100
    assert {p.name: p.rows for p in table.patterns}[DUPLICATED] == sum(content in old for content in new) > 0
    for name in (before, after):
        server.drop(name)


def test_an_index_that_lacks_rows_changes_no_count(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the added rows that an index finds are not exactly those that were read, the table is asked."""
    before = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT n, n FROM generate_series(1, 9) n"
    )
    after = server.create("INSERT INTO t VALUES (10, 1), (11, 1), (12, 77)", template=before)
    found, cut = [], LiveSide.hint
    for kept in (3, 2, 0):
        monkeypatch.setattr(
            LiveSide,
            "hint",
            lambda side, sql, kept=kept: cut(side, sql)[: kept if "k::text" in sql else None],
        )
        sides = find_target(server.dsn(before)), find_target(server.dsn(after))
        (table,) = diff_rows(*sides, DiffOptions(), Watch()).tables
        found.append({p.name: p.rows for p in table.patterns}[DUPLICATED])
    assert found == [2, 2, 2]
    for name in (before, after):
        server.drop(name)


def test_nothing_is_said_where_nothing_repeats(server: Server) -> None:
    """New rows that are new; rows of which the key is all there is; a personal key."""
    before = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE k (id int PRIMARY KEY); INSERT INTO t "
        "SELECT n, n FROM generate_series(1, 50) n"
    )
    after = server.create(
        "INSERT INTO t SELECT n, n FROM generate_series(51, 60) n; INSERT INTO k VALUES (1)", template=before
    )
    sides = [find_target(server.dsn(name)) for name in (before, after)]
    assert all(t.patterns == () for t in diff_rows(sides[0], sides[1], DiffOptions(), Watch()).tables)
    server.sql("INSERT INTO t VALUES (70, 1)", after)
    assert any(t.patterns for t in diff_rows(sides[0], sides[1], DiffOptions(), Watch()).tables)
    personal = DiffOptions(asked=lambda table, column: How.NAMED if column == "id" else How.NOT)
    assert all(t.patterns == () for t in diff_rows(sides[0], sides[1], personal, Watch()).tables)
    for name in (before, after):
        server.drop(name)


def test_no_two_keys_are_framed_alike() -> None:
    """NULL, the empty text, and what would run together."""
    keys = [("a", "bc"), ("ab", "c"), ("abc", ""), (None, ""), ("", None), ("-",), (None,), ("0:",), ("",)]
    assert len({framed_key(key) for key in keys}) == len(keys)
