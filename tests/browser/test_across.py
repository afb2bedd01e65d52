"""A choice that follows links from one of the site's origins to another, and nothing that somebody else hands over."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Service, Website, counter, tag

pytestmark = pytest.mark.browser

FORGED = "#consent=1.1.{}.fZk3PpQ0Tz2mYw4uJr8aBg.analytics"
MARKED = "<script type='text/plain' data-consent='analytics' src='TRACKER/a.js'></script>"


@pytest.fixture(scope="module")
def host() -> Iterator[Website]:
    with Website() as tracker:
        tracker.put("/a.js", "window.ran = (window.ran || 0) + 1", "text/javascript")
        yield tracker


@pytest.fixture(scope="module")
def places(website: Website) -> dict[str, str]:
    """Addresses of one website: two of the site, one of somebody else."""
    port = website.url.rpartition(":")[2]
    return {"one": website.url, "two": f"http://www.shop.test:{port}", "else": f"http://127.0.0.1:{port}"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, places: dict[str, str], host: Website) -> Iterator[Service]:
    """Sites whose choice follows links, with services and without; `apart`, whose does not."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    origins = [places["one"], places["two"].replace("//www.", "//*.")]
    follows = {"cookie": {"follow_links": True}}
    service.publish("plain", origins, ("analytics",), **follows)
    service.publish("services", origins, ("analytics",), services=[counter(host.url)], **follows)
    service.publish("apart", origins, ("analytics",))
    with service:
        yield service


@pytest.fixture
def show(service: Service, website: Website, host: Website, page: Page):
    """Open the page of a site at one of the addresses, from which a link leads to another."""

    def show(at: str, link: str = "", site: str = "plain", attributes: str = "") -> Page:
        for name in ("plain", "services", "apart"):
            head = f"<title>Shop</title>{tag(service).replace('/shop/', f'/{name}/')}"
            body = f"<a id=go href='{link}' {attributes}>Go</a>{MARKED.replace('TRACKER', host.url)}<p style='height:3000px'><h2 id=there>There</h2>"
            website.put(f"/{name}", f"<!doctype html><html lang=en><head>{head}</head><body>{body}</body></html>")
        page.goto(f"{at}/{site}")
        page.wait_for_function("window.consent")
        return page

    return show


def arrived(page: Page, url: str) -> list:
    """Where a click has led, and what holds there."""
    page.wait_for_url(lambda reached: reached.startswith(url))
    page.wait_for_function("window.consent")
    page.wait_for_function("!location.hash.includes('consent')")
    return page.evaluate("[consent.state.status, consent.granted('analytics'), consent.state.subject]")


@pytest.mark.parametrize("site", ["plain", "services"])
def test_a_choice_follows_a_link_to_another_origin(show, places, page: Page, site: str) -> None:
    there = f"{places['two']}/{site}#there"
    page = show(places["one"], there, site)
    page.click("#consent-accept")
    page.wait_for_function("consent.receipt()")
    subject, receipt = page.evaluate("[consent.state.subject, consent.receipt()]")
    page.click("#go")
    assert arrived(page, places["two"]) == ["given", True, subject]
    assert page.url == there
    page.wait_for_function("window.ran == 1 && scrollY > 1000")
    page.wait_for_function("receipt => consent.receipt() == receipt", arg=receipt)
    assert page.locator("#consent-banner").count() == 0
    page.reload()
    page.wait_for_function("window.ran == 1")


def test_a_withdrawal_follows_too_and_an_older_choice_changes_nothing(show, places, page: Page) -> None:
    page = show(places["one"], places["two"] + "/plain")
    page.click("#consent-accept")
    old = page.evaluate("document.cookie.split('consent=')[1]")
    page.click("#go")
    assert arrived(page, places["two"])[0] == "given"
    page.wait_for_timeout(1100)  # choices are told apart by the second
    page.evaluate("consent.withdraw()")
    page = show(places["two"], places["one"] + "/plain")
    page.click("#go")
    assert arrived(page, places["one"])[0] == "withdrawn"
    page.evaluate("old => (document.cookie = `consent=${old}; Path=/`)", old)
    page = show(places["one"], places["two"] + "/plain")
    page.click("#go")
    assert arrived(page, places["two"])[0] == "withdrawn"


@pytest.mark.parametrize("how", ["typed", "foreign", "hidden"])
def test_what_somebody_else_hands_over_is_not_taken(show, places, page: Page, how: str) -> None:
    forged = f"{places['two']}/plain{FORGED.format(page.evaluate('Date.now() / 1e3 >>> 0'))}"
    show(places["else" if how == "foreign" else "one"], attributes="rel=noreferrer" if how == "hidden" else "")
    if how == "typed":
        page.goto(forged)
    else:
        page.evaluate("url => { go.href = url; document.addEventListener('click', () => (go.href = url)) }", forged)
        page.click("#go")
    assert arrived(page, places["two"]) == ["unknown", False, None]
    expect(page.locator("#consent-banner")).to_be_visible()


@pytest.mark.parametrize(
    "markup",
    ["<a id=theirs href='{}'>It</a>", "<svg width=99 height=20><a id=theirs href='{}'><text y=15>It</text></a></svg>"],
)
@pytest.mark.parametrize("button", ["left", "right"])
def test_a_mark_that_a_visitor_wrote_into_a_link_is_taken_out(
    show, places, page: Page, markup: str, button: str
) -> None:
    page = show(places["one"])
    forged = f"{places['two']}/plain{FORGED.format(page.evaluate('Date.now() / 1e3 >>> 0'))}"
    page.evaluate(
        "html => { document.body.insertAdjacentHTML('afterbegin', html); document.addEventListener('click', event => event.preventDefault()) }",
        markup.format(forged),
    )
    page.get_by_text("It", exact=True).click(button=button)  # type: ignore[arg-type]
    assert page.evaluate("theirs.getAttribute('href')") == f"{places['two']}/plain"


def test_what_listens_to_clicks_on_the_page_sees_no_mark(show, places, page: Page) -> None:
    page = show(places["one"], places["two"] + "/plain")
    page.click("#consent-accept")
    page.evaluate("document.addEventListener('click', () => (sessionStorage.seen = go.href))")
    page.evaluate("go.click(); undefined")
    assert arrived(page, places["two"])[0] == "given"
    page.goto(places["one"] + "/plain")
    assert page.evaluate("sessionStorage.seen") == places["two"] + "/plain"


@pytest.mark.parametrize("decided_at", [1, 99999999999])
def test_what_has_lapsed_or_comes_from_the_future_is_not_taken(show, places, page: Page, decided_at: int) -> None:
    page = show(places["one"], places["two"] + "/plain")
    page.evaluate("at => (document.cookie = `consent=1.2.${at}.fZk3PpQ0Tz2mYw4uJr8aBg.analytics; Path=/`)", decided_at)
    page.click("#go")
    assert arrived(page, places["two"])[0] == "unknown"
    assert "consent=" not in page.evaluate("document.cookie")


def test_a_route_behind_the_mark_is_found_by_the_page(show, places, page: Page) -> None:
    page = show(places["one"], places["two"] + "/plain#/route?a=1")
    page.add_init_script("addEventListener('hashchange', () => (window.route = location.hash))")
    page.click("#consent-accept")
    page.click("#go")
    assert arrived(page, places["two"])[0] == "given"
    page.wait_for_function("window.route == '#/route?a=1'")


def test_nobody_who_has_not_chosen_hands_anything_over(show, places, page: Page) -> None:
    page = show(places["one"], f"{places['two']}/plain{FORGED.format(page.evaluate('Date.now() / 1e3 >>> 0'))}")
    page.click("#go")
    assert arrived(page, places["two"])[0] == "unknown"


def test_a_link_stays_as_the_page_wrote_it(show, places, page: Page) -> None:
    page = show(places["one"], places["two"] + "/plain?a=1#b")
    page.click("#consent-accept")
    with page.context.expect_page() as opened:
        page.click("#go", modifiers=["Control"])
    assert arrived(opened.value, places["two"])[0] == "given"
    assert opened.value.url.endswith("/plain?a=1#b")
    assert page.evaluate("go.getAttribute('href')") == places["two"] + "/plain?a=1#b"


def test_under_the_strict_guard_the_page_that_takes_a_choice_reloads_once(
    show, places, service: Service, website: Website, host: Website, page: Page
) -> None:
    host.put("/unmarked.js", "window.ran = (window.ran || 0) + 1", "text/javascript")
    page = show(places["one"], places["two"] + "/strict", "services")
    head = service.cli("snippet", "services", "--strict")
    website.put(
        "/strict",
        f"<!doctype html><html><head>{head}<script src='{host.url}/unmarked.js'></script></head><body></body></html>",
    )
    page.click("#consent-accept")
    page.click("#go")
    assert arrived(page, places["two"])[0] == "given"
    page.wait_for_function("window.ran == 1 && performance.getEntriesByType('navigation')[0].type == 'reload'")
    assert host.count("/unmarked.js") == 1


def test_where_the_policy_does_not_wish_it_nothing_is_handed_over_or_taken(show, places, page: Page) -> None:
    page = show(places["one"], places["two"] + "/apart", "apart")
    page.click("#consent-accept")
    page.click("#go")
    page.wait_for_url(places["two"] + "/apart")
    page.wait_for_function("window.consent")
    assert page.evaluate("consent.state.status") == "unknown"
