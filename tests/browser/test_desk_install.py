"""What the install page gives to paste does what it says, pasted as it stands."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Service, Website
from tests.browser.desk import SITE, signed_in

pytestmark = pytest.mark.browser

HTML = "<!doctype html><html lang=en><head><title>Shop</title>\n{head}</head><body><h1>Shop</h1></body></html>"
CONTAINER = "window.started = (window.started || 0) + 1; window.before = dataLayer.map(one => [...(one.length ? one : [])].join(' '))"


@pytest.fixture
def given(service: Service, browser: Browser) -> Callable[[str], str]:
    """A block of the page by its name, as the Copy button copies it."""
    context = browser.new_context(locale="en-GB", storage_state=signed_in(service, browser))  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk = context.new_page()
    desk.goto(service.url + SITE + "/install")

    def copied(name: str) -> str:
        desk.locator(f"[data-copy=tag-{name}]").click()
        expect(desk.locator("#copied")).to_have_text("Copied.")
        return desk.evaluate("navigator.clipboard.readText()")

    return copied


@pytest.fixture
def pasted(website: Website, page: Page) -> Callable[..., list[str]]:
    """Opens a page with these lines in its head and this header; what the console then says."""

    def pasted(head: str, header: str = "") -> list[str]:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        website.put("/favicon.ico", "", "image/x-icon")
        policy = {"Content_Security_Policy": header.partition(": ")[2]} if header else {}
        page.goto(website.put("/", HTML.format(head=head), **policy))
        return said

    return pasted


def chosen(page: Page, button: str = "Accept all") -> None:
    """Wait until a choice is recorded, without `eval`."""
    with page.expect_response(lambda answer: answer.url.endswith("/receipts")) as waited:
        page.get_by_role("button", name=button, exact=True).click()
    assert waited.value.status == 201


@pytest.mark.parametrize(("tag", "header"), [("nonce", "nonce-header"), ("inline", "hash-header")])
def test_under_the_policy_of_the_page_a_choice_is_recorded_and_nothing_is_violated(given, pasted, page, tag, header):
    said = pasted(given(tag), given(header))
    chosen(page)
    expect(page.get_by_role("button", name="Privacy settings")).to_be_visible()
    assert said == []


@pytest.fixture
def asked(page: Page) -> list[str]:
    """What the page asked of the container's host."""
    found: list[str] = []

    def answer(route: Route) -> None:
        found.append(route.request.url)
        route.fulfill(body=CONTAINER, content_type="text/javascript")

    page.route("https://www.googletagmanager.com/**", answer)
    return found


def test_a_container_hears_the_default_before_it_starts_and_each_choice(given, pasted, page, asked):
    pasted(given("gtm"))
    page.wait_for_function("window.started")
    assert page.evaluate("before[0]").startswith("consent default")
    event, granted = given("gtm-event"), given("gtm-variable")
    assert page.evaluate(f"({granted})()") is False
    chosen(page)
    assert page.evaluate("name => dataLayer.filter(one => one.event == name).length", event) == 1
    assert page.evaluate(f"({granted})()") is True and len(asked) == 1


def test_a_container_that_is_held_is_not_requested_before_consent(given, pasted, page, asked):
    pasted(given("gtm-held"))
    page.get_by_role("button", name="Accept all").wait_for()
    page.wait_for_timeout(300)
    assert asked == []
    chosen(page)
    page.wait_for_function("window.started == 1")
    assert len(asked) == 1
