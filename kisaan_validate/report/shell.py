"""What every page is made in: its templates, its policy, its icon, and texts for its style sheet."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, StrictUndefined

from kisaan_validate.facts.result import Verdict
from kisaan_validate.report import text
from kisaan_validate.report.compiled import CompiledLoader
from kisaan_validate.report.svg import ICON_PATHS
from kisaan_validate.text.numbers import counted

VERDICT_ICONS = {Verdict.PASS: "pass", Verdict.FAIL: "fail", Verdict.INCONCLUSIVE: "error"}
"""The sign of each verdict, a name in ``ICON_PATHS``."""

COLOURS = {"pass": "#1a6b37", "fail": "#b3261e", "error": "#8a4b00"}
"""The colour of each of these signs where no style sheet reaches: in an icon, in a notebook."""


def environment(filters: Mapping[str, Callable[..., object]]) -> Environment:
    """The templates of ``report/templates`` with the filters that all pages share, and these beside them."""
    made = Environment(
        loader=CompiledLoader(),
        # Everything is escaped unless it was made Markup on purpose: names and values come from the database.
        autoescape=True,
        # A misspelt name in a template would otherwise print nothing, and a finding could vanish.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "prose": text.prose,
        "named": text.named,
        "sentence": text.sentence,
        "plain": text.plain,
        "number": text.number,
        "counted": counted,
        "utc": text.utc,
        "duration": text.duration,
        "anchored": lambda name, prefix: text.anchor(prefix, name),
    }
    made.filters |= filters
    return made


@cache
def source(name: str) -> str:
    """A style sheet or script of ``report/templates``, as it stands in a page."""
    return files("kisaan_validate.report").joinpath("templates", name).read_text(encoding="utf-8")


def policy(style: str, script: str = "") -> str:
    """The Content-Security-Policy that lets nothing in but this page's own style and script, by their
    SHA-256 (W3C CSP Level 3).
    """
    directives = [
        # Nothing may be fetched: a page that is mailed must not tell anyone that it was opened.
        "default-src 'none'",
        f"style-src {_hash(style)}",
        *([f"script-src {_hash(script)}"] if script else []),
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        # The script may not turn text into HTML, whatever a value holds.
        "require-trusted-types-for 'script'",
    ]
    return "; ".join(directives)


def _hash(part: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}'"


def css_text(words: str) -> str:
    """Text for a string of a style sheet: nothing in it can end the string."""
    # A blank ends the escape: without it a following hex digit would belong to it.
    return re.sub(r"[^A-Za-z0-9 ._-]", lambda match: f"\\{ord(match[0]):x} ", text.flat(words))


def favicon(sign: str) -> str:
    """The icon of a page as a data URL: a sign of ``COLOURS`` on its colour."""
    drawing = (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'><rect width='16' height='16' rx='4' "
        f"fill='{COLOURS[sign]}'/>"
        f"<path d='{ICON_PATHS[sign]}' fill='none' stroke='#fff' stroke-width='2'/></svg>"
    )
    # quote() also escapes the # of the colours, which would begin a fragment.
    return "data:image/svg+xml," + quote(drawing)
