"""A folder of migrations compared with its ledger: every difference is named, and nothing unknown is green.

Pure: folders of files, ledgers as facts. Real runners are in test_migrations_runners.py.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from kisaan_validate.errors import UsageError
from kisaan_validate.facts.ledger import LedgerKind
from kisaan_validate.facts.migrations import (
    LedgerEntries,
    LedgerEntry,
    MigrationFile,
    MigrationFinding,
    MigrationFolder,
    MigrationItem,
    MigrationsStanding,
    MigrationWindow,
    Oddity,
    ServiceAnswer,
    TiedPromise,
    Waited,
    WaitEnd,
)
from kisaan_validate.facts.result import Verdict
from kisaan_validate.facts.states import StandingState
from kisaan_validate.migrations.accepting import with_accepted
from kisaan_validate.migrations.compare import migrations_standing
from kisaan_validate.migrations.content import MOST_LOOKED_INTO
from kisaan_validate.migrations.flyway import flyway_checksum, flyway_name, plain_version
from kisaan_validate.migrations.folder import read_migration_folder
from kisaan_validate.migrations.sql_file import sql_remarks
from kisaan_validate.migrations.waiting import judge_waited, progress_words, service_words
from kisaan_validate.probe.health import health_request

GOOD = "ALTER TABLE orders ADD paid boolean;"


def folder(place: Path, files: Mapping[str, str] | Mapping[str, str | bytes]) -> Path:
    """A folder with these files."""
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return place


def rows(*names: str, kind: LedgerKind = LedgerKind.NAMES, times: bool = True) -> LedgerEntries:
    """A ledger in which these ran one hour after the other, from midnight of 2026-01-01 on."""
    at = [f"2026-01-01 {hour:02}:00:00+00" if times else "" for hour in range(len(names))]
    made = (
        LedgerEntry(n, t, datetime.fromisoformat(t) if t else None) for n, t in zip(names, at, strict=True)
    )
    return LedgerEntries(kind, "ledger", tuple(made), only_heads=kind is LedgerKind.ALEMBIC)


def standing(place: Path, ledger: LedgerEntries, **more: object) -> MigrationsStanding:
    """Folder and ledger compared."""
    return migrations_standing(read_migration_folder(ledger.kind, [place]), ledger, **more)  # type: ignore[arg-type]


def odd(found: MigrationsStanding) -> set[tuple[str, str, str]]:
    """(what, of which, state) of each finding."""
    return {(f.oddity.value, f.name, f.state.value) for f in found.findings}


# --- the verdict ---------------------------------------------------------------------------------------------


def test_the_verdict_of_every_mix_of_findings() -> None:
    """PASS only without any finding but accepted ones; what fails, or is still to do, outranks the unknown."""
    for states in product(StandingState, repeat=3):
        found = tuple(MigrationFinding(Oddity.EMPTY, state, "a", "is") for state in states)
        verdict = MigrationsStanding(LedgerKind.NAMES, "", "", (), found).verdict
        if StandingState.FAIL in states or StandingState.WORK in states:
            assert verdict is Verdict.FAIL, states
        elif StandingState.UNKNOWN in states:
            assert verdict is Verdict.INCONCLUSIVE, states
        else:
            assert verdict is Verdict.PASS, states
    assert MigrationsStanding(LedgerKind.NAMES, "", "", (), ()).verdict is Verdict.PASS


def test_what_could_not_be_read_is_never_green(tmp_path: Path) -> None:
    """No folder, a folder without migrations, or a ledger that is not known: INCONCLUSIVE, with the reason."""
    place = folder(tmp_path / "m", {"a.sql": GOOD})
    empty = folder(tmp_path / "empty", {"README.md": "none"})
    away = LedgerEntries(LedgerKind.NAMES, "ledger", message="permission denied")
    for where, ledger in ((place, away), (empty, rows()), (tmp_path / "nowhere", rows()), (empty, away)):
        found = standing(where, ledger)
        assert found.verdict is Verdict.INCONCLUSIVE
        assert not found.known
        assert all(item.in_ledger is None for item in found.items if item.in_folder)
    assert "permission denied" in standing(place, away).findings[0].fact
    assert standing(place, rows("a.sql")).verdict is Verdict.PASS
    for kind in LedgerKind:
        assert read_migration_folder(kind, [empty]).message, "nothing is missing of nothing"


# --- files and rows ------------------------------------------------------------------------------------------


def test_each_difference_is_named(tmp_path: Path) -> None:
    """Pending, without a file, recorded twice, out of order by time and by place."""
    place = folder(tmp_path, {f"00{n}_x.sql": GOOD + f"-- {n}" for n in range(1, 6)})
    assert standing(place, rows(*(f"00{n}_x.sql" for n in range(1, 6)))).findings == ()
    found = standing(place, rows("001_x.sql", "003_x.sql", "002_x.sql", "005_x.sql", "gone.sql"))
    assert odd(found) == {
        ("pending", "004_x.sql", "work"),
        ("out of order", "004_x.sql", "fail"),
        ("out of order", "002_x.sql", "fail"),
        ("no file", "gone.sql", "fail"),
    }
    facts = {f.name: f.fact for f in found.findings if f.oddity is Oddity.OUT_OF_ORDER}
    assert facts == {
        "002_x.sql": "ran after 003_x.sql, which comes later in order",
        "004_x.sql": "comes before 005_x.sql, which is applied",
    }
    assert found.pending == ("004_x.sql",)
    twice = LedgerEntries(LedgerKind.NAMES, "ledger", rows("001_x.sql").entries * 2)
    assert ("recorded twice", "001_x.sql", "fail") in odd(standing(place, twice))
    # All at one time, as in one transaction, is no disorder.
    same = tuple(LedgerEntry(f"00{n}_x.sql", "2026-01-01 00:00:00+00") for n in (3, 1, 2, 5, 4))
    assert standing(place, LedgerEntries(LedgerKind.NAMES, "ledger", same)).findings == ()


def test_the_order_is_unknown_without_times(tmp_path: Path) -> None:
    """Without times nothing is called out of order, and that is said."""
    place = folder(tmp_path, {"1_a.sql": GOOD, "2_b.sql": GOOD})
    found = standing(place, rows("2_b.sql", "1_a.sql", times=False))
    assert found.findings == ()
    assert any("in which order" in sentence for sentence in found.untold)
    assert not any(
        "in which order" in sentence for sentence in standing(place, rows("1_a.sql", "2_b.sql")).untold
    )


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (GOOD, set()),
        ("", {"empty"}),
        ("-- nothing\n/* at all */ ;;", {"empty"}),
        ("SELECT count(*) FROM orders; SELECT 1;", {"only reads"}),
        ("SET search_path = app; WITH x AS (SELECT 1) TABLE x; EXPLAIN SELECT 1", {"only reads"}),
        ("(SELECT 1) UNION (SELECT 2)", {"only reads"}),
        ("SELECT a, b FROM t GROUP BY a, b HAVING COUNT(*) > 1; -- Should be 0", {"only reads"}),
        ("SELECT setval('orders_id_seq', 9)", set()),
        ("SELECT create_hypertable('orders', 'at')", set()),
        ('SELECT "Fix"()', set()),
        ("SELECT * INTO copy FROM orders", set()),
        ("WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone", set()),
        ("EXPLAIN ANALYZE DELETE FROM orders", set()),
        ("SELECT 1; DELETE FROM orders", set()),
        ("SET lock_timeout = '2s'", set()),
        ("BEGIN; ALTER TABLE orders ADD x int;", {"leaves a transaction open"}),
        (
            "start transaction; ALTER TABLE orders ADD x int; savepoint a; rollback to a",
            {"leaves a transaction open"},
        ),
        ("BEGIN; ALTER TABLE orders ADD x int; COMMIT;", set()),
        ("BEGIN; ALTER TABLE orders ADD x int; END", set()),
        ("ALTER TABLE orders ADD x int; COMMIT; ALTER TABLE orders ADD y int;", {"ends a transaction"}),
        ("ALTER TABLE orders ADD x int; ROLLBACK;", {"ends a transaction"}),
        ("BEGIN; DELETE FROM a; COMMIT; DELETE FROM b;", {"ends a transaction"}),
        (
            "BEGIN; DELETE FROM a; COMMIT AND CHAIN; DELETE FROM b;",
            {"ends a transaction", "leaves a transaction open"},
        ),
        ("DO $$ BEGIN DELETE FROM a; COMMIT; END $$", set()),
        ("CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END", set()),
        ("CREATE INDEX CONCURRENTLY i ON orders (id)", set()),
        ("CREATE UNIQUE INDEX CONCURRENTLY i ON orders (id); ANALYZE orders", {"cannot run with others"}),
        ("DROP INDEX CONCURRENTLY i; SELECT f()", {"cannot run with others"}),
        ("REINDEX TABLE CONCURRENTLY orders; DELETE FROM a", {"cannot run with others"}),
        ("VACUUM orders; DELETE FROM a", {"cannot run with others"}),
        ("ALTER TABLE a.b DETACH PARTITION a.c CONCURRENTLY; DELETE FROM a", {"cannot run with others"}),
        ("ALTER SYSTEM SET x = 1; DELETE FROM a", {"cannot run with others"}),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v; DELETE FROM a", set()),
        ("INSERT INTO notes VALUES ('BEGIN; VACUUM;')", set()),
    ],
)
def test_what_is_odd_within_a_file(sql: str, expected: set[str]) -> None:
    """By the words of PostgreSQL's lexer: what stands in strings, comments and bodies is no statement."""
    assert {remark.oddity.value for remark in sql_remarks(sql)[1]} == expected


def test_remarks_name_their_line() -> None:
    """The line of the statement, counted in the whole file."""
    _, (remark,) = sql_remarks("-- one\n\nDELETE FROM a;\n\nCOMMIT;\nDELETE FROM b;")
    assert (remark.line, "line 5" in remark.fact) == (5, True)


def test_a_batch_that_ran_all_the_same_is_not_called_wrong(tmp_path: Path) -> None:
    """A file that a batch could not run, and that is recorded, ran in another way: cannot tell."""
    place = folder(tmp_path, {"a.sql": "VACUUM; DELETE FROM a"})
    assert ("cannot run with others", "a.sql", "fail") in odd(standing(place, rows()))
    assert odd(standing(place, rows("a.sql"))) == {("cannot run with others", "a.sql", "unknown")}


def test_files_that_are_no_plain_text(tmp_path: Path) -> None:
    """Binary, other encodings, too large, links that lead out, pipes: named, and never followed or waited for."""
    outside = folder(tmp_path / "outside", {"secret.sql": "SELECT 'secret'"})
    place = folder(
        tmp_path / "m",
        {
            "1_binary.sql": bytes(range(256)),
            "2_utf16.sql": GOOD.encode("utf-16"),
            "3_nul.sql": b"DELETE\0",
            "4_large.sql": b"-" * (MOST_LOOKED_INTO + 1),
            "5_mark.sql": b"\xef\xbb\xbf" + GOOD.encode(),
        },
    )
    (place / "6_link.sql").symlink_to(outside / "secret.sql")
    (place / "7_nowhere.sql").symlink_to("nowhere.sql")
    os.mkfifo(place / "8_pipe.sql")
    (place / "9_inner.sql").symlink_to("5_mark.sql")
    (place / "folder.sql").mkdir()
    names = [f.name for f in read_migration_folder(LedgerKind.NAMES, [place]).files]
    assert names == sorted(name for name in os.listdir(place) if name != "folder.sql")
    found = standing(place, rows(*names))
    assert odd(found) == {
        ("not UTF-8", "1_binary.sql", "fail"),
        ("not UTF-8", "2_utf16.sql", "fail"),
        ("not UTF-8", "3_nul.sql", "fail"),
        ("not read", "4_large.sql", "unknown"),
        ("outside the folder", "6_link.sql", "unknown"),
        ("not read", "7_nowhere.sql", "unknown"),
        ("not read", "8_pipe.sql", "unknown"),
    }
    assert {item.name: item.sha256 for item in found.items}["6_link.sql"] == "", "it was read"


def test_a_link_to_the_folder_is_followed(tmp_path: Path) -> None:
    """`current -> releases/7` is how deployments name folders."""
    folder(tmp_path / "releases" / "7", {"a.sql": GOOD})
    (tmp_path / "current").symlink_to("releases/7")
    assert standing(tmp_path / "current", rows("a.sql")).findings == ()


def test_numbers_of_files(tmp_path: Path) -> None:
    """Two of one number, also written differently; numbers that do not sort as names do; days are no numbers."""
    names = [
        "001_a.sql",
        "01_b.sql",
        "10_c.sql",
        "9_d.sql",
        "20251018_x.sql",
        "20251018_y.sql",
        "20251018_01_z.sql",
    ]
    place = folder(tmp_path, dict.fromkeys(names, GOOD))
    found = standing(place, rows(*sorted(names)))
    assert odd(found) == {("same number", "01_b.sql", "fail"), ("out of order", "9_d.sql", "fail")}


@pytest.mark.parametrize("many", [500, pytest.param(10_000, marks=pytest.mark.slow)])
def test_hostile_names_and_many_files(tmp_path: Path, many: int) -> None:
    """Line breaks, control characters, bytes that are no UTF-8, ten thousand files: in seconds, and named."""
    place = folder(tmp_path, {"a\nb.sql": GOOD, "\x1b[31mred.sql": GOOD, "'; DROP.sql": GOOD})
    with open(os.fsencode(place) + b"/\xff.sql", "w") as file:
        file.write(GOOD)
    for number in range(many):
        (place / f"{number:05}_x.sql").write_text(GOOD)
    names = [file.name for file in read_migration_folder(LedgerKind.NAMES, [place]).files]
    assert len(names) == many + 4
    assert {"a\nb.sql", "\x1b[31mred.sql", "'; DROP.sql", "\\xff.sql"} <= {*names}
    assert standing(place, rows(*names, times=False)).findings == ()


# --- what is accepted ----------------------------------------------------------------------------------------


def test_what_is_accepted_is_still_listed(tmp_path: Path) -> None:
    """It fails nothing and is marked; other files, other oddities and what is missing are as before."""
    place = folder(tmp_path, {"a.sql": "SELECT 1", "b.sql": "SELECT 1", "c.sql": GOOD})
    found = standing(place, rows("a.sql", "b.sql", "c.sql"), accept=["only reads: a*", "empty: a.sql"])
    assert {(f.name, f.state.value, f.accepted) for f in found.findings} == {
        ("a.sql", "pass", True),
        ("b.sql", "fail", False),
    }
    assert "accepted, but not found: empty: a.sql" in found.untold
    both = standing(place, rows("a.sql", "b.sql", "c.sql"), accept=["only reads: *"])
    assert both.verdict is Verdict.PASS
    missing = standing(place, rows("a.sql", "b.sql"), accept=["only reads: *"])
    assert missing.verdict is Verdict.FAIL
    whole = MigrationFinding(Oddity.GRAPH, StandingState.FAIL, "", "is broken")
    assert with_accepted([whole], ["graph: *"])[0] == (whole,)
    # What is about the whole has no name by which it could be accepted.
    away = LedgerEntries(LedgerKind.NAMES, "ledger", message="gone")
    assert standing(place, away, accept=["not read: *"]).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "text", ["", "only reads", "only reads:", "reads: a", "pending: *", "failed: *", "locked: *"]
)
def test_nonsense_is_not_accepted(tmp_path: Path, text: str) -> None:
    """Nor can it be accepted that a migration is missing, failed, or still at work."""
    place = folder(tmp_path, {"a.sql": GOOD})
    with pytest.raises(UsageError):
        standing(place, rows("a.sql"), accept=[text])


# --- the window, effects, an earlier look ---------------------------------------------------------------------


def window(since: str, until: str, *names: str) -> MigrationWindow:
    """A window of 2026-01-01, in hours and minutes of UTC."""
    day = "2026-01-01T{}+00:00"
    return MigrationWindow(
        datetime.fromisoformat(day.format(since)), datetime.fromisoformat(day.format(until)), names
    )


def test_what_ran_outside_the_window(tmp_path: Path) -> None:
    """Named migrations must have run within, to the second at its ends; of others only what came later is odd."""
    place = folder(tmp_path, {f"{n}.sql": GOOD for n in "abcd"})
    ledger = rows("a.sql", "b.sql", "c.sql", "d.sql")  # at 0, 1, 2 and 3 o'clock
    named = standing(place, ledger, window=window("01:00", "02:00", "[a-d].sql"))
    assert odd(named) == {("outside the window", "a.sql", "fail"), ("outside the window", "d.sql", "fail")}
    some = standing(place, ledger, window=window("01:00", "02:00", "b*", "c*"))
    assert some.findings == ()
    typo = standing(place, ledger, window=window("01:00", "02:00", "b*", "2025*"))
    assert odd(typo) == {("outside the window", "2025*", "unknown")}
    unnamed = standing(place, ledger, window=window("01:00", "02:00"))
    assert odd(unnamed) == {("outside the window", "d.sql", "fail")}
    assert any("before the window" in sentence for sentence in unnamed.untold)
    blind = standing(
        place, rows("a.sql", "b.sql", "c.sql", "d.sql", times=False), window=window("01:00", "02:00", "a*")
    )
    assert odd(blind) == {("outside the window", "a.sql", "unknown")}
    for at, state in (
        ("2025-12-30 00:00:00", "fail"),
        ("2026-01-01 01:30:00", "unknown"),
        ("2026-01-03", "fail"),
        ("infinity", "unknown"),
    ):
        ledger = LedgerEntries(LedgerKind.NAMES, "ledger", (LedgerEntry("a.sql", at),))
        found = standing(place, ledger, window=window("01:00", "02:00", "a*"))
        assert ("outside the window", "a.sql", state) in odd(found), at
    wide = MigrationWindow(datetime(2025, 12, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), ("a*",))
    ledger = LedgerEntries(LedgerKind.NAMES, "ledger", (LedgerEntry("a.sql", "2026-01-01 01:30:00"),))
    assert ("outside the window", "a.sql") not in {
        pair[:2] for pair in odd(standing(place, ledger, window=wide))
    }


def test_recorded_without_effect(tmp_path: Path) -> None:
    """A tied promise that was not kept fails the file, one that is unknown leaves it open; untied ones are said."""
    place = folder(tmp_path, {"a.sql": GOOD, "b.sql": GOOD, "c.sql": GOOD})
    effects = {
        "a.sql": (TiedPromise("one", True), TiedPromise("two", False, "still numeric(12,2)")),
        "b.sql": (TiedPromise("three", None),),
        "c.sql": (TiedPromise("four", False),),
    }
    found = standing(place, rows("a.sql", "b.sql"), effects=effects)
    assert {entry for entry in odd(found) if entry[0] == "without effect"} == {
        ("without effect", "a.sql", "fail"),
        ("without effect", "b.sql", "unknown"),
    }
    assert "still numeric(12,2)" in next(f.fact for f in found.findings if f.name == "a.sql")
    typo = standing(place, rows("a.sql", "b.sql", "c.sql"), effects={"A.sql": (TiedPromise("one", True),)})
    assert ("without effect", "A.sql", "unknown") in odd(typo)
    untied = standing(place, rows("a.sql", "b.sql", "c.sql"), effects={"a.sql": (TiedPromise("one", True),)})
    assert any("tied to 2 applied files" in sentence for sentence in untied.untold)


def test_files_edited_since_an_earlier_look(tmp_path: Path) -> None:
    """Applied then and other now, or gone: named. Pending then, it may still have been corrected."""
    place = folder(tmp_path, {"a.sql": GOOD, "b.sql": GOOD, "c.sql": GOOD})
    before = standing(place, rows("a.sql", "b.sql"))
    for name in ("a.sql", "c.sql"):
        (place / name).write_text("DELETE FROM orders")
    (place / "b.sql").unlink()
    found = standing(place, rows("a.sql", "b.sql", "c.sql"), before=before)
    assert odd(found) == {("edited", "a.sql", "fail"), ("no file", "b.sql", "fail")}
    assert any("has no checksum" in s for s in before.untold)
    assert not any("has no checksum" in s for s in found.untold)


# --- other kinds ---------------------------------------------------------------------------------------------

REVISION = '"""A step."""\nrevision: str = {0!r}\ndown_revision: str | None = {1!r}\ndepends_on = {2!r}\nraise SystemExit("it was run")\n'


def revisions(place: Path, *said: tuple[object, ...]) -> Path:
    """A folder of Alembic's, whose files end the process if they are run."""
    texts = {
        f"versions/{n}_x.py": REVISION.format(*one, *[None] * (3 - len(one))) for n, one in enumerate(said)
    }
    return folder(place, {**texts, "env.py": "raise SystemExit", "alembic.ini": ""})


def heads(*names: str) -> LedgerEntries:
    """A ledger of Alembic's."""
    return rows(*names, kind=LedgerKind.ALEMBIC, times=False)


def test_alembic_applies_what_a_head_follows(tmp_path: Path) -> None:
    """Through merges and dependencies; files that only a run would explain leave the answer open."""
    place = revisions(
        tmp_path,
        ("c3", "b2"),
        ("a1", None),
        ("b2", "a1"),
        ("x1", None, "b2"),
        ("m", ("c3", "x1")),
        ("later", "m"),
    )
    assert odd(standing(place, heads("m"))) == {("pending", "later", "work")}
    assert odd(standing(place, heads("later"))) == set()
    assert odd(standing(place, heads())) == {
        ("pending", n, "work") for n in ("a1", "b2", "c3", "x1", "m", "later")
    }
    assert standing(place, heads()).pending.index("a1") < standing(place, heads()).pending.index("b2")
    lost = standing(place, heads("b2", "unheard"))
    assert ("no file", "unheard", "fail") in odd(lost)
    assert {entry[2] for entry in odd(lost) if entry[0] == "pending"} == {"unknown"}
    assert {item.name for item in lost.items if item.in_ledger is None} == {"c3", "x1", "m", "later"}


def test_alembic_graphs_that_are_broken(tmp_path: Path) -> None:
    """Missing parents, circles, two heads, one revision twice, values that are computed."""
    lost = standing(revisions(tmp_path / "1", ("b", "gone")), heads("b"))
    assert odd(lost) == {("graph", "b", "fail")}
    circle = standing(revisions(tmp_path / "2", ("a", "b"), ("b", "a")), heads())
    assert ("graph", "a", "fail") in odd(circle)
    fork = revisions(tmp_path / "3", ("a", None), ("b", "a"), ("c", "a"))
    assert ("graph", "b", "fail") in odd(standing(fork, heads("a")))
    assert odd(standing(fork, heads("b", "c"))) == set()
    twice = standing(revisions(tmp_path / "4", ("a", None), ("a", None)), heads("a"))
    assert odd(twice) == {("same number", "a", "fail")}
    place = revisions(tmp_path / "5", ("a", None))
    folder(place, {"versions/b.py": "revision = str('b')\ndown_revision = 'a'", "versions/c.py": "def ("})
    found = standing(place, heads("a"))
    assert {("not read", "b.py", "unknown"), ("not read", "c.py", "unknown")} <= odd(found)
    assert found.verdict is Verdict.INCONCLUSIVE


def test_a_chain_of_thousands_of_revisions(tmp_path: Path) -> None:
    """Without recursion, in seconds."""
    place = revisions(tmp_path, *((f"r{n}", f"r{n - 1}" if n else None) for n in range(1_200)))
    found = standing(place, heads("r1198"))
    assert odd(found) == {("pending", "r1199", "work")}


def test_django_apps_squashes_and_strangers(tmp_path: Path) -> None:
    """Rows of apps without a folder are not passed over; a squashed migration stands for those it replaces."""
    step = "class Migration:\n    dependencies = {0!r}\n    replaces = {1!r}\n"
    place = folder(
        tmp_path,
        {
            "shop/migrations/__init__.py": "",
            "shop/migrations/0001_a.py": step.format([("auth", "0001_initial")], []),
            "shop/migrations/0002_b.py": step.format([("shop", "0001_a")], []),
            "shop/migrations/0003_sq.py": step.format(
                [("shop", "0002_b")], [("shop", "old1"), ("shop", "old2")]
            ),
            "books/apps.py": "class Books(AppConfig):\n    label = 'ledgers'\n",
            "books/migrations/0001_a.py": step.format([("shop", "0002_b")], []),
            "node_modules/x/migrations/0001_a.py": step.format([], []),
            "shop/helpers.py": "",
        },
    )
    all_ = ("shop.0001_a", "shop.0002_b", "ledgers.0001_a", "shop.old1", "shop.old2")
    assert odd(standing(place, rows(*all_, kind=LedgerKind.DJANGO))) == set()
    found = standing(
        place, rows("shop.0001_a", "shop.old1", "auth.0001_initial", "shop.zz", kind=LedgerKind.DJANGO)
    )
    assert odd(found) == {
        ("pending", "shop.0002_b", "work"),
        ("pending", "shop.0003_sq", "work"),
        ("pending", "ledgers.0001_a", "work"),
        ("no file", "shop.zz", "fail"),
        ("elsewhere", "auth", "unknown"),
    }
    late = standing(
        place, rows("shop.0001_a", "ledgers.0001_a", "shop.0002_b", "shop.0003_sq", kind=LedgerKind.DJANGO)
    )
    assert ("out of order", "shop.0002_b", "fail") in odd(late)
    assert standing(place, rows(*all_, "auth.1", kind=LedgerKind.DJANGO)).verdict is Verdict.INCONCLUSIVE
    known = standing(place, rows(*all_, "auth.1", kind=LedgerKind.DJANGO), accept=["elsewhere: auth"])
    assert known.verdict is Verdict.PASS


def test_links_to_folders_are_said(tmp_path: Path) -> None:
    """What is behind them may hold migrations, and is not looked into: cannot tell."""
    step = {"migrations/0001_a.py": "class Migration:\n    dependencies = []\n"}
    folder(tmp_path / "elsewhere", step)
    place = folder(tmp_path / "project" / "shop", step).parent
    (place / "other").symlink_to(tmp_path / "elsewhere")
    found = standing(place, rows("shop.0001_a", kind=LedgerKind.DJANGO))
    assert odd(found) == {("not read", "other", "unknown")}


def test_knex_and_sequelize_by_their_files(tmp_path: Path) -> None:
    """Names with their ending; one that differs in its ending alone is pointed at; a lock is no success."""
    place = folder(tmp_path, {"1_a.js": "", "2_b.ts": "", "2_b.d.ts": "", "README.md": ""})
    for kind in (LedgerKind.KNEX, LedgerKind.SEQUELIZE):
        found = standing(place, rows("1_a.js", "2_b.js", kind=kind))
        assert ("pending", "2_b.ts", "work") in odd(found)
        assert "which has 2_b.js" in next(
            f.fact for f in found.findings if f.name == "2_b.ts" and f.oddity is Oddity.PENDING
        )
        assert standing(place, rows("1_a.js", "2_b.ts", kind=kind)).findings == ()
    ledger = rows("1_a.js", "2_b.ts", kind=LedgerKind.KNEX)
    locked = LedgerEntries(LedgerKind.KNEX, "ledger", ledger.entries, locked=True)
    assert odd(standing(place, locked)) == {("locked", "", "fail")}


def test_flyways_checksums_are_those_that_flyway_made() -> None:
    """Values that releases 4.1.2 and 6.0.0 of Flyway itself printed for these files (its issues 1560 and 2474)."""
    table = "DROP TABLE IF EXISTS settings;\nCREATE TABLE IF NOT EXISTS settings (\n    id INTEGER PRIMARY KEY\n);"
    assert flyway_checksum(table) == "-723451720"
    column = "alter table location_history add column valid_until timestamp with time zone;"
    assert flyway_checksum(column) == "-1039259818"
    for same in (table.replace("\n", "\r\n"), table.replace("\n", "\r"), table + "\n", "\ufeff" + table):
        assert flyway_checksum(same) == "-723451720"
    assert flyway_checksum("SELECT '${name}'") == "", "a placeholder is not known here"


def test_flyway_and_rails_by_their_documentation(tmp_path: Path) -> None:
    """Versions in any form; failed, edited, repeated, undone, below a baseline; and that it is untested."""
    assert [flyway_name(n) for n in ("V1__a.sql", "V01_2__b.sql", "R__v.sql", "U1__a.sql", "a.sql")] == [
        "V1",
        "V1.2",
        "R__v",
        "",
        "",
    ]
    assert plain_version("1.0.0") == plain_version("01") == "1"
    place = folder(
        tmp_path / "f",
        {"V1__a.sql": GOOD, "V2__b.sql": GOOD, "V3__c.sql": GOOD, "V10__d.sql": GOOD, "R__v.sql": GOOD},
    )
    good = flyway_checksum(GOOD)

    def entry(number: int, said: str, checksum: str = good, success: bool = True) -> LedgerEntry:
        return LedgerEntry(
            said, f"2026-01-01 0{number}:00:00", number=number, checksum=checksum, success=success
        )

    base = (
        entry(1, "BASELINE 1", ""),
        entry(2, "SQL 2"),
        entry(3, "SQL 3.0"),
        entry(4, "SQL 10"),
        entry(5, "SQL R__v.sql"),
    )
    found = standing(place, LedgerEntries(LedgerKind.FLYWAY, "ledger", base))
    assert odd(found) == set()
    assert any("untested" in sentence for sentence in found.untold)
    wrong = (
        entry(1, "SQL 1", "12"),
        entry(2, "SQL 2", success=False),
        entry(3, "SQL 3"),
        entry(4, "UNDO_SQL 3"),
        entry(5, "SQL R__v.sql", "12"),
        entry(6, "SQL 77"),
    )
    assert odd(standing(place, LedgerEntries(LedgerKind.FLYWAY, "ledger", wrong))) == {
        ("edited", "V1", "fail"),
        ("failed", "V2", "fail"),
        ("pending", "V3", "work"),
        ("pending", "V10", "work"),
        ("pending", "R__v", "work"),
        ("no file", "V77", "fail"),
    } | {("out of order", "V3", "fail"), ("out of order", "V10", "fail")}
    found = standing(place, LedgerEntries(LedgerKind.FLYWAY, "ledger", wrong))
    assert {item.name: item.in_ledger for item in found.items}["V2"] is False, "what failed is not applied"
    rails = folder(tmp_path / "r", {"001_a.rb": "", "20260101000000_b.rb": "", "schema.rb": ""})
    found = standing(rails, rows("001", kind=LedgerKind.RAILS, times=False))
    assert odd(found) == {("pending", "20260101000000", "work")}


# --- waiting: its verdict and its words ----------------------------------------------------------------------


def test_the_verdict_of_every_end_of_a_wait() -> None:
    """PASS only where all are applied; an end without a good look at the ledger is INCONCLUSIVE."""
    file = MigrationItem("a.sql", True, False)
    work = MigrationFinding(Oddity.PENDING, StandingState.WORK, "a.sql", "is not there")
    unknown = MigrationFinding(Oddity.PENDING, StandingState.UNKNOWN, "a.sql", "may be")
    locked = MigrationFinding(Oddity.LOCKED, StandingState.FAIL, "", "is locked")
    unread = MigrationFinding(Oddity.NOT_READ, StandingState.UNKNOWN, "", "no right")

    def judged(end: WaitEnd, *findings: MigrationFinding, unreachable: str = "") -> Verdict:
        found = MigrationsStanding(LedgerKind.NAMES, "", "", (file,), findings)
        return judge_waited(Waited(datetime.now(UTC), 1.0, end, 1, unreachable=unreachable), found)

    assert judged(WaitEnd.APPLIED) is Verdict.PASS
    assert judged(WaitEnd.NEVER, work) is Verdict.FAIL
    assert judged(WaitEnd.TIMED_OUT, work) is Verdict.FAIL
    assert judged(WaitEnd.TIMED_OUT, locked) is Verdict.FAIL
    assert judged(WaitEnd.TIMED_OUT, work, unreachable="gone") is Verdict.INCONCLUSIVE
    assert judged(WaitEnd.TIMED_OUT, unknown) is Verdict.INCONCLUSIVE
    assert judged(WaitEnd.TIMED_OUT, unread) is Verdict.INCONCLUSIVE
    assert judged(WaitEnd.STOPPED, work) is Verdict.INCONCLUSIVE
    assert judge_waited(Waited(datetime.now(UTC), 1.0, WaitEnd.TIMED_OUT, 0), None) is Verdict.INCONCLUSIVE


def test_the_words_of_a_wait() -> None:
    """How far it is, and what the service says beside what is missing."""
    items = tuple(MigrationItem(f"{n}.sql", True, n == "a") for n in "abcdef")
    found = tuple(MigrationFinding(Oddity.PENDING, StandingState.WORK, f"{n}.sql", "") for n in "bcdef")
    said = progress_words(MigrationsStanding(LedgerKind.NAMES, "", "", items, found))
    assert said == "1 of 6 migrations applied; missing: b.sql, c.sql, d.sql and 2 more"
    now = datetime.now(UTC)
    assert (
        service_words(ServiceAnswer(now, 200, 3)) == "the service answers 200, and 3 migrations are missing"
    )
    assert service_words(ServiceAnswer(now, 200, 0)) == "the service answers 200"
    assert service_words(ServiceAnswer(now, None, 3)) == "the service does not answer"
    assert (
        service_words(ServiceAnswer(now, 302, None))
        == "the service answers 302; what is missing is not known"
    )


@pytest.mark.parametrize(
    "url",
    [
        "/api/health",
        "ftp://a/b",
        "http://",
        "http://u:secret@a/b",
        "http://[",
        "http://a:x/",
        "http://a/é",
        "http://a/b\r\nX: y",
    ],
)
def test_urls_that_are_none(url: str) -> None:
    """Refused in words, without repeating them: they may hold a secret."""
    with pytest.raises(UsageError) as refused:
        health_request(url)
    assert "secret" not in str(refused.value)


def test_an_unread_folder_is_one_finding() -> None:
    """Nothing is said of files that were not read."""
    found = migrations_standing(MigrationFolder("m", message="m is not a folder"), rows("a.sql"))
    assert [f.oddity for f in found.findings] == [Oddity.NOT_READ]
    assert found.items == (MigrationItem("a.sql", False, True, "2026-01-01 00:00:00+00"),)
    assert MigrationFile("a", "a", "", 0).remarks == ()
