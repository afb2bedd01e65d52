"""`make shots`: every layout, theme, size and direction is among the pictures, and a picture can be taken."""

from itertools import product
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from playwright.sync_api import Browser

from consent import i18n
from consent.model import Appearance
from tests import shots

pytestmark = pytest.mark.browser

FIELDS = {one.name: one.type for one in msgspec.structs.fields(Appearance)}


def chosen(field: str) -> set[str]:
    """What the looks to be pictured choose of a field."""
    return {
        getattr(shots.merged(look, theme), field) for look in shots.LOOKS.values() for theme in shots.THEMES.values()
    }


@pytest.mark.parametrize("field", ["layout", "preferences"])
def test_everything_that_a_policy_may_choose_is_pictured(field: str) -> None:
    assert chosen(field) == set(get_args(FIELDS[field])) - {"none"}  # of which nothing is seen


def test_every_place_of_a_box_and_a_bar_is_pictured() -> None:
    places = {one for part in get_args(FIELDS["position"]) for one in get_args(part)}
    assert chosen("position") - {None} == places


def test_light_and_dark_and_own_colours_are_pictured() -> None:
    assert {shots.merged(Appearance(), theme).theme for theme in shots.THEMES.values()} == {"light", "dark"}
    assert any(theme.light.paper for theme in shots.THEMES.values())


def test_each_is_pictured_on_a_desktop_and_a_phone_in_both_directions() -> None:
    assert {width >= 1024 for width, _ in shots.SIZES.values()} == {True, False}
    assert min(width for width, _ in shots.SIZES.values()) <= 400
    assert {i18n.locale(language).direction for language in shots.LANGUAGES.values()} == {"ltr", "rtl"}


def test_the_index_shows_what_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shots, "FOLDER", tmp_path)
    whole = "\n".join(shots.index())
    names = ["-".join(one) for one in product(shots.LOOKS, shots.THEMES, shots.SIZES, shots.LANGUAGES)]
    assert [name for name in names if f"{name}.png" not in whole] == []


@pytest.mark.parametrize(
    ("look", "theme", "size", "direction"),
    [("modal", "own", "phone", "rtl"), ("preferences-drawer", "dark", "desktop", "ltr")],
)
def test_a_picture_can_be_taken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, browser: Browser, look: str, theme: str, size: str, direction: str
) -> None:
    monkeypatch.setattr(shots, "FOLDER", tmp_path)
    appearance = shots.merged(shots.LOOKS[look], shots.THEMES[theme])
    shots.take(browser, "it", appearance, look, shots.SIZES[size], shots.LANGUAGES[direction])
    picture = (tmp_path / "it.png").read_bytes()
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == shots.SIZES[size]
    assert len(picture) > 10_000  # words, not one colour
