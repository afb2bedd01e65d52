"""A desk to look at: the real service with a busy site, and an owner who is signed in."""

import json
import re
import urllib.request
import uuid
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.conftest import Service
from tests.browser.test_accessibility import AXE, FINDINGS, TAGS
from tests.conftest import ORIGIN

PASSWORD = "a long enough password"
SITE = "/admin/sites/shop"
VIEWS = {"desktop": (1280, 800), "phone": (360, 740)}
ASKED = ("analytics", "social")
KNOWN = "00aaaaaaaaaaaaaaaaaaaA"
"""A subject that chose."""
ERASED = "01aaaaaaaaaaaaaaaaaaaA"
"""Another, whom one may erase."""


def busy(folder: Path) -> Service:
    """A running service whose site `shop` has showings and choices; stop it in the end."""
    service = Service(folder / "data")
    service.publish("shop", [ORIGIN], ASKED, languages=["en", "de"], name="Shop")
    service.start("--workers", "1")
    for number in range(12):
        post(service, "displays", {"policy": 2, "language": "en", "surface": "banner", "first": True})
        granted = {"analytics": number % 2 == 0, "social": number % 3 == 0}
        action = "accept_all" if all(granted.values()) else "custom" if any(granted.values()) else "reject_all"
        subject = KNOWN if number == 0 else f"{number:02}".ljust(21, "a") + "A"
        choice = {"id": str(uuid.uuid4()), "subject": subject, "policy": 2, "language": ("en", "de")[number % 2]}
        post(service, "receipts", choice | {"action": action, "surface": "banner", "grants": granted})
    service.cli("checkpoint", "shop")
    return service


def post(service: Service, what: str, body: dict) -> None:
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{service.url}/sites/shop/{what}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status in (201, 204)


def signed_in(service: Service, browser: Browser, name: str = "anna") -> dict:
    """The cookies of a new owner who chose a password."""
    given = re.search(rf"{name}: (\S+)", service.cli("user", "add", name))[1]  # type: ignore[index]
    return first_time(service, browser, name, given)


def first_time(service: Service, browser: Browser, name: str, given: str) -> dict:
    """The cookies of somebody who signed in with a one-time password and chose another."""
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(service.url + "/admin/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Present password").fill(given)
    for field in ("password", "again"):
        page.locator(f"[name={field}]").fill(PASSWORD)
    page.get_by_role("button", name="Change the password").click()
    page.get_by_role("heading", name="Sites").wait_for()
    kept = context.storage_state()
    context.close()
    return kept  # type: ignore[return-value]


def faults(page: Page) -> list:
    """What hinders somebody: what axe finds, and what stands beside the page's edge."""
    page.evaluate(AXE.read_text())  # not as a script of the page: its policy takes none
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [*page.evaluate(FINDINGS, TAGS), *["wider than the window"] * wide]


def leave(page: Page) -> None:
    """Close a page when all it asked for has come: with a frame still on its way, closing may wait for ever."""
    page.wait_for_load_state("networkidle")
    page.close()
