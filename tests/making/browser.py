"""A real Chromium without a window, driven by Selenium."""

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_core_python.base import AXE_FILE_PATH
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_CHROMIUM = shutil.which("chromium")
_DRIVER = shutil.which("chromedriver")
_PATIENCE_S = 200


class Browser:
    """What a test asks of a page."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1600, dark: bool = False) -> None:
        """Open a page and wait until its charts are drawn."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(page.as_uri())
        deadline = time.monotonic() + _PATIENCE_S
        while not self.run("return document.documentElement.hasAttribute('data-drawn')"):
            assert time.monotonic() < deadline, self.complaints()
            time.sleep(0.05)

    def run(self, script: str, *arguments: object) -> object:
        """Run a script in the page, and return what it returns."""
        return self.driver.execute_script(script, *arguments)

    def complaints(self) -> list[str]:
        """Return what the page has written to the console."""
        return self._log("browser")

    def _log(self, kind: str) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log(kind)]  # type: ignore[no-untyped-call]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last time."""
        messages = [json.loads(message)["message"] for message in self._log("performance")]
        return [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]

    def accessibility_faults(self) -> list[tuple[str, str]]:
        """Return the rules of axe-core that the page breaks seriously, with the first element that does."""
        self.run(AXE_FILE_PATH.read_text())
        found = self.driver.execute_async_script(
            "const done = arguments[0];"
            "axe.run({resultTypes: ['violations']}).then((results) => done(results.violations.map("
            "(one) => [one.id, one.impact, one.nodes[0].html])))"
        )
        return [(rule, html) for rule, impact, html in found if impact in ("serious", "critical")]


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser, and end it; a test is skipped where there is none."""
    if _CHROMIUM is None or _DRIVER is None:
        pytest.skip("no Chromium here (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    # --no-sandbox: root may not use it, and the pages are our own.
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    driver.set_script_timeout(_PATIENCE_S)
    try:
        yield Browser(driver)
    finally:
        driver.quit()
