"""The nonce of our own tag: what is released gets it, and a page that forbids everything else reports nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Service, Website, tag
from tests.browser.test_blocking import NOTE
from tests.browser.test_strict_page import until

pytestmark = pytest.mark.browser

MARKED = "type=text/plain data-consent=analytics"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [website.url], ("analytics",), languages=["en", "de"])
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, tracker: Website, page: Page):
    """Open a page that takes scripts by this policy and tells the website what broke it."""
    tracker.put("/a.js", NOTE.format("a"), "text/javascript")
    tracker.put("/m.js", "export {}; " + NOTE.format("m"), "text/javascript", Access_Control_Allow_Origin="*")
    website.requests.clear()

    def show(policy: str, attributes: str = "") -> Page:
        own = tag(service, f' nonce="r4nd0m"{attributes}')
        waiting = f"<script {MARKED} src={tracker.url}/a.js></script><script {MARKED}>{NOTE.format('inline')}</script>"
        waiting += f"<script {MARKED} data-type=module src={tracker.url}/m.js></script>"
        waiting += f"<template data-consent=analytics><script>{NOTE.format('unfolded')}</script></template>"
        header = f"script-src {policy}; report-uri /report"
        html = f"<!doctype html><html lang=en><head><title>Shop</title>{own}</head><body>{waiting}</body></html>"
        page.goto(website.put("/", html, Content_Security_Policy=header))
        until(page, "window.consent")
        return page

    return show


# `strict-dynamic` hands our own trust on; without it nothing but the nonce lets a script in.
@pytest.mark.parametrize("policy", ["'nonce-r4nd0m' 'strict-dynamic'", "'nonce-r4nd0m'"])
@pytest.mark.parametrize("attributes", ["", " data-lang=de"])
def test_what_is_released_has_the_nonce_of_our_tag_and_nothing_is_reported(
    show, website: Website, policy: str, attributes: str
) -> None:
    page = show(policy, attributes)
    page.evaluate("consent.accept()")
    until(page, "window.ran?.length == 4")
    assert sorted(page.evaluate("ran")) == ["a", "inline", "m", "unfolded"]
    page.wait_for_timeout(150)
    assert website.count("/report") == 0


def test_the_page_reports_what_has_no_nonce(show, website: Website) -> None:
    """Else nothing above would mean anything."""
    page = show("'nonce-r4nd0m'")
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))")
    page.wait_for_timeout(300)
    assert (page.evaluate("window.ran"), website.count("/report")) == (None, 1)
