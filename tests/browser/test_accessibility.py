"""WCAG 2.2 AA and the APG dialog pattern: axe with its best practices, big text, wide spacing, names, focus."""

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.browser.conftest import FLAGS, Service, Website

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FINDINGS = """async tags => (await axe.run(document, {runOnly: tags})).violations
    .flatMap(one => one.nodes.map(node => one.id + ': ' + node.target.join(' ') + ' ' + node.failureSummary))"""
SITES: dict[str, dict] = {
    "box": {},
    "bar": {"layout": "bar"},
    "center": {"layout": "center"},
    "modal": {"layout": "modal", "preferences": "drawer"},
}
EMBED = (
    "<iframe title=Film data-consent=social data-service=youtube data-src=about:blank width=560 height=315></iframe>"
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    """A site for each layout, with services to switch one by one."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    services = [{"id": id} for id in ("google-analytics", "matomo", "youtube", "openstreetmap")]
    more = {"services": services, "languages": ["en", "de", "ar"], "privacy_url": "https://shop.example/privacy"}
    for site, appearance in SITES.items():
        service.publish(site, [website.url], ("persistent", "analytics", "social"), appearance=appearance, **more)
    with service:
        yield service


def open_page(service: Service, website: Website, page: Page, site: str, language: str = "en") -> Page:
    tag = f'<script async src="{service.url}/sites/{site}/banner.js?lang={language}"></script>'
    body = f"<main><h1>Shop</h1><p>Words.</p>{EMBED}</main>"
    direction = "rtl" if language == "ar" else "ltr"
    html = f"<!doctype html><html lang={language} dir={direction}><head><title>Shop</title>{tag}</head><body>{body}</body></html>"
    page.goto(website.put("/" + site, html))
    page.wait_for_selector("#consent-banner", state="attached")
    return page


def findings(page: Page) -> list[str]:
    page.add_script_tag(path=AXE)
    return page.evaluate(FINDINGS, TAGS)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("site", SITES)
def test_axe_finds_nothing(service: Service, website: Website, page: Page, site: str, scheme) -> None:
    """First layer, preferences with every list open, and after the choice; placeholder included."""
    page.emulate_media(color_scheme=scheme)
    open_page(service, website, page, site)
    assert findings(page) == []
    page.evaluate("consent.open()")
    for summary in page.locator("#consent-preferences summary").all():
        summary.click()
    assert findings(page) == []
    page.locator("#consent-preferences").get_by_role("button", name="Reject all", exact=True).click()
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert findings(page) == []


@pytest.mark.parametrize("language", ["de", "ar"])
def test_axe_finds_nothing_in_other_languages_and_directions(service, website, page: Page, language: str) -> None:
    open_page(service, website, page, "box", language)
    page.evaluate("consent.open()")
    assert findings(page) == []


def test_a_switch_has_a_name_a_state_and_a_description(service, website, page: Page) -> None:
    open_page(service, website, page, "box").evaluate("consent.open()")
    switch = page.get_by_role("switch", name="Statistics")
    expect(switch).not_to_be_checked()
    expect(switch).to_have_accessible_description("Measure how the website is used, to improve it.")
    expect(page.get_by_role("switch", name="Strictly necessary")).to_be_disabled()
    page.locator("summary").first.click()
    expect(page.get_by_role("switch", name="Google Analytics")).not_to_be_checked()


@pytest.mark.parametrize("site", SITES)
def test_text_at_twice_its_size_cuts_nothing_off(service, website, tmp_path: Path, site: str) -> None:
    """A reader whose browser is set to letters of 32 pixels, on a laptop and on a phone."""
    profile = tmp_path / "Default"
    profile.mkdir()
    (profile / "Preferences").write_text(json.dumps({"webkit": {"webprefs": {"default_font_size": 32}}}))
    with_big_letters(service, website, tmp_path, site)


def with_big_letters(service: Service, website: Website, profile: Path, site: str) -> None:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            with sync_playwright() as playwright:
                context = playwright.chromium.launch_persistent_context(
                    str(profile), executable_path=shutil.which("chromium"), args=FLAGS, locale="en-GB"
                )
                for width, height in ((1280, 800), (360, 640)):
                    page = context.new_page()
                    page.set_viewport_size({"width": width, "height": height})
                    open_page(service, website, page, site)
                    assert page.locator("#consent-accept").evaluate("it => getComputedStyle(it).fontSize") == "32px"
                    for id in ("accept", "reject", "choose"):
                        whole(page, page.locator(f"#consent-{id}"), width, height)
                    page.evaluate("consent.open()")
                    for button in page.locator("#consent-preferences").get_by_role("button").all():
                        whole(page, button, width, height)
                    page.close()
                context.close()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)  # the other browser of this process has its own event loop
    thread.start()
    thread.join()
    assert failures == []


def whole(page: Page, button, width: int, height: int) -> None:  # type: ignore[no-untyped-def]
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box and box["x"] >= -1 and box["x"] + box["width"] <= width + 1
    assert box["y"] >= -1 and box["y"] + min(box["height"], height) <= height + 1
    assert button.evaluate("it => it.scrollWidth <= it.clientWidth + 1 && it.scrollHeight <= it.clientHeight + 1")


def test_nothing_moves_or_fades(service, website, page: Page) -> None:
    """Reduced motion asks for no less than what everybody gets."""
    open_page(service, website, page, "modal").evaluate("consent.open()")
    assert page.evaluate("document.getAnimations().length") == 0
    page.evaluate("consent.close(); consent.reject()")
    assert page.evaluate("[document.getAnimations().length, !!document.querySelector('#consent-banner')]") == [0, False]


@pytest.mark.parametrize("site", SITES)
def test_the_banner_is_met_within_ten_stops_and_each_stop_is_seen(service, website, page: Page, site: str) -> None:
    open_page(service, website, page, site)
    seen = set()
    for _ in range(10):
        page.keyboard.press("Tab")
        ring = page.evaluate("[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]")
        if ring[0].startswith("consent"):
            assert ring[1] == "solid"
            seen.add(ring[0])
    assert {"consent-accept", "consent-reject", "consent-choose", "consent-close"} <= seen


def test_more_contrast_is_not_undone(service, website, page: Page) -> None:
    page.emulate_media(contrast="more")
    assert findings(open_page(service, website, page, "box")) == []
