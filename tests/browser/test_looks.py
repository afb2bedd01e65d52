"""What a policy says of looks is what is drawn: corners, spacing, and a theme whatever the system's."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Service, Website
from tests.browser.test_banner import CONTRAST
from tests.browser.test_layouts import show

pytestmark = pytest.mark.browser
__all__ = ["show"]

LOOKS = {
    "top-left": {"reopen": "right", "spacing": "compact", "theme": "light"},
    "top-right": {"reopen": "left", "spacing": "normal", "theme": "dark"},
    "bottom-left": {"reopen": "right", "spacing": "wide"},
    "bottom-right": {"reopen": "left"},
}
OTHER = {"light": "dark", "dark": "light"}
PAPER = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 18, 18)"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, website: Website) -> Iterator[Service]:
    """A site for every look."""
    service = Service(tmp_path_factory.mktemp("service") / "data")
    service.start()
    for corner, look in LOOKS.items():
        appearance = {"position": corner, **look}
        service.publish(corner, [website.url], ("analytics", "social"), appearance=appearance, languages=["en", "ar"])
    yield service
    service.stop()


def corner_of(page: Page, selector: str, language: str) -> str:
    """The corner that something keeps a letter's width from, as a policy names it: left is right from right to left."""
    found, size = page.locator(selector).bounding_box(), page.viewport_size
    assert found and size
    right, bottom = size["width"] - found["x"] - found["width"], size["height"] - found["y"] - found["height"]
    sides = ("left", "right") if language == "en" else ("right", "left")
    places = [(found["y"], "top"), (bottom, "bottom"), (found["x"], sides[0]), (right, sides[1])]
    return "-".join(name for distance, name in places if round(distance) == 16)


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("corner", LOOKS)
def test_a_box_and_the_control_stand_in_the_corners_that_are_named(show, corner: str, language: str) -> None:
    page = show(corner, language)
    assert corner_of(page, "#consent-banner", language) == corner
    page.click("#consent-reject")
    assert corner_of(page, ".reopen", language) == f"bottom-{LOOKS[corner]['reopen']}"


def test_spacing_is_compact_normal_or_wide(show) -> None:
    room = []
    for corner in ("top-left", "top-right", "bottom-left"):
        page = show(corner)
        accept, reject, banner = (
            page.locator(f"#consent-{id}").bounding_box() for id in ("accept", "reject", "banner")
        )
        assert accept and reject and banner
        room.append((round(reject["x"] - accept["x"] - accept["width"]), round(accept["x"] - banner["x"])))
    gaps, margins = zip(*room, strict=True)
    assert list(gaps) == sorted(set(gaps)) and list(margins) == sorted(set(margins))


@pytest.mark.parametrize("corner", ["top-left", "top-right"])
def test_a_theme_stays_on_a_system_of_the_other(show, page: Page, corner: str) -> None:
    """The banner, the preferences and the control alike."""
    theme = LOOKS[corner]["theme"]
    page.emulate_media(color_scheme=OTHER[theme])  # type: ignore[arg-type]
    show(corner)
    page.evaluate("consent.open()")
    dialog = page.locator("#consent-preferences dialog")
    for paper in (page.locator("#consent-banner"), dialog):
        assert paper.evaluate("it => getComputedStyle(it).backgroundColor") == PAPER[theme]
        assert paper.evaluate(CONTRAST) >= 7
    dialog.locator("#consent-reject").click()
    assert page.locator(".reopen").evaluate("it => getComputedStyle(it).backgroundColor") == PAPER[theme]
