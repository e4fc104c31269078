"""The page templates as Jinja2 compiled them ahead, in ``templates/compiled``: compiling them takes longer
than most runs.

What was compiled from another text, or by a Jinja2 whose compiled form is another, is not used: then the
template is compiled as ever. ``python tests/make_templates.py`` makes the files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, MutableMapping
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, Template
from jinja2.bccache import bc_version

FOLDER = "templates/compiled"


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
        made = _ahead(name, source)
        # Under the template's own file name, so that a traceback shows its lines.
        code = compile(made, filename, "exec") if made else environment.compile(source, name, filename)
        current: Callable[[], bool] | None = uptodate
        return environment.template_class.from_code(environment, code, globals or {}, current)


def _ahead(name: str, source: str) -> str:
    """The compiled form of a template, as Python; "" if there is none of just this text."""
    try:
        made = files("kisaan_validate.report").joinpath(FOLDER, f"{name}.txt").read_text(encoding="utf-8")
    except OSError:
        return ""
    return made if made.startswith(f"{head_of(source)}\n") else ""
