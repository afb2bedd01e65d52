"""From a draft to what visitors see: reviewed, published once, restored, discarded, taken as a file, and by whom."""

import io
import tomllib

import pytest

from consent import policy
from consent.drafts import Drafts
from consent.trail import Trail
from tests.desk.test_designer import HOME, document, filled, save, stamp, with_services

__all__ = ["with_services"]


def test_a_text_is_drafted_reviewed_and_published(browser, ledger):
    editor = browser("editor")
    assert "Your privacy, your choice" in editor.get(HOME + "?edit=en").text, "the shipped words stand as placeholder"
    answer = save(editor, "texts", "review", "?edit=en", **{"texts.en.title": "A word on cookies"})
    assert answer.request.path == HOME + "/review"
    assert "“Heading” in English (en)" in answer.text and "<ins>A word on cookies</ins>" in answer.text
    assert ledger.published("shop").version == 1, "nothing is published by saving"
    assert 'value="no" checked' in answer.text and "only wording" in answer.text
    done = editor.post(HOME + "/publish", stamp=stamp(answer), version="1", material="no")
    assert "Version 2 is published" in done.text and "https://shop.example" in done.text
    published = ledger.published("shop")
    assert (published.texts["en"]["title"], published.material_since) == ("A word on cookies", 1)
    assert "As published, version 2" in editor.get(HOME).text
    acts = [(told.act.who, told.act.what) for told in Trail(ledger).all()]
    assert acts == [("editor", "changed the draft of the banner"), ("editor", "published the banner")]


def test_what_is_material_is_proposed_and_a_person_decides(browser, ledger):
    editor = browser("editor")
    answer = save(editor, "rules", "review", valid_days="365")
    assert 'value="yes" checked' in answer.text and "asks again" in answer.text
    fields = {"stamp": stamp(answer), "version": "1"}
    assert editor.post(HOME + "/publish", **fields).status_code == 422
    editor.post(HOME + "/publish", material="no", **fields)
    assert (ledger.published("shop").version, ledger.published("shop").material_since) == (2, 1)
    answer = save(editor, "rules", "review", name="The shop")
    assert 'value="no" checked' in answer.text
    editor.post(HOME + "/publish", stamp=stamp(answer), version="2", material="yes")
    assert ledger.published("shop").material_since == 3


def test_who_was_overtaken_is_told_and_loses_nothing(browser, ledger):
    one, other = browser("editor"), browser("owner")
    address = HOME + "/texts?edit=en"
    mine, theirs = filled(one.get(address)), filled(other.get(address))
    other.post(address, **(theirs | {"do": ["save"], "texts.en.title": ["Theirs"]}))
    answer = one.post(address, **(mine | {"do": ["save"], "texts.en.title": ["Mine"]}))
    assert answer.status_code == 409 and "owner changed the draft while you were editing" in answer.text
    assert 'value="Mine"' in answer.text and document(ledger)["texts"]["en"]["title"] == "Theirs"
    again = one.post(address, **(filled(answer) | {"do": ["save"]}))
    assert again.status_code == 200 and document(ledger)["texts"]["en"]["title"] == "Mine"


def test_only_what_was_reviewed_is_published(browser, ledger):
    editor, owner = browser("editor"), browser("owner")
    review = save(editor, "texts", "review", "?edit=en", **{"texts.en.title": "Reviewed"})
    save(owner, "texts", "save", "?edit=en", **{"texts.en.title": "Slipped in"})
    answer = editor.post(HOME + "/publish", stamp=stamp(review), version="1", material="no")
    assert answer.status_code == 409 and "Slipped in" in answer.text and ledger.published("shop").version == 1


def test_the_same_form_sent_twice_publishes_once_and_says_so_twice(browser, ledger):
    editor = browser("editor")
    fields = {"stamp": stamp(save(editor, "rules", "review", name="My shop")), "version": "1", "material": "no"}
    for _ in range(2):
        answer = editor.post(HOME + "/publish", **fields)
        assert answer.status_code == 200 and "Version 2 is published" in answer.text
    assert ledger.published("shop").version == 2
    for wrong in ({"stamp": "deadbeef00000000"}, {"material": "yes"}, {"version": "2"}):
        answer = editor.post(HOME + "/publish", **(fields | wrong))
        assert answer.status_code == 409 and "Nothing was published" in answer.text
    editor.post(
        HOME + "/publish", stamp=stamp(save(editor, "rules", "review", name="Ours")), version="2", material="no"
    )
    assert editor.post(HOME + "/publish", **fields).status_code == 409, "that was long ago"


def test_what_is_published_elsewhere_while_one_publishes_is_not_undone(browser, ledger, draft, monkeypatch):
    editor, scripts = browser("editor"), ledger._scripts
    review = save(editor, "texts", "review", "?edit=en", **{"texts.en.title": "Reviewed"})

    def slowly(published):
        monkeypatch.setattr(ledger, "_scripts", scripts)
        ledger.publish("shop", draft)
        return scripts(published)

    monkeypatch.setattr(ledger, "_scripts", slowly)
    answer = editor.post(HOME + "/publish", stamp=stamp(review), version="1", material="no")
    assert answer.status_code == 409 and "has changed since you looked" in answer.text
    assert ledger.published("shop").version == 2 and ledger.published("shop").services
    assert document(ledger)["texts"]["en"]["title"] == "Reviewed"


def test_what_was_published_elsewhere_meanwhile_is_told(browser, ledger, draft):
    editor = browser("editor")
    save(editor, "rules", name="My shop")
    ledger.publish("shop", draft)
    assert "begun from version 1; version 2 was published since" in editor.get(HOME).text


def test_an_earlier_version_comes_back_as_a_draft(browser, ledger, draft):
    ledger.publish("shop", draft)
    editor = browser("editor")
    history = editor.get(HOME + "/history")
    assert "visitors see it" in history.text and "The first version." in history.text
    answer = editor.post(HOME + "/restore", version="1", stamp=stamp(history))
    assert "The draft is version 1 now." in answer.text
    assert policy.complete(policy.read(document(ledger))) == policy.draft(ledger.published("shop", 1))
    assert ledger.published("shop").version == 2
    assert editor.get(HOME + "/policy.toml?version=0").status_code == 404
    again = {"stamp": Drafts(ledger).get("shop").stamp, "confirm": "shop"}
    assert editor.post(HOME + "/restore", version="9", **again).status_code == 404


@pytest.mark.parametrize("act", ["restore", "import", "discard"])
def test_a_draft_is_lost_only_to_who_types_the_name(browser, ledger, draft, act):
    ledger.publish("shop", draft)
    browser("owner").post(HOME + "/rules", do="save", stamp=Drafts(ledger).get("shop").stamp, name="Of a colleague")
    held, editor = Drafts(ledger).get("shop"), browser("editor")
    room = editor.get(f"{HOME}/{ {'restore': 'history', 'import': 'file', 'discard': 'review'}[act] }").text
    assert "The present draft is lost, last saved by owner" in room
    more = {"version": "1"} if act == "restore" else {"file": (io.BytesIO(b"{}"), "p.toml")} if act == "import" else {}
    answer = editor.post(f"{HOME}/{act}", stamp=held.stamp, confirm="sho", **more)
    assert answer.status_code == 400 and "type shop to confirm" in answer.text
    assert Drafts(ledger).get("shop") == held


def test_the_history_has_pages(browser, ledger, draft):
    from msgspec.structs import replace

    for days in range(1, 13):
        ledger.publish("shop", replace(draft, valid_days=days))
    editor = browser("editor")
    first = editor.get(HOME + "/history").text
    assert "Version 13" in first and "Version 6" in first and "Version 5<" not in first
    assert "Days that a choice holds" in first and "Everybody was asked again." in first
    second = editor.get(HOME + "/history?before=6").text
    assert "Version 5" in second and "The first version." in second and "Older versions" not in second
    assert editor.get(HOME + "/history?before=0").status_code == 200


def test_the_file_and_the_form_are_the_same_thing(browser, ledger, with_services):
    editor = browser("editor")
    save(editor, "rules", name="Shop & Söhne")
    before = document(ledger)
    file = editor.get(HOME + "/policy.toml")
    assert file.headers["Content-Disposition"] == 'attachment; filename="shop.toml"'
    assert tomllib.loads(file.text) == before
    save(editor, "rules", name="Something else")
    page = editor.get(HOME + "/file")
    answer = editor.post(HOME + "/import", stamp=stamp(page), confirm="shop", file=(io.BytesIO(file.data), "shop.toml"))
    assert "The file is the draft now." in answer.text and document(ledger) == before
    old = editor.get(HOME + "/policy.toml?version=1")
    assert policy.complete(policy.read(tomllib.loads(old.text))) == policy.draft(ledger.published("shop", 1))


@pytest.mark.parametrize(
    "data, told, status",
    [
        (b"", "Choose a file first.", 400),
        (b"name = ", "is not valid TOML", 400),
        (b'name = "x"\nlanguages = ["en"]\norigins = ["nowhere"]', "categories</code>: is missing", 422),
        (b"{}", "languages</code>: is missing", 422),
        (b"\xff\xfe", "is not valid TOML", 400),
    ],
)
def test_a_bad_file_is_refused_with_its_mistakes(browser, ledger, data, told, status):
    editor = browser("editor")
    page = editor.get(HOME + "/file")
    answer = editor.post(HOME + "/import", stamp=stamp(page), file=(io.BytesIO(data), "p.toml"))
    assert answer.status_code == status and told in answer.text and answer.mimetype == "text/html"
    assert not Drafts(ledger).get("shop").by


def test_a_file_that_is_too_large_is_not_read(browser, ledger):
    client = browser("editor").client
    answer = client.post(HOME + "/import", data=b"x" * 600_000, content_type="multipart/form-data; boundary=y")
    assert answer.status_code == 413 and "larger than 512 kB" in answer.text and answer.mimetype == "text/html"


def test_a_draft_is_discarded_by_who_has_seen_it(browser, ledger):
    editor = browser("editor")
    save(editor, "rules", name="Other")
    assert editor.post(HOME + "/discard", stamp="old").status_code == 409
    answer = editor.post(HOME + "/discard", stamp=Drafts(ledger).get("shop").stamp, confirm="shop")
    assert "The draft is gone" in answer.text and not Drafts(ledger).get("shop").by
    assert Trail(ledger).newest()[0].act.before == {"name": "Other"}


def test_saving_what_is_published_begins_no_draft(browser, ledger):
    save(browser("editor"), "texts", "language", "?edit=en", edit="de")
    assert not Drafts(ledger).get("shop").by


def test_an_auditor_looks_and_changes_nothing(browser, ledger):
    auditor = browser("auditor")
    for page in ("", "/services", "/looks", "/rules", "/review", "/history", "/file", "/policy.toml", "/published"):
        assert auditor.get(HOME + page).status_code == 200
    assert auditor.get("/admin/sites/shop/preview").status_code == 200
    assert "Save the draft</button><button" not in auditor.get(HOME).text
    for path in ("texts", "publish", "restore", "discard", "import"):
        assert auditor.post(f"{HOME}/{path}").status_code == 403
    for path in ("preview", "findings"):
        assert auditor.post(f"/admin/sites/shop/{path}/texts").status_code == 403
    assert browser("stranger").get(HOME).status_code == 403
    assert browser("editor").get(HOME + "/nowhere").status_code == 404
    assert browser("editor").get(HOME + "/service?number=7").status_code == 404


def test_what_another_tab_published_is_not_told_as_ones_own(browser, ledger):
    editor = browser("editor")
    old = stamp(save(editor, "texts", "review", "?edit=en", **{"texts.en.title": "A text"}))
    new = stamp(save(editor, "texts", "review", "?edit=en", **{"texts.en.title": "B text"}))
    editor.post(HOME + "/publish", stamp=new, version="1", material="no")
    answer = editor.post(HOME + "/publish", stamp=old, version="1", material="yes")
    assert answer.status_code == 409 and ledger.published("shop").texts["en"]["title"] == "B text"


def test_a_draft_that_says_what_is_published_is_not_told_as_published(browser, ledger):
    editor = browser("editor")
    answer = editor.post(HOME + "/publish", stamp="v1", version="1", material="yes")
    assert answer.status_code == 409 and "the draft says what visitors see already" in answer.text
    assert ledger.published("shop").version == 1
