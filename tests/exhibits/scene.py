"""The scene that is tampered with, what an exhibit is, and bundles packed of changed files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from house import ASHA, BINOD, House

from kisaan_validate.signoff.archive import SUMS, pack, sums, unpack
from kisaan_validate.signoff.keys import sign
from kisaan_validate.signoff.statement import Statement, read_statement

Contents = dict[str, bytes]


@dataclass
class Scene:
    """Three recorded, approved and bundled runs of one house. The second is tampered with."""

    house: House
    first: Path
    second: Path
    bundle: Contents
    other: Contents

    @property
    def id(self) -> str:
        """The run that is tampered with."""
        return self.second.name

    def statements(self) -> list[str]:
        """The paths of its statements, in order."""
        return sorted(name for name in self.bundle if name.startswith("signoffs/") and name.endswith(".json"))

    def statement(self, at: int) -> Statement:
        """One of its statements."""
        path = self.statements()[at]
        return read_statement(self.bundle[path], path)

    def signature(self, text: bytes, name: str) -> bytes:
        """A signature by somebody's key."""
        return sign(text, Path(self.house.key(name)))


@dataclass(frozen=True)
class Exhibit:
    """One way to tamper. ``make`` gets the scene and an empty folder, and returns what is to be verified;
    ``says`` must stand in the answer, ``code`` be its exit code."""

    title: str
    make: Callable[[Scene, Path], Path]
    says: str
    code: int = 1


@contextmanager
def scene_of(house: House) -> Iterator[Scene]:
    """Three runs, approved by two people and attested, and their bundles."""
    folders, bundles = [], []
    for _ in range(3):
        run = house.run("--baseline", "pre.json", "--contract", "contract.toml")
        for said in (
            house.attest(run),
            house.sign(run, ASHA, "--accept-verdict"),
            house.sign(run, BINOD, "--accept-verdict"),
            house.cli("bundle", str(run)),
        ):
            assert said.code == 0, said
        folders.append(run)
        bundles.append(dict(unpack(run.parent / f"{run.name}.zip").files))
    yield Scene(house, folders[0], folders[1], bundles[1], bundles[0])


def amended(scene: Scene, folder: Path, files: Contents) -> Path:
    """A bundle of changed files whose SHA256SUMS was made again, as whoever tampers on purpose would."""
    return packed(scene, folder, {**files, SUMS: sums(files)})


def packed(scene: Scene, folder: Path, files: Contents) -> Path:
    path = folder / f"{scene.id}.zip"
    path.write_bytes(pack(scene.id, files))
    return path
