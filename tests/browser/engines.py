"""Browsers that Playwright does not drive as Debian packages them: Firefox by WebDriver BiDi, WebKit by WebDriver.

Both evaluate expressions (promises are awaited) and take the same commands: `fresh` (a profile without anything in it),
`goto`, `wait` (until an expression holds), `click`, `press`, and `errors` (what pages threw since last asked).
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.common import WebDriverException
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

WATCH = (
    "<script nonce=r4nd0m>failures = []; addEventListener('error', it => it.message && failures.push(it.message)); "
    "addEventListener('unhandledrejection', it => failures.push('' + it.reason))</script>"
)
"""Stands first in every page: WebDriver tells nothing of errors."""


class Firefox:
    """A running Firefox; each command is one of firefox.mjs."""

    executable = shutil.which("firefox-esr") or shutil.which("firefox")
    driver = shutil.which("node")
    package = "firefox-esr"

    def __init__(self) -> None:
        program = Path(__file__).with_name("firefox.mjs")
        self._process = subprocess.Popen(
            [str(self.driver), program, str(self.executable)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def do(self, *command: str) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer.get("value")

    def evaluate(self, code: str) -> Any:
        return self.do("evaluate", code)

    def close(self) -> None:
        self._process.communicate(timeout=30)


class WebKit:
    """A running WebKitGTK, on a screen that nobody sees: it has no headless mode."""

    executable = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"), None)
    driver = shutil.which("WebKitWebDriver")
    package = "webkit2gtk-driver"

    def __init__(self) -> None:
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"]
        self._screen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._screen.stdout
        self._display = ":" + self._screen.stdout.readline().strip()
        self._page: webdriver.WebKitGTK | None = None
        self._failures: list[str] = []

    def do(self, name: str, *given: str) -> Any:
        return getattr(self, "_" + name)(*given)

    def close(self) -> None:
        self._quit()
        self._screen.communicate(self._screen.terminate(), timeout=30)

    def _quit(self) -> None:
        if self._page:
            self._page.quit()
            self._page = None

    def _fresh(self) -> None:
        self._quit()
        options = Options()
        options.binary_location = str(self.executable)
        options.add_argument("--automation")
        service = Service(self.driver, env={**os.environ, "DISPLAY": self._display})
        self._page = webdriver.WebKitGTK(options, service)

    @property
    def page(self) -> webdriver.WebKitGTK:
        assert self._page, "`fresh` comes first"
        return self._page

    def _goto(self, url: str) -> None:
        self._failures += self._heard()
        self.page.get(url)

    def evaluate(self, code: str) -> Any:
        return self.page.execute_script(f"return ({code})")

    def _wait(self, code: str) -> None:
        """A page that reloads has nothing to say for a moment."""
        until = time.monotonic() + 15
        while not self._holds(code):
            assert time.monotonic() < until, code
            time.sleep(0.05)

    def _holds(self, code: str) -> bool:
        try:
            return self.evaluate(f"!!({code})")
        except WebDriverException:
            return False

    def _click(self, selector: str) -> None:
        self.page.find_element("css selector", selector).click()

    def _press(self, key: str) -> None:
        webdriver.ActionChains(self.page).send_keys(getattr(Keys, key.upper(), key)).perform()

    def _errors(self) -> list[str]:
        """Those of a page that reloaded by itself went with it."""
        told, self._failures = self._failures + self._heard(), []
        return told

    def _heard(self) -> list[str]:
        return self.evaluate("window.failures?.splice(0) ?? []")


ENGINES = {engine.__name__: engine for engine in (Firefox, WebKit)}
