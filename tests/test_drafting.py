"""Edits of a draft: what hangs together moves together, and whatever is wrong, something can be shown."""

import pytest

from consent import drafting, policy
from consent.lean import lean

WHOLE = policy.complete(policy.default("Shop", ["https://shop.example"]))


def document(**more) -> dict:
    base = {"name": "Shop", "origins": ["https://shop.example"], "languages": ["en", "de"]}
    return {**base, "categories": [{"id": "session", "necessary": True}, {"id": "analytics"}], **more}


def test_services_and_signals_follow_a_category_to_its_new_id():
    draft = document(
        services=[{"id": "own", "category": "analytics"}, {"id": "matomo"}],
        signals={"google": {"analytics": ["analytics_storage"]}, "gpc": ["analytics"]},
    )
    draft["categories"][1]["id"] = "numbers"
    drafting.rename_category(draft, "analytics", "numbers")
    assert [one["category"] for one in draft["services"]] == ["numbers", "numbers"]
    assert draft["signals"] == {"google": {"numbers": ["analytics_storage"]}, "gpc": ["numbers"]}


def test_signals_forget_a_category_that_goes():
    draft = document(signals={"uet": {"analytics": ["ad_storage"]}, "gpc": ["analytics"]})
    drafting.drop_category(draft, 1)
    assert draft["signals"] == {"uet": {}, "gpc": []} and len(draft["categories"]) == 1


def test_a_draft_without_mistakes_is_kept_in_few_words():
    draft = document(valid_days=180, texts={"en": {"accept": "Accept all", "title": "Mine"}})
    assert drafting.tidy(draft) == document(texts={"en": {"title": "Mine"}})
    assert drafting.tidy(document(valid_days=0)) == document(valid_days=0)


@pytest.mark.parametrize(
    "broken, left",
    [
        (document(valid_days="soon"), ("valid_days", 180)),
        (document(name=7), ("name", "Shop")),
        (document(origins="x", languages=[]), ("languages", WHOLE.languages)),
        (document(appearance={"layout": "bar", "position": "top-left"}), ("appearance.position", None)),
        (document(appearance={"light": {"ink": "#fefefe"}}), ("appearance.light.ink", "#fefefe")),
        (document(services=[{"id": "own", "category": "gone"}, {"id": "matomo"}]), ("services[0].id", "matomo")),
        (document(categories=[{"id": "chat"}]), ("categories[0].purpose.en", "…")),
        (document(signals={"google": {"gone": ["ad_storage"]}}), ("signals.google.gone", None)),
        ({"nonsense": True}, ("name", "Shop")),
    ],
)
def test_whatever_is_wrong_something_near_is_shown(broken, left):
    import msgspec

    from consent import paths

    shown = drafting.showable(broken, WHOLE)
    path, found = left
    assert paths.get(msgspec.to_builtins(shown), path) == found


def test_a_service_of_the_catalogue_is_opened_and_closed_again():
    draft = document(services=[{"id": "matomo"}])
    drafting.open_service(draft, 0, drafting.showable(draft, WHOLE))
    assert draft["services"][0]["cookies"] and draft["services"][0]["provider"]["name"]
    assert drafting.tidy(draft) == document(services=[{"id": "matomo"}])


def test_colours_are_judged_whatever_else_is_wrong():
    wrong = drafting.mistakes(document(valid_days="soon", appearance={"light": {"accent": "#ffee00"}}))
    assert [path for path, _ in wrong] == ["valid_days", "appearance.light.accent"]
    assert len(drafting.mistakes(document(valid_days="soon", appearance={"light": {"accent": "yellow"}}))) == 2


def test_the_draft_of_what_is_published_has_no_mistakes():
    assert drafting.mistakes(lean(WHOLE)) == ()
