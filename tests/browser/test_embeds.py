"""Embeds that wait for consent: what stands in their place, what it asks, and what becomes of them."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Website, tag
from tests.browser.test_banner import claims, recorded
from tests.browser.test_blocking import service, show

pytestmark = pytest.mark.browser
__all__ = ["service", "show"]

EMBEDS = {
    "iframe": "<iframe id=it data-consent=social data-src=TRACKER/frame></iframe>",
    "img": "<img id=it data-consent=social data-src=TRACKER/pixel width=90 height=60 alt=''>",
    "srcset": "<img id=it data-consent=social data-srcset='TRACKER/pixel 1x' width=90 height=60 alt=''>",
    "embed": "<embed id=it data-consent=social data-src=TRACKER/frame type=text/html>",
    "object": "<object id=it data-consent=social data-data=TRACKER/pixel type=image/svg+xml width=90 height=60></object>",
    "video": "<video id=it data-consent=social data-src=TRACKER/pixel></video>",
    "source": "<video><source id=it data-consent=social data-src=TRACKER/pixel></video>",
    "link": "<link id=it rel=stylesheet data-consent=social data-href=TRACKER/style.css>",
}


@pytest.mark.parametrize("kind", EMBEDS)
def test_an_embed_asks_for_nothing_before_its_grant(show, tracker: Website, kind: str) -> None:
    page = show(EMBEDS[kind])
    assert tracker.requests == []
    page.evaluate("consent.accept()")
    page.wait_for_timeout(50)
    deadline = 40
    while not tracker.requests and deadline:
        page.wait_for_timeout(50)
        deadline -= 1
    assert tracker.requests


def test_an_embed_goes_back_to_sleep_when_its_consent_is_taken_back(show, tracker: Website) -> None:
    page = show(EMBEDS["iframe"])
    page.evaluate("consent.accept()")
    page.wait_for_function("frames.length && document.querySelector('#it').src")
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    page.evaluate("consent.withdraw()")
    assert page.locator("#it").get_attribute("src") is None
    assert [frame.url for frame in page.frames[1:]] == ["about:blank"]
    expect(page.locator(".consent-placeholder")).to_be_visible()


PLACES = {
    "plain": "<iframe id=it data-consent=social data-src=TRACKER/frame></iframe>",
    "attributes": "<iframe id=it data-consent=social data-src=TRACKER/frame width=560 height=315></iframe>",
    "percent": "<div style='width:70%'><iframe id=it data-consent=social data-src=TRACKER/frame style='width:100%;height:200px;border:0'></iframe></div>",
    "ratio": "<iframe id=it data-consent=social data-src=TRACKER/frame style='width:50%;height:auto;aspect-ratio:16/9;margin:1em auto;display:block'></iframe>",
    "filling": "<div style='position:relative;height:300px'><iframe id=it data-consent=social data-src=TRACKER/frame style='position:absolute;inset:0;width:100%;height:100%'></iframe></div>",
    "picture": EMBEDS["img"],
}


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_function("width => innerWidth === width && new Promise(requestAnimationFrame)", arg=width)


@pytest.mark.parametrize("kind", PLACES)
def test_the_placeholder_has_the_embeds_box_and_follows_the_page(show, kind: str) -> None:
    page = show(PLACES[kind] + "<p id=after>Text</p>")
    boxes = []
    for width in (1280, 600):
        resize(page, width)
        boxes.append((page.locator(".consent-placeholder").bounding_box(), page.locator("#after").bounding_box()))
    page.evaluate("consent.accept()")
    for width, (box, after) in zip((1280, 600), boxes, strict=True):
        resize(page, width)
        assert page.locator("#it").bounding_box() == box
        assert page.locator("#after").bounding_box() == after


def test_a_counting_pixel_has_no_placeholder(show) -> None:
    pixel = "data-consent=social data-src=TRACKER/pixel"
    page = show(
        f"<iframe width=1 height=1 {pixel}></iframe><img {pixel}><iframe style='display:none' {pixel}></iframe>"
    )
    assert page.locator(".consent-placeholder").count() == 0


VIDEO = "<iframe id=it data-consent=social data-service=video data-src=TRACKER/frame width=560 height=315></iframe>"


def test_a_placeholder_says_who_and_why(show) -> None:
    group = show(VIDEO).get_by_role("group", name="Video is switched off")
    expect(group.get_by_text("Social media and embedded content")).to_be_visible()
    assert [b.inner_text() for b in group.get_by_role("button").all()] == ["Load once", "Always allow"]


def test_loading_once_is_for_this_page_view_and_recorded_as_such(show) -> None:
    page = show(VIDEO + VIDEO.replace("id=it", "id=other"))
    page.evaluate("void consent.on('recorded', ({receipt}) => window.receipt = receipt)")
    page.get_by_role("button", name="Load once").first.focus()
    page.keyboard.press("Enter")
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    assert page.evaluate("[document.activeElement.id, consent.state.status, document.cookie]") == ["it", "unknown", ""]
    assert page.locator(".consent-placeholder").count() == 1
    page.wait_for_function("window.receipt")
    claim = claims(page.evaluate("receipt"))
    assert (claim["action"], claim["surface"], claim["services"]) == ("load_once", "placeholder", {"video": True})
    assert page.evaluate("[consent.receipt(), document.cookie, !!document.querySelector('#consent-banner')]") == [
        None,
        "",
        True,
    ]
    page.reload()
    expect(page.locator(".consent-placeholder")).to_have_count(2)


BADGE = (
    "<template data-consent=social data-service=video style='width:300px;height:80px'><p id=badge>Follow us</p>"
    "<script>window.ran = (window.ran || 0) + 1</script></template>"
)


def test_a_widget_whose_template_has_a_size_gets_a_placeholder_of_that_size(show) -> None:
    page = show(BADGE + "<p id=after>Text</p>")
    box = page.locator(".consent-placeholder").bounding_box()
    assert box and (box["width"], box["height"]) == (300, 80)
    page.get_by_role("button", name="Load once").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#badge")).to_be_visible()
    expect(page.locator(".consent-placeholder")).to_have_count(0)
    assert page.evaluate("[document.activeElement.id, window.ran]") == ["badge", 1]


def test_a_template_without_a_size_has_no_placeholder(show) -> None:
    assert show(BADGE.replace("style", "class")).locator(".consent-placeholder").count() == 0


def test_always_allowing_grants_the_service_and_is_recorded(show) -> None:
    page = show(VIDEO)
    page.get_by_role("button", name="Always allow").click()
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    claim = recorded(page)
    assert (claim["action"], claim["surface"], claim["services"]) == ("custom", "placeholder", {"video": True})
    assert claim["grants"] == {"persistent": False, "analytics": False, "social": False}


def test_always_allowing_without_a_service_grants_the_category(show) -> None:
    page = show(EMBEDS["iframe"])
    page.get_by_role("button", name="Always allow").click()
    assert recorded(page)["grants"] == {"persistent": False, "analytics": False, "social": True}


def test_where_only_embeds_ask_no_banner_comes_and_always_is_remembered(service, website, tracker, page: Page) -> None:
    tracker.put("/frame", "<p>An embedded film")
    service.publish("films", [website.url], ("social",), appearance={"layout": "none"})
    html = f"<!doctype html><html lang=en><title>Films</title>{tag(service).replace('/shop/', '/films/')}<h1>Films</h1>"
    url = website.put("/films", html + EMBEDS["iframe"].replace("TRACKER", tracker.url))
    page.goto(url, wait_until="networkidle")
    assert page.locator("#consent-banner").count() == 0
    page.locator("#consent-reopen button").click()
    expect(page.get_by_role("dialog", name="Privacy preferences")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Always allow").click()
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    page.reload()
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    assert page.evaluate("consent.state.status") == "given"
    assert page.locator(".consent-placeholder, #consent-banner").count() == 0


def test_an_embed_taken_away_takes_its_placeholder_along(show) -> None:
    page = show(VIDEO)
    page.evaluate("document.querySelector('#it').remove()")
    expect(page.locator(".consent-placeholder")).to_have_count(0)


def test_any_element_can_open_the_preferences(show) -> None:
    page = show("<p data-consent-open><a href='/elsewhere'>Cookies</a></p>")
    page.get_by_role("link", name="Cookies").click()
    expect(page.get_by_role("dialog", name="Privacy preferences")).to_be_visible()
    assert not page.url.endswith("elsewhere")


def test_a_placeholder_takes_its_size_from_a_style_sheet_that_comes_late(service, website, page) -> None:
    sheet = website.put("/late.css", "iframe { width: 640px; height: 360px; border: 0 }", "text/css")
    head = f'{tag(service)}<link rel="stylesheet" href="{sheet}">'
    embed = '<iframe data-consent="social" data-src="about:blank"></iframe>'
    page.route("**/late.css", lambda route: (page.wait_for_timeout(600), route.continue_()))
    page.goto(website.put("/late", f"<!doctype html><html><head>{head}</head><body>{embed}</body></html>"))
    page.wait_for_timeout(300)
    box = page.locator(".consent-placeholder").bounding_box()
    assert box and (box["width"], box["height"]) == (640, 360)
