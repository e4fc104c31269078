"""The demonstration's files: schema, data, faults, migrations and manifest are data, not code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from kisaan_validate.dataclass import dataclass
from kisaan_validate.errors import UsageError

FIELD, CLEAN, PUBLIC = "migrations", "migrations_clean", "public"


@dataclass(frozen=True)
class Assets:
    """Where the story's files are: ``demo`` and the suite ``checks``."""

    demo: Path
    checks: Path

    def contract(self, clean: bool) -> Path:
        """What the field migrations, or the clean ones, promise."""
        if clean:
            return self.demo / CLEAN / "contract.toml"
        return self.checks / "contracts" / "2025-10-18.toml"

    def database(self, public: bool) -> Path:
        """The folder with schema, data, faults and manifest of an installation: of the public schema, or
        of the other kind.
        """
        return self.demo / PUBLIC if public else self.demo

    def manifest(self, public: bool = False) -> dict[str, Any]:
        """The planted faults, as ``manifest.toml`` lists them."""
        return tomllib.loads(text_of(self.database(public) / "manifest.toml"))


def find_assets() -> Assets:
    """The story's files: inside an installed wheel, else in the source checkout. Raises UsageError."""
    package = Path(__file__).resolve().parents[2]
    # The wheel's own copy first: beside an installed package lies somebody else's folder.
    for root in (package / "_demo", package.parent):
        if (root / "demo" / "manifest.toml").exists() and (root / "checks").is_dir():
            return Assets(root / "demo", root / "checks")
    raise UsageError("the demo's files are not installed", "reinstall kisaan-validate")


def text_of(path: Path) -> str:
    """A file of the story as text."""
    return path.read_text(encoding="utf-8")
