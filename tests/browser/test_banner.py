"""The banner as a visitor meets it: both layers, with a mouse and with a keyboard, before a choice and after."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

CONTRAST = """element => {
  const light = color => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(n => n / 255).map(n => n <= .04045 ? n / 12.92 : ((n + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b + .05;
  };
  const { color, backgroundColor } = getComputedStyle(element);
  const [a, b] = [light(color), light(backgroundColor)];
  return Math.max(a, b) / Math.min(a, b);
}"""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    yield from serve_shop(tmp_path_factory.mktemp("service"), website)


def serve_shop(folder: Path, website: Website) -> Iterator[Service]:
    """A running service whose policy has a service in two categories and a privacy page."""
    service = Service(folder / "data")
    service.cli("site", "create", "shop", "--origin", website.url)
    policy = json.loads(service.cli("policy", "show", "shop"))
    policy = {name: policy[name] for name in ("name", "origins", "languages", "categories")}
    policy["privacy_url"] = "https://shop.example/privacy"
    policy["services"] = [made("hotjar", "analytics"), made("video", "social")]
    (folder / "policy.json").write_text(json.dumps(policy))
    service.cli("policy", "publish", "shop", str(folder / "policy.json"))
    with service:
        yield service


def made(name: str, category: str) -> dict:
    return {
        "id": name,
        "category": category,
        "name": name.title(),
        "provider": {"name": "Somebody"},
        "purpose": "Something.",
    }


@pytest.fixture
def show(service: Service, website: Website, page: Page):
    """Open a page with the tag and what is given; the page."""

    def show(body: str = "", *, head: str = "", attributes: str = "", on: Page = page) -> Page:
        html = f"<!doctype html><html lang=en><head><title>Shop</title><meta name=viewport content='width=device-width'>{head}"
        html += f"{tag(service, attributes)}</head><body><h1>Shop</h1><a href='#'>Lamps</a>{body}</body></html>"
        on.goto(website.put("/", html), wait_until="networkidle")
        on.wait_for_function("window.consent")
        return on

    return show


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def recorded(page: Page) -> dict:
    """The `consent` claim of the newest receipt."""
    page.wait_for_function("consent.receipt() && JSON.parse(localStorage['consent:outbox:shop']).length === 0")
    return claims(page.evaluate("consent.receipt()"))


def claims(receipt: str) -> dict:
    """The `consent` claim of a receipt."""
    return json.loads(urlsafe_b64decode(receipt.split(".")[1] + "=="))["consent"]


def focused(page: Page) -> str:
    return page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim()"
    )


# The first layer


def test_words_and_buttons_are_where_tools_look(show) -> None:
    page = show()
    banner = page.locator("body > [role=dialog]:first-child")
    expect(banner).to_have_accessible_name("Your privacy, your choice")
    labels = page.evaluate("[...document.querySelectorAll('body > [role=dialog] > button')].map(b => b.textContent)")
    assert labels == ["Accept all", "Reject all", "Preferences", "×"]
    assert "cookies" in page.evaluate("document.querySelector('body > [role=dialog] > p').textContent")
    expect(banner.get_by_role("link", name="Privacy policy")).to_have_attribute("href", "https://shop.example/privacy")
    assert banner.evaluate("b => getComputedStyle(b).position") == "fixed"
    assert banner.get_attribute("aria-modal") is None


def test_nothing_is_stored_before_a_choice(show) -> None:
    page = show()
    assert page.evaluate("[document.cookie, localStorage.length, sessionStorage.length]") == ["", 0, 0]


def test_it_leaves_focus_and_scrolling_alone(show) -> None:
    page = show("<div style='height:5000px'></div>")
    assert page.evaluate("document.activeElement === document.body")
    page.mouse.move(900, 100)
    page.mouse.wheel(0, 600)
    page.wait_for_function("scrollY > 300")


def test_accepting_and_refusing_are_equal(show) -> None:
    page = show()
    style = "b => { const s = getComputedStyle(b); return [s.color, s.backgroundColor, s.font, s.border, s.padding, s.opacity] }"
    accept, reject = button(page, "Accept all"), button(page, "Reject all")
    one, other = accept.bounding_box(), reject.bounding_box()
    assert accept.evaluate(style) == reject.evaluate(style)
    assert (one["width"], one["height"], one["y"]) == (other["width"], other["height"], other["y"])
    assert 0 < other["x"] - one["x"] - one["width"] < 20
    assert accept.evaluate(CONTRAST) >= 5


def test_one_click_refuses_and_the_banner_is_gone_at_once(show) -> None:
    page = show()
    handle = button(page, "Reject all").element_handle()
    handle.click()
    assert handle.evaluate("b => b.offsetParent") is None
    assert page.evaluate("consent.state.status") == "refused"
    assert page.evaluate("document.cookie.split('; ')[0]").endswith(".")


@pytest.mark.parametrize("way", ["X", "Escape"])
def test_closing_refuses(show, way: str) -> None:
    page = show()
    if way == "X":
        button(page, "Close and reject all").click()
    else:
        button(page, "Accept all").focus()
        page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    claim = recorded(page)
    assert (claim["action"], claim["surface"], any(claim["grants"].values())) == ("reject_all", "banner", False)


def test_escape_elsewhere_decides_nothing(show) -> None:
    page = show()
    page.get_by_role("link", name="Lamps").focus()
    page.keyboard.press("Escape")
    assert page.evaluate("consent.state.status") == "unknown"


def test_a_keyboard_reaches_everything_and_sees_where_it_is(show) -> None:
    page = show()
    stops = []
    for _ in range(6):
        page.keyboard.press("Tab")
        stops.append(focused(page))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid" or stops[-1] == "Lamps"
    assert stops == ["Privacy policy", "Accept all", "Reject all", "Preferences", "Close and reject all", "Lamps"]


def test_after_a_choice_focus_is_on_the_control_that_reopens_it(show) -> None:
    page = show()
    button(page, "Accept all").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "Privacy settings"


def test_a_choice_is_announced(show) -> None:
    """Into a region that stood there empty, or nothing would be read out."""
    page = show()
    page.evaluate(
        "document.addEventListener('consent:decide', () => setTimeout(() => "
        "(window.before = document.querySelector('#consent-reopen').shadowRoot.querySelector('[role=status]').textContent)))"
    )
    button(page, "Accept all").click()
    expect(page.get_by_role("status")).to_have_text("Your choice is saved.")
    assert page.evaluate("before") == ""


def test_a_returning_visitor_gets_only_the_control(show) -> None:
    page = show()
    button(page, "Accept all").click()
    recorded(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.method))
    page.reload(wait_until="networkidle")
    expect(button(page, "Privacy settings")).to_be_visible()
    assert page.evaluate("document.querySelectorAll('[id^=consent]').length") == 1
    assert "POST" not in requests


# The preferences


def test_nothing_is_ticked_but_what_is_necessary(show) -> None:
    page = show()
    button(page, "Preferences").click()
    boxes = page.get_by_role("switch").all()
    assert [(box.is_checked(), box.is_disabled()) for box in boxes] == [(True, True)] + [(False, False)] * 3
    expect(page.get_by_role("dialog", name="Privacy preferences").get_by_text("Always on")).to_be_visible()


def test_saving_records_what_was_ticked(show) -> None:
    page = show()
    button(page, "Preferences").click()
    page.get_by_role("switch", name="Statistics").check()
    button(page, "Save my choices").click()
    claim = recorded(page)
    assert (claim["action"], claim["surface"]) == ("custom", "preferences")
    assert claim["grants"] == {"persistent": False, "analytics": True, "social": False}
    assert focused(page) == "Privacy settings"
    button(page, "Privacy settings").click()
    assert [box.is_checked() for box in page.get_by_role("switch").all()] == [True, False, True, False]


def test_leaving_the_preferences_changes_nothing_and_returns_focus(show) -> None:
    page = show()
    for leave in (lambda: page.keyboard.press("Escape"), lambda: button(page, "Go back without changes").click()):
        button(page, "Preferences").focus()
        page.keyboard.press("Enter")
        page.get_by_role("switch", name="Statistics").check()
        leave()
        assert focused(page) == "Preferences"
        assert page.evaluate("consent.state.status") == "unknown"


def test_focus_stays_inside_the_preferences(show) -> None:
    page = show()
    button(page, "Preferences").click()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("['consent-preferences', ''].includes(document.activeElement.id)"), focused(page)


def test_every_target_is_large_enough(show) -> None:
    page = show()
    button(page, "Preferences").click()
    for target in [*page.get_by_role("switch").all(), *page.get_by_role("dialog").get_by_role("button").all()]:
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 24


def test_what_was_granted_is_withdrawn_where_it_was_given(show) -> None:
    page = show()
    button(page, "Accept all").click()
    first = recorded(page)
    button(page, "Privacy settings").click()
    button(page, "Withdraw consent").click()
    assert page.evaluate("consent.state.status") == "withdrawn"
    page.wait_for_function("JSON.parse(localStorage['consent:outbox:shop']).length === 0")
    assert (first["action"], recorded(page)["action"]) == ("accept_all", "withdraw")
