"""A folder (or a list of objects) becomes a Suite: checks, their rules, and a digest of all sources."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from kisaan_validate import declare
from kisaan_validate.declare import Declaration
from kisaan_validate.errors import SuiteError
from kisaan_validate.facts.totals import TotalSpec
from kisaan_validate.rules import plugins
from kisaan_validate.suite.building import build_suite
from kisaan_validate.suite.settings import SuiteSettings, read_settings
from kisaan_validate.suite.sources import read_source, source_files, sources_digest
from kisaan_validate.suite.suite import Suite

__all__ = ["Suite", "SuiteSettings", "load_suite", "suite_of"]


def load_suite(folder: str | Path) -> Suite:
    """Read a folder's ``*.py``, ``sql/*.sql`` and ``suite.toml``.

    Raises SuiteError, naming file and line, for anything that cannot be understood or proved, and
    UsageError, naming it, for a plugin that cannot be loaded.
    """
    # Before any file is read: a plugin under a taken name would change what a suite means.
    plugins.refuse_taken(vars(declare))
    root = Path(folder)
    if not root.is_dir():
        hint = "name the suite's folder with --suite, or draft one from a database: kisaan-validate init"
        raise SuiteError(f"there is no folder {str(folder)!r}", hint)
    # A leading underscore marks a helper, which is no source of checks.
    sources = [path for path in source_files(root) if not path.name.startswith("_")]
    settings_file = root / "suite.toml"
    settings = read_settings(settings_file) if settings_file.exists() else SuiteSettings()
    if not settings.name:
        settings = replace(settings, name=root.resolve().name)
    made: list[Declaration | TotalSpec] = []
    for path in sources:
        made += read_source(path, path.relative_to(root).as_posix())
    if not made:
        raise SuiteError(
            f"the folder {str(folder)!r} declares no checks",
            f"draft some from a database: kisaan-validate init -o {folder}; or write them by hand",
        )
    every = [*([settings_file] if settings_file.exists() else []), *sources]
    return build_suite(made, settings, _digest(root, every), tuple(_names(root, every)), str(folder))


def suite_of(*sources: Any, settings: SuiteSettings | None = None) -> Suite:
    """A suite of pandera models, schemas and declarations, without a folder."""
    made: list[Declaration | TotalSpec] = []
    for source in sources:
        if isinstance(source, (Declaration, TotalSpec)):
            made.append(source)
        else:
            from kisaan_validate.suite.pandera_source import Lines, declarations_of

            name = getattr(source, "__name__", None) or getattr(source, "name", None) or "schema"
            module = getattr(source, "__module__", "")
            found = declarations_of({str(name).lstrip("_"): source}, module, Lines(f"<{name}>", {}))
            if not found:
                raise SuiteError(
                    f"{source!r} is not a check source", "pass pandera models, schemas or declarations"
                )
            made += found
    settings = settings or SuiteSettings(name="suite")
    text = "\n".join(
        f"{d.name} {d.table} {d.columns} {d.rule.meaning()}" if isinstance(d, Declaration) else repr(d)
        for d in made
    )
    return build_suite(made, settings, hashlib.sha256(text.encode()).hexdigest(), (), "")


def _digest(root: Path, sources: list[Path]) -> str:
    # Sorted, so that the digest does not depend on the order of the folder.
    return sources_digest(
        [(path.relative_to(root).as_posix(), path.read_bytes()) for path in sorted(sources)]
    )


def _names(root: Path, sources: list[Path]) -> list[str]:
    return [path.relative_to(root).as_posix() for path in sorted(sources)]
