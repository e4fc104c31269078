"""The page templates as Jinja2 compiled them ahead, in ``templates/compiled``: compiling them takes longer
than most runs.

What was compiled from another text, or by a Jinja2 whose compiled form is another, is not used: then the
template is compiled as ever. ``python tests/make_templates.py`` makes the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, MutableMapping
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

from jinja2 import Environment, PackageLoader, Template
from jinja2.bccache import bc_version

FOLDER = Path(__file__).parent / "templates" / "compiled"


def head_of(source: str) -> str:
    """The first line of a template's compiled form: what it was made of, and for which Jinja2."""
    return f"# {hashlib.sha256(source.encode()).hexdigest()} {bc_version}"


class CompiledLoader(PackageLoader):
    """The templates of ``report/templates``, compiled ahead where that still holds."""

    def __init__(self) -> None:
        super().__init__("kisaan_validate.report", "templates")

    def load(
        self, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None
    ) -> Template:
        """The template of this name."""
        source, filename, uptodate = self.get_source(environment, name)
        code = _ahead(name, source) or environment.compile(source, name, filename)
        current: Callable[[], bool] | None = uptodate
        made = environment.template_class.from_code(environment, code, globals or {}, current)
        # Of the template itself, so that a traceback shows its lines.
        made.filename = filename
        return made


def _ahead(name: str, source: str) -> CodeType | None:
    """The code of a template as it was compiled ahead; None if there is none of just this text."""
    path = FOLDER / f"{name}.txt"
    try:
        with path.open(encoding="utf-8") as file:
            if file.readline() != f"{head_of(source)}\n":
                return None
        # It is Python: its bytecode is kept beside it as that of any module.
        return SourceFileLoader(f"{__name__}.{name}", str(path)).get_code(f"{__name__}.{name}")
    except OSError:
        return None
