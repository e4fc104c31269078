"""What a run can be turned into by rooms above this one: found by name, when it is asked for.

The nouns import nothing but the standard library, and a person who holds a Run wants ``run.to_html()``.
So the names stand here, and tests/test_floors.py holds each to a function that exists.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

ABOVE = {
    "json": "kisaan_validate.record.codec:run_to_json",
    "judgement": "kisaan_validate.verdict.judgement:judge",
    "html": "kisaan_validate.report.html:render_html",
    "frame": "kisaan_validate.report.frame:frame_of",
    "notebook": "kisaan_validate.report.notebook:notebook_html",
}
"""The function for each word."""


def forward(word: str, *arguments: Any) -> Any:
    """What the function for ``word`` returns."""
    # At the call: importing a room above this one at load would turn the floors upside down.
    module, _, name = ABOVE[word].partition(":")
    return getattr(import_module(module), name)(*arguments)
