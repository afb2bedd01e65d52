"""The banner's designer, form by form: drafts that are never lost, a preview that keeps nothing, what is published."""

import io
import json
import random
import re
import tomllib
from pathlib import Path

import pytest
from msgspec.inspect import type_info

from consent import policy
from consent.drafts import Drafts
from consent.model import Policy
from consent.trail import Trail
from consent.web.desk import designer_mistakes, designer_words
from consent.web.desk.designer_form import SECTIONS
from tests.test_docs import fields

HOME = "/admin/sites/shop/banner"
ROOM = Path(__file__).parent.parent.parent / "consent"


def stamp(answer) -> str:
    return re.search(r'name="stamp" value="([^"]+)"', answer.text)[1]


def filled(answer) -> dict[str, list[str]]:
    """Every field of the page's form as a browser would send it."""
    form = re.search(r'<form id="designer".*?</form>', answer.text, re.S)[0]
    fields: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>|<textarea.*?</textarea>|<select.*?</select>", form, re.S):
        name = re.search(r' name="([^"]+)"', tag)
        if not name or ('type="checkbox"' in tag and " checked" not in tag) or 'type="file"' in tag:
            continue
        value = re.search(r' value="([^"]*)"', tag)
        text = value[1] if value else ""
        if tag.startswith("<textarea"):
            text = re.search(r">(.*)</textarea>", tag, re.S)[1]
        elif tag.startswith("<select"):
            chosen = re.search(r'<option value="([^"]*)" selected', tag) or re.search(r'<option value="([^"]*)"', tag)
            text = chosen[1] if chosen else ""
        fields.setdefault(name[1], []).append(unescape(text))
    return fields


def unescape(text: str) -> str:
    from html import unescape

    return unescape(text)


def save(browser, section: str, do: str = "save", query: str = "", **changes):
    """Load a part, change some fields, press a button."""
    address = f"{HOME}/{section}{query}"
    fields = filled(browser.get(address)) | {"do": [do]} | {path: [value] for path, value in changes.items()}
    return browser.post(address, **fields)


def document(ledger) -> dict:
    return Drafts(ledger).get("shop").document


@pytest.fixture
def with_services(ledger, draft):
    ledger.publish("shop", draft)


@pytest.mark.parametrize("section", SECTIONS)
def test_saving_a_part_as_it_is_changes_nothing(browser, ledger, with_services, section):
    before = document(ledger)
    editor = browser("editor")
    query = "?number=1" if section == "service" else ""
    assert save(editor, section, query=query).status_code == 200
    assert document(ledger) == before
    assert "As published, version 2" in editor.get(HOME).text


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


def test_a_draft_with_mistakes_is_kept_and_each_is_told_beside_its_field(browser, ledger):
    editor = browser("editor")
    answer = save(editor, "rules", valid_days="for ever", origins="shop.example")
    assert document(ledger)["valid_days"] == "for ever" and document(ledger)["origins"] == ["shop.example"]
    assert re.search(r'data-why="valid_days">must be a whole number from 1 to 730, not &#39;for ever&#39;', answer.text)
    assert re.search(r'data-why="origins">must be an origin', answer.text)
    assert 'value="for ever"' in answer.text and "Draft with mistakes: 2" in answer.text
    review = editor.get(HOME + "/review")
    assert "Not ready to publish" in review.text and HOME + "/rules" in review.text
    assert editor.post(HOME + "/publish", stamp=stamp(review), version="1", material="no").status_code == 422
    assert ledger.published("shop").version == 1
    assert editor.get("/admin/sites/shop/preview").status_code == 200, "the preview leaves out what is wrong"


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


def test_categories_are_added_renamed_moved_and_dropped(browser, ledger, with_services):
    editor = browser("editor")
    save(editor, "services", "add-category", category="persistent")
    assert [one["id"] for one in document(ledger)["categories"]] == [
        "session",
        "analytics",
        "social",
        "chat",
        "persistent",
    ]
    save(editor, "services", "up categories[4]")
    save(editor, "services", "save", **{"categories[1].id": "statistics"})
    held = document(ledger)
    assert [one["id"] for one in held["categories"]] == ["session", "statistics", "social", "persistent", "chat"]
    assert [one.get("category") for one in held["services"][:1]] == ["statistics"], "its services follow"
    save(editor, "services", "drop categories[4]")
    answer = save(editor, "services", "add-category", category="")
    assert 'data-why="categories[4].id">must be a category or service id' in answer.text
    answer = save(editor, "services", **{"categories[4].id": "maps"})
    assert 'data-why="categories[4].purpose">is missing' in answer.text


def test_services_come_from_the_catalogue_or_are_ones_own(browser, ledger):
    editor = browser("editor")
    save(editor, "services", "add-service", known="YouTube")
    assert document(ledger)["services"] == [{"id": "youtube"}]
    save(editor, "services", "save", known="Vimeo")
    assert document(ledger)["services"][1] == {"id": "vimeo"}, "as the Enter key does"
    save(editor, "services", "drop services[1]")
    page = editor.get(HOME + "/service?number=0&edit=en")
    assert "VISITOR_INFO1_LIVE" in page.text and "*.youtube-nocookie.com/*" in page.text
    save(editor, "service", "save", "?number=0&edit=en", **{"services[0].purpose.en": "Plays our films."})
    assert set(document(ledger)["services"][0]) == {"id", "purpose"}, "the rest still follows the catalogue"
    answer = save(editor, "services", "add-service", known="Our counter")
    assert answer.request.path == HOME + "/service" and "number=1" in answer.request.query_string.decode()
    answer = save(editor, "service", "add-cookie", "?number=1&edit=en", **{
        "services[1].provider.name": "Shop Ltd", "services[1].purpose.en": "Counts visits.",
        "services[1].category": "analytics",
    })  # fmt: skip
    assert (
        'data-why="services[1].cookies[0].lifetime">must be `session`, `persistent` or a length of time' in answer.text
    )
    save(editor, "service", "save", "?number=1&edit=en", **{
        "services[1].cookies[0].name": "_n", "services[1].cookies[0].lifetime": "30 days",
        "services[1].cookies[0].purpose.en": "Counts.",
    })  # fmt: skip
    assert policy.read(document(ledger)).services[1].cookies[0].lifetime == "30 days"
    assert "Our counter has no addresses" in editor.get(HOME + "/services").text
    save(editor, "services", "drop services[0]")
    assert [one["id"] for one in document(ledger)["services"]] == ["our-counter"]


def test_looks_are_chosen_and_unreadable_ones_are_refused_with_the_contrast(browser, ledger):
    editor = browser("editor")
    answer = save(editor, "looks", **{
        "appearance.layout": "bar", "appearance.radius": "4", "appearance.light.accent": "#ffee00",
    })  # fmt: skip
    assert document(ledger)["appearance"] == {"layout": "bar", "radius": 4, "light": {"accent": "#ffee00"}}
    assert re.search(r'data-why="appearance.light.accent">needs a contrast of 5:1 for buttons', answer.text)
    assert "#ffee00" in editor.get("/admin/sites/shop/preview").text, "it is to be seen all the same"
    save(editor, "looks", **{"appearance.light.accent": "", "appearance.layout": ""})
    assert document(ledger)["appearance"] == {"radius": 4}


def test_a_logo_is_taken_from_a_small_file_only(browser, ledger):
    editor = browser("editor")
    page = editor.get(HOME + "/looks")
    fields = filled(page) | {"do": ["save"]}
    editor.post(HOME + "/looks", **fields, logo_file=(io.BytesIO(b"<svg/>"), "l.svg", "image/svg+xml"))
    assert document(ledger)["appearance"]["logo"] == "data:image/svg+xml;base64,PHN2Zy8+"
    fields = filled(editor.get(HOME + "/looks")) | {"do": ["save"]}
    for file in ((io.BytesIO(b"x" * 9000), "l.png", "image/png"), (io.BytesIO(b"x"), "l.html", "text/html")):
        answer = editor.post(HOME + "/looks", **fields, logo_file=file)
        assert answer.status_code == 400 and "The logo was not taken" in answer.text


def test_rules_languages_and_signals(browser, ledger):
    editor = browser("editor")
    page = filled(editor.get(HOME + "/rules"))
    page |= {"do": ["save"], "language": ["en", "de"], "first": ["de"], "more_languages": ["de-AT"]}
    page |= {
        "place": ["us-ca", "default"],
        "regime": ["opt-out", "opt-in"],
        "mode.google": ["own"],
        "mode.gpc": ["nobody"],
    }
    page |= {f"signals.google.{id}": [""] for id in ("session", "persistent", "social")}
    page |= {"signals.google.analytics": ["", "analytics_storage"], "nothing_sensitive": ["1"]}
    answer = editor.post(HOME + "/rules", **page)
    held = document(ledger)
    assert held["languages"] == ["de", "en", "de-AT"]
    assert held["regimes"] == {"US-CA": "opt-out", "default": "opt-in"}
    assert held["signals"] == {"google": {"analytics": ["analytics_storage"]}, "gpc": []}
    assert held["records"] == {"sensitive": []}
    assert answer.status_code == 200
    save(editor, "rules", **{"mode.google": "usual", "mode.gpc": "usual"})
    assert "signals" not in document(ledger)


def test_words_of_a_language_go_with_it(browser, ledger, with_services):
    editor = browser("editor")
    page = filled(editor.get(HOME + "/rules")) | {"do": ["save"], "language": ["de"], "first": ["de"]}
    editor.post(HOME + "/rules", **page)
    held = document(ledger)
    assert held["languages"] == ["de"] and "'en'" not in str(held)
    assert held["categories"][3]["name"] == {"de": "Chat"}, "words that were the only ones stay"
    assert policy.read(held)


def test_hints(browser, ledger):
    editor = browser("editor")
    save(editor, "texts", "save", "?edit=en", **{"texts.en.reject": "No, thank you, I would rather refuse all of it"})
    page = editor.get(HOME).text
    assert "both answers should weigh the same" in page and "address of your privacy policy" in page
    save(editor, "texts", "save", "?edit=en", **{"texts.en.reject": "Accept all"})
    assert "have the same words in English (en)" in editor.get(HOME).text
    save(editor, "services", "add-category", category="", query="?edit=en")
    save(editor, "services", "save", "?edit=en", **{
        "categories[4].id": "chat", "categories[4].name.en": "Chat", "categories[4].purpose.en": "Talk to us.",
    })  # fmt: skip
    assert "The name of the category chat has no words in af, ar, bg, ca and 45 more" in editor.get(HOME).text


def test_findings_follow_what_is_typed_and_nothing_is_saved(browser, ledger):
    editor = browser("editor")
    fields = filled(editor.get(HOME + "/rules")) | {"valid_days": ["0"]}
    answer = editor.post("/admin/sites/shop/findings/rules", **fields)
    assert 'data-path="valid_days"' in answer.text and "Mistakes: 1." in answer.text
    assert not Drafts(ledger).get("shop").by


def test_the_preview_is_the_real_banner_in_a_page_without_an_origin(browser, ledger, with_services):
    editor = browser("editor")
    answer = editor.get("/admin/sites/shop/preview?lang=de&regime=opt-out&scheme=dark")
    said = answer.headers["Content-Security-Policy"]
    assert "sandbox allow-scripts" in said and "allow-same-origin" not in said and "unsafe" not in said
    assert "frame-ancestors 'self'" in said and answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "connect-src" not in said and "default-src 'none'" in said and "Set-Cookie" not in answer.headers
    assert (
        '"language":"de"' in answer.text and '"regime":"opt-out"' in answer.text and "color-scheme:dark" in answer.text
    )
    fields = filled(editor.get(HOME + "/texts?edit=de")) | {"texts.de.title": ["</script><script>alert(1)</script>"]}
    typed = editor.post("/admin/sites/shop/preview/texts?edit=de&lang=de", **fields).text
    assert "\\u003c/script>\\u003cscript>alert(1)" in typed and "</script><script>alert" not in typed
    assert not Drafts(ledger).get("shop").by


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "{{ 7 * 7 }}", '"><img src=x onerror=alert(1)>'])
def test_code_in_texts_is_shown_as_text(browser, text):
    editor = browser("editor")
    save(editor, "rules", name=text)
    answer = save(editor, "texts", "review", "?edit=en", **{"texts.en.title": text})
    for page in (answer.text, editor.get(HOME + "?edit=en").text, editor.get(HOME + "/rules").text):
        assert "<script>alert" not in page and "<img src=x" not in page
    assert unescape(answer.text).count(text) >= 2


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


def test_an_auditor_reads_every_language(browser, ledger, draft):
    ledger.publish("shop", draft)
    assert 'name="texts.de.title"' in browser("auditor").get(HOME + "?lang=de").text


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


def test_every_field_of_a_policy_has_one_in_a_form(browser, ledger, draft):
    ledger.publish("shop", draft)
    editor = browser("editor")
    pages = [editor.get(f"{HOME}/{part}?edit=en").text for part in SECTIONS if part != "service"]
    pages += [editor.get(f"{HOME}/service?number={number}&edit=en").text for number in range(len(draft.services))]
    names = {
        re.sub(r"\[\d+\]", "[]", name).removesuffix(".en") for name in re.findall(r' name="([^"]+)"', "".join(pages))
    }
    names |= {re.sub(r"^(mode\.)(\w+)$", r"signals.\2", name) for name in names}
    names |= {"regimes"} if {"place", "regime"} <= names else set()
    names |= {"languages"} if {"language", "more_languages", "first"} <= names else set()
    names |= {"texts"} if "texts.en.title" in names else set()
    known = list(fields(type_info(Policy)))
    leaves = [path for path in known if not any(other.startswith((f"{path}.", f"{path}[]")) for other in known)]
    assert [path for path in leaves if path not in names] == []


@pytest.mark.parametrize("section", ["", "/services", "/looks", "/rules", "/review", "/history", "/file"])
def test_pages_stay_small(browser, ledger, draft, section):
    ledger.publish("shop", draft)
    assert len(browser("owner").get(HOME + section).data) < 120_000


def test_labels_and_mistakes_are_there_in_german():
    german = {text for file in ROOM.glob("templates/desk/de/*.json") for text in json.loads(file.read_text())}
    words = designer_words
    said = {*words.TEXTS, *words.KEYS.values(), *words.LABELS.values(), *words.PARTS.values(), *words.VALUES.values()}
    said |= {*designer_mistakes.MISTAKES, *designer_mistakes.RIGHTS}
    assert sorted(said - german) == []


def test_mistakes_are_told_in_german(browser):
    editor = browser("editor")
    editor.get("/admin/account")
    editor.post("/admin/language", language="de", next="/admin/")
    answer = save(editor, "rules", valid_days="0", origins="x")
    assert "muss eine ganze Zahl von 1 bis 730 sein, nicht 0" in answer.text


ODD = [
    "",
    "0",
    "-1",
    "9" * 12,
    "{}",
    "[1,2",
    "xx",
    "#fff",
    "true",
    "a\nb",
    "../..",
    "{purposes}",
    "%s",
    "'\"<>",
    "ä" * 400,
]
ACTS = [
    "save",
    "up categories[0]",
    "drop categories[0]",
    "drop services[0]",
    "add-cookie",
    "down services[9]",
    "drop x",
    "?",
]
EXTRA = ["categories[9].id", "services[0].cookies[3].name", "signals.google.zzz", "place", "language", "texts.xx.title"]


@pytest.mark.parametrize("seed", range(3))
def test_no_form_however_odd_breaks_a_page(browser, with_services, seed):
    editor, chance = browser("editor"), random.Random(seed)
    for _ in range(12):
        section, query = chance.choice(list(SECTIONS)), f"?number={chance.randrange(2)}&edit=de"
        page = editor.get(f"{HOME}/{section}{query}")
        if page.status_code == 404:
            continue
        fields = filled(page)
        odd = [
            name
            for name in (*chance.sample(sorted(fields), 4), chance.choice(EXTRA))
            if name not in ("csrf_token", "stamp")
        ]
        fields |= {name: [chance.choice(ODD)] for name in odd} | {"do": [chance.choice(ACTS)]}
        for address in (
            f"/admin/sites/shop/findings/{section}",
            f"/admin/sites/shop/preview/{section}",
            f"{HOME}/{section}",
        ):
            assert editor.post(address + query, **fields).status_code < 500, (address, fields)
        for part in ("", "/review", "/policy.toml"):
            assert editor.get(HOME + part).status_code == 200, fields


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
