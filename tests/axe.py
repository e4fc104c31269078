"""axe-core, out of the package that bundles it: what it finds on the page that a browser shows."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from browser import Browser
from conftest import missing

PACKAGE = "axe_playwright_python"
"""Only its ``axe.min.js`` is used; it is installed without what it depends on (``make needs`` does)."""

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

RUN = """axe.run(document, {runOnly: TAGS, rules: {"target-size": {enabled: SIZE}}, resultTypes: ["violations", "incomplete"]}).then((found) =>
  [...found.violations, ...found.incomplete.filter((f) => f.id !== "color-contrast")].map((f) =>
    `${f.id}: ${f.help}: ` + f.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")))"""


@cache
def _source() -> str:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        missing("axe-core is missing: .venv/bin/pip install --no-deps axe-playwright-python")
    assert spec is not None
    assert spec.submodule_search_locations
    return (Path(spec.submodule_search_locations[0]) / "axe.min.js").read_text(encoding="utf-8")


def findings(browser: Browser, *, paper: bool = False) -> list[str]:
    """What axe finds wrong, or cannot decide, with the page as it is now; one line each, [] if nothing.

    It is run in the page by the browser's own debugger, so that neither the page's policy nor its disabled
    scripts matter. Contrast that it cannot decide (text over a drawing) is left to the test that measures
    every text. On ``paper`` nothing is touched, so the size of what can be touched is no matter there.
    """
    tags = "[" + ",".join(f'"{tag}"' for tag in TAGS) + "]"
    browser.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": f"if (!window.axe) {{ {_source()} }}"})
    answer = browser.driver.execute_cdp_cmd(
        "Runtime.evaluate",
        {
            "expression": RUN.replace("TAGS", tags).replace("SIZE", "false" if paper else "true"),
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    assert "exceptionDetails" not in answer, answer["exceptionDetails"]
    found: list[str] = answer["result"]["value"]
    return found
