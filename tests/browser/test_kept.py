"""Pages that a browser keeps for going back, or prepares before anybody looks: its own doing, not events made up."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import FLAGS, Service, Website, tag
from tests.browser.test_blocking import NOTE, inert
from tests.browser.test_embeds import EMBEDS

pytestmark = pytest.mark.browser

HEAD = "<!doctype html><html lang=en><head><title>Shop</title>{}</head><body><h1>Shop</h1>"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    for site in ("shop", "asked", "decided"):
        service.publish(site, [website.url], ("analytics", "social"))
    with service:
        yield service


# Kept: the back/forward cache


@pytest.fixture(scope="module")
def keeping(browser: Browser) -> Iterator[Browser]:
    """A browser that keeps pages for going back, as everybody's does: Playwright switches that off."""
    off = ["--disable-back-forward-cache"]
    keeping = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=FLAGS, ignore_default_args=off)
    yield keeping
    keeping.close()


@pytest.fixture
def between(keeping: Browser, service: Service, website: Website, tracker: Website) -> Iterator[Callable[..., Page]]:
    """Decide on one page, go on to the next, decide there, go back: the first page, restored as it was left."""
    context = keeping.new_context(locale="en-GB")
    page = context.new_page()
    tracker.put("/frame", "<p>An embedded film")
    body = "<script>onpageshow = event => (window.kept ||= event.persisted)</script>" + inert(NOTE.format("a"))
    body += EMBEDS["iframe"].replace("TRACKER", tracker.url)

    def between(first: str, second: str) -> Page:
        website.put("/b", HEAD.format(tag(service)))
        page.goto(website.put("/a", HEAD.format(tag(service)) + body))
        for path, decide in (("a", first), ("b", second)):
            if not page.url.endswith(path):
                page.goto(f"{website.url}/{path}")
            page.wait_for_function("window.consent")
            page.evaluate(decide)
            page.wait_for_load_state("networkidle")  # a page that is still loading is not kept
        page.evaluate("setTimeout(() => history.back())")
        page.wait_for_function("window.kept", timeout=10_000)
        return page

    yield between
    context.close()


def test_a_page_that_was_kept_applies_what_was_granted_meanwhile(between, tracker: Website) -> None:
    page = between("", "document.querySelector('#consent-accept').click()")
    expect(page.locator("#consent-banner")).to_have_count(0)
    expect(page.get_by_role("button", name="Privacy settings")).to_be_visible()
    page.wait_for_function("frames[0]?.length == 0 && document.querySelector('#it').src")
    assert (page.evaluate("[consent.state.status, window.ran]"), tracker.requests) == (["given", ["a"]], ["/frame"])


def test_a_page_that_was_kept_goes_back_to_sleep_when_consent_was_withdrawn_meanwhile(between) -> None:
    page = between("consent.accept()", "consent.withdraw()")
    expect(page.locator(".consent-placeholder")).to_be_visible()
    assert page.evaluate("[consent.state.status, document.querySelector('#it').src]") == ["withdrawn", ""]
    page.evaluate("consent.accept()")
    assert page.evaluate("window.ran") == ["a"]


def test_a_page_that_was_kept_hears_the_other_tabs_again(between, website: Website) -> None:
    page = between("", "")
    other = page.context.new_page()
    other.goto(website.url + "/b")
    other.wait_for_function("window.consent")
    other.evaluate("consent.accept()")
    page.wait_for_function("consent.granted('social')")


# Prepared: speculation rules. Chromium prepares no page whose browser is driven, so this one drives itself.

PREPARING = """<script type=speculationrules>{"prerender": [{"urls": ["/next"], "eagerness": "immediate"}]}</script>
<script>setInterval(async () => {
  if (!window.consent || !(await fetch("/go")).ok || window.gone) return;
  window.gone = true; DECIDE; location.href = "/next";
}, 50)</script>"""
PREPARED = """<script>
const tell = when => fetch("/" + when + "?" + [document.prerendering, window.consent?.state.status, document.cookie > "",
  !!document.querySelector("#consent-banner"), document.activeElement.localName, window.ran]);
if (document.prerendering) {
  onload = () => setTimeout(tell, 300, "before");
  document.addEventListener("prerenderingchange", () => setTimeout(tell, 300, "after"));
}
</script>"""


@pytest.fixture
def alone(website: Website, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Opens an address in a browser that nobody drives."""
    started: list[subprocess.Popen] = []

    def alone(url: str) -> None:
        command = [shutil.which("chromium") or "", *FLAGS, "--headless=new", f"--user-data-dir={tmp_path / 'profile'}"]
        quiet = subprocess.DEVNULL
        started.append(subprocess.Popen([*command, url], stdout=quiet, stderr=quiet, start_new_session=True))

    yield alone
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)


def told(website: Website, when: str) -> list[str]:
    """What the page said of itself at a time."""
    said = until(lambda: [one for one in website.requests if one.startswith(f"/{when}?")])
    return unquote(said[0].partition("?")[2]).split(",")


def until(answer: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := answer()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def shown(service: Service, site: str) -> int:
    token = service.cli("token", "create", "--role", "auditor", "--site", site).strip()
    return sum(row["shown"] for row in service.json(f"/api/sites/{site}/stats?by=day", token)["items"])


@pytest.mark.parametrize(
    ("site", "decide", "after"),
    [
        ("asked", "", ["false", "unknown", "false", "true", "body", ""]),
        ("decided", "consent.accept()", ["false", "given", "true", "false", "body", "a"]),
    ],
)
def test_a_page_that_was_prepared_asks_nobody_before_it_is_looked_at(
    alone, service: Service, website: Website, site: str, decide: str, after: list[str]
) -> None:
    website.requests.clear()
    website.pages.pop("/go", None)
    head = HEAD.format(tag(service)).replace("/shop/", f"/{site}/")
    website.put("/next", head + inert(NOTE.format("a")) + PREPARED)
    alone(website.put("/start", head + PREPARING.replace("DECIDE", decide)))
    assert told(website, "before") == ["true", "", "false", "false", "body", ""]
    assert shown(service, site) == 0
    website.put("/go", "")
    assert told(website, "after") == after
    assert until(lambda: shown(service, site)) == 1  # the page before it
