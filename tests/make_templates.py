"""Compile the page templates ahead: ``python tests/make_templates.py`` (see report/compiled.py)."""

from __future__ import annotations

import sys
from pathlib import Path

from jinja2 import Environment, TemplateAssertionError

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from kisaan_validate.report import (  # noqa: E402
    certificate_page,
    diff_page,
    html,
    index,
    preflight_page,
    probe_page,
    rehearsal_page,
    rollout_page,
)
from kisaan_validate.report.compiled import FOLDER, head_of  # noqa: E402

PAGES = (
    diff_page,
    certificate_page,
    rehearsal_page,
    preflight_page,
    probe_page,
    rollout_page,
)


def compiled_by(environment: Environment, name: str, source: str) -> str | None:
    """The Python of a template by one page's environment; None if it uses filters of another page."""
    try:
        return str(environment.compile(source, name, raw=True))
    except TemplateAssertionError:
        return None


def compiled() -> dict[str, str]:
    """The compiled form of each template, by its file name."""
    environments = [html._templates(), index._templates(), *(module.PAGE.environment for module in PAGES)]
    made = {}
    for path in sorted(FOLDER.parent.glob("*.j2")):
        source = path.read_text(encoding="utf-8")
        # One form for all pages that may use it, or it could not be one file.
        (text,) = {compiled_by(e, path.name, source) for e in environments} - {None}
        made[f"{path.name}.txt"] = f"{head_of(source)}\n{text}\n"
    return made


def main() -> None:
    """Write every file, and say which; remove those whose template is gone."""
    FOLDER.mkdir(exist_ok=True)
    made = compiled()
    for path in FOLDER.glob("*.txt"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print((FOLDER / name).relative_to(ROOT))


if __name__ == "__main__":
    main()
