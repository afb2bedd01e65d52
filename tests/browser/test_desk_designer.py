"""The banner's designer as its owner uses it: from the sign-in to a changed banner on the demo page, and what helps on the way."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from tests.browser.conftest import Service
from tests.browser.desk import first_time, leave
from tests.browser.test_accessibility import AXE, FINDINGS, TAGS

pytestmark = pytest.mark.browser
BANNER = "/admin/sites/demo/banner"
OPEN = "document.querySelectorAll('main details').forEach(one => (one.open = true))"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`consent serve --demo`, and what it printed about the first owner."""
    service = Service(tmp_path_factory.mktemp("designer") / "data")
    service.start("--demo", "--workers", "1")
    yield service
    service.stop()


@pytest.fixture(scope="module")
def password(shop: Service) -> str:
    """The one-time password that the service printed when it began."""
    found = re.search(r"as owner with the one-time password (\S+)", shop.log.read_text())
    assert found
    return found[1]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, shop: Service, password: str) -> Iterator[BrowserContext]:
    """A browser in which the owner is signed in; each test works on a page of its own."""
    state = first_time(shop, browser, "owner", password)
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}, storage_state=state)  # type: ignore[arg-type]
    yield context
    context.close()


@pytest.fixture
def page(signed_in: BrowserContext) -> Iterator[Page]:
    """A page whose console stays empty."""
    page = signed_in.new_page()
    page.set_default_timeout(10_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert [text for text in said if "409 (CONFLICT)" not in text] == []
    leave(page)


def preview(page: Page) -> FrameLocator:
    return page.frame_locator("#stage iframe:not(.coming)")


def click_inside(page: Page, selector: str) -> None:
    """A real click at the place where the scaled frame shows something."""
    frame = page.locator("#stage iframe").bounding_box()
    x, y = (
        preview(page)
        .locator(selector)
        .evaluate(
            "it => [it.getBoundingClientRect(), innerWidth].flatMap((box, at, [rect, wide]) => at ? [] : "
            "[(rect.x + rect.width / 2) / wide, (rect.y + rect.height / 2) / wide])"
        )
    )
    assert frame
    page.mouse.click(frame["x"] + x * frame["width"], frame["y"] + y * frame["width"])


def discard(page: Page, shop: Service) -> None:
    page.goto(f"{shop.url}{BANNER}/review")
    page.get_by_text("Discard the draft").first.click()
    page.get_by_label("Type demo to confirm").fill("demo")
    page.get_by_role("button", name="Discard the draft").click()


ACTED = """if (self == top) sessionStorage.acts = sessionStorage.acts || 0;
if (self == top) for (const kind of ["click", "change"]) addEventListener(kind, event => event.isTrusted && sessionStorage.acts++, true)"""
"""Counts what somebody clicks and fills, from page to page."""


def test_an_owner_publishes_a_changed_banner_and_sees_it_on_the_demo_page(shop: Service, page: Page) -> None:
    """The clicks from the first page of the desk; the sign-in, seven more, stands in the fixture.

    Under three minutes without reading documentation are at most thirty acts of six seconds; it takes less than half.
    """
    page.goto(f"{shop.url}/demo/")
    expect(page.get_by_role("dialog", name="Your privacy, your choice")).to_be_visible()
    page.add_init_script(ACTED)
    page.goto(f"{shop.url}/admin/")
    page.get_by_role("link", name="Lamp & Linen").click()
    page.get_by_role("link", name="Banner", exact=True).click()
    page.get_by_label("Heading", exact=True).fill("Cookies at Lamp & Linen")
    expect(preview(page).get_by_role("heading", name="Cookies at Lamp & Linen")).to_be_visible()
    page.get_by_role("button", name="Save and review").click()
    expect(page.locator("ins")).to_have_text("Cookies at Lamp & Linen")
    expect(page.get_by_label("No, earlier choices hold")).to_be_checked()
    page.get_by_role("button", name="Publish version 2").click()
    expect(page.get_by_role("heading", name="Version 2 is published")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.get_by_role("link", name="See it on the demo page").click()
    expect(page.get_by_role("dialog", name="Cookies at Lamp & Linen")).to_be_visible()
    assert 6 <= int(page.evaluate("sessionStorage.acts")) + 7 <= 14


def test_the_preview_shows_devices_languages_colours_rules_and_layers(shop: Service, page: Page) -> None:
    page.goto(shop.url + BANNER)
    switches = page.locator("#switches")
    expect(preview(page).get_by_role("button", name="Accept all")).to_be_visible()
    assert preview(page).locator("html").evaluate("it => innerWidth") == 360
    switches.get_by_label("Device").select_option("desktop")
    switches.get_by_label("Language").select_option("de")
    switches.get_by_label("Colours").select_option("dark")
    expect(preview(page).get_by_role("button", name="Alle ablehnen", exact=True)).to_be_visible()
    assert preview(page).locator("html").evaluate("it => innerWidth") == 1280
    assert preview(page).locator("#consent-banner").evaluate("it => getComputedStyle(it).colorScheme") == "dark"
    switches.get_by_label("Language").select_option("ar")
    expect(preview(page).locator("#consent-banner")).to_have_attribute("dir", "rtl")
    switches.get_by_label("Language").select_option("en")
    switches.get_by_label("Visitor").select_option("opt-out")
    expect(preview(page).get_by_text("You can refuse this now")).to_be_visible()
    switches.get_by_label("Shows").select_option("preferences")
    expect(preview(page).get_by_role("dialog", name="Privacy preferences")).to_be_visible()
    switches.get_by_label("Shows").select_option("after")
    expect(preview(page).locator("#consent-reopen button")).to_be_attached()
    page.go_back()
    assert page.url == "about:blank", "the preview leaves nothing in the history"


def test_nothing_in_the_preview_is_recorded_or_kept(shop: Service, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.removeprefix(shop.url)))
    before = shop.json("/sites/demo/policies/1")["version"]
    page.goto(shop.url + BANNER)
    click_inside(page, "#consent-accept")
    expect(preview(page).locator("#consent-banner")).to_have_count(0)
    click_inside(page, "#consent-reopen button")
    expect(preview(page).get_by_text("Your last choice")).to_be_visible()
    page.goto(shop.url + BANNER)
    expect(preview(page).get_by_role("button", name="Accept all")).to_be_visible()
    assert not [path for path in asked if path.startswith("/sites/")] and before == 1
    assert {cookie["name"] for cookie in page.context.cookies()} <= {"consent_desk", "consent_device"}
    assert page.evaluate("localStorage.length") == 0


def test_typing_keeps_the_focus_though_the_banner_takes_it(shop: Service, page: Page) -> None:
    page.goto(f"{shop.url}{BANNER}/looks")
    page.get_by_label("Layout").select_option("modal")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.goto(shop.url + BANNER)
    expect(preview(page).get_by_role("button", name="Accept all")).to_be_visible()
    field = page.get_by_label("Heading", exact=True)
    field.fill("")
    for word in ("One ", "word ", "after ", "another"):
        page.keyboard.type(word, delay=30)
        page.wait_for_timeout(500)
    expect(field).to_have_value("One word after another")
    expect(field).to_be_focused()
    expect(preview(page).get_by_role("heading", name="One word after another")).to_be_visible()
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    discard(page, shop)


def test_what_is_typed_before_the_script_has_come_is_shown_too(shop: Service, page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/designer.js*", lambda route: waiting.append(route))
    page.goto(shop.url + BANNER, wait_until="commit")
    page.get_by_label("Heading", exact=True).fill("Typed early")
    while not waiting:
        page.wait_for_timeout(50)
    page.unroute("**/designer.js*")  # lets it go on
    expect(preview(page).get_by_role("heading", name="Typed early")).to_be_visible()
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    discard(page, shop)


def test_mistakes_and_hints_come_while_one_types(shop: Service, page: Page) -> None:
    page.goto(f"{shop.url}{BANNER}/looks")
    accent = page.get_by_label("Buttons and switches", exact=True).first
    accent.fill("#ffee00")
    expect(page.locator('[data-why="appearance.light.accent"]')).to_contain_text("needs a contrast of 5:1 for buttons")
    expect(accent).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("status").filter(has_text="Mistakes: 1.")).to_be_attached()
    page.get_by_label("Pick: Buttons and switches").first.fill("#004488")
    expect(accent).to_have_value("#004488")
    expect(accent).not_to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("status").filter(has_text="No mistakes.")).to_be_attached()
    background = preview(page).locator("#consent-accept")
    expect(background).to_have_css("background-color", "rgb(0, 68, 136)")
    accent.fill("")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()


def test_a_service_of_the_catalogue_in_three_clicks(shop: Service, page: Page) -> None:
    page.goto(f"{shop.url}{BANNER}/services")
    page.get_by_label("Another service").fill("YouTube")
    page.get_by_role("button", name="Add the service").click()
    expect(page.get_by_text("from the catalogue")).to_be_visible()
    page.get_by_role("link", name="Edit YouTube").click()
    expect(page.get_by_role("group", name="VISITOR_INFO1_LIVE")).to_be_visible()
    discard(page, shop)


def test_two_people_do_not_overwrite_each_other(shop: Service, page: Page, signed_in: BrowserContext) -> None:
    page.goto(shop.url + BANNER)
    other = signed_in.new_page()
    other.goto(shop.url + BANNER)
    other.get_by_label("Heading", exact=True).fill("Theirs")
    other.get_by_role("button", name="Save the draft").last.click()
    expect(other.get_by_text("The draft is saved.")).to_be_visible()
    leave(other)
    page.get_by_label("Heading", exact=True).fill("Mine")
    with page.expect_response(lambda answer: answer.status == 409):
        page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_role("alert")).to_contain_text("owner changed the draft while you were editing")
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Mine")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    discard(page, shop)


def test_it_works_without_javascript(shop: Service, browser: Browser, signed_in: BrowserContext) -> None:
    context = browser.new_context(java_script_enabled=False, storage_state=signed_in.storage_state(), locale="en-GB")
    page = context.new_page()
    page.goto(shop.url + BANNER)
    page.get_by_label("Heading", exact=True).fill("Without a script")
    page.get_by_label("Heading", exact=True).press("Enter")
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_label("Language").select_option("fr")
    page.get_by_label("Shows").select_option("preferences")
    page.get_by_role("button", name="Show", exact=True).click()
    source = page.locator("#stage iframe").get_attribute("src") or ""
    assert "lang=fr" in source and "layer=preferences" in source
    page.get_by_role("link", name="Review and publish").click()
    expect(page.locator("ins")).to_have_text("Without a script")
    page.get_by_text("Discard the draft").first.click()
    page.get_by_label("Type demo to confirm").fill("demo")
    page.get_by_role("button", name="Discard the draft").click()
    context.close()


PAGES = ["", "/services", "/service?number=0", "/looks", "/rules", "/review", "/history", "/file", "/published"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing(shop: Service, page: Page, path: str, scheme) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(shop.url + BANNER + path)
    page.evaluate(OPEN)
    page.evaluate(AXE.read_text())
    assert page.evaluate(FINDINGS, TAGS) == []


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_wider_than_a_small_phone(shop: Service, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(shop.url + BANNER + path)
    page.evaluate(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_file_goes_out_and_comes_back(shop: Service, page: Page, tmp_path: Path) -> None:
    page.goto(f"{shop.url}{BANNER}/file")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download as TOML").click()
    file = tmp_path / "demo.toml"
    waited.value.save_as(file)
    file.write_text(file.read_text().replace("Lamp & Linen", "Lamp and Linen"))
    page.get_by_label("File").set_input_files(file)
    page.get_by_role("button", name="Make it the draft").click()
    expect(page.get_by_text("The file is the draft now.")).to_be_visible()
    expect(page.locator("ins").first).to_have_text("Lamp and Linen")
    discard(page, shop)
