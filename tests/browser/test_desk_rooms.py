"""The desk's plain rooms in a real browser: every page in every width and scheme, and an owner's first steps."""

import time
from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service
from tests.browser.desk import PASSWORD, SITE, VIEWS, busy, faults, signed_in

pytestmark = pytest.mark.browser

ROOMS = (
    "/admin/", "/admin/account", "/admin/people", "/admin/people/anna", "/admin/tokens", "/admin/trail", "/admin/trail/1", "/admin/health", "/admin/new-site",
    f"{SITE}/overview", f"{SITE}/install", f"{SITE}/settings",
)  # fmt: skip
MORE = tuple(
    f"{SITE}/{room}"
    for room in (
        "receipts",
        "export",
        "requests",
        "banner",
        "banner/services",
        "banner/looks",
        "banner/rules",
        "banner/review",
    )
)
SHIFT = """() => new Promise(done => {
  let moved = 0;
  new PerformanceObserver(list => list.getEntries().forEach(one => (moved += one.value))).observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(moved), 100);
})"""
LARGEST = 150_000
"""Bytes that a page and what it loads may take."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = busy(tmp_path_factory.mktemp("desk"))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def state(service: Service, browser: Browser) -> dict:
    return signed_in(service, browser)


@pytest.mark.parametrize(
    ("view", "scheme", "language"), [*product(VIEWS, ("light", "dark"), ("en",)), ("phone", "light", "de")]
)
def test_every_room_can_be_read_by_everybody(service, browser, state, view, scheme, language) -> None:
    width, height = VIEWS[view]
    context = browser.new_context(
        locale=language, viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state
    )
    page, said, sizes = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("response", lambda answer: sizes.append(int(answer.headers.get("content-length", 0))))
    page.on(
        "request",
        lambda request: said.append(request.url) if not request.url.startswith((service.url, "data:")) else None,
    )
    for room in ROOMS + (MORE if language == "de" else ()):
        sizes.clear()
        page.goto(service.url + room)
        assert faults(page) == [], room
        assert sum(sizes) < LARGEST, room
        assert page.locator("html").get_attribute("lang") == language
    context.close()
    assert said == []


@pytest.mark.parametrize(("view", "scheme"), [*product(VIEWS, ("light", "dark"))])
def test_refusals_and_the_way_in_can_be_read_by_everybody(service, browser, state, view, scheme) -> None:
    width, height = VIEWS[view]
    seen = {"viewport": {"width": width, "height": height}, "color_scheme": scheme, "locale": "de"}
    stranger, owner = browser.new_context(**seen), browser.new_context(**seen, storage_state=state)
    for context, room in (
        (stranger, "/admin/sign-in"),
        (owner, "/admin/nothing"),
        (owner, f"{SITE}/receipts/x"),
        (owner, f"{SITE}/overview?since=x"),
    ):
        page = context.new_page()
        page.goto(service.url + room)
        assert faults(page) == [], room
    stranger.close()
    owner.close()


@pytest.mark.parametrize("view", VIEWS)
def test_nothing_moves_while_a_page_comes(service: Service, browser: Browser, state: dict, view: str) -> None:
    width, height = VIEWS[view]
    context = browser.new_context(viewport={"width": width, "height": height}, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.route("**/*.js*", lambda route: (time.sleep(0.2), route.continue_()))  # the page is drawn before they come
    for room in ROOMS + MORE:
        page.goto(service.url + room, wait_until="networkidle")
        assert (room, page.evaluate(SHIFT)) == (room, 0)
    context.close()


@pytest.fixture
def page(service: Service, browser: Browser, state: dict) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", storage_state=state)
    yield context.new_page()
    context.close()


def test_a_site_is_made_its_tag_copied_and_its_end_needs_its_name(service: Service, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service.url)
    page.goto(service.url + "/admin/")
    page.get_by_role("link", name="New site").click()
    page.get_by_label("Id").fill("second")
    page.get_by_label("Name").fill("The second")
    page.get_by_label("Origins").fill("https://second.example")
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_text("The site is made")).to_be_visible()
    page.get_by_role("button", name="Copy").first.click()
    expect(page.locator("#copied")).to_have_text("Copied.")
    assert "/sites/second/banner.js" in page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Type second to confirm").fill("secon")
    page.get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_text("Nothing was done")).to_be_visible()
    page.goto(service.url + "/admin/sites/second/settings")
    page.get_by_label("Type second to confirm").fill("second")
    page.get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_text("is gone")).to_be_visible()
    page.get_by_role("link", name="Trail").click()
    expect(page.get_by_role("cell", name="deleted a site")).to_be_visible()


def test_the_tag_is_seen_and_the_choices_are_counted(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/install")
    expect(page.get_by_role("row", name="https://shop.example")).to_contain_text("yes")
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("listitem").filter(has_text="were asked")).to_contain_text("12")
    page.get_by_role("link", name="by language").click()
    expect(page.get_by_role("row", name="de").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="These numbers as CSV").last.click()
    assert b"language" in download.value.path().read_bytes()


PRINTED = """() => {
  const dark = color => color.match(/\\d+/g).slice(0, 3).every(one => +one < 128);
  const seen = selector => [...document.querySelectorAll(selector)].filter(one => one.checkVisibility());
  const cut = one => one.scrollWidth > one.clientWidth || (one.scrollHeight > one.clientHeight && getComputedStyle(one).overflowY != "visible");
  document.querySelector("main details").open = true;
  return {
    chart: seen("figure svg").length, tables: seen("table").length, frame: seen("nav, .top, form, .button").length,
    ink: dark(getComputedStyle(document.body).color), cut: [...document.querySelectorAll(".scroll, figure")].filter(cut).length,
  };
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_overview_is_printed_with_its_chart_and_its_tables(service: Service, page: Page, scheme: str) -> None:
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 with its margins
    page.emulate_media(media="print", color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(service.url + SITE + "/overview")
    assert page.evaluate(PRINTED) == {"chart": 1, "tables": 3, "frame": 0, "ink": True, "cut": 0}


def test_everything_is_read_without_javascript(service: Service, browser: Browser, state: dict) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False, storage_state=state)
    page = context.new_page()
    for room in ROOMS:
        page.goto(service.url + room)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
    context.close()


def test_the_menu_is_walked_by_keyboard(service: Service, page: Page) -> None:
    page.goto(service.url + "/admin/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    menu = page.locator("summary", has_text="anna")
    menu.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Your account")).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(page.get_by_role("link", name="Your account")).to_be_hidden()


def test_on_a_phone_the_menu_shows_where_one_is(service: Service, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    for room, name in (("/settings", "Settings"), ("/overview", "Overview")):
        page.goto(service.url + SITE + room)
        box = page.locator("nav").get_by_role("link", name=name).bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 360 and box["y"] < 160
        assert page.evaluate("scrollX + scrollY") == 0


def test_an_owner_gives_a_role_on_one_site_and_takes_somebody_away(service: Service, page: Page) -> None:
    page.goto(service.url + "/admin/people")
    page.get_by_label("Name").fill("carla")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_role("link", name="Change carla").click()
    page.get_by_role("combobox", name="On every site").select_option("")
    page.get_by_role("combobox", name="shop").select_option("auditor")
    page.get_by_role("button", name="Change the roles").click()
    expect(page.get_by_text("The roles of carla are changed")).to_be_visible()
    expect(page.get_by_role("row", name="carla")).to_contain_text("auditor, shop")
    page.get_by_role("link", name="Change carla").click()
    page.get_by_label("Type carla to confirm").last.fill("carla")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("carla can sign in no more.")).to_be_visible()


def test_somebody_new_signs_in_with_the_password_handed_over(service: Service, page: Page, browser: Browser) -> None:
    page.goto(service.url + "/admin/people")
    page.get_by_label("Name").fill("bert")
    page.get_by_role("button", name="Add", exact=True).click()
    password = page.locator(".good code").inner_text()
    context = browser.new_context(locale="en-GB")
    fresh = context.new_page()
    fresh.goto(service.url + SITE + "/overview")
    fresh.get_by_label("Name").fill("bert")
    fresh.get_by_label("Password").fill(password)
    fresh.get_by_role("button", name="Sign in").click()
    fresh.get_by_label("Present password").fill(password)
    fresh.get_by_label("New password", exact=False).first.fill(PASSWORD)
    fresh.get_by_label("New password again").fill(PASSWORD)
    fresh.get_by_role("button", name="Change the password").click()
    expect(fresh.get_by_role("link", name="Shop")).to_be_visible()
    context.close()
