"""The gallery of damaged dumps: each is judged right, by exactly the reasons expected."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Server
from gallery_dumps.damages import Damage, damages
from gallery_dumps.material import Material, material
from gallery_dumps.score import certificate_of, missed

QUICK = [d for d in damages() if d.quick]
REST = [d for d in damages() if not d.quick]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that another account may enter, as scratch servers need it."""
    with tempfile.TemporaryDirectory(prefix="kisaan-gallery-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def of_18(server: Server, folder: Path) -> Material:
    """The database and its baseline on PostgreSQL 18."""
    (folder / "18").mkdir()
    return material(server, folder / "18")


@pytest.fixture(scope="module")
def of_15(server15: Server, folder: Path) -> Material:
    """The same on PostgreSQL 15."""
    (folder / "15").mkdir()
    return material(server15, folder / "15")


def test_the_gallery_is_whole() -> None:
    """At least 30 damages, each with a name of its own."""
    every = damages()
    assert len({d.name for d in every}) == len(every)
    assert sum(not d.name.startswith("whole") for d in every) >= 30


@pytest.mark.parametrize("damage", QUICK, ids=lambda d: d.name)
def test_a_few(damage: Damage, of_18: Material) -> None:
    """Those that tell most, on PostgreSQL 18."""
    assert missed(damage, certificate_of(damage, of_18, of_18.folder / "case")) == ""


@pytest.mark.slow
@pytest.mark.parametrize("damage", REST, ids=lambda d: d.name)
def test_the_others(damage: Damage, of_18: Material) -> None:
    """All others, on PostgreSQL 18."""
    assert missed(damage, certificate_of(damage, of_18, of_18.folder / "case")) == ""


@pytest.mark.slow
@pytest.mark.parametrize("damage", damages(), ids=lambda d: d.name)
def test_on_15(damage: Damage, of_15: Material) -> None:
    """All of them, on PostgreSQL 15."""
    assert missed(damage, certificate_of(damage, of_15, of_15.folder / "case")) == ""
