"""The words of the banner in every language, and how a language is found for a visitor.

A new file in locales/ is tested without being registered here.
"""

import html
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.i18n import locale, locales, negotiate, parents
from tests.test_sheet import OF_THE_UNION

FOLDER = Path(__file__).parents[1] / "consent" / "locales"
LANGUAGES = sorted(path.stem for path in FOLDER.glob("*.json"))
PROMISED = [
    *OF_THE_UNION, "af", "ar", "ca", "eu", "fa", "he", "hi", "id", "is", "ja", "ko", "ms", "no", "pt-BR", "ru", "sq", "sr", "sw", "th",
    "tr", "uk", "vi", "xh", "zh", "zh-Hant", "zu",
]  # fmt: skip
"""The official languages of the European Union, and the others."""
MIRRORED = ["ar", "fa", "he"]
BODIES = ["body", "body_opt_out", "body_notice"]

# Tools that refuse on a visitor's behalf (DuckDuckGo's autoconsent, for one) press only labels they know by heart.
# They know none in Arabic yet; the usual one is kept.
KNOWN_REFUSALS = {
    "en": "Reject all",
    "de": "Alle ablehnen",
    "fr": "Tout refuser",
    "es": "Rechazar todo",
    "ar": "رفض الكل",
}

every_language = pytest.mark.parametrize("language", LANGUAGES)
every_body = pytest.mark.parametrize("body", BODIES)


def words(language: str) -> dict:
    return json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))


def flat(node: dict, path: str = "") -> dict[str, str]:
    """Every text of a file by its dotted path."""
    found = {}
    for key, value in node.items():
        found |= flat(value, f"{path}{key}.") if isinstance(value, dict) else {f"{path}{key}": value}
    return found


def placeholders(language: str) -> dict[str, list[str]]:
    return {key: sorted(re.findall(r"\{.*?\}", text)) for key, text in flat(words(language)).items()}


@every_language
def test_every_language_has_the_words_of_english(language):
    assert flat(words(language)).keys() == flat(words("en")).keys()


@every_language
def test_every_language_has_the_placeholders_of_english(language):
    assert placeholders(language) == placeholders("en")


@every_language
def test_no_brace_is_left_outside_a_placeholder(language):
    left = [re.sub(r"\{[a-z]+\}", "", text) for text in flat(words(language)).values()]
    assert not [text for text in left if "{" in text or "}" in text]


@every_language
def test_no_text_is_empty_or_padded(language):
    assert not [key for key, text in flat(words(language)).items() if not text or text != text.strip()]


@every_language
def test_no_text_holds_a_character_that_html_gives_a_meaning(language):
    assert not [key for key, text in flat(words(language)).items() if html.escape(text) != text]


@every_language
def test_a_file_is_named_after_its_language(language):
    assert words(language)["language"] == language


@every_language
def test_a_language_is_written_in_a_known_direction(language):
    assert words(language)["direction"] in {"ltr", "rtl"}


def test_every_promised_language_is_there():
    assert set(PROMISED) == set(LANGUAGES)


def test_what_is_written_from_right_to_left_is_mirrored():
    assert [language for language in LANGUAGES if words(language)["direction"] == "rtl"] == MIRRORED


def test_no_two_languages_have_the_same_name():
    names = [words(language)["name"] for language in LANGUAGES]
    assert len(set(names)) == len(names)


@every_language
def test_refusing_takes_about_as_many_letters_as_accepting(language):
    shorter, longer = sorted(len(words(language)["texts"][key]) for key in ("accept", "reject"))
    assert longer <= 1.6 * shorter


@pytest.mark.parametrize("language", KNOWN_REFUSALS)
def test_the_refusal_is_the_label_that_automation_looks_for(language):
    assert words(language)["texts"]["reject"] == KNOWN_REFUSALS[language]


@every_language
def test_leaving_the_preferences_does_not_begin_like_refusing(language):
    texts = words(language)["texts"]
    assert texts["dismiss"].split()[0] != texts["close"].split()[0]


@every_language
def test_no_two_buttons_of_a_layer_share_a_label(language):
    texts = words(language)["texts"]
    layers = [["accept", "reject", "preferences", "close"], ["accept", "reject", "withdraw", "save", "dismiss"]]
    assert all(len({texts[key] for key in layer}) == len(layer) for layer in layers)


@every_language
def test_no_two_categories_share_a_name(language):
    names = [category["name"] for category in words(language)["categories"].values()]
    assert len(set(names)) == len(names)


@every_body
@every_language
def test_every_body_names_cookies(language, body):
    assert "cookie" in words(language)["texts"][body].lower()


@every_body
@every_language
def test_every_body_says_the_purposes_and_how_long_a_choice_is_kept(language, body):
    assert placeholders(language)[f"texts.{body}"] == ["{days}", "{purposes}"]


@every_language
def test_the_sentence_about_the_signal_names_global_privacy_control(language):
    assert "Global Privacy Control" in words(language)["texts"]["gpc"]


def test_every_file_is_loaded_without_being_registered():
    assert list(locales()) == LANGUAGES


@every_language
def test_a_language_is_found_by_its_tag(language):
    assert locale(language).language == language


@pytest.mark.parametrize("tag", ["de-AT", "de-Latn-CH"])
def test_a_regional_language_speaks_with_the_words_of_its_parent(tag):
    assert locale(tag).language == "de"


@pytest.mark.parametrize("tag", ["tlh", "tlh-DE", "den", ""])
def test_a_language_that_is_not_shipped_speaks_english(tag):
    assert locale(tag).language == "en"


def test_parents_come_nearest_first():
    assert parents("zh-Hant-TW") == ("zh-Hant-TW", "zh-Hant", "zh")


def test_a_language_without_a_region_has_only_itself():
    assert parents("fr") == ("fr",)


@pytest.mark.parametrize(
    ("header", "offered", "expected"),
    [
        ("fr", ["en", "fr"], "fr"),
        ("de;q=0.5, fr;q=0.9", ["en", "de", "fr"], "fr"),
        ("de;q=0.9, fr", ["en", "de", "fr"], "fr"),
        ("da, en-gb;q=0.8, en;q=0.7", ["de", "en"], "en"),
    ],
)
def test_the_language_wanted_most_is_chosen(header, offered, expected):
    assert negotiate(header, offered) == expected


def test_among_equal_wishes_the_first_one_wins():
    assert negotiate("fr, de", ["en", "de", "fr"]) == "fr"


def test_a_region_is_served_by_its_language():
    assert negotiate("de-AT", ["en", "de"]) == "de"


def test_a_region_that_is_offered_comes_before_its_language():
    assert negotiate("de-AT", ["de", "de-AT"]) == "de-AT"


@pytest.mark.parametrize("header", ["pt", "pt-PT"])
def test_a_language_is_served_by_a_region_of_it(header):
    assert negotiate(header, ["en", "pt-BR"]) == "pt-BR"


def test_a_language_is_not_mistaken_for_one_that_begins_alike():
    assert negotiate("fi", ["en", "fil-PH"]) == "en"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("nb-NO", "no"),
        ("nn", "no"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-CN", "zh"),
        ("iw", "he"),
        ("in", "id"),
    ],
)
def test_a_tag_finds_its_language_under_the_name_that_is_shipped(header, expected):
    assert negotiate(header, ["en", "no", "zh", "zh-Hant", "he", "id"]) == expected


def test_letter_case_does_not_matter():
    assert negotiate("PT-br", ["en", "pt-BR"]) == "pt-BR"


def test_a_language_refused_by_weight_zero_is_not_chosen():
    assert negotiate("fr;q=0, de;q=0.1", ["en", "fr", "de"]) == "de"


@pytest.mark.parametrize("header", ["", "*", "ja", "*;q=0.5", ";;;,,,", "de;q=much", "de;weight=1", "de;q=nan"])
def test_a_header_that_asks_for_nothing_on_offer_gets_the_first_language(header):
    assert negotiate(header, ["en", "de"]) == "en"


def test_an_unreadable_part_does_not_spoil_the_rest():
    assert negotiate("de;q=much, fr;q=0.3", ["en", "de", "fr"]) == "fr"


@given(st.text(alphabet=st.sampled_from("deEN-_*;,=q.019 \t\x00é"), max_size=60))
def test_any_header_gets_a_language_that_is_offered(header):
    assert negotiate(header, ["en", "de-AT"]) in {"en", "de-AT"}


def test_an_endless_header_gets_a_language_that_is_offered():
    assert negotiate("x-" * 100_000 + ",de", ["en", "de"]) == "en"
