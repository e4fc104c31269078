"""Every way to change the evidence of a run that the tampering gallery shows."""

from __future__ import annotations

from exhibits.archives import of_archives
from exhibits.files import flips, of_files
from exhibits.folders import of_folders
from exhibits.scene import Exhibit, Scene
from exhibits.signoffs import of_signoffs


def exhibits(scene: Scene) -> list[Exhibit]:
    """Every exhibit of the gallery."""
    return [*flips(scene), *of_signoffs(), *of_files(), *of_archives(), *of_folders()]
