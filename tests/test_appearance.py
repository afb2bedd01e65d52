"""How a banner looks: contrast as WCAG computes it, what is refused at publication, and what travels."""

import pytest

from consent import appearance, banner, policy
from consent.errors import Invalid
from consent.model import Appearance
from consent.policy_types import Palette

DRAFT = {
    "name": "Shop", "origins": ["https://shop.example"], "languages": ["en"],
    "categories": [{"id": "session", "necessary": True}, {"id": "analytics"}],
}  # fmt: skip


def refusals(wishes: dict) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        policy.read({**DRAFT, "appearance": wishes})
    return dict(caught.value.mistakes)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21),
        ("#fff", "#000", 21),
        ("#767676", "#ffffff", 4.54),
        ("#777777", "#fff", 4.48),
        ("#0000ff", "#ffffff", 8.59),
        ("#ABC", "#aabbcc", 1),
    ],
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert appearance.contrast(one, other) == appearance.contrast(other, one) == pytest.approx(ratio, abs=0.005)


@pytest.mark.parametrize("colors", [appearance.LIGHT, appearance.DARK], ids=["light", "dark"])
def test_the_looks_a_site_starts_with_can_be_read(colors):
    colors = appearance.toned(colors)
    for front, back, least, _ in appearance.PAIRS:
        assert appearance.contrast(colors[front], colors[back]) >= least


@pytest.mark.parametrize(
    ("wishes", "path", "sentence"),
    [
        ({"light": {"ink": "#777777"}}, "appearance.light.ink", "4.5:1 for text, and ink #777777 on paper #ffffff has 4.47:1"),
        ({"light": {"ink": "#767676"}}, "appearance.light.ink", "5:1 for buttons, and ink #767676 on paper #ffffff has 4.54:1"),
        ({"light": {"accent": "#8a8"}}, "appearance.light.accent", "5:1 for buttons, and accent_ink #ffffff on accent #8a8 has 2.57:1"),
        ({"light": {"line": "#bbb"}}, "appearance.light.line", "3:1 for controls, and line #bbb on paper #ffffff has 1.91:1"),
        ({"dark": {"paper": "#555"}}, "appearance.dark.paper", "3:1 for controls, and line #777777 on paper #555 has"),
        ({"light": {"ink": "#6f6f6f"}}, "appearance.light.ink", "4.5:1 for text, and ink #6f6f6f on tone #efefef has 4.36:1"),
        ({"light": {"line": "#8f8f8f"}}, "appearance.light.line", "3:1 for controls, and line #8f8f8f on tone #efefef has 2.81:1"),
        ({"theme": "dark", "dark": {"accent_ink": "#333"}}, "appearance.dark.accent_ink", "5:1 for buttons"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_the_number(wishes, path, sentence):
    assert sentence in refusals(wishes)[path]


def test_a_theme_that_is_never_shown_may_have_any_colours():
    policy.read({**DRAFT, "appearance": {"theme": "light", "dark": {"ink": "#111"}}})


@pytest.mark.parametrize(
    ("wishes", "path"),
    [
        ({"light": {"paper": "white"}}, "appearance.light.paper"),
        ({"light": {"paper": "#ffff"}}, "appearance.light.paper"),
        ({"light": {"papre": "#fff"}}, "appearance.light.papre"),
        ({"logo": "https://elsewhere.example/logo.svg"}, "appearance.logo"),
        ({"logo": "//elsewhere.example/logo.svg"}, "appearance.logo"),
        ({"logo": '/x")}*{}'}, "appearance.logo"),
        ({"logo": "data:text/html;base64,AAAA"}, "appearance.logo"),
        ({"font": "x}*{color:red"}, "appearance.font"),
        ({"font": "url(https://fonts.example)"}, "appearance.font"),
        ({"radius": 33}, "appearance.radius"),
        ({"font_size": 13}, "appearance.font_size"),
        ({"layout": "tower"}, "appearance.layout"),
        ({"layout": "bar", "position": "top-left"}, "appearance.position"),
        ({"position": "top"}, "appearance.position"),
        ({"layout": "modal", "position": "top"}, "appearance.position"),
    ],
)
def test_what_is_no_look_is_refused_by_name(wishes, path):
    assert path in refusals(wishes)


def test_the_usual_looks_send_nothing_along():
    published = policy.publish(policy.complete(policy.read(DRAFT)), site="shop", version=1, material_since=1)
    assert "appearance" not in banner.settings_of(published, language="en", regime="opt-in")


def test_colours_are_all_named_as_soon_as_one_is():
    line = appearance.css(Appearance(light=Palette(accent="#060")))
    assert line == (
        ":host([lang]){--paper:#ffffff!important;--ink:#000000!important;--accent:#060!important;"
        "--accent-ink:#ffffff!important;--line:#777777!important}"
    )


def test_a_system_in_the_dark_gets_the_dark_colours():
    line = appearance.css(Appearance(dark=Palette(paper="#000")))
    assert line.startswith("@media (prefers-color-scheme:dark){:host([lang]){--paper:#000!important;")
    assert "@media" not in appearance.css(Appearance(theme="dark", dark=Palette(paper="#000")))


@pytest.mark.parametrize("layout", ["box", "bar", "center", "modal"])
def test_every_declaration_wins_over_the_page(layout):
    wishes = Appearance(
        layout=layout, reopen="hidden", preferences="drawer", theme="dark", font="serif", radius=0, logo="/l.svg"
    )
    declared = appearance.css(wishes).count(":") - appearance.css(wishes).count("::") * 2
    assert appearance.css(wishes).count("!important") >= 10 < declared
    assert "answer" not in appearance.css(wishes) and "accept" not in appearance.css(wishes)
