"""The corruption gallery: what is planted is found exactly, and nothing else; the undamaged copy yields
nothing.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from conftest import ROOT, Server
from dumps import restored
from gallery_score import build_clean, compare, examine, judged, read_gallery, score

from kisaan_validate.compare.patterns.watch import (
    EXCHANGED,
    FURTHER,
    LIBRARY,
    RENUMBERED,
    REPEATED,
    UNEXPLAINED,
)
from kisaan_validate.facts.result import MASKED
from kisaan_validate.facts.row_differences import Kind
from kisaan_validate.live.options import DiffOptions
from kisaan_validate.live.repeats import DUPLICATED
from kisaan_validate.live.run import diff_rows
from kisaan_validate.postgres.target import find_target

GALLERY = read_gallery()
SAMPLE = (
    "equal_sums",
    "amounts_exchanged",
    "columns_swapped",
    "lose_one_double_one",
    "composite_key",
    "references_asleep",
    "arrays_of_composites",
    "duplicate_keys",
    "names_in_mojibake",
)
"""What `make test` looks at; `make test-all` and `make gallery` look at all."""


@pytest.fixture(scope="module")
def clean(server: Server) -> Iterator[str]:
    """The name of a cleanly migrated market's database."""
    name = build_clean(server)
    yield name
    server.drop(name)
    server.sql("DROP ROLE demo_reader")  # the demo makes it itself, on the same server


def _cases(all: bool) -> list[object]:
    chosen = [c for c in GALLERY if (c.name[3:] in SAMPLE) is not all]
    return [pytest.param(c, id=c.name, marks=pytest.mark.slow if all else ()) for c in chosen]


@pytest.mark.parametrize("corruption", [*_cases(False), *_cases(True)])
def test_what_is_planted_is_found_and_nothing_else(server: Server, clean: str, corruption: object) -> None:
    """The right table, exactly these rows, exactly these columns, the right pattern with its number."""
    assert score(server, clean, corruption).missed == ()  # type: ignore[arg-type]


def test_the_undamaged_copy_yields_nothing(server: Server, clean: str) -> None:
    """Everything was compared, and nothing differs."""
    copy = server.create(template=clean)
    found, seen = compare(server, clean, copy)
    server.drop(copy)
    assert found.known
    assert not found.differs
    assert not seen.keys
    assert sum(table.rows_before or 0 for table in found.tables) > 12_000


@pytest.mark.slow
def test_a_market_that_15_dumped_and_18_restored_is_the_same(server: Server, server15: Server) -> None:
    """Rows, views, checks, defaults and grants: none is called changed because another version prints it."""
    before = build_clean(server15)
    server.sql("DO $$BEGIN CREATE ROLE demo_reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
    after = restored(server15, before, server)
    options = DiffOptions()
    found = diff_rows(find_target(server15.dsn(before)), find_target(server.dsn(after)), options)
    assert found.unknown == ()
    assert found.schema == ()
    assert not found.differs
    server15.drop(before)
    server15.sql("DROP ROLE demo_reader")
    server.drop(after)


def test_a_find_that_is_not_planted_counts_as_a_miss(server: Server, clean: str) -> None:
    """The score itself is broken by hand: another column, another pattern, one row more, another table, an
    index.
    """
    flipped = next(c for c in GALLERY if c.name.endswith("sign_flipped"))
    (plant,) = flipped.rows
    once = examine(server, clean, flipped)
    assert judged(flipped, once).found
    assert not judged(replace(flipped, rows=(replace(plant, columns=("status",)),)), once).found
    assert not judged(replace(flipped, rows=(replace(plant, pattern="power of ten"),)), once).found
    more = (
        "UPDATE kisaan_payments SET amount = -amount WHERE id = 1; UPDATE kisaan_shops SET status = "
        "'inactive' WHERE id = 1; CREATE INDEX extra ON kisaan_payments (amount);"
    )
    missed = score(server, clean, replace(flipped, sql=flipped.sql + more)).missed
    assert "table kisaan_shops" in missed
    assert "schema ('index', 'kisaan_payments', 'extra', 'added')" in missed
    assert "other rows changed of kisaan_payments" in missed


@pytest.mark.slow
def test_the_command_says_the_pattern(server: Server, clean: str, tmp_path: Path) -> None:
    """On the console and in the JSON; what is personal is not quoted; without patterns none is sought."""
    copy = server.create(
        "UPDATE mandi_members SET email = 'nobody@example.in' WHERE email IS NULL;"
        "UPDATE kisaan_transactions SET status = 'done' WHERE status = 'pending'",
        template=clean,
    )
    words = ["diff", "--before", server.dsn(clean), "--after", server.dsn(copy), "--samples", "0"]

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kisaan_validate", *words, *more]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}
        )

    shown = run("--format", "json", "-o", "diff.json")
    assert shown.returncode == 1
    assert (
        "pattern  kisaan_transactions.status: 'pending' became 'done' in 52 of 52 changed rows"
        in shown.stdout
    )
    assert (
        f"pattern  mandi_members.email: constant backfilled, {MASKED}, in 270 of 270 changed rows"
        in shown.stdout
    )
    text = (tmp_path / "diff.json").read_text()
    assert "nobody@example.in" not in text + shown.stdout
    (status,) = [
        p for t in json.loads(text)["tables"] if t["table"] == "kisaan_transactions" for p in t["patterns"]
    ]
    assert (status["name"], status["columns"], status["rows"]) == ("value replaced", ["status"], 52)
    assert status["facts"] == {"from": "pending", "to": "done"}
    without = run("--no-patterns")
    assert without.returncode == 1
    assert "pattern " not in without.stdout
    server.drop(copy)


def test_the_gallery_holds_what_was_asked_of_it() -> None:
    """At least forty corruptions; every pattern; rows added, removed and changed; the catalogue."""
    assert len(GALLERY) >= 40
    planted = {plant.pattern for c in GALLERY for plant in c.rows}
    rows = {DUPLICATED, RENUMBERED, EXCHANGED, UNEXPLAINED}
    assert {p.name for p in LIBRARY} | rows <= planted | {REPEATED, FURTHER}
    assert {plant.kind for c in GALLERY for plant in c.rows} == set(Kind)
    assert len({change[0] for c in GALLERY for change in c.schema}) >= 8


def test_the_page_is_the_score_of_this_gallery() -> None:
    """docs/gallery.md counts each corruption, all of them found: `make gallery` was run since the last was
    added.
    """
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert f"**{len(GALLERY)} of {len(GALLERY)} found**" in page
    assert "MISSED" not in page


@pytest.mark.slow
def test_one_paisa_in_five_million_rows(server: Server) -> None:
    """The row, the column, and both values."""
    before = server.create(
        "CREATE UNLOGGED TABLE payments (id bigint PRIMARY KEY, buyer int, amount numeric(18,2), at "
        "timestamptz, note text);"
        "INSERT INTO payments SELECT n, n % 10007, (n * 7919::bigint % 100000007) / 100.0, timestamptz "
        "'2024-01-01' + n * interval '7 s', 'payment ' || n"
        " FROM generate_series(1, 5000000) n; ANALYZE payments"
    )
    after = server.create("UPDATE payments SET amount = amount + 0.01 WHERE id = 3141592", template=before)
    found, seen = compare(server, before, after)
    (table,) = found.tables
    assert (table.rows_before, table.added, table.removed, table.changed) == (5_000_000, 0, 0, 1)
    assert table.columns == {"amount": 1}
    assert seen.keys == {("payments", Kind.CHANGED): {("3141592",)}}
    ((before_value, after_value),) = [(c.before["amount"], c.after["amount"]) for c in table.samples]
    assert Decimal(after_value or "NaN") - Decimal(before_value or "NaN") == Decimal("0.01")
    assert [(p.name, p.rows) for p in table.patterns] == [(UNEXPLAINED, 1)]
    for name in (before, after):
        server.drop(name)
