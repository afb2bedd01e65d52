"""Every layout and theme as a visitor meets it: where it stands, on any screen, in both directions, equal in its answers."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Service, Website

pytestmark = pytest.mark.browser

LAYOUTS: dict[str, dict] = {
    "box": {},
    "box-right": {"reopen": "right"},
    "box-top": {"position": "top-right"},
    "bar": {"layout": "bar"},
    "bar-top": {"layout": "bar", "position": "top"},
    "center": {"layout": "center"},
    "modal": {"layout": "modal"},
}
THEMES: dict[str, dict] = {
    "auto": {},
    "dark": {"theme": "dark"},
    "own": {
        "theme": "light", "radius": 0, "spacing": "wide", "font": "serif", "font_size": 18, "preferences": "drawer",
        "light": {"paper": "#fff8ee", "ink": "#3b2412", "accent": "#8a3b12", "line": "#8a7565"}, "logo": "/logo.svg",
    },
}  # fmt: skip
LOGO = "<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'><rect width='10' height='10' fill='red'/></svg>"
SIZES = [(1280, 800), (360, 640), (320, 256)]


@pytest.fixture(scope="module")
def website() -> Iterator[Website]:
    with Website() as website:
        website.put("/logo.svg", LOGO, "image/svg+xml")
        yield website


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    """A site for every layout in every theme."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.start()
    looks = {f"{layout}-{theme}": LAYOUTS[layout] | THEMES[theme] for layout, theme in product(LAYOUTS, THEMES)}
    more = {"languages": ["en", "ar"], "privacy_url": "https://shop.example/privacy"}
    for site, appearance in [*looks.items(), ("hidden", {"reopen": "hidden"}), ("none", {"reopen": "none"})]:
        service.publish(site, [website.url], ("analytics", "social"), appearance=appearance, **more)
    yield service
    service.stop()


@pytest.fixture
def show(service: Service, website: Website, page: Page):
    """Open a long page of a site whose banner is there."""

    def show(site: str, language: str = "en", size: tuple[int, int] = (1280, 800)) -> Page:
        tag = f'<script async src="{service.url}/sites/{site}/banner.js?lang={language}"></script>'
        words = "<p>Words.</p>" * 100
        html = f"<!doctype html><html><head><title>Shop</title>{tag}</head><body><a href='#' id=link>Link</a>{words}</body></html>"
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.goto(website.put("/" + site, html))
        page.wait_for_selector("#consent-banner", state="attached")
        return page

    return show


def box(page: Page) -> tuple[float, float, float, float]:
    """Distances from the window's left, top, right and bottom."""
    found, size = page.locator("#consent-banner").bounding_box(), page.viewport_size
    assert found and size
    return (
        found["x"],
        found["y"],
        size["width"] - found["x"] - found["width"],
        size["height"] - found["y"] - found["height"],
    )


WHERE = {
    "box": (16, None, None, 16), "box-right": (None, None, 16, 16), "box-top": (None, 16, 16, None),
    "bar": (0, None, 0, 0), "bar-top": (0, 0, 0, None),
}  # fmt: skip


@pytest.mark.parametrize("layout", WHERE)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_layout_stands_where_it_should_and_mirrors_from_right_to_left(show, layout: str, language: str) -> None:
    left, top, right, bottom = box(show(f"{layout}-auto", language))
    expected = (
        WHERE[layout] if language == "en" else (WHERE[layout][2], WHERE[layout][1], WHERE[layout][0], WHERE[layout][3])
    )
    found = (left, top, right, bottom)
    assert [round(at) for at, wanted in zip(found, expected, strict=True) if wanted is not None] == [
        wanted for wanted in expected if wanted is not None
    ]


def test_without_a_control_the_keyboard_goes_on_where_the_banner_was(show) -> None:
    page = show("none")
    page.get_by_role("button", name="Accept all").press("Enter")
    expect(page.locator("#consent-banner")).to_have_count(0)
    expect(page.locator(".reopen")).to_have_count(0)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "link"


HIDDEN = """() => {
  const it = document.activeElement.getBoundingClientRect();
  const over = document.querySelector('#consent-banner').getBoundingClientRect();
  return document.activeElement.tagName == 'A' && it.top >= over.top && it.bottom <= over.bottom && it.left >= over.left && it.right <= over.right;
}"""


@pytest.mark.parametrize("size", [(1280, 800), (360, 640)])
@pytest.mark.parametrize("layout", [*WHERE, "center"])
def test_what_has_the_focus_does_not_lie_under_the_banner(show, layout: str, size: tuple[int, int]) -> None:
    """WCAG 2.2, 2.4.11, from the page's beginning to its end, where it cannot be scrolled any further."""
    page = show(f"{layout}-auto", size=size)
    page.evaluate(
        "document.body.innerHTML += Array.from({length: 24}, (_, n) => `<p><a href='#${n}'>Link ${n}</a></p>`).join('')"
    )
    page.wait_for_selector("#consent-banner")
    page.evaluate("document.querySelector('#link').focus()")
    hidden = 0
    for _ in range(24):
        page.keyboard.press("Tab")
        page.wait_for_timeout(30)
        hidden += page.evaluate(HIDDEN)
    assert (hidden, page.evaluate("document.activeElement.hash")) == (0, "#23")


def test_what_the_mouse_presses_stays_under_it(show) -> None:
    page = show("box-auto")
    page.evaluate("""() => {
        document.body.innerHTML += '<button style="position:fixed;left:20px;bottom:20px;width:900px;height:60px" id=wide>Wide</button>';
        document.querySelector('#wide').onclick = () => (window.pressed = true);
    }""")
    page.wait_for_selector("#consent-banner")
    page.mouse.move(800, 760)
    page.mouse.down()
    page.wait_for_timeout(100)
    page.mouse.up()
    assert page.evaluate(
        "[document.activeElement.id, window.pressed, document.querySelector('#consent-banner').hasAttribute('away')]"
    ) == ["wide", True, False]


@pytest.mark.parametrize("layout", ["center", "modal"])
def test_a_card_stands_in_the_middle(show, layout: str) -> None:
    left, top, right, bottom = box(show(f"{layout}-auto"))
    assert abs(left - right) <= 1 and abs(top - bottom) <= 1 and left > 300 and top > 100


@pytest.mark.parametrize("site", [f"{layout}-{theme}" for layout, theme in product(LAYOUTS, THEMES)])
def test_a_banner_fits_every_screen_and_its_answers_are_equal(show, site: str) -> None:
    for size in SIZES:
        page = show(site, size=size)
        assert min(box(page)) >= -0.5
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        styles = [answer(page, id) for id in ("accept", "reject")]
        assert styles[0] == styles[1]
        for id in ("consent-accept", "consent-reject", "consent-choose", "consent-close"):
            button = page.locator("#" + id)
            button.scroll_into_view_if_needed()
            found = button.bounding_box()
            assert found and found["width"] >= 24 and found["height"] >= 24
            assert found["y"] >= -0.5 and found["y"] + found["height"] <= size[1] + 0.5


def answer(page: Page, id: str) -> dict:
    return page.locator(f"#consent-{id}").evaluate(
        """it => { const {width, height} = it.getBoundingClientRect(), s = getComputedStyle(it);
        return {width: Math.round(width), height: Math.round(height), font: s.font, color: s.color, background: s.backgroundColor, border: s.border, radius: s.borderRadius}; }"""
    )


@pytest.mark.parametrize("layout", ["box", "bar", "center"])
def test_the_page_behind_scrolls_and_can_be_used(show, layout: str) -> None:
    page = show(f"{layout}-auto")
    page.mouse.move(640, 120)
    page.mouse.wheel(0, 300)
    page.wait_for_function("scrollY > 100")
    page.evaluate("scrollTo(0, 0)")
    page.click("#link")


def test_a_modal_keeps_the_focus_and_hands_it_back(show) -> None:
    page = show("modal-auto")
    inside = "document.activeElement.closest('#consent-banner') != null"
    for key in ["Tab"] * 9 + ["Shift+Tab"] * 9:
        page.keyboard.press(key)
        assert page.evaluate(f"{inside} || document.activeElement == document.body")
    assert page.locator("#consent-modal dialog").evaluate("it => it.matches(':modal')")
    page.click("#consent-choose")
    page.keyboard.press("Escape")
    assert page.locator("#consent-modal dialog").evaluate("it => it.matches(':modal')")
    page.keyboard.press("Escape")
    expect(page.locator("#consent-banner")).to_have_count(0)
    assert page.evaluate("consent.state.status") == "refused"
    page.click("#link")


@pytest.mark.parametrize("layout", ["box", "modal"])
def test_a_page_that_adds_to_its_body_as_text_copies_nothing_of_ours(show, layout: str) -> None:
    page = show(f"{layout}-auto")
    ours = page.locator("#consent-modal, #consent-banner, #consent-reopen, #consent-accept, .reopen")
    before = ours.count()
    page.evaluate("document.body.innerHTML += '<p>More'")
    page.wait_for_function("document.querySelector('#consent-banner').shadowRoot")
    assert ours.count() == before
    page.click("#consent-accept")
    page.wait_for_selector("#consent-reopen")
    page.evaluate("document.body.innerHTML += '<p>And more'")
    page.wait_for_function("document.querySelector('#consent-reopen').shadowRoot")
    assert ours.count() == 2


def test_a_modal_survives_a_page_that_rewrites_its_body(show) -> None:
    page = show("modal-auto")
    page.evaluate("document.body.innerHTML = '<p>New</p>'")
    expect(page.locator("#consent-accept")).to_be_visible()
    assert page.locator("#consent-modal dialog").evaluate("it => it.matches(':modal')")


def test_preferences_may_be_a_drawer_at_the_end_of_the_line(show) -> None:
    for language, side in (("en", 2), ("ar", 0)):
        page = show("box-own", language)
        page.click("#consent-choose")
        found = page.locator("#consent-preferences dialog").bounding_box()
        assert found and (found["y"], found["height"]) == (0, 800)
        assert round((found["x"], 0, 1280 - found["x"] - found["width"])[side]) == 0


def test_own_colours_font_radius_and_logo_are_used(show) -> None:
    page = show("box-own")
    style = answer(page, "accept")
    assert (style["background"], style["color"], style["radius"]) == ("rgb(138, 59, 18)", "rgb(255, 255, 255)", "0px")
    assert style["font"].endswith("serif") and "18px" in style["font"]
    page.wait_for_load_state("networkidle")
    assert "/logo.svg" in page.evaluate("performance.getEntriesByType('resource').map(one => one.name).join()")
    logo = "getComputedStyle(document.querySelector('#consent-banner'), '::before')"
    assert page.evaluate(f"[{logo}.height, {logo}.backgroundImage.includes('/logo.svg')]") == ["45px", True]


def test_a_theme_overrules_the_system(show, page: Page) -> None:
    page.emulate_media(color_scheme="light")
    color = "getComputedStyle(document.querySelector('#consent-banner')).backgroundColor"
    assert show("box-dark").evaluate(color) == "rgb(18, 18, 18)"
    assert show("box-auto").evaluate(color) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(color) == "rgb(18, 18, 18)"


def test_a_hidden_control_is_drawn_for_the_keyboard_only(show) -> None:
    page = show("hidden")
    page.click("#consent-reject")
    clip = "getComputedStyle(document.querySelector('.reopen')).clipPath"
    assert page.evaluate(clip) == "inset(50%)"
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.evaluate("document.querySelector('.reopen').focus({focusVisible: true})")
    assert page.evaluate(clip) == "none"


@pytest.mark.parametrize("layout", ["box", "bar", "modal"])
def test_nothing_of_it_is_printed(show, page: Page, layout: str) -> None:
    show(f"{layout}-auto")
    page.emulate_media(media="print")
    assert page.locator("#consent-banner").evaluate("it => getComputedStyle(it).display") == "none"
    page.evaluate("consent.reject()")
    assert page.locator("#consent-reopen").evaluate("it => getComputedStyle(it).display") == "none"


@pytest.mark.parametrize("layout", ["bar", "modal"])
def test_forced_colours_keep_the_edges_of_buttons(browser: Browser, show, page: Page, layout: str) -> None:
    page.emulate_media(forced_colors="active")
    show(f"{layout}-own")
    for id in ("accept", "reject", "choose"):
        width = page.locator(f"#consent-{id}").evaluate("it => getComputedStyle(it).borderTopWidth")
        assert width == "1px"
