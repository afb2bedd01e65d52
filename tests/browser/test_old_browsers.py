"""Browsers without what we rely on, by age or by their owner's wish: it works, or fails closed and silent."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, counter
from tests.browser.test_blocking import NOTE

pytestmark = pytest.mark.browser

WAYS = {"tag": [], "inline": ["--inline"], "strict": ["--strict"]}
FAULTS = "window.faults = []; onerror = text => void faults.push(text); onunhandledrejection = event => faults.push(String(event.reason));"
ILLEGAL = """{ const Old = function () { throw new TypeError("Illegal constructor") };
    Old.prototype = CSSStyleSheet.prototype; window.CSSStyleSheet = Old; }"""
UNDRESSED = {
    "no replaceSync": "delete CSSStyleSheet.prototype.replaceSync;",
    "no adopted sheets": ILLEGAL + "for (const one of [Document, ShadowRoot]) delete one.prototype.adoptedStyleSheets;",
}
BARE = {
    "no BroadcastChannel": "delete window.BroadcastChannel;",
    "no cookieStore": "delete window.cookieStore; delete window.CookieStore;",
    "no trusted types": "delete window.trustedTypes;",
    "no modal dialog": "delete HTMLDialogElement.prototype.showModal;",
}
SHUT = """{ const shut = () => { throw new DOMException("no", "SecurityError") };
for (const name of ["localStorage", "sessionStorage", "indexedDB", "caches", "cookieStore"]) Object.defineProperty(window, name, { get: shut, configurable: true });"""
PRIVATE = {
    "cookies that do not stick": SHUT
    + "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set() {}, configurable: true }); }",
    "cookies that throw": SHUT
    + "Object.defineProperty(Document.prototype, 'cookie', { get: shut, set: shut, configurable: true }); }",
}


@pytest.fixture(scope="module")
def host() -> Iterator[Website]:
    with Website() as tracker:
        tracker.put("/a.js", NOTE.format("a"), "text/javascript")
        tracker.put("/frame", "<p>An embedded film")
        yield tracker


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website, host: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [website.url], ("analytics", "social"), services=[counter(host.url)])
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, host: Website, page: Page):
    """Open a page in a browser that lacks something; the page, once all has come that will come."""
    host.requests.clear()

    def show(lacking: str, way: str = "tag") -> Page:
        page.add_init_script(FAULTS + lacking)
        body = f"<script type=text/plain data-consent=analytics data-service=counter src={host.url}/a.js></script>"
        body += f"<iframe id=it data-consent=social data-src={host.url}/frame width=480 height=270></iframe>"
        body += "<p id=own>Words</p><script>own.onclick = () => (own.textContent = 'Clicked')</script>"
        head = service.cli("snippet", "shop", *WAYS[way])
        html = f"<!doctype html><html lang=en><head>{head}<title>Shop</title></head><body>{body}</body></html>"
        page.goto(website.put("/", html))
        page.wait_for_timeout(200)
        return page

    return show


@pytest.mark.parametrize(
    ("lacking", "way"), [("no replaceSync", "tag"), ("no adopted sheets", "tag"), ("no adopted sheets", "inline")]
)
def test_where_nothing_can_be_dressed_nothing_is_granted_and_nothing_is_heard(
    show, host: Website, lacking: str, way: str
) -> None:
    page = show(UNDRESSED[lacking], way)
    page.click("#own")
    expect(page.locator("#own")).to_have_text("Clicked")
    assert page.evaluate("window.consent ? consent.granted('analytics') : false") is False
    assert (host.requests, page.evaluate("faults")) == ([], [])


@pytest.mark.parametrize("lacking", BARE)
def test_what_an_old_browser_lacks_is_done_without(show, host: Website, lacking: str) -> None:
    page = show(BARE[lacking])
    assert host.requests == []
    page.click("#consent-accept")
    page.wait_for_function("window.ran == 'a'")
    assert page.evaluate("[consent.state.status, faults]") == ["given", []]


@pytest.mark.parametrize(
    ("kind", "way"),
    [("cookies that do not stick", "tag"), ("cookies that throw", "inline"), ("cookies that do not stick", "strict")],
)
def test_where_nothing_can_be_kept_a_choice_holds_for_the_page_and_no_longer(
    show, host: Website, kind: str, way: str
) -> None:
    page = show(PRIVATE[kind], way)
    assert (page.evaluate("faults"), host.requests) == ([], [])
    page.evaluate("window.same = true")
    page.click("#consent-accept")
    expect(page.locator("#consent-banner")).to_have_count(0)
    page.wait_for_timeout(200)
    assert page.evaluate("[consent.state.status, window.same, faults]") == ["given", True, []]
    # The strict page's policy cannot be loosened, and to load it anew would ask for ever.
    assert sorted(host.requests) == ([] if way == "strict" else ["/a.js", "/frame"])
    host.requests.clear()
    page.reload()
    expect(page.locator("#consent-banner")).to_be_visible()
    page.click("#consent-reject")
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert (page.evaluate("[consent.state.status, faults]"), host.requests) == (["refused", []], [])
