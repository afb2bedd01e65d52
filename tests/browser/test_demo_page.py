"""The demo shop in a real browser, from `consent serve --demo`: asleep, awake, and what the panel says of it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service

pytestmark = pytest.mark.browser
WAITING = ("/demo/tracker.js", "/demo/video", "/demo/badge.svg")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path / "data")
    service.start("--demo")
    yield service
    service.stop()


@pytest.fixture
def asked(page: Page, shop: Service) -> list[str]:
    """The shop is open and asks; the paths requested so far and from now on."""
    paths: list[str] = []
    page.on("request", lambda request: paths.append(request.url.removeprefix(shop.url)))
    page.goto(f"{shop.url}/demo/")
    expect(page.get_by_role("button", name="Accept all")).to_be_visible()
    return paths


def accept(page: Page) -> None:
    page.get_by_role("button", name="Accept all").click()
    expect(page.locator("#verdict")).to_have_text("Verified in this browser.")


def withdraw(page: Page) -> None:
    page.get_by_role("contentinfo").get_by_text("Privacy settings").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw").click()


def cookies(page: Page) -> set[str]:
    return {cookie["name"] for cookie in page.context.cookies()}


def test_nothing_is_requested_shown_or_kept_before_consent(page, asked):
    page.wait_for_load_state("networkidle")
    assert not set(WAITING) & set(asked)
    assert page.locator("iframe[src], .badge img").count() == 0
    expect(page.locator("[data-alive]")).to_have_text(["Asleep: nothing is requested."] * 3)
    expect(page.locator("#kept")).to_have_text("Nothing.")
    assert cookies(page) == set()


def test_accepting_wakes_tracker_video_and_badge(page, asked):
    accept(page)
    expect(page.locator("[data-alive]")).to_have_text([re.compile("^Awake: ")] * 3)
    expect(page.frame_locator("iframe").get_by_role("img", name="A window at dusk")).to_be_visible()
    expect(page.get_by_alt_text("2,318 people follow")).to_be_visible()
    assert [asked.count(path) for path in WAITING] == [1, 1, 1]
    assert {"consent", "consent_sent", "_demo_id", "_demo_reel"} == cookies(page)
    for name in cookies(page):
        expect(page.locator("#kept")).to_contain_text(name)


def test_the_panel_shows_what_is_granted_and_a_verified_receipt(page, asked):
    accept(page)
    expect(page.locator("#status")).to_have_text("given")
    expect(page.locator('[data-grant="analytics"]')).to_have_text("granted")
    expect(page.locator("#checks .good")).to_have_count(5)
    expect(page.locator("#claims")).to_contain_text('"action": "accept_all"')
    expect(page.locator("#header")).to_contain_text("consent-receipt+jwt")


def test_the_links_of_the_panel_lead_to_this_subject(page, shop, asked):
    accept(page)
    state = shop.json(page.get_by_role("link", name="Your state").get_attribute("href"))
    assert state["status"] == "given" and state["subject"] == page.evaluate("consent.state.subject")
    assert len(shop.json(page.get_by_role("link", name="All your receipts").get_attribute("href"))["items"]) == 1


def test_withdrawing_by_the_footer_puts_all_to_sleep_again(page, asked):
    accept(page)
    withdraw(page)
    expect(page.locator("#status")).to_have_text("withdrawn")
    expect(page.locator("#claims")).to_contain_text('"action": "withdraw"')
    expect(page.locator("#verdict")).to_have_text("Verified in this browser.")
    expect(page.locator("iframe[src], .badge img")).to_have_count(0)
    assert cookies(page) == {"consent", "consent_sent"}


def test_the_panel_never_calls_a_forged_receipt_verified(page, asked):
    accept(page)
    page.evaluate("""() => {
        const [header, claims, signature] = consent.receipt().split(".");
        const forged = JSON.parse(atob(claims.replace(/-/g, "+").replace(/_/g, "/")));
        forged.consent.surface = "preferences";
        const text = btoa(JSON.stringify(forged)).replace(/=/g, "").replace(/\\+/g, "-").replace(/\\//g, "_");
        localStorage.setItem("consent:receipt:demo", [header, text, signature].join("."));
    }""")
    page.reload()
    expect(page.locator("#verdict")).to_have_text("Not verified: a check below fails.")
    expect(page.locator("#checks .bad")).to_have_text("The Ed25519 signature fits that key and every word: no")


def test_a_browser_without_ed25519_is_told_so(page, shop):
    page.add_init_script(
        "SubtleCrypto.prototype.importKey = async () => { throw new DOMException('no', 'NotSupportedError') }"
    )
    page.goto(f"{shop.url}/demo/")
    page.get_by_role("button", name="Reject all", exact=True).click()
    expect(page.locator("#verdict")).to_contain_text("WebCrypto has no Ed25519")


def test_the_page_breaks_none_of_its_own_policy(page, shop):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{shop.url}/demo/")
    accept(page)
    withdraw(page)
    expect(page.locator("#status")).to_have_text("withdrawn")
    assert said == []


def test_the_end_of_the_page_is_not_under_the_banner(page, shop):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{shop.url}/demo/")
    banner = page.get_by_role("dialog")
    expect(banner).to_be_visible()
    page.evaluate("scrollTo({top: document.body.scrollHeight, behavior: 'instant'})")
    last = page.get_by_role("contentinfo").get_by_role("link").last
    assert last.bounding_box()["y"] + last.bounding_box()["height"] <= banner.bounding_box()["y"]


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_page_never_scrolls_sideways(page, shop, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{shop.url}/demo/")
    expect(page.locator(".consent-placeholder")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator(".consent-placeholder").bounding_box()["width"] < width
