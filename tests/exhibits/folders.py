"""Changed folders: a link in a run's own, and runs taken out, swapped or made again in that of the reports."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from exhibits.scene import Exhibit, Scene


def _chain(change: Callable[[Scene, Path], None]) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        reports = Path(shutil.copytree(scene.second.parent, folder / "reports"))
        change(scene, reports)
        return reports

    return make


def _swap(scene: Scene, reports: Path) -> None:
    (reports / scene.first.name).rename(reports / "x")
    (reports / scene.second.name).rename(reports / scene.first.name)
    (reports / "x").rename(reports / scene.second.name)


def _take_out(scene: Scene, reports: Path) -> None:
    shutil.rmtree(reports / scene.second.name)


def _take_first(scene: Scene, reports: Path) -> None:
    shutil.rmtree(reports / scene.first.name)


def _redo(scene: Scene, reports: Path) -> None:
    path = reports / scene.first.name / "run.json"
    path.write_text(path.read_text().replace('"olga"', '"vera"'))


def _link(scene: Scene, folder: Path) -> Path:
    run = Path(shutil.copytree(scene.second, folder / scene.id))
    (run / "waivers.toml").rename(run.parent / "elsewhere")
    (run / "waivers.toml").symlink_to(run.parent / "elsewhere")
    return run


def of_folders() -> list[Exhibit]:
    """The exhibits, in the order of the gallery."""
    return [
        Exhibit("symbolic link in a run's folder", _link, "waivers.toml: it is a symbolic link"),
        Exhibit(
            "run taken out of the reports",
            _chain(_take_out),
            "is missing",
        ),
        Exhibit(
            "oldest run taken out of the reports",
            _chain(_take_first),
            "older runs are kept elsewhere or were removed",
            3,
        ),
        Exhibit("two runs swapped", _chain(_swap), "chain: "),
        Exhibit("run changed that a later one names", _chain(_redo), "was changed afterwards"),
    ]
