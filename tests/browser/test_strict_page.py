"""A page with the strictest content-security policy of the contract: everything works, nothing is violated."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><html lang="en"><head><title>Shop</title>
<script nonce="{nonce}">window.violations = [];
document.addEventListener('securitypolicyviolation', event => violations.push(event.violatedDirective + ' ' + event.blockedURI))</script>
<script async nonce="{nonce}" src="{service}/sites/shop/banner.js"{attributes}></script></head><body><h1>Shop</h1>
<script type="text/plain" data-consent="analytics" src="{tracker}/a.js"></script>
<script type="text/plain" data-consent="analytics">window.inline = true</script>
<template data-consent="social"><p id="inside">Follow us</p><script>window.unfolded = true</script></template>
<iframe data-consent="social" data-src="{tracker}/frame" width="560" height="315"></iframe>
</body></html>"""


def until(page: Page, script: str) -> None:
    """Wait without `eval`, which such a page forbids to everybody, test tools included."""
    deadline = time.monotonic() + 10
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        page.wait_for_timeout(50)


@pytest.fixture
def strict(service: Service, website: Website, tracker: Website, page: Page):
    def open_page(attributes: str = "") -> Page:
        tracker.put("/a.js", "window.loaded = true", "text/javascript")
        tracker.put("/frame", "<p>An embedded film")
        policy = (
            "default-src 'none'; script-src 'nonce-r4nd0m' 'strict-dynamic'; style-src 'self'; "
            f"connect-src {service.url}; frame-src {tracker.url}; require-trusted-types-for 'script'; trusted-types consent page"
        )
        html = PAGE.format(nonce="r4nd0m", service=service.url, tracker=tracker.url, attributes=attributes)
        page.goto(website.put("/", html, Content_Security_Policy=policy))
        until(page, "window.consent")
        return page

    return open_page


def test_the_whole_flow_violates_nothing(strict) -> None:
    page = strict()
    page.get_by_role("button", name="Preferences").click()
    page.get_by_role("switch", name="Statistics").check()
    page.get_by_role("button", name="Save my choices").click()
    until(page, "window.loaded && window.inline")
    page.get_by_role("button", name="Always allow").click()
    until(page, "window.unfolded")
    expect(page.frame_locator("iframe").get_by_text("An embedded film")).to_be_visible()
    page.get_by_role("button", name="Privacy settings").click()
    page.get_by_role("button", name="Withdraw consent").click()
    until(page, "consent.receipt() && JSON.parse(localStorage['consent:outbox:shop']).length === 0")
    assert page.evaluate("violations") == []


def test_it_looks_the_same_as_on_any_page(strict) -> None:
    banner = strict().get_by_role("dialog")
    style = "b => { const s = getComputedStyle(b); return [s.position, s.display, s.borderRadius] }"
    assert banner.evaluate(style) == ["fixed", "flex", "16px"]


def test_another_language_is_fetched_without_a_violation(strict) -> None:
    page = strict(' data-lang="fr"')
    expect(page.get_by_role("button", name="Tout refuser", exact=True)).to_be_visible()
    assert page.evaluate("violations") == []


def test_markup_is_judged_and_stays_trusted(strict, service: Service, tracker: Website) -> None:
    tracker.put("/pixel", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml")
    counter = {
        "id": "counter",
        "category": "analytics",
        "name": "Counter",
        "purpose": "Counts.",
        "provider": {"name": "Counter"},
    }
    counter["urls"] = [tracker.url.partition("://")[2]]
    service.publish("shop", ["http://localhost"], ("analytics", "social"), services=[counter])
    page = strict()
    body = "document.body.insertAdjacentHTML('beforeend', {})"
    refused = body.format(f"`<img src='{tracker.url}/pixel'>`")
    assert page.evaluate(f"(() => {{ try {{ {refused} }} catch (error) {{ return error.name }} }})()") == "TypeError"
    page.evaluate("window.own = trustedTypes.createPolicy('page', { createHTML: text => text })")
    page.evaluate(body.format(f"own.createHTML(`<img id=i src='{tracker.url}/pixel'>`)"))
    page.wait_for_timeout(200)
    assert (tracker.count("/pixel"), page.evaluate("i.dataset.consent")) == (0, "analytics")


def test_where_our_trusted_types_policy_is_not_let_be_made_the_page_works(
    service, website: Website, page: Page
) -> None:
    policy = "require-trusted-types-for 'script'; trusted-types page"
    head = f"<script async src='{service.url}/sites/shop/banner.js'></script>"
    page.goto(website.put("/other", f"<!doctype html><head>{head}</head><body>", Content_Security_Policy=policy))
    until(page, "window.consent")
    page.evaluate("window.own = trustedTypes.createPolicy('page', { createHTML: text => text })")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', own.createHTML('<img id=i src=/own.png>'))")
    assert page.evaluate("i.localName") == "img"
