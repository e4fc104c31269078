"""Changed files of a bundle: facts, contract, waivers, sources, page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exhibits.scene import Exhibit, Scene, amended, packed
from kisaan_validate.signoff.archive import SUMS
from kisaan_validate.signoff.statement import sha256


def _flipped(data: bytes) -> bytes:
    """A byte changed to another that leaves text text and numbers numbers: of a count, of a reason, else
    the middle one.
    """
    marks = [m for m in (b'"violations": ', b'"reason": "') if m in data]
    at = data.index(marks[0]) + len(marks[0]) if marks else len(data) // 2
    while not chr(data[at]).isalnum():
        at += 1
    return data[:at] + (b"1" if data[at : at + 1] != b"1" else b"2") + data[at + 1 :]


def flips(scene: Scene) -> list[Exhibit]:
    """A byte of each file of the bundle, without and with SHA256SUMS amended."""
    found = []
    for name in scene.bundle:
        about = name.removesuffix(".sig")

        def careless(s: Scene, folder: Path, name: str = name) -> Path:
            return packed(s, folder, {**s.bundle, name: _flipped(s.bundle[name])})

        def careful(s: Scene, folder: Path, name: str = name) -> Path:
            return amended(s, folder, {**s.bundle, name: _flipped(s.bundle[name])})

        found.append(Exhibit(f"a byte of `{name}`", careless, name))
        if name != SUMS:
            found.append(Exhibit(f"a byte of `{name}`, SHA256SUMS recomputed", careful, about))
    return found


def _other_facts(scene: Scene, folder: Path) -> Path:
    return amended(scene, folder, {**scene.bundle, "run.json": scene.other["run.json"]})


def _other_contract(scene: Scene, folder: Path) -> Path:
    return _contract(scene, folder, amend=False)


def _other_contract_amended(scene: Scene, folder: Path) -> Path:
    return _contract(scene, folder, amend=True)


def _contract(scene: Scene, folder: Path, *, amend: bool) -> Path:
    old = scene.bundle["contract.toml"]
    new = old.replace(b"one note", b"two notes")
    assert new != old
    run = scene.bundle["run.json"]
    if amend:
        run = run.replace(sha256(old).encode(), sha256(new).encode())
    return amended(scene, folder, {**scene.bundle, "contract.toml": new, "run.json": run})


def _waiver(expires: bytes, *, amend: bool) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        old = scene.bundle["waivers.toml"]
        new = old.replace(b"2999-12-31", expires)
        run = scene.bundle["run.json"]
        if amend:
            run = run.replace(sha256(old).encode(), sha256(new).encode())
        return amended(scene, folder, {**scene.bundle, "waivers.toml": new, "run.json": run})

    return make


def _verdict(scene: Scene, folder: Path) -> Path:
    page = scene.bundle["report.html"]
    return amended(scene, folder, {**scene.bundle, "report.html": page.replace(b"FAIL", b"PASS")})


def _added(scene: Scene, folder: Path) -> Path:
    return packed(scene, folder, {**scene.bundle, "more.txt": b"x"})


def _added_amended(scene: Scene, folder: Path) -> Path:
    return amended(scene, folder, {**scene.bundle, "suite/more.py": b"x"})


def _removed(name: str) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        return amended(scene, folder, {k: v for k, v in scene.bundle.items() if k != name})

    return make


def of_files() -> list[Exhibit]:
    """The exhibits, in the order of the gallery."""
    return [
        Exhibit(
            "facts of another run",
            _other_facts,
            "run.json differs from what was signed",
        ),
        Exhibit(
            "contract swapped",
            _other_contract,
            "contract.toml: it differs from the file that the run used",
        ),
        Exhibit(
            "contract swapped, and its digest in run.json",
            _other_contract_amended,
            "contract.toml differs from what was signed",
        ),
        Exhibit(
            "waiver that has expired",
            _waiver(b"2020-01-01", amend=False),
            "waivers.toml: it differs from the file that the run used",
        ),
        Exhibit(
            "waiver that has expired, and its digest in run.json",
            _waiver(b"2020-01-01", amend=True),
            "waivers.toml differs from what was signed",
        ),
        Exhibit(
            "word FAIL on the page",
            _verdict,
            "report.html: it differs from what these facts and sign-offs render",
        ),
        Exhibit("file added", _added, "more.txt: it was added"),
        Exhibit(
            "source added to the suite",
            _added_amended,
            "suite/more.py: it was added",
        ),
        Exhibit("baseline removed", _removed("baseline.json"), "baseline.json: it is missing", 3),
        Exhibit("waivers removed", _removed("waivers.toml"), "waivers.toml: it is missing"),
        Exhibit(
            "source of the suite removed",
            _removed("suite/orders.py"),
            "suite/orders.py: the run names it as a source",
        ),
        Exhibit("page removed", _removed("report.html"), "report.html: it is missing"),
    ]
