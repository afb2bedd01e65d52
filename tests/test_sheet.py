"""The sheet of one receipt: everything a regulator asks, in words, and nothing that could run."""

import html
import re
from string import Formatter

import pytest

from consent import checkpoint, i18n, policy
from consent.errors import BadQuery, UnknownReceipt
from consent.ledger import Ledger
from consent.model import Filter
from consent.sheet import sheet, words
from tests.conftest import SUBJECT, choice

GRANTS = {"analytics": True, "social": False, "chat": False}


@pytest.fixture
def id(ledger: Ledger, draft) -> str:
    ledger.publish("shop", draft)
    one = choice(policy=2, language="de", grants=GRANTS, services={"hotjar": False})
    ledger.record("shop", one)
    return one.id


def test_it_says_who_when_what_words_and_what_was_granted(ledger, id):
    page = html.unescape(sheet(ledger, "shop", id))
    asked = ledger.published("shop", 2)
    assert SUBJECT in page and "2026-11-18" in page and "Shop (site shop), policy version 2" in page
    assert asked.texts["de"]["title"] in page and asked.texts["de"]["reject"] in page
    assert re.search(r"Chat</th>.*?refused", page, re.DOTALL) and re.search(r"Hotjar.*?refused", page, re.DOTALL)
    assert 'lang="de"' in page


def test_it_carries_the_receipt_and_a_proof_that_holds(ledger, id):
    page = html.unescape(sheet(ledger, "shop", id))
    assert ledger.receipt("shop", id) in page
    proof = checkpoint.read_proof(re.search(r"<pre>(c2sp.*?)</pre>", page, re.DOTALL)[1])
    entry = next(ledger.entries("shop", Filter()))
    assert proof.index == entry.index and entry.leaf.hex() in page


def test_it_speaks_the_readers_language(ledger, id):
    page = sheet(ledger, "shop", id, language="de")
    assert '<html lang="de" dir="ltr">' in page and "Was geantwortet wurde" in page and "abgelehnt" in page
    assert "Was geantwortet wurde" in sheet(ledger, "shop", id, language="de-AT")


@pytest.mark.parametrize("language", ["tlh", "", "../en", "de\n"])
def test_a_language_that_the_product_does_not_have_is_refused(ledger, id, language):
    with pytest.raises(BadQuery, match="There is no language"):
        sheet(ledger, "shop", id, language=language)


def test_what_is_not_translated_is_english_and_marked_as_such(ledger, id):
    language = next(tag for tag in i18n.locales() if tag not in words())
    page = sheet(ledger, "shop", id, language=language)
    assert '<html lang="en" dir="ltr">' in page and "What was answered" in page
    assert f"there are none in {i18n.locale(language).name} yet" in html.unescape(page)
    assert "yet." not in sheet(ledger, "shop", id, language="en-GB")


def test_what_is_written_from_right_to_left_is_shown_so(ledger, id):
    assert '<html lang="ar" dir="rtl">' in sheet(ledger, "shop", id, language="ar")


# The words.

OF_THE_UNION = [
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fi",
    "fr",
    "ga",
    "hr",
    "hu",
    "it",
    "lt",
    "lv",
    "mt",
    "nl",
    "pl",
    "pt",
    "ro",
    "sk",
    "sl",
    "sv",
]
LANGUAGES = sorted(words())


def placeholders(texts: dict[str, str]) -> dict[str, set[str]]:
    return {key: {name for _, name, _, _ in Formatter().parse(text) if name is not None} for key, text in texts.items()}


def test_every_official_language_of_the_union_is_there():
    assert set(OF_THE_UNION) <= set(LANGUAGES) <= set(i18n.locales())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_keys_and_placeholders_of_english(language):
    assert placeholders(words()[language]) == placeholders(words()["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_padded_or_left_in_english(language):
    texts = words()[language]
    assert all(text and text == text.strip() for text in texts.values())
    assert language == "en" or sum(text == words()["en"][key] for key, text in texts.items()) <= 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_granted_and_refused_cannot_be_mistaken(language):
    texts = words()[language]
    assert len({texts[key] for key in ("granted", "refused", "necessary")}) == 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_makes_a_whole_page(ledger, id, language):
    page = html.unescape(sheet(ledger, "shop", id, language=language))
    assert words()[language]["answered"] in page and SUBJECT in page and "{" not in page.partition("<body>")[2]


def test_code_in_a_name_is_shown_as_text(ledger):
    ledger.publish("shop", policy.default("<script>alert(1)</script>", ["https://shop.example"]), material=True)
    one = choice(policy=2)
    ledger.record("shop", one)
    page = sheet(ledger, "shop", one.id)
    assert "<script" not in page and "&lt;script&gt;alert(1)" in page


def test_an_unknown_receipt_has_no_sheet(ledger):
    with pytest.raises(UnknownReceipt):
        sheet(ledger, "shop", "019ab1c2-77aa-7bbb-8ccc-0123456789ab")
