"""Changed sign-offs: their statements, signatures and keys, and which of them are there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from house import ASHA, BINOD, MALLORY, line_of

from exhibits.scene import Contents, Exhibit, Scene, amended
from kisaan_validate.signoff.statement import Caution, path_of, statement_text


def _edited(scene: Scene, at: int, name: str, **changes: object) -> Contents:
    """One statement changed, and signed again by somebody."""
    old = scene.statement(at)
    new = replace(old, **changes)  # type: ignore[arg-type]
    text = statement_text(new)
    files = {k: v for k, v in scene.bundle.items() if not k.startswith(path_of(old))}
    return {**files, path_of(new): text, f"{path_of(new)}.sig": scene.signature(text, name)}


def _edit_reason(scene: Scene, folder: Path) -> Path:
    path = scene.statements()[1]
    return amended(
        scene, folder, {**scene.bundle, path: scene.bundle[path].replace(b"looked at it", b"looked away")}
    )


def _wrong_key(scene: Scene, folder: Path) -> Path:
    return amended(scene, folder, _edited(scene, 1, MALLORY))


def _own_keys(scene: Scene, folder: Path) -> Path:
    files = _edited(scene, 1, MALLORY)
    files["signoffs/allowed_signers"] = (
        line_of(scene.house.folder, ASHA, "mallory") + line_of(scene.house.folder, BINOD)
    ).encode()
    return amended(scene, folder, files)


def _unsaid(scene: Scene, folder: Path) -> Path:
    accepted: tuple[Caution, ...] = ()
    return amended(scene, folder, _edited(scene, 2, BINOD, accepted=accepted))


def _other_signature(scene: Scene, folder: Path) -> Path:
    one, other = scene.statements()[1:3]
    return amended(scene, folder, {**scene.bundle, f"{one}.sig": scene.bundle[f"{other}.sig"]})


def _no_signature(scene: Scene, folder: Path) -> Path:
    return amended(
        scene, folder, {k: v for k, v in scene.bundle.items() if k != f"{scene.statements()[1]}.sig"}
    )


def _foreign_namespace(scene: Scene, folder: Path) -> Path:
    import subprocess

    path = scene.statements()[1]
    command = ["ssh-keygen", "-Y", "sign", "-f", scene.house.key(ASHA), "-n", "file"]
    signature = subprocess.run(command, input=scene.bundle[path], capture_output=True, check=True).stdout
    return amended(scene, folder, {**scene.bundle, f"{path}.sig": signature})


def _gone(at: int) -> Callable[[Scene, Path], Path]:
    def make(scene: Scene, folder: Path) -> Path:
        path = scene.statements()[at]
        return amended(scene, folder, {k: v for k, v in scene.bundle.items() if not k.startswith(path)})

    return make


def _newest_gone(scene: Scene, folder: Path) -> Path:
    run = Path(shutil.copytree(scene.second, folder / scene.id))
    for path in run.glob("signoffs/0003-*"):
        path.unlink()
    assert scene.house.cli("bundle", str(run)).code == 0
    return folder / f"{scene.id}.zip"


def _renumbered(scene: Scene, folder: Path) -> Path:
    path = scene.statements()[2]
    new = path.replace("/0003-", "/0001-")
    files = {k.replace(path, new): v for k, v in scene.bundle.items()}
    return amended(scene, folder, files)


def _of_another_run(scene: Scene, folder: Path) -> Path:
    files = {k: v for k, v in scene.bundle.items() if not k.startswith("signoffs/0")}
    return amended(
        scene, folder, files | {k: v for k, v in scene.other.items() if k.startswith("signoffs/0")}
    )


def of_signoffs() -> list[Exhibit]:
    """The exhibits, in the order of the gallery."""
    a = "signoffs/0002-approve-asha-example-org.json"
    return [
        Exhibit("reason in a statement", _edit_reason, f"{a}: the signature does not match the statement"),
        Exhibit(
            "statement signed by a key not allowed",
            _wrong_key,
            "may not sign for 'asha@example.org'",
        ),
        Exhibit(
            "the same, with that key in the bundle's allowed signers",
            _own_keys,
            "may not sign for 'asha@example.org'",
        ),
        Exhibit(
            "approval that does not accept the verdict",
            _unsaid,
            "it approves without accepting: the verdict is FAIL",
        ),
        Exhibit(
            "another person's signature",
            _other_signature,
            f"{a}: the signature does not match the statement",
        ),
        Exhibit("signature removed", _no_signature, f"{a}: its signature is missing"),
        Exhibit(
            "signature for another namespace",
            _foreign_namespace,
            f"{a}: the signature does not match the statement",
        ),
        Exhibit(
            "sign-off removed that later ones name",
            _gone(0),
            "it existed when others signed and is now missing",
        ),
        Exhibit(
            "newest sign-off removed",
            _gone(2),
            "report.html: it differs from what these facts and sign-offs render",
        ),
        Exhibit(
            "newest sign-off removed, the bundle rebuilt",
            _newest_gone,
            "Not approved: has 1 of 2 approvals",
            3,
        ),
        Exhibit("sign-off renamed", _renumbered, "but was signed as signoffs/0003-approve"),
        Exhibit("sign-offs of another run", _of_another_run, "run.json differs from what was signed"),
    ]
