"""Failing keys are read from the blocks that hold them: the same keys, digests and counts as from a scan of
the whole table, wherever the rows lie.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import Server
from every_kind import TABLES as EVERY_TABLE
from every_kind import suite as every_kind
from helpers import assertion, examples, folder_results, prove, settings, write_suite

from kisaan_validate import declare as d
from kisaan_validate.facts.result import Status
from kisaan_validate.facts.run import Run
from kisaan_validate.plan import bundles, marks
from kisaan_validate.plan.marks import BITS, Marking, Marks, union
from kisaan_validate.plan.statements import Query
from kisaan_validate.suite.load import Suite, suite_of

ROWS = 4_400
# Four rows a block, so 1,100 blocks: more than a map has bits.
TABLES = """
CREATE TABLE farms (id int PRIMARY KEY, size int); INSERT INTO farms SELECT n, n % 7 FROM generate_series(1, 50) AS n;
CREATE TABLE "Odd ""Crops" (id int, place int, is_1 int, farm int, pad text{key});
ALTER TABLE "Odd ""Crops" ALTER pad SET STORAGE PLAIN;
INSERT INTO "Odd ""Crops" SELECT n, 0, 0, n % 50 + 1, repeat('x', 1900) FROM generate_series(1, 4400) AS n;
"""
KEYS = {"primary key": ", PRIMARY KEY (id)", "composite key": ", PRIMARY KEY (farm, id)", "no key": ""}
NAME = '"Odd ""Crops"'


def _suite() -> Suite:
    return suite_of(
        d.holds(NAME, "place = 0", id="row"),
        d.holds(NAME, "is_1 = 0", id="other row"),
        d.holds(NAME, "place = 0", filter="farm > 25", id="some rows"),
        d.references(NAME, "farm", "farms", id="join"),
        d.references(NAME, "farm", "farms", filter="id > 50", id="join of some"),
        d.holds_with(NAME, "child.is_1 <= parent.size", parent="farms", via="farm", id="pair"),
        d.holds(NAME, "id > 0", id="passes"),
    )


def _fill(
    server: Server, database: str, place: set[int], wrong: Collection[int] = (), lost: Collection[int] = ()
) -> None:
    """Rows in the order of their ids, those of these ids violating."""
    one, two, three = (f"(n = ANY (ARRAY{sorted(ids)}::int[]))::int" for ids in (place, wrong, lost))
    server.sql(
        f"TRUNCATE {NAME}; INSERT INTO {NAME} SELECT n, {one}, 9 * {two}, n % 50 + 1 + 1000 * {three},"
        f" repeat('x', 1900) FROM generate_series(1, {ROWS}) AS n",
        database,
    )


def _evidence(run: Run) -> dict[str, tuple[object, ...]]:
    return {
        r.check_id: (r.status, r.violations, r.examined, r.sample, r.key_digest, r.sample_complete, r.message)
        for r in run.results
        # What they found depends on the time of day.
        if "fresh" not in r.check_id
    }


def _listing(run: Run) -> list[str]:
    return [s.sql for s in run.statements if s.purpose.startswith("keys: Odd")]


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_found_wherever_they_lie(server: Server, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any set of violating rows, in the first and the last block too, also in a table that grew since its
    size was read, so that many stripes share a bit.
    """
    database = server.create(TABLES.format(key=KEYS[key]))
    chance = random.Random(20)
    for turn in range(examples(4)):
        some = [chance.sample(range(1, ROWS + 1), chance.choice([1, 3, 60])) for _ in range(3)]
        ends, wrong, lost = ({1, ROWS, *some[0]}, *map(set, some[1:]))
        _fill(server, database, ends, wrong, lost)
        with monkeypatch.context() as patch:
            patch.setattr(marks, "FEWEST_BLOCKS", 10**9)
            plain = prove(server, database, _suite())
        assert plain.results[0].violations == len(ends)
        for width in (1, 2, 64):
            with monkeypatch.context() as patch:
                patch.setattr(marks, "BITS", BITS if width == 64 else 64)
                patch.setattr(marks, "MOST_LISTED", 0 if width == 2 else 1_000)
                patch.setattr(
                    "kisaan_validate.prove.planning.marking_of", lambda *_, w=width: Marking(w, 1_100 // w)
                )
                found = prove(server, database, _suite())
            assert _evidence(found) == _evidence(plain), (turn, width)
    server.drop(database)


def test_only_marked_blocks_are_read(server: Server) -> None:
    """Few stripes are read by a range of ctid, and the whole table where a quarter is marked or more."""
    database = server.create(TABLES.format(key=KEYS["primary key"]))
    _fill(server, database, {7, 4000})
    (few,) = _listing(prove(server, database, _suite()))
    assert "stripe" in few
    _fill(server, database, set(range(1, ROWS, 8)))
    (many,) = _listing(prove(server, database, _suite()))
    assert "stripe" not in many
    server.drop(database)


def test_a_figure_rides_along_with_marks(server: Server) -> None:
    """A scan that marks also gives the figures of its table, whose columns it names: no statement fails."""
    database = server.create(TABLES.format(key=KEYS["primary key"]))
    server.sql(
        f"CREATE SEQUENCE s OWNED BY {NAME}.id; ALTER TABLE {NAME} ALTER id SET DEFAULT nextval('s')",
        database,
    )
    suite = suite_of(d.holds(NAME, "place = 0", id="row"), d.sequence(NAME, "id", id="figure"))
    run = prove(server, database, suite)
    assert {r.check_id: r.status for r in run.results} == {"row": Status.PASS, "figure": Status.FAIL}
    assert [s.sqlstate for s in run.statements] == [""] * len(run.statements)
    assert any("bit_or" in s.sql and "last_value" in s.sql for s in run.statements)
    # What it found was read with it: the table is not scanned again.
    assert run.results[1].sample == ((("max_id", "4400"), ("last_value", "1"), ("is_called", "false")),)
    assert not [s.purpose for s in run.statements if s.purpose.startswith("keys: ")]
    server.drop(database)


def test_a_figure_of_personal_values_is_masked_wherever_it_is_read(server: Server) -> None:
    """A figure that shows a personal value is listed by a statement that masks it; its neighbour is not."""
    database = server.create(TABLES.format(key=KEYS["primary key"]))
    suite = suite_of(
        d.holds(NAME, "id > 0", id="row"),
        d.total(NAME, "farm", high=1, id="secret"),
        d.total(NAME, "id", high=2, id="open"),
        settings=settings(personal=("*.farm",)),
    )
    found = {r.check_id: r for r in prove(server, database, suite).results}
    shown = {id: found[id].sample[0][0] for id in ("secret", "open")}
    assert shown == {"secret": ("total", "•••"), "open": ("total", str(ROWS * (ROWS + 1) // 2))}
    assert (found["secret"].key_digest, len(found["open"].key_digest)) == ("", 64)
    server.drop(database)


def test_a_row_that_is_not_found_again_is_said(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the blocks that are read hold fewer rows than were counted, no digest is given, and it is said."""
    database = server.create(TABLES.format(key=KEYS["primary key"]))
    _fill(server, database, {7, 2000, 4000})
    whole = Marks.source

    def lossy(self: Marks, table: object, **words: bool) -> str:
        return whole(replace(self, bits=self.bits[::-1].replace("1", "0", 1)[::-1]), table, **words)  # type: ignore[arg-type]

    monkeypatch.setattr(Marks, "source", lossy)
    monkeypatch.setattr("kisaan_validate.prove.options.Options.failing_keys", 1)
    row = prove(server, database, suite_of(d.holds(NAME, "place = 0", id="row"))).results[0]
    assert (row.violations, row.key_digest) == (3, "")
    assert "keys were found again" in row.message
    server.drop(database)


@pytest.mark.parametrize("part", ["marked", "listed"])
def test_every_kind_finds_the_same(server: Server, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every kind of check, however its rows are counted and listed: the same results."""
    database = server.create(EVERY_TABLE)
    # As if all tables were large: those of a test are not.
    monkeypatch.setattr(bundles, "MOST_BLOCKS", -1)
    with monkeypatch.context() as patch:
        patch.setattr(Query, "is_listed", False)
        plain = prove(server, database, every_kind())
        if part == "marked":
            patch.setattr(marks, "FEWEST_BLOCKS", 0)
            patch.setattr(marks, "MOST_SHARE", 1)
            other = prove(server, database, every_kind())
    if part == "listed":
        other = prove(server, database, every_kind())
    assert _evidence(other) == _evidence(plain)
    marked = any("bit_or" in s.sql for s in other.statements)
    listed = len(plain.statements) - len(other.statements)
    assert marked if part == "marked" else listed > 3
    server.drop(database)


def test_a_union_knows_only_what_all_know() -> None:
    """A missing map, or one of another width, makes the union unknown: then all blocks are read."""
    a, b = (Marks(3, bits.ljust(BITS, "0"), 9) for bits in ("1010", "0011"))
    assert union([a, b]) == Marks(3, "1011".ljust(BITS, "0"), 9)
    assert union([a, None]) is None
    assert union([a, replace(b, width=4)]) is None
    assert union([]) is None


def test_what_cannot_be_listed_is_counted(server: Server, tmp_path: Path) -> None:
    """Keys that have no order, and rows for which there is no room: the count stands, and why there are no
    keys is said.
    """
    database = server.create(
        "CREATE TABLE t (id int PRIMARY KEY, at point, v text); ALTER TABLE t ALTER v SET STORAGE PLAIN;"
        "INSERT INTO t SELECT n, point(n, n), repeat('x', 1000) FROM generate_series(1, 20000) AS n"
    )
    server.sql(f"ALTER DATABASE {database} SET temp_file_limit = '1MB'")
    files = {
        "sql/point.sql": assertion("SELECT at FROM t WHERE id < 4", key="at", id="unordered"),
        "sql/wide.sql": assertion("SELECT id, v FROM t WHERE length(v) > 5", id="wide"),
    }
    found = folder_results(server, database, write_suite(tmp_path, files))
    said = {id: (r.status, r.violations, r.sample) for id, r in found.items()}
    assert said == {"unordered": (Status.FAIL, 3, ()), "wide": (Status.FAIL, 20_000, ())}
    assert "ordering operator" in found["unordered"].message
    assert "temp_file_limit" in found["wide"].message
    server.drop(database)
