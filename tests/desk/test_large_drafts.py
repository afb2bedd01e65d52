"""Drafts larger than most, and drafts with mistakes: edited, and lost only with a true word."""

import io

import tomli_w

from consent.drafts import Drafts
from tests.desk.test_designer import HOME, document, save, stamp

MANY = 190


def imported(editor) -> None:
    """A service with very many cookies, brought as a file."""
    cookies = [{"name": f"c{at}", "purpose": {"en": "Counts."}, "lifetime": "1 day"} for at in range(MANY)]
    own = {
        "id": "counter",
        "name": "Counter",
        "category": "analytics",
        "purpose": {"en": "Counts."},
        "cookies": cookies,
    }
    policy = {
        "name": "Shop", "origins": ["https://shop.example"], "languages": ["en"],
        "categories": [{"id": "session", "necessary": True}, {"id": "analytics"}],
        "services": [own | {"provider": {"name": "Counter"}}],
    }  # fmt: skip
    page = editor.get(HOME + "/file")
    file = (io.BytesIO(tomli_w.dumps(policy).encode()), "shop.toml")
    answer = editor.post(HOME + "/import", stamp=stamp(page), file=file)
    assert "The file is the draft now." in answer.text


def test_a_service_with_very_many_cookies_is_edited_as_any_other(browser, ledger):
    editor = browser("editor")
    imported(editor)
    answer = save(editor, "service", query="?number=0", **{"services[0].cookies[189].name": "last"})
    assert answer.status_code == 200 and "The draft is saved." in answer.text
    cookies = document(ledger)["services"][0]["cookies"]
    assert len(cookies) == MANY and cookies[-1]["name"] == "last"


def test_what_a_draft_with_mistakes_loses_is_counted_too(browser, ledger):
    editor = browser("editor")
    save(editor, "texts", query="?edit=en", **{"texts.en.title": "Another", "privacy_url.en": "javascript:alert(1)"})
    assert Drafts(ledger).get("shop").by == "editor"
    text = editor.get(HOME + "/review").text
    assert "Not ready to publish" in text and "that are not published: 2." in text
