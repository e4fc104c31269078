"""Thirty migrations, dangerous ones and harmless ones that look dangerous: each judged right, nothing more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gallery_migrations_score import FILES, FOLDER, GalleryLooks, differences, look, read_migration
from rehearsing import Stage, staged


@pytest.fixture(scope="module", params=[18, 15])
def gallery(request: Any) -> Iterator[tuple[Stage, str]]:
    """A scratch server of each version, and the gallery's database on it."""
    with staged(request.param) as stage:
        yield stage, stage.database((FOLDER / "setup.sql").read_text(encoding="utf-8"))


def test_there_are_thirty() -> None:
    """Of both kinds, each with a name and an expectation of its own."""
    migrations = [read_migration(path) for path in FILES]
    assert len(migrations) == 30
    assert sum(migration.dangerous for migration in migrations) == 16
    assert len({migration.what for migration in migrations}) == 30


def test_the_score_sees_what_is_missed_and_what_is_invented() -> None:
    """Else every rehearsal would be right."""
    some = GalleryLooks(frozenset({"a"}), frozenset({("t", "writers")}), frozenset())
    none = GalleryLooks(frozenset(), frozenset(), frozenset({("t", "readers")}))
    assert differences(some, some) == []
    assert differences(some, none) == [
        "finds: missed a",
        "keeps_out: missed ('t', 'writers')",
        "waits: invented ('t', 'readers')",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_judged_right(gallery: tuple[Stage, str], path: Path) -> None:
    """Its findings, whom its locks keep out, and who waits beside an open reader."""
    migration = read_migration(path)
    found, troubles = look(*gallery, migration)
    assert [*differences(migration.expected, found), *troubles] == []
