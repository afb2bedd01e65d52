"""Receipts, exports and requests at the desk as their user walks them: by eye, by keyboard, on a phone, without JavaScript."""

import json
import re
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Service
from tests.browser.desk import SITE, VIEWS, faults, signed_in
from tests.conftest import ORIGIN, SUBJECT

pytestmark = pytest.mark.browser

ASKED = ("analytics", "social")
VISITOR = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A site with 60 receipts, three of them one visitor's, under a checkpoint; an owner with a password."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.publish("shop", [ORIGIN], ASKED, languages=["en", "de"], name="Shop")
    service.start("--workers", "1")
    for number in range(57):
        post(service, f"{number:02}".ljust(21, "a") + "A", "accept_all" if number % 2 else "reject_all", number % 2 > 0)
    service.ids = [post(service, SUBJECT, action, granted) for action, granted in (("accept_all", True), ("custom", True), ("withdraw", False))]  # type: ignore[attr-defined]  # fmt: skip
    service.cli("checkpoint", "shop")
    yield service
    service.stop()


def post(service: Service, subject: str, action: str, granted: bool) -> str:
    version = service.json("/sites/shop/subjects/" + subject + "/state")  # the service is there
    assert version["status"]
    choice = {"id": str(uuid.uuid4()), "subject": subject, "policy": 2, "language": "de", "action": action,
              "surface": "banner", "grants": {"analytics": granted, "social": granted and action != "custom"}}  # fmt: skip
    headers = {"Origin": ORIGIN, "Content-Type": "application/json"}
    request = urllib.request.Request(service.url + "/sites/shop/receipts", json.dumps(choice).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201
    return choice["id"]  # type: ignore[return-value]


@pytest.fixture(scope="module")
def state(service: Service, browser: Browser) -> dict:
    """The cookies of somebody who signed in and chose a password."""
    return signed_in(service, browser)


@pytest.fixture(params=[(view, scheme) for view in VIEWS for scheme in ("light", "dark")], ids="-".join)
def page(request: pytest.FixtureRequest, browser: Browser, state: dict) -> Iterator[Page]:
    """A page of somebody who is signed in, in a width and a scheme; no console message and no failed request is allowed."""
    view, scheme = request.param
    width, height = VIEWS[view]
    context = browser.new_context(
        locale="en-GB", viewport={"width": width, "height": height}, color_scheme=scheme, storage_state=state
    )
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert said == []


def fits(page: Page) -> None:
    """Nothing hinders anybody."""
    assert faults(page) == []


def test_a_choice_is_found_understood_and_proved(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/receipts")
    fits(page)
    expect(page.get_by_role("row")).to_have_count(51)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("row")).to_have_count(11)
    page.get_by_label("Subject or receipt").fill(f"1.2.1795000000.{SUBJECT}.analytics")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("row")).to_have_count(4)
    page.get_by_role("link", name=service.ids[1]).click()  # type: ignore[attr-defined]
    expect(page.get_by_role("heading", name="This browser chose one by one.")).to_be_visible()
    fits(page)
    expect(page.get_by_role("row", name="Statistics").get_by_text("granted")).to_be_visible()
    expect(page.get_by_role("row", name="Social media").get_by_text("refused")).to_be_visible()
    expect(page.get_by_text("holds", exact=True)).to_have_count(4)
    shown = page.frame_locator("iframe.shown")
    page.locator("iframe.shown").scroll_into_view_if_needed()
    expect(shown.get_by_role("button", name="Alle akzeptieren")).to_be_visible()
    shown.get_by_role("button", name="Alle ablehnen", exact=True).click()
    expect(shown.get_by_role("button", name="Alle ablehnen", exact=True)).to_be_hidden()
    page.get_by_text("The same in words").click()
    expect(page.locator("blockquote").get_by_text("Alle akzeptieren")).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Signed receipt").click()
    assert Path(download.value.path()).read_text().count(".") == 2
    page.get_by_role("link", name="The choice after").click()
    expect(page.get_by_role("heading", name="This browser took its consent back.")).to_be_visible()
    page.get_by_role("link", name="The choice before").click()
    expect(page.get_by_role("heading", name="This browser chose one by one.")).to_be_visible()
    page.get_by_label("Evidence sheet to print").select_option("Deutsch")
    page.get_by_role("button", name="Open the sheet").click()
    expect(page.get_by_role("heading", name="Nachweis einer Entscheidung")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.body).maxWidth") == "736px"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_an_export_says_how_much_it_is_before_it_is_had(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/export")
    fits(page)
    page.get_by_role("radio", name="CSV one row").check()
    page.get_by_label("Action").select_option("withdrew")
    page.get_by_role("button", name="See how much it is").click()
    expect(page.get_by_role("heading", name="One row")).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert re.fullmatch(r"shop-\d{4}-\d\d-\d\d\.csv", download.value.suggested_filename)
    assert len(Path(download.value.path()).read_text().splitlines()) == 2
    page.get_by_label("Evidence").check()
    page.get_by_label("Action").select_option("any")
    page.get_by_role("button", name="See how much it is").click()
    page.wait_for_url("**format=evidence**")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert zipfile.ZipFile(download.value.path()).testzip() is None
    page.goto(service.url + "/admin/trail")
    expect(page.get_by_text("exported the log").first).to_be_visible()


def test_a_large_download_shows_how_far_it_has_come(service: Service, page: Page) -> None:
    stages = iter([{"stage": "coming", "done": 0.25, "text": "1 of 4 so far"}] * 2 + [{"stage": "whole", "text": "The service has sent the whole file."}])  # fmt: skip
    keys: list[str] = []

    def answer(route: Route) -> None:
        keys.append(route.request.url.partition("key=")[2])
        route.fulfill(json=next(stages))

    page.route("**/export/progress**", answer)
    page.goto(service.url + SITE + "/export?format=csv")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    bar = page.get_by_role("progressbar", name="How much of the file has come")
    expect(bar).to_have_js_property("value", 0.25)
    expect(page.get_by_text("1 of 4 so far")).to_be_visible()
    fits(page)
    expect(page.get_by_role("status").filter(has_text="The service has sent the whole file.")).to_be_visible()
    expect(bar).to_be_hidden()
    assert download.value.url.partition("key=")[2] in keys and len({*keys}) == 1


def test_a_download_says_that_it_is_complete(service: Service, page: Page) -> None:
    page.goto(service.url + SITE + "/export?format=parquet")
    with page.expect_download():
        page.get_by_role("link", name="Download").click()
    expect(page.get_by_text("The service has sent the whole file.")).to_be_visible()


def test_a_visitors_request_is_answered_from_the_screen_alone(service: Service, page: Page) -> None:
    id = post(service, VISITOR, "accept_all", True)
    page.goto(service.url + SITE + "/requests")
    fits(page)
    page.get_by_label("What the visitor sent").fill(id)
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_role("heading", name="What is known: one choice")).to_be_visible()
    fits(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    assert json.loads(Path(download.value.path()).read_text())["subject"] == VISITOR
    expect(page.get_by_text("You can prove no more")).to_be_visible()
    page.get_by_label("Type shop to confirm").fill("shop")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Erasure of")).to_be_visible()
    fits(page)
    expect(page.get_by_text("It is erased.")).to_be_visible()
    page.get_by_role("link", name="Requests").first.click()
    page.get_by_label("What the visitor sent").fill(VISITOR)
    page.get_by_role("button", name="Look up").click()
    expect(page.get_by_text("Nothing is known of this")).to_be_visible()
    fits(page)


def test_without_javascript_the_desk_reads_searches_and_exports(
    service: Service, browser: Browser, state: dict
) -> None:
    context = browser.new_context(locale="de-DE", java_script_enabled=False, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(service.url + SITE + "/receipts")
    page.get_by_label("Handlung").select_option("widerrufen")
    page.get_by_role("button", name="Suchen").click()
    expect(page.get_by_role("rowheader")).to_have_count(1)
    page.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Dieser Browser hat seine Einwilligung widerrufen.")).to_be_visible()
    page.goto(service.url + SITE + "/export?format=ndjson")
    with page.expect_download() as download:
        page.get_by_role("link", name="Herunterladen").click()
    assert json.loads(Path(download.value.path()).read_text().splitlines()[0])["claims"]["aud"] == "shop"
    context.close()
