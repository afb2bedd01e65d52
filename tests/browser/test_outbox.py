"""A service that is down, hangs or says no: the page never waits, the choice holds, and is recorded later, once."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

OUTBOX = "JSON.parse(localStorage['consent:outbox:shop'] || '[]').length"
PUT_AWAY = (
    "Object.defineProperty(document, 'hidden', {value: true}); document.dispatchEvent(new Event('visibilitychange'))"
)
PAGE = "<!doctype html><html lang=en><head><title>Shop</title>{}</head><body><h1>Shop</h1></body></html>"


def count(service: Service) -> int:
    token = service.cli("token", "create", "--role", "auditor", "--site", "shop").strip()
    return len(service.json("/api/sites/shop/receipts", token)["items"])


def open_page(service: Service, website: Website, page: Page) -> None:
    page.goto(website.put("/", PAGE.format(tag(service))))
    page.wait_for_function("window.consent")


def test_a_choice_made_while_the_service_is_down_is_recorded_later_once(
    service: Service, website: Website, page: Page
) -> None:
    open_page(service, website, page)
    service.stop()
    page.get_by_role("button", name="Accept all").click()
    assert page.evaluate("[consent.state.status, consent.receipt()]") == ["given", None]
    assert page.evaluate(OUTBOX) == 1
    service.start()
    page.reload()
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0")
    page.reload()
    page.wait_for_timeout(300)
    assert count(service) == 1


def test_a_choice_that_waits_outlives_its_cookies(service: Service, website: Website, page: Page) -> None:
    open_page(service, website, page)
    page.get_by_role("button", name="Reject all", exact=True).click()
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0")
    service.stop()
    page.evaluate("consent.accept()")
    page.context.clear_cookies()
    service.start()
    page.reload()
    page.wait_for_selector("#consent-banner")
    assert page.evaluate(OUTBOX) == 1
    # Where no choice is known it is sent when the page is put away.
    page.evaluate(PUT_AWAY)
    page.wait_for_function(f"{OUTBOX} === 0")
    assert count(service) == 2


def test_a_short_outage_needs_no_reload(service: Service, website: Website, page: Page) -> None:
    open_page(service, website, page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Reject all", exact=True).click()
    page.wait_for_timeout(200)
    page.context.set_offline(False)
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0", timeout=10000)
    assert count(service) == 1


def test_choices_made_offline_arrive_in_their_order(service: Service, website: Website, page: Page) -> None:
    open_page(service, website, page)
    page.context.set_offline(True)
    page.evaluate("consent.accept(); consent.withdraw(); consent.set({analytics: true})")
    page.context.set_offline(False)
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0", timeout=10000)
    token = service.cli("token", "create", "--role", "auditor", "--site", "shop").strip()
    lines = service.get("/api/sites/shop/export?format=csv", token).decode().splitlines()
    actions = [line.split(",")[lines[0].split(",").index("action")] for line in lines[1:]]
    assert actions == ["accept_all", "withdraw", "custom"]


def test_only_what_waits_opens_local_storage(service: Service, website: Website, page: Page) -> None:
    page.add_init_script("""
        const { get } = Object.getOwnPropertyDescriptor(window, 'localStorage');
        window.opened = 0;
        Object.defineProperty(window, 'localStorage', { get() { opened++; return get.call(window); } });""")
    open_page(service, website, page)
    page.get_by_role("button", name="Reject all", exact=True).click()
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0")
    page.reload()
    page.wait_for_selector("#consent-reopen")
    page.evaluate(PUT_AWAY)
    assert page.evaluate("opened") == 0


def test_two_tabs_record_a_choice_once(service: Service, website: Website, page: Page) -> None:
    open_page(service, website, page)
    page.context.set_offline(True)
    page.get_by_role("button", name="Accept all").click()
    other = page.context.new_page()
    page.context.set_offline(False)
    open_page(service, website, other)
    for one in (page, other):
        one.wait_for_function(f"consent.receipt() && {OUTBOX} === 0", timeout=10000)
    assert count(service) == 1


def test_a_hanging_service_never_delays_the_page(website: Website, tracker: Website, page: Page) -> None:
    hanging = tracker.hang("/sites/shop/banner.js")
    body = f"<script>window.parsed = true</script><script type=text/plain data-consent=analytics src={tracker.url}/a.js></script>"
    html = f"<!doctype html><html lang=en><head><title>Shop</title><script async src={hanging}></script></head><body>{body}</body></html>"
    page.goto(website.put("/", html), wait_until="domcontentloaded", timeout=3000)
    assert page.evaluate("window.parsed")
    assert tracker.count("/a.js") == 0


def test_a_recording_that_hangs_holds_up_nothing(service: Service, website: Website, page: Page) -> None:
    page.route("**/receipts", lambda route: None)
    open_page(service, website, page)
    page.get_by_role("button", name="Accept all").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("consent.granted('analytics')")
    page.unroute_all(behavior="ignoreErrors")
    page.reload()
    page.wait_for_function(f"consent.receipt() && {OUTBOX} === 0")
    assert count(service) == 1


def test_a_choice_the_service_refuses_for_good_is_let_go(service: Service, website: Website, page: Page) -> None:
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    page.route("**/receipts", lambda route: route.fulfill(status=422, headers={"Access-Control-Allow-Origin": "*"}))
    open_page(service, website, page)
    page.evaluate("document.addEventListener('consent:error', event => window.failed = event.detail.status)")
    page.get_by_role("button", name="Reject all", exact=True).click()
    page.wait_for_function("window.failed === 422")
    assert page.evaluate(OUTBOX) == 0
    assert page.evaluate("consent.state.status") == "refused"
    assert sum(line.startswith("consent: choice") for line in lines) == 1


def test_a_page_without_storage_still_obeys(service: Service, website: Website, page: Page) -> None:
    page.add_init_script("""
        Object.defineProperty(Document.prototype, 'cookie', {get() { throw new Error('blocked') }, set() { throw new Error('blocked') }});
        Object.defineProperty(window, 'localStorage', {get() { throw new Error('blocked') }});""")
    open_page(service, website, page)
    page.get_by_role("button", name="Accept all").click()
    page.wait_for_function("consent.receipt()")
    assert page.evaluate("consent.state.status") == "given"
