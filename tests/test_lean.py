"""The least document of a policy: completing it gives the policy again, and it says nothing that goes without saying."""

import tomllib

import pytest
import tomli_w
from msgspec.structs import replace

from consent import catalogue, policy
from consent.lean import fallback, lean
from consent.model import Category, Service, Signals
from consent.web.demo import demo_policy

ORIGINS = ["https://shop.example"]
DEFAULT = policy.default("Shop", ORIGINS)
EVERYTHING = replace(
    DEFAULT,
    languages=["de-AT", "de", "en", "nb", "no"],
    services=[Service(id) for id, one in catalogue.known().items() if "social" in one.categories],
    texts={"de": {"title": "Hallo"}, "de-AT": {"title": "Servus"}, "no": {"title": "Hei"}},
    categories=[*DEFAULT.categories, Category("chat", name="Chat", purpose={"en": "Talk.", "de": "Reden."})],
    signals=Signals(google={"analytics": ["analytics_storage"]}, gpc=[]),
    privacy_url="https://shop.example/privacy",
)


@pytest.mark.parametrize("written", [DEFAULT, demo_policy(ORIGINS), EVERYTHING], ids=["default", "demo", "everything"])
def test_completing_the_least_document_gives_the_policy_again(written):
    document = lean(written)
    assert policy.complete(policy.read(document)) == policy.complete(written)
    assert lean(policy.complete(written)) == document
    assert tomllib.loads(tomli_w.dumps(document)) == document


def test_what_goes_without_saying_is_not_said():
    assert set(lean(policy.complete(DEFAULT))) == {"name", "origins", "languages", "categories"}
    assert lean(policy.complete(DEFAULT))["categories"][2] == {"id": "analytics"}
    assert lean(policy.complete(replace(DEFAULT, services=[Service("youtube")])))["services"] == [{"id": "youtube"}]


def test_what_was_shipped_with_other_words_keeps_them():
    whole = policy.complete(DEFAULT)
    older = replace(whole, texts={**whole.texts, "fr": {**whole.texts["fr"], "title": "Autrefois"}})
    assert lean(older)["texts"] == {"fr": {"title": "Autrefois"}}


def test_a_language_falls_back_to_its_parent_then_to_the_first():
    words = {"en": "one", "de": "eins"}
    assert fallback(["en", "de-AT"], words, "de-AT") == "eins"
    assert fallback(["en", "fr"], words, "fr") == "one"
    assert fallback([], {}, "fr") == ""
