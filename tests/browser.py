"""A real headless Chromium for the tests, and what it saw while it loaded a page."""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import needs, wait_until
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--disable-dev-shm-usage",
)


STATE = "`${document.readyState} ${location.href.split('#')[0]}`"
"""Whether the document is complete, and which one it is."""


class Browser:
    """One page at a time; every load starts with empty logs."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(
        self, page: Path, *, width: int = 1280, script: bool = True, dark: bool = False, paper: bool = False
    ) -> None:
        """Load a file in a window of this width (CSS pixels), with or without JavaScript, light or dark, or
        as on paper.
        """
        cdp = self.driver.execute_cdp_cmd
        self._drain()
        cdp("Emulation.setScriptExecutionDisabled", {"value": not script})
        cdp(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        cdp("Emulation.setEmulatedMedia", {"media": "print" if paper else "", "features": [scheme]})
        self.visit(page.as_uri())

    def visit(self, address: str) -> None:
        """Load an address, with its fragment, as if it were typed into an empty window."""
        self.driver.get("about:blank")
        self._drain()
        self.driver.get(address)
        wait_until(lambda: self._there(address), 30)

    def _there(self, address: str) -> bool:
        """Whether the page is loaded; a renderer that was lost meanwhile is asked for it once more."""
        try:
            state = self.driver.execute_cdp_cmd(
                "Runtime.evaluate", {"expression": STATE, "returnByValue": True}
            )
            if state["result"].get("value") == f"complete {address.split('#')[0]}":
                return True
        except WebDriverException:
            self.driver.get(address)
        return False

    def _drain(self) -> None:
        self.driver.get_log("performance")
        self.driver.get_log("browser")

    def requests(self) -> list[str]:
        """Every address that was asked for since the page was opened, but the page itself and data inside
        it.
        """
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith(("file://", "data:"))]

    def complaints(self) -> list[str]:
        """What the console said: errors, warnings, violations of the content security policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def ask(self, script: str) -> Any:
        """The value of a JavaScript expression on the page (works with the page's own scripts disabled)."""
        answer = self.driver.execute_cdp_cmd(
            "Runtime.evaluate", {"expression": script, "returnByValue": True}
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it is printed on A4."""
        sheet = {"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": True, "preferCSSPageSize": True}
        return base64.b64decode(self.driver.execute_cdp_cmd("Page.printToPDF", sheet)["data"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that is gone afterwards, with its profile."""
    program, driver_program = needs("chromium"), needs("chromedriver")
    profile = tempfile.mkdtemp(prefix="kisaan-chromium-")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(driver_program))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)
