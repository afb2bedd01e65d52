"""What stands where an embed waits: by keyboard alone, in other languages, and without moving the page."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, counter, tag
from tests.browser.test_banner import claims

pytestmark = pytest.mark.browser

LOCALES = Path(__file__).parents[2] / "consent" / "locales"
SHIFT = """<script>window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(one => (window.shift += one.value)))
.observe({type: 'layout-shift', buffered: true})</script>"""
LATE = "<script>window.late = () => document.head.append(Object.assign(document.createElement('script'), {src: 'ADDRESS'}))</script>"
EMBEDS = {
    "iframe": "<iframe id=it MARK data-src=TRACKER/frame width=480 height=270></iframe>",
    "img": "<img id=it MARK data-src=TRACKER/pixel width=300 height=200 alt=''>",
    "video": "<video id=it MARK data-src=TRACKER/film width=400 height=220 controls></video>",
    "object": "<object id=it MARK data-data=TRACKER/frame type=text/html width=420 height=210></object>",
    "embed": "<embed id=it MARK data-src=TRACKER/frame type=text/html width=410 height=205>",
}
SIZED = {
    **EMBEDS,
    "a frame by a style sheet": "<style>.film { width: 500px; height: 260px; border: 0 }</style><iframe id=it class=film MARK data-src=TRACKER/frame></iframe>",
    "a frame in percent": "<div style='height:400px'><iframe id=it style='width:70%;height:60%' MARK data-src=TRACKER/frame></iframe></div>",
    "a frame by its ratio": "<iframe id=it style='width:100%;max-width:640px;aspect-ratio:16/9;display:block;border:0' MARK data-src=TRACKER/frame></iframe>",
    "a picture by its ratio": "<img id=it style='width:50%;height:auto;aspect-ratio:4/3' MARK data-src=TRACKER/pixel alt=''>",
    "a film in a grid": "<div style='display:grid;grid-template-columns:2fr 1fr;gap:8px'><video id=it style='width:100%;height:240px' MARK data-src=TRACKER/film></video><p>Words</p></div>",
    "a frame in a line": "<p>Words <iframe id=it width=200 height=100 MARK data-src=TRACKER/frame></iframe> words</p>",
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    films = counter("http://films.example", id="films", category="social", name="Films", cookies=[])
    more = {"languages": ["en", "de", "ar"], "services": [films]}
    service.publish("shop", [website.url], ("analytics", "social"), **more)
    with service:
        yield service


@pytest.fixture(scope="module")
def tracker() -> Iterator[Website]:
    with Website() as tracker:
        yield tracker


@pytest.fixture
def show(service: Service, website: Website, tracker: Website, page: Page):
    """Open a page with an embed between words and links."""
    tracker.requests.clear()
    tracker.put("/frame", "<p>An embedded film")
    tracker.put("/pixel", "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'/>", "image/svg+xml")

    def show(embed: str, attributes: str = "", *, late: bool = False) -> Page:
        embed = embed.replace("MARK", "data-consent=social data-service=films").replace("TRACKER", tracker.url)
        body = f"<h1>Shop</h1><a href='#before'>Before</a>{embed}<p id=after>Words <a href='#after'>After</a></p>"
        own = LATE.replace("ADDRESS", f"{service.url}/sites/shop/banner.js") if late else tag(service, attributes)
        html = f"<!doctype html><html lang=en><head><title>Shop</title>{SHIFT}{own}</head><body>{body}</body></html>"
        page.goto(website.put("/", html))
        page.wait_for_function("'late' in window || window.consent")
        return page

    return show


# By keyboard alone

FOCUSED = """() => { let it = document.activeElement; while (it.shadowRoot?.activeElement) it = it.shadowRoot.activeElement;
    return it.textContent }"""
ACTIONS = {"Load once": "load_once", "Always allow": "custom"}


def answer(page: Page, words: str, key: str = "Enter") -> dict:
    """Tab to a button of a placeholder, as somebody without a mouse does, and press it; what was recorded."""
    page.evaluate("consent.on('recorded', ({receipt}) => { window.told = receipt }); 0")
    page.locator("a[href='#before']").focus()
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate(FOCUSED) == words:
            break
    else:
        raise AssertionError(f"three presses of Tab do not reach {words}")
    page.keyboard.press(key)
    page.wait_for_function("window.told")
    return claims(page.evaluate("told"))


@pytest.mark.parametrize("key", ["Enter", "Space"])
@pytest.mark.parametrize("words", ACTIONS)
def test_it_is_answered_by_keyboard_alone_and_recorded_as_such(show, tracker: Website, words: str, key: str) -> None:
    page = show(EMBEDS["iframe"])
    assert tracker.requests == []
    claim = answer(page, words, key)
    assert (claim["action"], claim["surface"], claim["services"]) == (ACTIONS[words], "placeholder", {"films": True})
    expect(page.frame_locator("#it").get_by_text("An embedded film")).to_be_visible()
    assert page.evaluate("consent.granted('films')") == (words == "Always allow")
    page.reload()
    page.wait_for_function("window.consent")
    expect(page.locator(".consent-placeholder")).to_have_count(0 if words == "Always allow" else 1)


@pytest.mark.parametrize("words", ACTIONS)
@pytest.mark.parametrize("kind", EMBEDS)
def test_the_keyboard_goes_on_where_it_was(show, kind: str, words: str) -> None:
    page = show(EMBEDS[kind])
    answer(page, words)
    expect(page.locator(".consent-placeholder")).to_have_count(0)
    assert page.evaluate("document.activeElement.localName") != "body"


# In the visitor's language


@pytest.mark.parametrize("language", ["de", "ar"])
def test_it_speaks_the_visitors_language_in_its_direction(show, language: str) -> None:
    page = show(EMBEDS["iframe"], f" data-lang={language}")
    texts = json.loads((LOCALES / f"{language}.json").read_text())["texts"]
    group = page.get_by_role("group", name=texts["placeholder"].replace("{service}", "Films"))
    expect(group).to_have_css("direction", "rtl" if language == "ar" else "ltr")
    expect(group).to_have_attribute("lang", language)
    first, second = group.get_by_role("button").all()
    assert [first.inner_text(), second.inner_text()] == [texts["load_once"], texts["always_allow"]]
    one, other = first.bounding_box(), second.bounding_box()
    assert one and other and (one["x"] > other["x"]) == (language == "ar")


# Without moving the page


@pytest.mark.parametrize("kind", SIZED)
def test_nothing_moves_when_it_comes_and_when_it_goes(show, kind: str) -> None:
    """Our script comes after the first paint, so that the page is seen before, under and after the placeholder."""
    page = show(SIZED[kind], late=True)
    page.wait_for_timeout(100)
    before = boxes(page, "#it")
    page.evaluate("window.late()")
    expect(page.locator(".consent-placeholder")).to_have_count(1)
    assert boxes(page, ".consent-placeholder") == before
    page.evaluate("consent.accept()")
    page.wait_for_timeout(200)
    assert (boxes(page, "#it"), page.evaluate("shift")) == (before, 0)


def test_a_placeholder_of_another_size_would_be_noticed(show) -> None:
    """Else nothing above would mean anything."""
    page = show(EMBEDS["iframe"])
    page.evaluate("document.querySelector('.consent-placeholder').style.height = '99px'")
    page.wait_for_function("shift > 0")


def boxes(page: Page, selector: str) -> list:
    return [page.locator(selector).bounding_box(), page.locator("#after").bounding_box()]
