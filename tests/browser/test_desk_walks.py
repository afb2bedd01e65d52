"""Ways through the desk as a person goes them: one's second factor, a program's token, an older banner, rules, the trail."""

import re
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from urllib.error import HTTPError

import pyotp
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Service
from tests.browser.desk import PASSWORD, SITE, busy, faults, leave, signed_in

pytestmark = pytest.mark.browser

BANNER = f"{SITE}/banner"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = busy(tmp_path_factory.mktemp("walks"))
    yield service
    service.stop()


@pytest.fixture(scope="module")
def state(service: Service, browser: Browser) -> dict:
    return signed_in(service, browser)


@pytest.fixture
def page(service: Service, browser: Browser, state: dict) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 800}, storage_state=state)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    leave(page)
    context.close()


def newest_code(secret: str, after: str = "") -> str:
    """What the app shows; a code works once, so the next one where the last was used."""
    while (code := pyotp.TOTP(secret).now()) == after:
        time.sleep(0.5)
    return code


def signs_in(page: Page, code: str = "") -> None:
    page.get_by_label("Name").fill("bert")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Code of the second factor").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.timeout(120)
def test_a_second_factor_is_set_up_asked_for_and_lost_with_a_new_one_time_password(
    service: Service, browser: Browser
) -> None:
    context = browser.new_context(locale="en-GB", storage_state=signed_in(service, browser, "bert"))  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(service.url + "/admin/account")
    expect(page.get_by_alt_text("QR code of the secret")).to_be_visible()
    secret = page.locator("code.wrap").inner_text()
    page.get_by_label("Code", exact=True).fill(first := newest_code(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("From now on signing in asks for a code.")).to_be_visible()
    page.locator("summary", has_text="bert").click()
    page.get_by_role("button", name="Sign out").click()
    signs_in(page)
    expect(page.get_by_role("alert")).to_have_text("Name, password or code is not right.")
    signs_in(page, newest_code(secret, after=first))
    expect(page.get_by_role("heading", name="Sites")).to_be_visible()
    page.goto(service.url + "/admin/people/bert")
    page.get_by_label("Type bert to confirm").first.fill("bert")
    page.get_by_role("button", name="New one-time password").click()
    given = page.locator(".good code").inner_text()
    page.goto(service.url + "/admin/")
    page.get_by_label("Name").fill("bert")
    page.get_by_label("Password").fill(given)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("You signed in with a one-time password.")).to_be_visible()
    context.close()


def test_a_programs_token_is_seen_once_used_and_taken_back(service: Service, page: Page) -> None:
    page.goto(service.url + "/admin/tokens")
    page.get_by_label("What it is for").fill("nightly export")
    page.get_by_label("Role").select_option("auditor")
    page.get_by_role("button", name="Make it").click()
    token = page.locator("#token").inner_text()
    asked = urllib.request.Request(f"{service.url}/api/sites", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 200
    page.goto(service.url + "/admin/tokens")
    row = page.get_by_role("row", name="nightly export")
    expect(row).not_to_contain_text("never")
    assert token not in page.content()
    row.get_by_text("Revoke nightly export").first.click()
    row.get_by_label("Type nightly export to confirm").fill("nightly export")
    row.get_by_role("button", name="Revoke nightly export").click()
    expect(page.get_by_role("row", name="nightly export")).to_contain_text("revoked")
    with pytest.raises(HTTPError, match="401"):
        urllib.request.urlopen(asked)


def test_an_older_banner_comes_back_and_says_what_is_lost_for_it(service: Service, page: Page) -> None:
    page.goto(f"{service.url}{BANNER}?edit=en")
    page.get_by_label("Heading", exact=True).fill("Not published yet")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    page.get_by_role("link", name="History").click()
    first = page.locator("section.card", has_text="The first version.")
    first.get_by_text("Restore as draft").first.click()
    expect(first.get_by_text("Changes in it that are not published: 1.")).to_be_visible()
    assert faults(page) == []
    first.get_by_label("Type shop to confirm").fill("shop")
    first.get_by_role("button", name="Restore as draft").click()
    expect(page.get_by_text("The draft is version 1 now.")).to_be_visible()
    expect(page.get_by_role("heading", name="What changes")).to_be_visible()
    page.get_by_text("Discard the draft").first.click()
    page.set_viewport_size({"width": 360, "height": 740})
    assert faults(page) == []
    page.get_by_label("Type shop to confirm").fill("shop")
    page.get_by_role("button", name="Discard the draft").click()
    expect(page.get_by_text("The draft is gone")).to_be_visible()


def test_what_is_typed_outlives_the_session(service: Service, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", storage_state=signed_in(service, browser, "carl"))  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{service.url}{BANNER}?edit=en")
    context.clear_cookies()
    page.get_by_label("Heading", exact=True).fill("Typed before the end")
    expect(page.get_by_text("your session has ended")).to_be_visible()
    page.get_by_role("button", name="Save the draft").last.click()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in (in a new window)").click()
    again = opened.value
    again.get_by_label("Name").fill("carl")
    again.get_by_label("Password").fill(PASSWORD)
    again.get_by_role("button", name="Sign in", exact=True).click()
    expect(again.get_by_role("heading", name="Sites")).to_be_visible()
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Typed before the end")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("The draft is saved.")).to_be_visible()
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Typed before the end")
    service.stop()
    page.get_by_label("Heading", exact=True).fill("Typed while the service was away")
    page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_text("the service does not answer")).to_be_visible()
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Typed while the service was away")
    service.start("--workers", "1")
    with page.expect_navigation():
        page.get_by_role("button", name="Save the draft").last.click()
    expect(page.get_by_label("Heading", exact=True)).to_have_value("Typed while the service was away")
    page.goto(f"{service.url}{BANNER}/review")
    page.get_by_text("Discard the draft").first.click()
    page.get_by_label("Type shop to confirm").fill("shop")
    page.get_by_role("button", name="Discard the draft").click()
    context.close()


def test_a_rule_for_a_place_is_written_seen_and_published(service: Service, page: Page) -> None:
    page.goto(f"{service.url}{BANNER}/rules")
    page.get_by_label("Place").first.fill("US-CA")
    page.get_by_label("Rule", exact=True).first.select_option("opt-out")
    page.get_by_role("button", name="Save and review").click()
    expect(page.get_by_text("US-CA").first).to_be_visible()
    page.get_by_role("button", name=re.compile("Publish version")).click()
    expect(page.get_by_role("heading", name=re.compile("is published"))).to_be_visible()
    newest = service.json("/sites/shop/policies/3")
    assert newest["regimes"] == {"US-CA": "opt-out"}


@pytest.mark.parametrize(("device", "wide"), [("phone", 360), ("tablet", 768), ("desktop", 1280)])
def test_the_preview_is_the_banner_of_a_device_where_one_only_tells(service: Service, page: Page, device, wide) -> None:
    page.goto(service.url + BANNER)
    switches = page.locator("#switches")
    switches.get_by_label("Device").select_option(device)
    switches.get_by_label("Visitor").select_option("notice")
    preview = page.frame_locator("#stage iframe:not(.coming)")
    expect(preview.locator("#consent-banner")).to_be_visible()
    expect(preview.get_by_text("You can still refuse this here")).to_be_visible()
    assert preview.locator("html").evaluate("it => innerWidth") == wide


def test_what_was_done_is_read_and_taken_away(service: Service, page: Page, tmp_path) -> None:
    page.goto(service.url + SITE + "/settings")
    page.get_by_label("Name").fill("The shop")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Trail").click()
    row = page.get_by_role("row", name="changed settings").first
    expect(row).to_contain_text("The shop")
    row.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name=re.compile("^Act "))).to_be_visible()
    page.get_by_role("link", name="Trail").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as NDJSON").click()
    assert b"changed settings" in download.value.path().read_bytes()
    with page.expect_download() as download:
        page.get_by_role("link", name="Export as evidence").click()
    assert zipfile.is_zipfile(download.value.path())
    page.reload()
    expect(page.get_by_role("row", name="exported the trail")).to_have_count(2)


def test_retention_keys_and_the_last_backup_are_read_on_plain_pages(service: Service, page: Page, tmp_path) -> None:
    page.goto(service.url + SITE + "/settings")
    page.get_by_label("Days that a visitor's receipts are kept").fill("90")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("row", name="shop")).to_contain_text("90")
    expect(page.get_by_text("No backup was made yet.")).to_be_visible()
    keys = page.get_by_role("table").nth(1).get_by_role("row")
    before = keys.count()
    service.cli("backup", str(tmp_path / "copy.db"))
    service.cli("keys", "rotate")
    page.reload()
    expect(page.get_by_text("Last backup:")).to_contain_text("without the keys")
    expect(keys).to_have_count(before + 1)


def test_a_form_that_is_on_its_way_is_not_sent_twice(service: Service, page: Page) -> None:
    page.goto(service.url + "/admin/tokens")
    page.get_by_label("What it is for").fill("once")
    held: list[Route] = []
    page.route("**/admin/tokens", lambda route: held.append(route))
    button = page.get_by_role("button", name="Make it")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box
    for _ in range(2):  # with the mouse itself: `click` waits for the answer that is held
        page.mouse.click(box["x"] + 5, box["y"] + 5)
        page.wait_for_timeout(400)
    assert len(held) == 1
    held[0].continue_()
    expect(page.get_by_text("The new token. It is shown only now.")).to_be_visible()
    expect(page.get_by_role("row", name="once")).to_have_count(1)
