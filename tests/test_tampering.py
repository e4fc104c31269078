"""The tampering gallery: whatever is changed in the evidence of a run, ``verify`` names it; a clean bundle
verifies.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import Server, needs
from exhibits.scene import Scene, scene_of
from house import build
from tampering import PAGE, Answers, answers, table, written


@pytest.fixture(scope="module")
def scene(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two approved and bundled runs."""
    needs("ssh-keygen")
    house = build(server, tmp_path_factory.mktemp("gallery"))
    with scene_of(house) as made:
        yield made
    server.drop(house.database)
    server.sql(f"DROP ROLE reader_{house.database}")


def test_the_untouched_is_green(scene: Scene) -> None:
    """Bundles, folders and their chain verify, exit 0: else the gallery would prove nothing."""
    for path in (scene.second, scene.second.parent / f"{scene.id}.zip", scene.second.parent):
        answer = scene.house.cli("verify", str(path))
        assert answer.code == 0, answer.out
        assert "wrong " not in answer.out


@pytest.fixture(scope="module")
def found(scene: Scene) -> Answers:
    """What verify says of each exhibit."""
    return answers(scene)


@pytest.mark.slow
def test_every_exhibit_is_named(found: Answers) -> None:
    """Exit code and words, exhibit by exhibit; none is left unseen."""
    unseen = [
        (exhibit.title, code, lines)
        for exhibit, code, lines in found
        if code != exhibit.code or not any(exhibit.says in line for line in lines)
    ]
    assert not unseen, "\n".join(map(str, unseen))


def test_the_manual_shows_the_gallery(found: Answers) -> None:
    """docs/tampering.md is as ``python tests/tampering.py`` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    assert text == written(text, table(found)), "run: python tests/tampering.py"
