"""The banner wherever it finds itself: on a hostile page, right to left, in the dark, in forced colours, on a tiny screen."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.test_banner import CONTRAST, button, service, show

pytestmark = pytest.mark.browser
__all__ = ["service", "show"]

HOSTILE = "*, *::before, *::after { all: unset !important; display: none !important; content: 'x' !important; "
HOSTILE += "font-size: 1px !important; color: red !important; transition: all 9s !important } "
HOSTILE += "html, head ~ body { display: block !important }"


def test_a_hostile_style_sheet_changes_no_pixel(show) -> None:
    page = show()
    page.evaluate("document.querySelectorAll('body > :not([id])').forEach(e => e.remove())")
    before = page.locator("#consent-banner").screenshot()
    page.evaluate(
        "css => { const s = document.createElement('style'); s.textContent = css; document.head.append(s) }", HOSTILE
    )
    assert page.locator("#consent-banner").screenshot() == before
    button(page, "Reject all").click()
    expect(button(page, "Privacy settings")).to_be_visible()


@pytest.mark.parametrize("language", ["ar"])
def test_right_to_left_is_mirrored(show, language: str) -> None:
    page = show(attributes=f" data-lang={language}")
    banner = page.get_by_role("dialog")
    expect(banner).to_have_attribute("dir", "rtl")
    box, close = banner.bounding_box(), page.locator("#consent-close").bounding_box()
    assert close["x"] - box["x"] < 40
    assert page.locator("#consent-accept").bounding_box()["x"] > page.locator("#consent-reject").bounding_box()["x"]


def test_dark_and_light_both_can_be_read(show, browser: Browser) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = show(on=context.new_page())
        banner = page.get_by_role("dialog")
        assert banner.evaluate(CONTRAST) >= 7
        assert button(page, "Reject all").evaluate(CONTRAST) >= 5
        backgrounds.add(banner.evaluate("b => getComputedStyle(b).backgroundColor"))
        context.close()
    assert len(backgrounds) == 2


def test_in_forced_colours_buttons_keep_a_border(show, browser: Browser) -> None:
    context = browser.new_context(forced_colors="active")
    page = show(on=context.new_page())
    for name in ("Accept all", "Reject all", "Preferences"):
        assert (
            button(page, name).evaluate("b => getComputedStyle(b).borderTopStyle + getComputedStyle(b).borderTopWidth")
            == "solid1px"
        )
    context.close()


def test_everything_can_be_reached_on_the_smallest_screen(show, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 256})
    page = show(on=context.new_page())
    for name in ("Accept all", "Reject all", "Preferences"):
        button(page, name).scroll_into_view_if_needed()
        box = button(page, name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320 and box["y"] >= 0 and box["y"] + box["height"] <= 256
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    button(page, "Preferences").click()
    assert page.get_by_role("dialog", name="Privacy preferences").evaluate("d => d.scrollWidth <= d.clientWidth")
    button(page, "Save my choices").scroll_into_view_if_needed()
    context.close()


def test_nothing_on_the_page_moves(show) -> None:
    page = show("<iframe data-consent=social data-src=about:blank></iframe><p>Text</p>")
    page.evaluate("""new PerformanceObserver(list => list.getEntries().forEach(e => window.shift = (window.shift || 0) + e.value))
        .observe({type: 'layout-shift', buffered: true})""")
    page.evaluate("consent.open()")
    page.wait_for_timeout(100)
    button(page, "Accept all").last.click()
    page.wait_for_timeout(200)
    assert page.evaluate("window.shift || 0") == 0


def test_where_it_cannot_start_the_page_is_told_and_nothing_is_granted(show) -> None:
    page = show(
        "<script type=text/plain data-consent=analytics>window.tracked = true</script>",
        head="""<script>window.told = []
            addEventListener("error", event => told.push(event.error.message))
            addEventListener("unhandledrejection", () => told.push("nobody hears of it"))
            window.CustomEvent = function () { throw new Error("no events here") }</script>""",
    )
    assert page.evaluate("told") == ["no events here"]
    assert page.evaluate("[consent.granted('analytics'), window.tracked]") == [False, None]
