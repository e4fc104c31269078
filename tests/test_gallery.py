"""The corruption gallery: what is planted is found exactly, and nothing else; the undamaged copy yields nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import ROOT, Server
from gallery_score import build_clean, compare, read_gallery, score

from kisaan_validate.diffing.repeats import DUPLICATED
from kisaan_validate.patterns.watch import EXCHANGED, FURTHER, LIBRARY, RENUMBERED, REPEATED, UNEXPLAINED
from kisaan_validate.rowdiff import Kind

GALLERY = read_gallery()
SAMPLE = (
    "equal_sums", "amounts_exchanged", "columns_swapped", "summer_time_zone", "mojibake", "lose_one_double_one", "renumbered",
    "orphans_loaded", "composite_key", "no_key_lose_one_double_one", "references_asleep", "sequence_behind", "table_lost",
)  # fmt: skip
"""What `make test` looks at; `make test-all` and `make gallery` look at all."""


@pytest.fixture(scope="module")
def clean(server: Server) -> Iterator[str]:
    """The name of a cleanly migrated market's database."""
    name = build_clean(server)
    yield name
    server.drop(name)


def _cases(all: bool) -> list[object]:
    chosen = [c for c in GALLERY if (c.name[3:] in SAMPLE) is not all]
    return [pytest.param(c, id=c.name, marks=pytest.mark.slow if all else ()) for c in chosen]


@pytest.mark.parametrize("corruption", [*_cases(False), *_cases(True)])
def test_what_is_planted_is_found_and_nothing_else(server: Server, clean: str, corruption: object) -> None:
    """The right table, exactly these rows, exactly these columns, the right pattern with its number."""
    judged = score(server, clean, corruption)  # type: ignore[arg-type]
    assert judged.missed == ()


def test_the_undamaged_copy_yields_nothing(server: Server, clean: str) -> None:
    """Everything was compared, and nothing differs."""
    copy = server.create(template=clean)
    found, seen = compare(server, clean, copy)
    server.drop(copy)
    assert found.known
    assert not found.differs
    assert not seen.keys
    assert sum(table.rows_before or 0 for table in found.tables) > 12_000


def test_a_find_that_is_not_planted_counts_as_a_miss(server: Server, clean: str) -> None:
    """The score itself is broken by hand: one row more, another column, another pattern, another table."""
    from dataclasses import replace

    flipped = next(c for c in GALLERY if c.name.endswith("sign_flipped"))
    (plant,) = flipped.rows
    assert score(server, clean, flipped).found
    more = replace(flipped, sql=flipped.sql + "UPDATE kisaan_payments SET amount = -amount WHERE id = 1;")
    other = replace(flipped, sql=flipped.sql + "UPDATE kisaan_shops SET status = 'inactive' WHERE id = 1;")
    ddl = replace(flipped, sql=flipped.sql + "CREATE INDEX ON kisaan_payments (amount);")
    column = replace(flipped, rows=(replace(plant, columns=("status",)),))
    pattern = replace(flipped, rows=(replace(plant, pattern="power of ten"),))
    assert [score(server, clean, wrong).found for wrong in (more, other, ddl, column, pattern)] == [False] * 5


def test_the_gallery_holds_what_was_asked_of_it() -> None:
    """At least forty corruptions; every pattern; rows added, removed and changed; the catalogue."""
    assert len(GALLERY) >= 40
    planted = {plant.pattern for c in GALLERY for plant in c.rows}
    rows = {DUPLICATED, RENUMBERED, EXCHANGED, UNEXPLAINED}
    assert {p.name for p in LIBRARY} | rows <= planted | {REPEATED, FURTHER}
    assert {plant.kind for c in GALLERY for plant in c.rows} == set(Kind)
    assert len({change[0] for c in GALLERY for change in c.schema}) >= 8


def test_the_page_is_the_score_of_this_gallery() -> None:
    """docs/gallery.md lists each corruption, all of them found: `make gallery` was run since the last was added."""
    page = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    assert f"**{len(GALLERY)} of {len(GALLERY)} found**" in page
    assert all(f"| {c.name[3:].replace('_', ' ')}: {c.title} |" in page for c in GALLERY)
    assert "MISSED" not in page
