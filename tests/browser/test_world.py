"""The world a banner lives in: sub-domains, files, frames, prerendering, crawlers, blocked cookies, blockers, outages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service, Website, counter, tag

pytestmark = pytest.mark.browser

READY = "window.consent && document.querySelector('#consent-banner, #consent-reopen')"


@pytest.fixture(scope="module")
def host() -> Iterator[Website]:
    with Website() as tracker:
        tracker.put("/a.js", "window.ran = (window.ran || 0) + 1; window.told = dataLayer.at(-1)", "text/javascript")
        yield tracker


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website, host: Website) -> Iterator[Service]:
    """The site `shop`, with one service; `family`, whose sub-domains share a choice; `soon`, whose refusals lapse early."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    port = website.url.rpartition(":")[2]
    origins = [website.url, f"http://www.shop.test:{port}", f"http://blog.shop.test:{port}"]
    for site, more in (("shop", {}), ("family", {"cookie": {"domain": ".shop.test"}}), ("soon", {"refusal_days": 30})):
        service.publish(site, origins, ("analytics", "social"), services=[counter(host.url)], **more)
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, host: Website, page: Page):
    """Open a page at an origin of the website."""
    host.requests.clear()

    def show(body: str = "", site: str = "shop", name: str = "", path: str = "/") -> Page:
        head = tag(service).replace("/shop/", f"/{site}/")
        html = f"<!doctype html><html lang=en><head><title>Shop</title>{head}</head><body>{body}</body></html>"
        url = website.put(path, html.replace("TRACKER", host.url))
        page.goto(url.replace("//localhost", f"//{name}.shop.test") if name else url)
        page.wait_for_function(READY)
        return page

    return show


# Sub-domains and cookies


def test_withdrawing_clears_cookies_of_every_parent_domain_and_path(show) -> None:
    page = show(name="www", path="/a/b/c")
    page.evaluate("consent.accept()")
    page.evaluate(
        """() => { for (const form of ['Path=/', 'Path=/a', 'Path=/a/b/', 'Domain=shop.test; Path=/', 'Domain=www.shop.test; Path=/a/b/c'])
        document.cookie = '_count' + form.replace(/\\W/g, '') + '=1; ' + form }"""
    )
    assert page.evaluate("document.cookie.match(/_count/g).length") == 5
    page.evaluate("consent.withdraw()")
    page.wait_for_function("!document.cookie.includes('_count')")


def test_sub_domains_may_share_one_choice(show) -> None:
    show(site="family", name="www").click("#consent-accept")
    page = show(site="family", name="blog")
    assert page.evaluate("[consent.state.status, !!document.querySelector('#consent-banner')]") == ["given", False]


def test_a_cookie_from_before_the_domain_was_shared_does_not_linger(show, page: Page) -> None:
    page = show(site="shop", name="www")
    page.click("#consent-reject")
    page = show(site="family", name="www")
    page.evaluate("consent.accept()")
    assert page.evaluate("document.cookie.split('; ').filter(text => text.startsWith('consent=')).length") == 1
    assert show(site="family", name="blog").evaluate("consent.state.status") == "given"


def test_blocked_cookies_fail_closed_and_silent(show, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(
        """for (const [holder, name] of [[Document.prototype, 'cookie'], [window, 'localStorage'], [window, 'sessionStorage'], [window, 'indexedDB']])
        Object.defineProperty(holder, name, {get() { throw new DOMException('no', 'SecurityError') }, set() { throw new DOMException('no', 'SecurityError') }, configurable: true})"""
    )
    show("<script type='text/plain' data-consent='analytics' data-service='counter' src='TRACKER/a.js'></script>")
    page.click("#consent-reject")
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert page.evaluate("[consent.state.status, consent.granted('analytics'), window.ran]") == ["refused", False, None]
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran == 1")
    assert errors == []


@pytest.mark.parametrize(("site", "days"), [("shop", 180), ("soon", 30)])
def test_a_refusal_lasts_as_long_as_a_consent_unless_the_policy_says_otherwise(
    show, page: Page, site: str, days: int
) -> None:
    page = show(site=site)
    page.click("#consent-reject")
    lasting = "(new Date(consent.state.valid_until) - new Date(consent.state.decided_at)) / 864e5"
    kept = "cookieStore.get('consent').then(({expires}) => Math.round((expires - Date.now()) / 864e5))"
    refused = [page.evaluate(lasting), page.evaluate(kept)]
    page.evaluate("consent.accept()")
    assert (refused, [page.evaluate(lasting), page.evaluate(kept)]) == ([days, days], [180, 180])


# Where a page comes from


def test_a_page_from_a_file_shows_the_banner_and_obeys(service: Service, page: Page, tmp_path: Path) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><html><head>{tag(service)}</head><body>Words</body></html>")
    page.goto(file.as_uri())
    page.wait_for_function(READY)
    page.click("#consent-reject")
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert (page.evaluate("consent.state.status"), errors) == ("refused", [])


@pytest.mark.parametrize("sandbox", ["", "sandbox='allow-scripts'"])
def test_a_page_inside_a_frame_has_a_banner_of_its_own(
    show, service: Service, website: Website, page: Page, sandbox: str
) -> None:
    inner = website.put("/inner", f"<!doctype html><html><head>{tag(service)}</head><body>Inner</body></html>")
    website.put("/outer", f"<!doctype html><body><iframe {sandbox} src='{inner}' width=900 height=500></iframe>")
    page.goto(website.url + "/outer")
    frame = page.frame_locator("iframe")
    frame.locator("#consent-reject").click()
    expect(frame.locator("#consent-banner")).to_have_count(0)


def test_a_page_that_is_prerendered_waits_until_somebody_looks(service: Service, website: Website, page: Page) -> None:
    page.add_init_script("Object.defineProperty(document, 'prerendering', {get: () => !window.seen})")
    page.goto(website.put("/", f"<!doctype html><html><head>{tag(service)}</head><body>Words</body></html>"))
    page.wait_for_timeout(300)
    assert page.evaluate("[typeof window.consent, document.cookie]") == ["undefined", ""]
    page.evaluate("window.seen = 1; document.dispatchEvent(new Event('prerenderingchange'))")
    page.wait_for_function(READY)


def test_a_crawler_sees_the_page_and_nothing_is_granted(
    browser: Browser, service: Service, website: Website, host: Website
) -> None:
    host.requests.clear()
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    context = browser.new_context(user_agent=agent, viewport={"width": 412, "height": 5000})
    page = context.new_page()
    body = (
        f"<h1>Shop</h1><p>Words.</p><script type='text/plain' data-consent='analytics' src='{host.url}/a.js'></script>"
    )
    page.goto(
        website.put(
            "/", f"<!doctype html><html><head><title>Shop</title>{tag(service)}</head><body>{body}</body></html>"
        )
    )
    page.wait_for_function("window.consent")
    page.wait_for_timeout(200)
    assert page.evaluate(
        "[document.title, getComputedStyle(document.body).overflow, consent.granted('analytics')]"
    ) == ["Shop", "visible", False]
    assert page.locator("#consent-banner").count() == 0
    assert host.requests == []
    context.close()


def test_automation_as_such_sees_the_banner(show) -> None:
    page = show()
    assert page.evaluate("navigator.webdriver") is True
    expect(page.locator("#consent-banner")).to_be_visible()


# Late, hidden, offline


def test_the_signal_is_told_before_what_waited_is_released(show) -> None:
    page = show(
        "<script type='text/plain' data-consent='analytics' data-service='counter' src='TRACKER/a.js'></script>"
    )
    page.click("#consent-accept")
    page.wait_for_function("window.ran")
    assert page.evaluate("told.event") == "consent_update"


def test_a_returning_visitor_needs_no_service(show, service: Service, website: Website, page: Page) -> None:
    marked = "<script type='text/plain' data-consent='analytics' data-service='counter' src='TRACKER/a.js'></script>"
    show(marked).click("#consent-accept")
    page.wait_for_function("consent.receipt()")
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    asked: dict[str, str] = {}
    network.on("Network.requestWillBeSent", lambda event: asked.update({event["requestId"]: event["request"]["url"]}))
    network.on("Network.requestServedFromCache", lambda event: asked.pop(event["requestId"], None))
    page.goto(website.url + "/")
    page.wait_for_function("window.ran")
    assert page.evaluate("consent.state.status") == "given"
    assert [url for url in asked.values() if url.startswith(service.url)] == []


def test_a_banner_that_a_blocker_takes_away_leaves_a_page_that_works(show, host: Website) -> None:
    page = show(
        "<a href='#there' id=link>Link</a><div style='height:3000px'></div><script type='text/plain' data-consent='analytics' src='TRACKER/a.js'></script>"
    )
    page.evaluate(
        "new MutationObserver(() => document.querySelector('#consent-banner')?.remove()).observe(document.body, {childList: true}); document.querySelector('#consent-banner').remove()"
    )
    page.wait_for_timeout(200)
    page.click("#link")
    page.mouse.wheel(0, 500)
    page.wait_for_function("scrollY > 100 && location.hash == '#there'")
    assert (page.evaluate("consent.granted('analytics')"), host.requests) == (False, [])


def test_nothing_is_named_as_blocking_lists_name_consent_tools(show, page: Page) -> None:
    listed = r"cookieconsent|cookie-consent|gdpr|/consent\.js|cookie-banner|consent-banner\.|cookie-notice|cmp_|/(collect|event|track|tracking|beacon|pixel|hit|ping|log)\b"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.partition("?")[0]))
    show().click("#consent-accept")
    page.wait_for_function("consent.receipt()")
    names = page.evaluate(
        "[...document.querySelectorAll('[id],[class]')].map(one => one.id + ' ' + one.className).join(' ')"
    )
    assert [url for url in asked if re.search(listed, url)] == []
    assert not re.search(r"cc-|onetrust|cookie", names)


def test_global_privacy_control_never_overrules_a_click(show, page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    show().click("#consent-accept")
    page.reload()
    page.wait_for_function(READY)
    assert page.evaluate("[consent.state.status, consent.granted('analytics')]") == ["given", True]


WRITTEN = {
    "a whole tag": "document.write('<script src=\"TRACKER/a.js\"><' + '/script><p id=after>After</p>')",
    "several pieces": "document.write('<script ', 'src=\"TRACKER/a.js\"', '><' + '/script>', '<p id=after>After</p>')",
    "a line": "document.writeln('<img src=TRACKER/a.js><p id=after>After</p>')",
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_what_is_written_into_the_page_waits(
    service: Service, website: Website, host: Website, page: Page, kind: str
) -> None:
    host.requests.clear()
    head = f'<script src="{service.url}/sites/shop/banner.js"></script>'
    body = f"<script>{WRITTEN[kind].replace('TRACKER', host.url)}</script>"
    page.goto(website.put("/written", f"<!doctype html><html><head>{head}</head><body>{body}</body></html>"))
    page.wait_for_function(READY)
    expect(page.locator("#after")).to_have_text("After")
    page.wait_for_timeout(200)
    assert (host.requests, page.locator("[data-service=counter]").count()) == ([], 1)
    page.evaluate("consent.accept()")
    page.wait_for_timeout(200)
    assert host.count("/a.js") == 1


def test_a_showing_is_counted_once_and_only_when_the_page_goes_or_the_visitor_decides(show, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    show()
    page.wait_for_timeout(300)
    assert asked == []
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    page.click("#consent-reject")
    page.wait_for_function("consent.receipt()")
    assert [url.rpartition("/")[2] for url in asked] == ["displays", "receipts"]
