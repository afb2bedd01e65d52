"""A page that is held back stays whole: its markup, its placeholders, its own mistakes, and whatever it does to us."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag
from tests.browser.test_bypass import HELD
from tests.browser.test_late import host, publish, service, show

pytestmark = pytest.mark.browser
__all__ = ["host", "publish", "service", "show"]


def test_a_page_may_rewrite_the_markup_around_a_placeholder(show, host: Website) -> None:
    page = show("<div id=a></div>")
    page.evaluate("u => a.innerHTML = `<iframe width=300 height=150 src=${u}></iframe>`", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("a.innerHTML = a.innerHTML")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    assert page.locator(".consent-placeholder").count() == 1
    page.evaluate("copy = a.innerHTML")
    page.evaluate("consent.accept()")
    expect(page.frame_locator("#a iframe").locator("p")).to_be_visible()
    page.evaluate("a.innerHTML = copy")
    expect(page.frame_locator("#a iframe").locator("p")).to_be_visible()
    assert page.locator(".consent-placeholder").count() == 0


def test_a_placeholder_follows_its_embed(show, host: Website) -> None:
    page = show("<div id=a></div><div id=b></div>")
    page.evaluate("u => a.innerHTML = `<iframe width=300 height=150 src=${u}></iframe>`", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("b.append(a.querySelector('iframe'))")
    expect(page.locator("#b").get_by_role("group", name=HELD)).to_be_visible()
    assert page.evaluate("a.innerHTML") == ""


def test_an_iframe_of_the_page_gets_its_placeholder_with_its_address_or_its_mark(show, host: Website) -> None:
    page = show("<iframe id=f width=300 height=150></iframe><iframe id=g data-src=/x width=300 height=150></iframe>")
    page.evaluate("u => f.setAttribute('src', u)", f"{host.url}/frame")
    expect(page.get_by_role("group", name=HELD)).to_be_visible()
    page.evaluate("g.dataset.consent = 'social'")
    expect(page.locator(".consent-placeholder")).to_have_count(2)


def test_three_hundred_embeds_are_held_at_once(show, host: Website) -> None:
    page = show()
    took = page.evaluate(
        """async u => { const begun = performance.now();
        document.body.insertAdjacentHTML('beforeend', `<img width=300 height=150 src=${u}>`.repeat(300));
        await new Promise(r => setTimeout(r)); return performance.now() - begun }""",
        f"{host.url}/pixel",
    )
    assert page.locator(".consent-placeholder").count() == 300
    assert took < 2000


def test_whoever_made_a_script_may_take_it_away_again(show, host: Website) -> None:
    page = show()
    page.evaluate(
        "u => { s = document.createElement('script'); s.src = u; document.body.appendChild(s); consent.accept() }",
        f"{host.url}/a.js",
    )
    page.wait_for_function("window.ran")
    page.evaluate(
        "copy = s.cloneNode(true); document.body.removeChild(s); consent.withdraw(); document.body.append(s, copy)"
    )
    page.evaluate("consent.accept()")
    page.wait_for_timeout(200)
    assert page.evaluate("window.ran") == ["a"]


def test_a_released_script_that_writes_leaves_the_page_as_it_is(show) -> None:
    code = "document.write('<b id=w>w</'); document.write('b><script>window.ran = 1</' + 'script>'); window.wrote = typeof document.write"
    page = show(f"<p id=keep>keep</p><script type=text/plain data-consent=analytics>{code}</script><p id=after>")
    page.evaluate("consent.accept()")
    page.wait_for_function("window.ran")
    assert page.evaluate("[!!window.keep, w.nextElementSibling.localName, !!window.after, Object.hasOwn(document, 'write')]") == [
        True, "script", True, False,
    ]  # fmt: skip


WRONG = [
    "new XMLHttpRequest().open('GET')",
    "localStorage.setItem('a')",
    "document.createElement('p').setAttribute('src')",
    "document.createElement('p').setAttributeNS(null, 'src')",
    "document.body.insertAdjacentHTML('beforeend')",
    "document.body.insertAdjacentHTML('nowhere', '<img src=x>')",
    "document.body.appendChild()",
    "document.body.appendChild({localName: 'script', src: 1})",
    "document.createElement('p').setAttributeNode(null)",
    "document.createRange().createContextualFragment()",
    "Storage.prototype.setItem.call({}, 'a', 'b')",
    "new WebSocket()",
    "navigator.sendBeacon()",
]


@pytest.mark.parametrize("code", WRONG)
def test_wrong_use_fails_as_it_did(show, code: str) -> None:
    page = show()
    answer = f"(() => {{ try {{ {code} }} catch (error) {{ return error.name }} }})()"
    blank = page.context.new_page()
    assert page.evaluate(answer) == blank.evaluate(answer) or page.evaluate(answer) == "TypeError"


def test_what_was_patched_looks_as_before(show) -> None:
    page = show()
    assert page.evaluate(
        """[fetch.name, fetch.length, Element.prototype.append.name, Node.prototype.appendChild.length,
        XMLHttpRequest.prototype.open.length, Element.prototype.setAttribute.name, typeof new Audio().play, new Image() instanceof Image,
        new Audio() instanceof Audio, document.body.insertAdjacentHTML('beforeend', '<p>'), document.body.innerHTML = null]"""
    ) == ["fetch", 1, "append", 1, 2, "setAttribute", "function", True, True, None, None]


def test_a_click_on_no_element_breaks_nothing_and_one_in_a_shadow_root_opens(show, page: Page) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    show("<div id=d></div>")
    page.evaluate("document.dispatchEvent(new MouseEvent('click'))")
    page.evaluate("d.attachShadow({mode: 'open'}).innerHTML = '<p data-consent-open>Cookies</p>'")
    page.get_by_text("Cookies", exact=True).click()
    expect(page.get_by_role("dialog", name="Privacy preferences")).to_be_visible()
    assert errors == []


def test_a_root_that_is_no_selector_is_the_body(service: Service, website: Website, page: Page) -> None:
    page.goto(website.put("/root", f"<!doctype html><head>{tag(service, ' data-root=#1bad[')}</head><body>"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()


def test_a_form_called_consent_with_any_fields_is_no_guard(service: Service, website: Website, page: Page) -> None:
    form = "<form id=consent><input name=handOver></form>"
    page.goto(website.put("/form", f"<!doctype html><body>{form}{tag(service)}"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()


def test_a_category_that_the_policy_lacks_is_named_on_the_console(show, page: Page) -> None:
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    show("<iframe data-consent=marketing data-src=/x width=300 height=150></iframe>")
    expect(page.locator(".consent-placeholder")).to_be_visible()
    assert [text for text in said if 'has no "marketing"' in text]


def test_markup_in_an_xml_page_is_left_to_its_parser(
    service: Service, website: Website, host: Website, page: Page
) -> None:
    head = f"<head><title>x</title><script async='async' src='{service.url}/sites/shop/banner.js'></script></head>"
    html = f"<html xmlns='http://www.w3.org/1999/xhtml'>{head}<body><div id='d'/></body></html>"
    page.goto(website.put("/x", html, "application/xhtml+xml"))
    page.wait_for_function("window.consent")
    page.evaluate(
        "u => { window.d = document.getElementById('d'); d.innerHTML = `<iframe xmlns='http://www.w3.org/1999/xhtml' src='${u}'/>` }",
        f"{host.url}/frame",
    )
    page.wait_for_timeout(200)
    assert page.evaluate("[d.firstElementChild.localName, d.lastElementChild.localName, d.lastElementChild.src]") == [
        "div",
        "iframe",
        "",
    ]


def test_a_page_that_has_frozen_its_prototypes_is_one_way_less(
    service: Service, website: Website, host: Website, page: Page
) -> None:
    frozen = "<script>for (const one of [HTMLVideoElement, Element, Storage]) Object.freeze(one.prototype)</script>"
    page.goto(website.put("/frozen", f"<!doctype html><head>{frozen}{tag(service)}</head><body>"))
    expect(page.get_by_role("button", name="Reject all", exact=True)).to_be_visible()
    host.requests.clear()
    page.evaluate("u => { new Image().src = u }", f"{host.url}/pixel")
    page.wait_for_timeout(200)
    assert host.requests == []
