"""A form that is refused, overtaken or cannot be done now loses nothing that was typed, and takes nothing from elsewhere."""

import re
from contextlib import contextmanager
from html import unescape

import pytest

from consent.administrator import Administrator
from consent.errors import BadQuery, Unavailable
from consent.trail import Trail
from tests.conftest import ORIGIN, SUBJECT, choice
from tests.desk.conftest import PASSWORD
from tests.desk.test_rooms import owner

__all__ = ["owner"]


def test_what_cannot_be_noted_is_not_done(owner, monkeypatch):
    def full(*_, **__):
        raise Unavailable("No room.")

    monkeypatch.setattr(Trail, "note", full)
    answer = owner.post("/admin/people/editor/remove", confirm="editor")
    assert answer.status_code == 503 and "No room." in answer.text
    assert owner.get("/admin/people/editor").status_code == 200


def test_what_cannot_be_done_now_is_kept_to_be_sent_once_more(owner, ledger):
    """A full disk can be looked at, and loses nothing that was typed."""
    owner.get("/admin/sites/shop/settings")
    with unwritable(ledger):
        answer = owner.post("/admin/sites/shop/settings", name='<b>"New"', origins=ORIGIN, retention_days="90")
        assert answer.status_code == 503 and "The database cannot be used now: disk I/O error." in answer.text
    form = re.search(r'<form method="post">.*?</form>', answer.text, re.S)[0]
    fields = {name: unescape(value) for name, value in re.findall(r'name="([^"]+)" value="([^"]*)"', form)}
    assert owner.post("/admin/sites/shop/settings", **fields).status_code == 200
    assert (ledger.published("shop").name, ledger.published("shop").retention_days) == ('<b>"New"', 90)


def test_a_session_goes_on_where_nothing_can_be_written(owner, ledger, clock):
    clock.forward(seconds=120)
    with unwritable(ledger):
        assert owner.get("/admin/sites/shop/overview").status_code == 200
        assert "Send it once more" not in owner.post("/admin/account/password", password=PASSWORD, again=PASSWORD).text


def test_settings_that_somebody_changed_meanwhile_are_not_overwritten_unseen(owner, browser, ledger):
    page = owner.get("/admin/sites/shop/settings").text
    held = re.search(r'name="stamp" value="([^"]+)"', page)[1]
    browser("editor").post("/admin/sites/shop/settings", name="Theirs", origins=ORIGIN, retention_days="400")
    mine = {"name": "Mine", "origins": ORIGIN, "retention_days": ""}
    answer = owner.post("/admin/sites/shop/settings", stamp=held, **mine)
    assert answer.status_code == 409 and 'value="Mine"' in answer.text and ledger.published("shop").name == "Theirs"
    held = re.search(r'name="stamp" value="([^"]+)"', answer.text)[1]
    assert owner.post("/admin/sites/shop/settings", stamp=held, **mine).status_code == 200
    assert ledger.published("shop").name == "Mine"


@pytest.mark.parametrize(
    ("path", "fields", "kept"),
    [
        ("/admin/new-site", {"id": "third", "name": "\u202eThird", "origins": ORIGIN}, ORIGIN),
        ("/admin/new-site", {"id": "x" * 64, "name": "Third", "origins": ORIGIN}, 'value="Third"'),
        ("/admin/sites/shop/settings", {"name": "n" * 2001, "origins": ORIGIN, "retention_days": "77"}, 'value="77"'),
        ("/admin/sites/shop/delete", {"confirm": "sho"}, "Delete for ever"),
        ("/admin/tokens", {"name": "Shop's server", "role": "editor", "days": "0"}, "Shop&#39;s server"),
        ("/admin/tokens", {"name": "", "role": "editor", "days": "9"}, 'value="9"'),
        ("/admin/people", {"name": "carla", "role": "king"}, 'value="carla"'),
        ("/admin/sites/shop/banner/discard", {"stamp": "old"}, "Review and publish"),
    ],
)
def test_a_form_that_is_refused_stands_there_again(owner, path, fields, kept):
    answer = owner.post(path, **fields)
    assert answer.status_code in (400, 409, 422) and 'role="alert"' in answer.text
    assert kept in answer.text.split("<main")[1]
    if "new-site" not in path:
        assert 'aria-current="page"' in answer.text.split("<main")[0], "the menu shows where one is"


def test_a_name_that_is_mistyped_keeps_the_visitor_who_was_looked_up(owner, ledger):
    ledger.record("shop", choice())
    answer = owner.post("/admin/sites/shop/requests/erase", subject=SUBJECT, confirm="sho")
    assert answer.status_code == 400 and "type shop to confirm" in answer.text and SUBJECT in answer.text
    assert "What is known: one choice" in answer.text


def test_what_was_typed_before_the_session_ended_is_sent_once_more(browser, crew, ledger):
    bert = browser("editor")
    bert.get("/admin/sites/shop/settings")
    crew.set_roles("editor", {"shop": "editor"})
    answer = bert.post("/admin/sites/shop/settings", name="Typed", origins=ORIGIN, retention_days="")
    assert answer.status_code == 401 and 'name="name" value="Typed"' in answer.text
    again = [fields := {"name": "Typed", "origins": ORIGIN, "retention_days": ""}][0]
    old = bert.token
    bert.sign_in("editor")
    answer = bert.post("/admin/sites/shop/settings", **again, csrf_token=old)
    assert answer.status_code == 400 and 'name="name" value="Typed"' in answer.text
    assert (
        bert.post("/admin/sites/shop/settings", **fields).status_code == 200
        and ledger.published("shop").name == "Typed"
    )


@pytest.mark.parametrize(
    ("header", "value"), [("SEC_FETCH_SITE", "cross-site"), ("ORIGIN", "null"), ("ORIGIN", "https://evil.example")]
)
def test_a_form_of_another_website_is_not_offered_to_be_sent_again(browser, header, value):
    stranger = browser("owner")
    stranger.client.environ_base[f"HTTP_{header}"] = value
    answer = stranger.post("/admin/sites/shop/settings", name="Theirs", csrf_token="forged")
    assert answer.status_code == 400 and "Theirs" not in answer.text


@pytest.mark.parametrize("path", ["settings", "banner/rules"])
def test_characters_that_nobody_sees_are_refused(owner, ledger, path):
    answer = owner.get(f"/admin/sites/shop/{path}")
    given = {"name": "Shop\u202e", "origins": ORIGIN, "do": "save", "stamp": "v1" if "banner" in path else ""}
    answer = owner.post(f"/admin/sites/shop/{path}", **given)
    assert "control characters" in answer.text and "\u202e" not in ledger.published("shop").name


def test_the_name_of_a_token_has_no_characters_that_nobody_sees(owner, ledger):
    assert owner.post("/admin/tokens", role="auditor", name="a\x00", days="5").status_code == 400
    with pytest.raises(BadQuery, match="control characters"):
        Administrator(ledger, "anna").make_token("auditor", site=None, name="a\x00", days=None)


@contextmanager
def unwritable(ledger):
    """Nothing can be written meanwhile."""
    with pytest.MonkeyPatch.context() as patched:

        @contextmanager
        def writing():
            raise Unavailable("The database cannot be used now: disk I/O error.")
            yield

        patched.setattr(ledger.storage, "writing", writing)
        yield
