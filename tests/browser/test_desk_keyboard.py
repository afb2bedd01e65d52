"""Nothing but a keyboard: a choice is proved, a banner changed and published, an export taken, a visitor erased.

Each step goes by Tab to what it is about, which must be seen and not be covered, and by the keys that it is known for.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Service
from tests.browser.desk import ERASED, KNOWN, SITE, VIEWS, busy, leave, signed_in

pytestmark = pytest.mark.browser

FAR = 150
"""Stops that a page has at most."""
SEEN = """() => {
  const box = document.activeElement.getBoundingClientRect(), inside = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20))
  return box.width > 0 && box.bottom > 0 && box.top < innerHeight && (document.activeElement.contains(inside) || inside?.contains(document.activeElement))
}"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = busy(tmp_path_factory.mktemp("keyboard"))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def state(service: Service, browser: Browser) -> dict:
    return signed_in(service, browser)


@pytest.fixture(params=VIEWS)
def page(service: Service, browser: Browser, state: dict, request) -> Iterator[Page]:
    width, height = VIEWS[request.param]
    context = browser.new_context(locale="en-GB", viewport={"width": width, "height": height}, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    leave(page)
    context.close()


def reach(page: Page, wanted: Locator) -> None:
    """Go by Tab until it has the focus; every stop on the way is seen."""
    expect(wanted).to_be_visible()
    for _ in range(FAR):
        page.keyboard.press("Tab")
        if wanted.evaluate("one => one == document.activeElement"):
            assert page.evaluate(SEEN), "what has the focus is not seen"
            return
    raise AssertionError(f"{wanted} is not reached by Tab")


def press(page: Page, wanted: Locator, key: str = "Enter") -> None:
    reach(page, wanted)
    page.keyboard.press(key)


def write(page: Page, wanted: Locator, text: str) -> None:
    reach(page, wanted)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_a_choice_is_found_and_its_proof_taken(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/overview")
    press(page, page.get_by_role("link", name="Receipts"))
    write(page, page.get_by_label("Subject or receipt"), KNOWN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    press(page, page.get_by_role("table").get_by_role("link").first)
    expect(page.get_by_text("holds", exact=True)).to_have_count(4)
    with page.expect_download() as download:
        press(page, page.get_by_role("link", name="Proof"))
    assert Path(download.value.path()).read_text().startswith("c2sp.org/tlog-proof")


def test_a_banner_is_changed_reviewed_and_published(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/banner")
    heading = f"Cookies {page.viewport_size['width']}"  # type: ignore[index]
    write(page, page.get_by_label("Heading", exact=True), heading)
    press(page, page.get_by_role("button", name="Save and review"))
    expect(page.locator("ins")).to_have_text(heading)
    reach(page, page.get_by_label("No, earlier choices hold"))
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label("Yes, ask everybody again")).to_be_checked()
    page.keyboard.press("ArrowDown")
    press(page, page.get_by_role("button", name="Publish version"))
    expect(page.get_by_role("heading", name="is published")).to_be_visible()


def test_an_export_is_chosen_and_taken(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/export")
    reach(page, page.get_by_role("radio", name="CSV one row"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="NDJSON")).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("radio", name="Evidence")).to_be_checked()
    press(page, page.get_by_role("button", name="See how much it is"))
    with page.expect_download() as download:
        press(page, page.get_by_role("link", name="Download"))
    assert zipfile.ZipFile(download.value.path()).testzip() is None


def test_a_visitor_is_erased(service: Service, page: Page) -> None:
    subject = ERASED if page.viewport_size["width"] > 600 else ERASED.replace("01", "02")  # type: ignore[index]
    page.goto(service.url + SITE + "/requests")
    write(page, page.get_by_label("What the visitor sent"), subject)
    page.keyboard.press("Enter")
    write(page, page.get_by_label("Type shop to confirm"), "shop")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It is erased.")).to_be_visible()
    press(page, page.get_by_role("link", name="Trail"))
    expect(page.get_by_text("erased a subject on request").first).to_be_visible()
