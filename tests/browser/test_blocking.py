"""Markup that waits for consent: each row of the contract's table, in order, once, and back to sleep."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag
from tests.browser.test_banner import serve_shop

pytestmark = pytest.mark.browser

NOTE = "window.ran = (window.ran || []).concat({!r});"
PIXEL = "<svg xmlns='http://www.w3.org/2000/svg' width='90' height='60'/>"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    yield from serve_shop(tmp_path_factory.mktemp("service"), website)


@pytest.fixture
def show(service: Service, website: Website, tracker: Website, page: Page):
    """Open a page with this markup, `TRACKER` standing for the tracker's address; the page."""
    for name in ("a", "b", "c"):
        tracker.put(f"/{name}.js", NOTE.format(name), "text/javascript")
    tracker.put("/module.js", "export {}; " + NOTE.format("module"), "text/javascript", Access_Control_Allow_Origin="*")
    tracker.put("/pinned.js", NOTE.format("a"), "text/javascript", Access_Control_Allow_Origin="*")
    itself = "const s = document.currentScript; itself = [s.id, s.crossOrigin, s.referrerPolicy, s.dataset.site, s.async, s.previousElementSibling.tagName]"
    tracker.put("/self.js", itself, "text/javascript", Access_Control_Allow_Origin="*")
    tracker.put("/frame", "<p>An embedded film")
    tracker.put("/pixel", PIXEL, "image/svg+xml")
    tracker.put("/style.css", "h1 { color: rgb(1, 2, 3) }", "text/css")

    def show(body: str, head: str = "") -> Page:
        body = body.replace("TRACKER", tracker.url)
        html = f"<!doctype html><html lang=en><head><title>Shop</title>{head}{tag(service)}</head><body><h1>Shop</h1>{body}</body></html>"
        page.goto(website.put("/", html), wait_until="networkidle")
        page.wait_for_function("window.consent")
        return page

    return show


def ran(page: Page, *names: str) -> None:
    """Wait until exactly these scripts ran, in this order."""
    page.wait_for_function("count => (window.ran || []).length >= count", arg=len(names))
    page.wait_for_timeout(150)
    assert page.evaluate("window.ran || []") == list(names)


def inert(code: str, attributes: str = "") -> str:
    return f"<script type='text/plain' data-consent='analytics' {attributes}>{code}</script>"


# Scripts


def test_scripts_run_on_grant_in_document_order(show, tracker: Website) -> None:
    page = show(
        inert(NOTE.format("first"))
        + inert("", "src=TRACKER/a.js")
        + inert("", "src=TRACKER/b.js")
        + inert(NOTE.format("after b"))
        + inert("", "src=TRACKER/c.js")
        + inert(NOTE.format("last"))
    )
    assert (tracker.requests, page.evaluate("window.ran || []")) == ([], [])
    page.evaluate("consent.accept()")
    ran(page, "first", "a", "b", "after b", "c", "last")


def test_a_script_runs_once_however_often_it_is_granted(show, tracker: Website) -> None:
    page = show(inert("", "src=TRACKER/a.js") + inert(NOTE.format("inline")))
    for call in ("accept()", "withdraw()", "accept()", "set({analytics: false})", "set({analytics: true})"):
        page.evaluate("consent." + call)
    ran(page, "a", "inline")
    assert tracker.count("/a.js") == 1


def test_a_script_that_fails_does_not_keep_the_others_waiting(show) -> None:
    page = show(inert("", "src=TRACKER/missing.js") + inert("throw 1") + inert(NOTE.format("next")))
    page.evaluate("consent.accept()")
    ran(page, "next")


def test_modules_stay_modules(show) -> None:
    page = show(
        inert("export {}; " + NOTE.format("inline"), "data-type=module")
        + inert("", "data-type=module src=TRACKER/module.js")
    )
    page.evaluate("consent.accept()")
    ran(page, "inline", "module")


def test_a_released_script_keeps_its_attributes(show) -> None:
    page = show(
        inert("", "src=TRACKER/self.js id=one crossorigin=anonymous referrerpolicy=no-referrer data-site=7 async")
    )
    page.evaluate("consent.accept()")
    page.wait_for_function("window.itself")
    assert page.evaluate("itself") == ["one", "anonymous", "no-referrer", "7", True, "H1"]


def test_a_page_keeps_its_script_when_it_is_released_and_a_copy_of_the_page_runs_nothing_again(show) -> None:
    page = show(inert("", "src=TRACKER/a.js") + inert(NOTE.format("inline")))
    page.evaluate("window.held = [...document.querySelectorAll('[data-consent]')]; consent.accept()")
    ran(page, "a", "inline")
    assert page.evaluate("held.every(one => one.isConnected)")
    page.evaluate("document.body.innerHTML += '<p>More'")
    ran(page, "a", "inline")


def test_a_handler_in_the_markup_hears_a_released_script_once(show) -> None:
    page = show(inert("", "src=TRACKER/a.js onload='window.told = (window.told || 0) + 1'"))
    page.evaluate("consent.accept()")
    ran(page, "a")
    assert page.evaluate("told") == 1


def test_inline_code_behind_an_inline_module_runs(show) -> None:
    page = show(inert("export {}; " + NOTE.format("module"), "data-type=module") + inert(NOTE.format("inline")))
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran?.length == 2")
    assert sorted(page.evaluate("ran")) == ["inline", "module"]


def test_integrity_defer_and_load_events_survive_being_released(show) -> None:
    right = base64.b64encode(hashlib.sha256(NOTE.format("a").encode()).digest()).decode()
    hear = "onload='told[this.id] = 1' onerror='told[this.id] = 0'"
    page = show(
        inert("", f"id=right defer crossorigin integrity=sha256-{right} src=TRACKER/pinned.js {hear}")
        + inert("", f"id=wrong crossorigin integrity=sha256-{right} src=TRACKER/module.js {hear}")
    )  # fmt: skip
    page.evaluate("window.told = {}; consent.accept()")
    page.wait_for_function("told.right == 1 && told.wrong == 0")
    assert page.evaluate("document.querySelector('#right').defer") is True
    ran(page, "a")


def test_a_page_that_changes_its_address_by_itself_is_held_and_released_as_before(show, tracker: Website) -> None:
    page = show("<main></main>")
    navigate = """name => { history.pushState(null, '', '/' + name);
        document.querySelector('main').innerHTML = `<h2>${name}</h2>`;
        const s = document.createElement('script'); s.type = 'text/plain'; s.dataset.consent = 'analytics';
        s.text = `window.ran = (window.ran || []).concat('${name}')`; document.querySelector('main').append(s) }"""
    page.evaluate(navigate, "first")
    page.wait_for_timeout(100)
    assert page.evaluate("[window.ran ?? null, !!document.querySelector('#consent-banner')]") == [None, True]
    page.evaluate("consent.accept()")
    page.evaluate(navigate, "second")
    ran(page, "first", "second")


def test_a_script_added_later_waits_and_runs_like_the_others(show) -> None:
    add = """name => { const s = document.createElement('script'); s.type = 'text/plain'; s.dataset.consent = 'analytics';
        s.text = `window.ran = (window.ran || []).concat('${name}')`; document.body.append(s) }"""
    page = show("")
    page.evaluate(add, "before")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    page.evaluate("consent.accept()")
    page.evaluate(add, "after")
    ran(page, "before", "after")


def test_a_service_needs_more_than_its_category(show) -> None:
    page = show(
        inert(NOTE.format("hotjar"), "data-service=hotjar")
        + inert(NOTE.format("any"))
        + inert(NOTE.format("unknown"), "data-service=nobody")
    )
    page.evaluate("consent.set({analytics: true, hotjar: false})")
    ran(page, "any")
    page.evaluate("consent.set({hotjar: true})")
    ran(page, "any", "hotjar")


def test_what_waits_for_refusal_runs_on_refusal_only(show) -> None:
    page = show(inert(NOTE.format("refused")).replace("'analytics'", "'!analytics'"))
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    page.evaluate("consent.accept()")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
    page.evaluate("consent.reject()")
    ran(page, "refused")


def test_a_granted_script_runs_on_the_next_page_by_itself(show) -> None:
    page = show(inert(NOTE.format("again")))
    page.evaluate("consent.accept()")
    ran(page, "again")
    page.reload()
    ran(page, "again")


# Templates


def test_a_template_is_unfolded_with_its_scripts(show) -> None:
    content = f"<p id=inside>Follow us</p><script src=TRACKER/a.js></script><script>{NOTE.format('inline')}</script>"
    content += "<script type=application/json id=data>{{}}</script>"
    page = show(f"<template data-consent=social>{content}</template>")
    assert page.locator("#inside").count() == 0
    page.evaluate("consent.accept()")
    expect(page.locator("#inside")).to_be_visible()
    ran(page, "a", "inline")
    assert page.locator("#data").get_attribute("type") == "application/json"


def test_a_templates_content_goes_and_comes_with_its_consent(show) -> None:
    page = show(
        f"<template data-consent=social><p id=inside>Follow us</p><script>{NOTE.format('once')}</script></template>"
    )
    for call, count in (("accept()", 1), ("withdraw()", 0), ("accept()", 1)):
        page.evaluate("consent." + call)
        assert page.locator("#inside").count() == count
    ran(page, "once")
