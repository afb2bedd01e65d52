"""The banner as a visitor meets it: with a mouse, a keyboard, a phone, another script, in the dark, on a hostile page."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Service, Website, tag

pytestmark = pytest.mark.browser

HOSTILE = "*, *::before, *::after { all: unset !important; display: none !important; content: 'x' !important; "
HOSTILE += "font-size: 1px !important; color: red !important; transition: all 9s !important } "
HOSTILE += "html, head ~ body { display: block !important }"
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
    assert page.evaluate("document.cookie").endswith(".")


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


# Looks


def test_a_hostile_style_sheet_changes_no_pixel(show) -> None:
    page = show()
    page.evaluate("document.querySelectorAll('body > :not([id])').forEach(e => e.remove())")
    before = page.locator("#consent-banner").screenshot()
    page.evaluate(
        "css => { const s = document.createElement('style'); s.textContent = css; document.head.append(s) }", HOSTILE
    )
    assert page.locator("#consent-banner").screenshot() == before
    button(page, "Reject all").click()
    expect(button(page, "Privacy settings")).to_be_visible()


@pytest.mark.parametrize("language", ["ar"])
def test_right_to_left_is_mirrored(show, language: str) -> None:
    page = show(attributes=f" data-lang={language}")
    banner = page.get_by_role("dialog")
    expect(banner).to_have_attribute("dir", "rtl")
    box, close = banner.bounding_box(), page.locator("#consent-close").bounding_box()
    assert close["x"] - box["x"] < 40
    assert page.locator("#consent-accept").bounding_box()["x"] > page.locator("#consent-reject").bounding_box()["x"]


def test_dark_and_light_both_can_be_read(show, browser: Browser) -> None:
    backgrounds = set()
    for scheme in ("light", "dark"):
        context = browser.new_context(color_scheme=scheme)
        page = show(on=context.new_page())
        banner = page.get_by_role("dialog")
        assert banner.evaluate(CONTRAST) >= 7
        assert button(page, "Reject all").evaluate(CONTRAST) >= 5
        backgrounds.add(banner.evaluate("b => getComputedStyle(b).backgroundColor"))
        context.close()
    assert len(backgrounds) == 2


def test_in_forced_colours_buttons_keep_a_border(show, browser: Browser) -> None:
    context = browser.new_context(forced_colors="active")
    page = show(on=context.new_page())
    for name in ("Accept all", "Reject all", "Preferences"):
        assert (
            button(page, name).evaluate("b => getComputedStyle(b).borderTopStyle + getComputedStyle(b).borderTopWidth")
            == "solid1px"
        )
    context.close()


def test_everything_can_be_reached_on_the_smallest_screen(show, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 320, "height": 256})
    page = show(on=context.new_page())
    for name in ("Accept all", "Reject all", "Preferences"):
        button(page, name).scroll_into_view_if_needed()
        box = button(page, name).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 320 and box["y"] >= 0 and box["y"] + box["height"] <= 256
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    button(page, "Preferences").click()
    assert page.get_by_role("dialog", name="Privacy preferences").evaluate("d => d.scrollWidth <= d.clientWidth")
    button(page, "Save my choices").scroll_into_view_if_needed()
    context.close()


def test_nothing_on_the_page_moves(show) -> None:
    page = show("<iframe data-consent=social data-src=about:blank></iframe><p>Text</p>")
    page.evaluate("""new PerformanceObserver(list => list.getEntries().forEach(e => window.shift = (window.shift || 0) + e.value))
        .observe({type: 'layout-shift', buffered: true})""")
    page.evaluate("consent.open()")
    page.wait_for_timeout(100)
    button(page, "Accept all").last.click()
    page.wait_for_timeout(200)
    assert page.evaluate("window.shift || 0") == 0


# The tag


def test_the_language_can_be_forced_and_is_fetched_once(show) -> None:
    page = show(attributes=" data-lang=de-AT")
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url))
    page.reload(wait_until="networkidle")
    expect(button(page, "Alle ablehnen")).to_be_visible()
    assert sum("lang=" in url for url in scripts) == 1


def test_it_draws_where_it_is_told(show) -> None:
    page = show("<main id=here></main>", attributes=" data-root=#here")
    expect(page.locator("#here > [role=dialog]")).to_be_visible()


def test_headless_draws_nothing_and_still_decides(show) -> None:
    page = show(attributes=" data-auto=off")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.evaluate("consent.set({analytics: true})")
    assert page.evaluate("consent.granted('analytics')")
    assert recorded(page)["surface"] == "api"
    expect(button(page, "Privacy settings")).to_have_count(0)


def test_of_two_tags_one_counts(show, service: Service) -> None:
    warnings: list[str] = []
    page = show()
    page.on("console", lambda message: warnings.append(message.text))
    page.evaluate(
        "src => { const s = document.createElement('script'); s.src = src; document.head.append(s) }",
        f"{service.url}/sites/shop/banner.js",
    )
    page.wait_for_timeout(300)
    expect(page.get_by_role("dialog")).to_have_count(1)
    assert warnings == ["consent: loaded twice"]


# The API and the signals


def test_the_api_decides_and_tells(show) -> None:
    page = show()
    page.evaluate("""window.heard = [];
        for (const name of ['decide', 'change', 'recorded']) document.addEventListener('consent:' + name, () => heard.push(name));
        window.off = consent.on('change', state => heard.push(state.status));
        consent.when('hotjar').then(() => heard.push('hotjar')); 0""")
    page.evaluate("consent.accept(['persistent'])")
    assert recorded(page)["grants"] == {"persistent": True, "analytics": False, "social": False}
    page.evaluate("off(); consent.set({analytics: true})")
    page.wait_for_function("heard.filter(n => n === 'recorded').length === 2")
    assert page.evaluate("heard") == [
        "decide",
        "change",
        "partial",
        "recorded",
        "decide",
        "change",
        "hotjar",
        "recorded",
    ]
    assert page.evaluate("[consent.granted('persistent'), consent.granted('hotjar'), consent.granted('social')]") == [
        True,
        True,
        False,
    ]


def test_an_unknown_id_is_refused_in_a_sentence(show) -> None:
    page = show()
    message = page.evaluate(
        "(() => { try { consent.set({marketing: true}) } catch (e) { return [e.name, e.message] } })()"
    )
    assert message == ["TypeError", 'consent: this policy has no "marketing"']
    assert page.evaluate("[consent.granted('marketing'), consent.granted('constructor'), consent.state.status]") == [
        False,
        False,
        "unknown",
    ]


def test_the_state_cannot_be_changed_from_outside(show) -> None:
    page = show()
    page.evaluate("() => { consent.state.grants.analytics = true; consent.state.status = 'given' }")
    assert page.evaluate("[consent.granted('analytics'), consent.state.status, Object.isFrozen(consent)]") == [
        False,
        "unknown",
        True,
    ]


def test_state_in_page_and_service_are_the_same(show, service: Service) -> None:
    page = show()
    page.evaluate("consent.accept()")
    recorded(page)
    state = page.evaluate("consent.state")
    assert service.json(f"/sites/shop/subjects/{state['subject']}/state") == state


def test_a_choice_made_in_another_tab_counts_after_coming_back(show) -> None:
    page = show()
    page.evaluate("consent.accept()")
    page.evaluate("document.cookie = document.cookie.replace(/[^.]*$/, '-persistent~-analytics~-social') + '; path=/'")
    page.evaluate(
        "for (const name of ['pagehide', 'pageshow']) dispatchEvent(new PageTransitionEvent(name, {persisted: true}))"
    )
    assert page.evaluate("[consent.state.status, consent.granted('analytics')]") == ["withdrawn", False]


def test_google_hears_the_default_first_and_every_change(show) -> None:
    read = "dataLayer.filter(a => a[0] == 'consent').map(a => [Object.prototype.toString.call(a), a[1], a[2].analytics_storage, a[2].ad_storage])"
    page = show(head="<script>window.dataLayer = window.dataLayer || []</script>")
    arguments = "[object Arguments]"
    assert page.evaluate(read) == [[arguments, "default", "denied", "denied"]]
    page.evaluate("consent.set({analytics: true})")
    page.reload()
    page.wait_for_function("window.consent")
    assert page.evaluate(read) == [
        [arguments, "default", "denied", "denied"],
        [arguments, "update", "granted", "denied"],
    ]
    page.evaluate("consent.withdraw()")
    assert page.evaluate(read)[-1] == [arguments, "update", "denied", "denied"]


def test_global_privacy_control_is_shown_and_recorded(show, page: Page) -> None:
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    show()
    expect(page.get_by_role("dialog").get_by_text("Global Privacy Control")).to_be_visible()
    button(page, "Reject all").click()
    assert recorded(page)["signals"] == {"gpc": True}
